"""What the benchmarks share: the public sets they run on, real text repeated with edits, a way to print both sides."""

import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DATA = Path(os.environ.get("RAGDIAG_DATA", Path(__file__).parents[3] / "shared" / "data"))
SETS = ("anthropic_docs", "chroma_chunking", "covid_faq_versions", "covidqa", "hotpot100")


def paths(name: str) -> tuple[Path, Path]:
    """Corpus and queries of a set."""
    folder = DATA / name
    corpus = folder / "corpus"
    return (corpus if corpus.is_dir() else folder / "corpus.jsonl"), folder / "queries.jsonl"


def texts(*names: str) -> list[str]:
    """The documents of sets, as they are on disk."""
    found = []
    for name in names or SETS:
        corpus, _ = paths(name)
        if corpus.is_dir():
            found += [p.read_bytes().decode("utf-8") for p in sorted(corpus.iterdir())]
        else:
            found += [json.loads(line)["text"] for line in corpus.read_text(encoding="utf-8").split("\n") if line]
    return found


def questions(*names: str) -> list[str]:
    """The queries of sets."""
    rows = [line for name in names or SETS for line in paths(name)[1].read_text(encoding="utf-8").split("\n") if line]
    return [json.loads(row)["text"] for row in rows]


def chunks(n: int, seed: int = 0) -> list[str]:
    """`chunk_stream` as a list."""
    return list(chunk_stream(n, seed))


def chunk_stream(n: int, seed: int = 0) -> Iterator[str]:
    """`n` chunks of about 100 words: real ones, repeated with one word in twelve replaced by another chunk's or a new one."""
    from ragdiag.search.chunkers.recursive import Recursive

    rng = random.Random(seed)
    real = []
    for text in texts():
        starts, ends = Recursive(size=160).spans(text)
        real += [text[a:b].split() for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    for _ in range(n):
        words = list(rng.choice(real))
        for _ in range(len(words) // 12):
            new = f"term{rng.randrange(50_000)}" if rng.random() < 0.3 else rng.choice(rng.choice(real) or ["text"])
            words[rng.randrange(len(words))] = new
        yield " ".join(words)


def cpu(function, *arguments, repeat: int = 1):
    """Least CPU seconds of `repeat` calls, and the last result."""
    best = float("inf")
    for _ in range(repeat):
        started = time.process_time()
        result = function(*arguments)
        best = min(best, time.process_time() - started)
    return best, result


def peak_mb() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(title: str, **values) -> None:
    """One line of results, with the command that made it."""
    print(f"{title}: " + ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items()))
    print(f"  made by: python {' '.join(sys.argv)}", flush=True)
