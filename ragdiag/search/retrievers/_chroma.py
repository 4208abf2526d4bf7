"""One open client of a Chroma collection: of a copy of its folder, or of its server."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.bounded import HttpClient, bound, within
from ragdiag.core.copying import copy_privately
from ragdiag.core.errors import InputError, SpecError, did_you_mean
from ragdiag.core.holding import temporary_folder
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.registry import require
from ragdiag.search.retrievers._source import PAGE, Row, Space, address, asked

OF_SERVER = "check that a Chroma server runs there and admits you"
OF_FOLDER = "check that this version of chromadb opens it, and that there is room for a copy in the temporary folder"

FIRST_S, SECONDS, WHOLE_S, LARGEST = 60, 120, 600, 512 * 2**20
"""How long a server may take to admit, be silent, and take for one answer, and the bytes of one."""

NOBODY = "ragdiag: no record has this id"
"""To update a record that is not there changes nothing, and makes Chroma take in what its log holds."""


class ChromaSource:
    """A collection as a source, see `_source.Source`: of one client, opened when first asked for."""

    def __init__(self, name: str, path: str, url: str, start: int = 0) -> None:
        self._name, self._path, self._url = name, path, url
        self._connection = Connection(name, path, url, start)

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return f"{self._path or self._url} [{self._name}]"

    @property
    def unlinked(self) -> int:
        """See `_source.Restarted`."""
        return self._connection.unlinked

    def started_anew(self, start: int) -> ChromaSource:
        """See `_source.Restarted` and `Connection`."""
        return ChromaSource(self._name, self._path, self._url, start)

    def connect(self, progress: Progress) -> None:
        """Open it: a folder may have records to be linked first, which takes long."""
        with self._opened(progress):
            pass

    @cached_property
    def space(self) -> Space:
        """See `_source.Source`."""
        with self._opened() as collection:
            space: Space = (collection.configuration_json.get("hnsw") or {}).get("space") or "l2"
        return space

    @property
    def remedy(self) -> str:
        """See `_source.Source`."""
        return "raise ef_search of the collection (hnsw:search_ef where its metadata has it) and open it anew"

    def count(self) -> int:
        """See `_source.Source`."""
        with self._opened() as collection:
            return int(collection.count())

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`. Until a page is empty, not up to the count: a live collection may grow meanwhile."""
        read = 0
        while page := self._got(limit=PAGE, offset=read):
            read += len(page)
            yield from page

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        of = {row.id: row for row in self._got(ids=list(ids))}
        return [of[name] for name in ids]

    def _got(self, **which: Any) -> list[Row]:
        with self._opened() as collection:
            page = collection.get(**which, include=["documents", "metadatas"])
        rows = zip(page["ids"], page["documents"], page["metadatas"], strict=True)
        return [Row(name, text, metadata or {}) for name, text, metadata in rows]

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`."""
        with self._opened() as collection:
            page = collection.get(ids=list(ids), include=["embeddings"])
        of = dict(zip(page["ids"], page["embeddings"], strict=True))
        return np.array([of[name] for name in ids], dtype=np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`."""
        with self._opened() as collection:
            found = collection.query(query_embeddings=vectors, n_results=n, include=["distances"])
        return list(zip(found["ids"], found["distances"], strict=True))

    @contextlib.contextmanager
    def _opened(self, progress: Progress = no_progress) -> Iterator[Any]:
        """The collection as chromadb gives it; see `_source.asked`."""
        with asked(self.place, OF_SERVER if self._url else OF_FOLDER):
            yield self._connection.collection(progress)


class Connection:
    """A collection of a folder (`path`) or behind a server (`url`), opened when first asked for and held while this is.

    Chroma keeps the last records in a log, beside the graph that it has stored, and links them into it at each start, in
    another order each time: opened twice, one folder gives two graphs, which miss different records. In the copy of a folder
    they are linked in the order of the log, one at a time: one folder, one graph. `unlinked` counts them. A `start` other than 0
    links them in another order, its own, as another start of an application might.
    """

    def __init__(self, name: str, path: str, url: str, start: int = 0) -> None:
        self._name, self._path, self._url, self._start = name, path, url, start
        self._collection: Any = None
        self._held = contextlib.ExitStack()
        self.unlinked = 0
        weakref.finalize(self, self._held.close)

    def collection(self, progress: Progress) -> Any:
        """The collection as chromadb gives it. Raises `InputError`, `SpecError`, and whatever chromadb does."""
        if self._collection is None:
            with contextlib.ExitStack() as held:
                chromadb = require("chromadb", "chroma")
                self._collection = self._served(chromadb, held) if self._url else self._copied(chromadb, held, progress)
                self._held.push(held.pop_all())
        return self._collection

    def _served(self, chromadb: Any, held: contextlib.ExitStack) -> Any:
        host, port, ssl = address(self._url, "chroma")
        client = within(FIRST_S, lambda: chromadb.HttpClient(host, port, ssl, settings=_settings(chromadb, True)))
        held.enter_context(client)
        held.callback(_hang_up, client)
        for session in _sessions(client):
            session.timeout = SECONDS
            bound(session, WHOLE_S, LARGEST)
        return self._got(chromadb, client)

    def _copied(self, chromadb: Any, held: contextlib.ExitStack, progress: Progress) -> Any:
        folder = Path(self._path)
        if not (folder / "chroma.sqlite3").is_file():  # chromadb would make one
            raise InputError("is no Chroma folder (it has no chroma.sqlite3)", folder, remedy="give the folder of the collection")
        copy = Path(held.enter_context(temporary_folder())) / "copy"
        copy_privately(folder, copy)
        with contextlib.closing(sqlite3.connect(copy / "chroma.sqlite3", isolation_level=None)) as database:
            log = _Log(database, self._name)
            client = held.enter_context(chromadb.PersistentClient(str(copy), settings=_settings(chromadb, False)))
            collection = self._got(chromadb, client)
            for done in log.linked(collection, self._start):
                self.unlinked = done
                progress("linking records that Chroma has not linked", done, log.records)
        return collection

    def _got(self, chromadb: Any, client: Any) -> Any:
        try:
            # The default embedding function would be downloaded.
            collection = client.get_collection(self._name, embedding_function=None)
        except chromadb.errors.NotFoundError as e:
            near = did_you_mean(self._name, [c.name for c in client.list_collections()])
            raise SpecError(f"{self._path or self._url} has no collection {self._name!r}{near}") from e
        _forget_functions(collection.configuration_json)
        _forget_functions(collection._model.serialized_schema)
        return collection


def _forget_functions(stored: object) -> None:
    """Take the embedding functions out of what a store says of its collection. Chroma makes each that it reads: one may fetch
    a model, or run code that lies in the store. Vectors are given to it here, so none is ever needed.
    """
    for value in stored.values() if isinstance(stored, dict) else stored if isinstance(stored, list) else ():
        _forget_functions(value)
    if isinstance(stored, dict) and "embedding_function" in stored:
        stored["embedding_function"] = {"type": "legacy"}


class _Log:
    """The log of one collection in a `database` that no client has opened yet: taken out, then handed over record by record."""

    def __init__(self, database: sqlite3.Connection, name: str) -> None:
        self._database = database
        self.records = 0
        with contextlib.suppress(sqlite3.OperationalError):  # a folder of a Chroma that has no such log
            found = database.execute("SELECT id FROM collections WHERE name = ?", [name]).fetchone()
            self._id = found[0] if found else ""
            of_it = "FROM embeddings_queue WHERE topic LIKE '%/' || ?"
            database.execute(f"CREATE TEMP TABLE held AS SELECT * {of_it} ORDER BY seq_id", [self._id])
            database.execute(f"DELETE {of_it}", [self._id])
            database.execute("PRAGMA journal_mode = WAL")  # this, and no waiting for the disk: many small writes follow
            database.execute("PRAGMA synchronous = OFF")
            self.records = int(database.execute("SELECT count(*) FROM held").fetchone()[0])

    def linked(self, collection: Any, start: int) -> Iterator[int]:
        """Hands over what the stored graph lacks, and counts it; in an order of its own for each `start`, 0 being the log's."""
        if not self.records:
            return
        collection.count()  # loads the stored graph: only then does the database say, for every version, how far that goes
        known = self._known()
        rows = self._database.execute("SELECT id, rowid FROM held WHERE seq_id > ? ORDER BY rowid", [known]).fetchall()
        last = max(known, int(self._database.execute("SELECT max(seq_id) FROM held").fetchone()[0]))
        for done, row in enumerate(_shuffled(rows, start) if start else [row for _, row in rows], 1):
            self._database.execute("UPDATE held SET seq_id = ? WHERE rowid = ?", [last + 2 * done, row])
            self._database.execute("INSERT INTO embeddings_queue SELECT * FROM held WHERE rowid = ?", [row])
            collection.update(ids=[NOBODY], metadatas=[{"none": 0}])
            yield done

    def _known(self) -> int:
        """The number, in the log, of the last record in the stored graph."""
        graph = "segment_id IN (SELECT id FROM segments WHERE collection = ? AND scope = 'VECTOR')"
        found = self._database.execute(f"SELECT max(seq_id) FROM max_seq_id WHERE {graph}", [self._id]).fetchone()
        return int(found[0] or 0)


def _shuffled(rows: Sequence[tuple[str, int]], seed: int) -> list[int]:
    """Rows of a log by the ids of their records, in any order; those of one record, which replace each other, stay in theirs."""
    of_id: dict[str, list[int]] = {}
    for name, row in rows:
        of_id.setdefault(name, []).append(row)
    names = list(of_id)
    random.Random(seed).shuffle(names)
    return [row for name in names for row in of_id[name]]


def _settings(chromadb: Any, of_server: bool) -> Any:
    """Chroma's settings without telemetry and traces, and without what a ``.env`` of the working folder says, which is anybody's.

    How a server lets one in, its own variables in the environment say; a folder needs nothing from there, not even a server.
    """

    class Own(chromadb.Settings):  # type: ignore[misc]
        """As the environment has them, or as they are by default."""

        @classmethod
        def settings_customise_sources(
            cls, _: type, init_settings: object, env_settings: object, **__: object
        ) -> tuple[object, ...]:
            return (init_settings, env_settings) if of_server else (init_settings,)

    return Own(anonymized_telemetry=False, chroma_otel_collection_endpoint="", chroma_otel_granularity=None)


def _hang_up(client: Any) -> None:
    """Close what chromadb's own close() leaves open: the idle sockets of both its clients, which have no public name."""
    for session in _sessions(client):
        session.close()


def _sessions(client: object) -> Iterator[HttpClient]:
    """The clients of httpx within one of a server, each once."""
    servers = (getattr(part, "_server", None) for part in (client, getattr(client, "_admin_client", None)))
    sessions = [session for server in servers if (session := getattr(server, "_session", None)) is not None]
    yield from {id(session): session for session in sessions}.values()
