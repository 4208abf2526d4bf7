"""What the documentation shows is what the program says: its commands and its Python are run, and what they print is compared.

A page's blocks run one after the other in a folder of their own that holds `fixtures`, so that one may use what an earlier one
made. In shown output a line ``...`` stands for whatever is left out, and times are not compared. Commands on files that only a
reader has (no output is shown of them) must parse. ``<!-- not run -->`` above a block leaves it out, ``<!-- needs PACKAGE -->``
where the package is not installed.
"""

import difflib
import itertools
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.core import registry
from ragdiag.scoring.gates import Gate
from ragdiag.search.encoder import Encoder

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent
ELSEWHERE = (ROOT / "docs" / "failures", ROOT / "docs" / "cli.md")
"""Made from what the program says by other tests."""

PAGES = [
    page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if not {page, page.parent} & set(ELSEWHERE)
]
BLOCK = re.compile(r"^(?P<marks>(?:<!-- .*? -->\n)*)```(?P<kind>console|python)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = "<!-- not run -->"
NEEDS = re.compile(r"<!-- needs (\w+) -->")
SCREEN = {"TERM": "dumb", "FORCE_COLOR": "1", "COLUMNS": "80"}
"""A terminal of 80 columns without colours, for rich; without these its output goes to no terminal and is as wide as 140."""

OWN = r"[A-Z]{4,}|.+\.(csv|db|html|json|jsonl|txt)|https?:.+"
"""What only a reader has."""

SPECS = {"--chunker": "chunkers", "--context": "contexts", "--retriever": "retrievers", "--swap": "retrievers"}
seen: dict[tuple[str, ...], tuple[str, int]] = {}
"""What commands said that leave no file behind, in a folder that held none but the fixtures."""


class Command(NamedTuple):
    """A line at a prompt, and what is shown below it."""

    line: str
    shown: list[str]

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)

    @property
    def in_shell(self) -> bool:
        """It needs a shell: it is piped, or its output goes somewhere."""
        return self.words[0] != "ragdiag" or bool({"|", ">", "&&", ";"} & set(self.words))


def commands(block: str) -> Iterator[Command]:
    """The commands at prompts, continued lines as one."""
    for part in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield Command(line, shown.strip("\n").splitlines() if shown.strip() else [])


def is_run(command: Command) -> bool:
    """Whether it is about the fixtures, what was made of them, or no file at all; others are on what only a reader has."""
    named = re.split(r"[\s'\"=,()]+", command.line)
    if "fixtures/" in command.line or any(word and Path(word).exists() for word in named):
        return True
    return bool(command.shown) and not any(re.fullmatch(OWN, word) for word in named)


def said(command: Command) -> tuple[str, int]:
    """Its output and exit status. The current folder is the page's."""
    if command.in_shell:
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        done = subprocess.run(["bash", "-c", f"PATH={path}; {command.line}"], capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode
    key, alone = tuple(command.words), [p.name for p in Path().iterdir()] == ["fixtures"]
    if alone and key in seen:
        return seen[key]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SCREEN.items():
            if any(len(line) > int(SCREEN["COLUMNS"]) for line in command.shown):
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        result = CliRunner().invoke(main, command.words[1:], prog_name="ragdiag")
    found = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.output), result.exit_code
    if alone and [p.name for p in Path().iterdir()] == ["fixtures"]:
        seen[key] = found
    return found


def plain(line: str) -> str:
    """A line without what differs from run to run: times, and how they are aligned."""
    line = line.rstrip()
    timeless = re.sub(r"\d[\d,.]* ?(ms|s|seconds|minutes)\b", r"T \1", line)
    return line if timeless == line else " ".join(timeless.split())


def agree(shown: list[str], real: list[str]) -> bool:
    """Whether `shown` is `real` but for what its lines ``...`` leave out."""
    at = 0
    parts = [list(part) for part in _split(shown)]
    for i, part in enumerate(parts):
        places = [0] if i == 0 else [len(real) - len(part)] if i == len(parts) - 1 and part else range(at, len(real) + 1)
        found = next((p for p in places if p >= at and real[p : p + len(part)] == part), None)
        if found is None:
            return False
        at = found + len(part)
    return len(parts) > 1 or at == len(real)


def _split(lines: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        if line.strip() == "...":
            yield part
            part = []
        else:
            part.append(line)
    yield part


def check_output(command: Command, output: str, status: int) -> None:
    # Whether embedding takes long enough to be foretold is this machine's matter.
    foretold = re.compile(r"note: embedding \w+: [\d,]+ texts, about ")
    real = [plain(line) for line in output.strip("\n").splitlines() if not foretold.match(line)]
    shown = [plain(line) for line in command.shown]
    wrong = any(line.startswith("error: ") for line in shown)
    assert status == 2 if wrong else status in (0, 1), f"$ {command.line}\nexit status {status}\n{output}"
    if shown:
        loose = [[line for line in lines if line] for lines in (shown, real)]  # blank lines may be left out
        same = agree(*loose)
        assert same, "\n".join([f"$ {command.line}", *difflib.unified_diff(*loose, "shown", "real", lineterm="", n=2)])


def check_parses(command: Command) -> None:
    """Its command, its options and what they name are there. Nothing is run."""
    name, words = command.words[1], command.words[2:]
    if name.startswith("-"):
        return
    assert name in main.commands, f"$ {command.line}\nno command {name}"
    found = main.commands[name]
    try:
        values, left, _ = found.make_parser(click.Context(found)).parse_args(args=words)
    except click.UsageError as e:
        pytest.fail(f"$ {command.line}\n{e.format_message()}")
    missing = [
        p.name for p in found.params if p.param_type_name == "argument" and p.required and not isinstance(values[p.name], str)
    ]
    assert not left and not missing, f"$ {command.line}\nmissing: {missing}, left over: {left}"
    for option, value in itertools.pairwise(words):
        if option in SPECS:
            registry.make(SPECS[option], value)
        elif option == "--fail-under":
            Gate.parse(value)


def run_block(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = 0
    for command in commands(text):
        if command.line == "echo $?":
            assert command.shown == [str(status)], f"exit status {status}, not {command.shown}"
        elif command.line.startswith("cd "):
            monkeypatch.chdir(command.words[1])
        elif not re.search(r"(^|\| )ragdiag ", command.line):
            continue
        elif is_run(command):
            output, status = said(command)
            check_output(command, output, status)
        elif not command.in_shell:
            check_parses(command)
    monkeypatch.chdir(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def surroundings(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the examples are run in: a folder with the fixtures, no network, the precision that every machine has."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), f"network: {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(Encoder, "precision", "float32")
    monkeypatch.setenv("RAGDIAG_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in SCREEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("fixtures").symlink_to(ROOT / "fixtures")


@pytest.mark.slow  # an audit of few chunks puts queries to an encoder, too
@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_blocks_do_what_they_show(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if NOT_RUN in block["marks"] or any(find_spec(name) is None for name in NEEDS.findall(block["marks"])):
            continue
        if block["kind"] == "console":
            run_block(block["text"], tmp_path, monkeypatch)
            continue
        code = compile(block["text"], page.name, "exec")
        if "fixtures/" in block["text"]:
            exec(code, names)


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("a|b|c", True),
        ("a|...|c", True),
        ("...|c", True),
        ("a|...", True),
        ("...|b|...", True),
        ("a|b", False),
        ("b|c", False),
        ("a|...|b", False),
        ("...|c|...|b|...", False),
        ("a|...|x|...", False),
    ],
)
def test_output_agrees_but_for_what_is_left_out(shown: str, same: bool) -> None:
    assert agree(shown.split("|"), ["a", "b", "c"]) is same


def test_commands_of_a_block_and_what_they_print() -> None:
    block = "$ ragdiag check A B   # first\nfine\n\nyes\n$ ragdiag audit A B \\\n    -k 3\n"
    first, second = commands(block)
    assert (first.words, first.shown) == (["ragdiag", "check", "A", "B"], ["fine", "", "yes"])
    assert (second.words, second.shown) == (["ragdiag", "audit", "A", "B", "-k", "3"], [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ragdiag adit A B", "no command adit"),
        ("ragdiag audit A B --no-such 3", "No such option"),
        ("ragdiag audit A", "missing: .'queries'"),
        ("ragdiag audit A B C", "left over: .'C'"),
    ],
)
def test_a_command_that_does_not_parse_is_told(line: str, reason: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception), match=reason):
        check_parses(Command(line, []))


def test_times_are_not_compared() -> None:
    assert plain("index 1.2 s   query  14 ms") == plain("index 13.5 s query 4 ms")
    assert plain("needs 12 chunks") != plain("needs 13 chunks")
