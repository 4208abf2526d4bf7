"""What leads to other machines, or to code: how an address may look, where the key comes from, which parameters name such."""

from __future__ import annotations

import dataclasses
import os
import typing
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ragdiag.core.errors import SpecError
from ragdiag.core.functions import names_function

__all__ = [
    "FETCHED",
    "KEY",
    "LOCAL",
    "RERANK_KEY",
    "ModelForm",
    "api_key",
    "check_url",
    "endpoint_of",
    "form_of_model",
    "is_here",
    "is_text",
    "names_endpoint",
    "remote_part",
]

LOCAL = {"collection", "field", "id", "index", "path", "table", "text", "texts", "vector", "where"}
"""Parameters of strategies whose text names something on this machine, or within a store that another parameter names."""

FETCHED = {"model", "unit"}
"""Parameters whose text names something on this machine where that exists, and else something that is fetched."""

KEY = "OPENAI_API_KEY"
"""The environment variable that holds the endpoint's key; the key is read from nowhere else."""

RERANK_KEY = "RERANK_API_KEY"
"""The same for a re-ranker's endpoint, which is another vendor's as a rule: that one is never sent the other key."""

ModelForm = Literal["endpoint", "function", "vectors", "files"]
"""What a parameter `model` may name: an endpoint, a function, a file of vectors, or a model's files, here or on the hub."""


def form_of_model(model: str) -> ModelForm:
    """What a parameter `model` names, by its form alone: ``http://host/v1#name``, ``module:function``, ``queries.jsonl``.

    What happens to exist on this machine makes it nothing else.
    """
    if names_endpoint(model):
        return "endpoint"
    if names_function(model):
        return "function"
    return "vectors" if model.endswith(".jsonl") else "files"


def names_endpoint(target: str) -> bool:
    """Whether `target` is the address of an endpoint."""
    return target.partition("://")[0].lower() in ("http", "https")


def endpoint_of(model: str, unnamed: bool = False, key: str = KEY) -> tuple[str, str]:
    """The address and the name in ``http://localhost:8000/v1#name``; `unnamed`: it may do without a name, which is "" then.

    Raises `SpecError`, which repeats nothing of it; `key` is the variable that holds the endpoint's key.
    """
    url, hash_sign, name = model.partition("#")
    check_url(url, "model", key)
    if unnamed and not hash_sign:
        return url, ""
    if not name or not name.isprintable() or " " in name:
        raise SpecError('model: an endpoint needs the name of its model behind a #, such as "http://localhost:8000/v1#bge-m3"')
    return url, name


def api_key(key: str = KEY) -> str:
    """What the variable `key` holds; "none" for nothing: a local server needs no key, but the client library insists on one."""
    return os.environ.get(key, "").strip() or "none"


def check_url(url: str, whose: str, key: str = KEY) -> None:
    """Raise `SpecError` unless `url` is that of an endpoint with nothing secret in it. The message does not repeat it."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise SpecError(f"{whose}: url must be that of an endpoint, such as http://localhost:8000/v1, with no key in it ({key})")


def remote_part(strategy: Any) -> str:
    """The first parameter of a strategy, or of one within it, as ``name='text'``, that may lead elsewhere or run code; else "".

    A text whose parameter is not known to name a thing of this machine may lead anywhere; a strategy that `connects` does so by
    what its environment says. Raises `SpecError` for an address with a key in it.
    """
    if getattr(strategy, "connects", False):
        first = dataclasses.fields(strategy)[0].name
        return f"{first}={getattr(strategy, first)!r}"
    for field in dataclasses.fields(strategy):
        value = getattr(strategy, field.name)
        nested = [item for item in (value if isinstance(value, tuple) else (value,)) if dataclasses.is_dataclass(item)]
        if part := next(filter(None, map(remote_part, nested)), ""):
            return part
        if is_text(type(strategy), field.name) and value and value != field.default and not _known_here(field.name, value):
            return f"{field.name}={value!r}"
    return ""


def is_text(strategy: type, parameter: str) -> bool:
    """Whether a parameter takes any text, rather than one of a few words."""
    hint = typing.get_type_hints(strategy)[parameter]
    return str in (hint, *typing.get_args(hint))


def is_here(name: str) -> bool:
    """Whether a model's or a tokenizer's name means something on this machine, so that nothing of that name is ever fetched."""
    return name.startswith((".", "/", "~")) or Path(name).exists()


def _known_here(parameter: str, value: str) -> bool:
    """Whether the value of a parameter is known to name something on this machine, and no code that would be run."""
    form = form_of_model(value) if parameter == "model" else "files"
    if form == "endpoint":
        endpoint_of(value, unnamed=True)  # what is said of it is not to hold a key
    if form in ("endpoint", "function"):
        return False
    if parameter not in FETCHED:
        return parameter in LOCAL
    return is_here(value) or (parameter == "unit" and value in ("tokens", "characters"))
