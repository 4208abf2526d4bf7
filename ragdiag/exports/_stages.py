"""A retriever as the stages that an exported pipeline has: what searches, what fuses, what filters or re-orders, what is handed
over at last.
"""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Literal, NamedTuple

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Retriever
from ragdiag.core.registry import name_of
from ragdiag.exports._handed import Handed
from ragdiag.search.encoder import BUNDLED, DEFAULT, Encoder
from ragdiag.search.late import LateEncoder
from ragdiag.search.nested import all_models
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.search.retrievers.dedupe import Dedupe
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.expand import Expand
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.search.retrievers.latest import Latest
from ragdiag.search.retrievers.lsa import Lsa
from ragdiag.search.retrievers.merge import Merge
from ragdiag.search.retrievers.mmr import Mmr
from ragdiag.search.retrievers.parent import Parent
from ragdiag.search.retrievers.rerank import CrossEncoder, Rerank
from ragdiag.text.analysis import STOP_WORDS, Analysis

__all__ = ["Stage", "Stages", "check_models", "quoted"]

HEAD = """
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from rank_bm25 import BM25L, BM25Okapi, BM25Plus
from ragdiag.text.analysis import Analysis
from Stemmer import Stemmer
"""
"""Imports that what is written here may need."""


class Stage(NamedTuple):
    """A part of a pipeline, which gives `k` results at most.

    `code` makes the index, or the function that fuses or steps; `below` names the stages that it works on, for a fusion with
    their `weights`.
    """

    name: str
    kind: Literal["index", "vectors", "fusion", "step", "passages"]
    k: int
    code: str = ""
    below: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


class Stages:
    """The stages of a configuration, in the order in which they are made, and what has to be defined for them."""

    def __init__(self, handed: Handed) -> None:
        self.made, self.defined = list[Stage](), [HEAD]
        self.ages = False
        self._handed, self._names = handed, set[str]()
        self._terms, self._encoders = dict[Analysis, str](), dict[str, Encoder]()
        self._context(handed.retriever)

    @property
    def bundled(self) -> bool:
        """Whether the model is that of a package."""
        return any(not encoder.name and BUNDLED in str(encoder.folder) for encoder in self._encoders.values())

    def _context(self, retriever: Retriever) -> None:
        """All stages down to what is put into the prompt."""
        options, depth = self._handed.options, self._handed.depth
        if isinstance(retriever, (Expand, Parent, Merge)):
            below = self._add(retriever.retriever, depth)
            self.defined.append(self._passages(_around(retriever)))
            self.made.append(Stage("context", "passages", 0, "", (below,)))
        elif options.budget:
            below = self._add(retriever, depth)
            self.defined.append(FIT.format(budget=options.budget))
            self.made.append(Stage("context", "step", depth, "fit", (below,)))
        else:
            self._add(retriever, options.k)

    def _passages(self, around: str) -> str:
        options = self._handed.options
        if not options.budget:
            return PASSAGES.format(around=around, k=options.k)
        within = "within_budget_once" if self._handed.overlap else "within_budget"
        return PASSAGES_IN_BUDGET.format(around=around, within=within, budget=options.budget)

    @singledispatchmethod
    def _add(self, retriever: Retriever, k: int) -> str:
        """Add what a retriever is made of, and give the name of its last stage."""
        raise SpecError(f"{name_of(type(retriever))} cannot be exported: how to write it in a framework's code is not known")

    @_add.register
    def _(self, retriever: Bm25, k: int) -> str:
        if not retriever.k1:
            raise SpecError("bm25 with k1=0 cannot be exported: rank-bm25 divides by it; choose a k1 above 0")
        variant = {"okapi": "BM25Okapi", "plus": "BM25Plus", "l": "BM25L", "lucene": "LuceneBm25"}[retriever.variant]
        parameters = {"k1": retriever.k1, "b": retriever.b}
        if retriever.variant == "okapi":
            parameters["epsilon"] = retriever.epsilon
        if retriever.variant in ("plus", "l") and retriever.delta is not None:
            parameters["delta"] = retriever.delta
        given = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        return self._stage("bm25", "index", k, f"Bm25(chunks, {self._analysis(retriever.analysis)}, {variant}, {given})")

    @_add.register
    def _(self, retriever: Lsa, k: int) -> str:
        return self._stage("lsa", "index", k, f"Lsa(chunks, dimensions={retriever.dimensions}, seed={retriever.seed})")

    @_add.register
    def _(self, retriever: Dense, k: int) -> str:
        encoder = retriever.encoder
        assert isinstance(encoder, Encoder)  # see `check_models`
        self._encoders[encoder.identity] = encoder
        if len(self._encoders) > 1:
            raise SpecError("two dense retrievers with different models cannot be exported in one pipeline")
        self.defined.append(f"{_model(encoder)}\nDTYPE = {quoted(encoder.precision)}")
        return self._stage("dense", "vectors", k)

    @_add.register
    def _(self, retriever: Hybrid, k: int) -> str:
        below = tuple(self._add(part, min(retriever.depth, self._n)) for part in retriever.retrievers)
        weights = retriever.weights or (1.0,) * len(below)
        fuse = "fuse_ranks" if retriever.k == 60 else f"partial(fuse_ranks, k={retriever.k})"
        shares = tuple(weight / sum(weights) for weight in weights)
        code = fuse if retriever.fusion == "rrf" else "fuse_scores"
        return self._stage("hybrid", "fusion", k, code, below, shares)

    @_add.register
    def _(self, retriever: Dedupe, k: int) -> str:
        return self._step("deduped", k, "dedupe", retriever.retriever, retriever.depth)

    @_add.register
    def _(self, retriever: Latest, k: int) -> str:
        self.ages = True  # as many more are asked for as may be left out
        return self._step("current", k, "latest", retriever.retriever, k + sum(self._handed.old))

    @_add.register
    def _(self, retriever: Mmr, k: int) -> str:
        return self._step("diverse", k, f"Diverse(chunks, weight={retriever.weight!r})", retriever.retriever, retriever.depth)

    @_add.register
    def _(self, retriever: Rerank, k: int) -> str:
        return self._step("reranked", k, f"Reranker({quoted(retriever.model)})", retriever.retriever, retriever.depth)

    def _step(self, name: str, k: int, code: str, inner: Retriever, depth: int) -> str:
        return self._stage(name, "step", k, code, (self._add(inner, min(depth, self._n)),))

    def _stage(
        self,
        name: str,
        kind: Literal["index", "vectors", "fusion", "step"],
        k: int,
        code: str = "",
        below: tuple[str, ...] = (),
        weights: tuple[float, ...] = (),
    ) -> str:
        unique = self._unique(name)
        self.made.append(Stage(unique, kind, min(k, self._n), code, below, weights))
        return unique

    def _unique(self, name: str) -> str:
        free = next(n for n in (name, *(f"{name}_{i}" for i in range(2, len(self._names) + 3))) if n not in self._names)
        self._names.add(free)
        return free

    @property
    def _n(self) -> int:
        return len(self._handed.chunking)

    def _analysis(self, analysis: Analysis) -> str:
        """The name of the function that gives the terms of a text, defined if it is not yet."""
        if analysis == Analysis():
            return "words"
        if analysis not in self._terms:
            self._terms[analysis] = name = self._unique("terms")
            self.defined.append(_terms(name, analysis))
        return self._terms[analysis]


def check_models(retriever: Retriever) -> None:
    """Raise `SpecError`, before anything is indexed, for a model that an exported pipeline cannot load by itself."""
    for model in all_models(retriever):
        if not isinstance(model, (Encoder, CrossEncoder)) or isinstance(model, LateEncoder):
            what = "only sentence-transformers models of a folder or a hub name, one vector a text (no pool=late)"
            raise SpecError(f"this dense retriever cannot be exported: {what}")


def quoted(text: str) -> str:
    """A text as Python has it, in double quotes where that needs no escape."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written


def _around(retriever: Expand | Parent | Merge) -> str:
    """The function that tells what is handed over with a chunk."""
    if isinstance(retriever, Parent):
        return "siblings"
    if isinstance(retriever, Merge):
        return "alone"
    if retriever.before == retriever.after == 1:
        return "neighbours"
    return f"partial(neighbours, before={retriever.before}, after={retriever.after})"


def _model(encoder: Encoder) -> str:
    """Where the model is: a hub name or a folder, or the package that brings all-MiniLM-L6-v2."""
    if encoder.name or BUNDLED not in str(encoder.folder):
        return f"MODEL = {quoted(encoder.name or DEFAULT)}"
    return MODEL_OF_PACKAGE.format(package=quoted(BUNDLED), name=DEFAULT)


def _terms(name: str, analysis: Analysis) -> str:
    """A function for the terms of BM25 that are not plain words."""
    if analysis.analyzer != "words" or analysis.parts:
        given = {"analyzer": analysis.analyzer, "stem": analysis.stem, "stop": analysis.stop, "parts": analysis.parts}
        written = ", ".join(f"{key}={quoted(v) if isinstance(v, str) else v}" for key, v in given.items() if v)
        return f"# Identifiers by their parts, or what Lucene does, is more than a few lines.\n{name} = Analysis({written})"
    number = name.removeprefix("terms")  # "", or of a second one "_2"
    constants, lines, says = list[str](), list[str](), "Words"
    if analysis.stop:
        constants.append(STOP.format(number=number, words=" ".join(sorted(STOP_WORDS[analysis.stop]))))
        lines.append(f"    found = [word for word in found if word not in STOP_WORDS{number}]")
        says += " but stop words"
    if analysis.stem:
        constants.append(f"STEMMER{number} = Stemmer({quoted(analysis.stem)})")
        lines.append(f"    found = STEMMER{number}.stemWords(found)")
        says += " by their stems"
    body = "\n".join(["    found = words(text)", *lines, "    return found"])
    return "\n".join([*constants, "", "", f"def {name}(text: str) -> list[str]:", f'    """{says}."""', body])


FIT = '''
def fit(query: str, hits: list[Hit], chunks: list[Chunk]) -> list[Hit]:
    """What the prompt has room for."""
    return within_budget(hits, chunks, budget={budget})
'''

PASSAGES = '''
def passages(hits: list[Hit], chunks: list[Chunk]) -> list[Chunk]:
    """What is handed over: each of the first chunks with what belongs to it."""
    found = widened(hits, chunks, {around})
    return joined(flat(found, {k}), chunks)
'''

PASSAGES_IN_BUDGET = '''
def passages(hits: list[Hit], chunks: list[Chunk]) -> list[Chunk]:
    """What is handed over: each chunk with what belongs to it, as far as there is room."""
    found = flat(widened(hits, chunks, {around}))
    return joined({within}(found, chunks, budget={budget}), chunks)
'''

MODEL_OF_PACKAGE = """# {name}, as a package brings it
MODEL = str(Path(find_spec({package}).origin).with_name("model"))"""

STOP = '''STOP_WORDS{number} = set(
    """
    {words}
    """.split()
)
'''
