"""Small tools on text: sentences, content words, likeness, edits that change little and edits that change values."""

from __future__ import annotations

import random
import re
from functools import cache

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

WORD = re.compile(r"\w+")
ASKING = set("does doing would should could mentioned according text document describe explain specific please tell".split())
MONTHS = "January February March April May June July August September October November December".split()
_SWAPPED = """increase>decrease increased>decreased higher>lower more>fewer first>third before>after all>some always>rarely
largest>smallest can>cannot will>may most>few high>low early>late two>four three>five one>six four>seven five>two north>south
east>west new>former major>minor same>other must>need not>also is>was are>were has>had should>could"""
SWAPS = dict(pair.split(">") for pair in _SWAPPED.split())
LIGHT = {
    "however": "yet",
    "also": "too",
    "because": "since",
    "such": "like",
    "but": "though",
    "many": "numerous",
    "while": "whereas",
}
LIGHT |= {
    "may": "might",
    "about": "around",
    "often": "frequently",
    "use": "employ",
    "show": "display",
    "very": "quite",
    "and": "plus",
}


def sentences(text: str) -> list[str]:
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|\n+", text) if len(s.split()) > 2]


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def content_words(text: str) -> list[str]:
    """What a text is about: its words but for the common ones, each once, in order."""
    kept = (w for w in words(text) if len(w) > 2 and w not in ENGLISH_STOP_WORDS and w not in ASKING)
    return list(dict.fromkeys(kept))


@cache
def content(text: str) -> frozenset[str]:
    """The content words of a text, which is looked at many times."""
    return frozenset(content_words(text))


@cache
def _shingles(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + 3]) for i in range(max(len(found) - 2, 1))}


def likeness(a: str, b: str) -> float:
    """Jaccard similarity of runs of three words."""
    one, two = _shingles(a), _shingles(b)
    return len(one & two) / len(one | two)


def shorten(text: str, most: int, rng: random.Random) -> str:
    """Consecutive whole sentences of a text, at most about `most` words."""
    parts = sentences(text) or [text]
    first = rng.randrange(len(parts))
    kept: list[str] = []
    for part in parts[first:] + parts[:first]:
        if kept and len(" ".join([*kept, part]).split()) > most:
            break
        kept.append(" ".join(part.split()[:most]))
    return " ".join(kept)


def sprinkle(text: str, terms: list[str], rng: random.Random, each: int = 1) -> str:
    """A text with `terms` set between its words, `each` times."""
    parts = text.split()
    for term in terms * each:
        parts.insert(rng.randrange(len(parts) + 1), term)
    return " ".join(parts)


def lightly_edited(text: str, rng: random.Random) -> str:
    """The same text with a few words changed, and at times a sentence less."""
    parts = sentences(text)
    if len(parts) > 4 and rng.random() < 0.5:
        parts.pop(rng.randrange(1, len(parts)))
        text = " ".join(parts)
    changed = 0

    def other(match: re.Match[str]) -> str:
        nonlocal changed
        new = LIGHT.get(match[0])
        if new is None or changed >= 3 or rng.random() < 0.4:
            return match[0]
        changed += 1
        return new

    edited = re.sub(r"[a-z]+", other, text)
    return edited if changed else edited + rng.choice((" (reprinted)", " [copy]", " See also the index.", " End of notice."))


def changed_values(text: str, rng: random.Random, most: int = 4) -> str:
    """The same text with up to `most` of its numbers, months, years or telling words changed; always at least one word."""
    spots = [m for m in re.finditer(r"\d+|\w+", text) if m[0].isdigit() or m[0] in MONTHS]
    if len(spots) < 2:
        spots += [m for m in re.finditer(r"\w+", text) if m[0].lower() in SWAPS]
    if not spots:
        spots = list(re.finditer(r"\w{4,}", text)) or list(re.finditer(r"\w+", text))
    chosen = sorted(rng.sample(spots, min(len(spots), max(1, most))), key=lambda m: -m.start())
    for m in chosen:
        text = text[: m.start()] + _other_value(m[0], rng) + text[m.end() :]
    return text


def _other_value(old: str, rng: random.Random) -> str:
    if old.isdigit():
        low = 10 ** (len(old) - 1) if len(old) > 1 else 0
        if len(old) == 4 and old[:2] in ("19", "20"):
            return str(int(old) - rng.randint(1, 4))
        return str(rng.choice([n for n in (low + rng.randrange(9 * max(low, 1) + 1) for _ in range(9)) if str(n) != old] or [7]))
    if old in MONTHS:
        return rng.choice([m for m in MONTHS if m != old])
    new = SWAPS.get(old.lower(), rng.choice(("none", "another", "various", "earlier")))
    return new.capitalize() if old[0].isupper() else new
