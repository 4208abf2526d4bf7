"""Runs every command that names nothing remote without a network, in a folder full of traps, and counts what it tries.

    python tests/faults/connections.py            # each command in a process of its own
    python tests/faults/connections.py chroma     # those whose line holds a word

Three watches at once. A namespace without interfaces (`unshare`), in which a command has to succeed; not even loopback is up
in it, but for commands that serve or ask this machine itself. `strace`, which sees what native libraries try. And an audit hook
of Python (`watch/sitecustomize.py`), which works everywhere. Where the first two are not to be had it says so.

The working folder is somebody else's: it holds modules with the names of installed ones, a ``.env``, a ``matplotlibrc``, each of
which would leave a trace or name an address. Nothing of it may act.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT, WATCH = HERE.parents[1], HERE / "watch"
sys.path.insert(0, str(HERE))

from commands import Command, commands  # noqa: E402
from prepared import set_traps  # noqa: E402

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MARK = "/nowhere/ragdiag-"
"""The beginning of what `within.py` asks for before each command."""

ADDRESS = re.compile(r"sa_family=AF_(?!UNIX|UNSPEC|NETLINK).*")
"""In a line of strace: an address that is no file's."""


class Seen(NamedTuple):
    """What came of a command: its exit status, whom it tried to reach, which traps it sprang, and what it said at the end."""

    command: Command
    status: int
    attempts: tuple[str, ...]
    sprung: tuple[str, ...]
    seconds: float
    output: str

    @property
    def faults(self) -> list[str]:
        """What is wrong; nothing where all is well."""
        sprung = () if self.command.team else self.sprung  # who names code of a folder trusts the folder
        status = [] if self.status in self.command.status else [f"exit status {self.status}"]
        return [*status, *(f"tried {attempt}" for attempt in self.attempts), *(f"ran {name}.py" for name in sprung)]


class Watched(NamedTuple):
    """A group of commands that ran in one process.

    `switches` are what the environment said as each library was imported, `home` the files that are in an empty home afterwards.
    """

    seen: tuple[Seen, ...]
    switches: tuple[tuple[str, dict[str, str | None]], ...]
    home: tuple[str, ...]


@functools.cache
def namespace() -> tuple[str, ...]:
    """What puts a command into a namespace of its own without a network; nothing where that is not allowed."""
    for words in (("unshare", "--net", "--map-root-user"), ("unshare", "--net")):
        if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    return ()


@functools.cache
def tracer() -> tuple[str, ...]:
    """What watches system calls; nothing where that is not to be had."""
    words = ("strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg")
    if shutil.which("strace") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
        return words
    return ()


def watched(folder: Path, group: Sequence[Command], switches: Sequence[str] = ()) -> Watched:
    """Run commands of one process in `folder`."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        queries = (folder / "demo" / "queries.jsonl").read_text(encoding="utf-8")
        told = [(n, c.door, c.words, c.typed.replace("{queries}", queries)) for n, c in enumerate(group)]
        (place / "commands.json").write_text(json.dumps(told))
        (place / "home").mkdir()
        environment = _environment(place, folder, switches)
        own = [sys.executable, str(HERE / "within.py"), str(place / "commands.json"), str(place / "statuses")]
        there = folder
        if group[0].door == "-m":  # for which Python looks for modules in the working folder first
            own, there = [sys.executable, "-m", "ragdiag", *group[0].words], place
        traced = [*tracer(), "-o", str(place / "strace")] if tracer() else []
        own += ["loopback"] if namespace() and group[0].loopback else []
        done = subprocess.run([*namespace(), *traced, *own], cwd=there, env=environment, capture_output=True, text=True)
        return _told(group, place, done)


def _environment(place: Path, folder: Path, switches: Sequence[str]) -> dict[str, str]:
    kept = {"PATH", "LANG", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS"}
    return {name: value for name, value in os.environ.items() if name in kept} | {
        "HOME": str(place / "home"),
        "PYTHONPATH": f"{WATCH}{os.pathsep}{ROOT}",
        "RAGDIAG_WATCH": str(place / "watch"),
        "RAGDIAG_TRAPS": str(place / "traps"),
        "RAGDIAG_SWITCHES": " ".join(switches),
        "RAGDIAG_CACHE": str(folder / "cache"),
        "COLUMNS": "100",
        "OMP_NUM_THREADS": "1",
        # As a careless environment has it: every one of these turns something on.
        "ANONYMIZED_TELEMETRY": "True",
        "CHROMA_OTEL_COLLECTION_ENDPOINT": "http://192.0.2.1:4317",
        "CHROMA_OTEL_GRANULARITY": "all",
        "HAYSTACK_TELEMETRY_ENABLED": "True",
        "HF_HUB_DISABLE_TELEMETRY": "0",
        "RAGAS_DO_NOT_TRACK": "false",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_API_KEY": "none",
        "LANGSMITH_ENDPOINT": "http://192.0.2.1:1984",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318",
    }


def _told(group: Sequence[Command], place: Path, done: subprocess.CompletedProcess[str]) -> Watched:
    """What the watches saw, by command."""
    statuses = {0: [0, done.returncode, 0.0, done.stdout + done.stderr]} if group[0].door == "-m" else {}
    if (place / "statuses").exists():
        statuses = {row[0]: row for row in map(json.loads, (place / "statuses").read_text().splitlines())}
    lines = (place / "watch").read_text().splitlines() if (place / "watch").exists() else []
    events = [json.loads(line) for line in lines]
    attempts: dict[int, list[str]] = {n: [] for n in range(len(group))}
    now = 0
    for event in events:
        if event["event"] == "socket.connect" and str(event["to"]).startswith(MARK):
            now = int(event["to"].removeprefix(MARK))
        elif "to" in event and not _is_allowed(event["to"], group[now].loopback):
            attempts[now].append(f"{event['event']} {event['to']}")
    now = 0
    for line in (place / "strace").read_text(errors="replace").splitlines() if (place / "strace").exists() else ():
        if marked := re.search(rf'"{MARK}(\d+)"', line):
            now = int(marked[1])
        elif (address := ADDRESS.search(line)) and not (group[now].loopback and address[0].find("127.0.0.1") > 0):
            attempts[now].append(f"strace: {line.partition(' ')[2][:160]}")
    traps = (place / "traps").read_text().split() if (place / "traps").exists() else []
    seen = []
    for n, command in enumerate(group):
        _, status, seconds, output = statuses.get(n, [n, -1, 0.0, done.stderr[-2000:]])
        mine = tuple(traps) if n == len(group) - 1 else ()
        seen.append(Seen(command, status, tuple(dict.fromkeys(attempts[n])), mine, seconds, output))
    home = sorted(str(path.relative_to(place / "home")) for path in (place / "home").rglob("*") if path.is_file())
    return Watched(tuple(seen), tuple((e["library"], e["switches"]) for e in events if "library" in e), tuple(home))


def _is_allowed(to: object, loopback: bool) -> bool:
    """Whether an address is a file's, or this machine's where the command talks to itself."""
    host = to[0] if isinstance(to, list) else to
    return (isinstance(host, str) and host.startswith("/")) or host is None or (loopback and host in LOOPBACK)


def everything(folder: Path) -> list[Command]:
    """All commands for the stores that `folder` has."""
    return commands(json.loads((folder / "specs.json").read_text(encoding="utf-8")))


@contextlib.contextmanager
def trapped() -> Iterator[Path]:
    """A folder that is prepared, and set with traps."""
    with tempfile.TemporaryDirectory() as name:
        own = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, str(HERE / "prepared.py"), name], check=True, env=own)
        set_traps(Path(name))
        yield Path(name)


def main(words: Sequence[str]) -> int:
    """The campaign; what it found, and 1 where that is anything."""
    began, wrong, attempts, sprung = time.monotonic(), 0, 0, 0
    print(f"namespace: {' '.join(namespace()) or 'none'}; strace: {'yes' if tracer() else 'no'}")
    with trapped() as folder:
        chosen = [c for c in everything(folder) if not words or any(word in c.name for word in words)]
        for command in chosen:
            (seen,) = watched(folder, [command]).seen
            wrong, attempts, sprung = wrong + bool(seen.faults), attempts + len(seen.attempts), sprung + len(seen.sprung)
            print("DEFECT" if seen.faults else "fine  ", f"{seen.seconds:6.1f} s ", command.name)
            said = [*seen.faults, *(f"| {line}" for line in seen.output.splitlines()[-6:])] if seen.faults else []
            print("".join(f"         {line}\n" for line in said), end="")
    took = time.monotonic() - began
    print(f"{len(chosen)} commands: {attempts} attempts, {sprung} traps sprung, {wrong} defects; {took:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
