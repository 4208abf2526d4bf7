"""Quantities in text, and whether two of them are the same: scale, unit, sign, percentages, rounding."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ragdiag.answering.judges._text import DOWN, UP
from ragdiag.answering.judges._units import CURRENCIES, SCALES, UNITS

EXACT = 1000
"""Steps: two numbers that are written in as many digits as that, and alike, are rounded alike too."""

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SPELT = {w: i for i, w in enumerate(ONES.split())} | {w: 10 * i for i, w in enumerate(TENS.split(), 2)} | {"hundred": 100}
FREQUENCIES = {"once": 1, "twice": 2, "thrice": 3}

_WORDS = "|".join(sorted(SPELT, key=len, reverse=True))
_UNIT = "|".join(sorted((re.escape(u) for u in UNITS), key=len, reverse=True))
NUMBER = re.compile(
    r"(?<![\w.,/%])(?P<minus>-(?=[$€£¥₹(]*\d|us\$))?(?:(?P<money>us\$|[$€£¥₹]|\b(?:usd|eur|gbp|chf|inr|rs"
    r"|jpy)\b\.?)\s?)?(?P<inner>-)?"
    r"(?P<open>\()?(?:(?P<money2>[$€£¥₹])\s?)?(?P<minus2>-)?"
    rf"(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:/(?P<over>[1-9]\d*)(?![\d/]))?"
    rf"|(?P<spelt>(?:{_WORDS})"
    rf"(?:-(?:{_WORDS}))?|once|twice|thrice)\b)"
    r"(?![\d]|-[a-z]{1,2}\b|[a-jln-z]\d)(?P<close>\))?(?P<times>x\b)?"
    r"(?:[\s-]?(?P<scale>thousands?|millions?|billions?|trillions?|mn|mm|mio|bn|tn|[kmb])\b(?![-/]))?(?P<close2>\))?"
    r"(?:\s?(?P<percent>%|percentage points?\b|percent\b|per cent\b|pp\b|ppts?\b)|\s?(?P<bp>basis points?\b|bps?\b)"
    r"|\s?(?P<currency>(?:us )?dollars?|usd|euros?|eur|pounds|gbp|yen|chf)\b|\s?(?P<cents>cents?\b|¢)"
    rf"|[\s-]?(?P<unit>{_UNIT})s?\b)?",
    re.IGNORECASE,
)

_SMALL = (
    r"(?:\s+(?:by|of|about|approximately|roughly|around|nearly|almost|some|an?|over|just|another|organically|was|were|is))*"
    r"\W{0,4}$"
)
PROFIT = r"\b(?:profits?|gains?|surplus|inflow|positive)\b"
LOSS = r"\b(?:loss|losses|deficit|outflow|lost|negative|cash used)\b"
AFTER = r"^\s*(?:\w+[\s-]){0,1}(?:year[\s-]over[\s-]year\s+)?"


class Quantity(NamedTuple):
    """A number as written: `value` in units of `scale` (1e6 for "million", None where no scale is written).

    `unit` is "%", a currency, a dimension, "year" for what can only be one, or ""; `factor` turns `value` into the dimension's
    base unit; `step` is the last written digit's worth; `sign` is -1 or 1 where the text says so, by a mark or in words, else 0.
    """

    value: float
    scale: float | None
    unit: str
    factor: float
    step: float
    sign: int
    start: int
    end: int
    text: str


def quantities(text: str) -> list[Quantity]:
    """The quantities in `text`, in order. `text` is as `readable` gives it."""
    return list(_quantities(text))


@functools.lru_cache(maxsize=512)
def _quantities(text: str) -> tuple[Quantity, ...]:
    return tuple(_quantity(m, text) for m in NUMBER.finditer(text))


def _quantity(m: re.Match[str], text: str) -> Quantity:
    value, step = _value(m)
    unit, factor = _unit(m)
    scale = SCALES.get((m["scale"] or "").lower())
    return Quantity(value, scale, unit, factor, step, _sign(m, text, unit == "year"), m.start(), m.end(), m[0].strip())


def _value(m: re.Match[str]) -> tuple[float, float]:
    """The number without its scale, and the worth of its last digit."""
    if m["digits"]:
        plain = m["digits"].replace(",", "")
        value = float(plain) / (float(m["over"]) if m["over"] else 1.0)
        return value, 10.0 ** -len(plain.partition(".")[2])
    spelt = m["spelt"].lower()
    return float(FREQUENCIES.get(spelt, sum(SPELT.get(w, 0) for w in spelt.split("-")))), 1.0


def _unit(m: re.Match[str]) -> tuple[str, float]:
    """The unit and its factor, as in `Quantity`; a currency goes before any other."""
    unit, factor = _written_unit(m)
    money = m["money"] or m["money2"] or m["currency"]
    if money:
        millions = unit == "length" and m["money"]  # the "mm" of "$5 mm/year" is no millimetre
        return _currency(money.lower()), 1.0 if millions else factor
    return ("year", 1.0) if not unit and _is_year(m) else (unit, factor)


def _written_unit(m: re.Match[str]) -> tuple[str, float]:
    if m["percent"]:
        return "%", 1.0
    if m["bp"]:
        return "%", 0.01
    if m["cents"]:
        return "$", 0.01
    if m["unit"]:
        name = m["unit"].lower()
        return UNITS.get(name) or UNITS[name.rstrip("s")]
    return "", 1.0


def _currency(money: str) -> str:
    name = re.sub(r"^us (?=dollar)", "", money).rstrip(".")
    return CURRENCIES.get(name) or CURRENCIES[name.rstrip("s")]


def _is_year(m: re.Match[str]) -> bool:
    """Whether four bare digits can only be a year."""
    marked = m["scale"] or m["minus"] or m["over"] or m["times"]
    return bool(m["digits"] and re.fullmatch(r"(?:19|20)\d\d", m["digits"]) and not marked)


@dataclass(frozen=True)
class _Place:
    """A number where it stands in a text; `year` where it is one."""

    m: re.Match[str]
    text: str
    year: bool

    @functools.cached_property
    def before(self) -> str:
        """What the number's sentence says right before it."""
        return re.split(r"[.;]\s|\n", self.text[max(0, self.m.start() - 80) : self.m.start()])[-1]

    @property
    def after(self) -> str:
        """What stands right after it."""
        return self.text[self.m.end() : self.m.end() + 40]

    @property
    def enclosed(self) -> bool:
        """Whether it is a number in parentheses, but no year."""
        return bool(self.m["open"] and (self.m["close"] or self.m["close2"])) and not self.year


def _has_minus(number: _Place) -> bool:
    m = number.m
    return bool(m["minus"] or m["minus2"] or (m["inner"] and m["money"]))


def _is_in_accountants_parentheses(number: _Place) -> bool:
    """``(3.1)%`` and ``$(4,512)`` are negative; ``(37.1%)`` in a sentence is an aside."""
    m = number.m
    aside = m["percent"] and number.text.startswith(")", m.end())
    marked = m["money"] or m["money2"] or m["percent"] or m["scale"] or m[0].strip() == number.text.strip()
    return bool(number.enclosed and marked and not aside)


def _is_a_value_in_parentheses(number: _Place) -> bool:
    """``net income: (12)``."""
    labelled = re.search(r"(?:[:=|]|\b(?:was|is|of|at))\s*$", number.before)
    return bool(number.enclosed and not number.m["percent"] and labelled)


def _moves(number: _Place, way: str) -> bool:
    """Whether a word of rising or falling, as the pattern `way` has them, stands beside the number."""
    before = re.search(rf"\b{way}{_SMALL}", number.before, re.IGNORECASE)
    return bool(before or re.match(rf"{AFTER}{way}\b", number.after, re.IGNORECASE))


def _falls(number: _Place) -> bool:
    return _moves(number, DOWN)


def _is_a_loss(number: _Place) -> bool:
    """``a net loss of 12``, ``loss for 2023 was 12``."""
    loss_before = rf"{LOSS}(?:\s+[a-z]+){{0,6}}\W*(?:(?:in|for)\s+(?:fy)?\s?\d{{4}}\s+\w+\W*)?$"
    return bool(re.search(loss_before, number.before, re.IGNORECASE))


def _rises(number: _Place) -> bool:
    return _moves(number, UP)


def _is_a_gain(number: _Place) -> bool:
    """``a profit of 12``."""
    return bool(re.search(rf"{PROFIT}(?:\s+(?:of|was|is|at|by|about|some))*\W*$", number.before, re.IGNORECASE))


SIGNS: tuple[tuple[Callable[[_Place], bool], int], ...] = (
    (_has_minus, -1),
    (_is_in_accountants_parentheses, -1),
    (_is_a_value_in_parentheses, -1),
    (_falls, -1),
    (_is_a_loss, -1),
    (_rises, 1),
    (_is_a_gain, 1),
)
"""What gives a number its sign; the first that holds decides, so that a mark goes before a word and a fall before a rise."""


def _sign(m: re.Match[str], text: str, year: bool) -> int:
    """-1 for a minus, accountants' parentheses, a loss or a fall; 1 for a rise; 0 where the text does not say."""
    number = _Place(m, text, year)
    return next((sign for holds, sign in SIGNS if holds(number)), 0)


def scale_asked(question: str) -> float | None:
    """The scale that a question sets for its answer: ``(in USD millions)``, ``in thousands``."""
    named = re.search(
        r"(?:\bin|\(|answer in)\s*(?:us\$|us dollars?|usd|eur|euros?|gbp|[$€£])?\s*(?:in\s+)?(thousands?|millions?|billions?)\b",
        question,
        re.IGNORECASE,
    )
    return SCALES[named[1].lower()] if named else None


def agree(gold: Quantity, given: Quantity, asked: float | None = None, falling: bool = False) -> bool:
    """Whether `given` is the `gold` quantity.

    `asked` is the scale that the question sets, for a gold that writes none; `falling`: the question itself asks for a loss or a
    fall, so that either sign may be left out.
    """
    if not _same_sign(gold, given, falling):
        return False
    if "year" in (gold.unit, given.unit):
        return gold.value == given.value and {gold.unit, given.unit} <= {"year", ""}
    if gold.unit and given.unit and gold.unit != given.unit:
        return False
    factors = (gold.factor, given.factor) if gold.unit == given.unit else (1.0, 1.0)
    return any(_same(gold, given, factors[0] * by, factors[1] * times) for by, times in _scales(gold, given, asked))


def _same_sign(gold: Quantity, given: Quantity, falling: bool) -> bool:
    """Whether no sign contradicts the other; only where the question asks for a fall may a minus be left out."""
    if falling:
        return gold.sign * given.sign != -1
    return (gold.sign == -1) == (given.sign == -1)


def _scales(gold: Quantity, given: Quantity, asked: float | None) -> list[tuple[float, float]]:
    """What gold and given may be multiplied by before they are compared."""
    scale = gold.scale or (asked if gold.unit != "%" else None)
    scales = [(scale or 1.0, given.scale or 1.0)]
    if not (scale and given.scale):
        scales.append((1.0, 1.0))  # one of them leaves the scale to the reader
    if {gold.unit, given.unit} == {"%", ""} and not (gold.scale or given.scale):
        scales.append((0.01, 1.0) if gold.unit == "%" else (1.0, 0.01))  # 12 % is 0.12
    return scales


def _same(gold: Quantity, given: Quantity, by: float, times: float) -> bool:
    """Equal up to rounding: within half of the gold's last digit, half a percent, or 2.5 % where the answer rounds the gold."""
    expected, got = gold.value * by, given.value * times
    apart = abs(expected - got)
    if apart <= 1e-9 * max(abs(expected), 1e-12):
        return True
    if by == times and _counted(gold) and _counted(given):
        return False
    unscaled = by == times == 1.0 and gold.step == given.step == 1.0
    if unscaled and max(expected, got) < 1000 and gold.unit in ("", "time"):  # 12 stores are not 13, whatever their share
        return False
    if apart <= 0.5000001 * gold.step * by and given.step * times < gold.step * by:
        return True
    return apart <= _tolerance(gold, given, apart, by, times) * abs(expected)


def _counted(q: Quantity) -> bool:
    """Whether a number without a unit is told in five digits or more and not rounded to hundreds: ``48,310``."""
    return not q.unit and q.step == 1.0 and q.value >= 1e4 and q.value % 100 > 0 and not q.scale


def _tolerance(gold: Quantity, given: Quantity, apart: float, by: float, times: float) -> float:
    """By what share two numbers may differ that are `apart`."""
    if gold.unit == "data" and gold.factor != given.factor:
        return 0.025  # 2 GB are 2048 MB, or 2000
    if apart <= 0.5000001 * given.step * times and given.value >= 10 * given.step:
        return 0.025
    exact = given.step * times == gold.step * by and gold.value >= EXACT * gold.step and given.value % (10 * given.step) > 0
    return 0.001 if exact else 0.005
