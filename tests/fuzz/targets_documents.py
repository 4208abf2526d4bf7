"""Documents of every kind, and what stands beside them: lists of documents, patterns of what is left out."""

import io
import json
import zipfile
from pathlib import Path

from targets import TEXTS, Target, files, fresh, from_file, heads, seed

from ragdiag.core.records import Corpus, Document

HTML, MARKDOWN, RST = seed("page.html"), seed("document.md"), seed("document.rst")
MARKDOWNS = (MARKDOWN, seed("toml_matter.md"), RST, seed("document.adoc"))


def docx_files() -> list[bytes]:
    """Of the fixtures, and one with everything that is read."""
    plain = files("tidewater/corpus/**/*.docx", first=2)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain[0])) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        parts = {f"word/{name}": seed(name) for name in ("document.xml", "numbering.xml", "footnotes.xml")}
        for name in [*source.namelist(), *(part for part in parts if part not in source.namelist())]:
            target.writestr(name, parts.get(name) or source.read(name))
    return [made.getvalue(), *plain]


def pdf_of(contents: bytes, more: bytes = b"", resources: bytes = b"<</Font<</F 3 0 R>>>>") -> bytes:
    """A PDF of one page that shows `contents`."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % more,
        b"<</Type/Pages/Count 1/Kids[5 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(contents), contents),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Rotate 0/Resources %s/Contents 4 0 R>>" % resources,
    ]
    raw, table = bytearray(b"%PDF-1.7\n"), b""
    for number, content in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(raw)
        raw += b"%d 0 obj%s\nendobj\n" % (number, content)
    return bytes(raw) + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(raw),
    )


def pdf_files() -> list[bytes]:
    text = b"BT /F 12 Tf 1 0 0 1 20 280 Tm (Alpha pumps) Tj 0 -14 Td [(run)-300(at)] TJ T* (40 bar) ' ET"
    rows = b"BT /F 9 Tf 9 20 Td (a) Tj 80 0 Td (b) Tj -80 -9 Td (1) Tj 80 0 Td (2) Tj ET q 2 0 0 2 0 0 cm BT /F 9 Tf (x) Tj ET Q"
    form = b"/AcroForm<</Fields[<</T(name)/V(Ada)/FT/Tx>>]>>/Outlines<</First<</Title(x)>>>>/Lang(en)"
    return [pdf_of(text), pdf_of(rows, form), *files("tidewater/corpus/**/*.pdf", first=3, most=30_000)]


PDF_WORDS = (
    b" Tm ",
    b" Tj ",
    b" Td ",
    b"/Kids[2 0 R]",
    b"/Parent 5 0 R",
    b"/Length 99999999",
    b"/Count 1000000000",
    b"1 0 R",
    b"5 0 R",
    b"/Encrypt 1 0 R",
    b"/Filter/FlateDecode",
    b"/Filter[/ASCIIHexDecode/ASCII85Decode/LZWDecode]",
    b"/Type/ObjStm",
    b"/Prev 9",
    b"/W[1 9 9]",
    b"/Rotate 91",
    b"q ",
    b"1e38 0 0 1e38 0 0 cm ",
    b"/MediaBox[0 0 1e30 1e30]",
    b"/ToUnicode 4 0 R",
    b"/XObject<</X 4 0 R>>",
    b"/X Do ",
    b"<feff>",
    b"BI /W 9 ID x EI",
)
HTML_WORDS = (
    b"<table>",
    b"<td colspan=99999 rowspan=99999>",
    b"<ol start=99999999999 type=i>",
    b"<li value=-5>",
    b"<math><mfrac>",
    b"<template>",
    b"<svg>",
    b"</p>",
    b"</table>",
    b"<pre>",
    b"<title>",
    b"<style>",
    b"<script>",
    b"<meta charset=utf-7>",
    b"<base href=x>",
    b"<select><option>",
    b"<frameset>",
    b"style='display:none'",
    b" hidden",
    b"<details>",
    b"<a name=x>",
    b"<plaintext>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
)
XML_WORDS = (
    b"<w:p>",
    b"</w:p>",
    b"<w:tbl>",
    b"<w:basedOn w:val='Heading1'/>",
    b"<w:gridSpan w:val='99999999'/>",
    b"<w:ilvl w:val='99'/>",
    b"<w:start w:val='999999999'/>",
    b"<!DOCTYPE x [<!ENTITY a SYSTEM '../canary.txt'>]>",
    b"&a;",
    b"<m:f>",
    b"<w:numFmt w:val='chineseCounting'/>",
    b"<w:lvlText w:val='%9%1'/>",
)


def loaded(path: Path) -> object:
    """A document, whose text the rest of a program can take."""
    from ragdiag.sources.loaders import load

    document = load(path)
    assert isinstance(document.text, str) and isinstance(document.title, str)
    return f"text {bool(document.text.strip())}, title {bool(document.title)}, {len(document.left_out)} left out"


def kept(path: Path) -> object:
    """As `loaded`, with all that loaders usually leave out."""
    from ragdiag.sources.loaders import load
    from ragdiag.sources.omissions import KEPT_ON_REQUEST

    return f"{len(load(path, frozenset(KEPT_ON_REQUEST)).text) > 0}"


def corpus_at(path: Path) -> Corpus:
    from ragdiag.sources.corpus import load_corpus

    return load_corpus(path)


def records(path: Path) -> object:
    """What is written is read again as the same."""
    corpus = corpus_at(path)
    again = path.with_name("again.jsonl")
    lines = [json.dumps({"_id": d.id, "text": d.text, "title": d.title, "metadata": d.metadata}) for d in corpus.documents]
    again.write_text("\n".join(lines), encoding="utf-8")
    told = [(d.id, d.text) for d in corpus.documents]
    assert [(d.id, d.text) for d in corpus_at(again).documents] == told
    used(corpus)
    return f"{min(len(told), 3)} documents"


def used(corpus: Corpus) -> None:
    """What every audit does with documents: which are superseded, and in which language they are."""
    from ragdiag.text.languages import language_of
    from ragdiag.text.versions import superseded

    superseded(corpus.documents)
    language_of(corpus)


def beside(name: str) -> object:
    """A folder with two documents, and a file of that name."""

    def run(data: bytes, folder: Path) -> object:
        with fresh(folder) as own:
            for document, text in TEXTS.items():
                (own / document).write_text(text, encoding="utf-8", newline="")
            (own / name).write_bytes(data)
            corpus = corpus_at(own)
        used(corpus)
        assert {d.text for d in corpus.documents} <= set(TEXTS.values())
        return f"{len(corpus.documents)} documents, {len(corpus.problems)} problems"

    return run


def excluded(data: bytes, folder: Path) -> object:
    """The same patterns on the command line."""
    from ragdiag.sources.corpus import load_corpus

    path = folder / "documents"
    if not path.exists():
        path.mkdir()
        for document, text in TEXTS.items():
            (path / document).write_text(text, encoding="utf-8", newline="")
    patterns = data.decode("utf-8", "surrogateescape").split("\n")[:20]
    return f"{len(load_corpus(path, exclude=patterns).documents)} documents"


def document(data: bytes, folder: Path) -> object:
    """What is read of a Markdown document's text besides: titles, front matter, dates, versions, drafts of questions."""
    from ragdiag.label.drafts import drafts
    from ragdiag.text.front_matter import front_matter
    from ragdiag.text.headings import headings

    text = data.decode("utf-8", "replace")
    fields = front_matter(text)
    documents = [Document("a", text, metadata=dict(fields)), Document("a-v2", text + " more", "A, version 2")]
    used(Corpus(tuple(documents)))
    for draft in drafts(documents):
        assert 0 <= draft.start < draft.end <= len(documents[draft.document].text)
    for each in headings(text):
        assert 0 <= each.start <= len(text)
    return f"{len(fields) > 0} {len(drafts(documents)) > 0}"


DOCS = b"".join(
    json.dumps({"_id": n, "file": n, "title": n, "metadata": {"version": 1, "date": "2024-01-01", "family": "f"}}).encode()
    + b"\n"
    for n in TEXTS
)
IGNORE = b"*.log\n!keep.log\n/alpha.txt\nbuild/\n**/foo/**/bar\n[!a-c]*.md\n\\#x\ndoc/*.txt \n[[:alpha:]]x\na?c\n# no\n"

TARGETS = [
    Target("text.md", lambda: [*MARKDOWNS, *files("tidewater/corpus/**/*.md", first=3)], from_file("a.md", loaded)),
    Target("text.rst", lambda: [RST, seed("document.adoc")], from_file("a.rst", loaded), weight=0.5),
    Target(
        "text.txt",
        lambda: [RST, b"plain\n", *files("tidewater/corpus/**/*.txt", first=2)],
        from_file("a.txt", loaded),
        weight=0.5,
    ),
    Target("html", lambda: [HTML, *files("tidewater/corpus/**/*.html", first=2)], from_file("a.html", loaded), HTML_WORDS, 1.5),
    Target("html, all kept", lambda: [HTML], from_file("a.xhtml", kept), HTML_WORDS, 0.5),
    Target("pdf", pdf_files, from_file("a.pdf", loaded), PDF_WORDS, 0.6),
    Target("docx", docx_files, from_file("a.docx", loaded), XML_WORDS, 0.6),
    Target("docx, all kept", docx_files, from_file("a.docx", kept), XML_WORDS, 0.2),
    Target("document's fields", lambda: [*MARKDOWNS, *heads("tidewater/corpus/**/*.md", lines=30)[:4]], document, weight=1.5),
    Target(
        "corpus.jsonl",
        lambda: [*heads("tiny/corpus.jsonl"), DOCS.replace(b'"file"', b'"text"')],
        from_file("corpus.jsonl", records),
        weight=1.5,
    ),
    Target("docs.jsonl", lambda: [DOCS], beside("docs.jsonl")),
    Target(
        ".gitignore",
        lambda: [IGNORE, b"alpha.txt\n"],
        beside(".gitignore"),
        (b"**", b"[", b"]", b"[!", b"[[:alpha:]]", b"\\", b"?*?*", b"{a,b}"),
    ),
    Target(
        "patterns of what is left out",
        lambda: [IGNORE, b"*.md"],
        excluded,
        (b"**", b"[", b"]", b"[!", b"[[:alpha:]]", b"\\", b"?*?*", b"./"),
    ),
]
