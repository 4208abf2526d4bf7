"""What loaders leave out of documents, by kind."""

from __future__ import annotations

from collections.abc import Mapping, Set

__all__ = ["KEPT_ON_REQUEST", "KINDS", "Keep"]

Keep = Set[str]
"""Kinds of `KEPT_ON_REQUEST` that stay in the text."""

KINDS: Mapping[str, str] = {
    "navigation": "menus, page headers and footers, cookie banners",
    "hidden": "what the page or the file hides and no reader reaches: deleted text, hidden text, closed templates",
    "notes": "reviewers' comments and annotations",
    "forms": "buttons, choices that are not chosen, and other parts of forms without a value",
    "images": "pictures without text",
    "unreadable": "objects and pages that could not be read, or hold no text",
    "limits": "what is beyond a bound of the loader or its library",
}
"""Each kind, and what it is."""

KEPT_ON_REQUEST = ("navigation", "hidden", "notes", "forms")
"""Kinds that have a text, which ``--keep`` leaves in."""
