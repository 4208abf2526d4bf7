"""However a command ends: what users, their files and their systems do wrong is one line and status 2, no "bug", no wait."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import ragdiag
from ragdiag.cli import main
from ragdiag.cli.config import Does, Option

posix = pytest.mark.skipif(os.name != "posix", reason="another system")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another system")

ALPHA = "Alpha pumps run at 40 bar. The valve closes at night.\n"
QUERY = {"_id": "q", "text": "bar of alpha pumps", "answer": "40", "evidence": [{"doc_id": "a.txt", "start": 0, "end": 26}]}
ANSWER = {"query_id": "q", "condition": "retrieved", "answer": "40 bar"}
BM25 = ("--retriever", "bm25", "--no-cache")

COMMANDS: dict[str, tuple[str, ...]] = {
    "audit": ("corpus", "queries.jsonl", *BM25),
    "compare": ("corpus", "queries.jsonl", "--retriever", "bm25", "--retriever", "lsa", "--no-cache"),
    "litmus": ("queries.jsonl", "--answers", "answers.jsonl"),
    "prompts": ("corpus", "queries.jsonl", *BM25),
    "explain": ("corpus", "queries.jsonl", "q", *BM25),
    "check": ("corpus", "queries.jsonl"),
    "diff": ("old.json", "new.json", "--corpus", "corpus", "--queries", "queries.jsonl", "--no-cache"),
    "decide": ("--problem", "behavior", "--need", "format", "--prompted", "no"),
    "demo": ("--out", "demo"),
    "export": ("corpus", "--form", "langchain", "--out", "out", *BM25),
    "tune": ("corpus", "queries.jsonl", "--space", "space.toml", "--no-causes", "--export", "toml", "--out", "o.toml", *BM25),
    "label": ("corpus", "queries.jsonl", "--out", "labels.jsonl", *BM25),
    "pool": ("corpus", "queries.jsonl", "--out", "pool"),
}
"""Each with what makes it end well."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    (work / "corpus").mkdir(parents=True)
    (work / "corpus" / "a.txt").write_text(ALPHA)
    (work / "queries.jsonl").write_text(json.dumps(QUERY) + "\n")
    (work / "answers.jsonl").write_text(json.dumps(ANSWER) + "\n")
    (work / "space.toml").write_text('step = ["", "merge"]')
    for file, text in reports().items():
        (work / file).write_text(text)
    monkeypatch.chdir(work)
    return work


@functools.cache
def reports() -> dict[str, str]:
    """Two reports of these documents: several things changed, and the query was lost."""
    now = ragdiag.audit({"a.txt": ALPHA}, [QUERY], retriever="bm25", swap="none", cache=None).as_dict()
    before = {**now, "pipeline": {**now["pipeline"], "chunker": "fixed(size=60)", "retriever": "bm25(stem=porter)"}}
    lost = [{**row, "served": False} for row in now["queries"]]
    return {"old.json": json.dumps(before), "new.json": json.dumps({**now, "queries": lost})}


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """What waits for ever fails."""

    def late(*_: Any) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def one_error(result: Any, what: object = "") -> str:
    """The line of an error, which is all that is shown."""
    status = result.exit_code if hasattr(result, "exit_code") else result.returncode
    assert status == 2, (what, result.stdout, result.stderr)
    assert result.stdout == "", what
    errors = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert len(errors) == 1, (what, result.stderr)
    assert errors[0].startswith("error: "), what
    assert "bug" not in errors[0] and "Traceback" not in errors[0], (what, errors[0])
    assert errors[0].isprintable(), what
    return errors[0]


def run(*command: str, shell: str = "", **extra: Any) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own; `shell` says what becomes of its streams."""
    arguments = [sys.executable, "-m", "ragdiag", *command]
    if shell:
        arguments = ["sh", "-c", f'"$@" {shell}', "sh", *arguments]
    done = subprocess.run(arguments, capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL, **extra)
    decoded = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *decoded)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_of_these_tests_end_well(here: Path, name: str) -> None:
    result = CliRunner().invoke(main, [name, *COMMANDS[name]])
    assert result.exit_code == 0, result.output


# Names of files


def parameters() -> list[tuple[str, click.Parameter]]:
    return [(name, p) for name, command in main.commands.items() for p in command.params if names_files(p)]


def names_files(parameter: click.Parameter) -> bool:
    if isinstance(parameter, Option):
        return parameter.does in (Does.READS, Does.WRITES)
    return parameter.name in ("corpus", "queries", "old", "new")


def with_value(name: str, parameter: click.Parameter, value: str) -> list[str]:
    """The command that ends well, but for this value."""
    command = list(COMMANDS[name])
    if isinstance(parameter, Option):
        more = {"--record": ["--live", "a:b", "--corpus", "corpus"], "--template": [], "--corpus": []}.get(parameter.opts[0], [])
        if parameter.opts[0] == "--template" and name == "litmus":
            more = ["--live", "json:dumps", "--corpus", "corpus", "--record", "r.jsonl"]
        if parameter.opts[0] in ("--chunks", "--run") and name == "litmus":
            more = ["--corpus", "corpus"]
        if parameter.opts[0] == "--cache":
            command.remove("--no-cache") if "--no-cache" in command else None
            more = ["--corpus", "corpus"] if name == "litmus" else []
        if parameter.opts[0] == "--run":
            command = [word for word in command if word not in BM25[:2]]
        return [name, *command, *more, parameter.opts[-1], value]
    arguments = [p.name for p in main.commands[name].params if isinstance(p, click.Argument)]
    command[arguments.index(str(parameter.name))] = value
    return [name, *command]


def long(_: Path) -> str:
    return "a" * 300


def loop(here: Path) -> str:
    (here / "loop.jsonl").symlink_to("loop.jsonl")
    return "loop.jsonl"


def null(_: Path) -> str:
    return "a\0b"


def pipe(here: Path) -> str:
    os.mkfifo(here / "pipe.jsonl")
    return "pipe.jsonl"


def below_a_file(_: Path) -> str:
    return "queries.jsonl/below"


def nowhere(_: Path) -> str:
    return "no/such/file.jsonl"


def not_unicode(_: Path) -> str:
    return os.fsdecode(b"no\xff/such.jsonl")


NAMES: list[Callable[[Path], str]] = [long, loop, null, below_a_file, nowhere, not_unicode, pipe]


@posix
@pytest.mark.parametrize("make", NAMES)
@pytest.mark.parametrize(("name", "parameter"), parameters(), ids=[f"{n}-{p.opts[-1]}" for n, p in parameters()])
def test_a_name_that_is_none(here: Path, name: str, parameter: click.Parameter, make: Callable[[Path], str]) -> None:
    made = make(here)
    writes = isinstance(parameter, Option) and parameter.does is Does.WRITES
    if writes and make is pipe and parameter.opts[0] not in ("--record", "--cache") and name != "pool":
        pytest.skip("a pipe is written to, once somebody reads from it")
    if writes and make in (nowhere, not_unicode) and parameter.opts[0] == "--cache":
        pytest.skip("a folder for the cache is made")
    if writes and make is loop and parameter.opts[0] in ("--json", "--html", "--out") and name != "pool":
        pytest.skip("see test_a_link_to_itself_is_not_written_to")
    with at_most(60):
        result = CliRunner().invoke(main, with_value(name, parameter, made))
    one_error(result, (name, parameter.opts[0]))


@posix
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_link_to_itself_is_not_written_to(here: Path, option: str) -> None:
    one_error(CliRunner().invoke(main, ["audit", *COMMANDS["audit"], option, loop(here)]))
    assert (here / "loop.jsonl").is_symlink()


@posix
@pytest.mark.parametrize("name", ["audit", "check", "litmus"])
def test_names_that_are_no_unicode_are_read_and_written(here: Path, name: str) -> None:
    odd = os.fsdecode(b"\xff")
    for file in ("corpus", "queries.jsonl", "answers.jsonl"):
        (here / file).rename(here / f"{odd}{file}")
    named = [f"{odd}{word}" if (here / f"{odd}{word}").exists() else word for word in COMMANDS[name]]
    outputs = ["--json", f"{odd}.json", *(["--html", f"{odd}.html"] if name != "check" else [])]
    result = CliRunner().invoke(main, [name, *named, *outputs])
    assert result.exit_code == 0, result.output
    json.loads((here / f"{odd}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["漢" * 80 + ".json", "a" * 250 + ".json"])
def test_a_name_of_any_length_that_the_system_allows_is_written(here: Path, name: str) -> None:
    assert CliRunner().invoke(main, ["check", "corpus", "queries.jsonl", "--json", name]).exit_code == 0
    assert json.loads((here / name).read_text(encoding="utf-8"))["label_defects"] == []


# Outputs that are inputs, or one another


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["audit", *COMMANDS["audit"], "--json", "queries.jsonl"], "--json queries.jsonl would overwrite an input"),
        (["audit", *COMMANDS["audit"], "--json", "corpus/a.txt"], "would overwrite an input"),
        (["audit", "corpus/*.txt", "queries.jsonl", *BM25, "--json", "corpus/a.txt"], "would overwrite an input"),
        (["audit", *COMMANDS["audit"], "--answers", "answers.jsonl", "--html", "./answers.jsonl"], "would overwrite an input"),
        (["audit", *COMMANDS["audit"], "--json", "x", "--html", "corpus/../x"], "--json and --html both name"),
        (["litmus", *COMMANDS["litmus"], "--format-rules", "rules.json", "--json", "rules.json"], "would overwrite an input"),
        (["litmus", "queries.jsonl", "--corpus", "corpus", "--live", "json:dumps", "--record", "r", "--json", "r"], "both name"),
        (["litmus", "queries.jsonl", "--corpus", "corpus", "--live", "json:dumps", "--record", "r", "--template", "queries.jsonl",
          "--html", "queries.jsonl"], "would overwrite an input"),
        (["prompts", *COMMANDS["prompts"], "--template", "t", "--out", "t"], "would overwrite an input"),
        (["decide", "--report", "r.json", "--json", "r.json"], "--json r.json would overwrite an input"),
    ],
)  # fmt: skip
def test_no_output_goes_where_something_else_is(here: Path, command: list[str], says: str) -> None:
    for name in ("rules.json", "t", "r.json"):
        (here / name).write_text('{"format": {"max_words": 9}}')
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert says in one_error(CliRunner().invoke(main, command))
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_outputs_beside_the_inputs_are_fine(here: Path) -> None:
    (here / "report.json").write_text("an older one")
    written = ["--json", "report.json", "--html", os.devnull]
    assert CliRunner().invoke(main, ["audit", *COMMANDS["audit"], *written]).exit_code == 0
    assert json.loads((here / "report.json").read_text())["queries"]
    assert CliRunner().invoke(main, ["audit", *COMMANDS["audit"], "--json", os.devnull, "--html", os.devnull]).exit_code == 0


# Streams


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    "command",
    [
        ("--help",),
        ("--version",),
        ("audit", "--help"),
        *((name, *COMMANDS[name]) for name in ("audit", "litmus", "prompts", "check", "decide")),
        ("check", *COMMANDS["check"], "--json", "-"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_no_room_for_what_is_shown(here: Path, command: tuple[str, ...]) -> None:
    line = one_error(run(*command, shell=">/dev/full"))
    assert "No space left on device" in line
    assert "--help" in command or "cannot write to standard output: " in line


@linux
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_no_room_for_a_report(here: Path, option: str) -> None:
    line = one_error(CliRunner().invoke(main, ["audit", *COMMANDS["audit"], option, "/dev/full"]))
    assert "cannot write /dev/full: No space left on device" in line


@pytest.mark.slow
@posix
def test_closed_streams(here: Path) -> None:
    assert "standard input is closed; name a file" in one_error(run("audit", "corpus", "-", *BM25, shell="<&-"))
    assert "standard input is closed" in one_error(run("label", *COMMANDS["label"], shell="<&-"))
    assert "standard input is closed" in one_error(run("decide", "--report", "-", shell="<&-"))
    assert "an answer is missing" in one_error(run("decide", shell="<&-"))
    assert "standard output is closed; give --json FILE" in one_error(run("audit", *COMMANDS["audit"], shell=">&-"))
    assert "standard output is closed; give --json FILE" in one_error(
        run("check", *COMMANDS["check"], "--json", "-", shell=">&-")
    )
    assert run("audit", *COMMANDS["audit"], "--quiet", "--json", "r.json", shell="<&- >&- 2>&-").returncode == 0
    assert json.loads((here / "r.json").read_text())["inputs"]["queries"] == 1
    assert run("audit", "corpus", "nowhere", shell=">&- 2>&-").returncode == 2
    assert run("audit", *COMMANDS["audit"], shell="2>/dev/full").returncode == 0


@linux
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # click 8.2's runner leaves the input open
def test_standard_input_that_does_not_end(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragdiag.core.files.MAX_BYTES", 2**20)
    with open("/dev/zero", "rb") as zeros, at_most(60):  # noqa: PTH123
        result = CliRunner().invoke(main, ["audit", "corpus", "-", *BM25], input=zeros)
    assert "standard input has more than the 1 MB that are read" in one_error(result)


@pytest.mark.slow
@posix
@pytest.mark.parametrize("command", [("--help",), ("audit", *COMMANDS["audit"]), ("check", *COMMANDS["check"], "--json", "-")])
def test_a_pipe_that_nobody_reads_any_more(here: Path, command: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "ragdiag", *command], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


# Surroundings


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    "surroundings",
    [
        {"COLUMNS": "1", "TERM": None},
        {"COLUMNS": "many", "TERM": "dumb", "HOME": "/no/such/home"},
        {"COLUMNS": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "no_such.locale", "LANG": None, "HOME": None},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
    ids=str,
)
def test_surroundings(here: Path, surroundings: dict[str, str | None]) -> None:
    (here / "corpus" / "ü.txt").write_text("Der Zähler läuft → nachts.\n", encoding="utf-8")
    env = {**os.environ, **surroundings}
    done = run("explain", *COMMANDS["explain"], env={name: value for name, value in env.items() if value is not None})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout


def test_nobody_has_a_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: Any) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(Path, "expanduser", homeless)
    for name in ("XDG_CACHE_HOME", "RAGDIAG_CACHE"):
        monkeypatch.delenv(name, raising=False)
    command = ["audit", "corpus", "queries.jsonl", "--retriever"]
    assert "there is no home folder for the cache; give --cache DIR" in one_error(CliRunner().invoke(main, [*command, "bm25"]))
    assert CliRunner().invoke(main, [*command, "bm25", "--no-cache"]).exit_code == 0
    assert "no model folder '~/m'" in one_error(CliRunner().invoke(main, [*command, "dense(model='~/m')", "--no-cache"]))


# Stopped from outside


@pytest.mark.slow
@posix
@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_command_that_is_stopped_leaves_nothing_behind(here: Path, how: str) -> None:
    (here / "slow.py").write_text(
        "import time\ndef answer(question, contexts):\n    open('asked', 'w').close()\n    time.sleep(60)\n"
    )
    (here.parent / "tmp").mkdir()
    command = ["litmus", "-", "--corpus", "corpus", *BM25, "--live", "slow:answer", "--record", "r.jsonl"]
    env = {**os.environ, "TMPDIR": str(here.parent / "tmp")}
    with (here / "queries.jsonl").open("rb") as queries:
        process = subprocess.Popen([sys.executable, "-m", "ragdiag", *command], stdin=queries, stderr=subprocess.PIPE, env=env)
    until(lambda: (here / "asked").exists())
    assert list((here.parent / "tmp").iterdir())
    process.send_signal(getattr(signal, how))
    notes, _, error = process.communicate(timeout=30)[1].rpartition(b"error: ")
    assert error == b"interrupted; the same command goes on where it stopped\n"
    assert notes.startswith(b"note: the index has only ")
    assert notes.count(b"\n") == 1
    assert process.returncode == 130
    assert list((here.parent / "tmp").iterdir()) == []


def until(so: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


@pytest.mark.slow
@posix
def test_who_ignores_a_signal_goes_on_ignoring_it(here: Path) -> None:
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from ragdiag.cli import main\n"
        "try: main(['check', 'corpus', 'queries.jsonl', '--quiet'])\n"
        "finally: print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "1 0\n" or ("SIG_IGN" in done.stdout and "SIG_DFL" in done.stdout)


@pytest.mark.slow
@linux
def test_workers_end_with_the_process_that_they_work_for(here: Path) -> None:
    """Each worker writes its process id, then works for a minute; the one that started them is killed."""
    code = """
import os, time
from pathlib import Path
from ragdiag.core.engines import results

def work(i):
    Path(f"worker{i}").write_text(str(os.getpid()))
    time.sleep(60)
    return {}

if __name__ == "__main__":
    list(results(work, [(0,), (1,)], 2))
"""
    (here / "grid_of_two.py").write_text(code)
    process = subprocess.Popen([sys.executable, "grid_of_two.py"])
    files = [here / "worker0", here / "worker1"]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    workers = [int(file.read_text()) for file in files]
    process.kill()
    process.wait()
    until(lambda: not any(alive(worker) for worker in workers), 15)


@pytest.mark.slow
@linux
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.2, 0.6, 2.0])
def test_workers_do_not_hear_of_an_interrupt(here: Path, moment: float) -> None:
    """A terminal sends it to all, while workers start or work: the process that they work for hears of it, and ends them
    without a word of theirs.
    """
    code = """
import time
from ragdiag.core.engines import results

if __name__ == "__main__":
    try:
        list(results(time.sleep, [(60,), (60,)], 2))
    except KeyboardInterrupt:
        print("heard")
"""
    (here / "grid_of_two.py").write_text(code)
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([sys.executable, "grid_of_two.py"], start_new_session=True, **both)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def workers() -> int:
        return sum(b"loky.backend.popen" in Path(f"/proc/{child}/cmdline").read_bytes() for child in children.read_text().split())

    until(lambda: workers() == 2)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "heard\n"


def alive(process: int) -> bool:
    """A process that is gone but for its entry, which nobody collects in a container, is not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_an_error_of_any_length_is_a_line_that_can_be_read() -> None:
    """Its start says what is wrong, its end what to do; what an input holds fills no screen."""
    from ragdiag.cli.ending import LONGEST, _inert

    shown = _inert(f"corpus.jsonl:1: unknown field {'x' * 10**6!r}; mend it")
    assert shown.startswith("corpus.jsonl:1: unknown field") and shown.endswith("; mend it")
    assert LONGEST < len(shown) < LONGEST + 10
    assert _inert("x" * LONGEST) == "x" * LONGEST
