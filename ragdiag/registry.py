"""Strategies are files: ``"bm25(k1=1.2)"`` <-> an object, by name, loaded only when named.

A strategy is the one public dataclass of a module in `ragdiag.chunkers`, `ragdiag.contexts` or `ragdiag.retrievers`;
its file name is its spec name, its fields are its parameters. Packages of other authors add theirs through an
entry-point group of the same name (``ragdiag.retrievers``), whose value is the dataclass.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import pkgutil
import types
import typing
from typing import Any

from ragdiag.errors import MissingExtra, SpecError, did_you_mean

__all__ = ["make", "names", "require", "spec_of", "strategy_class"]


def names(family: str) -> list[str]:
    """The names of all strategies of a `family` ("chunkers", "contexts", "retrievers"), sorted; nothing is loaded."""
    package = importlib.import_module(f"ragdiag.{family}")
    built_in = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    return sorted(built_in | {e.name for e in importlib.metadata.entry_points(group=f"ragdiag.{family}")})


def strategy_class(family: str, name: str) -> type:
    """The dataclass behind a strategy's name. Raises `SpecError` with a suggestion for an unknown one."""
    package = importlib.import_module(f"ragdiag.{family}")
    if name in {m.name for m in pkgutil.iter_modules(package.__path__)} and not name.startswith("_"):
        module = importlib.import_module(f"ragdiag.{family}.{name}")
        own = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
        return next(c for c in own if dataclasses.is_dataclass(c) and not c.__name__.startswith("_"))
    for entry in importlib.metadata.entry_points(group=f"ragdiag.{family}"):
        if entry.name == name:
            return typing.cast(type, entry.load())
    raise SpecError(f"unknown {family[:-1]} {name!r}{did_you_mean(name, names(family))}")


def make(family: str, spec: str) -> Any:
    """The strategy that a spec such as ``hybrid(bm25(k1=1.2), dense, fusion=rrf)`` describes.

    Bare words are text, numbers are numbers, positional arguments are strategies of the same family.
    Raises `SpecError` for bad syntax, unknown names and values a parameter cannot take.
    """
    try:
        tree = ast.parse(spec.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise SpecError(f"cannot read spec {spec!r}; write name or name(parameter=value), with quotes around paths") from e
    return _build(family, tree, spec)


def _build(family: str, tree: ast.expr, spec: str) -> Any:
    call = tree if isinstance(tree, ast.Call) else None
    head = call.func if call else tree
    if not isinstance(head, ast.Name):
        raise SpecError(f"cannot read spec {spec!r}; write name or name(parameter=value), with quotes around paths")
    cls = strategy_class(family, head.id)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    given: dict[str, Any] = {}
    nested = [_build(family, a, spec) for a in call.args if isinstance(a, (ast.Name, ast.Call))] if call else []
    if call and len(nested) < len(call.args):
        first = next(iter(fields), "parameter")
        raise SpecError(f"{head.id}: name the parameter, e.g. {head.id}({first}=...)")
    if nested:
        first = next(iter(fields), "")
        variadic = typing.get_origin(hints.get(first)) is tuple
        if not getattr(cls, "nests", False) or (len(nested) > 1 and not variadic):
            raise SpecError(f"{head.id} takes no {family[:-1]} as an argument here; write {head.id}(parameter=value)")
        given[first] = tuple(nested) if variadic else nested[0]
    for keyword in call.keywords if call else []:
        if keyword.arg is None or keyword.arg not in fields:
            raise SpecError(f"{head.id} has no parameter {keyword.arg!r}{did_you_mean(keyword.arg or '', fields)}")
        if keyword.arg in given:
            raise SpecError(f"{head.id}: parameter {keyword.arg!r} is given twice")
        given[keyword.arg] = _value(head.id, keyword.arg, keyword.value, hints[keyword.arg])
    missing = [n for n, f in fields.items() if n not in given and f.default is f.default_factory is dataclasses.MISSING]
    if missing:
        raise SpecError(f"{head.id} needs parameter {missing[0]!r}, e.g. {head.id}({missing[0]}=...)")
    return cls(**given)


def _value(name: str, parameter: str, node: ast.expr, hint: Any) -> Any:
    try:
        value = node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError) as e:
        raise SpecError(f"{name}: {parameter} must be a number, a word or a quoted text") from e
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for kind in allowed:
        if typing.get_origin(kind) is typing.Literal:
            if value in typing.get_args(kind):
                return value
        elif typing.get_origin(kind) is tuple:
            if isinstance(value, (tuple, list)) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
                return tuple(float(v) for v in value)
        elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        elif isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
    wanted = " or ".join(
        ", ".join(map(str, typing.get_args(k)))
        if typing.get_origin(k) is typing.Literal
        else "numbers such as (0.3, 0.7)"
        if typing.get_origin(k) is tuple
        else k.__name__
        for k in allowed
    )
    raise SpecError(f"{name}: {parameter} must be {wanted}, not {value!r}")


def spec_of(strategy: Any, full: bool = False) -> str:
    """The spec that makes `strategy` again: defaults left out, or (`full`) every parameter, as a signature needs."""
    cls = type(strategy)
    parts = []
    for field in dataclasses.fields(cls):
        value = getattr(strategy, field.name)
        if dataclasses.is_dataclass(value) or (isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0])):
            nested = value if isinstance(value, tuple) else (value,)
            if full or value != _default(field):
                parts += [spec_of(v, full) for v in nested]
        elif full or value != _default(field):
            # A JSON-like literal parses back whatever the text holds; plain words stay plain.
            plain = isinstance(value, str) and value.isidentifier() and value not in ("None", "True", "False")
            parts.append(f"{field.name}={value if plain else repr(value)}")
    name = name_of(cls)
    return f"{name}({', '.join(parts)})" if parts else name


def name_of(cls: type) -> str:
    """A strategy's spec name: its file's name, or its entry point's for one from another package."""
    if cls.__module__.startswith("ragdiag."):
        return cls.__module__.rsplit(".", 1)[1]
    for family in ("chunkers", "contexts", "retrievers"):
        for entry in importlib.metadata.entry_points(group=f"ragdiag.{family}"):
            if entry.value == f"{cls.__module__}:{cls.__qualname__}":
                return entry.name
    return cls.__name__.lower()


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def require(module: str, extra: str, instead: str = "") -> Any:
    """Import an optional package, or raise `MissingExtra` with its pip line; `instead` names a way to do without."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as e:
        raise MissingExtra(module.split(".")[0].replace("_", "-"), extra, instead) from e
