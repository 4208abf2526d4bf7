"""The arrays that records are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BoolArray", "FloatArray", "IntArray", "VectorArray"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

VectorArray = npt.NDArray[np.float32]
"""Vectors of texts, one a row unless stated otherwise."""

Array = npt.NDArray[Any]
"""An array whose kind of number its name tells, as in a `Store`."""
