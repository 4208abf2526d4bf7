"""What reading a PDF takes, before its text is read, and which parts of it are broken.

A page or a form can be shown any number of times, so a small file can hold more than any machine can read. And what is broken in
a file is passed over by every reader: pypdf says so in its log, which is heard here.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pypdf import PageObject

__all__ = ["Effort", "Refused", "heard", "kind_of_loss"]

WORK, WORK_RATIO = 15 * 2**20, 10
"""Bytes of content that are read for one document, repeats counted, at most: so many, or so many times its size."""
FONT = 3
"""Bytes of a font's table of characters that take as long as one of content."""
STRINGS = 4000
"""Strings of one page after which one more takes as long as a byte of content for each."""
SEARCH = 200
"""Bytes of a file that are searched for a lost object while one of content is read."""
DEPTH = 40
"""Forms within forms that are followed; pdfium stops there too."""

SEARCHED = ("Object ID ", "Object ")
"""How pypdf's log begins where the index of objects is wrong and it searched the whole file for one."""
LOST = (
    "Impossible to decode XFormObject",
    "Expected StreamObject",
    "Page contents are not a stream",
    "Page resources are not a dictionary",
    "Font resources are not a dictionary",
    "XObject resources are not a dictionary",
    "Ignoring page tree entry",
    "Invalid /N ",
    "Value /N ",
    "Invalid object number",
    "Invalid stream (index",
    "Clamping XRef count",
    "XRef object at ",
    "Error -",  # zlib's, where a stream was recovered in part
    "Early EOD in RunLengthDecode",
)
"""How pypdf's log begins where it goes on without some of the text."""

_BOUND = re.compile(r"limit|maximum|exceed|clamping|too (?:many|large|deep)", re.IGNORECASE)
_SHOWN = re.compile(rb"/([^\s/\[\]()<>{}%]+)\s+Do(?![^\s/\[\]()<>{}%])")


class Refused(BaseException):
    """What is wrong with a document; no `Exception`, many of which pypdf passes over."""


def kind_of_loss(message: str) -> str:
    """The kind of omission that a message of the library speaks of."""
    return "limits" if _BOUND.search(message) else "unreadable"


class Content(NamedTuple):
    """What a page shows, what was said of it that is lost, and whether it is more than can be read at all."""

    key: tuple[str, int]
    lost: str
    beyond: bool = False


class Effort(logging.Handler):
    """What is left of the bounds of one document, and what pypdf says of it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left, self.search = max(WORK, WORK_RATIO * size), size // SEARCH
        self._lost = ""
        self._known: dict[tuple[str, int], Content] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Hear what pypdf says."""
        message = " ".join(record.getMessage().split())
        if message.startswith(LOST):
            self._lost = self._lost or message[:200]
        elif message.startswith(SEARCHED):
            self._take(self.search)

    def lost(self) -> str:
        """What pypdf said of lost text since it was asked last; "" for nothing."""
        lost, self._lost = self._lost, ""
        return lost

    def content(self, page: PageObject) -> Content:
        """Count what a page takes to read; pages that show the same are read once. Raises `Refused` where it takes too much."""
        resources = page.get("/Resources")
        resources = resources.get_object() if resources is not None else None  # always the same object
        key = repr(page.raw_get("/Contents")) if "/Contents" in page else "", id(resources)
        if key not in self._known:
            before = self.lost()
            try:
                self._take(self._total(page.get("/Contents"), resources, {}, DEPTH))
                self._known[key] = Content(key, before or self.lost())
            except Exception as e:  # pypdf says itself that broken files raise whatever they like
                message = f"{type(e).__name__}: {' '.join(str(e).split())[:200]}"
                self._known[key] = Content(key, message, beyond=kind_of_loss(message) == "limits")
        return self._known[key]

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Refused("takes more than its size explains: it shows the same content too often, or is damaged")

    def _total(self, content: Any, resources: Any, sizes: dict[int, int], depth: int) -> int:
        """Bytes that are read where `content` is shown once, with the forms that it shows. `sizes` holds those of forms."""
        data = _data(content)
        strings = data.count(b"Tj") + data.count(b"TJ")
        total = len(data) + strings * strings // STRINGS + _font_size(resources)
        for name, times in Counter(_SHOWN.findall(data)).items():
            form = _form(resources, name) if depth else None
            if form is None:
                continue
            if id(form) not in sizes:
                sizes[id(form)] = 0  # a form that shows itself is shown once
                sizes[id(form)] = self._total(form, form.get("/Resources", resources), sizes, depth - 1)
            total += times * sizes[id(form)]
        return total


def _form(resources: Any, name: bytes) -> Any:
    """The form of that name; None where there is none, or it is an image."""
    with suppress(KeyError, AttributeError, TypeError):
        key = "/" + re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), name).decode("latin-1")
        form = resources.get_object()["/XObject"].get_object()[key].get_object()
        return form if form.get("/Subtype") == "/Form" else None
    return None


def _data(content: Any) -> bytes:
    """A content stream, or all of an array, joined as they are when read."""
    if content is None:
        return b""
    content = content.get_object()
    parts = []
    for part in content if isinstance(content, list) else [content]:
        stream = part.get_object()
        if not hasattr(stream, "get_data"):
            if stream is None or type(stream).__name__ == "NullObject":
                continue
            raise TypeError(f"Expected StreamObject, got {type(stream).__name__}")
        parts.append(stream.get_data())
    return b"\n".join(parts)


def _font_size(resources: Any) -> int:
    """What the fonts' tables of characters take, as bytes of content."""
    with suppress(Exception):
        fonts = [font.get_object().get("/ToUnicode") for font in resources.get_object()["/Font"].get_object().values()]
        return sum(len(_data(font)) for font in fonts) // FONT
    return 0


@contextmanager
def heard(ear: logging.Handler) -> Iterator[None]:
    """Pass to `ear`, and to nobody else, what pypdf logs; no warnings."""
    log = logging.getLogger("pypdf")
    level, others = log.level, (log.propagate, log.handlers)
    log.propagate, log.handlers = False, [ear]
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.propagate, log.handlers = others
        log.setLevel(level)
