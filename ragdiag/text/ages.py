"""What a document says of its age: its version, its dates, whether it is still in force, under any of the names people use.

Everything is read from its metadata, its front matter, its id and its title. Two documents are ordered only by values of one
meaning; a value that cannot be read, or that overlaps with the other (a year and a day in it), says nothing. When a page was
fetched or indexed is no age of it, and such fields are not read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ragdiag.core.records import Document
from ragdiag.text.dates import dates_in, period
from ragdiag.text.front_matter import front_matter

__all__ = ["IN_NAMES", "Age", "Interval", "Key", "age_of", "comes_before", "meaning_of"]

Key = tuple[str, str]
"""A meaning, and the kind of its value: "number" or "day". Values of other kinds cannot be compared."""

Interval = tuple[Any, Any]
"""The least and the greatest that a value may mean: one comes before another where it ends before that begins."""

MEANINGS: Mapping[str, str] = {
    "version": "version, version number, doc version, document version, ver, revision, rev, edition",
    "in force": "effective, effective from, effective date, effective on, valid from, in force from, as of, as of date, "
    "applies from",
    "changed": "updated, updated at, updated on, updated time, last updated, last update, date updated, update date, modified, "
    "modified at, modified on, modified time, last modified, last modified at, last modified date, lastmod, date modified, "
    "modification date, changed, last changed, revised, last revised, revision date, edited, edited at, last edited, "
    "last edited time",
    "published": "published, published at, published on, published time, published date, publish date, publication date, "
    "date published, pubdate, issued, issue date, date issued, released, release date, posted, posted at",
    "created": "created, created at, created on, created time, creation date, date created",
    "dated": "date, dated, document date, doc date, year",
    "superseded": "superseded, deprecated, archived, obsolete, outdated, retired, withdrawn, is superseded, is deprecated, "
    "is archived, is obsolete, draft, is draft",
    "current": "current, is current, latest, is latest",
    "status": "status, state, lifecycle, document status, doc status",
    "superseded_by": "superseded by, replaced by, obsoleted by",
    "replaces": "replaces, supersedes, obsoletes",
    "family": "family, document family, doc family",
    "path": "path, file, file path, filepath, filename, file name, url, uri, link, href, permalink, source",
}
"""What names of fields mean; the first five, and "dated", order documents, those that say most of it first.

Capitals, and what stands between words, make no difference: `lastModified`, ``last-modified`` and `LAST_MODIFIED` are one.
"""

ORDERING = ("version", "in force", "changed", "published", "dated", "created")
IN_NAME, DATE_IN_NAME, IN_PATH, IN_TITLE, DATE_IN_TITLE = (
    "version in its id",
    "date in its id",
    "version in its path",
    "version in its title",
    "date in its title",
)
ALL_ORDERING = (*ORDERING, IN_NAME, IN_PATH, IN_TITLE, DATE_IN_NAME, DATE_IN_TITLE)
IN_NAMES = (IN_NAME, IN_PATH)
"""Versions in names that bind documents: those whose names are the same but for it."""

OUT_OF_FORCE = frozenset(
    "archived archive obsolete superseded deprecated retired withdrawn outdated expired replaced draft inactive".split()
)
NO = frozenset(("", "false", "no", "0", "none", "null", "n", "off"))

_SEPARATORS = re.compile(r"[\s_\-]+")
_PREFIX = re.compile(r"^(?:article|og|dc|dcterms|schema|meta)[:.]")
_KNOWN = {_SEPARATORS.sub("", name): meaning for meaning, names in MEANINGS.items() for name in names.split(", ")}

_NUMBER = r"\d+(?:\.\d+)*(?:[-_.]?(?:alpha|beta|a|b|rc|pre)[-_.]?\d*)?"
_VERSION = re.compile(
    rf"(?:(?:v|ver|version|rev|revision)[\s._-]*)?({_NUMBER})(?:\+\w+)?(?:(?:st|nd|rd|th)?[\s-]*(?:edition|ed\.?))?", re.I
)
_MARKED = re.compile(
    r"(?<![a-z0-9])(?:(?:v|ver|version|rev|revision)[\s._-]?(?P<marked>\d{1,4}(?:\.\d+)*)"
    r"|(?<=/)(?P<folder>\d+\.\d+(?:\.\d+)?)(?=/)"
    r"|(?P<edition>\d{1,4})(?:st|nd|rd|th)?[\s_-]edition)(?![a-z0-9])",
    re.I,
)
"""A version in a name: "v2", "rev 3", a folder "1.10", "2nd edition"."""

LONGEST_VERSION = 100
"""Characters: what has more is no version."""

_PRE_RELEASE = re.compile(r"[a-z]+", re.I)


@dataclass(frozen=True)
class Age:
    """What a document says of its age.

    `values` come in the order of `ALL_ORDERING`. `stems` are its id and its path with the version taken out, by `IN_NAMES`;
    without those that have none.
    """

    superseded: bool = False
    by: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    family: str = ""
    values: Mapping[Key, Interval] = field(default_factory=dict)
    stems: Mapping[str, str] = field(default_factory=dict)


@functools.lru_cache(4096)  # a corpus has the same fields in document after document
def meaning_of(name: str) -> str:
    """What a field of this name means, a key of `MEANINGS`; "" where it says nothing of age."""
    return _KNOWN.get(_SEPARATORS.sub("", _PREFIX.sub("", name.strip().casefold())), "")


def age_of(document: Document) -> Age:
    """Read it. Metadata goes before front matter, and of several fields of one meaning the first that can be read counts."""
    fields: dict[str, list[Any]] = {}
    for name, value in (*document.metadata.items(), *front_matter(document.text).items()):
        if value is not None and (meaning := meaning_of(str(name))):
            fields.setdefault(meaning, []).append(value)
    values = dict(_values(fields))
    path = next((value for value in fields.get("path", ()) if isinstance(value, str)), "")
    stems = {
        IN_NAME: _read_name(document.id, IN_NAME, DATE_IN_NAME, values),
        IN_PATH: _read_name(path, IN_PATH, "", values),
    }
    _read_name(document.title, IN_TITLE, DATE_IN_TITLE, values)
    return Age(
        superseded=_out_of_force(fields),
        by=tuple(_ids(fields.get("superseded_by", ()))),
        replaces=tuple(_ids(fields.get("replaces", ()))),
        family=next((repr(value) for value in fields.get("family", ())), ""),
        values={key: values[key] for meaning in ALL_ORDERING for key in values if key[0] == meaning},
        stems={name: stem for name, stem in stems.items() if (name, "number") in values},
    )


def comes_before(one: Mapping[Key, Interval], other: Mapping[Key, Interval]) -> str:
    """The first meaning by which values come before others; "" where nothing says so, or two meanings contradict each other."""
    earlier = ""
    for key in one:
        if key in other:
            (low, high), (other_low, other_high) = one[key], other[key]
            if other_high < low:
                return ""
            earlier = earlier or (key[0] if high < other_low else "")
    return earlier


def _out_of_force(fields: Mapping[str, list[Any]]) -> bool:
    marked = any(str(value).strip().casefold() not in NO for value in fields.get("superseded", ()))
    not_current = any(str(value).strip().casefold() in NO - {""} for value in fields.get("current", ()))
    return marked or not_current or any(str(value).strip().casefold() in OUT_OF_FORCE for value in fields.get("status", ()))


def _ids(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from map(str, value if isinstance(value, (list, tuple)) else [value])


def _values(fields: Mapping[str, list[Any]]) -> Iterator[tuple[Key, Interval]]:
    for meaning in ORDERING:
        for value in fields.get(meaning, ()):
            number = _number(value) if meaning == "version" else None
            interval = number or period(value)
            if interval is not None:
                yield (meaning, "number" if number else "day"), interval
                break


def _number(value: Any) -> Interval | None:
    """A version as numbers: 1.10 comes after 1.9, and 2.0-rc1 before 2.0, which is 2. None for one that is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(value).strip()
    match = _VERSION.fullmatch(text) if len(text) <= LONGEST_VERSION else None
    if not match or (isinstance(value, str) and re.fullmatch(r"(?:19|20)\d\d[-.]?\d\d[-.]?\d\d", value.strip())):
        return None
    return _numbers(match[1])


def _numbers(text: str) -> Interval:
    pre = _PRE_RELEASE.search(text)
    release = text[: pre.start()] if pre else text
    numbers = [int(part) for part in re.findall(r"\d+", release)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    stage = [pre[0].casefold(), *(int(n) for n in re.findall(r"\d+", text[pre.end() :]))] if pre else []
    key = (tuple(numbers), not pre, tuple(map(str, stage[:1])), tuple(stage[1:]))
    return key, key


def _read_name(name: str, version: str, date: str, values: dict[Key, Interval]) -> str:
    """Add the version and the date in a name to `values`; the name without its version. Without a `date` no date is read: in
    paths it may be that of a crawl.

    A name with two versions, or two dates, says nothing: which of them is its age is not known.
    """
    marks = list(_MARKED.finditer(name))
    stem = _MARKED.sub("#", name) if marks else name
    if len(marks) == 1:
        number = next(group for group in marks[0].groups() if group)
        values |= {(version, "number"): _numbers(number)} if len(number) <= LONGEST_VERSION else {}
    days = dates_in(stem) if date else []
    if len(days) == 1:
        values[date, "day"] = days[0]
    return stem.casefold()
