"""What of a folder is left out unread: by ``--exclude``, by ``.gitignore``, what is hidden, and folders of others' packages."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.sources.gitignore import Pattern, parsed, verdict
from ragdiag.text.phrases import counted

__all__ = ["EXCLUDE", "GITIGNORE", "HISTORY", "Ignoring", "Rules", "mode_of", "said"]

EXCLUDE, GITIGNORE, HIDDEN = "--exclude", ".gitignore", "hidden"
"""Reasons for leaving a document out; a further one is the name of a folder of packages."""

HISTORY = frozenset({".git", ".hg", ".svn"})
"""Folders of version control: not even looked into."""

PACKAGES = frozenset({"node_modules", "bower_components", "site-packages", "__pycache__"})
"""Folders of what others wrote, by name. A Python environment, whatever its name, has a ``pyvenv.cfg``."""


class Ignoring(NamedTuple):
    """The patterns of one ``.gitignore``, and where it is: `above` are the folders from there down to the corpus' root, `depth`
    counts those from the root down to it.
    """

    patterns: Sequence[Pattern]
    above: tuple[str, ...] = ()
    depth: int = 0

    def says(self, inside: Sequence[str], is_folder: bool) -> bool | None:
        """Whether it leaves out what is at `inside`, a path in the corpus; None where no pattern matches."""
        return verdict(self.patterns, "/".join((*self.above, *inside[self.depth :])), is_folder)


class Rules:
    """What is left out of one corpus, and why. Raises `UsageError` for an `exclude` that is no pattern.

    `parents` are the ``.gitignore`` files above the root that count for it.
    """

    def __init__(self, root: Path, exclude: Sequence[str] = (), heed_gitignore: bool = True) -> None:
        self._idle = {given: _pattern(given) for given in exclude}
        self._exclude = tuple(self._idle.values())
        self._heed_gitignore = heed_gitignore
        self.parents = _parents(root) if heed_gitignore else ()

    def reason(self, path: Path, inside: Sequence[str], is_folder: bool, ignoring: Sequence[Ignoring], is_named: bool) -> str:
        """Why what is at `path` is left out, "" where it is not; of what `is_named` by the user only ``--exclude`` does."""
        excluded = self._excluded("/".join(inside), is_folder)
        if is_named:
            return EXCLUDE if excluded else ""
        if is_folder and _is_of_packages(path):
            return path.name
        if path.name.startswith("."):
            return HIDDEN
        if excluded is not None:
            return EXCLUDE if excluded else ""
        return GITIGNORE if _is_ignored(inside, is_folder, ignoring) else ""

    def _excluded(self, relative: str, is_folder: bool) -> bool | None:
        for given in [given for given, pattern in self._idle.items() if pattern.matches(relative, is_folder)]:
            del self._idle[given]
        return verdict(self._exclude, relative, is_folder)

    def below(self, folder: Path, depth: int, ignoring: tuple[Ignoring, ...]) -> tuple[Ignoring, ...]:
        """`ignoring`, with what the folder's own ``.gitignore`` says. Raises `OSError` where that cannot be read."""
        patterns = _read(folder / GITIGNORE) if self._heed_gitignore else ()
        return (*ignoring, Ignoring(patterns, depth=depth)) if patterns else ignoring

    def idle(self) -> Iterator[str]:
        """A note for each pattern of ``--exclude`` that matched nothing."""
        for pattern in self._idle:
            yield f"--exclude {pattern!r} matches nothing: patterns are those of .gitignore, from the corpus' folder on"


def said(left_out: Iterable[tuple[str, int]]) -> Iterator[str]:
    """How many documents are left out for each reason, in words."""
    for reason, n in sorted(left_out):
        documents = f"{counted(n, 'document')} {'is' if n == 1 else 'are'}"
        if reason == GITIGNORE:
            yield f"{documents} left out by .gitignore (--exclude '!*' reads what it leaves out)"
        elif reason == EXCLUDE:
            yield f"{documents} left out by --exclude"
        elif reason == HIDDEN:
            yield f"{documents} left out as hidden: a name on the way there begins with a dot"
        else:
            yield f"{documents} left out in {reason}, which holds what others wrote; to read them, name that folder"


def _is_ignored(inside: Sequence[str], is_folder: bool, ignoring: Sequence[Ignoring]) -> bool:
    """What the nearest ``.gitignore`` says that has a pattern for it."""
    verdicts = (each.says(inside, is_folder) for each in reversed(ignoring))
    return next((ignored for ignored in verdicts if ignored is not None), False)


def mode_of(path: Path, follow_links: bool = True) -> int:
    """The file mode; 0 where there is nothing, or nothing that we may see."""
    try:
        return path.stat(follow_symlinks=follow_links).st_mode
    except (OSError, ValueError):
        return 0


def _is_of_packages(folder: Path) -> bool:
    return folder.name in PACKAGES or stat.S_ISREG(mode_of(folder / "pyvenv.cfg"))


def _pattern(given: str) -> Pattern:
    pattern = parsed("/" + given[2:] if given.startswith("./") else given)
    if pattern is None:
        raise UsageError(f"--exclude {given!r} is no pattern of .gitignore, such as 'drafts/' or '*.html'")
    return pattern


def _read(file: Path) -> Sequence[Pattern]:
    """The patterns of a file, none where there is no file. As git does, what is no pattern is passed over."""
    if not stat.S_ISREG(mode_of(file)):
        return ()
    lines = file.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    return tuple(pattern for line in lines if (pattern := parsed(line)))


def _parents(root: Path) -> tuple[Ignoring, ...]:
    """The ``.gitignore`` files from the repository's top down to the folder above `root`.

    None where they leave out the root itself: whoever names an ignored folder wants to read it.
    """
    try:
        real = root.resolve()
    except (OSError, RuntimeError):
        return ()
    folders = [real, *real.parents]
    top = next((i for i, folder in enumerate(folders) if mode_of(folder / ".git")), 0)
    parts, files = real.relative_to(folders[top]).parts, list[Ignoring]()
    for depth, folder in enumerate(reversed(folders[1 : top + 1])):
        with contextlib.suppress(OSError):  # it is not ours to judge what lies outside of the corpus
            files.append(Ignoring(_read(folder / GITIGNORE), depth=depth))
    for n in range(1, len(parts) + 1):
        if _is_ignored(parts[:n], True, [file for file in files if file.depth < n]):
            return ()
    return tuple(Ignoring(file.patterns, parts[file.depth :]) for file in files)
