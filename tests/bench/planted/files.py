"""Worlds as a team would keep them: corpus, chunks and queries; the truth in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .records import Case, World


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_world(folder: Path, world: World, cases: Iterable[Case], **about: Any) -> None:
    """The four files of a world, and `about` it."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {page: dict(given) for edit in world.edits for page, given in edit.metadata.items()}
    titles = {page: new for edit in world.edits for page, new in edit.titles.items()}
    gone = world.gone
    pages = sorted((p for p in world.pages.values() if p.id not in gone), key=lambda p: p.id)
    write_rows(
        folder / "corpus.jsonl",
        (
            {
                "_id": p.id,
                "title": titles.get(p.id, p.title),
                "text": p.text,
                "metadata": metadata.get(p.id, dict(p.metadata)),
            }
            for p in pages
        ),
    )
    write_rows(folder / "chunks.jsonl", ({"doc_id": s.page, "start": s.start, "end": s.end} for s in world.view().spans))
    cases = sorted(cases, key=lambda c: c.question.id)
    write_rows(folder / "queries.jsonl", (_query(world, case) for case in cases))
    write_rows(folder / "truth.jsonl", (_truth(case) | {k: about[k] for k in ("set", "retriever")} for case in cases))
    (folder / "world.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _query(world: World, case: Case) -> dict[str, Any]:
    evidence = [
        {"doc_id": s.page, "start": s.start, "end": s.end, "text": world.text(s), "group": f"g{n}"}
        for n, group in enumerate(case.needs.groups)
        for s in group
    ]
    return {"_id": case.question.id, "text": case.asked, **case.record, "evidence": evidence}


def _truth(case: Case) -> dict[str, Any]:
    return {
        "id": case.question.id,
        "truth": case.kind,
        "right": case.right,
        "style": case.fault.style if case.fault else "",
        "herring": case.extra.kind if case.fault and case.extra else "",
        "decoy": case.extra.kind if case.extra and not case.fault else "",
        "original": case.question.text,
        **case.notes,
    }
