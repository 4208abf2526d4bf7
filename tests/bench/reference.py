"""Our CharR@5, CharP@5 and IoU@5 beside those that chunking_evaluation recorded for the same chunks, model and questions."""

import json

from common import DATA, paths

from ragdiag.pipeline import audit

MEASURES = (("CharR@5", "recall_mean"), ("CharP@5", "precision_mean"), ("IoU@5", "iou_mean"))


def main() -> None:
    reference = DATA / "chroma_chunking" / "reference"
    recorded = json.loads((reference / "scores.json").read_text(encoding="utf-8"))
    worst = 0.0
    for scope in ("state_of_the_union", "wikitexts"):
        for name in ("fixed_200", "fixed_400", "recursive_200", "recursive_400"):
            chunks = reference / f"{name}.chunks.jsonl"
            report = audit(*paths("chroma_chunking"), retriever="dense", chunks=chunks, only=(scope,), copies="ignore")
            cells = []
            for ours, theirs in MEASURES:
                a, b = report.measures[ours].mean, recorded[scope][name][theirs]
                worst = max(worst, abs(a - b))
                cells.append(f"{ours} {a:.4f} / {b:.4f}")
            print(
                f"{scope:20s} {name:14s} n {report.measures['CharR@5'].n:3d}  ragdiag / recorded:  " + "   ".join(cells),
                flush=True,
            )
    print(f"largest difference {worst:.5f}\n  made by: python tests/bench/reference.py")


if __name__ == "__main__":
    main()
