"""No line that users read installs ragdiag by a bare name: on the package index that name is another project's."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from installs import NAMES, ROOT, bare, documented, texts

from ragdiag.core.errors import MissingExtra

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(
    "text",
    [
        "pip install ragdiag",
        "`pip install 'ragdiag[offline,docs]'` brings it",
        "pip3 install -U ragdiag==0.1.1",
        "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt ragdiag-toolkit",
        "      - run: pip install --upgrade pip ragdiag",
        "pip install \\\n  'ragdiag[docs]'",
        "uv pip install ragdiag",
        "pipx run ragdiag audit",
        "one\nragdiag[offline,docs]\ntorch==2.13.0\n",
        "ragdiag>=0.1\n",
        "| Chroma | `'ragdiag[chroma]'` |",
    ],
)
def test_a_bare_name_is_seen(text: str) -> None:
    assert bare(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install './ragdiag[offline,docs]'    # ragdiag is your checkout",
        "pip install -c constraints.txt '.[offline,docs]' && ragdiag audit",
        "pip install 'dist/ragdiag_toolkit-0.1.0-py3-none-any.whl[docs]'",
        "./wheels/ragdiag_toolkit-0.1.0-py3-none-any.whl[offline]",
        "[tool.ragdiag]",
        "ragdiag brings a plugin",
        "pip uninstall ragdiag",
    ],
)
def test_a_checkout_or_a_wheel_is_none(text: str) -> None:
    assert not bare(text)


def test_nothing_that_users_read_names_it_bare() -> None:
    found = {str(path.relative_to(ROOT)): named for path, text in texts() if (named := bare(text))}
    assert not found, "this would bring another project's code; name a checkout or a wheel file"


def test_errors_for_missing_extras_name_a_checkout() -> None:
    for extra in PROJECT["optional-dependencies"]:
        said = str(MissingExtra("package", extra, "do without"))
        assert not bare(said)
        assert f"pip install './ragdiag[{extra}]'" in said


def test_the_distribution_has_a_name_of_its_own() -> None:
    assert PROJECT["name"] == NAMES[1] != "ragdiag"
    assert set(PROJECT["scripts"]) == {"ragdiag"}  # the command keeps its name
    for extra, needed in PROJECT["optional-dependencies"].items():
        for each in needed:
            name = re.split(r"[\[<>=~!; ]", each)[0]
            assert not name.startswith("ragdiag") or name == PROJECT["name"], f"{extra} needs {each}"


def test_pages_and_readme_have_lines_that_install_it() -> None:
    pages = {page for pages in documented().values() for page in pages}
    assert {"README.md", "docs/pytest.md", "docs/howto/air_gapped.md", "docs/howto/gate_ci.md"} <= pages
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "another project" in readme and f'version = "{PROJECT["version"]}"' in (ROOT / "pyproject.toml").read_text()
    wheels = {found for _, text in texts() for found in re.findall(r"ragdiag[\w]*-[\d.]+-py3-none-any\.whl", text)}
    assert wheels == {f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}-py3-none-any.whl"}
