"""What a reader of an audit should know besides its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ragdiag.core.drawn import drawn_between
from ragdiag.core.options import Options
from ragdiag.core.protocols import Index
from ragdiag.core.records import Corpus, IntArray, Labels, QueryResult, Run
from ragdiag.diagnosis.weights import FEW_TEXTS, REMEDY
from ragdiag.scoring.cuts import undecided
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.nested import weighted
from ragdiag.text.phrases import counted

__all__ = ["of_labels", "of_ties", "of_weights", "titles_not_indexed"]


def titles_not_indexed(corpus: Corpus, labels: Labels, options: Options) -> Iterator[str]:
    """A note where the texts that are searched lack what BEIR counts as part of a document."""
    titled = sum(bool(d.title) and d.file.endswith(".jsonl") and d.title not in d.text for d in corpus.documents)
    own_index = options.run is None and options.search is None
    if titled and own_index and options.context == "none" and "document" in labels.level:
        yield (
            f"{titled} documents have a title that is not indexed: in BEIR a document is its title and its text, so published "
            "figures are higher; --context title indexes both"
        )


def of_labels(labels: Labels, run: Run) -> Iterator[str]:
    """Labels of whole documents, evidence in few documents, queries that were drawn for a comparison, or failed in the run."""
    n_documents = labels.level.count("document")
    if n_documents:
        yield (
            f"{n_documents} queries are labelled with whole documents: their ranks are ranks of documents, "
            "and what needs a passage (Sufficient, Evidence, Char, IoU) is not decidable for them"
        )
    used = set(labels.evidence.document[~labels.evidence.copy].tolist())
    if used and len(used) < 10 <= labels.level.count("span"):
        yield f"all evidence is in {len(used)} documents: intervals, which treat documents as the sample, are wide and rough"
    draws = [draw for draw in map(drawn_between, labels.queries) if draw]
    if draws:
        which = f"those that get different contexts from {draws[0].names}" if len(set(draws)) == 1 else "by several draws"
        yield (
            f"{len(draws)} of {counted(len(labels.queries), 'quer', 'y')} were drawn among questions on which two configurations "
            f"differ ({which}): shares served are not those of all questions"
        )
    if run.failed:
        yield f"{len(run.failed)} queries failed in the run: they retrieve nothing and score 0"


def of_ties(scorer: Scorer, run: Run, lengths: IntArray, options: Options) -> Iterator[str]:
    """How many contexts were chosen among results with equal scores."""
    cut, sways = undecided(scorer, run, lengths, options.k, options.budget, options.seed)
    if len(cut):
        yield (
            f"{counted(len(cut), 'quer', 'y')} with a tie at the cut: the last result in the context and the next score the "
            f"same, and only ids chose; for {len(sways)} of them another order changes whether the context holds all evidence"
        )


def of_weights(index: Index | None, n_chunks: int, results: Sequence[QueryResult]) -> Iterator[str]:
    """Where an index is too small for what it makes of the rarity of words, and where that chose contexts."""
    if index is not None and weighted(index) and n_chunks < FEW_TEXTS:
        yield (
            f"the index has only {counted(n_chunks, 'chunk')}: in fewer than {FEW_TEXTS}, how rare a word is, by which "
            "bm25 ranks, is mostly chance; measure on more documents before changing anything"
        )
    n = sum(any("worthless" in f.detail for f in q.findings) for q in results)
    if n:
        yield (
            f"{counted(n, 'unserved quer', 'y')} without a proof: words that the query shares with its evidence weigh 0 or less "
            f"in this index, so that matches count for nothing, or against; try {REMEDY}"
        )
