"""Models that a user names: their files, what identifies them, and what they make of things, each computed once, ever."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ragdiag.core.arrays import Array, VectorArray
from ragdiag.core.encoders import Kind, NamedModel
from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.core.protocols import Progress, Store, text_key
from ragdiag.core.registry import require
from ragdiag.core.remote import is_here
from ragdiag.search.forecast import Forecast
from ragdiag.search.lengths import BATCH
from ragdiag.search.model_files import Stamp, checked, stamped
from ragdiag.search.spread import Making, elsewhere, made_elsewhere

__all__ = [
    "BATCH",
    "KEEP_EVERY",
    "MOST_READ",
    "embedded",
    "folder_of",
    "from_hub",
    "identity_of",
    "load_model",
    "made",
    "path_of",
    "readable",
    "unit",
    "vector_key",
]

MOST_READ = 2**20  # characters
KEEP_EVERY = 4  # batches between two writes to the store: what a kill can lose

MOST_LOADED = 4
"""Models that stay in memory, those that were used last: the configurations of a grid take turns."""

_LOADING = threading.RLock()  # two threads that want a model at once load it once

T = TypeVar("T")


def folder_of(name: str, instead: str = "") -> Path:
    """Where the files of the model that the user named are: a folder, or a hub name, fetched unless ``HF_HUB_OFFLINE`` is set.

    Raises `SpecError` where there are none, or not only data (`model_files`), `MissingExtra` without a way to fetch them;
    `instead` says how to do without.
    """
    named = path_of(name)
    if named.is_dir():
        return checked(named)
    if is_here(name):
        why = f"{name!r} is no folder, so it holds no model" if named.exists() else f"no model folder {name!r}"
        raise SpecError(f"{why}; check the path")
    try:
        return from_hub(name, "HF_HUB_OFFLINE" in os.environ, instead)
    except (MissingExtra, SpecError):
        raise
    except Exception as e:
        raise SpecError(f"model {name!r} is neither a folder nor to be had from the hub ({type(e).__name__})") from e


def path_of(name: str) -> Path:
    """The path that `name` writes; ``~/`` is the home."""
    return Path(os.path.expanduser(name) if name.startswith("~/") else name)  # noqa: PTH111  # pathlib's fails without a home


def from_hub(name: str, local_only: bool, instead: str = "") -> Path:
    """The folder of the hub's model `name`; with `local_only` nothing is fetched.

    Raises whatever the hub's client raises, and `SpecError` for a model that is not only data (`model_files`).
    """
    hub = require("huggingface_hub", "offline", instead)
    with _LOADING:  # while a model is loaded the hub is offline
        return checked(Path(hub.snapshot_download(name, local_files_only=local_only)))


def identity_of(folder: Path) -> str:
    """The hash of all files that what a model computes depends on; read again only where one has changed since."""
    kinds = (".json", ".txt", ".safetensors", ".model")
    return _hashed(folder, tuple(file for file in stamped(folder) if file.path.suffix in kinds))


@functools.cache
def _hashed(folder: Path, files: tuple[Stamp, ...]) -> str:
    digest = hashlib.sha256()
    for path, _, _ in files:
        with path.open("rb") as file:
            digest.update(path.relative_to(folder).as_posix().encode())
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def load_model(kind: str, folder: Path, precision: str, instead: str = "") -> Any:
    """The model in `folder` as sentence-transformers' class `kind`, loaded once for all that name it; nobody may change it.

    Raises `SpecError` where it cannot be loaded.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Else threads that wait for each other keep the processors busy: on a machine that is shared they take half of all the time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for library in ("sentence_transformers", "torch"):
        require(library, "dense", instead)
    require("transformers", "dense").utils.logging.disable_progress_bar()
    with _LOADING:
        return _loaded(kind, folder, identity_of(folder), precision)


@functools.lru_cache(MOST_LOADED)
def _loaded(kind: str, folder: Path, identity: str, precision: str) -> Any:
    """See `load_model`; `identity` is that of the files, which may have changed since another was loaded."""
    library, torch = require("sentence_transformers", "dense"), require("torch", "dense")
    kwargs = {"dtype": getattr(torch, precision), "use_safetensors": True}
    try:
        with _offline():
            return getattr(library, kind)(str(folder), local_files_only=True, trust_remote_code=False, model_kwargs=kwargs)
    except Exception as e:
        reason = " ".join(f"{type(e).__name__}: {e}".split())
        raise SpecError(f"{str(folder)!r} holds no model that sentence-transformers can load: {reason}") from e


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Nothing is asked of the hub, whatever a model's files name: its client has read what the environment says of that."""
    constants = require("huggingface_hub.constants", "dense")
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def made(
    what: str,
    wanted: Mapping[bytes, T],
    make: Callable[[list[T]], Iterable[VectorArray]],
    identity: str,
    store: Store | None,
    progress: Progress,
    size: int = BATCH,
    keep_every: int = KEEP_EVERY,
    length: Callable[[T], int] = lambda _: 1,
    model: NamedModel | None = None,
) -> dict[bytes, VectorArray]:
    """What the model called `identity` makes of each thing `wanted`, by key: known in `store`, or made and added to it.

    Made in the order of `wanted`, in batches of `size`, and kept by whole batches, so that what is interrupted goes on to the
    very same results; sorted by length, the things of a batch need little padding. `length` is what one takes beside others:
    where that is long, how long all take is said after the first batches. A `model` whose method `make` is, and that any machine
    may have, works wherever joblib says.
    """
    known = store.vectors(identity, list(wanted)) if store is not None else {}
    missing = [key for key in wanted if key not in known]
    if elsewhere(model):
        return known | made_elsewhere(what, Making(model, make, identity, size), wanted, missing, keep_every, store, progress)
    step, forecast = size * keep_every, Forecast(what, [length(wanted[key]) for key in missing], progress)
    for i in range(0, len(missing), step):
        fresh: dict[bytes, VectorArray] = {}
        for j in range(i, min(i + step, len(missing)), size):
            progress(what, j, len(missing))
            forecast.at(j)
            batch = missing[j : j + size]
            fresh |= zip(batch, make([wanted[key] for key in batch]), strict=True)
        if store is not None:
            store.add_vectors(identity, fresh)
        known |= fresh
    if missing:
        progress(what, len(missing), len(missing))
    return known


def embedded(
    texts: Sequence[str],
    kind: Kind,
    embed: Callable[[list[str]], VectorArray],
    identity: str,
    store: Store | None,
    progress: Progress,
    size: int = BATCH,
    keep_every: int = KEEP_EVERY,
    most: int = MOST_READ,
    model: NamedModel | None = None,
) -> VectorArray:
    """Vectors of `texts`, shape ``(n_texts, dimension)``: each distinct one made once by `embed`, or known; see `made`.

    Space around a text is no part of it. The longest come first, by which the time that all take can be told; of one, no more
    than about `most` characters are read.
    """
    stripped = [t.strip() for t in texts]
    key_of = {t: vector_key(kind, t) for t in set(stripped)}
    wanted = {key_of[t]: t for t in sorted(key_of, key=lambda t: (-len(t), t))}

    def length(text: str) -> int:
        return min(len(text), most)

    known = made(f"embedding {kind}s", wanted, embed, identity, store, progress, size, keep_every, length, model)
    return np.stack([known[key_of[t]] for t in stripped]) if stripped else np.empty((0, 0), dtype=np.float32)


def vector_key(kind: Kind, text: str) -> bytes:
    """What the vector of a text is kept under: space around it is no part of it."""
    return text_key(f"{kind}\0{text.strip()}")


def unit(vectors: Array) -> VectorArray:
    """The same directions as float32 vectors of length 1; zeros stay zeros."""
    rows: VectorArray = np.asarray(vectors, dtype=np.float32)
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
    directions = np.zeros_like(rows)
    np.divide(rows, norms, out=directions, where=norms > 0)
    beyond = ~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)  # its squares may be more, or less, than float32 can hold
    if beyond.any() and (beyond := beyond & np.isfinite(rows).all(axis=1)).any():
        exact = rows[beyond].astype(np.float64)
        lengths = np.linalg.norm(exact, axis=1, keepdims=True)
        directions[beyond] = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
    return directions


def readable(text: str) -> str:
    """`text` without lone surrogates, which JSON may hold and a tokenizer refuses."""
    return text.encode("utf-8", "replace").decode()
