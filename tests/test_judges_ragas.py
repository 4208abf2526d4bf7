"""ragas end to end against a local OpenAI-compatible stub; nothing else is connected to."""

import contextlib
import importlib.util
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ragdiag.answering.judges.ragas import Ragas
from ragdiag.core.cache import Cache
from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import make, spec_of

HERE = importlib.util.find_spec("ragas") is not None
needs_ragas = pytest.mark.skipif(not HERE, reason="ragas is not installed: pip install './ragdiag[judge]'")
URL = "http://localhost:1/v1"

ASKED = [
    (
        Query("q", "When was it founded?", "It was founded in 1998."),
        Answer("q", "oracle", "It was founded in 1998.", contexts=("Founded 1998.",)),
    ),
    (Query("r", "Who leads it?", "Ada leads it."), Answer("r", "oracle", "Bob leads it.", contexts=("Ada leads it.",))),
]


def test_specs() -> None:
    spec = "ragas(url='http://localhost:1/v1', model='m', metric=faithfulness)"
    assert make("judges", spec) == Ragas(URL, "m", "faithfulness")
    assert make("judges", spec_of(Ragas(URL, "m"), full=True)) == Ragas(URL, "m")
    for bad in (
        "ragas",
        "ragas(url='localhost', model=m)",
        "ragas(url='http://key@host/v1', model=m)",
        f"ragas(url='{URL}', model=m, threshold=0)",
    ):
        with pytest.raises(SpecError, match="ragas"):
            make("judges", bad)


def test_what_is_never_asked() -> None:
    """No endpoint is there: these would fail."""
    failed, empty = Answer("q", "oracle", "", failed=True), Answer("q", "oracle", " ")
    asked = [(ASKED[0][0], failed), (ASKED[0][0], empty), (Query("s", "Why?"), Answer("s", "oracle", "So."))]
    assert Ragas(URL, "m").judge(asked, None, no_progress) == [None] * 3
    assert Ragas(URL, "m", "faithfulness").judge([(ASKED[0][0], Answer("q", "oracle", "x"))], None, no_progress) == [None]


@pytest.mark.skipif(HERE, reason="ragas is installed")
def test_without_ragas() -> None:
    with pytest.raises(MissingExtra, match=r"pip install './ragdiag\[judge\]'"):
        Ragas(URL, "m").judge(ASKED, None, no_progress)


# Against the stub.

Reply = Callable[[dict[str, Any], BaseHTTPRequestHandler], str]


def asked_about(request: dict[str, Any]) -> str:
    """The input of a prompt, behind ragas' examples."""
    return str(request["messages"][1]["content"]).rsplit("Now perform", 1)[-1]


def sound(request: dict[str, Any], _: BaseHTTPRequestHandler) -> str:
    """What a model would answer to the schema in the request: one claim a text, each right but for those about Bob."""
    bob = "Bob leads it" in asked_about(request)
    text = "Bob leads it." if bob else "It was founded in 1998."
    entry = {"statement": text, "reason": "stub"}
    replies = {
        "ClaimDecompositionOutput": {"claims": [text]},
        "StatementGeneratorOutput": {"statements": [text]},
        "NLIStatementOutput": {"statements": [entry | {"verdict": 0 if bob else 1}]},
        "ClassificationWithReason": {"TP": [] if bob else [entry], "FP": [entry] if bob else [], "FN": [entry] if bob else []},
    }
    schema = request["messages"][0]["content"]
    return json.dumps(next(reply for title, reply in replies.items() if f'"title": "{title}"' in schema))


@contextlib.contextmanager
def stub(reply: Reply) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An endpoint on a free port, and the requests that it got."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(request | {"key": self.headers.get("Authorization"), "path": self.path})
            content = reply(request, self)
            message: dict[str, Any] = {"role": "assistant", "content": content}
            if request.get("tools"):
                call = {"name": request["tools"][0]["function"]["name"], "arguments": content}
                message = {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": call}],
                }
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            body = json.dumps(
                {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
            )
            with contextlib.suppress(OSError):
                self.send_response(500 if content == "500" else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Where sockets connect to, and names are looked up; only this machine is allowed. Home is empty."""
    tried: list[Any] = []
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> Any:
        tried.append(address[0] if isinstance(address, tuple) else address)
        assert tried[-1] == "127.0.0.1", address
        return connect(self, address)

    def asked(host: Any, *arguments: Any, **more: Any) -> Any:
        tried.append(host)
        assert host in ("127.0.0.1", b"127.0.0.1"), host
        return lookup(host, *arguments, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", asked)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAGAS_DO_NOT_TRACK", "false")
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    return tried


@needs_ragas
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("metric", ["factual_correctness", "answer_correctness", "faithfulness"])
def test_end_to_end(metric: str, connections: list[Any], tmp_path: Path) -> None:
    with stub(sound) as (url, seen):
        judge = make("judges", f"ragas(url={url!r}, model='m', metric={metric})")
        store = Cache(tmp_path / "cache")
        first, second = judge.judge(ASKED, store, no_progress)
        assert first.correct
        assert not second.correct
        assert first.why == f"ragas {metric} 1.00, 0.5 needed"
        calls = len(seen)
        assert judge.judge(ASKED, store, no_progress) == [first, second]
        assert len(seen) == calls, "what is known is not asked again"
    assert {r["path"] for r in seen} == {"/v1/chat/completions"}
    assert {r["key"] for r in seen} == {"Bearer from-the-environment"}
    assert {r["model"] for r in seen} == {"m"}
    assert connections
    assert set(connections) <= {"127.0.0.1", b"127.0.0.1"}
    import ragas._analytics

    assert ragas._analytics.do_not_track()
    assert not (tmp_path / "home" / "ragas").exists(), "no telemetry id is written"


def slow(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> str:
    time.sleep(3)
    return sound(request, handler)


@needs_ragas
@pytest.mark.parametrize(
    ("reply", "reason"),
    [(slow, "timed out"), (lambda *_: "500", "InternalServerError"), (lambda *_: "{broken", "ValidationError")],
)
def test_a_failed_call_is_no_opinion(reply: Reply, reason: str, connections: list[Any]) -> None:
    with stub(reply) as (url, _), pytest.warns(UserWarning, match=f"no opinion on 2 of 2 answers: .*{reason}"):
        assert Ragas(url, "m", timeout_s=1.0 if reply is slow else 20.0).judge(ASKED, None, no_progress) == [None, None]


@needs_ragas
@pytest.mark.filterwarnings("ignore")
def test_one_failed_call_does_not_take_the_others(connections: list[Any]) -> None:
    def half(request: dict[str, Any], handler: BaseHTTPRequestHandler) -> str:
        return "500" if "Bob" in asked_about(request) else sound(request, handler)

    with stub(half) as (url, _):
        first, second = Ragas(url, "m").judge(ASKED, None, no_progress)
    assert first is not None
    assert first.correct
    assert second is None
