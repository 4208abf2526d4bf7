"""TREC topics, classic or XML or tab-separated, with their qrels."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import unescape

from ragdiag.core.errors import InputError
from ragdiag.core.files import read_text
from ragdiag.core.records import Query
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries._common import Sample
from ragdiag.sources.queries._qrels import judged

__all__ = ["FORM", "fits", "read"]

FORM = "TREC topics (<top>, <topic> or id<TAB>text in a .tsv) with qrels"

LABELS = {
    "num": "Number",
    "title": "Topic",
    "desc": "Description",
    "narr": "Narrative",
}
"""Words that classic topics repeat after a tag: ``<num> Number: 301``."""


KNOWN = (
    *("num", "title", "desc", "narr", "number", "query", "question", "narrative", "description", "text", "type", "subtopic"),
    *("keywords", "dom", "smry", "con", "fac", "def"),
)
"""What topics are made of, year by year."""


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
    with Fields(path) as fields:
        for query in queries:
            fields.look(query.metadata, (), query.line, known=KNOWN)
    return judged(queries, qrels or _beside(path))


def _beside(path: Path) -> Path:
    files = sorted(p for p in path.parent.iterdir() if "qrels" in p.name.lower() and p.is_file() and p.name != path.name)
    if len(files) == 1:
        return files[0]
    reason = (
        f"several files named *qrels* stand beside it ({', '.join(p.name for p in files)})" if files else "no qrels beside it"
    )
    raise InputError(f"TREC topics need judgements: {reason}", path, remedy="say which file with --qrels FILE")


def _topic(fields: dict[str, list[str]], number: str, texts: tuple[str, ...], path: Path, line: int) -> Query:
    """A topic from its fields: its id, the first of `texts` that it has, the rest as metadata."""
    name = next((text for text in texts if text in fields), texts[0])
    for needed in (number, name):
        if len(fields.get(needed, [])) != 1:
            has = f"has {needed!r} twice" if needed in fields else f"has no {needed!r}"
            raise InputError(f"the topic {has}", path, line, "one is needed")
    if not fields[number][0]:
        raise InputError(f"{number!r} is empty", path, line, "number the topic")
    rest = {key: values if len(values) > 1 else values[0] for key, values in fields.items() if key not in (number, name)}
    return Query(id=fields[number][0], text=fields[name][0], metadata=rest, file=str(path), line=line)


def _classic(text: str, path: Path) -> Iterator[Query]:
    end = counted = 0
    line, opened = 1, None
    for tag in re.finditer(r"<(/?)top\s*>", text, re.IGNORECASE):
        if not tag[1] and opened:
            raise InputError("<top> is not closed before the next one", path, line, "add </top>")
        if not tag[1]:
            _refuse_text(text, end, tag.start(), path)
            line, counted, opened = line + text.count("\n", counted, tag.start()), tag.start(), tag
        elif opened:
            yield _topic(_sections(text[opened.end() : tag.start()], path, line), "num", ("title",), path, line)
            end, opened = tag.end(), None
    _refuse_text(text, end, len(text), path)


def _sections(block: str, path: Path, line: int) -> dict[str, list[str]]:
    """What follows each opening tag of a classic topic, up to the next tag; closing tags may be there or not."""
    fields: dict[str, list[str]] = defaultdict(list)
    before, *parts = re.split(r"<(/?\w+)\s*>", block)
    for tag, content in zip(["/", *parts[::2]], [before, *parts[1::2]], strict=True):
        name, text = tag.lower(), _plain(unescape(content))
        if not name.startswith("/"):
            fields[name].append(re.sub(rf"^{LABELS[name]}\s*:\s*", "", text) if name in LABELS else text)
        elif text:
            raise InputError(f"the topic holds text outside its fields: {text[:40]!r}", path, line, "put it in a field")
    return fields


def _refuse_text(text: str, start: int, end: int, path: Path) -> None:
    """Between topics only tags may stand, such as ``<topics>``."""
    fine = re.compile(r"(?:\s|<(?!top\s*>)[^>]*>)*", re.IGNORECASE).match(text, start, end)
    if fine and fine.end() < end:
        raise InputError("<top> without </top>, or text outside them", path, _line(text, fine.end()), "close each topic")


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _xml(text: str, path: Path) -> Iterator[Query]:
    lines: list[int] = []
    parser = expat.ParserCreate()

    inside = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        inside += name == "topic"
        if inside > 1:
            raise InputError("a topic stands inside another", path, parser.CurrentLineNumber, "close each topic")
        if name == "topic":
            lines.append(parser.CurrentLineNumber)

    def end(name: str) -> None:
        nonlocal inside
        inside -= name == "topic"

    def entity(*declaration: object) -> None:
        raise InputError("XML that declares entities is not read", path, parser.CurrentLineNumber, "write their text instead")

    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    try:
        parser.Parse(text, True)
        root = ElementTree.fromstring(text)
    except (expat.ExpatError, ElementTree.ParseError) as e:
        # The tree alone tells no lines, and it alone refuses an entity that some DTD elsewhere would declare.
        line = e.lineno if isinstance(e, expat.ExpatError) else e.position[0]
        raise InputError(f"broken XML: {e}", path, line, "mend that line") from e
    for line, element in zip(lines, root.iter("topic"), strict=True):
        fields = defaultdict(list, {name: [value] for name, value in element.attrib.items()})
        for child in element:
            fields[child.tag].append(_plain("".join(child.itertext())))
        bare = _plain(element.text)
        if bare:
            fields["text"].append(bare)
        yield _topic(fields, "number", ("query", "title", "text"), path, line)


def _tabbed(text: str, path: Path) -> Iterator[Query]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            columns = line.rstrip("\r").split("\t")
            if len(columns) != 2 or not columns[0]:
                raise InputError("id<TAB>text is expected", path, number, "mend that line")
            yield Query(id=columns[0], text=columns[1], file=str(path), line=number)
