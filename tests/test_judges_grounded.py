"""Whether contexts hold what an answer states: pairs worked by hand, and the public set's answers against its own evidence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.answering.judges.grounded import Grounded
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import make

DATA = Path(__file__).parents[2] / "shared" / "data" / "hotpot100"
CONTEXT = (
    "Harbour Foods AG was founded in Bergen in 1971. In fiscal 2023 its revenue was $4.2 billion, up from $4.0 billion in 2022.",
    "Its chief executive is Marta Lund, who joined the company from Nordic Freight.",
)


def opinion(answer: str, contexts: tuple[str, ...] = CONTEXT, question: str = "How is Harbour Foods doing?") -> Opinion | None:
    (found,) = Grounded().judge([(Query("q", question), Answer("q", "retrieved", answer, contexts=contexts))], None, no_progress)
    return found


@pytest.mark.parametrize(
    "answer",
    [
        "Marta Lund",
        "$4,200 million",
        "Revenue was $4.2 billion in fiscal 2023.",
        "Revenue rose by $0.2 billion, from $4.0 billion to $4.2 billion, which is 5%.",
        "Harbour Foods is led by Marta Lund, who joined from Nordic Freight.",
        "It was founded in 1971 in Bergen.",
        "Answer: Fiscal 2023",
        "Revenue was $4.2 billion [12], as filed (source: doc 14).",
        "1. It was founded in Bergen.\n2. Marta Lund is its chief executive [3, 4].",
        "Yes. Founded in one of 2 cities: Bergen.",
    ],
)
def test_what_the_context_holds(answer: str) -> None:
    found = opinion(answer)
    assert found is not None and found.correct, found


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ("Erik Solberg", "Erik"),
        ("Revenue was $5.7 billion in fiscal 2023.", "$5.7 billion"),
        ("It was founded in 1968 in Bergen.", "1968"),
        ("Its chief executive, Marta Lund, lives in Oslo.", "Oslo"),
        ("Revenue rose by 12%, from $4.0 billion to $4.2 billion.", "12%"),
        ("Weather and seasonal tourism explain strong autumn demand everywhere.", "of the words of"),
    ],
)
def test_what_it_does_not_hold(answer: str, missing: str) -> None:
    found = opinion(answer)
    assert found is not None and not found.correct
    assert missing in found.why


@pytest.mark.parametrize("answer", ["Yes.", "no", "", "The context does not mention its debt."])
def test_what_states_nothing_gets_no_opinion(answer: str) -> None:
    assert opinion(answer) is None


def test_without_contexts_there_is_no_opinion() -> None:
    assert opinion("Marta Lund", ()) is None


def test_words_of_the_question_may_be_repeated() -> None:
    found = opinion("Tidewater bought Harbour Foods", question="When was Harbour Foods bought by Tidewater?")
    assert found is not None and found.correct


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "Zs")), max_size=200))
def test_a_text_holds_what_it_states_itself(text: str) -> None:
    found = opinion(text, (text,))
    assert found is None or found.correct


def test_it_is_a_judge_like_the_others() -> None:
    assert make("judges", "grounded(words=0.3)") == Grounded(0.3)
    with pytest.raises(SpecError, match="words must be from 0 to 1"):
        make("judges", "grounded(words=2)")


def held(name: str) -> list[bool | None]:
    """Whether the labelled documents of each query hold its recorded answer."""
    read = {
        p: [json.loads(each) for each in (DATA / p).read_text(encoding="utf-8").split("\n") if each]
        for p in ("corpus.jsonl", "queries.jsonl", name)
    }
    texts = {d["_id"]: f"{d['title']} {d['text']}" for d in read["corpus.jsonl"]}
    queries = {q["_id"]: q for q in read["queries.jsonl"]}
    asked = []
    for row in read[name]:
        query = queries[row["query_id"]]
        contexts = tuple(texts[d] for d in dict.fromkeys(e["doc_id"] for e in query["evidence"]))
        asked.append(
            (Query(query["_id"], query["text"]), Answer(query["_id"], "oracle", str(row["answer"] or ""), contexts=contexts))
        )
    return [None if o is None else o.correct for o in Grounded().judge(asked, None, no_progress)]


@pytest.mark.skipif(not DATA.exists(), reason="the public sets are not here")
def test_answers_made_from_a_text_are_told_from_answers_made_from_memory() -> None:
    """Of 95 answers made with the gold passages 1 is called unsupported by them, of 94 made without any passage 40."""
    from_text, from_memory = held("answers/cot_gold_context_trial1.jsonl"), held("answers/cot_closed_book_trial1.jsonl")
    assert from_text.count(False) <= 2 and from_text.count(True) >= 90
    assert from_memory.count(False) >= 38
