"""Caches whose files were damaged, exchanged, or are something else: never believed, and nothing outside them is touched."""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from checks import Ground, Trial, again, ending
from faulted import Command, Place
from processes import run

Damage = Callable[[Path, Path, random.Random], None]
"""Damages a file of a cache; `elsewhere` is a folder that nothing may change."""


def _truncated(file: Path, elsewhere: Path, rng: random.Random) -> None:
    raw = file.read_bytes()
    file.write_bytes(raw[: rng.randrange(len(raw))])


def _zeroed(file: Path, elsewhere: Path, rng: random.Random) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _flipped(file: Path, elsewhere: Path, rng: random.Random) -> None:
    raw = bytearray(file.read_bytes())
    for _ in range(rng.choice([1, 1, 8])):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    file.write_bytes(raw)


def _another(file: Path, elsewhere: Path, rng: random.Random) -> None:
    others = sorted(p for p in file.parent.iterdir() if p != file and p.is_file() and p.suffix == file.suffix)
    file.write_bytes(rng.choice(others).read_bytes() if others else b"")


def _pipe(file: Path, elsewhere: Path, rng: random.Random) -> None:
    file.unlink()
    os.mkfifo(file)


def _folder(file: Path, elsewhere: Path, rng: random.Random) -> None:
    file.unlink()
    file.mkdir()


def _link(file: Path, elsewhere: Path, rng: random.Random) -> None:
    target = elsewhere / f"target{len(list(elsewhere.iterdir()))}"
    kind = rng.choice(["copy", "empty", "missing", "text"])
    if kind != "missing":
        target.write_bytes({"copy": file.read_bytes(), "empty": b"", "text": b"my own notes"}[kind])
        target.chmod(0o644)
    file.unlink()
    file.symlink_to(target)


def _older(file: Path, elsewhere: Path, rng: random.Random) -> None:
    """As a version of another layout would leave it: a database without our table, arrays without a checksum."""
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"vectors", b"oldones") if file.suffix == ".sqlite" else raw[:-32])


def _journal(file: Path, elsewhere: Path, rng: random.Random) -> None:
    file.with_name(file.name + "-journal").write_bytes(rng.choice([b"", rng.randbytes(5000), file.read_bytes()]))


DAMAGES: dict[str, Damage] = {
    "truncated": _truncated,
    "zeroed": _zeroed,
    "bits flipped": _flipped,
    "another's": _another,
    "a pipe": _pipe,
    "a folder": _folder,
    "a link": _link,
    "of an older version": _older,
    "a journal of nothing": _journal,
}


def damage(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all: each damages every file of a full cache, or a third of them."""
    rng, full = random.Random(seed), dict[str, Place]()
    using = [command for command in commands if "--cache" in command.argv]
    for i in range(n):
        command = using[i % len(using)]
        if command.name not in full:
            full[command.name] = ground.place(command, warm=True)
        yield damaged(ground, command, full[command.name], list(DAMAGES)[i // len(using) % len(DAMAGES)], rng)


def damaged(ground: Ground, command: Command, full: Place, kind: str, rng: random.Random) -> Trial:
    """Damage a copy of a full cache, and run the command on it."""
    truth, place = ground.truth(command), ground.place()
    shutil.copytree(full.cache, place.cache, dirs_exist_ok=True)
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    share = rng.choice([1.0, 0.3])
    for file in sorted(place.cache.iterdir()):
        if rng.random() < share:
            DAMAGES[kind](file, elsewhere, rng)
    outside = _seen(elsewhere)
    ended = run(command, place)
    wrong = ending(ended, truth, (2,) if kind == "a folder" else ())
    if kind == "a folder":
        for path in [p for p in place.cache.iterdir() if p.is_dir()]:
            path.rmdir()
    elif not command.person:
        wrong += [f"{name} differs" for name, raw in truth.outputs.items() if place.output(name) != raw]
    wrong += again(place, command, truth)
    if _seen(elsewhere) != outside:
        wrong.append(f"what is outside the cache was changed: {outside} {_seen(elsewhere)}")
    if not wrong:
        ground.forget(place)
    return Trial(f"cache: {kind}", command.name, tuple(wrong), 1, str(place.folder))


def _seen(folder: Path) -> list[tuple[str, int, bytes]]:
    return [(p.name, p.stat().st_mode, p.read_bytes()) for p in sorted(folder.iterdir())]
