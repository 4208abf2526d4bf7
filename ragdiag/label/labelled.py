"""What a session of labelling came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Labelled"]


class Labelled(NamedTuple):
    """Queries by what was decided; `others` are decided ones in the file that were not asked here.

    `by_search`: labelled ones with evidence that no retriever of the pool brought, only a search or a look beside.
    `worded_alike`: drafts labelled in the document's own words. `margins`: for numbers of queries, that of labelled ones first,
    half the width in points of the interval that a share of about one half has.
    """

    asked: int
    labelled: int
    unanswerable: int
    undecided: int
    skipped: int
    others: int
    by_search: int
    worded_alike: int
    margins: Mapping[int, int]
