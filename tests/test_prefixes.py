"""Ids by any prefix that only one has: an exact id wins, and what several begin with is an error that names them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.cli import main
from ragdiag.core.errors import UsageError
from ragdiag.core.prefixes import SHOWN, begun

IDS = st.lists(st.text("ab-", max_size=4), max_size=12)


@given(typed=st.text("ab-", max_size=4), known=IDS)
def test_what_is_typed_is_an_id_or_begins_one_alone(typed: str, known: list[str]) -> None:
    begin = {name for name in known if name[: len(typed)] == typed} if typed else set()
    if typed in known:
        assert begun(typed, known, "queries") == typed
    elif len(begin) > 1:
        with pytest.raises(UsageError) as e:
            begun(typed, list(dict.fromkeys(known)), "queries")
        assert all(name in str(e.value) for name in sorted(begin)[:SHOWN])
    else:
        assert begun(typed, known, "queries") == (begin.pop() if begin else None)


def ragdiag(*command: str) -> Result:
    return CliRunner().invoke(main, [*command, "--retriever", "bm25", "--no-cache"], prog_name="ragdiag")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.chdir(tmp_path)
    texts = {"ferry": "The ferry leaves at nine.", "ferry-old": "The boat left at ten.", "caf\u00e9": "The bar opens at four."}
    Path("corpus.jsonl").write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in texts.items()), encoding="utf-8")
    labels = {"lea": ("ferry", "at nine"), "leaves": ("ferry-old", "at ten"), "leaving": ("caf\u00e9", "at four")}
    queries = [{"_id": i, "text": "when", "evidence": [{"doc_id": d, "text": t}]} for i, (d, t) in labels.items()]
    Path("queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
    return "corpus.jsonl", "queries.jsonl"


@pytest.mark.parametrize(("typed", "query"), [("leaves", "leaves"), ("leave", "leaves"), ("leavi", "leaving"), ("lea", "lea")])
def test_a_query_is_explained_by_a_prefix(data: tuple[str, str], typed: str, query: str) -> None:
    result = ragdiag("explain", *data, typed, "--json", "-")
    assert result.exit_code == 0, result.output
    by_id = ragdiag("explain", *data, query, "--json", "-")
    assert json.loads(result.stdout) == json.loads(by_id.stdout)
    assert json.loads(result.stdout)["query"]["id"] == query
    assert json.loads(result.stdout)["query"]["status"] != "not_decidable"


def test_a_prefix_of_several_queries_is_an_error_that_names_them(data: tuple[str, str]) -> None:
    result = ragdiag("explain", *data, "leav")
    assert result.exit_code == 2
    assert result.output == "error: 'leav' begins the ids of 2 queries: leaves, leaving; type more of one\n"


def test_no_query_is_told_as_before(data: tuple[str, str]) -> None:
    assert ragdiag("explain", *data, "leavess").output == "error: no query 'leavess'; did you mean 'leaves'?\n"
    assert ragdiag("explain", *data, "").output.startswith("error: no query ''")


def kept(*command: str) -> list[str]:
    result = ragdiag("audit", *command, "--json", "-")
    assert result.exit_code == 0, result.output
    return [query["id"] for query in json.loads(result.stdout)["queries"]]


def test_documents_are_named_by_a_prefix(data: tuple[str, str]) -> None:
    assert kept(*data, "--only", "ferry") == ["lea"]  # an id, though another begins with it
    assert kept(*data, "--only", "ferry-") == ["leaves"]
    assert kept(*data, "--only", "ca", "--only", "ferry-o") == ["leaves", "leaving"]
    assert kept(*data, "--only", "cafe\u0301") == ["leaving"]  # composed otherwise


def test_a_prefix_of_several_documents_is_an_error(data: tuple[str, str]) -> None:
    result = ragdiag("audit", *data, "--only", "fer")
    assert (result.exit_code, result.output) == (
        2,
        "error: 'fer' begins the ids of 2 documents: ferry, ferry-old; type more of one\n",
    )


def test_labels_name_documents_whole(data: tuple[str, str]) -> None:
    """What a file says is no person's typing: a document that begins so is another one."""
    Path("other.jsonl").write_text('{"_id": "q", "text": "when", "evidence": [{"doc_id": "ferry-o", "text": "at ten"}]}\n')
    result = CliRunner().invoke(main, ["check", "corpus.jsonl", "other.jsonl"])
    assert "unknown_document" in result.output
