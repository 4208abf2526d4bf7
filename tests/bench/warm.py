"""A dense audit of chroma_chunking, cold and then unchanged: seconds of each as a user sees them, and that the reports agree."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import paths, show


def main() -> None:
    corpus, queries = paths("chroma_chunking")
    with tempfile.TemporaryDirectory() as folder:
        seconds, reports = [], []
        for run in ("cold", "warm"):
            out = Path(folder) / f"{run}.json"
            command = [str(Path(sys.executable).with_name("ragdiag")), "audit", str(corpus), str(queries), "--retriever", "dense"]
            started = time.perf_counter()
            subprocess.run([*command, "--cache", f"{folder}/cache", "--quiet", "--json", str(out)], check=True)
            seconds.append(time.perf_counter() - started)
            reports.append(json.loads(out.read_text(encoding="utf-8")))
        for report in reports:
            report.pop("timings")
    show("dense audit of chroma_chunking, seconds", cold=seconds[0], warm=seconds[1], ratio=seconds[0] / seconds[1])
    print("reports equal but for timings:", reports[0] == reports[1])


if __name__ == "__main__":
    main()
