"""Defaults for the command line: ``ragdiag.toml``, or ``[tool.ragdiag]`` in ``pyproject.toml``, of the folder it runs in.

That folder may be anybody's. So its configuration says how something is measured and shown, and what is read for that; what
writes, runs code, connects, agrees to something or says what asking a model costs is given on the command line alone. Each
option says which it is (`Does`).
"""

from __future__ import annotations

import enum
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

__all__ = ["CONFIGURABLE", "Configuration", "Does", "Option", "read_configuration", "settle"]

OWN, SHARED, SECTION = "ragdiag.toml", "pyproject.toml", "[tool.ragdiag]"
REMEDY = "the configuration of a folder does not: remove it, and give --{} on the command line"


class Does(enum.Enum):
    """What the value of an option brings about."""

    TELLS = "says how something is measured or shown"
    READS = "names a file to read"
    CHOOSES = "names strategies, which may have a model to fetch or a server to ask"
    WRITES = "says where something is written"
    CONNECTS = "connects, or runs code"
    SPENDS = "says how often, which or how dear a model is asked, which may be paid for"
    AGREES = "agrees in your place"


CONFIGURABLE = {Does.TELLS, Does.READS, Does.CHOOSES}
"""What may stand in a folder's configuration; of what is chosen only what stays on this machine."""


class Option(click.Option):
    """An option that says what its value brings about; of one that chooses strategies, `family` is the one that they are of."""

    def __init__(self, names: Sequence[str], *, does: Does, family: str = "", **attributes: Any) -> None:
        super().__init__(names, **attributes)
        self.does, self.family = does, family

    def process_value(self, ctx: click.Context, value: object) -> object:
        """As click's. Raises `InputError` for a strategy of the configuration that would connect to something."""
        chosen = super().process_value(ctx, value)
        if self.does is Does.CHOOSES and ctx.get_parameter_source(str(self.name)) is ParameterSource.DEFAULT_MAP:
            self._stay_here(ctx.find_root().obj, [chosen] if isinstance(chosen, str) else chosen)
        return chosen

    def _stay_here(self, configuration: Configuration, specs: Sequence[str]) -> None:
        from ragdiag.core.errors import SpecError
        from ragdiag.core.options import NO_SWAP
        from ragdiag.core.registry import make
        from ragdiag.core.remote import remote_part

        for spec in (spec for spec in specs if spec != NO_SWAP):
            try:
                part = remote_part(make(self.family, spec))
            except SpecError as e:
                raise configuration.error(self, str(e), "mend it") from e
            if part:
                message = f"{_name(self)!r} names what may have to be fetched or asked elsewhere, or run as code ({part})"
                raise configuration.error(self, message, REMEDY.format(_name(self)))


def _by_name(commands: Mapping[str, Sequence[Option]]) -> dict[str, Option]:
    """The options by their names; of one that several commands have the one that may least be configured: one may write."""
    every = [option for options in commands.values() for option in options]
    return {_name(option): option for option in sorted(every, key=lambda option: option.does not in CONFIGURABLE)}


KINDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", str: "a text"}


EXCLUSIVE = (
    ("k", "budget", "-k and --budget both set the context's size"),
    ("run_file", "retriever", "--run takes the place of --retriever"),
    ("run_file", "chunker", "--run brings its own chunks, or those of --chunks, in place of --chunker"),
    ("run_file", "context", "--run brings its own ranking, which --context cannot change"),
    ("chunks", "chunker", "--chunks takes the place of --chunker"),
    ("cache", "no_cache", "--cache and --no-cache contradict each other"),
    ("cluster", "jobs", "--jobs counts processes of this machine, and --cluster has its own workers"),
)
"""Pairs of options that exclude each other, and why."""


class Configuration(NamedTuple):
    """A configuration file's table, its keys as written."""

    file: Path
    text: str
    table: Mapping[str, object]

    def line(self, option: str) -> int:
        """The line that sets an option, by its name without dashes in front; 0 where it cannot be told."""
        start = max(self.text.find(SECTION), 0)
        name = re.sub("[-_]", "[-_]", option)
        key = re.compile(rf"""^[ \t]*(["']?){name}\1[ \t]*=""", re.MULTILINE).search(self.text, start)
        return _line(self.text, key.start()) if key else 0

    def defaults(self, commands: Mapping[str, Sequence[Option]]) -> dict[str, dict[str, object]]:
        """Click's default map.

        Raises `InputError` for an option that no command has, one that no configuration may set, and a value of the wrong kind.
        """
        from ragdiag.core.errors import InputError, did_you_mean

        known = _by_name(commands)
        for key in self.table:
            option = known.get(key.replace("_", "-"))
            if option is None:
                message = f"unknown option {key!r}{did_you_mean(key.replace('_', '-'), known)}"
                raise InputError(message, self.file, self.line(key), "mend or remove it")
            if option.does not in CONFIGURABLE:
                raise self.error(option, f"{key!r} {option.does.value}", REMEDY.format(_name(option)))
        given = {key.replace("_", "-"): value for key, value in self.table.items()}
        return {
            command: {str(o.name): self._checked(o, given[_name(o)]) for o in options if _name(o) in given}
            for command, options in commands.items()
        }

    def error(self, option: click.Option, message: str, remedy: str) -> Exception:
        """An `InputError` with the line that sets an option."""
        from ragdiag.core.errors import InputError

        return InputError(message, self.file, self.line(_name(option)), remedy)

    def _checked(self, option: click.Option, value: object) -> object:
        """A value as click would take it from the command line, which holds only texts: so the kind is checked here."""
        kind = bool if option.is_flag else int if isinstance(option.type, click.types.IntParamType) else str
        values = value if option.multiple and isinstance(value, list) else [value]
        if any("\0" in v for v in values if isinstance(v, str)):
            raise self.error(option, f"{_name(option)!r} holds a null character", "mend it")
        if any(type(v) is not kind for v in values):
            wanted = KINDS[kind] + (", or a list of such" if option.multiple else "")
            raise self.error(option, f"{_name(option)!r} must be {wanted}", "mend it")
        return values if option.multiple else value


def _name(option: click.Option) -> str:
    return option.opts[-1].lstrip("-").replace("_", "-")


def read_configuration() -> Configuration | None:
    """The configuration of this folder, None where there is none. Raises `InputError` for a broken or unreadable one."""
    configurations = (_read(Path(name)) for name in (OWN, SHARED) if os.path.lexists(name))
    return next(filter(None, configurations), None)


def _read(path: Path) -> Configuration | None:
    """The configuration in a file; None in one that holds none of ours."""
    from ragdiag.core.errors import InputError
    from ragdiag.core.files import read_bytes, read_text

    if path.name == SHARED and b"ragdiag" not in read_bytes(path):  # then whatever is wrong with it is none of our business
        return None
    text = read_text(path)
    whole = _parsed(text, path)
    table: object = whole
    if path.name == SHARED:
        tool = whole.get("tool")
        table = tool.get("ragdiag", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        line = _line(text, text.find("ragdiag"))
        raise InputError("tool.ragdiag must be a table", path, line, f"write {SECTION} above the options")
    return Configuration(path, text, table) if table else None  # the word may stand in a comment only


def _parsed(text: str, path: Path) -> dict[str, object]:
    from ragdiag.core.errors import InputError

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as e:  # numbers of thousands of digits and lists in lists are no errors of TOML
        at = re.search(r" \(at line (\d+), column \d+\)", str(e))
        message = str(e).replace(at[0], "") if at else str(e)
        raise InputError(f"broken TOML: {message}", path, int(at[1]) if at else 0, "mend it") from e


def _line(text: str, position: int) -> int:
    """The number of the line that a position is on, from 1."""
    return text.count("\n", 0, position) + 1


def settle(given: dict[str, object]) -> None:
    """Of two options that exclude each other, drop the one that the configuration gave where the other is on the command line."""
    from ragdiag.core.errors import UsageError

    rank = {ParameterSource.COMMANDLINE: 2, ParameterSource.DEFAULT_MAP: 1}
    source = click.get_current_context().get_parameter_source
    for one, other, why in EXCLUSIVE:
        ranks = [rank.get(source(name) or ParameterSource.DEFAULT, 0) if name in given else 0 for name in (one, other)]
        if 0 in ranks:
            continue
        if ranks[0] == ranks[1]:
            raise UsageError(f"{why}: give one")
        given.pop(one if ranks[0] < ranks[1] else other)
