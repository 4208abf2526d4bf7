"""``ragdiag demo``: it shows what the commands it names say, writes only where nothing is, and runs from the package alone."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main

ROOT = Path(__file__).parents[1]
PLANTED = {"stale", "misspelt", "pollution", "query_mismatch", "chunk_split", "word_gap"}


def ragdiag(*command: str) -> Result:
    return CliRunner().invoke(main, command, prog_name="ragdiag")


def timeless(text: str) -> str:
    """Without the last table of `compare`, which tells times."""
    return re.sub(r"(?s)\ncost of tokens.*?\nmore k:", "", text).strip()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAGDIAG_CACHE", str(tmp_path / "cache"))
    return tmp_path


def steps(output: str) -> list[tuple[list[str], str]]:
    """Each command that the demo shows, with what it shows below it."""
    parts = re.split(r"(?m)^\$ ragdiag (.+)\n", output)[1:]
    return [
        (shlex.split(line), screen.rpartition("\n# ")[0] or screen.rpartition("\nThe files")[0])
        for line, screen in zip(parts[::2], parts[1::2], strict=True)
    ]


def test_each_screen_is_what_the_command_above_it_says(here: Path) -> None:
    result = ragdiag("demo")
    assert result.exit_code == 0, result.output
    shown = steps(result.output)
    assert [command[0] for command, _ in shown] == ["audit", "explain", "compare", "litmus"]
    for command, screen in shown:
        typed = ragdiag(*command)
        assert typed.exit_code == 0
        assert timeless(screen) == timeless(typed.output)
    screens = {command[0]: screen for command, screen in shown}
    causes = set(re.findall(r"(?m)^(\w+)(?: \*)? +\d", screens["audit"]))
    assert causes >= PLANTED
    assert "a superseded version stands above the evidence" in screens["explain"]
    assert "label defects: 1 quer" in screens["audit"]
    assert "latest(bm25)" in screens["compare"].split("Best: ")[1].split("\n")[0]
    assert "\nRETRIEVAL: " in screens["litmus"]


def test_its_evidence_stands_in_its_documents(here: Path) -> None:
    ragdiag("demo")
    checked = ragdiag("check", "ragdiag-demo/corpus", "ragdiag-demo/queries.jsonl")
    assert "26 queries, 25 usable" in checked.output  # one label is wrong on purpose
    assert "1 label defects: text_differs 1" in checked.output


def test_it_overwrites_nothing(here: Path) -> None:
    assert ragdiag("demo", "--out", "there").exit_code == 0
    assert ragdiag("demo", "--out", "there").exit_code == 0  # its own files are no obstacle
    shutil.rmtree("there/corpus")
    Path("there/queries.jsonl").write_text("mine\n", encoding="utf-8")
    result = ragdiag("demo", "--out", "there")
    assert result.exit_code == 2
    assert "queries.jsonl is there and is no file of the demo's; name another folder with --out" in result.output
    assert Path("there/queries.jsonl").read_text(encoding="utf-8") == "mine\n"
    assert not Path("there/corpus").exists()  # nothing else is written either


def test_a_name_with_blanks_is_quoted(here: Path) -> None:
    output = ragdiag("demo", "--out", "my demo").output
    assert "$ ragdiag audit 'my demo/corpus' 'my demo/queries.jsonl' --retriever bm25" in output


def test_a_file_in_the_place_of_the_folder_is_one_clear_line(here: Path) -> None:
    Path("ragdiag-demo").write_text("mine\n", encoding="utf-8")
    result = ragdiag("demo")
    assert result.exit_code == 2 and result.output.startswith("error: ") and result.output.count("\n") == 1
    assert Path("ragdiag-demo").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.slow
def test_it_runs_from_the_wheel_alone(tmp_path: Path) -> None:
    source, wheels, installed, away = (tmp_path / name for name in ("source", "wheels", "installed", "away"))
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "ragdiag", source / "ragdiag", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    shutil.rmtree(source)
    away.mkdir()
    environment = os.environ | {"PYTHONPATH": str(installed), "RAGDIAG_CACHE": str(tmp_path / "cache")}
    run = [sys.executable, "-c", "import ragdiag, sys; print(ragdiag.__file__); from ragdiag.cli import main; main(['demo'])"]
    done = subprocess.run(run, cwd=away, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout.split("\n")[0]
    assert [command[0] for command, _ in steps(done.stdout)] == ["audit", "explain", "compare", "litmus"]
