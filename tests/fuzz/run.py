"""Gives parsers inputs made worse, as long as you like: ``python tests/fuzz/run.py [--minutes M] [--parser NAME] [--seed N]``.

Each parser has processes of its own, one after the other: one that dies, or takes no end, is a failure like any other. What
fails is made smaller and saved under ``--out`` (``fuzz-failures``), by parser; the status is 1 then.
"""

import argparse
import hashlib
import json
import logging
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
sys.dont_write_bytecode = True
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from guarding import Outcome, tried  # noqa: E402
from mutating import Mutator  # noqa: E402
from targets import Target, targets  # noqa: E402

ROOM = 3 * 2**30
"""Bytes of memory that a process may ask for beyond what it has after its first inputs."""

SILENT = 90.0
"""Seconds without a word from a process after which it hangs where no clock of its own reaches it."""

SHARED_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder whose files no disk has to keep."""

KNOWN = 400
"""Inputs at most from which new ones are made: each brought about something else."""


class Tally(NamedTuple):
    """What came of one parser's inputs."""

    cases: int
    seconds: float
    outcomes: int
    failures: dict[str, int]


def cases(target: Target, seed: int, mutator: Mutator) -> Iterator[tuple[int, bytes]]:
    """Inputs without end: those to begin with as they are, then others."""
    yield from enumerate(mutator.known.copy())
    first = len(mutator.known)
    number = first
    while True:
        yield number, mutator.made(random.Random(f"{seed} {target.name} {number}"), target.most)
        number += 1


def work(name: str, seed: int, first: int, limit: int, seconds: float, out: Path) -> None:
    """Try inputs from number `first` on, and say on standard output what came of them: one line of JSON now and then."""
    target = targets()[name]
    mutator, kinds, failures = Mutator(target.seeds(), target.words), set[str](), dict[str, int]()
    started, spent, done = time.process_time(), 0.0, 0
    with tempfile.TemporaryDirectory(prefix="ragdiag-fuzz-", dir=SHARED_MEMORY) as there:
        folder = Path(there) / "here"
        folder.mkdir()
        (Path(there) / "canary.txt").write_text("canary")
        os.chdir(folder)
        current = running(out, name)
        for number, data in cases(target, seed, mutator):
            if number < first:
                continue
            if done >= limit or time.process_time() - started > seconds:
                break
            current.write_bytes(data)
            outcome = tried(target.run, data, folder)
            spent, done = spent + outcome.seconds, done + 1
            if done == len(target.seeds()):
                room()
            if outcome.failure:
                failures[outcome.kind] = failures.get(outcome.kind, 0) + 1
                if failures[outcome.kind] == 1:
                    save(target, data, outcome, folder, out)
            elif outcome.kind not in kinds and len(mutator.known) < KNOWN and len(data) < 20_000:
                mutator.known.append(data)
            kinds.add(outcome.kind)
            if done % 50 == 0:
                say(number, done, time.process_time() - started, kinds, failures)
        current.unlink(missing_ok=True)
        say(-1, done, time.process_time() - started, kinds, failures)


def running(out: Path, name: str) -> Path:
    """Where the input is kept that is tried just now, for the case that the process does not come back from it."""
    return Path(SHARED_MEMORY or out) / f"ragdiag-fuzz-{os.getuid()}-{slug(name)}"


def say(number: int, done: int, spent: float, kinds: set[str], failures: dict[str, int]) -> None:
    print(json.dumps([number, done, spent, len(kinds), failures]), flush=True)


def room() -> None:
    """No more memory than there is room for: what asks for more gets an error in place of the machine's last."""
    size = (
        int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")
        if Path("/proc/self/statm").exists()
        else 2**33
    )
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")


def save(target: Target, data: bytes, outcome: Outcome, folder: Path, out: Path) -> None:
    """A failing input, as small as a few seconds make it, with what came of it beside it."""
    small = smaller(target, data, outcome, folder)
    place = out / slug(target.name)
    place.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(small).hexdigest()[:12]
    (place / name).write_bytes(small)
    (place / f"{name}.txt").write_text(
        f"{target.name}: {outcome.kind}\n{outcome.failure}\n{outcome.trace}", "utf-8", "backslashreplace"
    )


def smaller(target: Target, data: bytes, outcome: Outcome, folder: Path) -> bytes:
    """A part of `data` of which the same comes: stretches are left out, long ones first."""
    if outcome.seconds > 1 or data[:2] == b"PK":
        return data
    ends, size = time.process_time() + 5, max(len(data) // 2, 1)
    while size and time.process_time() < ends:
        start = 0
        while start < len(data) and time.process_time() < ends:
            less = data[:start] + data[start + size :]
            if less and tried(target.run, less, folder).kind == outcome.kind:
                data = less
            else:
                start += size
        size //= 2
    return data


def fuzzed(target: Target, seed: int, limit: int, seconds: float, out: Path) -> Tally:
    """All processes of a parser: after one that died the next goes on behind the input that killed it."""
    first, cases, spent, outcomes, failures = 0, 0, 0.0, 0, dict[str, int]()
    while cases < limit and spent < seconds:
        command = [
            sys.executable,
            __file__,
            "--worker",
            target.name,
            str(seed),
            str(first),
            str(limit - cases),
            str(seconds - spent),
            str(out),
        ]
        last: list[Any] = [first - 1, 0, 0.0, 0, {}]
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            told, dead = listened(process, last)
            errors.seek(0)
            dead += f" {errors.read().splitlines()[-1:]}"
        cases, spent, outcomes = cases + told[1], spent + told[2], max(outcomes, told[3])
        for kind, n in told[4].items():
            failures[kind] = failures.get(kind, 0) + n
        if told[0] == -1:
            break
        current = running(out, target.name)
        if not current.exists():
            failures[f"did not start: {dead}"] = 1
            break
        place = out / slug(target.name)
        place.mkdir(parents=True, exist_ok=True)
        data = current.read_bytes()
        (place / f"died-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
        failures[f"died: {dead}"] = failures.get(f"died: {dead}", 0) + 1
        first = told[0] + 51
        if sum(n for kind, n in failures.items() if kind.startswith("died")) > 20:
            break
    return Tally(cases, spent, outcomes, failures)


def listened(process: "subprocess.Popen[str]", last: list[Any]) -> tuple[list[Any], str]:
    """The last that a process said, and how it ended."""
    import selectors

    assert process.stdout is not None
    watch = selectors.DefaultSelector()
    watch.register(process.stdout, selectors.EVENT_READ)
    while True:
        if not watch.select(SILENT):
            process.kill()
            return last, "silent"
        line = process.stdout.readline()
        if not line:
            break
        last = json.loads(line)
    process.wait()
    return last, f"status {process.returncode}"


def main() -> int:
    logging.getLogger("ragdiag").addHandler(logging.NullHandler())  # else notes go to standard error
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--minutes", type=float, default=10.0, help="of CPU time in all, shared by the parsers as their weights say"
    )
    options.add_argument("--cases", type=int, default=10**9, help="of each parser at most (times its weight)")
    options.add_argument(
        "--parser", action="append", default=[], help="only those whose names hold this; several times for several"
    )
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=Path("fuzz-failures"))
    options.add_argument("--worker", nargs=6, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        name, seed, first, limit, seconds, out = given.worker
        work(name, int(seed), int(first), int(limit), float(seconds), Path(out))
        return 0
    chosen = [t for t in targets().values() if not given.parser or any(part in t.name for part in given.parser)]
    out, weights = given.out.resolve(), sum(t.weight for t in chosen)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    print(f"{'parser':32} {'cases':>8} {'CPU s':>8} {'outcomes':>8} failures")
    total = [0, 0.0, 0]
    for target in chosen:
        tally = fuzzed(target, given.seed, int(given.cases * target.weight), 60 * given.minutes * target.weight / weights, out)
        failed = sum(tally.failures.values())
        print(f"{target.name:32} {tally.cases:8,} {tally.seconds:8.1f} {tally.outcomes:8} {failed or ''}", flush=True)
        for kind, n in tally.failures.items():
            print(f"    {n:6}  {kind}", flush=True)
        total = [total[0] + tally.cases, total[1] + tally.seconds, total[2] + failed]
    print(f"{'in all':32} {total[0]:8,} {total[1]:8.1f} {'':8} {total[2]}  ({total[1] / 3600:.3f} CPU-hours, seed {given.seed})")
    return 1 if total[2] else 0


if __name__ == "__main__":
    sys.exit(main())
