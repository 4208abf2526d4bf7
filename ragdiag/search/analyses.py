"""The same retriever with other terms: words by their stems, identifiers by their parts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from ragdiag.core.protocols import Index, Retriever
from ragdiag.core.records import Corpus
from ragdiag.core.registry import spec_of
from ragdiag.search.nested import reanalysed
from ragdiag.text.analysis import Analysis
from ragdiag.text.languages import language_of

__all__ = ["analysed", "analyses_of"]


def analysed(strategy: Any, **analysis: Any) -> Any:
    """A strategy with `analysis` in each BM25 in it that has none of its own."""
    from ragdiag.search.retrievers.bm25 import Bm25

    if isinstance(strategy, tuple):
        return tuple(analysed(inner, **analysis) for inner in strategy)
    if isinstance(strategy, Bm25):
        return dataclasses.replace(strategy, **analysis) if strategy.analysis == Analysis() else strategy
    if not dataclasses.is_dataclass(strategy) or isinstance(strategy, type):
        return strategy
    nested = {field.name: analysed(getattr(strategy, field.name), **analysis) for field in dataclasses.fields(strategy)}
    return dataclasses.replace(strategy, **nested)


def analyses_of(
    retriever: Retriever, index: Index, corpus: Corpus, make_index: Callable[[Retriever], Index]
) -> Mapping[str, tuple[str, Callable[[], Index]]]:
    """By what it mends: the spec of `retriever` with stems of the corpus's language, or with parts of identifiers, and what makes
    its index of the texts of `index`. Nothing where no BM25 in it could have them.
    """
    changes: dict[str, dict[str, Any]] = {"inflection": {"stem": language_of(corpus)}, "identifier": {"parts": True}}
    others = {mended: analysed(retriever, **analysis) for mended, analysis in changes.items()}
    return {
        mended: (spec_of(other), functools.partial(reanalysed, retriever, index, other, make_index))
        for mended, other in others.items()
        if other != retriever
    }
