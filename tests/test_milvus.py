"""Milvus collections: ids, fields, filters and errors; that an audit is that of exact search, see test_stores.py."""

import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make, spec_of

pytestmark = pytest.mark.stores
milvus = pytest.importorskip("pymilvus")
lite = pytest.importorskip("milvus_lite.server_manager")

EYE = np.eye(2, dtype=np.float32)
NOTES = [
    {"pk": "b", "text": "Two.", "v": [0.0, 2.0], "lang": "da", "metadata": {"source": "b.md"}},
    {"pk": "a", "text": "One.", "v": [1.0, 0.0], "lang": "en", "metadata": {"source": "a.md"}},
]


def made(
    folder: Path, records: Sequence[dict[str, object]] = NOTES, index: str = "L2", *vectors: str, key: str = "VARCHAR"
) -> str:
    """A collection of any records, whose fields of no schema are dynamic; the spec to audit it, without its last bracket."""
    path = str(folder / "notes.db")
    client, types = milvus.MilvusClient(path), milvus.DataType
    schema, indexes = milvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True), client.prepare_index_params()
    schema.add_field("pk", getattr(types, key), is_primary=True, **({"max_length": 64} if key == "VARCHAR" else {}))
    for name in vectors or ("v",):
        schema.add_field(name, types.FLOAT_VECTOR, dim=2)
        if index:
            indexes.add_index(name, index_type="HNSW", metric_type=index, params={"M": 8, "efConstruction": 64})
    client.create_collection("notes", schema=schema, index_params=indexes if index else None)
    client.insert("notes", list(records))
    client.close()
    lite.server_manager_instance.release_server(path)
    return f"milvus(collection=notes, path={path!r}"


def stored(spec: str) -> dict[str, object]:
    return {chunk.id: chunk for chunk in make("retrievers", spec).stored_chunks(no_progress)}


def test_records_their_fields_and_filters(tmp_path):
    spec = made(tmp_path)
    assert {name: (c.text, c.doc_id) for name, c in stored(spec + ")").items()} == {"a": ("One.", "a.md"), "b": ("Two.", "b.md")}
    source = make("retrievers", spec + ", ef=8)").source
    assert [r.id for r in source.records(["b", "a"])] == ["b", "a"]
    assert source.vectors(["b", "a"]).tolist() == [[0, 2], [1, 0]]
    near = source.nearest(EYE, 2)
    assert [ids for ids, _ in near] == [["a", "b"], ["b", "a"]]
    np.testing.assert_allclose([distances for _, distances in near], [[0, 5], [1, 2]], atol=1e-5)
    some = make("retrievers", spec + """, where='lang == "en"')""").source
    assert (some.count(), [r.id for r in some.rows()], some.nearest(EYE, 2)[1][0]) == (1, ["a"], ["a"])


def test_ids_that_are_numbers(tmp_path):
    spec = made(tmp_path, [{"pk": n, "text": f"Text {n}.", "v": [1.0, n]} for n in (7, -3)], "IP", key="INT64")
    source = make("retrievers", spec + ")").source
    assert set(stored(spec + ")")) == {"7", "-3"}
    assert source.vectors(["-3", "7"]).tolist() == [[1, -3], [1, 7]]
    assert source.nearest(EYE[1:], 2) == [(["7", "-3"], [-6.0, 4.0])]


def test_vectors_by_name(tmp_path):
    spec = made(tmp_path, [{"pk": "a", "text": "One.", "v": [1.0, 0.0], "w": [0.0, 3.0]}], "COSINE", "v", "w")
    assert make("retrievers", spec + ", vector=w)").source.vectors(["a"]).tolist() == [[0, 3]]
    with pytest.raises(SpecError, match=r"no single float vector; name one: vector=\.\.\. \(known: v, w\)"):
        _ = make("retrievers", spec + ")").source.space
    with pytest.raises(SpecError, match=r"has no vector 'x' \(known: v, w\)"):
        _ = make("retrievers", spec + ", vector=x)").source.space


def test_errors(tmp_path):
    for folder in (tmp_path, tmp_path / "missing.db"):
        with pytest.raises(InputError, match="is no database of Milvus Lite; give the path of MilvusClient"):
            stored(f"milvus(collection=notes, path={str(folder)!r})")
    assert list(tmp_path.iterdir()) == []
    spec = made(tmp_path, [*NOTES, {"pk": "c", "v": [1.0, 1.0], "body": "Three."}])
    with pytest.raises(InputError, match=r"\[notes\]: record 'c' has no text \(it has body, pk\); name the field .* text=\.\.\."):
        stored(spec + ")")
    with pytest.raises(SpecError, match=r"has no collection 'note'; did you mean 'notes'\? \(known: notes\)"):
        stored(spec.replace("notes,", "note,") + ")")
    with pytest.raises(RagdiagError, match=r"\[notes\]: .*lang.*; check that .* where=... is a filter") as caught:
        stored(spec + ", where='lang <> 3')")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="the collection is empty"):
        stored(spec + """, where='pk == "z"')""")
    (tmp_path / "bare").mkdir()
    with pytest.raises(SpecError, match="the vector 'v' has no index, so that its distance is not known"):
        _ = make("retrievers", made(tmp_path / "bare", index="") + ")").source.space


def test_no_server_and_the_token(monkeypatch):
    monkeypatch.setenv("MILVUS_TOKEN", "Zq7-secret")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    retriever = make("retrievers", f"milvus(collection=notes, url={url!r})")
    monkeypatch.setattr("ragdiag.search.retrievers._milvus.SECONDS", 1)
    with pytest.raises(RagdiagError, match=r"\[notes\]: .*; check that a Milvus server runs there, that it admits you") as caught:
        retriever.stored_chunks(no_progress)
    monkeypatch.setenv("MILVUS_TOKEN", "Zq7\nsecret")
    with pytest.raises(SpecError, match="MILVUS_TOKEN holds characters that no token has") as other:
        retriever.stored_chunks(no_progress)
    said = str(caught.value) + str(other.value) + spec_of(retriever, full=True) + repr(retriever)
    assert "Zq7" not in said and "\n" not in said
