"""An index that misses what it holds: found out by exact search of the same vectors, and told apart from other causes."""

import copy
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chunked import chunked
from rich.console import Console

from ragdiag.core.proofs import EXACT, Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Chunking, Corpus, Document, IndexRecall
from ragdiag.core.registry import make
from ragdiag.diagnosis.modes import modes
from ragdiag.explain import explain
from ragdiag.pipeline import Audit, Options, run_audit
from ragdiag.reports.terminal import audit_text
from ragdiag.scoring.packing import Packing
from ragdiag.search.approximate import as_asked, exact_swap, index_health, recall
from ragdiag.search.retrievers.lsa import Lsa

pytestmark = pytest.mark.slow

TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater"
NONE = -np.inf


def missing(index: Any, left_out: Sequence[int]) -> Any:
    """`index` as an approximate one that never returns some of its texts."""
    missed, other = Edit(frozenset(left_out)), copy.copy(index)
    other.exact = lambda: index
    other.search = lambda queries, depth: index.what_if(queries, [missed] * len(queries), depth)
    other.what_if = lambda queries, edits, depth: index.what_if(queries, [edit.with_(missed) for edit in edits], depth)
    return other


@pytest.fixture
def misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lsa` misses whatever says when maintenance takes place."""
    build = Lsa.index

    def index(lsa: Lsa, texts: Sequence[str], *more: Any) -> Any:
        return missing(build(lsa, texts, *more), [i for i, t in enumerate(texts) if "Maintenance takes place on Sundays" in t])

    monkeypatch.setattr(Lsa, "index", index)


def shy(index: Any, left_out: Sequence[int], until: int) -> Any:
    """`index` as one that returns some of its texts only where it is asked for `until` results or more, as a graph may."""
    narrow, other = missing(index, left_out), copy.copy(index)
    other.exact = lambda: index
    other.search = lambda queries, depth: (index if depth >= until else narrow).search(queries, depth)
    other.what_if = lambda queries, edits, depth: (index if depth >= until else narrow).what_if(queries, edits, depth)
    return other


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lsa` finds what says when maintenance takes place if it is asked for 30 results, and not if for fewer."""
    build = Lsa.index

    def index(lsa: Lsa, texts: Sequence[str], *more: Any) -> Any:
        return shy(build(lsa, texts, *more), [i for i, t in enumerate(texts) if "Maintenance takes place on Sundays" in t], 30)

    monkeypatch.setattr(Lsa, "index", index)


def audited(retriever: str, tmp_path: Path, **options: Any) -> Audit:
    return run_audit(TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", Options(retriever=retriever, cache=tmp_path, **options))


def shown(audit: Audit) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(audit_text(audit.report))
    return console.export_text()


@pytest.mark.parametrize("retriever", ["lsa", "latest(lsa)", "hybrid(lsa, bm25, weights=(0.9, 0.1))"])
def test_a_chunk_that_the_index_misses(retriever: str, misses: None, tmp_path: Path) -> None:
    audit = audited(retriever, tmp_path)
    assert EXACT in audit.report.pipeline.swaps
    assert "exact search" in audit.report.timings
    assert audit.report.pipeline.index_recall.k == 5
    assert 0.9 < audit.report.pipeline.index_recall.mean < 0.999
    assert f"{audit.report.pipeline.index_recall.mean:.1%} of the first 5 chunks that exact search finds" in shown(audit)
    if "hybrid" in retriever:
        return  # bm25 returns it: nothing is missed
    result = next(q for q in audit.report.queries if q.id == "tw-21")
    assert (result.status, result.causes) == ("caused", ("index_miss",))
    found = {f.cause: f for f in result.findings}
    (row,) = found["index_miss"].detail["missed"]
    assert (row["chunk"], row["rank"], row["exact"]) == ("sla-v2#1060-1810", None, found["index_miss"].after.rank)
    assert found["index_miss"].before.rank is None
    other = found["query_mismatch"]  # other words: they are not missed, and not the reason
    assert other.after.sufficient and not other.proved and other.detail["exact_as_well"]
    assert found["query_mismatch"].edit.retriever == "bm25"
    concerned = {q.id for q in audit.report.queries for f in q.findings if f.cause == "index_miss"}
    assert concerned == {"tw-21", "tw-22"}, "both have their evidence in that chunk"


@pytest.mark.parametrize("options", [{}, {"budget": 700}], ids=["k", "budget"])
def test_a_context_is_what_a_search_for_it_returns(options: dict[str, int], wakes: None, tmp_path: Path) -> None:
    """Exact search serves tw-21; a search for a context's worth does not, and one for 100, which ranks the rest, would."""
    audit = audited("lsa", tmp_path, **options)
    result = next(q for q in audit.report.queries if q.id == "tw-21")
    assert (result.served, result.causes) == (False, ("index_miss",))
    finding = next(f for f in result.findings if f.cause == "index_miss")
    (row,) = finding.detail["missed"]
    q = [query.id for query in audit.labels.queries].index("tw-21")
    assert row["exact"] <= 5 < row["rank"] == result.least_k
    assert row["rank"] > audit.lengths[q], "found deeper: below the context, whatever its score"
    shown_ranks = [chunk.rank for chunk in explain(audit, "tw-21").ranking if not chunk.in_context]
    assert row["rank"] in shown_ranks, "the same rank wherever it is told"
    assert audit.report.pipeline.index_recall.mean < 0.999


@pytest.mark.parametrize("k", [1, 3, 5, 29, 30, 31])
def test_the_first_k_are_those_of_a_search_for_k(k: int) -> None:
    texts = [f"boats and ferry number {i} " + "leave " * (i % 7) for i in range(60)]
    whole = Lsa().index(texts, None, no_progress)
    lacking = shy(whole, whole.search(["boats leave"], 2)[0][0].tolist(), 30)
    asked = ["boats leave", "ferry number 7"]
    edits = [Edit(frozenset({3, 4})), Edit(added=(Addition(0, 0, 9, "boats leave", 4.5),))]
    document = Document("a", "x" * 60)
    chunking = Chunking(np.zeros(60, dtype=np.int64), np.arange(60), np.arange(60) + 1)
    index = as_asked(lacking, Packing(Corpus((document,)), chunking, k, 0))
    for found, own, exactly in (
        (index.search(asked, 40), lacking.search(asked, k), whole.search(asked, 40)),
        (index.what_if(asked, edits, 40), lacking.what_if(asked, edits, k), whole.what_if(asked, edits, 40)),
    ):
        assert found[0][:, :k].tolist() == own[0].tolist()
        assert [sorted(row) for row in found[0].tolist()] == [sorted(row) for row in exactly[0].tolist()], "each once"
        rest = found[1][:, k:]
        assert (rest[:, :-1] >= rest[:, 1:]).all()


def test_a_search_that_gives_fewer_than_k_has_nothing_below() -> None:
    texts = [f"boats {i}" for i in range(6)]
    index = missing(Lsa().index(texts, None, no_progress), range(3))
    few, all_of_it = index.search, shy(Lsa().index(texts, None, no_progress), [], 0).search
    index.search = lambda queries, depth: (few if depth < 6 else all_of_it)(queries, depth)
    chunking = Chunking(np.zeros(6, dtype=np.int64), np.arange(6), np.arange(6) + 1)
    asked = as_asked(index, Packing(Corpus((Document("a", "x" * 6),)), chunking, 5, 0))
    assert (asked.search(["boats"], 6)[0][0] >= 0).sum() == 3


@pytest.mark.parametrize("budget", range(1, 14))
def test_under_a_budget_the_least_number_that_overflows_it_is_asked_for(budget: int) -> None:
    """Text i has i % 3 + 1 tokens; counted by hand on the ranking, which here is the same however much is asked for."""
    texts = [f"boats {i} " + "leave " * (i % 5) for i in range(9)]
    words = ["a " * (i % 3 + 1) for i in range(9)]
    starts = np.cumsum([0] + [len(w) for w in words[:-1]])
    chunking = Chunking(np.zeros(9, dtype=np.int64), starts, starts + [len(w) for w in words])
    index, numbers = Lsa().index(texts, None, no_progress), list[int]()
    order = index.search(["boats leave"], 9)[0][0].tolist()
    seen, plain = shy(index, [], 0), index.search
    seen.search = lambda queries, depth: (numbers.append(depth), plain(queries, depth))[1]
    packing = Packing(Corpus((Document("a", "".join(words)),)), chunking, 5, budget)
    as_asked(seen, packing).search(["boats leave"], 9)
    total, least = 0, 9
    for n, chunk in enumerate(order, 1):
        total += chunk % 3 + 1
        if total > budget:
            least = n
            break
    assert numbers[-1] == least


def test_an_exact_index_is_asked_for_nothing_more(tmp_path: Path) -> None:
    audit = audited("lsa", tmp_path)
    assert audit.report.pipeline.index_recall is None
    assert EXACT not in audit.report.pipeline.swaps
    assert "exact search" not in shown(audit)
    assert "exact search" not in audit.report.timings


RECALLS = [
    ("all there", [[0.9, 0.8]], [[0.9, 0.8]], 1.0),
    ("one of two", [[0.9, 0.5]], [[0.9, 0.8]], 0.5),
    ("none", [[0.4, NONE]], [[0.9, 0.8]], 0.0),
    ("another that ties with the last", [[0.9, 0.8]], [[0.9, 0.8 + 4e-6]], 1.0),
    ("fewer texts than k", [[0.9, NONE]], [[0.9, NONE]], 1.0),
    ("nothing to miss", [[NONE, NONE]], [[NONE, NONE]], 1.0),
    ("a mean over queries", [[0.9, 0.8], [0.3, 0.2]], [[0.9, 0.8], [0.9, 0.2]], 1.0),
    ("distances far from 0", [[-100.0, -300.0]], [[-100.0, -200.0]], 0.5),
]


@pytest.mark.parametrize(("found", "exact", "expected"), [r[1:] for r in RECALLS], ids=[r[0] for r in RECALLS])
def test_recall(found: list[list[float]], exact: list[list[float]], expected: float) -> None:
    assert recall(np.array(found), np.array(exact)) == expected


def test_the_exact_twin_of_an_index_within_others() -> None:
    texts = ["Boats leave at noon.", "The ferry costs nine crowns.", "Rye bread needs a sour dough.", "Boats need a licence."]
    inner = Lsa().index(texts, None, no_progress)
    for spec in ("hybrid(lsa, bm25)", "dedupe(lsa)", "dedupe(hybrid(lsa, lsa(dimensions=2)))"):
        whole = make("retrievers", spec).index(chunked(texts), None, no_progress)
        assert exact_swap(whole) == {}
        assert index_health(whole, ["boats"], 2) == (None, None)
        lacking = _with(whole, missing(inner, [0]))
        (twin,) = [made() for made in exact_swap(lacking).values()]
        asked = ["When do boats leave?"], 4
        assert 0 not in lacking.search(*asked)[0][0, :1]
        assert twin.search(*asked)[0].tolist() == whole.search(*asked)[0].tolist()
        assert 0 not in lacking.search(*asked)[0][0, :1], "the index itself stays as it is"
        assert index_health(lacking, asked[0], 1) == (IndexRecall(1, 0.0), None)


@pytest.mark.parametrize(
    ("spec", "depth"), [("lsa", 2), ("dedupe(lsa, depth=4)", 4), ("hybrid(lsa, bm25, depth=3)", 3), ("latest(lsa)", 4)]
)
def test_below_steps_and_in_fusions_an_index_is_asked_as_they_ask(spec: str, depth: int) -> None:
    texts = [f"boats {i} leave" for i in range(9)]
    asked: list[int] = []
    part = missing(Lsa().index(texts, None, no_progress), [])
    search = part.search
    part.search = lambda queries, n: (asked.append(n), search(queries, n))[1]
    whole = _with(make("retrievers", spec).index(chunked(texts), None, no_progress), part)
    whole.search(["boats"], 2)
    index_health(whole, ["boats"], 2)
    assert asked == [depth, depth]


def _with(index: Any, part: Any) -> Any:
    """`index` with `part` in place of its first innermost one."""
    if not hasattr(index, "indexes"):
        return part
    other = copy.copy(index)
    other.indexes = [_with(index.indexes[0], part), *index.indexes[1:]]
    return other


def test_the_mode_is_neither_residual_nor_an_exposure() -> None:
    mode = modes()["index_miss"].strategy
    assert (mode.residual, mode.exposes, mode.levels) == (False, False, ("span", "document"))
