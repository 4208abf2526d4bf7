"""Word documents: what a reader can reach is in the text, and what is not in the text is said."""

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from worded import boxed, call, cell, field, item, levels, lists, math, note, packed, par, picture, run, sign, table, zipped

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.records import Document
from ragdiag.sources.loaders import docx
from ragdiag.sources.omissions import KINDS

Read = Callable[..., Document]

RAISED, LOWERED, DELETED = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>', "<w:rPr><w:del/></w:rPr>"
ASIDE = note("Islands pay 19 euros.", 2)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def load(raw: bytes, *keep: str) -> Document:
        (tmp_path / "a.docx").write_bytes(raw)
        return docx.load(tmp_path / "a.docx", frozenset(keep))

    return load


def left_out(document: Document) -> list[tuple[str, str]]:
    assert all(each.kind in KINDS and each.place for each in document.left_out)
    return [(each.kind, each.text) for each in document.left_out]


# Notes


def test_notes_stand_below_the_paragraph_that_calls_them(read: Read) -> None:
    body = par("Free", call(2), " in the EU", call(1, "endnote"), ".") + par("Next.")
    document = read(packed(body, footnotes=ASIDE, endnotes=note("Or the EEA.", 1, "endnote")))
    assert document.text == "Free in the EU.\n\n[1] Islands pay 19 euros.\n[i] Or the EEA.\n\nNext."


def test_a_note_that_is_called_between_figures_parts_them(read: Read) -> None:
    assert "19 7" in read(packed(par("19", call(2), "7"), footnotes=ASIDE)).text
    assert read(packed(par("5", call(2)), footnotes=ASIDE)).text.split("\n")[0] == "5"


def test_notes_of_a_table_stand_below_it(read: Read) -> None:
    rows = table(cell(par("a", call(2))) + cell("b"), cell("c") + cell("d"))
    assert read(packed(rows, footnotes=ASIDE)).text == "a | b\nc | d\n\n[1] Islands pay 19 euros."


def test_notes_are_numbered_as_the_document_says(read: Read) -> None:
    settings = '<w:footnotePr><w:numFmt w:val="upperLetter"/><w:numStart w:val="3"/></w:footnotePr>'
    notes = '<w:footnote w:type="separator" w:id="0"/>' + ASIDE + note("Later.", 3)
    assert read(packed(par("x", call(2), call(3)), settings=settings, footnotes=notes)).text.split("\n")[2:] == [
        "[C] Islands pay 19 euros.",
        "[D] Later.",
    ]


def test_a_note_with_a_mark_of_its_own_has_no_number(read: Read) -> None:
    marked = '<w:r><w:footnoteReference w:id="2" w:customMarkFollows="1"/><w:t>*</w:t></w:r>'
    assert read(packed(par("x", marked), footnotes=note("* Islands.", 2))).text == "x*\n\n* Islands."


def test_a_note_that_only_deleted_text_calls_is_hidden(read: Read) -> None:
    document = read(packed(par("kept", f"<w:del>{call(2)}</w:del>"), footnotes=ASIDE))
    assert document.text == "kept"
    assert left_out(document) == [("hidden", "Islands pay 19 euros.")]


# Lists


@pytest.mark.parametrize(
    ("form", "text", "marks"),
    [
        ("decimal", "%1.", ["1.", "2.", "3."]),
        ("decimal", "Article %1:", ["Article 1:", "Article 2:", "Article 3:"]),
        ("lowerLetter", "(%1)", ["(a)", "(b)", "(c)"]),
        ("upperRoman", "%1)", ["I)", "II)", "III)"]),
        ("decimalZero", "%1", ["01", "02", "03"]),
        ("ordinal", "%1", ["1st", "2nd", "3rd"]),
        ("chineseCounting", "第%1条", ["第一条", "第二条", "第三条"]),
        ("russianLower", "%1)", ["а)", "б)", "в)"]),
        ("bullet", "\uf0b7", ["-", "-", "-"]),
        ("bullet", "☐", ["☐", "☐", "☐"]),
    ],
)
def test_items_have_the_numbers_that_word_shows(read: Read, form: str, text: str, marks: list[str]) -> None:
    items = read(packed("".join(map(item, "xyz")), numbering=lists(levels((form, text))))).text
    assert items.split("\n") == [f"{mark} {x}" for mark, x in zip(marks, "xyz", strict=True)]


@pytest.mark.parametrize(
    ("form", "start", "mark"),
    [
        ("lowerLetter", 27, "aa"),
        ("upperLetter", 26, "Z"),
        ("lowerRoman", 1994, "mcmxciv"),
        ("chineseCounting", 10, "十"),
        ("chineseCounting", 21, "二十一"),
        ("chineseCounting", 105, "一百零五"),
        ("chineseCounting", 1010, "一千零一十"),
        ("ordinal", 12, "12th"),
        ("decimalEnclosedCircle", 20, "⑳"),
        ("thaiNumbers", 25, "๒๕"),
        ("neverHeardOf", 4, "4"),
        ("decimal", 999_999_999, "1000000"),
    ],
)
def test_numerals(read: Read, form: str, start: int, mark: str) -> None:
    assert read(packed(item("x"), numbering=lists(levels((form, "%1"), start=start)))).text == f"{mark} x"


OUTLINE = levels(("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "%1.%2.%3"))


def test_levels_count_within_those_above(read: Read) -> None:
    steps = [(0, "1."), (1, "  1.1"), (2, "    1.1.a"), (2, "    1.1.b"), (1, "  1.2"), (2, "    1.2.a"), (0, "2."), (1, "  2.1")]
    text = read(packed("".join(item("x", 1, level) for level, _ in steps), numbering=lists(OUTLINE))).text
    assert text.split("\n") == [f"{mark} x" for _, mark in steps]


def test_a_level_may_go_on_through_those_above(read: Read) -> None:
    form = levels(("decimal", "%1."), ("decimal", "%2)"), more='<w:lvlRestart w:val="0"/>')
    text = read(packed("".join(item("x", 1, level) for level in (0, 1, 0, 1)), numbering=lists(form))).text
    assert text == "1. x\n  1) x\n2. x\n  2) x"


def test_legal_numbers_are_figures(read: Read) -> None:
    form = (
        levels(("upperRoman", "%1"))
        + levels(("upperRoman", ""), ("decimal", "%1.%2"), more="<w:isLgl/>").partition("</w:lvl>")[2]
    )
    assert read(packed(item("x") + item("y", 1, 1), numbering=lists(form))).text == "I x\n  1.1 y"


def test_lists_of_one_definition_go_on_unless_they_start_anew(read: Read) -> None:
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    other = f'<w:lvlOverride w:ilvl="0">{levels(("lowerLetter", "%1)"))}</w:lvlOverride>'
    form = lists(levels(("decimal", "%1.")), instances={1: (0, ""), 2: (0, ""), 3: (0, anew), 4: (0, other)})
    text = read(packed("".join(item("x", which) for which in (1, 1, 2, 3, 3, 1, 4)), numbering=form)).text
    assert text.split("\n") == ["1. x", "2. x", "3. x", "5. x", "6. x", "7. x", "h) x"]


def test_an_empty_item_counts_and_a_deleted_one_does_not(read: Read) -> None:
    gone = par("<w:del><w:r><w:delText>old</w:delText></w:r></w:del>", properties=DELETED + LISTED)
    document = read(packed(item("x") + item("") + gone + item("y"), numbering=lists(levels(("decimal", "%1.")))))
    assert document.text == "1. x\n3. y"
    assert left_out(document) == [("hidden", "old")]


LISTED = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'


def test_headings_have_their_numbers(read: Read) -> None:
    body = par("Scope", properties='<w:pStyle w:val="H1"/>' + LISTED) + par("x") + par("End", properties='<w:pStyle w:val="H1"/>')
    assert read(packed(body, numbering=lists(levels(("decimal", "§ %1"))))).text == "# § 1 Scope\n\nx\n\n# End"


def test_styles_number_their_paragraphs(read: Read) -> None:
    """A style names its list, and the list says which of its levels the style stands for."""
    number = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = "".join(f'<w:style w:type="paragraph" w:styleId="{s}"><w:name w:val="{s}"/>{number}</w:style>' for s in "AB")
    form = levels(("decimal", "%1."), ("decimal", "%1.%2"))
    form = form.replace("</w:lvl>", '<w:pStyle w:val="A"/></w:lvl>', 1)
    form = '<w:pStyle w:val="B"/></w:lvl>'.join(form.rsplit("</w:lvl>", 1))
    body = "".join(par(s.lower(), properties=f'<w:pStyle w:val="{s}"/>') for s in "ABB")
    assert read(packed(body, styles=styles, numbering=lists(form))).text == "1. a\n  1.1 b\n  1.2 b"


def test_a_definition_may_stand_in_a_numbering_style(read: Read) -> None:
    style = '<w:style w:type="numbering" w:styleId="S"><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>'
    circle = '<w:style w:type="numbering" w:styleId="C"><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
    form = lists('<w:numStyleLink w:val="S"/>', levels(("upperLetter", "%1.")), '<w:numStyleLink w:val="C"/>')
    assert read(packed(item("x") + item("y"), styles=style + circle, numbering=form)).text == "A. x\nB. y"
    assert read(packed(item("x", 3), styles=style + circle, numbering=form)).text == "- x"


# Formulas


def fraction(top: str, bottom: str, properties: str = "") -> str:
    return f"<m:f>{properties}<m:num>{top}</m:num><m:den>{bottom}</m:den></m:f>"


def power(base: str, high: str) -> str:
    return f"<m:sSup><m:e>{base}</m:e><m:sup>{high}</m:sup></m:sSup>"


def delimited(*inner: str, properties: str = "") -> str:
    return f"<m:d><m:dPr>{properties}</m:dPr>{''.join(f'<m:e>{each}</m:e>' for each in inner)}</m:d>"


def root(inner: str, degree: str = "") -> str:
    return f"<m:rad><m:deg>{degree}</m:deg><m:e>{inner}</m:e></m:rad>"


ONE, TWO, X = sign("1"), sign("2"), sign("x")
LIMIT = f"<m:limLow><m:e>{sign('lim')}</m:e><m:lim>{sign('x→0')}</m:lim></m:limLow>"
SUM = f'<m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{sign("i=1")}</m:sub><m:sup>{sign("n")}</m:sup><m:e>{sign("i")}</m:e>'


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (sign("A=") + fraction(ONE, TWO), "A=1/2"),
        (fraction(sign("a+b"), sign("2a")), "(a+b)/2a"),
        (fraction(fraction(ONE, TWO), sign("3")), "(1/2)/3"),
        (fraction(sign("n"), sign("k"), '<m:fPr><m:type m:val="noBar"/></m:fPr>'), "n¦k"),
        (sign("1") + fraction(ONE, TWO) + sign("5"), "1 1/2 5"),
        (power(TWO, sign("8")) + sign("-1"), "2^8-1"),
        (power(delimited(sign("a+b")), TWO), "(a+b)^2"),
        (power(sign("10"), sign("-3")), "10^(-3)"),
        (sign("2") + power(X, TWO), "2 x^2"),
        (f"<m:sSub><m:e>{X}</m:e><m:sub>{ONE}</m:sub></m:sSub>", "x_1"),
        (f"<m:sSubSup><m:e>{X}</m:e><m:sub>{ONE}</m:sub><m:sup>{TWO}</m:sup></m:sSubSup>", "x_1^2"),
        (root(sign("x+1")), "√(x+1)"),
        (root(sign("8"), sign("3")), "√[3](8)"),
        (f"<m:nary>{SUM}</m:nary>", "∑_(i=1)^n i"),
        (f"<m:func><m:fName>{LIMIT}</m:fName><m:e>{X}</m:e></m:func>", "lim_(x→0) x"),
        (delimited(sign("a"), sign("b"), properties='<m:begChr m:val="["/><m:endChr m:val=""/>'), "[a|b"),
        (delimited(f"<m:m><m:mr><m:e>{ONE}</m:e><m:e>{TWO}</m:e></m:mr><m:mr><m:e>{X}</m:e></m:mr></m:m>"), "(1, 2; x)"),
        (f"<m:acc><m:e>{X}</m:e></m:acc>", "x̂"),
        (f"<w:ins>{fraction(ONE, TWO)}</w:ins><w:del>{sign('9')}</w:del>", "1/2"),
    ],
)
def test_formulas_are_written_in_one_line(read: Read, inner: str, text: str) -> None:
    assert read(packed(par("so ", math(inner)))).text == f"so {text}"


def test_a_formula_joins_no_number_beside_it(read: Read) -> None:
    assert read(packed(par("take 1", math(fraction(ONE, TWO)), "0 times"))).text == "take 1 1/2 0 times"
    assert read(packed(f"<m:oMathPara>{math(fraction(ONE, TWO))}</m:oMathPara>" + par("x"))).text == "1/2\n\nx"


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (["costs 5", run("1", RAISED), " net"], "costs 5^1 net"),
        (["2", run("8", RAISED), "-1"], "2^8-1"),
        (["2", run("1", RAISED), run("0", RAISED), "4"], "2^10 4"),
        (["10", run("−3", RAISED)], "10^−3"),
        (["40 m", run("2", RAISED)], "40 m²"),
        (["40km", run("2", RAISED), " by Smith", run("2", RAISED)], "40km² by Smith^2"),
        (["5.", run("1", RAISED)], "5.^1"),
        (["the 1", run("st", RAISED), " day"], "the 1st day"),
        (["H", run("2", LOWERED), "O"], "H2O"),
        (["101", run("2", LOWERED)], "101_2"),
        ([run("1", RAISED), "Notes"], "1Notes"),
    ],
)
def test_raised_text_joins_no_number(read: Read, runs: list[str], text: str) -> None:
    assert read(packed(par(*runs))).text == text


# Forms


def control(content: str, properties: str) -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


CHOICE = '<w:listItem w:displayText="red" w:value="r"/><w:listItem w:displayText="blue" w:value="b"/>'
ENTRIES = '<w:listEntry w:val="no"/><w:listEntry w:val="yes"/>'
TICKED = '<w:r><w:sym w:font="Wingdings 2" w:char="F052"/></w:r>'


@pytest.mark.parametrize(
    ("form", "text", "others"),
    [
        (control(run("Ann"), '<w:alias w:val="Name"/><w:text/>'), "Ann", []),
        (control(run("blue"), f"<w:dropDownList>{CHOICE}</w:dropDownList>"), "blue", [("forms", "red")]),
        (control(run("Your name"), '<w:alias w:val="Name"/><w:showingPlcHdr/>'), "", [("forms", "Your name")]),
        (control(TICKED, "<w14:checkbox/>"), "☑", []),
        (field("FORMTEXT", "Ann"), "Ann", []),
        (field("FORMDROPDOWN", form=f'<w:ddList><w:result w:val="1"/>{ENTRIES}</w:ddList>'), "yes", [("forms", "no")]),
        (field("FORMDROPDOWN", form=f"<w:ddList>{ENTRIES}</w:ddList>"), "no", [("forms", "yes")]),
        (field("FORMDROPDOWN", "yes", form=f'<w:ddList><w:result w:val="1"/>{ENTRIES}</w:ddList>'), "yes", [("forms", "no")]),
        (field("FORMCHECKBOX", form="<w:checkBox><w:checked/></w:checkBox>"), "☒", []),
        (field("FORMCHECKBOX", form='<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>'), "☐", []),
        (field("FORMCHECKBOX", form='<w:checkBox><w:default w:val="1"/></w:checkBox>'), "☒", []),
    ],
)
def test_forms_show_their_values(read: Read, form: str, text: str, others: list[tuple[str, str]]) -> None:
    document = read(packed(par("Field: ", form, ".")))
    assert document.text == f"Field: {text}."
    assert left_out(document) == others


def test_what_asks_for_a_value_is_none(read: Read) -> None:
    body = par("a") + control(par("Click here"), '<w:tag w:val="city"/><w:showingPlcHdr/>') + par("b")
    assert read(packed(body)).text == "a\n\nb"
    assert [each.place for each in read(packed(body)).left_out] == ["city"]
    assert read(packed(body), "forms").text == "a\n\nClick here\n\nb"


def test_controls_may_stand_round_cells_and_rows(read: Read) -> None:
    rows = "<w:tbl>" + control(f"<w:tr>{control(cell('a'), '')}{cell('b')}</w:tr>", "") + "</w:tbl>"
    assert read(packed(rows)).text == "a | b"


# Signs


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', "✓"),
        ('<w:r><w:sym w:font="Wingdings" w:char="00FC"/></w:r>', "✓"),
        ('<w:r><w:sym w:font="Symbol" w:char="F0B3"/></w:r>', "≥"),
        ('<w:r><w:sym w:font="Arial" w:char="20AC"/></w:r>', "€"),
        (run("\uf06d", '<w:rFonts w:ascii="Symbol"/>'), "μ"),
        (run("b", '<w:rFonts w:ascii="Symbol"/>'), "β"),
        (run("b", '<w:rFonts w:ascii="Arial"/>'), "b"),
        ("<w:r><w:noBreakHyphen/></w:r>", "-"),
        ("<w:r><w:softHyphen/></w:r>", ""),
        ("<w:r><w:tab/></w:r>", "\t"),
        ('<w:r><w:ptab w:alignment="right"/></w:r>', "\t"),
        ("<w:r><w:br/></w:r>", "\n"),
        ("<w:r><w:cr/></w:r>", "\n"),
        ("<w:r><w:t>a<!-- a comment of XML -->b</w:t></w:r>", "ab"),
    ],
)
def test_signs(read: Read, inner: str, text: str) -> None:
    document = read(packed(par("x", inner, "y")))
    assert document.text == f"x{text}y"
    assert not document.left_out


def test_a_sign_of_an_unknown_font_is_unreadable(read: Read) -> None:
    document = read(packed(par("x", '<w:r><w:sym w:font="Acme Icons" w:char="F00C"/></w:r>', "y")))
    assert document.text == "xy"
    assert [(each.kind, each.at, each.place) for each in document.left_out] == [
        ("unreadable", 1, "sign F00C of the font Acme Icons")
    ]


def test_an_emoji_with_a_picture_for_older_programs_counts_once(read: Read) -> None:
    choice = '<mc:Choice Requires="w16se"><w16se:symEx w16se:font="Segoe UI Emoji" w16se:char="1F600"/></mc:Choice>'
    both = f"<w:r><mc:AlternateContent>{choice}<mc:Fallback><w:t>😀</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    assert read(packed(par("x ", both))).text == "x 😀"


def test_the_reading_above_a_word_is_apart_from_it(read: Read) -> None:
    above = "<w:rt><w:r><w:t>かんじ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r></w:rubyBase>"
    raw = packed(par("古い", f"<w:r><w:ruby>{above}</w:ruby></w:r>", "だ"))
    document = read(raw)
    assert document.text == "古い漢字だ"
    assert left_out(document) == [("notes", "かんじ")]
    assert read(raw, "notes").text == "古い漢字(かんじ)だ"


# Fields


def test_fields_show_results_not_codes(read: Read) -> None:
    begin, middle, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    condition = begin + "<w:r><w:instrText> IF </w:instrText></w:r>" + field("MERGEFIELD x", "raw") + middle
    document = read(packed(par("See ", field("REF a", "page 3"), ": ", condition, "yes", end)))
    assert document.text == "See page 3: yes"
    assert left_out(document) == [("hidden", "raw")]


def test_a_field_may_go_over_paragraphs(read: Read) -> None:
    begin, middle, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    body = par(begin, "<w:r><w:instrText>TOC</w:instrText></w:r>", middle, "One") + par("Two", end) + par("Body")
    assert read(packed(body)).text == "One\n\nTwo\n\nBody"


@pytest.mark.parametrize("kind", ["begin", "separate", "end"])
def test_a_lone_character_of_a_field_hides_nothing(read: Read, kind: str) -> None:
    assert read(packed(par(f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>', "one") + par("two"))).text == "one\n\ntwo"


def test_a_formula_in_a_field_is_unreadable(read: Read) -> None:
    document = read(packed(par("half: ", field(r"EQ \f(1,2)"), ".")))
    assert [(each.kind, each.at, each.place) for each in document.left_out] == [("unreadable", 6, r"formula EQ \f(1,2)")]


# What nobody sees


@pytest.mark.parametrize(
    ("inner", "shown", "text"),
    [
        ("<w:del><w:r><w:delText>old</w:delText></w:r></w:del>", "", "old"),
        ("<w:moveFrom><w:r><w:t>old</w:t></w:r></w:moveFrom>", "", "old"),
        (run("old", "<w:vanish/>"), "", "old"),
        (run("old", '<w:rStyle w:val="Secret"/>'), "", "old"),
        (run("new", '<w:rStyle w:val="Secret"/><w:vanish w:val="0"/>'), "new", ""),
        ("<w:ins><w:r><w:t>new</w:t></w:r></w:ins>", "new", ""),
        (f"<w:del>{boxed(par('old'))}</w:del>", "", "old"),
        (f"<w:r><w:rPr><w:vanish/></w:rPr>{boxed(par('old'))[5:]}", "", "old"),
    ],
)
def test_hidden_text_is_left_out_and_said(read: Read, inner: str, shown: str, text: str) -> None:
    styles = '<w:style w:type="character" w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
    document = read(packed(par("a", inner, "z"), styles=styles))
    assert document.text == f"a{shown}z"
    assert [(each.kind, each.text, each.at) for each in document.left_out] == ([("hidden", text, 1)] if text else [])
    kept = read(packed(par("a", inner, "z"), styles=styles), "hidden")
    assert (kept.text.replace("\n", ""), kept.left_out) == (f"a{shown or text}z", ())


def test_paragraphs_whose_end_was_deleted_are_one(read: Read) -> None:
    assert (
        read(packed(par("Hello ", properties=DELETED) + par("world") + par("end", properties=DELETED))).text
        == "Hello world\n\nend"
    )


def test_a_paragraph_that_was_moved_away_leaves_nothing(read: Read) -> None:
    gone = par("<w:moveFrom><w:r><w:t>x</w:t></w:r></w:moveFrom>", properties="<w:rPr><w:moveFrom/></w:rPr>" + LISTED)
    there = par("<w:moveTo><w:r><w:t>x</w:t></w:r></w:moveTo>", properties=LISTED)
    document = read(packed(gone + item("a") + there, numbering=lists(levels(("decimal", "%1.")))))
    assert document.text == "1. a\n2. x"
    assert left_out(document) == [("hidden", "x")]


def test_a_deleted_row_is_left_out(read: Read) -> None:
    rows = f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr>{cell('old')}{cell('1')}</w:tr><w:tr>{cell('new')}{cell('2')}</w:tr></w:tbl>"
    document = read(packed(rows))
    assert document.text == "new | 2"
    assert left_out(document) == [("hidden", "old | 1")]


def test_comments_are_notes(read: Read) -> None:
    comment = f'<w:comment w:id="0" w:author="Ann">{par("Why?")}</w:comment>'
    raw = packed(par("Fee", '<w:r><w:commentReference w:id="0"/></w:r>', " due"), comments=comment)
    document = read(raw)
    assert document.text == "Fee due"
    assert [(each.kind, each.text, each.at, each.place) for each in document.left_out] == [("notes", "Why?", 3, "comment by Ann")]
    assert "[comment by Ann: Why?]" in read(raw, "notes").text


def test_a_comment_takes_nothing_of_the_paragraph_it_stands_in(read: Read) -> None:
    comment = f'<w:comment w:id="0" w:author="Ann">{par("Why?")}</w:comment>'
    body = par("Fee", call(2), boxed(par("boxed")), '<w:r><w:commentReference w:id="0"/></w:r>', run("x", "<w:vanish/>"))
    document = read(packed(body, comments=comment, footnotes=ASIDE))
    assert document.text == "Fee\n\nboxed\n\n[1] Islands pay 19 euros."
    assert left_out(document) == [("notes", "Why?"), ("hidden", "x")]


def test_page_headers_and_footers_are_navigation(read: Read) -> None:
    raw = packed(par("Body"), header=par("Top"), footer=par("Foot"))
    assert read(raw).text == "Body"
    assert left_out(read(raw)) == [("navigation", "Top"), ("navigation", "Foot")]
    assert read(raw, "navigation").text == "Top\n\nBody\n\nFoot"


# Drawings


@pytest.mark.parametrize("old", [False, True])
def test_a_text_box_counts_once(read: Read, old: bool) -> None:
    box = f"<w:txbxContent>{par('boxed', call(2))}</w:txbxContent>"
    shape = f"<w:r><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></w:r>"
    raw = packed(par("round", shape if old else boxed(par("boxed", call(2)))), footnotes=ASIDE)
    assert read(raw).text == "round\n\nboxed\n\n[1] Islands pay 19 euros."


def test_pictures_are_their_alternative_text_or_left_out(read: Read) -> None:
    document = read(packed(par("a ", picture("A map"), " b ", picture(), picture("scan 01.png"), " c")))
    assert document.text == "a [A map] b  c"
    assert [(each.kind, each.at) for each in document.left_out] == [("images", 12), ("images", 12)]


def test_mere_decoration_is_nothing(read: Read) -> None:
    mark = '<a:ext><x:decorative xmlns:x="http://schemas.microsoft.com/office/drawing/2017/decorative" val="1"/></a:ext>'
    document = read(packed(par("a", picture().replace("<pic:pic/>", f"{mark}<pic:pic/>"))))
    assert (document.text, document.left_out) == ("a", ())


def test_embedded_objects_are_unreadable(read: Read) -> None:
    embedded = '<w:r><w:object><v:shape><v:imagedata/></v:shape><o:OLEObject ProgID="Excel.Sheet.12"/></w:object></w:r>'
    document = read(packed(par("a", embedded)))
    assert [(each.kind, each.place) for each in document.left_out] == [("unreadable", "embedded object Excel.Sheet.12")]


def test_inserted_files_are_unreadable(read: Read) -> None:
    document = read(packed(par("a") + '<w:altChunk r:id="part"/>' + par("b"), {"part": ("aFChunk", "<html/>")}))
    assert [(each.kind, each.place, each.at) for each in document.left_out] == [("unreadable", "inserted file /word/part.xml", 3)]


def test_words_along_a_path_are_read(read: Read) -> None:
    assert (
        read(packed(par("a", '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'))).text == "a\n\nDRAFT"
    )


MAIN, CHART, DIAGRAM = (f"http://schemas.openxmlformats.org/drawingml/2006/{name}" for name in ("main", "chart", "diagram"))


def graphic(reference: str) -> str:
    return f"<w:r><w:drawing><a:graphic><a:graphicData>{reference}</a:graphicData></a:graphic></w:drawing></w:r>"


def test_diagrams_and_charts_are_read(read: Read) -> None:
    points = "".join(f"<dgm:pt><dgm:t><a:p><a:r><a:t>{step}</a:t></a:r></a:p></dgm:t></dgm:pt>" for step in ("Ask", "Pay"))
    data = f'<dgm:dataModel xmlns:dgm="{DIAGRAM}" xmlns:a="{MAIN}"><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>'
    value = '<c:pt idx="{}"><c:v>{}</c:v></c:pt>'
    labels, sums = value.format(0, "2023") + value.format(1, "2024"), value.format(0, "10") + value.format(1, "12")
    name = f"<c:tx><c:strCache>{value.format(0, 'Sales')}</c:strCache></c:tx>"
    series = f"<c:ser>{name}<c:cat>{labels}</c:cat><c:val>{sums}</c:val></c:ser>"
    title = "<c:title><a:p><a:r><a:t>Growth</a:t></a:r></a:p></c:title>"
    chart = f'<c:chartSpace xmlns:c="{CHART}" xmlns:a="{MAIN}"><c:chart>{title}{series}</c:chart></c:chartSpace>'
    body = par(graphic('<dgm:relIds r:dm="d"/>')) + par(graphic('<c:chart r:id="c"/>')) + par(graphic('<c:chart r:id="c"/>'))
    document = read(packed(body, {"d": ("diagramData", data), "c": ("chart", chart)}))
    assert document.text == "Ask\nPay\nGrowth\n | Sales\n2023 | 10\n2024 | 12"
    assert not document.left_out


@pytest.mark.parametrize(
    "content", ["<broken", f'<c:chartSpace xmlns:c="{CHART}"/>', f'<c:chart xmlns:c="{CHART}">{"<c:ser/>" * 101}</c:chart>']
)
def test_a_chart_without_words_is_unreadable(read: Read, content: str) -> None:
    document = read(
        packed(par("a", graphic('<c:chart r:id="c"/>'), graphic('<dgm:relIds r:dm="no"/>')), {"c": ("chart", content)})
    )
    assert [(each.kind, each.place) for each in document.left_out] == [("unreadable", "chart"), ("unreadable", "diagram")]


# Tables

DOWN, START = "<w:vMerge/>", '<w:vMerge w:val="restart"/>'


def test_a_cell_that_rows_share_stands_in_each(read: Read) -> None:
    rows = table(cell("Plan", properties=START) + cell("EU") + cell("5"), cell(properties=DOWN) + cell("US") + cell("7"))
    assert read(packed(rows)).text == "Plan | EU | 5\nPlan | US | 7"


def test_a_wide_cell_leaves_the_others_in_their_columns(read: Read) -> None:
    wide = table(cell("Fees", properties='<w:gridSpan w:val="2"/>') + cell("Note"), cell("a") + cell("b") + cell("c"))
    assert read(packed(wide)).text == "Fees |  | Note\na | b | c"
    late = f'<w:tbl><w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{cell("b")}</w:tr></w:tbl>'
    assert read(packed(late)).text == " | b"


def test_paragraphs_and_lists_of_a_cell_stand_in_one_row(read: Read) -> None:
    rows = table(cell("a", "b") + cell(item("x"), item("y")) + cell(par("n", "<w:r><w:br/></w:r>", "m")))
    assert read(packed(rows, numbering=lists(levels(("decimal", "%1."))))).text == "a b | 1. x 2. y | n m"


def test_a_long_cell_is_not_repeated_without_end(read: Read) -> None:
    rows = table(cell("long " * 200, properties=START) + cell("1"), cell(properties=DOWN) + cell("2"))
    assert read(packed(rows)).text.endswith("long | 1\n | 2")


# Packages


def test_strict_documents_are_read(read: Read) -> None:
    body = par("Free", call(2)) + par(math(fraction(ONE, TWO))) + item("x")
    document = read(packed(body, strict=True, footnotes=ASIDE, numbering=lists(levels(("decimal", "%1.")))))
    assert document.text == "Free\n\n[1] Islands pay 19 euros.\n\n1/2\n\n1. x"


def test_a_relationship_to_nothing_is_passed_over(read: Read) -> None:
    raw = packed(par("text", call(2)), footnotes=ASIDE)
    assert b"footnotes.xml" in raw
    assert read(raw.replace(b"word/footnotes.xml", b"word/somewhere.xml")).text == "text"


def test_a_macro_document_under_this_name_is_read(read: Read) -> None:
    plain = zipfile.ZipFile(io.BytesIO(packed(par("text"))))
    content = {name: plain.read(name).decode() for name in plain.namelist()}
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = content["[Content_Types].xml"]
    assert kind in types
    content["[Content_Types].xml"] = types.replace(kind, "application/vnd.ms-word.document.macroEnabled.main+xml")
    assert read(zipped(content)).text == "text"


def test_a_document_of_pictures_holds_no_text(read: Read) -> None:
    with pytest.raises(UnreadableDocument, match="holds no text"):
        read(packed(par(picture()), header=par("Top")))


def test_omissions_stand_in_the_order_of_the_source(read: Read) -> None:
    body = par("one", picture()) + par(picture()) + par("two ", run("x", "<w:vanish/>"), picture())
    document = read(packed(body))
    assert document.text == "one\n\ntwo "
    assert [(each.kind, each.at) for each in document.left_out] == [("images", 3), ("images", 5), ("hidden", 9), ("images", 9)]
