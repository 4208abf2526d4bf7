"""Recorded answers: conditions, labels, failed attempts; each error with its file and line."""

import json
from collections import Counter
from pathlib import Path

import pytest

from ragdiag.answering.answers import load_answers, split_source
from ragdiag.core.errors import InputError
from ragdiag.core.records import Answer

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")

GOOD = {"query_id": "q1", "condition": "retrieved", "answer": "Anna"}


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def test_every_field(tmp_path):
    path = jsonl(
        tmp_path / "a.jsonl",
        GOOD | {"correct": True, "contexts": ["a", "b"], "sufficient": False, "trace": []},
        GOOD | {"query_id": 2, "answer": 3.5, "correct": None, "context": "a", "sufficient": None},
    )
    assert load_answers([str(path)]) == (
        Answer("q1", "retrieved", "Anna", True, contexts=("a", "b"), sufficient=False),
        Answer("2", "retrieved", "3.5", contexts=("a",)),
    )


@pytest.mark.parametrize(
    ("label", "correct", "failed"),
    [
        ({"recorded_label": "correct"}, True, False),
        ({"recorded_label": "Incorrect"}, False, False),
        ({"recorded_label": "halted"}, None, True),
        ({"recorded_label": "halted", "answer": None}, None, True),
        ({"recorded_label": None, "correct": False}, False, False),
        ({"recorded_label": "correct", "correct": True}, True, False),
        ({}, None, False),
    ],
)
def test_labels(tmp_path, label, correct, failed):
    (answer,) = load_answers([str(jsonl(tmp_path / "a.jsonl", GOOD | label))])
    assert (answer.correct, answer.failed) == (correct, failed)
    assert answer.answer == ("Anna" if "answer" not in label else "")


def test_a_prefix_supplies_a_missing_condition(tmp_path):
    bare = {"query_id": "q1", "answer": "Anna"}
    path = jsonl(tmp_path / "run=1.jsonl", bare, bare | {"condition": None}, GOOD, bare)
    answers = load_answers([f"oracle={path}", f"closed_book={path}"])
    assert [a.condition for a in answers[:4]] == ["oracle", "oracle", "retrieved", "oracle"]
    assert [a.condition for a in answers[4:]] == ["closed_book", "closed_book", "retrieved", "closed_book"]
    assert load_answers([]) == ()


def test_a_file_name_may_hold_an_equals_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "run=1.jsonl", GOOD)
    assert len(load_answers(["run=1.jsonl"])) == 1


def test_sources_are_split_at_a_condition(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "run=1.jsonl", GOOD)
    sources = {"a.jsonl": ("", "a.jsonl"), "run=1.jsonl": ("", "run=1.jsonl"), "oracle=run=1.jsonl": ("oracle", "run=1.jsonl")}
    assert {source: split_source(source) for source in sources} == {s: (c, Path(f)) for s, (c, f) in sources.items()}
    with pytest.raises(InputError, match="unknown condition 'run'"):
        split_source("run=2.jsonl")


def test_unknown_condition_before_a_file(tmp_path):
    with pytest.raises(InputError, match="did you mean 'retrieved'"):
        load_answers([f"retreived={jsonl(tmp_path / 'a.jsonl', GOOD)}"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"condition": None}, "closed_book="),
        ({"condition": "oracel"}, "did you mean 'oracle'"),
        ({"condition": 1}, "condition"),
        ({"query_id": None}, "query_id"),
        ({"query_id": True}, "query_id"),
        ({"answer": None}, "answer"),
        ({"answer": ["a"]}, "answer"),
        ({"answer": False}, "answer"),
        ({"correct": 1}, "correct"),
        ({"correct": "true"}, "correct"),
        ({"recorded_label": True}, "recorded_label"),
        ({"correct": True, "recorded_label": "incorrect"}, "contradict"),
        ({"correct": False, "recorded_label": "halted"}, "contradict"),
        ({"contexts": "a"}, "contexts"),
        ({"contexts": [1]}, "contexts"),
        ({"context": ["a"]}, "context"),
        ({"context": "a", "contexts": ["a"]}, "keep one"),
        ({"sufficient": "yes"}, "sufficient"),
    ],
)
def test_errors_name_file_and_line(tmp_path, change, word):
    path = jsonl(tmp_path / "a.jsonl", GOOD, GOOD | change)
    with pytest.raises(InputError) as error:
        load_answers([str(path)])
    assert (error.value.file, error.value.line) == (str(path), 2)
    assert word in str(error.value)


def test_files_without_answers(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no answers"):
        load_answers([f"oracle={tmp_path / 'empty.jsonl'}"])
    with pytest.raises(InputError, match="cannot be read"):
        load_answers([f"oracle={tmp_path / 'absent.jsonl'}"])


def test_failed_attempts_of_a_record(tmp_path):
    bare = {"query_id": "q1", "condition": "oracle"}
    path = jsonl(
        tmp_path / "a.jsonl", bare | {"error": "timed out"}, bare | {"error": "late", "answer": "Anna"}, GOOD | {"error": None}
    )
    assert load_answers([str(path)]) == (
        Answer("q1", "oracle", "", failed=True),
        Answer("q1", "oracle", "Anna"),
        Answer("q1", "retrieved", "Anna"),
    )
    with pytest.raises(InputError, match="'error' must be str"):
        load_answers([str(jsonl(tmp_path / "a.jsonl", bare | {"error": 1}))])


def test_of_several_attempts_at_one_question_the_last_counts(tmp_path):
    about = {"query_id": "q1", "condition": "oracle", "repeat": 1, "model": "m", "prompt_sha256": "ab"}
    other = about | {"repeat": 2}
    lines = about | {"error": "late"}, other | {"answer": "Eve"}, about | {"answer": "Anna"}
    found = load_answers([str(jsonl(tmp_path / "a.jsonl", *lines))])
    assert [(a.answer, a.failed) for a in found] == [("Anna", False), ("Eve", False)]


@pytest.mark.parametrize("other", [{"model": "n"}, {"prompt_sha256": "cd"}, {"model": "n", "answer": None, "error": "late"}])
def test_a_record_of_several_pipelines_is_refused(tmp_path, other):
    about = GOOD | {"repeat": 1, "model": "m", "prompt_sha256": "ab"}
    apart = [about, about | {"repeat": 2} | other, about | {"query_id": "q2"} | other, about | {"condition": "oracle"} | other]
    assert len(load_answers([str(jsonl(tmp_path / "a.jsonl", *apart))])) == 4
    with pytest.raises(InputError, match=r"several pipelines: query 'q1'.*--live.*a record for each") as error:
        load_answers([str(jsonl(tmp_path / "a.jsonl", *apart, about | other))])
    assert error.value.line == 5


def completion(content, status=200, **choice):
    return {"status_code": status, "body": {"choices": [{"message": {"content": content}, **choice}]}}


def test_batch_output(tmp_path):
    path = jsonl(
        tmp_path / "out.jsonl",
        {"id": "b", "custom_id": "oracle:q1", "response": completion("Anna"), "error": None},
        {"custom_id": "oracle:q1#2", "response": completion("Eve", finish_reason="length")},
        {"custom_id": "oracle:q2", "response": None, "error": {"code": "batch_expired"}},
        {"custom_id": "oracle:q3", "response": completion("Anna", 500), "error": None},
        {"custom_id": "oracle:q4", "response": completion(None), "error": None},
        {"custom_id": "oracle:q5", "response": {"status_code": 200, "body": {"choices": []}}, "error": None},
        {"custom_id": "retrieved:q6", "response": completion(" "), "error": None},
        {"custom_id": "q:7", "response": completion("Anna"), "error": {"message": "x"}},
    )
    found = load_answers([f"closed_book={path}"])
    assert [(a.condition, a.query_id, a.answer) for a in found if not a.failed] == [
        ("oracle", "q1", "Anna"),
        ("oracle", "q1", "Eve"),
    ]
    assert [(a.condition, a.query_id, a.answer, a.correct) for a in found if a.failed] == [
        *(("oracle", f"q{n}", "", None) for n in (2, 3, 4, 5)),
        ("retrieved", "q6", "", None),
        ("closed_book", "q:7", "", None),
    ]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ({"custom_id": "q1", "response": None}, "closed_book="),
        ({"custom_id": 1, "response": None}, "custom_id"),
        ({"custom_id": "oracle:q1"}, "response"),
        ({"custom_id": "oracle:q1", "body": {}}, "looks like its input"),
        ({"custom_id": "oracle:q1", "response": "x"}, "response"),
    ],
)
def test_lines_that_are_no_batch_output(tmp_path, line, word):
    path = jsonl(tmp_path / "out.jsonl", {"custom_id": "oracle:q1", "response": None}, line)
    with pytest.raises(InputError) as error:
        load_answers([str(path)])
    assert (error.value.file, error.value.line) == (str(path), 2)
    assert word in str(error.value)


@needs_data
def test_public_recorded_answers():
    files = {"retrieved": "react_wiki_search", "oracle": "cot_gold_context", "closed_book": "cot_closed_book"}
    answers = load_answers([f"{c}={DATA / 'hotpot100/answers' / name}_trial1.jsonl" for c, name in files.items()])
    assert Counter((a.condition, a.correct, a.failed) for a in answers) == {
        ("retrieved", True, False): 34,
        ("retrieved", False, False): 56,
        ("retrieved", None, True): 10,
        ("oracle", True, False): 61,
        ("oracle", False, False): 39,
        ("closed_book", True, False): 32,
        ("closed_book", False, False): 68,
    }
    readers = load_answers([f"retrieved={DATA / 'covidqa/answers/reader_vanilla.jsonl'}"])
    assert len(readers) == 83
    assert all(len(a.contexts) == 1 for a in readers)
