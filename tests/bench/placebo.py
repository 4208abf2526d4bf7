"""Do boundaries that leave the evidence cut "prove" a split? Their rates beside that of the repair, on the public sets."""

import sys

from common import SETS, paths, show

from ragdiag.core.options import Options
from ragdiag.pipeline import run_audit


def main(*retrievers):
    total = {}
    for retriever in retrievers or ("bm25", "dense", "hybrid"):
        for name in SETS:
            report = run_audit(*paths(name), Options(retriever=retriever)).report
            found = [f for q in report.queries for f in q.findings if f.cause == "chunk_split"]
            repaired = [f.detail["placebo"] for f in found if f.after.sufficient]
            counts = {"cut": len(found), "repaired": len(repaired), "proved": sum(f.proved for f in found)}
            for key in ("shifts", "shifts_as_well", "shifts_sufficient", "elsewhere", "elsewhere_as_well"):
                counts[key] = sum(placebo[key] for placebo in repaired)
            show(f"{name} {retriever}", **counts)
            total = {key: total.get(key, 0) + n for key, n in counts.items()}
    show("all", **total)


if __name__ == "__main__":
    main(*sys.argv[1:])
