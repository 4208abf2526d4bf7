"""Runs of a whole corpus, cut to what a pool of it holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ragdiag.core.writing import json_lines, write_atomically
from ragdiag.search.runs import Ranking
from ragdiag.search.whole import Found
from ragdiag.sources.pools import file_digest
from ragdiag.sources.stored import record_of

__all__ = ["run_record", "tops_file", "write_run", "write_tops"]


def tops_file(n: int) -> str:
    """The name of the run of what the search number `n`, from 0 on, ranks first in the whole corpus."""
    return f"whole-{n + 1}.jsonl" if n else "whole.jsonl"


def write_run(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write rankings as ``--run`` reads them; of a pipeline's stages the last alone."""
    write_atomically(path, json_lines(({"query_id": r.query_id, **_results(r)} for r in rankings), ascii_only=True))


def _results(ranking: Ranking) -> dict[str, object]:
    if ranking.failed:
        return {"error": "failed"}
    scores = [{} if ranking.listed else {"score": score} for score in ranking.scores]
    return {"retrieved": [record_of(c) | score for c, score in zip(ranking.chunks, scores, strict=True)]}


def write_tops(path: Path, tops: Iterable[tuple[str, Iterable[Found]]]) -> None:
    """Write what a search of the whole ranks first for each query, by its id."""
    write_atomically(
        path, json_lines(({"query_id": q, "retrieved": list(map(_retrieved, found))} for q, found in tops), ascii_only=True)
    )


def _retrieved(found: Found) -> dict[str, object]:
    return {"doc_id": found.doc_id, "start": found.start, "end": found.end, "score": -found.negative_score}


def run_record(path: Path, **more: str) -> dict[str, str]:
    """What a pool's sidecar says of a run that is written beside it."""
    return {"file": path.name, "sha256": file_digest(path), **more}
