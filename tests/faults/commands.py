"""Every command that names nothing remote, with each option that reads, writes or chooses, as one types it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["REMOTE", "Command", "commands"]

STORED = ("chroma", "faiss", "lancedb", "milvus", "qdrant")
REMOTE = {"elastic", "elastic_knn", "pgvector"}
"""Retrievers that always ask a server, which the user names."""


class Command(NamedTuple):
    """The `words` of a command line. `loopback`: it serves or asks this machine itself. `team`: it runs code of the folder.

    `status` are the exit statuses that are right, `typed` is what a person types. `door` is what is run: the command line,
    pytest, or Python code.
    """

    name: str
    words: tuple[str, ...]
    loopback: bool = False
    team: bool = False
    status: tuple[int, ...] = (0,)
    typed: str = ""
    door: str = "ragdiag"


RETRIEVERS = (
    "bm25",
    "bm25(stem=english)",
    "lsa",
    "dense",
    "hybrid",
    "hybrid(bm25, lsa)",
    "dedupe(bm25)",
    "expand(bm25)",
    "latest(bm25)",
    "merge(bm25)",
    "mmr(bm25)",
    "parent(bm25)",
    "rerank(bm25, model='reranker', depth=3)",
)
CHUNKERS = ("fixed", "paragraph", "recursive", "section", "semantic", "sentence")
CONTEXTS = ("heading", "neighbours", "none", "title", "file(path='texts.jsonl')", "call(function='team:context')")

PARTS = {
    "DEMO": "demo/corpus demo/queries.jsonl",
    "CUT": "--chunker 'sentence(size=60)' -k 3 --cache cache",
    "NOTES": "notes/corpus.jsonl notes/queries.jsonl -k 2 --cache cache",
    "ANSWERS": "demo/queries.jsonl --answers demo/answers.jsonl",
    "UNLABELLED": "demo/queries.jsonl --answers answered.jsonl",
}
"""What several lines have."""

LINES = """
--help
--version
audit DEMO CUT --retriever bm25 --json new.json --html a.html --output a.md
audit DEMO CUT --retriever bm25 --answers demo/answers.jsonl --judge matcher --support grounded
audit DEMO -k 3 --run run.jsonl --no-cache
audit DEMO -k 3 --retriever bm25 --chunks chunks.jsonl --no-cache
audit DEMO CUT --retriever bm25 --only travel-2025.md --exclude *.rst --keep hidden --fail-under Sufficient@3=0.01 # 0 1
audit DEMO -k 3 --search team:search --rewrite team:rewrite --swap none --no-cache # team
audit demo/corpus - --retriever bm25 --no-cache # queries
explain DEMO meals CUT --retriever bm25 --json explained.json
explain DEMO meals CUT
check DEMO --json check.json # 0 1
compare DEMO CUT --retriever bm25 --retriever 'latest(bm25)' --json c.json --html c.html
compare DEMO -k 3 --no-cache --retriever bm25 --retriever lsa --jobs 2 --no-causes
compare DEMO CUT --retriever dense --retriever hybrid --tune --no-causes
tune DEMO CUT --time 20s --space space.toml --no-embedding --export langchain --out tuned --json t.json --html t.html
tune DEMO CUT --time 20s --space space.toml --jobs 2 --no-causes --output t2.html
litmus ANSWERS --corpus demo/corpus CUT --retriever bm25 --json l.json --html l.html --citations l.jsonl
litmus ANSWERS --blind --judge embedding
litmus demo/queries.jsonl --corpus demo/corpus CUT --retriever bm25 --swap none --live team:model --yes --record r.jsonl # team
litmus UNLABELLED --review 2 --reviewer ada --answer-labels people.jsonl # q
litmus UNLABELLED --review 2 --page --answer-labels people2.jsonl # page
prompts DEMO CUT --retriever bm25 --condition oracle --condition retrieved --out p.jsonl
prompts DEMO CUT --retriever bm25 --format openai --model m --out p2.jsonl
prompts DEMO CUT --retriever bm25 --format anthropic --model m --out p3.jsonl
decide --report l.json --json d.json # 0 2
decide --problem knowledge --changes daily --citations yes # 0 2
label demo/corpus asked.txt --out labels.jsonl --cache cache # q
label faq.md --drafts --retriever bm25 --out drafts.jsonl --no-cache # q
label demo/corpus asked.txt --page --out page.jsonl --no-cache # page
label DEMO --review old.json --out reviewed.jsonl # q
label DEMO --review old.json --page --out reviewed2.jsonl # page
label demo/corpus asked.txt --between 'sentence(size=60) | bm25' --between 'sentence(size=60) | lsa' --out between.jsonl # q
pool DEMO --out pool --tops bm25 --run run.jsonl --depth 2 --sample 2
diff old.json old.json --json diff.json --output diff.md
diff old.json old.json --corpus demo/corpus --queries demo/queries.jsonl # 0 1 2
export demo/corpus --form langchain --out out-langchain --cache cache
export demo/corpus --form llamaindex --out out-llamaindex --cache cache
export demo/corpus --form haystack --out out-haystack --cache cache
export demo/corpus --form toml --out out.toml
demo --out shown
"""
"""What follows a ``#`` is its exit status, where that may be another than 0, what is typed, or one of the flags of `Command`."""

LIBRARY = """
import ragdiag
ragdiag.audit("demo/corpus", "demo/queries.jsonl", retriever="hybrid", k=3, cache=None)
ragdiag.litmus("demo/queries.jsonl", answers="demo/answers.jsonl")
ragdiag.check("demo/corpus", "demo/queries.jsonl")
"""

NOTEBOOK = """
import matplotlib
matplotlib.use("agg")
import ragdiag
report = ragdiag.audit("demo/corpus", "demo/queries.jsonl", retriever="bm25", k=3, cache=None)
report._repr_html_(), report.plot(), report.to_pandas(), repr(report), str(report)
found = ragdiag.litmus("demo/queries.jsonl", answers="demo/answers.jsonl")
found._repr_html_(), found.plot()
"""


def commands(specs: Mapping[str, str]) -> list[Command]:
    """All of them; `specs` are those of the stores that there are."""
    stored = [name for name in STORED if name in specs]
    return [
        *(_audit("DEMO CUT --swap none --retriever", name) for name in RETRIEVERS),
        *(_audit("DEMO --retriever bm25 --no-cache --chunker", name) for name in CHUNKERS),
        *(_audit("DEMO CUT --swap none --retriever bm25 --context", name) for name in CONTEXTS),
        *(_audit("NOTES --retriever", specs[name], name == "milvus") for name in stored),
        *(_typed(f"check notes/corpus.jsonl --cache cache --retriever {shlex.quote(specs[name])} # 0 1"
                 + " page" * (name == "milvus")) for name in stored),
        *map(_typed, LINES.strip().splitlines()),
        Command("python -m ragdiag --help", ("--help",), door="-m"),
        Command("pytest without ragdiag", ("project/test_idle.py",), door="pytest"),
        Command("pytest", ("project/test_it.py",), door="pytest"),
        Command("the library", (LIBRARY,), door="code"),
        Command("a notebook's cells", (NOTEBOOK,), door="code"),
    ]  # fmt: skip


def _audit(words: str, spec: str, loopback: bool = False) -> Command:
    flags = [*["page"] * loopback, *["team"] * ("team:" in spec)]
    return _typed(f"audit {words} {shlex.quote(spec)} # {' '.join(flags)}")


def _typed(line: str) -> Command:
    words, _, said = line.partition(" # ")
    flags = said.split()
    typed = {"q": "q\n", "queries": "{queries}"}
    return Command(
        name=words,
        words=tuple(_full(words)),
        loopback="page" in flags,
        team="team" in flags,
        status=tuple(int(flag) for flag in flags if flag.isdecimal()) or (0,),
        typed="".join(typed.get(flag, "") for flag in flags),
    )


def _full(words: str) -> Iterator[str]:
    for word in shlex.split(words):
        yield from shlex.split(PARTS[word]) if word in PARTS else [word]
