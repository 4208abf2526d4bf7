"""Tokens by array arithmetic are the tokens that `re` finds, for any text."""

import re
import socket
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.text import tokens
from ragdiag.text.tokens import (
    CLOSER,
    ITEM,
    LOWER,
    MARK,
    NEWLINE,
    SPACED,
    STOP,
    WIDE_STOP,
    WORD,
    char_classes,
    count_tokens,
    token_starts,
    where,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
ANY_TEXT |= st.text("ab1_ .\n\r\t…。漢かกิ\u0301\u093e\xad\u200d\ufeff🇩🇪👍🏽\ud800😀é\x00\u2028", max_size=60)

UNSPACED = re.compile(
    "CJK UNIFIED|CJK COMPAT|IDEOGRAPH|HIRAGANA|KATAKANA|HENTAIGANA|HANGZHOU|BOPOMOFO|"
    "^(THAI|LAO|KHMER|MYANMAR|TAI LE|NEW TAI LUE|TAI THAM|BALINESE|JAVANESE) "
)
INVISIBLE = {0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF} | {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065)}
INVISIBLE |= {*range(0x2066, 0x206A), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE01F0)}


def by_hand(text: str) -> list[int]:
    """Where tokens start, one character after the other, by the names and categories of Unicode."""
    starts, within, flags = [], "", 0
    for i, c in enumerate(text):
        flags = flags + 1 if 0x1F1E6 <= ord(c) <= 0x1F1FF else 0
        sign = not c.isalnum() and c != "_" and not c.isspace()
        if unicodedata.category(c)[0] == "M" or ord(c) in INVISIBLE or 0x1F3FB <= ord(c) <= 0x1F3FF:
            continue  # belongs to what it follows
        if c.isspace():
            within = ""
        elif is_unspaced(c) or sign:
            starts += [] if flags == 2 or (within == "sign" and text[i - 1 : i] == "\u200d") else [i]
            flags = flags % 2
            within = "sign"
        else:
            starts += [] if within == "word" else [i]
            within = "word"
    return starts


def is_unspaced(character: str) -> bool:
    letter = unicodedata.category(character) in ("Lo", "Lm", "Nl")
    return letter and UNSPACED.search(unicodedata.name(character, "")) is not None


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_starts_are_those_found_by_hand(text: str) -> None:
    assert token_starts(text).tolist() == by_hand(text)
    assert count_tokens(text) == len(by_hand(text))
    assert token_starts(text).dtype == np.int64


@pytest.mark.slow
def test_every_code_point_is_what_its_name_says() -> None:
    for start in range(0, 0x110000, 0x8000):
        part = "a".join(map(chr, range(start, start + 0x8000)))
        assert token_starts(part).tolist() == by_hand(part)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("", []),
        (" \n\t ", []),
        ("one", [0]),
        ("don't stop", [0, 3, 4, 6]),
        ("3.14", [0, 1, 2]),
        ("a\r\nb", [0, 3]),
        ("漢字。漢", [0, 1, 2, 3]),
        ("e\u0301te", [0]),
        ("👨\u200d👩", [0]),
        ("🇩🇪🇫🇷", [0, 2]),
        ("co\xadop", [0]),
        ("हिन्दी में", [0, 7]),
        ("x\ud800y", [0, 1, 2]),
    ],
)
def test_starts_of_small_texts(text: str, starts: list[int]) -> None:
    assert token_starts(text).tolist() == starts == by_hand(text)


@pytest.mark.parametrize(
    ("character", "bits"),
    [
        ("a", WORD | LOWER),
        ("A", WORD),
        ("_", WORD),
        ("é", WORD | LOWER),
        ("漢", MARK),
        ("ก", SPACED),
        (".", MARK | STOP),
        ("。", MARK | WIDE_STOP),
        ("”", MARK | CLOSER),
        ("」", MARK | CLOSER),
        ("*", MARK | CLOSER | ITEM),
        ("\n", NEWLINE),
        (" ", 0),
        ("\r", 0),
        ("\u3000", 0),
        ("\ud800", MARK),
        ("😀", MARK),
    ],
)
def test_classes(character: str, bits: int) -> None:
    assert char_classes(character).tolist() == [bits]
    assert char_classes("é漢" + character).tolist()[2:] == [bits]


def test_where_finds_any_of_the_bits() -> None:
    classes = char_classes("a. b\n")
    assert where(classes, STOP | NEWLINE).tolist() == [1, 4]
    assert where(classes, WORD).tolist() == [0, 3]


@given(ANY_TEXT)
def test_characters_are_a_unit(text: str) -> None:
    assert token_starts(text, "characters").tolist() == list(range(len(text)))
    assert count_tokens(text, "characters") == len(text)


# Tokenizers of models.


@pytest.fixture
def word_pieces(tmp_path: Path) -> Path:
    """A tokenizer.json that cuts and pads every text at 4 tokens, as files made for a model often do."""
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {"[UNK]": 0, "[PAD]": 1, "un": 2, "##til": 3, "now": 4}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4, pad_id=1, pad_token="[PAD]")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.mark.parametrize("name", ["tokenizer.json", ""])
def test_a_tokenizer_by_its_file_or_folder(word_pieces: Path, name: str) -> None:
    unit = str(word_pieces / name) if name else str(word_pieces)
    assert token_starts("until now", unit).tolist() == [0, 2, 6]
    assert token_starts("", unit).tolist() == []
    assert token_starts("\ud800 now", unit).tolist() == [0, 2]


def test_a_tokenizer_reads_the_whole_text_whatever_its_file_says(word_pieces: Path) -> None:
    assert count_tokens("until now " * 50, str(word_pieces)) == 150


def test_a_file_that_is_no_tokenizer_is_an_error_of_one_line(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "broken.json").write_text('{\n"model": 3\n}')
    with pytest.raises(SpecError, match=r"is neither tokens, characters, a tokenizer[.]json nor a known model") as caught:
        token_starts("a", str(tmp_path / "broken.json"))
    assert "\n" not in str(caught.value)


def test_a_misspelt_unit_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    pytest.importorskip("tokenizers")
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(SpecError, match=r"unit 'token' is none of tokens, .*; did you mean 'tokens'\?"):
        token_starts("a", "token")


def test_without_tokenizers_the_pip_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *_: Any) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", absent)
    tokens._tokenizer.cache_clear()
    with pytest.raises(MissingExtra, match=r"^tokenizers is not .*: pip install './ragdiag\[dense\]' .*, or use unit=tokens or"):
        token_starts("a", "some-model")
