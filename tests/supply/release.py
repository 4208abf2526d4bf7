"""Builds a release into `dist/`: wheel, source distribution, SBOM. ``python tests/supply/release.py``

It needs git, the setuptools of `requirements/build.txt` and cyclonedx-bom. What is built is the last commit, not the working
tree. Its date stands for the time, so that who builds it again gets the same bytes. The SBOM lists what `requirements/` locks:
every package that an extra may bring, on any platform, with its hashes.
"""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from lock import PROJECT, ROOT, Row, locked, pins

BACKEND = "import sys; from setuptools import build_meta as b; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"


def committed(folder: Path) -> int:
    """Lays the last commit's files out in `folder`; their date, in seconds."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return int(subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True).stdout)


def built(kind: str, source: Path, out: Path, date: int) -> Path:
    """A wheel or an sdist of the source in `source`, in `out`."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(date)}
    command = [sys.executable, "-c", BACKEND, kind, str(out)]
    done = subprocess.run(command, cwd=source, env=environment, umask=0o022, check=True, capture_output=True, text=True)
    made = out / done.stdout.splitlines()[-1]
    if kind == "sdist":
        made.write_bytes(steady(made.read_bytes(), date))  # setuptools writes the time and the user into it
    return made


def steady(archive: bytes, date: int) -> bytes:
    """A `.tar.gz` with the same files in the order of their names, without who packed it and when."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime, member.pax_headers = date, {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(out.getvalue(), mtime=date)


def contents(archive: Path) -> set[str]:
    """The names of the files in a wheel, or in an sdist below its folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return set(wheel.namelist())
    with tarfile.open(archive) as tar:
        return {member.name.partition("/")[2] for member in tar.getmembers() if member.isfile()}


def strange(names: set[str], package: set[str]) -> list[str]:
    """Files of an archive that are neither the package's own nor about it, and files of the package that it lacks."""
    about = {"LICENSE", "PKG-INFO", "README.md", "MANIFEST.in", "pyproject.toml", "setup.cfg"}
    others = {n for n in names - package - about if not n.split("/")[0].endswith((".dist-info", ".egg-info"))}
    return sorted(others | (package - names))


def sbom(rows: list[Row], pyproject: Path) -> str:
    """These packages as CycloneDX JSON, without serial number and time: the same rows give the same text."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--sv", "1.6", "--of", "JSON"]
    said = "".join(f"{row}\n" for row in pins(rows))
    done = subprocess.run([*command, "--pyproject", str(pyproject), "-"], input=said, check=True, capture_output=True, text=True)
    return done.stdout


def components(text: str) -> dict[tuple[str, str], set[str]]:
    """The name and version of each component of an SBOM, with its hashes."""
    return {
        (each["name"], each["version"]): {h["content"] for link in each["externalReferences"] for h in link.get("hashes", [])}
        for each in json.loads(text)["components"]
    }


def made(folder: Path) -> list[Path]:
    """Wheel and sdist of the last commit, built in `folder`."""
    source, out = folder / "source", folder / "out"
    source.mkdir(parents=True)
    out.mkdir()
    date = committed(source)
    archives = [built(kind, source, out, date) for kind in ("sdist", "wheel")]
    package = {p.relative_to(source).as_posix() for p in (source / "ragdiag").rglob("*") if p.is_file()}
    for archive in archives:
        if wrong := strange(contents(archive), package):
            raise SystemExit(f"{archive.name} has or lacks what it should not: {', '.join(wrong[:5])}")
    return archives


def main() -> int:
    (ROOT / "dist").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        files = {path.name: path.read_bytes() for path in made(Path(one) / "a")}
        again = {path.name: path.read_bytes() for path in made(Path(other) / "b")}
    if files != again:
        raise SystemExit("two builds of one commit differ")
    stem = f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}"
    files[f"{stem}.cdx.json"] = sbom(locked(), ROOT / "pyproject.toml").encode()
    for name, content in files.items():
        (ROOT / "dist" / name).write_bytes(content)
        print(hashlib.sha256(content).hexdigest(), name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
