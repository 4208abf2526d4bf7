"""Labelling on a page: what it shows of a session, and what it may ask of it. Evidence is marked by selecting text."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.core.records import Span
from ragdiag.label.session import Session, Shown
from ragdiag.label.summary import unreferenced, worth
from ragdiag.label.terminal import above
from ragdiag.text.phrases import UNSAFE, counted

__all__ = ["Page", "expect", "masked"]

T = TypeVar("T")


def masked(text: str) -> str:
    """`text` as the page shows it, as many characters long: what could reorder or break it is a replacement character."""
    return UNSAFE.sub(lambda m: m[0] if m[0] == "\r" else "\ufffd", text)


class Page:
    """What the page asks of a session, and what it is told."""

    html: ClassVar[str] = "page.html"

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()

    def state(self, message: str = "", error: str = "", found: Sequence[int] = ()) -> dict[str, object]:
        """Everything that the page shows, as JSON; `found` are the numbers of passages to look at."""
        session, summary = self.session, self.session.summary()
        state: dict[str, object] = {
            "message": message,
            "error": error,
            "found": list(found),
            "total": summary.asked,
            "decided": session.decided,
            "skipped": summary.skipped,
            "worth": worth(summary) if summary.labelled else "",
            "query": None,
        }
        return state | (self._asked() if session.current is not None else {})

    def _asked(self) -> dict[str, object]:
        """What is shown of the query that is asked now."""
        session, task, decision = self.session, self.session.task, self.session.decision
        return {
            "number": (session.current or 0) + 1,
            "query": {"id": task.query.id, "text": masked(task.query.text), "draft": task.draft is not None},
            "answer": session.answer,
            "passages": [self._passage(shown) for shown in session.shown],
            "unanswerable": bool(decision and decision.unanswerable),
            "marks": self._marks(),
        }

    def _passage(self, shown: Shown) -> dict[str, object]:
        passage = shown.passage
        document = self.session.corpus.documents[passage.document]
        return {
            "document": passage.document,
            "start": passage.start,
            "end": passage.end,
            "text": masked(document.text[passage.start : passage.end]),
            "id": masked(document.id),
            "above": masked(above(document, passage.start)),
            "copies": self.session.pool.copies(passage),
        }

    def _marks(self) -> list[list[dict[str, object]]]:
        """The evidence that the file has for the current query, group by group."""
        decision, position = self.session.decision, self.session.corpus.position
        groups: dict[str, list[dict[str, object]]] = {}
        for n, label in enumerate(decision.evidence if decision else ()):
            if label.doc_id in position and label.start is not None and label.end is not None:
                groups.setdefault(label.group or f"#{n}", []).append(self.mark(position[label.doc_id], label.start, label.end))
        return list(groups.values())

    def mark(self, document: int, start: int, end: int) -> dict[str, object]:
        """A stretch of a document as the page marks it."""
        text = masked(self.session.corpus.documents[document].text[start:end])
        return {"document": document, "start": start, "end": end, "text": text}

    def act(self, request: Mapping[str, object]) -> dict[str, object]:
        """Do one thing that the page asks; the state after it, with an error where it could not be done."""
        with self._lock:
            try:
                current = self.session.current
                # What the page shows may be out of date, as in a second window: no decision may go to another query.
                if current is not None and request.get("query") != self.session.task.query.id and request.get("do") != "show":
                    raise UsageError("another query is asked by now: here it is")
                if request.get("do") not in ("show", "back"):
                    self.session.task  # noqa: B018  # refuses where nothing is asked
                message, numbers = self._do(str(request.get("do")), request)
                return self.state(message, found=numbers)
            except RagdiagError as e:
                return self.state(error=str(e))

    def _do(self, what: str, request: Mapping[str, object]) -> tuple[str, Sequence[int]]:
        """Do it: a message, and the numbers of the passages that were asked for."""
        session = self.session
        if what == "label":
            groups = self._groups(request)
            session.answered(expect(request.get("answer", ""), str))
            session.label(groups)
        elif what == "unanswerable":
            session.answered(expect(request.get("answer", ""), str))
            session.unanswerable()
        elif what == "search":
            numbers = session.search(expect(request.get("words"), str))
            return "" if numbers else "no passage has these words", numbers
        elif what == "more":
            return "" if session.more() else "that is all that the retrievers found: search on by words", ()
        elif what == "beside":
            return "", [session.beside(expect(request.get("number"), int), -1 if request.get("before") else 1)]
        elif what == "reword":
            session.reword(expect(request.get("text"), str))
        elif what in ("skip", "back", "withdraw"):
            {"skip": session.skip, "back": session.back, "withdraw": session.withdraw}[what]()
        elif what != "show":
            raise UsageError(f"nothing is called {what!r} here")
        return "", ()

    def _groups(self, request: Mapping[str, object]) -> list[list[Span]]:
        return [[self.marked(mark) for mark in expect(group, list)] for group in expect(request.get("groups"), list)]

    def marked(self, mark: object) -> Span:
        """A mark of the page as a passage. Raises `UsageError` where its text is not what the document has there."""
        fields = expect(mark, dict)
        passage = Span(*(expect(fields.get(name), int) for name in ("document", "start", "end")))
        documents = self.session.corpus.documents
        inside = 0 <= passage.document < len(documents) and 0 <= passage.start < passage.end
        if not inside or masked(documents[passage.document].text[passage.start : passage.end]) != fields.get("text"):
            raise UsageError("the marked text is not what the document has there: reload the page")
        return passage

    def farewell(self) -> str:
        """What the page says at the end."""
        counts = self.session.summary()
        decided = f"{counted(counts.labelled, 'quer', 'y')} labelled, {counts.unanswerable} unanswerable"
        said = [f"{decided}, {counts.undecided} undecided", worth(counts) if counts.labelled else "", unreferenced(counts)]
        return "; ".join(filter(None, said))


def expect(value: object, kind: type[T]) -> T:
    """`value`, which has to be of `kind`. Raises `UsageError`."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError("the page asked for something that makes no sense: reload it")
    return value
