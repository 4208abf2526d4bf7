"""Claims held against contexts, sentence by sentence: pairs worked by hand, planted faults, and what cannot be known."""

import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.answering.judges._citing import said
from ragdiag.answering.judges._claims import Claim, claims
from ragdiag.answering.judges._forms import decades, meanings, prepared
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._passages import TOGETHER, ranked, read
from ragdiag.text.sentences import sentences

sys.path.insert(0, str(Path(__file__).parent / "bench"))
from support import FIXTURE, by_grounded, overlap, rows, threshold

from ragdiag.answering.verdict import agreement

FERRY = (
    "Skerry Lines was founded in Molde in 1951. It runs 14 ferries, and 1,240 people work there.",
    "In 2023 revenue rose to $4.2 billion from $4.0 billion in 2022. Fuel costs fell 3.5 % to $310 million.",
    "Skerry Lines bought the yard at Ulvik from Brandt Marine in 1994-98. Ida Rask succeeded Nils Holm as captain of the fleet.",
)


def of(answer: str, contexts: tuple[str, ...] = FERRY, question: str = "How is Skerry Lines doing?") -> list[Claim]:
    return claims(question, answer, contexts)


def why(answer: str, contexts: tuple[str, ...] = FERRY) -> str:
    (claim,) = of(answer, contexts)
    assert claim.supported is not bool(claim.why)
    return claim.why


@pytest.mark.parametrize(
    "sentence",
    [
        "Skerry Lines has a staff of 1 , 240 .",
        "Sales grew to $ 4.2 billion in 2023.",
        "Fuel costs were lower by 3 . 5 % , at $ 310 million .",
        "Between 1994 and 1998 the yard at Ulvik was purchased.",
        "The yard was acquired in the 1990s.",
        "Brandt Marine's yard was bought by Skerry Lines.",
        "Nils Holm was succeeded by Ida Rask.",
        "It was not founded in Ulvik but in Molde.",
        "Revenue was up 5 %.",
    ],
)
def test_in_other_words(sentence: str) -> None:
    assert why(sentence) == ""


@pytest.mark.parametrize(
    ("sentence", "because"),
    [
        ("Skerry Lines was founded in Molde in 1994.", "gives '1951' where the answer gives '1994'"),
        ("In 2023 revenue rose to $4.0 billion.", "gives '$4.2 billion' where the answer gives '$4.0 billion'"),
        ("Nils Holm succeeded Ida Rask as captain.", "where the answer has 'Nils Holm'"),
        ("Brandt Marine bought the yard at Ulvik from Skerry Lines.", "where the answer has 'Brandt Marine'"),
        ("Skerry Lines does not run ferries.", "says so where the answer denies it"),
        ("Skerry Lines was founded in Bergen.", "does not hold 'Bergen'"),
        ("It was founded in the 1980s.", "does not hold '1980s'"),
        ("Fuel costs rose 3.5 %.", "does not hold '3.5%'"),
        ("Passengers complain about broken heating on winter crossings.", "of the words of"),
    ],
)
def test_what_is_not_so(sentence: str, because: str) -> None:
    assert because in why(sentence)


@pytest.mark.parametrize(
    ("context", "claim", "because"),
    [
        ("The alarm is on at night.", "The alarm is off at night.", "the opposite"),
        ("The valve must not be opened under load.", "The valve may be opened under load.", "denies it"),
        (
            "Loads over 500 kg need a permit of 12 pages.",
            "Loads over 12 kg need a permit of 500 pages.",
            "where the answer gives",
        ),
        ("In tests 3 of 90 seals leaked.", "In tests 90 seals leaked.", "as what others are of"),
        ("The Alder pump runs dry for ten minutes.", "The Birch pump runs dry for ten minutes. ", "'Birch'"),
        ("The Birch crane is red. The Alder pump runs dry for an hour.", "The Birch pump runs dry for an hour.", "'Birch'"),
    ],
)
def test_right_words_put_together_wrongly(context: str, claim: str, because: str) -> None:
    assert because in why(claim, (context,))
    assert why(context.split(". ")[-1], (context,)) == ""


def test_a_range_states_its_ends_and_no_year_between() -> None:
    assert why("The yard was bought in 1994-1998.") == ""
    assert "1996" in why("The yard was bought in 1996.")
    assert prepared("1994-98 and 2019-12 and 2001-2004") == "1994-1998 and 2019-12 and 2001-2004"
    assert (decades("the 1990s"), decades("in 1990")) == ({"199"}, set())
    assert "1994" in why("It was bought in 1994.", ("It was bought in the 1990s.",))


@pytest.mark.parametrize(
    "talk",
    ["Sure!", "Here is what I found:", "Happy to help with your question!", "The main points are as follows:", "## Ferries",
     "Yes.", "Let me summarise the report for you.", "The context does not mention its debt.", "Would you like more?", "", "[1]"],
)  # fmt: skip
def test_what_states_nothing_is_no_claim(talk: str) -> None:
    assert of(talk) == []
    (claim,) = of(f"{talk}\nIt runs 14 ferries.\n{talk}")
    assert claim.sentence == "It runs 14 ferries."


def test_the_passage_that_holds_a_claim_is_where_it_says() -> None:
    first, second, nowhere = of("It runs 14 ferries. Ida Rask succeeded Nils Holm. Zebras graze quietly.")
    assert (first.context, second.context, nowhere.context) == (0, 2, None)
    assert FERRY[0][first.start : first.end] == "It runs 14 ferries, and 1,240 people work there."
    assert FERRY[2][second.start : second.end] == "Ida Rask succeeded Nils Holm as captain of the fleet."


@given(st.lists(st.text(max_size=80), max_size=3), st.text(max_size=80))
def test_any_text_is_read_and_spans_lie_in_their_contexts(contexts: list[str], answer: str) -> None:
    for claim in claims("What?", answer, contexts):
        assert claim.supported is not bool(claim.why)
        if claim.context is not None:
            passage = contexts[claim.context][claim.start : claim.end]
            assert passage and passage == passage.strip()


@given(st.lists(st.sampled_from(["One ferry sank.", "Two ran.", "Ida left in 1951.", "It rained."]), min_size=1, max_size=8))
def test_passages_are_neighbours_and_hold_more_than_their_parts(parts: list[str]) -> None:
    text = " ".join(parts)
    stems = frozenset(meanings("ferry Ida rain sank"))
    for passage in ranked([read(text)], stems, frozenset()):
        assert 1 <= len(passage.sentences) <= TOGETHER
        assert passage.hits == frozenset(w for s in passage.sentences for w in s.words) & stems
        assert text[passage.start : passage.end] == " ".join(text[s.start : s.end] for s in passage.sentences)


def test_an_empty_text_has_no_sentences() -> None:
    assert sentences("") == sentences(" \n ") == []


TIDEWATER = sorted((Path(__file__).parents[1] / "fixtures" / "tidewater" / "corpus").rglob("*.md"))


def test_planted_faults_in_real_sentences() -> None:
    """Sentences as they stand are held; with a number that their document does not have they are not."""
    rng = random.Random(0)
    stated = changed = 0
    for path in TIDEWATER:
        text = path.read_text(encoding="utf-8")
        for start, end in sentences(text):
            sentence = text[start:end]
            numbers = [q for q in quantities(sentence) if q.text.isdigit() and len(q.text) > 1 and sentence.count(q.text) == 1]
            for claim in claims("", sentence, [text]):
                stated += 1
                assert claim.supported, claim
            if numbers and len(said(sentence)) == 1:
                other = str(rng.randrange(311_000, 999_000))
                fault = sentence.replace(rng.choice(numbers).text, other)
                changed += 1
                assert [c.supported for c in claims("", fault, [text])] == [False], fault
    assert stated > 100 and changed > 20


def test_the_development_half_of_the_labelled_sentences() -> None:
    """Rules were chosen by it; the other half is read by the benchmark alone."""
    half = [r for r in rows(FIXTURE) if r.half == "development"]
    labelled = [r for r in half if r.supported is not None]
    assert len(rows(FIXTURE)) >= 60 and all(by_grounded(r) is None for r in half if r.supported is None)
    labels = [bool(r.supported) for r in labelled]
    least = threshold(labelled)
    found, words = (agreement(labels, said) for said in ([by_grounded(r) is not False for r in labelled],
                                                       [overlap(r) >= least for r in labelled]))  # fmt: skip
    assert found is not None and words is not None and found.kappa is not None and words.kappa is not None
    assert found.kappa >= 0.85 and words.kappa <= 0.2, "hard kinds are those that words alone do not tell"


def test_balanced_accuracy_by_hand() -> None:
    labels, said_yes = [True] * 8 + [False] * 2, [True] * 6 + [False] * 2 + [True, False]
    found = agreement(labels, said_yes)
    assert found is not None and found.balanced == pytest.approx((6 / 8 + 1 / 2) / 2)
    always = agreement(labels, [True] * 10)
    assert always is not None and (always.share, always.kappa, always.balanced) == (0.8, 0.0, 0.5)
    one_sided = agreement([True, True], [True, False])
    assert one_sided is not None and one_sided.balanced is None


def test_fixture_lines_are_whole() -> None:
    for line in FIXTURE.read_text(encoding="utf-8").splitlines():
        assert {*json.loads(line)} == {"kind", "question", "contexts", "sentence", "supported"}
