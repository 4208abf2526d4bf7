"""Texts that several configurations index are embedded together, before any of them is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ragdiag.comparing.material import Material
from ragdiag.comparing.models import embed_timed, encoders_of
from ragdiag.core.encoders import NamedModel
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.registry import spec_of
from ragdiag.search.encoder import Encoder
from ragdiag.search.late import LateEncoder
from ragdiag.search.models import vector_key
from ragdiag.search.nested import all_models, own_models
from ragdiag.search.outside import OutsideEncoder
from ragdiag.search.retrieval import Plan

__all__ = ["embed", "speed", "to_embed"]

WARM, BATCH = 4, 64
"""Texts that are embedded before the clock runs, as a model must be loaded first, and those by which the speed is measured."""


def _encoders(plan: Plan) -> list[Encoder | OutsideEncoder]:
    """The encoders of a configuration's retriever whose vectors of texts are kept; none for a recorded run: none are made."""
    of_texts = [m for m in encoders_of(plan) if isinstance(m, Encoder) or (isinstance(m, OutsideEncoder) and m.kept)]
    return [m for m in of_texts if not isinstance(m, LateEncoder)]


def embed(material: Material, plans: Sequence[Plan], progress: Progress) -> None:
    """Every text that any configuration needs, once, before they run: workers would embed what they share several times."""
    jobs: dict[
        str, tuple[Encoder | OutsideEncoder, dict[str, None], Plan]
    ] = {}  # by encoder: the texts to be embedded, each once, in order
    cuts: dict[tuple[str, str], list[str]] = {}
    for plan in plans:
        encoders = _encoders(plan)
        cut = f"{plan.options.chunks or spec_of(plan.chunker, full=True)}", spec_of(plan.context, full=True)
        # A chunker may embed too, and a context may ask a function: what they need is made here as well.
        if cut not in cuts and any((encoders, own_models(plan.chunker), plan.surroundings.identity)):
            cuts[cut] = plan.texts(material.whole, material.corpus, progress)
        for encoder in encoders:
            jobs.setdefault(encoder.identity, (encoder, {}, plan))[1].update(dict.fromkeys(cuts[cut]))
    _read(material, plans, progress)
    queries = [q.text for q in material.labels.queries if q.text.strip()]
    for encoder, texts, plan in jobs.values():
        if plan.store is not None:
            embed_timed(encoder, list(texts), queries, plan.store, progress)


def to_embed(material: Material, plans: Sequence[Plan], progress: Progress) -> list[int]:
    """For each plan the characters that are to be embedded for it: of texts whose vectors are not kept, and that no plan before
    it indexes. A document that an encoder reads whole counts once.
    """
    known: set[tuple[str, bytes]] = set()
    return [sum(_unembedded(material, plan, known, progress)) for plan in plans]


def _unembedded(material: Material, plan: Plan, known: set[tuple[str, bytes]], progress: Progress) -> Iterator[int]:
    """The characters of texts that a plan needs embedded, beside those `known`, by encoder and key, which it adds to these."""
    for encoder, texts in _needed(material, plan, progress):
        by_key = {vector_key("document", text): len(text) for text in texts}
        new = [key for key in by_key if (encoder.identity, key) not in known]
        kept = plan.store.vectors(encoder.identity, new) if plan.store is not None else {}
        known.update((encoder.identity, key) for key in new)
        yield sum(by_key[key] for key in new if key not in kept)


def _needed(material: Material, plan: Plan, progress: Progress) -> Iterator[tuple[NamedModel, Sequence[str]]]:
    """Each encoder of a plan with what it reads: the texts of chunks, or whole documents."""
    encoders = _encoders(plan)
    texts = plan.texts(material.whole, material.corpus, progress) if encoders else []
    yield from ((encoder, texts) for encoder in encoders)
    for encoder in all_models(plan.retriever):
        if isinstance(encoder, LateEncoder):
            yield encoder, [document.text for document in material.corpus.documents]


def speed(material: Material, plan: Plan) -> float:
    """Characters that a plan's encoder embeds in a second, by a batch of its texts, which are not kept."""
    encoder = next((m for m in all_models(plan.retriever) if isinstance(m, (Encoder, OutsideEncoder))), None)
    if encoder is None:
        return float("inf")
    texts = sorted(plan.texts(material.whole, material.corpus, no_progress), key=lambda text: (len(text), text))
    some = texts[:: max(len(texts) // (WARM + BATCH), 1)]
    for batch in (some[:WARM], some[WARM:]):
        started = time.perf_counter()
        encoder.encode(batch, "document", None, no_progress)
        seconds = time.perf_counter() - started
    return sum(map(len, some[WARM:])) / max(seconds, 1e-9)


def _read(material: Material, plans: Sequence[Plan], progress: Progress) -> None:
    """Every document, for the encoders that read documents whole, once for all chunkings."""
    at_work = [plan for plan in plans if plan.store is not None and not plan.options.run]
    late = {m.identity: (m, plan.store) for plan in at_work for m in all_models(plan.retriever) if isinstance(m, LateEncoder)}
    for encoder, store in late.values():
        encoder.read([document.text for document in material.corpus.documents], store, progress)
