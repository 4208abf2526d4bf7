"""Code for LangChain: retrievers that are `BaseRetriever`, over documents in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.exports._framework import Framework
from ragdiag.exports._retrievers import retrievers
from ragdiag.exports._stages import Stages


@dataclass(frozen=True)
class LangChain(Framework):
    """A folder whose ``pipeline.build()`` is a retriever of LangChain."""

    title: ClassVar[str] = "LangChain"
    template: ClassVar[str] = "langchain.txt"
    splitter: ClassVar[str] = "RecursiveCharacterTextSplitter of langchain_text_splitters"

    def build(self, stages: Stages) -> str:
        """See `Framework`."""
        return retrievers(stages.made, "store=vector_store(chunks)")
