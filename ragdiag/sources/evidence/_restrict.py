"""Labels of a part of the corpus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ragdiag.core.records import BoolArray, Corpus, Evidence, Labels

__all__ = ["restrict"]


def restrict(corpus: Corpus, labels: Labels, only: Collection[str]) -> tuple[Corpus, Labels]:
    """The documents named in `only`, and the queries whose every evidence group (or relevant document) has a place in them.

    Where only copies of a group's passages are left, they stand for it. Queries left out are counted, not their defects.
    """
    kept = [i for i, d in enumerate(corpus.documents) if d.id in only]
    new_document = {d: i for i, d in enumerate(kept)}
    evidence = labels.evidence
    inside = np.isin(evidence.document, kept)
    needed, here = defaultdict(set), defaultdict(set)
    for q, g, is_inside in zip(evidence.query.tolist(), evidence.group.tolist(), inside.tolist(), strict=True):
        needed[q].add(g)
        if is_inside:
            here[q].add(g)
    relevant = [{new_document[d]: g for d, g in each.items() if d in new_document} for each in labels.relevant]
    stays = {"span": lambda q: needed[q] == here[q], "document": lambda q: any(g > 0 for g in relevant[q].values())}
    queries = [q for q, level in enumerate(labels.level) if level in stays and stays[level](q)]
    names = {labels.queries[q].id for q in queries}
    smaller = Labels(
        tuple(labels.queries[q] for q in queries),
        tuple(labels.level[q] for q in queries),
        _rows(evidence, inside & np.isin(evidence.query, queries), queries, kept),
        tuple(relevant[q] for q in queries),
        (),
        tuple(w for w in labels.warnings if w.query in names),
        len(labels.queries) - len(queries),
    )
    return replace(corpus, documents=tuple(corpus.documents[d] for d in kept)), smaller


def _rows(evidence: Evidence, rows: BoolArray, queries: list[int], documents: list[int]) -> Evidence:
    """Some rows of `evidence`, renumbered: `queries` and `documents` are those that stay, in order."""
    groups, group = np.unique(evidence.group[rows], return_inverse=True)
    labelled = np.isin(groups, evidence.group[rows & ~evidence.copy])
    return Evidence(
        np.searchsorted(queries, evidence.query[rows]).astype(np.int64),
        group.astype(np.int64),
        np.searchsorted(documents, evidence.document[rows]).astype(np.int64),
        evidence.start[rows],
        evidence.end[rows],
        evidence.copy[rows] & labelled[group],
    )
