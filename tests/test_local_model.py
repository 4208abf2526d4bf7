"""A real model on this machine: asked through an endpoint, judged, ruled on. It runs where the model is installed."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ragdiag.cli import main

sys.path.insert(0, str(Path(__file__).parent / "bench"))
import smollm

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"


@pytest.mark.model
@pytest.mark.skipif(bool(smollm.missing()), reason="the how-to 'litmus with a local model' says what to install")
def test_a_local_model_is_put_to_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    few = tmp_path / "queries.jsonl"
    few.write_text(
        "".join((TIDEWATER / "queries.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8"
    )
    record, report = tmp_path / "answers.jsonl", tmp_path / "litmus.json"
    with smollm.served(smollm.written(tmp_path / "smollm2")) as url:
        asking = ["--live", url, "--model", "smollm2", "--record", str(record), "--max-tokens", "24", "--timeout", "600", "--yes"]
        more = ["--condition", "oracle", "--condition", "first", "--retriever", "bm25", "--no-cache", "--json", str(report)]
        done = CliRunner().invoke(main, ["litmus", str(few), "--corpus", str(TIDEWATER / "corpus"), *asking, *more])
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert len(answers) == 8 and all(line["answer"].strip() for line in answers)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert set(found["answers"]) == {"oracle", "first"} and [harm["kind"] for harm in found["harms"]] == ["distractor"]
