"""Collections as LangChain, LlamaIndex and Haystack make them, nothing wrong with them: what is called a fault of the index?

    python tests/bench/frameworks.py [SET ...] [--made langchain|llamaindex|haystack ...] [--cache FOLDER]

Of each collection, in Chroma: its records; what is found to have been embedded, and how near that comes; failing queries. Then,
each of which is to be 0: records whose vector is called faulty, records that no document holds, findings of each cause of the
index, named or tried, and findings that cannot be tested on it; and the share that the approximate index returns, to be 1.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["hotpot100", "covid_faq_versions"])
    parser.add_argument("--made", nargs="*", default=["langchain", "llamaindex", "haystack"])
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    import ingested

    with tempfile.TemporaryDirectory() as temporary:
        for name in asked.sets:
            corpus = load_corpus(paths(name)[0], no_progress)
            documents = [(document.id, document.text) for document in corpus.documents]
            for framework in asked.made:
                started, used = time.perf_counter(), time.process_time()
                spec = getattr(ingested, f"by_{framework}")(Path(temporary) / f"{name}-{framework}", documents)
                audit = run_audit(*paths(name), Options(retriever=spec, swap="none", cache=asked.cache or f"{temporary}/cache"))
                report, index, n = audit.report, audit.searchable, len(audit.scorer.chunking)
                findings = [finding for query in report.queries for finding in query.findings]
                untested = sum("cannot be tested" in json.dumps(str(f.control and f.control.says)) for f in findings)
                recall = report.pipeline.index_recall
                show(
                    f"{name}, {framework}",
                    records=n,
                    frame=index._framing.name,
                    cosine=round(index._framing.cosine, 4),
                    failing=sum(q.served is False for q in report.queries),
                    faulty=sum(index.drifted(range(n))),
                    foreign_records=Counter(d.foreign for d in audit.corpus.documents if d.foreign).total(),
                    recall=1.0 if recall is None else round(recall.mean, 4),
                    **{cause: sum(f.cause == cause for f in findings) for cause in CAUSES},
                    cannot_be_tested=untested,
                    seconds=time.perf_counter() - started,
                    cpu=time.process_time() - used,
                )


if __name__ == "__main__":
    main()
