"""Writing files: whole or not at all, for the user's eyes where nothing else is asked, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import platform
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ragdiag.core.errors import UsageError

__all__ = ["PRIVATE", "TEMPORARY", "check_writable", "drop_stale", "real", "replacing", "sync_folder", "write_atomically"]

PRIVATE = 0o600
"""For the user's eyes alone."""

STALE_S = 3600.0
"""What a process of another machine has not finished by then, it never will."""

TEMPORARY = ".tmp"


def real(path: str | Path) -> Path:
    """`path` with every link followed; a link to itself stays what it is."""
    return Path(os.path.realpath(path))


def check_writable(path: Path) -> None:
    """Raise `UsageError` where `write_atomically` is bound to fail: to be called before the work whose result it writes."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except (OSError, ValueError) as e:
        raise UsageError(f"cannot write {path}: {getattr(e, 'strerror', None) or e}; name another file") from e
    if stat.S_ISDIR(mode):
        raise UsageError(f"cannot write {path}: it is a folder; name a file")
    if mode and not stat.S_ISREG(mode):
        return
    folder = real(path).parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "is not writable" if folder.is_dir() else "does not exist"
        raise UsageError(f"cannot write {path}: the folder {folder} {why}; choose one that exists and can be written")


def write_atomically(path: Path, data: str | bytes, mode: int | None = None) -> None:
    """Write the whole file or nothing: a reader never sees half of it, a failed write leaves the old file, a crash one of them.

    A new file gets `mode`, or what any new file gets; one that is there keeps its own. A pipe or device such as ``/dev/null`` is
    written to, not replaced; of a link, what it leads to is replaced.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(raw)
            return
        path = real(path)
        drop_stale(path.parent)
        with replacing(path, _mode(path, mode)) as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.parent)
    except OSError as e:
        raise UsageError(f"cannot write {path}: {e.strerror or e}; choose a folder that exists and can be written") from e


def _mode(path: Path, wanted: int | None) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask if wanted is None else wanted


@contextlib.contextmanager
def replacing(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends, or is gone where that fails."""
    prefix = f".ragdiag-{os.getpid()}@{platform.node()[:64]}-"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=TEMPORARY)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make sure that the names in `folder` outlive a crash, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def drop_stale(folder: Path, pattern: str = f".ragdiag-*{TEMPORARY}") -> None:
    """Remove what killed processes left in `folder`: unfinished files of `replacing`, or whatever old `pattern` matches."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if _is_stale(path):
                path.unlink()


def _is_stale(path: Path) -> bool:
    process, _, machine = path.name.removeprefix(".ragdiag-").rpartition("-")[0].partition("@")
    if os.name == "posix" and process.isdecimal() and machine == platform.node()[:64]:
        try:
            os.kill(int(process), 0)  # asks only
        except ProcessLookupError:
            return True
    return time.time() - path.stat().st_mtime > STALE_S
