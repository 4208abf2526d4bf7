"""A cache on disk of what is costly to compute (vectors, indexes), by the hash of what it was made from.

Vectors are rows of one SQLite file for each model, which several processes may read and write, and which stays whole where a
process is killed. Arrays are ``.npz`` files written atomically. Nobody may write to arrays that are read; large ones are mapped.
Each entry carries a checksum over its content and key: what is damaged is dropped and made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from ragdiag.core.arrays import Array, VectorArray
from ragdiag.core.errors import UsageError
from ragdiag.core.mapped import read_arrays, write_arrays
from ragdiag.core.protocols import Store
from ragdiag.core.writing import PRIVATE, drop_stale, replacing

T = TypeVar("T")

__all__ = ["Cache", "arrays_of", "default_folder", "keep_text", "kept_text", "key_of", "opened"]

CHECKSUM_BYTES = 8
"""Bytes of checksum before each vector."""

SEAL_BYTES = 32
"""Bytes of checksum at the end of each file of arrays."""

NOT_ITS_FAULT = ("locked", "full", "unable to open")
"""Words of SQLite's errors about a database that is sound, but that cannot be used now."""

WAIT_S = 60.0
"""How long one process waits for another to finish writing."""


def default_folder() -> Path:
    """``$RAGDIAG_CACHE``, else ``$XDG_CACHE_HOME/ragdiag``, else ``~/.cache/ragdiag``. Raises `UsageError` without a home."""
    if named := os.environ.get("RAGDIAG_CACHE"):
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ragdiag"
    except RuntimeError as e:
        raise UsageError("there is no home folder for the cache; give --cache DIR or --no-cache, or set RAGDIAG_CACHE") from e


def opened(folder: str | Path | None) -> Cache | None:
    """The cache in `folder`; "" is the default one, None is none."""
    return None if folder is None else Cache(folder or default_folder())


class Cache:
    """A folder of vectors and arrays, for the user's eyes alone; see `protocols.Store`.

    Raises `UsageError` where the folder cannot be made or written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
            drop_stale(self.folder)
        except OSError as e:
            raise self._unusable(self.folder, e) from e

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, VectorArray]:
        """The vectors known for `keys`, as float32 arrays; unknown and damaged ones are absent."""
        distinct = list(dict.fromkeys(keys))

        def read(db: sqlite3.Connection) -> dict[bytes, VectorArray]:
            vectors = {}
            for i in range(0, len(distinct), 500):  # older versions of SQLite allow 999 question marks
                part = distinct[i : i + 500]
                marks = ",".join("?" * len(part))
                for key, value in db.execute(f"select key, value from vectors where key in ({marks})", part):
                    # A damaged file may give anything.
                    if isinstance(value, bytes) and _checksum(key, value[CHECKSUM_BYTES:]) == value[:CHECKSUM_BYTES]:
                        vectors[key] = np.frombuffer(value, dtype=np.float32, offset=CHECKSUM_BYTES)
            return vectors

        return self._in_database(model, read)

    def add_vectors(self, model: str, vectors: Mapping[bytes, VectorArray]) -> None:
        """Keep vectors, all of them or none."""
        rows = []
        for key, vector in vectors.items():
            raw = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
            rows.append((key, _checksum(key, raw) + raw))

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.executemany("insert or replace into vectors values (?, ?)", rows)
                for key, _ in rows:
                    if db.execute("select 1 from vectors where key = ?", (key,)).fetchone() is None:
                        raise sqlite3.DatabaseError("a damaged page hides what was written")

        self._in_database(model, write)

    def arrays(self, key: str) -> dict[str, Array] | None:
        """The arrays kept under `key`, or None where there are none or the file is damaged."""
        path = self.folder / f"{key}.npz"
        _drop_special(path)
        try:
            with path.open("rb") as file:
                if _sealed(file, key):
                    return read_arrays(file)
            path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as e:
            raise self._unusable(path, e) from e
        return None

    def add_arrays(self, key: str, arrays: Mapping[str, Array]) -> None:
        """Keep named arrays under `key`."""
        try:
            with replacing(self.folder / f"{key}.npz") as file:
                write_arrays(file, arrays)
                size = file.tell()
                file.seek(0)
                seal = _digest(file, size, key)
                file.seek(size)
                file.write(seal)  # behind the end of a zip file, where its readers do not mind it
        except OSError as e:
            raise self._unusable(self.folder, e) from e

    def _in_database(self, model: str, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run `action` on a model's database; one that turns out damaged is thrown away, since all in it can be made again."""
        path = self.folder / f"vectors-{hashlib.sha256(model.encode()).hexdigest()[:24]}.sqlite"
        for attempt in (1, 2):
            try:
                _prepare(path)
                with contextlib.closing(sqlite3.connect(path, timeout=WAIT_S)) as db:
                    db.text_factory = bytes  # what is damaged need not be UTF-8
                    # No write-ahead log: processes that set it at once fail with "locked" without waiting, and network folders
                    # cannot have one.
                    db.execute("pragma synchronous = normal")
                    db.execute("create table if not exists vectors (key blob primary key, value blob not null) without rowid")
                    return action(db)
            except OSError as e:
                raise self._unusable(path, e) from e
            except (sqlite3.Error, UnicodeError) as e:
                if attempt == 2 or any(word in str(e) for word in NOT_ITS_FAULT) or not os.access(path, os.W_OK):
                    raise self._unusable(path, str(e)) from e
                _discard(path)
        raise AssertionError("unreachable")

    @staticmethod
    def _unusable(path: Path, reason: str | OSError) -> UsageError:
        text = reason if isinstance(reason, str) else reason.strerror or type(reason).__name__
        return UsageError(f"cannot use the cache {path}: {text}; pass another --cache, or --no-cache")


def _files_of(database: Path) -> list[Path]:
    return [database.with_name(database.name + suffix) for suffix in ("-journal", "-wal", "-shm", "")]


def _discard(database: Path) -> None:
    for path in _files_of(database):
        with contextlib.suppress(OSError):  # what cannot go fails again when it is opened
            path.unlink()


def _drop_special(path: Path) -> None:
    """Remove what is in place of a file of ours: a pipe, which would be waited for for ever, a link, which leads elsewhere."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with contextlib.suppress(OSError):
            path.unlink()


def _prepare(database: Path) -> None:
    """So that SQLite opens nothing but files, each for the user's eyes alone, as its journal then is."""
    for path in _files_of(database):
        _drop_special(path)
    os.close(os.open(database, os.O_CREAT | os.O_WRONLY, PRIVATE))
    if os.name == "posix" and database.stat().st_mode & 0o077:
        database.chmod(PRIVATE)


def _sealed(file: BinaryIO, key: str) -> bool:
    """Whether what was written under `key` is what `file` holds."""
    size = file.seek(0, os.SEEK_END) - SEAL_BYTES
    if size < 0:
        return False
    file.seek(0)
    return _digest(file, size, key) == file.read()


def _digest(file: BinaryIO, size: int, key: str) -> bytes:
    """The checksum of the next `size` bytes of `file`, kept under `key`."""
    digest = hashlib.blake2b(key.encode(), digest_size=SEAL_BYTES)
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        digest.update(block)
        size -= len(block)
    return digest.digest()


def _checksum(key: bytes, raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=CHECKSUM_BYTES, key=key).digest()


def arrays_of(store: Store | None, what: str, texts: Sequence[str], build: Callable[[], dict[str, Array]]) -> Mapping[str, Array]:
    """The arrays that `build` makes of `texts`, from `store` where it has them; `what` names all else that they depend on."""
    if store is None:
        return build()
    key = key_of(what, texts)
    arrays = store.arrays(key)
    if arrays is None:
        arrays = build()
        store.add_arrays(key, arrays)
    return arrays


def key_of(what: str, texts: Sequence[str]) -> str:
    """The key of what is made of `texts`; `what` names all else that it depends on."""
    digest = hashlib.sha256(what.encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()


def kept_text(store: Store | None, key: str) -> str | None:
    """The text that `keep_text` kept under `key`; None where there is none."""
    kept = store.arrays(key) if store is not None else None
    return bytes(kept["text"].astype(np.uint8)).decode("utf-8", "surrogatepass") if kept and "text" in kept else None


def keep_text(store: Store | None, key: str, text: str) -> None:
    """Keep a text under `key`, where there is a store."""
    if store is not None:
        store.add_arrays(key, {"text": np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)})
