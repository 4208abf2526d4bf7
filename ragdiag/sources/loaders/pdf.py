"""PDF: the text of each page as pypdf extracts it, nothing altered.

pypdf reads what it can of a damaged or hostile file, and says in its log what it passed over. Where that is text, the document is
a problem; so is one that takes more than its size explains, since a page or a form can be shown any number of times.
"""

from __future__ import annotations

import io
import itertools
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import read_bytes
from ragdiag.core.records import Document
from ragdiag.core.registry import require
from ragdiag.sources.omissions import Keep

if TYPE_CHECKING:
    from pypdf import PageObject

__all__ = ["load"]

PAGE_BREAK = "\n\n"

WORK, WORK_RATIO = 15 * 2**20, 10
"""Bytes of content that are parsed for one document, repeats counted, at most: so many, or so many times its size."""
PAGES, CHARACTERS = 20_000, 100_000_000
"""Pages and characters of one document at most."""
FONT = 3
"""Bytes of a font's table of characters that take as long as one of content."""
STRINGS = 4000
"""Strings of one page after which one more takes as long as a byte of content for each: pypdf adds them up one by one."""
SEARCH = 200
"""Bytes of a file that are searched for a lost object while one of content is parsed."""

SEARCHED = ("Object ID ", "Object ")
"""How pypdf's log begins where the index of objects is wrong and it searched the whole file for one."""
LOST = (
    "Exceeded ",  # "... form XObject invocations while extracting text; further form content is skipped"
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


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The pages of a PDF, joined by a blank line; `pages` says where each starts.

    Raises `UnreadableDocument` for a file that is encrypted, cut short, damaged, or holds no text (a scan).
    """
    require("pypdf", "docs")
    raw = read_bytes(path, UnreadableDocument)
    _check_ends(raw, path)
    pages, title = _extracted(raw, path)
    if not any(page.strip() for page in pages):
        remedy = "scanned pages need OCR first, e.g. ocrmypdf in.pdf out.pdf"
        raise UnreadableDocument(f"holds no text on its {len(pages)} pages", path, remedy=remedy)
    starts = itertools.accumulate((len(page) + len(PAGE_BREAK) for page in pages[:-1]), initial=0)
    return Document("", PAGE_BREAK.join(pages), title, pages=tuple(starts))


def _check_ends(raw: bytes, path: Path) -> None:
    if b"%PDF-" not in raw[:1024]:
        what = "is no PDF, it starts with other bytes" if raw.strip() else "is empty"
        raise UnreadableDocument(what, path, remedy="check the file, or rename it to what it is")
    # pypdf would go on with the pages it can find: a silent loss.
    if b"%%EOF" not in raw.rstrip(b"\0\t\r\n ")[-1024:]:
        raise UnreadableDocument("is cut short (no end-of-file mark)", path, remedy="fetch it again", byte=len(raw))


def _extracted(raw: bytes, path: Path) -> tuple[list[str], str]:
    """The text of every page, and the document's title."""
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError

    pages: list[str] = []
    effort, number = _Effort(max(WORK, WORK_RATIO * len(raw)), len(raw) // SEARCH), 0
    try:
        with _heard(effort):
            reader = pypdf.PdfReader(io.BytesIO(raw))
            if len(reader.pages) > PAGES:
                raise _Refused(f"holds more than {PAGES:,} pages")
            for page in reader.pages:
                number += 1
                pages.append(_storable(effort.text(page)))
                effort.check()
            title = reader.metadata.title if reader.metadata else None
        return pages, " ".join(_storable(str(title or "")).split())
    except FileNotDecryptedError as e:
        remedy = "save it without its password, e.g. qpdf --decrypt --password=... in.pdf out.pdf"
        raise UnreadableDocument("is encrypted with a password", path, remedy=remedy) from e
    except DependencyError as e:
        remedy = "pip install cryptography, or qpdf --decrypt in.pdf out.pdf"
        raise UnreadableDocument(f"is encrypted ({e})", path, remedy=remedy) from e
    except _Refused as e:
        what = f"{e}, on page {number}" if number else str(e)
        raise UnreadableDocument(what, path, remedy="print it to a new PDF, or convert it to text") from e
    except Exception as e:  # pypdf says itself that broken files raise whatever they like
        what = f"is damaged from page {len(pages) + 1} on ({type(e).__name__}: {e})"
        raise UnreadableDocument(what, path, remedy="print it to a new PDF, or convert it to text") from e


class _Refused(BaseException):
    """What is wrong with a document; no `Exception`, many of which pypdf passes over."""


class _Form(NamedTuple):
    """How much there is to parse each time that a form is shown, and what pypdf said when it was read."""

    size: int
    lost: str


class _Effort(logging.Handler):
    """What reading a document takes so far, and what pypdf says of it.

    Pages that show the same content are read once: `extract_text` of both gives the same.
    """

    def __init__(self, limit: int, search: int) -> None:
        super().__init__()
        self.left, self.search, self.characters = limit, search, 0
        self.lost = ""
        self._texts: dict[tuple[str, int], str] = {}
        self._forms: dict[int, dict[str, _Form]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Hear what pypdf says."""
        message = " ".join(record.getMessage().split())
        if message.startswith(LOST):
            self.lost = self.lost or message[:200]
        elif message.startswith(SEARCHED):
            self._take(self.search)

    def check(self) -> None:
        """Raise `_Refused` where text was lost."""
        if self.lost:
            raise _Refused(f"holds text that pypdf cannot read ({self.lost})")

    def text(self, page: PageObject) -> str:
        """The text of a page. Raises `_Refused` where that takes too much."""
        resources = page.get("/Resources")
        resources = resources.get_object() if resources is not None else None  # always the same object
        key = repr(page.raw_get("/Contents")) if "/Contents" in page else "", id(resources)
        if key not in self._texts:
            self._texts[key] = page.extract_text(visitor_operand_before=self._watch(page, resources))
        self.characters += len(self._texts[key])
        if self.characters > CHARACTERS:
            raise _Refused(f"shows more than {CHARACTERS:,} characters")
        return self._texts[key]

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _Refused("takes more than its size explains: it shows the same content too often, or is damaged")

    def _watch(self, page: PageObject, resources: Any) -> Callable[..., None] | None:
        """Counts a page's content now, and that of its forms, if any, whenever one is shown."""
        if id(resources) not in self._forms:
            self._forms[id(resources)] = self._forms_of(resources)
        forms = self._forms[id(resources)]
        self._take(_size(page.get("/Contents")) + _font_size(resources))

        def before(operator: bytes, operands: Sequence[object], *_: object) -> None:
            if operator == b"Do" and operands and str(operands[0]) in forms:
                form = forms[str(operands[0])]
                self._take(form.size)
                self.lost = self.lost or form.lost

        return before if forms else None

    def _forms_of(self, resources: Any) -> dict[str, _Form]:
        """Each form that can be shown, by name; of several with one name the largest. What is never shown is not lost."""
        forms: dict[str, _Form] = {}
        todo, known, lost = [resources], set[int](), self.lost
        while todo:
            with suppress(Exception):  # what is broken here is pypdf's to say, if it is shown at all
                for name, reference in todo.pop().get_object()["/XObject"].get_object().items():
                    form = reference.get_object()
                    if form.get("/Subtype") == "/Form" and id(form) not in known:
                        known.add(id(form))
                        inner, self.lost = form.get("/Resources"), ""
                        size = _size(form) + _font_size(inner)
                        forms[str(name)] = max(forms.get(str(name), _Form(0, "")), _Form(size, self.lost))
                        todo.append(inner)
        self.lost = lost
        return forms


def _size(content: Any) -> int:
    """Bytes of a content stream, or of all in an array, and what showing its strings takes besides."""
    with suppress(Exception):
        content = content.get_object()
        streams = [stream.get_object() for stream in (content if isinstance(content, list) else [content])]
        parts: list[bytes] = [stream.get_data() for stream in streams]
        strings = sum(part.count(b"Tj") + part.count(b"TJ") for part in parts)
        return sum(map(len, parts)) + strings * strings // STRINGS
    return 0


def _font_size(resources: Any) -> int:
    """What the fonts' tables of characters take, as bytes of content."""
    with suppress(Exception):
        fonts = [font.get_object().get("/ToUnicode") for font in resources.get_object()["/Font"].get_object().values()]
        return sum(map(_size, fonts)) // FONT
    return 0


def _storable(text: str) -> str:
    """Pairs of surrogates joined, half ones replaced: broken fonts yield both, UTF-8 takes neither."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@contextmanager
def _heard(ear: logging.Handler) -> Iterator[None]:
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
