"""BEIR: ``queries.jsonl`` for all splits, and the qrels of one, which say which queries count."""

from __future__ import annotations

from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.records import Query
from ragdiag.sources.queries import own
from ragdiag.sources.queries._common import Sample
from ragdiag.sources.queries._qrels import judged

__all__ = ["FORM", "fits", "read"]

FORM = "a BEIR folder (queries.jsonl, qrels/)"


def fits(sample: Sample) -> bool:
    """Whether these are queries without labels of their own, with qrels given or in a folder ``qrels`` beside them."""
    beside = sample.qrels is not None or (sample.path.parent / "qrels").is_dir()
    return beside and own.fits(sample) and not own.has_labels(sample.path)


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read the judged queries, their `relevant` filled; without `qrels`, those beside `path`, the test split first."""
    queries = judged(own.read(path), qrels or _beside(path))
    return [query for query in queries if query.relevant]


def _beside(path: Path) -> Path:
    folder = path.parent / "qrels"
    splits = sorted(folder.glob("*.tsv"))
    test = folder / "test.tsv"
    if test in splits:
        return test
    if len(splits) == 1:
        return splits[0]
    names = ", ".join(split.name for split in splits) or "no .tsv file"
    raise InputError(f"holds {names}, and no test.tsv", folder, remedy="say which judgements count with --qrels FILE")
