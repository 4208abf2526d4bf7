"""Word documents as word processors, converters and libraries write them, each of one feature, and those that packages ship.

Truth is what whoever opens the file reads. Deleted and hidden text, comments, page headers and placeholders of empty form fields
are not; numbers of lists are. The mark of a note is in no truth, its text is.
"""

import io
import site
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loading import Generated
from loading.html import Words

sys.path.append(str(Path(__file__).parents[2]))

from worded import (
    boxed,
    call,
    cell,
    field,
    item,
    levels,
    lists,
    math,
    note,
    packed,
    par,
    picture,
    run,
    sign,
    table,
)

NAME = "Word"

Made = tuple[bytes, Sequence[str]]
"""A file, and the passages that it shows."""

HEADED = '<w:pStyle w:val="H{}"/>'
COUNTED = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr>'


def plain(w: Words) -> Made:
    said = [w.few(), *(w.sentence() for _ in range(4))]
    return packed(par(said[0], properties=HEADED.format(1)) + "".join(map(par, said[1:]))), said


def strict(w: Words) -> Made:
    """Strict OOXML, with a note."""
    said, aside = w.sentence(), w.sentence()
    return packed(par(said, call(2)), strict=True, footnotes=note(aside, 2)), [said, aside]


def footnotes(w: Words) -> Made:
    a, b, texts, other = w.few(), w.few(), [w.sentence(), w.sentence()], w.sentence()
    number = w.rng.randint(2, 99)
    body = par(f"{a} {number}", call(2), f" {b}", call(3), ".") + par(other)
    return packed(body, footnotes=note(texts[0], 2) + note(texts[1], 3)), [f"{a} {number} {b}", *texts, other]


def endnotes(w: Words) -> Made:
    a, b, text = w.few(), w.few(), w.sentence()
    return packed(par(a, call(1, "endnote"), f" {b}"), endnotes=note(text, 1, "endnote")), [f"{a} {b}", text]


def note_in_table(w: Words) -> Made:
    a, b, c, text = w.word(), w.rng.randint(10, 99), w.word(), w.sentence()
    rows = table(cell(a) + cell(par(str(b), call(2))), cell(c) + cell("7"))
    return packed(rows, footnotes=note(text, 2)), [f"{a} {b}", f"{c} 7", text]


def numbered(w: Words) -> Made:
    said = [w.few() for _ in range(3)]
    body = "".join(item(text) for text in said)
    return packed(body, numbering=lists(levels(("decimal", "%1.")))), [f"{i} {text}" for i, text in enumerate(said, 1)]


def multilevel(w: Words) -> Made:
    said = [w.few() for _ in range(6)]
    marks, depth = ["1", "1.1", "1.2", "2", "2.1", "2.1.1"], [0, 1, 1, 0, 1, 2]
    body = "".join(item(text, 1, level) for text, level in zip(said, depth, strict=True))
    form = lists(levels(("decimal", "%1"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3")))
    return packed(body, numbering=form), [f"{mark} {text}" for mark, text in zip(marks, said, strict=True)]


def clauses(w: Words) -> Made:
    """A contract: articles, letters, small Roman numerals."""
    said = [w.few() for _ in range(5)]
    marks, depth = ["Article I", "a", "b", "i", "Article II"], [0, 1, 1, 2, 0]
    body = "".join(item(text, 1, level) for text, level in zip(said, depth, strict=True))
    form = lists(levels(("upperRoman", "Article %1"), ("lowerLetter", "(%2)"), ("lowerRoman", "(%3)")))
    return packed(body, numbering=form), [f"{mark} {text}" for mark, text in zip(marks, said, strict=True)]


def restarted(w: Words) -> Made:
    """Two lists of one definition, the second of which starts anew; a third that starts at 7."""
    said = [w.few() for _ in range(5)]
    body = "".join(item(text, which) for text, which in zip(said, (1, 1, 2, 2, 3), strict=True))
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{}"/></w:lvlOverride>'
    form = lists(levels(("decimal", "%1)")), instances={1: (0, ""), 2: (0, anew.format(1)), 3: (0, anew.format(7))})
    return packed(body, numbering=form), [f"{i} {text}" for i, text in zip((1, 2, 1, 2, 7), said, strict=True)]


def numbered_headings(w: Words) -> Made:
    said, below, depth = [w.few() for _ in range(3)], [w.sentence() for _ in range(3)], (0, 1, 0)
    heads = [par(text, properties=HEADED.format(n + 1) + COUNTED.format(n)) for text, n in zip(said, depth, strict=True)]
    body = "".join(head + par(text) for head, text in zip(heads, below, strict=True))
    passages = [f"{mark} {text}" for mark, text in zip(("1", "1.1", "2"), said, strict=True)]
    return packed(body, numbering=lists(levels(("decimal", "%1"), ("decimal", "%1.%2")))), [*passages, *below]


def bullets(w: Words) -> Made:
    said = [w.few() for _ in range(3)]
    return packed("".join(item(text) for text in said), numbering=lists(levels(("bullet", "\uf0b7")))), said


def fraction(w: Words) -> Made:
    a, top, bottom = w.word(), w.rng.randint(1, 9), w.rng.randint(11, 99)
    inner = f"<m:f><m:num>{sign(str(top))}</m:num><m:den>{sign(str(bottom))}</m:den></m:f>"
    whole = w.rng.randint(2, 9)
    return packed(par(f"{a} {whole}", math(inner), f" {a}")), [f"{a} {whole} {top} {bottom} {a}"]


def power(w: Words) -> Made:
    a, base, high = w.word(), w.rng.randint(2, 99), w.rng.randint(2, 99)
    inner = f"<m:sSup><m:e>{sign(str(base))}</m:e><m:sup>{sign(str(high))}</m:sup></m:sSup>{sign('-1')}"
    return packed(par(f"{a} ", math(inner))), [f"{a} {base} {high} 1"]


def sums(w: Words) -> Made:
    top = w.rng.randint(10, 99)
    inner = (
        f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{sign("i=1")}</m:sub><m:sup>{sign(str(top))}</m:sup>'
        f"<m:e><m:rad><m:deg/><m:e>{sign('i+3')}</m:e></m:rad></m:e></m:nary>"
    )
    a = w.word()
    return packed(par(f"{a} ", math(inner))), [f"{a} i 1 {top} i 3"]


def tall(w: Words) -> Made:
    """A cell that two rows share."""
    plan, regions, numbers = w.word(), [w.word(), w.word()], [w.rng.randint(10, 999) for _ in range(2)]
    first, later = cell(plan, properties='<w:vMerge w:val="restart"/>'), cell(properties="<w:vMerge/>")
    rows = [each + cell(region) + cell(str(n)) for each, region, n in zip((first, later), regions, numbers, strict=True)]
    return packed(table(*rows)), [f"{plan} {region} {n}" for region, n in zip(regions, numbers, strict=True)]


def wide(w: Words) -> Made:
    a, b, c, d = (w.word() for _ in range(4))
    rows = table(cell(a, properties='<w:gridSpan w:val="2"/>') + cell(b), cell(c) + cell(d) + cell("5"))
    return packed(rows), [f"{a} {b}", f"{c} {d} 5"]


def cell_paragraphs(w: Words) -> Made:
    a, b, c, d = w.word(), w.word(), w.rng.randint(10, 99), w.word()
    return packed(table(cell(a, b) + cell(str(c)), cell(d) + cell("8"))), [f"{a} {b} {c}", f"{d} 8"]


def nested(w: Words) -> Made:
    a, b, c = (w.few() for _ in range(3))
    return packed(table(cell(a) + cell(table(cell(b) + cell(c)), "<w:p></w:p>"))), [a, f"{b} {c}"]


def control(content: str, properties: str = "") -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def controls(w: Words) -> Made:
    """A text, a choice, and a field that is still empty."""
    label, text, chosen, other, empty = w.few(), w.few(), w.word(), w.word(), w.few()
    listed = "".join(f'<w:listItem w:displayText="{each}" w:value="{each}"/>' for each in (other, chosen))
    first = par(f"{label} ", control(run(text)))
    second = par(f"{label} ", control(run(chosen), f"<w:dropDownList>{listed}</w:dropDownList>"))
    third = par(f"{label} ", control(run(empty), "<w:showingPlcHdr/>"))
    return packed(first + second + third), [f"{label} {text}", f"{label} {chosen}", label]


def block_control(w: Words) -> Made:
    said = [w.sentence(), w.sentence()]
    return packed(control("".join(map(par, said)))), said


def legacy_form(w: Words) -> Made:
    label, text, chosen, other = w.few(), w.few(), w.word(), w.word()
    entries = f'<w:listEntry w:val="{other}"/><w:listEntry w:val="{chosen}"/>'
    first = par(f"{label} ", field("FORMTEXT", text))
    second = par(f"{label} ", field("FORMDROPDOWN", form=f'<w:ddList><w:result w:val="1"/>{entries}</w:ddList>'))
    return packed(first + second), [f"{label} {text}", f"{label} {chosen}"]


def text_box(w: Words) -> Made:
    a, b = w.sentence(), w.sentence()
    return packed(par(a, boxed(par(b)))), [a, b]


def old_text_box(w: Words) -> Made:
    a, b = w.sentence(), w.sentence()
    old = f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{par(b)}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    return packed(par(a, old)), [a, b]


def tabs(w: Words) -> Made:
    a, b, c = w.few(1), w.few(1), w.few(1)
    return packed(par(a, "<w:r><w:tab/></w:r>", b, '<w:r><w:ptab w:alignment="right"/></w:r>', c)), [f"{a} {b} {c}"]


def line_breaks(w: Words) -> Made:
    a, b, c = w.few(), w.few(), w.few()
    return packed(par(a, "<w:r><w:br/></w:r>", b, "<w:r><w:cr/></w:r>", c)), [f"{a} {b} {c}"]


def hyphens(w: Words) -> Made:
    a, b = w.word(), w.word()
    return packed(par(a, "<w:r><w:softHyphen/></w:r>", b, " ", a, "<w:r><w:noBreakHyphen/></w:r>", b)), [f"{a}{b} {a}-{b}"]


def greek(w: Words) -> Made:
    """Signs of the font Symbol, as Word inserts them and as they are typed."""
    a, b = w.word(), w.word()
    return packed(
        par(a, " ", '<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>', " ", run("bg", '<w:rFonts w:ascii="Symbol"/>'), f" {b}")
    ), [f"{a} α βγ {b}"]


def ruby(w: Words) -> Made:
    base = "<w:ruby><w:rt><w:r><w:t>かんじ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r></w:rubyBase></w:ruby>"
    text = w.sentence()
    return packed(par("古い", f"<w:r>{base}</w:r>", "を読む。") + par(text)), ["古い漢字を読む。", text]


def links(w: Words) -> Made:
    a, b, c = w.few(), w.few(), w.few()
    simple = f'<w:fldSimple w:instr="REF _Ref1">{run(c)}</w:fldSimple>'
    return packed(par(a, " ", f'<w:hyperlink w:anchor="x">{run(b)}</w:hyperlink>', " ", simple)), [f"{a} {b} {c}"]


def fields(w: Words) -> Made:
    a, b, c = w.few(), w.few(), w.few()
    return packed(par(a, " ", field('HYPERLINK "http://example.org"', b), " ", field("MERGEFIELD name", c))), [f"{a} {b} {c}"]


def field_in_field(w: Words) -> Made:
    """A condition whose code holds the result of another field."""
    a, b, hidden = w.few(), w.few(), w.few()
    begin, part, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end"))
    code = "<w:r><w:instrText> IF </w:instrText></w:r>"
    return packed(par(a, " ", begin, code, field("MERGEFIELD x", hidden), part, b, end)), [f"{a} {b}"]


def revisions(w: Words) -> Made:
    a, new, old, c = w.few(), w.few(), w.few(), w.few()
    deleted = f"<w:del><w:r><w:delText>{old}</w:delText></w:r></w:del>"
    return packed(par(a, " ", f"<w:ins>{run(new)}</w:ins>", deleted, f" {c}")), [f"{a} {new} {c}"]


def moved(w: Words) -> Made:
    a, b, text = w.sentence(), w.sentence(), w.sentence()
    body = par(a, f"<w:moveFrom>{run(text)}</w:moveFrom>") + par(b) + par(f"<w:moveTo>{run(text)}</w:moveTo>")
    return packed(body), [a, b, text]


def joined_paragraphs(w: Words) -> Made:
    """A deleted end of a paragraph."""
    a, b = w.few(), w.few()
    return packed(par(f"{a} ", properties="<w:rPr><w:del/></w:rPr>") + par(b)), [f"{a} {b}"]


def hidden(w: Words) -> Made:
    a, b, c = w.few(), w.few(), w.few()
    return packed(par(a, run(f" {b}", "<w:vanish/>"), f" {c}")), [f"{a} {c}"]


def comments(w: Words) -> Made:
    a, b = w.few(), w.few()
    body = par(
        '<w:commentRangeStart w:id="0"/>',
        a,
        '<w:commentRangeEnd w:id="0"/>',
        '<w:r><w:commentReference w:id="0"/></w:r>',
        f" {b}",
    )
    return packed(body, comments=note(w.sentence(), 0, "comment")), [f"{a} {b}"]


def margins(w: Words) -> Made:
    said = [w.sentence(), w.sentence()]
    return packed("".join(map(par, said)), header=par(w.few()), footer=par(w.few())), said


def diagram(w: Words) -> Made:
    a, steps = w.sentence(), [w.few() for _ in range(3)]
    points = "".join(f"<dgm:pt><dgm:t><a:p><a:r><a:t>{step}</a:t></a:r></a:p></dgm:t></dgm:pt>" for step in steps)
    data = f'<dgm:dataModel xmlns:dgm="{DGM}" xmlns:a="{MAIN}"><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>'
    inner = '<w:r><w:drawing><a:graphic><a:graphicData><dgm:relIds r:dm="data"/></a:graphicData></a:graphic></w:drawing></w:r>'
    return packed(par(a, inner), {"data": ("diagramData", data)}), [a, *steps]


DGM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"


def chart(w: Words) -> Made:
    title, years, sales = w.few(), [w.word(), w.word()], [w.rng.randint(10, 999) for _ in range(2)]
    points = ["".join(f'<c:pt idx="{i}"><c:v>{v}</c:v></c:pt>' for i, v in enumerate(each)) for each in (years, sales)]
    series = f"<c:ser><c:cat><c:strRef><c:strCache>{points[0]}</c:strCache></c:strRef></c:cat>"
    series += f"<c:val><c:numRef><c:numCache>{points[1]}</c:numCache></c:numRef></c:val></c:ser>"
    titled = f"<c:title><c:tx><c:rich><a:p><a:r><a:t>{title}</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    xml = f'<c:chartSpace xmlns:c="{CHART}" xmlns:a="{MAIN}"><c:chart>{titled}{series}</c:chart></c:chartSpace>'
    inner = '<w:r><w:drawing><a:graphic><a:graphicData><c:chart r:id="ch"/></a:graphicData></a:graphic></w:drawing></w:r>'
    return packed(par(inner), {"ch": ("chart", xml)}), [title, *(f"{y} {s}" for y, s in zip(years, sales, strict=True))]


def pictures(w: Words) -> Made:
    a, described = w.sentence(), w.few()
    return packed(par(a, " ", picture(described))), [a, described]


def raised(w: Words) -> Made:
    """A mark that was typed, a power, a subscript."""
    a, b, base = w.word(), w.word(), w.rng.randint(2, 9)
    high, low = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    body = par(f"{a} {base}", run("1", high), f" {b} {base}", run("8", high), "-1 H", run("2", low), "O")
    return packed(body), [f"{a} {base} 1 {b} {base} 8 1 H2O"]


def emoji(w: Words) -> Made:
    a, b = w.few(), w.few()
    choice = '<mc:Choice Requires="w16se"><w16se:symEx w16se:font="Segoe UI Emoji" w16se:char="03B1"/></mc:Choice>'
    inner = f"<w:r><mc:AlternateContent>{choice}<mc:Fallback><w:t>α</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    return packed(par(f"{a} ", inner, f" {b}")), [f"{a} α {b}"]


def by_python_docx(w: Words) -> Made:
    """As python-docx writes it: headings, lists and a table of its template."""
    import docx

    document, said = docx.Document(), [w.few(), w.sentence(), w.few(), w.few(), w.few(), w.few()]
    document.add_heading(said[0], 1)
    document.add_paragraph(said[1])
    for text in said[2:4]:
        document.add_paragraph(text, style="List Number")
    cells = document.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = said[4:]
    raw = io.BytesIO()
    document.save(raw)
    return raw.getvalue(), [*said[:2], f"1 {said[2]}", f"2 {said[3]}", f"{said[4]} {said[5]}"]


def by_pandoc(w: Words) -> Made:
    """As pandoc writes it: a heading, a note, a formula, a list, a table."""
    import pypandoc

    title, a, b, aside, one, two, left, right = (w.few() for _ in range(8))
    source = f"# {title}\n\n{a} 5^1^ $x^2+\\frac{{1}}{{2}}$ {b}[^1]\n\n[^1]: {aside}\n\n1. {one}\n2. {two}\n"
    source += f"\n|A|B|\n|-|-|\n|{left}|{right}|\n"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "made.docx")
        pypandoc.convert_text(source, "docx", format="markdown", outputfile=str(target))
        raw = target.read_bytes()
    return raw, [title, f"{a} 5 1 x 2 1 2 {b}", aside, f"1 {one}", f"2 {two}", "A B", f"{left} {right}"]


FEATURES: Sequence[Callable[[Words], Made]] = (
    plain, strict, footnotes, endnotes, note_in_table, numbered, multilevel, clauses, restarted, numbered_headings, bullets,
    fraction, power, sums, tall, wide, cell_paragraphs, nested, controls, block_control, legacy_form, text_box, old_text_box,
    tabs, line_breaks, hyphens, greek, ruby, links, fields, field_in_field, revisions, moved, joined_paragraphs, hidden,
    comments, margins, diagram, chart, pictures, raised, emoji, by_python_docx, by_pandoc,
)  # fmt: skip


def generated() -> Iterator[Generated]:
    """Two documents of each feature."""
    for i, feature in enumerate(FEATURES):
        for n in range(2):
            raw, truth = feature(Words(1000 + 10 * i + n))
            yield Generated(f"{feature.__name__}-{n}.docx", raw, truth)


def shipped() -> Iterator[Path]:
    """Documents in installed packages."""
    for root in (*site.getsitepackages(), "/usr/share"):
        yield from sorted(file for file in Path(root).rglob("*.docx") if file.is_file())


def pandoc(file: Path) -> str:
    import pypandoc

    return str(pypandoc.convert_file(str(file), "plain", format="docx", extra_args=["--wrap=none", "--quiet"]))


def mammoth(file: Path) -> str:
    import mammoth

    with file.open("rb") as opened:
        return str(mammoth.extract_raw_text(opened).value)


def docx2python(file: Path) -> str:
    from docx2python import docx2python as read

    with read(file) as document:
        return str(document.text)


def paragraphs(file: Path) -> str:
    """What most recipes do."""
    import docx

    return "\n".join(paragraph.text for paragraph in docx.Document(str(file)).paragraphs)


REFERENCES = {"pandoc": pandoc, "mammoth": mammoth, "docx2python": docx2python, "paragraphs": paragraphs}
