"""What a diagnosis costs beside the audit it belongs to: CPU seconds, cold and from a cache, and how it grows with the corpus.

    python tests/bench/diagnosis.py [SET:RETRIEVER ...]

`beside` is the diagnosis as a multiple of the rest of the audit, `share` its part of the whole. "Cold" starts
with an empty cache; "from a cache" is a second run, whose vectors are all known.
"""

import json
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from common import SETS, paths, show

import ragdiag.pipeline
from ragdiag.core.options import Options
from ragdiag.search.latency import Clock


class Cpu(Clock):
    """CPU seconds by stage, in place of wall clock."""

    @contextmanager
    def __call__(self, stage):
        started = time.process_time()
        yield
        self.seconds[stage] = time.process_time() - started


MEASURED = ("chroma_chunking", "covid_faq_versions", "covidqa")


def audit(corpus, queries, retriever, cache=None):
    """Report, and CPU seconds: all of the audit without its diagnosis, and the diagnosis."""
    started = time.process_time()
    report = ragdiag.pipeline.run_audit(corpus, queries, Options(retriever=retriever, cache=cache)).report
    whole, diagnosis = time.process_time() - started, report.timings["diagnose"]
    return report, whole - diagnosis, diagnosis


def grown(folder, copies):
    """chroma_chunking in a corpus with the documents of all other sets, `copies` times."""
    rows = []
    for name in SETS:
        corpus, _ = paths(name)
        texts = [(p.stem, p.read_bytes().decode()) for p in sorted(corpus.iterdir())] if corpus.is_dir() else []
        n = 1 if name == "chroma_chunking" else copies
        rows += [{"_id": f"{doc}-{i}" if i else doc, "text": text} for i in range(n) for doc, text in texts]
    file = Path(folder) / f"corpus{copies}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def beside(name, retriever, how, cache):
    """One audit, and what its diagnosis cost."""
    report, rest, diagnosis = audit(*paths(name), retriever, cache)
    failing = sum(q.served is False for q in report.queries)
    parts = {"beside": diagnosis / rest, "share": diagnosis / (rest + diagnosis)}
    show(f"{name} {retriever}, {how}", failing=failing, audit_cpu_s=rest, diagnosis_cpu_s=diagnosis, **parts)


def main(*chosen):
    ragdiag.pipeline.Clock = ragdiag.search.retrieval.Clock = Cpu
    corpus, queries = paths("chroma_chunking")
    audit(corpus, queries, "bm25")  # imports
    for run in chosen or (f"{name}:{retriever}" for name in MEASURED for retriever in ("bm25", "dense", "hybrid")):
        name, retriever = run.split(":")
        with tempfile.TemporaryDirectory() as cache:
            beside(name, retriever, "cold", cache)
            beside(name, retriever, "from a cache", cache)
    with tempfile.TemporaryDirectory() as folder:
        for copies in (0, 1, 3):
            report, rest, diagnosis = audit(grown(folder, copies), queries, "bm25")
            failing = sum(q.served is False for q in report.queries)
            chunks = report.pipeline.chunks
            show("bm25 in a larger corpus", chunks=chunks, failing=failing, audit_cpu_s=rest, diagnosis_cpu_s=diagnosis)


if __name__ == "__main__":
    main(*sys.argv[1:])
