"""The question is in another language than the documents that answer it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragdiag.core.phrasings import in_full, translations
from ragdiag.core.proofs import EXACT, Edit, Outcome, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._asking import by_other_words, new_words
from ragdiag.diagnosis.failures._passages import nearest
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.reading import MOST_UNREAD
from ragdiag.text.languages import of_other_languages
from ragdiag.text.phrases import one_line

TRANSLATE = "translate questions into the language of the documents before they are searched"
MULTILINGUAL = "search with an encoder that was trained for both languages: dense(model=...)"

BY_WORDS = "bm25"
"""A retriever that finds nothing across languages but names."""


@dataclass(frozen=True)
class CrossLanguage(FailureMode):
    """The question is clearly in another script or language than the chunk with its evidence: see `text.languages`.

    Proved by a translation that the record gives (`translations`, or a `rewrite` in the evidence's language), or by another
    retriever, named with ``--swap``, that puts the evidence high: in the upper half of the context. The control of a translation
    adds as many words of the context's chunks to the question (`controls` times others), which may not do as well; that of
    another retriever is how often it serves failing queries that are in the language of their evidence.
    """

    controls: int = 3

    says = "the question is in another language than its evidence"
    place = 104
    levels = ("span", "document")

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient:
            return None
        for group in case.targets:
            holder = case.holder(group)
            chunks = [holder[0]] if holder else case.setting.overlapping(nearest(case, group.spans))
            passage = " ".join(case.setting.text(case.setting.span(c)) for c in chunks)
            if languages := of_other_languages(case.query.text, passage):
                return Observation((group,), {"query": languages[0], "evidence": languages[1]}, passage)
        return None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Ask in the language of the evidence; search with another encoder."""
        given = (*translations(case.query.metadata), in_full(case.query.metadata))
        own = [t for t in given if t and not of_other_languages(t, observation.held) and of_other_languages(t, case.query.text)]
        swaps = [s for s in case.setting.swaps if s != EXACT and not s.startswith(BY_WORDS)]
        edits = [*(Edit(query=t) for t in own if _readable(case, t)), *(Edit(retriever=s) for s in swaps)]
        if not edits:
            return None
        outcomes = yield edits
        tried = {e.query or e.retriever: o.standing._asdict() for e, o in zip(edits, outcomes, strict=True)}
        edit, outcome = _best(edits, outcomes)
        proved, control = _serves(case, edit, outcome), None
        if proved and edit.query:
            control = yield from by_other_words(case, new_words(case, edit.query), (), self.controls)
            proved = control is None or not control.as_well
        how = f"search with {edit.retriever} instead" if edit.retriever else f"ask in {observation.detail['evidence']}"
        return case.finding(
            "cross_language",
            observation,
            how,
            outcome.standing,
            MULTILINGUAL if edit.retriever else TRANSLATE,
            proved=proved,
            control=control,
            detail={"tried": tried} | ({"gap": True} if edit.retriever else {}),
            rows=_rows(observation.detail, tried),
            edit=edit,
        )


def _readable(case: Case, text: str) -> bool:
    """Whether the encoder of the index can read a translation."""
    return case.setting.unread(text) <= MOST_UNREAD


def _serves(case: Case, edit: Edit, outcome: Outcome) -> bool:
    """Whether a change serves the query; another retriever must put it in the context's upper half: it re-orders all."""
    high = (outcome.standing.rank or math.inf) <= (case.length + 1) // 2
    return outcome.standing.sufficient and (high or not edit.retriever)


def _best(edits: Sequence[Edit], outcomes: Sequence[Outcome]) -> tuple[Edit, Outcome]:
    """What serves the query; a translation before another retriever, then what puts the evidence highest."""

    def order(pair: tuple[Edit, Outcome]) -> tuple[bool, bool, float]:
        edit, (standing, *_) = pair
        return not standing.sufficient, bool(edit.retriever), standing.rank or math.inf

    return min(zip(edits, outcomes, strict=True), key=order)


def _rows(detail: Mapping[str, object], tried: Mapping[str, Mapping[str, object]]) -> Iterator[Row]:
    """The languages, and what came of each try."""
    yield Row.of("language", f"the question is in {detail['query']}, the evidence in {detail['evidence']}")
    for name, standing in tried.items():
        outcome = f"needs k {standing['rank']}" if standing["rank"] else "does not find it"
        yield Row.of("instead", f"{one_line(name, 60)} {outcome}" + (", sufficient" if standing["sufficient"] else ""))
