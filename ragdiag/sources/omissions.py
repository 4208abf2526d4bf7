"""What loaders leave out of documents, by kind: how much it is, and where a passage stands that no document holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import UsageError, did_you_mean
from ragdiag.core.records import Document, Omission
from ragdiag.text.normal import Normal, normal
from ragdiag.text.phrases import counted, listed, one_line

__all__ = ["KEPT_ON_REQUEST", "KINDS", "Amount", "Keep", "amounts", "held", "kept", "much", "unread", "where_lost"]

Keep = Set[str]
"""Kinds of `KEPT_ON_REQUEST` that stay in the text."""

KINDS: Mapping[str, str] = {
    "navigation": "menus, page headers and footers, cookie banners",
    "hidden": "what the page or the file hides and no reader reaches: deleted text, hidden text, closed templates",
    "notes": "reviewers' comments and annotations",
    "forms": "buttons, choices that are not chosen, and other parts of forms without a value",
    "images": "pictures without text",
    "unreadable": "objects and pages that could not be read, or hold no text",
    "limits": "what is beyond a bound of the loader or its library",
}
"""Each kind, and what it is."""

KEPT_ON_REQUEST = ("navigation", "hidden", "notes", "forms")
"""Kinds that have a text, which ``--keep`` leaves in."""

MUCH = 0.1
"""The share of a corpus' characters from which what is left out is said beside the scores."""

PLACES = 6
"""Places named of those that could not be read."""


class Amount(NamedTuple):
    """How much is left out: in how many documents, in how many pieces, and characters of those that have a text."""

    documents: int
    pieces: int
    characters: int


def kept(names: Sequence[str]) -> Keep:
    """The kinds that are named, one by one or parted by commas. Raises `UsageError` for one that cannot be kept."""
    kinds = [kind for name in names for part in name.split(",") if (kind := part.strip())]
    for kind in kinds:
        if kind in KINDS and kind not in KEPT_ON_REQUEST:
            raise UsageError(f"--keep {kind}: there is no text to keep of {KINDS[kind]} (known: {', '.join(KEPT_ON_REQUEST)})")
        if kind not in KINDS:
            raise UsageError(f"--keep {kind!r} is no kind of what loaders leave out{did_you_mean(kind, KEPT_ON_REQUEST)}")
    return frozenset(kinds)


def amounts(documents: Iterable[Document]) -> dict[str, Amount]:
    """How much is left out of `documents`, by kind, in the order of `KINDS`."""
    totals: dict[str, Amount] = {}
    for document in documents:
        for kind in {o.kind for o in document.left_out}:
            texts = [o.text for o in document.left_out if o.kind == kind]
            before = totals.get(kind, Amount(0, 0, 0))
            totals[kind] = Amount(before.documents + 1, before.pieces + len(texts), before.characters + sum(map(len, texts)))
    return {kind: totals[kind] for kind in sorted(totals, key=[*KINDS].index)}


def much(documents: Sequence[Document]) -> Iterator[str]:
    """A note on what is left out of `documents`, where it is much, and one where a bound lost what a reader would read."""
    totals = amounts(documents)
    left_out = sum(amount.characters for amount in totals.values())
    share = left_out / max(left_out + sum(len(d.text) for d in documents), 1)
    if share > MUCH:
        kinds = ", ".join(f"{kind} {amount.characters:,}" for kind, amount in totals.items() if amount.characters)
        keep = ", --keep leaves it in" if totals.keys() & set(KEPT_ON_REQUEST) else ""
        yield f"loaders leave out {share:.0%} of the documents' characters: {kinds}; ragdiag check says where{keep}"
    if beyond := totals.get("limits"):
        where = f"{counted(beyond.pieces, 'place')} of {counted(beyond.documents, 'document')}"
        yield f"{where} could not be read for a bound of the loader or its library; ragdiag check says where"


def unread(left_out: Sequence[Omission]) -> str:
    """What of a document could not be read, with the remedy; "" where all was."""
    places = list(dict.fromkeys(o.place or "a part" for o in left_out if o.kind == "unreadable"))
    if not places:
        return ""
    more = [counted(len(places) - PLACES, "more place")] if len(places) > PLACES else []
    what = listed([one_line(place, 60) for place in places[:PLACES]] + more)
    holds = "holds" if len(places) == 1 else "hold"
    return f"{what} {holds} no text that could be read, the rest was read; if it is scanned, recognise its text (OCR) first"


def held(document: Document, passage: str) -> list[Omission]:
    """What was left out of a document and holds the passage, or a part of it where the text holds the rest."""
    tokens = re.findall(r"\w+|[^\w\s]", normal(passage))
    whole, pieces = _restored(document) if tokens else ("", [])
    if not pieces:
        return []
    before, behind = (r"(?<!\w)" if tokens[0][0].isalnum() else ""), (r"(?!\w)" if tokens[-1][-1].isalnum() else "")
    text = Normal(whole)
    for match in re.finditer(before + r"\s*".join(map(re.escape, tokens)) + behind, text.text):
        start, end = text.source(*match.span())
        if parts := [omission for low, high, omission in pieces if low < end and start < high]:
            return parts
    return []


def _restored(document: Document) -> tuple[str, list[tuple[int, int, Omission]]]:
    """The text with what was left out put back on lines of its own, and where each piece then stands."""
    parts, pieces, length, at = list[str](), list[tuple[int, int, Omission]](), 0, 0
    for omission in sorted(document.left_out, key=lambda o: o.at):
        if omission.text:
            parts += [document.text[at : omission.at], "\n", omission.text, "\n"]
            at, start = omission.at, length + len(parts[-4]) + 1
            length = start + len(omission.text) + 1
            pieces.append((start, length - 1, omission))
    return "".join([*parts, document.text[at:]]), pieces


def where_lost(documents: Iterable[Document], passage: str) -> str:
    """Which loader left a passage out, and as what, with the remedy, in words; "" where none did."""
    for document in documents:
        if parts := held(document, passage):
            kinds = list(dict.fromkeys(o.kind for o in parts))
            what = ", ".join(dict.fromkeys(f"{o.kind}: {o.place}" if o.place else o.kind for o in parts))
            keep = [kind for kind in kinds if kind in KEPT_ON_REQUEST]
            suffix = Path(document.file).suffix.lower()
            remedy = f"; --keep {','.join(keep)} leaves it in" if keep else ""
            return f"it stands in what the {suffix} loader left out of {document.id} ({one_line(what, 120)}){remedy}"
    return ""
