"""What differs between two audited pipelines, part by part, and how one part is put back into the other pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ragdiag.comparing.reported import Reported
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Fusion, Retriever, Wrapper
from ragdiag.core.registry import make, spec_of
from ragdiag.core.remote import remote_part

__all__ = ["DOCUMENTS", "Part", "known_by_name", "not_run", "parts_of_change", "specs"]

DOCUMENTS = "documents"
"""The part that no option names: what is in the corpus."""

ELSEWHERE = ("as stored", "as in the run", "as in the search")
"""How reports call chunks that came with a stored index, a recorded run or a search."""

OWN = ("chunks ", "own chunks", "run ", "search ")
"""How the names begin of what a report knows by name alone."""


class Part(NamedTuple):
    """One thing that differs: what it is called, how it was and is, the options that put it back, or why nothing can."""

    name: str
    old: str
    new: str
    back: Mapping[str, str]
    untestable: str = ""


def parts_of_change(old: Reported, new: Reported) -> list[Part]:
    """What differs between the pipelines and the documents of two reports."""
    parts = list(_search(old, new))
    if old.corpus != new.corpus:
        parts.append(Part(DOCUMENTS, old.corpus[:8], new.corpus[:8], {}))
    return parts


def _search(old: Reported, new: Reported) -> Iterator[Part]:
    if {old.chunker, new.chunker} & set(ELSEWHERE):
        if _named(old) != _named(new):
            yield Part("index", _named(old), _named(new), specs(old), not_run(old))  # its chunks come with it
        return
    if old.chunker != new.chunker:
        yield Part("chunker", old.chunker, new.chunker, {"chunker": old.chunker}, not_run(old, "chunkers"))
    if old.context != new.context:
        yield Part("context", old.context, new.context, {"context": old.context}, not_run(old, "contexts"))
    if old.retriever != new.retriever:
        yield from _retrievers(old, new)
    yield from _models_as_they_are(old, new)


def _models_as_they_are(old: Reported, new: Reported) -> Iterator[Part]:
    """The models whose names say nothing of what changed in them; one that came with another chunker or retriever is theirs."""
    before, after = _by_name(old), _by_name(new)
    same = (old.chunker, old.retriever) == (new.chunker, new.retriever)
    names = before.keys() | after.keys() if same else before.keys() & after.keys()
    other = [name for name in sorted(names) if before.get(name) != after.get(name)]
    if other:
        was, now = (", ".join(filter(None, map(each.get, other))) for each in (before, after))
        files = "the same name stands for something else, and a report holds no model"
        yield Part("model files" if old.retriever != new.retriever else "model", was, now, {}, files)


def _by_name(report: Reported) -> dict[str, str]:
    """A report's models as it describes them, by their names."""
    return {described.partition("@")[0]: described for described in report.models}


def _retrievers(old: Reported, new: Reported) -> Iterator[Part]:
    """Retriever and model apart, where the two have one model each."""
    if reason := not_run(old, "retrievers") or not_run(new, "retrievers"):
        yield Part("retriever", old.retriever, new.retriever, {"retriever": old.retriever}, reason)
        return
    before, after = make("retrievers", old.retriever), make("retrievers", new.retriever)
    models = _models(before), _models(after)
    if len(models[0]) != 1 or len(models[1]) != 1 or models[0] == models[1]:
        yield Part("retriever", old.retriever, new.retriever, {"retriever": old.retriever})
        return
    (was,), (now,) = models
    search = spec_of(_with_model(before, now))
    if search != spec_of(after):
        yield Part("retriever", old.retriever, new.retriever, {"retriever": search})
    yield Part("model", was, now, {"retriever": spec_of(_with_model(after, was))})


def _models(retriever: Retriever) -> set[str]:
    """What embeds, by name, in a retriever and in those within it; a model that scores pairs is a part of its step."""
    if isinstance(retriever, Fusion):
        return {name for inner in retriever.retrievers for name in _models(inner)}
    if isinstance(retriever, Wrapper):
        return _models(retriever.retriever)
    model = getattr(retriever, "model", None)
    return {model} if isinstance(model, str) else set()


def _with_model(retriever: Retriever, model: str) -> Retriever:
    """A retriever that is the same but for what embeds."""
    changed: dict[str, object] = {}
    if isinstance(retriever, Fusion):
        changed["retrievers"] = tuple(_with_model(inner, model) for inner in retriever.retrievers)
    elif isinstance(retriever, Wrapper):
        changed["retriever"] = _with_model(retriever.retriever, model)
    elif isinstance(getattr(retriever, "model", None), str):
        changed["model"] = model
    other: Retriever = dataclasses.replace(retriever, **changed)  # type: ignore[type-var]  # which no protocol can say
    return other


def specs(report: Reported) -> dict[str, str]:
    """The options that make a report's pipeline again; chunks that come with a stored index are no option."""
    cut = {} if report.chunker in ELSEWHERE else {"chunker": report.chunker, "context": report.context}
    return {**cut, "retriever": report.retriever}


def not_run(report: Reported, family: str = "") -> str:
    """Why a report's pipeline, or its part of one family, is not run again; "" where it can be.

    A report is data: what it names is not fetched, asked elsewhere or run as code.
    """
    of_family = {f"{option}s": spec for option, spec in specs(report).items()}
    for each, spec in of_family.items():
        if family in ("", each) and (reason := _not_made(each, spec)):
            return reason
    return ""


def known_by_name(report: Reported) -> str:
    """What a report tells the name of, and not what is in it: own chunks, a run, a search, a store; "" without such."""
    named = [name for name in (report.chunker, report.retriever) if name.startswith(OWN)]
    return named[0] if named else report.retriever if report.chunker in ELSEWHERE else ""


def _not_made(family: str, spec: str) -> str:
    if spec.startswith(OWN):
        return f"{spec} is known by its name alone"
    try:
        elsewhere = remote_part(make(family, spec))
    except SpecError as e:
        return str(e)
    return (
        f"{elsewhere} may have to be fetched or asked elsewhere, or is code; a report's word is not enough" if elsewhere else ""
    )


def _named(report: Reported) -> str:
    return " | ".join(dict.fromkeys((report.chunker, report.context, report.retriever)))
