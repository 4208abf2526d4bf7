"""Prompts put to a model, each answer kept as it comes: what was asked once is not asked again, whatever stopped the run."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ragdiag.core.appending import append, cut_or_ended, open_to_append, unfinished
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import stream_jsonl
from ragdiag.core.prompt import ATTEMPT, Prompt, Reply, attempted
from ragdiag.core.protocols import Model, Progress
from ragdiag.core.records import Answer
from ragdiag.core.replies import kept
from ragdiag.core.writing import check_writable, json_lines, real, sync_folder
from ragdiag.text.tokens import count_tokens

__all__ = ["Asked", "Estimate", "Questions"]

HOPELESS = 20
"""After so many failures with no answer at all, nothing more is asked: with a wrong key or address none would come."""

START = b'{"query_id": '
"""How every line of a record starts: a last line without an end is dropped only where it is one of ours."""

REMEDY = "name a new file, or the record of a run before"


Line = dict[str, Any]
"""A line of a record: JSON."""


class Estimate(NamedTuple):
    """What asking will take: calls, tokens of their prompts (`tokens.count_tokens`, so about), and tokens answered at most."""

    calls: int
    tokens_in: int
    tokens_out: int

    def dollars(self, price_in: float, price_out: float) -> float:
        """At most, at prices of a million tokens."""
        return (self.tokens_in * price_in + self.tokens_out * price_out) / 1e6


@dataclass(frozen=True, eq=False)
class Asked:
    """The answers to every prompt, in the order of the prompts and their repeats.

    `answered` counts the calls that gave an answer in this run, `resumed` the prompts whose answer the record held already,
    `failures` the calls that failed, by kind, and `cut` the answers that were cut short by the limit of tokens.
    """

    answers: tuple[Answer, ...]
    answered: int
    resumed: int
    failures: Mapping[str, int]
    cut: int


class _Job(NamedTuple):
    prompt: Prompt
    repeat: int
    key: str


Keep = Callable[[_Job, Reply, float], None]
"""Called with a job, what came of it, and the seconds that it took."""


class Questions:
    """What is to be asked of `model`: each of `prompts`, `repeats` times, less what the record at `path` holds an answer to.

    An answer has up to `max_tokens` (0: nothing limits it); one that was cut at fewer is asked for again. Raises `UsageError`
    where `path` cannot be written, `InputError` where it is a file of another kind.
    """

    def __init__(self, prompts: Sequence[Prompt], repeats: int, model: Model, path: Path, max_tokens: int = 0) -> None:
        self._model, self._path, self._max_tokens = model, path, max_tokens
        check_writable(path)
        self._known = _read(path) if path.exists() else {}
        self._jobs = [_Job(p, r, attempted(self._about(p, r))) for p in prompts for r in range(1, repeats + 1)]
        # What failed before comes last: it may fail for good, and what was never asked must not wait for that.
        self._open = sorted(filter(self._is_open, self._jobs), key=lambda job: job.key in self._known)

    def _is_open(self, job: _Job) -> bool:
        known = self._known.get(job.key, {})
        return "answer" not in known or ("cut" in known and known.get("max_tokens", 0) < self._max_tokens)

    def _about(self, prompt: Prompt, repeat: int) -> Line:
        sha256 = hashlib.sha256(self._model.seen(prompt).encode("utf-8", "surrogatepass")).hexdigest()
        names = {"query_id": prompt.query_id, "condition": prompt.condition, "repeat": repeat}
        return names | {"model": self._model.name, "prompt_sha256": sha256}

    def estimate(self) -> Estimate:
        """What asking what is open will take."""
        n = len(self._open)
        return Estimate(n, sum(count_tokens(job.prompt.text) for job in self._open), n * self._max_tokens)

    def ask(self, concurrency: int, progress: Progress) -> Asked:
        """Ask what is open, `concurrency` calls at a time (one: in this very thread), and keep each answer as it comes.

        An answer that `replies.kept` takes for none is a failed call. Raises `UsageError` where nothing but failures comes.
        """
        failures: Counter[str] = Counter()
        answered, resumed = 0, len(self._jobs) - len(self._open)

        def keep(job: _Job, reply: Reply, seconds: float) -> None:
            nonlocal answered
            self._known[job.key] = line = self._line(job, reply, seconds)
            append(record.fileno(), json_lines([line]))
            answered += reply.answer is not None
            failures.update([reply.error] if reply.answer is None else [])
            done = answered + failures.total()
            progress("asking", done, len(self._open))
            if done == HOPELESS < len(self._open) and not answered:
                raise _hopeless(f"the first {done} calls failed", failures, "so no more were made; ")

        try:
            with os.fdopen(open_to_append(self._path), "ab", buffering=0) as record:
                sync_folder(real(self._path).parent)
                (self._one_by_one if concurrency == 1 else functools.partial(self._at_once, concurrency))(keep)
        except OSError as e:
            raise UsageError(f"cannot write {self._path}: {e.strerror or e}; what came before is kept") from e
        finally:
            self._model.close()
        lines = [self._known[job.key] for job in self._jobs]
        if failures and not any("answer" in line for line in lines):
            raise _hopeless("every call failed", failures, "so there is nothing to judge; ")
        answers = tuple(_answer(job.prompt, line) for job, line in zip(self._jobs, lines, strict=True))
        return Asked(answers, answered, resumed, dict(failures.most_common()), sum(bool(line.get("cut")) for line in lines))

    def _line(self, job: _Job, reply: Reply, seconds: float) -> Line:
        """A line of the record; with an answer it is one of recorded answers too."""
        prompt, line = job.prompt, self._about(job.prompt, job.repeat)
        line |= {"error": reply.error} if reply.answer is None else {"answer": reply.answer}
        line |= {"max_tokens": self._max_tokens} if self._max_tokens else {}
        line |= {"cut": True} if reply.cut else {}
        line |= {"contexts": list(prompt.contexts)}
        line |= {} if prompt.sufficient is None else {"sufficient": prompt.sufficient}
        return line | {"seconds": round(seconds, 3)}

    def _call(self, job: _Job) -> tuple[_Job, Reply, float]:
        started = time.perf_counter()
        reply = self._model.answer(job.prompt)
        return job, kept(reply), time.perf_counter() - started

    def _one_by_one(self, keep: Keep) -> None:
        for job in self._open:
            keep(*self._call(job))

    def _at_once(self, concurrency: int, keep: Keep) -> None:
        """The threads are daemons: who stops the run does not wait for the calls under way, and what has come is kept."""
        waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        came: queue.SimpleQueue[tuple[_Job, Reply, float] | BaseException] = queue.SimpleQueue()
        stopped = threading.Event()
        for job in self._open:
            waiting.put(job)

        def work() -> None:
            try:
                while not stopped.is_set():
                    came.put(self._call(waiting.get_nowait()))
            except queue.Empty:
                return
            except BaseException as e:  # nobody else would hear of it
                came.put(e)

        for _ in range(min(concurrency, len(self._open))):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in self._open:
                outcome = came.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                keep(*outcome)
        finally:
            stopped.set()
            while not came.empty():
                if not isinstance(outcome := came.get_nowait(), BaseException):
                    keep(*outcome)


def _hopeless(what: str, failures: Counter[str], so: str) -> UsageError:
    kinds = ", ".join(f"{kind} {n}" for kind, n in failures.most_common())
    return UsageError(f"{what} ({kinds}), {so}mend that, then go on with the same command")


def _answer(prompt: Prompt, line: Line) -> Answer:
    text = line.get("answer")
    return Answer(
        prompt.query_id,
        prompt.condition,
        text or "",
        failed=text is None,
        contexts=prompt.contexts,
        sufficient=prompt.sufficient,
    )


def _read(path: Path) -> dict[str, Line]:
    """The last line about each question.

    A last line that a killed run left unfinished is dropped, one that only lacks its end gets it. Raises `InputError` for
    anything else that is no line of a record; the file is then as it was.
    """
    end, last = unfinished(path)
    is_cut = bool(last) and not _is_json(last)
    whole = end if is_cut else end + len(last)
    known: dict[str, Line] = {}
    n = 0
    for n, done, line in stream_jsonl(path) if whole else ():
        if not _is_ours(line):
            raise InputError("is no line of a record of live answers", path, n, REMEDY)
        known[attempted(line)] = line
        if done == whole:
            break
    if is_cut and not _may_be_ours(last, bool(known)):
        raise InputError("is no record of live answers", path, n + 1, REMEDY)
    if last:
        cut_or_ended(path, whole, b"" if is_cut else b"\n")
    return known


def _may_be_ours(line: bytes, has_lines: bool) -> bool:
    """Whether an unfinished line starts as ours do; without a line before it, only the names in it tell whose it is."""
    return line.startswith(START[: len(line)]) and (has_lines or b'"prompt_sha256"' in line)


def _is_ours(line: Line) -> bool:
    text, limit = line.get("answer", line.get("error")), line.get("max_tokens", 0)
    return all(name in line for name in ATTEMPT) and isinstance(text, str) and isinstance(limit, int)


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True
