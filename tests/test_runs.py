"""The team's own ranking: both formats, every order, every way to name a chunk; and a recorded evaluation reproduced."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import ragdiag
from ragdiag.cli import main
from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, Document, Label, Labels, Query
from ragdiag.search.binding import Bound, bind
from ragdiag.search.runs import Ranking, cut_short, read_run
from ragdiag.sources.chunks import place, read_chunks
from ragdiag.sources.evidence import locate
from ragdiag.sources.places import chunk_id

DATA = Path(__file__).parents[2] / "shared" / "data" / "anthropic_docs"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")

CORPUS = Corpus((Document("a", "0123456789"), Document("b", "abcdefghij"), Document("b#0-5", "another")))
QUERIES = [Query("q1", "one"), Query("q2", "two")]


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def read(tmp_path: Path, *lines: object) -> list[Ranking]:
    return read_run(write(tmp_path / "run", *lines)).rankings


def bound(
    tmp_path: Path, *lines: object, chunks: Path | None = None, corpus: Corpus = CORPUS, whole: Corpus | None = None
) -> Bound:
    own = place(read_chunks(chunks), corpus).chunking if chunks else None
    return bind(read(tmp_path, *lines), QUERIES, corpus, own, whole)


def named(result: Bound, corpus: Corpus = CORPUS) -> list[list[str]]:
    """The chunks that each query retrieves, by name."""
    return [[chunk_id(corpus, result.chunking, c) for c in row if c >= 0] for row in result.run.chunks.tolist()]


def jsonl(*items: object, query_id: object = "q1", **more: object) -> dict[str, object]:
    return {"query_id": query_id, "retrieved": items, **more}


def at(start: int, end: int, **more: object) -> dict[str, object]:
    return {"doc_id": "a", "start": start, "end": end, **more}


# Reading


def test_jsonl_goes_by_rank_then_by_score_then_as_listed(tmp_path: Path) -> None:
    by_rank = read(tmp_path, jsonl(at(0, 1, rank=3, score=9.5), at(1, 2, rank=1, score=2), at(2, 3, rank=2, score=7)))[0]
    assert [c.start for c in by_rank.chunks] == [1, 2, 0]
    assert by_rank.scores == (2.0, 7.0, 9.5)
    by_score = read(tmp_path, jsonl(at(0, 1, score=-1), at(1, 2, score=3), at(2, 3, score=3), at(3, 4, score=2.5)))[0]
    assert [c.start for c in by_score.chunks] == [1, 2, 3, 0]
    assert by_score.scores == (3.0, 3.0, 2.5, -1.0)
    listed = read(tmp_path, jsonl(at(5, 6), at(0, 1, rank=None, score=None)))[0]
    assert [c.start for c in listed.chunks] == [5, 0]
    assert listed.scores == (0.0, -1.0)
    assert read(tmp_path, jsonl())[0].chunks == ()


def test_trec_goes_by_score_then_by_rank(tmp_path: Path) -> None:
    lines = ("q1 Q0 a 2 0.5 me", "q2 Q0 b 1 3 me", "q1 Q0 b 1 0.7 me", "", "q1 Q0 b#0-5 0 0.5 me\r")
    one, two = read(tmp_path, *lines)
    assert [(c.id, c.line) for c in one.chunks] == [("b", 3), ("b#0-5", 5), ("a", 1)]
    assert one.scores == (0.7, 0.5, 0.5)
    assert (two.query_id, [c.id for c in two.chunks], two.line) == ("q2", ["b"], 2)


def test_a_failed_query_retrieves_nothing_whatever_its_line_holds(tmp_path: Path) -> None:
    one, two, three = read(
        tmp_path,
        jsonl(at(0, 1), error="timeout"),
        {"query_id": "q2", "error": "timeout"},
        jsonl(at(0, 1), query_id=3, error=None),
    )
    assert (one.failed, one.chunks) == (True, ())
    assert (two.failed, two.chunks) == (True, ())
    assert (three.query_id, three.failed, len(three.chunks)) == ("3", False, 1)


# Binding


def test_every_way_to_name_a_chunk(tmp_path: Path) -> None:
    result = bound(
        tmp_path,
        jsonl(
            at(2, 5),
            at(3, 5, text="34"),
            at(4, 6, chunk_id="whatever"),
            {"doc_id": "a", "text": "789"},
            {"chunk_id": "a#0-10"},
            {"chunk_id": "b#1-4", "doc_id": "b"},
            {"doc_id": "b"},
            {"chunk_id": "b#0-5"},
            {"chunk_id": "b#5-7", "doc_id": None, "start": None, "text": None},
        ),
    )
    assert named(result) == [["a#2-5", "a#3-5", "a#4-6", "a#7-10", "a#0-10", "b#1-4", "b#0-10", "b#0-5#0-7", "b#5-7"], []]
    assert not result.chunking.complete


def test_chunks_of_the_team_are_named_by_id_or_by_span(tmp_path: Path) -> None:
    chunks = write(
        tmp_path / "chunks.jsonl",
        {"_id": "c1", **at(0, 5)},
        {"_id": "c2", **at(5, 10)},
        {"_id": "a", "doc_id": "b", "text": "cd"},
    )
    result = bound(
        tmp_path,
        jsonl({"chunk_id": "c2"}, {"chunk_id": "c1", "doc_id": "a"}, {"chunk_id": "a"}),
        jsonl(at(5, 10), at(0, 5), query_id="q2"),
        chunks=chunks,
    )
    assert named(result) == [["a#5-10", "a#0-5", "b#2-4"], ["a#5-10", "a#0-5"]]
    assert result.chunking.complete
    assert result.chunking.ids == ("c1", "c2", "a")


def test_a_repeated_chunk_counts_once_at_its_first_place(tmp_path: Path) -> None:
    result = bound(tmp_path, jsonl(at(0, 2), at(3, 4), at(0, 2), {"chunk_id": "a#0-2"}, at(5, 6)))
    assert named(result)[0] == ["a#0-2", "a#3-4", "a#5-6"]
    assert result.run.scores[0].tolist() == [0.0, -1.0, -4.0, -np.inf, -np.inf]
    assert result.notes == (
        "1 queries are not in the run: they retrieve nothing and score 0",
        "2 repeated chunks in rankings: removed",
    )


def test_notes_count_what_does_not_fit(tmp_path: Path) -> None:
    result = bound(tmp_path, jsonl(at(0, 1)), jsonl(at(0, 99), query_id="unknown"), jsonl(query_id="q2", error="x"))
    assert named(result) == [["a#0-1"], []]
    assert result.run.failed == (1,)
    assert result.notes == ("1 queries of the run are not in the query set: left out",)


def test_a_run_that_found_nothing_is_a_run(tmp_path: Path) -> None:
    result = bound(tmp_path, jsonl(), jsonl(query_id="q2"))
    assert named(result) == [[], []]
    assert len(result.chunking) == 0


def test_in_a_part_of_the_corpus_other_chunks_are_left_out(tmp_path: Path) -> None:
    part = Corpus(CORPUS.documents[:1])
    lines = (jsonl({"doc_id": "b"}, at(0, 1), {"chunk_id": "b#0-3"}, {"chunk_id": "a#4-6"}, {"chunk_id": "a"}),)
    assert named(bound(tmp_path, *lines, corpus=part, whole=CORPUS), part)[0] == ["a#0-1", "a#4-6", "a#0-10"]
    assert bound(tmp_path, jsonl(query_id="other"), corpus=part, whole=CORPUS).notes[0].startswith("1 queries of the run")
    with pytest.raises(InputError, match="unknown chunk 'b'"):
        bound(tmp_path, *lines, corpus=part)


def test_in_a_part_of_the_corpus_chunks_named_by_id_stay(tmp_path: Path) -> None:
    part = Corpus(CORPUS.documents[:1])
    chunks = write(tmp_path / "chunks.jsonl", {"_id": "c1", **at(0, 5)})
    lines = (jsonl({"chunk_id": "c9"}, {"chunk_id": "c1"}),)  # c9 is a chunk of a document that is left out
    assert named(bound(tmp_path, *lines, chunks=chunks, corpus=part, whole=CORPUS), part)[0] == ["a#0-5"]


# The team's own chunks


def test_chunks_are_sorted_and_keep_their_ids(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.jsonl",
        {"chunk_id": "late", "doc_id": "b", "start": 4, "end": 9},
        {"id": 7, "doc_id": "b", "text": "abc", "start": None},
        {"_id": "first", **at(0, 3, text="012")},
    )
    chunking: Chunking = place(read_chunks(path), CORPUS).chunking
    assert chunking.ids == ("first", "7", "late")
    assert list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)) == [
        (0, 0, 3),
        (1, 0, 3),
        (1, 4, 9),
    ]
    assert chunking.complete


def test_a_text_that_repeats_is_placed_one_after_the_other(tmp_path: Path) -> None:
    corpus = Corpus((Document("a", "ab ab ab"),))
    chunks = place(read_chunks(write(tmp_path / "c.jsonl", *[{"doc_id": "a", "text": "ab"}] * 3)), corpus).chunking
    assert chunks.start.tolist() == [0, 3, 6]
    assert chunks.ids == ()


# Through the command line


def audit(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["audit", *map(str, arguments), "--no-cache", "--json", "-"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_a_run_is_audited_by_hand(tmp_path: Path) -> None:
    """q1 needs 0123 and 89; its context holds 0123 and a half of the other. q2 failed. q3 is not in the run."""
    write(tmp_path / "corpus.jsonl", {"_id": "a", "text": "0123456789"})
    evidence = [{"doc_id": "a", "start": 0, "end": 4}, {"doc_id": "a", "start": 8, "end": 10}]
    write(tmp_path / "q.jsonl", *({"_id": f"q{i}", "text": str(i), "evidence": evidence} for i in (1, 2, 3)))
    write(tmp_path / "run.jsonl", jsonl(at(4, 6), at(0, 4), at(7, 9), at(8, 10)), {"query_id": "q2", "error": "down"})
    report = audit(
        tmp_path / "corpus.jsonl", tmp_path / "q.jsonl", "--run", tmp_path / "run.jsonl", "-k", 3, "--fail-under", "R@3=0"
    )
    measures = report["queries"][0]["measures"]
    wanted = {"P@3": 2 / 3, "R@3": 1.0, "RR": 1 / 2, "Evidence@3": 1 / 2, "CharR@3": 5 / 6, "CharP@3": 5 / 8, "Sufficient@3": 0.0}
    assert {name: measures[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)
    assert measures["AP"] is measures["nDCG@10"] is None  # of chunks that the run does not name, nothing is known
    assert [q["measures"]["RR"] for q in report["queries"]] == [0.5, 0.0, 0.0]
    assert report["measures"]["RR"]["n"] == 3
    assert report["queries"][0]["least_k"] == 4
    assert report["pipeline"]["retriever"] == "run run.jsonl"
    assert report["notes"][0] == "1 queries are not in the run: they retrieve nothing and score 0"
    assert any("1 queries failed in the run" in note for note in report["notes"])


def test_a_run_without_any_chunk_scores_0(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", {"_id": "a", "text": "0123456789"})
    write(tmp_path / "q.jsonl", {"_id": "q1", "text": "1", "evidence": [{"doc_id": "a", "start": 0, "end": 4}]})
    report = audit(tmp_path / "corpus.jsonl", tmp_path / "q.jsonl", "--run", write(tmp_path / "r", jsonl()))
    assert report["queries"][0]["status"] == "not_decidable"
    assert {report["measures"][m]["mean"] for m in ("Sufficient@5", "RR", "CharR@5", "P@5")} == {0.0}


def test_a_trec_run_of_documents_against_document_labels(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", *({"_id": name, "text": name * 9} for name in "abc"))
    write(
        tmp_path / "q.jsonl", {"_id": "q1", "text": "1", "relevant": [{"doc_id": "b", "grade": 2}, {"doc_id": "c", "grade": 1}]}
    )
    run = write(tmp_path / "r.trec", "q1 Q0 a 1 3 me", "q1 Q0 b 2 2 me")
    measures = audit(tmp_path / "corpus.jsonl", tmp_path / "q.jsonl", "--run", run, "-k", 2)["queries"][0]["measures"]
    assert (measures["RR"], measures["P@2"], measures["R@100"], measures["AP"]) == (0.5, 0.5, 0.5, 0.25)
    assert measures["Sufficient@2"] is None


@needs_data
@pytest.mark.parametrize("run", ["retrieve_base", "retrieve_level_two", "retrieve_level_three"])
def test_a_recorded_evaluation_is_reproduced(run: str) -> None:
    """All 299 rows; the upstream run divides precision by what was retrieved, at most 3 chunks, not by k."""
    path = DATA / "runs" / f"{run}.jsonl"
    gates = [part for n in (1, 2) for part in ("--fail-under", f"P@{n}=0")]
    report = audit(DATA / "corpus", DATA / "queries.jsonl", "--run", path, "-k", 3, "--fail-under", "R@3=0", *gates)
    measured = {q["id"]: q["measures"] for q in report["queries"]}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    crashed = [row["query_id"] for row in rows if "error" in row]
    assert (len(rows), len(crashed)) == (100, 1 if run == "retrieve_base" else 0)
    for row in rows:
        got = measured[row["query_id"]]
        if "error" in row:
            assert (got["P@3"], got["R@3"], got["RR"]) == (0, 0, 0)
            continue
        recorded, n = row["recorded_metrics"], len(row["retrieved"])
        assert got[f"P@{n}"] == pytest.approx(recorded["Precision"], abs=1e-9)
        assert got["P@3"] == pytest.approx(recorded["Precision"] * n / 3, abs=1e-9)
        assert got["R@3"] == pytest.approx(recorded["Recall"], abs=1e-9)
        assert got["RR"] == pytest.approx(recorded["MRR"], abs=1e-9)
    assert report["label_defects"] == []


def test_the_library_takes_a_run_too(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus.jsonl", {"_id": "a", "text": "0123456789"})
    queries = write(tmp_path / "q.jsonl", {"_id": "q1", "text": "1", "evidence": [{"doc_id": "a", "start": 0, "end": 4}]})
    run = write(tmp_path / "r.jsonl", jsonl(at(0, 4)))
    report = ragdiag.audit(corpus, queries, run=run, k=1, measures=("R@1",), cache=None)
    assert report.measures["R@1"].mean == 1


# Which way scores go


def asc(n: int, query_id: str = "q1", key: str = "score", **more: list[float]) -> dict[str, object]:
    """A ranking of `n` results, listed best first with distances."""
    return jsonl(*(at(i, i + 1, **{key: 0.1 * i}, **{k: v[i] for k, v in more.items()}) for i in range(n)), query_id=query_id)


@pytest.mark.parametrize(
    "lines",
    [
        (asc(2), asc(3, "q2")),
        (asc(4),),
        (jsonl(at(0, 1, score=-9), at(1, 2, score=-9), at(2, 3, score=-1)), jsonl(at(0, 1, score=5), query_id="q2")),
        (asc(2), asc(2, "q2"), jsonl(at(0, 1, score=2), at(1, 2, score=1), query_id="q3")),
        ("q1 Q0 a 1 0.1 me", "q1 Q0 b 2 0.4 me", "q2 Q0 b 0 1 me", "q2 Q0 a 1 2 me"),
    ],
    ids=["all", "one", "with ties, and a ranking of one", "most", "trec"],
)
def test_scores_that_rise_down_most_rankings_are_not_turned_round(tmp_path: Path, lines: tuple[object, ...]) -> None:
    with pytest.raises(InputError, match=r"scores rise down \d of \d rankings: distances\? .* negate") as raised:
        read(tmp_path, *lines)
    assert raised.value.line == 1 and "\n" not in str(raised.value)


def test_a_rank_settles_which_way_is_up(tmp_path: Path) -> None:
    ranking = read(tmp_path, asc(3, rank=[1.0, 2.0, 3.0]))[0]
    assert [c.start for c in ranking.chunks] == [0, 1, 2]
    from_0 = read(tmp_path, asc(3, rank=[2.0, 0.0, 1.0]))[0]
    assert [c.start for c in from_0.chunks] == [1, 2, 0]
    with pytest.raises(InputError, match="two results have rank 2"):
        read(tmp_path, asc(3, rank=[1.0, 2.0, 2.0]))


def noted(tmp_path: Path, *lines: object) -> list[str]:
    return list(read_run(write(tmp_path / "run", *lines)).notes)


def test_what_is_odd_about_orders_is_told(tmp_path: Path) -> None:
    down = [jsonl(at(0, 1, score=2), at(1, 2, score=1), query_id=f"d{i}") for i in range(2)]
    level = jsonl(at(0, 1, score=1), at(1, 2, score=1), query_id="level")
    unsorted = jsonl(at(0, 1, score=1), at(1, 2, score=3), at(2, 3, score=2), query_id="u")
    assert noted(tmp_path, *down, level, unsorted) == []
    assert noted(tmp_path, *down, asc(2)) == [
        "1 of 3 rankings have scores that rise as they stand: the highest is taken for the best"
    ]
    disagree = asc(3, rank=[1.0, 3.0, 2.0])
    assert noted(tmp_path, disagree) == ["1 of 1 rankings have ranks and scores that disagree: the ranks count"]
    trec = ("q1 Q0 a 1 3 me", "q1 Q0 b 2 1 me", "q1 Q0 b#0-5 3 2 me")
    assert noted(tmp_path, *trec) == ["1 of 1 rankings have ranks and scores that disagree: the scores count"]
    assert noted(tmp_path, "q1 Q0 a 0 0.1 me", "q1 Q0 b 0 0.4 me") == []  # such ranks say nothing


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"query_id": "q1", "retrieved": [{"doc_id": "a", "score": NaN}]}', "NaN"),
        ('{"query_id": "q1", "retrieved": [{"doc_id": "a", "score": 1e999}]}', "'score' must be a finite number, not inf"),
        ('{"query_id": "q1", "retrieved": [{"doc_id": "a", "score": "0.9"}]}', "'score' must be int or float, not str"),
        ('{"query_id": "q1", "retrieved": [{"doc_id": "a", "start": true, "end": 3}]}', "'start' must be int, not bool"),
        ("q1 Q0 a 1 nan me", "score nan is not a finite number"),
        ("q1 Q0 a 1 -inf me", "score -inf is not a finite number"),
    ],
)
def test_a_score_that_is_no_number_is_an_error(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, line)


def test_a_search_and_a_run_file_of_the_same_results_agree(tmp_path: Path) -> None:
    """Best first by distance: as listed by a search, and by rank in a file."""
    corpus = write(tmp_path / "corpus.jsonl", *({"_id": d, "text": f"The {d} is here."} for d in ("apple", "pear")))
    asked = [{"_id": d, "text": d, "evidence": [{"doc_id": d, "text": f"The {d} is here."}]} for d in ("apple", "pear")]
    queries = write(tmp_path / "q.jsonl", *asked)
    best = {
        d: [{"doc_id": d, "score": 0.1}, {"doc_id": "pear" if d == "apple" else "apple", "score": 0.9}] for d in ("apple", "pear")
    }
    ranked = [[r | {"rank": n} for n, r in enumerate(rows, 1)] for rows in best.values()]
    run = write(tmp_path / "r.jsonl", *(jsonl(*rows, query_id=d) for d, rows in zip(best, ranked, strict=True)))
    by_file = ragdiag.audit(corpus, queries, run=run, k=1, cache=None)
    by_search = ragdiag.audit(corpus, queries, search=lambda query, k: best[query], k=1, cache=None)
    assert by_file.measures["Success@1"].mean == by_search.measures["Success@1"].mean == 1


# Where texts stand


def test_a_retrieved_text_is_the_chunk_that_has_it(tmp_path: Path) -> None:
    """It stands at 0 and 3; of these only the second is a chunk."""
    corpus = Corpus((Document("a", "ab ab cd"),))
    chunks = write(tmp_path / "c.jsonl", {"doc_id": "a", "start": 3, "end": 5}, {"doc_id": "a", "start": 6, "end": 8})
    result = bound(tmp_path, jsonl({"doc_id": "a", "text": "ab"}), chunks=chunks, corpus=corpus)
    assert named(result, corpus)[0] == ["a#3-5"]
    assert not any("several places" in note for note in result.notes)


def test_a_text_that_a_ranking_repeats_takes_its_places_in_turn(tmp_path: Path) -> None:
    corpus = Corpus((Document("a", "ab ab cd"),))
    twice = [{"doc_id": "a", "text": "ab"}] * 2
    result = bound(tmp_path, jsonl(*twice), jsonl(*twice, query_id="q2"), corpus=corpus)
    assert named(result, corpus) == [["a#0-2", "a#3-5"]] * 2
    assert [note for note in result.notes if "several places" in note]


COPIES = Corpus((Document("a", "Fee: 5. Members pay. Fee: 5."), Document("b", "Guests. Fee: 5. Not here.")))


def labelled(*spans: tuple[str, int, int]) -> Labels:
    label = (Label(doc_id=d, start=a, end=b) for d, a, b in spans)
    return locate([Query(f"q{i}", "fee", evidence=(each,)) for i, each in enumerate(label, 1)], COPIES)


@pytest.mark.parametrize("item", [{"text": "Fee: 5."}, {"text": "Fee:  5.", "metadata": {"source": "6f9619ff"}}])
def test_a_text_counts_wherever_it_stands(tmp_path: Path, item: dict[str, object]) -> None:
    """It is in the prompt whichever it was cut from: of two queries each is served by the place that it is labelled at."""
    labels = labelled(("a", 21, 28), ("b", 8, 15))
    rankings = read(tmp_path, jsonl(item), jsonl(item, query_id="q2"))
    result = bind(rankings, labels.queries, COPIES, None, labels=labels)
    assert named(result, COPIES) == [["a#21-28"], ["b#8-15"]]
    (note,) = [note for note in result.notes if "several places" in note]
    assert note.startswith("1 retrieved texts stand in several places")
    assert named(bind(rankings, labels.queries, COPIES, None), COPIES) == [["a#0-7"], ["a#0-7"]]  # the first, without labels


def test_a_document_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    labels = labelled(("b", 8, 15))
    rankings = read(tmp_path, jsonl({"text": "Fee: 5.", "doc_id": "a"}))
    assert named(bind(rankings, labels.queries, COPIES, None, labels=labels), COPIES) == [["a#0-7"]]


def test_a_text_twice_in_a_ranking_has_the_place_of_the_evidence_once(tmp_path: Path) -> None:
    labels = labelled(("b", 8, 15))
    rankings = read(tmp_path, jsonl(*[{"text": "Fee: 5."}] * 4))
    assert named(bind(rankings, labels.queries, COPIES, None, labels=labels), COPIES) == [["b#8-15", "a#0-7", "a#21-28"]]


def test_results_by_text_in_a_part_of_the_corpus(tmp_path: Path) -> None:
    """Texts of documents that are left out are no error: they are left out too."""
    part = Corpus(COPIES.documents[1:])
    rankings = read(tmp_path, jsonl({"text": "Members pay."}, {"text": "Guests."}, {"doc_id": "a", "text": "Members"}))
    assert named(bind(rankings, QUERIES, part, None, COPIES), part)[0] == ["b#0-7"]


def test_a_text_that_no_document_holds_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run:1: chunk 'Nowhere\.'… names no document and its text is in no document"):
        bound(tmp_path, jsonl({"text": "Nowhere."}))


# What a framework cut


def texts_of(n: int, query_id: str) -> dict[str, object]:
    return jsonl(*(at(i, i + 1) for i in range(n)), query_id=query_id)


@pytest.mark.parametrize(
    ("lengths", "depth", "says"),
    [
        ((4, 4, 4), 5, "every ranking has exactly 4 results: cut by the framework's own k? Measures at 5 see no more than 4"),
        ((4,) * 19 + (3,), 5, "19 of 20 rankings have exactly 4 results, none has more: cut"),
        ((4, 4, 4), 4, ""),
        ((4, 4, 5), 6, ""),
        ((4, 3, 2), 5, ""),
        ((4,), 5, ""),  # one ranking tells nothing
        ((0, 0), 5, ""),
    ],
)
def test_results_that_a_framework_cut_are_told(tmp_path: Path, lengths: tuple[int, ...], depth: int, says: str) -> None:
    rankings = read(tmp_path, *(texts_of(n, f"q{i}") for i, n in enumerate(lengths)))
    assert "".join(cut_short(rankings, depth, 9, recorded=True)).startswith(says)
    assert bool(list(cut_short(rankings, depth, 9, recorded=True))) is bool(says)
    assert not list(cut_short(rankings, depth, 4, recorded=True))  # there are no more chunks


def test_a_run_that_is_cut_is_told_in_the_report(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", {"_id": "a", "text": "0123456789"})
    evidence = [{"doc_id": "a", "start": 0, "end": 4}]
    write(tmp_path / "q.jsonl", *({"_id": f"q{i}", "text": "x", "evidence": evidence} for i in (1, 2)))
    run = write(tmp_path / "r.jsonl", jsonl(at(0, 2), at(2, 4)), jsonl(at(4, 6), at(6, 8), query_id="q2"))
    notes = audit(tmp_path / "corpus.jsonl", tmp_path / "q.jsonl", "--run", run, "-k", 3)["notes"]
    assert [note for note in notes if note.startswith("every ranking has exactly 2 results")]
    notes = audit(tmp_path / "corpus.jsonl", tmp_path / "q.jsonl", "--run", run, "-k", 2)["notes"]
    assert not [note for note in notes if "exactly" in note]


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        ("é cd", {"start": 6, "end": 11}, "of bytes: in characters they are 3 and 7"),
        ("é cd", {"start": 4, "end": 8}, "of UTF-16 units: in characters they are 3 and 7"),
        ("é cd", {"start": 3, "end": 6}, "its end seems to be the last character"),
        ("é cd", {"start": 1, "end": 5}, r"differs from a\[1:5\]; leave out"),
    ],
)
def test_offsets_of_another_kind_are_recognised(tmp_path: Path, text: str, more: dict[str, int], says: str) -> None:
    corpus = Corpus((Document("a", "\N{PALM TREE} _é cd ef"),))
    with pytest.raises(InputError, match=says):
        place(read_chunks(write(tmp_path / "c.jsonl", {"doc_id": "a", "text": text, **more})), corpus)
