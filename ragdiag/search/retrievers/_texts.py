"""What indexes over words share: how texts are weighed by words, and how terms are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ragdiag.core.arrays import Array
from ragdiag.text.words import words


def tf_idf(**known: Any) -> Any:
    """Scikit-learn's TF-IDF, with the logarithm of frequencies, in unit rows of float32; `known` as its parameters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32, **known)


def packed(terms: Sequence[str]) -> Array:
    """Terms, which are words and so hold no line feed, as an array of bytes."""
    return np.frombuffer("\n".join(terms).encode(), dtype=np.uint8)


def numbered(terms: Array) -> dict[str, int]:
    """The number of each of `packed` terms."""
    text = terms.tobytes().decode()
    return {term: i for i, term in enumerate(text.split("\n"))} if text else {}
