"""Each fixture shows exactly its failure mode; each mode keeps its contract; what does no harm is no cause."""

import dataclasses
import functools
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from ragdiag.core.options import Options
from ragdiag.core.proofs import EXACT, Finding, Outcome, Standing
from ragdiag.core.records import QueryResult, Span
from ragdiag.diagnosis import causes, failures
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.diagnosis import diagnose
from ragdiag.diagnosis.failures.diluted import _share
from ragdiag.diagnosis.modes import FailureMode, modes
from ragdiag.diagnosis.probe import Probe
from ragdiag.pipeline import Audit, run_audit
from ragdiag.text.tokens import count_tokens

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures" / "failures"

METHOD = list(modes())
"""The order of the table in docs/failures/index.md (a test holds one against the other)."""

EXPECTED = {
    folder.name: json.loads((folder / "expected.json").read_text(encoding="utf-8")) for folder in sorted(FIXTURES.iterdir())
}
"""Of each fixture, the queries that fail, with status and causes; all others are served."""

FAILING = {
    name: tuple(q for q, found in queries.items() if found["causes"] == [name] or found["status"] == "excluded")
    for name, queries in EXPECTED.items()
    if name in METHOD
}
"""The queries of each fixture that fail by its mode."""

NO_FIXTURE = ("index_miss",)
"""`index_miss` needs an approximate index, which would be a database here (see test_approximate.py, test_chroma.py)."""

OTHERS = {
    (name, query): (found["status"], tuple(found["causes"]))
    for name, queries in EXPECTED.items()
    for query, found in queries.items()
    if query not in FAILING.get(name, ())
}
"""Queries with another status than "caused" by their fixture's mode, and their causes."""

LOCKERS = json.loads((FIXTURES / "adjacent" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"].split("\n\n")

FAILED = [(mode, query) for mode, queries in FAILING.items() for query in queries]
ENCODED = dict.fromkeys(("foreign", "truncated", "vector_fault"), pytest.mark.encoder)
"""What a fixture needs; the others are audited with words alone."""

CAUSED = [pytest.param(mode, query, marks=ENCODED.get(mode, ())) for mode, query in FAILED if mode != "label_defect"]
NAMED = [pytest.param(name, marks=ENCODED.get(name, ())) for name in (*FAILING, "statuses")]


class Fixture(NamedTuple):
    """An audited fixture, with what the diagnosis was given."""

    audit: Audit
    cases: Mapping[str, Case]
    probe: Probe | None

    def result(self, query: str) -> QueryResult:
        return next(q for q in self.audit.report.queries if q.id == query)

    def finding(self, query: str, cause: str) -> Finding:
        return next(f for f in self.result(query).findings if f.cause == cause)


def options(folder: Path) -> dict[str, Any]:
    found = tomllib.loads((folder / "ragdiag.toml").read_text(encoding="utf-8"))
    paths = {name: folder / found[name] for name in ("chunks", "run") if name in found}
    store = (
        {"retriever": found["retriever"].replace('"store.', f'"{folder}/store.')}
        if "store." in found.get("retriever", "")
        else {}
    )
    return found | paths | store


def corpus(folder: Path) -> Path:
    return folder / "corpus.jsonl" if (folder / "corpus.jsonl").exists() else folder / "corpus"


def audited(documents: Path, queries: Path, **given: Any) -> Fixture:
    seen: list[tuple[Sequence[Case], Probe | None]] = []

    def watched(cases: Sequence[Case], probe: Probe | None, progress: Any, asked: Any = None) -> Any:
        seen.append((cases, probe))
        return diagnose(cases, probe, progress, asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causes, "diagnose", watched)
        audit = run_audit(documents, queries, Options(**{"cache": None} | given))
    (cases, probe), *_ = seen
    return Fixture(audit, {c.query.id: c for c in cases}, probe)


@functools.cache
def fixture(name: str) -> Fixture:
    folder = FIXTURES / name
    return audited(corpus(folder), folder / "queries.jsonl", **options(folder))


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def made(
    folder: Path, documents: Mapping[str, str | tuple[str, dict[str, Any]]], query: str, label: Any, **given: Any
) -> Fixture:
    """An audit of one query; `label` is a document and the passage in it, or the fields of a label."""
    rows = [
        {"_id": name, "text": text} if isinstance(text, str) else {"_id": name, "text": text[0], "metadata": text[1]}
        for name, text in documents.items()
    ]
    labels = label if isinstance(label, dict) else {"evidence": [{"doc_id": label[0], "text": label[1]}]}
    queries = write(folder / "queries.jsonl", [{"_id": "q", "text": query, **labels}])
    return audited(write(folder / "corpus.jsonl", rows), queries, **{"retriever": "bm25"} | given)


# Each fixture shows its mode


@pytest.mark.parametrize("mode, query", CAUSED)
def test_a_fixture_fails_by_its_mode_and_no_other(mode: str, query: str) -> None:
    found = fixture(mode)
    result = found.result(query)
    assert (result.status, result.causes) == ("caused", (mode,))
    assert result.served is False
    finding = found.finding(query, mode)
    assert finding.proved
    assert not finding.before.sufficient
    assert finding.after.sufficient
    assert finding.after.rank is not None
    assert finding.before == found.cases[query].standing
    assert finding.fix and finding.intervention and finding.detail


@pytest.mark.parametrize("mode, query", CAUSED)
def test_no_other_specific_repair_suffices(mode: str, query: str) -> None:
    known = modes()
    enough = [f.cause for f in fixture(mode).result(query).findings if f.proved and not known[f.cause].residual]
    assert enough == ([] if known[mode].residual else [mode])


@pytest.mark.parametrize("query", FAILING["label_defect"])
def test_a_label_defect_excludes_its_query(query: str) -> None:
    result = fixture("label_defect").result(query)
    assert (result.status, result.causes, result.served) == ("excluded", (), None)
    (finding,) = result.findings
    assert (finding.cause, finding.proved) == ("label_defect", False)
    assert finding.fix
    (defect,) = finding.detail["defects"]
    assert defect["line"] and defect["message"]


@pytest.mark.parametrize("name, query", OTHERS, ids=lambda x: x)
def test_other_statuses(name: str, query: str) -> None:
    result = fixture(name).result(query)
    assert (result.status, result.causes) == OTHERS[name, query]


def test_what_is_unattainable_stays_in_the_means() -> None:
    found = fixture("oversized")
    finding = found.finding("empty-boiler", "oversized")
    assert finding.unattainable and finding.detail["unattainable"] and not finding.proved
    assert found.audit.report.measures["Sufficient@3"].n == len(found.audit.report.queries)


def test_two_repairs_that_suffice_only_together() -> None:
    found = fixture("statuses")
    assert not any(f.after.sufficient for f in found.result("winter-costs").findings if f.cause != "ranking")
    assert all(found.finding("guest-fee", cause).after.sufficient for cause in ("stale", "diluted"))


@pytest.mark.parametrize("name", NAMED)
def test_every_other_query_of_a_fixture_is_healthy(name: str) -> None:
    ill = {*FAILING.get(name, ()), *(query for other, query in OTHERS if other == name)}
    results = {q.id: q for q in fixture(name).audit.report.queries}
    healthy = [q for q in results.values() if q.id not in ill]
    assert ill < set(results)
    assert {q.status for q in healthy} == {"ok"}
    assert not any(q.causes or q.findings for q in healthy)


def test_no_fixture_has_more_than_it_says() -> None:
    for name in (*FAILING, "statuses"):
        folder = FIXTURES / name
        known = {
            "corpus",
            "corpus.jsonl",
            "docs.jsonl",
            "queries.jsonl",
            "chunks.jsonl",
            "run.jsonl",
            "store.faiss",
            "store.jsonl",
            "ragdiag.toml",
            "expected.json",
        }
        assert {p.name for p in folder.iterdir()} <= known
    assert {p.name for p in FIXTURES.iterdir()} == {*FAILING, "statuses"}


def test_every_mode_has_a_fixture_and_a_page() -> None:
    files = {m.name for m in pkgutil.iter_modules(failures.__path__) if not m.name.startswith("_")}
    assert all(FAILING.values()), "a fixture that shows nothing"
    assert files - {*NO_FIXTURE} == {*FAILING}
    assert {p.stem for p in (ROOT / "docs" / "failures").glob("*.md")} == files | {"index"}


def test_modes_come_in_the_order_of_the_method() -> None:
    assert list(modes()) == METHOD
    index = (ROOT / "docs" / "failures" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[`(\w+)`\]", index, re.MULTILINE) == METHOD


@pytest.mark.encoder
def test_what_proves_nothing_is_listed_in_the_order_of_the_method() -> None:
    for name in (*FAILING, "statuses"):
        for result in fixture(name).audit.report.queries:
            proved = [f.cause for f in result.findings if f.proved and not f.residual]
            listed = [f.cause for f in result.findings]
            assert listed[: len(proved)] == proved, "what is a cause comes first, see test_swaps.py for its order"
            for rest in (result.exposures, listed[len(proved) :]):
                assert list(rest) == sorted(rest, key=METHOD.index)


# What each proof shows


def test_missing_content_tells_a_lost_passage_from_a_document_that_was_never_indexed() -> None:
    found = fixture("missing_content")
    assert found.finding("interval-class-two", "missing_content").detail["kind"] == "lost by the chunker or the index"
    assert found.finding("repair-days", "missing_content").detail["kind"] == "not ingested"


def test_a_split_is_shown_with_its_cut_and_proved_against_its_control() -> None:
    finding = fixture("chunk_split").finding("abroad-late", "chunk_split")
    assert finding.placebo_p is not None and finding.placebo_p <= 0.05
    placebo = finding.detail["placebo"]
    assert placebo["shifts"] + placebo["elsewhere"] >= 19
    assert placebo["shifts_as_well"] == placebo["elsewhere_as_well"] == 0
    (cut,) = finding.detail["cut"]
    assert "‖" in cut["passage"] and len(cut["fragments"]) == 2


def test_a_split_that_both_halves_survive_is_an_exposure() -> None:
    result = fixture("chunk_split").result("standing-order-holiday")
    assert result.status == "ok" and "chunk_split" in result.exposures


@pytest.mark.encoder
def test_truncated_says_what_the_encoder_read() -> None:
    (chunk,) = fixture("truncated").finding("stove-colour", "truncated").detail["chunks"]
    assert chunk["read"] <= chunk["evidence_from"] < chunk["characters"]


CUT = (
    "The archive is open to members on weekdays and to all others by appointment on the first Saturday of a month. "
    "Negatives are kept in the cold room at four degrees and may be handled by the archivist only, who wears cotton gloves."
)
"""Two sentences of twenty tokens or so each, so that chunks of 24 cut the second."""


def cut_case(folder: Path, **setting: Any) -> Case:
    """A query whose evidence is cut in two, both pieces outside the context, with another setting."""
    other = {f"note{i}": f"Old pictures: who may touch them, note {i}." for i in range(3)}
    passage = CUT[CUT.index("Negatives") :]
    found = made(
        folder, {"archive": CUT, **other}, "who may touch old pictures", ("archive", passage), k=1, chunker="fixed(size=24)"
    )
    case = found.cases["q"]
    assert [c for g in case.groups for s in g.spans for c in case.whole(s)] == []
    case.setting = dataclasses.replace(case.setting, **setting)
    return case


def test_a_piece_of_cut_evidence_may_be_unread_too(tmp_path: Path) -> None:
    n = len(cut_case(tmp_path).setting.chunking)
    read = cut_case(tmp_path, visible=np.full(n, 200))
    assert modes()["truncated"].strategy.observe(read) is None
    unread = cut_case(tmp_path, visible=np.full(n, 40))
    seen = modes()["truncated"].strategy.observe(unread)
    assert seen is not None
    pieces = [c for c in range(n) if c in unread.evidence and c not in unread.context]
    assert len(seen.detail["chunks"]) == len(pieces) == 2
    assert all(row["read"] == 40 for row in seen.detail["chunks"])
    # Of the second piece the evidence starts with the chunk.
    assert [row["evidence_from"] for row in seen.detail["chunks"]][1] == 0


def test_cut_evidence_in_other_words_is_put_to_another_retriever_and_to_no_words(tmp_path: Path) -> None:
    mode = modes()["query_mismatch"].strategy
    case = cut_case(tmp_path, swaps=("dense",))
    seen = mode.observe(case)
    assert seen is not None and seen.held.chunk is None
    trial = mode.prove(case, seen)
    assert [e.retriever for e in next(trial)] == ["dense"]
    with pytest.raises(StopIteration) as stop:
        trial.send([Outcome(Standing(3, False), (), case.ranking)])
    assert not stop.value.value.proved
    assert stop.value.value.edit.retriever == "dense", "so that it can be tried with what makes the evidence whole"
    assert list(next(mode.prove(cut_case(tmp_path), seen))) == []  # without another retriever there is nothing to try
    assert list(next(mode.prove(cut_case(tmp_path, swaps=(EXACT,)), seen))) == []  # the same retriever is no other one


def test_adjacent_counts_the_tokens_of_what_is_handed_over() -> None:
    found = fixture("adjacent").finding("locker-day", "adjacent")
    assert (found.detail["tokens"], found.detail["tokens_now"]) == (
        sum(count_tokens(t) for t in LOCKERS[:3]),
        count_tokens(LOCKERS[1]),
    )


def test_stale_names_the_versions_and_how_they_are_known() -> None:
    rows = fixture("stale").finding("meals-abroad", "stale").detail["versions"]
    assert [row["chunk"].split("#")[0] for row in rows] == ["meals-2019.md", "meals-2021.md", "meals-2023.md"]
    assert {row["by"] for row in rows} == {"family"}


def test_crowded_out_names_the_cluster() -> None:
    cluster, *_ = fixture("crowded_out").finding("cancel-first-days", "crowded_out").detail["clusters"]
    rows = [cluster["first"], *cluster["repeats"]]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(row["chunk"].startswith("plan-") for row in rows)


def test_pollution_names_the_pages() -> None:
    rows = fixture("pollution").finding("cancel-early", "pollution").detail["off_topic"]
    assert rows and all(row["chunk"].startswith("blog-") for row in rows)


def test_diluted_says_how_small_a_part_the_evidence_is() -> None:
    (chunk,) = fixture("diluted").finding("patients-park", "diluted").detail["chunks"]
    assert 0 < chunk["share"] <= 0.25


def test_every_labelled_sentence_of_a_chunk_counts_in_what_is_about_it() -> None:
    text = "One is first. Two is second. Three is third. Four is fourth."
    setting = SimpleNamespace(text=lambda span: text[span.start : span.end])
    first, third = (Span(0, text.index(word), text.index(word) + 3) for word in ("One", "Thr"))

    def share(*labelled: Span) -> float:
        case: Any = SimpleNamespace(setting=setting, passages_in=lambda place: [s for s in labelled if s.overlaps(place)])
        return _share(case, Span(0, 0, len(text)), first)

    letters = len(text.replace(" ", ""))
    assert share(first) == len("Oneisfirst.") / letters
    assert share(first, third) == len("Oneisfirst.Threeisthird.") / letters


def test_query_mismatch_names_the_words_that_the_evidence_lacks() -> None:
    missing = fixture("query_mismatch").finding("snake", "query_mismatch").detail["missing"]
    assert {"python", "housemate"} <= set(missing)


def test_a_paraphrase_that_the_query_brings_is_tried() -> None:
    tried = fixture("query_mismatch").finding("snake", "query_mismatch").detail["tried"]
    assert tried["paraphrase: are snakes allowed"]["sufficient"]


def test_incomplete_says_what_is_covered_and_what_is_not() -> None:
    detail = fixture("incomplete").finding("bicycle-express", "incomplete").detail
    assert (detail["covered"], detail["lacking"]) == ([2], [1])


def test_ranking_says_what_more_context_costs() -> None:
    found = fixture("ranking")
    detail = found.finding("roses-march", "ranking").detail
    assert detail["least_k"] == found.result("roses-march").least_k
    assert detail["tokens"] > 0


# The contract of every mode


def state(case: Case) -> tuple[Any, ...]:
    return (case.ranking.tolist(), case.length, list(case.context), case.standing, case.groups, case.level, case.query)


def every_case() -> Iterator[Case]:
    for name in (*FAILING, "statuses"):
        yield from fixture(name).cases.values()


@pytest.mark.parametrize("name", METHOD)
def test_a_mode_declares_what_can_decide_it(name: str) -> None:
    mode = modes()[name].strategy
    assert isinstance(mode, FailureMode)
    assert mode.says and not mode.says.endswith(".")
    assert mode.levels and set(mode.levels) <= {"span", "document", "excluded"}
    assert name not in ("chunk_split", "oversized", "truncated", "diluted", "incomplete") or "document" not in mode.levels
    assert not (mode.residual and mode.exposes)


@pytest.mark.encoder
@pytest.mark.parametrize("name", METHOD)
def test_a_mode_only_looks(name: str) -> None:
    mode = modes()[name].strategy
    for case in every_case():
        if case.level in mode.levels:
            before = state(case)
            first, again = mode.observe(case), mode.observe(case)
            assert state(case) == before
            assert (first is None) == (again is None)
            if first is not None and again is not None:
                assert first.detail == again.detail
                json.dumps(first.detail)


@pytest.mark.parametrize("name", METHOD)
def test_a_mode_that_does_not_apply_sees_nothing(name: str) -> None:
    mode, plain = modes()[name].strategy, fixture("crowded_out").cases["large-memory"]
    assert plain.standing.sufficient
    assert mode.observe(plain) is None


@pytest.mark.encoder
@pytest.mark.parametrize("name", METHOD)
def test_a_finding_can_be_written_and_tells_the_truth_about_before(name: str) -> None:
    for other in (*FAILING, "statuses"):
        found = fixture(other)
        for result in found.audit.report.queries:
            for finding in (f for f in result.findings if f.cause == name):
                json.dumps(finding.detail)
                assert finding.before == found.cases[result.id].standing
                assert not finding.proved or finding.after.sufficient
                assert finding.group in (None, *range(1, len(found.cases[result.id].groups) + 1))


@pytest.mark.encoder
def test_exposures_come_from_modes_that_expose_and_never_turn_ok_into_failing() -> None:
    known = modes()
    for name in (*FAILING, "statuses"):
        for result in fixture(name).audit.report.queries:
            assert all(known[mode].exposes for mode in result.exposures)
            assert not set(result.exposures) & set(result.causes)
            assert (result.status == "ok") == (result.served is True)


# What does no harm, and what only looks alike

POLICY = "Staff may carry over {} days of leave into the next year. Ask your manager before the end of November."
OTHERS_ABOUT_LEAVE = {
    "sick": "Whoever is ill rings before nine and brings a note from the third day on.",
    "parents": "Parents of small children get twelve weeks at full pay, shared as they like.",
    "bank": "Bank holidays are those of the office, wherever staff may work.",
}


def test_an_older_twin_below_the_evidence_is_no_cause() -> None:
    found = fixture("stale")
    result, ranking = found.result("parking-permit"), found.cases["parking-permit"].ranking.tolist()
    names = [found.audit.corpus.documents[int(found.audit.scorer.chunking.document[c])].id for c in ranking]
    assert names.index("parking-2024.md") < names.index("parking-2020.md")
    assert (result.status, result.causes) == ("ok", ())
    assert "stale" not in result.exposures


def test_an_older_twin_above_evidence_that_is_served_is_an_exposure(tmp_path: Path) -> None:
    documents = {
        "a-leave": (POLICY.format(5), {"family": "leave", "version": 1}),
        "b-leave": (POLICY.format(8), {"family": "leave", "version": 2}),
        **OTHERS_ABOUT_LEAVE,
    }
    result = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=2).result("q")
    assert (result.status, result.causes, result.exposures) == ("ok", (), ("stale",))


@pytest.mark.parametrize(
    "old, new, by",
    [
        ({"family": "leave", "version": 1}, {"family": "leave", "version": 2}, "family"),
        ({"superseded_by": "b-leave"}, {}, "superseded_by"),
        ({"date": "2021-01-01"}, {"date": "2024-01-01"}, "near-duplicate of an older document"),
        ({"date": "2024-01-01"}, {"date": "2021-01-01"}, None),
        ({"family": "leave", "version": 2}, {"family": "leave", "version": 1}, None),
        ({}, {}, None),
    ],
)
def test_a_version_is_known_by_metadata_or_as_an_older_near_duplicate(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], by: str | None
) -> None:
    documents = {"a-leave": (POLICY.format(5), old), "b-leave": (POLICY.format(8), new), **OTHERS_ABOUT_LEAVE}
    found = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=1)
    # Newer, it is nothing of the kind; where nothing orders the two, they contradict each other.
    assert found.result("q").causes == (("stale",) if by else ("ranking",) if old else ("conflicting",))
    if by:
        assert [row["by"] for row in found.finding("q", "stale").detail["versions"]] == [by]


def test_dropping_others_is_no_control_of_a_version_of_the_evidence_itself(tmp_path: Path) -> None:
    """It takes the one place that lacks; so does any other chunk, but an old figure is to go whatever k is."""
    documents = {
        "a-leave": (POLICY.format(5), {"updated": "2021-01-01"}),
        "b-leave": (POLICY.format(8) + " It is asked by many people every winter.", {"updated": "2024-01-01"}),
        **OTHERS_ABOUT_LEAVE,
        "carry": "Carry over days of leave, days of leave to carry over.",
    }
    found = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=3)
    assert found.finding("q", "stale").before.rank == 4
    assert (found.finding("q", "stale").proved, found.finding("q", "stale").control) == (True, None)


def test_other_parts_of_superseded_documents_have_a_control(tmp_path: Path) -> None:
    old = "Forms to carry over days of leave: carry the form over to the desk, days of leave count."
    documents = {
        "a-leave": (old, {"family": "leave", "version": 1}),
        "b-leave": (POLICY.format(8) + " It is asked by many people every winter.", {"family": "leave", "version": 2}),
        **OTHERS_ABOUT_LEAVE,
        "carry": "Carry over days of leave, days of leave to carry over.",
    }
    found = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=3)
    finding = found.finding("q", "stale")
    assert finding.before.rank == 4 and finding.after.sufficient
    assert finding.control is not None and finding.control.as_well == finding.control.tried > 0
    assert not finding.proved and "stale" in found.result("q").exposures


def test_one_repeat_that_any_other_chunk_could_stand_for_crowds_nothing_out(tmp_path: Path) -> None:
    repeated = "Carry over days of leave: ask the desk for the form, fill it in by hand and carry it to the second floor."
    documents = {"x": repeated, "y": repeated + " Thanks.", "z": "Days of leave carry over: carry over days, carry days over.",
                 "b-leave": POLICY.format(8) + " It is asked by many people every winter.", **OTHERS_ABOUT_LEAVE}  # fmt: skip
    found = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=3)
    finding = found.finding("q", "crowded_out")
    assert finding.before.rank == 4 and finding.after.sufficient
    assert finding.control is not None and finding.control.as_well == finding.control.tried > 0
    assert not finding.proved and "crowded_out" in found.result("q").exposures


@pytest.mark.parametrize(
    "twins, conflicting",
    [
        ([5], True),
        ([5, 6, 7, 8, 9], True),
        ([*range(5, 14)], False),  # a series
        ([3], False),  # nothing differs
    ],
)
def test_what_nothing_orders_is_a_conflict(tmp_path: Path, twins: list[int], conflicting: bool) -> None:
    documents = {f"leave-{'abcdefghijklm'[i]}": POLICY.format(n) for i, n in enumerate(twins)}
    documents |= {"z-leave": POLICY.format(3) + " Ask early.", **OTHERS_ABOUT_LEAVE}
    result = made(tmp_path, documents, "carry over days of leave", ("z-leave", POLICY.format(3)), k=6).result("q")
    assert ("conflicting" in (*result.causes, *result.exposures)) == conflicting


def test_a_sentence_with_another_value_is_a_conflict_in_a_page_of_any_length(tmp_path: Path) -> None:
    """The page that holds it is much shorter than the evidence's, and otherwise says nothing of what that says."""
    rest = " It is asked by many people every winter, and the desk on the second floor answers each of them by letter." * 4
    documents = {
        "a-leave": POLICY.format(5) + " Notice.",
        "b-leave": POLICY.format(8) + rest,
        **OTHERS_ABOUT_LEAVE,
        "carry": "Carry over days of leave, days of leave to carry over.",
    }
    found = made(tmp_path, documents, "carry over days of leave", ("b-leave", POLICY.format(8)), k=2)
    finding = found.finding("q", "conflicting")
    assert finding.before.rank == 3
    assert (finding.proved, finding.control) == (True, None)  # dropping the "carry" page does as well, and is no control


def test_pages_with_names_of_their_own_are_no_conflict() -> None:
    result = fixture("conflicting").result("child-price")
    case, corpus = fixture("conflicting").cases["child-price"], fixture("conflicting").audit.corpus
    assert "ticket-pensioner" in {corpus.documents[case.setting.span(c).document].id for c in case.context}
    assert result.exposures == ()


def test_a_conflict_in_a_context_that_serves_is_an_exposure() -> None:
    result = fixture("conflicting").result("pool-opens")
    assert (result.status, result.exposures) == ("ok", ("conflicting",))


def test_one_off_topic_chunk_is_no_pollution(tmp_path: Path) -> None:
    pages = [json.loads(line) for line in (FIXTURES / "pollution" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    documents = {p["_id"]: p["text"] for p in pages if not p["_id"].startswith("blog") or p["_id"] == "blog-lasagne"}
    label = ("help-cancel", "Whoever wants to leave early pays half of the fees that remain.")
    case = made(tmp_path, documents, "cancel mobile contract early", label, k=1).cases["q"]
    assert not case.standing.sufficient
    assert len(case.setting.off_topic(case.number, case.above)) == 1
    assert modes()["pollution"].strategy.observe(case) is None


def test_age_alone_makes_nothing_stale(tmp_path: Path) -> None:
    documents = {
        "a-travel": ("Days of leave are not carried over a business trip: carry receipts, days count.", {"date": "2012-01-01"}),
        "b-leave": (POLICY.format(8) + " It is one of the things that staff ask most.", {"date": "2024-01-01"}),
        **OTHERS_ABOUT_LEAVE,
    }
    found = made(tmp_path, documents, "carry days of leave", ("b-leave", POLICY.format(8)), k=1)
    result = found.result("q")
    assert result.served is False
    assert "stale" not in (*result.causes, *result.exposures, *(f.cause for f in result.findings))


def test_versions_of_the_evidence_do_not_crowd_it_out() -> None:
    result = fixture("stale").result("meals-abroad")
    assert "crowded_out" not in {f.cause for f in result.findings}
    assert modes()["crowded_out"].strategy.observe(fixture("stale").cases["meals-abroad"]) is None


def test_near_duplicates_with_room_to_spare_are_an_exposure() -> None:
    result = fixture("stale").result("hotel-cap")
    assert result.status == "ok" and "crowded_out" in result.exposures


@pytest.mark.parametrize("share, proved", [(0.0, True), (0.5, False), (1.0, False)])
def test_a_split_whose_control_does_as_well_is_not_proved(share: float, proved: bool) -> None:
    case, mode = fixture("chunk_split").cases["abroad-late"], modes()["chunk_split"].strategy
    seen = mode.observe(case)
    assert seen is not None
    trial, new = mode.prove(case, seen), np.array([len(case.setting.chunking)])
    edits = next(trial)
    controls = trial.send([Outcome(Standing(1, True), (1,) * len(e.added), new) for e in edits])
    as_well = round(share * len(controls))
    does, fails = Standing(1, True), Standing(9, False)
    finding = finished(lambda: trial.send([Outcome(does if i < as_well else fails, (), new) for i in range(len(controls))]))
    placebo = finding.detail["placebo"]
    assert placebo["shifts_as_well"] == as_well
    assert finding.placebo_p == (1 + as_well) / (1 + placebo["shifts"] + placebo["elsewhere"])
    assert finding.proved is proved
    assert finding.after.sufficient  # the window does restore the evidence: that alone is no proof


def finished(step: Callable[[], object]) -> Finding:
    with pytest.raises(StopIteration) as stop:
        step()
    assert isinstance(stop.value.value, Finding)
    return stop.value.value


# What labels and runs cannot decide


def with_document_labels(name: str, folder: Path) -> Fixture:
    """A fixture whose labels name documents only."""
    source = FIXTURES / name
    rows = [json.loads(line) for line in (source / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["relevant"] = [{"doc_id": d, "grade": 1} for d in dict.fromkeys(e["doc_id"] for e in row.pop("evidence"))]
    return audited(corpus(source), write(folder / "queries.jsonl", rows), **options(source))


@pytest.mark.parametrize("mode", ["missing_content", "stale", "crowded_out", "pollution", "query_mismatch", "ranking"])
def test_document_labels_decide(mode: str, tmp_path: Path) -> None:
    assert "document" in modes()[mode].levels
    found = with_document_labels(mode, tmp_path)
    shown = [found.result(query) for query in FAILING[mode]]
    assert any(mode in result.causes for result in shown)
    assert all(result.status == "ok" or mode in result.causes for result in shown)


@pytest.mark.parametrize("mode", ["chunk_split", "oversized", "diluted", "incomplete"])
def test_document_labels_cannot_decide(mode: str, tmp_path: Path) -> None:
    found = with_document_labels(mode, tmp_path)
    for result in found.audit.report.queries:
        assert mode not in (*result.causes, *result.exposures, *(f.cause for f in result.findings))


# A run cannot name what is of no document.
@pytest.mark.parametrize("name", [named for named in NAMED if named.values[0] != "foreign"])
def test_a_run_alone_shows_exposures_and_names_no_cause(name: str, tmp_path: Path) -> None:
    known, folder = fixture(name), FIXTURES / name
    chunking, documents = known.audit.scorer.chunking, known.audit.corpus.documents
    place = [
        {"doc_id": documents[d].id, "start": a, "end": b}
        for d, a, b in zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
    ]
    rows = [
        {"query_id": query.id, "retrieved": [place[c] for c in ranking if c >= 0]}
        for query, ranking in zip(known.audit.labels.queries, known.audit.run.chunks.tolist(), strict=True)
    ]
    run = write(tmp_path / "run.jsonl", rows)
    found = audited(corpus(folder), folder / "queries.jsonl", run=run, k=options(folder)["k"])
    assert found.probe is None
    for result in found.audit.report.queries:
        before = known.result(result.id)
        expected = before.status if before.status in ("ok", "excluded") else "not_decidable"
        assert (result.status, result.causes) == (expected, ())
        assert all(f.cause == "label_defect" for f in result.findings)
    if name in modes() and modes()[name].exposes and name != "truncated":  # without the encoder nobody knows what it read
        assert all(name in found.result(query).exposures for query in FAILING[name])


def test_an_audit_times_retrieval_and_blames_no_query() -> None:
    report = fixture("ranking").audit.report
    assert report.timings["retrieval"]["slow"] is False
    assert not any("slow" in (*q.causes, *q.exposures) for q in report.queries)
