"""Who does what to whom: names by their place about a verb, in what a claim says and in what its source says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from ragdiag.answering.judges._forms import IRREGULAR, PEOPLES, meanings
from ragdiag.answering.judges._text import STOP_WORDS, WORD

NAME = re.compile(r"\b[A-Z][\w&'-]*(?: (?:of |the |de |van |von )?[A-Z][\w&'-]*)*")
BEFORE = re.compile(
    r"\b(of|from|to|for|with|by|at|in|against|into|over|under|after|before)(?: the| a| an| his| her| its)?\s*$", re.IGNORECASE
)
BY = re.compile(r"\b(?:is|are|was|were|been|being|be|got)(?: \w+ly)?\s*$", re.IGNORECASE)
CLAUSES = re.compile(r",? (?:and|but|while|whereas) (?=[A-Z])|; ")
"""Where somebody else does something else."""

NEAR = 60
"""Characters before a name, or a verb, that are looked at."""

MOST = 0.6
"""The share of a claim's words, beside names, of a sentence that tells the same of others."""

THE = re.compile(r"\b(?:the|a|an) (?:[a-z]+ )?$", re.IGNORECASE)
KIND = re.compile(r" ([a-z]{3,})\b")
"""What follows a name and says of what kind it is: ``the Ember client``."""

VERB = re.compile(r"(?:ed|s|ing|ght|old|ent|uilt|ade)$")
WHO = re.compile(r",? (?:who|which|that)\b")
MONTHS = frozenset(
    "january february march april may june july august september october november december"
    " monday tuesday wednesday thursday friday saturday sunday".split()
)
SUBJECT, OBJECT = "subject", "object"
PLAYED = (SUBJECT, OBJECT, "of", "from", "to", "for", "against", "with")
"""Parts that a name can play; others tell when and where."""


def swapped(claim: str, near: Sequence[str]) -> str:
    """Do all sentences of `near` that speak of what the claim does give the parts in it to others?"""
    return next((why for clause in CLAUSES.split(claim) if (why := _swapped(clause, near))), "")


def _swapped(claim: str, near: Sequence[str]) -> str:
    """`swapped` of one clause."""
    known = _known((claim, *near))
    of_claim = _names(claim, known)
    if another := _another(claim, of_claim, near, known):
        return another
    bare = set(meanings(claim)) - _stems(of_claim)
    wrong: list[str] = []
    for clause in (clause for sentence in near for clause in CLAUSES.split(sentence)):
        if len(bare & set(meanings(clause))) >= MOST * len(bare):
            conflicts, agrees = _compared(claim, clause, of_claim, known)
            if agrees:
                return ""
            wrong += conflicts
    return wrong[0] if wrong else ""


def _known(texts: Sequence[str]) -> set[str]:
    """What stands in capitals inside sentences."""
    return {m[0] for text in texts for m in NAME.finditer(text) if m.start() > 0}


def _stems(names: Collection[str]) -> set[str]:
    return {stem for name in names for stem in meanings(name)}


def _compared(claim: str, clause: str, names: Mapping[str, tuple[int, int]], known: Collection[str]) -> tuple[list[str], bool]:
    """What a clause of the source gives to others, verb by verb; and whether it says what the claim says."""
    told = [_parts_of_both(claim, clause, names, verb, known) for verb in _verbs(claim, clause, names)]
    conflicts = [why for ours, theirs in told if (why := _another_subject(ours, theirs, names, clause))]
    of_several = [pair for pair in told if all(len({*parts.values()}) > 1 for parts in pair)]
    swaps = [why for ours, theirs in of_several if (why := _conflict(ours, theirs))]
    return conflicts + swaps, not swaps and any(_agrees(ours, theirs) for ours, theirs in of_several)


def _parts_of_both(
    claim: str, sentence: str, names: Mapping[str, tuple[int, int]], verb: str, known: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The parts that names play about `verb` in a claim, and in a sentence of its source."""
    return _parts(claim, names, verb), _parts(sentence, _names(sentence, known), verb)


def _names(text: str, known: Collection[str]) -> dict[str, tuple[int, int]]:
    """The names in `text` and where they stand; a sentence's first word is none unless it is `known` from elsewhere."""
    names = {}
    for m in NAME.finditer(text):
        parts, start = m[0].split(" "), m.start()
        bare = re.sub(r"'s$", "", m[0])
        if parts[0].lower() in STOP_WORDS or (start == 0 and len(parts) == 1 and bare not in known):
            start += len(parts[0]) + 1
            parts = parts[1:]
        name = re.sub(r"'s$", "", " ".join(parts))
        if name and name.lower() not in MONTHS and name.lower() not in PEOPLES:
            names[name] = (start, m.end())
    return names


def _another(claim: str, names: Mapping[str, tuple[int, int]], sentences: Sequence[str], known: Collection[str]) -> str:
    """Does the sentence that has most of the words of `claim` speak of another one of the kind: ``client`` of another name?"""
    bare = set(meanings(claim)) - _stems(names)
    nearest = max(sentences, key=lambda s: len(bare & set(meanings(s))), default="")
    kinds = {name: KIND.match(claim, end) for name, (at, end) in names.items() if THE.search(claim[max(0, at - NEAR) : at])}
    for other, (_, end) in _names(nearest, known).items():
        kind = KIND.match(nearest, end)
        for name, of_name in kinds.items():
            alike = kind and of_name and meanings(kind[1]) == meanings(of_name[1])
            if alike and not _same(name, other) and not _same(name, nearest):
                return f"its context has {other!r} where the answer has {name!r}"
    return ""


def _verbs(claim: str, sentence: str, names: Mapping[str, tuple[int, int]]) -> list[str]:
    """The verbs, by their meaning, that both have and no name of the claim has."""
    of_names = _stems(names)
    there = set(meanings(sentence))
    acts = (stem for word in WORD.findall(claim) if _is_verb(word.lower()) for stem in meanings(word))
    return [stem for stem in dict.fromkeys(acts) if stem in there and stem not in of_names]


def _is_verb(word: str) -> bool:
    """Whether `word` has the form of one that says what somebody does, or did."""
    return word in IRREGULAR or word in IRREGULAR.values() or bool(VERB.search(word))


def _parts(text: str, names: Mapping[str, tuple[int, int]], verb: str) -> dict[str, str]:
    """The part that each name plays about `verb`: its subject or object, or by the preposition before it."""
    place = next((m.span() for m in WORD.finditer(text) if verb in meanings(m[0])), None)
    if place is None:
        return {}
    passive = bool(BY.search(text[max(0, place[0] - NEAR) : place[0]]))
    whose = _whose(text, names, place[0])
    parts = {name: _part(text, at, place, passive) for name, at in names.items() if at[1] > whose}
    parts |= {name: OBJECT if passive else SUBJECT for name, at in names.items() if at[1] == whose}
    return {name: part for name, part in parts.items() if part in PLAYED}


def _whose(text: str, names: Mapping[str, tuple[int, int]], verb: int) -> int:
    """Where the name ends of which ``, who`` tells what follows, before the verb; what is before it plays no part in that."""
    return max((until for _, until in names.values() if until <= verb and WHO.match(text, until)), default=0)


def _part(text: str, at: tuple[int, int], verb: tuple[int, int], passive: bool) -> str:
    """The part of one name; "" of one that holds the verb."""
    before = BEFORE.search(text[max(0, at[0] - NEAR) : at[0]])
    if text.endswith("'s", 0, at[1]):
        return "of"
    if at[1] <= verb[0]:
        return before[1].lower() if before else OBJECT if passive else SUBJECT
    if at[0] < verb[1] or text.endswith(", ", 0, at[0]):  # "Oslo, Norway"
        return ""
    by = passive and before and before[1].lower() == "by"
    return SUBJECT if by else before[1].lower() if before else OBJECT


def _same(name: str, other: str) -> bool:
    """Whether two names may be of one: all words of the shorter are in the longer."""
    one, two = (set(re.findall(r"\w+", n.lower())) for n in (name, other))
    return bool(one and two) and (one <= two or two <= one)


def _agrees(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether each name of the claim plays the same part in the source."""
    return bool(ours) and all(any(_same(n, o) and p == q for o, q in theirs.items()) for n, p in ours.items())


def _another_subject(ours: Mapping[str, str], theirs: Mapping[str, str], names: Collection[str], sentence: str) -> str:
    """Of a claim with one name of several words: does somebody else do there what it says that one does?"""
    subjects = [other for other, part in theirs.items() if part == SUBJECT and " " in other]
    if (
        len(names) != 1
        or " " not in next(iter(names))
        or not subjects
        or set(ours.values()) != {SUBJECT}
        or any(_same(n, sentence) for n in names)
    ):
        return ""
    return f"its context has {subjects[0]!r} where the answer has {next(iter(names))!r}"


def _conflict(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What is said otherwise: two names have changed places, or another name stands where one should."""
    held = {n: q for n in ours for o, q in theirs.items() if _same(n, o)}
    for name, part in ours.items():
        there = _others_in(part, ours, theirs)
        if there and held.get(name) != part and _misplaced(name, ours, held):
            return f"its context has {there!r} where the answer has {name!r}"
    return ""


def _others_in(part: str, ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """The name that plays `part` in the source, and does not in the claim."""
    of_claim = [name for name, played in ours.items() if played == part]
    return next((o for o, q in theirs.items() if q == part and not any(_same(o, n) for n in of_claim)), "")


def _misplaced(name: str, ours: Mapping[str, str], held: Mapping[str, str]) -> bool:
    """Whether the source has `name` in the place of another name of the claim, or in none and another in its place."""
    others = [other for other in ours if other != name]
    if name not in held:
        return any(held.get(other) == ours[other] for other in others)
    return any(held.get(other) == ours[name] and ours[other] == held[name] for other in others)
