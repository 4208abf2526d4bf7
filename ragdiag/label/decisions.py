"""The file that labelling writes: one line for each decided query, in the form that `sources.queries` reads, whole after each.

What else the file holds is kept; a file that holds something other than labels is refused, never added to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import read_bytes, read_jsonl
from ragdiag.core.records import Document, Query, Span
from ragdiag.core.writing import PRIVATE, check_writable, json_lines, write_atomically
from ragdiag.sources.queries.own import query as read_query

__all__ = ["DecisionFile", "expected", "label_of", "record"]


def record(query: Query, groups: Sequence[Sequence[Span]], documents: Sequence[Document]) -> dict[str, object]:
    """A decided query as a line of the file: each of `groups` is required, passages in one are alternatives; none: unanswerable.

    A passage with half a character in it, as PDFs have, is named by its offsets only: JSON could not hold its text.
    """
    line: dict[str, object] = {"_id": query.id, "text": query.text, **expected(query.answers)}
    if not groups:
        line["unanswerable"] = True
    else:
        line["evidence"] = [
            label_of(passage, documents[passage.document], f"g{n}" if len(group) > 1 else "")
            for n, group in enumerate(groups, 1)
            for passage in group
        ]
    if query.metadata:
        line["metadata"] = dict(query.metadata)
    return line


def label_of(passage: Span, document: Document, group: str) -> dict[str, object]:
    """A passage as a line names it, in a group of alternatives where there is one."""
    text = document.text[passage.start : passage.end]
    label: dict[str, object] = {"doc_id": document.id, "start": passage.start, "end": passage.end}
    label |= {"text": text} if text.encode("utf-8", "replace").decode() == text else {}
    return label | ({"group": group} if group else {})


def expected(answers: Sequence[str]) -> dict[str, object]:
    """The reference answers of a query as its line has them."""
    if len(answers) > 1:
        return {"answers": list(answers)}
    return {"answer": answers[0]} if answers else {}


class DecisionFile:
    """The decided queries of a file, by id: as they stand there in `records`, as they are read in `queries`.

    With `any_query` it may hold queries without a label as well. Raises `InputError` for a file that holds anything else, and
    `UsageError` where none could be written.
    """

    def __init__(self, path: Path, any_query: bool = False) -> None:
        check_writable(path)
        self.path, self._any_query = path, any_query
        self._raw: bytes | None = None
        self.records: dict[str, Mapping[str, object]] = {}
        self.queries: dict[str, Query] = {}
        if path.exists():
            self._raw = read_bytes(path)
            for line, content in read_jsonl(path):
                self._add(content, line)

    def _add(self, content: Mapping[str, object], line: int) -> None:
        query = read_query(dict(content), self.path, line)
        if not (self._any_query or query.evidence or query.relevant or query.unanswerable):
            raise InputError("this is no labelled query", self.path, line, "name another file with --out, or remove that line")
        if query.id in self.queries:
            raise InputError(f"query id {query.id!r} stands twice", self.path, line, "remove one of them")
        self.queries[query.id] = query
        self.records[query.id] = content

    def put(self, *contents: Mapping[str, object]) -> None:
        """Write decisions, in place of those that were made for the same queries."""
        new = {str(content["_id"]): content for content in contents}
        queries = {name: read_query(dict(content), self.path, 0) for name, content in new.items()}
        self._write({**self.records, **new})
        self.records |= new
        self.queries |= queries

    def drop(self, name: str) -> None:
        """Take a decision back; a file that holds no other goes, since a file without queries is no file of queries."""
        self._write({key: value for key, value in self.records.items() if key != name})
        del self.records[name], self.queries[name]

    def _write(self, records: Mapping[str, Mapping[str, object]]) -> None:
        raw = json_lines(records.values())
        on_disk = read_bytes(self.path) if self.path.exists() else None
        if on_disk != self._raw:
            raise UsageError(f"{self.path} was changed by another program; nothing is written: start again to go on with it")
        if records:
            write_atomically(self.path, raw, PRIVATE)
        else:
            self.path.unlink(missing_ok=True)
        self._raw = raw if records else None
