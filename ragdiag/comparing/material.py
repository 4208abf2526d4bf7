"""What is the same for all configurations that are compared."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from ragdiag.comparing.cells import Figures
from ragdiag.core.records import Corpus, Labels
from ragdiag.pipeline import inputs_of

__all__ = ["Material"]


class Material(NamedTuple):
    """What is the same for all configurations: the documents (all, and those that are audited), the labels, and hashes.

    `inputs` are counts and hashes of texts and labels, `metadata` is the hash of what documents say of themselves, by which some
    are newer than others.
    """

    whole: Corpus
    corpus: Corpus
    labels: Labels
    inputs: Figures
    metadata: str

    @classmethod
    def of(cls, whole: Corpus, corpus: Corpus, labels: Labels) -> Material:
        """With its hashes."""
        metadata = json.dumps([dict(d.metadata) for d in corpus.documents], sort_keys=True, default=str)
        return cls(whole, corpus, labels, inputs_of(corpus, labels), hashlib.sha256(metadata.encode()).hexdigest())
