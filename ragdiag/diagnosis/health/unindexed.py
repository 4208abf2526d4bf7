"""Documents, and parts of documents, that are in no record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ragdiag.core.health import HealthFinding
from ragdiag.core.records import Document
from ragdiag.diagnosis.health._coverage import Gap
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.text.phrases import counted, one_line

__all__ = ["look"]

SHOWN = 3
"""Gaps that are told, the largest first."""


def look(opened: Opened) -> HealthFinding | None:
    """Lays the records over the documents. One that changed since is told of as such, and one without a word needs no record."""
    covered, stored, documents = opened.covered, set(opened.chunking.document.tolist()), opened.corpus.documents
    gaps = {d: found for d, found in covered.gaps.items() if d not in covered.changed}
    if not gaps:
        return None
    own = _with_words(opened)
    share = _characters(gaps) / sum(len("".join(d.text.split())) for d in own)
    whole = [d for d in gaps if d not in stored]
    partly = {d: found for d, found in gaps.items() if d in stored}
    ids = tuple(documents[d].id for d in (*whole, *partly))
    queries = opened.queries_of(ids)
    evidence = [f"{_counts(len(whole), len(partly))}: {share:.1%} of all characters, blanks aside", *_largest(opened, partly)]
    if queries:
        evidence.append(f"the evidence of {counted(len(queries), 'labelled quer', 'y')} stands in these documents")
    return HealthFinding(
        "unindexed",
        len(gaps),
        len(own),
        "documents have text that is in no record: no search finds it",
        "index them; if they are left out on purpose, leave them out of the corpus too: --exclude",
        tuple(evidence),
        documents=ids,
        queries=queries,
        detail={"share": share, "whole": ids[: len(whole)], "gaps": _by_document(opened, gaps)},
    )


def _characters(gaps: Mapping[int, Sequence[Gap]]) -> int:
    return sum(gap.characters for found in gaps.values() for gap in found)


def _with_words(opened: Opened) -> list[Document]:
    """The documents that have a letter or a digit."""
    return [d for d in opened.corpus.documents if not d.foreign and any(map(str.isalnum, d.text))]


def _by_document(opened: Opened, gaps: Mapping[int, Sequence[Gap]]) -> dict[str, list[dict[str, int]]]:
    """Gaps by the id of their document."""
    return {opened.corpus.documents[d].id: [gap._asdict() for gap in found] for d, found in gaps.items()}


def _counts(whole: int, partly: int) -> str:
    """How many documents are in no record, and how many in part."""
    return ", ".join([f"{counted(whole, 'document')} in no record"] * bool(whole) + [f"{partly} in part"] * bool(partly))


def _largest(opened: Opened, gaps: Mapping[int, Sequence[Gap]]) -> list[str]:
    """The largest gaps of documents that are in records in part."""
    every = [(d, gap) for d, found in gaps.items() for gap in found]
    sizes = np.array([-gap.characters for _, gap in every], dtype=np.int64)
    largest = [every[i] for i in np.argsort(sizes, kind="stable")[:SHOWN].tolist()]
    return [
        f"{opened.corpus.documents[d].id}#{gap.start}-{gap.end}: "
        f"{one_line(opened.corpus.documents[d].text[gap.start : gap.end], 50)!r}"
        for d, gap in largest
    ]
