"""The pytest plugin: thin hooks, inert unless a test uses the `ragdiag` fixture, the `ragdiag_query` argument or the marker.

Only the standard library and pytest are imported at start; everything else when a test uses it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from ragdiag.testing.audited import QueryStory
    from ragdiag.testing.auditor import Auditor

__all__ = ["SETTINGS", "ragdiag", "ragdiag_query"]


class Setting(NamedTuple):
    """A default for all audits: ``--ragdiag-NAME`` on the command line, ``ragdiag_NAME`` in pytest's configuration."""

    name: str
    metavar: str
    help: str


SETTINGS = (
    Setting("corpus", "PATH", "documents: a folder, a glob, a file"),
    Setting("queries", "FILE", "labelled queries"),
    Setting("qrels", "FILE", "judgements for BEIR or TREC queries"),
    Setting("chunker", "SPEC", "e.g. 'recursive(size=200, overlap=40)'"),
    Setting("chunks", "FILE", "your own chunks, JSONL, in place of a chunker"),
    Setting("context", "KIND", "embedded with a chunk: title, heading, ..."),
    Setting("retriever", "SPEC", "bm25, dense, lsa, hybrid, ..."),
    Setting("swap", "SPEC", "another retriever that unserved queries are put to"),
    Setting("run", "FILE", "your own ranking, TREC or JSONL, in place of a retriever"),
    Setting("k", "N", "chunks in a context"),
    Setting("budget", "TOKENS", "context size in tokens, in place of k"),
    Setting("copies", "count|ignore", "do exact copies of evidence elsewhere count"),
    Setting("ties", "expected|id", "rank measures of equal scores: the mean over all orders, or by id"),
    Setting("seed", "N", "seed of the intervals' resamples"),
    Setting("cache", "DIR|none", "where vectors and indexes are kept"),
    Setting("baselines", "DIR", "where baselines are kept [tests/ragdiag_baselines]"),
)

FILES = ("corpus", "queries", "qrels", "chunks", "run", "cache", "baselines")
NUMBERS = ("k", "budget", "seed")
BASELINES = "tests/ragdiag_baselines"

AUDITOR = pytest.StashKey["Auditor"]()
SUMMARY = pytest.StashKey[dict[str, str]]()

MARKER = (
    "ragdiag(corpus=..., queries=..., retriever=..., k=...): what to audit for the argument ragdiag_query, which stands for one "
    "labelled query after the other; the arguments are those of ragdiag.audit"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option and one configuration key for each setting."""
    group = parser.getgroup("ragdiag", "retrieval diagnostics (ragdiag)")
    for name, metavar, text in SETTINGS:
        group.addoption(f"--ragdiag-{name}", dest=f"ragdiag_{name}", metavar=metavar, help=text)
        parser.addini(f"ragdiag_{name}", f"{text} (ragdiag)", default="")
    group.addoption("--ragdiag-update-baseline", action="store_true", help="write the baselines of this run's audits")


def pytest_configure(config: pytest.Config) -> None:
    """The marker is known."""
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each labelled query; of files only that of the queries is read."""
    if "ragdiag_query" not in metafunc.fixturenames:
        return
    from ragdiag.core.errors import RagdiagError, UsageError
    from ragdiag.sources.queries import load_queries

    config, marker = metafunc.config, metafunc.definition.get_closest_marker("ragdiag")
    settings, arguments = _settings(config), marker.kwargs if marker else {}
    try:
        queries, qrels = (
            config.rootpath / arguments[name] if arguments.get(name) else settings.get(name) for name in ("queries", "qrels")
        )
        if marker and marker.args:
            raise UsageError("the marker's arguments have names: @pytest.mark.ragdiag(corpus=..., queries=...)")
        if not queries:
            raise UsageError("no queries: name them in @pytest.mark.ragdiag(queries=...), or set ragdiag_queries")
        ids = [query.id for query in load_queries(queries, qrels)]
    except RagdiagError as e:
        raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: {e}") from None
    metafunc.parametrize("ragdiag_query", ids, ids=[name or "-" for name in ids], indirect=True)


@pytest.fixture(scope="session")
def ragdiag(request: pytest.FixtureRequest) -> Auditor:
    """Audits of this project's retrieval, and assertions on them."""
    from ragdiag.testing.auditor import Auditor

    config = request.config
    settings, shared = _settings(config), None
    baselines = Path(settings.pop("baselines", config.rootpath / BASELINES))
    if hasattr(config, "workerinput"):  # one of xdist's processes: what they share is the folder above their own
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        shared = factory.getbasetemp().parent / f"ragdiag-{config.workerinput['testrunuid']}"
        shared.mkdir(exist_ok=True)
    auditor = Auditor(settings, config.rootpath, baselines, config.getoption("ragdiag_update_baseline"), shared)
    config.stash[AUDITOR] = auditor
    return auditor


@pytest.fixture
def ragdiag_query(request: pytest.FixtureRequest, ragdiag: Auditor) -> QueryStory:
    """One labelled query: is it served, and if not, why; see `audited.QueryStory`."""
    marker = request.node.get_closest_marker("ragdiag")
    query = ragdiag.story(request.param, marker.kwargs if marker else {})
    if query.served is None and query.status == "not_decidable":
        pytest.skip(f"no label says what would serve {query!r}")
    return query


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> None:
    """What a test found of audits becomes properties of it, as `record_property` makes them."""
    auditor = item.config.stash.get(AUDITOR, None)
    if auditor is not None:
        item.user_properties += auditor.taken()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What was audited goes to the summary; from one of xdist's processes, by its output."""
    config = session.config
    auditor = config.stash.get(AUDITOR, None)
    if auditor is not None:
        config.stash.setdefault(SUMMARY, {}).update(auditor.summary())
        if hasattr(config, "workeroutput"):
            config.workeroutput["ragdiag"] = config.stash[SUMMARY]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What one of xdist's processes audited."""
    summary = getattr(node, "workeroutput", {}).get("ragdiag")
    if summary:
        node.config.stash.setdefault(SUMMARY, {}).update(summary)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A few lines for each audit; where GitHub runs the tests, an annotation for each one that failed."""
    summary = terminalreporter.config.stash.get(SUMMARY, None)
    if not summary:
        return
    terminalreporter.section("ragdiag")
    for text in summary.values():
        terminalreporter.write_line(text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for report in (*terminalreporter.stats.get("failed", ()), *terminalreporter.stats.get("error", ())):
            if any(name.startswith("ragdiag ") for name, _ in getattr(report, "user_properties", ())):
                terminalreporter.write_line(_annotation(report, terminalreporter.config.rootpath))


def _annotation(report: pytest.TestReport, root: Path) -> str:
    """GitHub's command that shows a failure at its line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    file, line, _ = report.location
    message = str(report.longrepr)
    if crash is not None:
        file, line, message = crash.path, crash.lineno - 1, re.sub(r"^\w*Error: ", "", crash.message)
    base = Path(os.environ.get("GITHUB_WORKSPACE") or root)
    path = root / file
    shown = path.relative_to(base) if path.is_relative_to(base) else path
    where = (
        f"file={_escaped(shown.as_posix(), True)},line={(line or 0) + 1},title={_escaped(report.nodeid.split('::', 1)[-1], True)}"
    )
    return f"::error {where}::{_escaped(message)}"


def _escaped(text: str, value: bool = False) -> str:
    """`text` as GitHub's commands take it; a property's `value` must not end the property either."""
    for character in "%\r\n" + (":," if value else ""):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _settings(config: pytest.Config) -> dict[str, Any]:
    """What the command line says, else the configuration. Paths are from the folder of either. Raises `pytest.UsageError`."""
    settings: dict[str, Any] = {}
    for name, _, _ in SETTINGS:
        option = config.getoption(f"ragdiag_{name}")
        value = option or config.getini(f"ragdiag_{name}")
        if not value:
            continue
        if name in NUMBERS:
            try:
                settings[name] = int(value)
            except ValueError:
                raise pytest.UsageError(f"ragdiag_{name} must be a whole number, not {value!r}") from None
        elif name == "cache" and value == "none":
            settings[name] = None
        elif name in FILES:
            settings[name] = str((config.invocation_params.dir if option else config.rootpath) / value)
        else:
            settings[name] = value
    return settings
