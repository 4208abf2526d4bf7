"""What a framework embedded for a record: its text as it is, or framed by what its metadata says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.search.models import unit
from ragdiag.search.retrievers._payload import NODE, node_in
from ragdiag.search.retrievers._source import Row

__all__ = ["ALIKE", "UNKNOWN", "Frame", "Framing", "framing"]

ALIKE = 0.99
"""Cosine between a stored vector and one made of the same text, from which on that is what was embedded."""

FIELDS = ("title", "heading", "section", "file_name", "filename", "source", "file_path", "path", "name", "url", "header")
"""Metadata that is put before a text."""

SHAPES = (
    "{value}\n\n{text}",
    "{value}\n{text}",
    "{value}: {text}",
    "{value} {text}",
    "{key}: {value}\n\n{text}",
    "{key}: {value}\n{text}",
)

Frame = Callable[[str, Mapping[str, object]], str]
"""What is embedded for a text with the metadata of its record."""


class Framing(NamedTuple):
    """The frame that fits best, what it is called, and the middle cosine between what is stored and what it makes."""

    frame: Frame
    name: str
    cosine: float

    @property
    def fits(self) -> bool:
        """Whether a text can be embedded as the store's own were."""
        return self.cosine >= ALIKE

    @property
    def is_framed(self) -> bool:
        """Whether more than the text was embedded."""
        return self.frame is not _plain


def framing(rows: Sequence[Row], stored: VectorArray, encode: Callable[[Sequence[str]], VectorArray]) -> Framing:
    """The frame under which texts of `rows` have their `stored` vectors, shape ``(n_rows, dimension)``: the plain text where that
    does, else the one that comes nearest.
    """
    best = Framing(_plain, "its text", -1.0)
    for name, frame in _frames(rows):
        made = encode([frame(row.text or "", row.metadata) for row in rows])
        # The upper half: some vectors may be of other texts, or of another model.
        cosine = float(np.median(np.sort((unit(stored) * made).sum(axis=1))[len(rows) // 2 :]))
        best = Framing(frame, name, cosine) if cosine > best.cosine + 1e-4 else best
        if best.fits:
            break
    return best


def _frames(rows: Sequence[Row]) -> Iterator[tuple[str, Frame]]:
    """Every frame that these records may have been embedded in, the plainest first."""
    yield "its text", _plain
    if all(NODE in row.metadata for row in rows):
        yield "LlamaIndex's template", _of_llamaindex
    for key in FIELDS:
        if all(isinstance(row.metadata.get(key), str) for row in rows):
            for shape in SHAPES:
                yield f"its {key} and its text", _shaped(shape, key)


def _plain(text: str, metadata: Mapping[str, object]) -> str:
    return text


def _shaped(shape: str, key: str) -> Frame:
    def frame(text: str, metadata: Mapping[str, object]) -> str:
        return shape.format(key=key, value=metadata.get(key, ""), text=text)

    return frame


def _of_llamaindex(text: str, metadata: Mapping[str, object]) -> str:
    """What LlamaIndex embeds for a node: its metadata but for the keys left out, by the node's own templates, then the text."""
    node: dict[str, Any] = node_in(metadata)
    left_out = node.get("excluded_embed_metadata_keys") or ()
    line = node.get("metadata_template") or "{key}: {value}"
    between = node.get("metadata_separator") or node.get("metadata_seperator") or "\n"  # older versions spell it so
    kept = ((key, value) for key, value in (node.get("metadata") or {}).items() if key not in left_out)
    said = between.join(line.replace("{key}", str(key)).replace("{value}", str(value)) for key, value in kept).strip()
    if not said:
        return text
    whole: str = node.get("text_template") or "{metadata_str}\n\n{content}"
    return whole.replace("{metadata_str}", said).replace("{content}", text).strip()


UNKNOWN = Framing(_plain, "not known", -1.0)
"""Of a store with whose model no text can be embedded."""
