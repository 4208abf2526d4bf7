"""Faults planted in an index of the team's: vectors of other texts, of another model, of odd length; and none.

    python tests/bench/indexfaults.py [SET] [--door chroma|faiss|pgvector] [-n QUERIES] [--cache FOLDER]

Of each fault: of the queries that were served and are not any more, how many are called `vector_fault` first; and for how many
of the queries that failed without any fault it is named at all.
"""

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import paths, show
from doors import DOORS, postgres

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import QueryResult
from ragdiag.pipeline import run_audit
from ragdiag.search.retrievers.dense import Dense

Vectors = np.ndarray
FAULT = "vector_fault"


def of_other_texts(vectors: Vectors, chosen: list[int], rng: random.Random) -> Vectors:
    """Each chosen record has the vector of some other record."""
    others = rng.sample([i for i in range(len(vectors)) if i not in chosen], len(chosen))
    changed = vectors.copy()
    changed[chosen] = vectors[others]
    return changed


def of_another_model(vectors: Vectors, chosen: list[int], rng: random.Random) -> Vectors:
    """The chosen ones are turned, as those of another model of the same dimension are."""
    turn = np.linalg.qr(np.random.default_rng(rng.randrange(2**31)).normal(size=(vectors.shape[1],) * 2))[0]
    changed = vectors.copy()
    changed[chosen] = vectors[chosen] @ turn.astype(np.float32)
    return changed


def none(vectors: Vectors, chosen: list[int], rng: random.Random) -> Vectors:
    """As they are."""
    return vectors


FAULTS: dict[str, Callable[[Vectors, list[int], random.Random], Vectors]] = {
    "vectors of other texts": of_other_texts,
    "vectors of another model": of_another_model,
    "none": none,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="hotpot100", metavar="SET")
    parser.add_argument("--door", default="faiss", choices=sorted(DOORS))
    parser.add_argument("-n", type=int, default=40)
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    with postgres(), tempfile.TemporaryDirectory() as temporary:
        cache = asked.cache or f"{temporary}/cache"
        dense = run_audit(*paths(asked.name), Options(retriever="dense", swap="none", cache=cache))
        chunking, documents, evidence = dense.scorer.chunking, dense.corpus.documents, dense.labels.evidence
        spans = list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
        rows = [
            (f"{i:07}", documents[d].text[a:b], {"source": documents[d].id, "start_index": a})
            for i, (d, a, b) in enumerate(spans)
        ]
        vectors = Dense().encoder.encode([text for _, text, _ in rows], "document", Cache(Path(cache)), no_progress)
        rng = random.Random(1)
        served = [q for q, result in enumerate(dense.report.queries) if result.served]
        rng.shuffle(served)
        holders = {}
        for q in served:
            at = np.flatnonzero(evidence.query == q)
            held = [
                i for e in at for i, (d, a, b) in enumerate(spans)
                if d == evidence.document[e] and a < evidence.end[e] and b > evidence.start[e]
            ]  # fmt: skip
            if held and len(holders) < asked.n and not set(held) & {i for own in holders.values() for i in own}:
                holders[q] = held
        chosen = sorted({i for own in holders.values() for i in own})
        before = {q.id: q for q in dense.report.queries}
        for number, (title, plant) in enumerate(FAULTS.items()):
            spec = DOORS[asked.door](Path(temporary) / f"store{number}", rows, plant(vectors, chosen, rng))
            report = run_audit(*paths(asked.name), Options(retriever=spec, swap="none", cache=cache)).report
            lost: list[QueryResult] = [q for q in report.queries if q.served is False and before[q.id].served]
            known = [q for q in report.queries if q.served is False and before[q.id].served is False]
            first = Counter(next(iter(q.causes), q.status) for q in lost)
            named = sum(any(f.cause == FAULT and f.proved for f in q.findings) for q in known)
            show(
                f"{asked.name}, {asked.door}, {title}",
                faulty=0 if plant is none else len(chosen),
                lost=len(lost),
                first=first.pop(FAULT, 0),
                others=dict(first),
                failed_before=len(known),
                named_there=named,
            )


if __name__ == "__main__":
    main()
