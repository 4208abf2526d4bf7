"""A comparison as terminal text: which configuration serves best, how sure that is, what it costs, what more context would do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from ragdiag.comparing.cells import Cell, Comparison, Contrast, context_tokens
from ragdiag.core.version import __version__
from ragdiag.reports.models import models_text
from ragdiag.reports.terminal import troubles
from ragdiag.reports.text import LABEL_MORE, line, plain_table, signed
from ragdiag.text.phrases import counted

__all__ = [
    "PARETO",
    "against",
    "compare_text",
    "counts",
    "cures",
    "holm",
    "left_out",
    "more_context",
    "pairs",
    "verdict_lines",
]

FIRST = 24
"""Configurations shown; the JSON report has them all."""

CURES = 6
"""Configurations of which it is shown what they cure and break."""

NEAR = 3
"""Configurations named of those that cannot be told from the best."""

CAUSES = 3
"""Causes named of those that a configuration cures or brings."""

PARETO = "• none of the others is better and takes no more tokens"
"""What the mark before a configuration says."""


def compare_text(comparison: Comparison, price: float | None = None, latency_ms: float = 500.0) -> RenderableType:
    """A comparison on one screen. `price` is that of a million tokens of context, `latency_ms` what a query may take."""
    shown = sorted(range(len(comparison.cells)), key=lambda i: (-_mean(comparison, i), i))[:FIRST]
    heading = line((f"ragdiag {__version__}", "bold"), f"  {counts(comparison)}")
    parts: list[RenderableType] = [heading, Text(), *verdict_lines(comparison), *more_context(comparison)]
    parts += [*pairs(comparison), *(line((note, "dim")) for note in comparison.notes)]
    parts += [Text(), _scores(comparison, shown)]
    if len(comparison.cells) > FIRST:
        parts += [line((f"and {len(comparison.cells) - FIRST} more; --json lists all", "dim"))]
    parts += [line((PARETO, "dim")), *_cures(comparison, shown)]
    parts += [*models_text(comparison), Text(), _costs(comparison, shown, price, latency_ms)]
    if comparison.pipeline.get("k"):
        column = "more k: share served, less that of the baseline at the k that comes nearest in tokens (raise_k in the JSON)"
        parts += [line((column, "dim"))]
    if any((c.timings.get("retrieval") or {}).get("encoding", "timed") != "timed" for c in comparison.cells):
        parts += [line(("times leave out the encoder: vectors of texts and queries came from the cache", "dim"))]
    return Group(*parts, *left_out(comparison))


def left_out(comparison: Comparison, notes: Iterable[str] = ()) -> list[RenderableType]:
    """Documents and labels that no configuration was measured on, warnings, and `notes`: as an audit shows them."""
    return troubles(comparison.label_defects, comparison.label_warnings, comparison.problems, notes)


def counts(comparison: Comparison) -> str:
    """How many documents, queries and configurations were compared, and the size of every context."""
    documents, queries = (comparison.inputs[name] for name in ("documents", "queries"))
    budget, k = (comparison.pipeline.get(name) for name in ("budget", "k"))
    size = f"up to {budget} tokens of context" if budget else f"k {k}"
    configurations = counted(len(comparison.cells), "configuration")
    return f"{counted(documents, 'document')}, {counted(queries, 'quer', 'y')}: {configurations}, {size}"


def _scores(comparison: Comparison, shown: list[int]) -> RenderableType:
    """The configurations, best first: the mean, the difference from the baseline, queries won and lost."""
    measure = comparison.measure.split("@")[0]
    table = plain_table("", ">", ">" + measure, "difference [95 %]", ">won", ">lost", ">p", "configuration")
    contrasts = against(comparison)
    for n, i in enumerate(shown, 1):
        name_and_reasons = line(comparison.cells[i].name, *_for(comparison, i))
        first = ["•" if i in comparison.pareto else "", str(n), f"{_mean(comparison, i):.3f}"]
        contrast = contrasts.get(i)
        if contrast is None:
            table.add_row(*first, "baseline", "", "", "", name_and_reasons, style="bold")
            continue
        style = ("green" if contrast.difference > 0 else "red") if contrast.distinguishable else ""
        won, lost = str(contrast.recovered), str(contrast.broken)
        table.add_row(*first, _interval(contrast), won, lost, holm(contrast), name_and_reasons, style=style)
    table.expand, table.columns[-1].ratio = True, 1
    table.columns[-1].no_wrap, table.columns[-1].overflow = False, "fold"
    return table


def against(comparison: Comparison) -> dict[int, Contrast]:
    """Each configuration's contrast with the baseline: itself less the baseline, by its position."""
    return {c.b: c for c in comparison.contrasts if c.a == comparison.baseline} | {
        c.a: _turned(c) for c in comparison.contrasts if c.b == comparison.baseline
    }


def holm(contrast: Contrast) -> str:
    """The adjusted p in few digits."""
    return f"{contrast.p_holm:.2g}" if contrast.p_holm >= 0.001 else "<.001"


def _beside_more(comparison: Comparison, i: int) -> str:
    """The share of queries served, less what the baseline serves with as many tokens; "" where that is not known."""
    raised = comparison.raised.get(i, {})
    return f"{raised['difference']:+.3f}" if "difference" in raised else ""


def _for(comparison: Comparison, i: int) -> list[tuple[str, str]]:
    """The causes that pointed to a configuration."""
    reasons = comparison.reasons.get(i)
    return [(f" (for {', '.join(reasons[:CAUSES])}{', …' if len(reasons) > CAUSES else ''})", "dim")] if reasons else []


def _cures(comparison: Comparison, shown: list[int]) -> Iterator[RenderableType]:
    """What the baseline's queries fail by, and what each other configuration cures and newly breaks."""
    if not comparison.causes:
        return
    yield Text()
    yield line(("Causes under the baseline: ", "bold"), ", ".join(f"{c} {n}" for c, n in comparison.causes.items()))
    table = plain_table("", ">", "cures", "breaks")
    for n, i in list(enumerate(shown, 1))[:CURES]:
        if i != comparison.baseline:
            cured, broken = cures(comparison, i)
            table.add_row("", str(n), _first(cured), _first(broken))
    table.expand = True
    for column, ratio in zip(table.columns[2:], (2, 1), strict=True):
        column.ratio, column.no_wrap = ratio, False
    yield table


def cures(comparison: Comparison, i: int) -> tuple[list[str], list[str]]:
    """Which causes of the baseline's failures a configuration cures, and which causes it breaks other queries by; with counts."""
    cured = [f"{c} {k} of {comparison.causes[c]}" for c, k in comparison.cured.get(i, {}).items()]
    return cured, [f"{c} {k}" for c, k in comparison.broke.get(i, {}).items()]


def _first(causes: list[str]) -> str:
    """The first few of causes; "nothing" for none."""
    return ", ".join(causes[:CAUSES]) + (", …" if len(causes) > CAUSES else "") if causes else "nothing"


def _turned(c: Contrast) -> Contrast:
    """The same contrast with its two configurations changed over."""
    return dataclasses.replace(
        c, a=c.b, b=c.a, difference=-c.difference, low=-c.high, high=-c.low, recovered=c.broken, broken=c.recovered
    )


def _interval(c: Contrast) -> str:
    return signed(c.difference, c.low, c.high)


def _mean(comparison: Comparison, i: int) -> float:
    return comparison.means[i][comparison.measure].mean or 0.0


def verdict_lines(comparison: Comparison) -> Iterator[Text]:
    """The best choice, what it gains over the baseline and how sure that is; how many others are better than the baseline."""
    contrasts = against(comparison)
    best = contrasts.get(comparison.best)
    if best is None:
        yield line(("Best: the baseline, ", "bold"), (comparison.cells[comparison.baseline].name, "bold green"))
    else:
        yield from _gain(best, comparison.cells[comparison.best].name)
        yield from _held_out(comparison)
    better = sum(c.distinguishable and c.difference > 0 for c in contrasts.values())
    if contrasts and not better:
        yield line((f"none of {counted(len(contrasts), 'configuration')} is distinguishably better than the baseline", "dim"))
    elif better > 1:
        yield line((f"{better} configurations are distinguishably better (p after Holm over {len(comparison.contrasts)})", "dim"))


def _gain(best: Contrast, name: str) -> Iterator[Text]:
    """What the best configuration gains over the baseline; where that may be chance, which difference would have been seen."""
    colour = "green" if best.distinguishable else "yellow"
    gain = f": serves {counted(best.recovered, 'quer', 'y')} more and {best.broken} fewer than the baseline, {_interval(best)}"
    yield line(("Best: ", "bold"), (name, f"bold {colour}"), gain)
    if not best.distinguishable:
        queries = counted(best.n, "quer", "y")
        detectable = f"a difference of {best.detectable:.3f} would have been seen in four of five such samples"
        yield line((f"not distinguishable from the baseline on {queries}: {detectable}", "yellow"))
        if best.needed:
            more = counted(best.needed, "more labelled quer", "y")
            yield line((f"if they differ as much as here, about {more} would tell", "yellow"))
            yield line((LABEL_MORE, "dim"))


def _held_out(comparison: Comparison) -> Iterator[Text]:
    """What choosing on one half of the queries comes to on the other, and what cannot be told from the best."""
    held, cells = comparison.confirmed, comparison.cells
    if "difference" in held:
        verdict, colour = ("confirmed", "green") if held["holds"] else ("not confirmed", "yellow")
        difference = signed(held["difference"], held["low"], held["high"])
        often = next(iter(held["chosen"]))  # what most of the halves chose
        other = f"; the halves chose {cells[often].name} {held['chosen'][often]} of {2 * held['splits']} times"
        splits = f", above 0 in {held['above']} of {held['splits']} splits"
        yield line(
            (f"chosen on half of the queries, seen on the other: {difference}, ", "dim"),
            (verdict, colour),
            (splits + (other if often != comparison.best else ""), "dim"),
        )
    near = [cells[i].name for i in comparison.ties if i != comparison.baseline][:NEAR]
    if near:
        yield line(("as good, as far as one can tell: ", "dim"), "; ".join(near))


def pairs(comparison: Comparison) -> Iterator[Text]:
    """Of all pairs, where they were asked for, those whose interval leaves out 0; the JSON has every one."""
    if len(comparison.contrasts) < len(comparison.cells):
        return
    names = [cell.name for cell in comparison.cells]
    apart = [c if c.difference > 0 else _turned(c) for c in comparison.contrasts if not c.low <= 0 <= c.high]
    yield line(("Pairs: ", "bold"), f"{len(apart)} of {len(comparison.contrasts)} intervals leave out 0")
    for c in sorted(apart, key=lambda c: (c.p_holm, -c.difference))[:FIRST]:
        verdict = ("told apart", "green") if c.distinguishable else ("not told apart", "dim")
        yield line(f"  {names[c.b]} over {names[c.a]}: {_interval(c)}, p {c.p_holm:.2g}, ", verdict)


def more_context(comparison: Comparison) -> Iterator[Text]:
    """What every configuration has to beat: the baseline with more context."""
    rows = [row for row in comparison.curve if row["times"] >= 1]
    served = [f"{row['served']} at {row['tokens']:,.0f}" + (f" (k {row['k']})" if row["k"] else "") for row in rows]
    queries = counted(rows[0]["of"], "quer", "y") if rows else "no query"
    yield line(("Just more context: ", "bold"), f"of {queries} the baseline serves {', '.join(served)} tokens")
    raised = comparison.raised.get(comparison.best)
    if raised is None:
        return
    tokens, of_best = raised["tokens_to_serve_as_many"], context_tokens(comparison.cells[comparison.best]) or 0.0
    many = f"as many as the best ({raised['served']}"
    if tokens is None:
        yield line(f"however far down its ranking, the baseline does not serve {many})")
    else:
        yield line(f"to serve {many}, with {of_best:,.0f} tokens) it takes {tokens:,.0f}")


def _costs(comparison: Comparison, shown: list[int], price: float | None, latency_ms: float) -> RenderableType:
    """Index, context and time of each configuration."""
    priced = [f">$/1000 q at ${price:g}/M"] if price is not None else []
    by_k = [">more k"] if comparison.pipeline.get("k") else []
    table = plain_table(">cost of", ">tokens", *by_k, *priced, ">chunks", ">index MB", ">index s", ">p50 ms", ">p95 ms")
    for n, i in enumerate(shown, 1):
        cell = comparison.cells[i]
        tokens = context_tokens(cell) or 0.0
        money = [f"{tokens * price / 1000:.2f}"] if price is not None else []
        beside_more = [_beside_more(comparison, i)] if by_k else []
        size = f"{cell.chunks:,}", f"{cell.bytes / 1e6:.1f}"
        table.add_row(str(n), f"{tokens:,.0f}", *beside_more, *money, *size, *_times(cell, latency_ms))
    return table


def _times(cell: Cell, latency_ms: float) -> list[str]:
    """Seconds of indexing, and milliseconds of a query at the 50th and 95th percentile, marked where it is slow."""
    index, retrieval = cell.timings.get("index"), cell.timings.get("retrieval") or {}
    p50, p95 = retrieval.get("p50_ms"), retrieval.get("p95_ms")
    slow = "!" if p95 is not None and p95 > latency_ms else ""
    return [
        "" if index is None else f"{index:.1f}",
        "" if p50 is None else f"{p50:,.1f}",
        "" if p95 is None else f"{slow}{p95:,.1f}",
    ]
