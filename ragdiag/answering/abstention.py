"""Declining to answer: how often it is right to, and done; and whether anything that retrieval says tells when it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragdiag.answering.judging import nowhere, shares_by_query
from ragdiag.answering.verdict import Judgement
from ragdiag.core.cache import opened
from ragdiag.core.options import Options
from ragdiag.core.protocols import ChunkTexts, Composed, Index, Progress, Step, Weighted
from ragdiag.core.records import BoolArray, FloatArray, IntArray, Mean, Query, Run
from ragdiag.core.registry import make, spec_of
from ragdiag.core.texts import OwnTexts
from ragdiag.pipeline import Audit, labelled_documents
from ragdiag.scoring.abstaining import Telling, overlap, score_signals, telling
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.beside import by_meaning
from ragdiag.search.nested import WORDS
from ragdiag.stats.statistics import Resampler, clusters

__all__ = ["DEEDS", "GROUPS", "abstained", "audited_apart", "measured", "of_answerable", "told_apart", "without_answer"]

GROUPS = ("unanswerable", "insufficient", "sufficient", "unknown")
"""Queries by where their answer is: nowhere in the corpus; there, and not in the context; in the context; there, and nothing says
whether in the context."""

DEEDS = ("declined", "right", "wrong")
"""What an answer does: it declines, or it answers, rightly or wrongly."""


def without_answer(queries: Sequence[Query]) -> BoolArray:
    """The queries that are labelled as having no answer in the corpus; shape ``(n_queries,)``."""
    return np.array([nowhere(query) for query in queries], dtype=bool)


def of_answerable(judgements: Sequence[Judgement], unanswerable: BoolArray) -> list[Judgement]:
    """The judgements that a verdict may rest on: no context would mend the others."""
    return [judgement for judgement in judgements if not unanswerable[judgement.query]]


def measured(n: int, audit: Audit | None) -> BoolArray:
    """The queries whose label has no defect, as far as an audit has looked; shape ``(n,)``."""
    return np.ones(n, dtype=bool) if audit is None else np.array(audit.labels.level) != "excluded"


def abstained(
    judgements: Sequence[Judgement],
    sufficient: FloatArray,
    unanswerable: BoolArray,
    counting: BoolArray,
    resampler: Resampler,
) -> dict[str, dict[str, Mean]]:
    """By group of queries and deed, the share of answers, as far as both are known; groups without an answer are left out.

    `judgements` are of answers under one condition, `sufficient` is whether contexts held all evidence: 1, 0, or NaN. Only the
    queries that are `counting` do.
    """
    n = len(sufficient)
    masks = (unanswerable, *(~unanswerable & held for held in (sufficient == 0, sufficient == 1, np.isnan(sufficient))))
    groups = {group: mask & counting for group, mask in zip(GROUPS, masks, strict=True)}
    shares = [shares_by_query(n, ((j.query, _did(j)[i]) for j in judgements)) for i in range(len(DEEDS))]
    found = {}
    for group, of_group in groups.items():
        means = {deed: resampler.mean(np.where(of_group, s, np.nan)) for deed, s in zip(DEEDS, shares, strict=True)}
        if means["declined"].n:
            found[group] = means
    return found


def _did(judgement: Judgement) -> tuple[bool | None, bool | None, bool | None]:
    """Of each of `DEEDS`, whether an answer does it; None where that is not known."""
    if judgement.declined is not False:
        return judgement.declined, judgement.declined and False, judgement.declined and False
    right = judgement.content
    return False, right, None if right is None else not right


def audited_apart(audit: Audit | None, asked: Options, progress: Progress) -> Telling | None:
    """`told_apart` of an audited retrieval; None without one."""
    if audit is None:
        return None
    return told_apart(audit.scorer, audit.run, audit.lengths, audit.searchable, asked, progress)


def told_apart(
    scorer: Scorer, run: Run, lengths: IntArray, index: Index | None, asked: Options, progress: Progress
) -> Telling | None:
    """Whether signals of retrieval tell answerable queries from unanswerable ones; None where there are none of a kind.

    `index` made the `run` (None where it was recorded), of which `lengths` chunks reach the prompt. No answers are needed.
    """
    labels = scorer.labels
    levels = np.array(labels.level)
    answerable, unanswerable = np.isin(levels, ("span", "document")), levels == "unanswerable"
    if not answerable.any() or not unanswerable.any():
        return None
    k = max(int(np.median(lengths)), 1) if asked.budget else asked.k
    signals, other = score_signals(run, k), ""
    beside = None if run.passages else _agreement(scorer, run, index, k, asked, progress)
    if beside is not None:
        other, signals["agreement"] = beside
    return telling(signals, answerable, unanswerable, clusters(labelled_documents(labels)), asked.seed, other)


def _agreement(
    scorer: Scorer, run: Run, index: Index | None, k: int, asked: Options, progress: Progress
) -> tuple[str, FloatArray] | None:
    """With what, and how far, the first `k` chunks agree; None where there is nothing to ask beside the pipeline.

    The parts of a fusion agree with each other, whatever filters or re-orders what they find. Else the pipeline does with a
    search by words; one that is by words, with a search by meaning, where that costs little.
    """
    texts = [query.text for query in scorer.labels.queries]
    index, chunking, corpus = _below(index), scorer.chunking, scorer.corpus
    if isinstance(index, Composed):
        one, other = (_ranked(part, texts, k) for part in index.indexes[:2])
        return "each other", overlap(one, other, k)
    if not chunking.complete:
        return None
    chunks = ChunkTexts(OwnTexts(corpus, chunking), corpus, chunking)
    store = opened(asked.cache)
    retriever = by_meaning(chunks, store) if isinstance(index, Weighted) else make("retrievers", WORDS)
    if retriever is None:
        return None
    return spec_of(retriever), overlap(run.chunks, _ranked(retriever.index(chunks, store, progress), texts, k), k)


def _ranked(index: Index, texts: Sequence[str], k: int) -> IntArray:
    """The first `k` chunks for each text, -1 for a blank one; shape ``(n_texts, k)``."""
    ranked = np.full((len(texts), k), -1, dtype=np.int64)
    with_text = [i for i, text in enumerate(texts) if text.strip()]
    ranked[with_text] = index.search([texts[i] for i in with_text], k)[0]
    return ranked


def _below(index: Index | None) -> Index | None:
    """The index that steps filter or re-order the results of."""
    while isinstance(index, Step):
        index = index.indexes[0]
    return index
