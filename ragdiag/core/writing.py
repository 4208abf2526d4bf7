"""Writing files: JSON Lines; files that are written whole or not at all; temporary ones that do not stay behind."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ragdiag.core.errors import UsageError
from ragdiag.core.holding import hold

__all__ = [
    "PRIVATE",
    "TEMPORARY",
    "check_writable",
    "drop_stale",
    "json_lines",
    "make_folder",
    "real",
    "replacing",
    "sync_folder",
    "write_atomically",
]

PRIVATE = 0o600
"""The mode of a file that its owner alone may read and write."""

STALE_S = 3600.0
"""An unfinished file of this age is taken for left behind, where nobody can ask whether it is still worked on."""

TEMPORARY = ".tmp"


def json_lines(
    records: Iterable[Mapping[str, Any]], ascii_only: bool = False, default: Callable[[Any], object] | None = None
) -> bytes:
    """Records as JSON Lines in UTF-8. `ascii_only` escapes all other characters, halves of surrogate pairs among them.

    `default` turns a value that JSON does not have into one that it has, or raises `TypeError`. Raises `ValueError` for a number
    that is not finite, and for half of a surrogate pair that is not escaped.
    """
    lines = (json.dumps(record, ensure_ascii=ascii_only, default=default, allow_nan=False) + "\n" for record in records)
    return "".join(lines).encode()


def real(path: str | Path) -> Path:
    """`path` with every link followed; a link that leads back to itself stays as it is."""
    return Path(os.path.realpath(path))


def check_writable(path: Path) -> None:
    """Raise `UsageError` where `write_atomically` cannot but fail: called before long work whose result it will write."""
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


def write_atomically(path: Path, data: str | bytes | Iterable[str], mode: int | None = None) -> None:
    """Write the whole file or nothing; of several texts one behind the other, as they come.

    A reader sees the old file or the new one, never a part; so it is after a crash too.

    A new file gets `mode`, or where that is None the mode that any new file gets; one that is there keeps its own. A pipe or
    device such as ``/dev/null`` is written to, not replaced; of a link, what it leads to is replaced. Raises `UsageError` where
    the file cannot be written.
    """
    parts = [data] if isinstance(data, (str, bytes)) else data
    raw = (part.encode("utf-8") if isinstance(part, str) else part for part in parts)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                out.writelines(raw)
            return
        path = real(path)
        drop_stale(path.parent)
        with replacing(path, _mode(path, mode)) as out:
            out.writelines(raw)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.parent)
    except OSError as e:
        raise UsageError(f"cannot write {path}: {e.strerror or e}; choose a folder that exists and can be written") from e


def _mode(path: Path, mode: int | None) -> int:
    """The mode that `path` has, or where it is not there the one it gets: see `write_atomically`."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return 0o666 & ~mask if mode is None else mode


@contextlib.contextmanager
def replacing(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends, or is gone where that fails."""
    handle, temporary = _unfinished(path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _unfinished(folder: Path) -> tuple[int, str]:
    """A new file that this process holds, so that `drop_stale` of others leaves it alone, and its name."""
    prefix = f".ragdiag-{os.getpid()}@{platform.node()[:64]}-"
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=prefix, suffix=TEMPORARY)
        if hold(handle) is not False and os.path.lexists(name):
            return handle, name
        os.close(handle)  # another process took it for left behind, before it was held


def sync_folder(folder: Path) -> None:
    """Make sure that the names of the files in `folder` outlive a crash, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def drop_stale(folder: Path, pattern: str = f".ragdiag-*{TEMPORARY}") -> None:
    """Remove what killed processes left in `folder`: unfinished files of `replacing`, or whatever old `pattern` matches."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError), path.open("rb+") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and _is_stale(path, hold(file.fileno())):
                path.unlink()


def _is_stale(path: Path, held: bool | None) -> bool:
    """Whether nobody works on a file: `held` is whether this process could hold it, None where the system cannot tell.

    Else the process that its name holds has to be gone; where that is of another machine, or none, or was another, the file old.
    """
    if held is False:
        return False
    process, _, machine = path.name.removeprefix(".ragdiag-").rpartition("-")[0].partition("@")
    if os.name == "posix" and process.isdecimal() and machine == platform.node()[:64]:
        try:
            os.kill(int(process), 0)  # sends nothing: raises where there is no such process
        except ProcessLookupError:
            return True
        except PermissionError:  # there is, of another user
            pass
    return time.time() - path.stat().st_mtime > STALE_S


def make_folder(place: Path) -> None:
    """A folder, where there is none yet. Raises `UsageError` where it cannot be made."""
    try:
        place.mkdir(exist_ok=True)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or e
        raise UsageError(f"cannot make the folder {place}: {reason}; choose one whose parent exists") from e
