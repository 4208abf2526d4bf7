"""From corpus and labels to prompts, and from prompts to answers: what the litmus test asks a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragdiag.answering.live.asking import Asked, Estimate, Questions
from ragdiag.answering.live.callables import Function, load_answerer
from ragdiag.answering.live.contexts import FROM_RUN, Ranked, contexts_of
from ragdiag.answering.live.endpoint import Endpoint
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options, check_kind
from ragdiag.core.prompt import MOST_TOKENS, Prompt, check_conditions, check_template, fill, template_for
from ragdiag.core.protocols import Model, Progress, no_progress
from ragdiag.core.records import Corpus, Labels, Run
from ragdiag.core.remote import names_endpoint
from ragdiag.pipeline import Audit, load, rank, run_audit
from ragdiag.search.retrieval import Plan
from ragdiag.sources.checked import left_out

__all__ = ["Live", "Prompts", "Session", "run_prompts", "session"]


@dataclass(frozen=True, eq=False)
class Prompts:
    """The prompts of all conditions, in the order of conditions, then queries.

    `left_out` counts by condition, then by reason, the queries that have none. `notes` are what else a reader should know.
    """

    prompts: tuple[Prompt, ...]
    left_out: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Live:
    """How a model is asked; the command line has one option for each field.

    `target` is the url of an endpoint or ``module:function``, `record` the file that keeps the answers. `model` is what the
    endpoint calls the model; for a function, a name for its version. What is None has a default that depends on the target.
    """

    target: str
    record: str | Path
    model: str = ""
    conditions: tuple[str, ...] = (RETRIEVED, ORACLE)
    template: str = ""
    repeats: int = 1
    concurrency: int | None = None
    timeout: float | None = None
    retries: int | None = None
    max_tokens: int | None = None

    @property
    def is_endpoint(self) -> bool:
        """Whether calls go to another process, which may cost something."""
        return names_endpoint(self.target)


def run_prompts(
    corpus_path: str | Path,
    queries_path: str | Path,
    conditions: tuple[str, ...],
    template: str,
    asked: Options,
    progress: Progress,
) -> Prompts:
    """What a model would be asked under `conditions`; `template` is a text with ``{contexts}`` and ``{question}`` in it. Nothing
    is indexed but for conditions made of what the pipeline retrieves, and nothing diagnosed. Raises as `pipeline.audit`.
    """
    conditions = _checked(conditions, template)
    plan, loaded = Plan(asked), load(corpus_path, queries_path, asked, progress)
    corpus, labels, notes = loaded.corpus, loaded.labels, list(loaded.notes)
    ranked: Ranked | None = None
    if set(conditions) & set(FROM_RUN):
        of_run = rank(plan, loaded, progress)
        ranked = Ranked(of_run.scorer, of_run.retrieved.run, of_run.lengths)
        notes += [*of_run.retrieved.notes, *_failed(ranked.run)]
    prompts = _prompts(corpus, labels, ranked, conditions, template, notes)
    if not prompts.prompts:
        raise InputError(
            "no query is left to ask", queries_path, remedy=f"mend the labels ({left_out(labels)}); see ragdiag check"
        )
    return prompts


def _checked(conditions: Sequence[str], template: str) -> tuple[str, ...]:
    """Each condition once. Raises `UsageError` for an unknown one, and for a template that does not fit them."""
    check_conditions(conditions)
    check_kind("template", template, str)
    conditions = tuple(dict.fromkeys(conditions))
    if template:
        check_template(template, conditions)
    return conditions


def _prompts(
    corpus: Corpus,
    labels: Labels,
    ranked: Ranked | None,
    conditions: tuple[str, ...],
    template: str,
    notes: Sequence[str],
) -> Prompts:
    """The prompts of all queries under each condition."""
    prompts: list[Prompt] = []
    left_out: dict[str, Counter[str]] = {condition: Counter() for condition in conditions}
    for condition in conditions:
        for query, context in zip(labels.queries, contexts_of(condition, corpus, labels, ranked), strict=True):
            if not query.text.strip():
                left_out[condition]["no text"] += 1
            elif isinstance(context, str):
                left_out[condition][context] += 1
            else:
                text = fill(template or template_for(condition), query.text, context.passages)
                prompts.append(Prompt(query.id, condition, query.text, context.passages, text, context.sufficient))
    return Prompts(tuple(prompts), left_out, tuple(notes))


def _failed(run: Run) -> list[str]:
    """That queries failed in a run, as a note."""
    return [f"{len(run.failed)} queries failed in the run: their prompts hold no passages"] if run.failed else []


@dataclass(frozen=True, eq=False)
class Session:
    """What is to be asked, made from `audit`, and what that will take; `ask` asks it."""

    audit: Audit
    prompts: Prompts
    live: Live
    estimate: Estimate
    _questions: Questions

    def ask(self, progress: Progress = no_progress) -> Asked:
        """The answers of the model. Raises as `Questions.ask`."""
        return self._questions.ask(self.live.concurrency or (4 if self.live.is_endpoint else 1), progress)


def session(corpus: str | Path, queries: str | Path, asked: Options, live: Live, progress: Progress = no_progress) -> Session:
    """Everything up to the first call: an audit, whose contexts are asked about, less what the record of `live` holds."""
    if live.repeats < 1 or (live.concurrency is not None and live.concurrency < 1):
        raise UsageError("repeats and concurrency must be 1 or more")
    model, max_tokens = _model(live)
    conditions = _checked(live.conditions, live.template)
    audit = run_audit(corpus, queries, asked, progress)
    ranked = Ranked(audit.scorer, audit.run, audit.lengths)
    notes = [*audit.report.notes, *_failed(audit.run)]
    prompts = _prompts(audit.corpus, audit.labels, ranked, conditions, live.template, notes)
    questions = Questions(prompts.prompts, live.repeats, model, Path(live.record), max_tokens)
    return Session(audit, prompts, live, questions.estimate(), questions)


def _model(live: Live) -> tuple[Model, int]:
    """What answers, and the most tokens of one answer (0 of a function, which is asked for no number of them)."""
    if live.is_endpoint:
        if not live.model:
            raise UsageError("an endpoint needs the name of a model; give --model")
        timeout, retries = (60.0 if live.timeout is None else live.timeout), (2 if live.retries is None else live.retries)
        max_tokens = live.max_tokens or MOST_TOKENS
        return Endpoint(live.target, live.model, max_tokens, timeout, retries), max_tokens
    for_endpoints = {
        "timeout": live.timeout,
        "retries": live.retries,
        "max-tokens": live.max_tokens,
        "template": live.template or None,
    }
    for name, value in for_endpoints.items():
        if value is not None:
            raise UsageError(f"--{name} is for endpoints; a function sees to that itself")
    return Function(load_answerer(live.target), live.model or live.target), 0
