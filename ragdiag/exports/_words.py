"""Words and tokens of most texts, as `ragdiag.text` tells them: one of two ways that a pipeline may be given."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

JOINERS = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
INVISIBLE = re.compile(f"[{JOINERS}\u202a-\u202e\u2066-\u2069]")
APOSTROPHE = re.compile("[\u02b9\u02bb\u02bc]")
RAISED = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089"
FRACTIONS = "\u00bc-\u00be\u2150-\u215f\u2189\u2460-\u2473\u2488-\u249b\u24ea"
BEHIND_FIGURE = re.compile(rf"(?<=\d)(?=[{RAISED}{FRACTIONS}])")
MARKS = r"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f])"
LONG_RUN = re.compile(rf"({MARKS}{{30}})(?={MARKS})")
HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d"
UNSPACED = HAN + KANA


def words(text: str) -> list[str]:
    """Whatever is searched for: words in lower case, Chinese and Japanese in pairs.

    Invisible characters are dropped, ligatures are their letters, and a raised number
    does not belong to the figure before it. No writing has more than thirty marks in a row;
    Unicode's forms would take a time that grows with the square of their number.
    """
    seen = LONG_RUN.sub(r"\1 ", APOSTROPHE.sub("'", INVISIBLE.sub("", text)))
    form = unicodedata.normalize("NFKC", BEHIND_FIGURE.sub(" ", seen)).casefold()
    form = unicodedata.normalize("NFC", form)
    found = list[str]()
    for run in re.findall(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+", form):
        if re.match(f"[{UNSPACED}]", run) and len(run) > 1:
            found += [one + other for one, other in pairwise(run)]
        else:
            found.append(run)
    return found


def count_tokens(text: str) -> int:
    """How many words and signs a text has; budgets are counted so."""
    token = rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]"
    return len(re.findall(token, INVISIBLE.sub("", text)))
