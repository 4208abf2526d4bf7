"""What a cut keeps from a context: when it proves nothing, when it is a hint, when it is a cause."""

from types import SimpleNamespace
from typing import Any

from ragdiag.core.proofs import Finding, Standing
from ragdiag.core.records import Query, Span
from ragdiag.diagnosis.losses import matters

FIRST = "Boats of guests are moored at the northern pier from May to September."
SECOND = "Whoever stays longer than a week asks the harbour master for a berth, and pays the winter fee in advance."
THIRD = "The pump house is swept on Fridays."


def told(query: str, sentences: tuple[str, ...], kept: str, answer: str = "") -> Finding:
    """What is left of a proved cut of a page of `sentences`, of which the context has `kept` and another chunk the rest."""
    text = " ".join(sentences)
    at = text.index(kept)
    chunks = [Span(0, at, at + len(kept)), Span(0, 0, at), Span(0, at + len(kept), len(text))]
    setting: Any = SimpleNamespace(
        text=lambda span: text[span.start : span.end], span=lambda c: chunks[c], overlapping=lambda _: [0, 1, 2]
    )
    group = SimpleNamespace(spans=(Span(0, 0, len(text)),))
    case: Any = SimpleNamespace(
        query=Query("q", query, answer, ()),
        groups=(group,),
        targets=(group,),
        context=[0],
        setting=setting,
        holder=lambda _: None,
    )
    before, after = Standing(9, False), Standing(1, True)
    return matters(case, Finding("chunk_split", 1, "made whole", before, after, "overlap", proved=True, rows=()))


def test_a_cut_that_loses_most_of_a_reference_answer_is_a_cause() -> None:
    found = told("long stays of guests", (FIRST, SECOND), FIRST, "ask the harbour master for a berth, pay the winter fee")
    assert found.proved and not found.residual


def test_a_cut_proves_nothing_where_a_chunk_of_the_context_has_most_of_the_answer() -> None:
    found = told("guests", (FIRST, SECOND), FIRST, "boats are moored at the northern pier, May to September, for a fee")
    assert not found.proved and found.detail["hardly_lost"]
    assert found.control is not None and "of the reference answer's words" in found.control.says


def test_without_an_answer_whole_sentences_with_no_word_of_the_question_are_no_loss() -> None:
    assert not told("where are boats of guests moored", (FIRST, THIRD), FIRST).proved
    assert told("where are boats moored, and when is the pump house swept", (FIRST, THIRD), FIRST).proved, (
        "the question asks for it"
    )
    assert told("where are boats of guests moored", (FIRST, SECOND), FIRST).proved, "most of the passage is lost"
    assert told("where are boats of guests moored", (FIRST, THIRD), FIRST[:-14]).proved, "a sentence is cut in two"


def test_without_an_answer_a_cut_is_a_hint() -> None:
    found = told("what do long stays cost in winter", (FIRST, SECOND), FIRST)
    assert found.proved and found.residual
    assert [row.label for row in found.rows or ()] == ["hint"]
