"""Finding documents: one file, a folder with those below it, or a glob."""

from __future__ import annotations

import errno
import fnmatch
import glob
import itertools
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.records import Problem
from ragdiag.sources.ignoring import EXCLUDE, GITIGNORE, HISTORY, Ignoring, Rules, mode_of, said
from ragdiag.sources.loaders import KINDS

__all__ = ["KNOWN", "Contents", "absolute", "found", "matches", "starting_at"]

KNOWN = "documents are " + " ".join(KINDS) + " and corpus.jsonl"

LABEL_FILE = re.compile(r"(docs|queries|answers).*\.jsonl", re.I)
LOOP = "is a symbolic link that leads back to itself"


def absolute(path: Path) -> Path:
    """With a link under the name that it is listed by, which `Path.resolve` would follow."""
    return Path(os.path.normpath(path.absolute()))


@dataclass
class Contents:
    """What a folder holds that matches `pattern`: `files` by their path in it, and everything else.

    `accounted` are absolute paths of which nothing more needs to be said; `left_out` counts documents by why they are left out.
    """

    root: Path
    pattern: Sequence[str]
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    accounted: set[Path] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

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

    def fail(self, path: Path, message: str, partly: bool = False) -> None:
        """Note a problem; `partly`: the rest of the document is read."""
        self.accounted.add(absolute(path))
        self.problems.append(Problem(os.fsencode(path).decode("utf-8", "replace"), message, partly))

    def leave_out(self, path: Path, reason: str) -> None:
        """Count a document that is not read."""
        if path.suffix.lower() in KINDS:
            self.accounted |= {absolute(path)} if reason == EXCLUDE else set()
            self.left_out[reason] += 1


class _Folder(NamedTuple):
    """A folder to look into: where it is in the corpus, the identities of those above it, which ``.gitignore`` files hold
    there, and why all of it is left out, "" where it is not.
    """

    path: Path
    inside: tuple[str, ...] = ()
    above: frozenset[tuple[int, int]] = frozenset()
    ignoring: tuple[Ignoring, ...] = ()
    reason: str = ""


def starting_at(path: Path) -> Contents:
    """Where to look for the documents at `path`, a folder, one file, or a glob. Raises `InputError` where there is nothing."""
    if stat.S_ISDIR(mode_of(path)):
        return Contents(path, ("**", "*"))
    if mode_of(path, follow_links=False):
        if path.suffix.lower() not in KINDS:
            raise InputError(f"is of a kind that is not read ({path.suffix or 'no suffix'})", path, remedy=KNOWN)
        contents = Contents(path.parent, (glob.escape(path.name),))
        contents.add(path.name, path)
        return contents
    fixed = list(itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    if len(fixed) == len(path.parts) or not stat.S_ISDIR(mode_of(Path(*fixed))):
        raise InputError("there is no such file or folder", path, remedy="check the path")
    return Contents(Path(*fixed), path.parts[len(fixed) :])


def found(path: Path, contents: Contents, listed: Collection[Path], exclude: Sequence[str]) -> Contents:
    """What is at `path`, where `contents` starts; files that are `listed`, as absolute paths, are not left out for being ignored.

    Where ``.gitignore`` would leave out every document it is not heeded. Raises `UsageError` for a broken pattern of `exclude`.
    """
    rules = Rules(contents.root, exclude)
    if not stat.S_ISDIR(mode_of(path)) and mode_of(path, follow_links=False):
        return contents  # one file, named: it is read whatever would leave it out
    whole = _walk(Contents(contents.root, contents.pattern), rules, listed)
    if not whole.files and whole.left_out[GITIGNORE]:
        rules = Rules(contents.root, exclude, heed_gitignore=False)
        whole = _walk(Contents(contents.root, contents.pattern), rules, listed)
        whole.notes.append(".gitignore would leave out every document here: they are read all the same")
    whole.notes += [*said(whole.left_out.items()), *rules.idle()]
    return whole


def _walk(contents: Contents, rules: Rules, listed: Collection[Path]) -> Contents:
    """Fill `contents` from its folder and those below, links followed; what is left out is only counted."""
    stack = [_Folder(contents.root, ignoring=rules.parents)]
    while stack:
        folder = stack.pop()
        try:
            status, paths = folder.path.stat(), sorted(folder.path.iterdir(), reverse=True)
        except OSError as e:
            if not folder.reason:
                contents.fail(folder.path, f"cannot be read ({e.strerror}); check its permissions")
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in folder.above:
            contents.fail(folder.path, f"{LOOP}; remove it")
            continue
        if not folder.reason:
            folder = folder._replace(above=folder.above | {identity}, ignoring=_ignoring(contents, rules, folder))
        for path in paths:
            below = _entered(contents, rules, folder, path, listed)
            stack += [below] if below else []
    return contents


def _ignoring(contents: Contents, rules: Rules, folder: _Folder) -> tuple[Ignoring, ...]:
    try:
        return rules.below(folder.path, len(folder.inside), folder.ignoring)
    except OSError as e:
        why = f"cannot be read ({e.strerror}), so it leaves nothing out; check its permissions"
        contents.fail(folder.path / GITIGNORE, why, partly=True)
        return folder.ignoring


def _entered(contents: Contents, rules: Rules, folder: _Folder, path: Path, listed: Collection[Path]) -> _Folder | None:
    """Take in what is at `path`, in `folder`: a folder is to be looked into later, a file belongs to `contents`."""
    inside, reason = (*folder.inside, path.name), folder.reason
    # Links are not followed where nothing is read: package managers link folders to one another without end.
    is_folder = stat.S_ISDIR(mode_of(path, follow_links=not reason)) and path.suffix.lower() not in KINDS
    if not (_leads_to if is_folder else matches)(inside, contents.pattern) or (is_folder and path.name in HISTORY):
        return None
    reason = reason or rules.reason(path, inside, is_folder, folder.ignoring, path.name in contents.pattern)
    if is_folder:
        return folder._replace(path=path, inside=inside, reason=reason)
    if reason and (reason == EXCLUDE or absolute(path) not in listed):
        contents.leave_out(path, reason)
    else:
        contents.add("/".join(inside), path)
    return None


def matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Does a path match a glob? ``**`` stands for any number of folders."""
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] == "**":
        rest = pattern[1:] or ("*",)
        return any(matches(parts[i:], rest) for i in range(len(parts)))
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])


def _leads_to(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """May a folder hold something that matches?"""
    for part, glob_part in zip(parts, pattern, strict=False):
        if glob_part == "**":
            return True
        if not fnmatch.fnmatchcase(part, glob_part):
            return False
    return len(parts) < len(pattern)
