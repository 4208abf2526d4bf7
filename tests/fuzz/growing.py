"""Looks for inputs whose time grows faster than they do: ``python tests/fuzz/growing.py [--tries N] [--parser NAME] [--seed N]``.

A piece is put into an input of a parser again and again: to 4, 16 and 64 kB. Where four times the input takes more than seven
times as long, twice over, it is told. What was found and mended is in ``tests/bench/worst.py``.
"""

import argparse
import os
import random
import re
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
sys.dont_write_bytecode = True
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from guarding import tried  # noqa: E402
from mutating import WORDS  # noqa: E402
from targets import Target, targets  # noqa: E402

SIZES = (4_000, 16_000, 64_000)
MOST = 7.0
"""Times as long as for a quarter of the input."""

NOTICED = 0.03
"""CPU seconds from which it is worth a look."""


def pieces(target: Target, rng: random.Random) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What stands before a piece, the piece, and what stands behind it."""
    seeds = [seed for seed in target.seeds() if seed[:2] != b"PK"] or [b""]
    while True:
        seed = rng.choice(seeds)[:3000]
        places = [m.start() for m in re.finditer(rb"\b|[\n\"<>]", seed)] or [0]
        at = rng.choice(places)
        length = rng.choice((1, 2, 4, 8, 30))
        own = seed[at : at + length]
        word = rng.choice((*WORDS, *target.words))
        yield seed[:at], rng.choice((own, own, word, own + word, word + own, word + rng.choice(WORDS))), seed[at:]


def seconds(target: Target, data: bytes, folder: Path) -> float:
    started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    tried(target.run, data, folder)
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - started


def grows(target: Target, parts: tuple[bytes, bytes, bytes], folder: Path) -> list[float]:
    """What it takes at each of `SIZES` where it grows faster than they do; else nothing."""
    before, piece, behind = parts
    taken: list[float] = []
    for size in SIZES:
        taken.append(seconds(target, before + piece * (size // max(len(piece), 1)) + behind, folder))
        if len(taken) > 1 and (taken[-1] < NOTICED or taken[-1] < MOST * taken[-2]):
            return []
    return taken


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tries", type=int, default=100, help="pieces for each parser")
    options.add_argument("--parser", action="append", default=[], help="only those whose names hold this")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there) / "here"
        folder.mkdir()
        os.chdir(folder)
        for target in targets().values():
            if given.parser and not any(part in target.name for part in given.parser):
                continue
            rng, found = random.Random(f"{given.seed} {target.name}"), 0
            for _, parts in zip(range(given.tries), pieces(target, rng), strict=False):
                if parts[1] and (taken := grows(target, parts, folder)):
                    found += 1
                    shown = " ".join(f"{t:.3f}" for t in taken)
                    print(f"{target.name}: {shown} s  {parts[0][-30:]!r} + {parts[1]!r} + {parts[2][:30]!r}", flush=True)
            print(f"{target.name}: {given.tries} pieces, {found} grow faster", flush=True)


if __name__ == "__main__":
    main()
