"""Titles that say nothing of a document: the defaults of the programs that wrote it."""

from __future__ import annotations

import re

__all__ = ["no_title"]

LONGEST = 300
"""Characters of a title beyond which it is no program's default."""

_DEFAULTS = frozenset(
    title.strip()
    for title in """
    untitled, untitled document, untitled page, untitled presentation, anonymous, unnamed, unknown, unspecified, none, null, n/a,
    document, new document, blank document, no title, title, your title, title here, document title, page title, enter title,
    microsoft word, microsoft excel, microsoft powerpoint, word document, microsoft word document, excel workbook,
    presentation, powerpoint presentation, powerpoint-präsentation, présentation powerpoint, presentación de powerpoint,
    presentazione di powerpoint, презентация powerpoint, print preview, full page photo, scan, scanned document, scanned image,
    dokument, neues dokument, unbenannt, unbenanntes dokument, ohne titel, kein titel, titel, sans titre, document sans titre,
    sin título, documento, documento sin título, senza titolo, sem título, naamloos, namnlös, uten navn, nimetön, bez tytułu,
    bez názvu, без названия, безымянный, 无标题, 未命名, 無題, 無標題, 제목 없음, بدون عنوان, ללא שם, शीर्षकहीन,
    notes, note, handout, memo, draft, copy, summary, overview, readme, read me, faq, minutes, slides, attachment, appendix,
    wiki, from the wiki, wiki page, excerpt, extract, introduction, contents, table of contents,
    home, homepage, home page, startseite, accueil, inicio, index, default, web page, localhost, about:blank
    """.split(",")
)
"""Whole titles, in lower case and without brackets."""

_NUMBERED = re.compile(
    r"(?:document|dokument|documento|untitled|unbenannt|slide|folie|diapositive|layout|sheet|tabelle|page|seite|presentation"
    r"|präsentation|présentation|scan|image|img|doc|book|mappe|titel|title|文档|文書|幻灯片|スライド)[\s_\-#(]*\d+\)?"
)
_PROGRAM = re.compile(r"microsoft\s+(?:word|excel|powerpoint|office \w+)\s+-\s+.*|.+\s-\s(?:microsoft word|notepad|editor)")
_FILE = re.compile(
    r".*\S\.(?:docx?|docm|dotx?|odt|rtf|pdf|indd|qxd|pptx?|odp|xlsx?|ods|wpd|pub|vsdx?|tex|dvi|eps|jpe?g|png|tiff?)"
    r"|\S+\.(?:html?|xhtml|php|aspx?|jsp|txt|md|rst|csv|ps|fm|pages|key|p65)"
)


def no_title(title: str) -> bool:
    """Whether a title is none: empty, a program's default ("untitled", "Slide 1"), a file's name, or without a letter."""
    if len(title) > LONGEST:
        return False
    bare = " ".join(title.split()).strip("()[]{}<>\"'*_.:- ").casefold()
    if not any(c.isalpha() for c in bare) or bare in _DEFAULTS:
        return True
    return any(pattern.fullmatch(bare) for pattern in (_NUMBERED, _PROGRAM, _FILE))
