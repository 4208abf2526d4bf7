"""What reads text takes time in proportion to it, on the worst inputs known: four times the text, at most seven times as long."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from worst import Worst, seconds, worst

pytestmark = pytest.mark.slow

MEASURABLE = 0.004
"""CPU seconds below which noise is a large part of what is measured."""

NOISE = 0.02


@pytest.mark.parametrize("case", worst(), ids=lambda case: case.name)
def test_time_grows_with_the_text(case: Worst, tmp_path: Path) -> None:
    n, once = case.n, seconds(case, case.n, tmp_path, 1)
    while once < MEASURABLE and n < 16 * case.n:
        n *= 4
        once = seconds(case, n, tmp_path, 1)
    once = min(once, seconds(case, n, tmp_path, 2))
    taken = seconds(case, 4 * n, tmp_path, 1)
    if taken > 7 * once + NOISE:
        taken = seconds(case, 4 * n, tmp_path, 3)
    assert taken <= 7 * once + NOISE, f"{n:,}: {once:.4f} s, {4 * n:,}: {taken:.4f} s"
