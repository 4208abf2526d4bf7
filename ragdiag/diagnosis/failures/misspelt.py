"""A word of the query is spelt otherwise than in the evidence, and as no text has it."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ragdiag.core.proofs import Control, Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._asking import evidence_words
from ragdiag.diagnosis.failures._passages import holding
from ragdiag.diagnosis.failures._words import said, telling
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix
from ragdiag.text.analysis import stemmed
from ragdiag.text.languages import language
from ragdiag.text.phrases import counted, listed, one_line
from ragdiag.text.spelling import near, slips, spellable
from ragdiag.text.words import spelled, words

FIX = Fix("check the spelling of queries against the corpus' own words before they are searched")

IDENTIFIER = re.compile(r"[a-zß-ÿ][A-Z]|_")

IN_PHRASE = "a word of the query is a slip of one of the evidence: no text has it beside the same words"
"""What a finding says where the slip happens to be a word."""

REACH = 3
"""Slips between a misspelt word and words of other chunks, at most: some have no nearer ones."""


class Slip(NamedTuple):
    """A word of the query, the word of the evidence that it is a slip of, and the number of slips."""

    word: str
    meant: str
    slips: int


@dataclass(frozen=True)
class Misspelt(FailureMode):
    """A word of the query stands in no text, and one a slip or two away stands in the evidence: see `spelling.slips`.

    No word of the corpus is nearer to it. So with words that are in the corpus where three words together are not, and the
    evidence has those three but for the slip ("the novel prize in", "the nobel prize in"). Numbers and identifiers are never
    misspelt.

    Proved by the query with that word mended. The control mends it to other words of the corpus, as near as there are (`controls`
    of them), and leaves it out. One does as well where it serves the query, and has the evidence no lower than the mended query
    does: no more than `most_as_well` of them may.
    """

    controls: int = 5
    most_as_well: float = 0.25

    says = "a word of the query is misspelt: it stands in no text, and in the evidence as it should be"
    cannot_tell = "whether the query's spelling is wrong: it may be a name, or another way to write the word"
    place = 88
    levels = ("span", "document")
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient:
            return None
        for group in case.targets:
            texts = [case.setting.text(case.setting.span(c)) for c in holding(case, group)]
            if found := tuple(_slips(case, " ".join(texts))):
                mended = _mended(case, found, [slip.meant for slip in found])
                return Observation((group,), {"words": [slip._asdict() for slip in found], "mended": mended}, found)
        return None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Mend the words; then mend them wrongly."""
        slips_, edit = observation.held, Edit(query=observation.detail["mended"])
        (outcome,) = yield [edit]
        control, tried = None, {}
        if outcome.standing.sufficient:
            wrong = self._wrong(case, slips_)
            outcomes = yield [Edit(query=text) for text in wrong]
            tried = {text: o.standing.told() for text, o in zip(wrong, outcomes, strict=True)}
            best = outcome.standing.rank or math.inf
            as_well = sum(o.standing.sufficient and (o.standing.rank or math.inf) <= best for o in outcomes)
            control = Control(
                len(wrong), as_well, None, f"{as_well} of {len(wrong)} other ways to mend it, or to leave it out, do as well"
            )
        return case.finding(
            "misspelt",
            observation,
            "mend " + listed([f"{slip.word} to {slip.meant}" for slip in slips_]),
            outcome.standing,
            FIX,
            proved=control is not None and control.as_well <= self.most_as_well * control.tried,
            says=IN_PHRASE if any(case.setting.knows(slip.word) for slip in slips_) else "",
            control=control,
            detail={"instead": tried},
            rows=_rows(slips_, tried),
            edit=edit,
        )

    def _wrong(self, case: Case, found: Sequence[Slip]) -> list[str]:
        """The query with other words of the corpus in place of the misspelt ones, and without these."""
        others = [self._others(case, slip) for slip in found]
        rounds = max(map(len, others))
        texts = [_mended(case, found, [(words_[i:] or words_[-1:] or [""])[0] for words_ in others]) for i in range(rounds)]
        return list(dict.fromkeys([*texts, _mended(case, found, [""] * len(found))]))

    def _others(self, case: Case, slip: Slip) -> list[str]:
        """Words of the corpus near a misspelt one that neither evidence nor query has, and no forms of what is meant."""
        held = evidence_words(case) | set(words(case.query.text))
        (stem,) = stemmed([slip.meant], "english")
        free = (w for w in near(slip.word, case.setting.vocabulary, REACH) if w not in held and w.isalpha())
        return [w for w in free if stemmed([w], "english") != [stem]][: self.controls]


def _plain_words(text: str) -> Iterator[str]:
    """The words of a query that are no identifiers: no capital stands behind a small letter."""
    for start, end, word in spelled(text):
        if not IDENTIFIER.search(text[start:end]):
            yield word


def _mended(case: Case, found: Sequence[Slip], meant: list[str]) -> str:
    """The query with the words `meant` in place of the misspelt ones."""
    return " ".join(said(case.query.text, [slip.word for slip in found], meant).split())


def _slips(case: Case, evidence: str) -> Iterator[Slip]:
    """The words of the query that are slips of words of the evidence."""
    setting, asked, there, english = case.setting, words(case.query.text), words(evidence), language(evidence) == "English"
    said, phrases = frozenset(asked), _phrases(asked)
    lacking = [word for word in dict.fromkeys(there) if word not in said]
    for word in dict.fromkeys(_plain_words(case.query.text)):
        if not spellable(word):
            continue
        if setting.knows(word):
            candidates = [w for three in phrases[word] for w in _in_its_place(word, three, there) if w not in said]
            yield from _in_phrase(case, word, phrases[word], candidates, english)
        elif meant := slips(word, lacking, english):
            best, n = next(iter(meant.items()))
            if not any(fewer < n for fewer in slips(word, setting.vocabulary, english).values()):
                yield Slip(word, best, n)


def _phrases(asked: list[str]) -> defaultdict[str, list[tuple[str, str, str]]]:
    """For each word the three words in a row that have it once, and tell something beside it."""
    phrases: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for three in _threes(asked):
        for word in three:
            if three.count(word) == 1 and telling(" ".join(_beside(word, three))):
                phrases[word].append(three)
    return phrases


def _in_phrase(
    case: Case, word: str, phrases: Sequence[tuple[str, str, str]], candidates: Sequence[str], english: bool
) -> Iterator[Slip]:
    """A word of the query as a slip of one of the evidence between the same two words, where no text has the query's three."""
    meant = slips(word, candidates, english) if candidates else {}
    if meant and not any(map(case.setting.has_phrase, phrases)):
        best, n = next(iter(meant.items()))
        yield Slip(word, best, n)


def _threes(of: list[str]) -> Iterator[tuple[str, str, str]]:
    return zip(of, of[1:], of[2:], strict=False)


def _beside(word: str, phrase: Sequence[str]) -> list[str]:
    return [other for other in phrase if other != word]


def _in_its_place(word: str, phrase: tuple[str, str, str], evidence: list[str]) -> Iterator[str]:
    """Words of the evidence where a phrase has `word`, between its other two."""
    place = phrase.index(word)
    for three in _threes(evidence):
        if three[:place] + three[place + 1 :] == phrase[:place] + phrase[place + 1 :]:
            yield three[place]


def _rows(found: Sequence[Slip], tried: Mapping[str, Mapping[str, object]]) -> Iterator[Row]:
    """The words, and what mending them wrongly comes to."""
    for slip in found:
        yield Row.of(
            "word",
            (slip.word, "bad"),
            " in the query, ",
            (slip.meant, "good"),
            f" in the evidence: {counted(slip.slips, 'slip')}",
        )
    for text, standing in tried.items():
        yield Row.of(
            "instead", f"{one_line(text, 60)} " + (f"needs k {standing['rank']}" if standing["rank"] else "does not find it")
        )
