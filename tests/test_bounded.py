"""What servers answer is bounded in time and bytes, whatever part of it has no end; what they repeat of a key is not shown."""

import base64
import contextlib
import gzip
import json
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ragdiag.core.bounded import ASKING, within
from ragdiag.core.endpoints import Connection
from ragdiag.core.errors import InputError, RagdiagError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.core.remote import KEY, RERANK_KEY
from ragdiag.core.secrets import as_cause, without_secrets

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s\r\n"
ENDLESS = {
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "interim responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "an error": (HEAD % (b"400 Bad Request", b""), b"a"),
    "a body": (HEAD % (b"200 OK", b""), b" "),
    "the length of a chunk": (HEAD % (b"200 OK", b"Transfer-Encoding: chunked\r\n"), b"0"),
}
"""What comes once, and what then comes again and again."""


class Server:
    """Answers each request with `first`, then with `again` until nobody listens; `sent` counts the bytes."""

    def __init__(self, first: bytes, again: bytes = b"", pause_s: float = 0.01) -> None:
        self.sent, self.heard = 0, list[bytes]()
        self._first, self._again, self._pause_s = first, again, pause_s
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += connection.recv(1 << 16)
            self.heard.append(heard)
            connection.sendall(self._first)
            while self._again and not self._closed.wait(self._pause_s):
                connection.sendall(self._again)
                self.sent += len(self._again)

    def close(self) -> None:
        self._closed.set()
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def started(*how: Any) -> Server:
        servers.append(Server(*how))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def kind(url: str, key: str = KEY, timeout_s: float = 0.3) -> str:
    """What a failure at an endpoint is called."""
    pytest.importorskip("openai")
    connection = Connection(f"{url}/v1", "model", timeout_s, 0, key)
    try:
        if key == KEY:
            connection.body("embeddings", {"model": "m", "input": ["a"], "encoding_format": "float"})
        else:
            connection.posted({"query": "a"})
    except Exception as e:
        return connection.kind_of(e)
    finally:
        connection.close()
    return ""


@pytest.mark.parametrize("key", [KEY, RERANK_KEY])
@pytest.mark.parametrize("what", ENDLESS)
def test_what_drips_without_an_end_is_not_waited_for(serve: Callable[..., Server], what: str, key: str) -> None:
    assert kind(serve(*ENDLESS[what]).url, key) == "timed out"


@pytest.mark.parametrize("key", [KEY, RERANK_KEY])
@pytest.mark.parametrize(("status", "said"), [(b"400 Bad Request", "status 400"), (b"200 OK", "more than 16 MB")])
def test_what_pours_without_an_end_is_not_kept(serve: Callable[..., Server], status: bytes, said: str, key: str) -> None:
    server = serve(HEAD % (status, b""), b"a" * 2**20, 0.0)
    assert kind(server.url, key, 60) == said
    assert server.sent < 2**25


def test_nothing_is_unpacked(serve: Callable[..., Server]) -> None:
    bomb = gzip.compress(bytes(2**22))
    encoded = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(bomb)
    pytest.importorskip("openai")
    server = serve(HEAD % (b"200 OK", encoded) + bomb)
    connection = Connection(f"{server.url}/v1", "model", 20, 0)
    assert connection.body("embeddings", {"model": "m", "input": ["a"], "encoding_format": "float"}) == bomb
    connection.close()
    assert b"accept-encoding: identity" in server.heard[0].lower()


def test_what_openai_is_told_goes_to_openai_s_key_alone(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1", KEY: "sk-1", RERANK_KEY: "co-1", "OPENAI_ADMIN_KEY": "adm-1"}
    told["OPENAI_CUSTOM_HEADERS"] = "authorization: Bearer gateway\nX-Gateway: gate-1"
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    server = serve(HEAD % (b"400 Bad Request", b"Content-Length: 0\r\n"))
    assert kind(server.url, RERANK_KEY, 20) == kind(server.url, KEY, 20) == "status 400"
    rerank, openai = (heard.partition(b"\r\n\r\n")[0].decode().lower() for heard in server.heard)
    assert "authorization: bearer co-1" in rerank
    assert not [value for value in ("org-1", "proj-1", "sk-1", "adm-1", "gate") if value in rerank]
    assert "authorization: bearer sk-1" in openai
    assert not [value for value in ("co-1", "adm-1", "bearer gateway") if value in openai]


SECRETS = {"QDRANT_API_KEY": "qd-secret-1", "CHROMA_CLIENT_AUTH_CREDENTIALS": "anna:ch secret", "MILVUS_TOKEN": 'root:"mi"+/é'}
SECRETS |= {"ELASTICSEARCH_USER": "elastic", "ELASTICSEARCH_PASSWORD": "el-secret"}
SECRETS |= {"ELASTICSEARCH_API_KEY": base64.b64encode(b"id-1:of-elastic").decode(), "OPENAI_CUSTOM_HEADERS": "X-Own: own-secret"}


@pytest.mark.parametrize(
    "repeated",
    [
        *(value for name, value in SECRETS.items() if not name.endswith(("_USER", "HEADERS"))),
        base64.b64encode(b"anna:ch secret").decode(),
        base64.b64encode(b"elastic:el-secret").decode(),
        json.dumps(SECRETS["MILVUS_TOKEN"]),
        "of-elastic",
        "ch secret",
        "own-secret",
    ],
)
def test_a_key_that_a_server_repeats_is_not_shown(repeated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    quotes = '"' if repeated.startswith('"') else ""
    for shown in (without_secrets(f"no key {repeated}!"), str(RagdiagError(f"no key {repeated}!"))):
        assert shown == f"no key {quotes}***{quotes}!"
    assert str(InputError(f"no key {repeated}!", "a.txt")) == f"a.txt: no key {quotes}***{quotes}!"


def test_a_traceback_shows_no_key_of_an_error_that_another_came_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567")

    def shown(said: str) -> str:
        try:
            try:
                try:
                    raise ValueError(said)
                except ValueError as e:
                    raise KeyError("deeper") from e
            except KeyError as e:
                raise RagdiagError("cannot be asked") from as_cause(e)
        except RagdiagError as e:
            return "".join(traceback.format_exception(e))

    assert "deeper" in shown("no such model") and "no such model" in shown("no such model")
    hidden = shown("you sent sk-1234567")
    assert "sk-1234567" not in hidden and "cannot be asked" in hidden


@pytest.mark.parametrize(
    "address", ["http://u:PW@h/v1", "http:/u:PW@h", "http:u:PW@h", "ftp://u:P@PW/@h", "//u:PW@h", "HTTPS://u:'PW@h"]
)
def test_a_password_in_an_address_is_not_shown(address: str) -> None:
    shown = without_secrets(f"model ' {address}' is none, write to a@b.org")
    assert "PW" not in shown
    assert "***@h" in shown and shown.endswith("is none, write to a@b.org")
    assert without_secrets("see https://example.org/a, or a@b.org") == "see https://example.org/a, or a@b.org"


def test_what_waits_is_left_and_what_fails_is_raised() -> None:
    released = threading.Event()
    with pytest.raises(TimeoutError, match="timed out"):
        within(0.05, lambda: released.wait(30))
    released.set()
    assert within(30, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(30, lambda: 1 // 0)


@pytest.mark.parametrize("what", ["interim responses", "an error", "a body"])
def test_elasticsearch_is_not_waited_for(serve: Callable[..., Server], what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragdiag.search.retrievers._elastic.WHOLE_S", 0.3)
    first, again = ENDLESS[what]
    server = serve(first, again.replace(b"103 Early Hints", b"100 Continue"))
    with pytest.raises(RagdiagError, match="timed out; check that an Elasticsearch"):
        make("retrievers", f"elastic(url='{server.url}', index=a)").stored_chunks(no_progress)
    for thread in [each for each in threading.enumerate() if each.name == ASKING]:  # what waited has been told, and ends
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "said",
    [
        {"a": {"mappings": {"properties": {"text": {"type": "text"}}}}, "count": 10**30, "hits": {"hits": []}, "_scroll_id": "x"},
        {
            "a": {"mappings": {"properties": {"text": {"type": "text"}}}},
            "count": 1,
            "hits": {"hits": [{"_id": 1}]},
            "_scroll_id": "x",
        },
        {"a": {"mappings": {"properties": {"text": {"type": "text"}}}}, "count": "many"},
        {"a": {"mappings": {"properties": ["text"]}}},
        {"a": {"mappings": [], "error": {"root_cause": 3}}},
        {"a": []},
    ],
)
@pytest.mark.parametrize("retriever", ["elastic(url='{}', index=a)", "elastic_knn(url='{}', index=a, vector=v)"])
def test_json_of_another_form_is_one_line(serve: Callable[..., Server], said: object, retriever: str) -> None:
    body = json.dumps(said).encode()
    url = serve(HEAD % (b"200 OK", b"Connection: close\r\nContent-Length: %d\r\n" % len(body)) + body).url
    with pytest.raises(RagdiagError):
        make("retrievers", retriever.format(url)).stored_chunks(no_progress)


@pytest.mark.stores
@pytest.mark.parametrize("store", ["chroma", "qdrant"])
@pytest.mark.parametrize("what", ["a header", "an error", "a body", "silence"])
def test_a_store_s_server_is_not_waited_for(
    serve: Callable[..., Server], store: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip({"chroma": "chromadb", "qdrant": "qdrant_client"}[store])
    seconds = {"chroma": "FIRST_S", "qdrant": "WHOLE_S"}[store]
    monkeypatch.setattr(f"ragdiag.search.retrievers._{store}.{seconds}", 0.3)
    server = serve(*ENDLESS.get(what, (b"", b"x", 20)))
    with pytest.raises(RagdiagError, match="timed out"):
        make("retrievers", f"{store}(collection=a, url='{server.url}')").stored_chunks(no_progress)


@pytest.mark.stores
def test_an_error_of_qdrant_without_an_end_is_not_kept(serve: Callable[..., Server]) -> None:
    pytest.importorskip("qdrant_client")
    server = serve(HEAD % (b"400 Bad Request", b""), b"a" * 2**20, 0.0)
    with pytest.raises(RagdiagError, match="400"):
        make("retrievers", f"qdrant(collection=a, url='{server.url}')").stored_chunks(no_progress)
    assert server.sent < 2**25
