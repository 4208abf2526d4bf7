"""Faults of pages that should not be there: old versions, contradictions, near-duplicates, stuffed pages of another subject."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from .ground import Ground
from .records import Edit, Page, Span
from .text import changed_values, content_words, lightly_edited, likeness, sentences, shorten, sprinkle

METADATA = ("flag", "family", "flag and title", "edition", "path", "front matter", "day", "day", "day", "day")
DAYS = ("date", "updated", "last_modified", "published", "effective_from", "lastmod", "modified", "valid_from", "as_of")
MONTH_NAMES = "January February March April May June July August September October November December".split()
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
    titles, now_title = [page.title] * count, page.title
    if how == "flag" and rng.random() < 0.5:
        titles = [f"{page.title} (archived)"] * count
    if how == "edition":
        form = rng.choice(("{} ({} edition)", "{} - version {}", "{} {}", "{} (as of {})", "{} v{}"))
        first = rng.randint(2012, 2014) if "edition" in form or "as of" in form or form == "{} {}" else 1
        titles = [form.format(page.title, first + n) for n in range(count)]
        now_title = form.format(page.title, first + count)
    old_metadata, now, said = _version_metadata(how, page.id, count, rng)
    if how == "front matter":
        olds = [f"---\n{said}: {m.pop(said)}\n---\n\n{t}" for t, m in zip(olds, old_metadata, strict=True)]
    pages = [Page(ground.name(page.id), t, title, m) for t, title, m in zip(olds, titles, old_metadata, strict=True)]
    edit = ground.adding("stale", f"{said or how}, closeness {closeness}", pages, {page.id: {**page.metadata, **now}})
    return replace(edit, titles={page.id: now_title}) if now_title != page.title else edit


def _version_metadata(how: str, current: str, count: int, rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """What the metadata of older versions and of the current one say, in one of the ways that teams say it; under which name."""
    if how == "flag":
        return [{"superseded": True, "superseded_by": current} for _ in range(count)], {"superseded": False}, ""
    if how == "family":
        family = f"family-{rng.getrandbits(20):05x}"
        return [{"family": family, "version": n + 1} for n in range(count)], {"family": family, "version": count + 1}, ""
    if how == "flag and title":
        return [{"superseded": True} for _ in range(count)], {}, ""
    if how == "edition":
        return [{} for _ in range(count)], {}, ""
    if how == "path":
        name, key = current.split("/")[-1].lower(), rng.choice(("path", "url", "source"))
        form = rng.choice(("/docs/v{}/" + name, "manuals/" + name + "_v{}.md", "https://docs.example.com/{}.0/" + name))
        return [{key: form.format(n + 1)} for n in range(count)], {key: form.format(count + 1)}, key
    key = "updated" if how == "front matter" and rng.random() < 0.5 else rng.choice(DAYS)
    write = rng.choice((_iso, _iso, _iso_time, _spelled))
    months = sorted(rng.sample(range(1, 90), count))
    return [{key: write(2013 + m // 12, m % 12 + 1, m % 27 + 1)} for m in months], {key: write(2023, 6, 15)}, key


def _iso(year: int, month: int, day: int) -> str:
    return f"{year}-{month:02}-{day:02}"


def _iso_time(year: int, month: int, day: int) -> str:
    return f"{year}-{month:02}-{day:02}T09:30:00Z"


def _spelled(year: int, month: int, day: int) -> str:
    return f"{MONTH_NAMES[month - 1]} {day}, {year}"


def _old_text(ground: Ground, passage: Span, closeness: int) -> str:
    """The passage's chunk as it once read: other values, and a heading nearer to the query."""
    rng, chunk = ground.rng, ground.holder(passage)
    text = ground.world.pages[passage.page].text
    before, after = text[chunk.start : passage.start], text[passage.end : chunk.end]
    if closeness >= 2:
        before, after = before[-160:].partition(" ")[2], after[:160].rpartition(" ")[0]
    parts = [changed_values(part, rng) if part.strip() else part for part in (before, text[passage.start : passage.end], after)]
    body = "".join(parts).strip()
    answer = ground.question.answer.strip()
    if answer and answer in body:
        body = body.replace(answer, changed_values(answer, rng))
    if closeness == 0:
        return body
    heading = rng.choice(HEADINGS).format(" ".join(ground.terms))
    if closeness == 1:
        return f"{heading}\n\n{body}"
    return f"{ground.question.text}\n\n{body}" + (f"\n\n{heading}" if closeness == 3 else "")


def conflicting(ground: Ground) -> Iterator[Edit]:
    """Other pages that say nearly the same with other values, and nothing says which is right."""
    if len(ground.group) > 1:
        return
    count = 6 - ground.deepest + ground.rng.choice((1, 2, 3))
    for closeness in range(ground.rng.choice((0, 0, 1, 2)), 4):
        yield contradictions(ground, count, closeness)


def contradictions(ground: Ground, count: int, closeness: int) -> Edit:
    """An edit that adds pages with other values than the passage's, undated."""
    rng, page = ground.rng, ground.world.pages[ground.passage.page]
    others = rng.choice(((page.title,), (page.title, f"{page.title} (copy)"), ("",), ("Notes", "Handout", "From the wiki")))
    texts = [_old_text(ground, ground.passage, closeness) for _ in range(count)]
    pages = [Page(ground.name(page.id), text, rng.choice(others)) for text in dict.fromkeys(texts)]
    return ground.adding("conflicting", f"closeness {closeness}", pages)


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
    style = ground.rng.choice(("appended", "repeated", "sprinkled", "mixed", "same site", "same site"))
    count = 6 - ground.deepest + ground.rng.choice((2, 3, 4))
    if style == "same site":
        yield from _of_same_site(ground, count)
        return
    for strength in range(ground.rng.choice((1, 1, 2)), 4):
        yield ground.adding(
            "pollution", f"{style}, strength {strength}", stuffed(ground, count, style, strength, [ground.question.text])
        )


def _of_same_site(ground: Ground, count: int) -> Iterator[Edit]:
    """Pages of the same site on something else, which say only some of the query's words, again and again."""
    rng = ground.rng
    texts = ground.elsewhere(count)
    for share in (0.4, 0.6, 0.8, 1.0):
        terms = ground.terms[: max(2, round(share * len(ground.terms)))]
        for times in (2, 4):
            pages = []
            for text in texts:
                body = sprinkle(shorten(text, 60, rng), terms, rng, times - 1)
                pages.append(Page(ground.name(ground.passage.page), f"{' '.join(terms)}\n\n{body}", " ".join(text.split()[:4])))
            yield ground.adding("pollution", f"same site, {len(terms)} of {len(ground.terms)} words", pages)


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
