"""The matcher's probability, learnt from answers that people labelled: what it would decide, and its weights as a module.

Trained on the half `dev` of DATA/evouna_dev (Apache-2.0; questions halved as in people.py) and on fixtures/judges. First each
part is held out in turn, and what the regression would decide is put beside the rules: Cohen's kappa with the labels; with
how well it ranks answers by doubt (the area under the curve of the rules' errors over the probability that they are wrong) and
its log loss. With --write all parts together give `_weights.py`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from common import DATA, show
from people import half, systems
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline

from ragdiag.answering.judges._probability import features
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.answering.verdict import agreement
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query

FIXTURES = Path(__file__).parents[2] / "fixtures" / "judges"
MODULE = Path(__file__).parents[2] / "ragdiag" / "answering" / "judges" / "_weights.py"
REGULAR = 0.1
"""Inverse strength of the penalty."""

Sample = tuple[list[dict[str, float]], np.ndarray, np.ndarray]


def sample(asked: list[tuple[Query, Answer]], labels: list[bool]) -> Sample:
    """The features of labelled answers, the labels, and what the rules say."""
    opinions = Matcher().judge(asked, None, no_progress)
    found = [features(q.text, q.answers, a.answer, o) for (q, a), o in zip(asked, opinions, strict=True) if o is not None]
    return [dict(f) for f in found], np.array(labels), np.array([o is not None and o.correct for o in opinions])


def people(part: str) -> Sample:
    """The half `dev` of a part of evouna_dev."""
    asked = [p for _, own in systems(DATA / "evouna_dev" / part) for p in own if p[0].answers and half(p[0].id) == "dev"]
    return sample(asked, [bool(answer.correct) for _, answer in asked])


def fixtures() -> Sample:
    """The pairs and the batteries written for this project."""
    files = [path for path in sorted(FIXTURES.glob("*.jsonl")) if not path.stem.startswith("support")]
    rows = [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()]
    references = [row.get("answers") or [row["gold"]] for row in rows]
    asked = [
        (Query("q", row["question"], own[0], also=tuple(own[1:])), Answer("q", "oracle", row["answer"]))
        for row, own in zip(rows, references, strict=True)
    ]
    return sample(asked, [row["correct"] if "correct" in row else row["expected"] == "right" for row in rows])


def fitted(samples: list[Sample]):
    """The regression learnt from `samples`."""
    model = make_pipeline(DictVectorizer(), LogisticRegression(C=REGULAR, max_iter=5000))
    return model.fit([f for s in samples for f in s[0]], np.hstack([s[1] for s in samples]))


def kappa(labels: np.ndarray, said: np.ndarray) -> float:
    found = agreement(labels.tolist(), said.tolist())
    return (found.kappa if found else None) or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights learnt from all parts")
    write = parser.parse_args().write
    parts = {"nq": people("nq"), "tq": people("tq"), "fixtures": fixtures()}
    for name, (rows, labels, rules) in parts.items():
        p = fitted([s for other, s in parts.items() if other != name]).predict_proba(rows)[:, 1]
        doubt = np.where(rules, 1 - p, p)
        show(
            f"held out: {name}",
            n=len(labels),
            rules=kappa(labels, rules),
            regression=kappa(labels, p > 0.5),
            ranks_errors=float(roc_auc_score(rules != labels, doubt)),
            log_loss=float(log_loss(labels, p)),
        )
    if write:
        model = fitted(list(parts.values()))
        names = model[0].get_feature_names_out()
        weights = {str(n): round(float(w), 3) for n, w in zip(names, model[1].coef_[0], strict=True) if abs(w) >= 0.0005}
        lines = [
            '"""The weights of `_probability`, as tests/bench/matcher_fit.py --write learnt them. Not written by hand.',
            "",
            f"From the half `dev` of evouna_dev, {sum(len(parts[p][1]) for p in ('nq', 'tq')):,} answers labelled by people",
            f"(Apache-2.0), and the {len(parts['fixtures'][1]):,} answers in fixtures/judges.",
            '"""',
            "",
            f"BIAS = {round(float(model[1].intercept_[0]), 3)}",
            "WEIGHTS = {",
            *(f"    {json.dumps(n)}: {w}," for n, w in weights.items()),
            "}",
        ]
        MODULE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
