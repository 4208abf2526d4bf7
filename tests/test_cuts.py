"""What must be held of a label, when a control is looked at twice, what fits in a chunk, and when passages may each do."""

import copy
import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import pytest

from ragdiag.core.options import Options
from ragdiag.core.proofs import Finding, Outcome, Standing
from ragdiag.core.records import Span
from ragdiag.diagnosis import causes
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.diagnosis import diagnose
from ragdiag.diagnosis.failures._passages import fits
from ragdiag.diagnosis.failures.chunk_split import ChunkSplit
from ragdiag.diagnosis.failures.oversized import Oversized
from ragdiag.diagnosis.needs import says_nothing
from ragdiag.pipeline import audit, run_audit

SPLIT = Path(__file__).parent.parent / "fixtures" / "failures" / "chunk_split"


@functools.cache
def cut_case() -> Case:
    """A query whose evidence is cut where "On the next ‖ working day" is."""
    seen: list[Case] = []

    def watched(cases: Any, *others: Any) -> Any:
        seen.extend(cases)
        return diagnose(cases, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causes, "diagnose", watched)
        run_audit(SPLIT / "corpus", SPLIT / "queries.jsonl", Options("fixed(size=52)", retriever="bm25", k=2, cache=None))
    return next(case for case in seen if case.query.id == "abroad-late")


@pytest.mark.parametrize(
    "text, nothing",
    [
        (". ", True),
        ("Delta types\n\n\n", True),
        ("## Rate limits\n", True),
        ("and the\n- ", True),
        ("May 10th, 2024\n\n", False),
        ("The limit is raised on request.\n\n", False),
        ("| name | price |\n\n", False),
        ("a closing word", False),
    ],
)
def test_headings_marks_and_function_words_say_nothing(text: str, nothing: bool) -> None:
    assert says_nothing(text) == nothing


def narrowed(case: Case, answer: Span) -> Case:
    groups = [group.spans for group in case.groups]
    return Case(case.setting, 0, case.query, case.level, groups, case.ranking, case.length, answers={1: (answer,)})


def test_a_cut_that_loses_nothing_of_what_answers_is_no_split() -> None:
    case = cut_case()
    assert ChunkSplit().observe(case) is not None
    (label,) = case.groups[0].spans
    text = case.setting.text(label)
    tail = Span(label.document, label.start + text.index("a payment abroad leaves"), label.end)
    held = narrowed(case, tail)
    assert held.groups[0].needed == (tail,) and ChunkSplit().observe(held) is None
    assert held.standing.sufficient == case.standing.sufficient is False, "what answers is served: it stands by its label"
    assert held.answered


def test_a_cut_through_what_answers_is_a_split() -> None:
    case = cut_case()
    (label,) = case.groups[0].spans
    head = Span(label.document, label.start, label.start + case.setting.text(label).index(" leaves"))
    held = narrowed(case, head)
    assert ChunkSplit().observe(held) is not None and not held.answered


def test_the_limit_of_the_chunker_tells_what_fits() -> None:
    case = cut_case()
    (label,) = case.groups[0].spans
    tokens = case.tokens(label)
    assert case.setting.limit == 52
    assert fits(dataclasses.replace(case.setting, limit=tokens), label)
    assert not fits(dataclasses.replace(case.setting, limit=tokens - 1), label)


@pytest.mark.parametrize("shifts, elsewhere, is_open", [(0, 0, False), (0, 1, True), (1, 0, True), (3, 0, False), (0, 20, False)])
def test_few_controls_that_do_as_well_are_looked_at_again(shifts: int, elsewhere: int, is_open: bool) -> None:
    placebo = {"shifts": 5, "shifts_as_well": shifts, "elsewhere": 34, "elsewhere_as_well": elsewhere}
    assert ChunkSplit()._is_open(placebo) == is_open


PAGES = {
    "hall": "The hall on Birch Lane opens at nine and closes at six.",
    "desk": "Whoever comes to the hall on Birch Lane finds the desk on the left.",
    "cat": "Cats sleep for most of the day.",
}


def incomplete(tmp_path: Path, query: str, answer: str, other: str) -> Finding:
    """What is said of a query with two passages, the first of which is served."""
    pages = PAGES | {"other": other}
    evidence = [{"doc_id": name, "text": pages[name]} for name in ("hall", "other")]
    rows = {"corpus": [{"_id": name, "text": text} for name, text in pages.items()]}
    rows["queries"] = [{"_id": "q", "text": query, "answer": answer, "evidence": evidence}]
    for name, of_file in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in of_file), encoding="utf-8")
    report = audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", retriever="bm25", k=1, cache=None)
    return next(f for f in report.queries[0].findings if f.cause == "incomplete")


def test_passages_that_may_each_do_are_no_requirement(tmp_path: Path) -> None:
    found = incomplete(
        tmp_path, "which hour is it that the hall on Birch Lane opens?", "at nine", "Doors are unlocked at nine each morning."
    )
    assert found.control is not None and "reference answer" in found.control.says
    assert not found.proved and '"group"' in found.fix


def test_a_question_in_parts_is_asked_in_parts(tmp_path: Path) -> None:
    query = "when does the hall on Birch Lane open, and what does a locker cost?"
    found = incomplete(tmp_path, query, "at nine; two dollars", "A locker is two dollars for one day.")
    assert found.proved and found.fix.startswith("ask in parts")


def joined(case: Case, rank: int | None) -> Finding:
    """What `oversized` finds where the pieces joined into one chunk stand at `rank`."""
    trial = Oversized().prove(case, Observation(case.groups, {"tokens": [900], "unattainable": False}))
    next(trial)
    served = rank is not None and rank <= case.length
    with pytest.raises(StopIteration) as stop:
        trial.send([Outcome(Standing(rank, served), (rank,), case.ranking)])
    found: Finding = stop.value.value
    return found


def test_what_no_k_reached_is_oversized_where_its_pieces_as_one_are_within_ten_contexts() -> None:
    case = cut_case()
    found = {rank: joined(case, rank) for rank in (2, 20, 21, None)}
    assert case.length == 2 and case.standing.rank is not None
    assert [found[rank].proved for rank in found] == [True, False, False, False], "a larger k would serve it: that is `ranking`"
    unreached = copy.copy(case)
    unreached.standing = Standing(None, False)
    found = {rank: joined(unreached, rank) for rank in (2, 20, 21, None)}
    assert [found[rank].proved for rank in found] == [True, True, False, False]
    assert "and k raised to 20" in found[20].fix and "k raised" not in found[2].fix
