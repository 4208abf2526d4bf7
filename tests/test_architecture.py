"""Four layers, arrows only downward; stages never import each other; strategies are one public dataclass a file."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import ragdiag
from ragdiag import registry

ROOT = Path(ragdiag.__file__).parent
GROUND = {
    "approximate",
    "cases",
    "cells",
    "checked",
    "conditions",
    "costs",
    "decision",
    "duplicates",
    "encoder",
    "errors",
    "fields",
    "files",
    "framework",
    "headings",
    "model_files",
    "models",
    "nested",
    "occurrences",
    "opinions",
    "options",
    "orders",
    "places",
    "plain",
    "prompt",
    "proofs",
    "protocols",
    "ranking",
    "records",
    "registry",
    "remote",
    "setting",
    "settling",
    "spans",
    "tokens",
    "topics",
    "verdict",
    "versions",
    "writing",
}
ASSEMBLY = {
    "answering",
    "causes",
    "comparison",
    "contrasts",
    "diagnosis",
    "grid",
    "judging",
    "live",
    "pipeline",
    "probe",
    "remedies",
    "retrieval",
    "ruling",
    "scoring",
    "searches",
    "subjects",
}
SURFACES = {
    "__init__",
    "__main__",
    "api",
    "cli",
    "cli_live",
    "config",
    "ending",
    "explain",
    "flags",
    "gates",
    "inputs",
    "interview",
    "label",
    "outputs",
    "pytest_plugin",
    "results",
    "shell",
    "shown",
    "testing",
}
FAMILIES = ("chunkers", "contexts", "failures", "judges", "retrievers")


def unit(module: str) -> str:
    """The part of the house a module belongs to: a file at the top, or a whole package."""
    name = module.split(".")[1] if "." in module else "__init__"
    return "corpus" if name == "loaders" else name  # formats are how a corpus is read, not a stage of their own


def layer(name: str) -> int:
    return 0 if name in GROUND else 2 if name in ASSEMBLY else 3 if name in SURFACES else 1


def modules() -> list[tuple[str, Path]]:
    files = sorted(p for p in ROOT.rglob("*.py"))
    return [(".".join(("ragdiag", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"), p) for p in files]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ragdiag":
            found |= {node.module} if node.module != "ragdiag" else {f"ragdiag.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.split(".")[0] == "ragdiag"}
    return found


@pytest.mark.parametrize(("module", "path"), modules(), ids=[m for m, _ in modules()])
def test_arrows_point_down(module: str, path: Path) -> None:
    if module == "ragdiag":
        return  # re-exports, lazily
    own, known = unit(module), {name for name, _ in modules()}
    for imported in imports(path):
        # The package has a __getattr__: to a type checker any name is one of its own.
        public = imported.removeprefix("ragdiag.") in ragdiag.__all__
        assert imported in known or public, f"{module} imports {imported}, which is not there"
        other = unit(imported)
        if other in (own, "__version__"):
            continue
        assert layer(other) <= layer(own), f"{module} imports {imported}, which is above it"
        if layer(own) == 1:
            assert layer(other) == 0, f"{module} imports {imported}: stages never import each other"
        if layer(own) == 0:
            assert layer(other) == 0


def test_an_arrow_points_at_something(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("from ragdiag import errors, audit\nfrom ragdiag.live.moved import prompts\n")
    with pytest.raises(AssertionError, match=r"imports ragdiag\.live\.moved, which is not there"):
        test_arrows_point_down("ragdiag.cli", tmp_path / "it.py")


def test_only_the_assembly_knows_all_the_stages() -> None:
    importers = {unit(m) for m, p in modules() if "ragdiag.corpus" in imports(p)}
    assert importers == {"label", "pipeline"}


@pytest.mark.parametrize("family", FAMILIES)
def test_one_public_dataclass_a_strategy_file(family: str) -> None:
    package = importlib.import_module(f"ragdiag.{family}")
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"ragdiag.{family}.{info.name}")
        own = [c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == module.__name__]
        public = [c for c in own if dataclasses.is_dataclass(c) and not c.__name__.startswith("_")]
        assert len(public) == 1, f"{module.__name__} must define one public dataclass"
        assert public[0] is registry.strategy_class(family, info.name)


@pytest.mark.parametrize(("module", "path"), modules(), ids=[m for m, _ in modules()])
def test_files_and_functions_fit(module: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 310, f"{module} is more than one room"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= 60, f"{module}.{node.name} has {size} lines"
