"""For which questions two configurations hand over different contexts. No label is needed for that.

Contexts are the same where they hold the same characters of the same documents, white space aside, in whatever chunks: then each
holds all of a passage exactly if the other does, whatever that passage is.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress
from ragdiag.core.records import BoolArray, Corpus, IntArray, Query, Run
from ragdiag.scoring.packing import context_lengths
from ragdiag.scoring.texts import Texts
from ragdiag.search.retrieval import Plan
from ragdiag.search.retrieved import Retrieved
from ragdiag.text.spans import NonSpace, union

__all__ = ["Searched", "searched"]

Held = frozenset[tuple[int, tuple[int, ...], tuple[int, ...]]]
"""A context: of each document in it the stretches that it holds, as starts and ends counted without white space."""


class Searched(NamedTuple):
    """Questions searched with two configurations, which are of one size: whose contexts differ, and both signatures."""

    options: tuple[Options, Options]
    differ: BoolArray
    signatures: tuple[str, str]


def searched(
    two: tuple[Options, Options], corpus: Corpus, queries: Sequence[Query], progress: Progress, sized: bool = True
) -> Searched:
    """Search all questions with both. Where they are not `sized` both get what the first one's first `k` chunks take on average,
    as when they are compared.
    """
    first, second = two
    if not sized:
        budget = _tokens(first, corpus, queries, progress)
        first, second = (dataclasses.replace(options, budget=budget) for options in two)
    (one, signature), (other, of_other) = (_contexts(options, corpus, queries, progress) for options in (first, second))
    differ = np.array([a != b for a, b in zip(one, other, strict=True)], dtype=bool)
    return Searched((first, second), differ, (signature, of_other))


def _tokens(options: Options, corpus: Corpus, queries: Sequence[Query], progress: Progress) -> int:
    retrieved = Plan(options).retrieve(corpus, corpus, queries, progress)
    texts = Texts(retrieved.corpus, retrieved.chunking)
    lengths = _lengths(texts, retrieved.run, options)
    return max(round(float(texts.down_to(retrieved.run, lengths).mean())), 1)


def _lengths(texts: Texts, run: Run, options: Options) -> IntArray:
    """How many ranked chunks of each question are its context."""
    return context_lengths(run.chunks, texts.added(run), options.k, options.budget, run.scores if run.passages else None)


def _contexts(options: Options, corpus: Corpus, queries: Sequence[Query], progress: Progress) -> tuple[list[Held], str]:
    """What each question's context holds, and the configuration's signature."""
    plan = Plan(options)
    retrieved = plan.retrieve(corpus, corpus, queries, progress)
    lengths = _lengths(Texts(retrieved.corpus, retrieved.chunking), retrieved.run, options)
    return _held(retrieved, lengths, corpus), plan.signature(retrieved.source)


def _held(retrieved: Retrieved, lengths: IntArray, corpus: Corpus) -> list[Held]:
    """By question. What a store has of no document of `corpus` is no evidence of anything, so it is left out."""
    run, chunking = retrieved.run, retrieved.chunking
    query, rank = np.nonzero(np.arange(run.chunks.shape[1]) < lengths[:, None])
    chunk = run.chunks[query, rank]
    known = chunking.document[chunk] < len(corpus.documents)
    query, chunk = query[known], chunk[known]
    document = chunking.document[chunk]
    inside = NonSpace({d: corpus.documents[d].text for d in np.unique(document).tolist()})
    start, end = inside(document, chunking.start[chunk]), inside(document, chunking.end[chunk])
    rows: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, place in enumerate(zip(query.tolist(), document.tolist(), strict=True)):
        rows[place].append(row)
    held: list[set[tuple[int, tuple[int, ...], tuple[int, ...]]]] = [set() for _ in range(len(lengths))]
    for (q, d), of_document in rows.items():
        starts, ends = union(start[of_document], end[of_document])
        held[q].add((d, tuple(starts.tolist()), tuple(ends.tolist())))
    return [frozenset(each) for each in held]
