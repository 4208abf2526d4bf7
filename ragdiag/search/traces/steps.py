"""One recorded step of an application, whichever tracer wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.records import StoredChunk

__all__ = ["LLM", "OTHER", "RERANKER", "RETRIEVER", "Step", "Tree", "kind_of"]

RETRIEVER, RERANKER, LLM, OTHER = "retriever", "reranker", "llm", "other"
"""The kinds of steps that count."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a trace: a span, an observation, a run.

    `time` is when it began, in seconds since 1970, None where nothing says it. `asked` has what may be its question. `given` are
    the documents that it took, `gave` those that it found or kept, best first; None where the trace does not have them. `prompt`
    has the texts that a model was given. `longest` is the length of its longest text that is not of a document. `lost` says that
    the tracer dropped some of its attributes, `fault` why its documents cannot be read, which matters where they are needed.
    """

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    time: float | None
    asked: tuple[str, ...]
    file: Path
    line: int
    query_id: str = ""
    session: str = ""
    given: tuple[StoredChunk, ...] | None = None
    gave: tuple[StoredChunk, ...] | None = None
    prompt: tuple[str, ...] = ()
    failed: bool = False
    longest: int = 0
    lost: bool = False
    fault: InputError | None = None

    @property
    def searches(self) -> bool:
        """Whether documents come out of it."""
        return self.kind in (RETRIEVER, RERANKER)


def kind_of(kind: str, name: str, documents: bool) -> str:
    """The kind of a step by the tracer's own, or by its name where it gives `documents`: not all tracers know rerankers."""
    called = name.lower()
    if documents and "rerank" in called:
        return RERANKER
    return RETRIEVER if kind == RETRIEVER or (documents and "retriev" in called) else kind


class Tree:
    """Steps by who calls whom, in time order; those without a time stand where the file has them."""

    def __init__(self, steps: Sequence[Step]) -> None:
        times = [step.time for step in steps]
        known = all(time is not None for time in times)
        self.steps = sorted(steps, key=lambda step: step.time or 0.0) if known else list(steps)
        self._by_id = {(step.trace, step.id): step for step in self.steps}
        self._order = {(step.trace, step.id): n for n, step in enumerate(self.steps)}
        self._inner: dict[tuple[str, str], list[Step]] = {}
        for step in self.steps:
            self._inner.setdefault((step.trace, step.parent), []).append(step)

    def path(self, step: Step) -> list[Step]:
        """A step, and before it all that it is a part of, the outermost first."""
        path, seen = [step], {step.id}
        while (parent := self._by_id.get((step.trace, path[0].parent))) is not None and parent.id not in seen:
            path.insert(0, parent)
            seen.add(parent.id)
        return path

    def below(self, step: Step) -> Iterator[Step]:
        """All parts of a step, in time order."""
        seen, level = {step.id}, [step]
        while level:
            inner = [part for each in level for part in self._inner.get((each.trace, each.id), ()) if part.id not in seen]
            seen.update(part.id for part in inner)
            yield from inner
            level = inner

    def outermost(self, step: Step) -> list[Step]:
        """The parts of a step that give documents, and are not themselves parts of one that does."""
        found, level, seen = list[Step](), [step], {step.id}
        while level:
            inner = [part for each in level for part in self._inner.get((each.trace, each.id), ()) if part.id not in seen]
            seen.update(part.id for part in inner)
            found += [part for part in inner if part.searches]
            level = [part for part in inner if not part.searches]
        return sorted(found, key=lambda each: self._order[each.trace, each.id])
