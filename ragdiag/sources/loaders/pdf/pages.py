"""The pages of a PDF, each with its lines in order and what was left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ragdiag.sources.loaders.pdf.effort import Effort, Refused, kind_of_loss
from ragdiag.sources.loaders.pdf.forms import shown_on
from ragdiag.sources.loaders.pdf.furniture import furniture
from ragdiag.sources.loaders.pdf.glyphs import named_letters
from ragdiag.sources.loaders.pdf.layout import Line, lines
from ragdiag.sources.loaders.pdf.text import Names, PageText, Piece, has_image, page_text, pieces_in, upright
from ragdiag.sources.omissions import Keep

__all__ = ["Around", "Page", "pages_of", "texts_of"]

CHARACTERS = 100_000_000
"""Characters of one document at most."""
GARBAGE = 0.3
"""Share of a page's characters without a letter from which on none of it is taken as text."""


class Left(NamedTuple):
    """What was left out: its kind, its text where it has one, and where it was."""

    kind: str
    text: str
    place: str


class Page(NamedTuple):
    """A page's lines, those that are level and those at other angles; its bottom and top; whether it has a picture."""

    level: list[Line]
    turned: list[Line]
    edges: tuple[float, float]
    picture: bool
    left_out: list[Left]


class Around(NamedTuple):
    """What was left out of a page: running heads, the page's own, running feet."""

    heads: list[Left]
    page: list[Left]
    feet: list[Left]


class _Content(NamedTuple):
    """What pdfium has of a page: its text, the angle at which that is level, its bottom and top, whether it has a picture."""

    text: PageText
    angle: int = 0
    edges: tuple[float, float] = (0.0, 0.0)
    picture: bool = False


def pages_of(reader: Any, document: Any, effort: Effort, keep: Keep) -> Iterator[Page]:
    """The pages of a document that pypdf and pdfium have open. Raises `Refused` where they are more than can be read."""
    known: dict[tuple[str, int], _Content] = {}
    characters = 0
    for number, page in enumerate(reader.pages):
        place, left_out = f"page {number + 1}", list[Left]()
        try:
            content = effort.content(page)
        except Refused as e:
            raise Refused(f"{e}, on {place}") from e
        if content.lost:
            left_out.append(Left(kind_of_loss(content.lost), "", f"{place} ({content.lost})"))
        shown = _Content(PageText({}, 0, ""))
        if not content.beyond:
            try:
                shown = _shown(document, number, known.get(content.key), named_letters(page))
                known[content.key] = shown
            except (RuntimeError, IndexError) as e:  # what pypdfium2 raises for a page that pdfium cannot open
                left_out.append(Left("unreadable", "", f"{place} ({e})"))
        characters += shown.text.characters
        if characters > CHARACTERS:
            raise Refused(f"shows more than {CHARACTERS:,} characters, on {place}")
        yield _page(page, shown, place, left_out, keep)


def _shown(document: Any, number: int, known: _Content | None, names: Names) -> _Content:
    """What pdfium has of a page; its text and whether it has a picture may be known from another page of the same content."""
    page = document[number]
    try:
        angle, (left, bottom, right, top) = page.get_rotation(), page.get_mediabox()
        frame = upright("", angle, (left, right, bottom, top))
        text, picture = (known.text, known.picture) if known else (page_text(page, names), has_image(page))
        return _Content(text, angle, (frame.bottom, frame.top), picture)
    finally:
        page.close()


def _page(page: Any, shown: _Content, place: str, left_out: list[Left], keep: Keep) -> Page:
    """A page from what it shows, what stands upon it, and what is known to be lost of it."""
    pieces = _legible(shown.text, place, left_out)
    level = pieces.pop(shown.angle, [])
    try:
        level += _upon(page, shown.angle, place, left_out, keep)
    except Exception as e:  # pypdf says itself that broken files raise whatever they like
        left_out.append(Left("unreadable", "", f"{place} (its form fields and notes: {type(e).__name__}: {e})"))
    straight = lines(level)
    turned = [line for _, some in sorted(pieces.items()) for line in lines(some)]
    if not straight and not turned and {"unreadable", "limits"}.isdisjoint(left.kind for left in left_out):
        left_out.append(Left("unreadable", "", place))
    elif shown.picture:
        left_out.append(Left("images", "", place))
    return Page(straight, turned, shown.edges, shown.picture, left_out)


def _legible(text: PageText, place: str, left_out: list[Left]) -> dict[int, list[Piece]]:
    """The pieces of a page's text, none where too little of it stands for letters."""
    if len(text.unmapped) > GARBAGE * text.characters:
        garbage = " ".join(piece.text for some in text.pieces.values() for piece in some) or text.unmapped
        left_out.append(Left("unreadable", garbage, f"{place} (its fonts do not say which letters they show)"))
        return {}
    if text.unmapped:
        left_out.append(Left("unreadable", text.unmapped, f"{place} (characters that stand for no letter)"))
    return {angle: list(some) for angle, some in text.pieces.items()}


def _upon(page: Any, angle: int, place: str, left_out: list[Left], keep: Keep) -> list[Piece]:
    """What stands upon a page and is part of its text, as pieces."""
    pieces: list[Piece] = []
    for one in shown_on(page):
        if one.text and (not one.kind or one.kind in keep):
            pieces += pieces_in(one.text, one.box, angle)
        else:
            left_out.append(Left(one.kind, one.text, f"{place}, {one.name}" if one.name else place))
    return pieces


def texts_of(pages: Sequence[Page], keep: Keep) -> tuple[list[str], list[Around]]:
    """The text of each page, and what was left out around it: running heads and feet, if they are not to be kept."""
    texts, left_out = list[str](), list[Around]()
    repeated = furniture([page.level for page in pages], [page.edges for page in pages])
    for number, (page, heads, feet, bare) in enumerate(zip(pages, *repeated, strict=True), 1):
        place = f"page {number}"
        taken = set() if "navigation" in keep else {*heads, *feet}
        kept = [line for i, line in enumerate(page.level) if i not in taken]
        texts.append("\n".join(line.text for line in [*kept, *page.turned]))
        above, below = (_furnished(page, taken.intersection(some), place) for some in (heads, feet))
        left_out.append(Around(above, _scanned(page, place) if bare else page.left_out, below))
    return texts, left_out


def _scanned(page: Page, place: str) -> list[Left]:
    """What is left out of a page that has no level text but head and foot: where it shows a picture, all of it."""
    if not page.picture or page.turned:
        return page.left_out
    return [Left("unreadable", "", place), *(left for left in page.left_out if left.kind != "images")]


def _furnished(page: Page, places: Iterable[int], place: str) -> list[Left]:
    return [Left("navigation", page.level[i].text, place) for i in sorted(places)]
