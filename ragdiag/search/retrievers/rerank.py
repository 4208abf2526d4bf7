"""Re-order the head of a ranking by a cross-encoder, which reads query and text together, wherever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ragdiag.core.arrays import FloatArray, VectorArray
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Index, Progress, Retriever, Store, no_progress, text_key
from ragdiag.core.registry import require
from ragdiag.core.remote import form_of_model
from ragdiag.search.lengths import EVEN
from ragdiag.search.model_files import setting
from ragdiag.search.models import folder_of, identity_of, load_model, made, readable
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.search.scorers import EndpointScorer, FunctionScorer, Pair
from ragdiag.search.spread import same_anywhere

PRECISION = "float32"
DECIMALS = 5
"""Scores are rounded so: float32 carries no more of a logit of 10 or so."""

HEADS = ("ForSequenceClassification", "ForCausalLM")
"""What the architecture of a model that can score pairs ends with; for any other a scoring layer would be made up at random."""


@dataclass(frozen=True)
class Rerank:
    """Order the first `depth` by what a re-ranker gives for query and text; nothing below is returned.

    `model` is a folder or a hub name of a sentence-transformers cross-encoder, an endpoint, as
    ``"https://host/v2/rerank#name"`` (`EndpointScorer`), or a function of the team's, as ``"module:function"``: called with a
    query and a list of texts, it gives a score for each (`FunctionScorer`). There is no default: none comes with ragdiag, and
    none is fetched that nobody named.
    """

    nests: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)
    model: str = ""
    depth: int = 50

    def __post_init__(self) -> None:
        if not self.model:
            example = "rerank(hybrid, model='cross-encoder/ms-marco-MiniLM-L6-v2')"
            others = "an endpoint's address, or module:function"
            raise SpecError(f"rerank needs a cross-encoder: model= its folder or its hub name, e.g. {example}; or {others}")
        if self.depth < 1:
            raise SpecError(f"rerank: depth must be 1 or more, not {self.depth}")

    @property
    def scorer(self) -> AnyScorer:
        """The model that scores pairs. Raises `SpecError` for an address that is none, and for a file of vectors."""
        form = form_of_model(self.model)
        if form == "vectors":
            raise SpecError(f"model {self.model!r} is a file of vectors, which scores no pairs")
        if form == "files":
            return CrossEncoder(self.model)
        return EndpointScorer(self.model) if form == "endpoint" else FunctionScorer(self.model)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> RerankIndex:
        """See `protocols.Retriever`. Raises `SpecError` or `MissingExtra` where the model is not to be had."""
        return RerankIndex(self.retriever.index(texts, store, progress), texts, self.depth, self.scorer, store, progress)


class CrossEncoder:
    """One model. `name` is a folder or a hub name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[type[CrossEncoder], tuple[str]]:
        """For another process."""
        return type(self), (same_anywhere(self.name),)

    @cached_property
    def folder(self) -> Path:
        """Where the model's files are. Raises `SpecError` or `MissingExtra` where there are none."""
        return folder_of(self.name)

    @cached_property
    def identity(self) -> str:
        """What its scores depend on: the model's files, by hash, the precision, how batches are made."""
        return f"cross-encoder {identity_of(self.folder)} {PRECISION} {EVEN}"

    @property
    def described(self) -> str:
        """For a signature: the model's name, the start of its files' hash, the precision."""
        return f"{Path(self.name).name}@{identity_of(self.folder)[:12]}:{PRECISION}"

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory, so that scoring costs what it costs an application."""
        return "_model" in vars(self)

    @cached_property
    def _model(self) -> Any:
        if not (architecture := _architecture(self.folder)).endswith(HEADS):
            raise SpecError(f"{str(self.folder)!r} holds no cross-encoder (its architecture: {architecture})")
        model = load_model("CrossEncoder", self.folder, PRECISION)
        if model.num_labels != 1:
            raise SpecError(f"{str(self.folder)!r} gives {model.num_labels} scores for a pair; a re-ranker gives one")
        return model

    def scores(self, pairs: Mapping[bytes, Pair], store: Store | None, progress: Progress) -> dict[bytes, float]:
        """The score of each of `pairs`, by key; known ones from `store`, new ones added to it."""
        in_order = dict(sorted(pairs.items(), key=lambda item: (sum(map(len, item[1])), item[1])))
        found = made("re-ranking", in_order, self._score, self.identity, store, progress, model=self)
        return {key: float(np.round(np.float64(score[0]), DECIMALS)) for key, score in found.items()}

    def _score(self, batch: list[Pair]) -> VectorArray:
        pairs = [(readable(query), readable(text)) for query, text in batch]
        # Before the model's own activation: near 0 and 1 a sigmoid makes ties of what it is sure of.
        plain = require("torch", "dense").nn.Identity()

        # One by one: its last layer has a row for each pair of a batch, and adds otherwise for another number of them.
        scores = [self._model.predict([pair], activation_fn=plain, show_progress_bar=False)[0] for pair in pairs]
        return np.asarray(scores, dtype=np.float32)[:, None]


AnyScorer = CrossEncoder | EndpointScorer | FunctionScorer
"""What a parameter `model` may name."""


class RerankIndex(StepIndex):
    """An index whose rankings are re-ordered by a re-ranker. A pair is scored once."""

    def __init__(
        self, inner: Index, texts: Sequence[str], pool: int, scorer: AnyScorer, store: Store | None, progress: Progress
    ) -> None:
        super().__init__(inner, texts, pool)
        self.scorer, self._store, self._progress = scorer, store, progress
        self._known: dict[bytes, float] = {}

    def answer(self, query: str, depth: int) -> Run:
        """See `protocols.Index`; the pairs are scored anew, unless the model must be loaded first."""
        if not self.scorer.loaded:
            return super().answer(query, depth)
        anew = RerankIndex(self.indexes[0], self._texts, self._pool, self.scorer, None, no_progress)
        return StepIndex.answer(anew, query, depth)

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        pairs = [[(pool.query, text) for text in self._said(pool)] for pool in pools]
        keys = [[_key(pair) for pair in row] for row in pairs]
        new = {k: p for row, own in zip(keys, pairs, strict=True) for k, p in zip(row, own, strict=True) if k not in self._known}
        if new:
            self._known |= self.scorer.scores(new, self._store, self._progress)
        return [self._ordered(pool, np.array([self._known[k] for k in row])) for pool, row in zip(pools, keys, strict=True)]

    def _ordered(self, pool: Pool, scores: FloatArray) -> Run:
        order = np.lexsort((pool.positions, self._places(pool), -scores))
        return pool.positions[order], scores[order]


def _architecture(folder: Path) -> str:
    """What the model's configuration says that it is."""
    if not (folder / "config.json").is_file():
        raise SpecError(f"{str(folder)!r} holds no model that can be read: no config.json")
    stated = setting(folder / "config.json", "architectures")
    return str(stated[0]) if isinstance(stated, list) and stated else "not stated"


def _key(pair: Pair) -> bytes:
    query, text = pair
    return text_key(f"{len(query)} {query}{text}")
