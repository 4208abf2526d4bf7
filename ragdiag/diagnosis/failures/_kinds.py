"""Kinds of mismatch that lead to an act: what the act changes for one query, and what should not do as well."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from ragdiag.core.proofs import Edit
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._filler import KEPT, REQUESTS
from ragdiag.diagnosis.failures._words import added, as_rare, askable, beside, telling, unasked, without
from ragdiag.search.changes import Fix, by_parts, stemmed, without_stop_words
from ragdiag.text.analysis import STOP_WORDS, Analysis
from ragdiag.text.languages import function_words, language
from ragdiag.text.phrases import counted, listed
from ragdiag.text.words import spelled, words

WORDING, IDENTIFIER, ABBREVIATION, INFLECTION, FILLER = "wording", "identifier", "abbreviation", "inflection", "filler"
WORDS, SYNONYM, RARE_TERM = "words", "synonym", "rare term"

SAYS = {
    IDENTIFIER: "words of the query stand in the evidence only inside identifiers",
    ABBREVIATION: "the query abbreviates what the evidence spells out, or spells out what that abbreviates",
    INFLECTION: "the evidence has the query's words, in other forms",
    FILLER: "words of the query that say nothing of its subject bring in other chunks",
    RARE_TERM: "the evidence has the query's words, and the encoder misses them",
}
"""What a mismatch says of a query, by its kind; of the others that the words differ."""

REWRITE, SHOWN = "rewrite queries in the words of the documents", 3
"""What to do about words, and how many of them the fix names."""

REWORD, IN_WORDS = Fix(f"{REWRITE}, or add theirs to the documents"), Fix(REWRITE, more="; here: {said}")
BY_TERMS = {
    INFLECTION: Fix("search by stems", (stemmed,)),
    IDENTIFIER: Fix("search identifiers by their parts as well", (by_parts,)),
}
SPELL_OUT = Fix("say abbreviations in both forms in queries, by the list that the documents give; or index both forms")
LEAVE_OUT = Fix("leave words that say nothing out of queries")
STOP = LEAVE_OUT._replace(changes=(without_stop_words,))
"""Where all of them are on a stop list."""

FIXES = (REWORD, IN_WORDS, *BY_TERMS.values(), SPELL_OUT, LEAVE_OUT, STOP)
"""All that is to be done about one kind or another."""

CONTROLS = 9
"""Changes that should not do as well that are tried."""

_TOKEN = re.compile(r"[^\W_][\w-]*")
_SENTENCE = re.compile(r"(?<=[.:;?!])\s+")


Controls = tuple[tuple[Edit, int | None], ...]
"""Changes that should not do as well: each an edit, and the chunk that it brings in, or None where it serves the query itself."""


class Attempt(NamedTuple):
    """One act that may bring the evidence in, of a kind of mismatch.

    `shown` is what it is about, for people. `controls` makes what should not do as well. `knocked` is the same act without the
    words that it is about: it must not do as well.
    """

    kind: str
    edit: Edit
    how: str
    fix: str
    shown: str
    controls: Callable[[], Controls]
    knocked: Edit | None = None
    words: tuple[str, ...] = ()


def attempts(case: Case, chunk: int | None) -> Iterator[Attempt]:
    """The acts whose gates a query passes, the most telling first; `chunk` holds its evidence, None where none does whole."""
    yield from (_reworded(case, text) for text in case.rewritings)
    if chunk is not None:
        yield from _by_terms(case, chunk, IDENTIFIER, Analysis(parts=True))
        yield from _spelled_out(case, chunk)
        if INFLECTION in case.setting.analyses:
            yield from _by_terms(case, chunk, INFLECTION, Analysis(stem=case.setting.language))  # type: ignore[arg-type]
        yield from _unfilled(case, chunk)


def _reworded(case: Case, text: str) -> Attempt:
    """In words of the team itself."""
    return Attempt(WORDING, Edit(query=text), "ask in the words of a paraphrase", case.setting.advice(REWORD), text, tuple)


def _by_terms(case: Case, chunk: int, kind: str, analysis: Analysis) -> Iterator[Attempt]:
    """The same index by other terms, where these give the query words in common with the chunk that it lacks by itself."""
    spec = case.setting.analyses.get(kind)
    gained = _gained(case, chunk, analysis) if spec else {}
    if not spec or not _of_the_subject(case, gained):
        return
    edit, rest = Edit(retriever=spec), without(case.query.text, gained)
    forms = dict.fromkeys(form for there in gained.values() for form in there)
    shown = f"{', '.join(gained)} in the query, {', '.join(list(forms)[:3])} in the evidence's chunk"
    controls = functools.partial(_others_so, case, chunk, edit)
    act, knocked = BY_TERMS[kind], edit.with_(Edit(query=rest))
    yield Attempt(kind, edit, act.words, case.setting.advice(act), shown, controls, knocked, tuple(gained))


def _of_the_subject(case: Case, gained: Collection[str]) -> bool:
    """Whether one of these words of the query is as rare as its telling words on average: others say little of its subject."""
    idf, own = case.setting.idf, telling(case.query.text, case.setting.language)
    weight = sum(map(idf, own))
    return any(idf(word) * len(own) >= weight for word in gained)


def _gained(case: Case, chunk: int, analysis: Analysis) -> Mapping[str, Sequence[str]]:
    """The telling words of a query that a chunk has only by `analysis`, each with the words there that share a term with it."""
    text, there = case.query.text, case.setting.embed(case.setting.span(chunk))
    terms_of = {word: set(analysis(there[a:b])) for a, b, word in spelled(there)}
    open_words = set(telling(text, case.setting.language)) - terms_of.keys()
    written = {word: set(analysis(text[a:b])) for a, b, word in spelled(text) if word in open_words}
    gained = {word: [w for w, there in terms_of.items() if there & terms] for word, terms in written.items()}
    return {word: forms for word, forms in gained.items() if forms}


def _others_so(case: Case, chunk: int, edit: Edit) -> Controls:
    """Other chunks near `chunk`, by the same change."""
    return tuple((edit, c) for c in beside(case, chunk, CONTROLS))


def _spelled_out(case: Case, chunk: int) -> Iterator[Attempt]:
    """Abbreviations of the query with the long form that the documents give, and the other way round."""
    text, setting = case.query.text, case.setting
    held = set(words(setting.text(setting.span(chunk))))
    for old, new in _other_forms(case):
        fresh = tuple(w for w in words(new) if w not in words(text))
        if fresh and held.issuperset(words(new)) and not held.issuperset(words(old)):
            edit = Edit(query=re.sub(re.escape(old), f"{old} {new}", text, count=1, flags=re.IGNORECASE))
            controls = functools.partial(_other_words, case, chunk, fresh)
            fix = case.setting.advice(SPELL_OUT)
            yield Attempt(ABBREVIATION, edit, f"say {old} as {new} too", fix, f"{old}: {new}", controls, None, fresh)


def _other_words(case: Case, chunk: int, fresh: Sequence[str]) -> Controls:
    """The query with as many other words, as rare, of other chunks near `chunk`."""
    return tuple((Edit(query=added(case.query.text, picked)), None) for _, picked in _theirs(case, chunk, fresh))


def _theirs(case: Case, chunk: int, like: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Other chunks near `chunk`, each with as many words of its own as `like` has, as rare."""
    for c in beside(case, chunk, CONTROLS):
        picked = as_rare(case, unasked(case, case.setting.span(c)), like)
        if len(picked) == len(like):
            yield c, picked


def _other_forms(case: Case) -> Iterator[tuple[str, str]]:
    """What the query says in one form, and its other form by the documents."""
    text, known = case.query.text, case.setting.abbreviations
    lower = text.lower()
    by_lower = {} if text != lower else {short.lower(): short for short in known if len(short) > 2}
    shorts = ((token, token if token in known else by_lower.get(token, "")) for token in dict.fromkeys(_TOKEN.findall(text)))
    empty = function_words(case.setting.language)
    yield from ((token, known[short]) for token, short in shorts if short and token not in empty)
    yield from ((long, short) for short, long in known.items() if long in lower and short.lower() not in lower)


def _unfilled(case: Case, chunk: int) -> Iterator[Attempt]:
    """The query without words that ask for something; where an index weighs words, without function words as well; and only the
    sentence of it that names what `chunk` speaks of.

    None where another part of the evidence was found: words of the other part, as of a question in two steps, are no filler.
    """
    text, setting = case.query.text, case.setting
    if not _may_have_filler(case):
        return
    own, sentence = list(dict.fromkeys(words(text))), _sentence(case, chunk)
    function = function_words("english") - KEPT if setting.analyses else frozenset[str]()
    own_sentence = words(sentence)
    common = _common(case, own, own_sentence)
    asking, beside_it = common & REQUESTS, common.difference(own_sentence)
    empty = [asking, asking | function, beside_it, beside_it | asking, beside_it | asking | function]
    left_out = dict.fromkeys(tuple(w for w in own if w in words_) for words_ in empty)
    fair = (dropped for dropped in left_out if 0 < len(dropped) < len(own) - 1 and _elsewhere(case, chunk, dropped))
    yield from (_less(case, own, dropped, without(text, dropped)) for dropped in fair)
    yield from _alone(case, chunk, own, sentence, common)


def _may_have_filler(case: Case) -> bool:
    """Whether query and corpus are English, and no part of the evidence was found."""
    english = case.setting.language == "english" and language(case.query.text) in ("English", "")
    return english and not any(g.covered for g in case.groups)


def _alone(case: Case, chunk: int, own: Sequence[str], sentence: str, common: Set[str]) -> Iterator[Attempt]:
    """Only `sentence` of the query, where what stands round it says nothing: function words, and `common` ones."""
    round_it = tuple(w for w in own if w not in words(sentence))
    if round_it and set(round_it) <= common | function_words("english") and _elsewhere(case, chunk, round_it):
        yield _less(case, own, round_it, sentence.strip())


def _sentence(case: Case, chunk: int) -> str:
    """The sentence of a query, up to a colon too, whose words `chunk` has most of by weight; all of a query that has one."""
    held, setting = set(words(case.setting.embed(case.setting.span(chunk)))), case.setting
    parts = [part for part in _SENTENCE.split(case.query.text) if telling(part)]
    return max(parts, key=lambda part: sum(setting.idf(w) for w in set(telling(part)) & held), default=case.query.text)


def _elsewhere(case: Case, chunk: int, dropped: Sequence[str]) -> bool:
    """Whether words of a query do not lead to `chunk`: it lacks most of them, or has fewer than the chunks above it."""
    idf = case.setting.idf

    def weight(c: int) -> float:
        return sum(map(idf, set(words(case.setting.embed(case.setting.span(c)))).intersection(dropped)))

    above, own = [weight(c) for c in case.context if c not in case.evidence], weight(chunk)
    return 2 * own < sum(map(idf, dropped)) or own < sum(above) / max(len(above), 1)


def _less(case: Case, own: Sequence[str], dropped: tuple[str, ...], left: str) -> Attempt:
    """The query without `dropped`, which are some of its `own` words: what is `left`."""
    how = f"leave out {counted(len(dropped), 'word')} that say nothing" if len(dropped) > 1 else f"leave out {dropped[0]}"
    fix = case.setting.advice(STOP if STOP_WORDS["english"].issuperset(dropped) else LEAVE_OUT)
    controls = functools.partial(_as_many, case.query.text, [w for w in own if w not in dropped], len(dropped))
    return Attempt(FILLER, Edit(query=left), how, fix, ", ".join(dropped), controls, None, dropped)


def _common(case: Case, own: Sequence[str], sentence: Sequence[str]) -> set[str]:
    """Of the words of a query those that the documents use more than what its `sentence` is about, or do not have."""
    setting, empty = case.setting, function_words("english")
    subject = [setting.idf(w) for w in dict.fromkeys(sentence) if w not in empty and w not in REQUESTS and not w.isdigit()]
    mean = sum(subject) / len(subject) if subject else 0.0
    return {w for w in own if not setting.chunks_with(w) or setting.idf(w) < mean}


def _as_many(text: str, others: Sequence[str], n: int) -> Controls:
    """The query without other words, at random: `n` at a time, at most half of them."""
    draw, n = random.Random(text), min(n, max(len(others) // 2, 1))
    drawn = dict.fromkeys(frozenset(draw.sample(others, n)) for _ in range(8 * CONTROLS))
    return tuple((Edit(query=without(text, dropped)), None) for dropped in list(drawn)[:CONTROLS])


def in_words(case: Case, chunk: int, passages: Sequence[Span], counts: Sequence[int]) -> Iterator[Attempt]:
    """The query with words of the evidence as well, the fewest first; then with these in place of the words that its chunk lacks,
    where these are hardly more: which of them means the same as which is not known, so that all go at once. Names stay.
    """
    known, gone = askable(case, passages), _replaceable(case, chunk)
    picked = [tuple(known[:n]) for n in counts if n <= len(known)]
    yield from (_said_so(case, chunk, new, ()) for new in picked)
    yield from (_said_so(case, chunk, new, gone) for new in picked if 0 < len(gone) <= len(new) + 1)


def _said_so(case: Case, chunk: int, new: tuple[str, ...], dropped: tuple[str, ...]) -> Attempt:
    """The query in words of the evidence, in place of those that are `dropped`."""
    said = f"{', '.join(new[:SHOWN])} in place of {', '.join(dropped)}" if dropped else ", ".join(new[:SHOWN])
    how = f"ask for {listed(new)} " + (f"in place of {listed(dropped)}" if dropped else "as well")
    rest = without(case.query.text, dropped)
    controls = functools.partial(_asked_for, case, chunk, new, bool(dropped))
    knocked = Edit(query=rest) if dropped else None
    fix = case.setting.advice(IN_WORDS, said=said)
    return Attempt(WORDS, Edit(query=added(rest, new)), how, fix, ", ".join(new), controls, knocked, new)


def _replaceable(case: Case, chunk: int) -> tuple[str, ...]:
    """The telling words of a query that a chunk lacks, but for what it writes with a capital: that may be a name."""
    text, held = case.query.text, case.setting.words_in(chunk)
    small = {word for start, _, word in spelled(text) if start == 0 or not text[start].isupper()}
    return tuple(w for w in dict.fromkeys(telling(text, case.setting.language)) if w in small and w not in held)


def _asked_for(case: Case, chunk: int, like: Sequence[str], instead: bool) -> Controls:
    """Other chunks near `chunk`, asked for in the same way in as many words of theirs, as rare."""
    return tuple(
        (Edit(query=added(without(case.query.text, _replaceable(case, c) if instead else ()), picked)), c)
        for c, picked in _theirs(case, chunk, like)
    )
