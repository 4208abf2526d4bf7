"""Documents of every kind, and what stands beside them: lists of documents, patterns of what is left out."""

import io
import json
import zipfile
from pathlib import Path

from targets import TEXTS, Target, files, fresh, from_file, heads

from ragdiag.core.records import Corpus, Document

HTML = b"""<!doctype html><html lang=en><head><title>Pumps &amp; valves</title><meta name=date content=2024-01-02></head><body>
<nav><a href=/>Home</a></nav><div class="cookie-banner">We use cookies</div><main><h1>Pumps</h1><p>Alpha runs at <b>40</b> bar.
<ul><li>One<li>Two<ol start=3 type=a><li value=7>Three</ol></ul><dl><dt>Q<dd>A</dl><table><caption>T</caption><tr><th colspan=2
rowspan=2>a<th>b<tr><td rowspan=0>1<td>2</table><pre>code  here</pre><template><p>later</p></template>
<math><mfrac><mi>a</mi><msqrt><mn>2</mn></msqrt></mfrac></math><svg><text>svg</text></svg><img alt="a pump" src=x>
<details><summary>More</summary>inside</details><form><select><option selected>x<option>y</select><input value=v><textarea>t</textarea>
</form><span hidden>gone</span><div style="display:none">gone</div><p lang=de dir=rtl>Gr&ouml;&szlig;e x<sup>2</sup><sub>3</sub><ruby>a<rt>b</ruby>
<script>alert(1)</script><iframe srcdoc="<p>in"></iframe></main></body></html>"""

MARKDOWN = b"""---
title: Pumps
date: 2024-03-01
version: 3
superseded_by: other
tags: [a, b]
---
# Pumps

Alpha runs at **40** bar. See [notes](x.md "t").

## How do I close the valve?

1. Turn it.
2. Wait 5 min.

| a | b |
|---|:-:|
| 1 | 2 |

```python
# no heading
```

Q: Who turns it?
A: The person on duty, as of v2.1 (2023-11-05).

Setext
======
> quoted
"""
TOML_MATTER = b'+++\ntitle = "Pumps"\ndate = 2024-03-01\nversion = 3\n[extra]\na = [1, [2]]\n+++\n# Pumps\nText here.\n'
RST = b"=====\nPumps\n=====\n\n.. note:: x\n\nAlpha\n-----\n\n* a\n* b\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n\nWhat `is` it?\n~~~~~~~~~~~~~\n\nA pump.\n"
ADOC = b"= Pumps\n:revdate: 2024-01-01\n\n== Alpha\n\n|===\n|a |b\n|===\n\n----\ncode\n----\n"

DOCX_NS = (
    "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math' "
    "xmlns:wp='http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' "
    "xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships' xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006' "
    "xmlns:wps='http://schemas.microsoft.com/office/word/2010/wordprocessingShape'"
)
DOCX_BODY = """<w:p><w:pPr><w:pStyle w:val='Heading1'/><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>Pumps</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val='1'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:rPr><w:caps/><w:vertAlign w:val='superscript'/></w:rPr><w:t>Alpha</w:t>
<w:tab/><w:br/><w:sym w:font='Wingdings' w:char='F0FC'/><w:footnoteReference w:id='2'/></w:r><w:ins w:id='1'><w:r><w:t>new</w:t></w:r></w:ins><w:del w:id='2'><w:r><w:delText>old</w:delText></w:r></w:del></w:p>
<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/><w:vMerge w:val='restart'/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>
<w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>in</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr></w:tbl>
<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>REF x \\h</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r><w:r><w:t>see</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>
<w:p><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:rad><m:deg/><m:e><m:r><m:t>2</m:t></m:r></m:e></m:rad></m:den></m:f></m:oMath></w:p>
<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline><wp:docPr id='1' name='n' descr='a pump'/><a:graphic><a:graphicData><wps:wsp><wps:txbx>
<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice><mc:Fallback/></mc:AlternateContent></w:r></w:p>
<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"""
NUMBERING = """<w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='3'/><w:numFmt w:val='upperRoman'/><w:lvlText w:val='%1.'/></w:lvl>
<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='%1.%2)'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='0'/>
<w:lvlOverride w:ilvl='0'><w:startOverride w:val='9'/></w:lvlOverride></w:num>"""


def docx_files() -> list[bytes]:
    """Of the fixtures, and one with everything that is read."""
    plain = files("tidewater/corpus/**/*.docx", first=2)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain[0])) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        parts = {
            "word/document.xml": f"<w:document {DOCX_NS}><w:body>{DOCX_BODY}</w:body></w:document>",
            "word/numbering.xml": f"<w:numbering {DOCX_NS}>{NUMBERING}</w:numbering>",
            "word/footnotes.xml": f"<w:footnotes {DOCX_NS}><w:footnote w:id='2'><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>",
        }
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
    rows = b"BT /F 9 Tf 10 200 Td (a) Tj 80 0 Td (b) Tj -80 -12 Td (1) Tj 80 0 Td (2) Tj ET q 0.5 0 0 0.5 9 9 cm BT /F 700 Tf (x) Tj ET Q"
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
    return f"a document, {'with' if document.text.strip() else 'without'} text, {'with' if document.title else 'without'} title, {len(document.left_out)} left out"


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
MARKDOWNS = (MARKDOWN, TOML_MATTER, RST, ADOC)

TARGETS = [
    Target("text.md", lambda: [*MARKDOWNS, *files("tidewater/corpus/**/*.md", first=3)], from_file("a.md", loaded)),
    Target("text.rst", lambda: [RST, ADOC], from_file("a.rst", loaded), weight=0.5),
    Target(
        "text.txt",
        lambda: [RST, b"plain\n", *files("tidewater/corpus/**/*.txt", first=2)],
        from_file("a.txt", loaded),
        weight=0.5,
    ),
    Target("html", lambda: [HTML, *files("tidewater/corpus/**/*.html", first=2)], from_file("a.html", loaded), HTML_WORDS, 1.5),
    Target("html, all kept", lambda: [HTML], from_file("a.xhtml", kept), HTML_WORDS, 0.5),
    Target("pdf", pdf_files, from_file("a.pdf", loaded), PDF_WORDS, 1.5),
    Target("docx", docx_files, from_file("a.docx", loaded), XML_WORDS, 1.5),
    Target("docx, all kept", docx_files, from_file("a.docx", kept), XML_WORDS, 0.3),
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
