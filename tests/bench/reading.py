"""Failing queries of real sets, read by people: draws findings of each cause, a card each, and says how far readers agree.

``cards`` audits the sets under three retrievers, prints how many failing queries each cause has, and writes the cards, numbered
in random order, with a key kept apart; ``agree KEY FIRST SECOND`` reads two readers' CSVs (number, right|doubtful|wrong, why).
"""

import argparse
import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from causes import RETRIEVERS, _counts, _head, _row
from common import SETS, paths

HINT = " *"
"""Ends the name of what is named without proof: drawn too, and counted apart."""

VERDICTS = ("right", "doubtful", "wrong")
COLUMNS = ("number", "set", "retriever", "id", "cause", "status", "marginal")

Rows = list[dict[str, Any]]
"""Queries as in an audit's JSON report, with the `set`, the `retriever` and the first `cause`; one that fails has a `card`."""


def audited(name: str, corpus: Path, queries: Path, retriever: str, cache: str) -> Iterator[dict[str, Any]]:
    """Every query of a set with its findings, and the card of each that fails."""
    from ragdiag.core.options import Options
    from ragdiag.explain import explanations
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import explain_dict, rounded

    audit = run_audit(corpus, queries, Options(retriever=retriever, k=5, cache=cache))
    passages = _passages(audit)
    for explanation in explanations(audit):
        row = rounded(explain_dict(explanation))["query"]
        fails = row["status"] not in ("ok", "excluded", "label_wide", "not_decidable")
        card = _card(explanation, passages[row["id"]]) if fails else ""
        yield row | {"set": name, "retriever": retriever, "cause": _first(row), "card": card}


def _first(row: dict[str, Any]) -> str:
    """The first cause of a query, marked where it is a hint; without any its status."""
    if not row["causes"]:
        return row["status"] + HINT
    cause = row["causes"][0]
    proved = any(f["cause"] == cause and f["proved"] and not f["residual"] for f in row["findings"])
    return cause + ("" if proved else HINT)


def _passages(audit: Any) -> dict[str, list[str]]:
    """By query its labelled passages, each whole with its document; those of one part are alternatives."""
    evidence, found, first = audit.labels.evidence, defaultdict[str, list[str]](list), dict[str, int]()
    for row in (~evidence.copy).nonzero()[0]:
        query, group = audit.labels.queries[int(evidence.query[row])].id, int(evidence.group[row])
        part, start = group - first.setdefault(query, group) + 1, int(evidence.start[row])
        document = audit.corpus.documents[int(evidence.document[row])]
        text = document.text[start : int(evidence.end[row])]
        found[query].append(f"**Part {part}**, in {document.id} at {start}:\n\n{_quoted(text)}")
    return found


def _card(explanation: Any, passages: list[str]) -> str:
    """A query that fails, as a reader needs it: nothing says how its cause was found, nor what else was tried."""
    from ragdiag.reports.proof import proof
    from ragdiag.reports.words import headline

    query, context = explanation.query, [c for c in explanation.ranking if c.in_context]
    causes, _, notes = proof(explanation)
    screen = [headline(explanation.result)]
    for cause in causes:
        screen += ["", cause.head.text, *(f"  {row.label:<10} {row.text}" for row in cause.rows if row.label != "control")]
    parts = [
        f"**Question**: {query.text}\n\n**Reference answer**: {' | '.join(query.answers) or '(none given)'}",
        "## What the tool says",
        _quoted("\n".join([*screen, *(note.text for note in notes)])),
        "## Labelled evidence (every part is needed; passages of one part are alternatives)",
        *passages,
        f"## Context: the first {len(context)} chunks",
        *(f"**{chunk.rank}** {chunk.id}:\n\n{_quoted(chunk.text)}" for chunk in context),
    ]
    return "\n\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    """A text as it is, in a fence that it does not close."""
    fence = max(["``", *re.findall("`+", text)], key=len) + "`"
    return f"{fence}text\n{text.strip()}\n{fence}"


def kept(folder: Path, reuse: bool, sets: dict[str, tuple[Path, ...]], cache: str) -> Rows:
    """The queries of all audits, from the reports in a folder where `reuse` says so."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (corpus, queries) in sets.items():
        for retriever in RETRIEVERS:
            path = folder / f"{name.replace('/', '_')}-{retriever}.json"
            if not (reuse and path.exists()):
                path.write_text(json.dumps([*audited(name, corpus, queries, retriever, cache)]), encoding="utf-8")
            rows += json.loads(path.read_text(encoding="utf-8"))
    return rows


def drawn(rows: Rows, n: int, rng: random.Random, read: set[tuple[str, str]]) -> Rows:
    """Up to `n` findings of each cause, evenly over sets, then retrievers; no query twice, so the rarest cause chooses first.

    None of a query in `read`, which were read before.
    """
    pool: dict[str, Rows] = defaultdict(list)
    for row in (row for row in rows if row["card"] and not row["label"]):
        pool[row["cause"]].append(row)
    used, found = set(read), list[dict[str, Any]]()
    for cause in sorted(pool, key=lambda cause: (len(pool[cause]), cause)):
        sets, retrievers, left = Counter[str](), Counter[str](), rng.sample(pool[cause], len(pool[cause]))
        while (left := [r for r in left if (r["set"], r["id"]) not in used]) and sets.total() < n:
            row = min(left, key=lambda r: (sets[r["set"]], retrievers[r["retriever"]]))
            found.append(row)
            used.add((row["set"], row["id"]))
            sets[row["set"]] += 1
            retrievers[row["retriever"]] += 1
    return rng.sample(found, len(found))


def write_cards(found: Rows, folder: Path, key: Path) -> None:
    """The cards, and apart from them what each one is."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(found, 1):
        (folder / f"{number:03}.md").write_text(f"# Card {number}\n\n{row['card']}", encoding="utf-8")
    with key.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(row | {"number": number} for number, row in enumerate(found, 1))


def counts(rows: Rows) -> None:
    """By set and retriever: queries, failures, those that are said to be something else, and the first cause of the others."""
    _head(("set", "retriever", "n", "failing", "label wide", "label doubtful", "marginal", "undetermined", "first causes"))
    for name, retriever in [*dict.fromkeys((q["set"], q["retriever"]) for q in rows), ("all", "")]:
        queries = [q for q in rows if (q["set"], q["retriever"]) == (name, retriever) or not retriever]
        failing, labels = [q for q in queries if q["card"]], Counter(q["label"] for q in queries if q["status"] != "ok")
        first = Counter(q["cause"] for q in failing if not q["label"])
        none = f"{first.pop('undetermined' + HINT, 0)} of {sum(not q['label'] for q in failing)}"
        numbers = (len(queries), len(failing), labels["wide"], labels["doubtful"], sum(q["marginal"] for q in failing))
        _row([name, retriever, *map(str, numbers), none, _counts(first)])


def agree(key: Path, readers: list[Path]) -> None:
    """By cause what each reader found, with Wilson's interval of the share that is right; then how far the two agree."""
    from sklearn.metrics import cohen_kappa_score

    from ragdiag.stats.statistics import wilson

    with key.open(encoding="utf-8", newline="") as file:
        causes = {int(row["number"]): row["cause"] for row in csv.DictReader(file)}
    first, second = (_read(path, causes) for path in readers)
    both = first.keys() & second.keys()
    groups = {cause: [n for n in both if causes[n] == cause] for cause in sorted({causes[n] for n in both})}
    groups |= {"all called proved": [n for n in both if not causes[n].endswith(HINT)], "all": both}
    _head(("cause", "n", *(f"{which}: {title}" for which in ("first", "second") for title in (*VERDICTS, "95 % of right"))))
    for cause, numbers in groups.items():
        cells = [cause, str(len(numbers))]
        for read in (first, second):
            said = Counter(read[n] for n in numbers)
            low, high = wilson(said["right"], len(numbers)) if numbers else (0, 1)
            cells += [*(str(said[verdict]) for verdict in VERDICTS), f"{low:.2f} to {high:.2f}"]
        _row(cells)
    kappa = cohen_kappa_score([first[n] for n in both], [second[n] for n in both], labels=VERDICTS)
    print(f"\nread by both: {len(both)} of {len(causes)} cards; Cohen's kappa {kappa:.2f}")


def _read(path: Path, causes: dict[int, str]) -> dict[int, str]:
    """What a reader said of each card. A row that says something else, or of no card, ends it with its line."""
    said = dict[int, str]()
    with path.open(encoding="utf-8", newline="") as file:
        for row in (rows := csv.reader(file)):
            number = int(row[0]) if row and row[0].isdigit() else 0
            if number in causes and number not in said and row[1:] and row[1] in VERDICTS:
                said[number] = row[1]
            elif row[:1] != ["number"]:
                raise SystemExit(f"{path}:{rows.line_num}: needs a card's number, once, {' or '.join(VERDICTS)}, why: {row}")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    cards, readers = commands.add_parser("cards"), commands.add_parser("agree")
    cards.add_argument("--sets", nargs="*", default=[*SETS, "fastapi_docs", "xquad_dev/de"])
    cards.add_argument("--also", action="append", default=[], metavar="NAME=CORPUS,QUERIES", help="a set of your own")
    cards.add_argument("--reports", type=Path, required=True, help="where the audits are kept")
    cards.add_argument("--reuse", action="store_true", help="take the audits that are there")
    cards.add_argument("--cache", default="", help="vectors, as of ragdiag audit")
    cards.add_argument("--cards", type=Path, required=True, help="where the cards go; their key beside it, as NAME.key.csv")
    cards.add_argument(
        "--without", type=Path, nargs="*", default=[], metavar="KEY", help="keys of cards read before: none of these"
    )
    cards.add_argument("-n", type=int, default=20, help="findings of each cause")
    cards.add_argument("--seed", default="1", help="of what is drawn")
    readers.add_argument("key", type=Path)
    readers.add_argument("readers", type=Path, nargs=2, help="CSV: number, right|doubtful|wrong, why")
    asked = parser.parse_args()
    if asked.command == "agree":
        agree(asked.key, asked.readers)
        return
    also = {name: tuple(map(Path, files.split(","))) for name, _, files in (other.partition("=") for other in asked.also)}
    counts(rows := kept(asked.reports, asked.reuse, {name: paths(name) for name in asked.sets} | also, asked.cache))
    read = {(row["set"], row["id"]) for key in asked.without for row in csv.DictReader(key.open(encoding="utf-8"))}
    write_cards(drawn(rows, asked.n, random.Random(asked.seed), read), asked.cards, asked.cards.with_suffix(".key.csv"))


if __name__ == "__main__":
    main()
