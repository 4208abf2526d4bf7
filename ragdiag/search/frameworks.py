"""The team's own search as one function of a question and a number of results, whatever object it is and of which framework.

An object is asked as its framework asks it, and is never changed: where it has a number of results of its own, a copy of it gets
another one. No framework is imported: objects are known by their methods.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Mapping

from ragdiag.core.errors import UsageError
from ragdiag.core.registry import require
from ragdiag.search.retrievers._source import Opaque
from ragdiag.search.signatures import LIMITS, QUESTIONS, Asker, of_function

__all__ = ["asker"]

REMEDY = "give search(query, k), or a retriever, vector store, index or pipeline of LangChain, LlamaIndex or Haystack"

RUN_IT = "give search(query, k), which runs it"

Inputs = Mapping[str, Mapping[str, Mapping[str, object]]]
"""What is known of the inputs of a Haystack pipeline, by component and name."""


def asker(search: object) -> Asker:
    """How `search` is asked. Raises `UsageError` for what cannot be asked a question."""
    if inspect.isclass(search):
        raise UsageError(f"cannot search with the class {search.__name__}: give an object of it")
    if inspect.isroutine(search) or isinstance(search, functools.partial):
        return of_function(search)
    for way in (_of_vector_store, _of_query_engine, _of_pipeline, _of_retriever, _of_index, _of_component):
        if found := way(search):
            return found
    if callable(search):
        return of_function(search)
    methods = "similarity_search, invoke, retrieve, as_retriever, run"
    raise UsageError(f"cannot search with a {type(search).__name__}: it is no function and has no {methods}; {REMEDY}")


def _of_vector_store(search: Opaque) -> Asker | None:
    """A vector store of LangChain; one without scores is asked without. Its scores may be distances: the order holds."""
    if not _has(search, "similarity_search"):
        return None

    def ask(query: str, k: int) -> object:
        try:
            found: object = search.similarity_search_with_score(query, k=k)
        except (AttributeError, NotImplementedError):
            found = search.similarity_search(query, k=k)
        return found

    return Asker(ask, True)


def _of_query_engine(search: Opaque) -> Asker | None:
    """A query engine of LlamaIndex: what it would put before its model, which is not asked where the engine can do without."""
    if not _has(search, "query", "synthesize"):
        return None

    def ask(query: str, k: int) -> object:
        try:
            found: object = search.retrieve(require("llama_index.core.schema", "frameworks").QueryBundle(query))
        except NotImplementedError:
            found = search.query(query).source_nodes
        return found

    return Asker(ask, False)


def _of_retriever(search: Opaque) -> Asker | None:
    """A retriever of LangChain (`invoke`) or LlamaIndex (`retrieve`), or a chain that ends in one."""
    method = next((name for name in ("invoke", "retrieve") if _has(search, name)), "")
    if not method:
        return None
    plain = of_function(getattr(search, method))
    if plain.takes_k or _with_k(search, None) is None:
        return plain
    return Asker(lambda query, k: getattr(_with_k(search, k), method)(query), True)


def _with_k(search: Opaque, k: int | None) -> Opaque | None:
    """A copy of a retriever that gives `k` results, or with None as many as it does; None where it does not let itself be told.

    The `search_kwargs` of one with a store of documents count its children, and not its results.
    """
    own = next((name for name in (*LIMITS, "search_kwargs") if _is_limit(search, name)), "")
    if not own:
        return None
    value = getattr(search, own)
    if k is not None:
        value = k if own != "search_kwargs" else {**value, "k": k}
    try:
        other = copy.copy(search)
        setattr(other, own, value)
    except Exception:  # it may be frozen, or compute its number
        return None
    return other


def _is_limit(search: object, name: str) -> bool:
    """Whether this attribute holds how many results a retriever gives: a number, or options for its vector store."""
    value = getattr(search, name, None)
    if name == "search_kwargs":
        return isinstance(value, Mapping) and hasattr(search, "vectorstore") and not hasattr(search, "docstore")
    return isinstance(value, int) and not isinstance(value, bool)


def _of_index(search: Opaque) -> Asker | None:
    """An index of LlamaIndex: by its own retriever, one for each number of results."""
    if not _has(search, "as_retriever"):
        return None

    @functools.cache
    def retriever(k: int) -> Opaque:
        return search.as_retriever(similarity_top_k=k)

    return Asker(lambda query, k: retriever(k).retrieve(query), True)


def _of_component(search: Opaque) -> Asker | None:
    """A component of Haystack, by the names of its inputs. Raises `UsageError` where it takes no text."""
    if not _has(search, "run"):
        return None
    mapped = getattr(search, "input_mapping", None)  # a pipeline as a component: its run takes whatever comes
    inputs = list(mapped if isinstance(mapped, Mapping) else inspect.signature(search.run).parameters)
    question, limit = (next((name for name in names if name in inputs), "") for names in (QUESTIONS, LIMITS))
    if not question:
        takes = f"its run takes {', '.join(inputs) or 'nothing'}, and none of {', '.join(QUESTIONS)}"
        remedy = "give the pipeline that makes this of a question, or search(query, k)"
        raise UsageError(f"cannot search with a {type(search).__name__}: {takes}; {remedy}")

    def ask(query: str, k: int) -> object:
        return _documents(search.run(**{question: query}, **({limit: k} if limit else {})))

    return Asker(ask, bool(limit))


def _of_pipeline(search: Opaque) -> Asker | None:
    """A pipeline of Haystack: every input for a question gets it; the last component that gives documents is told how many.

    A retriever before a ranker keeps its own number. Raises `UsageError` where inputs or the last component are not clear.
    """
    if not _has(search, "run", "inputs", "outputs"):
        return None
    inputs: Inputs = search.inputs()
    questions, last = _questions(search, inputs), _last_with_documents(search)
    limit = next((name for name in LIMITS if name in inputs.get(last, {})), "")

    def ask(query: str, k: int) -> object:
        given: dict[str, dict[str, object]] = {component: dict.fromkeys(names, query) for component, names in questions.items()}
        if limit:
            given.setdefault(last, {})[limit] = k
        return _documents(search.run(given, include_outputs_from={last}).get(last, {}))

    return Asker(ask, bool(limit))


def _questions(pipeline: object, inputs: Inputs) -> dict[str, list[str]]:
    """The inputs of a Haystack pipeline that take a question, by component. Raises `UsageError` for none, or others it needs."""
    every = [(component, name, about) for component, own in inputs.items() for name, about in own.items()]
    needed = [f"{component}.{name}" for component, name, about in every if about.get("is_mandatory") and name not in QUESTIONS]
    questions: dict[str, list[str]] = {}
    for component, name, _ in every:
        if name in QUESTIONS:
            questions.setdefault(component, []).append(name)
    if needed or not questions:
        has = f"it needs {', '.join(needed)}" if needed else f"no input of it is one of {', '.join(QUESTIONS)}"
        raise UsageError(f"cannot search with this {type(pipeline).__name__}: {has}; {RUN_IT}")
    return questions


def _last_with_documents(pipeline: Opaque) -> str:
    """The component of a Haystack pipeline that gives documents, and none after it. Raises `UsageError` unless it is one."""
    giving = {n for n, own in pipeline.outputs(include_components_with_connected_outputs=True).items() if "documents" in own}
    last = sorted(name for name in giving if not (_after(pipeline.graph, name) & giving) - {name})
    if len(last) != 1:
        which = (
            f"several components give documents last, {', '.join(last)}" if last else "no component gives documents at its end"
        )
        raise UsageError(f"cannot search with this {type(pipeline).__name__}: {which}; {RUN_IT}")
    return str(last[0])


def _after(graph: Opaque, name: str) -> set[str]:
    """The components that what `name` gives leads to."""
    found, new = set[str](), [name]
    while new:
        new = list({after for each in new for after in graph.successors(each)} - found)
        found.update(new)
    return found


def _documents(answer: object) -> object:
    """The documents among what a component of Haystack gives."""
    return answer["documents"] if isinstance(answer, Mapping) and "documents" in answer else answer


def _has(search: object, *methods: str) -> bool:
    return all(callable(getattr(search, name, None)) for name in methods)
