"""The query and the evidence use different words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import EXACT, Control, Edit, Finding, Outcome, Row, Standing, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import nearest
from ragdiag.diagnosis.failures._words import added, as_rare, beside, gap, rarest, said
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import other_retrievers, stemmed, with_context
from ragdiag.text.phrases import counted, one_line

VOCABULARY, RARE, WORDS = "vocabulary gap", "rare-term gap", "words"
FIX = {
    VOCABULARY: "search by meaning as well (dense or hybrid), or rewrite queries in the words of the documents",
    RARE: "search by words as well (bm25 or hybrid): the encoder misses words of the query that the passage has",
    WORDS: "rewrite queries in the words of the documents, or add theirs to the documents",
}
RARE_SAYS = "the evidence has the query's words, and the encoder misses them"
"""What a mismatch says of a query where the words are the same."""

SPARSE = "bm25"
"""The retriever that finds what an encoder misses."""

MOST_WORDS = 12
"""Words shown of those that a passage lacks."""


@dataclass(frozen=True)
class QueryMismatch(FailureMode):
    """The evidence is visible, but shares few of the query's words, or more of them than the chunks above do.

    An *overlap* is the share of the query's words, by idf, that a chunk has. It is low at `low_overlap` or less, and at
    `low_overlap_found` or less where the evidence stands within ten contexts (words did find it then); in either case it is at
    most `low_ratio` times that of the chunks above. That is a vocabulary gap. An overlap of more than `rare_ratio` times theirs
    is a rare-term gap: the words are the same, and an encoder misses them.

    Proved by another retriever, by a paraphrase that the query's record supplies (`paraphrases`), or by words of the evidence:
    the fewest of `word_counts` that bring it in, said in place of those that it lacks (by words as rare), or added to the query.
    They are words of the whole chunk, since what is labelled may be a number that nobody could ask for. The control is other
    chunks (`controls` of them), asked for by words as rare: where half of them come in too, words are a proof only if the
    overlap is at most `proof_overlap`. Where no chunk holds the passage whole, only another retriever is tried: alone, and with
    what makes it whole.
    """

    low_overlap: float = 0.4
    low_overlap_found: float = 0.3
    low_ratio: float = 1.0
    rare_ratio: float = 1.3
    proof_overlap: float = 0.15
    word_counts: tuple[int, ...] = (1, 2, 4, 6)
    controls: int = 3

    says = "the query and the evidence use different words"
    place = 110
    swaps = True
    reads = True
    levels = ("span", "document")
    remedies = (other_retrievers, stemmed, with_context("title"))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        for group in case.targets:
            holder = case.holder(group)
            held = [holder[0]] if holder else case.setting.overlapping(nearest(case, group.spans))
            if not held or (case.level == "span" and unseen(case, group)):
                continue
            shared = gap(case, held)
            low = shared.overlap <= self._low_overlap(case, held) and shared.overlap <= self.low_ratio * shared.above
            if low or (SPARSE in case.setting.swaps and shared.overlap > self.rare_ratio * shared.above):
                return Observation(
                    (group,),
                    {
                        "side": VOCABULARY if low else RARE,
                        "missing": list(shared.missing),
                        "only_here": list(shared.alone),
                        "overlap": round(shared.overlap, 3),
                        "overlap_above": round(shared.above, 3),
                    },
                    holder,
                )
        return None

    def _low_overlap(self, case: Case, chunks: list[int]) -> float:
        """The largest overlap that counts as low: less where words did find the passage, if not high enough."""
        if max(case.rank_of.get(c, len(case.ranking) + 1) for c in chunks) > 10 * case.length:
            return self.low_overlap
        # Beside evidence that was found, a passage has only the rest of the query to be found by: that is `incomplete`.
        return -1.0 if any(g.covered for g in case.groups) else self.low_overlap_found

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Another retriever; the user's other words; words of the evidence."""
        side = observation.detail["side"]
        edits = [Edit(retriever=s) for s in case.setting.swaps if s != EXACT and (side == VOCABULARY or s == SPARSE)]
        edits += [Edit(query=text) for text in case.rewritings]
        outcomes = yield edits
        tried = {e.retriever or f"paraphrase: {e.query}": o.standing._asdict() for e, o in zip(edits, outcomes, strict=True)}
        # No words bring in what no chunk holds whole: with that mended as well, another retriever may.
        cut = observation.held is None
        if (best := _best(edits, outcomes, cut)) is not None:
            return _other(case, observation, *best, {"tried": tried})
        if side == RARE or cut:
            return None
        return (yield from self._words(case, observation, {"tried": tried}))

    def _words(self, case: Case, observation: Observation, detail: Mapping[str, Any]) -> Trial:
        """The fewest words of the evidence that bring it in."""
        chunk = observation.held[0]
        rewordings = self._rewordings(case, observation, case.setting.span(chunk))
        if not rewordings:
            return None
        outcomes = yield [edit for edit, _ in rewordings]
        enough = [i for i, outcome in enumerate(outcomes) if outcome.standing.sufficient]
        best = min(enough, key=lambda i: (len(rewordings[i][1]), i)) if enough else len(rewordings) - 1
        edit, evidence_words = rewordings[best]
        detail, control = {**detail, "words": evidence_words}, None
        if enough:
            others = beside(case, chunk, self.controls)
            tried = yield [_in_words_of(case, c, evidence_words) for c in others]
            as_well = sum(c in o.order[: case.length].tolist() for c, o in zip(others, tried, strict=True))
            detail |= {"others": len(others), "others_as_well": as_well}
            control = _control(len(others), as_well) if others else None
        return self._by_words(case, observation, edit, outcomes[best].standing, control, detail)

    def _rewordings(self, case: Case, observation: Observation, span: Span) -> list[tuple[Edit, list[str]]]:
        """The query with words of the chunk at `span`, and those words: in place of words that it lacks, then added."""
        missing, most = list(observation.detail["missing"]), self.word_counts[-1]
        series = [(said, as_rare(case, span, missing[:most])), (added, rarest(case, span)[:most])]
        return [
            (Edit(query=say(case.query.text, missing[:n], words[:n])), words[:n])
            for say, words in series
            for n in self.word_counts
            if n <= len(words)
        ]

    def _by_words(
        self,
        case: Case,
        observation: Observation,
        edit: Edit,
        after: Standing,
        control: Control | None,
        detail: Mapping[str, Any],
    ) -> Finding:
        """What words of the evidence come to; they prove little where most other chunks come in as easily by words of theirs."""
        words_prove = control is not None and 2 * control.as_well < control.tried
        proved = after.sufficient and (words_prove or observation.detail["overlap"] <= self.proof_overlap)
        if proved and control and not words_prove:
            control = control._replace(says=f"proved by words alone, and {control.says}")
        how = f"say {len(detail['words'])} of the query's words in words of the evidence"
        rows = _rows({**observation.detail, **detail})
        return case.finding(
            "query_mismatch",
            observation,
            how,
            after,
            FIX[WORDS],
            proved=proved,
            detail=detail,
            control=control,
            rows=rows,
            edit=edit,
        )


def _best(edits: Sequence[Edit], outcomes: Sequence[Outcome], cut: bool) -> tuple[Edit, Outcome] | None:
    """Of the changes that suffice, that which brings the evidence in highest; where it is `cut`, any other retriever counts."""
    helping = [(e, o) for e, o in zip(edits, outcomes, strict=True) if o.standing.sufficient or (cut and e.retriever)]
    return min(helping, key=lambda pair: (not pair[1].standing.sufficient, pair[1].standing.rank or math.inf), default=None)


def _in_words_of(case: Case, chunk: int, like: list[str]) -> Edit:
    """The query with words of another chunk, as rare as those of `like`."""
    return Edit(query=added(case.query.text, [], as_rare(case, case.setting.span(chunk), like)))


def _control(tried: int, as_well: int) -> Control:
    """Other chunks, asked for in words of theirs that are as rare."""
    says = f"{as_well} of {counted(tried, 'other chunk')} come in as well, asked for in their words"
    return Control(tried, as_well, None, says)


def _rows(detail: Mapping[str, Any]) -> Iterator[Row]:
    """Which words are missing, what the chunks above have of them, what other retrievers do, what words bring it in."""
    shares = f"its chunk has {detail['overlap']:.0%} of the query's words, those above it {detail['overlap_above']:.0%}"
    yield Row.of("overlap", f"{shares} (rare words count more): {detail['side']}")
    missing = detail["missing"]
    if missing and detail["side"] == VOCABULARY:
        yield Row.of("lacks", ", ".join(missing[:MOST_WORDS]) + (", …" if len(missing) > MOST_WORDS else ""))
    for name, standing in detail["tried"].items():
        outcome = f"needs k {standing['rank']}" if standing["rank"] else "does not find it"
        yield Row.of("instead", f"{one_line(name, 60)} {outcome}" + (", sufficient" if standing["sufficient"] else ""))
    if "words" in detail:
        yield Row.of("words", f"of the evidence: {', '.join(detail['words'])}")


def _other(case: Case, observation: Observation, edit: Edit, outcome: Outcome, detail: Mapping[str, Any]) -> Finding:
    """What another retriever, or a paraphrase, comes to."""
    how = f"search with {edit.retriever} instead" if edit.retriever else "ask in the words of a paraphrase"
    fix = FIX[RARE if edit.retriever == SPARSE else VOCABULARY if edit.retriever else WORDS]
    return case.finding(
        "query_mismatch",
        observation,
        how,
        outcome.standing,
        fix,
        says=RARE_SAYS if observation.detail["side"] == RARE else "",
        detail=detail,
        rows=_rows({**observation.detail, **detail}),
        edit=edit,
    )
