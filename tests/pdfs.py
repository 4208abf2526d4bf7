"""PDF files made for tests."""

from pathlib import Path
from typing import Any

from fpdf import FPDF


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
