"""Asks an advisory database about every locked version. ``python tests/supply/audit.py [-s osv] [--osv-url URL]`` (pip-audit)

It needs a database: pip-audit has none of its own and asks PyPI, or OSV with ``-s osv``. `--osv-url` names a mirror of OSV, for a
network without the internet.

pip-audit says "No known vulnerabilities found" and succeeds where the database answers nothing at all. So a version with
advisories known for years is asked about first: where that one comes out clean, nothing was audited, and this says so.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from lock import Row, locked, pins

KNOWN = "jinja2==3.1.2"
"""GHSA-h5c8-rqwp-cp95 (2024) and others."""


class NotAudited(Exception):
    """No database answered."""


class Audit(NamedTuple):
    """What a database says of packages: ids of advisories by package and version; packages that it does not know."""

    clean: int
    advisories: dict[str, list[str]]
    unknown: list[str]


def asked(requirements: Iterable[str], options: tuple[str, ...]) -> list[dict[str, Any]]:
    """pip-audit's answer for each of these requirements, which name each package once."""
    with tempfile.TemporaryDirectory() as name:
        wanted, out = Path(name) / "wanted.txt", Path(name) / "out.json"
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        how = ("--disable-pip", "--no-deps", "--progress-spinner", "off", "-f", "json", "-o", str(out))
        command = [sys.executable, "-m", "pip_audit", "-r", str(wanted), *how, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if not out.exists() or not out.stat().st_size:
            raise NotAudited((done.stderr.strip().splitlines() or ["pip-audit gave no answer"])[-1])
        found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["dependencies"]
        return found


def audit(rows: Iterable[Row], *options: str) -> Audit:
    """Every version of these rows, asked about; raises NotAudited where the database does not know what everybody knows."""
    if not any(each.get("vulns") for each in asked([KNOWN], options)):
        raise NotAudited(f"the database names no advisory for {KNOWN}, which has some")
    rounds: list[dict[str, str]] = []  # a file of requirements names each package once
    for row in pins(rows):
        free = next((r for r in rounds if row.name not in r), None)
        if free is None:
            rounds.append(free := {})
        free[row.name] = str(row.requirement)
    answers = [each for requirements in rounds for each in asked(requirements.values(), options)]
    advisories = {f"{a['name']}=={a['version']}": [v["id"] for v in a["vulns"]] for a in answers if a.get("vulns")}
    unknown = [a["name"] for a in answers if "skip_reason" in a]
    return Audit(len(answers) - len(advisories) - len(unknown), advisories, unknown)


def main(*options: str) -> int:
    try:
        found = audit(locked(), *options)
    except NotAudited as e:
        print(f"nothing was audited: {e}", file=sys.stderr)
        return 2
    for package, ids in found.advisories.items():
        print(f"{package}: {', '.join(ids)}")
    print(f"{found.clean} without a known advisory, {len(found.advisories)} with, {len(found.unknown)} unknown to the database")
    return 1 if found.advisories or found.unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
