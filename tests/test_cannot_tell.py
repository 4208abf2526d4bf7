"""What the proof of each failure mode leaves open is said: by the mode, on its page, in the finding, on the screen."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.diagnosis import diagnosis, modes
from ragdiag.diagnosis.failures.stale import Stale

ROOT = Path(__file__).parents[1]
STALE = ROOT / "fixtures" / "failures" / "stale"
KNOWN = modes.modes()


def explained(*more: str) -> str:
    paths = (str(STALE / "corpus"), str(STALE / "queries.jsonl"))
    options = ("--retriever", "bm25", "--chunker", "paragraph(size=60)", "-k", "3", "--swap", "none", "--no-cache")
    result = CliRunner().invoke(main, ["explain", *paths, "meals-abroad", *options, *more], prog_name="ragdiag")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("mode", KNOWN)
def test_each_mode_says_it_and_so_does_its_page(mode: str) -> None:
    said = KNOWN[mode].cannot_tell
    assert 20 < len(said) < 120 and not said.endswith(".") and said[0].islower()
    assert sum(other.cannot_tell == said for other in KNOWN.values()) == 1, "it is of this mode"
    page = (ROOT / "docs" / "failures" / f"{mode}.md").read_text(encoding="utf-8")
    assert said in re.sub(r"\s+", " ", page)


def test_it_stands_below_the_fix() -> None:
    lines = [line.strip() for line in explained().splitlines()]
    fix = next(i for i, line in enumerate(lines) if line.startswith("fix "))
    assert lines[fix + 1] == f"cannot tell: {KNOWN['stale'].cannot_tell}"
    findings: list[dict[str, Any]] = json.loads(explained("--json", "-"))["query"]["findings"]
    assert {f["cause"]: f["cannot_tell"] for f in findings}["stale"] == KNOWN["stale"].cannot_tell


class Theirs:
    """A mode of another package, which declares what it must and no more: it is no `FailureMode`."""

    says = "theirs"
    levels = ("span",)
    observe = Stale.observe
    prove = Stale.prove
    similarity = 0.5


def test_a_mode_that_says_nothing_of_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"theirs": modes._declared("theirs", Stale())._replace(name="theirs", cannot_tell="")}
    monkeypatch.setattr(diagnosis, "modes", lambda: known)
    shown = explained()
    assert "not served, because of theirs" in shown and "cannot tell" not in shown
    assert modes._declared("theirs", Theirs()).cannot_tell == ""
