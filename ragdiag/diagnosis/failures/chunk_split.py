"""A chunk boundary cuts the evidence: no chunk holds it whole, though it would fit in one."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ragdiag.core.proofs import Control, Edit, Outcome, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._lent import LOOKS, is_told
from ragdiag.diagnosis.failures._passages import (
    CUT,
    cut_groups,
    described,
    first_enough,
    fits,
    marked,
    nearest,
    placements,
    replaced,
)
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, by_sentences, overlapping, small_to_big
from ragdiag.text.phrases import counted, listed, one_line

AROUND = 70
"""Characters shown on either side of a cut."""

FEWEST = 19
"""Controls that a p of .05 needs at least."""

AGAIN = (49, 50)
"""Shifts, and chunks elsewhere, of a second look."""

SENTENCES = Fix("end chunks with sentences", (by_sentences,))
OVERLAP = Fix("let chunks overlap", (overlapping,))
NEIGHBOURS = Fix("smaller chunks, handed over with their neighbours", (small_to_big,))
SENTENCE_END = re.compile(r"[.!?:;][\"')\]\u201d\u2019]*\s*$|\n\s*$")


@dataclass(frozen=True)
class ChunkSplit(FailureMode):
    """Proved by a window of a chunk's length that holds the evidence whole, in place of the fragments.

    The control is changes that do not make it whole. `shifts` move the boundary elsewhere inside the evidence, and do as well
    when all of it comes in as high up. `elsewhere` are chunks elsewhere in the document, and do as well when they rank above the
    window; a document with few chunks has more shifts instead. p = (1 + how many do) / (1 + how many there are), at most `alpha`.

    Where some of these do as well, but few, so small a number cannot tell: a second look has `AGAIN` of them, in parts, until
    that is told, and its p counts. Looking twice lets through 5 to 7 % of cuts that make no difference, where one look lets
    through 5 %.
    """

    shifts: int = 5
    elsewhere: int = 34
    alpha: float = 0.05

    says = "a chunk boundary cuts the evidence"
    cannot_tell = "where your own chunker would cut instead, nor what other cuts do to other queries"
    of_cuts = True
    place = 30
    exposes = True
    fixes = (SENTENCES, OVERLAP, NEIGHBOURS)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        groups = cut_groups(case, longest=False)
        if not groups:
            return None
        spans = [_alternative(case, g.needed) for g in groups]
        shown = [{"passage": marked(case, s), "fragments": described(case, case.setting.overlapping(s))} for s in spans]
        return Observation(groups, {"cut": shown}, spans)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Make the evidence whole; if that suffices, see whether boundaries that leave it cut, or any other text, do as well."""
        setting, spans = case.setting, observation.held
        removed = replaced(case, spans)
        placed = _placed(case, spans)
        edits = [Edit(removed, tuple(map(setting.addition, windows))) for windows in placed]
        outcome, edit = yield from first_enough(case, edits)
        windows = placed[edits.index(edit)]
        control, placebo = None, dict[str, int]()
        if outcome.standing.sufficient:
            placebo = yield from self._placebo(case, spans, windows, edit, outcome)
            control = _control(placebo)
        return case.finding(
            "chunk_split",
            observation,
            "a window of a chunk's length that holds the evidence whole, in place of the fragments",
            outcome.standing,
            case.setting.advice(*_fixes(case, spans)),
            control=control,
            proved=control is not None and control.p is not None and control.p <= self.alpha,
            detail={"window_ranks": list(outcome.ranks), "placebo": placebo},
            rows=_rows(observation.detail["cut"], outcome.ranks),
            edit=edit,
        )

    def _placebo(
        self, case: Case, spans: Sequence[Span], windows: Sequence[Span], edit: Edit, outcome: Outcome
    ) -> Generator[Sequence[Edit], Sequence[Outcome], dict[str, int]]:
        """Changes that leave the evidence cut: how many there are of each kind, and how many do as well."""
        placebo = dict[str, int]()
        for shifts, chunks in ((self.shifts, self.elsewhere), AGAIN):
            parts = LOOKS if placebo else 1
            placebo = yield from self._look(case, spans, windows, edit, outcome, shifts, chunks, parts)
            if not self._is_open(placebo):
                break
        return placebo

    def _look(
        self,
        case: Case,
        spans: Sequence[Span],
        windows: Sequence[Span],
        edit: Edit,
        outcome: Outcome,
        shifts: int,
        chunks: int,
        parts: int,
    ) -> Generator[Sequence[Edit], Sequence[Outcome], dict[str, int]]:
        """So many changes of each kind, the shifts asked for in `parts`, until these are told."""
        # They are about the window that stands lowest: without it the others would not do.
        worst = max(range(len(spans)), key=lambda i: outcome.ranks[i] or 0)
        others = edit.added[:worst] + edit.added[worst + 1 :]
        above = set(outcome.order[: outcome.ranks[worst] or 0].tolist())
        elsewhere = _elsewhere(case, windows[worst], chunks)
        pairs = _shifts(case, spans[worst], windows[worst], max(shifts, FEWEST - len(elsewhere)))
        placebo = {"shifts": 0, "shifts_as_well": 0, "shifts_sufficient": 0}
        placebo |= {"elsewhere": len(elsewhere), "elsewhere_as_well": sum(c in above for c in elsewhere)}
        for part in (pairs[i::parts] for i in range(parts)):
            tried = yield [Edit(edit.removed, (*map(case.setting.addition, pair), *others)) for pair in part]
            placebo["shifts"] += len(part)
            placebo["shifts_as_well"] += sum((o.standing.rank or math.inf) <= (outcome.standing.rank or 0) for o in tried)
            placebo["shifts_sufficient"] += sum(o.standing.sufficient for o in tried)
            as_well = placebo["shifts_as_well"] + placebo["elsewhere_as_well"]
            if is_told(placebo["shifts"] + len(elsewhere), as_well, len(pairs) + len(elsewhere), self.alpha):
                break
        return placebo

    def _is_open(self, placebo: Mapping[str, int]) -> bool:
        """Whether some controls do as well, but so few that more of them might tell."""
        control = _control(placebo)
        few = (control.p or 1.0) <= 4 * self.alpha and 3 * placebo["shifts_as_well"] <= placebo["shifts"]
        return control.as_well > 0 and few


def _control(placebo: Mapping[str, int]) -> Control:
    """The changes that leave the evidence cut, and how many of them do as well."""
    tried, as_well = placebo["shifts"] + placebo["elsewhere"], placebo["shifts_as_well"] + placebo["elsewhere_as_well"]
    shifts = f"{placebo['shifts_as_well']} of {counted(placebo['shifts'], 'other place')} for the cut"
    chunks = f" and {placebo['elsewhere_as_well']} of {counted(placebo['elsewhere'], 'other chunk')} of the document"
    says = f"{shifts}{chunks if placebo['elsewhere'] else ''} do as well"
    return Control(tried, as_well, (1 + as_well) / (1 + tried), says)


def _rows(cut: Sequence[Mapping[str, Any]], ranks: Sequence[int | None]) -> Iterator[Row]:
    """The text on either side of each cut, the ranks of the pieces and of the whole."""
    for passage, whole in list(zip(cut, ranks, strict=True))[:MOST]:
        for before, after in pairwise(passage["passage"].split(CUT)):
            last = one_line(before, len(before) + 1)[-AROUND:].partition(" ")[2]
            first = one_line(after, len(after) + 1)[:AROUND].rpartition(" ")[0]
            yield Row.of("cut", (f"… {last} ", "good"), (CUT, "strong bad"), (f" {first} …", "good"))
        pieces = listed([at(fragment["rank"]) for fragment in passage["fragments"]])
        yield Row.of("pieces", f"at {pieces}; as one chunk at {at(whole)}")


def _alternative(case: Case, spans: tuple[Span, ...]) -> Span:
    """The alternative that would fit in a chunk and whose fragments rank best."""
    return nearest(case, [s for s in spans if fits(case.setting, s)])


def _fixes(case: Case, spans: Sequence[Span]) -> Iterator[Fix]:
    """What leaves the passages whole: ends of sentences only where a chunk ends inside one."""
    cut_by_others = case.setting.limit == 0
    if not all(_between_sentences(case, s) for s in spans) and (cut_by_others or case.setting.specs(SENTENCES)):
        yield SENTENCES
    yield from (OVERLAP, NEIGHBOURS)


def _between_sentences(case: Case, span: Span) -> bool:
    """Whether every chunk that ends inside a passage ends with a sentence or a line."""
    text = case.setting.corpus.documents[span.document].text
    ends = (case.setting.span(c).end for c in case.setting.overlapping(span))
    return all(text[end] == "\n" or SENTENCE_END.search(text[max(end - 9, 0) : end]) for end in ends if end < span.end)


def _placed(case: Case, spans: list[Span]) -> list[list[Span]]:
    """Windows for the passages in each way to place them."""
    ways = zip(*(placements(case.setting, s, _length(case, s)) for s in spans), strict=True)
    placed = [list(way) for way in ways]
    return [windows for i, windows in enumerate(placed) if windows not in placed[:i]]


def _length(case: Case, span: Span) -> int:
    """Characters in the longest of the fragments, or in a median chunk where those are shorter."""
    lengths = [c.end - c.start for c in map(case.setting.span, case.setting.overlapping(span))]
    return max([*lengths, case.setting.typical, span.end - span.start])


def _elsewhere(case: Case, window: Span, n: int) -> list[int]:
    """Up to `n` chunks of the same document, about as long as `window` and clear of it, evenly spread."""
    setting, length = case.setting, window.end - window.start
    chunks = range(setting.first[window.document], setting.first[window.document + 1])
    spans = {c: setting.span(c) for c in chunks}
    clear = [c for c, s in spans.items() if 2 * (s.end - s.start) >= length and (s.end <= window.start or s.start >= window.end)]
    return [clear[i * len(clear) // n] for i in range(n)] if len(clear) > n else clear


def _shifts(case: Case, span: Span, window: Span, n: int) -> list[tuple[Span, Span]]:
    """`n` other places for the boundary, evenly spread inside `span`: the windows before and after each, as long as `window`."""
    length, last = window.end - window.start, int(case.setting.corpus.lengths[window.document])
    cuts = [span.start + max((span.end - span.start) * (i + 1) // (n + 1), 1) for i in range(n)]
    return [(Span(span.document, max(at - length, 0), at), Span(span.document, at, min(at + length, last))) for at in cuts]
