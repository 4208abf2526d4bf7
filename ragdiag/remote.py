"""Endpoints that the user names: how their address may look, and where the key for them comes from."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ragdiag.errors import SpecError

__all__ = ["KEY", "api_key", "check_url"]

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the endpoint's key: the only place it is read from."""


def api_key() -> str:
    """The key; "none" where there is none: local servers ask for none, the client does."""
    return os.environ.get(KEY, "").strip() or "none"


def check_url(url: str, whose: str) -> None:
    """Raise `SpecError` unless `url` is that of an endpoint with nothing secret in it. The message does not repeat it."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise SpecError(f"{whose}: url must be that of an endpoint, such as http://localhost:8000/v1, with no key in it ({KEY})")
