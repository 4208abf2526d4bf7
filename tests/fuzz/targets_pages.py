"""The page on which people label: the bytes of a request, and what a request may ask."""

import io
import json
from pathlib import Path
from typing import Any

from targets import TEXTS, Target, fresh

TOKEN = "t" * 32
HEAD = "Host: 127.0.0.1:80\r\nOrigin: http://127.0.0.1:80\r\nContent-Type: application/json\r\n"


def posted(body: object, path: str = "act") -> bytes:
    raw = json.dumps(body).encode()
    return f"POST /{TOKEN}/{path} HTTP/1.1\r\n{HEAD}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


def session(folder: Path) -> Any:
    """A session of labelling two questions."""
    from ragdiag.label.setup import open_session

    corpus, asks = folder / "corpus.jsonl", folder / "asks.txt"
    if not corpus.exists():
        corpus.write_text("".join(json.dumps({"_id": n, "text": t}) + "\n" for n, t in TEXTS.items()), encoding="utf-8")
        asks.write_text("When does the valve close?\nAt which pressure do the pumps run?\n")
    return open_session(corpus, asks, folder / "own" / "out.jsonl", retrievers=("bm25",), cache=None)[0]


class Connection:
    """A connection that has sent `data`, and keeps what it is told."""

    def __init__(self, data: bytes) -> None:
        self._data, self.told = data, b""

    def makefile(self, *args: object) -> io.BytesIO:
        return io.BytesIO(self._data)

    def settimeout(self, seconds: float) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        self.told += data


class Server:
    """What a handler knows of its server."""

    server_port, token = 80, TOKEN

    def __init__(self, page: object) -> None:
        self.page = page
        self.stopped = False

    def shutdown(self) -> None:
        self.stopped = True


def requested(data: bytes, folder: Path) -> object:
    """The bytes of requests: whoever does not know the token is told nothing and changes nothing."""
    from ragdiag.label.page import Page
    from ragdiag.label.serving import _Handler

    with fresh(folder):
        page = Page(session(folder))
        before = page.session.current, page.session.decided
        connection = Connection(data)
        _Handler(connection, ("127.0.0.1", 9), Server(page))  # type: ignore[arg-type]
        status = connection.told.split(b" ")[1:2]
        if TOKEN.encode() not in data:
            assert (page.session.current, page.session.decided) == before
            assert b" 200 " not in connection.told.split(b"\r\n")[0]
            assert not any(text[:20].encode() in connection.told for text in TEXTS.values())
        sound(folder)
    return f"{status}"


def acted(data: bytes, folder: Path) -> object:
    """What a page may ask, as JSON, twice; what was decided is a file that is read again without a defect."""
    from ragdiag.core.errors import UsageError
    from ragdiag.label.page import Page

    try:
        asks = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise UsageError("no JSON") from e
    with fresh(folder):
        page = Page(session(folder))
        said = []
        for ask in (asks if isinstance(asks, list) else [asks])[:4]:
            if isinstance(ask, dict):
                state = page.act(ask)
                json.dumps(state).encode()
                said.append(bool(state["error"]))
        sound(folder)
    return f"{said}"


def sound(folder: Path) -> None:
    """The labels that were written fit the corpus."""
    from ragdiag.sources.corpus import load_corpus
    from ragdiag.sources.evidence import locate
    from ragdiag.sources.queries import load_queries

    out = folder / "own" / "out.jsonl"
    if out.exists():
        labels = locate(load_queries(out), load_corpus(folder / "corpus.jsonl"))
        assert not labels.defects, labels.defects


QUERY = "when-does-the-valve-close-b4b3d4"
MARK = {"document": 1, "start": 8, "end": 33, "text": "Beta pumps run at 60 bar."}


def asks() -> list[dict[str, object]]:
    import re

    from ragdiag.label.drafts import question_id

    query = question_id("When does the valve close?")
    assert re.fullmatch("[a-z0-9-]+", query)
    return [
        {"do": "show"},
        {
            "do": "label",
            "query": query,
            "groups": [[{"document": 0, "start": 0, "end": 26, "text": TEXTS["alpha.txt"][:26]}]],
            "answer": "noon",
        },
        {"do": "unanswerable", "query": query, "answer": ""},
        {"do": "search", "query": query, "words": "valve noon"},
        {"do": "beside", "query": query, "number": 1, "before": True},
        {"do": "reword", "query": query, "text": "What?"},
        *({"do": what, "query": query} for what in ("skip", "back", "withdraw", "more")),
    ]


def requests() -> list[bytes]:
    get = f"GET /{TOKEN}/ HTTP/1.1\r\nHost: localhost:80\r\n\r\n".encode()
    stranger = b"POST /x/act HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}"
    return [get, stranger, *map(posted, asks()[:4]), posted({}, "stop"), get.replace(b"GET", b"HEAD")]


WORDS = (
    b"\r\n\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: x\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: keep-alive\r\n",
    b"OPTIONS",
    b"//",
    b"%2e%2e/",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/1.1.1",
    TOKEN.encode(),
    b"?x",
    b"#",
)

TARGETS = [
    Target("page: requests", requests, requested, WORDS, 0.5, most=20_000),
    Target(
        "page: what is asked", lambda: [json.dumps(each).encode() for each in (*asks(), asks())], acted, weight=0.5, most=20_000
    ),
]
