"""What only its user may read is so from its first moment on: whoever opened it in between would keep it open."""

import os
import pathlib
import stat
from pathlib import Path

import numpy as np
import pytest

from ragdiag.core.appending import append, open_to_append
from ragdiag.core.cache import Cache
from ragdiag.core.writing import PRIVATE, write_atomically

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no modes")


@pytest.fixture
def modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The mode that each new file and folder below `tmp_path` has right after it was made, under the widest umask."""
    found: dict[str, int] = {}
    opens, makes = os.open, os.mkdir

    def note(path: object, mode: int) -> None:
        name = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if name.startswith(str(tmp_path)):
            found[name] = stat.S_IMODE(mode)

    def opened(path: object, flags: int, *more: int, **others: int) -> int:
        new = bool(flags & os.O_CREAT) and not os.path.lexists(path)  # type: ignore[call-overload]
        handle = opens(path, flags, *more, **others)  # type: ignore[arg-type]
        if new:
            note(path, os.fstat(handle).st_mode)
        return handle

    def made(path: object, *more: int, **others: int) -> None:
        makes(path, *more, **others)  # type: ignore[arg-type]
        note(path, os.stat(path).st_mode)  # type: ignore[arg-type]  # noqa: PTH116

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "mkdir", made)
    if accessor := getattr(pathlib, "_NormalAccessor", None):  # Python 3.10's paths have looked it up already
        monkeypatch.setattr(accessor, "mkdir", staticmethod(made))
    return found


@pytest.fixture(autouse=True)
def widest_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_cache_never_was_for_other_eyes(tmp_path: Path, modes: dict[str, int]) -> None:
    cache = Cache(tmp_path / "cache")
    cache.add_vectors("m", {b"a": np.ones(3, np.float32)})
    cache.add_arrays("k", {"a": np.ones(3, np.float32)})
    assert {Path(name).suffix for name in modes} >= {"", ".sqlite"}
    assert len(modes) >= 3 and {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_labels_and_records_never_were_for_other_eyes(tmp_path: Path, modes: dict[str, int]) -> None:
    with os.fdopen(open_to_append(tmp_path / "record.jsonl"), "ab", buffering=0) as record:
        append(record.fileno(), b"{}\n")
    write_atomically(tmp_path / "labels.jsonl", b"{}\n", PRIVATE)
    assert len(modes) == 2 and set(modes.values()) == {0o600}
