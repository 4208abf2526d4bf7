"""CPU seconds and peak memory of a whole command as one side of its input grows, at n, 2n, 4n and 8n, with their log-log slopes.

``python tests/bench/sizes.py [DIRECTION ...]``; ``--dense`` with the bundled model instead of bm25; ``--most=N`` up to that size;
``--list``. Each size is made and measured in processes of their own, without a cache; nothing is subtracted. The slope is that of
a line through the four sizes; the last is that of the last doubling, where fixed costs weigh least.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import peak_mb

QUERIES, DOCUMENTS = 20, 400
"""Queries, and documents of 4,000 characters round them, where their number is not what grows."""


class Direction(NamedTuple):
    """One side of the input: `make` writes it at a size into a folder, `run` is the command, `most` the largest size."""

    make: Callable[[int, Path], None]
    most: int
    of: str
    run: str = "audit"
    options: str = "{}"


class Words:
    """Text of made-up words, as often used as words of a language are: the same for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        parts = [a + b for a in "b c d f g l m n p r s t v".split() for b in "a e i o u an er".split()]
        self._known = np.array(["".join(row) for row in self._rng.choice(parts, (50_000, 3))])
        weights = 1 / np.arange(3, len(self._known) + 3)
        self._sums = np.cumsum(weights / weights.sum())

    def some(self, n: int) -> list[str]:
        return self._known[np.searchsorted(self._sums, self._rng.random(n)).clip(max=len(self._known) - 1)].tolist()

    def sentence(self, n: int = 14) -> str:
        return " ".join(self.some(n)).capitalize() + "."

    def paragraphs(self, size: int) -> Iterator[str]:
        """Paragraphs of about six sentences, of `size` characters in all."""
        made = 0
        while made < size:
            words = self.some(84)
            text = " ".join(" ".join(words[i : i + 14]).capitalize() + "." for i in range(0, 84, 14))
            made += len(text) + 2
            yield text

    def text(self, size: int) -> str:
        return "\n\n".join(self.paragraphs(size))

    def asked(self, passage: str) -> str:
        """A question in some words of a passage."""
        words = passage.split()
        return " ".join(self._rng.choice(words, min(len(words), 7), replace=False)).lower().replace(".", "") + "?"


def lines(path: Path, records: Iterable[dict]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(record) + "\n" for record in records)


def corpus(folder: Path, texts: Iterable[str], **more: Callable[[int], object]) -> None:
    lines(
        folder / "corpus.jsonl", ({"_id": f"d{i}", "text": t, **{k: f(i) for k, f in more.items()}} for i, t in enumerate(texts))
    )


def queries(folder: Path, records: Iterable[dict]) -> None:
    lines(folder / "queries.jsonl", ({"_id": f"q{i}", **record} for i, record in enumerate(records)))


def about(words: Words, passages: Iterable[tuple[str, str]]) -> Iterator[dict]:
    """A query for each passage of a document."""
    return ({"text": words.asked(p), "evidence": [{"doc_id": d, "text": p}]} for d, p in passages)


def sentences(texts: Iterable[str], name: str = "d{}") -> Iterator[tuple[str, str]]:
    """The sentences of documents, with their documents."""
    return (
        (name.format(i), s + ".")
        for i, text in enumerate(texts)
        for p in text.split("\n\n")
        for s in p.rstrip(".").split(". ")
        if s
    )


def spread(found: Iterable[tuple[str, str]], n: int) -> list[tuple[str, str]]:
    """`n` of them, evenly spread."""
    every = list(found)
    return [every[i * len(every) // n] for i in range(n)]


def document(suffix: str, wrap: Callable[[Iterator[str]], str | bytes]) -> Callable[[int, Path], None]:
    """One document of n characters, in a file of that kind."""

    def make(n: int, folder: Path) -> None:
        words, name = Words(), f"document{suffix}"
        paragraphs = list(words.paragraphs(n))
        content = wrap(iter(paragraphs))
        (folder / "corpus").mkdir()
        (folder / "corpus" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        queries(folder, about(words, spread(sentences(paragraphs, name), QUERIES)))

    return make


def as_markdown(paragraphs: Iterator[str]) -> str:
    return "\n\n".join(f"## {p[:40]}\n\n{p}" if i % 8 == 0 else p for i, p in enumerate(paragraphs))


def as_html(paragraphs: Iterator[str]) -> str:
    body = "".join(f"<h2>{p[:40]}</h2><p>{p}</p>" if i % 8 == 0 else f"<p>{p}</p>" for i, p in enumerate(paragraphs))
    return f"<html><body><main>{body}</main></body></html>"


def as_word(paragraphs: Iterator[str]) -> bytes:
    from worst import word_document

    return word_document("".join(f"<w:p><w:r><w:t>{p}</w:t></w:r></w:p>" for p in paragraphs))


def as_pdf(paragraphs: Iterator[str]) -> bytes:
    from worst import pdf_document

    pages = []
    while some := list(islice(paragraphs, 5)):
        broken = [line for p in some for line in (p[i : i + 90] for i in range(0, len(p), 90))]
        pages.append(b"BT /F 9 Tf 11 TL 40 800 Td " + b" ".join(f"({line}) Tj T*".encode() for line in broken) + b" ET")
    return pdf_document(pages, len(pages))


def record(n: int, folder: Path) -> None:
    words = Words()
    text = words.text(n)
    corpus(folder, [text])
    queries(folder, about(words, spread(sentences([text]), QUERIES)))


def line(n: int, folder: Path) -> None:
    """One line, without a sentence's end."""
    words = Words()
    every = words.some(n // 7)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "document.txt").write_text(" ".join(every), encoding="utf-8")
    passages = [" ".join(every[at : at + 12]) for at in range(0, len(every) - 12, len(every) // QUERIES)]
    queries(folder, about(words, [("document.txt", p) for p in passages]))


def headings(n: int, folder: Path) -> None:
    words = Words()
    made = [words.sentence() for _ in range(n)]
    (folder / "corpus").mkdir()
    text = "\n\n".join(f"{'#' * (1 + i % 4)} {s[:30]} {i}\n\n{s}" for i, s in enumerate(made))
    (folder / "corpus" / "document.md").write_text(text, encoding="utf-8")
    queries(folder, about(words, spread((("document.md", s) for s in made), QUERIES)))


def plain(words: Words, folder: Path, times: int = 1) -> list[str]:
    """A corpus of documents of one kind."""
    texts = [words.text(4000) for _ in range(times * DOCUMENTS)]
    corpus(folder, texts)
    return texts


def asked(n: int, folder: Path) -> None:
    words = Words()
    queries(folder, about(words, spread(sentences(plain(words, folder)), n)))


def failing(n: int, folder: Path) -> None:
    """Queries of words that stand elsewhere: their evidence is not found."""
    words = Words()
    every = spread(sentences(plain(words, folder)), n)
    others = [p for _, p in every[n // 2 :] + every[: n // 2]]
    queries(folder, ({**q, "text": words.asked(other)} for q, other in zip(about(words, every), others, strict=True)))


def long_queries(n: int, folder: Path) -> None:
    words = Words()
    every = spread(sentences(plain(words, folder)), QUERIES)
    queries(folder, ({**q, "text": f"{q['text']} {words.text(n)}"} for q in about(words, every)))


def many_spans(count: int, group: bool) -> Callable[[int, Path], None]:
    """n spans of evidence in `count` queries, in one group or each in its own."""

    def make(n: int, folder: Path) -> None:
        words = Words()
        texts = plain(words, folder)
        every = spread(sentences(texts[: -len(texts) // 10] if group else texts), n)
        together = {"group": "one"} if group else {}
        spans = [{"doc_id": d, "text": p, **together} for d, p in every]
        at = [n * i // count for i in range(count + 1)]
        elsewhere = texts[-1].split(". ")[1]  # one of many alternatives would be found by its own words
        asked = [words.asked(elsewhere if group else every[a][1]) for a in at[:-1]]
        queries(folder, ({"text": text, "evidence": spans[a:b]} for text, a, b in zip(asked, at, at[1:], strict=False)))

    return make


def near_copies(n: int, folder: Path) -> None:
    """n passages that say nearly the same, all of which one query requires."""
    words = Words()
    said = words.sentence(30)[:-1]
    texts = [f"{words.sentence()} {said} {i}.\n\n{words.sentence()}" for i in range(n)]
    corpus(folder, texts)
    evidence = [{"doc_id": f"d{i}", "text": f"{said} {i}."} for i in range(n)]
    queries(folder, [{"text": words.asked(words.sentence()), "evidence": evidence}])


def deep(n: int, folder: Path) -> None:
    """Only the corpus: `k` is what grows."""
    words = Words()
    queries(folder, about(words, spread(sentences(plain(words, folder, 8)), QUERIES)))


def versions(dated: bool) -> Callable[[int, Path], None]:
    """A family of n versions of one document, in which one sentence of six differs, beside a corpus."""

    def make(n: int, folder: Path) -> None:
        words = Words()
        base = next(words.paragraphs(1)).split(". ")
        texts = [". ".join([*base[:3], words.sentence()[:-1], *base[3:]]) for _ in range(n)]
        said = lambda i: {"family": "handbook", "version": i, "date": f"{1900 + i // 300}-{1 + i % 12:02}-{1 + i % 25:02}"}  # noqa: E731
        corpus(folder, texts, **({"metadata": said} if dated else {}))
        own = [
            (f"d{i}", texts[i].split(". ")[3] + ".")
            for i in spread([("", str(i)) for i in range(n)], QUERIES)
            for i in [int(i[1])]
        ]
        asked = f"{base[1]} {base[4]}"  # what all versions have: it fails
        queries(folder, ({**q, "text": words.asked(asked)} for q in about(words, own)))

    return make


def tiny(n: int, folder: Path) -> None:
    words = Words()
    made = [words.sentence(20) for _ in range(n)]
    corpus(folder, made)
    queries(folder, about(words, spread(((f"d{i}", s) for i, s in enumerate(made)), QUERIES)))


def occurring(n: int, folder: Path) -> None:
    """One passage that stands in n places, of one query; in documents of ten places."""
    words = Words()
    passage = words.sentence(10)
    texts = ["\n\n".join(f"{words.sentence(40)} {passage} {words.sentence(40)}" for _ in range(10)) for _ in range(n // 10)]
    corpus(folder, texts)
    at = texts[0].index(passage)
    spans = [{"doc_id": "d0", "start": at, "end": at + len(passage), "text": passage}]
    first = {"text": words.asked(words.sentence()), "evidence": spans}  # in other words: it fails
    queries(folder, [first, *about(words, [(d, s) for d, s in islice(sentences(texts), 1, 200) if s != passage][: QUERIES - 1])])


def occurring_in_one(n: int, folder: Path) -> None:
    """The same, all in one document."""
    words = Words()
    passage = words.sentence(10)
    text = "\n\n".join(f"{words.sentence(40)} {passage} {words.sentence(40)}" for _ in range(n))
    corpus(folder, [text])
    at = text.index(passage)
    span = {"doc_id": "d0", "start": at, "end": at + len(passage), "text": passage}
    queries(folder, [{"text": words.asked(words.sentence()), "evidence": [span]}])


def references(n: int, folder: Path) -> None:
    """n reference answers of one query; answers to it to be judged."""
    words = Words()
    every = spread(sentences(plain(words, folder)), QUERIES)
    made = list(about(words, every))
    made[0]["answers"] = [words.sentence(6) for _ in range(n)]
    queries(folder, made)
    rows = [("retrieved", words.sentence(12)), ("oracle", made[0]["answers"][-1]), ("closed_book", "I do not know.")]
    lines(folder / "answers.jsonl", ({"query_id": "q0", "condition": c, "answer": a} for c, a in rows))


def answered(n: int, folder: Path) -> None:
    """n queries with recorded answers under each condition."""
    words = Words()
    every = spread(sentences(plain(words, folder)), n)
    queries(folder, ({**q, "answer": " ".join(p.split()[:4])} for q, (_, p) in zip(about(words, every), every, strict=True)))
    said = {
        "retrieved": lambda p: words.sentence(12),
        "oracle": lambda p: " ".join(p.split()[:6]),
        "closed_book": lambda p: "No idea.",
    }
    rows = ({"query_id": f"q{i}", "condition": c, "answer": f(p)} for i, (_, p) in enumerate(every) for c, f in said.items())
    lines(folder / "answers.jsonl", rows)


MB = 1_000_000
DIRECTIONS = {
    "txt": Direction(document(".txt", "\n\n".join), 100 * MB, "characters of one .txt document"),
    "md": Direction(document(".md", as_markdown), 100 * MB, "characters of one .md document"),
    "html": Direction(document(".html", as_html), 100 * MB, "characters of one .html document"),
    "docx": Direction(document(".docx", as_word), 100 * MB, "characters of one .docx document"),
    "pdf": Direction(document(".pdf", as_pdf), 8 * MB, "characters of one .pdf document"),
    "record": Direction(record, 100 * MB, "characters of one record of corpus.jsonl"),
    "line": Direction(line, 50 * MB, "characters of one line without sentences"),
    "headings": Direction(headings, 200_000, "headings of one document, --context heading", options='{"context": "heading"}'),
    "tiny": Direction(tiny, 1_000_000, "documents of 20 words"),
    "queries": Direction(asked, 20_000, "queries"),
    "failing": Direction(failing, 4_000, "queries, all of which fail"),
    "long-queries": Direction(long_queries, 100_000, f"characters of each of {QUERIES} queries"),
    "spans": Direction(many_spans(1, False), 10_000, "spans of evidence of one query"),
    "spread": Direction(many_spans(100, False), 10_000, "spans of evidence of 100 queries"),
    "alternatives": Direction(many_spans(1, True), 5_000, "alternatives in one group, k 1", options='{"k": 1}'),
    "k": Direction(deep, 10_000, "k", options='{"k": SIZE}'),
    "budget": Direction(deep, 1_600_000, "tokens of the budget", options='{"budget": SIZE}'),
    "versions": Direction(versions(True), 5_000, "versions of one document, with dates"),
    "twins": Direction(versions(False), 5_000, "versions of one document, without metadata"),
    "occurring": Direction(occurring, 80_000, "places of one passage of evidence, in documents of ten"),
    "occurring-in-one": Direction(occurring_in_one, 80_000, "places of one passage of evidence, in one document"),
    "check": Direction(asked, 20_000, "queries, ragdiag check", run="check"),
    "check-spans": Direction(many_spans(1, False), 10_000, "spans of evidence of one query, ragdiag check", run="check"),
    "near-copies": Direction(near_copies, 10_000, "required passages that say nearly the same, ragdiag check", run="check"),
    "references": Direction(references, 5_000, "reference answers of one query, ragdiag litmus", run="litmus"),
    "answers": Direction(answered, 20_000, "queries with three answers, ragdiag litmus", run="litmus"),
}


def commanded(direction: Direction, size: int, folder: Path, retriever: str) -> dict:
    """What the command says of what was written into the folder."""
    from ragdiag import litmus
    from ragdiag.pipeline import audit, check
    from ragdiag.reports.json import audit_dict, check_dict

    options = json.loads(direction.options.replace("SIZE", str(size)))
    corpus_, queries_ = (folder / "corpus" if (folder / "corpus").is_dir() else folder / "corpus.jsonl"), folder / "queries.jsonl"
    if direction.run == "litmus":
        return dict(litmus(queries_, answers=[folder / "answers.jsonl"], cache=None).as_dict())
    if direction.run == "check":
        return check_dict(check(corpus_, queries_, cache=None))
    return audit_dict(audit(corpus_, queries_, retriever=retriever, cache=None, **options))


def one(direction: Direction, size: int, folder: Path, retriever: str) -> None:
    """Run it; prints a record of what it took, with a hash of what it says, to be held against that of another version."""
    from ragdiag.reports.json import dumps

    started = time.process_time()
    said = commanded(direction, size, folder, retriever)
    stages = {k: round(s, 1) for k, s in said.pop("timings", {}).items() if isinstance(s, float)}
    text, used = dumps(said), time.process_time() - started
    print(json.dumps({"cpu": used, "mb": peak_mb(), "sha256": hashlib.sha256(text.encode()).hexdigest()[:12], "stages": stages}))


def slope(sizes: list[int], values: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def measured(name: str, most: int, retriever: str) -> None:
    sizes, taken = [most // 8, most // 4, most // 2, most], []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for step in ("--make", "--one"):
                command = [sys.executable, __file__, step, name, str(size), folder, retriever]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
        taken.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"  {name} {size:,}: {taken[-1]}", flush=True)
    seconds, mb = [t["cpu"] for t in taken], [t["mb"] for t in taken]
    shown = [
        f"{' '.join(f'{v:8.1f}' for v in vs)}  {slope(sizes, vs):5.2f} {slope(sizes[2:], vs[2:]):5.2f}" for vs in (seconds, mb)
    ]
    print(f"{name:16} {most:12,} {DIRECTIONS[name].of}\n    CPU-s {shown[0]}\n    MB    {shown[1]}", flush=True)


def main() -> None:
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    if sys.argv[1:2] in (["--make"], ["--one"]):
        direction, size, folder = DIRECTIONS[words[0]], int(words[1]), Path(words[2])
        direction.make(size, folder) if sys.argv[1] == "--make" else one(direction, size, folder, words[3])
        return
    if "--list" in sys.argv:
        print("\n".join(f"{name:16} {d.most:12,} {d.of}" for name, d in DIRECTIONS.items()))
        return
    for name in words or DIRECTIONS:
        given = [int(w.partition("=")[2]) for w in sys.argv if w.startswith("--most=")]
        most = given[0] if given else DIRECTIONS[name].most
        measured(name, most, "dense" if "--dense" in sys.argv else "bm25")


if __name__ == "__main__":
    main()
