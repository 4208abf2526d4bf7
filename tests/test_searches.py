"""The team's own search: every form of result, every way to be asked, what fails; the same numbers as an index asked directly."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ragdiag
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, Query, StoredChunk
from ragdiag.pipeline import run_audit
from ragdiag.search.asking import searched
from ragdiag.search.binding import bind
from ragdiag.search.frameworks import asker
from ragdiag.search.runs import Ranking
from ragdiag.search.searches import chunks_of, identity_of, search_depth
from ragdiag.search.signatures import name_of
from ragdiag.search.standing import PlacedResult, Standing

CORPUS = Corpus(
    (
        Document("a.md", "alpha beta gamma delta"),
        Document("b/b.md", "one two one two"),
        Document("c.md", "alpha beta here, gamma delta there"),
    )
)
QUERIES = [Query("q1", "first"), Query("q2", "second")]
FIXTURES = Path(__file__).parent.parent / "fixtures"


def ask(search: Any, queries: list[Query] | None = None, depth: int = 5) -> list[Ranking]:
    """What a search gives for each query, placed."""
    return placed(searched(search, queries or QUERIES, depth, no_progress).rankings)


def placed(rankings: list[Ranking]) -> list[Ranking]:
    standing = Standing(CORPUS, CORPUS, None, None)
    return [r._replace(chunks=tuple(map(as_chunk, standing.ranking(r, q).results))) for q, r in enumerate(rankings)]


def as_chunk(result: PlacedResult) -> StoredChunk:
    if result.place is None:
        return result.chunk
    document, start, end = result.place
    return StoredChunk(result.chunk.id, CORPUS.documents[document].id, "", start, end)


def gives(*items: Any) -> Callable[[str, int], list[Any]]:
    return lambda query, k: list(items)


def spans(ranking: Ranking) -> list[tuple[str, int | None, int | None]]:
    return [(c.doc_id, c.start, c.end) for c in ranking.chunks]


class Page:
    """As LangChain's documents."""

    def __init__(self, text: str, **metadata: Any) -> None:
        self.page_content, self.metadata, self.id = text, metadata, None


class Node:
    """As LlamaIndex's text nodes."""

    def __init__(self, text: str, start: int | None = None, **metadata: Any) -> None:
        self._text, self.metadata, self.start_char_idx = text, metadata, start
        self.end_char_idx = None if start is None else start + len(text)

    def get_content(self) -> str:
        return self._text


@pytest.mark.parametrize(
    ("item", "span"),
    [
        ("one two one", ("b/b.md", 0, 11)),
        ("one  two\none", ("b/b.md", 0, 11)),
        ({"doc_id": "a.md", "start": 6, "end": 10}, ("a.md", 6, 10)),
        ({"doc_id": "c.md", "text": "alpha beta"}, ("c.md", 0, 10)),
        ({"text": "gamma delta", "metadata": {"source": "/srv/docs/c.md"}}, ("c.md", 17, 28)),
        ({"text": "beta here"}, ("c.md", 6, 15)),
        (("beta here", 0.3), ("c.md", 6, 15)),
        (Page("gamma delta", source="docs/a.md"), ("a.md", 11, 22)),
        (Page("one two", source="b.md", start_index=8), ("b/b.md", 8, 15)),
        (Page("one two", source="b/b.md", start_index=3), ("b/b.md", 0, 7)),  # the place contradicts the text
        ((Page("beta here"), 1.5), ("c.md", 6, 15)),
        (SimpleNamespace(node=Node("gamma delta", file_path="docs/c.md"), score=0.9), ("c.md", 17, 28)),
        (SimpleNamespace(node=Node("one two", 8, file_name="b/b.md"), score=0.9), ("b/b.md", 8, 15)),
        (Node("beta here"), ("c.md", 6, 15)),
        (Node("gamma delta", doc_id="6f9619ff", file_path="/srv/docs/c.md"), ("c.md", 17, 28)),
        (SimpleNamespace(content="gamma delta", meta={"file_path": "docs/c.md"}, score=0.5), ("c.md", 17, 28)),  # Haystack
        (SimpleNamespace(text="gamma delta", metadata=SimpleNamespace(to_dict=lambda: {"filename": "c.md"})), ("c.md", 17, 28)),
        (SimpleNamespace(text="beta here", metadata=None), ("c.md", 6, 15)),
    ],
)
def test_every_form_of_result_is_placed(item: Any, span: tuple[str, int, int]) -> None:
    assert spans(ask(gives(item))[0]) == [span]


def test_ids_are_left_to_the_run() -> None:
    chunk = searched(gives({"chunk_id": "a.md#0-5"}), QUERIES, 5, no_progress).rankings[0].chunks[0]
    assert (chunk.id, chunk.doc_id, chunk.start) == ("a.md#0-5", "", None)


def test_a_text_that_stands_twice_takes_its_places_in_turn_in_each_ranking() -> None:
    for ranking in ask(gives("one two", "one two")):
        assert spans(ranking) == [("b/b.md", 0, 7), ("b/b.md", 8, 15)]


def test_the_order_is_that_of_the_list_whatever_the_scores_are() -> None:
    distances = ask(gives(("beta here", 0.1), ("one two one", 0.9)))[0]
    assert [c.doc_id for c in distances.chunks] == ["c.md", "b/b.md"]
    assert distances.scores == (0.1, 0.9)
    assert ask(gives(("beta here", 0.1), "one two one"))[0].scores == (0.0, -1.0)


@pytest.mark.parametrize(
    "found",
    [
        [{"doc_id": np.str_("c.md"), "start": np.int64(6), "end": np.int32(15), "score": np.float32(0.5)}],
        [(np.str_("beta here"), np.float32(0.5))],
        np.array(["beta here"]),
        [{"doc_id": "c.md", "start": np.array(6), "end": np.array(15), "score": np.array(0.5)}],
        [Page("beta here", source=np.str_("c.md"), start_index=np.int64(6))],
    ],
    ids=["numbers", "pair", "array", "arrays", "metadata"],
)
def test_numpy_is_taken_as_python(found: Any) -> None:
    ranking = ask(lambda query, k: found)[0]
    assert spans(ranking) == [("c.md", 6, 15)]
    assert type(ranking.chunks[0].start) is int and type(ranking.scores[0]) is float


class Scalar:
    """As pyarrow's."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def as_py(self) -> Any:
        return self.value


class Table:
    """As pyarrow's: rows by `to_pylist`."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.columns = rows, list(rows[0])

    def to_pylist(self) -> list[dict[str, Any]]:
        return self.rows


class Frame(Table):
    """As polars': rows by `to_dicts`, while its `to_dict` takes no such argument."""

    def to_dicts(self) -> list[dict[str, Any]]:
        return self.rows

    def to_dict(self, *, as_series: bool = True) -> None:
        raise AssertionError("not this one")


ROW = {"doc_id": "c.md", "start": 6, "end": 15, "score": 0.5}


@pytest.mark.parametrize(
    "found",
    [
        [{name: Scalar(value) for name, value in ROW.items()}],
        Table([ROW]),
        Frame([ROW]),
        [ROW | {"start": Decimal("6"), "end": 15.0, "score": Decimal("0.5")}],  # of a database, of a column with empty cells
        [ROW | {"start": float("nan"), "end": None, "text": "beta here"}],
        [{"text": "beta here", "score": 0.5, "metadata": {"source": np.str_("docs/c.md"), "start_index": Scalar(6)}}],
    ],
    ids=["scalars", "pyarrow", "polars", "decimals", "empty cells", "metadata"],
)
def test_other_libraries_values_are_taken_as_python(found: Any) -> None:
    ranking = ask(lambda query, k: found)[0]
    assert spans(ranking) == [("c.md", 6, 15)]
    assert ranking.scores == (0.5,)


def test_options_take_numpys_whole_numbers() -> None:
    options = Options(k=np.int32(3), budget=np.array(7), seed=np.uint8(1))  # type: ignore[arg-type]
    assert (options.k, options.budget, options.seed) == (3, 7, 1) and type(options.k) is int
    for wrong in (np.float64(3.5), np.bool_(True), np.array([3])):
        with pytest.raises(UsageError, match="k must be a whole number"):
            Options(k=wrong)


def test_a_place_in_numpys_numbers_decides_as_one_in_pythons() -> None:
    assert spans(ask(gives(Page("one two", source="b.md", start_index=np.int64(8))))[0]) == [("b/b.md", 8, 15)]


def test_a_data_frame_is_its_rows() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["beta here", "one two one"], "doc_id": ["c.md", None], "score": [0.5, 0.25]})
    ranking = ask(lambda query, k: frame)[0]
    assert spans(ranking) == [("c.md", 6, 15), ("b/b.md", 0, 11)]
    assert ranking.scores == (0.5, 0.25)


def test_rankings_whose_scores_go_another_way_are_told() -> None:
    def told(*rankings: list[float]) -> list[str]:
        texts = ["beta here", "one two one", "alpha beta gamma"]
        lists = {f"q{i}": list(zip(texts, scores, strict=False)) for i, scores in enumerate(rankings)}
        return list(searched(lambda query, k: lists[query], [Query(name, name) for name in lists], 5, no_progress).notes)

    assert told([0.9, 0.5], [0.8, 0.8, 0.1], [0.3]) == []
    (note,) = told([0.1, 0.5], [0.2, 0.2, 0.7])
    assert note == "scores rise down all 2 rankings: taken for distances, and the rankings as listed, best first"
    (note,) = told([0.9, 0.5], [0.8, 0.2], [0.1, 0.5])
    assert "scores of 1 of 3 rankings do not go as those of the others" in note
    assert "scores of 1 of 2" in told([0.9, 0.5], [0.8, 0.1, 0.5])[0]


def test_a_text_that_stands_in_several_places_is_told() -> None:
    notes = bind(searched(gives("one two", "beta here"), QUERIES, 5, no_progress).rankings, QUERIES, CORPUS, None).notes
    assert len(notes) == 1 and notes[0].startswith("1 retrieved texts stand in several places") and "'one two'" in notes[0]
    notes = bind(searched(gives("alpha beta", "one two"), QUERIES, 5, no_progress).rankings, QUERIES, CORPUS, None).notes
    assert notes[0].startswith("2 retrieved texts stand in several places (the first: 'alpha beta')")


def test_retrievers_are_asked_by_their_own_method() -> None:
    class LangChain:
        def invoke(self, query: str) -> list[Page]:
            return [Page("beta here")] if query == "first" else []

    class LlamaIndex:
        def retrieve(self, query: str) -> list[Any]:
            return [SimpleNamespace(node=Node("beta here"), score=1.0)] if query == "first" else []

    class Own:
        def __call__(self, query: str, k: int) -> list[str]:
            return ["beta here"][:k] if query == "first" else []

    for retriever in (LangChain(), LlamaIndex(), Own(), Own().__call__):
        assert [spans(r) for r in ask(retriever)] == [[("c.md", 6, 15)], []]
    assert name_of(LangChain()).endswith(".LangChain")


def test_a_search_is_asked_for_a_contexts_worth_and_as_much_as_asked_measures_need() -> None:
    assert search_depth(Options(k=3)) == 3
    assert search_depth(Options(k=3, search=gives())) == 100, "causes are looked for among so many"
    assert search_depth(Options(k=30, search=gives())) == 300
    assert search_depth(Options(k=3, search=gives(), calls=0)) == 3
    assert search_depth(Options(k=3, search=Four())) == 3, "it says itself how many"
    assert search_depth(Options(k=3, measures=("R@20", "RR"))) == 20
    assert search_depth(Options(k=3, budget=500)) == 100
    assert search_depth(Options(k=3, measures=("Sufficient@800tok",))) == 100  # tokens, not ranks
    assert search_depth(Options(k=3, measures=("Sufficient@20tok", "R@200"))) == 200
    asked: list[int] = []
    ask(lambda query, k: asked.append(k) or [], depth=7)  # type: ignore[func-returns-value]
    assert asked == [7, 7]


def test_a_context_is_what_a_search_for_it_gives_and_deeper_results_only_follow() -> None:
    """As an approximate index: asked for 4 it puts first what it does not return for 2."""
    wide = ["gamma delta there", "one two one", "beta here", "alpha beta gamma"]

    def search(query: str, k: int) -> list[str]:
        return wide[:k] if k > 2 else ["one two one", "beta here"] if query == "first" else ["one two one"]

    full, few = placed(searched(search, QUERIES, 4, no_progress, 2).rankings)
    alone = placed(searched(search, QUERIES, 2, no_progress).rankings)
    assert full.chunks[:2] == alone[0].chunks and len(full.chunks) == 4
    assert [c.doc_id for c in full.chunks[2:]] == ["c.md", "a.md"]
    assert list(full.scores) == sorted(full.scores, reverse=True)
    assert few.chunks == alone[1].chunks, "what fills no context has nothing below it"


class Four:
    """As LangChain's retrievers, which know their own k."""

    def invoke(self, query: str) -> list[Page]:
        return [Page(text) for text in ["a apple one.", "The apple is here.", "b pear one."]]


def test_a_retriever_that_keeps_to_its_own_k_is_told(tmp_path: Path) -> None:
    corpus, queries = tiny(tmp_path)
    notes = ragdiag.audit(corpus, queries, search=Four(), k=4, cache=None).notes
    assert not [note for note in notes if "exactly" in note]  # one ranking names all that any does
    other = {"apple": ["a apple one.", "The apple is here."], "pear": ["b pear one.", "The pear is here."]}
    notes = ragdiag.audit(corpus, queries, search=lambda query, k: other[query], k=4, cache=None).notes
    assert [note for note in notes if note.startswith("every ranking has exactly 2 results, and 100 were asked for")]


def test_searches_are_compared_as_they_are_audited(tmp_path: Path) -> None:
    """What is written down between has everything that tells where a result stands."""
    corpus, queries = tiny(tmp_path)
    texts = {"apple": [Page("The apple is here.", source="/srv/a")], "pear": [Page("b pear one.", doc_id="uuid", source="b")]}
    audited = ragdiag.audit(corpus, queries, search=lambda query, k: texts[query], k=1, cache=None)
    compared = ragdiag.compare(corpus, queries, retrievers=["bm25", lambda query, k: texts[query]], k=1, cache=None)
    assert audited.measures["Sufficient@1"].mean == 0.5
    assert compared.means[1]["Sufficient@1"].mean == 0.5


def test_a_query_without_text_is_not_asked() -> None:
    asked: list[str] = []
    rankings = ask(lambda query, k: asked.append(query) or [], [Query("q1", " "), Query("q2", "x")])  # type: ignore[func-returns-value]
    assert asked == ["x"]
    assert [(r.query_id, r.chunks, r.failed) for r in rankings] == [("q1", (), False), ("q2", (), False)]


def test_a_search_that_raises_is_a_failed_query_and_counted() -> None:
    def search(query: str, k: int) -> list[str]:
        if query == "second":
            raise TimeoutError("no\nanswer")
        return ["beta here"]

    (one, two), notes = searched(search, QUERIES, 5, no_progress)
    assert (one.failed, two.failed, two.chunks) == (False, True, ())
    assert notes[0].endswith("search raised on 1 of 2 queries, first on 'q2': TimeoutError: no answer")

    def lazily(query: str, k: int) -> Any:
        yield from search(query, k)

    assert [r.failed for r in ask(lazily)] == [False, True]


def test_a_search_that_raises_on_all_is_no_measurement() -> None:
    def search(query: str, k: int) -> list[str]:
        raise ConnectionError("refused")

    with pytest.raises(UsageError, match="failed on every query; on 'q1' with ConnectionError: refused"):
        ask(search)


def test_an_asynchronous_search_is_waited_for_on_one_loop() -> None:
    loops = list[asyncio.AbstractEventLoop]()

    async def later(query: str, k: int) -> list[str]:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return ["beta here"]

    async def within() -> None:
        ask(later)  # as in a notebook, whose own loop runs

    found = ask(later)
    assert spans(found[0]) == [("c.md", 6, 15)]
    assert len({id(loop) for loop in loops}) == 1
    until = time.monotonic() + 10
    while not loops[0].is_closed():  # nobody waits for its end: it may come at any moment, in any thread
        assert time.monotonic() < until, "the loop is left behind"
        time.sleep(0.01)
    asyncio.run(within())


def test_an_asynchronous_search_that_raises_is_a_failed_query() -> None:
    async def later(query: str, k: int) -> list[str]:
        if query == "first":
            return ["beta here"]
        raise TimeoutError("slow")

    assert [r.failed for r in ask(later)] == [False, True]


def test_the_command_line_takes_a_search_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from ragdiag.cli import main

    (tmp_path / "ours.py").write_text(
        "async def search(query, k):\n    return ['alpha beta gamma delta'][:k]\n", encoding="utf-8"
    )
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.md").write_text("alpha beta gamma delta", encoding="utf-8")
    asked = {"_id": "q", "text": "beta", "evidence": [{"doc_id": "a.md", "text": "beta"}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["audit", "corpus", "queries.jsonl", "--search", "ours:search", "--no-cache"])
    assert told.exit_code == 0 and "1 of 1 queries" in told.output and "search ours.search" in told.output
    for name, says in (
        ("ours:serch", "search 'ours:serch': ours has no function or object 'serch'"),
        ("no name", "must be 'module:function'"),
    ):
        told = CliRunner().invoke(main, ["audit", "corpus", "queries.jsonl", "--search", name, "--no-cache"])
        assert told.exit_code == 2 and says in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("search", "error", "says"),
    [
        (gives({"document": "x"}), UsageError, "query 'q1', result 1: is a dict with 'document'; give texts"),
        (gives("beta here", 7), UsageError, "result 2: is a int; give texts"),
        (gives(" "), InputError, "the text is empty"),
        (gives("not there"), InputError, "in no document"),
        (gives({"doc_id": "d.md", "text": "x"}), InputError, "no document 'd.md' in the corpus"),
        (gives({"doc_id": "a.md", "start": 0, "end": 99}), InputError, "leaves a.md, which has 22 characters"),
        (gives({"doc_id": "a.md", "start": "0", "end": 9}), InputError, "'start' must be int"),
        (gives({"doc_id": "a.md", "start": True, "end": 9}), InputError, "'start' must be int, not bool"),
        (gives(("beta here", float("nan"))), UsageError, "result 1: its score, nan, is no finite number"),
        (gives(("beta here", np.float32("inf"))), UsageError, "its score, inf, is no finite number"),
        (gives({"text": "beta here", "score": "0.9"}), UsageError, "its score, '0.9', is no finite number"),
        (gives(("beta here", np.bool_(True))), UsageError, "its score, True, is no finite number"),
        (lambda query, k: "beta here", UsageError, "gave a str, not a list"),
        (lambda query, k: {"documents": []}, UsageError, "gave a dict, not a list"),
        (lambda query, k: None, UsageError, "gave a NoneType, not a list"),
        (object(), UsageError, "cannot search with a object"),
    ],
)
def test_what_is_no_result_is_an_error_that_names_the_query(search: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised:
        ask(search)
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_only_a_function_that_its_module_has_is_known_to_other_processes() -> None:
    assert "test_searches.py" in identity_of(test_ids_are_left_to_the_run)
    assert identity_of(gives("x")) == identity_of(lambda query, k: []) == identity_of(object()) == ""

    class Own:
        def search(self, query: str, k: int) -> list[str]:
            return []

    assert identity_of(Own().search) == ""


def test_own_chunks_in_any_form() -> None:
    chunks = chunks_of([Page("alpha", source="a.md"), {"doc_id": "b/b.md", "start": 0, "end": 3, "id": "x"}, "beta here"])
    assert [(c.doc_id, c.text, c.id) for c in chunks] == [("a.md", "alpha", ""), ("b/b.md", "", "x"), ("", "beta here", "")]
    with pytest.raises(InputError, match="own chunks, number 2"):
        chunks_of(["x", ""])


# Through an audit


def tiny(tmp_path: Path) -> tuple[Path, Path]:
    rows = [{"_id": name, "text": f"{name} {word} one. The {word} is here."} for name, word in (("a", "apple"), ("b", "pear"))]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    queries = [
        {"_id": name, "text": word, "evidence": [{"doc_id": name, "text": f"The {word} is here."}]}
        for name, word in (("a", "apple"), ("b", "pear"))
    ]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(r) + "\n" for r in queries))
    return tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"


def test_a_search_is_measured_by_hand(tmp_path: Path) -> None:
    """For apple the first of two results holds the evidence; for pear the search fails: 1/2 served, P@2 (1/2 + 0) / 2."""
    corpus, queries = tiny(tmp_path)

    def search(query: str, k: int) -> list[str]:
        if query == "pear":
            raise RuntimeError("down")
        return ["The apple is here.", "a apple one."]

    report = ragdiag.audit(corpus, queries, search=search, k=2, cache=None)
    assert report.measures["Sufficient@2"].mean == 0.5
    assert report.measures["P@2"].mean == 0.25
    assert [q.status for q in report.queries] == ["ok", "not_decidable"]
    assert any("raised on 1 of 2 queries" in note for note in report.notes)
    few = ragdiag.audit(corpus, queries, search=search, k=2, calls=0, cache=None).measures
    assert not {"R@100", "nDCG@10"} & few.keys()  # nobody asked for so many
    assert {"R@100", "nDCG@10"} <= report.measures.keys(), "causes are looked for among so many"
    assert "R@20" in ragdiag.audit(corpus, queries, search=search, k=2, measures=["R@20"], cache=None).measures


@pytest.mark.slow
def test_an_index_behind_a_function_scores_as_the_index_itself() -> None:
    corpus, queries = FIXTURES / "tidewater" / "corpus", FIXTURES / "tidewater" / "queries.jsonl"
    direct = run_audit(corpus, queries, Options(retriever="bm25", cache=None))
    assert direct.searchable is not None
    chunking, index = direct.scorer.chunking, direct.searchable

    def search(query: str, k: int) -> list[Page]:
        found = [c for c in index.search([query], k)[0][0].tolist() if c >= 0]
        return [Page(direct.scorer.text(c), source=direct.corpus.documents[int(chunking.document[c])].id) for c in found]

    own = ragdiag.audit(corpus, queries, search=search, cache=None)
    for name in ("Sufficient@5", "CharR@5", "CharP@5", "IoU@5"):
        assert own.measures[name] == direct.report.measures[name]
    assert [q.served for q in own.queries] == [q.served for q in direct.report.queries]


def test_chunks_in_memory_are_audited_as_those_of_a_file(tmp_path: Path) -> None:
    corpus, queries = tiny(tmp_path)
    chunks = [{"doc_id": d, "start": a, "end": b} for d, cut in (("a", 8), ("b", 20)) for a, b in ((0, cut), (cut, 24))]
    (tmp_path / "chunks.jsonl").write_text("".join(json.dumps(c) + "\n" for c in chunks))
    options: dict[str, Any] = {"retriever": "bm25", "k": 1, "cache": None}
    memory = ragdiag.audit(corpus, queries, chunks=chunks, **options)
    file = ragdiag.audit(corpus, queries, chunks=tmp_path / "chunks.jsonl", **options)
    assert memory.measures == file.measures and memory.causes == file.causes
    assert memory.pipeline.chunker == "own chunks"


@pytest.mark.parametrize("pair", [{"run": "r", "search": len}, {"chunks": "c", "own_chunks": ("x",)}])
def test_two_answers_to_one_question(pair: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give one"):
        Options(**pair)


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown option 'retreiver'; did you mean 'retriever'"):
        Options.given(retreiver="bm25")


# How a function is asked


def limited(*, query: str, filter: str = "", top_k: int = 3) -> list[str]:
    return ["beta here", "one two one", "alpha beta gamma", "gamma delta there"][:top_k]


def own_number(query: str, filter: str | None = None) -> list[str]:
    assert filter in (None, "x"), "the number of results is no filter"
    return ["beta here"]


@pytest.mark.parametrize(
    ("search", "given", "takes_k"),
    [
        (lambda query, k: [k], 2, True),
        (lambda question, wanted: [wanted], 2, True),
        (lambda query, filter=None, top_k=9: [top_k if filter is None else filter], 2, True),
        (lambda query, *, n: [n], 2, True),
        (lambda query, limit=9: [limit], 2, True),
        (lambda query, filter=None: ["own" if filter is None else filter], "own", False),
        (lambda query: ["own"], "own", False),
        (lambda *arguments: [arguments[1]], 2, True),
        (lambda query, **options: [options or "own"], "own", False),
        (functools.partial(lambda query, filter, k: [(filter, k)], filter="x"), ("x", 2), True),
        (functools.partial(lambda client, query, k: [(client, k)], "client"), ("client", 2), True),
        (functools.partial(lambda client, query, k: [(client, k)], client="client"), ("client", 2), True),
        (functools.partial(lambda query, k: [k], k=20), 20, False),
        (functools.partial(max, key=None), None, True),
    ],
)
def test_a_function_is_asked_for_k_where_it_takes_it(search: Any, given: object, takes_k: bool) -> None:
    asked = asker(search)
    assert asked.takes_k is takes_k
    if given is not None:
        assert asked.ask("a question", 2) == [given]


@pytest.mark.parametrize(
    ("search", "says"),
    [
        (functools.partial(own_number, "q", filter="x"), "takes no question; give search(query, k)"),
        (lambda query, k, tenant: [], "needs more than a question and k: tenant; bind it: functools.partial(search, tenant=...)"),
        (limited.__class__, "cannot search with the class function: give an object of it"),
    ],
)
def test_a_function_that_needs_something_else_is_an_error_in_one_line(search: Any, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        asker(search)
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_what_is_bound_is_named_without_its_value() -> None:
    bound = functools.partial(limited, filter="secret")
    assert [len(r.chunks) for r in ask(bound, depth=2)] == [2, 2] and len(ask(own_number)) == 2
    assert name_of(bound).endswith("limited(filter=...)") and "secret" not in name_of(bound)
    assert name_of(functools.partial(own_number, "secret")).endswith("own_number(...)")


def test_an_object_that_knows_its_own_number_is_asked_through_a_copy() -> None:
    class Known:
        def __init__(self, k: int) -> None:
            self.k = k

        def invoke(self, query: str) -> list[str]:
            return ["beta here", "one two one", "alpha beta gamma"][: self.k]

    class Frozen(Known):
        def __setattr__(self, name: str, value: object) -> None:
            if hasattr(self, name):
                raise AttributeError("it is frozen")
            super().__setattr__(name, value)

    class Method:
        top_k = 1

        def retrieve(self, query: str, top_k: int = 1) -> list[str]:
            assert self.top_k == 1
            return ["beta here", "one two one"][:top_k]

    known, frozen = Known(1), Frozen(1)
    assert [len(r.chunks) for r in ask(known, depth=2)] == [2, 2] and known.k == 1
    assert [len(r.chunks) for r in ask(frozen, depth=2)] == [1, 1] and not asker(frozen).takes_k
    assert [len(r.chunks) for r in ask(Method(), depth=2)] == [2, 2]


def test_results_may_be_tuples_arrays_and_generators_with_numbers_of_numpy() -> None:
    record = {"doc_id": "c.md", "start": np.int64(6), "end": np.int32(15), "score": np.float32(0.5), "chunk_id": np.int64(7)}
    forms: tuple[Callable[[list[Any]], Any], ...] = (tuple, iter, lambda r: np.array(r, dtype=object), lambda r: (x for x in r))
    for form in forms:
        ranking = ask(lambda query, k, form=form: form([record]))[0]
        assert spans(ranking) == [("c.md", 6, 15)] and ranking.scores == (0.5,)
    assert spans(ask(gives(*np.array(["beta here"])))[0]) == [("c.md", 6, 15)]


def test_the_command_line_takes_an_object_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from ragdiag.cli import main

    corpus, queries = tiny(tmp_path)
    code = (
        "class Found:\n    k = 1\n    def invoke(self, query):\n        return ['The apple is here.', 'b pear one.'][:self.k]\n"
    )
    (tmp_path / "held_objects.py").write_text(f"{code}retriever = Found()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    arguments = ["audit", str(corpus), str(queries), "-k", "2", "--no-cache", "--search"]
    told = CliRunner().invoke(main, [*arguments, "held_objects:retriever"])
    assert told.exit_code == 0 and "search held_objects.Found" in told.output
    told = CliRunner().invoke(main, [*arguments, "held_objects:retrieve"])
    assert told.exit_code == 2 and "held_objects has no function or object 'retrieve'" in " ".join(told.output.split())
