"""Code for LlamaIndex: retrievers that are `BaseRetriever`, over nodes in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.exports._framework import Framework
from ragdiag.exports._retrievers import retrievers
from ragdiag.exports._stages import Stages


@dataclass(frozen=True)
class LlamaIndex(Framework):
    """A folder whose ``pipeline.build()`` is a retriever of LlamaIndex."""

    title: ClassVar[str] = "LlamaIndex"
    template: ClassVar[str] = "llamaindex.txt"
    splitter: ClassVar[str] = "SentenceSplitter of llama_index.core.node_parser"

    def build(self, stages: Stages) -> str:
        """See `Framework`."""
        return retrievers(stages.made, "index=vector_index(chunks)")
