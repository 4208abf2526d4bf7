"""A copy of a folder of Qdrant's Python client that holds data only.

The client keeps each point as a pickle, and loads it: a pickle can run any program. So the points of the copy are loaded here
first, where nothing but a point can come of one, and the copy gets those that were; the client never sees another.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ragdiag.core.copying import copy_privately
from ragdiag.core.errors import InputError
from ragdiag.core.registry import require
from ragdiag.search.retrievers._source import Opaque

__all__ = ["copied"]

MODELS = "qdrant_client.http.models.models"
POINT = {
    *((MODELS, name) for name in ("PointStruct", "SparseVector")),
    *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
    ("decimal", "Decimal"),
    ("uuid", "SafeUUID"),
    ("uuid", "UUID"),
}
"""What a point and its payload are made of, beside numbers, texts and collections; none of these does anything."""

META, STORAGE = "meta.json", "storage.sqlite"
SIDES = ("-journal", "-wal", "-shm")
KNOWN = {META, STORAGE, *(STORAGE + side for side in SIDES)}
"""All files of such a folder that are read."""

REMEDY = "write the collection anew: its points may hold numbers, texts, lists, dicts, dates and UUIDs"


def copied(folder: Path, copy: Path) -> None:
    """Copy `folder` to `copy`, which is not there yet.

    Raises `InputError` for what is no data, and for names that lead elsewhere.
    """
    for path in sorted(folder.rglob("storage.dbm*")):
        raise InputError("is a storage of an older client, which holds pickles", path, remedy=REMEDY)
    # By exact names: where a file system makes no difference between STORAGE.SQLITE and storage.sqlite, the client finds both.
    copy_privately(folder, copy, left_out=[".lock"], wanted=KNOWN.__contains__)
    _check_names(folder / META, copy)
    for path in sorted(copy.rglob(STORAGE)):
        _renew(path, folder / path.relative_to(copy))


def _check_names(meta: Path, copy: Path) -> None:
    """Every collection lies in a folder of its name below the copy."""
    try:
        names = list(json.loads((copy / meta.name).read_text(encoding="utf-8"))["collections"])
    except (ValueError, RecursionError, LookupError, TypeError) as e:
        raise InputError("is not what Qdrant's client writes", meta, remedy="restore the file") from e
    for name in names:
        if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
            raise InputError(f"a collection's name leads elsewhere: {name[:100]!r}", meta, remedy="rename the collection")


def _renew(path: Path, original: Path) -> None:
    """Put in the place of a storage one that holds its points alone. Raises `InputError`, which names the `original`."""
    new = path.with_suffix(".new")
    require(MODELS, "qdrant")
    with (
        contextlib.closing(sqlite3.connect(path)) as old,
        contextlib.closing(sqlite3.connect(new)) as made,
        made,
    ):
        made.execute("CREATE TABLE points (id TEXT PRIMARY KEY, point BLOB)")
        made.executemany("INSERT INTO points (rowid, id, point) VALUES (?, ?, ?)", _points(old, original))
    for side in SIDES:
        path.with_name(path.name + side).unlink(missing_ok=True)
    new.replace(path)


def _points(storage: sqlite3.Connection, original: Path) -> Iterator[tuple[int, str, bytes]]:
    """The points of a storage, in their order."""
    for row, key, value in storage.execute("SELECT rowid, id, point FROM points ORDER BY rowid"):
        try:
            point = _Points(io.BytesIO(value)).load()
        except Exception as e:  # whatever a damaged or forged pickle brings about
            reason = str(e) if isinstance(e, _Refused) else "cannot be read"
            raise InputError(f"point {key!r} {reason}", original, remedy=REMEDY) from e
        if type(point).__name__ != "PointStruct":
            raise InputError(f"point {key!r} is none", original, remedy=REMEDY)
        yield row, key, value


class _Refused(pickle.UnpicklingError):
    """A pickle names what no point is made of."""


class _Points(pickle.Unpickler):
    """Loads points, and nothing that is not in `POINT`."""

    def find_class(self, module: str, name: str) -> Opaque:
        if (module, name) not in POINT:
            raise _Refused(f"holds {module[:60]}.{name[:60]}, which may be a program")
        return super().find_class(module, name)
