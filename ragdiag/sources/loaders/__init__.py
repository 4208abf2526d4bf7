"""Document formats: a folder for each that needs a library, with ``load(path, keep) -> Document``, what is left out included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import read_text
from ragdiag.core.records import Document
from ragdiag.sources.loaders import docx, html, pdf
from ragdiag.sources.omissions import Keep
from ragdiag.text.headings import first_marked

__all__ = ["KINDS", "heading", "load"]


def _text(path: Path, keep: Keep = frozenset()) -> Document:  # nothing is left out of plain text
    return Document("", read_text(path, UnreadableDocument))


KINDS: Mapping[str, Callable[[Path, Keep], Document]] = {
    **dict.fromkeys((".txt", ".text", ".md", ".markdown", ".mdown", ".mdx", ".rst", ".adoc", ".asciidoc"), _text),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html.load),
    ".pdf": pdf.load,
    ".docx": docx.load,
}
"""What reads the files of each suffix."""


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The text of a file of one of `KINDS`, titled by its first heading where it says no title; its id is left empty.

    Raises `UnreadableDocument`, and `MissingExtra` where the format's package is not installed.
    """
    document = KINDS[path.suffix.lower()](path, keep)
    return document if document.title else replace(document, title=heading(document.text))


def heading(text: str) -> str:
    """The first heading of Markdown or AsciiDoc outside code, looked for where a title would stand."""
    return first_marked(text[:10_000])
