"""How a function is asked: which of its parameters is the question, and which the number of results."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.search.retrievers._source import Opaque

__all__ = ["LIMITS", "QUESTIONS", "Asker", "name_of", "of_function"]

QUESTIONS = ("query", "text", "question", "input", "q")
"""What a question is called where it is passed by its name."""

LIMITS = ("k", "top_k", "topk", "n", "limit", "similarity_top_k", "n_results", "num_results", "max_results", "size", "count")
"""What a number of results is called."""


class Asker(NamedTuple):
    """A search as a function of a question and a number of results, and whether it is told that number."""

    ask: Callable[[str, int], object]
    takes_k: bool


def name_of(search: object) -> str:
    """What a search is called in reports: ``search app.retrieval.search``, or by its class. What is bound to it stays unsaid."""
    if isinstance(search, functools.partial):
        bound = ["..."] * len(search.args) + [f"{name}=..." for name in search.keywords]
        return f"{name_of(search.func)}({', '.join(bound)})"
    definition = search if inspect.isroutine(search) else type(search)
    return f"search {getattr(definition, '__module__', '')}.{getattr(definition, '__qualname__', definition.__class__.__name__)}"


def of_function(search: Opaque) -> Asker:
    """How a function is asked: its first parameter is the question; the number of results is one of `LIMITS`, or the second.

    A second one that has a default and another name is none: it may be a filter. Nor is one that `functools.partial` has bound.
    Raises `UsageError` where question and number are not enough.
    """
    named, passes_on = _parameters(search)
    placed = [p for p in named if p.kind is not Parameter.KEYWORD_ONLY][:2]
    if len(placed) < 2 and passes_on:
        return Asker(search, True)
    question, limit = _question(named, placed), _limit(named, placed)
    if question is None:
        raise UsageError(f"{name_of(search)} takes no question; give search(query, k)")
    if needed := [p.name for p in named if p not in (question, limit) and p.default is Parameter.empty]:
        remedy = f"bind it: functools.partial(search, {needed[0]}=...)"
        raise UsageError(f"{name_of(search)} needs more than a question and k: {', '.join(needed)}; {remedy}")

    def ask(query: str, k: int) -> object:
        given = ((question, query), (limit, k))
        by_place = [value for parameter, value in given if parameter in placed]
        by_name = {parameter.name: value for parameter, value in given if parameter and parameter not in placed}
        answer: object = search(*by_place, **by_name)
        return answer

    return Asker(ask, limit is not None)


def _parameters(search: Opaque) -> tuple[list[Parameter], bool]:
    """The parameters that have a name and are not bound, and whether a function takes others by their place, too."""
    try:
        parameters = list(inspect.signature(search).parameters.values())
    except (TypeError, ValueError):  # some of C say nothing
        return [], True
    bound = search.keywords if isinstance(search, functools.partial) else {}
    named = [p for p in parameters if p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD) and p.name not in bound]
    return named, any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)


def _question(named: Sequence[Parameter], placed: Sequence[Parameter]) -> Parameter | None:
    return placed[0] if placed else next((p for p in named if p.name in QUESTIONS), None)


def _limit(named: Sequence[Parameter], placed: Sequence[Parameter]) -> Parameter | None:
    """The parameter that is the number of results: one of `LIMITS`, else the second one, where it has to be given a number."""
    others = [p for p in named if p not in placed[:1] and (p in placed or p.kind is not Parameter.POSITIONAL_ONLY)]
    known = next((p for p in others if p.name in LIMITS), None)
    second = next((p for p in placed[1:] if p.default is Parameter.empty and p.annotation in (Parameter.empty, int, "int")), None)
    return known or second
