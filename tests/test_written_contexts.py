"""Texts that somebody wrote for chunks: which chunk each goes with, what is said of the rest, what tells two sets apart."""

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.comparing.comparison import compare
from ragdiag.core.errors import InputError, RagdiagError, SpecError, UsageError
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Chunking, Corpus, Document
from ragdiag.core.registry import make
from ragdiag.pipeline import audit
from ragdiag.search.contexts._written import Text, Written

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (FIXTURES / "tiny", FIXTURES / "tiny" / "queries.jsonl")

PUMP = Document("pump", "It is greased twice a year. Use blue grease.\n\nThe valve opens at six bar.", "Pump")
"""Chunks at 0-28, 28-46 and 46-73, with the space behind each."""
CUTS = [(0, 28), (28, 46), (46, 73)]

Lines = Callable[..., str]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Writes records as the file of a context; its spec."""

    def write(*records: object, place: str = "before", name: str = "said.jsonl") -> str:
        text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return f"file(path={(tmp_path / name).as_posix()!r}, place={place})"

    return write


def chunked(*spans: tuple[int, int], ids: tuple[str, ...] = ()) -> tuple[Corpus, Chunking]:
    columns = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return Corpus((PUMP,)), Chunking(np.zeros(len(spans), dtype=np.int64), columns[:, 0], columns[:, 1], ids)


def told(spec: str, *spans: tuple[int, int], ids: tuple[str, ...] = ()) -> Any:
    return make("contexts", spec).told(*chunked(*spans, ids=ids), None, no_progress)


def indexed(context: Any, *spans: tuple[int, int]) -> list[str]:
    columns = np.array(spans, dtype=np.int64).reshape(-1, 2)
    texts: list[str] = context.texts(PUMP, columns[:, 0], columns[:, 1])
    return texts


# Which chunk a text goes with


def test_a_text_stands_before_the_chunk_that_it_is_about_or_after_it(lines: Lines) -> None:
    record = {"doc_id": "pump", "start": 28, "end": 46, "text": "On grease."}
    assert indexed(told(lines(record), *CUTS), *CUTS) == [
        "It is greased twice a year. ",
        "On grease.\n\nUse blue grease.\n\n",
        "The valve opens at six bar.",
    ]
    (after,) = indexed(told(lines(record, place="after"), *CUTS), (28, 46))
    assert after == "Use blue grease.\n\n\n\nOn grease."


def test_space_round_a_chunk_does_not_matter_and_several_texts_stand_in_the_order_of_the_file(lines: Lines) -> None:
    spec = lines(
        {"doc_id": "pump", "start": 28, "end": 44, "text": "How is it greased?"},
        {"doc_id": "pump", "text": "All about pumps."},
        {"doc_id": "pump", "start": 28, "end": 46, "text": "What colour?"},
    )
    assert indexed(told(spec, *CUTS), (28, 46)) == ["All about pumps.\nHow is it greased?\nWhat colour?\n\nUse blue grease.\n\n"]


def test_a_text_about_a_document_goes_with_each_of_its_chunks(lines: Lines) -> None:
    context = told(lines({"doc_id": "pump", "text": "A manual."}), *CUTS)
    assert [text.partition("\n\n")[0] for text in indexed(context, *CUTS)] == ["A manual."] * 3
    assert context.notes == ()


@pytest.mark.parametrize("named", ["mine-2", "pump#28-46"])
def test_a_chunk_is_named_by_the_teams_id_or_by_that_of_reports(lines: Lines, named: str) -> None:
    context = told(lines({"chunk_id": named, "text": "On grease."}), *CUTS, ids=("mine-1", "mine-2", "mine-3"))
    assert indexed(context, *CUTS)[1].startswith("On grease.\n\n")
    assert context.notes == ("2 of 3 chunks have no text in said.jsonl, and are indexed without one",)


def test_texts_for_other_bounds_go_where_half_of_the_shorter_lies_and_that_is_said(lines: Lines) -> None:
    spec = lines(
        {"doc_id": "pump", "start": 0, "end": 28, "text": "one"},
        {"doc_id": "pump", "start": 28, "end": 46, "text": "two"},
        {"doc_id": "pump", "start": 46, "end": 73, "text": "three"},
    )
    context = told(spec, (0, 46), (46, 60), (60, 73))
    assert [t.partition("\n\n")[0] for t in indexed(context, (0, 46), (46, 60), (60, 73))] == ["one\ntwo", "three", "three"]
    assert context.notes == ("3 of 3 chunks have texts in said.jsonl that were written for other bounds",)
    # A window that a diagnosis tries keeps the text of the chunk that it lies in, and half of two chunks has one of their texts.
    assert indexed(context, (5, 20))[0].startswith("one\n\n")
    assert indexed(context, (14, 37))[0].partition("\n\n")[0] in ("one", "one\ntwo")


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8), data=st.data())
def test_a_window_over_chunks_with_texts_is_never_without_one(cuts: list[int], data: st.DataObject) -> None:
    bounds = np.cumsum([0, *cuts]).tolist()
    document = Document("d", "x" * bounds[-1])
    texts = [Text("d", a, b, f"{i}") for i, (a, b) in enumerate(itertools.pairwise(bounds))]
    start = data.draw(st.integers(0, bounds[-1] - 1))
    end = data.draw(st.integers(start + 1, bounds[-1]))
    written = Written(texts, "before")
    (text,) = written.texts(document, np.array([start]), np.array([end]))
    said = [int(i) for i in text.partition("\n\n")[0].split("\n")] if "\n\n" in text else []
    assert said
    for i in said:  # and each of its texts is about something in it
        assert bounds[i] < end and start < bounds[i + 1]
    for i, (a, b) in enumerate(itertools.pairwise(bounds)):
        (own,) = written.texts(document, np.array([a]), np.array([b]))
        assert own == f"{i}\n\n{'x' * (b - a)}"


# What is said of the rest


def test_chunks_without_a_text_and_texts_without_a_chunk_are_counted(lines: Lines) -> None:
    spec = lines(
        {"doc_id": "pump", "start": 0, "end": 28, "text": "one"},
        {"doc_id": "elsewhere", "start": 0, "end": 28, "text": "two"},
        {"chunk_id": "nobody", "doc_id": "pump", "text": "three"},
    )
    context = told(spec, *CUTS)
    assert context.notes == (
        "2 of 3 chunks have no text in said.jsonl, and are indexed without one",
        "2 of 3 texts in said.jsonl are about no chunk that is indexed",
    )
    assert indexed(context, *CUTS)[1:] == ["Use blue grease.\n\n", "The valve opens at six bar."]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"doc_id": "pump", "start": 0, "end": 28}, "said.jsonl:2: field 'text' is missing"),
        ({"doc_id": "pump", "start": 0, "text": "x"}, "said.jsonl:2: field 'end' is missing"),
        ({"doc_id": "pump", "start": "0", "end": 28, "text": "x"}, "said.jsonl:2: 'start' must be int"),
        ({"doc_id": "pump", "start": 28, "end": 28, "text": "x"}, "said.jsonl:2: a text is about characters 28 to 28"),
        ({"doc_id": "pump", "start": 0, "end": 99, "text": "x"}, "said.jsonl:2: the text is about characters 0 to 99"),
        ({"doc_id": "pump", "start": 0, "end": 28, "text": " "}, "said.jsonl:2: 'text' is empty"),
        ({"text": "x"}, "said.jsonl:2: field 'doc_id' is missing"),
        ({"doc_id": "pump", "chunkid": "x", "text": "x"}, "did you mean 'chunk_id'"),
        ("{'doc_id'}", "said.jsonl:2: "),
    ],
)
def test_a_malformed_line_is_one_error_with_its_place(lines: Lines, record: object, says: str) -> None:
    spec = lines({"doc_id": "pump", "text": "fine"}, record)
    with pytest.raises(InputError) as e:
        told(spec, *CUTS)
    assert says in str(e.value)
    assert "\n" not in str(e.value)


def test_a_file_about_other_chunks_or_of_nothing_is_an_error(lines: Lines) -> None:
    with pytest.raises(InputError, match="none of its 1 text is about any of 3 chunks"):
        told(lines({"doc_id": "Pump.md", "text": "x"}), *CUTS)
    with pytest.raises(InputError, match="has no texts"):
        told(lines(), *CUTS)
    with pytest.raises(InputError, match="cannot be read"):
        told("file(path='nowhere.jsonl')", *CUTS)
    with pytest.raises(SpecError, match="path is empty"):
        make("contexts", "file(path='')")


# In an audit


def records(corpus: Path, text: Callable[[dict[str, Any]], str]) -> list[dict[str, str]]:
    documents = [json.loads(line) for line in (corpus / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{"doc_id": d.get("doc_id", d.get("_id", d.get("id"))), "text": text(d)} for d in documents]


def test_an_audit_searches_the_texts_and_tells_two_files_apart(lines: Lines, tmp_path: Path) -> None:
    queries = [json.loads(line) for line in TINY[1].read_text(encoding="utf-8").splitlines() if line.strip()]
    words = " ".join(q.get("text") or q.get("query") for q in queries)
    plain = audit(*TINY, retriever="bm25", k=1, cache=None)
    same = audit(*TINY, retriever="bm25", k=1, cache=None, context=lines(*records(TINY[0], lambda d: words)))
    other = audit(*TINY, retriever="bm25", k=1, cache=None, context=lines(*records(TINY[0], lambda d: d["text"]), name="b.jsonl"))
    assert len({plain.signature, same.signature, other.signature}) == 3
    spec = lines(*records(TINY[0], lambda d: words + "."))
    assert audit(*TINY, retriever="bm25", k=1, cache=None, context=spec).signature != same.signature  # the same path


def test_what_is_not_covered_is_noted_in_the_report(lines: Lines) -> None:
    spec = lines(records(TINY[0], lambda d: "About it.")[0])
    notes = audit(*TINY, retriever="bm25", cache=None, context=spec).notes
    assert any("chunks have no text in said.jsonl, and are indexed without one" in note for note in notes)


def test_a_comparison_knows_a_file_that_changed(lines: Lines, tmp_path: Path) -> None:
    def cells(text: str) -> list[str]:
        spec = lines(*records(TINY[0], lambda d: text))
        made = compare(*TINY, contexts=["none", spec], retriever="bm25", cache=tmp_path / "cache", jobs=1)
        return [cell.signature for cell in made.cells]

    first, again, changed = cells("one"), cells("one"), cells("two")
    assert first == again
    assert first[0] == changed[0] and first[1] != changed[1]


# A function


TEAM = """
asked = []

def situate(document, chunk):
    asked.append((document, chunk))
    return f" {len(document)} characters, of which {len(chunk)} "

def ask(chunk):
    asked.append(chunk)
    return "" if "blue" in chunk else "What about " + chunk.split()[0] + "?"

def loud(chunk):
    raise RuntimeError("key=sk-secret")

def number(chunk):
    return 3

async def late(chunk):
    return "x"
"""


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the module `team` into the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(more: str = "") -> None:
        sys.modules.pop("team", None)
        Path("team.py").write_text(TEAM + more, encoding="utf-8")

    write()
    yield write
    sys.modules.pop("team", None)


def test_it_is_called_with_the_document_and_the_chunk_or_the_chunk_alone(team: object) -> None:
    context = told('call(function="team:situate")', *CUTS)
    assert sys.modules["team"].asked == [(PUMP.text, PUMP.text[a:b]) for a, b in CUTS]
    assert indexed(context, (28, 46)) == ["73 characters, of which 18\n\nUse blue grease.\n\n"]
    sys.modules["team"].asked.clear()
    context = told('call(function="team:ask", place=after)', *CUTS)
    assert sys.modules["team"].asked == [PUMP.text[a:b] for a, b in CUTS]
    assert indexed(context, *CUTS) == [
        "It is greased twice a year. \n\nWhat about It?",
        "Use blue grease.\n\n",
        "The valve opens at six bar.\n\nWhat about The?",
    ]
    assert context.notes[1:] == ("team:ask gave no text for 1 of 3 chunks, indexed without one",)


def test_a_window_that_is_tried_has_a_chunks_text_and_is_not_asked_for(team: object) -> None:
    context = told('call(function="team:ask")', *CUTS)
    n = len(sys.modules["team"].asked)
    assert indexed(context, (48, 70))[0].startswith("What about The?\n\n")
    assert len(sys.modules["team"].asked) == n


def test_with_a_version_a_second_audit_asks_nothing(team: Callable[[str], None], tmp_path: Path) -> None:
    def run(version: int) -> tuple[int, str]:
        team(f"\nask.version = {version}\n")
        report = audit(*TINY, retriever="bm25", cache=tmp_path / "cache", context='call(function="team:ask")')
        return len(sys.modules["team"].asked), report.signature

    (first, signature), (again, same), (new, other) = run(1), run(1), run(2)
    assert first == new > 0
    assert again == 0
    assert signature == same != other
    assert "@team:ask@1|" in signature


def test_without_a_version_it_is_asked_once_a_process_and_that_is_said(team: object, tmp_path: Path) -> None:
    report = audit(*TINY, retriever="bm25", cache=tmp_path / "cache", context='call(function="team:ask")')
    n = len(sys.modules["team"].asked)
    assert n == len(set(sys.modules["team"].asked))
    audit(*TINY, retriever="bm25", cache=tmp_path / "cache", context='call(function="team:ask")')
    assert len(sys.modules["team"].asked) == n
    assert any("team:ask states no version, so its texts are not kept from run to run" in note for note in report.notes)


@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        ("team:loud", UsageError, "context 'team:loud' raised RuntimeError"),
        ("team:number", UsageError, "context 'team:number' gave a int, not a text"),
        ("team:late", UsageError, "is asynchronous"),
        ("team:nobody", SpecError, "context 'team:nobody': team has no function 'nobody'"),
        ("no function", SpecError, "call: function must be 'module:function'"),
    ],
)
def test_a_function_that_gives_no_text_is_one_error(team: object, function: str, kind: type[RagdiagError], says: str) -> None:
    with pytest.raises(kind) as e:
        told(f'call(function="{function}")', *CUTS)
    assert says in str(e.value)
    assert "sk-secret" not in str(e.value)
