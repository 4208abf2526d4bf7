"""Documents, and parts of documents, that are in no record."""

from __future__ import annotations

import numpy as np

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._coverage import Gap
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.text.phrases import counted, one_line

__all__ = ["look"]

SHOWN = 3
"""Gaps that are told, the largest first."""


def look(opened: Opened) -> HealthFinding | None:
    """Lays the records over the documents. One that changed since is told of as such, and one without a word needs no record."""
    stored, covered = set(opened.chunking.document.tolist()), opened.covered
    own = (d for d, document in enumerate(opened.corpus.documents) if not document.foreign)
    of = [d for d in own if any(map(str.isalnum, opened.corpus.documents[d].text))]
    gaps = {d: found for d, found in covered.gaps.items() if d not in covered.changed}
    whole = [d for d in gaps if d not in stored]
    if not gaps:
        return None
    texts = {d: opened.corpus.documents[d].text for d in of}
    lost = sum(gap.characters for found in gaps.values() for gap in found)
    share = lost / sum(len("".join(text.split())) for text in texts.values())
    ids = tuple(opened.corpus.documents[d].id for d in [*whole, *(d for d in gaps if d not in whole)])
    queries, partly = opened.queries_of(ids), len(gaps) - len(whole)
    counts = [f"{counted(len(whole), 'document')} in no record"] * bool(whole) + [f"{partly} in part"] * bool(partly)
    evidence = [f"{', '.join(counts)}: {share:.1%} of all characters, blanks aside"]
    evidence += _largest(opened, {d: found for d, found in gaps.items() if d not in whole})
    evidence += [f"the evidence of {counted(len(queries), 'labelled quer', 'y')} stands in these documents"] if queries else []
    return HealthFinding(
        "unindexed",
        len(gaps),
        len(of),
        "documents have text that is in no record: no search finds it",
        "index them; if they are left out on purpose, leave them out of the corpus too: --exclude",
        tuple(evidence),
        documents=ids,
        queries=queries,
        detail={
            "share": share,
            "whole": [opened.corpus.documents[d].id for d in whole],
            "gaps": {opened.corpus.documents[d].id: [gap._asdict() for gap in found] for d, found in gaps.items()},
        },
    )


def _largest(opened: Opened, gaps: dict[int, list[Gap]]) -> list[str]:
    """The largest gaps of documents that are in records in part."""
    every = [(d, gap) for d, found in gaps.items() for gap in found]
    sizes = np.array([-gap.characters for _, gap in every], dtype=np.int64)
    largest = [every[i] for i in np.argsort(sizes, kind="stable")[:SHOWN].tolist()]
    return [
        f"{opened.corpus.documents[d].id}#{gap.start}-{gap.end}: "
        f"{one_line(opened.corpus.documents[d].text[gap.start : gap.end], 50)!r}"
        for d, gap in largest
    ]
