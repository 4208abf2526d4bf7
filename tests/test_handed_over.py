"""Exported pipelines: they run without ragdiag, and put the same contexts into the prompt."""

import dataclasses
import functools
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ragdiag
from ragdiag.cli import main
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.passages import joined
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Span
from ragdiag.exports import _words, export
from ragdiag.exports._code import called, module
from ragdiag.pipeline import load_measurable, rank
from ragdiag.search.retrieval import Plan
from ragdiag.text.tokens import count_tokens
from ragdiag.text.words import words

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
import importlib.util, json, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ragdiag":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
queries, found = json.load(sys.stdin), []
for folder in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("pipeline", f"{folder}/pipeline.py")
    pipeline = sys.modules["pipeline"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pipeline)
    found.append([pipeline.search(query) for query in queries])
print(json.dumps(found))
"""

Passage = tuple[str, int, int, str]


def found_alone(folders: list[Path], queries: list[str]) -> list[list[list[Passage]]]:
    """What exported pipelines find, in a process that cannot import ragdiag: document, start, end and text of each passage."""
    command = [sys.executable, "-I", "-c", ALONE, *map(str, folders)]
    done = subprocess.run(command, input=json.dumps(queries), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return [[[(p["doc_id"], p["start"], p["end"], p["text"]) for p in ps] for ps in of_query] for of_query in found]


@functools.cache
def measured(options: Options) -> tuple[list[str], list[list[Passage]]]:
    """The questions, and what is put into the prompt for each, as an audit has it.

    Asked one by one, as an application asks: products of many vectors at once are rounded otherwise in the last digit.
    """
    ranked = rank(Plan(options), load_measurable(CORPUS, QUERIES, options, no_progress), no_progress)
    run, cut, documents = ranked.retrieved.run, ranked.retrieved.chunking, ranked.scorer.corpus.documents
    depth, index = run.chunks.shape[1], ranked.retrieved.searchable
    found = [index.answer(query.text, depth) for query in ranked.scorer.labels.queries]
    run = dataclasses.replace(run, chunks=np.vstack([c for c, _ in found]), scores=np.vstack([s for _, s in found]))
    lengths, rows = ranked.scorer.lengths(run, options.k, options.budget), []
    for chunks, n in zip(run.chunks, lengths, strict=True):
        spans = [Span(int(cut.document[c]), int(cut.start[c]), int(cut.end[c])) for c in chunks[:n]]
        places = joined(spans) if run.passages else spans
        rows.append([(documents[d].id, a, b, documents[d].text[a:b]) for d, a, b in places])
    return [query.text for query in ranked.scorer.labels.queries], rows


def check_same(form: str, every: Mapping[str, Options], folder: Path) -> None:
    """All configurations, exported, find what was measured; their code is clean."""
    if importlib.util.find_spec(FRAMEWORKS[form]) is None:
        pytest.skip(f"not installed: {FRAMEWORKS[form]}")
    for name, options in every.items():
        export(CORPUS, form, folder / name, options)
    for tool in (["check", "--select", "E,F,I,B,UP", "--ignore", "E501"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *tool, "--isolated", str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    queries, _ = measured(next(iter(every.values())))
    found = found_alone([folder / name for name in every], queries)
    for (name, options), shown in zip(every.items(), found, strict=True):
        expected = measured(options)[1]
        assert len(expected) == 60 and all(expected)
        assert shown == expected, name


@pytest.mark.slow
@pytest.mark.frameworks
@pytest.mark.parametrize("form", FRAMEWORKS)
def test_contexts_are_the_same(form: str, tmp_path: Path) -> None:
    check_same(form, {name: Options(**given, swap="none", cache=None) for name, given in BY_WORDS.items()}, tmp_path)


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.frameworks
@pytest.mark.parametrize("form", FRAMEWORKS)
def test_contexts_of_an_encoder_are_the_same(form: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "vectors"
    check_same(form, {name: Options(**given, swap="none", cache=cache) for name, given in BY_MEANING.items()}, tmp_path)


def test_options_come_back_from_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["--chunker", "sentence(size=60)", "--retriever", "expand(hybrid(bm25, lsa), before=2)", "--budget", "700"]
    done = CliRunner().invoke(main, ["export", str(CORPUS), "--form", "toml", "--out", "ragdiag.toml", *asked])
    assert done.exit_code == 0, done.output
    rest = [str(CORPUS), str(QUERIES), "--json", "-", "--swap", "none", "--no-cache"]
    by_toml = json.loads(CliRunner().invoke(main, ["audit", *rest]).stdout)
    Path("ragdiag.toml").unlink()
    by_hand = json.loads(CliRunner().invoke(main, ["audit", *rest, *asked]).stdout)
    assert by_toml["signature"] == by_hand["signature"] and by_toml["pipeline"]["budget"] == 700


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retriever": "chroma(path=there, collection=x)"}, r"chroma\(...\) cannot be exported: that index exists already"),
        ({"retriever": "bm25(k1=0)"}, "bm25 with k1=0 cannot be exported"),
        ({"run": "run.trec"}, "a recorded run cannot be exported"),
        ({"search": "json:loads"}, "your own search cannot be exported"),
        ({"retriever": "dense(model='json:loads')"}, "this dense retriever cannot be exported"),
    ],
)
def test_what_cannot_be_exported_is_said(options: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=says):
        export(CORPUS, "langchain", tmp_path / "out", Options(**options, cache=None))
    assert not (tmp_path / "out").exists()


def test_an_unknown_form_and_a_file_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown export 'langchian'; did you mean 'langchain'"):
        ragdiag.export(CORPUS, "langchian", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="langchain is a folder of files"):
        ragdiag.export(CORPUS, "langchain", tmp_path / "file")
    with pytest.raises(SpecError, match=r"no ragdiag\.toml may"):
        ragdiag.export(CORPUS, "toml", tmp_path / "file", retriever="dense(model='somebody/model')")


LETTERS = "aBzéßñΩЖ09 _-.,;!?'’ʼ\t\n\u00ad\u200b\u200d\u2060\ufeff\ufe0f²³½①₂ﬁﬀÅ％Ａ９検索漢字かなカナー々ｶ￥…“”é"


@settings(deadline=None)
@given(st.text(LETTERS, max_size=30))
@example("war\u00adranty of the gate\u200bway, 5² and 1½ ﬁles")
@example("检索系统RAG漢字かな x")
def test_words_in_a_few_lines_are_those_of_search(text: str) -> None:
    """Queries hold what no chunk does: what is pasted has soft hyphens and joiners, compatibility forms, other scripts."""
    assert _words.words(text) == words(text)


@pytest.mark.parametrize(
    "text", ["Plain words, snake_case and 3.5 figures.", "“quoted” ﬁne 5² soft\u00adhyphen\u200b.", "検索 RAG x"]
)
def test_tokens_in_a_few_lines(text: str) -> None:
    assert _words.count_tokens(text) == count_tokens(text)


def test_a_module_of_what_is_needed() -> None:
    source = "import json\nimport re\nfrom math import tau\nA = 1\nB = tau\n"
    source += "def f():\n    return g(B)\ndef g(x):\n    return re, x\ndef h(): ..."
    code, imported = module("Doc.", [source], ["f"])
    head = '"""Doc."""\n\nimport re\nfrom math import tau\n\nB = tau\n\n\n'
    assert code == head + "def g(x):\n    return re, x\n\n\ndef f():\n    return g(B)\n"
    assert imported == ["math", "re"]
    assert called("f", ["x"]) == "    f(x)" and called("f", ["x" * 90]) == f"    f(\n        {'x' * 90},\n    )"
