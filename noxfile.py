"""The tests on other Pythons and with other versions: ``uvx nox``. It needs the interpreters, and PyPI."""

import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["locked", "lowest"]

EXTRAS = ("docs", "rules", "notebook", "live")
"""What is tested beside the core: all extras without torch and without a store. The tests of the others skip themselves."""

TOOLS = ("fpdf2", "hypothesis", "ir_measures", "pytest-xdist", "pytrec_eval-terrier", "pyyaml", "ruff")
FAST = ("-m", "not slow", "-n", "2", "-p", "no:cacheprovider")


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def locked(session: nox.Session) -> None:
    """The fast tests with the versions of `requirements/`, checked by their hashes."""
    files = [f"requirements/{name}.txt" for name in ("core", *EXTRAS, "pytest", "build")]
    session.install("--only-binary", ":all:", "--require-hashes", *(word for file in files for word in ("-r", file)))
    finish(session, *files)


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The fast tests with the lowest versions that pyproject.toml allows."""
    pins = Path(session.create_tmp()) / "lowest.txt"
    extras = [word for name in (*EXTRAS, "pytest") for word in ("--extra", name)]
    how = ("--only-binary", ":all:", "--resolution", "lowest-direct", "--python-version", "3.10")
    session.run("uv", "pip", "compile", "--quiet", *how, *extras, "pyproject.toml", "-o", str(pins), external=True)
    session.install("-r", str(pins), "setuptools>=77")
    finish(session, str(pins))


def finish(session: nox.Session, *pins: str) -> None:
    """Adds this project and what only its tests need, and runs the tests; what these files pin stays as it is."""
    session.install(*(word for file in pins for word in ("-c", file)), *TOOLS)
    session.install("--no-deps", "--no-build-isolation", "-e", ".")
    # Not below .nox, where `create_tmp` has it: pytest 8.0 takes the name of such a folder for that of a package.
    session.run("python", "-m", "pytest", *FAST, *session.posargs, env={"HF_HUB_OFFLINE": "1", "TMPDIR": tempfile.gettempdir()})
