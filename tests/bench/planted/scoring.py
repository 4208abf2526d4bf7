"""Predictions against the truth: confusion, precision and recall, macro-F1, kappa, false alarms, herrings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sklearn.metrics import cohen_kappa_score, f1_score

from .records import CAUSES, LABEL_WIDE

CLASSES = ("healthy", *CAUSES)
LABEL_DOUBTFUL = "label doubtful"
NOT_NAMED = ("undetermined", "other_retriever", LABEL_WIDE, LABEL_DOUBTFUL)  # honest, and no cause
ABBREVIATED = "ok miss head spl trun stal conf crow poll dilu ctx smal foll typo mism inco rank und othr wide dbt"
SHORT = dict(zip((*CLASSES, *NOT_NAMED), ABBREVIATED.split(), strict=True))

Row = Mapping[str, Any]


def counted(row: Row) -> str:
    """The predicted class; the planted one where the prediction is another that is right as well."""
    return row["truth"] if row["predicted"] in row["right"] else row["predicted"]


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """Macro-F1 over the planted classes, Cohen's kappa, accuracy, false alarms on healthy and decoys, recall by herring."""
    truth, predicted = [r["truth"] for r in rows], [counted(r) for r in rows]
    present = sorted(set(truth))
    healthy = [r for r in rows if r["truth"] == "healthy"]
    faulty = [r for r in rows if r["truth"] != "healthy"]
    return {
        "n": len(rows),
        "macro-F1": float(f1_score(truth, predicted, labels=present, average="macro", zero_division=0.0)) if rows else 0.0,
        "kappa": float(cohen_kappa_score(truth, predicted)) if len(set(truth) | set(predicted)) > 1 else 0.0,
        "accuracy": _share(rows, _is_right),
        "alarms, plain": _share([r for r in healthy if not r["decoy"]], _is_wrong),
        "alarms, decoys": _share([r for r in healthy if r["decoy"]], _is_wrong),
        "right, no herring": _share([r for r in faulty if not r["herring"]], _is_right),
        "right, herring": _share([r for r in faulty if r["herring"]], _is_right),
    }


def _is_right(row: Row) -> bool:
    return row["predicted"] in row["right"]


def _is_wrong(row: Row) -> bool:
    return not _is_right(row)


def _share(rows: Sequence[Row], test: Callable[[Row], bool]) -> float:
    return sum(map(test, rows)) / len(rows) if rows else float("nan")


def by_class(rows: Sequence[Row]) -> list[tuple[str, int, float, float]]:
    """``(class, planted, precision, recall)``."""
    table = []
    for name in CLASSES:
        planted = sum(r["truth"] == name for r in rows)
        named = sum(counted(r) == name for r in rows)
        hits = sum(r["truth"] == name == counted(r) for r in rows)
        table.append((name, planted, hits / named if named else float("nan"), hits / planted if planted else float("nan")))
    return table


def baselines(rows: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """The same rows as other methods would predict them."""
    most = Counter(r["truth"] for r in rows).most_common(1)[0][0]
    return {
        "majority class": [{**r, "predicted": most} for r in rows],
        "always ranking": [{**r, "predicted": "ranking"} for r in rows],
        "surface check": [{**r, "predicted": r["surface"]} for r in rows],
    }


def report(rows: Sequence[Row]) -> str:
    """Everything, as text."""
    retrievers = list(dict.fromkeys(r["retriever"] for r in rows))
    parts = [_confusion(rows), _not_named(rows), _kinds(rows), _classes(rows, retrievers)]
    methods = {"diagnosis": rows, **{f"diagnosis, {x}": [r for r in rows if r["retriever"] == x] for x in retrievers}}
    methods |= baselines(rows)
    methods |= {f"surface check, {x}": [r for r in baselines(rows)["surface check"] if r["retriever"] == x] for x in retrievers}
    parts.append(_summary(methods))
    return "\n\n".join(parts)


def _confusion(rows: Sequence[Row]) -> str:
    others = sorted({counted(r) for r in rows} - set(CLASSES))
    columns = [*CLASSES, *others]
    table = Counter((r["truth"], counted(r)) for r in rows)
    lines = [[name, *(str(table[name, c] or ".") for c in columns)] for name in CLASSES]
    return "Planted (rows) and predicted (columns)\n" + _aligned([["", *(SHORT.get(c, c[:4]) for c in columns)], *lines])


def predicted(status: str, causes: Sequence[str], label: str) -> str:
    """The class that an audit's result stands for: what it says of the label, else the first of its causes."""
    if status == "ok":
        return "healthy"
    if label:
        return f"label {label}"
    return next(iter(causes), "undetermined")


def _not_named(rows: Sequence[Row]) -> str:
    """How many faults come out as each of the honest outcomes that name no cause."""
    faulty = [counted(r) for r in rows if r["truth"] != "healthy"]
    told = ", ".join(f"{name} {faulty.count(name)}" for name in NOT_NAMED)
    return f"Not named, of {len(faulty)} faults: {told}"


def _kinds(rows: Sequence[Row]) -> str:
    """Planted mismatches by how they are worded, stale versions by what orders them: right of planted."""
    lines = []
    for truth in ("query_mismatch", "stale", "chunk_split", "pollution", "contextless", "misspelt"):
        found: dict[str, list[bool]] = {}
        for row in rows:
            if row["truth"] == truth:
                found.setdefault(_kind(row["style"]), []).append(_is_right(row))
        lines.append(f"{truth}: " + ", ".join(f"{kind} {sum(hits)}/{len(hits)}" for kind, hits in sorted(found.items())))
    return "By how it was planted, right of planted\n" + "\n".join(lines)


def _kind(style: str) -> str:
    """A style without its numbers."""
    return "other words" if style[:1].isdigit() else style.split(",")[0]


def _classes(rows: Sequence[Row], retrievers: Iterable[str]) -> str:
    parts = {"all": rows, **{x: [r for r in rows if r["retriever"] == x] for x in retrievers}}
    head = ["", *(f"{part} {what}" for part in parts for what in ("n", "prec", "rec"))]
    tables = {part: {name: cells for name, *cells in by_class(found)} for part, found in parts.items()}
    lines = [[name, *(_figure(x) for part in parts for x in tables[part][name])] for name in CLASSES]
    return "By class\n" + _aligned([head, *lines])


def _summary(methods: Mapping[str, Sequence[Row]]) -> str:
    found = {name: figures(rows) for name, rows in methods.items()}
    head = ["", *next(iter(found.values()))]
    return "Summary\n" + _aligned([head, *([name, *map(_figure, values.values())] for name, values in found.items())])


def _figure(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "-" if value != value else f"{value:.3f}"


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in table
    )
