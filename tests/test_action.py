"""action.yml does what it says, run as GitHub's runner runs it: inputs by the environment, each step a script of bash."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
CORPUS, QUERIES = ROOT / "fixtures" / "tidewater" / "corpus", ROOT / "fixtures" / "tidewater" / "queries.jsonl"
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("bash") is None, reason="GitHub's runners have bash")]


class Ran(NamedTuple):
    """What a run of the action came to: its exit status, its outputs, the job's summary, and what it printed."""

    status: int
    outputs: dict[str, str]
    summary: str
    log: str


class Runner:
    """GitHub's runner, as far as a composite action can tell; a value that is not known is an error, not an empty text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "temp").mkdir(exist_ok=True)
        self.values = {"github.action_path": str(ROOT)}

    def evaluated(self, text: str) -> str:
        return EXPRESSION.sub(lambda m: self.values[m[1]], text)

    def run(self, **inputs: str) -> Ran:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        declared = ACTION["inputs"]
        assert given.keys() <= declared.keys()
        for name, declaration in declared.items():
            assert name in given or not declaration.get("required"), f"{name} is required"
            self.values[f"inputs.{name}"] = given.get(name, declaration.get("default", ""))
        summary, log, status = self.folder / "summary.md", "", 0
        summary.write_text("")
        for step in STEPS:
            done = self._step(step, summary)
            log, status = log + done.stdout + done.stderr, done.returncode
            if status:
                break
        outputs = {name: EXPRESSION.sub(self._output, each["value"]) for name, each in ACTION["outputs"].items()}
        return Ran(status, outputs, summary.read_text(encoding="utf-8"), log)

    def _output(self, match: re.Match[str]) -> str:
        return self.values.get(match[1], "")  # of a step that did not come to it

    def _step(self, step: dict, summary: Path) -> subprocess.CompletedProcess[str]:
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(self.evaluated(step["run"]), encoding="utf-8")
        output.write_text("")
        own = {name: self.evaluated(value) for name, value in step["env"].items()}
        runners = {"GITHUB_STEP_SUMMARY": summary, "GITHUB_OUTPUT": output, "RUNNER_TEMP": self.folder / "temp"}
        python = {"PYTHONPATH": str(ROOT), "GITHUB_ACTIONS": "true", "RAGDIAG_CACHE": str(self.folder / "cache")}
        environment = {**os.environ, **python, **{name: str(path) for name, path in runners.items()}, **own}
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        for line in output.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{name}"] = value
        return done


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


USUAL = {"corpus": str(CORPUS), "queries": str(QUERIES), "install": "skip", "python": sys.executable}
BM25 = "--retriever=bm25\n--swap=none\n"


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Runner(tmp_path_factory.mktemp("base")).run(**USUAL, options=BM25)


def test_no_input_stands_in_a_script() -> None:
    for step in STEPS:
        assert step["shell"] == "bash" and "${{" not in step["run"]
        assert step["run"].startswith("set -euo pipefail\n")
    used = {name for step in STEPS for value in step["env"].values() for name in re.findall(r"inputs\.([\w-]+)", value)}
    assert used == set(ACTION["inputs"])


def test_without_a_baseline_it_audits(baseline: Ran) -> None:
    assert baseline.status == 0, baseline.log
    assert json.loads(Path(baseline.outputs["report"]).read_text(encoding="utf-8"))["measures"]["Sufficient@5"]["n"] == 57
    assert "34 of 57 queries get all their evidence" in baseline.summary
    assert (baseline.outputs["verdict"], baseline.outputs["markdown"]) == ("", "")


def test_no_worse(runner: Runner, baseline: Ran) -> None:
    ran = runner.run(**USUAL, options=BM25, baseline=baseline.outputs["report"])
    assert (ran.status, ran.outputs["verdict"]) == (0, "no-worse"), ran.log
    assert "## Retrieval is no worse: 0 queries lost, 0 won of 57" in ran.summary
    assert Path(ran.outputs["markdown"]).read_text(encoding="utf-8") in ran.summary


def test_worse(runner: Runner, baseline: Ran) -> None:
    options = BM25.replace("bm25", "bm25(stem=porter)") + "--chunker=fixed(size=60)\n"
    ran = runner.run(**USUAL, options=options, baseline=baseline.outputs["report"])
    assert (ran.status, ran.outputs["verdict"]) == (1, "worse"), ran.log
    assert "## Retrieval is worse: 16 queries lost, 4 won of 57" in ran.summary
    assert "put back alone, the chunker (14 of 16 lost queries) brings them back" in ran.summary
    ran = runner.run(**USUAL, options=options, baseline=baseline.outputs["report"], min_effect="0.5")
    assert (ran.status, ran.outputs["verdict"]) == (0, "no-worse"), ran.log


def test_cannot_be_compared(runner: Runner, baseline: Ran) -> None:
    ran = runner.run(**USUAL, options=BM25 + "-k\n3\n", baseline=baseline.outputs["report"])
    assert (ran.status, ran.outputs["verdict"], ran.outputs["markdown"]) == (2, "not-compared", ""), ran.log
    assert "## Retrieval cannot be compared" in ran.summary
    assert "\n    error: " in ran.summary and "Sufficient@5" in ran.summary and "audit both with the same -k" in ran.summary


def test_a_gate_fails_the_job_whatever_the_baseline_says(runner: Runner, baseline: Ran) -> None:
    for more in ({}, {"baseline": baseline.outputs["report"]}):
        ran = runner.run(**USUAL, options=BM25, fail_under="Sufficient@5=0.1\nSufficient@5=0.99\n", **more)
        assert ran.status == 1 and ran.outputs["verdict"] == ("no-worse" if more else "")
        assert "\n    failed: Sufficient@5 is 0.5965, under 0.99\n" in ran.summary and "34 of 57" in ran.summary


NASTY = """"; touch pwned; " $(touch pwned) `touch pwned` ' && touch pwned; '
touch pwned"""
"""A way out of every kind of quotes, and a line of its own."""


@pytest.mark.parametrize("name", ["corpus", "queries", "options", "fail_under", "baseline", "min_effect", "old_corpus"])
def test_what_is_given_is_never_run(name: str, runner: Runner, baseline: Ran) -> None:
    given = {**USUAL, "options": BM25, "baseline": baseline.outputs["report"], name: NASTY}
    ran = runner.run(**given)
    assert not list(runner.folder.rglob("pwned"))
    assert ran.status == 2, ran.log


def test_it_installs_itself(runner: Runner) -> None:
    """With a Python that writes down what it is asked, since a real one would need a network."""
    python, asked = runner.folder / "python", runner.folder / "asked"
    made = 'if [ "$3" = venv ]; then mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; fi'
    python.write_text(f'#!/bin/bash\nprintf "%s\\n" "${{*:3}}" >> "{asked}"\n{made}\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    venv = runner.folder / "temp" / "ragdiag-venv"
    install = STEPS[0]
    for extras, what in (("offline,docs", f"{ROOT}[offline,docs]"), ("none", str(ROOT))):
        runner.values |= {"inputs.install": extras, "inputs.python": str(python)}
        done = runner._step(install, runner.folder / "summary.md")
        assert done.returncode == 0, done.stderr
        assert asked.read_text().splitlines()[-1] == f"pip install --quiet --disable-pip-version-check -- {what}"
        assert runner.values["steps.install.outputs.python"] == str(venv / "bin" / "python")
    assert asked.read_text().splitlines()[0] == f"venv {venv}" and asked.read_text().count("venv ") == 1


def test_no_module_of_the_pull_request_is_run(runner: Runner, baseline: Ran) -> None:
    """All three steps, each with a real Python: what makes the environment, installs, audits and compares."""
    stolen = ("ragdiag", "pip", "venv", "runpy", "click", "json", "sitecustomize", "usercustomize", "encodings", "importlib")
    for name in stolen:
        (runner.folder / f"{name}.py").write_text("open('pwned', 'w').close()\nraise SystemExit(0)\n")
    ran = runner.run(**USUAL, options=BM25, baseline=baseline.outputs["report"])
    assert (ran.status, ran.outputs["verdict"]) == (0, "no-worse"), ran.log
    asked = runner.values | {"inputs.install": "none", "github.action_path": str(runner.folder / "no project is here")}
    runner.values.update(asked)
    made = runner._step(STEPS[0], runner.folder / "summary.md")
    assert made.returncode == 1 and "no project is here" in made.stderr  # the real pip was asked, and says what is wrong
    assert (runner.folder / "temp" / "ragdiag-venv" / "pyvenv.cfg").exists()
    assert not list(runner.folder.rglob("pwned"))


def test_every_python_is_started_without_the_working_folder() -> None:
    (safely,) = {step["env"]["MODULE"] for step in STEPS}
    started = [start for step in STEPS for start in re.findall(r'"\$PYTHON" +(-.*)', step["run"])]
    assert len(started) == 4 and all(start.startswith('-c "$MODULE" ') for start in started)
    assert safely.startswith("import sys; sys.path[:] = filter(None, sys.path); ")  # before anything else is imported


def test_the_workflow_of_the_page_gives_inputs_and_uses_outputs_that_there_are() -> None:
    page = (ROOT / "docs" / "howto" / "pull_request.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- workflow -->\n```yaml\n(.+?)```", page, re.DOTALL)
    assert block
    steps = yaml.safe_load(block[1])["jobs"]["retrieval"]["steps"]
    ours = [step for step in steps if step.get("uses") == "./.ragdiag"]
    required = {name for name, declaration in ACTION["inputs"].items() if declaration.get("required")}
    assert ours and all(required <= step["with"].keys() <= ACTION["inputs"].keys() for step in ours)
    assert {step["id"] for step in ours} >= set(re.findall(r"steps\.(\w+)\.outputs", block[1]))
    assert set(re.findall(r"steps\.\w+\.outputs\.(\w+)", block[1])) <= ACTION["outputs"].keys()
    assert not any("${{" in step.get("run", "") for step in steps)
