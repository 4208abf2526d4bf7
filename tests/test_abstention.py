"""Declining: what answers do by hand-worked groups, which signals tell when to, on planted and on shuffled labels."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group

from ragdiag.answering.abstention import told_apart
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Run
from ragdiag.pipeline import load_measurable, rank
from ragdiag.reports.abstention import abstention_dict, abstention_lines
from ragdiag.scoring.abstaining import AIMS, Telling, overlap, score_signals, telling
from ragdiag.search.retrieval import Plan

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
NAN, GONE = float("nan"), -float("inf")
DECLINES = "The documents do not say."

# Ten queries: "u" has no answer in the corpus, "a" has one. What the context held, what was answered, and whether that is right.
ANSWERS = {
    "u1": (None, DECLINES, None),  # declined
    "u2": (None, "It costs 4 euros.", None),  # a false answer
    "u3": (None, "No such thing is sold.", True),  # right by its label, though it does not decline
    "u4": (None, "It costs 9 euros.", False),  # a false answer
    "a1": (False, DECLINES, None),  # declined, rightly so
    "a2": (False, "seven", None),  # a false answer
    "a3": (False, "nine", None),  # right by luck: the reference is nine
    "a4": (True, DECLINES, None),  # an over-refusal
    "a5": (True, "nine", None),
    "a6": (True, "seven", None),  # wrong, and no false answer in this sense: the answer was there
}


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def files(folder: Path, names: list[str], oracle: bool = True) -> tuple[str, list[str]]:
    """Queries and answers of some of the ten, each answerable one with a right oracle answer."""
    queries, answers = [], []
    for name in names:
        held, answer, correct = ANSWERS[name]
        evidence = [] if name[0] == "u" else [{"doc_id": "d", "text": f"fact {name}."}]
        row = {"_id": name, "text": f"what about {name}", "evidence": evidence}
        queries.append(row | ({"answer": "nine"} if evidence else {"unanswerable": True}))
        recorded = {"query_id": name, "condition": "retrieved", "answer": answer}
        answers.append(recorded | {k: v for k, v in (("sufficient", held), ("correct", correct)) if v is not None})
        if evidence and oracle:
            answers.append({"query_id": name, "condition": "oracle", "answer": "nine", "correct": True})
    return write(folder / "queries.jsonl", queries), [write(folder / "answers.jsonl", answers)]


def shares(found) -> dict:
    """By group, the mean of each deed and of how many queries, in the order declined, right, wrong."""
    return {group: [(m.mean, m.n) for m in deeds.values()] for group, deeds in found.abstained.items()}


def test_groups_and_deeds_by_hand(tmp_path: Path) -> None:
    found = litmus(*files(tmp_path, list(ANSWERS)))
    third = pytest.approx(1 / 3)
    assert shares(found) == {
        "unanswerable": [(0.25, 4), (0.25, 4), (0.5, 4)],
        "insufficient": [(third, 3), (third, 3), (third, 3)],
        "sufficient": [(third, 3), (third, 3), (third, 3)],
    }
    judged = {found.queries[j.query].id: (j.right, j.by, j.declined) for j in found.of("retrieved")}
    assert judged["u1"] == (True, "unanswerable", True)
    assert judged["u2"] == (False, "unanswerable", False)
    assert judged["u3"] == (True, "label", False)
    assert judged["u4"] == (False, "label", False)
    assert judged["a4"] == (False, "matcher", True)
    assert judged["a5"] == (True, "matcher", False)


def test_what_cannot_be_answered_stays_out_of_the_verdict(tmp_path: Path) -> None:
    without = litmus(*files(tmp_path, [name for name in ANSWERS if name[0] == "a"]))
    with_them = litmus(*files(tmp_path, list(ANSWERS)))
    assert dataclasses.asdict(with_them.verdict) == dataclasses.asdict(without.verdict)
    assert with_them.shares == without.shares
    assert with_them.outcomes.failed.sum() == without.outcomes.failed.sum() == 4


def test_without_an_oracle_a_false_answer_widens_no_bounds(tmp_path: Path) -> None:
    without = litmus(*files(tmp_path, ["a2", "a6"], oracle=False))
    with_them = litmus(*files(tmp_path, ["a2", "a6", "u2", "u4"], oracle=False))
    assert with_them.verdict.bounds == without.verdict.bounds == (0.0, 0.5)


def test_an_answer_by_a_reference_is_right_from_memory(tmp_path: Path) -> None:
    query = {"_id": "u", "text": "who wrote hamlet", "evidence": [], "unanswerable": True, "answer": "Shakespeare"}
    for answer, expected in (("Shakespeare", (0, 1, 0)), ("Marlowe", (0, 0, 1)), (DECLINES, (1, 0, 0))):
        rows = [{"query_id": "u", "condition": "retrieved", "answer": answer}]
        found = litmus(write(tmp_path / "q.jsonl", [query]), [write(tmp_path / "a.jsonl", rows)])
        assert tuple(m.mean for m in found.abstained["unanswerable"].values()) == expected


def test_failed_attempts_do_nothing_and_what_is_not_known_is_said(tmp_path: Path) -> None:
    queries, _ = files(tmp_path, ["u1", "u2", "a1", "a4"])
    rows = [
        {"query_id": "u1", "condition": "retrieved", "error": "status 500"},
        {"query_id": "u2", "condition": "retrieved", "answer": DECLINES},
        {"query_id": "a1", "condition": "retrieved", "answer": "nine"},  # nothing says what its context held
        {"query_id": "a4", "condition": "retrieved", "answer": DECLINES, "sufficient": True},
    ]
    found = litmus(queries, [write(tmp_path / "some.jsonl", rows)])
    assert {group: deeds["declined"].n for group, deeds in found.abstained.items()} == {
        "unanswerable": 1, "sufficient": 1, "unknown": 1,
    }  # fmt: skip
    assert "left out: 1 query of which nothing says what the context held" in screen(found)
    assert "not judged" not in screen(found)


def screen(found) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(Group(*abstention_lines(found)))
    return captured.get()


def test_the_figures_are_named(tmp_path: Path) -> None:
    found = litmus(*files(tmp_path, list(ANSWERS)))
    shown = screen(found)
    for words in ("false answers, unanswerable", "false answers, context insufficient", "over-refusals", "from memory, or luck"):
        assert words in shown
    assert abstention_dict(found)["answers"]["unanswerable"]["wrong"]["mean"] == 0.5
    assert abstention_dict(found)["retrieval"] is None
    nothing = litmus(*files(tmp_path, ["a5"]))
    assert "right all the same" not in screen(nothing)


def test_signals_by_hand() -> None:
    scores = np.array([[9.0, 7.0, 4.0], [5.0, GONE, GONE], [GONE] * 3, [3.0, 2.0, 1.0]])
    found = score_signals(Run(np.zeros((4, 3), dtype=np.int64), scores, listed=(3,)), 3)
    assert {name: values.tolist()[0] for name, values in found.items()} == {"first": 9, "margin": 2, "drop": 5}
    assert found["first"][1] == 5 and np.isnan(found["margin"][1]) and np.isnan(found["drop"][1])
    assert all(np.isnan(values[2:]).all() for values in found.values())  # failed; an order without scores
    assert np.isnan(score_signals(Run(np.zeros((4, 3), dtype=np.int64), scores), 5)["drop"]).all()


def test_overlap_by_hand() -> None:
    one, other = np.array([[1, 2, 3], [1, 2, -1], [-1, -1, -1]]), np.array([[3, 1, 9], [7, 8, 9], [1, 2, 3]])
    np.testing.assert_array_equal(overlap(one, other, 3), [2 / 3, 0, NAN])
    np.testing.assert_array_equal(overlap(one, other, 1), [0, 0, NAN])


def planted(seed: int, shift: float, n: int = 80, m: int = 25):
    """Three signals of which the second is lower by `shift` for the unanswerable queries, the last `m`."""
    rng = np.random.default_rng(seed)
    unanswerable = np.arange(n + m) >= n
    values = rng.normal(size=(3, n + m))
    values[1] -= shift * unanswerable
    signals = dict(zip(("first", "margin", "drop"), values, strict=True))
    return signals, ~unanswerable, unanswerable, np.arange(n + m)


def test_a_planted_signal_is_found_with_what_it_costs() -> None:
    found = telling(*planted(1, 2.0), seed=0)
    assert (found.best, found.below, found.answerable, found.unanswerable) == ("margin", True, 80, 25)
    assert [s.name for s in found.signals if s.tells] == ["margin"]
    assert all(s.needed is None for s in found.signals if s.tells)
    assert [t.aim for t in found.tradeoffs] == list(AIMS)
    for tradeoff, expected in zip(found.tradeoffs, (0.64, 0.76, 0.88), strict=True):  # normal, two standard deviations apart
        assert tradeoff.unanswerable.low < expected < tradeoff.unanswerable.high
        assert tradeoff.answerable.low < tradeoff.aim < tradeoff.answerable.high
        assert tradeoff.unanswerable.n == 25 and tradeoff.answerable.n == 80


def test_a_signal_the_other_way_round_declines_above() -> None:
    signals, *rest = planted(1, 2.0)
    found, turned = telling(signals, *rest, seed=0), telling({n: -v for n, v in signals.items()}, *rest, seed=0)
    assert (turned.best, turned.below) == ("margin", False)
    for one, other in zip(found.tradeoffs, turned.tradeoffs, strict=True):
        assert (one.unanswerable, one.answerable, one.threshold) == (other.unanswerable, other.answerable, -other.threshold)


def test_shuffled_labels_tell_in_no_more_than_one_of_twenty() -> None:
    """The signals go together, as those of one retriever do, and some answerable queries share a document."""
    rng, runs, wrong = np.random.default_rng(5), 600, 0
    for _ in range(runs):
        cluster = np.concatenate([np.repeat(np.arange(20), 3), np.arange(100, 120)])
        base = rng.normal(size=120)[np.unique(cluster, return_inverse=True)[1]] + rng.normal(size=80)
        signals = {name: base + rng.normal(size=80) * apart for name, apart in (("first", 0.1), ("margin", 1.0), ("drop", 3.0))}
        unanswerable = np.arange(80) >= 60
        wrong += telling(signals, ~unanswerable, unanswerable, cluster, 0).best is not None
    assert wrong / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


@given(st.integers(0, 10_000))
def test_no_unanswerable_query_has_a_part_in_a_threshold(seed: int) -> None:
    signals, answerable, unanswerable, cluster = planted(1, 3.0)
    moved = signals["margin"].copy()
    moved[unanswerable] -= np.random.default_rng(seed).random(int(unanswerable.sum()))
    before = telling(signals, answerable, unanswerable, cluster, 0)
    after = telling({**signals, "margin": moved}, answerable, unanswerable, cluster, 0)
    assert [(t.threshold, t.answerable) for t in before.tradeoffs] == [(t.threshold, t.answerable) for t in after.tradeoffs]


def test_answerable_queries_are_held_against_thresholds_of_other_documents() -> None:
    """Twelve queries of one document stand lowest. By a threshold made from them as well, three of sixty would be declined."""
    values = np.concatenate([np.arange(60.0), np.full(20, -1.0)])
    unanswerable = np.arange(80) >= 60
    cluster = np.where(np.arange(80) < 12, 0, np.arange(80))
    found = telling({"first": values}, ~unanswerable, unanswerable, cluster, 0)
    five = found.tradeoffs[0]
    assert (five.aim, five.threshold, five.unanswerable.mean) == (0.05, 2.0, 1.0)
    assert five.answerable.mean is not None and 12 / 60 <= five.answerable.mean <= 15 / 60


def test_ties_at_the_least_value_decline_nothing_and_are_left_out() -> None:
    values = np.concatenate([np.repeat([0.0, 0.2, 0.8], [15, 10, 75]), np.zeros(25)])
    unanswerable = np.arange(125) >= 100
    found = telling({"agreement": values}, ~unanswerable, unanswerable, np.arange(125), 0)
    assert found.best == "agreement"
    assert [(t.aim, t.threshold, t.unanswerable.mean) for t in found.tradeoffs] == [(0.2, 0.2, 1.0)]


def test_of_few_documents_no_threshold_is_made() -> None:
    signals, answerable, unanswerable, cluster = planted(1, 3.0)
    found = telling(signals, answerable, unanswerable, np.where(answerable, cluster % 4, cluster), 0)
    assert not found.tradeoffs


def ranked(retriever: str, queries: Path, **options):
    asked = Options(retriever=retriever, cache=None, **options)
    made = rank(Plan(asked), load_measurable(TIDEWATER / "corpus", queries, asked, no_progress), no_progress)
    return made, asked


def further(folder: Path) -> Path:
    """The queries of tidewater with the further unanswerable ones."""
    file = folder / "all.jsonl"
    parts = [(TIDEWATER / name).read_text(encoding="utf-8") for name in ("queries.jsonl", "unanswerable.jsonl")]
    file.write_text("".join(parts), encoding="utf-8")
    return file


def test_the_scores_of_bm25_on_tidewater(tmp_path: Path) -> None:
    made, asked = ranked("bm25", further(tmp_path))
    run = made.retrieved.run
    found = told_apart(made.scorer, run, made.lengths, made.retrieved.searchable, asked, no_progress)
    assert found is not None and (found.answerable, found.unanswerable, found.other) == (57, 23, "")
    first = {signal.name: signal.seen for signal in found.signals}["first"]
    kinds = np.array(made.scorer.labels.level)
    high, low = run.scores[kinds == "span", 0], run.scores[kinds == "unanswerable", 0]
    pairs = [(a > b) + (a == b) / 2 for a in high for b in low]
    assert first.auc == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("retriever", ["hybrid(bm25, bm25(k1=1.2))", "dedupe(hybrid(bm25, bm25(k1=1.2)))"])
def test_the_parts_of_a_fusion_agree_with_each_other(retriever: str) -> None:
    made, asked = ranked(retriever, TIDEWATER / "queries.jsonl")
    found = told_apart(made.scorer, made.retrieved.run, made.lengths, made.retrieved.searchable, asked, no_progress)
    assert found is not None and found.other == "each other"
    assert "agreement" in {signal.name for signal in found.signals}


def test_a_search_by_meaning_is_held_against_one_by_words() -> None:
    made, asked = ranked("lsa", TIDEWATER / "queries.jsonl")
    found = told_apart(made.scorer, made.retrieved.run, made.lengths, made.retrieved.searchable, asked, no_progress)
    assert found is not None and found.other == "bm25"


def test_without_scores_nothing_is_said_of_them() -> None:
    made, asked = ranked("bm25", TIDEWATER / "queries.jsonl")
    n = len(made.scorer.labels.queries)
    listed = dataclasses.replace(made.retrieved.run, listed=tuple(range(n)), passages=True)
    found = told_apart(made.scorer, listed, made.lengths, made.retrieved.searchable, asked, no_progress)
    assert found is not None and found.signals == () and found.best is None


def test_a_signal_that_not_all_queries_have_says_so(tmp_path: Path) -> None:
    signals, *rest = planted(1, 2.0)
    signals["drop"][:7] = NAN
    found = dataclasses.replace(litmus(*files(tmp_path, ["a5"])), told_apart=telling(signals, *rest, 0))
    assert "first less last of the context, 98 of 105 queries" in screen(found)
    assert "first less second, " not in screen(found)


def test_without_signals_no_empty_table_is_shown(tmp_path: Path) -> None:
    found = dataclasses.replace(litmus(*files(tmp_path, ["a5"])), told_apart=Telling(5, 4, ()))
    assert "tells 4 unanswerable queries and 5 answerable apart is not known: its run has no scores" in screen(found)
    assert "p, corrected" not in screen(found)


def test_where_all_can_be_answered_there_is_nothing_to_tell(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (TIDEWATER / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    write(tmp_path / "q.jsonl", [row for row in rows if not row.get("unanswerable")])
    made, asked = ranked("bm25", tmp_path / "q.jsonl")
    assert told_apart(made.scorer, made.retrieved.run, made.lengths, made.retrieved.searchable, asked, no_progress) is None


def test_the_command_shows_it(tmp_path: Path) -> None:
    queries, out = further(tmp_path), tmp_path / "litmus.json"
    asked = ["litmus", str(queries), "--corpus", str(TIDEWATER / "corpus"), "--answers", str(TIDEWATER / "answers.jsonl")]
    done = CliRunner().invoke(main, [*asked, "--retriever", "bm25", "--no-cache", "--json", str(out), "--quiet"])
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text(encoding="utf-8"))["abstention"]
    assert set(told["answers"]) == {"insufficient", "sufficient"}  # nobody answered what cannot be
    assert told["retrieval"]["unanswerable"] == 23
    assert told["retrieval"]["signals"]["first"]["p_corrected"] < 0.05
    assert told["retrieval"]["decline"] == "below"
    shown = CliRunner().invoke(main, [*asked, "--retriever", "bm25", "--no-cache"]).output
    assert "score of the first tells 23 unanswerable queries and 57 answerable apart" in shown


def test_the_questions_written_to_be_unanswerable() -> None:
    for path in (TIDEWATER / "unanswerable.jsonl", Path(__file__).parent / "bench" / "covid_unanswerable.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(rows) == len({row["text"] for row in rows}) == 20
        assert [row["metadata"]["miss"] for row in rows] == ["near"] * 15 + ["far"] * 5
        assert all(row["unanswerable"] and not row["evidence"] for row in rows)
