"""The part of a label that answers: where it is known, how wide the label is beside it, and what a context that holds it is."""

from itertools import pairwise

import numpy as np
import pytest

from ragdiag.core.records import Chunking, Corpus, Document, Label, Query, Run, Span
from ragdiag.scoring.answering import answering_parts
from ragdiag.scoring.measures import Measure
from ragdiag.scoring.scoring import Scorer
from ragdiag.sources.evidence import locate

LICENCE = "Licensed under terms that nobody reads. All rights are reserved here. No warranty is given at all. "
ANSWER = "Leave is at most 25 days a year. "
REST = "Requests go to the office in Ghent. The office is closed on Fridays."
WHOLE = LICENCE + ANSWER + REST


def parts(label: str, text: str, *answers: str) -> list[str]:
    """The texts of the parts of a label that answer; every word is as telling as any."""
    corpus, (answer, *also) = Corpus((Document("d", label),)), answers or ("",)
    query = Query("q", text, answer=answer, also=tuple(also))
    return [label[s.start : s.end] for s in answering_parts(query, corpus, Span(0, 0, len(label)), lambda word: 1.0)]


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("how long is leave a year", ("at most 25 days a year",), [ANSWER.strip()]),  # a long answer, as it stands
        ("how long is leave a year", ("25 days",), [ANSWER.strip()]),  # a short one, among the query's words
        ("how long is leave a year", ("25\u00a0DAYS.",), [ANSWER.strip()]),  # however it is typed
        ("how long is leave", ("a month", "25 days"), [ANSWER.strip()]),  # any reference answer will do
        ("when is the office closed", ("25 days",), []),  # the query's words stand elsewhere in the label
        ("what about it", ("25 days",), []),  # no word of the query tells where a short answer answers
        ("how long is leave", ("5 days",), []),  # no part of a number is an answer
        ("how long is leave", (), []),  # the query's words alone tell nothing
        ("how long is leave", (WHOLE,), []),  # the whole label answers
    ],
)
def test_where_an_answer_stands_in_a_label(text: str, answers: tuple[str, ...], expected: list[str]) -> None:
    assert parts(WHOLE, text, *answers) == expected


def test_a_short_answer_that_stands_twice_is_where_the_words_of_the_query_are() -> None:
    label = "Parking costs 25 euros each month. Nothing else is billed there. Entering the museum costs 25 euros per person."
    assert parts(label, "what does entering the museum cost", "25 euros") == ["Entering the museum costs 25 euros per person."]
    assert parts(label, "what does parking cost", "25 euros") == ["Parking costs 25 euros each month."]
    assert parts(label, "what is billed", "25 euros") == []


def test_an_answer_in_other_words_is_where_nearly_all_its_own_words_are() -> None:
    label = LICENCE + "To renew a pass, bring a photograph. Pay the clerk in cash at the counter. " + REST
    answer = "You bring a photograph and pay cash to the clerk at the counter."
    assert parts(label, "how do I renew my pass", answer) == [
        "To renew a pass, bring a photograph. Pay the clerk in cash at the counter."
    ]
    # Of "bicycle", "helmet", "lamp", "bell", "tyre", "pump" the label has one: it does not say what the answer says.
    assert parts(label, "how do I renew my pass", "Bicycle, helmet, lamp, bell, tyre, pump, counter.") == []
    # Two words are too few to tell.
    assert parts(label, "how do I renew my pass", "Photograph, cash.") == []


def test_a_label_is_wide_only_where_it_is_much_longer_than_the_part_that_answers() -> None:
    # 9 tokens answer, with the full stop: 13 are less than one and a half times as many, 15 are more.
    assert parts(ANSWER + "Ask the office.", "how long is leave", "at most 25 days a year") == []
    assert parts(ANSWER + "Ask the office in Ghent.", "how long is leave", "at most 25 days a year") == [ANSWER.strip()]


def scorer_of(text: str, chunks: list[tuple[int, int]], queries: list[Query]) -> tuple[Scorer, Corpus]:
    corpus = Corpus((Document("d", text),))
    starts, ends = np.array(chunks).T
    return Scorer(corpus, locate(queries, corpus), Chunking(np.zeros(len(chunks), np.int64), starts, ends)), corpus


def test_answer_at_k_asks_for_the_part_that_answers_of_every_group() -> None:
    """Three chunks: the licence, what answers, the rest. The label is all of it, or all and one more passage."""
    other = " The gate is painted green."
    text, cut, end = WHOLE + other, len(LICENCE), len(LICENCE + ANSWER)
    whole, gate = Label("d", WHOLE, 0, len(WHOLE)), Label("d", other.strip(), len(WHOLE) + 1, len(text))
    queries = [
        Query("wide", "how long is leave", "at most 25 days a year", (whole,)),
        Query("both", "how long is leave, and what is green", "at most 25 days a year", (whole, gate)),
        Query("bare", "how long is leave", "", (whole,)),
    ]
    scorer, _ = scorer_of(text, [(0, cut), (cut, end), (end, len(WHOLE)), (len(WHOLE), len(text))], queries)
    assert scorer.answering.by_query == {0: {1: (Span(0, cut, end - 1),)}, 1: {1: (Span(0, cut, end - 1),)}}
    run = Run(np.array([[1, 0, 2, 3]] * 3), np.array([[4.0, 3.0, 2.0, 1.0]] * 3))
    names = ("Answer@1", "Answer@3", "Answer@4", "Sufficient@1", "Sufficient@3")
    measured = scorer.measure(run, [Measure.parse(name) for name in names])
    assert [values.tolist() for values in measured.values()] == [[1, 0, 0], [1, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1]]


def test_a_context_with_all_evidence_holds_every_answer() -> None:
    """Whatever the ranking and wherever chunks are cut, Answer@k is never below Sufficient@k."""
    rng = np.random.default_rng(5)
    query = Query("q", "how long is leave", "25 days", (Label("d", WHOLE, 0, len(WHOLE)),))
    for _ in range(50):
        cuts = np.unique([0, *rng.integers(1, len(WHOLE), 4), len(WHOLE)])
        scorer, _ = scorer_of(WHOLE, list(pairwise(cuts.tolist())), [query])
        order = rng.permutation(len(cuts) - 1)[None]
        run = Run(order, -np.arange(order.shape[1], dtype=np.float64)[None])
        for k in range(1, len(cuts)):
            answer, sufficient = scorer.measure(run, [Measure("Answer", k), Measure("Sufficient", k)]).values()
            shown = {i for c in order[0, :k] for i in range(cuts[c], cuts[c + 1])}
            assert answer[0] == all(i in shown or WHOLE[i] == " " for i in range(len(LICENCE), len(LICENCE + ANSWER)))
            assert answer[0] >= sufficient[0]
