"""An audit as small records, for every form that it is shown in: terminal, HTML page, Markdown, tests.

A form renders these and makes no sentence of its own; none takes apart what another one shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.core.pipelines import MUCH_UNREAD
from ragdiag.core.proofs import Row
from ragdiag.core.records import Mean, QueryResult, Report
from ragdiag.core.registry import without_usual
from ragdiag.reports.fixes import Fixing, NextQuery, fixing, next_queries
from ragdiag.reports.pooled import pool_rows
from ragdiag.reports.text import interval, percent
from ragdiag.reports.words import MEASURES, STATUSES, corrected_said
from ragdiag.search.approximate import WHOLE
from ragdiag.search.reading import HAN
from ragdiag.text.phrases import counted, one_line

__all__ = ["COMPARE", "Fate", "Headline", "Measured", "Summary", "summary"]

COMPARE = "what these fixes recover and break on all queries: ragdiag compare CORPUS QUERIES, same options"
"""Said below the causes."""

SPAN = ("Sufficient", "Answer", "Evidence", "CharR", "CharP", "IoU", "Duplicate", "OffTopic", "Judged")
"""Measures of what the context holds, as against how chunks are ranked."""

OTHER_MODEL = ("; name a model made for these texts: dense(model=...)", "dim")
"""The remedy for what an encoder cannot read."""

WORST = 3
"""Documents named of those with unserved queries."""


class Headline(NamedTuple):
    """How many of the queries that can be decided are served, and what a served query gets."""

    served: int
    of: int
    what: str

    @property
    def rest(self) -> str:
        """What follows the numbers."""
        return f" queries get {self.what} in their context"

    @property
    def text(self) -> str:
        """As a sentence."""
        return f"{self.served} of {self.of}{self.rest}"


class Measured(NamedTuple):
    """A measure: its name, what it is called below the one that it varies, what it says, its mean."""

    name: str
    shown: str
    means: str
    mean: Mean

    @property
    def said(self) -> str:
        """The mean with its interval."""
        return interval(self.mean, "not decidable")


class Fate(NamedTuple):
    """What became of so many queries."""

    words: str
    queries: int


class Summary(NamedTuple):
    """An audit: what was audited; warnings that come before any score; the headline with its measure, and what a review makes
    of it; what the unserved queries get; what to fix; risks of served queries; queries to look at, all unserved ones in order;
    documents with most of them; every measure of contexts and of rankings; the most that one can be, and slow retrieval; how much
    evidence came through each stage.
    """

    counts: str
    pipeline: str
    warnings: tuple[Row, ...]
    headline: Headline
    main: Measured
    corrected: str
    unserved: str
    failing: tuple[QueryResult, ...]
    fixing: Fixing | None
    exposures: tuple[Row, ...]
    look: tuple[NextQuery, ...]
    where: Row
    context: tuple[Measured, ...]
    ranking: tuple[Measured, ...]
    normal: tuple[Row, ...]
    slow: tuple[Row, ...]
    stages: tuple[Row, ...]

    @property
    def compare(self) -> str:
        """Where fixes can be compared; "" for stages, which only the team's own pipeline can leave out."""
        return "" if self.stages else COMPARE

    @property
    def fates(self) -> list[Fate]:
        """What became of all queries that can be decided: how many are served, have a proved cause, ..."""
        counts = {"served": self.headline.served, "proved cause": 0, "residual cause only": 0}
        for q in self.failing:
            words = "label doubtful" if q.label == "doubtful" else STATUSES.get(q.status, q.status).partition(":")[0]
            name = _fate(q) or words
            counts[name] = counts.get(name, 0) + 1
        return [Fate(words, count) for words, count in counts.items() if count]


def _fate(q: QueryResult) -> str:
    """What became of an unserved query with causes of its own; "" of others, and where two changes do only together."""
    if q.marginal and not q.label:
        return "marginal"
    if q.label or not q.causes or q.status == "compound":
        return ""
    return "proved cause" if set(q.causes) - q.residual else "residual cause only"


def summary(report: Report) -> Summary:
    """An audit as records."""
    failing = tuple(q for q in report.queries if q.served is False)
    main, what = _main(report)
    headline = Headline(sum(q.served is True for q in report.queries), 0, what)
    fixes = fixing(report, failing) if failing else None
    measured = [_measured(report, name) for name in report.measures]
    return Summary(
        counts=_counts(report),
        pipeline=_pipeline(report),
        warnings=(*pool_rows(report.pool), *_unseen(report), *_unread(report), *_index_recall(report)),
        headline=headline._replace(of=headline.served + len(failing)),
        main=main,
        corrected=corrected_said(report.corrected[main.name]) if main.name in report.corrected else "",
        unserved=_unserved(report, failing, main.name),
        failing=failing,
        fixing=fixes,
        exposures=tuple(_exposures(report)),
        look=tuple(next_queries(failing, fixes.rows)) if fixes else (),
        where=_where(report),
        context=tuple(m for m in measured if _of_context(m.name)),
        ranking=tuple(m for m in measured if not _of_context(m.name)),
        normal=tuple(_normal(report)),
        slow=tuple(_slow(report)),
        stages=tuple(_stages(report)),
    )


def _counts(report: Report) -> str:
    inputs = report.inputs
    parts = counted(inputs["documents"], "document"), counted(inputs["queries"], "quer", "y")
    return ", ".join((*parts, counted(report.pipeline.chunks, "chunk")))


def _pipeline(report: Report) -> str:
    """Chunker, context, retriever and size of context, in a line."""
    pipeline = report.pipeline
    size = f"{pipeline.budget} tokens" if pipeline.budget else f"k {pipeline.k}"
    context = f" | context {pipeline.context}" if pipeline.context not in (None, "none") else ""
    how = f"{without_usual(str(pipeline.chunker))}{context} | {pipeline.retriever} | {size}"
    return f"{how}, {pipeline.context_tokens:.0f} tokens of context a query"


def _unseen(report: Report) -> Iterator[Row]:
    """Text that no vector stands for, before any score: whatever it answers cannot be found by its meaning."""
    unseen = report.pipeline.unseen
    if unseen and unseen.chunks:
        chunks = f"{unseen.chunks:,} of {counted(report.pipeline.chunks, 'chunk')} are longer"
        share = percent(unseen.share)
        never = f", {share} of the text was never embedded" if share else ""
        yield Row.of("", (f"the encoder reads {unseen.limit} tokens: {chunks}{never}", "warn"))


def _unread(report: Report) -> Iterator[Row]:
    """Text that vectors say little of, since the encoder's vocabulary has no pieces for it."""
    unread = report.pipeline.unread
    if unread is None:
        return
    lines = []
    if max(unread.corpus, unread.queries, unread.words) >= MUCH_UNREAD:
        shares = f"{unread.corpus:.1%} of the corpus' characters and {unread.queries:.1%} of the queries'"
        lines.append(
            f"unknown pieces stand for {shares}, which the encoder cannot read: {unread.words:.1%} of the queries' words"
        )
    for script in unread.scripts:
        letters = f"{script.corpus:.1%} of the corpus' letters and {script.queries:.1%} of the queries' are {script.script}"
        has = "characters" if script.script == HAN else "pieces of two letters or more, so words are read letter by letter"
        lines.append(f"{letters}, of which the encoder's vocabulary has {script.pieces or 'no'} {has}")
    for i, says in enumerate(lines):
        yield Row.of("", (says, "warn"), *([OTHER_MODEL] if i == len(lines) - 1 else []))


def _index_recall(report: Report) -> Iterator[Row]:
    """Where the index itself misses chunks, whatever they say."""
    recall = report.pipeline.index_recall
    if recall and recall.mean < WHOLE:
        share = f"the index returns {recall.mean:.1%} of the first {recall.k} chunks that exact search finds"
        yield Row.of("", (share, "warn"), ("; raise ef_search or nprobe, search exactly, or rebuild the index", "dim"))


def _normal(report: Report) -> Iterator[Row]:
    """What a precision by characters can come to at most: short labels in long contexts make it low, however good the ranking."""
    most = report.pipeline.most_precise
    for name, mean in report.measures.items():
        if name.startswith("CharP@") and mean.mean is not None and most:
            says = f"{name} {mean.mean:.3f} is of at most {most:.3f}, with labels as short and contexts as long as these"
            yield Row.of("", (says, "dim"))


def _slow(report: Report) -> Iterator[Row]:
    """Where a query waits too long; times differ from run to run, so a fast index is not mentioned."""
    latency = report.timings.get("retrieval") or {}
    if latency.get("slow"):
        times = f"95th percentile {latency['p95_ms']:,.0f} ms a query, above {latency['budget_ms']:,.0f}"
        fix = f"; {latency['fix']}" if latency.get("fix") else ""
        yield Row.of("", (f"retrieval is slow: {times} (the first took {latency['cold_ms']:,.0f})", "warn"), (fix, "dim"))


def _stages(report: Report) -> Iterator[Row]:
    """How many queries have all their evidence in each stage that was recorded."""
    width = max(map(len, report.stages), default=0)
    for i, (name, share) in enumerate(report.stages.items()):
        count = f"{round((share.mean or 0) * share.n)} of {share.n}"
        head = "evidence all in" if not i else ""
        yield Row.of("", (f"{head:15}  ", "dim"), f"{name:{width}}  {count}  {interval(share, 'not decidable')}")


def _main(report: Report) -> tuple[Measured, str]:
    """The measure that the verdict is about, and what a query gets where it is 1."""
    name = next((m for m in report.measures if m.startswith("Sufficient@")), "")
    if name and report.measures[name].n:
        return _measured(report, name), "all their evidence"
    return _measured(report, next(m for m in report.measures if m.startswith("Success@"))), "a relevant document"


def _measured(report: Report, name: str) -> Measured:
    shown = re.sub(r"\w+\(tau=([0-9.]+)\).*", r"  at tau \1", name)
    return Measured(name, shown, MEASURES.get(name.partition("@")[0].partition("(")[0], ""), report.measures[name])


def _of_context(name: str) -> bool:
    """Whether a measure is of what the context holds."""
    return re.split(r"\W", name)[0] in SPAN


def _unserved(report: Report, failing: Sequence[QueryResult], main: str) -> str:
    """What those get that are not served; "" where all are."""
    if not failing:
        return ""
    partly = sum(1 for q in failing if (q.measures.get(main.replace("Sufficient", "CharR")) or 0) > 0)
    least = sorted(q.least_k for q in failing if q.least_k)
    within = f"the first {report.pipeline.depth} chunks (half of them within {least[len(least) // 2]})" if least else ""
    longer = f"; {len(least)} find it all in {within}" if least else ""
    return f"{len(failing)} do not: {partly} get part of it{longer}"


def _exposures(report: Report) -> Iterator[Row]:
    """Risks seen where the evidence is in the context all the same."""
    exposures = Counter(name for q in report.queries if q.served for name in q.exposures)
    if exposures:
        counts = ", ".join(f"{name} {n}" for name, n in sorted(exposures.items(), key=lambda item: (-item[1], item[0])))
        yield Row.of("", (f"risks seen on served queries, harmless so far: {counts}", "dim"))


def _where(report: Report) -> Row:
    """The documents whose queries go unserved."""
    unserved, decided = Counter[str](), Counter[str]()
    for q in report.queries:
        if q.served is not None:
            decided.update(q.documents)
            unserved.update(() if q.served else q.documents)
    order = sorted(unserved.items(), key=lambda item: (-item[1], item[0]))
    head = ("Where  ", "strong")
    if not order or order[0][1] == 1:
        return Row.of("", head, f"evidence of unserved queries is spread over {counted(len(order), 'document')}, one query each")
    named = ", ".join(f"{one_line(name, 160)} {n} of {decided[name]}" for name, n in order[:WORST])
    most = order[WORST][1] if len(order) > WORST else 0
    rest = f"; {counted(len(order) - WORST, 'more document')}, {f'1 to {most}' if most > 1 else '1'} each" if most else ""
    return Row.of("", head, f"unserved, by document: {named}{rest}")
