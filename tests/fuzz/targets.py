"""Every parser that reads bytes of a user or a stranger, each with inputs to begin with."""

import contextlib
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
PARTS = ("documents", "questions", "recorded", "texts", "settings", "pages", "whole")
"""The modules ``targets_...`` that have them."""


class Target(NamedTuple):
    """A parser: `run` gives it an input, in a folder of its own, and raises `AssertionError` for what may not come of it.

    `weight` is how many times as many inputs as usual it gets; `words` are of its formats.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    run: Callable[[bytes, Path], object]
    words: Sequence[bytes] = ()
    weight: float = 1.0
    most: int = 100_000  # bytes of an input


@functools.cache
def targets() -> dict[str, Target]:
    """All, by name."""
    found = [target for part in PARTS for target in importlib.import_module(f"targets_{part}").TARGETS]
    by_name = {target.name: target for target in found}
    assert len(by_name) == len(found)
    return by_name


def from_file(name: str, parse: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """Runs `parse` on a file of that name."""

    def run(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return parse(path)

    return run


def seed(name: str) -> bytes:
    """An input made for this, in ``seeds``."""
    return (Path(__file__).parent / "seeds" / name).read_bytes()


def files(*patterns: str, most: int = 40_000, first: int = 8) -> list[bytes]:
    """The smallest files of the fixtures that match."""
    found = sorted(
        {path for pattern in patterns for path in FIXTURES.glob(pattern)}, key=lambda path: (path.stat().st_size, path)
    )
    return [path.read_bytes() for path in found if path.stat().st_size <= most][:first]


def heads(*patterns: str, lines: int = 5) -> list[bytes]:
    """The first lines of the files of the fixtures that match."""
    return [
        b"".join(path.read_bytes().splitlines(keepends=True)[:lines])
        for pattern in patterns
        for path in sorted(FIXTURES.glob(pattern))
    ]


@functools.cache
def small_corpus() -> Any:
    """Documents that labels, chunks and runs of the inputs are about."""
    from ragdiag.core.records import Corpus, Document

    return Corpus(tuple(Document(name, text, name.title()) for name, text in sorted(TEXTS.items())))


TEXTS = {
    "alpha.txt": "Alpha pumps run at 40 bar. The valve closes at night.\nOil is changed in May.\n",
    "beta.md": "# Beta\r\n\r\nBeta pumps run at 60 bar.\r\nThe valve closes at noon. The valve closes at noon.\r\n",
    "gamma.md": "# Größe\n\nDie Pumpe e\u0301 läuft. \U0001f469\u200d\U0001f4bb writes ﬁne code.\n\n| a |\n|---|\n| 1 |",
}


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """In that folder, as a command is."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """An empty folder inside of `folder`."""
    import shutil

    own = folder / "own"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    yield own
