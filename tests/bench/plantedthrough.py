"""The planted faults, found through other doors than ragdiag's own retriever: a store, or a plain function that searches.

    python tests/bench/plantedthrough.py WORLDS ... [--doors chroma pgvector function function+model] [--cache FOLDER]

WORLDS are folders that `tests/bench/planted --keep` made; of the stores, worlds of `dense` alone. Of each door, beside ragdiag's
own retriever on the same worlds: macro-F1 over the causes that the door can prove, the queries that come out the same, and what
becomes of the faults whose proof needs a text to be added, where none can be: "untested" is right, another cause is wrong.
"""

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import show
from doors import DOORS, postgres
from planted.command import diagnosed
from planted.files import read_rows
from planted.scoring import counted
from sklearn.metrics import f1_score

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import load_measurable, rank
from ragdiag.search.retrieval import Plan
from ragdiag.search.retrievers.dense import Dense

ADDED = {
    "missing_content", "header_lost", "chunk_split", "truncated", "diluted", "contextless", "too_small",
}  # fmt: skip
"""Causes whose proof adds a text."""


def through(door: str, world: Path, retriever: str, cache: Path, folder: Path) -> dict[str, Any]:
    """The options of an audit of `world` through `door`."""
    options = Options(chunks=world / "chunks.jsonl", retriever=retriever, k=5, cache=cache)
    plan = Plan(options)
    loaded = load_measurable(world / "corpus.jsonl", world / "queries.jsonl", options, no_progress)
    found = rank(plan, loaded, no_progress).retrieved
    documents, chunking, index = found.corpus.documents, found.chunking, found.searchable
    spans = list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
    if door.startswith("function"):

        def search(query: str, k: int) -> list[dict[str, Any]]:
            order = index.search([query], k)[0][0].tolist()
            placed = [spans[c] for c in order if c >= 0]
            return [{"doc_id": documents[d].id, "start": a, "end": b, "text": documents[d].text[a:b]} for d, a, b in placed]

        model = "default" if door == "function+model" else ""
        return {"search": search, "search_model": model, "calls": 100_000, "chunks": world / "chunks.jsonl"}
    rows = [
        (f"{i:07}", documents[d].text[a:b], {"source": documents[d].id, "start_index": a}) for i, (d, a, b) in enumerate(spans)
    ]
    vectors = Dense().encoder.encode([text for _, text, _ in rows], "document", Cache(cache), no_progress)
    return {"retriever": DOORS[door](folder / re.sub(r"\W", "_", f"{world.name}-{door}"), rows, vectors)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", type=Path, nargs="+")
    parser.add_argument("--doors", nargs="+", default=["chroma", "pgvector", "function", "function+model"])
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args()
    worlds = {w: read_rows(w / "truth.jsonl")[0]["retriever"] for folder in asked.worlds for w in _worlds(folder)}
    with postgres(), tempfile.TemporaryDirectory() as temporary:
        cache = asked.cache or Path(temporary) / "cache"
        own = {world: diagnosed(world, cache) for world in worlds}
        for door in asked.doors:
            some = [w for w, retriever in worlds.items() if door == "function" or retriever == "dense"]
            before = [row for w in some for row in own[w]]
            after = [row for w in some for row in diagnosed(w, cache, **through(door, w, worlds[w], cache, Path(temporary)))]
            _show(door, before, after)


def _worlds(folder: Path) -> list[Path]:
    return sorted(p.parent for p in folder.glob("**/world.json"))


def _show(door: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    truth = [row["truth"] for row in before]
    provable = sorted(set(truth) - (ADDED if door == "function" else set()))
    of_added = Counter(
        "untested" if new["predicted"] == "untested" else "right" if counted(new) == new["truth"] else "another"
        for new in after if new["truth"] in ADDED
    )  # fmt: skip
    show(
        door,
        n=len(after),
        causes=len(provable),
        own_f1=_f1(before, provable),
        f1=_f1(after, provable),
        same=sum(a["predicted"] == b["predicted"] for a, b in zip(before, after, strict=True)),
        untested=sum(row["predicted"] == "untested" for row in after),
        **{f"added_{name}": n for name, n in sorted(of_added.items())},
    )
    changed = Counter(
        (b["truth"], counted(b), counted(a)) for b, a in zip(before, after, strict=True) if counted(a) != counted(b)
    )
    for (true, own, now), n in changed.most_common(12):
        print(f"    {n} {true}: {own} -> {now}")


def _f1(rows: list[dict[str, Any]], classes: list[str]) -> float:
    truth, named = [row["truth"] for row in rows], [counted(row) for row in rows]
    return float(f1_score(truth, named, labels=classes, average="macro", zero_division=0.0))


if __name__ == "__main__":
    main()
