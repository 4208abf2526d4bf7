"""Causes on the side of what is indexed with a chunk: proved, not proved where a control does as well, not seen."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragdiag.comparing.remedies import remedies
from ragdiag.core.options import Options
from ragdiag.core.proofs import Finding, Outcome, Standing
from ragdiag.core.records import QueryResult
from ragdiag.diagnosis import causes
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.diagnosis import diagnose
from ragdiag.diagnosis.failures._lent import lend
from ragdiag.diagnosis.failures.too_small import is_small
from ragdiag.diagnosis.modes import modes
from ragdiag.diagnosis.probe import Probe
from ragdiag.pipeline import run_audit
from ragdiag.text.tables import caption, introduction

FIXTURES = Path(__file__).parent.parent / "fixtures" / "failures"

LEASES = FIXTURES / "contextless", "quarry-notice", {"chunker": "paragraph(size=40)", "k": 3}
ROOMS = FIXTURES / "header_lost", "aspen-rate", {"chunker": "recursive(size=40)", "k": 2}
BRIDGE = FIXTURES / "too_small", "hollow-years", {"chunker": "paragraph(size=16)", "k": 4}


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def written(file: Path, records: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return file


def result(world: tuple[Path, str, dict[str, Any]], corpus: Path | None = None, text: str = "", **options: Any) -> QueryResult:
    """The query of a fixture, with another corpus, another text or other options."""
    folder, name, given = world
    queries = folder / "queries.jsonl"
    if corpus is not None or text:
        known = [row | ({"text": text} if text else {}) for row in rows(queries) if row["_id"] == name]
        queries = written((corpus or Path()).parent / "queries.jsonl", known)
    made = run_audit(
        corpus or folder / "corpus.jsonl", queries, Options(**{"retriever": "bm25", "cache": None, **given, **options})
    )
    return next(q for q in made.report.queries if q.id == name)


def case_of(world: tuple[Path, str, dict[str, Any]], patch: pytest.MonkeyPatch) -> Case:
    """The query of a fixture as a failure mode sees it."""
    cases = list[Case]()

    def watched(given: Sequence[Case], probe: Probe | None, progress: Any, asked: Any = None) -> Any:
        cases.extend(given)
        return diagnose(given, probe, progress, asked)

    patch.setattr(causes, "diagnose", watched)
    result(world)
    return next(c for c in cases if c.query.id == world[1])


def finding(query: QueryResult, cause: str) -> Finding | None:
    return next((f for f in query.findings if f.cause == cause), None)


def test_a_title_that_names_the_subject_proves_contextless_and_says_wrong_document() -> None:
    found = finding(result(LEASES), "contextless")
    assert found is not None and found.proved
    assert found.detail["kind"] == "title" and found.detail["wrong_document"]
    assert set(found.detail["words"]["title"]) == {"quarry", "side", "depot"}
    assert found.control is not None and (found.control.tried, found.control.as_well) == (20, 0)
    assert "--context title" in found.fix and "filter by document" in found.fix


def test_the_act_serves_the_query_when_it_is_really_made() -> None:
    assert not result(LEASES).served
    assert result(LEASES, context="title").served


def test_rivals_get_their_titles_too(tmp_path: Path) -> None:
    corpus = rows(LEASES[0] / "corpus.jsonl")
    for row in corpus:  # several leases of the same place: a title brings in all of them alike
        if row["_id"] in ("alder", "birch", "cedar", "dale", "elm", "fern", "glebe", "holly", "ivy", "juniper", "larch", "mill"):
            row["title"] = f"Quarry Side depot, lease {row['_id']}"
    query = result(LEASES, written(tmp_path / "corpus.jsonl", corpus))
    found = finding(query, "contextless")
    assert found is not None and not found.proved and "contextless" not in query.causes


def test_few_other_titles_are_no_control(tmp_path: Path) -> None:
    corpus = rows(LEASES[0] / "corpus.jsonl")
    for row in corpus:
        row["title"] = row["title"] if row["_id"] in ("quarry", "yew", "elm") else "Lease"
    found = finding(result(LEASES, written(tmp_path / "corpus.jsonl", corpus)), "contextless")
    assert found is not None and not found.proved
    assert found.control is not None and found.control.p is not None and found.control.p > 0.05


def test_what_is_indexed_already_is_not_tried() -> None:
    query = result(LEASES, context="heading", k=1, text="", chunker="paragraph(size=40)")
    assert finding(query, "contextless") is None


def test_a_subject_that_stands_nowhere_round_the_evidence_is_not_seen(tmp_path: Path) -> None:
    corpus = rows(LEASES[0] / "corpus.jsonl")
    for row in corpus:
        row["title"] = ""
    assert finding(result(LEASES, written(tmp_path / "corpus.jsonl", corpus)), "contextless") is None


def test_a_header_given_back_proves_header_lost() -> None:
    found = finding(result(ROOMS), "header_lost")
    assert found is not None and found.proved
    (chunk,) = found.detail["chunks"]
    assert chunk["kind"] == "table" and chunk["header"] == "| room | seats | wheelchair access | daily rate |"
    assert found.control is not None and (found.control.tried, found.control.as_well) == (20, 0)


def test_other_lines_that_do_as_well_take_the_proof_of_a_header(tmp_path: Path) -> None:
    corpus = rows(ROOMS[0] / "corpus.jsonl")
    for row in corpus:
        if row["_id"] == "rooms":  # every other line of the page has the words of the header
            row["text"] += "".join(f"\n\nThe wheelchair access, daily rate {i}." for i in range(30))
    found = finding(result(ROOMS, written(tmp_path / "corpus.jsonl", corpus), k=2), "header_lost")
    assert found is not None and not found.proved
    assert found.control is not None and found.control.as_well > 0


def rooms_of_houses(tmp_path: Path) -> Path:
    """The rooms of several houses under the same header: only the line above it says which house."""
    corpus = rows(ROOMS[0] / "corpus.jsonl")
    (own,) = (row for row in corpus if row["_id"] == "rooms")
    for i, house in enumerate(("Elm", "Oak", "Ash", "Fir"), 62):
        text = own["text"].replace(
            "# Rooms to let\n\nRooms are let by the day. Keys are at the desk.", f"Rooms of {house} House:"
        )
        corpus.append({"_id": house.lower(), "title": "", "text": text.replace("$42", f"${i}")})
    return written(tmp_path / "corpus.jsonl", corpus)


def test_what_stands_above_a_table_is_given_back_where_its_header_is_not_enough(tmp_path: Path) -> None:
    corpus = rooms_of_houses(tmp_path)
    text = next(row["text"] for row in rows(corpus) if row["_id"] == "oak")
    line = "| Aspen lounge 9 | 18 | no | $63 |"
    start = text.index(line)
    asked = {"_id": "aspen-rate", "text": "what is the daily rate of the aspen lounge 9 in Oak House", "evidence": [
        {"doc_id": "oak", "start": start, "end": start + len(line), "text": line}
    ]}  # fmt: skip
    queries = written(tmp_path / "queries.jsonl", [asked])
    made = run_audit(corpus, queries, Options(retriever="bm25", cache=None, **ROOMS[2]))
    (query,) = made.report.queries
    found = finding(query, "header_lost")
    assert found is not None and found.proved and query.causes[0] == "header_lost"
    assert "what stands above" in found.intervention and found.detail["chunks"][0]["above"] == "Rooms of Oak House:"
    assert finding(query, "too_small") is None  # a longer chunk would lend it the same words


def test_a_row_whose_header_stands_in_its_chunk_is_not_seen() -> None:
    query = result(ROOMS, chunker="recursive(size=400)")
    assert finding(query, "header_lost") is None


def test_a_header_without_words_of_the_query_is_not_seen(tmp_path: Path) -> None:
    corpus = rows(ROOMS[0] / "corpus.jsonl")
    for row in corpus:
        row["text"] = row["text"].replace("| room | seats | wheelchair access | daily rate |", "| a | b | c | d |")
    assert finding(result(ROOMS, written(tmp_path / "corpus.jsonl", corpus)), "header_lost") is None


def test_longer_windows_prove_too_small() -> None:
    found = finding(result(BRIDGE), "too_small")
    assert found is not None and found.proved and found.detail["times"] == 2
    assert found.control is not None and (found.control.tried, found.control.as_well) == (19, 0)


def test_a_subject_far_away_is_no_matter_of_size(tmp_path: Path) -> None:
    corpus = rows(BRIDGE[0] / "corpus.jsonl")
    for row in corpus:
        row["text"] = row["text"].replace("In spring came the masons of Tarn.", "In spring came others.")
    assert finding(result(BRIDGE, written(tmp_path / "corpus.jsonl", corpus)), "too_small") is None


def test_a_chunk_as_long_as_is_usual_is_not_called_small(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(BRIDGE, monkeypatch)
    (chunk,) = case.evidence
    length = case.setting.span(chunk).end - case.setting.span(chunk).start
    monkeypatch.setattr(case.setting, "typical", 10_000)
    assert is_small(case, chunk) and is_small(case, chunk, usual=0.75)
    monkeypatch.setattr(case.setting, "typical", length)
    assert is_small(case, chunk)  # the whole index is of small chunks
    assert not is_small(case, chunk, most=2) and not is_small(case, chunk, usual=0.75)


def test_what_neighbours_lend_a_chunk_far_below_the_usual_size_is_no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    case, mode = case_of(BRIDGE, monkeypatch), modes()["contextless"].strategy
    seen = mode.observe(case)
    assert seen is None or "neighbours" not in seen.detail["words"]
    monkeypatch.setattr(case.setting, "typical", 1)
    seen = mode.observe(case)
    assert seen is not None and "tarn" in seen.detail["words"]["neighbours"]


@pytest.mark.parametrize(
    ("as_well", "proved"),
    [
        ((0, 0), True),
        ((1, 0, 0, 0), True),
        ((1, 0, 1, 0, 0, 0), True),
        ((3,), False),
        ((1, 2), False),
        ((0, 1, 1, 0, 0, 1), False),
    ],
)
def test_controls_are_asked_for_in_parts_until_these_tell(
    as_well: tuple[int, ...], proved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """p = (1 + as well) / (1 + tried): 1 / 21, 2 / 41, 3 / 61; with 3 of 60 it would be 4 / 61, more than .05."""
    case = case_of(LEASES, monkeypatch)
    chunk, order = min(case.evidence), np.array([len(case.setting.chunking)])
    served, missed = Outcome(Standing(1, True), (1,), order), Outcome(Standing(None, False), (None,), order)
    asking = lend(case, [chunk], lambda c: f"text {c}", lambda n: [lambda c: "other"] * n, "others")
    next(asking)
    asking.send([served])
    asked = asking.send([served])
    with pytest.raises(StopIteration) as stop:
        for n in as_well:
            assert len(asked) == 10
            asked = asking.send([served] * n + [missed] * (10 - n))
    told = stop.value.value
    assert told.control.tried == 10 * len(as_well) and told.control.as_well == sum(as_well) and told.proved is proved


def test_large_chunks_are_not_called_small() -> None:
    query = result(BRIDGE, chunker="fixed(size=200)")
    assert finding(query, "too_small") is None


@pytest.mark.parametrize(("as_well", "proved"), [(0, True), (1, False), (19, False)])
def test_longer_windows_that_lift_anything_prove_nothing(as_well: int, proved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    case, mode = case_of(BRIDGE, monkeypatch), modes()["too_small"].strategy
    seen = mode.observe(case)
    assert seen is not None
    trial, first = mode.prove(case, seen), np.array([len(case.setting.chunking)])
    served = Outcome(Standing(1, True), (1,), first)
    assert len(next(trial)) == 1  # the evidence alone
    assert len(trial.send([served])) == 3  # with its rivals, in each way to place it
    assert len(trial.send([served] * 3)) == 19
    with pytest.raises(StopIteration) as stop:
        trial.send([Outcome(Standing(None, False), (1 if i < as_well else None,), first) for i in range(19)])
    assert stop.value.value.proved is proved
    assert (stop.value.value.control.tried, stop.value.value.control.as_well) == (19, as_well)


@pytest.mark.parametrize(("ways", "proved"), [(1, False), (2, True)])
def test_longer_windows_must_do_wherever_most_boundaries_fall(ways: int, proved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    case, mode = case_of(BRIDGE, monkeypatch), modes()["too_small"].strategy
    seen = mode.observe(case)
    assert seen is not None
    trial, first = mode.prove(case, seen), np.array([len(case.setting.chunking)])
    served, missed = Outcome(Standing(1, True), (1,), first), Outcome(Standing(None, False), (None,), first)
    next(trial)
    trial.send([served])
    try:
        asked = trial.send([served] * ways + [missed] * (3 - ways))
        while True:  # the control, or longer windows still
            asked = trial.send([missed] * len(asked))
    except StopIteration as stop:
        assert stop.value.proved is proved


def test_each_points_to_a_setting_that_can_be_deployed() -> None:
    base = Options(chunker="sentence(size=40)", retriever="bm25")
    tried = remedies(base, ["contextless", "too_small"])
    assert {o.context for o in tried} >= {"title", "heading", "neighbours"}
    assert {o.chunker for o in tried} >= {"sentence(size=80)", "sentence"}  # 160 is its default


@pytest.mark.parametrize(
    "text, line, header",
    [
        ("| A | B |\n|---|---|\n| x | 1 |\n| y | 2 |", "| y", "| A | B |"),
        ("Year | Sum\n2019 | 2\n2020 | 4", "2020", "Year | Sum"),
        ("Year | Sum\n2019 | 2\n2020 | 4", "2019", "Year | Sum"),  # the first row
        ("Year | Sum\n2019 | 2", "2019", None),  # two lines are no table
        ("2018 | 1\n2019 | 2\n2020 | 4", "2020", None),  # the first row is one of data
        ("| A | B |\n|---|---|\n| x | 1 |", "| A", None),  # the header itself
        ("You need:\n\n- a\n- b\n  more\n- c", "- c", "You need:"),
        ("You need it.\n\n- a\n- b", "- b", None),  # nothing introduces it
        ("name,year,sum\na,1,2\nb,3,4", "b,3", "name,year,sum"),
        ("Ann, Bea, Cy came.\nDan, Eve, Flo went.\nGus, Hal, Ida sat.", "Gus", None),  # sentences
        ("Plain words.\nMore of them.", "More", None),
    ],
)
def test_what_introduces_a_line(text: str, line: str, header: str | None) -> None:
    known = introduction(text, text.index(line))
    assert (None if known is None else text[known[0] : known[1]]) == header


@pytest.mark.parametrize(
    ("text", "header", "above"),
    [
        ("# Rates\n\n| A | B |\n|---|---|\n| x | 1 |", "| A", "# Rates"),
        ("Long ago.\n\nRates of Oak House,\nby the day:\nYear | Sum\n2019 | 2", "Year", "Rates of Oak House,\nby the day:"),
        ("| A | B |\n|---|---|\n| x | 1 |", "| A", None),  # nothing stands above it
        ("x | 1\n\nYear | Sum\n2019 | 2", "Year", None),  # the end of another table
        ("- a\n\nYear | Sum\n2019 | 2", "Year", None),  # of a list
        ("word " * 100 + "\n\nYear | Sum\n2019 | 2", "Year", None),  # tells something of its own
    ],
)
def test_what_stands_above_a_header(text: str, header: str, above: str | None) -> None:
    found = caption(text, text.index(header))
    assert (text[slice(*found)] if found else None) == above
