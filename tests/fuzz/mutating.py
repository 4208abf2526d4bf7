"""Inputs made worse: bytes flipped, cut and spliced, words of formats put in, values of JSON exchanged for others."""

import copy
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")

WORDS = (
    *(bytes([n]) for n in (0, 9, 10, 12, 13, 32, 34, 38, 39, 60, 62, 92, 96, 127, 255)),
    *(c.encode() for c in "\u2028\x85\u200b\u202e\ufeff\u0130ßﬁ½²٣日"),
    *(b"\r\n", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "e\u0301".encode(), "\U0001f469\u200d\U0001f4bb".encode()),
    *rb"\ud800 \u0000 NaN -Infinity 1e999 -0 0x10 1_000 null true [] {} &#0; &#x110000; <!-- --> <![CDATA[ ]]> <? ?>".split(),
    *b"../canary.txt /etc/hostname file:///etc/hostname http://127.0.0.1:9/pwned C:/x ~ * **/ [! ( {{ }} %s ${x} \x1b[2J".split(),
    *b"---\n|+++\n|# |```\n|===\n|1. |- |> |Q: |A: |?\n|. |%|__class__".split(b"|"),
    *(b"| a | b |\n", b"|---|\n", b"__import__('os').system('touch PWNED')", b"!!python/object/apply:os.system [touch PWNED]"),
    *b"2024-13-45 31.02.2024 9999-99-99 12:61 v1.2.3.4 $5 1,234,567.89 1.000,5 5km half-a-dozen".split(),
)
"""What formats, and what reads them, have special cases for."""

NUMBERS = (
    *"0 -1 1 2 255 65536 2147483647 4294967296 9223372036854775808 9007199254740993 1e308 1e999 0.1 -0.0 1e-400".split(),
    *("1" + "0" * 30, "9" * 400, "9" * 5000),
)

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400, -(10**400)),
    *(1e308, float("nan"), float("inf"), "", " ", "\0", "a", "\ud800", "\ufeffa", "\u2028", "1", "NaN", "null", "\x1b[31m"),
    *(
        "../canary.txt",
        "http://127.0.0.1:9/",
        "[1]",
        '{"a": 1}',
        "x" * 300,
        "2024-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
    ),
    *([], {}, [[]], [None], [1, "a"], ["a", "a"], {"": ""}, {"a": {"a": {}}}),
)

DEPTHS = (30, 150, 195, 205, 480, 900, 940, 960, 980, 990, 2000, 100_000)
"""How deep what nests is nested: under and over what Python's recursion takes."""

DEEP = "\ue000deep\ue000"
"""Stands in a JSON value for what nests deep, which `json` would not write."""

KEYS = "_id text evidence doc_id start end grade answer metadata query_id id file error rank score".split()


class Mutator:
    """Makes inputs of known ones, the same for the same random numbers; what is `known` may grow."""

    def __init__(self, known: Sequence[bytes], words: Sequence[bytes] = ()) -> None:
        self.known = list(known)
        self._words = (*WORDS, *words)

    def made(self, rng: random.Random, most: int = 100_000) -> bytes:
        """An input of at most `most` bytes."""
        data = rng.choice(self.known)
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
            data = self._changed(data, rng)
        return data[:most]

    def _changed(self, data: bytes, rng: random.Random) -> bytes:
        if data[:2] == b"PK" and rng.random() < 0.8:
            return self._packed(data, rng)
        if rng.random() < 0.45 and (changed := self._structured(data, rng)) is not None:
            return changed
        change: Callable[[bytes, random.Random], bytes] = rng.choice(
            (
                flipped,
                cut,
                doubled,
                self._with_word,
                self._with_word,
                self._in_place,
                truncated,
                lines_moved,
                numbers,
                encoded,
                many,
                self._spliced,
            )
        )
        return change(data, rng)

    def _with_word(self, data: bytes, rng: random.Random) -> bytes:
        at, word = rng.randint(0, len(data)), rng.choice(self._words)
        return data[:at] + word * rng.choice((1, 1, 1, 2, 9)) + data[at:]

    def _in_place(self, data: bytes, rng: random.Random) -> bytes:
        """A word in the place of one that is there."""
        places = [m.span() for m in re.finditer(rb"\w+", data[:20_000])]
        start, end = rng.choice(places or [(0, 0)])
        return data[:start] + rng.choice(self._words) + data[end:]

    def _spliced(self, data: bytes, rng: random.Random) -> bytes:
        other = rng.choice(self.known)
        return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]

    def _packed(self, data: bytes, rng: random.Random) -> bytes:
        """A zip file with one part changed, or one part in the place of another."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                parts = {name: packed.read(name) for name in packed.namelist()}
        except Exception:  # it was changed before
            return flipped(data, rng)
        if not parts:
            return flipped(data, rng)
        name = rng.choice(list(parts))
        if rng.random() < 0.1:
            parts[rng.choice(list(parts))] = parts[name]
        elif rng.random() < 0.05:
            del parts[name]
        else:
            parts[name] = marked_up(parts[name], rng) if rng.random() < 0.6 else self._changed(parts[name], rng)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
            for part, content in parts.items():
                target.writestr(part, content)
        return made.getvalue()

    def _structured(self, data: bytes, rng: random.Random) -> bytes | None:
        """JSON, or one line of JSON, with a value exchanged; markup with a tag moved; None for anything else."""
        head = data[:400].lstrip(b" \n\xef\xbb\xbf")[:1]
        if head == b"<":
            return marked_up(data, rng)
        if head not in (b"{", b"["):
            return None
        try:
            return self._exchanged(data, rng)
        except RecursionError:  # it nests deep already
            return None

    def _exchanged(self, data: bytes, rng: random.Random) -> bytes | None:
        """JSON, or one line of it, with a value exchanged; None for anything else."""
        whole = _json(data)
        if whole is not None:
            return json_changed(whole, rng)
        lines = data.split(b"\n")
        at = rng.randrange(len(lines))
        record = _json(lines[at])
        if record is None:
            return None
        lines[at] = json_changed(record, rng)
        return b"\n".join(lines)


def _json(data: bytes) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) and value else None


def json_changed(value: Any, rng: random.Random) -> bytes:
    """`value`, which is changed, with something in it otherwise, as JSON."""
    for _ in range(rng.choice((1, 1, 2))):
        holder = rng.choice(_holders(value))
        key = rng.choice([*holder]) if isinstance(holder, dict) else rng.randrange(len(holder))
        how = rng.random()
        if how < 0.5:
            holder[key] = copy.deepcopy(rng.choice(VALUES))
        elif how < 0.6:
            del holder[key]
            if not value:
                break
        elif how < 0.7:
            holder[key] = DEEP
        elif how < 0.8 and isinstance(holder, dict):
            holder[rng.choice(KEYS)] = holder.pop(key)
        elif how < 0.9:
            other = rng.choice(_holders(value))
            holder[key] = json.loads(json.dumps(rng.choice([other, *(other.values() if isinstance(other, dict) else other)])))
        else:
            holder[key] = [holder[key]] * rng.choice((1, 2, 50)) if rng.random() < 0.5 else {"a": holder[key]}
        if not _holders(value):
            break
    text = json.dumps(value, ensure_ascii=rng.random() < 0.6)
    if DEEP in text or json.dumps(DEEP) in text:
        depth = rng.choice(DEPTHS)
        nest = rng.choice((("[", "]"), ('{"a":', "}"), ("[[1],", "]")))
        deep = nest[0] * depth + "1" + nest[1] * (depth if rng.random() < 0.9 else 0)
        text = text.replace(json.dumps(DEEP), deep).replace(json.dumps(DEEP, ensure_ascii=False), deep)
    if rng.random() < 0.05:
        text = text.replace("{", '{"_id": 1, ', 1)  # a key that stands twice
    return text.encode("utf-8", "surrogatepass")


def _holders(value: Any) -> list[Any]:
    """Every object and list in a value that holds something; without recursion."""
    found, todo = [], [value]
    while todo and len(found) < 2000:
        each = todo.pop()
        if isinstance(each, (dict, list)) and each:
            found.append(each)
            todo += each.values() if isinstance(each, dict) else each
    return found


def marked_up(data: bytes, rng: random.Random) -> bytes:
    """Markup with an element in another, one more, one less, or an attribute exchanged."""
    tags = [m.span() for m in re.finditer(rb"<[^<>]{1,200}>", data[:200_000])]
    if not tags:
        return flipped(data, rng)
    (a, b), (c, d) = rng.choice(tags), rng.choice(tags)
    how = rng.random()
    if how < 0.25:
        return data[:a] + data[c:d] * rng.choice((1, 1, 3, 200)) + data[a:]
    if how < 0.45:
        return data[:a] + data[b:]
    if how < 0.6:
        first, second = sorted((a, c))
        return data[:first] + data[second:]
    if how < 0.75:
        first, second = sorted((b, d))
        return data[:second] + data[first:second] * rng.choice((1, 2, 30)) + data[second:]
    values = [m.span(1) for m in re.finditer(rb"=[\"']([^\"'<>]*)[\"']", data[:200_000])]
    start, end = rng.choice(values or [(a, a)])
    return (
        data[:start]
        + rng.choice((*(n.encode() for n in NUMBERS), b"", b"x", b"&#0;", b"true", b"-", b"none", b"%1%2%9"))
        + data[end:]
    )


def flipped(data: bytes, rng: random.Random) -> bytes:
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if raw:
            raw[rng.randrange(len(raw))] = rng.choice((rng.randrange(256), 0, 255, 0x20, 0x30))
    return bytes(raw)


def _range(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 2, 5, 20, 100, len(data))))


def cut(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(data, rng)
    return data[:start] + data[end:]


def doubled(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(data, rng)
    part = data[start:end][:2000]
    return data[:end] + part * rng.choice((1, 2, 3, 20)) + data[end:]


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def lines_moved(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.random()
    if how < 0.4:
        lines[i], lines[j] = lines[j], lines[i]
    elif how < 0.7:
        lines.insert(j, lines[i])
    else:
        del lines[i]
    return b"\n".join(lines)


def numbers(data: bytes, rng: random.Random) -> bytes:
    """A number in the place of another."""
    places = [m.span() for m in re.finditer(rb"-?\d+(?:\.\d+)?", data[:100_000])]
    if not places:
        return truncated(data, rng)
    start, end = rng.choice(places)
    return data[:start] + rng.choice(NUMBERS).encode() + data[end:]


def encoded(data: bytes, rng: random.Random) -> bytes:
    """In another encoding, in part in another, or with a mark at the start."""
    how = rng.random()
    if how < 0.4:
        return rng.choice(BOMS) + data
    text = data.decode("utf-8", "replace")
    if how < 0.7:
        return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252")), "replace")
    start, end = _range(data, rng)
    return (
        data[:start]
        + data[start:end].decode("utf-8", "replace").encode(rng.choice(("latin-1", "utf-16-le")), "replace")
        + data[end:]
    )


def many(data: bytes, rng: random.Random) -> bytes:
    """A short piece again and again: what is quadratic takes long then."""
    start = rng.randint(0, max(len(data) - 1, 0))
    piece = data[start : start + rng.choice((1, 1, 2, 3, 5, 8, 20))]
    return data[:start] + piece * (rng.choice((200, 1000, 8000)) // max(len(piece), 1)) + data[start:]
