"""Making a pool of a corpus that is too large to audit: the documents of labels and of runs, and some of the rest by chance.

The corpus is read once, and twice where bm25 searches it; of its documents only those of the pool are kept. What searches it may
be done by an engine's workers, shard by shard.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.cache import opened
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.pools import COPY, EVIDENCE, RUN, SAMPLE, Pool
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Document, Problem, Query, StoredChunk
from ragdiag.core.writing import real
from ragdiag.search.pool_runs import run_record, tops_file, write_run, write_tops
from ragdiag.search.recorded import recorded
from ragdiag.search.runs import Ranking
from ragdiag.search.whole import Whole
from ragdiag.sources.corpus import stream_corpus
from ragdiag.sources.evidence import find_all, is_a_passage
from ragdiag.sources.pools import CORPUS, begin_pool, file_digest, queries_digest, write_pool
from ragdiag.sources.queries import load_queries
from ragdiag.sources.stored import HintedChunk, names_of
from ragdiag.text.unicode import normalize

__all__ = ["make_pool"]

SHARD, EMBEDDED = 2**23, 2**20
"""Characters of the corpus that are looked at together; the second where they are embedded, which takes a minute or less."""

ORDER = (EVIDENCE, COPY, RUN)
"""How documents come in that are chosen: what holds first of one is told."""


class _Wish(NamedTuple):
    """A document that a pool is to hold, by what may name it or by passages that it has."""

    way: str
    names: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def make_pool(
    corpus: str | Path,
    queries: str | Path,
    out: str | Path,
    *,
    runs: Sequence[str | Path] = (),
    tops: Sequence[str] = (),
    chunker: str = "sentence",
    depth: int = 100,
    sample: int = 1000,
    seed: int = 0,
    qrels: str | Path | None = None,
    keep: Sequence[str] = (),
    exclude: Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
) -> Pool:
    """Write a pool of `corpus` for `queries` to the folder `out`, and return what is known of it.

    It holds the documents that labels name and exact copies of labelled passages; those of the first `depth` results of each
    query in `runs`, files of rankings of the whole corpus; those that the retrievers `tops` (specs, see `whole.Whole`) rank first
    in the whole corpus cut by `chunker`; and `sample` of all others, each as likely as any other, by a hash of its id with
    `seed`. What an encoder ranks first in a shard is kept in the `cache`: what was interrupted goes on from there.

    Raises `InputError` for what cannot be read, `UsageError` for a folder that holds something else or a value of no use.
    """
    _check(depth, sample, seed)
    folder, asked = _folder(Path(out), Path(corpus)), load_queries(queries, qrels)
    rankings = {Path(run): _rankings(Path(run), asked, depth) for run in runs}
    searched = [query for query in asked if query.text.strip()]
    whole = Whole(tops, chunker, [query.text for query in searched], depth, opened(cache), progress)
    results = dict.fromkeys(chunk for of in rankings.values() for ranking in of for chunk in ranking.chunks)
    gathered = _Gathered([*_labelled(asked), *map(_ranked, results)], sample, seed)
    stream = _Stream(Path(corpus), keep, exclude, EMBEDDED if whole.embeds else SHARD, progress)
    _gather(stream, whole, gathered)
    begin_pool(folder)
    records = _runs_written(folder, rankings)
    first, of_tops = _tops_written(folder, whole, tops, [query.id for query in searched], chunker)
    return _written(folder, gathered, first, stream.problems, asked, records + of_tops, depth, seed, whole.chunks)


def _check(depth: int, sample: int, seed: int) -> None:
    if depth < 1 or sample < 0 or seed < 0:
        raise UsageError(f"depth must be 1 or more, sample and seed 0 or more, not {depth}, {sample}, {seed}")


def _rankings(run: Path, asked: Sequence[Query], depth: int) -> list[Ranking]:
    """What a run ranks first for the queries."""
    named = {query.id for query in asked}
    rankings = (r for r in recorded(run, asked).rankings if r.query_id in named)
    return [r._replace(chunks=r.chunks[:depth], scores=r.scores[:depth]) for r in rankings]


def _gather(stream: _Stream, whole: Whole, gathered: _Gathered) -> None:
    """Let the corpus go by: once, and once before that where its terms are counted."""
    if whole.counts:
        whole.count(stream.shards("counting terms"))
    shards = stream.shards("choosing documents")
    for shard in whole.rank(shards) if whole.searches else shards:
        gathered.add(shard, whole.standing())


def _runs_written(folder: Path, rankings: Mapping[Path, Sequence[Ranking]]) -> list[dict[str, str]]:
    """Write the runs beside the pool; what its sidecar says of them."""
    records = []
    for n, (run, of) in enumerate(rankings.items(), 1):
        write_run(folder / f"run-{n}.jsonl", of)
        records.append(run_record(folder / f"run-{n}.jsonl", of=run.name, of_sha256=file_digest(run)))
    return records


def _tops_written(
    folder: Path, whole: Whole, tops: Sequence[str], queries: Sequence[str], chunker: str
) -> tuple[set[str], list[dict[str, str]]]:
    """Write what the searches of the whole rank first; the documents that this names, and what the sidecar says of it."""
    named, records = set[str](), []
    for n, spec in enumerate(tops):
        ranking, file = whole.first(n), folder / tops_file(n)
        named |= {found.doc_id for of_query in ranking for found in of_query}
        write_tops(file, zip(queries, ranking, strict=True))
        records.append(run_record(file, of=spec, chunker=chunker, **whole.described(n)))
    return named, records


def _folder(out: Path, corpus: Path) -> Path:
    """The folder to write to: a new one, an empty one, or one of an earlier pool; never the corpus'. Raises `UsageError`."""
    if real(out) in (real(corpus), *real(corpus).parents):
        raise UsageError(f"--out {out} would overwrite the corpus; name another folder")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; name a folder")
    if out.is_dir() and not (out / "pool.json").exists() and any(out.iterdir()):
        raise UsageError(f"--out {out} holds other files; name a new folder")
    return out


class _Stream:
    """A corpus that is read again and again; `problems` are those of the last time."""

    def __init__(self, path: Path, keep: Sequence[str], exclude: Sequence[str], size: int, progress: Progress) -> None:
        self.problems: list[Problem] = []
        self._given, self._size, self._bytes, self._progress = (path, keep, exclude), size, _bytes(path), progress

    def shards(self, what: str) -> Iterator[list[Document]]:
        """All documents, so many together that their texts have `size` characters."""
        path, keep, exclude = self._given
        self.problems.clear()
        shard, size, done, characters = list[Document](), 0, 0, 0
        for document in stream_corpus(path, self.problems, keep, exclude):
            shard.append(document)
            size += len(document.text)
            if size >= self._size:
                done, characters = done + len(shard), characters + size
                yield shard
                self._progress(what, done, max(done + 1, round(done * self._bytes / characters)))
                shard, size = [], 0
        if shard:
            yield shard
        self._progress(what, done + len(shard), done + len(shard))


def _bytes(corpus: Path) -> int:
    """The size of the one file that a corpus is, by which what is left of it is estimated; 0 for a folder of documents."""
    records = corpus / CORPUS if corpus.is_dir() else corpus
    return records.stat().st_size if records.is_file() else 0


class _Gathered:
    """Documents of the pool as the corpus goes by: `chosen` for good, the tops and the sample as they stand."""

    def __init__(self, wishes: Sequence[_Wish], sample: int, seed: int) -> None:
        self.chosen: dict[str, tuple[str, Document]] = {}
        self._tops: dict[str, Document] = {}
        self.documents, self.characters, self._digest = 0, 0, 0
        self._wishes, self._sample, self._key = list(dict.fromkeys(wishes)), sample, b"ragdiag pool %d" % seed
        self._met: set[int] = set()
        self._by_name: dict[str, list[int]] = {}
        self._by_passage: dict[str, list[int]] = {}
        for i, wish in enumerate(self._wishes):
            for name in wish.names:
                self._by_name.setdefault(_composed(name), []).append(i)
            for passage in wish.passages:
                self._by_passage.setdefault(passage, []).append(i)
        self._drawn: dict[str, Document] = {}
        self._hashes: list[tuple[int, str]] = []  # theirs, a heap with the greatest first

    def add(self, shard: Sequence[Document], tops: Collection[str]) -> None:
        """Take what is wanted of a shard; `tops` are the documents that are ranked first of all that went by, by id."""
        wanted: dict[int, set[int]] = {i: set(self._by_name.get(_composed(d.id), ())) for i, d in enumerate(shard)}
        passages = list(self._by_passage)
        for which, place in find_all(shard, passages) if passages else ():
            wanted[place.document].update(self._by_passage[passages[which]])
        for i, document in enumerate(shard):
            self._count(document)
            self._met |= wanted[i]
            if ways := {self._wishes[w].way for w in wanted[i]}:
                self._choose(min(ways, key=ORDER.index), document)
            else:
                self._draw(document)
        there = self._tops | {document.id: document for document in shard}
        self._tops = {name: there[name] for name in tops}

    def _count(self, document: Document) -> None:
        self.documents += 1
        self.characters += len(document.text)
        parts = (part.encode("utf-8", "surrogatepass") for part in (document.id, document.title, document.text))
        digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "little") + part for part in parts)).digest()
        self._digest = (self._digest + int.from_bytes(digest, "big")) % 2**256  # a sum knows no order

    def _choose(self, way: str, document: Document) -> None:
        _, known = self.chosen.setdefault(document.id, (way, document))
        self._check_same(known, document)

    def _draw(self, document: Document) -> None:
        """Keep the documents with the smallest hashes, in whatever order they come: each is as likely as any other."""
        name = document.id
        if name in self._drawn:
            self._check_same(self._drawn[name], document)
            return
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        heapq.heappush(self._hashes, (-int.from_bytes(digest, "big"), name))
        self._drawn[name] = document
        if len(self._hashes) > self._sample:
            del self._drawn[heapq.heappop(self._hashes)[1]]

    def ways(self, tops: Collection[str]) -> dict[str, tuple[str, Document]]:
        """Every document of the pool, by its id, with how it came in; of those that were ranked first `tops`."""
        drawn = {name: (SAMPLE, document) for name, document in self._drawn.items()}
        return drawn | {name: (RUN, self._tops[name]) for name in tops} | self.chosen

    @property
    def digest(self) -> str:
        """A hash of all documents that went by, in whatever order they did."""
        return f"{self._digest:064x}"

    def unmet(self) -> list[str]:
        """What labels and runs name and no document was."""
        missed = (wish for i, wish in enumerate(self._wishes) if i not in self._met and wish.names)
        return sorted({wish.names[0] for wish in missed})

    def _check_same(self, known: Document, document: Document) -> None:
        if known != document:
            message = f"_id {document.id!r} is that of another document as well"
            raise InputError(message, document.file, remedy="give each its own")


def _composed(name: str) -> str:
    return normalize("NFC", name)


def _labelled(queries: Sequence[Query]) -> Iterator[_Wish]:
    """What labels ask for: their documents, and exact copies of their passages."""
    for query in queries:
        yield from (_Wish(EVIDENCE, (name,)) for name, grade in query.relevant if grade > 0)
        for label in query.evidence:
            text = label.text.strip()
            names = (label.doc_id,) if label.doc_id else ()
            source = label.doc_text if label.doc_text.strip() or names else text
            yield _Wish(EVIDENCE, names, (source,) if source.strip() else ())
            if is_a_passage(text):
                yield _Wish(COPY, (), (text,))


def _ranked(chunk: StoredChunk) -> _Wish:
    """What a result of a run asks for: its document by any name that it gives, else by its text."""
    of_id = (chunk.id, chunk.id.rpartition("#")[0]) if chunk.id and not chunk.doc_id else ()
    names = tuple(dict.fromkeys(name for name in (*names_of(chunk), *of_id) if name))
    sure = chunk.doc_id and (not isinstance(chunk, HintedChunk) or chunk.strict)
    return _Wish(RUN, names, () if sure or not chunk.text.strip() else (chunk.text.strip(),))


def _written(
    folder: Path,
    gathered: _Gathered,
    tops: Collection[str],
    problems: Sequence[Problem],
    queries: Sequence[Query],
    runs: Sequence[dict[str, str]],
    depth: int,
    seed: int,
    chunks: int,
) -> Pool:
    """The pool, written."""
    ways = gathered.ways(tops)
    if not ways:
        raise InputError("holds no documents", folder, remedy="check the corpus")
    came_in = {way: tuple(sorted(n for n, (of, _) in ways.items() if of == way)) for way in (*ORDER, SAMPLE)}
    whole: dict[str, int | str] = {
        "documents": gathered.documents,
        "characters": gathered.characters,
        "digest": gathered.digest,
        "unreadable": len(problems),
    }
    if chunks:
        whole["chunks"] = chunks
    rest = gathered.documents - len(ways) + len(came_in[SAMPLE])
    pool = Pool(whole, came_in, tuple(runs), depth, seed, rest, queries_digest(queries), "", tuple(gathered.unmet()))
    return write_pool(folder, pool, [ways[name][1] for name in sorted(ways)])
