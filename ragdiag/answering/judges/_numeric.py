"""A reference that is a number, or two: is it what the answer states?"""

from __future__ import annotations

import re

from ragdiag.answering.judges._conclusion import before, dismissed, main_sentences, result, stated
from ragdiag.answering.judges._dates import WHEN
from ragdiag.answering.judges._numbers import LOSS, Quantity, agree, quantities, scale_asked
from ragdiag.answering.judges._text import DOWN, UP, content, first_sentence, sentences
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
FALL = re.compile(rf"\b(?:by )?how much\b[^?]*\b{DOWN}\b", re.IGNORECASE)
RISE = re.compile(rf"\b{UP}\b", re.IGNORECASE)
DATED = re.compile(r"1\d{3}|20\d\d")
ENDS = re.compile(r"\s*(?:$|[,.;:)]|(?:and|it|the|he|she|they|by|with|as|when|for|after|before)\b)")
MONEY = re.compile(r"[$€£¥]|\b(?:usd|eur|gbp|dollars?|euros?|pounds sterling|yen)\b", re.IGNORECASE)
FILLER = frozenset("up down usd dollar million billion thousand percent time about total ratio rate day unit least".split())


def is_numeric(question: str, gold: str) -> bool:
    """Whether `gold` is its numbers: what else it says is in the question, or little. Three at most."""
    if not 1 <= len(_numbers(gold)) <= 3:
        return False
    if not re.search(r"\d", gold) and len(gold.split()) > 4:
        return False  # "of the three, road carried most" is no number
    rest = gold
    for q in sorted(quantities(gold), key=lambda q: -q.start):
        rest = rest[: q.start] + " " + rest[q.end :]
    if re.search(r"\d", rest):
        return False
    known = FILLER.union(content(question))
    more = [w for w in content(rest) if w not in known]
    return not more or (len(more) <= 2 and len(gold.split()) <= 8 and not re.search(r"\b[A-Z][a-z]", rest))


def _numbers(gold: str) -> list[Quantity]:
    """The numbers that `gold` gives; years only where there is nothing else."""
    numbers = quantities(gold)
    return [q for q in numbers if q.unit != "year"] or numbers


def asks_quantity(question: str) -> bool:
    """Whether `question` asks how much or how many."""
    return bool(ASKS.search(question))


def asks_amount(question: str) -> bool:
    """Whether `question` asks how much or how many, in words or by naming the scale or the money of its answer."""
    return asks_quantity(question) or scale_asked(question) is not None or bool(MONEY.search(question))


def key_number(question: str, gold: str) -> str:
    """The number that prose gives to a question for one: the first new one, a share where that is asked; "" for none."""
    known = quantities(question)
    new = [q for q in quantities(gold) if q.unit != "year" and not any(agree(q, k) for k in known)]
    shares = [q for q in new if q.unit == "%"] if SHARE.search(question) else []
    return (shares or new)[0].text if new else ""


def same_marks(gold: str, answer: str) -> bool:
    """Whether two texts that are equal without punctuation hold the same numbers with it: ``-2`` is not ``2``, nor ``1.5`` 15."""
    a, b = quantities(gold), quantities(answer)
    return len(a) == len(b) and all(agree(x, y) for x, y in zip(a, b, strict=True))


def compare(question: str, gold: str, answer: str) -> Opinion:
    """Each number of `gold` must be stated in `answer`."""
    expected = _numbers(gold)
    if not WHEN.search(question):
        expected = [q._replace(unit="") if q.unit == "year" else q for q in expected]
    if len(expected) == 1:
        return _as_concluded(question, expected[0], answer) or _as_stated(question, expected[0], answer, alone=True)
    for quantity in expected:
        opinion = _as_stated(question, quantity, answer, alone=False)
        if not opinion.correct:
            return opinion
    return Opinion(True, f"all of {', '.join(q.text for q in expected)} are stated")


def _as_concluded(question: str, gold: Quantity, answer: str) -> Opinion | None:
    """By what the answer marks as its result; None where that has no number of the kind."""
    for segment in stated(answer):
        candidates = _candidates(question, gold, result(segment), alone=True)
        if candidates:
            equal = _equal(question, gold, candidates)
            return _found(gold, equal) if equal else Opinion(False, f"concludes with {candidates[-1].text}, not {gold.text}")
    return None


def _as_stated(question: str, gold: Quantity, answer: str, alone: bool) -> Opinion:
    """The number must stand somewhere as a result, not as an operand or another year's; main sentences are read first."""
    for sentence in [*main_sentences(answer), *sentences(answer)]:
        equal = _equal(question, gold, _candidates(question, gold, result(sentence) if alone else sentence, alone))
        if equal:
            return _found(gold, equal)
    if gold.value == 0 and re.search(r"\b(?:no|none|nil|not|any)\b", first_sentence(answer), re.IGNORECASE):
        return Opinion(True, f"says that there is none, which is {gold.text}")
    if _equal(question, gold, quantities(answer)):
        return Opinion(False, f"{gold.text} is mentioned, not stated as the answer")
    return Opinion(False, f"{gold.text} is not in the answer")


def _equal(question: str, gold: Quantity, candidates: list[Quantity]) -> Quantity | None:
    """The first of `candidates` that is the `gold` quantity, in the scale and with the sign that the question leaves open."""
    scale, falling = scale_asked(question), _falling(question)
    if gold.sign == 0 and FALL.search(question) and not RISE.search(question):
        candidates = [q for q in candidates if q.sign != 1]  # "12 %" of a fall is no rise
    return next((q for q in candidates if agree(gold, q, scale, falling)), None)


def _found(gold: Quantity, equal: Quantity) -> Opinion:
    return Opinion(True, f"{gold.text} is stated" if equal.text == gold.text else f"{equal.text} is {gold.text}")


def _candidates(question: str, gold: Quantity, sentence: str, alone: bool) -> list[Quantity]:
    """The numbers of `sentence` that may be its answer: of the kind of `gold`, and where that is `alone` of no other year."""
    years = set(YEAR.findall(question))
    candidates = []
    for q in quantities(sentence):
        equal_amount = q.unit == "year" != gold.unit and q.value == gold.value
        if equal_amount and not _says_when(sentence, q, years):
            q = q._replace(unit="")  # four digits, here an amount
        if gold.unit != "year" and DATED.fullmatch(q.text) and _only_says_when(sentence, q):
            continue
        if _same_kind(q, gold) and not (alone and (_of_another_year(sentence, q, gold, years) or dismissed(sentence, q.start))):
            candidates.append(q)
    return candidates


def _only_says_when(sentence: str, q: Quantity) -> bool:
    """``Founded in 1750, it ...``: four digits behind which a clause ends."""
    return bool(IN_YEAR.search(before(sentence, q.start)) and ENDS.match(sentence[q.end :]))


def _says_when(sentence: str, q: Quantity, years: set[str]) -> bool:
    """Whether four digits are a year that the question names, or that something happened in."""
    return q.text in years or bool(IN_YEAR.search(before(sentence, q.start)))


def _same_kind(q: Quantity, gold: Quantity) -> bool:
    """Years are compared with years, and shares with shares or with what has no unit."""
    if (q.unit == "year") != (gold.unit == "year"):
        return False
    return "%" not in (q.unit, gold.unit) or q.unit in ("%", "")


def _of_another_year(sentence: str, q: Quantity, gold: Quantity, years: set[str]) -> bool:
    """Whether an amount is told of a year which the question does not ask about: ``12 in 2021``."""
    after = YEAR_AFTER.match(sentence[q.end : q.end + 200])
    return gold.unit != "year" and after is not None and bool(years) and after[1] not in years


def _falling(question: str) -> bool:
    """Whether `question` itself asks for a loss, a fall or a spending: given with or without a sign."""
    return bool(re.search(rf"{LOSS}|{SPENT}|\b{DOWN}\b", question, re.IGNORECASE))
