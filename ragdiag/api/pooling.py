"""A pool of a corpus that is too large, from Python."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragdiag.core.options import check_kind, check_names, several
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.inputs import Given, spool

if TYPE_CHECKING:
    from ragdiag.core.pools import Pool

__all__ = ["pool"]


def pool(
    corpus: Given,
    queries: Given,
    out: str | Path,
    *,
    runs: str | Path | Sequence[str | Path] = (),
    tops: str | Sequence[str] = (),
    chunker: str = "sentence",
    depth: int = 100,
    sample: int = 1000,
    seed: int = 0,
    qrels: str | Path | None = None,
    keep: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
    **unknown: object,
) -> Pool:
    """Choose what to audit of a corpus that is too large, and write it to the folder `out`; what is known of it comes back.

    `corpus` and `queries` are as those of `audit`. The pool holds the documents that labels name; those of the first `depth`
    results of each query in `runs`, files of rankings of the whole corpus, and by `tops`, specs of bm25, dense and hybrid, in
    the whole corpus cut by `chunker`; and `sample` of all others, drawn with `seed`. `qrels`, `keep`, `exclude` and `cache` are
    fields of `Options`. Raises as `audit`, and `UsageError` for a folder that holds something else.
    """
    from ragdiag.search.pools import make_pool

    check_names(unknown, (), inspect.signature(pool).parameters)
    check_kind("chunker", chunker, str)
    for name, number in (("depth", depth), ("sample", sample), ("seed", seed)):
        check_kind(name, number, int)
    check_kind("out", out, str, Path)
    for name, path in (("qrels", qrels), ("cache", cache)):
        check_kind(name, path, str, Path, type(None))
    with spool() as spooled:
        return make_pool(
            spooled.path(corpus, "corpus"),
            spooled.path(queries, "queries"),
            out,
            runs=several("runs", runs, str, Path),
            tops=several("tops", tops, str),
            chunker=chunker,
            depth=depth,
            sample=sample,
            seed=seed,
            qrels=qrels,
            keep=several("keep", keep, str),
            exclude=several("exclude", exclude, str),
            cache=cache,
            progress=progress,
        )
