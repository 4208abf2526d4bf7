"""The package that docs/extending.md makes, installed as it stands there, adds its strategies without a change of ours."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "extending.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)

pytestmark = pytest.mark.slow

NOTICE = "Opening hours are shown below. Cookies help us. All rights reserved. Opening hours may change."
HOURS = "The reading room is open from nine until five.\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's package is installed."""
    source, target = tmp_path_factory.mktemp("ragdiag-lab"), tmp_path_factory.mktemp("site")
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        file = source / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*pip, str(source)], check=True, capture_output=True)
    return target


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A corpus with notices above the answer, a query, answers."""
    documents = [{"_id": f"n{i}", "text": f"{NOTICE} {i}"} for i in range(3)]
    documents += [
        {"_id": "room", "text": HOURS + "Bags are left at the desk.\n"},
        {"_id": "pets", "text": "Dogs wait outside.\n"},
    ]
    query = {"_id": "q", "text": "when are the opening hours", "answer": "nine until five"}
    query["evidence"] = [{"doc_id": "room", "text": HOURS.strip()}]  # type: ignore[assignment]
    answers = [
        {"query_id": "q", "condition": "retrieved", "answer": "It is open all day."},
        {"query_id": "q", "condition": "oracle", "answer": "Nine until five "},
    ]
    for name, rows in (("corpus", documents), ("queries", [query]), ("answers", answers)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def ragdiag(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(installed), str(ROOT)))}
    command = [sys.executable, "-m", "ragdiag", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_all_five_strategies_work_in_one_audit(installed: Path, data: Path) -> None:
    words = [
        "audit",
        "corpus.jsonl",
        "queries.jsonl",
        "--chunker",
        "lines(size=1)",
        "--retriever",
        "overlap(power=0.4)",
        "-k",
        "2",
    ]
    words += ["--answers", "answers.jsonl", "--judge", "exact", "--json", "report.json", "--output", "report.csv", "--no-cache"]
    done = ragdiag(installed, data, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads((data / "report.json").read_text(encoding="utf-8"))
    assert (report["pipeline"]["chunker"], report["pipeline"]["retriever"]) == ("lines(size=1)", "overlap(power=0.4)")
    (query,) = report["queries"]
    finding = next(f for f in query["findings"] if f["cause"] == "boilerplate")
    assert finding["proved"] and finding["says"] == "legal notices stand above the evidence"
    assert "boilerplate" in query["causes"] and "boilerplate" in done.stdout
    assert report["verdict"]["table"] and "exact" in done.stdout
    with (data / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["query"] for row in rows] == ["q"]


def test_its_proof_is_shown_with_its_control_and_rows(installed: Path, data: Path) -> None:
    done = ragdiag(
        installed, data, "explain", "corpus.jsonl", "queries.jsonl", "q", "--retriever", "overlap", "-k", "2", "--no-cache"
    )
    assert done.returncode == 0, done.stderr
    assert "boilerplate: legal notices stand above the evidence" in done.stdout
    assert re.search(r"notices +3 above the evidence, such as: Opening hours", done.stdout)
    assert "strip notices from pages before they are indexed" in done.stdout


def test_a_form_that_an_output_does_not_have_is_refused_before_any_work(installed: Path, data: Path) -> None:
    words = ["compare", "corpus.jsonl", "queries.jsonl", "--chunker", "lines", "--retriever", "bm25", "--output", "x.csv"]
    done = ragdiag(installed, data, *words)
    assert done.returncode == 2
    assert "there is no .csv form of a comparison; save it as .json" in done.stderr
    assert not (data / "x.csv").exists()
