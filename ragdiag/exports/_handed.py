"""A configuration with its chunks, and for a framework all that its code is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import SpecError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Index, Progress, Retriever
from ragdiag.core.records import Chunking, Corpus
from ragdiag.core.registry import spec_of
from ragdiag.exports import _words
from ragdiag.search.nested import collection_of, parts_of
from ragdiag.search.retrieval import Plan
from ragdiag.search.retrievers._passages import PassageIndex
from ragdiag.search.retrievers.dense import DenseIndex
from ragdiag.sources.corpus import load_corpus
from ragdiag.text.tokens import count_tokens
from ragdiag.text.versions import superseded
from ragdiag.text.words import words

__all__ = ["Handed", "handed_over"]


@dataclass(frozen=True, eq=False)
class Handed:
    """What is handed over: the configuration, its chunks and what is indexed for each, its index, and how deep that is asked."""

    options: Options
    retriever: Retriever
    chunker: str
    context: str
    signature: str
    corpus: Corpus
    chunking: Chunking
    texts: Sequence[str]
    index: Index
    depth: int

    @property
    def old(self) -> Iterable[bool]:
        """Whether each chunk is of a document that another one supersedes."""
        of_chunk: list[bool] = superseded(self.corpus.documents)[self.chunking.document].tolist()
        return of_chunk

    @property
    def overlap(self) -> bool:
        """Whether chunks of a document overlap."""
        chunks = self.chunking
        return bool(((chunks.document[1:] == chunks.document[:-1]) & (chunks.start[1:] < chunks.end[:-1])).any())

    @property
    def vectors(self) -> VectorArray | None:
        """The vectors of the chunks, where there are any."""
        return next((part.rows for part in parts_of(self.index) if isinstance(part, DenseIndex)), None)

    def words(self) -> str:
        """The module that tells the words and tokens of these texts as `ragdiag.text` does: a few lines, or one that asks it.

        Queries are not known; those in the scripts of the texts have the same words either way.
        """
        shown = [self.corpus.documents[d].text[a:b] for d, a, b in self._spans()]
        alike = all(_words.words(text) == words(text) for text in self.texts)
        return "_words" if alike and all(_words.count_tokens(t) == count_tokens(t) for t in shown) else "_words_own"

    def records(self, with_age: bool) -> Iterator[dict[str, object]]:
        """The chunks as JSON has them; `with_age`, and with their parents where they have such."""
        ages = self.old if with_age else [None] * len(self.texts)
        parents = self.index.first.tolist() if isinstance(self.index, PassageIndex) else [None] * len(self.texts)
        for (d, start, end), indexed, old, parent in zip(self._spans(), self.texts, ages, parents, strict=True):
            document = self.corpus.documents[d]
            record: dict[str, object] = {"doc_id": document.id, "start": start, "end": end, "text": document.text[start:end]}
            if indexed != record["text"]:
                record["indexed"] = indexed
            facts = {"title": document.title or None, "superseded": old, "parent": parent}
            metadata = {**document.metadata, **{name: fact for name, fact in facts.items() if fact is not None}}
            yield record | {"metadata": metadata}

    def _spans(self) -> Iterator[tuple[int, int, int]]:
        chunks = self.chunking
        return zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)


def handed_over(corpus: str | Path, options: Options, progress: Progress) -> Handed:
    """The configuration over a corpus. Raises `SpecError` for a store of vectors, which is an index of its own already."""
    plan = Plan(options)
    if collection_of(plan.retriever) is not None:
        spec = re.sub(r"\(.*", "(...)", spec_of(plan.retriever))
        raise SpecError(f"{spec} cannot be exported: that index exists already; your framework opens it by its own integration")
    whole = load_corpus(corpus, progress, options.keep, options.exclude)
    made = plan.retrieve(whole, whole, (), progress)
    assert made.searchable is not None  # there is no recorded run
    texts = plan.surroundings.texts(made.corpus, made.chunking, progress)
    depth, signature = max(made.run.chunks.shape[1], 1), plan.signature(made.source)
    return Handed(
        options,
        plan.retriever,
        made.source.chunker,
        made.source.context or "none",
        signature,
        made.corpus,
        made.chunking,
        texts,
        made.searchable,
        depth,
    )
