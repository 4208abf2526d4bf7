"""Batches: an id leads from a reply to what was asked, whatever the query is called; what is no answer is a failed attempt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.answering.answers import load_answers
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core import replies
from ragdiag.core.batches import hashed, message_id, read_message_id
from ragdiag.core.conditions import CONDITIONS
from ragdiag.core.errors import InputError
from ragdiag.core.prompt import Prompt

ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What Anthropic's API takes for an id."""

IDS = st.one_of(
    st.text(min_size=1), st.from_regex(r"[a_\-0-9]{1,6}(_-|__)?[a-f0-9]{0,4}", fullmatch=True), st.text("é_", min_size=9)
)


def jsonl(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def asked(query_id: str, condition: str = "oracle", repeat: int = 1) -> str:
    return message_id(Prompt(query_id, condition, "?", (), "?"), repeat)


def said(*texts: str, **message: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text} for text in texts]
    return {"type": "succeeded", "message": {"role": "assistant", "content": content, "stop_reason": "end_turn", **message}}


# Ids.


@given(st.lists(st.tuples(st.sampled_from(CONDITIONS), IDS, st.integers(1, 120)), unique=True))
def test_ids_are_allowed_unique_and_lead_back(questions: list[tuple[str, str, int]]) -> None:
    names = [asked(q, c, repeat) for c, q, repeat in questions]
    assert all(map(ALLOWED.fullmatch, names))
    assert len(set(names)) == len(names)
    for name, (condition, query_id, _) in zip(names, questions, strict=True):
        assert read_message_id(name) in ((condition, query_id), (condition, hashed(query_id)))


def test_ids_are_plain_where_the_query_s_is() -> None:
    assert asked("q-7", "retrieved") == "retrieved-1-q-7"
    assert asked("a_b", repeat=2) == "oracle-2-a__b"
    assert asked("é/1") == "oracle-1-_c3_a9_2f1"
    uuid = "0b7c1f5e-98a1-4f77-a8a9-3fd1f2b9a001"
    assert asked(uuid, "closed_book", 10) == f"closed_book-10-{uuid}"
    # The prefix "oracle-1-" leaves room for 55 letters.
    assert asked("x" * 55) == "oracle-1-" + "x" * 55
    assert asked("x" * 56) == "oracle-1-" + hashed("x" * 56)


@pytest.mark.parametrize(
    "name", ["my-first-request", "oracle:q1", "oracle-1-", "oracle-0-q", "orcale-1-q", "oracle-1-a_b", "oracle-1-_ff"]
)
def test_ids_of_others_stay_as_they_are(name: str) -> None:
    assert read_message_id(name) == ("", name)


# In.


def test_messages(tmp_path: Path) -> None:
    thought = [{"type": "thinking", "thinking": "25?"}, {"type": "text", "text": "Ann"}, {"type": "text", "text": "a"}]
    path = jsonl(
        tmp_path / "out.jsonl",
        {"custom_id": "oracle-2-q__1", "result": said("Eve", stop_reason="max_tokens")},  # in no order
        {"custom_id": "oracle-1-q__1", "result": said(content=thought)},
        {"custom_id": "oracle-1-q2", "result": {"type": "errored", "error": {"type": "invalid_request_error"}}},
        {"custom_id": "oracle-1-q3", "result": {"type": "canceled"}},
        {"custom_id": "oracle-1-q4", "result": {"type": "expired"}},
        {"custom_id": "retrieved-1-q5", "result": said(stop_reason="refusal")},
        {"custom_id": "retrieved-1-q6", "result": said(" ")},
        {"custom_id": "retrieved-1-q7", "result": {"type": "succeeded"}},
        {"custom_id": "mine", "result": said("Bo")},
    )
    found = load_answers([f"closed_book={path}"])
    assert [(a.condition, a.query_id, a.answer) for a in found if not a.failed] == [
        ("oracle", "q_1", "Eve"),
        ("oracle", "q_1", "Anna"),
        ("closed_book", "mine", "Bo"),
    ]
    assert [(a.condition, a.query_id, a.answer) for a in found if a.failed] == [
        *(("oracle", f"q{n}", "") for n in (2, 3, 4)),
        *(("retrieved", f"q{n}", "") for n in (5, 6, 7)),
    ]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ({"custom_id": "q1", "result": said("a")}, "no condition says"),
        ({"custom_id": 1, "result": said("a")}, "custom_id"),
        ({"custom_id": "oracle-1-q1", "params": {}}, "looks like its input"),
        ({"custom_id": "oracle-1-q1", "result": "x"}, "'result' must be dict"),
        ({"custom_id": "oracle-1-q1", "result": {"type": "done"}}, "one of succeeded, errored, canceled, expired, not 'done'"),
        ({"custom_id": "oracle-1-q1", "result": None}, "not None"),
    ],
)
def test_lines_that_are_no_result(tmp_path: Path, line: dict[str, Any], word: str) -> None:
    path = jsonl(tmp_path / "out.jsonl", {"custom_id": "oracle-1-q1", "result": said("a")}, line)
    with pytest.raises(InputError) as error:
        load_answers([str(path)])
    assert (error.value.file, error.value.line) == (str(path), 2)
    assert word in str(error.value)


def test_an_answer_without_bound_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a live model; in a file that a person keeps, an error."""
    most = replies.LONGEST
    body = {"choices": [{"message": {"content": "a" * (most + 1)}}]}
    path = jsonl(
        tmp_path / "out.jsonl",
        {"custom_id": "oracle-1-q1", "result": said("a" * most)},
        {"custom_id": "oracle-1-q2", "result": said("a" * most, "a")},
        {"custom_id": "oracle:q3", "response": {"status_code": 200, "body": body}},
    )
    assert [(a.query_id, len(a.answer), a.failed) for a in load_answers([str(path)])] == [
        ("q1", most, False),
        ("q2", 0, True),
        ("q3", 0, True),
    ]
    rows = [{"query_id": "q1", "condition": "oracle", "answer": "a" * n} for n in (most, most + 1)]
    with pytest.raises(InputError, match="more than 1,000,000 characters") as error:
        load_answers([str(jsonl(tmp_path / "mine.jsonl", *rows))])
    assert error.value.line == 2


# The whole way.


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "corpus.jsonl", {"_id": "d", "text": "Leave is 25 days a year. Pay comes on the 25th."})
    evidence = [{"doc_id": "d", "text": "Leave is 25 days a year."}]
    long = "a question with an id of its whole text: how many days of leave are there in a year?"
    ids = ["plain", "under_score", "größe/1", long]
    jsonl(
        tmp_path / "queries.jsonl",
        *({"_id": i, "text": f"{n}: days?", "answer": "25", "evidence": evidence} for n, i in enumerate(ids)),
    )
    return tmp_path


def run(*command: str) -> Any:
    return CliRunner().invoke(main, list(command))


def prompted(*options: str) -> list[dict[str, Any]]:
    prompts = [
        "prompts",
        "corpus.jsonl",
        "queries.jsonl",
        "--retriever",
        "bm25",
        "--no-cache",
        "--format",
        "anthropic",
        "--model",
        "m",
    ]
    done = run(*prompts, *options, "--out", "in.jsonl")
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in Path("in.jsonl").read_text(encoding="utf-8").splitlines()]


def test_what_goes_out(here: Path) -> None:
    (here / "t.txt").write_text("{question}|{contexts}", encoding="utf-8")
    lines = prompted("--condition", "oracle", "--template", "t.txt", "--repeats", "2")
    assert [line["custom_id"] for line in lines[:4]] == [
        "oracle-1-plain",
        "oracle-2-plain",
        "oracle-1-under__score",
        "oracle-2-under__score",
    ]
    assert lines[0] == {
        "custom_id": "oracle-1-plain",
        "params": {
            "model": "m",
            "max_tokens": 512,
            "temperature": 0,  # as a model is asked live
            "messages": [{"role": "user", "content": "0: days?|[1] Leave is 25 days a year."}],
        },
    }


def test_what_comes_back_finds_its_query(here: Path) -> None:
    lines = prompted()
    right = {"1: days?", "3: days?"}  # of the queries with an underscore, and with a long id
    results = [
        {"custom_id": line["custom_id"], "result": said("25" if any(q in json.dumps(line) for q in right) else "7")}
        for line in reversed(lines)
    ]
    found = litmus("queries.jsonl", [str(jsonl(here / "out.jsonl", *results))])
    judged = {(found.queries[j.query].text, j.condition): j.right for j in found.judgements}
    assert judged == {(f"{n}: days?", c): n in (1, 3) for n in range(4) for c in ("retrieved", "oracle")}


def test_an_id_that_no_query_has_is_an_error(here: Path) -> None:
    out = jsonl(here / "out.jsonl", {"custom_id": asked("x" * 99), "result": said("25")})
    with pytest.raises(InputError, match=f"answers to '{hashed('x' * 99)}', which no query is"):
        litmus("queries.jsonl", [str(out)])


@pytest.mark.parametrize(
    "line",
    [
        {"custom_id": "oracle-1-plain", "result": {"type": "expired"}},
        {"custom_id": "oracle:plain", "response": {"status_code": 500, "body": {}}, "error": None},
        {"query_id": "plain", "condition": "oracle", "error": "status 500"},
    ],
)
@pytest.mark.parametrize("command", [("litmus",), ("audit", "corpus.jsonl")])
def test_where_every_attempt_failed_there_is_nothing_to_judge(here: Path, line: dict[str, Any], command: tuple[str, ...]) -> None:
    jsonl(here / "out.jsonl", line)
    options = ["--retriever", "bm25", "--no-cache"] if command[0] == "audit" else []
    done = run(*command, "queries.jsonl", *options, "--answers", "out.jsonl")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "out.jsonl: holds 1 attempts, every one of which failed, so there is nothing to judge" in done.stderr
    assert run(*command, "queries.jsonl", *options, "--answers", "out.jsonl", "--failed", "wrong").exit_code == 0
