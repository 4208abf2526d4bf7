"""`label` shows what bm25 finds at once and embeds meanwhile; what was shown for a query is shown again."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.label import pooling
from ragdiag.label.pooling import Pool
from ragdiag.label.session import Session
from ragdiag.label.setup import open_session

WORDS = "the harbour ferry leaves pier boat ticket price dog train island lamp tower keeper steps".split()
QUERIES = ("when does the ferry leave the harbour", "price of a ticket", "steps of the tower")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until this is set, lsa, which stands for what has to embed, does not get ready."""
    event, indexed = threading.Event(), Pool._indexed

    def waiting(self: Pool, plan: Any, progress: Any) -> Any:
        if plan.options.retriever == "lsa":
            assert event.wait(60)
        return indexed(self, plan, progress)

    monkeypatch.setattr(pooling, "QUICK", {"bm25"})
    monkeypatch.setattr(Pool, "_indexed", waiting)
    return event


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path, Path]:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    texts = [" ".join(WORDS[(i * j + j) % len(WORDS)] for j in range(1, 12)) for i in range(20)]
    corpus.write_text("".join(json.dumps({"_id": f"d{i}", "text": t}) + "\n" for i, t in enumerate(texts)), encoding="utf-8")
    queries.write_text("".join(json.dumps({"_id": f"q{i}", "text": t}) + "\n" for i, t in enumerate(QUERIES)), encoding="utf-8")
    return corpus, queries, tmp_path / "out.jsonl"


def opened(data: tuple[Path, Path, Path], *retrievers: str) -> Session:
    return open_session(*data, retrievers=retrievers or ("bm25", "lsa"), cache=None)[0]


def passages(session: Session) -> list[Any]:
    return [shown.passage for shown in session.shown]


def test_the_first_query_waits_for_nothing(data: tuple[Path, Path, Path], held: threading.Event) -> None:
    alone = passages(opened(data, "bm25"))
    session = opened(data)  # would wait for a minute and fail, did it wait
    assert passages(session) == alone and session.pool.ready() == ("bm25",)
    session.label([[session.passage(1)]])
    held.set()
    session.pool.ranked(QUERIES[1])  # which waits for all
    assert session.pool.ready() == ("bm25", "lsa")
    session.skip()  # the second was shown already
    session.label([[session.passage(1)]])
    recorded = {line["_id"]: line["metadata"]["pool"] for line in map(json.loads, data[2].read_text().splitlines())}
    assert recorded == {"q0": ["bm25"], "q2": ["bm25", "lsa"]}


def test_what_was_shown_is_shown_again(data: tuple[Path, Path, Path], held: threading.Event) -> None:
    session = opened(data)
    first = passages(session)
    session.label([[session.passage(1)]])
    held.set()
    session.pool.ranked(QUERIES[0])
    session.back()
    assert passages(session) == first  # in the same session
    other = opened(data)
    other._coming.appendleft(0)
    other._next()
    assert other.task.query.id == "q0" and passages(other) == first  # and in a later one, by what the file says


def test_what_cannot_be_made_is_said_when_it_would_be_used(
    data: tuple[Path, Path, Path], held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed = Pool._indexed

    def broken(self: Pool, plan: Any, progress: Any) -> Any:
        if plan.options.retriever == "lsa":
            raise UsageError("no room for vectors")
        return indexed(self, plan, progress)

    monkeypatch.setattr(Pool, "_indexed", broken)
    session = opened(data)
    with pytest.raises(RagdiagError, match="lsa could not be got ready: no room for vectors; --retriever bm25 does without") as e:
        session.pool.ranked(QUERIES[0])
    assert not isinstance(e.value, UsageError)  # it is nothing that the labeller typed: the session ends


def test_where_all_have_to_embed_the_first_waits(data: tuple[Path, Path, Path], held: threading.Event) -> None:
    held.set()
    session = opened(data, "lsa")
    assert session.pool.ready() == ("lsa",) and session.shown
