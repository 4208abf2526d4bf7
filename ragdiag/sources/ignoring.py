"""What of a folder is left out unread: by ``--exclude``, by ``.gitignore``, what is hidden, and folders of others' packages."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from ragdiag.core.errors import UsageError
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

    spec: GitIgnoreSpec
    above: tuple[str, ...] = ()
    depth: int = 0

    def says(self, inside: Sequence[str], is_folder: bool) -> bool | None:
        """Whether it leaves out what is at `inside`, a path in the corpus; None where no pattern matches."""
        return self.spec.check_file("/".join((*self.above, *inside[self.depth :])) + "/" * is_folder).include


class Rules:
    """What is left out of one corpus, and why. Raises `UsageError` for an `exclude` that is no pattern.

    `parents` are the ``.gitignore`` files above the root that count for it.
    """

    def __init__(self, root: Path, exclude: Sequence[str] = (), heed_gitignore: bool = True) -> None:
        patterns = ["/" + pattern[2:] if pattern.startswith("./") else pattern for pattern in exclude]
        self._idle = {given: _parsed(pattern, given) for given, pattern in zip(exclude, patterns, strict=True)}
        self._exclude = GitIgnoreSpec.from_lines(patterns)
        self._heed_gitignore = heed_gitignore
        self.parents = _parents(root) if heed_gitignore else ()

    def reason(self, path: Path, inside: Sequence[str], is_folder: bool, ignoring: Sequence[Ignoring], is_named: bool) -> str:
        """Why what is at `path` is left out, "" where it is not; of what `is_named` by the user only ``--exclude`` does."""
        if not is_named and is_folder and _is_of_packages(path):
            return path.name
        if not is_named and path.name.startswith("."):
            return HIDDEN
        excluded = self._excluded("/".join(inside) + "/" * is_folder)
        if excluded or is_named or excluded is False:
            return EXCLUDE if excluded else ""
        ignored = (said for each in reversed(ignoring) if (said := each.says(inside, is_folder)) is not None)
        return GITIGNORE if next(ignored, False) else ""

    def _excluded(self, relative: str) -> bool | None:
        for pattern in [p for p, spec in self._idle.items() if spec.check_file(relative).include is not None]:
            del self._idle[pattern]
        return self._exclude.check_file(relative).include

    def below(self, folder: Path, depth: int, ignoring: tuple[Ignoring, ...]) -> tuple[Ignoring, ...]:
        """`ignoring`, with what the folder's own ``.gitignore`` says. Raises `OSError` where that cannot be read."""
        spec = _read(folder / GITIGNORE) if self._heed_gitignore else None
        return ignoring if spec is None else (*ignoring, Ignoring(spec, depth=depth))

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


def mode_of(path: Path, follow_links: bool = True) -> int:
    """The file mode; 0 where there is nothing, or nothing that we may see."""
    try:
        return path.stat(follow_symlinks=follow_links).st_mode
    except (OSError, ValueError):
        return 0


def _is_of_packages(folder: Path) -> bool:
    return folder.name in PACKAGES or stat.S_ISREG(mode_of(folder / "pyvenv.cfg"))


def _parsed(pattern: str, given: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines([pattern])
    except ValueError as e:
        raise UsageError(f"--exclude {given!r} is no pattern of .gitignore, such as 'drafts/' or '*.html'") from e


def _read(file: Path) -> GitIgnoreSpec | None:
    """The patterns of a file, None where there is none. As git does, what is no pattern is passed over."""
    if not stat.S_ISREG(mode_of(file)):
        return None
    patterns = []
    for pattern in file.read_bytes().decode("utf-8-sig", "surrogateescape").splitlines():
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            continue
        patterns.append(pattern)
    return GitIgnoreSpec.from_lines(patterns)


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
    specs = []
    for folder in reversed(folders[1 : top + 1]):
        try:
            spec = _read(folder / GITIGNORE)
        except OSError:  # it is not ours to judge what lies outside of the corpus
            continue
        if spec is not None:
            specs.append(Ignoring(spec, real.relative_to(folder).parts))
    ignored = (said for each in reversed(specs) if (said := each.says((), True)) is not None)
    return () if next(ignored, False) else tuple(specs)
