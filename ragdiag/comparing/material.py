"""What is the same for all configurations that are compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from ragdiag.comparing.cells import Figures
from ragdiag.core.records import Corpus, Labels
from ragdiag.pipeline import inputs_of

__all__ = ["Material"]


@dataclass(frozen=True, eq=False)
class Material:
    """What is the same for all configurations: the documents (all, and those that are audited), the labels, and hashes.

    `inputs` are counts and hashes of texts and labels, `metadata` is the hash of what documents say of themselves, by which some
    are newer than others.
    """

    whole: Corpus
    corpus: Corpus
    labels: Labels
    inputs: Figures
    metadata: str

    def __sizeof__(self) -> int:
        """Bytes, about: an engine that is given something large sends it to each worker once."""
        return 2**20 + sum(len(document.text) for document in self.whole.documents)

    @classmethod
    def of(cls, whole: Corpus, corpus: Corpus, labels: Labels) -> Material:
        """With its hashes."""
        metadata = json.dumps([dict(d.metadata) for d in corpus.documents], sort_keys=True, default=str)
        return cls(whole, corpus, labels, inputs_of(corpus, labels), hashlib.sha256(metadata.encode()).hexdigest())
