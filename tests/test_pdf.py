"""PDF documents: what text comes out of them, in which order, and what is said of what cannot be read."""

import io
import logging
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import pypdf
import pypdfium2
import pytest
from fpdf import FPDF
from pdfs import FORM, hand_made, make_pdf, shown
from pypdf.annotations import FreeText, Text
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject, TextStringObject

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.records import Document
from ragdiag.sources.loaders import pdf
from ragdiag.sources.loaders.pdf.layout import lines
from ragdiag.sources.loaders.pdf.text import Piece
from ragdiag.text.titles import no_title
from ragdiag.text.versions import Versions


def left_out(document: Document, *kinds: str) -> list[tuple[str, str, str]]:
    return [(o.kind, o.text, o.place) for o in document.left_out if not kinds or o.kind in kinds]


def test_pdf_pages_are_joined_and_found_again(tmp_path: Path) -> None:
    document = pdf.load(make_pdf(tmp_path / "a.pdf", "First page, hyphen-\nated.", "", "Third page."))
    assert document.text == "First page, hyphen-\nated.\n\n\n\nThird page."
    assert document.pages == (0, 27, 29)
    assert document.text[document.pages[2] :] == "Third page."
    assert document.title == "The title"
    assert left_out(document) == [("unreadable", "", "page 2")]


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


def test_text_in_forms_is_read(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [(FORM, shown("form")[1]), (b"", shown("page")[1] + b"/X Do ")], ["11 0 R"])
    assert pdf.load(path).text == "page\nform"


def test_a_form_that_is_shown_often_at_one_place_is_read_there_once(tmp_path: Path) -> None:
    many = (b"", shown("page")[1] + b"/X Do " * 11)
    apart = (b"", b" ".join(b"q 1 0 0 1 0 %d cm /X Do Q" % (20 * i) for i in range(11)))
    path = hand_made(tmp_path / "a.pdf", [(FORM, shown("form")[1]), many, apart], ["11 0 R", "12 0 R"])
    first, second = pdf.load(path).text.split("\n\n")
    assert first == "page\nform"
    assert second.split("\n") == ["form"] * 11


def test_a_page_beyond_a_limit_of_pypdf_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [shown("page " * 20), shown("two")], ["[10 0 R 11 0 R]", "11 0 R"])
    with pypdf.apply_configuration(maximum_declared_stream_length=40):
        document = pdf.load(path)
    assert document.text.strip() == "two"
    ((kind, _, place),) = left_out(document)
    assert kind == "limits"
    assert place.startswith("page 1 (LimitReachedError: ")


def test_every_limit_of_pypdf_that_a_document_can_reach_is_said(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "a.pdf", [shown("page " * 20), shown("two")], ["[10 0 R 11 0 R]", "11 0 R"])
    assert not left_out(pdf.load(path))
    reached = {"dictionary_maximum_element_count": 2, "array_maximum_element_count": 1, "page_tree_maximum_entries": 1}
    for limit, value in reached.items():
        with (
            pypdf.apply_configuration(**{limit: value}),
            pytest.raises(UnreadableDocument, match=r"a\.pdf: .*(?i:limit|maximum)"),
        ):
            pdf.load(path)


def test_a_broken_form_is_said_where_it_is_shown_and_nowhere_else(tmp_path: Path) -> None:
    form = (FORM + b"/Filter/FlateDecode", b"no zlib stream")
    streams = [form, shown("page"), (b"", shown("page")[1] + b"/X Do ")]
    document = pdf.load(hand_made(tmp_path / "a.pdf", streams, ["11 0 R", "12 0 R"]))
    assert document.text == "page\n\npage"
    ((kind, _, place),) = left_out(document)
    assert (kind, place[:8]) == ("unreadable", "page 2 (")
    assert not left_out(pdf.load(hand_made(tmp_path / "a.pdf", streams, ["11 0 R"])))


def test_contents_that_are_no_stream_are_said_with_the_page(tmp_path: Path) -> None:
    document = pdf.load(hand_made(tmp_path / "a.pdf", [shown("page")], ["[10 0 R]", "[10 0 R 3 0 R]"], form=3))
    assert document.text.startswith("page\n\n")
    ((kind, _, place),) = left_out(document)
    assert kind == "unreadable"
    assert place.startswith("page 2 (TypeError: Expected StreamObject")


def test_pages_that_share_their_content_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    get = pypdfium2.PdfPage.get_textpage

    def counted(self: pypdfium2.PdfPage) -> Any:
        nonlocal calls
        calls += 1
        return get(self)

    monkeypatch.setattr(pypdfium2.PdfPage, "get_textpage", counted)
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


# Whole and cut short


@pytest.mark.parametrize("tail", [b"<!-- served by a cache -->\n" * 200, b"\0" * 3000, b"x", b"%%EOF\n" * 3])
def test_what_follows_the_end_mark_is_no_loss(tmp_path: Path, tail: bytes) -> None:
    path = make_pdf(tmp_path / "a.pdf", "All of it.")
    path.write_bytes(path.read_bytes() + tail)
    document = pdf.load(path)
    assert (document.text, document.left_out) == ("All of it.", ())


@pytest.mark.parametrize("missing", [1, 4, 5, 6])
def test_a_file_that_lacks_no_more_than_its_end_mark_is_read(tmp_path: Path, missing: int) -> None:
    path = make_pdf(tmp_path / "a.pdf", "All of it.")
    path.write_bytes(path.read_bytes().rstrip()[:-missing])
    assert pdf.load(path).text == "All of it."


def test_a_file_cut_short_within_a_later_revision_says_so(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", "First text.")
    path.write_bytes(path.read_bytes() + b"7 0 obj\n<</Length 99>>stream\nBT (Second te")
    with pytest.raises(UnreadableDocument, match="is cut short"):
        pdf.load(path)


# What stands upon a page


def form(path: Path) -> Path:
    """Fields of every kind, some hidden, upon a page of fpdf2."""
    document = FPDF(unit="pt")
    document.set_font("Helvetica", size=12)
    document.add_page()
    for i, label in enumerate(["Tenant:", "Heating:", "Pets:", "Garden:", "Notes:", "Key:"]):
        document.text(60, 100 + 40 * i, label)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(bytes(document.output())))
    height = float(writer.pages[0].mediabox.height)

    def field(line: int, **entries: Any) -> None:
        y = height - 100 - 40 * line
        box = ArrayObject([NumberObject(n) for n in (160, round(y - 4), 360, round(y + 12))])
        named = {NameObject(f"/{name}"): value for name, value in entries.items()}
        kind = {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Widget"),
            NameObject("/Rect"): box,
        }
        writer.add_annotation(0, DictionaryObject(kind | named))

    say, name = TextStringObject, NameObject
    options = ArrayObject([ArrayObject([say("g"), say("natural gas")]), ArrayObject([say("d"), say("district heat")])])
    field(0, FT=name("/Tx"), T=say("tenant"), V=say("Ms Example, flat 4B"))
    field(1, FT=name("/Ch"), T=say("heating"), V=say("d"), Opt=options)
    field(2, FT=name("/Btn"), T=say("pets"), AS=name("/Yes"))
    field(3, FT=name("/Btn"), T=say("garden"), AS=name("/Off"))
    field(4, FT=name("/Tx"), T=say("notes"))
    field(5, FT=name("/Tx"), T=say("key"), V=say("code 4711"), F=NumberObject(2))
    writer.write(path)
    return path


def test_the_values_of_form_fields_stand_beside_their_names(tmp_path: Path) -> None:
    document = pdf.load(form(tmp_path / "a.pdf"))
    lines = ["Tenant: Ms Example, flat 4B", "Heating: district heat", "Pets: [x]", "Garden:", "Notes:", "Key:"]
    assert document.text.split("\n") == lines
    assert left_out(document) == [
        ("forms", "natural gas", "page 1, heating"),
        ("forms", "[ ]", "page 1, garden"),
        ("forms", "", "page 1, notes"),
        ("hidden", "code 4711", "page 1, key"),
    ]
    kept = pdf.load(form(tmp_path / "a.pdf"), {"forms", "hidden"})
    assert "Garden: [ ]" in kept.text and "Key: code 4711" in kept.text
    assert left_out(kept) == [("forms", "", "page 1, notes")]


def test_text_written_upon_a_page_is_read_and_comments_are_notes(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=make_pdf(tmp_path / "plain.pdf", "On the page."))
    writer.add_annotation(0, FreeText(text="Written upon it.", rect=(60, 400, 300, 420)))
    writer.add_annotation(0, Text(text="Is this still true?", rect=(60, 300, 80, 320)))
    writer.add_attachment("figures.csv", b"1,2")
    writer.write(tmp_path / "a.pdf")
    document = pdf.load(tmp_path / "a.pdf")
    assert document.text == "On the page.\nWritten upon it."
    assert left_out(document) == [
        ("unreadable", "", "attachment figures.csv"),
        ("notes", "Is this still true?", "page 1, Text"),
    ]
    assert pdf.load(tmp_path / "a.pdf", {"notes"}).text.endswith("Is this still true?")


# Order


def drawn(path: Path, *draw: Callable[[FPDF], object]) -> Document:
    document = FPDF(unit="pt")
    document.set_font("Helvetica", size=11)
    for each in draw:
        document.add_page()
        each(document)
    path.write_bytes(bytes(document.output()))
    return pdf.load(path)


PASSAGES = [
    "Whoever joined before the first of January keeps the notice period that was agreed in writing and signed by both.",
    "The pump has to be switched off before its lid is opened by hand, and the filter is cleaned with warm water only.",
    "Receipts of more than thirty euros are handed in on paper, and the form is signed by the head of the department.",
]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("step", [0, 5])
@pytest.mark.parametrize("by_row", [True, False])
def test_columns_are_read_one_after_the_other(tmp_path: Path, count: int, step: int, by_row: bool) -> None:
    columns = [textwrap.wrap(text, 60 // count) for text in PASSAGES[:count]]
    cells = [(i, j, line) for j, column in enumerate(columns) for i, line in enumerate(column)]

    def draw(page: FPDF) -> None:
        page.text(60, 60, "Handbook of the works")
        for i, j, line in sorted(cells) if by_row else cells:
            page.text(60 + j * 480 / count, 100 + 14 * i + step * j, line)

    text = " ".join(drawn(tmp_path / "a.pdf", draw).text.split())
    assert text == " ".join(["Handbook of the works", *PASSAGES[:count]])


def table(rows: list[tuple[str, ...]], pitch: int = 18) -> Callable[[FPDF], None]:
    def draw(page: FPDF) -> None:
        page.text(60, 60, "All prices in euro.")
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                page.text(120 + 110 * j, 90 + pitch * i, cell)
        page.text(60, 110 + pitch * len(rows), "Valid until June.")

    return draw


def test_the_cells_of_a_table_keep_their_columns(tmp_path: Path) -> None:
    rows = [("Model", "Flow", "Price"), ("AB-1", "12.5", "199.00"), ("AB-2", "", "249.00"), ("AB-3", "40", "")]
    text = drawn(tmp_path / "a.pdf", table(rows)).text
    lines = ["All prices in euro.", *(" | ".join(row) for row in rows), "Valid until June."]
    assert text.split("\n") == lines


def test_a_cell_of_several_lines_is_one(tmp_path: Path) -> None:
    def draw(page: FPDF) -> None:
        y = 80
        for i, text in enumerate(PASSAGES, 1):
            page.text(60, y, f"Rule {i}")
            for line in textwrap.wrap(text, 60):
                page.text(160, y, line)
                y += 14
            y += 16

    text = drawn(tmp_path / "a.pdf", draw).text
    assert text.split("\n") == [f"Rule {i} | {passage}" for i, passage in enumerate(PASSAGES, 1)]


def test_lists_and_names_with_their_values_are_no_tables(tmp_path: Path) -> None:
    def draw(page: FPDF) -> None:
        for i, (name, text) in enumerate([("1.", "Switch it off"), ("2.", "Open the lid"), ("3.", "Clean the filter")]):
            page.text(60, 80 + 14 * i, name)
            page.text(90, 80 + 14 * i, text)
            page.text(60, 170 + 14 * i, f"2.{i}")
            page.text(90, 170 + 14 * i, f"Part {i}")
            page.text(60, 260 + 14 * i, f"Name{name}:")
            page.text(150, 260 + 14 * i, text)

    text = drawn(tmp_path / "a.pdf", draw).text
    assert "2. Open the lid\n" in text and "2.1 Part 1\n" in text and "Name2.: Open the lid\n" in text
    assert " | " not in text


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_turned_pages_are_read_as_they_are_seen(tmp_path: Path, angle: int) -> None:
    plain = make_pdf(tmp_path / "plain.pdf", "First line of it.\nSecond line of it.\nThird line of it.")
    writer = pypdf.PdfWriter(clone_from=plain)
    writer.pages[0].rotate(angle).transfer_rotation_to_content()
    writer.pages[0].rotate(360 - angle)
    writer.write(tmp_path / "a.pdf")
    assert pdf.load(tmp_path / "a.pdf").text == pdf.load(plain).text


def test_turned_text_comes_behind_what_is_level(tmp_path: Path) -> None:
    def draw(page: FPDF) -> None:
        with page.rotation(90, 40, 300):
            page.text(40, 300, "Note in the margin")
        page.text(100, 100, "Level text")

    assert drawn(tmp_path / "a.pdf", draw).text == "Level text\nNote in the margin"


def test_a_raised_figure_is_not_read_on_with_the_one_before(tmp_path: Path) -> None:
    def draw(page: FPDF) -> None:
        page.text(60, 100, "at most 2")
        x = 60 + page.get_string_width("at most 2")
        page.set_font_size(7)
        page.text(x, 95, "8")

    assert drawn(tmp_path / "a.pdf", draw).text == "at most 2^8"


# What repeats


def handbook(pages: int, head: str = "ACME Handbook - internal", foot: str = "Page {} of {}", body: str = "") -> list[Any]:
    def draw(number: int) -> Callable[[FPDF], None]:
        def on(page: FPDF) -> None:
            page.text(60, 40, head.format(number, pages))
            page.text(60, 100, body.format(number) or f"{'abcdefgh'[number]} text that begins with a letter of its own")
            page.text(60, 120 + 7 * number, f"and goes {'on ' * number}{'ijklmnop'[number]}")
            page.text(260, 800, foot.format(number, pages))

        return on

    return [draw(number) for number in range(1, pages + 1)]


@pytest.mark.parametrize("pages", [2, 3, 6])
@pytest.mark.parametrize("foot", ["Page {} of {}", "{}", "- {} -", "ACME v4, page {}", "Seite {}/{}"])
def test_running_heads_and_feet_do_not_interrupt_what_goes_on(tmp_path: Path, pages: int, foot: str) -> None:
    document = drawn(tmp_path / "a.pdf", *handbook(pages, foot=foot))
    assert document.text.startswith("ACME Handbook - internal\nb text")
    assert "and goes on j\n\nc text" in document.text
    assert document.text.count("ACME Handbook") == 1
    for number, start in enumerate(document.pages[1:], 2):
        assert document.text[start:].startswith("abcdefgh"[number])
    heads = [o for o in document.left_out if o.text.startswith("ACME Handbook")]
    assert [(o.kind, o.place) for o in heads] == [("navigation", f"page {n}") for n in range(2, pages + 1)]
    assert [o.at for o in heads] == list(document.pages[1:])
    kept = drawn(tmp_path / "a.pdf", *handbook(pages, foot=foot)), pdf.load(tmp_path / "a.pdf", {"navigation"})
    assert kept[1].text.count("ACME Handbook") == pages
    assert not left_out(kept[1])


@pytest.mark.parametrize("head", ["Step {}", "Chapter {}", "Invoice 100{}"])
def test_headings_that_count_are_no_running_heads(tmp_path: Path, head: str) -> None:
    text = drawn(tmp_path / "a.pdf", *handbook(4, head=head)).text
    assert all(head.format(n) in text for n in range(1, 5))


def test_what_repeats_inside_of_the_pages_stays(tmp_path: Path) -> None:
    text = drawn(tmp_path / "a.pdf", *handbook(4, head="Title number {}", body="The same on every page")).text
    assert text.count("The same on every page") == 4


# What cannot be read


def test_a_page_without_text_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    document = pdf.load(make_pdf(tmp_path / "a.pdf", "One.", "Two.", "", "Four."))
    assert document.text == "One.\n\nTwo.\n\n\n\nFour."
    assert [(o.kind, o.place, o.at) for o in document.left_out] == [("unreadable", "page 3", document.pages[2])]


GLYPHS = b"/Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding<</Differences[1/fi/f_f_i/f_l/uniE000]>>"


def with_font(path: Path, text: bytes, font: bytes = GLYPHS) -> Document:
    content = b"BT /F 12 Tf 60 700 Td (" + text + b") Tj ET"
    raw = hand_made(path, [(b"", content)], ["10 0 R"]).read_bytes()
    plain = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(raw))
    assert plain in raw
    resources = writer.pages[0]["/Resources"]
    resources["/Font"][NameObject("/F")] = pypdf.generic.read_object(io.BytesIO(b"<<" + font + b">>"), writer)
    writer.write(path)
    return pdf.load(path)


def test_ligatures_are_letters_by_the_names_of_their_glyphs(tmp_path: Path) -> None:
    document = with_font(tmp_path / "a.pdf", b"the de\\001nition of an o\\002ce in\\003uences it")
    assert document.text == "the definition of an office influences it"
    assert not document.left_out


def test_characters_without_a_letter_are_counted(tmp_path: Path) -> None:
    document = with_font(tmp_path / "a.pdf", b"one mark\\004 of no meaning at all")
    assert document.text == "one mark of no meaning at all"
    ((kind, text, place),) = left_out(document)
    assert (kind, len(text), place) == ("unreadable", 1, "page 1 (characters that stand for no letter)")


@pytest.mark.parametrize("title", ["untitled", "(anonymous)", "Microsoft Word - letter.doc", "report.pdf", "Slide 1"])
def test_a_title_by_default_is_none(tmp_path: Path, title: str) -> None:
    document = FPDF()
    document.set_title(title)
    document.add_page()
    document.set_font("Helvetica")
    document.cell(text="text")
    (tmp_path / "a.pdf").write_bytes(bytes(document.output()))
    assert pdf.load(tmp_path / "a.pdf").title == ""


# Titles and versions


@pytest.mark.parametrize(
    "title",
    "|  |(untitled)|Untitled Document|Document1|Dokument 2|PowerPoint Presentation|Folie 3|Layout 1|"
    "Microsoft Word - Letter of May.docx|Annual report 2020.doc|index.html|---|2024|无标题|Home|Notes|Read me".split("|"),
)
def test_titles_that_programs_write_are_none(title: str) -> None:
    assert no_title(title)


@pytest.mark.parametrize(
    "title",
    "Travel|Document retention policy|Untitled works of the 1920s|Slide rules|Home office rules|How to write a README.md|"
    "Layout of the works|Title IX|Node.js|Notes on leave".split("|"),
)
def test_titles_that_people_write_are_titles(title: str) -> None:
    assert not no_title(title)


@pytest.mark.parametrize(
    ("old", "current", "stale"),
    [
        ("Leave", ["Leave", "Travel"], True),
        ("leave ", ["Leave"], True),
        ("untitled", ["untitled"], False),
        ("Document1", ["Document1"], False),
        ("", [""], False),
        ("ACME Pumps", ["ACME Pumps", "ACME Pumps", "Travel"], False),
    ],
)
def test_a_title_binds_versions_only_where_it_is_one(old: str, current: list[str], stale: bool) -> None:
    documents = [Document("old", "text", old, {"superseded": True}), *(Document(str(i), "t", c) for i, c in enumerate(current))]
    versions = Versions(documents)
    assert versions.superseded().tolist() == [stale, *[False] * len(current)]
    assert bool(versions.link(0, 1)) == stale


def test_a_page_whose_font_names_no_letters_is_said_and_not_read(tmp_path: Path) -> None:
    plain = b"<</Differences[" + b" ".join(b"%d/g%d" % (code, code) for code in range(65, 123)) + b"]>>"
    font = b"/Type/Font/Subtype/Type1/BaseFont/Unknown/Encoding" + plain
    pages = hand_made(tmp_path / "two.pdf", [shown("readable"), (b"", b"BT /G 9 Tf (GARBAGE) Tj ET")], ["10 0 R", "11 0 R"])
    writer = pypdf.PdfWriter(clone_from=pages)
    fonts = writer.pages[1]["/Resources"]["/Font"]
    fonts[NameObject("/G")] = pypdf.generic.read_object(io.BytesIO(b"<<" + font + b">>"), writer)
    writer.write(tmp_path / "a.pdf")
    document = pdf.load(tmp_path / "a.pdf")
    assert document.text.strip() == "readable"
    ((kind, _, place),) = left_out(document)
    assert (kind, place) == ("unreadable", "page 2 (its fonts do not say which letters they show)")


def test_each_line_is_read_in_its_own_direction() -> None:
    words = [("חופשה", 10.0), ("מקבל", 50.0), ("העובד", 90.0)]
    hebrew = [Piece(word, left, left + 34, 40.0, 52.0) for word, left in words]
    english = [Piece("The plan is for all of the members of the club.", 10.0, 300.0, 70.0, 82.0)]
    mixed = [Piece(word, left, left + 34, 10.0, 22.0) for word, left in [("Means", 10.0), ("סיסמה", 50.0), ("להחליף", 90.0)]]
    assert [line.text for line in lines([*english, *hebrew, *mixed])] == [
        "The plan is for all of the members of the club.",
        "העובד מקבל חופשה",
        "להחליף סיסמה Means",
    ]


@pytest.mark.browser
def test_a_page_that_a_browser_prints_in_two_directions(tmp_path: Path) -> None:
    body = (
        "<p>The plan is for all of the members of the club and of their guests.</p>"
        "<p dir=rtl>يجب على كل موظف تغيير Office affine waffle كل 90 يوما.</p>"
        "<p>The word كلمة means word, and 10<sup>3</sup> is a thousand.</p>"
    )
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    (tmp_path / "a.html").write_text(f"<!doctype html><meta charset=utf-8>{body}", encoding="utf-8")
    asked = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'a.pdf'}")
    subprocess.run([chromium, *asked, str(tmp_path / "a.html")], check=True, capture_output=True, timeout=60)
    assert pdf.load(tmp_path / "a.pdf").text.split("\n") == [
        "The plan is for all of the members of the club and of their guests.",
        "يجب على كل موظف تغيير Office affine waffle كل 90 يوما.",
        "The word كلمة means word, and 10^3 is a thousand.",
    ]
