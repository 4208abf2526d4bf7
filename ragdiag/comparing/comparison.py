"""Which configuration serves these queries best: every difference with its uncertainty, and beside what more context would do.

A configuration is an `Options`; what is measured of one is a `Cell`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.comparing.cells import Cell, Comparison, whole_tokens
from ragdiag.comparing.contrasts import compare_cells
from ragdiag.comparing.drawn import Drawn, without_drawn
from ragdiag.comparing.grid import causes_of, configurations, measured, names_of, usable
from ragdiag.comparing.material import Material
from ragdiag.comparing.remedies import remedies
from ragdiag.comparing.workers import shared_cache
from ragdiag.core.errors import UsageError, did_you_mean, install_line
from ragdiag.core.options import Options, check_jobs, check_kind
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import BoolArray
from ragdiag.pipeline import load_measurable
from ragdiag.search.retrieval import Plan
from ragdiag.text.languages import language_of

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

    The combinations are those of each chunking (`chunkers`, and files of own `chunks`), context and retriever. `runs` are
    recorded rankings, each a configuration as well; `tune` adds other weights of each fusion of two. Where there is one
    configuration only, the baseline, it is compared with what its causes point to, each one change of it. `causes` names the
    causes of what the baseline fails, and of what each other configuration newly breaks.

    `options` are the fields of `Options`. Without `k` or `budget` every context has the tokens that the baseline's first 5 chunks
    take on average. The baseline is the first configuration, or the one that `baseline` names: ``"sentence | bm25"``. `measure`
    is what is contrasted, by default `Sufficient` at the context's size. `jobs` are joblib's; None: as `parallel_config` says.
    Raises as `pipeline.audit` does.
    """
    _check(jobs, {"baseline": baseline, "measure": measure}, {"tune": tune, "pairs": pairs, "causes": causes})
    base = Options.given(compare, **options)
    if base.search is not None or base.own_chunks:
        raise UsageError("to compare searches or chunks of your own, give lists: retrievers=[search, ...], chunks=[FILE, ...]")
    if measure:
        base = dataclasses.replace(base, measures=(*base.measures, measure))
    with shared_cache(base) as base:
        loaded = load_measurable(corpus, queries, base, progress)
        labels, left_out = without_drawn(loaded.labels)
        material, notes = Material.of(loaded.whole, loaded.corpus, labels), [*loaded.notes, *left_out]
        configs = _distinct(configurations(base, chunkers, chunks, contexts, retrievers, runs, tune))
        at = _named(configs, baseline)
        if "k" not in options and "budget" not in options:
            k, budget, note = _size(material, configs[at], progress)
            configs = [dataclasses.replace(config, k=k, budget=budget) for config in configs]
            notes.append(note)
        reasons: dict[int, tuple[str, ...]] = {}
        if len(configs) == 1 and causes:
            configs, reasons = _prescribed(material, configs[0], jobs, notes, progress)
        cells = measured(material, configs, jobs, progress)
        why = _why(material, configs, cells, at, jobs, progress) if causes else _Why({}, {}, {})
    comparison = compare_cells(material, cells, at, measure, pairs, configs[at], notes)
    return dataclasses.replace(comparison, causes=why.causes, cured=why.cured, broke=why.broke, reasons=reasons)


def _check(jobs: int | None, texts: Mapping[str, str], flags: Mapping[str, bool]) -> None:
    """Raise `UsageError` for a value of the wrong type."""
    for name, text in texts.items():
        check_kind(name, text, str)
    for name, flag in flags.items():
        check_kind(name, flag, bool)
    check_jobs(jobs)


def _size(material: Material, baseline: Options, progress: Progress) -> tuple[int, int, str]:
    """The size of every context where none is given, `k` and `budget`, and a note on it: that of the draw, if there was one."""
    if drawn := Drawn.of(material.labels, material.inputs):
        k, budget = drawn.draw.k, drawn.draw.budget
        size = f"up to {budget} tokens" if budget else f"{k} chunks"
        return k, budget, f"every context has {size}, as when the queries were drawn"
    (first,) = measured(material, [baseline], 1, progress)
    note = (
        f"every context has up to {whole_tokens(first)} tokens: what the first {baseline.k} chunks of {first.name} "
        f"take on average (with -k {baseline.k}, as in an audit, counts differ a little)"
    )
    return baseline.k, whole_tokens(first), note


def _prescribed(
    material: Material, baseline: Options, jobs: int | None, notes: list[str], progress: Progress
) -> tuple[list[Options], dict[int, tuple[str, ...]]]:
    """The baseline and its causes' remedies, that of the most frequent first; by their places, the causes that point to each."""
    (cell,) = measured(material, [baseline], jobs, progress)
    (by_query,) = _causes(material, [(baseline, cell.served == 0)], jobs, progress)
    counts = Counter(cause for causes in by_query.values() for cause in causes)
    changes = remedies(baseline, [cause for cause, _ in counts.most_common()], language_of(material.corpus))
    configs = [baseline, *(config for config in changes if usable(config))]
    if len(configs) <= len(changes):
        notes.append(f"what needs an encoder was left out: none is installed ({install_line('offline')})")
    if len(configs) > 2:
        notes.append("each is one change of the baseline: try the best together, with --chunker, --context and --retriever")
    if not changes:
        notes.append("no cause points to a setting that could be changed")
    return configs, {i: changes[config] for i, config in enumerate(configs) if i}


Counts = dict[str, int]
"""How many queries have each cause."""


class _Why(NamedTuple):
    """The baseline's causes; by cell, those of them that it cures, and its own of the queries that it newly breaks."""

    causes: Counts
    cured: dict[int, Counts]
    broke: dict[int, Counts]


def _why(
    material: Material, configs: Sequence[Options], cells: Sequence[Cell], baseline: int, jobs: int | None, progress: Progress
) -> _Why:
    before, others = cells[baseline].served, [i for i in range(len(cells)) if i != baseline]
    broken = [(configs[i], (before == 1) & (cells[i].served == 0)) for i in others]
    of_baseline, *newly = _causes(material, [(configs[baseline], before == 0), *broken], jobs, progress)
    cured = {i: _counted(causes for q, causes in of_baseline.items() if cells[i].served[q] == 1) for i in others}
    broke = {i: _counted(by_query.values()) for i, by_query in zip(others, newly, strict=True)}
    return _Why(_counted(of_baseline.values()), cured, broke)


def _causes(
    material: Material, failing: Sequence[tuple[Options, BoolArray]], jobs: int | None, progress: Progress
) -> list[dict[int, tuple[str, ...]]]:
    """As `grid.causes_of`, which queries are asked about given as a mask."""
    return causes_of(material, [(config, np.flatnonzero(mask).astype(np.int64)) for config, mask in failing], jobs, progress)


def _counted(causes: Iterable[tuple[str, ...]]) -> Counts:
    """How many queries have each cause, the most frequent first."""
    counts = Counter(cause for of_query in causes for cause in of_query)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _distinct(configs: Sequence[Options]) -> list[Options]:
    """Without those that only cut anew, or embed otherwise, what a collection holds as it is."""
    first: dict[tuple[str, ...], Options] = {}
    for config in configs:
        plan = Plan(config)
        first.setdefault(names_of(plan) if plan.collection is not None else (repr(config),), config)
    return list(first.values())


def _named(configs: Sequence[Options], name: str) -> int:
    """The position of the configuration that `name` names, by parts that only it has together; 0 for "". Raises `UsageError`."""
    parts = {part.strip() for part in name.split("|")} - {""}
    names = [names_of(Plan(config)) for config in configs]
    # As shown, or as they were given: sentence(size=160), sentence.
    forms = [{*shown, c.chunker, c.context, c.retriever} for shown, c in zip(names, configs, strict=True)]
    matches = [i for i, known in enumerate(forms) if parts <= known]
    if not matches:
        raise _unknown(name, set[str]().union(*forms))
    if name and len(matches) > 1:
        others = " | ".join(filter(None, names[matches[1]]))
        raise UsageError(f"--baseline {name!r} names {len(matches)} configurations, such as {others!r}; name one")
    return matches[0]


def _unknown(name: str, known: set[str]) -> UsageError:
    """No configuration has all parts of `name`: the first of them that none has, or all where each is in some."""
    parts = filter(None, map(str.strip, name.split("|")))
    part = next((part for part in parts if part not in known), name)
    return UsageError(f"--baseline: no configuration has {part!r}{did_you_mean(part, sorted(known - {''}))}")
