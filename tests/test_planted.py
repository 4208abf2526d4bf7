"""The planted-fault benchmark itself: its faults are what they claim to be, its figures are right."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from planted.files import read_rows, write_world
from planted.plant import Planter
from planted.records import Case, Edit, Question
from planted.scoring import baselines, by_class, counted, figures
from planted.search import Ranker, holds, sufficient
from planted.sources import world_of

from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.pipeline import run_audit
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

pytestmark = pytest.mark.slow

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
FOREIGN = [
    f"{who} crossed the {where} before dawn. The old songs speak of a silver ship. Nobody in the harbour saw it leave."
    for who in ("The queen", "A shepherd", "Two monks", "The last baker", "A fiddler")
    for where in ("frozen lake", "red desert", "long valley", "northern pass")
]
WANTED = {"missing_content": 3, "chunk_split": 2, "stale": 3, "crowded_out": 2, "pollution": 3, "healthy": 6}


@pytest.fixture(scope="module")
def planter(tmp_path_factory: pytest.TempPathFactory) -> Planter:
    """The small fixture with a few faults of the kinds that need no encoder."""
    corpus = load_corpus(TIDEWATER / "corpus")
    labels = locate(load_queries(TIDEWATER / "queries.jsonl"), corpus)
    world = world_of(corpus, labels, list(range(len(corpus.documents))), most=10_000)
    ranker = Ranker(tmp_path_factory.mktemp("cache"))
    made = Planter(world, ranker, "bm25", FOREIGN, "a test", swaps=())
    made.cases = made.fill(WANTED)
    return made


def test_ranks_as_ragdiag_does(planter: Planter) -> None:
    view = planter.world.view()
    queries = [q.text for q in planter.world.questions]
    theirs, _ = make("retrievers", "bm25").index(view.texts, None, no_progress).search(queries, min(100, len(view.texts)))
    assert planter.ranker.rows("bm25", view.texts, queries) == [[i for i in row if i >= 0] for row in theirs.tolist()]


def test_faults_are_what_they_claim(planter: Planter) -> None:
    faulty = [c for c in planter.cases if c.fault]
    assert {c.kind for c in faulty} >= {"missing_content", "stale", "pollution"}
    assert any(c.extra for c in faulty)
    for case in faulty:
        question, pages = case.question, planter.world.pages
        before = planter.verifier.rank(question.text, without=planter.world.edits)
        after = planter.verifier.rank(case.asked)
        undone = planter.verifier.rank(question.text, without=[case.fault])
        assert [sufficient(found, question, pages) for found in (before, after, undone)] == [True, False, True]
        assert case.right[0] == case.kind
        if case.extra:
            assert not sufficient(planter.verifier.rank(case.asked, without=[case.extra]), question, pages)


def test_a_fault_that_does_no_harm_is_refused(planter: Planter) -> None:
    case = next(c for c in planter.cases if c.fault is None)
    assert planter.verifier.flaw(Case(case.question, Edit("stale", "nothing"), None)) == "still served"


def test_the_audit_agrees_on_what_is_served(planter: Planter, tmp_path: Path) -> None:
    write_world(tmp_path, planter.world, planter.cases, set="tidewater", retriever="bm25", seed="a test")
    options = Options(chunks=tmp_path / "chunks.jsonl", retriever="bm25", k=5, cache=None)
    report = run_audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", options).report
    truth = {row["id"]: row["truth"] for row in read_rows(tmp_path / "truth.jsonl")}
    assert not report.label_defects
    assert {q.id: q.status == "ok" for q in report.queries} == {name: kind == "healthy" for name, kind in truth.items()}


def test_a_passage_in_two_chunks_is_held_by_both() -> None:
    from planted.records import Span

    passage, text = Span("p", 2, 9), "0123 5678 "
    assert holds([Span("p", 5, 10), Span("p", 0, 4)], passage, text)  # position 4 is a space
    assert not holds([Span("p", 6, 10), Span("p", 0, 4)], passage, text)
    assert not sufficient([Span("p", 0, 4)], Question("q", "", ((passage,),)), {"p": _page(text)})


def _page(text: str):
    from planted.records import Page

    return Page("p", text)


def _row(truth: str, predicted: str, *right: str, herring: str = "", decoy: str = "") -> dict:
    return {
        "truth": truth,
        "predicted": predicted,
        "right": [truth, *right],
        "herring": herring,
        "decoy": decoy,
        "surface": "healthy",
    }


def test_figures_by_hand() -> None:
    rows = [
        _row("healthy", "healthy"),
        _row("healthy", "healthy", decoy="stale"),
        _row("healthy", "stale", decoy="stale"),
        _row("stale", "stale", herring="pollution"),
        _row("stale", "diluted", "diluted"),  # also right
        _row("ranking", "undetermined", herring="stale"),
    ]
    assert [counted(r) for r in rows] == ["healthy", "healthy", "stale", "stale", "stale", "undetermined"]
    found = figures(rows)
    # healthy: precision 1, recall 2/3, F1 4/5; stale: 2/3, 1, 4/5; ranking: 0
    assert found["macro-F1"] == pytest.approx((0.8 + 0.8 + 0) / 3)
    # agreement 4/6; by chance healthy 3/6 * 2/6, stale 2/6 * 3/6: 12/36
    assert found["kappa"] == pytest.approx((4 / 6 - 12 / 36) / (1 - 12 / 36))
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert (found["alarms, plain"], found["alarms, decoys"]) == (0, 0.5)
    assert (found["right, no herring"], found["right, herring"]) == (1, 0.5)
    table = {name: figures for name, *figures in by_class(rows)}
    assert table["healthy"] == [3, 1, pytest.approx(2 / 3)]
    assert table["stale"] == [2, pytest.approx(2 / 3), 1]
    assert figures(baselines(rows)["majority class"])["kappa"] == 0
