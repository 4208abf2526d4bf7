"""What the pytest plugin costs a project that does not use it: ``pytest`` with it and without, side by side, many times.

CPU milliseconds, which other work on the machine hardly changes, and those by the clock.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import show

TIMES = 40
RUN = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]


def milliseconds(folder: Path, *options: str) -> tuple[float, float]:
    """CPU and clock."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")  # compiled once, as usual
    subprocess.run([*RUN, *options], cwd=folder, check=True, capture_output=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), 1000 * (time.perf_counter() - started)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text("def test_it():\n    pass\n")
        ways = {"without": ("-p", "no:ragdiag"), "with": ()}
        for options in ways.values():
            milliseconds(folder, *options)  # compiled files and the like
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for i in range(TIMES):
            for way in list(ways) if i % 2 else reversed(ways):
                times[way].append(milliseconds(folder, *ways[way]))
    for n, what in enumerate(("CPU", "clock")):
        own = {way: [row[n] for row in rows] for way, rows in times.items()}
        median = {way: statistics.median(found) for way, found in own.items()}
        pairs = statistics.median(b - a for a, b in zip(own["without"], own["with"], strict=True))
        more, least = median["with"] - median["without"], min(own["with"]) - min(own["without"])
        show(f"pytest on one test, {what} ms", **median, difference=more, of_pairs=pairs, of_least=least, runs=TIMES)


if __name__ == "__main__":
    main()
