"""One JSON value with many records: a list, an object with one, or columns as pandas (``to_json``) and datasets write them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["QUERY", "rows"]

WITHIN = ("data", "Data", "queries", "questions", "samples", "examples")
"""What files call their list of records."""

QUERY = ("_id", "text", "question", "Question", "user_input", "input", "query")
"""What a single query has, or a column of them is called."""


def rows(value: object) -> list[object] | None:
    """The records of a JSON value that holds several; None for one that is a record, or holds none."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    if value.keys() & {*QUERY}:
        return _of_columns(value)
    names, data = _names(value.get("columns")), value.get("data")
    if names is not None and isinstance(data, list):  # orient="split"
        return _of_split(names, data)
    if value and all(isinstance(row, dict) and row.keys() & {*QUERY} for row in value.values()):  # orient="index"
        return list(value.values())
    return next((value[name] for name in WITHIN if isinstance(value.get(name), list)), None)


def _names(columns: object) -> list[str] | None:
    """What columns are called; None where that is no list of names."""
    return columns if isinstance(columns, list) and all(isinstance(name, str) for name in columns) else None


def _of_split(names: list[str], data: list[object]) -> list[object] | None:
    records = [dict(zip(names, row, strict=False)) for row in data if isinstance(row, list) and len(row) == len(names)]
    return [*records] if len(records) == len(data) else None


def _of_columns(columns: Mapping[str, object]) -> list[object] | None:
    """The rows of columns, each a list or (in pandas) an object by row; None where a value is no column of their length."""
    if all(isinstance(column, list) for column in columns.values()):
        keyed = [dict(enumerate(column)) for column in columns.values() if isinstance(column, list)]
    else:
        keyed = [column for column in columns.values() if isinstance(column, dict)]
    if len(keyed) < len(columns) or any(column.keys() != keyed[0].keys() for column in keyed):
        return None
    return [dict(zip(columns, (column[row] for column in keyed), strict=True)) for row in keyed[0]]
