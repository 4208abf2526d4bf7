"""Faults of where the text is cut: evidence left out, split, past the encoder's limit, lost in a big chunk."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from .ground import Ground
from .records import Edit, Span
from .search import READ

MOST_DENSE = 420  # word pieces of a diluted chunk that an encoder reads: half of it is still read whole


def recut(kind: str, style: str, old: Iterable[Span], new: Iterable[Span]) -> Edit:
    """An edit that puts chunks in the place of others."""
    old, new = frozenset(old), frozenset(new)
    return Edit(kind, style, added=new - old, removed=old - new)


def missing_content(ground: Ground) -> Iterator[Edit]:
    """The chunks of one group, or its whole page, are not indexed."""
    world = ground.world
    holders = {c for p in ground.group for c in world.on(p.page) if c.meets(p)}
    page = frozenset(c for p in ground.group for c in world.on(p.page))
    if ground.rng.random() < 0.35:
        yield Edit("missing_content", "page", removed=page)
    yield Edit("missing_content", "chunk", removed=frozenset(holders))


def chunk_split(ground: Ground) -> Iterator[Edit]:
    """A boundary in the middle 60 % of the passage, its neighbours cut anew at about the same length."""
    if len(ground.group) > 1:
        return
    passage = ground.passage
    for style, at in _boundaries(ground):
        edit = split_at(ground, passage, at, style)
        if passage.start < at < passage.end and ground.alone(edit.removed):
            yield edit


def _boundaries(ground: Ground) -> list[tuple[str, int]]:
    """Where a passage may be cut: between its sentences, at a line of a list, within a sentence; never within a word."""
    rng, passage = ground.rng, ground.passage
    text, length = ground.text(passage), passage.end - passage.start
    inner = range(round(0.15 * length), round(0.85 * length))
    ends = {"between sentences": r"[.!?]\s+", "at a line": r"\n+(?=\s*(?:[-*•|]|\d+[.)]|\w))", "at a clause": r"[,;:]\s+"}
    found = [(style, passage.start + m.end()) for style, end in ends.items() for m in re.finditer(end, text) if m.end() in inner]
    rng.shuffle(found)
    within = [("within a sentence", _space_near(ground, passage.start + round(length * rng.uniform(0.2, 0.8)))) for _ in range(3)]
    return found[:3] + within if rng.random() < 0.6 else within + found[:3]


def split_at(ground: Ground, passage: Span, at: int, style: str) -> Edit:
    """The chunks round a passage, cut at `at` and anew on both sides."""
    chunks = ground.world.on(passage.page)
    i = chunks.index(ground.holder(passage))
    old = chunks[max(i - 1, 0) : i + 2]
    size = sum(c.end - c.start for c in old) / len(old)
    first, last = old[0].start, old[-1].end
    new = [*_pieces(ground, passage.page, first, at, size), *_pieces(ground, passage.page, at, last, size)]
    return recut("chunk_split", style, old, new)


def _pieces(ground: Ground, page: str, start: int, end: int, size: float) -> Iterator[Span]:
    """A stretch cut between words into pieces of about `size`."""
    count = max(1, round((end - start) / size))
    edges = [start, *(_space_near(ground, start + round(n * (end - start) / count), page) for n in range(1, count)), end]
    for a, b in pairwise(edges):
        if a < b and ground.world.pages[page].text[a:b].strip():
            yield Span(page, a, b)


def _space_near(ground: Ground, at: int, page: str = "") -> int:
    """The position of the first word that starts at or after `at`."""
    text = ground.world.pages[page or ground.passage.page].text
    while at < len(text) and not text[at].isspace():
        at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def truncated(ground: Ground) -> Iterator[Edit]:
    """The passage's chunk merged with those before it, until the encoder never reaches the passage."""
    if ground.retriever == "bm25" or len(ground.group) > 1:
        return
    passage, chunks = ground.passage, ground.world.on(ground.passage.page)
    text = ground.world.pages[passage.page].text
    i = chunks.index(ground.holder(passage))
    enough = [j for j in range(i) if ground.ranker.pieces(text[chunks[j].start : passage.start]) > READ]
    for j in enough[::-1][:3]:
        last = min(i + ground.rng.choice((0, 0, 1)), len(chunks) - 1)
        old = chunks[j : last + 1]
        if ground.alone(old):
            yield recut("truncated", f"{i - j} before, {last - i} after", old, [Span(passage.page, old[0].start, old[-1].end)])


def diluted(ground: Ground) -> Iterator[Edit]:
    """The passage as at most a fifth of a bigger chunk, where the encoder still reads it."""
    if len(ground.group) > 1:
        return
    chunks = ground.world.on(ground.passage.page)
    i = chunks.index(ground.holder(ground.passage))
    plans = _plans(ground, chunks, i) if ground.retriever == "bm25" else _read_plans(ground, chunks, i)
    yield from (edit for edit in plans if ground.alone(edit.removed))


def _plans(ground: Ground, chunks: list[Span], i: int) -> Iterator[Edit]:
    """Merged with neighbours on both sides, ever more of them."""
    passage = ground.passage
    length = passage.end - passage.start
    for around in (1, 2, 3, 4, 6):
        a, b = max(i - around, 0), min(i + around, len(chunks) - 1)
        merged = Span(passage.page, chunks[a].start, chunks[b].end)
        if b > a and length <= 0.2 * (merged.end - merged.start):
            yield recut("diluted", f"merged {b - a + 1}", chunks[a : b + 1], [merged])


def _read_plans(ground: Ground, chunks: list[Span], i: int) -> Iterator[Edit]:
    """Merged so that the passage lies late in what the encoder reads."""
    passage = ground.passage
    text, pieces = ground.world.pages[passage.page].text, ground.ranker.pieces
    length = passage.end - passage.start
    for before in (225, 190, 150, 90):
        start = _start_before(ground, chunks[max(i - 3, 0)].start, before)
        a = next(n for n, c in enumerate(chunks) if c.end > start)
        for b in range(i, min(i + 4, len(chunks))):
            merged = Span(passage.page, start, chunks[b].end)
            size = pieces(text[start : merged.end])
            if length > 0.2 * (merged.end - start) or size <= READ:
                continue
            if size <= MOST_DENSE and pieces(text[start : passage.end]) < READ - 8:
                left = [Span(passage.page, chunks[a].start, start)] if chunks[a].start < start else []
                yield recut("diluted", f"{before} pieces before", chunks[a : b + 1], [*left, merged])
            break


def _start_before(ground: Ground, least: int, pieces: int) -> int:
    """Where a word starts such that about `pieces` word pieces lie between it and the passage."""
    passage = ground.passage
    text = ground.world.pages[passage.page].text
    spent = pieces - max(0, ground.ranker.pieces(text[passage.start : passage.end]) - 30)
    encoded = ground.ranker.tokenizer.encode(text[least : passage.start], add_special_tokens=False).offsets
    if len(encoded) <= spent:
        return least
    return min(_space_near(ground, least + encoded[len(encoded) - max(spent, 1)][0]), passage.start)


def too_small(ground: Ground) -> Iterator[Edit]:
    """The chunks round the passage cut into single sentences, or two; the passage's own stay whole in one."""
    if len(ground.group) > 1:
        return
    passage, chunks = ground.passage, ground.world.on(ground.passage.page)
    i = chunks.index(ground.holder(passage))
    for around, beside in ((1, 1), (1, 0), (0, 0), (2, 0)):
        old = chunks[max(i - around, 0) : i + around + 1]
        starts = [*_sentence_starts(ground, old[0].start, old[-1].end), old[-1].end]
        first = max(n for n, at in enumerate(starts) if at <= passage.start)
        last = next(n for n, at in enumerate(starts) if at >= passage.end)
        middle = Span(passage.page, starts[first], starts[min(last + beside, len(starts) - 1)])
        if middle.end - middle.start > 0.5 * (chunks[i].end - chunks[i].start) or not ground.alone(old):
            continue
        left, right = [s for s in starts if s <= middle.start], [s for s in starts if s >= middle.end]
        rest = [Span(passage.page, *pair) for side in (left, right) for pair in pairwise(side)]
        yield recut("too_small", f"{'two sentences' if beside else 'a sentence'}, {len(old)} chunks", old, [middle, *rest])


def _sentence_starts(ground: Ground, start: int, end: int) -> list[int]:
    """Where sentences of at least a few words begin in a stretch of the passage's page."""
    text = ground.world.pages[ground.passage.page].text
    starts = [start]
    for match in re.finditer(r"[.!?]\s+(?=[A-Z0-9\"(])|\n+", text[start:end]):
        at = start + match.end()
        if at < end and len(text[starts[-1] : at].split()) > 3:
            starts.append(at)
    return starts


def cut_elsewhere(ground: Ground, rng: random.Random) -> Iterator[Edit]:
    """A cut through a sentence of the same page that is no part of the evidence."""
    passages = ground.question.passages
    chunks = ground.world.on(ground.passage.page)
    pairs = [n for n in range(len(chunks) - 1) if not any(c.meets(p) for p in passages for c in chunks[n : n + 2])]
    for n in rng.sample(pairs, min(2, len(pairs))):
        a, b = chunks[n : n + 2]
        at = _space_near(ground, b.start + (b.end - b.start) // 4)
        if at < b.end:
            yield recut("chunk_split", "elsewhere", (a, b), (Span(a.page, a.start, at), Span(a.page, at, b.end)))
