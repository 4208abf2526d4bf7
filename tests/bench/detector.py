"""How well "label doubtful" points to failing queries whose context answers all the same: precision and recall on reviewed ones.

``detector/*.jsonl`` has a line for each query that a person read without seeing the flag (question, reference answer or labelled
passage, the five chunks of the context): ``answers`` says whether the context answers it. All flagged queries were read, or 20 of
them, and 20 of the others, drawn at random; recall weighs the two by how many failing queries there are of each.

    python tests/bench/detector.py [SET ...]     (public sets in $RAGDIAG_DATA; retrievers as each line says)
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from common import paths

from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.pipeline import load_measurable, rank
from ragdiag.scoring.doubts import doubts
from ragdiag.search.retrieval import Plan

REVIEWED = Path(__file__).parent / "detector"


def flags(name: str, retriever: str) -> dict[str, bool]:
    """Each failing query of a set, and whether it is flagged."""
    options = Options.given(retriever=retriever)
    ranked = rank(Plan(options), load_measurable(*paths(name), options, no_progress), no_progress)
    scorer, run, lengths = ranked.scorer, ranked.retrieved.run, ranked.lengths
    enough = scorer.sufficient(run, lengths)
    failing = [q for q in scorer.labels.at("span").tolist() if not enough[q]]
    flagged = {d.query for d in doubts(scorer, run, lengths, failing, make("judges", "matcher(style=free)"))}
    return {scorer.labels.queries[q].id: q in flagged for q in failing}


def report(name: str, rows: list[dict[str, object]]) -> None:
    """The two-by-two table of a set, its precision, and its recall over all failing queries."""
    by_retriever = defaultdict(list)
    for row in rows:
        by_retriever[row["retriever"]].append(row)
    table, failing = Counter[tuple[bool, bool]](), Counter[bool]()
    for retriever, of_retriever in by_retriever.items():
        known = flags(name, str(retriever))
        failing.update(known.values())
        table.update((known[str(row["query"])], bool(row["answers"])) for row in of_retriever if row["query"] in known)
    right, wrong, missed, rest = table[True, True], table[True, False], table[False, True], table[False, False]
    share = missed / max(missed + rest, 1)
    precision = right / max(right + wrong, 1)
    found, lost = precision * failing[True], share * failing[False]
    print(f"{name}: {sum(failing.values())} failing, {failing[True]} flagged; read {sum(table.values())}")
    print(f"  flagged: {right} answered, {wrong} not; others: {missed} answered, {rest} not")
    print(f"  precision {precision:.2f}, recall {found / max(found + lost, 1e-9):.2f}")


if __name__ == "__main__":
    for file in sorted(REVIEWED.glob("*.jsonl")):
        if file.stem in sys.argv[1:] or not sys.argv[1:]:
            report(file.stem, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()])
