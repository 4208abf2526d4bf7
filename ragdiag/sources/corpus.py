"""Documents in: a folder, a glob, one file, a ``corpus.jsonl`` or a BEIR folder.

A document that cannot be read is a `Problem`, and the rest goes on; a ``corpus.jsonl`` or ``docs.jsonl`` that is broken is an
error, since nothing in it can then be trusted.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ragdiag.core import files
from ragdiag.core.errors import InputError, UnreadableDocument
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Corpus, Document, Problem
from ragdiag.sources.fields import Fields, log
from ragdiag.sources.ignoring import Rules, mode_of
from ragdiag.sources.loaders import heading, load
from ragdiag.sources.omissions import Keep, kept, unread
from ragdiag.sources.walking import KNOWN, Contents, absolute, found, matches, starting_at
from ragdiag.text.ages import meaning_of

__all__ = ["load_corpus", "stream_corpus"]

NAMED = ("_id", "title", "metadata", "meta")
"""What a record says of a document besides its text, or where that is."""


def load_corpus(
    path: str | Path, progress: Progress = no_progress, keep: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Corpus:
    """Read the documents at `path`, sorted by id.

    Text files are kept exactly as they are on disk. Ids, titles and metadata come from a ``docs.jsonl`` in the folder or its
    parent; a file that it does not list has its path in the folder as id. `keep` are kinds of what loaders leave out that stay in
    the text (`omissions.KEPT_ON_REQUEST`). `exclude` are patterns as in a ``.gitignore`` of the folder, before which they go.

    Raises `InputError` where there is nothing at `path`, no document in it can be read, or a ``.jsonl`` file is broken;
    `UsageError` for an unknown kind or a broken pattern; `MissingExtra` where a format needs a package that is not installed.
    """
    root, kinds = Path(path), kept(keep)
    if records := _records(root):
        return replace(_read_records(records, progress), notes=tuple(Rules(root, exclude, heed_gitignore=False).idle()))
    contents = starting_at(root)
    docs, entries = _listing(contents.root)
    contents = found(root, contents, entries, exclude)
    return _read_sources(root, contents, _sources(contents, docs, entries), kinds, progress)


def stream_corpus(
    path: str | Path, problems: list[Problem], keep: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Iterator[Document]:
    """The documents that `load_corpus` reads, one by one as they are found: none is kept, so that a corpus may be of any size.

    What cannot be read is added to `problems`. Nothing remembers which ids there were: an id that stands twice comes twice.
    Raises as `load_corpus`, but for a corpus without documents.
    """
    root, kinds = Path(path), kept(keep)
    if records := _records(root):
        for line, _, record in files.stream_jsonl(records):
            yield _document(record, records, line)[0]
        return
    contents = starting_at(root)
    docs, entries = _listing(contents.root)
    contents = found(root, contents, entries, exclude)
    for source in _sources(contents, docs, entries):
        if document := _read(source, contents, kinds):
            yield document
    problems += sorted(contents.problems, key=lambda p: p.file)


def _records(root: Path) -> Path | None:
    """The ``corpus.jsonl`` that `root` is, or holds."""
    records = root / "corpus.jsonl" if stat.S_ISDIR(mode_of(root)) else root
    return records if records.suffix.lower() == ".jsonl" and mode_of(records) else None


def _read_records(path: Path, progress: Progress) -> Corpus:
    """The documents of a ``corpus.jsonl``, whatever its size. The same document twice is kept once."""
    if not stat.S_ISREG(mode_of(path)):
        raise InputError("is not a regular file", path, remedy="give a file, a folder or a glob of documents")
    size = path.stat().st_size
    documents: dict[str, Document] = {}
    lines: dict[str, int] = {}
    untexted: set[str] = set()
    with Fields(path) as fields:
        for line, done, record in files.stream_jsonl(path):
            fields.look(record, ("text", *NAMED), line, known=_of_age(record))
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
    own = dict(files.field(metadata, ("metadata", "meta"), dict, path, line)) if metadata else {}
    return {name: record[name] for name in _of_age(record)} | own


def _of_age(record: Mapping[str, Any]) -> list[str]:
    """The fields of a record that say how old its document is: they count beside its text as they do in its metadata."""
    return [name for name in record if name != "file" and meaning_of(name)]


class _Source(NamedTuple):
    """A file to be read, and what it will be called."""

    path: Path
    id: str
    title: str
    metadata: Mapping[str, Any]


class _Entry(NamedTuple):
    """A line of ``docs.jsonl``."""

    line: int
    file: str
    id: str
    title: str
    metadata: Mapping[str, Any]


def _listing(folder: Path) -> tuple[Path, dict[Path, _Entry]]:
    """The ``docs.jsonl`` of a folder or its parent, and its entries by absolute path."""
    parent = folder / ".." if folder.name in ("", "..") else folder.parent
    docs = next((p / "docs.jsonl" for p in (folder, parent) if stat.S_ISREG(mode_of(p / "docs.jsonl"))), None)
    entries: dict[Path, _Entry] = {}
    ids: dict[str, int] = {}
    if docs is None:
        return folder / "docs.jsonl", entries
    with Fields(docs) as fields:
        for line, _, record in files.stream_jsonl(docs):
            fields.look(record, ("file", *NAMED), line, known=_of_age(record))
            name, file = _id(record, docs, line), files.field(record, ("file",), str, docs, line)
            entry = _Entry(line, file, name, _title(record, docs, line), _metadata(record, docs, line))
            first = entries.setdefault(absolute(docs.parent / file), entry).line
            if first != line:
                raise InputError(f"file {file!r} is listed on line {first} already", docs, line, "remove one of them")
            if ids.setdefault(name, line) != line:
                raise InputError(f"_id {name!r} stands on line {ids[name]} already", docs, line, "give each file its own")
    return docs, entries


def _sources(contents: Contents, docs: Path, entries: dict[Path, _Entry]) -> list[_Source]:
    """The files found, sorted by id; what is listed but was not found is added to the problems."""
    sources: dict[str, _Source] = {}
    for relative, path in contents.files.items():
        entry = entries.pop(absolute(path), None)
        source = _Source(path, entry.id, entry.title, entry.metadata) if entry else _Source(path, relative, "", {})
        other = sources.setdefault(source.id, source)
        if other is not source:
            raise InputError(f"has the id of {other.path}, {source.id!r}", path, remedy=f"give it another in {docs}")
    folder = absolute(contents.root)
    for path, entry in entries.items():
        inside = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
        if matches(inside, contents.pattern) and path not in contents.accounted:
            missing, unread = "is missing; restore it, or remove this line", f"is hidden or of a kind that is not read; {KNOWN}"
            message = f"{entry.file!r} is listed here, but {unread if mode_of(path) else missing}"
            contents.problems.append(Problem(f"{docs}:{entry.line}", message))
    return [sources[name] for name in sorted(sources)]


def _read_sources(root: Path, contents: Contents, sources: Sequence[_Source], keep: Keep, progress: Progress) -> Corpus:
    documents = []
    for done, source in enumerate(sources, 1):
        if document := _read(source, contents, keep):
            documents.append(document)
        progress("reading documents", done, len(sources))
    problems = tuple(sorted(contents.problems, key=lambda p: p.file))
    if documents:
        return Corpus(tuple(documents), problems, dict(sorted(contents.skipped.items())), tuple(contents.notes))
    if problems:
        what = f"none of its documents can be read ({len(problems)} failed); the first is {problems[0].file}"
        raise InputError(f"{what}: {problems[0].message}", root)
    skipped = ", ".join(f"{n} {suffix}" for suffix, n in sorted(contents.skipped.items()))
    message = "; ".join([f"holds no documents{skipped and f', only {skipped}'}", *contents.notes])
    raise InputError(message, root, remedy=KNOWN)


def _read(source: _Source, contents: Contents, keep: Keep) -> Document | None:
    """The document of a file; None for one that cannot be read, which `contents` then has among its problems."""
    try:
        read = load(source.path, keep)
    except UnreadableDocument as e:
        place = "" if e.byte is None else f" at byte {e.byte}"
        contents.fail(source.path, " ".join(f"{e.message}{place}; {e.remedy}".split()))
        return None
    if lost := unread(read.left_out):
        contents.fail(source.path, lost, partly=True)
    title = source.title or read.title
    return replace(read, id=source.id, title=title, metadata=source.metadata, file=str(source.path))
