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

LAYERS = {
    "Dense": "dense",
    "Dropout": "dropout",
    "LayerNorm": "layer_norm",
    "LogitScore": "logit_score",
    "Normalize": "normalize",
    "Pooling": "pooling",
    "StaticEmbedding": "static_embedding",
    "Transformer": "transformer",
    "WeightedLayerPooling": "weighted_layer_pooling",
}
"""The classes that a model may be made of, and their modules. Any other might load a model by itself, without our arguments:
`Router` and `SentenceTransformer` do."""

HOMES = ("models", "base.modules", "sentence_transformer.modules", "cross_encoder.modules")
LAYER_NAMES = {
    f"sentence_transformers.{home}.{name}"
    for home in HOMES
    for layer, module in LAYERS.items()
    for name in (layer, f"{layer}.{layer}", f"{module}.{layer}")
}
"""How models name them, depending on the version that wrote them."""

SETTINGS = frozenset(
    "max_seq_length do_lower_case transformer_task modality_config module_output_name processing_kwargs unpad_inputs "
    "model_args model_kwargs tokenizer_args processor_kwargs config_args config_kwargs "  # and what may stand in them
    "trust_remote_code add_pooling_layer attn_implementation torch_dtype dtype num_labels is_causal use_cache "
    "use_fast model_max_length padding_side truncation_side padding truncation max_length add_special_tokens "
    "text message image audio video common method method_output_name format chat_template add_generation_prompt".split()
)
"""What may be set for a model's `Transformer`, which hands it on: other keys choose pickled weights, or files from elsewhere."""

HANDED_ON = re.compile(r"\w+_(kw)?args")
"""What no model sets for all of its layers today."""

METHOD = re.compile(r"forward|get_\w+_features")
TASKS = ("feature-extraction", "sequence-classification", "text-generation", "fill-mask")

MOST_JSON = 2**28
"""Bytes of a JSON file that is read; the largest tokenizers have an eighth of that."""


class Rule(NamedTuple):
    """What no text under `key` may be, in the JSON files whose names match `files`; names without a dot are of the library."""

    key: re.Pattern[str]
    is_wrong: Callable[[str], object]
    says: str
    files: re.Pattern[str] = re.compile(r".*")


MODULES = re.compile(r"modules\.json")
TRANSFORMER = re.compile(r"sentence_[\w-]+_config\.json")
WHOLE = re.compile(r"config_sentence_transformers\.json")
NO_PICKLES = re.compile(r"(?!.*\.bin\.index\.json).*")
"""A list of pickled weights may name some, where safe ones lie beside it."""

FOREIGN = "names a class that is not of sentence-transformers"
NO_LAYER = "names a class that may load a model in its own way"

RULES = (
    Rule(re.compile("auto_map|custom_pipelines|trust_remote_code"), lambda _: True, "asks for code of its own"),
    Rule(re.compile("types"), lambda text: not OUR_CLASS.fullmatch(text), FOREIGN),
    Rule(re.compile("type"), lambda text: not OUR_CLASS.fullmatch(text), FOREIGN, MODULES),
    Rule(re.compile("type"), lambda text: text not in LAYER_NAMES, NO_LAYER, MODULES),
    Rule(re.compile(".*"), lambda _: True, "sends texts to models of their own", re.compile(r"router_config\.json")),
    Rule(re.compile("method"), lambda text: not METHOD.fullmatch(text), "names a method that embeds nothing", TRANSFORMER),
    Rule(re.compile("transformer_task"), lambda text: text not in TASKS, "is for something other than text", TRANSFORMER),
    Rule(re.compile("tokenizer_class"), lambda text: "." in text and not OUR_CLASS.fullmatch(text), FOREIGN),
    Rule(re.compile(".*activation_f.*"), lambda text: "." in text and not TORCH.fullmatch(text), "names code of its own"),
    Rule(re.compile(".*_implementation(_internal)?"), lambda text: "/" in text, "asks for code of the hub"),
    Rule(
        re.compile("weight_map|transformers_weights"),
        lambda text: not text.endswith(SAFE_ENDS),
        "names pickled weights",
        NO_PICKLES,
    ),
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
    files = stamped(folder)
    _check_links(folder, [file.path for file in files])
    _check(folder, files)
    return folder


def _check_links(folder: Path, files: Sequence[Path]) -> None:
    """A file lies in the folder, or, in the hub's cache, among the `blobs` of the same model, which its snapshots link to."""
    home = folder.resolve()
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    for path in files:
        if path.is_symlink() and not {home, blobs} & set(path.resolve().parents):
            raise _refused(path, "is a link out of the model's folder", "put the file itself there")


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
    for path, size, _ in files:
        name = path.name.lower()
        if name.endswith(PICKLED) and not OPENVINO.fullmatch(name) and not _is_passed_over(path):
            raise _refused(path, "holds pickled weights, which can hold code", "use a model with model.safetensors in its place")
        if name.endswith(".json"):
            if size > MOST_JSON:
                raise _refused(path, f"has {size} bytes, more than any model's", "restore the file")
            _check_json(path, [rule for rule in RULES if rule.files.fullmatch(name)])


def _is_passed_over(pickled: Path) -> bool:
    """Whether safe weights lie beside pickled ones; layers that are no `Transformer` know of no weights in pieces."""
    safe = SAFE[:1] if pickled.name == "pytorch_model.bin" else SAFE
    return any((pickled.parent / name).is_file() for name in safe)


def _check_json(path: Path, rules: Sequence[Rule]) -> None:
    content = _parsed(path)
    _check_keys(path, content)
    for key, text in _texts(content):
        for rule in rules:
            if rule.key.fullmatch(key) and rule.is_wrong(text):
                raise _refused(path, f"{rule.says} ({key}: {text[:100]!r})", "choose a model that needs no code of its own")


def _check_keys(path: Path, content: object) -> None:
    """What sets something for a library's own loading sets nothing but what is known to be harmless, whatever the value."""
    name, wrong = path.name.lower(), list[str]()
    if TRANSFORMER.fullmatch(name):
        wrong = [key for key in _keys(content) if key not in SETTINGS]
    elif WHOLE.fullmatch(name) and isinstance(content, dict):
        wrong = [key for key in content if HANDED_ON.fullmatch(key)]
    if wrong:
        raise _refused(path, f"sets what may make a library load other files ({wrong[0][:100]!r})", "choose another model")


def _keys(value: object) -> Iterator[str]:
    """Every key of a JSON value, but for those of the outermost object that say nothing (null)."""
    stack = [{key: inner for key, inner in value.items() if inner is not None} if isinstance(value, dict) else value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            # `modality_config` has what is read together under one key, such as "image,text"
            yield from (word for key in part for word in key.split(","))
            stack += part.values()
        elif isinstance(part, list):
            stack += part


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
