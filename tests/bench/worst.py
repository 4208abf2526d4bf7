"""The worst inputs known of everything that reads text: what each takes must grow with its input, not with its square."""

import functools
import io
import json
import math
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Worst(NamedTuple):
    """A routine, and its input of about `n` bytes: `make(n, folder)` gives what `run` takes."""

    name: str
    make: Callable[[int, Path], Any]
    run: Callable[[Any], Any]
    n: int = 4000


def filled(unit: str, n: int) -> str:
    """`unit` again and again, up to `n` characters."""
    return (unit * (n // len(unit) + 1))[:n]


def written(name: str, content: Callable[[int], str | bytes]) -> Callable[[int, Path], Path]:
    """Makes a file of that name."""

    def make(n: int, folder: Path) -> Path:
        made, path = content(n), folder / name
        path.write_bytes(made if isinstance(made, bytes) else made.encode())
        return path

    return make


def refused(run: Callable[..., Any]) -> Callable[..., Any]:
    """The same, for input that is an error: it must be one soon."""
    from ragdiag.core.errors import RagdiagError

    @functools.wraps(run)
    def tried(*given: Any) -> Any:
        try:
            return run(*given)
        except RagdiagError as e:
            return e

    return tried


def lines(count: int, record: Callable[[int], Any]) -> str:
    return "".join(json.dumps(record(i)) + "\n" for i in range(count))


def word_document(body: str, styles: str = "", rels: str = "") -> bytes:
    """A Word document with this body, these styles and, where there are any, these relationships."""
    import docx
    from docx.oxml.ns import nsdecls

    plain, made = io.BytesIO(), io.BytesIO()
    docx.Document().save(plain)
    parts = {
        "word/document.xml": f"<w:document {nsdecls('w')}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {nsdecls('w')}>{styles}</w:styles>",
        "_rels/.rels": rels,
    }
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, parts.get(name) or source.read(name))
    return made.getvalue()


def pdf_document(contents: list[bytes], pages: int) -> bytes:
    """A PDF in which page i shows the last of `contents` or the i-th."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        4: b"<</Font<</F 3 0 R>>>>",
    }
    for i, data in enumerate(contents, 5):
        objects[i] = b"<</Length %d>>stream\n%s\nendstream" % (len(data), data)
    first = 5 + len(contents)
    for i in range(pages):
        entries = b"/Parent 2 0 R/MediaBox[0 0 9 9]/Resources 4 0 R"
        objects[first + i] = b"<</Type/Page%s/Contents %d 0 R>>" % (entries, 5 + min(i, len(contents) - 1))
    objects[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (first + i) for i in range(pages)))
    raw, table = bytearray(b"%PDF-1.7\n"), []
    for number in sorted(objects):
        table.append(b"%010d 00000 n \n" % len(raw))
        raw += b"%d 0 obj%s\nendobj\n" % (number, objects[number])
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(raw) + end % (len(objects) + 1, b"".join(table), len(objects) + 1, len(raw))


def show(i: int) -> bytes:
    return b"BT /F 9 Tf (line %d) Tj ET\n" % i


def pages_of_one_content(n: int) -> bytes:
    """A PDF whose pages all show one content, `n` bytes of it in all: so many are read, and the file has about their root."""
    side = math.isqrt(n // 50)
    return pdf_document([b"".join(map(show, range(side)))], side)


PARAGRAPH = "<w:p><w:r><w:t>x</w:t></w:r></w:p>"
MARKUP = {
    "class like a banner's": lambda n: f"<div class='{filled('cookie-', n)}'>x</div>",
    "id like a banner's": lambda n: f"<div id='{filled('banner', n)}'>x</div>",
    "style of nothing": lambda n: f"<div style='{filled('; ', n)}'>x</div>",
    "many attributes": lambda n: f"<div {' '.join(f'a{i}=1' for i in range(n // 8))}>x</div>",
    "open elements": lambda n: "<div>" * (n // 5) + "x",
    "open list items": lambda n: "<ul>" + "<li>x" * (n // 5),
    "lists in lists": lambda n: "<ul><li>x" * (n // 9),
    "fonts never closed": lambda n: "".join(f"<font a={i}><p>x" for i in range(n // 16)),
    "banners round content": lambda n: "<div class=cookie-banner>x" * (n // 26) + "<h1>y",
    "options of a select": lambda n: "<p>x<select>" + "<option>y</option>" * (n // 18),
    "rows": lambda n: "<table>" + "<tr><td>x<td>y" * (n // 14),
    "formula in formula": lambda n: "<math>" + "<mrow><mn>1</mn>" * (n // 16),
    "formulas of nothing": lambda n: "x" + "<math></math>" * (n // 13),
    "characters that join": lambda n: "x<sup>a b</sup>" + "&#2;" * (n // 4),
    "templates never closed": lambda n: filled('<template "', n),
    "comments never closed": lambda n: "x" + "<!--" * (n // 4),
    "attributes never closed": lambda n: "x" + '<a b="' * (n // 6),
}
BODIES = {
    "paragraphs": lambda n: word_document(PARAGRAPH * (n // 34)),
    "rows": lambda n: word_document(f"<w:tbl>{f'<w:tr><w:tc>{PARAGRAPH}</w:tc></w:tr>' * (n // 60)}</w:tbl>"),
    "runs": lambda n: word_document(f"<w:p>{'<w:r><w:t>x </w:t></w:r>' * (n // 24)}</w:p>"),
    "boxes": lambda n: word_document(f"<w:p>{f'<w:r><w:txbxContent>{PARAGRAPH}</w:txbxContent></w:r>' * (n // 80)}</w:p>"),
    "styles based on one another": lambda n: word_document(
        PARAGRAPH, "".join(f'<w:style w:styleId="s{i}"><w:basedOn w:val="s{i + 1}"/></w:style>' for i in range(n // 60))
    ),
    "relationships never closed": lambda n: word_document(PARAGRAPH, rels=filled("<Relationship ", n)),
    "relationships that end in blanks": lambda n: word_document(PARAGRAPH, rels=filled("<Relationship a/ > ", n)),
    "a relationship of one long word": lambda n: word_document(PARAGRAPH, rels=f"<Relationship {filled('a', n)}/>"),
    "namespaces never closed": lambda n: word_document(PARAGRAPH, rels=filled("xmlns:a Type = ", n)),
}


def loaders() -> list[Worst]:
    from ragdiag.sources.loaders import load

    def cells(n: int) -> str:
        return "<table><tr>" + "<td rowspan=0>a" * (n // 30) + "<tr><td>x" * (n // 18)

    read = refused(load)
    text = {
        "blanks": lambda n: filled(" ", n),
        "hashes": lambda n: "# " + filled(" #", n) + " x",
        "a title of blanks": lambda n: "#" + filled(" ", n) + "x",
    }
    return [
        *(Worst(f"text: {name}", written("a.md", make), read, 100_000) for name, make in text.items()),
        *(Worst(f"html: {name}", written("a.html", make), read) for name, make in MARKUP.items()),
        Worst("html: cells that go on", written("a.html", cells), read, 100_000),
        *(Worst(f"docx: {name}", written("a.docx", make), read, 60_000) for name, make in BODIES.items()),
        Worst("pdf: pages", written("a.pdf", lambda n: pdf_document([show(i) for i in range(n // 100)], n // 100)), read),
        Worst(
            "pdf: pages of one content",
            written("a.pdf", pages_of_one_content),
            read,
            300_000,
        ),
    ]


def files() -> list[Worst]:
    from ragdiag.answering.answers import load_answers
    from ragdiag.answering.rules import spoken
    from ragdiag.search.runs import read_run
    from ragdiag.sources.chunks import read_chunks
    from ragdiag.sources.corpus import load_corpus
    from ragdiag.sources.queries import load_queries
    from ragdiag.sources.queries._common import grade

    queries, corpus = refused(load_queries), refused(load_corpus)
    passages, said = [{"doc_id": "a", "start": 0, "end": 1}], {"query_id": "q", "condition": "oracle", "answer": "x"}

    def keys(n: int) -> str:
        return "{" + "".join(f'"k{i}": 1, ' for i in range(n // 12)) + f'"k{n // 12 - 1}": 1}}\n'

    def topics(n: int) -> str:
        return "".join(f"<top>\n<num> Number: {i}\n<title> x\n</top>\n" for i in range(n // 50)) + "<top>" * (n // 500)

    def squad(n: int) -> str:
        qas = [{"id": str(i), "question": "q", "answers": [{"text": "x", "answer_start": 0}]} for i in range(n // 80)]
        return json.dumps({"data": [{"paragraphs": [{"context": "x", "qas": qas}]}]})

    def table(n: int) -> str:
        row = 'q,"[{""content"": ""x"", ""start_index"": 0, ""end_index"": 1}]",a\n'
        return "question,references,corpus_id\n" + row * (n // len(row))

    def in_topics(n: int) -> str:
        return "<topic number='1'>x" * (n // 19) + "</topic>" * (n // 19)

    def made(name: str, file: str, content: Callable[[int], str], run: Callable[[Any], Any], n: int = 4000) -> Worst:
        return Worst(name, written(file, content), run, n)

    record, ragas = {"_id": "a", "text": "q"}, {"user_input": "q", "reference": "a"}
    return [
        made("corpus.jsonl: a key twice", "corpus.jsonl", keys, corpus, 20_000),
        made("corpus.jsonl: nested", "corpus.jsonl", lambda n: '{"_id": "a", "text": ' + "[" * n, corpus, 20_000),
        made("corpus.jsonl: records", "corpus.jsonl", lambda n: lines(n // 40, lambda i: record | {"_id": f"d{i}"}), corpus),
        made("queries: a key twice", "queries.jsonl", keys, queries, 20_000),
        made("queries: evidence", "q.jsonl", lambda n: json.dumps(record | {"evidence": passages * (n // 40)}), queries),
        made("queries: TREC <top> never closed", "t.trec", lambda n: "<top>" * (n // 5), queries, 20_000),
        made("queries: TREC topics", "t.trec", topics, queries, 20_000),
        made("queries: TREC topics in topics", "t.xml", in_topics, queries),
        made("queries: SQuAD", "s.json", squad, queries),
        made("queries: ragas", "r.json", lambda n: json.dumps([ragas] * (n // 40)), queries),
        made("queries: Chroma's CSV", "c.csv", table, queries),
        made("queries: one long line of CSV", "c.csv", lambda n: "question," * (n // 9), queries, 200_000),
        made("runs: TREC", "run.txt", lambda n: "".join(f"q Q0 d{i} {i} 1 t\n" for i in range(n // 16)), read_run),
        made("runs: a ranking", "r.jsonl", lambda n: json.dumps({"query_id": "q", "retrieved": passages * (n // 40)}), read_run),
        made("chunks", "c.jsonl", lambda n: lines(n // 40, lambda i: passages[0]), read_chunks),
        made("answers", "a.jsonl", lambda n: lines(n // 50, lambda i: said), lambda path: load_answers([str(path)])),
        Worst("queries: a grade of digits", lambda n, _: "1" * n + "x", lambda text: refused(grade)(text, Path("q"), 1), 20_000),
        Worst("answers: JSON of lists", lambda n, _: "[" + "[1]," * (n // 4) + "1]", spoken),
    ]


TEXTS = {
    "blanks": " ",
    "blank lines": "\n",
    "a word": "a ",
    "stops": ". ",
    "rules": "===\n",
    "titles": "a\n===\n",
    "hashes": "# a b\n",
    "fences": "```\n",
    "rows": "| a | b |\n",
    "items": "\n1. a",
    "questions": "a b?\n\n",
    "questions and answers": "Q: a b\n",
    "bold": "**a b? ",
    "initials": "A. ",
    "numbers": "5 ",
    "brackets": "[1, ",
    "wide": "日。",
    "marks": "\u0301\u0323",
}


def routines() -> list[Worst]:
    from ragdiag.answering.judges._text import unaccented
    from ragdiag.answering.judges.matcher import Matcher
    from ragdiag.core.protocols import no_progress
    from ragdiag.core.records import Answer, Document, Query
    from ragdiag.core.registry import make
    from ragdiag.exports._words import words as exported
    from ragdiag.label.drafts import asked, drafts
    from ragdiag.text.abbreviations import abbreviations
    from ragdiag.text.analysis import Analysis
    from ragdiag.text.duplicates import near_duplicates, shingles
    from ragdiag.text.front_matter import front_matter
    from ragdiag.text.headings import headings
    from ragdiag.text.normal import folded
    from ragdiag.text.phrases import clean, no_commands
    from ragdiag.text.sentences import Cuts
    from ragdiag.text.tokens import token_starts
    from ragdiag.text.words import words

    def judged(answer: str) -> object:
        asked = Query("q", "What is the limit for uploads?", "250 MB"), Answer("q", "oracle", answer)
        return Matcher("free").judge([asked], None, no_progress)

    def alike(text: str) -> bool:
        return near_duplicates(shingles(text), shingles(text + " x"))

    def under_headings(text: str) -> list[str]:
        spans = make("chunkers", "section").spans(text)
        return make("contexts", "heading").texts(Document("a", text, text[:100_000]), *spans)

    by_name: dict[str, Callable[[str], Any]] = {
        "tokens": token_starts,
        "folded": folded,
        "sentences": lambda text: Cuts(text).sentences(),
        "headings": headings,
        "duplicates": alike,
        "short forms": lambda text: abbreviations([text]),
        "front matter": lambda text: front_matter(f"---\na: b{text}c\n---\n"),
        "drafts": lambda text: drafts([Document("a", text)]),
        "the screen": lambda text: no_commands(clean(text)),
        "headings before chunks": under_headings,
        **{
            f"chunker {c}": lambda text, c=c: make("chunkers", c).spans(text)
            for c in ("fixed", "sentence", "section", "recursive(overlap=40)")
        },
    }
    found = [
        Worst(f"{name}: {kind}", lambda n, _, unit=unit: filled(unit, n), run)
        for name, run in by_name.items()
        for kind, unit in TEXTS.items()
    ]
    return [
        *found,
        Worst("drafts: a heading of blanks", lambda n, _: "How a" + " " * n + "b", asked, 20_000),
        Worst("drafts: Q and blanks", lambda n, _: "x\n\nQ" + " " * n + "b\n", by_name["drafts"], 20_000),
        Worst("headings: blanks and a bracket", lambda n, _: "# a" + " " * n + "}", headings, 20_000),
        Worst("folded: nothing to see", lambda n, _: "e\u0301" + "\u200b" * n, folded, 20_000),
        *(
            Worst(f"{name}: {kind}", lambda n, _, unit=unit: "a" + filled(unit, n), run, 10_000)
            for name, run in {"words": words, "exported words": exported, "without accents": unaccented}.items()
            for kind, unit in {"marks": "\u0301\u0323", "marks of half width": "\u0323\uff9e"}.items()
        ),
        *(
            Worst(f"judge: blanks {where}", lambda n, _, said=said: said.replace("_", " " * n), judged, 4_000)
            for where, said in {"behind": "The limit is 250 megabytes_.", "between": "It is 250 MB_or 300 MB_but more"}.items()
        ),
        Worst("words: parts of a long one", lambda n, _: "-".join(f"A{i}" for i in range(n // 6)), Analysis(parts=True), 60_000),
        Worst("headings before chunks: a long one", lambda n, _: "# " + "a" * n + "\n" + "b " * n, under_headings, 20_000),
    ]  # fmt: skip


def versions() -> list[Worst]:
    from ragdiag.core.records import Document
    from ragdiag.text.versions import superseded

    def family(n: int, _: Path) -> list[Document]:
        return [Document(f"d{i}", "", metadata={"family": "f", "version": i}) for i in range(n // 20)]

    return [Worst("versions: one family", family, superseded, 40_000)]


def places() -> list[Worst]:
    from ragdiag.core.records import Corpus, Document, StoredChunk
    from ragdiag.sources.gitignore import Pattern, parsed
    from ragdiag.sources.paths import Paths
    from ragdiag.sources.places import Placer

    def alike(n: int, _: Path) -> tuple[Corpus, list[StoredChunk]]:
        text = "The same line, again."
        return Corpus((Document("a", f"{text}\n\n" * (n // 23)),)), [StoredChunk(str(i), "a", text) for i in range(n // 23)]

    def called_alike(n: int, _: Path) -> Corpus:
        return Corpus(tuple(Document(f"d{i}/index.md", "x") for i in range(n // 20)))

    def many_stars(n: int, _: Path) -> tuple[Pattern | None, str]:
        return parsed("*a" * 12 + "*b"), "a" * (n // 100)

    def ignored(text: str) -> list[Pattern | None]:
        return list(map(parsed, [text.replace("\n", ""), *text.split("\n")]))

    return [
        Worst("chunks: one text over and over", alike, lambda case: Placer(case[0]).spans(case[1]), 40_000),
        Worst(
            "documents: one name in many folders",
            called_alike,
            lambda corpus: [Paths(corpus).documents("/x/d1/index.md"), *map(Paths(corpus).documents, corpus.position)],
            20_000,
        ),
        Worst("gitignore: classes never closed", lambda n, _: "\n".join(["[!." * 300] * (n // 900 + 1)), ignored, 40_000),
        Worst("gitignore: blanks", lambda n, _: "a" + " " * n + "b", ignored, 20_000),
        Worst("gitignore: many stars", many_stars, lambda case: case[0].matches(case[1], False)),
    ]


def evidence() -> list[Worst]:
    from ragdiag.core.records import Corpus, Document, Label, Query
    from ragdiag.sources.evidence import locate

    def located(case: tuple[str, list[str]]) -> Any:
        text, passages = case
        labels = tuple(Label("a", passage, group="g") for passage in passages)
        return locate([Query("q", "what?", evidence=labels)], Corpus((Document("a", text),)))

    def nearly(text: str, length: int) -> tuple[str, list[str]]:
        return text, [text[: length // 2] + "XYZ" + text[length // 2 : length]]

    def respaced(n: int, _: Path) -> tuple[str, list[str]]:
        words = [f"w{i}" for i in range(n // 6)]
        return " ".join(words), ["  ".join(words[len(words) // 4 : len(words) // 2])]

    def repeated(n: int, _: Path) -> tuple[str, list[str]]:
        passage = "the same five words and more. "
        return passage * (n // 30), [f"{passage * 2}"] * (n // 300)

    def copied(n: int, _: Path) -> tuple[str, list[str]]:
        parts = [f"passage {i} has five words or more. " for i in range(n // 80)]
        return "".join(parts * 2), [f"passage {i} has five words or more." for i in range(20)]

    return [
        Worst("evidence: a word and its like", lambda n, _: nearly(filled("ab cd ", n), 200), located, 200_000),
        Worst("evidence: half of repeated words", lambda n, _: nearly(filled("ab cd ", n), n // 2), located, 100_000),
        Worst("evidence: a sentence over and over", lambda n, _: nearly(filled("the cat sat. ", n), 1000), located, 200_000),
        Worst("evidence: other white space", respaced, located, 20_000),
        Worst("evidence: the same label over and over", repeated, located, 6000),
        Worst("evidence: copies", copied, located, 20_000),
    ]


def judges() -> list[Worst]:
    from ragdiag.answering.judges._citing import said
    from ragdiag.answering.judges._facts import items
    from ragdiag.answering.judges._names import person
    from ragdiag.answering.judges._wrapped import unwrapped
    from ragdiag.answering.judges.grounded import Grounded
    from ragdiag.answering.judges.matcher import Matcher
    from ragdiag.core.protocols import no_progress
    from ragdiag.core.records import Answer, Query

    def matched(question: str, gold: str, answer: str) -> Any:
        return Matcher(style="free").judge([(Query("q", question, gold), Answer("q", "retrieved", answer))], None, no_progress)

    def grounded(answer: str, context: str) -> Any:
        return Grounded().judge([(Query("q", "what?"), Answer("q", "retrieved", answer, contexts=(context,)))], None, no_progress)

    question, gold = "how many trucks are there", "There were 12 trucks in the yard, because of the rise"
    units = {
        "initials": "A. ", "abbreviations": "Mr. ", "a word": "a ", "numbers": "5 ", "items": "a, ", "lines": "ab\n",
        "conditions": "if a ", "bold": "**a", "boxes": "\\boxed{",
        "citations": "[source ", "quotes": '."', "blanks": ". x" + " " * 50, "only blanks": " ", "line ends": "\n",
        "underscores": "_", "brackets": "[", "braces": "{a: ", "tags": "<answer>", "questions": "?", "openings": "(",
    }  # fmt: skip
    roles: dict[str, Callable[[str], Any]] = {
        "an answer": lambda text: matched(question, gold, text),
        "a reference": lambda text: matched(question, text + " x", gold),
        "a question": lambda text: matched(f"Is it {text}?", "No, it is not.", "It is not."),
        "an answer for a program": lambda text: unwrapped(question, text),
        "what cites": lambda text: said("It is so" + text + "x.", n_contexts=2),
        "a name": lambda text: (person("Ann" + text + "Bell"), items("pumps" + text + "valves")),
        "both": lambda text: matched(question, text + " x", text),
        "what is grounded": lambda text: grounded(text + " 77", text),
    }
    return [
        Worst(f"judges: {kind} as {role}", lambda n, _, unit=unit: filled(unit, n), run, 500)
        for role, run in roles.items()
        for kind, unit in units.items()
    ]


def worst() -> list[Worst]:
    """All of them."""
    return [*loaders(), *files(), *routines(), *versions(), *places(), *evidence(), *judges()]


def seconds(case: Worst, n: int, folder: Path, repeat: int) -> float:
    """Least CPU seconds of `repeat` runs on input of size `n`, which is made once.

    Without the system's own, which are for memory: from some size on an array's pages are given and taken at every run.
    """
    given, least = case.make(n, folder), float("inf")
    for _ in range(repeat):
        started, taken, runs = resource.getrusage(resource.RUSAGE_SELF).ru_utime, 0.0, 0
        while taken <= 0:  # what is shorter than the clock's tick is done until the clock moves
            case.run(given)
            taken, runs = resource.getrusage(resource.RUSAGE_SELF).ru_utime - started, runs + 1
        least = min(least, taken / runs)
    return least
