"""Queries per CPU-second of our BM25 and of rank-bm25's own loop, on the same chunks, in one run."""

import random
import re
import sys

import rank_bm25
from common import chunks, cpu, questions, show

from ragdiag.core.protocols import no_progress
from ragdiag.search.retrievers.bm25 import Bm25


def main(n: int = 100_000, ours: int = 300, theirs: int = 12) -> None:
    corpus, asked = chunks(n), questions()
    random.Random(1).shuffle(asked)
    build, index = cpu(Bm25().index, corpus, None, no_progress)
    seconds, _ = cpu(index.search, asked[:ours], 100)
    tokens = [re.findall(r"\w+", text.lower()) for text in corpus]
    their_build, oracle = cpu(rank_bm25.BM25Okapi, tokens)
    their_seconds, _ = cpu(lambda: [oracle.get_scores(re.findall(r"\w+", q.lower())) for q in asked[:theirs]])
    a, b = ours / seconds, theirs / their_seconds
    show(
        f"bm25 at {n} chunks, queries per CPU-second",
        ragdiag=a,
        rank_bm25=b,
        ratio=a / b,
        build_s=build,
        their_build_s=their_build,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
