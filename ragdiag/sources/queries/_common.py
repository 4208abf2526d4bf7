"""What several readers share: a look at a file's content, optional fields, ids, and line numbers inside one JSON value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, parse_json, read_jsonl, read_text
from ragdiag.sources.queries._layouts import rows

__all__ = [
    "Kinds",
    "Sample",
    "grade",
    "identifier",
    "key_lines",
    "naming",
    "optional",
    "others",
    "references",
    "sample",
    "samples",
]

Kinds = type | tuple[type, ...]


class Sample(NamedTuple):
    """A file as detection sees it. `first` is its first JSON value: all of it where `whole`, else that of JSON Lines."""

    path: Path
    qrels: Path | None
    text: str
    first: object
    whole: bool = False

    @property
    def record(self) -> Mapping[str, object]:
        """The first record; empty where there is none."""
        records = rows(self.first)
        first = self.first if records is None else next(iter(records), None)
        return first if isinstance(first, dict) else {}


def sample(path: Path, qrels: Path | None) -> Sample:
    """Look into `path`. Raises `InputError` for a file that starts like JSON and is not."""
    text = read_text(path)
    return Sample(path, qrels, text, *_first_json(path, text))


def _first_json(path: Path, text: str) -> tuple[object, bool]:
    if text.lstrip()[:1] not in ("{", "["):
        return None, False
    number, line = next((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    alone = line.strip() == text.strip()
    broken = not alone and not _is_json(line)
    if broken and _is_json(text):
        return parse_json(text, path), True
    if broken and _spans_lines(text):
        raise InputError("its records take several lines each", path, number, "write each on one line: jq -c . FILE")
    if broken and path.suffix.lower() not in (".jsonl", ".ndjson"):
        return parse_json(text, path), True
    return parse_json(line, path, number), alone


def _spans_lines(text: str) -> bool:
    """Whether a text begins with a JSON value that takes several lines."""
    text = text.lstrip()
    try:
        return "\n" in text[: json.JSONDecoder().raw_decode(text)[1]]
    except (ValueError, RecursionError):
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def samples(path: Path, keys: tuple[str, ...]) -> Iterator[tuple[int, object]]:
    """Line and content of each record: of JSON Lines, or of one JSON value that holds them, see `rows`.

    There the line is that of the record's key, one of `keys`; see `key_lines`.
    """
    file = sample(path, None)
    records = rows(file.first)
    if records is None and not file.whole:
        return read_jsonl(path)
    records = [file.first] if records is None else records
    return zip(key_lines(file.text, keys, len(records)), records, strict=True)


def grade(value: object, path: Path, line: int) -> int:
    """A grade of relevance: a whole number, also as pandas and numpy write one (``2.0``). Raises `InputError` for any other."""
    whole = re.fullmatch(r"([+-]?[0-9]{1,9})(?:\.0*)?", str(value))
    if whole and not isinstance(value, bool):
        return int(whole[1])
    if re.fullmatch(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", str(value)) and not isinstance(value, bool):
        remedy = "say from where on a document is relevant, and write 1 and 0; or scale all grades to whole numbers"
        raise InputError(f"grade {value} is no whole number up to 9 digits, and a grade counts steps", path, line, remedy)
    raise InputError(f"grade {value!r} is not an integer", path, line, "write a small one: 0, 1, 2 ...")


def optional(record: dict[str, object], name: str, kind: Kinds, path: Path, line: int, default: object) -> Any:
    """The field `name`, checked as `files.field` does; `default` where it is absent or null."""
    return default if record.get(name) is None else field(record, (name,), kind, path, line)


def identifier(record: dict[str, object], names: tuple[str, ...], path: Path, line: int) -> str:
    """The first of `names` that `record` has, an id: text, or an integer as text. Raises `InputError` where it is empty."""
    value = str(field(record, names, (str, int), path, line))
    if not value:
        raise InputError(f"{next(n for n in names if n in record)!r} is empty", path, line, "give it an id")
    return value


def others(record: Mapping[str, object], known: tuple[str, ...]) -> dict[str, object]:
    """The fields of `record` that no reader knows and that hold something: kept as metadata."""
    return {name: value for name, value in record.items() if name not in known and value is not None}


PARTS = ("value", "aliases", "humananswers", "text", "answer", "answers")
"""Where an object holds answers, in small letters without ``_``: TriviaQA's, SQuAD's rows, KILT's."""

SIMPLIFIED = "normalizedaliases"
"""TriviaQA's aliases once more, without capitals and marks: they count where they add one."""


class References(TypedDict):
    """The reference answers of a query, as its fields hold them."""

    answer: str
    also: tuple[str, ...]


def references(record: Mapping[str, object], names: Sequence[str], path: Path, line: int) -> References:
    """The reference answers under `names`, each once, as the fields `answer` and `also` of a `Query`.

    Each is a text or a number, a list of them, or an object that holds them as TriviaQA's does. Raises `InputError` for what is
    none of these, and for a blank one in a list.
    """
    texts = [text for name in names for text in texts_of(record, name, path, line)]
    first, *also = dict.fromkeys(texts) or [""]
    return {"answer": first, "also": tuple(also)}


def texts_of(record: Mapping[str, object], name: str, path: Path, line: int) -> list[str]:
    """The answers under one name, none where a record lacks it. Raises as `references`."""
    return [] if record.get(name) is None else _texts(record[name], name, path, line)


def _texts(value: object, name: str, path: Path, line: int) -> list[str]:
    if isinstance(value, list):
        texts = [text for item in value for text in _texts(item, name, path, line)]
        if not all(text.strip() for text in texts):
            raise InputError(f"{name!r} holds an empty text", path, line, "leave it out")
        return texts
    if isinstance(value, dict):
        return _of_object(value, name, path, line)
    return [str(field({name: value}, (name,), (str, int, float), path, line))]


def _of_object(value: dict[str, object], name: str, path: Path, line: int) -> list[str]:
    parts = {key.replace("_", "").lower(): part for key, part in value.items() if part is not None}
    texts = [text for part in PARTS if part in parts for text in _texts(parts[part], name, path, line)]
    if not parts.keys() & {*PARTS, SIMPLIFIED}:
        raise InputError(
            f"{name!r} is an object without 'value', 'aliases' or 'text'", path, line, "write a text or a list of them"
        )
    known = {_simple(text) for text in texts}
    return texts + [t for t in _texts(parts.get(SIMPLIFIED, []), name, path, line) if _simple(t) not in known]


def _simple(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", text.lower()))


def key_lines(text: str, names: tuple[str, ...], count: int) -> list[int]:
    """The lines where the keys `names` stand in a JSON text: `count` of them, or 1 for each where the text has more or fewer.

    A quotation mark inside a JSON string follows a backslash, so a match can only be a key.
    """
    places = [m.start() for m in re.finditer(rf'(?<!\\)"(?:{"|".join(names)})"\s*:', text)]
    if len(places) != count:
        return [1] * count
    lines, line, before = [], 1, 0
    for place in places:
        line += text.count("\n", before, place)
        lines.append(line)
        before = place
    return lines


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Put `where` (``data[0].paragraphs[2]``) before the message of an `InputError`: in one long line, its number says little."""
    try:
        yield
    except InputError as e:
        raise InputError(f"{where}: {e.message}", e.file, e.line, e.remedy) from e
