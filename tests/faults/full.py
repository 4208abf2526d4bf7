"""Disks without room: a small file system of its own for the cache, the outputs, or what is temporary, at several sizes."""

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks import Ground, Trial, again, ending, half, lost
from faulted import Command
from processes import run

PAGE = 4096


@contextlib.contextmanager
def small(folder: Path, pages: int) -> Iterator[None]:
    """A file system with so many pages at `folder`, with what is in the folder. Raises `OSError` where none may be mounted."""
    kept = folder.with_name(f"{folder.name}-kept")
    shutil.copytree(folder, kept)
    options = f"size={max(pages, 1) * PAGE},nr_inodes=4096"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "faults", str(folder)], capture_output=True, check=False)
    if done.returncode:
        shutil.rmtree(kept)
        raise OSError(done.stderr.decode().strip())
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        shutil.rmtree(kept)
        shutil.copytree(folder, kept, symlinks=True)
        subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder)
        kept.rename(folder)


def may_mount() -> bool:
    """Whether this user may mount a file system."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("mount"):
        return False
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"faults-mount-{os.getpid()}"
    folder.mkdir()
    try:
        with small(folder, 1):
            return True
    except OSError:
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def full(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all: of cache and outputs in turns, and of the folder for what is temporary."""
    if n and not may_mount():
        print("no disk was filled: this user may not mount one", flush=True)
        return
    rng = random.Random(seed)
    for i in range(n):
        command, what = commands[i // 2 % len(commands)], ("cache", "out")[i % 2]
        if i % 8 == 7:
            what = "temporary"
        yield filled(ground, command, what, rng.random())


def filled(ground: Ground, command: Command, what: str, share: float) -> Trial:
    """Run a command with that share of the room that it takes; then with room enough."""
    truth, place = ground.truth(command), ground.place()
    own = [name for name in command.reports if name.count("/") == 1]  # a pool takes no folder that holds other things
    earlier = dict.fromkeys(own, b"what was there before") if what == "out" else {}
    for name, raw in earlier.items():
        (place.work / name).write_bytes(raw)
    folder = {"cache": place.cache, "out": place.out, "temporary": place.temporary}[what]
    pages = int(share * needed(ground, command, what)) + len(earlier)
    before = place.inputs()
    with small(folder, pages):
        ended = run(command, place)
    wrong = ending(ended, truth, (2,))
    wrong += lost(place, command, ended)
    hit = ended.status == 2 or "No space left" in ended.said
    wrong += half(place, command, truth, earlier)
    wrong += [f"{name} is gone" for name in earlier if not (place.work / name).exists()]
    for name, raw in earlier.items():
        if (place.work / name).exists() and (place.work / name).read_bytes() == raw:
            (place.work / name).unlink()
    wrong += again(place, command, truth)
    if place.inputs() != before:
        wrong.append("an input has changed")
    if not wrong:
        ground.forget(place)
    return Trial(f"no room: {what}", command.name, tuple(wrong), int(hit), f"{pages} pages, {place.folder}: {ended.last}")


def needed(ground: Ground, command: Command, what: str) -> int:
    """Pages that a command takes there."""
    key = (command.name, what)
    if key not in _needed:
        place = ground.place()
        run(command, place)
        folder = {"cache": place.cache, "out": place.out, "temporary": place.temporary}[what]
        _needed[key] = sum(p.stat().st_size // PAGE + 1 for p in folder.rglob("*") if p.is_file()) + 4
        ground.forget(place)
    return _needed[key]


_needed: dict[tuple[str, str], int] = {}
