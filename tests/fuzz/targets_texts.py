"""Routines that read any text: words, sentences, chunks, judges, what is shown on a screen."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from targets import TEXTS, Target, files, heads
from targets_documents import MARKDOWN, RST

from ragdiag.core.records import Answer, Document, Query

CHUNKERS = ("fixed", "fixed(size=7, overlap=3)", "sentence", "sentence(size=9)", "section", "recursive(size=12, overlap=4)")
CONTEXTS = ("title", "heading")


def of_text(routine: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    """Runs `routine` on what is read of bytes."""

    def run(data: bytes, folder: Path) -> object:
        return routine(data.decode("utf-8", "surrogatepass" if b"\xed" in data and decodes(data) else "replace"))

    return run


def decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


@functools.cache
def strategy(family: str, spec: str) -> Any:
    from ragdiag.core.registry import make

    return make(family, spec)


def seen(text: str) -> str:
    """A text without what nobody sees: a byte order mark in it is no word, and no chunk is made of it alone."""
    return text.replace("\ufeff", "").strip()


def chunked(text: str) -> object:
    """Every chunker: the spans lie in the text, in order, and leave out nothing that is seen."""
    for spec in CHUNKERS:
        spans = strategy("chunkers", spec).spans(text)
        starts, ends = (list(map(int, side)) for side in spans)
        assert all(0 <= a < b <= len(text) for a, b in zip(starts, ends, strict=True)), (spec, spans)
        assert starts == sorted(starts), spec
        covered = 0
        for a, b in zip(starts, ends, strict=True):
            assert not seen(text[covered:a]), (spec, text[covered:a])
            covered = max(covered, b)
        assert not seen(text[covered:]), (spec, text[covered:][:40])
    for spec in CONTEXTS:
        assert len(
            strategy("contexts", spec).texts(Document("a", text, "Title"), *strategy("chunkers", "section").spans(text))
        ) == len(strategy("chunkers", "section").spans(text)[0])
    return "chunks"


def cut_into(text: str) -> object:
    """Tokens, sentences, words and what is alike."""
    from ragdiag.text.analysis import Analysis
    from ragdiag.text.duplicates import near_duplicates, shingles
    from ragdiag.text.languages import language
    from ragdiag.text.normal import folded
    from ragdiag.text.sentences import Cuts
    from ragdiag.text.tokens import token_starts

    starts = token_starts(text)
    assert all(0 <= a < len(text) for a in starts)
    Cuts(text).sentences()
    assert folded(folded(text)) == folded(text)
    for analysis in (Analysis(), Analysis(parts=True), Analysis(stem="german")):
        assert all(analysis(text)) and analysis(text) == analysis(text)
    assert near_duplicates(shingles(text), shingles(text)) or not len(shingles(text))
    language(text)
    return "words"


def on_screen(text: str) -> object:
    """Nothing that is printed steers a terminal, and a screen's line is one."""
    from ragdiag.cli.ending import _inert
    from ragdiag.text.phrases import clean, no_commands

    assert _inert(text).isprintable()
    assert "\x1b" not in no_commands(clean(text)) and "\x1b" not in clean(text)
    return "shown"


def judged(text: str) -> object:
    """A question, a reference and an answer: the parts between null characters; two judges, whatever stands there."""
    from ragdiag.answering.judges.grounded import Grounded
    from ragdiag.answering.judges.matcher import Matcher
    from ragdiag.answering.rules import spoken
    from ragdiag.core.protocols import no_progress

    question, gold, answer = [*text.split("\0"), "", ""][:3]
    for style in ("free", "whole"):
        (opinion,) = Matcher(style=style).judge(
            [(Query("q", question, gold), Answer("q", "retrieved", spoken(answer)))], None, no_progress
        )
        assert opinion is None or len(str(getattr(opinion, "why", "")).splitlines()) <= 1, opinion
    Grounded().judge([(Query("q", question), Answer("q", "retrieved", answer, contexts=(gold,)))], None, no_progress)
    return f"{None if opinion is None else type(opinion).__name__} {getattr(opinion, 'right', None)}"


def scored(text: str) -> object:
    """A corpus of the paragraphs, searched by words with its first line and its last."""
    from ragdiag.core.protocols import no_progress

    parts = [part for part in text.split("\n\n") if part][:50]
    for spec in ("bm25", "bm25(stem=english, stop=english, parts=true)", "lsa"):
        if parts:
            found, _ = strategy("retrievers", spec).index(parts, None, no_progress).search([text[:200], text[-200:]], 5)
            assert found.shape[0] == 2 and found.max() < len(parts)
    return "searched"


def judges_seeds() -> list[bytes]:
    import json

    seeds = []
    for name in ("forms", "mixed", "chat", "financial", "support"):
        for line in heads(f"judges/{name}.jsonl", lines=40)[0].splitlines()[::8]:
            record = json.loads(line)
            gold = record.get("gold") or (record.get("answers") or record.get("contexts") or [""])[0]
            texts = [record["question"], gold, record.get("answer", record.get("said", gold))]
            seeds.append("\0".join(texts).encode())
    return seeds


DOCUMENTS = [MARKDOWN, RST, *(text.encode() for text in TEXTS.values())]
JUDGE_WORDS = (
    b"not ",
    b"no, ",
    b"I don't know",
    b"about ",
    b"between 5 and 6 ",
    b"$1.5m",
    b"12 %",
    b"\\boxed{",
    b"**",
    b"[1]",
    b"March 5, 2021",
    b"5/6/2021",
    b"a.m.",
    b"<think>",
    b"</think>",
    b"```json\n",
    b'{"answer": ',
    b"Dr. ",
    b"neither ",
    b"X^2",
    b"\xe2\x82\xac5",
    b"1e9",
    b"half",
    b"if ",
    b"according to",
)

TARGETS = [
    Target(
        "texts: chunkers",
        lambda: [*DOCUMENTS, *files("tidewater/corpus/**/*.md", first=4)],
        of_text(chunked),
        weight=1.5,
        most=20_000,
    ),
    Target("texts: words and sentences", lambda: DOCUMENTS, of_text(cut_into), weight=1.5, most=20_000),
    Target("texts: on a screen", lambda: DOCUMENTS, of_text(on_screen), weight=0.5),
    Target("texts: searched", lambda: DOCUMENTS, of_text(scored), most=20_000),
    Target("judges", judges_seeds, of_text(judged), JUDGE_WORDS, 2, most=20_000),
]
