"""Several reference answers: read from every format that has them, judged by any, shown, and kept wherever a query goes."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.answering.judges._references import by_any, readings
from ragdiag.answering.judges.matcher import Matcher
from ragdiag.api import litmus
from ragdiag.cli import main
from ragdiag.core.errors import InputError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Corpus, Document, Query, Span
from ragdiag.diagnosis.failures._words import unasked
from ragdiag.label.decisions import DecisionFile, record
from ragdiag.pipeline import inputs_of
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

NAMES = ("Mount Cook", "Aoraki")


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


SQUAD = {
    "data": [
        {
            "title": "t",
            "paragraphs": [
                {
                    "context": "Mount Cook, or Aoraki",
                    "qas": [
                        {
                            "id": "q",
                            "question": "Which peak?",
                            "answers": [{"text": "Mount Cook", "answer_start": 0}, {"text": "Aoraki", "answer_start": 15}],
                        }
                    ],
                }
            ],
        }
    ]
}
TRIVIA = {"Question": "Which peak?", "QuestionId": "t", "Answer": {"Value": "Mount Cook", "Aliases": ["Mount Cook", "Aoraki"]}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.jsonl", json.dumps({"_id": "q", "text": "Which peak?", "answer": list(NAMES)})),
        ("q.jsonl", json.dumps({"_id": "q", "text": "Which peak?", "answers": list(NAMES)})),
        ("q.jsonl", json.dumps({"_id": "q", "text": "Which peak?", "answer": NAMES[0], "answers": list(NAMES)})),
        ("q.jsonl", json.dumps({"_id": "q", "text": "Which peak?", "Answer": TRIVIA["Answer"]})),
        ("q.json", json.dumps(SQUAD)),
        ("q.jsonl", json.dumps({"question": "Which peak?", "answer": list(NAMES)})),  # NQ open
        ("q.json", json.dumps([{"question": "Which peak?", "answers": list(NAMES), "positive_ctxs": []}])),  # DPR
        ("q.json", json.dumps({"Data": [TRIVIA], "Version": 1.0})),
        ("q.jsonl", json.dumps({"question_id": "t", "question": "Which peak?", "answer": {"value": NAMES[0], "aliases": NAMES}})),
        ("q.jsonl", json.dumps({"id": "k", "input": "Which peak?", "output": [{"answer": n} for n in NAMES]})),  # KILT
        ("q.jsonl", json.dumps({"id": "s", "question": "Which peak?", "answers": {"text": NAMES, "answer_start": [0, 15]}})),
        ("q.jsonl", json.dumps({"user_input": "Which peak?", "reference": list(NAMES)})),
        ("q.jsonl", json.dumps({"question": "Which peak?", "ground_truths": list(NAMES), "answer": "K2"})),
    ],
)  # fmt: skip
def test_every_format_gives_all_of_them(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    (query,) = load_queries(path)
    assert (query.text, query.answer, query.answers) == ("Which peak?", "Mount Cook", NAMES)


def test_simplified_aliases_count_where_they_add_one(tmp_path: Path) -> None:
    answer = {
        "Value": "St. John's",
        "Aliases": ["Saint Johns"],
        "NormalizedAliases": ["st johns", "saint johns", "city of legends"],
    }
    (query,) = load_queries(jsonl(tmp_path / "q.jsonl", {"Question": "Where?", "QuestionId": "t", "Answer": answer}))
    assert query.answers == ("St. John's", "Saint Johns", "city of legends")


def test_a_lone_text_beside_a_question_is_no_reference(tmp_path: Path) -> None:
    """It may be what a system said, as in ragas's old records of a run."""
    with pytest.raises(InputError, match="no known format"):
        load_queries(jsonl(tmp_path / "q.jsonl", {"question": "Which peak?", "answer": "K2", "contexts": ["x"]}))


def test_an_answer_is_right_by_any_of_them_and_the_reason_says_which(tmp_path: Path) -> None:
    queries = [{"_id": "q", "text": "Which peak is the highest?", "answers": list(NAMES)}]
    said = {"retrieved": "It is Aoraki, in the Southern Alps.", "oracle": "It is Mount Cook.", "closed_book": "It is K2."}
    rows = [{"query_id": "q", "condition": c, "answer": a} for c, a in said.items()]
    found = litmus(queries, rows)
    assert [j.right for j in found.judgements] == [True, True, False]
    assert found.judgements[0].why.startswith("reference 2 of 2, 'Aoraki': ")
    assert found.judgements[2].why.startswith("none of 2 references matches; the first, 'Mount Cook': ")
    files = [str(jsonl(tmp_path / "q.jsonl", *queries)), "--answers", str(jsonl(tmp_path / "a.jsonl", *rows))]
    shown = json.loads(CliRunner().invoke(main, ["litmus", *files, "--json", "-"]).stdout)
    assert "reference 2 of 2, 'Aoraki'" in shown["judgements"][0]["why"]


def test_one_reference_is_told_as_before() -> None:
    (opinion,) = Matcher("free").judge([(Query("q", "Who?", "Ada"), Answer("q", "oracle", "Ada"))], None, no_progress)
    assert opinion is not None
    assert opinion._replace(p=None) == Opinion(True, "the same as the reference", rule="same_as_written")


def test_each_round_asks_only_about_what_is_still_open() -> None:
    calls: list[list[str]] = []

    def judge(pairs: Sequence[tuple[Query, Answer]]) -> list[Opinion | None]:
        calls.append([f"{q.id} {q.answer}" for q, _ in pairs])
        return [Opinion(q.answer == a.answer, "compared") for q, a in pairs]

    queries = [Query("a", "?", "1", also=("2", "3")), Query("b", "?", "x", also=("y",)), Query("c", "?"), Query("d", "?", "z")]
    said = ["2", "x", "1", "z"]
    asked = [(q, Answer(q.id, "oracle", s)) for q, s in zip(queries, said, strict=True)]
    asked.append((queries[0], Answer("a", "oracle", "", failed=True)))
    assert [o and o.correct for o in by_any(asked, judge)] == [True, True, None, True, None]
    assert calls == [["a 1", "b x", "d z"], ["a 2"]]


def test_what_one_reference_could_not_tell_is_not_wrong_by_the_others() -> None:
    def judge(pairs: Sequence[tuple[Query, Answer]]) -> list[Opinion | None]:
        return [None if q.answer == "lost" else Opinion(q.answer == a.answer, "compared") for q, a in pairs]

    query = Query("q", "?", "lost", also=("1",))
    asked = [(query, Answer("q", "oracle", said)) for said in ("1", "2")]
    assert [o and o.correct for o in by_any(asked, judge)] == [True, None]


def test_more_references_never_make_a_right_answer_wrong() -> None:
    base = Query("q", "Who led it?", "Ada Bell")
    for said in ("Ada Bell led it.", "It was Bell.", "I cannot say.", "Cy Dorn", "Bo"):
        one = Matcher("free").judge([(base, Answer("q", "oracle", said))], None, no_progress)[0]
        more = Matcher("free").judge(
            [(dataclasses.replace(base, also=("Bo", "Cy")), Answer("q", "oracle", said))], None, no_progress
        )[0]
        assert one is not None and more is not None and more.correct >= one.correct


def test_short_answers_with_several_references_are_not_compared_as_a_whole() -> None:
    """One reference for each query is how sets compared mark by mark are made; a list says that the form does not count."""
    asked = [(Query("q", "Where?", "Beijing", also=also), Answer("q", "oracle", "Beijing, China")) for also in ((), ("Peking",))]
    whole, free = ([o and o.correct for o in Matcher("auto").judge(pairs * 2, None, no_progress)] for pairs in (asked[:1], asked))
    assert (whole, free) == ([False] * 2, [True] * 4)


def test_labelling_keeps_them_all(tmp_path: Path) -> None:
    documents = (Document("d", "Aoraki is high."),)
    line = record(Query("q", "Which?", NAMES[0], also=NAMES[1:]), [[Span(0, 0, 6)]], documents)
    assert line["answers"] == list(NAMES)
    assert "answer" in record(Query("q", "Which?", "Aoraki"), [[Span(0, 0, 6)]], documents)
    file = DecisionFile(tmp_path / "out.jsonl")
    file.put(line)
    assert DecisionFile(tmp_path / "out.jsonl").queries["q"].answers == NAMES


def test_explain_shows_them_all(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "corpus.jsonl", {"_id": "d", "text": "Aoraki is a high peak."})
    label = {
        "_id": "q",
        "text": "Which peak?",
        "answers": list(NAMES),
        "evidence": [{"doc_id": "d", "text": "Aoraki is a high peak."}],
    }
    queries = jsonl(tmp_path / "queries.jsonl", label)
    asked = ["explain", str(corpus), str(queries), "q", "--retriever", "bm25", "--no-cache"]
    assert "Mount Cook or Aoraki" in CliRunner().invoke(main, asked).stdout
    shown = json.loads(CliRunner().invoke(main, [*asked, "--json", "-"]).stdout)
    assert (shown["query"]["answer"], shown["query"]["answers"]) == (NAMES[0], list(NAMES))


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("copper (Cu)", ["copper (Cu)", "copper"]),
        ("salt or sugar", ["salt or sugar", "salt", "sugar"]),
        ("It fell by 8 % (or more).", ["It fell by 8 % (or more)."]),
        ("Oslo, or Bergen", ["Oslo, or Bergen"]),
        ("(x)", ["(x)"]),
    ],
)
def test_readings(reference: str, meant: list[str]) -> None:
    assert readings(reference) == meant


def test_references_given_in_python(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"_id": "q", "text": "Which?", "answers": np.array(NAMES, dtype=object)}]
    found = litmus(rows, [{"query_id": "q", "condition": "oracle", "answer": "Aoraki"}])
    assert [j.right for j in found.judgements] == [True]


def test_words_of_any_short_answer_are_not_what_a_query_could_have_asked_for() -> None:
    setting = SimpleNamespace(text=lambda span: "Aoraki towers above glaciers", language="english")
    query = Query("q", "Which peak?", NAMES[0], also=NAMES[1:])
    assert unasked(SimpleNamespace(query=query, setting=setting), None) == ["towers", "glaciers"]  # type: ignore[arg-type]


def test_other_references_are_another_set_of_queries() -> None:
    corpus = Corpus((Document("d", "Aoraki is high."),))
    alone, also, other = (Query("q", "?", "Mount Cook", also=names) for names in ((), ("Aoraki",), ("K2",)))
    hashes = {inputs_of(corpus, locate([query], corpus))["queries_sha256"] for query in (alone, also, other)}
    assert len(hashes) == 3


def test_one_id_with_other_references_is_refused(tmp_path: Path) -> None:
    rows = [{"_id": "q", "text": "Which?", "answers": list(names)} for names in (NAMES, NAMES[:1])]
    with pytest.raises(InputError, match="stands with other content"):
        load_queries(jsonl(tmp_path / "q.jsonl", *rows))
