"""Words and tokens where Chinese or Japanese is written: one of several ways that a pipeline may be given."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d"
UNSPACED = HAN + KANA


def words(text: str) -> list[str]:
    """Whatever is searched for: words in lower case, Chinese and Japanese in pairs."""
    found = list[str]()
    form = unicodedata.normalize("NFKC", text).casefold()
    for run in re.findall(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+", form):
        if re.match(f"[{UNSPACED}]", run) and len(run) > 1:
            found += [one + other for one, other in pairwise(run)]
        else:
            found.append(run)
    return found


def count_tokens(text: str) -> int:
    """How many words and signs a text has; budgets are counted so."""
    return len(re.findall(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]", text))
