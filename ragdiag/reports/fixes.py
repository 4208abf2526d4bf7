"""What to fix first, and which queries to look at, as records: causes of unserved queries, with what shows each best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from ragdiag.core.proofs import Finding, Row
from ragdiag.core.records import Mean, QueryResult, Report
from ragdiag.reports.words import NO_CALLS, NO_SWAP, RUN_ALONE, STATUSES, UNTESTED
from ragdiag.text.phrases import one_line

__all__ = ["FixRow", "Fixing", "NextQuery", "fixing", "got", "next_queries", "share_said"]

LONG_ID, WHOLE = 160, 4_000
"""Characters of an id, and of a fix, beyond which no reader wants it whole."""

IDS = 3
"""Queries named behind a status."""

MOST_ACTS = 2
"""Things to do that are shown of one cause."""

NOT = "not_decidable"
"""The status of queries of which no cause can be told."""

CERTAIN = ("caused", "over-determined", "compound")
"""Statuses with causes, the plainest examples first."""


class FixRow(NamedTuple):
    """A cause: what it says, whether it is residual; its queries, the plainest first; how many its fix restores by itself; its
    share of the unserved queries; the fix that most of its findings name, short and whole.
    """

    cause: str
    says: str
    residual: bool
    queries: tuple[QueryResult, ...]
    alone: int
    share: Mean | None
    fix: str
    whole_fix: str


class Fixing(NamedTuple):
    """A title and a headline; a row for each cause, what to fix first on top; notes."""

    title: str
    headline: str
    rows: tuple[FixRow, ...]
    notes: tuple[Row, ...]


class NextQuery(NamedTuple):
    """A query to look at, and the cause that it is shown for; "" for none."""

    query: QueryResult
    cause: str

    @property
    def why(self) -> str:
        """The cause that it is shown for, and how many more it has; its status where it has none."""
        others = f" +{len(self.query.causes) - 1}" if len(self.query.causes) > 1 else ""
        status = "label doubtful" if self.query.label == "doubtful" else self.query.status.replace("_", " ")
        return self.cause + others if self.cause else status

    def needs(self, depth: int) -> str:
        """The least k that would serve it, as far as `depth` chunks were ranked."""
        return str(self.query.least_k or f">{depth}")


def fixing(report: Report, failing: Sequence[QueryResult]) -> Fixing:
    """What to fix, by how many queries each fix restores by itself; residual causes last.

    Queries whose label is wide, or in doubt, may be served all the same, and for marginal ones anything helps: they are left out,
    and counted.
    """
    set_apart = tuple(_set_apart(failing))
    failing = [q for q in failing if not q.label and not q.marginal]
    if set_apart and not failing:
        return Fixing("Why", "no query is left that clearly fails", (), set_apart)
    if failing and all(q.status == NOT and not q.untested for q in failing):
        searched = report.pipeline.retriever.startswith("search ")
        return Fixing("Why", NO_CALLS if searched else RUN_ALONE, (), set_apart)
    rows = _rows(report, failing)
    return Fixing("Fix this first", _headline(failing), rows, (*_notes(report, failing, rows), *set_apart))


def _headline(failing: Sequence[QueryResult]) -> str:
    """How many queries have a proved cause, and how many only a residual one."""
    # Two changes that do only together are a hint: read on public sets, none of eight was what an engineer would have done.
    proved = sum(bool(set(q.causes) - q.residual) for q in failing if q.status != "compound")
    residual = sum(bool(q.causes) for q in failing if q.status != "compound") - proved
    least = f"; {residual} only a residual one" if residual else ""
    return f"{proved} of the {len(failing)} have a proved cause{least}"


def _set_apart(failing: Sequence[QueryResult]) -> Iterator[Row]:
    """How many queries are left out, and why."""
    counts = Counter(q.label for q in failing if q.label)
    reasons = {"wide": "the part of the label that answers is served", "doubtful": "the context may answer: look at these first"}
    said = [f"{counts[label]} label {label} ({reason})" for label, reason in reasons.items() if counts[label]]
    ks = [q.least_k or 0 for q in failing if q.marginal and not q.label]
    if ks:
        said.append(f"{len(ks)} marginal (anything helps, such as k {max(ks)}: their evidence stands a place or two too low)")
    if said:
        yield _dim(f"left out: {'; '.join(said)}")


def _rows(report: Report, failing: Sequence[QueryResult]) -> tuple[FixRow, ...]:
    queries: dict[tuple[str, bool], list[QueryResult]] = {}
    for q in failing:
        for cause in q.causes:
            queries.setdefault((cause, cause in q.residual), []).append(q)
    shares = {cause: share for cause, share in report.causes.items() if {(cause, True), (cause, False)} - queries.keys()}
    rows = (_row(cause, residual, behind, shares.get(cause)) for (cause, residual), behind in queries.items())
    return tuple(sorted(rows, key=lambda row: (row.residual, -row.alone, -len(row.queries), row.cause)))


def _row(cause: str, residual: bool, queries: Sequence[QueryResult], share: Mean | None) -> FixRow:
    """A row of the table. A cause that is proved for some queries and a hint for others has two, and then no share."""
    findings = [f for q in queries for f in q.findings if f.cause == cause]
    fixes = [f.fix.split(";")[0] for f in findings]  # without their alternatives
    plainest = sorted(queries, key=lambda q: CERTAIN.index(q.status) if q.status in CERTAIN else len(CERTAIN))
    return FixRow(
        cause,
        _most([f.says for f in findings]),
        residual,
        tuple(plainest),
        sum(q.status != "compound" for q in queries),
        share,
        _acts(fixes, 100, 42),
        _acts(fixes, WHOLE, WHOLE),
    )


def _most(sentences: Sequence[str]) -> str:
    """The commonest of `sentences`; "" of none."""
    return Counter(sentences).most_common(1)[0][0] if sentences else ""


def _acts(fixes: Sequence[str], alone: int, each: int) -> str:
    """What to do: where queries of one cause need several things, the commonest with how many need them; figures aside.

    `alone` and `each` are the characters to which one thing to do is cut, and each of several.
    """
    alike: dict[str, list[str]] = {}
    for fix in fixes:
        alike.setdefault("".join(c for c in fix if not c.isdigit()), []).append(fix)
    kinds = sorted(alike.values(), key=len, reverse=True)
    if len(kinds) < 2:
        return one_line(_most(fixes), alone)
    shown = [f"{len(kind)}: {one_line(_most(kind), each)}" for kind in kinds[:MOST_ACTS]]
    return "; ".join([*shown, *([f"{sum(map(len, kinds[MOST_ACTS:]))} other"] if kinds[MOST_ACTS:] else [])])


def _notes(report: Report, failing: Sequence[QueryResult], rows: Sequence[FixRow]) -> Iterator[Row]:
    """What the table leaves open: residual proofs, what lies beside them, queries without one cause."""
    if any(row.residual for row in rows):
        yield _dim("* a hint: nothing more specific restores these, or nothing tells whether it matters")
    beside = Counter((f.cause, f.says) for q in failing for f in _beside(q))
    for (cause, says), n in beside.items():
        yield _dim(f"  {n} of them: {says} ({cause})")
    yield from _by_status(failing, bool(report.pipeline.swaps))


def _by_status(failing: Sequence[QueryResult], swapped: bool) -> Iterator[Row]:
    """The queries without one cause, by their status. `swapped`: another retriever was tried."""
    for status, words in STATUSES.items():
        of_status = [q for q in failing if q.status == status]
        untested = [q for q in of_status if status == NOT and q.untested]
        more = f"; {NO_SWAP}" if status == "undetermined" and not swapped else ""
        yield from _shown([q for q in of_status if q not in untested], words + more)
        yield from _shown(untested, words + _untested(untested))


def _shown(queries: Sequence[QueryResult], said: str) -> Iterator[Row]:
    """How many queries something is said of, and the first of them; nothing of none."""
    if queries:
        ids = [one_line(q.id, LONG_ID) for q in queries[:IDS]]
        yield _dim(f"{len(queries)} {said} ({', '.join(ids)}{', …' if len(queries) > IDS else ''})")


def _untested(queries: Sequence[QueryResult]) -> str:
    """What may be wrong with `queries` and cannot be tested, the most frequent first."""
    counts = Counter(cause for q in queries for cause in q.untested)
    return f": {UNTESTED}: {', '.join(f'{cause} {n}' for cause, n in counts.most_common())}"


def _beside(q: QueryResult) -> list[Finding]:
    """What would restore a query with a residual cause as well, though it is not named as its cause."""
    return [f for f in q.findings if q.residual and f.residual and f.proved and f.cause not in q.causes]


def _dim(text: str) -> Row:
    return Row.of("", (text, "dim"))


def share_said(mean: Mean | None) -> str:
    """``16% [11–23]``."""
    if mean is None or mean.mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{mean.mean:>3.0%} [{100 * mean.low:.0f}–{100 * mean.high:.0f}]"


def next_queries(failing: Sequence[QueryResult], rows: Sequence[FixRow]) -> list[NextQuery]:
    """Every unserved query with the cause that it is shown for: those whose label is in doubt, for none; one of each cause, then
    more of each; then those that get least of their evidence, for none; last those that are served all that answers.
    """
    doubtful = [NextQuery(q, "") for q in failing if q.label == "doubtful"]
    turns = zip_longest(*(row.queries for row in rows))
    shown = [NextQuery(q, row.cause) for turn in turns for q, row in zip(turn, rows, strict=True) if q is not None]
    first: dict[str, NextQuery] = {}
    worst = sorted(_worst(failing), key=lambda q: q.label == "wide")
    for next_query in (*doubtful, *shown, *(NextQuery(q, "") for q in worst)):
        first.setdefault(next_query.query.id, next_query)
    return list(first.values())


def _worst(failing: Sequence[QueryResult]) -> list[QueryResult]:
    """Those that get least of their evidence, of the documents that leave most queries unserved; then those furthest down."""
    unserved = Counter(d for q in failing for d in q.documents)

    def worst(q: QueryResult) -> tuple[float, int, int, str]:
        return got(q), -max((unserved[d] for d in q.documents), default=0), -(q.least_k or 10**9), q.id

    return sorted(failing, key=worst)


def got(q: QueryResult) -> float:
    """The share of its evidence's characters that it gets."""
    return next((v for m, v in q.measures.items() if m.startswith("CharR@") and v is not None), 0.0)
