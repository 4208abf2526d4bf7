"""The library as notebooks and scripts call it: the commands' work, on whatever holds the data, with results that answer
questions."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ragdiag.answering.verdict import DELTA
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Judging, Options, check_kind, check_names, several
from ragdiag.core.prompt import check_conditions
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.inputs import Spool, records, spool, unspooled
from ragdiag.reports.shown import made
from ragdiag.results import AuditResult, CheckResult, CompareResult, DecideResult, LitmusResult, PromptsResult

__all__ = ["audit", "check", "compare", "decide", "litmus", "prompts"]

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
    judge: str = "matcher",
    support: str = "grounded",
    format_rules: str | Path | None = None,
    failed: Any = "failed",
    blind: bool = False,
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: Any,
) -> AuditResult:
    """Measure how well retrieval serves labelled queries, and why it fails the rest.

    `corpus` and `queries` are paths or what Python has in hand: records in the form of a line of their files, a data frame, texts
    by id. `retriever` is a spec, or the team's own: a function ``search(query, k)``, a LangChain or LlamaIndex retriever.
    `options` are the other fields of `Options`; `chunks` and `run` may be records or a data frame too. `answers`, judged as
    `litmus` says, tell whether retrieval is the problem. Raises `RagdiagError` subclasses for bad input and bad usage; labels
    that are wrong about the corpus are reported, not raised.
    """
    from ragdiag.answering.litmus import answered
    from ragdiag.pipeline import run_audit

    if not isinstance(retriever, str):
        options["search"] = retriever
    elif retriever:
        options["retriever"] = retriever
    _check_delta(delta)
    judging = Judging(judge, support, format_rules, failed, blind)
    with spool() as spooled:
        asked, files = _asked(audit, options, spooled), _answer_files(answers, spooled)
        done = run_audit(spooled.path(corpus, "corpus"), spooled.path(queries, "queries"), asked, progress)
        done = done._replace(report=unspooled(done.report))
        found = answered(done.labels.queries, files, done, asked, judging, delta, progress) if files else None
    return made(AuditResult, done.report, audit=done, litmus=found)


def check(
    corpus: Given,
    queries: Given,
    *,
    qrels: str | Path | None = None,
    copies: Any = "count",
    only: str | Sequence[str] = (),
    progress: Progress = no_progress,
    **unknown: Any,
) -> CheckResult:
    """Find documents that cannot be read and labels that are wrong about the corpus; nothing is indexed.

    `corpus` and `queries` are as those of `audit`; `qrels`, `copies` and `only` are fields of `Options`. Raises as `audit`.
    """
    from ragdiag.pipeline import check as run

    check_names(unknown, (), inspect.signature(check).parameters)
    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        found = unspooled(run(where, path, progress, qrels=qrels, copies=copies, only=only))
    return made(CheckResult, found)


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
    from ragdiag.comparing.comparison import compare as run

    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        notes: list[str] = []
        every = several("retrievers", retrievers)
        searches = [r for r in every if not isinstance(r, str)]
        runs = [_recorded(search, where, path, asked, spooled, notes, progress) for search in searches]
        asked |= {"retrievers": [r for r in every if isinstance(r, str)], "runs": [*several("runs", asked.get("runs")), *runs]}
        found = unspooled(run(where, path, progress=progress, **asked))
    return made(CompareResult, dataclasses.replace(found, notes=(*found.notes, *notes)))


def _recorded(
    search: Any, corpus: Any, queries: Any, asked: Mapping[str, Any], spooled: Spool, notes: list[str], progress: Progress
) -> Path:
    """What the team's own search finds, as a recorded run."""
    from ragdiag.pipeline import load_measurable
    from ragdiag.search.runs import run_lines
    from ragdiag.search.searches import DEPTH, name_of, searched

    options = Options(qrels=asked.get("qrels"))
    whole, _, labels = load_measurable(corpus, queries, options, [], progress)
    context = 0 if asked.get("budget") else asked.get("k", 0)
    rankings = searched(search, labels.queries, whole, DEPTH, notes, progress, context)
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
    from ragdiag.answering.litmus import run_litmus

    judging = Judging(judge, support, format_rules, failed, blind)
    _check_delta(delta)
    with spool() as spooled:
        path = spooled.path(queries, "queries")
        where = None if corpus is None else spooled.path(corpus, "corpus")
        asked = _asked(litmus, options, spooled)
        found = unspooled(run_litmus(path, _answer_files(answers, spooled), asked, where, judging, delta, progress))
    return made(LitmusResult, found)


def prompts(
    corpus: Given,
    queries: Given,
    conditions: str | Sequence[str] = (RETRIEVED, ORACLE),
    *,
    template: str = "",
    progress: Progress = no_progress,
    **options: Any,
) -> PromptsResult:
    """What a model would be asked: with the pipeline's context, exactly the evidence, or nothing.

    `corpus` and `queries` are as those of `audit`. `template` is text with ``{contexts}`` and ``{question}`` in it; `options` are
    the fields of `Options`. Raises as `audit`.
    """
    from ragdiag.answering.live.prompting import run_prompts

    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        asked = _asked(prompts, options, spooled)
        found = run_prompts(where, path, several("conditions", conditions, str), template, asked, progress)
    return made(PromptsResult, found)


def decide(answers: Mapping[str, Any] | None = None, verdict: Any = None, **given: Any) -> DecideResult:
    """Prompt, RAG, fine-tuning or both.

    `answers` by question and rates by name may be `given` as the command's options are: ``decide(problem="knowledge",
    changes="weekly", price=2.0)``. `verdict` is what `litmus` found, or the object of its JSON. Raises `UsageError` for an
    unknown question or rate, an answer that its question does not take, and where both answer the first question.
    """
    from ragdiag.deciding.costs import Rates
    from ragdiag.deciding.decision import decide as run
    from ragdiag.deciding.framework import QUESTIONS

    if not isinstance(answers, (Mapping, type(None))):
        raise UsageError(f"answers must be a dict by question, not a {type(answers).__name__}")
    rates = {f.name for f in dataclasses.fields(Rates)}
    said = {**(answers or {}), **{name: value for name, value in given.items() if name not in rates}}
    check_names(said, QUESTIONS, rates)
    measured = verdict.as_dict() if isinstance(verdict, LitmusResult) else verdict
    return made(DecideResult, run(said, measured, Rates(**{name: given[name] for name in rates & given.keys()})))


def _asked(caller: Callable[..., Any], options: Mapping[str, Any], spooled: Spool) -> Options:
    """`options` as Python gives them to `caller`: a recorded run may be in hand, so may chunks be, in a data frame too."""
    given = dict(options)
    if given.get("run") is not None:
        given["run"] = spooled.path(given["run"], "run")
    if not isinstance(given.get("chunks"), (str, Path, type(None))):
        given["chunks"] = records(given["chunks"], "chunks")
    return Options.given(caller, **given)


def _check_delta(delta: float) -> None:
    check_kind("delta", delta, float, int)
    if not 0 <= delta <= 1:
        raise UsageError(f"delta must be from 0 to 1, not {delta}")


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
