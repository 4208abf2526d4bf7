"""``ragdiag pool``: the part of a corpus to audit where the whole is too large."""

from __future__ import annotations

import click

from ragdiag.cli.flags import (
    CACHE_OPTIONS,
    CORPUS_OPTIONS,
    chooses,
    cluster_option,
    corpus_argument,
    options,
    queries_argument,
    quiet_option,
    reads,
    tells,
    writes,
)
from ragdiag.cli.shell import present, progress_bars, queries_file

__all__ = ["pool"]


@click.command()
@corpus_argument
@queries_argument
@writes("--out", metavar="DIR", required=True, help="The folder to write: the pool, and pool.json, which says what it is.")
@reads(
    "--run",
    "runs",
    metavar="FILE",
    multiple=True,
    help="A ranking of the whole corpus, TREC, JSONL or traces; its first documents join. Repeat for each.",
)
@chooses(
    "--tops",
    family="retrievers",
    metavar="SPEC",
    multiple=True,
    help="Search the whole corpus as it goes by: bm25, dense or hybrid; its first documents join. Repeat for each.",
)
@chooses(
    "--chunker", family="chunkers", metavar="SPEC", default="sentence", show_default=True, help="Cuts the documents for --tops."
)
@tells(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    default=100,
    show_default=True,
    help="Results of each query whose documents join.",
)
@tells(
    "--sample", type=click.IntRange(min=0), metavar="N", default=1000, show_default=True, help="Documents drawn from all others."
)
@tells("--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Seed of the draw.")
@reads("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries.")
@options(*CORPUS_OPTIONS, *CACHE_OPTIONS)
@cluster_option
@quiet_option
def pool(corpus: str, queries: str, out: str, cluster: str | None, quiet: bool, **given: object) -> None:
    """Choose what to audit of a corpus that is too large: evidence, what retrievers rank first, a sample of the rest.

    The corpus is read once (for bm25 twice) and never held. `ragdiag audit` of the folder knows that it is a pool, and says what
    its measures say of the whole."""
    from ragdiag.cli.given import settled
    from ragdiag.core.cluster import cluster as connected
    from ragdiag.search.pools import make_pool
    from ragdiag.sources.pools import pool_said

    checked = settled(given)
    with connected(cluster), queries_file(queries) as path, progress_bars(quiet) as progress:
        made = make_pool(corpus, path, out, progress=progress, **checked)
    unnamed = f"; {len(made.unnamed)} documents that labels or runs name are not in the corpus" if made.unnamed else ""
    present(f"{out}: {pool_said(made)}{unnamed}", quiet, [])
