"""The public surface, pinned; and nothing heavy before it is asked for."""

import subprocess
import sys

import ragdiag


def test_public_names_are_pinned() -> None:
    assert ragdiag.__all__ == [
        "Comparison",
        "Decision",
        "InputError",
        "Litmus",
        "MissingExtra",
        "Options",
        "RagdiagError",
        "Report",
        "SpecError",
        "UsageError",
        "__version__",
        "audit",
        "check",
        "compare",
        "decide",
        "diff",
        "export",
        "litmus",
        "pool",
        "prompts",
        "tune",
    ]
    for name in ragdiag.__all__:
        assert getattr(ragdiag, name) is not None
    assert set(ragdiag.__dir__()) == set(ragdiag.__all__)


def test_importing_ragdiag_imports_nothing_heavy() -> None:
    code = "import sys, ragdiag; print(sorted(m for m in sys.modules if m in ('numpy', 'click', 'scipy', 'rich', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
