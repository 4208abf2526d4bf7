"""A function `build` for frameworks whose retrievers are made of retrievers: LangChain and LlamaIndex."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.exports._code import called
from ragdiag.exports._stages import Stage

__all__ = ["retrievers"]


def retrievers(stages: Sequence[Stage], vectors: str) -> str:
    """A function `build` that makes one retriever of the others; `vectors` is what one that searches vectors is given."""
    lines = [_line(stage, vectors) for stage in stages]
    last = f"    return {stages[-1].name}"
    return "\n".join([BUILD, *lines, last])


def _line(stage: Stage, vectors: str) -> str:
    made = f"{stage.name} = "
    below = ", ".join(stage.below)
    if stage.kind == "passages":
        return called("PassageRetriever", [f"retriever={below}", "chunks=chunks"], before=made)
    name, own = {
        "index": ("IndexRetriever", [f"index={stage.code}"]),
        "vectors": ("VectorRetriever", [vectors]),
        "fusion": ("FusionRetriever", [f"retrievers=[{below}]", f"weights={list(stage.weights)}", f"fuse={stage.code}"]),
        "step": ("StepRetriever", [f"retriever={below}", f"step={stage.code}"]),
    }[stage.kind]
    return called(name, [*own, "chunks=chunks", f"k={stage.k}"], before=made)


BUILD = '''
@cache
def build() -> BaseRetriever:
    """The retriever, with all chunks in memory; it is made once."""
    chunks = read_chunks()'''
