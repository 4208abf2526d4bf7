"""The options of commands that hold configurations against each other, search for one, or write one as code."""

from __future__ import annotations

import re

import click

from ragdiag.cli.flags import AUDIT_OPTIONS, CACHE_OPTIONS, LABEL_OPTIONS, connects, reads, tells, writes

__all__ = ["BASELINE_OPTIONS", "DIFF_OPTIONS", "EXPORT_OPTIONS", "TUNE_OPTIONS"]

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
"""Seconds in what a time may be given in."""


def _seconds(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """``10m`` as seconds."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if found is None or not float(found[1]):
        raise click.BadParameter(f"{value!r} is no time such as 90s, 10m or 1h")
    return float(found[1]) * UNITS[found[2]]


BASELINE_OPTIONS = (*AUDIT_OPTIONS[:4], AUDIT_OPTIONS[6], *AUDIT_OPTIONS[8:])
"""Those of a pipeline of ours whose context is not to be a number of tokens."""

DIFF_OPTIONS = (
    tells("--min-effect", type=click.FloatRange(0, 1), metavar="X", default=0.02, show_default=True,
          help="Worse is: more than chance, and a share served that is lower by more than this."),
    reads("--corpus", metavar="CORPUS", help="NEW's documents: put back alone each part of the pipeline that changed."),
    reads("--queries", metavar="QUERIES", help="NEW's queries, beside --corpus."),
    reads("--old-corpus", metavar="CORPUS", help="OLD's documents, where they changed, to be put back as well."),
    LABEL_OPTIONS[0],
    LABEL_OPTIONS[2],
    *CACHE_OPTIONS,
)  # fmt: skip

TUNE_OPTIONS = (
    tells("--tokens", type=click.IntRange(min=1), metavar="N",
          help="Tokens in every context.  [default: what the baseline's first k chunks take]"),
    connects("--space", metavar="FILE", help="Axes to combine, TOML: lists chunker, context, retriever, step."
          "  [default: sizes, contexts, retrievers, neighbours]"),
    tells("--time", "seconds", callback=_seconds, metavar="TIME", help="What the search may take: 90s, 10m, 1h."),
    tells("--latency-budget", "latency", type=click.FloatRange(min=0, min_open=True), metavar="MS",
          help="Leave out what takes longer for a query (p95)."),
    tells("--no-embedding", is_flag=True, help="Only what is embedded already, or needs no vectors."),
    writes("--export", metavar="FORM", help="Write what is chosen as code: langchain, llamaindex or haystack; or toml."),
    writes("--out", metavar="PATH", help="Where --export writes it.  [default: ragdiag-FORM]"),
    tells("--causes/--no-causes", default=True, show_default=True,
          help="Start from the baseline's causes; name those of what is won and lost."),
    tells("--jobs", type=int, metavar="N", default=1, show_default=True,
          help="Configurations measured at once, by processes of this machine; see --cluster."),
)  # fmt: skip

EXPORT_OPTIONS = (
    tells("--form", metavar="FORM", required=True, help="langchain, llamaindex or haystack (a folder of code); toml (a file)."),
    writes("--out", metavar="PATH", required=True, help="The folder, or the file, to write."),
)
