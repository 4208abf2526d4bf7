"""What several failure modes need to know of a passage: what no chunk holds, where chunks cut it, how to show that."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

from ragdiag.core.proofs import Edit, Outcome
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group
from ragdiag.diagnosis.setting import Setting
from ragdiag.sources.places import chunk_id
from ragdiag.text.duplicates import near_duplicates
from ragdiag.text.tokens import token_starts

CUT = "‖"
"""Stands where one chunk ends and the next begins."""


NEAR = 4
"""Contexts within which a change that does not suffice might, made a little otherwise."""


WITHIN = 0.5
"""Of the pairs of words of the evidence with what surrounds it, those that a longer text has which says nearly the same."""


def gaps(setting: Setting, span: Span) -> list[Span]:
    """The stretches in no chunk that share a character other than space with `span`, at their full length."""
    text = setting.corpus.documents[span.document].text
    starts, ends, reached = setting.extents(span.document)
    # Chunks that end before the span, and all but the first that begin behind it, leave no part of it out.
    first, last = int(reached.searchsorted(span.start, side="right")), int(starts.searchsorted(span.end))
    stretches, reach = list[Span](), int(reached[first - 1]) if first else 0
    near = zip(starts[first:last].tolist(), ends[first:last].tolist(), strict=True)
    behind = int(starts[last]) if last < len(starts) else len(text)
    for start, end in [*near, (behind, len(text))]:
        low, high = max(reach, span.start), min(start, span.end)
        if low < high and not text[low:high].isspace():
            stretches.append(Span(span.document, reach, start))
        reach = max(reach, end)
    return stretches


def fits(setting: Setting, span: Span) -> bool:
    """Whether a chunk of this index could hold the passage: no longer than the chunker's limit.

    Where no limit is known: no longer than a long chunk, or than a chunk with a piece of it.
    """
    if setting.limit:
        return len(token_starts(setting.text(span), setting.unit)) <= setting.limit
    pieces = (setting.span(c) for c in setting.overlapping(span))
    return span.end - span.start <= max([setting.size, *(p.end - p.start for p in pieces)])


def cut_groups(case: Case, longest: bool) -> tuple[Group, ...]:
    """The groups of which no chunk holds what is needed whole though all that text is indexed; `longest`: those too long for one
    chunk, else those that would fit in one.
    """
    setting = case.setting

    def cut(group: Group) -> bool:
        if any(case.whole(s) for s in group.needed):
            return False
        fitting = [s for s in group.needed if fits(setting, s)]
        return bool(fitting) != longest and any(setting.overlapping(s) and not gaps(setting, s) for s in fitting or group.needed)

    return tuple(g for g in case.targets if cut(g))


def placements(setting: Setting, span: Span, length: int, within: Span | None = None) -> list[Span]:
    """Windows of `length` that hold `span`: with it in the middle, at the end (as if a boundary came after), at the start."""
    low, high = (within.start, within.end) if within else (0, int(setting.corpus.lengths[span.document]))
    ends = ((low, high), (low, span.end), (span.start, high))
    return [setting.window(span, length, Span(span.document, a, b)) for a, b in ends]


def first_enough(case: Case, edits: Sequence[Edit]) -> Generator[Sequence[Edit], Sequence[Outcome], tuple[Outcome, Edit]]:
    """The first of several ways to make one change that suffices, with what came of it; the first of all where none does.

    The others are tried only where the first comes within `NEAR` contexts: where it is far off, they are too.
    """
    (outcome,) = yield edits[:1]
    if outcome.standing.sufficient or (outcome.standing.rank or math.inf) > NEAR * case.length:
        return outcome, edits[0]
    others = yield edits[1:]
    enough = [(o, e) for o, e in zip(others, edits[1:], strict=True) if o.standing.sufficient]
    return enough[0] if enough else (outcome, edits[0])


def says_nearly(case: Case, chunk: int) -> bool:
    """Whether a chunk says nearly what a chunk with the evidence, or the evidence itself, says; or what surrounds the evidence,
    with whatever else.
    """
    shingles = case.setting.shingles(chunk)
    inside = (len(shingles & known) >= WITHIN * len(known) for known in case.surroundings)
    return any(near_duplicates(shingles, known) for known in case.evidence_shingles) or any(inside)


def marked(case: Case, span: Span, most: int = 1200) -> str:
    """A passage with `CUT` where chunks end inside it."""
    text = case.setting.text(span)
    cuts = sorted({e - span.start for c in case.setting.overlapping(span) if (e := case.setting.span(c).end) < span.end})
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = CUT.join(parts)
    return shown if len(shown) <= most else shown[:most] + "…"


def replaced(case: Case, spans: list[Span]) -> frozenset[int]:
    """The fragments of `spans`, but for those that hold another of the query's passages whole."""
    others = {s for g in case.groups for s in g.needed}.difference(spans)
    kept = {c for s in others for c in case.whole(s)}
    return frozenset(c for s in spans for c in case.setting.overlapping(s)) - kept


def neighbours(case: Case) -> list[int]:
    """The chunks before and after each of the context's, in the same documents."""
    first, document = case.setting.first, case.setting.chunking.document
    return [n for c in case.context for n in (c - 1, c + 1) if first[document[c]] <= n < first[document[c] + 1]]


def best_fragment(case: Case, span: Span) -> tuple[int, int]:
    """For ordering alternatives: the best rank among the fragments of `span`, then its start."""
    worst = len(case.ranking) + 1
    return min((case.rank_of.get(c, worst) for c in case.setting.overlapping(span)), default=worst), span.start


def nearest(case: Case, spans: Sequence[Span]) -> Span:
    """The alternative whose fragments rank best."""
    return min(spans, key=lambda s: best_fragment(case, s))


def holding(case: Case, group: Group) -> list[int]:
    """The best ranked chunk that holds `group` whole; where none does, those with a piece of its best ranked alternative."""
    holder = case.holder(group)
    return [holder[0]] if holder else case.setting.overlapping(nearest(case, group.spans))


def described(case: Case, chunks: list[int], most: int = 10) -> list[dict[str, object]]:
    """Chunks for a proof: where they are, their ranks, how their text begins."""
    setting = case.setting
    rows: list[dict[str, object]] = []
    for c in chunks[:most]:
        text = " ".join(setting.text(setting.span(c)).split())
        rows.append({"chunk": chunk_id(setting.corpus, setting.chunking, c), "rank": case.rank_of.get(c), "text": text[:160]})
    return rows
