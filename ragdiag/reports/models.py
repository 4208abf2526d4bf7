"""The encoders of a comparison beside each other: what each serves at best, how far it reads, what embedding by it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import RenderableType

from ragdiag.comparing.cells import Cell, Comparison, Figures
from ragdiag.reports.text import line, plain_table

__all__ = ["MODELS_NOTE", "ModelRow", "model_rows", "models_text"]

MODELS_NOTE = "of each model, its best configuration; ?: what is no folder of files does not say how far it reads"
"""What the table's rows are."""

TIMES_NOTE = "embed s, texts/s: wall time where it was embedded; cached: the vectors were there before; ms: to encode a query"
"""What the table's times are."""


class ModelRow(NamedTuple):
    """A model, by the place and the rank of the best configuration with it, and what is shown of it.

    `reads` are the word pieces that it reads, `unseen` the share of the text beyond, `unread` that of the queries that it cannot
    read; all "?" where that is not known. `seconds`, `speed` and `query_ms` are what embedding takes, "" where that is not known.
    """

    place: int
    rank: int
    name: str
    mean: str
    dimension: str
    reads: str
    unseen: str
    unread: str
    megabytes: str
    seconds: str
    speed: str
    query_ms: str
    p95: str


def model_rows(comparison: Comparison) -> list[ModelRow]:
    """The models, the one that serves best first; none where all configurations have the same.

    A configuration with one model alone is taken before one that fuses two.
    """
    cells = comparison.cells
    order = sorted(range(len(cells)), key=lambda i: (-_mean(comparison, i), i))
    ranks = {i: rank for rank, i in enumerate(order, 1)}
    best: dict[str, tuple[int, Figures]] = {}
    for i in sorted(order, key=lambda i: len(cells[i].models) > 1):
        for model in cells[i].models:
            best.setdefault(str(model["model"]), (i, model))
    if len(best) < 2:
        return []
    names = _names(list(best))
    rows = [_row(comparison, i, ranks[i], names[name], model) for name, (i, model) in best.items()]
    return sorted(rows, key=lambda row: row.rank)


def _mean(comparison: Comparison, i: int) -> float:
    return comparison.means[i][comparison.measure].mean or 0.0


def _names(described: list[str]) -> dict[str, str]:
    """Models without the hash of their files and their precision, where that tells them apart."""
    short = {name: name.partition("@")[0] for name in described}
    return {name: cut if list(short.values()).count(cut) == 1 else name for name, cut in short.items()}


def _row(comparison: Comparison, i: int, rank: int, name: str, model: Figures) -> ModelRow:
    cell = comparison.cells[i]
    took: Figures = (cell.timings.get("embedding") or {}).get(model["model"], {})
    known = model["max_tokens"] is not None
    return ModelRow(
        place=i,
        rank=rank,
        name=name,
        mean=f"{_mean(comparison, i):.3f}",
        dimension=str(model["dimension"] or "?"),
        reads=f"{model['max_tokens']:,}" if known else "?",
        unseen=f"{cell.unseen:.1%}" if known else "?",
        unread=f"{cell.unread:.1%}" if known else "?",
        megabytes=f"{cell.bytes / 1e6:.1f}",
        seconds=f"{took['seconds']:,.1f}" if took else "cached",
        speed=f"{took['texts_per_second']:,.0f}" if took else "",
        query_ms=f"{took['query_ms']:,.1f}" if "query_ms" in took else "",
        p95=_p95(cell),
    )


def _p95(cell: Cell) -> str:
    """Milliseconds of a query, "+" behind it where encoding it was not timed."""
    retrieval = cell.timings.get("retrieval") or {}
    if retrieval.get("p95_ms") is None:
        return ""
    return f"{retrieval['p95_ms']:,.1f}" + ("" if retrieval.get("encoding", "timed") == "timed" else "+")


def models_text(comparison: Comparison) -> Iterator[RenderableType]:
    """The models as a table; nothing where all configurations have the same."""
    rows = model_rows(comparison)
    if not rows:
        return
    figures = (">dim", ">reads", ">unseen", ">unread", ">MB", ">embed s", ">texts/s", ">ms", ">p95 ms")
    table = plain_table(">", ">" + comparison.measure.split("@")[0], *figures, "model")
    for row in rows:
        reading = row.dimension, row.reads, row.unseen, row.unread
        times = row.megabytes, row.seconds, row.speed, row.query_ms, row.p95
        table.add_row(str(row.rank), row.mean, *reading, *times, line(row.name))
    table.columns[-1].no_wrap, table.columns[-1].overflow = False, "fold"
    yield line()
    yield table
    yield line((MODELS_NOTE, "dim"))
    yield line((TIMES_NOTE, "dim"))
    if any(row.p95.endswith("+") for row in rows):
        yield line(("p95 ms with a +: retrieval alone, without encoding the query", "dim"))
