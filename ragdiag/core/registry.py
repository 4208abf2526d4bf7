"""Strategies are files: ``"bm25(k1=1.2)"`` <-> an object, by name, loaded only when named.

A strategy is the one public dataclass of a module in the package of its family (`FAMILIES`);
its file name is its spec name, its fields are its parameters. Packages of other authors add theirs through an
entry-point group of the same name (``ragdiag.retrievers``), whose value is the dataclass.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import keyword
import pkgutil
import sys
import types
import typing
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from ragdiag.core.environment import import_quietly
from ragdiag.core.errors import MissingExtra, SpecError, did_you_mean

__all__ = ["FAMILIES", "NEWER", "make", "names", "require", "spec_of", "strategy_class", "without_usual"]


FAMILIES = {
    "chunkers": "ragdiag.search.chunkers",
    "contexts": "ragdiag.search.contexts",
    "retrievers": "ragdiag.search.retrievers",
    "failures": "ragdiag.diagnosis.failures",
    "judges": "ragdiag.answering.judges",
    "outputs": "ragdiag.reports.outputs",
    "exports": "ragdiag.exports",
}
"""The package of each family. The entry-point group by which others add to it is ``ragdiag.`` and the family's name."""


def names(family: str) -> list[str]:
    """The names of all strategies of a `family`, one of `FAMILIES`, sorted; no strategy is loaded."""
    package = importlib.import_module(FAMILIES[family])
    built_in = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    return sorted(built_in | {e.name for e in importlib.metadata.entry_points(group=f"ragdiag.{family}")})


def strategy_class(family: str, name: str) -> type:
    """The dataclass behind a strategy's name. Raises `SpecError` for an unknown one, with the nearest that is known."""
    package = importlib.import_module(FAMILIES[family])
    if name in {m.name for m in pkgutil.iter_modules(package.__path__)} and not name.startswith("_"):
        module = importlib.import_module(f"{FAMILIES[family]}.{name}")
        classes = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
        return next(c for c in classes if dataclasses.is_dataclass(c) and not c.__name__.startswith("_"))
    for entry in importlib.metadata.entry_points(group=f"ragdiag.{family}"):
        if entry.name == name:
            return _loaded(family, entry)
    raise SpecError(f"unknown {family[:-1]} {name!r}{did_you_mean(name, names(family))}")


def _loaded(family: str, entry: importlib.metadata.EntryPoint) -> type:
    """The class behind another package's entry point. Raises `SpecError`, which names that package's entry, for what is none."""
    try:
        cls = entry.load()
    except Exception as e:
        reason = " ".join(f"{type(e).__name__}: {e}".split())
        raise SpecError(f"{family[:-1]} {entry.name!r} ({entry.value}) cannot be loaded: {reason}") from e
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise SpecError(f"{family[:-1]} {entry.name!r} ({entry.value}) is not a dataclass")
    return cls


def make(family: str, spec: str) -> Any:
    """The strategy that a spec such as ``hybrid(bm25(k1=1.2), dense, fusion=rrf)`` describes.

    Bare words are text, numbers are numbers, positional arguments are strategies of the same family.
    Raises `SpecError` for bad syntax, unknown names and values a parameter cannot take.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes such as the one in "C:\models"
            tree = ast.parse(spec.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise _unreadable(spec) from e
    return _build(family, tree, spec)


def _unreadable(spec: str) -> SpecError:
    return SpecError(f"cannot read spec {spec!r}; write name or name(parameter=value), with quotes around paths")


def _build(family: str, tree: ast.expr, spec: str) -> Any:
    """The strategy that `tree` describes: the syntax tree of `spec` or of a part of it."""
    call = tree if isinstance(tree, ast.Call) else None
    head = call.func if call else tree
    if not isinstance(head, ast.Name):
        raise _unreadable(spec)
    name, cls = head.id, strategy_class(family, head.id)
    values = _arguments(family, name, cls, call, spec) if call else {}
    needed = [f.name for f in dataclasses.fields(cls) if f.init and f.default is f.default_factory is dataclasses.MISSING]
    if missing := [parameter for parameter in needed if parameter not in values]:
        raise SpecError(f"{name} needs parameter {missing[0]!r}, e.g. {name}({missing[0]}=...)")
    return cls(**values)


def _arguments(family: str, name: str, cls: Any, call: ast.Call, spec: str) -> dict[str, Any]:
    """The values that a call gives to parameters of the strategy `cls`."""
    parameters, hints = [f.name for f in dataclasses.fields(cls) if f.init], typing.get_type_hints(cls)
    values = _nested(family, name, cls, call.args, spec)
    for argument in call.keywords:
        parameter = argument.arg or "**"
        if parameter not in parameters:
            raise SpecError(f"{name} has no parameter {parameter!r}{did_you_mean(parameter, parameters)}")
        if parameter in values:
            raise SpecError(f"{name}: parameter {parameter!r} is given twice")
        if _nests(cls) and parameter == parameters[0]:
            raise SpecError(f"{name}: write what it works on without {parameter!r}=, e.g. {name}({names(family)[0]})")
        values[parameter] = _value(name, parameter, argument.value, hints[parameter])
    return values


def _nests(cls: type) -> bool:
    """Whether a strategy works on others of its family, which its first parameter holds."""
    return bool(getattr(cls, "nests", False))


def _nested(family: str, name: str, cls: Any, arguments: list[ast.expr], spec: str) -> dict[str, Any]:
    """The strategies given as positional arguments, as the value of the first parameter."""
    first = next((f.name for f in dataclasses.fields(cls)), "parameter")
    if not all(isinstance(a, (ast.Name, ast.Call)) for a in arguments):
        raise SpecError(f"{name}: name the parameter, e.g. {name}({first}=...)")
    if not arguments:
        return {}
    variadic = typing.get_origin(typing.get_type_hints(cls).get(first)) is tuple
    if not _nests(cls) or (len(arguments) > 1 and not variadic):
        raise SpecError(f"{name} takes no {family[:-1]} as an argument here; write {name}(parameter=value)")
    nested = tuple(_build(family, a, spec) for a in arguments)
    return {first: nested if variadic else nested[0]}


LARGEST = 10**30
"""No setting is a larger number, which is as good as all; sums and products of it are numbers still."""


def _value(name: str, parameter: str, node: ast.expr, hint: object) -> object:
    """What a parameter with the type `hint` is given. Raises `SpecError` where that is of another type."""
    try:
        value = node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as e:
        raise SpecError(f"{name}: {parameter} must be a number, a word or a quoted text") from e
    kinds = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    for kind in kinds:
        fits, converted = _converted(value, kind)
        if fits and isinstance(converted, (int, float)) and abs(converted) > LARGEST:
            raise SpecError(f"{name}: {parameter} must be at most 10^30")
        if fits:
            return converted
    raise SpecError(f"{name}: {parameter} must be {' or '.join(map(_described, kinds))}, not {value!r}")


def _converted(value: object, kind: object) -> tuple[bool, object]:
    """Whether `value` is of the type `kind`, and the value as that type; an int is a float too, a bool is no number."""
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind), value
    if typing.get_origin(kind) is tuple and isinstance(value, (tuple, list)):
        items = [_converted(item, typing.get_args(kind)[0]) for item in value]
        return all(fits for fits, _ in items), tuple(item for _, item in items)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        fits = abs(value) <= sys.float_info.max
        return fits, float(value) if fits else value
    return _plain(value, kind)


def _plain(value: object, kind: object) -> tuple[bool, object]:
    """`_converted` for the types that take a value as it is; a truth may be written as people do on a command line."""
    if kind is bool and value in ("true", "false"):
        return True, value == "true"
    return kind in (int, str, bool, types.NoneType) and type(value) is kind, value


def _described(kind: object) -> str:
    """A type as an error names it."""
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return "values such as (0.3, 0.7)"
    return TYPES.get(kind, str(kind))


NEWER: Mapping[str, bool] = {"newer": True}
"""For the `metadata` of a parameter that came later: a full spec has it where it is not the default, so that others stay as they
were.
"""

TYPES: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a word or a quoted text",
    bool: "true or false",
    types.NoneType: "None",
}
"""What errors call the types that a parameter may have."""


def spec_of(strategy: Any, full: bool = False) -> str:
    """The spec that makes `strategy` again: defaults left out, or (`full`) every parameter, as a signature needs."""
    cls = type(strategy)
    parts = [part for field in dataclasses.fields(cls) for part in _written(field, getattr(strategy, field.name), full)]
    name = name_of(cls)
    return f"{name}({', '.join(parts)})" if parts else name


def _written(field: dataclasses.Field[Any], value: object, full: bool) -> Iterator[str]:
    """The part, or parts, of a spec that give a parameter its value."""
    values = value if isinstance(value, tuple) else (value,)
    usual = (not full or field.metadata.get("newer")) and value == _default(field)
    if values and dataclasses.is_dataclass(values[0]):
        # One strategy that a step wraps is part of its name, the default too: dedupe(bm25), dedupe(hybrid).
        if not usual or not isinstance(value, tuple):
            yield from (spec_of(nested, full) for nested in values)
    elif not usual:
        yield f"{field.name}={_literal(value)}"


def _literal(value: object) -> str:
    """A value as a spec has it: a plain word as it is, anything else as a Python literal, which parses whatever a text holds."""
    is_word = isinstance(value, str) and value.isascii() and value.isidentifier() and not keyword.iskeyword(value)
    return str(value) if is_word else repr(value)


def without_usual(spec: str) -> str:
    """A chunker's full spec as people are shown it: without the parameters that are what one expects."""
    return spec.replace(", overlap=0", "").replace(", unit=tokens", "")


def name_of(cls: type) -> str:
    """A strategy's spec name: its file's name, or its entry point's for one from another package."""
    if cls.__module__.startswith("ragdiag."):
        return cls.__module__.rsplit(".", 1)[1]
    for family in FAMILIES:
        for entry in importlib.metadata.entry_points(group=f"ragdiag.{family}"):
            if entry.attr == cls.__qualname__ and _loaded(family, entry) is cls:
                return entry.name
    return cls.__name__.lower()


def _default(field: dataclasses.Field[Any]) -> object:
    """The value of a parameter that is not given."""
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def require(module: str, extra: str, instead: str = "") -> Any:
    """Import an optional package, quietly, or raise `MissingExtra` with its pip line; `instead` names a way to do without."""
    try:
        return import_quietly(module)
    except ModuleNotFoundError as e:
        raise MissingExtra(module.split(".")[0].replace("_", "-"), extra, instead) from e
