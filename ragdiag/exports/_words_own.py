"""Words and tokens by ragdiag itself, where a few lines do not do: one of two ways that a pipeline may be given."""

from __future__ import annotations

from ragdiag.text.tokens import count_tokens
from ragdiag.text.words import words

__all__ = ["count_tokens", "words"]
