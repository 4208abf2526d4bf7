"""Chunks about something else stand above the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._removals import holds, others_dropped
from ragdiag.diagnosis.failures._rows import chunk_rows
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, other_retrievers
from ragdiag.text.duplicates import Kept
from ragdiag.text.phrases import counted

FIX = Fix("keep such pages out of the index, or filter by subject or source at query time")
COPY = 0.9
"""Of the shorter text's pairs of words, those that copies of one another share."""

HUB = FIX._replace(more="; one chunk does it for many queries: look at what it is")


@dataclass(frozen=True)
class Pollution(FailureMode):
    """Proved by dropping the off-topic chunks above the evidence: `fewest` or more in the context, no copies of one another.

    One alone is mostly a page on the subject that the test takes for none. `hub`: one of them stands in the contexts of many
    queries. Chunks on the subject that hold no evidence are counted apart: they are no pollution.
    """

    fewest: int = 2

    says = "chunks about something else stand above the evidence"
    cannot_tell = "whether each of these pages is off the subject: that is a threshold on similarity, and errs both ways"
    place = 80
    levels = ("span", "document")
    exposes = True
    fixes = (FIX, HUB)
    remedies = (other_retrievers,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        affinities = off_topic(case)
        inside = [c for c in case.context if c in affinities]
        if _distinct(case, inside) < self.fewest:
            return None
        hubs = case.setting.hubs
        rows = [
            row | {"affinity": round(s, 2), "contexts": hubs.get(c, 0)}
            for row, (c, s) in zip(described(case, list(affinities)), affinities.items(), strict=False)
        ]
        beside = [c for c in case.context if c not in affinities and c not in case.evidence]
        return Observation(
            case.targets,
            {
                "off_topic": rows,
                "in_context": _size(case, inside),
                "on_topic": _size(case, beside),
                "hub": any(hubs.get(c, 0) >= case.setting.hub_from > 0 for c in affinities),
            },
            frozenset(affinities),
        )

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop them."""
        edit = Edit(observation.held)
        (outcome,) = yield [edit]
        control = None
        if outcome.standing.sufficient:
            control = yield from others_dropped(case, observation.held)
        return case.finding(
            "pollution",
            observation,
            "drop the off-topic chunks",
            outcome.standing,
            HUB if observation.detail["hub"] else FIX,
            proved=outcome.standing.sufficient and holds(control),
            control=control,
            rows=_rows(observation.detail),
            edit=edit,
        )


def _rows(detail: Mapping[str, Any]) -> Iterator[Row]:
    """What the off-topic chunks take of the context, and which they are."""

    def beside(chunk: Mapping[str, Any]) -> str:
        contexts = f", in {counted(chunk['contexts'], 'context')}" if chunk["contexts"] > 1 else ""
        return f" (affinity {chunk['affinity']:.2g}{contexts})"

    places, tokens = detail["in_context"]["chunks"], detail["in_context"]["tokens"]
    if places:
        yield Row.of("takes", f"{counted(places, 'place')} and {counted(tokens, 'token')} of the context")
    places, tokens = detail["on_topic"]["chunks"], detail["on_topic"]["tokens"]
    if places:
        words = f"{counted(places, 'place')} and {counted(tokens, 'token')} go to chunks on the subject without evidence"
        yield Row.of("", (words, "dim"))
    yield from chunk_rows("above", detail["off_topic"], beside)
    yield Row.of("", ("affinity: how near to the evidence, the query's words taken out; 1 is as near as random words", "dim"))
    if detail["hub"]:
        yield Row.of("", ("a hub: far more contexts than chance would put it in", "warn"))


def _size(case: Case, chunks: Sequence[int]) -> dict[str, int]:
    """How much of a context some of its chunks are."""
    return {"chunks": len(chunks), "tokens": sum(case.tokens(case.setting.span(c)) for c in chunks)}


def _distinct(case: Case, chunks: Sequence[int]) -> int:
    """How many chunks there are, copies of one another counted once; pages stuffed with the same words are no copies."""
    kept = Kept(COPY)
    for shingles in map(case.setting.shingles, chunks):
        if kept.first_like(shingles) is None:
            kept.add(shingles)
    return len(kept)


def off_topic(case: Case) -> dict[int, float]:
    """The off-topic chunks above the evidence (of a served query: in its context), with their affinity to it (1: chance)."""
    return dict(case.setting.off_topic(case.number, case.above))
