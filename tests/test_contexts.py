"""What is embedded with a chunk: always the chunk, and what the context's name says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core.errors import SpecError
from ragdiag.core.records import Document
from ragdiag.core.registry import make, names

FAMILY = names("contexts")

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
PIECES = st.lists(st.sampled_from(["# A\n", "## B\n", "text ", "\n", "C\n===\n", "```\n", " ", "漢。"]), max_size=20).map("".join)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A spec for each context; those that need a file or a function have one."""
    path = tmp_path_factory.mktemp("contexts") / "said.jsonl"
    lines = ['{"doc_id": "d", "start": 0, "end": 2, "text": "A part."}', '{"doc_id": "d", "text": "All."}']
    path.write_text("\n".join(lines), encoding="utf-8")
    return {"file": f"file(path={path.as_posix()!r})", "call": 'call(function="html:escape")'}


def texts(spec: str, document: Document, spans: list[tuple[int, int]]) -> list[str]:
    columns = np.array(spans, dtype=np.int64).reshape(-1, 2)
    result: list[str] = make("contexts", spec).texts(document, columns[:, 0], columns[:, 1])
    return result


def around(spec: str, document: Document, *chunks: str) -> list[str]:
    """The context of chunks given by their text."""
    starts = [document.text.index(c) for c in chunks]
    return texts(spec, document, [(a, a + len(c)) for a, c in zip(starts, chunks, strict=True)])


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT | PIECES, title=st.text(max_size=5), data=st.data())
def test_one_text_for_each_span_with_the_chunk_in_it(
    family: dict[str, str], name: str, text: str, title: str, data: st.DataObject
) -> None:
    span = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(lambda s: (min(s), max(s)))
    spans = sorted(data.draw(st.lists(span, max_size=6)))
    document = Document("d", text, title)
    found = texts(family.get(name, name), document, spans)
    assert len(found) == len(spans)
    for (a, b), each in zip(spans, found, strict=True):
        assert text[a:b] in each
    assert document == Document("d", text, title)
    assert found == texts(family.get(name, name), document, spans)


@pytest.mark.parametrize("name", FAMILY)
def test_no_spans_no_texts(family: dict[str, str], name: str) -> None:
    assert texts(family.get(name, name), Document("d", "", "T"), []) == []
    assert texts(family.get(name, name), Document("d", "a b", "T"), []) == []


def test_none_is_the_chunk_alone() -> None:
    assert texts("none", Document("d", "one two", "T"), [(0, 4), (4, 7), (2, 2)]) == ["one ", "two", ""]


def test_title_stands_above() -> None:
    assert texts("title", Document("d", "one two", "A title"), [(0, 4), (4, 7)]) == ["A title\n\none ", "A title\n\ntwo"]
    assert texts("title", Document("d", "one two"), [(0, 4)]) == ["one "]


GUIDE = """\
Welcome.

# Guide

Start here.

## Install

```
# not a heading
```

Run it.

## Use

Go on.

# Index

Find it.
"""


def test_headings_that_lead_to_the_chunk() -> None:
    document = Document("d", GUIDE, "Manual")
    assert around("heading", document, "Welcome.", "Start", "# not", "Run it.", "Go", "Find") == [
        "Manual\n\nWelcome.",
        "Manual > Guide\n\nStart",
        "Manual > Guide > Install\n\n# not",
        "Manual > Guide > Install\n\nRun it.",
        "Manual > Guide > Use\n\nGo",
        "Manual > Index\n\nFind",
    ]


def test_a_heading_where_the_chunk_starts_counts_and_a_title_is_said_once() -> None:
    assert around("heading", Document("d", GUIDE), "Welcome.", "## Use\n\nGo") == ["Welcome.", "Guide > Use\n\n## Use\n\nGo"]
    assert around("heading", Document("d", GUIDE, "Guide"), "Start", "Find") == ["Guide\n\nStart", "Guide > Index\n\nFind"]


def test_underlined_headings_lead_too() -> None:
    document = Document("d", "Top\n===\n\nOne\n---\n\na\n\nTwo\n---\n\nb\n")
    assert around("heading", document, "a\n", "b\n") == ["Top > One\n\na\n", "Top > Two\n\nb\n"]


def test_neighbours_reach_as_many_tokens_to_both_sides() -> None:
    document = Document("d", "a b c. d e f g h", "T")
    assert around("neighbours(tokens=2)", document, "d e ", "a b ", "h") == ["c. d e f g ", "a b c. ", "f g h"]
    assert around("neighbours(tokens=1)", document, "c. ", "d ") == ["b c. d ", ". d e "]
    assert around("neighbours", document, "d e ") == [document.text]
    assert around(f"neighbours(tokens={10**30})", document, "d e ") == [document.text]


def test_neighbours_of_nothing() -> None:
    assert texts("neighbours", Document("d", " \n "), [(0, 3)]) == [" \n "]


@pytest.mark.parametrize("bad", ["tokens=0", "tokens=-3", "tokens=1.5", "tokens=few", "words=3"])
def test_bad_parameters(bad: str) -> None:
    with pytest.raises(SpecError, match="neighbours"):
        make("contexts", f"neighbours({bad})")


def test_titles_before_chunks_are_cut_to_a_bound() -> None:
    long = "t" * 10_000
    document = Document("a", f"# {long}\n\nbody", long)
    starts, ends = np.array([len(long) + 4]), np.array([len(long) + 8])
    assert make("contexts", "title").texts(document, starts, ends) == ["t" * 500 + "\n\nbody"]
    assert make("contexts", "heading").texts(document, starts, ends) == ["t" * 500 + "\n\nbody"]
