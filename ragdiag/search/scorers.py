"""Re-rankers whose model is not ours to read: behind an endpoint, or a function. Each pair is asked for once, ever."""

from __future__ import annotations

import abc
import json
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from ragdiag.core.arrays import FloatArray, VectorArray
from ragdiag.core.endpoints import Connection
from ragdiag.core.errors import MissingExtra, UsageError
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.remote import RERANK_KEY, endpoint_of
from ragdiag.core.secrets import as_cause
from ragdiag.search.endpoint import RETRIES, TIMEOUT_S, remedy
from ragdiag.search.models import readable
from ragdiag.search.outside import MEMORY, Outside
from ragdiag.search.team import TeamFunction

__all__ = ["EndpointScorer", "FunctionScorer", "OutsideScorer", "Pair"]

Pair = tuple[str, str]
"""A query and a text."""

TEXTS = 100
"""Texts of a request: more are billed as more searches by the usual vendors."""

TEXTS_UNNAMED = 32
"""The same for a server with one model: what text-embeddings-inference takes unless told otherwise."""


class OutsideScorer(Outside):
    """A re-ranker of that kind: a score for a query with each of some texts. A subclass asks it, with `most` texts at once."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.most = TEXTS

    @abc.abstractmethod
    def _asked(self, query: str, texts: list[str]) -> object:
        """What it gives for some texts. Raises `UsageError` where it gives nothing."""

    def scores(self, pairs: Mapping[bytes, Pair], store: Store | None, progress: Progress) -> dict[bytes, float]:
        """The score of each of `pairs`, by key; known ones from `store`, new ones added to it after each request."""
        keep = self._store(store)
        known = keep.vectors(self.identity, list(pairs)) if keep is not None else {}
        requests = list(self._requests({key: pair for key, pair in pairs.items() if key not in known}))
        for i, request in enumerate(requests, 1):
            progress("re-ranking", i - 1, len(requests))
            known |= self._fresh(*request, keep)
            progress("re-ranking", i, len(requests))
        return {key: float(score[0]) for key, score in known.items()}

    def _fresh(self, query: str, texts: Mapping[bytes, str], keep: Store | None) -> dict[bytes, VectorArray]:
        """The scores of one request, kept as arrays of one number."""
        scores = self._checked(self._asked(query, list(texts.values())), len(texts))
        fresh: dict[bytes, VectorArray] = dict(zip(texts, scores.astype(np.float32)[:, None], strict=True))
        if keep is not None:
            keep.add_vectors(self.identity, fresh)
        return fresh

    def _requests(self, pairs: Mapping[bytes, Pair]) -> Iterator[tuple[str, dict[bytes, str]]]:
        """Each query with the texts, by key, that it is scored with at once."""
        by_query: dict[str, dict[bytes, str]] = {}
        for key, (query, text) in pairs.items():
            by_query.setdefault(query, {})[key] = text
        for query, texts in by_query.items():
            keys = list(texts)
            for i in range(0, len(keys), self.most):
                yield query, {key: texts[key] for key in keys[i : i + self.most]}

    def _checked(self, given: object, n: int) -> FloatArray:
        scores: FloatArray = self._numbers(given, np.float64)
        if scores.shape != (n,):
            raise self._error(f"gave an array of {' x '.join(map(str, scores.shape))} for {n} texts", self.how)
        if not np.isfinite(scores).all():
            raise self._error("gave a score that is not finite", "mend it")
        return scores


class FunctionScorer(OutsideScorer):
    """``function(query, texts)`` gives a score for each text. What tells its scores from others is said by `TeamFunction`."""

    how: ClassVar[str] = "it is called with a query and a list of texts, and gives a number for each text"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._team = TeamFunction(target, "model", "scores")

    @property
    def identity(self) -> str:
        """See `OutsideScorer`."""
        return f"re-ranker {self._team.identity}"

    @property
    def described(self) -> str:
        """See `OutsideScorer`."""
        return self._team.described

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: whether scores are kept."""
        return self._team.notes

    def _store(self, store: Store | None) -> Store | None:
        return store if self._team.version or store is None else MEMORY

    def _asked(self, query: str, texts: list[str]) -> object:
        scores = self._team.called(query, texts, on=f"a query and {len(texts)} texts", how=self.how)
        self.loaded = True
        return scores


class EndpointScorer(OutsideScorer):
    """The re-ranker at ``https://host/v2/rerank#name``; the key comes from the environment, see `remote.RERANK_KEY`.

    It is asked as Cohere's, Jina's, Voyage's and vLLM's are; without a name as text-embeddings-inference is, whose server has one
    model. Scores are kept under address and name.
    """

    how: ClassVar[str] = 'a re-ranker\'s endpoint gives {"results": [{"index": 0, "relevance_score": 0.9}, ...]}'

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.url, self.name = endpoint_of(target, unnamed=True, key=RERANK_KEY)
        self.most = TEXTS if self.name else TEXTS_UNNAMED
        self._connection: Connection | None = None

    @property
    def identity(self) -> str:
        """See `OutsideScorer`."""
        return f"re-ranker {self.url} {self.name}"

    @property
    def described(self) -> str:
        """See `OutsideScorer`."""
        return f"{self.name or 're-ranker'} at {self.url}"

    def scores(self, pairs: Mapping[bytes, Pair], store: Store | None, progress: Progress) -> dict[bytes, float]:
        """See `OutsideScorer`."""
        try:
            return super().scores(pairs, store, progress)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _store(self, store: Store | None) -> Store | None:
        return MEMORY if store is None else store

    def _asked(self, query: str, texts: list[str]) -> object:
        self._connection = self._connection or Connection(self.url, "model", TIMEOUT_S, RETRIES, RERANK_KEY)
        try:
            return _scores(json.loads(self._connection.posted(self._sent(query, [readable(text) for text in texts]))))
        except (MissingExtra, UsageError):
            raise
        except (KeyError, TypeError) as e:
            raise self._error("gave no list of scores", self.how) from e
        except Exception as e:
            kind = self._connection.kind_of(e)
            advice = remedy(kind, texts, RERANK_KEY, "/rerank")
            raise self._error(f"cannot be asked ({kind})", advice) from as_cause(e)

    def _sent(self, query: str, texts: list[str]) -> dict[str, object]:
        if self.name:
            return {"model": self.name, "query": readable(query), "documents": texts}
        # Before its activation: near 0 and 1 a sigmoid makes ties of what it is sure of.
        return {"query": readable(query), "texts": texts, "truncate": True, "raw_scores": True}


def _scores(response: object) -> list[float]:
    """The scores in the order of the texts. Raises `KeyError` or `TypeError` for a response that has no such thing."""
    items = response.get("results", response.get("data")) if isinstance(response, dict) else response
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TypeError
    places = [item["index"] for item in items]
    scores = [item.get("relevance_score", item.get("score")) for item in items]
    # What it has instead of numbers may hold anything.
    if set(map(type, places)) - {int} or set(map(type, scores)) - {int, float} or sorted(places) != list(range(len(items))):
        raise TypeError
    by_place = dict(zip(places, scores, strict=True))
    try:
        return [float(by_place[i]) for i in range(len(items))]
    except OverflowError as e:
        raise TypeError from e
