"""Words and tokens of plain text, as `ragdiag.text` tells them: one of several ways that a pipeline may be given."""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    """Whatever is searched for: letters, figures and underscores, in lower case."""
    return re.findall(r"\w+", text.casefold())


def count_tokens(text: str) -> int:
    """How many words and signs a text has; budgets are counted so."""
    return len(re.findall(r"\w+|[^\w\s]", text))
