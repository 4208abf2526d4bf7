"""Labelling on a page that this machine serves to itself: evidence is marked by selecting text.

Only 127.0.0.1 listens. The address holds a random token, without which nothing is told and nothing done; a page of another site
knows no token, and a name that was made to point here is no ``Host`` of ours. Corpus texts travel as JSON and become text nodes.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.label.pooling import Passage
from ragdiag.label.session import Session, Shown
from ragdiag.label.summary import worth
from ragdiag.label.terminal import above
from ragdiag.text.phrases import UNSAFE, counted

__all__ = ["Page", "serve"]

LARGEST = 2**20
"""Bytes of a request at most."""


def masked(text: str) -> str:
    """`text` as the page shows it, as many characters long: what could reorder or break it is a replacement character."""
    return UNSAFE.sub(lambda m: m[0] if m[0] == "\r" else "\ufffd", text)


class Page:
    """What the page asks of a session, and what it is told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = threading.Lock()

    def state(self, message: str = "", error: str = "", found: list[int] | None = None) -> dict[str, Any]:
        """Everything that the page shows."""
        session, summary = self.session, self.session.summary()
        state: dict[str, Any] = {
            "message": message,
            "error": error,
            "found": found or [],
            "total": summary.asked,
            "decided": session.decided,
            "skipped": summary.skipped,
            "worth": worth(summary) if summary.labelled else "",
            "query": None,
        }
        if session.current is not None:
            task, said = session.task, session.decision
            state |= {
                "number": session.current + 1,
                "query": {"id": task.query.id, "text": masked(task.query.text), "draft": task.draft is not None},
                "answer": session.answer,
                "passages": [self._passage(shown) for shown in session.shown],
                "unanswerable": bool(said and said.unanswerable),
                "marks": self._marks(),
            }
        return state

    def _passage(self, shown: Shown) -> dict[str, Any]:
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

    def _marks(self) -> list[list[dict[str, Any]]]:
        """The evidence that the file has for the current query, group by group."""
        said, position = self.session.decision, self.session.corpus.position
        groups: dict[str, list[dict[str, Any]]] = {}
        for n, label in enumerate(said.evidence if said else ()):
            if label.doc_id in position and label.start is not None and label.end is not None:
                groups.setdefault(label.group or f"#{n}", []).append(self._mark(position[label.doc_id], label.start, label.end))
        return list(groups.values())

    def _mark(self, document: int, start: int, end: int) -> dict[str, Any]:
        text = masked(self.session.corpus.documents[document].text[start:end])
        return {"document": document, "start": start, "end": end, "text": text}

    def act(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do one thing that the page asks; the state after it, with an error where it could not be done."""
        with self._lock:
            try:
                current = self.session.current
                if current is not None and asked.get("query") != self.session.task.query.id and asked.get("do") != "show":
                    raise UsageError("another query is asked by now: here it is")
                return self.state(**self._do(str(asked.get("do")), asked))
            except RagdiagError as e:
                return self.state(error=str(e))

    def _do(self, what: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        session = self.session
        if what == "label":
            groups = [[self._given(mark) for mark in _of(group, list)] for group in _of(asked.get("groups"), list)]
            session.answered(_of(asked.get("answer", ""), str))
            session.label(groups)
        elif what == "unanswerable":
            session.answered(_of(asked.get("answer", ""), str))
            session.unanswerable()
        elif what == "search":
            found = session.search(_of(asked.get("words"), str))
            return {"found": found, "message": "" if found else "no passage has these words"}
        elif what == "more":
            return {"message": "" if session.more() else "that is all that the retrievers found: search on by words"}
        elif what == "beside":
            return {"found": [session.beside(_of(asked.get("number"), int), -1 if asked.get("before") else 1)]}
        elif what == "reword":
            session.reword(_of(asked.get("text"), str))
        elif what in ("skip", "back", "withdraw"):
            {"skip": session.skip, "back": session.back, "withdraw": session.withdraw}[what]()
        elif what != "show":
            raise UsageError(f"nothing is called {what!r} here")
        return {}

    def _given(self, mark: Any) -> Passage:
        """A mark of the page as a passage. Raises `UsageError` where its text is not what the document has there."""
        passage = Passage(*(_of(_of(mark, dict).get(name), int) for name in ("document", "start", "end")))
        documents = self.session.corpus.documents
        inside = 0 <= passage.document < len(documents) and 0 <= passage.start < passage.end
        if not inside or masked(documents[passage.document].text[passage.start : passage.end]) != mark.get("text"):
            raise UsageError("the marked text is not what the document has there: reload the page")
        return passage

    def farewell(self) -> str:
        """What the page says at the end."""
        found = self.session.summary()
        said = f"{counted(found.labelled, 'quer', 'y')} labelled, {found.unanswerable} unanswerable, {found.undecided} undecided"
        return said + (f"; {worth(found)}" if found.labelled else "")


def _of(value: Any, kind: type) -> Any:
    """`value`, which has to be of `kind`. Raises `UsageError`."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError("the page asked for something that makes no sense: reload it")
    return value


def serve(session: Session, port: int, started: Callable[[str], None]) -> None:
    """Serve the page until it is stopped there or here; `started` is told its address. Raises `UsageError` for a port in use."""
    try:
        server = _Server(Page(session), port)
    except OSError as e:
        raise UsageError(f"cannot listen on port {port} ({e.strerror}); leave --port out for one that is free") from e
    with server, contextlib.suppress(KeyboardInterrupt):
        started(f"http://127.0.0.1:{server.server_port}/{server.token}/")
        server.serve_forever(poll_interval=0.1)


class _Server(ThreadingHTTPServer):
    """Listens on this machine only, for those who know the token."""

    daemon_threads = True

    def __init__(self, page: Page, port: int) -> None:
        self.page, self.token = page, secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One request: the page, or one thing that it asks for."""

    timeout = 30
    server: _Server
    server_version, sys_version = "ragdiag", ""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address holds the token."""

    def do_GET(self) -> None:
        """The page itself."""
        if self._admitted():
            if self._path() == "":
                nonce = secrets.token_urlsafe(16)
                text = importlib.resources.files("ragdiag.label").joinpath("page.html").read_text(encoding="utf-8")
                self._send(200, "text/html", text.replace("{{nonce}}", nonce), nonce)
            else:
                self._send(404, "text/plain", "nothing is here")

    def do_POST(self) -> None:
        """One thing to do: JSON in, the state out."""
        if not self._admitted():
            return
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json" or self._path() not in ("act", "stop"):
            self._send(415 if self._path() in ("act", "stop") else 404, "text/plain", "JSON is expected")
        elif not re.fullmatch("[0-9]{1,9}", length) or int(length) > LARGEST:
            self._send(413, "text/plain", "too large")
        elif self._path() == "stop":
            self._send(200, "application/json", json.dumps({"farewell": self.server.page.farewell()}))
            threading.Thread(target=self.server.shutdown).start()
        else:
            try:
                asked = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                asked = None
            if isinstance(asked, dict):
                self._send(200, "application/json", json.dumps(self.server.page.act(asked)))
            else:
                self._send(400, "text/plain", "a JSON object is expected")

    def _path(self) -> str:
        """What stands behind the token."""
        return self.path.partition("?")[0][len(self.server.token) + 2 :]

    def _admitted(self) -> bool:
        """Whether who asks came by our address, and not from another site."""
        hosts = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}
        origin = self.headers.get("Origin")
        own_host = self.headers.get("Host") in hosts
        own_origin = origin is None or origin in {f"http://{host}" for host in hosts}
        knows = secrets.compare_digest(self.path[: len(self.server.token) + 2].encode(), f"/{self.server.token}/".encode())
        if not (own_host and own_origin and knows):
            self._send(403, "text/plain", "use the address that ragdiag label printed")
        return own_host and own_origin and knows

    def _send(self, status: int, kind: str, text: str, nonce: str = "") -> None:
        body = text.encode()
        allowed = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; " if nonce else ""
        policy = f"default-src 'none'; {allowed}base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
