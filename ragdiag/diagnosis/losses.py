"""What a cut keeps from a context: whether it may matter, or is a remark beside what the context has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from ragdiag.core.proofs import Finding
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.unproved import hint, without_proof
from ragdiag.scoring.doubts import FEWEST, answer_words
from ragdiag.scoring.rarity import stems_of
from ragdiag.text.sentences import sentences
from ragdiag.text.words import words

__all__ = ["matters"]

MOST_HELD = 2 / 3
"""The share of a reference answer's words in a chunk of the context from which on what a cut loses may be a remark."""

MOST_KEPT = 0.5
"""The same, without a reference answer, of the words of what is cut, where the rest has no word of the question of its own."""


def matters(case: Case, finding: Finding) -> Finding:
    """A finding about evidence that is cut: without its proof where the context has most of the answer, or, where no reference
    answer tells, most of the passage, and the rest no further word of the question.

    Where no reference answer tells that what is lost matters, a cut is a hint. Of cuts that two people read blind 4 of 4 were
    right where one tells, and 5 of 11 where none does.
    """
    if not finding.proved or finding.unattainable or all(case.holder(group) for group in case.targets):
        return finding
    own = _telling(case)
    if why := _answered(case, own) if own else _hardly_lost(case):
        return without_proof(finding, why, hardly_lost=True)
    return finding if own else hint(finding, "no reference answer tells whether what is cut off matters")


def _telling(case: Case) -> list[Set[str]]:
    """Of each reference answer with enough words that the question lacks and the evidence has, those words."""
    labelled = " ".join(case.setting.text(span) for group in case.groups for span in group.spans)
    return [wording for wording in answer_words(case.query, labelled) if len(wording) >= FEWEST]


def _answered(case: Case, own: Sequence[Set[str]]) -> str:
    """That a chunk of the context has most of the words of one of the reference answers; "" where none does."""
    chunks = [stems_of(case.setting.text(case.setting.span(c))) for c in case.context]
    share = max((len(wording & chunk) / len(wording) for wording in own for chunk in chunks), default=0.0)
    return f"a chunk of the context has {share:.0%} of the reference answer's words" if share >= MOST_HELD else ""


def _hardly_lost(case: Case) -> str:
    """That the context has most of each passage that is cut, and the rest are whole sentences without a further word of the
    question; "" where not.
    """
    asked = stems_of(case.query.text)
    for group in case.targets:
        parts = _parts(case, group.spans[0])
        kept, lost = (" ".join(map(case.setting.text, spans)) for spans in parts)
        n, rest = len(words(kept)), len(words(lost))
        further = (asked & stems_of(lost)) - stems_of(kept)
        if n <= MOST_KEPT * (n + rest) or further or not _whole_sentences(case, group.spans[0], parts[1]):
            return ""
    return "the context has most of the passage, and the sentences that are cut off have no further word of the question"


def _whole_sentences(case: Case, span: Span, lost: Sequence[Span]) -> bool:
    """Whether each of the stretches `lost` of a passage holds whole sentences only."""
    places = [(span.start + a, span.start + b) for a, b in sentences(case.setting.text(span))]
    touched = [(a, b, part) for part in lost for a, b in places if a < part.end and b > part.start]
    beyond = [place for a, b, part in touched for place in ((a, part.start), (part.end, b))]
    outside = (Span(span.document, start, end) for start, end in beyond if start < end)
    return not any(case.setting.text(rest).strip() for rest in outside)


def _parts(case: Case, span: Span) -> tuple[list[Span], list[Span]]:
    """The stretches of a passage that chunks of the context have, and those that none has."""
    kept = sorted(_inside(case, span))
    lost, reach = list[Span](), span.start
    for part in kept:
        if part.start > reach:
            lost.append(Span(span.document, reach, part.start))
        reach = max(reach, part.end)
    return kept, [*lost, *([Span(span.document, reach, span.end)] if reach < span.end else [])]


def _inside(case: Case, span: Span) -> Iterator[Span]:
    """What each chunk of the context has of a passage."""
    for chunk in (c for c in case.setting.overlapping(span) if c in case.context):
        place = case.setting.span(chunk)
        yield Span(span.document, max(span.start, place.start), min(span.end, place.end))
