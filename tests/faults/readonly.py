"""Folders and files that cannot be written, and homes that are none: as another user, since nothing is read-only to root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from checks import Ground, Trial, again, ending, lost
from faulted import Command, Place
from processes import run

NOBODY = 65534
PREFIX = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")

Change = Callable[[Place, dict[str, str]], None]
"""Makes something of a place unusable, or of the environment of its command."""


def _own(folder: Path, owner: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


def _cache_folder(place: Place, _: dict[str, str]) -> None:
    place.cache.chmod(0o500)


def _cache_files(place: Place, _: dict[str, str]) -> None:
    for path in place.cache.iterdir():
        path.chmod(0o400)


def _cache_of_another(place: Place, _: dict[str, str]) -> None:
    for path in place.cache.iterdir():
        os.chown(path, 0, 0)


def _outputs(place: Place, _: dict[str, str]) -> None:
    place.out.chmod(0o500)


def _home(place: Place, _: dict[str, str]) -> None:
    (place.folder / "home").chmod(0o500)


def _no_home(_: Place, environment: dict[str, str]) -> None:
    environment["HOME"] = "/no/such/home"


def _home_file(place: Place, _: dict[str, str]) -> None:
    (place.folder / "home").rmdir()
    (place.folder / "home").write_text("")
    os.chown(place.folder / "home", NOBODY, NOBODY)


def _temporary(place: Place, _: dict[str, str]) -> None:
    place.temporary.chmod(0o500)


CHANGES: dict[str, tuple[Change, tuple[int, ...]]] = {
    "cache: its folder": (_cache_folder, (2,)),
    "cache: its files": (_cache_files, (0, 2)),
    "cache: another user's files": (_cache_of_another, (0, 2)),
    "outputs": (_outputs, (2,)),
    "home": (_home, (2,)),
    "no home": (_no_home, (2,)),
    "home is a file": (_home_file, (2,)),
    "TMPDIR": (_temporary, (0,)),
}
"""Each with how a command may end by it, besides as it should."""


def readonly(ground: Ground, commands: Sequence[Command], n: int, seed: int) -> Iterator[Trial]:
    """`n` in all, in turns."""
    if n and not may_be_another(ground):
        print("nothing was made read-only: this user may not run a command as another, who may read this checkout", flush=True)
        return
    for i in range(n):
        kind = list(CHANGES)[i % len(CHANGES)]
        command = commands[i // len(CHANGES) % len(commands)]
        if "--cache" not in command.argv and ("cache" in kind or "home" in kind):
            continue
        yield unwritable(ground, command, kind)


def may_be_another(ground: Ground) -> bool:
    """Whether this user may run commands as another one, for whom everything is there."""
    ground.folder.chmod(0o755)
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv")):
        return False
    place = ground.place()
    _own(place.folder, NOBODY)
    argv = [*PREFIX, sys.executable, "-c", "import os; os.listdir('.')"]
    readable = subprocess.run(argv, cwd=place.work, check=False, capture_output=True).returncode == 0
    ground.forget(place)
    return readable


def unwritable(ground: Ground, command: Command, kind: str) -> Trial:
    """Run a command as a user who may not write something; then where all can be written."""
    truth, place = ground.truth(command), ground.place(command, kind in ("cache: its files", "cache: another user's files"))
    used = command
    if "home" in kind:
        i = command.argv.index("--cache")
        used = command._replace(argv=command.argv[:i] + command.argv[i + 2 :])
    environment: dict[str, str] = {}
    _own(place.folder, NOBODY)
    change, allowed = CHANGES[kind]
    change(place, environment)
    ended = run(used, place, prefix=PREFIX, environment=environment)
    wrong = [*ending(ended, truth, allowed), *lost(place, command, ended)]
    if ended.status == 2 and "error: cannot" not in ended.said and "there is no home" not in ended.said:
        wrong.append(f"says {ended.said[-300:]!r}")
    for folder in (place.cache, place.out, place.temporary):
        folder.chmod(0o700)
    _own(place.folder, os.geteuid())
    wrong += again(place, command, truth)
    if not wrong:
        ground.forget(place)
    return Trial(f"unwritable: {kind}", command.name, tuple(wrong), 1, f"{place.folder}: {ended.last}")
