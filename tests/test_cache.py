"""The cache gives back what was put in, or nothing: whatever happened to its files, and whoever else writes."""

import multiprocessing
import os
import platform
import random
import signal
import sqlite3
import stat
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragdiag.core import cache
from ragdiag.core.cache import Cache, default_folder
from ragdiag.core.errors import UsageError
from ragdiag.core.protocols import text_key

SPAWN = multiprocessing.get_context("spawn")
KEYS = [text_key(str(i)) for i in range(40)]
VECTORS = {k: np.random.default_rng(i).normal(size=96).astype(np.float32) for i, k in enumerate(KEYS)}
ARRAYS = {"weights": np.arange(50.0), "rows": np.arange(7, dtype=np.int32), "none": np.empty((0, 3))}


def database(folder: Path) -> Path:
    (path,) = folder.glob("*.sqlite")
    return path


def same(found: dict[bytes, Any], expected: dict[bytes, Any]) -> bool:
    return found.keys() == expected.keys() and all((found[k] == v).all() for k, v in expected.items())


def test_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    Cache(tmp_path).add_vectors("m", VECTORS)
    found = Cache(tmp_path).vectors("m", [*KEYS, *KEYS, text_key("unknown")])
    assert same(found, VECTORS)
    assert all(v.dtype == np.float32 for v in found.values())
    assert Cache(tmp_path).vectors("m", []) == {}
    assert Cache(tmp_path).vectors("another model", KEYS) == {}


def test_many_keys_and_new_values(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    many = {text_key(f"many {i}"): np.full(3, i, dtype=np.float32) for i in range(2345)}
    store.add_vectors("m", many)
    store.add_vectors("m", {})
    assert same(store.vectors("m", list(many)), many)
    store.add_vectors("m", {KEYS[0]: np.ones(3)})
    store.add_vectors("m", {KEYS[0]: np.zeros(3)})
    assert store.vectors("m", KEYS[:1])[KEYS[0]].tolist() == [0, 0, 0]


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    assert store.arrays("k") is None
    store.add_arrays("k", ARRAYS)
    found = Cache(tmp_path).arrays("k")
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, each in ARRAYS.items():
        assert found[name].dtype == each.dtype
        assert (found[name] == each).all()
    assert np.load(tmp_path / "k.npz")["rows"].tolist() == list(range(7))  # an ordinary file all the same
    assert not list(tmp_path.glob("*.tmp"))


def test_text_keys() -> None:
    assert text_key("a") == text_key("a") != text_key("b")
    assert len(text_key("\ud800")) == 16


def test_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGDIAG_CACHE", "/a/b")
    assert default_folder() == Path("/a/b")
    monkeypatch.setenv("RAGDIAG_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_folder() == Path("/x/ragdiag")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path("/home/me/.cache/ragdiag")


# Damage.


def damaged(raw: bytes, kind: str, rng: random.Random) -> bytes:
    changed = bytearray(raw)
    if kind == "flip":
        for _ in range(rng.choice([1, 1, 1, 9])):
            changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif kind == "truncated":
        del changed[rng.randrange(len(raw)) :]
    elif kind == "header":
        changed[rng.randrange(min(100, len(raw)))] = rng.randrange(256)
    elif kind == "schema":
        changed[min(len(raw), 4096) - 1 - rng.randrange(200)] = rng.randrange(256)
    elif kind == "zeroed":
        at = rng.randrange(len(raw))
        changed[at : at + 512] = bytes(len(changed[at : at + 512]))
    else:
        changed = bytearray(rng.randbytes(rng.randrange(9000)))
    return bytes(changed)


DAMAGES = ["flip", "truncated", "header", "schema", "zeroed", "garbage"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_database_gives_no_wrong_vector_and_is_used_again(tmp_path: Path, kind: str) -> None:
    rng = random.Random(kind)
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    path = database(tmp_path)
    raw = path.read_bytes()
    for _ in range(30):
        path.write_bytes(damaged(raw, kind, rng))
        for _audit in range(4):  # what a damaged page hides may be noticed late, and then all is thrown away
            found = store.vectors("m", KEYS)
            assert same(found, {k: VECTORS[k] for k in found})
            store.add_vectors("m", {k: v for k, v in VECTORS.items() if k not in found})
        assert same(store.vectors("m", KEYS), VECTORS)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_of_arrays_is_dropped(tmp_path: Path, kind: str) -> None:
    rng = random.Random(kind)
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)
    path = tmp_path / "k.npz"
    raw = path.read_bytes()
    for _ in range(30):
        changed = damaged(raw, kind, rng)
        path.write_bytes(changed)
        assert (store.arrays("k") is None) == (changed != raw)
        assert path.exists() == (changed == raw)
    store.add_arrays("k", ARRAYS)
    assert store.arrays("k") is not None


def test_arrays_of_another_key_are_not_believed(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)
    (tmp_path / "k.npz").rename(tmp_path / "l.npz")
    assert store.arrays("l") is None


@pytest.mark.parametrize("value", [b"", b"short", b"12345678" + b"\0" * 12, 7, "text", 1.5])
def test_a_value_that_is_no_vector_is_unknown(tmp_path: Path, value: Any) -> None:
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    with sqlite3.connect(database(tmp_path)) as db:
        db.execute("update vectors set value = ? where key = ?", (value, KEYS[3]))
    db.close()
    assert same(store.vectors("m", KEYS), {k: v for k, v in VECTORS.items() if k != KEYS[3]})


def test_vectors_exchanged_between_keys_are_unknown(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    with sqlite3.connect(database(tmp_path)) as db:
        (value,) = db.execute("select value from vectors where key = ?", (KEYS[0],)).fetchone()
        db.execute("update vectors set value = ? where key = ?", (value, KEYS[1]))
    db.close()
    assert store.vectors("m", KEYS[:2]).keys() == {KEYS[0]}


def test_a_database_of_another_shape_is_made_again(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    path = database(tmp_path)
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table vectors (id integer)")
    db.close()
    assert store.vectors("m", KEYS) == {}
    store.add_vectors("m", VECTORS)
    assert same(store.vectors("m", KEYS), VECTORS)


# Several processes.


def write_much(folder: str, writer: int) -> None:
    store = Cache(folder)
    for r in range(8):
        store.add_vectors("m", {text_key(f"{writer} {r} {i}"): np.full(50, i, dtype=np.float32) for i in range(30)})
        store.add_vectors("m", {k: np.full(96, writer, dtype=np.float32) for k in KEYS})
        store.add_arrays("k", {"x": np.full(5000, writer)})
        kept = store.arrays("k")
        assert kept is not None
        assert (kept["x"] == kept["x"][0]).all()


@pytest.mark.slow
def test_processes_that_write_at_once(tmp_path: Path) -> None:
    writers = [SPAWN.Process(target=write_much, args=(str(tmp_path), w)) for w in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [w.exitcode for w in writers] == [0] * 4
    store = Cache(tmp_path)
    own = [text_key(f"{w} {r} {i}") for w in range(4) for r in range(8) for i in range(30)]
    assert len(store.vectors("m", own)) == len(own)
    shared = store.vectors("m", KEYS)
    assert len(shared) == len(KEYS)
    assert len({v[0] for v in shared.values()}) == 1  # the last writer's, all of them
    assert all((v == v[0]).all() for v in shared.values())


def write_forever(folder: str) -> None:
    store = Cache(folder)
    for r in range(10**9):
        store.add_vectors("m", {text_key(f"{r} {i}"): np.full(384, r, dtype=np.float32) for i in range(512)})
        store.add_arrays("k", {"x": np.full(200_000, r)})


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_killed_writer_leaves_a_cache_of_whole_writes(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    rng = random.Random(0)
    for _ in range(2):
        writer = SPAWN.Process(target=write_forever, args=(str(tmp_path),))
        writer.start()
        begun = time.monotonic()
        while not store.vectors("m", [text_key("2 0")]) and time.monotonic() - begun < 30:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.1)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)
        rounds = [len(store.vectors("m", [text_key(f"{r} {i}") for i in range(512)])) for r in range(60)]
        assert set(rounds) <= {0, 512}
        assert rounds[0] == 512
        kept = store.arrays("k")
        assert kept is None or (kept["x"] == kept["x"][0]).all()
        store.add_vectors("m", VECTORS)
        assert same(store.vectors("m", KEYS), VECTORS)


def test_a_writer_waits_for_another_and_gives_up_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WAIT_S", 0.05)
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    other = sqlite3.connect(database(tmp_path), isolation_level=None)
    other.execute("begin immediate")
    assert same(store.vectors("m", KEYS), VECTORS)  # reading does not wait for a writer
    with pytest.raises(UsageError, match=r"cannot use the cache .* database is locked; pass another --cache") as caught:
        store.add_vectors("m", {text_key("new"): np.ones(3)})
    assert "\n" not in str(caught.value)
    other.execute("rollback")
    other.close()
    store.add_vectors("m", {text_key("new"): np.ones(3)})
    assert same(store.vectors("m", KEYS), VECTORS)  # a lock is no damage: nothing was thrown away


# Folders that cannot be used.


def test_a_folder_is_made(tmp_path: Path) -> None:
    Cache(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def unusable(path: Path) -> str:
    with pytest.raises(UsageError, match="pass another --cache, or --no-cache") as caught:
        Cache(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert unusable(tmp_path / "file").startswith(f"cannot use the cache {tmp_path / 'file'}: ")
    unusable(tmp_path / "file" / "below")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder in which nobody can write")
def test_a_folder_in_which_nobody_can_write() -> None:
    unusable(Path("/proc"))
    unusable(Path("/proc/ragdiag"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in unusable(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without room")
def test_no_room_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)

    def full(dir: Path, prefix: str, suffix: str) -> tuple[int, str]:
        path = dir / f"{prefix}x{suffix}"
        path.write_bytes(b"")
        return os.open("/dev/full", os.O_RDWR), str(path)

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(UsageError, match="No space left on device; pass another --cache, or --no-cache"):
        store.add_arrays("k", {"x": np.zeros(100_000)})
    assert not list(tmp_path.glob("*.tmp"))
    assert store.arrays("k") is not None


# What is left of it, and for whom.


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
@pytest.mark.parametrize("umask", [0, 0o022])
def test_a_cache_is_for_the_user_s_eyes(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "new" / "cache"
    before = os.umask(umask)
    try:
        store = Cache(folder)
        store.add_vectors("m", VECTORS)
        store.add_arrays("k", ARRAYS)
        for path in folder.iterdir():
            path.chmod(0o644)  # as an older version left it
        store.add_arrays("k", ARRAYS)
        assert same(store.vectors("m", KEYS), VECTORS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="no pipes in folders")
def test_a_pipe_or_a_folder_in_place_of_an_entry_is_never_waited_for(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_vectors("m", VECTORS)
    store.add_arrays("k", ARRAYS)
    (database,) = tmp_path.glob("*.sqlite")
    for path in (database, tmp_path / "k.npz"):
        path.unlink()
        os.mkfifo(path)
    os.mkfifo(f"{database}-journal")
    assert store.vectors("m", KEYS) == {}
    assert store.arrays("k") is None
    store.add_vectors("m", VECTORS)
    store.add_arrays("k", ARRAYS)
    assert same(store.vectors("m", KEYS), VECTORS)
    assert store.arrays("k") is not None
    for path in (database, tmp_path / "k.npz"):
        path.unlink()
        path.mkdir()
    for use in (lambda: store.vectors("m", KEYS), lambda: store.arrays("k")):
        with pytest.raises(UsageError, match="pass another --cache, or --no-cache"):
            use()


def test_what_is_unfinished_goes_once_nobody_works_on_it(tmp_path: Path) -> None:
    Cache(tmp_path)
    node = platform.node()[:64]
    names = (f".ragdiag-{os.getpid()}@{node}-a.tmp", ".ragdiag-1@another-b.tmp", f".ragdiag-{2**22 + 1}@{node}-c.tmp", "old.tmp")
    for name in names:
        (tmp_path / name).write_text("")
    os.utime(tmp_path / "old.tmp", (0, 0))
    Cache(tmp_path)
    left = {*names[:2], "old.tmp"}  # which is none of ours: somebody keeps the cache among files of their own
    assert {path.name for path in tmp_path.iterdir()} == left
