"""Answers traced to passages and to documents, and what citations of their own are worth: by hand, and through the command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.answering.answers import load_answers
from ragdiag.answering.citations import Citation, tally
from ragdiag.answering.judges._citing import Mark, said
from ragdiag.answering.judges._claims import Claim, claims
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.errors import InputError

LEAVE = "Employees receive 25 days of paid leave a year. Unused days lapse on 31 March."
CONTRACTS = "Contractors are not employees and have no paid leave."
CONTEXTS = (LEAVE, CONTRACTS, "Parental leave is 16 weeks.")


def cites(answer: str, names: tuple[str, ...] = (), n: int = 3) -> list[tuple[str, list[int]]]:
    """Each sentence with the contexts that it cites."""
    return [(each.sentence, [i for mark in each.marks for i in mark.contexts]) for each in said(answer, names, n)]


@pytest.mark.parametrize(
    ("answer", "cited"),
    [
        ("Leave is 25 days [1].", [0]),
        ("Leave is 25 days. [1]", [0]),
        ("Leave is 25 days.[1][3]", [0, 2]),
        ("[2] Leave is 25 days.", [1]),
        ("Leave [1] is 25 days [2, 3].", [0, 1, 2]),
        ("Leave is 25 days [1-3].", [0, 1, 2]),
        ("Leave is 25 days (source 2).", [1]),
        ("Leave is 25 days (Sources: 1, 3).", [0, 2]),
        ("Leave is 25 days (see doc 3)", [2]),
        ("Leave is 25 days [^2^].", [1]),
        ("Leave is 25 days【3†source】.", [2]),
        ("Leave is 25 days【4:0†handbook.pdf】.", [0]),
        ("Leave is 25 days [7].", [-1]),
        ("Leave is 25 days [Handbook].", [0, 2]),
        ("Leave is 25 days [sic].", []),
        ("Leave is 25 days [other-7.txt].", []),
        ("Leave is 25 days (2).", []),
        ("Leave is 25 days [2019].", []),
    ],
)
def test_marks(answer: str, cited: list[int]) -> None:
    ((sentence, found),) = cites(answer, ("handbook", "contracts", "handbook"))
    assert found == cited
    assert sentence.startswith("Leave is 25 days")


def test_what_may_be_an_id_states_nothing() -> None:
    assert cites("Leave is 25 days [hb-7.txt] [sic].") == [("Leave is 25 days [sic].", [])]


def test_each_sentence_has_its_own_marks() -> None:
    answer = "Sure! Leave is 25 days [1]. It lapses in March. [2] Parents get more.\n\n- Staff: yes, 16 weeks [3]"
    assert cites(answer) == [
        ("Leave is 25 days.", [0]),
        ("It lapses in March.", [1]),
        ("Parents get more.", []),
        ("Staff: yes, 16 weeks", [2]),
    ]


def test_an_answer_that_cites_a_zero_counts_from_zero() -> None:
    assert cites("One is red [0]. Two is blue [2].") == [("One is red.", [0]), ("Two is blue.", [2])]


@given(st.text(alphabet="ab. [1](source)【†】^,-0\ue000\ue001\n", max_size=60))
def test_any_text_is_cut_into_sentences_with_marks_that_exist(answer: str) -> None:
    for each in said(answer, (), 2):
        assert each.sentence and not set(each.sentence) & {"\ue000", "\ue001"}
        assert all(-1 <= i < 2 for mark in each.marks for i in mark.contexts)


def test_what_a_cited_context_is_worth() -> None:
    answer = (
        "Employees get 25 days of paid leave [1]. Contractors have no paid leave [1]. Parents get 16 weeks of leave. "
        "Leave lapses in July 2031 [3]. Unused days lapse on 31 March [9]. Employees get 25 days and contractors none [1][2]."
    )
    found = claims("How long is leave?", answer, CONTEXTS)
    assert [(c.supported, c.cited) for c in found] == [
        (True, True),
        (True, False),
        (True, None),
        (False, False),
        (True, False),
        (True, True),
    ]
    counts = tally(Citation(0, "retrieved", 1, claim) for claim in found)
    assert counts == (1, 6, 5, 5, 2, 2, 1, 1, 1)
    assert counts.precision == 2 / 5 and counts.recall == 2 / 5


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([None, True, False]))))
def test_the_counts_add_up(outcomes: list[tuple[bool, bool | None]]) -> None:
    mark = Mark("[1]", (0,))
    of = [Claim("a", s or c is True, "", marks=() if c is None else (mark,), cited=c) for s, c in outcomes]
    counts = tally(Citation(i, "oracle", 1, claim) for i, claim in enumerate(of))
    assert counts.cited == counts.held + counts.elsewhere + counts.nowhere
    assert counts.supported == counts.held + counts.elsewhere + counts.uncited
    assert (counts.precision is None) == (counts.cited == 0)
    assert counts.answers == counts.claims == len(of)


# Through the command.


def write(folder: Path, name: str, rows: list[dict]) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


QUERIES = [
    {"_id": "q1", "text": "How long is leave?", "answer": "25 days", "evidence": [{"doc_id": "leave.txt", "text": LEAVE[:47]}]},
    {"_id": "q2", "text": "Do contractors have leave?", "answer": "no", "evidence": [{"doc_id": "c.txt", "text": CONTRACTS}]},
]
ANSWERS = [
    {"query_id": "q1", "answer": "Sure! Employees get 25 days [1]. Ghosts get 99 days [2].", "supported": False,
     "contexts": [*CONTEXTS]},
    {"query_id": "q2", "answer": "They have no paid leave [c.txt].", "supported": True,
     "contexts": [{"doc_id": "leave.txt", "text": LEAVE}, {"doc_id": "c.txt", "text": CONTRACTS}]},
    {"query_id": "q2", "answer": "No.", "contexts": [CONTRACTS]},
    {"query_id": "q2", "answer": "They have none.", "condition": "closed_book"},
]  # fmt: skip


def run(folder: Path, *more: str, answers: list[dict] | None = None) -> Result:
    file = write(folder, "answers.jsonl", ANSWERS if answers is None else answers)
    return CliRunner().invoke(
        main, ["litmus", write(folder, "queries.jsonl", QUERIES), "--answers", f"retrieved={file}", *more], terminal_width=250
    )


def test_each_claim_has_a_line_with_the_passage_that_holds_it(tmp_path: Path) -> None:
    done = run(tmp_path, "--citations", str(tmp_path / "citations.jsonl"), "--json", str(tmp_path / "report.json"))
    assert done.exit_code == 0, done.output
    first, second, third = map(json.loads, (tmp_path / "citations.jsonl").read_text(encoding="utf-8").splitlines())
    assert first == {
        "query_id": "q1", "condition": "retrieved", "repeat": 1, "sentence": "Employees get 25 days.", "supported": True,
        "why": "", "context": 0, "context_id": None, "start": 0, "end": 47, "passage": LEAVE[:47],
        "doc_id": None, "doc_start": None, "doc_end": None, "cited": [{"mark": "[1]", "contexts": [0]}], "cited_supports": True,
    }  # fmt: skip
    assert (second["supported"], second["cited_supports"]) == (False, False) and "99" in second["why"]
    assert (third["context"], third["context_id"], third["cited_supports"]) == (1, "c.txt", True)
    screen = " ".join(done.stdout.split())
    assert "3 claims in 2 answers, 2 supported" in screen and "2 answers without contexts" in screen
    assert "citations, retrieved: 2 of 3 claims that cite are held by what they cite (precision 0.667)" in screen
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["answers"]
    assert report["retrieved"]["citations"] == {
        "answers": 2, "claims": 3, "supported": 2, "cited": 3, "held": 2, "elsewhere": 0, "nowhere": 1, "unknown": 0,
        "uncited": 0, "precision": pytest.approx(2 / 3), "recall": 1.0,
    }  # fmt: skip
    assert report["closed_book"]["citations"]["claims"] == 0 and report["closed_book"]["support_agreement"] is None
    agreed = report["retrieved"]["support_agreement"]
    assert (agreed["n"], agreed["kappa"], agreed["balanced_accuracy"], agreed["always_yes"]) == (2, 1.0, 1.0, 0.5)
    assert "on retrieved the judge of support agrees with 2 of 2 labels: kappa 1.00, balanced accuracy 1.00" in screen


def test_where_no_answer_cites_nothing_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, answers=[{"query_id": "q1", "answer": "Employees get 25 days.", "contexts": [*CONTEXTS]}])
    assert done.exit_code == 0 and "citation" not in done.stdout and "judge of support" not in done.stdout


def test_passages_are_named_by_their_place_in_the_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "leave.txt").write_text(f"Title\n\n{LEAVE}\n", encoding="utf-8")
    (corpus / "c.txt").write_text(CONTRACTS, encoding="utf-8")
    answers = [
        {"query_id": "q1", "answer": "Unused days lapse on 31 March [leave.txt].", "contexts": [LEAVE]},
        {"query_id": "q2", "answer": "Contractors have no paid leave.", "contexts": ["Note: contractors have no paid leave."]},
    ]
    found = litmus(QUERIES, {"retrieved": answers}, corpus=corpus, retriever="bm25", cache=None).citations
    known, unknown = found
    text = (corpus / "leave.txt").read_text(encoding="utf-8")
    assert known.doc_id == "leave.txt" and known.claim.cited is True
    assert text[known.doc_start : known.doc_end] == known.passage == "Unused days lapse on 31 March."
    assert (unknown.doc_id, unknown.doc_start, unknown.doc_end) == ("", None, None), "what is not found is not guessed"


def test_files_that_cannot_be_written_are_refused_before_any_work(tmp_path: Path) -> None:
    done = run(tmp_path, "--citations", str(tmp_path / "none" / "citations.jsonl"))
    assert done.exit_code == 2 and "does not exist" in done.stderr and done.stderr.count("\n") == 1
    done = run(tmp_path, "--citations", str(tmp_path / "answers.jsonl"))
    assert done.exit_code == 2 and "would overwrite an input" in done.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"contexts": [1]}, "'contexts' must hold texts"),
        ({"contexts": [{"doc_id": "a"}]}, "'contexts' must hold texts"),
        ({"contexts": [{"doc_id": True, "text": "a"}]}, "the id of a context must be a text"),
        ({"supported": "yes"}, "supported"),
    ],
)
def test_what_is_no_context_and_no_label(tmp_path: Path, more: dict, message: str) -> None:
    file = write(tmp_path, "a.jsonl", [{"query_id": "q", "condition": "retrieved", "answer": "a", **more}])
    with pytest.raises(InputError, match=message) as error:
        load_answers([file])
    assert f"{file}:1" in str(error.value)


def test_contexts_with_ids_and_labels_of_support_are_read(tmp_path: Path) -> None:
    row = {"query_id": "q", "condition": "retrieved", "answer": "a", "contexts": ["x", {"id": 7, "text": "y"}], "supported": True}
    (answer,) = load_answers([write(tmp_path, "a.jsonl", [row])])
    assert (answer.contexts, answer.context_ids, answer.supported) == (("x", "y"), ("", "7"), True)
