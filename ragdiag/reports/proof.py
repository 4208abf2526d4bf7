"""Why one query fails: each cause with what was changed, what came of it, its control, and what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ragdiag.core.proofs import Finding
from ragdiag.core.records import Explanation
from ragdiag.reports.text import clean, counted, line, listed, one_line, plain_table
from ragdiag.reports.words import NO_SWAP, RARE, RESIDUAL, meaning, weak

__all__ = ["DETAILS", "Told", "told", "why"]

MOST = 3
"""Chunks, clusters or passages of one finding shown."""

EXCERPT = 90
"""Characters shown of a chunk in a list."""

AROUND = 70
"""Characters shown on either side of a cut."""

CUT = "‖"

BRUTE = "residual: no change tried that is more specific restores it; more context would mend most causes"

Row = tuple[str, Text]
Detail = Mapping[str, Any]


class Told(NamedTuple):
    """Why a query fails: each cause with a heading and labelled lines; what was tried besides, cells for each change (its cause,
    what came of it, whether that is enough, what it is); what else is to be said."""

    causes: list[tuple[Finding, Text, list[Row]]]
    tried: list[tuple[str, str, str, str]]
    notes: list[Text]


def told(explanation: Explanation) -> Told:
    """Why a query fails, empty for one that was not diagnosed."""
    result = explanation.result
    findings = [f for f in result.findings if f.cause != "label_defect"]  # the defect itself is shown with file and line
    main = [f for f in findings if f.cause in result.causes or (result.status == "unattainable" and f.detail.get("unattainable"))]
    notes = [line(("both changes at once make its context sufficient", "green"))] if result.status == "compound" else []
    if result.status == "undetermined" and not explanation.report.pipeline["swaps"]:
        notes += [line((NO_SWAP, "dim"))]
    tried = [_tried(f, explanation) for f in findings if f not in main]
    return Told([(f, *_cause(f, explanation)) for f in main], tried, notes)


def why(explanation: Explanation) -> list[RenderableType]:
    """The causes with their proofs, then what was tried besides."""
    causes, tried, notes = told(explanation)
    parts: list[RenderableType] = []
    for _, head, rows in causes:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for name, text in rows:
            grid.add_row(f"  {name}", text)
        parts += [Text(), head, grid]
    noted: list[RenderableType] = [Text.assemble("  ", note) for note in notes]
    if tried:
        table = plain_table("", "", "", "")
        table.show_header = False
        for cause, *cells in tried:
            table.add_row(*(line((cell, "dim")) for cell in (f"  {cause}", *cells)))
        table.expand, table.columns[-1].ratio, table.columns[-1].overflow = True, 1, "ellipsis"
        heading = line(("Tried as well" if causes else "What was tried", "bold dim"))
        noted = [*noted, Text(), heading, table] if causes else [Text(), heading, table, *noted]
    return parts + noted


def _cause(finding: Finding, explanation: Explanation) -> tuple[Text, list[Row]]:
    """One cause: in plain words, its proof, what was seen, the fix."""
    says = meaning(finding)
    where = f" (evidence {finding.group})" if finding.group is not None and len(explanation.groups) > 1 else ""
    head = line((finding.cause, "bold red"), (f"{': ' if says else ''}{says}{where}", "bold"))
    enough = finding.after.sufficient
    outcome = ("sufficient", "bold green") if enough else ("not enough alone", "yellow")
    result = ("result", line(_move(finding, explanation), "  ", outcome))
    residual = finding.cause in RESIDUAL
    rows = [
        *([] if residual else [("changed", line(finding.intervention))]),
        result,
        *([("", line((BRUTE, "dim")))] if residual else _control(finding)),
        *DETAILS.get(finding.cause, _anything)(finding.detail),
        ("fix", line((finding.fix, "bold"))),
    ]
    return head, rows


class _Ranks(NamedTuple):
    before: str
    after: str


def _ranks(finding: Finding, explanation: Explanation) -> _Ranks:
    unranked = f">{explanation.report.pipeline['depth']}"
    return _Ranks(*(str(standing.rank or unranked) for standing in (finding.before, finding.after)))


def _move(finding: Finding, explanation: Explanation) -> str:
    """``needs k 37 -> 2, has 5``; a residual cause changes no rank."""
    k, ranks = explanation.report.pipeline["k"], _ranks(finding, explanation)
    has = f" (has {k or counted(sum(c.in_context for c in explanation.ranking), 'chunk')})"
    if finding.cause not in RESIDUAL:
        return f"needs k {ranks.before} -> {ranks.after}{has}"
    tokens = finding.detail.get("tokens")
    return f"needs k {ranks.after}{has}" + (f", {counted(tokens, 'token')} of context" if tokens else "")


def _control(finding: Finding) -> list[Row]:
    """What changes that should make no difference do; without a p there is no control."""
    said = _as_well(finding)
    if weak(finding):
        return [("weak", line((f"proved by words alone, and {said}", "yellow")))]
    if not said and finding.placebo_p is None:
        return []
    p = "" if finding.placebo_p is None else f" (p {finding.placebo_p:.2g})"
    return [("control", line((said or "changes that should make no difference") + p))]


def _as_well(finding: Finding) -> str:
    """How many controls do as well, in words; "" where none ran."""
    detail = finding.detail
    placebo, others = detail.get("placebo") or {}, detail.get("others")
    if detail.get("exact_as_well"):
        return "exact search alone does as well"
    if placebo:
        shifts = f"{placebo.get('shifts_as_well', 0)} of {counted(placebo.get('shifts', 0), 'other place')} for the cut"
        elsewhere = placebo.get("elsewhere", 0)
        chunks = f" and {placebo.get('elsewhere_as_well', 0)} of {counted(elsewhere, 'other chunk')} of the document"
        return f"{shifts}{chunks if elsewhere else ''} do as well"
    if others:
        return f"{detail.get('others_as_well', 0)} of {counted(others, 'other chunk')} come in as well, asked for in their words"
    return ""


def _tried(finding: Finding, explanation: Explanation) -> tuple[str, str, str, str]:
    """A change that is no cause, and why it is none."""
    ranks, what = _ranks(finding, explanation), one_line(finding.intervention, EXCERPT)
    move, verdict = f"needs k {ranks.before} -> {ranks.after}", "not enough"
    if finding.cause in RESIDUAL:
        move, verdict = f"needs k {ranks.after}", "residual" if finding.after.rank else "not enough"
        more = f"{finding.intervention}: more context would do, whatever the cause"
        what = more if finding.after.rank else "no k that was ranked would do"
    elif finding.after.sufficient:
        verdict, what = "enough, but", _as_well(finding) or "what should make no difference does as well"
    return finding.cause, move, verdict, what


# What was seen, cause by cause. Each takes a finding's detail and gives labelled lines.


def _split(detail: Detail) -> Iterator[Row]:
    """The text on either side of each cut, the ranks of the pieces and of the whole."""
    whole = list(detail.get("window_ranks", ()))
    for i, cut in enumerate(detail.get("cut", ())[:MOST]):
        parts = clean(cut["passage"]).split(CUT)
        for before, after in pairwise(parts):
            last, first = _flat(before)[-AROUND:].partition(" ")[2], _flat(after)[:AROUND].rpartition(" ")[0]
            yield "cut", Text.assemble((f"… {last} ", "green"), (CUT, "bold red"), (f" {first} …", "green"))
        ranks = listed([_at(f.get("rank")) for f in cut.get("fragments", ())])
        yield "pieces", line(f"at {ranks}; as one chunk at {_at(whole[i])}" if i < len(whole) else f"at {ranks}")


def _oversized(detail: Detail) -> Iterator[Row]:
    lengths = listed([f"{n:,}" for n in detail.get("tokens", ())])
    more = "than a whole context holds" if detail.get("unattainable") else "than a chunk of this index holds"
    yield "length", line(f"{lengths} tokens, more {more}")


def _truncated(detail: Detail) -> Iterator[Row]:
    for row in detail.get("chunks", ())[:MOST]:
        size, read, start = (row.get(name, 0) for name in ("characters", "read", "evidence_from"))
        yield (
            "unseen",
            line(f"of {row['chunk']} the encoder reads {read:,} of {size:,} characters; the evidence starts at {start:,}"),
        )


def _stale(detail: Detail) -> Iterator[Row]:
    yield from _chunks("above", detail.get("versions", ()), lambda row: f" ({row.get('by', '')})")


def _crowded(detail: Detail) -> Iterator[Row]:
    clusters = detail.get("clusters", ())
    for cluster in clusters[:MOST]:
        first, again = cluster["first"], cluster.get("repeats", ())
        places = listed([str(r.get("rank") or "?") for r in again])
        yield "repeats", line((f"rank {first.get('rank')}, ", "bold"), f"again at {places}: {first['chunk']} ", _said(first))
    yield from _more(clusters, "cluster")


def _pollution(detail: Detail) -> Iterator[Row]:
    def beside(row: Detail) -> str:
        contexts = row.get("contexts", 0)
        near = f" (affinity {row.get('affinity', 0):.2g}"
        return f"{near}, in {counted(contexts, 'context')})" if contexts > 1 else f"{near})"

    inside = detail.get("in_context", {})
    if inside.get("chunks"):
        yield (
            "takes",
            line(f"{counted(inside['chunks'], 'place')} and {counted(inside.get('tokens', 0), 'token')} of the context"),
        )
    yield from _chunks("above", detail.get("off_topic", ()), beside)
    yield "", line(("affinity: how near to the evidence, the query's words taken out; 1 is as near as random words", "dim"))
    if detail.get("hub"):
        yield "", line(("a hub: far more contexts than chance would put it in", "yellow"))


def _diluted(detail: Detail) -> Iterator[Row]:
    for row in detail.get("chunks", ())[:MOST]:
        yield "share", line(f"{row.get('share', 0):.0%} of {row['chunk']}, at {_at(row.get('rank'))}")


def _missed(detail: Detail) -> Iterator[Row]:
    """The chunks that the index does not return, and where exact search has them."""
    rows = detail.get("missed", ())
    for i, row in enumerate(rows[:MOST]):
        yield "" if i else "missed", line(f"{row['chunk']}, in exact search at rank {row['exact']}: ", _said(row))
    yield from _more(rows, "chunk")


def _mismatch(detail: Detail) -> Iterator[Row]:
    """Which words are missing, what the chunks above have of them, what other retrievers do, what words bring it in."""
    share, above, side = detail.get("overlap", 0), detail.get("overlap_above", 0), detail.get("side", "")
    shares = f"its chunk has {share:.0%} of the query's words, those above it {above:.0%} (rare words count more)"
    yield "overlap", line(shares + (f": {side}" if side else ""))
    if side != RARE and (missing := detail.get("missing")):
        yield "lacks", line(", ".join(missing[:12]) + (", …" if len(missing) > 12 else ""))
    for name, standing in detail.get("tried", {}).items():
        found = f"needs k {standing['rank']}" if standing.get("rank") else "does not find it"
        yield "instead", line(f"{one_line(name, 60)} {found}" + (", sufficient" if standing.get("sufficient") else ""))
    if words := detail.get("words"):
        yield "words", line("of the evidence: ", ", ".join(words))


def _incomplete(detail: Detail) -> Iterator[Row]:
    has, lacks = (listed([str(n) for n in detail.get(name, ())]) for name in ("covered", "lacking"))
    yield "has", line(f"its context holds evidence {has}, and lacks {lacks}")


def _nothing(_: Detail) -> Iterator[Row]:
    """What the other sections show."""
    yield from ()


def _missing(detail: Detail) -> Iterator[Row]:
    yield "kind", line(str(detail.get("kind", "")))
    for text in detail.get("missing", ())[:MOST]:
        yield "missing", line((one_line(text, 2 * EXCERPT), "green"))


def _anything(detail: Detail) -> Iterator[Row]:
    """What a failure mode from elsewhere saw: as it says it."""
    for name, value in detail.items():
        yield one_line(str(name), 20), line(one_line(str(value), 4 * EXCERPT))


DETAILS: dict[str, Callable[[Detail], Iterator[Row]]] = {
    "missing_content": _missing,
    "chunk_split": _split,
    "oversized": _oversized,
    "truncated": _truncated,
    "stale": _stale,
    "crowded_out": _crowded,
    "pollution": _pollution,
    "diluted": _diluted,
    "index_miss": _missed,
    "query_mismatch": _mismatch,
    "incomplete": _incomplete,
    "ranking": _nothing,
    "adjacent": _nothing,
}
"""How each cause's detail is shown; one that is not here is shown key by key."""


def _chunks(name: str, rows: Sequence[Detail], beside: Callable[[Detail], str]) -> Iterator[Row]:
    """Chunks one below another: rank, name, why it is here, how it begins."""
    for i, row in enumerate(rows[:MOST]):
        head = (f"rank {row.get('rank') or '?'} ", "bold")
        yield "" if i else name, line(head, f"{row['chunk']}{beside(row)} ", _said(row))
    yield from _more(rows, "chunk")


def _said(row: Detail) -> tuple[str, str]:
    return one_line(str(row.get("text", "")), EXCERPT), "dim"


def _more(rows: Sequence[object], what: str) -> Iterator[Row]:
    if len(rows) > MOST:
        yield "", line((f"and {counted(len(rows) - MOST, 'more ' + what)}", "dim"))


def _at(rank: int | None) -> str:
    return f"rank {rank}" if rank else "too low to be ranked"


def _flat(text: str) -> str:
    return " ".join(text.split())
