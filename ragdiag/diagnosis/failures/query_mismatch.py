"""The query and the evidence use different words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ragdiag.core.proofs import EXACT, Edit, Finding, Outcome, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import nearest
from ragdiag.diagnosis.failures._words import added, as_rare, beside, gap, rarest, said
from ragdiag.diagnosis.failures.truncated import unseen

VOCABULARY, RARE, WORDS = "vocabulary gap", "rare-term gap", "words"
FIX = {
    VOCABULARY: "search by meaning as well (dense or hybrid), or rewrite queries in the words of the documents",
    RARE: "search by words as well (bm25 or hybrid): the encoder misses words of the query that the passage has",
    WORDS: "rewrite queries in the words of the documents, or add theirs to the documents",
}
SPARSE = "bm25"


@dataclass(frozen=True)
class QueryMismatch:
    """Visible, but sharing few of the query's words (idf-weighted), or more than the chunks above have.

    Proved by another retriever, by a paraphrase that the query's record supplies (`paraphrases`), or by the fewest of so many
    (`words`) of the evidence's words: said in place of the query's that it lacks, where they are as rare, or its rarest added.
    Those are words of the chunk that holds it, since what is labelled may be a number that nobody could ask for.
    Other chunks mostly come in by words as rare (`controls`, shown): where they do, words are a proof only if the passage has
    next to nothing of the query's own (an overlap of `none` at most). Where no chunk holds the passage whole, only another
    retriever is tried: alone, and with what makes it whole.
    """

    most: float = 0.4
    found: float = 0.3
    none: float = 0.15
    beside: float = 1.0
    more: float = 1.3
    words: tuple[int, ...] = (1, 2, 4, 6)
    controls: int = 3

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        for group in case.targets:
            holder = case.holder(group)
            held = [holder[0]] if holder else case.setting.overlapping(nearest(case, group.spans))
            if not held or (case.level == "span" and unseen(case, group)):
                continue
            shared = gap(case, held)
            low = shared.overlap <= self._most(case, held) and shared.overlap <= self.beside * shared.above
            if low or (SPARSE in case.setting.swaps and shared.overlap > self.more * shared.above):
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

    def _most(self, case: Case, chunks: list[int]) -> float:
        """The largest overlap that counts as low: less where words did find the passage, if not high enough."""
        if max(case.rank_of.get(c, len(case.ranking) + 1) for c in chunks) > 10 * case.length:
            return self.most
        # Beside evidence that was found, a passage has only the rest of the query to be found by: that is `incomplete`.
        return -1.0 if any(g.covered for g in case.groups) else self.found

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Another retriever; the user's other words; words of the evidence."""
        side, given = seen.detail["side"], case.query.metadata.get("paraphrases") or ()
        edits = [Edit(retriever=s) for s in case.setting.swaps if s != EXACT and (side == VOCABULARY or s == SPARSE)]
        edits += [Edit(query=str(p)) for p in given]
        outcomes = yield edits
        tried = {e.retriever or f"paraphrase: {e.query}": o.standing._asdict() for e, o in zip(edits, outcomes, strict=True)}
        # No words bring in what no chunk holds whole: with that mended as well, another retriever may.
        cut = seen.held is None
        served = [i for i, o in enumerate(outcomes) if o.standing.sufficient or (cut and edits[i].retriever)]
        if served:
            best = min(served, key=lambda i: (not outcomes[i].standing.sufficient, outcomes[i].standing.rank or math.inf))
            return _other(case, seen, edits[best], outcomes[best], {"tried": tried})
        if side == RARE or cut:
            return None
        return (yield from self._words(case, seen, {"tried": tried}))

    def _words(self, case: Case, seen: Observation, detail: Mapping[str, Any]) -> Trial:
        """The fewest words of the evidence that bring it in."""
        chunk = seen.held[0]
        span = case.setting.span(chunk)
        missing, most = list(seen.detail["missing"]), self.words[-1]
        series = [(said, as_rare(case, span, missing[:most])), (added, rarest(case, span)[:most])]
        edits = [
            (Edit(query=say(case.query.text, missing[:n], own[:n])), own[:n])
            for say, own in series
            for n in self.words
            if n <= len(own)
        ]
        outcomes = yield [edit for edit, _ in edits]
        enough = [i for i, outcome in enumerate(outcomes) if outcome.standing.sufficient]
        if not edits:
            return None
        best = min(enough, key=lambda i: (len(edits[i][1]), i)) if enough else len(edits) - 1
        edit, own = edits[best]
        detail = {**detail, "words": own}
        others, as_well = list[int](), 0
        if enough:
            others = beside(case, chunk, self.controls)
            tried = yield [Edit(query=added(case.query.text, [], as_rare(case, case.setting.span(c), own))) for c in others]
            as_well = sum(c in o.order[: case.length].tolist() for c, o in zip(others, tried, strict=True))
            detail |= {"others": len(others), "others_as_well": as_well}
        alone = seen.detail["overlap"] <= self.none or (bool(others) and 2 * as_well < len(others))
        how = f"say {len(own)} of the query's words in words of the evidence"
        after = outcomes[best].standing
        proved = after.sufficient and alone
        return case.finding("query_mismatch", seen, how, after, FIX[WORDS], proved=proved, detail=detail, edit=edit)


def _other(case: Case, seen: Observation, edit: Edit, outcome: Outcome, detail: Mapping[str, Any]) -> Finding:
    """What another retriever, or a paraphrase, comes to."""
    how = f"search with {edit.retriever} instead" if edit.retriever else "ask in the words of a paraphrase"
    fix = FIX[RARE if edit.retriever == SPARSE else VOCABULARY if edit.retriever else WORDS]
    return case.finding("query_mismatch", seen, how, outcome.standing, fix, detail=detail, edit=edit)
