"""The figures of the code in ``ragdiag``, as a Markdown table: ``python tests/bench/figures.py``.

The branches of a function are 1, and 1 more for each ``if``, loop, conditional expression, ``except``, ``assert`` and ``case``,
for each ``for`` and ``if`` of a comprehension, and for each operand of ``and`` and ``or`` after the first. This is cyclomatic
complexity (McCabe, "A Complexity Measure", 1976), with comprehensions and operands counted. Functions and classes inside a
function are not part of it; lambdas are. A comment line holds nothing but a comment; docstrings are no comments. Imports
inside functions and for type checkers count as imports.
"""

import ast
import functools
import io
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

ROOT = Path(__file__).parents[2] / "ragdiag"
MOST_BRANCHES = 12
BRANCHING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.IfExp, ast.ExceptHandler, ast.Assert, ast.match_case)


class Function(NamedTuple):
    """The size of a function: its lines, with its decorators left out, and its branches."""

    name: str
    lines: int
    branches: int


@functools.cache
def modules() -> dict[str, Path]:
    """The files of the package, by the names of their modules."""
    files = sorted(ROOT.rglob("*.py"))
    return {".".join(("ragdiag", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): p for p in files}


def imports(path: Path) -> set[str]:
    """Modules of the package imported anywhere in a file, in functions and for type checkers too."""
    imported, known = set(), modules()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ragdiag":
            parts = {f"{node.module}.{a.name}" for a in node.names}
            imported |= parts & known.keys() | ({node.module} if parts - known.keys() else set())
        elif isinstance(node, ast.Import):
            imported |= {a.name for a in node.names if a.name.split(".")[0] == "ragdiag"}
    return imported


def circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """Groups of modules that import each other, directly or by way of others. A module that imports itself is none."""
    reached = {module: reachable(module, arrows) for module in arrows}
    together = {frozenset(other for other in reached[module] if module in reached.get(other, ())) for module in arrows}
    return {group for group in together if len(group) > 1}


def reachable(module: str, arrows: dict[str, set[str]]) -> set[str]:
    """What a module imports, directly or by way of others."""
    reached: set[str] = set()
    ahead = {module}
    while ahead:
        ahead = set().union(*(arrows.get(each, set()) for each in ahead)) - reached
        reached |= ahead
    return reached


def branches(function: ast.AST) -> int:
    """The branches of a function, as this file's docstring defines them."""
    number, ahead = 1, list(ast.iter_child_nodes(function))
    while ahead:
        node = ahead.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(node, BRANCHING):
            number += 1
        elif isinstance(node, ast.BoolOp):
            number += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            number += 1 + len(node.ifs)
        ahead += ast.iter_child_nodes(node)
    return number


def functions(tree: ast.AST, module: str) -> Iterator[Function]:
    """Functions and methods of a module, those inside others too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield Function(f"{module}.{node.name}", (node.end_lineno or 0) - node.lineno + 1, branches(node))


def anys(tree: ast.AST) -> int:
    """How often ``Any`` is used; importing it is no use."""
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))


def comments(text: str) -> int:
    """Lines that hold nothing but a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(t.type == tokenize.COMMENT and not t.line[: t.start[1]].strip() for t in tokens)


def spread(numbers: Sequence[int]) -> str:
    """Median, 90th percentile and largest."""
    return f"{median(numbers):g} / {quantiles(numbers, n=10, method='inclusive')[-1]:g} / {max(numbers)}"


@functools.cache
def trees() -> dict[str, ast.Module]:
    """The modules of the package, parsed."""
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in modules().items()}


def table() -> str:
    """All figures, as a Markdown table."""
    parsed = trees()
    texts = [path.read_text(encoding="utf-8") for path in modules().values()]
    lines = [text.count("\n") for text in texts]
    sizes = [function for module, tree in parsed.items() for function in functions(tree, module)]
    rows = {
        "files": len(lines),
        "lines in a file (median / largest)": f"{median(lines):g} / {max(lines)}",
        "functions": len(sizes),
        "lines in a function (median / p90 / largest)": spread([f.lines for f in sizes]),
        "branches in a function (median / p90 / largest)": spread([f.branches for f in sizes]),
        f"functions with more than {MOST_BRANCHES} branches": sum(f.branches > MOST_BRANCHES for f in sizes),
        "uses of `Any`": sum(anys(tree) for tree in parsed.values()),
        "comment lines": f"{sum(map(comments, texts)) / sum(lines):.1%}",
        "files and folders in `ragdiag`": sum(entry.name != "__pycache__" for entry in ROOT.iterdir()),
        "circles of imports": len(circles({module: imports(path) for module, path in modules().items()})),
    }
    return "\n".join(["| Figure | Value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])


if __name__ == "__main__":
    print(table())
