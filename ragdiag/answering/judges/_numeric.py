"""A reference that is a number, or two: is it what the answer states?"""

from __future__ import annotations

import re

from ragdiag.answering.judges._conclusion import before, dismissed, main_sentences, result, stated
from ragdiag.answering.judges._dates import WHEN
from ragdiag.answering.judges._numbers import LOSS, Quantity, agree, quantities, scale_asked
from ragdiag.answering.judges._text import DOWN, content, sentences
from ragdiag.core.opinions import Opinion

SPENT = r"\b(?:capital expenditures?|capex|purchases?|expen[sd]\w*|costs?|paid|payments?|repurchases?|buybacks?|spen[dt]\w*)\b"
ASKS = re.compile(
    r"\bhow (?:many|much|long|old|far|large|big|high)\b|\bwhat (?:\w+ ){0,4}?(?:percent\w*|share|rate|proportion|number|amount|"
    r"median|mean|average|ratio|margin|total|value|price|quantity|reduction)\b",
    re.IGNORECASE,
)
SHARE = re.compile(r"\b(?:percent\w*|share|rate|proportion|coverage|margin|%)", re.IGNORECASE)
YEAR_AFTER = re.compile(
    r"^\W{0,3}(?:[a-z]+\s){0,1}?(?:in|for|at|during|of)\s+(?:the\s+)?(?:end of\s+)?(?:fiscal\s+)?(?:year\s+)?(?:fy\s?)?"
    r"((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?:fy\s?|\b)((?:19|20)\d\d)\b", re.IGNORECASE)
IN_YEAR = re.compile(r"\b(?:in|since|during|until|fy|fiscal|year|early|late|mid|circa)\W*$", re.IGNORECASE)
MONEY = re.compile(r"[$€£¥]|\b(?:usd|eur|gbp|dollars?|euros?|pounds sterling|yen)\b", re.IGNORECASE)
FILLER = frozenset("up down usd dollar million billion thousand percent time about total ratio rate day unit least".split())


def is_numeric(question: str, gold: str) -> bool:
    """Whether `gold` is its numbers: what else it says is in the question, or little. Three at most."""
    numbers = _numbers(question, gold)
    if not 1 <= len(numbers) <= 3:
        return False
    if not re.search(r"\d", gold) and len(gold.split()) > 4:
        return False  # "of the three, road carried most" is no number
    known = set(content(question))
    left = gold
    for q in sorted(quantities(gold), key=lambda q: -q.start):
        left = left[: q.start] + " " + left[q.end :]
    extra = [w for w in content(left) if w not in known and w not in FILLER]
    return not re.search(r"\d", left) and (
        not extra or (len(extra) <= 2 and len(gold.split()) <= 8 and not re.search(r"\b[A-Z][a-z]", left))
    )


def _numbers(question: str, gold: str) -> list[Quantity]:
    """The numbers that `gold` gives; years only where there is nothing else."""
    found = quantities(gold)
    return [q for q in found if q.unit != "year"] or found


def asks_quantity(question: str) -> bool:
    """Whether `question` asks how much or how many."""
    return bool(ASKS.search(question))


def asks_amount(question: str) -> bool:
    """Whether `question` asks how much or how many, in words or by naming the scale or the money of its answer."""
    return asks_quantity(question) or scale_asked(question) is not None or bool(MONEY.search(question))


def key_number(question: str, gold: str) -> str:
    """The number that prose gives to a question for one: the first new one, a share where that is asked."""
    known = quantities(question)
    found = [q for q in quantities(gold) if q.unit != "year" and not any(agree(q, k) for k in known)]
    shares = [q for q in found if q.unit == "%"] if SHARE.search(question) else []
    return (shares or found)[0].text if found else ""


def same_marks(gold: str, answer: str) -> bool:
    """Whether two texts that are equal without punctuation hold the same numbers with it: ``-2`` is not ``2``, nor ``1.5`` 15."""
    a, b = quantities(gold), quantities(answer)
    return len(a) == len(b) and all(agree(x, y) for x, y in zip(a, b, strict=True))


def compare(question: str, gold: str, answer: str) -> Opinion:
    """Each number of `gold` must be stated in `answer`."""
    wanted = _numbers(question, gold)
    if not WHEN.search(question):
        wanted = [w._replace(unit="" if w.unit == "year" else w.unit) for w in wanted]
    for want in wanted:
        opinion = _one(question, want, answer, alone=len(wanted) == 1)
        if not opinion.correct or len(wanted) == 1:
            return opinion
    return Opinion(True, f"all of {', '.join(w.text for w in wanted)} are stated")


def _one(question: str, want: Quantity, answer: str, alone: bool) -> Opinion:
    """A marked result decides; else the number must stand somewhere as a result, not as an operand or another year's."""
    asked, falling = scale_asked(question), _falling(question)

    def matches(q: Quantity) -> bool:
        return agree(want, q, asked, falling)

    for segment in stated(answer) if alone else ():
        told = _told(question, want, result(segment), alone)
        if told:
            good = next((q for q in told if matches(q)), None)
            return _opinion(want, good, f"concludes with {told[-1].text}, not {want.text}")
    for sentence in [*main_sentences(answer), *sentences(answer)]:
        good = next((q for q in _told(question, want, result(sentence) if alone else sentence, alone) if matches(q)), None)
        if good:
            return _opinion(want, good, "")
    if want.value == 0 and re.search(r"\b(?:no|none|nil|not|any)\b", main_sentences(answer)[0], re.IGNORECASE):
        return Opinion(True, f"says that there is none, which is {want.text}")
    elsewhere = any(matches(q) for q in quantities(answer))
    return Opinion(
        False, f"{want.text} is mentioned, not stated as the answer" if elsewhere else f"{want.text} is not in the answer"
    )


def _opinion(want: Quantity, good: Quantity | None, otherwise: str) -> Opinion:
    if good is None:
        return Opinion(False, otherwise)
    return Opinion(True, f"{want.text} is stated" if good.text == want.text else f"{good.text} is {want.text}")


def _told(question: str, want: Quantity, sentence: str, alone: bool) -> list[Quantity]:
    """The numbers of `sentence` that may be its answer: of the kind wanted, and where that is `alone` of no other year."""
    years = set(YEAR.findall(question))
    kept = []
    for q in quantities(sentence):
        after = YEAR_AFTER.match(sentence[q.end : q.end + 200])
        dated = q.text in years or IN_YEAR.search(before(sentence, q.start))
        if q.unit == "year" and want.unit != "year" and q.value == want.value and not dated:
            q = q._replace(unit="")  # four digits, here an amount
        if (q.unit == "year") != (want.unit == "year"):
            continue
        if {q.unit, want.unit} & {"%"} and (q.unit not in ("%", "")):
            continue
        if alone and want.unit != "year" and after and years and after[1] not in years:
            continue
        if alone and dismissed(sentence, q.start):
            continue
        kept.append(q)
    return kept


def _falling(question: str) -> bool:
    """Whether `question` itself asks for a loss, a fall or a spending: given with or without a sign."""
    return bool(re.search(rf"{LOSS}|{SPENT}|\b{DOWN}\b", question, re.IGNORECASE))
