"""Faults planted in stores of a real corpus: does `ragdiag check --retriever` find each, and nothing else?

    python tests/bench/healthfaults.py [SET] [--door chroma|faiss ...] [-n RECORDS] [--cache FOLDER]

Of each fault: how many records (of `unindexed`, documents) were planted, how many of them the check names, how many others it
names, and the other kinds of faults that it reports. Of approximate search: its recall of exact search and the records that
miss themselves, as the check says and as comparing all vectors says.
"""

import argparse
import dataclasses
import hashlib
import json
import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import paths, show
from doors import Rows, chroma, faiss

import ragdiag
from ragdiag.core.cache import Cache
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.results import CheckResult
from ragdiag.search.retrievers.dense import Dense
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus

CHUNKER = "sentence(size=80)"


@dataclasses.dataclass
class Case:
    """A corpus and a store of it; `planted` are the records, or documents, that the fault of `kind` is in."""

    texts: dict[str, str]
    rows: Rows
    vectors: np.ndarray
    kind: str = ""
    planted: tuple[str, ...] = ()
    space: str = "cosine"


Fault = Callable[[Case, random.Random, int], Case]


def of_other_texts(case: Case, rng: random.Random, n: int) -> Case:
    """Each chosen record has the vector of some other record."""
    chosen = rng.sample(range(len(case.rows)), n)
    others = rng.sample([i for i in range(len(case.rows)) if i not in chosen], n)
    vectors = case.vectors.copy()
    vectors[chosen] = case.vectors[others]
    return planted(case, "vector_fault", chosen, vectors=vectors)


def of_another_model(case: Case, rng: random.Random, n: int) -> Case:
    """A stretch of the store has vectors of words: each word a direction, each text the sum of its words'."""
    first = rng.randrange(len(case.rows) - n)
    chosen = list(range(first, first + n))
    vectors = case.vectors.copy()
    for i in chosen:
        vectors[i] = sum((of_word(word, vectors.shape[1]) for word in re.findall(r"\w+", case.rows[i][1].lower())), 1e-9)
    return planted(case, "vector_fault", chosen, vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def of_word(word: str, size: int) -> np.ndarray:
    """The direction of a word; long ones weigh more."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).normal(size=size).astype(np.float32) * len(word)


def of_odd_lengths(case: Case, rng: random.Random, n: int) -> Case:
    """The chosen ones are half as long again, or half as long, compared by inner product."""
    chosen = rng.sample(range(len(case.rows)), n)
    vectors = case.vectors.copy()
    vectors[chosen] *= np.array([rng.choice([0.5, 1.5]) for _ in chosen], dtype=np.float32)[:, None]
    return planted(case, "lengths", chosen, vectors=vectors, space="ip")


def stored_again(case: Case, rng: random.Random, n: int) -> Case:
    """The chosen ones once more, under new ids."""
    chosen = rng.sample(range(len(case.rows)), n)
    more = [(f"again{i}", *case.rows[i][1:]) for i in chosen]
    vectors = np.concatenate([case.vectors, case.vectors[chosen]])
    return dataclasses.replace(
        case, rows=[*case.rows, *more], vectors=vectors, kind="duplicate", planted=tuple(name for name, *_ in more)
    )


def deleted_documents(case: Case, rng: random.Random, n: int) -> Case:
    """Documents went, their records stayed."""
    gone = set(rng.sample(sorted(case.texts), n))
    texts = {name: text for name, text in case.texts.items() if name not in gone}
    ids = tuple(name for name, _, place in case.rows if place["source"] in gone)
    return dataclasses.replace(case, texts=texts, kind="orphan", planted=ids)


def changed_documents(case: Case, rng: random.Random, n: int) -> Case:
    """In the middle of each chosen record its document says something else now."""
    texts, ids = dict(case.texts), []
    for document in rng.sample(sorted(case.texts), n):
        name, text, _ = rng.choice([row for row in case.rows if row[2]["source"] == document])
        if texts[document].count(text) == 1:
            middle, new = len(text) // 2, f" as amended in {rng.randrange(2000)} "
            texts[document] = texts[document].replace(text, text[:middle] + new + text[middle:])
            ids.append(name)
    return dataclasses.replace(case, texts=texts, kind="changed", planted=tuple(ids))


def lowered(case: Case, rng: random.Random, n: int) -> Case:
    """The chosen ones in small letters; their vectors are of these."""
    chosen = rng.sample([i for i, row in enumerate(case.rows) if row[1] != row[1].lower()], n)
    rows = [(name, text.lower() if i in chosen else text, place) for i, (name, text, place) in enumerate(case.rows)]
    return planted(dataclasses.replace(case, rows=rows), "altered", chosen)


def lost_records(case: Case, rng: random.Random, n: int) -> Case:
    """Records are missing: half of them all of a document, half one of several of a document."""
    by_document: dict[str, list[int]] = {}
    for i, row in enumerate(case.rows):
        by_document.setdefault(row[2]["source"], []).append(i)
    one = rng.sample(sorted(by_document), n // 2)
    some = rng.sample([d for d, own in by_document.items() if len(own) > 2 and d not in one], n - n // 2)
    lost = {i for d in one for i in by_document[d]} | {rng.choice(by_document[d]) for d in some}
    kept = [i for i in range(len(case.rows)) if i not in lost]
    rows, vectors = [case.rows[i] for i in kept], case.vectors[kept]
    return dataclasses.replace(case, rows=rows, vectors=vectors, kind="unindexed", planted=(*one, *some))


def too_long(case: Case, rng: random.Random, n: int) -> Case:
    """New documents of five old ones each, stored whole."""
    texts, rows = dict(case.texts), list(case.rows)
    for i in range(n):
        texts[f"long{i}"] = "\n\n".join(case.texts[d] for d in rng.sample(sorted(case.texts), 5))
        rows.append((f"long{i}", texts[f"long{i}"], {"source": f"long{i}", "start_index": 0}))
    made = Dense().encoder.encode([text for _, text, _ in rows[-n:]], "document", None, no_progress)
    vectors, ids = np.concatenate([case.vectors, made]), tuple(f"long{i}" for i in range(n))
    return dataclasses.replace(case, texts=texts, rows=rows, vectors=vectors, kind="truncated", planted=ids)


def none(case: Case, rng: random.Random, n: int) -> Case:
    """As it is."""
    return case


def planted(case: Case, kind: str, chosen: list[int], **changes: object) -> Case:
    return dataclasses.replace(case, kind=kind, planted=tuple(case.rows[i][0] for i in chosen), **changes)


FAULTS: dict[str, Fault] = {
    "none": none,
    "vectors of other texts": of_other_texts,
    "vectors of another model": of_another_model,
    "odd lengths": of_odd_lengths,
    "stored again": stored_again,
    "documents deleted": deleted_documents,
    "documents changed": changed_documents,
    "lower-cased": lowered,
    "records lost": lost_records,
    "too long": too_long,
}


def checked(folder: Path, case: Case, spec: str, cache: str) -> CheckResult:
    corpus = folder.parent / f"{folder.name}.jsonl"
    corpus.write_text("".join(json.dumps({"_id": d, "text": t}) + "\n" for d, t in case.texts.items()), encoding="utf-8")
    return ragdiag.check(corpus, retriever=spec, sample=0, cache=cache)


def told(title: str, case: Case, found: CheckResult) -> None:
    assert found.index is not None
    own = found.finding(case.kind) if case.kind else None
    named = set() if own is None else set(own.documents if case.kind == "unindexed" else own.records)
    show(
        title,
        planted=len(case.planted),
        found=len(named & set(case.planted)),
        false=len(named - set(case.planted)),
        other_kinds={f.kind: f.count for f in found.index.findings if f.kind != case.kind},
        other_model=own.detail.get("other_model") if own else None,
        one_model=own.detail.get("one_model") if own else None,
        stretch=own.detail.get("stretch") if own else None,
    )


def approximate(folder: Path, case: Case, door: str) -> str:
    """A store whose search misses much."""
    if door == "chroma":
        return chroma(folder, case.rows, case.vectors, ef_search=10, max_neighbors=2, ef_construction=4)
    import faiss as library

    spec = faiss(folder, case.rows, case.vectors)
    index = library.IndexHNSWFlat(case.vectors.shape[1], 4, library.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 10
    index.add(case.vectors)
    library.write_index(index, str(folder / "docs.faiss"))
    return spec.replace("faiss(", "faiss(ef_search=10, ")


def by_comparing_all(case: Case, spec: str) -> tuple[float, set[str]]:
    """Recall at 10 by ids, and the records that a search for themselves misses, copies of a vector apart."""
    source, ids = make("retrievers", spec).source, [name for name, *_ in case.rows]
    if hasattr(source, "connect"):
        source.connect(no_progress)
    exact = np.argsort(-(case.vectors @ case.vectors.T), axis=1, kind="stable")[:, :10]
    found = [{*own} for own, _ in source.nearest(case.vectors, 10)]
    shares = [len({ids[i] for i in row} & own) / 10 for row, own in zip(exact.tolist(), found, strict=True)]
    return float(np.mean(shares)), {name for name, own in zip(ids, found, strict=True) if name not in own}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="hotpot100", metavar="SET")
    parser.add_argument("--door", nargs="+", default=["faiss", "chroma"], choices=["chroma", "faiss"])
    parser.add_argument("-n", type=int, default=24)
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache, corpus = asked.cache or f"{temporary}/cache", load_corpus(paths(asked.name)[0])
        chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
        spans = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
        rows = [
            (f"{i:07}", corpus.documents[d].text[a:b], {"source": corpus.documents[d].id, "start_index": a})
            for i, (d, a, b) in enumerate(spans)
        ]
        vectors = Dense().encoder.encode([text for _, text, _ in rows], "document", Cache(Path(cache)), no_progress)
        clean = Case({d.id: d.text for d in corpus.documents}, rows, vectors)
        for door in asked.door:
            for number, (title, plant) in enumerate(FAULTS.items()):
                case, folder = plant(clean, random.Random(1), asked.n), Path(temporary) / f"{door}{number}"
                more = (case.space,) if door == "chroma" else ()
                spec = {"chroma": chroma, "faiss": faiss}[door](folder, case.rows, case.vectors.astype(np.float32), *more)
                told(f"{asked.name}, {door}, {title}", case, checked(folder, case, spec, cache))
            folder = Path(temporary) / f"{door}approximate"
            spec = approximate(folder, clean, door)
            found, (share, missed) = checked(folder, clean, spec, cache), by_comparing_all(clean, spec)
            lost = found.finding("unreachable")
            named = set() if lost is None else set(lost.records)
            show(
                f"{asked.name}, {door}, approximate",
                recall=found.index.recall.mean,
                compared=share,
                unreachable=len(named),
                of_those_missed=len(named & missed),
                missed=len(missed),
                other_kinds={f.kind: f.count for f in found.index.findings if f.kind not in ("unreachable", "index_miss")},
            )


if __name__ == "__main__":
    main()
