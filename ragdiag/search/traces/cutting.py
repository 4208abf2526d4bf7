"""Texts of which a trace has no more than the beginning: tracers limit the length of what they record.

Few mark such a text. But where a limit holds for all that is recorded, the longest of the other texts is as long as the longest
of the documents; and where an application cut what it handed to its tracer, several documents are as long as the longest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ragdiag.core.records import StoredChunk
from ragdiag.search.traces.steps import Step
from ragdiag.sources.begun import mark_of
from ragdiag.sources.stored import HintedChunk

__all__ = ["with_cuts"]

SHORTEST = 100
"""Characters: nobody limits texts to fewer."""


def with_cuts(steps: Sequence[Step]) -> tuple[list[Step], int]:
    """The steps, with the documents marked that may go on where they end, and the length at which all texts were cut.

    That is 0 where no limit held.
    """
    texts = {chunk.text for step in steps for chunk in _documents(step)}
    longest = max(map(len, texts), default=0)
    limit = longest if longest >= SHORTEST and longest == max((step.longest for step in steps), default=0) else 0
    several = sum(len(text) == longest for text in texts) > 1
    length = longest if limit or (several and longest >= SHORTEST) else -1
    return [_marked(step, length) for step in steps], limit


def _documents(step: Step) -> Iterator[StoredChunk]:
    yield from step.given or ()
    yield from step.gave or ()


def _marked(step: Step, length: int) -> Step:
    given, gave = (None if of is None else tuple(_begun(chunk, length) for chunk in of) for of in (step.given, step.gave))
    return replace(step, given=given, gave=gave)


def _begun(chunk: StoredChunk, length: int) -> StoredChunk:
    cut = len(chunk.text) == length or mark_of(chunk.text) != ""
    return replace(chunk, cut=True) if cut and isinstance(chunk, HintedChunk) else chunk
