"""One query's whole story, out of a finished audit: where its evidence is, where chunks cut it, what was ranked above it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ragdiag.core.ranking import followed
from ragdiag.core.records import Defect, Explanation, FloatArray, GroupProof, IntArray, RankedChunk
from ragdiag.pipeline import Audit
from ragdiag.search.nested import weights_of
from ragdiag.sources.naming import query_named
from ragdiag.sources.places import chunk_id

__all__ = ["explain", "explanations"]


def explain(audit: Audit, query_id: str) -> Explanation:
    """The story of one query, see `query_named`. Raises `UsageError` for an id that the audit does not have."""
    query_id = query_named(query_id, audit.labels)
    q = [query.id for query in audit.labels.queries].index(query_id)
    coverage = audit.scorer.spans(audit.run, audit.lengths).coverage
    return _explanation(audit, q, _whole_ranking(audit, q), coverage, _defects(audit)[query_id])


def explanations(audit: Audit) -> Iterator[Explanation]:
    """The story of every query, in order. Ranks go no deeper than the audit's own ranking: nothing is searched again."""
    coverage, defects = audit.scorer.spans(audit.run, audit.lengths).coverage, _defects(audit)
    for q, query in enumerate(audit.labels.queries):
        ranking = _ranking(audit.run.chunks[q], audit.run.scores[q])
        yield _explanation(audit, q, ranking, coverage, defects[query.id])


Ranking = dict[int, tuple[int, float]]
"""Chunks in the order of one query's ranking: the rank and the score of each."""


def _explanation(audit: Audit, q: int, ranking: Ranking, coverage: FloatArray, defects: list[Defect]) -> Explanation:
    evidence = audit.labels.evidence
    rows = slice(*np.searchsorted(evidence.query, [q, q + 1]))  # they are sorted by query
    return Explanation(
        audit.labels.queries[q],
        audit.report.queries[q],
        tuple(_group(audit, q, g, ranking, float(coverage[g])) for g in np.unique(evidence.group[rows])),
        _shown(audit, q, ranking),
        tuple(defects),
        audit.report,
        {} if audit.searchable is None else weights_of(audit.searchable, audit.labels.queries[q].text),
    )


def _defects(audit: Audit) -> dict[str, list[Defect]]:
    """What is wrong with each query's labels."""
    by_query: dict[str, list[Defect]] = defaultdict(list)
    for defect in (*audit.report.label_defects, *audit.report.label_warnings):
        by_query[defect.query].append(defect)
    return by_query


def _whole_ranking(audit: Audit, q: int) -> Ranking:
    """The ranking of the audit, and below it what the index gives when asked for everything; a recorded run is as it is."""
    text, audited, n = audit.labels.queries[q].text, (audit.run.chunks[q], audit.run.scores[q]), len(audit.scorer.chunking)
    if audit.searchable is None or not text.strip():
        return _ranking(*audited)
    chunks, scores = audit.searchable.search([text], n)
    return _ranking(*followed(audited, (chunks[0], scores[0]), n))


def _ranking(chunks: IntArray, scores: FloatArray) -> Ranking:
    pairs = zip(chunks.tolist(), scores.tolist(), strict=True)
    return {c: (rank, score) for rank, (c, score) in enumerate(pairs, 1) if c >= 0}


def _group(audit: Audit, q: int, group: int, ranking: Ranking, coverage: float) -> GroupProof:
    """The labelled alternative that the context covers best, with the chunks that hold pieces of it."""
    evidence, scorer = audit.labels.evidence, audit.scorer
    rows = np.flatnonzero(evidence.group == group)
    labelled = rows[~evidence.copy[rows]]
    context = {c for c, (rank, _) in ranking.items() if rank <= audit.lengths[q]}
    row = max(labelled.tolist(), key=lambda r: sum(share for c, share in scorer.pieces(r) if c in context))
    document = audit.corpus.documents[int(evidence.document[row])]
    start, end = int(evidence.start[row]), int(evidence.end[row])
    inside = (scorer.chunking.document == evidence.document[row]) & (scorer.chunking.end > start) & (scorer.chunking.end < end)
    unranked = (None, 0.0)
    pieces = ((chunk_id(audit.corpus, scorer.chunking, c), ranking.get(c, unranked)[0], s) for c, s in scorer.pieces(row))
    return GroupProof(
        document=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        cuts=tuple(sorted({int(e) - start for e in scorer.chunking.end[inside]})),
        coverage=coverage,
        pieces=tuple(pieces),
        copies=int(evidence.copy[rows].sum()),
        page=bisect_right(document.pages, start) or None,
    )


def _shown(audit: Audit, q: int, ranking: Ranking) -> tuple[RankedChunk, ...]:
    """The chunks of the context, and every further one that holds evidence."""
    scorer, grades = audit.scorer, audit.scorer.grades
    held = dict(zip(grades.chunk[grades.query == q].tolist(), grades.grade[grades.query == q].tolist(), strict=True))
    return tuple(
        RankedChunk(
            rank=rank,
            id=scorer.chunking.ids[c] if scorer.chunking.ids else chunk_id(audit.corpus, scorer.chunking, c),
            score=score,
            in_context=rank <= int(audit.lengths[q]),
            grade=held.get(c, 0.0),
            text=scorer.text(c),
            marks=_marks(audit, q, c),
        )
        for c, (rank, score) in ranking.items()
        if rank <= audit.lengths[q] or c in held
    )


def _marks(audit: Audit, q: int, chunk: int) -> tuple[tuple[int, int], ...]:
    """Where evidence stands in a chunk, as positions in its text."""
    evidence, chunking = audit.labels.evidence, audit.scorer.chunking
    start, end = int(chunking.start[chunk]), int(chunking.end[chunk])
    rows = np.flatnonzero((evidence.query == q) & (evidence.document == chunking.document[chunk]))
    spans = {(max(int(evidence.start[r]), start) - start, min(int(evidence.end[r]), end) - start) for r in rows}
    return tuple(sorted(s for s in spans if s[1] > s[0]))
