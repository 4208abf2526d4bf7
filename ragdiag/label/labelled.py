"""What a session of labelling came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Labelled"]


class Labelled(NamedTuple):
    """How many queries were decided, and how.

    `margins` says how precise a result on so many queries is. Its keys are numbers of queries: first those labelled so far, if
    any, then larger ones. Its values are half the width, in percentage points, of the 95 % interval of a share of one half.
    """

    asked: int
    labelled: int
    unanswerable: int
    undecided: int
    skipped: int
    others: int  # decided in the file, but not asked in this session
    by_search: int  # labelled with evidence that no retriever of the pool found, only a search or a look beside a passage
    worded_alike: int  # drafts that were labelled without being put in other words
    margins: Mapping[int, int]
