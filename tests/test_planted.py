"""The planted-fault benchmark itself: its faults are what they claim to be, its figures are right."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from planted.families import DEV, TEST, add_families
from planted.files import read_rows, write_world
from planted.harmless import WIDE
from planted.plant import Planter
from planted.records import Case, Edit, Question
from planted.scoring import baselines, by_class, counted, figures, predicted, report
from planted.search import Ranker, holds, sufficient
from planted.sources import world_of
from planted.text import words
from planted.turns import without_words
from planted.wordforms import inflected

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
WANTED = {"missing_content": 2, "chunk_split": 4, "stale": 2, "crowded_out": 2, "pollution": 2, "healthy": 8}
WANTED |= {"ranking": 2, "incomplete": 2}
WANTED |= dict.fromkeys(("header_lost", "conflicting", "contextless", "too_small", "follow_up", "misspelt", "query_mismatch"), 2)


@pytest.fixture(scope="module")
def planter(tmp_path_factory: pytest.TempPathFactory) -> Planter:
    """The small fixture with faults of every kind that needs neither an encoder (`truncated`) nor long pages (`diluted`)."""
    corpus = load_corpus(TIDEWATER / "corpus")
    labels = locate(load_queries(TIDEWATER / "queries.jsonl"), corpus)
    world = world_of(corpus, labels, list(range(len(corpus.documents))), most=10_000)
    add_families(world, "dev", "tidewater", documents=7, asked=1)
    ranker = Ranker(tmp_path_factory.mktemp("cache"))
    made = Planter(world, ranker, "bm25", FOREIGN, "a test", swaps=())
    made.cases = made.fill(WANTED)
    return made


def test_ranks_as_ragdiag_does(planter: Planter, tmp_path: Path) -> None:
    view = planter.world.view()
    queries = [q.text for q in planter.world.questions]
    theirs, _ = make("retrievers", "bm25").index(view.texts, None, no_progress).search(queries, min(100, len(view.texts)))
    # A new one meets the terms in the order of the texts: another order rounds the mean idf otherwise, and ties fall otherwise.
    assert Ranker(tmp_path).rows("bm25", view.texts, queries) == [[i for i in row if i >= 0] for row in theirs.tolist()]


def test_faults_are_what_they_claim(planter: Planter) -> None:
    faulty = [c for c in planter.cases if c.fault]
    assert {c.kind for c in faulty} == set(WANTED) - {"healthy"}
    assert any(c.extra for c in faulty)
    for case in faulty:
        question, pages = case.question, planter.world.pages
        before = planter.verifier.rank(question.text, without=planter.world.edits)
        after = planter.verifier.rank(case.asked)
        needs = case.needs  # the evidence where it stands in the finished world
        undone = planter.verifier.rank(question.text, without=[case.fault])
        assert [sufficient(before, question, pages), sufficient(undone, question, pages)] == [True, True]
        assert not sufficient(after, needs, pages)
        assert case.fault.kind != "follow_up" or case.record["rewrite"] == question.text != case.asked
        assert not case.fault.context or _with_before(planter, case)
        assert case.right[0] == case.kind
        if case.extra:
            asked = case.fault.asked or question.text
            assert not sufficient(planter.verifier.rank(asked, without=[case.extra]), needs, pages)


def _with_before(planter: Planter, case: Case) -> bool:
    """Whether the chunk that holds the evidence is found with what it lacks before it."""
    view, pages = planter.world.view(), planter.world.pages
    holding = [any(s.holds(p) for p in case.needs.passages) for s in view.spans]
    texts = [f"{case.fault.context}\n\n{t}" if held else t for held, t in zip(holding, view.texts, strict=True)]
    ranking = [view.spans[i] for i in planter.ranker.rows("bm25", texts, [case.asked])[0]]
    return sufficient(ranking, case.needs, pages)


def test_what_is_told_of_each_new_class(planter: Planter) -> None:
    known = {w for text in planter.world.view().texts for w in words(text)}
    for case in (c for c in planter.cases if c.fault):
        added = [p for p in case.fault.pages if p.id != case.needs.passages[0].page]
        chunks = [c for c in planter.world.view().spans if any(c.holds(p) for p in case.needs.passages)]
        if case.kind == "misspelt":
            assert set(words(case.asked)) - known
        if case.kind == "conflicting":
            assert added and not any(p.metadata for p in added)
        if case.kind == "contextless":
            assert not case.fault.gone & {p.id for p in added}
            assert set(words(case.fault.context)) & set(words(case.asked)) - set(words(planter.world.text(chunks[0])))
        if case.kind == "header_lost":
            assert chunks[0].start > 0
        if case.kind == "too_small":
            whole = max(c.end - c.start for c in case.fault.removed)
            assert all(c.end - c.start <= whole / 2 for c in chunks if c in case.fault.added)


def test_no_word_is_cut_and_no_answer_is_copied(planter: Planter) -> None:
    for case in (c for c in planter.cases if c.fault):
        for span in case.fault.added:
            text = planter.world.pages[span.page].text
            assert not (text[span.start - 1 : span.start + 1].isalnum() and span.start)
        answer = case.question.answer
        assert not answer or not any(answer in p.text for p in case.fault.pages if not case.fault.groups)


def test_a_fault_that_does_no_harm_is_refused(planter: Planter) -> None:
    case = next(c for c in planter.cases if c.fault is None)
    assert planter.verifier.flaw(Case(case.question, Edit("stale", "nothing"), None)) == "still served"


def test_the_audit_agrees_on_what_is_served(planter: Planter, tmp_path: Path) -> None:
    write_world(tmp_path, planter.world, planter.cases, set="tidewater", retriever="bm25", seed="a test")
    options = Options(chunks=tmp_path / "chunks.jsonl", retriever="bm25", k=5, cache=None)
    report = run_audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", options).report
    truth = {row["id"]: row["truth"] for row in read_rows(tmp_path / "truth.jsonl")}
    assert not report.label_defects
    served = {
        case.question.id: sufficient(planter.verifier.rank(case.asked), case.needs, planter.world.pages) for case in planter.cases
    }
    assert {q.id: q.status == "ok" for q in report.queries} == served
    wide = {case.question.id for case in planter.cases if case.extra and case.extra.kind == WIDE}
    assert {name for name, kind in truth.items() if kind == "healthy"} == {name for name, ok in served.items() if ok} | wide


def test_questions_and_families_of_the_parts_are_others() -> None:
    assert not {f.name for f in DEV} & {f.name for f in TEST}
    corpus = load_corpus(TIDEWATER / "corpus")
    labels = locate(load_queries(TIDEWATER / "queries.jsonl"), corpus)
    everything = list(range(len(corpus.documents)))
    names = [q.id for q in world_of(corpus, labels, everything, most=10_000).questions]
    rest = world_of(corpus, labels, everything, 10_000, frozenset(names[:5])).questions
    assert [q.id for q in rest] == names[5:]


def test_words_are_mistyped_and_inflected_as_people_do() -> None:
    known = {"govern", "governed", "government", "measured", "measure", "study"}
    assert inflected("governs", known) == ["govern", "governed", "government"]
    assert inflected("measured", known) == ["measure"]
    assert inflected("cats", {"cat", "cation"}) == []
    asked = "How long does the spike protein last on steel, and when did spike vaccines come?"
    assert without_words(asked, ["spike", "protein"]) == "How long does it last on steel, and when did this vaccines come?"


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


def test_what_names_no_cause_is_not_right() -> None:
    assert predicted("ok", (), "") == "healthy"
    assert predicted("caused", ("stale",), "") == "stale"
    assert predicted("caused", ("stale",), "doubtful") == "label doubtful"
    assert predicted("undetermined", (), "") == "undetermined"
    rows = [_row("stale", name) for name in ("label doubtful", "label wide", "other_retriever", "undetermined")]
    assert figures(rows)["accuracy"] == 0
    told = report([*(r | {"retriever": "bm25", "style": "date"} for r in rows)])
    assert "of 4 faults: undetermined 1, other_retriever 1, label wide 1, label doubtful 1" in told
    assert figures([_row("healthy", "label wide", "label wide", decoy="wide label")])["alarms, decoys"] == 0


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
