"""A search that is asked on, and a run with its chunks: the causes of its index, or what cannot be tested; its calls."""

import functools
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

from test_failures import EXPECTED, FIXTURES, corpus, fixture, made, options, write

from ragdiag.core.errors import UsageError
from ragdiag.core.options import Options
from ragdiag.core.records import QueryResult, Report
from ragdiag.pipeline import Audit, run_audit
from ragdiag.reports.json import audit_dict, dumps
from ragdiag.reports.terminal import audit_text
from ragdiag.search import retrieval
from ragdiag.testing import no_cause

ADDS = {"chunk_split", "contextless", "diluted", "header_lost", "missing_content", "oversized", "too_small", "truncated"}
"""Causes whose proof adds a text."""

LEFT_OUT = {"label_defect", "statuses", "truncated", "vector_fault"}
"""Of a search's vectors nothing is known, nor how far its encoder reads; the others say nothing of an index, or have pairs."""

SEARCHED = [name for name in EXPECTED if "run" not in options(FIXTURES / name) and name not in LEFT_OUT]
"""Fixtures with an index."""

ALIKE = ("Sufficient", "Evidence", "CharR", "CharP")
"""Measures of what a context holds: those of ranks differ where scores are equal, which a list does not tell."""

Search = Callable[[str, int], list[dict[str, Any]]]


class Behind(NamedTuple):
    """An audit of an index, a function that searches it, and its chunks as records."""

    direct: Audit
    search: Search
    chunks: tuple[dict[str, Any], ...]


def behind(direct: Audit) -> Behind:
    chunking, documents, index = direct.scorer.chunking, direct.corpus.documents, direct.searchable
    assert index is not None

    def record(c: int) -> dict[str, Any]:
        document, start, end = documents[int(chunking.document[c])], int(chunking.start[c]), int(chunking.end[c])
        place = {} if document.foreign else {"doc_id": document.id, "start": start, "end": end}
        return {**place, "text": document.text[start:end]}

    def search(query: str, k: int) -> list[dict[str, Any]]:
        return [record(c) for c in index.search([query], k)[0][0].tolist() if c >= 0]

    kept = [c for c in range(len(chunking)) if not documents[int(chunking.document[c])].foreign]
    return Behind(direct, search, tuple(map(record, kept)))


@functools.cache
def of_fixture(name: str) -> Behind:
    return behind(fixture(name).audit)


def asked(name: str, **given: Any) -> Report:
    """The audit of a fixture through its search."""
    folder, own = FIXTURES / name, ("retriever", "chunker", "chunks", "context")
    kept = {option: value for option, value in options(folder).items() if option not in own}
    return run_audit(corpus(folder), folder / "queries.jsonl", Options(**{"cache": None} | kept | given)).report


def failing(direct: Report, live: Report) -> list[tuple[QueryResult, QueryResult]]:
    return [(a, b) for a, b in zip(direct.queries, live.queries, strict=True) if a.served is False]


ENCODED = {"foreign"}


@pytest.mark.parametrize("given", ["chunks", "nothing"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.encoder] if name in ENCODED else []) for name in SEARCHED]
)
def test_a_search_has_the_causes_of_its_index_or_they_are_said_to_be_untestable(name: str, given: str) -> None:
    """Where no text need be added: the same ones, whether the chunks are given or taken from what it gives."""
    index = of_fixture(name)
    more = {"own_chunks": index.chunks} if given == "chunks" else {}
    live = asked(name, search=index.search, **more)
    pairs = failing(index.direct.report, live)
    assert pairs, "a fixture has a query that fails"
    for direct, through in pairs:
        assert through.least_k == direct.least_k
        assert [through.measures[m] for m in direct.measures if m.startswith(ALIKE)] == [
            v for m, v in direct.measures.items() if m.startswith(ALIKE)
        ]
        if (direct.causes and direct.causes[0] in ADDS) or direct.status == "unattainable":
            assert (through.status, through.causes) == ("not_decidable", ())
            assert set(direct.causes[:1]) <= set(through.untested)
            (finding,) = (f for f in through.findings if f.cause == through.untested[0])
            assert finding.control is not None and finding.control.says.startswith("cannot be tested on this index: ")
        elif direct.id == "failing-boilers":  # words searched by their stems are another index, which is not ours to make
            assert through.causes == ("word_gap",)
        else:
            assert (through.status, through.causes) == (direct.status, direct.causes)


@pytest.mark.encoder
@pytest.mark.parametrize("name", ["chunk_split", "contextless", "diluted", "too_small", "missing_content", "stale", "pollution"])
def test_where_the_model_of_a_search_is_known_texts_are_added_as_to_its_index(name: str) -> None:
    folder = FIXTURES / name
    given = {"k": options(folder)["k"], "swap": "none", "cache": None}
    own = {key: value for key, value in options(folder).items() if key in ("chunker", "chunks")}
    direct = run_audit(corpus(folder), folder / "queries.jsonl", Options(retriever="dense", **given, **own))
    index = behind(direct)
    chunks = {"own_chunks": index.chunks}
    # What a chunker's limit is, nobody says of own chunks.
    same = run_audit(corpus(folder), folder / "queries.jsonl", Options(retriever="dense", **given, **chunks)).report
    live = asked(name, search=index.search, search_model="default", swap="none", **chunks)
    for a, b in zip(same.queries, live.queries, strict=True):
        assert (a.status, a.causes, a.least_k) == (b.status, b.causes, b.least_k)
        assert [(f.cause, f.proved, f.before, f.after) for f in a.findings] == [
            (f.cause, f.proved, f.before, f.after) for f in b.findings
        ]


@pytest.mark.encoder
def test_what_a_search_may_not_have_read_is_no_gap_of_words() -> None:
    """Evidence behind what its encoder reads: words find it, and that proves nothing of the question's words."""
    index = of_fixture("truncated")
    live = asked("truncated", search=index.search, own_chunks=index.chunks, swap="bm25")
    ((direct, through),) = failing(index.direct.report, live)
    assert direct.causes == ("truncated",)
    assert (through.status, through.causes) == ("not_decidable", ()) and "truncated" in through.untested
    (finding,) = (f for f in through.findings if f.cause == "truncated")
    assert finding.control is not None and "how much of a text is read by what embeds" in finding.control.says
    assert not any(f.proved and not f.residual for f in through.findings)


@pytest.mark.encoder
def test_a_model_that_a_search_does_not_rank_by_places_nothing() -> None:
    index = of_fixture("contextless")  # it searches by words
    live = asked("contextless", search=index.search, own_chunks=index.chunks, search_model="default")
    assert any("does not rank by cosines of" in note for note in live.notes)
    assert {q.status for _, q in failing(index.direct.report, live)} == {"not_decidable"}


def test_a_model_without_a_search_is_an_error() -> None:
    with pytest.raises(UsageError, match="search_model says what embeds for search"):
        Options(search_model="default")


def screen(report: Report) -> str:
    """An audit as a terminal shows it."""
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(audit_text(report))
    return console.export_text()


def counting(search: Search) -> tuple[Search, list[tuple[str, int]]]:
    calls: list[tuple[str, int]] = []

    def counted(query: str, k: int) -> list[dict[str, Any]]:
        calls.append((query, k))
        return search(query, k)

    return counted, calls


def test_calls_are_as_many_as_allowed_and_none_is_made_twice() -> None:
    index = of_fixture("query_mismatch")
    queries = len(index.direct.report.queries)
    search, all_calls = counting(index.search)
    enough = asked("query_mismatch", search=search, own_chunks=index.chunks)
    assert len(all_calls) == len(set(all_calls)) > 2 * queries
    for most in (0, 1, 3):
        search, calls = counting(index.search)
        live = asked("query_mismatch", search=search, own_chunks=index.chunks, calls=most)
        assert len(calls) <= 2 * queries + most
        assert live.measures.items() <= enough.measures.items(), "causes change no measure"
        few = {q.id: q for _, q in failing(index.direct.report, live)}
        assert all(q.status == "not_decidable" for q in few.values() if not q.causes), "what was not asked is not ruled out"
        assert ("--calls allows more" in " ".join(live.notes)) == (most > 0)
    assert any(
        note.endswith(f"was called {len(all_calls) - 2 * queries} times beside the calls for the queries")
        for note in enough.notes
    )
    assert any("--calls allows more" in f.control.says for q in few.values() for f in q.findings if f.control)


def test_without_calls_a_search_is_scored_and_no_more() -> None:
    index = of_fixture("stale")
    search, calls = counting(index.search)
    live = asked("stale", search=search, calls=0)
    assert {k for _, k in calls} == {options(FIXTURES / "stale")["k"]}
    assert {q.status for _, q in failing(index.direct.report, live)} == {"not_decidable"}
    assert "the search was not asked what would change: for causes allow --calls" in " ".join(screen(live).split())


def test_a_search_that_raises_leaves_its_query_undecided(tmp_path: Path) -> None:
    index = of_fixture("stale")

    def search(query: str, k: int) -> list[dict[str, Any]]:
        if query == index.direct.labels.queries[0].text:
            raise TimeoutError("too slow")
        return index.search(query, k)

    live = asked("stale", search=search, own_chunks=index.chunks)
    assert live.queries[0].status == "not_decidable" and not live.queries[0].findings
    assert any("raised on 1 of" in note for note in live.notes)


def test_answers_of_a_search_with_a_version_are_kept(tmp_path: Path) -> None:
    index = of_fixture("query_mismatch")
    search, calls = counting(index.search)
    search.version = "1"  # type: ignore[attr-defined]
    given = {"search": search, "own_chunks": index.chunks, "cache": tmp_path, "swap": "none"}
    first = asked("query_mismatch", **given)
    made_first = len(calls)
    again = asked("query_mismatch", **given)
    assert made_first and len(calls) == made_first, "the second audit asks nothing"
    assert [(q.status, q.causes, q.findings) for q in again.queries] == [(q.status, q.causes, q.findings) for q in first.queries]
    search.version = "2"  # type: ignore[attr-defined]
    asked("query_mismatch", **given)
    assert len(calls) == 2 * made_first


def test_an_interrupted_audit_goes_on_where_it_was(tmp_path: Path) -> None:
    index = of_fixture("query_mismatch")
    whole, all_calls = counting(index.search)
    asked("query_mismatch", search=whole, own_chunks=index.chunks)
    search, calls = counting(index.search)

    def stopped(query: str, k: int) -> list[dict[str, Any]]:
        if len(calls) == 9:
            calls.append(("stopped", 0))
            raise KeyboardInterrupt
        return search(query, k)

    stopped.version = 1  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        asked("query_mismatch", search=stopped, own_chunks=index.chunks, cache=tmp_path, swap="none")
    asked("query_mismatch", search=stopped, own_chunks=index.chunks, cache=tmp_path, swap="none")
    assert len(calls) == len(all_calls) + 1 and set(calls) == {*all_calls, ("stopped", 0)}


def test_the_chunks_of_a_search_are_found_by_asking(tmp_path: Path) -> None:
    """Forty documents of one chunk each, of which each answer has three: the labelled question meets a few, its text the rest."""
    documents = {f"d{n}": f"The number {n} is of house {n}. It has a red door." for n in range(40)}

    def search(query: str, k: int) -> list[str]:
        wanted = set(query.split())
        return sorted(documents.values(), key=lambda text: -len(wanted & set(text.split())))[: min(k, 3)]

    found = made(tmp_path, documents, "door of number 7", ("d7", "house 7"), search=search, retriever="bm25").audit
    assert len(found.scorer.chunking) == 40 and found.scorer.chunking.complete
    assert any(note.startswith("40 chunks found by asking for the documents' text (") for note in found.report.notes)
    some = made(
        tmp_path, documents, "door of number 7", ("d7", "house 7"), retriever="bm25",
        search=lambda query, k: [text for text in search(query, 9) if "number 3" not in text],
    ).audit  # fmt: skip
    assert any(note.startswith("11 documents (d3, d30, d31, …) in no result, though asked for") for note in some.report.notes)
    part = made(tmp_path, documents, "door of number 7", ("d7", "house 7"), search=search, retriever="bm25", calls=6).audit
    assert len(part.scorer.chunking) < 40 and not part.scorer.chunking.complete
    assert any("more --calls" in note for note in part.report.notes)


def test_a_text_of_no_document_takes_its_place(tmp_path: Path) -> None:
    """Page a said something else when it was indexed; the index answers with that, and with a page that is gone."""
    documents = {"a": "The gate opens at nine.", "b": "The gate is green."}
    given: Sequence[Any] = (
        {"doc_id": "gone", "text": "The gate was never open."},
        {"doc_id": "a", "text": "The gate opens at eight."},
        {"doc_id": "a", "text": "The gate opens at nine."},
    )
    found = made(tmp_path, documents, "when does the gate open", ("a", "nine"), search=lambda q, k: list(given[:k]), k=2).audit
    (query,) = found.report.queries
    assert (query.served, query.least_k) == (False, 3)
    assert (query.status, query.causes) == ("caused", ("foreign",))
    assert any(note.startswith("changed: 1 record") for note in found.report.notes)
    assert any(note.startswith("orphan: 1 record") for note in found.report.notes)


def test_a_run_with_its_chunks_gets_what_a_ranking_tells(tmp_path: Path) -> None:
    """A stale twin above the evidence: to drop it a ranking is enough. Other words a run was never asked."""
    index = of_fixture("stale")
    ranked = [{"query_id": q.id, "retrieved": index.search(q.text, 10)} for q in index.direct.labels.queries]
    run, chunks = write(tmp_path / "run.jsonl", ranked), write(tmp_path / "chunks.jsonl", index.chunks)
    with_chunks = asked("stale", run=run, chunks=chunks)
    assert [(b.status, b.causes) for _, b in failing(index.direct.report, with_chunks)] == [("caused", ("stale",))]
    alone = asked("stale", run=run)
    assert {b.status for _, b in failing(index.direct.report, alone)} == {"not_decidable"}
    k = options(FIXTURES / "stale")["k"]
    short = [{**row, "retrieved": row["retrieved"][:k]} for row in ranked]
    cut = asked("stale", run=write(tmp_path / "short.jsonl", short), chunks=chunks)
    ((_, query),) = failing(index.direct.report, cut)
    assert (query.status, query.causes) == ("not_decidable", ())
    assert any("the run has no more results" in f.control.says for f in query.findings if f.control)


@pytest.mark.parametrize("name", ["contextless", "diluted", "too_small", "oversized", "missing_content"])
def test_an_index_that_takes_no_text_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a store of which it is not known what was embedded: what needs a text is not proved, and nothing residual instead."""
    monkeypatch.setattr(retrieval, "kept_of", lambda index: (None, False))
    folder = FIXTURES / name
    report = run_audit(corpus(folder), folder / "queries.jsonl", Options(**{"cache": None} | options(folder))).report
    caused = [q for q, found in EXPECTED[name].items() if found["causes"] == [name]]
    for query in (q for q in report.queries if q.id in caused):
        assert (query.status, query.causes) == ("not_decidable", ()) and name in query.untested


def test_no_cause_does_not_pass_where_it_cannot_be_tested() -> None:
    index = of_fixture("contextless")
    report = asked("contextless", search=index.search, own_chunks=index.chunks)
    no_cause(report, "stale", "crowded_out")
    with pytest.raises(UsageError, match="contextless cannot be tested on this index, for 1 query"):
        no_cause(report, "contextless")


def test_what_cannot_be_tested_is_said_on_every_surface(tmp_path: Path) -> None:
    index = of_fixture("contextless")
    report = asked("contextless", search=index.search, own_chunks=index.chunks)
    (query,) = (q.id for q in report.queries if q.served is False)
    said = "what may be wrong cannot be tested on this index"
    assert f"not decidable: {said}: contextless 1" in " ".join(screen(report).split())
    story = json.loads(dumps(audit_dict(report)))
    (told,) = (q for q in story["queries"] if q["id"] == query)
    assert told["status"] == "not_decidable" and told["causes"] == []
    assert [f["cause"] for f in told["findings"] if "untestable" in f["detail"]] == ["contextless"]
