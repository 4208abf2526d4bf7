"""Words and tokens of text with typographic signs: one of several ways that a pipeline may be given."""

from __future__ import annotations

import re
import unicodedata

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff]")
RAISED = re.compile(r"(?<=\d)(?=[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089])")


def words(text: str) -> list[str]:
    """Whatever is searched for: letters, figures and underscores, in lower case.

    Invisible characters are dropped, ligatures are their letters, and a raised number
    does not belong to the figure before it.
    """
    text = RAISED.sub(" ", INVISIBLE.sub("", text))
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def count_tokens(text: str) -> int:
    """How many words and signs a text has; budgets are counted so."""
    return len(re.findall(r"\w+|[^\w\s]", INVISIBLE.sub("", text)))
