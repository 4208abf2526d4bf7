"""The published decision frameworks as one ordered list of questions, and what each answer implies.

Each has a name, which ``docs/decide.md`` explains. A problem of knowledge and one of behavior each have their own list; a
list is followed until an answer settles it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.errors import UsageError, did_you_mean
from ragdiag.core.options import check_kind
from ragdiag.deciding.costs import CANDIDATES, MONTHS, BreakEven, Cost, Rates, break_even, cost, shifts_a_year

__all__ = [
    "ACCESS",
    "FEWEST_EXAMPLES",
    "FIVE",
    "FOUR",
    "FRAMEWORKS",
    "GUIDES",
    "QUESTIONS",
    "RULES",
    "Question",
    "Rule",
    "Ruling",
    "Situation",
    "checked",
    "others",
]

ACCESS, GUIDES, FOUR, FIVE = "perfect-access test", "two guides", "four questions", "five questions"
"""The published frameworks, by their names on screen."""

FRAMEWORKS: Mapping[str, str] = {
    ACCESS: "with perfect access to the right information, would the problem still exist?",
    GUIDES: "RAG for volatile data, audit trails and large models; fine-tuning for static knowledge, voice, small models and "
    "devices; start with RAG",
    FOUR: "does the knowledge change more than monthly, must the model behave differently, can a call wait "
    "200–500 ms, are there labelled data or a budget?",
    FIVE: "five in order, stop at the first answer: knowledge or behavior, how often the data changes, examples, narrow task, "
    "volume; both only for two separate problems",
}
"""What each of them tests: they are articles on RAG and fine-tuning."""

FEWEST_EXAMPLES, ENOUGH_EXAMPLES = 500, 2_000
"""Good labelled examples that a LoRA takes: `FOUR` and `FIVE` say so."""

LARGEST_COUNT = 10**12
"""No answer that is a number is larger."""

Value = Any
"""An answer: one of a question's choices, or a number."""

FREQUENT = ("daily", "weekly", "monthly")


@dataclass(frozen=True)
class Question:
    """A question of the interview; without `choices` the answer is a number."""

    id: str
    text: str
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{self.id.replace('_', '-')}"


QUESTIONS: Mapping[str, Question] = {
    q.id: q
    for q in (
        Question(
            "problem",
            "With perfect access to the right information, would the problem be gone (knowledge) or still there (behavior)?",
            ("knowledge", "behavior", "both", "unknown"),
        ),
        Question("changes", "How often does the data change?", ("daily", "weekly", "monthly", "quarterly", "yearly", "never")),
        Question("citations", "Must answers cite their documents, or leave an audit trail?", ("yes", "no")),
        Question("need", "Is only format or tone wrong, or a skill: vocabulary, classification, reasoning?", ("format", "skill")),
        Question("prompted", "Has a prompt with the rules and examples been tried, and does it still fail?", ("yes", "no")),
        Question("weights", "May what your documents say be in a model's weights?", ("allowed", "forbidden")),
        Question("store", "May your documents go into an external store?", ("allowed", "forbidden")),
        Question("examples", "How many good labelled examples are there, or would the budget pay for?"),
        Question("task", "Is the task narrow and stable, or open?", ("narrow", "open")),
        Question("wait", "Can a call wait the 200-500 ms that retrieval adds?", ("yes", "no")),
        Question("small_model", "Must a small model do: on a device, or within a hard limit on inference cost?", ("yes", "no")),
        Question("volume", "How many calls a month?"),
    )
}
"""Every question, in the order of asking; `RULES` says which of them a problem puts."""


class Situation(NamedTuple):
    """What a rule may look at: the answers so far, the rates, and the remedies of problems settled before (``("rag",)``)."""

    answers: Mapping[str, Value]
    rates: Rates
    beside: tuple[str, ...] = ()


class Ruling(NamedTuple):
    """What an answer implies: the remedy that it settles, "" where the next question is put; why; which frameworks say so."""

    settles: str
    implies: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A question, what its answer implies (`rule`), and whether it is put at all (`put`)."""

    question: str
    rule: Callable[[Situation], Ruling]
    put: Callable[[Situation], bool] = lambda situation: True


def checked(question: str, value: object) -> Value:
    """`value`, where it is an answer that its question takes. Raises `UsageError` where it is none."""
    if question not in QUESTIONS:
        raise UsageError(f"unknown question {question!r}{did_you_mean(question, QUESTIONS)}")
    choices, option = QUESTIONS[question].choices, QUESTIONS[question].option
    if choices:
        check_kind(option, value, str)
        if value in choices:
            return str(value)
        raise UsageError(f"{option} must be one of {', '.join(choices)}, not {value!r}")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT:
        return value
    raise UsageError(f"{option} must be a whole number from 0 to {LARGEST_COUNT}, not {value!r}")


def _changes(s: Situation) -> Ruling:
    if s.answers["changes"] in FREQUENT:
        return Ruling("rag", "what changes monthly or more often is looked up: facts in weights go stale", (FOUR, FIVE))
    return Ruling("", "changes rarely: it could be looked up or trained in", (GUIDES, FIVE))


def _citations(s: Situation) -> Ruling:
    if s.answers["citations"] == "yes":
        return Ruling("rag", "only retrieval can trace an answer to its passage", (ACCESS, GUIDES))
    return Ruling("", "nothing needs to be traced", (GUIDES,))


def _weights(s: Situation) -> Ruling:
    if s.answers["weights"] == "forbidden":
        return Ruling("rag", "nothing may be trained in; where a store outside is forbidden too, host it yourself", ())
    return Ruling("", "training is allowed", ())


def _store(s: Situation) -> Ruling:
    if s.answers["store"] == "forbidden":
        return Ruling(
            "", "leans towards fine-tuning, if examples and task allow it; a store of your own is the other way", (FIVE,)
        )
    return Ruling("", "retrieval is allowed too", (FIVE,))


def _need(s: Situation) -> Ruling:
    if s.answers["need"] == "format":
        return Ruling("", "more documents never mend a format; a prompt may", (ACCESS, FOUR, FIVE))
    return Ruling("", "a skill is what fine-tuning is for, if examples, task and volume allow it", (ACCESS, GUIDES))


def _prompted(s: Situation) -> Ruling:
    if s.answers["prompted"] == "no":
        return Ruling("prompt", "first a prompt that states the rules and shows examples", (FIVE,))
    return Ruling("", "a prompt alone did not do", (FIVE,))


def _training_allowed(s: Situation) -> Ruling:
    if s.answers["weights"] == "forbidden":
        return Ruling("prompt", "nothing may be trained in: rules and examples stay in the prompt", ())
    return Ruling("", "training is allowed", ())


def _examples(remedy: str) -> Callable[[Situation], Ruling]:
    """`remedy`: what is left without examples."""

    def rule(s: Situation) -> Ruling:
        n, range_ = s.answers["examples"], f"{FEWEST_EXAMPLES:,} to {ENOUGH_EXAMPLES:,}"
        if n < FEWEST_EXAMPLES:
            return Ruling(remedy, f"too few to fine-tune: a LoRA takes {range_} good ones", (FOUR, FIVE))
        low = ", at the low end:" if n < ENOUGH_EXAMPLES else ":"
        return Ruling("", f"enough to fine-tune{low} a LoRA takes {range_} good ones", (FOUR, FIVE))

    return rule


def _task(remedy: str) -> Callable[[Situation], Ruling]:
    """`remedy`: what is left where the task is not one to fine-tune for."""

    def rule(s: Situation) -> Ruling:
        if s.answers["task"] == "open":
            return Ruling(remedy, "fine-tuning is for narrow tasks that stay as they are", (FIVE,))
        if s.answers.get("store") == "forbidden":
            return Ruling("fine-tune", "narrow, stable, with examples, and no store outside is allowed", (FIVE,))
        return Ruling("", "narrow and stable: fine-tuning is possible, what remains is whether it pays", (FIVE,))

    return rule


def _wait(s: Situation) -> Ruling:
    if s.answers["wait"] == "no":
        return Ruling("fine-tune", "a tuned model's calls need no retrieval, and save its 200-500 ms", (FOUR, FIVE))
    return Ruling("", "retrieval is fast enough", (FOUR,))


def _small_model(s: Situation) -> Ruling:
    if s.answers["small_model"] == "yes":
        return Ruling("fine-tune", "a small model, a device or a hard cost limit leans towards fine-tuning", (GUIDES, FIVE))
    return Ruling("", "a large model may do it", (GUIDES,))


def _volume(otherwise: str) -> Callable[[Situation], Ruling]:
    """`otherwise`: what fine-tuning must be cheaper than."""

    def rule(s: Situation) -> Ruling:
        tuned, other = _costs(s, otherwise)
        beside = "" if not s.beside else f" with {_NAMES[s.beside[0]]} beside each"
        amounts = f"over {MONTHS} months fine-tuning costs ${tuned.total:,.0f}, {_NAMES[otherwise]} ${other.total:,.0f}{beside}"
        overlap = tuned.low <= other.high and other.low <= tuned.high
        amounts += "; the published ranges overlap, so give your own rates" if overlap else ""
        if tuned.total < other.total:
            return Ruling("fine-tune", f"the volume justifies it: {amounts}", (FIVE,))
        return Ruling(otherwise, f"the volume does not justify it: {amounts}", (GUIDES, FIVE))

    return rule


_NAMES = {"rag": "RAG", "prompt": "the longer prompt", "fine-tune": "fine-tuning"}


def _costs(s: Situation, otherwise: str) -> tuple[Cost, Cost]:
    """Fine-tuning, and its alternative, both with what stands beside them."""
    shifts = shifts_a_year(s.rates, s.answers.get("changes"))
    techniques = ([*s.beside, *CANDIDATES[name]] for name in ("fine-tune", otherwise))
    one, other = (cost(names, s.answers["volume"], s.rates, shifts) for names in techniques)
    return one, other


RULES: Mapping[str, tuple[Rule, ...]] = {
    "knowledge": (
        Rule("changes", _changes),
        Rule("citations", _citations),
        Rule("weights", _weights),
        Rule("store", _store),
        Rule("examples", _examples("rag")),
        Rule("task", _task("rag")),
        Rule("wait", _wait),
        Rule("small_model", _small_model),
        Rule("volume", _volume("rag")),
    ),
    "behavior": (
        Rule("need", _need),
        Rule("prompted", _prompted, lambda s: s.answers["need"] == "format"),
        Rule("weights", _training_allowed),
        Rule("examples", _examples("prompt")),
        Rule("task", _task("prompt")),
        Rule("small_model", _small_model),
        Rule("volume", _volume("prompt")),
    ),
}
"""For each problem its questions in order; the last one always settles it."""


def others(problem: str, question: str, s: Situation) -> list[tuple[str, Value]]:
    """The other answers to a question, each after its name; of a number, the nearest that would be ruled otherwise."""
    value = s.answers[question]
    if question == "examples":
        few = value < FEWEST_EXAMPLES
        return [(f"{FEWEST_EXAMPLES} or more", FEWEST_EXAMPLES) if few else (f"under {FEWEST_EXAMPLES}", FEWEST_EXAMPLES - 1)]
    if question == "volume":
        return _other_volume(_turns_at(problem, s), value)
    return [(choice, choice) for choice in QUESTIONS[question].choices if choice not in (value, "unknown")]


def _turns_at(problem: str, s: Situation) -> BreakEven:
    """The volume from which fine-tuning costs less, or more, than its alternative."""
    shifts = shifts_a_year(s.rates, s.answers.get("changes"))
    return break_even("rag" if problem == "knowledge" else "prompt", "fine-tune", s.rates, shifts, s.beside)


def _other_volume(turn: BreakEven, value: int) -> list[tuple[str, Value]]:
    if turn.volume is None or turn.volume >= LARGEST_COUNT:
        return []
    at = math.floor(turn.volume)
    return [(f"{at + 1:,} or more", at + 1)] if value <= at else [(f"{at:,} or fewer", at)]
