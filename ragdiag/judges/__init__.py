"""Judges: is this answer right, given the reference answer? One file each."""

from ragdiag.judges._text import refuses

__all__ = ["refuses"]
