"""Numbers as they are written elsewhere: ``12.450``, ``12 450``, ``12'450``, ``34,7``, as one with points for decimals alone."""

from __future__ import annotations

import re

UNMISTAKABLE = tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        (r"(?<![\w.,'])\d{1,3}(?:['’]\d{3})+(?![\w'])", "'"),  # 12'450
        (r"(?<![\w.,])(?<!\d )\d{1,3}(?: \d{3})+(?![\w]|[.,]?\d| \d)", " "),  # 12 450
        (r"(?<![\w.,])\d{1,3}(?:\.\d{3}){2,}(?![\w]|\.\d)", "."),  # 1.234.567
        (r"(?<![\w.,])\d{1,2}(?:,\d{2})+,\d{3}(?![\w]|,\d)", ","),  # 12,34,567
        (r"(?<![\w.,])\d{1,3}(?:_\d{3})+(?!\w)", "_"),
    )
)
EUROPEAN = re.compile(r"(?<![\w.,])(?P<whole>\d{1,3}(?:\.\d{3})+|\d+),(?P<part>\d{1,2}|\d{4,})(?![\d]|,\d|\.\d)")
THOUSANDS = re.compile(
    r"(?<![\w.,])\d{1,3}\.\d{3}(?![\w%]|[.,]\d)(?!\s?(?:%|percent|thousand|million|billion|trillion|[kmb]n?\b))"
)


METRES = re.compile(r"(?<=\d)\s?m\b(?!\s?(?:usd|eur|gbp|dollars|euros))")
LENGTH = re.compile(
    r"\bhow (?:tall|high|long|deep|wide|far|big)\b"
    r"|\b(?:height|length|depth|width|distance|elevation|altitude|diameter)\b",
    re.IGNORECASE,
)


def measured(question: str, text: str) -> str:
    """`text` with ``324 m`` as metres where `question` asks for a length: elsewhere it is a million."""
    return METRES.sub(" metres", text) if LENGTH.search(question) else text


def regular(text: str) -> str:
    """`text` with numbers that can be read in one way only in English: separators of thousands go, ``1.234,5`` is 1234.5."""
    for pattern, mark in UNMISTAKABLE:
        text = pattern.sub(lambda m, mark=mark: m[0].replace(mark, "").replace("’", ""), text)  # type: ignore[misc]
    return EUROPEAN.sub(lambda m: _english(m) if "." in m["whole"] else m[0], text)


def european(text: str) -> str:
    """`text` with what may be read in two ways as continental Europe does: ``12.450`` is 12450, and ``34,7`` is 34.7."""
    return THOUSANDS.sub(lambda m: m[0].replace(".", ""), EUROPEAN.sub(_english, text))


def _english(m: re.Match[str]) -> str:
    return m["whole"].replace(".", "") + "." + m["part"]
