"""Whether two wordings of a passage say the same: not where a number, what it counts, a date or a negation differs.

How it is typed makes no difference: quotes, dashes, spaces, ligatures, accents composed or not, words broken at line ends, case.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import Levenshtein, Postfix, Prefix

from ragdiag.sources.evidence._figures import BETWEEN_FIGURES, HAN_FIGURES, NUMBERS, TWENTY_ONE, number
from ragdiag.text.normal import normal
from ragdiag.text.scripts import marks
from ragdiag.text.words import unspaced

__all__ = ["differences"]

AMOUNTS = frozenset(
    normal(
        "half quarter hundred thousand million billion trillion % ‰ $ € £ ¥ ₹ ° < > ≤ ≥ "
        "cent tausend mille mil тысяч हज़ार लाख करोड़ "
        "second minute hour day week month year seconds minutes hours days weeks months years "
        "hourly daily weekly monthly yearly annually "
        "sekunde minute stunde tag woche monat jahr stunden tage wochen monate jahre täglich wöchentlich monatlich jährlich "
        "january february march april june july august "
        "september october november december monday tuesday wednesday thursday friday saturday sunday "
        "januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag "
        "janvier février mars avril juin juillet août septembre octobre novembre décembre "
        "lundi mardi mercredi jeudi vendredi samedi dimanche "
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
        "lunes martes miércoles jueves viernes sábado domingo "
        "least most fewer less more minimum maximum "
        "mindestens höchstens maximal minimal weniger mehr minstens hoogstens minimaal maximaal "
        "moins plus menos más mais mínimo máximo almeno meno più minimo massimo менее более минимум максимум कम अधिक",
        fold=True,
    ).split()
)
"""What belongs to a number or a date or bounds one, wherever it stands; ``may`` does only after a number."""

BOUNDS = frozenset(
    "before after until since over under above below within beyond vor nach bis seit über unter avant après jusque depuis "
    "antes después desde hasta depois até prima dopo entro до после".split()
)
"""What bounds a number that stands behind it, or behind one word more: "before 5", "vor dem 3."."""

NEGATIONS = frozenset(
    normal(
        "no not never none nor neither without nothing nobody nowhere except excepting excluding unless un non "
        "nicht nichts kein keine keinen keiner keinem nie weder ohne außer ne pas ni jamais sans sauf aucun aucune "
        "nunca sin excepto salvo não nem sem mai senza né tranne niet geen nooit zonder inte utan değil nie bez "
        "ikke uten uden ej nu fără tidak bukan tanpa không chưa не нет ни без кроме ні δεν δε μη μην όχι χωρίς לא אין אל בלי ללא "
        "नहीं न मत बिना না নয় নেই নি இல்லை கூடாது لا لم لن ليس غير بدون نہیں نہ بغیر نیست نه "
        "不 没 沒 无 無 未 非 勿 莫 别 別 禁 ない なし なく なかっ ません ไม่ ห้าม ບໍ່ ຫ້າມ មិន គ្មាន ဘူး",
        fold=True,
    ).split()
)
PREFIXES = ("un", "non", "in", "im", "il", "ir", "dis")
"""What makes the opposite of a word in front of it."""

COUNTS_NOTHING = frozenset(
    "a an and are as at by for from in is of on or than that the to was were which with st nd rd th v".split()
)
"""Words after a number that do not say of what it is."""

NO_DESIGNATION = frozenset("aàeioóuyаияеोв")
"""Single letters that are words; any other is a name: class B, vitamin C."""

_POINTS = str.maketrans("\u066b\u066c", ".,")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ,']\d{3})+(?![\d])")
_BROKEN = re.compile(r"(?<=[^\W\d_])-[ \t\r]*\n\s*(?=[^\W\d_])")
_NEGATING_SYLLABLE = re.compile("[않없못]|아니")
"""Korean words are negated inside."""


@functools.cache
def _word() -> re.Pattern[str]:
    """A number, a word with its marks, or a sign; of scripts without spaces a letter, or a negation."""
    letter = unspaced().pattern
    negations = "|".join(sorted((word for word in NEGATIONS if unspaced().match(word)), key=len, reverse=True))
    return re.compile(
        rf"(?:(?<!\w)(?<!\d\s)-)?\d+(?:[{BETWEEN_FIGURES}]\d+)*(?:[aeiou](?!\w))?|[{HAN_FIGURES}]+|{negations}|{letter}"
        rf"|[^\W\d_](?:(?!{letter})[^\W\d_]|[{marks()}])*(?:'[^\W\d_]+)*|[^\w\s]"
    )


@functools.cache
def _piece() -> re.Pattern[str]:
    return re.compile(rf"{unspaced().pattern}|(?:(?!{unspaced().pattern})\S)+")


SHOWN = 3
"""Differences of one passage that are shown."""
LONG = 2000
"""Words: a longer stretch from the first difference to the last is shown as one."""


def differences(label: str, there: str) -> list[tuple[str, str]]:
    """What `label` says, and what the text `there` says instead, in words; empty where they say the same."""
    return list(_differing(label, there))[:SHOWN] if _differ(label, there) else []


def _differ(one: str, other: str) -> bool:
    a, b = _words(one), _words(other)
    return list(_telling(a)) != list(_telling(b)) or _opposites(a, b)


def _plain(text: str) -> str:
    """`text` as if typed in one way."""
    text = _BROKEN.sub("", normal(text, fold=True).translate(_POINTS))
    text = TWENTY_ONE.sub(lambda m: str(NUMBERS[m[1]] + NUMBERS[m[2]]), text.replace("per cent", "percent"))
    return _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)


def _words(text: str) -> list[str]:
    """Words, numbers and marks, as if typed in one way; hyphens left out, and letters of scripts without spaces one by one."""
    return [word for word in _word().findall(_plain(text)) if word != "-"]


def _telling(words: Sequence[str]) -> Iterator[str]:
    """In order, what must not differ: numbers with what they count, parts of dates, negations."""
    counting = False  # after a number, and after "million" behind one: the next word says what it counts
    for i, word in enumerate(words):
        figure = number(word)
        bound = word if word in BOUNDS and _leads_to_number(words[i + 1 : i + 3]) else ""
        if telling := figure or _amount_or_negation(word) or bound:
            yield telling
        elif counting and word[0].isalpha() and word not in COUNTS_NOTHING:
            yield word.rstrip("s")
        counting = bool(figure) or (counting and word in AMOUNTS)


def _leads_to_number(behind: Sequence[str]) -> bool:
    """Whether the first of the words `behind` is a number, or the second, without a sign between."""
    return bool(behind) and (number(behind[0]) != "" or (behind[0].isalpha() and len(behind) > 1 and number(behind[1]) != ""))


def _amount_or_negation(word: str) -> str:
    """What belongs to a number or a date, names by a letter, or negates, in one spelling of several; "" for any other word."""
    if word == "percent":
        return "%"
    if word == "cannot" or word.endswith("n't"):
        return "not"
    if syllable := _NEGATING_SYLLABLE.search(word):
        return syllable[0]
    named = len(word) == 1 and word.isalpha() and word not in NO_DESIGNATION and not unspaced().match(word)
    return word if named or word in AMOUNTS or word in NEGATIONS else ""


def _opposites(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a word of one stands in the other with a negating prefix."""
    only, instead = Counter(one), Counter(other)
    here, there = only - instead, instead - only
    return any(p + word in b for a, b in ((here, there), (there, here)) for word in a if word.isalpha() for p in PREFIXES)


def _differing(one: str, other: str) -> Iterator[tuple[str, str]]:
    """The stretches in which two wordings differ in what tells, each with a word on either side."""
    pieces, others = ([match.span() for match in _piece().finditer(text)] for text in (one, other))
    words, other_words = [_plain(one[a:b]) for a, b in pieces], [_plain(other[a:b]) for a, b in others]
    for i, j, k, m in _edits(words, other_words):
        # A bound may have its number two words on.
        if _differ(_stretch(one, pieces, i, j, behind=2), _stretch(other, others, k, m, behind=2)):
            yield _stretch(one, pieces, i, j), _stretch(other, others, k, m)


def _stretch(text: str, pieces: Sequence[tuple[int, int]], first: int, end: int, behind: int = 1) -> str:
    """Some pieces of `text` with one before them and some `behind`, single spaces between."""
    shown = pieces[max(first - 1, 0) : end + behind]
    return " ".join(text[shown[0][0] : shown[-1][1]].split()) if shown else ""


def _edits(one: list[str], other: list[str]) -> list[tuple[int, int, int, int]]:
    """Where two lists differ, as ``[start, end)`` of each; one stretch of both where it is `LONG`."""
    same = Prefix.similarity(one, other)
    rest = Postfix.similarity(one[same:], other[same:])
    a, b = one[same : len(one) - rest], other[same : len(other) - rest]
    if max(len(a), len(b)) > LONG:
        return [(same, same + len(a), same, same + len(b))]
    changed = [step for step in Levenshtein.opcodes(a, b) if step.tag != "equal"]
    return [(same + e.src_start, same + e.src_end, same + e.dest_start, same + e.dest_end) for e in changed]
