r"""Sizes: where the tokens of a text are.

A token is a match of ``\w+|[^\w\s]`` unless a chunker's ``unit`` says otherwise: no download, the same for every retriever.
Found by array arithmetic on code points rather than by `re`, which is some ten times slower on large corpora.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np

from ragdiag.errors import SpecError
from ragdiag.records import IntArray
from ragdiag.registry import require

__all__ = ["char_kinds", "count_tokens", "token_starts"]

SPACE, WORD, OTHER = 0, 1, 2


@functools.cache
def _kind_table() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """The kind of every code point, from `re` itself so that both agree."""
    everything = "".join(map(chr, range(0x110000)))
    table = np.full(0x110000, OTHER, dtype=np.uint8)
    for kind, pattern in ((WORD, r"\w+"), (SPACE, r"\s+")):
        for match in re.finditer(pattern, everything):
            table[match.start() : match.end()] = kind
    return table


@functools.cache
def _byte_table() -> bytes:
    return bytes(
        OTHER if not (c := chr(b)).isspace() and not re.match(r"\w", c) else WORD if re.match(r"\w", c) else SPACE
        for b in range(256)
    )


def char_kinds(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """For each character of `text`: 0 white space, 1 part of a word, 2 anything else. Shape ``(len(text),)``."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii").translate(_byte_table()), dtype=np.uint8)
    # A lone surrogate cannot be in a UTF-8 file, but a library user may pass one.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.take(_kind_table(), codes)


def token_starts(text: str, unit: str = "tokens") -> IntArray:
    """Positions in `text` where a token starts.

    `unit` is "tokens", "characters", or a tokenizer: the path of a ``tokenizer.json``, or a model's name.
    """
    if unit == "characters":
        return np.arange(len(text), dtype=np.int64)
    if unit != "tokens":
        offsets = _tokenizer(unit).encode(text, add_special_tokens=False).offsets
        return np.unique(np.array([start for start, end in offsets if end > start], dtype=np.int64))
    kinds = char_kinds(text)
    starts = kinds == OTHER
    word = kinds == WORD
    starts[:1] |= word[:1]
    starts[1:] |= word[1:] & ~word[:-1]
    return np.flatnonzero(starts)


def count_tokens(text: str, unit: str = "tokens") -> int:
    """How many tokens `text` has."""
    return len(token_starts(text, unit))


@functools.lru_cache(maxsize=8)
def _tokenizer(unit: str) -> "object":
    tokenizers = require("tokenizers", "dense", "use unit=tokens or unit=characters")
    path = Path(unit) / "tokenizer.json" if Path(unit).is_dir() else Path(unit)
    try:
        return tokenizers.Tokenizer.from_file(str(path)) if path.is_file() else tokenizers.Tokenizer.from_pretrained(unit)
    except Exception as e:
        raise SpecError(f"unit {unit!r} is neither tokens, characters, a tokenizer.json nor a known model ({e})") from e
