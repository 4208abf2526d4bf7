"""Which document an id names: the one that has it, else the one whose id is written in the same letters; and what a person types.

macOS and some tools write an accented letter as two characters, most editors as one (Unicode's NFD and NFC): "congés.md" is
another string then and the same name.
"""

from __future__ import annotations

from functools import cached_property

from ragdiag.core.errors import UsageError, nearest
from ragdiag.core.prefixes import begun
from ragdiag.core.records import Corpus, Labels
from ragdiag.text.unicode import normalize

__all__ = ["DocumentNames", "query_named"]


class DocumentNames:
    """The ids of a corpus' documents, to look up those that labels, qrels, chunks and runs give."""

    def __init__(self, corpus: Corpus) -> None:
        self._position = corpus.position

    def position(self, doc_id: str) -> int | None:
        """The position of the document that `doc_id` names: exactly, else the only one whose id is composed otherwise."""
        exact = self._position.get(doc_id)
        return self._composed.get(_composed(doc_id)) if exact is None else exact

    def typed(self, doc_id: str) -> int | None:
        """As `position`, else the only one whose id begins so: what a person types. Raises `UsageError` where several do."""
        exact = self.position(doc_id)
        found = begun(_composed(doc_id), self._composed, "documents") if exact is None else None
        return exact if found is None else self._composed[found]

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


def query_named(given: str, labels: Labels) -> str:
    """The id of the query that `given` is, or begins as no other does. Raises `UsageError` where there is not one."""
    ids = [query.id for query in labels.queries]
    found = begun(given, ids, "queries")
    if found is None:
        raise UsageError(f"no query {given!r}{nearest(given, ids)}")
    return found


def _composed(doc_id: str) -> str:
    return normalize("NFC", doc_id)
