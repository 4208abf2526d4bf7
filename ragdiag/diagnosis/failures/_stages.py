"""What failure modes that undo a recorded stage have in common: when one applies, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ragdiag.core.proofs import Edit, Row
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.replay import PACKS, changed


def seen(case: Case, stage: str) -> Observation | None:
    """What a stage did to the evidence that the context lacks; None where it changed nothing, or none was found at all.

    None, too, where the prompt holds all of it, so that only the k of the audit leaves it out.
    """
    prompted = PACKS in case.stages and case.standing.rank is not None
    if case.standing.sufficient or prompted or not changed(case.stages, stage):
        return None
    held = {c for chunks in case.stages.values() for c in chunks.tolist()}
    found = sorted(held & case.evidence - set(case.context))
    if not found:
        return None
    names = [row["chunk"] for row in described(case, found, len(found))]
    chunks = [{"chunk": name, "ranks": _ranks(case, c)} for name, c in zip(names, found, strict=True)]
    return Observation(case.targets, {"stage": stage, "chunks": chunks})


def _ranks(case: Case, chunk: int) -> dict[str, int | None]:
    """Where each stage has a chunk, None where it has not."""
    places = {name: np.flatnonzero(chunks == chunk) for name, chunks in case.stages.items()}
    return {name: int(at[0]) + 1 if len(at) else None for name, at in places.items()}


def rows(case: Case, stage: str) -> Iterator[Row]:
    """Where each stage has what the query needs, the one that is undone marked."""
    for name, chunks in case.stages.items():
        rank = case.stand(chunks, Edit()).standing.rank
        held = len(case.ranks(chunks))
        lacks = f"{held} of {len(case.groups)} pieces of evidence" if held else "none of the evidence"
        says = f"all evidence at rank {rank}" if rank else lacks
        words = f"{says}, of {len(chunks)} chunks"
        yield Row.of(name, (words, "bad") if name == stage else words)


def before(case: Case, stage: str) -> str:
    """The stage before one."""
    names = list(case.stages)
    return names[names.index(stage) - 1]
