"""One query's whole story, out of a finished audit: where its evidence is, where chunks cut it, what was ranked above it."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from ragdiag.errors import UsageError, did_you_mean
from ragdiag.pipeline import Audit
from ragdiag.places import chunk_id
from ragdiag.records import Explanation, GroupProof, RankedChunk, Run

__all__ = ["explain"]


def explain(audit: Audit, query_id: str) -> Explanation:
    """The story of one query. Raises `UsageError` for an id that the audit does not have."""
    ids = [query.id for query in audit.labels.queries]
    if query_id not in ids:
        raise UsageError(f"no query {query_id!r}{did_you_mean(query_id, ids).split(' (known')[0]}")
    q = ids.index(query_id)
    audit = _to_the_end(audit, q)
    defects = (*audit.report.label_defects, *audit.report.label_warnings)
    return Explanation(
        audit.labels.queries[q],
        audit.report.queries[q],
        tuple(_group(audit, q, g) for g in np.unique(audit.labels.evidence.group[audit.labels.evidence.query == q])),
        _ranking(audit, q),
        tuple(d for d in defects if d.query == query_id),
        audit.report,
    )


def _to_the_end(audit: Audit, q: int) -> Audit:
    """`audit` with the ranking of query `q` as deep as its index goes: every rank is known. A recorded run stays as it is."""
    text = audit.labels.queries[q].text
    if audit.searchable is None or not text.strip():
        return audit
    found, values = audit.searchable.search([text], len(audit.scorer.chunking))
    chunks = np.full((len(audit.run.chunks), found.shape[1]), -1, dtype=np.int64)
    scores = np.full(chunks.shape, -np.inf)
    chunks[:, : audit.run.chunks.shape[1]], scores[:, : audit.run.chunks.shape[1]] = audit.run.chunks, audit.run.scores
    chunks[q], scores[q] = found[0], values[0]
    return audit._replace(run=Run(chunks, scores, audit.run.failed))


def _group(audit: Audit, q: int, group: int) -> GroupProof:
    """The labelled alternative that the context covers best, with the chunks that hold pieces of it."""
    evidence, scorer = audit.labels.evidence, audit.scorer
    rows = np.flatnonzero(evidence.group == group)
    labelled = rows[~evidence.copy[rows]]
    ranks = _ranks(audit, q)
    context = {c for c, rank in ranks.items() if rank <= audit.lengths[q]}
    row = max(labelled.tolist(), key=lambda r: sum(share for c, share in scorer.pieces(r) if c in context))
    document = audit.corpus.documents[int(evidence.document[row])]
    start, end = int(evidence.start[row]), int(evidence.end[row])
    inside = (scorer.chunking.document == evidence.document[row]) & (scorer.chunking.end > start) & (scorer.chunking.end < end)
    coverage = scorer.spans(audit.run, audit.lengths).coverage[group]
    pieces = ((chunk_id(audit.corpus, scorer.chunking, c), ranks.get(c), share) for c, share in scorer.pieces(row))
    return GroupProof(
        document=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        cuts=tuple(sorted({int(e) - start for e in scorer.chunking.end[inside]})),
        coverage=float(coverage),
        pieces=tuple(pieces),
        copies=int(evidence.copy[rows].sum()),
        page=bisect_right(document.pages, start) or None,
    )


def _ranks(audit: Audit, q: int) -> dict[int, int]:
    return {int(c): rank for rank, c in enumerate(audit.run.chunks[q].tolist(), 1) if c >= 0}


def _ranking(audit: Audit, q: int) -> tuple[RankedChunk, ...]:
    """The chunks of the context, and every further one that holds evidence."""
    scorer, grades = audit.scorer, audit.scorer.grades
    held = dict(zip(grades.chunk[grades.query == q].tolist(), grades.grade[grades.query == q].tolist(), strict=True))
    ranking = []
    for c, rank in _ranks(audit, q).items():
        if rank <= audit.lengths[q] or c in held:
            ranking.append(
                RankedChunk(
                    rank=rank,
                    id=scorer.chunking.ids[c] if scorer.chunking.ids else chunk_id(audit.corpus, scorer.chunking, c),
                    score=float(audit.run.scores[q, rank - 1]),
                    in_context=rank <= int(audit.lengths[q]),
                    grade=held.get(c, 0.0),
                    text=scorer.text(c),
                    marks=_marks(audit, q, c),
                )
            )
    return tuple(ranking)


def _marks(audit: Audit, q: int, chunk: int) -> tuple[tuple[int, int], ...]:
    """Where evidence stands in a chunk, as positions in its text."""
    evidence, chunking = audit.labels.evidence, audit.scorer.chunking
    start, end = int(chunking.start[chunk]), int(chunking.end[chunk])
    rows = np.flatnonzero((evidence.query == q) & (evidence.document == chunking.document[chunk]))
    spans = {(max(int(evidence.start[r]), start) - start, min(int(evidence.end[r]), end) - start) for r in rows}
    return tuple(sorted(s for s in spans if s[1] > s[0]))
