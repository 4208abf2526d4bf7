"""Draft queries that the documents themselves ask: headings that are questions or can be asked, pairs of Q and A.

They are offered to whoever labels, who confirms, rewords or skips each: they use the documents' own words, which users do not.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from ragdiag.core.records import Document
from ragdiag.text.headings import headings
from ragdiag.text.normal import folded
from ragdiag.text.versions import superseded

__all__ = ["LONGER", "Draft", "asked", "drafts", "id_in", "question_id"]

LONGEST_ANSWER = 1500
"""Characters of an answer after which no further paragraph is taken into it."""

WORDS = range(2, 31)
"""Words that a question may have; shorter ones ("Questions?") ask nothing."""

ID_LENGTH = 20
"""Characters of a question that its id shows: so much that a screen shows it whole."""

LONGER = 40
"""So many it showed before: files that were begun then have such ids."""

_VERBS = (
    "access activate add apply approve backup book build calculate cancel change check choose close configure connect convert "
    "copy create customize debug define delete deploy disable download edit enable export extend find fix format generate get "
    "handle import increase install integrate invite link load log manage measure migrate monitor move open order pay prevent "
    "print publish query read receive reduce register remove rename renew replace report request reset restart restore return "
    "rotate run save schedule search secure select send set share ship sign start stop store submit switch sync test track "
    "transfer troubleshoot uninstall update upgrade upload use validate verify view write"
).split()
_IMPERATIVES = frozenset(_VERBS)
_DOUBLED = {"get": "getting", "log": "logging", "set": "setting", "stop": "stopping", "run": "running", "submit": "submitting",
            "ship": "shipping", "debug": "debugging", "format": "formatting", "transfer": "transferring"}  # fmt: skip
_GERUNDS = {_DOUBLED.get(v, v[:-1] + "ing" if v.endswith("e") else v + "ing"): v for v in _VERBS}

_AFTER_NOUNS = frozenset("and or of policy policies".split())  # "Return and disposal" is no request to return anything

_AUXILIARIES = "am are can could did do does has have is may might must should was were will would".split()
_ASKING = re.compile(rf"(?:(?:how|what|when|where|which|who|whom|whose|why)\s+)?(?:{'|'.join(_AUXILIARIES)})\s", re.I)
_INFINITIVE = re.compile(r"(how|when|where|what|whom)\s+to\s+(\S.*)", re.I | re.S)
_MARKUP = re.compile(r"(?:\s|[*_>#`]|\d+(?:\.\d+)*[.)]?\s)+")
_MARKUP_BEHIND = re.compile(r"[\s*_:`]+")
_QUESTION_END = ("?", "？", "؟")

_TITLE = re.compile(r"""(?:[ \t]*([=\-~^"'*+#`])\1{2,}[ \t]*\r?\n)?[^\n]*(?:\n[ \t]*([=\-~^"'*+#`])\2{2,}[ \t]*\r?(?=\n|\Z))?""")
"""A heading from its start on: its line, with the rules over and under it where it has them."""

_PAIR = re.compile(r"^[ \t>*_-]*Q(?:uestion)?[ \t]*(?:\d+[ \t]*)?[.:)][*_ \t]*(?P<question>\S[^\n]*)", re.I | re.M)
_LONE = re.compile(r"(?:\A|(?<=\n)[ \t\r]*\n)[ \t]*(?P<question>[^\n#|\s][^\n]*[?？؟][*_]*)[ \t\r]*(?=\n)")
_BOLD = re.compile(r"^[ \t]*(?P<question>(\*\*|__)[^\n]*[?？؟]\2)[ \t\r]*(?=\n)", re.M)
_ANSWER = re.compile(r"[ \t>*_-]*A(?:nswer)?[ \t]*(?:\d+[ \t]*)?[.:)][*_]*", re.I)
_SPOKEN = re.compile(r"^[^A-Z¿\W]|^[^:?]{1,40}:\s|\*\*|^.{160}", re.S)
"""A line that ends in a question and is none of a list of them: the middle of a sentence, somebody's speech, a long paragraph."""

_BLANK = re.compile(r"\n[ \t\r]*\n")


class Draft(NamedTuple):
    """A question that a document asks, and the span of the document that answers it."""

    text: str
    document: int
    start: int
    end: int


def drafts(documents: Sequence[Document]) -> list[Draft]:
    """Every draft, the first of each document before the second of any; each question once, none of superseded documents."""
    ranked: list[tuple[int, Draft]] = []
    old = superseded(documents)
    for d, document in enumerate(documents):
        if not old[d]:
            ranked += enumerate(Draft(text, d, start, end) for text, start, end in _questions(document.text))
    ranked.sort(key=lambda item: item[0])
    return list({folded(draft.text): draft for _, draft in reversed(ranked)}.values())[::-1]  # of each question the first


def question_id(text: str, length: int = ID_LENGTH) -> str:
    """An id for a question that has none, by its words alone: the same wherever the question stands in a file."""
    slug = re.sub(r"\W+", "-", text.casefold()).strip("-_")[:length].rstrip("-_")
    return f"{slug}-{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"


def id_in(known: Container[str], text: str) -> str:
    """The id of a question that has none, as a file that was begun earlier may have it: `known` has those of its labels."""
    before = question_id(text, LONGER)
    return before if before in known else question_id(text)


def _questions(text: str) -> Iterator[tuple[str, int, int]]:
    """Each question that `text` asks with the span of its answer, in order."""
    titles = {h.start: (h.title, _end(_TITLE, text, h.start)) for h in headings(text)}
    places = {start: (asked(title), end) for start, (title, end) in titles.items()}
    taken = bytearray(len(text))  # 1 where a question has been read
    for start, (_, end) in places.items():
        taken[start:end] = b"\1" * (end - start)
    for pattern in (_PAIR, _LONE, _BOLD):
        for match in pattern.finditer(text):
            start = match.start("question")
            if not taken[start]:
                spoken = pattern is not _PAIR and _SPOKEN.search(match["question"].strip("*_ \r"))
                places[start] = "" if spoken else asked(match["question"], is_question=True), match.end()
                taken[start : match.end()] = b"\1" * (match.end() - start)
    starts = sorted(places)
    for start, following in itertools.pairwise([*starts, len(text)]):
        question, end = places[start]
        first, last = _answer(text, end, following)
        if question and len(text[first:last].split()) > 1:
            yield question, first, last


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _answer(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of an answer between its question and what comes next: without white space round it, nor "A:" in front."""
    while start < end and text[start].isspace():
        start += 1
    start = min(_end(_ANSWER, text, start), end)
    for blank in _BLANK.finditer(text, start, end):
        if blank.start() - start >= LONGEST_ANSWER:
            end = blank.start()
            break
    if end - start > 2 * LONGEST_ANSWER:  # no paragraph ends there
        end = max(text.rfind(" ", start, start + 2 * LONGEST_ANSWER), text.rfind("\n", start, start + 2 * LONGEST_ANSWER), start)
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), start + len(body.rstrip())


def asked(title: str, is_question: bool = False) -> str:
    """A title as a question; "" for one that asks nothing. "How to X", "X the Y" and "Xing the Y" become "How do I X ...?".

    `is_question`: it is known to be one, whatever its words.
    """
    bare = _without_markup(title)
    if len(bare.split()) not in WORDS and not (len(bare) > WORDS.start * 4 and not bare.isascii()):
        return ""
    try:
        bare.encode()
    except UnicodeEncodeError:  # half a character, which a PDF may hold and JSON may not
        return ""
    if bare.endswith(_QUESTION_END) or is_question:
        return bare
    if _ASKING.match(bare):
        return f"{bare.rstrip('.!')}?"
    if infinitive := _INFINITIVE.fullmatch(bare):
        asking = "How do I" if infinitive[1].lower() == "how" else f"{infinitive[1].capitalize()} should I"
        return f"{asking} {infinitive[2]}?"
    return _as_request(bare)


def _without_markup(title: str) -> str:
    # The end is looked at backwards: a pattern that is anchored there would be tried at every position.
    backwards = title[_end(_MARKUP, title, 0) :][::-1]
    return backwards[_end(_MARKUP_BEHIND, backwards, 0) :][::-1]


def _as_request(title: str) -> str:
    """ "X the Y" and "Xing the Y" as "How do I X the Y?"; "" where the first word is no verb of a list, or a noun here."""
    first, _, rest = title.partition(" ")
    verb = first.lower() if first.lower() in _IMPERATIVES else _GERUNDS.get(first.lower(), "")
    noun = rest.split(" ")[0].lower() in _AFTER_NOUNS
    return f"How do I {verb} {rest.strip()}?" if verb and not noun and not title.endswith((".", "!", ":")) else ""
