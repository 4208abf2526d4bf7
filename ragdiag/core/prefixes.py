"""Ids as people type them: whole, or by as many of their first characters as only one has."""

from __future__ import annotations

from collections.abc import Collection

from ragdiag.core.errors import UsageError

__all__ = ["SHOWN", "begun"]

SHOWN = 8
"""Ids named of those that a prefix may mean."""


def begun(given: str, known: Collection[str], what: str) -> str | None:
    """The one of `known` that is `given`, else the only one that begins with it; None where none does, as with no characters.

    Raises `UsageError` where several begin so, which are `what`, such as "queries".
    """
    if given in known:
        return given
    found = sorted({name for name in known if name.startswith(given)}) if given else []
    if len(found) > 1:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UsageError(f"{given!r} begins the ids of {len(found)} {what}: {', '.join(found[:SHOWN])}{more}; type more of one")
    return found[0] if found else None
