"""What Markdown is made of: text in which nothing is more than text, and tables; two reports held against each other in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ragdiag.comparing.changes import Diff
from ragdiag.core.version import __version__
from ragdiag.reports.changes import TURNED, TurnedRow, changes
from ragdiag.text.phrases import one_line

__all__ = ["diff_markdown", "plain_text", "table"]

LONGEST = 160
"""Characters shown of a query or a document's name."""

SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&!#@$]|(?<=http)s?:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What Markdown, HTML or GitHub would take for their own: marks, tags, mentions, formulas, links."""


def plain_text(text: str, most: int = LONGEST) -> str:
    """On one line, with nothing in it that is more than text: a query may hold anything."""
    return SPECIAL.sub(lambda m: f"{m[0][:-1]}\\{m[0][-1]}", one_line(text, most))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are plain text."""
    lines = [head, ["---"] * len(head), *([plain_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def diff_markdown(found: Diff) -> str:
    """Two reports held against each other: for a comment on a pull request, or the summary of a job on GitHub."""
    told = changes(found)
    parts = [f"## Retrieval is {plain_text(told.headline)}", plain_text(told.effect), plain_text(told.chance)]
    parts += [plain_text(said, 2 * LONGEST) for said in told.causes]
    parts += ["### Changed", table(("part", "before", "now"), told.parts)] if told.parts else []
    parts += [plain_text(told.why, 3 * LONGEST)] if told.why else []
    if told.put_back:
        head = ("put back alone", "lost queries back", "won ones given up", "others broken", "not tested")
        parts += [table(head, told.put_back)]
    parts += [*_queries("Lost", told.lost, "brought back by"), *_queries("Won", told.won, "given up by")]
    parts += [plain_text(f"Not compared: {'; '.join(told.left_out)}", 3 * LONGEST)] if told.left_out else []
    parts += [plain_text(f"Note: {note}", 2 * LONGEST) for note in told.notes]
    names = plain_text(f"{found.old.name} and {found.new.name}")
    return "\n\n".join([*parts, f"{names}; ragdiag {__version__}"]) + "\n"


def _queries(title: str, rows: Sequence[TurnedRow], by: str) -> Iterator[str]:
    if not rows:
        return
    yield f"### {title}"
    yield table(("query", "causes", by, "text"), rows[:TURNED])
    if len(rows) > TURNED:
        yield f"and {len(rows) - TURNED} more"
