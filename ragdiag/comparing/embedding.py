"""Texts that several configurations index are embedded together, before any of them is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from ragdiag.comparing.material import Material
from ragdiag.comparing.models import embed_timed, encoders_of
from ragdiag.core.encoders import NamedModel
from ragdiag.core.engines import distant, workers
from ragdiag.core.lending import Recorder
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.core.registry import spec_of
from ragdiag.search.beside import by_meaning
from ragdiag.search.encoder import Encoder
from ragdiag.search.late import LateEncoder
from ragdiag.search.models import vector_key
from ragdiag.search.nested import all_models, own_models
from ragdiag.search.outside import OutsideEncoder
from ragdiag.search.retrieval import Plan

__all__ = ["Texts", "embed", "lending", "speed", "to_embed"]

WARM, BATCH = 4, 64
"""Texts that are embedded before the clock runs, as a model must be loaded first, and those by which the speed is measured."""


def _encoders(plan: Plan) -> list[Encoder | OutsideEncoder]:
    """The encoders of a configuration's retriever whose vectors of texts are kept; none for a recorded run: none are made."""
    of_texts = [m for m in encoders_of(plan) if isinstance(m, Encoder) or (isinstance(m, OutsideEncoder) and m.kept)]
    return [m for m in of_texts if not isinstance(m, LateEncoder)]


class Texts:
    """What plans index; plans that cut alike, and add the same context, have the same texts, which are made once."""

    def __init__(self, material: Material, progress: Progress) -> None:
        self._material, self._progress = material, progress
        self._known: dict[tuple[str, str], Sequence[str]] = {}

    def of(self, plan: Plan) -> Sequence[str]:
        """The texts of a plan's chunks."""
        cut = f"{plan.options.chunks or spec_of(plan.chunker, full=True)}", spec_of(plan.context, full=True)
        if cut not in self._known:
            self._known[cut] = plan.texts(self._material.whole, self._material.corpus, self._progress)
        return self._known[cut]


def embed(material: Material, plans: Sequence[Plan], progress: Progress) -> None:
    """Every text that any configuration needs, once, before they run: workers would embed what they share several times."""
    # By encoder: the texts to be embedded, each once, in order.
    jobs: dict[str, tuple[Encoder | OutsideEncoder, dict[str, None], Plan]] = {}
    texts = Texts(material, progress)
    for plan in plans:
        encoders = _encoders(plan)
        # A chunker may embed too, and a context may ask a function: what they need is made here as well.
        own = texts.of(plan) if any((encoders, own_models(plan.chunker), plan.surroundings.identity)) else []
        for encoder in encoders:
            jobs.setdefault(encoder.identity, (encoder, {}, plan))[1].update(dict.fromkeys(own))
    _read(material, plans, progress)
    queries = [q.text for q in material.labels.queries if q.text.strip()]
    for encoder, of_encoder, plan in jobs.values():
        if plan.store is not None:
            embed_timed(encoder, list(of_encoder), queries, plan.store, progress)


def lending(material: Material, plans: Sequence[Plan], progress: Progress, *, causes: bool) -> Recorder | None:
    """A store that has what workers need to measure plans, or to name `causes` under them, and that an engine can send them.

    What has to be embedded is embedded. None where the workers reach the plans' own cache.
    """
    if not distant():
        return None
    lender = Recorder(plans[0].store if plans else None)
    recorded = [Plan(plan.options, lender) for plan in plans]
    embed(material, recorded, progress)
    texts = Texts(material, progress)
    for plan in recorded if causes else ():
        if not encoders_of(plan) and plan.collection is None:
            by_meaning(texts.of(plan), lender)  # which looks at vectors that this plan does not need itself
    return lender


def to_embed(material: Material, plans: Sequence[Plan], texts: Texts) -> list[int]:
    """For each plan the characters that are to be embedded for it: of texts whose vectors are not kept, and that no plan before
    it indexes. A document that an encoder reads whole counts once.
    """
    known: set[tuple[str, bytes]] = set()
    return [sum(_unembedded(material, plan, texts, known)) for plan in plans]


def _unembedded(material: Material, plan: Plan, texts: Texts, known: set[tuple[str, bytes]]) -> Iterator[int]:
    """The characters of texts that a plan needs embedded, beside those `known`, by encoder and key, which it adds to these."""
    for encoder, needed in _needed(material, plan, texts):
        by_key = {vector_key("document", text): text for text in needed}
        new = {key: text for key, text in by_key.items() if (encoder.identity, key) not in known}
        known.update((encoder.identity, key) for key in new)
        yield sum(map(len, _not_kept(encoder, new, plan.store)))


def _not_kept(encoder: NamedModel, by_key: Mapping[bytes, str], store: Store | None) -> list[str]:
    """Of texts by key, those whose vectors `store` has not."""
    kept = store.vectors(encoder.identity, list(by_key)) if store is not None else {}
    return [text for key, text in by_key.items() if key not in kept]


def _needed(material: Material, plan: Plan, texts: Texts) -> Iterator[tuple[NamedModel, Sequence[str]]]:
    """Each encoder of a plan with what it reads: the texts of chunks, or whole documents."""
    for encoder in _encoders(plan):
        yield encoder, texts.of(plan)
    for late in all_models(plan.retriever):
        if isinstance(late, LateEncoder):
            yield late, [document.text for document in material.corpus.documents]


def speed(plan: Plan, texts: Texts) -> float:
    """Characters that a plan's encoder embeds in a second, by a batch of the texts that are to be embedded; one worker has it."""
    encoder = next((m for m in all_models(plan.retriever) if isinstance(m, (Encoder, OutsideEncoder))), None)
    if encoder is None:
        return float("inf")
    by_key = {vector_key("document", text): text for text in texts.of(plan)}
    new = sorted(_not_kept(encoder, by_key, plan.store), key=lambda text: (len(text), text))
    some = new[:: max(len(new) // (WARM + BATCH), 1)]
    store = None if isinstance(encoder, LateEncoder) else plan.store  # which reads documents, and has no use for these
    timed = some[WARM:] or some
    for batch in (some[:WARM], timed):
        started = time.perf_counter()
        encoder.encode(batch, "document", store, no_progress)
        seconds = time.perf_counter() - started
    return workers() * sum(map(len, timed)) / max(seconds, 1e-9)


def _read(material: Material, plans: Sequence[Plan], progress: Progress) -> None:
    """Every document, for the encoders that read documents whole, once for all chunkings."""
    at_work = [plan for plan in plans if plan.store is not None and not plan.options.run]
    late = {m.identity: (m, plan.store) for plan in at_work for m in all_models(plan.retriever) if isinstance(m, LateEncoder)}
    for encoder, store in late.values():
        encoder.read([document.text for document in material.corpus.documents], store, progress)
