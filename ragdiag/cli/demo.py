"""``ragdiag demo``: audit, explain, compare and litmus on a small corpus that comes with the package."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragdiag.cli.audit import audit
from ragdiag.cli.compare import compare
from ragdiag.cli.ending import standard_output
from ragdiag.cli.explain import explain
from ragdiag.cli.flags import writes
from ragdiag.cli.litmus import litmus

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["demo"]

FILES = "demo_files"
"""The folder beside this module: a made-up company's documents, with questions that fail for reasons put there on purpose."""

COMMANDS = {command.name: command for command in (audit, explain, compare, litmus)}

CUT = ("--chunker", "sentence(size=60)", "-k", "3")
"""The documents are short: so are chunks and contexts."""

PIPELINE = ("--retriever", "bm25", "--swap", "none", *CUT)
"""By words alone, so that it is quick and needs no model: every machine shows the same."""

FIXES = ("--retriever", "bm25", "--retriever", "latest(bm25)", "--retriever", "bm25(stem=english)")
"""What `compare` holds against each other: the last two are fixes that an audit names."""

TOLD = "meals"
"""The query that is explained: an older version of its document stands above the one in force."""


@click.command()
@writes("--out", metavar="DIR", default="ragdiag-demo", show_default=True, help="Where the demo's files go, for you to look at.")
@click.pass_context
def demo(context: click.Context, out: str) -> None:
    """Run audit, explain, compare and litmus on a small corpus of ours, with faults put into it; needs no model, no network.

    Each command is shown as you would type it. Files that are there are never overwritten.
    """
    _unpack(Path(out))
    for n, (says, arguments) in enumerate(_steps(Path(out))):
        with standard_output():
            click.echo("\n" * bool(n) + click.style(f"# {says}", dim=True))
            click.echo(click.style(f"$ ragdiag {shlex.join(arguments)}", bold=True))
        _run(context, *arguments)
    with standard_output():
        click.echo(f"\nThe files are in {out}: change them and try again. With your own: ragdiag audit CORPUS QUERIES")


def _steps(folder: Path) -> list[tuple[str, list[str]]]:
    """What each command is for, and the command."""
    corpus, queries = str(folder / "corpus"), str(folder / "queries.jsonl")
    answers = str(folder / "answers.jsonl")
    return [
        ("How many questions get their evidence, and why do the others not?", ["audit", corpus, queries, *PIPELINE]),
        ("Why does this one fail, and what proves it?", ["explain", corpus, queries, TOLD, *PIPELINE]),
        ("What would a fix bring, and what would it break?", ["compare", corpus, queries, *FIXES, *CUT, "--no-causes"]),
        ("The answers were wrong: was it retrieval?", ["litmus", queries, "--answers", answers, "--corpus", corpus, *PIPELINE]),
    ]


def _run(context: click.Context, name: str, *arguments: str) -> None:
    """A command as the user would run it. Ends where it fails."""
    command = COMMANDS[name]
    try:
        with command.make_context(name, list(arguments), parent=context.parent) as child:
            command.invoke(child)
    except SystemExit as e:
        if e.code:
            raise


def _unpack(folder: Path) -> None:
    """Write the demo's files. Raises `UsageError` where one is there that is another, and then writes none."""
    from importlib.resources import files

    from ragdiag.core.errors import UsageError
    from ragdiag.core.writing import make_folder, write_atomically

    new = {}
    for parts, source in _files(files(__package__) / FILES):
        path, content = folder.joinpath(*parts), source.read_bytes()
        if not path.exists():
            new[path] = content
        elif not path.is_file() or path.read_bytes() != content:
            raise UsageError(f"{path} is there and is no file of the demo's; name another folder with --out")
    make_folder(folder)
    for path, content in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


def _files(folder: Traversable, *parts: str) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    """Every file in a folder of the package, with its path there."""
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            yield from _files(each, *parts, each.name)
        else:
            yield (*parts, each.name), each
