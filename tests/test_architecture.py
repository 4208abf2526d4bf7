"""Wings with arrows only downward and no circle; strategies are one public dataclass a file; rooms have a size."""

import ast
import dataclasses
import graphlib
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from figures import imports, modules

import ragdiag
from ragdiag.core import addresses, registry

ROOT = Path(ragdiag.__file__).parent
DOCS = Path(__file__).parents[1] / "docs"
FLOORS = (
    ("core",),
    ("text", "stats", "deciding"),
    ("sources", "scoring"),
    ("search",),
    ("diagnosis", "exports"),
    ("pipeline",),
    ("explain",),
    ("comparing", "answering"),
    ("reports",),
    ("label", "inputs"),
    ("results",),
    ("api",),
    ("cli", "testing"),
    ("pytest_plugin", "__main__"),
)
"""The wings of the house, from the ground up: each may import those below it, none above, none beside."""

FLOOR = {wing: floor for floor, wings in enumerate(FLOORS) for wing in wings}


def wing(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize(("module", "path"), modules().items(), ids=list(modules()))
def test_arrows_point_down(module: str, path: Path) -> None:
    if module == "ragdiag":
        return  # re-exports, lazily
    for imported in imports(path):
        assert imported in modules(), f"{module} imports {imported}, which is not there"
        assert imported != "ragdiag", f"{module} imports the whole house"
        if wing(imported) != wing(module):
            assert FLOOR[wing(imported)] < FLOOR[wing(module)], f"{module} imports {imported}, which is not below it"


def test_an_arrow_points_at_something(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("from ragdiag.answering.live.moved import prompts\n")
    with pytest.raises(AssertionError, match=r"imports ragdiag\.answering\.live\.moved, which is not there"):
        test_arrows_point_down("ragdiag.cli", tmp_path / "it.py")
    (tmp_path / "it.py").write_text("def later():\n    from ragdiag.reports import json\n")
    with pytest.raises(AssertionError, match=r"ragdiag\.text\.tokens imports ragdiag\.reports\.json, which is not below it"):
        test_arrows_point_down("ragdiag.text.tokens", tmp_path / "it.py")


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {module: imports(path) - {module} for module, path in modules().items()}
    graphlib.TopologicalSorter(arrows).prepare()  # raises CycleError, which names the circle


def test_the_landing_shows_the_house() -> None:
    entries = {p.name for p in ROOT.iterdir() if p.name != "__pycache__"}
    assert {e.removesuffix(".py") for e in entries} == {*FLOOR, "__init__", "py.typed"}
    assert len(entries) <= 26
    packages = {e for e in entries if (ROOT / e).is_dir()}
    assert not packages & set(ragdiag.__all__), "a package would hide the function of its name"


def test_the_page_shows_the_floors_from_the_top_and_names_what_is_there() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    drawn = re.search(r"<!-- floors -->\n```text\n(.+?)```", page, re.DOTALL)
    assert drawn and [tuple(re.split(r"  +", line)[0].split()) for line in drawn[1].splitlines()] == list(reversed(FLOORS))
    named = re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", page)
    assert named and not [path for path in named if not (ROOT / path).exists() and not (ROOT.parent / path).exists()]


def test_documented_addresses_are_found_wherever_the_modules_are() -> None:
    named = set(re.findall(r"(?:automodule:: |autoclass:: )(ragdiag\.[a-z]+)", (DOCS / "api.md").read_text(encoding="utf-8")))
    assert named <= {*addresses.PUBLIC, "ragdiag.results"}
    for address, place in addresses.PUBLIC.items():
        assert importlib.import_module(address) is importlib.import_module(place)
        assert importlib.import_module(place).__spec__.name == place  # type: ignore[union-attr]


@pytest.mark.parametrize("family", registry.FAMILIES)
def test_one_public_dataclass_a_strategy_file(family: str) -> None:
    package = importlib.import_module(registry.FAMILIES[family])
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{registry.FAMILIES[family]}.{info.name}")
        own = [c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == module.__name__]
        public = [c for c in own if dataclasses.is_dataclass(c) and not c.__name__.startswith("_")]
        assert len(public) == 1, f"{module.__name__} must define one public dataclass"
        assert public[0] is registry.strategy_class(family, info.name)


@pytest.mark.parametrize(("module", "path"), modules().items(), ids=list(modules()))
def test_files_and_functions_fit(module: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 310, f"{module} is more than one room"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= 60, f"{module}.{node.name} has {size} lines"
