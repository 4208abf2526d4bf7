"""The query and the evidence use different words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ragdiag.cases import Case, Observation
from ragdiag.failures._words import as_rare, beside, gap, terms
from ragdiag.failures.truncated import unseen
from ragdiag.proofs import Edit, Outcome, Trial

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

    Proved by another retriever, by a paraphrase that the query's record supplies (`paraphrases`), or by fewer terms of the
    evidence than equally rare terms of other chunks need to bring those in.
    """

    most: float = 0.5
    beside: float = 0.75
    terms: int = 6
    controls: int = 3

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
            low = shared.overlap <= self.most and shared.overlap < self.beside * shared.above
            if low or (SPARSE in case.setting.swaps and shared.overlap > shared.above):
                return Observation(
                    (group,),
                    {
                        "side": VOCABULARY if low else RARE,
                        "missing": list(shared.missing),
                        "overlap": round(shared.overlap, 3),
                        "overlap_above": round(shared.above, 3),
                    },
                )
        return None

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
        """The fewest terms of the evidence that bring it in, against as many of equal rarity that bring in other chunks."""
        holder = case.holder(seen.groups[0])
        if holder is None:
            return None
        own = terms(case, holder[1])[: self.terms]
        series = [own] + [as_rare(case, c, own) for c in beside(case, holder[0], self.controls)]
        edits = [[Edit(query=" ".join([case.query.text, *added[: n + 1]])) for n in range(len(added))] for added in series]
        outcomes = iter((yield [e for row in edits for e in row]))
        results = [[next(outcomes) for _ in row] for row in edits]
        found = [n for n, o in enumerate(results[0], 1) if o.standing.sufficient]
        others = [_least(case, c, row) for c, row in zip(beside(case, holder[0], self.controls), results[1:], strict=True)]
        needed = found[0] if found else None
        bar = sorted(n or self.terms + 1 for n in others)
        return case.finding(
            "query_mismatch",
            seen,
            f"add {needed or len(own)} words of the evidence to the query",
            results[0][needed - 1].standing if needed else case.standing,
            FIX[WORDS],
            proved=needed is not None and bool(bar) and needed < bar[len(bar) // 2],
            detail={**detail, "words": own[: needed or len(own)], "needed": needed, "needed_by_others": others},
            edit=edits[0][(needed or len(own)) - 1] if own else Edit(),
        )


def _least(case: Case, chunk: int, outcomes: list[Outcome]) -> int | None:
    """How many words bring `chunk` into the context."""
    return next((n for n, o in enumerate(outcomes, 1) if chunk in o.order[: case.length].tolist()), None)
