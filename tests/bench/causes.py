"""Why retrieval fails on the public sets: causes, statuses and exposures for each retriever, through the command line."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from common import SETS, paths

RETRIEVERS = ("bm25", "dense", "hybrid")
STATUSES = ("over-determined", "compound", "unattainable", "not_decidable", "undetermined")
HEAD = ("set", "retriever", "n", "failing", "causes", *STATUSES, "exposures of served queries", "CPU s")


def main(sets: list[str], reports: Path, cache: str | None, reuse: bool) -> None:
    """One row for each audit; a query counts for each of its causes. `reuse`: tabulate reports that are there."""
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    total: Counter[str] = Counter()
    for name in sets:
        for retriever in RETRIEVERS:
            out, seconds = reports / f"{name}-{retriever}.json", "–"
            if not (reuse and out.exists()):
                seconds = f"{_audit(name, retriever, out, cache):.0f}"
            rows = json.loads(out.read_text(encoding="utf-8"))["queries"]
            failing = [q for q in rows if q["status"] not in ("ok", "excluded")]
            status = Counter(q["status"] for q in failing)
            causes = Counter(c for q in failing for c in q["causes"])
            exposures = Counter(e for q in rows if q["status"] == "ok" for e in q["exposures"])
            total.update(causes)
            total.update({f" {s}": n for s, n in status.items()})
            shares = [f"{status[s]}" for s in STATUSES[:-1]]
            shares.append(f"{status[STATUSES[-1]]} ({status[STATUSES[-1]] / max(len(failing), 1):.0%})")
            cells = [name, retriever, str(len(rows)), str(len(failing)), _counts(causes), *shares, _counts(exposures), seconds]
            print("| " + " | ".join(cells) + " |", flush=True)
    print("\nall: " + ", ".join(f"{c.strip()} {n}" for c, n in total.most_common()))


def _audit(name: str, retriever: str, out: Path, cache: str | None) -> float:
    """CPU seconds of one audit."""
    command = [str(Path(sys.executable).with_name("ragdiag")), "audit", *map(str, paths(name)), "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--retriever", retriever, "--json", str(out), *(["--cache", cache] if cache else [])], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{cause} {n}" for cause, n in found.most_common()) or "–"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--reports", type=Path, help="where the JSON reports are kept")
    parser.add_argument("--cache", help="passed to ragdiag audit")
    parser.add_argument("--reuse", action="store_true", help="tabulate the reports that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        main(options.sets, options.reports or Path(folder), options.cache, options.reuse)
