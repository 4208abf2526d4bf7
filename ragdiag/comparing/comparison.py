"""Which chunking, context and retriever serves these queries best: every difference with its uncertainty, beside more context."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.comparing.cells import Cell, Comparison, whole_tokens
from ragdiag.comparing.contrasts import compare_cells
from ragdiag.comparing.grid import Material, causes_of, cell_options, measured, names_of, usable
from ragdiag.comparing.remedies import remedies
from ragdiag.core.cache import default_folder
from ragdiag.core.errors import UsageError, did_you_mean, install_line
from ragdiag.core.options import Options, check_kind
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.pipeline import load_measurable
from ragdiag.search.retrieval import Plan

__all__ = ["compare"]


def compare(
    corpus: str | Path,
    queries: str | Path,
    *,
    chunkers: Sequence[str] = (),
    chunks: Sequence[str | Path] = (),
    contexts: Sequence[str] = (),
    retrievers: Sequence[str] = (),
    runs: Sequence[str | Path] = (),
    tune: bool = False,
    baseline: str = "",
    measure: str = "",
    pairs: bool = False,
    causes: bool = True,
    jobs: int | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> Comparison:
    """Measure every combination and contrast each with the baseline (with `pairs`, all with one another).

    Where there is one combination only, the baseline, it is compared with what its causes point to, each one change of it.
    `runs` are recorded rankings; `tune` adds other weights of each fusion of two.
    `causes` names the causes of what the baseline fails, and of what each other configuration newly breaks.

    `options` are the fields of `Options`. Without `k` or `budget` every context has the tokens that the baseline's first 5 chunks
    take on average. The baseline is the first combination, or the one that `baseline` names: ``"sentence | bm25"``. `measure` is
    what is contrasted, by default `Sufficient` at the context's size. `jobs` are joblib's; None: as `parallel_config` says.
    Raises as `pipeline.audit` does.
    """
    _check(jobs, {"baseline": baseline, "measure": measure}, {"tune": tune, "pairs": pairs, "causes": causes})
    base = Options.given(compare, **options)
    if base.search is not None or base.own_chunks:
        raise UsageError("to compare searches or chunks of your own, give lists: retrievers=[search, ...], chunks=[FILE, ...]")
    if measure:
        base = dataclasses.replace(base, measures=(*base.measures, measure))
    with _cache(base) as base:
        whole, found, labels = load_measurable(corpus, queries, base, notes := list[str](), progress)
        material = Material.of(whole, found, labels)
        settings = cell_options(base, chunkers, chunks, contexts, retrievers, runs, tune)
        settings = _distinct(settings)
        at = _named(settings, baseline)
        if "k" not in options and "budget" not in options:
            (first,) = measured(material, [settings[at]], 1, progress)
            settings = [dataclasses.replace(s, budget=whole_tokens(first)) for s in settings]
            notes.append(
                f"every context has up to {whole_tokens(first)} tokens: what the first {base.k} chunks of {first.name} "
                f"take on average (with -k {base.k}, as in an audit, counts differ a little)"
            )
        reasons: dict[int, tuple[str, ...]] = {}
        if len(settings) == 1 and causes:
            settings, reasons = _prescribed(material, settings[0], jobs, notes, progress)
        cells = measured(material, settings, jobs, progress)
        why = _why(material, settings, cells, at, jobs, progress) if causes else ({}, {}, {})
    size = {"k": None if settings[0].budget else base.k, "budget": settings[0].budget or None}
    found_out = compare_cells(material, cells, at, measure, pairs, base.seed, size, notes)
    return dataclasses.replace(found_out, causes=why[0], cured=why[1], broke=why[2], reasons=reasons)


def _check(jobs: int | None, texts: Mapping[str, str], flags: Mapping[str, bool]) -> None:
    """Raise `UsageError` for what is of another kind."""
    for name, text in texts.items():
        check_kind(name, text, str)
    for name, flag in flags.items():
        check_kind(name, flag, bool)
    check_kind("jobs", jobs, int, type(None))
    if jobs == 0:
        raise UsageError("jobs must be 1 or more, or -1 for all processors")


def _prescribed(
    material: Material, options: Options, jobs: int | None, notes: list[str], progress: Progress
) -> tuple[list[Options], dict[int, tuple[str, ...]]]:
    """The one setting there is with the remedies of its causes, the most frequent cause first."""
    (cell,) = measured(material, [options], jobs, progress)
    counts = Counter(
        cause for own in _causes(material, [(options, cell.served == 0)], jobs, progress)[0].values() for cause in own
    )
    named = remedies(options, [cause for cause, _ in counts.most_common()])
    settings = [options, *(changed for changed in named if usable(changed))]
    if len(settings) <= len(named):
        notes.append(f"what needs an encoder was left out: none is installed ({install_line('offline')})")
    if len(settings) > 2:
        notes.append("each is one change of the baseline: try the best together, with --chunker, --context and --retriever")
    if not named:
        notes.append("no cause points to a setting that could be changed")
    return settings, {i: named[changed] for i, changed in enumerate(settings) if i}


Counts = dict[str, int]


def _why(
    material: Material, settings: Sequence[Options], cells: Sequence[Cell], baseline: int, jobs: int | None, progress: Progress
) -> tuple[Counts, dict[int, Counts], dict[int, Counts]]:
    """The baseline's causes, those that each other cell cures, and those of the queries that it newly breaks."""
    before, others = cells[baseline].served, [i for i in range(len(cells)) if i != baseline]
    broken = [(settings[i], (before == 1) & (cells[i].served == 0)) for i in others]
    mine, *newly = _causes(material, [(settings[baseline], before == 0), *broken], jobs, progress)
    cured = {i: _counted(own for q, own in mine.items() if cells[i].served[q] == 1) for i in others}
    return _counted(mine.values()), cured, {i: _counted(own.values()) for i, own in zip(others, newly, strict=True)}


def _causes(
    material: Material, asked: Sequence[tuple[Options, Any]], jobs: int | None, progress: Progress
) -> list[dict[int, tuple[str, ...]]]:
    return causes_of(material, [(options, np.flatnonzero(at).astype(np.int64)) for options, at in asked], jobs, progress)


def _counted(causes: Iterable[tuple[str, ...]]) -> Counts:
    """How many queries have each cause, the most frequent first."""
    counts = Counter(cause for own in causes for cause in own)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@contextmanager
def _cache(options: Options) -> Iterator[Options]:
    """A folder that workers share: the one named, the default one, or one that is gone afterwards."""
    if options.cache is None:
        with tempfile.TemporaryDirectory() as folder:
            yield dataclasses.replace(options, cache=folder)
    else:
        yield dataclasses.replace(options, cache=str(options.cache or default_folder()))


def _distinct(settings: Sequence[Options]) -> list[Options]:
    """Without those that only cut anew, or embed otherwise, what a collection holds as it is."""
    first: dict[tuple[str, ...], Options] = {}
    for options in settings:
        plan = Plan(options)
        first.setdefault(names_of(plan) if plan.collection is not None else (repr(options),), options)
    return list(first.values())


def _named(settings: Sequence[Options], name: str) -> int:
    """The position of the setting that `name` names, by parts of its name that only it has together. Raises `UsageError`."""
    parts, names = [part.strip() for part in name.split("|") if part.strip()], [names_of(Plan(s)) for s in settings]
    # As shown, or as it was asked for: sentence(size=160), sentence.
    forms = [{*own, s.chunker, s.context, s.retriever} for own, s in zip(names, settings, strict=True)]
    found = [i for i, own in enumerate(forms) if set(parts) <= own]
    if not found:
        known = {part for own in forms for part in own if part}
        unknown = next((p for p in parts if p not in known), name)
        raise UsageError(f"--baseline: no configuration has {unknown!r}{did_you_mean(unknown, sorted(known))}")
    if name and len(found) > 1:
        others = " | ".join(part for part in names[found[1]] if part)
        raise UsageError(f"--baseline {name!r} names {len(found)} configurations, such as {others!r}; name one")
    return found[0]
