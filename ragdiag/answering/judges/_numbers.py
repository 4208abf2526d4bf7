"""Quantities in text, and whether two of them are the same: scale, unit, sign, percentages, rounding."""

from __future__ import annotations

import re
from typing import NamedTuple

from ragdiag.answering.judges._text import DOWN, UP

SCALES = {
    **dict.fromkeys(("thousand", "thousands", "k"), 1e3),
    **dict.fromkeys(("million", "millions", "mn", "mm", "m", "mio", "mil"), 1e6),
    **dict.fromkeys(("billion", "billions", "bn", "b"), 1e9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 1e12),
}
CURRENCIES = {"$": "$", "usd": "$", "us$": "$", "dollar": "$", "€": "€", "eur": "€", "euro": "€", "£": "£", "gbp": "£", "¥": "¥"}
CURRENCIES |= {"pounds": "£", "yen": "¥", "jpy": "¥", "chf": "chf", "₹": "₹", "inr": "₹", "rs": "₹"}
UNITS = {  # unit -> (dimension, how many base units)
    **dict.fromkeys(("second", "sec"), ("time", 1.0)),
    **dict.fromkeys(("minute", "min"), ("time", 60.0)),
    **dict.fromkeys(("hour", "hr"), ("time", 3600.0)),
    "day": ("time", 86400.0),
    "week": ("time", 604800.0),
    "month": ("time", 86400 * 365.25 / 12),
    "year": ("time", 86400 * 365.25),
    **dict.fromkeys(("µg", "μg", "mcg", "microgram"), ("mass", 1e-6)),
    **dict.fromkeys(("mg", "milligram"), ("mass", 1e-3)),
    **dict.fromkeys(("g", "gram"), ("mass", 1.0)),
    **dict.fromkeys(("kg", "kilogram"), ("mass", 1e3)),
    **dict.fromkeys(("ml", "milliliter", "millilitre"), ("volume", 1e-3)),
    **dict.fromkeys(("l", "liter", "litre"), ("volume", 1.0)),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), ("length", 1e-3)),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), ("length", 1e-2)),
    **dict.fromkeys(("meter", "metre"), ("length", 1.0)),
    **dict.fromkeys(("km", "kilometer", "kilometre"), ("length", 1e3)),
    "mile": ("length", 1609.344),
}
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
    r"(?<![\w.,/%])(?P<minus>-(?=[$€£¥₹(]*\d|us\$))?(?:(?P<money>us\$|[$€£¥₹]|\b(?:usd|eur|gbp|chf|inr|rs|jpy)\b\.?)\s?)?(?P<inner>-)?"
    r"(?P<open>\()?(?:(?P<money2>[$€£¥₹])\s?)?(?P<minus2>-)?"
    rf"(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:/(?P<over>[1-9]\d*)(?![\d/]))?|(?P<spelt>(?:{_WORDS})"
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
    return [_quantity(m, text) for m in NUMBER.finditer(text)]


def _quantity(m: re.Match[str], text: str) -> Quantity:
    value, step = _value(m)
    scale = SCALES.get((m["scale"] or "").lower())
    unit, factor = _unit(m)
    if unit == "length" and m["money"]:
        unit, factor = "", 1.0
    money = m["money"] or m["money2"] or m["currency"]
    if money:
        unit = CURRENCIES[
            re.sub(r"^us |\.$", "", money.lower()) if money.lower().rstrip("s.") not in CURRENCIES else money.lower().rstrip("s.")
        ]
    bare = (
        m["digits"]
        and re.fullmatch(r"(?:19|20)\d\d", m["digits"])
        and not (scale or unit or m["minus"] or m["over"] or m["times"])
    )
    if bare:
        unit = "year"
    return Quantity(value, scale, unit, factor, step, _sign(m, text, bool(bare)), m.start(), m.end(), m[0].strip())


def _value(m: re.Match[str]) -> tuple[float, float]:
    """The number without its scale, and the worth of its last digit."""
    if m["digits"]:
        plain = m["digits"].replace(",", "")
        value = float(plain) / (float(m["over"]) if m["over"] else 1.0)
        return value, 10.0 ** -len(plain.partition(".")[2])
    spelt = m["spelt"].lower()
    return float(FREQUENCIES.get(spelt, sum(SPELT.get(w, 0) for w in spelt.split("-")))), 1.0


def _unit(m: re.Match[str]) -> tuple[str, float]:
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


def _sign(m: re.Match[str], text: str, year: bool) -> int:
    """-1 for a minus, accountants' parentheses, a loss or a fall; 1 for a rise; 0 where the text does not say."""
    if m["minus"] or m["minus2"] or (m["inner"] and m["money"]):
        return -1
    enclosed = m["open"] and (m["close"] or m["close2"])
    aside = m["percent"] and text.startswith(")", m.end())  # "(37.1%)" in a sentence; "(3.1)%" and "$(4,512)" are negative
    marked = m["money"] or m["money2"] or m["percent"] or m["scale"] or m[0].strip() == text.strip()
    if enclosed and marked and not (year or aside):
        return -1
    before = re.split(r"[.;]\s|\n", text[max(0, m.start() - 80) : m.start()])[-1]
    after = text[m.end() : m.end() + 40]
    if enclosed and not year and not m["percent"] and re.search(r"(?:[:=|]|\b(?:was|is|of|at))\s*$", before):
        return -1
    if re.search(rf"\b{DOWN}{_SMALL}", before, re.IGNORECASE) or re.match(rf"{AFTER}{DOWN}\b", after, re.IGNORECASE):
        return -1
    if re.search(rf"{LOSS}(?:\s+[a-z]+){{0,6}}\W*(?:(?:in|for)\s+(?:fy)?\s?\d{{4}}\s+\w+\W*)?$", before, re.IGNORECASE):
        return -1
    if re.search(rf"\b{UP}{_SMALL}", before, re.IGNORECASE) or re.match(rf"{AFTER}{UP}\b", after, re.IGNORECASE):
        return 1
    return 0


def scale_asked(question: str) -> float | None:
    """The scale that a question sets for its answer: ``(in USD millions)``, ``in thousands``."""
    found = re.search(
        r"(?:\bin|\(|answer in)\s*(?:us\$|us dollars?|usd|eur|euros?|gbp|[$€£])?\s*(?:in\s+)?(thousands?|millions?|billions?)\b",
        question,
        re.IGNORECASE,
    )
    return SCALES[found[1].lower()] if found else None


def agree(gold: Quantity, given: Quantity, asked: float | None = None, falling: bool = False) -> bool:
    """Whether `given` is the `gold` quantity.

    `asked` is the scale that the question sets, for a gold that writes none; `falling`: the question itself asks for a loss or a
    fall, so that either sign may be left out.
    """
    if gold.sign * given.sign == -1 or (not falling and (gold.sign == -1) != (given.sign == -1)):
        return False
    if gold.unit == "year" or given.unit == "year":
        return gold.value == given.value and {gold.unit, given.unit} <= {"year", ""}
    if gold.unit and given.unit and gold.unit != given.unit:
        return False
    factors = (gold.factor, given.factor) if gold.unit == given.unit else (1.0, 1.0)
    scale = gold.scale or (asked if gold.unit != "%" else None)
    pairs = [(scale or 1.0, given.scale or 1.0)]
    if not (scale and given.scale):
        pairs.append((1.0, 1.0))  # one of them leaves the scale to the reader
    if {gold.unit, given.unit} == {"%", ""} and not (gold.scale or given.scale):
        pairs += [(0.01, 1.0)] if gold.unit == "%" else [(1.0, 0.01)]
    return any(_same(gold, given, factors[0] * g, factors[1] * a) for g, a in pairs)


def _same(gold: Quantity, given: Quantity, by: float, times: float) -> bool:
    """Equal up to rounding: within half of the gold's last digit, half a percent, or 2.5 % where the answer rounds the gold."""
    want, got = gold.value * by, given.value * times
    apart = abs(want - got)
    if apart <= 1e-9 * max(abs(want), 1e-12):
        return True
    counted = by == times == 1.0 and gold.step == given.step == 1.0 and max(want, got) < 1000 and gold.unit in ("", "time")
    if counted:  # 12 stores are not 13, whatever their share
        return False
    if apart <= 0.5000001 * gold.step * by and given.step * times < gold.step * by:
        return True
    rounded = apart <= 0.5000001 * given.step * times and given.value >= 10 * given.step
    return apart <= (0.025 if rounded else 0.005) * abs(want)
