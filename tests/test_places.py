"""Chunks given by text stand where their splitter cut them: against the splitter's own offsets."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, StoredChunk
from ragdiag.core.registry import make
from ragdiag.sources.chunks import cut, place
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.occurrences import Occurrences
from ragdiag.sources.places import Placer

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
        # White space is not as it was.
        ("one\n\n two one\ttwo", ["one two", "one two"], [0, 10], 0),
    ],
)
def test_each_stands_where_it_was_cut(text: str, chunks: list[str], starts: list[int], guesses: int) -> None:
    assert placed(text, *chunks) == (starts, guesses)


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
