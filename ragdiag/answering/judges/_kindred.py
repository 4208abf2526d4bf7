"""Words of one family: ``Protestant`` and ``Protestantism``, ``Spain`` and ``Spanish``."""

from __future__ import annotations

import functools

from ragdiag.answering.judges._text import words

PEOPLES = dict(
    pair.split()
    for pair in (
        "france french|spain spanish|england english|britain british|netherlands dutch|germany german|greece greek|ireland irish"
        "|scotland scottish|wales welsh|denmark danish|sweden swedish|finland finnish|poland polish|turkey turkish"
        "|switzerland swiss|portugal portuguese|china chinese|japan japanese|vietnam vietnamese|norway norwegian"
        "|iceland icelandic"
        "|philippines filipino|thailand thai|belgium belgian|peru peruvian|israel israeli|iraq iraqi|pakistan pakistani"
        "|europe european|hungary hungarian|italy italian|brazil brazilian|argentina argentine|mexico mexican|canada canadian"
        "|egypt egyptian|rome roman|venice venetian|ukraine ukrainian|serbia serbian|cuba cuban|lebanon lebanese|nepal nepalese"
    ).split("|")
)
"""Places with what belongs to them, where no ending tells."""

ENDINGS = ("", "s", "n", "an", "ian", "ist", "ists", "ism", "al", "ial", "ic", "ous", "um", "us", "y", "ish", "ese")
ROOT = 5
"""Letters that two words of a family share, at least."""


def kindred(gold: str, answer: str) -> str:
    """The word of `answer` that is of the family of the one word `gold`; "" where none is, or `gold` is several words."""
    wanted = words(gold)
    family = _family(wanted[0]) if len(wanted) == 1 else set()
    return next((word for word in words(answer) if word in family), "") if family else ""


@functools.lru_cache(maxsize=1024)
def _family(word: str) -> set[str]:
    """The words of the family of `word`, itself among them."""
    roots = [root for ending in ENDINGS if word.endswith(ending) and len(root := word.removesuffix(ending)) >= ROOT]
    forms = {root + ending for root in roots for ending in ENDINGS}
    return forms | {other for pair in PEOPLES.items() if word in pair for other in pair}
