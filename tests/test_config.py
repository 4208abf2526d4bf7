"""A folder's configuration: what may stand in it, and what is wrong with one. That it sets defaults is tested in `test_cli`."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main
from ragdiag.cli.config import CONFIGURABLE, Does, Option
from ragdiag.core.registry import make, names, strategy_class
from ragdiag.core.remote import FETCHED, LOCAL, is_text, remote_part
from ragdiag.search.retrievers.pgvector import Pgvector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (str(FIXTURES / "tiny"), str(FIXTURES / "tiny" / "queries.jsonl"))
FAMILIES = ("chunkers", "contexts", "retrievers", "judges")

OPTIONS = [(name, p) for name, command in main.commands.items() for p in command.params if p.param_type_name == "option"]


def name_of(option: Option) -> str:
    return option.opts[-1].lstrip("-")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def audit(*more: str) -> Result:
    return CliRunner().invoke(main, ["audit", *TINY, *more], prog_name="ragdiag")


def refused(result: Result, *says: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    for text in ("error: ", *says):
        assert text in line
    assert "bug" not in line


# What each option brings about

WRITTEN = {"acceptable", "export", "json", "html", "out", "output", "record", "cache"}
CONNECTING = {"between", "cluster", "live", "page", "port", "rewrite", "search", "search-model", "space"}
SPENDING = {"concurrency", "condition", "max-tokens", "model", "price", "repeats", "retries", "timeout"}
"""Of `litmus` and `prompts`: what asking a model comes to. A folder's file that set them would be agreed to with ``--yes``."""
EMBEDDING = {("check", "sample")}
"""How many texts are embedded anew, perhaps by a model that is paid for."""


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=[f"{c}{o.opts[-1]}" for c, o in OPTIONS])
def test_every_option_says_what_it_does(command: str, option: object) -> None:
    assert isinstance(option, Option), f"{command}: make it with one of flags.tells, reads, chooses, writes, connects, agrees"
    name = name_of(option)
    written = name in WRITTEN or (command, name) == ("litmus", "citations")  # a question of `decide` has that name too
    assert (option.does is Does.WRITES) == written
    assert (option.does is Does.CONNECTS) == (name in CONNECTING)
    spent = name == "calls" or (command, name) in EMBEDDING or (command in ("litmus", "prompts") and name in SPENDING)
    assert (option.does is Does.SPENDS) == spent
    assert (option.does is Does.AGREES) == (name == "yes")
    assert (option.does is Does.CHOOSES) == (option.metavar in ("SPEC", "KIND")) == bool(option.family)
    # Whatever takes a file, a folder or an address is more than a word that tells something.
    assert option.metavar not in ("FILE", "DIR", "TARGET", "CORPUS", "[CONDITION=]FILE") or option.does is not Does.TELLS
    assert option.metavar is not None or option.does is not Does.READS


def test_every_text_of_a_strategy_is_known_to_stay_here_or_may_not_be_configured() -> None:
    texts = {
        field.name
        for family in FAMILIES
        for strategy in (strategy_class(family, name) for name in names(family))
        for field in dataclasses.fields(strategy)
        if field.init and is_text(strategy, field.name)
    }
    of_a_database = {field.name for field in dataclasses.fields(Pgvector) if is_text(Pgvector, field.name)} - FETCHED
    assert texts == LOCAL | FETCHED | {"url", "function"} | of_a_database
    assert remote_part(make("contexts", "call(function='somewhere:context')"))  # it runs code


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A strategy of another package."""

    server: str = ""
    mode: str = "fast"


def test_a_text_that_nobody_knows_may_lead_anywhere() -> None:
    assert remote_part(Plugin(server="db.example")) == "server='db.example'"
    assert remote_part(Plugin()) == ""


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("bm25(k1=1.2)", ""),
        ("dense", ""),
        ("dense(model='./models/e5', precision=float32)", ""),
        ("dense(model='work')", ""),
        ("chroma(path='index', collection=docs)", ""),
        ("dense(model='someone/model')", "model='someone/model'"),
        ("hybrid(bm25, dense(model='someone/model'))", "model='someone/model'"),
        ("dedupe(latest(rerank(bm25, model=m)))", "model='m'"),
        ("chroma(url='http://there:8000', collection=docs)", "url='http://there:8000'"),
        ("qdrant(path='index', collection=docs)", ""),
        ("qdrant(url='http://there:6333', collection=docs)", "url='http://there:6333'"),
        ("milvus(path='index.db', collection=docs)", ""),
        ("milvus(url='http://there:19530', collection=docs)", "url='http://there:19530'"),
        ("elastic(url='http://there:9200', index=docs)", "url='http://there:9200'"),
        ("elastic_knn(url='http://there:9200', index=docs, vector=v)", "url='http://there:9200'"),
        ("lancedb(path='index', table=docs)", ""),
        ("faiss(path='index.faiss', texts='texts.jsonl')", ""),
        ("chroma(path='index', collection=docs, model='someone/model')", "model='someone/model'"),
    ],
)
def test_what_a_retriever_leads_to(here: Path, spec: str, part: str) -> None:
    (here / "work").mkdir()
    assert remote_part(make("retrievers", spec)) == part


@pytest.mark.parametrize(
    ("spec", "part"), [("fixed", ""), ("fixed(unit=characters)", ""), ("fixed(unit='someone/model')", "unit='someone/model'")]
)
def test_what_a_chunker_leads_to(spec: str, part: str) -> None:
    assert remote_part(make("chunkers", spec)) == part


# What may not stand in a folder's configuration

DANGEROUS = sorted({name_of(o): o for _, o in OPTIONS if isinstance(o, Option) and o.does not in CONFIGURABLE}.items())


@pytest.mark.parametrize(("name", "option"), DANGEROUS)
@pytest.mark.parametrize("file", ["ragdiag.toml", "pyproject.toml"])
def test_what_writes_connects_or_agrees_is_not_taken_from_a_folder(here: Path, name: str, option: Option, file: str) -> None:
    start = "k = 3\n" if file == "ragdiag.toml" else "[tool.ragdiag]\n"
    (here / file).write_text(f"{start}{name} = {'true' if option.is_flag else repr('../victim')}\n")
    (here.parent / "victim").write_text("mine")
    for command in (["audit", *TINY, "--retriever", "bm25", "--no-cache"], ["check", *TINY], ["decide", "--problem", "form"]):
        result = CliRunner().invoke(main, command, prog_name="ragdiag")
        refused(result, f"{file}:2: {name!r} {option.does.value}; ", f"give --{name} on the command line")
    assert (here.parent / "victim").read_text() == "mine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("retriever", "chroma(url='http://127.0.0.1:9/', collection=docs)"),
        ("retriever", "pgvector(table=docs)"),
        ("retriever", "dense(model='someone/model')"),
        ("chunker", "fixed(unit='someone/model')"),
        ("swap", "rerank(bm25, model='someone/model')"),
        ("judge", "ragas(url='http://127.0.0.1:9/v1', model=m)"),
        ("support", "embedding(model='someone/model')"),
    ],
)
def test_what_would_be_fetched_or_asked_is_not_taken_from_a_folder(
    here: Path, key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("something was asked of the network")

    monkeypatch.setattr("socket.socket.connect", connect)
    (here / "ragdiag.toml").write_text(f'k = 3\n{key} = "{value}"\n')
    refused(audit("--no-cache"), f"ragdiag.toml:2: {key!r} names what may have to be fetched or asked", f"give --{key} on the")


def test_the_command_line_says_what_is_used_in_its_place(here: Path) -> None:
    (here / "ragdiag.toml").write_text("retriever = \"dense(model='someone/model')\"\n")
    assert audit("--retriever", "bm25", "--no-cache").exit_code == 0


def test_a_spec_that_is_wrong_is_named_with_its_line(here: Path) -> None:
    (here / "ragdiag.toml").write_text('k = 3\nretriever = "bm52"\n')
    refused(audit("--no-cache"), "ragdiag.toml:2: unknown retriever 'bm52'; did you mean 'bm25'?")


def test_code_of_the_folder_is_not_imported(here: Path) -> None:
    (here / "evil.py").write_text(f"open({str(here / 'ran')!r}, 'w').close()\n")
    (here / "ragdiag.toml").write_text('live = "evil:answer"\nrecord = "r.jsonl"\n')
    result = CliRunner().invoke(main, ["litmus", TINY[1], "--corpus", TINY[0]])
    refused(result, "ragdiag.toml:1: 'live' connects, or runs code")
    assert not (here / "ran").exists()


@pytest.mark.parametrize("name", sorted(SPENDING))
def test_what_a_folder_says_of_the_price_is_not_agreed_to_with_yes(
    here: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's owner would choose what somebody else pays, since ``--yes`` asks nobody."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the endpoint was asked"))
    (here / "ragdiag.toml").write_text(f"k = 3\n{name} = 500\n")
    asked = ["--live", "http://127.0.0.1:9/v1", "--record", "r.jsonl", "--yes", "--quiet"]
    result = CliRunner().invoke(main, ["litmus", TINY[1], "--corpus", TINY[0], *asked], prog_name="ragdiag")
    refused(
        result, f"ragdiag.toml:2: {name!r} says how often, which or how dear a model is asked", f"give --{name} on the command"
    )


# What is wrong with the file itself


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


def nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


@pytest.mark.parametrize("file", ["ragdiag.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    ("make_it", "says"),
    [
        (folder, "is a folder; name a file"),
        (os.mkfifo, "is a pipe or a device, not a regular file"),
        (loop, "cannot be read (Too many levels of symbolic links); check the path and its permissions"),
        (nowhere, "cannot be read (No such file or directory)"),
    ],
)
def test_a_configuration_that_cannot_be_read(here: Path, file: str, make_it: Callable[[Path], None], says: str) -> None:
    make_it(here / file)
    refused(audit("--retriever", "bm25", "--no-cache"), f"{file}: {says}")


def test_a_configuration_that_nobody_may_read(here: Path) -> None:
    (here / "ragdiag.toml").write_text("k = 3\n")
    (here / "ragdiag.toml").chmod(0)
    if os.access("ragdiag.toml", os.R_OK):
        pytest.skip("root reads everything")
    refused(audit("--retriever", "bm25", "--no-cache"), "ragdiag.toml: cannot be read (Permission denied)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool]\nragdiag = 3\n", "pyproject.toml:2: tool.ragdiag must be a table; write [tool.ragdiag] above the options"),
        ("[tool]\n\nragdiag = ['k']\n", "pyproject.toml:3: tool.ragdiag must be a table"),
        ("[[tool.ragdiag]]\nk = 3\n", "pyproject.toml:1: tool.ragdiag must be a table"),
        ("[tool.ragdiag]\nk = {a = 1}\n", "pyproject.toml:2: 'k' must be a whole number"),
        ("[tool.ragdiag]\nk = 1979-05-27\n", "pyproject.toml:2: 'k' must be a whole number"),
        ("[tool.ragdiag]\nk = [3]\n", "pyproject.toml:2: 'k' must be a whole number"),
        (f"[tool.ragdiag]\nk = {'9' * 5000}\n", "pyproject.toml: broken TOML: Exceeds the limit"),
        (f"[tool.ragdiag]\nk = {'[' * 5000}\n", "pyproject.toml: broken TOML: "),
        ("[tool.ragdiag.audit]\nk = 3\n", "unknown option 'audit'"),
    ],
)
def test_a_section_of_other_types(here: Path, text: str, says: str) -> None:
    (here / "pyproject.toml").write_text(text)
    refused(audit("--retriever", "bm25", "--no-cache"), says)


@pytest.mark.parametrize("text", ["tool = 5\n# ragdiag", "[project]\ndependencies = ['ragdiag']\n", "[tool.ragdiag]\n"])
def test_a_pyproject_that_says_nothing(here: Path, text: str) -> None:
    (here / "pyproject.toml").write_text(text)
    assert audit("--retriever", "bm25", "--no-cache").exit_code == 0


@pytest.mark.parametrize("text", ["[tool]\nragdiag.k = 3\n", '["tool"."ragdiag"]\nk = 3\n', "[ tool . ragdiag ]\nk = 3\n"])
def test_a_section_in_other_words(here: Path, text: str) -> None:
    (here / "pyproject.toml").write_text(text)
    assert "k 3," in audit("--retriever", "bm25", "--no-cache").stdout
