"""The batch formats of OpenAI and Anthropic: prompts out, replies in, and the id that leads from a reply to what was asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.conditions import CONDITIONS
from ragdiag.core.errors import InputError
from ragdiag.core.files import field
from ragdiag.core.prompt import MOST_TOKENS, Prompt, Reply, content, custom_id, read_custom_id, settings

__all__ = ["BATCHES", "batch_lines", "hashed", "is_batch", "message_id", "read_batch", "read_message_id"]

BATCHES = ("openai", "anthropic")
"""The formats, by the names of their makers."""

LONGEST_ID = 64
"""Characters of an id in Anthropic's format, which may be letters, digits, ``_`` and ``-``."""

OUTCOMES = ("succeeded", "errored", "canceled", "expired")
"""What can become of a request to Anthropic."""

_ASKED = re.compile(rf"({'|'.join(CONDITIONS)})-[1-9]\d*-(.+)", re.ASCII)
_ESCAPED = re.compile(r"(?:[A-Za-z0-9-]|__|_[0-9a-f]{2})+|_-[0-9a-f]{32}")
_LONG = "_-"
"""What the name of a query starts with that is too long to stand in an id: no letter is escaped so."""


class Replied(NamedTuple):
    """One line of a batch's output: under which condition ("": not said), to which query, and what came of it."""

    condition: str
    query_id: str
    reply: Reply


def batch_lines(form: str, prompts: Iterable[Prompt], repeats: int, model: str) -> Iterator[dict[str, object]]:
    """The input of a batch that puts every prompt to a model, `repeats` times; `form` is one of `BATCHES`."""
    for prompt in prompts:
        for repeat in range(1, repeats + 1):
            asked = {"model": model, "messages": [{"role": "user", "content": prompt.text}], **settings(MOST_TOKENS)}
            if form == "openai":
                url = "/v1/chat/completions"
                yield {"custom_id": custom_id(prompt, repeat), "method": "POST", "url": url, "body": asked}
            else:
                yield {"custom_id": message_id(prompt, repeat), "params": asked}


def message_id(prompt: Prompt, repeat: int) -> str:
    """``oracle-1-q7``, unique, in the letters and the length that Anthropic's format has: see `_named` for the query's part."""
    start = f"{prompt.condition}-{repeat}-"
    return start + _named(prompt.query_id, LONGEST_ID - len(start))


def _named(query_id: str, room: int) -> str:
    """A query's id in the letters of Anthropic's ids: ``_`` doubled, any other letter as ``_`` and two digits for each byte.

    One that takes more than `room` characters is a hash, of which only the queries themselves tell what it stands for.
    """
    escaped = re.sub(r"[^A-Za-z0-9-]", lambda m: "__" if m[0] == "_" else _bytes(m[0]), query_id)
    return escaped if len(escaped) <= room else hashed(query_id)


def hashed(query_id: str) -> str:
    """The short name of a query whose id is too long."""
    return _LONG + hashlib.blake2b(query_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _bytes(letter: str) -> str:
    return "".join(f"_{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def _read_name(name: str) -> str:
    """The query's id that `_named` wrote; of a hash, the hash."""
    if name.startswith(_LONG):
        return name
    plain = re.sub(rb"_(_|[0-9a-f]{2})", lambda m: b"_" if m[1] == b"_" else bytes.fromhex(m[1].decode()), name.encode())
    return plain.decode("utf-8", "surrogatepass")


def read_message_id(name: str) -> tuple[str, str]:
    """Condition and query id of what `message_id` wrote; of another's id, "" and that id."""
    match = _ASKED.fullmatch(name)
    if match is None or not _ESCAPED.fullmatch(match[2]):
        return "", name
    try:
        return match[1], _read_name(match[2])
    except UnicodeDecodeError:
        return "", name


def is_batch(record: Mapping[str, object]) -> bool:
    """Whether a line is of a batch, whosever."""
    return "custom_id" in record and "query_id" not in record


def read_batch(record: Mapping[str, object], path: Path, line: int) -> Replied:
    """A line of a batch's output: what is no success, and a success without text, is a failed attempt.

    Raises `InputError` for a line that is no output of either.
    """
    name = field(record, ("custom_id",), str, path, line)
    if "result" in record or "params" in record:
        return Replied(*read_message_id(name), _message(_there(record, "result", "params", path, line), path, line))
    response = _there(record, "response", "body", path, line)
    answered = response is not None and record.get("error") is None and response.get("status_code") == 200
    reply = content(response.get("body")) if response is not None and answered else Reply(None, "no answer")
    return Replied(*read_custom_id(name), reply)


def _there(record: Mapping[str, object], what: str, of_input: str, path: Path, line: int) -> Mapping[str, object] | None:
    """The object that a line of output has, None where it is null; `of_input`: a field that only the input has."""
    if what not in record:
        remedy = "give the batch's output; this looks like its input" if of_input in record else "add it"
        raise InputError(f"field {what!r} is missing", path, line, remedy)
    there: Mapping[str, object] | None = None if record[what] is None else field(record, (what,), dict, path, line)
    return there


def _message(result: Mapping[str, object] | None, path: Path, line: int) -> Reply:
    """The reply in a result of Anthropic's: the texts of its message, one behind the other."""
    outcome = None if result is None else result.get("type")
    if result is None or outcome not in OUTCOMES:
        raise InputError(f"'type' of the result must be one of {', '.join(OUTCOMES)}, not {outcome!r}", path, line)
    message = result.get("message")
    if outcome != "succeeded" or not isinstance(message, dict):
        return Reply(None, str(outcome) if outcome != "succeeded" else "no answer")
    blocks = message.get("content")
    text = "".join(b["text"] for b in blocks if _is_text(b)) if isinstance(blocks, list) else ""
    return Reply(text, "", message.get("stop_reason") == "max_tokens") if text.strip() else Reply(None, "no answer")


def _is_text(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
