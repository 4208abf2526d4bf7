"""Late chunking beside the model's own pooling: queries served at equal tokens, and what four chunkers cost to embed.

CPU-seconds of one process, the model loaded beforehand: the machine may be shared. ``python tests/bench/late.py [set ...]``
"""

import json
import subprocess
import sys
import tempfile

from common import paths

from ragdiag.comparing.comparison import compare

CHUNKERS = ("sentence(size=160)", "sentence(size=80)", "recursive(size=240)", "fixed(size=160, overlap=40)")
POOLS = ("dense", "dense(pool=late)")
BUDGET = 800
ONLY = {
    "chroma_chunking": ["chatlogs", "state_of_the_union", "wikitexts"],
    "covidqa": ["doc_630", "doc_650", "doc_1545", "doc_1546", "doc_1547", "doc_1548", "doc_1549", "doc_1550"],
}
"""Documents of the sets that are too long for this."""

EMBED = """
import json, sys, time
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import load
from ragdiag.search.late import LateEncoder, Stretch
from ragdiag.search.retrieval import Plan
from ragdiag.sources.chunks import cut
corpus, queries, cache, retriever, only, *chunkers = sys.argv[1:]
options = [Options(chunker=c, retriever=retriever, cache=cache, only=tuple(json.loads(only))) for c in chunkers]
whole, part, labels, _ = load(corpus, queries, options[0], no_progress)
encoder, seconds = Plan(options[0]).retriever.encoder, []
encoder.encode(["a"], "query", None, no_progress)  # the model is in memory
documents = [d.text for d in part.documents]
for each in options:
    plan, before = Plan(each), time.process_time()
    chunks = cut(part, plan.chunker, no_progress)
    stretches = [Stretch(*row) for row in zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist())]
    if isinstance(encoder, LateEncoder):
        encoder.pooled(documents, stretches, plan.store, no_progress)
    else:
        encoder.encode([documents[d][a:b] for d, a, b in stretches], "document", plan.store, no_progress)
    seconds.append(round(time.process_time() - before, 1))
print(json.dumps([seconds, sum(map(len, documents)), len(documents)]))
"""


def embedded(name: str, cache: str, retriever: str, only: list[str]) -> tuple[list[float], int, int]:
    """CPU-seconds of each chunker, one after the other; the characters of the documents and their number."""
    command = [sys.executable, "-c", EMBED, *map(str, paths(name)), cache, retriever, json.dumps(only), *CHUNKERS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, characters, documents = json.loads(done.stdout)
    return seconds, characters, documents


def main(*names: str) -> None:
    costs = ["| set | retriever | CPU-s of each chunker, in this order | together |\n|---|---|---|---|"]
    print("| set | chunker | served: dense | late | won | lost | difference [95 %] | p |\n|---|---|---|---|---|---|---|---|")
    for name in names or ("hotpot100", "chroma_chunking", "covidqa"):
        only = ONLY.get(name, [])
        with tempfile.TemporaryDirectory() as cache:
            for retriever in POOLS:
                seconds, characters, documents = embedded(name, cache, retriever, only)
                size = f"{name}, {documents} documents, {characters:,} characters"
                costs.append(f"| {size} | `{retriever}` | {', '.join(map(str, seconds))} | {sum(seconds):.0f} |")
            for chunker in CHUNKERS:
                found = compare(
                    *paths(name), chunkers=(chunker,), retrievers=POOLS, budget=BUDGET, causes=False, cache=cache, only=only
                )
                plain, late = found.cells
                (c,) = found.contrasts
                served = [int((cell.served == 1).sum()) for cell in (plain, late)]
                told = " **told apart**" if c.distinguishable else ""
                difference = f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]{told}"
                row = [name, f"`{chunker}`", f"{served[0]} of {c.n}", str(served[1]), str(c.recovered), str(c.broken), difference]
                print("| " + " | ".join([*row, f"{c.p_holm:.2g}"]) + " |", flush=True)
    print("\n" + "\n".join(costs))
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
