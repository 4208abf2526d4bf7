"""PDF: the text of each page in the order that it is read, with the values of its form fields.

pdfium, the reader of Chromium, says which letter stands where (`_pdf_text`); `_pdf_layout` puts them in order. pypdf, which says
what it cannot read of a file, is asked first (`_pdf_effort`), and knows forms, notes and the title (`_pdf_forms`). What
repeats at the edges of the pages interrupts what goes on from one page to the next: it is left out (`_pdf_furniture`).
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import read_bytes
from ragdiag.core.records import Document, Omission
from ragdiag.core.registry import require
from ragdiag.sources.loaders._pdf_effort import Effort, Refused, heard, kind_of_loss
from ragdiag.sources.loaders._pdf_forms import attachments, has_only_xfa
from ragdiag.sources.loaders._pdf_pages import Page, pages_of, texts_of
from ragdiag.sources.omissions import Keep
from ragdiag.text.titles import no_title

__all__ = ["load"]

PAGE_BREAK = "\n\n"
PAGES = 20_000
"""Pages of one document at most."""
PRINTED = "print it to a new PDF, or convert it to text"
END = b"%%EOF"

_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
_OBJECT_OR_TABLE = re.compile(rb"\s*(?:xref\b|\d+\s+\d+\s+obj\b)")
_INDEX = re.compile(rb"startxref\s+(\d+)[\s\0%EOF]*\Z")
_LINEAR = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d+)")


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The pages of a PDF, joined by a blank line; `pages` says where each starts.

    A page without text, or with parts that cannot be read, is an omission that names the page. Raises `UnreadableDocument` for a
    file that is encrypted, cut short, damaged, or holds no text at all (a scan).
    """
    require("pypdf", "docs")
    require("pypdfium2", "docs")
    pages, title, left_out = _read(_whole(read_bytes(path, UnreadableDocument), path), path, keep)
    texts, furnished = texts_of(pages, keep)
    if not any(text.strip() for text in texts):
        _refuse(pages, path)
    starts = tuple(itertools.accumulate((len(text) + len(PAGE_BREAK) for text in texts[:-1]), initial=0))
    for start, text, around in zip(starts, texts, furnished, strict=True):
        for at, some in ((start, around.heads + around.page), (start + len(text), around.feet)):
            left_out += [Omission(left.kind, left.text, at, left.place) for left in some]
    return Document("", PAGE_BREAK.join(texts), title, pages=starts, left_out=tuple(left_out))


def _refuse(pages: Sequence[Page], path: Path) -> NoReturn:
    """Say why a document is without text: a scan, or that its pages cannot be read."""
    broken = [
        left.place for page in pages for left in page.left_out if left.kind in ("unreadable", "limits") and "(" in left.place
    ]
    if broken:
        raise UnreadableDocument(f"is damaged or beyond a bound, {broken[0]}", path, remedy=f"{PRINTED}, or run OCR")
    remedy = "scanned pages need OCR first, e.g. ocrmypdf in.pdf out.pdf"
    raise UnreadableDocument(f"holds no text on its {len(pages)} pages", path, remedy=remedy)


def _whole(raw: bytes, path: Path) -> bytes:
    """The file, with its end mark if only that is missing. Raises `UnreadableDocument` for what is no whole PDF."""
    if b"%PDF-" not in raw[:1024]:
        what = "is no PDF, it starts with other bytes" if raw.strip() else "is empty"
        raise UnreadableDocument(what, path, remedy="check the file, or rename it to what it is")
    end = raw.rfind(END)
    if end >= 0 and not _OBJECT.search(raw, end) and not _is_first_part(raw):
        return raw[: end + len(END)] + b"\n"  # what follows belongs to no document
    index = _INDEX.search(raw, max(0, len(raw) - 1024))
    if index and _OBJECT_OR_TABLE.match(raw, int(index[1][:12])):
        return raw[: index.end(1)] + b"\n" + END + b"\n"
    # Other readers go on with the pages that they can find: a silent loss.
    raise UnreadableDocument("is cut short (no end-of-file mark)", path, remedy="fetch it again", byte=len(raw))


def _is_first_part(raw: bytes) -> bool:
    """Whether a file that is written for page by page delivery ends before its end; it has an end mark behind its first page."""
    linear = _LINEAR.search(raw[:2048])
    return bool(linear and int(linear[1][:12]) > len(raw))


def _read(raw: bytes, path: Path, keep: Keep) -> tuple[list[Page], str, list[Omission]]:
    """Every page, the title, and what was left out of the document as a whole."""
    import pypdf
    import pypdfium2
    from pypdf.errors import DependencyError, FileNotDecryptedError

    pages: list[Page] = []
    effort = Effort(len(raw))
    try:
        with heard(effort):
            reader = pypdf.PdfReader(io.BytesIO(raw))
            if len(reader.pages) > PAGES:
                raise Refused(f"holds more than {PAGES:,} pages")
            with pypdfium2.PdfDocument(raw) as document:
                pages += pages_of(reader, document, effort, keep)
            title = reader.metadata.title if reader.metadata else None
            left_out = _beside(reader, effort)
        return pages, _title(title), left_out
    except FileNotDecryptedError as e:
        remedy = "save it without its password, e.g. qpdf --decrypt --password=... in.pdf out.pdf"
        raise UnreadableDocument("is encrypted with a password", path, remedy=remedy) from e
    except DependencyError as e:
        remedy = "pip install cryptography, or qpdf --decrypt in.pdf out.pdf"
        raise UnreadableDocument(f"is encrypted ({e})", path, remedy=remedy) from e
    except Refused as e:
        raise UnreadableDocument(str(e), path, remedy=PRINTED) from e
    except Exception as e:  # pypdf says itself that broken files raise whatever they like
        what = f"is damaged from page {len(pages) + 1} on ({type(e).__name__}: {' '.join(str(e).split())})"
        raise UnreadableDocument(what, path, remedy=PRINTED) from e


def _beside(reader: Any, effort: Effort) -> list[Omission]:
    """What a document holds beside its pages, which is not read."""
    left_out = [Omission("unreadable", place=f"attachment {name}") for name in attachments(reader)]
    only_xfa = has_only_xfa(reader)
    if only_xfa is not None:
        left_out.append(Omission("unreadable" if only_xfa else "forms", place="XFA form"))
    lost = effort.lost()
    return [*left_out, Omission(kind_of_loss(lost), place=f"document ({lost})")] if lost else left_out


def _title(title: object) -> str:
    text = " ".join(str(title or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())
    return "" if no_title(text) else text
