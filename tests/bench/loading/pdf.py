"""PDF files made by four programs from texts in eight languages: ``pip install reportlab fpdf2 pymupdf pdfminer.six``.

Chromium and pdftotext are programs of their own: ``apt-get install chromium poppler-utils``.
"""

import html
import io
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pypdf
from fpdf import FPDF
from pypdf.annotations import FreeText

from loading import Generated

NAME = "PDF"

PROSE = {
    "en": [
        "Whoever joined before the first of January keeps the notice period that was agreed in writing. All others give three "
        "months of notice to the end of a quarter, unless the contract says otherwise.",
        "The pump has to be switched off before its lid is opened by hand. Clean the filter with warm water only, and let it dry "
        "for at least two hours before the machine is used again.",
        "Travel costs are paid back within fourteen days. Receipts of more than 30 euros have to be handed in on paper, and the "
        "form is signed by the head of the department.",
    ],
    "de": [
        "Die Kündigungsfrist beträgt sechs Monate für alle, die vor dem Jahr 2010 eingetreten sind. Für die übrigen gelten "
        "drei Monate zum Ende eines Vierteljahres, sofern der Vertrag nichts anderes vorsieht.",
        "Vor dem Öffnen des Deckels ist die Pumpe auszuschalten. Der Filter wird nur mit warmem Wasser gereinigt und muss vor "
        "dem nächsten Gebrauch mindestens zwei Stunden lang trocknen.",
        "Reisekosten werden innerhalb von vierzehn Tagen erstattet. Belege über mehr als 30 Euro sind auf Papier einzureichen, "
        "und das Formular wird von der Abteilungsleitung unterschrieben.",
    ],
    "fr": [
        "Le préavis est de six mois pour les salariés entrés avant 2010. Pour les autres, il est de trois mois à compter de la "
        "fin du trimestre, sauf si le contrat prévoit une durée différente.",
        "Il faut arrêter la pompe avant d'ouvrir le couvercle à la main. Le filtre se nettoie uniquement à l'eau chaude et doit "
        "sécher pendant au moins deux heures.",
    ],
    "ru": [
        "Срок уведомления составляет шесть месяцев для всех, кто поступил на работу до 2010 года. Для остальных он равен трём "
        "месяцам, если в договоре не указано иное.",
        "Перед открытием крышки насос следует выключить. Фильтр промывают только тёплой водой, затем он должен сохнуть не менее "
        "двух часов.",
    ],
    "zh": [
        "凡在二零一零年以前入职的员工，通知期为六个月。其余员工的通知期为三个月，合同另有规定的除外。",
        "打开盖子之前必须先关闭水泵。过滤网只能用温水清洗，再次使用之前至少要晾干两个小时。",
    ],
    "hi": [
        "जो लोग 2010 से पहले आए थे उनके लिए सूचना की अवधि छह महीने है। बाकी सभी के लिए यह तीन महीने है।",
        "ढक्कन खोलने से पहले पंप को बंद करना चाहिए। छन्नी को केवल गरम पानी से साफ करें।",
    ],
    "ar": [
        "مدة الإشعار ستة أشهر لكل من التحق بالعمل قبل عام ألفين وعشرة. أما الآخرون فمدتهم ثلاثة أشهر "
        "ما لم ينص العقد على غير ذلك.",
        "يجب إيقاف المضخة قبل فتح الغطاء باليد. ينظف المرشح بالماء الدافئ فقط ويترك ليجف ساعتين على الأقل.",
    ],
    "he": [
        "תקופת ההודעה היא שישה חודשים לכל מי שהצטרף לפני שנת אלפיים ועשר. לכל השאר היא שלושה חודשים.",
        "יש לכבות את המשאבה לפני פתיחת המכסה ביד. את המסנן מנקים במים חמים בלבד ונותנים לו להתייבש שעתיים.",
    ],
}
ROWS = [
    ("Model", "Flow", "Price"),
    ("AB-1234", "12.5", "199.00"),
    ("AB-1235", "", "249.00"),
    ("AB-2000", "40", ""),
    ("CD-7", "8", "75.50"),
]
HEAD = "ACME Works - internal - version 4"
LAYOUTS = {
    "plain": "",
    "columns2": "column-count: 2",
    "columns3": "column-count: 3; font-size: 9pt",
    "justified": "text-align: justify; width: 9cm",
}


def generated() -> Iterator[Generated]:
    """Files whose text is known."""
    yield from _by_chromium()
    yield from _by_reportlab()
    yield from _by_fpdf()
    yield from _by_hand()


def shipped() -> Iterator[Path]:
    """What packages ship."""
    for folder in {sysconfig.get_path("purelib"), "/usr/share/doc", "/usr/share/cups", "/usr/share/texmf"}:
        yield from sorted(p for p in Path(folder).rglob("*.pdf") if p.stat().st_size < 5_000_000)


# Chromium


def _by_chromium() -> Iterator[Generated]:
    if not (program := shutil.which("chromium")):
        print("  (chromium is not installed)")
        return
    pages: dict[str, tuple[str, list[str]]] = {}
    for language, texts in PROSE.items():
        direction = "rtl" if language in ("ar", "he") else "ltr"
        for layout, style in LAYOUTS.items():
            prose = texts * 3 if layout.startswith("columns") else texts
            body = "".join(f"<p>{html.escape(text)}</p>" for text in prose)
            pages[f"{language}-{layout}"] = f'<body lang={language} dir={direction}><div style="{style}">{body}</div>', prose
    pages["table"] = _table("border=1"), [" ".join(filter(None, row)) for row in ROWS]
    pages["table-airy"] = _table("cellpadding=8"), [" ".join(filter(None, row)) for row in ROWS]
    explained = [(f"Step {i}", text) for i, text in enumerate(PROSE["en"], 1)]
    rows = "".join(f"<tr><td>{a}<td>{b}" for a, b in explained)
    pages["table-wrapped"] = f"<table cellpadding=6>{rows}</table>", [f"{a} {b}" for a, b in explained]
    items = [f"{n} of the parts is checked by hand" for n in ("One", "Two", "Three")]
    pages["list"] = (
        "<ol>" + "".join(f"<li>{item}" for item in items) + "</ol>",
        [f"{i + 1} {items[i]}" for i in range(3)],
    )
    pages["bullets"] = "<ul>" + "".join(f"<li>{item}" for item in items) + "</ul>", items
    heads = ["Notice", "Pumps", "Travel"]
    both = [part for pair in zip(heads, PROSE["en"], strict=True) for part in pair]
    headed = "".join(f"<h2>{a}</h2><p>{b}" for a, b in zip(heads, PROSE["en"], strict=True))
    pages["headings"] = headed, both
    pages["headed-columns"] = (
        f"<h1>Handbook of the works</h1><div style='column-count:2'>{headed * 2}</div>",
        ["Handbook of the works", *both * 2],
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, (body, truth) in pages.items():
            source, target = Path(folder, "page.html"), Path(folder, f"{name}.pdf")
            source.write_text(f"<!doctype html><meta charset=utf-8><title>Untitled</title>{body}", encoding="utf-8")
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={target}"]
            subprocess.run([program, *options, source.as_uri()], capture_output=True, timeout=120, check=True)
            yield Generated(f"chromium-{name}.pdf", target.read_bytes(), truth)


def _table(attributes: str) -> str:
    return f"<table {attributes}>" + "".join("<tr>" + "".join(f"<td>{c}" for c in row) for row in ROWS) + "</table>"


# ReportLab


def _by_reportlab() -> Iterator[Generated]:
    from reportlab.platypus import Table

    drawn: dict[str, tuple[Callable[..., None], list[str]]] = {
        "rowwise2": (_side_by_side([0, 1]), [_unwrapped(PROSE["en"][i]) for i in (0, 1)]),
        "rowwise3": (_side_by_side([0, 1, 2], 22), [_unwrapped(PROSE["en"][i]) for i in (0, 1, 2)]),
        "uneven2": (_side_by_side([0, 1], step=5), [_unwrapped(PROSE["en"][i]) for i in (0, 1)]),
        "rotated-page": (_turned_page, [PROSE["en"][0]]),
        "rotated-text": (_turned_text, ["Upright text of the page", "Sideways note in the margin"]),
        "fields": (_fields, ["Tenant Ms Example, flat 4B", "Heating district heat", "Pets [x]", "Garden"]),
        "raised": (_raised, ["The key is 2 8 bits long"]),
    }
    for name, (draw, truth) in drawn.items():
        yield Generated(f"reportlab-{name}.pdf", _canvas(draw), truth)
    flows = {
        "prose": ([*_paragraphs(PROSE["en"] * 12)], PROSE["en"] * 12),
        "table": ([Table(ROWS)], [" ".join(filter(None, row)) for row in ROWS]),
        "table-between": (
            [
                *_paragraphs(PROSE["de"][:1]),
                Table(ROWS, style=[("GRID", (0, 0), (-1, -1), 1, "black")]),
                *_paragraphs(PROSE["de"][1:]),
            ],
            [PROSE["de"][0], *(" ".join(filter(None, row)) for row in ROWS), *PROSE["de"][1:]],
        ),
    }
    for name, (flow, truth) in flows.items():
        yield Generated(f"reportlab-{name}.pdf", _flowing(flow, 1), [HEAD, *truth])
        yield Generated(f"reportlab-{name}-two-frames.pdf", _flowing(flow, 2), [HEAD, *truth])


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def _canvas(draw: Callable[..., None]) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target)
    draw(canvas)
    canvas.save()
    return target.getvalue()


def _side_by_side(which: Sequence[int], letters: int = 38, step: int = 0) -> Callable[..., None]:
    """Columns, in the order of the lines; `step` points lower from column to column."""
    import textwrap

    def draw(canvas) -> None:
        columns = [textwrap.wrap(PROSE["en"][i], letters) for i in which]
        width = 480 / len(columns)
        for line in range(max(map(len, columns))):
            for at, column in enumerate(columns):
                if line < len(column):
                    canvas.drawString(60 + at * width, 700 - 14 * line - step * at, column[line])

    return draw


def _turned_page(canvas) -> None:
    import textwrap

    canvas.setPageRotation(90)
    canvas.translate(595, 0)
    canvas.rotate(90)
    for i, line in enumerate(textwrap.wrap(PROSE["en"][0], 60)):
        canvas.drawString(60, 500 - 14 * i, line)


def _turned_text(canvas) -> None:
    canvas.drawString(100, 700, "Upright text of the page")
    canvas.translate(40, 300)
    canvas.rotate(90)
    canvas.drawString(0, 0, "Sideways note in the margin")


def _fields(canvas) -> None:
    form = canvas.acroForm
    for y, label in ((700, "Tenant"), (660, "Heating"), (620, "Pets"), (580, "Garden")):
        canvas.drawString(60, y, label)
    form.textfield(name="tenant", value="Ms Example, flat 4B", x=150, y=692, width=200, height=22)
    form.choice(name="heat", value="district heat", options=["gas", "oil", "district heat"], x=150, y=652, width=120, height=22)
    form.checkbox(name="pets", checked=True, x=150, y=614)
    form.checkbox(name="garden", checked=False, x=150, y=574)


def _raised(canvas) -> None:
    canvas.drawString(60, 700, "The key is 2")
    at = 60 + canvas.stringWidth("The key is 2")
    canvas.setFont("Helvetica", 7)
    canvas.drawString(at, 705, "8")
    at += canvas.stringWidth("8")
    canvas.setFont("Helvetica", 12)
    canvas.drawString(at, 700, " bits long")


def _paragraphs(texts: Sequence[str]) -> list:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph

    style = getSampleStyleSheet()["BodyText"]
    return [Paragraph(text, style) for text in texts]


def _flowing(flow: Sequence, columns: int) -> bytes:
    """A document with a running head and numbered pages."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    def around(canvas, document) -> None:
        canvas.drawString(72, 800, HEAD)
        canvas.drawCentredString(300, 30, f"Page {document.page}")

    target = io.BytesIO()
    width = 460 / columns
    frames = [Frame(60 + i * (width + 15), 60, width, 720) for i in range(columns)]
    document = BaseDocTemplate(target)
    document.addPageTemplates(PageTemplate(frames=frames, onPage=around))
    document.build(list(flow))
    return target.getvalue()


# fpdf2 and pypdf


def _by_fpdf() -> Iterator[Generated]:
    for language in ("en", "de", "fr"):
        document = FPDF()
        document.set_font("Times", size=11)
        for text in PROSE[language] * 8:
            if document.page == 0 or document.get_y() > 240:
                document.add_page()
            document.multi_cell(0, text=text)
            document.ln(4)
        yield Generated(f"fpdf-{language}.pdf", bytes(document.output()), PROSE[language] * 8)
    document = FPDF()
    document.set_font("Helvetica", size=12)
    document.add_page()
    with document.table() as table:
        for row in ROWS:
            table.row(row)
    yield Generated("fpdf-table.pdf", bytes(document.output()), [" ".join(filter(None, row)) for row in ROWS])
    plain = FPDF()
    plain.set_font("Helvetica")
    plain.add_page()
    plain.multi_cell(0, text=PROSE["en"][0])
    raw = bytes(plain.output())
    truth = [PROSE["en"][0]]
    yield Generated("fpdf-trailing.pdf", raw + b"\n<!-- served by a cache -->" * 90, truth)
    yield Generated("fpdf-no-end-mark.pdf", raw[: raw.rindex(b"%%EOF")], truth)
    locked = FPDF()
    locked.set_font("Helvetica")
    locked.add_page()
    locked.multi_cell(0, text=PROSE["en"][0])
    locked.set_encryption(owner_password="owner")
    yield Generated("fpdf-locked.pdf", bytes(locked.output()), truth)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(raw))
    writer.add_annotation(0, FreeText(text="Added by hand on the page", rect=(60, 400, 300, 420)))
    target = io.BytesIO()
    writer.write(target)
    yield Generated("pypdf-free-text.pdf", target.getvalue(), [*truth, "Added by hand on the page"])


# By hand


def _by_hand() -> Iterator[Generated]:
    """A font that names its ligatures, without saying which letters they are."""
    content = b"BT /F 12 Tf 60 700 Td (The de\x01nition of an o\x02ce is \x01nal) Tj ET"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding<</Type/Encoding/Differences[1/fi/f_f_i]>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        font,
    ]
    raw, table = b"%PDF-1.7\n", b"0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(raw)
        raw += b"%d 0 obj%s\nendobj\n" % (number, body)
    trailer = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(raw)
    raw += b"xref\n0 6\n" + table + trailer
    yield Generated("hand-ligatures.pdf", raw, ["The definition of an office is final"])


# References


def _pymupdf(file: Path) -> str:
    import pymupdf

    with pymupdf.open(file) as document:
        return "\n".join(page.get_text() for page in document)


def _pdftotext(file: Path) -> str:
    if not shutil.which("pdftotext"):
        raise ImportError("pdftotext")
    return subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout


def _pdfminer(file: Path) -> str:
    from pdfminer.high_level import extract_text

    return extract_text(file)


REFERENCES = {"pymupdf": _pymupdf, "pdftotext": _pdftotext, "pdfminer": _pdfminer}
