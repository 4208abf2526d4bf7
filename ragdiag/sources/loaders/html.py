"""HTML: what a reader sees of the page's own content, as text with markdown-style headings.

What a click unfolds is content, and so are notes, the values of forms and the texts that stand for pictures. Menus, page headers
and footers, consent banners and what no click shows are left out; each such block is one of the document's omissions, and
stays in the text where its kind is kept. Scripts, styles and comments are no text. Blocks stand apart by a blank line; list items
and table rows that belong together stand on lines of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import decode, read_bytes
from ragdiag.core.records import Document
from ragdiag.core.registry import require
from ragdiag.sources.loaders._markup import too_much
from ragdiag.sources.loaders._nodes import TEMPLATE, Tree, collapsed
from ragdiag.sources.loaders._page import Page
from ragdiag.sources.loaders._tables import Tables
from ragdiag.sources.loaders._writer import Writer
from ragdiag.sources.omissions import Keep

__all__ = ["load"]

CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]+)""", re.I)
TEMPLATES = re.compile(r"""<(/?)template\b((?:[^>"']|"[^"]*"|'[^']*'){0,2000})>""", re.I)


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The content of an HTML page as text; the title is that of the page.

    Read in the encoding that a byte order mark or a ``<meta charset>`` names, else as UTF-8. Raises `UnreadableDocument`
    where that encoding does not fit, and where no text is left.
    """
    parser = require("selectolax.lexbor", "docs").LexborHTMLParser
    markup = _with_templates(_decoded(read_bytes(path, UnreadableDocument), path))
    if what := too_much(markup):
        raise UnreadableDocument(what, path, remedy="save the page without what scripts made of it, or split it")
    tree = parser(markup)
    writer, text = _written(tree, keep, scripts=True)
    if not text:  # then it is for readers without scripts
        writer, text = _written(tree, keep, scripts=False)
    if not text:
        remedy = "a page that scripts build must be saved as it is shown"
        raise UnreadableDocument("holds no text outside scripts, navigation and forms", path, remedy=remedy)
    return Document("", text, _title(tree), left_out=writer.omissions())


def _written(tree: Tree, keep: Keep, scripts: bool) -> tuple[Writer, str]:
    """The text of a page as it is with or without scripts, and who wrote it."""
    writer = Writer(Page(tree, keep, scripts), Tables(tree))
    return writer, writer.write(tree.root) if tree.root else ""


def _title(tree: Tree) -> str:
    titles = [title for title in tree.css("title") if title.parent is not None and title.parent.tag != "svg"]
    return collapsed("".join(part.text_content or "" for part in titles[0].iter(include_text=True))) if titles else ""


def _with_templates(markup: str) -> str:
    """Markup with its templates as plain elements, since parsers keep their content apart; those of components are shown."""

    def element(tag: re.Match[str]) -> str:
        shown = "shadowroot" in tag[2].lower()
        return "</div>" if tag[1] else f"<div{'' if shown else f' {TEMPLATE}'}{tag[2]}>"

    return TEMPLATES.sub(element, markup)


def _decoded(raw: bytes, path: Path) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        return decode(raw[3:], path, UnreadableDocument, first_byte=3)
    named = CHARSET.search(raw[:4096])
    charset = named.group(1).decode("ascii", "replace").lower() if named else "utf-8"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    elif charset.startswith("utf"):  # a tag that can be read as ASCII is not in UTF-16, whatever it says
        return decode(raw, path, UnreadableDocument)
    # As browsers do: who writes latin-1 means Windows.
    charset = "windows-1252" if charset in ("iso-8859-1", "latin1", "us-ascii", "ascii") else charset
    try:
        return raw.decode(charset)
    except LookupError:
        return decode(raw, path, UnreadableDocument)
    except UnicodeError as e:
        remedy = "state its encoding in <meta charset>, or convert it to UTF-8"
        byte = e.start if isinstance(e, UnicodeDecodeError) else None
        raise UnreadableDocument(f"is not {charset}, the encoding it names", path, remedy=remedy, byte=byte) from e
