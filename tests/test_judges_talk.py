"""What stands round an answer says nothing: thinking, courtesies, marks of programs; what people write in many ways is one."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragdiag.answering.judges import refuses
from ragdiag.answering.judges._glued import unglued
from ragdiag.answering.judges._names import person
from ragdiag.answering.judges._plain import plain, statements, unthought
from ragdiag.answering.judges._text import unaccented, words
from ragdiag.answering.judges.grounded import Grounded
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query


def opinion(question: str, gold: str, said: str) -> Opinion:
    (found,) = Matcher("free").judge([(Query("q", question, gold), Answer("q", "oracle", said))], None, no_progress)
    assert found is not None
    return found


def right(question: str, gold: str, said: str) -> bool:
    return opinion(question, gold, said).correct


def supported(said: str, context: str) -> bool | None:
    answer = Answer("q", "retrieved", said, contexts=(context,))
    (found,) = Grounded().judge([(Query("q", "How long may I stay away?"), answer)], None, no_progress)
    return None if found is None else found.correct


COURTESIES = """
Sure!
Certainly!
Absolutely!
Of course!
Great question!
That's a really good question.
Happy to help!
I'd be glad to help with that!
Hope that helps!
I hope this was helpful.
Let me know if you have any other questions!
Feel free to ask if you need anything else.
Here is a summary of the passage:
Here's what I found:
Hello, this is Bot.
Is there anything else you would like to know?
Would you like me to go into detail?
Thanks for asking!
You're welcome!
No problem!
Have a nice day!
I can help with that.
Let me explain.
Okay.
""".strip().splitlines()

MARKS = ["[END OF FILING]", "[INST]", "<|im_end|>", "</s>", "<answer>", "[1]", "[^12^]", "[SOURCE]", "```"]

THOUGHTS = [
    "<think>Is it 30 days? No, not in Norway.</think>",
    "<thinking>\nNo.\nNot at all: 30 days in Norway.\n</thinking>\n",
    "<reasoning>The context does not mention Norway.</reasoning>",
    "[THINK]30 days? No.[/THINK]",
    "It says 30 days in Norway, so no.</think>",
    "◁think▷Not 30 days.◁/think▷",
]


@pytest.mark.parametrize("talk", COURTESIES)
def test_a_courtesy_says_nothing(talk: str) -> None:
    fact = "Leave is at most 25 days."
    assert statements(f"{talk} {fact}") == statements(f"{fact} {talk}") == [fact]
    assert supported(f"{talk}\n{fact}", fact) is True
    assert supported(f"{fact} {talk}", fact) is True
    assert supported(talk, fact) is None
    for gold, says in (("No", "Smoking is not allowed."), ("Yes", "Smoking is allowed.")):
        for said in (f"{talk} {says}", f"{says} {talk}"):
            assert right("Is smoking allowed?", gold, said), said


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_of_a_program_says_nothing(mark: str) -> None:
    fact = "Leave is at most 25 days."
    assert supported(f"{fact} {mark}", fact) is True
    assert not right("Is smoking allowed?", "Yes", mark)
    assert opinion("Is smoking allowed?", "No", mark).kind == "refusal"
    assert right("How long is leave?", "25 days", f"{mark}\n25 days {mark}")


@pytest.mark.parametrize("thought", THOUGHTS)
def test_what_a_model_thinks_is_no_part_of_what_it_says(thought: str) -> None:
    assert supported(f"{thought}25 days", "Leave is at most 25 days.") is True
    assert right("How long is leave?", "25 days", f"{thought}25 days")
    assert not right("How long is leave?", "30 days", f"{thought}25 days")
    assert right("Is smoking allowed?", "Yes", f"{thought} Yes, it is.")
    assert not refuses(f"{thought} It is allowed.")


@pytest.mark.parametrize(
    "said", ["<think>It is 25 days, I am sure", "<think>Yes", "<reasoning>25 days\n", "[THINK] 25 days. Yes."]
)
def test_thinking_that_never_ends_is_no_answer(said: str) -> None:
    found = opinion("How long is leave?", "25 days", said)
    assert found._replace(p=None) == Opinion(False, "the answer is empty", "refusal", "empty_answer")
    assert not right("Is smoking allowed?", "Yes", said)
    assert supported(said, "Leave is at most 25 days.") is None


@pytest.mark.parametrize(
    "said",
    ["If you need help with your login, call 555.", "Feel free to bring your dog.", "Here are 3 of the 9: Oslo, Bergen, Moss.",
     "We hope to open in May.", "Have a day off.", "Do not hesitate to call 112.", "Great Expectations", "Sure is a soap."],
)  # fmt: skip
def test_what_only_looks_like_a_courtesy_is_kept(said: str) -> None:
    assert plain(said) == said


@given(st.text(max_size=200))
def test_there_is_always_something_left_of_what_says_something(text: str) -> None:
    said = plain(text)
    assert plain(said) == said or words(said)
    assert set(words(said)) <= set(words(unthought(text)))


# Yes or no

DINING = "Is smoking allowed in the dining hall?"


@pytest.mark.parametrize(
    ("gold", "said", "correct"),
    [
        ("No", "Certainly not.", True),
        ("No", "Absolutely not!", True),
        ("Yes", "Of course not.", False),
        ("Yes", "Sure!", True),
        ("Yes", "Sure, you can.", True),
        ("Yes", "It is.", True),
        ("Yes", "Correct.", True),
        ("No", "Sure! It is not allowed there.", True),
        ("No", "No worries, it is forbidden.", True),
        ("Yes", "No worries, it is allowed.", True),
        ("Yes", "N/A", False),
        ("No", "N/A", False),
        ("Yes", "The moon is made of cheese.", False),
        ("Yes", "42", False),
        ("Typically, no", "No, it is not.", True),
    ],
)
def test_yes_or_no(gold: str, said: str, correct: bool) -> None:
    assert right(DINING, gold, said) is correct


def test_what_says_neither_is_told_so() -> None:
    assert opinion(DINING, "Yes", "The moon is made of cheese.").why == "the answer says neither yes nor no"


# Amounts and years

CAPEX = "What was the capital expenditure of Torvald Industries?"
MILLIONS = "What is the FY2018 capital expenditure amount (in USD millions)?"


@pytest.mark.parametrize(
    ("question", "gold", "said", "correct"),
    [
        (MILLIONS, "1577", "$1,577 million", True),
        (MILLIONS, "1577", "It was $1.577 billion.", True),
        (MILLIONS, "1577", "It was $1,373 million.", False),
        (MILLIONS, "2018", "$2,018 million", True),
        (MILLIONS, "2018", "In 2018 it was $1,373 million.", False),
        (CAPEX, "1577", "$1,577 million", True),
        (CAPEX, "1577", "1,577 thousand euros", True),
        (CAPEX, "€1950", "1950 euros", True),
        (CAPEX, "$2018", "2018 million dollars", True),
        ("How many people work there?", "1950", "1,950 people", True),
        ("How many people work there?", "1,950", "1950 people work there.", True),
        ("How many people work there?", "1950", "In 1950 it had 20 people.", False),
        ("What is the price?", "1999", "$1,999.00", True),
        ("What was net income in thousands?", "1999", "1.999 million dollars", True),
        ("When was it founded?", "1577", "It was founded in 1577.", True),
        ("When was it founded?", "1577", "It cost $1,577 million.", False),
        ("In what year did it open?", "1950", "It cost $1,950.", False),
        ("When did he live?", "1707-1778", "1707 - 1778", True),
    ],
)
def test_four_digits_may_be_an_amount_or_a_year(question: str, gold: str, said: str, correct: bool) -> None:
    found = opinion(question, gold, said)
    assert found.correct is correct, found.why


# What a reference points at


@pytest.mark.parametrize(
    ("gold", "said", "correct"),
    [
        ("The one declared first", "One of them.", False),
        ("The one declared first", "The one declared last", False),
        ("The one declared first", "The first declared one wins.", True),
        ("The one that was loaded last", "One rule applies at random.", False),
        ("The latter is used, as configured", "The former is used.", False),
    ],
)
def test_a_word_that_points_names_nothing(gold: str, said: str, correct: bool) -> None:
    found = opinion("Which declaration applies?", gold, said)
    assert found.correct is correct, found.why
    assert "names 'one'" not in found.why


# Refusals

FALL = ("Why did margins fall?", "Higher freight costs and a weak yen")


@pytest.mark.parametrize(
    ("said", "correct"),
    [
        ("I cannot determine whether higher freight costs or a weak yen made margins fall.", False),
        ("The context does not mention higher freight costs or a weak yen. It is silent on margins. I cannot say.", False),
        ("The report does not say whether margins fell because of higher freight costs, a weak yen, or both.", False),
        ("The report does not give one reason. However, it blames higher freight costs and a weak yen.", True),
        ("Although the report does not say so outright, higher freight costs and the weak yen were to blame.", True),
        ("As a language model I do not have access to filings. Margins fell on higher freight costs and a weak yen.", True),
    ],
)
def test_a_refusal_is_not_right_by_the_words_that_it_repeats(said: str, correct: bool) -> None:
    found = opinion(*FALL, said)
    assert found.correct is correct, found.why
    assert correct or found.kind == "refusal"


def test_a_number_within_a_refusal_is_no_answer() -> None:
    assert not right("How many days are free?", "25 days", "The handbook does not say whether it is 25 days or fewer.")
    assert right("What is the ratio?", "0.5", "The filing does not provide the ratio. It is 5 / 10 = 0.5.")


def test_a_refusal_that_is_the_answer_stays_one() -> None:
    assert right("Which debt was issued?", "The report does not mention any debt.", "There is no mention of debt in the report.")


# Names


@pytest.mark.parametrize(
    ("gold", "said", "correct"),
    [
        ("Mary Jane Holloway", "It was Mary Holloway.", True),
        ("Mary Holloway", "Mary Jane Holloway led it.", True),
        ("Thaddeus Rowe Holm", "Thad Holm led it.", True),
        ("Gregory Peter Wyse", "Greg Wyse", True),
        ("J. R. Holloway", "John Robert Holloway led it.", True),
        ("John Holloway", "It was J.R. Holloway.", True),
        ("John Holloway", "Led by J. R. Holloway.", True),
        ("Dr. Anna Bauer, OBE", "Anna Bauer led it.", True),
        ("Norwegian painter Anna Bauer", "Anna Bauer", True),
        ("U.S. Senator John F. Holm", "John F. Holm led it.", True),
        ("Anne-Marie Key", "It was led by Anne-Marie Key.", True),
        ("Anna Lind-Holm", "Anna Holm led it.", True),
        ("Sigrún Þórsdóttir", "Sigrun Thorsdottir led it.", True),
        ("José Nuñez", "Jose Nunez", True),
        ("R.E.M.", "It was led by the band R.E.M.", True),
        ("Dr. Anna Bauer", "It was led by Dr. Carl Weiss.", False),
        ("Mary Jane Holloway", "Sarah Holloway led it.", False),
        ("Anna Bauer", "Not Anna Bauer but Carl Weiss led it.", False),
        ("Grayson Mott LLP", "Hale LLP led it, who replaced Grayson Mott LLP.", False),
        ("The Evening Post", "It was led by a man of the post-war years.", False),
    ],
)
def test_a_person_is_told_in_many_ways(gold: str, said: str, correct: bool) -> None:
    found = opinion("Who led it?", gold, said)
    assert found.correct is correct, found.why


@pytest.mark.parametrize("name", ["Anna", "House of Lords", "Ada, Bo and Cy", "Grayson Mott LLP", "Sir Anna", "a line manager"])
def test_what_is_no_name_of_a_person(name: str) -> None:
    assert person(name) is None


@pytest.mark.parametrize(
    ("question", "gold", "said", "correct"),
    [
        ("Where is it?", "Oslo, Norway", "It is in Oslo.", True),
        ("Where is it?", "Oslo, Norway", "It is in Bergen, Norway.", False),
        ("Where does it flow?", "in South America", "It flows in northern South America.", True),
        ("Who did Ada replace?", "Cy Dorn", "Ada replaced Cy Dorn.", True),
        ("Who sits there?", "Cy Dorn", "Ada Bell, who replaced Cy Dorn.", False),
        ("Which metal?", "copper (Cu)", "It is copper.", True),
        ("What is added?", "salt or sugar", "Sugar is added.", True),
        ("Which organ?", "kidneys", "The kidney.", True),
        ("Who came?", "Ada and Bo", "Ada came.", False),
    ],
)
def test_places_and_alternatives(question: str, gold: str, said: str, correct: bool) -> None:
    found = opinion(question, gold, said)
    assert found.correct is correct, found.why


# Words grown together


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("Led by Ada Bell12.", "Led by Ada Bell."),
        ("It opened in 19691.", "It opened in 1969."),
        ("It opened inOslo.", "It opened in Oslo."),
        ("singerAda Bellwas crowned", "singer Ada Bell was crowned"),
        ("It has of10 rooms", "It has of 10 rooms"),
        ("in FY2022;", "in FY2022;"),
        ("It was 1969.", "It was 1969."),
    ],
)
def test_unglued(text: str, apart: str) -> None:
    assert unglued(text) == apart


def test_words_grown_together_are_read_apart_where_nothing_else_fits() -> None:
    assert right("Who led it?", "Ada Bell", "It was led byAda Bell12.")
    assert right("When did it open?", "1969", "It opened in 19691.")
    assert not right("Who led it?", "Ada Bell", "It was led byCy Dorn12.")


@pytest.mark.parametrize(("text", "plain_"), [("Röntgen", "Rontgen"), ("straße", "strasse"), ("Ærø", "AEro"), ("İzmir", "Izmir")])
def test_unaccented(text: str, plain_: str) -> None:
    assert unaccented(text).lower() == plain_.lower()


@given(st.text(max_size=60))
@example("\ua7f9")  # a small oe, raised
def test_accents_alone_change_no_word(text: str) -> None:
    assert words(unaccented(text)) == words(text)


def test_initials_are_one_word() -> None:
    texts: dict[str, Any] = {
        "U.S.": ["us"],
        "J. K. Rowe": ["jk", "rowe"],
        "R.E.M": ["rem"],
        "plan A. I think": ["plan", "a", "i", "think"],
    }
    assert {text: words(text) for text in texts} == texts
