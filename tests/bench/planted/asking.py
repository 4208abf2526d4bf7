"""Faults of the question: the same need in words that the document does not use."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from .ground import Ground
from .records import Edit
from .text import content_words, words
from .wordforms import FILLER, of_form
from .wording import CASUAL, OTHER_WORDS

RARE = "rare terms"
FILLED = 0.2  # share of questions that may be lost in filler


def query_mismatch(ground: Ground) -> Iterator[Edit]:
    """In other forms, in filler, a person's paraphrase, other words, or only its passage's rare terms: whichever comes first."""
    question, rng = ground.question, ground.rng
    kinds = of_form(ground)
    kinds["paraphrase"] = [Edit("query_mismatch", "human paraphrase", asked=question.other)] if question.other else []
    kinds["other words"] = list(_in_other_words(ground))
    kinds[RARE] = list(_rare_terms(ground)) if ground.retriever != "bm25" and rng.random() < 0.35 else []
    if rng.random() > FILLED:
        del kinds[FILLER]  # it breaks almost any question, and would leave nothing to the others
    for kind in rng.sample(list(kinds), len(kinds)):
        yield from kinds[kind]


def _in_other_words(ground: Ground) -> Iterator[Edit]:
    """Ever more of the words shared with the passage in others, at times as one would type it to a colleague."""
    question, rng = ground.question, ground.rng
    present = set(words(" ".join(ground.text(c) for c in ground.world.holders(question))))
    shared = [w for w in content_words(question.text) if w in present]
    for share in (0.6, 0.6, 0.8, 1.0):
        new, changed = reworded(question.text, present, share, rng)
        if changed >= max(2, len(shared) / 2):
            yield Edit("query_mismatch", f"{changed} of {len(shared)} words", asked=new)
            if rng.random() < 0.6:
                yield Edit("query_mismatch", f"{changed} of {len(shared)} words, casual", asked=casual(new, rng))


def reworded(text: str, present: set[str], share: float, rng: random.Random) -> tuple[str, int]:
    """A question with about `share` of those of its words that the passage has replaced; how many were."""
    changed = 0

    def other(match: re.Match[str]) -> str:
        nonlocal changed
        new = OTHER_WORDS.get(match[0].lower())
        if new is None or match[0].lower() not in present or rng.random() > share:
            return match[0]
        changed += 1
        return rng.choice(new)

    text = re.sub(r"[A-Za-z][\w'’-]*", other, text)
    return re.sub(r"\b(the|a) (the|a|an) ", r"\2 ", text), changed


def casual(text: str, rng: random.Random) -> str:
    """A question as one would type it to a colleague."""
    body = re.sub(r"^(what|which|how|why|who|when|where|does|do|is|are|can)\b\s*", "", text.strip().rstrip("?."), flags=re.I)
    body = re.sub(r"^(is|are|was|were|does|do|did|the)\b\s*", "", body, flags=re.I)
    return rng.choice(CASUAL).format(body)


def _rare_terms(ground: Ground) -> Iterator[Edit]:
    """Only the identifiers, numbers and codes that the passage's chunk alone has."""
    known = ground.world.known
    chunk = ground.text(ground.holder(ground.passage))
    asked = set(content_words(ground.question.text))
    rare = [w for w in dict.fromkeys(re.findall(r"\w+", chunk)) if known[w.lower()] == 1 and w.lower() not in asked]
    codes = [w for w in rare if re.search(r"\d", w) or (w.isupper() and len(w) > 1)]
    for count in (2, 3):
        if len(codes) >= count:
            terms = ground.rng.sample(codes, count)
            yield Edit(
                "query_mismatch",
                RARE,
                asked=ground.rng.choice(("what about {}?", "{}", "anything on {}?")).format(" ".join(terms)),
            )
