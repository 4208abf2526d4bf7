"""Whether contexts hold what an answer states, claim by claim, and the passage that does: words, names, numbers. No model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.answering.judges._citing import Mark, Said, said
from ragdiag.answering.judges._contradictions import contradiction
from ragdiag.answering.judges._forms import decades, form, meanings, prepared, without_decades
from ragdiag.answering.judges._numbers import NUMBER, Quantity, agree, quantities
from ragdiag.answering.judges._passages import Context, Passage, Value, as_value, ranked, read
from ragdiag.answering.judges._text import words

NAME = re.compile(r"(?<![.:;!?\"'(\[] )(?<![\"'(\[*])(?<!^)\b[A-Z][\w&'’.-]*\w")
"""A word in capitals that starts nothing: part of a name."""

FEW = 3
"""Words of meaning: a shorter sentence with a number may say in its own what the context says in others."""

NEAR = 20
"""A number may follow from two that stand among so many numbers before and after it."""

PASSAGES = 3
"""Passages that may hold a claim together."""

NEAREST = 12
"""Passages that are looked at for whether they say otherwise."""

TRIES = 50
"""Numbers of a sentence that are tried to follow from others."""

ALMOST = 0.75
"""A passage that holds this share of what the best one holds may be the one that is meant."""

SHOWN = 60
"""Characters of a sentence that a reason shows."""

POINTS_AT_SOURCE = frozenset(
    meanings(
        "context passage document text excerpt source article provided given according mentioned stated states mention based"
        " answer question yes information specifically additionally furthermore overall summary conclusion therefore thus"
    )
)
"""Words that speak of the source, or lead on: no context need hold them."""


class Claim(NamedTuple):
    """A sentence of an answer that states something.

    `supported`: whether its contexts hold that, and `why` not. ``contexts[context][start:end]`` is the passage that holds most of
    it; `context` is None where none holds any. `marks` are its citations; `cited` whether the contexts that they name hold it,
    None where it has none.
    """

    sentence: str
    supported: bool
    why: str
    context: int | None = None
    start: int = 0
    end: int = 0
    marks: tuple[Mark, ...] = ()
    cited: bool | None = None


def claims(question: str, answer: str, contexts: Sequence[str], least: float = 0.5, names: Sequence[str] = ()) -> list[Claim]:
    """What `answer` states, sentence by sentence, held against `contexts`; `names` are theirs, by which marks may cite them.

    A sentence is supported where the contexts, or the question, hold its numbers and names, some `PASSAGES` of them the share
    `least` of its words beyond the question's, and the nearest passage does not say otherwise. A number is also held where it
    follows from two others of the answer that are. Words are read, not meaning.
    """
    sentences = said(answer, names, len(contexts))
    if not sentences:
        return []
    asked, texts = read(question), [read(context) for context in contexts]
    stated = [prepared(each.sentence) for each in sentences]
    source = _Source(asked, texts, stated)
    return [_claim(each, text, source, least) for each, text in zip(sentences, stated, strict=True)]


def _claim(each: Said, text: str, source: _Source, least: float) -> Claim:
    why, best = source.missing(text, least)
    named = sorted({i for mark in each.marks for i in mark.contexts if i >= 0})
    cited = None
    if each.marks:
        cited = bool(not why and named and not source.of(named).missing(text, least)[0])
    if best is None:
        return Claim(each.sentence, not why, why, marks=each.marks, cited=cited)
    return Claim(each.sentence, not why, why, best.context, best.start, best.end, each.marks, cited)


class _Source:
    """The question, and the contexts of one answer: what they hold of what it has `stated`."""

    def __init__(self, question: Context, contexts: Sequence[Context], stated: Sequence[str]) -> None:
        self._question, self._contexts, self._stated = question, contexts, stated
        self._texts = [question, *contexts]
        self._asked = frozenset(stem for sentence in question.sentences for stem in sentence.words)
        self._decades = frozenset().union(*(text.decades for text in self._texts))
        self._of_answer = [q for sentence in stated for q in _checked(sentence)]
        self._held = _held(self._of_answer, [q for text in self._texts for s in text.sentences for q in s.numbers])
        self._at = {as_value(q): i for i, q in reversed(list(enumerate(self._of_answer)))}

    def of(self, contexts: Sequence[int]) -> _Source:
        """The same of some of its contexts alone."""
        return _Source(self._question, [self._contexts[i] for i in contexts], self._stated)

    def missing(self, text: str, least: float) -> tuple[str, Passage | None]:
        """Why the contexts do not support the sentence `text`, "" where they do; and the passage that holds most of it."""
        stems = frozenset(meanings(NUMBER.sub(" ", without_decades(text)))) - (POINTS_AT_SOURCE - self._asked)
        values = frozenset(map(as_value, quantities(without_decades(text))))
        holding = ranked(self._contexts, stems, values)
        best = holding[0] if holding else None
        if any(f" {' '.join(words(text))} " in each.spelt for each in self._texts):
            return "", best
        lacking = [*self._numbers_missing(text, best), *self._names_missing(text)]
        if lacking:
            more = f" and {len(lacking) - 1} more" * (len(lacking) > 1)
            return f"its context does not hold {lacking[0]!r}{more}", best
        share = self._share(stems, holding, bool(_checked(text) or decades(text)))
        if share < least:
            return f"its context holds {share:.0%} of the words of {text[:SHOWN]!r}", best
        return _told_otherwise(text, holding, best)

    def _share(self, stems: frozenset[str], holding: Sequence[Passage], counts: bool) -> float:
        """The share of `stems` that the few passages which hold most of them have; the question's own words are no news.

        Of a sentence that gives a number, which `counts`, they are held as well, and a short one needs no more than its number.
        """
        new = stems - self._asked
        left = set(new)
        for _ in range(PASSAGES):
            most = max(holding, key=lambda p: len(left & p.hits), default=None)
            if most is None or not left & most.hits:
                break
            left -= most.hits
        of = stems if counts else new
        return 1.0 if not of or (counts and len(stems) <= FEW) else 1 - len(left) / len(of)

    def _numbers_missing(self, text: str, best: Passage | None) -> Iterator[str]:
        """The numbers of `text` that the contexts do not hold, and that follow from no two that they do.

        Shares also follow from two numbers of the passage that is `best`, which an answer need not repeat.
        """
        yield from (f"{decade}0s" for decade in decades(text) - self._decades)
        lacking = [q for q in _checked(text) if not self._held[self._at[as_value(q)]]]
        for i, quantity in enumerate(lacking):
            if i >= TRIES or not any(_follows(quantity, a, b) for a, b in self._pairs(quantity, best)):
                yield quantity.text

    def _pairs(self, quantity: Quantity, best: Passage | None) -> Iterator[tuple[Quantity, Quantity]]:
        """Two numbers each that a number may follow from."""
        at = self._at[as_value(quantity)]
        beside = slice(max(at - NEAR, 0), at + NEAR)
        yield from itertools.permutations(itertools.compress(self._of_answer[beside], self._held[beside]), 2)
        if best and quantity.unit == "%":
            yield from itertools.permutations([q for s in best.sentences for q in s.numbers if q.unit != "year"][:NEAR], 2)

    def _names_missing(self, text: str) -> Iterator[str]:
        """Capitalised words inside `text` that the contexts hold in no case, nor as part of a word, nor in another form."""
        for match in NAME.finditer(text if len(words(text)) > FEW else f" {text}"):
            parts = [w for w in words(re.sub(r"'s$", "", match.group())) if len(w) > 1 and not w[0].isdigit()]
            if not all(self._has(w) for w in parts) and not self._initials(match.group()):
                yield match.group()

    def _has(self, word: str) -> bool:
        return any(word in each.flat or form(word) in each.forms for each in self._texts)

    def _initials(self, name: str) -> bool:
        """Whether `name` is made of the initials of words that the contexts hold: ``WHO``."""
        if not re.fullmatch(r"[A-Z]{2,6}", name):
            return False
        letters = r"\w* (?:(?:of|the|and|for) )*".join(name.lower())
        return any(re.search(rf" {letters}\w* ", each.spelt) for each in self._texts)


def _told_otherwise(text: str, holding: Sequence[Passage], best: Passage | None) -> tuple[str, Passage | None]:
    """Why the passages nearest to `text` say otherwise, "" where one does not; and that one, or the best."""
    near = [p for p in holding[:NEAREST] if len(p.hits) >= ALMOST * len(holding[0].hits)]
    why = contradiction(text, list(dict.fromkeys(s.text for p in near for s in p.sentences)))
    agreeing = (p for p in near if not contradiction(text, [s.text for s in p.sentences]))
    return why, best if why else next(agreeing, best)


def _checked(text: str) -> list[Quantity]:
    """The numbers of `text` that contexts must hold. "One" may count nothing."""
    found = quantities(without_decades(text))
    return [q for q in found if q.unit or (len(q.text) > 1 and any(c.isdigit() for c in q.text))]


def _held(stated: Sequence[Quantity], source: Sequence[Quantity]) -> list[bool]:
    """Whether each of `stated` is among those of the source; looked up before it is compared, since sources are long."""
    there = {as_value(q): q for q in source}
    held: dict[Value, bool] = {}
    for q in stated:
        value = as_value(q)
        if value not in held:
            held[value] = value in there or any(agree(q, other) for other in there.values())
    return [held[as_value(q)] for q in stated]


def _follows(quantity: Quantity, a: Quantity, b: Quantity) -> bool:
    """Whether a quantity is the sum, difference, ratio or change of two others, as exactly as it is written."""
    x, y = (q.value * (q.scale or 1.0) for q in (a, b))
    scale = quantity.scale or 1.0
    results = [x + y, x - y, *([x / y, 100 * x / y, 100 * (x - y) / y] if y else [])]
    return any(abs(abs(r) - abs(quantity.value * scale)) <= quantity.step * scale for r in results)
