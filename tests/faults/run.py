"""Puts faults into the commands of ragdiag: ``python tests/faults/run.py --kills 300``.

Each trial has a folder of its own, in which a command is disturbed and then run again undisturbed. What it comes to must be the
bytes of a run that nothing disturbed; nothing that was confirmed may be lost, and nothing may stay behind. The table says how
many trials were made, how many survived, and what went wrong with the others; their folders are kept. Full disks and read-only
folders need a user who may mount; where they cannot be made that is said, and nothing is counted.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

# The ragdiag of this checkout, whatever else is installed.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from checks import Ground, chosen  # noqa: E402
from damage import damage  # noqa: E402
from faulted import COMMANDS  # noqa: E402
from forked import load  # noqa: E402
from full import full  # noqa: E402
from kills import kills  # noqa: E402
from readonly import readonly  # noqa: E402
from streams import streams  # noqa: E402
from together import clocks, together  # noqa: E402

FAMILIES = {
    "kills": kills,
    "full": full,
    "readonly": readonly,
    "together": together,
    "damage": damage,
    "clocks": clocks,
    "streams": streams,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in FAMILIES:
        parser.add_argument(f"--{name}", type=int, metavar="N", help="trials; none of a kind that is not named")
    parser.add_argument("--command", action="append", choices=list(COMMANDS), default=[], help="repeat; all without it")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    load()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
    ground = Ground(Path(tempfile.mkdtemp(prefix="faults-")))
    tried, survived = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    with contextlib.suppress(KeyboardInterrupt):  # whoever stops it still wants to know
        for name, family in FAMILIES.items():
            for trial in family(ground, chosen(given.command), getattr(given, name) or 0, given.seed):
                key = trial.fault, trial.command
                tried[key] += trial.hits
                survived[key] += 0 if trial.wrong else trial.hits
                print(f"{tried.total():5}  {trial.fault}, {trial.command}", end="\r", file=sys.stderr, flush=True)
                if trial.wrong:
                    print(f"\n{trial.fault}, {trial.command}, {trial.detail}:", *trial.wrong, sep="\n  ", flush=True)
    print("\n| fault | command | tried | survived |\n|---|---|---|---|")
    for key, n in tried.items():
        print(f"| {key[0]} | {key[1]} | {n} | {survived[key]} |")
    print(f"\n{tried.total()} faults, {survived.total()} survived")
    return int(tried != survived)


if __name__ == "__main__":
    sys.exit(main())
