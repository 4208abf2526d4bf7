"""Documents in: a folder, a glob, one file, a ``corpus.jsonl`` or a BEIR folder.

A document that cannot be read is a `Problem`, and the rest goes on; a ``corpus.jsonl`` or ``docs.jsonl`` that is broken is an
error, since nothing in it can then be trusted.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import itertools
import os
import re
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from ragdiag.core import files
from ragdiag.core.errors import InputError, UnreadableDocument
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Corpus, Document, Problem
from ragdiag.sources.fields import Fields, log
from ragdiag.sources.loaders import KINDS, heading, load

__all__ = ["load_corpus"]

KNOWN = "documents are " + " ".join(KINDS) + " and corpus.jsonl"
NAMED = ("_id", "title", "metadata", "meta")
"""What a record says of a document besides its text, or where that is."""

LABEL_FILE = re.compile(r"(docs|queries|answers).*\.jsonl", re.I)
LOOP = "is a symbolic link that leads back to itself"


def load_corpus(path: str | Path, progress: Progress = no_progress) -> Corpus:
    """Read the documents at `path`, sorted by id.

    Text files are kept exactly as they are on disk. Ids, titles and metadata come from a ``docs.jsonl`` in the folder or its
    parent; a file that it does not list has its path in the folder as id.

    Raises `InputError` where there is nothing at `path`, no document in it can be read, or a ``.jsonl`` file is broken;
    `MissingExtra` where a format needs a package that is not installed.
    """
    root = Path(path)
    records = root / "corpus.jsonl" if stat.S_ISDIR(_mode(root)) else root
    if records.suffix.lower() == ".jsonl" and _mode(records):
        return _read_records(records, progress)
    contents = _find(root)
    return _read_sources(root, contents, _sources(contents), progress)


def _mode(path: Path, follow_links: bool = True) -> int:
    """The file mode; 0 where there is nothing, or nothing that we may see."""
    try:
        return path.stat(follow_symlinks=follow_links).st_mode
    except (OSError, ValueError):
        return 0


def _read_records(path: Path, progress: Progress) -> Corpus:
    """The documents of a ``corpus.jsonl``, whatever its size. The same document twice is kept once."""
    if not stat.S_ISREG(_mode(path)):
        raise InputError("is not a regular file", path, remedy="give a file, a folder or a glob of documents")
    size = path.stat().st_size
    documents: dict[str, Document] = {}
    lines: dict[str, int] = {}
    untexted: set[str] = set()
    with Fields(path) as fields:
        for line, done, record in files.stream_jsonl(path):
            fields.look(record, ("text", *NAMED), line)
            document, own_text = _document(record, path, line)
            name = document.id
            untexted |= set() if own_text else {name}
            first = lines.setdefault(name, line)
            if documents.setdefault(name, document) != document:
                raise InputError(f"_id {name!r} is that of another document, on line {first}", path, line, "give each its own")
            if done == size or len(documents) % 1000 == 0:
                progress("reading documents", done, size)
    if not documents:
        raise InputError("holds no documents", path, remedy='write one {"_id": ..., "text": ...} per line')
    _say_untexted(path, [documents[name] for name in untexted])
    return Corpus(tuple(documents[name] for name in sorted(documents)))


def _document(record: dict[str, Any], path: Path, line: int) -> tuple[Document, bool]:
    """The document of a record, and whether its text is its own: in BEIR a document is its title and its text."""
    name, text = _id(record, path, line), files.field(record, ("text",), str, path, line)
    title, own_text = _title(record, path, line), bool(text.strip())
    text, title = (text, title or heading(text)) if own_text else (title, "")
    return Document(name, text, title, _metadata(record, path, line), str(path)), own_text


def _say_untexted(path: Path, untexted: Sequence[Document]) -> None:
    titles = sum(bool(document.text.strip()) for document in untexted)
    if titles:
        log.warning(f"{files.shown_name(path)}: {titles} documents without a text: their title is taken as their text")
    if blank := len(untexted) - titles:
        log.warning(f"{files.shown_name(path)}: {blank} documents have neither text nor title: nothing can find them")


def _id(record: dict[str, Any], path: Path, line: int) -> str:
    name = str(files.field(record, ("_id",), (str, int), path, line))
    if not name.strip():
        raise InputError("'_id' is empty", path, line, "give the document an id")
    return name


def _title(record: dict[str, Any], path: Path, line: int) -> str:
    return "" if record.get("title") is None else str(files.field(record, ("title",), str, path, line))


def _metadata(record: dict[str, Any], path: Path, line: int) -> dict[str, Any]:
    metadata = {name: record[name] for name in ("metadata", "meta") if record.get(name) is not None}
    return dict(files.field(metadata, ("metadata", "meta"), dict, path, line)) if metadata else {}


class _Source(NamedTuple):
    """A file to be read, and what it will be called."""

    path: Path
    id: str
    title: str
    metadata: Mapping[str, Any]


@dataclass
class _Contents:
    """What a folder holds that matches `pattern`: `files` by their path in it, and everything else."""

    root: Path
    pattern: Sequence[str]
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[Path] = field(default_factory=set)  # absolute paths that `problems` speaks of
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, relative: str, path: Path) -> None:
        """Sort one path in: a document, a problem, or a file of another kind."""
        suffix = path.suffix.lower()
        try:
            relative.encode()
            mode = path.stat().st_mode
        except UnicodeEncodeError:
            return self.fail(path, "has a name that is not UTF-8; rename it")
        except OSError as e:
            reasons = {errno.ELOOP: LOOP, errno.ENOENT: "is a link to nothing"}
            return self.fail(path, f"{reasons.get(e.errno or 0, f'cannot be read ({e.strerror})')}; mend or remove it")
        if suffix not in KINDS:
            if not LABEL_FILE.fullmatch(path.name):
                self.skipped[suffix or "(none)"] += 1
        elif stat.S_ISREG(mode):
            self.files[relative] = path
        elif stat.S_ISDIR(mode):
            self.fail(path, "is a folder, though named like a document; rename it")
        else:
            self.fail(path, "is a pipe or a device, not a regular file; move it elsewhere")
        return None

    def fail(self, path: Path, message: str) -> None:
        """Note a problem."""
        self.failed.add(_absolute(path))
        self.problems.append(Problem(os.fsencode(path).decode("utf-8", "replace"), message))


def _find(path: Path) -> _Contents:
    """The documents at `path`: a folder, one file, or a glob."""
    if stat.S_ISDIR(_mode(path)):
        return _walk(_Contents(path, ("**", "*")))
    if _mode(path, follow_links=False):
        if path.suffix.lower() not in KINDS:
            raise InputError(f"is of a kind that is not read ({path.suffix or 'no suffix'})", path, remedy=KNOWN)
        contents = _Contents(path.parent, (glob.escape(path.name),))
        contents.add(path.name, path)
        return contents
    fixed = list(itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    if len(fixed) == len(path.parts) or not stat.S_ISDIR(_mode(Path(*fixed))):
        raise InputError("there is no such file or folder", path, remedy="check the path")
    return _walk(_Contents(Path(*fixed), path.parts[len(fixed) :]))


def _walk(contents: _Contents) -> _Contents:
    """Fill `contents` from its folder and those below, links followed, what is hidden left out."""
    stack: list[tuple[Path, tuple[str, ...], frozenset[tuple[int, int]]]] = [(contents.root, (), frozenset())]
    while stack:
        folder, parts, above = stack.pop()
        try:
            status, paths = folder.stat(), sorted(folder.iterdir(), reverse=True)
        except OSError as e:
            contents.fail(folder, f"cannot be read ({e.strerror}); check its permissions")
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            contents.fail(folder, f"{LOOP}; remove it")
            continue
        for path in paths:
            inside = (*parts, path.name)
            if path.name.startswith("."):
                continue
            if stat.S_ISDIR(_mode(path)) and path.suffix.lower() not in KINDS:
                if _leads_to(inside, contents.pattern):
                    stack.append((path, inside, above | {identity}))
            elif _matches(inside, contents.pattern):
                contents.add("/".join(inside), path)
    return contents


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Does a path match a glob? ``**`` stands for any number of folders."""
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] == "**":
        rest = pattern[1:] or ("*",)
        return any(_matches(parts[i:], rest) for i in range(len(parts)))
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _leads_to(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """May a folder hold something that matches?"""
    for part, glob_part in zip(parts, pattern, strict=False):
        if glob_part == "**":
            return True
        if not fnmatch.fnmatchcase(part, glob_part):
            return False
    return len(parts) < len(pattern)


class _Entry(NamedTuple):
    """A line of ``docs.jsonl``."""

    line: int
    file: str
    id: str
    title: str
    metadata: Mapping[str, Any]


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))  # not `resolve`: a link keeps the name it is listed under


def _listing(folder: Path) -> tuple[Path, dict[Path, _Entry]]:
    """The ``docs.jsonl`` of a folder or its parent, and its entries by absolute path."""
    parent = folder / ".." if folder.name in ("", "..") else folder.parent
    docs = next((p / "docs.jsonl" for p in (folder, parent) if stat.S_ISREG(_mode(p / "docs.jsonl"))), None)
    entries: dict[Path, _Entry] = {}
    ids: dict[str, int] = {}
    if docs is None:
        return folder / "docs.jsonl", entries
    with Fields(docs) as fields:
        for line, _, record in files.stream_jsonl(docs):
            fields.look(record, ("file", *NAMED), line)
            name, file = _id(record, docs, line), files.field(record, ("file",), str, docs, line)
            entry = _Entry(line, file, name, _title(record, docs, line), _metadata(record, docs, line))
            first = entries.setdefault(_absolute(docs.parent / file), entry).line
            if first != line:
                raise InputError(f"file {file!r} is listed on line {first} already", docs, line, "remove one of them")
            if ids.setdefault(name, line) != line:
                raise InputError(f"_id {name!r} stands on line {ids[name]} already", docs, line, "give each file its own")
    return docs, entries


def _sources(contents: _Contents) -> list[_Source]:
    """The files found, sorted by id; what is listed but was not found is added to the problems."""
    docs, entries = _listing(contents.root)
    sources: dict[str, _Source] = {}
    for relative, path in contents.files.items():
        entry = entries.pop(_absolute(path), None)
        source = _Source(path, entry.id, entry.title, entry.metadata) if entry else _Source(path, relative, "", {})
        other = sources.setdefault(source.id, source)
        if other is not source:
            raise InputError(f"has the id of {other.path}, {source.id!r}", path, remedy=f"give it another in {docs}")
    folder = _absolute(contents.root)
    for path, entry in entries.items():
        inside = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
        if _matches(inside, contents.pattern) and path not in contents.failed:
            missing, unread = "is missing; restore it, or remove this line", f"is hidden or of a kind that is not read; {KNOWN}"
            message = f"{entry.file!r} is listed here, but {unread if _mode(path) else missing}"
            contents.problems.append(Problem(f"{docs}:{entry.line}", message))
    return [sources[name] for name in sorted(sources)]


def _read_sources(root: Path, contents: _Contents, sources: Sequence[_Source], progress: Progress) -> Corpus:
    documents = []
    for done, source in enumerate(sources, 1):
        try:
            read = load(source.path)
        except UnreadableDocument as e:
            place = "" if e.byte is None else f" at byte {e.byte}"
            contents.fail(source.path, " ".join(f"{e.message}{place}; {e.remedy}".split()))
        else:
            title = source.title or read.title
            documents.append(replace(read, id=source.id, title=title, metadata=source.metadata, file=str(source.path)))
        progress("reading documents", done, len(sources))
    problems = tuple(sorted(contents.problems, key=lambda p: p.file))
    if documents:
        return Corpus(tuple(documents), problems, dict(sorted(contents.skipped.items())))
    if problems:
        what = f"none of its documents can be read ({len(problems)} failed); the first is {problems[0].file}"
        raise InputError(f"{what}: {problems[0].message}", root)
    skipped = ", ".join(f"{n} {suffix}" for suffix, n in sorted(contents.skipped.items()))
    raise InputError(f"holds no documents{skipped and f', only {skipped}'}", root, remedy=KNOWN)
