"""OpenAI-compatible endpoints, asked through the `openai` package: what asking for answers, vectors and scores has in common."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable, Mapping
from typing import Literal

from ragdiag.core.bounded import Request, begun, bound
from ragdiag.core.registry import require
from ragdiag.core.remote import KEY, api_key, check_url

__all__ = ["LARGEST", "Connection", "read_body"]

LARGEST = 16 * 2**20
"""Bytes of a response that are read: no answer takes so many, and an endpoint may send them without an end."""

UNREAD = {"X-Stainless-Raw-Response": "stream"}
"""What has the library hand over a response before its body is read, as its own `with_streaming_response` does."""


PLAIN = ("accept", "connection", "content-", "host", "transfer-encoding", "user-agent", "x-stainless-")
"""How headers begin that any endpoint may have: what is sent, and by which library."""


class Connection:
    """The endpoint at `url` (``http://localhost:8000/v1``); `whose` url it is, an option or a parameter, is said in errors.

    What overload or errors of the server stand against is asked for `retries` times more, after as long as the server says.
    Redirects are not followed: they would take the texts, perhaps the key, to where the user never sent them. The key is what
    the environment variable `key` holds. What else OpenAI's variables name (an organization, a project, headers) goes along with
    OpenAI's key alone, and never in its place.
    Raises `SpecError` for a url with a key in it, `MissingExtra` without openai.
    """

    def __init__(self, url: str, whose: str, timeout_s: float, retries: int, key: str = KEY) -> None:
        check_url(url, whose, key)
        self._url, self._timeout_s = url, timeout_s
        self._openai = require("openai", "live")
        client_class = self._openai.DefaultHttpxClient
        self._http = require(client_class.__mro__[1].__module__.partition(".")[0], "live")  # httpx or httpx2, as openai's version
        http_client = client_class(follow_redirects=False)
        held = api_key(key)
        bound(http_client, 2 * timeout_s, LARGEST, lambda request: _admit(request, held, key == KEY))  # to wait, and to read
        self._client = self._openai.OpenAI(
            base_url=url,
            api_key=held,
            timeout=timeout_s,
            max_retries=retries,
            http_client=http_client,
        )

    def body(self, of: Literal["chat.completions", "embeddings"], sent: Mapping[str, object]) -> bytes:
        """The body of a response. Raises whatever the library does; `kind_of` says what that is called."""
        resource = operator.attrgetter(of)(self._client)
        with resource.with_streaming_response.create(**sent) as response:
            return read_body(response.iter_bytes(), time.monotonic() + self._timeout_s)

    def posted(self, sent: Mapping[str, object]) -> bytes:
        """The body of the response to `sent` at the address itself. Raises as `body` does."""
        response = self._client.post(self._url, cast_to=self._http.Response, body=sent, options={"headers": UNREAD})
        try:
            return read_body(response.iter_bytes(), time.monotonic() + self._timeout_s)
        finally:
            response.close()

    def is_refusal(self, error: Exception) -> bool:
        """Whether the endpoint says that it cannot be told what it was told."""
        return isinstance(error, self._openai.BadRequestError)

    def kind_of(self, error: Exception) -> str:
        """What a failure is called, by its kind: what an endpoint says may hold anything."""
        if isinstance(error, self._openai.APIStatusError):
            return f"status {error.status_code}"
        kinds: dict[str, tuple[type[Exception], ...]] = {
            "timed out": (self._openai.APITimeoutError, self._http.TimeoutException, TimeoutError),
            "no connection": (self._openai.APIConnectionError, self._http.TransportError),
            f"more than {LARGEST // 2**20} MB": (OverflowError,),
            "no JSON": (ValueError, RecursionError),
        }
        return next((kind for kind, types in kinds.items() if isinstance(error, types)), type(error).__name__)

    def close(self) -> None:
        """Let go of connections: nothing more is asked."""
        self._client.close()


def _admit(request: Request, key: str, of_openai: bool) -> None:
    """Put the key into a request, and take out what is not the endpoint's."""
    if not of_openai:
        for name in [name for name in request.headers if not name.lower().startswith(PLAIN)]:
            del request.headers[name]
    request.headers["Authorization"] = f"Bearer {key}"


def read_body(parts: Iterable[bytes], deadline: float, most: int | None = None) -> bytes:
    """All of a response.

    Raises `OverflowError` for more than `most` bytes (None: `LARGEST`), `TimeoutError` behind the `deadline`.
    """
    limit = LARGEST if most is None else most
    body = begun(parts, deadline, limit)
    if len(body) > limit:
        raise OverflowError
    return body
