"""Every public set with every retriever, through the command line, twice: what is measured, and that both reports agree."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import SETS, paths

MEASURES = ("Sufficient@5", "Evidence@5", "CharP@5", "RR", "nDCG@10", "R@100")


def main(*retrievers: str) -> None:
    print("| set | retriever | n | " + " | ".join(MEASURES) + " | seconds, first and second | same bytes |")
    print("|---|---|---|" + "---|" * (len(MEASURES) + 2))
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            for retriever in retrievers or ("bm25", "lsa", "dense", "hybrid"):
                texts, seconds = [], []
                for _ in range(2):
                    out = Path(folder) / "report.json"
                    command = [str(Path(sys.executable).with_name("ragdiag")), "audit", *map(str, paths(name)), "--quiet"]
                    started = time.perf_counter()
                    subprocess.run(
                        [*command, "--retriever", retriever, "--cache", f"{folder}/cache", "--json", str(out)], check=True
                    )
                    seconds.append(time.perf_counter() - started)
                    text = out.read_text(encoding="utf-8")
                    texts.append(text[: text.index('\n "timings"')])
                measures = json.loads(out.read_text(encoding="utf-8"))["measures"]
                cells = [f"{measures[m]['mean']:.3f} [{measures[m]['low']:.3f}, {measures[m]['high']:.3f}]" for m in MEASURES]
                row = [name, retriever, str(measures[MEASURES[0]]["n"]), *cells, f"{seconds[0]:.1f}, {seconds[1]:.1f}"]
                print("| " + " | ".join([*row, "yes" if texts[0] == texts[1] else "NO"]) + " |", flush=True)
    print("\nmade by: python tests/bench/sets.py")


if __name__ == "__main__":
    main(*sys.argv[1:])
