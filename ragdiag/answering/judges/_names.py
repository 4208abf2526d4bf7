"""Names of people: the same person is told with or without middle names, titles and suffixes, by initials, by a short form."""

from __future__ import annotations

import re
from typing import NamedTuple

from rapidfuzz.distance import Prefix

from ragdiag.answering.judges._conclusion import dismissed
from ragdiag.answering.judges._text import STOP_WORDS, SUFFIXES, readable, unaccented

TITLES = frozenset(
    "mr mrs ms miss dr sir dame lord lady president king queen prince princess emperor empress pope saint professor prof general "
    "captain colonel major lieutenant sergeant admiral senator governor chancellor justice judge minister bishop archbishop "
    "cardinal reverend rev father sister baron baroness count countess duke duchess chief secretary ambassador ceo "
    "monsieur madame mme herr frau senor senora signor signora don dona sen gov gen rep capt col lt sgt".split()
)
PARTICLES = frozenset("de del della der den di da dos du la le van von bin ibn al el ben ter ten y".split())
SUFFIX = re.compile(r"(?:,?\s+(?:Jr|Sr|Esq|[A-Z]BE|M\.?\s?D|Ph\.?\s?D|[IVX]+)\.?)+$")
ASIDE = re.compile(r"\([^)]*\)|[\"“”][^\"“”]*[\"“”]")
NUMERAL = re.compile(r"[IVXLC]+")
CALLED = re.compile(r"[\"(]([A-Z][a-z]+)[\")]")
"""What a person is called: ``Robert "Bob" Bell``."""

TOKEN = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")

BEHIND = re.compile(r"(?P<token>[^\W\d_](?:[\w'-]*\w)?)[.\")]{0,2}[\s-]{0,2}[\"(]?$")
NEAR, MOST = 40, 5
"""Characters that are looked at for one word before a name, and words that may stand there."""

LONGEST = 300
"""Characters: what has more is no name, whatever describes it."""

SHORTENED = 3
"""Letters that a short form shares with the name: ``Greg``, ``Thad``."""


FIRST_BEHIND = re.compile(r",\s+([A-Z][\w'-]*)\.?\s*$")

KIN = re.compile(
    r"'s?\s+(?:\w+\s+){0,2}(?:brother|sister|wife|husband|widow|son|daughter|father|mother|uncle|aunt|cousin"
    r"|nephew|niece|assistant"
    r"|deputy|successor|predecessor|friend|student|pupil|colleague|secretary)\b",
    re.IGNORECASE,
)
"""What stands behind the name of one who is named to tell another by."""


class Person(NamedTuple):
    """Given names, in order, and the last one, in lower case."""

    given: tuple[str, ...]
    last: str


def person(name: str) -> Person | None:
    """`name` as a person's, where it is two to four words in capitals, whatever describes them before; else None."""
    if len(name) > LONGEST:
        return None
    bare = SUFFIX.sub("", ASIDE.sub(" ", readable(name)).strip(" ."))
    tokens = _tokens(bare)
    if not bare.isupper() and any(map(_is_short_for_a_thing, tokens)):
        return None
    described = next((i for i in range(len(tokens), 0, -1) if not _is_name(tokens[i - 1])), 0)
    if re.search(r"[^\w\s.'’-]", bare) or (described and tokens[described - 1].lower() in STOP_WORDS):
        return None  # several names, or a part of one: House of Lords
    names = _untitled(tokens[described:])
    if not _may_be_a_person(names):
        return None
    called = [unaccented(m[1]).lower() for m in CALLED.finditer(readable(name))]
    return Person((*names[:-1], *called), names[-1])


def _may_be_a_person(names: list[str]) -> bool:
    return 2 <= len(names) <= 4 and names[0] not in TITLES and len(names[-1]) > 1 and names[-1] not in SUFFIXES


def _is_short_for_a_thing(token: str) -> bool:
    """``HMS``, ``USA``; ``JK`` and ``VIII`` stand in names of people."""
    return token.isupper() and len(token) > 2 and not NUMERAL.fullmatch(token)


def _untitled(tokens: list[str]) -> list[str]:
    """The names among `tokens`, in lower case: those behind the last title that two names or more follow."""
    names = [t.lower() for t in tokens if len(t) == 1 or t.lower() not in STOP_WORDS | PARTICLES]
    return names[next((i for i in range(len(names) - 2, 0, -1) if names[i - 1] in TITLES), 0) :]


def names_person(text: str, who: Person, alone: bool, question: str = "") -> bool:
    """Whether a sentence names the person, not to set them aside; with `alone` by a last name that no other goes before, too."""
    mentions = _mentions(text, who)
    meant = [given for start, given in mentions if not dismissed(unaccented(readable(text)), start, question)]
    by_last_name = alone and bool(meant) and not any(given for _, given in mentions)
    return by_last_name or any(_same(who.given, given) for given in meant)


def another_of_that_name(text: str, who: Person) -> bool:
    """Whether `text` has the last name behind other given names only."""
    others = [given for _, given in _mentions(text, who) if given]
    return bool(others) and not any(_same(who.given, given) for given in others)


def _mentions(text: str, who: Person) -> list[tuple[int, tuple[str, ...]]]:
    """Where the last name stands in capitals: the start of the name there, and the given names before it."""
    text = unaccented(readable(text))
    last = "|".join(map(re.escape, {who.last, who.last.rpartition("-")[2]}))
    found = re.finditer(rf"\b(?:{last})\b", text, re.IGNORECASE)
    return [_whole(text, m) for m in found if m[0][0].isupper() and not KIN.match(text, m.end())]


def _whole(text: str, last: re.Match[str]) -> tuple[int, tuple[str, ...]]:
    """As `_before`, and of ``Bell, Ada`` what stands behind."""
    start, given = _before(text, last.start())
    behind = FIRST_BEHIND.match(text, last.end())
    return (start, (behind[1].lower().rstrip("."),)) if behind and not given else (start, given)


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(unaccented(text))


def _is_name(token: str) -> bool:
    return token[0].isupper() or token.lower() in PARTICLES


def _before(text: str, end: int) -> tuple[int, tuple[str, ...]]:
    """The words in capitals right before a position, and where they start; titles and what starts a sentence left out."""
    names: list[str] = []
    start = end
    while (m := BEHIND.search(text[max(0, start - NEAR) : start])) and len(names) < MOST:
        token = m["token"].lower()
        if not _is_name(m["token"]) or token in TITLES or (token in STOP_WORDS and len(token) > 1):
            break
        start -= len(m[0])
        names += [token] if token not in PARTICLES else []
    return start, tuple(reversed(names))


def _same(given: tuple[str, ...], before: tuple[str, ...]) -> bool:
    """Whether names before a last name fit the given ones: the first, or an initial or short form of it, or a whole other one."""
    if before and len(given) > 1 and _initials_differ(given[1:], before[1:]):
        return False
    if any(short(given[0], b) for b in before):
        return True
    return any(_short(g, b) for g in given[1:] for b in before if min(len(g), len(b)) >= SHORTENED)


def _initials_differ(names: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether both have middle names, one of them initials alone, and none of one begins as one of the other does."""
    initials = all(len(n) == 1 for n in names) or all(len(n) == 1 for n in others)
    return bool(names and others) and initials and not {n[0] for n in names} & {n[0] for n in others}


def by_another(text: str, name: str, who: Person) -> bool:
    """Whether `text` names the person only to tell another by, or with another suffix: ``Bell's sister``, ``Ada Bell Jr.``."""
    text = unaccented(readable(text))
    found = list(re.finditer(rf"\b{re.escape(who.last)}\b", text, re.IGNORECASE))
    if not found:
        return False
    if all(KIN.match(text, m.end()) for m in found):
        return True
    own = _suffix(unaccented(readable(name)), who.last)
    given = {_suffix(text[m.start() :], who.last) for m in found} - {""}
    return bool(own and given) and own not in given


def _suffix(text: str, last: str) -> str:
    m = re.match(rf".*?\b{re.escape(last)},?\s+(Jr|Sr|[IVX]+)\b", text, re.IGNORECASE | re.DOTALL)
    return m[1].lower() if m and (m[1].lower() in ("jr", "sr") or m[1].isupper()) else ""


def short(name: str, other: str) -> bool:
    """Whether one given name may stand for the other: the same, an initial of it, a short form."""
    return (name[0] == other[0] if min(len(name), len(other)) == 1 else False) or _short(name, other)


FEMININE = frozenset("a ina ine ia etta ette ella iana".split())
"""What makes another name of one: Paul, Pauline; Joseph, Josephine; Robert, Roberta."""

CALLED_SO = frozenset(
    frozenset(pair.split())
    for pair in (
        "liz elizabeth|beth elizabeth|betty elizabeth|bob robert|bill william|dick richard|jim james|jack john|peggy margaret"
        "|tony anthony|ted edward|ted theodore|harry henry|hank henry|kate catherine|chuck charles|ned edward|molly mary"
        "|nicholas nikolai|nicholas nikolay|larry lawrence|sandy alexander|meg margaret|nancy anne|sally sarah"
        "|will bill|jerry gerald|rick richard|mickey michael"
    ).split("|")
)
"""Short forms that are no beginning of the name."""


def other_sex(name: str, other: str) -> bool:
    """Whether one of two given names is the other as a woman has it: Paul and Pauline, Mario and Maria."""
    short, long = sorted((name.lower(), other.lower()), key=len)
    swapped = len(short) == len(long) and short[:-1] == long[:-1] and {short[-1:], long[-1:]} == {"a", "o"}
    return swapped or (long.startswith(short) and long[len(short) :] in FEMININE)


def _short(name: str, other: str) -> bool:
    """Whether the two are one, or one is short for the other: ``Greg`` for ``Gregory``, ``Dave`` for ``David``."""
    if name.replace("-", "") == other.replace("-", "") or frozenset((name, other)) in CALLED_SO:
        return True
    short, long = sorted((name, other), key=len)
    alike = Prefix.similarity(short, long)
    if alike == len(short) >= 2:
        return not other_sex(short, long)
    return alike >= SHORTENED and alike >= len(short) - 1 and short[-1] in "eyi" and short[-2:] != long[-2:]
