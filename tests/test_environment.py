"""What this process tells libraries: telemetry off before they come, no .env, no modules of the working folder in workers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragdiag.core.environment import QUIET, be_quiet, import_quietly, without_modules_of_here
from ragdiag.core.functions import load_function
from ragdiag.core.registry import require

ON = {
    "ANONYMIZED_TELEMETRY": "True",
    "DO_NOT_TRACK": "0",
    "HAYSTACK_TELEMETRY_ENABLED": "True",
    "HF_HUB_DISABLE_TELEMETRY": "0",
    "RAGAS_DO_NOT_TRACK": "false",
    "RAY_USAGE_STATS_ENABLED": "1",
}


@pytest.fixture(params=["unset", "turned on"])
def library(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package that writes down the environment when it is imported, where nothing is said of telemetry, or too much."""
    assert ON.keys() == QUIET.keys()
    for name, value in ON.items():
        monkeypatch.setenv(name, value)  # so that it is put back, however it was
        if request.param == "unset":
            monkeypatch.delenv(name)
    name = f"told_{request.param.replace(' ', '_')}"
    text = "import os\nSEEN = dict(os.environ)\ndef function(): pass\n"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("door", ["an optional package", "a function of the team's"])
def test_telemetry_is_off_when_a_library_is_imported(library: str, door: str) -> None:
    if door == "an optional package":
        require(library, "dense")
    else:
        load_function(f"{library}:function", "--search")
    seen = sys.modules[library].SEEN
    assert {name: seen[name] for name in QUIET} == QUIET


def test_what_is_set_says_off_to_the_libraries_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ON.items():
        monkeypatch.setenv(name, value)
    be_quiet()
    code = "from huggingface_hub import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    pytest.importorskip("huggingface_hub")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "True"
    # Chroma, Haystack and ragas compare with these words.
    assert os.environ["ANONYMIZED_TELEMETRY"].lower() == "false"
    assert os.environ["HAYSTACK_TELEMETRY_ENABLED"].lower() not in ("true", "1")
    assert os.environ["RAGAS_DO_NOT_TRACK"].lower() == "true"


def test_a_library_that_loads_a_dotenv_when_imported_loads_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dotenv")
    (tmp_path / ".env").write_text("RAGDIAG_OF_SOMEBODY=http://192.0.2.1\n")
    (tmp_path / "loads_dotenv.py").write_text("from dotenv import load_dotenv\nload_dotenv()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)  # where it looks in a process without a file of its own, as a worker of the tests is
    monkeypatch.delenv("PYTHON_DOTENV_DISABLED", raising=False)
    import_quietly("loads_dotenv")
    assert "RAGDIAG_OF_SOMEBODY" not in os.environ
    assert "PYTHON_DOTENV_DISABLED" not in os.environ, "what the user's own program loads later is its own affair"
    del sys.modules["loads_dotenv"]
    __import__("loads_dotenv")
    assert os.environ.pop("RAGDIAG_OF_SOMEBODY") == "http://192.0.2.1", "the library of this test loads it otherwise"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no such setting")
@pytest.mark.parametrize("before", [None, "0"])
def test_workers_find_no_modules_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('sprung')")
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONSAFEPATH", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-c", "import json"]
    assert b"sprung" in subprocess.run(command, capture_output=True).stderr
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    with without_modules_of_here():
        assert subprocess.run(command, capture_output=True).returncode == 0
    assert os.environ.get("PYTHONSAFEPATH") == before
