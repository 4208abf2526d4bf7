"""The one command that an audit names next: which it is, that it can be copied, and that it runs."""

import dataclasses
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main
from ragdiag.core.options import Options
from ragdiag.core.records import QueryResult, Report
from ragdiag.pipeline import run_audit
from ragdiag.reports.next_step import Found, next_step

FIXTURES = Path(__file__).parents[1] / "fixtures"
DEMO = Path(__file__).parents[1] / "ragdiag" / "cli" / "demo_files"
CUT = ("--retriever", "bm25", "--swap", "none", "--chunker", "sentence(size=60)")


def ragdiag(*command: str) -> Result:
    return CliRunner().invoke(main, command, prog_name="ragdiag")


def following(*command: str) -> list[str]:
    """The words of the command that an audit names."""
    result = ragdiag("audit", *command)
    assert result.exit_code == 0, result.output
    *_, why, line = result.output.rstrip("\n").split("\n")
    assert why.startswith("Next  ") and line.startswith("  ragdiag ")
    assert "CORPUS QUERIES" not in result.output
    return shlex.split(line)[1:]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's files in a folder whose name a shell would take apart."""
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "it's here; $HOME"
    assert ragdiag("demo", "--out", str(there)).exit_code == 0
    return there


def test_a_query_to_explain_with_the_options_that_were_given(folder: Path) -> None:
    corpus, queries = str(folder / "corpus"), str(folder / "queries.jsonl")
    words = following(corpus, queries, *CUT, "-k", "3", "--no-cache", "--exclude", "dns.md", "--json", "r.json", "--ties", "id")
    assert words[:3] == ["explain", corpus, queries] and words[-1] == "meals"
    options = {
        "--retriever": "bm25",
        "--swap": "none",
        "--chunker": "sentence(size=60)",
        "-k": "3",
        "--exclude": "dns.md",
        "--ties": "id",
    }
    assert all(words[words.index(flag) + 1] == value for flag, value in options.items())
    assert "--no-cache" in words and "--json" not in words
    explained = ragdiag(*words)
    assert explained.exit_code == 0 and "stale: a superseded version" in explained.output


def test_labels_that_are_wrong_come_first() -> None:
    broken = (str(FIXTURES / "broken_labels" / "corpus"), str(FIXTURES / "broken_labels" / "queries.jsonl"))
    words = following(*broken, "--retriever", "bm25", "--no-cache", "--copies", "ignore")
    assert words == ["check", *broken, "--copies", "ignore"]
    assert "label defects" in ragdiag(*words).output


def test_where_nearly_all_is_served_answers_come_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = (str(FIXTURES / "tiny" / "corpus.jsonl"), str(FIXTURES / "tiny" / "queries.jsonl"))
    words = following(*tiny, "--retriever", "bm25", "--no-cache", "-k", "40")
    assert words[:5] == ["litmus", tiny[1], "--answers", "retrieved=ANSWERS", "--corpus"]
    Path("ANSWERS").write_text('{"query_id": "t1", "answer": "08:05", "correct": true}\n', encoding="utf-8")
    assert ragdiag(*words).exit_code == 0


def test_a_frequent_cause_that_a_setting_may_mend_is_compared() -> None:
    tidewater = (str(FIXTURES / "tidewater" / "corpus"), str(FIXTURES / "tidewater" / "queries.jsonl"))
    words = following(*tidewater, "--retriever", "bm25", "--swap", "none", "--no-cache", "--seed", "1")
    assert words == ["compare", *tidewater, "--retriever", "bm25", "--seed", "1", "--no-cache"]


@pytest.fixture(scope="module")
def audited() -> tuple[Report, Options]:
    options = Options(retriever="bm25", swap="none", chunker="sentence(size=60)", k=3, cache=None)
    return run_audit(DEMO / "corpus", DEMO / "queries.jsonl", options).report, options


def changed(report: Report, **fields: object) -> Report:
    """With other fields in every query that is not served."""
    queries = [q if q.served is not False else dataclasses.replace(q, **fields) for q in report.queries]  # type: ignore[arg-type]
    return dataclasses.replace(report, queries=tuple(queries))


def test_labels_in_doubt_are_reviewed_where_the_queries_can_be(audited: tuple[Report, Options]) -> None:
    report, options = audited
    doubtful = changed(report, label="doubtful")
    step = next_step(Found.of(doubtful, options, True, False))
    assert step is not None and step.command == "label"
    other = next_step(Found.of(doubtful, options, False, False))
    assert other is not None and other.command == "explain"


def test_a_run_has_no_settings_to_compare(audited: tuple[Report, Options]) -> None:
    report, options = audited
    stale: QueryResult = next(q for q in report.queries if "stale" in q.causes)
    frequent = changed(report, causes=stale.causes, findings=stale.findings, status=stale.status)
    step = next_step(Found.of(frequent, options, False, False))
    assert step is not None and step.command == "compare" and "stale is behind 9 of the 9" in step.why
    recorded = dataclasses.replace(options, run="run.jsonl")
    step = next_step(Found.of(frequent, recorded, False, False))
    assert step is not None and step.command == "explain"


def test_nothing_comes_next_where_all_is_served_and_answers_are_judged(audited: tuple[Report, Options]) -> None:
    report, options = audited
    served = changed(report, served=True, status="ok", causes=(), findings=())
    assert next_step(Found.of(served, options, True, True)) is None
    step = next_step(Found.of(served, options, True, False))
    assert step is not None and step.command == "litmus"


def test_a_review_is_made_from_the_report_that_is_kept_or_from_one_made_first(folder: Path) -> None:
    """A query whose context holds its reference answer word for word, though the label names another place."""
    corpus, queries = str(folder / "corpus"), folder / "queries.jsonl"
    label = {"doc_id": "leave.md", "text": "Everybody has 27 days of leave a year"}
    asked = {"_id": "d", "text": "debit transfer card invoices paid", "answer": "by card, by transfer or by debit within 20 days"}
    queries.write_text(json.dumps(asked | {"evidence": [label]}) + "\n", encoding="utf-8")
    kept = following(corpus, str(queries), *CUT, "-k", "1", "--json", "mine.json")
    assert kept == ["label", corpus, str(queries), "--review", "mine.json", "--out", "reviewed.jsonl"]
    first = following(corpus, str(queries), *CUT, "-k", "1")
    split = first.index("&&")
    assert first[split + 2 :] == ["label", corpus, str(queries), "--review", "report.json", "--out", "reviewed.jsonl"]
    assert ragdiag(*first[:split]).exit_code == 0 and Path("report.json").is_file()
