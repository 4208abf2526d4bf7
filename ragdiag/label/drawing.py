"""What a review starts from: the report of an audit, the queries that it was made with, a file begun earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import MAX_INT, field, parse_json, read_text
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Corpus, Labels, Query, Span
from ragdiag.core.reviews import STRATA, Corrected, place_in_draw, stamp
from ragdiag.core.writing import real
from ragdiag.label.decisions import DecisionFile
from ragdiag.label.pooling import Pool
from ragdiag.label.reviewing import Asked, Draw, Review
from ragdiag.pipeline import inputs_of
from ragdiag.search.nested import retriever_of
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

__all__ = ["open_review"]

ANEW = "make it anew: ragdiag audit CORPUS QUERIES --json REPORT"
"""What to do where a report does not fit."""


def open_review(
    corpus_path: str | Path,
    queries_path: str | Path,
    report_path: str | Path,
    out: str | Path,
    retrievers: Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
    keep: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> tuple[Review, list[str]]:
    """A review of the failing queries of a report, and notes. All queries are copied to `out`, where what is decided goes.

    Raises `UsageError` where there is nothing to ask or `out` is an input, `InputError` for a file that is broken, is in no form
    that alternatives can be added to, or does not belong with the others.
    """
    for spec in retrievers:
        retriever_of(spec)  # a misspelt one should cost no time
    path, notes = Path(out), list[str]()
    if real(path) in {real(name) for name in (corpus_path, queries_path, report_path)}:
        raise UsageError(f"--out {out} would overwrite an input; choose another file")
    report = _report(Path(report_path))
    lines = _lines(Path(queries_path))
    corpus = load_corpus(corpus_path, progress, keep, exclude)
    queries = load_queries(queries_path)
    labels = locate(queries, corpus)
    _check_belongs(report, corpus, labels, Path(report_path))
    file = DecisionFile(path, any_query=True)
    _copy(lines, file, notes)
    draw = _draw(report, file, Path(report_path))
    asked = _asked(report, draw, {query.id: query for query in queries}, corpus, Path(report_path))
    if not asked:
        raise UsageError("no failing query of the report has a chunk in its context that no label judges: nothing to review")
    return Review(Pool(corpus, retrievers, cache, progress), asked, file, lines, draw), notes


def _report(path: Path) -> dict[str, Any]:
    report = parse_json(read_text(path), path)
    if not isinstance(report, dict) or not {"signature", "queries", "inputs", "corrected"} <= report.keys():
        raise InputError("this is not the JSON report of an audit", path, remedy=ANEW)
    for name, kind in (("signature", str), ("queries", list), ("inputs", dict), ("corrected", dict), ("seed", int)):
        field(report, (name,), kind, path, 0)
    if not all(isinstance(row, dict) and isinstance(row.get("unjudged", []), list) for row in report["queries"]):
        raise InputError("its queries are no objects with lists of passages", path, remedy=ANEW)
    if not report["corrected"]:
        raise InputError("its labels are whole documents, which say nothing of a chunk", path, remedy="label passages first")
    return report


def _lines(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a file of queries, by id."""
    if path.is_dir() or path.suffix.lower() not in (".jsonl", ".ndjson"):
        own = "ragdiag label CORPUS QUERIES --out FILE.jsonl writes them so"
        raise InputError("alternatives can be added to queries in ragdiag's own form alone, JSON Lines", path, remedy=own)
    return dict(DecisionFile(path, any_query=True).records)  # type: ignore[arg-type]


def _check_belongs(report: Mapping[str, Any], corpus: Corpus, labels: Labels, path: Path) -> None:
    now, then = inputs_of(corpus, labels), report["inputs"]
    for name, what in (("corpus_sha256", "other documents, or the same read otherwise"), ("queries_sha256", "other queries")):
        if now[name] != then.get(name):
            raise InputError(f"the report is of {what}", path, remedy=f"give those that it was made with, or {ANEW}")


def _copy(lines: Mapping[str, Mapping[str, Any]], file: DecisionFile, notes: list[str]) -> None:
    """Put all queries in the file, as they stand, where it lacks them. Raises `InputError` where it has others of the same id."""
    for name, line in lines.items():
        there = file.records.get(name)
        if there is not None and there.get("text") != line.get("text"):
            message = f"query {name!r} has another text than in the queries"
            raise InputError(message, file.path, file.queries[name].line, "name another file with --out")
    new = [line for name, line in lines.items() if name not in file.records]
    if new:
        file.put(*new)
        notes.append(f"{len(new)} queries copied to {file.path} as they stand: what is decided is added there")


def _draw(report: Mapping[str, Any], file: DecisionFile, path: Path) -> Draw:
    """Goes on with the seed of the reviews that the file has."""
    seeds = {query.review.seed for query in file.queries.values() if query.review and query.review.stratum}
    if len(seeds) > 1:
        raise InputError(f"it holds reviews with the seeds {sorted(seeds)}, which are no one sample", file.path)
    measure, share = next(iter(report["corrected"].items()))
    seed = next(iter(seeds), int(report["seed"]))
    return Draw(measure, _share(share, path), seed, stamp(report["signature"], report["inputs"]))


def _share(record: object, path: Path) -> Corrected:
    """A share of a report as it is corrected so far. Raises `InputError` for what is none."""
    try:
        share = Corrected.of(record)  # type: ignore[arg-type]
        named = all(type(stratum.stratum) is str for stratum in share.strata)
        sound = named and _are_counts(share) and _add_up(share)
    except (TypeError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise InputError("its 'corrected' holds no share of queries", path, remedy=ANEW)
    return share


def _are_counts(share: Corrected) -> bool:
    """Whether what counts something in a share is such a number."""
    counts = [share.n, share.served, share.reviewed, share.open, share.drawn_from, share.seed]
    counts += [count for s in share.strata for count in (s.size, s.sample, s.served, s.open)]
    return all(type(count) is int and 0 <= count <= MAX_INT for count in counts)


def _add_up(share: Corrected) -> bool:
    """Whether the numbers of a share may stand beside each other."""
    ends = [share.mean or 0, share.low, share.high, share.here_low, share.here_high]
    parts = all(s.size >= s.sample >= s.served + s.open for s in share.strata)
    whole = share.n >= share.served + share.drawn_from and share.drawn_from == sum(s.size for s in share.strata)
    return parts and whole and 0 < share.worth <= 2 and all(0 <= end <= 1 for end in ends)


def _asked(report: Mapping[str, Any], draw: Draw, queries: Mapping[str, Query], corpus: Corpus, path: Path) -> list[Asked]:
    """The failing queries of a report that have an unjudged chunk: each stratum in the order of the draw, the strata by turns."""
    strata: dict[str, list[Asked]] = {stratum: [] for stratum in STRATA}
    for row in report["queries"]:
        spans = tuple(_span(passage, corpus, path) for passage in row.get("unjudged", ()))
        if spans and field(row, ("id",), str, path, 0) in queries and row.get("label") != "wide":
            stratum = STRATA[row.get("label") != "doubtful"]
            strata[stratum].append(Asked(queries[row["id"]], spans, stratum))
    for asked in strata.values():
        asked.sort(key=lambda each: place_in_draw(draw.seed, each.query.id))
    return [each for each in chain.from_iterable(zip_longest(*strata.values())) if each is not None]


def _span(passage: object, corpus: Corpus, path: Path) -> Span:
    if not isinstance(passage, dict):
        raise InputError("a passage of its queries is no object", path, remedy=ANEW)
    name, start, end = (field(passage, (key,), kind, path, 0) for key, kind in (("doc_id", str), ("start", int), ("end", int)))
    if name not in corpus.position:
        raise InputError(f"its query has a chunk of the document {name!r}, which is not there", path, remedy=ANEW)
    if not 0 <= start < end <= len(corpus.documents[corpus.position[name]].text):
        raise InputError(f"its query has a chunk [{start}, {end}) that leaves the document {name!r}", path, remedy=ANEW)
    return Span(corpus.position[name], start, end)
