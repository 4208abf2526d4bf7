"""A model's folder is data: whatever would run, be unpickled or fetched because of it is refused, whatever the library allows."""

import contextlib
import hashlib
import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import no_progress
from ragdiag.core.remote import remote_part
from ragdiag.search import models
from ragdiag.search.encoder import Encoder
from ragdiag.search.model_files import LAYER_NAMES, LAYERS, checked
from ragdiag.search.models import from_hub
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.rerank import CrossEncoder, Rerank
from ragdiag.text.tokens import count_tokens

PART = "sentence_transformers.models.Transformer"
BERT = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}


def model(folder: Path, files: dict[str, Any]) -> Path:
    """A folder with a sound configuration, and these files in it: bytes as they are, anything else as JSON."""
    sound = {"config.json": BERT, "modules.json": [{"idx": 0, "name": "0", "path": "", "type": PART}], "model.safetensors": b""}
    for name, content in {**sound, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def parts(kind: str, path: str = "") -> list[dict[str, Any]]:
    return [{"idx": 0, "name": "0", "path": path, "type": kind}]


HOSTILE = {
    "a class of its own": ({"modules.json": parts("evil.Evil")}, "modules.json", "evil.Evil"),
    "a class by a prefix": (
        {"modules.json": parts("sentence_transformersx.Evil")},
        "modules.json",
        "sentence_transformersx.Evil",
    ),
    "a class of the library's name alone": ({"modules.json": parts("sentence_transformers")}, "modules.json", "not of sentence"),
    "an empty step": ({"modules.json": parts("sentence_transformers..evil")}, "modules.json", "sentence_transformers..evil"),
    "a class with a path": ({"modules.json": parts("sentence_transformers.x/../evil")}, "modules.json", "not of sentence"),
    "a class of a module in a subfolder": ({"1_Own/modules.json": parts("evil.Evil")}, "1_Own/modules.json", "evil.Evil"),
    "a class behind a router": ({"router_config.json": {"types": {"q": PART, "d": "evil.Evil"}}}, "router_config.json", "evil"),
    "a class behind an old router": ({"1_Asym/config.json": {"types": {"q": "evil.Evil"}}}, "1_Asym/config.json", "evil.Evil"),
    "a tokenizer of its own": ({"1_W/x_config.json": {"tokenizer_class": "evil.Words"}}, "1_W/x_config.json", "evil.Words"),
    "an activation of its own": ({"2_Dense/config.json": {"activation_function": "evil.Run"}}, "2_Dense/config.json", "evil.Run"),
    "an activation of another part of torch": ({"config.json": {"activation_fn": "torch.hub.load"}}, "config.json", "torch.hub"),
    "an old activation": ({"config.json": {"sbert_ce_default_activation_function": "evil.Run"}}, "config.json", "evil.Run"),
    "auto_map": ({"config.json": {**BERT, "auto_map": {"AutoModel": "evil.Evil"}}}, "config.json", "auto_map"),
    "auto_map of a tokenizer": ({"tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}}, "auto_map", ""),
    "auto_map within": ({"config.json": {"text_config": {"auto_map": {"AutoModel": "e.E"}}}}, "config.json", "auto_map"),
    "trust_remote_code": ({"sentence_bert_config.json": {"model_args": {"trust_remote_code": True}}}, "trust_remote_code", ""),
    "a kernel of the hub": ({"config.json": {**BERT, "attn_implementation": "someone/kernel"}}, "config.json", "someone/kernel"),
    "a kernel of a part": ({"config.json": {"_attn_implementation": {"text": "a/b:c"}}}, "config.json", "a/b:c"),
    "a part elsewhere": ({"modules.json": parts(PART, "../other")}, "modules.json", "../other"),
    "a part at a place of its own": ({"modules.json": parts(PART, "/other")}, "modules.json", "/other"),
    "an adapter": ({"adapter_config.json": {"base_model_name_or_path": "someone/base"}}, "adapter_config.json", "adapter"),
    "pickled weights of a part": ({"2_Dense/pytorch_model.bin": b"x"}, "2_Dense/pytorch_model.bin", "pickled"),
    "other pickled weights": ({"3_Own/weights.pt": b"x"}, "3_Own/weights.pt", "pickled"),
    "a pickle beside weights of another name": (
        {"1/x.safetensors": b"", "1/pytorch_model.bin": b""},
        "pytorch_model.bin",
        "pick",
    ),
    "weights by a list": ({"2/pytorch_model.bin.index.json": {"weight_map": {}}}, "pytorch_model.bin.index.json", "pickled"),
    "pickled weights of a layer that knows no list": (
        {"2_Dense/pytorch_model.bin": b"x", "2_Dense/model.safetensors.index.json": {"weight_map": {}}},
        "2_Dense/pytorch_model.bin",
        "pickled",
    ),
    "pickled weights in a sound list": ({"model.safetensors.index.json": {"weight_map": {"a": "x.bin"}}}, "index.json", "x.bin"),
    "a model within, by a router": ({"modules.json": parts("sentence_transformers.models.Router")}, "modules.json", "Router"),
    "a router elsewhere": (
        {"modules.json": parts("sentence_transformers.base.modules.router.Router")},
        "modules.json",
        "own way",
    ),
    "an old router": ({"modules.json": parts("sentence_transformers.models.Asym")}, "modules.json", "Asym"),
    "a model within": ({"modules.json": parts("sentence_transformers.SentenceTransformer", "sub")}, "modules.json", "own way"),
    "a cross-encoder within": ({"modules.json": parts("sentence_transformers.CrossEncoder")}, "modules.json", "CrossEncoder"),
    "a sparse model within": ({"modules.json": parts("sentence_transformers.SparseEncoder")}, "modules.json", "SparseEncoder"),
    "images": ({"modules.json": parts("sentence_transformers.models.CLIPModel")}, "modules.json", "CLIPModel"),
    "a layer by way of another module": (
        {"modules.json": parts("sentence_transformers.base.modules.router.Transformer")},
        "modules.json",
        "own way",
    ),
    "what a router goes to": ({"router_config.json": {"structure": {"query": ["sub"]}}}, "router_config.json", "of their own"),
    "what a router within goes to": ({"sub/router_config.json": {"structure": {"q": ["s"]}}}, "sub/router_config.json", "own"),
    **{
        f"{key} of {where}": ({"sentence_bert_config.json": {where: {key: value}}}, "sentence_bert_config.json", key)
        for where in ("model_args", "model_kwargs", "config_args", "tokenizer_args", "processor_kwargs")
        for key, value in {
            "weights_only": False,
            "use_safetensors": None,
            "variant": "fp16",
            "gguf_file": "x.gguf",
            "use_kernels": True,
            "code_revision": "main",
            "adapter_kwargs": {},
            "subfolder": "sub",
            "cache_dir": "/elsewhere",
        }.items()
    },
    "a tokenizer of the hub": ({"sentence_bert_config.json": {"tokenizer_name_or_path": "a/b"}}, "tokenizer_name_or_path", ""),
    "a tokenizer of a part": ({"sub/sentence_bert_config.json": {"tokenizer_name_or_path": "a/b"}}, "sub/sentence_bert", ""),
    "an old name": ({"sentence_xlm-roberta_config.json": {"model_args": {"weights_only": False}}}, "xlm-roberta", "weights_only"),
    "a picture from elsewhere": (
        {"sentence_bert_config.json": {"processing_kwargs": {"common": {"images": "http://h"}}}},
        "sentence_bert_config.json",
        "images",
    ),
    "a method that saves": (
        {"sentence_bert_config.json": {"modality_config": {"text": {"method": "push_to_hub", "method_output_name": "x"}}}},
        "sentence_bert_config.json",
        "push_to_hub",
    ),
    "any class of transformers": ({"sentence_bert_config.json": {"transformer_task": "retrieval"}}, "retrieval", ""),
    "what is passed to a model": (
        {"config_sentence_transformers.json": {"model_kwargs": {"weights_only": False}}},
        "config_sentence_transformers.json",
        "model_kwargs",
    ),
    "what is no JSON": ({"modules.json": b"[{"}, "modules.json", "is no JSON"),
    "deep JSON": ({"config.json": b"[" * 100_000}, "config.json", "is no JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_more_than_data_is_refused(tmp_path: Path, name: str) -> None:
    files, *says = HOSTILE[name]
    with pytest.raises(SpecError) as caught:
        checked(model(tmp_path, files))
    assert "\n" not in str(caught.value)
    for text in says:
        assert text in str(caught.value)


SOUND: dict[str, dict[str, Any]] = {
    "parts of the library": {"modules.json": [*parts(PART), *parts("sentence_transformers.models.Pooling")]},
    "what transformers knows": {"config.json": {"activation_function": "gelu_new", "attn_implementation": "sdpa"}},
    "a function of torch": {"2_Dense/config.json": {"activation_function": "torch.nn.modules.activation.Tanh"}},
    "words that look like settings": {"tokenizer.json": {"model": {"type": "BPE", "vocab": {"auto_map": 7, "types": 8}}}},
    "pickled weights that nobody takes": {"pytorch_model.bin": b"x", "training_args.bin": b"x"},
    "weights in pieces": {"model.safetensors.index.json": {"weight_map": {"a": "model-00001-of-00002.safetensors"}}},
    "weights in pieces, beside pickled ones": {
        "0_T/model.safetensors.index.json": {"weight_map": {"a": "model-00001-of-00002.safetensors"}},
        "0_T/pytorch_model.bin.index.json": {"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}},
        "0_T/pytorch_model-00001-of-00002.bin": b"x",
    },
    "OpenVINO": {"openvino/openvino_model_qint8_quantized.bin": b"x", "openvino/openvino_model.xml": b"<net/>"},
    "code that nothing names": {"train_script.py": b"raise SystemExit"},
    "layers, by the names of other versions": {
        "modules.json": [
            *parts("sentence_transformers.base.modules.transformer.Transformer"),
            *parts("sentence_transformers.sentence_transformer.modules.pooling.Pooling"),
            *parts("sentence_transformers.models.Dense.Dense"),
            *parts("sentence_transformers.models.Normalize"),
            *parts("sentence_transformers.cross_encoder.modules.logit_score.LogitScore"),
        ]
    },
    "what this version writes of a layer": {
        "sentence_bert_config.json": {
            "transformer_task": "feature-extraction",
            "modality_config": {
                "text": {"method": "forward", "method_output_name": "last_hidden_state"},
                "image,text": {"method": "get_multimodal_features", "method_output_name": "pooler_output"},
            },
            "module_output_name": "token_embeddings",
            "processing_kwargs": {},
            "max_seq_length": 256,
            "do_lower_case": False,
            "tokenizer_name_or_path": None,
        }
    },
    "what it writes of a model": {
        "config_sentence_transformers.json": {
            "__version__": {"sentence_transformers": "6.2.0"},
            "prompts": {"query": "query: ", "my_kwargs": "a prompt"},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        }
    },
    "settings that choose no file": {
        "sentence_bert_config.json": {
            "model_args": {"add_pooling_layer": False, "torch_dtype": "bfloat16"},
            "tokenizer_args": {"padding_side": "left"},
        }
    },
    "code that is not to be trusted": {"sentence_bert_config.json": {"model_args": {"trust_remote_code": False}}},
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_data_is_not(tmp_path: Path, name: str) -> None:
    assert checked(model(tmp_path, SOUND[name])) == tmp_path


def test_a_model_of_the_hub_is_links_to_files(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "rev"
    model(blobs, {})
    snapshot.mkdir(parents=True)
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(file)
    assert checked(snapshot) == snapshot
    (blobs / "modules.json").write_text(json.dumps(parts("evil.Evil")))
    with pytest.raises(SpecError, match=r"evil\.Evil"):  # what changed since is looked at anew
        checked(snapshot)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.symlink_to(path.parent.parent, target_is_directory=True), "is a link to a folder"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: path.symlink_to(path.parent / "nothing"), "cannot be read"),
        (os.mkfifo, "is no regular file"),
    ],
    ids=["a folder elsewhere", "a loop", "nothing", "a pipe"],
)
def test_only_files_of_the_folder_make_a_model(tmp_path: Path, make: Callable[[Path], None], says: str) -> None:
    folder = model(tmp_path / "model", {})
    make(folder / "config_of_a_part.json")
    for read in (checked, models.identity_of):
        with pytest.raises(SpecError, match=f"config_of_a_part.json: {says}"):
            read(folder)


def linked(snapshot: Path, name: str, target: Path) -> Path:
    """A snapshot of the hub's cache whose file `name` is a link to `target`."""
    model(snapshot, {})
    (snapshot / name).parent.mkdir(exist_ok=True)
    (snapshot / name).symlink_to(target)
    return snapshot


def test_links_lead_to_the_model_s_own_files(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1234").write_text("{}")
    snapshot = linked(tmp_path / "snapshots" / "rev", "1_Pooling/config.json", Path("../../../blobs/1234"))
    assert checked(linked(snapshot, "same.json", snapshot / "config.json")) == snapshot
    (tmp_path / "by_a_link").symlink_to(snapshot)
    assert checked(tmp_path / "by_a_link")


@pytest.mark.parametrize("name", ["README.md", "vocab.txt", "1_Pooling/config.json", "model-2.safetensors"])
@pytest.mark.parametrize("home", ["model", "snapshots/rev"])
def test_links_out_of_a_model_are_refused(tmp_path: Path, home: str, name: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("{}")
    with pytest.raises(SpecError, match=f"{name}: is a link out of the model's folder"):
        checked(linked(tmp_path / "hub" / home, name, tmp_path / "secret" / "file"))


def test_blobs_that_are_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("{}")
    snapshot = linked(tmp_path / "hub" / "snapshots" / "rev", "vocab.txt", Path("../../blobs/file"))
    (tmp_path / "hub" / "blobs").symlink_to(tmp_path / "secret")
    with pytest.raises(SpecError, match=r"vocab.txt: is a link out"):
        checked(snapshot)


def test_what_is_too_large_to_be_a_model_s_is_not_read(tmp_path: Path) -> None:
    folder = model(tmp_path, {})
    with (folder / "pytorch_model.bin").open("wb") as file:
        file.truncate(2**37)  # takes no room, and minutes to read
    before = models.identity_of(checked(folder))
    (folder / "pytorch_model.bin").unlink()
    assert models.identity_of(folder) == before  # pickled weights are never loaded
    with (folder / "tokenizer.json").open("wb") as file:
        file.truncate(2**37)
    with pytest.raises(SpecError, match=r"tokenizer.json: has 137438953472 bytes"):
        checked(folder)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What each of the library's two classes is called with, and whether the hub is offline then: ``offline``."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    calls = list[tuple[tuple[Any, ...], dict[str, Any]]]()

    def called(*args: Any, **kwargs: Any) -> object:
        calls.append((args, {**kwargs, "offline": constants.is_offline_mode()}))
        if "broken" in args[0]:
            raise OSError("no weights")
        return object()

    library = SimpleNamespace(SentenceTransformer=called, CrossEncoder=called)
    quiet = SimpleNamespace(utils=SimpleNamespace(logging=SimpleNamespace(disable_progress_bar=lambda: None)))
    fakes = {"sentence_transformers": library, "torch": SimpleNamespace(float32="float32"), "transformers": quiet}
    monkeypatch.setattr(models, "require", lambda name, *_: fakes.get(name) or importlib.import_module(name))
    models._loaded.cache_clear()
    return calls


@pytest.mark.parametrize("kind", ["SentenceTransformer", "CrossEncoder"])
def test_the_library_is_told_to_run_fetch_and_unpickle_nothing(tmp_path: Path, given: list[Any], kind: str) -> None:
    from huggingface_hub import constants

    models.load_model(kind, model(tmp_path / "sound", {}), "float32")
    with pytest.raises(SpecError, match="no weights"):
        models.load_model(kind, model(tmp_path / "broken", {}), "float32")
    safe = {
        "trust_remote_code": False,
        "local_files_only": True,
        "model_kwargs": {"dtype": "float32", "use_safetensors": True},
        "offline": True,
    }
    assert given == [((str(tmp_path / name),), safe) for name in ("sound", "broken")]
    assert not constants.is_offline_mode()  # as it was before
    models._loaded.cache_clear()


@pytest.mark.parametrize("name", ["owner/model", "model", "./model", "tokens", "characters"])
def test_a_name_that_exists_here_is_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pytest.importorskip("huggingface_hub")
    fetched = list[str]()
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: fetched.append(name) or "nowhere")
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("no folder")
    for strategy, files in ((Dense(model=name), Encoder(name, "float32")), (Rerank(model=name), CrossEncoder(name))):
        assert remote_part(strategy) == ""
        with pytest.raises(SpecError, match=f"'{name}' is no folder, so it holds no model; check the path"):
            _ = files.folder
    assert not fetched


@pytest.mark.parametrize("name", ["tokens", "characters", "owner/model"])
def test_a_name_that_does_not_may_have_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert remote_part(Dense(model=name)) == f"model={name!r}"


def test_a_model_that_is_fetched_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda *_, **__: str(model(tmp_path, {"modules.json": parts("a.B")}))
    )
    for fetch in (lambda: from_hub("someone/model", False), lambda: Encoder("someone/model", "float32").folder):
        with pytest.raises(SpecError, match=r"modules.json: names a class that is not of sentence-transformers \(type: 'a.B'\)"):
            fetch()


# Through the command line


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus, queries, answers, and a model whose code says that it ran."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Alpha pumps run at 40 bar. The valve closes at night.\n")
    query = {"_id": "q", "text": "bar of pumps", "answer": "at night", "evidence": [{"doc_id": "a.txt", "start": 0, "end": 26}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(query) + "\n")
    (tmp_path / "asks.txt").write_text("bar of pumps\n")
    (tmp_path / "answers.jsonl").write_text(
        json.dumps({"query_id": "q", "condition": "retrieved", "answer": "in the dark"}) + "\n"
    )
    code = f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Evil: pass\n".encode()
    auto = {**BERT, "auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": "evil.Evil"}}
    for name, files in (("own", {"modules.json": parts("evil.Evil")}), ("map", {"config.json": auto})):
        model(tmp_path / name, {"evil.py": code, **files})
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS = {
    "dense": ("audit", "corpus", "queries.jsonl", "--retriever", "dense(model='MODEL')"),
    "hybrid": ("audit", "corpus", "queries.jsonl", "--retriever", "hybrid(bm25, dense(model='MODEL'))"),
    "rerank": ("audit", "corpus", "queries.jsonl", "--retriever", "rerank(bm25, model='MODEL')"),
    "semantic": ("audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--chunker", "semantic(model='MODEL')"),
    "embedding": ("litmus", "queries.jsonl", "--answers", "answers.jsonl", "--judge", "embedding(model='MODEL')"),
    "label": ("label", "corpus", "asks.txt", "--out", "labels.jsonl", "--retriever", "dense(model='MODEL')"),
}


@pytest.mark.parametrize("folder", ["own", "map"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_the_code_of_a_model(here: Path, command: str, folder: str) -> None:
    result = CliRunner().invoke(main, [part.replace("MODEL", folder) for part in COMMANDS[command]] + ["--no-cache"])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {folder}/") and "code of its own" in line
    assert not (here / "ran").exists()


def test_a_tokenizer_runs_nothing(here: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(SpecError, match="unit 'own' is none of tokens"):
        count_tokens("some words", "own")
    (here / "some").mkdir()
    (here / "some" / "folder").mkdir()
    with pytest.raises(SpecError, match="unit 'some/folder' is none of"):  # a folder of one's own is not asked for on the hub
        count_tokens("some words", "some/folder")
    assert not (here / "ran").exists()


def test_a_tokenizer_that_gives_up_ends_on_one_line(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0}, unk_token="?"))
    costly = tokenizers.Regex("(a|a|b)*$|((a*)*)*c")
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(costly, "isolated")
    tokenizer.save(str(here / "costly.json"))
    (here / "corpus" / "a.txt").write_text("Alpha pumps run at 40 bar. " + 200 * "a" + "d")
    ask = ["audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--chunker", "fixed(unit='./costly.json')", "--no-cache"]
    result = CliRunner().invoke(main, ask)
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: a library gave up on what it was given: Onig: ") and result.exit_code == 2
    printed = capfd.readouterr().err  # by the library itself, before it gives up
    assert "Traceback" not in printed and "stack backtrace" not in printed


def test_modules_of_the_working_folder_are_not_imported(here: Path) -> None:
    (here / "click.py").write_text((here / "own" / "evil.py").read_text())
    done = subprocess.run([sys.executable, "-m", "ragdiag", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (here / "ran").exists()


# With a model that works


class Runs:
    """Pickled weights that say that they ran."""

    def __init__(self, ran: Path) -> None:
        self._ran = ran

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open, (str(self._ran), "w")


@pytest.mark.encoder
@pytest.mark.parametrize("home", [".", "0_Transformer"])
def test_a_snapshot_of_the_hub_serves_and_the_pickle_beside_it_is_not_opened(tmp_path: Path, home: str) -> None:
    bundled = Encoder("", "float32")
    blobs, snapshot = tmp_path / "models--a--b" / "blobs", tmp_path / "models--a--b" / "snapshots" / "rev"
    blobs.mkdir(parents=True)
    named = {path.relative_to(bundled.folder): path.read_bytes() for path in bundled.folder.rglob("*") if path.is_file()}
    steps = json.loads(named[Path("modules.json")])
    steps[0]["path"] = home.strip(".")
    named[Path("modules.json")] = json.dumps(steps).encode()
    inner = {home / path: data for path, data in named.items() if len(path.parts) == 1 and path.name != "modules.json"}
    inner[Path(home, "pytorch_model.bin")] = pickle.dumps(Runs(tmp_path / "ran"))
    for path, data in (named | inner).items():
        blob = blobs / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path).symlink_to(os.path.relpath(blob, (snapshot / path).parent))
    encoder = Encoder(str(snapshot), "float32")
    assert checked(encoder.folder) == snapshot
    texts = ["bar of pumps", "The valve closes at night."]
    expected = bundled.encode(texts, "document", None, no_progress)
    assert np.array_equal(encoder.encode(texts, "document", None, no_progress), expected)
    assert not (tmp_path / "ran").exists()
    pickle.loads((snapshot / home / "pytorch_model.bin").read_bytes()).close()  # whoever opens it would be seen
    assert (tmp_path / "ran").exists()


@pytest.mark.encoder
def test_every_layer_that_is_allowed_loads_itself_alone() -> None:
    """By the names that the library writes, and no class among them that loads a whole model."""
    from sentence_transformers.base.model import BaseModel
    from sentence_transformers.base.modules import Router
    from sentence_transformers.util.misc import fullname, import_from_string

    classes = set[type]()
    for name in LAYER_NAMES:
        with contextlib.suppress(ImportError):
            classes.add(import_from_string(name))
    assert {kind.__name__ for kind in classes} == set(LAYERS)
    assert not [kind for kind in classes if issubclass(kind, BaseModel | Router)]
    assert {fullname(kind) for kind in classes} <= LAYER_NAMES
