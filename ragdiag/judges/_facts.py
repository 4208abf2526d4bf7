"""Prose: how much of what a reference answer tells, beyond the question, an answer tells too."""

from __future__ import annotations

import re

from ragdiag.judges._conclusion import dismissed
from ragdiag.judges._numbers import Quantity, agree, quantities
from ragdiag.judges._text import STOP_WORDS, SUFFIXES, content, sentences, stem, words

VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|did|does|will|grew|fell|rose|shrank|shrunk|saw|made|led|because|where|which|who|\w{3,}ed)\b",
    re.IGNORECASE,
)
ASIDE = re.compile(r"^(?:among|for|in|on|based|as|of|by|an?|when|while)\b|\b(?:the|an?)$|-$", re.IGNORECASE)
TURN = re.compile(rf"{VERB.pattern}|\b(?:with|by|due|at)\b|[,;:(\n]|\.\s", re.IGNORECASE)
OFFERED = re.compile(
    r"\bamong\s+([^?]*?),?\s+(?:which|what|who)\b|\b(?:which|who) of ([A-Z][^?]*? (?:and|or) [A-Z]\w+)", re.IGNORECASE
)
CHOICE = re.compile(r"\b(?:[Ww]hich|[Ww]ho|[Ww]hom)\b")  # not the WHO


def items(gold: str) -> list[str]:
    """The items of `gold` where it is a list of short ones; else empty."""
    if VERB.search(gold):
        return []
    parts = [p.strip(" -*•\t.") for p in re.split(r"\s*(?:[;\n•]|,(?!\d{3})|,?\s+and\s+)\s*", gold)]
    parts = [p for p in parts if words(p)]
    return parts if len(parts) > 1 and all(len(words(p)) <= 5 for p in parts) else []


def choices(question: str) -> list[str]:
    """What `question` gives to choose from: ``Among A, B and C, which ...``, ``Which of A and B ...``; else empty."""
    found = OFFERED.search(question)
    if not found:
        return []
    parts = re.split(r",\s*(?:and|or)?\s*|\s+(?:and|or)\s+", next(g for g in found.groups() if g))
    return [p for p in parts if p and len(words(p)) <= 4]


def chosen(options: list[str], text: str) -> str:
    """The option that `text` names first without setting it aside; "" where it names none."""
    for sentence in sentences(text):
        spots = [(place, o) for o in options if (place := _place(sentence, key_words(o)[:1])) is not None]
        if spots:
            return min(spots)[1]
    return ""


def _place(sentence: str, wanted: list[str]) -> int | None:
    """Where `sentence` names the first word of `wanted`, all of which it holds, not to set it aside."""
    places = [(m.start(), stem(m[0])) for m in re.finditer(r"[^\W_]+(?:&[^\W_]+)*", sentence.lower())]
    if not wanted or not set(wanted) <= {w for _, w in places}:
        return None
    return next((start for start, w in places if w == wanted[0] and not dismissed(sentence, start)), None)


def named(question: str, gold: str) -> str:
    """For a question that asks which or who: what `gold` names before it goes on to tell more; "" where that is not plain."""
    if not CHOICE.search(question):
        return ""
    head = re.sub(r"^(?:the|a|an)\s+", "", TURN.split(gold, maxsplit=1)[0].strip(), flags=re.IGNORECASE)
    plain = 1 <= len(words(head)) <= 5 and head != gold and not ASIDE.search(head)
    return head if plain and set(key_words(head)) - set(content(re.sub(r".*\bamong\b[^?]*", "", question))) else ""


def key_words(text: str) -> list[str]:
    """The words of a name that count, stemmed, digits kept: ``Deloitte & Touche LLP`` is deloitte, touche."""
    found = [stem(w) for w in words(text) if w not in STOP_WORDS and w not in SUFFIXES]
    return found or [stem(w) for w in words(text)]


def holds(answer: str, name: str, question: str = "") -> bool:
    """Whether a sentence of `answer` names all of `name`, not only to set it aside. Of a person's name the last part will do."""
    wanted = key_words(name)
    if re.fullmatch(r"[A-Z][\w'-]+(?: [A-Z]\.?)? [A-Z][\w'-]+", name.strip()) and re.search(r"\bwho\b", question, re.IGNORECASE):
        wanted = wanted if wanted[0] in key_words(answer) else wanted[-1:]
        if _another_first_name(answer, name):
            return False
    return any(_place(sentence, wanted) is not None for sentence in sentences(answer))


def _another_first_name(answer: str, name: str) -> bool:
    first, last = name.split()[0], name.split()[-1]
    before = re.findall(rf"\b([A-Z][a-z]+)\s+(?:[A-Z]\.?\s+)?{re.escape(last)}\b", answer)
    return (
        bool(before)
        and first not in before
        and not all(w.lower() in STOP_WORDS or w in ("Mr", "Ms", "Mrs", "Dr") for w in before)
    )


def coverage(question: str, gold: str, answer: str, asked: float | None) -> tuple[float, list[str]]:
    """The share of the gold's facts that `answer` has, and those it lacks.

    A fact is a content word that the question does not give away (a name counts twice) or a number (twice).
    """
    given = set(content(question))
    facts = {w: 1.0 for w in content(gold) if w not in given} or dict.fromkeys(content(gold), 1.0)
    for name in re.findall(r"(?<![.!?\n]\s)(?<!^)\b[A-Z][\w&]+", gold):
        if stem(name.lower()) in facts:
            facts[stem(name.lower())] = 2.0
    have = set(content(answer))
    missing = [w for w in facts if w not in have]
    total, got = sum(facts.values()), sum(weight for w, weight in facts.items() if w in have)
    numbers, told = telling(question, gold), quantities(answer)
    for number in numbers:
        total += 2.0
        if any(agree(number, t, asked, falling=True) for t in told):
            got += 2.0
        else:
            missing.append(number.text)
    return got / total if total else 0.0, missing


def covered(question: str, gold: str, answer: str, asked: float | None) -> tuple[float, list[str], int]:
    """`coverage` of the whole gold or of its first sentence, whichever is more, and the number of facts: the rest is support."""
    whole = coverage(question, gold, answer, asked)
    first = sentences(gold)[0]
    best = whole if len(first) > 0.9 * len(gold) else max(whole, coverage(question, first, answer, asked), key=lambda c: c[0])
    return *best, len(set(content(gold)) - set(content(question)))


def contained(question: str, gold: str, answer: str) -> bool:
    """Whether all that `answer` says beyond the question stands in `gold`: it gives the point of a longer reference."""
    said = set(content(answer)) - set(content(question))
    numbers, have = telling(question, answer), quantities(gold)
    alike = sum(any(agree(h, n, falling=True) for h in have) for n in numbers)
    known = len(said & set(content(gold)))
    return len(numbers) == alike and known + alike > 0 and known >= 0.8 * len(said)


def telling(question: str, gold: str) -> list[Quantity]:
    """The numbers of `gold` that the question does not hold; years only say when."""
    known = quantities(question)
    return [q for q in quantities(gold) if q.unit != "year" and not any(agree(q, k) for k in known)]
