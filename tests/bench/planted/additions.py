"""Faults of pages that should not be there: superseded versions, near-duplicates, stuffed pages of another subject."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .ground import Ground
from .records import Edit, Page, Span
from .text import changed_values, content_words, lightly_edited, likeness, sentences, shorten, sprinkle

METADATA = ("flag", "family", "flag and title", "date")
HEADINGS = ("On {}", "About {}", "Notice: {}", "Topic: {}", "{}", "In brief: {}")


def stale(ground: Ground) -> Iterator[Edit]:
    """Superseded versions of the passage, ever closer to the query's words."""
    if len(ground.group) > 1:
        return
    how = ground.rng.choice(METADATA)
    count = 6 - ground.deepest + ground.rng.choice((1, 2, 3))
    for closeness in range(ground.rng.choice((0, 0, 1, 2)), 4):
        yield versions(ground, ground.passage, how, count, closeness)


def versions(ground: Ground, passage: Span, how: str, count: int, closeness: int) -> Edit:
    """An edit that adds `count` older versions of the text round a passage."""
    rng, page = ground.rng, ground.world.pages[passage.page]
    olds = [_old_text(ground, passage, closeness) for _ in range(count)]
    titles = page.title if how != "flag" or rng.random() < 0.5 else f"{page.title} (archived)"
    old_metadata, now = _version_metadata(how, page.id, count, rng)
    pages = [Page(ground.name(page.id), t, titles, m) for t, m in zip(olds, old_metadata, strict=True)]
    return ground.adding("stale", f"{how}, closeness {closeness}", pages, {page.id: {**page.metadata, **now}})


def _version_metadata(
    how: str, current: str, count: int, rng: random.Random
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """What the metadata of older versions and of the current one say, in one of the ways that teams say it."""
    if how == "flag":
        return [{"superseded": True, "superseded_by": current}] * count, {"superseded": False}
    if how == "family":
        family = f"family-{rng.getrandbits(20):05x}"
        return [{"family": family, "version": n + 1} for n in range(count)], {"family": family, "version": count + 1}
    if how == "flag and title":
        return [{"superseded": True}] * count, {}
    months = sorted(rng.sample(range(1, 90), count))
    return [{"date": f"{2013 + m // 12}-{m % 12 + 1:02}-{m % 27 + 1:02}"} for m in months], {"date": "2023-06-15"}


def _old_text(ground: Ground, passage: Span, closeness: int) -> str:
    """The passage's chunk as it once read: other values, and a heading nearer to the query."""
    rng, chunk = ground.rng, ground.holder(passage)
    text = ground.world.pages[passage.page].text
    before, after = text[chunk.start : passage.start], text[passage.end : chunk.end]
    if closeness >= 2:
        before, after = before[-160:].partition(" ")[2], after[:160].rpartition(" ")[0]
    parts = [changed_values(part, rng) if part.strip() else part for part in (before, text[passage.start : passage.end], after)]
    body = "".join(parts).strip()
    if closeness == 0:
        return body
    heading = rng.choice(HEADINGS).format(" ".join(ground.terms))
    if closeness == 1:
        return f"{heading}\n\n{body}"
    return f"{ground.question.text}\n\n{body}" + (f"\n\n{heading}" if closeness == 3 else "")


def crowded_out(ground: Ground) -> Iterator[Edit]:
    """Near-duplicates of a competing chunk, made to rank above the evidence."""
    if ground.deepest > 4:
        return
    passages = [ground.text(c) for c in ground.world.holders(ground.question)]
    rivals = [c for c in ground.competitors(10) if max(likeness(ground.text(c), p) for p in passages) < 0.2]
    if not rivals:
        return
    count = 6 - ground.deepest + ground.rng.choice((1, 2))
    rival = rivals[0] if ground.rng.random() < 0.6 else ground.rng.choice(rivals)
    for closeness in range(ground.rng.choice((0, 1, 1, 2)), 4):
        yield duplicates(ground, rival, count, closeness)


def duplicates(ground: Ground, rival: Span, count: int, closeness: int) -> Edit:
    """An edit that adds lightly edited copies of a chunk."""
    rng = ground.rng
    terms = " ".join(ground.terms)
    heading = ("", rng.choice(HEADINGS).format(terms), ground.question.text, f"{ground.question.text} {terms}")[closeness]
    body = ground.text(rival).strip()
    if closeness >= 2:
        body = " ".join((sentences(body) or [body])[:4])
    texts = [f"{heading}\n\n{lightly_edited(body, rng)}".strip() for _ in range(count)]
    pages = [Page(ground.name(rival.page), t, f"{ground.title(rival.page)} (copy {n})") for n, t in enumerate(texts, 1)]
    return ground.adding("crowded_out", f"closeness {closeness}", pages)


def pollution(ground: Ground) -> Iterator[Edit]:
    """Pages of another subject stuffed with the query's words, ever more heavily."""
    style = ground.rng.choice(("appended", "repeated", "sprinkled", "mixed"))
    count = 6 - ground.deepest + ground.rng.choice((2, 3, 4))
    for strength in range(ground.rng.choice((1, 1, 2)), 4):
        yield ground.adding(
            "pollution", f"{style}, strength {strength}", stuffed(ground, count, style, strength, [ground.question.text])
        )


def stuffed(ground: Ground, count: int, style: str, strength: int, queries: Sequence[str]) -> list[Page]:
    """`count` pages of other sets, each stuffed with the words of `queries`."""
    rng = ground.rng
    pages = []
    for text in rng.sample(ground.foreign, count):
        text = shorten(text, rng.randint(35, 80) // (1 + strength // 3), rng)
        for query in queries:
            text = _stuffed(
                text, query, rng.choice(("appended", "repeated", "sprinkled")) if style == "mixed" else style, strength, rng
            )
        pages.append(Page(ground.name(rng.choice(list(ground.world.pages))), text, " ".join(text.split()[:4])))
    return pages


def _stuffed(text: str, query: str, style: str, strength: int, rng: random.Random) -> str:
    terms = content_words(query) or query.split()
    if style == "appended":
        return f"{text} {' '.join([query] * strength)}"
    if style == "repeated":
        block = " ".join(" ".join(rng.sample(terms, len(terms))) for _ in range(strength + 1))
        return f"{block}. {text}" if rng.random() < 0.5 else f"{text} {block}."
    spread = sprinkle(text, terms, rng, strength)
    return f"{query} {spread}" if strength > 1 else spread
