"""Is plain English what it was? The five sets with every character beyond ASCII as "?", audited by two versions.

    python tests/bench/english.py TREE_BEFORE [TREE_AFTER]

Ties go by id on the second side, as on a first one that knows nothing else.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import SETS, paths

HERE = Path(__file__).parents[2]


def ascii_only(value: object) -> object:
    if isinstance(value, str):
        return value.encode("ascii", "replace").decode()
    if isinstance(value, dict):
        return {ascii_only(k): ascii_only(v) for k, v in value.items()}
    return [ascii_only(v) for v in value] if isinstance(value, list) else value


def copied(source: Path, target: Path) -> None:
    """A file or folder, its characters beyond ASCII replaced one by one, so that offsets stay."""
    for file in [source] if source.is_file() else [f for f in sorted(source.rglob("*")) if f.is_file()]:
        to = target if source.is_file() else target / file.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_bytes().decode()
        if file.suffix == ".jsonl":
            text = "".join(json.dumps(ascii_only(json.loads(line))) + "\n" for line in text.splitlines() if line.strip())
        to.write_bytes(text.encode("ascii", "replace"))


def measures(tree: Path, corpus: Path, queries: Path, retriever: str, folder: Path) -> dict[str, object]:
    report = folder / "report.json"
    words = ["audit", str(corpus), str(queries), "--retriever", retriever, "--no-cache", "--quiet", "--json", str(report)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    ties = subprocess.run([sys.executable, "-P", "-m", "ragdiag", "audit", "--help"], capture_output=True, env=environment)
    words += ["--ties", "id"] if b"--ties" in ties.stdout else []
    subprocess.run([sys.executable, "-P", "-m", "ragdiag", *words], check=True, env=environment, stdout=subprocess.DEVNULL)
    return json.loads(report.read_text(encoding="utf-8"))["measures"]


def main() -> None:
    before, after = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else HERE)
    for name in SETS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            corpus, queries = paths(name)
            copied(corpus, folder / corpus.name)
            copied(queries, folder / queries.name)
            if (corpus.parent / "docs.jsonl").is_file():
                copied(corpus.parent / "docs.jsonl", folder / "docs.jsonl")
            for retriever in ("bm25", "lsa(dimensions=64)"):
                sides = [measures(t, folder / corpus.name, folder / queries.name, retriever, folder) for t in (before, after)]
                same = sum(sides[0][m] == sides[1][m] for m in sides[0])
                print(f"{name} {retriever}: {same} of {len(sides[0])} means and intervals the same", flush=True)


if __name__ == "__main__":
    main()
