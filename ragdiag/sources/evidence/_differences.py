"""Whether two wordings of a passage say the same: not where a number, what it counts, a date or a negation differs.

How it is typed makes no difference: quotes, dashes, spaces, ligatures, accents composed or not, words broken at line ends, case.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import Levenshtein, Postfix, Prefix

__all__ = ["differences"]

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
NUMBERS = {
    **{word: n for n, word in enumerate(["zero", *_ONES, *_TEENS])},
    **{word: n for n, word in enumerate(_ORDINALS, 1)},
    **_TENS,
    "once": 1,
    "twice": 2,
    "thrice": 3,
    "dozen": 12,
}

AMOUNTS = frozenset(
    "half quarter hundred thousand million billion trillion % ‰ $ € £ ¥ ₹ ° < > ≤ ≥ "
    "january february march april june july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday".split()
)
"""What belongs to a number or a date, wherever it stands; ``may`` does only after a number."""

NEGATIONS = frozenset(
    "no not never none nor neither without nothing nobody nowhere except excepting excluding unless un non "
    "nicht kein keine keinen keiner nie ohne außer ne pas jamais sans sauf nunca sin excepto senza mai".split()
)
PREFIXES = ("un", "non", "in", "im", "il", "ir", "dis")
"""What makes the opposite of a word in front of it."""

COUNTS_NOTHING = frozenset(
    "a an and are as at by for from in is of on or than that the to was were which with st nd rd th".split()
)
"""Words after a number that do not say of what it is."""

_TYPED_ALIKE = str.maketrans(
    {**dict.fromkeys("‘’‛′`´", "'"), **dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff", None)}
)
_TWENTY_ONE = re.compile(rf"\b({'|'.join(_TENS)})[- ]({'|'.join(_ONES)})\b")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ,']\d{3})+(?![\d])")
_BROKEN = re.compile(r"(?<=[^\W\d_])-[ \t\r]*\n\s*(?=[^\W\d_])")
_WORD = re.compile(r"(?:(?<!\w)(?<!\d\s)-)?\d+(?:[.,:/⁄]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]")

SHOWN = 3
"""Differences of one passage that are shown."""
LONG = 2000
"""Words: a longer stretch from the first difference to the last is shown as one."""


def differences(label: str, there: str) -> list[tuple[str, str]]:
    """What `label` says, and what the text `there` says instead, in words; empty where they say the same."""
    return list(_differing(label.split(), there.split()))[:SHOWN] if _differ(label, there) else []


def _differ(one: str, other: str) -> bool:
    a, b = _words(one), _words(other)
    return list(_telling(a)) != list(_telling(b)) or _opposites(a, b)


def _plain(text: str) -> str:
    """`text` as if typed in one way."""
    text = _BROKEN.sub("", unicodedata.normalize("NFKC", text.translate(_TYPED_ALIKE)).translate(_TYPED_ALIKE)).casefold()
    text = _TWENTY_ONE.sub(lambda m: str(NUMBERS[m[1]] + NUMBERS[m[2]]), text.replace("per cent", "percent"))
    return _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)


def _words(text: str) -> list[str]:
    """Words, numbers and marks, as if typed in one way; hyphens left out."""
    return [word for word in _WORD.findall(_plain(text)) if word != "-"]


def _telling(words: Sequence[str]) -> Iterator[str]:
    """In order, what must not differ: numbers with what they count, parts of dates, negations."""
    counting = False  # after a number, and after "million" behind one: the next word says what it counts
    for word in words:
        number = _number(word)
        if telling := number or _amount_or_negation(word):
            yield telling
        elif counting and word[0].isalpha() and word not in COUNTS_NOTHING:
            yield word.rstrip("s")
        counting = bool(number) or (counting and word in AMOUNTS)


def _number(word: str) -> str:
    """A number, in words or in the figures of any script, in plain digits; "" for any other word."""
    if word in NUMBERS:
        return str(NUMBERS[word])
    return "".join(str(unicodedata.decimal(c, c)) for c in word) if word[-1].isdecimal() else ""


def _amount_or_negation(word: str) -> str:
    """What belongs to a number or a date, or negates, in one spelling of several; "" for any other word."""
    if word == "percent":
        return "%"
    if word == "cannot" or word.endswith("n't"):
        return "not"
    return word if word in AMOUNTS or word in NEGATIONS else ""


def _opposites(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a word of one stands in the other with a negating prefix."""
    only, instead = Counter(one), Counter(other)
    here, there = only - instead, instead - only
    return any(p + word in b for a, b in ((here, there), (there, here)) for word in a if word.isalpha() for p in PREFIXES)


def _differing(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The stretches in which two wordings differ in what tells, each with a word on either side."""
    for i, j, k, m in _edits([_plain(w) for w in one], [_plain(w) for w in other]):
        stretch, instead = (" ".join(words[max(a - 1, 0) : b + 1]) for words, a, b in ((one, i, j), (other, k, m)))
        if _differ(stretch, instead):
            yield stretch, instead


def _edits(one: list[str], other: list[str]) -> list[tuple[int, int, int, int]]:
    """Where two lists differ, as ``[start, end)`` of each; one stretch of both where it is `LONG`."""
    same = Prefix.similarity(one, other)
    rest = Postfix.similarity(one[same:], other[same:])
    a, b = one[same : len(one) - rest], other[same : len(other) - rest]
    if max(len(a), len(b)) > LONG:
        return [(same, same + len(a), same, same + len(b))]
    changed = [step for step in Levenshtein.opcodes(a, b) if step.tag != "equal"]
    return [(same + e.src_start, same + e.src_end, same + e.dest_start, same + e.dest_end) for e in changed]
