"""Words of one family: ``Protestant`` and ``Protestantism``, ``Spain`` and ``Spanish``."""

from __future__ import annotations

from ragdiag.answering.judges._text import words

PEOPLES = dict(
    pair.split()
    for pair in (
        "france french|spain spanish|england english|britain british|netherlands dutch|germany german|greece greek|ireland irish"
        "|scotland scottish|wales welsh|denmark danish|sweden swedish|finland finnish|poland polish|turkey turkish"
        "|switzerland swiss|portugal portuguese|china chinese|japan japanese|vietnam vietnamese|norway norwegian|iceland icelandic"
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
    if len(wanted) != 1:
        return ""
    people = PEOPLES.get(wanted[0]) or next((place for place, of in PEOPLES.items() if of == wanted[0]), "")
    roots = {wanted[0].removesuffix(ending) for ending in ENDINGS if wanted[0].endswith(ending)}
    forms = {root + ending for root in roots if len(root) >= ROOT for ending in ENDINGS}
    return next((word for word in words(answer) if word == people or word in forms), "")
