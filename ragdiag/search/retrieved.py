"""What retrieval came to: chunks, rankings, and what made both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from ragdiag.core.options import Options
from ragdiag.core.protocols import Index
from ragdiag.core.records import Chunking, Corpus, IndexRecall, Run
from ragdiag.core.version import __version__
from ragdiag.sources.omissions import kept
from ragdiag.text.words import DEFINITION

__all__ = ["Retrieved", "Source", "signed"]


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


def signed(options: Options, source: Source, retriever: str) -> str:
    """Everything that defines a ranking and its measures, on one line; `retriever` is its whole spec."""
    parts = [
        source.chunker,
        f"context:{source.context}",
        retriever,
        *(source.models or ()),
        DEFINITION,
        f"budget:{options.budget}tok" if options.budget else f"k:{options.k}",
        f"copies:{options.copies}",
        *(f"keep:{kind}" for kind in sorted(kept(options.keep))),
        *(f"exclude:{json.dumps(pattern, ensure_ascii=False)}" for pattern in options.exclude),
        "tau:1.0",
        f"ties:{options.ties}",
        f"seed:{options.seed}",
        f"version:{__version__}",
    ]
    return "|".join(parts)
