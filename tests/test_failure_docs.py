"""The pages on failure modes show what their fixtures really give; `python tests/test_failure_docs.py` rewrites those blocks."""

import contextlib
import copy
import itertools
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.core.options import Options
from ragdiag.core.proofs import Edit
from ragdiag.diagnosis.modes import modes
from ragdiag.search import latency
from ragdiag.search.changes import Audited, typed
from ragdiag.search.retrievers.lsa import Lsa

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs" / "failures").glob("*.md")), ROOT / "docs" / "latency.md"]
BLOCK = re.compile(r"(<!-- (explain|slow|missed) -->\n```\w+\n)(.*?)(```\n)", re.DOTALL)


def made(kind: str, block: str) -> str:
    """What a block must say: its commands, and what they print."""
    if kind == "explain":
        return explained(re.findall(r"^\$ (.+)$", block, re.MULTILINE))
    return measured() if kind == "slow" else missed()


def explained(commands: list[str]) -> str:
    """`cd` and `ragdiag explain` as a shell would do them, without the chunks of the context."""
    with _chdir(ROOT):
        for command in commands[:-1]:
            os.chdir(shlex.split(command)[1])
        result = CliRunner().invoke(main, shlex.split(commands[-1])[1:], prog_name="ragdiag")
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.output.splitlines()]
    context = next((i for i, line in enumerate(lines) if line.startswith("Context:")), len(lines))
    shown = "\n".join(lines[:context]).rstrip()
    return "".join(f"$ {command}\n" for command in commands) + shown + ("\n...\n" if context < len(lines) else "\n")


def measured() -> str:
    """What is measured of an index whose first query takes 1.9 s and the others 0.61 s."""
    took = itertools.chain([1.9], itertools.repeat(0.61))
    now = itertools.accumulate(itertools.chain.from_iterable((0.0, next(took)) for _ in itertools.count()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency.time, "perf_counter", lambda: next(now))
        found = latency.latency_of(str.upper, [f"query {i}" for i in range(20)])
    return json.dumps({"timings": {"retrieval": found}}, indent=1) + "\n"


def missed() -> str:
    """What is explained of a query whose passage an approximate index misses: one of LSA vectors, and a made-up miss."""
    build = Lsa.index

    def missing(lsa: Lsa, texts: Sequence[str], *more: Any) -> Any:
        index = build(lsa, texts, *more)
        left_out = Edit(frozenset(i for i, text in enumerate(texts) if "Maintenance takes place on Sundays" in text))
        other: Any = copy.copy(index)
        other.exact = lambda: index
        other.search = lambda queries, depth: index.what_if(queries, [left_out] * len(queries), depth)
        other.what_if = lambda queries, edits, depth: index.what_if(queries, [edit.with_(left_out) for edit in edits], depth)
        return other

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lsa, "index", missing)
        shown = explained(["cd fixtures/tidewater", "ragdiag explain corpus queries.jsonl tw-21 --retriever lsa"])
    return "".join(line for line in shown.splitlines(keepends=True) if not line.startswith("$"))


@contextlib.contextmanager
def _chdir(path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


TRIES = re.compile(r"<!-- tries -->\n.*?\n<!-- end -->\n", re.DOTALL)


def tries(name: str) -> str:
    """What `ragdiag compare` tries against a failure mode, where the defaults were audited: what its fixes name, and the rest."""
    mode, audited = modes()[name], Audited(Options())
    said = list(dict.fromkeys(spec for fix in mode.fixes for spec in fix.specs(audited)))
    besides = [typed(audited.options, changed) for change in mode.remedies for changed in change(audited)]
    shown, more = ([f"`{spec}`" for spec in specs] for specs in (said, [spec for spec in besides if spec not in said]))
    named = f"Of the default pipeline `ragdiag compare` tries what the fixes name: {', '.join(shown)}."
    none = "No setting of ragdiag's is shown to mend it."
    beside = f"`ragdiag compare` tries {', '.join(more)} {'as well' if shown else 'all the same'}, of the default pipeline."
    nothing = "`ragdiag compare` tries nothing."
    return (
        f"<!-- tries -->\n{named if shown else none} {beside if more else '' if shown else nothing}".rstrip() + "\n<!-- end -->\n"
    )


def rewritten(page: Path) -> str:
    """A page with its blocks made anew."""
    text = BLOCK.sub(lambda m: m[1] + made(m[2], m[3]) + m[4], page.read_text(encoding="utf-8"))
    return TRIES.sub(lambda _: tries(page.stem), text)


@pytest.mark.parametrize("name", modes())
def test_pages_say_what_is_tried(name: str) -> None:
    text = (ROOT / "docs" / "failures" / f"{name}.md").read_text(encoding="utf-8")
    assert TRIES.findall(text) == [tries(name)], "run: python tests/test_failure_docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_examples_are_what_the_program_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGDIAG_CACHE", str(tmp_path))
    text = page.read_text(encoding="utf-8")
    assert page.stem == "index" or BLOCK.search(text), "no example"
    assert text == rewritten(page), "run: python tests/test_failure_docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_pages_are_named_in_the_index(page: Path) -> None:
    index = (ROOT / "docs" / "failures" / "index.md").read_text(encoding="utf-8")
    assert page.stem == "index" or re.search(rf"\((\.\./)?{page.name}\)", index)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RAGDIAG_CACHE"] = folder
        for each in PAGES:
            each.write_text(rewritten(each), encoding="utf-8")
