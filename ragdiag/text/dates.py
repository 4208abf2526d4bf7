"""Dates as people write them, as the stretch of days that each may mean."""

from __future__ import annotations

import calendar
import datetime as dt
import email.utils
import re
from typing import Any

__all__ = ["MONTHS", "Period", "dates_in", "period"]

Period = tuple[dt.datetime, dt.datetime]
"""The first and the last moment that a date may mean, without a time zone (UTC)."""

MONTHS = {name: n for n in range(1, 13) for name in (calendar.month_name[n].casefold(), calendar.month_abbr[n].casefold())}
MONTHS["sept"] = 9

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_ISO = re.compile(rf"{_YEAR}(?:(?P<s>[-/._ ]?)(?P<month>0[1-9]|1[0-2])(?:(?P=s)(?P<day>0[1-9]|[12]\d|3[01]))?)?")
_WORDS = re.compile(rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?[\s-]+)?(?P<month>{_MONTH})\.?,?[\s-]+{_YEAR}", re.I)
_AMERICAN = re.compile(rf"(?P<month>{_MONTH})\.?[\s-]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]+{_YEAR}", re.I)
_DOTTED = re.compile(rf"(?P<day>\d{{1,2}})\.[ ]?(?P<month>\d{{1,2}})\.[ ]?{_YEAR}")
_SLASHED = re.compile(rf"(?P<one>\d{{1,2}})[/-](?P<two>\d{{1,2}})[/-]{_YEAR}")
_IN_NAMES = tuple(re.compile(rf"(?<![\w.]){p.pattern}(?![0-9A-Za-z])", re.I) for p in (_AMERICAN, _WORDS))
_ISO_IN_NAMES = re.compile(rf"(?<![0-9A-Za-z]){_ISO.pattern}(?![0-9A-Za-z])")

_ANY_YEAR = re.compile(r"(?:19|20)\d\d")
_SECONDS = (1e8, 1e10)  # 1973 to 2286, as seconds since 1970
_DAY = dt.timedelta(days=1) - dt.timedelta(microseconds=1)


def period(value: Any) -> Period | None:
    """What a value may mean as a date: ISO, "12 March 2024", a mail's date, seconds or milliseconds since 1970, a year.

    Where a month and a day cannot be told apart ("03/04/2024") it is all from the earlier to the later of them. None for what
    is no date.
    """
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, dt.date):
        return _days(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(value).strip()
    return _written(text) or _epoch(text)


def dates_in(name: str) -> list[Period]:
    """The dates that stand in a name ("handbook-2024-03.md", "Prices of March 2024"), each once."""
    periods: list[Period] = []
    if not _ANY_YEAR.search(name):  # most names: they are read by the thousand
        return periods
    for pattern in (*_IN_NAMES, _ISO_IN_NAMES):
        for match in pattern.finditer(name):
            dated = _from(match)
            if dated is not None and dated not in periods:
                periods.append(dated)
        if periods:
            name = pattern.sub("#", name)
    return periods


def _written(text: str) -> Period | None:
    for pattern in (_ISO, _AMERICAN, _WORDS, _DOTTED):
        if match := pattern.fullmatch(text):
            return _from(match)
    if match := _SLASHED.fullmatch(text):
        year, one, two = int(match["year"]), int(match["one"]), int(match["two"])
        both = [p for p in (_days(year, one, two), _days(year, two, one)) if p]
        return (min(both)[0], max(both)[1]) if both else None
    try:
        return _moment(dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)))
    except ValueError:
        pass
    if match := re.match(rf"{_ISO.pattern}(?=[T ]\d)", text):  # a time that this Python cannot read
        return _from(match)
    try:
        return _moment(email.utils.parsedate_to_datetime(text)) if re.match(r"(?:[A-Za-z]{3}, )?\d", text) else None
    except (ValueError, TypeError, IndexError):
        return None


def _epoch(text: str) -> Period | None:
    if not re.fullmatch(r"\d{9,13}(?:\.\d+)?", text):
        return None
    seconds = float(text)
    seconds = seconds / 1000 if seconds >= _SECONDS[1] else seconds
    if not _SECONDS[0] <= seconds < _SECONDS[1]:
        return None
    return _moment(dt.datetime.fromtimestamp(seconds, dt.timezone.utc))


def _moment(value: dt.datetime) -> Period | None:
    try:
        moment = value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:  # before the year 1 or after 9999 in UTC
        return None
    return moment, moment


def _from(match: re.Match[str]) -> Period | None:
    year, month, day = int(match["year"]), match["month"], match["day"]
    if not month:
        return dt.datetime(year, 1, 1), dt.datetime(year, 12, 31) + _DAY
    number = MONTHS.get(month.casefold()) or (int(month) if month.isdigit() else 0)
    if not 1 <= number <= 12:
        return None
    return _days(year, number, int(day)) if day else _month(year, number)


def _month(year: int, month: int) -> Period:
    return dt.datetime(year, month, 1), dt.datetime(year, month, calendar.monthrange(year, month)[1]) + _DAY


def _days(year: int, month: int, day: int) -> Period | None:
    try:
        first = dt.datetime(year, month, day)
    except ValueError:
        return None
    return first, first + _DAY
