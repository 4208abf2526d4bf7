"""A folder of Qdrant's client keeps pickles: what is more than a point never runs, and points come through as they were."""

import contextlib
import datetime
import decimal
import json
import os
import pickle
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragdiag.core.errors import InputError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.search.retrievers._qdrant_folder import copied

pytestmark = pytest.mark.stores

qdrant = pytest.importorskip("qdrant_client")
PAYLOAD = {
    "page_content": "The kiln is lit on Mondays.",
    "when": datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc),
    "day": datetime.date(2026, 3, 1),
    "price": decimal.Decimal("1.50"),
    "of": uuid.UUID(int=7),
    "tags": ["a", {"b": None, "c": [True, 1.5]}],
    "kinds": {"clay"},
}


class Program:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of three points."""
    client, models = qdrant.QdrantClient(path=str(tmp_path / "db")), qdrant.models
    client.create_collection("notes", vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.upsert("notes", [models.PointStruct(id=i, vector=[1.0, float(i)], payload=PAYLOAD) for i in (3, 1, 2)])
    client.close()
    return tmp_path / "db"


def storage(folder: Path) -> Path:
    return folder / "collection" / "notes" / "storage.sqlite"


def rows(file: Path) -> list[tuple[int, str, bytes]]:
    with sqlite3.connect(file) as database:
        found = database.execute("SELECT rowid, id, point FROM points ORDER BY rowid").fetchall()
    database.close()
    return found


def points(folder: Path) -> Any:
    """What the client makes of a folder."""
    client = qdrant.QdrantClient(path=str(folder))
    found = client.scroll("notes", with_vectors=True)
    client.close()
    return found


def change(file: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(file) as database:
        database.execute(statement, values)
    database.close()


def read(folder: Path) -> Any:
    return make("retrievers", f"qdrant(collection=notes, path={str(folder)!r})").stored_chunks(no_progress)


def test_points_come_through_as_they_were(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path / "copy")
    assert rows(storage(tmp_path / "copy")) == rows(storage(folder))
    shutil.copytree(folder, tmp_path / "own")
    assert points(tmp_path / "copy") == points(tmp_path / "own")
    assert len(list(read(folder))) == 3


@pytest.mark.parametrize("where", ["a point", "a payload", "a row that a later one replaces"])
def test_a_program_is_refused_before_it_runs(folder: Path, tmp_path: Path, where: str) -> None:
    sprung = tmp_path / "sprung"
    program: Any = Program(sprung)
    if where == "a payload":
        program = pickle.loads(rows(storage(folder))[0][2])
        program.payload = {"text": Program(sprung)}
    statement = (
        "UPDATE points SET point = ?" if where != "a row that a later one replaces" else "INSERT INTO points VALUES ('x', ?)"
    )
    change(storage(folder), statement, pickle.dumps(program))
    with pytest.raises(InputError, match=r"storage\.sqlite: point '.*' holds (posix|nt)\.mkdir, which may be a program; write"):
        read(folder)
    assert not sprung.exists()
    for _, _, point in rows(storage(folder)):  # as the client by itself would: so this test can fail
        with contextlib.suppress(FileExistsError):
            pickle.loads(point)
    assert sprung.exists()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\x80\x04cqdrant_client.http.models.models\nPointStruct.__init__.__globals__\n.", "which may be a program"),
        (b"cbuiltins\neval\n(S'1'\ntR.", r"holds builtins\.eval"),
        (b"csubprocess\nPopen\n.", r"holds subprocess\.Popen"),
        (pickle.dumps(7), "is none"),
        (b"", "cannot be read"),
        (b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "cannot be read"),
        ("a text", "cannot be read"),
        (None, "cannot be read"),
    ],
    ids=["an attribute", "eval", "a class", "a number", "nothing", "a size", "no bytes", "null"],
)
def test_what_is_no_point_is_one_line(folder: Path, raw: object, says: str) -> None:
    change(storage(folder), "UPDATE points SET point = ?", raw)
    with pytest.raises(InputError, match=says) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../../elsewhere", "..", "/tmp/elsewhere", "a/b", "a\\b", ""])
def test_a_collection_does_not_lie_elsewhere(folder: Path, tmp_path: Path, name: str) -> None:
    meta = folder / "meta.json"
    said = json.loads(meta.read_text())
    said["collections"][name] = said["collections"]["notes"]
    meta.write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"meta\.json: a collection's name leads elsewhere"):
        read(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["db"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"collections": 3}', '{"collections": null}', "[" * 99999])
def test_a_meta_file_of_something_else(folder: Path, text: str) -> None:
    (folder / "meta.json").write_text(text)
    with pytest.raises(InputError, match=r"meta\.json: is not what Qdrant's client writes"):
        read(folder)


def test_a_storage_of_an_older_client_is_refused(folder: Path) -> None:
    storage(folder).with_name("storage.dbm").write_bytes(b"")
    with pytest.raises(InputError, match="is a storage of an older client, which holds pickles"):
        read(folder)


def test_what_the_database_computes_is_computed_once(folder: Path, tmp_path: Path) -> None:
    """A view may give one thing to who looks, and another to who loads: the client gets a table of what was looked at."""
    good, sprung = rows(storage(folder))[0], tmp_path / "sprung"
    change(storage(folder), "ALTER TABLE points RENAME TO good")
    bad = pickle.dumps(Program(sprung)).hex()
    change(
        storage(folder),
        f"CREATE VIEW points AS SELECT rowid, id, CASE WHEN random() % 2 THEN point ELSE x'{bad}' END AS point FROM good",
    )
    for _ in range(20):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        try:
            copied(folder, tmp_path / "copy")
        except InputError:
            continue
        assert {row[2] for row in rows(storage(tmp_path / "copy"))} <= {row[2] for row in [good, *rows_of_good(folder)]}
    assert not sprung.exists()


def rows_of_good(folder: Path) -> list[tuple[int, str, bytes]]:
    with sqlite3.connect(storage(folder)) as database:
        found = database.execute("SELECT rowid, id, point FROM good").fetchall()
    database.close()
    return found
