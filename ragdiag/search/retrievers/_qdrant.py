"""One open client of a Qdrant collection: of a copy of its folder, or of its server."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.bounded import bound
from ragdiag.core.errors import InputError, SpecError, did_you_mean
from ragdiag.core.holding import temporary_folder
from ragdiag.core.registry import require
from ragdiag.search.retrievers._payload import TEXTS, flattened, text_in
from ragdiag.search.retrievers._qdrant_folder import copied
from ragdiag.search.retrievers._source import PAGE, Opaque, Row, Space, asked, one_line

KEY = "QDRANT_API_KEY"
SPACES: dict[str, Space] = {"Cosine": "cosine", "Dot": "ip", "Euclid": "l2"}
SECONDS, WHOLE_S, LARGEST = 60, 600, 512 * 2**20
"""How long a server may be silent, and take for one answer, and the bytes of one."""

OF_SERVER = f"check that a Qdrant server runs there and admits you (its key is read from {KEY})"
OF_FOLDER = "check that this version of qdrant-client opens it, and that there is room for a copy in the temporary folder"


class QdrantSource:
    """A collection as a source, see `_source.Source`: of one client, opened when first asked for, closed when this goes."""

    def __init__(self, name: str, path: str, url: str, vector: str, text: str, where: str) -> None:
        self._name, self._path, self._url, self._vector, self._where = name, path, url, vector, where
        self._texts = (text,) if text else TEXTS
        self._held = contextlib.ExitStack()
        weakref.finalize(self, self._held.close)

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return f"{self._path or self._url} [{self._name}]"

    @property
    def space(self) -> Space:
        """See `_source.Source`."""
        return self._searched[1]

    @property
    def remedy(self) -> str:
        """See `_source.Source`. A folder of the Python client is searched exactly."""
        return "raise hnsw_ef of the search, or search with exact=true" if self._url else ""

    def count(self) -> int:
        """See `_source.Source`."""
        return int(self._ask("count", count_filter=self._filter, exact=True).count)

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`. Raises `InputError` for a point whose payload has no text."""
        offset = None
        while True:
            points, offset = self._ask("scroll", scroll_filter=self._filter, limit=PAGE, offset=offset, with_payload=True)
            yield from map(self._row, points)
            if offset is None:
                return

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        of = {row.id: row for row in map(self._row, self._ask("retrieve", ids=_points(ids), with_payload=True))}
        return [of[name] for name in ids]

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Raises `InputError` for a point that has none. Under cosine a server keeps them at length 1."""
        name = self._searched[0]
        wanted: bool | list[str] = [name] if name else True
        of = dict[str, Any]()
        for point in self._ask("retrieve", ids=_points(ids), with_payload=False, with_vectors=wanted):
            of[str(point.id)] = (point.vector or {}).get(name) if isinstance(point.vector or {}, dict) else point.vector
        if missing := next((i for i in ids if of.get(i) is None), None):
            remedy = "leave out such points with where=..., or name the vector that they have: vector=..."
            raise InputError(f"point {missing} has no vector {name!r}".replace(" ''", ""), self.place, remedy=remedy)
        return np.array([of[i] for i in ids], dtype=np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`."""
        name, space = self._searched
        query = self._library.models.QueryRequest
        requests = [query(query=v.tolist(), using=name or None, filter=self._filter, limit=n) for v in vectors]
        found = self._ask("query_batch_points", requests=requests)
        return [
            ([str(p.id) for p in answer.points], [p.score**2 if space == "l2" else 1 - p.score for p in answer.points])
            for answer in found
        ]

    def _row(self, point: Opaque) -> Row:
        payload: Mapping[str, object] = point.payload or {}
        text = text_in(payload, self._texts)
        if text is None:
            has = f"its payload has {', '.join(sorted(payload)[:8])}" if payload else "its payload is empty"
            raise InputError(f"point {point.id} has no text ({has})", self.place, remedy="name the field that holds it: text=...")
        return Row(str(point.id), text, flattened(payload))

    def _ask(self, method: str, **how: Opaque) -> Opaque:
        with self._asked():
            return getattr(self._client, method)(self._name, **how)

    def _asked(self) -> contextlib.AbstractContextManager[None]:
        return asked(self.place, OF_SERVER if self._url else OF_FOLDER)

    @cached_property
    def _library(self) -> Opaque:
        return require("qdrant_client", "qdrant")

    @cached_property
    def _filter(self) -> Opaque:
        if not self._where:
            return None
        try:
            return self._library.models.Filter.model_validate(json.loads(self._where))
        except (ValueError, RecursionError) as e:
            raise SpecError(f"qdrant: where is no filter of Qdrant's: {one_line(e, 100)}") from e

    @cached_property
    def _client(self) -> Opaque:
        """The client. Raises `InputError`, `SpecError`, and whatever qdrant-client does."""
        with contextlib.ExitStack() as held, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about many points in a folder, and a key without https
            client = self._served() if self._url else self._copied(held)
            held.callback(client.close)
            if not client.collection_exists(self._name):
                near = did_you_mean(self._name, [c.name for c in client.get_collections().collections])
                raise SpecError(f"{self._path or self._url} has no collection {self._name!r}{near}")
            self._held.push(held.pop_all())
        return client

    def _served(self) -> Opaque:
        key = os.environ.get(KEY, "").strip()
        if not (key.isascii() and key.isprintable()):  # an error about it would show it
            raise SpecError(f"the environment variable {KEY} holds characters that no key has; set it anew")
        client = self._library.QdrantClient(url=self._url, api_key=key or None, timeout=SECONDS, check_compatibility=False)
        bound(client.http.client._client, WHOLE_S, LARGEST)  # of httpx, which has no public name
        return client

    def _copied(self, held: contextlib.ExitStack) -> Opaque:
        folder = Path(self._path)
        if not (folder / "meta.json").is_file():  # the client would make one
            remedy = "give the folder of QdrantClient(path=...), or the url of the server whose storage it is"
            raise InputError("is no folder of Qdrant's Python client (it has no meta.json)", folder, remedy=remedy)
        library, copy = self._library, Path(held.enter_context(temporary_folder())) / "copy"
        copied(folder, copy)
        return library.QdrantClient(path=str(copy))

    @cached_property
    def _searched(self) -> tuple[str, Space]:
        """The name of the vector that is searched, "" where it has none, and its distance."""
        vectors = self._ask("get_collection").config.params.vectors or {}
        of = vectors if isinstance(vectors, dict) else {"": vectors}
        name = self._vector or (next(iter(of)) if len(of) == 1 else "")
        if not name and name not in of:
            known = ", ".join(of) or "none"
            raise SpecError(f"{self.place}: the collection has no single dense vector; name one: vector=... (known: {known})")
        if name not in of:
            raise SpecError(f"{self.place}: the collection has no vector {name!r}{did_you_mean(name, filter(None, of))}")
        distance = str(getattr(of[name].distance, "value", of[name].distance))
        if distance not in SPACES or of[name].multivector_config:
            what = "several vectors a point (multivector)" if of[name].multivector_config else f"the distance {distance}"
            raise SpecError(f"{self.place}: {what} cannot be audited; known: {', '.join(SPACES)}, one vector a point")
        return name, SPACES[distance]


def _points(ids: Sequence[str]) -> list[int | str]:
    """Ids as Qdrant has them: numbers of at most 64 bits, and UUIDs, which may be written without hyphens."""
    return [int(name) if name.isdecimal() and len(name) <= 20 else name for name in ids]
