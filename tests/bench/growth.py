"""What the worst inputs known of each parser and text routine take, at n, 2n, 4n and 8n: at most 2.3 times as much a doubling.

``python tests/bench/growth.py [WORD ...]``: only those whose names hold one of the words; ``--large``: at 10 MB instead.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from worst import seconds, worst

MOST = 2.3
LARGE = 10_000_000


def measured(case, folder: Path) -> list[float]:
    """CPU seconds at n, 2n, 4n, 8n, from an n on that takes a hundredth of a second."""
    n = case.n
    while seconds(case, n, folder, 1) < 0.01 and n < LARGE // 8:
        n *= 2
    return [n, *(seconds(case, n * times, folder, 3) for times in (1, 2, 4, 8))]


def main() -> None:
    words, large = [w for w in sys.argv[1:] if w != "--large"], "--large" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        for case in worst():
            if words and not any(word in case.name for word in words):
                continue
            if large:
                print(f"{case.name:50} {seconds(case, LARGE, Path(folder), 1):8.2f} s at 10 MB", flush=True)
                continue
            n, *taken = measured(case, Path(folder))
            ratios = [b / max(a, 1e-4) for a, b in pairwise(taken)]
            shown = " ".join(f"{t:8.4f}" for t in taken), " ".join(f"{r:5.2f}" for r in ratios)
            print(
                f"{case.name:50} {n:9,} {shown[0]}  {shown[1]}{'  more than linear' * (taken[-1] > MOST**3 * taken[0])}",
                flush=True,
            )


if __name__ == "__main__":
    main()
