"""HTML and Word documents: what text comes out of them, and what is said of those that cannot be read."""

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import docx as word
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pdfs import FORM, hand_made

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.records import Document
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.loaders import docx, heading, html, load


@pytest.fixture
def page(tmp_path: Path) -> Callable[[str | bytes], Document]:
    def read(markup: str | bytes) -> Document:
        path = tmp_path / "page.html"
        path.write_bytes(markup.encode() if isinstance(markup, str) else markup)
        return html.load(path)

    return read


Page = Callable[[str | bytes], Document]

# HTML


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one  <b>bo</b>ld\n&amp; x&eacute;<p>two<div>three</div>four", "one bold & xé\n\ntwo\n\nthree\n\nfour"),
        ("<p>a<br>b <br/> c", "a\nb\nc"),
        ("<h1>Top</h1>x<h3> Low <em>er</em> <a>¶</a></h3>y", "# Top\n\nx\n\n### Low er\n\ny"),
        ("<h2><div>In</div></h2>", "## In"),
        ("<ul><li>a<li><p>b</p><ul><li>c<li>d</ul><li><b></b>e</ul>z", "- a\n- b\n  - c\n  - d\n- e\n\nz"),
        ("<ul><li>a</ul><ol><li>b</ol>", "- a\n\n- b"),
        ("<ul><li><div></div>a<li></ul>", "- a"),
        ("<pre>\n  a\n\n    b  c\n</pre>d", "  a\n\n    b  c\n\nd"),
        ("<pre><code><span>x</span> =\t1\n</code><div>y</div>z</pre>", "x =\t1\ny\nz"),
        ("<table><tr><th>A<th>B<tr><td>1 <p>x</p><td><tr><td colspan=2>w</table>z", "A | B\n1 x | \nw\n\nz"),
        ("<table><tr><td>1</table><table><tr><td>2</table>", "1\n\n2"),
        ("<table><tr><td><h2>H</h2>left<td>right</table>", "## H\n\nleft\n\nright"),
        ("<table><tr><td><table><tr><td>a<td>b</table></table>", "a | b"),
        ("<dl><dt>term<dd>meaning</dl><blockquote>q</blockquote>", "term\n\nmeaning\n\nq"),
        ("<details><summary>Q</summary>A</details>", "Q\n\nA"),
        ("a<!-- no --><wbr>b", "ab"),
    ],
)
def test_html_structure_becomes_text(page: Page, markup: str, text: str) -> None:
    assert page(markup).text == text


@pytest.mark.parametrize(
    "furniture",
    [
        "<script>x()</script><style>p{}</style><template>t</template><noscript>n</noscript>",
        "<nav>menu</nav><div role=navigation>menu</div>",
        "<header>logo</header><footer>imprint</footer><aside class=ads>ads</aside><div role=banner>logo</div>",
        "<form><label for=n>Name</label><input id=n><button>Send</button></form>",
        "<select><option>one</select><svg><title>t</title></svg>",
        "<dialog>closed</dialog>",
        "<div id=cookie-banner>We use cookies</div><div class='x js-cookieConsent'>OK?</div><div id=onetrust-consent-sdk>o</div>",
    ],
)
def test_html_furniture_is_left_out(page: Page, furniture: str) -> None:
    assert page(f"<body>{furniture}<p>content</p>{furniture}").text == "content"


@pytest.mark.parametrize(
    "content",
    [
        "<main><header>x</header></main>",
        "<article><footer>x</footer></article>",
        "<main><aside>x</aside></main>",
        "<div role=main><div id=cookie-notice>x</div></div>",
        "<form><main>x</main></form>",
        "<p hidden=until-found>x",
        "<dialog open>x</dialog>",
        "<body class=cookie-banner-shown>x",
        "<section class=cookies>x</section>",
        "<div style='display:flex'>x</div>",
    ],
)
def test_html_content_is_kept(page: Page, content: str) -> None:
    assert page(content).text == "x"


def test_html_titles(page: Page) -> None:
    assert page("<head><title>\n A &amp;\n B </title></head>x").title == "A & B"
    assert page("<svg><title>icon</title></svg>x").title == ""


def test_a_page_without_a_title_is_called_by_its_heading(tmp_path: Path) -> None:
    (tmp_path / "a.htm").write_text("<p>x<h2>Head</h2>")
    assert load(tmp_path / "a.htm").title == heading("x\n\n## Head") == "Head"


@pytest.mark.parametrize(
    "raw",
    [
        "<p>é".encode(),
        b"\xef\xbb\xbf<meta charset=latin1><p>\xc3\xa9",
        b"<meta charset='ISO-8859-1'><p>\xe9",
        b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>\xe9',
        "<p>é".encode("utf-16"),
        b"<meta charset=utf-16><p>\xc3\xa9",
        b"<meta charset=no-such-thing><p>\xc3\xa9",
    ],
)
def test_html_is_read_in_the_encoding_it_names(page: Page, raw: bytes) -> None:
    assert page(raw).text == "é"


def test_html_in_another_encoding_is_unreadable_at_its_byte(page: Page) -> None:
    with pytest.raises(UnreadableDocument, match="at byte 6: is not UTF-8"):
        page(b"<p>caf\xe9")
    with pytest.raises(UnreadableDocument, match="at byte 28: is not euc-jp"):
        page(b"<meta charset=EUC-JP><p>caf.\xff")


@pytest.mark.parametrize("markup", ["", "<nav>menu</nav>", "<div id=root></div><script>build()</script>"])
def test_html_without_content_is_unreadable(page: Page, markup: str) -> None:
    with pytest.raises(UnreadableDocument, match="holds no text"):
        page(markup)


def test_html_may_nest_deeply(page: Page) -> None:
    assert page("<div>" * 5000 + "x").text == "x"


def test_html_lists_are_indented_up_to_a_bound(page: Page) -> None:
    lines = page("<ul><li>x" * 2000).text.split("\n")
    assert lines[:9] == ["  " * level + "- x" for level in range(9)]
    assert set(lines[9:]) == {"  " * 8 + "- x"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("markup", "match"),
    [
        ("<div>" * 60_000, "leaves too many elements open"),
        ("<span><div></span>" * 60_000, "leaves too many elements open"),
        ("".join(f"<font color={i}>" for i in range(5000)) + "<p>x" * 5000, "leaves too many elements open"),
        ("<p " + " ".join(f"a{i}=1" for i in range(40_000)) + ">", "a tag with more than 2,000 attributes"),
        ("<p " + " ".join(f"a{i}='<>'" for i in range(40_000)) + ">", "a tag with more than 2,000 attributes"),
        ("<br>" * 1_000_001, "has more than 1,000,000 tags"),
    ],
)
def test_html_that_no_parser_can_take_is_a_named_problem(page: Page, markup: str, match: str) -> None:
    with pytest.raises(UnreadableDocument, match=match):
        page(f"<p>text</p>{markup}x")


def test_html_unclosed_as_people_leave_it_is_read(page: Page) -> None:
    rows = "<tr><td><span>cell<td><b><font color=red>bold" * 300
    assert (
        page(f"<ul>{'<li>item' * 5000}</ul><table>{rows}</table><script>{'<div>' * 60_000}</script>").text.count("cell | bold")
        == 300
    )


@pytest.mark.parametrize("name", ["cookie-" * 20_000 + "x", "cookie" * 20_000, "banner-" * 20_000, "cookie-x " * 20_000])
def test_html_names_that_are_nearly_those_of_a_banner_are_content(page: Page, name: str) -> None:
    assert page(f"<div class='{name}'>x</div>").text == "x"


# Word


def save(document: Any, path: Path) -> Path:
    document.save(str(path))
    return path


def test_docx_blocks_come_in_document_order(tmp_path: Path) -> None:
    document = word.Document()
    document.core_properties.title = "Property"
    document.add_heading("Title", 0)
    document.add_paragraph("Before.\tTab\nline")
    document.add_paragraph("  ")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), "ab", strict=False):
        cell.text = text
    table.cell(1, 1).text = "two\nlines"
    document.add_heading("Part  one", 2)
    for style in ("List Bullet", "List Number", "List Paragraph"):
        document.add_paragraph(style, style=style)
    document.add_paragraph("After")
    loaded = docx.load(save(document, tmp_path / "a.docx"))
    assert loaded.title == "Property"
    assert loaded.text.split("\n\n") == [
        "# Title",
        "Before.\tTab\nline",
        "a | b\n | two lines",
        "## Part one",
        "- List Bullet\n1. List Number\n- List Paragraph",
        "After",
    ]


def test_docx_merged_cells_keep_their_columns_and_tables_nest(tmp_path: Path) -> None:
    document = word.Document()
    table = document.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).merge(table.cell(1, 2)).text = "tall"
    table.cell(1, 0).text = "x"
    table.cell(2, 0).text = "outer"
    inner = table.cell(2, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "in", "ner"
    assert docx.load(save(document, tmp_path / "a.docx")).text == "wide |  | tall\nx |  | tall\n\nouter\n\nin | ner"


def test_docx_styles_based_on_headings_and_lists_count(tmp_path: Path) -> None:
    document = word.Document()
    for name, base in (("Chapter", "Heading 3"), ("Steps", "List Number"), ("Deep", "Heading 9")):
        document.styles.add_style(name, 1).base_style = document.styles[base]
        document.add_paragraph(name, style=name)
    bare = document.add_paragraph("numbered")
    bare._p.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>'))
    unlisted = document.add_paragraph("not", style="Steps")
    unlisted._p.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="0"/></w:numPr>'))
    text = docx.load(save(document, tmp_path / "a.docx")).text
    assert text == "### Chapter\n\n1. Steps\n\n###### Deep\n\n  - numbered\n\nnot"


def test_docx_text_in_controls_links_and_boxes_is_read_and_deletions_are_not(tmp_path: Path) -> None:
    document = word.Document()
    body = document.element.body
    run = "<w:r><w:t>{}</w:t></w:r>"
    box = f"<w:txbxContent><w:p>{run.format('boxed')}</w:p></w:txbxContent>"
    namespaces = nsdecls("w") + ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    for xml in (
        f"<w:sdt {namespaces}><w:sdtContent><w:p>{run.format('controlled')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p {namespaces}><w:ins>{run.format('new ')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        f"<w:hyperlink>{run.format('link')}</w:hyperlink></w:p>",
        f"<w:p {namespaces}><w:r><w:t>around</w:t><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>",
    ):
        body.insert(len(body) - 1, parse_xml(xml))
    assert docx.load(save(document, tmp_path / "a.docx")).text == "controlled\n\nnew link\n\naround\n\nboxed"


@pytest.mark.parametrize("level", ["9", "1000000000", "9" * 5000])
def test_docx_list_levels_are_bounded(tmp_path: Path, level: str) -> None:
    document = word.Document()
    bare = document.add_paragraph("deep")
    bare._p.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'))
    assert docx.load(save(document, tmp_path / "a.docx")).text == "  " * 8 + "- deep"


@pytest.mark.parametrize(("level", "text"), [("0", "# x"), ("8", "###### x"), ("9", "x"), ("9" * 5000, "x")])
def test_docx_outline_levels_are_bounded(tmp_path: Path, level: str, text: str) -> None:
    document = word.Document()
    style = document.styles.add_style("Part", 1)
    style.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="{level}"/>'))
    document.add_paragraph("x", style="Part")
    assert docx.load(save(document, tmp_path / "a.docx")).text == text


def with_body(path: Path, body: str, before: str = "") -> Path:
    """A Word document whose body is `body`; `before` stands in front of the XML."""
    plain = io.BytesIO()
    word.Document().save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "word/document.xml":
                data = f"{before}<w:document {nsdecls('w')}><w:body>{body}</w:body></w:document>".encode()
            target.writestr(name, data)
    return path


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 50}">' for a, b in zip("abcdef", "bcdefg", strict=True))
    + "]>"
)
PARAGRAPH = "<w:p><w:r><w:t>x</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    ("body", "before", "match"),
    [
        ("<w:p/>" * 1_500_001, "", "has more than 1,500,000 tags"),
        ("<w:sdt><w:sdtContent>" * 10_000 + PARAGRAPH + "</w:sdtContent></w:sdt>" * 10_000, "", "damaged .*[Dd]epth"),
        ('<w:p w:rsidR="&g;"/>' + PARAGRAPH, LAUGHS, "damaged .*amplification"),
        ("<w:p>", "", "damaged"),
    ],
)
def test_a_hostile_docx_is_a_named_problem(tmp_path: Path, body: str, before: str, match: str) -> None:
    with pytest.raises(UnreadableDocument, match=match):
        docx.load(with_body(tmp_path / "a.docx", body, before))


@pytest.mark.slow
def test_docx_styles_based_on_one_another_without_end_are_read(tmp_path: Path) -> None:
    document = word.Document()
    names = [f"S{i}" for i in range(300)]
    for name in names:
        document.styles.add_style(name, 1)
    for name, base in zip(names, [*names[1:], "Heading 2"], strict=True):
        document.styles[name].base_style = document.styles[base]
    document.add_paragraph("x", style="S0")
    assert docx.load(save(document, tmp_path / "a.docx")).text == "## x"
    document.styles["S299"].base_style = document.styles["S0"]
    assert docx.load(save(document, tmp_path / "a.docx")).text == "x"


@pytest.mark.slow
def test_one_hostile_document_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("text")
    (tmp_path / "deep.html").write_text("<div>" * 60_000)
    with_body(tmp_path / "tags.docx", "<w:p/>" * 1_500_001)
    hand_made(tmp_path / "forms.pdf", [(FORM, b"%" + b"x" * 900_000), (b"", b"/X Do " * 50)], ["11 0 R"])
    found = load_corpus(tmp_path)
    assert [d.id for d in found.documents] == ["good.txt"]
    assert [Path(p.file).name for p in found.problems] == ["deep.html", "forms.pdf", "tags.docx"]


def test_docx_without_text_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="holds no text"):
        docx.load(save(word.Document(), tmp_path / "a.docx"))


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"", "cut short or damaged"),
        (b"PK\x03\x04", "cut short or damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted, or an old .doc"),
    ],
)
def test_what_is_no_docx_says_so(tmp_path: Path, raw: bytes, match: str) -> None:
    (tmp_path / "a.docx").write_bytes(raw)
    with pytest.raises(UnreadableDocument, match=match):
        docx.load(tmp_path / "a.docx")


def test_a_truncated_or_foreign_zip_says_so(tmp_path: Path) -> None:
    document = word.Document()
    document.add_paragraph("text")
    path = save(document, tmp_path / "a.docx")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(UnreadableDocument, match="cut short or damaged"):
        docx.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(UnreadableDocument, match=r"damaged \.docx"):
        docx.load(path)


def zip_of(path: Path, data: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("word/document.xml", data)
    return path


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.docx", bytes(30 * 2**20))
    with pytest.raises(UnreadableDocument, match="decompresses to more than 10 MB"):
        docx.load(path)


def test_a_zip_bomb_that_declares_a_small_size_is_never_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 30 * 2**20
    path = zip_of(tmp_path / "a.docx", bytes(size))
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    largest = 0
    write_part = zipfile.ZipFile.writestr

    def watched(self: zipfile.ZipFile, name: str, data: bytes) -> None:
        nonlocal largest
        largest = max(largest, len(data))
        write_part(self, name, data)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", watched)
    with pytest.raises(UnreadableDocument):
        docx.load(path)
    assert largest <= 1000


def test_unusual_zip_compression_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.docx", bytes(1000), zipfile.ZIP_BZIP2)
    with pytest.raises(UnreadableDocument, match="unusual"):
        docx.load(path)


def test_entities_in_docx_are_not_expanded(tmp_path: Path) -> None:
    document = word.Document()
    document.add_paragraph("MARK")
    path = save(document, tmp_path / "a.docx")
    plain = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "word/document.xml":
                head = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document '
                data = data.replace(b"<w:document ", head, 1).replace(b"MARK", b"MARK&e;")
            target.writestr(name, data)
    assert docx.load(path).text == "MARK"
