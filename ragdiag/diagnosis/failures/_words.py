"""Words of queries and passages: what they share, weighted by rarity; what a passage says that a query does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case
from ragdiag.text.words import spelled, words

SHORT = 10
"""Words of an answer that is the thing asked for; a longer one is a passage, whose words are those of its subject."""


class Gap(NamedTuple):
    """How much of a query's words a passage's chunk has, beside what the chunks above it have.

    `overlap` is the share of the words, by idf, that stand in the passage's chunk, `above` the mean of the same share over the
    chunks of the context that hold no evidence. `missing` are the words that the passage's chunk lacks, the rarest first; `alone`
    those that it has and no chunk above has.
    """

    overlap: float
    above: float
    missing: tuple[str, ...]
    alone: tuple[str, ...]


def gap(case: Case, chunks: Sequence[int]) -> Gap:
    """What the query shares with `chunks`, which hold the passage, beside the chunks of its context that hold no evidence."""
    idf = {word: case.setting.idf(word) for word in _open_words(case)}
    passage = {word for c in chunks for word in _words_of(case, c)}
    above = [_words_of(case, c) for c in case.context if c not in case.evidence]
    shares = [_share(idf, words) for words in above]
    missing = sorted((word for word in idf if word not in passage), key=lambda word: -idf[word])
    only_here = passage.difference(*above)
    alone = tuple(word for word in dict.fromkeys(words(case.query.text)) if word in only_here)
    return Gap(_share(idf, passage), sum(shares) / len(shares) if shares else 0.0, tuple(missing), alone)


def _open_words(case: Case) -> list[str]:
    """The telling words of a query that no passage in its context accounts for; all of them, where none is left."""
    holders = (case.holder(group) for group in case.groups if group.covered)
    covered = {word for holder in holders if holder for word in _words_of(case, holder[0])}
    telling_words = list(dict.fromkeys(telling(case.query.text) or words(case.query.text)))
    return [word for word in telling_words if word not in covered] or telling_words


def _share(idf: Mapping[str, float], held: set[str]) -> float:
    """Of the weight of all words of `idf`, that of those in `held`."""
    total = sum(idf.values())
    return sum(weight for word, weight in idf.items() if word in held) / total if total else 0.0


def _words_of(case: Case, chunk: int) -> set[str]:
    return set(words(case.setting.text(case.setting.span(chunk))))


def as_rare(case: Case, span: Span, like: list[str]) -> list[str]:
    """For each word of `like`, one of a passage (`_askable`, none twice) of the nearest idf; fewer if it has fewer."""
    idf, picked = case.setting.idf, list[str]()
    free = sorted(_askable(case, span))
    for word in like[: len(free)]:
        picked.append(min(free, key=lambda w: (abs(idf(w) - idf(word)), w)))
        free.remove(picked[-1])
    return picked


def rarest(case: Case, span: Span) -> list[str]:
    """The words of a passage that could have been asked for, the rarest first."""
    return sorted(_askable(case, span), key=lambda w: -case.setting.idf(w))


def _askable(case: Case, span: Span) -> list[str]:
    """The telling words of a passage that the query lacks, each once; of short answers none, which nobody who asks knows."""
    answers = [answer for answer in map(words, case.query.answers) if len(answer) <= SHORT]
    known = {*words(case.query.text), *(word for answer in answers for word in answer)}
    return list(dict.fromkeys(w for w in telling(case.setting.text(span)) if w not in known))


def added(text: str, _: list[str], new: list[str]) -> str:
    """`text`, then the words `new`."""
    return " ".join([text, *new])


def said(text: str, old: list[str], new: list[str]) -> str:
    """`text` with each of the words `old` said as the word of `new` in its place."""
    other, parts, last = dict(zip(old, new, strict=False)), list[str](), 0
    for start, end, word in spelled(text):
        parts += [text[last:start], other.get(word, text[start:end])]
        last = end
    return "".join([*parts, text[last:]])


def beside(case: Case, chunk: int, n: int) -> list[int]:
    """`n` chunks without evidence that rank nearest to `chunk`, outside the context; of those not ranked, evenly spread ones."""
    at = case.rank_of.get(chunk)
    if at is not None:
        outside = [c for c in case.ranking[case.length :].tolist() if c not in case.evidence]
        return sorted(outside, key=lambda c: (abs(case.rank_of[c] - at), c))[:n]
    total = len(case.setting.chunking)
    spread = (total * (2 * i + 1) // (4 * n) for i in range(2 * n))
    return [c for c in dict.fromkeys(spread) if c not in case.evidence and c not in case.rank_of][:n]


def telling(text: str) -> list[str]:
    """The words that say what a text is about: no English function words, no numbers, none of one letter."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [w for w in words(text) if len(w) > 1 and not w.isdigit() and w not in ENGLISH_STOP_WORDS]
