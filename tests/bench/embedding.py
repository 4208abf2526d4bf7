"""Texts per CPU-second by precision and by runtime, and how near their vectors are to those in float32.

Passages of chroma_chunking of all lengths in batches as an audit makes them; every batch goes to each runtime in turns, since the
machine may be shared. ``OMP_NUM_THREADS=1 python tests/bench/embedding.py [number of passages] [threads]``. ONNX Runtime and
OpenVINO are measured where they are installed, with `onnx` for the export; neither comes with ragdiag.
"""

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import texts

from ragdiag.search.chunkers.recursive import Recursive
from ragdiag.search.encoder import Encoder
from ragdiag.search.lengths import BATCH
from ragdiag.search.models import unit

NAMES = ("ids", "mask", "types")


def passages(n: int) -> list[str]:
    """`n` chunks, spread over the set, by length."""
    found: dict[str, None] = {}
    for text in texts("chroma_chunking"):
        starts, ends = Recursive(size=160).spans(text)
        found |= dict.fromkeys(text[a:b].strip() for a, b in zip(starts.tolist(), ends.tolist(), strict=True))
    every = list(found)
    return sorted((every[i * len(every) // n] for i in range(n)), key=len)


def pooled(folder: str):
    """The model as one function of ids, mask and types, which is what can be exported; and its tokenizer."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)

        def forward(self, ids, mask, types):
            read = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
            weights = mask.unsqueeze(-1).to(read.dtype)
            return (read * weights).sum(1) / weights.sum(1).clamp(min=1e-9)

    return Pooled().eval(), AutoTokenizer.from_pretrained(folder)


def example():
    """Ids, a mask and types to trace a model with."""
    import torch

    ids = torch.randint(1000, 20000, (3, 17))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    return ids, mask, torch.zeros_like(ids)


def onnx_runner(model, threads: int):
    """The model in ONNX Runtime: its own optimiser for such models, all of the session's optimisations."""
    import onnxruntime
    import torch

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model.onnx")
        axes = {name: {0: "batch", 1: "length"} for name in NAMES}
        torch.onnx.export(
            model,
            example(),
            file,
            input_names=list(NAMES),
            output_names=["out"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        try:
            from onnxruntime.transformers import optimizer

            optimizer.optimize_model(file, model_type="bert", num_heads=12, hidden_size=384).save_model_to_file(file)
        except ImportError as e:
            print(f"onnxruntime's optimiser for transformers left out: {e}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda given: session.run(None, dict(zip(NAMES, given, strict=True)))[0]


def openvino_runner(model, precision: str, threads: int):
    """The model in OpenVINO, computing in `precision`."""
    import openvino

    made = openvino.convert_model(model, example_input=example())
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(made, "CPU", settings).create_infer_request()
    return lambda given: next(iter(request.infer(dict(enumerate(given))).values())).copy()


def runners(threads: int) -> dict:
    """What makes vectors of a batch, by name; the first is what the others are held against."""
    import torch

    torch.set_num_threads(threads)
    made = {f"torch {p}": Encoder("", p) for p in ("float32", "bfloat16")}
    found = {name: lambda batch, encoder=encoder: encoder._embed(batch, "document") for name, encoder in made.items()}
    model, tokenizer = pooled(str(made["torch float32"].folder))

    def exported(run):
        def embed(batch):
            read = tokenizer(batch, padding=True, truncation=True, max_length=256, return_tensors="np")
            given = (read["input_ids"], read["attention_mask"], read["token_type_ids"])
            return unit(run([rows.astype(np.int64) for rows in given]))

        return embed

    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        found["ONNX Runtime float32"] = exported(onnx_runner(model, threads))
    if importlib.util.find_spec("openvino"):
        found |= {f"OpenVINO {p}": exported(openvino_runner(model, p, threads)) for p in ("f32", "bf16")}
    return found


def main(n: int = 1000, threads: int = 1) -> None:
    asked, made = passages(n), runners(threads)
    seconds, vectors = dict.fromkeys(made, 0.0), {name: [] for name in made}
    for embed in made.values():
        embed(asked[:: max(n // 8, 1)])
    for i in range(0, n, BATCH):
        for name, embed in made.items():
            before = time.process_time()
            vectors[name].append(embed(asked[i : i + BATCH]))
            seconds[name] += time.process_time() - before
    truth = np.concatenate(vectors["torch float32"])
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "all it has")
    print(f"{n} passages, {threads} threads, instructions: {limit}\n")
    print("| runtime and precision | texts per CPU-second | beside float32 | cosine, smallest | mean |\n|---|---|---|---|---|")
    for name, parts in vectors.items():
        cosines = (np.concatenate(parts).astype(np.float64) * truth).sum(axis=1)
        times = seconds["torch float32"] / seconds[name]
        print(f"| {name} | {n / seconds[name]:.1f} | {times:.2f} times | {cosines.min():.5f} | {cosines.mean():.5f} |")
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
