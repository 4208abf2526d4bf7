"""The command line: each command is one library call and one way to show its result, in a module of its name.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import click

from ragdiag.cli.audit import audit
from ragdiag.cli.check import check
from ragdiag.cli.compare import compare
from ragdiag.cli.config import Option
from ragdiag.cli.decide import decide
from ragdiag.cli.demo import demo
from ragdiag.cli.diff import diff
from ragdiag.cli.explain import explain
from ragdiag.cli.export import export
from ragdiag.cli.label import label
from ragdiag.cli.litmus import litmus
from ragdiag.cli.pool import pool
from ragdiag.cli.prompts import prompts
from ragdiag.cli.shell import Group
from ragdiag.cli.tune import tune
from ragdiag.core.version import __version__

__all__ = ["main"]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Find out why a RAG application answers badly: does the model ever see the right text?

    CORPUS is a folder, a glob, a file, a corpus.jsonl or a BEIR folder. QUERIES are labelled queries: JSONL, BEIR or TREC with
    qrels, SQuAD JSON, ragas samples, Chroma's CSV; - for standard input. Defaults may stand in ragdiag.toml, or in pyproject.toml
    under [tool.ragdiag].
    """
    from ragdiag.cli.config import read_configuration

    configuration = ctx.obj = read_configuration()
    if configuration is not None:
        options_of = {name: [p for p in c.params if isinstance(p, Option)] for name, c in main.commands.items()}
        ctx.default_map = configuration.defaults(options_of)


for command in (audit, check, compare, decide, demo, diff, explain, export, label, litmus, pool, prompts, tune):
    main.add_command(command)
