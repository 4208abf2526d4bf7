"""What a context must hold of a labelled passage: the part that answers, and no heading that a boundary parts from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ragdiag.core.records import Span
from ragdiag.diagnosis.setting import Setting
from ragdiag.text.analysis import STOP_WORDS
from ragdiag.text.words import inside_a_word, words

__all__ = ["needed", "says_nothing"]

HEADING = 8
"""Words of the longest line that is taken for a heading without a mark of one."""

MARKED = re.compile(r"^\s{0,3}(?:#{1,6}|={1,6})\s")
ITEM = re.compile(r"^\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)]|[a-z][.)])(?:\s+|$)")
POINTER = re.compile(
    r"^\W*(?:(?:for|find|read|get|see|view) (?:more|further|additional)|more (?:information|details)|learn more|"
    r"see (?:also|the|our)|visit)\b",
    re.IGNORECASE,
)
"""How a sentence begins that sends a reader elsewhere."""
CLOSES = re.compile(r"[.!?:;,|\u3002\uff01\uff1f][\"')\]\u201d\u2019]*$")


def needed(setting: Setting, spans: Sequence[Span], answer: Sequence[Span]) -> tuple[Span, ...]:
    """Of one group's alternatives, what must be held: the parts that answer where they are known, else the alternatives.

    Where a chunk holds all of one but a heading, white space, marks or function words at its ends, the rest is enough.
    """
    unanswered = (s for s in spans if not any(part.overlaps(s) for part in answer))
    return tuple(dict.fromkeys(_core(setting, span) for span in (*answer, *unanswered)))


def _core(setting: Setting, span: Span) -> Span:
    """What the chunk with most of `span` holds of it, where that loses nothing; else `span`."""
    parts = list(_parts(setting, span))
    if span in parts:
        return span
    enough = [part for part in parts if _loses_nothing(setting, span, part)]
    return max(enough, key=lambda part: part.end - part.start, default=span)


def _parts(setting: Setting, span: Span) -> Iterator[Span]:
    """What each chunk holds of `span`."""
    for chunk in map(setting.span, setting.overlapping(span)):
        yield Span(span.document, max(span.start, chunk.start), min(span.end, chunk.end))


def _loses_nothing(setting: Setting, span: Span, part: Span) -> bool:
    """Whether what stands in `span` before and after `part` says nothing; a word that is cut in two is lost."""
    text = setting.corpus.documents[span.document].text
    if any(inside_a_word(text, at) for at in (part.start, part.end) if span.start < at < span.end):
        return False
    before, after = text[span.start : part.start], text[part.end : span.end]
    return says_nothing(before) and says_nothing(after)


def says_nothing(text: str) -> bool:
    """Whether `text` holds no content word, headings and pointers to other pages left out.

    A line without a mark is a heading where it is short, states no number, does not end as a sentence does, and a blank line
    comes after it.
    """
    lines = text.splitlines()
    blank_after = [i + 1 < len(lines) and not lines[i + 1].strip() for i in range(len(lines))]
    telling = (line for line, blank in zip(lines, blank_after, strict=True) if _content(line) and not _is_heading(line, blank))
    return all(POINTER.match(line) for line in telling)


def _content(line: str) -> list[str]:
    """The words of a line that are no function words, no single letters and no number of a list."""
    kept = words(ITEM.sub("", line, count=1))
    return [word for word in kept if word not in STOP_WORDS["english"] and (len(word) > 1 or word.isdigit())]


def _is_heading(line: str, blank_after: bool) -> bool:
    """Whether a line with content words is a heading; one that states a number may be what answers."""
    bare = ITEM.sub("", MARKED.sub("", line), count=1).strip()
    if CLOSES.search(bare) or any(c.isdigit() for c in bare) or len(words(bare)) > HEADING:
        return False
    return bool(MARKED.match(line)) or blank_after
