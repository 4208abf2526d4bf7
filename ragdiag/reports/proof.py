"""Why one query fails: each cause with what was changed, what came of it, its control, and what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ragdiag.core.proofs import Edit, Finding, Row
from ragdiag.core.records import Explanation
from ragdiag.reports.text import line, marked, plain_table
from ragdiag.reports.words import NO_SWAP
from ragdiag.text.phrases import counted, one_line

__all__ = ["Cause", "Proof", "Tried", "proof", "why"]

EXCERPT = 90
"""Characters shown of a change that was tried."""

BRUTE = "residual: no change tried that is more specific restores it; more context would mend most causes"


class Cause(NamedTuple):
    """A cause of one query's failure: the finding, a heading, labelled rows."""

    finding: Finding
    head: Row
    rows: tuple[Row, ...]


class Tried(NamedTuple):
    """A change that is no cause: the failure mode, what came of it, whether that is enough, what it was or why it is no cause."""

    mode: str
    move: str
    verdict: str
    what: str


class Proof(NamedTuple):
    """Why a query fails: its causes, what was tried besides, what else is to be said."""

    causes: tuple[Cause, ...]
    tried: tuple[Tried, ...]
    notes: tuple[Row, ...]


def proof(explanation: Explanation) -> Proof:
    """Why a query fails, empty for one that was not diagnosed."""
    result = explanation.result
    findings = () if result.status == "excluded" else result.findings  # a defect is shown with file and line
    lost = result.status == "unattainable"
    causes = [f for f in findings if f.cause in result.causes or (lost and f.unattainable)]
    return Proof(
        tuple(_cause(f, explanation) for f in causes),
        tuple(_tried(f, explanation) for f in findings if f not in causes),
        tuple(_notes(explanation)),
    )


def _notes(explanation: Explanation) -> Iterator[Row]:
    """What is to be said of the query as a whole, beside its causes."""
    result = explanation.result
    if result.status == "compound":
        yield Row.of("", ("both changes at once make its context sufficient", "good"))
    if result.marginal:
        yield Row.of("", (f"marginal: k {result.least_k} serves it, and so may any change", "dim"))
    if result.status == "undetermined" and not (explanation.report.pipeline.swaps or explanation.report.stages):
        yield Row.of("", (NO_SWAP, "dim"))


def why(explanation: Explanation) -> list[RenderableType]:
    """The causes with their proofs, then what was tried besides, as a terminal shows them."""
    causes, tried, notes = proof(explanation)
    parts: list[RenderableType] = []
    for cause in causes:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for row in cause.rows:
            grid.add_row(line(f"  {row.label}"), marked(row))
        parts += [Text(), marked(cause.head), grid]
    noted: list[RenderableType] = [Text.assemble("  ", marked(note)) for note in notes]
    if tried:
        table = plain_table("", "", "", "")
        table.show_header = False
        for mode, *cells in tried:
            table.add_row(*(line((cell, "dim")) for cell in (f"  {mode}", *cells)))
        table.expand, table.columns[-1].ratio, table.columns[-1].overflow = True, 1, "ellipsis"
        heading = line(("Tried as well" if causes else "What was tried", "bold dim"))
        noted = [*noted, Text(), heading, table] if causes else [Text(), heading, table, *noted]
    return parts + noted


def _cause(finding: Finding, explanation: Explanation) -> Cause:
    """One cause: in plain words, its proof, what was seen, the fix."""
    where = f" (evidence {finding.group})" if finding.group is not None and len(explanation.groups) > 1 else ""
    says = f": {finding.says}" if finding.says else ""
    head = Row.of("", (finding.cause, "strong bad"), (f"{says}{where}", "strong"))
    outcome = ("sufficient", "strong good") if finding.after.sufficient else ("not enough alone", "warn")
    result = Row.of("result", _move(finding, explanation), "  ", outcome)
    proof = (
        [result, Row.of("", (BRUTE, "dim"))]
        if _raises_k(finding)
        else [Row.of("changed", finding.intervention), result, *_control(finding)]
    )
    observed = _as_it_is(finding) if finding.rows is None else finding.rows
    left_open = [Row.of("", (f"cannot tell: {finding.cannot_tell}", "dim"))] if finding.cannot_tell else []
    return Cause(finding, head, (*proof, *observed, Row.of("fix", (finding.fix, "strong")), *left_open))


def _raises_k(finding: Finding) -> bool:
    """Whether its repair changes no ranking, and gives more of it."""
    return finding.residual and finding.edit == Edit()


class _Ranks(NamedTuple):
    before: str
    after: str


def _ranks(finding: Finding, explanation: Explanation) -> _Ranks:
    unranked = f">{explanation.report.pipeline.depth}"
    return _Ranks(*(str(standing.k or unranked) for standing in (finding.before, finding.after)))


def _move(finding: Finding, explanation: Explanation) -> str:
    """``needs k 37 -> 2 (has 5)``; a residual cause changes no rank."""
    k, ranks = explanation.report.pipeline.k, _ranks(finding, explanation)
    has = f" (has {k or counted(sum(c.in_context for c in explanation.ranking), 'chunk')})"
    if not _raises_k(finding):
        return f"needs k {ranks.before} -> {ranks.after}{has}"
    return f"needs k {ranks.after}{has}" + (f", {counted(finding.tokens, 'token')} of context" if finding.tokens else "")


def _control(finding: Finding) -> Iterator[Row]:
    """What changes that should make no difference came to."""
    control = finding.control
    if control is None:
        return
    p = "" if control.p is None else f" (p {control.p:.2g})"
    yield Row.of("control", control.says + p)


def _tried(finding: Finding, explanation: Explanation) -> Tried:
    """A change that is no cause, and why it is none."""
    ranks, what = _ranks(finding, explanation), one_line(finding.intervention, EXCERPT)
    if "untestable" in finding.detail:
        return Tried(finding.cause, "", "not testable", str(finding.detail["untestable"]))
    if _raises_k(finding) and finding.after.rank:
        more = f"{finding.intervention}: more context would do, whatever the cause"
        return Tried(finding.cause, f"needs k {ranks.after}", "residual", more)
    if _raises_k(finding):
        return Tried(finding.cause, f"needs k {ranks.after}", "not enough", "no k that was ranked would do")
    move = f"needs k {ranks.before} -> {ranks.after}"
    if finding.after.sufficient and finding.residual:
        return Tried(finding.cause, move, "residual", what)
    if finding.after.sufficient:
        as_well = finding.control.says if finding.control else "what should make no difference does as well"
        return Tried(finding.cause, move, "enough, but", as_well)
    return Tried(finding.cause, move, "not enough", what)


def _as_it_is(finding: Finding) -> Iterator[Row]:
    """What a failure mode saw that does not put it into words: name and value."""
    for name, value in finding.detail.items():
        yield Row.of(one_line(str(name), 20), one_line(str(value), 4 * EXCERPT))
