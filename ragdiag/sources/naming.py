"""Which document an id names: the one that has it, else the one whose id is written in the same letters.

macOS and some tools write an accented letter as two characters, most editors as one (Unicode's NFD and NFC): "congés.md" is
another string then and the same name.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property

from ragdiag.core.records import Corpus

__all__ = ["DocumentNames"]


class DocumentNames:
    """The ids of a corpus' documents, to look up those that labels, qrels, chunks and runs give."""

    def __init__(self, corpus: Corpus) -> None:
        self._position = corpus.position

    def position(self, doc_id: str) -> int | None:
        """The position of the document that `doc_id` names: exactly, else the only one whose id is composed otherwise."""
        exact = self._position.get(doc_id)
        return self._composed.get(_composed(doc_id)) if exact is None else exact

    def __contains__(self, doc_id: str) -> bool:
        return self.position(doc_id) is not None

    @cached_property
    def _composed(self) -> dict[str, int | None]:
        """Each id with its letters composed -> its document; None where that is the form of several ids."""
        numbers: dict[str, int | None] = {}
        for doc_id, i in self._position.items():
            key = _composed(doc_id)
            numbers[key] = None if key in numbers else i
        return numbers


def _composed(doc_id: str) -> str:
    return unicodedata.normalize("NFC", doc_id)
