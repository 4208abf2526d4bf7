"""A model behind an OpenAI-compatible endpoint as the encoder: every vector that came is kept, and asked for only once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from ragdiag.core.arrays import VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.endpoints import Connection
from ragdiag.core.errors import MissingExtra, UsageError
from ragdiag.core.progress import renamed
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.remote import KEY, endpoint_of
from ragdiag.core.secrets import as_cause
from ragdiag.search.models import readable
from ragdiag.search.outside import MEMORY, OutsideEncoder
from ragdiag.text.phrases import counted

__all__ = ["RETRIES", "TIMEOUT_S", "EndpointEncoder", "remedy"]

TEXTS = 64
"""Texts of a request: with the longest that such models read, some 500,000 tokens, which the usual endpoints still take."""

RETRIES = 5
"""With the pauses between them, some 15 seconds: a limit by the second is waited for, one by the day is not."""

TIMEOUT_S = 120.0

LATER = "what came before is in the cache, so go on later with the same command"


class EndpointEncoder(OutsideEncoder):
    """The embeddings of ``http://localhost:8000/v1#name``; the key comes from the environment, see `remote.KEY`.

    Vectors are kept under address and name. Texts go out as they are, `TEXTS` a request; queries and documents alike, without any
    words before them.
    """

    batch: ClassVar[int] = TEXTS
    keep_every: ClassVar[int] = 1  # a request may have been paid for
    how: ClassVar[str] = 'an OpenAI-compatible endpoint gives {"data": [{"index": 0, "embedding": [...]}, ...]}'
    changed: ClassVar[str] = "vectors are kept by address and name: give another --cache where it has another model by that name"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.url, self.name = endpoint_of(target)
        self._connection: Connection | None = None

    @property
    def identity(self) -> str:
        """See `OutsideEncoder`."""
        return f"endpoint {self.url.rstrip('/')} {self.name}"

    @property
    def described(self) -> str:
        """See `OutsideEncoder`."""
        return f"{self.name} at {self.url.rstrip('/')}"

    @property
    def kept(self) -> bool:
        """See `OutsideEncoder`."""
        return True

    def _store(self, store: Store | None) -> Store | None:
        return MEMORY if store is None else store

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """See `OutsideEncoder`. Progress says how many texts and requests there are before the first one is made."""
        said = renamed(progress, lambda what, total: f"{what} by {self.name}, {counted(-(-total // TEXTS), 'request')}")
        try:
            return super().encode(texts, kind, store, said)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _asked(self, batch: list[str], kind: Kind) -> object:
        self._connection = self._connection or Connection(self.url, "model", TIMEOUT_S, RETRIES)
        sent = {"model": self.name, "input": [readable(text) for text in batch], "encoding_format": "float"}
        try:
            return _vectors(json.loads(self._connection.body("embeddings", sent)))
        except (MissingExtra, UsageError):
            raise
        except (KeyError, TypeError) as e:
            raise self._error("gave no list of vectors", self.how) from e
        except Exception as e:
            failure = self._connection.kind_of(e)
            raise self._error(f"cannot be asked ({failure})", remedy(failure, batch, KEY, "/v1")) from as_cause(e)


def remedy(kind: str, batch: Sequence[str], key: str, ending: str) -> str:
    """What to do about a failure by its kind; `key` is the variable with the key, `ending` that of such addresses."""
    if kind in ("status 400", "status 413", "status 422"):
        return f"it may read less than was sent: {len(batch)} texts, the longest of {max(map(len, batch))} characters"
    if kind.startswith("status 5") or kind in ("status 429", "timed out"):
        return LATER
    address = f"check the address, which ends in {ending} as a rule"
    wrong_key = f"the key of the endpoint comes from {key}"
    others = {
        "no connection": "check the address, and that the server runs",
        "status 401": wrong_key,
        "status 403": wrong_key,
        "status 404": f"{address}, and the model's name behind the #",
        "no JSON": address,
    }
    return others.get(kind, "see what the endpoint takes")


def _vectors(response: object) -> list[list[float]]:
    """The vectors in the order of the texts. Raises `KeyError` or `TypeError` for a response that has no such thing."""
    items = response["data"] if isinstance(response, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise TypeError
    places = [item.get("index", i) for i, item in enumerate(items)]
    if sorted(places) != list(range(len(items))):
        raise TypeError
    by_place = dict(zip(places, items, strict=True))
    vectors = [by_place[i]["embedding"] for i in range(len(items))]
    if not all(isinstance(v, list) and all(isinstance(x, (int, float)) for x in v) for v in vectors):
        raise TypeError  # what it has instead may hold anything
    return vectors
