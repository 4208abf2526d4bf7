"""TREC topics, classic or XML or tab-separated, with their qrels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import unescape

from ragdiag.errors import InputError
from ragdiag.files import read_text
from ragdiag.queries._common import Sample
from ragdiag.queries._qrels import judged
from ragdiag.records import Query

__all__ = ["FORM", "fits", "read"]

FORM = "TREC topics (<top>, <topic> or id<TAB>text in a .tsv) with qrels"

LABELS = {
    "num": "Number",
    "title": "Topic",
    "desc": "Description",
    "narr": "Narrative",
}
"""Words that classic topics repeat after a tag: ``<num> Number: 301``."""


def fits(sample: Sample) -> bool:
    """Whether the file holds topics: by its tags, or a ``.tsv`` by its two columns."""
    if sample.text.lstrip().startswith("<"):
        return re.search(r"<top(ic)?[\s>]", sample.text, re.IGNORECASE) is not None
    first = next((line for line in sample.text.split("\n") if line.strip()), "")
    return sample.path.suffix.lower() == ".tsv" and first.count("\t") == 1


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read topics and judgements; a topic that is not judged is kept without labels."""
    text = read_text(path)
    if re.search(r"<top\s*>", text, re.IGNORECASE):
        queries = list(_classic(text, path))
    elif text.lstrip().startswith("<"):
        queries = list(_xml(text, path))
    else:
        queries = list(_tabbed(text, path))
    return judged(queries, qrels or _beside(path))


def _beside(path: Path) -> Path:
    found = sorted(p for p in path.parent.iterdir() if "qrels" in p.name.lower() and p.is_file() and p.name != path.name)
    if len(found) == 1:
        return found[0]
    names = f"several files named *qrels* stand beside it ({', '.join(p.name for p in found)})" if found else "no qrels beside it"
    raise InputError(f"TREC topics need judgements: {names}", path, remedy="say which file with --qrels FILE")


def _topic(fields: dict[str, str], number: str, text: tuple[str, ...], path: Path, line: int) -> Query:
    """A topic from its fields: its id, the first of `text` that it has, the rest as metadata."""
    name = next((n for n in text if n in fields), None)
    if not fields.get(number):
        raise InputError(f"the topic has no {number!r}", path, line, "number it")
    if name is None:
        raise InputError(f"the topic has no {' or '.join(map(repr, text))}", path, line, "add it")
    rest = {key: value for key, value in fields.items() if key not in (number, name)}
    return Query(id=fields[number], text=fields[name], metadata=rest, file=str(path), line=line)


def _classic(text: str, path: Path) -> Iterator[Query]:
    end = 0
    for block in re.finditer(r"<top\s*>(.*?)</top\s*>", text, re.IGNORECASE | re.DOTALL):
        _refuse_text(text, end, block.start(), path)
        line = _line(text, block.start())
        if re.search(r"<top\s*>", block[1], re.IGNORECASE):
            raise InputError("<top> is not closed before the next one", path, line, "add </top>")
        end = block.end()
        yield _topic(_sections(block[1], path, line), "num", ("title",), path, line)
    _refuse_text(text, end, len(text), path)


def _sections(block: str, path: Path, line: int) -> dict[str, str]:
    """What follows each tag of a classic topic up to the next; closing tags may be there or not."""
    fields: dict[str, str] = {}
    for section in re.finditer(r"<(\w+)>([^<]*)", block):
        name, content = section[1].lower(), " ".join(unescape(section[2]).split())
        if name in fields:
            raise InputError(f"the topic has <{name}> twice", path, line, "keep one")
        fields[name] = re.sub(rf"^{LABELS[name]}\s*:\s*", "", content) if name in LABELS else content
    return fields


def _refuse_text(text: str, start: int, end: int, path: Path) -> None:
    """Between topics only tags may stand, such as ``<topics>``."""
    stray = re.search(
        r"<top\s*>|[^\s<>]", re.sub(r"<(?!top\s*>)[^>]*>", lambda m: " " * len(m[0]), text[start:end]), re.IGNORECASE
    )
    if stray:
        raise InputError("text stands outside <top>...</top>", path, _line(text, start + stray.start()), "close the topic")


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _xml(text: str, path: Path) -> Iterator[Query]:
    lines: list[int] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "topic":
            lines.append(parser.CurrentLineNumber)

    def entity(*declaration: object) -> None:
        raise InputError("XML that declares entities is not read", path, parser.CurrentLineNumber, "write their text instead")

    parser.StartElementHandler, parser.EntityDeclHandler = start, entity
    try:
        parser.Parse(text, True)
    except expat.ExpatError as e:
        raise InputError(f"broken XML: {expat.ErrorString(e.code)}", path, e.lineno, "mend that line") from e
    for line, element in zip(lines, ElementTree.fromstring(text).iter("topic"), strict=True):
        fields = dict(element.attrib)
        for child in element:
            if child.tag in fields:
                raise InputError(f"the topic has {child.tag!r} twice", path, line, "keep one")
            fields[child.tag] = " ".join("".join(child.itertext()).split())
        yield _topic(fields, "number", ("query", "title"), path, line)


def _tabbed(text: str, path: Path) -> Iterator[Query]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            columns = line.rstrip("\r").split("\t")
            if len(columns) != 2 or not columns[0]:
                raise InputError("id<TAB>text is expected", path, number, "mend that line")
            yield Query(id=columns[0], text=columns[1], file=str(path), line=number)
