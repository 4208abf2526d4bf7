"""A whole command makes calls in proportion to each side of its input: calls are counted, not timed."""

import functools
import gc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

import sizes

DOCUMENTS = 25
"""Of the corpora round what grows."""


def calls(run: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C, and generators resumed."""
    made = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
        gc.enable()
    return made


@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("spans", 25),
        ("alternatives", 300),
        ("occurring-in-one", 100),
        ("k", 40),
        ("long-queries", 5000),
        ("near-copies", 110),
        ("references", 60),
        ("versions", 200),
        ("failing", 10),
    ],
)
def test_calls_grow_with_the_input(name: str, n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "DOCUMENTS", DOCUMENTS)
    monkeypatch.setattr(sizes, "QUERIES", 2)
    direction, made = sizes.DIRECTIONS[name], []
    for size in (n, 2 * n, 4 * n):
        folder = tmp_path / f"{size}"
        folder.mkdir()
        direction.make(size, folder)
        run = functools.partial(sizes.commanded, direction, size, folder, "bm25")
        if not made:
            run()  # the first time, modules are imported and tables made
        made.append(calls(run))
    once, twice, four = made
    # What does not grow goes out; twice as much for twice the input, where with its square it would be four times.
    assert four - twice <= 2.25 * max(twice - once, 1), made
