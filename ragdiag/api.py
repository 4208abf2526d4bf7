"""The library as notebooks and scripts call it: the commands' work, on whatever holds the data, with results that answer
questions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragdiag.inputs import Spool, spool, unspooled
from ragdiag.options import Judging, Options
from ragdiag.prompt import check_conditions
from ragdiag.protocols import Progress, no_progress
from ragdiag.results import AuditResult, CompareResult, DecideResult, LitmusResult, made
from ragdiag.verdict import DELTA

if TYPE_CHECKING:
    from ragdiag.costs import Rates

__all__ = ["audit", "compare", "decide", "litmus"]

Given = Any
"""A path; a list of records (dicts); a data frame; of a corpus also a dict of texts by id."""

Answers = Any
"""A file, ``[CONDITION=]FILE``, or a list of them; a list of records, a data frame; or any of these by condition, in a dict."""


def audit(
    corpus: Given,
    queries: Given,
    *,
    retriever: str | Callable[[str, int], Any] | Any = "",
    answers: Answers = (),
    judging: Judging | None = None,
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: Any,
) -> AuditResult:
    """Measure how well retrieval serves labelled queries, and why it fails the rest.

    `corpus` and `queries` are paths or what Python has in hand: records in the form of a line of their files, a data frame, texts
    by id. `retriever` is a spec, or the team's own: a function ``search(query, k)``, a LangChain or LlamaIndex retriever.
    `options` are the other fields of `Options`; `chunks` may be a list. `answers`, judged as `judging` says, tell whether
    retrieval is the problem. Raises `RagdiagError` subclasses for bad input and bad usage; labels that are wrong about the corpus
    are reported, not raised.
    """
    from ragdiag.answering import answered
    from ragdiag.pipeline import run_audit

    if retriever and not isinstance(retriever, str):
        options["search"] = retriever
    elif retriever:
        options["retriever"] = retriever
    with spool() as spooled:
        asked, files = Options.given(**options), _answer_files(answers, spooled)
        done = run_audit(spooled.path(corpus, "corpus"), spooled.path(queries, "queries"), asked, progress)
        done = done._replace(report=unspooled(done.report))
        found = answered(done.labels.queries, files, done, asked, judging or Judging(), delta, progress) if files else None
    return made(AuditResult, done.report, audit=done, litmus=found)


def compare(
    corpus: Given, queries: Given, *, retrievers: Sequence[Any] = (), progress: Progress = no_progress, **asked: Any
) -> CompareResult:
    """Compare chunkers, contexts and retrievers on your labels: what each serves and breaks, how sure that is, what it costs.

    `corpus` and `queries` are as those of `audit`. `chunkers`, `contexts` and `retrievers` are lists, every combination of which
    is measured; of `retrievers` any may be the team's own search, as `audit` takes it. `chunks` and `runs` are files: own chunks,
    own recorded rankings. `baseline` names what the others are held against (the first), `measure` what is contrasted;
    ``pairs=True`` contrasts all with one another, ``causes=False`` names no causes, `tune` adds other weights of each fusion,
    `jobs` are joblib's. Besides, the fields of `Options`: without `k` or `budget` every context has the tokens of the baseline's
    first 5 chunks. With one combination alone it is compared with what its causes point to. Raises as `audit`.
    """
    from ragdiag.comparison import compare as run

    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        notes: list[str] = []
        own = [r for r in retrievers if not isinstance(r, str)]
        runs = [_recorded(search, where, path, asked, spooled, notes, progress) for search in own]
        asked |= {"retrievers": [r for r in retrievers if isinstance(r, str)], "runs": [*asked.get("runs", ()), *runs]}
        found = run(where, path, progress=progress, **asked)
    return made(CompareResult, dataclasses.replace(found, notes=(*found.notes, *notes)))


def _recorded(
    search: Any, corpus: Any, queries: Any, asked: Mapping[str, Any], spooled: Spool, notes: list[str], progress: Progress
) -> Path:
    """What the team's own search finds, as a recorded run."""
    from ragdiag.pipeline import load
    from ragdiag.runs import run_lines
    from ragdiag.searches import DEPTH, name_of, searched

    options = Options(qrels=asked.get("qrels"))
    whole, _, labels = load(corpus, queries, options, [], progress)
    rankings = searched(search, labels.queries, whole, DEPTH, notes, progress)
    return spooled.file(name_of(search).removeprefix("search "), run_lines(rankings))


def litmus(
    queries: Given,
    answers: Answers,
    *,
    corpus: Given = None,
    judge: str = "matcher",
    support: str = "grounded",
    format_rules: str | Path | None = None,
    failed: Any = "failed",
    blind: bool = False,
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: Any,
) -> LitmusResult:
    """Is it a retrieval problem or a behavior problem?

    An answer without a label is judged by `judge` (with `blind` any answer), and whether its recorded contexts hold what it
    states by `support`; one that breaks `format_rules` is wrong. With a `corpus` the pipeline that `options` describe is audited,
    and says what a context held where no recorded one does. `failed` says what an attempt without an answer counts as. Raises as
    `audit`, and `InputError` for answers to other queries.
    """
    from ragdiag.answering import run_litmus

    judging = Judging(judge, support, format_rules, failed, blind)
    with spool() as spooled:
        path = spooled.path(queries, "queries")
        where = None if corpus is None else spooled.path(corpus, "corpus")
        found = run_litmus(path, _answer_files(answers, spooled), Options.given(**options), where, judging, delta, progress)
    return made(LitmusResult, found)


def decide(
    answers: Mapping[str, Any] | None = None, verdict: Mapping[str, Any] | None = None, rates: Rates | None = None
) -> DecideResult:
    """Prompt, RAG, fine-tuning or both: see `decision.decide`, whose arguments these are."""
    from ragdiag.decision import decide as run

    return made(DecideResult, run(answers, verdict, rates))


def _answer_files(answers: Answers, spooled: Spool) -> list[str]:
    """Each as ``[CONDITION=]FILE``."""
    if isinstance(answers, (str, Path)):
        return [str(answers)]
    if isinstance(answers, Mapping):
        check_conditions(answers)
        return [f"{condition}={spooled.path(given, f'{condition} answers')}" for condition, given in answers.items()]
    if isinstance(answers, Sequence) and all(isinstance(a, (str, Path)) for a in answers):
        return [str(a) for a in answers]
    return [str(spooled.path(answers, "answers"))]
