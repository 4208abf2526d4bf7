"""A model behind an OpenAI-compatible endpoint, asked through the `openai` package."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from ragdiag.core.prompt import Prompt, Reply, content, settings
from ragdiag.core.registry import require
from ragdiag.core.remote import api_key, check_url

__all__ = ["Endpoint"]

LARGEST = 16 * 2**20
"""Bytes of a response that are read: no answer takes so many, and an endpoint may send them without an end."""


class Endpoint:
    """The chat completions of `url` (``http://localhost:8000/v1``) by the model `name`, at temperature 0 unless it refuses that.

    Answers that overload or errors of the server stand against are asked for `retries` times more, after as long as the server
    says. Redirects are not followed: they would take the prompts, perhaps the key, to where the user never sent them.
    Raises `SpecError` for a url with a key in it, `MissingExtra` without openai.
    """

    def __init__(self, url: str, name: str, max_tokens: int, timeout_s: float, retries: int) -> None:
        check_url(url, "--live")
        self.name, self._timeout_s = name, timeout_s
        self._openai, self._httpx = require("openai", "live"), require("httpx", "live")
        self._client = self._openai.OpenAI(
            base_url=url,
            api_key=api_key(),
            timeout=timeout_s,
            max_retries=retries,
            http_client=self._openai.DefaultHttpxClient(follow_redirects=False),
        )
        self._settings = settings(max_tokens)

    def seen(self, prompt: Prompt) -> str:
        """See `protocols.Model`."""
        return prompt.text

    def answer(self, prompt: Prompt) -> Reply:
        """See `protocols.Model`. Failures go by their kind: what an endpoint says may hold anything."""
        try:
            return content(json.loads(self._completion(prompt.text)))
        except (self._openai.APITimeoutError, self._httpx.TimeoutException, TimeoutError):
            return Reply(None, "timed out")
        except self._openai.APIStatusError as e:
            return Reply(None, f"status {e.status_code}")
        except (self._openai.APIConnectionError, self._httpx.TransportError):
            return Reply(None, "no connection")
        except OverflowError:
            return Reply(None, f"more than {LARGEST // 2**20} MB")
        except (ValueError, RecursionError):
            return Reply(None, "no JSON")
        except Exception as e:  # whatever else the library raises is a failed call, not a wrong answer
            return Reply(None, type(e).__name__)

    def close(self) -> None:
        """See `protocols.Model`."""
        self._client.close()

    def _completion(self, text: str) -> bytes:
        """The body of the response; what the model says it cannot be told is left out, for all prompts from then on."""
        create = self._client.chat.completions.with_streaming_response.create
        sent = self._settings
        while True:
            try:
                with create(model=self.name, messages=[{"role": "user", "content": text}], extra_body=sent) as response:
                    return _body(response.iter_bytes(), time.monotonic() + self._timeout_s)
            except self._openai.BadRequestError as e:
                accepted = _accepted(sent, str(e))
                if accepted == sent:
                    raise
                self._settings = sent = accepted


def _body(parts: Iterable[bytes], deadline: float) -> bytes:
    """All of a response. Raises `OverflowError` for more than `LARGEST` bytes, `TimeoutError` behind the `deadline`."""
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > LARGEST:
            raise OverflowError
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def _accepted(sent: dict[str, object], refusal: str) -> dict[str, object]:
    """`sent` without what `refusal` names: reasoning models take no temperature, and know the limit by another name."""
    if "max_tokens" in sent and "max_completion_tokens" in refusal:
        return {k: v for k, v in sent.items() if k != "max_tokens"} | {"max_completion_tokens": sent["max_tokens"]}
    return {k: v for k, v in sent.items() if k != "temperature" or "temperature" not in refusal}
