"""The evidence is longer than a chunk: no chunk can hold it whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ragdiag.core.proofs import Edit, Row, Standing, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import best_fragment, cut_groups, replaced
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, bigger_parents, sized
from ragdiag.text.phrases import listed

LARGER, PARENTS = Fix("larger chunks", (sized(2), sized(4))), Fix("hand over what stands round small ones", (bigger_parents,))
RAISED = Fix("larger chunks, and k raised to {k}", LARGER.changes)
UNATTAINABLE = Fix("raise the context's size: even whole, the evidence does not fit in it")


@dataclass(frozen=True)
class Oversized(FailureMode):
    """Residual: joining the fragments into one chunk, as long as the evidence, suffices; where no k reached them all, it does so
    with a context of up to `contexts` times the length.

    A label that is longer than a chunk is mostly wider than its answer: of 24 such findings read on public sets, 14 were right.
    """

    contexts: int = 10

    says = "the evidence is longer than a chunk"
    cannot_tell = "whether all of the passage is needed: labels tend to be wider than their answers"
    of_cuts = True
    place = 119
    residual = True
    fixes = (LARGER, PARENTS, RAISED, UNATTAINABLE)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        groups = cut_groups(case, longest=True)
        if not groups:
            return None
        spans = [_alternative(case, g.needed) for g in groups]
        tokens = [case.tokens(s) for s in spans]
        return Observation(groups, {"tokens": tokens, "unattainable": any(_too_long(case, s) for s in spans)})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """One window for each passage."""
        spans = [_alternative(case, g.needed) for g in observation.groups]
        edit = Edit(replaced(case, spans), tuple(case.setting.addition(_joined(case, s)) for s in spans))
        (outcome,) = yield [edit]
        after, lost = outcome.standing, bool(observation.detail["unattainable"])
        within = self._within(case, after)
        more = f", and k raised to {after.k}" if within and not lost else ""
        lengths = listed([f"{n:,}" for n in observation.detail["tokens"]])
        most = "a whole context" if lost else "a chunk of this index"
        return case.finding(
            "oversized",
            observation,
            "the chunks that hold a piece of the evidence joined into one" + more,
            after,
            case.setting.advice(*((UNATTAINABLE,) if lost else (RAISED, PARENTS) if more else (LARGER, PARENTS)), k=after.k),
            proved=(after.sufficient or within) and not lost,
            unattainable=lost,
            rows=[Row.of("length", f"{lengths} tokens, more than {most} holds")],
            edit=edit,
        )

    def _within(self, case: Case, after: Standing) -> bool:
        """Whether it does not suffice, but a context of `contexts` times the length would have what no k reached."""
        return not after.sufficient and case.standing.rank is None and (after.rank or math.inf) <= self.contexts * case.length


def _alternative(case: Case, spans: tuple[Span, ...]) -> Span:
    """The shortest alternative; of equals, the one whose fragments rank best."""
    return min(spans, key=lambda s: (s.end - s.start, best_fragment(case, s)))


def _joined(case: Case, span: Span) -> Span:
    """The text of all chunks that hold a piece of the passage."""
    pieces = [case.setting.span(c) for c in case.setting.overlapping(span)]
    return Span(span.document, min([span.start, *(s.start for s in pieces)]), max([span.end, *(s.end for s in pieces)]))


def _too_long(case: Case, span: Span) -> bool:
    """Whether the passage exceeds the budget, or as much text as k long chunks."""
    if case.setting.budget:
        return case.tokens(span) > case.setting.budget
    return span.end - span.start > case.setting.k * case.setting.size
