"""Word documents written by hand, part by part: what libraries that write them cannot say."""

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

TYPES = "application/vnd.openxmlformats-officedocument."
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
NAMESPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "w16se": "http://schemas.microsoft.com/office/word/2015/wordml/symex",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
}
DECLARED = " ".join(f'xmlns:{name}="{uri}"' for name, uri in NAMESPACES.items())

CONTAINERS = {
    **{kind: kind for kind in ("styles", "numbering", "footnotes", "endnotes", "settings", "comments")},
    "header": "hdr",
    "footer": "ftr",
}
HEADINGS = "".join(f'<w:style w:type="paragraph" w:styleId="H{n}"><w:name w:val="heading {n}"/></w:style>' for n in (1, 2, 3))
REFERENCE = '<w:style w:type="character" w:styleId="Ref"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>'


def run(text: str, properties: str = "") -> str:
    """A run of text."""
    return f'<w:r>{properties and f"<w:rPr>{properties}</w:rPr>"}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def par(*inner: str, properties: str = "") -> str:
    """A paragraph; what is no markup becomes a run."""
    runs = "".join(each if each.startswith("<") else run(each) for each in inner)
    return f"<w:p>{properties and f'<w:pPr>{properties}</w:pPr>'}{runs}</w:p>"


def item(text: str, list_id: int = 1, level: int = 0) -> str:
    """An item of a list."""
    return par(text, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def levels(*forms: tuple[str, str], start: int = 1, more: str = "") -> str:
    """Levels of a list, each with its format and its text."""
    return "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
        for i, (form, text) in enumerate(forms)
    )


def lists(*abstract: str, instances: Mapping[int, tuple[int, str]] | None = None) -> str:
    """Definitions of lists, and the lists that are numbered by them: from 1 on, one each, where none are given."""
    defined = "".join(f'<w:abstractNum w:abstractNumId="{i}">{each}</w:abstractNum>' for i, each in enumerate(abstract))
    made = instances or {i + 1: (i, "") for i in range(len(abstract))}
    return defined + "".join(
        f'<w:num w:numId="{i}"><w:abstractNumId w:val="{of}"/>{override}</w:num>' for i, (of, override) in made.items()
    )


def table(*rows: str) -> str:
    """A table of rows, each of which is its cells."""
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def cell(*paragraphs: str, properties: str = "") -> str:
    """A cell of paragraphs."""
    inner = "".join(each if each.startswith(("<w:p>", "<w:tbl>")) else par(each) for each in paragraphs or ("<w:p></w:p>",))
    return f"<w:tc>{properties and f'<w:tcPr>{properties}</w:tcPr>'}{inner}</w:tc>"


def field(code: str, *result: str, form: str = "") -> str:
    """A field with its code and, where there is one, its result."""
    begin = f'<w:r><w:fldChar w:fldCharType="begin">{form and f"<w:ffData>{form}</w:ffData>"}</w:fldChar></w:r>'
    shown = '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + "".join(map(run, result)) if result else ""
    code = f'<w:r><w:instrText xml:space="preserve">{escape(code)}</w:instrText></w:r>'
    return f'{begin}{code}{shown}<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def note(text: str, name: int, kind: str = "footnote") -> str:
    """A note, or with `kind` "comment" a comment."""
    return f'<w:{kind} w:id="{name}">{par(text)}</w:{kind}>'


def call(name: int, kind: str = "footnote") -> str:
    """Where a note is called."""
    return f'<w:r><w:rPr><w:rStyle w:val="Ref"/></w:rPr><w:{kind}Reference w:id="{name}"/></w:r>'


def math(inner: str) -> str:
    """A formula."""
    return f"<m:oMath>{inner}</m:oMath>"


def sign(text: str) -> str:
    """A run in a formula."""
    return f"<m:r><m:t>{escape(text)}</m:t></m:r>"


def picture(description: str = "") -> str:
    """A picture with an alternative text."""
    described = f'<wp:docPr id="1" name="Picture 1" descr="{description}"/>'
    drawn = f"<wp:inline>{described}<a:graphic><a:graphicData><pic:pic/></a:graphicData></a:graphic></wp:inline>"
    return f"<w:r><w:drawing>{drawn}</w:drawing></w:r>"


def boxed(*paragraphs: str) -> str:
    """A text box as Word writes it: the shape, and once more for older programs."""
    box = f"<w:txbxContent>{''.join(paragraphs)}</w:txbxContent>"
    choice = f'<mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx>{box}</wps:txbx></wps:wsp></w:drawing></mc:Choice>'
    old = f"<mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
    return f"<w:r><mc:AlternateContent>{choice}{old}</mc:AlternateContent></w:r>"


def packed(body: str, extra: Mapping[str, tuple[str, str]] | None = None, strict: bool = False, **parts: str) -> bytes:
    """A document. `parts` are the contents of those of `CONTAINERS`; `extra` holds others by id: their kind and their XML.

    A header and a footer are the document's; every part is called by its kind, or its id in `extra`.
    """
    main = {kind: (kind, f"<w:{CONTAINERS[kind]} {DECLARED}>{xml}</w:{CONTAINERS[kind]}>") for kind, xml in parts.items()}
    files = {"styles": ("styles", f"<w:styles {DECLARED}>{HEADINGS}{REFERENCE}</w:styles>"), **main, **(extra or {})}
    margins = "".join(f'<w:{kind}Reference w:type="default" r:id="{kind}"/>' for kind in ("header", "footer") if kind in parts)
    document = f"<w:document {DECLARED}><w:body>{body}<w:sectPr>{margins}</w:sectPr></w:body></w:document>"
    relations = "".join(f'<Relationship Id="{i}" Type="{RELATION}{kind}" Target="{i}.xml"/>' for i, (kind, _) in files.items())
    head = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{TYPES}wordprocessingml.{kind}+xml"/>'
        for name, kind in [("document", "document.main"), *((i, kind) for i, (kind, _) in files.items())]
    )
    content = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        "_rels/.rels": f'{head}<Relationship Id="d" Type="{RELATION}officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f"{head}{relations}</Relationships>",
        "word/document.xml": document,
        **{f"word/{name}.xml": xml for name, (_, xml) in files.items()},
    }
    return zipped({name: _strict(xml) if strict else xml for name, xml in content.items()})


def _strict(xml: str) -> str:
    """A part as Strict OOXML names things."""
    for area in ("wordprocessingml", "officeDocument", "drawingml"):
        xml = xml.replace(f"http://schemas.openxmlformats.org/{area}/2006/", f"http://purl.oclc.org/ooxml/{area}/")
    return xml


def zipped(content: Mapping[str, str]) -> bytes:
    """Files as a zip archive."""
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return plain.getvalue()
