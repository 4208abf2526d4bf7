"""How else a question may be put, as the record of a query says it: in full, in other words, in other languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["PHRASINGS", "earlier_turns", "in_full", "paraphrases", "translations", "wrong_phrasing"]

PHRASINGS: Mapping[str, str] = {
    "history": 'a list of earlier turns, texts or {"role", "content"}, the oldest first',
    "rewrite": "a text: the question in full, for whoever does not know the turns before",
    "paraphrases": "a list of texts: the question in other words",
    "translations": "a text, a list of texts, or an object of texts by language",
}
"""The fields that say it, and what each holds."""


def wrong_phrasing(record: Mapping[str, object]) -> str:
    """The first field of `PHRASINGS` in a record that holds something else; "" where all are as they should be."""
    for name in PHRASINGS:
        if record.get(name) is not None and not _fits(name, record[name]):
            return name
    return ""


def _fits(name: str, value: object) -> bool:
    """Whether a field holds what `PHRASINGS` says; where it takes texts, one alone will do."""
    if name == "rewrite" or (name != "history" and isinstance(value, str)):
        return isinstance(value, str)
    if name == "translations" and isinstance(value, dict):
        value = [*value.values()]
    return isinstance(value, list) and all(isinstance(_content(item) if name == "history" else item, str) for item in value)


def _content(turn: object) -> str | None:
    """What is said in a turn, a text or ``{"role", "content"}``; None for anything else."""
    content = turn.get("content") if isinstance(turn, dict) else turn
    return content if isinstance(content, str) else None


def _read(metadata: Mapping[str, Any], name: str) -> Any:
    """A field of `PHRASINGS`; None where metadata hold something else under its name."""
    value = metadata.get(name)
    return value if value is not None and _fits(name, value) else None


def earlier_turns(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What was said before the question, the oldest first."""
    turns = _read(metadata, "history") or ()
    return tuple(text for turn in turns if (text := _content(turn) or "").strip())


def in_full(metadata: Mapping[str, Any]) -> str:
    """The question in full; "" where the record does not give it."""
    text: str = _read(metadata, "rewrite") or ""
    return text.strip()


def paraphrases(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The question in other words."""
    return tuple(_texts(_read(metadata, "paraphrases")))


def translations(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The question in other languages."""
    return tuple(_texts(_read(metadata, "translations")))


def _texts(value: str | list[str] | dict[str, str] | None) -> Iterator[str]:
    texts = [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else value or ()
    yield from (text for text in texts if text.strip())
