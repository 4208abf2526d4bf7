"""Nothing is measured on no query in silence: whoever asks is told, with the reason and what to do."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import ragdiag
from ragdiag.cli import main
from ragdiag.core.errors import InputError, UsageError
from ragdiag.testing.auditor import Auditor

TEXTS = {
    "help/returns.md": "Returns are free for 30 days after delivery. Bring the receipt.",
    "help/delivery.md": "Delivery takes four days. An order can be changed until it is packed.",
    "help/warranty.md": "The warranty covers two years from the day of purchase.",
}
QUERIES = [
    {
        "_id": "q1",
        "text": "until when can I return it",
        "doc": "help/returns.md",
        "says": "Returns are free for 30 days after delivery.",
    },
    {"_id": "q2", "text": "how long is delivery", "doc": "help/delivery.md", "says": "Delivery takes four days."},
    {"_id": "q3", "text": "how long is the warranty", "doc": "help/warranty.md", "says": "The warranty covers two years"},
]


def labelled(document=lambda name: name, **more) -> list[dict]:
    return [
        {"_id": q["_id"], "text": q["text"], "evidence": [{"doc_id": document(q["doc"]), "text": q["says"]}], **more}
        for q in QUERIES
    ]


BROKEN = {
    "ids without suffix": (
        labelled(lambda name: name.removesuffix(".md")),
        "unknown_document 3: no document 'help/returns' in the corpus; did you mean 'help/returns.md'?",
    ),
    "ids without folder": (
        labelled(lambda name: Path(name).name),
        "unknown_document 3: no document 'returns.md' in the corpus; did you mean 'help/returns.md'?",
    ),
    "ids of another machine": (
        labelled(lambda name: "C:\\data\\" + Path(name).stem.upper() + ".PDF"),
        "unknown_document 3: no document 'C:\\\\data\\\\RETURNS.PDF' in the corpus; did you mean 'help/returns.md'?",
    ),
    "absent": ([{**q, "evidence": [{"doc_id": "help/returns.md", "text": "No such words stand here."}]} for q in labelled()],
               "text_absent 3"),
    "unanswerable": ([{"_id": q["_id"], "text": q["text"], "unanswerable": True} for q in QUERIES], "unanswerable 3"),
    "mixed": ([*labelled(lambda name: f"{name}x")[:2], {"_id": "q3", "text": "why", "unanswerable": True}],
              "unknown_document 2, unanswerable 1"),
    "no text": (labelled(text=" "), "empty_query 3"),
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        file = tmp_path / "corpus" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def write(name: str, rows: list[dict]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def run(*words: str):
    return CliRunner().invoke(main, list(words), prog_name="ragdiag")


COMMANDS = {
    "audit": ("audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--no-cache"),
    "compare": ("compare", "corpus", "queries.jsonl", "--retriever", "bm25", "--retriever", "lsa", "--no-cache"),
    "compare with runs": ("compare", "corpus", "queries.jsonl", "--run", "run.jsonl", "--retriever", "bm25", "--no-cache"),
    "explain": ("explain", "corpus", "queries.jsonl", "q1", "--retriever", "bm25", "--no-cache"),
    "litmus": (
        "litmus",
        "queries.jsonl",
        "--answers",
        "answers.jsonl",
        "--corpus",
        "corpus",
        "--retriever",
        "bm25",
        "--no-cache",
    ),
    "prompts": ("prompts", "corpus", "queries.jsonl", "--condition", "oracle"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", BROKEN)
def test_every_command_says_why(files: Path, command: str, case: str) -> None:
    rows, why = BROKEN[case]
    write("queries.jsonl", rows)
    write("answers.jsonl", [{"query_id": "q1", "condition": "retrieved", "answer": "30 days", "correct": True}])
    write("run.jsonl", [{"query_id": "q1", "retrieved": [{"doc_id": "help/returns.md"}]}])
    done = run(*COMMANDS[command])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: queries.jsonl: no query is left to ")
    assert f"mend the labels ({why}" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("case", BROKEN)
def test_python_raises_the_same(case: str) -> None:
    rows, why = BROKEN[case]
    asked: list[str] = []

    def search(query: str, k: int) -> list:
        asked.append(query)
        return ["Returns are free for 30 days after delivery."]

    for call in (
        lambda: ragdiag.audit(TEXTS, rows, retriever="bm25", cache=None),
        lambda: ragdiag.compare(TEXTS, rows, retrievers=["bm25", "lsa"], cache=None),
        lambda: ragdiag.compare(TEXTS, rows, retrievers=["bm25", search], cache=None),
        lambda: ragdiag.prompts(TEXTS, rows, "oracle"),
    ):
        with pytest.raises(InputError) as raised:
            call()
        assert why in str(raised.value) and str(raised.value).startswith("queries: no query is left to ")
    assert not asked, "a search was asked what nothing can be measured by"


@pytest.mark.parametrize("case", BROKEN)
def test_a_check_says_that_nothing_can_be_measured(files: Path, case: str) -> None:
    rows, why = BROKEN[case]
    write("queries.jsonl", rows)
    done = run("check", "corpus", "queries.jsonl")
    assert done.exit_code == (0 if case == "unanswerable" else 1)
    assert f"note: no query can be measured ({why}" in " ".join(done.stdout.split())
    found = ragdiag.check(TEXTS, rows)
    assert found.usable == 0 and any("no query can be measured" in note for note in found.notes)


def test_one_that_can_be_measured_is_enough() -> None:
    rows = [*labelled()[:1], *labelled(lambda name: f"{name}x")[1:]]
    found = ragdiag.compare(TEXTS, rows, retrievers=["bm25", "lsa"], k=1, causes=False, cache=None)
    assert [means[found.measure].n for means in found.means] == [1, 1]
    assert len(found.label_defects) == 2


def test_a_measure_that_a_run_cannot_tell_is_no_0(files: Path) -> None:
    write("run.jsonl", [{"query_id": q["_id"], "retrieved": [{"doc_id": q["doc"]}]} for q in QUERIES])
    with pytest.raises(UsageError, match=r"^nDCG@10 is decidable for no query under .*run run\.jsonl"):
        ragdiag.compare(TEXTS, labelled(), retrievers=["bm25"], runs=["run.jsonl"], measure="nDCG@10", causes=False, cache=None)


def test_a_suggestion_is_the_one_document_of_that_name() -> None:
    """Where several have the name, or none has, what is spelt alike is suggested, or nothing."""
    texts = {
        "a/index.md": "One text of the first folder.",
        "b/index.md": "One text of the second folder.",
        "v1.2": "Notes on 1.2.",
    }
    for asked, said in (
        ("index.html", ""),
        ("b/indx.md", "; did you mean 'b/index.md'?"),
        ("v1.3", "; did you mean 'v1.2'?"),
        ("zzz", ""),
    ):
        (defect,) = ragdiag.check(texts, [{"_id": "q", "text": "x", "evidence": [{"doc_id": asked, "text": "One"}]}]).defects
        assert defect.message == f"no document {asked!r} in the corpus{said}"


def test_the_plugin_says_the_same(files: Path) -> None:
    rows, why = BROKEN["ids without suffix"]
    write("queries.jsonl", rows)
    auditor = Auditor({}, files, files / "baselines", update=False, shared=None)
    with pytest.raises(InputError, match="no query is left to measure") as raised:
        auditor.audit("corpus", "queries.jsonl", retriever="bm25", cache=None)
    assert why in str(raised.value)
    with pytest.raises(UsageError, match=r"^queries must be a path, not a list$"):
        auditor.audit("corpus", rows)
