"""Oddities that do no harm: herrings beside a fault, decoys on a healthy question."""

from __future__ import annotations

from collections.abc import Iterator

from .additions import duplicates, stuffed, versions
from .asking import query_mismatch
from .cuts import chunk_split, cut_elsewhere, recut
from .ground import Ground
from .records import Edit, Span

HERRINGS = ("stale", "crowded_out", "pollution", "chunk_split")
DECOYS = (*HERRINGS, "split survived", "diluted", "query_mismatch")


def oddity(ground: Ground, kind: str, decoy: bool) -> Iterator[Edit]:
    """Edits of a kind that may well do no harm; whether they do is verified."""
    rng = ground.rng
    if kind == "stale":
        yield versions(ground, ground.passage, rng.choice(("flag", "family", "flag and title")), 1, rng.choice((0, 0, 1)))
    elif kind == "crowded_out":
        found = ground.competitors(4 if decoy else 40)
        if found:
            rival = found[0] if decoy else rng.choice(found[-12:])
            yield duplicates(ground, rival, rng.choice((1, 2) if decoy else (2, 3)), 0)
    elif kind == "pollution":
        for strength in (2, 1) if decoy else (1,):
            style = rng.choice(("appended", "repeated", "sprinkled"))
            yield ground.adding("pollution", f"{style}, one page", stuffed(ground, 1, style, strength, [ground.question.text]))
    elif kind == "chunk_split":
        yield from cut_elsewhere(ground, rng)
    elif kind == "split survived":
        yield from chunk_split(ground)
    elif kind == "diluted":
        yield from _merged(ground)
    elif kind == "query_mismatch":
        yield from query_mismatch(ground)


def _merged(ground: Ground) -> Iterator[Edit]:
    """The passage's chunk merged with a neighbour."""
    chunks = ground.world.on(ground.passage.page)
    i = chunks.index(ground.holder(ground.passage))
    if i + 1 < len(chunks):
        yield recut("diluted", "with the next", chunks[i : i + 2], [Span(chunks[i].page, chunks[i].start, chunks[i + 1].end)])
