"""What indexes over words share: what a word is, and how an index is kept under the hash of its texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ragdiag.protocols import Store

WORDS = r"(?u)\w+"
"""A word of a text in lower case, as scikit-learn's vectorizers take it."""


def kept(store: Store | None, what: str, texts: Sequence[str], build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The arrays in `store` for an index of `texts`, which `what` describes in full; else those of `build`, added to it."""
    if store is None:
        return build()
    digest = hashlib.sha256(f"{what} {WORDS}".encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    found = store.arrays(digest.hexdigest())
    if found is None:
        found = build()
        store.add_arrays(digest.hexdigest(), found)
    return found


def packed(terms: Sequence[str]) -> Any:
    """Terms, which are words and so hold no line feed, as an array of bytes."""
    return np.frombuffer("\n".join(terms).encode(), dtype=np.uint8)


def numbered(terms: Any) -> dict[str, int]:
    """The number of each of `packed` terms."""
    text = terms.tobytes().decode()
    return {term: i for i, term in enumerate(text.split("\n"))} if text else {}
