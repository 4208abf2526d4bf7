"""One query as a failure mode sees it: its evidence, its ranking, and what an edit of either would come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ragdiag.core.passages import passage_at
from ragdiag.core.phrasings import paraphrases
from ragdiag.core.proofs import Control, Edit, Finding, Outcome, Row, Standing
from ragdiag.core.records import Defect, FloatArray, IntArray, Query, Span
from ragdiag.diagnosis.needs import needed
from ragdiag.diagnosis.setting import Setting
from ragdiag.scoring.covering import Coverage
from ragdiag.search.changes import Fix
from ragdiag.text.duplicates import shingles
from ragdiag.text.placed import Placed
from ragdiag.text.tokens import count_tokens

__all__ = ["ENOUGH", "Case", "Group", "Observation"]


NO_EDIT = Edit()
"""Nothing changed."""


ENOUGH = 250
"""Characters of a passage with what surrounds it, by which a text that says nearly the same is told."""

FEWEST = 16
"""Pairs of words that they have at least."""


class Group(NamedTuple):
    """One thing that a query needs: its number from 1, its alternatives (space trimmed), and whether the context covers one.

    `answer` are the parts of its alternatives that answer, where labels are wider than their answers; empty where nothing
    narrower than the label is known. `needed` is what must be held for it, one of several: see `needs.needed`.
    """

    number: int
    spans: tuple[Span, ...]
    covered: bool
    answer: tuple[Span, ...] = ()
    needed: tuple[Span, ...] = ()


class Observation(NamedTuple):
    """A failure mode's gate is passed: the evidence groups it concerns, what was seen, and what the proof can use of it."""

    groups: tuple[Group, ...]
    detail: Mapping[str, Any]
    held: Any = None


class Case:
    """One query against one index. Ranks count from 1.

    `number` is the query's among all; `ranking` holds chunks, best first, `length` of which are the context; `scores` are theirs.
    `level` is "span", "document" or "excluded". `answers` gives the parts that answer by the numbers of groups. `stages` are
    those of the pipeline that were recorded, in order: chunks, best first.

    A query whose context lacks what answers it stands by that: what is cut off, low or missing of the rest of a wide label is no
    failure, and a repair need not restore it. Where its context holds what answers, it stands by the whole label.
    """

    def __init__(
        self,
        setting: Setting,
        number: int,
        query: Query,
        level: str,
        groups: Sequence[tuple[Span, ...]],
        ranking: IntArray,
        length: int,
        defects: tuple[Defect, ...] = (),
        scores: FloatArray | None = None,
        answers: Mapping[int, tuple[Span, ...]] | None = None,
        stages: Mapping[str, IntArray] | None = None,
    ) -> None:
        self.setting, self.number, self.query, self.level, self.defects = setting, number, query, level, defects
        self.rewritten: tuple[str, ...] = ()
        """What the team's own rewriter makes of the query, where one is named: set once it is known which queries fail."""
        self.ranking, self.length, self._scores = ranking[ranking >= 0], length, scores
        self.stages: Mapping[str, IntArray] = stages or {}
        self.context = self.ranking[:length].tolist()
        spans = [tuple(self._trimmed(s) for s in alternatives) for alternatives in groups]
        holding = {c: setting.span(c) for alternatives in spans for s in alternatives for c in setting.overlapping(s)}
        self.evidence = frozenset(holding)
        """The chunks that hold any of the query's evidence."""
        needs = self._needs(spans, answers or {})
        self._coverage, self.standing = self._stood(needs, holding)
        self.answered = bool(answers) and self.standing.sufficient
        """Whether the context holds what answers, where that is known and less than the labels say."""
        if self.standing.sufficient and needs != spans:
            self._coverage, self.standing = self._stood(spans, holding)
        self.groups = self._grouped(spans, needs, answers or {})

    def _needs(self, spans: Sequence[tuple[Span, ...]], answers: Mapping[int, tuple[Span, ...]]) -> list[tuple[Span, ...]]:
        """What must be held for each group."""
        if self.level == "document":
            return list(spans)
        return [needed(self.setting, own, answers.get(number, ())) for number, own in enumerate(spans, 1)]

    def _stood(self, spans: Sequence[tuple[Span, ...]], holding: Mapping[int, Span]) -> tuple[Coverage, Standing]:
        """How the query stands where `spans` must be held."""
        coverage = Coverage(self.setting.corpus, spans, holding, whole=self.level != "document")
        rank = coverage.rank(self.ranking, {})
        return coverage, Standing(rank, rank is not None and rank <= self.length, self.passage(rank))

    def _grouped(
        self, spans: Sequence[tuple[Span, ...]], needs: Sequence[tuple[Span, ...]], answers: Mapping[int, tuple[Span, ...]]
    ) -> tuple[Group, ...]:
        ranks = self._coverage.ranks(self.ranking, {})
        covered = [ranks.get(i, self.length + 1) <= self.length for i in range(len(spans))]
        columns = zip(spans, covered, needs, strict=True)
        return tuple(Group(n, own, held, answers.get(n, ()), need) for n, (own, held, need) in enumerate(columns, 1))

    @property
    def rewritings(self) -> tuple[str, ...]:
        """The query in other words: the paraphrases that its record gives, then what the team's own rewriter makes of it."""
        return tuple(dict.fromkeys([*paraphrases(self.query.metadata), *self.rewritten]))

    @property
    def upper(self) -> int:
        """The last rank of the upper half of the context; where more groups are needed, the last that they can all do with."""
        return max(self.length // 2, len(self.groups), 1)

    @property
    def is_tied(self) -> bool:
        """Whether the last of its evidence stands below the context with the same score as the context's last chunk."""
        rank, length, scores = self.standing.rank, self.length, self._scores
        if self.setting.passages or scores is None or rank is None:
            return False
        return 0 < length < rank and bool(scores[rank - 1] == scores[length - 1])

    def passage(self, rank: int | None) -> int | None:
        """The number of the passage at a rank; None where the ranking is of chunks."""
        return passage_at(self._scores, rank) if self.setting.passages else None

    def _trimmed(self, span: Span) -> Span:
        if self.level == "document":
            return span
        text = self.setting.text(span)
        return Span(span.document, span.start + len(text) - len(text.lstrip()), span.end - len(text) + len(text.rstrip()))

    def stand(self, order: IntArray, edit: Edit, scores: FloatArray | None = None) -> Outcome:
        """What an edited ranking comes to; texts that the edit adds are numbered from the number of chunks on.

        `scores` are the ranking's, by which passages are told where it is of such.
        """
        there, n = order >= 0, len(self.setting.chunking)
        order = order[there]
        rank = self._coverage.rank(order, {n + i: Span(*new[:3]) for i, new in enumerate(edit.added)})
        rank_of = {text: place for place, text in enumerate(order.tolist(), 1) if text >= n}
        scores = None if scores is None else scores[there]
        length = self.setting.packing.fits(order, edit, scores)
        added = tuple(rank_of.get(n + i) for i in range(len(edit.added)))
        passage = passage_at(scores, rank) if self.setting.passages else None
        return Outcome(Standing(rank, rank is not None and rank <= length, passage), added, order, length)

    def ranks(self, order: IntArray) -> dict[int, int]:
        """The rank at which a ranking first has what each group needs, by the number of the group; of those that it has."""
        return {at + 1: rank for at, rank in self._coverage.ranks(order, {}).items()}

    def tokens(self, span: Span) -> int:
        """Tokens of the document's text there."""
        return count_tokens(self.setting.text(span))

    def tokens_down_to(self, rank: int) -> int:
        """Tokens of a context that reaches down to `rank`."""
        return self.setting.packing.tokens(self.ranking[:rank], NO_EDIT)

    @cached_property
    def targets(self) -> tuple[Group, ...]:
        """The groups that the context lacks; all of them where it lacks none."""
        return tuple(g for g in self.groups if not g.covered) or self.groups

    @cached_property
    def passages(self) -> tuple[Span, ...]:
        """Every alternative of every group."""
        return tuple(span for group in self.groups for span in group.spans)

    @cached_property
    def _placed(self) -> Placed:
        return Placed(self.passages)

    def passages_in(self, place: Span) -> list[Span]:
        """Those of `passages` that share a character with `place`."""
        return [self.passages[number] for number in self._placed.over(place)]

    @cached_property
    def rank_of(self) -> dict[int, int]:
        """The rank of each ranked chunk."""
        return {c: i for i, c in enumerate(self.ranking.tolist(), 1)}

    @cached_property
    def above(self) -> tuple[int, ...]:
        """The chunks without evidence that stand above what the context lacks, as far down as 10 contexts."""
        least = self.standing.rank or 10 * self.length
        return tuple(c for c in self.ranking[: min(least, 10 * self.length)].tolist() if c not in self.evidence)

    @cached_property
    def evidence_shingles(self) -> list[frozenset[tuple[str, str]]]:
        """The query's passages, and the best chunk with each, as `duplicates.shingles`."""
        holders = [self.setting.shingles(h[0]) for g in self.groups if (h := self.holder(g))]
        passages = [s for g in self.groups for s in g.spans[:1]] if self.level == "span" else []
        return holders + [shingles(self.setting.text(s)) for s in passages]

    @cached_property
    def surroundings(self) -> list[frozenset[tuple[str, str]]]:
        """The query's passages, alone and with the words round them in the best chunk that holds them, as `duplicates.shingles`:
        those with enough words to be told by. None for whole documents.
        """
        spans = [s for g in self.groups for s in g.spans[:1]] if self.level == "span" else []
        wide = [self.setting.window(s, ENOUGH, self.setting.span(holders[0])) for s in spans if (holders := self.whole(s))]
        told = (shingles(self.setting.text(s)) for s in dict.fromkeys([*spans, *wide]))
        return [pairs for pairs in told if len(pairs) >= FEWEST]

    def whole(self, span: Span) -> list[int]:
        """The chunks that hold all of `span`, best ranked first; for document labels, every chunk of the document."""
        if self.level == "document":
            chunks = self.setting.overlapping(span)
        else:
            spans = ((c, self.setting.span(c)) for c in self.setting.overlapping(span))
            chunks = [c for c, s in spans if s.start <= span.start and s.end >= span.end]
        return sorted(chunks, key=lambda c: (self.rank_of.get(c, len(self.ranking) + 1), c))

    def holder(self, group: Group) -> tuple[int, Span] | None:
        """The best ranked chunk that holds what `group` needs, with the part of an alternative that it holds."""
        holders = [(c, s) for s in group.needed for c in self.whole(s)[:1]]
        return min(holders, key=lambda pair: (self.rank_of.get(pair[0], len(self.ranking) + 1), pair[0]), default=None)

    def finding(
        self,
        cause: str,
        observation: Observation,
        intervention: str,
        after: Standing,
        fix: str | Fix,
        *,
        proved: bool | None = None,
        detail: Mapping[str, Any] | None = None,
        says: str = "",
        unattainable: bool = False,
        control: Control | None = None,
        tokens: int | None = None,
        rows: Iterable[Row] | None = None,
        edit: Edit = NO_EDIT,
    ) -> Finding:
        """A finding about this query: proved where the context became sufficient, unless `proved` says otherwise.

        `detail` is added to what was observed. For the others see `Finding`; `says` is needed only where the finding says
        something else than its failure mode.
        """
        return Finding(
            cause=cause,
            group=observation.groups[0].number if len(observation.groups) == 1 else None,
            intervention=intervention,
            before=self.standing,
            after=after,
            fix=self.setting.advice(fix) if isinstance(fix, Fix) else fix,
            proved=after.sufficient if proved is None else proved,
            says=says,
            unattainable=unattainable,
            control=control,
            tokens=tokens,
            detail={**observation.detail, **(detail or {})},
            rows=None if rows is None else tuple(rows),
            edit=edit,
        )
