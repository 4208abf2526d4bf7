"""The page on trust names tests that exist, and says what the code does where it repeats a value."""

import re
from pathlib import Path

import pytest

from ragdiag.core.environment import QUIET

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "trust.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(?:tests/)?(test_\w+\.py)(?:::(test_\w+))?`", PAGE)))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "test"), NAMED, ids=["::".join(filter(None, named)) for named in NAMED])
def test_each_test_that_holds_a_promise_is_there(file: str, test: str) -> None:
    text = (TESTS / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in text


def test_a_second_test_of_the_same_file_is_there() -> None:
    for file, test in re.findall(r"`(?:tests/)?(test_\w+\.py)::\w+`, `::(test_\w+)`", PAGE):
        assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), test


def test_telemetry_is_off_by_what_the_page_says() -> None:
    said = dict(re.findall(r"`([A-Z_]+)=(\w+)`", PAGE))
    assert said == QUIET
