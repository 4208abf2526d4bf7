"""Search by meaning beside a search by words alone, for queries that it does not serve, where that costs little."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from ragdiag.core.errors import RagdiagError
from ragdiag.core.protocols import Retriever, Store
from ragdiag.core.registry import make
from ragdiag.search.encoder import Encoder
from ragdiag.search.models import vector_key

__all__ = ["MOST_NEW", "by_meaning", "note_on"]

MOST_NEW = 100
"""Texts that are embedded for it at most, besides those that the cache knows: with loading the model, some seconds."""

NAME = "dense"


def by_meaning(texts: Sequence[str], store: Store | None) -> Retriever | None:
    """The default `dense` retriever, where its encoder is installed and `store` has nearly all vectors of `texts`; else None.

    Nothing is fetched. Without a cache, which would keep the vectors for the next run, there is none.
    """
    if store is None or importlib.util.find_spec("sentence_transformers") is None:
        return None
    retriever: Retriever = make("retrievers", NAME)
    encoder = getattr(retriever, "encoder", None)
    if not isinstance(encoder, Encoder):
        return None
    try:
        identity = encoder.identity
    except RagdiagError:  # no model is there: nobody asked for one
        return None
    keys = {vector_key("document", text) for text in texts}
    return retriever if len(keys) - len(store.vectors(identity, list(keys))) <= MOST_NEW else None


def note_on(swaps: Sequence[str]) -> str:
    """Said where it was chosen for the team."""
    return (
        f"queries that are not served are put to {', '.join(swaps)} as well, to see what a search by meaning finds; "
        "--swap none leaves it out"
    )
