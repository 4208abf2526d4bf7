"""Labelling: drafts, pools, the session and its file, a scripted terminal, the page over real HTTP and in a real browser."""

import contextlib
import http.client
import json
import math
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.cli import main
from ragdiag.core.errors import InputError, SpecError, UsageError
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Corpus, Document, Span
from ragdiag.label.decisions import DecisionFile
from ragdiag.label.drafts import asked, drafts, question_id
from ragdiag.label.labelled import MILESTONES, margin
from ragdiag.label.page import Page, masked
from ragdiag.label.pooling import Pool, default_retrievers, distinct, merged
from ragdiag.label.serving import serve
from ragdiag.label.session import Session
from ragdiag.label.setup import open_session, questions
from ragdiag.label.terminal import marked
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

LEAVE = """# Leave

## How many days do I have?

Everybody has 25 days of leave a year. They lapse at the end of March. Nobody sells days.

## Illness

Call your manager before nine. A note is needed from the fourth day on.

Part-time staff have leave in proportion.
"""
TRAVEL = "# Travel\n\nTrains are preferred. A flight of more than six hours may be premium economy.\n\n| all grades | $225 |\n"
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=\"document.title='stolen'\"> parking \x1b[2J\x1b]0;owned\x07 "
    "\u202eesrever costs 4 [/euros] [red]in coins[/red].\n\n"
    "Emoji 🎉🎉 stand before the parking fee 🎉 of nine euros & more.\r\n\r\nThe half \ud83d of a pair is parking too.\n"
)
FILLER = [
    f"Note {i}. The {word} committee met on day {i} and talked about {word}."
    for i, word in enumerate("roof door wall lamp desk".split() * 4)
]
QUESTIONS = ["how many days off do I get", "when do i need a doctor's note", "what does parking cost"]
FAST = ("--retriever", "bm25", "--no-cache")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    texts = {"leave": LEAVE, "travel": TRAVEL, "hostile": HOSTILE, **{f"note-{i:02}": text for i, text in enumerate(FILLER)}}
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items() if name != "hostile"))
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_bytes(text.encode("utf-8", "replace"))
    (folder / "docs.jsonl").write_text("".join(json.dumps({"_id": n, "file": f"{n}.md"}) + "\n" for n in texts))
    return folder


@pytest.fixture
def asks(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text("\n".join(QUESTIONS) + "\n")
    return path


def label(*command: object, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["label", *map(str, command)], prog_name="ragdiag", input=stdin)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def opened(corpus: Path, queries: Path | None, out: Path, **options: Any) -> Session:
    return open_session(corpus, queries, out, **{"retrievers": ("bm25",), "cache": None, **options})[0]


def fine(corpus: Path, out: Path) -> bool:
    """Whether `ragdiag check` finds nothing wrong."""
    return CliRunner().invoke(main, ["check", str(corpus), str(out)]).exit_code == 0


# Drafts


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("How do I reset it?", "How do I reset it?"),
        ("**Can I go?**", "Can I go?"),
        ("2.1 What is a heron", "What is a heron?"),
        ("How to reset the meter", "How do I reset the meter?"),
        ("When to call us", "When should I call us?"),
        ("Rotate a key", "How do I rotate a key?"),
        ("Configuring the proxy", "How do I configure the proxy?"),
        ("Running tests", "How do I run tests?"),
        ("Return and disposal", ""),  # a noun
        ("Refund policy", ""),
        ("Questions?", ""),
        ("Introduction", ""),
        ("Reset.", ""),
        ("Who \ud83d is there?", ""),  # JSON cannot hold it
    ],
)
def test_what_a_title_asks(title: str, question: str) -> None:
    assert asked(title) == question


def test_drafts_by_hand() -> None:
    faq = (
        "Shop\n====\n\nQ: Do you sell lead?\nA: No, we sell none.\n\nIt is banned.\n\n"
        "**Q2. Is it dear?**\n**A:** It is cheap.\n\n"
        "How long is delivery?\n\nFive days by land.\n\n# Empty heading?\n\n# Returning hardware\n\nSend it back to us.\n"
    )
    old = Document("v1", "# How long is it?\n\nIt was two metres.", metadata={"family": "v", "version": 1})
    new = Document("v2", "# How long is it?\n\nIt is three metres.", metadata={"family": "v", "version": 2})
    documents = [Document("faq", faq), old, new]
    found = {d.text: documents[d.document].text[d.start : d.end] for d in drafts(documents)}
    assert found == {
        "Do you sell lead?": "No, we sell none.\n\nIt is banned.",
        "Is it dear?": "It is cheap.",
        "How long is delivery?": "Five days by land.",
        "How do I return hardware?": "Send it back to us.",
        "How long is it?": "It is three metres.",  # that of the version in force
    }
    assert [d.document for d in drafts(documents)] == [0, 2, 0, 0, 0]  # the first of each document first


PIECES = st.sampled_from(
    ["# ", "## ", "Q: ", "A: ", "**", "?", "\n", "\n\n", "How to ", "is it so", " word", "===", "```\n", "\r\n", "🎉", "...", "é"]
)


@given(text=st.lists(PIECES, max_size=40).map("".join))
@settings(deadline=None)
def test_a_draft_is_a_question_and_a_passage_behind_it(text: str) -> None:
    for draft in drafts([Document("d", text)]):
        answer = text[draft.start : draft.end]
        assert len(answer.split()) > 1 and answer == answer.strip()
        assert draft.text == draft.text.strip() != ""


def test_a_draft_shows_no_more_than_one_can_read() -> None:
    text = "# Why is it long?\n\n" + "word " * 10_000
    (draft,) = drafts([Document("d", text)])
    assert 1000 < draft.end - draft.start <= 3000 and text[draft.start : draft.end].endswith("word")


def test_ids_of_questions_depend_on_their_words_only() -> None:
    assert question_id("How long?") == question_id("How long?") != question_id("How long")
    assert question_id("How long?").startswith("how-long-")
    assert len({question_id(q) for q in ("¿?", "？", "x" * 100, "x" * 101)}) == 4
    assert len(question_id("How long may somebody stay away from work without a note?")) <= 27


def test_a_file_that_was_begun_with_longer_ids_is_gone_on_with(corpus: Path, tmp_path: Path) -> None:
    asked, out = "How many days of leave does everybody have in the first year?", tmp_path / "out.jsonl"
    before = "how-many-days-of-leave-does-everybody-ha-3e22ca"  # so such ids were written
    (tmp_path / "asks.txt").write_text(f"{asked}\nWho pays?\n", encoding="utf-8")
    label = {"_id": before, "text": asked, "unanswerable": True, "metadata": {"pool": ["bm25"]}}
    out.write_text(json.dumps(label) + "\n", encoding="utf-8")
    session = opened(corpus, tmp_path / "asks.txt", out)
    assert session.task.query.text == "Who pays?" and session.decided == 1


# The pool


@given(rankings=st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), min_size=1, max_size=4), turn=st.integers(0, 5))
def test_a_pool_is_merged_by_rank(rankings: list[list[int]], turn: int) -> None:
    pool = merged(rankings, turn)
    assert len(pool) == len(set(pool)) and set(pool) == {item for ranking in rankings for item in ranking}
    best = [min(r.index(item) for r in rankings if item in r) for item in pool]
    assert best == sorted(best)


def test_no_place_in_the_pool_belongs_to_one_retriever() -> None:
    first, second = [10, 11, 12, 13], [20, 21, 22, 23]
    assert merged([first, second]) == [10, 20, 21, 11, 12, 22, 23, 13]
    assert merged([first, second], 1) == [20, 10, 11, 21, 22, 12, 13, 23]


SPANS = st.builds(lambda d, a, n: Span(d, a, a + n), st.integers(0, 2), st.integers(0, 60), st.integers(1, 30))


@given(passages=st.lists(SPANS, max_size=12), shown=st.lists(SPANS, max_size=4))
@settings(deadline=None)
def test_what_is_half_on_the_screen_is_not_shown_again(passages: list[Span], shown: list[Span]) -> None:
    visible = {(p.document, i) for p in shown for i in range(p.start, p.end)}
    kept = []
    for p in passages:
        own = {(p.document, i) for i in range(p.start, p.end)}
        if 2 * len(own & visible) < len(own):
            kept.append(p)
            visible |= own
    assert distinct(passages, shown) == kept


def pool_of(*texts: str, retrievers: Sequence[str] = ("bm25", "lsa")) -> Pool:
    return Pool(Corpus(tuple(Document(f"d{i}", text) for i, text in enumerate(texts))), retrievers, None, no_progress)


def test_passages_are_searched_ranked_and_walked() -> None:
    pool = pool_of(
        LEAVE, TRAVEL, "A note is needed from the fourth day on, says the old edition.", LEAVE.replace("#", "-"), *FILLER
    )
    text = lambda p: pool.corpus.documents[p.document].text[p.start : p.end]  # noqa: E731
    assert pool.names == ("bm25", "lsa")
    assert pool.ranked("doctor's note, fourth day") == pool.ranked("doctor's note, fourth day")
    assert "fourth day" in text(pool.ranked("note fourth day")[0])
    assert "premium economy" in text(pool.search("PREMIUM   Economy")[0])
    assert pool.search("zebra") == []
    first = pool.search("everybody has 25 days")[0]
    after = pool.beside(first, 1)
    assert after is not None and text(after).startswith("## Illness") and pool.beside(after, -1) == first
    assert pool.beside(pool.beside(first, -1) or first, -1) is None
    assert [text(s) for s in pool.sentences(first)] == [
        "## How many days do I have?",
        "Everybody has 25 days of leave a year.",
        "They lapse at the end of March.",
        "Nobody sells days.",
    ]


def test_equal_passages_are_shown_once() -> None:
    pool = pool_of("The same text about herons.", "Another.", "The same  text about\nherons.", *FILLER)
    found = pool.search("herons")
    assert len(found) == 1 and pool.copies(found[0]) == 1
    assert pool.copies(pool.search("another")[0]) == 0


def test_retrievers_of_the_pool() -> None:
    assert default_retrievers()[0] == "bm25" and default_retrievers()[1] in ("dense", "lsa")
    with pytest.raises(UsageError, match="twice"):
        pool_of("text", retrievers=("bm25", "bm25()"))
    with pytest.raises(SpecError, match="bm25"):
        pool_of("text", retrievers=("bm52",))


# The session and its file


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_every_mark_cuts_the_document_exactly(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = data.draw(st.text(st.sampled_from("ab .\n\r\t🎉é\u2028\ud83d\u202e\x1b"), min_size=1, max_size=40).filter(str.strip))
    documents = (Document("a", text), Document("b", "Another text."))
    folder = tmp_path_factory.mktemp("label")
    (folder / "q.txt").write_text("what is it\n")
    session = Session(
        Pool(Corpus(documents), ("bm25",), None, no_progress),
        opened_tasks(folder / "q.txt"),
        DecisionFile(folder / "out.jsonl"),
    )
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    try:
        session.label([[Span(0, start, end)], [Span(1, 0, 7), Span(1, 8, 12)]])
    except UsageError:
        assert not text[start:end].strip() and not session.file.path.exists()
        return
    (query,) = load_queries(session.file.path)
    assert locate([query], session.corpus).defects == ()
    first = query.evidence[0]
    assert first.start is not None and text[first.start : first.end] == text[start:end].strip()
    assert first.text == ("" if "\ud83d" in text[start:end].strip() else text[start:end].strip())
    assert [e.group for e in query.evidence] == ["", "g2", "g2"]


def opened_tasks(path: Path) -> list[Any]:
    from ragdiag.label.session import Task

    return [Task(query) for query in questions(path)]


def test_what_a_decision_says(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, asks, out, retrievers=("lsa", "bm25"))
    session.search("Everybody has 25 days")
    session.answered("25 days")
    (spot,) = [s.passage for s in session.shown if "25 days" in text_of(session, s.passage)]
    session.label([[session.pool.sentences(spot)[1]]])
    (line,) = lines(out)
    at = LEAVE.index("Everybody")
    sentence = "Everybody has 25 days of leave a year."
    assert line == {
        "_id": question_id(QUESTIONS[0]),
        "text": QUESTIONS[0],
        "answer": "25 days",
        "evidence": [{"doc_id": "leave", "start": at, "end": at + len(sentence), "text": sentence}],
        "metadata": {"pool": ["lsa", "bm25"], "seen": line["metadata"]["seen"], "found": line["metadata"]["found"]},
    }
    assert line["metadata"]["found"] in (["pool"], ["search"]) and line["metadata"]["seen"] >= 5


def text_of(session: Session, passage: Span) -> str:
    return session.corpus.documents[passage.document].text[passage.start : passage.end]


def test_skipped_queries_come_once_more_and_back_goes_back(corpus: Path, asks: Path, tmp_path: Path) -> None:
    session = opened(corpus, asks, tmp_path / "out.jsonl")
    first = [[session.passage(1)]]
    with pytest.raises(UsageError, match="first query"):
        session.back()
    session.skip()
    session.label([[session.passage(1)]])
    assert session.current == 2
    session.back()
    assert session.current == 1 and session.decision is not None
    session.label(first)  # a new decision takes the place of the old
    assert [q.evidence[0].text for q in session.file.queries.values()] == [text_of(session, first[0][0])]
    session.skip()
    assert session.current == 0  # once more
    session.skip()
    assert session.current == 2
    session.back()
    session.back()
    assert session.current == 2
    session.skip()
    session.skip()
    session.skip()
    assert session.current is None
    assert session.summary()[:5] == (3, 1, 0, 2, 2)
    with pytest.raises(UsageError, match="nothing is left"):
        session.more()


def test_a_label_is_taken_back(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, asks, out)
    with pytest.raises(UsageError, match="no label"):
        session.withdraw()
    session.label([[session.passage(1)]])
    session.back()
    session.withdraw()
    assert not out.exists()  # an empty file of queries would be none
    session.label([[session.passage(1)]])
    assert len(load_queries(out)) == 1


def test_unanswerable_needs_a_look(corpus: Path, asks: Path, tmp_path: Path) -> None:
    session = opened(corpus, asks, tmp_path / "out.jsonl", retrievers=("bm25", "lsa"))
    with pytest.raises(UsageError, match="only 5 passages"):
        session.unanswerable()
    session.unanswerable()  # said twice
    session.more()
    session.unanswerable()
    session.search("hotel")
    session.unanswerable()
    assert [q.unanswerable for q in load_queries(tmp_path / "out.jsonl")] == [True] * 3


def test_the_same_question_is_not_labelled_both_ways(corpus: Path, tmp_path: Path) -> None:
    asks = tmp_path / "q.jsonl"
    asks.write_text('{"_id": "a", "text": "Why so?"}\n{"_id": "b", "text": "why  so?"}\n')
    session = opened(corpus, asks, tmp_path / "out.jsonl")
    session.label([[Span(0, 0, 9)]])
    session.search("hotel")
    with pytest.raises(UsageError, match="labelled answerable as 'a'"):
        session.unanswerable()
    session.label([[Span(0, 0, 9)]])
    assert fine(corpus, tmp_path / "out.jsonl")


@pytest.mark.parametrize("passage", [Span(0, 5, 5), Span(0, -1, 3), Span(99, 0, 3), Span(0, 0, 10**6)])
def test_marks_outside_of_documents_are_refused(passage: Span, corpus: Path, asks: Path, tmp_path: Path) -> None:
    session = opened(corpus, asks, tmp_path / "out.jsonl")
    with pytest.raises(UsageError):
        session.label([[passage]])
    with pytest.raises(UsageError, match="no evidence"):
        session.label([])
    assert not (tmp_path / "out.jsonl").exists()


def test_what_is_labelled_already_is_copied_and_not_asked(corpus: Path, tmp_path: Path) -> None:
    asks, out = tmp_path / "q.jsonl", tmp_path / "out.jsonl"
    rows = [
        {
            "_id": "done",
            "text": "how many days?",
            "evidence": [{"doc_id": "leave", "text": "Everybody has 25 days"}],
            "lang": "en",
        },
        {"_id": "none", "text": "what of Mars?", "unanswerable": True},
        {"_id": "wrong", "text": "when?", "evidence": [{"doc_id": "leave", "text": "Nothing of the kind stands there"}]},
        {"_id": "whole", "text": "where?", "relevant": [{"doc_id": "leave", "grade": 1}]},
        {"_id": "new", "text": "what for?", "lang": "en"},
    ]
    asks.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = asks.read_bytes()
    session = opened(corpus, asks, out)
    assert [q.id for q in load_queries(out)] == ["done", "none"]
    todo = []
    while session.current is not None:
        todo.append(session.task.query.id)
        session.label([[Span(0, 0, 9)]])
    assert todo == ["wrong", "whole", "new"]
    assert lines(out)[0]["evidence"] == [
        {"doc_id": "leave", "start": LEAVE.index("Every"), "end": LEAVE.index(" of leave a"), "text": "Everybody has 25 days"}
    ]
    assert lines(out)[0]["metadata"] == {"lang": "en"} and lines(out)[4]["metadata"]["lang"] == "en"
    assert asks.read_bytes() == before and fine(corpus, out)


def test_labels_that_no_longer_fit_are_asked_again(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, asks, out)
    session.label([[Span(session.corpus.position["travel"], 10, 30)]])
    session.label([[Span(session.corpus.position["leave"], 0, 7)]])
    (corpus / "travel.md").write_text("Walk.")
    again, notes = open_session(corpus, asks, out, retrievers=("bm25",), cache=None)
    assert "1 labels in" in notes[0] and len(lines(out)) == 2  # nothing is lost before it is replaced
    assert again.current == 2
    again.skip()
    assert again.current == 0 and again.decision is None
    again.label([[Span(again.corpus.position["travel"], 0, 5)]])
    assert fine(corpus, out) and len(lines(out)) == 2


def test_the_file_keeps_what_others_wrote(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    theirs = {"_id": "x", "text": "theirs?", "evidence": [{"doc_id": "leave", "start": 0, "end": 7}], "colour": "red"}
    out.write_text(json.dumps(theirs) + "\n")
    session = opened(corpus, asks, out)
    session.label([[session.passage(1)]])
    assert lines(out)[0] == theirs and session.summary().others == 1
    out.write_text(out.read_text() + "\n")
    changed = out.read_bytes()
    with pytest.raises(UsageError, match="changed by another program"):
        session.label([[session.passage(1)]])
    assert out.read_bytes() == changed and session.current == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"_id": "d1", "text": "A document."}\n', ":1: this is no labelled query"),
        ('{"_id": "q", "text": "t", "unanswerable": true}\n' * 2, ":2: query id 'q' stands twice"),
        ("not JSON\n", ":1: broken JSON"),
        ('{"_id": "QID", "text": "in other words", "unanswerable": true}\n', ":1: query 'QID' has another text"),
    ],
)
def test_a_file_of_something_else_is_left_alone(content: str, message: str, corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    content = content.replace("QID", question_id(QUESTIONS[0]))
    out.write_text(content)
    with pytest.raises(InputError) as e:
        opened(corpus, asks, out)
    assert message.replace("QID", question_id(QUESTIONS[0])) in str(e.value) and out.read_text() == content


def test_usage(corpus: Path, asks: Path, tmp_path: Path) -> None:
    for command, message in [
        ((corpus, asks, "--out", asks), "would overwrite an input"),
        ((corpus, "--out", tmp_path / "o"), "no queries are given"),
        ((corpus, "-", "--out", tmp_path / "o"), "standard input is where you answer"),
        ((corpus, asks, "--out", tmp_path), "is a folder"),
        ((corpus, asks, "--out", tmp_path / "o", "--retriever", "bm52"), "did you mean 'bm25'"),
        ((corpus, asks), "--out"),
    ]:
        result = label(*command)
        assert result.exit_code == 2 and message in result.stderr, result.output
        assert result.stderr.count("\n") == 1
    (tmp_path / "blank.jsonl").write_text('{"_id": "a", "text": " "}\n')
    assert "blank.jsonl:1: query 'a' has no text" in label(corpus, tmp_path / "blank.jsonl", "--out", tmp_path / "o").stderr


def test_a_retriever_of_the_configuration_joins_the_pool(
    corpus: Path, asks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragdiag.label.pooling.default_retrievers", lambda: ("bm25", "lsa"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ragdiag.toml").write_text('retriever = "bm25(k1=0.9)"\n')
    out = tmp_path / "out.jsonl"
    assert label(corpus, asks, "--out", out, "--no-cache", stdin="1\n").exit_code == 0
    assert lines(out)[0]["metadata"]["pool"] == ["bm25(k1=0.9)", "bm25", "lsa"]
    assert label(corpus, asks, "--out", out, "--no-cache", "--retriever", "lsa", stdin="1\n").exit_code == 0
    assert lines(out)[1]["metadata"]["pool"] == ["lsa"]


def test_questions_of_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_bytes(b"\xef\xbb\xbfwhy?\r\n\r\n  how  so? \r\nwhy?\r\n")
    assert [(q.text, q.line) for q in questions(path)] == [("why?", 1), ("how so?", 3)]


# Drafts are never queries by themselves


def test_drafts_are_offered_and_never_used_unconfirmed(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, None, out, with_drafts=True)
    assert [t.query.text for t in session.tasks] == ["How many days do I have?"]
    assert text_of(session, session.passage(1)).startswith("Everybody has 25 days") and not out.exists()
    session.reword("whats my holiday allowance")
    assert session.task.query.text == "whats my holiday allowance" and not out.exists()
    session.skip()
    session.skip()
    assert session.current is None and not out.exists()
    session.back()
    session.label([[session.passage(1)]])
    (line,) = lines(out)
    assert line["text"] == "whats my holiday allowance" and line["metadata"]["draft"].startswith("leave#")
    assert session.summary().worded_alike == 0
    assert opened(corpus, None, out, with_drafts=True).current is None  # reworded, it counts as labelled
    out.unlink()
    plain = opened(corpus, None, out, with_drafts=True)
    plain.label([[plain.passage(1)]])
    assert plain.summary().worded_alike == 1


def test_a_teams_own_query_is_not_reworded(corpus: Path, asks: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the team's own"):
        opened(corpus, asks, tmp_path / "o").reword("something else")


def test_quitting_among_drafts_writes_nothing(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = label(corpus, "--drafts", "--out", out, *FAST, stdin="m\n/leave\ne when is my holiday\nq\n")
    assert result.exit_code == 0 and not out.exists()
    assert "1 drafts from the documents" in result.stderr and "0 queries labelled" in result.stdout


# The terminal


def test_a_session_on_the_terminal(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    script = [
        "?",
        "/everybody has 25",
        "a 25 days",
        "99",
        "1:99",
        "fly",
        "1:2-3",
        "/a note is needed",
        "m",
        "1|2:1",
        "b",
        "x",
        "1 2",
        "/zebra",
        "u",
    ]
    result = label(corpus, asks, "--out", out, *FAST, stdin="\n".join(script) + "\n")
    assert result.exit_code == 0, result.output
    for said in (
        "query 1 of 3, 0 decided",
        "sentences 2 to 4 of it are",
        "there is no passage 99",
        "1:99: passage 1 has sentences 1 to",
        "'fly' is none of these",
        "taken back",
        "no passage has these words",
        "2 queries labelled, 1 unanswerable; 0 of 3 undecided",
        "litmus will need the answer that is expected: a TEXT notes it",
        "1 of 2 labels without the expected answer, by which ragdiag litmus judges",
        "ragdiag check",
        "ragdiag audit",
    ):
        assert said in result.stdout, said
    first, second, third = lines(out)
    assert first["answer"] == "25 days" and first["evidence"][0]["text"].startswith("Everybody has 25 days of leave")
    assert len(second["evidence"]) == 2 and not any("group" in e for e in second["evidence"])
    assert third["unanswerable"] is True
    assert fine(corpus, out)
    shown = result.stdout.replace("> ", "").splitlines()  # a prompt that nobody typed at
    assert max(len(line) for line in shown if str(tmp_path) not in line) <= 80


def test_an_expected_answer_that_lacks_is_told_of(corpus: Path, tmp_path: Path) -> None:
    asks, out = tmp_path / "asks.jsonl", tmp_path / "out.jsonl"
    rows = [{"_id": f"q{i}", "text": text} for i, text in enumerate(QUESTIONS)]
    asks.write_text("".join(json.dumps(row | {"answer": "25 days"}) + "\n" for row in rows))
    complete = label(corpus, asks, "--out", out, *FAST, stdin="1\n1\nu\nu\n")
    assert "2 queries labelled, 1 unanswerable" in complete.stdout and "litmus" not in complete.stdout, complete.stdout
    out.unlink()
    asks.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lacking = label(corpus, asks, "--out", out, *FAST, stdin="a 25 days\n1\n1\n1\n").stdout
    assert "2 of 3 labels without the expected answer, by which ragdiag litmus judges" in lacking
    assert [line.get("answer") for line in lines(out)] == ["25 days", None, None]
    assert f'write "answer": "..." on their lines of {out}'.replace(" ", "") in "".join(lacking.split())


def test_the_file_can_be_audited_at_any_moment(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    for n in range(1, len(QUESTIONS) + 1):  # one decision a session: each goes on where the last stopped
        result = label(corpus, asks, "--out", out, *FAST, stdin="1\n")
        assert f"query {n} of 3, {n - 1} decided" in result.stdout
        assert [q.text for q in load_queries(out)] == QUESTIONS[:n] and fine(corpus, out)
    audited = CliRunner().invoke(main, ["audit", str(corpus), str(out), *FAST, "--json", "-"])
    assert audited.exit_code == 0 and json.loads(audited.stdout)["inputs"]["queries"] == 3
    assert "0 of 3 undecided" in label(corpus, asks, "--out", out, *FAST).stdout


def test_marks(corpus: Path, asks: Path, tmp_path: Path) -> None:
    session = opened(corpus, asks, tmp_path / "o")
    session.search("everybody has 25 days")
    number = next(n for n in range(1, 20) if "25 days" in text_of(session, session.passage(n)))
    after = session.beside(number, 1)
    words = lambda given: [[text_of(session, p) for p in group] for group in marked(session, given)]  # noqa: E731
    assert words(f"{number}:2 | {number}:4") == [["Everybody has 25 days of leave a year.", "Nobody sells days."]]
    assert words(f"{number}:2, {number}:4") == [["Everybody has 25 days of leave a year."], ["Nobody sells days."]]
    assert words(f"{number}:4+{after}:1") == [["Nobody sells days.\n\n## Illness"]]
    assert words(f"{after}:1 + {number}:3-4") == [["They lapse at the end of March. Nobody sells days.\n\n## Illness"]]
    for wrong in (f"{number}:2+{number}:4", f"{number}:3-2", f"{number}:0", "0", f"{number}-{after}", "1||2", "1+"):
        with pytest.raises(UsageError):
            marked(session, wrong)


@pytest.mark.parametrize("digits", ["9" * 5000, "٣" * 5000], ids=["ascii", "arabic"])
@pytest.mark.parametrize("form", ["{}", "{}:1", "1:{}", "1:1-{}", "1|{}", "1+{}", ">{}", "< {}", "/{}", "e {}"])
def test_a_number_of_any_length_is_answered_in_one_line(corpus: Path, asks: Path, tmp_path: Path, form: str, digits: str) -> None:
    result = label(corpus, asks, "--out", tmp_path / "o", *FAST, stdin=f"{form.format(digits)}\nq\n")
    assert result.exit_code == 0, result.output
    assert "bug" not in result.output and "0 queries labelled" in result.stdout
    assert len(result.stdout) < 10_000


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
def test_labels_are_for_the_user_s_eyes_and_on_the_disk(
    corpus: Path, asks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert label(corpus, asks, "--out", tmp_path / "o", *FAST, stdin="1\n1\nq\n").exit_code == 0
    assert stat.S_IMODE((tmp_path / "o").stat().st_mode) == 0o600
    assert len(synced) == 4  # each decision, file and folder


def test_nothing_from_the_corpus_steers_the_terminal(corpus: Path, asks: Path, tmp_path: Path) -> None:
    result = label(corpus, asks, "--out", tmp_path / "o", *FAST, stdin="/parking\n[red]\na \x1b[2J\n/fourth\n/parking\n1\nb\nq\n")
    assert result.exit_code == 0 and "4 [/euros] [red]in coins[/red]." in " ".join(result.stdout.split())
    assert not {"\x1b", "\x07", "\u202e"} & set(result.output)


@pytest.mark.slow
def test_a_killed_session_goes_on(corpus: Path, asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "ragdiag", "label", str(corpus), str(asks), "--out", str(out), *FAST]
    session = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert session.stdin is not None
    session.stdin.write("1\n/note\n")
    session.stdin.flush()
    until(lambda: out.exists())
    os.kill(session.pid, signal.SIGKILL)
    session.stdin.close()
    assert session.wait() == -signal.SIGKILL
    assert [q.text for q in load_queries(out)] == QUESTIONS[:1] and fine(corpus, out)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    assert "query 2 of 3, 1 decided" in label(corpus, asks, "--out", out, *FAST, stdin="q\n").stdout


@pytest.mark.slow
def test_the_page_stops_with_the_keyboard(corpus: Path, asks: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-u",
        "-m",
        "ragdiag",
        "label",
        str(corpus),
        str(asks),
        "--out",
        str(tmp_path / "o"),
        *FAST,
        "--page",
    ]
    page = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None and page.stdout.readline().startswith("label at http://127.0.0.1:")
    page.send_signal(signal.SIGINT)
    assert "0 queries labelled" in page.stdout.read() and page.wait() == 0
    page.stdout.close()


def until(done: Callable[[], bool]) -> None:
    for _ in range(600):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within a minute")


@pytest.mark.parametrize("n", [1, 25, 50, 100, 200])
def test_what_so_many_queries_are_worth(n: int) -> None:
    z = 1.959964
    assert margin(n) == round(100 * z / (2 * math.sqrt(n + z * z)))  # Wilson's half width where half of them succeed


def test_the_docs_tell_the_same() -> None:
    text = (Path(__file__).parents[1] / "docs" / "label.md").read_text(encoding="utf-8")
    numbers, points = (
        [int(cell) for cell in row.split("|")[2:-1]] for row in re.findall(r"^\| (?:queries|± points) .*", text, re.M)
    )
    assert numbers == list(MILESTONES) and points == [margin(n) for n in numbers]


# The page


class Served:
    """The page, served for real."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.url = ""
        ready = threading.Event()

        def started(url: str) -> None:
            self.url = url
            ready.set()

        self.thread = threading.Thread(target=serve, args=(Page(session), 0, started))
        self.thread.start()
        assert ready.wait(30)
        self.port, self.path = urlsplit(self.url).port, urlsplit(self.url).path

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes, Any]:
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        # Closed whatever happens: a server that is about to stop may take a connection and not answer it.
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.headers

    def act(self, what: str, **more: Any) -> dict[str, Any]:
        current = self.session.current
        query = None if current is None else self.session.task.query.id
        status, content, _ = self.ask("POST", f"{self.path}act", {"do": what, "query": query, **more})
        assert status == 200
        state: dict[str, Any] = json.loads(content)
        return state

    def stop(self) -> None:
        with contextlib.suppress(ConnectionError):  # stopped already
            self.ask("POST", f"{self.path}stop", {})
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def served(corpus: Path, asks: Path, tmp_path: Path) -> Iterator[Served]:
    page = Served(opened(corpus, asks, tmp_path / "out.jsonl"))
    yield page
    page.stop()


def test_only_those_who_know_the_token_are_served(served: Served) -> None:
    token = served.path.strip("/")
    other = token[:-1] + ("a" if token[-1] != "a" else "b")
    for path in ("/", "/act", f"/{other}/", f"/{other}/act", f"/{token}", f"/x/{token}/", "/favicon.ico"):
        for method in ("GET", "POST"):
            assert served.ask(method, path, {} if method == "POST" else None)[0] == 403, path
    body = {"do": "skip", "query": served.session.task.query.id}
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{served.port}"},
        {"Host": f"127.0.0.1.evil.example:{served.port}"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ):
        assert served.ask("POST", f"{served.path}act", body, headers)[0] == 403, headers
        assert served.ask("POST", f"{served.path}stop", {}, headers)[0] == 403
        assert served.ask("GET", served.path, None, headers)[0] == 403
    assert served.ask("POST", f"{served.path}act", body, {"Content-Type": "text/plain"})[0] == 415  # what a form can send
    assert served.ask("POST", f"{served.path}act", b"[]")[0] == 400
    assert served.ask("POST", f"{served.path}act", b"{")[0] == 400
    assert served.ask("POST", f"{served.path}act", b"{}", {"Content-Length": str(2**40)})[0] == 413
    assert served.ask("GET", f"{served.path}etc")[0] == 404
    assert served.session.current == 0 and served.thread.is_alive()
    assert served.ask("POST", f"{served.path}act", body, {"Origin": f"http://localhost:{served.port}"})[0] == 200
    assert served.session.current == 1


def test_the_page_itself_holds_nothing_and_loads_nothing(served: Served) -> None:
    status, content, headers = served.ask("GET", served.path)
    text = content.decode()
    assert status == 200 and "http" not in text and QUESTIONS[0] not in text and "{{" not in text
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    again = served.ask("GET", served.path)[2]["Content-Security-Policy"]
    assert again != policy  # a nonce is used once


def test_labelling_over_http(served: Served, corpus: Path) -> None:
    state = served.act("show")
    assert state["query"]["text"] == QUESTIONS[0] and state["total"] == 3
    for passage in state["passages"]:
        document = served.session.corpus.documents[passage["document"]].text
        assert passage["text"] == masked(document[passage["start"] : passage["end"]])
    state = served.act("search", words="emoji")
    found = state["passages"][state["found"][0] - 1]
    at = found["text"].index("nine")
    mark = {"document": found["document"], "start": found["start"] + at, "end": found["start"] + at + 4, "text": "nine"}
    for wrong in (
        [[{**mark, "text": "ten"}]],
        [[{**mark, "end": 10**9}]],
        [[{**mark, "start": True}]],
        [[{**mark, "document": -1}]],
        [[mark], []],
        [],
        "x",
        [[7]],
    ):
        assert served.act("label", groups=wrong, answer="")["error"], wrong
    assert served.act("nonsense")["error"] and served.act("search", words=7)["error"]
    assert not served.session.file.path.exists()
    state = served.act("label", groups=[[mark]], answer="nine euros")
    assert state["number"] == 2 and state["decided"] == 1
    (line,) = lines(served.session.file.path)
    assert line["evidence"][0]["text"] == "nine" and line["answer"] == "nine euros"
    assert HOSTILE.encode("utf-8", "replace").decode()[slice(line["evidence"][0]["start"], line["evidence"][0]["end"])] == "nine"
    assert served.act("back")["marks"] == [[mark]]
    stale = json.loads(served.ask("POST", f"{served.path}act", {"do": "skip", "query": "another"})[1])
    assert "another query is asked" in stale["error"] and served.session.current == 0
    assert fine(corpus, served.session.file.path)
    farewell = json.loads(served.ask("POST", f"{served.path}stop", {})[1])["farewell"]
    assert "1 query labelled" in farewell and "without the expected answer" not in farewell


NOTHING_ASKED = {"label": {"groups": []}, "unanswerable": {}, "search": {"words": "x"}, "more": {}, "beside": {"number": 1},
                 "reword": {"text": "x"}, "skip": {}, "withdraw": {}}  # fmt: skip


@pytest.mark.parametrize("what", NOTHING_ASKED)
@pytest.mark.parametrize("from_the_start", [True, False])
def test_where_nothing_is_asked_nothing_can_be_done(
    what: str, from_the_start: bool, corpus: Path, asks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    session = opened(corpus, asks, out)
    while session.current is not None:
        session.search("x")
        session.unanswerable()
    before = out.read_bytes()
    page = Page(opened(corpus, asks, out) if from_the_start else session)
    said = page.act({"do": what, **NOTHING_ASKED[what]})
    assert "nothing is left to label" in str(said["error"]) and said["query"] is None
    assert out.read_bytes() == before and page.act({"do": "show"})["error"] == ""


def test_who_goes_away_before_the_reply_leaves_no_trace_on_the_terminal(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed at once, by a reset
            gone.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert served.act("show")["error"] == ""
    assert capfd.readouterr().err == ""


def test_a_port_in_use_is_named(corpus: Path, asks: Path, tmp_path: Path, served: Served) -> None:
    result = label(corpus, asks, "--out", tmp_path / "other.jsonl", *FAST, "--page", "--port", served.port)
    assert result.exit_code == 2 and f"cannot listen on port {served.port}" in result.stderr


def test_masking_keeps_every_place() -> None:
    assert len(masked(HOSTILE)) == len(HOSTILE) and not set("\x1b\x07\u202e\ud83d") & set(masked(HOSTILE))
    assert masked(LEAVE) == LEAVE
    assert masked("a\u061cb\r") == "a\ufffdb\r"


SELECT = """words => {
  for (const box of document.querySelectorAll(".text")) {
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
      const at = node.data.indexOf(words);
      if (at >= 0) { getSelection().setBaseAndExtent(node, at, node, at + words.length); return true; }
    }
  }
  return false;
}"""


def test_evidence_is_selected_in_a_browser(served: Served, browser: Any, corpus: Path) -> None:
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("console", lambda message: troubles.append(message.text))
    page.on(
        "request", lambda request: troubles.append(request.url) if not request.url.startswith((served.url, "data:")) else None
    )
    page.goto(served.url)
    page.wait_for_selector("article")
    page.keyboard.press("/")
    page.keyboard.type("emoji")
    page.keyboard.press("Enter")
    page.wait_for_selector("article.found")
    hostile = HOSTILE.encode("utf-8", "replace").decode()
    # behind emoji: a character there is two of JavaScript's. The last word is selected in part and meant whole.
    assert page.evaluate(SELECT, "parking fee 🎉 of nin")
    page.keyboard.press("e")
    page.keyboard.press("/")
    page.keyboard.type("alert")
    with page.expect_response("**/act"):
        page.keyboard.press("Enter")
    until(lambda: not page.evaluate("() => busy"))
    assert page.evaluate(SELECT, "costs 4")
    page.keyboard.press("o")
    assert page.locator("#marks li").count() == 2 and page.locator("mark").count() == 2
    page.fill("#answer", "nine")
    page.keyboard.press("Enter")
    page.click("#save")
    page.locator("#query", has_text=QUESTIONS[1]).wait_for()
    (line,) = lines(served.session.file.path)
    assert [(e["text"], e["group"]) for e in line["evidence"]] == [("parking fee 🎉 of nine", "g1"), ("costs 4", "g1")]
    assert all(hostile[e["start"] : e["end"]] == e["text"] for e in line["evidence"])
    assert line["answer"] == "nine" and fine(corpus, served.session.file.path)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.locator("#query", has_text=QUESTIONS[2]).wait_for()
    page.keyboard.press("b")
    page.wait_for_selector("mark")
    assert page.locator("#marks li").count() == 1
    page.keyboard.press("s")
    page.locator("#query", has_text=QUESTIONS[2]).wait_for()
    assert page.title() == "ragdiag label" and page.locator("article img, article script").count() == 0
    page.click("#stop")
    page.wait_for_selector("text=You may close this page")
    served.thread.join(30)
    assert not served.thread.is_alive() and troubles == []
    assert len(load_queries(served.session.file.path)) == 2


def test_a_label_keeps_every_answer_that_the_query_had(corpus: Path, tmp_path: Path) -> None:
    queries, out = tmp_path / "queries.jsonl", tmp_path / "out.jsonl"
    queries.write_text(json.dumps({"_id": "q", "text": QUESTIONS[0], "answers": ["25 days", "five weeks"]}) + "\n")
    session = opened(corpus, queries, out)
    assert (session.answer, session.also) == ("25 days", ("five weeks",))
    session.label([[session.shown[0].passage]])
    assert lines(out)[0]["answers"] == ["25 days", "five weeks"]
    session.back()
    session.answered("26 days")
    assert lines(out)[0]["answers"] == ["26 days", "five weeks"]
    session.answered("five weeks")
    assert lines(out)[0]["answer"] == "five weeks" and "answers" not in lines(out)[0]
    session.answered("")
    assert not {"answer", "answers"} & lines(out)[0].keys()
