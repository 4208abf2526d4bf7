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


def oddity(ground: Ground, kind: str) -> Iterator[Edit]:
    """Edits of a kind that may well do no harm, the boldest first; whether they do is verified."""
    rng = ground.rng
    if kind == "stale":
        how = rng.choice(("flag", "family", "flag and title"))
        for count, closeness in ((2, 1), (1, rng.choice((1, 2))), (1, 0)):
            yield versions(ground, ground.passage, how, count, closeness)
    elif kind == "crowded_out":
        near, far = ground.competitors(5), ground.competitors(40)[-12:]
        for rivals, count in ((near, 2), (near, 1), (far, 2)):
            if rivals and (count == 1 or rng.random() < 0.8):
                yield duplicates(ground, rng.choice(rivals), count, rng.choice((0, 1)) if rivals is near else 0)
    elif kind == "pollution":
        style = rng.choice(("appended", "repeated", "sprinkled"))
        for count, strength in ((2, 2), (1, 2), (1, 1)):
            yield ground.adding(
                "pollution", f"{style}, {count} page(s)", stuffed(ground, count, style, strength, [ground.question.text])
            )
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
