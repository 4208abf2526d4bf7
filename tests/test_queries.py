"""Each query format from small hand-written files; each error with its file and line."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag import audit
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Corpus, Document, Label, Query
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")

GOOD = {"_id": "q1", "text": "Who?"}


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")
    return path


def jsonl(path: Path, *records: object) -> Path:
    return write(path, "".join(json.dumps(r) + "\n" for r in records))


def fails(path: Path, line: int, *words: str, qrels: Path | None = None, at: Path | None = None) -> None:
    """Loading `path` raises an `InputError` at `line` of `at` (by default `path`) that says `words`."""
    with pytest.raises(InputError) as error:
        load_queries(path, qrels)
    assert (error.value.file, error.value.line) == (str(at or path), line), str(error.value)
    for word in words:
        assert word in str(error.value)


# ---------------------------------------------------------------------------------------------------------- our own


def test_own_reads_every_field(tmp_path):
    path = jsonl(
        tmp_path / "q.jsonl",
        {
            "_id": 7,
            "text": "Who?",
            "answer": 1.5,
            "evidence": [
                {"doc_id": "a", "start": 0, "end": 4, "text": "Anna", "group": 1, "chunk_id": "x"},
                {"doc_id": 3, "text": "Berta", "group": "1"},
            ],
            "relevant": [{"doc_id": "a", "grade": 2}],
            "meta": {"kind": "who"},
            "difficulty": "easy",
        },
        {"_id": "none", "text": "", "unanswerable": True, "answer": None, "evidence": None},
    )
    assert load_queries(path) == (
        Query(
            "7",
            "Who?",
            "1.5",
            (Label("a", "Anna", 0, 4, "1"), Label("3", "Berta", group="1")),
            (("a", 2),),
            metadata={"difficulty": "easy", "kind": "who"},
            file=str(path),
            line=1,
        ),
        Query("none", "", unanswerable=True, file=str(path), line=2),
    )


def test_own_keeps_what_is_wrong_only_about_the_corpus(tmp_path):
    spans = [(-3, 2), (9, 4), (0, 10**12)]
    path = jsonl(tmp_path / "q.jsonl", GOOD | {"evidence": [{"doc_id": "a", "start": s, "end": e} for s, e in spans]})
    assert [(label.start, label.end) for label in load_queries(path)[0].evidence] == spans


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"text": None}, "text"),
        ({"_id": ""}, "empty"),
        ({"_id": True}, "_id"),
        ({"_id": 1.0}, "_id"),
        ({"answer": [["a"], None]}, "answer"),
        ({"answers": ["a", " "]}, "holds an empty text"),
        ({"answers": ["a", True]}, "answers"),
        ({"answer": {"name": "a"}}, "without 'value', 'aliases' or 'text'"),
        ({"answer": True}, "answer"),
        ({"unanswerable": 1}, "unanswerable"),
        ({"meta": []}, "meta"),
        ({"meta": {}, "metadata": {}}, "keep one"),
        ({"evidence": {"doc_id": "a"}}, "evidence"),
        ({"evidence": ["a"]}, "evidence"),
        ({"evidence": [{"text": "Anna"}]}, "doc_id"),
        ({"evidence": [{"doc_id": "", "text": "Anna"}]}, "doc_id"),
        ({"evidence": [{"doc_id": "a"}]}, "neither"),
        ({"evidence": [{"doc_id": "a", "start": 1}]}, "'start' without 'end'"),
        ({"evidence": [{"doc_id": "a", "end": 1, "text": "A"}]}, "'end' without 'start'"),
        ({"evidence": [{"doc_id": "a", "start": 0.0, "end": 1}]}, "start"),
        ({"evidence": [{"doc_id": "a", "start": False, "end": 1}]}, "start"),
        ({"evidence": [{"doc_id": "a", "text": "A", "group": ""}]}, "group"),
        ({"evidence": [{"doc_id": "a", "text": "A", "group": 1.5}]}, "group"),
        ({"relevant": [{"doc_id": "a", "grade": -1}]}, "grade"),
        ({"relevant": [{"doc_id": "a", "grade": 0.5}]}, "grade"),
        ({"relevant": [{"doc_id": "a"}]}, "grade"),
        ({"answer": float("nan")}, "NaN"),
    ],
)
def test_own_errors_name_file_and_line(tmp_path, change, word):
    fails(jsonl(tmp_path / "q.jsonl", GOOD, GOOD | {"_id": "q2"} | change), 2, word)


def test_missing_fields_and_broken_lines(tmp_path):
    fails(jsonl(tmp_path / "q.jsonl", {"text": "no id"}), 1, "_id")
    fails(jsonl(tmp_path / "q.jsonl", {"_id": "no text"}), 1, "text")
    fails(jsonl(tmp_path / "q.jsonl", GOOD, "text"), 2, "object")
    fails(write(tmp_path / "q.jsonl", '\n{"_id": "q1", "text"\n'), 2, "broken JSON")
    fails(write(tmp_path / "q.jsonl", '{"_id": "q1", "text": "a"}\n\n{"_id": "q2"\n'), 3, "broken JSON")


def test_repeated_ids(tmp_path):
    same = GOOD | {"evidence": [{"doc_id": "a", "text": "Anna"}]}
    assert [q.line for q in load_queries(jsonl(tmp_path / "q.jsonl", same, same))] == [1]
    fails(jsonl(tmp_path / "q.jsonl", GOOD, GOOD | {"_id": "q2"}, GOOD | {"text": "When?"}), 3, "'q1'", "line 1")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
far = 2**53  # beyond it JSON numbers are not exact, and an offset is an error
offsets = st.tuples(st.integers(-far, far), st.integers(-far, far))
spans = st.builds(lambda doc, text, at, group: Label(doc, text, *at, group), names, texts, offsets, st.just("") | names)
passages = st.builds(lambda doc, text: Label(doc, text), names, texts)
stored = st.builds(
    Query,
    id=names,
    text=texts,
    answer=texts,
    evidence=st.lists(spans | passages, max_size=3).map(tuple),
    relevant=st.lists(st.tuples(names, st.integers(0, 3)), max_size=3).map(tuple),
    unanswerable=st.booleans(),
    metadata=st.dictionaries(texts, st.none() | texts | st.integers(-far, far) | st.booleans(), max_size=2),
)


@given(st.lists(stored, min_size=1, max_size=4, unique_by=lambda q: q.id), st.booleans())
def test_own_round_trip(tmp_path_factory, queries, ascii_only):
    def record(q: Query) -> dict:
        evidence = [{"doc_id": e.doc_id, "text": e.text, "start": e.start, "end": e.end} for e in q.evidence]
        for item, label in zip(evidence, q.evidence, strict=True):
            item |= {"group": label.group} if label.group else {}
        relevant = [{"doc_id": d, "grade": g} for d, g in q.relevant]
        labels = {"evidence": evidence, "relevant": relevant, "unanswerable": q.unanswerable}
        return {"_id": q.id, "text": q.text, "answer": q.answer, **labels, "metadata": q.metadata}

    lines = [json.dumps(record(q), ensure_ascii=ascii_only) for q in queries]
    path = write(tmp_path_factory.getbasetemp() / "round.jsonl", "\n".join(lines))
    read = load_queries(path)
    assert [q.line for q in read] == list(range(1, len(queries) + 1))
    for got, wanted in zip(read, queries, strict=True):
        for name in ("id", "text", "answer", "evidence", "relevant", "unanswerable", "metadata"):
            assert getattr(got, name) == getattr(wanted, name)


# ------------------------------------------------------------------------------------------------------------- BEIR

HEADER = "query-id\tcorpus-id\tscore\n"


def beir(folder: Path, **splits: str) -> Path:
    jsonl(folder / "queries.jsonl", *({"_id": f"q{i}", "text": f"text {i}", "metadata": {}} for i in range(3)))
    for name, rows in splits.items():
        write(folder / "qrels" / f"{name}.tsv", HEADER + rows)
    return folder


def test_beir_keeps_the_judged_queries(tmp_path):
    folder = beir(tmp_path, test="q2\td1\t0\r\nq2\td2\t1\nq1\td1\t2\nq2\td2\t0\n", dev="q0\td1\t1\n")
    for path in (folder, folder / "queries.jsonl"):
        queries = load_queries(path)
        assert [(q.id, q.line) for q in queries] == [("q1", 2), ("q2", 3)]
        assert queries[1].relevant == (("d1", 0), ("d2", 1), ("d2", 0))
    assert [q.id for q in load_queries(folder, folder / "qrels" / "dev.tsv")] == ["q0"]
    trec = write(tmp_path / "qrels.txt", "q0 0 d9 1\n")
    assert load_queries(folder, trec)[0].relevant == (("d9", 1),)


def test_in_beir_a_document_is_its_title_and_its_text(tmp_path):
    jsonl(tmp_path / "queries.jsonl", {"_id": "q", "text": "what do cats eat"}, {"_id": "r", "text": "where do dogs sleep"})
    documents = ({"_id": "c", "title": "what cats eat", "text": ""}, {"_id": "d", "title": "where dogs sleep", "text": "mats"})
    jsonl(tmp_path / "corpus.jsonl", *documents, *({"_id": f"x{i}", "title": "", "text": f"other {i}"} for i in range(8)))
    write(tmp_path / "qrels" / "test.tsv", HEADER + "q\tc\t1.0\nr\td\t1.0\n")
    told = "1 documents have a title that is not indexed"
    for context, ranks, said in (("title", [1.0, 1.0], False), ("none", [1.0, 0.0], True)):
        report = audit(tmp_path, tmp_path, retriever="bm25(variant=plus)", context=context, cache=None)
        assert [query.measures["RR"] for query in report.queries] == ranks
        assert any(told in note for note in report.notes) == said


def test_beir_takes_the_only_split(tmp_path):
    assert [q.id for q in load_queries(beir(tmp_path, dev="q0\td1\t1\n"))] == ["q0"]


def test_beir_errors(tmp_path):
    folder = beir(tmp_path / "several", dev="q0\td1\t1\n", train="q1\td1\t1\n")
    fails(folder, 0, "--qrels", "dev.tsv, train.tsv", at=folder / "qrels")
    bad = {
        "q9\td1\t1\n": "'q9'",
        "q0\td1\n": "3 columns",
        "q0\td1\t1.5\n": "grade 1.5 is no whole number",
        "q0\td1\t1_0\n": "integer",
    }
    for rows, word in bad.items():
        folder = beir(tmp_path / "bad", test="q0\td1\t1\n" + rows)
        fails(folder, 3, word, at=folder / "qrels" / "test.tsv")
    folder = beir(tmp_path / "empty", test="")
    fails(folder, 0, "no judgements", at=folder / "qrels" / "test.tsv")
    headless = write(tmp_path / "headless.tsv", "q0\td1\t1\n")
    fails(folder, 1, "header", qrels=headless, at=headless)
    fails(tmp_path, 0, "queries.jsonl")


def test_labels_of_their_own_win_over_a_folder_and_refuse_qrels(tmp_path):
    folder = beir(tmp_path, test="q0\td1\t1\n")
    path = jsonl(folder / "queries.jsonl", GOOD, {"_id": "q2", "text": "b", "evidence": [{"doc_id": "a", "text": "x"}]})
    assert len(load_queries(path)) == 2
    with pytest.raises(UsageError, match="labels of its own"):
        load_queries(path, folder / "qrels" / "test.tsv")


# ------------------------------------------------------------------------------------------------------------- TREC

CLASSIC = """
<top>
<num> Number: 301
<title> International Organized
 Crime

<desc> Description:
Identify organizations where losses < 5 &amp; more.
</top>

<top>
<num>302</num>
<title>Polio</title><narr> Narrative: any </narr>
</top>
"""
XML = """<?xml version="1.0" encoding="UTF-8"?>
<topics task="x">
 <topic number="301" type="faceted">
  <query>organized &amp; crime</query><narrative>n</narrative>
  <subtopic>one</subtopic><subtopic>two</subtopic>
 </topic>
 <topic number="302">polio</topic>
</topics>
"""
QRELS = "301 0 d1 1\n301\t0\td2\t-1\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("topics.txt", CLASSIC, [("International Organized Crime", 2), ("Polio", 11)]),
        ("topics.xml", XML, [("organized & crime", 3), ("polio", 7)]),
        ("topics.tsv", "301\tcrime \r\n\n302\t", [("crime ", 1), ("", 3)]),
    ],
)
def test_trec_topics(tmp_path, name, content, expected):
    path = write(tmp_path / name, content)
    fails(path, 0, "--qrels")
    write(tmp_path / "my.qrels.txt", QRELS)
    queries = load_queries(path)
    assert [(q.text, q.line) for q in queries] == expected
    assert [(q.id, q.relevant) for q in queries] == [("301", (("d1", 1), ("d2", -1))), ("302", ())]
    other = write(tmp_path / "qrels.2", "302 0 d1 1\n")
    fails(path, 0, "my.qrels.txt, qrels.2", "--qrels")
    assert load_queries(path, other)[1].relevant == (("d1", 1),)


def test_trec_keeps_the_other_fields(tmp_path):
    qrels = write(tmp_path / "qrels", QRELS)
    classic = load_queries(write(tmp_path / "t.txt", CLASSIC), qrels)
    assert classic[0].metadata == {"desc": "Identify organizations where losses < 5 & more."}
    assert classic[1].metadata == {"narr": "any"}
    xml = load_queries(write(tmp_path / "t.xml", XML), qrels)
    assert xml[0].metadata == {"type": "faceted", "narrative": "n", "subtopic": ["one", "two"]}


@pytest.mark.parametrize(
    ("name", "content", "line", "word"),
    [
        ("t.txt", CLASSIC.replace("</top>", "", 1), 2, "not closed"),
        ("t.txt", CLASSIC.replace("more.\n</top>", "more.\n</top>\nstray", 1), 10, "outside"),
        ("t.txt", CLASSIC + "<top>\n<num> 303", 15, "</top>"),
        ("t.txt", CLASSIC.replace("</title>", "</title> stray"), 11, "stray"),
        ("t.txt", CLASSIC.replace("<num>302</num>", ""), 11, "no 'num'"),
        ("t.txt", CLASSIC.replace("302", ""), 11, "empty"),
        ("t.txt", CLASSIC.replace("<title>Polio", "<title>Polio<title>Again"), 11, "twice"),
        ("t.xml", XML.replace("</query>", ""), 6, "broken XML"),
        ("t.xml", XML.replace("<topics", '<!DOCTYPE t [\n<!ENTITY a "b">]>\n<topics'), 3, "entities"),
        ("t.xml", XML.replace("<topics", '<!DOCTYPE t SYSTEM "t.dtd">\n<topics').replace("polio", "&a;"), 8, "undefined entity"),
        ("t.xml", XML.replace(' number="302"', ""), 7, "no 'number'"),
        ("t.xml", XML.replace("polio", ""), 7, "no 'query'"),
        ("t.tsv", "301\tcrime\n302 polio\n", 2, "TAB"),
        ("t.tsv", "301\tcrime\n302\tpolio\tmore\n", 2, "TAB"),
    ],
)
def test_trec_errors(tmp_path, name, content, line, word):
    fails(write(tmp_path / name, content), line, word, qrels=write(tmp_path / "qrels", QRELS))


def test_trec_qrels_errors(tmp_path):
    topics = write(tmp_path / "t.tsv", "301\tcrime\n")
    for row, word in {"999 0 d 1": "'999'", "301 0 d": "4 columns", "301 0 d high": "'high'"}.items():
        qrels = write(tmp_path / "qrels", f"301 0 d 1\n\n{row}\n")
        fails(topics, 3, word, at=qrels)


# ------------------------------------------------------------------------------------------------------- Chroma's CSV


def chroma(path: Path, *rows: tuple[str, str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([("question", "references", "corpus_id"), *rows])
    return path


def test_chroma_csv(tmp_path):
    reference = json.dumps([{"content": "Anna", "start_index": 3, "end_index": 7}])
    long = json.dumps([{"content": "x" * 140_000, "start_index": 0, "end_index": 140_000}])
    limit = csv.field_size_limit()
    path = chroma(tmp_path / "q.csv", ("Who,\nor what?", reference, "a"), ("Long?", long, "b"), ("None?", "[]", "b"))
    queries = load_queries(path)
    assert [(q.id, q.text, q.line) for q in queries] == [
        ("q0000", "Who,\nor what?", 2),
        ("q0001", "Long?", 4),
        ("q0002", "None?", 5),
    ]
    assert queries[0].evidence == (Label("a", "Anna", 3, 7),)
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("references", "word"),
    [
        ("not json", "references: broken JSON"),
        ('{"content": 1}', "list"),
        ('[{"content": "a", "start_index": 1}]', "end_index"),
        ('[{"content": "a", "start_index": 1, "end_index": true}]', "end_index"),
        ('[{"start_index": 1, "end_index": 2}]', "content"),
    ],
)
def test_chroma_errors(tmp_path, references, word):
    fails(chroma(tmp_path / "q.csv", ("two\nlines", "[]", "a"), ("b", references, "a")), 4, word)


@pytest.mark.parametrize(("name", "mark"), [("q.csv", ","), ("q.csv", ";"), ("q.csv", "\t"), ("q.tsv", "\t")])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_chroma_columns_may_be_parted_as_excel_does(tmp_path, name, mark, bom):
    reference = json.dumps([{"content": "A, b; c", "start_index": 3, "end_index": 10}]).replace('"', '""')
    text = bom + "\n".join([mark.join(["question", "references", "corpus_id"]), mark.join(["Who?", f'"{reference}"', "a"])])
    (query,) = load_queries(write(tmp_path / name, text))
    assert (query.text, query.evidence) == ("Who?", (Label("a", "A, b; c", 3, 10),))


def test_broken_csv(tmp_path):
    head = "question,references,corpus_id\na,[],x\n"
    limit = csv.field_size_limit()
    fails(write(tmp_path / "q.csv", head + "b,[]\n"), 3, "2 columns, not 3")
    fails(write(tmp_path / "q.csv", head + 'b,"[]\n\n'), 3, "broken CSV")
    fails(write(tmp_path / "q.csv", head.split("\n")[0]), 0, "no queries")
    assert csv.field_size_limit() == limit


# ------------------------------------------------------------------------------------------------------------ SQuAD


def squad(*qas: dict, **paragraph: object) -> dict:
    return {
        "version": "2.0",
        "data": [{"title": "T", "paragraphs": [{"context": "Anna met Bo.", "qas": list(qas), **paragraph}]}],
    }


ANNA, BO = {"text": "Anna", "answer_start": 0}, {"text": "Bo", "answer_start": 9}


@pytest.mark.parametrize("indent", [None, 1])
def test_squad(tmp_path, indent):
    qas = (
        {"id": 1, "question": 'Who, "question": me?', "answers": [ANNA, BO, ANNA], "is_impossible": False},
        {"id": "2", "question": "Who?", "answers": [BO]},
        {"id": "3", "question": "Why?", "is_impossible": True, "plausible_answers": [ANNA]},
    )
    content = json.dumps(squad(*qas), indent=indent)
    queries = load_queries(write(tmp_path / "q.json", content))
    rows = content.split("\n")
    assert [q.line for q in queries] == [
        next(i for i, row in enumerate(rows, 1) if json.dumps(qa["question"]) in row) for qa in qas
    ]
    context = "Anna met Bo."
    alternatives = (Label("T", "Anna", 0, 4, "answers", context), Label("T", "Bo", 9, 11, "answers", context))
    assert [q.evidence for q in queries] == [alternatives, (Label("T", "Bo", 9, 11, "", context),), ()]
    assert [(q.id, q.answer, q.unanswerable) for q in queries] == [("1", "Anna", False), ("2", "Bo", False), ("3", "", True)]
    assert queries[1].metadata == {"squad_path": "data[0].paragraphs[0].qas[1]"}
    assert queries[2].metadata["plausible_answers"] == [ANNA]


def test_squad_ids_get_their_document_where_they_collide(tmp_path):
    qa = {"id": 5, "question": "Who?", "answers": [ANNA]}
    both = squad(qa, qa, document_id=7)
    both["data"] += squad(qa, qa | {"id": 6}, document_id=8)["data"]
    queries = load_queries(write(tmp_path / "q.json", json.dumps(both)))
    assert [(q.id, q.evidence[0].doc_id) for q in queries] == [("doc_7_5", "7"), ("doc_8_5", "8"), ("doc_8_6", "8")]
    clash = squad(qa, qa | {"question": "When?"})
    fails(
        write(tmp_path / "q.json", json.dumps(clash, indent=0)),
        22,
        "'doc_T_5'",
        "data[0].paragraphs[0].qas[0]",
        "qas[1]",
        "line 12",
    )


@pytest.mark.parametrize(
    ("qa", "word"),
    [
        ({"id": 1, "question": "Who?"}, "answers"),
        ({"id": 1, "question": "Who?", "answers": ["Anna"]}, "object"),
        ({"id": 1, "question": "Who?", "answers": [{"text": "Anna", "answer_start": "0"}]}, "answer_start"),
        ({"id": 1, "question": "Who?", "answers": [{"answer_start": 0}]}, "text"),
        ({"question": "Who?", "answers": []}, "id"),
        ({"id": 1, "question": "Who?", "answers": [], "is_impossible": 0}, "is_impossible"),
    ],
)
def test_squad_errors(tmp_path, qa, word):
    content = json.dumps(squad({"id": 0, "question": "?", "answers": []}, qa), indent=0)
    line = next(i for i, row in enumerate(content.split("\n"), 1) if "Who?" in row)
    fails(write(tmp_path / "q.json", content), line, "data[0].paragraphs[0].qas[1]", word)


def test_squad_structure_errors(tmp_path):
    fails(write(tmp_path / "q.json", '{"data": [{"paragraphs": 3}]}'), 0, "data[0]: 'paragraphs'")
    fails(write(tmp_path / "q.json", '{"data": [3]}'), 0, "data[0]: an object")
    fails(write(tmp_path / "q.json", json.dumps(squad(context=None))), 0, "data[0].paragraphs[0]: 'context'")
    fails(write(tmp_path / "q.json", '{"data": []}'), 0, "no queries")


# ------------------------------------------------------------------------------------------------------------ ragas

NEW = {
    "user_input": "Who?",
    "reference": "Anna",
    "reference_contexts": ["<1-hop>\n\nAnna met Bo.", "Bo"],
    "response": "Bo",
    "rubrics": None,
}
OLD = {"question": "When?", "ground_truth": "Now", "id": 4, "contexts": ["x"]}


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("q.jsonl", f"{json.dumps(NEW)}\n\n{json.dumps(OLD)}", [1, 3]),
        ("q.json", json.dumps([NEW, OLD]), [1, 1]),
        ("q.json", json.dumps({"samples": [NEW, OLD]}, indent=0), [4, 14]),
    ],
)
def test_ragas(tmp_path, name, content, lines):
    queries = load_queries(write(tmp_path / name, content))
    assert [(q.id, q.text, q.answer) for q in queries] == [("r0000", "Who?", "Anna"), ("4", "When?", "Now")]
    assert [q.evidence for q in queries] == [(Label(text="Anna met Bo."), Label(text="Bo")), ()]
    assert [q.metadata for q in queries] == [{"response": "Bo"}, {"contexts": ["x"]}]
    assert [q.line for q in queries] == lines


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"user_input": [{"type": "human", "content": "Who?"}]}, "single-turn"),
        ({"user_input": 3}, "user_input"),
        ({"user_input": None}, "user_input"),
        ({"user_input": "a", "reference": ["x", ""]}, "holds an empty text"),
        ({"user_input": "a", "reference_contexts": "x"}, "reference_contexts"),
        ({"user_input": "a", "reference_contexts": [None]}, "reference_contexts"),
        ({"user_input": "a", "id": 0.5}, "id"),
    ],
)
def test_ragas_errors(tmp_path, bad, word):
    fails(jsonl(tmp_path / "q.jsonl", NEW, bad), 2, "samples[1]", word)
    fails(write(tmp_path / "q.json", json.dumps([NEW, 3])), 1, "samples[1]", "object")


PAY = {"question": "When?", "ground_truth": "Now", "contexts": ["Pay is due now."]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.json", {key: [value, value] for key, value in PAY.items()}),  # datasets: Dataset.to_dict, Dataset.from_dict
        ("q.json", {key: {"0": value, "1": value} for key, value in PAY.items()}),  # pandas: to_json()
        ("q.json", {"columns": [*PAY], "index": [0, 1], "data": [[*PAY.values()]] * 2}),  # orient="split"
        ("q.json", {"3": PAY, "7": PAY}),  # orient="index"
        ("q.json", {"schema": {"fields": []}, "data": [PAY, PAY]}),  # orient="table"
        ("q.jsonl", [PAY, PAY]),
        ("q.json", {"questions": [PAY, PAY]}),
        ("q.json", {"examples": [PAY, PAY]}),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_rows_are_read_however_they_are_laid_out(tmp_path, name, content, indent):
    queries = load_queries(write(tmp_path / name, json.dumps(content, indent=indent)))
    assert [(q.text, q.answer, q.metadata) for q in queries] == [("When?", "Now", {"contexts": ["Pay is due now."]})] * 2


def test_contexts_count_as_labels_where_ragas_made_the_question_from_them(tmp_path):
    made = {**PAY, "evolution_type": "simple", "metadata": [{"source": "pay.txt"}], "episode_done": True}
    older = {"question": "When?", "ground_truth": ["Now"], "ground_truth_context": ["Pay is due now."], "question_type": "simple"}
    for record in (made, older):
        (query,) = load_queries(jsonl(tmp_path / "q.jsonl", record))
        assert query.evidence == (Label(text="Pay is due now."),)
    (query,) = load_queries(jsonl(tmp_path / "q.jsonl", {**made, "reference_contexts": ["Pay"]}))
    assert query.evidence == (Label(text="Pay"),)
    (query,) = load_queries(jsonl(tmp_path / "q.jsonl", PAY))
    assert query.evidence == ()
    (defect,) = locate([query], Corpus((Document("pay.txt", "Pay is due now."),))).defects
    assert defect.message.endswith("; rename contexts to reference_contexts if these are the passages the question was made from")
    fails(jsonl(tmp_path / "q.jsonl", {"question": "When?", "contexts": ["x"]}), 0, "rename contexts to reference_contexts")


def test_columns_that_are_none_are_told_from_conversations(tmp_path):
    uneven = {"question": ["a", "b"], "ground_truth": ["x"], "contexts": [["y"]]}
    fails(write(tmp_path / "q.json", json.dumps(uneven)), 1, "columns of different lengths")


# ------------------------------------------------------------------------------------------------------------ layouts


def test_our_own_records_may_be_one_json_value_and_that_is_said(tmp_path, caplog):
    other = {**GOOD, "_id": "other"}
    for content, form in (([GOOD, other], "list"), ({"queries": [GOOD, other]}, "object"), ({"a": GOOD, "b": other}, "object")):
        caplog.clear()
        queries = load_queries(write(tmp_path / "q.json", json.dumps(content, indent=1)))
        assert [q.id for q in queries] == [GOOD["_id"], "other"]
        assert f"q.json: one JSON {form}, not JSON Lines; read all the same: queries 2" in caplog.text
    caplog.clear()
    assert len(load_queries(write(tmp_path / "q.json", json.dumps(GOOD, indent=1)))) == 1
    assert len(load_queries(jsonl(tmp_path / "q.jsonl", GOOD, other))) == 2
    assert not caplog.text
    fails(write(tmp_path / "q.json", json.dumps([GOOD, "x"])), 1, "a query is a JSON object, not a str")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (json.dumps(GOOD) + json.dumps(GOOD), 1, "write one JSON value on each line"),
        (f"{json.dumps(GOOD, indent=1)}\n{json.dumps(GOOD, indent=1)}", 1, "its records take several lines each"),
        (f"{json.dumps(GOOD)},\n{json.dumps(GOOD)}", 1, "leave out the comma behind the record"),
        (f"{json.dumps(GOOD)}\n{json.dumps(GOOD)[:-1]}, }}", 2, "leave out the comma before the closing bracket"),
        (f"{json.dumps(GOOD)}\n{GOOD!r}", 2, "that is Python, not JSON"),
        (f"{json.dumps(GOOD)}\n{{'_id': None}}", 2, "that is Python, not JSON"),
        (f"{json.dumps(GOOD)}\n{json.dumps(GOOD)[:-1]}", 2, "mend that line"),
    ],
)
def test_what_is_nearly_json_is_told_what_it_is(tmp_path, text, line, said):
    fails(write(tmp_path / "q.jsonl", text), line, said)


# -------------------------------------------------------------------------------------------------------- grades


@pytest.mark.parametrize("grade", [2, 2.0, "2", "2.0", "2."])
def test_a_whole_grade_is_read_however_it_is_written(tmp_path, grade):
    (query,) = load_queries(jsonl(tmp_path / "q.jsonl", {"_id": "q", "text": "x", "relevant": [{"doc_id": "a", "grade": grade}]}))
    assert query.relevant == (("a", 2),)
    folder = beir(tmp_path / "beir", test=f"q0\td1\t{grade}\n")
    assert load_queries(folder)[0].relevant == (("d1", 2),)
    assert load_queries(folder, write(tmp_path / "trec.txt", f"q0 0 d1 {grade}\n"))[0].relevant == (("d1", 2),)


@pytest.mark.parametrize("grade", [0.5, "0.5", 1.25, "2.5e0", ".5"])
def test_a_fraction_is_no_grade_and_that_is_said(tmp_path, grade):
    record = {"_id": "q", "text": "x", "relevant": [{"doc_id": "a", "grade": grade}]}
    fails(jsonl(tmp_path / "q.jsonl", record), 1, f"grade {grade} is no whole number", "scale all grades")
    folder = beir(tmp_path / "beir", test=f"q0\td1\t{grade}\n")
    fails(folder, 2, f"grade {grade} is no whole number", at=folder / "qrels" / "test.tsv")


def test_grades_that_are_no_numbers(tmp_path):
    for grade in (True, "yes", ""):
        record = {"_id": "q", "text": "x", "relevant": [{"doc_id": "a", "grade": grade}]}
        fails(jsonl(tmp_path / "q.jsonl", record), 1, "grade")


# -------------------------------------------------------------------------------------------------------- detection


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.csv", "a,b\n1,2\n"),
        ("q.txt", "301\tcrime\n"),
        ("q.html", "<html></html>"),
        ("q.json", '{"queries": []}'),
        ("q.json", "[]"),
        ("q.json", '[{"question": "Who?", "answer": "Anna"}]'),
        ("q.tsv", HEADER),
        ("q.jsonl", "plain text"),
    ],
)
def test_what_fits_nothing_lists_the_formats(tmp_path, name, content):
    fails(write(tmp_path / name, content), 0, "no known format", "evidence", "BEIR", "TREC", "Chroma", "SQuAD", "ragas")


def test_files_that_cannot_be_read(tmp_path):
    fails(tmp_path / "absent.jsonl", 0, "cannot be read")
    fails(write(tmp_path / "q.jsonl", " \n"), 0, "no queries")
    fails(write(tmp_path / "q.json", '{\n"data": [}'), 2, "broken JSON")
    (tmp_path / "latin.jsonl").write_bytes(b'{"_id": "\xe9"}')
    fails(tmp_path / "latin.jsonl", 0, "not UTF-8", "byte 9")


# -------------------------------------------------------------------------------------------------- public data sets


@needs_data
def test_public_chroma_csv_is_the_converted_set():
    original = load_queries(DATA / "chroma_chunking/original/questions_df.csv")
    converted = load_queries(DATA / "chroma_chunking/queries.jsonl")
    assert len(original) == 472
    assert [(q.id, q.text, q.evidence) for q in original] == [(q.id, q.text, q.evidence) for q in converted]


@needs_data
def test_public_squad_file():
    original = load_queries(DATA / "covidqa/original/200423_covidQA.json")
    converted = load_queries(DATA / "covidqa")
    assert len(original) == 1380
    assert [f"doc_{q.evidence[0].doc_id}_{q.id}" for q in original] == [q.id for q in converted]
    exact = sum(q.evidence[0].doc_text[q.evidence[0].start : q.evidence[0].end] == q.evidence[0].text for q in original)
    assert exact == 1146  # the offsets that drift are kept as they are


@needs_data
@pytest.mark.parametrize(
    ("name", "queries", "spans"), [("anthropic_docs", 100, 192), ("covid_faq_versions", 309, 318), ("hotpot100", 100, 249)]
)
def test_public_sets(name, queries, spans):
    read = load_queries(DATA / name / "queries.jsonl")
    assert (len(read), sum(len(q.evidence) for q in read)) == (queries, spans)


def test_a_topic_in_a_topic_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "topics.xml"
    path.write_text('<topics>\n<topic number="1"><query>a</query>\n<topic number="2"/></topic></topics>')
    (tmp_path / "qrels.txt").write_text("1 0 d 1\n")
    with pytest.raises(InputError, match=r"topics\.xml:3: a topic stands inside another"):
        load_queries(path)


def test_a_csv_with_one_long_line_is_in_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("x" * 200_000)
    with pytest.raises(InputError, match="no known format"):
        load_queries(tmp_path / "q.csv")
