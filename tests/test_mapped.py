"""Arrays in files that are read where they are, and texts that are made when they are asked for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core import mapped
from ragdiag.core.cache import Cache
from ragdiag.core.records import Chunking, Corpus, Document
from ragdiag.core.texts import ChunkTexts, OwnTexts
from ragdiag.search.contexts.none import Nothing
from ragdiag.search.retrievers import bm25
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.sources.chunks import embed_texts
from ragdiag.text import counts

ARRAYS = {
    "empty": np.zeros(0),
    "flags": np.array([True, False, True]),
    "größe": np.arange(3000, dtype=np.int32),
    "rows": np.arange(7000, dtype=np.float32).reshape(-1, 7),
    "turned": np.asfortranarray(np.arange(6000.0).reshape(2, -1)),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "MAPPED_FROM", 1000)


@pytest.mark.usefixtures("small")
def test_what_is_large_is_mapped_and_aligned_and_the_rest_is_read(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)
    found = store.arrays("k")
    assert found is not None and found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values)
        assert isinstance(found[name].base, np.memmap) == (values.nbytes >= 1000)
        assert values.nbytes < 1000 or found[name].ctypes.data % mapped.ALIGNED == 0
    with np.load(tmp_path / "k.npz") as archive:
        assert {name: archive[name].tolist() for name in archive.files} == {name: a.tolist() for name, a in ARRAYS.items()}


@pytest.mark.usefixtures("small")
def test_nobody_writes_to_what_is_kept(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)
    before = (tmp_path / "k.npz").read_bytes()
    for name, values in (store.arrays("k") or {}).items():
        if values.size:
            with pytest.raises(ValueError, match="read-only"):
                values[...] = 1
            assert name in ARRAYS
    assert (tmp_path / "k.npz").read_bytes() == before


@pytest.mark.usefixtures("small")
def test_what_is_mapped_stays_as_it_was_when_its_file_is_written_anew_or_goes(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.add_arrays("k", ARRAYS)
    found = store.arrays("k")
    assert found is not None
    store.add_arrays("k", {"rows": np.zeros(5000)})
    (tmp_path / "k.npz").unlink()
    assert np.array_equal(found["rows"], ARRAYS["rows"])


@pytest.mark.usefixtures("small")
def test_an_array_of_objects_is_never_read() -> None:
    file = io.BytesIO()
    np.savez(file, k=np.array([{}] * 2000, dtype=object))
    with pytest.raises(ValueError, match=r"pickle|no array of numbers"):
        mapped.read_arrays(file)


TEXTS = st.lists(st.text(st.sampled_from("ab é\n漢, CamelCase_x-1"), max_size=30), max_size=12)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["bm25", "l", "stems", "parts"]), st.integers(1, 5), st.integers(1, 7))
def test_an_index_is_the_same_in_blocks_of_any_size(texts: list[str], kind: str, block: int, step: int) -> None:
    made = {
        "bm25": Bm25(),
        "l": Bm25("l"),
        "stems": Bm25(stem="english", stop="english"),
        "parts": Bm25("lucene", parts=True),
    }[kind]
    whole = made._build(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "BLOCK", block)
        patch.setattr(bm25, "STEP", step)
        in_blocks = made._build(texts)
    assert {name: a.tolist() for name, a in whole.items()} == {name: a.tolist() for name, a in in_blocks.items()}


def test_counts_are_those_of_each_text_read_alone() -> None:
    texts = ["b a b", "", "c  b\nA"] + ["x"] * 300 + ["many " * 70_000]
    found = counts.term_counts(texts, Bm25().analysis)
    assert found.terms == ["a", "b", "c", "many", "x"] and found.lengths.tolist() == [3, 0, 3] + [1] * 300 + [70_000]
    rows = {
        (int(text), term): int(times)
        for t, term in enumerate(found.terms)
        for text, times in zip(
            found.texts[found.starts[t] : found.starts[t + 1]], found.times[found.starts[t] : found.starts[t + 1]], strict=True
        )
    }
    alone = {(0, "a"): 1, (0, "b"): 2, (2, "a"): 1, (2, "b"): 1, (2, "c"): 1, (303, "many"): 70_000}
    assert rows == alone | {(i, "x"): 1 for i in range(3, 303)}


@settings(deadline=None)
@given(st.lists(st.text("ab\n", max_size=20), min_size=1, max_size=5), st.data())
def test_texts_of_chunks_are_those_of_their_spans(texts: list[str], data: st.DataObject) -> None:
    corpus = Corpus(tuple(Document(str(i), text) for i, text in enumerate(texts)))
    spans = []
    for d, text in enumerate(texts):
        ends = [(a, data.draw(st.integers(a, len(text)))) for a in data.draw(st.lists(st.integers(0, len(text)), max_size=3))]
        spans += [(d, a, b) for a, b in sorted(ends)]
    columns = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    chunking = Chunking(*columns)
    own = ChunkTexts(OwnTexts(corpus, chunking), corpus, chunking)
    expected = embed_texts(corpus, chunking, Nothing())
    assert list(own) == expected == [own[i] for i in range(len(own))] and own[1:] == expected[1:]
    assert not expected or (own[-1] == expected[-1] and expected[0] in own)
