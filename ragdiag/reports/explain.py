"""One query on the terminal: why it fails, its evidence with the cuts marked, its context, what stands below it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ragdiag.core.records import Explanation, GroupProof, RankedChunk
from ragdiag.reports.proof import why
from ragdiag.reports.text import defect_line, line, plain_table
from ragdiag.reports.words import expected, headline
from ragdiag.text.phrases import clean, counted, one_line

__all__ = ["explain_text", "parted"]

EXCERPT = 420
"""Characters shown of a context chunk that holds no evidence."""

ANSWER = 240
"""Characters shown of an answer."""

ROUND = 120
"""Characters shown before and after evidence that is not in the context."""

BELOW = 8
"""Chunks with evidence shown of those below the context."""


def explain_text(explanation: Explanation) -> RenderableType:
    """One query: why it fails and what proves it, its evidence with the cuts marked, its context with the evidence marked."""
    parts: list[RenderableType] = [*_query(explanation), *why(explanation)]
    for n, group in enumerate(explanation.groups, 1):
        parts += [Text(), *_evidence(n, len(explanation.groups), group)]
    context, below = parted(explanation.ranking)
    size = f"the first {counted(len(context), 'chunk')}" if context else "empty, nothing was retrieved for this query"
    parts += [Text(), line((f"Context: {size}", "bold"))]
    for chunk in context:
        parts += [_ranked(chunk), _marked(chunk)]
    parts += [Text(), line(("Below the context, with evidence", "bold"))] if below else []
    for chunk in below[:BELOW]:
        parts += [_ranked(chunk), _round(chunk)]
    return Group(*parts)


def parted(ranking: Iterable[RankedChunk]) -> tuple[list[RankedChunk], list[RankedChunk]]:
    """The chunks of the context, and those below it."""
    context, below = list[RankedChunk](), list[RankedChunk]()
    for chunk in ranking:
        (context if chunk.in_context else below).append(chunk)
    return context, below


def _query(explanation: Explanation) -> Iterator[RenderableType]:
    """What came of the query, its text and answer, defects of its labels, risks."""
    query, result = explanation.query, explanation.result
    colour = "green" if result.status == "ok" else "red" if result.served is False else "yellow"
    yield line((query.id, "bold"), "  ", (headline(result), f"bold {colour}"))
    yield line(("query   ", "dim"), query.text)
    if query.answers:
        yield line(("answer  ", "dim"), one_line(expected(query), ANSWER))
    if explanation.words:
        terms = (
            f"{term} {weight:.1f}" if weight < math.inf else f"{term} in no text" for term, weight in explanation.words.items()
        )
        yield line(("words   ", "dim"), one_line(", ".join(terms), ANSWER), (": as indexed, with idf", "dim"))
    if result.label_says:
        yield line(("label   ", "dim"), (result.label, "yellow"), f": {result.label_says}")
    yield from map(defect_line, explanation.defects)
    if result.exposures and result.served:
        yield line(("risks   ", "dim"), ", ".join(result.exposures), (": seen, and harmless here", "dim"))


def _evidence(n: int, of: int, group: GroupProof) -> list[RenderableType]:
    """A group: coverage, its text with ``‖`` where a chunk ends inside it, the chunks that hold it and their ranks."""
    where = f"{group.document}#{group.start}-{group.end}" + (f", page {group.page}" if group.page else "")
    copies = f", {counted(group.copies, 'exact cop', 'y')} elsewhere" if group.copies else ""
    colour = "green" if group.coverage >= 1 else "red" if group.coverage == 0 else "yellow"
    head = line((f"Evidence {n} of {of}", "bold"), f"  {where}{copies}  ", (f"{group.coverage:.0%} in the context", colour))
    text, last = Text(), 0
    for cut in (*group.cuts, len(group.text)):
        text.append(clean(group.text[last:cut]), style="green")
        text.append(" ‖ " if cut < len(group.text) else "", style="bold red")
        last = cut
    table = plain_table("  held by", ">rank", ">share")
    for name, rank, share in group.pieces:
        table.add_row(f"  {clean(name)}", str(rank) if rank else "not retrieved", f"{share:.0%}")
    held = table if group.pieces else line("  no chunk holds any of it")
    return [head, Padding(text, (0, 0, 0, 2), expand=False), held]


def _ranked(chunk: RankedChunk) -> Text:
    """The rank, id and score of a chunk, and how much evidence it holds."""
    held = f"  holds {chunk.grade:.0%} of an evidence passage" if chunk.grade else ""
    return line((f"{chunk.rank:>3} ", "bold"), chunk.id, (f"  score {chunk.score:.4g}", "dim"), (held, "green"))


def _round(chunk: RankedChunk) -> RenderableType:
    """The first of a chunk's evidence between ``[[`` and ``]]``, with the text round it, on a few lines."""
    if not chunk.marks:
        return Text()
    start, end = chunk.marks[0]
    before, evidence, after = (" ".join(clean(t).split()) for t in (chunk.text[:start], chunk.text[start:end], chunk.text[end:]))
    lead, rest = ("…" if len(t) > ROUND else "" for t in (before, after))
    text = Text.assemble(
        lead + before[-ROUND:] + " ", (f"[[{one_line(evidence, 2 * ROUND)}]]", "green"), " " + after[:ROUND] + rest
    )
    return Padding(text, (0, 0, 0, 4), expand=False)


def _marked(chunk: RankedChunk) -> RenderableType:
    """A chunk's text with its evidence between ``[[`` and ``]]``, shortened where it holds none."""
    text, last = Text(), 0
    if not chunk.marks:
        text = line((one_line(chunk.text, EXCERPT), "dim"))
    for start, end in chunk.marks:
        text.append(clean(chunk.text[last : max(start, last)]))
        text.append(f"[[{clean(chunk.text[max(start, last) : end])}]]" if end > last else "", style="bold green")
        last = max(last, end)
    text.append(clean(chunk.text[last:].rstrip()) if chunk.marks else "")
    return Padding(text, (0, 0, 0, 4), expand=False)
