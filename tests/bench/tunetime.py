"""What `tune` takes beside embedding, once, every distinct text that it needs; the same search again; then with causes.

``python tests/bench/tunetime.py [set]``
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from common import paths
from grid import cpu

EMBED = """
import json, sys
from ragdiag.comparing.embedding import embed
from ragdiag.comparing.material import Material
from ragdiag.comparing.space import usual_spaces
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import load
from ragdiag.search.retrieval import Plan
corpus, queries, cache = sys.argv[1:]
base = Options(cache=cache)
whole, part, labels, _ = load(corpus, queries, base, no_progress)
configs = [config for space in usual_spaces(base, part) for config in space.configurations(base)]
embed(Material.of(whole, part, labels), [Plan(config) for config in configs], no_progress)
print(len(configs), file=sys.stderr)
"""


def timed(*command: str) -> tuple[float, float, str]:
    """CPU-seconds and seconds of a command, and the last line it wrote to standard error."""
    started = time.perf_counter()
    seconds, last = cpu(*command)
    return seconds, time.perf_counter() - started, last


def main(name: str = "chroma_chunking") -> None:
    corpus, queries = map(str, paths(name))
    program = str(Path(sys.executable).with_name("ragdiag"))
    print("| | CPU-s | seconds | times the embedding |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        alone, seconds, n = timed(sys.executable, "-c", EMBED, corpus, queries, a)
        print(f"| embedding every distinct text of {n} configurations once | {alone:.0f} | {seconds:.0f} | 1 |", flush=True)
        for title, more in (("cold, --no-causes", ["--no-causes"]), ("the same again", ["--no-causes"]), ("with causes", [])):
            out = Path(b) / "found.json"
            command = [program, "tune", corpus, queries, "--quiet", "--cache", b, "--json", str(out), *more]
            took, seconds, _ = timed(*command)
            size = len(json.loads(out.read_text(encoding="utf-8"))["configs"])
            row = [f"tune, {size} configurations, {title}", f"{took:.1f}", f"{seconds:.1f}", f"{took / alone:.2f}"]
            print("| " + " | ".join(row) + " |", flush=True)
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
