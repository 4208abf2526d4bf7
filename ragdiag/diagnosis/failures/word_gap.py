"""The query shares few words with the evidence, which is found when it is asked for in its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._kinds import REWRITE
from ragdiag.diagnosis.failures._passages import holding, nearest
from ragdiag.diagnosis.failures._second_search import lead
from ragdiag.diagnosis.failures._unspecific import TELLS, weight
from ragdiag.diagnosis.failures._words import added, gap, spoken_most, unasked
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, other_retrievers, stemmed

FIX = Fix(REWRITE, more="; a paraphrase in the record, or --rewrite, would prove it")
MOST, SHOWN = 60, 12
"""Words of passages that are asked for, and words shown."""


@dataclass(frozen=True)
class WordGap(FailureMode):
    """Residual: nothing more specific suffices. Of the query's words the chunks with the evidence have `most` at most, by idf,
    and no more than the chunks above them.

    The intervention asks for each passage in its own words, all of them: that brings in nearly any text that is indexed and read.
    It shows no more than that the passage can be found, and that the query's words do not lead to it. Which of them are at fault
    is what `query_mismatch` looks for.
    """

    most: float = 0.5

    says = "the query shares few words with the evidence, which is found when asked for in its own"
    cannot_tell = "which of the query's words are at fault, nor that a rewriter would find the right ones"
    place = 135
    levels = ("span", "document")
    residual = True
    reads = True
    fixes = (FIX,)
    remedies = (other_retrievers, stemmed)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient or weight(case) < TELLS:
            return None
        for group in case.targets:
            if not (chunks := holding(case, group)):
                continue
            seen = gap(case, chunks)
            if seen.overlap <= min(self.most, seen.above):
                detail = {"overlap": round(seen.overlap, 3), "overlap_above": round(seen.above, 3), "missing": list(seen.missing)}
                return Observation((group,), detail)
        return None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Ask for what lacks in its own words as well."""
        text, passages = case.query.text, [nearest(case, group.needed) for group in case.targets]
        if (yield from lead(case)) is not None:
            return None  # a second search for what a page names that was found: no words of the question would do
        new = list(dict.fromkeys(w for p in passages for w in unasked(case, p)))[:MOST]
        edit = Edit(query=added(text, new))
        (outcome,) = yield [edit]
        return case.finding(
            "word_gap",
            observation,
            "ask in the words of the passage as well, all of them",
            outcome.standing,
            FIX,
            rows=_rows(observation.detail, spoken_most(case, passages, new)),
            edit=edit,
        )


def _rows(detail: Mapping[str, Any], own: list[str]) -> Iterator[Row]:
    """What the query and the passage say."""
    share, above = detail["overlap"], detail["overlap_above"]
    yield Row.of("overlap", f"its chunk has {share:.0%} of the query's words, those above it {above:.0%}")
    yield Row.of("lacks", ", ".join(detail["missing"][:SHOWN]))
    yield Row.of("says", ", ".join(own[:SHOWN]))
