"""What is missing is said: which answers cannot be judged, for want of what, on which line of which file, and what comes next."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.api import litmus
from ragdiag.cli import main


def jsonl(path: Path, *records: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path.name


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(*command: str, given: str | None = None) -> str:
    done = CliRunner().invoke(main, list(command), input=given, prog_name="ragdiag")
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def answer(query: str, condition: str = "retrieved", **more: Any) -> dict[str, Any]:
    return {"query_id": query, "condition": condition, "answer": "Ada", **more}


def test_queries_without_a_reference_are_named_with_their_lines(here: Path) -> None:
    queries = [{"_id": f"q{i}", "text": "Who?"} | ({"answer": "Ada"} if i in (0, 3) else {}) for i in range(10)]
    file = jsonl(here / "queries.jsonl", *queries)
    rows = [answer(f"q{i}", correct=True if i == 4 else None) for i in range(10)] + [answer(f"q{i}", "oracle") for i in (1, 2)]
    answers = jsonl(here / "answers.jsonl", *rows)
    # Without a reference are all but q0 and q3; q4's answer has a label.
    said = shown("litmus", file, "--answers", answers)
    assert (
        '9 answers not judged (retrieved 7 and oracle 2): 7 queries of queries.jsonl have no "answer": q1 (line 2), q2 (line 3), '
        "q5 (line 6), q6 (line 7), q7 (line 8), …"
    ) in said
    assert 'write "answer": "..." on the line of the query, or "correct": true or false on the line of the answer' in said
    # Once all that was asked for is written, nothing lacks.
    rest = [q | {"answer": "Ada"} if q["_id"] in ("q1", "q2", "q5", "q6", "q7", "q8", "q9") else q for q in queries]
    assert " not judged (" not in shown("litmus", jsonl(here / "queries.jsonl", *rest), "--answers", answers)


def test_an_unanswerable_query_is_not_sent_for_a_reference(here: Path) -> None:
    file = jsonl(here / "queries.jsonl", {"_id": "q0", "text": "Who?", "unanswerable": True}, {"_id": "q1", "text": "Who?"})
    answers = jsonl(here / "answers.jsonl", answer("q0"), answer("q1"))
    said = shown("litmus", file, "--answers", answers)
    assert '1 answer not judged (retrieved 1): 1 query of queries.jsonl has no "answer": q1 (line 2)' in said
    assert (
        "1 answer not judged (retrieved 1): 1 query of queries.jsonl is unanswerable: q0 (line 1) "
        'no reference can tell: write "correct": true or false on the line of the answer'
    ) in said
    first, second = litmus(file, [answers]).judgements
    assert "'q0' (queries.jsonl:1) is unanswerable, so has no reference, the answer no \"correct\"" in first.why
    assert '\'q1\' (queries.jsonl:2) has no "answer", the answer no "correct"' in second.why


def test_labels_that_have_no_say_are_told_of(here: Path) -> None:
    file = jsonl(here / "queries.jsonl", {"_id": "q0", "text": "Who?"}, {"_id": "q1", "text": "Who?"})
    answers = jsonl(here / "answers.jsonl", answer("q0", correct=True), answer("q1"))
    said = shown("litmus", file, "--answers", answers, "--blind")
    assert 'have no "answer": q0 (line 1), q1 (line 2)' in said
    assert "on the line of the answer; 1 of them have a label, which has no say with --blind" in said
    assert "--blind" not in shown("litmus", file, "--answers", answers)


def test_a_judge_without_an_opinion_is_told_apart(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragdiag.answering.judges.matcher.Matcher.judge", lambda self, pairs, *rest: [None] * len(pairs))
    file = jsonl(here / "queries.jsonl", {"_id": "q0", "text": "Who?", "answer": "Ada"})
    said = shown("litmus", file, "--answers", jsonl(here / "answers.jsonl", answer("q0")))
    assert (
        "1 answer not judged (retrieved 1): 1 query of queries.jsonl got no opinion: q0 (line 1) "
        'the judge said nothing: write "correct": true or false on the line of the answer'
    ) in said


def test_standard_input_is_called_by_its_name(here: Path) -> None:
    answers = jsonl(here / "answers.jsonl", answer("q0"))
    said = shown("litmus", "-", "--answers", answers, given='{"_id": "q0", "text": "Who?"}\n')
    assert 'has no "answer": q0 (line 1)' in said and "/tmp" not in said
