"""What is looked up against what a search of everything finds; and that it is looked up: comparisons are counted, not timed."""

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core.records import Span
from ragdiag.text import duplicates
from ragdiag.text.duplicates import Kept, near_duplicates, shingles
from ragdiag.text.placed import Placed

spans = st.builds(lambda d, a, n: Span(d, a, a + n), st.integers(0, 2), st.integers(0, 30), st.integers(0, 9))
texts = st.lists(st.sampled_from("one two three four five six".split()), max_size=24).map(" ".join)


@given(st.lists(spans, max_size=12), spans)
def test_spans_over_a_place(among: list[Span], place: Span) -> None:
    assert Placed(among).over(place) == [n for n, span in enumerate(among) if span.overlaps(place)]


def test_one_long_span_reaches_over_short_ones_behind_it() -> None:
    placed = Placed([Span(0, 5, 6), Span(0, 0, 100), Span(0, 50, 51), Span(1, 50, 51)])
    assert placed.over(Span(0, 50, 60)) == [1, 2]
    assert placed.over(Span(0, 100, 101)) == placed.over(Span(2, 0, 9)) == []  # touching is not overlapping


@given(st.lists(texts, max_size=8), st.sampled_from([0.3, 0.5, 0.6, 0.75, 1.0]))
def test_the_first_that_a_text_nearly_repeats(given_texts: list[str], share: float) -> None:
    kept, before = Kept(share), list[frozenset[tuple[str, str]]]()
    for text in map(shingles, given_texts):
        assert kept.first_like(text) == next((n for n, known in enumerate(before) if near_duplicates(text, known, share)), None)
        kept.add(text)
        before.append(text)


@pytest.mark.parametrize("words", [7, 30])  # too short for a share of its pairs, and long enough
@pytest.mark.parametrize("changed", [0, 1, 4, 9])
def test_copies_in_which_some_words_differ(words: int, changed: int) -> None:
    rng = random.Random(words * changed)
    first = [f"w{rng.randrange(10**6)}" for _ in range(words)]
    other = [f"x{i}" if i < changed else word for i, word in enumerate(first)]
    kept = Kept(0.75)
    for noise in range(20):
        kept.add(shingles(" ".join(f"n{noise}-{i}" for i in range(words))))
    kept.add(shingles(" ".join(first)))
    near = near_duplicates(shingles(" ".join(first)), shingles(" ".join(other)), 0.75)
    assert kept.first_like(shingles(" ".join(other))) == (20 if near else None)
    assert near == (changed == 0 or (words == 30 and changed <= 4))


def test_texts_of_one_template_are_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(*arguments: object) -> bool:
        nonlocal compared
        compared += 1
        return near_duplicates(*arguments)

    monkeypatch.setattr(duplicates, "near_duplicates", counted)
    rng, kept, n = random.Random(1), Kept(0.75), 400
    heading = "how to set this up on a new machine before you begin"
    for _ in range(n):
        text = shingles(f"{heading} " + " ".join(f"w{rng.randrange(5000)}" for _ in range(40)))
        assert kept.first_like(text) is None
        kept.add(text)
    assert compared < 2 * n  # of n * (n - 1) / 2 = 79,800 pairs


def test_every_pair_of_small_spans() -> None:
    every = [Span(0, a, b) for a, b in product(range(4), range(4)) if a <= b]
    placed = Placed(every)
    for place in every:
        assert placed.over(place) == [n for n, span in enumerate(every) if span.overlaps(place)]
