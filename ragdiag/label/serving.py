"""A page that this machine serves to itself.

Only 127.0.0.1 listens. The address holds a random token, without which nothing is told and nothing done; a page of another site
knows no token, and a name that was made to point here is no ``Host`` of ours. Texts travel as JSON and become text nodes.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import re
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from ragdiag.core.errors import UsageError

__all__ = ["Served", "serve"]

LARGEST = 2**20
"""Bytes of a request at most."""


class Served(Protocol):
    """What is served: `html` names the page, a file of this package."""

    @property
    def html(self) -> str:
        """The page's file."""

    def act(self, request: Mapping[str, object]) -> dict[str, object]:
        """Do one thing that the page asks; what it then shows."""

    def farewell(self) -> str:
        """What the page says at the end."""


def serve(page: Served, port: int, started: Callable[[str], None]) -> None:
    """Serve the page until it is stopped there or here; `started` is told its address. Raises `UsageError` for a port in use."""
    try:
        server = _Server(page, port)
    except OSError as e:
        raise UsageError(f"cannot listen on port {port} ({e.strerror}); leave --port out for one that is free") from e
    with server, contextlib.suppress(KeyboardInterrupt):
        started(f"http://127.0.0.1:{server.server_port}/{server.token}/")
        server.serve_forever(poll_interval=0.1)


class _Server(ThreadingHTTPServer):
    """Listens on this machine only, for those who know the token."""

    daemon_threads = True

    def __init__(self, page: Served, port: int) -> None:
        self.page, self.token = page, secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """As the library's; nothing is said of who went away before the reply, which anybody on this machine can do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """One request: the page, or one thing that it asks for."""

    timeout = 30
    server: _Server
    server_version, sys_version = "ragdiag", ""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address holds the token."""

    def do_GET(self) -> None:
        """The page itself."""
        if self._admitted():
            if self._path() == "":
                nonce = secrets.token_urlsafe(16)
                text = importlib.resources.files("ragdiag.label").joinpath(self.server.page.html).read_text(encoding="utf-8")
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
                request = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                request = None
            if isinstance(request, dict):
                self._send(200, "application/json", json.dumps(self.server.page.act(request)))
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
