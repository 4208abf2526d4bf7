"""Yes or no: which of the two a text says, in the word itself or by negation."""

from __future__ import annotations

import re

from ragdiag.answering.judges._conclusion import THUS, before
from ragdiag.answering.judges._double import without_double
from ragdiag.answering.judges._text import DOWN, STOP_WORDS, UP, content, flat, meaning, sentences, stem, words
from ragdiag.answering.judges._text import WORD as WORDS

ASKS = re.compile(
    r"(?:^|[.?!,;:]\s+|\band\s+)(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\b[^?]*\?",
    re.IGNORECASE,
)
WORD = re.compile(
    r"^\W*(?:(?:answer|final answer|so|therefore|thus|hence|in short|overall|in conclusion|in general|typically|generally|usually"
    r"|normally|actually|basically|technically|essentially|unfortunately|sadly|fortunately|clearly|well)\W+(?:is\W+)?)?"
    r"((?:certainly|absolutely|definitely|of course|surely|clearly) not|yes|yep|yeah|ja|oui|sí|nein|non(?!-)"
    r"|sure|certainly|absolutely|nope"
    r"|no(?! (?:worries|problem|doubt|matter|wonder)))\b",
    re.IGNORECASE,
)
ANYWHERE = re.compile(
    r"(?:answer is|answer:|therefore|thus|hence|so|conclusion|overall)\W+\"?(yes|no)\b(?!\s+(?:\w+\s+){0,2}(?:debt|longer|more))",
    re.IGNORECASE,
)
NEGATIVE = re.compile(
    r"\b(?:not|no|none|never|neither|nor|cannot|unlikely|lacks?|fails?|failed|nothing|nobody|denied|false"
    r"|incorrect|zero(?= [a-z])|devoid|free of(?! charge)|(?:refus|declin)\w+ to)\b|n't\b"
    r"|\bonly (?:\w+ )?(?:if|when|on|for|from|after|available|applies)\b",  # it denies the rest
    re.IGNORECASE,
)
NOT_ONLY = re.compile(r"\bnot only\b|\bno doubt\b|\bno longer than\b|\bnot just\b|\bNo\.\s*\d", re.IGNORECASE)
ASSENT = 5
"""Words that assent without a word of the question: ``It is.``, ``Yes, they can.``"""

AFFIRM = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must|correct|true"
    r"|right|indeed|definitely"
    r"|certainly|absolutely|of course|exactly|always|affirmative)\b",
    re.IGNORECASE,
)

OPPOSITES = tuple(
    (good, bad)
    for good, *bads in (
        ("positive", "negative"),
        ("healthy", "unhealthy", "weak", "poor"),
        ("strong", "weak", "poor"),
        ("profitable", "unprofitable"),
        ("efficient", "inefficient"),
        ("stable", "unstable", "volatile"),
        ("safe", "unsafe", "dangerous"),
        ("effective", "ineffective"),
        (r"compl(?:y|ies|ied|iant|iance)", r"breach\w*|violat\w*"),
        (r"allow\w*|permit\w*|can", r"forbid\w*|forbidden|prohibit\w*|ban(?:s|ned)"),
        (r"required?|mandatory|compulsory|must|needs?", "optional|voluntary"),
        (r"(?:carry|carried|rolls?|rolled) over|keep", r"expires?|expired|forfeit\w*|lapse[sd]?"),
        (r"approved?|accept\w*", r"reject\w*|refus\w*|denied|block(?:s|ed)|veto(?:es|ed)"),
        (r"includ(?:es?|ed)|cover(?:s|ed)?", r"exclud(?:es?|ed)"),
        ("children", "adults"),
        ("available", "unavailable"),
        ("legal", "illegal"),
        (r"add(?:s|ed)|introduc\w*|gain(?:s|ed)", r"drop(?:s|ped)|remov\w*|eliminat\w*|lost"),
        (r"more", r"less|fewer"),
        (r"minimum|at least", r"maximum|at most|up to"),
        (r"before", r"after"),
        (r"won|win(?:s|ning)?", r"lost|los(?:es?|ing)"),
        (r"success\w*|succeed\w*", r"fail\w*"),
        (r"bought|acquired?|buys?", r"sold|sells?|divested"),
        (r"full-time", r"part-time"),
        (r"early|earlier", r"late|later"),
        (r"first", r"last|final"),
        (r"open(?:s|ed)?", r"closed?|closes|shut"),
        (r"renew(?:s|ed|al)?|continues?|extend(?:s|ed)?", r"expires?|expired|ends?|ended|terminat\w*"),
        (r"enabled?|active|on", r"disabled?|inactive|off"),
        (r"met|meets?|meeting", r"miss(?:ed|es|ing)?"),
        (r"minors?|children|child", r"adults?"),
        (r"true|correct|right", r"false|incorrect|wrong"),
        (r"present", r"absent|missing"),
        (r"online", r"offline"),
        (r"increases?", r"decreases?"),
        (r"(?:remains?|stays?) (?:\w+ )?(?:valid|in force|in effect|intact)|continues?", r"lapses?|expires?|ends?|void"),
    )
    for bad in bads
)
BUT = re.compile(r",\s+(?:but|though|although|provided|as long as|unless)\b", re.IGNORECASE)
"""Where a sentence goes on to hedge what it says."""

AFFIXED = re.compile(r"^(?:(?:un|in|im|ir|il|non|dis)(\w{4,})|(\w{3,})less)$")
DENIES = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\bhardly|\banything but|\bfar from)\s+(?:(?:be|been|being|a|an|the|very|found|considered"
    r"|seen|as|to|all|at)\s+)*$",
    re.IGNORECASE,
)
FRAMED = re.compile(
    r"(?:\bnot|n't|\bnever)\s+(?:say|conclude|find|claim|think|believe|state|report|show|agree)\w* that\b", re.IGNORECASE
)
ONLY = re.compile(r"\W*only\s+(?:the\s+)?", re.IGNORECASE)
DENIED = re.compile(r"(?:\bnot|n't|\bnever|\bno)\s+(?:\w+\s+)?$", re.IGNORECASE)
MOVE = re.compile(rf"\b(?:(?P<up>(?!growth){UP})|(?P<down>{DOWN}))\b", re.IGNORECASE)
CHANGE = re.compile(r"\bchang(?:e|ed|ing)\b", re.IGNORECASE)
FLAT = re.compile(r"\b(?:flat|unchanged|stable|constant|the same)\b", re.IGNORECASE)
CLAUSE = re.compile(
    r"[,;:()\n]|\.\s|\b(?:and|but|because|due|driven|caused|by|from|to|than|as(?! a\b)|since|while|partly|partially|offset"
    r"|despite)\b",
    re.IGNORECASE,
)
BASIS = re.compile(
    r"(?<!\s),?\s*\b(?:based on|as of|according to|using|relying on)\b[^?]*|\bif \w+ [^.]{0,300}\bnot\b[^.]{0,300}\..*",
    re.IGNORECASE,
)
"""What an answer may rest on and what it may say instead: no part of what is asked."""

ALSO = re.compile(r"\b(?:and|if (?:so|yes)),?\s+(?:(?:for|in|by|on) )?(?:what|which|why|how|who)\b", re.IGNORECASE)
"""Where a question asks for more than yes or no."""

POINT = re.compile(rf"{THUS.pattern}|\b(?:this|which) (?:means|suggests|indicates|implies|shows)\b", re.IGNORECASE)
"""Where a text comes to its point, if not to a figure."""


def is_yes_no(question: str) -> bool:
    """Whether `question` opens by asking for yes or no, without giving other choices."""
    opening = re.match(ASKS, question.strip())
    return bool(opening) and not re.search(r"\bor\b", opening[0] if opening else "")


def spoken(text: str) -> bool | None:
    """True or False where `text` opens with yes or no, or concludes with one; else None."""
    opens = WORD.match(text)
    closes = list(ANYWHERE.finditer(text))
    if opens:
        return not opens[1].lower().startswith("n") and not opens[1].lower().endswith(" not")
    return closes[-1][1].lower() == "yes" if closes else None


def restates(question: str, text: str) -> bool:
    """Whether a sentence of `text` speaks of half of what `question` asks about, or more."""
    asked = set(content(BASIS.sub("", question)))
    return any(2 * len(asked & set(content(s))) >= len(asked) for s in sentences(text))


def speaks(question: str, text: str) -> bool:
    """Whether `text` says anything to a yes-or-no `question`: denies, tells a rise or fall, speaks of what is asked, assents."""
    if NEGATIVE.search(text) or _direction(text) or contrary(question, text) or contrary(text, question):
        return True
    if negated_words(question, text):
        return True
    if set(content(text)) & set(content(question)):
        return True
    spelt = words(text)
    return len(spelt) <= ASSENT and bool(AFFIRM.search(text)) and all(w in STOP_WORDS or AFFIRM.search(w) for w in spelt)


def affirmed(text: str) -> str:
    """The clauses of `text` that deny nothing."""
    return " ".join(c for s in sentences(text) for c in re.split(r";|,? while\b|, but\b", s) if not NEGATIVE.search(c))


def implied(question: str, text: str) -> bool:
    """What the sentence of `text` that answers `question` says: False where it negates, or says the opposite."""
    asked = set(content(BASIS.sub("", question)))
    text = without_double(text, question, asked)
    # The sentence that speaks most of what was asked; one that concludes goes before others.
    parts = sentences(text) or [""]
    sentence = max(reversed(parts), key=lambda s: len(asked & set(content(s))) + 2 * bool(POINT.search(s)))
    sentence = NOT_ONLY.sub(" ", max(BUT.split(sentence), key=lambda s: len(asked & set(content(s)))))
    opposite = _opposite(question, sentence)
    if ONLY.match(sentence) and not set(content(ONLY.sub("", sentence))[:1]) & asked:
        return False
    negative = NEGATIVE.search(sentence)
    if negative is None:
        return not opposite
    if opposite and negative[0].lower().startswith("only"):
        return False
    ways = {_way(mark, sentence) for mark in MOVE.finditer(sentence)}
    return _direction(question) in ways if _direction(question) and len(ways) == 1 else opposite


def _way(mark: re.Match[str], text: str) -> int:
    """1 for a rise, -1 for a fall; ``did not rise`` is a fall."""
    return (1 if mark["up"] else -1) * (-1 if DENIED.search(before(text, mark.start())) else 1)


def ways(text: str) -> int:
    """1 where `text` tells only of rises, -1 where only of falls, else 0; ``did not rise`` is a fall."""
    found = {_way(mark, text) for mark in MOVE.finditer(text)}
    return found.pop() if len(found) == 1 else 0


def moves_otherwise(gold: str, given: str) -> bool:
    """Whether `given` tells only a fall where `gold` tells a rise, or the other way round, or that nothing changed."""
    way = ways(gold)
    if not MOVE.search(given) and FLAT.search(given):
        return not FLAT.search(gold)
    return way * ways(given) == -1


def _opposite(question: str, sentence: str) -> bool:
    """Whether `sentence` speaks of the reverse of what `question` asks about: a fall where it asks for a rise."""
    if moves_against(question, question, sentence):
        return True
    asked, given = (_direction(text) for text in (question, sentence))
    if (asked or CHANGE.search(question)) and FLAT.search(sentence):
        return True
    if asked and given and asked != given:
        return True
    return contrary(question, sentence) or negated_words(question, sentence)


def contrary(one: str, other: str) -> bool:
    """Whether one of two opposite words stands in `one` and only the opposite in `other`."""
    first, second = one.lower(), other.lower()
    for pair in OPPOSITES:
        for word, opposite in (pair, pair[::-1]):
            only, instead = re.compile(rf"\b(?:{word})\b"), re.compile(rf"\b(?:{opposite})\b")
            if only.search(first) and not instead.search(first) and instead.search(second) and not only.search(second):
                return True
    return False


def negated_words(one: str, other: str) -> bool:
    """Whether `other` has a word of `one` with a syllable that turns it round: ``ineffective``, ``unpaid``, ``painless``."""
    first, second = set(words(one)), set(words(other))
    turned = {m for word in second for m in AFFIXED.findall(word) if word not in first}
    bases = {part for prefixed, suffixed in turned for part in (prefixed, suffixed) if part}
    return any(len(base) > 3 and (base in first or stem(base) in {stem(w) for w in first}) for base in bases) and not (
        first & second & bases
    )


def denies(question: str, gold: str, answer: str) -> bool:
    """Whether `answer` denies what `gold` affirms: its words stand behind a "not", and nowhere without one."""
    if NEGATIVE.search(gold):
        return False
    if FRAMED.search(flat(answer)):
        return True
    telling = set(content(gold)) - set(content(question)) or set(content(gold))
    denied, affirmed_ = set[str](), set[str]()
    for sentence in sentences(flat(answer)):
        for m in WORDS.finditer(sentence):
            if meaning(m[0]) in telling:
                (denied if DENIES.search(before(sentence, m.start())) else affirmed_).add(meaning(m[0]))
    point = content(gold)[-1:]
    return bool(denied) and (not affirmed_ or (bool(set(point) & denied) and not set(point) & affirmed_))


def _direction(text: str) -> int:
    """1 where `text` speaks only of rises, -1 where only of falls, else 0."""
    up, down = (bool(re.search(rf"\b{words}\b", text, re.IGNORECASE)) for words in (UP, DOWN))
    return up - down


def asks_direction(question: str) -> bool:
    """Whether `question` gives the choice between a rise and a fall."""
    return all(re.search(rf"\b{words}\b", question, re.IGNORECASE) for words in (UP, DOWN)) and " or " in question


def same_direction(gold: str, given: str) -> bool:
    """Whether both speak only of rises, or only of falls."""
    return _direction(gold) * _direction(given) == 1


def moves(text: str, subject: list[str]) -> dict[str, int]:
    """What `text` says rises (1) or falls (-1), by stem: ``higher freight costs``, ``sales fell``; what does both is left out.

    A bare ``it fell`` is said of `subject`, the words of the question.
    """
    ways: dict[str, int] = {}
    for clause in CLAUSE.split(text):
        marks = list(MOVE.finditer(clause))
        for i, mark in enumerate(marks):
            way = 1 if mark["up"] else -1
            after = content(clause[mark.end() : marks[i + 1].start() if i + 1 < len(marks) else len(clause)])
            before = content(clause[marks[i - 1].end() if i else 0 : mark.start()])
            for thing in after[:4] + before[-4:] or subject:
                ways[thing] = way if ways.get(thing, way) == way else 0
    return {thing: way for thing, way in ways.items() if way}


def moves_against(question: str, gold: str, given: str) -> bool:
    """Whether most of what both texts speak of moves in opposite directions; what `question` asks about counts twice."""
    if not MOVE.search(gold) or not MOVE.search(given):
        return False
    subject = content(question)
    one, other = moves(gold, subject), moves(given, subject)
    return sum(way * other.get(thing, 0) * (2 if thing in subject else 1) for thing, way in one.items()) < 0


def reverses(gold: str, given: str) -> bool:
    """Whether `given` speaks only of rises and `gold` only of falls, or the other way round."""
    return _direction(gold) * _direction(given) == -1
