"""Prompt, RAG, fine-tuning or both: the published frameworks as one interview that stops at the first answer that settles it.

The first question, knowledge or behavior, is answered by the measured verdict where there is one; where the measurement does not
tell, nothing is recommended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.deciding.costs import CostTable, Rates, compare_costs
from ragdiag.deciding.framework import ACCESS, FIVE, QUESTIONS, RULES, Question, Situation, Value, checked, others
from ragdiag.deciding.measured import Measured

__all__ = ["Answer", "Decision", "Otherwise", "Step", "decide"]

Source = Literal["measured", "option", "asked"]

PROBLEMS: Mapping[str, tuple[str, ...]] = {
    "knowledge": ("knowledge",),
    "behavior": ("behavior",),
    "both": ("knowledge", "behavior"),
    "unknown": (),
}
"""What each answer to the first question is a problem of, in the order of `RULES`."""

LITMUS = "ragdiag litmus QUERIES --answers FILE, with answers from retrieved and from perfect context (oracle)"


class Answer(NamedTuple):
    """An answer and where it came from."""

    value: Value
    source: Source = "option"


class Otherwise(NamedTuple):
    """Another answer to a step's question, and what it would lead to: a recommendation, or first another question (`asks`)."""

    answer: str
    recommendation: str
    asks: str


@dataclass(frozen=True)
class Step:
    """One question of the interview.

    `problem`: which of the two it was put about, "" for the first; `settles`: the remedy that it settled, "" where it went on;
    `sources`: the published frameworks that say so, none where it is ragdiag's own inference.
    """

    question: Question
    problem: str
    answer: Value
    source: Source
    settles: str
    implies: str
    sources: tuple[str, ...]
    otherwise: tuple[Otherwise, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What the interview came to.

    `recommendation` is prompt, rag, fine-tune or both; "" where an answer is `missing`, or the measurement does not tell: then
    `measure` says what to measure, and `either` what would follow from each answer. `remedies`: what was settled for a problem.
    `unreached`: questions that were answered and not put.
    """

    recommendation: str
    remedies: Mapping[str, str]
    steps: tuple[Step, ...]
    missing: Question | None
    measured: Measured | None
    measure: str
    either: Mapping[str, Decision]
    unreached: tuple[str, ...]
    notes: tuple[str, ...]
    costs: CostTable

    @property
    def unanswered(self) -> Question | None:
        """The next question without an answer, also where it hangs on what a measurement would tell."""
        return self.missing or next((d.missing for d in self.either.values() if d.missing), None)


class _Walk(NamedTuple):
    """Where the questions led: the remedy of each problem that is settled, the steps, the question that lacks an answer or ""."""

    remedies: dict[str, str]
    steps: list[Step]
    missing: str


def decide(
    answers: Mapping[str, object] | None = None, verdict: Mapping[str, object] | None = None, rates: Rates | None = None
) -> Decision:
    """Prompt, RAG, fine-tuning or both.

    `answers`: by question (see `framework.QUESTIONS`), plain or as `Answer`. `verdict`: the object of ``ragdiag litmus --json``,
    which answers ``problem``; `answers` may only where nothing was measured. Raises `UsageError` for an answer that its question
    does not take, and where both answer the first question.
    """
    answered = {name: _answer(name, value) for name, value in (answers or {}).items()}
    measured = None if verdict is None else Measured.of(verdict)
    rates = _rates(rates or Rates(), measured)
    stated = answered.get("problem")
    if measured and measured.kind != "NOT_MEASURED":
        if stated:
            raise UsageError(f"the report measured {measured.name}: leave --problem out")
        return _decided(answered, measured.problems, Answer(measured.name, "measured"), measured, rates)
    if stated:
        return _decided(answered, PROBLEMS[str(stated.value)], stated, measured, rates)
    if measured:
        return _decided(answered, (), Answer("NOT_MEASURED", "measured"), measured, rates)
    return _finished(_Walk({}, [], "problem"), answered, measured, rates)


def _rates(rates: Rates, measured: Measured | None) -> Rates:
    """The rates of the team: what was measured is built. Raises `UsageError` for the rate of what there is not."""
    if measured:
        return rates.standing()
    if rates.change_hours != Rates.change_hours:
        raise UsageError("--change-hours is about the retrieval of a report: give --report, or --build-hours")
    return rates


def _answer(question: str, value: object) -> Answer:
    """An answer, plain or an `Answer` already, that its question takes. Raises `UsageError`."""
    plain, source = value if isinstance(value, Answer) else Answer(value)
    return Answer(checked(question, plain), source)


def _decided(
    answered: Mapping[str, Answer], problems: tuple[str, ...], first: Answer, measured: Measured | None, rates: Rates
) -> Decision:
    """The interview about `problems`; about each of the two in turn where it is not known which it is."""
    if problems:
        walk = _walk(problems, answered, rates)
        opening = dataclasses.replace(
            _opening(problems, first), otherwise=tuple(_other_problems(problems, answered, rates, walk))
        )
        about = [dataclasses.replace(s, otherwise=tuple(_otherwise(s, problems, answered, rates, walk))) for s in walk.steps]
        return _finished(_Walk(walk.remedies, [opening, *about], walk.missing), answered, measured, rates)
    either = {
        p: dataclasses.replace(_decided({**answered, "problem": Answer(p)}, (p,), Answer(p), None, rates), notes=())
        for p in RULES
    }
    undecided = _finished(_Walk({}, [_opening((), first)], ""), answered, measured, rates)
    reached = {s.question.id for d in either.values() for s in d.steps}
    unreached = tuple(q for q in undecided.unreached if q not in reached)
    costs = either["knowledge"].costs  # how often the data changes was asked there
    return dataclasses.replace(undecided, either=either, measure=_measure(measured), unreached=unreached, costs=costs)


def _opening(problems: tuple[str, ...], first: Answer) -> Step:
    """The step of the first question, whose answer says which `problems` there are."""
    says = {
        (): ("the measurement does not tell", (ACCESS, FIVE)),
        ("knowledge",): ("the right information would mend it: first how to bring it to the model", (ACCESS, FIVE)),
        ("behavior",): ("it would be there with the right information too: more documents do not mend it", (ACCESS, FIVE)),
        ("knowledge", "behavior"): ("two separate problems: each is put its own questions", (FIVE,)),
    }
    implies, sources = says[problems]
    return Step(QUESTIONS["problem"], "", first.value, first.source, "", implies, sources)


def _walk(problems: tuple[str, ...], answered: Mapping[str, Answer], rates: Rates) -> _Walk:
    """Each problem's questions in order, up to the answer that settles it or the first that is missing."""
    remedies: dict[str, str] = {}
    steps: list[Step] = []
    for problem in problems:
        answers: dict[str, Value] = {}
        situation = Situation(answers, rates, tuple(remedies.values()))
        for rule in RULES[problem]:
            if not rule.put(situation):
                continue
            if rule.question not in answered:
                return _Walk(remedies, steps, rule.question)
            answer = answered[rule.question]
            answers[rule.question] = answer.value
            ruling = rule.rule(situation)
            steps.append(Step(QUESTIONS[rule.question], problem, answer.value, answer.source, *ruling))
            if ruling.settles:
                remedies[problem] = ruling.settles
                break
    return _Walk(remedies, steps, "")


def _recommended(walk: _Walk) -> str:
    """Both only where two problems force two remedies of which neither is a prompt, which goes with either."""
    if walk.missing:
        return ""
    remedies = set(walk.remedies.values())
    return "both" if {"rag", "fine-tune"} <= remedies else next(r for r in ("rag", "fine-tune", "prompt") if r in remedies)


def _outcome(name: str, walk: _Walk) -> Otherwise:
    """What the answer called `name` leads to."""
    return Otherwise(name, _recommended(walk), walk.missing)


def _other_problems(problems: tuple[str, ...], answered: Mapping[str, Answer], rates: Rates, walk: _Walk) -> Iterator[Otherwise]:
    for other in (("knowledge",), ("behavior",), ("knowledge", "behavior")):
        otherwise = _outcome("both" if len(other) > 1 else other[0], _walk(other, answered, rates))
        if other != problems and otherwise[1:] != (_recommended(walk), ""):
            yield otherwise


def _otherwise(
    step: Step, problems: tuple[str, ...], answered: Mapping[str, Answer], rates: Rates, walk: _Walk
) -> Iterator[Otherwise]:
    """The other answers to a step's question that would change the recommendation, or put another question first."""
    before = {s.question.id: s.answer for s in walk.steps if s.problem == step.problem}
    settled = tuple(r for p, r in walk.remedies.items() if list(RULES).index(p) < list(RULES).index(step.problem))
    for name, value in others(step.problem, step.question.id, Situation(before, rates, settled)):
        otherwise = _outcome(name, _walk(problems, {**answered, step.question.id: Answer(value)}, rates))
        if otherwise[1:] != (_recommended(walk), walk.missing):
            yield otherwise


def _finished(walk: _Walk, answered: Mapping[str, Answer], measured: Measured | None, rates: Rates) -> Decision:
    reached = {s.question.id: s.answer for s in walk.steps}
    volume = answered["volume"].value if "volume" in answered else None
    return Decision(
        recommendation=_recommended(walk) if walk.remedies else "",
        remedies=walk.remedies,
        steps=tuple(walk.steps),
        missing=QUESTIONS[walk.missing] if walk.missing else None,
        measured=measured,
        measure="",
        either={},
        unreached=tuple(q for q in QUESTIONS if q in answered and q not in reached and q != walk.missing),
        notes=tuple(_notes(walk, measured)),
        costs=compare_costs(volume, rates, reached.get("changes")),
    )


def _notes(walk: _Walk, measured: Measured | None) -> Iterator[str]:
    """What the recommendation does not say by itself."""
    if walk.remedies and not walk.missing:
        if walk.steps[0].source != "measured":
            yield "knowledge or behavior was not measured, and all else follows from it: ragdiag litmus measures it"
        if _recommended(walk) != "prompt" and "prompt" in walk.remedies.values():
            yield "the behavior goes into the prompt: nothing forces a second technique"
        if measured and walk.remedies.get("knowledge") == "rag":
            context = "CONTEXT" in (measured.kind, measured.secondary)
            yield (
                "the evidence is in the context already: fewer, better chunks, not more (ragdiag audit)"
                if context
                else "repair the retrieval that there is before another is built: ragdiag audit names the causes"
            )


def _measure(measured: Measured | None) -> str:
    """What to measure, where it is not known whether it is knowledge or behavior."""
    if measured is None or measured.kind == "NOT_MEASURED":
        return f"measure whether it is knowledge or behavior: {LITMUS}; ragdiag prompts writes the prompts"
    if measured.needed is None:
        return f"more failures would hardly tell: knowledge and behavior seem to share them evenly; repeat {LITMUS}"
    return f"{measured.needed:,} further failures would tell: {LITMUS}"
