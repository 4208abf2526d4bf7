"""A judge that errs, corrected by the labels of half of hotpot100: does the verdict come out as all labels would have it?

    python tests/bench/halflabelled.py [--splits 100] [--judge 'matcher(style=free)']

hotpot100's labels are exact matches; a judge made for free text errs against them. For each random half of the queries the labels
of the other half are hidden, and the share of failures that perfect context fixes is estimated as judged and corrected.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from ragdiag.answering.judging import majorities
from ragdiag.answering.ruling import rule
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import DELTA, Outcomes
from ragdiag.api import litmus

DATA = Path(os.environ.get("RAGDIAG_DATA", Path(__file__).parents[3] / "shared" / "data")) / "hotpot100"


def main() -> None:
    """Prints both sides, and what all labels say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--judge", default="matcher(style=free)")
    asked = parser.parse_args()
    files = [
        f"retrieved={DATA}/answers/react_wiki_search_trial1.jsonl",
        f"oracle={DATA}/answers/cot_gold_context_trial1.jsonl",
    ]
    found = litmus(DATA / "queries.jsonl", files, judge=asked.judge, blind=True)
    n = len(found.queries)
    sides = [majorities(n, found.of(condition)) for condition in ("retrieved", "oracle")]
    unknown, nothing = np.full(n, np.nan), np.zeros(n, dtype=bool)
    everything = Said(np.stack([label for label, _ in sides], axis=1), np.full((n, 2), np.nan))
    truth = rule(Outcomes(sides[0][0], sides[1][0], unknown, nothing), everything, np.arange(n), 0, DELTA)
    print(f"judge {asked.judge}")
    for condition, agreed in found.agreements.items():
        print(f"  {condition}: {agreed}")
    print(f"all labels: {truth.kind} {truth.share.mean:.3f} [{truth.share.low:.3f}, {truth.share.high:.3f}]")
    off, kinds = {"as judged": [], "corrected": []}, {"as judged": [], "corrected": []}
    for seed in range(asked.splits):
        hidden = np.random.default_rng(seed).permutation(n)[: n // 2]
        halves = [(label.copy(), judged) for label, judged in sides]
        for label, _ in halves:
            label[hidden] = np.nan
        for name in off:
            right = [np.where(np.isnan(label), judged, label) if name == "corrected" else judged for label, judged in halves]
            outcomes = Outcomes(*right, unknown, nothing)
            label, judged = (np.stack(columns, axis=1) for columns in zip(*halves, strict=True))
            said = Said(label if name == "corrected" else np.full((n, 2), np.nan), judged)
            verdict = rule(outcomes, said, np.arange(n), seed, DELTA)
            off[name].append(verdict.share.mean - truth.share.mean)
            kinds[name].append(verdict.kind)
    for name, errors in off.items():
        counted = {kind: kinds[name].count(kind) for kind in sorted(set(kinds[name]))}
        mean, spread = np.mean(errors), np.sqrt(np.mean(np.square(errors)))
        print(f"{name}: off by {mean:+.3f} on average (root mean square {spread:.3f}), {counted}")


if __name__ == "__main__":
    main()
