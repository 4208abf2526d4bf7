"""The two configurations that questions are drawn between: of the report of a search or a comparison, or by their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.comparing.grid import names_of
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import field, parse_json, read_text
from ragdiag.core.options import Options
from ragdiag.search.retrieval import Plan

__all__ = ["Between", "name_of", "read_between"]

ANEW = "make it anew: ragdiag tune CORPUS QUERIES --json REPORT"
"""What to do where a report does not fit."""

BY_NAME = "name two: --between 'sentence | bm25' --between 'sentence(size=160) | hybrid'"


Told = tuple[tuple[str, str], tuple[int, int], int | None]
"""What a report says of the two: their names, `k` and `budget` (0: as usual, none), how many labelled queries would tell."""


class Between(NamedTuple):
    """Two configurations; `sized`: with the size of context to take; `seed` is that of the draw.

    `enough`: how many labelled queries in all, drawn from all questions, would tell the two apart; None where that is not known.
    """

    two: tuple[Options, Options]
    seed: int = 0
    enough: int | None = None
    sized: bool = False


def read_between(given: Sequence[str], base: Options) -> Between:
    """One report's baseline and what it chose or found best, or two configurations by name; `base` has all other options.

    Raises `UsageError` where these are no two configurations, `InputError` for what is no such report.
    """
    if len(given) == 1 and "|" in given[0] and not Path(given[0]).exists():
        raise UsageError(f"--between {given[0]!r} is one configuration: {BY_NAME}")
    if len(given) > 2:
        raise UsageError(f"--between is given {len(given)} times: give one report, or {BY_NAME}")
    between = _reported(Path(given[0]), base) if len(given) == 1 else Between((_named(given[0], base), _named(given[1], base)))
    one, other = map(name_of, between.two)
    if one == other:
        raise UsageError(f"--between names one configuration twice, {one}: {BY_NAME}")
    return between


def name_of(options: Options) -> str:
    """A configuration as a comparison names it."""
    return " | ".join(filter(None, names_of(Plan(options))))


def _named(name: str, base: Options) -> Options:
    """``sentence(size=160) | hybrid``, with a context between them where there is one."""
    parts = [part.strip() for part in name.split("|")]
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"--between {name!r} is no configuration: write CHUNKER | RETRIEVER, or CHUNKER | CONTEXT | RETRIEVER")
    return dataclasses.replace(base, chunker=parts[0], context=parts[1] if len(parts) == 3 else "none", retriever=parts[-1])


def _reported(path: Path, base: Options) -> Between:
    """The two of a report of `tune` or `compare`."""
    report = parse_json(read_text(path), path)
    if not isinstance(report, dict) or not ({"decision", "tokens"} <= report.keys() or {"baseline", "best"} <= report.keys()):
        raise InputError("this is not the JSON report of a search (tune) or a comparison (compare)", path, remedy=ANEW)
    configs = _configs(report, path)
    names = [field(config, ("name",), str, path, 0) for config in configs]
    two, (k, budget), enough = (_of_search if "decision" in report else _of_comparison)(report, names, path)
    if two[0] == two[1]:
        raise UsageError(f"{path} chooses its baseline, {two[0]}, so it has no second one: {BY_NAME}")
    if unknown := [name for name in two if name not in names]:
        raise InputError(f"it has no configuration {unknown[0]!r}", path, remedy=ANEW)
    sized = dataclasses.replace(base, k=k or base.k, budget=budget)
    first, second = (_configured(configs[names.index(name)], sized, path) for name in two)
    return Between((first, second), field(report, ("seed",), int, path, 0), enough, sized=True)


def _of_search(report: Mapping[str, object], names: Sequence[str], path: Path) -> Told:
    """What a search says: its baseline and what it chose."""
    decision = field(report, ("decision",), dict, path, 0)
    two = names[0], field(decision, ("chosen",), str, path, 0)
    return two, (0, field(report, ("tokens",), int, path, 0)), _enough(decision.get("difference"), decision.get("needed"))


def _of_comparison(report: Mapping[str, object], _: Sequence[str], path: Path) -> Told:
    """What a comparison says: its baseline and its best."""
    two = field(report, ("baseline",), str, path, 0), field(report, ("best",), str, path, 0)
    pipeline = field(report, ("pipeline",), dict, path, 0)
    given = {name: pipeline.get(name) or 0 for name in ("k", "budget")}
    k, budget = (field(given, (name,), int, path, 0) for name in given)
    return two, (k, budget), _told(report, two)


def _configs(report: Mapping[str, object], path: Path) -> list[dict[str, object]]:
    configs: list[dict[str, object]] = field(report, ("configs",), list, path, 0)
    if not configs or not all(isinstance(config, dict) for config in configs):
        raise InputError("it has no configurations", path, remedy=ANEW)
    return configs


def _told(report: Mapping[str, object], two: tuple[str, str]) -> int | None:
    """What a comparison says of its baseline and its best."""
    contrasts = report.get("contrasts")
    for contrast in contrasts if isinstance(contrasts, list) else ():
        if isinstance(contrast, dict) and (contrast.get("a"), contrast.get("b")) in (two, two[::-1]):
            return _enough(contrast, contrast.get("needed"))
    return None


def _enough(difference: object, needed: object) -> int | None:
    """The queries that a difference was seen on and those that lack."""
    n = difference.get("n") if isinstance(difference, dict) else None
    return n + needed if isinstance(n, int) and isinstance(needed, int) else None


def _configured(config: Mapping[str, object], base: Options, path: Path) -> Options:
    chunker, context, retriever = (field(config, (name,), str, path, 0) for name in ("chunker", "context", "retriever"))
    if chunker.startswith("chunks ") or retriever.startswith("run "):
        message = f"{config['name']!r} is of chunks of your own or of a recorded run, which cannot be asked further questions"
        raise InputError(message, path, remedy=BY_NAME)
    chunker = base.chunker if chunker == "as stored" else chunker
    return dataclasses.replace(base, chunker=chunker, context=context or "none", retriever=retriever)
