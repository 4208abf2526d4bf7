"""What a parameter `model` names: the one place that decides which encoder that is."""

from __future__ import annotations

from typing import Final

from ragdiag.core.errors import SpecError
from ragdiag.core.remote import form_of_model
from ragdiag.search.callables import FunctionEncoder
from ragdiag.search.encoder import Encoder
from ragdiag.search.endpoint import EndpointEncoder
from ragdiag.search.query_vectors import QueryVectors

__all__ = ["AnyEncoder", "encoder_of_model"]

AnyEncoder = Encoder | FunctionEncoder | EndpointEncoder | QueryVectors
"""What a parameter `model` may name."""

OTHERS: Final[dict[str, tuple[type[FunctionEncoder | EndpointEncoder | QueryVectors], str]]] = {
    "endpoint": (EndpointEncoder, "is behind an endpoint"),
    "function": (FunctionEncoder, "is a function"),
    "vectors": (QueryVectors, "is a file of vectors"),
}
"""By its form, what is no model's files, and what it is called."""


def encoder_of_model(model: str, precision: str = "auto", instead: str = "choose bm25 or lsa") -> AnyEncoder:
    """What a parameter `model` names, see `remote.form_of_model`; files as `Encoder`.

    Raises `SpecError` for an address that is none, a file that is not there, and a precision of what has one of its own.
    """
    form = form_of_model(model)
    if form == "files":
        return Encoder(model, precision, instead)
    kind, says = OTHERS[form]
    made = kind(model)
    if precision != "auto":
        raise SpecError(f"model {model!r} {says}, which has a precision of its own: leave precision={precision} out")
    return made
