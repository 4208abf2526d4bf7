"""Residual faults: other passages on the subject that rank above the evidence, or above one group of it."""

from __future__ import annotations

from collections.abc import Iterator

from .ground import Ground
from .records import Edit, Page, Span
from .text import likeness

LEADS = (
    "A further note on {}.",
    "More on {} in this part.",
    "This also bears on {}.",
    "The following concerns {}.",
    "Background to {}:",
    "See here, too, for {}.",
)
CLOSERS = (
    "Readers often ask about {}; see the pages named there.",
    "Questions on {} are collected elsewhere.",
    "For {}, compare the parts before and after.",
    "More on {} is in the next part.",
)


def ranking(ground: Ground) -> Iterator[Edit]:
    """So many distractors that no group stays in the context."""
    count = 6 - ground.deepest + ground.rng.choice((3, 5, 7))
    for closeness in range(ground.rng.choice((0, 0, 1)), 3):
        pages = on_subject(ground, ground.passage, count, closeness)
        yield ground.adding("ranking", f"closeness {closeness}", pages)


def incomplete(ground: Ground) -> Iterator[Edit]:
    """Just so many distractors that one group leaves the context while another stays."""
    if len(ground.question.groups) < 2:
        return
    for closeness in (0, 1, 2):
        pages = on_subject(ground, ground.passage, 8, closeness)
        for count in range(1, len(pages) + 1):
            yield ground.adding("incomplete", f"closeness {closeness}", pages[:count])


def on_subject(ground: Ground, passage: Span, count: int, closeness: int) -> list[Page]:
    """`count` passages of the same subject, each of sentences of its own, nearer to the query than they were."""
    rng, pool = ground.rng, ground.subject(passage)
    near, far = pool[:40], pool[40:]
    rng.shuffle(near)
    pool = near + far
    size = 3 if len(pool) >= 3 * count else 2
    pages: list[Page] = []
    texts: list[str] = []
    for n in range(0, len(pool) - size + 1, size):
        text = _nearer(ground, pool[n : n + size], closeness)
        if all(likeness(text, other) < 0.4 for other in texts):
            texts.append(text)
            pages.append(Page(ground.name(passage.page), text, f"{ground.title(passage.page)}, further notes {len(pages) + 1}"))
        if len(pages) == count:
            break
    return pages


def _nearer(ground: Ground, parts: list[str], closeness: int) -> str:
    """Sentences with the query's words round them, as a page on the same topic has them: a lead, a heading, a pointer to more."""
    rng, terms = ground.rng, list(ground.terms)
    rng.shuffle(terms)
    lead = rng.choice(LEADS).format(" and ".join(filter(None, (" ".join(terms[:2]), " ".join(terms[2:])))))
    if closeness == 0:
        return " ".join([lead, *parts])
    if closeness == 1:
        return " ".join([ground.question.text, lead, *parts])
    closer = rng.choice(CLOSERS).format(" ".join(terms))
    return " ".join([ground.question.text, lead, *parts, closer])
