"""Code for Haystack: components in a `Pipeline`, over documents in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ragdiag.exports._code import called
from ragdiag.exports._framework import Framework
from ragdiag.exports._stages import Stage, Stages, quoted


@dataclass(frozen=True)
class Haystack(Framework):
    """A folder whose ``pipeline.build()`` is a pipeline of Haystack; each component for a question takes it as ``query``."""

    title: ClassVar[str] = "Haystack"
    template: ClassVar[str] = "haystack.txt"
    splitter: ClassVar[str] = "RecursiveDocumentSplitter of haystack.components.preprocessors"

    def build(self, stages: Stages) -> str:
        """See `Framework`."""
        lines = [_line(stage) for stage in stages.made]
        added = [called("pipeline.add_component", [quoted(s.name), s.name]) for s in stages.made]
        connected = [line for stage in stages.made for line in _connected(stage)]
        return "\n".join([BUILD, *lines, "    pipeline = Pipeline()", *added, *connected, "    return pipeline"])


def _line(stage: Stage) -> str:
    """The line that makes a component."""
    made = f"{stage.name} = "
    if stage.kind == "passages":
        return called("Passages", ["chunks=chunks"], before=made)
    weights = ", ".join(f"{quoted(name)}: {weight!r}" for name, weight in zip(stage.below, stage.weights, strict=False))
    name, own = {
        "index": ("IndexRetriever", [f"index={stage.code}"]),
        "vectors": ("VectorRetriever", ["store=document_store(chunks)"]),
        "fusion": ("Fusion", [f"weights={{{weights}}}", f"fuse={stage.code}"]),
        "step": ("Step", [f"step={stage.code}"]),
    }[stage.kind]
    return called(name, [*own, "chunks=chunks", f"top_k={stage.k}"], before=made)


def _connected(stage: Stage) -> Iterator[str]:
    """The lines that give a component what those below it find."""
    for below in stage.below:
        socket = below if stage.kind == "fusion" else "documents"
        yield called("pipeline.connect", [quoted(f"{below}.documents"), quoted(f"{stage.name}.{socket}")])


BUILD = '''
@cache
def build() -> Pipeline:
    """The pipeline, with all chunks in memory; it is made once."""
    chunks = read_chunks()'''
