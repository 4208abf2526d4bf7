"""A decision as terminal text and as JSON: what is recommended, what led there, what would change it, what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ragdiag.core.version import __version__
from ragdiag.deciding.after import following
from ragdiag.deciding.costs import MONTHS, BreakEven, Cost, CostTable, rate_rows
from ragdiag.deciding.decision import Decision, Step
from ragdiag.deciding.framework import FRAMEWORKS, QUESTIONS
from ragdiag.deciding.measured import Measured
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import line, next_lines, plain_table
from ragdiag.text.phrases import listed

__all__ = ["decide_dict", "decide_text"]

NAMES = {"prompt": "prompt", "rag": "RAG", "fine-tune": "fine-tune", "both": "both"}

SAYS = {
    "prompt": "a better one; neither retrieval nor fine-tuning is called for",
    "rag": "retrieval, which brings the right text to the model",
    "fine-tune": "train the model",
    "both": "RAG for the knowledge, fine-tuning for the behavior: two problems force two remedies",
}
"""What each recommendation means, in a line."""

UNDECIDED = "no recommendation"

BRACKETS = "in brackets: the published framework that says so, an article on RAG and fine-tuning; own: ragdiag's inference"
"""Said below the steps."""


def decide_text(decision: Decision) -> RenderableType:
    """A decision: the recommendation, the steps to it, then costs and rates."""
    parts: list[RenderableType] = [line((f"ragdiag {__version__}", "bold"), "  decide"), *_headline(decision), Text()]
    for number, step in enumerate(decision.steps, 1):
        parts += _step(number, step)
    for answer, branch in decision.either.items():
        parts += [Text(), line((f"If it is {answer}: ", "bold"), *_branch(branch))]
        for number, step in enumerate(branch.steps[1:], 2):
            parts += _step(number, step)
    if decision.steps:
        parts += [line((BRACKETS, "dim")), *_frameworks(decision)]
    if decision.unreached:
        options = listed([QUESTIONS[name].option for name in decision.unreached])
        parts += [line((f"given, but not needed to settle it: {options}", "dim"))]
    parts += [Text(), *_costs(decision), Text(), *_rates(decision.costs), *next_lines(following(decision))]
    return Group(*parts)


def _frameworks(decision: Decision) -> Iterator[RenderableType]:
    """What each framework tests that the steps name."""
    steps = [*decision.steps, *(step for branch in decision.either.values() for step in branch.steps)]
    named = {source for step in steps for source in step.sources}
    for name, tests in FRAMEWORKS.items():
        if name in named:
            yield _indented(line((f"{name}: {tests}", "dim")))


def _headline(decision: Decision) -> Iterator[RenderableType]:
    """The recommendation, or what is missing for one; what was measured; notes."""
    chosen = decision.recommendation
    if not chosen:
        yield line((UNDECIDED, "bold yellow"), f": {decision.measure or _asks(decision)}")
        if decision.measured:
            yield from _share(decision.measured)
        outcomes = {branch.recommendation for branch in decision.either.values()}
        if len(outcomes) == 1 and outcomes != {""}:
            yield line(f"either answer leads to the same: {NAMES[outcomes.pop()]}")
        return
    yield line((NAMES[chosen], "bold green"), f": {SAYS[chosen]}")
    if decision.measured and decision.steps[0].source == "measured":
        yield from _share(decision.measured)
    for note in decision.notes:
        yield line((f"note: {note}", "yellow"))


def _share(measured: Measured) -> Iterator[RenderableType]:
    """What the verdict rests on."""
    if measured.share is not None and measured.low is not None and measured.high is not None:
        interval = f"{measured.share:.0%} [{measured.low:.0%}, {measured.high:.0%}]"
        yield line((f"measured: {measured.name}; perfect context fixes {interval} of {measured.n} failures", "dim"))
        if measured.errors == "open":
            yield line(("as judged: the judge's errors are not in that interval; ragdiag litmus says what to label", "yellow"))


def _asks(decision: Decision) -> str:
    return f"{decision.missing.option} is missing" if decision.missing else ""


def _branch(decision: Decision) -> tuple[str | tuple[str, str], ...]:
    if decision.missing:
        return ("not settled, needs ", decision.missing.option)
    return ((NAMES[decision.recommendation], "bold"), f": {SAYS[decision.recommendation]}")


def _step(number: int, step: Step) -> Iterator[RenderableType]:
    about = f" ({step.problem})" if step.problem else ""
    answer = f"{step.answer:,}" if isinstance(step.answer, int) else str(step.answer)
    settles = f" -> {NAMES[step.settles]}" if step.settles else ""
    yield line((f"{number}{about} ", "dim"), step.question.text)
    yield _indented(line((answer, "bold"), (f" ({step.source}) ", "dim"), step.implies, (settles, "bold green"), _sources(step)))
    if step.otherwise:
        yield _indented(line((f"otherwise: {_otherwise(step)}", "dim")))


def _otherwise(step: Step) -> str:
    """Other answers, those with the same outcome together."""
    outcomes: dict[str, list[str]] = {}
    for o in step.otherwise:
        leads_to = f"asks {QUESTIONS[o.asks].option}" if o.asks else NAMES[o.recommendation]
        outcomes.setdefault(leads_to, []).append(o.answer)
    return "; ".join(f"{listed(answers, 'or')} -> {leads_to}" for leads_to, answers in outcomes.items())


def _sources(step: Step) -> tuple[str, str]:
    return (f" [{', '.join(step.sources) or 'own'}]", "dim")


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 4), expand=False)


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount < 1e7 else f"${amount / 1e6:,.1f}M"


def _costs(decision: Decision) -> Iterator[RenderableType]:
    """The candidates side by side, and where they break even."""
    table = decision.costs
    assumed = "" if table.volume_given else " (assumed: give --volume)"
    yield line(("Costs ", "bold"), f"at {table.volume:,} calls a month{assumed}, training {_times(table.shifts)}")
    rows = plain_table("", ">once", ">first month", ">then monthly", f">{MONTHS} months", ">published range")
    for name, cost in table.costs.items():
        style = "bold" if name == decision.recommendation else ""
        between = f"{_dollars(cost.low)} to {_dollars(cost.high)}" if cost.low != cost.high else ""
        amounts = (cost.once, cost.first_month, cost.monthly, cost.total)
        rows.add_row(NAMES[name], *(_dollars(a) for a in amounts), between, style=style)
    yield rows
    for break_even in table.break_even:
        yield line(_break_even(break_even))
    rates = table.rates
    if rates.built:
        yield line(("the report is of a pipeline that you have: RAG is what changing it costs, not building it", "dim"))
    if "knowledge" in (*decision.remedies, *decision.either) and rates.prompt_tokens < rates.corpus_tokens:
        holds = f"{rates.prompt_tokens:,.10g} of the documents' {rates.corpus_tokens:,.10g} tokens"
        yield line((f"a prompt that holds {holds} does not replace retrieval, however cheap", "dim"))


def _times(a_year: float) -> str:
    return f"facts anew {a_year:g} times a year" if a_year != 1 else "facts anew once a year"


def _break_even(break_even: BreakEven) -> str:
    """Which of two candidates is cheaper, and from which volume on."""
    a, b, above = NAMES[break_even.a], NAMES[break_even.b], NAMES[break_even.above]
    if break_even.volume is None:
        return f"{a} and {b}: {above} is cheaper at any volume"
    ends = sorted({f"{round(end):,}": end for end in break_even.ends if end is not None}.items(), key=lambda item: item[1])
    between = f", from {ends[0][0]} to {ends[-1][0]} over the published ranges" if len(ends) > 1 else ""
    return f"{a} and {b} break even at {round(break_even.volume):,} calls a month{between}; above it {above} is cheaper"


def _rates(table: CostTable) -> Iterator[RenderableType]:
    yield line(("Rates ", "bold"), ("all are options; give your own for what is assumed", "dim"))
    rows = plain_table("option", ">value", "unit", "source")
    for rate in rate_rows(table):
        source = rate.source or ("assumption" if rate.default else "given")
        rows.add_row(rate.option, f"{round(rate.value, 2):,.10g}", rate.unit, source)
    yield rows


def decide_dict(decision: Decision) -> JsonObject:
    """A decision as JSON."""
    table, next_ = decision.costs, following(decision)
    return {
        "ragdiag": __version__,
        **_outcome(decision),
        "measured": None if decision.measured is None else dataclasses.asdict(decision.measured),
        "measure": decision.measure or None,
        "either": {answer: _outcome(branch) for answer, branch in decision.either.items()},
        "not_needed": list(decision.unreached),
        "notes": list(decision.notes),
        "next": None if next_ is None else next_._asdict(),
        "costs": {
            "volume": table.volume,
            "volume_given": table.volume_given,
            "shifts": table.shifts,
            "months": MONTHS,
            "candidates": {name: _cost(cost) for name, cost in table.costs.items()},
            "break_even": [dataclasses.asdict(row) | {"ends": list(row.ends)} for row in table.break_even],
            "rates": [row._asdict() for row in rate_rows(table)],
        },
    }


def _outcome(decision: Decision) -> JsonObject:
    return {
        "recommendation": decision.recommendation or None,
        "remedies": dict(decision.remedies),
        "missing": decision.missing.option if decision.missing else None,
        "steps": [_step_dict(step) for step in decision.steps],
    }


def _step_dict(step: Step) -> JsonObject:
    return {
        "question": step.question.id,
        "text": step.question.text,
        "problem": step.problem or None,
        "answer": step.answer,
        "from": step.source,
        "settles": step.settles or None,
        "implies": step.implies,
        "sources": list(step.sources),
        "otherwise": [
            {"answer": o.answer, "recommendation": o.recommendation or None, "asks": o.asks or None} for o in step.otherwise
        ],
    }


def _cost(cost: Cost) -> JsonObject:
    return {
        "techniques": list(cost.techniques),
        "once": cost.once,
        "first_month": cost.first_month,
        "monthly": cost.monthly,
        "total": cost.total,
        "low": cost.low,
        "high": cost.high,
        "parts": [part._asdict() for part in cost.parts],
    }
