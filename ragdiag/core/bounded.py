"""A bound in time and bytes for whatever a server answers: its first line, its headers, its body, of an error too."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["ASKING", "HttpClient", "Request", "begun", "bound", "within"]

T = TypeVar("T")

ASKING = "ragdiag-asking"
"""The name of a thread that waits for a server."""

OF_ERROR = 2**16
"""Bytes of an error's body that are read: it is said on one line."""

ENCODED = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that say how a body came; none of a body that was read as it came."""


class Request(Protocol):
    """A request of httpx."""

    headers: dict[str, str]


class Response(Protocol):
    """A response of httpx."""

    status_code: int

    @property
    def headers(self) -> Headers:
        """Its headers."""

    def iter_raw(self) -> Iterator[bytes]:
        """Its body as it comes."""

    def close(self) -> None:
        """Let it go."""


class Headers(Protocol):
    """Headers of httpx."""

    def multi_items(self) -> list[tuple[str, str]]:
        """Names and values."""


class HttpClient(Protocol):
    """A client of httpx, or of a package that took its place."""

    send: Callable[..., Response]
    timeout: object

    def close(self) -> None:
        """Let go of its connections."""


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` gives. Raises `TimeoutError` after `seconds`, whatever it waits for then; it is left to itself.

    A server that sends a byte now and then keeps every timeout of a socket from passing.
    """
    done = concurrent.futures.Future[T]()

    def run() -> None:
        try:
            done.set_result(ask())
        except BaseException as e:
            done.set_exception(e)

    threading.Thread(target=run, name=ASKING, daemon=True).start()
    try:
        return done.result(seconds)
    except concurrent.futures.TimeoutError as e:
        if done.done():  # the one that was raised there
            raise
        raise TimeoutError("timed out") from e


def bound(client: HttpClient, seconds: float, most: int, prepared: Callable[[Request], None] = lambda request: None) -> None:
    """From now on `client` reads each response whole, within `seconds`, and at most `most` bytes of it and one more.

    So a body that is longer is none, as it is cut off. Nothing is unpacked: a small body may unpack to any size. `prepared` is
    given each request before it is sent.
    """
    send = client.send

    def bounded(request: Request, *, stream: bool = False, **how: object) -> Response:
        prepared(request)
        request.headers["Accept-Encoding"] = "identity"
        try:
            return within(seconds, lambda: _whole(send, request, how, seconds, most))
        except TimeoutError as e:
            timeout: Callable[..., Exception] = sys.modules[type(request).__module__.partition(".")[0]].ReadTimeout
            raise timeout("timed out", request=request) from e

    client.send = bounded


def _whole(send: Callable[..., Response], request: Request, how: dict[str, object], seconds: float, most: int) -> Response:
    deadline = time.monotonic() + seconds
    response = send(request, stream=True, **how)
    try:
        body = begun(response.iter_raw(), deadline, OF_ERROR if response.status_code >= 400 else most)
    finally:
        response.close()
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in ENCODED]
    made: Callable[..., Response] = type(response)
    return made(response.status_code, headers=headers, content=body, request=request)


def begun(parts: Iterable[bytes], deadline: float, most: int) -> bytes:
    """What comes in parts: all of it, or the first `most` bytes and one more. Raises `TimeoutError` behind the `deadline`."""
    body = bytearray()
    for part in parts:
        body += part[: most + 1 - len(body)]
        if len(body) > most:
            break
        if time.monotonic() > deadline:
            raise TimeoutError("timed out")
    return bytes(body)
