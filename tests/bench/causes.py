"""Why retrieval fails on the public sets, through the command line: causes, what else would serve, whether a cause's fix does.

``--fixes`` puts whole indexes of other chunks beside the causes of bm25, ``--twins``
looks where superseded versions stand in covid_faq_versions.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from common import SETS, paths

RETRIEVERS = ("bm25", "dense", "hybrid")
STATUSES = ("over-determined", "compound", "unattainable", "undetermined")
HEAD = ("set", "retriever", "n", "failing", "causes", *STATUSES, "exposures of served queries", "CPU s")
UNNAMED = ("undetermined", "ranking", "incomplete")
CHUNKERS = {
    "half": ("sentence(size=80)", 10),
    "overlap": ("sentence(size=160, overlap=40)", 5),
    "double": ("sentence(size=320)", 3),
}
FIXED = ("diluted", "chunk_split", "oversized", "crowded_out", "query_mismatch", "ranking", "incomplete", "undetermined")
TWINS = "covid_faq_versions"

Rows = dict[str, dict[str, Any]]
"""A report's queries by id."""


class Audits(NamedTuple):
    """Reports in a folder, made when first asked; `reuse` takes what is there."""

    folder: Path
    cache: str | None
    reuse: bool

    def rows(self, name: str, retriever: str, chunker: str = "", k: int = 5) -> tuple[Rows, float]:
        """The queries of one audit, and its CPU seconds (0: it was there)."""
        spec = re.sub(r"\W+", "_", chunker).strip("_")
        out, seconds = self.folder / f"{'-'.join(filter(None, (name, retriever, spec)))}.json", 0.0
        if not (self.reuse and out.exists()):
            command = [str(Path(sys.executable).with_name("ragdiag")), "audit", *map(str, paths(name)), "--quiet", "-k", str(k)]
            command += ["--retriever", retriever, *(["--chunker", chunker] if chunker else [])]
            before = _cpu()
            subprocess.run([*command, "--json", str(out), *(["--cache", self.cache] if self.cache else [])], check=True)
            seconds = _cpu() - before
        return {q["id"]: q for q in json.loads(out.read_text(encoding="utf-8"))["queries"]}, seconds


def table(audits: Audits, sets: list[str]) -> None:
    """One row for each audit; a query counts for each of its causes."""
    _head(HEAD)
    total: Counter[str] = Counter()
    for name in sets:
        for retriever in RETRIEVERS:
            rows, seconds = audits.rows(name, retriever)
            failing = _failing(rows)
            status = Counter(q["status"] for q in failing)
            causes = Counter(c for q in failing for c in q["causes"])
            exposures = Counter(e for q in rows.values() if q["status"] == "ok" for e in q["exposures"])
            total += causes + Counter({s: status[s] for s in STATUSES}) + Counter(failing=len(failing))
            shares = [str(status[s]) for s in STATUSES[:-1]]
            shares.append(f"{status[STATUSES[-1]]} ({status[STATUSES[-1]] / max(len(failing), 1):.0%})")
            cells = [name, retriever, str(len(rows)), str(len(failing)), _counts(causes), *shares, _counts(exposures)]
            _row([*cells, f"{seconds:.0f}" if seconds else "–"])
    print("\nall: " + _counts(total))


def others(audits: Audits, sets: list[str]) -> None:
    """Of the queries with no cause but a residual one, those that another retriever serves."""
    print()
    _head(("set", "retriever", *UNNAMED))
    for name in sets:
        rows = {r: audits.rows(name, r)[0] for r in RETRIEVERS}
        for retriever in RETRIEVERS:
            cells = []
            for cause in UNNAMED:
                ids = [q["id"] for q in rows[retriever].values() if _has(q, cause)]
                served = {r: sum(rows[r][i]["status"] == "ok" for i in ids) for r in RETRIEVERS if r != retriever}
                cells.append(f"{len(ids)}: " + ", ".join(f"{r} {n}" for r, n in served.items()))
            _row([name, retriever, *cells])


def fixes(audits: Audits, sets: list[str]) -> None:
    """Of the queries with a cause under bm25, those that a whole index of other chunks serves; k keeps the tokens about equal."""
    _head(("set", "chunks", *FIXED, "served before, not now"))
    for name in sets:
        before, _ = audits.rows(name, "bm25")
        for title, (chunker, k) in CHUNKERS.items():
            now, _ = audits.rows(name, "bm25", chunker, k)
            served = {i for i, q in now.items() if q["status"] == "ok"}
            cells = []
            for cause in FIXED:
                ids = {q["id"] for q in before.values() if _has(q, cause)}
                cells.append(f"{len(ids & served)} of {len(ids)}" if ids else "–")
            healthy = {i for i, q in before.items() if q["status"] == "ok"}
            _row([name, f"{title}: {chunker}, k {k}", *cells, f"{len(healthy - served)} of {len(healthy)}"])


def twins(audits: Audits) -> None:
    """Where the superseded versions of the evidence's document stand: all chunks ranked, by the index that the audit uses."""
    from ragdiag.core.options import Options
    from ragdiag.pipeline import run_audit

    corpus, queries = paths(TWINS)
    records = [json.loads(line) for line in queries.read_text(encoding="utf-8").splitlines()]
    old_of = {q["_id"]: q["meta"]["superseded_docs"] for q in records if q["meta"]["superseded_docs"]}
    _head(("retriever", "n", "twin above", "by a tie", "twin above, evidence in context", "pushed out", "failing", "stale"))
    for retriever in RETRIEVERS:
        rows, _ = audits.rows(TWINS, retriever)
        audit = run_audit(corpus, queries, Options(retriever=retriever, cache=audits.cache or ""))
        assert audit.searchable is not None
        grades, documents, n = audit.scorer.grades, audit.scorer.chunking.document, Counter[str]()
        for number, query in enumerate(audit.labels.queries):
            if query.id not in old_of:
                continue
            order, scores = audit.searchable.search([query.text], len(documents))
            at = {int(c): (i, float(s)) for i, (c, s) in enumerate(zip(order[0], scores[0], strict=True), 1) if c >= 0}
            evidence = set(grades.chunk[grades.query == number].tolist())
            old = {audit.corpus.position[d] for d in old_of[query.id]}
            last = (len(documents) + 1, 0.0)
            theirs = {c for c, d in enumerate(documents.tolist()) if d in old} - evidence
            twin, own = (min((at.get(c, last) for c in chunks), default=last) for chunks in (theirs, evidence))
            above = twin[0] < own[0]
            n["above"] += above
            n["tie"] += above and abs(twin[1] - own[1]) <= 1e-4 * abs(twin[1])
            n["both"] += above and own[0] <= 5
            n["out"] += twin[0] <= 5 < own[0]
            n["failing"] += rows[query.id]["status"] != "ok"
            n["stale"] += "stale" in rows[query.id]["causes"]
        _row([retriever, str(len(old_of)), *(str(n[c]) for c in ("above", "tie", "both", "out", "failing", "stale"))])


def _failing(rows: Rows) -> list[dict[str, Any]]:
    return [q for q in rows.values() if q["status"] not in ("ok", "excluded")]


def _has(query: dict[str, Any], cause: str) -> bool:
    return cause in query["causes"] or query["status"] == cause


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{cause} {n}" for cause, n in found.most_common()) or "–"


def _head(cells: tuple[str, ...]) -> None:
    print("| " + " | ".join(cells) + " |\n|" + "---|" * len(cells))


def _row(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--reports", type=Path, help="where the JSON reports are kept")
    parser.add_argument("--cache", help="passed to ragdiag audit")
    parser.add_argument("--reuse", action="store_true", help="take the reports that are there")
    parser.add_argument("--fixes", action="store_true")
    parser.add_argument("--twins", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        audits = Audits(given.reports or Path(folder), given.cache, given.reuse)
        if given.fixes:
            fixes(audits, given.sets)
        elif given.twins:
            twins(audits)
        else:
            table(audits, given.sets)
            others(audits._replace(folder=audits.folder, reuse=True), given.sets)
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
