"""Oddities that do no harm: herrings beside a fault, decoys on a healthy question."""

from __future__ import annotations

from collections.abc import Iterator

from .additions import METADATA, contradictions, duplicates, stuffed, versions
from .asking import query_mismatch
from .cuts import chunk_split, cut_elsewhere, recut, too_small
from .ground import Ground
from .records import Edit, Span
from .turns import follow_up, idle_history, misspelt

WIDE = "wide label"
HERRINGS = ("stale", "crowded_out", "pollution", "chunk_split", "conflicting", "misspelt", "follow_up")
DECOYS = (*HERRINGS, "split survived", "diluted", "query_mismatch", "too_small", "asked shortly", WIDE, WIDE)


def oddity(ground: Ground, kind: str) -> Iterator[Edit]:
    """Edits of a kind that may well do no harm, the boldest first; whether they do is verified."""
    rng = ground.rng
    if kind == "stale":
        how = rng.choice(METADATA)
        for count, closeness in ((2, 1), (1, rng.choice((1, 2))), (1, 0)):
            yield versions(ground, ground.passage, how, count, closeness)
    elif kind == "conflicting":
        for count, closeness in ((2, 1), (1, rng.choice((1, 2))), (1, 0)):
            yield contradictions(ground, count, closeness)
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
    elif kind in QUIET:
        yield from QUIET[kind](ground)


def _wide(ground: Ground) -> Iterator[Edit]:
    """A label wider than its answer: it runs on into the next chunk, or starts in the one before."""
    answer, passage = ground.question.answer.strip(), ground.passage
    if not answer or answer not in ground.text(passage) or len(ground.question.passages) > 1:
        return
    page, text = passage.page, ground.world.pages[passage.page].text
    chunks = ground.world.on(page)
    i = chunks.index(ground.holder(passage))
    on = chunks[i + 1] if i + 1 < len(chunks) else chunks[i]
    back = chunks[i - 1] if i else chunks[i]
    for wide in (Span(page, passage.start, (on.start + on.end) // 2), Span(page, (back.start + back.end) // 2, passage.end)):
        if wide != passage and wide.holds(passage) and text[wide.start : wide.end].count(answer) == 1:
            yield Edit(WIDE, "after" if wide.start == passage.start else "before", groups=((wide,),))


def _merged(ground: Ground) -> Iterator[Edit]:
    """The passage's chunk merged with a neighbour."""
    chunks = ground.world.on(ground.passage.page)
    i = chunks.index(ground.holder(ground.passage))
    if i + 1 < len(chunks):
        yield recut("diluted", "with the next", chunks[i : i + 2], [Span(chunks[i].page, chunks[i].start, chunks[i + 1].end)])


QUIET = {
    "query_mismatch": query_mismatch,
    "misspelt": misspelt,
    "follow_up": idle_history,
    "asked shortly": follow_up,
    "too_small": too_small,
    WIDE: _wide,
}
