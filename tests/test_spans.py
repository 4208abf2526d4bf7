"""Span arithmetic against Python sets of positions."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.text.spans import NonSpace, covered, overlapping_pairs, union

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def points(rows: list[tuple[int, int]]) -> set[int]:
    return {x for start, end in rows for x in range(start, end)}


@pytest.mark.parametrize(
    ("rows", "joined"),
    [
        ([], []),
        ([(3, 3)], []),
        ([(0, 2), (2, 4)], [(0, 4)]),  # touching spans are one stretch
        ([(0, 2), (3, 4)], [(0, 2), (3, 4)]),
        ([(5, 9), (0, 10), (6, 7)], [(0, 10)]),
        ([(4, 6), (0, 5), (8, 9), (8, 9)], [(0, 6), (8, 9)]),
    ],
)
def test_union_by_hand(rows, joined):
    start, end = union(*columns(rows))
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == joined


@given(spans)
def test_union_has_the_same_points_in_as_few_stretches_as_can_be(rows):
    start, end = union(*columns(rows))
    assert points(list(zip(start.tolist(), end.tolist(), strict=True))) == points(rows)
    assert (start < end).all()
    assert (start[1:] > end[:-1]).all()


@given(spans, spans)
def test_covered_counts_common_points(rows, by):
    expected = [len(points([row]) & points(by)) for row in rows]
    assert covered(*columns(rows), *union(*columns(by))).tolist() == expected


def test_covered_by_nothing_is_zero():
    assert covered(*columns([(0, 5), (7, 7)]), *columns([])).tolist() == [0, 0]


@given(spans, spans)
def test_overlapping_pairs_share_a_point(rows, by):
    by = sorted(by)
    i, j = overlapping_pairs(*columns(rows), *columns(by))
    expected = [(a, b) for a, row in enumerate(rows) for b, other in enumerate(by) if points([row]) & points([other])]
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == expected


def test_touching_is_not_overlapping():
    i, _ = overlapping_pairs(*columns([(2, 4)]), *columns([(0, 2), (4, 6)]))
    assert len(i) == 0


texts = st.text(alphabet=st.sampled_from("aé。 \n\t\x1f\u00a0\u2003\u200b😀"), max_size=12)


@given(st.lists(texts, min_size=1, max_size=4), st.data())
def test_nonspace_counts_what_is_no_white_space(documents, data):
    mapped = data.draw(st.sets(st.integers(0, len(documents) - 1)))
    places = [(d, p) for d, text in enumerate(documents) for p in range(len(text) + 1)]
    asked = data.draw(st.lists(st.sampled_from(places), max_size=20))
    count = NonSpace({d: documents[d] for d in mapped})
    document, position = columns(asked)
    expected = [len(re.sub(r"\s", "", documents[d][:p])) if d in mapped else p for d, p in asked]
    assert count(document, position).tolist() == expected
    assert position.tolist() == [p for _, p in asked]  # the input is not modified
