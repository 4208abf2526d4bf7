"""A private copy of a store that somebody else wrote: its regular files, for this user alone."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ragdiag.core.errors import InputError

__all__ = ["copy_privately"]

READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A link that has taken a file's place since is not followed, and a pipe is not waited for."""

WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
REMEDY = "put in its place what it leads to, or take it out, if it belongs to the store; else do not open this store"


def copy_privately(
    source: Path, copy: Path, left_out: Collection[str] = (), wanted: Callable[[str], bool] = lambda name: True
) -> None:
    """Copy a file, or a folder with all below it, to `copy`, which is not there yet, whatever the modes of the source are.

    Names in `left_out`, and files whose names are not `wanted`, stay behind. Raises `InputError` for a link, a pipe or a device
    within the source, which may lead anywhere or have no end, and for more than there is room for.
    """
    source = source.resolve()
    folders, files = _found(source, left_out, wanted) if source.is_dir() else ([], [source])
    size = sum(path.lstat().st_size for path in files)
    if size > (free := shutil.disk_usage(copy.parent).free):
        raise InputError(f"takes {size} bytes, and the temporary folder has room for {free}", source, remedy="set TMPDIR")
    for path in folders:
        (copy / path.relative_to(source)).mkdir(mode=0o700)
    for path in files:
        _copy_file(path, copy / path.relative_to(source))


def _found(source: Path, left_out: Collection[str], wanted: Callable[[str], bool]) -> tuple[list[Path], list[Path]]:
    """The folders, each before those within it, and the files."""
    folders, files = [source], list[Path]()
    for folder in folders:  # grows meanwhile
        for path, mode in _entries(folder, left_out):
            if stat.S_ISDIR(mode):
                folders.append(path)
            elif not stat.S_ISREG(mode):
                raise _refused(path)
            elif wanted(path.name):
                files.append(path)
    return folders, files


def _entries(folder: Path, left_out: Collection[str]) -> Iterator[tuple[Path, int]]:
    for path in sorted(folder.iterdir()):
        if path.name not in left_out:
            yield path, path.lstat().st_mode


def _copy_file(path: Path, copy: Path) -> None:
    """Copy one regular file."""
    try:
        handle = os.open(path, READ)
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror})", path) from e
    with os.fdopen(handle, "rb") as read, os.fdopen(os.open(copy, WRITE, 0o600), "wb") as written:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _refused(path)
        shutil.copyfileobj(read, written, 1 << 20)


def _refused(path: Path) -> InputError:
    return InputError("is a link, a pipe or a device, which no store has", path, remedy=REMEDY)
