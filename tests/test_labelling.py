"""What is said of labels: the answer stands where no label names it, labels that are wide or in doubt, and what counts them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ragdiag
from ragdiag.core.errors import InputError
from ragdiag.core.proofs import Finding, Standing
from ragdiag.core.records import Chunking, Corpus, Document, Label, Mean, Query, QueryResult, Run
from ragdiag.core.registry import make
from ragdiag.diagnosis.labelling import labels_said, with_labels
from ragdiag.pipeline import check
from ragdiag.reports.fixes import fixing, next_queries
from ragdiag.scoring.doubts import Doubt, doubts
from ragdiag.scoring.labels import more_than_needed
from ragdiag.scoring.scoring import Scorer
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

FILLER = tuple(f"Page {n} tells of gardens, rivers, bridges and the weather in the month of May." for n in range(30))
"""Documents on something else, so that the words of the others are rare."""

LEAVE = "Staff may take at most 25 days of paid leave each year."


def scored(query: Query, *texts: str) -> tuple[Scorer, Run]:
    """Each text a document and a chunk; the context is all of them but the first, in order."""
    corpus = Corpus(tuple(Document(f"d{n:02}", text) for n, text in enumerate((*texts, *FILLER))))
    n = len(corpus.documents)
    chunking = Chunking(np.arange(n), np.zeros(n, np.int64), corpus.lengths)
    order = np.arange(1, len(texts))[None]
    return Scorer(corpus, locate([query], corpus), chunking), Run(order, -order.astype(np.float64))


def asked(text: str, answer: str = "", evidence: str = "Nothing of it stands here.", also: tuple[str, ...] = ()) -> Query:
    return Query("q", text, answer, (Label("d00", evidence, 0, len(evidence)),), also=also)


def said(query: Query, *texts: str) -> list[tuple[int, str]]:
    """Rank and reason of what may answer, in a context of `texts`; the label is the first document."""
    scorer, run = scored(query, query.evidence[0].text, *texts)
    lengths = np.array([len(texts)])
    return [(d.rank, d.why) for d in doubts(scorer, run, lengths, {0}, make("judges", "matcher(style=free)"))]


HOLDS, SAYS, AS_LABELLED = (
    "holds the reference answer as it stands",
    "says what the reference answer says",
    "says what the labelled passage says",
)


HOW_MANY, HOW_MUCH = "How many days of paid leave may staff take?", "How much paid leave may staff take?"
NOTE = "Note: it opens  on monday AT NINE, they say."
FLOOD = asked("When?", "never at all, it seems", also=("the day of the great flood",))


@pytest.mark.parametrize(
    ("query", "texts", "expected"),
    [
        (asked("When is it open?", "It opens on Monday at nine."), (NOTE,), [(1, HOLDS)]),
        (FLOOD, ("He left on the day of the great flood.",), [(1, HOLDS)]),
        (asked(HOW_MANY, "25"), (FILLER[0], LEAVE), [(2, SAYS)]),
        (asked(HOW_MANY, "20"), (LEAVE,), []),  # another number
        (asked("How tall is the tower in Ghent?", "25"), (LEAVE,), []),  # the number stands there, the question does not
        (asked("May staff take paid leave?", "yes"), (LEAVE,), []),  # a word that says nothing by itself
        (asked("Of which subject is page 1?", "rivers"), (FILLER[1],), []),  # a word that stands everywhere
        (asked(HOW_MUCH, "", "Staff take 25 days of paid leave a year at most."), (LEAVE,), [(1, AS_LABELLED)]),
        (asked(HOW_MUCH, "", "Staff take 30 days of paid leave, with a doctor's note."), (LEAVE,), []),
    ],
)
def test_what_no_label_names_and_may_answer(query: Query, texts: tuple[str, ...], expected: list[tuple[int, str]]) -> None:
    assert said(query, *texts) == expected


MANUAL = """The boiler is vented in autumn, and its filter rinsed with cold water; the valve is closed before.
See also the annex on pumps."""


def test_a_chunk_that_repeats_the_label_or_has_the_words_of_an_answer_casts_doubt() -> None:
    short = "The boiler is vented in autumn, and its filter rinsed with cold water."
    assert said(asked("How is it kept?", "", short), f"Archive. {short.upper()}") == [
        (1, "says the labelled passage word for word")
    ]
    assert said(asked("How is it kept?", "", short), short.replace("cold", "warm")) == []
    answer = "vent it in autumn; rinse the filter with cold water"
    had = "Rinse filters (cold water); autumn: vented."
    words_had = "has 6 of the 6 words of the reference answer that the question lacks"
    assert said(asked("How is the boiler kept?", answer, MANUAL), had) == [(1, words_had)]
    assert said(asked("How is the boiler kept?", answer, MANUAL), "Rinse filters in autumn.") == []


def test_a_chunk_with_a_part_of_the_label_casts_doubt_too_and_is_no_unlabelled_hit() -> None:
    query = asked("How is the boiler kept?", "vent it in autumn; rinse the filter with cold water", MANUAL)
    corpus = Corpus((Document("d00", MANUAL), *(Document(f"e{n}", text) for n, text in enumerate(FILLER))))
    cut = MANUAL.index("\nSee also")
    chunking = Chunking(np.zeros(2, np.int64), np.array([0, cut]), np.array([cut, len(MANUAL)]))
    told = labels_said(Scorer(corpus, locate([query], corpus), chunking), Run(np.array([[0]]), np.array([[1.0]])), np.array([1]))
    assert told.wide or "with a part of the evidence" in told.doubtful[0][f"d00#0-{cut}"]
    assert not told.warnings


def test_a_label_that_no_context_holds_is_in_doubt() -> None:
    scorer, run = scored(asked("How?", "", LEAVE), LEAVE, FILLER[0])
    (told,) = with_labels([result(status="unattainable", causes=())], labels_said(scorer, run, np.array([1])))
    assert told.label == "doubtful" and "does not fit into the context" in told.label_says


def test_only_what_is_in_the_context_counts_and_only_failing_queries_are_read_closely() -> None:
    query = asked("How many days of paid leave may staff take?", "25")
    scorer, run = scored(query, query.evidence[0].text, LEAVE)
    judge = make("judges", "matcher(style=free)")
    assert list(doubts(scorer, run, np.array([1]), {0}, judge)) == [Doubt(0, 1, 1, SAYS)]
    assert list(doubts(scorer, run, np.array([0]), {0}, judge)) == []
    assert list(doubts(scorer, run, np.array([1]), set(), judge)) == []


def result(**fields: object) -> QueryResult:
    given = {"id": "q", "text": "?", "status": "caused", "measures": {}, "least_k": 9, "documents": ("d00",), "served": False}
    return QueryResult(**{**given, "causes": ("ranking",), **fields})  # type: ignore[arg-type]


def test_a_doubtful_label_keeps_status_and_causes_and_a_warning_names_the_chunk() -> None:
    query = asked("How many days of paid leave may staff take?", "25")
    scorer, run = scored(query, query.evidence[0].text, LEAVE)
    told = labels_said(scorer, run, np.array([1]))
    (warning,) = told.warnings
    assert (warning.kind, warning.message) == ("unlabelled_hit", f"d01#0-55, which no label names, {SAYS}")
    (doubtful,) = with_labels([result()], told)
    assert doubtful == replace(result(), label="doubtful", label_says=f"d01#0-55, at rank 1 and named by no label, {SAYS}")
    # A copy or superseded version that was proved to be in the way says nearly the same, and is no reason to doubt.
    for cause in ("stale", "crowded_out"):
        (explained,) = with_labels([result(causes=(cause,))], told)
        assert explained.label == ""
    # Neither is a chunk that is known to say something else, or for an old version, whatever the cause is.
    for key in ("versions", "conflicts"):
        seen = Finding(
            "stale", None, "", Standing(None, False), Standing(None, False), "", False, detail={key: [{"chunk": "d01#0-55"}]}
        )
        (explained,) = with_labels([result(findings=(seen,))], told)
        assert explained.label == ""


def test_a_wide_label_is_no_failure() -> None:
    whole = f"All rights are reserved. {LEAVE} Requests go to the office in Ghent, which is closed on Fridays and in May."
    query = asked("How many days of paid leave may staff take?", "at most 25 days", whole)
    corpus = Corpus((Document("d00", whole), *(Document(f"e{n}", text) for n, text in enumerate(FILLER))))
    start, end = whole.index("Staff"), whole.index("Requests")
    chunking = Chunking(np.zeros(3, np.int64), np.array([0, start, end]), np.array([start, end, len(whole)]))
    scorer = Scorer(corpus, locate([query], corpus), chunking)
    wide, not_there = (Run(np.array([order]), np.array([[2.0, 1.0]])) for order in ([1, 0], [0, 2]))
    (told,) = with_labels([result()], labels_said(scorer, wide, np.array([2])))
    assert (told.status, told.causes, told.label, told.served) == ("label_wide", (), "wide", False)
    assert told.label_says.startswith("what its context lacks is no part of the answer: 13 of the 35 labelled tokens answer")
    (untold,) = with_labels([result()], labels_said(scorer, not_there, np.array([2])))
    assert untold == result()


def test_neither_counts_among_causes_and_doubtful_ones_are_looked_at_first() -> None:
    wide = result(id="w", label="wide", status="label_wide", causes=())
    doubtful, plain = result(id="d", label="doubtful", causes=("diluted",)), result(id="p")
    share = Mean(1.0, 0.5, 1.0, 1)
    report = type("R", (), {"causes": {"ranking": share}, "pipeline": type("P", (), {"swaps": ()})})
    shown = fixing(report, [wide, plain, doubtful])  # type: ignore[arg-type]
    assert [(row.cause, [q.id for q in row.queries]) for row in shown.rows] == [("ranking", ["p"])]
    assert "of the 1 " in shown.headline
    (note,) = [row.text for row in shown.notes if "left out" in row.text]
    assert "1 label wide (" in note and "1 label doubtful (" in note
    look = next_queries([wide, plain, doubtful], shown.rows)
    assert [(n.query.id, n.why) for n in look] == [("d", "label doubtful"), ("p", "ranking"), ("w", "label wide")]
    alone = fixing(report, [wide])  # type: ignore[arg-type]
    assert alone.rows == () and "no query is left" in alone.headline


def test_an_audit_counts_them_apart(tmp_path: Path) -> None:
    """Three chunks of a label: what answers is served, the licence and the rest are not; Answer@1 says so, and causes do not."""
    whole = f"All rights are reserved here.\n\n{LEAVE}\n\nRequests go to the office in Ghent."
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/leave.md").write_text(whole)
    for n, text in enumerate(FILLER):
        (tmp_path / f"corpus/{n}.md").write_text(text)
    record = {"_id": "q", "text": "how many days of paid leave may staff take", "answer": "at most 25 days of paid leave"}
    evidence = [{"doc_id": "leave.md", "start": 0, "end": len(whole)}]
    (tmp_path / "q.jsonl").write_text(json.dumps({**record, "evidence": evidence}) + "\n")
    report = ragdiag.audit(tmp_path / "corpus", tmp_path / "q.jsonl", retriever="bm25", chunker="sentence(size=14)", k=1)
    assert (report["q"].status, report["q"].label, report["q"].served) == ("label_wide", "wide", False)
    assert report.measures["Sufficient@1"].mean == 0 and report.measures["Answer@1"].mean == 1
    assert report.causes == {}
    assert report.as_dict()["queries"][0]["label"] == "wide"
    warnings = check(tmp_path / "corpus", tmp_path / "q.jsonl").labels.warnings
    assert [w.kind for w in warnings] == ["wide_label"] and "leave.md#0-" in warnings[0].message


# What check points to


def kinds(query: Query, *texts: str) -> list[str]:
    corpus = Corpus(tuple(Document(f"d{n:02}", text) for n, text in enumerate((*texts, *FILLER))))
    return [w.kind for w in more_than_needed(corpus, locate([query], corpus, "ignore"))]


def test_passages_that_each_answer_alone_are_pointed_to() -> None:
    one, other = LEAVE, "In each year, members of staff take paid leave of at most 25 days, no more."
    labels = tuple(Label(f"d0{n}", text, 0, len(text)) for n, text in enumerate((one, other)))
    query = Query("q", "How much leave may staff take?", "At most 25 days of paid leave each year.", labels)
    assert kinds(query, one, other) == ["each_answers"]
    assert kinds(replace(query, evidence=tuple(replace(x, group="a") for x in labels)), one, other) == []  # alternatives already
    assert kinds(replace(query, answer="25"), one, other) == []  # a short answer stands in many places
    near = LEAVE.replace("Staff", "Our staff")
    twice = Query("q", "Leave?", "", (labels[0], Label("d01", near, 0, len(near))))
    assert kinds(twice, one, near) == ["each_answers"]  # they say nearly the same
    assert kinds(replace(twice, evidence=(labels[0], Label("d02", FILLER[0], 0, len(FILLER[0])))), one, near) == []


def test_any_makes_all_passages_of_a_record_alternatives(tmp_path: Path) -> None:
    evidence = [{"doc_id": "a", "text": "one"}, {"doc_id": "b", "text": "two"}]
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"_id": "q", "text": "?", "any": True, "evidence": evidence}))
    (query,) = load_queries(path)
    assert len({label.group for label in query.evidence} - {""}) == 1 and not query.metadata
    path.write_text(json.dumps({"_id": "q", "text": "?", "any": False, "evidence": evidence}))
    assert {label.group for label in load_queries(path)[0].evidence} == {""}
    path.write_text(json.dumps({"_id": "q", "text": "?", "any": True, "evidence": [evidence[0] | {"group": "g"}, evidence[1]]}))
    assert len({label.group for label in load_queries(path)[0].evidence}) == 1
    two = [item | {"group": group} for item, group in zip(evidence, "gh", strict=True)]
    path.write_text(json.dumps({"_id": "q", "text": "?", "any": True, "evidence": two}))
    with pytest.raises(InputError, match="'any' is true, and passages have different groups"):
        load_queries(path)
    path.write_text(json.dumps({"_id": "q", "text": "?", "any": "yes", "evidence": evidence}))
    with pytest.raises(InputError, match="'any'"):
        load_queries(path)
