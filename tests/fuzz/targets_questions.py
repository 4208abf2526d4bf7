"""Queries with labels in every format, each held against a small corpus, and the labels' own files."""

import json
from pathlib import Path

from targets import TEXTS, Target, from_file, heads, seed, small_corpus

from ragdiag.core.records import Label, Query

ALPHA = TEXTS["alpha.txt"]
SPAN = {"doc_id": "alpha.txt", "start": 0, "end": 26, "text": ALPHA[:26]}
OWN = [
    {"_id": "q1", "text": "At which pressure do the pumps run?", "answer": "40 bar", "evidence": [SPAN]},
    {
        "_id": "q2",
        "text": "When does it close?",
        "answers": ["at noon", "12:00"],
        "evidence": [{"doc_id": "beta.md", "text": "The valve closes at noon.", "group": "g"}],
    },
    {
        "_id": "q3",
        "text": "Who?",
        "unanswerable": True,
        "metadata": {"history": ["before"], "rewrite": "Who is it?", "translations": {"de": "Wer?"}},
    },
    {"_id": 4, "text": "Size?", "relevant": [{"doc_id": "gamma.md", "grade": 2}], "acceptable": ["x"]},
    {
        "_id": "q5",
        "text": "Reviewed?",
        "evidence": [SPAN, {**SPAN, "start": 27, "end": 53, "text": ALPHA[27:53], "accepted": True}],
        "reviewed": {
            "stratum": "other",
            "seed": 0,
            "pipeline": "p",
            "passages": [{"doc_id": "alpha.txt", "start": 27, "end": 53, "says": "answers"}],
        },
    },
]
TREC = seed("topics.trec")
TREC_XML = seed("topics.xml")
TABBED = b"301\tpumps at which bar\n302\twhen does the valve close\n"
QRELS = b"301 0 alpha.txt 1\n301 0 beta.md 0\n302 0 beta.md 2\n"
BEIR_QRELS = b"query-id\tcorpus-id\tscore\nb1\talpha.txt\t1\nb2\tbeta.md\t2.0\n"
BEIR = b'{"_id": "b1", "text": "pumps"}\n{"_id": "b2", "text": "valve", "metadata": {}}\n'
CSV = seed("questions.csv")
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "alpha.txt",
            "paragraphs": [
                {
                    "context": ALPHA,
                    "qas": [
                        {
                            "id": "s1",
                            "question": "At which bar?",
                            "answers": [{"text": "40 bar", "answer_start": 19}, {"text": "40", "answer_start": 19}],
                            "is_impossible": False,
                        },
                        {"id": "s2", "question": "Who?", "answers": [], "is_impossible": True, "plausible_answers": []},
                    ],
                }
            ],
        }
    ],
}
RAGAS = [
    {
        "user_input": "At which bar?",
        "reference": "40 bar",
        "reference_contexts": ["Alpha pumps run at 40 bar.", "<1-hop>\n\nOil is changed in May."],
    },
    {"question": "When?", "ground_truth": "at noon", "contexts": ["x"], "answer": "y", "evolution_type": "simple"},
]
COLUMNS = {
    "user_input": {"0": "At which bar?", "1": "When?"},
    "reference": {"0": "40", "1": "noon"},
    "reference_contexts": {"0": [ALPHA[:26]], "1": []},
}
SPLIT = {"columns": ["user_input", "reference"], "index": [0, 1], "data": [["At which bar?", "40"], ["When?", "noon"]]}
OPEN = [
    {"question": "At which bar?", "answer": ["40", "forty"], "id": "o1"},
    {"Question": "Who?", "Answer": {"Value": "Ada", "Aliases": ["A"], "NormalizedAliases": ["a"]}, "QuestionId": "o2"},
]


def lines(records: object) -> bytes:
    assert isinstance(records, list)
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def checked(path: Path, qrels: Path | None = None) -> object:
    """Queries, with every label held against the corpus: what is located is there."""
    from ragdiag.sources.evidence import locate
    from ragdiag.sources.queries import load_queries

    queries = load_queries(path, qrels)
    corpus = small_corpus()
    labels = locate(queries, corpus)
    rows = labels.evidence
    for document, start, end in zip(rows.document.tolist(), rows.start.tolist(), rows.end.tolist(), strict=True):
        assert 0 <= start < end <= len(corpus.documents[document].text)
    for defect in (*labels.defects, *labels.warnings):
        assert defect.query in {query.id for query in queries}
        assert len(defect.message.splitlines()) == 1, defect.message
    return f"{sorted({*labels.level})} {sorted({defect.kind for defect in (*labels.defects, *labels.warnings)})}"


def with_qrels(queries: str, topics: bytes, qrels: str) -> object:
    """Judgements beside sound queries."""

    def run(data: bytes, folder: Path) -> object:
        (folder / queries).write_bytes(topics)
        (folder / qrels).write_bytes(data)
        return checked(folder / queries, folder / qrels)

    return run


def judged(name: str, qrels: bytes) -> object:
    """Queries beside sound judgements."""

    def run(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        (folder / "judged.qrels").write_bytes(qrels)
        return checked(folder / name, folder / "judged.qrels")

    return run


def labelled(path: Path) -> object:
    """A file of labels as `ragdiag label` goes on with it: what is put into it is read again."""
    from ragdiag.core.records import Span
    from ragdiag.label.decisions import DecisionFile, record
    from ragdiag.label.setup import stale

    path.chmod(0o600)
    file = DecisionFile(path, any_query=True)
    stale(file, small_corpus(), [])
    file.put(record(Query("new", "New?"), [[Span(0, 0, 5)]], small_corpus().documents))
    assert DecisionFile(path, any_query=True).queries.keys() == file.queries.keys()
    return f"{min(len(file.queries), 4)} queries"


def asked(path: Path) -> object:
    """Questions to label, one a line."""
    from ragdiag.label.setup import questions

    return f"{min(len(questions(path)), 4)} questions"


def accepted(path: Path) -> object:
    """Answers that people accepted, put into a file of queries."""
    from ragdiag.label.accepted import write_accepted
    from ragdiag.sources.queries.own import read

    out = path.with_name("accepted.jsonl")
    added = write_accepted(path, {"q1": ["forty"], "q2": ["12:00"]}, out)
    assert sum(len(query.acceptable) for query in read(out)) >= added
    return added


def marks(path: Path) -> object:
    """What people say of answers."""
    from ragdiag.answering.people import load_marks, marked
    from ragdiag.core.records import Answer

    _, people = marked([Answer("q1", "oracle", "40 bar"), Answer("q2", "oracle", "no", correct=True)], load_marks([path]))
    return f"{people.n} {people.unknown > 0}"


def passages(data: bytes, folder: Path) -> object:
    """A labelled passage of any text, looked for in a document of any text; the second is what stands behind a null byte."""
    from ragdiag.core.records import Corpus, Document
    from ragdiag.sources.evidence import locate

    text, _, passage = data.decode("utf-8", "replace").partition("\0")
    corpus = Corpus((Document("a", text), Document("b", text[::-1] + " " + passage)))
    labels = locate(
        [Query("q", "?", evidence=(Label("a", passage),)), Query("r", "!", evidence=(Label("b", text, 0, len(passage)),))], corpus
    )
    rows = labels.evidence
    for document, start, end in zip(rows.document.tolist(), rows.start.tolist(), rows.end.tolist(), strict=True):
        assert 0 <= start < end <= len(corpus.documents[document].text)
    return f"{labels.level}"


MARKS = [
    {
        "query_id": "q1",
        "condition": "oracle",
        "answer": "40 bar",
        "correct": True,
        "by": "Ada",
        "drawn": "doubt",
        "judged": False,
    },
    {"query_id": "q1", "condition": "oracle", "answer": "40 bar", "correct": False, "by": "Bo"},
]
FIXTURES = (
    "broken_labels/queries.jsonl",
    "tidewater/queries.jsonl",
    "tidewater/unanswerable.jsonl",
    "failures/stale/queries.jsonl",
)

TARGETS = [
    Target("queries: own", lambda: [lines(OWN), *heads(*FIXTURES)], from_file("q.jsonl", checked), weight=2),
    Target("queries: Chroma's CSV", lambda: [CSV], from_file("q.csv", checked), (b'""', b",", b'"\n"')),
    Target(
        "queries: SQuAD", lambda: [json.dumps(SQUAD).encode(), json.dumps(SQUAD, indent=1).encode()], from_file("q.json", checked)
    ),
    Target(
        "queries: ragas",
        lambda: [lines(RAGAS), *(json.dumps(v).encode() for v in (RAGAS, {"samples": RAGAS}, COLUMNS, SPLIT))],
        from_file("q.json", checked),
    ),
    Target("queries: open questions", lambda: [lines(OPEN), json.dumps({"Data": OPEN}).encode()], from_file("q.json", checked)),
    Target(
        "queries: TREC topics", lambda: [TREC], judged("q.trec", QRELS), (b"<top>", b"</top>", b"<num>", b"<title>", b"Number:")
    ),
    Target(
        "queries: TREC's XML",
        lambda: [TREC_XML],
        judged("q.xml", QRELS),
        (b"<topic number='1'>", b"</topic>", b"<!DOCTYPE a [<!ENTITY b SYSTEM '../canary.txt'>]>", b"&b;"),
    ),
    Target("queries: TREC, tabs", lambda: [TABBED], judged("q.tsv", QRELS), weight=0.5),
    Target("queries: BEIR", lambda: [BEIR], judged("q.jsonl", BEIR_QRELS), weight=0.5),
    Target("qrels: TREC", lambda: [QRELS], with_qrels("t.trec", TREC, "t.qrels")),
    Target("qrels: BEIR", lambda: [BEIR_QRELS], with_qrels("b.jsonl", BEIR, "b.tsv")),
    Target(
        "labels: passages",
        lambda: [f"{t}\0{p}".encode() for t in TEXTS.values() for p in (t[6:40], " ".join(t[6:40].upper().split()))],
        passages,
        weight=1.5,
    ),
    Target("labels: a file gone on with", lambda: [lines(OWN), *heads(*FIXTURES[1:2])], from_file("labels.jsonl", labelled)),
    Target(
        "labels: questions of lines",
        lambda: [b"When does it close?\nWho?\n\nWho?\n", lines(OWN)],
        from_file("asks.txt", asked),
        weight=0.5,
    ),
    Target("labels: answers accepted", lambda: [lines(OWN)], from_file("q.jsonl", accepted), weight=0.5),
    Target("labels: of answers", lambda: [lines(MARKS)], from_file("marks.jsonl", marks)),
]
