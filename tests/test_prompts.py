"""Prompts: exactly the evidence, the context in its order, templates that take nothing for a placeholder, and a way back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import ragdiag
from ragdiag.answering.answers import load_answers
from ragdiag.cli import main
from ragdiag.core.conditions import CLOSED_BOOK, CONDITIONS, ORACLE, RETRIEVED
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.prompt import Prompt, check_template, custom_id, fill, read_custom_id

LEAVE = "Leave is 25 days a year. It is booked with Ada. Sick days do not count."
PAY = "Pay comes on the 25th. Leave is paid in full. It is booked with Ada."
DOCUMENTS = [("leave", LEAVE), ("pay", PAY), ("other", "Nothing of the kind stands here.")]


def jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "corpus.jsonl", [{"_id": name, "text": text} for name, text in DOCUMENTS])
    evidence = {
        # Two groups, the later document first; two alternatives in one group, of which the first in the documents is taken.
        "two": [
            {"doc_id": "pay", "text": "Leave is paid in full."},
            {"doc_id": "pay", "text": "It is booked with Ada.", "group": "who"},
            {"doc_id": "leave", "text": "It is booked with Ada.", "group": "who"},
        ],
        "one": [{"doc_id": "leave", "text": "Leave is 25 days a year."}],
        "wrong": [{"doc_id": "leave", "text": "No such words anywhere in it, none at all."}],
    }
    queries: list[dict[str, Any]] = [{"_id": name, "text": f"What of {name}?", "evidence": e} for name, e in evidence.items()]
    queries.append(
        {"_id": "whole", "text": "What of all?", "relevant": [{"doc_id": "pay", "grade": 1}, {"doc_id": "leave", "grade": 0}]}
    )
    queries.append({"_id": "none", "text": "What of the moon?", "unanswerable": True})
    jsonl(tmp_path / "queries.jsonl", queries)
    spans = {
        "two": [("leave", 0, 47), ("pay", 23, 45)],
        "one": [("pay", 0, 22), ("leave", 0, 20)],
        "wrong": [("other", 0, 32)],
        "whole": [("pay", 0, 22)],
        "none": [],
    }
    run = [
        {"query_id": q, "retrieved": [{"doc_id": d, "start": s, "end": e} for d, s, e in ranked]} for q, ranked in spans.items()
    ]
    jsonl(tmp_path / "run.jsonl", run)
    return tmp_path


def made(**options: Any) -> dict[tuple[str, str], Prompt]:
    found = ragdiag.prompts("corpus.jsonl", "queries.jsonl", cache=None, **options)
    return {(p.condition, p.query_id): p for p in found.prompts}


def test_oracle_prompts_hold_exactly_the_evidence(here: Path) -> None:
    found = ragdiag.prompts("corpus.jsonl", "queries.jsonl", ["oracle"], cache=None)
    assert {p.query_id: p.contexts for p in found.prompts} == {
        "two": ("It is booked with Ada.", "Leave is paid in full."),
        "one": ("Leave is 25 days a year.",),
        "whole": (PAY,),
    }
    assert all(p.sufficient for p in found.prompts)
    assert found.left_out == {"oracle": {"label defect": 1, "unanswerable": 1}}


def test_retrieved_prompts_hold_the_context_in_its_order(here: Path) -> None:
    found = made(conditions=["retrieved"], run="run.jsonl")
    assert {q: (p.contexts, p.sufficient) for (_, q), p in found.items()} == {
        "two": ((LEAVE[:47], "Leave is paid in full."), True),
        "one": (("Pay comes on the 25th.", "Leave is 25 days a y"), False),
        "wrong": (("Nothing of the kind stands here.",), None),
        "whole": (("Pay comes on the 25th.",), True),
        "none": ((), None),
    }
    first = made(conditions=["retrieved"], run="run.jsonl", k=1)["retrieved", "two"]
    assert (first.contexts, first.sufficient) == ((LEAVE[:47],), False)


def test_only_the_contexts_differ(here: Path) -> None:
    asked = (RETRIEVED, ORACLE, CLOSED_BOOK)
    found = made(conditions=asked, run="run.jsonl")
    mine, oracle, closed = (found[c, "one"] for c in asked)
    swapped = mine.text.replace("[1] Pay comes on the 25th.\n\n[2] Leave is 25 days a y", "[1] Leave is 25 days a year.")
    assert swapped == oracle.text
    assert closed.contexts == () and "25" not in closed.text and "What of one?" in closed.text
    assert list(found) == sorted(found, key=lambda key: CONDITIONS.index(key[0]))


def test_nothing_is_indexed_for_the_oracle(here: Path) -> None:
    assert made(conditions=["oracle", "closed_book"], retriever='chroma(path="absent", collection="c")')


def test_nothing_left_to_ask(here: Path) -> None:
    jsonl(here / "queries.jsonl", [{"_id": "none", "text": "What of the moon?", "unanswerable": True}])
    with pytest.raises(InputError, match="no query is left to ask"):
        made(conditions=["oracle"])
    with pytest.raises(UsageError, match="did you mean 'oracle'"):
        made(conditions=["oracel"])


# Templates.


@given(question=st.text(), contexts=st.lists(st.text(min_size=1), min_size=1).map(tuple))
def test_what_is_filled_in_is_taken_as_it_is(question: str, contexts: tuple[str, ...]) -> None:
    text = fill("a{question}b {x y} {contexts}c{question}", question + "{contexts}", (*contexts, "{question}%s"))
    numbered = "\n\n".join(f"[{i + 1}] {c}" for i, c in enumerate((*contexts, "{question}%s")))
    assert text == f"a{question}{{contexts}}b {{x y}} {numbered}c{question}{{contexts}}"


@pytest.mark.parametrize(
    ("template", "conditions", "says"),
    [
        ("{context} {question}", ("oracle",), "did you mean 'contexts'"),
        ("{contexts}", ("oracle",), "write {question}"),
        ("{question}", ("retrieved", "oracle"), "write {contexts}"),
        ("{question} {contexts}", ("closed_book",), "leave {contexts} out"),
        ("{question} {contexts}", ("oracle", "closed_book"), "a command of its own"),
    ],
)
def test_templates_that_do_not_fit(template: str, conditions: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_template(template, conditions)


def test_templates_that_fit() -> None:
    check_template('Say {"answer": "..."}: {question} {contexts}', ("retrieved", "oracle"))
    check_template("{question}", ("closed_book",))


# Names.

IDS = st.one_of(st.text(min_size=1), st.from_regex(r"[a:#]{1,3}#?\d?", fullmatch=True))


@given(st.lists(st.tuples(st.sampled_from(CONDITIONS), IDS, st.integers(1, 12)), unique=True))
def test_custom_ids_are_unique_and_lead_back(asked: list[tuple[str, str, int]]) -> None:
    names = [custom_id(Prompt(q, c, "?", (), "?"), repeat) for c, q, repeat in asked]
    assert len(set(names)) == len(names)
    assert [read_custom_id(name) for name in names] == [(c, q) for c, q, _ in asked]


def test_custom_ids_are_plain() -> None:
    prompt = Prompt("q1", "oracle", "?", (), "?")
    assert [custom_id(prompt, n) for n in (1, 2)] == ["oracle:q1", "oracle:q1#2"]
    assert read_custom_id("squad:12") == ("", "squad:12")


# The command.


def run(*command: object) -> Any:
    return CliRunner().invoke(main, [str(c) for c in command])


def test_prompts_with_answers_added_are_recorded_answers(here: Path) -> None:
    done = run("prompts", "corpus.jsonl", "queries.jsonl", "--run", "run.jsonl", "--no-cache", "--repeats", 2)
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["condition"], r["query_id"], r["repeat"]) for r in lines[:3]] == [
        ("retrieved", "two", 1),
        ("retrieved", "two", 2),
        ("retrieved", "one", 1),
    ]
    assert done.stderr == "no oracle prompt for 2 queries: label defect 1, unanswerable 1\n"
    answers = load_answers([str(jsonl(here / "answers.jsonl", [line | {"answer": "a"} for line in lines]))])
    assert [(a.condition, a.query_id, a.contexts, a.sufficient) for a in answers] == [
        (r["condition"], r["query_id"], tuple(r["contexts"]), r.get("sufficient")) for r in lines
    ]


def test_batch_input(here: Path) -> None:
    (here / "t.txt").write_text("{question}|{contexts}", encoding="utf-8")
    openai = ("--format", "openai", "--model", "m", "--condition", "oracle", "--template", "t.txt")
    assert run("prompts", "corpus.jsonl", "queries.jsonl", *openai, "--repeats", 2, "--out", "b.jsonl", "--quiet").output == ""
    lines = [json.loads(line) for line in (here / "b.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [r["custom_id"] for r in lines] == [f"oracle:{q}{n}" for q in ("two", "one", "whole") for n in ("", "#2")]
    assert lines[2] == {
        "custom_id": "oracle:one",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "m",
            "messages": [{"role": "user", "content": "What of one?|[1] Leave is 25 days a year."}],
            "temperature": 0,
            "max_tokens": 512,  # as a model is asked live
        },
    }


def test_queries_without_passages_are_told_of(here: Path) -> None:
    lines = [json.loads(line) for line in (here / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    jsonl(here / "run.jsonl", [{"query_id": "one", "error": "late"}, *(r for r in lines if r["query_id"] != "one")])
    (here / "corpus").mkdir()
    for name, text in DOCUMENTS:
        (here / "corpus" / name).with_suffix(".txt").write_text(text, encoding="utf-8")
    (here / "corpus" / "a.\x1b[2J").touch()
    command = ("prompts", "corpus.jsonl", "queries.jsonl", "--run", "run.jsonl", "--no-cache", "--condition", "retrieved")
    assert run(*command).stderr == "note: 1 queries failed in the run: their prompts hold no passages\n"
    assert run(*command, "--quiet").stderr == ""
    done = run("prompts", "corpus", "queries.jsonl", "--condition", "closed_book")
    assert "note: files of other kinds left out: .\\x1b[2j 1\n" in done.stderr


def test_nothing_is_diagnosed_for_prompts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragdiag.pipeline.named", None)
    assert made(conditions=["retrieved"], retriever="bm25")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--format", "openai"), "--model"),
        (("--model", "m"), "--format openai and anthropic need the name of a --model"),
        (("--format", "anthropic"), "--model"),
        (("--out", "queries.jsonl"), "--out queries.jsonl would overwrite"),
        (("--template", "empty.txt"), "empty"),
        (("--template", "absent.txt"), "cannot be read"),
    ],
)
def test_usage(here: Path, options: tuple[str, ...], says: str) -> None:
    (here / "empty.txt").write_text("\n")
    done = run("prompts", "corpus.jsonl", "queries.jsonl", "--condition", "oracle", *options)
    assert (done.exit_code, done.stdout) == (2, "") and says in done.stderr
