"""BM25's ranking is that of a plain loop to the last bit, whichever way it is found."""

import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import rank_bm25
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from chunked import chunked

from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.ranking import best, reached
from ragdiag.core.registry import make
from ragdiag.search.retrievers import _postings
from ragdiag.search.retrievers._postings import COARSE_FROM, Postings
from ragdiag.search.retrievers.bm25 import Bm25

Lists = list[dict[int, float]]
"""Of each term: the texts that have it, and the weights."""


def postings(lists: Lists, n_texts: int) -> Postings:
    starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    texts = np.array([text for each in lists for text in sorted(each)], dtype=np.int32)
    weights = np.array([each[text] for each in lists for text in sorted(each)], dtype=np.float64)
    return Postings(starts, texts, weights, n_texts)


def by_a_loop(lists: Lists, terms: Sequence[int], depth: int) -> list[tuple[int, float]]:
    scores: dict[int, float] = {}
    for term in terms:
        for text, weight in lists[term].items():
            scores[text] = scores.get(text, 0.0) + weight
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:depth]


def first(index: Postings, terms: Sequence[int], depth: int) -> list[tuple[int, float]]:
    positions, scores = index.first(terms, depth)
    return list(zip(positions.tolist(), scores.tolist(), strict=True))


N = 60
# Equal ones, ones that differ by less than a step, ones whose sums round by their order.
POSITIVE = st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.0, 1.0 + 1e-15, 1.0 - 1e-9, 1e-300, 1e6 / 7]) | st.floats(1e-3, 9)
ANY = POSITIVE | st.just(0.0) | st.floats(-3, 3)


@st.composite
def lists_of(draw: st.DrawFn, weight: st.SearchStrategy[float]) -> Lists:
    texts = st.integers(0, N - 1)
    return draw(st.lists(st.dictionaries(texts, weight, min_size=1, max_size=N), min_size=1, max_size=6))


@pytest.mark.slow
@pytest.mark.parametrize("weight", [POSITIVE, ANY])
@settings(max_examples=200, deadline=None)
@given(data=st.data(), depth=st.integers(1, 70), levels=st.sampled_from([3, 50, 2047]), common=st.sampled_from([1, 4, 1000]))
def test_first_is_a_loop(weight: st.SearchStrategy[float], data: st.DataObject, depth: int, levels: int, common: int) -> None:
    lists = data.draw(lists_of(weight))
    terms = data.draw(st.lists(st.integers(0, len(lists) - 1), min_size=1, max_size=12))
    with mock.patch.multiple(_postings, COARSE_FROM=0, LEVELS=levels, COMMON=common):
        assert first(postings(lists, N), terms, depth) == by_a_loop(lists, terms, depth)


def test_a_text_just_below_a_step_is_not_lost() -> None:
    # Text 9 scores most, but each of its weights is all but a step less than what the rounding down leaves of the others'.
    lists: Lists = [{**dict.fromkeys(range(9), 1.0), 9: 1.9999, 10: 10.0} for _ in range(5)]
    with mock.patch.multiple(_postings, COARSE_FROM=0, LEVELS=10):
        index = postings(lists, N)
        assert index._likely(range(5), {t: slice(11 * t, 11 * t + 11) for t in range(5)}, 2) is None  # as coarse as that
        assert [text for text, _ in first(index, range(5), 2)] == [10, 9]


def test_a_query_of_more_than_the_coarse_sums_can_hold() -> None:
    lists: Lists = [{text: 1.0 + text for text in range(N)}, {3: 5.0}]
    terms = [0] * 4000 + [1]
    with mock.patch.object(_postings, "COARSE_FROM", 0):
        assert first(postings(lists, N), terms, 3) == by_a_loop(lists, terms, 3)


def test_few_of_many_texts_share_a_term() -> None:
    lists: Lists = [{5: 1.0, 40: 2.0}, {5: 1.0}]
    with mock.patch.object(_postings, "COARSE_FROM", 0):
        index = postings(lists, N)
        assert first(index, [0, 1], 10) == [(5, 2.0), (40, 2.0)]
        assert first(index, [1], 1) == [(5, 1.0)]
        assert first(index, [0], N + 5) == [(40, 2.0), (5, 1.0)]


# Large enough for the coarse sums.


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Words as common as in a language, and copies."""
    rng = np.random.default_rng(0)
    common = rng.zipf(1.3, size=(COARSE_FROM + 500, 14)) % 4000
    made = [" ".join(f"w{word}" for word in row) for row in common.tolist()]
    return [*made[:-3], made[7], made[0], made[7]]


@pytest.fixture(scope="module")
def queries(texts: list[str]) -> list[str]:
    asked = [" ".join(text.split()[:8]) for text in texts[3:2000:97]]
    return [*asked, "w1 w1 w2", "w2 w1 w1", "w3999", "w1", "nothing that any has", "", texts[7]]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["okapi", "plus", "l"])
def test_a_large_index_ranks_as_rank_bm25(variant: str, texts: list[str], queries: list[str]) -> None:
    oracle = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}[variant]([t.split() for t in texts])
    positions, scores = (
        make("retrievers", f"bm25(variant={variant})").index(chunked(texts), None, no_progress).search(queries, 20)
    )
    known = set(" ".join(texts).split())
    for query, row, ours in zip(queries, positions, scores, strict=True):
        if not known & set(query.split()):
            assert set(row.tolist()) == {-1}
            continue
        theirs = oracle.get_scores(query.split())
        hits = row[row >= 0]
        np.testing.assert_allclose(ours[: len(hits)], theirs[hits], rtol=1e-12)
        np.testing.assert_allclose(ours[: len(hits)], np.sort(theirs)[::-1][: len(hits)], rtol=1e-12)


def test_copies_in_a_large_index_tie_by_position(texts: list[str]) -> None:
    index = Bm25().index(texts, None, no_progress)
    positions, scores = index.search([texts[7]], 5)
    assert positions[0, :3].tolist() == [7, len(texts) - 3, len(texts) - 1]
    assert len(set(scores[0, :3].tolist())) == 1


def test_common_and_rare_terms_of_a_large_index_are_shortlisted(texts: list[str], queries: list[str]) -> None:
    """Else the tests above would show nothing of the coarse sums."""
    index = Bm25().index(texts, None, no_progress)
    with mock.patch.object(Postings, "_of_all", side_effect=AssertionError):
        index.search(queries[:10], 20)


SPECS = [
    "bm25(variant=lucene, k1=1.2)",
    "bm25(stem=english, stop=english)",
    "bm25(analyzer=cjk)",
    "bm25(parts=true)",
    "hybrid(bm25, bm25(stem=english), fusion=weighted)",
]


@pytest.mark.parametrize("spec", SPECS)
def test_every_way_to_bm25_is_the_same_with_and_without_the_coarse_sums(spec: str) -> None:
    words = "運ぶ running runs ran 漢字 東京都 the of snake_case fox foxes FoxDen 12".split()
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(words, size=9)) for _ in range(400)]
    queries = [" ".join(rng.choice(words, size=4)) for _ in range(20)]
    results = []
    for least in (0, 10**9):
        with mock.patch.object(_postings, "COARSE_FROM", least):
            results.append(make("retrievers", spec).index(chunked(texts), None, no_progress).search(queries, 10))
    assert (results[0][0] == results[1][0]).all()
    assert (results[0][1] == results[1][1]).all()
    assert (results[0][0] >= 0).any()


def test_what_if_in_a_large_index(texts: list[str], queries: list[str]) -> None:
    index, asked = Bm25().index(texts, None, no_progress), queries[:5]
    plain, scores = index.search(asked, 12)
    same = index.what_if(asked, [Edit()] * 5, 12)
    assert (same[0] == plain).all()
    assert (same[1] == scores).all()
    without, _ = index.what_if(asked, [Edit(frozenset(row[:2].tolist())) for row in plain], 10)
    assert (without == plain[:, 2:]).all()
    added = [Edit(added=(Addition(0, 0, 1, texts[row[0]], row[0] + 0.5),)) for row in plain]
    beside, values = index.what_if(asked, added, 12)
    assert (beside[:, :2] == len(texts)).any(axis=1).all()  # its sum may be rounded in another way than that of its copy
    np.testing.assert_allclose(values[:, 1], scores[:, 0], rtol=1e-12)


# Orders.


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    scores=st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]) | st.floats(-9, 9), min_size=40, max_size=300),
    depth=st.integers(1, 39),
)
def test_what_is_reached_and_best_of_many(scores: list[float], depth: int) -> None:
    row = np.array(scores)
    assert (row >= reached(row, depth)).sum() >= depth
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:depth]
    assert best(row, depth).tolist() == expected


def test_what_is_reached_is_near_the_top() -> None:
    row = np.random.default_rng(0).permutation(100_000).astype(np.float64)
    assert 100 <= (row >= reached(row, 100)).sum() < 130
