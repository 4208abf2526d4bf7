"""Re-rankers behind an endpoint, against a local server, and as a function: nothing asked twice, no key told, short errors."""

import contextlib
import json
import math
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from chunked import chunked

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress, text_key
from ragdiag.core.registry import make
from ragdiag.core.remote import remote_part
from ragdiag.pipeline import audit
from ragdiag.search.nested import all_models
from ragdiag.search.scorers import TEXTS, TEXTS_UNNAMED, EndpointScorer, FunctionScorer

pytest.importorskip("openai")

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (FIXTURES / "tiny", FIXTURES / "tiny" / "queries.jsonl")
RAG = (FIXTURES / "rag_project" / "docs", FIXTURES / "rag_project" / "queries.jsonl")
KEY, OTHER_KEY = "co-very-secret-0123456789", "sk-of-the-embeddings"

Script = Callable[[int], Any]
"""What the server does at its n-th request, from 1: a status, a body, bytes; None: what it should."""


def shared(query: str, texts: Sequence[str]) -> list[float]:
    """The score of a text: the query's words that it has, less a little for its length."""
    words = {word.strip(".,?").lower() for word in query.split()}
    return [sum(w.strip(".,?").lower() in words for w in text.split()) - len(text) / 1e4 for text in texts]


class RerankServer:
    """On a free port of 127.0.0.1, from its making to `close`; it answers as Cohere does, best first, or as `form` says."""

    def __init__(self, script: Script, form: str) -> None:
        self.requests, self.keys, self.script = list[dict[str, Any]](), set[str | None](), script
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                mine.requests.append(request | {"path": self.path})
                mine.keys.add(self.headers.get("Authorization"))
                action = mine.script(len(mine.requests))
                status, body = (action, {"message": f"wrong key {KEY}"}) if isinstance(action, int) else (200, action)
                body = ranked(request, form) if body is None else body
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Retry-After-Ms", "1")
                if status == 307:
                    self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v2/rerank"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def model(self) -> str:
        return f"{self.url}#words-1"

    def pairs(self) -> list[tuple[str, str]]:
        return [(r["query"], text) for r in self.requests for text in r.get("documents", r.get("texts"))]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def ranked(request: dict[str, Any], form: str) -> Any:
    """A response as vendors have it: the best first, so in no order of the texts."""
    name = "score" if form == "tei" else "relevance_score"
    scores = shared(request["query"], request["texts" if form == "tei" else "documents"])
    items = sorted(({"index": i, name: score} for i, score in enumerate(scores)), key=lambda item: -item[name])
    return items if form == "tei" else {"data" if form == "voyage" else "results": items}


Start = Callable[..., RerankServer]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("RERANK_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", OTHER_KEY)
    servers: list[RerankServer] = []

    def started(script: Script = lambda n: None, form: str = "cohere") -> RerankServer:
        servers.append(RerankServer(script, form))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A module of the team's with a function `score` of that body; gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])
    names = (f"scoring_{tmp_path.name}_{i}".replace("-", "_") for i in range(9))

    def written(body: str) -> str:
        name = next(names)
        Path(f"{name}.py").write_text(f"calls = []\n\ndef score(query, texts):\n    calls.append((query, texts))\n    {body}\n")
        return f"{name}:score"

    return written


def scored(model: EndpointScorer | FunctionScorer, query: str, texts: Sequence[str], store: Cache | None = None) -> list[float]:
    keys = [text_key(f"{query}\0{text}") for text in texts]
    found = model.scores(dict(zip(keys, [(query, text) for text in texts], strict=True)), store, no_progress)
    return [found[key] for key in keys]


# What it is asked, and what becomes of that


@pytest.mark.parametrize("form", ["cohere", "voyage", "tei"])
def test_scores_stand_in_the_order_of_the_texts(start: Start, form: str) -> None:
    texts = [f"text {i} of many" + " red fox"[: 4 * (i % 3)] for i in range(130)]
    server = start(lambda n: None, form)
    scorer = EndpointScorer(server.url if form == "tei" else server.model)
    np.testing.assert_allclose(scored(scorer, "red fox", texts), shared("red fox", texts), rtol=1e-6)
    sent = server.requests[0]
    assert sent["path"] == "/v2/rerank" and sent["query"] == "red fox" and server.keys == {f"Bearer {KEY}"}
    if form == "tei":
        assert sent["texts"] == texts[:TEXTS_UNNAMED] and "model" not in sent and len(server.requests) == 5
    else:
        assert sent["documents"] == texts[:TEXTS] and sent["model"] == "words-1" and len(server.requests) == 2


def test_an_order_by_hand(start: Start, team: Callable[[str], str]) -> None:
    """The texts share 1, 2, 1, 2 words with the query; the shorter of two alike is first."""
    texts = ["fox alone", "red fox and more", "the red", "red fox"]
    retriever = f'rerank(bm25, model="{start().model}")'
    index = make("retrievers", retriever).index(chunked(texts), None, no_progress)
    chunks, scores = index.search(["red fox"], 4)
    assert chunks[0].tolist() == [3, 1, 2, 0]
    assert scores[0][:2] == pytest.approx([2 - 7e-4, 2 - 16e-4])
    of_team = make("retrievers", f'rerank(bm25, model="{team("return [len(text) for text in texts]")}")')
    assert of_team.index(chunked(texts), None, no_progress).search(["red fox"], 4)[0][0].tolist() == [1, 0, 2, 3]


def test_added_texts_are_scored(start: Start, team: Callable[[str], str]) -> None:
    texts = ["fox alone is here", "the red", "red stones lie here"]
    edit = Edit(frozenset([1]), (Addition(0, 0, 7, "red fox", math.inf),))
    function = team("return [len(set(query.split()) & set(text.split())) - len(text) / 1e4 for text in texts]")
    for model in (start().model, function):
        index = make("retrievers", f'rerank(bm25, model="{model}")').index(chunked(texts), None, no_progress)
        assert index.what_if(["red fox"], [edit], 3)[0][0].tolist() == [3, 0, 2]


@pytest.mark.slow
def test_an_audit_is_that_of_the_same_scores(start: Start, team: Callable[[str], str], tmp_path: Path) -> None:
    server = start()
    first = audit(*RAG, retriever=f'rerank(bm25, model="{server.model}")', cache=tmp_path / "cache", k=3)
    other = audit(
        *RAG,
        retriever=f'rerank(bm25, model="{team("import test_rerank_models as t; return t.shared(query, texts)")}")',
        cache=None,
        k=3,
    )
    assert [(q.id, q.causes, q.measures) for q in first.queries] == [(q.id, q.causes, q.measures) for q in other.queries]
    assert first.pipeline.models == (f"words-1 at {server.url}",) and f"words-1 at {server.url}" in first.signature
    assert len(server.pairs()) == len(set(server.pairs()))  # each once, those of added texts too
    asked = len(server.requests)
    again = audit(*RAG, retriever=f'rerank(bm25, model="{server.model}")', cache=tmp_path / "cache", k=3)
    assert len(server.requests) == asked and again.signature == first.signature
    assert first.timings["retrieval"]["encoding"] == "from the cache, not timed"  # it may have been paid for
    assert other.timings["retrieval"]["encoding"] == "timed"


@pytest.mark.encoder
def test_compared_with_a_search_without_it(start: Start, tmp_path: Path) -> None:
    retrievers = ["bm25", f'rerank(bm25, model="{start().model}", depth=10)']
    compared = compare(*RAG, retrievers=retrievers, cache=tmp_path / "cache", k=3, jobs=1)
    assert {cell.retriever for cell in compared.cells} == {"bm25", retrievers[1].replace('"', "'")}


def test_what_is_kept(start: Start, team: Callable[[str], str], tmp_path: Path) -> None:
    store, server = Cache(tmp_path / "cache"), start()
    for _ in range(2):
        assert scored(EndpointScorer(server.model), "red fox", ["red", "a fox"], store) == pytest.approx(
            shared("red fox", ["red", "a fox"])
        )
    assert server.pairs() == [("red fox", "red"), ("red fox", "a fox")]
    scored(EndpointScorer(f"{server.url}#words-2"), "red fox", ["red"], store)  # another model has other scores
    assert len(server.requests) == 2
    target = team("return [1.0] * len(texts)")
    module = FunctionScorer(target)._team.function.__globals__
    assert "states no version, so its scores are not kept" in FunctionScorer(target).notes[0]
    scored(FunctionScorer(target), "q", ["a"], store)
    module["score"].version = 1
    for _ in range(2):
        scored(FunctionScorer(target), "q", ["a", "b"], store)
    assert module["calls"] == [("q", ["a"]), ("q", ["a", "b"])]


def test_one_who_has_no_key_sends_that_of_nobody_else(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    monkeypatch.delenv("RERANK_API_KEY")
    scored(EndpointScorer(server.model), "q", ["no key at all"])
    assert server.keys == {"Bearer none"}


# What goes wrong


@pytest.mark.parametrize(
    "script", [lambda n: 429 if n == 1 else None, lambda n: 503 if n <= 2 else None], ids=["429", "503 twice"]
)
def test_what_passes_is_waited_for(start: Start, script: Script, tmp_path: Path) -> None:
    server = start(script)
    assert len(scored(EndpointScorer(server.model), "q", ["one", "two"], Cache(tmp_path))) == 2
    assert 2 <= len(server.requests) <= 3


def results(*items: Any) -> dict[str, Any]:
    return {
        "results": [item if isinstance(item, dict) else {"index": i, "relevance_score": item} for i, item in enumerate(items)]
    }


WRONG: dict[str, tuple[Any, str]] = {
    "500": (500, r"cannot be asked \(status 500\); what came before is in the cache"),
    "429": (429, r"cannot be asked \(status 429\); what came before is in the cache"),
    "401": (401, r"cannot be asked \(status 401\); the key of the endpoint comes from RERANK_API_KEY"),
    "404": (404, r"cannot be asked \(status 404\); check the address, which ends in /rerank as a rule, and the model's name"),
    "422": (422, r"cannot be asked \(status 422\); it may read less than was sent: 2 texts, the longest of 3 characters"),
    "307": (307, r"cannot be asked \(status 307\); see what the endpoint takes"),
    "no JSON": (b"<html>" + KEY.encode(), r"cannot be asked \(no JSON\); check the address"),
    "JSON of another kind": ({"error": KEY}, "gave no list of scores; a re-ranker's endpoint gives"),
    "fewer": (results(0.5), "gave an array of 1 for 2 texts"),
    "more": (results(0.5, 0.4, 0.3), "gave an array of 3 for 2 texts"),
    "no place": ({"results": [{"relevance_score": 1.0}, {"relevance_score": 0.5}]}, "gave no list of scores"),
    "one place twice": ({"results": [{"index": 0, "score": 1.0}] * 2}, "gave no list of scores"),
    "a place too far": (results(0.5, {"index": 2, "relevance_score": 1.0}), "gave no list of scores"),
    "a place that is a text": (results(0.5, {"index": "1", "relevance_score": 1.0}), "gave no list of scores"),
    "no number": (results(0.5, float("nan")), "gave a score that is not finite; mend it"),
    "null": (results(0.5, None), "gave no list of scores"),
    "a text": (results(0.5, KEY), "gave no list of scores"),
}


@pytest.mark.parametrize(("action", "says"), WRONG.values(), ids=list(WRONG))
def test_what_gives_no_scores(start: Start, tmp_path: Path, action: Any, says: str) -> None:
    server, store = start(lambda n: action), Cache(tmp_path / "cache")
    with pytest.raises(UsageError, match=says) as raised:
        scored(EndpointScorer(server.model), "q", ["one", "two"], store)
    assert str(raised.value).startswith(f"model '{server.model}' ") and "\n" not in str(raised.value)
    assert KEY not in str(raised.value)
    server.script = lambda n: None  # once it is mended nothing wrong is left
    assert scored(EndpointScorer(server.model), "q", ["one", "two"], store) == pytest.approx([-3e-4, -3e-4])


BODIES = {
    "return [0.5]": "gave an array of 1 for 2 texts; it is called with a query and a list of texts",
    "return [[0.5], [0.4]]": "gave an array of 2 x 1 for 2 texts",
    "return None": "gave a NoneType that is no array of numbers",
    "return [1.0, float('nan')]": "gave a score that is not finite",
    "return ['a', 'b']": "gave a list that is no array of numbers",
    "raise RuntimeError('two\\nlines')": "raised RuntimeError: two lines on a query and 2 texts",
}


@pytest.mark.parametrize(("body", "says"), BODIES.items())
def test_a_function_that_gives_no_scores(team: Callable[[str], str], body: str, says: str) -> None:
    target = team(body)
    with pytest.raises(UsageError, match=says) as raised:
        scored(FunctionScorer(target), "q", ["one", "two"])
    assert str(raised.value).startswith(f"model '{target}' ") and "\n" not in str(raised.value)


# What a name may mean


@pytest.mark.parametrize(
    "address", [f"https://user:{KEY}@host/rerank#m", f"https://host/rerank?key={KEY}", "https:///rerank", "https://host/rerank#"]
)
def test_an_address_that_is_none(address: str) -> None:
    """It is told before anything is read, and not repeated: it may hold a key."""
    with pytest.raises(SpecError, match=r"^model: ") as raised:
        audit("no-such-corpus", "no-such-queries", retriever=f'rerank(bm25, model="{address}")', cache=None)
    assert KEY not in str(raised.value)
    with pytest.raises(SpecError, match="is a file of vectors, which scores no pairs"):
        all_models(make("retrievers", "rerank(bm25, model='v.jsonl')"))


def test_a_folders_configuration_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    server = start()
    monkeypatch.chdir(tmp_path)
    for model in (server.model, server.url, "team:score"):
        Path("ragdiag.toml").write_text(f"retriever = 'rerank(bm25, model=\"{model}\")'\n")
        done = CliRunner().invoke(main, ["audit", *map(str, TINY)])
        assert done.exit_code == 2 and f"asked elsewhere, or run as code (model='{model}')" in done.stderr
        assert remote_part(make("retrievers", f'rerank(bm25, model="{model}")')) == f"model='{model}'"
    assert not server.requests
