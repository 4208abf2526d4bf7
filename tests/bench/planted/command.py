"""The command: make worlds, verify them, diagnose, score."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .baselines import add_surface
from .families import add_families
from .files import read_rows, write_rows, write_world
from .plant import FINISHED, Planter
from .records import CAUSES
from .scoring import CLASSES, predicted, report
from .search import RETRIEVERS, Ranker
from .sources import ORDERS, healthy_world, passages_of_others


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench/planted", description=__doc__)
    parser.add_argument("--seed", default="dev", choices=tuple(ORDERS), help="each has questions of its own")
    parser.add_argument("--sets", nargs="+", help="of the seed's; all of them by default")
    parser.add_argument("--retrievers", nargs="+", default=list(RETRIEVERS), choices=RETRIEVERS)
    parser.add_argument("--per-class", type=int, default=16, help="cases wanted of each cause and retriever")
    parser.add_argument("--keep", type=Path, help="folder for the worlds' files and predictions.jsonl")
    parser.add_argument("--score", type=Path, nargs="+", help="only diagnose and score the worlds kept in these folders")
    parser.add_argument("--no-diagnosis", action="store_true", help="only make the worlds")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "ragdiag-planted-cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folders = options.score or [options.keep or Path(temporary)]
        if not options.score:
            make_worlds(folders[0], options)
        if not options.no_diagnosis:
            worlds = [world for folder in folders for world in _worlds(folder)]
            rows = [row for world in worlds for row in diagnosed(world, options.cache)]
            write_rows(folders[0] / "predictions.jsonl", rows)
            about = [json.loads((world / "world.json").read_text(encoding="utf-8")) for world in worlds]
            print(_counts(rows, about), report(rows), sep="\n\n")
    print(f"\nmade by: python tests/bench/planted {' '.join(sys.argv[1:])}")


def make_worlds(folder: Path, options: argparse.Namespace) -> None:
    """Every set under every retriever, each in its own folder."""
    sets = [s for s in ORDERS[options.seed] if s in (options.sets or ORDERS[options.seed])]
    ranker = Ranker(options.cache)
    for retriever in options.retrievers:
        wanted = {"healthy": round(2.6 * options.per_class), **dict.fromkeys(CAUSES, options.per_class)}
        if retriever == "bm25":
            del wanted["truncated"]
        else:
            wanted["truncated"] += options.per_class // 3  # bm25 has none
        for n, name in enumerate(sets):
            started = time.perf_counter()
            share = {kind: -(-count // (len(sets) - n)) for kind, count in wanted.items() if count > 0}
            world = healthy_world(name, options.seed)
            add_families(world, options.seed, name)
            planter = Planter(
                world,
                ranker,
                retriever,
                passages_of_others(name),
                f"{options.seed} {name} {retriever}",
            )
            cases = planter.fill(share)
            add_surface(planter.world, ranker, retriever, cases)
            made = Counter(c.kind for c in cases)
            wanted = {kind: count - made[kind] for kind, count in wanted.items()}
            write_world(
                folder / f"{name}-{retriever}",
                planter.world,
                cases,
                set=name,
                retriever=retriever,
                seed=options.seed,
                verified=dict(made),
                dropped=[[*key, count] for key, count in sorted(planter.dropped.items())],
                seconds=round(time.perf_counter() - started, 1),
            )
            print(f"{name} {retriever}: {dict(made)}, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)


def _worlds(folder: Path) -> list[Path]:
    found = sorted(p.parent for p in folder.glob("**/world.json"))
    if not found:
        sys.exit(f"{folder}: no worlds are kept here; make some with --keep")
    return found


def diagnosed(world: Path, cache: Path, **door: object) -> list[dict[str, Any]]:
    """What the audit says of each query of a kept world, beside the truth; `door` are the options of another way to its index."""
    from ragdiag.core.options import Options
    from ragdiag.pipeline import run_audit

    truth = {row["id"]: row for row in read_rows(world / "truth.jsonl")}
    own = {"chunks": world / "chunks.jsonl", "retriever": next(iter(truth.values()))["retriever"]}
    options = Options(**{**(door or own), "k": 5, "cache": cache})
    found = run_audit(world / "corpus.jsonl", world / "queries.jsonl", options).report
    rows = []
    for query in found.queries:
        named = "untested" if query.status == "not_decidable" else predicted(query.status, query.causes, query.label)
        said = {"predicted": named, "causes": list(query.causes), "status": query.status, "untested": list(query.untested)}
        rows.append(truth[query.id] | said)
    return rows


def _counts(rows: list[dict[str, Any]], worlds: list[dict[str, Any]]) -> str:
    """What was verified, and what was tried and dropped: when it was planted, or in the finished world."""
    made = Counter(r["truth"] for r in rows)
    early, late, reasons = Counter[str](), Counter[str](), Counter[str]()
    for world in worlds:
        for kind, reason, count in world["dropped"]:
            (late if reason.startswith(FINISHED) else early)[kind] += count
            reasons[f"{kind}: {reason}"] += count
    herrings, decoys = (sum(bool(r[what]) for r in rows) for what in ("herring", "decoy"))
    lines = [f"{len(rows)} verified, {herrings} faults with a herring, {decoys} healthy with a decoy"]
    lines += [f"{'':16} verified  not plantable  dropped at the end"]
    lines += [f"{kind:16} {made[kind]:8} {early[kind]:14} {late[kind]:19}" for kind in CLASSES]
    unproved = [f"{kind} {sum(r['truth'] == kind and not r['provable'] for r in rows)}" for kind in ("diluted", "query_mismatch")]
    lines += [f"beyond the method's own repair, made plainly: {', '.join(unproved)}"]
    most = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(12))
    return "\n".join([*lines, f"most common reasons: {most}"])
