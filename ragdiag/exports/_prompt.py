"""What an exported pipeline puts into the prompt, in plain Python: see `_ranking`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, takewhile

from ragdiag.exports._ranking import Chunk, Hit
from ragdiag.text.tokens import count_tokens


def within_budget(hits: list[Hit], chunks: list[Chunk], budget: int) -> list[Hit]:
    """The first hits that fit in `budget` tokens, but one at least."""
    tokens = 0
    for i, hit in enumerate(hits):
        tokens += count_tokens(chunks[hit.chunk].text)
        if i and tokens > budget:
            return hits[:i]
    return hits


def within_budget_once(hits: list[Hit], chunks: list[Chunk], budget: int) -> list[Hit]:
    """The first hits that fit in `budget` tokens, but one at least.

    What several of them hold counts once.
    """
    tokens = 0
    for i, hit in enumerate(hits):
        chunk, above = chunks[hit.chunk], [chunks[other.chunk] for other in hits[:i]]
        for start, end in uncovered(chunk, above):
            text = chunk.text[start - chunk.start : end - chunk.start]
            tokens += count_tokens(text)
        if i and tokens > budget:
            return hits[:i]
    return hits


def uncovered(chunk: Chunk, others: list[Chunk]) -> list[tuple[int, int]]:
    """The stretches of a chunk that none of the others holds."""
    gaps = [(chunk.start, chunk.end)]
    for other in others:
        if other.doc_id == chunk.doc_id:
            before = [(a, min(b, other.start)) for a, b in gaps]
            behind = [(max(a, other.end), b) for a, b in gaps]
            gaps = sorted((a, b) for a, b in before + behind if a < b)
    return gaps


def neighbours(
    chunk: int,
    chunks: list[Chunk],
    before: int = 1,
    after: int = 1,
) -> list[int]:
    """The chunk with those before and after it in its document."""
    near = range(max(chunk - before, 0), min(chunk + after + 1, len(chunks)))
    return [i for i in near if chunks[i].doc_id == chunks[chunk].doc_id]


def siblings(chunk: int, chunks: list[Chunk]) -> list[int]:
    """All chunks of the parent that a chunk is part of: they stand in a row."""
    parent = chunks[chunk].metadata["parent"]
    family = [chunk]
    for row in (range(chunk - 1, -1, -1), range(chunk + 1, len(chunks))):
        family += takewhile(lambda i: chunks[i].metadata["parent"] == parent, row)
    return family


def alone(chunk: int, chunks: list[Chunk]) -> list[int]:
    """The chunk and no other."""
    return [chunk]


def widened(
    hits: list[Hit],
    chunks: list[Chunk],
    around: Callable[[int, list[Chunk]], list[int]],
) -> Iterator[list[Hit]]:
    """For each hit itself, then what is around it, the nearest first; nothing twice."""
    seen = set[int]()
    for hit in hits:
        near = around(hit.chunk, chunks)
        near.sort(key=lambda chunk: (abs(chunk - hit.chunk), -chunk))
        new = [Hit(chunk, hit.score) for chunk in near if chunk not in seen]
        seen.update(near)
        if new:
            yield new


def flat(passages: Iterable[list[Hit]], k: int | None = None) -> list[Hit]:
    """The hits of all passages, or of the first `k`."""
    return [hit for passage in islice(passages, k) for hit in passage]


def joined(hits: list[Hit], chunks: list[Chunk]) -> list[Chunk]:
    """What touches or overlaps as one, in the place of the first of it."""
    rank = {hit.chunk: i for i, hit in enumerate(hits)}
    found = list[tuple[int, Chunk]]()
    for i in sorted(rank):
        chunk = chunks[i]
        at, last = found[-1] if found else (0, chunk)
        if found and last.doc_id == chunk.doc_id and chunk.start <= last.end:
            text = last.text + chunk.text[last.end - chunk.start :]
            whole = last._replace(end=max(last.end, chunk.end), text=text)
            found[-1] = (min(at, rank[i]), whole)
        else:
            found.append((rank[i], chunk))
    return [chunk for _, chunk in sorted(found, key=lambda pair: pair[0])]
