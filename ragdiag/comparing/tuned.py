"""What a search for a configuration comes to: a decision, with all that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ragdiag.comparing.cells import Cell, Figures
from ragdiag.core.options import Options
from ragdiag.core.records import Defect, Mean, Problem
from ragdiag.stats.paired import Difference

__all__ = ["Budget", "Decision", "Judged", "Tuned"]


class Decision(NamedTuple):
    """What to do: "deploy" the configuration chosen, "nothing" (none beats the baseline with as many tokens), or "undecided".

    `difference` is what choosing serves on queries that did not choose, less what the baseline with as many tokens serves there;
    None where queries are too few to part. `needed`: how many more labelled queries would find, in four of five such samples, a
    difference as large as the one seen, or one that would matter, where that is larger or the decision is "nothing"; None where
    there are enough, or too few to say, and where what some queries choose gains, and not what all of them do.
    """

    kind: Literal["deploy", "nothing", "undecided"]
    difference: Difference | None
    needed: int | None = None


class Budget(NamedTuple):
    """One size of context: of up to `tokens`, of which `baseline_uses` and `choice_uses` are used on average.

    `baseline` is the share that the baseline serves, `choice` the share that a choice made for this size serves on queries that
    did not choose; `place` is the configuration that all queries choose.
    """

    tokens: int
    baseline: Mean
    baseline_uses: float
    choice: Mean
    choice_uses: float
    place: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """A decision among configurations, which are named by their places, the baseline first.

    `chosen` is the one under which queries need least context. `held_out` is the share that choosing serves of queries that did
    not choose, `raised` what the baseline serves there with as many tokens on average, in contexts of up to `size`; `tokens_used`
    are of both, the baseline's first. `times` counts, of `choices` on parts of the queries, how often each was chosen. `frontier`
    has several sizes of context.
    """

    decision: Decision
    chosen: int
    held_out: Mean
    raised: Mean
    size: int
    tokens_used: tuple[float, float]
    times: Mapping[int, int]
    choices: int
    frontier: tuple[Budget, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Tuned(Judged):
    """What `tune` found; `reports.json` writes it.

    `cells` has what was measured of each configuration on all queries. `won` are the ids of queries that the chosen one serves
    and the baseline with as many tokens does not, `lost` the reverse. `causes` counts the baseline's causes, `cured` those of the
    queries won, `broke` the chosen one's causes of those lost; `reasons` are the causes that point to it. `dropped` are the names
    of those that were dropped early; `skipped` says of others why they were not measured, with how many.
    """

    cells: tuple[Cell, ...]
    configurations: tuple[Options, ...]
    tokens: int
    won: tuple[str, ...]
    lost: tuple[str, ...]
    inputs: Figures
    notes: tuple[str, ...]
    seed: int
    dropped: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)
    cured: Mapping[str, int] = field(default_factory=dict)
    broke: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    label_defects: tuple[Defect, ...] = ()
    label_warnings: tuple[Defect, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def options(self) -> Options:
        """Those of the configuration chosen."""
        return self.configurations[self.chosen]
