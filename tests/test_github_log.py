"""What is printed in a job of GitHub's holds no command of its log, wherever a name or a text of the corpus stands in it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main
from ragdiag.text.phrases import no_commands

COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""How the runner finds one: at a line's start, after blanks; the older kind anywhere in it."""


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which names, ids and texts are commands."""
    monkeypatch.chdir(tmp_path)
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "##[add-mask]a.md").write_text("::warning::the ferry leaves at nine ##[error]mine\n")
    (docs / "##[error]b.pdf").write_text("no PDF")
    query = {"_id": "##[error]q", "text": "when does the ferry leave? ##[error]mine"}
    evidence = [{"doc_id": "##[add-mask]a.md", "text": "the ferry leaves at nine"}, {"doc_id": "##[error]no.md", "text": "x"}]
    (tmp_path / "q##[error].jsonl").write_text(json.dumps(query | {"evidence": evidence}) + "\n")
    (tmp_path / "broken##[error].jsonl").write_text("##[error]\n")
    return tmp_path


def ran(*command: str) -> Result:
    return CliRunner().invoke(main, command, prog_name="ragdiag")


@pytest.mark.parametrize(
    "command",
    [
        ["audit", "docs", "q##[error].jsonl", "--retriever", "bm25", "--swap", "none", "--no-cache"],
        ["audit", "docs", "broken##[error].jsonl"],
        ["audit", "docs", "##[error]nothing.jsonl"],
        ["audit", "docs", "q##[error].jsonl", "--retriever", "##[error]"],
        ["##[error]"],
        ["audit", "docs", "q##[error].jsonl", "--##[error]"],
        ["check", "docs", "q##[error].jsonl"],
        ["prompts", "docs", "q##[error].jsonl", "--retriever", "bm25", "--no-cache"],
        ["audit", "docs", "q##[error].jsonl", "--retriever", "bm25", "--swap", "none", "--no-cache", "--json", "-"],
    ],
    ids=lambda command: " ".join(command[:1] + command[-2:]),
)
def test_nothing_printed_is_a_command(named: Path, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    plain = ran(*command)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    guarded = ran(*command)
    assert COMMAND.search(plain.output)  # so there was one to take apart
    assert not COMMAND.search(guarded.stdout) and not COMMAND.search(guarded.stderr)
    assert "bug" not in guarded.stderr and guarded.exit_code == plain.exit_code


def test_json_on_standard_output_says_the_same(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["check", "docs", "q##[error].jsonl", "--json", "-"]
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    plain = ran(*command).stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    guarded = ran(*command).stdout
    assert guarded != plain and json.loads(guarded) == json.loads(plain)


@pytest.mark.parametrize("text", ["::error::x", " \t::error::x", "a ##[error]x", "###[error]x", "##[##[error]x"])
def test_a_command_is_taken_apart(text: str) -> None:
    assert COMMAND.search(text) and not COMMAND.search(no_commands(text))
