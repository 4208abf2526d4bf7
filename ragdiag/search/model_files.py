"""A model's folder is data: what a library would run as code, unpickle or fetch from elsewhere is refused before one is asked.

Whether a library guards itself depends on its version, and a model of the hub comes to it as a folder, which some versions trust.
"""

from __future__ import annotations

import functools
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import SpecError

__all__ = ["Stamp", "checked", "setting", "stamped"]

PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".bin.index.json")
"""How the names of weights end whose format can hold code."""

SAFE_ENDS = ".safetensors"
SAFE = ("model.safetensors", "model.safetensors.index.json")
"""Weights that every library prefers to pickled ones that lie beside them."""

OPENVINO = re.compile(r"openvino_model\w*\.bin")
"""Plain numbers, which nothing here loads; the default model has them on the hub."""

OUR_CLASS = re.compile(r"sentence_transformers(\.[A-Za-z_][A-Za-z0-9_]*)+")
TORCH = re.compile(r"torch\.nn(\.[A-Za-z_][A-Za-z0-9_]*)+")


class Rule(NamedTuple):
    """What no text under `key` may be, in the JSON files whose names match `files`; names without a dot are of the library."""

    key: re.Pattern[str]
    is_wrong: Callable[[str], object]
    says: str
    files: re.Pattern[str] = re.compile(r".*")


MODULES = re.compile(r"modules\.json")
FOREIGN = "names a class that is not of sentence-transformers"

RULES = (
    Rule(re.compile("auto_map|custom_pipelines|trust_remote_code"), lambda _: True, "asks for code of its own"),
    Rule(re.compile("types"), lambda text: not OUR_CLASS.fullmatch(text), FOREIGN),
    Rule(re.compile("type"), lambda text: not OUR_CLASS.fullmatch(text), FOREIGN, MODULES),
    Rule(re.compile("tokenizer_class"), lambda text: "." in text and not OUR_CLASS.fullmatch(text), FOREIGN),
    Rule(re.compile(".*activation_f.*"), lambda text: "." in text and not TORCH.fullmatch(text), "names code of its own"),
    Rule(re.compile(".*_implementation(_internal)?"), lambda text: "/" in text, "asks for code of the hub"),
    Rule(re.compile("weight_map|transformers_weights"), lambda text: not text.endswith(SAFE_ENDS), "names pickled weights"),
    Rule(re.compile("path"), lambda text: Path(text).is_absolute() or ".." in Path(text).parts, "leads elsewhere", MODULES),
    Rule(re.compile(".*"), lambda _: True, "is an adapter of a model that is not here", re.compile(r"adapter_config\.json")),
)
"""What libraries import, unpickle or fetch because a model's configuration says so."""


class Stamp(NamedTuple):
    """A file, its size in bytes, and when it was last changed."""

    path: Path
    size: int
    changed_ns: int


def checked(folder: Path) -> Path:
    """`folder`, once it is seen to hold data only. Raises `SpecError` that names the file and what it would bring about."""
    _check(folder, stamped(folder))
    return folder


def stamped(folder: Path) -> tuple[Stamp, ...]:
    """Every file of a model's folder and of those in it, sorted. Raises `SpecError` for a link to a folder, and for a pipe."""
    stamps = list[Stamp]()
    for here, folders, names in os.walk(folder, onerror=_unreadable):
        for name in folders:
            if (path := Path(here, name)).is_symlink():
                raise _refused(path, "is a link to a folder, which would be no part of the model", "put the folder itself there")
        stamps += [_stamp(Path(here, name)) for name in names]
    return tuple(sorted(stamps))


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError as e:
        raise _refused(path, f"cannot be read ({e.strerror})", "restore the file") from e
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "is no regular file", "take it out of the model's folder")
    return Stamp(path, status.st_size, status.st_mtime_ns)


def _unreadable(error: OSError) -> None:
    raise _refused(Path(error.filename), f"cannot be read ({error.strerror})", "check the folder") from error


def _refused(path: Path, why: str, remedy: str) -> SpecError:
    return SpecError(f"{path}: {why}; {remedy}")


@functools.cache
def _check(folder: Path, files: tuple[Stamp, ...]) -> None:
    """Seen once while no file changes."""
    for path, _, _ in files:
        name = path.name.lower()
        if name.endswith(PICKLED) and not OPENVINO.fullmatch(name) and not any((path.parent / safe).is_file() for safe in SAFE):
            raise _refused(path, "holds pickled weights, which can hold code", "use a model with model.safetensors in its place")
        if name.endswith(".json"):
            _check_json(path, [rule for rule in RULES if rule.files.fullmatch(name)])


def _check_json(path: Path, rules: Sequence[Rule]) -> None:
    for key, text in _texts(_parsed(path)):
        for rule in rules:
            if rule.key.fullmatch(key) and rule.is_wrong(text):
                raise _refused(path, f"{rule.says} ({key}: {text[:100]!r})", "choose a model that needs no code of its own")


def _parsed(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        raise _refused(path, f"is no JSON, so what it asks for cannot be told ({type(e).__name__})", "restore the file") from e


def setting(file: Path, name: str) -> object:
    """What a model's JSON file says of `name`, None where it says nothing, or is not there. Raises `SpecError` for no object."""
    content = _parsed(file) if file.is_file() else {}
    if not isinstance(content, dict):
        raise _refused(file, "holds no JSON object", "restore the file")
    return content.get(name)


def _texts(value: object) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value, and what is true, with each of the keys that it stands under."""
    stack: list[tuple[tuple[str, ...], object]] = [((), value)]
    while stack:
        keys, part = stack.pop()
        if isinstance(part, dict):
            stack += [((*keys, key), inner) for key, inner in part.items()]
        elif isinstance(part, list):
            stack += [(keys, inner) for inner in part]
        elif isinstance(part, str) or part is True:
            yield from ((key, str(part)) for key in keys)
