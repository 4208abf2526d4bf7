"""A pool on disk: a ``corpus.jsonl``, and beside it a ``pool.json`` that says what of the whole corpus it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, opened, parse_json, read_text
from ragdiag.core.pools import COPY, EVIDENCE, RUN, SAMPLE, Pool
from ragdiag.core.records import Document, Query
from ragdiag.core.version import __version__
from ragdiag.core.writing import make_folder, write_atomically

__all__ = ["CORPUS", "begin_pool", "file_digest", "noted", "pool_at", "pool_said", "queries_digest", "write_pool"]

CORPUS, SIDECAR = "corpus.jsonl", "pool.json"

FORM = 1
"""Of the sidecar; another one is not read."""

UNFINISHED = "unfinished"
"""Stands for the form while a pool is written."""

AGAIN = "make the pool again: ragdiag pool"


def queries_digest(queries: Iterable[Query]) -> str:
    """A hash of what is asked, in any order: a pool holds the evidence and the tops of these queries."""
    return hashlib.sha256("\0".join(sorted(f"{q.id}\0{q.text}" for q in queries)).encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def begin_pool(folder: Path) -> None:
    """Mark a folder, which is made where it is none, as one of a pool: what is interrupted from here on can be made again."""
    make_folder(folder)
    write_atomically(folder / SIDECAR, json.dumps({"pool": UNFINISHED}) + "\n")


def write_pool(folder: Path, pool: Pool, documents: Sequence[Document]) -> Pool:
    """Write both files, the sidecar last: a corpus without one is no pool. Returns `pool` with the hash of its corpus."""
    write_atomically(folder / CORPUS, map(_line, documents))
    record = {
        "pool": FORM,
        "ragdiag": __version__,
        "whole": dict(pool.whole),
        "rest": {"documents": pool.rest, "drawn": pool.chance, "rate": pool.rate, "seed": pool.seed},
        "depth": pool.depth,
        "runs": [dict(run) for run in pool.runs],
        "queries_sha256": pool.queries_sha256,
        "corpus_sha256": file_digest(folder / CORPUS),
        "unnamed": list(pool.unnamed),
        "documents": {way: list(names) for way, names in pool.came_in.items()},
    }
    write_atomically(folder / SIDECAR, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return _pool(record, folder / SIDECAR)


def _line(document: Document) -> str:
    record = {"_id": document.id, "title": document.title, "text": document.text, "metadata": dict(document.metadata)}
    line = json.dumps({name: value for name, value in record.items() if value or name in ("_id", "text")}, ensure_ascii=False)
    # Half of a surrogate pair, which a PDF may hold, has no form in UTF-8; one sign for another keeps all places.
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in line) + "\n" if not _encodes(line) else line + "\n"


def _encodes(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def pool_at(corpus: str | Path) -> Pool | None:
    """The pool that a corpus is, a folder or its ``corpus.jsonl``; None where it is none.

    Raises `InputError` where the sidecar is broken, or the corpus is not the one that it describes.
    """
    path = Path(corpus)
    folder = path.parent if path.name == CORPUS else path
    file = folder / SIDECAR
    if not file.is_file() or not (folder / CORPUS).is_file():
        return None
    record = parse_json(read_text(file), file)
    if not isinstance(record, dict) or record.get("pool") != FORM:
        if isinstance(record, dict) and "pool" not in record:
            return None  # of somebody else's
        if isinstance(record, dict) and record["pool"] == UNFINISHED:
            raise InputError("its pool is not finished: what made it was interrupted", file, remedy=AGAIN)
        raise InputError("is of another version of pools", file, remedy=AGAIN)
    pool = _pool(record, file)
    if pool.corpus_sha256 != file_digest(folder / CORPUS):
        raise InputError(f"{CORPUS} beside it is not the pool that it describes: it was changed since", file, remedy=AGAIN)
    return pool


def _pool(record: Mapping[str, Any], file: Path) -> Pool:
    """Raises `InputError` for a sidecar that contradicts itself."""

    def part(name: str, kind: type, of: Mapping[str, Any] = record) -> Any:
        return field(of, (name,), kind, file, 0)

    rest, came_in = part("rest", dict), part("documents", dict)
    if not all(isinstance(run, dict) for run in part("runs", list)):
        raise InputError("'runs' must list objects", file, remedy=AGAIN)
    if (least := min(part("depth", int), part("seed", int, rest))) < 0:
        raise InputError(f"'depth' and 'seed' must be 0 or more, not {least}", file, remedy=AGAIN)
    names = {way: tuple(map(str, part(way, list, came_in))) for way in (EVIDENCE, COPY, RUN, SAMPLE)}
    pool = Pool(
        whole=part("whole", dict),
        came_in=names,
        runs=tuple(part("runs", list)),
        depth=part("depth", int),
        seed=part("seed", int, rest),
        rest=part("documents", int, rest),
        queries_sha256=part("queries_sha256", str),
        corpus_sha256=part("corpus_sha256", str),
        unnamed=tuple(map(str, part("unnamed", list))),
    )
    chosen = pool.documents - pool.chance
    counts = part("documents", int, pool.whole), part("drawn", int, rest)
    if counts != (chosen + pool.rest, pool.chance) or not 0 <= pool.chance <= pool.rest:
        message = (
            f"contradicts itself: {chosen} documents were chosen and {pool.chance} drawn of {pool.rest}, it says, of {counts[0]}"
        )
        raise InputError(message, file, remedy=AGAIN)
    return pool


def pool_said(pool: Pool) -> str:
    """What a pool is, in a line: how many documents of how many, and how they came in."""
    ways = {EVIDENCE: "named by labels", COPY: "with copies of evidence", RUN: _runs(pool)}
    chosen = [f"{len(pool.came_in[way]):,} {says}" for way, says in ways.items() if pool.came_in[way]]
    chosen += [f"{pool.chance:,} of the {pool.rest:,} others by chance"] if pool.rest else []
    return f"a pool of {pool.documents:,} of {pool.whole['documents']:,} documents: {', '.join(chosen)}"


def noted(pool: Pool | None) -> tuple[str, ...]:
    """What whoever reads a corpus should know of it where it is a pool."""
    return () if pool is None else (pool_said(pool),)


def _runs(pool: Pool) -> str:
    names = [run.get("of", "a run") for run in pool.runs]
    return f"among the first {pool.depth} of {' or '.join(map(str, names))}"
