"""Reading with line and byte numbers, strict JSON, atomic writing."""

import codecs
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.core import files, writing
from ragdiag.core.errors import InputError, UnreadableDocument, UsageError, did_you_mean, nearest
from ragdiag.core.writing import json_lines

HERE = Path("file.jsonl")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Errors


def test_an_error_is_one_line_with_its_place_and_remedy() -> None:
    assert str(InputError("is\n broken", "a.txt", 3, "mend it")) == "a.txt:3: is broken; mend it"
    assert str(InputError("is broken", Path("a.txt"), byte=0)) == "a.txt at byte 0: is broken"
    assert str(InputError("is broken")) == "is broken"


def test_suggestions() -> None:
    assert nearest("bm52", ["bm25", "lsa"]) == "; did you mean 'bm25'?"
    assert nearest("xyz", ["bm25", "lsa"]) == ""
    assert nearest("doc-1x", [f"doc-{i}" for i in range(50_000)]) == ""
    assert did_you_mean("bm52", ["lsa", "bm25"]) == "; did you mean 'bm25'? (known: bm25, lsa)"
    assert did_you_mean("x", []) == ""


# Text


def test_text_keeps_its_line_ends_and_loses_its_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", codecs.BOM_UTF8 + "a\r\nb\rc\u2028é".encode())
    assert files.read_text(path) == "a\r\nb\rc\u2028é"


@pytest.mark.parametrize(("start", "byte"), [(b"", 2), (codecs.BOM_UTF8, 5)])
def test_what_is_not_utf8_is_named_by_its_byte_in_the_file(tmp_path: Path, start: bytes, byte: int) -> None:
    path = write(tmp_path / "a.txt", start + b"ab\xe9")
    with pytest.raises(UnreadableDocument) as error:
        files.read_text(path, UnreadableDocument)
    assert (error.value.byte, error.value.file) == (byte, str(path))
    assert "byte 0xe9" in error.value.message


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
@pytest.mark.parametrize("text", ["Leave is 25 days.\r\n", "Größe: 5 µm\n", "昼休みは12時からです。\n" * 9])
def test_wide_characters_are_named_with_and_without_a_mark(tmp_path: Path, encoding: str, text: str) -> None:
    for mark in ("", "\ufeff"):
        path = write(tmp_path / "a.txt", (mark + text).encode(encoding))
        with pytest.raises(UnreadableDocument, match=f"is {encoding[:6]}, not UTF-8") as error:
            files.read_text(path, UnreadableDocument)
        assert error.value.byte == 0
        told = error.value.remedy.split()[4]
        assert path.read_bytes().decode(told).lstrip("\ufeff") == text  # what the remedy says to do works


def test_null_bytes(tmp_path: Path) -> None:
    stray = "a line with one stray null\0 in it\n" + "and more text\n" * 20
    assert files.read_text(write(tmp_path / "a.txt", stray.encode())) == stray
    for raw in (b"name.txt" + bytes(504) + b"hello" + bytes(507), b"ab\0\0\0c\0d\0\0" * 20):
        with pytest.raises(UnreadableDocument, match=r"is no text: \d+ of \d+ bytes are null") as error:
            files.read_text(write(tmp_path / "a.txt", raw), UnreadableDocument)
        assert error.value.byte == raw.index(b"\0")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in (
        (tmp_path / "pipe", "a pipe or a device"),
        (Path(os.devnull), "a pipe or a device"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(InputError, match=what):
            files.read_bytes(path)
        for read in (files.read_jsonl, files.stream_jsonl):
            with pytest.raises(InputError, match=what):
                next(iter(read(path)))
    for path in (tmp_path / "gone", Path("a\0b"), tmp_path / "gone" / "x"):
        with pytest.raises(InputError, match="cannot be read"):
            files.read_bytes(path)


def test_a_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    with (tmp_path / "big").open("wb") as big:
        big.truncate(2**20 + 1)
    with pytest.raises(InputError, match="1 MB is more than the 1 MB limit; split the file"):
        files.read_bytes(tmp_path / "big")


# JSON


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "broken JSON: .* at column 2"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": [-Infinity]}', "-Infinity is not a JSON number"),
        ('{"a": {"b": 1, "b": 1}}', "key 'b' stands twice"),
        (r'{"a": "\ud800"}', "half of a surrogate pair"),
        (r'{"\uDFFF": 1}', "half of a surrogate pair"),
        ("[" * 100_000, "broken JSON"),
        ('{"a": ' + "9" * 5000 + "}", "broken JSON"),
    ],
)
def test_json_is_strict(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        files.parse_json(text, HERE, 7)
    assert error.value.line == 7


def test_the_line_inside_one_json_value() -> None:
    with pytest.raises(InputError) as error:
        files.parse_json('{"a": 1,\n\n"b": }', HERE)
    assert error.value.line == 3


def test_a_surrogate_pair_is_a_character() -> None:
    assert files.parse_json(r'"\ud83d\udeb0 \\ud800"', HERE) == "🚰 \\ud800"


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none())), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_json_lines_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]], end: str) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    write(path, "".join(json.dumps(r, ensure_ascii=False) + end for r in records))
    step = end.count("\n")
    wanted = [(1 + i * step, r) for i, r in enumerate(records)]
    assert list(files.read_jsonl(path)) == wanted
    streamed = list(files.stream_jsonl(path))
    assert [(line, r) for line, _, r in streamed] == wanted
    assert all(done <= path.stat().st_size for _, done, _ in streamed)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))))
def test_json_lines_are_one_object_a_line_and_can_be_ascii(records: list[dict[str, object]]) -> None:
    for ascii_only in (False, True):
        lines = json_lines(records, ascii_only).decode().split("\n")
        assert lines.pop() == ""
        assert [json.loads(line) for line in lines] == records
    assert json_lines(records, ascii_only=True).isascii()


def test_json_lines_have_what_json_has() -> None:
    assert json_lines([{"a": "é"}]) == '{"a": "é"}\n'.encode()
    assert json_lines([{"a": "\ud800"}], ascii_only=True) == b'{"a": "\\ud800"}\n'
    assert json_lines([{"a": {1}}], default=sorted) == b'{"a": [1]}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_lines([{"a": float("nan")}])


@pytest.mark.parametrize("reader", [files.read_jsonl, files.stream_jsonl])
def test_every_line_holds_an_object(tmp_path: Path, reader: object) -> None:
    path = write(tmp_path / "a.jsonl", '{}\n\n"text"\n')
    with pytest.raises(InputError, match="a JSON object is expected") as error:
        list(reader(path))  # type: ignore[operator]
    assert error.value.line == 3


def test_a_streamed_byte_is_counted_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", codecs.BOM_UTF8 + b'{}\n{"a": "\xff"}\n')
    with pytest.raises(InputError) as error:
        list(files.stream_jsonl(path))
    assert (error.value.line, error.value.byte) == (2, 3 + 3 + 7)


# Fields


def test_a_field_is_the_first_name_present() -> None:
    assert files.field({"b": 1, "c": 2}, ("a", "b", "c"), int, HERE, 1) == 1
    assert files.field({"a": 2.5}, ("a",), (int, float), HERE, 1) == 2.5
    assert files.field({"a": True}, ("a",), bool, HERE, 1) is True
    assert files.field({"a": 10**30}, ("a",), (str, int), HERE, 1) == 10**30


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("1", int, "'a' must be"),
        (True, int, "'a' must be"),
        (1.0, int, "'a' must be"),
        (None, str, "'a' must be"),
        (float("inf"), float, "'a' must be"),
        (2**53 + 1, int, "'a' is beyond"),
        (-(2**64), (int, float), "'a' is beyond"),
    ],
)
def test_a_field_of_the_wrong_kind(value: object, kind: type, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        files.field({"a": value}, ("a",), kind, HERE, 4)
    assert (error.value.file, error.value.line) == ("file.jsonl", 4)


def test_a_missing_field() -> None:
    with pytest.raises(InputError, match=r"file.jsonl:4: field 'a' is missing; add it"):
        files.field({}, ("a", "b"), int, HERE, 4)


# Writing


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "out.json", "old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UsageError, match=r"cannot write .*out\.json: No space left on device; choose"):
        writing.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    writing.write_atomically(tmp_path / "a", "é")
    write(tmp_path / "b", "x")
    assert (tmp_path / "a").read_bytes() == "é".encode()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_what_a_link_leads_to_is_replaced_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = write(tmp_path / "real" / "out.json", "old")
    (tmp_path / "link").symlink_to(target)
    writing.write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_text() == "new"


def test_a_device_or_a_pipe_is_written_to(tmp_path: Path) -> None:
    before = Path(os.devnull).stat()
    writing.write_atomically(Path(os.devnull), "x")
    assert os.path.samestat(before, Path(os.devnull).stat())
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writing.check_writable(tmp_path / "pipe")
    writing.write_atomically(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_what_is_written_is_for_those_it_was_for(tmp_path: Path, umask: int) -> None:
    def modes(mode: int | None) -> int:
        writing.write_atomically(tmp_path / "new", "x", mode)
        found = stat.S_IMODE((tmp_path / "new").stat().st_mode)
        (tmp_path / "new").unlink()
        return found

    (tmp_path / "shared").touch()
    (tmp_path / "shared").chmod(0o640)
    before = os.umask(umask)
    try:
        assert modes(None) == 0o666 & ~umask
        assert modes(writing.PRIVATE) == 0o600
        writing.write_atomically(tmp_path / "shared", "x", writing.PRIVATE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o640  # as its owner wants it


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_what_is_written_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def sync(handle: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().suffix or 'folder'}")

    replace = Path.replace
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    writing.write_atomically(tmp_path / "a", "x")
    assert done == ["sync .tmp", "replace", "sync folder"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ragdiag.core.writing import replacing\n"
        "with replacing(Path(sys.argv[1])) as file:\n    print(flush=True)\n    time.sleep(60)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "out.json")]
    killed, at_work = (subprocess.Popen(arguments, stdout=subprocess.PIPE) for _ in range(2))
    for process in (killed, at_work):
        assert process.stdout is not None and process.stdout.readline()
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / ".ragdiag-notes.tmp").write_text("a file of somebody else, from today")
    writing.write_atomically(tmp_path / "other.json", "x")
    kept = {path.name.partition("@")[0] for path in tmp_path.iterdir()}
    assert kept == {"other.json", ".ragdiag-notes.tmp", f".ragdiag-{at_work.pid}"}
    at_work.kill()
    at_work.communicate()


def test_what_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    writing.check_writable(tmp_path / "new.json")
    for path, why in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "does not exist"),
        (write(tmp_path / "f", "") / "x", "exist"),
    ):
        with pytest.raises(UsageError, match=why):
            writing.check_writable(path)
        with pytest.raises(UsageError, match="cannot write"):
            writing.write_atomically(path, "x")
