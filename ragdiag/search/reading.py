"""What an encoder can read of a text, as far as its vocabulary tells: unknown pieces, and scripts that it hardly has.

An unknown piece ("[UNK]") stands for anything. A vocabulary that was not made of a script's texts may have its single letters
all the same: then nothing is unknown, but every word is read letter by letter, which no encoder learns to understand by itself.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import Array, IntArray
from ragdiag.core.encoders import Characters, Readable
from ragdiag.core.pipelines import Unread, UnreadScript
from ragdiag.core.protocols import Store

__all__ = ["Script", "as_characters", "broken", "characters", "lacking", "unread_of", "vocabulary", "words"]

Lacks = Callable[[str], "int | None"]
"""See `lacking`: of one vocabulary."""

HAN = "Han and kana"
"""Scripts that are read character by character by encoders that know them, too."""

NAMES = {"CJK": HAN, "HIRAGANA": HAN, "KATAKANA": HAN}
"""Scripts that are not called as their letters' Unicode names begin."""

NO_SCRIPT = {"COMBINING", "VARIATION", ""}
"""How the names of marks begin that belong to the letter before, of whatever script."""

ENOUGH_PIECES = 100
"""Pieces of two letters or more of a script, from which on a vocabulary has it.

GPT-2, Llama 2 and the English BERT have at most 22 of any script but Latin (Llama 2: and Cyrillic, 2,786); XLM-R has 1,200 or
more of each of its hundred languages' scripts. A model that knows a script has hundreds of its words and endings.
"""

ENOUGH_CHARACTERS = 1500
"""Characters of Han and kana, from which on a vocabulary has them: the English BERT has 336, Llama 2 835, XLM-R 7,800."""

LEAST_SHARE = 0.01
"""Of the letters of a corpus or of its queries: a script with less is not worth a word."""

BROKEN = 3
"""Pieces from which on a word is read piece by piece: of English words the English BERT cuts 2 to 8 % so, of German ones 34 %."""

FEW_PIECES = 5000
"""Pieces of the smallest vocabulary of words and their parts; one of bytes or characters has a few hundred."""

UNKNOWN = ("[UNK]", "<unk>")
"""What unknown pieces are called."""


class Script(NamedTuple):
    """What a vocabulary has of a script: the pieces of two letters or more, and the letters that stand in any."""

    several: int
    letters: int


@functools.cache
def script_of(character: str) -> str:
    """The script of a letter or of a mark that belongs to one script; "" for anything else."""
    plain = unicodedata.normalize("NFKC", character)[:1]
    if unicodedata.category(plain)[0] not in "LM" or unicodedata.category(plain) == "Lm":
        return ""
    name = unicodedata.name(plain, "").partition(" ")[0]
    return "" if name in NO_SCRIPT else NAMES.get(name, name.capitalize())


def unknown_piece(tokenizer: Any) -> int | None:
    """The id of the piece that stands for what the vocabulary lacks; None where it has none, as one of bytes."""
    names = (getattr(tokenizer.model, "unk_token", None), *UNKNOWN)
    return next((i for name in names if name and (i := tokenizer.token_to_id(name)) is not None), None)


def vocabulary(tokenizer: Any) -> dict[str, Script]:
    """What there is of each script; a piece of several scripts counts for none."""
    several, letters = Counter[str](), defaultdict[str, set[str]](set)
    for piece in tokenizer.decode_batch([[i] for i in range(tokenizer.get_vocab_size())]):
        scripts = [(c, script) for c in piece if (script := script_of(c))]
        if len({script for _, script in scripts}) == 1:
            script = scripts[0][1]
            several[script] += len(scripts) > 1
            letters[script].update(c for c, _ in scripts)
    return {script: Script(several[script], len(own)) for script, own in letters.items()}


def lacking(script: str, known: Mapping[str, Script]) -> int | None:
    """The pieces that a vocabulary has for a script, where they are too few to read it; None where they are enough.

    A vocabulary that has hardly a word in Latin letters either is one of characters or bytes: it tells nothing.
    """
    if known.get("Latin", Script(0, 0)).several < ENOUGH_PIECES:
        return None
    several, letters = known.get(script, Script(0, 0))
    if script == HAN:
        return letters if letters < ENOUGH_CHARACTERS else None
    return several if several < ENOUGH_PIECES else None


def characters(texts: Sequence[str], tokenizer: Any, lacks: Lacks) -> dict[str, Array]:
    """`Characters` of all `texts`, as arrays for a `Store`; `tokenizer` cuts as the encoder does."""
    unknown, counts, id_of = 0, Counter[str](), unknown_piece(tokenizer)
    for text, encoding in zip(texts, tokenizer.encode_batch(list(texts)), strict=True):
        counts.update(text[: _read(text, encoding)])
        unknown += sum(not text[i].isspace() for i in _unknown(encoding, id_of))
    scripts = Counter[str]()
    for character, n in counts.items():
        scripts[script_of(character)] += n
    read = sum(n for character, n in counts.items() if not character.isspace())
    named = sorted(script for script in scripts if script)
    return {
        "counts": np.array([read, unknown], dtype=np.int64),
        "scripts": np.array(named, dtype=np.str_),
        "letters": np.array([scripts[script] for script in named], dtype=np.int64),
        "lacks": np.array([-1 if (pieces := lacks(script)) is None else pieces for script in named], dtype=np.int64),
    }


def as_characters(arrays: Mapping[str, Array]) -> Characters:
    """What `characters` counted."""
    read, unknown = arrays["counts"].tolist()
    names: list[str] = arrays["scripts"].tolist()
    letters, lacks = (dict(zip(names, arrays[what].tolist(), strict=True)) for what in ("letters", "lacks"))
    return Characters(read, unknown, letters, {script: pieces for script, pieces in lacks.items() if pieces >= 0})


def words(texts: Sequence[str], tokenizer: Any, lacks: Lacks) -> IntArray:
    """See `Readable.words`; `tokenizer` cuts as the encoder does."""
    counts, id_of = np.zeros((len(texts), 3), dtype=np.int64), unknown_piece(tokenizer)
    for row, text, encoding in zip(counts, texts, tokenizer.encode_batch(list(texts)), strict=True):
        unknown, end = _unknown(encoding, id_of), _read(text, encoding)
        for start, stop in _words(text[:end]):
            scripts = Counter(script for c in text[start:stop] if (script := script_of(c)))
            is_unknown = not unknown.isdisjoint(range(start, stop))
            # A letter alone is a piece like any other; a character of Han is a word.
            foreign = any((n > 1 or script == HAN) and lacks(script) is not None for script, n in scripts.items())
            row += (1, is_unknown, is_unknown or foreign)
    return counts


def broken(texts: Sequence[str], tokenizer: Any) -> float:
    """See `Readable.broken`; 0 where a vocabulary is one of characters or bytes, which cuts every word."""
    if tokenizer.get_vocab_size() < FEW_PIECES:
        return 0.0
    total = cut = 0
    for text, encoding in zip(texts, tokenizer.encode_batch(list(texts)), strict=True):
        starts = np.array([start for start, end in encoding.offsets if end > start], dtype=np.int64)
        for start, stop in _words(text[: _read(text, encoding)]):
            if text[start:stop].isalpha():
                total += 1
                cut += int(((starts >= start) & (starts < stop)).sum()) >= BROKEN
    return cut / max(total, 1)


def _read(text: str, encoding: Any) -> int:
    """How many of the characters the encoder reads."""
    return max(end for _, end in encoding.offsets) if encoding.overflowing else len(text)


def _unknown(encoding: Any, id_of: int | None) -> set[int]:
    """The positions of the characters in unknown pieces."""
    ids = encoding.ids
    if id_of is None or id_of not in ids:
        return set()
    return {i for piece, (start, end) in zip(ids, encoding.offsets, strict=True) if piece == id_of for i in range(start, end)}


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Runs of letters, marks and figures; each character of Han and kana alone."""
    start = None
    for i, character in enumerate(text):
        inside = unicodedata.category(character)[0] in "LMN"
        alone = inside and script_of(character) == HAN
        if start is not None and (alone or not inside):
            yield start, i
            start = None
        if alone:
            yield i, i + 1
        elif inside and start is None:
            start = i
    if start is not None:
        yield start, len(text)


def unread_of(encoder: Readable, texts: Sequence[str], queries: Sequence[str], store: Store | None) -> Unread | None:
    """What an encoder cannot read of what is indexed and of what is asked; None where it reads all of it."""
    indexed, asked = encoder.characters(texts, store), encoder.characters(queries, store)
    n_words, n_unknown = encoder.words(queries, store)[:, :2].sum(axis=0).tolist()
    scripts = [
        UnreadScript(script, round(indexed.share_of(script), 4), round(asked.share_of(script), 4), pieces)
        for script, pieces in {**indexed.lacks, **asked.lacks}.items()
    ]
    scripts = sorted(
        (s for s in scripts if max(s.corpus, s.queries) >= LEAST_SHARE), key=lambda s: (-s.corpus, -s.queries, s.script)
    )
    if not (indexed.unknown or asked.unknown or scripts):
        return None
    of_corpus, of_queries = (round(part.unknown / max(part.read, 1), 4) for part in (indexed, asked))
    return Unread(of_corpus, of_queries, round(n_unknown / max(n_words, 1), 4), tuple(scripts))
