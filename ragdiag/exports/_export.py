"""What a form of export promises, and how its files are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.options import Options, check_kind
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.registry import make
from ragdiag.core.writing import check_writable, make_folder, write_atomically

__all__ = ["Export", "export", "exporter_for"]


class Export(Protocol):
    """Turns a configuration into files."""

    @property
    def one_file(self) -> bool:
        """Whether it is one file, of the name that the user gives; else it is a folder of that name."""
        ...

    def files(self, corpus: str | Path, options: Options, progress: Progress) -> Mapping[str, bytes]:
        """The files by name, of one the name does not matter. Raises `SpecError` for what cannot be had in this form."""
        ...


def export(
    corpus: str | Path, form: str, out: str | Path, options: Options | None = None, progress: Progress = no_progress
) -> list[Path]:
    """Write the configuration `options` over `corpus` in a form such as ``langchain``; the files that were written.

    `out` is a folder, made where it is not there, or for a form of one file that file. What else is in a folder stays. Raises
    `SpecError` for a form that is not known and for what a form cannot have, `UsageError` where `out` cannot be written.
    """
    options, exporter, place = options or Options(), exporter_for(form, out), Path(out)
    _check(options)
    made: Mapping[str, bytes] = exporter.files(corpus, options, progress)
    if exporter.one_file:
        written = dict(zip([place], made.values(), strict=True))
    else:
        make_folder(place)
        written = {place / name: content for name, content in made.items()}
    for path, content in written.items():
        write_atomically(path, content)
    return list(written)


def exporter_for(form: str, out: str | Path) -> Export:
    """What writes a form to `out`. Raises as `export` does, before any work is done."""
    check_kind("form", form, str)
    check_kind("out", out, str, Path)
    exporter: Export = make("exports", form)
    place = Path(out)
    if exporter.one_file:
        check_writable(place)
    elif place.exists() and not place.is_dir():
        raise UsageError(f"cannot write {place}: {form} is a folder of files, and this is a file; name a folder")
    elif not place.parent.is_dir():
        raise UsageError(f"cannot make the folder {place}: there is no {place.parent}; choose one whose parent exists")
    return exporter


def _check(options: Options) -> None:
    """Raise `SpecError` for what is the team's own already: there is nothing to hand over."""
    if options.run:
        raise SpecError("a recorded run cannot be exported: it says what was found, and not how; name a --retriever")
    if options.search is not None:
        raise SpecError("your own search cannot be exported: it is your code already; name a --retriever")
