"""Doubtful answers in the litmus test: a kind of wrong of their own, and what the verdict would be if they were right."""

import json
from pathlib import Path

from click.testing import CliRunner

from ragdiag.answering.verdict import KINDS, Litmus
from ragdiag.api import litmus
from ragdiag.cli import main

AGREES, DOUBTFUL, WRONG = "Yes, debt is growing.", "Yes, the cafeteria serves soup on Fridays.", "No, debt is not growing."


def files(folder: Path, retrieved: list[str], oracle: list[str], labels: list[bool | None] | None = None) -> tuple[str, str]:
    """Queries that ask for yes or no, and the answers to them; `labels` are of the oracle's."""
    queries = [
        {"_id": f"q{i}", "text": f"Is debt of firm {i} growing?", "answer": "Yes, from 4 to 5 billion."}
        for i in range(len(retrieved))
    ]
    rows = [{"query_id": f"q{i}", "condition": "retrieved", "answer": said} for i, said in enumerate(retrieved)]
    for i, said in enumerate(oracle):
        label = labels[i] if labels else None
        rows.append({"query_id": f"q{i}", "condition": "oracle", "answer": said} | ({} if label is None else {"correct": label}))
    paths = folder / "queries.jsonl", folder / "answers.jsonl"
    for path, of_path in zip(paths, (queries, rows), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in of_path), encoding="utf-8")
    return str(paths[0]), str(paths[1])


def team(folder: Path, retrieved: list[str], oracle: list[str], labels: list[bool | None] | None = None) -> Litmus:
    queries, answers = files(folder, retrieved, oracle, labels)
    return litmus(queries, [answers])


def test_a_doubtful_answer_counts_as_wrong_and_is_shown_as_what_it_is(tmp_path: Path) -> None:
    found = team(tmp_path, [WRONG, DOUBTFUL, AGREES], [AGREES, DOUBTFUL, AGREES])
    assert [j.kind for j in found.of("retrieved")] == ["content", "doubtful", ""]
    assert [j.right for j in found.of("retrieved")] == [False, False, True]
    assert found.shares["retrieved"].mean == 1 / 3
    assert "doubtful" in KINDS


def test_the_verdict_if_all_doubtful_answers_were_right(tmp_path: Path) -> None:
    """Sixty failures that perfect context seems to leave: it is doubtful of all of them whether it does."""
    found = team(tmp_path, [WRONG] * 60, [DOUBTFUL] * 60)
    assert found.verdict.kind == "BEHAVIOR"
    assert found.undoubted is not None
    assert found.undoubted.kind == "RETRIEVAL"
    sure = team(tmp_path, [WRONG] * 60, [AGREES] * 60)
    assert sure.undoubted is None
    assert (sure.verdict.kind, sure.verdict.share.mean) == (found.undoubted.kind, found.undoubted.share.mean)


def test_a_label_settles_what_is_doubtful(tmp_path: Path) -> None:
    found = team(tmp_path, [WRONG] * 3, [DOUBTFUL] * 3, [True, False, None])
    assert [(j.kind, j.right, j.by) for j in found.of("oracle")] == [
        ("", True, "label"),
        ("content", False, "label"),
        ("doubtful", False, "matcher"),
    ]


def test_the_report_says_what_hangs_on_doubtful_answers(tmp_path: Path) -> None:
    queries, answers = files(tmp_path, [WRONG] * 60, [DOUBTFUL] * 60)
    out = tmp_path / "verdict.json"
    done = CliRunner().invoke(main, ["litmus", queries, "--answers", answers, "--json", str(out)])
    said = " ".join(done.output.split())
    assert "60 answers are doubtful (oracle 60) and counted as wrong; if all were right, the verdict would be RETRIEVAL" in said
    assert 'label them ("correct": true or false)' in said
    assert json.loads(out.read_text(encoding="utf-8"))["doubtful"] == {"answers": {"oracle": 60}, "verdict_if_right": "RETRIEVAL"}


def test_json_is_judged_by_the_key_of_the_answer(tmp_path: Path) -> None:
    wrong = json.dumps({"answer": "No.", "quote": "Yes, debt is growing."})
    right = json.dumps({"answer": "Yes.", "quote": "No, debt is not growing."})
    found = team(tmp_path, [wrong, right], [right, right])
    assert [j.right for j in found.of("retrieved")] == [False, True]
