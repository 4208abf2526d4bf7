"""Fields that nothing reads: noted once for each file, and an error where a name that is read was plainly meant."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.answering.answers import load_answers
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.errors import InputError
from ragdiag.search.runs import read_run
from ragdiag.sources.chunks import read_chunks
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries import load_queries

QUERY = {"_id": "q", "text": "Who?", "evidence": [{"doc_id": "a", "text": "Anna"}]}
ANSWER = {"query_id": "q", "condition": "oracle", "answer": "Anna"}
CHUNK = {"doc_id": "a", "start": 0, "end": 4}
RUN = {"query_id": "q", "retrieved": [{"doc_id": "a", "start": 0, "end": 4, "score": 1}]}
DOCUMENT = {"_id": "a", "text": "Anna"}

READERS: dict[str, tuple[Callable[[Path], Any], dict[str, Any]]] = {
    "queries": (load_queries, QUERY),
    "answers": (lambda path: load_answers([str(path)]), ANSWER),
    "chunks": (read_chunks, CHUNK),
    "run": (read_run, RUN),
    "corpus": (load_corpus, DOCUMENT),
}


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", READERS)
def test_what_nothing_reads_is_said_once_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    read, record = READERS[name]
    key = next(k for k in ("_id", "query_id", "doc_id") if k in record)
    again = record | ({key: "b"} if key != "doc_id" else {"start": 1})
    path = jsonl(tmp_path / "x.jsonl", record, record | again | {"colour": 1}, again | {key: "c", "colour": 2, "shape": ""})
    read(path)
    (note,) = [r.getMessage() for r in caplog.records]
    assert note == f"{path}: fields that are not read: 'colour' (in 2 records, first at line 2), 'shape' (at line 3)"


@pytest.mark.parametrize("name", READERS)
def test_what_every_format_knows_is_no_news(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    read, record = READERS[name]
    read(jsonl(tmp_path / "x.jsonl", record if name in ("answers", "run") else record | {"metadata": {"colour": 1}}))
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "change", "meant"),
    [
        ("queries", {"anwser": "Anna"}, "'answer'"),
        ("queries", {"evidnce": [], "evidence": None}, "'evidence'"),
        ("queries", {"unanswerble": True}, "'unanswerable'"),
        ("queries", {"Answers": ["Anna"]}, "'answers'"),
        ("answers", {"corect": True}, "'correct'"),
        ("answers", {"sufficent": True}, "'sufficient'"),
        ("answers", {"contxts": ["x"]}, "'contexts'"),
        ("corpus", {"meta-data": {}}, "'metadata'"),
        ("chunks", {"chunk-id": "x"}, "'chunk_id'"),
        ("run", {"retrieved": [CHUNK | {"chunkid": "x"}]}, "in 'retrieved'; did you mean 'chunk_id'"),
    ],
)
def test_a_plain_slip_is_an_error_with_its_line(tmp_path: Path, name: str, change: dict, meant: str) -> None:
    read, record = READERS[name]
    changed = {k: v for k, v in (record | change).items() if v is not None}
    with pytest.raises(InputError, match=r"x\.jsonl:2: unknown field .*" + meant):
        read(jsonl(tmp_path / "x.jsonl", record, changed | ({"_id": "b"} if "_id" in record else {})))


@pytest.mark.parametrize("name", ["scope", "texts", "test", "answered", "relevance", "answer_type", "expected", "tags", "page"])
def test_what_people_carry_along_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    (query,) = load_queries(jsonl(tmp_path / "q.jsonl", QUERY | {name: "x"}))
    assert query.metadata == {name: "x"}
    assert f"'{name}'" in caplog.text


def test_a_name_beside_the_one_it_resembles_is_no_slip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_queries(jsonl(tmp_path / "q.jsonl", QUERY | {"answer": "a", "answers": ["b"], "answerz": "c"}))
    assert "'answerz'" in caplog.text


def test_a_name_less_like_another_gets_a_suggestion(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_queries(jsonl(tmp_path / "q.jsonl", QUERY | {"gold_answer": "a"}))
    assert "'gold_answer' (at line 1; did you mean 'answer'?)" in caplog.text


def test_many_fields_make_one_short_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_queries(jsonl(tmp_path / "q.jsonl", QUERY | {f"own{i}": i for i in range(20)}))
    (record,) = caplog.records
    assert record.getMessage().endswith("'own7' (at line 1) and 12 more")


def test_what_is_given_in_python_is_called_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    litmus([{"_id": "q", "text": "Who?", "answer": "Anna", "colour": 1}], [ANSWER])
    assert [r.getMessage() for r in caplog.records] == ["queries: fields that are not read: 'colour' (at line 1)"]


def test_the_command_line_says_it_as_a_note(tmp_path: Path) -> None:
    queries = jsonl(tmp_path / "q.jsonl", QUERY | {"colour": 1, "answer": "Anna"})
    shown = CliRunner().invoke(main, ["litmus", str(queries), "--answers", str(jsonl(tmp_path / "a.jsonl", ANSWER))])
    assert shown.exit_code == 0
    assert "note: " in shown.stderr and "'colour'" in shown.stderr
    assert not logging.getLogger("ragdiag").handlers


def test_nothing_is_said_of_a_file_that_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="refused"), Fields(tmp_path / "x") as fields:
        fields.look({"colour": 1}, ("text",), 1)
        raise InputError("refused")
    assert not caplog.records
