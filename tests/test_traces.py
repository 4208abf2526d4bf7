"""Recorded traces as runs: what each tracer writes, what the stages of a question are, and which query it is."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import ragdiag
from ragdiag.core.errors import InputError
from ragdiag.core.records import Query
from ragdiag.results import AuditResult
from ragdiag.search.recorded import recorded
from ragdiag.search.runs import Ranking, Rankings

FERRY = "The ferry to the island leaves at nine in the morning and takes an hour."
PARKING = "Parking behind the harbour is free of charge on Sundays and on holidays."
MUSEUM = "The museum of the town is closed on Mondays from October until April."
LOST = "Lost property is kept for one month at the desk of the harbour office."
TEXTS = {"ferry": FERRY, "parking": PARKING, "museum": MUSEUM, "lost": LOST}
NAMES = {text: name for name, text in TEXTS.items()}

QUESTION = "When does the ferry leave?"
QUERIES = [Query("q1", QUESTION), Query("q2", "Is the museum open?")]

START = 1_767_225_600  # 2026-01-01T00:00:00Z


def write(path: Path, *records: object, lines: bool = True) -> Path:
    path.write_text("\n".join(map(json.dumps, records)) + "\n" if lines else json.dumps(list(records), indent=1))
    return path


def read(tmp_path: Path, *records: object, queries: Sequence[Query] = QUERIES, lines: bool = True) -> Rankings:
    return recorded(write(tmp_path / "trace", *records, lines=lines), queries)


def stages(ranking: Ranking) -> dict[str, list[str]]:
    """The stages, each with the names of its chunks; a ranking without stages as found."""
    held = dict(ranking.stages) or {"found": ranking.chunks}
    return {stage: [NAMES.get(chunk.text, chunk.text or chunk.id) for chunk in chunks] for stage, chunks in held.items()}


def only(ran: Rankings) -> dict[str, list[str]]:
    (ranking,) = ran.rankings
    assert not ranking.failed
    return stages(ranking)


# Spans of OpenInference, by hand


def documents(prefix: str, names: Sequence[str]) -> dict[str, object]:
    """Attributes of documents, as the instrumentations write them."""
    found: dict[str, object] = {}
    for i, name in enumerate(names):
        found[f"{prefix}.{i}.document.content"] = TEXTS.get(name, name)
        found[f"{prefix}.{i}.document.metadata"] = json.dumps({"source": f"docs/{name}.md"})
        found[f"{prefix}.{i}.document.score"] = 0.5
    return found


def span(
    kind: str, own: str, parent: str | None = None, at: float = 0, trace: str = "t", error: bool = False, **attributes: object
) -> dict[str, Any]:
    """A span as the Python exporter writes it; ``input_value`` stands for ``input.value``."""
    plain = {name.replace("_value", ".value"): value for name, value in attributes.items() if name != "more"}
    more: Any = attributes.get("more", {})
    return {
        "name": own,
        "context": {"trace_id": trace, "span_id": f"{trace}-{own}"},
        "parent_id": parent and f"{trace}-{parent}",
        "start_time": f"2026-01-01T00:00:{at:09.6f}Z",
        "status": {"status_code": "ERROR" if error else "OK"},
        "attributes": {"openinference.span.kind": kind, **plain, **more},
    }


def retriever(own: str, names: Sequence[str], parent: str | None = None, at: float = 1, **more: Any) -> dict[str, Any]:
    given: Any = {"input_value": QUESTION} | more
    return span("RETRIEVER", own, parent, at, more=documents("retrieval.documents", names), **given)


def reranker(own: str, given: Sequence[str], gave: Sequence[str], parent: str | None = None, at: float = 2) -> dict[str, Any]:
    both = documents("reranker.input_documents", given) | documents("reranker.output_documents", gave)
    return span("RERANKER", own, parent, at, more=both | {"reranker.query": QUESTION})


def llm(own: str, prompt: str, parent: str | None = None, at: float = 3, **more: Any) -> dict[str, Any]:
    return span("LLM", own, parent, at, more={"llm.input_messages.0.message.content": prompt}, **more)


def chain(own: str = "root", question: object = QUESTION, at: float = 0, **more: Any) -> dict[str, Any]:
    return span("CHAIN", own, None, at, input_value=question if isinstance(question, str) else json.dumps(question), **more)


def test_a_retriever_a_reranker_and_a_prompt_are_stages(tmp_path: Path) -> None:
    ran = read(
        tmp_path,
        llm("answer", f"Use this:\n{LOST}\n\n{FERRY}\nQuestion: {QUESTION}", "root"),
        reranker("rank", ["ferry", "parking", "lost"], ["lost", "parking", "ferry"], "root"),
        retriever("search", ["ferry", "parking", "museum", "lost"], "root"),
        chain(question=f"  {QUESTION.replace(' ', '  ')}\n"),
    )
    assert only(ran) == {
        "found": ["ferry", "parking", "museum", "lost"],
        "filtered": ["ferry", "parking", "lost"],
        "reranked": ["lost", "parking", "ferry"],
        "prompted": ["lost", "ferry"],
    }
    assert ran.notes == ()
    assert [chunk.doc_id for chunk in ran.rankings[0].chunks] == ["docs/lost.md", "docs/ferry.md"]


@pytest.mark.parametrize("lines", [True, False])
def test_a_trace_is_one_json_value_or_lines(lines: bool, tmp_path: Path) -> None:
    ran = read(tmp_path, chain(), retriever("search", ["ferry", "lost"], "root"), lines=lines)
    assert only(ran) == {"found": ["ferry", "lost"]}
    assert ran.rankings[0].listed and not ran.rankings[0].stages


def test_every_way_to_write_spans(tmp_path: Path) -> None:
    """What Phoenix's REST gives, with pages; rows of its data frame; nested attributes; OTLP in either spelling."""
    flat = retriever("search", ["ferry", "lost"])
    nested = [{"document": {"content": TEXTS[name], "metadata": {"source": f"{name}.md"}}} for name in ("ferry", "lost")]
    rest = {k: v for k, v in flat.items() if k != "status"} | {"span_kind": "RETRIEVER", "status_code": "OK", "events": []}
    row = {
        "context.span_id": "s",
        "context.trace_id": "t",
        "parent_id": None,
        "span_kind": "RETRIEVER",
        "start_time": START * 1000,
        "attributes.input.value": QUESTION,
        "attributes.retrieval.documents": [{"document.content": FERRY, "document.score": 0.9}, {"document.content": LOST}],
        "attributes.llm.model_name": None,
    }
    tree = {"retrieval": {"documents": nested}, "input": {"value": QUESTION}}
    deep = {"spanId": "s", "traceId": "t", "span_kind": "RETRIEVER", "attributes": tree}
    camel = {"spanId": "s", "traceId": "t", "parentSpanId": "", "startTimeUnixNano": f"{START}000000000", "status": {"code": 1}}
    snake = {"span_id": "s", "trace_id": "t", "start_time_unix_nano": START * 10**9, "status": {"code": 1}}

    def pairs(string: str) -> list[object]:
        """OTLP's attributes, whose type has that name."""
        others = {"array_value": None, "int_value": None} if "_" in string else {}  # Phoenix writes all types
        return [{"key": key, "value": {**others, string: str(value)}} for key, value in flat["attributes"].items()]

    otlp = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [camel | {"attributes": pairs("stringValue")}]}]}]}
    for record in (
        flat,
        {"data": [rest], "next_cursor": None},
        row,
        deep,
        {"traceId": "t", "spans": [rest]},
        otlp,
        {"data": [snake | {"attributes": pairs("string_value")}]},
    ):
        for lines in (True, False):
            assert only(read(tmp_path, record, lines=lines)) == {"found": ["ferry", "lost"]}, record
    (tmp_path / "trace").write_text(json.dumps(otlp, indent=2))
    assert only(recorded(tmp_path / "trace", QUERIES)) == {"found": ["ferry", "lost"]}


# What is a stage


def test_a_retriever_round_one_other_is_a_filter_or_a_reranker_by_what_it_does_elsewhere(tmp_path: Path) -> None:
    """It keeps the order for the first question and changes it for the second: so it reranks. One that never does filters."""

    def traced(outer: str, trace: str, question: str, kept: Sequence[str]) -> list[dict[str, Any]]:
        inner = retriever("inner", ["ferry", "parking", "museum"], outer, trace=trace, input_value=question)
        return [inner, retriever(outer, kept, None, 0, trace=trace, input_value=question)]

    first = traced("compression", "a", QUERIES[0].text, ["ferry", "parking"])
    one, two = read(tmp_path, *first, *traced("compression", "b", QUERIES[1].text, ["museum", "ferry"])).rankings
    assert stages(one) == {"found": ["ferry", "parking", "museum"], "reranked": ["ferry", "parking"]}
    assert stages(two) == {"found": ["ferry", "parking", "museum"], "reranked": ["museum", "ferry"]}
    assert only(read(tmp_path, *first)) == {"found": ["ferry", "parking", "museum"], "filtered": ["ferry", "parking"]}


def test_a_filter_is_a_stage_of_all_questions_or_of_none(tmp_path: Path) -> None:
    """It dropped something for the first, and nothing for the second: that it had all is told of both."""
    found = ["ferry", "museum", "lost"]
    one = [chain(trace="a"), retriever("s", found, "root", trace="a"), reranker("r", found[:2], found[:1], "root")]
    one[2]["context"]["trace_id"], one[2]["parent_id"] = "a", "a-root"
    two = [
        chain(question=QUERIES[1].text),
        retriever("s", found, "root", input_value="?"),
        reranker("r", found, ["lost"], "root"),
    ]
    first, second = read(tmp_path, *one, *two).rankings
    assert [stages(each)["filtered"] for each in (first, second)] == [found[:2], found]
    assert only(read(tmp_path, *two)) == {"found": found, "reranked": ["lost"]}


def test_of_an_ensemble_the_outermost_counts_and_a_wrapper_that_makes_its_own_texts_is_what_was_found(tmp_path: Path) -> None:
    arms = [retriever("dense", ["ferry", "lost"], "all", 1), retriever("sparse", ["museum", "ferry"], "all", 2)]
    ran = read(tmp_path, *arms, retriever("all", ["ferry", "museum", "lost"], None, 0))
    assert only(ran) == {"found": ["ferry", "museum", "lost"]}
    parent = read(tmp_path, retriever("small", ["ferry"], "big", 1), retriever("big", ["parking", "ferry"], None, 0))
    assert only(parent) == {"found": ["parking", "ferry"]}


def test_a_search_is_told_by_what_is_round_it_or_inside_of_it(tmp_path: Path) -> None:
    """LlamaIndex's inner half of a retriever has objects for documents; a span of one's own may have no documents at all."""
    half = span("RETRIEVER", "_retrieve", "retrieve", 2, output_value='["<NodeWithScore(node=TextNode(id_=1))>"]')
    assert only(read(tmp_path, half, retriever("retrieve", ["ferry", "lost"]))) == {"found": ["ferry", "lost"]}
    outer = span("RETRIEVER", "own", None, 0, input_value=QUESTION)
    assert only(read(tmp_path, outer, retriever("store", ["ferry", "lost"], "own"))) == {"found": ["ferry", "lost"]}


def test_a_retriever_round_searches_and_their_reranker_has_their_stages(tmp_path: Path) -> None:
    inner = [retriever("dense", ["ferry", "lost"], "all", 1), retriever("sparse", ["museum"], "all", 1.5)]
    ran = read(
        tmp_path, *inner, reranker("r", ["ferry", "museum"], ["museum", "ferry"], "all"), retriever("all", ["museum"], at=0)
    )
    assert only(ran) == {"found": ["ferry", "museum", "lost"], "filtered": ["ferry", "museum"], "reranked": ["museum"]}


def test_searches_side_by_side_are_taken_together_rank_by_rank_and_said(tmp_path: Path) -> None:
    sides = [retriever("b", ["museum", "ferry", "lost"], "root", 2), retriever("a", ["ferry", "parking"], "root", 1)]
    ran = read(tmp_path, chain(), *sides)
    assert only(ran) == {"found": ["ferry", "museum", "parking", "lost"]}
    assert ran.notes == ("1 questions have several searches side by side: the first of each, then the second, and so on",)


def test_without_a_question_round_them_the_steps_of_a_trace_belong_together(tmp_path: Path) -> None:
    """A span that says nothing is round a search that asks; one in other words is of the same question, if it asks no query."""
    steps = [span("CHAIN", "root"), retriever("search", ["ferry", "lost"], "root"), reranker("r", ["ferry"], ["ferry"], "root")]
    assert only(read(tmp_path, *steps)) == {"found": ["ferry", "lost"], "filtered": ["ferry"], "reranked": ["ferry"]}
    other = retriever("other", ["museum"], "root", 4, input_value="Something else?")
    assert only(read(tmp_path, *steps, other))["found"] == ["ferry", "museum", "lost"]
    both = read(tmp_path, steps[0], steps[1], retriever("other", ["museum"], "root", 4, input_value=QUERIES[1].text))
    assert [stages(r) for r in both.rankings] == [{"found": ["ferry", "lost"]}, {"found": ["museum"]}]


def test_a_reranker_alone_found_what_it_was_given(tmp_path: Path) -> None:
    assert only(read(tmp_path, chain(), reranker("r", ["ferry", "lost"], ["lost"], "root"))) == {
        "found": ["ferry", "lost"],
        "reranked": ["lost"],
    }


@pytest.mark.parametrize(
    "prompts, says",
    [
        ([f"{LOST}\n{FERRY}"], ["lost", "ferry"]),
        ([f"{LOST}\n{FERRY}".replace(" ", "  ")], ["lost", "ferry"]),
        ([FERRY, f"Is this any good? {FERRY}"], ["ferry"]),
        ([f"{LOST[:40]}\n{FERRY}"], "unsure"),  # trimmed
        ([FERRY, LOST], "unsure"),  # one by one
        ([json.dumps({"text": 'The "ferry"'}), "nothing of it"], None),  # no retrieved text at all
    ],
)
def test_a_prompt_is_a_stage_where_it_is_safe(prompts: list[str], says: object, tmp_path: Path) -> None:
    steps = [chain(), retriever("search", ["ferry", "museum", "lost"], "root")]
    steps += [llm(f"llm{n}", prompt, "root", 3 + n) for n, prompt in enumerate(prompts)]
    ran = read(tmp_path, *steps)
    assert only(ran).get("prompted") == (says if isinstance(says, list) else None)
    assert any("word for word" in note for note in ran.notes) == (says == "unsure")


def test_what_a_model_was_asked_before_or_inside_of_the_search_is_no_prompt(tmp_path: Path) -> None:
    rewriter = llm("rewrite", f"Say it otherwise: {FERRY}", "search", 1.5)
    router = llm("route", f"Earlier: {FERRY}", "root", 0.5)
    assert only(read(tmp_path, chain(), router, retriever("search", ["ferry", "lost"], "root"), rewriter)) == {
        "found": ["ferry", "lost"]
    }


# Which query it is


@pytest.mark.parametrize(
    "given",
    [
        {"question": QUESTION, "chat_history": [["human", QUERIES[1].text], ["ai", "No."]]},
        {"messages": [{"role": "user", "content": QUERIES[1].text}, {"type": "human", "content": QUESTION}]},
        {"messages": [{"lc": 1, "kwargs": {"type": "human", "content": QUESTION}}]},
        {"query_bundle": {"query_str": QUESTION}},
        {"args": [QUESTION, 5], "kwargs": {}},
        [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    ],
)
def test_the_question_is_found_in_any_input(given: object, tmp_path: Path) -> None:
    """The search asks something else: a question that was made to stand alone."""
    ran = read(tmp_path, chain(question=given), retriever("search", ["ferry"], "root", input_value="ferry departure times"))
    assert [ranking.query_id for ranking in ran.rankings] == ["q1"]


def test_a_query_is_named_by_its_id_or_the_session(tmp_path: Path) -> None:
    by_id = span("CHAIN", "root", input_value="as it was typed", metadata=json.dumps({"query_id": "q2"}))
    assert read(tmp_path, by_id, retriever("search", ["museum"], "root", input_value="x")).rankings[0].query_id == "q2"
    by_session = span("CHAIN", "root", input_value="as it was typed", more={"session.id": "q2"})
    assert read(tmp_path, by_session, retriever("search", ["museum"], "root", input_value="x")).rankings[0].query_id == "q2"
    both = [Query("q1", QUESTION), Query("q3", QUESTION)]
    assert [r.query_id for r in read(tmp_path, chain(), retriever("s", ["ferry"], "root"), queries=both).rankings] == ["q1", "q3"]


def test_of_a_query_that_was_asked_several_times_the_last_counts(tmp_path: Path) -> None:
    later, earlier = (retriever("s", [name], at=at, trace=name) for name, at in (("lost", 7), ("ferry", 1)))
    other = retriever("s", ["museum"], trace="z", input_value="Who won?")
    ran = read(tmp_path, later, earlier, other, retriever("s", ["museum"], trace="y", input_value="Who lost?"))
    assert only(ran) == {"found": ["lost"]}
    assert ran.notes == (
        "2 questions of the trace are not in the query set: left out",
        "1 queries were asked several times: the last counts",
    )


def test_one_trace_may_ask_many_questions(tmp_path: Path) -> None:
    """As an evaluation under one span does; the same span in two pages is one."""
    asked = [span("CHAIN", f"c{n}", "root", n, input_value=query.text) for n, query in enumerate(QUERIES)]
    found = [retriever(f"s{n}", [name], f"c{n}", 5, input_value="?") for n, name in enumerate(("ferry", "museum"))]
    ran = read(tmp_path, span("CHAIN", "root"), *asked, *found, found[0])
    assert [(r.query_id, stages(r)) for r in ran.rankings] == [("q1", {"found": ["ferry"]}), ("q2", {"found": ["museum"]})]
    assert ran.notes == ("1 steps stand several times in the trace: each is taken once, as it stands last",)


def test_without_times_the_order_of_the_file_counts_and_is_said(tmp_path: Path) -> None:
    steps = [retriever("s", [name], trace=name) for name in ("ferry", "lost")]
    ran = read(tmp_path, steps[0], {k: v for k, v in steps[1].items() if k != "start_time"})
    assert only(ran) == {"found": ["lost"]}
    assert "1 steps have no time: all are taken in the order of the file" in ran.notes


# What failed


def test_a_search_that_failed_is_a_failed_query(tmp_path: Path) -> None:
    failed = span("RETRIEVER", "s", "root", 1, error=True, input_value=QUESTION)
    (ranking,) = read(tmp_path, chain(error=True), failed).rankings
    assert (ranking.failed, ranking.chunks) == (True, ())
    other = read(tmp_path, chain(), failed, retriever("again", ["ferry"], "root"))
    assert only(other) == {"found": ["ferry"]}
    assert other.notes == ("1 questions had a search or a reranker that failed beside others: taken without it",)


def test_a_model_that_failed_after_the_search_is_no_failed_search(tmp_path: Path) -> None:
    steps = [chain(error=True), retriever("s", ["ferry"], "root"), llm("a", FERRY, "root", error=True)]
    assert only(read(tmp_path, *steps)) == {"found": ["ferry"], "prompted": ["ferry"]}


def test_a_question_without_a_search_retrieves_nothing(tmp_path: Path) -> None:
    ran = read(tmp_path, chain(), retriever("s", ["museum"], trace="u", input_value=QUERIES[1].text))
    assert {r.query_id: (r.failed, stages(r)) for r in ran.rankings} == {
        "q1": (False, {"found": []}),
        "q2": (False, {"found": ["museum"]}),
    }
    assert ran.notes == ("1 questions were asked without any search: they retrieve nothing",)
    empty = span("RETRIEVER", "s", None, 1, input_value=QUESTION, output_value='{"documents": []}')
    assert only(read(tmp_path, empty)) == {"found": []}


@pytest.mark.parametrize(
    "records, says",
    [
        ([chain(), llm("a", "x")], "is a trace of 2 steps, none of which is a search"),
        (
            [retriever("s", ["ferry"], input_value="Who won?")],
            "none of its 1 questions is in the query set (the first is 'Who won?')",
        ),
        ([span("RETRIEVER", "s", input_value=QUESTION)], "retriever 's' has no documents in the trace; record documents with it"),
        (
            [span("RETRIEVER", "s", input_value=QUESTION, output_value='["<NodeWithScore(node=TextNode(id_=1))>"]')],
            "retriever 's' has no documents in the trace",
        ),
        (
            [span("RETRIEVER", "s", input_value=QUESTION, more={"retrieval.documents.0.document.score": 0.4})],
            "document 0 of span 's' has neither a text nor an id",
        ),
        ([retriever("s", ["__REDACTED__"])], "document 0 of span 's' is hidden"),
        (
            [span("RETRIEVER", "s", input_value=QUESTION, more={"retrieval.documents.2.document.content": FERRY})],
            "span 's' lacks documents 0 to 1 of 3; the tracer's limit on the number of attributes dropped some",
        ),
        ([chain() | {"context": {"trace_id": "t"}}], "step 'root' has no id"),
        (
            [chain(), {"query_id": "q1", "retrieved": []}],
            "a record is none of openinference, as others of the file are: 'query_id'",
        ),
        ([{"resourceSpans": []}], "is a trace without any step"),
    ],
)
def test_what_cannot_be_read_is_said_on_one_line(records: list[object], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, *records)
    assert says in str(error.value) and str(tmp_path / "trace") in str(error.value)


def test_a_step_of_no_query_may_be_anything(tmp_path: Path) -> None:
    broken = span("RETRIEVER", "s", trace="u", input_value="Who won?", more={"retrieval.documents.0.document.score": 0.4})
    assert only(read(tmp_path, broken, retriever("s", ["ferry"]))) == {"found": ["ferry"]}


def test_documents_that_a_limit_dropped_are_taken_from_the_output(tmp_path: Path) -> None:
    whole = json.dumps({"documents": [{"page_content": TEXTS[n], "metadata": {}, "id": n} for n in ("ferry", "lost")]})
    dropped = {"retrieval.documents.1.document.content": LOST}
    assert only(read(tmp_path, span("RETRIEVER", "s", input_value=QUESTION, output_value=whole, more=dropped))) == {
        "found": ["ferry", "lost"]
    }


def test_runs_are_still_runs(tmp_path: Path) -> None:
    """And their errors are those of runs."""
    assert only(read(tmp_path, {"query_id": "q1", "retrieved": [{"text": FERRY}]})) == {"found": ["ferry"]}
    with pytest.raises(InputError, match="is one JSON list, not JSON Lines"):
        read(tmp_path, {"query_id": "q1", "retrieved": []}, lines=False)
    with pytest.raises(InputError, match=r"trace:1: broken JSON"):
        (tmp_path / "trace").write_text('{"query_id": \n')
        recorded(tmp_path / "trace", QUERIES)


# Langfuse


def observation(kind: str, own: str, parent: str | None, at: int, **more: Any) -> dict[str, Any]:
    """An observation as the public API gives it."""
    known = {"id": own, "traceId": "t", "type": kind, "name": own, "parentObservationId": parent, "level": "DEFAULT"}
    return known | {"startTime": f"2026-01-01T00:00:0{at}.120Z", "input": None, "output": None, "metadata": {}} | more


def langchain(*names: str) -> list[dict[str, object]]:
    return [{"page_content": TEXTS[n], "metadata": {"source": f"{n}.md"}, "type": "Document", "id": n} for n in names]


LANGFUSE = (
    observation("CHAIN", "root", None, 0, input=QUESTION),
    observation("RETRIEVER", "search", "root", 1, input=QUESTION, output=langchain("ferry", "museum", "lost")),
    observation("SPAN", "rerank_results", "root", 2, input={"args": [QUESTION], "kwargs": {}}, output=langchain("lost", "ferry")),
    observation("GENERATION", "llm", "root", 3, input=[{"role": "user", "content": f"{LOST}\n{QUESTION}"}], output="?"),
)
LANGFUSE_STAGES = {"found": ["ferry", "museum", "lost"], "reranked": ["lost", "ferry"], "prompted": ["lost"]}


def test_langfuse_in_all_its_exports(tmp_path: Path) -> None:
    """The API's pages; tables and blob storage, in which values are JSON and names have underscores; a trace's download."""
    camels = {"traceId": "trace_id", "parentObservationId": "parent_observation_id", "startTime": "start_time"}
    blob = [
        {camels.get(k, k): json.dumps(v) if k in ("input", "output") and not isinstance(v, str) else v for k, v in each.items()}
        | {
            "start_time": each["startTime"].replace("T", " ").replace("Z", "000"),
            "parent_observation_id": each["parentObservationId"] or "",
        }
        for each in LANGFUSE
    ]
    bare = [{k: v for k, v in each.items() if k != "traceId"} for each in LANGFUSE]
    whole = {"id": "t", "name": "chat", "timestamp": "2026-01-01T00:00:00Z", "input": QUESTION, "observations": bare}
    split = {"trace": {k: v for k, v in whole.items() if k != "observations"}, "observations": bare, "scores": []}
    for records in (LANGFUSE, blob, [{"data": LANGFUSE, "meta": {"page": 1}}], [whole], [split]):
        for lines in (True, False):
            ran = read(tmp_path, *records, lines=lines)
            assert (only(ran), ran.notes) == (LANGFUSE_STAGES, ())


def test_langfuse_texts_alone_decorated_functions_and_errors(tmp_path: Path) -> None:
    texts = observation("RETRIEVER", "search", None, 1, input=QUESTION, output=[FERRY, LOST])
    assert only(read(tmp_path, texts)) == {"found": ["ferry", "lost"]}
    decorated = observation("SPAN", "retrieve_chunks", None, 1, input={"args": [QUESTION]}, output=[{"text": FERRY, "score": 1}])
    assert only(read(tmp_path, decorated)) == {"found": ["ferry"]}
    failed = observation("RETRIEVER", "search", None, 1, input=QUESTION, level="ERROR", statusMessage="boom")
    assert read(tmp_path, failed).rankings[0].failed
    joined = observation("RETRIEVER", "search", None, 1, input=QUESTION, output=f"{FERRY}\n{LOST}")
    with pytest.raises(InputError, match="retriever 'search' has no documents in the trace"):
        read(tmp_path, joined)


# LangSmith


def run(kind: str, own: str, parent: str | None, at: int, **more: Any) -> dict[str, Any]:
    known = {"id": own, "trace_id": "root", "parent_run_id": parent, "run_type": kind, "name": own, "error": None}
    return known | {"start_time": f"2026-01-01T00:00:0{at}.123456", "inputs": {}, "outputs": {}, "extra": {}} | more


def test_langsmith_runs_alone_inside_one_another_and_as_a_page(tmp_path: Path) -> None:
    message = {"lc": 1, "type": "constructor", "kwargs": {"type": "human", "content": f"{LOST}\n\n{FERRY}"}}
    root = run("chain", "root", None, 0, inputs={"input": QUESTION})
    parts = [
        run(
            "retriever",
            "ContextualCompressionRetriever",
            "root",
            1,
            inputs={"query": QUESTION},
            outputs={"documents": langchain("lost", "ferry")},
        ),
        run(
            "retriever",
            "VectorStoreRetriever",
            "ContextualCompressionRetriever",
            2,
            outputs={"documents": langchain("ferry", "museum", "lost")},
        ),
        run("llm", "ChatModel", "root", 3, inputs={"messages": [[message]]}),
    ]
    found = {"found": ["ferry", "museum", "lost"], "reranked": ["lost", "ferry"], "prompted": ["lost", "ferry"]}
    inside = [{k: v for k, v in part.items() if k not in ("trace_id", "parent_run_id")} for part in parts]
    inside[0]["child_runs"] = [inside.pop(1)]
    as_text = [part | {"inputs": json.dumps(part["inputs"]), "outputs": json.dumps(part["outputs"])} for part in (root, *parts)]
    for records in ([root, *parts], [{"runs": [root, *parts]}], [root | {"child_runs": inside}], as_text):
        ran = read(tmp_path, *records)
        assert (only(ran), ran.notes) == (found, ())


def test_langsmith_decorated_functions_ids_and_errors(tmp_path: Path) -> None:
    decorated = run("retriever", "search", None, 1, inputs={"question": "?"}, outputs={"output": langchain("ferry")})
    decorated["extra"] = {"metadata": {"query_id": "q2"}}
    assert read(tmp_path, decorated).rankings[0].query_id == "q2"
    failed = run("retriever", "search", None, 1, inputs={"query": QUESTION}, error="ValueError('boom')", outputs=None)
    assert read(tmp_path, failed).rankings[0].failed


def test_documents_of_every_framework(tmp_path: Path) -> None:
    """LlamaIndex with its scores, old and new; Haystack; LangChain's objects and pairs; what a store gives; ids alone."""
    forms = [
        {"node": {"id_": "1", "text": FERRY, "metadata": {"file_path": "docs/ferry.md"}}, "score": 0.5},
        {"node": {"id_": "2", "text_resource": {"text": LOST}}, "score": 0.5},
        {"content": MUSEUM, "meta": {"file_path": "museum.md"}, "id": "3"},
        [{"lc": 1, "type": "constructor", "kwargs": {"page_content": PARKING, "metadata": {"source": "p.md"}}}, 0.1],
        {"id": "5", "payload": {"text": FERRY + " "}},
        {"id": "c7"},
        json.dumps({"page_content": LOST + " "}),
    ]
    (ranking,) = read(tmp_path, run("retriever", "s", None, 1, inputs={"query": QUESTION}, outputs={"documents": forms})).rankings
    assert [chunk.text.strip() for chunk in ranking.chunks] == [FERRY, LOST, MUSEUM, PARKING, FERRY, "", LOST]
    assert [chunk.id for chunk in ranking.chunks] == ["1", "2", "3", "", "5", "c7", ""]
    assert [chunk.doc_id for chunk in ranking.chunks][:4] == ["docs/ferry.md", "", "museum.md", "p.md"]


# Audits


def corpus(tmp_path: Path, texts: Mapping[str, str] = TEXTS) -> Path:
    return write(tmp_path / "corpus.jsonl", *({"_id": f"{name}.md", "text": text} for name, text in texts.items()))


def audited(tmp_path: Path, *steps: object, needed: str = "ferry", **more: Any) -> AuditResult:
    queries = write(
        tmp_path / "queries.jsonl",
        {"_id": "q1", "text": QUESTION, "evidence": [{"doc_id": f"{needed}.md", "text": TEXTS[needed]}]},
        {"_id": "q2", "text": "Is the museum open?", "evidence": [{"doc_id": "museum.md", "text": MUSEUM}]},
    )
    trace = write(tmp_path / "trace", *steps)
    return ragdiag.audit(corpus(tmp_path), queries, run=trace, cache=None, **{"k": 2} | more)


FOUND = ["ferry", "museum", "parking", "lost"]


@pytest.mark.parametrize(
    "given, gave, prompt, cause",
    [
        (["museum", "parking", "lost"], ["museum", "parking"], [MUSEUM, PARKING], "filtered_out"),
        (FOUND, ["lost", "parking", "museum", "ferry"], [LOST, PARKING], "reranked_away"),
        (FOUND, FOUND, [MUSEUM], "cut_off"),
    ],
)
def test_causes_come_out_of_a_trace(given: list[str], gave: list[str], prompt: list[str], cause: str, tmp_path: Path) -> None:
    steps = [chain(), retriever("s", FOUND, "root"), reranker("r", given, gave, "root"), llm("a", "\n\n".join(prompt), "root")]
    report = audited(tmp_path, *steps)
    one, two = report.queries
    assert (one.status, one.causes) == ("caused", (cause,))
    assert two.status == "not_decidable"  # never asked
    assert "1 queries are not in the run: they retrieve nothing and score 0" in report.notes
    assert list(report.stages) == ["found", *(["filtered"] if given != FOUND else []), "reranked", "prompted"]
    assert [(s.mean, s.n) for s in (report.stages["found"], report.stages["prompted"])] == [(1.0, 1), (0.0, 1)]


LONG = {name: " ".join(f"{text[:-1]} ({n})." for n in range(6)) for name, text in TEXTS.items()}
"""Documents of some 450 characters, one chunk each."""


@pytest.mark.parametrize("mark", ["", "..."])
def test_texts_that_a_tracer_cut_are_placed_by_their_beginning(mark: str, tmp_path: Path) -> None:
    """With the chunks they are those; without, they count for what is there. Both are said."""
    needed = LONG["ferry"][-30:]
    queries = write(
        tmp_path / "queries.jsonl", {"_id": "q1", "text": QUESTION, "evidence": [{"doc_id": "ferry.md", "text": needed}]}
    )
    found = retriever("s", [LONG[name][:200] + mark for name in ("ferry", "lost")])
    trace, documents = write(tmp_path / "trace", found), corpus(tmp_path, LONG)
    chunks = write(tmp_path / "chunks.jsonl", *({"doc_id": f"{n}.md", "start": 0, "end": len(t)} for n, t in LONG.items()))
    cut = ragdiag.audit(documents, queries, run=trace, cache=None, k=2)
    assert cut.queries[0].status == "not_decidable"
    assert any("2 retrieved texts seem to be cut in the trace: they count for what is there" in n for n in cut.notes)
    whole = ragdiag.audit(documents, queries, run=trace, chunks=chunks, cache=None, k=2)
    assert whole.queries[0].status == "ok"
    assert any("2 retrieved texts were cut in the trace: each is taken for the chunk of --chunks" in n for n in whole.notes)


def test_whole_texts_of_any_length_are_not_called_cut(tmp_path: Path) -> None:
    """One alone is the longest by chance, a document may end in three points, and chunks of one size go on from one another."""
    texts = {"a": "x" * 20 + " the longest of all " + "y" * 200, "b": "Short, and so on and on ..."}
    found = retriever("s", list(texts.values()))
    queries = write(tmp_path / "q.jsonl", {"_id": "q1", "text": QUESTION, "relevant": [{"doc_id": "a.md", "grade": 1}]})
    report = ragdiag.audit(corpus(tmp_path, texts), queries, run=write(tmp_path / "trace", found), cache=None, k=2)
    assert not [note for note in report.notes if "cut" in note]
    rest = [LONG["ferry"][n : n + 120] for n in (0, 120, 240)]
    write(tmp_path / "q.jsonl", {"_id": "q1", "text": QUESTION, "relevant": [{"doc_id": "ferry.md", "grade": 1}]})
    trace = write(tmp_path / "trace", retriever("s", rest))
    report = ragdiag.audit(corpus(tmp_path, LONG), tmp_path / "q.jsonl", run=trace, cache=None, k=2)
    assert not [note for note in report.notes if "cut" in note]


# What the real tracers write


def test_spans_of_the_real_sdk_with_the_real_conventions(tmp_path: Path) -> None:
    """As exported by the SDK's own JSON and as OTLP; with its limit on the length of attributes."""
    sdk, conventions = pytest.importorskip("opentelemetry.sdk.trace"), pytest.importorskip("openinference.semconv.trace")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    names, document = conventions.SpanAttributes, conventions.DocumentAttributes
    rerank, kinds = conventions.RerankerAttributes, conventions.OpenInferenceSpanKindValues

    def traced(limits: Any) -> None:
        provider = sdk.TracerProvider(span_limits=limits)
        provider.add_span_processor(export.SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("app")

        def record(into: Any, prefix: str, found: Sequence[str]) -> None:
            for i, name in enumerate(found):
                into.set_attribute(f"{prefix}.{i}.{document.DOCUMENT_ID}", name)
                into.set_attribute(f"{prefix}.{i}.{document.DOCUMENT_CONTENT}", LONG[name])
                into.set_attribute(f"{prefix}.{i}.{document.DOCUMENT_SCORE}", 1 / (i + 1))

        with tracer.start_as_current_span("ask") as root:
            root.set_attribute(names.OPENINFERENCE_SPAN_KIND, kinds.CHAIN.value)
            root.set_attribute(names.INPUT_VALUE, QUESTION)
            with tracer.start_as_current_span("search") as search:
                search.set_attribute(names.OPENINFERENCE_SPAN_KIND, kinds.RETRIEVER.value)
                record(search, names.RETRIEVAL_DOCUMENTS, ["ferry", "museum", "lost"])
            with tracer.start_as_current_span("rerank") as ranker:
                ranker.set_attribute(names.OPENINFERENCE_SPAN_KIND, kinds.RERANKER.value)
                record(ranker, rerank.RERANKER_INPUT_DOCUMENTS, ["ferry", "museum", "lost"])
                record(ranker, rerank.RERANKER_OUTPUT_DOCUMENTS, ["lost", "ferry"])
            with tracer.start_as_current_span("answer") as model:
                model.set_attribute(names.OPENINFERENCE_SPAN_KIND, kinds.LLM.value)
                message = f"{names.LLM_INPUT_MESSAGES}.0.{conventions.MessageAttributes.MESSAGE_CONTENT}"
                model.set_attribute(message, f"Context:\n{LONG['lost']}\n\nQuestion: {QUESTION}")

    traced(sdk.SpanLimits())
    spans = [json.loads(each.to_json()) for each in memory.get_finished_spans()]
    encoder = pytest.importorskip("opentelemetry.exporter.otlp.proto.common.trace_encoder")
    to_dict = pytest.importorskip("google.protobuf.json_format").MessageToDict
    for records in (spans, [to_dict(encoder.encode_spans(memory.get_finished_spans()))]):
        (ranking,) = read(tmp_path, *records).rankings
        assert {name: [chunk.id for chunk in chunks] for name, chunks in ranking.stages} == {
            "found": ["ferry", "museum", "lost"],
            "reranked": ["lost", "ferry"],
            "prompted": ["lost"],
        }
    memory.clear()
    traced(sdk.SpanLimits(max_span_attribute_length=150))
    ran = read(tmp_path, *(json.loads(each.to_json()) for each in memory.get_finished_spans()))
    assert [(len(chunk.text), getattr(chunk, "cut", None)) for chunk in ran.rankings[0].chunks] == [(150, True)] * 2
    assert [name for name, _ in ran.rankings[0].stages] == ["found", "reranked"]
    assert ran.notes == (
        "1 prompts do not have the retrieved texts word for word, or several differ: not taken for a stage",
        "no text of the trace is longer than 150 characters, as several are: the tracer has a limit "
        "(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT)",
    )
