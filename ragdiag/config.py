"""Defaults for the command line: ``ragdiag.toml``, or ``[tool.ragdiag]`` in ``pyproject.toml``, of the folder it runs in."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

__all__ = ["Configuration", "read_configuration", "settle"]

OWN, SHARED, SECTION = "ragdiag.toml", "pyproject.toml", "[tool.ragdiag]"

KINDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", str: "a text"}


EXCLUSIVE = (
    ("k", "budget", "-k and --budget both set the context's size"),
    ("run_file", "retriever", "--run takes the place of --retriever"),
    ("run_file", "chunker", "--run brings its own chunks, or those of --chunks, in place of --chunker"),
    ("run_file", "context", "--run brings its own ranking, which --context cannot change"),
    ("chunks", "chunker", "--chunks takes the place of --chunker"),
    ("cache", "no_cache", "--cache and --no-cache contradict each other"),
)
"""Pairs of options that exclude each other, and why."""


class Configuration(NamedTuple):
    """A configuration file's table, its keys as written."""

    file: Path
    text: str
    table: Mapping[str, Any]

    def line(self, option: str) -> int:
        """The line that sets an option, by its name without dashes in front; 0 where it cannot be told."""
        start = max(self.text.find(SECTION), 0)
        name = re.sub("[-_]", "[-_]", option)
        found = re.compile(rf"""^[ \t]*(["']?){name}\1[ \t]*=""", re.MULTILINE).search(self.text, start)
        return self.text.count("\n", 0, found.start()) + 1 if found else 0

    def defaults(self, commands: Mapping[str, Sequence[click.Option]]) -> dict[str, dict[str, Any]]:
        """Click's default map. Raises `InputError` for an option that no command has, and for a value of the wrong kind."""
        from ragdiag.errors import InputError, did_you_mean

        known = {_name(option) for options in commands.values() for option in options}
        for key in self.table:
            if key.replace("_", "-") not in known:
                message = f"unknown option {key!r}{did_you_mean(key.replace('_', '-'), known)}"
                raise InputError(message, self.file, self.line(key), "mend or remove it")
        given = {key.replace("_", "-"): value for key, value in self.table.items()}
        return {
            command: {str(o.name): self._checked(o, given[_name(o)]) for o in options if _name(o) in given}
            for command, options in commands.items()
        }

    def _checked(self, option: click.Option, value: Any) -> Any:
        """A value as click would take it from the command line, which holds only texts: so the kind is checked here."""
        kind = bool if option.is_flag else int if isinstance(option.type, click.types.IntParamType) else str
        values = value if option.multiple and isinstance(value, list) else [value]
        if any(type(v) is not kind for v in values):
            from ragdiag.errors import InputError

            wanted = KINDS[kind] + (", or a list of such" if option.multiple else "")
            raise InputError(f"{_name(option)!r} must be {wanted}", self.file, self.line(_name(option)), "mend it")
        return values if option.multiple else value


def _name(option: click.Option) -> str:
    return option.opts[-1].lstrip("-").replace("_", "-")


def read_configuration() -> Configuration | None:
    """The configuration of this folder, None where there is none. Raises `InputError` for a broken one."""
    for path in (Path(OWN), Path(SHARED)):
        if not path.is_file() or (path.name == SHARED and SECTION not in path.read_text(encoding="utf-8", errors="replace")):
            continue
        from ragdiag.errors import InputError
        from ragdiag.files import read_text

        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        text = read_text(path)
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as e:
            at = re.search(r" \(at line (\d+), column \d+\)", str(e))
            message = str(e).replace(at[0], "") if at else str(e)
            raise InputError(f"broken TOML: {message}", path, int(at[1]) if at else 0, "mend it") from e
        own = table if path.name == OWN else table.get("tool", {}).get("ragdiag")
        if own:  # the section's name may stand in a comment only
            return Configuration(path, text, own)
    return None


def settle(given: dict[str, Any]) -> None:
    """Of two options that exclude each other, drop the one that the configuration gave where the other is on the command line."""
    from ragdiag.errors import UsageError

    rank = {ParameterSource.COMMANDLINE: 2, ParameterSource.DEFAULT_MAP: 1}
    source = click.get_current_context().get_parameter_source
    for one, other, why in EXCLUSIVE:
        ranks = [rank.get(source(name) or ParameterSource.DEFAULT, 0) if name in given else 0 for name in (one, other)]
        if 0 in ranks:
            continue
        if ranks[0] == ranks[1]:
            raise UsageError(f"{why}: give one")
        given.pop(one if ranks[0] < ranks[1] else other)
