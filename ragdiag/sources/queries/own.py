"""ragdiag's own queries: JSON Lines with exact evidence, graded documents, or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, shown_name
from ragdiag.core.phrasings import PHRASINGS, wrong_phrasing
from ragdiag.core.records import Label, Query
from ragdiag.core.reviews import SAYS, STRATA, Looked, Passage, Review
from ragdiag.sources.fields import Fields, log
from ragdiag.sources.queries._common import Sample, grade, identifier, optional, others, references, sample, samples, texts_of
from ragdiag.sources.queries._layouts import rows

__all__ = ["FORM", "fits", "has_labels", "look", "query", "read"]

FORM = 'JSON Lines of {"_id", "text", "evidence"}'
LABELS = ("evidence", "relevant", "unanswerable")
ANSWERS = ("answer", "answers", "Answer")
ACCEPTABLE = "acceptable"
FIELDS = ("_id", "text", *ANSWERS, ACCEPTABLE, *LABELS, "any", "meta", "metadata", "reviewed")

ANY = "any"
"""The group of all passages of a query whose record says that any of them will do."""

PARTS = {"evidence": ("doc_id", "start", "end", "text", "group", "accepted"), "relevant": ("doc_id", "grade")}
"""The fields of what a record lists."""


def fits(sample: Sample) -> bool:
    """Whether the first record is a query of ours."""
    return bool({"_id", "text"} & set(sample.record))


def has_labels(path: Path) -> bool:
    """Whether any record of a file carries labels itself."""
    return any(record.get(name) is not None for _, record in _records(path) for name in LABELS)


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read a file of queries. Raises `InputError` with file and line; what is wrong only about the corpus is kept as it is."""
    queries = []
    with Fields(path) as fields:
        for line, record in _records(path):
            look(fields, record, line)
            queries.append(query(record, path, line))
    first = sample(path, None).first
    if rows(first) is not None:
        form = "list" if isinstance(first, list) else "object"
        log.warning(f"{shown_name(path)}: one JSON {form}, not JSON Lines; read all the same: queries {len(queries)}")
    return queries


def _records(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for line, record in samples(path, ("_id",)):
        if not isinstance(record, dict):
            raise InputError(f"a query is a JSON object, not a {type(record).__name__}", path, line, 'write {"_id", "text", ...}')
        yield line, record


def look(fields: Fields, record: dict[str, object], line: int, known: tuple[str, ...] = ()) -> None:
    """`Fields.look` at a record and at what it lists."""
    fields.look(record, [*(name for name in FIELDS if name.islower()), *PHRASINGS], line, known=(*known, "Answer"))
    for name, read_ in PARTS.items():
        items = record.get(name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                fields.look(item, read_, line, name)


def query(record: dict[str, object], path: Path, line: int) -> Query:
    """One record as a query. Fields that have no place in a `Query` go to its metadata."""
    if wrong := wrong_phrasing(record):
        raise InputError(f"{wrong!r} must be {PHRASINGS[wrong]}", path, line, "mend it, or put it under 'metadata'")
    if "meta" in record and "metadata" in record:
        raise InputError("both 'meta' and 'metadata' are given", path, line, "keep one")
    metadata = optional(record, "metadata" if "metadata" in record else "meta", dict, path, line, {})
    return Query(
        id=identifier(record, ("_id",), path, line),
        text=field(record, ("text",), str, path, line),
        **references(record, ANSWERS, path, line),
        acceptable=tuple(texts_of(record, ACCEPTABLE, path, line)),
        evidence=_evidence(record, path, line),
        relevant=tuple(_judgement(item, path, line) for item in _items(record, "relevant", path, line)),
        unanswerable=optional(record, "unanswerable", bool, path, line, False),
        metadata={**others(record, FIELDS), **metadata},
        file=str(path),
        line=line,
        review=_review(record, path, line),
    )


def _evidence(record: dict[str, object], path: Path, line: int) -> tuple[Label, ...]:
    """The labelled passages; all of one group where the record says that any will do."""
    labels = tuple(_label(item, path, line) for item in _items(record, "evidence", path, line))
    if not optional(record, "any", bool, path, line, False):
        return labels
    if len({label.group for label in labels} - {""}) > 1:
        raise InputError("'any' is true, and passages have different groups", path, line, "keep one of them")
    return tuple(replace(label, group=ANY) for label in labels)


def _items(record: dict[str, object], name: str, path: Path, line: int) -> Iterator[dict[str, object]]:
    for item in optional(record, name, list, path, line, []):
        if not isinstance(item, dict):
            raise InputError(f"{name!r} must hold objects, not {type(item).__name__}", path, line, 'write [{"doc_id": ...}]')
        yield item


def _label(item: dict[str, object], path: Path, line: int) -> Label:
    text = optional(item, "text", str, path, line, None)
    start = optional(item, "start", int, path, line, None)
    end = optional(item, "end", int, path, line, None)
    if (start is None) != (end is None):
        present, absent = ("end", "start") if start is None else ("start", "end")
        raise InputError(f"evidence has {present!r} without {absent!r}", path, line, "give both or neither")
    if text is None and start is None:
        raise InputError("evidence has neither 'text' nor 'start' and 'end'", path, line, "give one of them")
    group = identifier(item, ("group",), path, line) if item.get("group") is not None else ""
    accepted = optional(item, "accepted", bool, path, line, False)
    return Label(identifier(item, ("doc_id",), path, line), text or "", start, end, group, accepted=accepted)


def _review(record: dict[str, object], path: Path, line: int) -> Review | None:
    reviewed = optional(record, "reviewed", dict, path, line, None)
    if reviewed is None:
        return None
    stratum = optional(reviewed, "stratum", str, path, line, "")
    if stratum not in ("", *STRATA):
        remedy = f"write {' or '.join(map(repr, STRATA))}, or none"
        raise InputError(f"'reviewed' has the stratum {stratum!r}", path, line, remedy)
    seed, pipeline = optional(reviewed, "seed", int, path, line, 0), optional(reviewed, "pipeline", str, path, line, "")
    return Review(tuple(_looked(item, path, line) for item in _items(reviewed, "passages", path, line)), stratum, seed, pipeline)


def _looked(item: dict[str, object], path: Path, line: int) -> Looked:
    start, end = (field(item, (name,), int, path, line) for name in ("start", "end"))
    says = field(item, ("says",), str, path, line)
    if says not in SAYS:
        raise InputError(f"a reviewed passage says {says!r}", path, line, f"write {', '.join(map(repr, SAYS))}")
    if not 0 <= start < end:
        raise InputError(f"a reviewed passage from {start} to {end} is none", path, line, "give its offsets, start before end")
    return Looked(Passage(identifier(item, ("doc_id",), path, line), start, end), says)


def _judgement(item: dict[str, object], path: Path, line: int) -> tuple[str, int]:
    doc_id, value = identifier(item, ("doc_id",), path, line), field(item, ("grade",), (int, float, str), path, line)
    if (step := grade(value, path, line)) < 0:
        raise InputError(f"'grade' must be 0 or more, not {step}", path, line, "write 0 for not relevant")
    return doc_id, step
