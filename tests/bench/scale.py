"""Seconds and peak memory as the corpus grows, each size in a process of its own, with the slope in logarithms between sizes.

``python tests/bench/scale.py [SIZE ...]``: a whole bm25 audit of 100 queries without a cache. ``--bm25``: the index alone, of
texts that are read off the disk, opened again from the cache, and 1,000 queries. ``--dense``: search among mapped vectors.
"""

import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from common import chunk_stream, peak_mb

SIZES = {"audit": (10_000, 100_000, 1_000_000), "bm25": (10_000, 100_000, 1_000_000, 3_000_000)}
SIZES["dense"] = SIZES["audit"]
ASKED = {"audit": 100, "bm25": 1000, "dense": 0}
DIMENSIONS = 384


def write(folder: Path, n: int, asked: int) -> None:
    """A corpus of `n` chunks, ten a document, and queries made of words of one chunk, labelled with it."""
    rng = random.Random(0)
    chosen = set(rng.sample(range(n), asked))
    made = chunk_stream(n)
    with (
        (folder / "corpus.jsonl").open("w", encoding="utf-8") as out,
        (folder / "queries.jsonl").open("w", encoding="utf-8") as ask,
    ):
        for d in range(0, n, 10):
            part, at = list(islice(made, 10)), 0
            out.write(json.dumps({"_id": f"d{d}", "text": "\n\n".join(part)}) + "\n")
            for i, text in enumerate(part):
                if d + i in chosen:
                    words = text.split()
                    query = " ".join(rng.sample(words, min(8, len(words))))
                    span = {"doc_id": f"d{d}", "start": at, "end": at + len(text), "text": text}
                    ask.write(json.dumps({"_id": f"q{d + i}", "text": query, "evidence": [span]}) + "\n")
                at += len(text) + 2


class OnDisk(Sequence[str]):
    """The chunks of a written corpus, read one by one."""

    def __init__(self, file: Path, n: int) -> None:
        self._file, self._n = file, n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, i):
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        with self._file.open(encoding="utf-8") as lines:
            for line in lines:
                yield from json.loads(line)["text"].split("\n\n")


class Timed:
    """CPU seconds of each step, and clock seconds."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.clock: dict[str, float] = {}

    def __call__(self, name: str, function, *arguments):
        clock, cpu = time.perf_counter(), time.process_time()
        result = function(*arguments)
        self.clock[name], self.cpu[name] = time.perf_counter() - clock, time.process_time() - cpu
        return result


def audit(folder: Path, n: int, timed: Timed) -> None:
    from ragdiag.pipeline import audit

    report = timed("audit", lambda: audit(folder / "corpus.jsonl", folder / "queries.jsonl", retriever="bm25", cache=None))
    print(f"  {report.pipeline.chunks} chunks; seconds by stage " + ", ".join(
        f"{name} {s:.1f}" for name, s in report.timings.items() if isinstance(s, float)
    ))  # fmt: skip


def bm25(folder: Path, n: int, timed: Timed) -> None:
    from ragdiag.core.cache import Cache
    from ragdiag.core.protocols import no_progress
    from ragdiag.search.retrievers.bm25 import Bm25

    queries = [json.loads(line)["text"] for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    texts = OnDisk(folder / "corpus.jsonl", n)
    index = timed("build", lambda: Bm25().index(texts, Cache(folder / "cache"), no_progress))
    print(f"  peak {peak_mb():.0f} MB built, index {index.nbytes / 1e6:.0f} MB")
    index = timed("open", lambda: Bm25().index(texts, Cache(folder / "cache"), no_progress))
    timed("search", lambda: index.search(queries, 100))


def dense(folder: Path, n: int, timed: Timed) -> None:
    from ragdiag.search.retrievers._vectors import Vectors

    rng, file = np.random.default_rng(0), folder / "vectors.npy"
    rows = np.lib.format.open_memmap(file, "w+", np.float32, (n, DIMENSIONS))
    for i in range(0, n, 10_000):
        part = rng.standard_normal((min(10_000, n - i), DIMENSIONS), dtype=np.float32)
        rows[i : i + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    asked = rows[rng.integers(0, n, 64)] + 0.05 * rng.standard_normal((64, DIMENSIONS), dtype=np.float32)
    asked = (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float32)
    rows.flush()
    del rows
    index = timed("open", lambda: Vectors(np.load(file, mmap_mode="r")))
    timed("64 queries", lambda: index.search(asked, 100))
    timed("64 more", lambda: index.search(asked[::-1].copy(), 100))


def anonymous_mb() -> float:
    """Resident memory that is not of mapped files, now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def one(kind: str, n: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, timed = Path(name), Timed()
        if kind != "dense":
            subprocess.run(
                [sys.executable, "-c", f"import scale; scale.write(scale.Path({name!r}), {n}, {ASKED[kind]})"],
                cwd=Path(__file__).parent,
                check=True,
            )
        {"audit": audit, "bm25": bm25, "dense": dense}[kind](folder, n, timed)
    steps = ", ".join(f"{step} {timed.clock[step]:.2f} s ({cpu:.2f} CPU-s)" for step, cpu in timed.cpu.items())
    print(f"{n:>9} {kind}: {steps}; peak {peak_mb():.0f} MB, at the end {anonymous_mb():.0f} MB without mapped files")
    print(json.dumps({"cpu": timed.cpu, "MB": peak_mb()}), file=sys.stderr)


def main(kind: str, sizes: Sequence[int]) -> None:
    measured = []
    for n in sizes:
        done = subprocess.run([sys.executable, __file__, f"--{kind}", "--one", str(n)], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        measured.append((n, json.loads(done.stderr.strip().split("\n")[-1])))
    for (n, a), (m, b) in pairwise(measured):
        of = {f"{step} CPU": (a["cpu"][step], b["cpu"][step]) for step in a["cpu"]} | {"memory": (a["MB"], b["MB"])}
        slopes = ", ".join(f"{what} {math.log(y / x) / math.log(m / n):.2f}" for what, (x, y) in of.items())
        print(f"  slopes from {n} to {m}: {slopes}")
    print(f"  made by: python tests/bench/scale.py {' '.join(sys.argv[1:])}")


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    chosen = next((k for k in ("bm25", "dense") if f"--{k}" in sys.argv), "audit")
    if "--one" in sys.argv:
        one(chosen, numbers[0])
    else:
        main(chosen, numbers or SIZES[chosen])
