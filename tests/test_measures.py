"""Measures on arrays: names, hand-worked values, what reaches the prompt, repeated text."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Evidence
from ragdiag.scoring import measures
from ragdiag.scoring.measures import Contexts, Judged, Measure, default_measures, ranked, span_scores
from ragdiag.scoring.packing import context_lengths
from ragdiag.text import duplicates
from ragdiag.text.duplicates import duplicate_share


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# Names.


@pytest.mark.parametrize("text", ["P@5", "R@100", "RR", "RR@10", "AP", "AP@20", "nDCG", "nDCG@10", "Success@5", "Evidence@3",
                                  "Sufficient@800tok", "CharP@5", "CharR@5", "IoU@5", "Duplicate@5"])  # fmt: skip
def test_a_measure_prints_as_it_parses(text):
    assert str(Measure.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "name"), [("ndcg@10", "nDCG@10"), ("MRR", "RR"), ("map", "AP"), (" p@1 ", "P@1"), ("iou@5", "IoU@5")]
)
def test_other_spellings(text, name):
    assert str(Measure.parse(text)) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Precision@5", "unknown measure"),
        ("", "unknown measure"),
        ("P@-1", "unknown measure"),
        ("P@5 R@5", "unknown measure"),
        ("Sufficent@5", "Sufficient@k"),
        ("P", "P@5"),
        ("Sufficient", "Sufficient@5"),
        ("P@0", "1 or more"),
        ("nDCG@0", "1 or more"),
    ],
)
def test_what_is_no_measure(text, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        Measure.parse(text)


def test_default_measures_follow_the_context():
    assert [str(m) for m in default_measures(7, 0)] == [
        *("Sufficient@7", "Sufficient(tau=0.8)@7", "Answer@7", "Evidence@7", "CharR@7", "CharP@7", "IoU@7"),
        *("Duplicate@7", "OffTopic@7", "Judged@7"),
        *("Success@7", "P@7", "RR", "AP", "nDCG@10", "R@100"),
    ]
    assert "Sufficient@800tok" in map(str, default_measures(5, 800))


# Rank measures, worked by hand: grades 0 2 1 0, of relevant items graded 2, 1, 1.


def value(name: str, depth: int, judged: Judged | None = None) -> float:
    judged = judged or Judged(np.array([[0.0, 2, 1, 0]]), np.array([[2.0, 1, 1]]))
    return float(ranked(Measure(name, depth), judged, ints(depth))[0])


@pytest.mark.parametrize(
    ("name", "depth", "expected"),
    [
        ("P", 1, 0),
        ("P", 3, 2 / 3),
        ("P", 10, 2 / 10),
        ("R", 2, 1 / 3),
        ("R", 10, 2 / 3),
        ("Success", 1, 0),
        ("Success", 2, 1),
        ("RR", 1, 0),
        ("RR", 4, 1 / 2),
        ("AP", 4, (1 / 2 + 2 / 3) / 3),
        ("nDCG", 2, (2 / math.log2(3)) / (2 + 1 / math.log2(3))),
        ("nDCG", 9, (2 / math.log2(3) + 1 / 2) / (2 + 1 / math.log2(3) + 1 / 2)),
    ],
)
def test_rank_measures_by_hand(name, depth, expected):
    assert value(name, depth) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", measures.RANKED)
def test_an_empty_context_scores_zero(name):
    assert value(name, 0) == 0


def test_of_a_bare_run_recall_counts_groups_and_the_rest_is_not_decidable():
    judged = Judged(np.array([[0.5, 0.0, 1.0]]), np.array([[1.0, 0.5]]), np.array([[2, 0, 1]]), ints(4))
    assert value("R", 1, judged) == 2 / 4
    assert value("R", 3, judged) == 3 / 4
    assert math.isnan(value("AP", 3, judged))
    assert math.isnan(value("nDCG", 3, judged))
    assert (value("P", 3, judged), value("RR", 3, judged), value("Success", 3, judged)) == (2 / 3, 1, 1)


# What reaches the prompt.


@pytest.mark.parametrize(
    ("budget", "n"), [(1, 1), (99, 1), (100, 1), (149, 1), (150, 2), (199, 2), (200, 3), (10**6, 4)], ids=str
)
def test_a_budget_stops_before_the_first_chunk_that_exceeds_it(budget, n):
    run, tokens = np.array([[7, 3, 5, 4, -1]]), np.array([[100, 50, 50, 1, 0]])
    assert context_lengths(run, tokens, 5, budget).tolist() == [n]


def test_a_small_chunk_behind_one_too_large_is_not_taken():
    assert context_lengths(np.array([[0, 1, 2]]), np.array([[10, 100, 1]]), 5, 20).tolist() == [1]


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 40))
def test_context_lengths_against_a_loop(sizes, k, budget):
    run, tokens = np.full((len(sizes), 6), -1), np.zeros((len(sizes), 6), dtype=np.int64)
    expected = []
    for q, row in enumerate(sizes):
        run[q, : len(row)], tokens[q, : len(row)] = range(len(row)), row
        taken: list[int] = []
        for size in row:
            if (taken and sum(taken) + size > budget) if budget else len(taken) == k:
                break
            taken.append(size)
        expected.append(len(taken))
    assert context_lengths(run, tokens, k, budget).tolist() == expected


# Characters, worked by hand: one document of 100 characters without white space.


def scores(context: list[tuple[int, int]], evidence: list[tuple[int, int, int]], tau: float = 1.0) -> dict[str, float]:
    """Of one query; evidence rows are ``(group, start, end)``."""
    start, end = np.array(context, dtype=np.int64).reshape(-1, 2).T
    group, first, last = np.array(evidence, dtype=np.int64).T
    zero = np.zeros(len(group), dtype=np.int64)
    labelled = Evidence(zero, group, zero, first, last, zero.astype(bool))
    shown = Contexts(np.zeros(len(start), dtype=np.int64), start, end, start, end)
    found = span_scores(shown, labelled, Contexts(zero, first, last, first, last), 1, 100, tau)
    return {name: float(found.named(name)[0]) for name in ("Evidence", "Sufficient", "CharP", "CharR", "IoU")}


def test_a_context_that_holds_half_the_evidence():
    assert scores([(0, 20)], [(0, 10, 30)]) == {"Evidence": 0, "Sufficient": 0, "CharP": 0.5, "CharR": 0.5, "IoU": 1 / 3}
    assert scores([(0, 20)], [(0, 10, 30)], tau=0.5)["Sufficient"] == 1


def test_two_chunks_together_hold_what_neither_does():
    assert scores([(20, 30), (10, 20)], [(0, 12, 28)])["Sufficient"] == 1


def test_overlapping_chunks_count_once():
    assert scores([(0, 20), (10, 30)], [(0, 10, 20)]) == {
        "Evidence": 1, "Sufficient": 1, "CharP": 10 / 30, "CharR": 1, "IoU": 10 / 30}  # fmt: skip


def test_every_group_is_needed():
    found = scores([(0, 20)], [(0, 0, 10), (1, 50, 60)])
    assert found == {"Evidence": 0.5, "Sufficient": 0, "CharP": 0.5, "CharR": 0.5, "IoU": 10 / 30}


def test_groups_that_overlap_count_their_characters_once():
    assert scores([(0, 12)], [(0, 0, 10), (1, 5, 20)])["CharR"] == 12 / 20


def test_one_alternative_is_enough_and_another_no_noise():
    alternatives = [(0, 0, 10), (0, 50, 60)]
    assert scores([(50, 60)], alternatives) == dict.fromkeys(("Evidence", "Sufficient", "CharP", "CharR", "IoU"), 1)
    assert scores([(0, 10), (50, 60)], alternatives) == dict.fromkeys(("Evidence", "Sufficient", "CharP", "CharR", "IoU"), 1)


def test_a_larger_context_does_not_lower_char_recall_by_another_choice_of_alternative():
    evidence = [(0, 0, 40), (0, 50, 54), (1, 60, 100)]  # 36 of 40 of the long alternative, then all of the short one
    before, after = scores([(0, 36)], evidence), scores([(0, 36), (50, 54)], evidence)
    assert before["CharR"] == pytest.approx(0.9 * 4 / 44)
    assert after["CharR"] == pytest.approx(4 / 44)


def test_an_empty_context_scores_nothing():
    assert scores([], [(0, 0, 10)]) == dict.fromkeys(("Evidence", "Sufficient", "CharP", "CharR", "IoU"), 0)


# Repeated text.


def repeated(contexts: list[list[str]], words: int) -> list[float]:
    """`duplicate_share`, each context a list of chunks."""
    texts = sorted({text for context in contexts for text in context})
    query = ints(*(q for q, context in enumerate(contexts) for _ in context))
    shown = ints(*(texts.index(text) for context in contexts for text in context))
    return duplicate_share(query, shown, texts, len(contexts), words).tolist()


def slowly(context: list[str], words: int) -> float:
    seen: set[tuple[str, ...]] = set()
    again = total = 0
    for text in context:
        found = re.findall(r"\w+", text.lower())
        size = min(words, len(found))
        runs = [(i, tuple(found[i : i + size])) for i in range(len(found) - size + 1)] if found else []
        marked = {j for i, run in runs if run in seen for j in range(i, i + size)}
        again += sum(len(found[j]) for j in marked)
        total += sum(map(len, found))
        seen |= {run for _, run in runs}
    return again / total if total else 0.0


def test_repeated_text_by_hand():
    first, copy = "one two three four five six seven eight nine", "One two three four five six seven eight NINE!"
    assert repeated([[first, copy], [first], [copy], []], 8) == [0.5, 0, 0, 0]
    overlap = "two three four five six seven eight nine ten"
    assert repeated([[first, overlap]], 8) == [33 / 72]
    assert repeated([["two words", "two words", "two words more"]], 8) == [8 / 28]  # short chunks repeat only as a whole
    assert repeated([["a b c d a b c d"]], 4) == [0]  # within one chunk nothing has been shown before
    assert repeated([["…", "…", ""]], 8) == [0]


chunk = st.lists(st.sampled_from(["a", "bb", "C", "c", "-", "ddd"]), max_size=7).map(" ".join)


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 10, 10**6])
@given(st.lists(st.lists(chunk, max_size=4), min_size=1, max_size=4), st.integers(1, 4))
def test_repeated_text_against_a_loop(block, contexts, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "BLOCK", block)
        assert repeated(contexts, words) == pytest.approx([slowly(c, words) for c in contexts], abs=1e-12)
