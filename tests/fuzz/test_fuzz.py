"""Every parser with inputs made worse: a minute of what ``python tests/fuzz/run.py`` does for hours, and all that ever failed."""

import json
import os
import random
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from guarding import Outcome, tried
from mutating import DEPTHS, Mutator, json_changed
from run import cases, slug
from targets import Target, targets
from targets_settings import sound_arrays

from ragdiag.core.errors import InputError, RagdiagError, UsageError
from ragdiag.core.files import MOST_DEEP, is_deep, parse_json

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent

CASES = 60
"""Inputs for each parser, times its weight."""

CRASHES = sorted(path for path in (HERE / "crashes").glob("*/*") if path.is_file())
"""Inputs that once brought about something else than a result or a line, by parser."""

Parser = Callable[[bytes, Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where inputs are read, with a file beside it that nothing names."""
    (tmp_path / "canary.txt").write_text("canary")
    inside, before = tmp_path / "here", Path.cwd()
    inside.mkdir()
    os.chdir(inside)
    yield inside
    os.chdir(before)


def told(target: Target, data: bytes, outcome: Outcome) -> str:
    return f"{target.name}: {outcome.failure}\n{data[:300]!r}\n{outcome.trace}"


@pytest.mark.parametrize("target", targets().values(), ids=lambda target: target.name)
def test_inputs_made_worse(target: Target, folder: Path) -> None:
    mutator = Mutator(target.seeds(), target.words)
    kinds = []
    for number, data in cases(target, 1, mutator):
        if number >= len(mutator.known) + CASES * target.weight:
            break
        outcome = tried(target.run, data, folder)
        assert not outcome.failure, told(target, data, outcome)
        kinds.append(outcome.kind)
    sound = kinds[: len(mutator.known)]
    assert any(kind.startswith("gives") for kind in sound), f"no input to begin with can be read: {sound}"


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_once_failed(path: Path, folder: Path) -> None:
    (target,) = (target for target in targets().values() if slug(target.name) == path.parent.name)
    outcome = tried(target.run, path.read_bytes(), folder)
    assert not outcome.failure, told(target, path.read_bytes(), outcome)


PAGES = """
import sys
from pathlib import Path
from ragdiag.core.errors import RagdiagError
from ragdiag.sources.loaders.html import load
for path in map(Path, sys.argv[1:]):
    try:
        load(path)
    except RagdiagError:
        pass
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc fills memory")
@pytest.mark.parametrize("filled_with", ["165", "90"])
def test_no_page_has_memory_read_that_nobody_wrote(filled_with: str) -> None:
    """From selectolax 0.4.8 on the parser does so where a page has a select of a kind: it crashes, or does not end."""
    pages = [str(path) for path in CRASHES if path.parent.name == "html"]
    environment = os.environ | {"MALLOC_PERTURB_": filled_with, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run([sys.executable, "-c", PAGES, *pages], env=environment, timeout=60, check=False)
    assert pages and done.returncode == 0


# That what is forbidden would be seen


def refuses_in_lines(data: bytes, folder: Path) -> object:
    raise UsageError("two\nlines")


def loops(data: bytes, folder: Path) -> object:
    while True:
        pass


def takes_memory(data: bytes, folder: Path) -> object:
    """More than this process ever had: less would not show."""
    most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    now = resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[1])
    return len(bytearray(b"x") * (most - now + 2**27))


def writes_outside(data: bytes, folder: Path) -> object:
    return (folder.parent / "outside.txt").write_bytes(data)


def reads_the_canary(data: bytes, folder: Path) -> object:
    return (folder / "../canary.txt").read_text()


def connects(data: bytes, folder: Path) -> object:
    with socket.socket() as s:
        s.settimeout(0.1)
        return s.connect_ex(("127.0.0.1", 9))


def runs_code(data: bytes, folder: Path) -> object:
    exec("def PWNED(): pass")
    return None


def starts_a_program(data: bytes, folder: Path) -> object:
    return os.system("true")


FORBIDDEN: dict[str, tuple[Parser, str]] = {
    "another error": (lambda data, folder: json.loads("{"), "JSONDecodeError"),
    "two lines": (refuses_in_lines, "2 lines"),
    "no end": (loops, "too long"),
    "a lot of memory": (takes_memory, "MB for"),
    "a file outside": (writes_outside, "writes"),
    "a file that nobody named": (reads_the_canary, "nobody named"),
    "a connection": (connects, "socket.connect"),
    "code": (runs_code, "runs code"),
    "a program": (starts_a_program, "os.system"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_is_forbidden_is_seen(what: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guarding.SECONDS", 0.05)
    monkeypatch.setattr("guarding.MEMORY", 2**24)
    run, says = FORBIDDEN[what]
    assert says in tried(run, b"x", folder).failure


def test_what_is_allowed_is_not(folder: Path) -> None:
    def writes(data: bytes, folder: Path) -> object:
        return (folder / "inside.txt").write_bytes(data)

    def refuses(data: bytes, folder: Path) -> object:
        raise InputError("is broken", "x.jsonl", 2, "mend it")

    for run in (writes, refuses):
        assert not tried(run, b"x", folder).failure


def test_inputs_are_the_same_for_the_same_seed() -> None:
    target = targets()["queries: own"]
    for seed in (0, 7):
        one, two = (Mutator(target.seeds()).made(random.Random(seed)) for _ in range(2))
        assert one == two


# Properties, for any input

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
RELAXED = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@RELAXED
@given(JSON)
def test_json_is_read_as_python_reads_it(value: Any) -> None:
    assert parse_json(json.dumps(value), Path("x")) == value


@RELAXED
@given(st.text(max_size=60) | JSON.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda n: text[:n])))
@example("9" * 5000)
@example('{"a": 1e999}')
def test_what_is_no_json_is_one_line(text: str) -> None:
    try:
        parse_json(text, Path("x"))
    except InputError as e:
        assert len(str(e).splitlines()) == 1


@RELAXED
@given(st.sampled_from([*DEPTHS, MOST_DEEP - 1, MOST_DEEP, MOST_DEEP + 1]), st.sampled_from(["[", '{"a":', "[2, "]))
def test_depth_has_one_bound(depth: int, opens: str) -> None:
    text = opens * depth + "1" + ("]" if opens[0] == "[" else "}") * depth
    try:
        value = json.loads(text)
    except RecursionError:
        value = None
    refused = False
    try:
        parse_json(text, Path("x"))
    except InputError:
        refused = True
    assert refused == (depth > MOST_DEEP)
    assert value is None or is_deep(value, text) == refused


@RELAXED
@given(JSON.filter(lambda value: isinstance(value, (dict, list)) and value), st.integers(0, 2**32))
def test_a_query_of_any_json_is_one_or_a_line(value: Any, seed: int) -> None:
    from targets_questions import OWN

    from ragdiag.sources.queries.own import query

    record = json.loads(json.dumps(OWN[seed % len(OWN)]))
    record[random.Random(seed).choice([*record, "evidence", "reviewed", "metadata"])] = value
    try:
        read = query(record, Path("q.jsonl"), 1)
    except RagdiagError as e:
        assert len(str(e).splitlines()) == 1
    else:
        assert read.id and isinstance(read.text, str)


@RELAXED
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_a_changed_file_of_arrays_is_never_believed(at: int, instead: bytes) -> None:
    import tempfile

    from ragdiag.core.cache import Cache

    sound = sound_arrays()
    at %= len(sound)
    changed = sound[:at] + instead + sound[at + len(instead) :]
    with tempfile.TemporaryDirectory() as own:
        (Path(own) / "key.npz").write_bytes(changed)
        assert (Cache(own).arrays("key") is not None) == (changed == sound)


@RELAXED
@given(JSON.filter(lambda value: isinstance(value, (dict, list)) and value), st.integers(0, 2**32))
def test_changed_json_is_text(value: Any, seed: int) -> None:
    assert isinstance(json_changed(value, random.Random(seed)), bytes)
