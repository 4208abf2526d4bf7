"""The litmus test: the exact 2x2, the verdict that follows from it, and how often simulated teams are told the truth."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ragdiag.answering.effects import Effect
from ragdiag.answering.verdict import Outcomes, bounds, needed, reach, tabulate
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Mean
from ragdiag.pipeline import audit

HOTPOT = Path(os.environ.get("RAGDIAG_DATA", Path(__file__).parents[2] / "shared" / "data")) / "hotpot100"
NAN = float("nan")


def outcomes(right, oracle=None, sufficient=None, form=None) -> Outcomes:
    n = len(right)
    known = (np.array([NAN] * n if v is None else v, dtype=float) for v in (right, oracle, sufficient))
    return Outcomes(*known, np.array(form or [False] * n))


def write(folder: Path, rows: list[dict], name: str) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return str(path)


def team(folder: Path, right: list, oracle: list | None = None, contexts: list | None = None, sufficient: list | None = None):
    """A verdict on a team whose answers are labelled; None leaves an answer out."""
    queries = [
        {"_id": f"q{i}", "text": f"query {i}", "answer": "a", "evidence": [{"doc_id": "d", "text": f"fact {i}."}]}
        for i in range(len(right))
    ]
    rows = []
    for i, value in enumerate(right):
        row = {"query_id": f"q{i}", "answer": "x", "correct": value, "condition": "retrieved"}
        row |= {"contexts": [contexts[i]]} if contexts else {}
        row |= {"sufficient": sufficient[i]} if sufficient else {}
        rows.append(row)
    rows += [
        {"query_id": f"q{i}", "answer": "x", "correct": v, "condition": "oracle"}
        for i, v in enumerate(oracle or [])
        if v is not None
    ]
    return litmus(write(folder, queries, "queries.jsonl"), [write(folder, rows, "answers.jsonl")])


def test_attempts_that_all_failed_are_nothing_to_judge(tmp_path: Path) -> None:
    queries = write(
        tmp_path, [{"_id": "q", "text": "query", "answer": "a", "evidence": [{"doc_id": "d", "text": "a"}]}], "q.jsonl"
    )
    rows = [{"query_id": "q", "condition": c, "error": "status 500"} for c in ("retrieved", "oracle")]
    failed = write(tmp_path, rows, "failed.jsonl")
    done = CliRunner().invoke(main, ["litmus", queries, "--answers", failed])
    assert done.exit_code == 2
    assert done.stderr == (
        f"error: {failed}: holds 2 attempts, every one of which failed, so there is nothing to judge; "
        "ask again, or count them as wrong: --failed wrong\n"
    )
    assert CliRunner().invoke(main, ["litmus", queries, "--answers", failed, "--failed", "wrong"]).exit_code == 0
    some = write(tmp_path, [*rows, {"query_id": "q", "condition": "retrieved", "answer": "a"}], "some.jsonl")
    assert CliRunner().invoke(main, ["litmus", queries, "--answers", some]).exit_code == 0


# The table.


@pytest.mark.skipif(not HOTPOT.exists(), reason="the public sets are not here")
@pytest.mark.parametrize(
    ("failed", "right", "of", "table"), [("wrong", 34, 100, (29, 37, 32, 2)), ("failed", 34, 90, (22, 34, 32, 2))]
)
def test_hotpots_recorded_labels_give_the_exact_table(failed: str, right: int, of: int, table: tuple[int, ...]) -> None:
    files = [
        f"retrieved={HOTPOT}/answers/react_wiki_search_trial1.jsonl",
        f"oracle={HOTPOT}/answers/cot_gold_context_trial1.jsonl",
    ]
    found = litmus(HOTPOT / "queries.jsonl", files, failed=failed)
    # Counted anew, from the files.
    lines = [Path(f.partition("=")[2]).read_text(encoding="utf-8").split("\n") for f in files]
    labels = [{r["query_id"]: r["recorded_label"] for r in map(json.loads, filter(None, own))} for own in lines]
    pairs = [(labels[0][q], labels[1][q]) for q in labels[1] if failed == "wrong" or labels[0][q] in ("correct", "incorrect")]
    counted = [
        sum((a == "correct") == mine and (b == "correct") == other for a, b in pairs)
        for mine, other in ((False, True), (False, False), (True, True), (True, False))
    ]
    assert tuple(counted) == table
    cells = found.verdict.table
    assert (cells["wrong"]["oracle right"], cells["wrong"]["oracle wrong"]) == table[:2]
    assert (cells["right"]["oracle right"], cells["right"]["oracle wrong"]) == table[2:]
    share = found.shares["retrieved"]
    assert (round(share.mean * share.n), share.n) == (right, of)
    assert [j.by for j in found.of("retrieved")].count("failed") == 10
    assert found.verdict.kind == "BOTH"
    assert found.verdict.effects["context"].p == pytest.approx(stats.binomtest(table[0], table[0] + table[3], 0.5).pvalue)
    assert len(found.verdict.broken) == table[3]


def test_contexts_add_rows_and_missing_oracles_a_column() -> None:
    table = tabulate(outcomes([0, 0, 1, 1, 0, NAN], [1, 0, 1, NAN, NAN, 1], [0, 1, 1, NAN, 0, 1]))
    assert table == {
        "wrong, context insufficient": {"oracle right": 1, "oracle wrong": 0, "oracle unknown": 1},
        "wrong, context sufficient": {"oracle right": 0, "oracle wrong": 1, "oracle unknown": 0},
        "right, context sufficient": {"oracle right": 1, "oracle wrong": 0, "oracle unknown": 0},
        "right": {"oracle right": 0, "oracle wrong": 0, "oracle unknown": 1},
    }


# The verdict.


def effect(mean: float, low: float) -> Effect:
    return Effect(mean, low, 1.0, 50)


@pytest.mark.parametrize(
    ("share", "context", "behavior", "noise", "expected"),
    [
        (Mean(0.83, 0.7, 0.9, 60), effect(0.5, 0.4), effect(0.15, 0.02), None, ("RETRIEVAL", "BEHAVIOR")),
        (Mean(0.83, 0.7, 0.9, 60), effect(0.5, 0.4), effect(0.05, 0.01), None, ("RETRIEVAL", None)),
        (Mean(0.83, 0.7, 0.9, 60), effect(0.5, 0.4), effect(0.05, 0.01), 0.4, ("RETRIEVAL", None)),
        (Mean(0.83, 0.7, 0.9, 60), effect(0.5, 0.4), effect(0.05, 0.01), 0.6, ("CONTEXT", None)),
        (Mean(0.2, 0.1, 0.3, 60), effect(0.1, -0.1), effect(0.6, 0.5), None, ("BEHAVIOR", "RETRIEVAL")),
        (Mean(0.2, 0.1, 0.3, 60), effect(0.02, -0.1), effect(0.6, 0.5), None, ("BEHAVIOR", None)),
        (Mean(0.5, 0.4, 0.6, 90), effect(0.3, 0.2), effect(0.3, 0.2), None, ("BOTH", None)),
        (Mean(0.65, 0.45, 0.8, 20), effect(0.3, 0.04), effect(0.3, 0.2), None, ("INCONCLUSIVE", None)),
        (Mean(None, None, None, 0), None, None, None, ("NOT_MEASURED", None)),
    ],
)
def test_the_verdict_follows_from_the_share_and_both_effects(share, context, behavior, noise, expected) -> None:
    assert reach(share, context, behavior, noise, 0.05) == expected


@pytest.mark.parametrize(("share", "total"), [(0.65, 85), (0.35, 85), (0.60, 194), (0.75, 29)])
def test_how_many_failures_would_tell(share: float, total: int) -> None:
    assert needed(share, 0) == total
    assert needed(share, total + 5) == 1
    assert needed(0.5, 10) is None


@given(st.floats(0.52, 0.98), st.integers(0, 30))
def test_fewer_failures_tell_a_share_further_from_a_half(share: float, seen: int) -> None:
    here, further = needed(share, seen), needed(min(share + 0.01, 0.99), seen)
    assert here is not None and further is not None and further <= here


def test_garbage_contexts_move_the_verdict_to_retrieval(tmp_path: Path) -> None:
    found = team(tmp_path, [False] * 40 + [True] * 5, [True] * 38 + [False] * 2 + [True] * 5, contexts=["nothing of it"] * 45)
    assert found.verdict.kind == "RETRIEVAL"
    assert found.verdict.table["wrong, context insufficient"]["oracle right"] == 38


def test_perfect_contexts_with_a_model_that_ignores_the_format_move_it_to_behavior(tmp_path: Path) -> None:
    found = team(tmp_path, [False] * 40, [False] * 39 + [True], contexts=[f"as we know,  FACT {i}." for i in range(40)])
    assert found.verdict.kind == "BEHAVIOR"
    assert found.verdict.table["wrong, context sufficient"]["oracle wrong"] == 39


def test_noise_is_told_from_retrieval_by_what_the_contexts_held(tmp_path: Path) -> None:
    right, oracle = [False] * 40, [True] * 40
    assert team(tmp_path, right, oracle, sufficient=[True] * 40).verdict.kind == "CONTEXT"
    assert team(tmp_path, right, oracle, sufficient=[False] * 40).verdict.kind == "RETRIEVAL"
    assert team(tmp_path, right, oracle).verdict.kind == "RETRIEVAL"


def test_without_an_oracle_there_are_bounds_and_no_point(tmp_path: Path) -> None:
    found = team(tmp_path, [False] * 8 + [True] * 2, sufficient=[True] * 6 + [False] * 4)
    assert found.verdict.kind == "NOT_MEASURED"
    assert found.verdict.bounds == (0.0, 0.25)
    assert bounds(outcomes([1, 1])) is None


def test_repeats_of_one_query_are_one_query(tmp_path: Path) -> None:
    queries = write(tmp_path, [{"_id": "q", "text": "t", "answer": "a"}], "q.jsonl")
    rows = [{"query_id": "q", "answer": "x", "correct": c, "condition": "retrieved"} for c in (True, False, False)]
    found = litmus(queries, [write(tmp_path, rows, "a.jsonl")])
    assert found.outcomes.right.tolist() == [pytest.approx(1 / 3)]
    assert found.outcomes.failed.tolist() == [True]


def test_simulated_teams_are_told_the_truth() -> None:
    rng, wrong, covered, runs = np.random.default_rng(0), 0, 0, 0
    for truth in (0.1, 0.3, 0.45, 0.6, 0.75, 0.9):
        for n in (20, 60, 200):
            for _ in range(40):
                fixed = rng.random(n) < truth
                share = _share(fixed)
                kind, _ = reach(share, effect(truth, truth - 0.1), effect(1 - truth, 0.9 - truth), None, 0.05)
                wrong += (kind in ("RETRIEVAL", "CONTEXT") and truth < 0.5) or (kind == "BEHAVIOR" and truth > 0.5)
                covered += share.low <= truth <= share.high
                runs += 1
    assert wrong / runs <= 0.05
    assert 0.92 <= covered / runs <= 0.99


def _share(fixed) -> Mean:
    from ragdiag.stats.statistics import Resampler

    return Resampler(np.arange(len(fixed)), 0).mean(fixed.astype(float))


# The command and bad input.


def test_the_command_writes_the_contract(tmp_path: Path) -> None:
    team(tmp_path, [False] * 4 + [True], [True] * 5)
    arguments = ["litmus", str(tmp_path / "queries.jsonl"), "--answers", str(tmp_path / "answers.jsonl")]
    done = CliRunner().invoke(main, [*arguments, "--json", "-"], prog_name="ragdiag")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {"kind", "secondary", "share", "needed", "effects", "table"} <= set(found)
    shown = " ".join(CliRunner().invoke(main, arguments, prog_name="ragdiag").output.split())
    assert found["kind"] in shown and "perfect context fixes 4 of 4 failures" in shown


def test_answers_to_other_queries_are_refused(tmp_path: Path) -> None:
    queries = write(tmp_path, [{"_id": "q", "text": "t"}], "q.jsonl")
    answers = write(tmp_path, [{"query_id": "other", "answer": "x", "condition": "oracle"}], "a.jsonl")
    with pytest.raises(InputError, match="answers to 'other', which no query is"):
        litmus(queries, [answers])
    with pytest.raises(UsageError, match="failed attempts count as failed or wrong"):
        litmus(queries, [answers], failed="right")


@pytest.mark.slow
def test_an_audit_with_answers_names_what_is_behind_them(tmp_path: Path) -> None:
    fixture = Path(__file__).parents[1] / "fixtures" / "tidewater"
    queries = [json.loads(each) for each in (fixture / "queries.jsonl").read_text(encoding="utf-8").splitlines() if each]
    served = {q.id: q.served for q in audit(fixture / "corpus", fixture / "queries.jsonl", retriever="bm25", cache=None).queries}
    rows = [
        {"query_id": q["_id"], "answer": "x", "correct": condition == "oracle" or bool(served[q["_id"]]), "condition": condition}
        for q in queries
        for condition in ("retrieved", "oracle")
    ]
    answers = write(tmp_path, rows, "answers.jsonl")
    arguments = ["audit", str(fixture / "corpus"), str(fixture / "queries.jsonl"), "--retriever", "bm25", "--no-cache"]
    done = CliRunner().invoke(main, [*arguments, "--answers", answers, "--json", "-"], prog_name="ragdiag")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["verdict"]["kind"] == "RETRIEVAL"
    table = found["verdict"]["table"]
    assert table["wrong, context insufficient"]["oracle right"] == sum(s is False for s in served.values())
    assert "wrong, context sufficient" not in table
    shown = CliRunner().invoke(main, [*arguments, "--answers", answers], prog_name="ragdiag").output
    assert f"behind {sum(s is False for s in served.values())} wrong answers without all evidence: " in " ".join(shown.split())
    plain = json.loads(CliRunner().invoke(main, [*arguments, "--json", "-"], prog_name="ragdiag").stdout)
    assert plain["verdict"]["kind"] == "NOT_MEASURED"
    assert {**plain, "verdict": 0, "timings": 0} == {**found, "verdict": 0, "timings": 0}


def test_no_answers_is_bad_usage(tmp_path: Path) -> None:
    queries = write(tmp_path, [{"_id": "q", "text": "t"}], "q.jsonl")
    done = CliRunner().invoke(main, ["litmus", queries], prog_name="ragdiag")
    assert done.exit_code == 2
    assert done.stderr == "error: no answers to judge; give --answers [CONDITION=]FILE\n"
