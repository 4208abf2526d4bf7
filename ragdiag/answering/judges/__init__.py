"""Judges: is this answer right, given the reference answer? One file each."""

from ragdiag.answering.judges import _text, _wrapped
from ragdiag.answering.judges._figures import other_figures, stands_in
from ragdiag.answering.judges._plain import unthought

__all__ = ["keyed", "other_figures", "refuses", "stands_in", "unthought"]


def keyed(question: str, text: str) -> str | None:
    """What answers where `text`, without what a model thinks, is a JSON object with a key for it; else None."""
    return _wrapped.keyed(question, unthought(text))


def refuses(text: str) -> bool:
    """Whether `text`, without what a model thinks before it answers, says that it does not answer."""
    return _text.refuses(unthought(text))
