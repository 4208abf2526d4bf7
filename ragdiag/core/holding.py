"""Files and folders that a process holds while it works on them: what nobody holds any more, a killed process left behind.

The system lets go of them however a process ends. So neither a clock that jumps nor a process number in use again makes anybody
take away what is still worked on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["hold", "temporary_folder"]

PREFIX = "ragdiag-"
"""How every temporary folder is called that one of these processes makes."""


def hold(handle: int) -> bool | None:
    """Hold an open file or folder till it is closed; False where another process does, None where the system cannot tell."""
    if sys.platform == "win32":  # where what is open cannot be removed anyway
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextlib.contextmanager
def temporary_folder(prefix: str = PREFIX) -> Iterator[str]:
    """A folder that is gone afterwards; where the process is killed, the next one that makes such a folder removes it."""
    _drop_left()
    while True:
        with contextlib.ExitStack() as held:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
            try:
                handle = held.enter_context(_open(folder))
            except FileNotFoundError:  # another process took it for one that was left, as nobody held it yet
                continue
            if handle is None or (hold(handle) is not False and os.path.lexists(folder)):
                yield folder
                return


@contextlib.contextmanager
def _open(folder: str | Path) -> Iterator[int | None]:
    """A handle of a folder, never of what a link leads to; None where folders have none."""
    if sys.platform == "win32":
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)


def _drop_left() -> None:
    """Remove the folders of killed processes of this user."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _open(path) as handle:
            if handle is not None and _is_ours(os.fstat(handle)) and hold(handle):
                shutil.rmtree(path, ignore_errors=True)


def _is_ours(folder: os.stat_result) -> bool:
    """Whether this user made a folder, for nobody else: what others put into a shared place is none of ours."""
    return sys.platform != "win32" and folder.st_uid == os.geteuid() and stat.S_IMODE(folder.st_mode) == 0o700
