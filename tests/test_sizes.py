"""The highest precision by characters that contexts can have, worked by hand."""

import pytest

import ragdiag
from ragdiag.reports.text import percent

TEXTS = {"a": "x" * 40 + " tide", "b": "y" * 95 + " tide"}


def test_the_most_that_evidence_can_be_of_a_context() -> None:
    queries = [
        {"_id": "short", "text": "tide", "evidence": [{"doc_id": "a", "start": 0, "end": 29}]},
        {"_id": "whole", "text": "tide", "evidence": [{"doc_id": "b", "start": 0, "end": 100}]},
    ]
    report = ragdiag.audit(TEXTS, queries, retriever="bm25", swap="none", k=2, cache=None)
    assert report.pipeline.most_precise == 0.4448  # (29 + 100) / 145 / 2
    assert report.measures["CharP@2"].mean == pytest.approx(0.4448, abs=5e-5)  # both contexts hold all: no more can be had
    one = ragdiag.audit(TEXTS, queries, retriever="bm25", swap="none", k=1, cache=None)
    assert one.pipeline.most_precise == 0.8222  # 29 of the 45 of the first chunk; all of its 45, by a label of 100
    assert "CharP@1 " in str(one) and "is of at most 0.822" in str(one)


def test_a_share_that_rounds_to_nothing_is_not_said() -> None:
    assert [percent(share) for share in (0.0, 0.0004, 0.0006, 0.25)] == ["", "", "0.1%", "25.0%"]
