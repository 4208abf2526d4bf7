"""Sets the stage for a diagnosis: cases from labels and rankings, and an index that can be asked what-ifs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ragdiag.core.options import Options
from ragdiag.core.phrasings import earlier_turns
from ragdiag.core.protocols import Progress
from ragdiag.core.records import Defect, IntArray, Run, Span
from ragdiag.core.registry import make
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.diagnosis import Diagnosis, diagnose
from ragdiag.diagnosis.probe import Probe
from ragdiag.diagnosis.setting import Setting
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.approximate import remedy_of
from ragdiag.search.indexed import Indexed
from ragdiag.search.nested import collection_of
from ragdiag.search.rewriting import Asked

__all__ = ["name_causes"]

CHANCE = 1e-3
"""A hub is in so many contexts that, were chunks drawn at random, the chance that any of them were is below this."""

FEWEST = 5
"""Contexts of other queries that a hub is in, at least."""


def name_causes(
    scorer: Scorer,
    run: Run,
    lengths: IntArray,
    indexed: Indexed,
    options: Options,
    progress: Progress,
    only: Collection[int] | None = None,
) -> list[Diagnosis]:
    """A diagnosis for each query, in order; "not_decidable" for those without a label.

    `only` are the positions of the queries asked about: all others are "not_decidable" too.
    """
    every = range(len(scorer.labels.queries))
    wanted = every if only is None else only
    setting = _setting(scorer, run, lengths, indexed, options)
    # Of another retriever it is asked what it does for other failing queries too; of a stage, what it does for served ones.
    cases = _cases(scorer, run, lengths, setting, every if setting.swaps or run.stages else wanted)
    _rewrite([case for case in cases if case.number in wanted], indexed, progress)
    asked = {i for i, case in enumerate(cases) if case.number in wanted}
    diagnoses = [Diagnosis("not_decidable")] * len(every)
    for i, diagnosis in enumerate(diagnose(cases, _probe(run, indexed), progress, asked)):
        if i in asked:
            diagnoses[cases[i].number] = diagnosis
    return diagnoses


def _setting(scorer: Scorer, run: Run, lengths: IntArray, indexed: Indexed, options: Options) -> Setting:
    """What all queries of the audit share."""
    limit, unit = _limit(options)
    return Setting(
        corpus=scorer.corpus,
        chunking=scorer.chunking,
        k=options.k,
        budget=options.budget,
        embed=indexed.embed,
        off_topic=scorer.subjects.off_topic,
        visible=indexed.visible,
        seen=indexed.seen,
        readers=indexed.readers,
        swaps=tuple(indexed.swaps),
        analyses={mended: spec for mended, (spec, _) in indexed.analyses.items()},
        hubs=_foreign(scorer, run, lengths),
        hub_from=_hub_from(int(lengths.sum()), len(scorer.chunking)),
        limit=limit,
        unit=unit,
        context=options.context,
        drifted=indexed.drifted,
        surely=indexed.surely,
        passages=run.passages,
        options=options,
        remedy=remedy_of(indexed.searchable),
    )


def _probe(run: Run, indexed: Indexed) -> Probe | None:
    """What answers what-ifs, with the other retrievers it can ask; None for an index that cannot be asked."""
    others = {**indexed.swaps, **dict(indexed.analyses.values())}
    return None if indexed.searchable is None else Probe(indexed.searchable, others, run.chunks.shape[1], indexed.adds)


def _cases(scorer: Scorer, run: Run, lengths: IntArray, setting: Setting, looked_at: Collection[int]) -> list[Case]:
    """A case for each query of `looked_at` that has a label, and whose search did not fail."""
    labels, groups = scorer.labels, _groups(scorer)
    defects: dict[str, list[Defect]] = {}
    for defect in labels.defects:
        defects.setdefault(defect.query, []).append(defect)
    return [
        Case(
            setting,
            q,
            labels.queries[q],
            level,
            groups[q],
            run.chunks[q],
            int(lengths[q]),
            tuple(defects.get(labels.queries[q].id, ())),
            None if q in run.listed and not run.passages else run.scores[q],
            scorer.answering.by_query.get(q),
            run.stages.get(q),
        )
        for q, level in enumerate(labels.level)
        if level != "unanswerable" and q in looked_at and (level == "excluded" or q not in run.failed)
    ]


def _limit(options: Options) -> tuple[int, str]:
    """The most that the audit's chunker puts into a chunk, with its unit; 0 where it has no limit, or somebody else cut."""
    given = options.chunks or options.own_chunks or options.run or options.search is not None
    if given or collection_of(make("retrievers", options.retriever)) is not None:
        return 0, "tokens"
    chunker = make("chunkers", options.chunker)
    return getattr(chunker, "size", 0), getattr(chunker, "unit", "tokens")


def _rewrite(cases: Sequence[Case], indexed: Indexed, progress: Progress) -> None:
    """Tell the failing cases what the team's rewriter makes of their queries, where one is named and the index can be asked."""
    if indexed.searchable is None or indexed.rewriter is None:
        return
    failing = [case for case in cases if not case.standing.sufficient and case.level != "excluded"]
    asked = [Asked(case.query.text, earlier_turns(case.query.metadata)) for case in failing]
    for case, text in zip(failing, indexed.rewriter.rewritten(asked, indexed.store, progress), strict=True):
        case.rewritten = (text,) if text else ()


def _groups(scorer: Scorer) -> list[list[tuple[Span, ...]]]:
    """For each query its groups of alternatives; for document labels, one group of its relevant documents, whole."""
    labels, evidence, n = scorer.labels, scorer.labels.evidence, len(scorer.labels.queries)
    rows: list[dict[int, list[Span]]] = [{} for _ in range(n)]
    columns = (evidence.query, evidence.group, evidence.document, evidence.start, evidence.end)
    for q, g, d, start, end in zip(*(c.tolist() for c in columns), strict=True):
        rows[q].setdefault(g, []).append(Span(d, start, end))
    groups = [[tuple(spans) for spans in row.values()] for row in rows]
    for q in labels.at("document").tolist():
        relevant = sorted(d for d, grade in labels.relevant[q].items() if grade > 0)
        groups[q] = [tuple(Span(d, 0, int(scorer.corpus.lengths[d])) for d in relevant)]
    return groups


def _foreign(scorer: Scorer, run: Run, lengths: IntArray) -> dict[int, int]:
    """For each chunk, the queries whose context it is in without holding any of their evidence."""
    query, rank = np.nonzero((np.arange(run.chunks.shape[1]) < lengths[:, None]) & (run.chunks >= 0))
    relevant = scorer.relevant()
    pairs = zip(query.tolist(), run.chunks[query, rank].tolist(), strict=True)
    counts: dict[int, int] = {}
    for q, c in pairs:
        if (q, c) not in relevant:
            counts[c] = counts.get(c, 0) + 1
    return counts


def _hub_from(places: int, n_chunks: int) -> int:
    """The number of contexts that no chunk would be in by chance (Poisson, over all chunks)."""
    from scipy.special import pdtrc

    mean, n = places / max(n_chunks, 1), FEWEST
    while pdtrc(n - 1, mean) > CHANCE / max(n_chunks, 1):
        n += 1
    return n
