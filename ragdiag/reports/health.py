"""The health of a stored index as terminal text: each fault with what was seen, where, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ragdiag.core.health import HealthFinding, IndexHealth
from ragdiag.reports.text import interval, line
from ragdiag.text.phrases import counted, one_line

__all__ = ["health_heading", "health_text"]

SHOWN = 3
"""Records, documents and queries that are named; the JSON report has them all."""


def health_heading(index: IndexHealth) -> Text:
    """What was looked at."""
    anew = "all" if index.sampled == index.records else f"{index.sampled:,} of {index.records:,}"
    return line((f"{index.retriever} | {anew} embedded anew by {index.model.partition('@')[0]}", "dim"))


def health_text(index: IndexHealth) -> list[RenderableType]:
    """Every fault, then what may be meant so."""
    parts: list[RenderableType] = []
    for title, found in (("index defect", index.defects), ("index warning", index.warnings)):
        if found:
            counts = ", ".join(f"{f.kind} {f.count:,}" for f in found)
            parts += [Text(), line((f"{counted(len(found), title)}: {counts}", "bold yellow"))]
            parts += [part for finding in found for part in _finding(finding)]
    return parts


def _finding(finding: HealthFinding) -> list[RenderableType]:
    """One fault: how many, what, where, the act."""
    of = f" of {finding.of:,}" if finding.count != finding.of else ""
    parts = [Padding(line((finding.kind, "yellow"), f" {finding.count:,}{of}: {finding.says}"), (0, 0, 0, 2))]
    share = finding.share
    seen = list(finding.evidence)
    if share is not None and share.low != share.high:
        seen.insert(0, f"share of all {interval(share, '')}")
    seen += [_named("records", finding.records), _named("documents", finding.documents), _named("queries", finding.queries)]
    parts += [Padding(line((text, "dim")), (0, 0, 0, 4)) for text in seen if text]
    return [*parts, Padding(line(("mend: ", "bold"), finding.mend), (0, 0, 0, 4))]


def _named(what: str, ids: Sequence[str]) -> str:
    """The first of some names."""
    shown = ", ".join(one_line(name, 40) for name in ids[:SHOWN])
    return f"{what} {shown}{', …' if len(ids) > SHOWN else ''}" if ids else ""
