"""What frameworks keep beside a vector: a record's text and metadata, wherever they nest them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ragdiag.sources.stored import METADATA

__all__ = ["NODE", "TEXTS", "flattened", "node_in", "text_in"]

NODE = "_node_content"
"""Where LlamaIndex keeps a whole node, as JSON."""


TEXTS = ("page_content", "text", "document", "content")
"""Where a record may hold its chunk: in LangChain, LlamaIndex, Qdrant's own client, Haystack."""


def flattened(fields: Mapping[str, object]) -> dict[str, object]:
    """A record's fields, those of its metadata, and those of the node that LlamaIndex keeps in it; of one name, the outermost."""
    found = dict[str, object]()
    for key in METADATA:
        nested = fields.get(key)
        if isinstance(nested, Mapping):
            found |= nested
    found |= fields
    node = node_in(found)
    return flattened({name: value for name, value in node.items() if name != NODE}) | found if node else found


def text_in(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The text in the first of `names` that has one, looked for in the fields themselves before what is nested in them."""
    for level in (fields, flattened(fields)):
        for name in names:
            text = level.get(name)
            if isinstance(text, str) and text.strip():
                return text
    return None


def node_in(fields: Mapping[str, object]) -> dict[str, object]:
    """The node that LlamaIndex keeps in a record's fields; empty where it keeps none that can be read."""
    node = fields.get(NODE)
    try:
        parsed = json.loads(node) if isinstance(node, str) else None
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
