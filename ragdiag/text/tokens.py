r"""Tokens: where in a text they are, and how many there are.

A token is a match of ``\w+|[^\w\s]`` unless a chunker's ``unit`` says otherwise: no download, the same for every retriever.
Combining marks, joiners and invisible characters belong to what they follow; letters of scripts that put no space between words
(Chinese, Japanese, Thai, Khmer ...) are a token each, an emoji of several signs is one.
Found by array arithmetic on code points rather than by `re`, which is some ten times slower on large corpora.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.arrays import BoolArray, IntArray
from ragdiag.core.errors import SpecError, nearest
from ragdiag.core.registry import require
from ragdiag.core.remote import is_here
from ragdiag.text.scripts import INVISIBLE, letters_without_spaces, marks, spaced_by_sentence

__all__ = [
    "CLOSER",
    "ITEM",
    "LOWER",
    "MARK",
    "NEWLINE",
    "SPACED",
    "STOP",
    "WIDE_STOP",
    "WORD",
    "Classes",
    "blank",
    "char_classes",
    "count_tokens",
    "inside_letters",
    "starts_of",
    "token_starts",
    "where",
]

WORD, MARK, LOWER, STOP, WIDE_STOP, CLOSER, ITEM, NEWLINE = (1 << n for n in range(8))
"""What a character is, as bits: part of a word, or a token by itself (neither: it starts none); a small letter; what ends a
sentence (before white space, or without, as in Chinese); what may close it; what starts a list item, heading or table row; a line
feed. White space has no bit but that."""

SPACED = MARK | LOWER
"""A letter of Thai, Lao or Khmer, whose sentences end with a space."""

FOLLOWS = LOWER
"""The class of what belongs to the token before it and is no part of a word: a mark on a sign, the rest of an emoji."""

_JOINS = NEWLINE | MARK
"""In the table: what takes its class from what it follows."""

_CHARACTERS = {
    STOP: ".!?…؟۔։።፧‼⁇⁈⁉",
    WIDE_STOP: "。！？｡।॥။།༎។៕",
    CLOSER: "\"')]}”’»›*」』）】》〉〕〗〙〛］｝｠｣",
    ITEM: "#-*|•>+",
    NEWLINE: "\n",
}

_JOINER = 0x200D
_EMOJI_MODIFIERS, _FLAG_LETTERS = (0x1F3FB, 0x1F400), (0x1F1E6, 0x1F200)
"""Skin tones, which belong to the emoji before them; letters that make a flag in pairs."""

Classes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Codes = np.ndarray[tuple[int], np.dtype[np.uint32]]


@functools.cache
def _class_table() -> Classes:
    """The class of every code point; words and spaces from `re` itself, so that both agree."""
    codes = np.arange(0x110000, dtype="<u4")
    codes[0xD800:0xE000] = ord("?")  # surrogates cannot be decoded; they are marks too
    everything = codes.tobytes().decode("utf-32-le")
    table = np.full(0x110000, MARK, dtype=np.uint8)
    for pattern, bits in ((r"\w+", WORD), (r"\s+", 0)):
        for match in re.finditer(pattern, everything):
            table[match.start() : match.end()] = bits
    for characters, bits in (
        (letters_without_spaces(), MARK),
        (spaced_by_sentence(), SPACED),
        (marks() + INVISIBLE, _JOINS),
    ):
        for match in re.finditer(f"[{characters}]+", everything):
            table[match.start() : match.end()] = bits
    table[slice(*_EMOJI_MODIFIERS)] = _JOINS
    for bit, characters in _CHARACTERS.items():
        table[[ord(c) for c in characters]] |= bit
    table[[i for i in range(0x2000) if chr(i).islower()]] |= LOWER
    return table


def char_classes(text: str) -> Classes:
    """For each character of `text` its class bits, shape ``(len(text),)``."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii").translate(_class_table()[:256].tobytes()), dtype=np.uint8)
    return _classes_and_joined(text)[0]


def inside_letters(text: str) -> BoolArray:
    """Which characters belong to the letter, sign or emoji before them, shape ``(len(text),)``."""
    if text.isascii():
        return np.zeros(len(text), dtype=bool)
    classes, joined = _classes_and_joined(text)
    inside: BoolArray = classes == FOLLOWS
    inside[joined] = True
    return inside


def _classes_and_joined(text: str) -> tuple[Classes, IntArray]:
    """The class of each character, and which took it from what they follow."""
    table = _class_table()
    # A lone surrogate cannot be in a UTF-8 file, but a library user may pass one.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # Most characters of most texts are narrow: translating bytes is far faster than looking up every wide code.
    classes = np.frombuffer(codes.astype(np.uint8).tobytes().translate(table[:256].tobytes()), dtype=np.uint8).copy()
    wide = (codes > 255).nonzero()[0]
    classes[wide] = table[codes[wide]]
    among: IntArray = np.arange(len(text)) if "\xad" in text else wide  # of Latin-1 only the soft hyphen joins
    joined: IntArray = among[(classes[among] & _JOINS) == _JOINS]
    _attach(classes, joined, codes[joined] == _JOINER)
    _pair(classes, wide[_within(codes[wide], _FLAG_LETTERS)])
    return classes, joined


def _within(codes: Codes, low_and_high: tuple[int, int]) -> BoolArray:
    return (codes >= low_and_high[0]) & (codes < low_and_high[1])


def _attach(classes: Classes, joined: IntArray, is_joiner: BoolArray) -> None:
    """Make the characters `joined` a part of the word that they follow, if they follow one, else of no word; in place.

    What stands behind a joiner that follows a sign belongs to that sign.
    """
    if not len(joined):
        return
    begins = np.diff(joined, prepend=-2) != 1
    before = joined[begins] - 1  # each row of them follows this
    bases = np.where(before < 0, 0, classes[before])[np.cumsum(begins) - 1]
    classes[joined] = np.where(bases & WORD, WORD, FOLLOWS)
    behind = joined[is_joiner & ((bases & MARK) != 0)] + 1
    behind = behind[behind < len(classes)]
    classes[behind[(classes[behind] & MARK) != 0]] = FOLLOWS


def _pair(classes: Classes, flags: IntArray) -> None:
    """Every second of the letters at `flags` that follow each other belongs to the one before it; in place."""
    number = np.arange(len(flags))
    first = np.maximum.accumulate(np.where(np.diff(flags, prepend=-2) != 1, number, 0))  # of each row of them
    classes[flags[(number - first) % 2 == 1]] = FOLLOWS


def token_starts(text: str, unit: str = "tokens") -> IntArray:
    """Positions in `text` where a token starts.

    `unit` is "tokens", "characters", or a tokenizer: the path of a ``tokenizer.json``, or a model's name.
    """
    if unit == "characters":
        return np.arange(len(text), dtype=np.int64)
    if unit != "tokens":
        readable = text.encode("utf-8", "replace").decode()  # a tokenizer refuses lone surrogates
        offsets = _tokenizer(unit).encode(readable, add_special_tokens=False).offsets
        return np.unique(np.array([start for start, end in offsets if end > start], dtype=np.int64))
    return starts_of(char_classes(text))


def starts_of(classes: Classes) -> IntArray:
    """Positions where a token of a text starts, by the classes of its characters."""
    starts: Classes = classes & np.uint8(WORD | MARK)
    starts[1:] &= ~(classes[:-1] & WORD)  # what goes on with a word starts nothing
    return where(starts, WORD | MARK)


def blank(classes: Classes) -> BoolArray:
    """Which characters are white space, shape ``(n_characters,)``."""
    is_blank: BoolArray = (classes & np.uint8(0xFF ^ NEWLINE)) == 0
    return is_blank


def where(classes: Classes, bits: int) -> IntArray:
    """Positions of characters with one of `bits`."""
    # Much quicker than on bytes: numpy finds what is true among booleans by words of memory.
    return (classes & bits).astype(bool).nonzero()[0]


def count_tokens(text: str, unit: str = "tokens") -> int:
    """How many tokens `text` has."""
    return len(token_starts(text, unit))


@functools.lru_cache(maxsize=8)
def _tokenizer(unit: str) -> Any:
    """A tokenizer of the package tokenizers, by its file or its model's name. Raises `SpecError` where there is none."""
    tokenizers = require("tokenizers", "dense", "use unit=tokens or unit=characters")
    path = Path(unit) / "tokenizer.json" if Path(unit).is_dir() else Path(unit)
    of_hub = re.fullmatch(r"[\w.-]+/[\w.-]+", unit) and not is_here(unit)
    # Neither a misspelt unit nor a folder without a tokenizer is a reason to ask a model hub.
    if not path.is_file() and not of_hub:
        units = f"tokens, characters, a tokenizer.json or a model's OWNER/NAME{nearest(unit, ('tokens', 'characters'))}"
        raise SpecError(f"unit {unit!r} is none of {units}")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path)) if path.is_file() else tokenizers.Tokenizer.from_pretrained(unit)
    except Exception as e:
        reason = " ".join(str(e).split())
        raise SpecError(f"unit {unit!r} is neither tokens, characters, a tokenizer.json nor a known model ({reason})") from e
    # Files made for a model often cut every text at its limit.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
