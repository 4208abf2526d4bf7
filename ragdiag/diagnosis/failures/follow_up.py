"""The question leans on what was said before, and is searched without it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ragdiag.core.phrasings import earlier_turns, in_full
from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._asking import by_other_words, new_words
from ragdiag.diagnosis.failures._words import telling
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix
from ragdiag.text.languages import of_other_languages
from ragdiag.text.phrases import one_line

FIX = Fix("rewrite follow-up questions in full, from the turns before, before they are searched")

HOW = {
    "rewrite": "ask the question in full",
    "rewriter": "ask as your rewriter does",
    "history": "put the turns before the question in front of it (no rewrite is given)",
}
"""What is changed, by what the question in full is from."""

MOST_WORDS = 12
"""Words shown of those that the question lacks."""


@dataclass(frozen=True)
class FollowUp(FailureMode):
    """The record of the query has earlier turns (`history`) or the question in full (`rewrite`), with words that it lacks.

    Proved by the question in full; where the record has none, by what the team's rewriter makes of it (``--rewrite``), or by the
    turns before it, all of them or the last two, put before the question, which a finding says. With turns, some word that the
    question in full adds is one of them: else it is a paraphrase. The control adds as many other words to the question
    (`controls` times others): words of the turns, and of chunks ranked high, that the evidence does not have. None of these may
    do as well.
    """

    controls: int = 3

    says = "the question leans on what was said before it, and is searched without that"
    cannot_tell = "whether a rewriter at work would write the question as it is asked in full here"
    place = 84
    levels = ("span", "document")
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        metadata, query = case.query.metadata, case.query.text
        turns = earlier_turns(metadata)
        full = in_full(metadata) or ("".join(case.rewritten[:1]) if turns else "")
        if full and of_other_languages(query, full):
            return None
        lacking = new_words(case, full or " ".join(turns))
        if not lacking or (full and turns and not set(lacking) & set(telling(" ".join(turns)))):
            return None
        return Observation(case.targets, {"by": _by(case, full), "lacks": lacking}, (turns, full))

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Ask in full; then with other words in place of those that this adds."""
        turns, full = observation.held
        texts = [full] if full else list(dict.fromkeys("\n".join([*part, case.query.text]) for part in (turns, turns[-2:])))
        edits = [Edit(query=text) for text in texts]
        outcomes = yield edits
        edit, outcome = min(
            zip(edits, outcomes, strict=True),
            key=lambda pair: (not pair[1].standing.sufficient, pair[1].standing.rank or math.inf),
        )
        control = None
        if outcome.standing.sufficient:
            control = yield from by_other_words(case, new_words(case, edit.query), telling(" ".join(turns)), self.controls)
        return case.finding(
            "follow_up",
            observation,
            HOW[observation.detail["by"]],
            outcome.standing,
            FIX,
            proved=outcome.standing.sufficient and control is not None and not control.as_well,
            control=control,
            detail={"asked": edit.query},
            rows=_rows(edit.query, observation.detail["lacks"]),
            edit=edit,
        )


def _by(case: Case, full: str) -> str:
    """Where the question in full is from: see `HOW`."""
    return "history" if not full else "rewrite" if full == in_full(case.query.metadata) else "rewriter"


def _rows(asked: str, lacking: list[str]) -> Iterator[Row]:
    """What was asked instead, and the words that the question lacks."""
    yield Row.of("asked", one_line(asked, 160))
    yield Row.of("lacks", ", ".join(lacking[:MOST_WORDS]) + (", …" if len(lacking) > MOST_WORDS else ""))
