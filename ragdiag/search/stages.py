"""The stages that a recorded run or a search gives for a query: what was found, and what each later step left of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError, did_you_mean
from ragdiag.core.records import STAGES, StoredChunk

__all__ = ["Stage", "linked", "longer", "no_list", "stage_lists"]

REMEDY = f"give lists of results under any of {', '.join(STAGES)}"


class Stage(NamedTuple):
    """What one stage holds, best first."""

    name: str
    chunks: tuple[StoredChunk, ...]


def stage_lists(given: object, file: str | Path, line: int = 0) -> dict[str, object]:
    """What is given for each stage, in the order of the pipeline; null is as good as absent.

    Raises `InputError` for what is no object, has no stage, or has one of an unknown name.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"'stages' is a {type(given).__name__}, not an object", file, line, REMEDY)
    for name in given:
        if name not in STAGES:
            raise InputError(f"unknown stage {name!r}{did_you_mean(str(name), STAGES)}", file, line, "mend its name")
    lists = {name: given[name] for name in STAGES if given.get(name) is not None}
    if not lists:
        raise InputError("'stages' has no stage", file, line, REMEDY)
    return lists


def no_list(name: str, given: object, file: str | Path, line: int = 0) -> InputError:
    """For a stage that is something else than a list of results."""
    return InputError(f"stage {name!r} is a {type(given).__name__}, not a list", file, line, REMEDY)


def linked(stages: Mapping[str, tuple[StoredChunk, ...]]) -> tuple[Stage, ...]:
    """The stages, in which a chunk that says no more than an id is the one that an earlier stage has under it."""
    known: dict[str, StoredChunk] = {}
    done = []
    for name, chunks in stages.items():
        whole = tuple(known.get(chunk.id or chunk.text, chunk) if _is_bare(chunk) else chunk for chunk in chunks)
        for chunk in whole:
            if chunk.id:
                known.setdefault(chunk.id, chunk)
        done.append(Stage(name, whole))
    return tuple(done)


def longer(prompted: Sequence[int], k: int) -> Iterator[str]:
    """A note where prompts hold more chunks than the context that is scored; `prompted` are their lengths."""
    if more := [n for n in prompted if n > k]:
        most = f"more than k {k} chunks, of which the first {k} are scored: -k {max(more)} scores all"
        yield f"{len(more)} of {len(prompted)} prompts hold {most}"


def _is_bare(chunk: StoredChunk) -> bool:
    """Whether a chunk has a name alone; a text that is an id was meant as one."""
    return not chunk.doc_id and not (chunk.id and chunk.text)
