"""The folder in which commands run: the demo's files, small stores, a project with tests; and traps of somebody else's."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

__all__ = ["ELSEWHERE", "TRAPPED", "prepare", "set_traps"]

ELSEWHERE = "192.0.2.1"
"""An address that nobody has (RFC 5737): only a trap names it."""

TRAPPED = """
import os
with open(os.environ["RAGDIAG_TRAPS"], "a") as out:
    out.write(__name__ + "\\n")
raise ImportError(__name__)
"""

DOTENV = f"""
CHROMA_OTEL_COLLECTION_ENDPOINT=http://{ELSEWHERE}:4317
CHROMA_OTEL_GRANULARITY=all
CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI
CHROMA_SERVER_HOST={ELSEWHERE}
CHROMA_SERVER_HTTP_PORT=8000
ANONYMIZED_TELEMETRY=True
HTTPS_PROXY=http://{ELSEWHERE}:3128
"""

TEAM = '''
"""A team's own functions, which call nobody."""
def context(text): return "About a company."
def search(query, k): return [{"doc_id": "travel-2025.md", "text": "The daily allowance for meals on a journey is $62"}][:k]
def rewrite(query): return query + "?"
def model(*asked): return "I do not know."
'''

USED = """
def test_it(ragdiag):
    ragdiag.check_gates(ragdiag.audit(retriever="bm25"), "Sufficient@3=0.01")
"""

INI = """
[pytest]
ragdiag_corpus = ../demo/corpus
ragdiag_queries = ../demo/queries.jsonl
ragdiag_k = 3
ragdiag_cache = none
"""

FAQ = "# How do I file a claim?\n\nClaims for a journey are filed within 30 days of its end.\n"

TEXT = '{"doc_id": "travel-2025.md", "text": "About journeys."}\n'

SPACE = 'chunker = ["sentence(size=60)", "fixed(size=60)"]\nretriever = ["bm25", "lsa"]\nstep = ["", "latest"]\n'


def prepare(folder: Path) -> None:
    """Everything that `commands` names, in `folder`, the working one."""
    os.chdir(folder)
    shutil.copytree(TESTS.parent / "ragdiag" / "cli" / "demo_files", "demo")
    files = {
        "team.py": TEAM,
        "faq.md": FAQ,
        "texts.jsonl": TEXT,
        "asked.txt": "What is the cap for a hotel?\n",
        "space.toml": SPACE,
    }
    files |= {"project/pytest.ini": INI, "project/test_it.py": USED, "project/test_idle.py": "def test_it(): pass\n"}
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    _audited()
    Path("specs.json").write_text(json.dumps(_stores()), encoding="utf-8")


def _audited() -> None:
    """A report to review and to compare with, a run and chunks."""
    import ragdiag
    from ragdiag.core.protocols import no_progress
    from ragdiag.core.registry import make
    from ragdiag.sources.chunks import cut
    from ragdiag.sources.corpus import load_corpus

    audited = ragdiag.audit(
        "demo/corpus", "demo/queries.jsonl", retriever="bm25", chunker="sentence(size=60)", k=3, cache=None, swap="none"
    )
    audited.save("old.json")
    corpus = load_corpus("demo/corpus")
    chunks = cut(corpus, make("chunkers", "sentence(size=60)"), no_progress)
    columns = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
    cuts = [{"doc_id": corpus.documents[d].id, "start": a, "end": b} for d, a, b in columns]
    asked = [json.loads(line) for line in Path("demo/queries.jsonl").read_text(encoding="utf-8").splitlines()]
    run = [{"query_id": query["_id"], "retrieved": cuts[i : i + 3]} for i, query in enumerate(asked)]
    answers = [json.loads(line) for line in Path("demo/answers.jsonl").read_text(encoding="utf-8").splitlines()]
    answered = [{name: value for name, value in answer.items() if name != "correct"} for answer in answers]
    for name, rows in (("chunks.jsonl", cuts), ("run.jsonl", run), ("answered.jsonl", answered)):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _stores() -> dict[str, str]:
    """Small stores of every kind whose library is here, and a cross-encoder of random weights; their specs."""
    import test_chroma
    import test_stores

    warnings.simplefilter("ignore")
    notes = Path("notes")
    notes.mkdir()
    documents = [{"_id": name, "text": text} for name, text in test_stores.TEXTS.items()]
    queries = [
        {"_id": q, "text": text, "evidence": [{"doc_id": d, "text": span}]} for q, (text, d, span) in test_stores.ASKED.items()
    ]
    texts = [{"doc_id": name, "text": "About a workshop."} for name in test_stores.TEXTS]
    for name, records in (("corpus", documents), ("queries", queries), ("texts", texts)):
        (notes / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    chunks = test_stores.Chunks(notes)
    specs = {}
    for store, library in (("qdrant", "qdrant_client"), ("milvus", "milvus_lite"), ("lancedb", "lancedb"), ("faiss", "faiss")):
        if find_spec(library):
            (notes / store).mkdir()
            specs[store] = test_stores.STORES[store](notes / store, chunks)
    if find_spec("chromadb"):
        with test_chroma.chromadb.PersistentClient(str(notes / "chroma")) as client:
            collection = client.create_collection("notes", embedding_function=None, metadata={"hnsw:space": "cosine"})
            collection.add(ids=chunks.ids, embeddings=chunks.vectors, documents=chunks.texts, metadatas=chunks.places)
        specs["chroma"] = "chroma(collection=notes, path='notes/chroma')"
    _cross_encoder(Path("reranker"))
    return specs


def _cross_encoder(folder: Path) -> None:
    import test_steps
    import torch
    import transformers

    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *test_steps.VOCABULARY]
    (folder / "vocab.txt").write_text("\n".join(words))
    test_steps.save(torch, transformers, folder)


def set_traps(folder: Path) -> int:
    """Make `folder` somebody else's: modules named as those of Python and of every package here, a ``.env``; how many."""
    names = {*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), "ragdiag", "sitecustomize", "usercustomize"}
    names = {name for name in names - {"team", "__main__"} if name.isidentifier()}
    for name in names:
        (folder / f"{name}.py").write_text(TRAPPED)
    (folder / ".env").write_text(DOTENV)
    (folder / "matplotlibrc").write_text("backend: module://antigravity\n")
    return len(names) + 2


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
