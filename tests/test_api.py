"""The library as a notebook calls it: what Python has in hand gives what files give, and results answer questions."""

import json
from pathlib import Path

import pytest

import ragdiag
from ragdiag.errors import InputError, UsageError
from ragdiag.pipeline import audit as audit_files
from ragdiag.reports.json import audit_dict, dumps

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, QUERIES = FIXTURE / "corpus", FIXTURE / "queries.jsonl"
BM25 = {"retriever": "bm25", "cache": None}


def rows(path: Path = QUERIES) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def report():
    return ragdiag.audit(CORPUS, QUERIES, **BM25)


def plain(found: object) -> dict:
    told = json.loads(dumps(found if isinstance(found, dict) else found.as_dict()))
    warnings = [w | {"file": None} for w in told["label_warnings"]]  # it names what was given
    return told | {"timings": None, "label_warnings": warnings}


def test_paths_give_what_the_command_gives(report) -> None:
    assert plain(report) == plain(audit_dict(audit_files(CORPUS, QUERIES, **BM25)))


def test_records_and_frames_give_what_files_give(report) -> None:
    pandas = pytest.importorskip("pandas")
    texts = {d.id: d.text for d in report.audit.corpus.documents}
    titled = [
        {"_id": d.id, "title": d.title, "text": d.text, "metadata": dict(d.metadata)} for d in report.audit.corpus.documents
    ]
    of_records = ragdiag.audit(titled, rows(), **BM25)
    assert plain(of_records) == plain(report)
    of_frames = ragdiag.audit(pandas.DataFrame(titled), pandas.DataFrame(rows()), **BM25)
    assert plain(of_frames) == plain(report)
    of_texts = ragdiag.audit(texts, rows(), **BM25)  # without titles and metadata nothing is known to be superseded
    assert of_texts.measures == report.measures
    assert not of_texts.failures("stale")


def test_errors_and_defects_name_the_row() -> None:
    given = rows()
    del given[3]["text"]
    with pytest.raises(InputError, match=r"^queries: row 4: field 'text' is missing; add it$"):
        ragdiag.audit(CORPUS, given, **BM25)
    given = rows()[:3]
    given[1]["evidence"] = [{"doc_id": "nowhere", "text": "x"}]
    (defect,) = ragdiag.audit(CORPUS, given, **BM25).label_defects
    assert (defect.file, defect.line, defect.kind) == ("queries", 2, "unknown_document")
    for bad, message in (
        (3, "give a path, a list of records"),
        ([3], "row 1: a record is a dict"),
        ([{"_id": object()}], "holds a object"),
    ):
        with pytest.raises(UsageError, match=message):
            ragdiag.audit(CORPUS, bad, **BM25)


def test_inputs_are_not_changed() -> None:
    given = rows()
    before = json.dumps(given)
    ragdiag.audit(CORPUS, given, **BM25)
    assert json.dumps(given) == before


def test_questions(report) -> None:
    failures = report.failures()
    assert {q.id for q in failures} == {q.id for q in report.queries if q.served is False}
    assert [q.id for q in report.failures("chunk_split")] == [q.id for q in failures if "chunk_split" in q.causes]
    assert report.failures("chunk_split")
    with pytest.raises(UsageError, match=r"unknown cause 'chunk_splt'; did you mean 'chunk_split'\?"):
        report.failures("chunk_splt")
    told = report.explain(failures[0].id)
    assert told.result == failures[0] and failures[0].id in str(told)
    assert report[failures[0].id] == failures[0]
    for ask in (report.explain, report.__getitem__):
        with pytest.raises(UsageError, match="no query"):
            ask("none")


def test_results_show_themselves(report) -> None:
    said = "34 of 57 queries get all their evidence"
    assert repr(report) == f"<audit: {said}>"
    assert said in str(report) and said in report._repr_html_()
    assert "\x1b" not in str(report)


def test_what_a_notebook_shows_is_inert() -> None:
    text = "<script>alert(1)</script> <img src=x onerror=alert(1)> \x1b[31m \u202e evil text about payroll."
    corpus = {"<b>doc</b>": text}
    queries = [{"_id": "<i>q</i>", "text": "payroll <script>?", "evidence": [{"doc_id": "<b>doc</b>", "text": text}]}]
    found = ragdiag.audit(corpus, queries, **BM25)
    for shown in (found._repr_html_(), found.explain("<i>q</i>")._repr_html_()):
        assert "<script" not in shown and "<img" not in shown and "<i>" not in shown
        assert "\x1b" not in shown and "\u202e" not in shown
    assert "&lt;script&gt;" in found.explain("<i>q</i>")._repr_html_()


def test_frames_and_figures(report) -> None:
    pytest.importorskip("pandas")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    frame = report.to_pandas()
    assert list(frame["id"]) == [q.id for q in report.queries]
    known = frame["Sufficient@5"].dropna()
    assert known.mean() == pytest.approx(report.measures["Sufficient@5"].mean)
    left, right = report.plot().axes
    assert [t.get_text() for t in right.get_yticklabels()] == list(report.causes)
    widths = [bar.get_width() for bar in left.patches]
    assert widths == [m.mean for m in report.measures.values() if m.n]


def test_saving(report, tmp_path: Path) -> None:
    assert json.loads(report.save(tmp_path / "r.json").read_text(encoding="utf-8"))["signature"] == report.signature
    assert report.save(tmp_path / "r.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    with pytest.raises(UsageError, match="end the name in"):
        report.save(tmp_path / "r.txt")


def half(query: str, k: int) -> list[dict]:
    """A search that always finds the first document."""
    return [{"doc_id": "on-call-v3", "start": 0, "end": 300}]


def test_the_teams_own_search_is_a_retriever() -> None:
    found = ragdiag.audit(CORPUS, QUERIES, retriever=half, cache=None)
    assert not found.measures["Sufficient@5"].mean
    assert "half" in found.pipeline["retriever"]
    compared = ragdiag.compare(CORPUS, QUERIES, retrievers=["bm25", half], causes=False, cache=None)
    assert len(compared.cells) == 2
    assert compared.cells[compared.best].name.endswith("bm25")
    assert compared.better() == []
    assert "half" in compared.cells[1].name and "half" in str(compared)
    with pytest.raises(UsageError, match="no configuration 'x'"):
        compared.broken("x")


def test_searches_of_one_name_are_told_apart(report) -> None:
    def finds(document: str):
        return lambda query, k: [{"doc_id": document, "text": texts[document]}]

    texts = {d.id: d.text for d in report.audit.corpus.documents}
    searches = [finds("on-call-v3"), finds("warranty-v2")]
    compared = ragdiag.compare(CORPUS, QUERIES, retrievers=searches, k=5, causes=False, cache=None)
    assert len({cell.name for cell in compared.cells}) == 2
    assert compared.means[0] != compared.means[1]


def test_a_search_that_fails_is_noted_in_a_comparison() -> None:
    def search(query: str, k: int) -> list[str]:
        if "pager" in query:
            raise TimeoutError("no")
        return [{"doc_id": "on-call-v3", "start": 0, "end": 200}]

    compared = ragdiag.compare(CORPUS, QUERIES, retrievers=["bm25", search], causes=False, cache=None)
    assert any("raised on 1 of 60 queries" in note for note in compared.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": "5"}, "k must be a whole number, not '5'"),
        ({"k": 2.5}, "k must be a whole number"),
        ({"chunker": ["sentence"]}, r"to compare several: chunkers=\[...\]"),
    ],
)
def test_options_of_another_kind(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ragdiag.audit(CORPUS, QUERIES, **options)


def test_conditions_are_checked_by_name() -> None:
    with pytest.raises(UsageError, match=r"unknown condition 'orcle'; did you mean 'oracle'\?"):
        ragdiag.litmus(QUERIES, {"orcle": []})


def test_answers_in_hand() -> None:
    given = [
        {"query_id": q["_id"], "answer": "x", "correct": c == "oracle", "condition": c}
        for q in rows()
        for c in ("retrieved", "oracle")
    ]
    found = ragdiag.litmus(rows(), given)
    assert found.verdict.kind == "RETRIEVAL"
    assert repr(found) == "<litmus: RETRIEVAL>" and "RETRIEVAL" in found._repr_html_()
    assert len(found.failures()) == len(rows()) and found.failures("refusal") == []
    by_condition = {
        c: [{k: v for k, v in a.items() if k != "condition"} for a in given if a["condition"] == c]
        for c in ("retrieved", "oracle")
    }
    assert ragdiag.litmus(QUERIES, by_condition).as_dict()["table"] == found.as_dict()["table"]
    with_audit = ragdiag.audit(CORPUS, QUERIES, answers=given, **BM25)
    assert with_audit.as_dict()["verdict"]["kind"] == "CONTEXT"  # 34 of the 57 wrong answers had all evidence before them
    assert with_audit.litmus.verdict.table["wrong, context insufficient"]["oracle right"] == 23


def test_a_missing_library_names_its_pip_line(report, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ragdiag.MissingExtra, match=r"pip install './ragdiag\[notebook\]'"):
        report.to_pandas()
