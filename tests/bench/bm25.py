"""Our BM25 beside bm25s (both backends), tantivy and rank-bm25's own loop: the same chunks, the same terms, one core.

Each index is built in a process of its own, which says how long that took and what memory it had at most. Then all are opened
in one process and asked the same questions in turns, so that what else runs on the machine slows all of them. rank-bm25 is left
out from a million chunks on: its Python lists and dictionaries take more than 20 GB.
"""

import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from common import chunks, cpu, peak_mb, questions

from ragdiag.core.cache import Cache
from ragdiag.core.protocols import no_progress
from ragdiag.search.retrievers.bm25 import Bm25

OURS, THEIRS = Bm25(variant="lucene"), {"k1": 1.5, "b": 0.75}
"""bm25s and tantivy have no Okapi that floors the idf as rank-bm25 does; Lucene's BM25 all of them have."""


def terms(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


class Ragdiag:
    def build(self, corpus: list[str], folder: Path) -> None:
        self.index = OURS.index(corpus, Cache(folder), no_progress)

    open = build  # an index that is known is read

    def ask(self, asked: list[str], depth: int) -> list[list[int]]:
        return self.index.search(asked, depth)[0].tolist()


class Bm25s:
    def __init__(self, backend: str = "numpy", method: str = "lucene") -> None:
        self.backend, self.method = backend, method

    def build(self, corpus: list[str], folder: Path | None) -> None:
        import bm25s

        known: dict[str, int] = {}
        ids = [[known.setdefault(term, len(known)) for term in terms(text)] for text in corpus]
        self.index = bm25s.BM25(method=self.method, backend=self.backend, **THEIRS)
        self.index.index((ids, known), show_progress=False)
        if folder:
            self.index.save(folder)

    def open(self, corpus: list[str], folder: Path) -> None:
        import bm25s

        self.index = bm25s.BM25.load(folder)
        self.index.backend = self.backend

    def ask(self, asked: list[str], depth: int) -> list[list[int]]:
        found = self.index.retrieve([terms(query) for query in asked], k=depth, show_progress=False, n_threads=0)
        return found.documents.tolist()


class Tantivy:
    """Its k1 is 1.2 and cannot be set; lengths are rounded."""

    def build(self, corpus: list[str], folder: Path) -> None:
        import tantivy

        fields = tantivy.SchemaBuilder()
        fields.add_text_field("text", stored=False)
        fields.add_integer_field("place", fast=True)
        folder.mkdir()
        writer = tantivy.Index(fields.build(), path=str(folder)).writer(heap_size=500_000_000, num_threads=1)
        for i, text in enumerate(corpus):
            writer.add_document(tantivy.Document(text=" ".join(terms(text)), place=i))
        writer.commit()
        writer.wait_merging_threads()

    def open(self, corpus: list[str], folder: Path) -> None:
        import tantivy

        self.index = tantivy.Index.open(str(folder))
        self.searcher = self.index.searcher()

    def ask(self, asked: list[str], depth: int) -> list[list[int]]:
        import tantivy

        rows = []
        for query in asked:
            one = [(tantivy.Occur.Should, tantivy.Query.term_query(self.index.schema, "text", t)) for t in terms(query)]
            hits = self.searcher.search(tantivy.Query.boolean_query(one), depth, count=False).hits
            rows.append(self.searcher.fast_field_values("place", [place for _, place in hits]))
        return rows


class RankBm25:
    def build(self, corpus: list[str], folder: Path) -> None:
        import rank_bm25

        self.index = rank_bm25.BM25Okapi([terms(text) for text in corpus])

    open = build  # it has no way to keep an index

    def ask(self, asked: list[str], depth: int) -> list[list[int]]:
        return [np.argsort(-self.index.get_scores(terms(q)), kind="stable")[:depth].tolist() for q in asked[:SLOWLY]]


TOOLS = {
    "ragdiag": Ragdiag(),
    "bm25s, numba": Bm25s("numba"),
    "bm25s, numpy": Bm25s("numpy"),
    "tantivy": Tantivy(),
    "rank-bm25": RankBm25(),
}
BUILT_ONCE = ("bm25s, numpy",)
"""Whose index is another's."""

SLOWLY = 3
"""Questions that rank-bm25 is asked in a turn."""


def folder_of(name: str) -> str:
    return name.split(",")[0]


def same(one: list[list[int]], other: list[list[int]]) -> float:
    """Share of the first ten that two rankings have in common, over queries."""
    return float(np.mean([len(set(a[:10]) & set(b[:10])) / 10 for a, b in zip(one, other, strict=False)]))


def show(title: str, **values: float) -> None:
    print(f"{title}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()), flush=True)


def one(step: str, name: str, n: int, folder: Path) -> None:
    """Build or open one index, and what that takes."""
    corpus, asked = chunks(n), questions()[:100]
    before = peak_mb()
    seconds, _ = cpu(getattr(TOOLS[name], step), corpus, folder / folder_of(name))
    if step == "open":
        TOOLS[name].ask(asked, 100)
    show(f"{step} {name}, {n} chunks", cpu_s=seconds, peak_mb=peak_mb(), of_which_chunks_mb=before)


def pairs(n: int, folder: Path, asked: int = 200, turns: int = 5) -> None:
    """Queries per CPU-second of all, in turns."""
    corpus, queries = chunks(n), questions()
    random.Random(1).shuffle(queries)
    here = {name: tool for name, tool in TOOLS.items() if name != "rank-bm25" or n <= 100_000}
    for name, tool in here.items():
        tool.open(corpus, folder / folder_of(name))
    for depth in (10, 100):
        first = {name: tool.ask(queries[:asked], depth) for name, tool in here.items()}  # compiles and warms, too
        speed: dict[str, list[float]] = {name: [] for name in here}
        for _ in range(turns):
            for name, tool in here.items():
                seconds, found = cpu(tool.ask, queries[:asked], depth)
                speed[name].append(len(found) / seconds)
        for name, values in speed.items():
            ratio = median(ours / theirs for ours, theirs in zip(speed["ragdiag"], values, strict=True))
            overlap = same(first["ragdiag"], first[name])
            show(f"{name}, {n} chunks, first {depth}", per_cpu_s=median(values), ours_is_times=ratio, overlap_at_10=overlap)


def methods(n: int, asked: int = 300) -> None:
    """Which method of bm25s ranks as rank-bm25's Okapi and as Lucene do, by our index of each."""
    corpus, queries = chunks(n), questions()
    random.Random(1).shuffle(queries)
    indexes = {variant: Bm25(variant=variant).index(corpus, None, no_progress) for variant in ("okapi", "lucene")}
    ours = {variant: index.search(queries[:asked], 10)[0].tolist() for variant, index in indexes.items()}
    for method in ("robertson", "lucene", "atire"):
        tool = Bm25s(method=method)
        tool.build(corpus, None)
        theirs = tool.ask(queries[:asked], 10)
        show(f"bm25s {method}, {n} chunks, overlap at 10", **{variant: same(found, theirs) for variant, found in ours.items()})


def main(*sizes: int) -> None:
    for n in sizes or (100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            built = [name for name in TOOLS if name not in BUILT_ONCE and (name != "rank-bm25" or n <= 100_000)]
            steps = [*(("build", name) for name in built), *(("open", name) for name in TOOLS if name != "rank-bm25")]
            for arguments in [*steps, ("pairs", ""), *([("methods", "")] if n <= 100_000 else [])]:
                subprocess.run([sys.executable, __file__, *arguments, str(n), folder], check=True)
    print("  made by: python tests/bench/bm25.py", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pairs", _, n, folder]:
            pairs(int(n), Path(folder))
        case ["methods", _, n, _]:
            methods(int(n))
        case ["build" | "open" as step, name, n, folder]:
            one(step, name, int(n), Path(folder))
        case sizes:
            main(*map(int, sizes))
