"""What is missing is said: which answers cannot be judged, for want of what, on which line of which file, and what comes next."""

import json
import shlex
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


def test_an_unanswerable_query_lacks_nothing(here: Path) -> None:
    file = jsonl(here / "queries.jsonl", {"_id": "q0", "text": "Who?", "unanswerable": True}, {"_id": "q1", "text": "Who?"})
    answers = jsonl(here / "answers.jsonl", answer("q0"), answer("q1"))
    said = shown("litmus", file, "--answers", answers)
    assert '1 answer not judged (retrieved 1): 1 query of queries.jsonl has no "answer": q1 (line 2)' in said
    assert "q0" not in said
    first, second = litmus(file, [answers]).judgements
    assert (first.by, first.right, first.why) == ("unanswerable", False, "")
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


# What comes next.


def team(here: Path, right: str, oracle: str = "", **held: Any) -> list[str]:
    """The litmus command for a team whose answers are labelled: ``+`` right, ``-`` wrong; `held` is beside each retrieved one."""
    queries = [{"_id": f"q{i}", "text": f"Who {i}?", "answer": "Ada"} for i in range(len(right))]
    rows = [answer(f"q{i}", correct=c == "+", **held) for i, c in enumerate(right)]
    rows += [answer(f"q{i}", "oracle", correct=c == "+") for i, c in enumerate(oracle)]
    return ["litmus", jsonl(here / "queries.jsonl", *queries), "--answers", jsonl(here / "it's.jsonl", *rows)]


def following(command: list[str]) -> tuple[str, str]:
    """Why a command comes next, and the command; its last two lines."""
    done = CliRunner().invoke(main, command, prog_name="ragdiag")
    assert done.exit_code == 0, done.output
    head, _, last = done.stdout.rstrip("\n").rpartition("\n  ragdiag ")
    return " ".join(head[head.rindex("\nNext  ") + 7 :].split()), last


FIXTURES = Path(__file__).parents[1] / "fixtures" / "tiny"


def test_retrieval_is_audited_next(here: Path) -> None:
    why, line = following([*team(here, "-" * 20 + "+" * 5, "+" * 25), "--seed", "3", "--failed", "wrong"])
    assert why == "what keeps the evidence out of the context, with proof (name your documents in place of CORPUS)"
    assert line == "audit CORPUS queries.jsonl --seed 3"  # the options of a judge are none of an audit's


def test_the_options_of_the_pipeline_go_on(here: Path) -> None:
    queries = [json.loads(each) for each in (FIXTURES / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [str(FIXTURES / "queries.jsonl"), "--corpus", str(FIXTURES / "corpus.jsonl")]
    rows = [
        answer(q["_id"], c, correct=c == "oracle", sufficient=False if c == "retrieved" else None)
        for q in queries * 4
        for c in ("retrieved", "oracle")
    ]
    answers = jsonl(here / "a.jsonl", *rows)
    _, line = following(["litmus", *files, "--answers", answers, "--retriever", "bm25", "-k", "1", "--no-cache"])
    assert shlex.split(line) == ["audit", files[2], files[0], "--retriever", "bm25", "-k", "1", "--no-cache"]
    assert CliRunner().invoke(main, shlex.split(line)).exit_code == 0


def test_contexts_that_harm_are_asked_about_next(here: Path) -> None:
    command = team(here, "-" * 20 + "+" * 5, "+" * 25, sufficient=True)
    why, line = following(command)
    assert why.startswith("what it is about the context that harms")
    conditions = ["trimmed", "first", "middle", "last", "longer"]
    wanted = [word for condition in conditions for word in ("--condition", condition)]
    assert shlex.split(line) == ["prompts", "CORPUS", "queries.jsonl", *wanted, "--out", "prompts.jsonl"]
    jsonl(here / "more.jsonl", *(answer(f"q{i}", "trimmed", correct=True) for i in range(25)))
    assert following([*command, "--answers", "more.jsonl"])[1] == "audit CORPUS queries.jsonl"


@pytest.mark.parametrize(("right", "oracle"), [("-" * 25, "-" * 25), ("-" * 40 + "+" * 8, "+" * 20 + "-" * 20 + "+" * 8)])
def test_behavior_is_decided_next(here: Path, right: str, oracle: str) -> None:
    """And so is where both problems are there."""
    command = team(here, right, oracle)
    why, line = following([*command, "--delta", "0.1"])
    again, decide = (shlex.split(each) for each in line.split(" && ragdiag "))
    assert again == [*command, "--delta", "0.1", "--quiet", "--json", "litmus.json"] and "costs" in why
    assert decide == ["decide", "--report", "litmus.json"]
    assert CliRunner().invoke(main, again).exit_code == 0
    answers = ["--need", "format", "--prompted", "no", "--changes", "daily"]
    assert CliRunner().invoke(main, [*decide, *answers]).exit_code == 0
    assert following([*command, "--json", "kept.json"])[1] == "decide --report kept.json"


def test_what_does_not_tell_asks_for_more(here: Path) -> None:
    why, line = following(team(here, "-" * 8, "+" * 5 + "-" * 3))
    # ((1.95996 / 2 + 0.84162 * sqrt(5/8 * 3/8)) / (5/8 - 1/2))^2 = 123.2: 124 failures, of which 8 are there.
    assert why.startswith("about 116 more failures would tell") and "in place of QUESTIONS" in why
    assert shlex.split(line) == ["label", "CORPUS", "QUESTIONS", "--out", "labels.jsonl"]
    _, line = following(team(here, "-" * 8, "+" * 4 + "-" * 4))  # a half is told from a half by no number
    assert line.endswith("decide --report litmus.json")


def test_a_judge_s_word_alone_asks_for_labels(here: Path) -> None:
    command = team(here, "-" * 25, "-" * 25)
    rows = [row for c in ("retrieved", "oracle") for row in (answer(f"q{i}", c) | {"answer": "Bo"} for i in range(25))]
    jsonl(here / "it's.jsonl", *rows)
    why, line = following(command)
    assert why.startswith("label the answers of 20 queries, about 10 minutes")
    review = ["--review", "20", "--answer-labels", "answer_labels.jsonl"]
    assert shlex.split(line) == [*command, *review]
    done = CliRunner().invoke(main, shlex.split(line), input="w\n" * 20)
    assert done.exit_code == 0 and "20 queries labelled" in done.output
    assert following([*command, *review[2:]])[1].endswith("decide --report litmus.json")
    jsonl(here / "it's.jsonl", *(row | {"correct": False} for row in rows))
    assert following(command)[1].endswith("decide --report litmus.json")


def test_answers_that_are_missing_are_asked_for(here: Path) -> None:
    why, line = following(team(here, "--++"))
    assert (why.partition(" (")[0], line) == (
        "answers with exactly the evidence would tell",
        "prompts CORPUS queries.jsonl --condition oracle --out prompts.jsonl",
    )
    jsonl(here / "it's.jsonl", *(answer(f"q{i}", "oracle", correct=True) for i in range(4)))
    assert following(["litmus", "queries.jsonl", "--answers", "it's.jsonl"])[1].startswith(
        "prompts CORPUS queries.jsonl --condition retrieved"
    )


def test_answers_that_nothing_can_judge_come_first(here: Path) -> None:
    jsonl(here / "queries.jsonl", {"_id": "q0", "text": "Who?"})
    jsonl(here / "a.jsonl", answer("q0"), answer("q0", "oracle", correct=True))
    why, line = following(["litmus", "queries.jsonl", "--answers", "a.jsonl"])
    assert (why, line) == ("the same, once retrieved answers can be judged: see above", "litmus queries.jsonl --answers a.jsonl")


def test_nothing_comes_next_where_all_is_right(here: Path) -> None:
    assert "Next" not in shown(*team(here, "+" * 5, "+" * 5))
