"""The matcher against people: Cohen's kappa with human labels, by the first reference and by any, per system.

The data: `queries.jsonl` with `answers`, and `answers/SYSTEM.jsonl` with a person's `correct`, in each folder below
DATA/evouna_dev (or below the folder that is named on the command line). Questions are halved by a hash of their id: rules may be
chosen by the half `dev` alone; the half `test` is shown with --test.
"""

import argparse
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

from common import DATA, show

from ragdiag.answering.answers import load_answers
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.answering.verdict import agreement
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query
from ragdiag.sources.queries import load_queries

Asked = list[tuple[Query, Answer]]


def half(query_id: str) -> str:
    """The half of the questions that one is in."""
    return "dev" if hashlib.sha256(query_id.encode()).digest()[0] % 2 == 0 else "test"


def systems(folder: Path) -> Iterator[tuple[str, Asked]]:
    """Each system of a part with its labelled answers."""
    queries = {query.id: query for query in load_queries(folder / "queries.jsonl")}
    for path in sorted((folder / "answers").glob("*.jsonl")):
        answers = load_answers([f"retrieved={path}"])
        yield path.stem, [(queries[a.query_id], a) for a in answers if a.correct is not None]


def kind(answer: Answer) -> str:
    """Short, or told at length as a chat does."""
    return "short" if len(answer.answer.split()) <= 5 else "sentences" if len(answer.answer.split()) <= 40 else "long"


def judged(asked: Asked, references: str) -> list[bool]:
    """What the matcher says of each answer, by the first reference or by any."""
    if references == "first":
        asked = [(dataclasses.replace(query, answer=query.answers[0], also=()), answer) for query, answer in asked]
    return [found is not None and found.correct for found in Matcher().judge(asked, None, no_progress)]


def report(name: str, rows: list[tuple[Answer, bool, bool]]) -> None:
    """Kappa of a set of answers, each with what the matcher says by the first reference and by any."""
    labels = [bool(answer.correct) for answer, _, _ in rows]
    first, any_ = (agreement(labels, [row[i] for row in rows]) for i in (1, 2))
    if first is not None and any_ is not None:
        missed, passed = ("/".join(map(str, pair)) for pair in (any_.failed_right, any_.passed_wrong))
        show(name, n=any_.n, first=first.kappa, any=any_.kappa, right_called_wrong=missed, wrong_called_right=passed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=DATA / "evouna_dev")
    parser.add_argument("--test", action="store_true", help="the other half of the questions")
    which = "test" if parser.parse_args().test else "dev"
    folder = parser.parse_args().folder
    for part in sorted(p.parent for p in folder.glob("*/queries.jsonl")):
        rows: list[tuple[Answer, bool, bool]] = []
        for system, asked in systems(part):
            asked = [(query, answer) for query, answer in asked if query.answers and half(query.id) == which]
            own = list(zip((a for _, a in asked), judged(asked, "first"), judged(asked, "any"), strict=True))
            report(f"{which} {part.name} {system}", own)
            rows += own
        for name in ("short", "sentences", "long"):
            report(f"{which} {part.name} answers that are {name}", [row for row in rows if kind(row[0]) == name])
        report(f"{which} {part.name} all", rows)


if __name__ == "__main__":
    main()
