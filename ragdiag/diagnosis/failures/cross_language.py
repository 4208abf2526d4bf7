"""The question is in another language than the documents that answer it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragdiag.core.phrasings import in_full, translations
from ragdiag.core.proofs import EXACT, Edit, Outcome, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._asking import by_other_words, new_words
from ragdiag.diagnosis.failures._passages import holding
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.reading import MOST_UNREAD
from ragdiag.search.changes import Fix
from ragdiag.text.languages import of_other_languages
from ragdiag.text.phrases import one_line

TRANSLATE = Fix("translate questions into the language of the documents before they are searched")
MULTILINGUAL = Fix("search with an encoder that was trained for both languages, which you name")

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
    cannot_tell = "how well a translator, or another model, would do for other questions"
    place = 86
    levels = ("span", "document")
    fixes = (TRANSLATE, MULTILINGUAL)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient:
            return None
        for group in case.targets:
            passage = " ".join(case.setting.text(case.setting.span(c)) for c in holding(case, group))
            if languages := of_other_languages(case.query.text, passage):
                return Observation((group,), {"query": languages[0], "evidence": languages[1]}, passage)
        return None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Ask in the language of the evidence; search with another encoder."""
        edits = [*_translated(case, observation.held), *_elsewhere(case)]
        if not edits:
            return None
        outcomes = yield edits
        tried = {e.query or e.retriever: o.standing.told() for e, o in zip(edits, outcomes, strict=True)}
        edit, outcome = _best(edits, outcomes)
        proved, control = _serves(case, edit, outcome), None
        if proved and edit.query:
            control = yield from by_other_words(case, new_words(case, edit.query), (), self.controls)
            proved = control is None or not control.as_well
        translation = f"ask in {observation.detail['evidence']}", TRANSLATE
        how, fix = (f"search with {edit.retriever} instead", MULTILINGUAL) if edit.retriever else translation
        return case.finding(
            "cross_language",
            observation,
            how,
            outcome.standing,
            fix,
            proved=proved,
            control=control,
            detail={"tried": tried, "gap": bool(edit.retriever)},
            rows=_rows(observation.detail, tried),
            edit=edit,
        )


def _translated(case: Case, passage: str) -> Iterator[Edit]:
    """The query in the language of the passage, as its record gives it, where the encoder of the index can read that."""
    metadata = case.query.metadata
    for text in filter(None, (*translations(metadata), in_full(metadata))):
        own = not of_other_languages(text, passage) and of_other_languages(text, case.query.text)
        if own and case.setting.unread(text) <= MOST_UNREAD:
            yield Edit(query=text)


def _elsewhere(case: Case) -> Iterator[Edit]:
    """Other retrievers that may know both languages."""
    yield from (Edit(retriever=name) for name in case.setting.swaps if name != EXACT and not name.startswith(BY_WORDS))


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
