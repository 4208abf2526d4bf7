"""A model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ragdiag.core.endpoints import Connection
from ragdiag.core.prompt import Prompt, Reply, content, settings

__all__ = ["Endpoint"]


class Endpoint:
    """The chat completions of `url` (``http://localhost:8000/v1``) by the model `name`, at temperature 0 unless it refuses that.

    How it is asked, and what is raised: see `endpoints.Connection`.
    """

    def __init__(self, url: str, name: str, max_tokens: int, timeout_s: float, retries: int) -> None:
        self.name, self._connection = name, Connection(url, "--live", timeout_s, retries)
        self._settings = settings(max_tokens)

    def seen(self, prompt: Prompt) -> str:
        """See `protocols.Model`."""
        return prompt.text

    def answer(self, prompt: Prompt) -> Reply:
        """See `protocols.Model`. Failures go by their kind: what an endpoint says may hold anything."""
        try:
            return content(json.loads(self._completion(prompt.text)))
        except Exception as e:  # whatever the library raises is a failed call, not a wrong answer
            return Reply(None, self._connection.kind_of(e))

    def close(self) -> None:
        """See `protocols.Model`."""
        self._connection.close()

    def _completion(self, text: str) -> bytes:
        """The body of the response; what the model says it cannot be told is left out, for all prompts from then on."""
        sent = self._settings
        while True:
            try:
                messages = [{"role": "user", "content": text}]
                return self._connection.body("chat.completions", {"model": self.name, "messages": messages, "extra_body": sent})
            except Exception as e:
                accepted = _accepted(sent, str(e)) if self._connection.is_refusal(e) else sent
                if accepted == sent:
                    raise
                self._settings = sent = accepted


def _accepted(sent: Mapping[str, int], refusal: str) -> dict[str, int]:
    """`sent` without what `refusal` names: reasoning models take no temperature, and know the limit by another name."""
    if "max_tokens" in sent and "max_completion_tokens" in refusal:
        return {k: v for k, v in sent.items() if k != "max_tokens"} | {"max_completion_tokens": sent["max_tokens"]}
    return {k: v for k, v in sent.items() if k != "temperature" or "temperature" not in refusal}
