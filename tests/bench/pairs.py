"""The litmus verdict against people: a judge corrected by a few labels, on answers that people labelled all of.

    python tests/bench/pairs.py [--draws 100] [--labels 50 100] [--judge matcher] [--old 20]

Of every two systems of a set with labelled answers (`evouna_dev`: NQ and TriviaQA) the weaker one's answers stand for those with
the pipeline's context, the stronger one's for those with exactly the evidence. In each draw 500 questions are taken at random,
the labels of all but a few hidden, and the share of failures that the second mends is estimated: by the judge corrected by these
labels, by as many labels drawn where they narrow the interval most (`drawing`), by the correction used before, which took its
errors for independent (`independent.py`, in the first `--old` draws of a cell), by the labelled questions alone, and as judged.
The truth is what all labels of the 500 say. A verdict is wrong that says RETRIEVAL where the truth is below one half, BEHAVIOR
where it is above, or BOTH where a true effect is at most delta.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))
import independent
from common import DATA

from ragdiag.answering.drawing import drawn as next_queries
from ragdiag.answering.judging import majorities
from ragdiag.answering.ruling import rule
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import DELTA, Outcomes
from ragdiag.api import litmus
from ragdiag.stats.calibration import interval

QUESTIONS = 500
WAYS = ("corrected", "errors independent", "labels alone", "as judged", "by doubt")

ROUND = 10
"""Queries that are drawn by doubt at a time, before what labels say of them is looked at."""

Side = tuple[np.ndarray, np.ndarray]


def rows(path: Path) -> list[dict]:
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def sides(folder: Path, first: bool, judge: str) -> dict[str, Side]:
    """Of each system what people and the judge say of its answers, shape ``(n_questions,)`` each."""
    queries = rows(folder / "queries.jsonl")
    for query in queries:
        query["answers"] = query["answers"][:1] if first else query["answers"]
    said = {}
    for path in sorted((folder / "answers").glob("*.jsonl")):
        found = litmus(queries, [row | {"condition": "retrieved"} for row in rows(path)], judge=judge, blind=True)
        said[path.stem] = majorities(len(queries), found.judgements)
    return said


def cell(weak: Side, strong: Side, labels: int, draws: int, old: int) -> list[list[tuple[bool, bool, float, bool] | None]]:
    """Of each draw and way: does the interval hold the truth, is the verdict wrong, the interval's width, does it tell."""
    label, judged = np.stack([weak[0], strong[0]], axis=1), np.stack([weak[1], strong[1]], axis=1)
    known = ~np.isnan(label + judged).any(axis=1)
    label, judged = label[known], judged[known]
    found = []
    for seed in range(draws):
        rng = np.random.default_rng([seed, labels])
        drawn = rng.permutation(len(label))[:QUESTIONS]
        truth, opinions, few = label[drawn], judged[drawn], label[drawn].copy()
        few[labels:] = np.nan
        doubted = by_doubt(truth, opinions, labels, seed)
        sample = {way: doubted if way == "by doubt" else few for way in WAYS}
        found.append([estimate(w, truth, opinions, sample[w], seed) if w != WAYS[1] or seed < old else None for w in WAYS])
    return found


def by_doubt(truth: np.ndarray, opinions: np.ndarray, labels: int, seed: int) -> np.ndarray:
    """The truth of as many queries as there are labels, drawn by doubt; NaN elsewhere."""
    few = np.full_like(truth, np.nan)
    ids = [str(q) for q in range(len(truth))]
    for at in range(0, labels, ROUND):
        order = next_queries(Said(few, opinions), ids, "doubt", seed)
        chosen = list(itertools.islice(order, min(ROUND, labels - at)))
        few[chosen] = truth[chosen]
    return few


def estimate(way: str, truth: np.ndarray, judged: np.ndarray, few: np.ndarray, seed: int) -> tuple[bool, bool, float, bool]:
    """One way's interval and verdict, held against the truth."""
    wrong_main = truth[:, 0] == 0
    share, behavior = truth[wrong_main, 1].mean(), 1 - truth[:, 1].mean()
    context = truth[:, 1].mean() - truth[:, 0].mean()
    if way == "errors independent":
        cells = independent.draws(few, judged, 1.0, seed)
        _, low, high = interval(cells[:, 2] / (cells[:, 0] + cells[:, 2]))
        kind = "RETRIEVAL" if low > 0.5 else "BEHAVIOR" if high < 0.5 else ""
    else:
        labelled = ~np.isnan(few).any(axis=1)
        nothing = np.full_like(few, np.nan)
        said = {"as judged": Said(nothing, judged), "labels alone": Said(few, nothing)}.get(way, Said(few, judged))
        stands = np.where(np.isnan(said.label), said.judged, said.label)
        if way == "labels alone":
            said, stands = said.of(labelled), stands[labelled]
        n = len(stands)
        outcomes = Outcomes(stands[:, 0], stands[:, 1], np.full(n, np.nan), np.zeros(n, dtype=bool))
        verdict = rule(outcomes, said, np.arange(n), seed, DELTA, by_doubt=way == "by doubt")
        kind, low, high = verdict.kind, verdict.share.low or 0.0, 1.0 if verdict.share.high is None else verdict.share.high
    wrong = (
        (kind == "RETRIEVAL" and share < 0.5)
        or (kind == "BEHAVIOR" and share > 0.5)
        or (kind == "BOTH" and min(context, behavior) <= DELTA)
    )
    return low <= share <= high, wrong, high - low, kind in ("RETRIEVAL", "BEHAVIOR")


def main() -> None:
    """One line a cell, then what is asked about each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--old", type=int, default=20)
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--judge", default="matcher(style=free)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", default="evouna_dev")
    asked = parser.parse_args()
    print(f"python {' '.join(sys.argv)}: of each way holds, wrong, width, tells; ways: {', '.join(WAYS)}")
    figures: dict[int, list[np.ndarray]] = {}
    for folder, first in itertools.product(sorted(p.parent for p in (DATA / asked.set).glob("*/queries.jsonl")), (True, False)):
        said = sides(folder, first, asked.judge)
        by_skill = sorted(said, key=lambda system: np.nanmean(said[system][0]))
        pairs = list(itertools.combinations(by_skill, 2))
        work = [(weak, strong, m) for weak, strong in pairs for m in asked.labels]
        cells = Parallel(n_jobs=asked.jobs)(delayed(cell)(said[a], said[b], m, asked.draws, asked.old) for a, b, m in work)
        for (weak, strong, m), found in zip(work, cells, strict=True):
            ways = np.array([np.mean([way for way in ways if way is not None], axis=0) for ways in zip(*found, strict=True)])
            figures.setdefault(m, []).append(ways)
            shown = " | ".join(f"{held:.2f} {wrong:.2f} {width:.2f} {tells:.2f}" for held, wrong, width, tells in ways)
            print(f"{folder.name} {'first' if first else 'any':5s} {weak:>8s} {strong:<8s} {m:4d} labels | {shown}", flush=True)
    for m, cells in figures.items():
        for i, way in enumerate(WAYS):
            held, wrong, width, tells = np.array(cells)[:, i].T
            print(
                f"{m} labels, {way}: interval holds the truth {held.mean():.3f} of the time (least of {len(cells)} cells "
                f"{held.min():.2f}), wrong verdict {wrong.mean():.3f} (most {wrong.max():.2f}), width {width.mean():.2f}, "
                f"tells {tells.mean():.2f}"
            )


if __name__ == "__main__":
    main()
