"""What users install is pinned and hashed, has a known licence, and is built the same each time."""

import functools
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

sys.path.insert(0, str(Path(__file__).parent / "supply"))

from audit import NotAudited, audit, main
from licences import PAGE, Listed, licence, listed, newest, refused
from lock import BUILD, EXTRAS, FOLDER, PROJECT, ROOT, Row, base, included, locked, pins, rows
from release import components, contents, made, sbom, steady, strange

PLACES = [
    {**default_environment(), "python_version": python, "python_full_version": f"{python}.5", **system}
    for python in ("3.10", "3.11", "3.12", "3.13")
    for system in (
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    )
]
"""Pythons and systems that somebody installs on."""


def needed(extra: str) -> list[Requirement]:
    """What pyproject.toml asks for an extra, for those that it is built on, and for the core."""
    if extra == "core":
        return [Requirement(each) for each in PROJECT["dependencies"]]
    own = [Requirement(each) for each in PROJECT["optional-dependencies"][extra]]
    below = [each for other in base(extra) or ["core"] for each in needed(other)]
    return [each for each in own if each.name != PROJECT["name"]] + below


def applies(requirement: Requirement, place: dict[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**place, "extra": extra})


def chosen(files: list[Row], place: dict[str, str]) -> dict[str, str]:
    """The version of each package that these rows give at a place; two would be an error of pip's."""
    found = [(row.name, row.version) for row in files if applies(row.requirement, place)]
    assert len(set(found)) == len(dict(found)), "two versions of one package"
    return dict(found)


def test_each_extra_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*EXTRAS, "core", "torch", "build", "all"}
    assert {path.stem for path in included(FOLDER / "all.txt")} == {*EXTRAS, "core", "all"}
    assert set(PROJECT["optional-dependencies"]) == {*EXTRAS, "all", "dev", "frameworks"}


@pytest.mark.parametrize("extra", ["core", *sorted(EXTRAS)])
def test_what_an_extra_asks_for_is_locked_everywhere(extra: str) -> None:
    files = locked(FOLDER / f"{extra}.txt", FOLDER / "torch.txt")
    for place in PLACES:
        versions = chosen(files, place)
        for each in needed(extra):
            if applies(each, place):
                assert each.specifier.contains(versions[canonicalize_name(each.name)], prereleases=True), (
                    f"{each} at {place['python_version']}"
                )


def test_what_builds_the_project_is_locked() -> None:
    versions = chosen(locked(FOLDER / "build.txt"), PLACES[0])
    assert all(Requirement(each).specifier.contains(versions[Requirement(each).name]) for each in BUILD)


def test_the_locked_versions_are_those_that_the_tests_ran_with() -> None:
    tested = rows((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert len(tested) > 50
    common = 0
    for place in PLACES:
        versions = chosen(locked(), place)
        for row in tested:
            if applies(row.requirement, place) and row.name in versions:
                assert versions[row.name] == row.version, f"{row.name}: run tests/supply/lock.py"
                common += 1
    assert common > 100


def test_every_row_has_hashes_and_each_version_the_same_everywhere() -> None:
    seen: dict[tuple[str, str], tuple[str, ...]] = {}
    for path in FOLDER.glob("*.txt"):
        for row in rows(path.read_text(encoding="utf-8")):
            assert row.hashes and all(len(each) == len("sha256:") + 64 for each in row.hashes), row.name
            assert seen.setdefault((row.name, row.version), row.hashes) == row.hashes


def test_no_other_index_is_named() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    assert "index-url" not in text and "find-links" not in text and "://" not in text and "+cpu" not in text


def installed(name: str, extras: set[str], seen: dict[str, set[str]]) -> dict[str, set[str]]:
    """Every installed package that this one requires with these extras, and theirs, with the extras that were asked of each."""
    for each in map(Requirement, metadata.requires(name) or []):
        asked = any(applies(each, dict(default_environment()), extra) for extra in extras or {""})
        found = canonicalize_name(each.name)
        try:
            metadata.version(found)
        except metadata.PackageNotFoundError:  # an extra that is not in this environment
            continue
        if asked and not each.extras | {""} <= seen.get(found, set()):
            seen[found] = seen.get(found, set()) | each.extras | {""}
            installed(found, each.extras | {""}, seen)
    return seen


@functools.cache
def here() -> set[str]:
    """What this project's extras brought into this environment."""
    try:
        return set(installed(PROJECT["name"], {*EXTRAS, ""}, {})) - {PROJECT["name"]}
    except metadata.PackageNotFoundError:
        pytest.skip("the project is not installed")


def test_whatever_is_installed_for_an_extra_is_locked() -> None:
    assert len(here()) > 20
    unlocked = here() - {row.name for row in locked()}
    assert not unlocked, "entered since the lock was made: run tests/supply/lock.py"


def test_the_licences_of_what_is_installed_are_known() -> None:
    said = []
    for name in here():
        about = metadata.metadata(name)
        words = licence(about.get("License-Expression", ""), about.get_all("Classifier") or [], about.get("License", ""))
        said.append(Listed(name, about["Version"], words))
    assert len(said) > 20 and refused(said) == []


def test_the_page_of_licences_lists_what_is_locked() -> None:
    packages = listed(PAGE.read_text(encoding="utf-8"))
    assert refused(packages) == []
    there = {(p.name, p.version) for p in packages}
    assert there == {(row.name, row.version) for row in newest(locked()).values()}, "run tests/supply/licences.py"


@pytest.mark.parametrize(
    ("expression", "classifiers", "field", "known"),
    [
        ("MIT", [], "", "MIT"),
        ("BSD-3-Clause AND 0BSD", [], "", "BSD-3-Clause AND 0BSD"),
        ("", ["License :: OSI Approved :: Apache Software License"], "Apache 2.0", "Apache-2.0"),
        ("", ["License :: OSI Approved", "License :: OSI Approved :: BSD License"], "ISC", "BSD AND ISC"),
        ("", ["License :: OSI Approved :: MIT License"], "a text AND\nmore", "MIT"),
    ],
)
def test_permissive_licences_are_read(expression: str, classifiers: list[str], field: str, known: str) -> None:
    assert licence(expression, classifiers, field) == known
    assert refused([Listed("some", "1", known)]) == []


@pytest.mark.parametrize(
    ("expression", "classifiers", "field"),
    [
        ("AGPL-3.0-only", [], ""),
        ("MIT AND GPL-2.0-or-later", [], "MIT"),
        ("", ["License :: OSI Approved :: GNU General Public License v3 (GPLv3)"], ""),
        ("", ["License :: OSI Approved :: MIT License", "License :: OSI Approved :: GNU Affero General Public License v3"], ""),
        ("", ["License :: Other/Proprietary License"], "Apache 2.0"),
        ("", ["License :: OSI Approved"], ""),
        ("", [], ""),
        ("", [], "see the file"),
        ("LGPL-3.0-only", [], ""),  # accepted for psycopg, and for nobody else
    ],
)
def test_other_licences_are_refused(expression: str, classifiers: list[str], field: str) -> None:
    assert refused([Listed("some", "1", licence(expression, classifiers, field))])


@pytest.mark.slow
def test_a_bill_of_materials_has_every_locked_version_and_hash() -> None:
    pytest.importorskip("cyclonedx_py")
    some = locked(FOLDER / "docs.txt")  # all of them take eight times as long
    text = sbom(some, ROOT / "pyproject.toml")
    wanted = {(row.name, row.version): {each.removeprefix("sha256:") for each in row.hashes} for row in pins(some)}
    assert components(text) == wanted and len(json.loads(text)["components"]) == len(wanted) > 20
    assert json.loads(text)["bomFormat"] == "CycloneDX"
    assert json.loads(text)["metadata"]["component"]["version"] == PROJECT["version"]


class Advisories(BaseHTTPRequestHandler):
    """A database that speaks as OSV does; `known` are ids of advisories by package and version."""

    known: dict[tuple[str, str], str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = self.known.get((asked["package"]["name"], asked["version"]))
        affected = [{"package": asked["package"], "versions": [asked["version"]]}]
        body = json.dumps({"vulns": [{"id": found, "details": "planted", "affected": affected}]} if found else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        pass


@contextmanager
def database(known: dict[tuple[str, str], str]) -> Iterator[tuple[str, ...]]:
    """The options of pip-audit for a database on this machine that knows these advisories."""
    pytest.importorskip("pip_audit")
    server = HTTPServer(("127.0.0.1", 0), type("Known", (Advisories,), {"known": known}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield "-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SOME = rows("click==8.5.1\nnumpy==2.2.6 ; python_version < '3.11'\nnumpy==2.4.6 ; python_version >= '3.11'\n")


@pytest.mark.slow
def test_a_planted_advisory_is_found_in_either_version() -> None:
    with database({("jinja2", "3.1.2"): "KNOWN-1", ("numpy", "2.2.6"): "PLANTED-1"}) as options:
        assert audit(SOME, *options) == (2, {"numpy==2.2.6": ["PLANTED-1"]}, [])


@pytest.mark.slow
def test_a_database_that_knows_nothing_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    with database({}) as options:
        with pytest.raises(NotAudited, match=r"no advisory for jinja2==3\.1\.2"):
            audit(SOME, *options)
        assert main(*options) == 2
    assert capsys.readouterr().err.startswith("nothing was audited")
    with pytest.raises(NotAudited):
        audit(SOME, *options)  # nobody answers there any more


def test_nothing_claims_that_ci_asks_for_advisories() -> None:
    assert "audit" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "CI does not ask" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_what_is_strange_in_an_archive_is_named() -> None:
    package = {"ragdiag/a.py", "ragdiag/b.html"}
    about = {"ragdiag_toolkit-1.dist-info/RECORD", "pyproject.toml", "ragdiag_toolkit.egg-info/PKG-INFO"}
    assert strange(package | about, package) == []
    odd = {"notes.txt", "tests/test_a.py"}
    assert strange({"ragdiag/a.py"} | odd | about, package) == ["notes.txt", "ragdiag/b.html", "tests/test_a.py"]


def test_an_archive_is_steady_whoever_packs_it(tmp_path: Path) -> None:
    packed = []
    for order, user, time in (("ab", "root", 1), ("ba", "you", 2)):
        path = tmp_path / f"{user}.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name in order:
                about = tarfile.TarInfo(f"p/{name}.txt")
                about.size, about.mtime, about.uname, about.uid = 1, time, user, time
                tar.addfile(about, io.BytesIO(name.encode()))
        packed.append(path.read_bytes())
    assert packed[0] != packed[1]
    assert steady(packed[0], 3) == steady(packed[1], 3)
    (tmp_path / "steady.tar.gz").write_bytes(steady(packed[0], 3))
    assert contents(tmp_path / "steady.tar.gz") == {"a.txt", "b.txt"}


@pytest.mark.slow
def test_a_release_has_the_package_alone_and_the_same_bytes_under_another_umask(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77")
    if not (ROOT / ".git").exists():
        pytest.skip("a release is built from a commit")
    before = os.umask(0o077)
    try:
        one = made(tmp_path / "one")
    finally:
        os.umask(before)
    other = made(tmp_path / "elsewhere" / "other")
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    command = ["git", "ls-tree", "-r", "--name-only", "HEAD", "ragdiag"]
    tracked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    wheel = next(path for path in one if path.suffix == ".whl")
    assert {name for name in contents(wheel) if ".dist-info/" not in name} == set(tracked)
