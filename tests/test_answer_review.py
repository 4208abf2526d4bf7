"""Answers labelled by people: what is drawn, what is kept, what several people come to, and that nothing leans."""

import io
import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import ragdiag
from ragdiag.answering.drawing import drawn, reach
from ragdiag.answering.people import Mark, alpha, load_marks, mark_line, marked
from ragdiag.answering.ruling import corrected_pair, corrected_share, rule
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import Outcomes
from ragdiag.cli import main
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Answer
from ragdiag.label.answer_page import AnswerPage
from ragdiag.label.answer_review import AnswerReview
from ragdiag.label.answer_terminal import review_answers
from ragdiag.label.serving import serve
from ragdiag.stats.statistics import Resampler

NAN = float("nan")


def jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sixty queries, of which the pipeline answers a third rightly, and perfect context five in six; a third in odd words."""
    monkeypatch.chdir(tmp_path)
    jsonl(
        tmp_path / "queries.jsonl",
        [{"_id": f"q{i}", "text": f"What is the code of room {i}?", "answer": f"zeta {i}"} for i in range(60)],
    )
    rows = []
    for i in range(60):
        said = {
            "retrieved": f"It is zeta {i}." if i % 3 == 0 else "It is alpha.",
            "oracle": f"zeta {i}" if i % 6 else "It is alpha.",
        }
        rows += [{"query_id": f"q{i}", "condition": c, "answer": text} for c, text in said.items()]
    jsonl(tmp_path / "answers.jsonl", rows)
    return ["queries.jsonl", "--answers", "answers.jsonl"]


def run(*command: object, stdin: str = "") -> Any:
    return CliRunner().invoke(main, ["litmus", *map(str, command)], input=stdin)


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in Path(path).read_text(encoding="utf-8").splitlines()]


def test_decisions_are_kept_and_count_as_labels(team: list[str]) -> None:
    done = run(*team, "--review", 3, "--answer-labels", "labels.jsonl", "--reviewer", "ada", stdin="rw\nwr\nww\n")
    assert done.exit_code == 0 and "3 queries labelled; kept in labels.jsonl" in done.output
    kept = lines("labels.jsonl")
    assert len({row["query_id"] for row in kept}) == 3 and {row["by"] for row in kept} == {"ada"}
    assert all(row["drawn"] == "doubt" and isinstance(row["judged"], bool) for row in kept)
    tested = ragdiag.litmus("queries.jsonl", "answers.jsonl", answer_labels=["labels.jsonl"])
    known = {(tested.queries[j.query].id, j.condition): j.label for j in tested.judgements if j.label is not None}
    assert known == {(row["query_id"], row["condition"]): row["correct"] for row in kept}


def test_what_tells_who_answered_is_not_shown(team: list[str]) -> None:
    output = run(*team, "--review", 2, "--answer-labels", "labels.jsonl", stdin="q\n").output
    shown = output[output.index("1 of 2") : output.index("> ")]
    assert not {"retrieved", "oracle", "matcher"} & set(shown.split())


def test_an_answer_given_under_both_conditions_is_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    queries = [{"_id": "q", "text": "Who?", "answer": "Ada"}]
    rows = [{"query_id": "q", "condition": c, "answer": "Ada Bell"} for c in ("retrieved", "oracle")]
    session = AnswerReview(ragdiag.litmus(queries, rows), Path("labels.jsonl"), most=1)
    assert [(one.text, one.conditions) for one in session.shown] == [("Ada Bell", ("retrieved", "oracle"))]
    session.decide([True])
    assert [(row["condition"], row["correct"]) for row in lines("labels.jsonl")] == [("retrieved", True), ("oracle", True)]
    assert session.current is None


def test_it_goes_back_skips_and_goes_on(team: list[str]) -> None:
    session = AnswerReview(ragdiag.litmus("queries.jsonl", "answers.jsonl"), Path("labels.jsonl"), way="random", most=2)
    first = session.query.id
    session.decide([True] * len(session.shown))
    session.back()
    assert session.query.id == first
    session.decide([False] * len(session.shown))
    session.skip()
    with pytest.raises(UsageError, match=r"there (is|are)"):
        session.decide([])
    session.decide([True] * len(session.shown))
    assert session.current is None and len(session.skipped) == 1
    known = load_marks(["labels.jsonl"])
    assert {mark.correct for (q, _, _), own in known.of.items() if q == first for mark in own.values()} == {False}
    again = AnswerReview(
        ragdiag.litmus("queries.jsonl", "answers.jsonl", answer_labels=["labels.jsonl"]), Path("labels.jsonl"), way="random"
    )
    assert again.query.id not in {first, *(q for q, _, _ in known.of)}


def test_another_person_is_asked_what_others_labelled(team: list[str]) -> None:
    run(*team, "--review", 2, "--answer-labels", "labels.jsonl", "--reviewer", "ada", stdin="rr\nrr\n")
    done = run(*team, "--review", 9, "--draw", "again", "--answer-labels", "labels.jsonl", "--reviewer", "bo", stdin="rw\nrr\n")
    assert done.exit_code == 0 and "2 queries labelled" in done.output
    assert "of 4 answers that several people labelled, pairs of them agree on 75%" in done.output
    assert "1 answer as many call right as wrong: without a label till one more says" in done.output
    third = run(*team, "--review", 9, "--draw", "again", "--answer-labels", "labels.jsonl", "--reviewer", "bo")
    assert third.exit_code == 2 and "others labelled no answer that this person has not" in third.output


def test_accepted_answers_become_acceptable_and_judge_later_runs_alone(team: list[str]) -> None:
    done = run(*team, "--review", 60, "--answer-labels", "labels.jsonl", "--acceptable", "grown.jsonl", stdin="rr\nrr\nr\n" * 20)
    assert done.exit_code == 0, done.output
    grown = {row["_id"]: row for row in lines("grown.jsonl")}
    assert any("It is alpha." in row.get("acceptable", ()) for row in grown.values())
    judged = ragdiag.litmus("grown.jsonl", "answers.jsonl")
    wrong = ragdiag.litmus("queries.jsonl", "answers.jsonl")
    assert sum(bool(j.right) for j in judged.judgements) > sum(bool(j.right) for j in wrong.judgements)
    # Where labels say how far the judge errs, it has not learnt from them.
    with_labels = ragdiag.litmus("grown.jsonl", "answers.jsonl", answer_labels=["labels.jsonl"])
    assert [j.judged for j in with_labels.judgements] == [j.judged for j in wrong.judgements]
    assert run(*team, "--review", 1, "--answer-labels", "l.jsonl", "--acceptable", "queries.jsonl", stdin="q\n").exit_code == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--review", "3"], "give --answer-labels FILE"),
        (["--draw", "random"], "--draw says nothing without --review"),
        (["--review", "3", "--answer-labels", "l.jsonl", "--blind"], "no label counts"),
        (["--review", "3", "--answer-labels", "l.jsonl", "--json", "-"], "give the report a file"),
        (["--review", "3", "--answer-labels", "nowhere/l.jsonl"], "cannot write nowhere"),
    ],
)
def test_usage_of_a_review(more: list[str], says: str, team: list[str]) -> None:
    done = run(*team, *more)
    assert done.exit_code == 2 and says in done.output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"query_id": "q", "condition": "oracle", "answer": "a"}, "'correct' is missing"),
        ({"query_id": "q", "condition": "oracel", "answer": "a", "correct": True}, "did you mean 'oracle'"),
        ({"query_id": "q", "condition": "oracle", "answer": "a", "correct": True, "drawn": "luck"}, "random or doubt"),
        ({"query_id": "q", "condition": "oracle", "answer": "a", "correct": "yes"}, "correct"),
    ],
)
def test_labels_that_cannot_be_read_are_named_with_their_line(line: dict[str, Any], says: str, tmp_path: Path) -> None:
    good = {"query_id": "q", "condition": "oracle", "answer": "a", "correct": True}
    with pytest.raises(InputError, match=f"labels.jsonl:2: .*{says}"):
        load_marks([jsonl(tmp_path / "labels.jsonl", [good, line])])


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans(), st.sampled_from(["", "ada", "bo"])), max_size=8))
def test_what_is_kept_is_read_back(tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, bool, str]]) -> None:
    path = tmp_path_factory.mktemp("marks") / "labels.jsonl"
    jsonl(path, [mark_line(("q", "oracle", text), Mark(correct, by, "random", True)) for text, correct, by in said])
    last = {(text, by): correct for text, correct, by in said}
    read = {(text, by): mark.correct for (_, _, text), own in load_marks([path]).of.items() for by, mark in own.items()}
    assert read == last


def test_alpha_by_hand() -> None:
    """Four answers by two people, one disputed: disagreement seen 2 of 8 labels, expected 2 * 5 * 3 / 7."""
    votes = [[True, True], [True, True], [False, False], [True, False]]
    assert alpha(votes) == pytest.approx(1 - 2 / (2 * 5 * 3 / 7))
    assert alpha([[True, True], [True, True]]) is None and alpha([]) is None


def test_most_people_are_believed() -> None:
    answers = [Answer("q", "oracle", "a", correct=True), Answer("q", "retrieved", "b")]
    marks = load_marks([])
    for text, by, correct in (("a", "ada", False), ("a", "bo", False), ("b", "ada", True), ("b", "bo", False)):
        condition = "oracle" if text == "a" else "retrieved"
        marks.of.setdefault(("q", condition, text), {})[by] = Mark(correct, by)  # type: ignore[attr-defined]
    labelled, people = marked(answers, marks)
    assert [answer.correct for answer in labelled] == [False, None]
    assert (people.n, people.tied, people.unknown) == (2, 1, 0)


def population(n: int, seed: int) -> tuple[np.ndarray, Said]:
    """Truth of two answers, and a judge that errs on both together and misses more right answers than it passes wrong ones."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, 2)) < (0.35, 0.7)).astype(float)
    odd = rng.random(n) < 0.25
    judged = np.where(odd[:, None], 0.0, np.where(rng.random((n, 2)) < 0.08, 1 - truth, truth))
    return truth, Said(np.full((n, 2), NAN), judged)


def labelled(truth: np.ndarray, said: Said, way: str, n: int, seed: int) -> Said:
    label = np.full_like(truth, NAN)
    for _ in range(n):
        (q,) = [next(drawn(Said(label, said.judged), [str(i) for i in range(len(truth))], way, seed))]
        label[q] = truth[q]
    return Said(label, said.judged)


def test_drawing_by_doubt_leaves_the_estimates_where_they_are() -> None:
    """Over 60 populations intervals hold the truth as they say, the share's is narrower, and accuracies do not lean."""
    held: dict[str, list[bool]] = {"share": [], "retrieved": [], "oracle": []}
    widths: dict[str, list[float]] = {"doubt": [], "random": []}
    lean = []
    for seed in range(60):
        truth, said = population(300, seed)
        for way in widths:
            known = labelled(truth, said, way, 60, seed)
            stands = np.where(np.isnan(known.label), known.judged, known.label)
            outcomes = Outcomes(stands[:, 0], stands[:, 1], np.full(300, NAN), np.zeros(300, dtype=bool))
            verdict = rule(outcomes, known, np.arange(300), 0, 0.05, by_doubt=way == "doubt")
            widths[way].append(verdict.share.high - verdict.share.low)  # type: ignore[operator]
            if way == "doubt":
                fixed = truth[truth[:, 0] == 0, 1].mean()
                held["share"].append(verdict.share.low <= fixed <= verdict.share.high)  # type: ignore[operator]
                means = corrected_pair(known, Resampler(np.arange(300), 0), 0)
                for name, mean, true in zip(("retrieved", "oracle"), means, truth.mean(axis=0), strict=True):
                    held[name].append(mean.low <= true <= mean.high)  # type: ignore[operator]
                lean.append(means[1].mean - truth[:, 1].mean())  # type: ignore[operator]
    assert np.mean(widths["doubt"]) < 0.97 * np.mean(widths["random"])
    assert all(np.mean(values) >= 0.9 for values in held.values()), {name: np.mean(v) for name, v in held.items()}
    assert abs(np.mean(lean)) < 0.02


def test_taken_for_random_what_was_drawn_by_doubt_would_lean() -> None:
    """The control: the same labels, corrected condition by condition, miss the accuracy by more."""
    wrong, right = [], []
    for seed in range(40):
        truth, said = population(300, seed)
        known = labelled(truth, said, "doubt", 60, seed)
        resampler = Resampler(np.arange(300), 0)
        alone = corrected_share(Said(known.label[:, 1:], known.judged[:, 1:]), resampler, 0)
        wrong.append(alone.mean - truth[:, 1].mean())  # type: ignore[operator]
        right.append(corrected_pair(known, resampler, 0)[1].mean - truth[:, 1].mean())  # type: ignore[operator]
    assert abs(np.mean(wrong)) > 2 * abs(np.mean(right))


def test_random_draws_are_in_one_order_whatever_is_labelled() -> None:
    truth, said = population(50, 1)
    ids = [str(i) for i in range(50)]
    order = list(drawn(said, ids, "random", 3))
    label = np.full_like(truth, NAN)
    label[order[:10]] = truth[order[:10]]
    assert list(drawn(Said(label, said.judged), ids, "random", 3)) == order[10:]
    assert sorted(drawn(said, ids, "doubt", 3)) == list(range(50))


def test_more_labels_reach_further() -> None:
    truth, said = population(200, 2)
    ids = [str(i) for i in range(200)]
    reaches = [reach(labelled(truth, said, "doubt", 20, 0), n, "doubt", ids, 0) for n in (0, 20, 80, 180)]
    assert reaches == sorted(reaches, reverse=True) and len(Counter(reaches)) == 4  # type: ignore[type-var]
    assert reach(Said(said.label, np.full_like(said.judged, NAN)), 20, "doubt", ids, 0) is None


def test_the_page_asks_blind_and_refuses_what_is_out_of_date(team: list[str]) -> None:
    page = AnswerPage(AnswerReview(ragdiag.litmus("queries.jsonl", "answers.jsonl"), Path("labels.jsonl"), most=2))
    state = page.act({"do": "show"})
    assert not {"retrieved", "oracle", "judged"} & set(json.dumps(state).replace('"', " ").split())
    query, answers = state["query"], state["answers"]
    assert "another query is asked" in str(page.act({"do": "decide", "query": "other", "right": [True]})["error"])
    done = page.act({"do": "decide", "query": query["id"], "right": [True] * len(answers)})  # type: ignore[index, arg-type]
    assert done["decided"] == 1 and done["error"] == ""
    assert "makes no sense" in str(page.act({"do": "decide", "query": done["query"]["id"], "right": "all"})["error"])  # type: ignore[index]
    assert page.farewell() == "1 of 2 queries labelled"
    page.act({"do": "skip", "query": done["query"]["id"]})  # type: ignore[index]
    while page.session.current is not None:
        page.session.skip()
    for what in ("decide", "skip", "nonsense"):
        assert "nothing is left" in str(page.act({"do": what, "right": []})["error"])


def test_answers_are_labelled_in_a_browser(team: list[str], browser: Any) -> None:
    session = AnswerReview(ragdiag.litmus("queries.jsonl", "answers.jsonl"), Path("labels.jsonl"), most=1)
    started: list[str] = []
    serving = threading.Thread(target=serve, args=(AnswerPage(session), 0, started.append), daemon=True)
    serving.start()
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    while not started:
        time.sleep(0.01)
    page.goto(started[0])
    page.wait_for_selector("article")
    shown = [one.text for one in session.shown]
    assert page.locator("article .text").all_inner_texts() == shown and page.locator("#save").is_disabled()
    for text in shown:
        page.keyboard.press("w" if "alpha" in text else "r")
    page.keyboard.press("Enter")
    page.get_by_text("Enough: press Stop.").wait_for()
    page.click("#stop")
    page.get_by_text("1 of 1 queries labelled").last.wait_for()
    serving.join(10)
    assert {row["answer"]: row["correct"] for row in lines("labels.jsonl")} == {text: "alpha" not in text for text in shown}
    assert errors == []


def test_what_is_left_is_no_more_than_there_is(team: list[str]) -> None:
    first = run(*team, "--review", 55, "--answer-labels", "labels.jsonl", stdin="rr\nrr\nr\n" * 60)
    assert "55 queries labelled" in first.output
    rest = run(*team, "--review", 200, "--answer-labels", "labels.jsonl", stdin="q\n")
    assert rest.output.startswith("5 queries, about 2 minutes") and "1 of 5" in rest.output


def test_an_interrupted_session_keeps_what_was_said(team: list[str]) -> None:
    session = AnswerReview(ragdiag.litmus("queries.jsonl", "answers.jsonl"), Path("labels.jsonl"), most=5)
    said = iter(["r" * len(session.shown)])

    def read(_: str) -> str:
        try:
            return next(said)
        except StopIteration:
            raise KeyboardInterrupt from None

    review_answers(session, read, Console(file=io.StringIO()))
    assert len(session.decided) == 1 and len({row["query_id"] for row in lines("labels.jsonl")}) == 1


def test_a_file_that_cannot_be_added_to_is_refused_before_anything_is_asked(
    team: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ragdiag.label.answer_review.os.open", refused)
    done = run(*team, "--review", 2, "--answer-labels", "labels.jsonl", stdin="rr\n")
    assert done.exit_code == 2 and "cannot write labels.jsonl: Permission denied" in done.output and "1 of 2" not in done.output


def test_what_comes_after_a_review_is_no_review(team: list[str]) -> None:
    done = run(*team, "--review", 60, "--reviewer", "ada", "--answer-labels", "labels.jsonl", stdin="ww\nww\nw\n" * 60)
    following = done.output[done.output.index("Next") :]
    assert "--review " not in following and "--answer-labels labels.jsonl" in following
