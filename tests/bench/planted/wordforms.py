"""Mismatches of form: inflected words, an abbreviation that a glossary spells out, a question lost in its filler."""

from __future__ import annotations

import random
import re
from collections.abc import Container, Iterator

from .ground import Ground, cut
from .records import Edit, Page
from .text import content_words, words

FILLER = "filler"
ABBREVIATION = "abbreviation"
INFLECTION = "inflection"
ENDINGS = (
    "",
    "s",
    "es",
    "ed",
    "d",
    "ing",
    "e",
    "ion",
    "ions",
    "ation",
    "ations",
    "al",
    "ally",
    "ly",
    "ment",
    "ments",
    "er",
    "ers",
    "y",
    "ies",
    "ic",
    "ity",
)
SHORTEST_BASE = 4
FRAMES = (
    "What is the purpose of this document when it comes to the question of {}",
    "I would like to know what method is used, and what the general approach is, with respect to the following: {}",
    "Hello, I was wondering whether someone could possibly explain in detail how this works in practice: {}",
    "Could you please provide a brief summary of the information that describes the following point for a report: {}",
    "For a presentation to the team I need to understand the main idea, the role and the meaning of this. {}",
    "Thank you in advance for any help, examples, sources or further information on what I am trying to find out: {}",
    "What does the text say, what is the reason given and what would be the result or conclusion overall? {}",
)
GLOSSARY = ("Abbreviations", "Glossary", "Terms that we use", "Short forms")
OTHERS = {
    "EOD": "end of day",
    "FYI": "for your information",
    "QBR": "quarterly business review",
    "SOP": "standard operating procedure",
    "TBD": "to be decided",
    "OOO": "out of office",
    "RFC": "request for comments",
    "POC": "proof of concept",
}


def of_form(ground: Ground) -> dict[str, list[Edit]]:
    """Candidates of each kind."""
    return {
        INFLECTION: list(_inflected(ground)),
        ABBREVIATION: list(_abbreviated(ground)),
        FILLER: list(_filled(ground)),
    }


def inflected(word: str, known: Container[str]) -> list[str]:
    """Other forms of an English word among the `known` ones."""
    found = []
    for ending in ENDINGS:
        base = word.removesuffix(ending)
        if (ending and base == word) or len(base) < SHORTEST_BASE or not word.isalpha():
            continue
        found += [f"{base}{other}" for other in ENDINGS if f"{base}{other}" in known]
    return [w for w in dict.fromkeys(found) if w != word]


def _inflected(ground: Ground) -> Iterator[Edit]:
    """The words shared with the passage, each in another form that the passage lacks."""
    present = set(words(ground.text(ground.holder(ground.passage))))
    text = ground.question.text
    shared = [w for w in content_words(text) if w in present]
    for share in (0.6, 1.0):
        changed = 0
        asked = text
        for word in shared:
            forms = [w for w in inflected(word, ground.world.known) if w not in present]
            if forms and ground.rng.random() <= share:
                asked, n = re.subn(rf"\b{re.escape(word)}\b", ground.rng.choice(forms), asked, flags=re.I)
                changed += bool(n)
        if changed:
            yield Edit("query_mismatch", f"{INFLECTION}, {changed} of {len(shared)} words", asked=asked)


def _abbreviated(ground: Ground) -> Iterator[Edit]:
    """A run of words that question and passage share, by its initials; a glossary elsewhere spells them out."""
    text, chunk = ground.question.text, ground.text(ground.holder(ground.passage)).lower()
    runs = []
    for size in (4, 3, 2):
        found = re.findall(rf"(?=\b((?:[A-Za-z][a-z]+[ -]){{{size - 1}}}[A-Za-z][a-z]+)\b)", text)
        runs += [r for r in found if r.lower() in chunk and len(content_words(r)) == size]
    for run in runs[:4]:
        short = "".join(w[0] for w in re.split(r"[ -]", run)).upper()
        if short.lower() in ground.world.known:
            continue
        others = ground.rng.sample(sorted(OTHERS.items()), 5)
        entries = sorted([(short, run.lower()), *others])
        body = "\n".join(f"{name}: {meaning}" for name, meaning in entries)
        title = ground.rng.choice(GLOSSARY)
        page = Page(ground.name(ground.passage.page), f"{title}\n\n{body}\n", title)
        asked = re.sub(rf"(?:\b(?:the|an?) )?\b{re.escape(run)}\b", short, text)
        yield Edit("query_mismatch", f"{ABBREVIATION} of {len(short)}", (page,), added=cut(page), asked=asked)


def _filled(ground: Ground) -> Iterator[Edit]:
    """The question among ever more words that carry nothing."""
    rng: random.Random = ground.rng
    for count in (1, 2, 3, 4):
        asked = ground.question.text
        for frame in rng.sample(FRAMES, count):
            asked = frame.format(asked)
        yield Edit("query_mismatch", f"{FILLER}, {count}", asked=asked)
