"""Real objects of LangChain, LlamaIndex and Haystack, asked as they are, and the collections that these frameworks make.

Their telemetry is off, and nothing goes over the network.
"""

import asyncio
import functools
import hashlib
import importlib
import importlib.util
import json
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import ragdiag
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import Audit, run_audit
from ragdiag.search.asking import searched
from ragdiag.search.binding import bind
from ragdiag.search.frameworks import asker
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.queries import load_queries

pytestmark = [pytest.mark.frameworks, pytest.mark.filterwarnings("default")]  # theirs are their own

NEEDED = ("langchain_chroma", "langchain_classic", "langchain_community", "llama_index", "haystack", "haystack_integrations")
if lacking := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
    pytest.skip(f"not installed: {', '.join(lacking)}", allow_module_level=True)

ingested: Any = None
"""The module of that name, once a test runs: to import the frameworks takes seconds."""

PROJECT = Path(__file__).parent.parent / "fixtures" / "rag_project"
CORPUS = load_corpus(PROJECT / "docs", no_progress)
QUERIES = load_queries(PROJECT / "queries.jsonl")
PLACES = {
    document.text[start : start + 300]: (document.id, start, min(start + 300, len(document.text)))
    for document in CORPUS.documents
    for start in range(0, len(document.text), 300)
}
"""Where each chunk stands: these are cut here, by no framework."""

Found = Sequence[object]


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    """The frameworks, and no network."""

    def guarded(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"network: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        patch.setattr(socket.socket, "connect", guarded)
        globals()["ingested"] = importlib.import_module("ingested")
        yield


def hashed(texts: list[str]) -> list[list[float]]:
    """A vector for the words of each text, without a model."""
    vectors = np.zeros((len(texts), 256))
    for row, text in zip(vectors, texts, strict=True):
        for word in text.lower().split():
            row[int(hashlib.md5(word.encode()).hexdigest(), 16) % 256] += 1
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).tolist()


class Kind(NamedTuple):
    """An object, what its framework's documentation says to ask it, whether for k, and what it must still be after that."""

    search: Any
    by_hand: Callable[[str, int], Found]
    takes_k: bool
    kept: Callable[[], object] = lambda: None


# LangChain


@functools.cache
def langchain_store() -> Any:
    from langchain_core.vectorstores import InMemoryVectorStore

    chunks = [ingested.LangChainDocument(page_content=t, metadata={"source": f"/srv/{d}"}) for t, (d, _, _) in PLACES.items()]
    return InMemoryVectorStore.from_documents(chunks, ingested.ForLangChain(hashed))


def of_store() -> Kind:
    return Kind(langchain_store(), lambda q, k: langchain_store().similarity_search(q, k=k), True)


def of_chroma_store() -> Kind:
    """Its scores are distances."""
    store = ingested.Chroma("asked", ingested.ForLangChain(hashed), collection_metadata={"hnsw:space": "l2"})
    store.reset_collection()
    store.add_texts(list(PLACES), [{"source": document} for document, _, _ in PLACES.values()])
    return Kind(store, lambda q, k: store.similarity_search(q, k=k), True)


def of_retriever() -> Kind:
    own = langchain_store().as_retriever(search_kwargs={"k": 2})
    return Kind(own, lambda q, k: langchain_store().similarity_search(q, k=k), True, lambda: dict(own.search_kwargs))


def of_diverse_retriever() -> Kind:
    own = langchain_store().as_retriever(search_type="mmr", search_kwargs={"k": 2, "fetch_k": 9})
    by_hand = lambda q, k: langchain_store().max_marginal_relevance_search(q, k=k, fetch_k=9)  # noqa: E731
    return Kind(own, by_hand, True, lambda: dict(own.search_kwargs))


def of_bm25() -> Kind:
    from langchain_community.retrievers import BM25Retriever

    own = BM25Retriever.from_texts(list(PLACES), [{"source": d} for d, _, _ in PLACES.values()], k=2)
    of = functools.cache(lambda k: BM25Retriever.from_texts(list(PLACES), [{"source": d} for d, _, _ in PLACES.values()], k=k))
    return Kind(own, lambda q, k: of(k).invoke(q), True, lambda: own.k)


def of_ensemble() -> Kind:
    from langchain_classic.retrievers import EnsembleRetriever

    own = EnsembleRetriever(retrievers=[of_bm25().search, of_retriever().search], weights=[0.5, 0.5])
    return Kind(own, lambda q, k: own.invoke(q), False)


def of_compression() -> Kind:
    from langchain_classic.retrievers import ContextualCompressionRetriever
    from langchain_classic.retrievers.document_compressors import EmbeddingsFilter

    few = EmbeddingsFilter(embeddings=ingested.ForLangChain(hashed), k=2)
    own = ContextualCompressionRetriever(base_compressor=few, base_retriever=langchain_store().as_retriever())
    return Kind(own, lambda q, k: own.invoke(q), False)


def of_parents() -> Kind:
    """Its `search_kwargs` count children, which are not what it gives."""
    from langchain_classic.retrievers import MultiVectorRetriever
    from langchain_core.stores import InMemoryStore
    from langchain_core.vectorstores import InMemoryVectorStore

    whole = list(PLACES)
    parts = [ingested.LangChainDocument(page_content=t[:150], metadata={"doc_id": str(i)}) for i, t in enumerate(whole)]
    store = InMemoryVectorStore.from_documents(parts, ingested.ForLangChain(hashed))
    own = MultiVectorRetriever(vectorstore=store, docstore=InMemoryStore(), id_key="doc_id", search_kwargs={"k": 3})
    own.docstore.mset([(str(i), ingested.LangChainDocument(page_content=text)) for i, text in enumerate(whole)])
    return Kind(own, lambda q, k: own.invoke(q), False, lambda: dict(own.search_kwargs))


def of_several_questions() -> Kind:
    from langchain_classic.retrievers import MultiQueryRetriever
    from langchain_core.language_models import FakeListLLM

    model = FakeListLLM(responses=["when is the counter open\nwhich tools need a deposit"])
    own = MultiQueryRetriever.from_llm(retriever=langchain_store().as_retriever(search_kwargs={"k": 2}), llm=model)
    return Kind(own, lambda q, k: own.invoke(q), False)


def of_chain() -> Kind:
    from langchain_core.runnables import RunnableLambda

    own = langchain_store().as_retriever() | RunnableLambda(lambda found: found[::-1][:3])
    return Kind(own, lambda q, k: langchain_store().similarity_search(q, k=4)[::-1][:3], False)


def of_asynchronous_method() -> Kind:
    store = langchain_store()
    return Kind(store.asimilarity_search, lambda q, k: asyncio.run(store.asimilarity_search(q, k=k)), True)


# LlamaIndex


@functools.cache
def llama_index() -> Any:
    from llama_index.core.schema import TextNode

    nodes = [TextNode(text=text, metadata={"file_path": f"/srv/{d}"}) for text, (d, _, _) in PLACES.items()]
    return ingested.VectorStoreIndex(nodes, embed_model=ingested.ForLlamaIndex(embed=hashed))


def of_index() -> Kind:
    return Kind(llama_index(), lambda q, k: llama_index().as_retriever(similarity_top_k=k).retrieve(q), True)


def of_index_retriever() -> Kind:
    own = llama_index().as_retriever(similarity_top_k=2)
    by_hand = lambda q, k: llama_index().as_retriever(similarity_top_k=k).retrieve(q)  # noqa: E731
    return Kind(own, by_hand, True, lambda: own.similarity_top_k)


def of_fusion() -> Kind:
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever

    def fused(k: int) -> Any:
        parts = [llama_index().as_retriever(similarity_top_k=n) for n in (5, 3)]
        return QueryFusionRetriever(
            parts, llm=MockLLM(), num_queries=1, similarity_top_k=k, use_async=False, mode="reciprocal_rerank"
        )

    own = fused(2)
    return Kind(own, lambda q, k: fused(k).retrieve(q), True, lambda: own.similarity_top_k)


def of_query_engine() -> Kind:
    """Its model is not asked: it would fail."""
    from llama_index.core.llms import MockLLM
    from llama_index.core.postprocessor import SimilarityPostprocessor

    class Silent(MockLLM):
        def complete(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError("the model is asked")

    steps = [SimilarityPostprocessor(similarity_cutoff=0.01)]
    own = llama_index().as_query_engine(llm=Silent(), similarity_top_k=3, node_postprocessors=steps)
    return Kind(own, lambda q, k: llama_index().as_retriever(similarity_top_k=3).retrieve(q), False)


def of_engine_without_retrieve() -> Kind:
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetryQueryEngine

    class Content:
        def evaluate_response(self, *args: Any, **kwargs: Any) -> Any:
            from types import SimpleNamespace

            return SimpleNamespace(passing=True)

    own = RetryQueryEngine(llama_index().as_query_engine(llm=MockLLM(), similarity_top_k=3), evaluator=Content())
    return Kind(own, lambda q, k: llama_index().as_retriever(similarity_top_k=3).retrieve(q), False)


# Haystack


@functools.cache
def haystack_store() -> Any:
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    vectors = hashed(list(PLACES))
    store.write_documents(
        [
            ingested.HaystackDocument(content=text, meta={"file_path": f"docs/{d}"}, embedding=vector)
            for (text, (d, _, _)), vector in zip(PLACES.items(), vectors, strict=True)
        ]
    )
    return store


def by_words(top_k: int = 10) -> Any:
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever

    return InMemoryBM25Retriever(haystack_store(), top_k=top_k)


def by_meaning(top_k: int = 10) -> Any:
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever

    return InMemoryEmbeddingRetriever(haystack_store(), top_k=top_k)


def of_component() -> Kind:
    own = by_words(2)
    return Kind(own, lambda q, k: own.run(query=q, top_k=k)["documents"], True, lambda: own.top_k)


def piped(parts: dict[str, Any], *links: tuple[str, str]) -> Any:
    pipeline = ingested.Pipeline()
    for name, part in parts.items():
        pipeline.add_component(name, part)
    for sender, receiver in links:
        pipeline.connect(sender, receiver)
    return pipeline


EMBEDDED = ("embedder.embedding", "retriever.query_embedding")


def of_pipeline() -> Kind:
    own = piped({"embedder": ingested.QuestionEmbedder(hashed), "retriever": by_meaning(2)}, EMBEDDED)
    return Kind(own, lambda q, k: by_meaning().run(query_embedding=hashed([q])[0], top_k=k)["documents"], True)


def hybrid(**more: Any) -> dict[str, Any]:
    from haystack.components.joiners import DocumentJoiner

    parts = {"embedder": ingested.QuestionEmbedder(hashed), "words": by_words(6), "retriever": by_meaning(6)}
    return {**parts, "joiner": DocumentJoiner(join_mode="reciprocal_rank_fusion"), **more}


JOINED = (EMBEDDED, ("words", "joiner"), ("retriever", "joiner"))


def fused(question: str, k: int) -> Found:
    """Each retriever at its own number, the joiner at k."""
    found = piped(hybrid(), *JOINED).run(
        {"embedder": {"text": question}, "words": {"query": question}, "joiner": {"top_k": k}}, include_outputs_from={"joiner"}
    )
    return found["joiner"]["documents"]


def of_hybrid_pipeline() -> Kind:
    return Kind(piped(hybrid(), *JOINED), fused, True)


def of_answering_pipeline() -> Kind:
    """The documents go on into a prompt, and are no output of the pipeline."""
    from haystack.components.builders import PromptBuilder

    prompt = PromptBuilder("{{ documents }} {{ question }}", required_variables=["documents", "question"])
    return Kind(piped(hybrid(prompt=prompt), *JOINED, ("joiner.documents", "prompt.documents")), fused, True)


def of_ranking_pipeline() -> Kind:
    """The ranker is asked for k; the retriever before it still gives six."""

    @ingested.component
    class Longest:
        @ingested.component.output_types(documents=list[ingested.HaystackDocument])
        def run(self, query: str, documents: list[ingested.HaystackDocument], top_k: int = 1) -> dict[str, Any]:
            return {"documents": sorted(documents, key=lambda d: -len(set((d.content or "").split())))[:top_k]}

    own = piped({"words": by_words(6), "ranker": Longest()}, ("words.documents", "ranker.documents"))
    by_hand = lambda q, k: Longest().run(q, by_words().run(query=q, top_k=6)["documents"], k)["documents"]  # noqa: E731
    return Kind(own, by_hand, True)


def of_super_component() -> Kind:
    from haystack import SuperComponent

    own = SuperComponent(piped({"words": by_words(2)}), input_mapping={"query": ["words.query"], "top_k": ["words.top_k"]})
    return Kind(own, lambda q, k: by_words().run(query=q, top_k=k)["documents"], True)


KINDS = [value for name, value in list(globals().items()) if name.startswith("of_")]


def text_of(found: Any) -> str:
    """By the attributes that each framework documents."""
    if hasattr(found, "node"):
        return found.node.get_content()
    return found.page_content if hasattr(found, "page_content") else found.content


def ranked(search: object, k: int) -> list[list[tuple[str, int, int]]]:
    """The places of what a search gives for each question."""
    bound = bind(searched(search, QUERIES, k, no_progress).rankings, QUERIES, CORPUS, None)
    chunking = bound.chunking
    places = [
        (CORPUS.documents[d].id, a, b)
        for d, a, b in zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
    ]
    return [[places[c] for c in row if c >= 0] for row in bound.run.chunks.tolist()]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_an_object_is_asked_as_its_framework_says_and_stays_as_it_is(make: Callable[[], Kind]) -> None:
    kind = make()
    assert asker(kind.search).takes_k is kind.takes_k
    before = kind.kept()
    for k in (3, 5):
        expected = [[PLACES[text_of(each)] for each in kind.by_hand(query.text, k)] for query in QUERIES]
        assert all(expected) and (not kind.takes_k or {len(row) for row in expected} == {k})
        as_function = [[{"doc_id": d, "start": a, "end": b} for d, a, b in row] for row in expected]
        rows = dict(zip((q.text for q in QUERIES), as_function, strict=True))
        assert ranked(kind.search, k) == expected == ranked(lambda query, k, rows=rows: rows[query], k)
    assert kind.kept() == before


def test_what_has_no_text_for_a_question_is_told_in_a_line() -> None:
    with pytest.raises(
        UsageError, match=r"^cannot search with a InMemoryEmbeddingRetriever: its run takes query_embedding, .*top_k"
    ):
        asker(by_meaning())
    two = piped({"words": by_words(), "others": by_words()})
    with pytest.raises(UsageError, match="several components give documents last, others, words; give search"):
        asker(two)
    with pytest.raises(UsageError, match=r"this Pipeline: it needs retriever\.query_embedding; give search"):
        asker(piped({"retriever": by_meaning()}))
    with pytest.raises(UsageError, match="no component gives documents at its end"):
        asker(piped({"embedder": ingested.QuestionEmbedder(hashed)}))
    with pytest.raises(UsageError, match="it is no function and has no similarity_search, invoke, retrieve"):
        asker(haystack_store())
    with pytest.raises(UsageError, match="with the class VectorStoreIndex: give an object of it"):
        asker(ingested.VectorStoreIndex)


@pytest.mark.parametrize("make", [of_retriever, of_index, of_pipeline], ids=lambda make: make.__name__)
def test_audits_of_an_object_and_of_a_function_with_the_same_results_agree(make: Callable[[], Kind], tmp_path: Path) -> None:
    kind = make()

    def function(query: str, k: int) -> list[dict[str, object]]:
        places = [PLACES[text_of(each)] for each in kind.by_hand(query, k)]
        return [{"doc_id": d, "start": a, "end": b} for d, a, b in places]

    given = (PROJECT / "docs", PROJECT / "queries.jsonl")
    asked, told = (ragdiag.audit(*given, retriever=r, k=3, swap="none", cache=tmp_path) for r in (kind.search, function))
    assert asked.measures == told.measures
    assert [(q.id, q.status, q.least_k) for q in asked.queries] == [(q.id, q.status, q.least_k) for q in told.queries]
    assert type(kind.search).__name__ in asked.signature


# Collections


DOCUMENTS = [(f"/srv/library/docs/{document.id}", document.text) for document in CORPUS.documents]
MAKERS: dict[str, tuple[dict[str, Any], str]] = {
    "langchain": ({}, "its text"),
    "llamaindex": ({}, "LlamaIndex's template"),
    "haystack": ({"clean": True}, "its text"),
    "haystack with fields": ({"fields": ("file_path",)}, "its file_path and its text"),
}


class Made(NamedTuple):
    audit: Audit
    frame: str


@pytest.fixture(scope="module", params=MAKERS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    how, frame = MAKERS[request.param]
    folder = tmp_path_factory.mktemp("made")
    spec = getattr(ingested, f"by_{request.param.split()[0]}")(folder / "db", DOCUMENTS, **how)
    options = Options(retriever=spec, k=3, swap="none", cache=folder / "cache")
    yield Made(run_audit(PROJECT / "docs", PROJECT / "queries.jsonl", options), frame)


def test_what_a_framework_embedded_is_found_out_and_a_text_put_back_stands_where_it_stood(made: Made) -> None:
    index: Any = made.audit.searchable
    assert index.adds and index._framing.name == made.frame
    texts, query = [row.text for row in index._source.records(index._ids)], QUERIES[3].text
    n = len(texts)
    (order,), _ = index.search([query], n)
    assert sorted(order.tolist()) == list(range(n))
    for i, text in enumerate(texts):
        back = Edit(frozenset([i]), (Addition(i, 0, len(text), text, float(i)),))
        (again,), _ = index.what_if([query], [back], n)
        assert [i if c == n else c for c in again.tolist()] == order.tolist()


def test_chunks_stand_where_the_frameworks_splitter_says(made: Made) -> None:
    index, chunking = made.audit.searchable, made.audit.scorer.chunking
    rows = index._source.records(index._ids)  # type: ignore[union-attr]
    assert len(rows) == len(chunking) > 20
    for row, d, start, end in zip(rows, chunking.document, chunking.start, chunking.end, strict=True):
        document = made.audit.corpus.documents[d]
        fields: dict[str, Any] = dict(row.metadata)
        assert str(fields.get("source") or fields["file_path"]) == f"/srv/library/docs/{document.id}"
        assert (row.text or "").split() == document.text[start:end].split()
        if "start_index" in fields:
            assert fields["start_index"] == start
        if "_node_content" in fields:
            assert json.loads(fields["_node_content"])["start_char_idx"] == start


def test_nothing_is_wrong_with_a_collection_as_a_framework_makes_it(made: Made) -> None:
    report = made.audit.report
    found = {finding.cause for query in report.queries for finding in query.findings}
    assert not found & {"vector_fault", "foreign", "index_miss"} and not set(report.causes) & {"vector_fault", "foreign"}
    assert not any("cannot be tested" in str(f.control and f.control.says) for q in report.queries for f in q.findings)
    assert not any(document.foreign for document in made.audit.corpus.documents)
    assert report.pipeline.index_recall is None or report.pipeline.index_recall.mean == 1
    assert not any(drifted for drifted in made.audit.searchable.drifted(range(len(made.audit.scorer.chunking))))  # type: ignore[union-attr]


def test_the_pickle_of_langchains_faiss_folder_stays_closed_and_its_export_is_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The export is the one of the documentation; the flat index ranks as the vector store does."""
    from langchain_community.vectorstores import FAISS

    monkeypatch.chdir(tmp_path)
    store = FAISS.from_documents(ingested.langchain_chunks(DOCUMENTS), ingested.ForLangChain())
    store.save_local("folder")
    assert {p.name for p in Path("folder").iterdir()} == {"index.faiss", "index.pkl"}
    given, options = (PROJECT / "docs", PROJECT / "queries.jsonl"), {"k": 3, "swap": "none", "cache": tmp_path / "cache"}
    with pytest.raises(InputError, match=r"index.pkl: is a pickle, .* export the records as JSON Lines"):
        ragdiag.audit(*given, retriever="faiss(path=folder)", **options)
    page = (PROJECT.parents[1] / "docs" / "howto" / "faiss.md").read_text(encoding="utf-8")
    (export,) = re.findall(r"^```python\n(import json\n\nfrom langchain_community.*?)^```", page, re.DOTALL | re.MULTILINE)
    exec(export, {"embeddings": ingested.ForLangChain()})
    spec = "faiss(path=folder, texts='docs.jsonl')"
    indexed, asked = (ragdiag.audit(*given, retriever=r, **options) for r in (spec, store))
    assert [(q.id, q.served) for q in indexed.queries] == [(q.id, q.served) for q in asked.queries]
    assert not set(indexed.causes) & {"vector_fault", "foreign", "index_miss"} and indexed.audit.searchable.adds  # type: ignore[union-attr]
