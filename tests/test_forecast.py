"""How long embedding takes is said once, from the first batches: by hand-worked examples, with a clock that does not run."""

import io
import sys

import numpy as np
import pytest

from ragdiag.cli.shell import progress_bars
from ragdiag.core.progress import Telling, renamed
from ragdiag.core.protocols import no_progress
from ragdiag.search import forecast
from ragdiag.search.forecast import lasting
from ragdiag.search.models import embedded


class Heard:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        self.steps.append((what, done, total))

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def told(
    monkeypatch: pytest.MonkeyPatch, texts: list[str], per_character: float, most: int = 10**6, first: float = 0.0
) -> list[str]:
    """What is said of embedding `texts` in batches of 10; the first one takes `first` seconds more."""
    heard, now, more = Heard(), [0.0], [first]
    monkeypatch.setattr(forecast.time, "perf_counter", lambda: now[0])

    def embed(batch: list[str]) -> np.ndarray:
        now[0] += per_character * sum(min(len(text), most) for text in batch) + more.pop() if more else 0.0
        more.append(0.0)
        return np.ones((len(batch), 2), dtype=np.float32)

    embedded(texts, "document", embed, "m", None, heard, 10, 2, most)
    return heard.sentences


def numbered(n: int, length: int) -> list[str]:
    """`n` distinct texts of a length."""
    return [f"{i:0{length}d}" for i in range(n)]


def test_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = numbered(120, 100)  # 1 s a batch; when it is said, two of twelve are done
    assert told(monkeypatch, texts, 0.001) == ["embedding documents: 120 texts, about 10 s"]
    assert told(monkeypatch, texts, 0.001, first=100.0) == ["embedding documents: 120 texts, about 10 s"]  # the model came


def test_texts_of_other_lengths_take_other_times(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = numbered(20, 100) + numbered(100, 50)  # 1 s for each of the first two batches, then ten of half a second
    assert told(monkeypatch, texts, 0.001) == ["embedding documents: 120 texts, about 5 s"]
    unread = numbered(20, 400) + numbered(100, 50)  # of the long ones 100 characters are read
    assert told(monkeypatch, unread, 0.001, most=100) == ["embedding documents: 120 texts, about 5 s"]


def test_little_work_is_not_worth_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, numbered(60, 100), 0.001) == []  # 4 s
    assert told(monkeypatch, numbered(20, 100), 9.0) == []  # two batches: when it could be said, all is done
    assert told(monkeypatch, [], 1.0) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(5.2, "5 s"), (89, "89 s"), (90, "2 min"), (200, "3 min"), (5399, "90 min"), (5400, "1.5 h")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_who_sees_no_bars_reads_the_sentence_and_who_wants_nothing_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bars(False) as progress:
        progress("embedding", 1, 2)
        assert isinstance(progress, Telling)
        progress.say("about 3 min")
    assert sys.stderr.getvalue() == "note: about 3 min\n"
    with progress_bars(True) as progress:
        assert progress is no_progress


def test_on_a_terminal_the_sentence_stands_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_bars(False) as progress:
        progress("embedding", 1, 2)
        assert isinstance(progress, Telling)
        progress.say("about 3 min")
        progress("embedding", 2, 2)
    assert screen.getvalue().count("about 3 min") == 1
    assert "embedding" in screen.getvalue()


def test_by_another_name_it_still_takes_sentences() -> None:
    heard = Heard()
    other = renamed(heard, lambda what, total: f"{what} of {total}")
    other("embedding", 1, 2)
    assert isinstance(other, Telling)
    other.say("about 3 min")
    assert (heard.steps, heard.sentences) == ([("embedding of 2", 1, 2)], ["about 3 min"])
    steps: list[tuple[str, int, int]] = []
    plain = renamed(lambda *step: steps.append(step), lambda *_: "sentences")
    plain("embedding", 1, 2)
    assert steps == [("sentences", 1, 2)]
    assert not isinstance(plain, Telling)
