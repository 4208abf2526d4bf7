"""Live answers: against a local stub that does what endpoints do, and a function; nothing is lost, asked twice, or told."""

import contextlib
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.answering.answers import load_answers
from ragdiag.answering.live import asking
from ragdiag.answering.live.asking import HOPELESS, Estimate, Questions
from ragdiag.cli import main
from ragdiag.core import appending, endpoints, files, replies
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.prompt import Prompt, Reply
from ragdiag.core.protocols import no_progress
from ragdiag.search.retrieval import Plan

pytestmark = pytest.mark.slow

N = 6
KEY = "sk-very-secret-0123456789"

Action = str | int | None | dict[str, Any]
"""What the stub does: answers with a text, a status, null, a body; or "/hang", "/drop", "/broken", "/away"."""


class Stub:
    """An endpoint on a free port. `script` is called with the prompt and the number of times it has come before."""

    def __init__(self, script: Callable[[str, int], Action]) -> None:
        self.script, self.requests, self.keys = script, list[dict[str, Any]](), set[str | None]()
        self.released, self.lock = threading.Event(), threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with stub.lock:
                    before = stub.asked()[request["messages"][0]["content"]]
                    stub.requests.append(request)
                    stub.keys.add(self.headers.get("Authorization"))
                with contextlib.suppress(OSError):
                    self.reply(stub.script(request["messages"][0]["content"], before))

            def reply(self, action: Action) -> None:
                if action == "/hang":
                    stub.released.wait(20)
                if action in ("/drop", "/hang"):
                    self.close_connection = True
                    return
                status = action if isinstance(action, int) else 307 if action == "/away" else 200
                body: Any = {"choices": [{"message": {"content": action}, "finish_reason": "stop"}]}
                body = action if isinstance(action, dict) else {"error": {"message": f"bad key {KEY}"}} if status > 299 else body
                if "status" in body:
                    status = body["status"]
                raw = b'{"choices": [' if action == "/broken" else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Retry-After", "0")
                if action == "/away":
                    self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def asked(self) -> Counter[str]:
        """How often each prompt came."""
        return Counter(r["messages"][0]["content"] for r in self.requests)


Start = Callable[[Callable[[str, int], Action]], Stub]


@pytest.fixture
def start() -> Iterator[Start]:
    stubs: list[Stub] = []

    def started(script: Callable[[str, int], Action]) -> Stub:
        stubs.append(Stub(script))
        threading.Thread(target=stubs[-1].server.serve_forever, args=(0.02,), daemon=True).start()
        return stubs[-1]

    yield started
    for stub in stubs:
        stub.released.set()
        stub.server.shutdown()
        stub.server.server_close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six queries whose evidence is at hand, of whose contexts of one chunk four hold it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    texts = [f"Fact {i} is word{i}." for i in range(N)]
    write(tmp_path / "corpus.jsonl", [{"_id": f"d{i}", "text": text} for i, text in enumerate(texts)])
    queries = [
        {"_id": f"q{i}", "text": f"What is fact {i}?", "answer": f"word{i}", "evidence": [{"doc_id": f"d{i}", "text": text}]}
        for i, text in enumerate(texts)
    ]
    write(tmp_path / "queries.jsonl", queries)
    where = [0, 1, 2, 3, 0, 1]
    run = [{"query_id": f"q{i}", "retrieved": [{"doc_id": f"d{d}", "start": 0, "end": 16}]} for i, d in enumerate(where)]
    write(tmp_path / "run.jsonl", run)
    return tmp_path


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


PIPELINE = ("--corpus", "corpus.jsonl", "--run", "run.jsonl", "--no-cache")


def litmus(*options: object, stdin: str | None = None) -> Any:
    return CliRunner().invoke(main, ["litmus", "queries.jsonl", *map(str, options)], input=stdin)


def live(url: str, *options: object) -> Any:
    endpoint = ("--live", url, "--model", "m", "--record", "rec.jsonl", "--retries", 0, "--yes")
    return litmus(*PIPELINE, *endpoint, *options)


def right(prompt: str, _: int = 0) -> str:
    """What a model would say that reads well: the last word of the first passage that the question is about."""
    number = prompt.rsplit("fact ", 1)[1].split("?")[0]
    return f"word{number}" if f"word{number}" in prompt else "I do not know."


def number(prompt: str) -> int:
    return int(prompt.rsplit("fact ", 1)[1].split("?")[0])


# What goes wrong is counted apart, and asked again.


def test_each_failure_is_recorded_by_its_kind(here: Path, start: Start) -> None:
    actions: list[Action] = ["/away", 500, "/broken", {"choices": []}, None, "/drop"]
    stub = start(lambda prompt, _: actions[number(prompt)])
    done = live(stub.url, "--concurrency", 6, "--condition", "oracle", "--json", "-")
    assert done.exit_code == 2, done.output
    assert {r["query_id"]: r.get("error") for r in lines(here / "rec.jsonl")} == {
        "q0": "status 307",  # not followed
        "q1": "status 500",
        "q2": "no JSON",
        "q3": "no answer",
        "q4": "no answer",
        "q5": "no connection",
    }
    assert "error: every call failed (no answer 2, " in done.stderr
    assert "), so there is nothing to judge; mend that, then go on with the same command\n" in done.stderr
    assert len(stub.requests) == N
    assert done.stdout == ""


@pytest.mark.parametrize("known", [0, 1])
def test_when_every_call_failed_there_is_nothing_to_judge(here: Path, start: Start, known: int) -> None:
    stub = start(lambda prompt, _: right(prompt) if number(prompt) < known else 500)
    for _ in range(2):  # those that fail for good do not keep the others from being judged
        done = live(stub.url, "--condition", "oracle")
        assert done.exit_code == (0 if known else 2)
        assert ("error: every call failed (status 500 6)" in done.stderr) == (not known)


def test_a_reply_has_a_bound(here: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "LONGEST", 1000)
    monkeypatch.setattr(endpoints, "LARGEST", 2**20)
    long = {0: "a" * 1000, 1: "a" * 1001, 2: "a" * 2**20}
    done = live(start(lambda prompt, _: long.get(number(prompt), right(prompt))).url, "--condition", "oracle")
    assert done.exit_code == 0, done.output
    assert "4 answered, 0 known before, 2 failed (more than 1 MB 1, more than 1,000,000 characters 1)" in done.stderr
    assert (here / "rec.jsonl").stat().st_size < 5000


def test_a_response_without_an_end_is_not_waited_for() -> None:
    """However much comes, and however slowly."""
    with pytest.raises(OverflowError):
        endpoints.read_body(itertools.repeat(b"x" * 2**16), time.monotonic() + 600)
    with pytest.raises(TimeoutError):
        endpoints.read_body((time.sleep(0.01) or b"x" for _ in itertools.count()), time.monotonic() + 0.1)
    assert endpoints.read_body([b"a", b"b"], time.monotonic() + 600) == b"ab"


@pytest.mark.parametrize("end", ["", "\n", '{"query_id": "q0", "cond', "x" * 3000])
def test_a_record_of_any_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """As a small one is: its last line may be whole, unfinished, or of another kind."""
    monkeypatch.setattr(files, "MAX_BYTES", 2000)
    monkeypatch.setattr(appending, "BLOCK", 100)
    names = {"condition": "oracle", "repeat": 1, "model": "m", "prompt_sha256": "0" * 64}
    rows = [{"query_id": f"q{i}", **names, "answer": "é" * 300} for i in range(9)]
    path = write(tmp_path / "rec.jsonl", rows)
    whole = path.read_bytes().removesuffix(b"\n")
    path.write_bytes(whole + (b"\n" if end else b"") + end.strip("\n").encode())
    if end.startswith("x"):
        with pytest.raises(InputError, match=r"rec.jsonl:10: is no record of live answers"):
            asking._read(path)
        return
    assert [line["query_id"] for line in asking._read(path).values()] == [f"q{i}" for i in range(9)]
    assert path.read_bytes() == whole + b"\n"
    assert len(load_answers([f"oracle={path}"])) == 9


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
def test_a_record_is_for_the_user_s_eyes_and_on_the_disk(here: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    umask = os.umask(0)
    try:
        assert live(start(right).url, "--condition", "oracle").exit_code == 0
    finally:
        os.umask(umask)
    assert stat.S_IMODE((here / "rec.jsonl").stat().st_mode) == 0o600
    if sys.platform.startswith("linux"):
        assert Counter(synced) == {str(here / "rec.jsonl"): N, str(here): 1}


def test_slow_answers_are_not_waited_for(here: Path, start: Start) -> None:
    done = live(start(lambda *_: "/hang").url, "--timeout", 0.2, "--concurrency", 6, "--condition", "oracle")
    assert "every call failed (timed out 6)" in done.stderr


def test_only_what_failed_is_asked_again(here: Path, start: Start) -> None:
    stub = start(lambda prompt, _: 500 if number(prompt) < 2 else right(prompt))
    assert "8 answered, 0 known before, 4 failed (status 500 4)" in live(stub.url).stderr
    healthy = start(right)
    done = live(healthy.url)
    assert "4 answered, 8 known before, 0 failed; kept in rec.jsonl" in done.stderr
    assert sorted(number(p) for p in healthy.asked().elements()) == [0, 0, 1, 1]
    assert "calls" not in live(healthy.url).stderr and len(healthy.requests) == 4
    rows = lines(here / "rec.jsonl")
    assert len(rows) == 16
    one = next(r for r in rows if (r["query_id"], r["condition"]) == ("q4", "retrieved"))
    assert one.pop("seconds") >= 0 and len(one.pop("prompt_sha256")) == 64
    assert one == {
        "query_id": "q4",
        "condition": "retrieved",
        "repeat": 1,
        "model": "m",
        "answer": "I do not know.",
        "max_tokens": 512,
        "contexts": ["Fact 0 is word0."],
        "sufficient": False,
    }


def test_an_overload_is_waited_for(here: Path, start: Start) -> None:
    stub = start(lambda prompt, before: 429 if number(prompt) == 0 and not before else right(prompt))
    done = live(stub.url, "--condition", "oracle", "--retries", 1)
    assert "6 answered, 0 known before, 0 failed" in done.stderr
    assert sorted(stub.asked().values()) == [1, 1, 1, 1, 1, 2]


def test_what_a_model_refuses_is_left_out(here: Path, start: Start) -> None:
    def script(prompt: str, _: int) -> Action:
        request = stub.requests[-1]
        if "max_tokens" in request:
            return {"status": 400, "error": {"message": "Unsupported 'max_tokens'. Use 'max_completion_tokens' instead."}}
        if "temperature" in request:
            return {"status": 400, "error": {"message": "Only the default temperature is supported"}}
        return {"choices": [{"message": {"content": right(prompt)}, "finish_reason": "length"}]}

    stub = start(script)
    done = live(stub.url, "--condition", "oracle", "--concurrency", 1, "--max-tokens", 7)
    assert "6 answered, 0 known before, 0 failed" in done.stderr and "6 answers ran into the limit" in done.stderr
    settings = [{k: v for k, v in r.items() if k not in ("model", "messages")} for r in stub.requests]
    assert settings == [
        {"temperature": 0, "max_tokens": 7},
        {"temperature": 0, "max_completion_tokens": 7},
        *([{"max_completion_tokens": 7}] * N),
    ]
    other = start(lambda prompt, _: {"status": 400, "error": {"message": "no"}})
    assert "every call failed (status 400 6)" in live(other.url, "--condition", "oracle", "--record", "other.jsonl").stderr
    assert len(other.requests) == N


def test_where_nothing_but_failures_comes_no_more_is_asked(here: Path, start: Start) -> None:
    stub = start(lambda prompt, _: 401)
    done = live(stub.url, "--repeats", 5, "--concurrency", 1)
    assert done.exit_code == 2 and "the first 20 calls failed (status 401 20)" in done.stderr
    assert len(stub.requests) == HOPELESS == len(lines(here / "rec.jsonl"))


def test_nor_where_earlier_runs_had_answers(here: Path, start: Start) -> None:
    assert "12 answered" in live(start(right).url).stderr
    stub = start(lambda prompt, _: 401)
    done = live(stub.url, "--repeats", 5, "--concurrency", 1)
    assert done.exit_code == 2 and "the first 20 calls failed (status 401 20)" in done.stderr
    assert len(stub.requests) == HOPELESS


def test_what_failed_before_waits_for_what_was_never_asked(here: Path, start: Start) -> None:
    some = start(lambda prompt, _: 500 if number(prompt) < 4 else right(prompt))
    live(some.url, "--repeats", 3, "--condition", "oracle")
    again = start(lambda prompt, _: 500 if number(prompt) < 4 else right(prompt))
    done = live(again.url, "--repeats", 4, "--concurrency", 1, "--condition", "oracle")
    assert done.exit_code == 0 and "2 answered, 6 known before, 16 failed" in done.stderr
    assert [number(r["messages"][0]["content"]) for r in again.requests[:6]] == list(range(N))


def test_answers_that_were_cut_are_asked_for_with_a_larger_limit(here: Path, start: Start) -> None:
    def script(prompt: str, _: int) -> Action:
        short = number(prompt) < 2 and stub.requests[-1]["max_tokens"] < 9
        return {
            "choices": [
                {"message": {"content": "wo" if short else right(prompt)}, "finish_reason": "length" if short else "stop"}
            ]
        }

    stub = start(script)
    first = live(stub.url, "--condition", "oracle", "--max-tokens", 7, "--concurrency", 1)
    assert "2 answers ran into the limit of tokens; a larger --max-tokens asks those again" in first.stderr
    for limit in (7, 3):
        assert "0 answered, 6 known before" in live(stub.url, "--condition", "oracle", "--max-tokens", limit).stderr
    for limit, said in ((8, "2 answered, 4 known before"), (9, "2 answered, 4 known before"), (99, "0 answered, 6 known before")):
        done = live(stub.url, "--condition", "oracle", "--max-tokens", limit, "--concurrency", 1)
        assert said in done.stderr and ("ran into" in done.stderr) == (limit < 9)
    rows = [r for r in lines(here / "rec.jsonl") if r["query_id"] == "q1"]
    assert [(r["answer"], r["max_tokens"], r.get("cut")) for r in rows] == [("wo", 7, True), ("wo", 8, True), ("word1", 9, None)]


# What is asked, and what comes of it.


def test_the_verdict_is_that_of_the_same_answers_from_a_batch(here: Path, start: Start) -> None:
    done = live(start(right).url, "--json", "-")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["table"] == {
        "wrong, context insufficient": {"oracle right": 2, "oracle wrong": 0, "oracle unknown": 0},
        "right, context sufficient": {"oracle right": 4, "oracle wrong": 0, "oracle unknown": 0},
    }
    prompts = ["prompts", "corpus.jsonl", "queries.jsonl", "--run", "run.jsonl", "--format", "openai", "--model", "m"]
    assert CliRunner().invoke(main, [*prompts, "--out", "in.jsonl"]).exit_code == 0
    output = [
        {
            "custom_id": r["custom_id"],
            "response": {
                "status_code": 200,
                "body": {"choices": [{"message": {"content": right(r["body"]["messages"][0]["content"])}}]},
            },
            "error": None,
        }
        for r in lines(here / "in.jsonl")
    ]
    write(here / "out.jsonl", output[::-1])
    batch = json.loads(litmus(*PIPELINE, "--answers", "out.jsonl", "--json", "-").stdout)
    for name in ("kind", "secondary", "share", "needed", "effects", "table"):
        assert batch[name] == found[name], name


def test_only_answers_to_these_prompts_count(here: Path, start: Start) -> None:
    stale = start(lambda prompt, _: "nonsense")
    live(stale.url)
    (here / "t.txt").write_text("{contexts}\nIn short: {question}", encoding="utf-8")
    fresh = start(right)
    done = live(fresh.url, "--template", "t.txt", "--json", "-")
    assert "12 answered, 0 known before" in done.stderr
    assert json.loads(done.stdout)["table"]["right, context sufficient"]["oracle right"] == 4
    assert all("\nIn short: What is fact" in prompt for prompt in fresh.asked())
    assert "0 answered, 12 known before" in live(stale.url, "--template", "t.txt").stderr
    assert "12 answered, 0 known before" in live(fresh.url, "--template", "t.txt", "--model", "other").stderr


def test_a_record_of_two_templates_is_no_recorded_answers(here: Path, start: Start) -> None:
    stub = start(right)
    (here / "t.txt").write_text("{contexts}\nIn short: {question}", encoding="utf-8")
    live(stub.url)
    assert litmus("--answers", "rec.jsonl").exit_code == 0
    live(stub.url, "--template", "t.txt")
    done = litmus("--answers", "rec.jsonl")
    assert (done.exit_code, done.stdout) == (2, "") and "rec.jsonl:13: holds answers of several pipelines" in done.stderr
    assert len(stub.requests) == 24


def test_the_pipeline_is_audited_once(here: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[object] = []
    retrieve = Plan.retrieve
    monkeypatch.setattr(Plan, "retrieve", lambda *given: ranked.append(given) or retrieve(*given))
    options = ("--corpus", "corpus.jsonl", "--retriever", "bm25", "-k", 1, "--no-cache", "--live", start(right).url)
    done = litmus(*options, "--model", "m", "--record", "rec.jsonl", "--yes", "--json", "-")
    assert json.loads(done.stdout)["table"] == {
        "right, context sufficient": {"oracle right": 6, "oracle wrong": 0, "oracle unknown": 0}
    }
    assert len(ranked) == 1


def test_queries_that_failed_in_the_run_are_told_of(here: Path, start: Start) -> None:
    write(here / "run.jsonl", [{"query_id": "q5", "error": "late"}, *lines(here / "run.jsonl")[:-1]])
    assert "note: 1 queries failed in the run: their prompts hold no passages" in live(start(right).url).stderr
    assert "note:" not in live(start(right).url, "--quiet").stderr


def test_repeats_are_asked_each(here: Path, start: Start) -> None:
    stub = start(lambda prompt, before: right(prompt) if before < 2 else "nonsense")
    done = live(stub.url, "--repeats", 3, "--condition", "oracle", "--concurrency", 1)
    assert "18 answered" in done.stderr and set(stub.asked().values()) == {3}
    assert Counter(r["repeat"] for r in lines(here / "rec.jsonl")) == {1: 6, 2: 6, 3: 6}


def test_live_answers_beside_recorded_ones(here: Path, start: Start) -> None:
    write(here / "mine.jsonl", [{"query_id": f"q{i}", "answer": "x", "correct": i > 0} for i in range(N)])
    done = live(start(right).url, "--condition", "oracle", "--answers", "retrieved=mine.jsonl", "--json", "-")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["table"]["wrong, context sufficient"]["oracle right"] == 1


def test_recorded_answers_are_read_before_a_model_is_asked(here: Path, start: Start) -> None:
    write(here / "mine.jsonl", [{"query_id": "q1"}])
    stub = start(right)
    assert live(stub.url, "--answers", "retrieved=mine.jsonl").exit_code == 2
    assert not stub.requests


# Interrupted.


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_run_that_was_stopped_goes_on_where_it_was(here: Path, start: Start, how: signal.Signals) -> None:
    stub = start(lambda prompt, _: right(prompt) if len(stub.requests) <= 5 else "/hang")
    record = here / "rec.jsonl"
    command = ["litmus", "queries.jsonl", *PIPELINE, "--live", stub.url, "--model", "m", "--record", "rec.jsonl", "--yes"]
    process = subprocess.Popen([sys.executable, "-m", "ragdiag", *command], stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < limit:
        if record.exists() and record.read_bytes().count(b"\n") == 5 and len(stub.requests) == 9:
            break
        time.sleep(0.02)
    process.send_signal(how)
    said = process.communicate(timeout=10)[1]  # without waiting for the calls that hang
    if how is signal.SIGINT:
        assert process.returncode == 130 and "the same command goes on where it stopped" in said
    assert len(lines(record)) == 5
    if how is signal.SIGKILL:
        with record.open("ab") as out:
            out.write(b'{"query_id": "q5", "condition": "oracle", "answ')
    healthy = start(right)
    done = live(healthy.url)
    assert "7 answered, 5 known before, 0 failed" in done.stderr and len(healthy.requests) == 7
    assert len(lines(record)) == 12


class Echo:
    """A model that counts."""

    name = "echo"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def seen(self, prompt: Prompt) -> str:
        return prompt.text

    def answer(self, prompt: Prompt) -> Reply:
        self.calls.append(prompt.query_id)
        return Reply(f"ä\u2028{prompt.question}")

    def close(self) -> None:
        pass


PROMPTS = [Prompt(f"ü{i}", "oracle", "?", ("ß",), f"{i} ß?", True) for i in range(3)]


def test_a_last_line_cut_anywhere_is_dropped_and_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "rec.jsonl"
    whole = Questions(PROMPTS, 1, Echo(), path).ask(1, no_progress)
    raw = path.read_bytes()
    for end in range(raw[:-1].rfind(b"\n") + 1, len(raw) + 1):
        path.write_bytes(raw[:end])
        model = Echo()
        found = Questions(PROMPTS, 1, model, path).ask(1, no_progress)
        assert found.answers == whole.answers
        assert model.calls == ([] if end >= len(raw) - 1 else ["ü2"])
        assert path.read_bytes().count(b"\n") == 3 and len(lines_of(path)) == 3


def test_a_record_of_one_unfinished_line(tmp_path: Path) -> None:
    path = tmp_path / "rec.jsonl"
    path.write_bytes(b'{"query_id": "q", "condition": "oracle", "repeat": 1, "model": "m", "prompt_sha256": "ab", "answ')
    assert len(Questions(PROMPTS, 1, Echo(), path).ask(1, no_progress).answers) == 3
    assert len(lines_of(path)) == 3


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


OURS = '{"query_id": "q", "condition": "oracle", "repeat": 1, "model": "m", "prompt_sha256": "a", "answer": "a"}'


@pytest.mark.parametrize(
    "content",
    [
        '{"_id": "d0", "text": "a"}\n',
        "notes",
        '{"query_id": "q", "condition": "oracle", "answer": "a"}\n',
        '{"query_id": "q", "condition": "oracle", "answer": "a"}\n{"query_id": "q", "cond',
        '{"query_id": "q"\n',
        '{"query_id": "q1", "answer": "x"',
        '{"query_id": "q1", "answer": "x"}',
        OURS + "\nnotes",
        OURS + '\n{"a": 1}\n{"que',
        OURS[:-1] + ', "max_tokens": "9"}\n',
    ],
)
def test_other_files_are_no_records_and_stay_as_they_are(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as error:
        Questions(PROMPTS, 1, Echo(), path)
    assert error.value.file == str(path) and error.value.line
    assert path.read_text(encoding="utf-8") == content


def test_a_record_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Questions(PROMPTS, 1, Echo(), tmp_path / "absent" / "rec.jsonl")
    if Path("/dev/full").exists():
        with pytest.raises(InputError, match="not a regular file"):
            Questions(PROMPTS, 1, Echo(), Path("/dev/full"))


def test_what_breaks_in_a_thread_is_heard_of(tmp_path: Path) -> None:
    class Broken(Echo):
        def answer(self, prompt: Prompt) -> Reply:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Questions(PROMPTS, 1, Broken(), tmp_path / "rec.jsonl").ask(2, no_progress)


# A function.

APP = """
import os
from helper import LATE

def answer(question, contexts):
    n = int(question.split()[-1].strip("?"))
    if os.environ.get("BROKEN") and n < 5:
        return [lambda: 1 / 0, lambda: None, lambda: 7, lambda: exit(), lambda: "\\ud800"][n]()
    if os.environ.get("BROKEN"):
        raise LATE
    contexts.append("")
    return "word" + str(n) if "word" + str(n) in contexts[0] else "no idea"

class App:
    answer = staticmethod(answer)
    number = 1
"""


@pytest.fixture
def app(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (here / "my_app.py").write_text(APP, encoding="utf-8")
    (here / "helper.py").write_text("LATE = TimeoutError('sk-secret')\n", encoding="utf-8")
    (here / "broken_app.py").write_text("import no_such_module_here\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield here
    for name in ("my_app", "helper", "broken_app"):
        sys.modules.pop(name, None)


def function(*options: object) -> Any:
    return litmus(*PIPELINE, "--record", "rec.jsonl", *options)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_function(app: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> None:
    monkeypatch.setenv("BROKEN", "yes")
    done = function("--live", "my_app:App.answer", "--condition", "oracle", "--concurrency", concurrency)
    assert done.exit_code == 2, done.output
    kinds = {r["query_id"]: r["error"] for r in lines(app / "rec.jsonl")}
    assert kinds == {
        "q0": "ZeroDivisionError",
        "q1": "no answer",
        "q2": "int, not text",
        "q3": "SystemExit",
        "q4": "no Unicode",
        "q5": "timed out",
    }
    monkeypatch.delenv("BROKEN")
    done = function("--live", "my_app:App.answer", "--json", "-", "--concurrency", concurrency)
    assert "12 answered, 0 known before, 0 failed" in done.stderr and "calls" not in done.stderr
    assert json.loads(done.stdout)["table"]["wrong, context insufficient"]["oracle right"] == 2
    assert {r["model"] for r in lines(app / "rec.jsonl")} == {"my_app:App.answer"}
    assert "0 answered, 12 known before" in function("--live", "my_app:App.answer").stderr
    assert "12 answered, 0 known before" in function("--live", "my_app:App.answer", "--model", "v2").stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--live", "my_app:absent"), "has no function 'absent'"),
        (("--live", "my_app:App.number"), "has no function"),
        (("--live", "no_such_app:f"), "cannot be loaded: ModuleNotFoundError"),
        (("--live", "broken_app:f"), "No module named 'no_such_module_here'"),
        (("--live", f"htp://u:{KEY}@host/v1"), "--live takes module:function, or a url"),
        (("--live", "localhost:8000"), "--live takes module:function, or a url"),
        (("--live", "my_app:answer", "--timeout", 3), "--timeout is for endpoints"),
        (("--live", "my_app:answer", "--retries", 0), "--retries is for endpoints"),
        (("--live", "my_app:answer", "--max-tokens", 3), "--max-tokens is for endpoints"),
    ],
)
def test_functions_that_are_none(app: Path, options: tuple[object, ...], says: str) -> None:
    done = function(*options)
    assert (done.exit_code, done.stdout) == (2, "") and says in done.stderr and KEY not in done.output
    assert not (app / "rec.jsonl").exists()


# Consent, prices, privacy.


def test_what_it_takes_is_shown_and_asked(here: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = start(right)
    command = (*PIPELINE, "--live", stub.url, "--model", "m", "--record", "rec.jsonl", "--max-tokens", 100, "--price", "2.5,10")
    done = litmus(*command)
    assert done.exit_code == 2 and "give --yes" in done.stderr
    monkeypatch.setattr("ragdiag.cli.live.on_terminal", lambda *_: True)
    assert litmus(*command, stdin="n\n").exit_code == 1
    assert not stub.requests and not (here / "rec.jsonl").exists()
    done = litmus(*command, stdin="y\n")
    assert done.exit_code == 0 and len(stub.requests) == 12
    assert "12 calls to m at 127.0.0.1" in done.stderr and "at most 1,200 out, at most about $0.0" in done.stderr
    assert "Make them?" not in litmus(*command).stderr


def test_estimates_are_sums(tmp_path: Path) -> None:
    prompts = [Prompt("a", "oracle", "?", (), "one two three?"), Prompt("b", "oracle", "?", (), "one")]
    found = Questions(prompts, 2, Echo(), tmp_path / "rec.jsonl", 50).estimate()
    assert found == Estimate(4, 10, 200)  # 2 * (4 + 1) tokens in, 4 * 50 out
    assert found.dollars(2.5, 10) == pytest.approx((10 * 2.5 + 200 * 10) / 1e6)


def test_the_key_goes_to_the_endpoint_and_nowhere_else(here: Path, start: Start) -> None:
    stub = start(lambda prompt, _: 401)
    done = live(stub.url, "--condition", "oracle")
    assert stub.keys == {f"Bearer {KEY}"}
    assert KEY not in done.output and KEY not in (here / "rec.jsonl").read_text(encoding="utf-8")
    for url in (f"http://{KEY}@host/v1", f"http://u:{KEY}@host/v1", f"http://host/v1?key={KEY}", f"http://host:{KEY}/v1"):
        done = live(url)
        assert done.exit_code == 2 and "with no key in it (OPENAI_API_KEY)" in done.stderr and KEY not in done.output
    assert KEY not in live(url, "--debug").output


def test_without_a_key(here: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    stub = start(right)
    assert live(stub.url, "--condition", "oracle").exit_code == 0
    assert stub.keys == {"Bearer none"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--record", "rec.jsonl"), "--record says nothing without --live"),
        (("--yes",), "--yes says nothing without --live"),
        (("--condition", "oracle"), "--condition says nothing without --live"),
        (("--chunker", "fixed"), "--chunker says nothing without --corpus"),
        (("-k", "3"), "-k says nothing without --corpus"),
        (("--run", "run.jsonl"), "--run says nothing without --corpus"),
        (("--live", "http://localhost:1/v1", "--record", "r"), "give --corpus"),
        ((*PIPELINE, "--live", "http://localhost:1/v1"), "give --record"),
        ((*PIPELINE, "--live", "http://localhost:1/v1", "--record", "-"), "give --record"),
        ((*PIPELINE, "--live", "http://localhost:1/v1", "--record", "r"), "give --model"),
        ((*PIPELINE, "--live", "a:b", "--record", "r", "--answers", "r"), "--answers r is the --record; leave it out"),
        ((*PIPELINE, "--live", "a:b", "--record", "./r", "--answers", "oracle=r"), "--answers oracle=r is the --record"),
        ((*PIPELINE, "--live", "a:b", "--record", "r", "--price", "3"), "not two prices"),
        ((*PIPELINE, "--live", "a:b", "--record", "r", "--price", "3,-1"), "0 or more"),
        ((*PIPELINE, "--live", "a:b", "--record", "r", "--price", "nan,1"), "0 or more"),
        ((*PIPELINE, "--live", "a:b", "--record", "queries.jsonl", "--json", "queries.jsonl"), "would overwrite"),
        ((), "no answers to judge"),
    ],
)
def test_usage(here: Path, options: tuple[object, ...], says: str) -> None:
    done = litmus(*options)
    assert (done.exit_code, done.stdout) == (2, "") and says in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["corpus.jsonl", "queries.jsonl", "run.jsonl"]


def test_recorded_answers_may_be_held_against_an_audit(here: Path) -> None:
    write(here / "mine.jsonl", [{"query_id": f"q{i}", "answer": "x", "correct": i < 4} for i in range(N)])
    found = json.loads(litmus(*PIPELINE, "--answers", "retrieved=mine.jsonl", "--json", "-").stdout)
    assert found["table"] == {
        "wrong, context insufficient": {"oracle right": 0, "oracle wrong": 0, "oracle unknown": 2},
        "right, context sufficient": {"oracle right": 0, "oracle wrong": 0, "oracle unknown": 4},
    }
