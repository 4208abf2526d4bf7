"""A grid beside the embedding that it cannot do without: cold, warm, and with one retriever more.

Four chunkers with bm25, dense and hybrid on the five documents of chroma_chunking. CPU-seconds of whole processes. Beside it
stands the least that a tool takes which embeds each configuration by itself, as chunking_evaluation does: sentence-transformers,
as it comes, on the chunks of the four chunkers and, for each, on the queries. What it takes to store and search is not counted.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common import paths

CHUNKERS = ("fixed(size=160)", "sentence(size=160)", "paragraph(size=160)", "recursive(size=160)")
RETRIEVERS = ("bm25", "dense", "hybrid")
MORE = "hybrid(fusion=weighted)"

EMBED = """
import sys
from pathlib import Path
from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.pipeline import load
from ragdiag.core.protocols import no_progress
from ragdiag.search.retrieval import Plan
corpus, queries, cache, *chunkers = sys.argv[1:]
whole, part, labels, _ = load(corpus, queries, Options(), no_progress)
plans = [Plan(Options(chunker=c, retriever="dense", cache=cache)) for c in chunkers]
encoder = plans[0].retriever.encoder
texts = list(dict.fromkeys(t for p in plans for t in p.texts(whole, part, no_progress)))
encoder.encode(texts, "document", Cache(cache), no_progress)
encoder.encode([q.text for q in labels.queries], "query", Cache(cache), no_progress)
print(len(texts), file=sys.stderr)
"""


ALONE = """
import sys
from sentence_transformers import SentenceTransformer
from ragdiag.core.options import Options
from ragdiag.pipeline import load
from ragdiag.core.protocols import no_progress
from ragdiag.search.retrieval import Plan
corpus, queries, *chunkers = sys.argv[1:]
whole, part, labels, _ = load(corpus, queries, Options(), no_progress)
plans = [Plan(Options(chunker=c, retriever="dense", cache=None)) for c in chunkers]
model = SentenceTransformer(str(plans[0].retriever.encoder.folder), local_files_only=True)
for plan in plans:
    model.encode(plan.texts(whole, part, no_progress))
    model.encode([q.text for q in labels.queries])
"""


def cpu(*command: str) -> tuple[float, str]:
    """CPU-seconds of a command, and the last line it wrote to standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, (done.stderr.strip().splitlines() or [""])[-1]


def compare(cache: str, retrievers: tuple[str, ...], *more: str) -> float:
    """CPU-seconds of the grid."""
    command = [str(Path(sys.executable).with_name("ragdiag")), "compare", *map(str, paths("chroma_chunking")), "--quiet"]
    command += [part for c in CHUNKERS for part in ("--chunker", c)] + [part for r in retrievers for part in ("--retriever", r)]
    return cpu(*command, "-k", "5", "--cache", cache, *more)[0]


def main() -> None:
    corpus, queries = map(str, paths("chroma_chunking"))
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b, tempfile.TemporaryDirectory() as c:
        embedding, n = cpu(sys.executable, "-c", EMBED, corpus, queries, a, *CHUNKERS)
        print(f"embedding the {n} distinct texts once: {embedding:.0f} CPU-s")
        cold = compare(b, RETRIEVERS, "--no-causes")
        print(f"12 configurations, cold, --no-causes: {cold:.0f} CPU-s, {cold / embedding:.2f} times the embedding", flush=True)
        warm = compare(b, RETRIEVERS, "--no-causes")
        print(f"the same again: {warm:.1f} CPU-s, {cold / warm:.0f} times faster", flush=True)
        one = compare(b, (*RETRIEVERS, MORE), "--no-causes")
        print(f"with {MORE} added: {one:.1f} CPU-s", flush=True)
        alone, _ = cpu(sys.executable, "-c", ALONE, corpus, queries, *CHUNKERS)
        print(f"4 dense configurations, each embedded by itself: {alone:.0f} CPU-s, {alone / cold:.2f} times the 12", flush=True)
        causes = compare(c, RETRIEVERS)
        print(f"12 configurations, cold, with causes: {causes:.0f} CPU-s, {causes / embedding:.2f} times the embedding")
        again = compare(c, RETRIEVERS)
        print(f"the same again: {again:.1f} CPU-s, {causes / again:.0f} times faster")
    print(f"made by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
