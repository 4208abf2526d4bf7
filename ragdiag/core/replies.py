"""What counts as a reply: one of any other size or letters is a failed attempt, wherever it came from."""

from __future__ import annotations

from ragdiag.core.prompt import Reply

__all__ = ["LONGEST", "TOO_LONG", "kept"]

LONGEST = 1_000_000
"""Characters of an answer: whatever gives more is no answer to a question, and a record of such could not be read again."""

TOO_LONG = f"more than {LONGEST:,} characters"


def kept(reply: Reply) -> Reply:
    """A reply as a record can keep it: one that none could hold is a failure."""
    text = reply.answer or ""
    if len(text) > LONGEST:
        return Reply(None, TOO_LONG)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        return Reply(None, "no Unicode")
    return reply
