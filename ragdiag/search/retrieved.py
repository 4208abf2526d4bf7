"""What retrieval came to: chunks, rankings, and what made both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ragdiag.core.protocols import Index
from ragdiag.core.records import Chunking, Corpus, IndexRecall, Run

__all__ = ["Retrieved", "Source"]


class Source(NamedTuple):
    """What made chunks and rankings, by name: fields of `records.Pipeline`."""

    chunker: str
    context: str | None
    retriever: str
    models: tuple[str, ...] | None = None
    index_recall: IndexRecall | None = None
    unlinked: int | None = None


class Retrieved(NamedTuple):
    """The chunks, each query's ranking of them, what made both, and the index (None where a run was recorded).

    `seconds` are those of each stage, `notes` what a reader should know. `corpus` is what was audited; where a store has records
    of no document of it, with a document for each, behind all others.
    """

    chunking: Chunking
    run: Run
    source: Source
    searchable: Index | None
    notes: tuple[str, ...]
    seconds: Mapping[str, float]
    corpus: Corpus
