"""The library as notebooks and scripts call it: the commands' work, on whatever holds the data, with results that answer
questions."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ragdiag.answering.verdict import DELTA
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Judging, Options, check_kind, check_names, several
from ragdiag.core.prompt import check_conditions
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.diagnosis.health.checks import SAMPLE
from ragdiag.inputs import Given, Spool, records, spool, unspooled
from ragdiag.reports.shown import made
from ragdiag.results import AuditResult, CheckResult, DecideResult, LitmusResult, PromptsResult

if TYPE_CHECKING:
    pass

__all__ = ["audit", "check", "decide", "litmus", "prompts"]

Answers = object
"""A file, ``[CONDITION=]FILE``, or a list of them; a list of records, a data frame; or any of these by condition, in a dict."""


def audit(
    corpus: Given,
    queries: Given,
    *,
    retriever: object = "",
    answers: Answers = (),
    judge: str = "matcher",
    support: str = "grounded",
    format_rules: str | Path | None = None,
    failed: Literal["failed", "wrong"] = "failed",
    blind: bool = False,
    answer_labels: Sequence[str | Path] = (),
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: object,
) -> AuditResult:
    """Measure how well retrieval serves labelled queries, and why it fails the rest.

    `corpus` and `queries` are paths or what Python has in hand: records in the form of a line of their files, a data frame, texts
    by id. `retriever` is a spec, or the team's own: a function ``search(query, k)``, or an object of LangChain, LlamaIndex or
    Haystack, asked as it is (`search.frameworks`). `options` are the other fields of `Options`; `chunks` and `run` may be records
    or a data frame too. `answers`, judged as `litmus` says, tell whether retrieval is the problem. Raises `RagdiagError`
    subclasses for bad input and bad usage; labels that are wrong about the corpus are reported, not raised.
    """
    from ragdiag.answering.litmus import answered
    from ragdiag.pipeline import run_audit

    if not isinstance(retriever, str):
        options["search"] = retriever
    elif retriever:
        options["retriever"] = retriever
    _check_delta(delta)
    judging = Judging(
        judge, support, format_rules, failed, blind, tuple(map(str, several("answer_labels", answer_labels, str, Path)))
    )
    with spool() as spooled:
        checked, files = _options(audit, options, spooled), _answer_files(answers, spooled)
        finished = run_audit(spooled.path(corpus, "corpus"), spooled.path(queries, "queries"), checked, progress)
        finished = finished._replace(report=unspooled(finished.report))
        verdict = answered(finished.labels.queries, files, finished, checked, judging, delta, progress) if files else None
    return made(AuditResult, finished.report, audit=finished, litmus=verdict)


def check(
    corpus: Given,
    queries: Given = None,
    *,
    retriever: str = "",
    sample: int = SAMPLE,
    cache: str | Path | None = "",
    qrels: str | Path | None = None,
    copies: Literal["count", "ignore"] = "count",
    only: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    progress: Progress = no_progress,
    **unknown: object,
) -> CheckResult:
    """Find documents that cannot be read, labels that are wrong about the corpus, and what is wrong with an index; nothing is
    indexed.

    `corpus` and `queries` are as those of `audit`. `retriever` is the spec of a stored index (chroma, pgvector, qdrant, lancedb,
    faiss), which is held against the corpus, with or without queries; `sample` of its records are embedded anew, all where it
    is 0. `cache`, `qrels`, `copies`, `only`, `keep` and `exclude` are fields of `Options`. Raises as `audit`.
    """
    from ragdiag.pipeline import check as run

    check_names(unknown, (), inspect.signature(check).parameters)
    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), None if queries is None else spooled.path(queries, "queries")
        options = {"qrels": qrels, "copies": copies, "only": only, "keep": keep, "exclude": exclude, "cache": cache}
        checked = unspooled(run(where, path, progress, retriever=retriever, sample=sample, **options))
    return made(CheckResult, checked)


def litmus(
    queries: Given,
    answers: Answers,
    *,
    corpus: Given = None,
    judge: str = "matcher",
    support: str = "grounded",
    format_rules: str | Path | None = None,
    failed: Literal["failed", "wrong"] = "failed",
    blind: bool = False,
    answer_labels: Sequence[str | Path] = (),
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: object,
) -> LitmusResult:
    """Is it a retrieval problem or a behavior problem?

    An answer without a label is judged by `judge` (with `blind` any answer), and whether its recorded contexts hold what it
    states by `support`; one that breaks `format_rules` is wrong. `answer_labels` are files of what people say of answers. With a
    `corpus` the pipeline that `options` describe is audited, and says what a context held where no recorded one does. `failed`
    says what an attempt without an answer counts as. Raises as `audit`, and `InputError` for answers to other queries.
    """
    from ragdiag.answering.litmus import run_litmus

    judging = Judging(
        judge, support, format_rules, failed, blind, tuple(map(str, several("answer_labels", answer_labels, str, Path)))
    )
    _check_delta(delta)
    with spool() as spooled:
        path = spooled.path(queries, "queries")
        where = None if corpus is None else spooled.path(corpus, "corpus")
        checked = _options(litmus, options, spooled)
        verdict = unspooled(run_litmus(path, _answer_files(answers, spooled), checked, where, judging, delta, progress))
    return made(LitmusResult, verdict)


def prompts(
    corpus: Given,
    queries: Given,
    conditions: str | Sequence[str] = (RETRIEVED, ORACLE),
    *,
    template: str = "",
    progress: Progress = no_progress,
    **options: object,
) -> PromptsResult:
    """What a model would be asked: with the pipeline's context, exactly the evidence, or nothing.

    `corpus` and `queries` are as those of `audit`. `template` is text with ``{contexts}`` and ``{question}`` in it; `options` are
    the fields of `Options`. Raises as `audit`.
    """
    from ragdiag.answering.live.prompting import run_prompts

    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        checked = _options(prompts, options, spooled)
        conditions = several("conditions", conditions, str)
        prompts_made = run_prompts(where, path, conditions, template, checked, progress)
    return made(PromptsResult, prompts_made)


def decide(
    answers: Mapping[str, object] | None = None, verdict: Mapping[str, object] | LitmusResult | None = None, **given: Any
) -> DecideResult:
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
    by_question = {**(answers or {}), **{name: value for name, value in given.items() if name not in rates}}
    check_names(by_question, QUESTIONS, rates)
    measured = verdict.as_dict() if isinstance(verdict, LitmusResult) else verdict
    return made(DecideResult, run(by_question, measured, Rates(**{name: given[name] for name in rates & given.keys()})))


def _options(caller: Callable[..., object], given: Mapping[str, object], spooled: Spool) -> Options:
    """What `caller` was given, as `Options`: a recorded run may be in hand, so may chunks be, in a data frame too."""
    options = dict(given)
    if options.get("run") is not None:
        options["run"] = spooled.path(options["run"], "run")
    if not isinstance(options.get("chunks"), (str, Path, type(None))):
        options["chunks"] = records(options["chunks"], "chunks")
    return Options.given(caller, **options)


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
        return [f"{condition}={spooled.path(files, f'{condition} answers')}" for condition, files in answers.items()]
    if isinstance(answers, Sequence) and all(isinstance(a, (str, Path)) for a in answers):
        return [str(a) for a in answers]
    return [str(spooled.path(answers, "answers"))]
