"""Rules of format and style that answers must keep: right content in the wrong form is a behavior problem."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ragdiag.core.errors import InputError, SpecError, did_you_mean
from ragdiag.core.files import is_deep, parse_json, read_text
from ragdiag.core.registry import require

__all__ = ["Rule", "broken", "load_rules", "spoken"]

KINDS = ("format", "style", "tone", "vocabulary")
"""Kinds of rules. The checks are the same for all; a wrong answer is of the first kind that it breaks."""

REMEDY = 'write {"format": {...}, "style": {...}, "tone": {...}, "vocabulary": {...}}, each with any of: '


@dataclass(frozen=True)
class Rule:
    """One thing that an answer must keep, of one of `KINDS`. `kept` says of an answer's text whether it does."""

    kind: str
    name: str
    kept: Callable[[str], bool]


def load_rules(path: str | Path) -> tuple[Rule, ...]:
    """The rules of a JSON file: under any of `KINDS` any of the checks of `CHECKS`.

    Raises `InputError` for what is no rule, `MissingExtra` for a JSON Schema without the library that reads it.
    """
    path = Path(path)
    by_kind = parse_json(read_text(path), path)
    if not isinstance(by_kind, dict) or not by_kind:
        raise InputError("holds no rules", path, remedy=REMEDY + ", ".join(CHECKS))
    rules: list[Rule] = []
    for kind, checks in by_kind.items():
        if kind not in KINDS:
            raise InputError(f"unknown kind of rule {kind!r}{did_you_mean(kind, KINDS)}", path)
        if not isinstance(checks, dict) or not checks:
            raise InputError(f"{kind!r} holds no checks", path, remedy=REMEDY + ", ".join(CHECKS))
        for check, value in checks.items():
            if check not in CHECKS:
                raise InputError(f"unknown check {check!r}{did_you_mean(check, CHECKS)}", path)
            try:
                rules += [Rule(kind, name, kept) for name, kept in CHECKS[check](check, value)]
            except (TypeError, ValueError, re.error) as e:
                raise InputError(f"{kind} {check}: {e}", path, remedy="mend that check") from e
    return tuple(rules)


def broken(rules: tuple[Rule, ...], answer: str) -> tuple[Rule, ...]:
    """The rules that an answer breaks."""
    return tuple(rule for rule in rules if not rule.kept(answer.strip()))


def spoken(answer: str) -> str:
    """What an answer says: of one that is a JSON object or list its values, of any other all of it."""
    if answer.strip()[:1] not in ("{", "["):
        return answer
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    return "\n".join(_values(value)) or answer


def _values(value: object) -> Iterator[str]:
    """The texts and numbers in a JSON value, in order; without recursion, since values nest as deep as they like."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += list(value.values())[::-1]
        elif isinstance(value, list):
            todo += value[::-1]
        elif isinstance(value, bool):
            yield "yes" if value else "no"
        elif value is not None:
            yield str(value)


PROBES = ("null", "{}", "[]", '""', "0", "true")
"""Answers that show before any work is done most of what a schema refers to and does not hold."""

Named = Iterator[tuple[str, Callable[[str], bool]]]
"""Names of rules, each with what says of an answer's text whether it keeps the rule."""

Check = Callable[[str, object], Named]
"""Makes the rules that a name and a value in the file ask for. Raises `TypeError` or `ValueError` for other values."""


def _texts(value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v for v in values):
        raise TypeError("a text, or a list of texts, is expected")
    return values


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a number, 0 or more, is expected")
    return value


def _schema(name: str, schema: object) -> Named:
    """The whole answer is JSON that the schema allows. What a schema refers to elsewhere is never fetched."""
    jsonschema, referencing = require("jsonschema", "rules"), require("referencing", "rules")
    if not isinstance(schema, dict):
        raise TypeError("a JSON Schema is an object")
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as e:
        raise ValueError(f"is no JSON Schema ({e.message})") from e
    validator = kind(schema, registry=referencing.Registry())

    def kept(answer: str) -> bool:
        try:
            value = json.loads(answer)
        except (ValueError, RecursionError):
            return False
        try:
            return not is_deep(value, answer) and bool(validator.is_valid(value))
        except RecursionError as e:
            raise SpecError("the JSON Schema of the format rules refers to itself without end") from e
        except referencing.exceptions.Unresolvable as e:
            raise SpecError(f"the JSON Schema of the format rules refers to {e.ref!r}, which is not in it") from e

    for value in PROBES:
        kept(value)
    yield name, kept


def _whole(name: str, value: object) -> Named:
    for text in _texts(value):
        pattern = re.compile(text, re.DOTALL)
        yield f"{name} {text}", lambda answer, p=pattern: p.fullmatch(answer) is not None  # type: ignore[misc]


def _found(wanted: bool) -> Check:
    def checks(name: str, value: object) -> Named:
        for text in _texts(value):
            pattern = re.compile(text)
            yield f"{name} {text}", lambda answer, p=pattern: (p.search(answer) is not None) == wanted  # type: ignore[misc]

    return checks


def _held(wanted: bool) -> Check:
    def checks(name: str, value: object) -> Named:
        for text in _texts(value):
            yield f"{name} {text}", lambda answer, t=text: (t in answer) == wanted  # type: ignore[misc]

    return checks


def _size(size: Callable[[str], int], most: bool) -> Check:
    def checks(name: str, value: object) -> Named:
        limit = _number(value)
        yield f"{name} {limit}", lambda answer: size(answer) <= limit if most else size(answer) >= limit

    return checks


CHECKS: Mapping[str, Check] = {
    "json_schema": _schema,
    "regex": _whole,
    "must_match": _found(True),
    "must_not_match": _found(False),
    "must_contain": _held(True),
    "must_not_contain": _held(False),
    "max_words": _size(lambda answer: len(answer.split()), True),
    "min_words": _size(lambda answer: len(answer.split()), False),
    "max_characters": _size(len, True),
    "min_characters": _size(len, False),
}
"""What a rule may ask: `regex` of the whole answer, `must_match` and `must_not_match` of any part; texts are compared exactly."""
