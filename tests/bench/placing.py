"""Chunks given by text, placed: how many stand elsewhere than where they were cut, and how many of these are called a guess.

Public texts are cut by ragdiag's own chunkers, so the true place of each chunk is known. Chunks with the same text are not told
apart: they swap places without a difference to any measure. Arguments: sets, and sizes after them.
"""

import random
import sys
import time
from collections import Counter

from common import DATA, paths

from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, StoredChunk
from ragdiag.core.registry import make
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.places import Placer

SETS = ("fastapi_docs", "anthropic_docs", "chroma_chunking", "covidqa", "xquad_dev/zh")
SPECS = (
    "recursive(size={})",
    "sentence(size={})",
    "fixed(size={})",
    "recursive(size={},overlap={})",
    "fixed(size={},overlap={})",
)
SIZES = (20, 40, 80, 160)
FORMS = {"stripped": str.strip, "collapsed": lambda text: " ".join(text.split())}
ORDERS = {
    "in order": lambda rows: rows,
    "a fifth left out": lambda rows: [rows[i] for i in sorted(random.Random(0).sample(range(len(rows)), len(rows) * 4 // 5))],
    "shuffled": lambda rows: random.Random(0).sample(rows, len(rows)),
}
MOST = 600_000
"""Characters of a set that are used: whole documents, from the first."""

Rows = list[tuple[int, int, int]]


def part_of(name: str) -> Corpus:
    """The first documents of a set."""
    path = DATA / name / "corpus" if "/" in name else paths(name)[0]
    documents, size = list[Document](), 0
    for document in load_corpus(path if path.exists() else path.with_suffix(".jsonl")).documents:
        if not documents or size + len(document.text) <= MOST:
            documents.append(document)
            size += len(document.text)
    return Corpus(tuple(documents))


def rows_of(corpus: Corpus, spec: str) -> Rows:
    """Where each chunk was cut, white space at its ends apart."""
    chunking, rows = cut(corpus, make("chunkers", spec), no_progress), []
    for d, start, end in zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True):
        text = corpus.documents[d].text[start:end]
        if text.strip():
            start += len(text) - len(text.lstrip())
            rows.append((d, start, start + len(text.strip())))
    return rows


def lost(corpus: Corpus, rows: Rows, form: str) -> tuple[int, int, int]:
    """How many of `rows` have no chunk after placing by their texts, how many of these are called guesses, and how many are."""
    texts = [FORMS[form](corpus.documents[d].text[start:end]) for d, start, end in rows]
    chunks = [StoredChunk(doc_id=corpus.documents[d].id, text=text) for (d, _, _), text in zip(rows, texts, strict=True)]
    placer = Placer(corpus)
    missing = Counter(rows) - Counter(placer.spans(chunks))
    doubtful = Counter((chunk.doc_id, chunk.text) for chunk in placer.doubtful)
    misplaced = Counter[tuple[str, str]]()
    for (d, start, end), n in missing.items():
        misplaced[corpus.documents[d].id, FORMS[form](corpus.documents[d].text[start:end])] += n
    return missing.total(), (misplaced & doubtful).total(), doubtful.total()


def main(names: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    print(
        "| set | chunker | chunks | form | "
        + " | ".join(f"{order}: misplaced, silently, guesses" for order in ORDERS)
        + " | seconds |"
    )
    print("|---" * (5 + len(ORDERS)) + "|")
    silent = Counter[tuple[str, int]]()
    for name in names:
        corpus = part_of(name)
        for spec in (form.format(size, size // 4) for form in SPECS for size in sizes):
            rows = rows_of(corpus, spec)
            for form in FORMS:
                started, cells = time.process_time(), []
                for order, arrange in ORDERS.items():
                    mixed = arrange(rows)
                    misplaced, told, guesses = lost(corpus, mixed, form)
                    silent[order, 20 if "=20" in spec else 40] += misplaced - told
                    cells.append(f"{misplaced} ({100 * misplaced / len(mixed):.2f} %), {misplaced - told}, {guesses}")
                seconds = f"{time.process_time() - started:.1f}"
                print("| " + " | ".join([name, spec, str(len(rows)), form, *cells, seconds]) + " |", flush=True)
    print(
        "silently misplaced:", ", ".join(f"{order}, size {size}{'+' * (size > 20)}: {n}" for (order, size), n in silent.items())
    )
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(tuple(a for a in given if not a.isdigit()) or SETS, tuple(int(a) for a in given if a.isdigit()) or SIZES)
