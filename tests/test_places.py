"""Chunks given by text stand where their splitter cut them: against the splitter's own offsets."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core.errors import InputError
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, StoredChunk
from ragdiag.core.registry import make
from ragdiag.search.searches import chunks_of
from ragdiag.sources.chunks import cut, place, read_chunks
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.holding import SourceText
from ragdiag.sources.occurrences import Occurrences
from ragdiag.sources.places import Placer
from ragdiag.sources.stored import HintedChunk, record_of, stored_chunk

TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater" / "corpus"


def placed(text: str, *chunks: str) -> tuple[list[int], int]:
    """Where each chunk starts, in the order given, and how many are guesses."""
    placer = Placer(Corpus((Document("a", text),)))
    spans = placer.spans([StoredChunk(doc_id="a", text=chunk) for chunk in chunks])
    return [start for _, start, _ in spans], len(placer.doubtful)


FEES = "The fee: 5 euros rule is below. Guests. fee: 5 euros"


@pytest.mark.parametrize(
    ("text", "chunks", "starts", "guesses"),
    [
        # A short text that stands in an earlier chunk too, in any order of the file.
        (FEES, ["The fee: 5 euros rule is below.", "Guests.", "fee: 5 euros"], [0, 32, 40], 0),
        (FEES, ["fee: 5 euros", "Guests.", "The fee: 5 euros rule is below."], [40, 32, 0], 0),
        (FEES, ["The fee: 5 euros rule is below. Guests.", "fee: 5 euros"], [0, 40], 0),
        # As many chunks as places.
        ("ab x ab y ab", ["ab", "x", "ab", "y", "ab"], [0, 3, 5, 8, 10], 0),
        ("ab x ab y ab", ["y", "ab", "ab", "x", "ab"], [8, 0, 5, 3, 10], 0),
        # Fewer: the neighbours tell.
        ("ab x ab y ab z", ["x", "ab", "y"], [3, 5, 8], 0),
        ("ab x ab ab y ab z", ["x", "ab", "y"], [3, 5, 11], 0),  # it adjoins the one before
        ("q ab x ab", ["q", "ab"], [0, 2], 0),
        ("ab x ab", ["ab", "x"], [0, 3], 0),
        # The chunk before reaches into it.
        (
            "one two three two three four two three four",
            ["one two three", "two three four", "four two three four"],
            [0, 14, 24],
            0,
        ),
        # Nothing tells.
        ("ab x ab y ab z", ["z", "ab", "x"], [13, 0, 3], 1),
        ("x, ab, ab, ab y", ["x", "ab", "y"], [0, 3, 14], 1),
        # Chunks were left out: the one that touches may be one of them.
        ("x ab q ab y ab z w v u", ["x", "ab", "y", "w", "u"], [0, 2, 10, 17, 21], 1),
        # White space is not as it was: that one place has it as it is says nothing.
        ("x\n\na b\n\ny. z a\nb w\n\nv", ["x", "a b", "y. z", "a b", "w v"], [0, 3, 8, 13, 17], 0),
        ("x\na b\ny\nz.\na\nb\nw\nv", ["y z.", "a b", "w v"], [6, 11, 15], 0),
        ("one\n\n two one\ttwo", ["one two", "one two"], [0, 10], 0),
    ],
)
def test_each_stands_where_it_was_cut(text: str, chunks: list[str], starts: list[int], guesses: int) -> None:
    assert placed(text, *chunks) == (starts, guesses)


def test_the_order_of_a_shuffled_list_says_nothing_about_any_document() -> None:
    """In each document the sure chunk comes first, as it may by chance in a list of many; in the whole list they do not."""
    texts = ["one. ab two. three ab", "ab four. five. six ab"]
    corpus = Corpus(tuple(Document(str(i), text) for i, text in enumerate(texts)))
    lists = {"0": ["one.", "two.", "three", "ab"], "1": ["six", "five.", "four.", "ab"]}
    chunks = [StoredChunk(doc_id=name, text=text) for name, texts_of in lists.items() for text in texts_of]
    in_order, shuffled = Placer(corpus), Placer(corpus)
    assert in_order.spans(chunks[:4])[-1] == (0, 19, 21) and not in_order.doubtful
    shuffled.spans(chunks)
    assert {(c.doc_id, c.text) for c in shuffled.doubtful} == {("0", "ab"), ("1", "ab")}


def test_chunks_left_out_of_one_document_may_be_left_out_of_another() -> None:
    texts = ["q ab x ab y", "one two three four five six"]
    corpus = Corpus(tuple(Document(str(i), text) for i, text in enumerate(texts)))
    cut = [StoredChunk(doc_id="0", text=text) for text in ("q", "ab")]  # the first "ab", or the second
    whole, part = Placer(corpus), Placer(corpus)
    whole.spans([*cut, *(StoredChunk(doc_id="1", text=word) for word in texts[1].split())])
    part.spans([*cut, *(StoredChunk(doc_id="1", text=word) for word in texts[1].split()[::2])])
    assert not whole.doubtful
    assert [c.text for c in part.doubtful] == ["ab"]


NAMED = Corpus(
    (
        Document("README.md", "Same words. Top."),
        Document("api/README.md", "Same words. Calls."),
        Document("guide/README.md", "Same words. Steps."),
        Document("guide/cong\u00e9s 1.md", "Leave is 25 days. Same words."),
    )
)


@pytest.mark.parametrize(
    ("names", "text", "document"),
    [
        (["/srv/app/guide/README.md"], "Same words.", 2),  # absolute, as LangChain
        (["C:\\docs\\api\\README.md"], "Same words.", 1),
        (["file:///srv/guide/README.md"], "Same words.", 2),
        (["https://example.com/guide/README.md?page=2#top"], "Same words.", 2),
        (["file:///srv/guide/cong%C3%A9s%201.md"], "Same words.", 3),
        (["conge\u0301s 1.md"], "Same words.", 3),  # as macOS writes it
        (["./guide/README.md"], "Same words.", 2),
        (["6f9619ff-8b86-d011-b42d-00c04fc964ff", "guide/README.md"], "Same words.", 2),  # LlamaIndex
        (["api/README.md", "guide/README.md"], "Steps.", 2),  # the text is in the second alone
        (["/elsewhere/README.md"], "Steps.", 2),  # three such files: the text tells
        (["6f9619ff-8b86-d011-b42d-00c04fc964ff"], "Leave is 25 days.", 3),
        (["nowhere.md"], "Calls.", 1),
    ],
)
def test_names_are_tried_until_one_is_of_a_document_that_holds_the_text(names: list[str], text: str, document: int) -> None:
    chunk = HintedChunk(doc_id=names[0], text=text, also=tuple(names[1:]))
    assert [i for i, _, _ in Placer(NAMED).spans([chunk])] == [document]


def test_a_name_that_is_of_no_document_is_told_where_the_text_decides() -> None:
    placed = place([HintedChunk(doc_id="nowhere.md", text="Calls."), HintedChunk(doc_id="x/README.md", text="Top.")], NAMED)
    (note,) = placed.notes
    assert note.startswith("1 chunk texts name no document of the corpus that holds them (the first: 'nowhere.md')")


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        (
            StoredChunk(doc_id="nowhere.md", text="Same words."),
            "names no document that holds it ('nowhere.md') and its text is in 4",
        ),
        (StoredChunk(doc_id="READNE.md", text="Not there."), "no document 'READNE.md' in the corpus; did you mean 'README.md'?"),
        (StoredChunk(doc_id="api/README.md", text="Steps."), "chunk text 'Steps.' is not in api/README.md"),
        (HintedChunk(text="Same words."), "its text is in 4 documents; add doc_id"),
        (
            HintedChunk(doc_id="uuid", text="Not there."),
            "names no document that holds it ('uuid') and its text is in no document",
        ),
    ],
)
def test_what_stays_open_is_an_error(chunk: StoredChunk, says: str) -> None:
    with pytest.raises(InputError) as raised:
        place([chunk], NAMED)
    assert says in str(raised.value)


RECORDS: list[dict[str, object]] = [
    {"page_content": "Steps.", "metadata": {"source": "/srv/guide/README.md", "start_index": 12}, "type": "Document"},
    {"text": "Steps.", "doc_id": "6f9619ff", "metadata": {"file_path": "C:\\app\\guide\\README.md"}},
    {"text": "Steps.", "metadata": {"filename": "README.md", "file_directory": "guide"}, "type": "NarrativeText"},
    {"content": "Steps.", "meta": {"file_path": "guide/README.md", "split_idx_start": 12}},
    {"text": "Steps.", "source": "guide/README.md"},
    {"text": "Steps.", "doc_id": "guide/README.md", "start": 12.0, "end": 18.0},
    {"text": "Steps."},
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_of_a_file_and_an_object_in_python_are_read_alike(tmp_path: Path, record: dict[str, object]) -> None:
    (tmp_path / "c.jsonl").write_text(json.dumps(record) + "\n")
    of_file, of_python = read_chunks(tmp_path / "c.jsonl"), chunks_of([record])
    for chunks in (of_file, of_python, [stored_chunk(record_of(of_file[0]), tmp_path, 1)]):
        assert Placer(NAMED).spans(chunks) == [(2, 12, 18)]


def test_that_one_document_has_a_text_as_it_is_is_a_guess() -> None:
    corpus = Corpus((Document("a", "see the\nfees here"), Document("b", "see the fees here")))
    placer = Placer(corpus)
    assert placer.spans([StoredChunk(text="see the fees here")]) == [(1, 0, 17)]
    assert len(placer.doubtful) == 1
    assert placer.places(StoredChunk(text="see the fees here")) == [(0, 0, 17), (1, 0, 17)]


def test_a_guess_is_told_with_the_text_and_the_document() -> None:
    corpus = Corpus((Document("a", "ab x ab y"),))
    placed = place([StoredChunk(doc_id="a", text=text) for text in ("y", "ab")], corpus)
    assert placed.chunking.start.tolist() == [0, 8]
    (note,) = placed.notes
    assert note.startswith("1 chunk texts stand in several places") and "'ab' in a" in note and "give start and end" in note


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["sentence(size=10)", "sentence(size=20)", "recursive(size=40, overlap=10)", "fixed(size=20, overlap=5)"]
)
@pytest.mark.parametrize("shuffled", [False, True])
def test_texts_of_a_splitter_get_the_splitters_offsets(spec: str, shuffled: bool) -> None:
    """In the order of the documents all of them; in any order, whatever is not said to be a guess."""
    corpus = load_corpus(TIDEWATER)
    chunking = cut(corpus, make("chunkers", spec), no_progress)
    rows = list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
    if shuffled:
        random.Random(0).shuffle(rows)
    texts = [corpus.documents[d].text[start:end] for d, start, end in rows]
    kept = [i for i, text in enumerate(texts) if text.strip()]
    chunks = [StoredChunk(doc_id=corpus.documents[rows[i][0]].id, text=texts[i]) for i in kept]
    placer = Placer(corpus)
    lost = sum((Counter(rows[i] for i in kept) - Counter(placer.spans(chunks))).values())
    assert lost <= len(placer.doubtful)
    if not shuffled:
        assert lost == len(placer.doubtful) == 0


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "a\n"]), min_size=1, max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_every_place_is_found_and_none_else(text: str, wanted: str) -> None:
    """Against a search at every position: of the text as it is, else of its words whatever lies between them."""
    words = wanted.split()
    exact = [(i, i + len(wanted)) for i in range(len(text)) if text.startswith(wanted, i)]
    loose = [
        (i, j)
        for i in range(len(text))
        for j in range(i + 1, len(text) + 1)
        if not text[i].isspace() and not text[j - 1].isspace() and text[i:j].split() == words
    ]
    assert Occurrences(text).of(wanted) == (exact or loose)


def test_a_document_twice_as_long_takes_twice_the_comparisons() -> None:
    """Counted: places looked at for chunks of one document, each by its rarest word."""

    def looked_at(n: int) -> int:
        words = [f"word{i % (n // 4)} the of" for i in range(n)]
        occurrences, text = Occurrences(" ".join(words)), " ".join(words)
        return sum(len(occurrences.of(" ".join(text.split()[i : i + 6]))) for i in range(0, 300, 6))

    assert looked_at(4000) <= 2.3 * looked_at(2000)


@pytest.mark.parametrize(
    "text", ["-phrase }\n*  abbr one", "a  full-", "full-phrase }  *", "-phrase", "- The  rest of", "two,  and x-"]
)
def test_a_chunk_that_is_cut_at_a_hyphen_is_found_with_other_white_space(text: str) -> None:
    source = "The abbr gives a full-phrase }\n\n* abbr one two, and x-\nThe rest of it"
    (span,) = SourceText(source).places(text)
    assert source[slice(*span)].split() == text.split()


def test_a_document_that_has_another_id_than_its_file_is_found_by_both(tmp_path: Path) -> None:
    """Two versions say the same; an index knows them by their files, and ``docs.jsonl`` gives them ids."""
    (tmp_path / "pages").mkdir()
    for version in (1, 2):
        (tmp_path / "pages" / f"gate-v{version}.txt").write_text("The gate opens at nine.", encoding="utf-8")
    entries = [{"_id": f"gate/{version}", "file": f"pages/gate-v{version}.txt"} for version in (1, 2)]
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf-8")
    loaded = load_corpus(tmp_path / "pages")
    placer = Placer(loaded)
    for name, document in (("gate-v1.txt", 0), ("/srv/pages/gate-v2.txt", 1), ("gate/2", 1), ("gate/1", 0)):
        (chunk,) = chunks_of([{"text": "The gate opens", "metadata": {"source": name}}])
        assert placer.places(chunk) == [(document, 0, 14)]
    assert not placer.misnamed
