"""Before any work is done: can every file that a command is to write be written, without harm to another that is named?"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ragdiag.cli.config import Does, Option

if TYPE_CHECKING:
    from ragdiag.reports.output import Output

__all__ = ["check_outputs", "forms_of"]

STDIN = STDOUT = "-"

INPUTS = ("corpus", "queries", "old", "new")
"""Arguments that name files."""


def check_outputs() -> None:
    """Of the command that runs. Raises `UsageError` for a file that cannot be written, or that something else names as well."""
    from ragdiag.core.errors import UsageError
    from ragdiag.core.writing import check_writable

    named = list(_named(click.get_current_context()))
    outputs = [(option, file) for option, file in named if isinstance(option, Option) and option.does is Does.WRITES]
    for option, file in outputs:
        if file != STDOUT:
            check_writable(Path(file))
            if Path(file).exists() and not Path(file).is_file():
                continue  # a device takes whatever comes
        for other, name in named:
            if other is option or not _holds(name, file):
                continue
            if (other, name) in outputs:
                raise UsageError(f"{option.opts[0]} and {other.opts[0]} both name {file}; choose two files")
            raise UsageError(f"{option.opts[0]} {file} would overwrite an input; choose another file")


def forms_of(
    result: Literal["audit", "compare", "diff", "litmus", "tune"],
    json_file: str | None,
    html_file: str | None,
    others: Sequence[str],
) -> list[tuple[str, Output]]:
    """The files that a result goes to, each with its form: ``--json``, ``--html``, then what ``--output`` names.

    Raises `UsageError` for a name that asks for no form, or for one that there is not of this result.
    """
    from ragdiag.reports.output import output_for

    named = [(file, f"report.{form}") for file, form in ((html_file, "html"), (json_file, "json")) if file]
    return [(file, output_for(name, result)) for file, name in (*named, *((file, file) for file in others))]


def _named(context: click.Context) -> Iterator[tuple[click.Parameter, str]]:
    """Every file that the command is given, with the option or argument that names it; standard input is none."""
    from ragdiag.answering.answers import split_source

    for parameter in context.command.params:
        values = context.params.get(str(parameter.name))
        for value in values if isinstance(values, tuple) else (values,):
            output = isinstance(parameter, Option) and parameter.does is Does.WRITES
            if isinstance(value, str) and (output or value != STDIN) and _names_a_file(parameter):
                yield parameter, str(split_source(value)[1]) if parameter.name == "answers" else value


def _names_a_file(parameter: click.Parameter) -> bool:
    if isinstance(parameter, Option):
        return parameter.does is Does.READS or (parameter.does is Does.WRITES and parameter.metavar == "FILE")
    return parameter.name in INPUTS


def _holds(name: str, file: str) -> bool:
    """Whether `file` is what `name` names, or is there in the folder, or among the files of the glob, that it names."""
    from ragdiag.core.writing import real

    if STDOUT in (name, file):
        return name == file
    there = Path(file).is_file()
    if there and glob.has_magic(name) and not Path(name).exists():
        return real(file) in map(real, glob.iglob(name, recursive=True))  # noqa: PTH207  # it may be absolute
    return real(name) == real(file) or (there and real(name) in real(file).parents)
