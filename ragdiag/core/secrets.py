"""What of a message is nobody's business: the keys that are sent, which a server may repeat, and passwords in an address."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import traceback
from collections.abc import Iterator
from urllib.parse import quote

__all__ = ["as_cause", "without_secrets"]

SENT = (
    "OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "RERANK_API_KEY",
    "QDRANT_API_KEY", "MILVUS_TOKEN", "CHROMA_CLIENT_AUTH_CREDENTIALS", "PGPASSWORD",
    "ELASTICSEARCH_API_KEY", "ELASTICSEARCH_PASSWORD",
)  # fmt: skip
"""Environment variables whose values go to a server that you named."""

USER_OF = {"ELASTICSEARCH_PASSWORD": "ELASTICSEARCH_USER"}
"""Whom a password is sent with, as one text."""

HEADERS = "OPENAI_CUSTOM_HEADERS"
SHORTEST = 4
"""Characters of what is blanked: less is in any text, and no secret."""

IN_ADDRESS = re.compile(r"((?<![a-zA-Z0-9])[a-zA-Z][a-zA-Z0-9+.-]{0,20}:/{1,3}|https?:|//)\S{1,300}@")
"""Also of an address that is mistyped; all up to the last @, as a password may hold anything."""

BLANK = "***"


def without_secrets(text: str) -> str:
    """`text` with neither a secret of the environment, as it is or as such are sent, nor what stands before an address's @."""
    for secret in sorted(set(_secrets()), key=len, reverse=True):  # the longest first: another may be within it
        text = text.replace(secret, BLANK)
    return IN_ADDRESS.sub(lambda found: f"{found[1]}{BLANK}@", text) if "@" in text else text


def as_cause(error: Exception) -> Exception | None:
    """`error` as the cause of another; None where it, or what it came of, holds a secret: a traceback shows all of a cause."""
    shown = "".join(traceback.format_exception(error))
    return error if without_secrets(shown) == shown else None


def _secrets() -> Iterator[str]:
    for value in _values():
        for form in (value, *_encoded(value)):
            for written in (form, quote(form), quote(form, safe=""), json.dumps(form)[1:-1], repr(form)[1:-1]):
                if len(written) >= SHORTEST:
                    yield written


def _values() -> Iterator[str]:
    for name in SENT:
        if value := os.environ.get(name, "").strip():
            yield value
            user = os.environ.get(USER_OF.get(name, ""), "").strip()
            yield from [f"{user}:{value}"] if user else value.partition(":")[2:]
    for line in os.environ.get(HEADERS, "").splitlines():
        yield line.partition(":")[2].strip()


def _encoded(value: str) -> Iterator[str]:
    """A user and a password go out as base64; a key may be such a text itself."""
    yield base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
    try:
        within = base64.b64decode(value, validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        return
    yield from (within, within.partition(":")[2])
