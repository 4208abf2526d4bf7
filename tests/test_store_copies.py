"""A store that somebody else wrote is copied for this user alone, without what leads out of it; a path is never an address."""

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from ragdiag.core.copying import copy_privately
from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.search.retrievers._qdrant_folder import copied


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder that anybody may write to, as its files and folders."""
    folder = tmp_path / "store"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.bin", "inner/b.bin", "inner/LOCK"):
        (folder / name).write_text(name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)
    return folder


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder, *folder.rglob("*"))}


def test_a_copy_is_for_the_user_s_eyes_whatever_the_source_and_the_umask(store: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        copy_privately(store, tmp_path / "copy", left_out=["LOCK"])
        copy_privately(store / "a.bin", tmp_path / "one")
    finally:
        os.umask(before)
    found = {path.relative_to(tmp_path / "copy").as_posix(): path for path in (tmp_path / "copy").rglob("*")}
    assert set(found) == {"a.bin", "inner", "inner/b.bin"}
    assert found["inner/b.bin"].read_text() == "inner/b.bin"
    assert (tmp_path / "one").read_text() == "a.bin"
    if os.name == "posix":
        assert modes(tmp_path / "copy") == modes(tmp_path / "one") == {0}


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
@pytest.mark.parametrize("what", ["/dev/zero", "/", "../outside.txt", "a.bin", "nowhere", "pipe", "socket"])
def test_what_is_no_file_is_refused_before_anything_is_copied(
    store: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    odd = store / "inner" / "odd"
    if what == "pipe":
        os.mkfifo(odd)
    elif what == "socket":
        monkeypatch.chdir(odd.parent)  # a socket's address is short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(odd.name)
    else:
        odd.symlink_to(what)
    with pytest.raises(InputError, match=r"inner/odd: is a link, a pipe or a device, which no store has; .+") as e:
        copy_privately(store, tmp_path / "copy")
    assert "\n" not in str(e.value)
    assert not (tmp_path / "copy").exists()


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_the_folder_itself_may_be_named_by_a_link(store: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to("store")
    copy_privately(tmp_path / "named", tmp_path / "copy")
    assert (tmp_path / "copy" / "a.bin").read_text() == "a.bin"


def test_more_than_there_is_room_for_is_refused(store: Path, tmp_path: Path) -> None:
    with (store / "inner" / "hole").open("wb") as file:  # takes nothing here, and all the room there is as a copy
        file.truncate(shutil.disk_usage(tmp_path).free + 2**20)
    with pytest.raises(InputError, match="has room for"):
        copy_privately(store, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_of_a_qdrant_folder_only_known_names_are_copied(tmp_path: Path) -> None:
    # Where a file system makes no difference between cases, the client would load STORAGE.SQLITE, whose points nobody checked.
    of = tmp_path / "db" / "collection" / "notes"
    of.mkdir(parents=True)
    (tmp_path / "db" / "meta.json").write_text('{"collections": {"notes": {}}}')
    for name in ("STORAGE.SQLITE", "\u017ftorage.sqlite", "Storage.dbm", "storage.sqlite.new"):
        (of / name).touch()
    copied(tmp_path / "db", tmp_path / "copy")
    files = [path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert files == ["meta.json"]


LIBRARIES = {"chroma": "chromadb", "qdrant": "qdrant_client", "milvus": "milvus_lite"}


@pytest.mark.parametrize(
    "spec",
    ["chroma(collection=a, {})", "qdrant(collection=a, {})", "milvus(collection=a, {})", "lancedb(table=t, {})", "faiss({})"],
)
def test_a_path_is_no_address(spec: str) -> None:
    with pytest.raises(SpecError, match="path must be that of a file or folder of this machine, not s3://"):
        make("retrievers", spec.format("path='s3://evil-bucket/db'"))


@pytest.mark.stores
@pytest.mark.parametrize("scheme", ["s3:", "memory:", "db:"])
def test_lancedb_is_given_a_folder_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    lancedb = pytest.importorskip("lancedb")
    (tmp_path / scheme / "t.lance").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def connect(uri: str) -> None:
        asked.append(uri)
        raise OSError("enough")

    monkeypatch.setattr(lancedb, "connect", connect)
    with pytest.raises(RagdiagError, match="enough"):
        make("retrievers", f"lancedb(path='{scheme}', table=t)").stored_chunks(no_progress)
    assert asked == [str((tmp_path / scheme).resolve())]


@pytest.mark.stores
@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("store", LIBRARIES)
def test_a_link_in_a_store_is_one_line(tmp_path: Path, store: str) -> None:
    pytest.importorskip(LIBRARIES[store])
    folder = tmp_path / "db"
    (folder / "collections").mkdir(parents=True)
    (folder / "chroma.sqlite3").touch()
    (folder / "meta.json").write_text('{"collections": {}}')
    (folder / "endless").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="endless: is a link, a pipe or a device"):
        make("retrievers", f"{store}(collection=a, path={str(folder)!r})").stored_chunks(no_progress)
