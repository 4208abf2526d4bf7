"""Reports and screens of one version held against another's: `audit`, `compare` and `explain` over the public sets.

    PYTHONPATH=A python tests/bench/same.py keep FOLDER_A
    PYTHONPATH=B python tests/bench/same.py keep FOLDER_B
    python tests/bench/same.py hold FOLDER_A FOLDER_B

    PYTHONPATH=B python tests/bench/same.py audits FOLDER_C --ties id
    python tests/bench/same.py means FOLDER_A FOLDER_C

Both sides run the same commands on the same data. JSON is the same where its bytes are, once `timings` and the version are out
of it; fields that only the second side has are named, with how often they are there; anything else is a difference, shown.
`audits` keeps audits alone, with whatever options are added; `means` shows the means that differ.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from common import SETS, paths

RETRIEVERS = ("bm25", "hybrid")
GRIDS = {
    "bm25": ("--chunker", "sentence", "--chunker", "fixed(size=256)", "--retriever", "bm25"),
    "hybrid": ("--chunker", "sentence", "--context", "none", "--context", "title", "--retriever", "hybrid"),
}
EXPLAINED = 4
NEVER = re.compile(r"\b\d+(\.\d+)? ?(ms|s|MB|kB)\b|\d+(\.\d+)? of \d+ s")
"""What no two runs share on a screen."""


def commands(name: str, retriever: str, folder: Path) -> dict[str, list[str]]:
    """What is run for a set and a retriever, by the name of its files."""
    place = [*map(str, paths(name))]
    base = folder / f"{name}-{retriever}"
    runs = {
        "audit": ["audit", *place, "--retriever", retriever, "--html", f"{base}-audit.html"],
        "compare": ["compare", *place, *GRIDS[retriever], "--html", f"{base}-compare.html"],
    }
    return {what: [*words, "--json", f"{base}-{what}.json"] for what, words in runs.items()}


def run(words: list[str], screen: Path) -> None:
    """One command; its screen is kept, notes included, progress not."""
    done = subprocess.run([sys.executable, "-m", "ragdiag", *words], capture_output=True, text=True, env=None)
    screen.write_text(f"{done.stdout}\n--- {done.returncode} ---\n{done.stderr}", encoding="utf-8")
    print(screen.name, done.returncode, flush=True)


def keep(folder: Path) -> None:
    """Everything of one version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SETS:
        for retriever in RETRIEVERS:
            for what, words in commands(name, retriever, folder).items():
                run(words, folder / f"{name}-{retriever}-{what}.txt")
            found = json.loads((folder / f"{name}-{retriever}-audit.json").read_text(encoding="utf-8"))
            first = {}
            for query in found["queries"]:
                first.setdefault((query["status"], *query["causes"]), query["id"])
            for i, query in enumerate(list(first.values())[:EXPLAINED]):
                words = ["explain", *map(str, paths(name)), query, "--retriever", retriever]
                words += ["--json", str(folder / f"{name}-{retriever}-explain{i}.json")]
                run(words, folder / f"{name}-{retriever}-explain{i}.txt")


def audits(folder: Path, more: list[str]) -> None:
    """The audits of one version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SETS:
        for retriever in RETRIEVERS:
            run([*commands(name, retriever, folder)["audit"], *more], folder / f"{name}-{retriever}-audit.txt")


def means(left: Path, right: Path) -> None:
    """Every mean of an audit that is not the same on both sides."""
    for file in sorted(left.glob("*-audit.json")):
        before, after = (json.loads((f / file.name).read_text(encoding="utf-8"))["measures"] for f in (left, right))
        pairs = {m: (before[m]["mean"], after[m]["mean"]) for m in before if before[m] != after[m]}
        shown = ", ".join(f"{m} {a:.4f} -> {b:.4f}" for m, (a, b) in pairs.items() if a is not None and b is not None)
        print(f"{file.name.removesuffix('-audit.json')}: {len(pairs)} of {len(before)} differ: {shown}")


def timeless(value: object) -> object:
    """A report without what two runs never share."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("timings", "ragdiag")}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def added(before: object, after: object, path: str, new: Counter, different: list[str]) -> object:
    """`after` without the fields that `before` lacks, which are counted in `new`; what else differs is added to `different`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in after.keys() - before.keys():
            new[f"{path}.{key}"] += 1
        different += [f"{path}.{key} is gone" for key in before.keys() - after.keys()]
        return {k: added(before[k], v, f"{path}.{k}", new, different) for k, v in after.items() if k in before}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [added(b, a, f"{path}[]", new, different) for b, a in zip(before, after, strict=True)]
    if before != after:
        different.append(f"{path}: {str(before)[:150]} -> {str(after)[:150]}")
    return after


def hold(left: Path, right: Path) -> int:
    """Both sides of each file; the number that differ."""
    wrong = 0
    for file in sorted(left.glob("*.json")):
        before, after = (timeless(json.loads((f / file.name).read_text(encoding="utf-8"))) for f in (left, right))
        new, different = Counter(), []
        rest = added(before, after, "", new, different)
        if json.dumps(rest) != json.dumps(before) and not different:
            different.append("the order of fields")
        wrong += bool(different)
        words = (
            "same bytes"
            if not new and not different
            else "same but for " + ", ".join(f"{k} x{n}" for k, n in sorted(new.items()))
        )
        print(f"{file.name}: {words if not different else 'DIFFERS'}")
        for line in different[:10]:
            print(f"    {line}")
    for file in sorted(left.glob("*.txt")):
        before, after = (NEVER.sub("#", (f / file.name).read_text(encoding="utf-8").replace(str(f), "")) for f in (left, right))
        if before != after:
            print(f"{file.name}: its screen differs")
            pairs = [(a, b) for a, b in zip(before.split("\n"), after.split("\n"), strict=False) if a.split() != b.split()]
            for a, b in pairs[:4]:
                print(f"    - {a}\n    + {b}")
    print(f"{wrong} JSON reports differ")
    return wrong


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(Path(sys.argv[2]))
    elif sys.argv[1] == "audits":
        audits(Path(sys.argv[2]), sys.argv[3:])
    elif sys.argv[1] == "means":
        means(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(bool(hold(Path(sys.argv[2]), Path(sys.argv[3]))))
