"""Word documents (.docx): paragraphs, tables, notes and boxes in document order, as text with markdown-style headings.

Read from the XML rather than through `Document.paragraphs`, which passes over content controls, tracked insertions, text
boxes and notes. List numbers are counted as word processors do; formulas stand in one line. What is not in the text is among
the document's omissions.
"""

from __future__ import annotations

from pathlib import Path

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import read_bytes
from ragdiag.core.records import Document
from ragdiag.core.registry import require
from ragdiag.sources.loaders._docx_blocks import Reader, joined
from ragdiag.sources.loaders._docx_left import Left
from ragdiag.sources.loaders._docx_marks import without_places
from ragdiag.sources.loaders._docx_package import main_part, unpacked
from ragdiag.sources.omissions import Keep

__all__ = ["load"]


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The text of a Word document, what was left out of it, and the title from its properties.

    Raises `UnreadableDocument` for a file that is damaged, encrypted, decompresses to an absurd size or holds no text.
    """
    require("docx", "docs")
    package = unpacked(read_bytes(path, UnreadableDocument), path)
    left = Left(keep)
    try:
        part, title = main_part(package)
        marked = joined(Reader(part, left).document())
    except Exception as e:  # lxml, python-docx and plain KeyErrors, for whatever part is missing or broken
        what = f"is a damaged .docx ({type(e).__name__}: {e})"
        raise UnreadableDocument(what, path, remedy="open and save it again in a word processor") from e
    text, left_out = without_places(marked, left.omissions)
    if not text.strip():
        raise UnreadableDocument("holds no text", path, remedy="pictures of pages need OCR first")
    return Document("", text, "" if title == "Word Document" else " ".join(title.split()), left_out=left_out)
