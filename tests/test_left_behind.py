"""What a killed process leaves goes, what another still works on stays; lines that are added are there whole or not at all."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragdiag
from ragdiag.core.appending import append, open_to_append
from ragdiag.core.cache import Cache
from ragdiag.core.errors import UsageError
from ragdiag.core.holding import temporary_folder
from ragdiag.core.protocols import text_key
from ragdiag.core.writing import drop_stale, replacing
from ragdiag.label.answer_review import AnswerReview

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another system")


@contextlib.contextmanager
def at_work(code: str, ready: Callable[[], object]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs `code` and then sleeps; it has done its work when `ready`."""
    process = subprocess.Popen([sys.executable, "-c", f"import time\n{code}\n    time.sleep(600)"])
    try:
        until(ready)
        yield process
    finally:
        process.kill()
        process.wait()


def until(so: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


@contextlib.contextmanager
def room(file_bytes: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what is written across that is cut, as where the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# Files


@pytest.mark.parametrize("pattern", [".ragdiag-*.tmp", "*.tmp"])
def test_no_clock_makes_an_unfinished_file_stale_that_somebody_writes(tmp_path: Path, pattern: str) -> None:
    code = (
        "from pathlib import Path\nfrom ragdiag.core.writing import replacing\n"
        f"with replacing(Path({str(tmp_path / 'a')!r})):\n    Path({str(tmp_path / 'begun')!r}).touch()"
    )
    with at_work(code, (tmp_path / "begun").exists) as process:
        (unfinished,) = tmp_path.glob("*.tmp")
        os.utime(unfinished, (0, 0))  # to a clock that has jumped by decades
        elsewhere = unfinished.rename(tmp_path / ".ragdiag-1@elsewhere-x.tmp")  # whose process cannot be asked about
        drop_stale(tmp_path, pattern)
        assert elsewhere.exists()
        process.kill()
        process.wait()
        drop_stale(tmp_path, pattern)
        assert not elsewhere.exists()


def test_a_file_that_was_taken_away_before_it_was_held_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process drops it between the two steps, in which it belongs to nobody."""
    from ragdiag.core import writing

    taken = []

    def late(handle: int) -> bool | None:
        if not taken:
            taken.extend(tmp_path.glob("*.tmp"))
            taken[0].unlink()
        return hold(handle)

    hold = writing.hold
    monkeypatch.setattr(writing, "hold", late)
    with replacing(tmp_path / "a") as file:
        file.write(b"whole")
    assert taken
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"whole"


# Folders


@pytest.mark.parametrize("step", ["mkdtemp", "hold"])
def test_a_folder_that_was_taken_away_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Another process takes it for one that was left, before it is opened, or before it is held."""
    from ragdiag.core import holding

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = {"mkdtemp": tempfile, "hold": holding}[step]
    own, taken = getattr(home, step), []

    def late(*given: Any, **named: Any) -> Any:
        made = own(*given, **named) if step == "mkdtemp" else None
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].rmdir()
        return made or own(*given, **named)

    monkeypatch.setattr(home, step, late)
    with holding.temporary_folder() as folder:
        Path(folder, "given").touch()
        assert len(taken) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "ragdiag-of-mine").mkdir(mode=0o755)  # made by hand
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "ragdiag-link").symlink_to("elsewhere")
    code = (
        "from pathlib import Path\nfrom ragdiag.core.holding import temporary_folder\n"
        "with temporary_folder('ragdiag-given-') as folder:\n    Path(folder, 'confidential').touch()"
    )
    with at_work(code, lambda: list(tmp_path.glob("*/confidential"))) as process:
        (confidential,) = tmp_path.glob("*/confidential")
        os.utime(confidential.parent, (0, 0))
        with temporary_folder() as other:
            assert confidential.exists()
            assert Path(other).stat().st_mode & 0o777 == 0o700
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert confidential.exists()
        with temporary_folder():
            assert not confidential.parent.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"ragdiag-of-mine", "elsewhere", "ragdiag-link"}


@pytest.mark.slow
def test_a_worker_that_waits_for_its_first_task_ends_with_the_process_that_it_works_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one_task.py").write_text("""
import time
from pathlib import Path
from ragdiag.core.engines import results

def work():
    Path("began").touch()
    time.sleep(600)
    return {}

if __name__ == "__main__":
    list(results(work, [()], 2))
""")
    process = subprocess.Popen([sys.executable, "one_task.py"])
    until(lambda: (tmp_path / "began").exists() and len(workers_of(process.pid)) == 2)
    workers = workers_of(process.pid)
    process.kill()
    process.wait()
    until(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() and is_worker(worker) for worker in workers), 60)


def workers_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    threads = [t for t in Path(f"/proc/{parent}/task").iterdir() if t.name != str(parent)]
    children += [child for thread in threads for child in (thread / "children").read_text().split()]
    return [int(child) for child in children if is_worker(int(child))]


def is_worker(process: int) -> bool:
    try:
        return b"LokyProcess" in Path(f"/proc/{process}/cmdline").read_bytes()  # empty once it has ended
    except OSError:
        return False


# Lines


def test_where_there_is_no_room_for_a_line_nothing_of_it_is_added(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    handle = open_to_append(file)
    append(handle, b"first\n")
    with room(10), pytest.raises(OSError, match="No space left"):
        append(handle, b"second\n")
    assert file.read_bytes() == b"first\n"
    append(handle, b"third\n")
    os.close(handle)
    assert file.read_bytes() == b"first\nthird\n"


def review(file: Path) -> AnswerReview:
    queries = [{"_id": f"q{i}", "text": f"Who is {i}?", "answer": "Ada"} for i in range(4)]
    rows = [{"query_id": f"q{i}", "condition": "retrieved", "answer": f"Ada Bell {i}"} for i in range(4)]
    return AnswerReview(ragdiag.litmus(queries, rows), file, "ada", "random", 4)


def test_a_label_for_which_there_is_no_room_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "marks.jsonl"
    session = review(file)
    session.decide([True])
    with room(file.stat().st_size + 20), pytest.raises(UsageError, match=r"cannot write .*No space left"):
        session.decide([True])
    session.decide([False])
    assert [json.loads(line)["correct"] for line in file.read_text().splitlines()] == [True, False]


@pytest.mark.parametrize(("cut", "left"), [(1, 2), (30, 1)], ids=["it lacks its end only", "half of it is there"])
def test_a_review_goes_on_where_a_killed_one_wrote_part_of_a_line(tmp_path: Path, cut: int, left: int) -> None:
    file = tmp_path / "marks.jsonl"
    session = review(file)
    session.decide([True])
    session.decide([True])
    file.write_bytes(file.read_bytes()[:-cut])
    review(file).decide([False])
    assert [json.loads(line)["correct"] for line in file.read_text().splitlines()] == [True] * left + [False]


def test_what_is_no_file_of_labels_is_not_cut(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("my notes, without an end")
    with pytest.raises(ragdiag.RagdiagError):
        review(file)
    assert file.read_text() == "my notes, without an end"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_answer_for_which_there_is_no_room_does_not_spoil_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    from ragdiag.answering.live.asking import Questions
    from ragdiag.core.prompt import Prompt, Reply
    from ragdiag.core.protocols import no_progress

    class Model:
        name = "m"

        def seen(self, prompt: Prompt) -> str:
            return prompt.text

        def answer(self, prompt: Prompt) -> Reply:
            return Reply("Ada. " * int(prompt.query_id.strip("q")))

        def close(self) -> None:
            pass

    prompts = [Prompt(f"q{i}", "oracle", f"Who is {i}?", ("Ada is.",), f"{i}: who is it?") for i in (9, 8, 7, 1, 2, 3)]
    file = tmp_path / "record.jsonl"
    with room(1000), pytest.raises(UsageError, match="cannot write"):
        Questions(prompts, 1, Model(), file).ask(concurrency, no_progress)
    assert all(json.loads(line)["answer"] for line in file.read_text().splitlines())
    asked = Questions(prompts, 1, Model(), file).ask(concurrency, no_progress)
    assert len({json.loads(line)["query_id"] for line in file.read_text().splitlines()}) == 6
    assert not asked.failures


# The cache


@pytest.mark.parametrize("target", ["empty", "text", "database", "missing"])
def test_a_link_in_place_of_an_entry_is_not_followed(tmp_path: Path, target: str) -> None:
    store, outside = Cache(tmp_path / "cache"), tmp_path / "outside"
    key, vector = text_key("a"), np.ones(3, dtype=np.float32)
    store.add_vectors("m", {key: vector})
    store.add_arrays("k", {"x": np.arange(5)})
    for path in sorted((tmp_path / "cache").iterdir()):
        outside.unlink(missing_ok=True)
        if target != "missing":
            outside.write_bytes({"empty": b"", "text": b"my notes", "database": path.read_bytes()}[target])
            outside.chmod(0o644)
        before = outside.exists() and (outside.read_bytes(), outside.stat().st_mode)
        path.unlink()
        path.symlink_to(outside)
        assert store.vectors("m", [key]).keys() <= {key}
        store.add_vectors("m", {key: vector})
        store.add_arrays("k", {"x": np.arange(5)})
        assert store.vectors("m", [key])[key].tolist() == [1, 1, 1]
        assert (outside.exists() and (outside.read_bytes(), outside.stat().st_mode)) == before
        assert not path.is_symlink()


# Signals


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_in_a_destructor_is_neither_lost_nor_a_traceback(name: str) -> None:
    code = f"""
import os, signal, sys, time
from ragdiag.cli.ending import orderly

class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)

try:
    with orderly():
        held = Held()
        del held
        time.sleep(600)
except KeyboardInterrupt:
    print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("stopped\n", "")
