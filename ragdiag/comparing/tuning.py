"""The search for what to deploy: started from causes, chosen on some queries and judged on others, at equal tokens.

What is measured of a configuration is kept, so that a search that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.comparing.cells import Cell, whole_tokens
from ragdiag.comparing.choosing import Candidates, is_worse
from ragdiag.comparing.drawn import Drawn, without_drawn
from ragdiag.comparing.embedding import Texts, speed, to_embed
from ragdiag.comparing.grid import causes_of, measured, names_of, usable
from ragdiag.comparing.judged import judged
from ragdiag.comparing.material import Material
from ragdiag.comparing.models import encoders_of
from ragdiag.comparing.remedies import remedies
from ragdiag.comparing.space import read_space, usual_spaces
from ragdiag.comparing.tuned import Tuned
from ragdiag.comparing.workers import shared_cache
from ragdiag.core.errors import InputError, UsageError, install_line
from ragdiag.core.options import Options, check_jobs, check_kind
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import BoolArray, IntArray
from ragdiag.pipeline import labelled_documents, load_measurable
from ragdiag.scoring.labels import copies_of
from ragdiag.search.retrieval import Plan
from ragdiag.sources.evidence import some_of
from ragdiag.stats.paired import units
from ragdiag.stats.statistics import clusters
from ragdiag.text.languages import language_of
from ragdiag.text.phrases import duration

__all__ = ["tune"]

FIRST = 200
"""Queries on which configurations are measured first, where there are `TIMES` as many."""

TIMES = 4

NOT_CACHED = "their texts are not embedded yet, and nothing is to be"
NO_TIME = "there was no time for them"
NOT_INSTALLED = "no encoder is installed"
SLOW = "they take longer than {} ms for a query"


class Limits(NamedTuple):
    """What a search may take: until when, and milliseconds a query (p95), None for any; whether anything is embedded."""

    until: float | None
    latency: float | None
    embedding: bool


def tune(
    corpus: str | Path,
    queries: str | Path,
    *,
    space: str | Path | None = None,
    tokens: int = 0,
    seconds: float | None = None,
    latency: float | None = None,
    embedding: bool = True,
    causes: bool = True,
    jobs: int | None = None,
    progress: Progress = no_progress,
    note: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Tuned:
    """Search for the configuration to deploy, by what it serves of queries that did not choose it, within `tokens`.

    `options` are those of the baseline, as of an audit; `tokens` are by default what its first `k` chunks take. `space` is a file
    of axes (see `space.read_space`); without one other sizes, contexts, retrievers and steps are tried, and what the baseline's
    `causes` point to. `seconds` is what the search may take, `latency` the p95 of a query in milliseconds, `embedding` whether
    texts may be embedded that are not yet. `note` is told how long embedding will take. `jobs` are joblib's. Raises as
    `pipeline.audit` does.
    """
    check_kind("space", space, str, Path, type(None))
    _check(jobs, {"tokens": tokens, "seconds": seconds, "latency": latency}, {"embedding": embedding, "causes": causes})
    limits = Limits(None if seconds is None else time.monotonic() + seconds, latency, embedding)
    base = Options.given(tune, **options)
    if base.search is not None or base.own_chunks or base.run:
        raise UsageError("a recorded run or a search of your own cannot be tuned: name a retriever, or a stored index")
    with shared_cache(base) as base:
        loaded = load_measurable(corpus, queries, base, progress)
        labels, notes = without_drawn(loaded.labels)
        material = Material.of(loaded.whole, loaded.corpus, labels)
        drawn = Drawn.of(labels, material.inputs)
        search = _Search(material, limits, jobs, progress, note)
        if not (tokens or base.budget):
            (first,) = measured(material, [base], 1, progress)
            tokens = whole_tokens(first)
        base = dataclasses.replace(base, budget=tokens or base.budget)
        return search.tuned(base, space, causes, (*loaded.notes, *notes, *([drawn.note(told=False)] if drawn else [])))


def _check(jobs: int | None, numbers: Mapping[str, float | None], flags: Mapping[str, bool]) -> None:
    """Raise `UsageError` for a value of the wrong type or size."""
    for name, number in numbers.items():
        check_kind(name, number, int, float, type(None))
        if number is not None and (number < 0 or (number == 0 and name != "tokens")):
            raise UsageError(f"{name} must be more than 0, not {number}")
    for name, flag in flags.items():
        check_kind(name, flag, bool)
    check_jobs(jobs)


class _Search:
    """One search; `skipped` counts the configurations that are not measured, by the reason."""

    def __init__(
        self, material: Material, limits: Limits, jobs: int | None, progress: Progress, note: Callable[[str], None]
    ) -> None:
        self._material, self._limits = material, limits
        self._jobs, self._progress, self._note = jobs, progress, note
        self._cluster: IntArray = clusters(labelled_documents(material.labels))
        self._copies: IntArray = copies_of(material.labels.queries)
        self.skipped: Counter[str] = Counter()

    def tuned(self, base: Options, space: str | Path | None, causes: bool, notes: Sequence[str]) -> Tuned:
        """Measure, choose, judge."""
        (first,) = self._affordable([base])
        (baseline,) = measured(self._material, [first], self._jobs, self._progress)
        by_query = self._causes(base, baseline.served == 0) if causes else {}
        language = language_of(self._material.corpus)
        pointed = remedies(base, [cause for cause, _ in _counted(by_query.values()).most_common()], language)
        configs = self._affordable(self._configurations(base, space, list(pointed)))
        configs, cells, dropped = self._measured(configs)
        if not len(Candidates(cells, base.budget).known):
            raise InputError("no query can be decided under every configuration", remedy="see ragdiag check")
        found, won, lost = judged(cells, base.budget, self._cluster, base.seed, self._copies)
        labels, chosen = self._material.labels, configs[found.chosen]
        broke = self._causes(chosen, np.isin(np.arange(len(labels.queries)), lost)) if causes else {}
        return Tuned(
            **vars(found),
            won=self._ids(won),
            lost=self._ids(lost),
            cells=tuple(cells),
            configurations=tuple(configs),
            tokens=base.budget,
            inputs=self._material.inputs,
            notes=tuple(notes),
            seed=base.seed,
            dropped=tuple(dropped),
            skipped=dict(self.skipped),
            causes=dict(_counted(by_query.values()).most_common()),
            cured=dict(_counted(by_query.get(q, ()) for q in won.tolist()).most_common()),
            broke=dict(_counted(broke.values()).most_common()),
            reasons=pointed.get(chosen, ()),
            label_defects=labels.defects,
            label_warnings=labels.warnings,
            problems=self._material.corpus.problems,
        )

    def _ids(self, queries: IntArray) -> tuple[str, ...]:
        return tuple(self._material.labels.queries[q].id for q in queries.tolist())

    def _causes(self, options: Options, failing: BoolArray) -> Mapping[int, tuple[str, ...]]:
        """The causes, under a configuration, of the queries of a mask."""
        if not failing.any():
            return {}
        asked = [(options, np.flatnonzero(failing).astype(np.int64))]
        (by_query,) = causes_of(self._material, asked, self._jobs, self._progress)
        return by_query

    def _configurations(self, base: Options, space: str | Path | None, pointed: Sequence[Options]) -> list[Options]:
        """The baseline, what its causes point to, then all others of the space; only those that can be made."""
        spaces = (read_space(space),) if space is not None else usual_spaces(base, self._material.corpus)
        every = dict.fromkeys([base, *pointed, *(config for each in spaces for config in each.configurations(base))])
        by_name = {names_of(Plan(config)): config for config in reversed(every)}
        configs = [config for config in every if by_name[names_of(Plan(config))] == config]
        known = [config for config in configs if config == base or usable(config)]
        if len(known) < len(configs):
            self.skipped[f"{NOT_INSTALLED} ({install_line('offline')})"] += len(configs) - len(known)
        return known

    def _affordable(self, configs: Sequence[Options]) -> list[Options]:
        """Those for which nothing is to be embedded, or there is time; the first always. Says how long embedding will take."""
        plans = [Plan(config) for config in configs]
        texts = Texts(self._material, self._progress)
        sizes = to_embed(self._material, plans, texts)
        groups, by_words = _by_group(configs, sizes), [not encoders_of(plan) for plan in plans]
        if not self._limits.embedding:
            return self._kept(configs, [words or not size for words, size in zip(by_words, groups, strict=True)], NOT_CACHED)
        cold = next((plan for plan, size in zip(plans, sizes, strict=True) if size), None)
        if cold is None:
            return list(configs)
        rate = speed(cold, texts)
        self._note(f"{sum(sizes):,} characters are to be embedded: about {duration(sum(sizes) / rate)}")
        if self._limits.until is None:
            return list(configs)
        fits = _fitting(zip(map(_group, configs), groups, strict=True), self._left * rate)
        in_time = [words or fits[_group(config)] for words, config in zip(by_words, configs, strict=True)]
        return self._kept(configs, in_time, NO_TIME)

    @property
    def _left(self) -> float:
        """Seconds that are left."""
        return float("inf") if self._limits.until is None else self._limits.until - time.monotonic()

    def _kept(self, configs: Sequence[Options], fits: Sequence[bool], why: str) -> list[Options]:
        """Those that fit, and the first; the others are counted."""
        kept = [config for i, (config, fit) in enumerate(zip(configs, fits, strict=True)) if fit or i == 0]
        if len(kept) < len(configs):
            self.skipped[why] += len(configs) - len(kept)
        return kept

    def _measured(self, configs: list[Options]) -> tuple[list[Options], list[Cell], list[str]]:
        """The configurations that are left, what was measured of them on all queries, and the names of those dropped early."""
        labels, dropped = self._material.labels, list[str]()
        queries = np.concatenate([labels.at("span"), labels.at("document")])
        if len(queries) >= TIMES * FIRST:
            seed = configs[0].seed
            first = np.sort(np.random.default_rng(seed).choice(queries, FIRST, replace=False))
            part = Material.of(self._material.whole, self._material.corpus, some_of(labels, first.tolist()))
            configs, cells = self._in_time(part, configs)
            candidates = Candidates(cells, configs[0].budget)
            served = candidates.served(candidates.tokens)
            known = first[candidates.known]
            worse = is_worse(served, units(self._cluster[known], self._copies[known]), seed)
            dropped = [cell.name for cell, bad in zip(cells, worse, strict=True) if bad]
            configs = [config for config, bad in zip(configs, worse, strict=True) if not bad]
        configs, cells = self._in_time(self._material, configs)
        if self._limits.latency is not None:
            fast = [_p95(cell) <= self._limits.latency for cell in cells]
            cells = [cell for i, (cell, fit) in enumerate(zip(cells, fast, strict=True)) if fit or i == 0]
            configs = self._kept(configs, fast, SLOW.format(f"{self._limits.latency:g}"))
        return configs, cells, dropped

    def _in_time(self, material: Material, configs: Sequence[Options]) -> tuple[list[Options], list[Cell]]:
        """Configurations with what was measured of them, as far as there is time: group by group, so that a text is cut once."""
        groups: dict[tuple[object, ...], list[Options]] = {}
        for config in configs:
            groups.setdefault(_group(config), []).append(config)
        done, cells = list[Options](), list[Cell]()
        for group in groups.values():
            if done and self._left <= 0:
                self.skipped[NO_TIME] += len(group)
                continue
            done += group
            cells += measured(material, group, self._jobs, self._progress)
        return done, cells


def _group(config: Options) -> tuple[object, ...]:
    """What configurations that index the same texts have in common."""
    return config.chunks, config.chunker, config.context


def _by_group(configs: Sequence[Options], sizes: Sequence[int]) -> list[int]:
    """What is to be embedded for the whole group of each configuration."""
    totals: Counter[tuple[object, ...]] = Counter()
    for config, size in zip(configs, sizes, strict=True):
        totals[_group(config)] += size
    return [totals[_group(config)] for config in configs]


def _fitting(sizes: Iterable[tuple[tuple[object, ...], int]], most: float) -> dict[tuple[object, ...], bool]:
    """Whether each group, of a size, is one of the first that come to `most` together."""
    fits = dict[tuple[object, ...], bool]()
    for group, size in sizes:
        if group not in fits:
            fits[group] = size <= most
            most -= size if fits[group] else 0
    return fits


def _p95(cell: Cell) -> float:
    """Milliseconds that 95 of 100 queries take no longer than."""
    return float((cell.timings.get("retrieval") or {}).get("p95_ms", 0.0))


def _counted(by_query: Iterable[tuple[str, ...]]) -> Counter[str]:
    """How many queries have each cause."""
    return Counter(cause for causes in by_query for cause in causes)
