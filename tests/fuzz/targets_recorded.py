"""What systems recorded: runs, traces, chunks, answers, vectors, contexts, the record of live answers."""

import json
from pathlib import Path

from targets import Target, from_file, heads, small_corpus
from targets_questions import ALPHA, SPAN, lines

from ragdiag.core.records import Query

QUERIES = [Query("q1", "At which pressure do the pumps run?"), Query("q2", "When does it close?")]
TREC_RUN = b"q1 Q0 alpha.txt 1 2.5 me\nq1 Q0 beta.md 2 1.5 me\nq2 Q0 beta.md 1 9 me\n"
FOUND = [{**SPAN, "score": 2.5}, {"doc_id": "beta.md", "text": "The valve closes at noon.", "score": 1.0}]
RUN = [
    {"query_id": "q1", "retrieved": FOUND},
    {"query_id": "q2", "retrieved": [{"chunk_id": "alpha.txt#0-26", "rank": 1}, {"doc_id": "beta.md", "rank": 2}]},
    {"query_id": "q3", "error": "timeout"},
]
STAGED = [{"query_id": "q1", "stages": {"found": FOUND, "reranked": FOUND[::-1], "prompted": FOUND[1:]}}]
QUESTION = QUERIES[0].text
DOCUMENTS = {
    "retrieval.documents.0.document.content": ALPHA[:26],
    "retrieval.documents.0.document.metadata": '{"source": "docs/alpha.txt"}',
    "retrieval.documents.0.document.score": 0.5,
    "retrieval.documents.1.document.content": "The valve closes at noon.",
}
SPANS = [
    {
        "name": "root",
        "context": {"trace_id": "t", "span_id": "r"},
        "parent_id": None,
        "start_time": "2026-01-01T00:00:00.000000Z",
        "status": {"status_code": "OK"},
        "attributes": {
            "openinference.span.kind": "CHAIN",
            "input.value": json.dumps({"messages": [{"role": "user", "content": QUESTION}]}),
        },
    },
    {
        "name": "s",
        "context": {"trace_id": "t", "span_id": "s"},
        "parent_id": "r",
        "start_time": "2026-01-01T00:00:01Z",
        "status": {"status_code": "OK"},
        "attributes": {"openinference.span.kind": "RETRIEVER", "input.value": QUESTION, **DOCUMENTS},
    },
    {
        "name": "l",
        "context": {"trace_id": "t", "span_id": "l"},
        "parent_id": "r",
        "start_time": "2026-01-01T00:00:02Z",
        "attributes": {"openinference.span.kind": "LLM", "llm.input_messages.0.message.content": f"Use {ALPHA[:26]} {QUESTION}"},
    },
]
OTLP = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "spanId": "s",
                            "traceId": "t",
                            "parentSpanId": "",
                            "startTimeUnixNano": "1767225600000000000",
                            "status": {"code": 1},
                            "attributes": [
                                {"key": k, "value": {"stringValue": str(v)}} for k, v in SPANS[1]["attributes"].items()
                            ],
                        }
                    ]
                }
            ]
        }
    ]
}
LANGFUSE = [
    {
        "id": "a",
        "traceId": "t",
        "type": "SPAN",
        "name": "chat",
        "startTime": "2026-01-01T00:00:00Z",
        "parentObservationId": None,
        "input": {"question": QUESTION},
        "output": "x",
    },
    {
        "id": "b",
        "traceId": "t",
        "type": "RETRIEVER",
        "name": "search",
        "startTime": "2026-01-01T00:00:01Z",
        "parentObservationId": "a",
        "input": QUESTION,
        "output": [{"page_content": ALPHA[:26], "metadata": {"source": "alpha.txt"}}],
        "metadata": {"query_id": "q1"},
        "level": "DEFAULT",
    },
    {
        "id": "c",
        "traceId": "t",
        "type": "GENERATION",
        "name": "llm",
        "startTime": "2026-01-01T00:00:02Z",
        "parentObservationId": "a",
        "input": [{"role": "user", "content": ALPHA}],
    },
]
LANGSMITH = [
    {
        "id": "r",
        "trace_id": "r",
        "parent_run_id": None,
        "run_type": "chain",
        "name": "root",
        "start_time": "2026-01-01T00:00:00.1",
        "inputs": {"input": QUESTION},
        "outputs": {},
        "extra": {},
        "error": None,
    },
    {
        "id": "s",
        "trace_id": "r",
        "parent_run_id": "r",
        "run_type": "retriever",
        "name": "VectorStoreRetriever",
        "start_time": "2026-01-01T00:00:01.1",
        "inputs": {"query": QUESTION},
        "outputs": {
            "documents": [
                {"lc": 1, "type": "constructor", "kwargs": {"page_content": ALPHA[:26], "metadata": {"source": "alpha.txt"}}}
            ]
        },
        "child_runs": [],
    },
]
ANSWERS = [
    {
        "query_id": "q1",
        "condition": "oracle",
        "answer": "40 bar",
        "correct": True,
        "contexts": [ALPHA, {"doc_id": "a", "text": "x"}],
        "sufficient": False,
    },
    {"query_id": 2, "condition": "closed_book", "answer": 3.5, "recorded_label": "halted", "error": "x"},
    {
        "custom_id": "oracle:q1#2",
        "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "40"}, "finish_reason": "stop"}]}},
        "error": None,
    },
    {
        "custom_id": "retrieved-1-q_5f1",
        "result": {"type": "succeeded", "message": {"content": [{"type": "text", "text": "40"}], "stop_reason": "end_turn"}},
    },
]
RECORD = [
    {"query_id": "q1", "condition": "oracle", "repeat": 1, "prompt_sha256": "ab", "model": "m", "answer": "40", "max_tokens": 9}
]
VECTORS = [{"text": "a", "vector": [0.6, 0.8]}, {"text": "b", "vector": [1.0, 0]}]
WRITTEN = [
    {"doc_id": "alpha.txt", "start": 0, "end": 26, "text": "About alpha."},
    {"doc_id": "beta.md", "text": "About beta."},
    {"chunk_id": "alpha.txt#0-26", "text": "more"},
]
CHUNKS = [
    {"doc_id": "alpha.txt", "start": 0, "end": 26},
    {"doc_id": "beta.md", "text": "The valve closes at noon."},
    {"doc_id": "gamma.md", "text": "Die Pumpe", "metadata": {"source": "x/gamma.md", "start_index": 9}},
]


def run(path: Path) -> object:
    """A run or a trace, bound to chunks of a corpus as an audit does; what it is written as is read as the same."""
    from ragdiag.search.recorded import recorded
    from ragdiag.search.runs import read_run, run_lines
    from ragdiag.search.unplaced import kept

    ran = recorded(path, QUERIES)
    for note in ran.notes:
        assert len(note.splitlines()) == 1
    known = kept(ran.rankings, small_corpus())
    again = path.with_name("again.jsonl")
    again.write_bytes(run_lines(ran.rankings))
    if ran.rankings:
        told = [(r.query_id, len(r.chunks), r.failed) for r in ran.rankings]
        assert [(r.query_id, len(r.chunks), r.failed) for r in read_run(again).rankings] == told
    return f"{len(ran.rankings)} {len(ran.notes)} {len(known.rankings)}"


def chunks(path: Path) -> object:
    """Chunks placed in their documents."""
    from ragdiag.sources.chunks import place, place_stored, read_chunks

    read, corpus = read_chunks(path), small_corpus()
    placed, more = place_stored(read, corpus, corpus)
    for d, a, b in zip(
        placed.chunking.document.tolist(), placed.chunking.start.tolist(), placed.chunking.end.tolist(), strict=True
    ):
        assert 0 <= a <= b <= len(more.documents[d].text)
    place(read, corpus)
    return f"{min(len(read), 4)} chunks {len(placed.notes)}"


def answers(path: Path) -> object:
    """Answers, each judged."""
    from ragdiag.answering.answers import load_answers
    from ragdiag.answering.judging import judge_answers
    from ragdiag.core.options import Judging
    from ragdiag.core.protocols import no_progress

    read = load_answers([f"retrieved={path}"])
    queries = [Query("q1", QUESTION, "40 bar"), Query("2", "When?", "at noon")]
    known = {query.id: i for i, query in enumerate(queries)}
    judged = judge_answers(
        queries, [(known[a.query_id], a) for a in read if a.query_id in known][:20], Judging(), None, no_progress
    )
    return f"{min(len(read), 4)} answers {len(judged) > 0}"


def live(path: Path) -> object:
    """The record of live answers, gone on with: nothing of what it holds is lost but an unfinished last line."""
    from ragdiag.answering.live.asking import _read

    before = path.read_bytes()
    known = _read(path)
    after = path.read_bytes()
    assert before.startswith(after.rstrip(b"\n")) and len(after) <= len(before) + 1
    assert before.rstrip(b"\n").count(b"\n") <= after.count(b"\n") + 1
    return f"{min(len(known), 3)} {len(after) - len(before) > 0}"


def vectors(path: Path) -> object:
    """Vectors of queries, of length 1."""
    import numpy as np

    from ragdiag.search.query_vectors import QueryVectors, _read

    _read.cache_clear()
    model = QueryVectors(str(path))
    assert len(model.identity) > 60 and model.dimension > 0 and model.notes is not None
    lengths = np.linalg.norm([*model._file.vectors.values()], axis=1)
    assert np.allclose(lengths, 1, atol=1e-3), lengths
    return f"{min(model.dimension, 3)}"


def written(path: Path) -> object:
    """Texts that stand for chunks."""
    from ragdiag.core.protocols import no_progress
    from ragdiag.core.registry import make
    from ragdiag.search.contexts.file import FromFile
    from ragdiag.sources.chunks import cut, embed_texts

    corpus = small_corpus()
    chunking = cut(corpus, make("chunkers", "sentence"), no_progress)
    told = FromFile(str(path)).told(corpus, chunking, None, no_progress)
    texts = embed_texts(corpus, chunking, told)
    assert len(texts) == len(chunking)
    return f"{len(told.notes)}"


def texts_of_faiss(path: Path) -> object:
    """The texts beside an index of FAISS."""
    from ragdiag.search.retrievers._faiss import FaissSource

    made = FaissSource.__new__(FaissSource)
    object.__setattr__(made, "_path", path.with_name("index.faiss"))
    object.__setattr__(made, "_texts", str(path))
    made.count = lambda: 3  # type: ignore[method-assign]
    return f"{len(made._rows)}"


TRACE = [lines(SPANS), json.dumps(SPANS, indent=1).encode(), json.dumps(OTLP).encode(), json.dumps({"data": SPANS}).encode()]
OTHER_TRACES = [
    lines(LANGFUSE),
    json.dumps({"data": LANGFUSE}).encode(),
    json.dumps([{"id": "t", "name": "chat", "input": QUESTION, "observations": LANGFUSE}]).encode(),
    lines(LANGSMITH),
    json.dumps({"runs": LANGSMITH}).encode(),
]

TARGETS = [
    Target("run: TREC", lambda: [TREC_RUN], from_file("r.run", run), (b" Q0 ", b" 1 ", b" 1e5 ")),
    Target("run: JSON Lines", lambda: [lines(RUN), lines(STAGED)], from_file("r.jsonl", run), weight=1.5),
    Target("trace: OpenInference", lambda: TRACE, from_file("t.json", run), weight=1.5),
    Target("trace: Langfuse, LangSmith", lambda: OTHER_TRACES, from_file("t.json", run), weight=1.5),
    Target(
        "chunks",
        lambda: [lines(CHUNKS), lines([{"_id": f"c{n}", **chunk} for n, chunk in enumerate(CHUNKS)])],
        from_file("c.jsonl", chunks),
        weight=1.5,
    ),
    Target(
        "answers", lambda: [lines(ANSWERS), *heads("tidewater/answers.jsonl", lines=3)], from_file("a.jsonl", answers), weight=1.5
    ),
    Target("answers: a record gone on with", lambda: [lines(RECORD * 2), lines(RECORD)[:-9]], from_file("record.jsonl", live)),
    Target("vectors of queries", lambda: [lines(VECTORS)], from_file("v.jsonl", vectors)),
    Target("contexts of a file", lambda: [lines(WRITTEN)], from_file("w.jsonl", written)),
    Target(
        "texts beside FAISS",
        lambda: [lines([{"id": 1, "text": "a"}, {"page_content": "b", "metadata": {"source": "x"}}, {"content": "c"}])],
        from_file("faiss.jsonl", texts_of_faiss),
        weight=0.5,
    ),
]
