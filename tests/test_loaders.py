"""HTML, PDF and Word documents: what text comes out of them, and what is said of those that cannot be read."""

import io
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx as word
import pypdf
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF
from pypdf.generic import NameObject, StreamObject

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.records import Document
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.loaders import docx, heading, html, load, pdf


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


# PDF


def make_pdf(path: Path, *pages: str, **encryption: Any) -> Path:
    document = FPDF()
    document.set_title("  The\ttitle ")
    document.set_font("Helvetica")
    for text in pages:
        document.add_page()
        if text:
            document.multi_cell(0, text=text)
    if encryption:
        document.set_encryption(**encryption)
    path.write_bytes(bytes(document.output()))
    return path


def test_pdf_pages_are_joined_and_found_again(tmp_path: Path) -> None:
    document = pdf.load(make_pdf(tmp_path / "a.pdf", "First page, hyphen-\nated.", "", "Third page."))
    assert document.text == "First page, hyphen-\nated.\n\n\n\nThird page."
    assert document.pages == (0, 27, 29)
    assert document.text[document.pages[2] :] == "Third page."
    assert document.title == "The title"


def test_a_scanned_pdf_says_that_ocr_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"no text on its 2 pages.*OCR"):
        pdf.load(make_pdf(tmp_path / "a.pdf", "", ""))


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="encrypted with a password"):
        pdf.load(make_pdf(tmp_path / "a.pdf", "secret", owner_password="o", user_password="u"))
    assert pdf.load(make_pdf(tmp_path / "b.pdf", "open to all", owner_password="o")).text == "open to all"


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_pdf_says_so(tmp_path: Path, share: float) -> None:
    path = make_pdf(tmp_path / "a.pdf", "page " * 500, "page " * 500)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(UnreadableDocument, match=rf"at byte {path.stat().st_size}: is cut short"):
        pdf.load(path)


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"", "is empty"),
        (b"<html>Not found</html>", "is no PDF"),
        (b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "is damaged from page 1 on"),
        (b"%PDF-1.7\ntrailer\n<</Root 9 0 R>>\nstartxref\n9\n%%EOF\n", "is damaged from page 1 on"),
    ],
)
def test_what_is_no_whole_pdf_says_so_without_noise(
    tmp_path: Path, raw: bytes, match: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("pypdf")
    before = (log.level, log.propagate, list(log.handlers), list(log.filters))
    (tmp_path / "a.pdf").write_bytes(raw)
    with pytest.raises(UnreadableDocument, match=match):
        pdf.load(tmp_path / "a.pdf")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert before == (log.level, log.propagate, list(log.handlers), list(log.filters))


@pytest.mark.slow
def test_a_pdf_decompression_bomb_is_unreadable(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=make_pdf(tmp_path / "plain.pdf", "text"))
    bomb = StreamObject()
    bomb.set_data(b" " * 100_000_000)
    writer.pages[0][NameObject("/Contents")] = writer._add_object(bomb.flate_encode())
    writer.write(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").stat().st_size < 200_000
    with pytest.raises(UnreadableDocument, match="is damaged"):
        pdf.load(tmp_path / "a.pdf")


FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F 3 0 R>>>>"


def hand_made(path: Path, streams: list[tuple[bytes, bytes]], pages: list[str], form: int = 10) -> Path:
    """A PDF with `streams`, entries and data, as objects 10, 11 ... and pages with these contents; ``/X`` is object `form`."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        4: b"<</Font<</F 3 0 R>>/XObject<</X %d 0 R>>>>" % form,
    }
    for number, (entries, data) in enumerate(streams, 10):
        objects[number] = b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)
    first = 10 + len(streams)
    for number, contents in enumerate(pages, first):
        objects[number] = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources 4 0 R/Contents %s>>" % contents.encode()
    kids = " ".join(f"{first + i} 0 R" for i in range(len(pages)))
    objects[2] = f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode()
    raw, table = b"%PDF-1.7\n", b""
    for number in range(1, max(objects) + 1):
        table += b"%010d 00000 n \n" % len(raw) if number in objects else b"0000000000 65535 f \n"
        raw += b"%d 0 obj%s\nendobj\n" % (number, objects[number]) if number in objects else b""
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, len(raw))
    path.write_bytes(raw + b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1) + table + trailer)
    return path


def shown(text: str) -> tuple[bytes, bytes]:
    return b"", f"BT /F 9 Tf ({text}) Tj ET ".encode()


def test_text_in_forms_is_read(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [(FORM, shown("form")[1]), (b"", shown("page")[1] + b"/X Do ")], ["11 0 R"])
    assert pdf.load(path).text == "page\nform"


def test_text_beyond_the_forms_that_pypdf_shows_is_a_named_problem(tmp_path: Path) -> None:
    many = (b"", shown("page")[1] + b"/X Do " * 11)
    path = hand_made(tmp_path / "a.pdf", [(FORM, shown("form")[1]), shown("first"), many], ["11 0 R", "12 0 R"])
    assert pdf.load(path).text.count("form") == 11
    with (
        pypdf.apply_configuration(xform_maximum_invocations_per_extraction=10),
        pytest.raises(UnreadableDocument, match=r"a\.pdf: holds text that pypdf cannot read \(Exceeded 10 .*, on page 2"),
    ):
        pdf.load(path)


def test_a_form_beyond_a_limit_of_pypdf_is_a_named_problem(tmp_path: Path) -> None:
    form = (FORM, shown("form")[1] + b"0 " * 100)
    path = hand_made(tmp_path / "a.pdf", [form, (b"", shown("page")[1] + b"/X Do ")], ["11 0 R"])
    said = r"cannot read \(Impossible to decode XFormObject /X: Reached maximum .*on page 1"
    with pypdf.apply_configuration(stream_parsing_work_maximum_count=100), pytest.raises(UnreadableDocument, match=said):
        pdf.load(path)


def test_every_limit_of_pypdf_that_a_page_can_reach_is_a_named_problem(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [shown("page " * 20), shown("two")], ["[10 0 R 11 0 R]", "11 0 R"])
    assert pdf.load(path).text.startswith("page page")
    reached = {
        "array_based_stream_maximum_output_length": 50,
        "stream_parsing_work_maximum_count": 3,
        "dictionary_maximum_element_count": 2,
        "array_maximum_element_count": 1,
        "page_tree_maximum_entries": 1,
        "page_tree_maximum_page_entries": 4,
        "maximum_declared_stream_length": 40,
    }
    for limit, value in reached.items():
        said = r"a\.pdf: .*(?i:limit|maximum|exceed)"
        with pypdf.apply_configuration(**{limit: value}), pytest.raises(UnreadableDocument, match=said):
            pdf.load(path)


def test_a_broken_form_that_is_shown_is_a_named_problem_and_one_that_is_not_is_none(tmp_path: Path) -> None:
    form = (FORM + b"/Filter/FlateDecode", b"no zlib stream")
    streams = [form, shown("page"), (b"", shown("page")[1] + b"/X Do ")]
    with pytest.raises(UnreadableDocument, match=r"holds text that pypdf cannot read .*on page 1"):
        pdf.load(hand_made(tmp_path / "a.pdf", streams, ["12 0 R"]))
    assert pdf.load(hand_made(tmp_path / "a.pdf", streams, ["11 0 R"])).text == "page"


def test_contents_that_are_no_stream_are_a_named_problem(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [shown("page")], ["[10 0 R]", "[10 0 R 3 0 R]"], form=3)
    with pytest.raises(UnreadableDocument, match=r"cannot read \(Expected StreamObject.*on page 2"):
        pdf.load(path)


def test_pages_that_share_their_content_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    extract = pypdf.PageObject.extract_text

    def counted(self: pypdf.PageObject, **options: Any) -> str:
        nonlocal calls
        calls += 1
        return extract(self, **options)

    monkeypatch.setattr(pypdf.PageObject, "extract_text", counted)
    document = pdf.load(hand_made(tmp_path / "a.pdf", [shown("one"), shown("two")], ["10 0 R", "11 0 R", *["10 0 R"] * 50]))
    assert document.text.split("\n\n") == ["one", "two", *["one"] * 50]
    assert calls == 2


@pytest.mark.slow
@pytest.mark.parametrize("how", ["arrays", "forms"])
def test_content_that_is_shown_without_end_is_a_named_problem(tmp_path: Path, how: str) -> None:
    large = b"%" + b"x" * 400_000 + b"\n" + shown("large")[1]  # a comment is parsed too
    if how == "arrays":
        streams, pages = [(b"", large), *[shown(str(i)) for i in range(50)]], [f"[10 0 R {i + 11} 0 R]" for i in range(50)]
    else:
        streams, pages = [(FORM, large), (b"", b"/X Do " * 50)], ["11 0 R"]
    with pytest.raises(UnreadableDocument, match="takes more than its size explains"):
        pdf.load(hand_made(tmp_path / "a.pdf", streams, pages))


@pytest.mark.slow
def test_a_pdf_of_too_many_pages_is_a_named_problem(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [shown("page")], ["10 0 R"] * 20_001)
    with pytest.raises(UnreadableDocument, match="holds more than 20,000 pages"):
        pdf.load(path)


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
        "- List Bullet\n- List Number\n- List Paragraph",
        "After",
    ]


def test_docx_merged_cells_count_once_and_tables_nest(tmp_path: Path) -> None:
    document = word.Document()
    table = document.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).merge(table.cell(1, 2)).text = "tall"
    table.cell(1, 0).text = "x"
    table.cell(2, 0).text = "outer"
    inner = table.cell(2, 1).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "in", "ner"
    assert docx.load(save(document, tmp_path / "a.docx")).text == "wide | tall\nx |  | \n\nouter\n\nin | ner"


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
    assert text == "### Chapter\n\n- Steps\n\n###### Deep\n\n  - numbered\n\nnot"


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
