"""Writes requirements/LICENCES.md: the licence of all that the extras bring. ``python tests/supply/licences.py [--all]``

Licences are read from the metadata of the newest locked version of each package; pip (25 or later) fetches those that the
page does not have yet, with ``--all`` all of them (3 GB with CUDA), and installs nothing.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lock import FOLDER, Row, locked, rows
from packaging.utils import canonicalize_name
from packaging.version import Version

PAGE = FOLDER / "LICENCES.md"

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC",
    "LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
}  # fmt: skip
"""Licences that ask for no more than their notice. `BSD` is what metadata calls so without the number of clauses."""

IN_WORDS = {
    r"apache.*": "Apache-2.0",
    r"(the )?mit( license.*)?": "MIT",
    r"(3-clause bsd|bsd-3).*": "BSD-3-Clause",
    r"bsd( license)?": "BSD",
    r"isc license.*": "ISC",
    r"python software foundation license|psf.*": "PSF-2.0",
    r"mozilla public license 2\.0.*": "MPL-2.0",
    r".*nvidia.*proprietary.*": "LicenseRef-NVIDIA-Proprietary",
    r".*proprietary.*": "LicenseRef-Proprietary",
}
"""SPDX names for what older metadata says in words."""

CUDA = {f"nvidia-{name}" for name in (
    "cublas", "cuda-cupti", "cuda-nvrtc", "cuda-runtime", "cudnn-cu13", "cufft", "cufile", "curand", "cusolver", "cusparse",
    "cusparselt-cu13", "nccl-cu13", "nvjitlink", "nvshmem-cu13", "nvtx",
)}  # fmt: skip

ACCEPTED = {
    "MPL-2.0": ({"certifi", "orjson", "tqdm"}, "asks for the source of its own files where they were changed; here they are not"),
    "LGPL-3.0-only": (
        {"psycopg", "psycopg-binary"},
        "the extra pgvector only, imported as published; who ships it has duties",
    ),
    "LicenseRef-NVIDIA-Proprietary": (CUDA, "no free licence; comes with PyPI's torch on Linux, not with its CPU build"),
    "LicenseRef-Proprietary": (CUDA, "the same, in a classifier"),
    "": ({"cuda-toolkit"}, "no licence is named; it has no code of its own, and requires NVIDIA's packages"),
}
"""Other licences: for these packages only, each with the reason."""


HEAD = """# Licences

What the metadata of each package in these files says. Made by `python tests/supply/licences.py`. Nobody has
looked further into the wheels: those of scipy, numpy and psycopg-binary hold libraries of others under licences of their own
(libgfortran, libquadmath, libpq). ragdiag itself is MIT. What is not permissive:
"""


class Listed(NamedTuple):
    name: str
    version: str
    licence: str


def spdx(words: str) -> str:
    """A licence in SPDX's names, as far as these words tell; else the words."""
    plain = words.strip().splitlines()[0].strip() if words.strip() else ""
    return next((name for pattern, name in IN_WORDS.items() if re.fullmatch(pattern, plain, re.IGNORECASE)), plain[:60])


def licence(expression: str, classifiers: Iterable[str], field: str) -> str:
    """A package's licence: its SPDX expression; else all that its classifiers and its field name; "" where nothing is said."""
    if expression or re.fullmatch(r".+ (AND|OR) .+", field):  # of one line
        return expression or field
    named = [each for each in classifiers if each.startswith("License ::") and not each.endswith("OSI Approved")]
    said = {spdx(each.rsplit(" :: ", 1)[1]) for each in named}
    said |= {spdx(field)} & (PERMISSIVE | set(ACCEPTED))
    return " AND ".join(sorted(said - {""})) or spdx(field)


def names(expression: str) -> set[str]:
    """The licences that an SPDX expression names."""
    return set(re.split(r"\s+(?:AND|OR|WITH)\s+|[()\s]+", expression)) - {""} or {""}


def newest(rows: list[Row]) -> dict[str, Row]:
    """The newest locked version of each package."""
    return {row.name: row for row in sorted(rows, key=lambda row: Version(row.version))}


def reported(report: Mapping[str, Any]) -> list[Listed]:
    """What pip's report of an installation says of each package's licence."""
    said = [each["metadata"] for each in report["install"]]
    found = [(m, licence(m.get("license_expression", ""), m.get("classifier", []), m.get("license", ""))) for m in said]
    return sorted(Listed(canonicalize_name(m["name"]), m["version"], words) for m, words in found)


def refused(packages: Iterable[Listed]) -> list[Listed]:
    """Packages with a licence that is neither permissive nor accepted for them; without one, too."""
    nobody: tuple[set[str], str] = (set(), "")
    return [p for p in packages if any(p.name not in ACCEPTED.get(n, nobody)[0] for n in names(p.licence) - PERMISSIVE)]


def fetched(rows: Iterable[Row]) -> list[Listed]:
    """The licences of these packages, from the metadata of what pip fetches; whatever Python or system they are for."""
    with tempfile.TemporaryDirectory() as name:
        wanted, report = Path(name) / "wanted.txt", Path(name) / "report.json"
        wanted.write_text("".join(f"{row.name}=={row.version}\n" for row in rows), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pip",
            "--isolated",
            "install",
            "--quiet",
            "--dry-run",
            "--no-deps",
            "--ignore-installed",
        ]
        command += ["--ignore-requires-python", "--only-binary", ":all:", "--report", str(report), "-r", str(wanted)]
        subprocess.run(command, check=True)
        return reported(json.loads(report.read_text(encoding="utf-8")))


def brought_by() -> dict[str, list[str]]:
    """The files of `requirements/` that name each package."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*.txt")):
        for name in {row.name for row in rows(path.read_text(encoding="utf-8"))}:
            found.setdefault(name, []).append(path.stem)
    return found


def page(packages: Iterable[Listed]) -> str:
    brought = brought_by()
    table = [f"| {p.name} | {p.version} | {p.licence} | {', '.join(brought[p.name])} |" for p in packages]
    notes = [f"- {f'`{name}`' if name else 'none'}: {why}." for name, (_, why) in ACCEPTED.items()]
    return "\n".join([HEAD, *notes, "", "| package | version | licence | file |", "|---|---|---|---|", *table, ""])


def listed(text: str) -> list[Listed]:
    """The packages of the page's table."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    return [Listed(*row[:3]) for row in cells[1:]]


def main(*options: str) -> int:
    rows = newest(locked()).values()
    known = {(p.name, p.version): p for p in listed(PAGE.read_text(encoding="utf-8"))} if "--all" not in options else {}
    new = [row for row in rows if (row.name, row.version) not in known]
    kept = [known[row.name, row.version] for row in rows if (row.name, row.version) in known]
    packages = sorted([*kept, *(fetched(new) if new else ())])
    if wrong := refused(packages):
        print(
            "neither permissive nor accepted:", *(f"  {p.name} {p.version}: {p.licence or 'none named'}" for p in wrong), sep="\n"
        )
        return 1
    PAGE.write_text(page(packages), encoding="utf-8")
    print(f"{len(packages)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
