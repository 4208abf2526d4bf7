"""Front matter: the fields between ``---`` (YAML) or ``+++`` (TOML) at the start of a Markdown document.

It is read where it stands and stays in the text: to take it out would shift every label of the document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["FRONT_MATTER", "front_matter"]

FRONT_MATTER = re.compile(
    r"(---|\+\+\+)[ \t]*\r?\n(?=#|\[|[\w\"'][^\n:=]*[:=]).*?^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)

_FIELD = re.compile(r"^[\"']?(\w(?:[\w .\-]*[\w.\-])?)[\"']?[ \t]*:[ \t]+([^ \t\r\n].*)$", re.MULTILINE)
"""A field of YAML that is one plain value on its line; nested ones and lists are not read."""

_COMMENT = re.compile(r"(?<!\s)\s+#.*$")


def front_matter(text: str) -> Mapping[str, Any]:
    """The fields of a document's front matter; nothing where it has none, or where it is broken TOML."""
    match = FRONT_MATTER.match(text) if text.startswith(("---", "+++")) else None
    if match is None:
        return {}
    inside = text[len(match[1]) : match.end()].rpartition("\n")[0]
    if match[1] == "---":
        return {name: _plain(value.rstrip(" \t\r")) for name, value in _FIELD.findall(inside)}
    try:
        fields = tomllib.loads(inside.replace("\r\n", "\n"))
    except (ValueError, RecursionError):  # numbers of thousands of digits and lists in lists are no errors of TOML
        return {}
    return {name: value for name, value in fields.items() if _can_be_written(value)}


def _can_be_written(value: object) -> bool:
    """Whether Python writes a value as text, which it does of no number of thousands of digits."""
    try:
        str(value)
    except (ValueError, RecursionError):
        return False
    return True


def _plain(value: str) -> str:
    quoted = re.fullmatch(r"([\"'])(.*)\1(?:\s+#.*)?", value)
    return quoted[2] if quoted else _COMMENT.sub("", value)
