"""Modules made of definitions: those that are needed, by name, with their imports, as Python is usually laid out."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

__all__ = ["called", "module"]

WIDTH = 88
"""Characters of a line, as Black and Ruff have it by default."""

_HINT_FOR_MYPY = re.compile(r"  # type: ignore\S*$", re.MULTILINE)


class _Import(NamedTuple):
    """What makes a name known: ``from module import name``, or without a name ``import module``."""

    module: str
    name: str = ""
    alias: str = ""


class _Definition(NamedTuple):
    """A function, a class or a constant: its lines, and the names that it uses."""

    code: str
    uses: frozenset[str]
    is_constant: bool


def module(doc: str, sources: Iterable[str], wanted: Sequence[str]) -> tuple[str, list[str]]:
    """A module that defines the names `wanted`, with all of `sources` that these need, in their order; and what it imports.

    A name that several of `sources` define is the last one's, at the place of the first; what is wanted comes last.
    """
    known, imports = _told(sources)
    needed = _reached(known, wanted)
    used = {name for each in needed for name in known[each].uses}
    lines = sorted({imports[name] for name in used & imports.keys()})
    chosen = [known[name] for name in (*(name for name in known if name in needed and name not in wanted), *wanted)]
    return _written(doc, lines, chosen), sorted({line.module.partition(".")[0] for line in lines})


def _told(sources: Iterable[str]) -> tuple[dict[str, _Definition], dict[str, _Import]]:
    """What `sources` define, and what they import and none of them defines, by name."""
    found = [pair for source in sources for pair in _names(source)]
    known = {name: each for name, each in found if isinstance(each, _Definition)}
    return known, {name: each for name, each in found if isinstance(each, _Import) and name not in known}


def called(target: str, arguments: Iterable[str], indent: int = 4, before: str = "") -> str:
    """A line that calls `target`, one argument a line where they do not fit; `before` stands before it."""
    given = list(arguments)
    line = f"{' ' * indent}{before}{target}({', '.join(given)})"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"{' ' * (indent + 4)}{argument},\n" for argument in given)
    return f"{' ' * indent}{before}{target}(\n{inner}{' ' * indent})"


def _names(source: str) -> Iterator[tuple[str, _Definition | _Import]]:
    """What a source makes known."""
    lines = source.split("\n")
    for node in ast.parse(source).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imported(node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, _definition(node, lines, first, False)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id != "__all__":
            first = node.lineno
            while lines[first - 2].startswith("#"):
                first -= 1
            yield node.targets[0].id, _definition(node, lines, first, True)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, _Import]]:
    """What an import makes known; nothing where it is of the future."""
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    for name in node.names if module != "__future__" else ():
        parts = (module, name.name) if module else (name.name, "")
        yield name.asname or name.name, _Import(*parts, name.asname or "")


def _definition(node: ast.stmt, lines: list[str], first: int, is_constant: bool) -> _Definition:
    code = _HINT_FOR_MYPY.sub("", "\n".join(lines[first - 1 : node.end_lineno]))
    uses = frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    return _Definition(code, uses, is_constant)


def _reached(known: Mapping[str, _Definition], wanted: Iterable[str]) -> set[str]:
    """The names that are wanted, those that they use, and so on."""
    needed, new = set[str](), set(wanted)
    while new:
        needed |= new
        new = {name for each in new for name in known[each].uses if name in known} - needed
    return needed


def _written(doc: str, imports: list[_Import], definitions: list[_Definition]) -> str:
    parts = [f'"""{doc}"""', *_import_blocks(imports)]
    code = "\n\n".join(parts)
    constants = [each.code for each in definitions if each.is_constant]
    if constants:
        code += "\n\n" + "\n".join(constants)
    return code + "".join(f"\n\n\n{each.code}" for each in definitions if not each.is_constant) + "\n"


def _import_blocks(imports: list[_Import]) -> Iterator[str]:
    """Python's own modules, then the others."""
    own = [i for i in imports if i.module.partition(".")[0] in sys.stdlib_module_names]
    for block in (own, [i for i in imports if i not in own]):
        if block:
            yield "\n".join(_import_lines(block))


def _import_lines(block: list[_Import]) -> Iterator[str]:
    """Whole modules, then members of others."""
    yield from (f"import {i.module}{f' as {i.alias}' if i.alias else ''}" for i in block if not i.name)
    for module in sorted({i.module for i in block if i.name}, key=str.lower):
        yield _from(module, [i.name for i in block if i.name and i.module == module])


def _from(name: str, members: list[str]) -> str:
    """An import of members of a module: constants first, then classes, then functions."""
    members = sorted(members, key=lambda m: (not m.isupper(), not m[0].isupper(), m))
    line = f"from {name} import {', '.join(members)}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {member},\n" for member in members)
    return f"from {name} import (\n{inner})"
