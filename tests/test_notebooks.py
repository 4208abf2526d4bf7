"""The tutorial notebooks run, and what they show of results is what is stored in them."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


def shown(notebook) -> list[str]:
    """The plain text of each result: what a figure or a frame is called may hang on the versions of their libraries."""
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    texts = [o["data"]["text/plain"] for o in outputs if "data" in o]
    return [t for t in texts if t.startswith(("<audit", "<query", "<litmus", "<comparison", "<decision", "(", "[", "Mean"))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore")
def test_notebook(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    run = nbformat.from_dict(stored)
    nbclient.NotebookClient(run, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    assert len(shown(stored)) >= 4
    assert shown(run) == shown(stored)


def test_there_are_two() -> None:
    assert len(NOTEBOOKS) == 2
