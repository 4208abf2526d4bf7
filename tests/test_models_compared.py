"""Models beside each other in a comparison: what is counted of each, what embedding took, and what stays when all is cached."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ragdiag.comparing import models
from ragdiag.comparing.cells import Cell
from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.protocols import no_progress
from ragdiag.reports.compare import compare_text
from ragdiag.reports.html.compare import compare_html
from ragdiag.reports.json import compare_dict, dumps
from ragdiag.reports.models import model_rows
from ragdiag.search.callables import FunctionEncoder

TINY = (Path(__file__).parents[1] / "fixtures" / "tiny", Path(__file__).parents[1] / "fixtures" / "tiny" / "queries.jsonl")

TEAM = """
import numpy as np

calls = []

def _vectors(texts, dimension):
    rows = np.zeros((len(texts), dimension))
    for row, text in zip(rows, texts):
        calls.append(text)
        for word in text.lower().split():
            row[sum(map(ord, word)) % dimension] += 1.0
        row[-1] += 0.5
    return rows

def small(texts, kind):
    return _vectors(texts, 8)

def large(texts, kind):
    return _vectors(texts, 64)

small.version = large.version = 1
"""


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    name = f"team_{abs(hash(str(tmp_path)))}"
    Path(f"{name}.py").write_text(TEAM)
    return name


def compared(team: str, cache: Path, *retrievers: str):
    named = [f'dense(model="{team}:{name}")' for name in retrievers]
    return compare(*TINY, retrievers=["bm25", *named], cache=cache, k=2, jobs=1, causes=False)


def test_each_model_has_a_row(team: str, tmp_path: Path) -> None:
    found = compared(team, tmp_path / "cache", "small", "large")
    rows = {row.name.partition(":")[2]: row for row in model_rows(found)}
    assert {name: (row.dimension, row.reads, row.unseen, row.unread) for name, row in rows.items()} == {
        "small": ("8", "?", "?", "?"),
        "large": ("64", "?", "?", "?"),
    }
    for row in rows.values():  # float32 vectors of that dimension, one a chunk
        cell = found.cells[row.place]
        assert cell.bytes == cell.chunks * int(row.dimension) * 4
        (took,) = cell.timings["embedding"].values()
        assert took["seconds"] >= 0 and 0 < took["texts"] <= cell.chunks and took["texts_per_second"] > 0
    screen = Console(width=140, record=True, file=io.StringIO())
    screen.print(compare_text(found))
    said = screen.export_text()
    assert "texts/s" in said and f"{team}:large" in said
    page = compare_html(found)
    assert 'id="models"' in page and "embed s" not in page


def test_one_model_is_no_choice(team: str, tmp_path: Path) -> None:
    found = compared(team, tmp_path / "cache", "small")
    assert model_rows(found) == [] and 'id="models"' not in compare_html(found)


def test_what_it_took_is_still_known_when_all_is_cached(team: str, tmp_path: Path) -> None:
    first, again = (compared(team, tmp_path / "cache", "small", "large") for _ in range(2))
    assert [cell.timings.get("embedding") for cell in again.cells] == [cell.timings.get("embedding") for cell in first.cells]
    fresh = compared(team, tmp_path / "other", "small", "large")
    bare = [dumps(compare_dict(found) | {"timings": {}}) for found in (first, again, fresh)]
    assert bare[0] == bare[1] == bare[2] and '"dimension": 64' in bare[0]
    assert compare_html(first) == compare_html(fresh)


def test_time_is_shared_out_by_characters(team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two texts of 10 and 30 characters in 4 s: the first alone takes 1 s. What was there before counts for nothing."""
    ticks = iter(range(1000))
    monkeypatch.setattr(models.time, "perf_counter", lambda: 4.0 * next(ticks))
    store, encoder = Cache(tmp_path / "cache"), FunctionEncoder(f"{team}:small")
    texts = ["a" * 10, "b" * 30]
    for _ in range(2):
        models.embed_timed(encoder, texts, ["what", "who", "when"], store, no_progress)
    plan = type("Plan", (), {"store": store, "options": type("O", (), {"run": None}), "retriever": None})()
    monkeypatch.setattr(models, "encoders_of", lambda _: [encoder])
    took = models.spent(plan, texts[:1])[encoder.described]
    assert took == {"seconds": 1.0, "texts": 1, "texts_per_second": 0.5, "query_ms": 4000.0}


def test_vectors_that_were_there_before_have_no_time(team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, encoder = Cache(tmp_path / "cache"), FunctionEncoder(f"{team}:small")
    encoder.encode(["a", "b"], "document", store, no_progress)
    models.embed_timed(encoder, ["a", "b"], ["q"], store, no_progress)
    plan = type("Plan", (), {"store": store})()
    monkeypatch.setattr(models, "encoders_of", lambda _: [encoder])
    assert models.spent(plan, ["a", "b"]) == {}


def test_a_cell_is_read_again_as_it_was() -> None:
    n = np.zeros(1)
    whole = np.zeros((1, 2), dtype=np.int64)
    facts = [{"model": "m", "dimension": 8, "max_tokens": None}]
    cell = Cell("c", "", "r", "s", {}, n, whole[0], whole[0], whole[0], whole, 1, 8, n, whole, models=facts)
    assert json.loads(json.dumps(Cell.of(cell.arrays()).models)) == facts
