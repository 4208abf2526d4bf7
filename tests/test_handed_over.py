"""Exported pipelines: they run without ragdiag, and put the same contexts into the prompt."""

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ragdiag.core.options import Options
from ragdiag.core.passages import joined
from ragdiag.core.records import Span
from ragdiag.exports import export
from ragdiag.pipeline import run_audit

ROOT = Path(__file__).parent.parent
FIXTURE = ROOT / "fixtures" / "tidewater"
CORPUS, QUERIES = FIXTURE / "corpus", FIXTURE / "queries.jsonl"
FRAMEWORKS = {"langchain": "langchain_core", "llamaindex": "llama_index", "haystack": "haystack"}

DENSE = "dense(precision=float32)"
BY_WORDS = {
    "plain": {"retriever": "bm25"},
    "title": {"retriever": "bm25(variant=lucene, k1=1.2)", "context": "title", "k": 3},
    "stems": {"retriever": "bm25(stem=english, stop=english)", "budget": 300},
    "plus and lsa": {"retriever": "hybrid(bm25(variant=plus), lsa, fusion=weighted, weights=(0.7, 0.3))"},
    "neighbours": {"retriever": "expand(hybrid(bm25, lsa), before=2)", "chunker": "sentence(size=60)", "k": 3},
    "sections": {"retriever": "parent(bm25, size=320, within=section)", "chunker": "sentence(size=60)"},
    "overlaps": {"retriever": "expand(bm25)", "chunker": "fixed(size=80, overlap=30)", "budget": 600},
    "merged": {"retriever": "merge(bm25)", "chunker": "fixed(size=80, overlap=30)", "k": 8},
    "deduped": {"retriever": "dedupe(bm25, depth=20)"},
    "current": {"retriever": "dedupe(latest(hybrid(bm25, bm25(stem=english), k=10)))"},
    "diverse": {"retriever": "mmr(bm25, weight=0.4, depth=30)"},
}
BY_MEANING = {
    "dense": {"retriever": DENSE},
    "weighted": {"retriever": f"hybrid(bm25, {DENSE}, weights=(0.7, 0.3))", "context": "title", "budget": 400},
    "expanded": {"retriever": f"expand(hybrid(bm25, {DENSE}, fusion=weighted))", "k": 4},
}

ALONE = """
import json, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ragdiag":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import pipeline
queries = json.load(sys.stdin)
print(json.dumps([pipeline.search(query) for query in queries]))
"""


def needs(form: str) -> None:
    if importlib.util.find_spec(FRAMEWORKS[form]) is None:
        pytest.skip(f"not installed: {FRAMEWORKS[form]}")


def found_alone(folder: Path, queries: list[str]) -> list[list[dict[str, object]]]:
    """What an exported pipeline finds, in a process that cannot import ragdiag."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(folder)], input=json.dumps(queries), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[list[dict[str, object]]] = json.loads(done.stdout.splitlines()[-1])
    return found


@functools.cache
def contexts(options: Options) -> tuple[list[str], list[list[tuple[str, int, int, str]]]]:
    """The questions, and of each what is put into the prompt: document, start, end and text, by an audit."""
    audit = run_audit(CORPUS, QUERIES, options)
    documents, chunking = audit.corpus.documents, audit.run
    rows = []
    for chunks, n in zip(chunking.chunks, audit.lengths, strict=True):
        cut = audit.scorer.chunking
        spans = [Span(int(cut.document[c]), int(cut.start[c]), int(cut.end[c])) for c in chunks[:n]]
        spans = joined(spans) if audit.run.passages else spans
        rows.append([(documents[d].id, a, b, documents[d].text[a:b]) for d, a, b in spans])
    return [query.text for query in audit.labels.queries], rows


def check_same(form: str, options: Options, folder: Path) -> None:
    export(CORPUS, form, folder, options)
    queries, expected = contexts(options)
    found = found_alone(folder, queries)
    shown = [[(p["doc_id"], p["start"], p["end"], p["text"]) for p in passages] for passages in found]
    assert len(expected) == 60 and sum(map(len, expected)) > 100
    assert shown == expected


@pytest.mark.slow
@pytest.mark.frameworks
@pytest.mark.parametrize("name", BY_WORDS)
@pytest.mark.parametrize("form", FRAMEWORKS)
def test_contexts_are_the_same(form: str, name: str, tmp_path: Path) -> None:
    needs(form)
    check_same(form, Options(**BY_WORDS[name], swap="none", cache=None), tmp_path)


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.frameworks
@pytest.mark.parametrize("name", BY_MEANING)
@pytest.mark.parametrize("form", FRAMEWORKS)
def test_contexts_of_an_encoder_are_the_same(form: str, name: str, tmp_path: Path) -> None:
    needs(form)
    check_same(form, Options(**BY_MEANING[name], swap="none"), tmp_path)
