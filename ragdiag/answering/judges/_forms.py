"""Texts as a claim and its source are compared: tokens joined, ranges of years written out, words in one form."""

from __future__ import annotations

import functools
import re

from ragdiag.answering.judges._text import content, readable, words

SPACED_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?: , \d{3})+)(?!\d)")
SPACED_POINT = re.compile(r"(?<![\d.,])(\d{1,3}) \. (\d+)(?![\d.])")
SPACED_MONEY = re.compile(r"([$€£¥]) (?=\d)")
"""How tokenised texts write ``1,234``, ``3.5`` and ``$5``."""

YEARS = re.compile(r"(?<![\d.,/-])((?:1\d|20)\d\d)\s?[-/]\s?(\d\d)(?![\d.,%/-]\d|\d)")
"""``1994-98``; that it is no month is told by its end being later than its beginning, and past December."""

DECADE = re.compile(r"(?<![\d.,-])((?:1\d|20)\d)0'?s\b")
YEAR = re.compile(r"(?<![\d.,$€£])((?:1\d|20)\d\d)(?![\d%]|[.,]\d)")

UP_TO = re.compile(r"\bup to\b", re.IGNORECASE)
"""No rise."""

EMPTY = frozenset("never until unless again still yet already even quite rather whether cannot".split())
"""Words that say how something is meant, and no more of it."""

IRREGULAR = {
    form: base
    for base, forms in (
        ("beat", "beaten beats defeat defeated defeats"),
        ("become", "became becomes becoming"),
        ("bring", "brought"),
        ("choose", "chose chosen"),
        ("come", "came"),
        ("draw", "drew drawn"),
        ("drive", "drove driven"),
        ("fight", "fought"),
        ("fly", "flew flown"),
        ("hear", "heard"),
        ("know", "knew known"),
        ("lay", "laid"),
        ("lead", "led leads leading head headed heads run ran runs running manage managed manages managing manager"),
        ("leave", "left leaving"),
        ("lose", "lost losing loss"),
        ("mean", "meant means"),
        ("meet", "met"),
        ("say", "said says"),
        ("see", "saw seen observe observed"),
        ("shoot", "shot"),
        ("sing", "sang sung"),
        ("speak", "spoke spoken"),
        ("spend", "spent"),
        ("stand", "stood"),
        ("take", "took taken taking"),
        ("teach", "taught"),
        ("think", "thought"),
        ("throw", "threw thrown"),
        ("wear", "wore worn"),
        ("win", "won winning"),
        ("birth", "born"),
        ("die", "died death dead"),
        ("live", "lived life alive"),
        ("succeed", "succeeded successor"),
        ("discover", "discovered discovery discoveries"),
        ("marry", "married marriage wife husband"),
    )
    for form in forms.split()
}
"""Forms that no ending makes of one another; a few words that sources and answers use for one another stand with them."""

PEOPLES = {
    people: land
    for land, peoples in (
        ("norway", "norwegian norwegians"),
        ("sweden", "swedish swedes swede"),
        ("denmark", "danish danes dane"),
        ("finland", "finnish finns"),
        ("iceland", "icelandic"),
        ("france", "french frenchman"),
        ("germany", "german germans"),
        ("austria", "austrian austrians"),
        ("switzerland", "swiss"),
        ("italy", "italian italians"),
        ("spain", "spanish spaniard"),
        ("portugal", "portuguese"),
        ("greece", "greek greeks"),
        ("poland", "polish poles"),
        ("hungary", "hungarian hungarians"),
        ("russia", "russian russians"),
        ("ukraine", "ukrainian"),
        ("turkey", "turkish turks"),
        ("ireland", "irish irishman"),
        ("scotland", "scottish scots"),
        ("wales", "welsh"),
        ("england", "english englishman"),
        ("britain", "british"),
        ("netherlands", "dutch"),
        ("belgium", "belgian"),
        ("america", "american americans"),
        ("canada", "canadian canadians"),
        ("mexico", "mexican"),
        ("brazil", "brazilian"),
        ("argentina", "argentine argentinian"),
        ("china", "chinese"),
        ("japan", "japanese"),
        ("korea", "korean"),
        ("india", "indian indians"),
        ("australia", "australian australians"),
        ("israel", "israeli"),
        ("egypt", "egyptian"),
    )
    for people in peoples.split()
}
"""Peoples and languages by the land that they are named after."""


def joined(text: str) -> str:
    """`text` as `readable` gives it, with numbers that a tokeniser took apart joined."""
    text = SPACED_MONEY.sub(r"\1", readable(text))
    text = SPACED_THOUSANDS.sub(lambda m: m[0].replace(" ", ""), text)
    return SPACED_POINT.sub(r"\1.\2", text).replace(" %", "%")


def prepared(text: str) -> str:
    """`text` as it is compared: `joined`, and ``1994-98`` as ``1994-1998``."""
    return YEARS.sub(_range, joined(text))


def _range(m: re.Match[str]) -> str:
    first, last = m.groups()
    return f"{first}-{first[:2]}{last}" if last > first[2:] and int(last) > 12 else m[0]


def decades(text: str) -> set[str]:
    """The decades that `text` names, by their first three digits."""
    return set(DECADE.findall(text))


def without_decades(text: str) -> str:
    """`text` without the decades that it names: ``the 1990s`` is no 1990."""
    return DECADE.sub(" ", text)


@functools.lru_cache(maxsize=16384)
def form(word: str) -> str:
    """The form that stands for `word`, before its ending is taken off."""
    return IRREGULAR.get(word) or PEOPLES.get(word, word)


@functools.lru_cache(maxsize=16384)
def meanings(text: str) -> tuple[str, ...]:
    """What the words of `text` mean, in order, by `content`: one stem for the forms of a word and for words alike."""
    return tuple(content(" ".join(form(w) for w in words(UP_TO.sub(" ", text)) if w not in EMPTY)))
