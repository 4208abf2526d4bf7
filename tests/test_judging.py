"""Who says whether an answer is right, what kind of wrong it is, and how labels correct a judge."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.answering.judging import majorities
from ragdiag.answering.verdict import Judgement, agreement
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.errors import UsageError
from ragdiag.reports.litmus import litmus_text
from ragdiag.testing.audited import plain


def write(folder: Path, rows: list[dict], name: str) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return str(path)


def judged(folder: Path, answers: list[dict], rules: dict | None = None, **options):
    """The litmus test of answers to queries about capitals; query i asks for capital i."""
    capitals = ["Paris", "Rome", "Oslo", "Bern"]
    n = 1 + max(int(a["query_id"][1:]) for a in answers)
    queries = [
        {"_id": f"q{i}", "text": f"What is the capital of country {i}?", "answer": capitals[i % 4],
         "evidence": [{"doc_id": "d", "text": f"The capital of country {i} is {capitals[i % 4]}."}]}
        for i in range(n)
    ]  # fmt: skip
    if rules is not None:
        (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
        options["format_rules"] = folder / "rules.json"
    return litmus(write(folder, queries, "queries.jsonl"), [write(folder, answers, "answers.jsonl")], **options)


def answer(i: int, text: str, condition: str = "retrieved", **more) -> dict:
    return {"query_id": f"q{i}", "condition": condition, "answer": text, **more}


def test_what_kind_of_wrong(tmp_path: Path) -> None:
    holds = ["The capital of country 0 is Paris."]
    found = judged(
        tmp_path,
        [
            answer(0, '{"answer": "Paris"}', contexts=holds),
            answer(0, "Paris", contexts=holds),
            answer(0, '{"answer": "Lyon"}', contexts=holds),
            answer(0, "The context does not mention it.", contexts=holds),
            answer(0, '{"answer": "country 0"}', contexts=holds),
            answer(0, '{"answer": "Paris!"}', contexts=holds),
            answer(0, "x", recorded_label="halted"),
        ],
        {"format": {"regex": r'\{"answer": .*\}'}, "style": {"must_not_contain": "!"}},
    )
    assert [j.kind for j in found.judgements] == ["", "format", "unsupported", "refusal", "content", "style", ""]
    assert [j.right for j in found.judgements] == [True, False, False, False, False, False, None]
    assert [j.content for j in found.judgements] == [True, True, False, False, False, True, None]
    assert [j.by for j in found.judgements] == ["matcher"] * 6 + ["failed"]
    assert found.judgements[1].broke == (r'format: regex \{"answer": .*\}',)
    assert found.unsupported["retrieved"].mean == pytest.approx(1 / 5)


def test_a_labelled_answer_may_still_break_a_rule(tmp_path: Path) -> None:
    rows = [answer(0, "Paris, of course", correct=True), answer(1, "Rome", correct=True)]
    found = judged(tmp_path, rows, {"format": {"max_words": 1}})
    assert [(j.right, j.kind, j.content, j.by) for j in found.judgements] == [
        (False, "format", True, "label"),
        (True, "", True, "label"),
    ]


def test_a_model_that_ignores_the_format_is_a_behavior_problem(tmp_path: Path) -> None:
    capitals = ["Paris", "Rome", "Oslo", "Bern"]
    rows = [
        answer(i, f"The capital of it is {capitals[i % 4]}, as I said.", c) for i in range(40) for c in ("retrieved", "oracle")
    ]
    found = judged(tmp_path, rows, {"format": {"json_schema": {"type": "object"}}})
    assert found.verdict.kind == "BEHAVIOR"
    assert found.verdict.table == {"right content, wrong form": {"oracle right": 0, "oracle wrong": 40, "oracle unknown": 0}}
    # Even where the form comes right with perfect context, by chance, right content in the wrong form is no retrieval problem.
    rows = [answer(i, f"The capital of it is {capitals[i % 4]}, as I said.") for i in range(40)]
    rows += [answer(i, json.dumps({"is": capitals[i % 4]}), "oracle") for i in range(40)]
    found = judged(tmp_path, rows, {"format": {"json_schema": {"type": "object"}}})
    assert found.verdict.kind == "BEHAVIOR"
    assert found.verdict.share.mean == 0
    # Without an oracle it is known not to be about retrieval, too.
    found = judged(tmp_path, rows[:40], {"format": {"json_schema": {"type": "object"}}})
    assert found.verdict.bounds == (0.0, 0.0)


def test_attempts_that_fail_are_no_failure_of_form(tmp_path: Path) -> None:
    rows = [answer(i, "x", correct=True) for i in range(6)]
    rows += [answer(i, "", recorded_label="timed out") for i in range(6) for _ in range(2)]
    rows += [answer(i, "x", "oracle", correct=True) for i in range(6)]
    found = judged(tmp_path, rows, failed="wrong")
    assert found.verdict.table == {"wrong": {"oracle right": 6, "oracle wrong": 0, "oracle unknown": 0}}


def test_empty_contexts_hold_nothing(tmp_path: Path) -> None:
    assert (
        judged(tmp_path, [answer(0, "Paris", contexts=["", "the", "The capital of country 0 is Paris."])]).precision.mean == 1 / 3
    )


def test_a_corrected_share_is_not_told_as_a_count(tmp_path: Path) -> None:
    said = screen(strict_team(tmp_path, 60))
    assert "perfect context fixes this share of the failures" in said
    assert "corrected for the judge's errors by the labels of 60 queries" in said
    assert said.count("right, corrected") == 2


def test_answers_to_what_only_leaves_out_are_left_out(tmp_path: Path) -> None:
    corpus = {"a": "Paris is the capital of country 0.", "b": "Rome is the capital of country 1."}
    queries = [
        {"_id": f"q{i}", "text": f"capital {i}?", "answer": "x", "evidence": [{"doc_id": d, "text": t}]}
        for i, (d, t) in enumerate(corpus.items())
    ]
    rows = [answer(i, "x", c, correct=True) for i in range(2) for c in ("retrieved", "oracle")]
    found = litmus(queries, rows, corpus=corpus, retriever="bm25", only=("a",), cache=None)
    assert [j.query for j in found.judgements] == [0, 0]


def test_agreement_by_hand() -> None:
    found = agreement([True, True, True, False, False], [True, True, False, False, True])
    assert found is not None
    assert (found.n, found.share, found.failed_right, found.passed_wrong) == (5, 0.6, (1, 3), (1, 2))
    assert found.kappa == pytest.approx((0.6 - 0.52) / 0.48)
    assert agreement([], []) is None
    alike = agreement([True], [True])
    assert alike is not None and alike.kappa is None


def test_blind_the_judge_speaks_for_labelled_answers_too(tmp_path: Path) -> None:
    rows = [answer(0, "Paris", correct=True), answer(1, "Rome, or so", correct=False), answer(2, "Rome", correct=False)]
    told, blind = judged(tmp_path, rows), judged(tmp_path, rows, blind=True)
    assert [j.by for j in told.judgements] == ["label"] * 3
    assert not told.agreements
    assert [j.by for j in blind.judgements] == ["matcher"] * 3
    assert blind.agreements["retrieved"].n == 3
    assert not blind.corrected


def strict_team(folder: Path, labelled: int, **options):
    """150 queries, all answered right; the judge cannot read a third of the answers with perfect context, half without."""
    capitals = ["Paris", "Rome", "Oslo", "Bern"]
    rows = []
    for i in range(150):
        for condition, unread in (("retrieved", 2), ("oracle", 3)):
            said = capitals[i % 4] if i % unread else "The City of Light and suchlike places elsewhere"
            wrong = condition == "retrieved" and i % 5 == 0
            row = answer(i, "Nowhere" if wrong else said, condition)
            rows.append(row | ({"correct": not wrong} if i < labelled else {}))
    return judged(folder, rows, **options)


def test_labels_correct_a_strict_judge(tmp_path: Path) -> None:
    plain, corrected = strict_team(tmp_path, 0), strict_team(tmp_path, 60)
    assert plain.verdict.labelled == 0 and not plain.corrected
    assert plain.shares["oracle"].high < 0.8  # the truth is 1
    assert corrected.verdict.labelled == 60
    assert corrected.corrected["oracle"].high > 0.97
    low, high = corrected.corrected["retrieved"].low, corrected.corrected["retrieved"].high
    assert low <= 0.8 <= high
    assert corrected.verdict.effects["behavior"].mean < 0.1 < plain.verdict.effects["behavior"].low
    assert corrected.agreements["oracle"].passed_wrong == (0, 0)


def screen(found) -> str:
    """What the terminal shows, on one line."""
    return " ".join(plain(litmus_text(found)).split())


def test_too_few_labels_correct_nothing_and_the_screen_says_so(tmp_path: Path) -> None:
    found = strict_team(tmp_path, 19)
    assert (found.verdict.errors, found.verdict.labelled, found.verdict.labels_needed) == ("open", 0, 1)
    assert not found.corrected
    assert found.agreements["oracle"].n == 19
    said = screen(found)
    assert "as judged: " in said
    assert "share and effects are not corrected: the judge's errors are not in their intervals" in said
    assert "label both answers, retrieved and oracle, of 1 more query drawn at random" in said
    assert said.count("right, as judged") == 2
    assert "unsupported, as judged, not corrected" not in said  # no contexts were recorded
    assert "counts and kinds of wrong answers are as judged, not corrected" in said
    assert strict_team(tmp_path, 0).verdict.labels_needed == 20
    assert strict_team(tmp_path, 20).verdict.errors == "corrected"


def test_where_labels_say_all_nothing_is_said_of_a_judge(tmp_path: Path) -> None:
    found = strict_team(tmp_path, 150)
    assert (found.verdict.errors, found.verdict.labels_needed) == ("none", None)
    assert "judge" not in screen(found).replace("judged by", "").replace("not judged", "")


def test_labels_of_other_queries_under_each_condition_correct_too(tmp_path: Path) -> None:
    """How errors go together is then not seen, and the interval says so; where one condition has too few, more are asked for."""
    rows = []
    for i in range(120):
        wrong = i % 3 == 0
        for condition, labels in (("retrieved", range(40)), ("oracle", range(40, 80))):
            right = condition == "oracle" or not wrong
            said = ["Paris", "Rome", "Oslo", "Bern"][i % 4] if right else "Nowhere"
            rows.append(answer(i, said, condition) | ({"correct": right} if i in labels else {}))
    found = judged(tmp_path, rows)
    assert set(found.corrected) == {"retrieved", "oracle"}
    assert found.verdict.errors == "corrected"
    # With all of one condition's labelled only the other's are asked for.
    for row in rows:
        if row["condition"] == "retrieved":
            row["correct"] = int(row["query_id"][1:]) % 3 > 0
    assert judged(tmp_path, rows).verdict.errors == "corrected"
    eight = [{k: v for k, v in row.items() if k != "correct" or keeps_label(row)} for row in rows]
    assert "label the oracle answer of 12 more queries" in screen(judged(tmp_path, eight))


def keeps_label(row: dict) -> bool:
    """All labels with the pipeline's context, of the others eight."""
    return row["condition"] == "retrieved" or 40 <= int(row["query_id"][1:]) < 48


def test_bounds_are_as_judged_and_the_accuracy_says_what_to_label(tmp_path: Path) -> None:
    found = judged(tmp_path, [answer(i, "Paris", **({"correct": True} if i < 5 else {})) for i in range(40)])
    said = screen(found)
    assert found.verdict.kind == "NOT_MEASURED" and "about retrieval, as judged" in said
    assert "the accuracy of retrieved answers is not corrected: label 15 more of them, drawn at random" in said
    assert "share and effects" not in said


def both_team(folder: Path, n: int, labelled: int) -> object:
    """Half of the queries fail; perfect context mends three in five of them; the judge cannot read a third of the answers."""
    rows = []
    for i in range(n):
        for condition, right in (("retrieved", i % 2 == 0), ("oracle", i % 2 == 0 or i % 10 < 6)):
            said = ["Paris", "Rome", "Oslo", "Bern"][i % 4] if i % 3 else "The City of Light and suchlike places elsewhere"
            rows.append(answer(i, said if right else "Nowhere", condition) | ({"correct": right} if i < labelled else {}))
    return judged(folder, rows)


def test_both_names_what_would_tell_which_problem_is_larger(tmp_path: Path) -> None:
    few = both_team(tmp_path, 900, 80)
    assert few.verdict.kind == "BOTH"
    said = screen(few)
    assert "both problems are there, which is larger is open" in said
    assert few.verdict.labels_needed is not None and few.verdict.labels_needed > 0
    assert f"about {few.verdict.labels_needed:,} more of these queries with both answers labelled" in said
    small = both_team(tmp_path, 200, 150)
    assert small.verdict.kind == "BOTH" and small.verdict.labels_needed is None
    assert "labels of these queries alone would not tell" in screen(small)
    assert f"about {small.verdict.needed:,} more failures" in screen(small)


def test_noise_or_retrieval_is_told_by_corrected_answers(tmp_path: Path) -> None:
    """Failures that are none, of answers the judge cannot read, had their evidence: they must not make the verdict CONTEXT."""
    rows, capitals = [], ["Paris", "Rome", "Oslo", "Bern"]
    for i in range(300):
        failed, unread = i % 5 == 0, i % 5 in (1, 2)
        said = "Nowhere" if failed else "The City of Light and suchlike places elsewhere" if unread else capitals[i % 4]
        label = {"correct": not failed} if i < 100 else {}
        rows.append(answer(i, said, "retrieved", sufficient=not failed, **label))
        rows.append(answer(i, capitals[i % 4], "oracle", **({"correct": True} if i < 100 else {})))
    assert judged(tmp_path, rows).verdict.kind == "RETRIEVAL"
    unlabelled = [{k: v for k, v in row.items() if k != "correct"} for row in rows]
    assert judged(tmp_path, unlabelled).verdict.kind == "CONTEXT"


def test_what_is_certain_counts_as_a_label_and_repeats_as_one() -> None:
    rows = [
        Judgement(0, "retrieved", True, "label", label=True, judged=False),
        Judgement(0, "retrieved", True, "label", label=True, judged=True),
        Judgement(0, "retrieved", False, "label", label=False, judged=True),
        Judgement(1, "retrieved", False, "failed", kind="no answer"),
        Judgement(2, "retrieved", True, "matcher", judged=True),
        Judgement(3, "retrieved", True, "label", label=True),
        Judgement(3, "retrieved", True, "matcher", judged=True),
        Judgement(4, "retrieved", None, "failed"),
    ]
    label, judged_ = majorities(5, rows)
    assert np.array_equal(label, [1, 0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(judged_, [1, np.nan, 1, np.nan, np.nan], equal_nan=True)


def test_three_figures_stand_on_one_screen(tmp_path: Path) -> None:
    holds = ["The capital of country 0 is Paris.", "About something else."]
    judged(tmp_path, [answer(0, "Paris", contexts=holds), answer(0, "Lyon", contexts=holds)])
    files = [str(tmp_path / "queries.jsonl"), "--answers", str(tmp_path / "answers.jsonl")]
    shown = CliRunner().invoke(main, ["litmus", *files], prog_name="ragdiag").output
    assert "one context a passage gives 0.500" in " ".join(shown.split())
    for figure in ("retrieval precision 0.500", "answer accuracy, retrieved 0.500", "hallucination rate, retrieved 0.500"):
        assert figure in " ".join(shown.split())
    found = json.loads(CliRunner().invoke(main, ["litmus", *files, "--json", "-"], prog_name="ragdiag").stdout)
    assert found["precision"]["mean"] == found["precision"]["one_context_a_passage"] == 0.5
    assert [(j["query"], j["by"], j["kind"]) for j in found["judgements"]] == [
        ("q0", "matcher", ""),
        ("q0", "matcher", "unsupported"),
    ]


def test_a_judge_that_is_none_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="failed attempts count as failed or wrong"):
        judged(tmp_path, [answer(0, "Paris", correct=True)], failed="right")


@pytest.mark.parametrize(
    ("option", "spec", "other"),
    [
        ("judge", "grounded", "--support"),
        ("judge", "grounded(words=0.3)", "--support"),
        ("judge", "ragas(url='http://localhost:1/v1', model=m, metric=faithfulness)", "--support"),
        ("support", "matcher", "--judge"),
        ("support", "embedding", "--judge"),
        ("support", "ragas(url='http://localhost:1/v1', model=m)", "--judge"),
    ],
)
def test_a_judge_of_one_contract_is_refused_in_the_place_of_the_other(tmp_path: Path, option: str, spec: str, other: str) -> None:
    """By words of the context a false answer may be held; by the reference a right one be unsupported."""
    rows = [answer(0, "Paris", contexts=["Paris is a town."])]
    with pytest.raises(UsageError, match=f"give it as {other}, and another judge as --{option}"):
        judged(tmp_path, rows, **{option: spec})
    files = [str(tmp_path / "queries.jsonl"), "--answers", str(tmp_path / "answers.jsonl")]
    shown = CliRunner().invoke(main, ["litmus", *files, f"--{option}", spec])
    assert shown.exit_code == 2 and shown.stderr.startswith(f"error: --{option} {spec} tells ")


def test_a_judge_in_its_own_place_is_taken(tmp_path: Path) -> None:
    rows = [answer(0, "Lyon", contexts=["Lyon is the capital of country 0."])]
    (judgement,) = judged(tmp_path, rows, judge="matcher", support="grounded(words=0.3)").judgements
    assert (judgement.right, judgement.supported) == (False, True)


def test_what_lacks_both_reference_and_label_is_told_with_what_to_add(tmp_path: Path) -> None:
    queries = [{"_id": "q0", "text": "Who?"}, {"_id": "q1", "text": "Who?", "answer": "Ada"}]
    rows = [answer(0, "Ada"), answer(0, "Ada", "oracle"), answer(1, "Bo"), answer(1, "Ada", "oracle")]
    path, file = write(tmp_path, queries, "queries.jsonl"), write(tmp_path, rows, "answers.jsonl")
    why = f'nothing to judge by: query \'q0\' ({path}:1) has no "answer", the answer no "correct"'
    assert [j.why == why for j in litmus(path, [file]).judgements] == [True, True, False, False]
    shown = CliRunner().invoke(main, ["litmus", path, "--answers", file]).stdout
    said = f'2 answers not judged (retrieved 1 and oracle 1): 1 query of {path} has no "answer": q0 (line 1)'
    assert said in " ".join(shown.split())
    labelled = write(tmp_path, [row | {"correct": True} for row in rows], "labelled.jsonl")
    assert "not judged (" not in CliRunner().invoke(main, ["litmus", path, "--answers", labelled]).stdout


def test_json_behind_thinking_is_read_by_its_values(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, [answer(0, '<think>Lyon? The context does not say.</think>{"answer": "Paris"}')]).judgements
    assert (found.right, found.kind) == (True, "")


def test_json_without_an_answer_s_key_is_judged_by_the_key_that_is_asked_about() -> None:
    query = {"_id": "q", "text": "How long is the notice period?", "answer": "14 days"}
    rows = [
        {"query_id": "q", "condition": "retrieved", "answer": '{"notice_period": "12 days", "trial_period": "14 days"}'},
        {"query_id": "q", "condition": "oracle", "answer": '{"notice_period": "14 days", "trial_period": "12 days"}'},
    ]
    assert [j.right for j in litmus([query], rows).judgements] == [False, True]
