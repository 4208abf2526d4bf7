"""Labels of a part of the corpus."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ragdiag.core.records import BoolArray, Corpus, Evidence, Labels

__all__ = ["restrict", "some_of"]


def restrict(corpus: Corpus, labels: Labels, only: Collection[str]) -> tuple[Corpus, Labels]:
    """The documents named in `only`, and the queries whose every evidence group (or relevant document) has a place in them.

    Where only copies of a group's passages are left, they stand for it. Queries left out are counted, not their defects.
    """
    documents = [i for i, d in enumerate(corpus.documents) if d.id in only]
    inside = np.isin(labels.evidence.document, documents)
    relevant = _relevant(labels.relevant, documents)
    queries = _answered(labels, inside, relevant)
    names = {labels.queries[q].id for q in queries}
    smaller = Labels(
        tuple(labels.queries[q] for q in queries),
        tuple(labels.level[q] for q in queries),
        _rows(labels.evidence, inside & np.isin(labels.evidence.query, queries), queries, documents),
        tuple(relevant[q] for q in queries),
        (),
        tuple(w for w in labels.warnings if w.query in names),
        len(labels.queries) - len(queries),
    )
    return replace(corpus, documents=tuple(corpus.documents[d] for d in documents)), smaller


def some_of(labels: Labels, queries: Sequence[int]) -> Labels:
    """The labels of the queries at some positions, in order, and of all documents; defects and warnings are left out."""
    wanted, evidence = list(queries), labels.evidence
    documents = list(range(int(evidence.document.max(initial=-1)) + 1))
    return Labels(
        tuple(labels.queries[q] for q in wanted),
        tuple(labels.level[q] for q in wanted),
        _rows(evidence, np.isin(evidence.query, wanted), wanted, documents),
        tuple(labels.relevant[q] for q in wanted),
        (),
        (),
        len(labels.queries) - len(wanted),
    )


def _relevant(relevant: Sequence[Mapping[int, int]], documents: list[int]) -> list[dict[int, int]]:
    """Each query's grades of those `documents` alone, by their new numbers."""
    new = {d: i for i, d in enumerate(documents)}
    return [{new[d]: grade for d, grade in grades.items() if d in new} for grades in relevant]


def _answered(labels: Labels, inside: BoolArray, relevant: Sequence[Mapping[int, int]]) -> list[int]:
    """The queries whose every group has a row among those `inside`, or that have a `relevant` document left."""
    evidence = labels.evidence
    lacking = set(evidence.query[~np.isin(evidence.group, evidence.group[inside])].tolist())
    stays = {"span": lambda q: q not in lacking, "document": lambda q: any(grade > 0 for grade in relevant[q].values())}
    return [q for q, level in enumerate(labels.level) if level in stays and stays[level](q)]


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
