"""Answers wrapped for a program: JSON is read by the key that holds the answer, a table by the row that is asked about."""

from __future__ import annotations

import json
import re

from ragdiag.answering.judges._text import content, words
from ragdiag.core.files import is_deep

KEYS = (
    "final_answer", "finalanswer", "answer", "short_answer", "final", "response", "result", "results", "output", "prediction",
    "completion", "antwort", "reponse", "respuesta", "value",
)  # fmt: skip
"""The keys of a JSON object under which the answer may stand, the surest first; of an object without one all values count."""

BESIDE = 80
"""Characters that may stand round a JSON object which is the answer."""

FENCE = re.compile(r"```\w*\s*\n?(.*?)```", re.DOTALL)
OPENS, CLOSES = re.compile(r"<(?:final_)?answer>", re.IGNORECASE), re.compile(r"</(?:final_)?answer>", re.IGNORECASE)
KEYED = re.compile(
    r"^[\s>*+•-]*(?:\d+[.)]\s+)?[*_`\"']{0,8}(?P<key>[^\W\d][\w ./'-]{0,40}?)[*_`\"']{0,8}\s*:[*_`\"']*\s*(?P<value>\S.{0,80})$"
)
RANK = re.compile(r"\W*(?:rank|place|position|#|no\.?|rang)\W*", re.IGNORECASE)
MOST = re.compile(
    r"\b(?:most|best|first|top|\w{3,}(?:gest|hest|test|dest|iest|nest|pest|rest|kest|mest|vest|west))\b", re.IGNORECASE
)
"""A question for the first of an order."""

RULER = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")


def unwrapped(question: str, text: str) -> str:
    """`text` as one would say it: the answer of a JSON object, the rows of a table as sentences; else `text` itself."""
    if (tagged := _tagged(text)) is not None:
        return tagged.strip()
    said = _from_json(question, text) if "{" in text or "[" in text else None
    if said is not None:
        return said
    return _tables_told(question, text) if "|" in text else _keyed_lines(question, text)


def _tagged(text: str) -> str | None:
    """What stands between an answer's tags; None where there are none. One search for both would start again at each tag."""
    opens = OPENS.search(text)
    closes = CLOSES.search(text, opens.end()) if opens else None
    return text[opens.end() : closes.start()] if opens and closes else None


def _keyed_lines(question: str, text: str) -> str:
    """`text`, of several lines ``key: value``, without those of other keys, where all that one key names is asked about."""
    lines = text.split("\n")
    keyed_ = {i: m for i, line in enumerate(lines) if (m := KEYED.match(line))}
    asked = set(content(question))
    meant = [i for i, m in keyed_.items() if _all_asked(m["key"], asked)]
    if len(keyed_) < 2 or len(meant) != 1 or re.search("[=≈]", text) or set(content(keyed_[meant[0]]["value"])) & asked:
        return text
    return "\n".join(line for i, line in enumerate(lines) if i in meant or i not in keyed_)


def _all_asked(key: str, asked: set[str]) -> bool:
    """Whether all that a key names is asked about."""
    named = set(content(key))
    return bool(named) and named <= asked


def keyed(question: str, text: str) -> str | None:
    """What answers in the JSON object that `text` consists of: what stands under its key, or the one that is asked about.

    None where it is no object, or has no such key.
    """
    value = _json(text) if "{" in text else None
    if not isinstance(value, dict):
        return None
    return _told(value) if _key(value) else _asked_for(question, value)


def _asked_for(question: str, value: dict[str, object]) -> str | None:
    """The text or number under the one key of which all is asked about; None where there is none, or several."""
    asked = set(content(question))
    meant = [key for key in value if _all_asked(key.replace("_", " "), asked)]
    held = value[meant[0]] if len(meant) == 1 else None
    return _told(held) if isinstance(held, (str, int, float)) else None


def _from_json(question: str, text: str) -> str | None:
    """What the JSON object or list that `text` consists of answers; None where it is none."""
    if (held := keyed(question, text)) is not None:
        return held
    value = _json(text)
    objects = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, (dict, str)) for v in value))
    return _told(value) if objects else None  # a bare [1] is a citation


def _json(text: str) -> object:
    """The JSON object or list that `text` consists of, but for a few words round it; None where it is none."""
    fenced = FENCE.search(text)
    found = _bracketed(fenced[1] if fenced else text)
    if not found or len(text) - len(found) > BESIDE:
        return None
    try:
        value: object = json.loads(found)
    except (ValueError, RecursionError):
        return None
    return None if is_deep(value, found) else value


def _bracketed(text: str) -> str:
    """From the first bracket that opens to the last that closes; "" where there are none in that order."""
    opens = re.search(r"[{\[]", text)
    end = max(text.rfind("}"), text.rfind("]")) + 1
    return text[opens.start() : end] if opens else ""


def _told(value: object) -> str:
    """A value in words: of an object its answer, else all that it holds."""
    if isinstance(value, dict):
        key = _key(value)
        return _told(value[key]) if key else " ".join(filter(None, map(_told, value.values())))
    if isinstance(value, list):
        return ", ".join(filter(None, map(_told, value)))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else str(value)


def _key(value: dict[str, object]) -> str:
    """The key that holds the answer; "" where none does."""
    by_name = {re.sub(r"[\s-]", "_", key.lower()): key for key in value}
    return next((by_name[key] for key in KEYS if key in by_name and (key != "value" or len(value) == 1)), "")


def _tables_told(question: str, text: str) -> str:
    """`text` with each of its Markdown tables told in sentences."""
    lines, told, at = text.split("\n"), [], 0
    while at < len(lines):
        if at + 1 < len(lines) and RULER.match(lines[at + 1]) and "|" in lines[at]:
            end = next((i for i in range(at + 2, len(lines)) if "|" not in lines[i][1:]), len(lines))
            told += _rows_told(question, [_cells(lines[i]) for i in (at, *range(at + 2, end))])
            at = end
        else:
            told.append(lines[at])
            at += 1
    return "\n".join(told)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _rows_told(question: str, rows: list[list[str]]) -> list[str]:
    """The rows that speak most of what `question` asks about, the cells of each that do so most; ``name: cell, cell``."""
    head, *body = rows
    if not body:
        return [", ".join(head)]
    asked, body = _words_and_years(question), _first_ranked(question, head, body)
    columns = [i for i in _best(asked, head) if i] or list(range(1, len(head)))
    chosen = [body[i] for i in _best(asked, [row[0] for row in body])]
    return [f"{row[0]}: {', '.join(row[i] for i in columns if i < len(row))}".rstrip(": ") for row in chosen]


def _first_ranked(question: str, head: list[str], body: list[list[str]]) -> list[list[str]]:
    """The rows of rank 1, where the question asks for the first of an order and a column tells ranks; else all."""
    ranks = next((i for i, name in enumerate(head) if RANK.fullmatch(name)), None)
    if ranks is None or not MOST.search(question):
        return body
    return [row for row in body if ranks < len(row) and row[ranks].strip("*. ") == "1"] or body


def _words_and_years(text: str) -> set[str]:
    return {*content(text), *(word.removeprefix("fy") for word in words(text) if word[-1].isdigit())}


def _best(asked: set[str], names: list[str]) -> list[int]:
    """The positions of `names` that share the most words with what was asked; all where none shares any."""
    shared = [len(asked & _words_and_years(name)) for name in names]
    return [i for i, n in enumerate(shared) if n == max(shared)]
