"""The command line: the JSON contract, exit statuses, defaults from a configuration file, and what is imported when."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from ragdiag import __version__
from ragdiag.cli import main
from ragdiag.reports.json import dumps

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (str(FIXTURES / "tiny"), str(FIXTURES / "tiny" / "queries.jsonl"))
BROKEN = (str(FIXTURES / "broken_labels" / "corpus"), str(FIXTURES / "broken_labels" / "queries.jsonl"))
BM25 = ("--retriever", "bm25", "--no-cache")
HEAVY = {"numpy", "scipy", "sklearn", "rich", "rapidfuzz", "rank_bm25", "jinja2", "torch", "sentence_transformers"}


def ragdiag(*command: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(part) for part in command], prog_name="ragdiag", input=stdin)


def report(*command: object, status: int = 0, stdin: str | None = None) -> dict[str, Any]:
    """What a command says with ``--json -``."""
    result = ragdiag(*command, "--json", "-", stdin=stdin)
    assert result.exit_code == status, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The JSON contract

NUMBER = (int, float)
INTERVAL = {"mean": NUMBER, "low": NUMBER, "high": NUMBER, "n": int}
QUERY = {"id": str, "status": str, "causes": list, "exposures": list, "measures": dict, "findings": list}
AUDIT = {
    "ragdiag": str,
    "signature": str,
    "seed": int,
    "inputs": {"documents": int, "queries": int, "characters": int, "corpus_sha256": str, "queries_sha256": str},
    "pipeline": {"chunker": str, "context": str, "retriever": str, "k": int, "budget": type(None), "chunks": int},
    "measures": {"Sufficient@5": INTERVAL, "RR": INTERVAL},
    "label_defects": [{"kind": str, "query": str, "file": str, "line": int, "message": str}],
    "causes": dict,
    "queries": [QUERY],
    "verdict": {"kind": str, "secondary": type(None), "share": dict, "needed": type(None), "effects": dict, "table": dict},
    "timings": dict,
}


def conforms(value: Any, shape: Any, where: str = "report") -> None:
    """`value` has the keys and types of `shape`; a list's single item is the shape of each of its own."""
    if isinstance(shape, dict):
        for key, inner in shape.items():
            assert key in value, f"{where} has no {key}"
            conforms(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for i, each in enumerate(value):
            conforms(each, shape[0], f"{where}[{i}]")
    else:
        assert isinstance(value, shape), f"{where} is {value!r}"
        assert isinstance(value, bool) == (shape is bool), where


def test_the_report_of_audit_keeps_its_contract() -> None:
    audited = report("audit", *BROKEN, *BM25)
    conforms(audited, AUDIT)
    assert audited["ragdiag"] == __version__
    assert audited["verdict"]["kind"] == "NOT_MEASURED"
    assert {m for m in audited["measures"] if "@" not in m} == {"RR", "AP"}
    assert {q["status"] for q in audited["queries"]} == {"ok", "excluded"}
    assert [q["id"] for q in audited["queries"]][:2] == ["good-offsets", "good-text"]
    assert sum(q["status"] == "excluded" for q in audited["queries"]) == len(audited["label_defects"]) == 9
    assert all(set(q["measures"]) == set(audited["measures"]) for q in audited["queries"])
    assert all(v is None for q in audited["queries"] if q["status"] == "excluded" for v in q["measures"].values())
    for mean in audited["measures"].values():
        assert 0 <= mean["low"] <= mean["mean"] <= mean["high"] <= 1
        assert mean["n"] == 3


def test_a_budget_stands_in_place_of_k() -> None:
    audited = report("audit", *TINY, *BM25, "--budget", 60)
    assert (audited["pipeline"]["k"], audited["pipeline"]["budget"]) == (None, 60)
    assert "Sufficient@60tok" in audited["measures"]
    assert "budget:60tok" in audited["signature"]


def test_the_reports_of_check_and_explain() -> None:
    checked = report("check", *BROKEN, status=1)
    conforms(checked, {"ragdiag": str, "inputs": {"documents": int, "queries": int}, "label_defects": AUDIT["label_defects"]})
    assert [d["line"] for d in checked["label_defects"]] == list(range(4, 13))
    explained = report("explain", *TINY, "t5", *BM25)
    conforms(
        explained,
        {"signature": str, "query": QUERY, "label_defects": list, "evidence": [{"text": str}], "ranking": [{"id": str}]},
    )
    assert [e["text"] for e in explained["evidence"]] == ["The nut takes 25 Nm", "Fibre gaskets are used once."]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (0.7234567890123456, "0.723456789012"),
        (0.7234567890123457 + 1e-14, "0.723456789012"),
        (1234567.890123456789, "1234567.89012"),
        (-1e-300 / 3, "-3.33333333333e-301"),
        (np.float64(2) / 3, "0.666666666667"),
        (1.0, "1.0"),
        (3, "3"),
        (2**60 + 1, "1152921504606846977"),
        (True, "true"),
        (None, "null"),
        ("0.30000000000000004", '"0.30000000000000004"'),
    ],
)
def test_json_shows_as_many_digits_as_are_the_same_everywhere(value: Any, text: str) -> None:
    shown = dumps({"a": [{"b": (value, value)}]})
    assert re.findall(r"-?[^\s,\[\]{}:]+", shown) == ['"a"', '"b"', text, text]


def test_two_runs_give_the_same_bytes_but_for_the_timings(here: Path) -> None:
    for name in ("one.json", "two.json"):
        assert ragdiag("audit", *BROKEN, *BM25, "--json", name, "--quiet").output == ""
    one, two = ((here / name).read_bytes().partition(b'"timings"')[0] for name in ("one.json", "two.json"))
    assert one == two
    assert len(one) > 5000


@pytest.mark.slow
def test_a_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    reports = set()
    for seed in ("1", "2"):
        done = process("audit", *BROKEN, *BM25, "--json", "-", env={"PYTHONHASHSEED": seed})
        assert done.returncode == 0
        reports.add(done.stdout.partition('"timings"')[0])
    assert len(reports) == 1


def test_the_seed_is_in_the_report() -> None:
    audited = report("audit", *TINY, *BM25, "--seed", 7)
    assert audited["seed"] == 7
    assert "seed:7" in audited["signature"]


# Where results go


def test_json_to_a_file_beside_the_text(here: Path) -> None:
    result = ragdiag("audit", *TINY, *BM25, "--json", "out.json")
    assert result.exit_code == 0
    assert "8 of 8 queries" in result.stdout
    assert json.loads((here / "out.json").read_text(encoding="utf-8"))["ragdiag"] == __version__


def test_json_to_standard_output_in_place_of_the_text() -> None:
    result = ragdiag("audit", *TINY, *BM25, "--json", "-")
    assert json.loads(result.stdout)
    assert result.stderr == ""
    assert json.loads(ragdiag("audit", *TINY, *BM25, "--json", "-", "--quiet").stdout)


def test_json_to_a_device_leaves_the_device() -> None:
    assert ragdiag("check", *TINY, "--json", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_quiet_shows_nothing_but_what_failed() -> None:
    assert ragdiag("audit", *TINY, *BM25, "--quiet").output == ""
    assert ragdiag("check", *BROKEN, "--quiet").output == ""
    failed = ragdiag("audit", *TINY, *BM25, "--quiet", "--fail-under", "P@5=1")
    assert (failed.stdout, failed.stderr) == ("", "failed: P@5 is 0.2500, under 1\n")


def test_queries_from_standard_input() -> None:
    text = Path(TINY[1]).read_text(encoding="utf-8")
    piped, read = report("audit", TINY[0], "-", *BM25, stdin=text), report("audit", *TINY, *BM25)
    del piped["timings"], read["timings"]
    assert piped == read


def test_standard_input_has_a_name_of_its_own() -> None:
    text = Path(BROKEN[1]).read_text(encoding="utf-8")
    for command in ("audit", "check"):
        told = report(command, BROKEN[0], "-", *(BM25 if command == "audit" else ()), stdin=text, status=int(command == "check"))
        assert {d["file"] for d in told["label_defects"]} == {"standard input"}
    assert report("explain", BROKEN[0], "-", "bad-stale", *BM25, stdin=text)["label_defects"][0]["file"] == "standard input"
    broken = ragdiag("check", BROKEN[0], "-", stdin=text + "{\n")
    assert broken.exit_code == 2
    assert broken.stderr.startswith("error: standard input:13: broken JSON")
    assert ragdiag("check", BROKEN[0], "-", stdin="").stderr.startswith("error: standard input: holds no queries")


@pytest.mark.slow
@pytest.mark.parametrize("extra", [(), ("--json", "-")])
def test_a_reader_that_leaves_early_is_no_error(extra: Iterable[str]) -> None:
    command = [sys.executable, "-m", "ragdiag", "check", *BROKEN, *extra]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 1


@pytest.mark.slow
def test_what_a_terminal_cannot_show_is_escaped() -> None:
    done = process("explain", *TINY, "t8", *BM25, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "Caf\\xe9 owners" in done.stdout


def test_an_error_does_not_steer_the_terminal(here: Path) -> None:
    result = ragdiag("audit", "no\x1b]0;title\x07\u202efile", TINY[1])
    assert result.stderr.startswith("error: no\\x1b]0;title\\x07\\x202efile: there is no such file or folder")


# Exit statuses


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        (("Sufficient@5=1",), 0),
        (("Sufficient@5.low=0.9",), 1),
        (("Sufficient@5=1", "RR=0.5", "R@3=0.1"), 0),
        (("Sufficient@5=1", "P@5=0.9"), 1),
        (("Sufficient@60tok=0", "nDCG@3=0"), 0),
    ],
)
def test_gates(gates: tuple[str, ...], status: int) -> None:
    options = [part for gate in gates for part in ("--fail-under", gate)]
    result = ragdiag("audit", *TINY, *BM25, *options)
    assert result.exit_code == status
    assert result.stderr.startswith("failed: ") == bool(status)
    assert "8 of 8 queries" in result.stdout


def test_a_gated_measure_is_in_the_report() -> None:
    assert "R@3" in report("audit", *TINY, *BM25, "--fail-under", "R@3=0")["measures"]


def test_a_measure_that_nothing_decides_fails_its_gate(here: Path) -> None:
    (here / "q.jsonl").write_text('{"_id": "q", "text": "ferry", "relevant": [{"doc_id": "ferry-2024", "grade": 1}]}\n')
    result = ragdiag("audit", TINY[0], "q.jsonl", *BM25, "--fail-under", "Sufficient@5=0")
    assert result.exit_code == 1
    assert result.stderr == "failed: Sufficient@5 is not decidable for any query\n"


def test_check_fails_where_there_are_defects_or_unreadable_documents(here: Path) -> None:
    assert ragdiag("check", *TINY).exit_code == 0
    assert ragdiag("check", *BROKEN).exit_code == 1
    (here / "c").mkdir()
    (here / "c" / "a.txt").write_text("The ferry leaves at nine.")
    (here / "c" / "b.txt").write_bytes(b"\xff")
    (here / "q.jsonl").write_text('{"_id": "q", "text": "ferry", "evidence": [{"doc_id": "a.txt", "text": "at nine"}]}\n')
    assert ragdiag("check", "c", "q.jsonl").exit_code == 1
    assert ragdiag("audit", "c", "q.jsonl", *BM25).exit_code == 0


# Options


def test_only_keeps_a_part_and_counts_the_rest() -> None:
    part = report("audit", *TINY, *BM25, "--only", "meter-care", "--only", "lighthouse")
    assert part["inputs"]["documents"] == 2
    assert [q["id"] for q in part["queries"]] == ["t3", "t4", "t7"]
    assert "--only left out 4 documents and 5 queries" in part["notes"]


def test_a_query_whose_evidence_is_left_only_as_a_copy_can_be_explained() -> None:
    (evidence,) = report("explain", *TINY, "t4", *BM25, "--only", "plumber-notes")["evidence"]
    assert (evidence["document"], evidence["copies"]) == ("plumber-notes", 0)


def test_copies_are_counted_or_ignored() -> None:
    assert report("audit", *TINY, *BM25)["inputs"]["copies"] == 1
    assert report("audit", *TINY, *BM25, "--copies", "ignore")["inputs"]["copies"] == 0


def test_the_cache_goes_where_it_is_told(here: Path) -> None:
    assert ragdiag("audit", *TINY, "--retriever", "bm25", "--cache", "mine").exit_code == 0
    assert (here / "mine").is_dir()


# Defaults from a configuration file


def configured(here: Path, text: str, *extra: object, file: str = "ragdiag.toml") -> dict[str, Any]:
    (here / file).write_text(text, encoding="utf-8")
    return report("audit", *TINY, *extra)


def test_a_configuration_file_sets_defaults(here: Path) -> None:
    text = 'retriever = "bm25(k1=1.2)"\nk = 2\nno-cache = true\nchunker = "fixed(size=20)"\nseed = 3\nonly = ["meter-care"]\n'
    audited = configured(here, text)
    assert audited["pipeline"]["retriever"] == "bm25(k1=1.2)"
    assert audited["pipeline"]["k"] == 2
    assert audited["seed"] == 3
    assert audited["inputs"]["documents"] == 1
    assert audited["pipeline"]["chunker"].startswith("fixed(size=20")


def test_the_command_line_overrides_it(here: Path) -> None:
    text = 'retriever = "lsa"\nk = 2\nno_cache = true\nseed = 3\nonly = "lighthouse"\n'
    audited = configured(here, text, "--retriever", "bm25", "-k", 4, "--seed", 0, "--only", "meter-care")
    assert (audited["pipeline"]["retriever"], audited["pipeline"]["k"], audited["seed"]) == ("bm25", 4, 0)
    assert [q["id"] for q in audited["queries"]] == ["t4", "t7"]


def test_an_option_on_the_command_line_overrides_one_that_it_excludes(here: Path) -> None:
    base = 'retriever = "bm25"\nno-cache = true\n'
    assert configured(here, base + "k = 2\n", "--budget", 60)["pipeline"]["budget"] == 60
    assert configured(here, base + "budget = 60\n", "-k", 2)["pipeline"]["k"] == 2
    assert (
        configured(here, base + 'cache = "unused"\n'.replace("cache", "copies").replace("unused", "ignore"))["inputs"]["copies"]
        == 0
    )
    configured(here, base, "--cache", "mine")
    assert (here / "mine").is_dir()
    (here / "run.trec").write_text("t1 Q0 ferry-2024 1 1 me\n")
    assert configured(here, base, "--run", "run.trec")["pipeline"]["retriever"] == "run run.trec"
    run = 'no-cache = true\nrun = "run.trec"\n'
    assert configured(here, run)["pipeline"]["retriever"] == "run run.trec"
    assert configured(here, run, "--retriever", "bm25")["pipeline"]["retriever"] == "bm25"
    (here / "chunks.jsonl").write_text('{"doc_id": "ferry-2024", "start": 0, "end": 90}\n')
    own = base + 'chunks = "chunks.jsonl"\n'
    assert configured(here, own)["pipeline"]["chunks"] == 1
    assert configured(here, own, "--chunker", "fixed")["pipeline"]["chunks"] > 1


def test_pyproject_may_hold_the_defaults(here: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.ragdiag]\nretriever = "bm25"\nk = 3\nno-cache = true\nfail-under = ["P@5=1"]\n'
    (here / "pyproject.toml").write_text(text)
    result = ragdiag("audit", *TINY)
    assert result.exit_code == 1
    assert "failed: P@5 is" in result.stderr
    assert "k 3," in result.stdout
    assert configured(here, 'retriever = "bm25"\nno-cache = true\n')["pipeline"]["k"] == 5, "ragdiag.toml goes first"


@pytest.mark.parametrize("text", ["", "# [tool.ragdiag] would go here\n", "[tool.other]\nx = '[tool.ragdiag]'\n", "[broken"])
def test_a_pyproject_without_our_section_is_none_of_our_business(here: Path, text: str) -> None:
    (here / "pyproject.toml").write_text(text)
    assert ragdiag("audit", *TINY, *BM25).exit_code == 0


def test_defaults_of_other_commands_do_no_harm(here: Path) -> None:
    (here / "ragdiag.toml").write_text('retriever = "bm25"\nfail-under = "RR=1"\n')
    assert ragdiag("check", *TINY).exit_code == 0


# Help, and what is imported when


@pytest.mark.parametrize("name", [None, *main.commands])
def test_help(name: str | None) -> None:
    result = ragdiag(*([name] if name else []), "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: ragdiag {name or '[OPTIONS] COMMAND'}")
    command = main.commands[name] if name else main
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} has no help"
            assert parameter.opts[-1] in result.stdout


def test_no_command_shows_the_help_and_the_version_is_printed() -> None:
    assert "Usage: ragdiag" in ragdiag().output
    assert ragdiag("--version").stdout == f"ragdiag {__version__}\n"


def process(*command: str, code: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-X", "importtime"] if code else [sys.executable, "-m", "ragdiag"]
    arguments = ["-c", code] if code else command
    return subprocess.run([*call, *arguments], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=60)


def imported(code: str) -> set[str]:
    """The packages that running `code` imports."""
    return {line.rpartition("|")[2].strip().split(".")[0] for line in process(code=code).stderr.splitlines() if "|" in line}


def test_importing_ragdiag_imports_no_numpy() -> None:
    found = imported("import ragdiag")
    assert "ragdiag" in found
    assert not found & (HEAVY | {"click"})


@pytest.mark.parametrize("arguments", ["--help", "--version", "audit --help", "check --help"])
def test_help_imports_only_click(arguments: str) -> None:
    found = imported(f"import sys; sys.argv = ['ragdiag', *{arguments.split()!r}]; from ragdiag.cli import main; main()")
    assert {"click", "ragdiag"} <= found
    assert not found & HEAVY


def test_a_corpus_gives_github_no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Fares rise in May.\n::error::mine\n  ::set-output name=x::y\n##[error]mine"
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "d", "text": text}) + "\n", encoding="utf-8")
    query = {"_id": "q", "text": "fares", "evidence": [{"doc_id": "d", "text": text}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(query) + "\n", encoding="utf-8")
    arguments = [
        "explain",
        str(tmp_path / "corpus.jsonl"),
        str(tmp_path / "queries.jsonl"),
        "q",
        "--retriever",
        "bm25",
        "--no-cache",
    ]
    plain = CliRunner().invoke(main, arguments, prog_name="ragdiag").output
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    guarded = CliRunner().invoke(main, arguments, prog_name="ragdiag").output
    commands = [row for row in plain.split("\n") if row.lstrip().startswith("::") or "##[" in row]
    assert commands and guarded != plain
    assert not [row for row in guarded.split("\n") if row.lstrip().startswith("::") or "##[" in row]
