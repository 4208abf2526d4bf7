"""Every noun of ragdiag, as small frozen records; inside, columns of integers. Documents and spans are in `core.documents`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ragdiag.core.arrays import BoolArray, FloatArray, IntArray
from ragdiag.core.documents import Corpus, Document, Omission, Problem, Span
from ragdiag.core.pipelines import IndexRecall, Pipeline, Unseen
from ragdiag.core.pools import Pooled
from ragdiag.core.proofs import Finding, GroupProof, RankedChunk
from ragdiag.core.reviews import Corrected, Passage, Review

__all__ = [
    "STAGES", "Answer", "BoolArray", "Chunking", "Corpus", "Defect", "Document", "Evidence", "Explanation", "FloatArray",
    "GroupProof", "IndexRecall", "IntArray", "Label", "Labels", "Mean", "Omission", "Pipeline", "Problem", "Query",
    "QueryResult", "RankedChunk", "Report", "Run", "Span", "StoredChunk", "Unseen",
]  # fmt: skip

STAGES = ("found", "filtered", "reranked", "prompted")
"""What a pipeline holds for a query, step after step: a stage that is absent did not happen."""


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled passage as a file states it, before it is checked against the corpus.

    Spans with the same `group` are alternatives; with none, a span is a group of its own. Where a format gives the source text
    instead of a document id (SQuAD), `doc_text` holds it.
    """

    doc_id: str = ""
    text: str = ""
    start: int | None = None
    end: int | None = None
    group: str = ""
    doc_text: str = field(default="", repr=False)
    accepted: bool = field(default=False, repr=False)  # by whoever reviewed the query: no label had it before


@dataclass(frozen=True, slots=True)
class Query:
    """A labelled query. `relevant` holds ``(doc_id, grade)`` where the labels are whole documents.

    `answer` is the reference answer, `also` further ones that are accepted as well; all of them are `answers`. `acceptable` are
    answers of a system that people accepted. `review` is what a person looked at beside its labels.
    """

    id: str
    text: str
    answer: str = ""
    evidence: tuple[Label, ...] = ()
    relevant: tuple[tuple[str, int], ...] = ()
    unanswerable: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    line: int = 0
    also: tuple[str, ...] = ()
    review: Review | None = None
    acceptable: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """Every reference answer that is accepted; none is blank."""
        return tuple(answer for answer in (self.answer, *self.also) if answer.strip())


@dataclass(frozen=True, slots=True)
class Defect:
    """A label that is wrong about the corpus (excluded), or a warning about one (kept); never repaired."""

    kind: str
    query: str
    file: str
    line: int
    message: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence spans as columns, one row an alternative, rows sorted by query, then group.

    `query` and `document` are positions in the query list and the corpus; `group` numbers groups 0.. over the whole set;
    `copy` marks exact copies found elsewhere, which no label names. All of shape ``(n_alternatives,)``.
    """

    query: IntArray
    group: IntArray
    document: IntArray
    start: IntArray
    end: IntArray
    copy: BoolArray


@dataclass(frozen=True, eq=False)
class Labels:
    """What the labels say once checked: located evidence, document grades, and everything wrong with them.

    `level` gives each query's kind of label: "span", "document", "unanswerable" or "excluded" (it has a defect).
    """

    queries: tuple[Query, ...]
    level: tuple[str, ...]
    evidence: Evidence
    relevant: tuple[Mapping[int, int], ...]
    defects: tuple[Defect, ...]
    warnings: tuple[Defect, ...]
    left_out: int = 0

    def at(self, level: str) -> IntArray:
        """Positions of the queries labelled at `level`."""
        return np.array([i for i, each in enumerate(self.level) if each == level], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as a file or a vector store names it, before it is placed in its document."""

    id: str = ""
    doc_id: str = ""
    text: str = ""
    start: int | None = None
    end: int | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True, eq=False)
class Chunking:
    """Chunks as columns, sorted by document, start, end; `ids` where the team's own chunks carry names."""

    document: IntArray
    start: IntArray
    end: IntArray
    ids: tuple[str, ...] = ()
    complete: bool = True  # False where only a run names the chunks, so that others may exist

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, eq=False)
class Run:
    """Chunk positions for each query, best first, shape ``(n_queries, depth)``, padded with -1; scores padded with -inf.

    `failed` are the queries whose retrieval failed: they rank nothing and score 0. `listed` are those whose order somebody else
    states, by ranks or as a list: equal scores are no ties there. `stages` has, by query and name, the chunks of each stage that
    was recorded, in the order of `STAGES`; the last of them is what is ranked. `passages`: chunks with one score are handed over
    together, see `core.passages`.
    """

    chunks: IntArray
    scores: FloatArray
    failed: tuple[int, ...] = ()
    listed: tuple[int, ...] = ()
    stages: Mapping[int, Mapping[str, IntArray]] = field(default_factory=dict)
    passages: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded answer. `correct` is None where no label says; `failed` marks an attempt that gave no answer.

    `supported`: whether a person says that its `contexts` hold what it states; `context_ids` are theirs, where they have any.
    """

    query_id: str
    condition: str
    answer: str
    correct: bool | None = None
    failed: bool = False
    contexts: tuple[str, ...] = ()
    sufficient: bool | None = None
    supported: bool | None = None
    context_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over queries with its 95 % interval and the number of queries behind it; all None where n is 0."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query's part of a report.

    `status` is "ok" (`served`), "excluded" (a label defect), "not_decidable" (unanswerable, or not served by a recorded run,
    which cannot be asked why, and lost by none of its stages; or what may be wrong is `untested`), or what came of looking for
    the cause: "caused", "over-determined" (several repairs suffice, each alone), "compound" (two do together), "unattainable" (no
    context of this size holds the evidence) or "undetermined"; or "label_wide": not served by the whole label, but by the part of
    it that answers, and no failure.
    """

    id: str
    text: str
    status: str
    measures: Mapping[str, float | None]
    least_k: int | None  # least k whose first k chunks hold all the evidence, where the run goes that far
    documents: tuple[str, ...]  # where its evidence is
    served: bool | None  # does its context hold all evidence; None where no label says what that is
    causes: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), repr=False)  # long
    marginal: bool = False  # its evidence stands a place or two below the context, and no cause is shown: anything helps
    label: str = ""  # "wide": the part that answers is served; "doubtful": the context may answer all the same; "": as it stands
    label_says: str = ""  # why, in a sentence
    unjudged: tuple[Passage, ...] = field(default=(), repr=False)  # chunks of its context; of a failing query alone
    label_sha256: str = field(default="", repr=False)  # of what its label asks for, see `scoring.labels.label_digest`

    @property
    def residual(self) -> frozenset[str]:
        """Those of its causes that are residual."""
        return frozenset(f.cause for f in self.findings if f.residual and f.cause in self.causes)

    @property
    def untested(self) -> tuple[str, ...]:
        """What may be wrong with it as well, and cannot be tested on this index."""
        return tuple(f.cause for f in self.findings if "untestable" in f.detail)


@dataclass(frozen=True, eq=False)
class Report:
    """What an audit found; `ragdiag.reports.json` writes it as the JSON contract."""

    signature: str
    seed: int
    inputs: Mapping[str, Any]
    pipeline: Pipeline
    measures: Mapping[str, Mean]
    label_defects: tuple[Defect, ...]
    label_warnings: tuple[Defect, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    causes: Mapping[str, Mean]  # each cause's share of the queries that are not served
    queries: tuple[QueryResult, ...]
    timings: Mapping[str, Any]  # seconds by stage; `retrieval` has one query's milliseconds
    corrected: Mapping[str, Corrected]  # by measure: what a review of failing queries makes of it
    stages: Mapping[str, Mean] = field(default_factory=dict, kw_only=True)  # the share of queries whose evidence is all in each
    pool: Pooled | None = field(default=None, kw_only=True)  # where the corpus is a pool: what this says of the whole


@dataclass(frozen=True, eq=False)
class Explanation:
    """One query's whole story: its result, its ranking down to the last piece of evidence, its evidence group by group.

    `words` are the query as an index over words knows it: each term with its idf, infinite for one in no text.
    """

    query: Query
    result: QueryResult
    groups: tuple[GroupProof, ...]
    ranking: tuple[RankedChunk, ...]
    defects: tuple[Defect, ...]
    report: Report
    words: Mapping[str, float] = field(default_factory=dict)
