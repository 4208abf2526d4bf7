"""Every query of an audit as the page holds it: what `explain` tells, no text twice, and no larger than a browser likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ragdiag.answering.verdict import Litmus
from ragdiag.core.proofs import Row
from ragdiag.core.records import Explanation, GroupProof, QueryResult, RankedChunk, Report
from ragdiag.reports.explain import BELOW
from ragdiag.reports.fixes import got
from ragdiag.reports.html.text import Span, marked_spans, packed
from ragdiag.reports.proof import proof
from ragdiag.reports.words import expected, headline

__all__ = ["queries_data"]

HOLDING, OTHER, EVIDENCE, ASKED = 3_200_000, 2_000_000, 2_000_000, 1_500_000
"""Bytes of a page for the texts of chunks that hold evidence, of other chunks, of evidence, and of queries and their answers."""

CUT = "…"
"""Stands where a text goes on."""

LONGEST, LONGEST_OTHER = 6_000, 1_500
"""Characters of a text that are shown at most, and of a chunk that holds no evidence."""


def queries_data(explanations: Iterable[Explanation], report: Report, first: Sequence[QueryResult], litmus: Litmus | None) -> Any:
    """All queries in the types of JSON. `first` are those to look at first, in order; `litmus` says what became of answers."""
    texts = _Texts()
    queries = [_query(explanation, texts) for explanation in explanations]
    if litmus is not None:
        for q, right, oracle in zip(queries, litmus.outcomes.right.tolist(), litmus.outcomes.oracle.tolist(), strict=True):
            q["answers"] = [None if np.isnan(share) else share for share in (right, oracle)]
    cut = texts.cut(queries)
    place = {q.id: i for i, q in enumerate(first)}
    return {
        "depth": report.pipeline.depth,
        "k": report.pipeline.k,
        "measures": list(report.measures),
        "first": sorted(range(len(queries)), key=lambda i: (place.get(queries[i]["id"], len(first)), i)),
        "chunks": [[name, text] for name, text in texts.kept],
        "queries": queries,
        "cut": cut,
    }


class _Texts:
    """The texts of a page: each chunk's once, and how much of each is kept."""

    def __init__(self) -> None:
        self._place: dict[tuple[str, str], int] = {}
        self._held: list[int | None] = []  # where evidence starts in each chunk, the first of all queries'
        self.kept: list[tuple[str, str]] = []

    def place(self, chunk: RankedChunk) -> int:
        """The number of a chunk, which two of the same id share only where they share the text."""
        at = self._place.setdefault((chunk.id, chunk.text), len(self._place))
        if at == len(self._held):
            self._held.append(None)
        starts = [start for start, _ in chunk.marks] + ([] if self._held[at] is None else [self._held[at] or 0])
        self._held[at] = min(starts, default=None)
        return at

    def cut(self, queries: list[dict[str, Any]]) -> dict[str, int]:
        """Cut what is too long, and move marks and cuts along; how many characters are kept of what, and how many were cut."""
        holding = [i for i, start in enumerate(self._held) if start is not None]
        others = [i for i, start in enumerate(self._held) if start is None]
        named = list(self._place)
        caps = dict.fromkeys(holding, _cap([named[i][1] for i in holding], HOLDING, LONGEST))
        caps |= dict.fromkeys(others, _cap([named[i][1] for i in others], OTHER, LONGEST_OTHER))
        windows = [_window(len(text), self._held[i], caps[i]) for i, (_, text) in enumerate(named)]
        for q in queries:
            for row in q["ranking"]:
                row[-1] = _shifted(row[-1], named[row[0]][1], *windows[row[0]])
        ends = [(CUT if a else "", CUT if b < len(text) else "") for (_, text), (a, b) in zip(named, windows, strict=True)]
        self.kept = [(named[i][0], before + named[i][1][slice(*windows[i])] + after) for i, (before, after) in enumerate(ends)]
        groups = [group for q in queries for group in q["evidence"]]
        most = _cap([group["text"] for group in groups], EVIDENCE, LONGEST)
        long = sum(_shorten_group(group, most) for group in groups)
        asked = _cap([q[name] for q in queries for name in ("text", "answer")], ASKED, LONGEST)
        for q in queries:
            for name in ("text", "answer"):
                long += len(q[name]) > asked
                q[name] = _shortened(q[name], asked)
        shorter = sum(b - a < len(text) for (_, text), (a, b) in zip(named, windows, strict=True))
        return {"chunks": shorter, "of": len(named), "others": long}


def _cap(texts: Sequence[str], budget: int, most: int) -> int:
    """The characters to which texts must be cut so that all are at most `budget` bytes; at most `most`."""
    characters = sum(map(len, texts))
    size = sum(len(t) if t.isascii() else len(t.encode("utf-8", "replace")) for t in texts)
    left = int(budget * characters / max(size, 1))
    for i, n in enumerate(sorted(map(len, texts))):
        share = left // (len(texts) - i)
        if n > share:
            return min(share, most)
        left -= n
    return most


def _window(length: int, held: int | None, cap: int) -> tuple[int, int]:
    """The part of a text that is kept: from its start, or from a little before the evidence that it holds."""
    if length <= cap:
        return 0, length
    start = max(min((held or 0) - cap // 4, length - cap), 0)
    return start, start + cap


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + CUT


def _shorten_group(group: dict[str, Any], most: int) -> bool:
    text = group["text"]
    group["text"] = _shortened(text, most)
    group["cuts"] = [_units(text, cut) for cut in group["cuts"] if cut < len(group["text"])]
    return len(text) > most


def _shifted(marks: Sequence[tuple[int, int]], text: str, start: int, end: int) -> list[int]:
    """Where evidence stands in what is kept of a text, start and end by turns, as a browser counts."""
    inside, before = [(max(a, start), min(b, end)) for a, b in marks], len(CUT) if start else 0
    return [before + _units(text[start:end], at - start) for a, b in inside if a < b for at in (a, b)]


def _units(text: str, at: int) -> int:
    """A position in `text` in UTF-16 code units, as a browser counts."""
    return at if text.isascii() else len(text[:at].encode("utf-16-le", "surrogatepass")) // 2


def _query(explanation: Explanation, texts: _Texts) -> dict[str, Any]:
    """One query, its texts and positions still whole."""
    query, result = explanation.query, explanation.result
    causes, tried, notes = proof(explanation)
    below = [c for c in explanation.ranking if not c.in_context]
    shown = [*(c for c in explanation.ranking if c.in_context), *below[:BELOW]]
    return {
        "id": result.id,
        "text": query.text,
        "answer": expected(query),
        "status": result.status,
        "served": result.served,
        "said": headline(result),
        "causes": list(result.causes),
        "risks": list(result.exposures) if result.served else [],
        "k": result.least_k,
        "got": None if result.served is None else round(got(result), 3),
        "documents": list(result.documents),
        "measures": [None if value is None else round(value, 3) for value in result.measures.values()],
        "defects": [f"{d.file}:{d.line}: {d.kind}: {d.message}" for d in explanation.defects],
        "why": [
            {
                "head": _line(cause.head),
                "rows": [[row.label, _line(row)] for row in cause.rows],
                "ranks": [cause.finding.before.rank, cause.finding.after.rank],
            }
            for cause in causes
        ],
        "tried": tried,
        "notes": [_line(note) for note in notes],
        "evidence": [_group(group) for group in explanation.groups],
        "ranking": [_ranked(chunk, texts) for chunk in shown],
        "below": len(below) - len(below[:BELOW]),
    }


def _line(row: Row) -> list[str | Span]:
    """A row's text, every stretch of a readable length: a single word can be as long as a document."""
    return packed([Span(_shortened(span.text, LONGEST_OTHER), span.kind) for span in marked_spans(row)])


def _group(group: GroupProof) -> dict[str, Any]:
    return {
        "at": f"{group.document}#{group.start}-{group.end}",
        "page": group.page,
        "copies": group.copies,
        "text": group.text,
        "cuts": list(group.cuts),
        "held": round(group.coverage, 4),
        "pieces": [[name, rank, round(share, 4)] for name, rank, share in group.pieces],
    }


def _ranked(chunk: RankedChunk, texts: _Texts) -> list[Any]:
    """Number of the chunk, rank, score, share of an evidence passage that it holds, whether it is in the context, its marks."""
    row = [texts.place(chunk), chunk.rank, f"{chunk.score:.4g}", round(chunk.grade, 4), int(chunk.in_context)]
    return [*row, list(chunk.marks)]
