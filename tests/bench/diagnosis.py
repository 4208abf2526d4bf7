"""What a diagnosis costs beside the audit it belongs to: CPU seconds by stage, cold, and how it grows with the corpus."""

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


def audit(corpus, queries, retriever):
    """Report, and CPU seconds: all of the audit without its diagnosis, and the diagnosis."""
    started = time.process_time()
    report = ragdiag.pipeline.run_audit(corpus, queries, Options(retriever=retriever, cache=None)).report
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


def main(*retrievers):
    ragdiag.pipeline.Clock = ragdiag.search.retrieval.Clock = Cpu
    corpus, queries = paths("chroma_chunking")
    audit(corpus, queries, "bm25")  # imports
    for retriever in retrievers or ("bm25", "dense", "hybrid"):
        report, rest, diagnosis = audit(corpus, queries, retriever)
        failing = sum(q.served is False for q in report.queries)
        show(f"chroma_chunking {retriever}", failing=failing, audit_cpu_s=rest, diagnosis_cpu_s=diagnosis, share=diagnosis / rest)
    with tempfile.TemporaryDirectory() as folder:
        for copies in (0, 1, 3):
            report, rest, diagnosis = audit(grown(folder, copies), queries, "bm25")
            failing = sum(q.served is False for q in report.queries)
            chunks = report.pipeline.chunks
            show("bm25 in a larger corpus", chunks=chunks, failing=failing, audit_cpu_s=rest, diagnosis_cpu_s=diagnosis)


if __name__ == "__main__":
    main(*sys.argv[1:])
