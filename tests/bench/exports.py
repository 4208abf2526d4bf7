"""Exported pipelines on a real set: how many of its queries get the same context as in the audit, for each framework.

    python tests/bench/exports.py SET [--retriever SPEC ...] [--form langchain ...] [-n QUERIES] [--cache FOLDER]

Each pipeline runs in a process of its own. *Same* is the same characters in the same order, *same set* whatever their order.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time

from common import paths

from ragdiag.core.options import Options
from ragdiag.core.passages import joined
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Span
from ragdiag.exports import export
from ragdiag.pipeline import load_measurable, rank
from ragdiag.search.retrieval import Plan

RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import pipeline
queries = json.load(sys.stdin)
print(json.dumps([[(p["doc_id"], p["start"], p["end"]) for p in pipeline.search(query)] for query in queries]))
"""

RETRIEVERS = ("bm25", "dense", "hybrid", "expand(hybrid(bm25, dense, weights=(0.7, 0.3)))", "dedupe(hybrid)")


def measured(name: str, options: Options, n: int) -> tuple[list[str], list[list[tuple[str, int, int]]]]:
    """Questions, and the context of each."""
    corpus, queries = paths(name)
    ranked = rank(Plan(options), load_measurable(corpus, queries, options, no_progress), no_progress)
    run, cut, documents = ranked.retrieved.run, ranked.retrieved.chunking, ranked.scorer.corpus.documents
    rows = []
    for chunks, length in zip(run.chunks[:n], ranked.lengths, strict=False):
        spans = [Span(int(cut.document[c]), int(cut.start[c]), int(cut.end[c])) for c in chunks[:length]]
        rows.append([(documents[d].id, a, b) for d, a, b in (joined(spans) if run.passages else spans)])
    return [query.text for query in ranked.scorer.labels.queries[:n]], rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set")
    parser.add_argument("--retriever", nargs="*", default=RETRIEVERS)
    parser.add_argument("--form", nargs="*", default=["langchain", "llamaindex", "haystack"])
    parser.add_argument("--budget", type=int, default=0)
    parser.add_argument("-n", type=int, default=100)
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    print("| set | retriever | framework | queries | same | same set | seconds |\n|---|---|---|---|---|---|---|")
    for spec in asked.retriever:
        options = Options(retriever=spec, swap="none", cache=asked.cache, budget=asked.budget)
        queries, expected = measured(asked.set, options, asked.n)
        for form in asked.form:
            with tempfile.TemporaryDirectory() as folder:
                export(paths(asked.set)[0], form, folder, options)
                started = time.perf_counter()
                command = [sys.executable, "-I", "-c", RUN, folder]
                done = subprocess.run(command, input=json.dumps(queries), capture_output=True, text=True, check=True)
                seconds = time.perf_counter() - started
            found = [[tuple(p) for p in row] for row in json.loads(done.stdout.splitlines()[-1])]
            same = sum(a == b for a, b in zip(found, expected, strict=True))
            alike = sum(sorted(a) == sorted(b) for a, b in zip(found, expected, strict=True))
            row = (asked.set, f"`{spec}`", form, len(queries), same, alike, f"{seconds:.0f}")
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
