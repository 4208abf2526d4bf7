"""Which of the retrieved texts a prompt held, where that can be told safely: word for word."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.core.records import StoredChunk

__all__ = ["UNSURE", "prompted"]

PIECE = 32
"""Characters of a text in a row by which a part of it is known in a prompt."""

SHORTEST = 20
"""Characters: shorter texts may stand in a prompt for another reason."""

UNSURE: tuple[StoredChunk, ...] = ()
"""What is told of prompts that have texts otherwise than they were retrieved, or in part; no prompt that is told has no text."""


def prompted(chunks: Sequence[StoredChunk], prompts: Sequence[str]) -> tuple[StoredChunk, ...] | None:
    """The chunks that a model was given, in the order of its prompt; None where no prompt has anything of any of them.

    `UNSURE` where a prompt has a part of a text that it does not have whole, or where prompts differ in what they hold.
    """
    held = {found for prompt in prompts if (found := _held(chunks, " ".join(prompt.split()))) is not None}
    if not held:
        return None
    return held.pop() if len(held) == 1 else UNSURE


def _held(chunks: Sequence[StoredChunk], prompt: str) -> tuple[StoredChunk, ...] | None:
    places, missing, rest = list[tuple[int, StoredChunk]](), list[str](), prompt
    for chunk in chunks:
        text = " ".join(chunk.text.split())
        at = prompt.find(text) if len(text) >= SHORTEST else -1
        if at < 0:
            missing.append(text)
        else:
            places.append((at, chunk))
            rest = rest.replace(text, " ")
    if any(_in_part(text, rest) for text in missing):
        return UNSURE
    if not places:
        return None
    short = any(len(text) < SHORTEST for text in missing)
    return UNSURE if short else tuple(chunk for _, chunk in sorted(places, key=lambda each: each[0]))


def _in_part(text: str, prompt: str) -> bool:
    """Whether a prompt has some of a text, which it does not have whole."""
    last = max(len(text) - PIECE, 0)
    starts = [*range(0, last, PIECE // 2), last]
    return any(len(piece) >= SHORTEST and piece in prompt for piece in (text[start : start + PIECE] for start in starts))
