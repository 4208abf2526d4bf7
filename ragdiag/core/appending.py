"""Files of lines that are only added to: each addition whole or not at all, and what a killed process cut short is mended."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ragdiag.core.files import opened
from ragdiag.core.writing import PRIVATE

__all__ = ["append", "cut_or_ended", "open_to_append", "unfinished"]

BLOCK = 2**20
"""Bytes read at a time from a file's end."""


def open_to_append(path: Path) -> int:
    """A handle for `append`; a new file is for its owner's eyes alone. Raises `OSError`."""
    return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, PRIVATE)


def append(handle: int, data: bytes) -> None:
    """Add `data`, and see that it outlives a crash. Raises `OSError`; where there was no room for all of it, nothing is added."""
    # In one piece: of a killed run, no line but the last can be unfinished.
    written = os.write(handle, data)
    if written < len(data):
        os.ftruncate(handle, os.fstat(handle).st_size - written)  # else the next line would be added to half of this
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(handle)


def unfinished(path: Path) -> tuple[int, bytes]:
    """Where the last line of a file starts that has no end, and that line; the file's size and nothing where all have one."""
    with opened(path) as file:
        size = end = file.seek(0, os.SEEK_END)
        last = b""
        while end and b"\n" not in last:
            start = max(end - BLOCK, 0)
            file.seek(start)
            last, end = file.read(end - start) + last, start
    last = last[last.rfind(b"\n") + 1 :]
    return size - len(last), last


def cut_or_ended(path: Path, size: int, end: bytes) -> None:
    """Cut a file to `size` bytes, and add `end`."""
    with path.open("rb+") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
