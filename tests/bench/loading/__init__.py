"""Kinds of files for ``loaders.py``: each module gives `NAME`, `REFERENCES`, `generated()` and `shipped()`."""

from collections.abc import Sequence
from typing import NamedTuple


class Generated(NamedTuple):
    """A file, and the passages that whoever opens it can read, in their order."""

    name: str
    raw: bytes
    truth: Sequence[str]
