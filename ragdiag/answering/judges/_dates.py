"""Dates in text, in the forms people write, and whether one says what another does."""

from __future__ import annotations

import re
from typing import NamedTuple

from ragdiag.answering.judges._conclusion import before, dismissed
from ragdiag.answering.judges._text import content, sentences
from ragdiag.core.opinions import DOUBTFUL, Opinion

MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "(?P<month>" + "|".join(f"{m[:3]}(?:{m[3:]})?" if len(m) > 3 else m for m in MONTHS) + r"|sept)\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>1\d{3}|20\d\d)"
_QUARTER = r"(?:q(?P<quarter>[1-4])|(?P<nth>first|second|third|fourth|1st|2nd|3rd|4th)[\s-]quarter)"
_FISCAL = r"(?:\s*(?:of|in|for)?\s*(?:the\s+)?(?:fiscal(?:\s+year)?|fy)?\s?'?,?\s?)"
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}

WHEN = re.compile(
    r"^\W*when\b|\bwhen (?:was|were|did|do|does|is|are|will)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|quarter|decade|century)\b",
    re.IGNORECASE,
)

UNIT = re.compile(r"\b(?:what|which)\s+(?:\w+\s+)?(year|date|day|month|quarter|decade|century)\b", re.IGNORECASE)
"""How exact a date is asked for."""

WAS = re.compile(r"\bwhen\s+(?:was|were|did|had|has|have)\b", re.IGNORECASE)

BESIDE = re.compile(r"\b(?:after|before|following|prior to)(?: the| its)?\s*$", re.IGNORECASE)
"""What stands before a date that another one is told by."""

FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})\b",
        r"\b(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<year>\d{4})\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY}\b(?:,?\s+{_YEAR}\b)?",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
        r"\b(?P<quarter>[1-4])Q\s?'?(?P<short>\d{4}|\d{2})\b",
        rf"\b{_QUARTER}{_FISCAL}(?P<short>\d{{4}}|\d{{2}})\b",
        rf"\b(?:fiscal(?:\s+year)?|fy)[\s-]?'?(?P<short>\d{{4}}|\d{{2}})(?:\s*,?\s*{_QUARTER})?\b",
        r"(?:(?<![\w.,$€£-])|(?<=\d{4}-))(?P<year>1[5-9]\d\d|20\d\d)(?![\d%]|,\d|\.\d)\b",
    )
]


class Date(NamedTuple):
    """A date, or as much of one as is written; 0 for a part that is not. Where it stands in the text: `start`, `end`."""

    year: int
    quarter: int
    month: int
    day: int
    start: int
    end: int


def dates(text: str) -> list[Date]:
    """The dates in `text`, in order; each stretch of text is read once, in its fullest form."""
    dates_read: list[Date] = []
    taken = bytearray(len(text))  # 1 where a date has been read
    for form in FORMS:
        for m in form.finditer(text):
            if not any(taken[m.start() : m.end()]):
                read = _read(m)
                taken[m.start() : m.end()] = bytes([bool(read)]) * (m.end() - m.start())
                dates_read += read
    return sorted(dates_read, key=lambda d: d.start)


def _read(m: re.Match[str]) -> list[Date]:
    """One date; a numeric one is read month first, and day first as well where both are possible."""
    parts = {k: v for k, v in m.groupdict().items() if v}
    year = int(parts.get("year", 0)) or _whole_year(parts.get("short", ""))
    quarter = int(parts.get("quarter", 0)) or ORDINALS.get(parts.get("nth", "").lower(), 0)
    if "a" in parts:
        orders = {(int(parts["a"]), int(parts["b"])), (int(parts["b"]), int(parts["a"]))}
        return [Date(year, 0, month, day, m.start(), m.end()) for month, day in sorted(orders) if month <= 12]
    named = parts.get("month", "").lower()[:3]
    month = next((i for i, name in enumerate(MONTHS, 1) if named and name.startswith(named)), int(parts.get("number", 0)))
    return [Date(year, quarter, month, int(parts.get("day", 0)), m.start(), m.end())]


def _whole_year(short: str) -> int:
    return int(short) + 2000 * (len(short) == 2) if short else 0


def says(given: Date, gold: Date) -> bool:
    """Whether `given` holds every part that `gold` has; it may say more."""
    if gold.quarter == 0 and given.quarter and gold.month:
        return False
    return all(a == g for a, g in zip(given[:4], gold[:4], strict=True) if g)


def is_date(gold: str) -> bool:
    """Whether `gold` is dates and nothing else."""
    parts = dates(gold)
    for start, end in sorted(((d.start, d.end) for d in parts), reverse=True):
        gold = gold[:start] + " " + gold[end:]
    return bool(parts) and not [w for w in content(gold) if w not in ("quarter", "date", "fiscal")]


def is_bare(gold: str) -> bool:
    """Whether `gold` is four digits, which may be a year or an amount."""
    return bool(re.fullmatch(r"\W*\d{4}\W*", gold))


def asked(date: Date, question: str) -> Date:
    """As much of `date` as `question` asks for: of a day its year, or its month."""
    unit = UNIT.search(question)
    if unit and unit[1].lower() == "year" and date.year:
        return date._replace(quarter=0, month=0, day=0)
    return date._replace(year=0, day=0) if unit and unit[1].lower() == "month" and date.month else date


def tells(given: Date, gold: Date, question: str) -> bool:
    """Whether `given` says as much of `gold` as is asked: of a month, when something was, the year will do."""
    if says(given, asked(gold, question)):
        return True
    return not gold.day and leaves_open(question) and coarser(given, gold)


def leaves_open(question: str) -> bool:
    """Whether `question` asks when something was, and not how exactly."""
    return bool(WAS.search(question)) and not UNIT.search(question)


def coarser(given: Date, gold: Date) -> bool:
    """Whether `given` is of the year of `gold`, and differs in nothing else that it says."""
    if not given.year or given.year != gold.year:
        return False
    return all(not g or g == of_gold for g, of_gold in zip(given[1:4], gold[1:4], strict=True))


def _names_month(gold: list[Date], question: str, answer: str) -> bool:
    """Whether a month is asked for, and `answer` names that of the first date of `gold`, alone or in a date."""
    unit = UNIT.search(question)
    named = unit and unit[1].lower() == "month" and gold and gold[0].month
    return bool(named) and bool(re.search(rf"\b{MONTHS[gold[0].month - 1]}\b(?!\W+\d{{4}})", answer, re.IGNORECASE))


def compare(gold: str, answer: str, question: str = "") -> Opinion:
    """Each date of `gold` must be told in `answer`, and not to set it aside or to tell another one by."""
    given = [d for s in sentences(answer) for d in dates(s) if not (dismissed(s, d.start) or BESIDE.search(before(s, d.start)))]
    if _names_month(dates(gold), question, answer):
        return Opinion(True, f"the month of {gold!r}")
    missing = next((date for date in dates(gold) if not any(tells(d, date, question) for d in given)), None)
    return Opinion(True, f"the same date as {gold!r}") if missing is None else _not_told(gold, missing, given, question)


def _not_told(gold: str, missing: Date, given: list[Date], question: str) -> Opinion:
    """Of a date of `gold` that `given` does not tell: doubtful where it is told less exactly than the question leaves open."""
    text = gold[missing.start : missing.end]
    if leaves_open(question) and any(coarser(d, missing) for d in given):
        return Opinion(False, f"a coarser date than {text}, to a question that leaves open how exactly", DOUBTFUL)
    return Opinion(False, f"the date {text} is not in the answer" if given else f"no date in the answer, {text} expected")
