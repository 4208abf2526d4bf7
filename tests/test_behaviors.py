"""What kind of behavior it is: figures picked wrongly or made up, refusals despite evidence, form, tone and words."""

import json
from pathlib import Path
from typing import Any

import pytest

import ragdiag
from ragdiag.answering.behaviors import behaviors
from ragdiag.answering.judges import other_figures, stands_in
from ragdiag.answering.verdict import Litmus
from ragdiag.reports.litmus import litmus_dict, litmus_text

EVIDENCE = "In 2021 sales were 40 million dollars, in 2020 they were 25 million dollars."


@pytest.mark.parametrize(
    ("answer", "figures", "there"),
    [
        ("25 million dollars", ["25 million dollars"], True),
        ("65 million dollars", ["65 million dollars"], False),
        ("It was 40 million dollars", [], False),
        ("$40,000,000", [], False),
        ("I cannot say.", [], False),
    ],
)
def test_figures_by_hand(answer: str, figures: list[str], there: bool) -> None:
    found = other_figures("What were sales in 2021, in dollars?", ["40 million dollars"], answer)
    assert [figure.text for figure in found] == figures
    assert stands_in(found, [EVIDENCE]) == there


def test_a_reference_in_words_asks_for_no_figure() -> None:
    assert not other_figures("Who leads sales?", ["Ada Bell"], "It has 25 people.")


def the_test_of(answers: list[str], rules: dict[str, Any] | None, folder: Path) -> Litmus:
    """Answers to one question, the same with the pipeline's context and with the evidence."""
    query = {"text": "What were sales in 2021, in dollars?", "answer": "40 million dollars"}
    queries = [{"_id": f"q{i}", **query, "evidence": [{"doc_id": "d", "text": EVIDENCE}]} for i in range(len(answers))]
    rows = [
        {"query_id": f"q{i}", "condition": condition, "answer": text, "contexts": [EVIDENCE]}
        for i, text in enumerate(answers)
        for condition in ("retrieved", "oracle")
    ]
    if rules:
        (folder / "rules.json").write_text(json.dumps(rules))
    return ragdiag.litmus(queries, rows, format_rules=folder / "rules.json" if rules else None)


def test_each_way_is_counted_once(tmp_path: Path) -> None:
    answers = ["25 million dollars", "65 million dollars", "The passages do not say.", "40 million dollars", "25 million dollars"]
    found = the_test_of(answers, None, tmp_path)
    assert behaviors(found) == {
        "another figure of the evidence": 2,
        "a figure that the evidence does not hold": 1,
        "declines, with the evidence before it": 1,
    }
    assert litmus_dict(found)["behaviors"] == behaviors(found)
    text = "\n".join(str(part) for part in litmus_text(found).renderables)  # type: ignore[attr-defined]
    assert "behind 4 failures that perfect context leaves wrong: another figure of the evidence 2" in text


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("format", {"max_words": 3}),
        ("style", {"must_not_contain": "hey"}),
        ("tone", {"must_not_match": "!"}),
        ("vocabulary", {"must_contain": "revenue"}),
    ],
)
def test_right_content_in_the_wrong_form_is_told_by_its_kind(kind: str, check: dict[str, Any], tmp_path: Path) -> None:
    found = the_test_of(["hey there, it is 40 million dollars!"], {kind: check}, tmp_path)
    assert {j.kind for j in found.judgements} == {kind}
    assert behaviors(found) == {kind: 1}


def test_of_several_kinds_the_first_counts(tmp_path: Path) -> None:
    rules = {"vocabulary": {"must_contain": "revenue"}, "tone": {"must_not_match": "!"}}
    assert {j.kind for j in the_test_of(["40 million dollars!"], rules, tmp_path).judgements} == {"tone"}
