"""Answers wrapped for a program: JSON is read by the key that holds the answer, a table by the row that is asked about."""

from __future__ import annotations

import json
import re

from ragdiag.answering.judges._text import content, words

KEYS = (
    "final_answer", "finalanswer", "answer", "short_answer", "final", "response", "result", "results", "output", "prediction",
    "completion", "antwort", "reponse", "respuesta", "value",
)  # fmt: skip
"""The keys of a JSON object under which the answer may stand, the surest first; of an object without one all values count."""

BESIDE = 80
"""Characters that may stand round a JSON object which is the answer."""

FENCE = re.compile(r"```\w*\s*\n?(.*?)```", re.DOTALL)
OBJECT = re.compile(r"[{\[].*[}\]]", re.DOTALL)
ROW = re.compile(r"^\s*\|?(.+?\|.*?)\|?\s*$")
KEYED = re.compile(
    r"^[\s>*+•-]*(?:\d+[.)]\s+)?[*_`\"']*(?P<key>[^\W\d][\w ./'-]{0,40}?)[*_`\"']*\s*:[*_`\"']*\s*(?P<value>\S.{0,80})$"
)
RANK = re.compile(r"\W*(?:rank|place|position|#|no\.?|rang)\W*", re.IGNORECASE)
MOST = re.compile(
    r"\b(?:most|best|first|top|\w{3,}(?:gest|hest|test|dest|iest|nest|pest|rest|kest|mest|vest|west))\b", re.IGNORECASE
)
"""A question for the first of an order."""

RULER = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")


def unwrapped(question: str, text: str) -> str:
    """`text` as one would say it: the answer of a JSON object, the rows of a table as sentences; else `text` itself."""
    said = _from_json(text) if "{" in text or "[" in text else None
    if said is not None:
        return said
    return _tables_told(question, text) if "|" in text else _keyed_lines(question, text)


def _keyed_lines(question: str, text: str) -> str:
    """`text`, of several lines ``key: value``, without those of other keys, where all that one key names is asked about."""
    lines = text.split("\n")
    keyed_ = {i: m for i, line in enumerate(lines) if (m := KEYED.match(line))}
    if len(keyed_) < 2:
        return text
    asked = set(content(question))
    meant = {i for i, m in keyed_.items() if (key := set(content(m["key"]))) and key <= asked}
    told = set(content(" ".join(keyed_[i]["value"] for i in meant)))
    if len(meant) != 1 or told & asked or re.search("[=≈]", text):
        return text
    return "\n".join(line for i, line in enumerate(lines) if i in meant or i not in keyed_)


def keyed(text: str) -> str | None:
    """What stands under the answer's key of the JSON object that `text` consists of; None where it is none, or has none."""
    value = _json(text) if "{" in text else None
    return _told(value) if isinstance(value, dict) and _key(value) else None


def _from_json(text: str) -> str | None:
    """What the JSON object or list that `text` consists of answers; None where it is none."""
    value = _json(text)
    objects = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, (dict, str)) for v in value))
    return _told(value) if objects else None  # a bare [1] is a citation


def _json(text: str) -> object:
    """The JSON object or list that `text` consists of, but for a few words round it; None where it is none."""
    fenced = FENCE.search(text)
    found = OBJECT.search(fenced[1] if fenced else text)
    if not found or len(text) - len(found[0]) > BESIDE:
        return None
    try:
        value: object = json.loads(found[0])
    except (ValueError, RecursionError):
        return None
    return value


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
            end = next((i for i in range(at + 2, len(lines)) if not ROW.match(lines[i])), len(lines))
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
    asked = {*content(question), *(word.removeprefix("fy") for word in words(question) if word[-1].isdigit())}
    ranks = next((i for i, name in enumerate(head) if RANK.fullmatch(name)), None)
    if ranks is not None and MOST.search(question):
        body = [row for row in body if ranks < len(row) and row[ranks].strip("*. ") == "1"] or body
    columns = [i for i in _best(asked, head) if i] or list(range(1, len(head)))
    chosen = [body[i] for i in _best(asked, [row[0] for row in body])]
    return [f"{row[0]}: {', '.join(row[i] for i in columns if i < len(row))}".rstrip(": ") for row in chosen]


def _best(asked: set[str], names: list[str]) -> list[int]:
    """The positions of `names` that share the most words with what was asked; all where none shares any."""
    shared = [len(asked & {*content(n), *(w.removeprefix("fy") for w in words(n) if w[-1].isdigit())}) for n in names]
    return [i for i, n in enumerate(shared) if n == max(shared)]
