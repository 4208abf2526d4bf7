"""The deterministic matcher: labelled pairs, the public set's own labels, and what must hold of any number."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ragdiag.answering.judges._conclusion import stated
from ragdiag.answering.judges._dates import dates, says
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._text import normalised, readable, refuses, sentences
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import make, names, spec_of

PAIRS = Path(__file__).parents[1] / "fixtures" / "judges"
DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pair(question: str, gold: str, answer: str) -> tuple[Query, Answer]:
    return Query("q", question, gold), Answer("q", "oracle", answer)


def opinion(gold: str, answer: str, question: str = "What is it?", matcher: Matcher | None = None) -> Opinion:
    (found,) = (matcher or Matcher("free")).judge([pair(question, gold, answer)], None, no_progress)
    assert found is not None
    assert found.why
    assert "\n" not in found.why
    return found


def kappa(predicted: Sequence[bool], labels: Sequence[bool]) -> float:
    """Cohen's kappa."""
    n = len(labels)
    observed = sum(a == b for a, b in zip(predicted, labels, strict=True)) / n
    yes, also = sum(predicted) / n, sum(labels) / n
    chance = yes * also + (1 - yes) * (1 - also)
    return (observed - chance) / (1 - chance)


@pytest.mark.parametrize("row", rows(PAIRS / "pairs.jsonl"), ids=lambda r: f"{r['gold'][:20]}-{r['answer'][:20]}")
def test_labelled_pairs(row: dict) -> None:
    found = opinion(row["gold"], row["answer"], row["question"])
    assert found.correct == row["correct"], found.why


@pytest.mark.parametrize(
    ("name", "count", "least"),
    [
        # What the rules were chosen by after `pairs.jsonl`: kappa .94 (a first look at its first 75 said .71).
        ("tuned", 187, 0.9),
        # Not looked at while they were: first look .78; .85 once the rules were done, and read then: .89 after.
        ("financial", 93, 0.82),
        # Written after that, one after the other, and read: first look .71, then .95; first look .67, then .80.
        ("chat", 83, 0.85),
        ("mixed", 60, 0.7),
        # Written when all rules were done; no rule was changed after it: a first look, .88.
        ("fresh", 33, 0.8),
    ],
)
def test_agreement_on_free_text(name: str, count: int, least: float) -> None:
    """The weak spots stay in: answers to yes-or-no questions that say neither, and prose in wholly other words."""
    labelled = rows(PAIRS / f"{name}.jsonl")
    assert len(labelled) == count
    predicted = [opinion(r["gold"], r["answer"], r["question"]).correct for r in labelled]
    assert kappa(predicted, [r["correct"] for r in labelled]) >= least


def test_pairs_that_no_rule_was_made_for() -> None:
    """Written before the rules, not read while they were chosen: kappa .88 at first, .93 when they were done and it was read.

    Two faults that it showed (``R&D`` as a name, a date beside the one stated) were mended after that.
    """
    held = rows(PAIRS / "heldout.jsonl")
    predicted = [opinion(r["gold"], r["answer"], r["question"]).correct for r in held]
    assert kappa(predicted, [r["correct"] for r in held]) >= 0.9
    assert len(held) + len(rows(PAIRS / "pairs.jsonl")) >= 150


def hotpot() -> list[tuple[str, list[tuple[Query, Answer]], list[bool]]]:
    queries = {r["_id"]: Query(r["_id"], r["text"], r["answer"]) for r in rows(DATA / "hotpot100" / "queries.jsonl")}
    found = []
    for path in sorted((DATA / "hotpot100" / "answers").glob("*.jsonl")):
        kept = [r for r in rows(path) if r["recorded_label"] in ("correct", "incorrect")]
        asked = [(queries[r["query_id"]], Answer(r["query_id"], "retrieved", r["answer"])) for r in kept]
        found.append((path.stem, asked, [r["recorded_label"] == "correct" for r in kept]))
    return found


@needs_data
def test_short_answers_are_compared_as_the_labels_of_hotpot100_were() -> None:
    files = hotpot()
    assert [len(asked) for _, asked, _ in files] == [100, 100, 90]
    for name, asked, labels in files:
        whole, free = (
            [o is not None and o.correct for o in Matcher(style).judge(asked, None, no_progress)]  # type: ignore[arg-type]
            for style in ("auto", "free")
        )
        assert kappa(whole, labels) >= 0.99, name
        # What says the same in other words is right as well, where these labels ask for the same words.
        assert all(said or not label for said, label in zip(free, labels, strict=True)), name
        assert sum(free) > sum(labels), name


# Which answers are judged, and how.


def test_what_cannot_be_judged() -> None:
    query = Query("q", "Who?", "Ada")
    asked = [(query, Answer("q", "oracle", "", failed=True)), (Query("r", "Who?"), Answer("r", "oracle", "Ada"))]
    assert Matcher().judge(asked, None, no_progress) == [None, None]
    assert Matcher().judge([], None, no_progress) == []
    assert opinion("Ada", " ")._replace(p=None) == Opinion(False, "the answer is empty", "refusal", "empty_answer")


@pytest.mark.parametrize(
    ("question", "gold", "answer", "rule"),
    [
        ("Who?", "Ada", "ada.", "same_as_written"),
        ("Which sign?", "+", "-", "no_words_in_reference"),
        ("Who?", "Ada", "The documents do not say.", "declines"),
        ("Is it open?", "Yes", "No, it is closed.", "same_yes_or_no"),
        ("Is it open, and why?", "Yes, the dam was repaired.", "Yes, the dam was repaired last week.", "enough_facts"),
        ("Did sales rise or fall?", "They rose.", "Sales fell.", "rise_or_fall"),
        ("Which of Oslo and Bern is larger?", "Oslo", "Bern is.", "choice"),
        ("When did it open?", "3 May 2019", "On May 3, 2019.", "date"),
        ("How many are there?", "1,200", "There are 1.2 thousand.", "numbers"),
        ("Which colours?", "red, green and blue", "Green, blue and red.", "all_items_named"),
        ("Who leads it?", "Ada Bell", "It is Ada Bell.", "name_given"),
        ("Who leads it?", "Ada Bell", "Not Ada Bell.", "name_set_aside"),
        ("Who leads it?", "Ada Bell", "It is Tom Reed.", "name_missing"),
    ],
)
def test_the_rule_that_decided_is_named(question: str, gold: str, answer: str, rule: str) -> None:
    assert opinion(gold, answer, question).rule == rule


def test_style() -> None:
    asked = [pair("Where?", "Beijing", "Beijing, China"), pair("Who?", "Ada", "Ada")]
    whole, auto, free = ([o.correct for o in Matcher(s).judge(asked, None, no_progress)] for s in ("whole", "auto", "free"))
    assert whole == auto == [False, True]
    assert free == [o.correct for o in Matcher().judge(asked, None, no_progress)] == [True, True]
    longer = [
        pair("Where?", "Beijing", "It stands in Beijing, the capital of China."),
        pair("Who?", "Ada", "It was Ada who did it."),
    ]
    assert [o.correct for o in Matcher("auto").judge(longer, None, no_progress)] == [True, True]
    assert opinion("8.70%", "8.7 %", matcher=Matcher("whole")).correct
    assert opinion("$1577.00", "$1.577 billion", "What is capex in USD millions?", Matcher("whole")).correct


def test_specs() -> None:
    assert "matcher" in names("judges")
    assert make("judges", "matcher(style=free, coverage=0.6)") == Matcher("free", 0.6)
    assert spec_of(Matcher()) == "matcher"
    with pytest.raises(SpecError, match="coverage must be above 0"):
        make("judges", "matcher(coverage=0)")
    with pytest.raises(SpecError, match="unknown judge 'match'; did you mean 'matcher'"):
        make("judges", "match")


@pytest.mark.parametrize(
    ("gold", "answer", "why"),
    [
        ("31,200 thousand", "31.2 million", "31.2 million is 31,200 thousand"),
        ("12.5%", "11%", "12.5% is not in the answer"),
        ("2004", "It was in 1998.", "2004 is not in the answer"),
        ("Yes", "No, it is not.", "the reference says yes, the answer says no"),
        ("0.66", "So the ratio is 0.71.", "concludes with 0.71, not 0.66"),
        ("Ada Lovelace", "I cannot determine who it was.", "refusal"),
    ],
)
def test_reasons(gold: str, answer: str, why: str) -> None:
    assert why in opinion(gold, answer).why


@pytest.mark.parametrize(
    "text",
    [
        "I cannot determine this.",
        "The provided context does not contain the balance sheet.",
        "This information is not provided in the context.",
        "There is insufficient information to answer.",
        "I don't have access to that report.",
        "Not mentioned.",
        "We are unable to calculate the ratio.",
        "It’s impossible to say.",
    ],
)
def test_refusals(text: str) -> None:
    assert refuses(text)
    assert opinion("42 widgets", text).kind == "refusal"


@pytest.mark.parametrize("text", ["The warranty does not include batteries.", "It is not profitable.", "No debt was issued."])
def test_what_is_no_refusal(text: str) -> None:
    assert not refuses(text)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["12,345 ", "June 3, 2021 ", "2021 ", "loss of a ", "Ab ", "not because, ", "(", "-", " ", "1"])
@pytest.mark.parametrize(
    "gold", ["$905.00", "June 4, 2022", "No, costs fell by 5.1%.", "Ada, Bo and Cy", "Sales of tea fell in Asia."]
)
def test_a_very_long_answer_is_judged(unit: str, gold: str) -> None:
    """No rule takes forever on 20 kB of one thing: a pattern that goes back and forth would never come to an end."""
    assert not opinion(gold, unit * (20_000 // len(unit)) + "x", "Did costs fall, and why?").correct


@pytest.mark.parametrize(
    ("question", "gold", "answer", "right"),
    [
        ("What drove it?", "Higher freight costs", "It was lower freight costs.", False),
        ("What drove it?", "Higher freight costs", "It was increased costs of shipping.", True),
        ("Which segment grew?", "The tea segment", "It was Tea.", True),
        ("Who led it in 2022?", "Ada Bell", "In 2022 it was Cy Dorn; Ada Bell led it in 2020.", False),
        ("How do users sign in?", "With single sign-on", "They use SSO.", True),
        ("Why was it late?", "Snow", "The report does not go into detail. However, it blames snow.", True),
        ("Did margin rise?", "No", "Margin declined, so it did not rise.", True),
        ("Did margin rise?", "No", "Margin was flat.", True),
        ("Is margin up?", "No", "Margin did not fall, it went up.", False),
        ("What is its gross margin?", "It is not a relevant metric for a bank.", "This measure isn't applicable to banks.", True),
        ("What is its gross margin?", "It is not a relevant metric for a bank.", "Its gross margin is a relevant 61%.", False),
        ("Is it closed, and if so why?", "Yes, because of a flood.", "Yes, because of a strike by its staff.", False),
    ],
)
def test_prose_in_other_words(question: str, gold: str, answer: str, right: bool) -> None:
    found = opinion(gold, answer, question)
    assert found.correct is right, found.why


# The parts.


@pytest.mark.parametrize(
    ("text", "value", "scale", "unit", "sign"),
    [
        ("$(1,234) million", 1234, 1e6, "$", -1),
        ("(4,512)", 4512, None, "", -1),
        ("(3.1)%", 3.1, None, "%", -1),
        ("a margin (37.1%) that held", 37.1, None, "%", 0),
        ("−5 %", 5, None, "%", -1),
        ("EUR 31.2m", 31.2, 1e6, "€", 0),
        ("25 bps", 25, None, "%", 0),
        ("42 cents", 42, None, "$", 0),
        ("twelve days", 12, None, "time", 0),
        ("decreased by roughly 5%", 5, None, "%", -1),
        ("a 5% increase", 5, None, "%", 1),
        ("fell to 14.2%", 14.2, None, "%", 0),
        ("a net loss in 2019 was $4,512 thousand", 4512, 1e3, "$", -1),
        ("in 1998", 1998, None, "year", 0),
    ],
)
def test_quantities(text: str, value: float, scale: float | None, unit: str, sign: int) -> None:
    found = quantities(readable(text))[-1]
    assert (found.value, found.scale, found.unit, found.sign) == (value, scale, unit, sign)


@pytest.mark.parametrize("text", ["10-K", "Q3", "FY2022", "B12", "vitamin K2", "no numbers"])
def test_names_are_no_quantities(text: str) -> None:
    assert quantities(text) == []


@pytest.mark.parametrize(
    "text", ["3 June 2021", "June 3rd, 2021", "2021-06-03", "06/03/2021", "3rd of June 2021", "Jun. 3, 2021"]
)
def test_dates(text: str) -> None:
    assert any(says(d, dates("June 3, 2021")[0]) for d in dates(text))


@pytest.mark.parametrize("text", ["Q2 FY2023", "second quarter of 2023", "FY23 Q2", "fiscal 2023 second quarter"])
def test_quarters(text: str) -> None:
    assert [d[:2] for d in dates(text)] == [(2023, 2)]


def test_sentences_and_conclusions() -> None:
    assert sentences("Acme Inc. grew. It rose 1.5%. Then?\n- item") == ["Acme Inc. grew.", "It rose 1.5%.", "Then?", "- item"]
    assert stated("A. **x** So b. The answer is 3.")[:2] == ["3.", "x"]
    assert stated(r"so 5, \boxed{6}")[0] == "6"


# What must hold of anything.

TEXT = st.text(st.characters(codec="utf-8"), max_size=80)
PHRASES = st.lists(
    st.sampled_from("the net loss rose 5% to $3.2 million (1,234) no not yes June 2021 Acme Inc. cannot be = 7 so".split()),
    min_size=1,
)


@settings(max_examples=300, deadline=None)
@given(TEXT | PHRASES.map(" ".join), TEXT, TEXT | PHRASES.map(" ".join))
def test_any_text_is_judged(gold: str, question: str, answer: str) -> None:
    assume(gold.strip())
    assert opinion(gold, answer, question).kind in ("", "refusal", "doubtful")


@settings(max_examples=300, deadline=None)
@given(TEXT.filter(lambda t: bool(normalised(t))) | PHRASES.map(" ".join), TEXT)
def test_the_reference_itself_is_right(gold: str, question: str) -> None:
    found = opinion(gold, gold, question)
    assert found.correct, found.why


NUMBERS = st.integers(1000, 10**9).map(lambda n: n / 100).filter(lambda v: v >= 10)
FORMS = [
    "{:,.2f}", "{:.2f}",
    "${:,.2f}", "about {:,.2f}", "The result is {:,.2f}.", "**{:,.2f}**", "\\boxed{{{:.2f}}}",
    "x = 2 * 3 = {:.2f}",
    "First we look at 7 things. Then we add them.\nTherefore, the result is {:,.2f}.",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(NUMBERS, st.sampled_from(FORMS), st.sampled_from(FORMS[:3]))
def test_the_form_of_a_number_does_not_matter(value: float, form: str, gold: str) -> None:
    found = opinion(gold.format(value), form.format(value))
    assert found.correct, found.why


@settings(max_examples=200, deadline=None)
@given(NUMBERS, st.floats(1.06, 9.0), st.booleans(), st.sampled_from(FORMS), st.sampled_from(FORMS[:3]))
def test_another_number_is_wrong(value: float, by: float, up: bool, form: str, gold: str) -> None:
    other = value * by if up else value / by
    found = opinion(gold.format(value), form.format(other))
    assert not found.correct, found.why


@settings(max_examples=100, deadline=None)
@given(st.integers(100, 9999), st.sampled_from(["thousand", "million", "billion"]))
def test_the_scale_may_be_written_otherwise(n: int, word: str) -> None:
    value, smaller = n / 10, {"thousand": "", "million": "thousand", "billion": "million"}[word]
    for answer in (f"{value * 1000:,.0f} {smaller}", f"${value:.1f} {word}"):
        assert opinion(f"{value:.1f} {word}", answer).correct
    assert not opinion(f"{value:.1f} {word}", f"{value:.1f} {smaller or 'million'}").correct


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 999).map(lambda n: n / 10))
def test_the_sign_matters(value: float) -> None:
    for negative in (f"-{value}%", f"({value})%", f"decreased by {value}%", f"a {value}% decline"):
        assert opinion(f"-{value}%", f"It was {negative}.").correct
        assert not opinion(f"{value}%", f"It was {negative}.").correct
    assert not opinion(f"-{value}%", f"It grew by {value}%.").correct
