"""Kinds of mismatch that lead to an act: what the act changes for one query, and what should not do as well."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.core.proofs import Edit
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._filler import KEPT, REQUESTS
from ragdiag.diagnosis.failures._words import added, as_rare, askable, beside, said, telling, unasked, without
from ragdiag.text.analysis import Analysis
from ragdiag.text.languages import function_words, language
from ragdiag.text.phrases import listed
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

CONTROLS = 9
"""Changes that should not do as well that are tried."""

_TOKEN = re.compile(r"[^\W_][\w-]*")


class Attempt(NamedTuple):
    """One act that may bring the evidence in, of a kind of mismatch.

    `shown` is what it is about, for people. `controls` should not do as well: each an edit, and the chunk that it brings in, or
    None where it serves the query itself. `knocked` is the same act without the words that it is about: it must not do as well.
    """

    kind: str
    edit: Edit
    how: str
    fix: str
    shown: str
    controls: tuple[tuple[Edit, int | None], ...] = ()
    knocked: Edit | None = None
    words: tuple[str, ...] = ()


def attempts(case: Case, chunk: int | None) -> Iterator[Attempt]:
    """The acts whose gates a query passes, the most telling first; `chunk` holds its evidence, None where none does whole."""
    yield from _rewordings(case)
    if chunk is not None:
        yield from _by_terms(case, chunk, IDENTIFIER, Analysis(parts=True))
        yield from _spelled_out(case, chunk)
        if (INFLECTION in case.setting.analyses) and case.setting.language:
            yield from _by_terms(case, chunk, INFLECTION, Analysis(stem=case.setting.language))  # type: ignore[arg-type]
        yield from _unfilled(case)


def _rewordings(case: Case) -> Iterator[Attempt]:
    """The words of the team itself."""
    for text in case.rewritings:
        fix = "rewrite queries in the words of the documents, or add theirs to the documents"
        yield Attempt(WORDING, Edit(query=text), "ask in the words of a paraphrase", fix, text)


def _by_terms(case: Case, chunk: int, kind: str, analysis: Analysis) -> Iterator[Attempt]:
    """The same index by other terms, where these give the query words in common with the chunk that it lacks by itself."""
    spec = case.setting.analyses.get(kind)
    if spec is None:
        return
    text = case.setting.embed(case.setting.span(chunk))
    plain, terms, open_words = set(words(text)), set(analysis(text)), set(telling(case.query.text, case.setting.language))
    written = {w: case.query.text[a:b] for a, b, w in spelled(case.query.text) if w in open_words and w not in plain}
    gained = [word for word, spelling in written.items() if not terms.isdisjoint(analysis(spelling))]
    if not gained:
        return
    forms = [word for word in dict.fromkeys(words(text)) if any(_meet(analysis, word, written[w]) for w in gained)]
    edit, rest = Edit(retriever=spec), without(case.query.text, gained)
    act = {INFLECTION: "search by stems", IDENTIFIER: "search identifiers by their parts as well"}[kind]
    shown = f"{', '.join(gained)} in the query" + (f", {', '.join(forms[:3])} in the evidence's chunk" if forms else "")
    controls = tuple((edit, c) for c in beside(case, chunk, CONTROLS))
    knocked = Edit(retriever=spec, query=rest) if rest else None
    yield Attempt(kind, edit, act, f"{act}: {spec}", shown, controls, knocked, tuple(gained))


def _meet(analysis: Analysis, word: str, spelling: str) -> bool:
    """Whether two words share a term."""
    return not set(analysis(word)).isdisjoint(analysis(spelling))


def _spelled_out(case: Case, chunk: int) -> Iterator[Attempt]:
    """Abbreviations of the query with the long form that the documents give, and the other way round."""
    text, setting = case.query.text, case.setting
    held = set(words(setting.text(setting.span(chunk))))
    for old, new in _other_forms(case):
        fresh = [w for w in words(new) if w not in words(text)]
        if not fresh or not held.issuperset(words(new)) or held.issuperset(words(old)):
            continue
        edit = Edit(query=re.sub(re.escape(old), f"{old} {new}", text, count=1, flags=re.IGNORECASE))
        placebos = (as_rare(case, unasked(case, setting.span(c)), fresh) for c in beside(case, chunk, CONTROLS))
        controls = tuple((Edit(query=added(text, placebo)), None) for placebo in placebos if len(placebo) == len(fresh))
        fix = "say abbreviations in both forms in queries, by the list that the documents give; or index both forms"
        yield Attempt(ABBREVIATION, edit, f"say {old} as {new} too", fix, f"{old}: {new}", controls, None, tuple(fresh))


def _other_forms(case: Case) -> Iterator[tuple[str, str]]:
    """What the query says in one form, and its other form by the documents."""
    text, known = case.query.text, case.setting.abbreviations
    lower = text.lower()
    by_lower = {} if text != lower else {short.lower(): short for short in known if len(short) > 2}
    empty = function_words(case.setting.language)
    for token in dict.fromkeys(_TOKEN.findall(text)):
        short = token if token in known else by_lower.get(token, "")
        if short and token not in empty:
            yield token, known[short]
    for short, long in known.items():
        if long in lower and short.lower() not in lower:
            yield long, short


def _unfilled(case: Case) -> Iterator[Attempt]:
    """The query without words that ask for something: those that say nothing of a subject; then function words as well."""
    text, setting = case.query.text, case.setting
    if setting.language != "english" or language(text) not in ("English", ""):
        return
    own = list(dict.fromkeys(words(text)))
    function = {w for w in own if w in function_words("english") - KEPT}
    subject = [w for w in own if w not in function and w not in REQUESTS and not w.isdigit()]
    mean = sum(map(setting.idf, subject)) / len(subject) if subject else 0.0
    asking = {w for w in own if w in REQUESTS and (not setting.chunks_with(w) or setting.idf(w) < mean)}
    for dropped in dict.fromkeys([frozenset(asking), frozenset(asking | function)]):
        rest = [w for w in own if w not in dropped]
        if not dropped or len(rest) < 2:
            continue
        controls = tuple((Edit(query=without(text, other)), None) for other in _as_many(text, rest, len(dropped)))
        shown = [w for w in own if w in dropped]
        how = f"leave out {len(shown)} words that say nothing" if len(shown) > 1 else f"leave out {shown[0]}"
        fix = "leave words that say nothing out of queries before they are searched (a stop list)"
        yield Attempt(FILLER, Edit(query=without(text, dropped)), how, fix, ", ".join(shown), controls, None, tuple(shown))


def _as_many(text: str, words: Sequence[str], n: int) -> list[frozenset[str]]:
    """Other words to leave out, at random: `n` at a time, at most half of them."""
    draw, n = random.Random(text), min(n, max(len(words) // 2, 1))
    drawn = (frozenset(draw.sample(words, n)) for _ in range(8 * CONTROLS))
    return list(dict.fromkeys(drawn))[:CONTROLS]


def in_words(
    case: Case, chunk: int, passages: Sequence[Span], missing: Sequence[str], counts: Sequence[int]
) -> Iterator[Attempt]:
    """The query with words of the evidence as well, or in place of words that it lacks; the fewest first."""
    known, text = askable(case, passages), case.query.text
    others = [(c, unasked(case, case.setting.span(c))) for c in beside(case, chunk, CONTROLS)] if known else []
    for new in (tuple(known[:n]) for n in counts if n <= len(known)):
        theirs = [(c, picked) for c, free in others if len(picked := as_rare(case, free, new)) == len(new)]
        fix = f"rewrite queries in the words of the documents; here: {', '.join(new[:3])}"
        how, shown = f"ask for {listed(new)} as well", ", ".join(new)
        controls = tuple((Edit(query=added(text, picked)), c) for c, picked in theirs)
        yield Attempt(WORDS, Edit(query=added(text, new)), how, fix, shown, controls, None, new)
        old = missing[: len(new)]
        if len(old) == len(new):
            controls = tuple((Edit(query=said(text, old, picked)), c) for c, picked in theirs)
            # Leaving the words out might be all that helps.
            knocked = Edit(query=without(text, old) or text)
            how = f"say {listed(old)} as {listed(new)}"
            yield Attempt(WORDS, Edit(query=said(text, old, new)), how, fix, shown, controls, knocked, new)
