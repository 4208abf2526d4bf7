"""What the stages of a pipeline held, from the steps of one question.

Outermost steps that give documents are taken in time order, and what stands inside of one tells how it came to them:

- a retriever round a single other one, or round a retriever and rerankers, which kept some of their documents: they are stages;
- round several (an ensemble): its own documents are what was found;
- several side by side: their documents together, the first of each, then the second of each, and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from ragdiag.core.errors import InputError
from ragdiag.core.records import StoredChunk
from ragdiag.search.traces.prompts import UNSURE, prompted
from ragdiag.search.traces.steps import LLM, RERANKER, RETRIEVER, Step, Tree

__all__ = ["Staging", "without_idle"]

Chunks = tuple[StoredChunk, ...]

REMEDY = "record documents with it: retrieval.documents in OpenInference, a list as its output elsewhere"


class Staging:
    """Makes stages of the steps of one file; `counts` is of what a reader should know, in words that follow a number."""

    def __init__(self, tree: Tree, limit: int) -> None:
        """`limit` is the length at which the tracer cut all texts, 0 without."""
        self._tree, self._limit, self.counts = tree, limit, Counter[str]()
        changes = [(step.name, self._change(step)) for step in tree.steps if step.kind == RETRIEVER]
        self._stage_of = {name: stage for kind in ("filtered", "reranked") for name, stage in changes if stage == kind}

    def of(self, question: Step) -> dict[str, Chunks] | None:
        """The stages of a question; None where all its searches failed, an empty list found where it has none."""
        steps = [question] if question.searches else self._tree.outermost(question)
        working = [step for step in steps if not step.failed]
        if not working:
            failed = bool(steps) or question.failed
            self.counts["questions were asked without any search: they retrieve nothing"] += not failed
            return None if failed else {"found": ()}
        if len(working) < len(steps):
            self.counts["questions had a search or a reranker that failed beside others: taken without it"] += 1
        stages = self._together(working)
        if sum(step.kind == RETRIEVER for step in working) > 1:
            self.counts["questions have several searches side by side: the first of each, then the second, and so on"] += 1
        return stages | self._prompt(question, working, _last(stages))

    def _together(self, steps: Sequence[Step]) -> dict[str, Chunks]:
        """The stages of steps that stand side by side."""
        searches, rerankers = ([step for step in steps if step.kind == kind] for kind in (RETRIEVER, RERANKER))
        stages = self._found(searches) if searches else {"found": rerankers[0].given or self._documents(rerankers[0])}
        for reranker in rerankers:
            if reranker.given is not None and "reranked" not in stages and _keys(reranker.given) <= _keys(_last(stages)):
                stages["filtered"] = reranker.given
            stages["reranked"] = self._documents(reranker)
        return stages

    def _found(self, searches: Sequence[Step]) -> dict[str, Chunks]:
        """The stages of retrievers side by side: of one all of its own."""
        lists = [self._of_search(search) for search in searches]
        return lists[0] if len(lists) == 1 else {"found": _merged([_last(each) for each in lists])}

    def _of_search(self, search: Step) -> dict[str, Chunks]:
        """The stages of one outermost retriever."""
        if search.fault:
            raise search.fault
        inner = self._inside(search)
        if not inner:
            return {"found": self._documents(search)}
        stages = self._together(inner)
        if search.gave is None:
            return stages
        if not _keys(search.gave) <= _keys(_last(stages)):
            return {"found": search.gave}
        if search.name not in self._stage_of and _order(search.gave) == _order(_last(stages)):
            return stages
        name = "reranked" if "reranked" in stages else self._stage_of.get(search.name, "filtered")
        return stages | {name: search.gave}

    def _inside(self, search: Step) -> list[Step]:
        """The steps inside of a retriever that tell how it came to its documents; none of an ensemble, which has its own order.

        What says nothing of its documents explains none of those round it: LlamaIndex's inner half of a retriever does not.
        """
        told = [step for step in self._tree.outermost(search) if search.gave is None or step.gave is not None]
        inner = [step for step in told if not step.failed]
        return inner if len(inner) == 1 or any(step.kind == RERANKER for step in inner) else []

    def _change(self, search: Step) -> str:
        """What a retriever round another one makes of its documents here: the stage that it is, "" where it keeps all."""
        inner = [step for step in self._tree.outermost(search) if step.gave is not None]
        if len(inner) != 1 or inner[0].gave is None or search.gave is None:
            return ""
        before, after = _order(inner[0].gave), _order(search.gave)
        if not set(after) <= set(before) or after == before:
            return ""
        return "filtered" if after == [key for key in before if key in set(after)] else "reranked"

    def _documents(self, step: Step) -> Chunks:
        """What a step gave. Raises `InputError` where the trace does not have it."""
        if step.fault or step.gave is None:
            message = f"{step.kind} {step.name or step.id!r} has no documents in the trace"
            raise step.fault or InputError(message, step.file, step.line, REMEDY)
        return step.gave

    def _prompt(self, question: Step, searches: Sequence[Step], last: Chunks) -> dict[str, Chunks]:
        """The stage of the prompt, where what models were given after the searches tells it safely."""
        asked = self._models(question, searches)
        cut = self._limit and any(len(text) >= self._limit for step in asked for text in step.prompt)
        held = UNSURE if cut else prompted(last, ["\n".join(step.prompt) for step in asked])
        if held == UNSURE:
            self.counts["prompts do not have the retrieved texts word for word, or several differ: not taken for a stage"] += 1
        return {"prompted": held} if held else {}

    def _models(self, question: Step, searches: Sequence[Step]) -> list[Step]:
        """The models that were asked after the searches of a question, and not inside of them."""
        inside = {(part.trace, part.id) for search in searches for part in self._tree.below(search)}
        begun = max(search.time or 0.0 for search in searches)
        models = [step for step in self._tree.below(question) if step.kind == LLM and (step.time or 0.0) >= begun]
        return [step for step in models if (step.trace, step.id) not in inside]


def without_idle(held: Mapping[str, dict[str, Chunks] | None]) -> dict[str, dict[str, Chunks] | None]:
    """The stages of all queries, without a filter that dropped nothing for any: then the trace has none."""
    if any(_keys(stages["filtered"]) != _keys(stages["found"]) for stages in held.values() if stages and "filtered" in stages):
        return dict(held)
    return {query: stages and {n: chunks for n, chunks in stages.items() if n != "filtered"} for query, stages in held.items()}


def _merged(lists: Sequence[Chunks]) -> Chunks:
    """The first of each list, then the second of each, and so on; what was there before is left out."""
    merged = dict[str, StoredChunk]()
    for chunk in (chunk for row in zip_longest(*lists) for chunk in row if chunk is not None):
        merged.setdefault(_key(chunk), chunk)
    return tuple(merged.values())


def _last(stages: Mapping[str, Chunks]) -> Chunks:
    """What the last of the stages holds."""
    return list(stages.values())[-1]


def _key(chunk: StoredChunk) -> str:
    """What makes two documents of a trace the same."""
    return chunk.text or chunk.id


def _keys(chunks: Chunks) -> set[str]:
    return set(map(_key, chunks))


def _order(chunks: Chunks) -> list[str]:
    return list(dict.fromkeys(map(_key, chunks)))
