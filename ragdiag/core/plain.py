"""Values of other libraries (numpy, pandas) as Python's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["frame_rows", "is_frame", "is_missing", "plain"]


def plain(value: Any) -> Any:
    """A number, array or date of another library as Python, or JSON, has it; anything else as it is."""
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    return value


def is_frame(value: object) -> bool:
    """Whether `value` is a data frame, of pandas or a library that offers the same."""
    return hasattr(value, "to_dict") and hasattr(value, "columns")


def frame_rows(frame: Any) -> list[Mapping[str, object]]:
    """The rows of a data frame, each without its empty cells."""
    return [{name: value for name, value in row.items() if not is_missing(value)} for row in frame.to_dict("records")]


def is_missing(value: object) -> bool:
    """An empty cell of a data frame."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))
