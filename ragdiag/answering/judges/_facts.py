"""Prose: how much of what a reference answer tells, beyond the question, an answer tells too."""

from __future__ import annotations

import re

from ragdiag.answering.judges._conclusion import dismissed
from ragdiag.answering.judges._names import another_of_that_name, by_another, names_person, person
from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._numeric import YEAR, asks_quantity
from ragdiag.answering.judges._text import (
    ALIKE_STEMS,
    POINTED,
    STOP_WORDS,
    SUFFIXES,
    WORD,
    content,
    first_sentence,
    flat,
    sentences,
    stem,
    words,
)

LEAST_WORDS = 0.25
"""Share of the reference's words that an answer needs beside its figures."""

MOST_ITEMS = 100
"""Items of a list; each is looked for in the whole answer, and one of more is prose."""

VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|did|does|will|grew|fell|rose|shrank|shrunk|saw|made|led|because|where|which|who|\w{3,}ed)\b",
    re.IGNORECASE,
)
ASIDE = re.compile(r"^(?:among|for|in|on|based|as|of|by|an?|when|while)\b|\b(?:the|an?)$|-$", re.IGNORECASE)
LINKED = re.compile(r"(?:through|via|by|in|at|from|with|after|before|until|unless|if|but|not|on|for|to|as)\b", re.IGNORECASE)
TURN = re.compile(
    rf"{VERB.pattern}|\b(?:with|by|due|at)\b|[,;:(\n]|(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\bMrs)(?<!\b[A-Z]\.[A-Z])\.\s",
    re.IGNORECASE,
)
OFFERED = re.compile(
    r"\bamong\s+([^?]*?),?\s+(?:which|what|who)\b|\b(?:which|who) of ([A-Z][^?]*? (?:and|or) [A-Z]\w+)", re.IGNORECASE
)
WHY = re.compile(r"\b(?:why|dr[io]ven?|drivers?|reasons?|caused?)\b", re.IGNORECASE)
BECAUSE = re.compile(
    r"\b(?:because|due to|driven by|caused by|as a result of|thanks to|owing to|attributable to)\b(?: of\b)?", re.IGNORECASE
)
POINTING = STOP_WORDS | frozenset(
    "first second third last latter former others same previous next above below none another".split()
)
"""Words that name nothing themselves: ``the one declared first``."""

WHERE = re.compile(
    r"\bwhere\b|\b(?:what|which) (?:\w+ ){0,2}(?:place|city|town|village|location|setting|state|county|region|province|country)\b"
    r"|\b(?:located|setting)\b",
    re.IGNORECASE,
)
WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
CHOICE = re.compile(r"\b(?:[Ww]hich|[Ww]ho|[Ww]hom)\b")  # not the WHO


def items(gold: str) -> list[str]:
    """The items of `gold` where it is a list of short ones; else empty."""
    if VERB.search(gold):
        return []
    even = re.sub(r"[^\S\n]+", " ", gold)  # in a run of blanks the pattern below would begin at each
    parts = [p.strip(" -*•\t.") for p in re.split(r"\s*(?:[;\n•]|,(?!\d{3})|,?\s+and\s+)\s*", even)]
    parts = [p for p in parts if words(p)]
    plain = all(len(words(p)) <= 5 and not LINKED.match(p) for p in parts)
    return parts if 1 < len(parts) <= MOST_ITEMS and plain else []


def lists(answer: str, item: str, question: str) -> bool:
    """Whether `answer` names `item` of a list: whole, or by half of its words where it has more than one."""
    if holds(answer, item, question):
        return True
    wanted = set(content(item)) - set(content(question))
    return len(wanted) > 1 and 2 * len(wanted & set(content(answer))) >= len(wanted)


def place(question: str, gold: str) -> str:
    """To a question that asks where: the place itself of ``Oslo, Norway``, which what it lies in only describes; else empty."""
    first, comma, rest = gold.partition(",")
    plain = all(re.fullmatch(r"(?:in |the |at )*[A-Z][\w.' -]*\w", part.strip(" .")) for part in (first, rest))
    return first if comma and plain and " and " not in rest and WHERE.search(question) else ""


def choices(question: str) -> list[str]:
    """What `question` gives to choose from: ``Among A, B and C, which ...``, ``Which of A and B ...``; else empty."""
    offer = OFFERED.search(question)
    if not offer:
        return []
    parts = re.split(r",\s*(?:and|or)?\s*|\s+(?:and|or)\s+", next(g for g in offer.groups() if g))
    return [p for p in parts if p and len(words(p)) <= 4]


def chosen(options: list[str], text: str) -> str:
    """The option that `text` names first without setting it aside; "" where it names none."""
    for sentence in sentences(text):
        spots = [(place, o) for o in options if (place := _place(sentence, key_words(o)[:1])) is not None]
        if spots:
            return min(spots)[1]
    return ""


def _place(sentence: str, wanted: list[str], question: str = "") -> int | None:
    """Where `sentence` names the first word of `wanted`, all of which it holds, not to set it aside."""
    sentence = flat(sentence)
    places = [(m.start(), stem(m[0])) for m in WORD.finditer(sentence)]
    if not wanted or not set(wanted) <= {w for _, w in places}:
        return None
    return next((start for start, w in places if w == wanted[0] and not dismissed(sentence, start, question)), None)


def named(question: str, gold: str) -> str:
    """For a question that asks which or who: what `gold` names before it goes on to tell more; "" where that is not plain."""
    if not CHOICE.search(question):
        return ""
    head = re.sub(r"^(?:the|a|an)\s+", "", TURN.split(POINTED.sub(r"\1", gold), maxsplit=1)[0].strip(), flags=re.IGNORECASE)
    plain = 1 <= len(words(head)) <= 5 and head != gold and not ASIDE.search(head) and not set(words(head)) <= POINTING
    if re.search(r"\b[Ww]ho\b", question) and not all(w[:1].isupper() for w in head.split()):
        return ""  # who may be told by what they are
    return head if plain and set(key_words(head)) - set(content(re.sub(r".*\bamong\b[^?]*", "", question))) else ""


def key_words(text: str) -> list[str]:
    """The words of a name that count, stemmed, digits kept: ``Deloitte & Touche LLP`` is deloitte, touche."""
    stems = [stem(w) for w in words(text) if w not in STOP_WORDS and w not in SUFFIXES]
    return stems or [stem(w) for w in words(text)]


def holds(answer: str, name: str, question: str = "") -> bool:
    """Whether a sentence of `answer` names all of `name`, not only to set it aside.

    A person may be told in short, to a question for a person by the last name; the kind of thing that the question asks for need
    not be said again.
    """
    kind = set(content(question))
    wanted = key_words(name)
    wanted = [w for w in wanted if ALIKE_STEMS.get(w, w) not in kind] or wanted
    who, asks = person(name), bool(WHO.search(question))
    if who and asks and (another_of_that_name(answer, who) or by_another(answer, name, who)):
        return False
    clauses = _clauses_on(answer, set(YEAR.findall(question)))
    if who and any(names_person(clause, who, asks, question) for clause in clauses):
        return True
    return any(_place(clause, wanted, question) is not None for clause in clauses)


def _clauses_on(answer: str, years: set[str]) -> list[str]:
    """The clauses of `answer`; where one names one of `years`, without those that name other years alone: they tell of those."""
    clauses = [(c, set(YEAR.findall(c))) for sentence in sentences(answer) for c in sentence.split(";")]
    by_year = any(years & named for _, named in clauses)
    return [clause for clause, named in clauses if not by_year or not named or years & named]


def set_aside(answer: str, name: str) -> bool:
    """Whether a sentence of `answer` has all the words of `name`, and each that has names it only to set it aside."""
    wanted = set(key_words(name))
    naming = [s for s in sentences(answer) if wanted <= set(key_words(s))]
    return bool(naming) and all(_place(s, key_words(name)) is None for s in naming)


def coverage(question: str, gold: str, answer: str, asked: float | None) -> tuple[float, list[str]]:
    """The share of the gold's facts that `answer` has, and those it lacks.

    A fact is a content word that the question does not give away (a name counts twice) or a number (twice).
    """
    numbers, given = telling(question, gold), quantities(answer)
    weights = _weights(question, gold, bool(numbers))
    have = set(content(answer)) | initials(gold, answer)
    missing = [w for w in weights if w not in have]
    total = sum(weights.values())
    got = total - sum(weights[w] for w in missing)
    if len(weights) > 2 and got < LEAST_WORDS * total and not asks_quantity(question):
        return 0.0, missing  # a figure alone says nothing about what happened
    for number in numbers:
        total += 2.0
        if any(agree(number, q, asked, falling=True) for q in given):
            got += 2.0
        else:
            missing.append(number.text)
    return got / total if total else 0.0, missing


def _weights(question: str, gold: str, has_numbers: bool) -> dict[str, float]:
    """The content words of `gold` that are facts, with what each counts.

    They are those that the question does not give away; all of them where it gives away all and there are no numbers either.
    """
    known = set(content(question))
    weights = {w: 1.0 for w in content(gold) if w not in known} or dict.fromkeys([] if has_numbers else content(gold), 1.0)
    for name in [] if gold.isupper() else re.findall(r"(?<![.!?\n]\s)(?<!^)\b[A-Z][\w&]+", gold):
        if stem(name.lower()) in weights:
            weights[stem(name.lower())] = 2.0
    return weights


def initials(gold: str, answer: str) -> set[str]:
    """The facts of `gold` that `answer` gives as initials, ``SSO`` for single sign-on, or spells out where `gold` has them."""
    facts: set[str] = set()
    for short, long in ((answer, gold), (gold, answer)):
        spelt = words(long)
        letters = "".join(w[0] for w in spelt)
        for name in set(re.findall(r"\b[A-Z]{2,5}\b", short)):
            at = letters.find(name.lower())
            if at >= 0:
                facts |= set(content(" ".join(spelt[at : at + len(name)]))) if short is answer else {stem(name.lower())}
    return facts


def covered(question: str, gold: str, answer: str, asked: float | None) -> tuple[float, list[str], int]:
    """`coverage` of the whole gold or of its first sentence, whichever is more, and the number of facts: the rest is support."""
    whole = coverage(question, gold, answer, asked)
    first = first_sentence(gold)
    best = whole if len(first) > 0.9 * len(gold) else max(whole, coverage(question, first, answer, asked), key=lambda c: c[0])
    return *best, len(set(content(gold)) - set(content(question)))


def differs(question: str, gold: str, answer: str) -> bool:
    """Whether `answer` gives a number of the kind that `gold` gives, and none that is equal."""
    expected, given = telling(question, gold), telling(question, answer)
    alike = any(agree(e, g, falling=True) for e in expected for g in given)
    return not alike and bool({e.unit for e in expected} & {g.unit for g in given} - {""})


def contained(question: str, gold: str, answer: str) -> bool:
    """Whether all that `answer` says beyond the question stands in `gold`: it gives the point of a longer reference."""
    beyond = set(content(answer)) - set(content(question))
    numbers, known_numbers = telling(question, answer), quantities(gold)
    alike = sum(any(agree(k, n, falling=True) for k in known_numbers) for n in numbers)
    known = len(beyond & set(content(gold)))
    return len(numbers) == alike and known + alike > 0 and known >= 0.8 * len(beyond)


def telling(question: str, gold: str) -> list[Quantity]:
    """The numbers of `gold` that the question does not hold; years only say when, and "the one" counts nothing."""
    known, gold = quantities(question), POINTED.sub(r"\1", gold)
    return [q for q in quantities(gold) if q.unit != "year" and not any(agree(q, k) for k in known)]
