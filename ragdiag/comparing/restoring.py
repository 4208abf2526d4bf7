"""Why queries were lost: NEW's pipeline run again with one part at a time as it was in OLD.

Putting back the only thing that changed is OLD itself, which says nothing; so parts are put back only where several changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ragdiag.comparing.changes import Diff, PutBack, Trials
from ragdiag.comparing.grid import measured
from ragdiag.comparing.material import Material
from ragdiag.comparing.parts import DOCUMENTS, Part, not_run, specs
from ragdiag.comparing.reported import Reported
from ragdiag.comparing.workers import shared_cache
from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.core.options import NO_SWAP, Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.pipeline import load_measurable

__all__ = ["with_trials"]

NO_OLD_DOCUMENTS = "the documents changed, and those of OLD are not given: --old-corpus FOLDER (git worktree add brings them)"
"""Why documents were not put back."""

SAME = "give what it was audited with, and the same --only and --qrels"
"""What to do about files that a report was not made of."""

Served = Mapping[str, bool]
"""Whether a pipeline serves each query that it decides, by id."""


def with_trials(
    found: Diff,
    corpus: str | Path,
    queries: str | Path,
    old_corpus: str | Path | None = None,
    progress: Progress = no_progress,
    **options: object,
) -> Diff:
    """`found` with what putting back each part alone comes to; `options` are those of `Options` that say what is read.

    Raises `UsageError` for documents or queries that are not those of the reports, and as `pipeline.audit` does.
    """
    given = Options.given(with_trials, **{**options, **_size(found.new), "swap": NO_SWAP, "seed": found.new.seed})
    with shared_cache(given) as base:
        material = _read(found.new, corpus, queries, base, progress)
        if material.inputs["queries_sha256"] != found.new.labels:
            raise UsageError(f"{queries} holds other queries or labels than {found.new.name} was made with; {SAME}")
        before = None if old_corpus is None else _read(found.old, old_corpus, queries, base, progress)
        return dataclasses.replace(found, trials=_trials(found, material, before, base, progress))


def _size(new: Reported) -> dict[str, object]:
    """The options that say what is served."""
    size = {"k": new.k} if new.k else {"budget": new.budget}
    return {**size, "copies": new.rules.get("copies", "count")}


def _read(report: Reported, corpus: str | Path, queries: str | Path, base: Options, progress: Progress) -> Material:
    """A report's documents, read as it read them, with the labels found in them. Raises `UsageError` for other documents."""
    options = dataclasses.replace(base, keep=report.keep, exclude=report.exclude)
    material = Material.of(*load_measurable(corpus, queries, options, progress)[:3])
    if material.inputs["corpus_sha256"] != report.corpus:
        raise UsageError(f"{corpus} holds other documents than {report.name} was made of; {SAME}")
    return material


def _trials(found: Diff, material: Material, before: Material | None, base: Options, progress: Progress) -> Trials:
    if len(found.parts) < 2 or not found.lost:
        return Trials(())
    if reason := not_run(found.new):
        return Trials((), untested=reason)
    base = _with(base, specs(found.new))
    now = _served(material, base, progress)
    reported = {name: query.served for name, query in found.new.queries.items()}
    unlike = tuple(name for name, served in now.items() if reported.get(name) is not None and reported[name] != served)
    put_back = tuple(_put_back(found, part, material, before, base, set(unlike), progress) for part in found.parts)
    return Trials(put_back, unlike)


def _put_back(
    found: Diff, part: Part, material: Material, before: Material | None, base: Options, unlike: set[str], progress: Progress
) -> PutBack:
    """What NEW's pipeline with one part as in OLD serves. What that part needs and is not here leaves it untested."""
    of_documents = part.name == DOCUMENTS
    if reason := part.untestable or (NO_OLD_DOCUMENTS if of_documents and before is None else ""):
        return PutBack(part.name, untested=reason)
    chosen = before if of_documents and before is not None else material
    try:
        served = _served(chosen, _with(base, part.back), progress)
    except RagdiagError as e:
        return PutBack(part.name, untested=str(e))
    return _counted(found, part.name, served, unlike)


def _counted(found: Diff, part: str, served: Served, unlike: set[str]) -> PutBack:
    """What comes of the lost, the won and the kept queries that could be tried."""
    lost, won, kept = (
        [name for name in names if name in served and name not in unlike]
        for names in ([q.id for q in found.lost], [q.id for q in found.won], found.kept)
    )
    return PutBack(
        part,
        restored=tuple(name for name in lost if served[name]),
        lost=len(lost),
        given_up=_unserved(won, served),
        won=len(won),
        broken=_unserved(kept, served),
        kept=len(kept),
    )


def _with(base: Options, back: Mapping[str, str]) -> Options:
    chunker, context, retriever = (back.get(name, getattr(base, name)) for name in ("chunker", "context", "retriever"))
    return dataclasses.replace(base, chunker=chunker, context=context, retriever=retriever)


def _unserved(names: Sequence[str], served: Served) -> tuple[str, ...]:
    return tuple(name for name in names if not served[name])


def _served(material: Material, options: Options, progress: Progress) -> Served:
    (cell,) = measured(material, [options], 1, progress)
    by_query = zip(material.labels.queries, cell.served.tolist(), strict=True)
    return {query.id: served == 1 for query, served in by_query if served == served}  # NaN is not equal to itself
