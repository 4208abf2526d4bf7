"""`label` proposes where an answer that came with a question stands; nothing is accepted by itself."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main
from ragdiag.core.errors import UsageError
from ragdiag.label.session import Session
from ragdiag.label.setup import open_session

TEXTS = {
    "leave": "# Leave\n\nAsk in the calendar.\nEverybody has 25 days of leave a year. Tell the team early.",
    "pay": "# Pay\n\nThe salary comes on day 25 of the month. Bank holidays shift it.",
    "ferry": "# Ferry\n\nBoats leave the pier at nine sharp on working days. Dogs travel free.",
    "noise": "# Garden\n\nTomatoes like the sun. Water them at night.",
}
ASKED = [
    {"_id": "leave", "text": "how many days of leave are there in a year", "answer": "25 Days"},
    {"_id": "ferry", "text": "when is the first boat", "answer": "It leaves at nine from the pier."},
    {"_id": "none", "text": "who is the head of sales", "answer": "Zbigniew Kowalczyk"},
    {"_id": "bare", "text": "do dogs pay"},
]


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path, Path]:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    corpus.write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in TEXTS.items()), encoding="utf-8")
    queries.write_text("".join(json.dumps(q) + "\n" for q in ASKED), encoding="utf-8")
    return corpus, queries, tmp_path / "out.jsonl"


def opened(data: tuple[Path, Path, Path]) -> Session:
    return open_session(*data, retrievers=("bm25",), cache=None)[0]


def proposed(session: Session) -> list[tuple[str, bool]]:
    documents = session.corpus.documents
    return [(documents[p.evidence.document].text[p.evidence.start : p.evidence.end], p.exact) for p in session.proposed]


def test_where_the_answer_stands_comes_first(data: tuple[Path, Path, Path]) -> None:
    session = opened(data)
    assert proposed(session) == [("Everybody has 25 days of leave a year.", True)]
    assert session.shown[0].found == "answer" and session.corpus.documents[session.passage(1).document].id == "leave"
    session.skip()
    assert proposed(session)[0] == ("Boats leave the pier at nine sharp on working days.", False)
    session.skip()
    assert proposed(session) == []  # no sentence has its words
    session.skip()
    assert proposed(session) == []  # no answer, no proposal
    with pytest.raises(UsageError, match="nothing is proposed here"):
        session.accept_proposal(1)


def test_nothing_is_accepted_by_itself(data: tuple[Path, Path, Path]) -> None:
    session = opened(data)
    session.more()
    session.skip()
    session.back()
    assert not data[2].exists() and session.decided == 0
    with pytest.raises(UsageError, match="there is no proposal 2"):
        session.accept_proposal(2)
    session.accept_proposal(1)
    (line,) = map(json.loads, data[2].read_text(encoding="utf-8").splitlines())
    assert line["_id"] == "leave" and line["answer"] == "25 Days" and line["metadata"]["found"] == ["answer"]
    start = TEXTS["leave"].index("Everybody")
    text = "Everybody has 25 days of leave a year."
    assert line["evidence"] == [{"doc_id": "leave", "start": start, "end": start + len(text), "text": text}]


def test_a_query_with_evidence_is_proposed_nothing(data: tuple[Path, Path, Path]) -> None:
    wrong = ASKED[0] | {"evidence": [{"doc_id": "leave", "text": "Everybody has 99 weeks off"}]}
    data[1].write_text(json.dumps(wrong) + "\n", encoding="utf-8")
    assert opened(data).proposed == []


def label(data: tuple[Path, Path, Path], stdin: str) -> Result:
    corpus, queries, out = map(str, data)
    command = ["label", corpus, queries, "--out", out, "--retriever", "bm25", "--no-cache"]
    return CliRunner().invoke(main, command, prog_name="ragdiag", input=stdin)


def test_one_key_accepts_on_the_terminal(data: tuple[Path, Path, Path]) -> None:
    result = label(data, "y\ny\ny\nq\n")
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert " y the answer stands here: Everybody has 25 days of leave a year." in shown
    assert " y nearest to the answer's words: Boats leave the pier at nine sharp on working days." in shown
    assert "nothing is proposed here: mark the evidence" in shown  # of the third query
    lines = [json.loads(line) for line in data[2].read_text(encoding="utf-8").splitlines()]
    assert [line["_id"] for line in lines] == ["leave", "ferry"]
