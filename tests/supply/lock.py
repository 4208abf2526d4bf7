"""Writes `requirements/`: what each extra brings, pinned and hashed. ``python tests/supply/lock.py [--upgrade | --check]``

It needs uv and PyPI. Versions of `constraints.txt` hold; what was locked before stays, unless `--upgrade` is given. `--check`
writes nothing and fails where the files would change.

Each extra has a file of its name: to pip, `-r requirements/docs.txt -r requirements/chroma.txt` is what `[docs,chroma]` is. What
the core brings stands in `core.txt` only, and what torch brings in `torch.txt` only: another build of torch can take its place.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
EXTRAS = next(Requirement(each).extras for each in PROJECT["optional-dependencies"]["all"])
"""What a user can ask for; `dev` and `frameworks` are for the tests."""

CUDA = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)==")
"""Rows of `torch.txt`: torch, and what PyPI's build of it brings on Linux."""


class Row(NamedTuple):
    """One pinned requirement with its marker, and its hashes."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return next(iter(self.requirement.specifier)).version

    def __str__(self) -> str:
        return " \\\n".join([str(self.requirement), *(f"    --hash={each}" for each in self.hashes)])


def rows(text: str) -> list[Row]:
    """The rows of a file of requirements that uv or this module wrote."""
    joined = text.replace("\\\n", " ")
    said = [line.split(" --hash=") for line in joined.splitlines() if line and not line.startswith(("#", "-r ", " "))]
    return [Row(Requirement(row), tuple(each.strip() for each in hashes)) for row, *hashes in said]


def included(path: Path) -> list[Path]:
    """A file and all that it includes."""
    names = re.findall(r"^-r (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [path, *(each for name in names for each in included(path.parent / name))]


def locked(*paths: Path) -> list[Row]:
    """The rows of these files and of what they include; of the whole folder where none is named."""
    files = {each for path in paths or FOLDER.glob("*.txt") for each in included(path)}
    found = {str(row): row for path in sorted(files) for row in rows(path.read_text(encoding="utf-8"))}
    return list(found.values())


def pins(rows: Iterable[Row]) -> list[Row]:
    """Each version of a package once, without what it is for."""
    found = {(row.name, row.version): row.hashes for row in rows}
    return [Row(Requirement(f"{name}=={version}"), hashes) for (name, version), hashes in sorted(found.items())]


def base(extra: str) -> list[str]:
    """Other extras that this one is built on, as pyproject.toml says."""
    needed = [Requirement(each) for each in PROJECT["optional-dependencies"][extra]]
    return sorted(other for each in needed if each.name == PROJECT["name"] for other in each.extras)


def compiled(source: Path, *options: str, before: Iterable[str] = ()) -> list[Row]:
    """What uv makes of the requirements in `source`, for every platform and every Python from 3.10 on."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out.txt"
        out.write_text("\n".join(before), encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--no-config", "--default-index", "https://pypi.org/simple", "--no-header"]
        command += ["--universal", "--python-version", "3.10", "--generate-hashes", "--no-annotate", str(source), "-o", str(out)]
        subprocess.run([*command, *options], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return rows(out.read_text(encoding="utf-8"))


def layers(upgrade: bool) -> dict[str, tuple[list[str], list[Row]]]:
    """For each file the files that it includes and its own rows, all of one resolution."""
    project = ROOT / "pyproject.toml"
    before = [] if upgrade or not FOLDER.is_dir() else [str(row) for row in locked()]
    with tempfile.TemporaryDirectory() as name:
        whole, build = Path(name) / "whole.txt", Path(name) / "build.in"
        constraints = ("-c", str(ROOT / "constraints.txt"))
        everything = compiled(project, "--extra", "all", *constraints, before=before)
        whole.write_text("\n".join(map(str, everything)), encoding="utf-8")
        build.write_text("\n".join(BUILD), encoding="utf-8")
        made = {"core": ([], compiled(project, "-c", str(whole)))}
        for extra in sorted(EXTRAS, key=lambda extra: (len(base(extra)), extra)):
            below = base(extra) or ["core"]
            there = {str(row) for other in ["core", *below] for row in made[other][1]}
            own = compiled(project, "--extra", extra, "-c", str(whole))
            made[extra] = (below, [row for row in own if str(row) not in there])
        built = compiled(build, "-c", str(whole))
    torch = [row for row in everything if CUDA.match(str(row))]
    made = {name: (below, [row for row in own if row not in torch]) for name, (below, own) in made.items()}
    return {**made, "torch": ([], torch), "build": ([], built), "all": (sorted(EXTRAS), [])}


def text(below: list[str], own: list[Row]) -> str:
    head = "# Made by tests/supply/lock.py: hashes of every file that PyPI has of these versions.\n"
    return head + "".join(f"-r {name}.txt\n" for name in below) + "".join(f"{row}\n" for row in own)


def main(*options: str) -> int:
    made = {f"{name}.txt": text(*layer) for name, layer in layers("--upgrade" in options).items()}
    old = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    changed = sorted(name for name in {*made, *old} if made.get(name) != old.get(name))
    if "--check" not in options:
        FOLDER.mkdir(exist_ok=True)
        for name in changed:
            (FOLDER / name).write_text(made[name], encoding="utf-8") if name in made else (FOLDER / name).unlink()
    print(f"{len(made)} files, changed: {', '.join(changed) or 'none'}")
    return 1 if changed and "--check" in options else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
