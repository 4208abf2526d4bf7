"""A row or an item is cut from what introduces it: the header of its table, the line before its list."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.proofs import Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._lent import Texts, gained, lend, pieces, spread
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, sized
from ragdiag.text.phrases import one_line
from ragdiag.text.tables import caption, introduction

FIXES = {
    "table": Fix("repeat the header row with each part of a table, or keep tables whole"),
    "csv": Fix("repeat the header line with each part of the file, or write each line out as `column: value`"),
    "list": Fix("repeat the line that introduces a list with each part of it, or keep lists whole"),
}
FIX_CAPTION = Fix("repeat what stands above a {kind}, and its header, with each part of it, or keep {kind}s whole")
HOW = "the header before each chunk that was cut from it"
HOW_CAPTION = "the header, with what stands above it, before each chunk that was cut from it"
LONGEST = 160
"""Characters of a header shown."""


class _Lost(NamedTuple):
    """What a chunk was cut from: the header, of what kind, and what stands right above that, which says what it is all of."""

    header: Span
    kind: str
    caption: Span | None


@dataclass(frozen=True)
class HeaderLost(FailureMode):
    """The evidence begins in a row or an item, in a chunk without its header, which has words of the query that the chunk lacks.

    `share` is what these weigh at least of all telling words of the query, by rarity. Proved by the header before the chunk, and
    before every rival that lacks its own, as a chunker does that repeats headers; where that is not enough, by the header with
    what stands above it. The control is other lines, none of the same table or list.
    """

    share: float = 0.1

    says = "a row or item is cut from the header or line that introduces it"
    cannot_tell = "whether a reader, or a model, would understand the row without its header"
    place = 35
    reads = True
    fixes = (*FIXES.values(), FIX_CAPTION)
    remedies = (sized(2), sized(4))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        cut = [(g, chunks) for g in case.targets if (chunks := self._cut(case, g)) and not unseen(case, g)]
        if not cut:
            return None
        chunks = list(dict.fromkeys(c for _, of_group in cut for c in of_group))
        lost = {c: known for c in chunks if (known := _lost(case, c)) is not None}
        rows = [
            row | {"kind": lost[c].kind, "header": one_line(case.setting.text(lost[c].header), LONGEST)}
            for c, row in zip(lost, described(case, list(lost), len(lost)), strict=True)
        ]
        return Observation(tuple(g for g, _ in cut), {"chunks": rows}, (chunks, lost))

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Give the header back; where that is not enough, what stands above it as well."""
        chunks, lost = observation.held
        rows, kind = observation.detail["chunks"], next(iter(lost.values())).kind
        lent, above = (
            (yield from lend(case, chunks, _texts(case, False), functools.partial(_others, case, lost), "other lines")),
            False,
        )
        if not lent.proved and any(known.caption for known in lost.values()):
            more = yield from lend(case, chunks, _texts(case, True), functools.partial(_others, case, lost), "other lines")
            if more.outcome.standing.sufficient and (more.proved or not lent.outcome.standing.sufficient):
                lent, above = more, True
                rows = [
                    row | {"above": one_line(_above(case, known), LONGEST)}
                    for row, known in zip(rows, lost.values(), strict=True)
                ]
        return case.finding(
            "header_lost",
            observation,
            (HOW_CAPTION if above else HOW) + (", tried with this chunk alone" if lent.alone else ""),
            lent.outcome.standing,
            case.setting.advice(FIX_CAPTION if above else FIXES[kind], kind="list" if kind == "list" else "table"),
            proved=lent.proved,
            control=lent.control,
            detail={"chunks": rows},
            rows=_rows(rows),
            edit=lent.edit,
        )

    def _cut(self, case: Case, group: Group) -> list[int]:
        """The chunks with the group's evidence, where one of them lacks its header, and the query asks by its words."""
        setting, chunks = case.setting, pieces(case, group)
        headers = [known.header for c in chunks if (known := _lost(case, c)) and _in_the_same(case, group, c, known.header)]
        if not headers:
            return []
        held = " ".join(setting.embed(setting.span(c)) for c in chunks)
        return chunks if gained(case, held, " ".join(map(setting.text, headers)), self.share, subject=False) else []


def introduced(case: Case, chunks: Sequence[int]) -> str:
    """The headers that chunks were cut from, with what stands above them: what gives these back is a header, and no more."""
    lost = [known for c in chunks if (known := _lost(case, c)) is not None]
    return "\n".join(text for known in lost for text in (_above(case, known), case.setting.text(known.header)))


def _lost(case: Case, chunk: int) -> _Lost | None:
    """The header that a chunk was cut from, as it begins inside a table or list."""
    span = case.setting.span(chunk)
    text = case.setting.corpus.documents[span.document].text
    begins = span.end - len(text[span.start : span.end].lstrip())
    known = introduction(text, begins) if begins < span.end else None
    if known is None or known[1] > span.start:
        return None
    above = caption(text, known[0])
    return _Lost(Span(span.document, known[0], known[1]), known[2], Span(span.document, *above) if above else None)


def _in_the_same(case: Case, group: Group, chunk: int, header: Span) -> bool:
    """Whether evidence in a chunk begins in the table or list that `header` introduces."""
    place, text = case.setting.span(chunk), case.setting.corpus.documents[header.document].text
    begins = (max(s.start, place.start) for s in group.spans if s.overlaps(place))
    known = (introduction(text, begin) for begin in begins)
    return any(where is not None and where[0] == header.start for where in known)


def _above(case: Case, known: _Lost) -> str:
    return case.setting.text(known.caption) if known.caption else ""


def _texts(case: Case, above: bool) -> Texts:
    """Each chunk under its header, where it was cut from one, and under what stands `above` that."""
    setting = case.setting

    @functools.cache
    def text(chunk: int) -> str:
        known, own = _lost(case, chunk), setting.embed(setting.span(chunk))
        if known is None:
            return own
        before = [_above(case, known)] if above and known.caption else []
        return "\n".join([*before, setting.text(known.header), own])

    return text


def _others(case: Case, lost: Mapping[int, _Lost], n: int) -> list[Texts]:
    """Other lines, about as long as the header, in its place: of the same document, then of those that rank, then of any.

    None of the same table or list, nor what stands above it: these name what the header names.
    """
    corpus, documents = case.setting.corpus, case.setting.chunking.document
    own = [int(documents[c]) for c in lost]
    near = [int(documents[c]) for c in case.ranking.tolist()]
    lines = list[str]()
    for document in dict.fromkeys(itertools.chain(own, near, range(len(corpus.documents)))):
        lines = list(dict.fromkeys([*lines, *spread(_alike(case, document, lost), n)]))[: 2 * n]
        if len(lines) >= n:
            break
    return [_under(case, line) for line in spread(lines, n)]


def _alike(case: Case, document: int, lost: Mapping[int, _Lost]) -> list[str]:
    """The lines of a document about as long as the header that chunks lost, but for those of its own table or list."""
    text = case.setting.corpus.documents[document].text
    headers, same = [known.header for known in lost.values()], _own_lines(case, lost)
    tables = {header.start for header in headers if header.document == document}
    length = headers[0].end - headers[0].start
    lines = ((m.start(), m.group().strip()) for m in re.finditer(r"[^\n]+", text))
    alike = ((at, line) for at, line in lines if line and line not in same and length <= 3 * len(line) <= 9 * length)
    return [line for at, line in alike if not tables or _header_start(text, at) not in tables]


def _own_lines(case: Case, lost: Mapping[int, _Lost]) -> set[str]:
    """The lines of the chunks that lost a header, of the header and of what stands above it."""
    captions = (known.caption for known in lost.values() if known.caption)
    spans = [*(known.header for known in lost.values()), *captions, *map(case.setting.span, lost)]
    return {line.strip() for span in spans for line in case.setting.text(span).splitlines()}


def _header_start(text: str, at: int) -> int | None:
    """Where the header of the table or list round a place begins; None outside of any."""
    known = introduction(text, at)
    return known[0] if known else None


def _under(case: Case, line: str) -> Texts:
    return lambda chunk: f"{line}\n{case.setting.embed(case.setting.span(chunk))}"


def _rows(chunks: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Which chunks lack which header."""
    for chunk in chunks[:MOST]:
        yield Row.of("chunk", f"{chunk['chunk']}, at {at(chunk['rank'])}, lacks")
        if chunk.get("above"):
            yield Row.of("above", (str(chunk["above"]), "good"))
        yield Row.of("header", (str(chunk["header"]), "good"))
