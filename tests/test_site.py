"""The documentation site builds, warnings as errors, and asks no other host for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(out / "trees"),
        str(ROOT / "docs"),
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_it_builds_without_a_warning(site: Path) -> None:
    assert (site / "index.html").exists() and (site / "notebooks" / "first_audit.html").exists()


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert name == "index.html" or f'href="{name}"' in index, f"{name} is in no table of contents"


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        for source in re.findall(
            r'<(?:script|img|iframe)[^>]*\ssrc="([^"]+)"|<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"',
            page.read_text(encoding="utf-8"),
        ):
            assert not any("//" in part for part in source), f"{page.name} fetches {source}"


def test_the_reference_names_every_public_name(site: Path) -> None:
    import ragdiag

    text = (site / "api.html").read_text(encoding="utf-8")
    for name in set(ragdiag.__all__) - {"__version__"}:
        assert re.search(rf"\b{name}\b", text), f"the reference does not name {name}"
