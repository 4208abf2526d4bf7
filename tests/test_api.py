"""The library as a notebook calls it: what Python has in hand gives what files give, and results answer questions."""

import contextlib
import dataclasses
import inspect
import json
import tempfile
from pathlib import Path

import pytest

import ragdiag
from ragdiag.comparing.comparison import compare as compare_files
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.pools import Pool
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
    if isinstance(found, list):  # files that were written
        return {path.name: path.read_text(encoding="utf-8") for path in found}
    if isinstance(found, Pool):
        return dataclasses.asdict(found)
    told = json.loads(dumps(found if isinstance(found, dict) else found.as_dict()))
    warnings = [w | {"file": None} for w in told.get("label_warnings", ())]  # it names what was given
    return told | {"timings": None, "label_warnings": warnings}


@pytest.mark.slow
def test_paths_give_what_the_command_gives(report) -> None:
    assert plain(report) == plain(audit_dict(audit_files(CORPUS, QUERIES, **BM25)))


@pytest.mark.slow
def test_records_and_frames_give_what_files_give(report) -> None:
    pandas = pytest.importorskip("pandas")
    texts = {d.id: d.text for d in report.audit.corpus.documents}
    titled = [
        {"_id": d.id, "title": d.title, "text": d.text, "metadata": dict(d.metadata)} for d in report.audit.corpus.documents
    ]
    of_files = plain(report)
    assert of_files["inputs"].pop("left_out")  # loaders left something out of the files; records say nothing of that
    for documents, queries in ((titled, rows()), (pandas.DataFrame(titled), pandas.DataFrame(rows()))):
        of_records = plain(ragdiag.audit(documents, queries, **BM25))
        assert of_records["inputs"].pop("left_out") == {}
        assert of_records == of_files
    of_texts = ragdiag.audit(texts, rows(), **BM25)  # without titles and metadata little is known to be superseded
    assert of_texts.measures == report.measures
    assert [q.id for q in of_texts.failures("stale")] == ["tw-01"]  # but what ids say: "travel-v2", "travel-v3"


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


@pytest.mark.slow
def test_inputs_are_not_changed() -> None:
    given = rows()
    before = json.dumps(given)
    ragdiag.audit(CORPUS, given, **BM25)
    assert json.dumps(given) == before


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_teams_own_search_is_a_retriever() -> None:
    found = ragdiag.audit(CORPUS, QUERIES, retriever=half, cache=None)
    assert not found.measures["Sufficient@5"].mean
    assert "half" in found.pipeline.retriever
    compared = ragdiag.compare(CORPUS, QUERIES, retrievers=["bm25", half], causes=False, cache=None)
    assert len(compared.cells) == 2
    assert compared.cells[compared.best].name.endswith("bm25")
    assert compared.better() == []
    assert "half" in compared.cells[1].name and "half" in str(compared)
    with pytest.raises(UsageError, match="no configuration 'x'"):
        compared.broken("x")


@pytest.mark.slow
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


@pytest.mark.slow
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


TEXTS = {"a.md": "Leave is at most 25 days a year for all staff.", "b.md": "The hotel cap in Lisbon is 225 dollars a night."}
LABELLED = [
    {"_id": "q1", "text": "how long is leave", "evidence": [{"doc_id": "a.md", "text": "Leave is at most 25 days a year"}]},
    {"_id": "q2", "text": "hotel cap lisbon", "evidence": [{"doc_id": "b.md", "text": "The hotel cap in Lisbon is 225 dollars"}]},
]
ANSWERS = [{"query_id": q["_id"], "condition": "retrieved", "answer": "x", "correct": True} for q in LABELLED]
REPORT = ragdiag.audit(TEXTS, LABELLED, retriever="bm25", swap="none", cache=None).as_dict()
OUT = str(Path(tempfile.gettempdir()) / "ragdiag-exported.toml")
POOL = str(Path(tempfile.gettempdir()) / "ragdiag-pooled")
CALLS = {
    "audit": ((TEXTS, LABELLED), {"retriever": "bm25", "cache": None}),
    "check": ((TEXTS, LABELLED), {}),
    "compare": ((TEXTS, LABELLED), {"retrievers": ["bm25"], "k": 1, "causes": False, "cache": None}),
    "decide": (({"problem": "knowledge", "changes": "weekly"},), {}),
    "diff": ((REPORT, REPORT), {"cache": None}),
    "export": ((TEXTS, "toml", OUT), {"retriever": "bm25", "cache": None}),
    "litmus": ((LABELLED, ANSWERS), {"cache": None}),
    "pool": ((TEXTS, LABELLED, POOL), {"sample": 1}),
    "prompts": ((TEXTS, LABELLED), {"retriever": "bm25", "cache": None}),
    "tune": ((TEXTS, LABELLED), {"retriever": "bm25", "embedding": False, "causes": False, "cache": None}),
}
"""Every public function, with what it takes."""


def call(name: str, *changed: object, **more: object) -> object:
    given, options = CALLS[name]
    return getattr(ragdiag, name)(*(changed or given), **options | more)


def functions() -> set[str]:
    return {name for name in ragdiag.__all__ if inspect.isfunction(getattr(ragdiag, name))}


def test_every_public_function_is_called_here() -> None:
    assert set(CALLS) == functions()


@pytest.mark.parametrize(
    ("name", "misspelt", "meant"),
    [
        ("audit", "retreiver", "retriever"),
        ("audit", "juge", "judge"),
        ("check", "coppies", "copies"),
        ("compare", "retreivers", "retrievers"),
        ("compare", "baselin", "baseline"),
        ("compare", "seeed", "seed"),
        ("decide", "chnages", "changes"),
        ("decide", "hour_rte", "hour_rate"),
        ("diff", "old_corpsu", "old_corpus"),
        ("export", "retreiver", "retriever"),
        ("litmus", "suport", "support"),
        ("pool", "smaple", "sample"),
        ("prompts", "chuncker", "chunker"),
        ("tune", "latencyy", "latency"),
    ],
)
def test_a_misspelt_option_names_the_one_that_was_meant(name: str, misspelt: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"^unknown option '{misspelt}'; did you mean '{meant}'\?"):
        call(name, **{misspelt: "x"})


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CALLS))
def test_what_is_of_another_kind_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is given as whatever: it works, or the error is one of ours."""
    monkeypatch.chdir(tmp_path)  # where "nonsense" may be written
    pandas = pytest.importorskip("pandas")
    function, (given, options) = getattr(ragdiag, name), CALLS[name]
    own = {p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY} - {"progress"}
    if name not in ("decide", "diff", "pool"):
        own |= {f.name for f in dataclasses.fields(ragdiag.Options)} if name != "check" else set()
    if name == "compare":
        own |= {p for p, v in inspect.signature(compare_files).parameters.items() if v.kind is v.KEYWORD_ONLY} - {"progress"}
    if name == "decide":
        own |= {"price", "changes", "volume", "rates"}
    odd = [2.5, "nonsense", [3], {"a": 1}, None, pandas.DataFrame(LABELLED)]
    calls = [([*given[:i], value, *given[i + 1 :]], {}) for i in range(len(given)) for value in odd]
    calls += [(given, {option: value}) for option in sorted(own - {"cache"}) for value in odd]
    for positional, changed in calls:
        if any(changed.get(option, "") is None for option in ("retriever", "retrievers")):
            continue  # the default, which loads an encoder
        with contextlib.suppress(ragdiag.RagdiagError):
            function(*positional, **options | changed)


@pytest.mark.encoder  # a search for a configuration asks what is installed
def test_records_and_frames_are_taken_everywhere() -> None:
    pandas = pytest.importorskip("pandas")
    documents = pandas.DataFrame([{"_id": name, "text": text} for name, text in TEXTS.items()])
    frames = {
        "decide": CALLS["decide"][0],
        "diff": CALLS["diff"][0],
        "export": (documents, "toml", OUT),
        "litmus": (pandas.DataFrame(LABELLED), pandas.DataFrame(ANSWERS)),
        "pool": (documents, pandas.DataFrame(LABELLED), POOL),
    }
    for name in CALLS:
        of_frames = call(name, *frames.get(name, (documents, pandas.DataFrame(LABELLED))))
        assert plain(of_frames) == plain(call(name)), name


def test_a_run_and_chunks_in_hand() -> None:
    pandas = pytest.importorskip("pandas")
    run = [{"query_id": "q1", "retrieved": [{"doc_id": "a.md"}]}, {"query_id": "q2", "retrieved": [{"doc_id": "a.md"}]}]
    for given in (run, pandas.DataFrame(run)):
        found = ragdiag.audit(TEXTS, LABELLED, run=given, k=1)
        assert [q.served for q in found.queries] == [True, False]
    with pytest.raises(InputError, match=r"^run: row 2: unknown chunk 'c.md'"):
        ragdiag.audit(TEXTS, LABELLED, run=[run[0], {"query_id": "q2", "retrieved": [{"doc_id": "c.md"}]}])
    chunks = [{"doc_id": "a.md", "start": 0, "end": 20}, {"doc_id": "b.md", "start": 0, "end": 47}]
    for own in (chunks, pandas.DataFrame(chunks)):
        found = ragdiag.audit(TEXTS, LABELLED, chunks=own, retriever="bm25", cache=None)
        assert (found.pipeline.chunks, [q.served for q in found.queries]) == (2, [False, True])


def test_one_alone_is_as_good_as_a_list() -> None:
    one = ragdiag.compare(TEXTS, LABELLED, retrievers="bm25", chunkers="sentence", k=1, causes=False, cache=None)
    assert [c.name for c in one.cells] == ["sentence(size=160) | bm25"]
    assert plain(call("prompts", conditions="oracle")) == plain(call("prompts", conditions=["oracle"]))


def test_check_gives_a_result_that_shows_itself() -> None:
    pandas = pytest.importorskip("pandas")
    broken = [*LABELLED, {"_id": "q3", "text": "x", "evidence": [{"doc_id": "help/A.txt", "text": "Leave is at most 25 days"}]}]
    found = ragdiag.check(TEXTS, broken)
    assert repr(found) == "<check: 2 of 3 queries usable, 1 label defect, 0 unreadable documents>"
    assert "queries:3: unknown_document q3: no document 'help/A.txt' in the corpus; did you mean 'a.md'?" in str(found)
    assert "unknown_document" in found._repr_html_()
    assert found.as_dict()["label_defects"] == [vars_of(d) for d in found.defects]
    (row,) = found.to_pandas().to_dict("records")
    assert (row["query"], row["kind"], row["file"], row["line"], row["excluded"]) == (
        "q3",
        "unknown_document",
        "queries",
        3,
        True,
    )
    assert isinstance(found.to_pandas(), pandas.DataFrame)


def vars_of(record: object) -> dict:
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


def test_prompts_show_how_many_they_are() -> None:
    found = call("prompts", TEXTS, [*LABELLED, {"_id": "q3", "text": "x", "unanswerable": True}])
    assert repr(found) == "<prompts: 3 retrieved, 2 oracle>"
    assert "no oracle prompt: unanswerable 1" in str(found)
    assert [p["query_id"] for p in found.as_dict()["prompts"]] == ["q1", "q2", "q3", "q1", "q2"]


def test_an_audit_judges_as_litmus_does(tmp_path: Path) -> None:
    answers = [{"query_id": q["_id"], "condition": "retrieved", "answer": "It is 25 days."} for q in LABELLED]
    labelled = [{**q, "answer": "25 days"} for q in LABELLED]
    rules = tmp_path / "rules.json"
    rules.write_text('{"format": {"max_words": 1}}', encoding="utf-8")
    for given in ({}, {"format_rules": rules}):
        alone = ragdiag.litmus(labelled, answers, **given)
        audited = ragdiag.audit(TEXTS, labelled, answers=answers, retriever="bm25", cache=None, **given)
        assert audited.litmus.judgements == alone.judgements
        assert all(j.right for j in alone.judgements) is (not given)


def test_a_decision_takes_what_the_command_takes() -> None:
    by_name = ragdiag.decide(problem="knowledge", changes="weekly", volume=200_000, hour_rate=50)
    assert by_name.recommendation == "rag" and by_name.costs.volume == 200_000 and by_name.costs.rates.hour_rate == 50
    found = call("litmus")
    assert ragdiag.decide(verdict=found).as_dict() == ragdiag.decide(verdict=found.as_dict()).as_dict()
