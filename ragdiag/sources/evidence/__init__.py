"""Check labels against the corpus: find each labelled passage, its exact copies elsewhere, and every label that is wrong.

A wrong label is a *defect*: reported with file and line, its query excluded and counted, nothing silently repaired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from ragdiag.core.records import Corpus, Evidence, Labels, Query, Span
from ragdiag.sources.evidence._checks import SIMILARITY, Checker, note
from ragdiag.sources.evidence._restrict import restrict, some_of
from ragdiag.sources.evidence._search import COPY_WORDS, find_all, is_a_passage
from ragdiag.text.normal import folded
from ragdiag.text.placed import Placed

__all__ = ["COPY_WORDS", "SIMILARITY", "find_all", "is_a_passage", "locate", "restrict", "some_of"]

Row = tuple[int, str, Span, bool]
"""An alternative: its query, its group's name there, where it is, whether it is a copy."""


def locate(queries: Sequence[Query], corpus: Corpus, copies: Literal["count", "ignore"] = "count") -> Labels:
    """Check every label of `queries` against `corpus`.

    With ``copies="count"`` every exact copy of a labelled passage of at least `COPY_WORDS` words becomes an alternative to it.
    """
    checker = Checker(corpus)
    levels, grades = [], []
    rows: list[Row] = []
    for i, query in enumerate(queries):
        level, places, relevant = checker.check(query)
        levels.append(level)
        grades.append(relevant)
        rows += [(i, group, place, False) for group, place in places]
    for i in _contradicting(queries):
        if levels[i] != "excluded":
            message = "the same question is answerable in one label, not in another"
            checker.defects.append(note(queries[i], "contradictory", message))
            levels[i] = "excluded"
    rows = [r for r in rows if levels[r[0]] == "span"]
    if copies == "count":
        rows += _copies(rows, corpus)
    return Labels(tuple(queries), tuple(levels), _columns(rows), tuple(grades), tuple(checker.defects), tuple(checker.warnings))


def _contradicting(queries: Sequence[Query]) -> Iterable[int]:
    by_text = defaultdict(list)
    for i, query in enumerate(queries):
        by_text[folded(query.text)].append(i)
    for text, same in by_text.items():
        if text and len({queries[i].unanswerable for i in same}) > 1:
            yield from same


def _copies(rows: list[Row], corpus: Corpus) -> list[Row]:
    """Every exact copy of a located passage elsewhere in the corpus, as further alternatives of its group."""
    groups: dict[str, set[tuple[int, str]]] = defaultdict(set)
    labelled: dict[tuple[int, str], list[Span]] = defaultdict(list)
    for query, group, place, _ in rows:
        labelled[query, group].append(place)
        passage = corpus.documents[place.document].text[place.start : place.end].strip()
        if is_a_passage(passage):
            groups[passage].add((query, group))
    passages = list(groups)
    placed = {key: Placed(spans) for key, spans in labelled.items()}
    return [
        (*key, place, True)
        for which, place in (find_all(corpus.documents, passages) if passages else ())
        for key in sorted(groups[passages[which]])
        if not placed[key].over(place)  # the passage itself is found as well
    ]


def _columns(rows: list[Row]) -> Evidence:
    """`rows` as columns, groups numbered in the order of their first label."""
    numbers: dict[tuple[int, str], int] = {}
    for query, group, _, _ in rows:
        numbers.setdefault((query, group), len(numbers))
    table = np.array(
        sorted((q, numbers[q, g], p.document, p.start, p.end, c) for q, g, p, c in rows) or np.empty((0, 6)), dtype=np.int64
    )
    query, group, document, start, end, copy = table.T
    return Evidence(query, group, document, start, end, copy.astype(bool))
