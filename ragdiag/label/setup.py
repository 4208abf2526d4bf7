"""What a session of labelling starts from: queries with or without labels, drafts from the documents, a file begun earlier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from pathlib import Path

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import read_text
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Corpus, Query, Span
from ragdiag.core.writing import real
from ragdiag.label.decisions import DecisionFile, record
from ragdiag.label.drafts import LONGER, drafts, id_in, question_id
from ragdiag.label.pooling import Pool
from ragdiag.label.session import Session, Task
from ragdiag.search.nested import retriever_of
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

__all__ = ["check_same", "open_session", "questions", "stale"]


def open_session(
    corpus_path: str | Path,
    queries_path: str | Path | None,
    out: str | Path,
    with_drafts: bool = False,
    retrievers: Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
    keep: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> tuple[Session, list[str]]:
    """A session, and notes on what it starts from. Queries that have good labels already are copied to `out`, not asked.

    `keep` and `exclude` are fields of `Options`.

    Raises `UsageError` where there is nothing to ask or `out` is an input, `InputError` for a file that is broken.
    """
    for spec in retrievers:
        retriever_of(spec)  # a misspelt one should cost no time
    path, notes = Path(out), list[str]()
    if real(path) in {real(name) for name in (corpus_path, queries_path) if name}:
        raise UsageError(f"--out {out} would overwrite an input; choose another file")
    file = DecisionFile(path)
    queries = questions(Path(queries_path), file.queries) if queries_path else []
    corpus = load_corpus(corpus_path, progress, keep, exclude)
    notes += corpus.notes
    tasks = [Task(query) for query in queries]
    if with_drafts:
        tasks += _drafted(corpus, {name for query in queries for name in (query.id, query.text)}, file.queries, notes)
    if not tasks:
        raise UsageError("the documents ask no questions of their own; give a file of queries: one question a line will do")
    check_same(tasks, file)
    old = stale(file, corpus, notes)
    _copy(queries, corpus, file, notes)
    if corpus.problems:
        notes.append(f"{len(corpus.problems)} documents could not be read, or only in part: ragdiag check shows which")
    return Session(Pool(corpus, retrievers, cache, progress), tasks, file, old), notes


def questions(path: Path, labelled: Container[str] = ()) -> list[Query]:
    """The queries of a file in any format that is read, or the lines of a ``.txt``. Raises `InputError` for one without text.

    `labelled`: the ids in the file of labels, see `drafts.id_in`.
    """
    text = read_text(path) if path.suffix.lower() == ".txt" else ""
    if text.lstrip()[:1] in ("", "<", "{", "["):
        queries = list(load_queries(path))
    else:
        lines: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            lines.setdefault(" ".join(line.split()), number)
        queries = [Query(id_in(labelled, line), line, file=str(path), line=number) for line, number in lines.items() if line]
    for query in queries:
        if not query.text.strip():
            raise InputError(f"query {query.id!r} has no text", query.file, query.line, "write the question, or remove the line")
    return queries


def _drafted(corpus: Corpus, taken: set[str], labelled: Container[str], notes: list[str]) -> list[Task]:
    """A task for each draft that is not among the queries, whose ids and texts are `taken`."""
    tasks = [
        Task(Query(id_in(labelled, d.text), d.text), Span(d.document, d.start, d.end))
        for d in drafts(corpus.documents)
        if taken.isdisjoint((d.text, question_id(d.text), question_id(d.text, LONGER)))
    ]
    notes.append(f"{len(tasks)} drafts from the documents: each is a query only once you label it")
    return tasks


def check_same(tasks: Sequence[Task], file: DecisionFile) -> None:
    """Raise `InputError` where a query's text has changed since it was labelled. Drafts may be reworded."""
    for query, draft in tasks:
        decided = file.queries.get(query.id)
        if draft is None and decided is not None and decided.text != query.text:
            message = f"query {query.id!r} has another text in {query.file}"
            raise InputError(message, file.path, decided.line, "give the new one an id of its own, or remove this label")


def stale(file: DecisionFile, corpus: Corpus, notes: list[str]) -> set[str]:
    """The labels of the file that do not fit the corpus, which has changed since."""
    old = {defect.query for defect in locate(list(file.queries.values()), corpus).defects}
    if old:
        notes.append(f"{len(old)} labels in {file.path} do not fit the corpus, so are asked again: ragdiag check shows them")
    return old


def _copy(queries: Sequence[Query], corpus: Corpus, file: DecisionFile, notes: list[str]) -> None:
    """Put the queries that are well labelled already in the file, where it lacks them."""
    labels = locate(queries, corpus)
    doubtful = {warning.query for warning in labels.warnings if warning.kind == "located_inexactly"}
    groups: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    rows = labels.evidence
    for q, g, d, a, b, copy in zip(rows.query, rows.group, rows.document, rows.start, rows.end, rows.copy, strict=True):
        if not copy:
            groups[int(q)][int(g)].append(Span(int(d), int(a), int(b)))
    lines = [
        record(query, list(groups[i].values()), corpus.documents)
        for i, (query, level) in enumerate(zip(queries, labels.level, strict=True))
        if level in ("span", "unanswerable") and query.id not in doubtful and query.id not in file.queries
    ]
    if lines:
        file.put(*lines)
        notes.append(f"{len(lines)} queries are labelled already: copied to {file.path}, not asked")
