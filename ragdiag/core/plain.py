"""Values of other libraries (numpy, pandas, pyarrow) as Python's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = ["frame_rows", "is_frame", "is_missing", "plain"]


def plain(value: Any) -> Any:
    """A number, array or date of another library as Python, or JSON, has it; anything else as it is."""
    if isinstance(value, Decimal):  # of a database
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    for method in ("tolist", "as_py", "isoformat"):  # numpy and torch, pyarrow, dates
        if hasattr(value, method):
            return getattr(value, method)()
    return value


def is_frame(value: object) -> bool:
    """Whether `value` is a data frame, of pandas or a library that offers the same, or a table of pyarrow."""
    return hasattr(value, "columns") and any(hasattr(value, method) for method in ("to_dict", "to_dicts", "to_pylist"))


def frame_rows(frame: Any) -> list[Mapping[str, object]]:
    """The rows of a data frame, each without its empty cells."""
    method = next((m for m in ("to_dicts", "to_pylist") if hasattr(frame, m)), "")  # polars, pyarrow
    rows = getattr(frame, method)() if method else frame.to_dict("records")
    return [{name: value for name, value in row.items() if not is_missing(value)} for row in rows]


def is_missing(value: object) -> bool:
    """An empty cell of a data frame."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))
