"""The docs say what is so: the command reference is the program's own help, links lead somewhere, every strategy is named."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.core import registry

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def reference() -> str:
    """docs/cli.md as the program's help makes it."""
    parts = ["# Command line\n\nMade from `--help` by `python tests/test_docs.py`; a test compares them.\n"]
    for name in ("", *sorted(main.commands)):
        text = CliRunner().invoke(main, [*([name] if name else []), "--help"], prog_name="ragdiag", terminal_width=100).output
        parts.append(f"## ragdiag{' ' + name if name else ''}\n\n```\n{text.strip()}\n```\n")
    return "\n".join(parts)


def test_command_reference_is_the_programs_help() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference(), "run: python tests/test_docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_and_option_is_documented() -> None:
    for name, command in main.commands.items():
        assert command.help, f"{name} has no help"
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name} has no help"


@pytest.mark.parametrize("family", ["chunkers", "contexts", "retrievers"])
def test_every_strategy_is_named(family: str) -> None:
    text = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    for name in registry.names(family):
        assert re.search(rf"`{name}\b", text), f"docs/strategies.md does not name {name}"


def test_ci_runs_the_readmes_test_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"<!-- test -->\n```console\n(.+?)\n```", text)
    assert command and "pytest" in command[1] and "<!-- test -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_nothing_refers_to_what_a_reader_does_not_have() -> None:
    """Documents that are not in the repository: by a name, or by a number in brackets."""
    code = [path for folder in ("ragdiag", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    for path in [*PAGES, *code, *sorted((ROOT / "docs").rglob("*.ipynb"))]:
        text = path.read_text(encoding="utf-8")
        found = re.search(r"\bMETHOD('s|\.md|,? section)|\b(DESIGN|STYLE)\.md|[\[(]00[0-4](, 00[0-4])*[\])]", text)
        assert not found, f"{path} refers to {found[0]}"


if __name__ == "__main__":
    (ROOT / "docs" / "cli.md").write_text(reference(), encoding="utf-8")
