"""Audits of `dense` on pools of what it ranks first beside audits of the whole: measures, and the causes of failing queries.

    python tests/bench/poolwhole.py [SEEDS]

For each set and seed some of the queries, drawn at random; the pool has their evidence, the first ten of `dense`, and ten
documents by chance.
"""

import random
import sys
import tempfile
from pathlib import Path

from common import paths, show

import ragdiag

SETS = {"covid_faq_versions": 40, "fastapi_docs": 10, "hotpot100": 25}


def beside(name: str, seed: int, folder: Path) -> dict[str, int]:
    """Counts of one set and seed."""
    corpus, labelled = paths(name)
    lines = Path(labelled).read_text(encoding="utf-8").splitlines(keepends=True)
    queries, out = folder / "queries.jsonl", folder / "pool"
    queries.write_text("".join(random.Random(seed).sample(lines, SETS[name])), encoding="utf-8")
    pool = ragdiag.pool(corpus, queries, out, tops="dense", sample=10, depth=10)
    whole, pooled = (ragdiag.audit(of, queries, retriever="dense") for of in (corpus, out))
    assert pooled.pool is not None and pooled.pool.ranking == "whole"
    measures = [m for m in whole.measures if m.endswith("@5") and m != "OffTopic@5"]
    failing = [(a, b) for a, b in zip(whole.queries, pooled.queries, strict=True) if a.served is False]
    return {
        "documents": pool.documents,
        "of": int(pool.whole["documents"]),
        "measures": len(measures),
        "same measures": sum(whole.measures[m] == pooled.measures[m] for m in measures),
        "failing": len(failing),
        "same causes": sum(a.causes == b.causes for a, b in failing),
    }


def main() -> None:
    """A row for each set."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    for name in SETS:
        with tempfile.TemporaryDirectory() as folder:
            rows = [beside(name, seed, Path(folder)) for seed in range(seeds)]
        show(name, **{key: sum(row[key] for row in rows) for key in rows[0]})


if __name__ == "__main__":
    main()
