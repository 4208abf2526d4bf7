"""A configuration in the hands of an engine's worker: all that it needs of the caller's machine travels with the task."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ragdiag.core.files import read_bytes
from ragdiag.core.lending import Borrowed, Lent, borrowed
from ragdiag.core.options import Options
from ragdiag.search.precision import decided, following

__all__ = ["Luggage", "unpacked"]

NAMED = ("chunks", "run")
"""Options whose file a worker needs."""


@dataclasses.dataclass(frozen=True)
class Luggage:
    """Of a configuration, the files that it names, by option, each a name and its content; the precisions of its models."""

    files: Mapping[str, tuple[str, bytes]]
    precisions: Mapping[str, str]

    @classmethod
    def of(cls, options: Options) -> Luggage:
        """Raises `InputError` for a file that cannot be read."""
        paths = {name: Path(getattr(options, name)) for name in NAMED if getattr(options, name)}
        return cls({name: (path.name, read_bytes(path)) for name, path in paths.items()}, decided())


@contextmanager
def unpacked(options: Options, lent: Lent, luggage: Luggage) -> Iterator[tuple[Options, Borrowed]]:
    """A configuration as this worker can use it, and the store of what it was lent."""
    with tempfile.TemporaryDirectory() as folder, following(luggage.precisions):
        paths = {option: _written(Path(folder) / option, *file) for option, file in luggage.files.items()}
        chunks, run = paths.get("chunks", options.chunks), paths.get("run", options.run)
        yield dataclasses.replace(options, cache=None, chunks=chunks, run=run), borrowed(lent)


def _written(folder: Path, name: str, content: bytes) -> Path:
    """A file under its own name, which results repeat."""
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder / name
