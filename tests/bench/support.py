"""Does `grounded` tell what contexts hold from what they do not? Against labels, beside plain word overlap and always-yes.

    python tests/bench/support.py [FILE ...] [--half development] [--errors]

Each FILE has lines `{"question", "contexts", "sentence", "supported"}`; `fixtures/judges/support_fresh.jsonl` and
`support.jsonl` (100 sentences of hard kinds) and the answers of hotpot100 come first. Of these the labels are taken from how they
were made: an answer made with the gold passages is held by them; one from memory that is recorded as incorrect is not. Sentences
labelled null state nothing, and are told apart from the rest. Halves are by a hash of the sentence: rules were chosen by the
first of `support.jsonl`, and the threshold of word overlap is by the first of each set (for `support_fresh.jsonl` by that of
`support.jsonl`); figures are of the second, or of `--half`.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))
from common import DATA

from ragdiag.answering.judges._claims import claims
from ragdiag.answering.judges._text import STOP_WORDS
from ragdiag.answering.verdict import agreement

FRESH = Path(__file__).parents[2] / "fixtures" / "judges" / "support_fresh.jsonl"
FIXTURE = Path(__file__).parents[2] / "fixtures" / "judges" / "support.jsonl"
HALVES = ("development", "test")


class Row(NamedTuple):
    """A sentence, what it was said to and from, and whether a person says that the contexts hold it; None: it states nothing."""

    question: str
    contexts: tuple[str, ...]
    sentence: str
    supported: bool | None
    kind: str = ""

    @property
    def half(self) -> str:
        """The half that it is in."""
        return HALVES[hashlib.sha256(self.sentence.encode()).digest()[0] % 2]


def records(path: Path) -> list[dict]:
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def rows(path: Path) -> list[Row]:
    """The sentences of a file."""
    return [Row(r["question"], tuple(r["contexts"]), r["sentence"], r["supported"], r.get("kind", "")) for r in records(path)]


def hotpot() -> list[Row]:
    """The answers of hotpot100, labelled by how they were made."""
    folder = DATA / "hotpot100"
    texts = {d["_id"]: f"{d['title']} {d['text']}" for d in records(folder / "corpus.jsonl")}
    queries = {q["_id"]: q for q in records(folder / "queries.jsonl")}
    found = []
    for name, held in (("gold_context", True), ("closed_book", False)):
        for row in records(folder / "answers" / f"cot_{name}_trial1.jsonl"):
            if held or row["recorded_label"] == "incorrect":
                query = queries[row["query_id"]]
                contexts = tuple(texts[d] for d in dict.fromkeys(e["doc_id"] for e in query["evidence"]))
                found.append(Row(query["text"], contexts, str(row["answer"] or ""), held, name))
    return [row for row in found if row.sentence.strip()]


def by_grounded(row: Row) -> bool | None:
    """Whether `grounded` says that the contexts hold the sentence; None where it finds that nothing is stated."""
    found = claims(row.question, row.sentence, row.contexts)
    return all(claim.supported for claim in found) if found else None


def overlap(row: Row) -> float:
    """The share of the sentence's words, but for the commonest, that the best of its contexts has."""
    said = _plain(row.sentence)
    return max((len(said & _plain(context)) / len(said) for context in row.contexts), default=0.0) if said else 1.0


def _plain(text: str) -> set[str]:
    return {w for w in "".join(c if c.isalnum() else " " for c in text.lower()).split() if w not in STOP_WORDS}


def threshold(chosen_by: Sequence[Row]) -> float:
    """The share of words from which on overlap says yes, by the best kappa."""
    labels, shares = [bool(r.supported) for r in chosen_by], [overlap(r) for r in chosen_by]
    return max((i / 20 for i in range(21)), key=lambda t: _kappa(labels, [s >= t for s in shares]))


def _kappa(labels: Sequence[bool], said: Sequence[bool]) -> float:
    found = agreement(labels, said)
    return -1.0 if found is None or found.kappa is None else found.kappa


def report(name: str, of: Sequence[Row], half: str, errors: bool, chosen_by: Sequence[Row] = ()) -> None:
    """One set's figures, a line a judge: of a half, or where the threshold is `chosen_by` other sentences of all."""
    labelled = [r for r in of if r.supported is not None]
    shown = [r for r in labelled if chosen_by or r.half == half]
    chosen_by = [r for r in chosen_by or labelled if r.supported is not None and r.half == HALVES[0]]
    half = "all of it" if len(shown) == len(labelled) else f"{half} half"
    if not shown or not chosen_by:
        print(f"{name}: too few sentences")
        return
    least = threshold(chosen_by)
    silent = sum(by_grounded(r) is None for r in shown)
    ways: dict[str, Callable[[Row], bool]] = {
        "grounded": lambda r: by_grounded(r) is not False,
        f"overlap >= {least:.2f}": lambda r: overlap(r) >= least,
        "always yes": lambda r: True,
    }
    yes = sum(bool(r.supported) for r in shown)
    print(f"{name}, {half}: {len(shown)} sentences, {yes} supported; {silent} of them state nothing to grounded, and pass")
    for way, says in ways.items():
        found = agreement([bool(r.supported) for r in shown], [says(r) for r in shown])
        assert found is not None
        kappa = 0.0 if found.kappa is None else found.kappa
        balanced = 0.5 if found.balanced is None else found.balanced
        (missed, held), (passed, not_held) = found.failed_right, found.passed_wrong
        figures = f"kappa {kappa:+.2f}, balanced accuracy {balanced:.2f}, agrees {found.share:.2f}"
        print(f"  {way:16} {figures}; no of {missed}/{held} supported, yes of {passed}/{not_held} unsupported")
    nothing = [r for r in of if r.supported is None and half in ("all of it", f"{r.half} half")]
    if nothing:
        print(f"  of {len(nothing)} that state nothing it finds a claim in {sum(by_grounded(r) is not None for r in nothing)}")
    for r in shown if errors else ():
        if (by_grounded(r) is not False) != r.supported:
            why = "; ".join(c.why for c in claims(r.question, r.sentence, r.contexts) if c.why)
            print(f"    {'supported' if r.supported else 'unsupported'} {r.kind}: {r.sentence} ({why})")


def main() -> None:
    """The fixture, hotpot100, then each file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--half", choices=HALVES, default=HALVES[1])
    parser.add_argument("--errors", action="store_true")
    asked = parser.parse_args()
    print(f"python {' '.join(sys.argv)}")
    report("fresh", rows(FRESH), asked.half, asked.errors, rows(FIXTURE))
    sets = {"fixture": rows(FIXTURE)}
    sets |= {"hotpot100": hotpot()} if (DATA / "hotpot100").exists() else {}
    for name, of in (sets | {path.name: rows(path) for path in asked.files}).items():
        report(name, of, asked.half, asked.errors)


if __name__ == "__main__":
    main()
