"""Start-up: ``ragdiag --help`` beside ``python -c "import click"``, and what ``import ragdiag`` imports."""

import subprocess
import sys
import time
from pathlib import Path

from common import show


def best(command: list[str], repeat: int = 15) -> float:
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    ours = best([str(Path(sys.executable).with_name("ragdiag")), "--help"])
    click = best([sys.executable, "-c", "import click"])
    show("start-up in seconds", ragdiag_help=ours, import_click=click, ratio=ours / click)
    code = "import sys, ragdiag; print('numpy' in sys.modules)"
    print(
        "import ragdiag imports numpy:",
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip(),
    )


if __name__ == "__main__":
    main()
