"""PDF: the text of each page as pypdf extracts it, nothing altered; pypdf's own limits guard against decompression bombs."""

from __future__ import annotations

import io
import itertools
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragdiag.errors import UnreadableDocument
from ragdiag.files import read_bytes
from ragdiag.records import Document
from ragdiag.registry import require

__all__ = ["load"]

PAGE_BREAK = "\n\n"


def load(path: Path) -> Document:
    """The pages of a PDF, joined by a blank line; `pages` says where each starts.

    Raises `UnreadableDocument` for a file that is encrypted, cut short, damaged, or holds no text (a scan).
    """
    require("pypdf", "docs")
    raw = read_bytes(path, UnreadableDocument)
    _check_ends(raw, path)
    with _quiet():
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
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw))
        for page in reader.pages:
            pages.append(_storable(page.extract_text()))
        title = reader.metadata.title if reader.metadata else None
        return pages, " ".join(_storable(str(title or "")).split())
    except FileNotDecryptedError as e:
        remedy = "save it without its password, e.g. qpdf --decrypt --password=... in.pdf out.pdf"
        raise UnreadableDocument("is encrypted with a password", path, remedy=remedy) from e
    except DependencyError as e:
        remedy = "pip install cryptography, or qpdf --decrypt in.pdf out.pdf"
        raise UnreadableDocument(f"is encrypted ({e})", path, remedy=remedy) from e
    except Exception as e:  # pypdf says itself that broken files raise whatever they like
        what = f"is damaged from page {len(pages) + 1} on ({type(e).__name__}: {e})"
        raise UnreadableDocument(what, path, remedy="print it to a new PDF, or convert it to text") from e


def _storable(text: str) -> str:
    """Pairs of surrogates joined, half ones replaced: broken fonts yield both, UTF-8 takes neither."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines and no warnings about what pypdf put up with."""
    log = logging.getLogger("pypdf")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
