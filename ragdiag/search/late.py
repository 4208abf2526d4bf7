"""Late chunking: a document is read once, in overlapping windows, and a chunk's vector is the mean of its tokens' vectors.

After Günther et al. 2024. Any chunking of the same documents is then a matter of means: no model runs again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import Array, IntArray, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.core.registry import require
from ragdiag.search.encoder import DOCUMENT_PROMPTS, WHOLE, Encoder
from ragdiag.search.lengths import BATCH, evenly
from ragdiag.search.models import readable, unit

__all__ = ["NO_CONTEXT", "LateEncoder", "Stretch"]

OVERLAP = 0.25
"""Of a window, the share that the next one reads again: each token has an eighth of a window at both sides at least."""

PART = 2 * BATCH
"""Windows that are read and kept together: what bounds the memory that a long document takes, and what a kill can lose."""

NO_CONTEXT = "dense(pool=late) makes a chunk's vector of its document's tokens, which are its context; leave --context out"

MOST_HELD = 2**27
"""Bytes of tokens' vectors that stay in memory."""


class Stretch(NamedTuple):
    """A span of a document, by its number among several, half-open in characters."""

    document: int
    start: int
    end: int


class _Window(NamedTuple):
    """The ids of one window, those at its ends that a model wants among them, and the part of it whose vectors are taken."""

    ids: IntArray
    first: int
    last: int


class _Part(NamedTuple):
    """Some windows of a document, one after the other; `at` is the number of the first token whose vector they give."""

    document: int
    at: int
    windows: tuple[_Window, ...]

    def key(self, identity: str) -> str:
        """What its vectors are kept under: they depend on the tokens, and on nothing else of the document."""
        digest = hashlib.sha256(f"tokens 1 {identity}".encode())
        for window in self.windows:
            digest.update(np.array([len(window.ids), window.first, window.last]).tobytes() + window.ids.tobytes())
        return digest.hexdigest()


class _Tokens(NamedTuple):
    """A document's windows in parts, and where each token begins and ends in the text."""

    parts: list[_Part]
    starts: IntArray
    ends: IntArray

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The tokens of a span, half-open: those whose last character is in it, else the one that it is inside of."""
        first, last = np.searchsorted(self.ends, (start, end), "right").tolist()
        inside = first == last and first < len(self.ends) and self.starts[first] < end
        return first, last + inside


class LateEncoder(Encoder):
    """The same model, read so: a document is seen whole. Its vectors of single texts, such as queries, are those of `Encoder`."""

    @cached_property
    def _alone(self) -> Encoder:
        return Encoder(self.name, self._wanted)

    @cached_property
    def identity(self) -> str:
        """As that of the encoder, told apart: what of a text is read is not the same."""
        return f"{self._alone.identity} late"

    @cached_property
    def _model(self) -> Any:
        """Checked to be one whose vectors are means of tokens. Raises `SpecError` for any other."""
        model = self._alone._model
        kinds = [type(part).__name__ for part in model]
        if kinds[:2] != ["Transformer", "Pooling"] or set(kinds[2:]) - {"Normalize"}:
            raise self._unlike(f"is made of {', '.join(kinds)}")
        pooling = model[1].get_config_dict()
        mode = pooling.get("pooling_mode") or [k for k, v in pooling.items() if k.startswith("pooling_mode") and v is True]
        if mode not in ("mean", ["mean"], ["pooling_mode_mean_tokens"]):
            raise self._unlike(f"pools otherwise ({mode})")
        names = [*DOCUMENT_PROMPTS, *([model.default_prompt_name] if model.default_prompt_name else [])]
        if any(model.prompts.get(name) for name in names):
            raise self._unlike("puts a prompt before documents")
        return model

    def _unlike(self, what: str) -> SpecError:
        name = self.name or "the default model"
        return SpecError(f"pool=late takes the mean of tokens' vectors, and {name} {what}; leave pool out")

    @property
    def loaded(self) -> bool:
        """See `Encoder`."""
        return self._alone.loaded

    @cached_property
    def _pieces(self) -> Any:
        """The model's tokenizer, which takes all of a text."""
        pieces = Encoder(self.name, self._wanted)._pieces
        pieces.no_truncation()
        return pieces

    @cached_property
    def _windows(self) -> Any:
        """The model's tokenizer, which gives a text as overlapping windows."""
        pieces = Encoder(self.name, self._wanted)._pieces
        pieces.enable_truncation(self.max_tokens, stride=int(self._inside * OVERLAP))
        return pieces

    @cached_property
    def _inside(self) -> int:
        """Tokens of a text that a window has room for."""
        return self.max_tokens - int(self._pieces.num_special_tokens_to_add(False))

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """Vectors of texts that are no part of a document, as `Encoder` makes them."""
        return self._alone.encode(texts, kind, store, progress)

    def seen(self, texts: Sequence[str]) -> list[int]:
        """See `Encoder`: all of each text."""
        return [len(text) for text in texts]

    def visible(self, texts: Sequence[str], store: Store | None) -> IntArray:
        """See `Encoder`: all of each text."""
        return np.full(len(texts), WHOLE, dtype=np.int64)

    def read(self, documents: Sequence[str], store: Store | None, progress: Progress) -> None:
        """Read documents, so that `store` has the vectors of their tokens."""
        tokens = (self._tokens(i, text) for i, text in enumerate(documents))
        for part, _ in self._read((part for each in tokens for part in each.parts), store):
            progress("reading documents", part.document, len(documents))
        progress("reading documents", len(documents), len(documents))

    def pooled(
        self, documents: Sequence[str], stretches: Sequence[Stretch], store: Store | None, progress: Progress
    ) -> VectorArray:
        """A unit vector for each stretch of `documents`, float32; zeros for one without a token."""
        of = defaultdict[int, list[int]](list)
        for i, stretch in enumerate(stretches):
            of[stretch.document].append(i)
        reach, sums = np.zeros((len(stretches), 2), dtype=np.int64), np.zeros((0, 0), dtype=np.float32)

        def parts() -> Iterator[_Part]:
            for n, d in enumerate(sorted(of)):
                progress("reading documents", n, len(of))
                tokens = self._tokens(d, documents[d])
                reach[of[d]] = [tokens.within(stretches[i].start, stretches[i].end) for i in of[d]]
                yield from tokens.parts

        for part, vectors in self._read(parts(), store):
            if not sums.size:
                sums = np.zeros((len(stretches), vectors.shape[1]), dtype=np.float32)
            rows = np.array(of[part.document])
            sums[rows] += _sums(vectors, np.clip(reach[rows] - part.at, 0, len(vectors)))
        progress("reading documents", len(of), len(of))
        return unit(sums) if sums.size else np.zeros((len(stretches), self._dimension), dtype=np.float32)

    @cached_property
    def _dimension(self) -> int:
        return int(self._alone.encode(["a"], "query", None, no_progress).shape[1])

    def _tokens(self, document: int, text: str) -> _Tokens:
        """A document as the model reads it: of two windows, a token is taken from the one in which it is further inside."""
        encoding = self._windows.encode(readable(text))
        windows, starts, ends, at = list[_Window](), list[int](), list[int](), 0
        every = [encoding, *encoding.overflowing]
        own = [[i for i, special in enumerate(w.special_tokens_mask) if not special] for w in every]
        step = len(own[0]) - int(self._inside * OVERLAP)
        for n, (window, inside) in enumerate(zip(every, own, strict=True)):
            # The last token of this window that stands no nearer to its end than to the beginning of the next one.
            last = (len(inside) - 1 + step) // 2 + 1 if n + 1 < len(every) else len(inside)
            first, at = at - n * step, n * step + last
            offsets = [window.offsets[i] for i in inside[first:last]]
            starts += [a for a, _ in offsets]
            ends += [b for _, b in offsets]
            shift = inside[0] if inside else 0
            windows.append(_Window(np.array(window.ids, dtype=np.int64), first + shift, last + shift))
        columns = np.array(starts, dtype=np.int64), np.maximum.accumulate(np.array(ends, dtype=np.int64))
        return _Tokens(list(_parted(document, windows)) if starts else [], *columns)

    def _read(self, parts: Iterable[_Part], store: Store | None) -> Iterator[tuple[_Part, Array]]:
        """The vectors of the tokens of each part, float16: known ones first, new ones added to `store`, in no order."""
        waiting, n = dict[str, list[_Part]](), 0
        for part in parts:
            key = part.key(self.identity)
            if key in waiting:
                waiting[key].append(part)
            elif (known := self._known(key, store)) is not None:
                yield part, known
            else:
                waiting[key], n = [part], n + len(part.windows)
            if n >= PART:
                yield from self._made(waiting, store)
                waiting, n = {}, 0
        yield from self._made(waiting, store)

    def _known(self, key: str, store: Store | None) -> Array | None:
        if key in self._held:
            return self._held[key]
        kept = store.arrays(key) if store is not None else None
        return self._hold(key, kept["vectors"]) if kept is not None and "vectors" in kept else None

    def _hold(self, key: str, vectors: Array) -> Array:
        """`vectors`, held in memory while there is room: a diagnosis asks for those of the same documents again and again."""
        self._held[key] = vectors
        while sum(each.nbytes for each in self._held.values()) > MOST_HELD:
            del self._held[next(iter(self._held))]
        return vectors

    @cached_property
    def _held(self) -> dict[str, Array]:
        return {}

    def _made(self, waiting: Mapping[str, list[_Part]], store: Store | None) -> Iterator[tuple[_Part, Array]]:
        """The vectors of parts that are not known."""
        windows = [window for parts in waiting.values() for window in parts[0].windows]
        made = iter(self._run(windows) if windows else ())
        for key, parts in waiting.items():
            vectors = np.concatenate([next(made) for _ in parts[0].windows]).astype(np.float16)
            if store is not None:
                store.add_arrays(key, {"vectors": vectors})
            self._hold(key, vectors)
            yield from ((part, vectors) for part in parts)

    def _run(self, windows: Sequence[_Window]) -> list[VectorArray]:
        """The vectors that the model gives to the tokens of each window that are taken from it."""
        torch, model = require("torch", "dense", self._remedy), self._model.eval()

        def make(alike: Sequence[_Window]) -> VectorArray:
            ids = torch.from_numpy(np.stack([window.ids for window in alike])).to(model.device)
            with torch.inference_mode():
                read = model[0]({"input_ids": ids, "attention_mask": torch.ones_like(ids)})["token_embeddings"]
            vectors: VectorArray = read.float().cpu().numpy()
            return vectors

        made = evenly(windows, [len(window.ids) for window in windows], make)
        return [vectors[window.first : window.last] for window, vectors in zip(windows, made, strict=True)]


def _parted(document: int, windows: Sequence[_Window]) -> Iterator[_Part]:
    """A document's windows in parts of `PART`."""
    at = 0
    for i in range(0, len(windows), PART):
        part = tuple(windows[i : i + PART])
        yield _Part(document, at, part)
        at += sum(window.last - window.first for window in part)


def _sums(vectors: Array, reach: IntArray) -> VectorArray:
    """The sum of the rows of `vectors` from the first to before the second number of each row of `reach`."""
    running = np.zeros((len(vectors) + 1, vectors.shape[1]))
    np.cumsum(vectors, axis=0, dtype=np.float64, out=running[1:])
    sums: VectorArray = (running[reach[:, 1]] - running[reach[:, 0]]).astype(np.float32)
    return sums
