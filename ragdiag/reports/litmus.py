"""The litmus test as terminal text and as JSON: what most failures are about, how sure that is, and what was counted."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ragdiag.answering.verdict import COLUMNS, KINDS, LABELS, NOTHING_TO_JUDGE_BY, Judgement, Litmus, Verdict
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.version import __version__
from ragdiag.reports.json import verdict_dict
from ragdiag.reports.text import interval, line, plain_table, signed
from ragdiag.text.phrases import counted, listed

__all__ = ["litmus_dict", "litmus_text", "verdict_said"]

SAYS = {
    "RETRIEVAL": "with perfect access to the right information most failures would be gone: fix retrieval",
    "CONTEXT": "most failures had the evidence in their context, and would be gone with it alone: noise, or where it stands",
    "BEHAVIOR": "most failures would be there with perfect access to the right information: prompt, or fine-tune",
    "BOTH": "both problems are there, which is larger is open: perfect context helps, and leaves many wrong",
    "INCONCLUSIVE": "too few failures, or labels, to tell",
    "NOT_MEASURED": "no failure has an answer with perfect context beside it",
}
"""What each kind of verdict says, in a line."""

COLOURS = {"RETRIEVAL": "red", "CONTEXT": "red", "BEHAVIOR": "magenta", "BOTH": "yellow"}

IDS = 5
"""Queries named in a line."""


def litmus_text(found: Litmus) -> RenderableType:
    """It on one screen."""
    verdict: Verdict = found.verdict
    parts: list[RenderableType] = [
        line((f"ragdiag {__version__}", "bold"), f"  {counted(len(found.queries), 'quer', 'y')}, answers: {_answers(found)}"),
        Text(),
        *_headline(found),
        *_unjudged(found),
        *_effects(verdict, found.delta),
        Text(),
        _table(verdict),
        Text(),
        _three_figures(found),
    ]
    if verdict.broken:
        names = [found.queries[q].id for q in verdict.broken[:IDS]]
        more = ", …" if len(verdict.broken) > IDS else ""
        parts += [line(f"perfect context breaks {counted(len(verdict.broken), 'quer', 'y')}: {', '.join(names)}{more}")]
    parts += [*_behind(found), Text(), *_shares(found)]
    return Group(*parts)


def _behind(found: Litmus) -> Iterator[RenderableType]:
    """The failure modes behind wrong answers whose context was insufficient, where the pipeline was audited."""
    if found.report is None:
        return
    wrong = found.outcomes.failed & (found.outcomes.sufficient == 0)
    results = [r for r, is_wrong in zip(found.report.queries, wrong.tolist(), strict=True) if is_wrong]
    unserved = [r for r in results if not r.served]
    causes = Counter(cause for r in unserved for cause in (r.causes or (r.status,)))
    if unserved:
        named = ", ".join(f"{cause} {n}" for cause, n in causes.most_common())
        yield line(f"behind {counted(len(unserved), 'wrong answer')} without all evidence: ", named)
    if len(results) > len(unserved):
        more = len(results) - len(unserved)
        yield line(
            f"{more} more had recorded contexts without it, where the audited pipeline finds it: another pipeline answered"
        )


def _answers(found: Litmus) -> str:
    return listed([f"{condition} {n}" for condition, n in Counter(j.condition for j in found.judgements).items()])


def _headline(found: Litmus) -> Iterator[RenderableType]:
    verdict = found.verdict
    kind, says = _verdict(verdict)
    yield line((kind, f"bold {COLOURS.get(verdict.kind, 'cyan')}"), says)
    share = interval(verdict.share, "not known")
    if verdict.errors == "corrected":
        yield line(f"perfect context fixes this share of the failures: {share}")
    elif verdict.share.n:
        fixed = round((verdict.share.mean or 0) * verdict.share.n)
        yield line(f"perfect context fixes {fixed} of {counted(verdict.share.n, 'failure')}: {share}")
    yield from _errors(found)
    if verdict.kind in ("INCONCLUSIVE", "BOTH"):
        yield line((_would_tell(verdict), "yellow"))
    if verdict.bounds is not None:
        low, high = verdict.bounds
        judged = ", as judged" if verdict.errors == "open" else ""
        yield line(
            f"without such answers only bounds are known: {low:.0%} to {high:.0%} of the failures are about retrieval{judged}"
        )


def _verdict(verdict: Verdict) -> tuple[str, str]:
    """Its kind, and what that says."""
    other = f", secondary {verdict.secondary}" if verdict.secondary else ""
    as_judged = ", as judged" if verdict.errors == "open" else ""
    return verdict.kind + other, f"{as_judged}: {SAYS[verdict.kind]}"


def verdict_said(found: Litmus) -> str:
    """The verdict in a sentence."""
    return "".join(_verdict(found.verdict))


def _errors(found: Litmus) -> Iterator[RenderableType]:
    """What became of the judge's errors."""
    verdict = found.verdict
    if verdict.errors == "corrected":
        by = counted(verdict.labelled, "quer", "y")
        yield line(("share and effects are corrected for the judge's errors by the labels of ", "dim"), by)
    elif verdict.errors == "open" and verdict.share.n:
        says = "share and effects are not corrected: the judge's errors are not in their intervals"
        yield line((says, "yellow"), f"; {_bring_in(found)}")


def _bring_in(found: Litmus) -> str:
    """How the judge's errors come into the verdict's intervals."""
    if found.blind:
        return "they are where labels may speak, without --blind"
    more = counted(found.verdict.labels_needed or 0, "more quer", "y")
    judged = [c for c in (RETRIEVED, ORACLE) if c in found.shares and found.basis(c) != "as labelled"]
    which = f"both answers, {listed(judged)}," if len(judged) > 1 else f"the {judged[0]} answer"
    return f'label {which} of {more} drawn at random ("correct": true or false) to bring them in'


def _would_tell(verdict: Verdict) -> str:
    """What would tell which problem is larger."""
    told = "would tell which is larger, if that share is the true one"
    if verdict.needed is None:
        return "no number of failures would tell a half from a half"
    failures = f"about {counted(verdict.needed, 'more failure')}"
    if verdict.errors != "corrected":
        return f"{failures} {told}"
    if verdict.labels_needed is None:
        return f"labels of these queries alone would not tell: {failures}, with as many labels among them, {told}"
    return f"about {verdict.labels_needed:,} more of these queries with both answers labelled, or {failures}, {told}"


def _unjudged(found: Litmus) -> Iterator[RenderableType]:
    """Which answers could not be judged, and what to add so that they can."""
    open_ = [j for j in found.judgements if j.why.startswith(NOTHING_TO_JUDGE_BY)]
    if open_:
        where = listed([f"{condition} {n}" for condition, n in Counter(j.condition for j in open_).items()])
        yield line((f"{counted(len(open_), 'answer')} not judged ({where}): ", "yellow"), NOTHING_TO_JUDGE_BY)


def _effects(verdict: Verdict, delta: float) -> Iterator[RenderableType]:
    context, behavior = verdict.effects.get("context"), verdict.effects.get("behavior")
    if context is not None:
        p = "" if context.p is None else f", p {context.p:.2g}"
        yield line(("perfect context adds ", "dim"), f"{signed(context.mean, context.low, context.high)} right answers{p}")
    if behavior is not None:
        yield line(
            ("and leaves wrong ", "dim"),
            f"{behavior.mean:.3f} [{behavior.low:.3f}, {behavior.high:.3f}] (either matters above {delta:g})",
        )


def _table(verdict: Verdict) -> RenderableType:
    """The 2x2, or with what the contexts held the 2x4."""
    columns = [c for c in COLUMNS if any(row[c] for row in verdict.table.values())]
    judged = "" if verdict.errors == "none" else ", as judged"
    table = plain_table(f"with the pipeline's context{judged}", *(f">{c}" for c in columns))
    for name, row in verdict.table.items():
        table.add_row(name, *(str(row[c]) for c in columns))
    return table


def _three_figures(found: Litmus) -> RenderableType:
    """Without which one flies blind: retrieval precision, answer accuracy, hallucination rate."""
    table = plain_table("", "share [95 %]", ">n", "")
    unknown = "not known"
    table.add_row("retrieval precision", interval(found.precision, unknown), str(found.precision.n), "holds evidence")
    for condition, share in found.shares.items():
        best = found.corrected.get(condition, share)
        table.add_row(f"answer accuracy, {condition}", interval(best, unknown), str(best.n), f"right, {found.basis(condition)}")
    if not found.unsupported:
        table.add_row("hallucination rate", unknown, "0", "no contexts recorded")
    for condition, share in found.unsupported.items():
        table.add_row(
            f"hallucination rate, {condition}", interval(share, ""), str(share.n), "unsupported, as judged, not corrected"
        )
    return table


def _shares(found: Litmus) -> Iterator[RenderableType]:
    """Under each condition who judged, what kind of wrong answers are, and how far a judge agrees with labels."""
    kinds = [kind for kind in KINDS[:-1] if any(j.kind == kind for j in found.judgements)]
    table = plain_table("answers", ">right", ">wrong", *(f">{kind}" for kind in kinds), ">no answer", ">not judged", "judged by")
    table.columns[-1].no_wrap = False
    for condition in found.shares:
        own = found.of(condition)
        count = Counter(j.kind for j in own)
        by = Counter(j.by for j in own)
        named = ", ".join(f"{name} {n}" for name, n in by.items() if name not in ("", "failed"))
        row = [sum(j.right is True for j in own), sum(j.right is False for j in own), *(count[kind] for kind in kinds)]
        table.add_row(condition, *map(str, [*row, by["failed"], by[""]]), named)
    yield table
    for condition, agreed in found.agreements.items():
        kappa = "" if agreed.kappa is None else f", kappa {agreed.kappa:.2f}"
        (missed, right), (passed, wrong) = agreed.failed_right, agreed.passed_wrong
        yield line(
            f"on {condition} the judge agrees with {round(agreed.share * agreed.n)} of {counted(agreed.n, 'label')}{kappa}: ",
            f"says wrong of {missed} of {right} right answers, right of {passed} of {wrong} wrong ones",
        )
    open_ = [c for c in found.shares if found.basis(c) != "as labelled"]
    if open_:
        yield line(("counts and kinds of wrong answers are as judged, not corrected", "dim"))
    for condition in open_:
        lacking = LABELS - (found.agreements[condition].n if condition in found.agreements else 0)
        told_above = condition in (RETRIEVED, ORACLE) and found.verdict.share.n
        if lacking > 0 and not told_above and not found.blind:
            yield line(
                (f"the accuracy of {condition} answers is not corrected", "yellow"),
                f': label {lacking} more of them, drawn at random ("correct": true or false)',
            )


def litmus_dict(found: Litmus) -> dict[str, Any]:
    """The verdict object of the contract, with what was counted."""
    return {
        "ragdiag": __version__,
        "seed": found.seed,
        "delta": found.delta,
        **verdict_dict(found.verdict),
        "broken": [found.queries[q].id for q in found.verdict.broken],
        "precision": dataclasses.asdict(found.precision),
        "answers": {condition: _condition(found, condition) for condition in found.shares},
        "judgements": [_judgement(found, judgement) for judgement in found.judgements],
    }


def _condition(found: Litmus, condition: str) -> dict[str, Any]:
    own, agreed = found.of(condition), found.agreements.get(condition)
    corrected, unsupported = found.corrected.get(condition), found.unsupported.get(condition)
    return {
        "right": dataclasses.asdict(found.shares[condition]),
        "corrected": None if corrected is None else dataclasses.asdict(corrected),
        "basis": found.basis(condition),
        "unsupported": None if unsupported is None else dataclasses.asdict(unsupported),
        "failed": sum(j.by == "failed" for j in own),
        "unjudged": sum(j.by == "" for j in own),
        "judged_by": dict(Counter(j.by for j in own if j.by)),
        "wrong": dict(Counter(j.kind for j in own if j.kind)),
        "agreement": None if agreed is None else agreed._asdict(),
    }


def _judgement(found: Litmus, judgement: Judgement) -> dict[str, Any]:
    return {**judgement._asdict(), "query": found.queries[judgement.query].id, "broke": list(judgement.broke)}
