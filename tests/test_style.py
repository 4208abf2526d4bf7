"""Lint, format, types and the figures of the code are part of the tests, so that one command checks everything."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from figures import MOST_BRANCHES, anys, circles, comments, functions, trees

pytest_plugins = "pytester"

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), pytest.param(("mypy",), marks=pytest.mark.slow)], ids=" ".join
)
def test_clean(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_function_has_many_branches() -> None:
    all_functions = [function for module, tree in trees().items() for function in functions(tree, module)]
    assert [f"{f.name} has {f.branches}" for f in all_functions if f.branches > MOST_BRANCHES] == []


def test_any_is_rare() -> None:
    assert sum(anys(tree) for tree in trees().values()) <= 277


def test_figures_by_hand() -> None:
    code = """
# a comment
def f(a: Any, b: list[Any]):  # not alone on its line
    '''# not a comment'''
    for x in a:
        if x and b or a:
            yield [y for y in x if y]
    def inner():
        if a:
            return 1
    return 1 if a else 2
"""
    tree = ast.parse(code)
    assert [(f.name, f.lines, f.branches) for f in functions(tree, "m")] == [("m.f", 9, 8), ("m.inner", 3, 2)]
    assert (anys(tree), comments(code)) == (2, 1)
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "library"}, "d": {"d", "a"}}
    assert circles(arrows) == {frozenset("bc")}


def test_a_test_that_loads_a_model_must_be_marked(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        torch="",
        test_both="""
            import pytest

            @pytest.mark.encoder
            def test_marked():
                import torch

            def test_unmarked():
                import torch
        """,
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Failed: loaded torch, here or while tests were collected*", "FAILED *::test_unmarked*"])
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-m", "not slow").assert_outcomes(failed=1, deselected=1)
