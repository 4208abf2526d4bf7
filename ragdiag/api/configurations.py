"""The library's calls about configurations of a pipeline: which is better, what changed, what to deploy, and its code."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragdiag.comparing.changes import MIN_EFFECT
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Options, check_names, several
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.inputs import Given, Spool, spool, unspooled
from ragdiag.reports.shown import made
from ragdiag.results import CompareResult, DiffResult, TuneResult

if TYPE_CHECKING:
    from ragdiag.comparing.reported import Reported

__all__ = ["compare", "diff", "export", "tune"]


def compare(
    corpus: Given, queries: Given, *, retrievers: Sequence[object] = (), progress: Progress = no_progress, **options: Any
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
        runs = [_recorded(search, where, path, options, spooled, notes, progress) for search in searches]
        options["retrievers"] = [r for r in every if isinstance(r, str)]
        options["runs"] = [*several("runs", options.get("runs")), *runs]
        comparison = unspooled(run(where, path, progress=progress, **options))
    return made(CompareResult, dataclasses.replace(comparison, notes=(*comparison.notes, *notes)))


def diff(
    old: object,
    new: object,
    *,
    min_effect: float = MIN_EFFECT,
    corpus: Given = None,
    queries: Given = None,
    old_corpus: Given = None,
    qrels: str | Path | None = None,
    only: str | Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
    **unknown: object,
) -> DiffResult:
    """Two audits of the same queries: which were won and lost, whether that is more than chance, and under which causes.

    `old` and `new` are JSON reports, or what `audit` gave. `worse` is what is so by more than chance, and by more than
    `min_effect` in the share of queries served. With the `corpus` and `queries` of `new` each part of the pipeline that differs
    is put back alone: which brings lost queries back? `old_corpus` are the documents of `old`, where they differ. `qrels`, `only`
    and `cache` are fields of `Options`. Raises `InputError` for what is no report, `UsageError` where two reports cannot be
    compared.
    """
    from ragdiag.comparing.changes import compared
    from ragdiag.comparing.restoring import with_trials

    check_names(unknown, (), inspect.signature(diff).parameters)
    found = compared(_report(old, "old"), _report(new, "new"), min_effect)
    if (corpus is None) != (queries is None) or (old_corpus is not None and corpus is None):
        raise UsageError("to put parts back give both corpus and queries; old_corpus beside them")
    if corpus is not None:
        with spool() as spooled:
            where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
            before = None if old_corpus is None else spooled.path(old_corpus, "old_corpus")
            found = with_trials(found, where, path, before, progress, qrels=qrels, only=only, cache=cache)
    return made(DiffResult, found)


def export(corpus: Given, form: str, out: str | Path, *, progress: Progress = no_progress, **options: object) -> list[Path]:
    """Write a configuration as running code for ``langchain``, ``llamaindex`` or ``haystack``, or as ``toml``; the files written.

    `corpus` is as that of `audit`, `options` are the fields of `Options`. Raises as `audit`, and `SpecError` for what a form
    cannot have.
    """
    from ragdiag.exports import export as run

    with spool() as spooled:
        return run(spooled.path(corpus, "corpus"), form, out, Options.given(export, **options), progress)


def tune(
    corpus: Given,
    queries: Given,
    *,
    space: str | Path | None = None,
    tokens: int = 0,
    seconds: float | None = None,
    latency: float | None = None,
    embedding: bool = True,
    causes: bool = True,
    jobs: int | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> TuneResult:
    """Search for the configuration to deploy: chosen on some of the queries and judged on others, at equal tokens.

    `corpus` and `queries` are as those of `audit`; `options`, the fields of `Options`, describe the baseline. Contexts have up to
    `tokens`, by default what the baseline's first `k` chunks take. `space` is a file of axes to combine; without one other sizes,
    contexts, retrievers and neighbours are tried, and what the baseline's `causes` point to. `seconds` is what the search may
    take, `latency` what a query may, in milliseconds (p95); without `embedding` only what is embedded already, or needs no
    vectors, is tried. `jobs` are joblib's. Raises as `audit`.
    """
    from ragdiag.comparing.tuning import tune as run

    limited = partial(run, tokens=tokens, seconds=seconds, latency=latency, embedding=embedding)
    with spool() as spooled:
        where, path = spooled.path(corpus, "corpus"), spooled.path(queries, "queries")
        tuned = unspooled(limited(where, path, space=space, causes=causes, jobs=jobs, progress=progress, **options))
    return made(TuneResult, tuned)


def _report(given: object, name: str) -> Reported:
    """A report: a file's, an audit's, or its JSON object."""
    from ragdiag.comparing.reported import read_report, reported
    from ragdiag.core.records import Report
    from ragdiag.reports.json import audit_dict

    if isinstance(given, (str, Path)):
        return read_report(given)
    return reported(audit_dict(given) if isinstance(given, Report) else given, name)


def _recorded(
    search: object,
    corpus: str | Path,
    queries: str | Path,
    options: Mapping[str, Any],
    spooled: Spool,
    notes: list[str],
    progress: Progress,
) -> Path:
    """What the team's own search finds, as a recorded run; `options` are those of `compare`."""
    from ragdiag.pipeline import load_measurable
    from ragdiag.search.asking import searched
    from ragdiag.search.runs import run_lines
    from ragdiag.search.searches import BUDGET_DEPTH
    from ragdiag.search.signatures import name_of

    of_labels = {name: options[name] for name in ("qrels", "keep", "exclude") if name in options}
    labels = load_measurable(corpus, queries, Options.given(**of_labels), progress).labels
    context = 0 if options.get("budget") else options.get("k", 0)
    ranked = searched(search, labels.queries, BUDGET_DEPTH, progress, context)
    notes += ranked.notes
    return spooled.file(name_of(search).removeprefix("search "), run_lines(ranked.rankings))
