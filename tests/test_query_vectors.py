"""Queries' vectors from a file: stored indexes measured without their model, and what is told where a vector is missing."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from click.testing import CliRunner
from vector_server import DIMENSION, words_hashed

from ragdiag.cli import main
from ragdiag.core.encoders import Readable, TextEncoder
from ragdiag.core.errors import InputError, RagdiagError, SpecError, Untestable
from ragdiag.core.options import Options
from ragdiag.core.protocols import Kept, no_progress
from ragdiag.core.registry import make
from ragdiag.core.remote import remote_part
from ragdiag.pipeline import load, rank
from ragdiag.search.named import encoder_of_model
from ragdiag.search.query_vectors import QueryVectors
from ragdiag.search.retrieval import Plan
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus

FIXTURES = Path(__file__).parents[1] / "fixtures"
RAG = (FIXTURES / "rag_project" / "docs", FIXTURES / "rag_project" / "queries.jsonl")
CHUNKER = "sentence(size=60)"

QUERIES = [json.loads(line)["text"] for line in RAG[1].read_text(encoding="utf-8").splitlines()]


def words_team(texts: list[str], kind: str) -> np.ndarray:
    return words_hashed([text.strip() for text in texts])


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def of_queries(path: Path, texts: list[str] = QUERIES, scale: float = 1.0) -> Path:
    """The file of vectors of some queries."""
    rows = (words_hashed(texts) * scale).tolist()
    return lines(path, [{"_id": i, "text": t, "vector": v} for i, (t, v) in enumerate(zip(texts, rows, strict=True))])


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> str:
    """The same vectors by a function, so of documents too."""
    monkeypatch.setitem(sys.modules, "words_team_of_tests", sys.modules[__name__])
    return "words_team_of_tests:words_team"


@pytest.fixture
def index(tmp_path: Path) -> str:
    """A FAISS index of the chunks' vectors; the spec to audit it, but for the model."""
    faiss = pytest.importorskip("faiss")
    corpus = load_corpus(RAG[0])
    chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
    columns = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
    spans = [(corpus.documents[d], start, end) for d, start, end in columns]
    texts = [document.text[start:end] for document, start, end in spans]
    places = [{"source": document.id, "start_index": start} for document, start, _ in spans]
    vectors = words_hashed([text.strip() for text in texts])
    stored = faiss.IndexFlatIP(vectors.shape[1])
    stored.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    faiss.write_index(stored, str(tmp_path / "docs.faiss"))
    lines(tmp_path / "docs.jsonl", [{"text": t, "metadata": m} for t, m in zip(texts, places, strict=True)])
    return f'faiss(path="{tmp_path / "docs.faiss"}", texts="{tmp_path / "docs.jsonl"}", model="MODEL")'


def ranked(retriever: str, **options: Any) -> Any:
    asked = Options.given(retriever=retriever, k=3, cache=None, **options)
    return rank(Plan(asked), load(*RAG, asked, no_progress), no_progress)


def served(found: Any) -> list[bool]:
    return [bool(enough) for enough in found.scorer.sufficient(found.retrieved.run, found.lengths)]


@pytest.mark.stores
def test_an_index_is_measured_without_its_model(tmp_path: Path, index: str, team: str) -> None:
    """As with the model itself: as the exact search of the same chunks."""
    found = ranked(index.replace("MODEL", str(of_queries(tmp_path / "q.jsonl"))))
    exact = ranked(f'dense(model="{team}")', chunker=CHUNKER)
    np.testing.assert_allclose(found.retrieved.run.scores[:, :10] + 1, exact.retrieved.run.scores[:, :10], atol=2e-6)
    assert served(found) == served(exact) and 0 < sum(served(found)) < len(QUERIES)
    (name,) = found.retrieved.source.models
    assert name.startswith("q.jsonl@")


@pytest.mark.stores
def test_what_needs_the_model_is_said_and_not_tried(tmp_path: Path, index: str) -> None:
    found = ranked(index.replace("MODEL", str(of_queries(tmp_path / "q.jsonl"))))
    limits, lengths = [note for note in found.retrieved.notes if "q.jsonl" in note]
    assert "are searched at length 1" in lengths and limits.startswith(
        "q.jsonl has vectors of queries alone: whether the stored ones are of their texts"
    )
    searchable = found.retrieved.searchable
    assert isinstance(searchable, Kept) and not searchable.adds and not any(searchable.drifted([0, 1, 2]))
    assert found.retrieved.source.index_recall.mean == 1.0  # the exact search of a flat index, with the file's vectors


@pytest.mark.stores
def test_a_query_without_a_vector_is_an_error_before_any_search(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = list[object]()
    monkeypatch.setattr("ragdiag.search.retrievers._faiss.FaissSource.nearest", lambda *given: searched.append(given))
    file = of_queries(tmp_path / "q.jsonl", QUERIES[4:])
    done = CliRunner().invoke(
        main, ["audit", *map(str, RAG), "--retriever", index.replace("MODEL", str(file)), "--no-cache", "--quiet"]
    )
    named = ", ".join(repr(text[:60]) for text in QUERIES[:3])
    assert done.stderr == f"error: {file} has no vector for 4 of {len(QUERIES)} queries: {named}, ...; add them\n"
    assert done.exit_code == 2 and not searched


@pytest.mark.stores
def test_an_index_of_other_dimensions(tmp_path: Path, index: str) -> None:
    file = lines(tmp_path / "q.jsonl", [{"text": text, "vector": [1, 2, 3]} for text in QUERIES])
    with pytest.raises(SpecError, match=rf"vectors have {DIMENSION} dimensions, those of q\.jsonl@\w+ have 3; name the model"):
        ranked(index.replace("MODEL", str(file)))


def test_a_text_is_known_by_what_it_says(tmp_path: Path) -> None:
    records = [{"text": " one ", "vector": [3, 4]}, {"text": "two", "embedding": [0, 1]}]
    made = QueryVectors(str(lines(tmp_path / "q.jsonl", records)))
    vectors = made.encode(["two", "one\n", " ", "two"], "query", None, no_progress)
    np.testing.assert_allclose(vectors, [[0, 1], [0.6, 0.8], [0, 0], [0, 1]], atol=1e-6)
    assert made.dimension == 2 and made.encode([], "document", None, no_progress).shape == (0, 2)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    made = QueryVectors(str(of_queries(tmp_path / "q.jsonl", ["one"])))
    with pytest.raises(Untestable, match=r"q\.jsonl has no vector for 1 of 2 queries: 'three'; add them"):
        made.encode(["three", "one", "three"], "query", None, no_progress)
    with pytest.raises(Untestable, match=r"q\.jsonl has vectors of queries alone, none of a text to index"):
        made.encode(["one"], "document", None, no_progress)  # not even of one that is a query too
    with pytest.raises(RagdiagError, match="none of a text to index; name the model itself"):
        ranked(f'dense(model="{tmp_path / "q.jsonl"}")')
    assert not isinstance(made, (TextEncoder, Readable))


def test_another_file_is_another_model(tmp_path: Path) -> None:
    file = of_queries(tmp_path / "q.jsonl", ["one", "two"])
    first, name = QueryVectors(str(file)).identity, QueryVectors(str(file)).described
    of_queries(file, ["one", "too"])
    assert QueryVectors(str(file)).identity != first
    of_queries(file, ["one", "two"])
    assert (QueryVectors(str(file)).identity, QueryVectors(str(file)).described) == (first, name)


def test_lengths_are_said_where_they_may_matter(tmp_path: Path) -> None:
    unit = lines(tmp_path / "unit.jsonl", [{"text": "one", "vector": [0.6, 0.8]}])
    assert len(QueryVectors(str(unit)).notes) == 1
    scaled = lines(tmp_path / "q.jsonl", [{"text": "one", "vector": [3, 4]}, {"text": "two", "vector": [0, 1]}])
    assert "lengths from 1 to 5 and are searched at length 1: where a store compares by L2" in QueryVectors(str(scaled)).notes[1]


WRONG = {
    '{"_id": "q", "vector": [1]}': "field 'text' is missing; add it",
    '{"text": "a"}': "field 'vector' is missing",
    '{"text": "a", "vector": "x"}': "'vector' must be list, not str",
    '{"text": 3, "vector": [1]}': "'text' must be str",
    '{"text": " ", "vector": [1]}': "'text' is empty",
    '{"text": "a", "vector": [1, "2"]}': "'vector' must be a list of numbers",
    '{"text": "a", "vector": [true]}': "'vector' must be a list of numbers",
    '{"text": "a", "vector": [null]}': "'vector' must be a list of numbers",
    '{"text": "a", "vector": [1e999]}': "finite numbers that are not all 0",
    '{"text": "a", "vector": [1e300]}': "finite numbers that are not all 0",
    '{"text": "a", "vector": [NaN]}': "NaN is not a JSON number",
    '{"text": "a", "vector": [0, 0]}': "finite numbers that are not all 0",
    '{"text": "a", "vector": []}': "finite numbers that are not all 0",
    '{"text": "b", "vector": [1, 2]}': "a vector of 2 numbers, after ones of 1; use one model for all",
    '{"text": "first", "vector": [2]}': "another vector of the same text; leave one of them out",
    "[1]": "a JSON object is expected",
}


@pytest.mark.parametrize(("line", "says"), WRONG.items(), ids=list(WRONG))
def test_a_line_that_is_none(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"text": "first", "vector": [1]}\n{"text": "first", "vector": [1.0]}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=says) as raised:
        _ = QueryVectors(str(file)).identity
    assert str(raised.value).startswith(f"{file}:3: ") and "\n" not in str(raised.value)


def test_a_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("queries.jsonl").write_text("\n")
    with pytest.raises(
        SpecError, match=r"model 'querys\.jsonl': there is no such file of vectors; did you mean 'queries\.jsonl'\?"
    ):
        encoder_of_model("querys.jsonl")
    with pytest.raises(SpecError, match=r"model 'no/where\.jsonl': there is no such file of vectors; check the path"):
        ranked('faiss(path="x", model="no/where.jsonl")')  # before the index is opened
    with pytest.raises(InputError, match=r"queries\.jsonl: has no vectors; write a line for each query"):
        _ = encoder_of_model("queries.jsonl").identity
    with pytest.raises(SpecError, match=r"is a file of vectors, .* leave precision=float32 out"):
        encoder_of_model("queries.jsonl", "float32")
    Path("folder.jsonl").mkdir()
    with pytest.raises(InputError, match=r"folder\.jsonl: is a folder; name a file"):
        _ = encoder_of_model("folder.jsonl").identity
    # A folder's configuration may name one that is there.
    assert remote_part(make("retrievers", 'dense(model="queries.jsonl")')) == ""


def test_unit_vectors_of_numbers_whose_squares_float32_cannot_hold() -> None:
    from ragdiag.search.models import unit

    rows = np.array([[3e38, 3e38], [1e-30, 0], [0, 0], [3, 4]], dtype=np.float32)
    assert np.allclose(unit(rows), [[0.5**0.5, 0.5**0.5], [1, 0], [0, 0], [0.6, 0.8]])
