"""One open client of a Milvus collection: of a copy of a Milvus Lite database, or of a server."""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.copying import copy_privately
from ragdiag.core.errors import InputError, SpecError, did_you_mean
from ragdiag.core.holding import temporary_folder
from ragdiag.core.registry import require
from ragdiag.search.retrievers._payload import TEXTS, flattened, text_in
from ragdiag.search.retrievers._source import PAGE, Opaque, Row, Space, asked

KEY = "MILVUS_TOKEN"
SECONDS = 60
MOST = 16_384
"""Results that Milvus gives to one search at most."""

SPACES: dict[str, Space] = {"COSINE": "cosine", "IP": "ip", "L2": "l2"}
OF_SERVER = (
    f"check that a Milvus server runs there, that it admits you ({KEY}), that the collection is loaded and where=... a filter"
)
OF_FOLDER = (
    "check that this version of milvus-lite opens it, that there is room for a copy, and that where=... is a filter of Milvus's"
)


class Searched(NamedTuple):
    """What of a record is searched and read, and how; empty and 0 for Milvus's own default."""

    vector: str
    text: str
    where: str
    ef: int
    nprobe: int


class MilvusSource:
    """A collection as a source, see `_source.Source`: of one client, opened when first asked for, closed when this goes.

    Records are read as they are now (consistency ``Strong``); a search asks as the collection's own consistency says. Milvus
    gives similarities for COSINE and IP, the squared distance for L2.
    """

    def __init__(self, name: str, path: str, url: str, searched: Searched) -> None:
        self._name, self._path, self._url, self._searched = name, path, url, searched
        self._texts = (searched.text,) if searched.text else TEXTS
        self._held = contextlib.ExitStack()
        weakref.finalize(self, self._held.close)

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return f"{self._path or self._url} [{self._name}]"

    @property
    def space(self) -> Space:
        """See `_source.Source`."""
        return SPACES[self._metric]

    @property
    def remedy(self) -> str:
        """See `_source.Source`."""
        return "raise ef of the search (an HNSW index), or nprobe (an IVF one)"

    def count(self) -> int:
        """See `_source.Source`."""
        found = self._ask("query", filter=self._searched.where, output_fields=["count(*)"], consistency_level="Strong")
        return int(found[0]["count(*)"])

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`. Raises `InputError` for a record that has no text."""
        with self._asked():
            pages = self._client.query_iterator(
                self._name, PAGE, filter=self._searched.where, output_fields=self._read, consistency_level="Strong"
            )
        try:
            while page := self._next(pages):
                yield from map(self._row, page)
        finally:
            pages.close()

    def _next(self, pages: Opaque) -> Sequence[Mapping[str, object]]:
        with self._asked():
            found: Sequence[Mapping[str, object]] = pages.next()
            return found

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        return [self._row(record) for record in self._got(ids, self._read)]

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Raises `InputError` for a record that has none."""
        found = [record.get(self._vector) for record in self._got(ids, [self._vector])]
        if missing := [name for name, vector in zip(ids, found, strict=True) if vector is None]:
            remedy = f"leave such records out: where='{self._vector} is not null'"
            raise InputError(f"record {missing[0]!r} has no vector", self.place, remedy=remedy)
        return np.array(found, dtype=np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`."""
        wide = {name: value for name, value in (("ef", self._searched.ef), ("nprobe", self._searched.nprobe)) if value}
        if "ef" in wide:  # Milvus refuses one below the number of results
            wide["ef"] = max(wide["ef"], n)
        found = self._ask(
            "search",
            data=vectors.tolist(),
            anns_field=self._vector,
            limit=min(n, MOST),
            filter=self._searched.where,
            search_params={"metric_type": self._metric, "params": wide},
        )
        return [([str(self._name_of(hit)) for hit in hits], [self._distance(hit["distance"]) for hit in hits]) for hits in found]

    def _name_of(self, hit: Mapping[str, object]) -> object:
        """Newer versions of pymilvus call a hit's id as the schema does, older ones "id"."""
        return hit[self._id] if self._id in hit else hit["id"]

    def _distance(self, given: float) -> float:
        return given if self._metric == "L2" else 1 - given

    def _row(self, record: Mapping[str, object]) -> Row:
        name, text = str(record[self._id]), text_in(record, self._texts)
        if text is None:
            remedy = "name the field that holds it: text=..."
            raise InputError(f"record {name!r} has no text (it has {', '.join(sorted(record)[:8])})", self.place, remedy=remedy)
        return Row(name, text, flattened(record))

    def _got(self, ids: Sequence[str], fields: list[str]) -> list[Mapping[str, object]]:
        """Records in the order of `ids`: Milvus gives them in its own."""
        wanted: list[object] = [int(name) for name in ids] if self._numbered else list(ids)
        found = self._ask("get", ids=wanted, output_fields=[self._id, *fields], consistency_level="Strong") if wanted else []
        of = {str(record[self._id]): record for record in found}
        return [of[name] for name in ids]

    def _ask(self, method: str, **how: object) -> Opaque:
        with self._asked():
            return getattr(self._client, method)(self._name, **how)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """See `_source.asked`. What pymilvus and its server log is not shown: it is raised too, or is no error."""
        loggers = [logging.getLogger(name) for name in ("pymilvus", "grpc._server")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            with asked(self.place, OF_SERVER if self._url else OF_FOLDER):
                yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)

    @cached_property
    def _client(self) -> Opaque:
        """The client. Raises `InputError`, `SpecError`, and whatever pymilvus does."""
        library = require("pymilvus", "milvus")
        with contextlib.ExitStack() as held:
            client = self._served(library) if self._url else self._copied(library, held)
            held.callback(client.close)
            if not client.has_collection(self._name):
                near = did_you_mean(self._name, client.list_collections())
                raise SpecError(f"{self._path or self._url} has no collection {self._name!r}{near}")
            if self._path:
                client.load_collection(self._name)
            self._held.push(held.pop_all())
        return client

    def _served(self, library: Opaque) -> Opaque:
        token = os.environ.get(KEY, "").strip()
        if not (token.isascii() and token.replace(" ", "").isprintable()):  # an error about it would show it
            raise SpecError(f"the environment variable {KEY} holds characters that no token has; set it anew")
        return library.MilvusClient(self._url, token=token, timeout=SECONDS)

    def _copied(self, library: Opaque, held: contextlib.ExitStack) -> Opaque:
        lite, own = require("milvus_lite.server_manager", "milvus"), Path(self._path)
        if not ((own / "collections").is_dir() or own.is_file()):  # the client would make one
            remedy = "give the path of MilvusClient(...), or the url of a server"
            raise InputError("is no database of Milvus Lite", own, remedy=remedy)
        copy = Path(held.enter_context(temporary_folder())) / "copy.db"
        copy_privately(own, copy, left_out=["LOCK"])
        held.callback(lite.server_manager_instance.release_server, str(copy))
        return library.MilvusClient(str(copy))

    @cached_property
    def _fields(self) -> dict[str, Opaque]:
        """The fields of the collection's schema, by name."""
        return {field["name"]: field for field in self._schema["fields"]}

    @cached_property
    def _schema(self) -> Mapping[str, Opaque]:
        schema: Mapping[str, Opaque] = self._ask("describe_collection")
        return schema

    @cached_property
    def _id(self) -> str:
        return next(name for name, field in self._fields.items() if field.get("is_primary"))

    @property
    def _numbered(self) -> bool:
        return "INT" in _type(self._fields[self._id])

    @cached_property
    def _vector(self) -> str:
        """The field that is searched. Raises `SpecError` where none, or more than one, can be meant."""
        vectors = {name: _type(field) for name, field in self._fields.items() if "VECTOR" in _type(field)}
        dense = [name for name, kind in vectors.items() if kind == "FLOAT_VECTOR"]
        name = self._searched.vector or (dense[0] if len(dense) == 1 else "")
        if not name:
            known = ", ".join(dense) or "none"
            raise SpecError(f"{self.place}: the collection has no single float vector; name one: vector=... (known: {known})")
        if name not in vectors:
            raise SpecError(f"{self.place}: the collection has no vector {name!r}{did_you_mean(name, vectors)}")
        if name not in dense:
            raise SpecError(f"{self.place}: a vector of the type {vectors[name]} cannot be audited; known: FLOAT_VECTOR")
        return name

    @cached_property
    def _read(self) -> list[str]:
        """The fields of a record, those of no schema among them, but for its vectors."""
        own = [name for name, field in self._fields.items() if "VECTOR" not in _type(field)]
        return [*own, "$meta"] if self._schema.get("enable_dynamic_field") else own

    @cached_property
    def _metric(self) -> str:
        """The distance as Milvus calls it. Raises `SpecError` where the vector has no index, or one of no such distance."""
        with self._asked():
            indexes = [self._client.describe_index(self._name, each) for each in self._client.list_indexes(self._name)]
        metric = next((str(index["metric_type"]) for index in indexes if index and index["field_name"] == self._vector), "")
        if not metric:
            remedy = "create the one that the application searches"
            raise SpecError(
                f"{self.place}: the vector {self._vector!r} has no index, so that its distance is not known; {remedy}"
            )
        if metric not in SPACES:
            raise SpecError(f"{self.place}: the distance {metric} cannot be audited; known: {', '.join(SPACES)}")
        return metric


def _type(field: Mapping[str, Opaque]) -> str:
    """The type of a field, as Milvus calls it."""
    return str(getattr(field["type"], "name", field["type"]))
