"""A local endpoint that speaks ``/embeddings`` as OpenAI's does, with vectors that can be worked out without it."""

import contextlib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DIMENSION = 64
KEY = "sk-very-secret-0123456789"

Script = Callable[[int, list[str]], Any]
"""What it does at its n-th request, from 1, for some texts: a status, a body, bytes, "/drop", "/hang"; None: what it should."""


def words_hashed(texts: Sequence[str]) -> np.ndarray:
    """Each word adds 1 at one of so many places; the last is 1, so that no text has zeros alone."""
    rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[-1] = 1.0
        for word in text.lower().split():
            row[int.from_bytes(hashlib.sha256(word.strip(".,?").encode()).digest()[:4], "big") % (DIMENSION - 1)] += 1.0
    return rows


class VectorServer:
    """On a free port of 127.0.0.1, from its making to `close`."""

    def __init__(self, script: Script = lambda n, texts: None, embed: Callable[[list[str]], np.ndarray] = words_hashed) -> None:
        self.requests, self.keys = list[dict[str, Any]](), set[str | None]()
        self.script, self.embed = script, embed
        self.hangs, self.released, self.lock = threading.Event(), threading.Event(), threading.Lock()
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with mine.lock:
                    mine.requests.append(request | {"path": self.path})
                    mine.keys.add(self.headers.get("Authorization"))
                    n = len(mine.requests)
                with contextlib.suppress(OSError):
                    self.reply(mine.script(n, request["input"]), request["input"])

            def reply(self, action: Any, texts: list[str]) -> None:
                if action == "/hang":
                    mine.hangs.set()
                    mine.released.wait(30)
                if action in ("/hang", "/drop"):
                    self.close_connection = True
                    return
                body = action if isinstance(action, dict) else listed(mine.embed(texts).tolist())
                status = 200
                if isinstance(action, int):
                    status, body = action, {"error": {"message": f"wrong key {KEY}"}}
                raw = action if isinstance(action, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Retry-After-Ms", "1")
                if status == 307:
                    self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def texts(self) -> Counter[str]:
        """How often each text came."""
        return Counter(text for request in self.requests for text in request["input"])

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def listed(vectors: Sequence[Any]) -> dict[str, Any]:
    """A response with `vectors`, in no order that a client may rely on."""
    return {"object": "list", "data": [{"index": i, "embedding": v} for i, v in reversed(list(enumerate(vectors)))]}
