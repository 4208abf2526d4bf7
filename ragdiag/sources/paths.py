"""Which documents others may mean by a path, an address or a file name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from ragdiag.core.records import Corpus
from ragdiag.sources.naming import DocumentNames
from ragdiag.text.unicode import normalize

__all__ = ["Paths"]


class Paths:
    """The documents of a corpus by what others call them: paths with other folders before them, addresses, file names alone.

    The paths are their ids, and those of the files that they are.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._ids = DocumentNames(corpus)
        self._by_ending: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
        files = Counter(document.file for document in corpus.documents)
        for i, document in enumerate(corpus.documents):
            parts = _parts(document.id)
            self._whole[parts].append(i)
            # A docs.jsonl gives another id than the file's name, which an index may know it by.
            own = _parts(document.file) if document.file and files[document.file] == 1 else ()
            for ending in dict.fromkeys([*_endings(parts), *_endings(own)]):
                self._by_ending[ending].append(i)

    def documents(self, name: str) -> list[int]:
        """The documents that `name` may mean: the one of that id, else those whose path ends as it does, for longest."""
        for written in dict.fromkeys((name, _as_path(name))):
            if (known := self._ids.position(written)) is not None:
                return [known]
            if alike := self._ending_alike(_parts(written)):
                return alike
        return []

    def _ending_alike(self, parts: tuple[str, ...]) -> list[int]:
        """Those that share the most folders, counted from the file name; of these, an id that is wholly in the name."""
        longest = next((ending for ending in _endings(parts) if ending in self._by_ending), ())
        return self._whole.get(longest, []) or self._by_ending.get(longest, [])


def _endings(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The ends of a path, the longest first: the whole, without its first folder, ..., the file name."""
    return (parts[n:] for n in range(len(parts)))


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the file name of a path, as any system writes it, in one normal form."""
    parts = normalize("NFC", path).replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".")) or (path,)


def _as_path(name: str) -> str:
    """An address (``file:///C:/docs/a%20b.md``, ``https://...?page=2``) as a path; of a path, what percent signs stand for."""
    return unquote(urlsplit(name).path if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name) else name)
