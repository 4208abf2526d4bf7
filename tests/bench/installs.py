"""Every documented install line, done: whose code does it bring? ``python tests/bench/installs.py PYTHON...``

Each line is run by each Python without its dependencies, into a folder of its own; what comes must be this checkout's package to
the byte, and nothing else. A wheel's own requirements of ragdiag's extras must name this distribution.
"""

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("ragdiag", "ragdiag-toolkit")
"""What names a distribution: another project's, and this one's, which nobody has registered."""

INSTALLS = re.compile(r"\b(?:pip[3x]?|uv|uvx|poetry|pdm|conda)\s[^`\n]*?\b(?:install|wheel|download|add|run)\b([^`\n]*)")
REQUIRED = re.compile(r"(?<![\w./-])(ragdiag(?:-toolkit)?\[\w[^\]\n]*\])")
ALONE = re.compile(r"^\s*(?:- )?(ragdiag(?:-toolkit)?\s*(?:[=<>~!]=?[^\n]*)?)$", re.MULTILINE)
REQUIREMENT = re.compile(r"^\./\S*ragdiag\S*$", re.MULTILINE)
KINDS = {".md", ".py", ".toml", ".txt", ".ipynb", ".html", ".yml", ".yaml", ""}


def texts() -> Iterator[tuple[Path, str]]:
    """What users read or run: the package, its docs, its examples; not the tests, nor made-up documents."""
    for top in ("README.md", "CHANGELOG.md", "constraints.txt", ".ci", "docs", "fixtures", "ragdiag"):
        for path in sorted([ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*")):
            if path.is_file() and path.suffix in KINDS and "corpus" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def installs(text: str) -> Iterator[list[str]]:
    """The arguments of each install command in a text, up to where the shell's next command begins."""
    for found in INSTALLS.finditer(text.replace("\\\n", " ")):
        said = re.split(r"&&|;|\||\s\(|\s#|\"\s*$", found[1])[0]
        try:
            yield shlex.split(said)
        except ValueError:  # prose with an apostrophe
            continue


def bare(text: str) -> list[str]:
    """Every place where a text asks an index for ragdiag by a name alone."""
    words = [word for words in installs(text) for word in words]
    named = [word for word in words if re.split(r"[\[=<>~!@; ]", word)[0] in NAMES]
    return [*named, *REQUIRED.findall(text), *ALONE.findall(text)]


def documented() -> dict[tuple[str, ...], list[str]]:
    """The arguments of each command that installs this project and of each such line of requirements, with their pages."""
    found: dict[tuple[str, ...], list[str]] = {}
    for path, text in texts():
        for words in [*installs(text.replace("{extra}", "docs")), *([line] for line in REQUIREMENT.findall(text))]:
            if any(re.match(r"\.(?:\[|$)|.*\bragdiag", word) for word in words):
                given = tuple(w for w in words if w not in ("-e", "-q"))
                found.setdefault(given, []).append(path.relative_to(ROOT).as_posix())
    return found


def laid_out(folder: Path) -> None:
    """A folder that holds the checkout and wheels of it, as the pages have them."""
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests", "fixtures")
    shutil.copytree(ROOT, folder / "ragdiag", ignore=ignored)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder / "dist"), str(folder / "ragdiag")]
    subprocess.run(wheel, check=True)
    shutil.copytree(folder / "dist", folder / "wheels")


def hashes(package: Path) -> dict[str, str]:
    files = [p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {str(p.relative_to(package)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def brought(python: str, words: tuple[str, ...], folder: Path) -> str:
    """What is wrong with what a line brings; nothing where it is this project's code and no other's."""
    here = folder / "ragdiag" if any(re.match(r"\.(?:\[|$)", w) for w in words) else folder
    with tempfile.TemporaryDirectory() as target:
        command = [python, "-m", "pip", "install", "-q", "--no-deps", "--target", target, *_without_wheels(words)]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True)
        if done.returncode:
            return "fails: " + next((row for row in done.stderr.splitlines() if row.startswith("ERROR")), done.stderr[-200:])
        distributions = [p.name for p in Path(target).glob("*.dist-info")]
        if [name.split("-")[0] for name in distributions] != ["ragdiag_toolkit"]:
            return f"brings {', '.join(distributions)}"
        if hashes(Path(target) / "ragdiag") != hashes(ROOT / "ragdiag"):
            return "brings other code"
        required = re.findall(r"^Requires-Dist: (ragdiag[\w-]*)", _metadata(target), re.MULTILINE)
        return "" if set(required) == {"ragdiag-toolkit"} else f"requires {', '.join(sorted(set(required)))}"


def _without_wheels(words: tuple[str, ...]) -> list[str]:
    """`words` without where wheels are put: a line that makes one is tried as one that installs it."""
    return [w for i, w in enumerate(words) if w not in ("-w", "--no-deps") and words[i - 1] != "-w"]


def _metadata(target: str) -> str:
    return next(Path(target).glob("*.dist-info/METADATA")).read_text(encoding="utf-8")


def main(*pythons: str) -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        laid_out(folder)
        for python in pythons or (sys.executable,):
            version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            for words, pages in documented().items():
                said = brought(python, words, folder)
                wrong += bool(said)
                print(f"{version}  {said or 'this project, no other'}  {shlex.join(words)}  ({', '.join(pages)})", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
