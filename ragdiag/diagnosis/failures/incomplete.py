"""Some of what the query needs is in its context, the rest is not."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Control, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._parts import asks_in_parts, may_each_do
from ragdiag.diagnosis.failures._passages import neighbours
from ragdiag.diagnosis.failures._rows import at
from ragdiag.diagnosis.failures._second_search import Lead, lead
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, bigger_parents, expanded, other_retrievers, with_context, within
from ragdiag.text.phrases import listed

PARTS = Fix("ask in parts: one search for each thing that the query needs")
AGAIN = Fix("search again with what the first search found; here: {title}")
AGAIN_SAYS = "the chunk at {at} names “{title}”: a search for that as well has it at {rank}"
FAR_OFF = Fix("search for what lacks by itself (only k {k}, {tokens} tokens of context, has it all)")
FAR = 4
"""Contexts from which on a larger k is nothing to do."""
MORE = Fix("raise k to {k} ({tokens} tokens of context)")
BESIDE = Fix("hand over neighbours", (expanded,))
NEIGHBOURS = Fix("hand over more of each document, as what lacks is not ranked", (bigger_parents,))
ONE_GROUP = Fix('where each of these passages answers alone, give them one "group" in the labels')
EACH = "the labels list passages that may each answer alone, and the context holds one of them"


@dataclass(frozen=True)
class Incomplete(FailureMode):
    """Residual: named where nothing more specific suffices. Proved by the least k that covers all.

    It proves nothing where the passages may be alternatives that the labels list as if all were needed: see
    `_parts.may_each_do`.
    """

    says = "some of what the query needs is in its context, the rest is not"
    cannot_tell = "why the rest ranks low, nor whether each listed passage is needed"
    place = 120
    residual = True
    fixes = (BESIDE, PARTS, AGAIN, MORE, FAR_OFF, NEIGHBOURS, ONE_GROUP)
    remedies = (within("mmr"), other_retrievers, with_context("neighbours"))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        covered = [g.number for g in case.groups if g.covered]
        if not covered or len(covered) == len(case.groups):
            return None
        detail = {"covered": covered, "lacking": [g.number for g in case.targets], "in_parts": asks_in_parts(case)}
        return Observation(case.targets, detail)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Raise k; where a chunk that was found names the page of what lacks, search for that too."""
        rank, k = case.standing.rank, case.standing.k
        tokens = case.tokens_down_to(rank) if rank else None
        detail = dict[str, object](least_k=k) | ({} if tokens is None else {"tokens": tokens})
        has, lacks = (listed([str(n) for n in observation.detail[name]]) for name in ("covered", "lacking"))
        rows = [Row.of("has", f"its context holds evidence {has}, and lacks {lacks}")]
        how, after = f"raise k to {k}", case.standing._replace(sufficient=k is not None)
        if why := may_each_do(case):
            nothing = Control(0, 0, None, f"proves nothing: {why}")
            return case.finding(
                "incomplete", observation, how, after, ONE_GROUP,
                proved=False, says=EACH, control=nothing, detail=detail | {"may_each_do": why}, tokens=tokens, rows=rows,
            )  # fmt: skip
        found = yield from lead(case)
        if found is not None:
            detail |= {"second_search": found.title, "second_rank": found.rank}
            rows.append(Row.of("again", AGAIN_SAYS.format(at=at(found.named_at), title=found.title, rank=at(found.rank))))
        acts = _acts(bool(observation.detail["in_parts"]), rank, found, _beside(case), case.length)
        fix = case.setting.advice(*acts, k=k, tokens=tokens, title=found.title if found else "")
        control = found.control if found is not None else None
        return case.finding("incomplete", observation, how, after, fix, detail=detail, tokens=tokens, rows=rows, control=control)


def _beside(case: Case) -> bool:
    """Whether what lacks stands right before or after chunks that were found."""
    near = neighbours(case)
    return all((holder := case.holder(g)) is not None and holder[0] in near for g in case.targets)


def _acts(in_parts: bool, rank: int | None, found: Lead | None, beside: bool, length: int) -> list[Fix]:
    """Ask in parts only where the question has them, again and for neighbours only where that finds it; else more context."""
    acts = [AGAIN] if found else []
    acts += [PARTS] if in_parts else []
    if beside:
        return [BESIDE, *acts]
    return [*acts, NEIGHBOURS if rank is None else MORE if rank <= FAR * length else FAR_OFF]
