"""Pools: what comes in, that nothing else is held, that an audit of one says what it is, and that its bounds hold."""

import itertools
import json
import random
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ragdiag
from ragdiag.cli import main
from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.pools import Pool
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Document, Mean
from ragdiag.core.registry import make
from ragdiag.pipeline import audit
from ragdiag.reports.pooled import pool_rows
from ragdiag.scoring.measures import Measure
from ragdiag.scoring.pooled import _discount
from ragdiag.search import pools, whole_words
from ragdiag.search.pools import make_pool
from ragdiag.search.whole import Found, Whole
from ragdiag.search.whole_vectors import VectorSearch
from ragdiag.sources.corpus import load_corpus, stream_corpus
from ragdiag.sources.pools import pool_at
from ragdiag.stats.pooled import Counted, bounded, estimated, losses, valued
from ragdiag.stats.statistics import Resampler

WORDS = "ferry island ticket harbour lighthouse steps winter sailing fog tide captain museum garden price bread".split()


def written(folder: Path, records: list[dict[str, Any]], name: str = "corpus.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder / name


def town(n: int = 60, seed: int = 0) -> list[dict[str, Any]]:
    """Documents of a few words each, of which the first five have a fact of their own."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(8, 30))) for _ in range(n)]
    facts = [f"The {WORDS[i]} of the {WORDS[i + 1]} has number {70 + i} since the {WORDS[i + 2]}." for i in range(5)]
    return [{"_id": f"d{i:03}", "text": (facts[i] + " " if i < 5 else "") + text + "."} for i, text in enumerate(texts)]


def asked(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ends = [d["text"].index(".") + 1 for d in documents[:5]]
    return [
        {
            "_id": f"q{i}",
            "text": f"number of the {WORDS[i]} of the {WORDS[i + 1]}",
            "evidence": [{"doc_id": d["_id"], "start": 0, "end": end, "text": d["text"][:end]}],
        }
        for i, (d, end) in enumerate(zip(documents, ends, strict=False))
    ]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    documents = town()
    return written(tmp_path / "whole", documents), written(tmp_path, asked(documents), "queries.jsonl")


def command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], prog_name="ragdiag")


# What comes in


def test_a_pool_by_hand(tmp_path: Path) -> None:
    evidence = "The museum opens at nine and closes at five."
    documents = [
        {"_id": "museum", "title": "Museum", "text": f"{evidence} Tickets cost a crown.", "metadata": {"version": 2}},
        {"_id": "copy", "text": f"Copied: {evidence}"},
        {"_id": "near", "text": "The museum opens at ten and closes at five."},  # no copy
        {"_id": "run-1", "text": "The garden opens at eight."},
        {"_id": "run-2", "text": "The bakery opens at six."},
        *({"_id": f"other-{i}", "text": f"Nothing of this is asked, {i}."} for i in range(20)),
    ]
    queries = [
        {"_id": "a", "text": "when does the museum open", "evidence": [{"doc_id": "museum", "text": evidence}]},
        {"_id": "b", "text": "what tells of fog", "unanswerable": True},
    ]
    corpus, labels = written(tmp_path / "whole", documents), written(tmp_path, queries, "queries.jsonl")
    run = tmp_path / "run.trec"
    run.write_text("a Q0 run-1 1 9 x\na Q0 run-2 2 8 x\na Q0 other-3 3 7 x\nb Q0 gone 1 5 x\nelse Q0 other-4 1 9 x\n")
    by_text = written(tmp_path, [{"query_id": "b", "retrieved": [{"text": "opens at six", "metadata": {}}]}], "by_text.jsonl")

    pool = make_pool(corpus, labels, tmp_path / "pool", runs=[run, by_text], depth=2, sample=4)

    assert pool.came_in["evidence"] == ("museum",)
    assert pool.came_in["copy"] == ("copy",)
    assert pool.came_in["run"] == ("run-1", "run-2")  # the third is too deep, and of another query nothing is taken
    assert len(pool.came_in["sample"]) == 4
    assert set(pool.came_in["sample"]) <= {"near", *(f"other-{i}" for i in range(20))}
    assert (pool.rest, pool.chance, pool.rate) == (21, 4, 4 / 21)
    assert pool.whole["documents"] == 25
    assert pool.whole["characters"] == sum(len(d["text"]) for d in documents)
    assert pool.unnamed == ("gone",)
    read = load_corpus(tmp_path / "pool")
    assert {d.id for d in read.documents} == {name for names in pool.came_in.values() for name in names}
    museum = read.documents[read.position["museum"]]
    assert (museum.title, museum.text, museum.metadata) == ("Museum", documents[0]["text"], {"version": 2})
    assert pool_at(tmp_path / "pool") == pool_at(tmp_path / "pool" / "corpus.jsonl") == pool


def test_labels_that_name_no_document_ask_for_their_text(tmp_path: Path) -> None:
    context = "The horn at the pier tells of fog, every minute."
    answers = [{"text": "every minute", "answer_start": context.index("every")}]
    paragraph = {"context": context, "qas": [{"id": "q", "question": "how often", "answers": answers}]}
    (tmp_path / "squad.json").write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    corpus = written(tmp_path / "whole", [*town(20), {"_id": "horn", "text": f"Harbour. {context} So it is."}])
    assert make_pool(corpus, tmp_path / "squad.json", tmp_path / "pool", sample=1).came_in["evidence"] == ("horn",)


def test_the_order_of_the_corpus_and_the_size_of_shards_change_no_byte(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, queries = files
    lines = corpus.read_text().splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    (tmp_path / "shuffled.jsonl").write_text("".join(lines))
    options = {"tops": ["bm25", "bm25(stem=english)"], "depth": 3, "sample": 12, "seed": 5, "cache": None}
    make_pool(corpus, queries, tmp_path / "one", **options)  # type: ignore[arg-type]
    monkeypatch.setattr(pools, "SHARD", 300)
    make_pool(tmp_path / "shuffled.jsonl", queries, tmp_path / "two", **options)  # type: ignore[arg-type]
    assert {f.name for f in (tmp_path / "one").iterdir()} == {"corpus.jsonl", "pool.json", "whole.jsonl", "whole-2.jsonl"}
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.slow
def test_each_document_is_as_likely_to_be_drawn(files: tuple[Path, Path], tmp_path: Path) -> None:
    drawn = Counter[str]()
    for seed in range(60):
        pool = make_pool(*files, tmp_path / "pool", sample=11, seed=seed)
        assert pool.chance == 11 and pool.rest == 55
        drawn.update(pool.came_in["sample"])
    assert len(drawn) == 55
    # 60 draws of 11 of 55: 12 each, give or take 3.1.
    assert max(abs(n - 12) for n in drawn.values()) < 4 * 3.1


@pytest.mark.slow
def test_where_the_sample_is_larger_than_the_rest_the_pool_is_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    pool = make_pool(*files, tmp_path / "pool", sample=1000)
    assert (pool.documents, pool.rest, pool.rate, pool.complete) == (60, 55, 1.0, True)
    report = audit(tmp_path / "pool", files[1], retriever="bm25", swap="none", cache=None)
    whole = audit(*files, retriever="bm25", swap="none", cache=None)
    assert report.pool is not None and report.pool.ranking == "whole"
    assert {n: (m.pool, m.low, m.high) for n, m in report.pool.measures.items()} == {
        n: (m.mean, m.low, m.high) for n, m in whole.measures.items()
    }


@pytest.mark.slow
def test_only_the_pool_and_a_shard_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(WORDS) * 200
    size = 800 * len(text)
    corpus = written(tmp_path / "whole", [{"_id": f"d{i}", "text": f"{i} {text}"} for i in range(800)])
    queries = written(tmp_path, [{"_id": "q", "text": "ferry", "relevant": [{"doc_id": "d3", "grade": 1}]}], "queries.jsonl")
    monkeypatch.setattr(pools, "SHARD", 20 * len(text))
    make_pool(corpus, queries, tmp_path / "warm", sample=1)
    tracemalloc.start()
    try:
        make_pool(corpus, queries, tmp_path / "pool", sample=10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 4, f"{peak / 1e6:.1f} MB for a corpus of {size / 1e6:.1f} MB"


def test_a_folder_is_read_as_an_audit_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}.md").write_text(f"# Page {i}\n\nThe price of page {i} is {i + 10} crowns.\n")
    (folder / "broken.txt").write_bytes(b"\xff\xfe\xff")
    problems: list[Any] = []
    assert tuple(stream_corpus(folder, problems)) == load_corpus(folder).documents
    assert tuple(problems) == load_corpus(folder).problems != ()
    label = {"doc_id": "2.md", "text": "The price of page 2 is 12 crowns."}
    queries = written(tmp_path, [{"_id": "q", "text": "price of page 2", "evidence": [label]}], "queries.jsonl")
    pool = make_pool(folder, queries, tmp_path / "pool", sample=2)
    assert pool.came_in["evidence"] == ("2.md",)
    assert pool.whole["unreadable"] == 1
    assert load_corpus(tmp_path / "pool").documents[0].title.startswith("Page")


# Searches of the whole, which is never held


def in_shards(
    documents: list[Document], specs: list[str], chunker: str, queries: list[str], depth: int, cache: Cache | None = None
) -> list[list[list[Found]]]:
    """What each search ranks first for each query."""
    whole = Whole(specs, chunker, queries, depth, cache, no_progress)
    shards = [documents[i : i + 13] for i in range(0, len(documents), 13)]
    if whole.counts:
        whole.count(shards)
    assert [d.id for shard in whole.rank(shards) for d in shard] == [d.id for d in documents]
    return [whole.first(n) for n in range(len(specs))]


ENCODED = [
    pytest.param(spec, marks=[pytest.mark.encoder, pytest.mark.slow])
    for spec in (
        "dense",
        "hybrid",
        "hybrid(bm25, dense, fusion=weighted, depth=9, weights=(0.3, 0.7))",
        "hybrid(hybrid(bm25, dense, depth=7), bm25(k1=0.9), depth=5)",
    )
]


@pytest.mark.parametrize(
    "spec", ["bm25", "bm25(variant=plus)", "bm25(variant=l)", "bm25(variant=lucene, stem=english)", *ENCODED]
)
@pytest.mark.parametrize("depth", [1, 7, 200])
def test_what_is_searched_in_shards_is_ranked_as_by_one_index_of_all(tmp_path: Path, spec: str, depth: int) -> None:
    corpus = load_corpus(written(tmp_path / "whole", town(90)))
    queries = ["ferry island ferry", "price of the bread", "nothing here", "the fog, the tide"]
    retriever, chunker = make("retrievers", spec), make("chunkers", "fixed(size=12)")
    chunks = [(d, a, b) for d in corpus.documents for a, b in zip(*map(np.ndarray.tolist, chunker.spans(d.text)), strict=True)]
    index = retriever.index([d.text[a:b] for d, a, b in chunks], None, no_progress)
    found, scores = index.search(queries, min(depth, len(chunks)))

    documents = list(corpus.documents)
    random.Random(1).shuffle(documents)
    (ranked,) = in_shards(documents, [spec], "fixed(size=12)", queries, depth)

    for q, first in enumerate(ranked):
        expected = [(chunks[i][0].id, *chunks[i][1:]) for i in found[q].tolist() if i >= 0]
        assert [(c.doc_id, c.start, c.end) for c in first] == expected
        shift = scores[q, 0] + first[0].negative_score if first else 0  # what the absence of terms adds to all alike
        assert np.allclose([-c.negative_score + shift for c in first], scores[q, : len(first)])


def test_terms_beyond_those_that_are_counted_change_no_ranking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = [d | {"text": f"{d['text']} word{i}"} for i, d in enumerate(town(80))]
    documents = list(load_corpus(written(tmp_path / "whole", more)).documents)

    def first(of: list[Document], variant: str = "lucene") -> list[Any]:
        return in_shards(of, [f"bm25(variant={variant})"], "sentence", ["ferry fog", "word7"], 9)

    every = first(documents)
    monkeypatch.setattr(whole_words, "MOST_TERMS", 20)
    assert first(documents) == every
    # okapi's mean idf is then one of some terms: of the same ones in any order
    assert first(documents[::-1], "okapi") == first(documents, "okapi")


@pytest.mark.encoder
@pytest.mark.slow
def test_what_an_encoder_ranked_in_a_shard_is_not_made_again(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    ranked = VectorSearch.ranked

    def stopping(self: VectorSearch, texts: list[str]) -> Any:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(len(texts))
        return ranked(self, texts)

    def pool(out: str) -> bytes:
        make_pool(*files, tmp_path / out, tops=["bm25", "dense"], depth=3, sample=5, cache=tmp_path / "cache")
        return b"".join(file.read_bytes() for file in sorted((tmp_path / out).iterdir()))

    monkeypatch.setattr(pools, "EMBEDDED", 1500)
    monkeypatch.setattr(VectorSearch, "ranked", stopping)
    with pytest.raises(KeyboardInterrupt):
        pool("stopped")
    assert not (tmp_path / "stopped").exists()
    again: list[int] = []
    monkeypatch.setattr(VectorSearch, "ranked", lambda self, texts: again.append(len(texts)) or ranked(self, texts))
    resumed = pool("resumed")
    assert len(made) == 2 and len(again) > 2 and again[:2] != made  # those two shards are known
    asked = len(again)
    assert pool("known") == resumed and len(again) == asked
    monkeypatch.setattr(pools, "EMBEDDED", 10**6)  # another shard is another thing
    assert pool("one") == resumed and len(again) == asked + 1


# An audit of a pool


@pytest.mark.slow
def test_the_run_of_the_whole_gives_the_measures_of_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, queries = files
    pool = tmp_path / "pool"
    make_pool(corpus, queries, pool, tops=["bm25"], depth=60, sample=3)
    whole = audit(corpus, queries, retriever="bm25", swap="none", cache=None)
    report = audit(pool, queries, run=pool / "whole.jsonl", cache=None)
    assert report.pool is not None and report.pool.ranking == "whole"
    for name in ("Sufficient@5", "Evidence@5", "CharR@5", "RR"):
        of_whole = report.pool.measures[name]
        mean = whole.measures[name]
        assert (of_whole.pool, of_whole.low, of_whole.high) == pytest.approx((mean.mean, mean.low, mean.high))
    assert whole.pool is None


@pytest.mark.encoder
@pytest.mark.slow
def test_a_pool_of_all_that_dense_ranks_first_is_audited_as_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    """The measures, the ranking itself and what is said of it are those of the whole, of dense alone and of no other dense."""
    corpus, queries = files
    pool = make_pool(corpus, queries, tmp_path / "pool", tops=["dense", "hybrid"], chunker="sentence(size=30)", depth=6, sample=3)
    assert pool.documents < 45
    options = {"chunker": "sentence(size=30)", "swap": "none", "cache": None, "k": 5}
    whole = audit(corpus, queries, retriever="dense", **options)
    report = audit(tmp_path / "pool", queries, retriever="dense", **options)
    assert report.pool is not None and report.pool.ranking == "whole"
    assert report.pool.measures["OffTopic@5"].low is None  # which words are rare is known of the pool alone
    for name in ("Sufficient@5", "Evidence@5", "CharR@5", "P@5", "CharP@5"):
        assert report.pool.measures[name].pool == whole.measures[name].mean
    for name in ("RR", "R@100", "nDCG@10"):  # which look further down than what the pool has all of
        deep = report.pool.measures[name]
        assert deep.pool is not None and deep.low is not None and whole.measures[name].mean is not None
        assert deep.low < whole.measures[name].mean <= deep.pool
    assert report.pool.measures["Success@5"].low == whole.measures["Success@5"].low
    rows = [row.text for row in pool_rows(report.pool)]
    assert "so the measures are those of the whole, but for those that look further down" in rows[0]
    assert "RR of the whole: between" in rows[1] and len(rows) == 3  # and nDCG@10
    hybrid = audit(tmp_path / "pool", queries, run=tmp_path / "pool" / "whole-2.jsonl", k=5, cache=None)
    assert hybrid.pool is not None and hybrid.pool.ranking == "whole"
    of_whole = audit(corpus, queries, retriever="hybrid", **options)
    assert hybrid.measures["Sufficient@5"].mean == of_whole.measures["Sufficient@5"].mean
    others: list[tuple[dict[str, Any], str]] = [
        ({"k": 7}, "independent"),  # a longer context than what is in the pool
        ({"chunker": "sentence"}, "independent"),
        ({"context": "title"}, "independent"),
        ({"retriever": "dense(precision=float32)"}, "independent"),  # which may be another model's vectors
        ({"retriever": "hybrid"}, "dependent"),
    ]
    for other, ranking in others:
        said = audit(tmp_path / "pool", queries, **{"retriever": "dense", **options, **other}).pool
        assert said is not None and said.ranking == ranking, other


@pytest.mark.encoder
@pytest.mark.slow
def test_five_documents_may_lie_deeper_than_five_chunks(tmp_path: Path) -> None:
    """Labels of documents, and one document whose chunks fill what the pool has of each ranking: of P@2 little is known then."""
    long = {"_id": "long", "text": " ".join(f"The ferry of the island sails at {i} in the morning." for i in range(40))}
    documents = [long, *({"_id": f"d{i}", "text": f"Bread is {i} crowns, the ferry is free."} for i in range(30))]
    query = {"_id": "q", "text": "when does the ferry of the island sail", "relevant": [{"doc_id": "d7", "grade": 1}]}
    corpus, queries = written(tmp_path / "whole", documents), written(tmp_path, [query], "queries.jsonl")
    options = {"chunker": "sentence(size=10)", "retriever": "dense", "swap": "none", "cache": None, "measures": ("P@2", "P@1")}
    make_pool(corpus, queries, tmp_path / "pool", tops=["dense"], chunker="sentence(size=10)", depth=6, sample=2, cache=None)
    said = audit(tmp_path / "pool", queries, **options).pool
    assert said is not None and said.ranking == "whole"
    assert said.measures["P@1"].estimate is None and said.measures["P@1"].chosen is None
    assert said.measures["P@2"].chosen is not None


@pytest.mark.slow
def test_a_run_that_made_the_pool_gives_the_measures_of_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, queries = files
    rng, names = random.Random(4), [f"d{i:03}" for i in range(60)]
    lines = [f"q{q} Q0 {d} {n} {60 - n} t\n" for q in range(5) for n, d in enumerate(rng.sample(names[:12], 12))]
    (tmp_path / "long.trec").write_text("".join(lines))
    pool = make_pool(corpus, queries, tmp_path / "pool", runs=[tmp_path / "long.trec"], depth=8, sample=2)
    assert pool.documents < 20
    cut = [json.loads(line) for line in (tmp_path / "pool" / "run-1.jsonl").read_text().splitlines()]
    assert [len(ranking["retrieved"]) for ranking in cut] == [8] * 5
    report = audit(tmp_path / "pool", queries, run=tmp_path / "pool" / "run-1.jsonl", cache=None)
    whole = audit(corpus, queries, run=tmp_path / "long.trec", cache=None)
    assert report.pool is not None and report.pool.ranking == "whole"
    for name in ("Sufficient@5", "Success@5", "CharR@5", "P@5"):
        assert report.pool.measures[name].pool == pytest.approx(whole.measures[name].mean)
    deeper = audit(tmp_path / "pool", queries, run=tmp_path / "pool" / "run-1.jsonl", k=9, cache=None)
    assert deeper.pool is not None and deeper.pool.ranking == "whole"  # no context is longer than the run
    (tmp_path / "other.trec").write_text("".join(lines[:8]))
    other = audit(tmp_path / "pool", queries, run=tmp_path / "other.trec", cache=None)
    assert other.pool is not None and other.pool.ranking == "dependent"


@pytest.mark.slow
def test_an_audit_says_that_it_is_of_a_pool(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, queries = files
    assert command("pool", corpus, queries, "--out", tmp_path / "pool", "--sample", 10).exit_code == 0
    shown = command("audit", tmp_path / "pool", queries, "--retriever", "bm25", "--no-cache", "--json", tmp_path / "r.json")
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.stdout.split())
    assert "measured on a pool of 15 of 60 documents" in text
    assert "causes and proofs are about the pool" in text
    assert "Sufficient@5 of the whole: between " in text
    assert "a pool of 15 of 60 documents: 5 named by labels, 10 of the 55 others by chance" in text
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["pool"]["documents"], report["pool"]["rest"], report["pool"]["drawn"]) == (15, 55, 10)
    assert report["pool"]["ranking"] == "dependent"
    of_whole = report["pool"]["measures"]["Sufficient@5"]
    assert of_whole["low"] <= of_whole["pool"] <= of_whole["high"]
    nothing = dict.fromkeys(("low", "high", "chosen", "lost", "estimate"))
    assert report["pool"]["measures"]["OffTopic@5"] == {"pool": report["measures"]["OffTopic@5"]["mean"]} | nothing
    plain = command("audit", corpus, queries, "--retriever", "bm25", "--no-cache", "--json", "-")
    assert "pool" not in json.loads(plain.stdout)
    checked = command("check", tmp_path / "pool", queries)
    assert "a pool of 15 of 60 documents" in checked.stdout


def test_of_other_queries_a_pool_says_nothing_of_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, queries = files
    make_pool(corpus, queries, tmp_path / "pool", sample=10)
    lines = queries.read_text().splitlines(keepends=True)
    (tmp_path / "fewer.jsonl").write_text("".join(lines[:3]))
    report = audit(tmp_path / "pool", tmp_path / "fewer.jsonl", retriever="bm25", swap="none", cache=None)
    assert report.pool is not None and report.pool.ranking == "other queries"
    assert all(whole.low is None and whole.high is None for whole in report.pool.measures.values())
    (tmp_path / "run.trec").write_text("q0 Q0 d000 1 1 t\n")
    recorded = audit(tmp_path / "pool", tmp_path / "fewer.jsonl", run=tmp_path / "run.trec", cache=None)
    assert recorded.pool is not None and recorded.pool.ranking == "other queries"


# A sidecar that is not to be believed


@pytest.fixture
def pooled(files: tuple[Path, Path], tmp_path: Path) -> Path:
    make_pool(*files, tmp_path / "pool", sample=10)
    return tmp_path / "pool"


def changed(folder: Path, **changes: Any) -> None:
    record = json.loads((folder / "pool.json").read_text())
    (folder / "pool.json").write_text(
        json.dumps({name: value for name, value in (record | changes).items() if value is not None})
    )


def test_a_changed_corpus_is_no_pool(files: tuple[Path, Path], pooled: Path) -> None:
    lines = (pooled / "corpus.jsonl").read_text().splitlines(keepends=True)
    (pooled / "corpus.jsonl").write_text("".join(lines[:-1]))
    shown = command("audit", pooled, files[1], "--retriever", "bm25", "--no-cache")
    assert shown.exit_code == 2
    assert shown.stderr.count("\n") == 1 and "it was changed since; make the pool again: ragdiag pool" in shown.stderr


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rest": {"documents": 40, "drawn": 10, "rate": 0.25, "seed": 0}}, "contradicts itself"),
        ({"rest": {"documents": 55, "drawn": 9, "rate": 9 / 55, "seed": 0}}, "contradicts itself"),
        ({"rest": {"documents": "55", "drawn": 10, "seed": 0}}, "'documents' must be int"),
        ({"whole": {"documents": 61}}, "contradicts itself"),
        ({"pool": 2}, "is of another version of pools"),
        ({"documents": None}, "field 'documents' is missing"),
        ({"corpus_sha256": "0" * 64}, "it was changed since"),
        ({"runs": [1]}, "'runs' must list objects"),
        ({"depth": -1}, "'depth' and 'seed' must be 0 or more"),
        ({"rest": {"documents": 55, "drawn": 10, "rate": 10 / 55, "seed": -5}}, "'depth' and 'seed' must be 0 or more"),
    ],
)
def test_a_sidecar_that_was_changed_is_refused(pooled: Path, changes: dict[str, Any], says: str) -> None:
    changed(pooled, **changes)
    with pytest.raises(InputError, match=says):
        pool_at(pooled)


@pytest.mark.parametrize("before", ["nothing", "a pool"])
def test_a_pool_whose_making_was_stopped_is_none_and_is_made_again(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    if before == "a pool":
        make_pool(*files, tmp_path / "pool", sample=3)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pools, "write_pool", stopped)
        with pytest.raises(KeyboardInterrupt):
            make_pool(*files, tmp_path / "pool", tops=["bm25"], sample=10)
    (tmp_path / "pool" / "corpus.jsonl").write_text('{"_id": "a", "text": "t"}\n')
    shown = command("audit", tmp_path / "pool", files[1], "--retriever", "bm25", "--no-cache")
    assert shown.exit_code == 2 and "its pool is not finished" in shown.stderr
    assert make_pool(*files, tmp_path / "pool", tops=["bm25"], sample=10) == pool_at(tmp_path / "pool")


def test_a_file_of_that_name_may_be_somebody_elses(files: tuple[Path, Path]) -> None:
    (files[0].parent / "pool.json").write_text('{"lanes": 8}')
    assert pool_at(files[0].parent) is None
    (files[0].parent / "pool.json").write_text("[8]")
    with pytest.raises(InputError, match="another version"):
        pool_at(files[0].parent)


def test_python_makes_the_pool_of_the_command(files: tuple[Path, Path], tmp_path: Path) -> None:
    made = ragdiag.pool(*files, tmp_path / "one", sample=10)
    assert command("pool", *files, "--out", tmp_path / "two", "--sample", 10).exit_code == 0
    assert made == pool_at(tmp_path / "one") == pool_at(tmp_path / "two")


# Bad usage


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--out", "{whole}"], "would overwrite the corpus"),
        (["--out", "{whole}/.."], "would overwrite the corpus"),
        (["--out", "{queries}"], "is a file; name a folder"),
        (["--out", "{full}"], "holds other files; name a new folder"),
        (["--out", "{new}/below"], "choose one whose parent exists"),
        (
            ["--out", "{new}", "--tops", "lsa"],
            "--tops lsa: bm25, dense with a model's files, and hybrid of",
        ),
        (["--out", "{new}", "--tops", "hybrid(bm25, lsa)"], "give the others' rankings as --run"),
        (["--out", "{new}", "--tops", "dense(pool=late)"], "give the others' rankings as --run"),
        (["--out", "{new}", "--tops", "dense(model='http://127.0.0.1:9/v1#m')"], "give the others' rankings as --run"),
        (["--out", "{new}", "--tops", "rerank(bm25, model=m)"], "give the others' rankings as --run"),
        (["--out", "{new}", "--cluster", "http://127.0.0.1:9"], "is no address of a cluster"),
        (["--out", "{new}", "--tops", "bm25", "--chunker", "semantic"], "embeds all documents together"),
        (["--out", "{new}", "--run", "{queries}.none"], "cannot be read"),
    ],
)
def test_what_makes_no_pool(files: tuple[Path, Path], tmp_path: Path, more: list[str], says: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    names = {"whole": files[0].parent, "queries": files[1], "full": tmp_path / "full", "new": tmp_path / "new"}
    shown = command("pool", files[0], files[1], *(part.format(**names) for part in more))
    assert shown.exit_code == 2, shown.output
    assert says in shown.stderr and shown.stderr.count("\n") == 1
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_two_documents_of_one_id_are_refused_where_the_pool_would_hold_them(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, queries = files
    corpus.write_text(corpus.read_text() + json.dumps({"_id": "d002", "text": "another one"}) + "\n")
    with pytest.raises(InputError, match="'d002' is that of another document as well"):
        make_pool(corpus, queries, tmp_path / "pool")
    with pytest.raises(UsageError, match="depth must be 1 or more"):
        make_pool(corpus, queries, tmp_path / "pool", depth=0)


# What a pool says of the whole


def items(rows: list[tuple[int, int, int]], measure: str, weight: float = 1.0) -> Counted:
    """`rows` of a query, a rank among the chosen, and how many stand above by chance."""
    query, rank, above = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Counted(query, rank, above, np.full(len(query), weight), _discount(Measure.parse(measure)))


def test_losses_by_hand() -> None:
    # At rank 2 of 5 there is room for three more: each that stands above takes a quarter, the fourth has taken all.
    within = items([(0, 2, 0), (1, 2, 1), (2, 2, 3), (3, 2, 4), (4, 2, 9), (5, 6, 1)], "Success@5")
    assert losses(within, 6) == pytest.approx([0, 0.25, 0.75, 1, 1, 0])
    assert valued(within, 6) == pytest.approx([1, 1, 1, 0, 0, 0])
    assert valued(within, 6, chosen=True) == pytest.approx([1, 1, 1, 1, 1, 0])
    # 1 / rank loses less with each document: the loss is its own bound.
    assert losses(items([(0, 1, 1), (1, 2, 2)], "RR"), 2) == pytest.approx([1 / 2, 1 / 2 - 1 / 4])


def test_the_lower_end_by_hand() -> None:
    """Of 100 queries 80 are served among the chosen; of these 4 lose to the 10 % that were drawn: as many as 40 to all."""
    rows = [(q, 5, 1 if q < 4 else 0) for q in range(80)] + [(q, 6, 0) for q in range(80, 100)]
    served = items(rows, "Success@5")
    resampler = Resampler(np.arange(100), 0)
    chosen, lost = valued(served, 100, chosen=True), losses(served, 100)
    assert (chosen.mean(), lost.mean()) == (0.8, 0.04)
    # Wilson: .8 is .711 or more, .04 is .098 or less; the distances .089 and .584 add up as squares.
    low = 0.8 - 0.4 - np.hypot(0.8 - 0.7111708, (0.0983720 - 0.04) / 0.1)
    assert bounded(chosen, lost, 0.1, resampler) == pytest.approx(max(low, 0.0), abs=1e-6) == 0
    assert bounded(chosen, lost, 0.9, resampler) == pytest.approx(
        0.8 - 0.04 / 0.9 - np.hypot(0.0888292, 0.0583720 / 0.9), abs=1e-6
    )
    assert bounded(chosen, lost, 0.0, resampler) == 0  # nothing was drawn: nothing bounds it


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    documents=st.lists(st.integers(0, 4), min_size=1, max_size=7),
    rank=st.integers(1, 6),
    drawn=st.integers(1, 7),
    measure=st.sampled_from(["Success@1", "Success@5", "RR", "RR@3", "nDCG@10", "nDCG@3"]),
)
def test_the_loss_to_a_sample_stands_for_no_less_than_that_to_the_rest(
    documents: list[int], rank: int, drawn: int, measure: str
) -> None:
    """Over every sample there is, of documents that have so many chunks each above the evidence."""
    drawn = min(drawn, len(documents))
    above = [sum(sample) for sample in itertools.combinations(documents, drawn)]
    in_sample = losses(items([(q, rank, x) for q, x in enumerate(above)], measure), len(above)).mean()
    whole = items([(0, rank, sum(documents))], measure)
    lost = (valued(whole, 1, chosen=True) - valued(whole, 1))[0]
    assert in_sample / (drawn / len(documents)) >= lost - 1e-9


def test_the_estimate_finds_what_its_model_made() -> None:
    rng, n, rate = np.random.default_rng(0), 4000, 0.2
    rank = rng.integers(1, 9, n)
    mean, shape = 0.15 * rank**1.2, 0.4
    unseen = rng.negative_binomial(shape, shape / (shape + mean))
    above = rng.binomial(unseen, rate)
    served = items(list(zip(range(n), rank.tolist(), above.tolist(), strict=True)), "Success@5")
    truth = (rank + unseen <= 5).mean()
    on_pool = float((rank + above <= 5).mean())
    found = estimated(served, np.arange(n), np.arange(n), rate, Mean(on_pool, on_pool - 0.02, on_pool + 0.02, n))
    assert found is not None and on_pool - truth > 0.03
    assert abs(found.mean - truth) < (on_pool - truth) / 2
    assert found.low <= truth <= found.high == on_pool + 0.02


def test_no_estimate_where_it_would_rest_on_the_model() -> None:
    deep = items([(q, 1, int(q % 2 == 0)) for q in range(200)], "Success@1")
    assert estimated(deep, np.arange(200), np.arange(200), 0.01, Mean(0.5, 0.43, 0.57, 200)) is None
    few = items([(q, 2, int(q < 19)) for q in range(200)], "Success@5")
    assert estimated(few, np.arange(200), np.arange(200), 0.5, Mean(1.0, 0.98, 1.0, 200)) is None  # 19 seen are too few


def test_a_pool_without_a_rest_is_the_whole() -> None:
    whole = Pool({"documents": 2}, {"evidence": ("a",), "copy": (), "run": ("b",), "sample": ()}, (), 5, 0, 0, "", "")
    assert (whole.documents, whole.chance, whole.rate) == (2, 0, 1.0)
