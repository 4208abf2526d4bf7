"""Stages after the ranking: read, replayed by hand, planted losses named for what they are, and shown as a funnel."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragdiag
from ragdiag.core.errors import InputError
from ragdiag.core.records import STAGES, IntArray
from ragdiag.diagnosis.replay import changed, replayed
from ragdiag.explain import explanations
from ragdiag.reports.html.audit import audit_html
from ragdiag.reports.json import audit_dict
from ragdiag.reports.outputs.markdown import Markdown
from ragdiag.results import AuditResult
from ragdiag.search.runs import Ranking, read_run, run_lines

TOPICS = ("ferry", "harbour", "museum", "library", "market", "theatre")
ASPECTS = ("opening hours", "ticket price", "lost property", "parking", "group visits", "wheelchair access")
DOCUMENTS = {
    f"{topic}-{aspect.split()[0]}": f"The {topic} has its own rules. About {aspect} at the {topic}: ask at desk {i}{j}."
    for i, topic in enumerate(TOPICS)
    for j, aspect in enumerate(ASPECTS)
}
"""One chunk each; a query about one finds those of the same topic and of the same aspect next."""

K = 5


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def corpus(folder: Path, documents: Mapping[str, str] = DOCUMENTS) -> Path:
    return write(folder / "corpus.jsonl", [{"_id": name, "text": text} for name, text in documents.items()])


def queries(folder: Path, asked: Mapping[str, tuple[str, Sequence[str]]]) -> Path:
    """Queries by id: the text, and the documents that they need, each whole."""
    rows = [
        {"_id": name, "text": text, "evidence": [{"doc_id": d, "start": 0, "end": len(DOCUMENTS[d])} for d in needed]}
        for name, (text, needed) in asked.items()
    ]
    return write(folder / "queries.jsonl", rows)


def audited(
    folder: Path, needed: Mapping[str, Sequence[str]], runs: Mapping[str, Mapping[str, object]], **given: Any
) -> AuditResult:
    """An audit of queries by what they need, each with the stages of `runs`."""
    asked = {name: ("what about it", documents) for name, documents in needed.items()}
    run = write(folder / "run.jsonl", [{"query_id": name, "stages": stages} for name, stages in runs.items()])
    return ragdiag.audit(corpus(folder), queries(folder, asked), run=run, cache=None, **{"k": K} | given)


# Reading


def read(tmp_path: Path, stages: object, **more: object) -> Ranking:
    return read_run(write(tmp_path / "run.jsonl", [{"query_id": "q", "stages": stages, **more}])).rankings[0]


def test_the_last_stage_is_what_is_ranked(tmp_path: Path) -> None:
    """Chunk ids, and an id that an earlier stage has with its text; by rank where given, never by a score, which may be old."""
    found = [{"chunk_id": "x", "text": "One."}, {"chunk_id": "y", "doc_id": "d", "start": 0, "end": 4, "score": 3}, "d#4-9"]
    ranking = read(tmp_path, {"prompted": ["y", {"chunk_id": "x", "score": 9}], "found": found})
    assert [stage.name for stage in ranking.stages] == ["found", "prompted"]
    assert ranking.listed and [c.id for c in ranking.chunks] == ["y", "x"]
    assert ranking.chunks == (ranking.stages[0].chunks[1], ranking.stages[0].chunks[0])
    by_rank = read(tmp_path, {"found": [{"chunk_id": "a", "rank": 2}, {"chunk_id": "b", "rank": 1}], "filtered": None})
    assert [c.id for c in by_rank.chunks] == ["b", "a"]
    assert read(tmp_path, {"found": ["a"]}, error="timeout").failed


def test_results_beside_stages_are_said_to_be_unread(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert [c.id for c in read(tmp_path, {"prompted": ["a"]}, retrieved=[{"chunk_id": "b"}]).chunks] == ["a"]
    assert "fields that are not read: 'retrieved' (at line 1" in caplog.text


@pytest.mark.parametrize(
    "stages, says",
    [
        ({"fund": []}, "unknown stage 'fund'; did you mean 'found'?"),
        ({"found": "a"}, "stage 'found' is a str, not a list; give lists of results under any of found, filtered"),
        (["a"], "'stages' is a list, not an object"),
        ({"found": None}, "'stages' has no stage"),
        ({"found": [3]}, "each stages.found item must be an object or a chunk's id"),
    ],
)
def test_what_is_no_stage_is_refused_with_its_line(stages: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, stages)
    assert says in str(error.value) and f"{tmp_path / 'run.jsonl'}:1: " in str(error.value)


def test_a_search_gives_its_stages(tmp_path: Path) -> None:
    """By texts, by records, and by ids of an earlier stage; what is no list is said with its query and stage."""
    text = DOCUMENTS["ferry-parking"]

    def search(query: str, k: int) -> Mapping[str, object]:
        found = [{"chunk_id": "p", "text": text}, DOCUMENTS["ferry-group"]]
        return {"stages": {"found": found, "filtered": ("p",), "prompted": [text]}}

    asked = queries(tmp_path, {"q": ("parking", ["ferry-parking"]), "r": ("groups", ["ferry-group"])})
    report = ragdiag.audit(corpus(tmp_path), asked, search=search, k=K, cache=None)
    assert [(q.status, q.causes) for q in report.queries] == [("ok", ()), ("caused", ("filtered_out",))]
    with pytest.raises(InputError, match=r"test_stages.*query 'q': stage 'found' is a int, not a list"):
        ragdiag.audit(corpus(tmp_path), asked, search=lambda query, k: {"stages": {"found": 3}}, k=K, cache=None)


def test_stages_are_written_as_they_are_read(tmp_path: Path) -> None:
    ranking = read(tmp_path, {"found": [{"doc_id": "d", "start": 0, "end": 4}, "e"], "prompted": ["e"]})
    (tmp_path / "again.jsonl").write_bytes(run_lines([ranking]))
    (again,) = read_run(tmp_path / "again.jsonl").rankings
    assert [(s.name, [(c.id, c.doc_id, c.start) for c in s.chunks]) for s in again.stages] == [
        ("found", [("", "d", 0), ("e", "", None)]),
        ("prompted", [("e", "", None)]),
    ]


def test_what_no_earlier_stage_has_is_kept_and_counted(tmp_path: Path) -> None:
    names = list(DOCUMENTS)
    report = audited(tmp_path, {"q": [names[7]]}, {"q": {"found": names[:6], "prompted": [names[7], names[0]]}})
    assert report.queries[0].status == "ok"
    assert "1 chunks of later stages are in no earlier one: kept" in report.notes


def test_a_prompt_longer_than_the_context_is_said_and_loses_nothing(tmp_path: Path) -> None:
    names = list(DOCUMENTS)
    report = audited(tmp_path, {"q": [names[3]]}, {"q": {"found": names[:9], "prompted": names[:4]}}, k=2)
    assert any("1 of 1 prompts hold more than k 2 chunks" in note and "-k 4" in note for note in report.notes)
    assert (report.queries[0].status, report.queries[0].causes) == ("not_decidable", ())


# The pipeline again, by hand


def stages(**given: str) -> dict[str, IntArray]:
    """Stages of chunks that are letters."""
    return {name: np.array([ord(c) for c in given[name]], dtype=np.int64) for name in STAGES if name in given}


@pytest.mark.parametrize(
    "given, undone, order, most",
    [
        # The filter drops c, which is put back third.
        ({"found": "abcdef", "filtered": "abdef"}, "filtered", "abcdef", None),
        # The reranker never saw c: it keeps its place, the others their new order.
        ({"found": "abcdef", "filtered": "abdef", "reranked": "febad"}, "filtered", "fecbad", None),
        # A reranker that keeps two keeps two.
        ({"found": "abcdef", "filtered": "abdef", "reranked": "fe"}, "filtered", "fe", None),
        ({"found": "abcdef", "reranked": "fedcba"}, "reranked", "abcdef", None),
        # The prompt held three, and holds three of the other order.
        ({"found": "abcdef", "reranked": "fedcba", "prompted": "fed"}, "reranked", "abcdef", 3),
        # It passed over e, whatever the reason, and does so again.
        ({"found": "abcdef", "reranked": "fedcba", "prompted": "fdc"}, "reranked", "abcdf", 3),
        ({"found": "abcdef", "reranked": "fedcba", "prompted": "fdc"}, "prompted", "fedcba", None),
        # What it added itself stays.
        ({"found": "abcdef", "reranked": "fedcba", "prompted": "fx"}, "reranked", "axbcdef", 2),
        # It took all that there was: nothing says how many it would have taken.
        ({"found": "abcd", "filtered": "ab", "prompted": "ab"}, "filtered", "abcd", None),
    ],
)
def test_a_stage_undone_by_hand(given: dict[str, str], undone: str, order: str, most: int | None) -> None:
    made, at_most = replayed(stages(**given), (undone,))
    assert "".join(map(chr, made)) == order
    assert at_most == most or (most is None and at_most >= len(order))


def test_a_trimmed_chunk_keeps_the_place_of_the_whole_one() -> None:
    """Of f the prompt has a part, X, and of d and c one text, Y: three chunks in the new order, and three in the old."""
    given = stages(found="abcdef", reranked="fedcba", prompted="XeY")
    made = {ord("f"): ord("X"), ord("d"): ord("Y"), ord("c"): ord("Y")}
    order, most = replayed(given, ("reranked",), made)
    assert ("".join(map(chr, order)), most) == ("abYeX", 3)
    assert "".join(map(chr, replayed(given, (), made)[0])) == "XeYba"


def test_a_prompt_of_trimmed_texts_is_not_blamed_for_what_the_filter_did(tmp_path: Path) -> None:
    names = list(DOCUMENTS)[:6]
    trimmed = [{"doc_id": name, "start": 0, "end": len(DOCUMENTS[name]) - 9} for name in (names[0], *names[2:5])]
    run = {"found": names, "filtered": [names[0], *names[2:]], "prompted": trimmed}
    (q,) = audited(tmp_path, {"q": [names[1]]}, {"q": run}).queries
    assert (q.status, q.causes) == ("caused", ("filtered_out",))
    # What it trimmed off is its own doing.
    (q,) = audited(tmp_path, {"q": [names[0]]}, {"q": run}).queries
    assert (q.status, q.causes) == ("caused", ("cut_off",))


def test_with_nothing_undone_the_pipeline_ends_where_it_ended() -> None:
    draw = random.Random(0)
    for _ in range(300):
        found = draw.sample(range(30), 12)
        filtered = [c for c in found if draw.random() < 0.8]
        reranked = draw.sample(filtered, draw.randint(0, len(filtered)))
        prompted = [c for c in reranked if draw.random() < 0.7] + ([99] if draw.random() < 0.3 else [])
        held = {"found": found, "filtered": filtered, "reranked": reranked, "prompted": prompted}
        for last in STAGES:
            given = {name: np.array(held[name], dtype=np.int64) for name in STAGES[: STAGES.index(last) + 1]}
            order, most = replayed(given, ())
            assert set(order[:most]) >= set(held[last]) and (last == "prompted" or order == held[last])
            assert last != "prompted" or len(order[:most]) == len(prompted)


def test_a_stage_that_only_passes_on_changes_nothing() -> None:
    given = stages(found="abcd", filtered="abcd", reranked="abcd", prompted="dcba")
    assert not any(changed(given, name) for name in STAGES)  # in which order a prompt lists its chunks loses none of them
    assert changed(stages(found="abcd", reranked="abdc"), "reranked")


# Planted losses


def plain(folder: Path, needed: Sequence[str]) -> list[str]:
    """The first ten chunks of a plain ranking by words, for a query about what is needed."""
    text = " and ".join(name.replace("-", " ") for name in needed)
    report = ragdiag.audit(corpus(folder), queries(folder, {"q": (text, needed)}), retriever="bm25", k=10, cache=None)
    return [chunk.id.partition("#")[0] for chunk in report.explain("q").ranking][:10]


def at(found: list[str], chunk: str, rank: int) -> list[str]:
    """`found` with a chunk moved to a rank."""
    rest = [c for c in found if c != chunk]
    return [*rest[: rank - 1], chunk, *rest[rank - 1 :]]


def planted(kind: str, found: list[str], first: str, second: str) -> dict[str, list[str]]:
    """The stages of a pipeline that loses the evidence by that kind of fault; both chunks are needed in "two at once" only."""
    filtered = [c for c in found if c != first] if kind in ("filter", "filter and packing", "filter and reranker") else found
    moved = {"reranker": first, "filter and reranker": second, "reranker and packing": first}.get(kind)
    reranked = [*(c for c in filtered if c != moved), moved] if moved else filtered
    passed = {"packing": first, "filter and packing": second, "reranker and packing": second}.get(kind)
    prompted = [c for c in reranked if c != passed][:K]
    if kind == "threshold":
        prompted = reranked[: reranked.index(first)]
    return {"found": found, "filtered": filtered, "reranked": reranked, "prompted": prompted}


EXPECTED = {
    "none": (),
    "filter": ("filtered_out",),
    "threshold": ("cut_off",),
    "packing": ("cut_off",),
    "reranker": ("reranked_away",),
    "filter and packing": ("filtered_out", "cut_off"),
    "filter and reranker": ("filtered_out", "reranked_away"),
    "reranker and packing": ("cut_off", "reranked_away"),
}


def test_planted_losses_are_named_for_what_they_are(tmp_path: Path) -> None:
    """The confusion matrix of planted fault and named causes has nothing off its diagonal; two at once are compound."""
    needed, runs, fault = dict[str, list[str]](), dict[str, dict[str, list[str]]](), dict[str, str]()
    for topic in TOPICS:
        first, second = f"{topic}-lost", f"{topic}-parking"
        found = at(at(plain(tmp_path, [first, second]), first, 2), second, 3)
        for kind, causes in EXPECTED.items():
            name = f"{topic} {kind}"
            needed[name] = [first, second] if len(causes) == 2 or kind == "none" else [first]
            runs[name], fault[name] = planted(kind, found, first, second), kind
    report = audited(tmp_path, needed, runs)
    named = Counter((fault[q.id], q.status, q.causes) for q in report.queries)
    status = {0: "ok", 1: "caused", 2: "compound"}
    assert named == {(kind, status[len(causes)], causes): len(TOPICS) for kind, causes in EXPECTED.items()}
    proved = [f for q in report.queries if q.status == "caused" for f in q.findings if f.cause in q.causes]
    assert all(f.proved and not f.residual and f.after.sufficient and f.control for f in proved)


def test_a_filter_whose_chunk_the_packing_would_not_have_taken_is_one_of_two(tmp_path: Path) -> None:
    """Found fourth, dropped, and the prompt takes three: neither alone, both together."""
    names = list(DOCUMENTS)[:8]
    run = {"found": names, "filtered": [*names[:3], *names[4:]], "prompted": names[:3]}
    (q,) = audited(tmp_path, {"q": [names[3]]}, {"q": run}).queries
    assert (q.status, q.causes) == ("compound", ("filtered_out", "cut_off"))
    assert [(f.cause, f.proved, f.after.rank) for f in q.findings] == [("filtered_out", False, 4), ("cut_off", False, None)]


def test_any_one_of_two_stages_that_is_undone_may_do(tmp_path: Path) -> None:
    """Found second, reranked fourth, two in the prompt: with the old order it is in, and in a prompt of five it is, too."""
    names = list(DOCUMENTS)[:8]
    reranked = [names[0], *names[2:4], names[1], *names[4:]]
    run = {"found": names, "reranked": reranked, "prompted": reranked[:2]}
    (q,) = audited(tmp_path, {"q": [names[1]]}, {"q": run}).queries
    assert (q.status, q.causes) == ("over-determined", ("cut_off", "reranked_away"))


def test_what_only_a_longer_prompt_holds_is_cut_off_for_want_of_another_cause(tmp_path: Path) -> None:
    names = list(DOCUMENTS)[:9]
    run = {"found": names, "prompted": names[:K]}
    (q,) = audited(tmp_path, {"q": [names[7]]}, {"q": run}).queries
    (finding,) = q.findings
    assert (q.status, q.causes, q.residual) == ("caused", ("cut_off",), {"cut_off"})
    assert finding.after[:2] == (8, True) and finding.tokens
    assert finding.detail["tokens_more"] < finding.tokens
    # With a budget of tokens, what does not fit in it is not handed over.
    (q,) = audited(tmp_path, {"q": [names[7]]}, {"q": run}, budget=finding.detail["tokens_more"]).queries
    assert (q.status, q.causes, [f.proved for f in q.findings]) == ("undetermined", (), [False])


def test_what_was_never_found_is_not_for_stages_to_tell(tmp_path: Path) -> None:
    names = list(DOCUMENTS)
    (q,) = audited(tmp_path, {"q": [names[20]]}, {"q": {"found": names[:9], "filtered": names[:2]}}).queries
    assert (q.status, q.findings) == ("not_decidable", ())


def test_document_labels_decide_too(tmp_path: Path) -> None:
    names = list(DOCUMENTS)
    labels = [{"_id": "q", "text": "it", "relevant": [{"doc_id": names[1], "grade": 1}]}]
    run = write(tmp_path / "run.jsonl", [{"query_id": "q", "stages": {"found": names[:4], "filtered": [names[0], *names[2:4]]}}])
    (q,) = ragdiag.audit(corpus(tmp_path), write(tmp_path / "q.jsonl", labels), run=run, k=3, cache=None).queries
    assert q.causes == ("filtered_out",)


def mixed(folder: Path) -> AuditResult:
    """One query that the filter fails; two that it serves, of which the second needs it: an older text stood above it."""
    names = list(DOCUMENTS)
    runs = {
        "lost": {"found": names[:4], "filtered": names[1:4]},
        "either way": {"found": names[:4], "filtered": names[1:4]},
        "by the filter": {"found": names[:4], "filtered": names[2:4]},
        "elsewhere": {"filtered": names[4:6]},
    }
    needed = {"lost": [names[0]], "either way": [names[1]], "by the filter": [names[3]], "elsewhere": [names[4]]}
    return audited(folder, needed, runs, k=2)


def test_the_control_says_what_the_stage_is_good_for(tmp_path: Path) -> None:
    report = mixed(tmp_path)
    (finding,) = report["lost"].findings
    assert finding.control is not None and finding.proved
    assert finding.control.says == "undone for the 2 served queries, it breaks 1 of them"
    assert "undone for the 2 served queries" in str(report.explain("lost").as_dict())


# The funnel


def test_the_funnel_counts_the_queries_that_have_the_stage(tmp_path: Path) -> None:
    report = mixed(tmp_path)
    shares = {name: (round((m.mean or 0) * m.n), m.n) for name, m in report.stages.items()}
    assert shares == {"found": (3, 3), "filtered": (3, 4)}
    assert audit_dict(report)["stages"]["filtered"]["queries"] == 3
    assert set(audit_dict(report)["stages"]["found"]["share"]) == {"mean", "low", "high", "n"}
    shown = Markdown().audit(report, (), None)
    assert "found 3 of 3 1.000" in shown and "filtered 3 of 4 0.750" in shown
    page = audit_html(report, explanations(report.audit))
    assert "3 of 4  0.750" in page and "ragdiag compare CORPUS" not in page


def test_without_stages_there_is_no_funnel(tmp_path: Path) -> None:
    run = write(tmp_path / "run.jsonl", [{"query_id": "q", "retrieved": [{"doc_id": "ferry-lost"}]}])
    asked = queries(tmp_path, {"q": ("lost", ["ferry-parking"])})
    report = ragdiag.audit(corpus(tmp_path), asked, run=run, k=K, cache=None)
    assert report.stages == {} and audit_dict(report)["stages"] == {}
    assert report.queries[0].status == "not_decidable"
