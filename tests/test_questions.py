"""What questions leave open: a second page that only the first one names, and what they do not say."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ragdiag.core.options import Options
from ragdiag.core.records import QueryResult
from ragdiag.pipeline import run_audit

PAGES = {
    "Rome Protocols": "The Rome Protocols were signed by Engelbert Dollfuss, Gyula Gombos, Benito Mussolini and Pietro Badoglio.",
    "Engelbert Dollfuss": "Engelbert Dollfuss, chancellor, shot in July: a coup.",
    "Gyula Gombos": "Gyula Gombos, general.",
    "Benito Mussolini": "Benito Mussolini, once with a newspaper.",
    "Pietro Badoglio": "Pietro Badoglio, marshal.",
    **{f"Ministers {n}": f"One of three prime ministers was killed as part of what came in year {n}." for n in range(2)},
}
"""The first names all others, and the question names the first."""


def asked(folder: Path, pages: Mapping[str, str], query: str, evidence: list[tuple[str, str]], k: int = 3) -> QueryResult:
    """A query against pages, each with a title and one chunk."""
    rows = [{"_id": title, "title": title, "text": text} for title, text in pages.items()]
    labels = [{"doc_id": name, "text": text} for name, text in evidence]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": query, "evidence": labels}) + "\n", encoding="utf-8")
    options = Options(retriever="bm25", swap="none", k=k, cache=None)
    (result,) = run_audit(folder / "corpus.jsonl", folder / "queries.jsonl", options).report.queries
    return result


TWO = [
    ("Rome Protocols", "The Rome Protocols were signed by Engelbert Dollfuss"),
    ("Engelbert Dollfuss", "shot in July: a coup"),
]
HOP = "The Rome Protocols were signed by three prime ministers, one of whom was killed as part of what?"


def test_a_page_that_was_found_names_the_one_to_search_for_next(tmp_path: Path) -> None:
    result = asked(tmp_path, PAGES, HOP, TWO, k=4)
    (found,) = (f for f in result.findings if f.cause == "incomplete")
    assert found.detail["second_search"] == "Engelbert Dollfuss" and found.detail["second_rank"] <= 4
    assert "search again with what the first search found" in found.fix and found.residual
    assert found.control is not None and found.control.tried == 3 and not found.control.as_well


def test_a_page_that_no_chunk_names_is_not_searched_for(tmp_path: Path) -> None:
    unnamed = PAGES | {"Rome Protocols": "The Rome Protocols were signed by a chancellor and by two others, it is said."}
    label = [("Rome Protocols", "signed by a chancellor"), TWO[1]]
    assert not any("second_search" in f.detail for f in asked(tmp_path, unnamed, HOP, label).findings)


STUDIES = {f"{name} in the bay": f"{text} This study of the bay shows it." for name, text in {
    "Herring": "Herring spawn later than before, and herring are small.",
    "Eelgrass": "Eelgrass grows back where boats are slow.",
    "Gulls": "Gulls keep away from covers for a week.",
    "Crabs": "Crabs come back to the harbour.",
    "Seals": "Seals fear the drone.",
    "Terns": "Terns lost their nests.",
    "Mussels": "Mussels weigh twice as much.",
    "Reeds": "Reeds take nitrate.",
}.items()}  # fmt: skip


@pytest.mark.parametrize(
    "query, unspecific", [("what does this study show", True), ("what does this study show of spawning fish", False)]
)
def test_a_question_that_names_nothing_is_served_by_the_title_of_its_document(
    tmp_path: Path, query: str, unspecific: bool
) -> None:
    result = asked(tmp_path, STUDIES, query, [("Herring in the bay", "herring are small")], k=1)
    found = [f for f in result.findings if f.cause == "unspecific"]
    assert bool(found) == unspecific
    if unspecific:
        (finding,) = found
        assert finding.proved and finding.edit.query == f"{query} Herring in the bay"
        assert finding.control is not None and finding.control.tried == 7 and not finding.control.as_well
        assert not finding.residual


@pytest.mark.parametrize("titled", [True, False])
def test_a_question_that_names_nothing_is_a_hint_where_its_title_does_not_serve_it(tmp_path: Path, titled: bool) -> None:
    pages = {name: f"{text} The study of the bay: herring in the bay, herring." for name, text in STUDIES.items()}
    pages |= {"Herring in the bay": "It was made late in the year."}  # nothing of what is asked
    named = pages if titled else {f"p{i}": text for i, text in enumerate(pages.values())}
    own = next(name for name, text in named.items() if "late in" in text)
    result = asked(tmp_path, named, "what does this study show", [(own, "made late in the year")], k=1)
    (found,) = (f for f in result.findings if f.cause == "unspecific")
    assert found.proved and found.residual and not found.after.sufficient
    assert result.causes == ("unspecific",) and result.residual == {"unspecific"}
