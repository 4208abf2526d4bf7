"""Hidden labels: does the corrected share hold the truth where some accepted passages are taken from the labels?

    python tests/bench/hidden [--hidings 30] [--draws 40] [--retriever bm25 --retriever lsa]

Each set is one where evidence stands in several places, all of which are labelled: the truth. Then each place that a group has
is hidden with probability .3, .5 or .7, all but one at most. What the labels that are left call failing is reviewed by
somebody who knows the truth, 20 or 40 queries in the order of a draw, and the interval is held against the share of these queries
that is truly served. That is the stricter test: the interval of a report also admits that queries are a sample, so holds more.

- covid_faq_versions: the versions of an answer, and its exact copies, count as places of it.
- hotpot100: every fact stands a second time in a digest, a document of its own.
- tidewater: `tidewater.jsonl` answers each query a second time, in other words, in a document of its own.

With ``--doubts`` a detector marks queries as doubtful, .7 of those that are truly served and .1 of the others, and the two strata
are drawn by turns.
"""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, Evidence, Labels, Query, Span
from ragdiag.core.reviews import STRATA, Drawn, place_in_draw
from ragdiag.pipeline import Loaded, labelled_documents, rank
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.retrieval import Plan
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries
from ragdiag.stats.corrected import corrected
from ragdiag.stats.statistics import Resampler, clusters

HERE = Path(__file__).parent
DATA = Path(os.environ.get("RAGDIAG_DATA", HERE.parents[3] / "shared" / "data"))
TIDEWATER = HERE.parents[2] / "fixtures" / "tidewater"
SHARES, SIZES = (0.3, 0.5, 0.7), (20, 40)
DOUBTED, DOUBTED_WRONGLY = 0.7, 0.1


class Complete(NamedTuple):
    """A set whose labels name every place of its evidence."""

    name: str
    corpus: Corpus
    labels: Labels


def with_places(queries: list[Query], corpus: Corpus, places: dict[tuple[int, int], list[Span]]) -> Labels:
    """The labels of queries, with further places for the groups of some, by query and group of it (-1: every group)."""
    labels = locate(queries, corpus)
    evidence = labels.evidence
    rows = [tuple(int(c[i]) for c in columns(evidence)) for i in range(len(evidence.query))]
    for (q, g), spans in places.items():
        groups = sorted({row[1] for row in rows if row[0] == q})
        for group in groups if g < 0 else groups[g : g + 1]:
            rows += [(q, group, s.document, s.start, s.end, 1) for s in spans]
    table = np.array(sorted(set(rows)), dtype=np.int64)
    return dataclasses.replace(labels, evidence=Evidence(*table[:, :5].T, table[:, 5].astype(bool)))


def columns(evidence: Evidence) -> list[np.ndarray]:
    return [getattr(evidence, field.name) for field in dataclasses.fields(Evidence)]


def covid() -> Complete:
    """Each answer with its versions."""
    corpus = load_corpus(DATA / "covid_faq_versions" / "corpus")
    queries = list(load_queries(DATA / "covid_faq_versions" / "queries.jsonl"))
    families: dict[str, list[int]] = {}
    for d, document in enumerate(corpus.documents):
        families.setdefault(document.id.rpartition("-v")[0], []).append(d)
    evidence, places = locate(queries, corpus).evidence, {}
    for q, d in sorted(
        set(zip(evidence.query[~evidence.copy].tolist(), evidence.document[~evidence.copy].tolist(), strict=True))
    ):
        others = [i for i in families[corpus.documents[d].id.rpartition("-v")[0]] if i != d]
        spans = [Span(i, corpus.documents[i].text.find("\n\n") + 2, len(corpus.documents[i].text.rstrip())) for i in others]
        places.setdefault((q, -1), []).extend(spans)
    return Complete("covid_faq_versions", corpus, with_places(queries, corpus, places))


def added(corpus: Corpus, texts: list[str], name: str) -> tuple[Corpus, list[int]]:
    """A corpus with further documents, and where they stand in it."""
    documents = [*corpus.documents, *(Document(f"~{name}-{i:04}", text) for i, text in enumerate(texts))]
    documents.sort(key=lambda document: document.id)
    position = {document.id: i for i, document in enumerate(documents)}
    return Corpus(tuple(documents)), [position[f"~{name}-{i:04}"] for i in range(len(texts))]


def hotpot() -> Complete:
    """Each fact in a digest as well."""
    corpus = load_corpus(DATA / "hotpot100" / "corpus.jsonl")
    queries = list(load_queries(DATA / "hotpot100" / "queries.jsonl"))
    evidence = locate(queries, corpus).evidence
    own = [i for i in range(len(evidence.query)) if not evidence.copy[i]]
    rows = [tuple(int(c[i]) for c in columns(evidence)[:5]) for i in own]
    leads = [f"{corpus.documents[d].title}, in short. " for _, _, d, _, _ in rows]
    facts = [corpus.documents[d].text[a:b] for _, _, d, a, b in rows]
    larger, positions = added(corpus, [lead + fact for lead, fact in zip(leads, facts, strict=True)], "digest")
    places: dict[tuple[int, int], list[Span]] = {}
    groups = {q: sorted({row[1] for row in rows if row[0] == q}) for q, *_ in rows}
    for (q, g, *_), lead, fact, d in zip(rows, leads, facts, positions, strict=True):
        places.setdefault((q, groups[q].index(g)), []).append(Span(d, len(lead), len(lead) + len(fact)))
    return Complete("hotpot100", larger, with_places(queries, larger, places))


def tidewater() -> Complete:
    """Each answer in other words as well."""
    corpus = load_corpus(TIDEWATER / "corpus")
    queries = list(load_queries(TIDEWATER / "queries.jsonl"))
    second = {
        row["_id"]: row["text"] for row in map(json.loads, (HERE / "tidewater.jsonl").read_text(encoding="utf-8").splitlines())
    }
    larger, positions = added(corpus, list(second.values()), "second")
    number = {query.id: q for q, query in enumerate(queries)}
    places = {(number[name], -1): [Span(d, 0, len(text))] for (name, text), d in zip(second.items(), positions, strict=True)}
    return Complete("tidewater", larger, with_places(queries, larger, places))


def hide(labels: Labels, share: float, rng: np.random.Generator) -> Labels:
    """The labels with each place of a group that has several hidden with probability `share`, one at least staying."""
    evidence = labels.evidence
    stays = rng.random(len(evidence.group)) >= share
    for group in np.unique(evidence.group).tolist():
        rows = np.flatnonzero(evidence.group == group)
        if not stays[rows].any():
            stays[rng.choice(rows)] = True
    return dataclasses.replace(labels, evidence=Evidence(*(column[stays] for column in columns(evidence))))


class Tally:
    """How often intervals held the truth, how wide they were, how far off the estimates."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []

    def add(self, share, truth: float, all_reviewed: float) -> None:
        held = share.here_low - 1e-9 <= truth <= share.here_high + 1e-9
        whole = share.low - 1e-9 <= truth <= share.high + 1e-9
        here, total = share.here_high - share.here_low, share.high - share.low
        self.rows.append((held, whole, here, total, all_reviewed, share.mean - truth, share.drawn_from))

    @property
    def held(self) -> float:
        """How often the interval for these queries alone held the truth."""
        return float(np.mean([row[0] for row in self.rows]))

    def cells(self) -> list[str]:
        held, whole, *widths, off, failing = np.mean(self.rows, axis=0).tolist()
        return [f"{len(self.rows)}", f"{failing:.0f}", *(f"{value:.3f}" for value in (held, whole, *widths)), f"{off:+.3f}"]


def drawn(stratum: str, members: np.ndarray, places: np.ndarray, n: int, served: np.ndarray) -> Drawn:
    """A review of the first `n` of some failing queries."""
    first = members[np.argsort(places[members])][:n]
    return Drawn(stratum, len(members), len(first), int(served[first].sum()))


def one_set(complete: Complete, retriever: str, hidings: int, draws: int, doubts: bool) -> list[Tally]:
    """Prints a row for each share that is hidden and each size of review."""
    labels, names = complete.labels, [query.id for query in complete.labels.queries]
    plan = Plan(Options(retriever=retriever, cache=None if retriever == "bm25" else ""))
    loaded = Loaded(complete.corpus, complete.corpus, labels, ())
    retrieved, scorer, lengths, _ = rank(plan, loaded, no_progress)
    measured = labels.at("span")
    served = scorer.sufficient(retrieved.run, lengths) > 0
    truth = float(served[measured].mean())
    several = np.bincount(labels.evidence.group) > 1
    every: list[Tally] = []
    for share in SHARES:
        tallies = {n: Tally() for n in SIZES}
        labelled = []
        for hiding in range(hidings):
            rng = np.random.default_rng([hiding, int(100 * share)])
            hidden = hide(labels, share, rng)
            of_hidden = Scorer(complete.corpus, hidden, retrieved.chunking)
            as_labelled = of_hidden.sufficient(retrieved.run, lengths) > 0
            unjudged = np.isin(np.arange(len(names)), list(of_hidden.judgements.unjudged(retrieved.run, lengths)))
            failing = measured[(unjudged & ~as_labelled)[measured]]
            labelled.append(as_labelled[measured].mean())
            doubtful = rng.random(len(names)) < np.where(served, DOUBTED, DOUBTED_WRONGLY) * doubts
            resampler = Resampler(clusters(labelled_documents(hidden)), 0)
            known = np.full(len(names), np.nan)
            known[measured] = as_labelled[measured]
            worth = resampler.worth(known)
            known[measured] = served[measured]
            everything = resampler.mean(known)
            members = [failing[doubtful[failing]], failing[~doubtful[failing]]]
            for draw in range(draws):
                places = np.array([place_in_draw(1000 * hiding + draw, name) for name in names])
                for n, tally in tallies.items():
                    half = min(len(members[0]), max((n + 1) // 2, n - len(members[1])))
                    strata = [
                        drawn(name, rows, places, size, served)
                        for name, rows, size in zip(STRATA, members, (half, n - half), strict=True)
                        if len(rows)
                    ]
                    first, known_no = int(as_labelled[measured].sum()), sum(s.sample - s.served for s in strata)
                    certain = first + sum(s.served for s in strata), first + len(failing) - known_no
                    tally.add(corrected(len(measured), first, strata, certain, worth, 0), truth, everything.high - everything.low)
        for n, tally in tallies.items():
            start = (
                complete.name,
                retriever,
                f"{several.mean():.2f}",
                f"{truth:.3f}",
                f"{share}",
                f"{np.mean(labelled):.3f}",
                f"{n}",
            )
            print(f"| {' | '.join([*start, *tally.cells()])} |", flush=True)
        every += tallies.values()
    return every


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidings", type=int, default=30)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--retriever", action="append")
    parser.add_argument("--doubts", action="store_true")
    asked = parser.parse_args()
    head = [
        *("set", "retriever", "groups with several places", "truth", "hidden", "as labelled", "reviewed", "repeats", "failing"),
        *("holds the truth", "with queries as a sample", "width", "width with queries as a sample", "width, all reviewed", "off"),
    ]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for make in (covid, hotpot, tidewater):
        for retriever in asked.retriever or ("bm25",):
            one_set(make(), retriever, asked.hidings, asked.draws, asked.doubts)
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
