"""The query and the evidence use different words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ragdiag.cases import Case, Observation
from ragdiag.failures._words import as_rare, beside, gap, said
from ragdiag.failures.truncated import unseen
from ragdiag.proofs import Edit, Trial

VOCABULARY, RARE, WORDS = "vocabulary gap", "rare-term gap", "words"
FIX = {
    VOCABULARY: "search by meaning as well (dense or hybrid), or rewrite queries in the words of the documents",
    RARE: "search by words as well (bm25 or hybrid): the encoder is blind to rare terms",
    WORDS: "rewrite queries in the words of the documents, or add theirs to the documents",
}
SPARSE = "bm25"


@dataclass(frozen=True)
class QueryMismatch:
    """Whole and visible, but sharing few of the query's words beside the chunks above it (idf-weighted), or only the rare ones.

    Proved by another retriever, by a paraphrase that the query's record supplies (`paraphrases`), or by words of the evidence:
    each of the query's words that it lacks (`words` at most, the rarest first) said in one of its own that is as rare. With an
    encoder, other chunks are the control: it does not count where their words bring most of them in as well.
    """

    most: float = 0.4
    found: float = 0.3
    beside: float = 0.9
    words: int = 6
    controls: int = 5

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        for group in case.targets:
            holder = case.holder(group)
            if holder is None or (case.level == "span" and unseen(case, group) is not None):
                continue
            shared = gap(case, holder[0])
            low = shared.overlap <= self._most(case, holder[0]) and shared.overlap < self.beside * shared.above
            if low or (SPARSE in case.setting.swaps and shared.overlap > shared.above):
                return Observation(
                    (group,),
                    {
                        "side": VOCABULARY if low else RARE,
                        "missing": list(shared.missing),
                        "overlap": round(shared.overlap, 3),
                        "overlap_above": round(shared.above, 3),
                    },
                    holder,
                )
        return None

    def _most(self, case: Case, chunk: int) -> float:
        """The largest overlap that counts as low: less where words did find the passage, if not high enough."""
        if case.rank_of.get(chunk, len(case.ranking) + 1) > 10 * case.length:
            return self.most
        # Beside evidence that was found, a passage has only the rest of the query to be found by: that is `incomplete`.
        return -1.0 if any(g.covered for g in case.groups) else self.found

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Another retriever; the user's other words; words of the evidence."""
        side, given = seen.detail["side"], case.query.metadata.get("paraphrases") or ()
        edits = [Edit(retriever=s) for s in case.setting.swaps if side == VOCABULARY or s == SPARSE]
        edits += [Edit(query=str(p)) for p in given]
        outcomes = yield edits
        tried = {e.retriever or f"paraphrase: {e.query}": o.standing._asdict() for e, o in zip(edits, outcomes, strict=True)}
        for edit, outcome in zip(edits, outcomes, strict=True):
            if outcome.standing.sufficient:
                how = f"search with {edit.retriever} instead" if edit.retriever else "ask in the words of a paraphrase"
                fix = FIX[RARE if edit.retriever == SPARSE else VOCABULARY if edit.retriever else WORDS]
                return case.finding("query_mismatch", seen, how, outcome.standing, fix, detail={"tried": tried}, edit=edit)
        if side == RARE:
            return None
        return (yield from self._words(case, seen, {"tried": tried}))

    def _words(self, case: Case, seen: Observation, detail: Mapping[str, Any]) -> Trial:
        """The fewest of the query's missing words that need be said in the evidence's, one for one and as rare."""
        chunk, span = seen.held
        missing = list(seen.detail["missing"])[: self.words]
        own = as_rare(case, span, missing)
        edits = [Edit(query=said(case.query.text, missing[: n + 1], own)) for n in range(len(own))]
        outcomes = yield edits
        needed = next((n for n, o in enumerate(outcomes, 1) if o.standing.sufficient), None)
        if not edits:
            return None
        after, edit = (outcomes[needed - 1].standing, edits[needed - 1]) if needed else (case.standing, edits[-1])
        control: dict[str, object] = {}
        as_well, others = 0, list[int]()
        if needed and case.setting.visible is not None:
            # An encoder may know what a query is about without its words; a sparse retriever is drawn to any chunk by them.
            others = beside(case, chunk, self.controls)
            texts = [said(case.query.text, missing[:needed], as_rare(case, case.setting.span(c), missing)) for c in others]
            tried = yield [Edit(query=text) for text in texts]
            as_well = sum(c in o.order[: case.length].tolist() for c, o in zip(others, tried, strict=True))
            control = {"others": len(others), "others_as_well": as_well}
        return case.finding(
            "query_mismatch",
            seen,
            f"say {needed or len(own)} of the query's words in words of the evidence that are as rare",
            after,
            FIX[WORDS],
            proved=needed is not None and 2 * as_well <= len(others),
            detail={**detail, "words": dict(zip(missing, own[: needed or len(own)], strict=False)), **control},
            edit=edit,
        )
