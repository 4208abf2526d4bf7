"""The plugin as engineers meet it: options, failing output, xdist, JUnit, GitHub; and nothing at all where it is not used."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from ragdiag.pytest_plugin import SETTINGS

pytestmark = pytest.mark.slow

pytest_plugins = "pytester"

ROOT = Path(__file__).parent.parent
HOSTILE = "x\x1b[31mred\x07 ]]> \x00 <b>&amp; \u202eevil\u2066 % \x9b2J ##[error]"

CORPUS = {
    "apple.md": "The apple is ripe in May.",
    "pear.md": "The pear is ripe in June. It keeps until spring.",
    "plum.md": "The plum is ripe in July.",
}
QUERIES = (("apple", "apple", "apple.md", 0, 25), ("pear", "pear", "pear.md", 0, 25), ("stone", "apple apple", "plum.md", 0, 25))
"""With bm25 and k 1 the first two are served; the third asks in other words than its evidence, which so few do not prove."""

INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest
ragdiag_corpus = docs
ragdiag_queries = queries.jsonl
ragdiag_retriever = bm25
ragdiag_k = 1
ragdiag_cache = none
"""


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Compiled modules can be loaded once a process, and pytester unloads what a run inside this one loads."""
    import ragdiag.testing.auditor

    corpus, queries = ROOT / "fixtures" / "tiny" / "corpus.jsonl", ROOT / "fixtures" / "tiny" / "queries.jsonl"
    for retriever in ("bm25", "lsa"):
        ragdiag.testing.auditor.audited(corpus, queries, retriever=retriever, swap="lsa", chunker="fixed(size=8)", cache=None)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with three documents and three queries, audited with bm25 and k 1."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (pytester.path / "docs").mkdir()
    for name, text in CORPUS.items():
        (pytester.path / "docs" / name).write_text(text)
    labelled(pytester, QUERIES)
    pytester.makeini(INI)
    return pytester


def labelled(project: pytest.Pytester, rows: Any) -> None:
    records = [{"_id": name, "text": text, "evidence": [{"doc_id": doc, "start": a, "end": b}]} for name, text, doc, a, b in rows]
    (project.path / "queries.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))


@pytest.fixture
def outdated(project: pytest.Pytester) -> pytest.Pytester:
    """The project with a cause that is proved: what the third query asks for is below a superseded version of it."""
    (project.path / "docs" / "old.md").write_text("---\nsuperseded_by: plum.md\n---\nThe plum is ripe in June.")
    for name in ("fig", "lime", "quince", "cherry", "medlar"):  # where half of the texts have a word it weighs nothing
        (project.path / "docs" / f"{name}.md").write_text(f"The {name} is never ripe here.")
    labelled(project, [*QUERIES[:2], ("stone", "plum plum june", "plum.md", 0, 25)])
    return project


def run(project: pytest.Pytester, test: str, *options: str, passed: int = 0, failed: int = 0, errors: int = 0) -> str:
    """What pytest says of a test file."""
    project.makepyfile(test_it=test)
    result = project.runpytest_inprocess(*options)
    result.assert_outcomes(passed=passed, failed=failed, errors=errors)
    return str(result.stdout)


def said(output: str) -> str:
    """What a failure said: its lines without pytest's mark."""
    return "\n".join(line[8:] for line in output.split("\n") if line.startswith("E   "))


CHECK = """
def test_it(ragdiag):
    ragdiag.check_gates(ragdiag.audit(), "Sufficient@1={}")
"""


# Where it is not used


def test_the_module_imports_only_the_standard_library_and_pytest() -> None:
    code = """
import sys, pytest
known = set(sys.modules)
import ragdiag.pytest_plugin
new = {name.partition(".")[0] for name in set(sys.modules) - known}
print(sorted(new - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ragdiag']"


def test_a_project_that_does_not_use_it_sees_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        conftest="""
        import pytest, socket, sys

        def refuse(*args, **kwargs):
            raise AssertionError("the network was used")

        socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse

        def pytest_unconfigure(config):
            heavy = {"numpy", "rich", "click", "ragdiag.testing.auditor", "ragdiag.core.records"} & set(sys.modules)
            assert not heavy, heavy
        """,
        test_plain="def test_plain():\n    pass\n",
    )
    outputs, files = [], []
    for options in ((), ("-p", "no:ragdiag")):
        result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
        result.assert_outcomes(passed=1)
        assert not result.stderr.str()
        outputs.append(re.sub(r"in \d+\.\d+s", "", "\n".join(result.outlines)))
        own = re.compile("__pycache__|runpytest.*|stdout|stderr")  # what pytester and the interpreter leave
        files.append({p.name for p in pytester.path.iterdir() if not own.fullmatch(p.name)})
    assert re.sub("plugins:.*", "", outputs[0]) == re.sub("plugins:.*", "", outputs[1])
    assert "ragdiag" not in re.sub("plugins:.*", "", outputs[0])
    assert files[0] == files[1] == {"conftest.py", "test_plain.py"}


def test_it_is_used_without_network(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    run(project, CHECK.format(0.6), passed=1)


# What it says


def test_a_check_that_holds_adds_a_summary_alone(outdated: pytest.Pytester) -> None:
    project = outdated
    before = {p for p in project.path.rglob("*") if p.is_file()}
    output = run(project, CHECK.format(0.6), passed=1)
    assert "docs: sentence(size=160) | bm25 | k 1\n  Sufficient@1 0.667 [" in output
    assert "1 of 3 queries not served: stale 1" in output
    new = {p.name for p in project.path.rglob("*") if p.is_file() and "__pycache__" not in p.parts} - {p.name for p in before}
    assert new == {"test_it.py"}


def test_a_check_that_fails_says_why_and_nothing_of_our_own_code(outdated: pytest.Pytester) -> None:
    output = run(outdated, CHECK.format(0.9), failed=1)
    text = said(output)
    assert text.startswith("AssertionError: Sufficient@1 is 0.6667, under 0.9\n  mean 0.667 [")
    assert "stone  stale\n  plum plum june\n  lacks plum.md#0-25: The plum is ripe in July." in text
    assert text.endswith("next: ragdiag explain docs queries.jsonl stone --retriever bm25 -k 1")
    assert "test_it.py:2: AssertionError" in output
    assert "assertions.py" not in output and "auditor.py" not in output
    below = output.split(" FAILURES ")[1].split("\n")
    assert all(len(line) <= 80 for line in below if "next: " not in line)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ('ragdiag.audit("nowhere")', "nowhere: "),
        ('ragdiag.audit(retriever="bm52")', "did you mean 'bm25'"),
        ("ragdiag.audit(kay=3)", "unknown option 'kay'"),
        ('ragdiag.check_gates(ragdiag.audit(), "R@7=0.5")', "R@7 was not measured"),
        ('ragdiag.no_cause(ragdiag.audit(search=lambda query, k: [], calls=0), "stale")', "cannot be asked what would change"),
        ("ragdiag.audit(search=lambda query, k: 1 / 0)", "failed on every query; on 'apple' with ZeroDivisionError"),
        ('ragdiag.no_regression(ragdiag.audit(), "../up")', "a baseline's name has letters"),
        ("ragdiag.litmus()", "no answers to judge"),
    ],
)
def test_a_mistake_is_one_line(project: pytest.Pytester, call: str, says: str) -> None:
    output = run(project, f"def test_it(ragdiag):\n    {call}\n", failed=1)
    assert says in " ".join(said(output).split())
    assert "auditor.py" not in output and "pipeline.py" not in output


def test_causes_and_searches(outdated: pytest.Pytester) -> None:
    project = outdated
    test = """
    def search(query, k):
        if query == "pear":
            raise TimeoutError("slow")
        return ["The apple is ripe in May."][:k]

    def test_cause(ragdiag):
        report = ragdiag.audit()
        ragdiag.no_cause(report, "missing_content", "query_mismatch")
        ragdiag.no_cause(report, "stale")

    def test_search(ragdiag):
        report = ragdiag.audit(search=search, name="live")
        assert report.failed == ("pear",)
        ragdiag.check_gates(report, "Sufficient@1=0.3")
        ragdiag.check_gates(report, "P@1.low=0.9")

    def test_run(ragdiag):
        ragdiag.check_gates(ragdiag.audit(run="run.jsonl", name="recorded"), "Success@1=0.6")
    """
    retrieved = {"apple": "apple.md", "pear": "pear.md", "stone": "apple.md"}
    lines = [{"query_id": q, "retrieved": [{"doc_id": d, "text": CORPUS[d][:25]}]} for q, d in retrieved.items()]
    (project.path / "run.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    output = run(project, test, passed=1, failed=2)
    assert "AssertionError: 1 query with stale" in said(output)
    assert "P@1.low is 0." in said(output) and "pear  not served\n  pear\n  the search failed" in said(output)
    assert "live: as in the search | search test_it.search | k 1" in output
    assert "search test_it.search raised on 1 of 3 queries, first on 'pear': TimeoutError: slow" in " ".join(output.split())


# Options


def other_docs(folder: Path) -> None:
    (folder / "other").mkdir()
    for name, text in CORPUS.items():
        (folder / "other" / name).write_text(text + " More of it.")


OPTIONS: dict[str, tuple[str, str]] = {
    "corpus": ("other", "'--' in report.command or 'other' in report.command"),
    "queries": ("more.jsonl", "len(report.queries) == 1"),
    "qrels": ("qrels.tsv", "report.queries[0].result.documents == ('plum.md',)"),
    "chunker": ("fixed(size=4)", "'fixed(size=4)' in report.title"),
    "chunks": ("own.jsonl", "'chunks own.jsonl' in report.title"),
    "context": ("title", "'context title' in report.title"),
    "retriever": ("lsa", "'| lsa |' in report.title"),
    "swap": ("lsa", "'--swap lsa' in report.command"),
    "run": ("run.jsonl", "'run run.jsonl' in report.title"),
    "k": ("2", "'Sufficient@2' in report.measures"),
    "budget": ("30", "'Sufficient@30tok' in report.measures"),
    "copies": ("ignore", "'copies:ignore' in report.signature"),
    "ties": ("id", "'ties:id' in report.signature"),
    "seed": ("7", "report.seed == 7"),
    "cache": ("kept", "(root / 'kept').is_dir()"),
    "baselines": ("agreed", "(root / 'agreed' / 'docs.json').exists() or 'other' in report.command"),
}
"""A value for each option, and what shows that it is in force."""


@pytest.mark.parametrize("where", ["command line", "configuration"])
@pytest.mark.parametrize("name", [s.name for s in SETTINGS])
def test_every_option(project: pytest.Pytester, name: str, where: str) -> None:
    value, shows = OPTIONS[name]
    folder = project.path
    other_docs(folder)
    (folder / "more.jsonl").write_text((folder / "queries.jsonl").read_text().split("\n")[0] + "\n")
    (folder / "own.jsonl").write_text("".join(json.dumps({"doc_id": d, "start": 0, "end": 25}) + "\n" for d in CORPUS))
    lines = [{"query_id": q, "retrieved": [{"doc_id": "apple.md", "start": 0, "end": 25}]} for q, *_ in QUERIES]
    (folder / "run.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if name == "qrels":
        (folder / "queries.jsonl").write_text('{"_id": "q", "text": "apple"}\n')
        (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tplum.md\t1\n")
    test = f"""
    from pathlib import Path

    def test_it(ragdiag):
        root, report = Path({str(folder)!r}), ragdiag.audit()
        if {name!r} == "baselines":
            ragdiag.no_regression(report)
        assert {shows}
    """
    options = ["--ragdiag-update-baseline"]
    options += ["--ragdiag-swap=none"] * (name == "cache")  # with a cache a model reads as well, which loads torch
    if where == "command line":
        options.append(f"--ragdiag-{name}={value}")
    else:
        lines_of = [line for line in INI.split("\n") if not line.startswith(f"ragdiag_{name} ")]
        project.makeini("\n".join(lines_of) + f"\nragdiag_{name} = {value}\n")
    run(project, test, *options, passed=1)


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        assert f"`--ragdiag-{setting.name}`" in text and f"`ragdiag_{setting.name}`" in text


def test_what_a_test_says_comes_before_the_command_line_before_the_configuration(project: pytest.Pytester) -> None:
    test = """
    def test_it(ragdiag):
        assert "| k 2" in ragdiag.audit().title
        assert "| k 3" in ragdiag.audit(k=3).title
        assert "| 50 tokens" in ragdiag.audit(budget=50).title
    """
    run(project, test, "--ragdiag-k=2", passed=1)


def test_a_number_that_is_none(project: pytest.Pytester) -> None:
    project.makepyfile(CHECK.format(0))
    result = project.runpytest_inprocess("--ragdiag-k=many")
    assert "ragdiag_k must be a whole number, not 'many'" in str(result.stdout) + str(result.stderr)
    assert result.ret != 0


# Baselines

BASELINE = """
def test_it(ragdiag):
    ragdiag.no_regression(ragdiag.audit(), name="fruit", at_most=0)
"""


def test_a_baseline_is_written_only_when_told_to(project: pytest.Pytester) -> None:
    folder = project.path / "tests" / "ragdiag_baselines"
    text = said(run(project, BASELINE, failed=1))
    assert "no baseline" in text and "pytest --ragdiag-update-baseline" in text
    assert not folder.exists()
    run(project, BASELINE, "--ragdiag-update-baseline", passed=1)
    assert [p.name for p in folder.iterdir()] == ["fruit.json"]
    kept = (folder / "fruit.json").read_bytes()
    run(project, BASELINE, passed=1)
    (project.path / "docs" / "pear.md").write_text("The pear is ripe in June. " + "pear plum " * 400)
    labelled(
        project, [("apple", "apple", "apple.md", 0, 25), ("pear", "pear", "pear.md", 0, 25), ("stone", "plum", "plum.md", 0, 25)]
    )
    text = said(run(project, BASELINE, failed=1))
    assert "1 worse, more than 0" in text and "pear  " in text and "1 -> 0" in text and "1 reworded" in text
    assert (folder / "fruit.json").read_bytes() == kept


# One query, one test

QUERY = """
import pytest

@pytest.mark.ragdiag(k=1)
def test_query(ragdiag_query):
    assert ragdiag_query.served, ragdiag_query
"""


def test_each_query_is_a_test_and_a_failure_tells_its_story(outdated: pytest.Pytester) -> None:
    project = outdated
    output = run(project, QUERY, "-rA", passed=2, failed=1)
    assert "PASSED test_it.py::test_query[pear]" in output
    text = said(output)
    assert text.startswith("AssertionError: stone: not served, because of stale\n  query   plum plum june\n")
    assert "Evidence 1 of 1  plum.md#0-25  0% in the context\n    The plum is ripe in July." in text
    assert "+  where False = <query stone: stale>.served" in text
    assert "next: ragdiag explain docs queries.jsonl stone --retriever bm25 -k 1" in text
    run(project, QUERY, "-k", "apple", passed=1)


def test_collection_reads_the_queries_alone(project: pytest.Pytester) -> None:
    shutil.rmtree(project.path / "docs")
    project.makepyfile(QUERY)
    result = project.runpytest_inprocess("--collect-only", "-q")
    assert "[stone]" in str(result.stdout) and result.ret == 0


def test_queries_that_cannot_be_judged(project: pytest.Pytester) -> None:
    """One that has no answer is skipped, with the reason; one whose label is wrong fails, with the label's place."""
    rows = [
        {"_id": "none", "text": "moon", "unanswerable": True},
        {"_id": "wrong", "text": "apple", "evidence": [{"doc_id": "apple.md", "text": "not there"}]},
        {"_id": "right", "text": "apple", "evidence": [{"doc_id": "apple.md", "text": "ripe in May"}]},
    ]
    (project.path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.makepyfile(QUERY)
    result = project.runpytest_inprocess("-rs")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    assert "no label says what would serve" in str(result.stdout)
    assert re.search(r"label   .*queries.jsonl:2: ", said(str(result.stdout)))


@pytest.mark.parametrize(
    ("test", "says"),
    [
        (QUERY.replace("k=1", "queries='nowhere.jsonl'"), "nowhere.jsonl: cannot be read"),
        (QUERY.replace("k=1", "'docs'"), "the marker's arguments have names"),
    ],
)
def test_what_cannot_be_collected_says_so_on_one_line(project: pytest.Pytester, test: str, says: str) -> None:
    output = run(project, test, errors=1)
    assert says in output and "Traceback" not in output and "pytest_plugin.py" not in output


# Several processes

COUNTED = """
import os, pytest
from pathlib import Path

def search(query, k):
    with open(os.environ["COUNTS"], "a") as counts:
        counts.write(query + "\\n")
    return ["The apple is ripe in May."]

@pytest.mark.ragdiag(search=search, calls=0)
def test_query(ragdiag_query):
    assert ragdiag_query.served, ragdiag_query

@pytest.mark.parametrize("n", range(8))
def test_index(ragdiag, n):
    ragdiag.check(ragdiag.audit(), "P@1=0.1")  # by its first name
"""

COUNTING = """
import os
from ragdiag.search.retrievers.bm25 import Bm25
index = Bm25.index

def counted(self, *args, **kwargs):
    with open(os.environ["INDEXES"], "a") as indexes:
        indexes.write("x")
    return index(self, *args, **kwargs)

Bm25.index = counted
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_several_processes_test_is_audited_once(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    counts, indexes = project.path / "counts", project.path / "indexes"
    monkeypatch.setenv("COUNTS", str(counts))
    monkeypatch.setenv("INDEXES", str(indexes))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.makeconftest(COUNTING)
    project.makepyfile(test_it=COUNTED)
    result = project.runpytest_subprocess("-n", workers, "--junitxml=junit.xml")
    result.assert_outcomes(passed=9, failed=2)
    assert sorted(counts.read_text().split("\n")) == ["", "apple", "apple apple", "pear"], "each query is searched once"
    assert indexes.read_text() == "x", "one index is built"
    output = str(result.stdout)
    assert output.count("search test_it.search | k 1") == output.count("docs: sentence(size=160) | bm25 | k 1") == 1
    assert len(re.findall("^::error file=test_it.py,line=11,", output, re.MULTILINE)) == 2
    found = ET.parse(project.path / "junit.xml")
    names = [p.attrib["name"] for p in found.iter("property")]
    assert names.count("ragdiag docs P@1") == 8 and "ragdiag docs stone" in names


SEARCHES = """
import pytest
from ragdiag.core.errors import UsageError

def finding(text):
    return lambda query, k: [text]

class App:
    asked = 0

    def search(self, query, k):
        self.asked += 1
        return ["The apple is ripe in May."]

PEAR, PLUM, APP = finding("The pear is ripe in June."), finding("The plum is ripe in July."), App()

def served(report):
    return [q.id for q in report.queries if q.served]

def test_by_themselves(ragdiag):
    for _ in range(2):
        assert served(ragdiag.audit(search=PEAR)) == ["pear"]
        assert served(ragdiag.audit(search=PLUM)) == ["stone"]

def test_by_a_name(ragdiag):
    for _ in range(2):
        assert served(ragdiag.audit(search=PEAR, name="a")) == ["pear"]
        assert served(ragdiag.audit(search=PLUM, name="b")) == ["stone"]
    with pytest.raises(UsageError, match="two searches are called 'a'; give each a name of its own, or make the search once"):
        ragdiag.audit(search=PLUM, name="a")

def test_a_method(ragdiag):
    for name in ("", "", "app", "app"):
        assert served(ragdiag.audit(search=APP.search, name=name, calls=0)) == ["apple"]
    assert APP.asked == 3 * len({"", "app"})
"""


def test_a_search_is_known_by_itself(project: pytest.Pytester) -> None:
    output = run(project, SEARCHES, passed=3)
    assert output.count("search test_it.finding.<locals>.<lambda> | k 1") == 4, "each in the summary"


class Counted:
    """A search that no other process knows; it counts how often it is asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, 0

    def __call__(self, query: str, k: int) -> list[str]:
        self.asked += 1
        return [self.text]


def test_searches_of_two_processes_share_an_audit_by_its_name_alone(project: pytest.Pytester) -> None:
    """Two auditors over one folder are what two processes have."""
    from ragdiag.testing.auditor import Auditor

    settings = {
        "corpus": str(project.path / "docs"),
        "queries": str(project.path / "queries.jsonl"),
        "k": 1,
        "cache": None,
        "calls": 0,
    }
    one, two = (Auditor(settings, project.path, project.path, False, project.path) for _ in range(2))
    pear, again = Counted(CORPUS["pear.md"]), Counted(CORPUS["pear.md"])
    assert one.audit(search=pear, name="live")["pear"].served and two.audit(search=again, name="live")["pear"].served
    assert (pear.asked, again.asked) == (3, 0)
    assert not two.audit(search=lambda query, k: [CORPUS["apple.md"]], name="other")["pear"].served
    assert two.audit(search=again)["pear"].served and again.asked == 3, "without a name it is known to its process alone"
    assert not one.audit(search=lambda query, k: [CORPUS["apple.md"]])["pear"].served
    third = Auditor(settings, project.path, project.path, False, project.path)
    assert not third.audit(search=lambda query, k: [CORPUS["apple.md"]], name="live")["pear"].served, "written elsewhere"
    assert len(one.summary().keys() | two.summary().keys()) == 4, "one is shared"


# JUnit, GitHub, hostile text


def test_properties_of_a_test_are_in_its_junit_record(project: pytest.Pytester) -> None:
    test = """
    def test_it(ragdiag):
        report = ragdiag.audit(name="fruit")
        ragdiag.check_gates(report, "P@1.low=0.1")
        ragdiag.no_cause(report, "stale")
        ragdiag.no_regression(report)

    def test_other():
        pass
    """
    run(project, test, "--junitxml=junit.xml", "--ragdiag-update-baseline", passed=2)
    cases = {c.attrib["name"]: c for c in ET.parse(project.path / "junit.xml").iter("testcase")}
    properties = {p.attrib["name"]: p.attrib["value"] for p in cases["test_it"].iter("property")}
    assert properties["ragdiag fruit P@1"].startswith("0.667 [") and properties["ragdiag fruit P@1"].endswith("n 3")
    assert properties["ragdiag fruit Sufficient@1"].startswith("0.667 [")
    assert properties["ragdiag fruit stale"] == "0"
    assert properties["ragdiag fruit baseline"] == "written to fruit.json"
    assert not list(cases["test_other"].iter("property"))


@pytest.mark.parametrize("github", ["true", "false"])
def test_github_shows_failures_at_their_line(outdated: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, github: str) -> None:
    project = outdated
    monkeypatch.setenv("GITHUB_ACTIONS", github)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    output = run(project, CHECK.format(0.9) + "\n\ndef test_other():\n    assert 1 == 2\n", failed=2)
    lines = [line for line in output.split("\n") if line.startswith("::")]
    if github == "false":
        assert not lines
        return
    assert len(lines) == 1, "other people's failures are not ours to show"
    head, message = lines[0].removeprefix("::").split("::", 1)
    assert head == f"error file={project.path.name}/test_it.py,line=2,title=test_it"
    assert message.startswith("Sufficient@1 is 0.6667, under 0.9%0A  mean 0.667 [") and "%0Astone  stale%0A" in message
    assert "\r" not in lines[0]


@pytest.mark.parametrize("ci", [False, True])  # there pytest cuts nothing off, and indents nothing
def test_hostile_text_is_shown_and_steers_nothing(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: bool) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("CI", "true") if ci else monkeypatch.delenv("CI", raising=False)
    (project.path / "docs" / "plum.md").write_text(f"One is ready. {HOSTILE}\n::error::mine", encoding="utf-8")
    rows = [
        {
            "_id": "q\x1b]0;t\x07:,%\r\nid",
            "text": "apple\x1b]0;t\x07 apple \u202e\x00",
            "evidence": [{"doc_id": "plum.md", "text": f"ready. {HOSTILE}\n::error::mine"}],
        },
        {"_id": "ok", "text": "apple", "evidence": [{"doc_id": "apple.md", "text": "ripe in May"}]},
    ]
    (project.path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = run(project, CHECK.format(0.9) + QUERY, "--junitxml=junit.xml", "-v", passed=1, failed=2)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", output)
    assert "\\x1b" in output and "\\x202e" in output and "##[" not in output
    assert all(line.startswith("::error file=test_it.py") for line in output.split("\n") if line.lstrip().startswith("::"))
    failures = [f.text or "" for f in ET.parse(project.path / "junit.xml").iter("failure")]
    assert len(failures) == 2 and all("]]>" in f and "\x1b" not in f and "\u202e" not in f for f in failures)


def test_the_litmus_test(project: pytest.Pytester) -> None:
    rows = [{"query_id": q, "answer": "?", "correct": False} for q, *_ in QUERIES]
    (project.path / "mine.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (project.path / "best.jsonl").write_text("".join(json.dumps(r | {"correct": True}) + "\n" for r in rows))
    test = """
    def test_it(ragdiag):
        found = ragdiag.litmus(answers=["retrieved=mine.jsonl", "oracle=best.jsonl"])
        ragdiag.no_verdict(found, "BEHAVIOR")
        ragdiag.no_verdict(found, "RETRIEVAL", "INCONCLUSIVE", "BOTH")
    """
    assert re.match("AssertionError: the verdict is (RETRIEVAL|INCONCLUSIVE)", said(run(project, test, failed=1)))


def test_the_litmus_test_of_an_audited_pipeline(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its contexts are those of the project's settings, not of the defaults; its files are looked for from pytest's root."""
    rows = [{"query_id": q, "answer": "no", "correct": False} for q, *_ in QUERIES]
    (project.path / "mine.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (project.path / "rules.json").write_text('{"format": {"regex": "yes"}}')
    (project.path / "own.jsonl").write_text("".join(json.dumps({"doc_id": d, "start": 0, "end": 25}) + "\n" for d in CORPUS))
    test = """
    def test_settings(ragdiag):
        found = ragdiag.litmus(answers=["retrieved=mine.jsonl"], corpus="docs", chunks="own.jsonl")
        assert found.report.pipeline.retriever.startswith("bm25") and found.report.pipeline.k == 1
        assert "own.jsonl" in found.report.pipeline.chunker and found.seed == 3
        assert ragdiag.litmus(answers=["retrieved=mine.jsonl"], corpus="docs", k=2).report.pipeline.k == 2

    def test_rules(ragdiag):
        found = ragdiag.litmus(answers="retrieved=mine.jsonl", format_rules="rules.json")
        assert found.seed == 3 and found.report is None, "an audit is for those who give a corpus"
        assert all(j.broke for j in found.judgements)
    """
    project.makepyfile(test_it=test)
    (project.path / "elsewhere").mkdir()
    monkeypatch.chdir(project.path / "elsewhere")
    project.runpytest_inprocess("--rootdir", "..", "-c", "../tox.ini", "--ragdiag-seed=3", "../test_it.py").assert_outcomes(
        passed=2
    )


# A project as there are many


def test_a_project_whose_chunks_cut_answers_fails_until_they_do_not(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("CI", raising=False)  # where pytest cuts nothing off
    folder = pytester.path / "project"
    shutil.copytree(ROOT / "fixtures" / "rag_project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    before = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    before.assert_outcomes(passed=11, failed=5)
    assert all(len(row) <= 80 for row in str(before.stdout).split(" FAILURES ")[1].split("\n"))
    text = said(str(before.stdout))
    assert "3 of 14 queries not served: chunk_split 2, label_wide 1" in text, "one is cut beside its answer, which is served"
    assert "2 queries with chunk_split" in text and "holiday-loan: label_wide" in text
    assert "after-hours: not served, because of chunk_split" in text and "volunteer: not served, because of chunk_split" in text
    assert "counter, becau ‖ se we test them" in text
    config = folder / "app" / "config.py"
    lines = config.read_text().split("\n")
    changed = [line.replace('CHUNKER = "characters"', 'CHUNKER = "paragraphs"') for line in lines]
    assert sum(a != b for a, b in zip(lines, changed, strict=True)) == 1
    config.write_text("\n".join(changed))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=16)
