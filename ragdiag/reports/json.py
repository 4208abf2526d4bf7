"""A report as JSON: the contract that scripts depend on."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ragdiag.answering.verdict import Verdict
from ragdiag.comparing.cells import Comparison, context_tokens
from ragdiag.core.health import IndexHealth
from ragdiag.core.pools import Pooled, Whole
from ragdiag.core.proofs import Finding
from ragdiag.core.records import Explanation, Mean, QueryResult, Report
from ragdiag.core.version import __version__
from ragdiag.sources.checked import Checked
from ragdiag.sources.omissions import amounts

__all__ = ["JsonObject", "audit_dict", "check_dict", "compare_dict", "dumps", "explain_dict", "rounded", "verdict_dict"]

JsonObject = dict[str, Any]
"""An object of JSON. What stands under a name depends on the name: docs/formats.md lists them."""

DIGITS = 12
"""Significant digits of a number at most."""

NOT_MEASURED: JsonObject = {
    "kind": "NOT_MEASURED",
    "secondary": None,
    "share": {"mean": None, "low": None, "high": None, "n": 0},
    "needed": None,
    "effects": {},
    "table": {},
}
"""The verdict of an audit without answers: retrieval alone cannot tell a retrieval problem from a behavior problem."""


def dumps(value: Mapping[str, object]) -> str:
    """JSON text, keys in the order given; the same value gives the same bytes."""
    # A lone surrogate has no UTF-8 form; its JSON escape does.
    text = json.dumps(rounded(value), ensure_ascii=False, indent=1, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def rounded(value: object) -> Any:
    """`value` with its numbers as far as they are the same everywhere: libraries and processors differ in the last digits."""
    if isinstance(value, Mapping):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def audit_dict(report: Report, verdict: Verdict | None = None) -> JsonObject:
    """`report` in the form of the contract; what may differ between two runs is under ``timings`` alone."""
    return {
        "ragdiag": __version__,
        "signature": report.signature,
        "seed": report.seed,
        "inputs": dict(report.inputs),
        "pipeline": report.pipeline.as_dict(),
        "measures": {name: dataclasses.asdict(mean) for name, mean in report.measures.items()},
        "label_defects": [dataclasses.asdict(d) for d in report.label_defects],
        "label_warnings": [dataclasses.asdict(d) for d in report.label_warnings],
        "unreadable": [dataclasses.asdict(p) for p in report.problems],
        "notes": list(report.notes),
        "causes": {name: _counted(share) for name, share in report.causes.items()},
        "stages": {name: _counted(share) for name, share in report.stages.items()},
        "queries": [_query(q) for q in report.queries],
        "verdict": NOT_MEASURED if verdict is None else verdict_dict(verdict),
        "corrected": {name: dataclasses.asdict(share) for name, share in report.corrected.items()},
        **({} if report.pool is None else {"pool": _pool(report.pool)}),
        "timings": dict(report.timings),
    }


def _pool(pooled: Pooled) -> JsonObject:
    """What an audit of a pool says of the whole."""
    pool = pooled.pool
    return {
        "documents": pool.documents,
        "whole": dict(pool.whole),
        "rest": pool.rest,
        "drawn": pool.chance,
        "rate": pool.rate,
        "depth": pool.depth,
        "ranking": pooled.ranking,
        "measures": {name: _of_whole(whole) for name, whole in pooled.measures.items()},
    }


def _of_whole(whole: Whole) -> JsonObject:
    return dataclasses.asdict(whole) | {"estimate": None if whole.estimate is None else whole.estimate._asdict()}


def _counted(share: Mean) -> JsonObject:
    """A share of queries, and how many these are."""
    return {"queries": round((share.mean or 0) * share.n), "share": dataclasses.asdict(share)}


def verdict_dict(verdict: Verdict) -> JsonObject:
    """A verdict in the form of the contract."""
    return {
        "kind": verdict.kind,
        "secondary": verdict.secondary,
        "share": dataclasses.asdict(verdict.share),
        "needed": verdict.needed,
        "effects": {name: dataclasses.asdict(effect) for name, effect in verdict.effects.items()},
        "table": {row: dict(cells) for row, cells in verdict.table.items()},
        "bounds": None if verdict.bounds is None else list(verdict.bounds),
        "errors": verdict.errors,
        "labelled": verdict.labelled,
        "labels_needed": verdict.labels_needed,
    }


def check_dict(checked: Checked) -> JsonObject:
    """What `ragdiag check` found."""
    corpus, labels = checked.corpus, checked.labels
    return {
        "ragdiag": __version__,
        "inputs": {
            "documents": len(corpus.documents),
            "queries": len(labels.queries),
            "unreadable": len(corpus.problems),
            "left_out": {kind: amount._asdict() for kind, amount in amounts(corpus.documents).items()},
        },
        "label_defects": [dataclasses.asdict(d) for d in labels.defects],
        "label_warnings": [dataclasses.asdict(d) for d in labels.warnings],
        "unreadable": [dataclasses.asdict(p) for p in corpus.problems],
        "notes": list(checked.notes),
        "index": None if checked.index is None else _health(checked.index),
    }


def _health(index: IndexHealth) -> JsonObject:
    """The health of a stored index."""
    return {
        "retriever": index.retriever,
        "model": index.model,
        "records": index.records,
        "sampled": index.sampled,
        "recall": {"k": index.k, **dataclasses.asdict(index.recall)},
        "findings": [_plain(dataclasses.asdict(finding)) for finding in index.findings],
        "notes": list(index.notes),
    }


def explain_dict(explanation: Explanation) -> JsonObject:
    """One query's whole story."""
    return {
        "ragdiag": __version__,
        "signature": explanation.report.signature,
        "query": _query(explanation.result) | {"answer": explanation.query.answer, "answers": list(explanation.query.answers)},
        "words": {word: idf if idf < math.inf else None for word, idf in explanation.words.items()},
        "label_defects": [dataclasses.asdict(d) for d in explanation.defects],
        "evidence": [dataclasses.asdict(g) for g in explanation.groups],
        "ranking": [dataclasses.asdict(c) for c in explanation.ranking],
    }


def compare_dict(comparison: Comparison, price: float | None = None) -> JsonObject:
    """`comparison` in the form of the contract: configurations go by name; what may differ between runs is under ``timings``.

    `price` is what a million tokens of context cost.
    """
    names = [cell.name for cell in comparison.cells]
    return {
        "ragdiag": __version__,
        "seed": comparison.seed,
        "inputs": dict(comparison.inputs),
        "pipeline": dict(comparison.pipeline),
        "label_defects": [dataclasses.asdict(d) for d in comparison.label_defects],
        "label_warnings": [dataclasses.asdict(d) for d in comparison.label_warnings],
        "unreadable": [dataclasses.asdict(p) for p in comparison.problems],
        "notes": list(comparison.notes),
        "measure": comparison.measure,
        "baseline": names[comparison.baseline],
        "configs": [_config(comparison, i, price) for i in range(len(names))],
        "contrasts": [dataclasses.asdict(c) | {"a": names[c.a], "b": names[c.b]} for c in comparison.contrasts],
        "raise_k": {"curve": list(comparison.curve), "beside": {names[i]: dict(r) for i, r in comparison.raised.items()}},
        "best": names[comparison.best],
        "ties": [names[i] for i in comparison.ties],
        "pareto": [names[i] for i in comparison.pareto],
        "confirmed": _confirmed(comparison.confirmed, names),
        "causes": dict(comparison.causes),
        "queries": [_served_by(comparison, q, names) for q in range(len(comparison.labels.queries))],
        "timings": {cell.name: {**cell.timings, "bytes": cell.bytes} for cell in comparison.cells},
    }


def _served_by(comparison: Comparison, q: int, names: Sequence[str]) -> JsonObject:
    """A query with the configurations that serve it; null where no label says what that is."""
    served = [cell.served[q] for cell in comparison.cells]
    by = None if any(map(math.isnan, served)) else [name for name, share in zip(names, served, strict=True) if share == 1]
    return {"id": comparison.labels.queries[q].id, "served_by": by}


def _confirmed(confirmed: Mapping[str, Any], names: Sequence[str]) -> JsonObject:
    """What choosing on half of the queries came to, with the chosen configurations by name; empty where it was not tried."""
    if not confirmed:
        return {}
    return {**confirmed, "chosen": {names[i]: times for i, times in confirmed["chosen"].items()}}


def _config(comparison: Comparison, i: int, price: float | None) -> JsonObject:
    cell = comparison.cells[i]
    tokens = context_tokens(cell)
    cost = {"chunks": cell.chunks, "context_tokens": tokens}
    return {
        "name": cell.name,
        "chunker": cell.chunker,
        "context": cell.context,
        "retriever": cell.retriever,
        "signature": cell.signature,
        "measures": {name: dataclasses.asdict(mean) for name, mean in comparison.means[i].items()},
        "cost": cost | ({} if price is None or tokens is None else {"price_per_1000_queries": round(tokens * price / 1000, 6)}),
        "models": [dict(model) for model in cell.models],
        "unseen": cell.unseen,
        "unread": cell.unread,
        "reasons": list(comparison.reasons.get(i, ())),
        "cured": dict(comparison.cured.get(i, {})),
        "broke": dict(comparison.broke.get(i, {})),
    }


def _finding(finding: Finding) -> JsonObject:
    fields = {
        "cause": finding.cause,
        "group": finding.group,
        "intervention": finding.intervention,
        "proved": finding.proved,
        "before": finding.before.told(),
        "after": finding.after.told(),
        "placebo_p": finding.placebo_p,
        "control": None if finding.control is None else finding.control._asdict(),
        "says": finding.says,
        "cannot_tell": finding.cannot_tell,
        "residual": finding.residual,
        "unattainable": finding.unattainable,
        "fix": finding.fix,
        "detail": finding.detail,
    }
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: object) -> object:
    """`value` in JSON's own types: what a failure mode saw may hold arrays, tuples and sets; NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # arrays and numbers of numpy, or of a library like it
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _query(q: QueryResult) -> JsonObject:
    return {
        "id": q.id,
        "text": q.text,
        "status": q.status,
        "served": q.served,
        "label_sha256": q.label_sha256,
        "causes": list(q.causes),
        "exposures": list(q.exposures),
        "marginal": q.marginal,
        "label": q.label,
        "label_says": q.label_says,
        "measures": dict(q.measures),
        "least_k": q.least_k,
        "documents": list(q.documents),
        "unjudged": [passage._asdict() for passage in q.unjudged],
        "findings": [_finding(f) for f in q.findings],
    }
