"""Every check of a stored index, in the order in which what they find is mended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ragdiag.core.cache import opened as opened_cache
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.health import IndexHealth
from ragdiag.core.options import check_kind
from ragdiag.core.protocols import Collection, Examined, Progress, no_progress
from ragdiag.core.records import Corpus, Labels
from ragdiag.core.registry import make, spec_of
from ragdiag.diagnosis.health import (
    altered,
    changed,
    duplicate,
    index_miss,
    lengths,
    orphan,
    truncated,
    unindexed,
    unreachable,
    vector_fault,
)
from ragdiag.diagnosis.health._opened import DEPTH, SAMPLE, Opened, evenly
from ragdiag.search.nested import collection_of, encoder_of
from ragdiag.search.precision import kept_in
from ragdiag.sources.chunks import place_stored

__all__ = ["CHECKS", "KINDS", "SAMPLE", "examined", "queries_by_document", "stored_index"]

CHECKS = (vector_fault, lengths, unreachable, index_miss, changed, orphan, duplicate, unindexed, truncated, altered)
"""Each looks at an index, and gives what it found, or nothing."""

KINDS = tuple(check.__name__.rpartition(".")[2] for check in CHECKS)
"""The kinds of what they find: each is that of its file."""

PROBE = 32
"""Texts that are embedded to tell how long all will take."""

TOLD = ("changed: ", "orphan: ", "altered: ")
"""How notes begin on what a finding tells as well."""


def stored_index(spec: str, with_queries: bool, sample: int) -> Collection | None:
    """The store that a retriever is, fuses or works on; None where no retriever is named.

    Raises `SpecError` for one that makes its index from the corpus, `UsageError` where nothing is left to check, and for a
    `sample` that is none.
    """
    check_kind("retriever", spec, str)
    if not spec and not with_queries:
        raise UsageError("there is nothing to check the corpus against: give QUERIES, or a stored index as --retriever, or both")
    check_kind("sample", sample, int)
    if sample < 0:
        raise UsageError(f"sample must be a number of records, or 0 for all, not {sample}")
    if not spec:
        return None
    collection = collection_of(make("retrievers", spec))
    if collection is None:
        raise SpecError(
            f"{spec!r} makes its index anew from the corpus, so there is nothing to check; name a stored one: "
            "chroma, pgvector, qdrant, lancedb or faiss"
        )
    return collection


def examined(
    collection: Collection,
    corpus: Corpus,
    asked: Mapping[str, Sequence[str]],
    sample: int,
    cache: str | Path | None,
    progress: Progress,
) -> IndexHealth:
    """All checks of an index of `corpus`. `asked` has the queries whose evidence is in a document, by its id; of `sample` records
    vectors are made anew, of all where it is 0, and kept in `cache`.

    Raises what opening it in an audit does, `SpecError` too for an index whose vectors cannot be looked at.
    """
    store = opened_cache(cache)
    kept_in(store)
    records = collection.stored_chunks(progress)
    placed, known = place_stored(records, corpus, corpus)
    index, name = collection.open(placed.chunking.ids, store), spec_of(collection)
    if not isinstance(index, Examined):
        raise SpecError(f"{name}: vectors of this store cannot be looked at; name chroma, pgvector, qdrant, lancedb or faiss")
    altered_ids, several = frozenset(placed.altered), frozenset(placed.several)
    most = sample or len(records)
    opened = Opened(known, placed.chunking, records, index, altered_ids, several, asked, most, store, progress)
    opened = replace(opened, progress=_foretold(opened))
    found = tuple(finding for check in CHECKS if (finding := check.look(opened)))
    encoder, searched = encoder_of(index), opened.searched
    return IndexHealth(
        name,
        encoder.described if encoder else "",
        len(placed.chunking),
        len(opened.sample),
        DEPTH,
        opened.mean(searched.chunks, searched.recalls),
        found,
        (*(note for note in placed.notes if not note.startswith(TOLD)), *_notes(opened)),
    )


def queries_by_document(corpus: Corpus, labels: Labels, documents: Sequence[Sequence[int]]) -> dict[str, list[str]]:
    """The ids of labelled queries by that of each document of `corpus` that holds their evidence; `documents` has these."""
    found: dict[str, list[str]] = {}
    for query, own in zip(labels.queries, documents, strict=True):
        for document in own:
            found.setdefault(corpus.documents[document].id, []).append(query.id)
    return found


def _foretold(opened: Opened) -> Progress:
    """Progress that says, before it starts, how long it takes to make the vectors of the sample anew."""
    if opened.progress is no_progress:
        return no_progress
    few = opened.sample[evenly(len(opened.sample), PROBE)].tolist()
    opened.index.beside(few[:1], no_progress)  # loads the model
    started = time.perf_counter()
    opened.index.beside(few, no_progress)
    seconds = (time.perf_counter() - started) / len(few) * len(opened.sample)
    took = f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
    title = f"embedding {len(opened.sample):,} of {len(opened.chunking):,} texts anew, some {took}"
    return lambda what, done, total: opened.progress(title, done, total)


def _notes(opened: Opened) -> Iterator[str]:
    """What could not be looked at."""
    if not opened.index.is_known:
        yield "vectors are not quite those of their texts: more was embedded with these, so which are faulty is not told"
    if opened.reads is None:
        yield "the model does not say how much of a text it reads: whether texts are longer is not told"
