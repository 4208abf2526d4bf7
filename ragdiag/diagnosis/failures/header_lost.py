"""A row or an item is cut from what introduces it: the header of its table, the line before its list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._lent import CONTROLS, Texts, gained, lend, pieces, spread
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import sized
from ragdiag.text.phrases import one_line
from ragdiag.text.tables import introduction

FIXES = {
    "table": "repeat the header row with each part of a table, or keep tables whole",
    "csv": "repeat the header line with each part of the file, or write each line out as `column: value`",
    "list": "repeat the line that introduces a list with each part of it, or keep lists whole",
}
LONGEST = 160
"""Characters of a header shown."""


@dataclass(frozen=True)
class HeaderLost(FailureMode):
    """The evidence begins in a row or an item, in a chunk without its header, which has words of the query that the chunk lacks.

    `share` is what these weigh at least of all telling words of the query, by rarity. Proved by the header before the chunk, and
    before every rival that lacks its own, as a chunker does that repeats headers. The control is other lines of the document.
    """

    share: float = 0.1

    says = "a row or item is cut from the header or line that introduces it"
    place = 35
    reads = True
    remedies = (sized(2), sized(4))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        cut = [(g, chunks) for g in case.targets if not unseen(case, g) and (chunks := self._cut(case, g))]
        if not cut:
            return None
        chunks = list(dict.fromkeys(c for _, of_group in cut for c in of_group))
        headers = {c: header for c in chunks if (header := _header(case, c)) is not None}
        rows = [
            row | {"kind": headers[c][1], "header": one_line(case.setting.text(headers[c][0]), LONGEST)}
            for c, row in zip(headers, described(case, list(headers), len(headers)), strict=True)
        ]
        return Observation(tuple(g for g, _ in cut), {"chunks": rows}, chunks)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Give the header back."""
        chunks: list[int] = observation.held
        kind = observation.detail["chunks"][0]["kind"]
        lent = yield from lend(case, chunks, _texts(case), lambda: _others(case, chunks), "other lines")
        return case.finding(
            "header_lost",
            observation,
            "the header before each chunk that was cut from it" + (", tried with this chunk alone" if lent.alone else ""),
            lent.outcome.standing,
            FIXES[kind],
            proved=lent.proved,
            control=lent.control,
            rows=_rows(observation.detail["chunks"]),
            edit=lent.edit,
        )

    def _cut(self, case: Case, group: Group) -> list[int]:
        """The chunks with the group's evidence, where one of them lacks its header, and the query asks by its words."""
        setting, chunks = case.setting, pieces(case, group)
        headers = [header[0] for c in chunks if (header := _header(case, c)) and _in_the_same(case, group, c, header[0])]
        held = " ".join(setting.embed(setting.span(c)) for c in chunks)
        return chunks if headers and gained(case, held, " ".join(map(setting.text, headers)), self.share, subject=False) else []


def _header(case: Case, chunk: int) -> tuple[Span, str] | None:
    """The header that a chunk was cut from, as it begins inside a table or list, and what that is."""
    span = case.setting.span(chunk)
    text = case.setting.corpus.documents[span.document].text
    begins = span.end - len(text[span.start : span.end].lstrip())
    known = introduction(text, begins) if begins < span.end else None
    if known is None or known[1] > span.start:
        return None
    return Span(span.document, known[0], known[1]), known[2]


def _in_the_same(case: Case, group: Group, chunk: int, header: Span) -> bool:
    """Whether evidence in a chunk begins in the table or list that `header` introduces."""
    place, text = case.setting.span(chunk), case.setting.corpus.documents[header.document].text
    begins = (max(s.start, place.start) for s in group.spans if s.overlaps(place))
    known = (introduction(text, begin) for begin in begins)
    return any(where is not None and where[0] == header.start for where in known)


def _texts(case: Case) -> Texts:
    """Each chunk under its header, where it was cut from one."""
    setting = case.setting

    def text(chunk: int) -> str:
        header, own = _header(case, chunk), setting.embed(setting.span(chunk))
        return own if header is None else f"{setting.text(header[0])}\n{own}"

    return text


def _others(case: Case, chunks: Sequence[int]) -> list[Texts]:
    """Other lines, about as long as the header, in its place: of the same document, then of those that stand in the context."""
    setting = case.setting
    headers = [setting.text(header[0]) for c in chunks if (header := _header(case, c)) is not None]
    own = [int(setting.chunking.document[c]) for c in chunks]
    lines = list[str]()
    for document in dict.fromkeys([*own, *(int(setting.chunking.document[c]) for c in case.ranking.tolist())]):
        known = (line.strip() for line in setting.corpus.documents[document].text.splitlines())
        alike = [s for s in known if s and s not in headers and len(headers[0]) <= 3 * len(s) <= 9 * len(headers[0])]
        lines = list(dict.fromkeys([*lines, *spread(alike, CONTROLS)]))[: 2 * CONTROLS]
        if len(lines) >= CONTROLS:
            break
    return [_under(case, line) for line in spread(lines, CONTROLS)]


def _under(case: Case, line: str) -> Texts:
    return lambda chunk: f"{line}\n{case.setting.embed(case.setting.span(chunk))}"


def _rows(chunks: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Which chunks lack which header."""
    for chunk in chunks[:MOST]:
        yield Row.of("chunk", f"{chunk['chunk']}, at {at(chunk['rank'])}, lacks")
        yield Row.of("header", (str(chunk["header"]), "good"))
