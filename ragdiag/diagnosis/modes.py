"""What a failure mode is, and all that there are: ours, one module each in `failures`, and those of installed packages."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, NamedTuple

from ragdiag.core.proofs import Trial
from ragdiag.core.registry import make, names
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.search.changes import Change, Fix

__all__ = ["FailureMode", "Mode", "modes"]


class FailureMode(abc.ABC):
    """One way in which retrieval fails: what it looks like, and the intervention that proves it.

    A subclass is a frozen dataclass in a module of its own, named as the mode is; its fields are the mode's thresholds.
    """

    says: ClassVar[str] = ""
    """What it says of a query, in a sentence without a full stop: "a superseded version stands above the evidence"."""

    cannot_tell: ClassVar[str] = ""
    """What its proof leaves open, as a sentence goes on after "cannot tell"; "" for one that says nothing of it."""

    place: ClassVar[int] = 1000
    """Where it stands among the modes: the lower, the more specific. Ours go from 10 to 140, so that a new one fits
    between; their order is that of the tables in docs/failures/index.md and docs/method.md.
    """

    levels: ClassVar[tuple[str, ...]] = ("span",)
    """The kinds of labels that can decide it: "span", "document"; "excluded" for labels with a defect."""

    residual: ClassVar[bool] = False
    """A cause only where no other mode is: for repairs, such as more context, that would mend most other causes too."""

    reads: ClassVar[bool] = False
    """Its proof rests on what an encoder makes of words: with one that cannot read them it proves nothing."""

    of_cuts: ClassVar[bool] = False
    """It is about evidence of which the context may have the part that matters, see `losses.matters`."""

    by_degrees: ClassVar[bool] = False
    """Its repair raises the evidence a little or a lot: a small rise that just suffices proves nothing, see `unproved.rises`."""

    swaps: ClassVar[bool] = False
    """Another retriever may prove it: of every failing query it is asked whether it has the gap, see `swaps.controlled`."""

    alone: ClassVar[str] = ""
    """What its repair is called, which changes no text: where that suffices, changes of texts prove nothing; "" for others."""

    of_copies: ClassVar[bool] = False
    """It is about texts that say nearly the same: that they score the same is its matter, and no chance."""

    exposes: ClassVar[bool] = False
    """Seen on a context that holds all evidence, it is a risk worth naming."""

    stage: ClassVar[str] = ""
    """The recorded stage that it undoes: it proves without an index, from what the stages hold, and `staged` is its control."""

    fixes: ClassVar[tuple[Fix, ...]] = ()
    """All that its findings say is to be done: what of it is a setting of ours, ``ragdiag compare`` tries."""

    remedies: ClassVar[tuple[Change, ...]] = ()
    """What ``ragdiag compare`` tries besides, though no proof of this mode shows that it helps."""

    @abc.abstractmethod
    def observe(self, case: Case) -> Observation | None:
        """The gate: what is seen of this mode in the query, None where it does not apply."""

    @abc.abstractmethod
    def prove(self, case: Case, observation: Observation) -> Trial:
        """Intervene: yields edits, is sent what came of them, returns the finding (`Case.finding`), or None for none."""


class Mode(NamedTuple):
    """A failure mode under its name, with all that it declares."""

    name: str
    strategy: FailureMode
    says: str
    cannot_tell: str
    place: int
    levels: tuple[str, ...]
    residual: bool
    reads: bool
    of_cuts: bool
    by_degrees: bool
    swaps: bool
    alone: str
    of_copies: bool
    exposes: bool
    stage: str
    fixes: tuple[Fix, ...]
    remedies: tuple[Change, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that could be deployed against it: what its fixes name, then what else is tried."""
        return (*(change for fix in self.fixes for change in fix.changes), *self.remedies)


def modes() -> dict[str, Mode]:
    """Every failure mode by name, the most specific first, residual ones last."""
    known = [_declared(name, make("failures", name)) for name in names("failures")]
    return {mode.name: mode for mode in sorted(known, key=lambda mode: (mode.residual, mode.place, mode.name))}


def _declared(name: str, strategy: Any) -> Mode:
    """What a mode declares. One of another package need not be a `FailureMode`: what it leaves out is as in that class."""
    declared = {key: getattr(strategy, key, getattr(FailureMode, key)) for key in Mode._fields if key not in ("name", "strategy")}
    return Mode(name, strategy, **declared)
