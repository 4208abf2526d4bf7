"""Collections as LangChain, LlamaIndex and Haystack make them, nothing wrong with them: what is called a fault of the index?

    python tests/bench/frameworks.py [SET ...] [--made langchain|llamaindex|haystack ...] [-n DOCUMENTS] [--cache FOLDER]

With `-n` of that many documents, those that hold evidence first. Of each collection, in Chroma: its records; what is found to
have been embedded, and how near that comes; queries, and failing ones. Then, each of which is to be 0: records whose vector is
called faulty, records that no document holds, findings of each cause of the index, named or tried, and findings that cannot be
tested on it; and the share that the approximate index returns, to be 1. Last what `check --retriever` says, all records embedded
anew, by kind, each with what was seen: to be true.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import paths, show

from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import run_audit
from ragdiag.sources.corpus import load_corpus

sys.path[0] = str(Path(__file__).parents[1])  # not this folder, whose html.py would be taken for Python's

CAUSES = ("vector_fault", "foreign", "index_miss")


def part_of(name: str, n: int, folder: Path) -> tuple[Path, Path]:
    """The corpus of a set and its queries; of `n` of its documents where that is not 0."""
    corpus, queries = paths(name)
    if not n:
        return corpus, queries
    texts = {document.id: document.text for document in load_corpus(corpus, no_progress).documents}
    asked = [json.loads(line) for line in queries.read_text(encoding="utf-8").split("\n") if line]
    with_evidence = [span["doc_id"] for query in asked for span in query.get("evidence", ())]
    chosen = list(dict.fromkeys([*with_evidence, *texts]))[:n]
    within = [q for q in asked if q.get("evidence") and all(span["doc_id"] in chosen for span in q["evidence"])]
    folder.mkdir()
    for file, records in (("corpus", [{"_id": d, "text": texts[d]} for d in chosen]), ("queries", within)):
        (folder / f"{file}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder / "corpus.jsonl", folder / "queries.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["hotpot100", "covid_faq_versions"])
    parser.add_argument("--made", nargs="*", default=["langchain", "llamaindex", "haystack"])
    parser.add_argument("-n", type=int, default=0, metavar="DOCUMENTS")
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    import ingested

    import ragdiag

    with tempfile.TemporaryDirectory() as temporary:
        for name in asked.sets:
            where = part_of(name, asked.n, Path(temporary) / name)
            corpus, cache = load_corpus(where[0], no_progress), asked.cache or f"{temporary}/cache"
            documents = [(document.id, document.text) for document in corpus.documents]
            for framework in asked.made:
                started, used = time.perf_counter(), time.process_time()
                spec = getattr(ingested, f"by_{framework}")(Path(temporary) / f"{name}-{framework}", documents)
                audit = run_audit(*where, Options(retriever=spec, swap="none", cache=cache))
                report, index, n = audit.report, audit.searchable, len(audit.scorer.chunking)
                findings = [finding for query in report.queries for finding in query.findings]
                untested = sum("cannot be tested" in json.dumps(str(f.control and f.control.says)) for f in findings)
                recall = report.pipeline.index_recall
                health = ragdiag.check(where[0], retriever=spec, sample=0, cache=cache).index
                show(
                    f"{name}, {framework}",
                    records=n,
                    frame=index._framing.name,
                    cosine=round(index._framing.cosine, 4),
                    queries=len(report.queries),
                    failing=sum(q.served is False for q in report.queries),
                    faulty=sum(index.drifted(range(n))),
                    foreign_records=Counter(d.foreign for d in audit.corpus.documents if d.foreign).total(),
                    recall=1.0 if recall is None else round(recall.mean, 4),
                    **{cause: sum(f.cause == cause for f in findings) for cause in CAUSES},
                    cannot_be_tested=untested,
                    check={f.kind: f.count for f in health.findings},
                    seconds=time.perf_counter() - started,
                    cpu=time.process_time() - used,
                )
                for finding in health.findings:
                    print(f"    {finding.kind}: {finding.says}; {' | '.join(finding.evidence)[:300]}")


if __name__ == "__main__":
    main()
