"""What harms in a context: contexts that differ in one thing, contrasts that find what is planted and nothing else."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragdiag
from ragdiag.answering.harm import CONTRASTS, harms
from ragdiag.answering.said import Said
from ragdiag.core.conditions import CONDITIONS, PLACED
from ragdiag.core.prompt import Prompt
from ragdiag.reports.litmus import litmus_dict, litmus_text

NAN = float("nan")
FACTS = ["Leave is 25 days a year.", "Pay comes on the 25th.", "The gate opens at seven.", "Parking is free for guests."]
FILL = [f"Room {i} is painted in a colour that nobody chose." for i in range(12)]


def jsonl(path: Path, records: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return str(path)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Prompt]:
    """Prompts of one query whose evidence is ranked second of eight; a copy of the answer, unlabelled, is ranked third."""
    monkeypatch.chdir(tmp_path)
    texts = {"leave": FACTS[0], "pay": FACTS[1], "copy": "You get 25 days.", **{f"room{i}": text for i, text in enumerate(FILL)}}
    jsonl(tmp_path / "corpus.jsonl", [{"_id": name, "text": text} for name, text in texts.items()])
    query = {"_id": "q", "text": "How many days of leave?", "answer": "25 days"}
    jsonl(tmp_path / "queries.jsonl", [query | {"evidence": [{"doc_id": "leave", "text": FACTS[0]}]}])
    ranked = ["room0", "leave", "copy", "pay", "room1", "room2", "room3", "room4", "room5"]
    run = [{"query_id": "q", "retrieved": [{"doc_id": d, "start": 0, "end": len(texts[d])} for d in ranked]}]
    jsonl(tmp_path / "run.jsonl", run)
    found = ragdiag.prompts("corpus.jsonl", "queries.jsonl", [*CONDITIONS], run="run.jsonl", k=3, cache=None)
    return {prompt.condition: prompt for prompt in found.prompts}


def test_the_evidence_stands_where_the_condition_says(asked: dict[str, Prompt]) -> None:
    evidence, pay, rooms = FACTS[0], FACTS[1], FILL
    # Room for three: two beside the evidence. What holds the reference answer without a label is no off-topic chunk.
    assert asked["first"].contexts == (evidence, rooms[0], pay)
    assert asked["middle"].contexts == (rooms[0], evidence, pay)
    assert asked["last"].contexts == (rooms[0], pay, evidence)
    assert asked["longer"].contexts == (rooms[0], pay, evidence, rooms[1], rooms[2], rooms[3])
    assert asked["trimmed"].contexts == (evidence,)
    assert all(asked[condition].sufficient for condition in (*PLACED, "trimmed"))


def test_the_off_topic_chunks_are_the_same_wherever_the_evidence_stands(asked: dict[str, Prompt]) -> None:
    assert len({frozenset(Counter(asked[c].contexts).items()) for c in ("first", "middle", "last")}) == 1


def said(right: np.ndarray, judged: bool = False) -> Said:
    column = right[:, None]
    return Said(np.full_like(column, NAN), column) if judged else Said(column, np.full_like(column, NAN))


def found(rng: np.random.Generator, chances: dict[str, float], n: int = 120, judged: bool = False) -> dict[str, bool]:
    right = {condition: (rng.random(n) < chance).astype(float) for condition, chance in chances.items()}
    said_of = {condition: said(of_it, judged) for condition, of_it in right.items()}
    return {f"{h.a} {h.b}": h.shown for h in harms(right, said_of, np.arange(n), 0)}


def test_a_planted_harm_is_shown_and_no_other() -> None:
    """Evidence in the middle is read half as often: position is shown both ways, and never that distractors harm."""
    rng = np.random.default_rng(7)
    chances = {"oracle": 0.9, "first": 0.9, "middle": 0.45, "last": 0.9, "longer": 0.45}
    draws = [found(rng, chances) for _ in range(40)]
    assert all(draw["middle first"] and draw["middle last"] for draw in draws)
    assert sum(draw["first oracle"] or draw["longer middle"] for draw in draws) <= 4


def test_where_nothing_harms_seldom_anything_is_shown() -> None:
    """The chance of any of the five being shown is 5 % at most, after Holm, and only better counts: of 200 samples 10."""
    rng = np.random.default_rng(11)
    alarms = [any(found(rng, dict.fromkeys(CONDITIONS, 0.6), 60).values()) for _ in range(200)]
    assert sum(alarms) <= 12


def test_only_contrasts_with_both_answers_are_made() -> None:
    ones = np.ones(30)
    assert not harms({"retrieved": ones, "oracle": ones}, {"retrieved": said(ones), "oracle": said(ones)}, np.arange(30), 0)
    never_both = {"first": np.where(np.arange(30) < 15, 1.0, NAN), "oracle": np.where(np.arange(30) < 15, NAN, 1.0)}
    assert not harms(never_both, {c: said(v) for c, v in never_both.items()}, np.arange(30), 0)
    assert len({(a, b) for _, a, b, _ in CONTRASTS}) == len(CONTRASTS)


def test_judged_answers_are_said_to_be_judged_until_labels_correct_them() -> None:
    """A judge that calls every answer under one condition wrong shows a harm that is not there; labels take it away."""
    n, truth = 200, np.ones(200)
    judged = {"first": np.zeros(n), "oracle": np.ones(n)}
    (harm,) = harms(judged, {c: said(v, judged=True) for c, v in judged.items()}, np.arange(n), 0)
    assert harm.shown and harm.errors == "open"
    labels = np.where(np.arange(n) < 50, truth, NAN)[:, None]
    (harm,) = harms(judged, {c: Said(labels, v[:, None]) for c, v in judged.items()}, np.arange(n), 0)
    assert harm.errors == "corrected" and not harm.shown and harm.effect.low <= 0 <= harm.effect.high + 1e-9


def test_the_report_names_what_harms() -> None:
    queries = [{"_id": f"q{i}", "text": f"query {i}", "answer": "a"} for i in range(40)]
    right = {"oracle": 38, "first": 20, "retrieved": 18, "middle": 19}
    rows = [
        {"query_id": f"q{i}", "condition": condition, "answer": "x", "correct": i < n}
        for condition, n in right.items()
        for i in range(40)
    ]
    tested = ragdiag.litmus(queries, rows)
    text = "\n".join(str(part) for part in litmus_text(tested).renderables)  # type: ignore[attr-defined]
    assert "harm is shown: distractor; p corrected for all that were tested (Holm)" in text
    by_kind = {(harm["a"], harm["b"]): harm for harm in litmus_dict(tested)["harms"]}
    assert by_kind["first", "oracle"]["better"] == 18 and by_kind["first", "oracle"]["effect"]["mean"] == pytest.approx(0.45)
    assert not by_kind["middle", "first"]["shown"]
