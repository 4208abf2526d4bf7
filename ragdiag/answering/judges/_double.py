"""Two denials that make none, and words that shut out, as a plain "not"."""

from __future__ import annotations

import re

from ragdiag.answering.judges._text import content

TWICE = re.compile(
    r"\b((?:do|does|did|has|have|had|is|are|was|were)(?=n't| not| never))(?:n't| not| never) "
    r"(?:fail(?:ed)? to|(?:exclud|forb[ia]d|prohibit|refus)\w*(?: to)?|ruled? out)",
    re.IGNORECASE,
)
SHUT_OUT = re.compile(
    r"\b(?:is|are|was|were) (?:\w+ly )?excluded\b|\b(?:is|are|was|were|am) unable to\b|\bexcludes?\b", re.IGNORECASE
)
RESERVED = re.compile(r"\b(exclusively|reserved (?:for|to)|restricted to|limited to)\b([^.;]*)", re.IGNORECASE)


def without_double(text: str, question: str, asked: set[str]) -> str:
    """`text` with two denials as none, and what shuts out as a "not"; a `question` for that itself is left to its words."""
    text = TWICE.sub(r"\1 ", text)
    if SHUT_OUT.search(question):
        return text
    text = RESERVED.sub(lambda m: m[0] if set(content(m[2])) <= asked else f"not {m[0]}", text)
    return SHUT_OUT.sub("is not included", text)
