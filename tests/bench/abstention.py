"""Does retrieval tell a question that the corpus does not answer? Near and far misses, three retrievers, two sets.

    python tests/bench/abstention.py [--null RUNS | --cover RUNS]

40 questions that their corpus does not answer, written before any score was looked at (fixtures/tidewater/unanswerable.jsonl and
covid_unanswerable.jsonl beside this file), against the labelled ones of each set. `--null`: labels shuffled, so that nothing
tells: how often is a signal said to be there, and how often is one half outside of an interval? `--cover`: how
often intervals hold the truth on simulated scores, with and without counting that queries share documents.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from common import paths
from scipy import stats

from ragdiag.answering.abstention import told_apart
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import load_measurable, rank
from ragdiag.scoring.abstaining import SAYS, SIGNALS, score_signals, telling
from ragdiag.search.retrieval import Plan
from ragdiag.stats.separation import separation

HERE = Path(__file__).parent
TIDEWATER = HERE.parents[1] / "fixtures" / "tidewater"
RETRIEVERS = ("dense", "bm25", "hybrid")
AIM = 0.10
"""The share of answerable queries that a threshold may decline; where ties allow none, the next that they do."""


def sets() -> dict[str, tuple[Path, Path, Path]]:
    """By name: a corpus, its labelled queries, and the further unanswerable ones."""
    return {
        "tidewater": (TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", TIDEWATER / "unanswerable.jsonl"),
        "covid_faq_versions": (*paths("covid_faq_versions"), HERE / "covid_unanswerable.jsonl"),
    }


def together(folder: Path, queries: Path, further: Path, miss: str) -> Path:
    """A file of the labelled queries with those of the further ones that miss as asked for; "" for all.

    The unanswerable queries that a set has of its own (tidewater's three) are near misses.
    """
    rows = [json.loads(line) for path in (queries, further) for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [row for row in rows if not row.get("unanswerable") or miss in ("", row.get("metadata", {}).get("miss", "near"))]
    file = folder / f"{miss or 'all'}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    return file


def told(corpus: Path, queries: Path, retriever: str):
    """What retrieval tells of one file of queries."""
    asked = Options(retriever=retriever)
    loaded = load_measurable(corpus, queries, asked, no_progress)
    ranked = rank(Plan(asked), loaded, no_progress)
    retrieved = ranked.retrieved
    return ranked, told_apart(ranked.scorer, retrieved.run, ranked.lengths, retrieved.searchable, asked, no_progress)


def show(name: str, miss: str, retriever: str, found) -> None:
    """A row of a table: each signal's area, with a star where it tells, and what declining by the best one comes to."""
    seen = {s.name: f"{s.seen.auc:.2f} [{s.seen.low:.2f}, {s.seen.high:.2f}]{' *' if s.tells else ''}" for s in found.signals}
    declined = "no signal"
    if found.best:
        at = next((t for t in found.tradeoffs if t.aim == AIM), found.tradeoffs[-1])
        declined = f"{found.best}: {at.unanswerable.mean:.2f} and {at.answerable.mean:.2f}"
    areas = " | ".join(seen[signal] for signal in SIGNALS)
    print(f"| {name} | {found.unanswerable} {miss} | {retriever} | {areas} | {declined} |")


def null(runs: int) -> None:
    """The same signals with shuffled labels, queries taken for independent: nothing but chance is in it."""
    for name, (corpus, queries, further) in sets().items():
        with tempfile.TemporaryDirectory() as folder:
            ranked, _ = told(corpus, together(Path(folder), queries, further, ""), "bm25")
        labels, signals = ranked.scorer.labels, score_signals(ranked.retrieved.run, 5)
        n, m = len(labels.queries), labels.level.count("unanswerable")
        rng, wrong, outside = np.random.default_rng(0), 0, 0
        for _ in range(runs):
            unanswerable = np.zeros(n, dtype=bool)
            unanswerable[rng.choice(n, m, replace=False)] = True
            found = telling(signals, ~unanswerable, unanswerable, np.arange(n), 0)
            wrong += found.best is not None
            outside += sum(not s.seen.low <= 0.5 <= s.seen.high for s in found.signals)
        print(f"{name}: a signal in {wrong} of {runs} shuffles; one half outside {outside} of {runs * len(signals)} intervals")


CASES = (  # documents, their queries at most, unanswerable ones, how far apart, and how much queries of one document go together
    (60, 1, 3, 0, 0),
    (60, 1, 20, 0, 0),
    (60, 1, 20, 0.75, 0),
    (60, 1, 3, 1.5, 0),
    (60, 1, 20, 2.5, 0),
    (25, 5, 20, 0, 0.5),
    (25, 5, 20, 0.75, 0.5),
    (25, 5, 20, 0, 0.9),
    (10, 11, 20, 0, 0.5),
    (60, 9, 20, 0.75, 0.3),
)


def cover(runs: int) -> None:
    """Normal scores of answerable queries by document, against those of unanswerable ones."""
    rng = np.random.default_rng(1)
    for documents, most, m, shift, together in CASES:
        truth, held, alone = stats.norm.cdf(shift / 2**0.5), 0, 0
        for _ in range(runs):
            of = np.repeat(np.arange(documents), rng.integers(1, most + 1, documents))
            own = rng.normal(size=len(of))
            first = shift + together**0.5 * rng.normal(size=documents)[of] + (1 - together) ** 0.5 * own
            second = rng.normal(size=m)
            one, other = separation(first, second, of), separation(first, second, np.arange(len(of)))
            held += one.low <= truth <= one.high
            alone += other.low <= truth <= other.high
        case = f"{documents} documents of up to {most} queries, {m} unanswerable, area {truth:.2f}, shared {together}"
        print(f"{case}: held in {held / runs:.3f}; documents not counted {alone / runs:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--null", type=int, default=0)
    parser.add_argument("--cover", type=int, default=0)
    given = parser.parse_args()
    if given.null or given.cover:
        null(given.null) if given.null else cover(given.cover)
        return
    says = " | ".join(SAYS[signal] for signal in SIGNALS)
    print(f"| set | unanswerable | retriever | {says} | declined at {AIM:.0%} |\n|{'---|' * (len(SIGNALS) + 4)}")
    for name, (corpus, queries, further) in sets().items():
        with tempfile.TemporaryDirectory() as folder:
            for miss in ("", "near", "far"):
                file = together(Path(folder), queries, further, miss)
                for retriever in RETRIEVERS:
                    show(name, miss, retriever, told(corpus, file, retriever)[1])


if __name__ == "__main__":
    main()
