"""A store that was filled several times: copies of the evidence itself crowd out what else the query needs."""

import json
from pathlib import Path

import pytest

from ragdiag.core.options import Options
from ragdiag.core.records import QueryResult
from ragdiag.pipeline import run_audit

PAGES = {
    "ferry.md": "The ferry to Holm leaves the north pier at nine.",
    "holm.md": "Holm is an island whose ferry pier floods in March.",
    "lamp.md": "The keeper of the lamp lives on Holm.",
    "rye.md": "Rye bread is baked in the village on Fridays.",
    "mill.md": "The mill grinds barley and oats.",
}


def audited(folder: Path, times: int) -> QueryResult:
    """A query that needs two pages, where each page is indexed so many times."""
    queries = {
        "_id": "q",
        "text": "at what hour does the ferry to Holm leave its north pier; in March the island pier floods",
        "evidence": [{"doc_id": name, "text": PAGES[name]} for name in ("ferry.md", "holm.md")],
    }
    chunks = [
        {"chunk_id": f"{name}-{i}", "doc_id": name, "start": 0, "end": len(text)}
        for name, text in PAGES.items()
        for i in range(times)
    ]
    for name, rows in (
        ("corpus.jsonl", [{"_id": name, "text": text} for name, text in PAGES.items()]),
        ("queries.jsonl", [queries]),
        ("chunks.jsonl", chunks),
    ):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = Options(retriever="bm25", swap="none", k=3, chunks=str(folder / "chunks.jsonl"), cache=None)
    (query,) = run_audit(folder / "corpus.jsonl", folder / "queries.jsonl", options).report.queries
    return query


@pytest.mark.parametrize("times", [3, 6])
def test_copies_of_one_passage_of_the_evidence_crowd_out_the_other(times: int, tmp_path: Path) -> None:
    query = audited(tmp_path, times)
    assert query.served is False and query.causes == ("crowded_out",)
    found = next(f for f in query.findings if f.cause == "crowded_out")
    (cluster,) = found.detail["clusters"]
    assert cluster["first"]["rank"] == 1 and [c["rank"] for c in cluster["repeats"]] == list(range(2, times + 1))
    assert found.before.rank == times + 1 and found.after.rank == 2


def test_each_page_once(tmp_path: Path) -> None:
    assert audited(tmp_path, 1).served
