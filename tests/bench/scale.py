"""Seconds and peak memory of a whole bm25 audit as the corpus grows: each size in a process of its own, without a cache."""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import chunks, peak_mb


def write(folder: Path, n: int, asked: int = 1000) -> None:
    """A corpus of `n` chunks, ten a document, and queries made of words of one chunk, labelled with it."""
    rng = random.Random(0)
    with (
        (folder / "corpus.jsonl").open("w", encoding="utf-8") as out,
        (folder / "queries.jsonl").open("w", encoding="utf-8") as ask,
    ):
        made = chunks(n)
        chosen = set(rng.sample(range(n), asked))
        for d in range(0, n, 10):
            part, at = made[d : d + 10], 0
            out.write(json.dumps({"_id": f"d{d}", "text": "\n\n".join(part)}) + "\n")
            for i, text in enumerate(part):
                if d + i in chosen:
                    words = text.split()
                    query = " ".join(rng.sample(words, min(8, len(words))))
                    span = {"doc_id": f"d{d}", "start": at, "end": at + len(text), "text": text}
                    ask.write(json.dumps({"_id": f"q{d + i}", "text": query, "evidence": [span]}) + "\n")
                at += len(text) + 2


def one(folder: str) -> None:
    from ragdiag.pipeline import audit

    started, cpu = time.perf_counter(), time.process_time()
    report = audit(f"{folder}/corpus.jsonl", f"{folder}/queries.jsonl", retriever="bm25", cache=None)
    stages = {name: round(s, 1) for name, s in report.timings.items()}
    wall, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"{report.pipeline.chunks:>8} chunks: {wall:7.1f} s, {used:7.1f} CPU-s, peak {peak_mb():8.0f} MB, by stage {stages}")


def main(*sizes: int) -> None:
    for n in sizes or (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-c", f"import scale; scale.write(scale.Path({folder!r}), {n})"],
                           cwd=Path(__file__).parent, check=True)  # fmt: skip
            subprocess.run([sys.executable, __file__, folder], check=True)
    print("  made by: python tests/bench/scale.py")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments and not arguments[0].isdigit():
        one(arguments[0])
    else:
        main(*map(int, arguments))
