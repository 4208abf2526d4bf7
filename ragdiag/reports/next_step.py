"""The one command that fits what an audit found, without the paths and options, which only the command line knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ragdiag.comparing.remedies import remedies
from ragdiag.core.options import Options
from ragdiag.core.records import Report
from ragdiag.reports.fixes import FixRow
from ragdiag.reports.summary import Summary, summary

__all__ = ["RULES", "Found", "Step", "next_step"]

MANY_DEFECTS = 0.1
"""The share of queries from which on labels that are wrong about the corpus come before all else."""

NEARLY_ALL = 0.9
"""The share of queries served from which on answers that are still wrong are hardly about retrieval."""

FREQUENT, LEAST = 0.25, 3
"""The share of unserved queries, and the number of them, that a cause is behind before settings are tried against it."""


class Found(NamedTuple):
    """An audit, as a rule looks at it: its summary, its options, the queries there are, those left out for defects of labels,
    whether a file of its queries can be reviewed, and whether answers were judged with it.
    """

    audit: Summary
    options: Options
    queries: int
    excluded: int
    reviewable: bool
    answered: bool

    @classmethod
    def of(cls, report: Report, options: Options, reviewable: bool, answered: bool) -> Found:
        """What a report holds of it."""
        excluded = int(report.inputs["labels"]["excluded"])
        return cls(summary(report), options, int(report.inputs["queries"]), excluded, reviewable, answered)


class Step(NamedTuple):
    """A command, what follows its paths, and why it comes next."""

    command: str
    why: str
    arguments: tuple[str, ...] = ()


def next_step(found: Found) -> Step | None:
    """What the first of `RULES` that applies says; None where none does."""
    return next((step for rule in RULES if (step := rule(found))), None)


def _mend_labels(found: Found) -> Step | None:
    if found.excluded < max(2, MANY_DEFECTS * found.queries):
        return None
    return Step(
        "check", f"{found.excluded} of {found.queries} queries are left out, since their labels are wrong about the corpus"
    )


def _review(found: Found) -> Step | None:
    failing = found.audit.failing
    doubtful = sum(q.label == "doubtful" for q in failing)
    if not found.reviewable or not doubtful or 2 * doubtful < len(failing):
        return None
    return Step("label", f"the labels of {doubtful} of the {len(failing)} unserved queries are in doubt")


def _judge_answers(found: Found) -> Step | None:
    headline = found.audit.headline
    if found.answered or not headline.of or headline.served < NEARLY_ALL * headline.of:
        return None
    return Step("litmus", "nearly all is served: are the answers right? Name a file of recorded ones in place of ANSWERS")


def _compare(found: Found) -> Step | None:
    if found.options.run or found.options.search is not None or found.options.own_chunks:
        return None  # it compares settings, and these have none
    rows = [row for row in _frequent(found.audit) if remedies(found.options, [row.cause])]
    if not rows:
        return None
    row = max(rows, key=lambda row: len(row.queries))
    behind = f"{len(row.queries)} of the {len(found.audit.failing)} unserved queries"
    return Step("compare", f"{row.cause} is behind {behind}, and settings may mend it: this tries them on all queries")


def _frequent(audit: Summary) -> Iterator[FixRow]:
    least = max(LEAST, FREQUENT * len(audit.failing))
    return (row for row in (audit.fixing.rows if audit.fixing else ()) if len(row.queries) >= least)


def _explain(found: Found) -> Step | None:
    if not found.audit.look:
        return None
    first = found.audit.look[0]
    why = f"the plainest query with {first.cause}" if first.cause else "the query that gets least"
    return Step("explain", f"{why}: what keeps its evidence away, with the proof", (first.query.id,))


RULES: tuple[Callable[[Found], Step | None], ...] = (_mend_labels, _review, _judge_answers, _compare, _explain)
"""What may come next, the most urgent first. A command that tunes settings takes the place of `_compare`."""
