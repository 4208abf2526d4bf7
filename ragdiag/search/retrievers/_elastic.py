"""One index of an Elasticsearch or OpenSearch server, asked over HTTP and only read."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import json
import os
import socket
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import quote

from ragdiag.core.bounded import within
from ragdiag.core.endpoints import read_body
from ragdiag.core.errors import InputError, RagdiagError, SpecError, did_you_mean
from ragdiag.core.secrets import as_cause
from ragdiag.search.retrievers._elastic_form import reads_answers
from ragdiag.search.retrievers._payload import flattened
from ragdiag.search.retrievers._source import PAGE, Opaque, Row, address, one_line

__all__ = ["MOST", "SAME_COPY", "Answer", "ElasticIndex", "check_filter"]

KEY, USER, PASSWORD = "ELASTICSEARCH_API_KEY", "ELASTICSEARCH_USER", "ELASTICSEARCH_PASSWORD"
SECONDS = 60
WHOLE_S, LARGEST = 600, 512 * 2**20
"""How long one answer may take, and its bytes: a server may send without an end."""

MOST = 10_000
"""Results that a server gives to one search at most, as it is set up (``index.max_result_window``)."""

SAME_COPY = "preference=ragdiag"
"""All searches are of the same copy of each shard: copies may count deleted records differently."""

SCROLL = "2m"
"""How long a server keeps the place in the list of all records, from page to page."""

Answer = Mapping[str, Opaque]
"""What a server says, as JSON."""


@reads_answers
class ElasticIndex:
    """The records of an index, an alias or a pattern of indexes. `text` names the field of a record that holds the chunk.

    Names of fields may be paths (``body.text``). `where` is a query in the server's own language, as JSON, which both the chunks
    and every search are limited to. `left_out` names a field that is not read with a record. Key, user and password come from the
    environment, and go to the address `url` alone: where that redirects elsewhere, nothing follows.
    """

    def __init__(self, url: str, index: str, text: str, where: str, left_out: str = "") -> None:
        self.url, self.index, self.text, self._left_out = url.rstrip("/"), index, text, left_out
        self.filter: Answer | None = json.loads(where) if where else None

    @property
    def place(self) -> str:
        """Where it is, for people: no secret is in it."""
        return f"{self.url} [{self.index}]"

    def count(self) -> int:
        """The number of its records."""
        return int(self.ask("_count", {"query": self.filter or {"match_all": {}}})["count"])

    def size(self) -> int:
        """The bytes that it takes, 0 where the server does not say."""
        with contextlib.suppress(RagdiagError):
            said = self._said("GET", f"/{quote(self.index, safe='*,-')}/_stats/store")
            return int(said["_all"]["primaries"]["store"]["size_in_bytes"])
        return 0

    def rows(self) -> Iterator[Row]:
        """Every record, each once, as they are when the first is asked for.

        Raises `InputError` where an id stands twice, as it may in several indexes: nothing would tell such records apart.
        """
        asked = {"size": PAGE, "sort": ["_doc"], "query": self.filter or {"match_all": {}}, **self._source}
        page, seen = self.ask(f"_search?scroll={SCROLL}", asked), set[str]()
        try:
            while hits := page["hits"]["hits"]:
                for row in map(self._row, hits):
                    if row.id in seen:
                        raise InputError(f"id {row.id!r} stands twice", self.place, remedy="audit one index at a time")
                    seen.add(row.id)
                    yield row
                page = self._said("POST", "/_search/scroll", {"scroll": SCROLL, "scroll_id": page["_scroll_id"]})
        finally:  # the place in the list is given back, whatever became of the list
            with contextlib.suppress(RagdiagError):
                self._said("DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})

    def records(self, ids: Sequence[str]) -> list[Row]:
        """The records of `ids`, which are there, in this order."""
        of = {hit["_id"]: hit for hit in self.hits(ids, self._source)}
        return [self._row(of[name]) for name in ids]

    def hits(self, ids: Sequence[str], wanted: Answer) -> list[Answer]:
        """What the server has of the records of `ids`, in an order of its own; `wanted` says what of each."""
        found: list[Answer] = []
        for i in range(0, len(ids), PAGE):
            some = list(ids[i : i + PAGE])
            found += self.ask("_search", {"size": len(some), "query": {"ids": {"values": some}}, **wanted})["hits"]["hits"]
        return found

    def ask(self, end: str, body: Answer) -> Answer:
        """What the index answers to a request that reads."""
        return self._said("POST", f"/{quote(self.index, safe='*,-')}/{end}", body)

    def search(self, body: Answer) -> list[Answer]:
        """The hits of a search, best first."""
        hits: list[Answer] = self.ask(f"_search?{SAME_COPY}", {"_source": False, **body})["hits"]["hits"]
        return hits

    def kind(self, field: str) -> Answer:
        """How a field is mapped. Raises `SpecError` for one that is in no mapping."""
        if field not in self._fields:
            raise SpecError(f"{self.place}: no field {field!r}{did_you_mean(field, list(self._fields)[:50])}")
        return self._fields[field]

    @cached_property
    def _fields(self) -> dict[str, Answer]:
        """Every field of the mappings, by its path, those that another one is indexed as among them."""
        found: dict[str, Answer] = {}
        for of_index in self._said("GET", f"/{quote(self.index, safe='*,-')}/_mapping").values():
            found |= _paths(of_index["mappings"].get("properties", {}))
        return found

    @property
    def _source(self) -> Answer:
        return {"_source": {"excludes": [self._left_out]} if self._left_out else True}

    def _row(self, hit: Answer) -> Row:
        fields = hit.get("_source") or {}
        text = _at(fields, self.text)
        if not isinstance(text, str):
            has = f"it has {', '.join(sorted(fields)[:8])}" if fields else "the index keeps no _source"
            remedy = "name the field that holds it: text=..."
            raise InputError(f"record {hit['_id']!r} has no text ({has})", self.place, remedy=remedy)
        return Row(hit["_id"], text, flattened(fields))

    def _said(self, method: str, path: str, body: Answer | None = None) -> Answer:
        """What the server says. Raises `SpecError` for an index that it does not have, `RagdiagError` for all else it refuses."""
        try:
            status, text = self._in_time(method, path, b"" if body is None else json.dumps(body).encode())
            said = json.loads(text)
        except (OSError, http.client.HTTPException) as e:
            raise RagdiagError(
                f"{self.place}: {one_line(e)}; check that an Elasticsearch or OpenSearch server runs there (http or https)"
            ) from as_cause(e)
        except OverflowError as e:
            raise RagdiagError(f"{self.place}: an answer of more than {LARGEST // 2**20} MB, which is none of a search") from e
        except (ValueError, RecursionError) as e:
            raise RagdiagError(f"{self.place}: what answers there is no Elasticsearch or OpenSearch (it gives no JSON)") from e
        if status == http.client.OK and isinstance(said, dict):
            return said
        raise self._refused(status, said)

    def _in_time(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        connection, deadline = self._connection, time.monotonic() + WHOLE_S
        try:
            return within(WHOLE_S, lambda: self._sent(connection, deadline, method, path, body))
        except TimeoutError:
            del self._connection  # the next request has one of its own
            with contextlib.suppress(OSError, AttributeError):  # what still waits for it learns that nothing more comes
                connection.sock.shutdown(socket.SHUT_RDWR)
            raise

    def _sent(
        self, connection: http.client.HTTPConnection, deadline: float, method: str, path: str, body: bytes
    ) -> tuple[int, bytes]:
        """The status and text of the answer. A connection is kept; one that the server has let go is made anew."""
        headers = {"Content-Type": "application/json", **_admission()}
        for attempt in (0, 1):
            try:
                connection.request(method, path, body, headers)
                with connection.getresponse() as answer:
                    parts = iter(functools.partial(answer.read1, 1 << 16), b"")
                    text = read_body(parts, deadline, LARGEST)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                connection.close()
                if attempt or time.monotonic() > deadline:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                break
        if http.client.MULTIPLE_CHOICES <= answer.status < http.client.BAD_REQUEST:
            remedy = "name the address itself: no redirect is followed, as a key would go along"
            raise RagdiagError(f"{self.place}: the server redirects elsewhere ({answer.status}); {remedy}")
        if answer.status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
            names = f"{KEY}, or {USER} and {PASSWORD}"
            raise RagdiagError(f"{self.place}: the server does not admit you ({answer.status}); set the environment's {names}")
        return answer.status, text

    @cached_property
    def _connection(self) -> http.client.HTTPConnection:
        host, port, secure = address(self.url, "elastic")
        of = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = of(host.strip("[]"), port, timeout=SECONDS)
        weakref.finalize(self, connection.close)
        return connection

    def _refused(self, status: int, said: object) -> RagdiagError:
        error = said.get("error") if isinstance(said, dict) else None
        cause = _cause(error) if isinstance(error, Mapping) else {}
        if cause.get("type") == "index_not_found_exception":
            return SpecError(f"{self.url} has no index {self.index!r}{did_you_mean(self.index, self._known())}")
        reason = cause.get("reason") or error or said
        return RagdiagError(f"{self.place}: the server refuses this ({status}): {one_line(Exception(reason))}")

    def _known(self) -> list[str]:
        """The indexes and aliases that the server tells of, but for its own."""
        with contextlib.suppress(RagdiagError):
            said = self._said("GET", "/_resolve/index/*")
            return [each["name"] for kind in ("indices", "aliases") for each in said.get(kind, []) if each["name"][0] != "."]
        return []


def check_filter(where: str, retriever: str) -> None:
    """Raises `SpecError` for a `where` that cannot be a query of the server's language."""
    try:
        sound = not where or isinstance(json.loads(where), dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise SpecError(f'{retriever}: where must be a query as JSON, e.g. \'{{"term": {{"lang": "en"}}}}\'')


def _admission() -> dict[str, str]:
    """The header that admits, of what the environment has; no error shows it."""
    key, user, password = (os.environ.get(name, "").strip() for name in (KEY, USER, PASSWORD))
    if not all(part.isascii() and part.isprintable() for part in (key, user)):
        raise SpecError(f"the environment variable {KEY} or {USER} holds characters that none has; set it anew")
    if key:
        return {"Authorization": f"ApiKey {key}"}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()} if user else {}


def _cause(error: Answer) -> Answer:
    """The first cause of an error, which says most; else the error."""
    causes: Sequence[Answer] = error.get("root_cause") or [error]
    return causes[0]


def _paths(properties: Answer, before: str = "") -> dict[str, Answer]:
    """Fields by their paths: those of objects, and the further ways in which a field is indexed."""
    found: dict[str, Answer] = {}
    for name, field in properties.items():
        if "type" in field:
            found[before + name] = field
        found |= _paths({**field.get("properties", {}), **field.get("fields", {})}, f"{before}{name}.")
    return found


def _at(fields: Answer, path: str) -> object:
    """What stands at a path, whose parts may be nested or written as one name."""
    if path in fields:
        return fields[path]
    first, _, rest = path.partition(".")
    inner = fields.get(first)
    return _at(inner, rest) if rest and isinstance(inner, Mapping) else None
