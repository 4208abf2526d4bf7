"""Labelling answers on a page: what it shows of a session, and what it may ask of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.label.answer_review import AnswerReview
from ragdiag.label.page import expect, masked

__all__ = ["AnswerPage"]


class AnswerPage:
    """What the page asks of a session, and what it is told."""

    html = "answers.html"

    def __init__(self, session: AnswerReview) -> None:
        self.session = session
        self._lock = threading.Lock()

    def state(self, error: str = "") -> dict[str, object]:
        """Everything that the page shows, as JSON."""
        session = self.session
        state: dict[str, object] = {"error": error, "decided": len(session.decided), "total": session.most, "query": None}
        if session.current is None:
            return state
        query = session.query
        return state | {
            "query": {"id": query.id, "text": masked(query.text)},
            "references": [masked(text) for text in (*query.answers, *query.acceptable)],
            "evidence": [masked(label.text) for label in query.evidence if label.text],
            "answers": [masked(shown.text) if shown.text.strip() else "(nothing)" for shown in session.shown],
        }

    def act(self, request: Mapping[str, object]) -> dict[str, object]:
        """Do one thing that the page asks; the state after it, with an error where it could not be done."""
        with self._lock:
            try:
                what, session = request.get("do"), self.session
                # What the page shows may be out of date, as in a second window: no decision may go to another query.
                if what != "show" and session.current is not None and request.get("query") != session.query.id:
                    raise UsageError("another query is asked by now: here it is")
                if what not in ("show", "back"):
                    session.query  # noqa: B018  # refuses where nothing is asked
                if what == "decide":
                    session.decide([expect(right, bool) for right in expect(request.get("right"), list)])
                elif what in ("skip", "back"):
                    (session.skip if what == "skip" else session.back)()
                elif what != "show":
                    raise UsageError(f"nothing is called {what!r} here")
                return self.state()
            except RagdiagError as e:
                return self.state(error=str(e))

    def farewell(self) -> str:
        """What the page says at the end."""
        return f"{len(self.session.decided)} of {self.session.most} queries labelled"
