"""What the prompts of each condition hold: the pipeline's context, exactly the evidence, or these with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.conditions import CLOSED_BOOK, FIRST, LAST, LONGER, ORACLE, PLACED, RETRIEVED, TRIMMED
from ragdiag.core.records import Corpus, IntArray, Labels, Query, Run
from ragdiag.scoring.answering import answers_alone
from ragdiag.scoring.scoring import Scorer
from ragdiag.text.normal import folded

__all__ = ["FROM_RUN", "Context", "Ranked", "contexts_of"]

FROM_RUN = (RETRIEVED, TRIMMED, *PLACED)
"""Conditions whose contexts are made of what the pipeline retrieved."""


class Context(NamedTuple):
    """What a query's prompt holds, and whether that is all evidence (None: not known)."""

    passages: tuple[str, ...] = ()
    sufficient: bool | None = None


class Ranked(NamedTuple):
    """What the pipeline retrieved: a run, and how many of each query's ranked chunks reach its prompt, ``(n_queries,)``."""

    scorer: Scorer
    run: Run
    lengths: IntArray


Contexts = Sequence[Context | str]
"""A context for each query; in place of one that has none stands the reason."""


def contexts_of(condition: str, corpus: Corpus, labels: Labels, ranked: Ranked | None) -> Contexts:
    """The contexts of all queries under one condition; `ranked` is needed for those of `FROM_RUN`."""
    if condition == CLOSED_BOOK:
        return [Context()] * len(labels.queries)
    if condition == ORACLE or ranked is None:
        return _oracle(corpus, labels)
    if condition == RETRIEVED:
        return _retrieved(*ranked)
    return _trimmed(*ranked) if condition == TRIMMED else _placed(condition, _oracle(corpus, labels), *ranked)


def _retrieved(scorer: Scorer, run: Run, lengths: IntArray) -> list[Context]:
    """The chunks of each query's context, or its passages, in the order of their ranks."""
    enough = scorer.sufficient(run, lengths)
    return [
        Context(
            tuple(scorer.texts.handed_over(run, q, int(lengths[q]))),
            bool(enough[q]) if level in ("span", "document") else None,
        )
        for q, level in enumerate(scorer.labels.level)
    ]


def _oracle(corpus: Corpus, labels: Labels) -> Contexts:
    """Exactly the evidence: of each group its first labelled passage, in the order of the documents; or whole documents."""
    evidence = labels.evidence
    chosen: dict[int, dict[int, tuple[int, int, int]]] = {}
    for row in np.flatnonzero(~evidence.copy).tolist():
        place = int(evidence.document[row]), int(evidence.start[row]), int(evidence.end[row])
        chosen.setdefault(int(evidence.query[row]), {}).setdefault(int(evidence.group[row]), place)
    contexts: list[Context | str] = []
    for q, level in enumerate(labels.level):
        if level == "span":
            places = sorted(set(chosen[q].values()))
            contexts.append(Context(tuple(corpus.documents[d].text[start:end] for d, start, end in places), True))
        elif level == "document":
            relevant = sorted(d for d, grade in labels.relevant[q].items() if grade > 0)
            contexts.append(Context(tuple(corpus.documents[d].text for d in relevant), True))
        else:
            contexts.append("unanswerable" if level == "unanswerable" else "label defect")
    return contexts


def _trimmed(scorer: Scorer, run: Run, lengths: IntArray) -> Contexts:
    """Of each context that holds all evidence the chunks that hold some of it: the same without what is off-topic."""
    enough, relevant = scorer.sufficient(run, lengths), scorer.relevant()
    contexts: list[Context | str] = []
    for q, level in enumerate(scorer.labels.level):
        own = run.chunks[q, : int(lengths[q])]
        kept = [chunk for chunk in own.tolist() if (q, chunk) in relevant]
        if level != "span":
            contexts.append("no passage is labelled")
        elif not enough[q]:
            contexts.append("its context lacks evidence")
        elif len(kept) == len(own):
            contexts.append("its context has no off-topic chunk")
        else:
            contexts.append(Context(tuple(map(scorer.text, kept)), True))
    return contexts


def _placed(condition: str, oracle: Contexts, scorer: Scorer, run: Run, lengths: IntArray) -> Contexts:
    """Exactly the evidence among off-topic chunks, in the order of their ranks.

    There are as many as the pipeline's context has room for beside it, one at least; of `LONGER` contexts so many more as that
    context is long.
    """
    relevant = scorer.relevant()
    contexts: list[Context | str] = []
    for q, (evidence, level) in enumerate(zip(oracle, scorer.labels.level, strict=True)):
        if isinstance(evidence, str) or level != "span":
            contexts.append(evidence if isinstance(evidence, str) else "no passage is labelled")
            continue
        room = max(int(lengths[q]) - len(evidence.passages), 1)
        wanted = room + int(lengths[q]) * (condition == LONGER)
        others = [text for text, _ in zip(_off_topic(scorer, run, q, relevant), range(wanted), strict=False)]
        if len(others) < wanted:
            contexts.append("too few off-topic chunks were retrieved")
        else:
            before = {FIRST: 0, LAST: wanted}.get(condition, wanted // 2)
            contexts.append(Context((*others[:before], *evidence.passages, *others[before:]), True))
    return contexts


def _off_topic(scorer: Scorer, run: Run, q: int, relevant: set[tuple[int, int]]) -> Iterator[str]:
    """The ranked chunks of a query, as texts, that hold nothing of its evidence and no reference answer."""
    query = scorer.labels.queries[q]
    for chunk in run.chunks[q].tolist():
        if chunk >= 0 and (q, chunk) not in relevant:
            text = scorer.text(chunk)
            if not _may_answer(scorer, query, text):
                yield text


def _may_answer(scorer: Scorer, query: Query, text: str) -> bool:
    """Whether a reference answer stands in a text, or its words do beside those of the question: labels are incomplete."""
    known = folded(text)
    return any(folded(answer) in known for answer in query.answers) or answers_alone(query, text, scorer.answering.rarity.idf)
