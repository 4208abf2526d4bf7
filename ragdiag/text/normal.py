"""The form in which texts are compared, so that how a text was typed makes no difference, with the way back to the source.

Compatibility forms are unfolded (a ligature is its letters, a full-width digit a digit: Unicode's NFKC), letters and their marks
composed, invisible characters dropped, quotation marks, dashes and spaces told apart no more. A raised number behind a figure
stays apart from it ("5¹" is no 51), and a fraction keeps its bar ("5½" is "5 1/2").
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ragdiag.core.arrays import IntArray
from ragdiag.text.scripts import APOSTROPHES, INVISIBLE, NUMBERS_IN_ONE_SIGN
from ragdiag.text.unicode import is_normalized, normalize

__all__ = ["Normal", "folded", "normal"]

_TYPED_ALIKE = {
    **dict.fromkeys("‘’‚‛′‵`´‹›＇" + APOSTROPHES, "'"),
    **dict.fromkeys("“”„‟″‶«»〝〞〟＂", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃﹘﹣－", "-"),
    "\u2044": "/",
    "\u2215": "/",
}
"""What each of these is typed as, where a keyboard has no other key for it."""

_DROPPED = re.compile(f"[{INVISIBLE}]")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_NUMBER = re.compile(f"[{NUMBERS_IN_ONE_SIGN}]")
_COMPOSING = "\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f"
"""What is no mark to Unicode and yet composes: later letters of a Korean syllable, voicing of narrow kana."""


def normal(text: str, fold: bool = False) -> str:
    """`text` in the form in which texts are compared; with `fold`, whatever its case."""
    return Normal(text, fold).text


@functools.lru_cache(4096)
def folded(text: str) -> str:
    """`text` in its normal form in one case, with single spaces: texts for which that is the same count as the same."""
    return " ".join(normal(text, fold=True).split())


class Normal:
    """A text in the form in which texts are compared, `text`, and the way from there to positions in its source."""

    def __init__(self, source: str, fold: bool = False) -> None:
        self._starts: IntArray | None = None  # of each piece here, where it begins; None where every character is its own
        if source.isascii() and "`" not in source:
            self.text = source.casefold() if fold else source
        else:
            self._replace(source, fold)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where the source has what stands at ``[start, end)`` here: whole letters with their marks."""
        if self._starts is None:
            return start, end
        return self._first(start), self._first(end - 1, behind=True) if end > start else self._first(start)

    def _first(self, at: int, behind: bool = False) -> int:
        """The source's position for the character at `at`; with `behind`, of what follows it."""
        assert self._starts is not None
        piece = int(self._starts.searchsorted(at, side="right")) - 1
        if piece < 0:
            return at + behind
        begin, source, length, changed = (int(column[piece]) for column in (self._starts, *self._columns))
        if changed and at < begin + changed:
            return source + (length if behind else 0)
        return source + length + at - begin - changed + behind

    def _replace(self, source: str, fold: bool) -> None:
        parts, rows, last, at = list[str](), list[tuple[int, int, int, int]](), 0, 0
        for start, end, instead in _replacements(source, fold):
            parts += [source[last:start], instead]
            at += start - last
            rows.append((at, start, end - start, len(instead)))
            last, at = end, at + len(instead)
        self.text = "".join([*parts, source[last:]])
        if fold:
            self.text = self.text.casefold()  # what is left changes letter for letter
        if rows:
            table = np.array(rows, dtype=np.int64).T
            self._starts, self._columns = table[0], table[1:]


def _replacements(text: str, fold: bool) -> Iterator[tuple[int, int, str]]:
    """The stretches of `text` that are written otherwise in its normal form: start, end, what stands there instead."""
    instead = _instead(set(text), fold)
    pattern = _pattern(text, instead)
    for match in pattern.finditer(text) if pattern else ():
        written = match[0]
        new = instead[written] if written in instead else _together(written, fold)
        if _joins(text, match.start(), written):
            new = f"{'^' if written[0] in _RAISED else ' '}{new}"
        if new != written:
            yield *match.span(), new


def _instead(characters: Iterable[str], fold: bool) -> dict[str, str]:
    """Those of `characters` that are written otherwise, and how; not those that only change their case, letter for letter."""
    forms = ((c, _alone(c, fold)) for c in characters)
    return {c: form for c, form in forms if len(form) != 1 or form != (c.lower() if fold else c)}


def _pattern(text: str, instead: Mapping[str, str]) -> re.Pattern[str] | None:
    """What finds the characters `instead` in `text`, and letters with marks that may be composed; None where there are none."""
    alone = f"[{re.escape(''.join(instead))}]" if instead else ""
    dropped = "".join(c for c, new in instead.items() if not new)
    any_letter = f"[^{re.escape(dropped)}]" if dropped else "."  # each run of what is dropped is read through once
    letter = alone if is_normalized("NFC", text) and not dropped else any_letter
    marks = "".join(filter(_is_mark, set(text))) if letter else ""
    patterns = [f"{letter}[{re.escape(marks + dropped)}]*[{re.escape(marks)}]" if marks else "", alone]
    return re.compile("|".join(filter(None, patterns)), re.DOTALL) if any(patterns) else None


@functools.lru_cache(maxsize=1 << 16)
def _alone(character: str, fold: bool) -> str:
    """One character in its normal form."""
    if _DROPPED.match(character):
        return ""
    typed = _TYPED_ALIKE.get(character)
    if typed is None:
        typed = "".join(_TYPED_ALIKE.get(c, c) for c in normalize("NFKC", character))
    typed = " " if unicodedata.category(character) == "Zs" else typed
    return typed.casefold() if fold else typed


@functools.lru_cache(maxsize=1 << 16)
def _together(letter_and_marks: str, fold: bool) -> str:
    composed = normalize("NFKC", letter_and_marks)
    return normalize("NFC", "".join(_alone(c, fold) for c in composed))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or bool(re.match(f"[{_COMPOSING}]", character))


def _joins(text: str, start: int, written: str) -> bool:
    """Whether a number written in one sign ("½", "²"), or a raised minus, would be read on with the figure before it."""
    if written[0] not in _RAISED and _NUMBER.match(written) is None:
        return False
    while start and _DROPPED.match(text[start - 1]):
        start -= 1
    return text[max(start - 2, 0) : start].rstrip(".,")[-1:].isdecimal()
