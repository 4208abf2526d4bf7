r"""Tokens: where in a text they are, and how many there are.

A token is a match of ``\w+|[^\w\s]`` unless a chunker's ``unit`` says otherwise: no download, the same for every retriever.
Found by array arithmetic on code points rather than by `re`, which is some ten times slower on large corpora.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.errors import SpecError, nearest
from ragdiag.core.records import IntArray
from ragdiag.core.registry import require

__all__ = [
    "CLOSER",
    "ITEM",
    "LOWER",
    "MARK",
    "NEWLINE",
    "STOP",
    "WIDE_STOP",
    "WORD",
    "Classes",
    "char_classes",
    "count_tokens",
    "folded",
    "starts_of",
    "token_starts",
    "where",
]

WORD, MARK, LOWER, STOP, WIDE_STOP, CLOSER, ITEM, NEWLINE = (1 << n for n in range(8))
"""What a character is, as bits: part of a word, or another mark (neither: white space); a small letter; what ends a sentence
(before white space, or without, as in Chinese); what may close it; what starts a list item, heading or table row; a line feed."""

_CHARACTERS = {STOP: ".!?…", WIDE_STOP: "。！？", CLOSER: "\"')]}”’»*」』）】》", ITEM: "#-*|•>+", NEWLINE: "\n"}

Classes = np.ndarray[tuple[int], np.dtype[np.uint8]]


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
    for bit, characters in _CHARACTERS.items():
        table[[ord(c) for c in characters]] |= bit
    table[[i for i in range(0x2000) if chr(i).islower()]] |= LOWER
    return table


def char_classes(text: str) -> Classes:
    """For each character of `text` its class bits, shape ``(len(text),)``."""
    table = _class_table()
    if text.isascii():
        return np.frombuffer(text.encode("ascii").translate(table[:256].tobytes()), dtype=np.uint8)
    # A lone surrogate cannot be in a UTF-8 file, but a library user may pass one.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # Most characters of most texts are narrow: translating bytes is far faster than looking up every wide code.
    classes = np.frombuffer(codes.astype(np.uint8).tobytes().translate(table[:256].tobytes()), dtype=np.uint8).copy()
    wide = (codes > 255).nonzero()[0]
    classes[wide] = table[codes[wide]]
    return classes


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


def folded(text: str) -> str:
    """`text` in one case, with single spaces: texts for which that is the same count as the same."""
    return " ".join(text.casefold().split())


def starts_of(classes: Classes) -> IntArray:
    """Positions where a token of a text starts, by the classes of its characters."""
    starts: Classes = classes & np.uint8(WORD | MARK)
    starts[1:] &= ~(classes[:-1] & WORD)  # what goes on with a word starts nothing
    return where(starts, WORD | MARK)


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
    of_hub = re.fullmatch(r"[\w.-]+/[\w.-]+", unit) and not Path(unit).exists()
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
