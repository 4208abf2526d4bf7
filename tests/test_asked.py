"""A search that is asked for proofs: what is true only of the way it is asked is no proof, and is not called tested."""

import json
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragdiag
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import Untestable
from ragdiag.core.options import Options
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Chunking, Corpus, Document, QueryResult
from ragdiag.pipeline import audit, run_audit
from ragdiag.scoring.packing import Packing
from ragdiag.search.asked import AskedIndex, ByCosine, by_cosine
from ragdiag.search.asking import Asking
from ragdiag.search.runs import Ranking

OLD, NEW = "rates-2023.md", "rates-2025.md"
OFFICES = ("tram", "bus", "ship", "plane", "canoe", "horse", "sled", "tractor", "lorry", "van", "taxi", "rope", "cart")
TEXTS = {
    OLD: "The daily allowance for meals is $45 at home and $65 abroad.",
    NEW: "The daily allowance for meals is $45 at home and $70 abroad.",
    **{f"{name}.md": f"Page of {name}: meals abroad are paid by the {name} office." for name in OFFICES},
}
QUESTION = "daily allowance for meals abroad"
OTHERS = [name for name in TEXTS if name not in (OLD, NEW)]

Search = Callable[[str, int], list[Any]]


@pytest.fixture
def world(tmp_path: Path) -> tuple[Path, Path]:
    """Documents of which one supersedes another, and two queries."""
    documents = [{"_id": name, "text": text} | ({"supersedes": OLD} if name == NEW else {}) for name, text in TEXTS.items()]
    queries = [
        {"_id": "meals", "text": QUESTION, "evidence": [{"doc_id": NEW, "text": TEXTS[NEW]}]},
        {"_id": "canoe", "text": "who pays for the canoe", "evidence": [{"doc_id": "canoe.md", "text": TEXTS["canoe.md"]}]},
    ]
    for file, rows in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        (tmp_path / file).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"


def results(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"doc_id": name, "text": TEXTS[name]} for name in names]


def ordered(question: str) -> list[str]:
    """What an index has for a question; that of the allowance stands below its old version and three others."""
    if "canoe" in question:
        return ["canoe.md", *(name for name in TEXTS if name != "canoe.md")]
    return [OLD, *OTHERS[:3], NEW, *OTHERS[3:]]


def audited(world: tuple[Path, Path], search: Search, k: int = 2, **options: Any) -> tuple[QueryResult, ragdiag.Report]:
    """The query on meals, through a search of the documents."""
    report = ragdiag.audit(*world, search=search, k=k, cache=None, swap="none", **options)
    return report.queries[0], report


def reranked(question: str, k: int, dropped: Collection[str] = (), most: int = 2) -> list[str]:
    """A search that puts the new version right below the old one, where it is among the first `most` times k."""
    candidates = [name for name in ordered(question) if name not in dropped][: most * k]
    return sorted(candidates, key=lambda name: ("canoe" in question, name != OLD, name != NEW))[:k]


def test_what_only_a_deeper_search_finds_does_not_come_in_for_what_is_dropped(world: tuple[Path, Path]) -> None:
    assert reranked(QUESTION, 2) == reranked(QUESTION, 2, [])
    assert NEW not in reranked(QUESTION, 2, [OLD], 1), "the truth: without the old version it is not found either"
    query, report = audited(world, lambda question, k: results(reranked(question, k, most=1 if k < 50 else 9)))
    assert any(note.startswith("asked for more results, the search gives others first for 2 queries:") for note in report.notes)
    assert "stale" not in query.causes
    assert [f.proved for f in query.findings if f.cause == "stale"] == [False]


def test_what_comes_in_for_what_is_dropped_is_proved_by_an_unsteady_search_too(world: tuple[Path, Path]) -> None:
    assert NEW in reranked(QUESTION, 2, [OLD], 4) and NEW not in reranked(QUESTION, 1, most=4)
    query, _ = audited(world, lambda question, k: results(reranked(question, k, most=4)[:k]), k=1)
    assert query.causes == ("stale",)


def test_a_search_that_varies_proves_nothing(world: tuple[Path, Path]) -> None:
    draw = random.Random(1)

    def search(question: str, k: int) -> list[dict[str, str]]:
        names = ordered(question)
        return results(names if "canoe" in question else [OLD, *draw.sample(names[1:], len(names) - 1)])[:k]

    query, report = audited(world, search)
    assert query.status in ("ok", "not_decidable") and not query.causes
    assert any("asked 'daily allowance for meals abroad' once more" in note for note in report.notes)


def test_a_search_with_a_number_of_its_own_that_varies_is_noticed_too(world: tuple[Path, Path]) -> None:
    asked: list[str] = []

    def search(question: str) -> list[dict[str, str]]:
        asked.append(question)
        return results(ordered(question)[: 2 + len(asked)])

    report = ragdiag.audit(*world, search=search, k=2, cache=None, swap="none")
    assert any("once more, the search gave something else" in note for note in report.notes)


@pytest.mark.parametrize("calls", [0, 1000])
def test_a_context_that_repeats_a_chunk_has_fewer_however_deep_is_looked(world: tuple[Path, Path], calls: int) -> None:
    """Each text is indexed twice, under ids of its own: of three results two are one text."""

    def search(question: str, k: int) -> list[dict[str, str]]:
        names = [OLD, NEW, *OTHERS] if "canoe" not in question else ordered(question)
        return [{"chunk_id": f"{name}-{i}", **row} for name in names for i in (1, 2) for row in results([name])][:k]

    query, report = audited(world, search, k=2, calls=calls)
    assert (query.served, query.measures["Sufficient@2"]) == (False, 0.0), "its application is handed the old version twice"
    assert report.measures["Sufficient@2"].mean == 0.5
    assert query.causes == (() if calls == 0 else ("stale",)), "without both of the old version the new one is in"


def test_a_search_that_is_cut_says_nothing_of_what_is_below(world: tuple[Path, Path]) -> None:
    query, _ = audited(world, lambda question, k: results(ordered(question))[: min(k, 2)])
    assert query.status == "not_decidable" and "stale" in query.untested
    few, _ = audited(world, lambda question, k: results(ordered(question)[: 5 if "canoe" in question else 2])[:k])
    assert few.status != "not_decidable", "not all of its rankings end there: it has no more"


def test_an_answer_that_is_no_list_ends_no_audit(world: tuple[Path, Path]) -> None:
    def search(question: str, k: int) -> Any:
        return results(ordered(question))[:k] if question in (QUESTION, "who pays for the canoe") else None

    query, report = audited(world, search)
    assert query.served is False and report.queries[1].served


def test_the_time_of_a_query_is_that_of_a_search_for_a_context(world: tuple[Path, Path]) -> None:
    _, report = audited(world, lambda question, k: results(ordered(question))[:k])
    assert report.timings["retrieval"]["queries"] == 2  # type: ignore[index]


class Versioned:
    """A search that states its version, and counts how often it is asked."""

    version = 3

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, question: str, k: int) -> list[dict[str, str]]:
        self.asked += 1
        return results(ordered(question))[:k]


@pytest.mark.parametrize("calls", [0, 1, 2, 5, 1000])
def test_the_same_audit_is_the_same_report_with_answers_kept(world: tuple[Path, Path], tmp_path: Path, calls: int) -> None:
    reports = []
    for search in (Versioned(), Versioned()):
        report = audit(*world, search=search, k=2, cache=tmp_path / "cache", calls=calls, swap="none")
        reports.append(repr(replace(report, timings={})))
        left = search.asked
    assert reports[0] == reports[1]
    assert left == 0, "it is not asked again"


# An added text


class Flat:
    """An encoder of texts that are numbers: the cosine with the query "0" is the number."""

    described, max_tokens = "flat", 0

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> Any:
        angles = np.arccos([1.0 if kind == "query" else float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


CHUNKS = [f"0.{99 - n}" for n in range(40)]
"""The nearer the earlier."""


def placing(given: Callable[[int], Sequence[int]], k: int = 5, queries: int = 1, depth: int = 100) -> AskedIndex:
    """An index of `CHUNKS`, each a document, of a search that gives some of them when it is asked for so many."""
    corpus = Corpus(tuple(Document(f"d{n}", text) for n, text in enumerate(CHUNKS)))
    at = np.arange(len(CHUNKS))
    chunking = Chunking(at, 0 * at, 0 * at + 4)

    def numbered(ranking: Ranking) -> Any:
        return np.array([int(chunk.id) for chunk in ranking.chunks], dtype=np.int64)

    asking = Asking(lambda question, k: [{"chunk_id": str(n)} for n in given(k)], 1000)
    known = {f"q{n}": np.array(given(depth)[:depth], dtype=np.int64) for n in range(queries)}
    index = AskedIndex(known, frozenset(), numbered, asking, Packing(corpus, chunking, k, 0), depth)
    made, _ = by_cosine(index, Flat(), CHUNKS, at, None)  # type: ignore[arg-type]
    return made


def added(index: AskedIndex, text: str, document: int = 0, removed: Collection[int] = ()) -> list[int]:
    """The ranking with a text more."""
    edit = Edit(frozenset(removed), (Addition(document, 0, 4, text, 0.5),))
    order = index.what_if(["q0"], [edit], 100)[0][0]
    return [n for n in order.tolist() if n >= 0]


def test_a_text_stands_where_its_cosine_puts_it() -> None:
    index = placing(lambda k: list(range(40))[:k])
    assert isinstance(index, ByCosine)
    assert added(index, "0.965")[:5] == [0, 1, 2, 40, 3]
    assert added(index, "0.01")[-1] == 40, "all chunks are there: it is the last"
    assert added(index, "0.965", removed=[0, 1])[:3] == [2, 40, 3]


def test_below_a_threshold_nothing_is_known() -> None:
    """It gives what is nearer than 0.96, four chunks; what is less near is no fifth one."""
    index = placing(lambda k: [0, 1, 2, 3][:k], queries=20)
    assert isinstance(index, ByCosine)
    with pytest.raises(Untestable, match="below what the search gives"):
        added(index, "0.5")
    assert added(index, "0.985")[:2] == [0, 40]
    assert 40 not in added(placing(lambda k: list(range(8))[:k], queries=20), "0.5"), "it fills a context without"


def test_without_a_result_nothing_is_placed() -> None:
    index = placing(lambda k: list(range(40))[:k], queries=2)
    index._known["q0"] = np.array([], dtype=np.int64)
    with pytest.raises(Untestable, match="below what the search gives"):
        added(index, "0.5")


def test_a_document_that_a_filter_leaves_out_gets_no_text() -> None:
    index = placing(lambda k: [n for n in range(40) if n != 2][:k])
    with pytest.raises(Untestable, match="leaves out nearer chunks"):
        added(index, "0.985", document=2)
    assert added(index, "0.985", document=1)[:3] == [0, 40, 1]


def test_a_query_that_is_ranked_otherwise_gets_no_text() -> None:
    index = placing(lambda k: list(range(40))[:k], queries=20)
    index._known["q0"] = np.array([7, *range(7), *range(8, 40)], dtype=np.int64)
    with pytest.raises(Untestable, match="does not rank this query by the cosine"):
        added(index, "0.985")


def test_a_few_results_in_order_are_no_sign_of_the_cosine() -> None:
    assert not isinstance(placing(lambda k: [0, 1, 2][:k], queries=2), ByCosine)


@pytest.mark.slow
@pytest.mark.encoder
def test_the_context_that_is_named_is_embedded_with_the_chunks_too(world: tuple[Path, Path]) -> None:
    """Ranked by texts with their titles: by texts alone, as they are given, the order would be another."""
    rows = [json.loads(line) for line in world[0].read_text(encoding="utf-8").splitlines()]
    titled = [row | {"title": f"Manual of the {OFFICES[n * 5 % 13]}s"} for n, row in enumerate(rows)]
    world[0].write_text("".join(json.dumps(row) + "\n" for row in titled), encoding="utf-8")
    found = run_audit(*world, Options(chunker="fixed", context="title", retriever="dense", k=2, cache=None, swap="none"))
    index, spans, documents = found.searchable, found.scorer.chunking, found.corpus.documents

    def search(question: str, k: int) -> list[dict[str, str]]:
        assert index is not None
        order = index.search([question], min(k, len(spans)))[0][0].tolist()
        return results([documents[int(spans.document[n])].id for n in order])

    for context, places in (("title", True), ("none", False)):
        report = ragdiag.audit(*world, search=search, search_model="default", context=context, k=2, cache=None, swap="none")
        assert any("does not rank by cosines" in note for note in report.notes) is not places
