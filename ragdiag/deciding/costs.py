"""The costs of a prompt, RAG, fine-tuning or both: every number in the formulas is a rate that the user can set.

Amounts are dollars. A default without a source is an assumption, and is shown as one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.core.options import check_kind

__all__ = [
    "ASSUMED_VOLUME",
    "CANDIDATES",
    "MONTHS",
    "SHIFTS",
    "BreakEven",
    "Cost",
    "CostTable",
    "Part",
    "RateRow",
    "Rates",
    "break_even",
    "compare_costs",
    "cost",
    "option",
    "rate_rows",
    "shifts_a_year",
]

MONTHS = 12
"""Months that totals and break-even volumes are about."""

ASSUMED_VOLUME = 100_000
"""Calls a month where nobody said how many; no recommendation rests on it."""

MONTHS_A_YEAR = 12

LARGEST_RATE = 1e12
"""No rate is larger."""

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "rag": ("rag",),
    "fine-tune": ("fine-tune",),
    "both": ("rag", "fine-tune"),
}
"""The candidates that are compared, and the techniques that each is made of."""

SHIFTS: Mapping[str, float] = {"daily": 365, "weekly": 52, "monthly": 12, "quarterly": 4, "yearly": 1, "never": 0}
"""Times a year that the data changes."""

PUBLISHED = "published"
"""The source of a rate that a published framework gives; `docs/decide.md` says which do."""


def _rate(
    default: float | None, says: str, unit: str, source: str = "", low: float | None = None, high: float | None = None
) -> Any:
    """A field of `Rates`: its default, what it says, its unit, its source ("": assumed), its published range."""
    return field(default=default, metadata={"says": says, "unit": unit, "source": source, "low": low, "high": high})


@dataclass(frozen=True)
class Rates:
    """Everything that the costs depend on but the number of calls. Raises `UsageError` for what is no amount."""

    price: float = _rate(2.5, "price of a million tokens to or from the base model", "$")
    call_tokens: float = _rate(500, "question and answer of a call, with nothing added", "tokens")
    prompt_tokens: float = _rate(4000, "what a longer prompt adds to a call: rules, examples or documents", "tokens")
    prompt_hours: float = _rate(16, "writing and testing the longer prompt", "hours")
    context_tokens: float = _rate(800, "retrieved context of a call", "tokens", "ragdiag: 5 chunks of 160")
    build_hours: float = _rate(80, "building retrieval", "hours")
    change_hours: float = _rate(16, "changing the retrieval that there is", "hours")
    vector_db: float = _rate(500, "retrieval's infrastructure", "$ a month", f"{PUBLISHED}: 200-800", 200, 800)
    corpus_tokens: float = _rate(5_000_000, "all documents, embedded at ingest", "tokens")
    embed_price: float = _rate(0.1, "price of embedding a million tokens", "$")
    changed_share: float = _rate(0.1, "part of the documents that a change embeds again", "of 1")
    prep_hours: float = _rate(120, "preparing the training data", "hours", f"{PUBLISHED}: 3 weeks")
    gpu_hours: float = _rate(3, "one A100, for a LoRA run", "hours", f"{PUBLISHED}: 2-4", 2, 4)
    gpu_price: float = _rate(25 / 3, "an A100", "$ an hour", f"{PUBLISHED}: $10-40 for 2-4 h", 5, 10)
    run_price: float | None = _rate(None, "a training run, in place of GPU hours", "$")
    shifts: float | None = _rate(None, "the data shifts, and facts are trained anew", "times a year")
    retrains: float = _rate(1, "a behavior is trained anew, where no fact is", "times a year")
    retrain_hours: float = _rate(16, "new data and evaluation for each further run", "hours")
    serving_hours: float = _rate(730, "one A100 that serves the tuned model", "hours a month")
    tuned_price: float = _rate(0, "price of a million tokens to the tuned model, whose GPU is paid by the hour", "$")
    hour_rate: float = _rate(75, "an hour of work", "$")

    built: ClassVar[bool] = False
    """Whether there is retrieval: then it is changed, not built."""

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            name, value = f.name, getattr(self, f.name)
            check_kind(option(name), value, float, int, *([type(None)] if f.default is None else []))
            if value is not None and not (math.isfinite(value) and 0 <= value <= LARGEST_RATE):
                raise UsageError(f"{option(name)} must be from 0 to {LARGEST_RATE:.0e}, not {value}")
        if self.changed_share > 1:
            raise UsageError(f"--changed-share must be from 0 to 1, not {self.changed_share}")

    @property
    def run(self) -> float:
        """Dollars of one training run."""
        return self.gpu_hours * self.gpu_price if self.run_price is None else self.run_price

    def standing(self) -> Rates:
        """The same for a team that has retrieval. Raises `UsageError` where the cost of building it was given."""
        if self.build_hours != Rates.build_hours:
            raise UsageError("what the report measured is built: leave --build-hours out; changing it takes --change-hours")
        return _Standing(**{f.name: getattr(self, f.name) for f in dataclasses.fields(self)})

    def at(self, end: str) -> Rates:
        """The same with each default that has a published range at that end of it, ``low`` or ``high``."""
        ranged = {f.name: f.metadata[end] for f in dataclasses.fields(self) if f.metadata[end] is not None}
        return dataclasses.replace(self, **{n: v for n, v in ranged.items() if getattr(self, n) == getattr(Rates, n)})


class _Standing(Rates):
    """The rates of a team that has retrieval."""

    built = True


def option(name: str) -> str:
    """The command line's name of a rate."""
    return f"--{name.replace('_', '-')}"


class Part(NamedTuple):
    """A part of a cost: dollars once, dollars a month."""

    what: str
    once: float
    monthly: float


@dataclass(frozen=True)
class Cost:
    """What a candidate costs; `low` and `high` are the total at the ends of the published ranges."""

    techniques: tuple[str, ...]
    parts: tuple[Part, ...]
    low: float
    high: float

    @property
    def once(self) -> float:
        """Dollars before the first call."""
        return sum(p.once for p in self.parts)

    @property
    def monthly(self) -> float:
        """Dollars a month in the steady state."""
        return sum(p.monthly for p in self.parts)

    @property
    def first_month(self) -> float:
        """Dollars of the first month, what is paid once included."""
        return self.once + self.monthly

    @property
    def total(self) -> float:
        """Dollars over `MONTHS`."""
        return self.once + MONTHS * self.monthly


@dataclass(frozen=True)
class BreakEven:
    """Calls a month at which `a` and `b` cost the same over `MONTHS`; None where one is cheaper at any volume.

    `above`: the cheaper one above it, or at any volume. `ends`: the break-even where the published ranges favour `b`, and where
    they favour `a`; None where there is none.
    """

    a: str
    b: str
    volume: float | None
    above: str
    ends: tuple[float | None, float | None]


@dataclass(frozen=True)
class CostTable:
    """All candidates at one volume (calls a month) and one number of `shifts` a year, which `changes` gave where it was asked."""

    volume: int
    volume_given: bool
    shifts: float
    changes: str | None
    rates: Rates
    costs: Mapping[str, Cost]
    break_even: tuple[BreakEven, ...]


class RateRow(NamedTuple):
    """A rate as it was used: `source` is "" for a default that is an assumption; `low` and `high` its published range."""

    option: str
    value: float
    unit: str
    says: str
    default: bool
    source: str
    low: float | None
    high: float | None


def shifts_a_year(rates: Rates, changes: str | None) -> float:
    """How often the data shifts: as the rates say, else as was answered; where it was not asked, facts are not at stake."""
    if rates.shifts is not None:
        return rates.shifts
    return rates.retrains if changes is None else SHIFTS[changes]


def tokens_of_a_call(techniques: Sequence[str], rates: Rates) -> float:
    """Tokens of one call, with what the techniques add."""
    added = {"prompt": rates.prompt_tokens, "rag": rates.context_tokens}
    return rates.call_tokens + sum(added.get(t, 0) for t in techniques)


def _parts(techniques: Sequence[str], volume: float, rates: Rates, shifts: float) -> Iterator[Part]:
    """The parts of what techniques cost together: see `cost`."""
    million = 1e6
    if "prompt" in techniques:
        yield Part("writing the prompt", rates.prompt_hours * rates.hour_rate, 0)
    if "rag" in techniques:
        embedding = rates.corpus_tokens * rates.embed_price / million
        if rates.built:
            yield Part("changing retrieval", rates.change_hours * rates.hour_rate, 0)
        else:
            yield Part("building retrieval", rates.build_hours * rates.hour_rate, 0)
        yield Part("infrastructure", 0, rates.vector_db)
        yield Part("embedding", embedding, embedding * rates.changed_share * shifts / MONTHS_A_YEAR)
    if "fine-tune" in techniques:
        again = rates.retrains if "rag" in techniques else shifts  # facts that are looked up need no training
        yield Part("preparing data", rates.prep_hours * rates.hour_rate, 0)
        yield Part("training", rates.run, (rates.run + rates.retrain_hours * rates.hour_rate) * again / MONTHS_A_YEAR)
        yield Part("serving", 0, rates.serving_hours * rates.gpu_price)
    price = rates.tuned_price if "fine-tune" in techniques else rates.price
    yield Part("calls", 0, volume * tokens_of_a_call(techniques, rates) * price / million)


def cost(techniques: Sequence[str], volume: float, rates: Rates, shifts: float) -> Cost:
    """What techniques cost together at `volume` calls a month, the data shifting `shifts` times a year."""
    at = {end: tuple(_parts(techniques, volume, rates.at(end), shifts)) for end in ("low", "high")}
    low, high = (sum(p.once + MONTHS * p.monthly for p in at[end]) for end in ("low", "high"))
    return Cost(tuple(techniques), tuple(_parts(techniques, volume, rates, shifts)), low, high)


def _crossing(a: Sequence[str], b: Sequence[str], rates_a: Rates, rates_b: Rates, shifts: float) -> tuple[float | None, bool]:
    """Calls a month where the two totals meet, and whether `b` is the cheaper one above; at any volume where they do not meet."""
    fixed_a, fixed_b = cost(a, 0, rates_a, shifts).total, cost(b, 0, rates_b, shifts).total
    a_call = tokens_of_a_call(a, rates_a) * (rates_a.tuned_price if "fine-tune" in a else rates_a.price) / 1e6
    b_call = tokens_of_a_call(b, rates_b) * (rates_b.tuned_price if "fine-tune" in b else rates_b.price) / 1e6
    more_fixed, less_a_call = fixed_b - fixed_a, a_call - b_call
    if less_a_call == 0 or more_fixed / less_a_call <= 0:
        return None, more_fixed < 0 or (more_fixed == 0 and less_a_call > 0)
    return more_fixed / (MONTHS * less_a_call), less_a_call > 0


def break_even(a: str, b: str, rates: Rates, shifts: float, beside: Sequence[str] = ()) -> BreakEven:
    """Where candidates `a` and `b` cost the same over `MONTHS`, each with the techniques `beside` it; a tie goes to `a`."""
    one, other = ((*beside, *(t for t in CANDIDATES[name] if t not in beside)) for name in (a, b))
    volume, b_above = _crossing(one, other, rates, rates, shifts)
    ends = [_crossing(one, other, rates.at(x), rates.at(y), shifts)[0] for x, y in (("high", "low"), ("low", "high"))]
    return BreakEven(a, b, volume, b if b_above else a, (ends[0], ends[1]))


def compare_costs(volume: int | None, rates: Rates, changes: str | None = None) -> CostTable:
    """All candidates at `volume` calls a month (None: at `ASSUMED_VOLUME`); `changes`: how often, where answered."""
    calls, shifts = ASSUMED_VOLUME if volume is None else volume, shifts_a_year(rates, changes)
    costs = {name: cost(techniques, calls, rates, shifts) for name, techniques in CANDIDATES.items()}
    pairs = (("rag", "fine-tune"), ("prompt", "fine-tune"), ("rag", "prompt"))
    return CostTable(
        calls, volume is not None, shifts, changes, rates, costs, tuple(break_even(a, b, rates, shifts) for a, b in pairs)
    )


def rate_rows(table: CostTable) -> tuple[RateRow, ...]:
    """Every rate as it was used, and whether that is a default; what is built is not built again, nor changed what is not."""
    derived = {
        "run_price": (table.rates.run, "GPU hours x price"),
        "shifts": (table.shifts, f"--changes {table.changes}, {PUBLISHED}" if table.changes else "--retrains"),
    }
    rows, unused = [], "build_hours" if table.rates.built else "change_hours"
    for f in dataclasses.fields(Rates):
        if f.name == unused:
            continue
        value = getattr(table.rates, f.name)
        default = bool(value == f.default)
        source, low, high = (f.metadata[name] if default else None for name in ("source", "low", "high"))
        if value is None:
            value, source = derived[f.name]
        rows.append(RateRow(option(f.name), value, f.metadata["unit"], f.metadata["says"], default, source or "", low, high))
    return tuple(rows)
