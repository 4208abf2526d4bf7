"""Whether reports are the same with other versions of libraries: ``python tests/supply/versions.py OTHER_PYTHON [FOLDER ...]``.

`OTHER_PYTHON` is an interpreter that has others (``nox -s lowest`` makes one). Each audits the same sets, folders with a labelled
corpus, without models. The last digits of a float may differ: numbers are rounded to `DIGITS` significant ones, and all else must
be the same. What differed before that is counted.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGITS = 9
RETRIEVERS = ("bm25", "lsa", "hybrid(bm25, lsa)")
LIBRARIES = ("numpy", "scipy", "scikit-learn")


def reports(folder: str) -> dict[str, object]:
    """The report of each retriever on a set, without its timings."""
    from ragdiag.pipeline import audit
    from ragdiag.reports.json import audit_dict

    corpus = next(path for path in (Path(folder, "corpus"), Path(folder, "corpus.jsonl"), Path(folder, "docs")) if path.exists())
    made = {}
    for retriever in RETRIEVERS:
        queries = Path(folder, "queries.jsonl")
        report = dict(audit_dict(audit(corpus, queries, retriever=retriever, swap="none", cache=None)))
        made[f"{Path(folder).name}, {retriever}"] = {name: value for name, value in report.items() if name != "timings"}
    return made


def made_by(python: str, folders: list[str]) -> dict[str, object]:
    """What another interpreter makes of the sets."""
    with tempfile.TemporaryDirectory() as here:
        out = Path(here) / "reports.json"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
        subprocess.run([python, __file__, "--into", str(out), *folders], check=True, env=environment)
        found: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
        return found


def differing(one: object, other: object, where: str = "") -> Iterator[tuple[str, object, object]]:
    """Every place where two reports are not the same."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from differing(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differing(mine, theirs, f"{where}[{i}]")
    elif one != other:
        yield where, one, other


def alike(one: object, other: object) -> bool:
    return isinstance(one, float) and isinstance(other, float) and f"{one:.{DIGITS}g}" == f"{other:.{DIGITS}g}"


def main() -> int:
    """One line for each report, and each place that differs."""
    if sys.argv[1] == "--into":
        from importlib.metadata import version

        print(f"Python {sys.version.split()[0]},", ", ".join(f"{name} {version(name)}" for name in LIBRARIES), flush=True)
        made = {name: report for folder in sys.argv[3:] for name, report in reports(folder).items()}
        Path(sys.argv[2]).write_text(json.dumps(made), encoding="utf-8")
        return 0
    folders = sys.argv[2:] or [str(ROOT / "fixtures" / name) for name in ("tidewater", "tiny")]
    here, there = made_by(sys.executable, folders), made_by(sys.argv[1], folders)
    wrong = 0
    for name in here:
        found = list(differing(here[name], there[name]))
        beyond = [row for row in found if not alike(row[1], row[2])]
        most = 0.0
        with contextlib.suppress(TypeError):
            most = max((abs(a / b - 1) for _, a, b in found if b), default=0.0)
        print(f"{name}: {len(found)} numbers differ, by {most:.0e} of one at most; {len(beyond)} when rounded")
        for where, mine, theirs in beyond[:5]:
            print(f"  {where}: {mine!r} here, {theirs!r} there")
        wrong += bool(beyond)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
