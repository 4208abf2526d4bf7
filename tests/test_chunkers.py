"""Every chunker tiles any text within its size; each cuts where its name says."""

import dataclasses
import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.chunkers._pack import Cuts
from ragdiag.errors import SpecError
from ragdiag.protocols import Chunker
from ragdiag.registry import make, names, strategy_class
from ragdiag.tokens import token_starts

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
    if "size" in parameters(name) and name != "section":
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
