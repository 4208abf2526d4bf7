"""Everything that can be wrong with what a user hands in, through the real command line.

A file that is not what it claims to be stops the run: status 2, one line with file, line and remedy. A document that cannot be
read, and a label that is wrong about the corpus, is shown, counted and left out: status 0 in `audit`, 1 in `check`. Nothing prints
a traceback, and no input is ever modified.
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
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from ragdiag.cli import main

ALPHA = "Alpha pumps run at 40 bar. The valve closes at night. Oil is changed in May.\n"
BETA = "# Beta\r\n\r\nBeta pumps run at 60 bar.\r\nThe valve closes at noon. The valve closes at noon.\r\n"
GOOD = {
    "_id": "good",
    "text": "bar of alpha pumps",
    "evidence": [{"doc_id": "alpha.txt", "start": 0, "end": 26, "text": ALPHA[:26]}],
}

Content = str | bytes | Callable[[Path], object] | None
AUDIT = ("audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--no-cache")
JSONL = ("audit", "corpus.jsonl", "queries.jsonl", "--retriever", "bm25", "--no-cache")


def lines(*records: object) -> str:
    return "".join(json.dumps(r) + "\n" for r in records)


def labelled(**label: object) -> str:
    """A good query on line 1, and on line 2 one with this label."""
    return lines(GOOD, {"_id": "bad", "text": "when does the valve close", "evidence": [label]})


def query(**fields: object) -> str:
    return lines(GOOD, {"_id": "bad", "text": "when does the valve close", **fields})


def retrieved(*items: object, query_id: str = "good") -> str:
    return lines({"query_id": query_id, "retrieved": items})


def squad(**answer: object) -> str:
    qas = [{"id": "s1", "question": "what", "answers": [answer]}]
    return json.dumps({"data": [{"title": "alpha.txt", "paragraphs": [{"context": ALPHA, "qas": qas}]}]}, indent=1)


def docx(body: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")
        z.writestr("word/document.xml", body)
    return packed.getvalue()


class Bad(NamedTuple):
    """What is put in place of the good files (None: removed), the command, its status, and what its one line says."""

    what: str
    files: Mapping[str, Content]
    command: tuple[str, ...]
    status: int
    says: tuple[str, ...]


def stops(what: str, files: Mapping[str, Content], *says: str, command: tuple[str, ...] = AUDIT) -> Bad:
    return Bad(what, files, command, 2, says)


def option(what: str, *extra: str, says: tuple[str, ...], files: Mapping[str, Content] | None = None) -> Bad:
    return Bad(what, files or {}, (*AUDIT, *extra), 2, says)


def goes_on(what: str, files: Mapping[str, Content], *says: str) -> Bad:
    return Bad(what, files, AUDIT, 0, says)


PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pag"
TOPICS = "<top>\n<num> 301\n<title> pumps\n</top>\n"
CSV = "question,references,corpus_id\n"
BEIR = lines({"_id": "b1", "text": "pumps"})
QRELS = "query-id\tcorpus-id\tscore\n"

CORPUS = [
    stops(
        "no corpus", {}, "nowhere: there is no such file or folder; check the path", command=("audit", "nowhere", "queries.jsonl")
    ),
    stops("empty folder", {"corpus/alpha.txt": None, "corpus/beta.md": None}, "corpus: holds no documents; documents are .txt"),
    stops(
        "folder of other kinds",
        {"corpus/alpha.txt": None, "corpus/beta.md": None, "corpus/t.csv": "1"},
        "holds no documents, only 1 .csv",
    ),
    stops(
        "glob that matches nothing", {}, "corpus/*.html: holds no documents", command=("audit", "corpus/*.html", "queries.jsonl")
    ),
    stops("file of an unknown kind", {"t.csv": "1"}, "t.csv: is of a kind that is not read", command=("audit", "t.csv", "q")),
    stops(
        "no document can be read",
        {"corpus/alpha.txt": b"\xff\xff", "corpus/beta.md": b"ok \xe9t\xe9"},
        "none of its documents can be read (2 failed)",
        "corpus/alpha.txt: is not UTF-8 (byte 0xff) at byte 0",
    ),
    stops(
        "corpus.jsonl: broken JSON",
        {"corpus.jsonl": '{"_id": "a", "text": "x"}\n{"_id": '},
        "corpus.jsonl:2: broken JSON",
        command=JSONL,
    ),
    stops("corpus.jsonl: a list", {"corpus.jsonl": "[1]\n"}, "corpus.jsonl:1: a JSON object is expected", command=JSONL),
    stops("corpus.jsonl: NaN", {"corpus.jsonl": '{"_id": "a", "text": NaN}'}, "corpus.jsonl:1:", "NaN is not", command=JSONL),
    stops(
        "corpus.jsonl: Infinity",
        {"corpus.jsonl": '\n{"_id": "a", "text": "x", "metadata": {"v": -Infinity}}'},
        "corpus.jsonl:2:",
        "-Infinity is not a JSON number",
        command=JSONL,
    ),
    stops("corpus.jsonl: no id", {"corpus.jsonl": lines({"text": "x"})}, "corpus.jsonl:1: field '_id' is missing", command=JSONL),
    stops(
        "corpus.jsonl: no text", {"corpus.jsonl": lines({"_id": "x"})}, "corpus.jsonl:1: field 'text' is missing", command=JSONL
    ),
    stops(
        "corpus.jsonl: number as text", {"corpus.jsonl": lines({"_id": "x", "text": 5})}, ":1: 'text' must be str", command=JSONL
    ),
    stops(
        "corpus.jsonl: one id, two texts",
        {"corpus.jsonl": lines({"_id": "x", "text": "a"}, {"_id": "x", "text": "a"}, {"_id": "x", "text": "b"})},
        "corpus.jsonl:3: _id 'x' is that of another document, on line 1",
        command=JSONL,
    ),
    stops(
        "corpus.jsonl: a key twice",
        {"corpus.jsonl": '{"_id": "a", "_id": "b", "text": ""}'},
        ":1:",
        "'_id' stands twice",
        command=JSONL,
    ),
    stops("corpus.jsonl: empty", {"corpus.jsonl": "\n\n"}, "corpus.jsonl: holds no documents", command=JSONL),
    stops(
        "corpus.jsonl: not UTF-8",
        {"corpus.jsonl": b'{"_id": "a", "text": "\xe9"}'},
        "corpus.jsonl:1 at byte 22: is not UTF-8",
        command=JSONL,
    ),
    stops(
        "corpus.jsonl: UTF-16",
        {"corpus.jsonl": lines(GOOD).encode("utf-16")},
        "corpus.jsonl:1 at byte 0: is UTF-16",
        command=JSONL,
    ),
    stops(
        "corpus.jsonl: half a surrogate pair",
        {"corpus.jsonl": r'{"_id": "a", "text": "\ud83d"}'},
        ":1:",
        "surrogate",
        command=JSONL,
    ),
    stops("corpus.jsonl: a pipe", {"corpus.jsonl": os.mkfifo}, "corpus.jsonl: is not a regular file", command=JSONL),
    stops("docs.jsonl: broken", {"docs.jsonl": "{"}, "docs.jsonl:1: broken JSON"),
    stops(
        "docs.jsonl: one id for two files",
        {"docs.jsonl": lines({"_id": "x", "file": "corpus/alpha.txt"}, {"_id": "x", "file": "corpus/beta.md"})},
        "docs.jsonl:2: _id 'x' stands on line 1 already",
    ),
    stops("docs.jsonl: no file", {"docs.jsonl": lines({"_id": "x"})}, "docs.jsonl:1: field 'file' is missing"),
]

QUERIES = [
    stops("no queries", {"queries.jsonl": None}, "queries.jsonl: cannot be read (No such file or directory); check the path"),
    stops("empty file", {"queries.jsonl": ""}, "queries.jsonl: holds no queries; give at least one"),
    stops("blank lines", {"queries.jsonl": "\n \n"}, "queries.jsonl: holds no queries"),
    stops("folder of no queries", {}, "corpus: the folder holds no queries.jsonl", command=("audit", "corpus", "corpus")),
    stops("a pipe", {"queries.jsonl": lambda p: (p.unlink(), os.mkfifo(p))}, "queries.jsonl: is a pipe or a device"),
    stops("broken JSON", {"queries.jsonl": lines(GOOD) + '{"_id": "x",'}, "queries.jsonl:2: broken JSON", "mend that line"),
    stops("NaN", {"queries.jsonl": lines(GOOD) + '{"_id": "x", "text": "y", "answer": NaN}'}, "queries.jsonl:2:", "NaN"),
    stops(
        "a number too large",
        {"queries.jsonl": labelled(doc_id="alpha.txt", start=0, end=10**30)},
        "queries.jsonl:2: 'end' is beyond",
    ),
    stops(
        "half a surrogate pair",
        {"queries.jsonl": lines(GOOD) + r'{"_id": "x", "text": "\udc00"}'},
        "queries.jsonl:2:",
        "surrogate",
    ),
    stops("a list", {"queries.jsonl": lines(GOOD) + "[]\n"}, "queries.jsonl:2: a JSON object is expected on each line"),
    stops("no id", {"queries.jsonl": lines(GOOD, {"text": "y"})}, "queries.jsonl:2: field '_id' is missing; add it"),
    stops("no text", {"queries.jsonl": lines(GOOD, {"_id": "x"})}, "queries.jsonl:2: field 'text' is missing; add it"),
    stops("number as text", {"queries.jsonl": query(text=7)}, "queries.jsonl:2: 'text' must be str, not int"),
    stops(
        "evidence is no list", {"queries.jsonl": query(evidence="alpha.txt")}, "queries.jsonl:2: 'evidence' must be list, not str"
    ),
    stops(
        "evidence of texts", {"queries.jsonl": query(evidence=["x"])}, "queries.jsonl:2: 'evidence' must hold objects, not str"
    ),
    stops(
        "start as text", {"queries.jsonl": labelled(doc_id="alpha.txt", start="0", end=4)}, "queries.jsonl:2: 'start' must be int"
    ),
    stops(
        "start as fraction",
        {"queries.jsonl": labelled(doc_id="alpha.txt", start=0.5, end=4)},
        "queries.jsonl:2: 'start' must be int",
    ),
    stops(
        "start as boolean",
        {"queries.jsonl": labelled(doc_id="alpha.txt", start=True, end=4)},
        "queries.jsonl:2: 'start' must be int",
    ),
    stops(
        "start, no end",
        {"queries.jsonl": labelled(doc_id="alpha.txt", start=3)},
        "queries.jsonl:2: evidence has 'start' without 'end'",
    ),
    stops("neither offsets nor text", {"queries.jsonl": labelled(doc_id="alpha.txt")}, "queries.jsonl:2: evidence has neither"),
    stops("no document", {"queries.jsonl": labelled(text="x")}, "queries.jsonl:2: field 'doc_id' is missing"),
    stops(
        "negative grade", {"queries.jsonl": query(relevant=[{"doc_id": "alpha.txt", "grade": -1}])}, "queries.jsonl:2: 'grade'"
    ),
    stops("unanswerable as text", {"queries.jsonl": query(unanswerable="yes")}, "queries.jsonl:2: 'unanswerable' must be bool"),
    stops(
        "one id, two queries",
        {"queries.jsonl": lines(GOOD, {**GOOD, "text": "z"})},
        "queries.jsonl:2: query id 'good' stands with other",
    ),
    stops(
        "no known format", {"queries.jsonl": '{"foo": 1}'}, "queries.jsonl: is in no known format of queries; known: JSON Lines"
    ),
    stops("not UTF-8", {"queries.jsonl": lines(GOOD).encode() + b"\xe9"}, "queries.jsonl at byte", "is not UTF-8 (byte 0xe9)"),
    stops("UTF-16", {"queries.jsonl": lines(GOOD).encode("utf-16")}, "queries.jsonl at byte 0: is UTF-16, not UTF-8; convert it"),
    stops(
        "no label is right",
        {"queries.jsonl": lines({**GOOD, "text": " "})},
        "queries.jsonl: no query is left to measure; mend the labels (empty_query); see ragdiag check",
    ),
    stops(
        "csv: broken references",
        {"q.csv": CSV + 'what,"[{""content"": ",x\n'},
        "q.csv:2: references: broken JSON",
        command=("audit", "corpus", "q.csv"),
    ),
    stops(
        "csv: references no list",
        {"q.csv": CSV + "what,{},x\n"},
        "q.csv:2: references: a JSON list",
        command=("audit", "corpus", "q.csv"),
    ),
    stops("csv: a column short", {"q.csv": CSV + "what,[]\n"}, "q.csv:2: 2 columns, not 3", command=("audit", "corpus", "q.csv")),
    stops(
        "csv: open quotation mark", {"q.csv": CSV + 'what,"[],x\n'}, "q.csv:2: broken CSV", command=("audit", "corpus", "q.csv")
    ),
    stops(
        "SQuAD: broken",
        {"s.json": squad(text="x", answer_start=0)[:-3]},
        "s.json:",
        "broken JSON",
        command=("audit", "corpus", "s.json"),
    ),
    stops(
        "SQuAD: no answer_start",
        {"s.json": squad(text="x")},
        "s.json:10: data[0].paragraphs[0].qas[0]: field 'answer_start' is missing",
        command=("audit", "corpus", "s.json"),
    ),
    stops(
        "SQuAD: data of texts",
        {"s.json": '{"data": ["x"]}'},
        "s.json: data[0]: an object is expected",
        command=("audit", "corpus", "s.json"),
    ),
    stops(
        "ragas: contexts of numbers",
        {"r.jsonl": lines({"user_input": "x", "reference_contexts": [1]})},
        "r.jsonl:1:",
        "must hold texts",
        command=("audit", "corpus", "r.jsonl"),
    ),
    stops("TREC: no qrels", {"t.trec": TOPICS}, "t.trec: TREC topics need judgements", command=("audit", "corpus", "t.trec")),
    stops(
        "TREC: topic left open",
        {"t.trec": TOPICS + "<top>\n<num> 302\n", "t.qrels": "301 0 alpha.txt 1\n"},
        "t.trec:5: <top> without </top>",
        command=("audit", "corpus", "t.trec"),
    ),
    stops(
        "qrels: unknown query",
        {"b/queries.jsonl": BEIR, "b/qrels/test.tsv": QRELS + "b9\talpha.txt\t1\n"},
        "b/qrels/test.tsv:2: query 'b9' is judged and not among",
        command=("audit", "corpus", "b"),
    ),
    stops(
        "qrels: wrong columns",
        {"b/queries.jsonl": BEIR, "b/qrels/test.tsv": QRELS + "b1 alpha.txt 1\n"},
        "b/qrels/test.tsv:2: 3 columns",
        command=("audit", "corpus", "b"),
    ),
    stops(
        "qrels: grade is a word",
        {"b/queries.jsonl": BEIR, "b/qrels/test.tsv": QRELS + "b1\talpha.txt\thigh\n"},
        "b/qrels/test.tsv:2: grade 'high'",
        command=("audit", "corpus", "b"),
    ),
    stops(
        "qrels: empty",
        {"b/queries.jsonl": BEIR, "b/qrels/test.tsv": QRELS},
        "b/qrels/test.tsv: holds no judgements",
        command=("audit", "corpus", "b"),
    ),
    option(
        "qrels beside labels",
        "--qrels",
        "x.tsv",
        says=("with labels of its own; leave out the qrels x.tsv",),
        files={"x.tsv": QRELS},
    ),
]

SPECS = [
    option("unknown retriever", "--retriever", "bm52", says=("unknown retriever 'bm52'; did you mean 'bm25'? (known: bm25",)),
    option("unknown chunker", "--chunker", "sentense", says=("unknown chunker 'sentense'; did you mean 'sentence'?",)),
    option("unknown context", "--context", "titel", says=("unknown context 'titel'; did you mean 'title'?",)),
    option("unknown parameter", "--retriever", "bm25(k2=1)", says=("bm25 has no parameter 'k2'; did you mean 'k1'?",)),
    option("word as number", "--retriever", "bm25(k1=high)", says=("bm25: k1 must be float, not 'high'",)),
    option("unknown variant", "--retriever", "bm25(variant=okapy)", says=("bm25: variant must be okapi, plus, l, not 'okapy'",)),
    option("value out of range", "--retriever", "bm25(b=2)", says=("bm25: k1 must be 0 or more and b from 0 to 1",)),
    option("parameter twice", "--retriever", "bm25(k1=1, k1=2)", says=("cannot read spec", "bm25(k1=1, k1=2)")),
    option("open bracket", "--retriever", "bm25(k1=", says=("cannot read spec 'bm25(k1='; write name or name(parameter=value)",)),
    option("code", "--retriever", "__import__('os').system('true')", says=("cannot read spec",)),
    option("empty spec", "--retriever", "", says=("cannot read spec ''",)),
    option("number without a name", "--chunker", "fixed(100)", says=("fixed: name the parameter, e.g. fixed(size=...)",)),
    option(
        "overlap as large as size",
        "--chunker",
        "fixed(size=10, overlap=10)",
        says=("overlap must be from 0 to size - 1 (9), not 10",),
    ),
    option("negative overlap", "--chunker", "sentence(overlap=-1)", says=("sentence: overlap must be from 0",)),
    option("size 0", "--chunker", "recursive(size=0)", says=("recursive: size must be 1 or more, not 0",)),
    option("size as fraction", "--chunker", "fixed(size=1.5)", says=("fixed: size must be int, not 1.5",)),
    option("k of 0", "-k", "0", says=("k must be 1 or more, not 0",)),
    option("negative k", "-k", "-3", says=("k must be 1 or more, not -3",)),
    option(
        "k is a word", "-k", "five", says=("Invalid value for '-k': 'five' is not a valid integer; see ragdiag audit --help",)
    ),
    option("budget of 0", "--budget", "0", says=("--budget must be 1 token or more, not 0",)),
    option("negative budget", "--budget", "-800", says=("--budget must be 1 token or more, not -800",)),
    option("k with budget", "-k", "5", "--budget", "800", says=("-k and --budget both set the context's size: give one",)),
    option("run with retriever", "--run", "r.trec", says=("--run takes the place of --retriever: give one",)),
    option(
        "chunks with chunker", "--chunks", "c", "--chunker", "fixed", says=("--chunks takes the place of --chunker: give one",)
    ),
    option("cache with no-cache", "--cache", "c", says=("--cache and --no-cache contradict each other: give one",)),
    option("negative seed", "--seed", "-1", says=("Invalid value for '--seed': -1 is not in the range x>=0",)),
    option("unknown copies", "--copies", "all", says=("Invalid value for '--copies': 'all' is not one of 'count', 'ignore'",)),
    option(
        "unknown option", "--retreiver", "x", says=("No such option '--retreiver'", "--retriever", "see ragdiag audit --help")
    ),
    option("one argument too many", "more", says=("Got unexpected extra argument (more); see ragdiag audit --help",)),
    stops("one argument too few", {}, "Missing argument 'QUERIES'; see ragdiag audit --help", command=("audit", "corpus")),
    stops("unknown command", {}, "No such command 'adit'", "see ragdiag --help", command=("adit",)),
    stops("unknown option before the command", {}, "No such option '--quick'", command=("--quick", "audit")),
    option(
        "gate on an unknown measure", "--fail-under", "Suficient@5=0.8", says=("unknown measure 'Suficient@5'; did you mean",)
    ),
    option(
        "gate without a number",
        "--fail-under",
        "Sufficient@5",
        says=("cannot read gate 'Sufficient@5'; write 'Sufficient@5=0.8'",),
    ),
    option("gate on a word", "--fail-under", "Sufficient@5=high", says=("cannot read gate 'Sufficient@5=high'",)),
    option("gate above 1", "--fail-under", "Sufficient@5=80", says=("cannot read gate", "from 0 to 1")),
    option("gate below 0", "--fail-under", "RR=-0.1", says=("cannot read gate", "from 0 to 1")),
    option("gate on NaN", "--fail-under", "RR=nan", says=("cannot read gate",)),
    option("gate without a cutoff", "--fail-under", "P=0.1", says=("measure P needs a cutoff of 1 or more, e.g. P@5",)),
    option("gate with cutoff 0", "--fail-under", "nDCG@0=0.1", says=("measure nDCG needs a cutoff of 1 or more",)),
    option("gate on the upper end", "--fail-under", "RR.high=0.1", says=("unknown measure 'RR.high'",)),
    option("only an unknown document", "--only", "alfa.txt", says=("--only: no document 'alfa.txt'; did you mean 'alpha.txt'?",)),
    option(
        "only a document without queries", "--only", "beta.md", says=("--only: no query has all its evidence in these documents",)
    ),
    option(
        "json in no folder", "--json", "none/out.json", says=("cannot write none/out.json: the folder", "does not exist; choose")
    ),
    option("json is a folder", "--json", "corpus", says=("cannot write corpus: it is a folder; name a file",)),
    option("json over the queries", "--json", "./queries.jsonl", says=("--json ./queries.jsonl would overwrite an input",)),
    option("json over a document", "--json", "corpus/beta.md", says=("would overwrite an input; choose another file",)),
    stops(
        "cache is a file",
        {"c": ""},
        "cannot use c as cache: File exists; pass another --cache, or --no-cache",
        command=(*AUDIT[:-1], "--cache", "c"),
    ),
    stops(
        "explain an unknown query",
        {},
        "no query 'god'; did you mean 'good'?",
        command=("explain", *AUDIT[1:3], "god", *AUDIT[3:]),
    ),
]

CONFIGURATION = [
    stops("unknown key", {"ragdiag.toml": "k = 3\n\nretreiver = 'bm25'\n"}, "ragdiag.toml:3: unknown option 'retreiver'; did you mean 'retriever'?"),
    stops("word as number", {"ragdiag.toml": "k = 'five'\n"}, "ragdiag.toml:1: 'k' must be a whole number; mend it"),
    stops("fraction as number", {"ragdiag.toml": "seed = 1\nk = 2.5\n"}, "ragdiag.toml:2: 'k' must be a whole number"),
    stops("text as switch", {"ragdiag.toml": "no-cache = 'yes'\n"}, "ragdiag.toml:1: 'no-cache' must be true or false"),
    stops("numbers as texts", {"ragdiag.toml": "fail_under = [0.8]\n"}, "ragdiag.toml:1: 'fail-under' must be a text, or a list of such"),
    stops("value that is no choice", {"ragdiag.toml": "\ncopies = 'all'\n"}, "ragdiag.toml:2: Invalid value for '--copies': 'all' is not"),
    stops("broken TOML", {"ragdiag.toml": "k = 3\nseed = \n"}, "ragdiag.toml:2: broken TOML: Invalid value; mend it"),
    stops("not UTF-8", {"ragdiag.toml": b"# \xe9\n"}, "ragdiag.toml at byte 2: is not UTF-8"),
    stops("k and budget", {"ragdiag.toml": "k = 3\nbudget = 800\n"}, "-k and --budget both set the context's size: give one"),
    stops("unknown key in pyproject", {"pyproject.toml": "[project]\n[tool.ragdiag]\nbudjet = 1\n"}, "pyproject.toml:3: unknown option 'budjet'; did you mean 'budget'?"),
]  # fmt: skip


def chunks(what: str, content: Content, *says: str) -> Bad:
    return option(f"chunks: {what}", "--chunks", "c.jsonl", says=says, files={"c.jsonl": content})


def run(what: str, content: Content, *says: str, **files: Content) -> Bad:
    own = {f"{name}.jsonl": c for name, c in files.items()}
    command = (*AUDIT[:3], "--no-cache", "--run", "r.run", *(("--chunks", "chunks.jsonl") if own else ()))
    return stops(f"run: {what}", {"r.run": content, **own}, *says, command=command)


CHUNKS = [
    chunks("missing", None, "c.jsonl: cannot be read (No such file or directory)"),
    chunks("empty", "", 'c.jsonl: has no chunks; write one {"doc_id", "start", "end"} per line'),
    chunks("broken", "{]", "c.jsonl:1: broken JSON"),
    chunks("leaves its document", lines({"doc_id": "alpha.txt", "start": 70, "end": 700}), "c.jsonl:1: chunk [70, 700) leaves alpha.txt, which has 77 characters"),
    chunks("negative start", lines({"doc_id": "alpha.txt", "start": -1, "end": 7}), "c.jsonl:1: chunk [-1, 7) leaves alpha.txt"),
    chunks("inverted", lines({"doc_id": "alpha.txt", "start": 9, "end": 5}), "c.jsonl:1: chunk start 9 is not before its end 5"),
    chunks("without length", lines({"doc_id": "alpha.txt", "start": 9, "end": 9}), "c.jsonl:1: chunk start 9 is not before its end 9"),
    chunks("unknown document", lines({"doc_id": "alpha.text", "start": 0, "end": 5}), "c.jsonl:1: no document 'alpha.text' in the corpus; did you mean 'alpha.txt'?"),
    chunks("text not there", lines({"doc_id": "alpha.txt", "text": "Gamma"}), "c.jsonl:1: chunk text 'Gamma' is not in alpha.txt"),
    chunks("another text there", lines({"doc_id": "alpha.txt", "start": 0, "end": 5, "text": "Gamma"}), "c.jsonl:1: chunk text differs from alpha.txt[0:5]"),
    chunks("no document", lines({"start": 0, "end": 5}), "c.jsonl:1: field 'doc_id' is missing"),
    chunks("empty document", lines({"doc_id": "", "text": "Alpha"}), "c.jsonl:1: 'doc_id' is empty"),
    chunks("neither offsets nor text", lines({"doc_id": "alpha.txt"}), "c.jsonl:1: field 'text' is missing"),
    chunks("blank text", lines({"doc_id": "alpha.txt", "text": " "}), "c.jsonl:1: the chunk has no offsets and its text is empty"),
    chunks("start, no end", lines({"doc_id": "alpha.txt", "start": 0}), "c.jsonl:1: field 'end' is missing"),
    chunks("start as text", lines({"doc_id": "alpha.txt", "start": "0", "end": 5}), "c.jsonl:1: 'start' must be int, not str"),
    chunks("id is a list", lines({"_id": [1], "doc_id": "alpha.txt", "start": 0, "end": 5}), "c.jsonl:1: '_id' must be str or int, not list"),
    chunks("id twice", lines(*({"_id": "c", "doc_id": "alpha.txt", "start": n, "end": 9} for n in (0, 1))), "c.jsonl:2: chunk id 'c' stands twice"),
    chunks("id missing once", lines({"_id": "c", "doc_id": "alpha.txt", "start": 0, "end": 9}, {"doc_id": "alpha.txt", "start": 9, "end": 12}), "c.jsonl:2: this chunk has no id"),
]  # fmt: skip

OWN = {"chunks": lines({"_id": "c1", "doc_id": "alpha.txt", "start": 0, "end": 26})}
RUNS = [
    run("missing", None, "r.run: cannot be read"),
    run("empty", "\n", "r.run: has no rankings; write a TREC run, or JSONL"),
    run("one JSON list", "[]", "r.run:1: is one JSON list, not JSON Lines"),
    run("broken JSON", '{"query_id": "good"\n', "r.run:1: broken JSON"),
    run("no query id", lines({"retrieved": []}), "r.run:1: field 'query_id' is missing"),
    run("nothing retrieved, no error", lines({"query_id": "good"}), "r.run:1: field 'retrieved' is missing"),
    run("retrieved is a text", lines({"query_id": "good", "retrieved": "c1"}), "r.run:1: 'retrieved' must be list, not str"),
    run("item is a text", retrieved("alpha.txt"), "r.run:1: each retrieved item must be an object"),
    run("item names nothing", retrieved({"score": 1}), "r.run:1: field 'doc_id' is missing"),
    run("unknown document", retrieved({"doc_id": "alfa.txt", "start": 0, "end": 5}), "r.run:1: no document 'alfa.txt' in the corpus; did you mean 'alpha.txt'?"),
    run("unknown whole document", retrieved({"doc_id": "alfa.txt"}), "r.run:1: unknown chunk 'alfa.txt'; did you mean 'alpha.txt'?"),
    run("unknown chunk", retrieved({"chunk_id": "c1"}), "r.run:1: unknown chunk 'c1'", "ids of the --chunks file"),
    run("unknown chunk of a document", retrieved({"chunk_id": "c1", "doc_id": "alpha.txt"}), "r.run:1: unknown chunk 'c1'"),
    run("chunk id of another document", retrieved({"chunk_id": "alpha.txt#0-5", "doc_id": "beta.md"}), "r.run:1: unknown chunk 'alpha.txt#0-5'"),
    run("chunk leaves its document", retrieved({"chunk_id": "alpha.txt#0-500"}), "r.run:1: chunk [0, 500) leaves alpha.txt"),
    run("text not there", retrieved({"doc_id": "alpha.txt", "text": "Gamma"}), "r.run:1: chunk text 'Gamma' is not in alpha.txt"),
    run("empty text", retrieved({"doc_id": "alpha.txt", "text": ""}), "r.run:1: the chunk has no offsets and its text is empty"),
    run("id not in --chunks", retrieved({"chunk_id": "c2"}), "r.run:1: unknown chunk 'c2'", **OWN),
    run("span not in --chunks", retrieved({"doc_id": "alpha.txt", "start": 0, "end": 9}), "r.run:1: chunk 'alpha.txt' is not one of --chunks", **OWN),
    run("document, where --chunks are given", retrieved({"doc_id": "alpha.txt"}), "r.run:1: chunk 'alpha.txt' is not one of --chunks", **OWN),
    run("same query twice", retrieved({"doc_id": "alpha.txt"}) * 2, "r.run:2: query 'good' is ranked twice, first at line 1"),
    run("some ranks missing", retrieved({"doc_id": "alpha.txt", "rank": 1}, {"doc_id": "beta.md"}), "r.run:1: some retrieved items have a rank, others have none"),
    run("some scores missing", retrieved({"doc_id": "alpha.txt", "rank": 1, "score": 2}, {"doc_id": "beta.md", "rank": 2}), "r.run:1: some retrieved items have a score"),
    run("rank is a text", retrieved({"doc_id": "alpha.txt", "rank": "1"}), "r.run:1: 'rank' must be int or float, not str"),
    run("score NaN", '{"query_id": "good", "retrieved": [{"doc_id": "alpha.txt", "score": NaN}]}', "r.run:1: broken JSON: NaN is not a JSON number"),
    run("score beyond all numbers", '{"query_id": "good", "retrieved": [{"doc_id": "alpha.txt", "score": 1e999}]}', "r.run:1: 'score' must be"),
    run("none of the queries", retrieved({"doc_id": "alpha.txt"}, query_id="other"), "r.run:1: none of its 1 queries is in the query set"),
    run("TREC: five columns", "good Q0 alpha.txt 1 2.5 me\ngood Q0 beta.md 2 1.5\n", "r.run:2: is not a TREC run", "5 columns, not 6"),
    run("TREC: rank is a word", "good Q0 alpha.txt first 2.5 me\n", "r.run:1: rank 'first' or score '2.5' is not a number"),
    run("TREC: score NaN", "good Q0 alpha.txt 1 nan me\n", "r.run:1: score nan is not a finite number"),
    run("TREC: unknown document", "good Q0 alpha.txt 1 3 me\ngood Q0 gamma 2 2 me\n", "r.run:2: unknown chunk 'gamma'"),
]  # fmt: skip

UNREADABLE = [
    goes_on("document not UTF-8", {"corpus/c.txt": b"caf\xe9"}, "corpus/c.txt: is not UTF-8 (byte 0xe9) at byte 3; convert it"),
    goes_on("document in UTF-16", {"corpus/c.md": "text".encode("utf-16")}, "corpus/c.md: is UTF-16, not UTF-8 at byte 0"),
    goes_on("truncated PDF", {"corpus/c.pdf": PDF}, "corpus/c.pdf: is a damaged"),
    goes_on("PDF that is none", {"corpus/c.pdf": b"hello"}, "corpus/c.pdf:"),
    goes_on("zip bomb in a docx", {"corpus/c.docx": docx(b"0" * (50 << 20))}, "corpus/c.docx: decompresses to more than"),
    goes_on("docx that is no zip", {"corpus/c.docx": b"PK\x03\x04 no"}, "corpus/c.docx: is a damaged .docx"),
    goes_on("link to itself", {"corpus/c.txt": lambda p: p.symlink_to(p)}, "corpus/c.txt: is a symbolic link that leads back to itself"),
    goes_on("folder within itself", {"corpus/c": lambda p: p.symlink_to(p.parent)}, "is a symbolic link that leads back to itself"),
    goes_on("link to nothing", {"corpus/c.txt": lambda p: p.symlink_to("gone")}, "corpus/c.txt: is a link to nothing"),
    goes_on("a pipe", {"corpus/c.txt": os.mkfifo}, "corpus/c.txt: is a pipe or a device, not a regular file"),
    goes_on("folder named like a document", {"corpus/c.txt": lambda p: p.mkdir()}, "corpus/c.txt: is a folder"),
    goes_on("no permission", {"corpus/c.txt": lambda p: (p.write_text("x"), p.chmod(0))}, "corpus/c.txt: cannot be read (Permission denied)"),
    goes_on("listed and missing", {"docs.jsonl": lines({"_id": "c", "file": "corpus/c.txt"})}, "docs.jsonl:1: 'corpus/c.txt' is listed here, but is missing"),
]  # fmt: skip


def defect(what: str, content: str, *says: str) -> Bad:
    return goes_on(f"label: {what}", {"queries.jsonl": content}, *says)


NIGHT, NOON = "The valve closes at night.", "The valve closes at noon."
DEFECTS = [
    defect("unknown document", labelled(doc_id="alfa.txt", text=NIGHT), "queries.jsonl:2: unknown_document bad: no document 'alfa.txt'", "did you mean 'alpha.txt'?"),
    defect("offsets past the end", labelled(doc_id="alpha.txt", start=70, end=79), "queries.jsonl:2: offsets_outside bad: [70, 79) leaves alpha.txt, which has 77"),
    defect("negative offset", labelled(doc_id="alpha.txt", start=-1, end=9), "queries.jsonl:2: offsets_outside bad:"),
    defect("inverted", labelled(doc_id="alpha.txt", start=53, end=27, text=NIGHT), "queries.jsonl:2: offsets_inverted bad: start 53 is not before end 27"),
    defect("without length", labelled(doc_id="alpha.txt", start=5, end=5), "queries.jsonl:2: offsets_inverted bad:"),
    defect("stale", labelled(doc_id="alpha.txt", start=26, end=52, text=NIGHT), "queries.jsonl:2: text_mismatch bad:", "it stands at 27, 1 character later"),
    defect("CRLF-shifted", labelled(doc_id="beta.md", start=34, end=59, text=NOON), "queries.jsonl:2: text_mismatch bad:", "it stands at 37, 3 characters later"),
    defect("CRLF in the text", labelled(doc_id="beta.md", start=8, end=34, text="Beta pumps run at 60 bar.\nT"), "queries.jsonl:2: text_mismatch", "the document has CRLF line ends"),
    defect("text of another version", labelled(doc_id="alpha.txt", start=0, end=5, text="Gamma"), "queries.jsonl:2: text_mismatch", "it stands nowhere in that document"),
    defect("text absent", labelled(doc_id="alpha.txt", text="Completely different words here"), "queries.jsonl:2: text_absent bad:", "is not in alpha.txt"),
    defect("text almost there", labelled(doc_id="alpha.txt", text="The valves open at midnight."), "queries.jsonl:2: text_absent", "the nearest,", "% similar, is alpha.txt#"),
    defect("text ambiguous", labelled(doc_id="beta.md", text=NOON), "queries.jsonl:2: text_ambiguous bad:", "stands at beta.md#37-62, beta.md#63-88; give start and end"),
    defect("empty text", labelled(doc_id="alpha.txt", text=" "), "queries.jsonl:2: empty_evidence bad: the evidence has no text"),
    defect("white space", labelled(doc_id="beta.md", start=6, end=10), "queries.jsonl:2: empty_evidence bad: beta.md[6:10] is white space"),
    defect("empty query", query(text=" \t", evidence=GOOD["evidence"]), "queries.jsonl:2: empty_query bad: the query has no text"),
    defect("unanswerable, with evidence", query(unanswerable=True, evidence=GOOD["evidence"]), "queries.jsonl:2: contradictory bad: labelled unanswerable"),
    defect("answerable and not", lines(GOOD, *({"_id": f"b{i}", "text": "x y", **q} for i, q in enumerate(({"unanswerable": True}, {"evidence": GOOD["evidence"]})))), "queries.jsonl:2: contradictory b0:", "queries.jsonl:3: contradictory b1:"),
    defect("unlabelled", query(), "queries.jsonl:2: unlabelled bad: no evidence, no relevant document"),
    defect("unknown relevant document", query(relevant=[{"doc_id": "zeta", "grade": 1}]), "queries.jsonl:2: unknown_document bad: no document 'zeta'"),
    defect("graded twice", query(relevant=[{"doc_id": "alpha.txt", "grade": g} for g in (1, 2)]), "queries.jsonl:2: contradictory bad: document 'alpha.txt' is graded twice"),
    defect("evidence in an irrelevant document", query(relevant=[{"doc_id": "alpha.txt", "grade": 0}], evidence=GOOD["evidence"]), "queries.jsonl:2: contradictory bad: evidence is given in alpha.txt, whose grade is 0"),
]  # fmt: skip

CASES = [*CORPUS, *QUERIES, *SPECS, *CONFIGURATION, *CHUNKS, *RUNS, *UNREADABLE, *DEFECTS]


def set_up(folder: Path, files: Mapping[str, Content]) -> None:
    good = {"corpus/alpha.txt": ALPHA.encode(), "corpus/beta.md": BETA.encode(), "queries.jsonl": lines(GOOD).encode()}
    for name, content in {**good, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        elif content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def state(folder: Path) -> dict[str, str]:
    """Every path below `folder`, with the hash of each regular file that can be read."""
    found = sorted(p for p in folder.rglob("*") if "corpus/c/" not in str(p))
    readable = {p for p in found if not p.is_symlink() and p.is_file() and os.access(p, os.R_OK)}
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() if p in readable else "" for p in found}


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("case", CASES, ids=[c.what for c in CASES])
def test_bad_input(case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.what == "no permission" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, case.files)
    before = state(tmp_path)
    result = CliRunner().invoke(main, case.command)
    assert result.exit_code == case.status, result.output
    if case.status == 2:
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert "unexpected" not in result.stderr
    for words in case.says:
        assert words in flat(result.output)
    if case.status == 0:
        again = CliRunner().invoke(main, ["check", *case.command[1:3]])
        assert again.exit_code == 1
        for words in case.says:
            assert words in flat(again.stdout)
    assert state(tmp_path) == before


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 55
    assert len({c.what for c in CASES}) >= 55


@pytest.mark.parametrize("case", CASES[::24], ids=[c.what for c in CASES[::24]])
def test_bad_input_in_a_process_of_its_own(case: Bad, tmp_path: Path) -> None:
    set_up(tmp_path, case.files)
    command = [sys.executable, "-m", "ragdiag", *case.command]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == case.status
    assert "Traceback" not in done.stdout + done.stderr
    for words in case.says:
        assert words in flat(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("file", "module", "package"),
    [("c.pdf", "pypdf", "pypdf"), ("c.docx", "docx", "docx"), ("c.html", "selectolax", "selectolax")],
)
def test_a_document_format_that_is_not_installed(
    file: str, module: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, module)
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, {f"corpus/{file}": b"anything"})
    result = CliRunner().invoke(main, AUDIT)
    assert result.exit_code == 2
    assert result.stderr == f"error: {package} is not installed: pip install 'ragdiag[docs]'\n"


def test_a_retriever_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "sentence_transformers")
    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, {})
    result = CliRunner().invoke(main, ["audit", "corpus", "queries.jsonl", "--no-cache", "--retriever", "dense"])
    assert result.exit_code == 2
    assert "sentence-transformers is not installed: pip install 'ragdiag[dense]'" in result.stderr
    assert result.stderr.count("\n") == 1


def hide(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = importlib.import_module

    def absent(module: str, package: str | None = None) -> object:
        if module.split(".")[0] == name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(module, package)

    monkeypatch.setattr(importlib, "import_module", absent)


def test_debug_shows_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["--debug", "audit", "nowhere", "q"])
    assert result.exit_code == 1
    assert result.exception is not None
    assert "nowhere" in str(result.exception)


def test_a_bug_is_one_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.chdir(tmp_path)
    set_up(tmp_path, {})
    monkeypatch.setattr("ragdiag.pipeline.run_audit", broken)
    result = CliRunner().invoke(main, AUDIT)
    assert result.exit_code == 2
    assert result.stderr == "error: unexpected ZeroDivisionError: two lines (this is a bug in ragdiag; --debug shows where)\n"
