"""Assertions on retrieval, for tests: each passes in silence, or fails with the numbers, the queries behind them and what to do.

They take a report, as `ragdiag.audit` gives it, or what `audited` gives, whose queries can show what their contexts lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ragdiag.answering.verdict import Litmus
from ragdiag.core.errors import UsageError, did_you_mean
from ragdiag.core.records import Report
from ragdiag.core.registry import names
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.text import interval, line, signed
from ragdiag.reports.words import corrected_said
from ragdiag.scoring.gates import Gate
from ragdiag.testing.audited import ASK, WIDTH, Audited, QueryStory, of_report, plain, shown
from ragdiag.testing.baselines import Change, compared, write_baseline
from ragdiag.text.phrases import clean, counted, one_line

__all__ = ["check", "check_gates", "no_cause", "no_regression", "no_verdict", "save_baseline"]

FIRST = 5
"""Queries shown of those that fail."""

VERDICTS = ("RETRIEVAL", "CONTEXT", "BEHAVIOR", "BOTH", "INCONCLUSIVE")


def check_gates(report: Report | Audited, *gates: str) -> None:
    """Assert that each measure is at least so much: ``"P@5=0.6"`` its mean, ``"P@5.low=0.5"`` the lower end of its interval.

    ``"Sufficient@5.corrected.low=0.5"`` tests what a review of failing queries makes of it (``ragdiag label --review``).

    Raises `UsageError` for a measure that the audit did not take.
    """
    __tracebackhide__ = True
    audit, parsed = _audited(report), [Gate.parse(gate) for gate in gates]
    if not parsed:
        raise UsageError("nothing to check; give gates such as 'Sufficient@5=0.8'")
    failed = []  # the measures of gates that fail
    lines: list[str] = []
    for gate in parsed:
        mean = audit.measures.get(str(gate.measure))
        if mean is None:
            raise UsageError(f"{gate.measure} was not measured; audit with measures=({str(gate.measure)!r},)")
        corrected = audit.corrected.get(str(gate.measure))
        if why := gate.failure(mean, corrected):
            failed.append(str(gate.measure))
            lines += [why, *([f"  mean {interval(mean, 'not known')}, n {mean.n}"] if mean.n else [])]
            lines += [f"  {corrected_said(corrected)}"] if gate.corrected and corrected else []
    if failed:
        raise AssertionError(_failure(lines, audit, _worst(audit, failed[0])))


check = check_gates
"""`check_gates` by its first name, which tests may use."""


def no_cause(report: Report | Audited, *causes: str, at_most: int = 0) -> None:
    """Assert that no query, or no more than `at_most`, goes unserved because of any of `causes`, such as ``"chunk_split"``.

    Raises `UsageError` for an unknown cause, where there was no index to ask for causes, and where one of these cannot be tested
    on it.
    """
    __tracebackhide__ = True
    audit = _audited(report)
    _check_causes(causes, audit)
    having = [q for q in audit.queries if set(causes) & {*q.causes, *(("label_defect",) if q.status == "excluded" else ())}]
    if len(having) > at_most:
        most = f", more than {at_most}" if at_most else ""
        raise AssertionError(_failure([f"{counted(len(having), 'quer', 'y')} with {' or '.join(causes)}{most}"], audit, having))


def _check_causes(causes: Sequence[str], audit: Audited) -> None:
    """Raise `UsageError` for causes that `audit` tells nothing of."""
    for cause in causes:
        if cause not in names("failures"):
            raise UsageError(f"unknown cause {cause!r}{did_you_mean(cause, names('failures'))}")
    if not causes:
        raise UsageError("name a cause, such as 'chunk_split'")
    if not audit.diagnosed and set(causes) != {"label_defect"}:
        raise UsageError(ASK)
    if untested := [cause for cause in causes if cause in audit.untested]:
        named = f"{untested[0]} cannot be tested on this index, for {counted(audit.untested[untested[0]], 'quer', 'y')}"
        raise UsageError(f"{named} that may have it: ask a retriever that takes added texts, or name search_model")


def no_regression(report: Report | Audited, baseline: str | Path, measure: str = "", at_most: int | None = None) -> Change:
    """Assert that `measure` is not significantly lower than in the file `baseline`, query by query, at the 5 % level.

    `measure` is by default the one that says how many queries are served. Where there are few queries, a large loss may not be
    significant: with `at_most` the assertion fails too where more queries than that are worse. It fails as well where no query
    can be compared. Returns what changed.
    """
    __tracebackhide__ = True
    audit, file = _audited(report), Path(baseline)
    measure = _measured(audit, measure)
    if not file.exists():
        raise AssertionError(f"no baseline {clean(shown(file))}\nmake it, and commit it: pytest --ragdiag-update-baseline")
    change = compared(audit, measure, file)
    if change.difference is None or change.significant or (at_most is not None and len(change.worse) > at_most):
        worse = [audit[name] for name, _, _ in change.worse]
        moves = {name: f"{then:.3g} -> {now:.3g}" for name, then, now in change.worse}
        raise AssertionError(_failure(_changed(change, measure, at_most, audit), audit, worse, moves))
    return change


def save_baseline(report: Report | Audited, baseline: str | Path, measure: str = "") -> None:
    """Keep each query's value of `measure` in the file `baseline`, for `no_regression`."""
    audit = _audited(report)
    write_baseline(audit, _measured(audit, measure), Path(baseline))


def no_verdict(found: Litmus, *kinds: str) -> None:
    """Assert that the litmus test does not say that most failures are about any of `kinds`: by default ``"RETRIEVAL"``.

    Passes where there are too few failures to tell. Fails where no failure has an answer with perfect context: then nothing is
    known of any.
    """
    __tracebackhide__ = True
    for kind in kinds:
        if kind not in VERDICTS:
            raise UsageError(f"unknown verdict {kind!r}{did_you_mean(kind, VERDICTS)}")
    untold = found.verdict.kind == "NOT_MEASURED" and found.verdict.bounds is not None
    if untold or found.verdict.kind in (kinds or ("RETRIEVAL",)):
        says = "no failure has an answer with perfect context" if untold else f"the verdict is {found.verdict.kind}"
        raise AssertionError(f"{says}\n{plain(litmus_text(found))}")


def _audited(report: Report | Audited) -> Audited:
    if isinstance(report, (Audited, Report)):
        return report if isinstance(report, Audited) else of_report(report)
    raise UsageError(f"give what ragdiag.audit(...) returned, not a {type(report).__name__}")


def _measured(audit: Audited, measure: str) -> str:
    """The name of a measure that the audit took."""
    name = measure or audit.headline_measure()
    if name not in audit.measures:
        raise UsageError(f"{name} was not measured{did_you_mean(name, audit.measures)}")
    return name


def _worst(audit: Audited, measure: str) -> list[QueryStory]:
    """The queries that keep `measure` low: of each cause those that score least, and get least of their evidence."""

    def order(query: QueryStory) -> tuple[float, bool, float, int]:
        recall = next((v for m, v in query.measures.items() if m.startswith("CharR@") and v is not None), 0.0)
        return query.measures[measure] or 0.0, query.served is not False, recall, -(query.result.least_k or 10**9)

    known = [q for q in audit.queries if (value := q.measures[measure]) is not None and value < 1]
    causes: dict[str, list[QueryStory]] = {}
    for query in sorted(known, key=order):
        causes.setdefault(query.why, []).append(query)
    rows = sorted(causes.values(), key=lambda row: (row[0].served is not False, -len(row)))
    return [query for turn in zip_longest(*rows) for query in turn if query is not None]  # one of each cause, then more of each


def _changed(change: Change, measure: str, at_most: int | None, audit: Audited) -> list[str]:
    difference, lines = change.difference, [str(change)]
    if difference is not None:
        most = f", more than {at_most}" if at_most is not None and len(change.worse) > at_most else ""
        lines = [
            f"{measure} {signed(difference.mean, difference.low, difference.high)} since the baseline, p {difference.p:.2g}",
            f"{difference.worse} worse{most}, {difference.better} better, {counted(difference.n, 'quer', 'y')} compared",
        ]
    notes = [f"{n} {what}" for n, what in ((change.new, "new"), (change.gone, "gone"), (change.reworded, "reworded")) if n]
    lines += [f"not compared: {', '.join(notes)}"] if notes else []
    lines += [f"baseline of {change.signature}"] if change.signature != audit.signature else []
    return lines


def _failure(lines: Sequence[str], audit: Audited, queries: Sequence[QueryStory], moves: Mapping[str, str] | None = None) -> str:
    """What a failing test says: the numbers, what was audited, the first of `queries` with what they lack, the next step.

    `moves` says of queries, by id, how their value changed.
    """
    head = (*lines, "", f"{audit.name}: {audit.title}", audit.outcome(), *(audit.notes if audit.failed else ()))
    parts: list[RenderableType] = [line(text) for text in head]
    first = queries[:FIRST]
    for query in first:
        parts += _lacking(query, (moves or {}).get(query.id, ""))
    if len(queries) > FIRST:
        parts += [Text(), line(f"and {len(queries) - FIRST} more")]
    parts += _fixes(audit, first)
    if first and not audit.diagnosed:
        parts += [Text(), line(ASK)]
    next_step = [audit.next(first[0].id)] if first else []
    return "\n".join([plain(Group(*parts)), *next_step])  # a command is left whole, to be copied


def _lacking(query: QueryStory, move: str) -> list[RenderableType]:
    """A query, why it is not served and what its context lacks."""
    head = "  ".join([one_line(query.id, 28), *filter(None, ("served" if query.served else query.why, move))])
    below = (one_line(query.text, WIDTH - 2), query.passage)
    return [Text(), line(head), *(Padding(line(text), (0, 0, 0, 2)) for text in below if text)]


def _fixes(audit: Audited, queries: Sequence[QueryStory]) -> list[RenderableType]:
    """What mends each cause that these queries have."""
    causes = [cause for cause in audit.fixes if any(cause in query.causes for query in queries)]
    return [Text(), *(line(f"fix {cause}: {audit.fixes[cause]}") for cause in causes)] if causes else []
