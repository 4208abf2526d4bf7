"""A report as terminal text: how bad, where, which queries to look at first, on one screen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ragdiag import __version__
from ragdiag.records import Corpus, Defect, Explanation, GroupProof, Labels, Mean, Problem, QueryResult, RankedChunk, Report

__all__ = ["audit_text", "check_text", "clean", "explain_text", "show"]

FIRST = 8
"""Rows shown of a list; the JSON report has them all."""

SPAN = ("Sufficient", "Evidence", "CharR", "CharP", "IoU", "Duplicate")
"""Measures of what the context holds, as against how chunks are ranked."""

WORST = 5
"""Documents shown of those with unserved queries."""

EXCERPT = 420
"""Characters shown of a context chunk that holds no evidence."""

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` with control characters, which could steer a terminal or reorder what it shows, made visible."""
    return _UNSAFE.sub(lambda m: "" if m[0] == "\r" else f"\\x{ord(m[0]):02x}", text)


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*((clean(p), "") if isinstance(p, str) else (clean(p[0]), p[1]) for p in parts))


def _one_line(text: str, most: int) -> str:
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", no_wrap=True)
    return table


def audit_text(report: Report) -> RenderableType:
    """An audit on one screen."""
    served = sum(q.status == "ok" for q in report.queries)
    failing = [q for q in report.queries if q.status == "undetermined"]
    parts: list[RenderableType] = [_heading(report), Text(), _verdict(report, served, failing), Text(), _measures(report)]
    if failing:
        parts += [Text(), _line(("Where", "bold")), _where(report)]
        parts += [Text(), _line(("Look at these first", "bold")), _first(failing, report)]
    parts += _troubles(report.label_defects, report.label_warnings, report.problems, report.notes)
    return Group(*parts)


def _heading(report: Report) -> Text:
    pipeline, inputs = report.pipeline, report.inputs
    size = f"{pipeline['budget']} tokens" if pipeline["budget"] else f"k {pipeline['k']}"
    context = f" | context {pipeline['context']}" if pipeline["context"] not in (None, "none") else ""
    chunker = str(pipeline["chunker"]).replace(", overlap=0", "").replace(", unit=tokens", "")
    return _line(
        (f"ragdiag {__version__}", "bold"),
        f"  {_n(inputs['documents'], 'document')}, {_n(inputs['queries'], 'quer', 'y')}, {_n(pipeline['chunks'], 'chunk')}\n",
        (
            f"{chunker}{context} | {pipeline['retriever']} | {size}, {pipeline['context_tokens']:.0f} tokens of context a query",
            "dim",
        ),
    )


def _verdict(report: Report, served: int, failing: Sequence[QueryResult]) -> Text:
    n = served + len(failing)
    name = next((m for m in report.measures if m.startswith("Sufficient@")), "")
    mean = report.measures.get(name)
    what = "all their evidence"
    if mean is None or not mean.n:
        name = next(m for m in report.measures if m.startswith("Success@"))
        mean, what = report.measures[name], "a relevant document"
    colour = "green" if not failing else "yellow" if served * 2 >= n else "red"
    text = _line((f"{served} of {n} queries get {what} in their context", f"bold {colour}"), f"\n{name} {_interval(mean)}")
    if failing:
        below = sum(1 for q in failing if q.least_k)
        partly = sum(1 for q in failing if (q.measures.get(name.replace("Sufficient", "CharR")) or 0) > 0)
        depth, middle = report.pipeline["depth"], _median([q.least_k for q in failing if q.least_k]) if below else 0
        longer = f"; {below} find it all in the first {depth} chunks (half of them in {middle})" if below else ""
        text.append(f"\n{len(failing)} do not: {partly} get part of it{longer}")
    return text


def _n(n: int, what: str, end: str = "") -> str:
    """``1 query``, ``2 queries``."""
    return f"{n} {what}{end if n == 1 else 'ies' if end else 's'}"


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]


def _interval(mean: Mean) -> str:
    return f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]" if mean.n else "not decidable"


def _measures(report: Report) -> Table:
    """Two columns: what the context holds, how chunks are ranked."""
    span = [m for m in report.measures if re.split(r"\W", m)[0] in SPAN]
    rank = [m for m in report.measures if m not in span]
    table = _table("context", "mean [95 %]", ">n", " ranking", "mean [95 %]", ">n")
    for i in range(max(len(span), len(rank))):
        table.add_row(*_measure(report, span[i : i + 1], ""), *_measure(report, rank[i : i + 1], " "))
    return table


def _measure(report: Report, names: Sequence[str], indent: str) -> tuple[str, str, str]:
    """The cells of one measure, or empty ones for none."""
    for name in names:
        mean = report.measures[name]
        shown = re.sub(r"\w+\(tau=([0-9.]+)\).*", r"  at tau \1", name)
        return indent + shown, _interval(mean), str(mean.n)
    return "", "", ""


def _where(report: Report) -> RenderableType:
    unserved, asked = Counter[str](), Counter[str]()
    for q in report.queries:
        if q.status in ("ok", "undetermined"):
            asked.update(q.documents)
            unserved.update(q.documents if q.status == "undetermined" else ())
    order = sorted(unserved.items(), key=lambda item: (-item[1], item[0]))
    if order[0][1] == 1:
        return _line(f"evidence of unserved queries is spread over {_n(len(order), 'document')}, one query each")
    table = _table("document", ">unserved", ">of")
    for name, n in order[:WORST]:
        table.add_row(_one_line(name, 60), str(n), str(asked[name]))
    if len(order) > WORST:
        table.add_row(f"{len(order) - WORST} more documents", f"1–{order[WORST][1]}" if order[WORST][1] > 1 else "1 each", "")
    return table


def _first(failing: Sequence[QueryResult], report: Report) -> RenderableType:
    """Those that get least of their evidence, of the documents that leave most queries unserved; then those furthest down."""
    unserved = Counter(d for q in failing for d in q.documents)

    def got(q: QueryResult) -> float:
        return next((v for m, v in q.measures.items() if m.startswith("CharR@") and v is not None), 0.0)

    def worst(q: QueryResult) -> tuple[float, int, int, str]:
        return got(q), -max((unserved[d] for d in q.documents), default=0), -(q.least_k or 10**9), q.id

    order, beyond = sorted(failing, key=worst), f">{report.pipeline['depth']}"
    table = _table("query", ">evidence", ">needs k", "text")
    for q in order[:FIRST]:
        table.add_row(_one_line(q.id, 28), f"{got(q):.0%}", str(q.least_k or beyond), _one_line(q.text, 100))
    table.expand, table.columns[-1].ratio = True, 1  # a narrow terminal cuts the text, nothing else
    more = (
        [_line((f"and {len(order) - FIRST} more; --json lists all, ragdiag explain shows one", "dim"))]
        if len(order) > FIRST
        else []
    )
    return Group(table, *more)


def _troubles(
    defects: Sequence[Defect], warnings: Sequence[Defect], problems: Sequence[Problem], notes: Iterable[str]
) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if problems:
        parts += [Text(), _line((f"{len(problems)} documents could not be read and are left out", "bold yellow"))]
        parts += [_whole(f"  {p.file}: {p.message}") for p in problems[:FIRST]]
    if defects:
        excluded = len({d.query for d in defects})
        parts += [Text(), _line((f"{len(defects)} label defects: {excluded} queries excluded", "bold yellow"))]
        parts += [_defect(d) for d in defects[:FIRST]]
        parts += [_line(f"  and {len(defects) - FIRST} more: ragdiag check shows all")] if len(defects) > FIRST else []
    if warnings:
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(w.kind for w in warnings).items()))
        parts += [Text(), _line((f"label warnings (kept; --json lists them): {kinds}", "dim"))]
    parts += [_line((f"note: {note}", "dim")) for note in notes]
    return parts


def _defect(defect: Defect) -> Text:
    return _whole(f"  {defect.file}:{defect.line}: ", (defect.kind, "yellow"), f" {defect.query}: {defect.message}")


def _whole(*parts: str | tuple[str, str]) -> Text:
    """A line that scripts grep and editors jump to: never wrapped."""
    text = _line(*parts)
    text.no_wrap, text.overflow = True, "ignore"
    return text


def check_text(corpus: Corpus, labels: Labels, notes: Sequence[str]) -> RenderableType:
    """Every defect and warning of corpus and labels."""
    usable = sum(level in ("span", "document") for level in labels.level)
    counts = f"{len(corpus.documents)} documents, {len(labels.queries)} queries, {usable} usable"
    parts: list[RenderableType] = [_line((f"ragdiag {__version__}", "bold"), f"  {counts}")]
    for title, rows in (("label defects", labels.defects), ("label warnings (kept)", labels.warnings)):
        if rows:
            kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(r.kind for r in rows).items()))
            parts += [Text(), _line((f"{len(rows)} {title}: {kinds}", "bold yellow"))]
            parts += [_defect(d) for d in rows]
    parts += _troubles((), (), corpus.problems, notes)
    if not labels.defects and not corpus.problems:
        parts += [_line(("no defects", "bold green"))]
    return Group(*parts)


def explain_text(explanation: Explanation) -> RenderableType:
    """One query: its evidence with the cuts marked, its context with the evidence marked, what stands above it."""
    query, result = explanation.query, explanation.result
    colour = {"ok": "green", "undetermined": "red"}.get(result.status, "yellow")
    status = "its context lacks evidence" if result.status == "undetermined" else result.status
    parts: list[RenderableType] = [
        _line((query.id, "bold"), "  ", (status, f"bold {colour}")),
        _line(("query   ", "dim"), query.text),
    ]
    parts += [_line(("answer  ", "dim"), query.answer)] if query.answer else []
    parts += [_defect(d) for d in explanation.defects]
    for n, group in enumerate(explanation.groups, 1):
        parts += [Text(), *_evidence(n, len(explanation.groups), group)]
    size = sum(c.in_context for c in explanation.ranking)
    what = f"Context: the first {_n(size, 'chunk')}" if size else "Context: empty, nothing was retrieved for this query"
    parts += [Text(), _line((what, "bold"))]
    for chunk in explanation.ranking:
        if not chunk.in_context:
            continue
        parts += [_ranked(chunk), _marked(chunk)]
    below = [c for c in explanation.ranking if not c.in_context]
    if below:
        parts += [Text(), _line(("Below the context, with evidence", "bold")), *(_ranked(c) for c in below[:FIRST])]
    return Group(*parts)


def _evidence(n: int, of: int, group: GroupProof) -> list[RenderableType]:
    """A group: coverage, its text with ``‖`` where a chunk ends inside it, the chunks that hold it and their ranks."""
    where = f"{group.document}#{group.start}-{group.end}" + (f", page {group.page}" if group.page else "")
    copies = f", {group.copies} exact copies elsewhere" if group.copies else ""
    colour = "green" if group.coverage >= 1 else "red" if group.coverage == 0 else "yellow"
    head = _line((f"Evidence {n} of {of}", "bold"), f"  {where}{copies}  ", (f"{group.coverage:.0%} in the context", colour))
    text, last = Text(), 0
    for cut in (*group.cuts, len(group.text)):
        text.append(clean(group.text[last:cut]), style="green")
        text.append(" ‖ " if cut < len(group.text) else "", style="bold red")
        last = cut
    table = _table("  held by", ">rank", ">share")
    for name, rank, share in group.pieces:
        table.add_row(f"  {clean(name)}", str(rank) if rank else "not retrieved", f"{share:.0%}")
    held = table if group.pieces else _line("  no chunk holds any of it")
    return [head, Padding(text, (0, 0, 0, 2), expand=False), held]


def _ranked(chunk: RankedChunk) -> Text:
    held = f"  holds {chunk.grade:.0%} of an evidence passage" if chunk.grade else ""
    return _line((f"{chunk.rank:>3} ", "bold"), chunk.id, (f"  score {chunk.score:.4g}", "dim"), (held, "green"))


def _marked(chunk: RankedChunk) -> RenderableType:
    """A chunk's text with its evidence between ``[[`` and ``]]``, shortened where it holds none."""
    text, last = Text(), 0
    if not chunk.marks:
        text = _line((_one_line(chunk.text, EXCERPT), "dim"))
    for start, end in chunk.marks:
        text.append(clean(chunk.text[last : max(start, last)]))
        text.append(f"[[{clean(chunk.text[max(start, last) : end])}]]" if end > last else "", style="bold green")
        last = max(last, end)
    text.append(clean(chunk.text[last:].rstrip()) if chunk.marks else "")
    return Padding(text, (0, 0, 0, 4), expand=False)


def show(renderable: RenderableType) -> None:
    """Print to standard output: as wide as the terminal; 140 columns where it is none."""
    made = Console(highlight=False)
    (made if made.is_terminal else Console(highlight=False, width=140)).print(renderable, crop=False)
