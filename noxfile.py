"""The tests on other Pythons and with other versions: ``uvx nox``. It needs the interpreters, and PyPI."""

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
    files = [word for name in ("core", *EXTRAS, "pytest", "build") for word in ("-r", f"requirements/{name}.txt")]
    session.install("--only-binary", ":all:", "--require-hashes", *files)
    finish(session, session.posargs)


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The fast tests with the lowest versions that pyproject.toml allows."""
    pins = Path(session.create_tmp()) / "lowest.txt"
    extras = [word for name in (*EXTRAS, "pytest") for word in ("--extra", name)]
    how = ("--only-binary", ":all:", "--resolution", "lowest-direct", "--python-version", "3.10")
    session.run("uv", "pip", "compile", "--quiet", *how, *extras, "pyproject.toml", "-o", str(pins), external=True)
    session.install("-r", str(pins), "setuptools>=77")
    finish(session, session.posargs)


def finish(session: nox.Session, words: list[str]) -> None:
    """Adds this project and what only its tests need, and runs the tests; other versions stay as they are."""
    there = Path(session.create_tmp()) / "there.txt"
    there.write_text(str(session.run("uv", "pip", "freeze", external=True, silent=True)), encoding="utf-8")
    session.install("-c", str(there), *TOOLS)
    session.install("--no-deps", "--no-build-isolation", "-e", ".")
    session.run("python", "-m", "pytest", *FAST, *words, env={"HF_HUB_OFFLINE": "1"})
