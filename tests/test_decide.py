"""Prompt, RAG, fine-tune or both: the frameworks' published paths by hand, costs by hand, the command as a script meets it.

`python tests/test_decide.py` rewrites the examples of docs/decide.md.
"""

import dataclasses
import importlib.metadata
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ragdiag.cli import interview, main
from ragdiag.core.errors import UsageError
from ragdiag.deciding.after import following
from ragdiag.deciding.costs import CANDIDATES, Rates, break_even, compare_costs, cost, rate_rows
from ragdiag.deciding.decision import Answer, Decision, decide
from ragdiag.deciding.framework import ACCESS, FIVE, FOUR, FRAMEWORKS, GUIDES, QUESTIONS, RULES
from ragdiag.deciding.measured import Measured
from ragdiag.reports.decide import decide_dict, decide_text

PAGE = Path(__file__).parents[1] / "docs" / "decide.md"

FEW, MANY = 1_000, 100_000_000
"""Calls a month that do not justify fine-tuning at the default rates, and that do."""

STATIC = {"problem": "knowledge", "changes": "yearly", "citations": "no", "weights": "allowed"}
TUNABLE = {"store": "allowed", "examples": 500, "task": "narrow"}
SKILL = {"problem": "behavior", "need": "skill", "weights": "allowed", "examples": 500, "task": "narrow"}
AGAIN = "litmus QUERIES --answers ANSWERS --json litmus.json"
UNSETTLED = {"wait": "yes", "small_model": "no"}

CLICK = tuple(map(int, importlib.metadata.version("click").split(".")[:2]))


def asked(decision: Decision) -> list[str]:
    return [step.question.id for step in decision.steps]


# Every leaf of both lists


@pytest.mark.parametrize(
    ("answers", "recommendation", "last", "sources"),
    [
        # four questions: more than once a month? five questions: monthly or more often? two guides: volatile data
        ({"problem": "knowledge", "changes": "daily"}, "rag", "changes", (FOUR, FIVE)),
        ({"problem": "knowledge", "changes": "weekly"}, "rag", "changes", (FOUR, FIVE)),
        ({"problem": "knowledge", "changes": "monthly"}, "rag", "changes", (FOUR, FIVE)),
        # perfect-access test, two guides: traced to the passage
        ({"problem": "knowledge", "changes": "never", "citations": "yes"}, "rag", "citations", (ACCESS, GUIDES)),
        ({**STATIC, "weights": "forbidden"}, "rag", "weights", ()),
        # four questions: no labelled data, start with RAG; five questions: examples, narrow task
        ({**STATIC, **TUNABLE, "examples": 499}, "rag", "examples", (FOUR, FIVE)),
        ({**STATIC, **TUNABLE, "task": "open"}, "rag", "task", (FIVE,)),
        # five questions: compliance forbids external stores
        ({**STATIC, **TUNABLE, "store": "forbidden"}, "fine-tune", "task", (FIVE,)),
        ({**STATIC, **TUNABLE, "store": "forbidden", "task": "open"}, "rag", "task", (FIVE,)),
        ({**STATIC, **TUNABLE, "store": "forbidden", "examples": 20}, "rag", "examples", (FOUR, FIVE)),
        # four questions: cannot tolerate 200-500 ms
        ({**STATIC, **TUNABLE, "wait": "no"}, "fine-tune", "wait", (FOUR, FIVE)),
        # two guides: small or on-device; five questions: hard limits on inference cost
        ({**STATIC, **TUNABLE, "wait": "yes", "small_model": "yes"}, "fine-tune", "small_model", (GUIDES, FIVE)),
        # five questions: does the volume justify it? two guides: start with RAG
        ({**STATIC, **TUNABLE, **UNSETTLED, "volume": FEW}, "rag", "volume", (GUIDES, FIVE)),
        ({**STATIC, **TUNABLE, **UNSETTLED, "volume": MANY}, "fine-tune", "volume", (FIVE,)),
        # behavior: a prompt first, then the conditions of four and of five questions
        ({"problem": "behavior", "need": "format", "prompted": "no"}, "prompt", "prompted", (FIVE,)),
        ({**SKILL, "weights": "forbidden"}, "prompt", "weights", ()),
        ({**SKILL, "examples": 0}, "prompt", "examples", (FOUR, FIVE)),
        ({**SKILL, "task": "open"}, "prompt", "task", (FIVE,)),
        ({**SKILL, "small_model": "yes"}, "fine-tune", "small_model", (GUIDES, FIVE)),
        ({**SKILL, "small_model": "no", "volume": FEW}, "prompt", "volume", (GUIDES, FIVE)),
        ({**SKILL, "small_model": "no", "volume": MANY}, "fine-tune", "volume", (FIVE,)),
        ({**SKILL, "need": "format", "prompted": "yes", "small_model": "no", "volume": MANY}, "fine-tune", "volume", (FIVE,)),
    ],
)
def test_published_paths(answers: dict[str, Any], recommendation: str, last: str, sources: tuple[str, ...]) -> None:
    found = decide(answers)
    assert (found.recommendation, asked(found)[-1], found.steps[-1].sources) == (recommendation, last, sources)
    assert found.steps[-1].settles == recommendation
    assert not found.missing


def test_the_order_is_that_of_the_lists_and_all_of_it_is_documented() -> None:
    found = decide({**STATIC, **TUNABLE, **UNSETTLED, "volume": FEW})
    order = ["problem", "changes", "citations", "weights", "store", "examples", "task", "wait", "small_model", "volume"]
    assert asked(found) == order
    order = ["problem", "need", "prompted", "weights", "examples", "task", "small_model", "volume"]
    assert asked(decide({**SKILL, "need": "format", "prompted": "yes", "small_model": "no", "volume": 1})) == order
    assert asked(decide({**SKILL, "examples": 1})) == ["problem", "need", "weights", "examples"]  # a skill: no prompted
    text = PAGE.read_text(encoding="utf-8")
    for problem, rules in RULES.items():
        table = text[text.index(f"A problem of **{problem}**") :]
        rows = re.findall(r"^\| `--([\w-]+)`", table[: table.index("\n\n", table.index("|"))], re.MULTILINE)
        assert [row.replace("-", "_") for row in rows] == [rule.question for rule in rules]


def test_every_step_says_where_its_answer_comes_from_and_what_would_change_it() -> None:
    found = decide({**STATIC, **TUNABLE, "examples": Answer(100, "asked")}, None)
    assert [s.source for s in found.steps] == ["option"] * 5 + ["asked"]
    assert all(s.implies for s in found.steps)
    assert [tuple(o) for o in found.steps[-1].otherwise] == [("500 or more", "", "wait")]
    assert found.steps[1].otherwise == ()  # RAG, however often the data changes
    cheap = decide({**STATIC, **TUNABLE, **UNSETTLED, "volume": FEW})
    turn = break_even("rag", "fine-tune", Rates(), 1)
    assert turn.volume and not turn.volume.is_integer()
    at = int(turn.volume) + 1
    assert [tuple(o) for o in cheap.steps[-1].otherwise] == [(f"{at:,} or more", "fine-tune", "")]
    assert decide({**STATIC, **TUNABLE, **UNSETTLED, "volume": at}).recommendation == "fine-tune"
    assert decide({**STATIC, **TUNABLE, **UNSETTLED, "volume": at - 1}).recommendation == "rag"


# Both


def test_both_only_when_two_problems_force_two_remedies() -> None:
    volatile = {"problem": "both", "changes": "daily"}
    tunable = {name: SKILL[name] for name in ("need", "weights", "examples", "task")} | {"small_model": "yes"}
    found = decide({**volatile, **tunable})
    assert found.recommendation == "both"
    assert found.remedies == {"knowledge": "rag", "behavior": "fine-tune"}
    assert asked(found) == ["problem", "changes", "need", "weights", "examples", "task", "small_model"]
    assert [s.problem for s in found.steps] == ["", "knowledge", *["behavior"] * 5]
    with_prompt = decide({**volatile, "need": "format", "prompted": "no"})
    assert with_prompt.recommendation == "rag"
    assert with_prompt.remedies == {"knowledge": "rag", "behavior": "prompt"}
    assert any("goes into the prompt" in note for note in with_prompt.notes)
    tuned = decide({**STATIC, **TUNABLE, **tunable, "problem": "both", "wait": "no"})
    assert tuned.recommendation == "fine-tune"  # one remedy for both problems


VERDICTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["RETRIEVAL", "CONTEXT", "BEHAVIOR", "BOTH"]),
        "secondary": st.sampled_from([None, "RETRIEVAL", "CONTEXT", "BEHAVIOR"]),
    }
)
ANSWERS: Any = st.fixed_dictionaries(
    {
        q.id: st.sampled_from(q.choices) if q.choices else st.sampled_from([0, 499, 500, 5_000, 10**6, 10**9])
        for q in QUESTIONS.values()
        if q.id != "problem"
    }
)


@pytest.mark.slow
@given(answers=ANSWERS, others=ANSWERS, verdict=VERDICTS)
@settings(max_examples=300, deadline=None)
def test_an_answer_that_was_not_reached_changes_nothing(
    answers: dict[str, Any], others: dict[str, Any], verdict: dict[str, Any]
) -> None:
    found = decide(answers, verdict)
    assert found.recommendation in CANDIDATES
    changed = decide({q: others[q] if q in found.unreached else a for q, a in answers.items()}, verdict)
    left_out = decide({q: a for q, a in answers.items() if q not in found.unreached}, verdict)
    for other in (changed, left_out):
        assert (other.recommendation, other.remedies, asked(other)) == (found.recommendation, found.remedies, asked(found))
        assert [s.implies for s in other.steps] == [s.implies for s in found.steps]
    if found.recommendation == "both":
        assert set(Measured.of(verdict).problems) == {"knowledge", "behavior"}


@pytest.mark.slow
@given(answers=ANSWERS, verdict=VERDICTS)
@settings(max_examples=100, deadline=None)
def test_what_would_change_it_does(answers: dict[str, Any], verdict: dict[str, Any]) -> None:
    found = decide(answers, verdict)
    for step in found.steps[1:]:
        for other in step.otherwise:
            if other.answer in step.question.choices:
                again = decide({**answers, step.question.id: other.answer}, verdict)
                assert again.recommendation == other.recommendation != found.recommendation
        named = {other.answer for other in step.otherwise}
        for choice in set(step.question.choices) - named - {step.answer}:
            assert decide({**answers, step.question.id: choice}, verdict).recommendation == found.recommendation


# The measured verdict


@pytest.mark.parametrize(
    ("kind", "secondary", "problems"),
    [
        ("RETRIEVAL", None, ("knowledge",)),
        ("RETRIEVAL", "CONTEXT", ("knowledge",)),
        ("CONTEXT", None, ("knowledge",)),
        ("BEHAVIOR", None, ("behavior",)),
        ("BOTH", None, ("knowledge", "behavior")),
        ("RETRIEVAL", "BEHAVIOR", ("knowledge", "behavior")),
        ("CONTEXT", "BEHAVIOR", ("knowledge", "behavior")),
        ("BEHAVIOR", "RETRIEVAL", ("knowledge", "behavior")),
        ("INCONCLUSIVE", "BEHAVIOR", ()),
        ("NOT_MEASURED", None, ()),
    ],
)
def test_the_verdict_answers_the_first_question(kind: str, secondary: str | None, problems: tuple[str, ...]) -> None:
    verdict = {"kind": kind, "secondary": secondary, "share": {"mean": 0.9, "low": 0.8, "high": 0.96, "n": 60}, "needed": None}
    assert Measured.of(verdict).problems == problems
    found = decide({"changes": "daily", "need": "format", "prompted": "no"}, verdict)
    assert found.steps[0].source == "measured"
    assert str(found.steps[0].answer).startswith(kind)
    assert found.recommendation == ("" if not problems else "rag" if "knowledge" in problems else "prompt")
    assert bool(found.measure) == (not problems)


def test_an_inconclusive_verdict_recommends_nothing_and_says_what_to_measure() -> None:
    verdict = {"kind": "INCONCLUSIVE", "share": {"mean": 0.6, "low": 0.45, "high": 0.73, "n": 40}, "needed": 154}
    found = decide({"changes": "daily"}, verdict)
    assert found.recommendation == "" and not found.missing
    assert "154 further failures" in found.measure and "ragdiag litmus" in found.measure
    assert found.either["knowledge"].recommendation == "rag"
    assert found.unanswered is not None and found.unanswered.id == "need"
    assert "would hardly tell" in decide({}, {"kind": "INCONCLUSIVE", "needed": None}).measure
    for nothing in (decide({}, {"kind": "NOT_MEASURED"}), decide({"problem": "unknown"})):
        assert nothing.recommendation == ""
        assert "ragdiag litmus" in nothing.measure and "oracle" in nothing.measure
    stated = decide({"problem": "knowledge", "changes": "daily"}, {"kind": "NOT_MEASURED"})
    assert stated.recommendation == "rag"
    assert any("not measured" in note for note in stated.notes)
    with pytest.raises(UsageError, match="leave --problem out"):
        decide({"problem": "knowledge"}, verdict)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"chnages": "daily"}, "did you mean 'changes'"),
        ({"changes": "hourly"}, "must be one of daily"),
        ({"examples": -1}, "whole number"),
        ({"examples": True}, "whole number"),
        ({"volume": 10**13}, "whole number"),
        ({"volume": "5"}, "whole number"),
    ],
)
def test_bad_answers_are_refused_even_when_not_reached(answers: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        decide({"problem": "unknown", **answers})


# Costs


ROUND = Rates(
    price=2, call_tokens=1_000, prompt_tokens=4_000, prompt_hours=10, context_tokens=500, build_hours=40, vector_db=500,
    corpus_tokens=10_000_000, embed_price=0.1, changed_share=0.5, prep_hours=120, gpu_hours=3, gpu_price=10, retrains=1,
    retrain_hours=2, serving_hours=100, tuned_price=0, hour_rate=50,
)  # fmt: skip


def test_costs_by_hand() -> None:
    volume, shifts = 200_000, 12
    found = {name: cost(techniques, volume, ROUND, shifts) for name, techniques in CANDIDATES.items()}
    # prompt: 10 h x 50 once; 200,000 x 5,000 tokens x $2 a million
    assert (found["prompt"].once, found["prompt"].monthly) == (500, 2_000)
    assert (found["prompt"].first_month, found["prompt"].total) == (2_500, 24_500)
    # RAG: 40 h x 50 and 10 M tokens x $0.1 a million once; 500, half embedded again each month (0.5), 200,000 x 1,500 x $2
    assert (found["rag"].once, found["rag"].monthly) == (2_001, 500 + 0.5 + 600)
    assert found["rag"].total == pytest.approx(2_001 + 12 * 1_100.5)
    # fine-tuning: 120 h x 50 and 3 h x $10 once; each month a run and 2 h x 50, 100 h x $10 serving; its calls cost nothing
    assert (found["fine-tune"].once, found["fine-tune"].monthly) == (6_030, 130 + 1_000)
    # both: all of both once, but retrained once a year: the facts are looked up
    assert found["both"].once == 2_001 + 6_030
    assert found["both"].monthly == pytest.approx(500.5 + 130 / 12 + 1_000)
    # break-even of RAG and fine-tuning: (6,030 + 12 x 1,130 - 2,001 - 12 x 500.5) / (12 x 0.003)
    turn = break_even("rag", "fine-tune", ROUND, shifts)
    assert turn.volume == pytest.approx((19_590 - 8_007) / 0.036)
    assert turn.above == "fine-tune"


def test_what_a_report_measured_is_not_built_again() -> None:
    """By hand: RAG's 40 h x 50 become 10 h x 50, in RAG and in both; all else is as it was."""
    volume, shifts = 200_000, 12
    standing = dataclasses.replace(ROUND, build_hours=Rates.build_hours, change_hours=10).standing()
    found = {name: cost(techniques, volume, standing, shifts) for name, techniques in CANDIDATES.items()}
    assert [found[name].once for name in ("prompt", "rag", "fine-tune", "both")] == [500, 501, 6_030, 501 + 6_030]
    assert found["rag"].monthly == 500 + 0.5 + 600
    assert [part.what for part in found["rag"].parts] == ["changing retrieval", "infrastructure", "embedding", "calls"]
    turn = break_even("rag", "fine-tune", standing, shifts)
    assert turn.volume == pytest.approx((19_590 - 6_507) / 0.036)
    assert standing.at("low").built and standing.at("high").built and not ROUND.built


def test_a_team_with_a_report_has_its_pipeline() -> None:
    new = decide({"problem": "knowledge", "changes": "daily"}).costs
    for verdict in ({"kind": "RETRIEVAL"}, {"kind": "INCONCLUSIVE"}, {"kind": "BOTH"}):
        there = decide({"changes": "daily", "need": "format", "prompted": "no"}, verdict).costs
        assert new.costs["rag"].once - there.costs["rag"].once == (80 - 16) * 75
        assert new.costs["fine-tune"].once == there.costs["fine-tune"].once
    with pytest.raises(UsageError, match="leave --build-hours out"):
        decide({"changes": "daily"}, {"kind": "RETRIEVAL"}, Rates(build_hours=7))
    with pytest.raises(UsageError, match="--change-hours is about the retrieval of a report"):
        decide({"problem": "knowledge", "changes": "daily"}, None, Rates(change_hours=7))


@pytest.mark.parametrize(
    ("answers", "verdict", "command"),
    [
        ({"changes": "daily"}, {"kind": "RETRIEVAL"}, "audit CORPUS QUERIES"),
        ({"changes": "daily"}, {"kind": "CONTEXT"}, "audit CORPUS QUERIES"),
        ({"need": "format", "prompted": "no"}, {"kind": "BEHAVIOR"}, AGAIN),
        ({"need": "skill", "weights": "forbidden"}, {"kind": "BEHAVIOR"}, AGAIN),
        (
            {**SKILL, "problem": None, "small_model": "yes"},
            {"kind": "BEHAVIOR"},
            AGAIN,
        ),
        ({"changes": "daily", "need": "format", "prompted": "no"}, {"kind": "BOTH"}, "audit CORPUS QUERIES"),
        ({"changes": "daily"}, {"kind": "INCONCLUSIVE"}, AGAIN),
        ({}, {"kind": "NOT_MEASURED"}, "prompts CORPUS QUERIES --out prompts.jsonl"),
        ({"problem": "unknown"}, None, "prompts CORPUS QUERIES --out prompts.jsonl"),
        ({"problem": "knowledge", "changes": "daily"}, None, "prompts CORPUS QUERIES --out prompts.jsonl"),
        ({"problem": "knowledge", "changes": "daily"}, {"kind": "NOT_MEASURED"}, "prompts CORPUS QUERIES --out prompts.jsonl"),
        ({"problem": "knowledge"}, None, None),  # an answer is missing
    ],
)
def test_it_ends_with_the_next_command(answers: dict[str, Any], verdict: dict[str, Any] | None, command: str | None) -> None:
    found = decide({name: value for name, value in answers.items() if value is not None}, verdict)
    next_ = following(found)
    assert (next_.command if next_ else None) == (command and f"ragdiag {command}")
    console = Console(width=120, file=io.StringIO())
    console.print(decide_text(found))
    text = console.file.getvalue()
    assert ("Next  " in text) == (command is not None)
    if next_:
        assert text.endswith(f"\nNext  {next_.why}\n  {next_.command}\n")
        assert decide_dict(found)["next"] == {"why": next_.why, "command": next_.command}
        name, *words = next_.command.split()[1:]
        known = {flag for option in main.commands[name].params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_totals_meet_at_the_break_even_volume() -> None:
    for turn in compare_costs(None, Rates()).break_even:
        assert turn.volume
        one, other = (cost(CANDIDATES[name], turn.volume, Rates(), 1).total for name in (turn.a, turn.b))
        assert one == pytest.approx(other)
        more = {name: cost(CANDIDATES[name], turn.volume + 10, Rates(), 1).total for name in (turn.a, turn.b)}
        assert min(more, key=more.__getitem__) == turn.above


@pytest.mark.parametrize(
    ("rates", "above"),
    [
        (Rates(tuned_price=100), "rag"),  # dearer once and each call
        (Rates(prep_hours=0, serving_hours=0, retrain_hours=0), "fine-tune"),  # cheaper in all
        (Rates(price=0), "rag"),  # calls cost nothing either way
    ],
)
def test_no_break_even_where_one_is_cheaper_at_any_volume(rates: Rates, above: str) -> None:
    turn = break_even("rag", "fine-tune", rates, 1)
    assert (turn.volume, turn.above) == (None, above)
    answers = {**STATIC, **TUNABLE, **UNSETTLED}
    assert {decide({**answers, "volume": v}, None, rates).recommendation for v in (1, MANY)} == {above}
    assert decide({**answers, "volume": 1}, None, rates).steps[-1].otherwise == ()


def test_published_ranges_hold_for_defaults_only() -> None:
    run = [Rates().at(end).run for end in ("low", "high")]
    assert run == [10, 40] and Rates().run == pytest.approx(25)  # $10-40 a LoRA
    assert [Rates().at(end).vector_db for end in ("low", "high")] == [200, 800]
    assert Rates(vector_db=300).at("high").vector_db == 300
    assert Rates(run_price=37.5).run == 37.5
    rag = compare_costs(1, Rates()).costs["rag"]
    assert rag.total - rag.low == rag.high - rag.total == pytest.approx(300 * 12)


def test_every_rate_is_shown_with_its_source() -> None:
    rows = {row.option: row for row in rate_rows(compare_costs(1, Rates(price=9), "weekly"))}
    assert len(rows) == len(vars(Rates())) - 1 and "--change-hours" not in rows  # nothing is there to be changed
    standing = {row.option: row for row in rate_rows(compare_costs(1, Rates().standing()))}
    assert standing.keys() ^ rows.keys() == {"--build-hours", "--change-hours"}
    assert (standing["--change-hours"].default, standing["--change-hours"].source) == (True, "")
    assert (rows["--price"].default, rows["--price"].value) == (False, 9)
    assert (rows["--vector-db"].default, rows["--vector-db"].source) == (True, "published: 200-800")
    assert (rows["--shifts"].value, rows["--shifts"].source) == (52, "--changes weekly, published")
    assert rows["--run-price"].value == pytest.approx(25)
    assert rows["--hour-rate"].source == ""


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e13])
def test_rates_are_amounts(value: float) -> None:
    with pytest.raises(UsageError, match="--price must be from 0"):
        Rates(price=value)
    with pytest.raises(UsageError, match="--changed-share"):
        Rates(changed_share=1.5)


# The command


def ragdiag(*command: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["decide", *map(str, command)], prog_name="ragdiag", input=stdin)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["--problem", "taste"], "'taste' is not one of"),
        (["--volume", "many"], "not a valid integer"),
        (["--problem", "knowledge", "--volume", "-3"], "--volume must be a whole number"),
        (["--problem", "unknown", "--price", "nan"], "--price must be from 0"),
        (["--problem", "unknown", "--price", "-1"], "--price must be from 0"),
        ([], "Give --problem knowledge|behavior|both|unknown (or --report FILE)"),
        (["--problem", "knowledge"], "Give --changes daily|weekly|monthly|quarterly|yearly|never"),
        (["--problem", "behavior", "--need", "skill", "--weights", "allowed"], "Give --examples N"),
        (["--report", "nowhere.json"], "cannot be read"),
        (["--problem", "unknown", "--json", "no/such/folder.json"], "cannot write"),
    ],
)
def test_bad_values_are_one_line_and_status_2(command: list[str], message: str) -> None:
    result = ragdiag(*command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1 and result.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '"RETRIEVAL"',
        '{"kind": "MAYBE"}',
        '{"kind": []}',
        '{"verdict": null}',
        '{"verdict": {"kind": 3}}',
        '{"configs": [], "contrasts": []}',
        '{"kind": "BOTH", "secondary": "BOTH"}',
        '{"kind": "BOTH", "secondary": {}}',
        '{"kind": "BOTH", "share": 0.5}',
        '{"kind": "BOTH", "share": {"mean": 60}}',
        '{"kind": "BOTH", "share": {"n": "many"}}',
        '{"kind": "INCONCLUSIVE", "needed": -4}',
        '{"kind": "INCONCLUSIVE", "needed": true}',
        '{"kind": "INCONCLUSIVE", "needed": 1.5}',
    ],
)
def test_files_that_are_no_verdict(content: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(content, encoding="utf-8")
    result = ragdiag("--report", file, "--changes", "daily")
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(file) in result.stderr and result.stderr.count("\n") == 1


def test_reports_of_litmus_and_audit(tmp_path: Path) -> None:
    verdict = {"kind": "RETRIEVAL", "secondary": None, "share": {"mean": 0.9, "low": 0.8, "high": 0.96, "n": 60}, "needed": None}
    for content in (verdict, {"ragdiag": "1", **verdict}, {"queries": [], "verdict": verdict}):
        file = tmp_path / "report.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        for source, stdin in ((file, None), ("-", json.dumps(content))):
            result = ragdiag("--report", source, "--changes", "daily", stdin=stdin)
            assert result.exit_code == 0, result.output
            assert "RAG: retrieval" in result.stdout and "90% [80%, 96%] of 60 failures" in result.stdout
            assert "repair the retrieval" in result.stdout
    before = file.read_bytes()
    assert "would overwrite an input" in ragdiag("--report", file, "--json", file).stderr
    assert "leave --problem out" in ragdiag("--report", file, "--problem", "both").stderr
    assert file.read_bytes() == before


def test_json(tmp_path: Path) -> None:
    result = ragdiag("--problem", "knowledge", "--changes", "daily", "--volume", 5, "--json", tmp_path / "out.json", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["recommendation"], found["missing"], found["not_needed"]) == ("rag", None, ["volume"])
    assert [(s["question"], s["answer"], s["from"], s["sources"]) for s in found["steps"]] == [
        ("problem", "knowledge", "option", [ACCESS, FIVE]),
        ("changes", "daily", "option", [FOUR, FIVE]),
    ]
    assert found["steps"][1]["otherwise"][0] == {"answer": "quarterly", "recommendation": None, "asks": "citations"}
    assert set(found["costs"]["candidates"]) == set(CANDIDATES)
    assert {"option", "value", "default", "source", "low", "high"} <= set(found["costs"]["rates"][0])
    open_ = ragdiag("--report", "-", "--changes", "daily", "--json", "-", stdin='{"kind": "NOT_MEASURED"}')
    assert open_.exit_code == 0
    found = json.loads(open_.stdout)
    assert found["recommendation"] is None and "ragdiag litmus" in found["measure"]
    assert found["either"]["knowledge"]["recommendation"] == "rag"
    assert found["either"]["behavior"]["missing"] == "--need"


def printed(result: Result, *typed: str) -> Any:
    """What a command wrote to standard output. Older runners of click write there too what is typed."""
    return json.loads(result.stdout.removeprefix("".join(f" {line}\n" for line in typed)))


def test_a_terminal_is_asked_only_what_is_missing_and_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interview, "on_terminal", lambda *_: True)
    result = ragdiag("--problem", "knowledge", "--json", "-", stdin="hourly\nyearly\nyes\n")
    assert result.exit_code == 0, result.output
    assert "'hourly' is not one of" in result.stderr and "volume" not in result.stderr
    steps = printed(result, "hourly", "yearly", "yes")["steps"]
    assert [(s["question"], s["from"]) for s in steps] == [("problem", "option"), ("changes", "asked"), ("citations", "asked")]
    result = ragdiag("--problem", "unknown", "--json", "-", stdin="daily\nskill\nforbidden\n")
    found = printed(result, "daily", "skill", "forbidden")
    assert {name: each["recommendation"] for name, each in found["either"].items()} == {"knowledge": "rag", "behavior": "prompt"}


@pytest.mark.skipif(CLICK < (8, 3), reason="older runners of click know no end of input")
def test_the_end_of_input_ends_the_interview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interview, "on_terminal", lambda *_: True)
    assert ragdiag(stdin="").exit_code == 1


@pytest.mark.parametrize(
    "answers",
    [
        {**STATIC, **TUNABLE, **UNSETTLED, "volume": 10**12},
        {**SKILL, "problem": "both", "changes": "daily", "small_model": "no", "volume": 10**12, "citations": "yes"},
        {"problem": "unknown", "changes": "daily", "need": "format", "prompted": "no"},
        {"problem": "behavior"},
    ],
)
def test_the_screen_fits_80_columns(answers: dict[str, Any]) -> None:
    console = Console(width=80, file=io.StringIO(), highlight=False)
    found = decide(answers)
    console.print(decide_text(found))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(len(row.rstrip()) <= 80 for row in text.splitlines())
    assert "…" not in text
    decide_dict(found)


# The page


def said(block: str) -> str:
    """The command of a block, and what it prints down to the rates."""
    command = re.match(r"\$ (.+)\n", block)
    assert command
    stdin, _, call = command[1].rpartition(" | ")
    result = CliRunner().invoke(main, shlex.split(call)[1:], prog_name="ragdiag", input=shlex.split(stdin)[1] if stdin else None)
    assert result.exit_code == 0, result.output
    shown = result.stdout[: result.stdout.index("\nRates")]
    return command[0] + "\n".join(line.rstrip() for line in shown.splitlines()) + "\n...\n"


def rewritten(text: str) -> str:
    return re.sub(r"(<!-- decide -->\n```console\n)(.*?)(```\n)", lambda m: m[1] + said(m[2]) + m[3], text, flags=re.DOTALL)


def test_the_page_shows_what_the_program_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- decide -->") == 2
    assert text == rewritten(text), "run: python tests/test_decide.py"


def test_no_screen_names_what_a_reader_cannot_know() -> None:
    """Each step says in words which framework says so; the words are explained below the steps, and each on the page."""
    page, paths = PAGE.read_text(encoding="utf-8"), ({"problem": "knowledge", "changes": "weekly"}, {**SKILL, "examples": 0})
    for each in map(decide, (*paths, {"problem": "unknown"})):
        console = Console(width=140, file=io.StringIO())
        console.print(decide_text(each))
        text = console.file.getvalue()
        assert not re.search(r"(?<![\d,.])00[0-4]\b", text + json.dumps(decide_dict(each)))
        assert "in brackets: the published framework that says so" in text
        for name in {name for step in each.steps for name in step.sources}:
            assert f"| {name} | {FRAMEWORKS[name]} |" in page, f"docs/decide.md does not say what {name} is"
            assert f"{name}: {FRAMEWORKS[name]}" in " ".join(text.split()), f"the screen does not say what {name} is"
    assert not re.search(r"(?<![\d,.])00[0-4]\b", CliRunner().invoke(main, ["decide", "--help"]).output)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
