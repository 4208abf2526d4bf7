"""Which precision a model runs in on this machine: measured once, for about a second, and kept with the vectors.

Some processors multiply bfloat16 several times as fast as float32, others more slowly, and how fast a model is tells which.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.cache import keep_text, kept_text
from ragdiag.core.errors import UsageError
from ragdiag.core.protocols import Store

__all__ = ["chosen", "decided", "following", "kept_in"]

FULL, HALF = "float32", "bfloat16"

FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
"""What a processor says that multiplies bfloat16; on any other it is several times slower, and nothing is measured."""

WORTH = 1.2
"""How much faster bfloat16 must be: nearer to 1, the next measurement might say otherwise."""

NEAR, DECIMALS = 0.9999, 4
"""The least cosine of a text's two vectors, to so many decimals."""

TURNS = 2
"""How often each precision is timed, in turns; its least time counts, since other work only adds to it."""

SENTENCES: Final = (
    "The council met on Tuesday to decide whether the old bridge should be repaired or replaced before the winter floods.",
    "Engineers had warned for years that salt had eaten into the steel, and that heavy lorries made the damage worse.",
    "A new bridge would cost 14.2 million euros, of which the region pays 40 % if work begins before the end of 2027.",
    "To restart the pump, close valve B, hold the green button for five seconds, and wait until the gauge shows 2.5 bar.",
    "Patients who take anticoagulants should tell their doctor, because the dose may have to be lowered before surgery.",
    "def total(rows): return sum(row.price * row.count for row in rows if not row.cancelled)",
    "Customers may return unopened goods within thirty days; refunds are made to the card with which the order was paid.",
    "In 1887 the expedition lost two of its ships in the ice, yet its maps of the coast were used for another fifty years.",
    "Whoever forgets a password can ask for a new one on the sign-in page, where a link is sent that lasts one hour.",
    "Sales in the third quarter rose by 8 % on a year earlier, although currency movements took away most of the profit.",
)
TEXTS: Final = tuple(" ".join(SENTENCES[i:] + SENTENCES[:i]) for i in range(0, len(SENTENCES), 2))
"""What is timed: as long as an encoder reads, so that it works as it does on chunks."""

Embed = Callable[[list[str]], VectorArray]
"""Makes unit vectors of texts."""


class Processor(NamedTuple):
    """What a processor is called, and what it says that it can do; both empty where that is not known."""

    name: str
    flags: tuple[str, ...]

    @classmethod
    def here(cls) -> Processor:
        """The one that this runs on."""
        try:
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
        return cls(said.get("model name", ""), tuple(sorted(said.get("flags", "").split())))


class _Decisions:
    """What was chosen in this process, and the store that it is kept in from run to run."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.by_model: dict[str, str] = {}
        self.followed: dict[str, str] = {}
        self.store: Store | None = None
        self.lock = threading.RLock()


_DECISIONS = _Decisions()


def kept_in(store: Store | None) -> None:
    """Keep what is chosen from now on in `store`; with None in this process alone."""
    _DECISIONS.store = store


def decided() -> dict[str, str]:
    """What was chosen in this process, by model: for others that work for it, see `following`."""
    return dict(_DECISIONS.by_model)


@contextmanager
def following(decisions: Mapping[str, str]) -> Iterator[None]:
    """Within it, what another process chose is chosen, whatever this processor is."""
    before, _DECISIONS.followed = _DECISIONS.followed, dict(decisions)
    try:
        yield
    finally:
        _DECISIONS.followed = before


def chosen(model: str, embedder: Callable[[str], Embed], store: Store | None = None) -> str:
    """The precision for the model whose files have the hash `model`; `embedder` gives what embeds in one.

    The same for the same model, processor and version of torch, as long as `store` is kept, or else that of `kept_in`.
    """
    precision = _DECISIONS.followed.get(model) or _chosen(model, embedder, store)
    _DECISIONS.by_model[model] = precision
    return precision


def _chosen(model: str, embedder: Callable[[str], Embed], store: Store | None) -> str:
    processor = Processor.here()
    if not FLAGS & set(processor.flags):
        return FULL
    try:
        parts = ["precision 2", model, processor, importlib.metadata.version("torch")]
    except importlib.metadata.PackageNotFoundError:  # which loading the model says
        return FULL
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    with _DECISIONS.lock:
        store = store or _DECISIONS.store
        kept = kept_text(store, key)
        if kept in (FULL, HALF):
            _DECISIONS.known[key] = kept
            return kept
        if key not in _DECISIONS.known:
            _DECISIONS.known[key] = measured(embedder(FULL), embedder(HALF))
        with suppress(UsageError):  # a store that is gone since: what it would have kept saves a second
            keep_text(store, key, _DECISIONS.known[key])
        return _DECISIONS.known[key]


def measured(full: Embed, half: Embed) -> str:
    """bfloat16 where it is clearly faster, and its vectors are those of float32 but for the last digits."""
    texts = [*TEXTS, *SENTENCES]
    cosines = (full(texts).astype(np.float64) * half(texts)).sum(axis=1)  # the first batch loads and prepares as well
    if round(float(cosines.min()), DECIMALS) < NEAR:
        return FULL
    turns = [(_seconds(full), _seconds(half)) for _ in range(TURNS)]
    slower, faster = (min(times) for times in zip(*turns, strict=True))
    return HALF if slower >= WORTH * faster else FULL


def _seconds(embed: Embed) -> float:
    """What a batch takes of the processor, whatever else runs on it."""
    started = time.process_time()
    embed(list(TEXTS))
    return time.process_time() - started
