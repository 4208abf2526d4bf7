"""What loaders left out of the documents, as a table by kind and a line for each document with the most."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from ragdiag.core.records import Document
from ragdiag.reports.text import line, plain_table, verbatim
from ragdiag.sources.omissions import KEPT_ON_REQUEST, KINDS, amounts
from ragdiag.text.phrases import counted, one_line

__all__ = ["left_out_text"]

MOST = 5
"""Documents named of those with the most left out."""

PLACES = 3
"""Places named of a kind in a document."""


def left_out_text(documents: Sequence[Document]) -> list[RenderableType]:
    """Nothing where loaders left out nothing."""
    totals = amounts(documents)
    if not totals:
        return []
    table = plain_table("left out", ">documents", ">places", ">characters", "what it is")
    for kind, amount in totals.items():
        numbers = f"{amount.documents:,}", f"{amount.pieces:,}", f"{amount.characters:,}" if amount.characters else "-"
        table.add_row(kind, *numbers, KINDS[kind])
    table.columns[-1].no_wrap = False
    most = sorted((d for d in documents if d.left_out), key=lambda d: (-_characters(d), d.id))
    keep = [kind for kind in totals if kind in KEPT_ON_REQUEST]
    told = [line((f"--keep {','.join(keep)} leaves it in the text", "dim"))] if keep else []
    return [Text(), table, *told, *(verbatim(f"  {d.file or d.id}: {_of(d)}") for d in most[:MOST])]


def _characters(document: Document) -> int:
    return sum(len(omission.text) for omission in document.left_out)


def _of(document: Document) -> str:
    """Each kind with how much it is and where."""
    parts = []
    for kind, amount in amounts([document]).items():
        places = list(dict.fromkeys(one_line(o.place, 40) for o in document.left_out if o.kind == kind and o.place))
        more = ", ..." if len(places) > PLACES else ""
        where = f" ({', '.join(places[:PLACES])}{more})" if places else ""
        much = f"{counted(amount.characters, 'character')} in " if amount.characters else ""
        parts.append(f"{kind} {much}{counted(amount.pieces, 'place')}{where}")
    return "; ".join(parts)
