"""Characters that each loader loses and gains, beside reference programs: ``python loaders.py [KIND...] [--before TREE]``.

Each module of ``loading`` is a kind of file. It gives files whose text is known because they were generated from it
(`generated`), files of the same kind that packages happen to ship (`shipped`), and other programs that read them (`REFERENCES`).

- lost: characters of the truth's words that the text lacks, each word as often as the truth has it
- gained: characters of the text's words that the truth does not have
- apart: passages of the truth whose words do not stand next to one another in the text, in their order

Of shipped files nobody knows the truth: lost is what two references have and the text lacks, gained what no reference has.
``--before TREE`` reads the same files with the loaders of another tree of this repository as well. References that are not
installed are passed over: ``pip install trafilatura pypandoc_binary readability-lxml``.
"""

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.append(sys.path.pop(0))  # behind the standard library, whose ``html`` references import

from loading import Generated

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{NO_SPACES}]|[^\W_{NO_SPACES}]+")
RAISED = re.compile("(?<=[0-9])(?=[\u2070\u00b9\u00b2\u00b3\u2074-\u2079])")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")

READ = """
import json, sys
from pathlib import Path
from ragdiag.core.errors import RagdiagError
from ragdiag.sources.loaders import load
texts = []
for name in json.load(sys.stdin):
    try:
        document = load(Path(name))
    except RagdiagError as e:
        texts.append("")
        print(e, file=sys.stderr)
    else:
        texts.append(document.text)
json.dump(texts, sys.stdout)
"""
"""What reads files with the loaders of the tree that `PYTHONPATH` names."""


class Score(NamedTuple):
    """Characters lost and gained, and passages not found as a whole."""

    lost: int
    gained: int
    apart: int = 0


def words(text: str) -> list[str]:
    """Words in normal form; a character is one in scripts without spaces, and a raised digit is none of the number before it."""
    normal = unicodedata.normalize("NFKC", INVISIBLE.sub("", RAISED.sub(" ", text))).casefold()
    return WORD.findall(normal)


def size(bag: Counter[str]) -> int:
    """Characters of words."""
    return sum(len(word) * n for word, n in bag.items())


def scored(text: str, truth: Sequence[str]) -> Score:
    """A text beside the passages that it should hold."""
    held, due = words(text), [words(passage) for passage in truth]
    line, bag, wanted = f" {' '.join(held)} ", Counter(held), Counter(word for passage in due for word in passage)
    return Score(size(wanted - bag), size(bag - wanted), sum(f" {' '.join(passage)} " not in line for passage in due))


def compared(text: str, references: Iterable[str]) -> Score:
    """A text beside those of references, where nobody knows the truth."""
    bag, others = Counter(words(text)), [Counter(words(other)) for other in references]
    union: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for i, other in enumerate(others):
        union |= other
        for later in others[i + 1 :]:
            shared |= other & later
    return Score(size(shared - bag), size(bag - union))


def read(files: Sequence[Path], tree: Path) -> list[str]:
    """The texts of files by the loaders of a tree."""
    environment = os.environ | {"PYTHONPATH": str(tree), "HF_HUB_OFFLINE": "1"}
    names = json.dumps([str(file) for file in files])
    command = [sys.executable, "-c", READ]  # which imports from the folder it runs in before all else
    done = subprocess.run(command, input=names, capture_output=True, text=True, env=environment, cwd=tree, check=True)
    if done.stderr:
        print(done.stderr.rstrip()[-2000:])
    texts: list[str] = json.loads(done.stdout)
    return texts


def by_references(files: Sequence[Path], references: Mapping[str, Callable[[Path], str]]) -> dict[str, list[str]]:
    """The texts of files by each reference that is installed; "" where it fails."""
    texts: dict[str, list[str]] = {}
    for name, reference in references.items():
        try:
            texts[name] = [tried(reference, file) for file in files]
        except ImportError as e:
            print(f"  ({name} is not installed: {e})")
    return texts


def tried(reference: Callable[[Path], str], file: Path) -> str:
    """A reference's text of a file."""
    try:
        return reference(file)
    except ImportError:
        raise
    except Exception as e:  # whatever a reference raises is its own affair
        print(f"  ({file.name}: {type(e).__name__}: {e})"[:200])
        return ""


def table(rows: Mapping[str, Sequence[Score]], head: str) -> None:
    """One line a reader: sums over files, and the files in which something is lost."""
    print(f"\n{head}\n{'reader':<16}{'lost':>9}{'gained':>9}{'apart':>7}  files with loss")
    for name, scores in rows.items():
        lost, gained, apart = (sum(column) for column in zip(*scores, strict=True))
        print(f"{name:<16}{lost:>9,}{gained:>9,}{apart:>7,}  {sum(s.lost > 0 for s in scores)} of {len(scores)}")


def on_generated(kind, folder: Path, trees: Mapping[str, Path], details: bool) -> None:
    """Files whose text is known."""
    samples: list[Generated] = list(kind.generated())
    files = [folder / sample.name for sample in samples]
    for file, sample in zip(files, samples, strict=True):
        file.write_bytes(sample.raw)
    texts = {name: read(files, tree) for name, tree in trees.items()} | by_references(files, kind.REFERENCES)
    rows = {name: [scored(t, s.truth) for t, s in zip(each, samples, strict=True)] for name, each in texts.items()}
    total = sum(len(word) for s in samples for passage in s.truth for word in words(passage))
    passages = sum(len(s.truth) for s in samples)
    table(rows, f"{len(files)} generated {kind.NAME} files: {total:,} characters in the words of {passages:,} passages")
    for score, text, sample in zip(rows["ragdiag"], texts["ragdiag"], samples, strict=True) if details else ():
        if any(score):
            lacks = [passage for passage in sample.truth if scored(text, [passage])[::2] != (0, 0)]
            more = Counter(words(text)) - Counter(word for passage in sample.truth for word in words(passage))
            print(f"  {sample.name}: {score}; not as a whole: {lacks[:4]}; too much: {list(more)[:12]}")


def on_shipped(kind, trees: Mapping[str, Path], details: bool) -> None:
    """Files that packages ship."""
    files = list(kind.shipped())
    if not files:
        print(f"\nno {kind.NAME} file is shipped by what is installed")
        return
    others = by_references(files, kind.REFERENCES)
    texts = {name: read(files, tree) for name, tree in trees.items()} | others
    rows = {}
    for name, each in texts.items():
        beside = [other for key, other in others.items() if key != name]
        rows[name] = [compared(text, references) for text, *references in zip(each, *beside, strict=True)]
    table(rows, f"{len(files)} shipped {kind.NAME} files, against what the references say")
    worst = sorted(zip(rows["ragdiag"], files, strict=True), key=lambda pair: -sum(pair[0]))[:15] if details else ()
    for score, file in worst:
        print(f"  {score.lost:>7,} lost {score.gained:>7,} gained  {file}")


def main() -> None:
    """All kinds, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = sorted(p.stem for p in (HERE / "loading").glob("[a-z]*.py"))
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=" ".join(kinds))
    parser.add_argument("--before", type=Path, help="another tree of this repository")
    parser.add_argument("--details", action="store_true", help="what goes wrong, file by file")
    asked = parser.parse_args()
    trees = ({"before": asked.before.resolve()} if asked.before else {}) | {"ragdiag": ROOT}
    for name in asked.kinds or kinds:
        kind = importlib.import_module(f"loading.{name}")
        with tempfile.TemporaryDirectory() as folder:
            on_generated(kind, Path(folder), trees, asked.details)
        on_shipped(kind, trees, asked.details)


if __name__ == "__main__":
    main()
