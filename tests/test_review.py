"""Reviewing failing queries: what is drawn, what is asked and said, what the file and the next audit make of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import ragdiag
from ragdiag.cli import main
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Chunking, Run, Span
from ragdiag.core.reviews import place_in_draw
from ragdiag.label.drawing import open_review
from ragdiag.label.review_page import ReviewPage
from ragdiag.label.review_terminal import accepted_by, opening
from ragdiag.label.reviewing import Review, with_review
from ragdiag.scoring.gates import Gate, failures
from ragdiag.scoring.judgements import before_reviews
from ragdiag.scoring.scoring import Scorer
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries
from ragdiag.testing.assertions import check_gates
from ragdiag.testing.audited import Audited, of_report

TOWNS = "Aarle Berlo Cadix Doorn Ekeby Fjall Gouda Hjord Imola Jever Kampe Lunde".split()
"""Each has a page that says when its pool opens, which is labelled for nobody, and another with the label."""


def hidden(n: int, town: str) -> str:
    """What bm25 does not find."""
    return f"Visitors swim from hour {n + 1} on wherever {town[:2]}x is meant."


def documents() -> list[dict[str, str]]:
    rows = []
    for n, town in enumerate(TOWNS):
        rows.append({"_id": f"pool-{town}", "text": f"The pool of {town} opens at {n + 1} sharp. Children pay half there."})
        rows.append({"_id": f"times-{town}", "text": f"{hidden(n, town)} Bring a towel."})
    return rows


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in documents()))
    return path


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """Served by labels: the first four. The label of all others is a passage that bm25 does not find."""
    path = tmp_path / "queries.jsonl"
    rows = []
    for n, town in enumerate(TOWNS):
        served = n < 4
        text = f"The pool of {town} opens at {n + 1} sharp." if served else hidden(n, town)
        label = {"doc_id": f"{'pool' if served else 'times'}-{town}", "start": 0, "end": len(text), "text": text}
        rows.append(
            {
                "_id": f"q{n}",
                "text": f"when opens the pool of {town}",
                "answer": "half past seven in the evening",
                "evidence": [label],
                "meta": {"n": n},
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


OPTIONS: dict[str, Any] = {"retriever": "bm25", "k": 1, "cache": None}


def run(*command: object, stdin: str = "") -> Result:
    return CliRunner().invoke(main, list(map(str, command)), prog_name="ragdiag", input=stdin)


def audit(corpus: Path, queries: Path, report: Path, *more: str) -> dict[str, Any]:
    done = run("audit", corpus, queries, "--retriever", "bm25", "-k", "1", "--no-cache", "--json", report, *more)
    assert report.exists(), done.output
    return dict(json.loads(report.read_text(encoding="utf-8")))


@pytest.fixture
def report(corpus: Path, queries: Path, tmp_path: Path) -> Path:
    audit(corpus, queries, tmp_path / "report.json")
    return tmp_path / "report.json"


def review(corpus: Path, queries: Path, report: Path, out: Path, stdin: str, *more: str) -> Result:
    return run(
        "label", corpus, queries, "--review", report, "--out", out, "--retriever", "bm25", "--no-cache", *more, stdin=stdin
    )


def opened(corpus: Path, queries: Path, report: Path, out: Path) -> Review:
    return open_review(corpus, queries, report, out, ("bm25",), None)[0]


def lines(path: Path) -> dict[str, dict[str, Any]]:
    return {row["_id"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


# What an audit says before anybody has looked


def test_an_audit_says_what_no_label_judges(report: Path) -> None:
    said = json.loads(report.read_text())
    share = said["corrected"]["Sufficient@1"]
    assert said["measures"]["Sufficient@1"]["mean"] == pytest.approx(4 / 12)
    assert said["measures"]["Judged@1"]["mean"] == pytest.approx(4 / 12)
    assert (share["mean"], share["low"], share["high"]) == (None, pytest.approx(4 / 12), 1.0)
    assert (share["reviewed"], share["drawn_from"], share["n"], share["seed"]) == (0, 8, 12, 0)
    unjudged = {q["id"]: q["unjudged"] for q in said["queries"]}
    assert unjudged["q0"] == [], "a served query has nothing to review"
    assert [passage["doc_id"] for passage in unjudged["q5"]] == ["pool-Fjall"]


def test_the_bounds_are_on_every_surface(corpus: Path, queries: Path, tmp_path: Path) -> None:
    audited = ragdiag.audit(corpus, queries, **OPTIONS)
    says = "0.333 to 1.000, since unlabelled chunks may answer 8 of the failing"
    assert says in run("audit", corpus, queries, "--retriever", "bm25", "-k", "1", "--no-cache").output
    for name in ("report.html", "report.md"):
        audited.save(tmp_path / name)
        assert says in (tmp_path / name).read_text(encoding="utf-8")


# The draw


def test_queries_come_in_the_order_of_the_draw_whatever_the_report_s_order(
    corpus: Path, queries: Path, report: Path, tmp_path: Path
) -> None:
    order = [task.query.id for task in opened(corpus, queries, report, tmp_path / "a.jsonl").tasks]
    assert order == sorted((f"q{n}" for n in range(4, 12)), key=lambda name: place_in_draw(0, name))
    said = json.loads(report.read_text())
    said["queries"].reverse()
    (tmp_path / "other.json").write_text(json.dumps(said))
    assert [task.query.id for task in opened(corpus, queries, tmp_path / "other.json", tmp_path / "b.jsonl").tasks] == order


def test_doubtful_labels_are_a_stratum_of_their_own_asked_by_turns(
    corpus: Path, queries: Path, report: Path, tmp_path: Path
) -> None:
    said = json.loads(report.read_text())
    for query in said["queries"]:
        query["label"] = "doubtful" if query["id"] in ("q10", "q11") else ""
    report.write_text(json.dumps(said))
    session = opened(corpus, queries, report, tmp_path / "out.jsonl")
    order = [task.query.id for task in session.tasks]
    assert {order[0], order[2]} == {"q10", "q11"}, "first one that is doubtful, then one that is not"
    session.accept(())
    session.accept(())
    found = {name: row["reviewed"]["stratum"] for name, row in lines(tmp_path / "out.jsonl").items() if "reviewed" in row}
    assert found == {order[0]: "doubtful", order[1]: "other"}


# The file


def test_only_what_was_reviewed_changes(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = review(corpus, queries, report, out, "1:1\nn\nq\n")
    assert done.exit_code == 0, done.output
    before, after = lines(queries), lines(out)
    assert list(before) == list(after)
    first, second = (task.query.id for task in opened(corpus, queries, report, tmp_path / "x.jsonl").tasks[:2])
    assert {name for name in before if before[name] != after[name]} == {first, second}
    changed = dict(after[first])
    label, accepted = changed.pop("evidence")
    looked = changed.pop("reviewed")
    assert changed == {k: v for k, v in before[first].items() if k != "evidence"}
    assert label == before[first]["evidence"][0] | {"group": "g1"}
    assert accepted["accepted"] and accepted["group"] == "g1" and accepted["text"].endswith("sharp.")
    assert [p["says"] for p in looked["passages"]] == ["answers"] and looked["stratum"] == "other" and looked["seed"] == 0
    assert after[second]["evidence"] == before[second]["evidence"]
    assert [p["says"] for p in after[second]["reviewed"]["passages"]] == ["no"]
    assert run("check", corpus, out).exit_code == 0


def test_it_goes_on_and_takes_back(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert "1 reviewed so far" not in review(corpus, queries, report, out, "1\nq\n").output
    again = review(corpus, queries, report, out, "p 1\nn\nb\nx\nq\n")
    assert "1 reviewed so far" in again.output and "query 2 of 8 failing" in again.output and "taken back" in again.output
    reviewed = [name for name, row in lines(out).items() if "reviewed" in row]
    assert len(reviewed) == 1
    assert all(lines(out)[name] == row for name, row in lines(queries).items() if name not in reviewed)
    review(corpus, queries, report, out, "p 1\nn\nq\n")
    says = [p["says"] for row in lines(out).values() for p in row.get("reviewed", {}).get("passages", ())]
    assert sorted(says) == ["answers", "part"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("1 1:1", "each passage has to answer by itself"),
        ("9", "there is no passage 9"),
        ("2=1", "there is no evidence 2"),
        ("p 7", "there is no passage 7"),
        ("u", "is none of these"),
        ("x", "nothing was said of this query yet"),
        ("b", "this is the first query"),
    ],
)
def test_what_cannot_be_said_changes_nothing(
    command: str, says: str, corpus: Path, queries: Path, report: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert says in " ".join(review(corpus, queries, report, out, f"{command}\nq\n").output.split())
    assert lines(out) == lines(queries)


def test_passages_of_the_pool_are_looked_at_as_well(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    session = opened(corpus, queries, report, tmp_path / "out.jsonl")
    name = session.task.query.id
    assert session.more() > 1
    shown = len(session.shown)
    session.accept([(0, session.passage(2))])
    says = [p["says"] for p in lines(tmp_path / "out.jsonl")[name]["reviewed"]["passages"]]
    assert len(says) == shown and says[1] == "answers" and says[0] == "no"
    assert session.counts() == {"answers": 0, "part": 0, "no": 1}, "only the context serves"


def test_of_several_pieces_of_evidence_a_passage_may_stand_for_one(corpus: Path) -> None:
    documents_ = load_corpus(corpus).documents
    line = {
        "_id": "q",
        "evidence": [{"doc_id": "a"}, {"doc_id": "b", "group": "x"}, {"doc_id": "c", "group": "x"}, {"doc_id": "d"}],
    }
    span = Span(0, 0, 8)
    one = with_review(line, [(2, span)], {"passages": []}, documents_)
    assert [item.get("group") for item in one["evidence"]] == [None, "x", "x", None, "x"]
    every = with_review(line, [(0, span)], {"passages": []}, documents_)
    groups = [item["group"] for item in every["evidence"]]
    assert groups[0] == groups[4] and groups[5] == "x" and groups[3] == groups[6] and len(set(groups)) == 3
    assert "group" not in line["evidence"][0], "the line itself is as it was"


def test_marks_of_a_review(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    session = opened(corpus, queries, report, tmp_path / "out.jsonl")
    whole, first = session.passage(1), session.pool.sentences(session.passage(1))[0]
    assert accepted_by(session, "1|1:1") == [(0, whole), (0, first)]
    assert accepted_by(session, "1 = 1:1") == [(1, first)]


# What does not belong together


def test_inputs_that_do_not_belong_together(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    other = tmp_path / "other.jsonl"
    other.write_text("".join(json.dumps(row | {"text": row["text"] + " "}) + "\n" for row in documents()))
    with pytest.raises(InputError, match="the report is of other documents"):
        opened(other, queries, report, out)
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_text("\n".join(queries.read_text().splitlines()[:8]) + "\n")
    with pytest.raises(InputError, match="the report is of other queries"):
        opened(corpus, fewer, report, out)
    with pytest.raises(UsageError, match="would overwrite an input"):
        opened(corpus, queries, report, report)
    with pytest.raises(InputError, match="not the JSON report of an audit"):
        broken = tmp_path / "broken.json"
        broken.write_text("{}")
        opened(corpus, queries, broken, out)
    assert not out.exists()
    assert "leave out --drafts" in review(corpus, queries, report, out, "", "--drafts").output


def test_a_file_of_the_same_queries_in_other_words_is_refused(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text(queries.read_text().replace("when opens", "when closes"))
    with pytest.raises(InputError, match="has another text than in the queries"):
        opened(corpus, queries, report, out)


@pytest.mark.parametrize(
    ("reviewed", "says"),
    [
        ({"stratum": "some"}, "has the stratum 'some'"),
        ({"passages": [{"doc_id": "a", "start": 0, "end": 4, "says": "yes"}]}, "a reviewed passage says 'yes'"),
        ({"passages": [{"doc_id": "a", "start": 4, "end": 4, "says": "no"}]}, "from 4 to 4 is none"),
        ({"passages": [{"doc_id": "a", "start": 0, "says": "no"}]}, "'end'"),
        ([], "'reviewed'"),
    ],
)
def test_a_review_that_cannot_be_read_is_named_with_its_line(reviewed: object, says: str, queries: Path) -> None:
    rows = [json.loads(line) for line in queries.read_text().splitlines()]
    rows[2]["reviewed"] = reviewed
    queries.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError) as error:
        load_queries(queries)
    assert says in str(error.value) and error.value.line == 3


# What the next audit makes of it


def reviewed_file(corpus: Path, queries: Path, report: Path, out: Path, n: int) -> list[str]:
    """A file where of the first `n` drawn every second one is answered by its context; the ids of those."""
    session = opened(corpus, queries, report, out)
    answered = []
    for i in range(n):
        if i % 2:
            session.accept(())
        else:
            answered.append(session.task.query.id)
            session.accept([(0, session.passage(1))])
    return answered


def test_the_next_audit_corrects_the_measure(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    answered = reviewed_file(corpus, queries, report, out, 4)
    said = audit(corpus, out, tmp_path / "next.json")
    share = said["corrected"]["Sufficient@1"]
    assert said["measures"]["Sufficient@1"]["mean"] == pytest.approx(6 / 12), "the accepted passages serve"
    assert {q["id"] for q in said["queries"] if q["status"] == "ok"} == {"q0", "q1", "q2", "q3", *answered}
    assert (share["reviewed"], share["drawn_from"], share["open"]) == (4, 8, 0)
    assert share["mean"] == pytest.approx((4 + 8 * 2 / 4) / 12)
    assert (share["here_low"], share["here_high"]) == (pytest.approx(6 / 12), pytest.approx(10 / 12))
    assert share["low"] < share["here_low"] and share["high"] > share["here_high"]
    judged = {q["id"]: q["measures"]["Judged@1"] for q in said["queries"]}
    assert sum(judged.values()) == 8, "of those served, and of those looked at"
    session = opened(corpus, queries, report, out)
    assert session.corrected().mean == pytest.approx(share["mean"]), "the session says the same"


def test_all_reviewed_leaves_the_queries_alone_as_a_sample(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    reviewed_file(corpus, queries, report, out, 8)
    said = audit(corpus, out, tmp_path / "next.json")
    share, measure = said["corrected"]["Sufficient@1"], said["measures"]["Sufficient@1"]
    assert share["mean"] == share["here_low"] == share["here_high"] == pytest.approx(8 / 12)
    assert (share["low"], share["high"]) == (pytest.approx(measure["low"]), pytest.approx(measure["high"]))


def test_what_was_skipped_stays_open(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, queries, report, out)
    session.skip()
    session.accept(())
    share = audit(corpus, out, tmp_path / "next.json")["corrected"]["Sufficient@1"]
    assert (share["reviewed"], share["open"]) == (1, 1)
    assert opened(corpus, queries, report, out).corrected().open == 1


def test_reviews_count_for_another_pipeline_as_far_as_they_go(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    reviewed_file(corpus, queries, report, out, 4)
    done = run("audit", corpus, out, "--retriever", "bm25", "-k", "3", "--no-cache", "--json", tmp_path / "k3.json")
    assert done.exit_code == 0, done.output
    share = json.loads((tmp_path / "k3.json").read_text())["corrected"]["Sufficient@3"]
    assert share["open"] == 2, "of those drawn, two are served, and two have chunks that nobody has seen"
    assert [stratum["stratum"] for stratum in share["strata"]] == ["other"]
    assert share["high"] == 1.0


def test_reviews_with_two_seeds_are_no_sample(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    reviewed_file(corpus, queries, report, out, 2)
    rows = lines(out)
    next(row for row in rows.values() if "reviewed" in row)["reviewed"]["seed"] = 5
    out.write_text("".join(json.dumps(row) + "\n" for row in rows.values()))
    share = audit(corpus, out, tmp_path / "next.json")["corrected"]["Sufficient@1"]
    assert share["mean"] is None and share["low"] == pytest.approx(5 / 12) and share["high"] == pytest.approx(11 / 12)
    with pytest.raises(InputError, match="no one sample"):
        opened(corpus, queries, report, out)


def test_exact_copies_of_an_accepted_passage_go_with_it(tmp_path: Path) -> None:
    text = "The ferry to the island leaves at nine."
    rows = [{"_id": name, "text": f"{name}. {text if name > 'a' else 'A boat sails at nine each day.'}"} for name in "abc"]
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    evidence = [
        {"doc_id": "a", "start": 3, "end": 33, "group": "g1"},
        {"doc_id": "b", "start": 3, "end": 3 + len(text), "group": "g1", "accepted": True},
    ]
    asks = tmp_path / "queries.jsonl"
    asks.write_text(json.dumps({"_id": "q", "text": "when leaves the ferry", "evidence": evidence}) + "\n")
    documents_ = load_corpus(path)
    labels = locate(load_queries(asks), documents_)
    assert labels.evidence.document.tolist() == [0, 1, 2]
    assert before_reviews(labels, documents_).evidence.document.tolist() == [0]


def test_what_was_looked_at_is_known_whatever_the_chunks(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, queries, report, out)
    name, passage = session.task.query.id, session.passage(1)
    session.accept(())
    documents_ = load_corpus(corpus)
    labels = locate(load_queries(out), documents_)
    at = next(i for i, query in enumerate(labels.queries) if query.id == name)
    half = (passage.start + passage.end) // 2
    pieces = [(passage.start, half), (half, passage.end), (passage.start, passage.end)]
    columns = np.array([(passage.document, a, b) for a, b in sorted(pieces)] + [(passage.document + 1, 0, 5)]).T
    scorer = Scorer(documents_, labels, Chunking(*columns))
    run_ = Run(np.tile(np.arange(4), (len(labels.queries), 1)), np.zeros((len(labels.queries), 4)))
    lengths = np.full(len(labels.queries), 4)
    assert scorer.judgements.unjudged(run_, lengths)[at] == [3]
    assert scorer.judgements.share(run_, lengths)[at] == pytest.approx(3 / 4)


# Gates and assertions


def test_gates_on_what_a_review_makes_of_it(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert Gate.parse("Sufficient@1.corrected.low=0.5") == Gate(Gate.parse("Sufficient@1=0").measure, True, 0.5, True)
    unreviewed = ragdiag.audit(corpus, queries, **OPTIONS)
    gates = [Gate.parse(g) for g in ("Sufficient@1.corrected=0", "Sufficient@1.corrected.low=0", "RR.corrected=0")]
    nothing = "no failing query was reviewed (ragdiag label --review)"
    assert failures(gates, unreviewed) == [
        f"Sufficient@1.corrected is not known: {nothing}",
        f"Sufficient@1.corrected.low is not known: {nothing}",
        "RR.corrected is not known: only how many queries get all their evidence is corrected",
    ]
    reviewed_file(corpus, queries, report, out, 8)
    audited = ragdiag.audit(corpus, out, **OPTIONS)
    check_gates(audited, "Sufficient@1.corrected=0.66", "Sufficient@1.corrected.low=0.3")
    with pytest.raises(AssertionError, match=r"Sufficient@1.corrected is 0.6667, under 0.7"):
        check_gates(audited, "Sufficient@1.corrected=0.7")
    plainly = of_report(audited)
    assert Audited.from_dict(json.loads(json.dumps(plainly.as_dict()))).corrected == plainly.corrected
    done = run(
        "audit", corpus, out, "--retriever", "bm25", "-k", "1", "--no-cache", "--fail-under", "Sufficient@1.corrected.low=0.9"
    )
    assert done.exit_code == 1 and "failed: Sufficient@1.corrected.low is" in done.output
    assert "corrected by 8 reviewed of 8 failing: 0.667 [" in done.output


# What is said before, and the page


def test_it_says_first_what_so_many_would_change(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    says = opening(opened(corpus, queries, report, tmp_path / "out.jsonl"))
    assert says.startswith("Sufficient@1 is somewhere from 0.333 to 1.000: 8 failing queries have chunks that no label judges\n")
    assert "8 queries reviewed, some 4 minutes, would narrow that from 67 points to about " in says
    assert says in review(corpus, queries, report, tmp_path / "other.jsonl", "q\n").output


def test_a_review_on_a_page(corpus: Path, queries: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, queries, report, out)
    page = ReviewPage(session)
    state: Any = page.act({"do": "show"})
    name, passage = state["query"]["id"], state["passages"][0]
    assert (
        state["review"] and state["reference"] == session.task.query.answer and state["evidence"][0].startswith("Visitors swim")
    )
    mark = {key: passage[key] for key in ("document", "start", "end", "text")}
    assert "there is no evidence 4" in str(
        page.act({"do": "review", "query": name, "groups": [[mark | {"group": 4}]], "parts": []})["error"]
    )
    assert "nothing is called 'label'" in str(page.act({"do": "label", "query": name, "groups": [[mark]], "answer": ""})["error"])
    state = page.act({"do": "review", "query": name, "groups": [[mark]], "parts": []})
    assert state["error"] == "" and state["decided"] == 1 and "corrected" in state["worth"]
    state = page.act({"do": "review", "query": state["query"]["id"], "groups": [], "parts": [1]})
    state = page.act({"do": "back", "query": state["query"]["id"]})
    assert state["said"] == "part"
    state = page.act({"do": "back", "query": state["query"]["id"]})
    assert state["said"] == "answers" and [m["text"] for group in state["marks"] for m in group] == [passage["text"]]
    state = page.act({"do": "withdraw", "query": name})
    assert lines(out)[name] == lines(queries)[name] and state["said"] == ""
    assert page.farewell().startswith("1 of 8 failing queries reviewed")
