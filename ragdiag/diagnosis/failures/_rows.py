"""How failure modes show chunks and passages, as rows of a finding: a few, each with its rank and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ragdiag.core.proofs import Row
from ragdiag.text.phrases import counted, one_line

__all__ = ["EXCERPT", "MOST", "at", "beginning", "chunk_rows", "left_out"]

MOST = 3
"""Chunks, clusters or passages of one finding shown."""

EXCERPT = 90
"""Characters shown of a chunk in a list."""

Described = Mapping[str, object]
"""A chunk as `_passages.described` gives it, with what a mode adds."""


def chunk_rows(label: str, chunks: Sequence[Described], beside: Callable[[Described], str]) -> Iterator[Row]:
    """Chunks one below another: rank, name, what is said `beside` it, how it begins."""
    for i, chunk in enumerate(chunks[:MOST]):
        rank = (f"rank {chunk['rank'] or '?'} ", "strong")
        yield Row.of("" if i else label, rank, f"{chunk['chunk']}{beside(chunk)} ", beginning(chunk))
    yield from left_out(chunks, "chunk")


def left_out(items: Sequence[object], what: str) -> Iterator[Row]:
    """How many more there are than are shown."""
    if len(items) > MOST:
        yield Row.of("", (f"and {counted(len(items) - MOST, 'more ' + what)}", "dim"))


def beginning(chunk: Described) -> tuple[str, str]:
    """How a chunk's text begins."""
    return one_line(str(chunk["text"]), EXCERPT), "dim"


def at(rank: int | None) -> str:
    """A rank in words."""
    return f"rank {rank}" if rank else "too low to be ranked"
