"""Every query of an audit as the page holds it: what `explain` tells, no text twice, and no larger than a browser likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ragdiag.answering.verdict import Litmus
from ragdiag.core.proofs import Row
from ragdiag.core.records import Explanation, GroupProof, QueryResult, RankedChunk, Report
from ragdiag.reports.explain import BELOW, parted
from ragdiag.reports.fixes import got
from ragdiag.reports.html.text import CUT, Span, marked_spans, packed, shortened
from ragdiag.reports.json import JsonObject
from ragdiag.reports.proof import Cause, proof
from ragdiag.reports.words import expected, headline

__all__ = ["queries_data"]

HOLDING, OTHER, EVIDENCE, ASKED = 3_200_000, 2_000_000, 2_000_000, 1_500_000
"""Bytes of a page for the texts of chunks that hold evidence, of other chunks, of evidence, and of queries and their answers."""

LONGEST, LONGEST_OTHER = 6_000, 1_500
"""Characters of a text that are shown at most, and of a chunk that holds no evidence."""


def queries_data(
    explanations: Iterable[Explanation], report: Report, first: Sequence[QueryResult], litmus: Litmus | None
) -> JsonObject:
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
        "chunks": [[name, text] for name, text in texts.shown],
        "queries": queries,
        "cut": cut,
    }


class _Texts:
    """The texts of a page's chunks: each is there once, cut where it is long. `shown` has names and texts once they are cut."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}
        self._evidence: list[int | None] = []  # where evidence starts in each chunk, the first of all queries'; None: nowhere
        self.shown: list[tuple[str, str]] = []

    def place(self, chunk: RankedChunk) -> int:
        """The number of a chunk, which two of the same id share only where they share the text."""
        place = self._places.setdefault((chunk.id, chunk.text), len(self._places))
        if place == len(self._evidence):
            self._evidence.append(None)
        known = self._evidence[place]
        self._evidence[place] = min([*(start for start, _ in chunk.marks), *([] if known is None else [known])], default=None)
        return place

    def cut(self, queries: list[JsonObject]) -> dict[str, int]:
        """Cut every text that is too long, and move marks and cuts along: `shown`, and `queries` in place.

        How many "chunks" were cut "of" how many, and how many "others".
        """
        windows = self._windows()
        texts = [text for _, text in self._places]
        for q in queries:
            for row in q["ranking"]:
                row[-1] = _shifted(row[-1], texts[row[0]], *windows[row[0]])
        self.shown = [(name, _inside(text, *window)) for (name, text), window in zip(self._places, windows, strict=True)]
        shorter = sum(end - start < len(text) for text, (start, end) in zip(texts, windows, strict=True))
        return {"chunks": shorter, "of": len(texts), "others": _cut_evidence(queries) + _cut_words(queries)}

    def _windows(self) -> list[tuple[int, int]]:
        """The part of each chunk that is shown; chunks that hold evidence share one budget, the others another."""
        chunks = [(text, start) for (_, text), start in zip(self._places, self._evidence, strict=True)]
        holding = _cap([text for text, start in chunks if start is not None], HOLDING, LONGEST)
        other = _cap([text for text, start in chunks if start is None], OTHER, LONGEST_OTHER)
        return [_window(len(text), start, other if start is None else holding) for text, start in chunks]


def _cut_evidence(queries: Sequence[JsonObject]) -> int:
    """Cut passages of evidence, in place; how many were too long."""
    groups = [group for q in queries for group in q["evidence"]]
    most = _cap([group["text"] for group in groups], EVIDENCE, LONGEST)
    return sum(_shorten_group(group, most) for group in groups)


def _cut_words(queries: Sequence[JsonObject]) -> int:
    """Cut queries and their answers, in place; how many were too long."""
    fields = [(q, name) for q in queries for name in ("text", "answer")]
    most = _cap([q[name] for q, name in fields], ASKED, LONGEST)
    long = sum(len(q[name]) > most for q, name in fields)
    for q, name in fields:
        q[name] = shortened(q[name], most)
    return long


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


def _window(length: int, evidence: int | None, cap: int) -> tuple[int, int]:
    """The part of a text that is shown: from its start, or from a little before the evidence that it holds."""
    if length <= cap:
        return 0, length
    start = max(min((evidence or 0) - cap // 4, length - cap), 0)
    return start, start + cap


def _inside(text: str, start: int, end: int) -> str:
    """That part of a text, with marks where it goes on."""
    return (CUT if start else "") + text[start:end] + (CUT if end < len(text) else "")


def _shorten_group(group: JsonObject, most: int) -> bool:
    """Cut one passage of evidence, in place; whether it was too long."""
    text = group["text"]
    group["text"] = shortened(text, most)
    group["cuts"] = [_units(text, cut) for cut in group["cuts"] if cut < len(group["text"])]
    return len(text) > most


def _shifted(marks: Sequence[tuple[int, int]], text: str, start: int, end: int) -> list[int]:
    """Where evidence stands in what is shown of a text, start and end by turns, as a browser counts."""
    inside, before = [(max(a, start), min(b, end)) for a, b in marks], len(CUT) if start else 0
    return [before + _units(text[start:end], at - start) for a, b in inside if a < b for at in (a, b)]


def _units(text: str, at: int) -> int:
    """A position in `text` in UTF-16 code units, as a browser counts."""
    return at if text.isascii() else len(text[:at].encode("utf-16-le", "surrogatepass")) // 2


def _query(explanation: Explanation, texts: _Texts) -> JsonObject:
    """One query, its texts and positions still whole."""
    query, result = explanation.query, explanation.result
    causes, tried, notes = proof(explanation)
    context, below = parted(explanation.ranking)
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
        "why": [_cause(cause) for cause in causes],
        "tried": tried,
        "notes": [_line(note) for note in notes],
        "evidence": [_group(group) for group in explanation.groups],
        "ranking": [_ranked(chunk, texts) for chunk in (*context, *below[:BELOW])],
        "below": len(below) - len(below[:BELOW]),
    }


def _cause(cause: Cause) -> JsonObject:
    return {
        "head": _line(cause.head),
        "rows": [[row.label, _line(row)] for row in cause.rows],
        "ranks": [cause.finding.before.rank, cause.finding.after.rank],
    }


def _line(row: Row) -> list[str | Span]:
    """A row's text, every stretch of a readable length: a single word can be as long as a document."""
    return packed([Span(shortened(span.text, LONGEST_OTHER), span.kind) for span in marked_spans(row)])


def _group(group: GroupProof) -> JsonObject:
    return {
        "at": f"{group.document}#{group.start}-{group.end}",
        "page": group.page,
        "copies": group.copies,
        "text": group.text,
        "cuts": list(group.cuts),
        "held": round(group.coverage, 4),
        "pieces": [[name, rank, round(share, 4)] for name, rank, share in group.pieces],
    }


def _ranked(chunk: RankedChunk, texts: _Texts) -> list[object]:
    """Number of the chunk, rank, score, share of an evidence passage that it holds, whether it is in the context, its marks."""
    row = [texts.place(chunk), chunk.rank, f"{chunk.score:.4g}", round(chunk.grade, 4), int(chunk.in_context)]
    return [*row, list(chunk.marks)]
