"""Words of queries and passages: what they share, weighted by rarity; what a passage says that a query does not."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case
from ragdiag.text.languages import function_words
from ragdiag.text.words import spelled, words

SHORT = 10
"""Words of an answer that is the thing asked for; a longer one is a passage, whose words are those of its subject."""


LIFT, TOGETHER = 3, 2
"""How much more often than by chance a word stands together with one of the query, and in how many chunks, to be asked for."""

COMMON = 0.05
"""Of all chunks, the share that have a word which says too little to be asked for."""

FEWEST = 5
"""Other chunks with which what brings evidence in is compared, at least."""


class Gap(NamedTuple):
    """How much of a query's words a passage's chunk has, beside what the chunks above it have.

    `overlap` is the share of the words and numbers, by idf, that stand in the passage's chunk, those inside identifiers too;
    `above` the mean of the same share over the chunks of the context that hold no evidence. `missing` are the words that the
    passage's chunk lacks, the rarest first; `alone` those that it has and no chunk above has. `left_out` are in none of these:
    words that another passage, which the context holds, accounts for.
    """

    overlap: float
    above: float
    missing: tuple[str, ...]
    alone: tuple[str, ...]
    left_out: tuple[str, ...]


def gap(case: Case, chunks: Sequence[int]) -> Gap:
    """What the query shares with `chunks`, which hold the passage, beside the chunks of its context that hold no evidence."""
    open_words, left_out = _open_words(case)
    idf = {word: case.setting.idf(word) for word in open_words}
    passage = {word for c in chunks for word in _words_of(case, c)}
    above = [_words_of(case, c) for c in case.context if c not in case.evidence]
    shares = [_share(idf, words) for words in above]
    missing = sorted((word for word in idf if word not in passage), key=lambda word: -idf[word])
    only_here = passage.difference(*above)
    alone = tuple(word for word in dict.fromkeys(words(case.query.text)) if word in only_here)
    return Gap(_share(idf, passage), sum(shares) / len(shares) if shares else 0.0, tuple(missing), alone, tuple(left_out))


def _open_words(case: Case) -> tuple[list[str], list[str]]:
    """The telling words and numbers of a query that no passage in its context accounts for (all, if none is left); the rest."""
    holders = (case.holder(group) for group in case.groups if group.covered)
    covered = {word for holder in holders if holder for word in _words_of(case, holder[0])}
    text = case.query.text
    own = list(dict.fromkeys(telling(text, case.setting.language, numbers=True) or words(text)))
    open_words = [word for word in own if word not in covered]
    return (open_words, [word for word in own if word in covered]) if open_words else (own, [])


def _share(idf: Mapping[str, float], held: Collection[str]) -> float:
    """Of the weight of all words of `idf`, that of those in `held`."""
    total = sum(idf.values())
    return sum(weight for word, weight in idf.items() if word in held) / total if total else 0.0


def _words_of(case: Case, chunk: int) -> frozenset[str]:
    return case.setting.words_in(chunk)


def as_rare(case: Case, words_there: Sequence[str], like: Sequence[str]) -> list[str]:
    """For each word of `like`, one of `words_there` (none twice) of the nearest idf; fewer if there are fewer."""
    idf, picked = case.setting.idf, list[str]()
    free = sorted(words_there)
    for word in like[: len(free)]:
        picked.append(min(free, key=lambda w: (abs(idf(w) - idf(word)), w)))
        free.remove(picked[-1])
    return picked


def askable(case: Case, spans: Sequence[Span]) -> list[str]:
    """Words of the passages at `spans` that somebody who asks could have used; first those nearest to the query, of these what
    their documents speak of most.

    No name, nothing of a short answer; and the documents use it elsewhere together with words of the query. Where none is used
    so, or most words of the query stand in no other text, it is enough that the documents use it elsewhere.
    """
    near = _nearness(case, [w for span in spans for w in _sayable(case, span)])
    told = spoken_most(case, spans, [w for w, n in near.items() if n])
    return sorted(told, key=lambda w: -near[w])


def spoken_most(case: Case, spans: Sequence[Span], some: Iterable[str]) -> list[str]:
    """Words, first those that the documents of `spans` speak of most: by how often they have them, and how rare they are."""
    setting = case.setting
    spoken = [setting.spoken(document) for document in {span.document for span in spans}]
    return sorted(some, key=lambda w: (-sum(counts[w] for counts in spoken) * setting.idf(w), w))


def _nearness(case: Case, free: Sequence[str]) -> dict[str, int]:
    """With how many words of the query the documents use each of `free` elsewhere; where that tells nothing, 1 for those that
    they use elsewhere.
    """
    setting = case.setting
    elsewhere = {w: set(setting.chunks_with(w)) - case.evidence for w in dict.fromkeys(free)}
    asked = [set(setting.chunks_with(w)) - case.evidence for w in dict.fromkeys(telling(case.query.text, setting.language))]
    known, total = [chunks for chunks in asked if len(chunks) >= TOGETHER], max(len(setting.chunking), 1)
    near = {w: _together(own, known, total) for w, own in elsewhere.items()}
    told = 2 * len(known) >= len(asked) and any(near.values())
    return near if told else {w: int(len(own) > TOGETHER) for w, own in elsewhere.items()}


def _sayable(case: Case, span: Span) -> list[str]:
    """The words of a passage that the query lacks, without names and what many chunks have."""
    setting, least = case.setting, math.log(1 + 1 / COMMON)
    telling_words = (w for w in unasked(case, span) if setting.idf(w) >= least)
    return [w for w in telling_words if not _is_name(w, setting.text(span), setting.language)]


def _together(own: set[int], of_query: Sequence[set[int]], total: int) -> int:
    """With how many words of the query, whose chunks are `of_query`, a word stands more often than by chance."""
    least = LIFT * len(own) / total
    return sum(len(own & other) >= max(TOGETHER, least * len(other)) for other in of_query)


def _is_name(word: str, text: str, language: str) -> bool:
    """Whether a text writes a word with a capital wherever it stands; in German that says nothing."""
    written = [text[start] for start, _, spelling in spelled(text) if spelling == word]
    return language != "german" and bool(written) and all(letter.isupper() for letter in written)


def unasked(case: Case, span: Span) -> list[str]:
    """The telling words of a passage that the query lacks, each once; of short answers none, which nobody who asks knows."""
    answers = [answer for answer in map(words, case.query.answers) if len(answer) <= SHORT]
    known = {*words(case.query.text), *(word for answer in answers for word in answer)}
    return [w for w in dict.fromkeys(telling(case.setting.text(span), case.setting.language)) if w not in known]


def added(text: str, new: Sequence[str]) -> str:
    """`text`, then the words `new`."""
    return " ".join([text, *new])


def said(text: str, old: Sequence[str], new: Sequence[str]) -> str:
    """`text` with each of the words `old` said as the word of `new` in its place."""
    other, parts, last = dict(zip(old, new, strict=True)), list[str](), 0
    for start, end, word in spelled(text):
        parts += [text[last:start], other.get(word, text[start:end])]
        last = end
    return "".join([*parts, text[last:]])


def without(text: str, dropped: Collection[str]) -> str:
    """`text` less the words `dropped`."""
    parts, last = list[str](), 0
    for start, end, word in spelled(text):
        parts += [text[last:start], "" if word in dropped else text[start:end]]
        last = end
    left = " ".join("".join([*parts, text[last:]]).split())
    return re.sub(r" (?=[,;:.?!])", "", left).lstrip(" ,;:.?!")


def beside(case: Case, chunk: int, n: int) -> list[int]:
    """`n` chunks without evidence that rank nearest to `chunk`, outside the context; of those not ranked, evenly spread ones."""
    at = case.rank_of.get(chunk)
    if at is not None:
        outside = [c for c in case.ranking[case.length :].tolist() if c not in case.evidence]
        return sorted(outside, key=lambda c: (abs(case.rank_of[c] - at), c))[:n]
    total = len(case.setting.chunking)
    spread = (total * (2 * i + 1) // (4 * n) for i in range(2 * n))
    return [c for c in dict.fromkeys(spread) if c not in case.evidence and c not in case.rank_of][:n]


def telling(text: str, language: str = "english", numbers: bool = False) -> list[str]:
    """The words that say what a text is about: no function words of its language, none of one letter, no numbers unless asked."""
    empty = function_words(language)
    return [w for w in words(text) if (numbers if w.isdigit() else len(w) > 1 and w not in empty)]
