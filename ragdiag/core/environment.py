"""What this process tells the libraries that it loads and the workers that it starts.

No telemetry, whatever else the environment says of it. No ``.env``, and no modules, of a folder that may be anybody's.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

__all__ = ["QUIET", "be_quiet", "import_quietly", "without_modules_of_here"]

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "DO_NOT_TRACK": "1",  # whoever heeds it
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # the model hub's client, and transformers by it
    "RAGAS_DO_NOT_TRACK": "true",  # "1" would not do
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""The variables that turn off telemetry, and the value that does. Some libraries read theirs once, when they are imported."""


def be_quiet() -> None:
    """Turn off the telemetry of every library that is imported from now on, also where the environment has turned it on."""
    os.environ.update(QUIET)


def import_quietly(module: str) -> ModuleType:
    """Import a module with its telemetry off, and without the ``.env`` that some load into the environment when imported.

    That file is looked for in the working folder or above the packages, so it may be anybody's. Raises what the import does.
    """
    be_quiet()
    if module in sys.modules:
        return importlib.import_module(module)
    with _holding("PYTHON_DOTENV_DISABLED", "1"):
        return importlib.import_module(module)


def without_modules_of_here() -> contextlib.AbstractContextManager[None]:
    """While it lasts, Python processes that are started find no modules in the working folder.

    The processes of joblib and multiprocessing are started with ``-m`` and ``-c``, for which Python looks there first: a
    ``joblib.py`` there would run. From Python 3.11 on; an earlier one knows no such setting.
    """
    return _holding("PYTHONSAFEPATH", "1")


@contextlib.contextmanager
def _holding(name: str, value: str) -> Iterator[None]:
    """A variable of the environment for a while, then as it was."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
