"""Near-duplicates of one another fill the context, and the evidence finds no place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described, says_nearly
from ragdiag.diagnosis.failures._removals import holds, others_dropped
from ragdiag.diagnosis.failures._rows import MOST, beginning, left_out
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, within
from ragdiag.text.duplicates import Kept
from ragdiag.text.phrases import listed
from ragdiag.text.words import words

FIX = Fix("drop near-duplicates from each ranking", (within("dedupe"),))
FROM_INDEX = Fix("from the index")

COPY = 0.75
"""Of the shorter text's pairs of words, those that copies share at least; pages made from one template share fewer."""


@dataclass(frozen=True)
class CrowdedOut(FailureMode):
    """Proved by keeping the first of each cluster of near-duplicates; versions of the evidence are left alone.

    The control drops as many chunks above that belong to no cluster. Pages of one kind, a quarter of which is their own, are no
    copies of one another.
    """

    says = "near-duplicates of one another take the evidence's place"
    cannot_tell = "whether a near-duplicate that goes is the one that some other query needs"
    place = 70
    of_copies = True
    levels = ("span", "document")
    exposes = True
    fixes = (FIX, FROM_INDEX)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        repeats = repeated(case)
        context = set(case.context)
        if not any(c in context for c in repeats):
            return None
        clusters = [
            {
                "first": described(case, [kept])[0],
                "repeats": described(case, [c for c, first in repeats.items() if first == kept]),
            }
            for kept in dict.fromkeys(repeats.values())
        ]
        return Observation(case.targets, {"clusters": clusters}, repeats)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop the repeats."""
        edit = Edit(frozenset(observation.held))
        (outcome,) = yield [edit]
        control = None
        if outcome.standing.sufficient:
            control = yield from others_dropped(case, observation.held, alike=observation.held.keys() | observation.held.values())
        return case.finding(
            "crowded_out",
            observation,
            "keep the first of each cluster of near-duplicates",
            outcome.standing,
            case.setting.advice(FIX, FROM_INDEX),
            proved=outcome.standing.sufficient and holds(control),
            control=control,
            rows=_rows(observation.detail["clusters"]),
            edit=edit,
        )


def _rows(clusters: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Of each cluster the first chunk, and the ranks at which it comes again."""
    for cluster in clusters[:MOST]:
        first, ranks = cluster["first"], listed([str(chunk["rank"] or "?") for chunk in cluster["repeats"]])
        yield Row.of("repeats", (f"rank {first['rank']}, ", "strong"), f"again at {ranks}: {first['chunk']} ", beginning(first))
    yield from left_out(clusters, "cluster")


def repeated(case: Case) -> dict[int, int]:
    """The chunks, down to a context's worth of distinct ones, that repeat one ranked above them, and which.

    The query's own words, one beside another, do not count: pages stuffed with them repeat nothing else of one another. A second
    chunk of one place, as a store has that was filled twice, repeats the first one even where both hold evidence: without it
    nothing is lost.
    """
    setting = case.setting
    kept, chunks = Kept(COPY), list[int]()
    places: dict[Span, int] = {}
    repeats: dict[int, int] = {}
    asked = frozenset(words(case.query.text))
    last = case.length if case.standing.sufficient else (case.standing.rank or 10 * case.length)
    for chunk in case.ranking[:last].tolist():
        if (again := places.setdefault(setting.span(chunk), chunk)) != chunk:
            repeats[chunk] = repeats.get(again, again)
            continue
        shingles = _said(case, chunk, asked)
        first = kept.first_like(shingles)
        if first is None or chunk in case.evidence or _version(case, chunk):
            kept.add(shingles)
            chunks.append(chunk)
        else:
            repeats[chunk] = chunks[first]
        if len(kept) >= case.length:
            break
    return repeats


def _said(case: Case, chunk: int, asked: frozenset[str]) -> frozenset[tuple[str, str]]:
    """What a chunk says in other words than those `asked`."""
    return frozenset(pair for pair in case.setting.shingles(chunk) if not asked.issuperset(pair))


def _version(case: Case, chunk: int) -> bool:
    """Whether a chunk is a version of the evidence: by what it says, or by its document's metadata."""
    versions, mine = case.setting.versions, int(case.setting.chunking.document[chunk])
    current = {s.document for g in case.groups for s in g.spans}
    return any(versions.link(mine, d) or versions.link(d, mine) for d in current) or says_nearly(case, chunk)
