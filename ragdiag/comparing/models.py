"""The encoders of a configuration, and what embedding by them took: measured where it is done, and kept with the vectors."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Sequence

import numpy as np

from ragdiag.comparing.cells import Figures
from ragdiag.core.encoders import TextEncoder
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.search.encoder import Encoder
from ragdiag.search.endpoint import EndpointEncoder
from ragdiag.search.models import vector_key
from ragdiag.search.named import AnyEncoder
from ragdiag.search.nested import all_models
from ragdiag.search.outside import OutsideEncoder
from ragdiag.search.retrieval import Plan

__all__ = ["embed_timed", "encoders_of", "facts", "spent"]

QUERIES = 8
"""Queries by which it is measured how long one takes to encode."""


def encoders_of(plan: Plan) -> list[AnyEncoder]:
    """The encoders of a configuration's retriever; none for a recorded run, for which none was asked."""
    models = [] if plan.options.run else all_models(plan.retriever)
    return [model for model in models if isinstance(model, AnyEncoder)]


def facts(plan: Plan, queries: Sequence[str]) -> list[Figures]:
    """Of each encoder its name, the dimension of its vectors, and the word pieces that it reads, None where that is not known."""
    some = queries[:1]
    return [
        {
            "model": encoder.described,
            "dimension": int(encoder.encode(some, "query", plan.store, no_progress).shape[1]) if some else None,
            "max_tokens": encoder.max_tokens if isinstance(encoder, TextEncoder) else None,
        }
        for encoder in encoders_of(plan)
    ]


def embed_timed(
    encoder: Encoder | OutsideEncoder, texts: Sequence[str], queries: Sequence[str], store: Store, progress: Progress
) -> None:
    """Have vectors of texts and queries kept in `store`, with the time that the texts took which were not there yet.

    A model is loaded before the clock runs; an endpoint is asked for nothing twice, so one query's time there is not known.
    """
    by_key = {vector_key("document", text): text for text in texts if text.strip()}
    kept = store.vectors(encoder.identity, list(by_key))
    new = [text for key, text in by_key.items() if key not in kept]
    here = bool(new) and not isinstance(encoder, EndpointEncoder)
    times = _each(encoder, queries[: QUERIES + 1]) if here else []
    started = time.perf_counter()
    encoder.encode(texts, "document", store, progress)
    seconds = time.perf_counter() - started
    before = store.arrays(_key(encoder.identity)) or {"sums": np.zeros(3)}
    if new:
        sums = before["sums"] + np.array([seconds, len(new), sum(map(len, new))])
        query = np.array([1000 * statistics.median(times[1:])] if times[1:] else [])
        store.add_arrays(_key(encoder.identity), {"sums": sums, "query": query})
    encoder.encode(queries, "query", store, progress)


def _each(encoder: Encoder | OutsideEncoder, queries: Sequence[str]) -> list[float]:
    """Seconds that each query takes to encode; the first one's include what is loaded only once."""
    times: list[float] = []
    for query in queries:
        started = time.perf_counter()
        encoder.encode([query], "query", None, no_progress)
        times.append(time.perf_counter() - started)
    return times


def spent(plan: Plan, texts: Sequence[str]) -> dict[str, Figures]:
    """By model, what embedding `texts` takes at the speed, by characters, at which it embedded under this store.

    A model is left out whose vectors were there before anything was timed.
    """
    of_models: dict[str, Figures] = {}
    distinct = set(texts)
    for encoder in encoders_of(plan):
        kept = plan.store.arrays(_key(encoder.identity)) if plan.store is not None and texts else None
        if kept is not None:
            seconds, n, characters = kept["sums"].tolist()
            needed = sum(map(len, distinct)) * seconds / max(characters, 1)
            query = {"query_ms": round(float(kept["query"][0]), 1)} if len(kept["query"]) else {}
            of_models[encoder.described] = {
                "seconds": round(needed, 2),
                "texts": len(distinct),
                "texts_per_second": round(n / max(seconds, 1e-9), 1),
                **query,
            }
    return of_models


def _key(identity: str) -> str:
    return hashlib.sha256(f"time of embedding 1 {identity}".encode()).hexdigest()
