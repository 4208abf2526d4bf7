"""What loaders leave out: how much it is, where it is said, and where a passage stands that no text holds."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import ragdiag
from ragdiag.cli import main
from ragdiag.core.errors import UsageError
from ragdiag.core.records import Corpus, Document, Label, Omission
from ragdiag.core.records import Query as LabelledQuery
from ragdiag.sources.evidence import locate
from ragdiag.sources.loaders import KINDS as SUFFIXES
from ragdiag.sources.omissions import KEPT_ON_REQUEST, KINDS, Amount, Keep, amounts, held, kept, much, unread

TEXT = "Leave is at most 25 days. Ask your manager.\n\nShipping is free above 40 euros."


def document(*left_out: Omission, text: str = TEXT, name: str = "policy.docx") -> Document:
    return Document(name, text, file=f"in/{name}", left_out=left_out)


def after(words: str, kind: str, text: str, place: str = "") -> Omission:
    return Omission(kind, text, TEXT.index(words) + len(words), place)


def test_kinds_to_keep() -> None:
    assert kept(["hidden, notes", "forms", ""]) == {"hidden", "notes", "forms"}
    assert kept(KEPT_ON_REQUEST) == set(KEPT_ON_REQUEST) < set(KINDS)
    with pytest.raises(UsageError, match=r"'hiden' is no kind .*; did you mean 'hidden'\?"):
        kept(["notes,hiden"])
    with pytest.raises(UsageError, match=r"--keep images: there is no text to keep of pictures"):
        kept(["images"])


def test_amounts() -> None:
    one = document(Omission("hidden", "abc"), Omission("hidden", "de"), Omission("images"), Omission("navigation", "x"))
    assert amounts([one, document(), document(Omission("hidden", "f"))]) == {
        "navigation": Amount(1, 1, 1),
        "hidden": Amount(2, 3, 6),
        "images": Amount(1, 1, 0),
    }


def test_much_is_more_than_a_tenth() -> None:
    little, a_lot = Omission("navigation", "x" * 100), Omission("navigation", "x" * 112)
    assert list(much([document(little, text="y" * 900)])) == []
    (note,) = much([document(a_lot, text="y" * 900)])
    assert note.startswith("loaders leave out 11% of the documents' characters: navigation 112;")
    (note,) = much([document(Omission("limits", place="page 9"), text="y" * 900)])
    assert note.startswith("1 place of 1 document could not be read")


def test_what_could_not_be_read_is_named() -> None:
    pages = [Omission("unreadable", place=f"page {n}") for n in (3, 3, *range(5, 12))]
    assert unread([Omission("hidden", "x")]) == ""
    assert unread(pages[:2]).startswith("page 3 holds no text that could be read, the rest was read;")
    assert unread(pages).startswith("page 3, page 5, page 6, page 7, page 8, page 9 and 2 more places hold no text")


# Where a passage stands


@pytest.mark.parametrize(
    "passage",
    [
        "Part-time staff have 20 days.",
        "Part-time  staff\nhave 20 days",
        "part‑time".replace("p", "P") + " staff have 20 days.",  # a hyphen that does not break
        "at most 25 days. Part-time staff have",  # begins in the text
        "have 20 days. Ask your manager.",  # ends in it
    ],
)
def test_a_passage_is_found_in_what_was_left_out(passage: str) -> None:
    piece = after("25 days. ", "hidden", "Part-time staff have 20 days.", "deleted text")
    assert held(document(after("manager.", "notes", "Why?"), piece), passage) == [piece]


@pytest.mark.parametrize("passage", ["Leave is at most 25 days.", "Part-time staff have 30 days.", "art-time staff", "", " "])
def test_what_was_not_left_out_is_not_found_there(passage: str) -> None:
    assert held(document(after("25 days. ", "hidden", "Part-time staff have 20 days.")), passage) == []


def test_a_passage_of_several_pieces() -> None:
    pieces = after("days.", "hidden", "Not on"), after("days.", "hidden", "Sundays.")
    assert held(document(*pieces), "Not on Sundays.") == list(pieces)


def defect(passage: str, *documents: Document, doc_id: str = "policy.docx") -> str:
    query = LabelledQuery("q", "how long?", evidence=(Label(doc_id, passage),))
    (found,) = locate([query], Corpus(documents)).defects
    assert found.kind == "text_absent"
    return found.message


def test_an_absent_passage_names_the_loader_that_left_it_out() -> None:
    where = document(after("25 days. ", "hidden", "Contractors have none at all.", "deleted text"))
    told = "it stands in what the .docx loader left out of policy.docx (hidden: deleted text); --keep hidden leaves it in"
    assert defect("Contractors have none at all.", where) == f"'Contractors have none at all.' is not in policy.docx; {told}"
    other = document(name="b.html")
    anywhere = LabelledQuery("q", "?", evidence=(Label("", "Contractors have none at all."),))
    (found,) = locate([anywhere], Corpus((other, where))).defects
    assert found.message.endswith(f"is not in any document; {told}")
    assert "left out" not in defect("Contractors have none at all.", other, where, doc_id="b.html")
    cut = document(Omission("limits", "Contractors have none at all.", len(TEXT), "cell 9"))
    assert defect("Contractors have none at all.", cut).endswith("(limits: cell 9)")  # nothing to keep


# Through the command, with a loader of its own


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus whose ``.htm`` files are read by a loader that leaves out lines in brackets, unless told to keep them."""

    def load(path: Path, keep: Keep) -> Document:
        text, left_out = "", []
        for line in path.read_text().splitlines(keepends=True):
            kind = {"[": "hidden", "{": "navigation", "?": "unreadable"}.get(line[0], "")
            if kind and kind not in keep:
                left_out.append(Omission(kind, "" if kind == "unreadable" else line.strip(), len(text), f"<{kind}>"))
            else:
                text += line
        return Document("", text, left_out=tuple(left_out))

    monkeypatch.setitem(SUFFIXES, ".htm", load)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.htm").write_text(TEXT + "\n[Interns have 10 days of leave a year.]\n{Home Contact}\n")
    (tmp_path / "c" / "b.htm").write_text("The office is open on weekdays.\n" * 3)
    lines = [
        {"_id": "q1", "text": "leave days?", "evidence": [{"doc_id": "a.htm", "text": "Leave is at most 25 days."}]},
        {"_id": "q2", "text": "interns?", "evidence": [{"doc_id": "a.htm", "text": "Interns have 10 days of leave a year."}]},
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (0, 1), result.output
    return result.output


BM25 = ("--retriever", "bm25", "--no-cache")


@pytest.mark.usefixtures("here")
def test_check_shows_what_is_left_out_and_where() -> None:
    shown = " ".join(run("check", "c", "q.jsonl").split())
    assert "hidden 1 1 39 what the page or the file hides" in shown
    assert "--keep navigation,hidden leaves it in the text" in shown
    assert "c/a.htm: navigation 14 characters in 1 place (<navigation>); hidden 39 characters in 1 place (<hidden>)" in shown
    assert "the .htm loader left out of a.htm (hidden: <hidden>); --keep hidden leaves it in" in shown
    kept_in = " ".join(run("check", "c", "q.jsonl", "--keep", "navigation,hidden").split())
    assert "left out" not in kept_in and "no defects" in kept_in


@pytest.mark.usefixtures("here")
def test_the_report_counts_it_and_the_screen_says_it_where_it_is_much() -> None:
    told = json.loads(run("audit", "c", "q.jsonl", *BM25, "--json", "-"))
    assert told["inputs"]["left_out"] == {
        "navigation": {"documents": 1, "pieces": 1, "characters": 14},
        "hidden": {"documents": 1, "pieces": 1, "characters": 39},
    }
    assert "keep:" not in told["signature"] and "exclude:" not in told["signature"]
    assert any(note.startswith("loaders leave out 2") for note in told["notes"])  # 53 of 53 + 173 characters
    with_all = json.loads(run("audit", "c", "q.jsonl", *BM25, "--keep", "hidden", "--keep", "navigation", "--json", "-"))
    assert with_all["inputs"]["left_out"] == {} and not with_all["label_defects"]
    assert "|keep:hidden|keep:navigation|" in with_all["signature"]
    assert with_all["inputs"]["corpus_sha256"] != told["inputs"]["corpus_sha256"]


def test_a_document_read_in_part_is_a_problem(here: Path) -> None:
    (here / "c" / "b.htm").write_text("Some text.\n? a picture of a page\n")
    shown = run("check", "c", "q.jsonl")
    assert "1 documents were read only in part" in shown and "are left out" not in shown
    assert "c/b.htm: <unreadable> holds no text that could be read, the rest was read" in " ".join(shown.split())
    (row,) = json.loads(run("audit", "c", "q.jsonl", *BM25, "--json", "-"))["unreadable"]
    assert (row["file"], row["partly"]) == ("c/b.htm", True)


@pytest.mark.parametrize("keep", ['"hidden"', '["hidden"]', '"hidden,notes"'])
def test_the_configuration_may_say_it(here: Path, keep: str) -> None:
    (here / "ragdiag.toml").write_text(f'keep = {keep}\nexclude = ["b.*"]\n')
    shown = run("check", "c", "q.jsonl")
    assert "1 documents, 2 queries, 2 usable" in shown and "1 document is left out by --exclude" in shown
    (here / "ragdiag.toml").write_text('keep = "hiden"\n')
    result = CliRunner().invoke(main, ["check", "c", "q.jsonl"])
    assert result.exit_code == 2 and "did you mean 'hidden'?" in result.output


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "c", "q.jsonl", *BM25),
        ("check", "c", "q.jsonl"),
        ("compare", "c", "q.jsonl", *BM25, "--retriever", "lsa"),
        ("explain", "c", "q.jsonl", "q2", *BM25),
        ("litmus", "q.jsonl", "--corpus", "c", "--answers", "a.jsonl", *BM25),
        ("prompts", "c", "q.jsonl", *BM25),
        ("label", "c", "q.jsonl", "--out", "labels.jsonl", "--retriever", "bm25", "--no-cache"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_reads_a_corpus_takes_both(here: Path, command: tuple[str, ...]) -> None:
    (here / "a.jsonl").write_text('{"query_id": "q2", "condition": "retrieved", "answer": "10 days", "correct": false}\n')
    for wrong, message in (("--keep=hiden", "is no kind"), ("--exclude=[", "is no pattern")):
        result = CliRunner().invoke(main, [*command, wrong])
        assert result.exit_code == 2 and message in result.output
    shown = run(*command, "--keep", "hidden", "--exclude", "b.*")
    assert "text_absent" not in shown


def test_python_takes_both_as_any_other_option(here: Path) -> None:
    options = {"keep": "hidden", "exclude": ["b.htm"]}
    checked = ragdiag.check("c", "q.jsonl", **options)
    assert [d.id for d in checked.corpus.documents] == ["a.htm"] and not checked.defects
    report = ragdiag.audit("c", "q.jsonl", retriever="bm25", cache=None, **options)
    assert report.inputs["documents"] == 1 and not report.label_defects
    compared = ragdiag.compare(
        "c", "q.jsonl", retrievers=["bm25", lambda query, k: ["Interns have 10 days"]], cache=here, **options
    )
    assert compared.inputs["documents"] == 1 and not compared.label_defects
    with pytest.raises(UsageError, match="each of keep must be a text"):
        ragdiag.audit("c", "q.jsonl", keep=[3])


def test_the_loader_lost_a_passage_only_where_it_says_so(here: Path) -> None:
    before, fees = "The office is open on weekdays.\n", "Fees are due\nby the end of May.\n"
    query = {"_id": "q", "text": "when are fees due?", "evidence": [{"doc_id": "f.htm", "text": fees.strip()}]}
    (here / "fees.jsonl").write_text(json.dumps(query) + "\n")
    others = [{"doc_id": "a.htm", "text": TEXT[:25]}, {"doc_id": "f.htm", "text": before.strip()}]
    for name, content, kind in (
        ("a note in the middle", before + "Fees are due\n[or else]\nby the end of May.\n", "lost by the loader"),
        ("the passage once more", before + fees + "[Fees are due by the end of May.]\n", "lost by the loader"),
        ("a note elsewhere", before + "[or else]\n" + fees + "[or else]\n", "lost by the chunker or the index"),
        ("nothing", before + fees, "lost by the chunker or the index"),
        ("not indexed", fees + "[or else]\n", "not ingested"),
    ):
        (here / "c" / "f.htm").write_text(content)
        chunks = others[: 1 if kind == "not ingested" else 2]
        (here / "chunks.jsonl").write_text("".join(json.dumps(chunk) + "\n" for chunk in chunks))
        options = {"chunks": "chunks.jsonl", "retriever": "bm25", "cache": None, "k": 1}
        found = ragdiag.audit("c", "fees.jsonl", **options).queries[0].findings
        assert [f.detail["kind"] for f in found if f.cause == "missing_content"] == [kind], name
