"""What is to be said of labels beside a run: wider than their answers, or in doubt where what no label names may answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

from ragdiag.core.protocols import Judge
from ragdiag.core.records import Defect, IntArray, QueryResult, Run, Span
from ragdiag.core.registry import make
from ragdiag.diagnosis.modes import modes
from ragdiag.scoring.doubts import REPEATS, Doubt, doubts
from ragdiag.scoring.scoring import Scorer
from ragdiag.text.phrases import one_line
from ragdiag.text.tokens import count_tokens

__all__ = ["LabelsSaid", "labels_said", "with_labels"]

EXCERPT = 80
"""Characters shown of a part that answers."""

JUDGE = "matcher(style=free)"
"""Who says whether a passage says what a reference answer says: needs no model."""


TOO_LARGE = "what its label marks does not fit into the context: mark only what answers"
"""Of 18 such queries read on a public set, the context answered ten, and in none was more context the thing to do."""

OTHERWISE = ("versions", "conflicts")
"""What findings call the chunks that are old versions of the evidence, or that say something else in its words."""


class LabelsSaid(NamedTuple):
    """Of failing queries, by position: why a label is wide, or in doubt (by the chunks that cast the doubt, best ranked first),
    or in doubt since a chunk says it word for word; and a warning for each chunk that may answer.
    """

    wide: Mapping[int, str]
    doubtful: Mapping[int, Mapping[str, str]]
    repeated: Mapping[int, str]
    warnings: tuple[Defect, ...]


def labels_said(scorer: Scorer, run: Run, lengths: IntArray, only: Collection[int] | None = None) -> LabelsSaid:
    """What is to be said of labels, beside a run; of queries in `only`, where that is given, what needs a close look."""
    enough, answered = scorer.sufficient(run, lengths), scorer.answered(run, lengths)
    failing = {q for q in scorer.labels.at("span").tolist() if not enough[q] and (only is None or q in only)}
    wide = {q: _wide(scorer, q) for q in sorted(failing) if answered[q]}
    judge: Judge = make("judges", JUDGE)
    doubted = list(doubts(scorer, run, lengths, failing - wide.keys(), judge))
    doubtful: dict[int, dict[str, str]] = {}
    for doubt in doubted:
        doubtful.setdefault(doubt.query, {})[_name(scorer, doubt)] = _doubtful(scorer, doubt)
    repeated = {d.query: _doubtful(scorer, d) for d in doubted if d.why == REPEATS}
    return LabelsSaid(wide, doubtful, repeated, tuple(_warning(scorer, d) for d in doubted if not d.labelled))


def with_labels(results: Sequence[QueryResult], said: LabelsSaid) -> tuple[QueryResult, ...]:
    """`results` with what is said of their labels.

    A query whose label is wide is no failure and has no cause. One that a superseded version or a copy of its evidence keeps
    unserved is explained by that: it says nearly what the label says, and casts no doubt on it. Neither does a chunk that is
    known for an old version of the evidence, or for one with other values, whatever the cause is. One that says the evidence
    word for word does all the same.
    """
    copies = {name for name, mode in modes().items() if mode.of_copies and not mode.by_degrees}
    return tuple(_with_label(result, q, said, copies) for q, result in enumerate(results))


def _with_label(result: QueryResult, q: int, said: LabelsSaid, copies: Set[str]) -> QueryResult:
    if q in said.wide:
        return replace(result, status="label_wide", causes=(), label="wide", label_says=said.wide[q])
    if result.status == "ok":
        return result
    if q in said.repeated:
        return replace(result, label="doubtful", label_says=said.repeated[q])
    if result.status == "unattainable":
        return replace(result, label="doubtful", label_says=TOO_LARGE)
    if q in said.doubtful and copies.isdisjoint(result.causes):
        versions = {row["chunk"] for f in result.findings for key in OTHERWISE for row in f.detail.get(key, ())}
        for chunk, why in said.doubtful[q].items():
            if chunk not in versions:
                return replace(result, label="doubtful", label_says=why)
    return result


def _wide(scorer: Scorer, q: int) -> str:
    parts = [part for of_group in scorer.answering.by_query[q].values() for part in of_group[:1]]
    texts = [_text(scorer, part) for part in parts]
    rows = slice(*scorer.labels.evidence.query.searchsorted([q, q + 1]))
    evidence = scorer.labels.evidence
    columns = (c[rows][~evidence.copy[rows]].tolist() for c in (evidence.document, evidence.start, evidence.end))
    of_labels = sum(count_tokens(_text(scorer, Span(*place))) for place in zip(*columns, strict=True))
    share = f"{sum(map(count_tokens, texts))} of the {of_labels} labelled tokens"
    return f"what its context lacks is no part of the answer: {share} answer, and are there ({one_line(texts[0], EXCERPT)!r})"


def _text(scorer: Scorer, span: Span) -> str:
    return scorer.corpus.documents[span.document].text[span.start : span.end]


def _doubtful(scorer: Scorer, doubt: Doubt) -> str:
    named = "with a part of the evidence" if doubt.labelled else "and named by no label"
    return f"{_name(scorer, doubt)}, at rank {doubt.rank} {named}, {doubt.why}"


def _warning(scorer: Scorer, doubt: Doubt) -> Defect:
    query = scorer.labels.queries[doubt.query]
    message = f"{_name(scorer, doubt)}, which no label names, {doubt.why}"
    return Defect("unlabelled_hit", query.id, query.file, query.line, message)


def _name(scorer: Scorer, doubt: Doubt) -> str:
    document, start, end = (int(c[doubt.chunk]) for c in (scorer.chunking.document, scorer.chunking.start, scorer.chunking.end))
    return f"{scorer.corpus.documents[document].id}#{start}-{end}"
