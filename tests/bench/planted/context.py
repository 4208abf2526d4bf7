"""Chunks that do not say what they belong to: the subject stands in the title, a heading or the text before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .ground import Ground, cut
from .records import Edit, Page, Span
from .text import changed_values, lightly_edited, words
from .turns import telling, without_words

INTRODUCTIONS = ("This part is about {}.", "What follows concerns {}.", "In this section: {}.", "Here we turn to {}.")
PLACES = ("title", "heading", "neighbour")


def contextless(ground: Ground) -> Iterator[Edit]:
    """Ever more of the subject's words taken out of the chunk and left round it, beside ever more documents of its kind."""
    chunks = ground.world.on(ground.passage.page)
    if len(ground.group) > 1 or not ground.alone(chunks):
        return
    named = set(words(ground.title(ground.passage.page))) | {
        w.lower() for w in re.findall(r"\b[A-Z]\w+", ground.question.text[1:])
    }
    nouns = [w for w in telling(ground) if len(w) > 3 and not w.endswith(("ed", "ing", "ly", "ive", "ous", "ful"))]
    found = sorted(nouns, key=lambda w: w not in named)
    place = ground.rng.choice(PLACES if chunks.index(ground.holder(ground.passage)) else PLACES[:1])
    for kin in (0, 5, 8, 11):
        for count in sorted({2, 3, max(len(found) - 1, 1), len(found)} & set(range(1, len(found) + 1))):
            yield from _taken_out(ground, found[:count], place, kin)


def _taken_out(ground: Ground, subject: Sequence[str], place: str, kin: int) -> Iterator[Edit]:
    """The page anew without `subject` in the evidence's chunk, and `kin` documents of the same kind."""
    rng, passage, page = ground.rng, ground.passage, ground.world.pages[ground.passage.page]
    chunk = ground.holder(passage)
    parts = [page.text[chunk.start : passage.start], ground.text(passage), page.text[passage.end : chunk.end]]
    parts = [without_words(part, subject) for part in parts]
    if "".join(parts) == ground.text(chunk) or (parts[1] != ground.text(passage) and len(parts[1].split()) < 4):
        return
    name = _named(ground, subject)
    told = page.title if set(subject) <= set(words(page.title)) else f"{page.title}: {name}"
    context, title = {
        "title": (told, told),
        "heading": (f"# {name}", page.title),
        "neighbour": (rng.choice(INTRODUCTIONS).format(name), page.title),
    }[place]
    new, spans, where = _anew(ground, chunk, parts, "" if place == "title" else context, place == "heading")
    anew = Page(ground.name(page.id), new, title, page.metadata)
    spans = [Span(anew.id, a, b) for a, b in spans]
    siblings = list(_siblings(ground, parts, kin))
    if any(new[slice(*where)].strip() in s.text for s in siblings):
        return
    yield Edit(
        "contextless",
        f"{place}, {len(subject)} words" + (f", {kin} of its kind" if kin else ""),
        (anew, *siblings),
        frozenset(spans) | {span for page in siblings for span in cut(page)},
        frozenset(ground.world.on(page.id)),
        gone=frozenset({page.id}),
        groups=tuple((Span(anew.id, *where),) if g == ground.group else g for g in ground.question.groups),
        context=context,
    )


def _named(ground: Ground, subject: Sequence[str]) -> str:
    """The subject as the question writes it."""
    cased = {w.lower(): w for w in re.findall(r"\w+", ground.question.text)}
    named = " ".join(cased.get(w, w) for w in ground.terms if w in subject)
    return named[:1].upper() + named[1:]


def _anew(
    ground: Ground, chunk: Span, parts: Sequence[str], said: str, on_top: bool
) -> tuple[str, list[tuple[int, int]], tuple[int, int]]:
    """The page's text with these parts for the chunk and `said` on top or before it; its chunks; where the passage now is."""
    text, spans, where = "", [], (0, 0)
    chunks = ground.world.on(chunk.page)
    before = chunks[chunks.index(chunk) - 1] if chunk != chunks[0] else None
    whole = ground.world.pages[chunk.page].text
    for last, old in zip([0, *(c.end for c in chunks)], chunks, strict=False):
        text += whole[last : old.start]
        start = len(text)
        if said and on_top and old == chunks[0]:
            text += f"{said}\n\n"
        if old == chunk:
            where = start + len(parts[0]), start + len(parts[0]) + len(parts[1])
            text += "".join(parts)
        else:
            text += ground.text(old)
        if said and not on_top and old == before:
            text = f"{text.rstrip()} {said}\n"
        spans.append((start, len(text)))
    return text, spans, where


def _siblings(ground: Ground, parts: Sequence[str], count: int) -> Iterator[Page]:
    """Documents on other things with the same text but for what it says."""
    rng = ground.rng
    titles = [p.title for p in ground.world.pages.values() if p.id != ground.passage.page and p.title]
    for title in rng.sample(titles, min(count, len(titles))):
        text = lightly_edited("".join(changed_values(p, rng) if p.strip() else p for p in parts), rng).strip()
        yield Page(ground.name(ground.passage.page), f"{text}\n", title)
