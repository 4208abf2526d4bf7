"""Kinds of answers that the matcher once got wrong, each with siblings that were made up and worked by hand."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ragdiag.answering.judges.matcher import Matcher
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query


def opinion(question: str, gold: str, said: str) -> Opinion:
    (found,) = Matcher().judge([(Query("q", question, gold), Answer("q", "oracle", said))], None, no_progress)
    assert found is not None
    return found


def rows(text: str) -> list[tuple[str, str, str, str]]:
    """The rows of a table: question | reference | expected | answer; a line break in an answer is written ``\\n``."""
    found = [tuple(part.strip() for part in line.split(" | ", 3)) for line in text.strip().splitlines()]
    return [(q, gold, expected, said.replace("\\n", "\n")) for q, gold, expected, said in found]


def check(question: str, gold: str, expected: str, said: str) -> None:
    found = opinion(question, gold, said)
    outcome = "right" if found.correct else "doubtful" if found.kind == "doubtful" else found.kind or "wrong"
    assert outcome in expected.split("/"), (outcome, found.rule, found.why)


REFUSALS = r"""
How many seats has the hall? | 310 | refusal | I am not able to give you a reliable number for that.
How many seats has the hall? | 310 | refusal | We are not in a position to comment on seating.
How many seats has the hall? | 310 | refusal | Nothing in these pages tells how many seats there are.
How many seats has the hall? | 310 | refusal | The report fails to mention the seats.
How many seats has the hall? | 310 | refusal | Leider kann ich dazu nichts sagen.
How many seats has the hall? | 310 | refusal | Dazu kann ich Ihnen leider keine genaue Zahl nennen.
How many seats has the hall? | 310 | refusal | Malheureusement, nous ne pouvons pas vous donner de réponse.
How many seats has the hall? | 310 | refusal | Lo siento, no puedo darle una respuesta definitiva.
Who painted the ceiling? | Ada Bell | refusal | I'd rather not guess who painted the ceiling.
Who painted the ceiling? | Ada Bell | refusal | We cannot disclose that information.
Who painted the ceiling? | Ada Bell | right | I am not sure about the year, but Ada Bell painted the ceiling.
Who painted the ceiling? | Ada Bell | right | Je ne connais pas la date, mais Ada Bell a peint le plafond.
Who painted the ceiling? | Ada Bell | right | No sé cuándo, pero Ada Bell pintó el techo.
Who painted the ceiling? | Ada Bell | right | Ich kenne das Jahr nicht, aber Ada Bell hat die Decke bemalt.
Who painted the ceiling? | Ada Bell | right | The documents do not mention the year. However, Ada Bell painted the ceiling.
Can I swap a used ticket? | No, used tickets cannot be swapped. | refusal | I cannot comment on single tickets.
Do you hand data on to others? | No | right | We cannot share your data with others.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(REFUSALS))
def test_refusals_and_turns(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


COMPETING = r"""
What discount do nurses get? | 20% | wrong | Nurses get 5% off, whereas teachers get 20%.
What discount do nurses get? | 20% | right | Teachers get 5% off, whereas nurses get 20%.
What discount do nurses get? | 20% | right | Nurses get 20% off, while students get 5%.
How many dogs live at the shelter? | 14 | wrong | The shelter used to house 14 dogs; today it is home to 9 dogs.
How many dogs live at the shelter? | 14 | right | The shelter used to house 9 dogs; today it is home to 14 dogs.
How many dogs live at the shelter? | 14 | wrong | Until 2019, 14 dogs lived at the shelter. Since then there have been 11.
How many dogs live at the shelter? | 14 | right | Until 2019, 11 dogs lived at the shelter. Since then there have been 14.
How long is the trial period? | 30 days | wrong | - Trial period: 14 days\n- Refund window: 30 days
How long is the trial period? | 30 days | right | - Trial period: 30 days\n- Refund window: 14 days
How long is the trial period? | 30 days | wrong | ```yaml\ntrial_period: 14 days\nrefund_window: 30 days\n```
How long is the trial period? | 30 days | right | ```yaml\ntrial_period: 30 days\nrefund_window: 14 days\n```
Who is head of sales? | Mia Lund | wrong | * **Head of sales:** Tom Reed\n* **Head of design:** Mia Lund
Who is head of sales? | Mia Lund | right | * **Head of sales:** Mia Lund\n* **Head of design:** Tom Reed
Who is head of sales? | Mia Lund | wrong | - Chair: Mia Lund\n- Sales: Tom Reed
What colour is the main switch? | green | wrong | The main switch is **black**; the green one is the spare.
What colour is the main switch? | green | right | The main switch is **green**; the black one is the spare.
Where is the head office of Lund Foods? | Bergen | wrong | The head office of Lund Foods is in Oslo. It also has a shop in Bergen.
Where is the head office of Lund Foods? | Bergen | right | The head office of Lund Foods is in Bergen. It also has a shop in Oslo.
Where is the head office of Lund Foods? | Bergen | right | Lund Foods was founded in Oslo. The head office is in Bergen.
Which metal is the most expensive? | rhodium | wrong | \| Metal \| Rank \|\n\|---\|---\|\n\| Gold \| 1 \|\n\| Rhodium \| 2 \|
Which metal is the most expensive? | rhodium | right | \| Metal \| Rank \|\n\|---\|---\|\n\| Rhodium \| 1 \|\n\| Gold \| 2 \|
How many members has the choir? | 24 | right | The choir has not 20 but 24 members.
How many members has the choir? | 24 | wrong | The choir has not 24 but 20 members.
Who leads the choir? | Mia Lund | right | Not Tom Reed but Mia Lund leads the choir.
Who leads the choir? | Mia Lund | wrong | Not Mia Lund but Tom Reed leads the choir.
How hot should the oven be? | 180 °C | wrong | 160 °C or 180 °C, or anything in between; it is hard to say.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(COMPETING.replace("\\|", "¦")))
def test_the_value_of_what_was_asked_about_counts(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said.replace("¦", "|"))


NEGATION = r"""
Is theft part of the plan? | No, theft is not covered. | right | Theft is excluded from the plan.
Is theft part of the plan? | No, theft is not covered. | wrong | Theft is not excluded from the plan.
Does the plan pay for theft? | Yes | right | The plan does not exclude theft.
Did Ada pass the exam? | No, she failed. | wrong | Ada did not fail to pass the exam.
Did Ada pass the exam? | No, she failed. | right | Ada failed to pass the exam.
Does the basic plan include a phone line? | No | right | A phone line is offered exclusively with the large plan.
Does the basic plan include a phone line? | No | right | Only the large plan includes a phone line.
Does the basic plan include a phone line? | Yes | wrong | A phone line is reserved for the large plan.
May visitors park in the yard? | No | right | Only staff may park in the yard.
May staff park in the yard? | Yes | right | Only staff may park in the yard.
Does the guarantee lapse if the seal is broken? | Yes | wrong | The guarantee stays in force even if the seal is broken.
Does the guarantee lapse if the seal is broken? | Yes | right | The guarantee ends if the seal is broken.
What happens to unused points? | They lapse and are not kept. | wrong | Unused points do not lapse; they are kept.
What happens to unused points? | They lapse and are not kept. | right | Unused points lapse; they are not kept.
What happens to old files? | They are deleted. | wrong | Old files are not deleted; they are kept.
What happens to old files? | They are kept and not deleted. | right | Old files aren't deleted; they are kept.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(NEGATION))
def test_negation_said_in_other_words(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


UNITS = r"""
How much memory has the card? | 512 MB | wrong | It has 512 GB.
How much memory has the card? | 2 GB | right | It has 2,048 MB.
How much memory has the card? | 2 GB | right | It has 2,000 MB.
How much memory has the card? | 2 GB | wrong | It has 2 TB.
How much memory has the card? | 2 GB | right | 2 gigabytes
How fast is the line? | 100 Mbit/s | wrong | 100 Gbit/s
How fast is the line? | 100 Mbps | right | 100 Mbit/s
How long does the wash take? | 150 minutes | right | 2.5 h
How long does the wash take? | 150 minutes | wrong | 2 h
How long does the wash take? | 3 hours | right | 3h
How long does the wash take? | 3 hours | wrong | 3 min
How long is the pool? | 50 metres | wrong | 50 feet
How many homes have solar panels? | 72,410 | wrong | 72,140
How many homes have solar panels? | 72,410 | right | 72 410
How many homes have solar panels? | 72,410 | right | roughly 72.4 thousand
How many homes have solar panels? | 72,410 | wrong | 72,411 homes
How many bikes were sold? | 2018 | right | In 2019, the number of bikes sold was 2,018.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(UNITS))
def test_units_and_whole_counts(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


NAMES = r"""
Who holds the patent? | Mira Sokolova | wrong | Sokolova, Darya
Who holds the patent? | Mira Sokolova | right | Sokolova, Mira
Who holds the patent? | Mira Sokolova | right | Sokolova, M.
Who holds the patent? | Mira Sokolova | right | Sokolova
Who holds the patent? | Mira Sokolova | wrong | Miriam Sokolova
Who founded the yard? | Karin Berg | wrong | It was founded by Karl Berg.
Who founded the yard? | Karin Berg | right | It was founded by K. Berg.
Who founded the yard? | Gregory Berg | right | Greg Berg founded it.
Who founded the yard? | David Berg | right | Dave Berg founded it.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(NAMES))
def test_another_first_name_is_another_person(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


COURTESIES = r"""
Is the lamp dimmable? | No | wrong | Yes, I can help you with that! The lamp is dimmable.
Is the lamp dimmable? | No | right | Yes, I can help you with that! The lamp is not dimmable.
Is the lamp dimmable? | Yes | right | Yes, I'd be glad to help. Yes, it is dimmable.
Is the lamp dimmable? | Yes | right | Yes, of course! The lamp is dimmable.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(COURTESIES))
def test_a_yes_that_offers_help_answers_nothing(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


TONGUES = r"""
When does the bakery close? | At 6 p.m. | right | Die Bäckerei schließt um 18 Uhr.
When does the bakery close? | At 6 p.m. | right | It closes at 18:00.
When does the bakery close? | 6:30 pm | right | La boulangerie ferme à 18h30.
When does the bakery close? | 18:30 | right | At 6.30 p.m.
When does the bakery close? | At 6 p.m. | wrong | Die Bäckerei schließt um 6 Uhr.
When does the bakery close? | At 6 p.m. | wrong | It closes at 6 a.m.
When does the bakery close? | At 6 p.m. | wrong | It closes at 17:00.
Which bird is on the stamp? | an owl | doubtful | Auf der Briefmarke ist eine Eule zu sehen.
Which bird is on the stamp? | an owl | doubtful | Sur le timbre, on voit un hibou.
Which bird is on the stamp? | an owl | doubtful | En el sello aparece un búho.
Warum fiel der Zug aus? | wegen eines Streiks | doubtful | The train was cancelled because of industrial action.
Who painted the door? | Ada Bell | wrong | Die Tür wurde von Tom Reed bemalt.
"""


@pytest.mark.parametrize(("question", "gold", "expected", "said"), rows(TONGUES))
def test_another_language_and_times_of_the_clock(question: str, gold: str, expected: str, said: str) -> None:
    check(question, gold, expected, said)


PIECES = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            "yes no not only but 12 14% $5 1/0 0 |---| | \n ``` { } [ ] : ; - ** Ada Bell h MB 8 p.m. 25:99 99:00 Uhr either or "
            "than cannot tell . , ( ) = ≈ half a hundred and , Last, First ² ٣ １２ \u2028 \x00 \ud800".split(" ")
        ),
        max_size=12,
    ).map(" ".join),
)


@settings(max_examples=300, deadline=None)
@given(PIECES, PIECES.filter(str.strip), PIECES)
@example("", "0", "²")  # read as nothing, behind which no sentence is left
def test_any_text_gets_an_opinion(question: str, gold: str, said: str) -> None:
    """A text that stopped the matcher would stop a whole audit."""
    found = opinion(question, gold, said)
    assert found.why
    assert "\n" not in found.why


@pytest.mark.parametrize(
    ("gold", "other"),
    [
        ("Thomas Berg", "Thomasina Berg"),
        ("Carl Ostrander", "Carla Ostrander"),
        ("Roberta Vance", "Robert Vance"),
        ("Julio Marr", "Julia Marr"),
        ("Edith K. Sorrel", "Edith M. Sorrel"),
        ("Louis Fenwick IV", "Louis Fenwick III"),
        ("Amos Tully Jr.", "Amos Tully Sr."),
        ("Hanna Brandt", "Hanna Brandt's brother Nils"),
    ],
)
def test_who_is_nearly_called_so_is_somebody_else(gold: str, other: str) -> None:
    assert not opinion("Who chairs the board?", gold, f"{other} chairs the board.").correct
    assert opinion("Who chairs the board?", gold, f"{gold} chairs the board.").correct


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ("Edith K. Sorrel", "Edith Sorrel"),
        ("Edith Karin Sorrel", "Edith K. Sorrel"),
        ("Amos Tully Jr.", "Amos Tully"),
        ("Ada Bell[2]", "Ada Bell"),
    ],
)
def test_who_is_called_so_in_short_is_the_same(gold: str, said: str) -> None:
    assert opinion("Who chairs the board?", gold, f"It is {said}.").correct


@pytest.mark.parametrize(
    ("said", "is_right"),
    [
        ("<answer>12 days</answer><note>It was 14 days before.</note>", False),
        ("<thinking>12?</thinking><answer>14 days</answer>", True),
        ('{"notice_period": "14 days", "trial_period": "12 days"}', True),
        ('{"notice_period": "12 days", "trial_period": "14 days"}', False),
        ('{"notice_period": 14, "unit": "days"}', True),
    ],
)
def test_what_is_wrapped_is_read_where_the_answer_stands(said: str, is_right: bool) -> None:
    assert opinion("How long is the notice period?", "14 days", said).correct == is_right
