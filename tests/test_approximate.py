"""An index that misses what it holds: found out by exact search of the same vectors, and told apart from other causes."""

import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from ragdiag.approximate import exact_swap, index_recall, recall
from ragdiag.diagnosis import modes
from ragdiag.pipeline import Audit, Options, run_audit
from ragdiag.proofs import EXACT, Edit
from ragdiag.protocols import no_progress
from ragdiag.registry import make
from ragdiag.reports.terminal import audit_text
from ragdiag.retrievers.lsa import Lsa

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


def audited(retriever: str, tmp_path: Path) -> Audit:
    return run_audit(TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", Options(retriever=retriever, cache=tmp_path))


def shown(audit: Audit) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(audit_text(audit.report))
    return console.export_text()


@pytest.mark.parametrize("retriever", ["lsa", "latest(lsa)", "hybrid(lsa, bm25, weights=(0.9, 0.1))"])
def test_a_chunk_that_the_index_misses(retriever: str, misses: None, tmp_path: Path) -> None:
    audit = audited(retriever, tmp_path)
    assert EXACT in audit.report.pipeline["swaps"]
    assert audit.report.pipeline["index_recall"]["k"] == 5
    assert 0.9 < audit.report.pipeline["index_recall"]["mean"] < 0.999
    assert f"{audit.report.pipeline['index_recall']['mean']:.1%} of the first 5 chunks that exact search finds" in shown(audit)
    if "hybrid" in retriever:
        return  # bm25 returns it: nothing is missed
    result = next(q for q in audit.report.queries if q.id == "tw-21")
    assert (result.status, result.causes) == ("caused", ("index_miss",))
    found = {f.cause: f for f in result.findings}
    (row,) = found["index_miss"].detail["missed"]
    assert (row["chunk"], row["rank"], row["exact"]) == ("sla-v2#1060-1810", None, found["index_miss"].after.rank)
    assert found["index_miss"].before.rank is None
    for other in ("diluted", "query_mismatch"):  # a smaller window, and words: neither is missed, and neither is the reason
        assert found[other].after.sufficient and not found[other].proved
        assert found[other].detail["exact_as_well"]
    assert found["query_mismatch"].edit.retriever == "bm25"
    concerned = {q.id for q in audit.report.queries for f in q.findings if f.cause == "index_miss"}
    assert concerned == {"tw-21", "tw-22"}, "both have their evidence in that chunk"


def test_an_exact_index_is_asked_for_nothing_more(tmp_path: Path) -> None:
    audit = audited("lsa", tmp_path)
    assert "index_recall" not in audit.report.pipeline
    assert EXACT not in audit.report.pipeline["swaps"]
    assert "exact search" not in shown(audit)


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
        whole = make("retrievers", spec).index(texts, None, no_progress)
        assert exact_swap(whole) == {}
        assert index_recall(whole, ["boats"], 2) == {}
        lacking = _with(whole, missing(inner, [0]))
        (twin,) = [made() for made in exact_swap(lacking).values()]
        asked = ["When do boats leave?"], 4
        assert 0 not in lacking.search(*asked)[0][0, :1]
        assert twin.search(*asked)[0].tolist() == whole.search(*asked)[0].tolist()
        assert 0 not in lacking.search(*asked)[0][0, :1], "the index itself stays as it is"
        assert index_recall(lacking, asked[0], 1) == {"index_recall": {"k": 1, "mean": 0.0}}


def _with(index: Any, part: Any) -> Any:
    """`index` with `part` in place of its first innermost one."""
    if not hasattr(index, "indexes"):
        return part
    other = copy.copy(index)
    other.indexes = [_with(index.indexes[0], part), *index.indexes[1:]]
    return other


def test_the_mode_is_neither_residual_nor_an_exposure() -> None:
    mode = modes()["index_miss"]
    assert (mode.residual, mode.exposes, mode.levels) == (False, False, ("span", "document"))
