"""Marks what takes long, runs the fast part first, and holds that it stays fast."""

import os
import sys

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy comes: the processes of pytest-xdist share the cores

ALL_SLOW = ("encoder", "chroma", "stores", "live", "browser", "docs", "frameworks", "model")
"""Marks of tests that are slow by what they use."""

HEAVY = {"torch", "sentence_transformers", "playwright"}
"""Packages that a fast test must not load: the models take seconds to come, and a browser is started by nothing else."""


def present() -> set[str]:
    """The heavy packages that are loaded; a test that plays their absence puts None in their place."""
    return {name for name in HEAVY if sys.modules.get(name)}


loaded = present()


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@pytest.hookimpl(tryfirst=True)  # before -m chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if any(item.get_closest_marker(mark) for mark in ALL_SLOW):
            item.add_marker("slow")
    # A package is loaded once a process. When the slow tests come last, none of them has loaded what a fast one then uses unseen.
    items.sort(key=is_slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> object:
    """Fails a fast test that has loaded a heavy package, as the first one does if collecting the tests has."""
    result = yield
    new = present() - loaded
    loaded.update(new)
    if new and not is_slow(item):
        pytest.fail(f"loaded {', '.join(sorted(new))}, here or while tests were collected: mark it encoder or browser")
    return result


@pytest.fixture(autouse=True)
def _no_model_is_timed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In fast tests no model is loaded to find its precision, whatever the processor."""
    if not is_slow(request.node):
        from ragdiag.search import precision

        monkeypatch.setattr(precision.Processor, "here", classmethod(lambda kind: kind("", ())))
