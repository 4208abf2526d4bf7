"""The commands that faults are put into: each with its inputs, what it must come to, and the person who answers it."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
MODEL = """import time
def answer(question, contexts):
    time.sleep(0.02)
    return f"It is {len(question)} of {len(contexts)}."
"""
SPACE = 'retriever = ["bm25", "lsa"]\nchunker = ["sentence", "fixed(size=90)"]\n'
BEST = 8
"""Answers that are labelled in a review."""


class Command(NamedTuple):
    """A command: its arguments, the reports whose bytes must not change, the files whose lines must not be lost.

    `person` answers it ("" nobody, else "terminal" or "page"); `typed` is what is typed when it has shown something, by what it
    has shown since the last answer.
    """

    name: str
    argv: tuple[str, ...]
    reports: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    person: str = ""
    typed: Callable[[str], str] = lambda _: "q"

    @property
    def outputs(self) -> tuple[str, ...]:
        """All files that it writes."""
        return self.reports + self.keeps


def _evidence(shown: str) -> str:
    return "1" if " 1  " in shown else "u"


def _right(shown: str) -> str:
    return "rw" if "answer 2" in shown else "r"


def _command(
    name: str, argv: str, reports: str = "", keeps: str = "", person: str = "", typed: Callable[[str], str] = _right
) -> Command:
    """A command by its words; `--bm25` stands for what makes an audit with that retriever alone, and a cache."""
    words = argv.replace("--bm25", "--retriever bm25 --swap none --cache ../cache").split()
    return Command(name, tuple(words), tuple(reports.split()), tuple(keeps.split()), person, typed)


AUDIT = "audit corpus queries.jsonl --json out/a.json --html out/a.html"
COMPARE = "compare corpus queries.jsonl --retriever bm25 --retriever lsa --no-causes --cache ../cache --json out/c.json"
LABEL = "label corpus questions.txt --retriever bm25 --cache ../cache --out out/labels.jsonl"

_ALL = (
    _command("audit", f"{AUDIT} --bm25", "out/a.json out/a.html"),
    _command("audit with vectors", f"{AUDIT} --retriever hybrid --swap none --cache ../cache", "out/a.json out/a.html"),
    _command("compare", COMPARE, "out/c.json"),
    _command("compare --jobs 2", f"{COMPARE} --jobs 2", "out/c.json"),
    _command(
        "tune",
        "tune corpus queries.jsonl --retriever bm25 --space space.toml --no-causes --cache ../cache --export toml "
        "--out out/best.toml --json out/t.json",
        "out/t.json out/best.toml",
    ),
    _command(
        "litmus --live",
        "litmus queries.jsonl --corpus corpus --bm25 --live model:answer --record out/record.jsonl --json out/l.json",
        "out/l.json",
        "out/record.jsonl",
    ),
    _command(
        "litmus --review",
        "litmus asked.jsonl --answers answers.jsonl --answer-labels out/marks.jsonl --draw random "
        f"--review {BEST} --json out/l.json",
        "out/l.json",
        "out/marks.jsonl",
        "terminal",
    ),
    _command("label", LABEL, "", "out/labels.jsonl", "terminal", _evidence),
    _command("label --page", f"{LABEL} --page", "", "out/labels.jsonl", "page"),
    _command(
        "label --review",
        "label corpus queries.jsonl --retriever bm25 --cache ../cache --review audited.json --out out/reviewed.jsonl",
        "",
        "out/reviewed.jsonl",
        "terminal",
        lambda _: "n",
    ),
    _command("check", "check corpus queries.jsonl --json out/k.json", "out/k.json"),
    _command(
        "prompts",
        "prompts corpus queries.jsonl --bm25 --condition oracle --condition retrieved --out out/p.jsonl",
        "out/p.jsonl",
    ),
    _command(
        "pool",
        "pool corpus queries.jsonl --out out/pool --tops bm25 --tops hybrid --chunker sentence(size=40) --depth 3 --sample 4 "
        "--cache ../cache",
        "out/pool/corpus.jsonl out/pool/pool.json out/pool/whole.jsonl out/pool/whole-2.jsonl",
    ),
    _command(
        "diff",
        "diff old.json audited.json --corpus corpus --queries queries.jsonl --cache ../cache --json out/d.json",
        "out/d.json",
    ),
)

COMMANDS = {command.name: command for command in _ALL}


class Place(NamedTuple):
    """Where one trial happens: inputs and outputs, a cache, a home and a folder for what is temporary, all its own."""

    folder: Path

    @property
    def work(self) -> Path:
        """The working folder of the command."""
        return self.folder / "work"

    @property
    def out(self) -> Path:
        """Where its outputs go."""
        return self.work / "out"

    @property
    def cache(self) -> Path:
        """Its cache."""
        return self.folder / "cache"

    @property
    def temporary(self) -> Path:
        """Its TMPDIR."""
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        """What the command's process is given."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "RAGDIAG_", "PYTEST_"))}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        return {**kept, "HOME": str(self.folder / "home"), "TMPDIR": str(self.temporary), "PYTHONPATH": path,
                "HF_HUB_OFFLINE": "1", "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1", "COLUMNS": "100", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip

    def inputs(self) -> dict[str, bytes]:
        """Every file that no command may change."""
        files = (p for p in self.work.rglob("*") if p.is_file() and self.out not in p.parents and "__pycache__" not in p.parts)
        return {str(path.relative_to(self.work)): path.read_bytes() for path in files}

    def output(self, name: str) -> bytes | None:
        """The bytes of an output, without what takes time; None where it is not there. Raises `ValueError` for half a report."""
        path = self.work / name
        return told(name, path.read_bytes()) if path.exists() else None


def told(name: str, raw: bytes) -> bytes:
    """A file without its timings."""
    if name.endswith(".json"):
        report = json.loads(raw)
        report.pop("timings", None)
        return json.dumps(report).encode()
    if name.endswith(".html"):
        if not raw.rstrip().endswith(b"</html>"):
            raise ValueError(f"{name} is no whole page")
        return re.sub(rb"\d[\d.,]* (?:m?s|seconds?)\b", b"", raw)
    if name.endswith("record.jsonl"):
        rows = sorted(json.dumps({k: v for k, v in json.loads(line).items() if k != "seconds"}) for line in raw.splitlines())
        return "\n".join(rows).encode()
    if name.endswith(".jsonl"):
        for line in raw.splitlines():
            json.loads(line)
    return raw


def made(folder: Path, template: Path) -> Place:
    """A new place with the inputs of `template`, without a cache."""
    place = Place(folder)
    for path in (place.work.parent, place.cache, place.temporary, folder / "home"):
        path.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template, place.work)
    return place


def inputs(folder: Path) -> Path:
    """The inputs of all commands, from the fixtures of this project."""
    project, tidewater = ROOT / "fixtures" / "rag_project", ROOT / "fixtures" / "tidewater"
    (folder / "out").mkdir(parents=True)
    shutil.copytree(project / "docs", folder / "corpus")
    shutil.copy(project / "queries.jsonl", folder / "queries.jsonl")
    rows = [json.loads(line) for line in (project / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    (folder / "questions.txt").write_text("".join(row["text"] + "\n" for row in rows), encoding="utf-8")
    shutil.copy(tidewater / "queries.jsonl", folder / "asked.jsonl")
    answers = (tidewater / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    unlabelled = [{k: v for k, v in json.loads(line).items() if k != "correct"} for line in answers]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in unlabelled), encoding="utf-8")
    (folder / "model.py").write_text(MODEL)
    (folder / "space.toml").write_text(SPACE)
    for name, chunker in (("audited", "fixed(size=25)"), ("old", "fixed(size=40)")):
        audit = ("audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--swap", "none", "--chunker", chunker, "-k", "2")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-m", "ragdiag", *audit, "--no-cache", "--quiet", "--json", f"{name}.json"]
        subprocess.run(argv, cwd=folder, env=environment, check=True)
    return folder


def asked_of_page(address: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of a labelling session answers."""
    data = json.dumps(request).encode()
    posted = urllib.request.Request(f"{address}act", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(posted, timeout=30) as answer:
        return dict(json.load(answer))
