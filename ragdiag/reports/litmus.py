"""The litmus test as terminal text and as JSON: what most failures are about, how sure that is, and what was counted."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from ragdiag.answering.behaviors import behaviors
from ragdiag.answering.said import LABELS
from ragdiag.answering.verdict import COLUMNS, KINDS, Agreement, Judgement, Litmus, Verdict
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.version import __version__
from ragdiag.reports.abstention import abstention_dict, abstention_lines
from ragdiag.reports.behaviors import behavior_lines
from ragdiag.reports.doubts import doubt_lines, doubts_dict
from ragdiag.reports.harms import harm_dict, harm_lines
from ragdiag.reports.json import JsonObject, verdict_dict
from ragdiag.reports.missing import missing_lines
from ragdiag.reports.people import people_lines
from ragdiag.reports.text import interval, line, next_lines, plain_table, signed
from ragdiag.text.phrases import counted, listed

__all__ = ["answer_counts", "litmus_dict", "litmus_lines", "litmus_text", "verdict_said"]

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


def litmus_text(litmus: Litmus, following: tuple[str, str] | None = None) -> RenderableType:
    """The litmus test on one screen; `following`: why something comes next, and what."""
    heading = line((f"ragdiag {__version__}", "bold"), f"  {answer_counts(litmus)}")
    return Group(heading, Text(), *litmus_lines(litmus), *next_lines(following))


def answer_counts(litmus: Litmus) -> str:
    """How many queries there are, and how many answers under each condition."""
    answers = listed([f"{condition} {n}" for condition, n in Counter(j.condition for j in litmus.judgements).items()])
    return f"{counted(len(litmus.queries), 'quer', 'y')}, answers: {answers}"


def litmus_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """The verdict and all that it rests on, line by line and table by table; the verdict's own lines first."""
    verdict = litmus.verdict
    yield from _headline(litmus)
    yield from missing_lines(litmus)
    yield from doubt_lines(litmus)
    yield from _effects(verdict, litmus.delta)
    yield from (Text(), _table(verdict), Text(), _three_figures(litmus), *abstention_lines(litmus))
    if verdict.broken:
        names = [litmus.queries[q].id for q in verdict.broken[:IDS]]
        more = ", …" if len(verdict.broken) > IDS else ""
        yield line(f"perfect context breaks {counted(len(verdict.broken), 'quer', 'y')}: {', '.join(names)}{more}")
    yield from _behind(litmus)
    yield from harm_lines(litmus.harms)
    yield from behavior_lines(litmus)
    yield from (Text(), _answers(litmus))
    for condition, agreement in litmus.agreements.items():
        yield _agreement(condition, agreement)
    yield from people_lines(litmus)
    yield from _as_judged(litmus)


def _behind(litmus: Litmus) -> Iterator[RenderableType]:
    """The failure modes behind wrong answers whose context was insufficient, where the pipeline was audited."""
    if litmus.report is None:
        return
    wrong = litmus.outcomes.failed & (litmus.outcomes.sufficient == 0)
    results = [r for r, is_wrong in zip(litmus.report.queries, wrong.tolist(), strict=True) if is_wrong]
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


def _headline(litmus: Litmus) -> Iterator[RenderableType]:
    """The kind of the verdict, the share that it rests on, and what would make it surer."""
    verdict = litmus.verdict
    kind, says = _verdict(verdict)
    yield line((kind, f"bold {COLOURS.get(verdict.kind, 'cyan')}"), says)
    share = interval(verdict.share, "not known")
    if verdict.errors == "corrected":
        yield line(f"perfect context fixes this share of the failures: {share}")
    elif verdict.share.n:
        fixed = round((verdict.share.mean or 0) * verdict.share.n)
        yield line(f"perfect context fixes {fixed} of {counted(verdict.share.n, 'failure')}: {share}")
    yield from _errors(litmus)
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


def verdict_said(litmus: Litmus) -> str:
    """The verdict in a sentence."""
    return "".join(_verdict(litmus.verdict))


def _errors(litmus: Litmus) -> Iterator[RenderableType]:
    """What became of the judge's errors."""
    verdict = litmus.verdict
    if verdict.errors == "corrected":
        by = counted(verdict.labelled, "quer", "y")
        yield line(("share and effects are corrected for the judge's errors by the labels of ", "dim"), by)
    elif verdict.errors == "open" and verdict.share.n:
        says = "share and effects are not corrected: the judge's errors are not in their intervals"
        yield line((says, "yellow"), f"; {_bring_in(litmus)}")


def _bring_in(litmus: Litmus) -> str:
    """How the judge's errors come into the verdict's intervals."""
    if litmus.blind:
        return "they are where labels may speak, without --blind"
    more = counted(litmus.verdict.labels_needed or 0, "more quer", "y")
    judged = [c for c in (RETRIEVED, ORACLE) if c in litmus.shares and litmus.basis(c) != "as labelled"]
    which = f"both answers, {listed(judged)}," if len(judged) > 1 else f"the {judged[0]} answer"
    return f'label {which} of {more} drawn at random ("correct": true or false) to bring them in'


def _would_tell(verdict: Verdict) -> str:
    """What would tell which problem is larger."""
    would_tell = "would tell which is larger, if that share is the true one"
    if verdict.needed is None:
        return "no number of failures would tell a half from a half"
    failures = f"about {counted(verdict.needed, 'more failure')}"
    if verdict.errors != "corrected":
        return f"{failures} {would_tell}"
    if verdict.labels_needed is None:
        return f"labels of these queries alone would not tell: {failures}, with as many labels among them, {would_tell}"
    return f"about {verdict.labels_needed:,} more of these queries with both answers labelled, or {failures}, {would_tell}"


def _effects(verdict: Verdict, delta: float) -> Iterator[RenderableType]:
    """What perfect context adds to right answers, and what it leaves wrong."""
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


def _three_figures(litmus: Litmus) -> RenderableType:
    """The three figures to watch: retrieval precision, answer accuracy, hallucination rate."""
    table = plain_table("", "share [95 %]", ">n", "")
    unknown = "not known"
    usual = "" if litmus.precise is None else f"; one context a passage gives {litmus.precise:.3f}"
    table.add_row("retrieval precision", interval(litmus.precision, unknown), str(litmus.precision.n), f"holds evidence{usual}")
    for condition, share in litmus.shares.items():
        accuracy, basis = litmus.corrected.get(condition, share), litmus.basis(condition)
        table.add_row(f"answer accuracy, {condition}", interval(accuracy, unknown), str(accuracy.n), f"right, {basis}")
    if not litmus.unsupported:
        table.add_row("hallucination rate", unknown, "0", "no contexts recorded")
    for condition, share in litmus.unsupported.items():
        table.add_row(
            f"hallucination rate, {condition}", interval(share, ""), str(share.n), "unsupported, as judged, not corrected"
        )
    return table


def _answers(litmus: Litmus) -> RenderableType:
    """Under each condition: how many answers are right and wrong, of what kinds the wrong ones are, and who judged."""
    kinds = [kind for kind in KINDS[:-1] if any(j.kind == kind for j in litmus.judgements)]
    table = plain_table("answers", ">right", ">wrong", *(f">{kind}" for kind in kinds), ">no answer", ">not judged", "judged by")
    table.columns[-1].no_wrap = False
    for condition in litmus.shares:
        judgements = litmus.of(condition)
        right, kind, by = (
            Counter(j.right for j in judgements),
            Counter(j.kind for j in judgements),
            Counter(j.by for j in judgements),
        )
        judges = ", ".join(f"{name} {n}" for name, n in by.items() if name not in ("", "failed"))
        row = [right[True], right[False], *(kind[name] for name in kinds), by["failed"], by[""]]
        table.add_row(condition, *map(str, row), judges)
    return table


def _agreement(condition: str, agreement: Agreement) -> RenderableType:
    """How far a judge agrees with the labels of the answers under one condition."""
    kappa = "" if agreement.kappa is None else f", kappa {agreement.kappa:.2f}"
    (missed, right), (passed, wrong) = agreement.failed_right, agreement.passed_wrong
    agreed, labels = round(agreement.share * agreement.n), counted(agreement.n, "label")
    return line(
        f"on {condition} the judge agrees with {agreed} of {labels}{kappa}: ",
        f"says wrong of {missed} of {right} right answers, right of {passed} of {wrong} wrong ones",
    )


def _as_judged(litmus: Litmus) -> Iterator[RenderableType]:
    """That counts rest on a judge, and of which conditions how many labels would have the accuracy corrected."""
    conditions = [condition for condition in litmus.shares if litmus.basis(condition) != "as labelled"]
    if conditions:
        yield line(("counts and kinds of wrong answers are as judged, not corrected", "dim"))
    by_number: dict[int, list[str]] = {}
    for condition in conditions:
        agreement = litmus.agreements.get(condition)
        lacking = LABELS - (agreement.n if agreement else 0)
        in_verdict = condition in (RETRIEVED, ORACLE) and litmus.verdict.share.n  # `_errors` says what to label
        if lacking > 0 and not in_verdict and not litmus.blind:
            by_number.setdefault(lacking, []).append(condition)
    for lacking, of_these in by_number.items():
        yield line(
            (f"the accuracy of {listed(of_these)} answers is not corrected", "yellow"),
            f': label {lacking} more of {"each" if len(of_these) > 1 else "them"}, drawn at random ("correct": true or false)',
        )


def litmus_dict(litmus: Litmus) -> JsonObject:
    """The verdict object of the contract, with what was counted."""
    return {
        "ragdiag": __version__,
        "seed": litmus.seed,
        "delta": litmus.delta,
        **verdict_dict(litmus.verdict),
        "broken": [litmus.queries[q].id for q in litmus.verdict.broken],
        "harms": [harm_dict(harm) for harm in litmus.harms],
        "behaviors": behaviors(litmus),
        "people": litmus.people._asdict(),
        "precision": dataclasses.asdict(litmus.precision) | {"one_context_a_passage": litmus.precise},
        "answers": {condition: _condition(litmus, condition) for condition in litmus.shares},
        "abstention": abstention_dict(litmus),
        "doubtful": doubts_dict(litmus),
        "judgements": [_judgement(litmus, judgement) for judgement in litmus.judgements],
    }


def _condition(litmus: Litmus, condition: str) -> JsonObject:
    judgements, agreement = litmus.of(condition), litmus.agreements.get(condition)
    corrected, unsupported = litmus.corrected.get(condition), litmus.unsupported.get(condition)
    return {
        "right": dataclasses.asdict(litmus.shares[condition]),
        "corrected": None if corrected is None else dataclasses.asdict(corrected),
        "basis": litmus.basis(condition),
        "unsupported": None if unsupported is None else dataclasses.asdict(unsupported),
        "failed": sum(j.by == "failed" for j in judgements),
        "unjudged": sum(j.by == "" for j in judgements),
        "judged_by": dict(Counter(j.by for j in judgements if j.by)),
        "wrong": dict(Counter(j.kind for j in judgements if j.kind)),
        "agreement": None if agreement is None else agreement._asdict(),
    }


def _judgement(litmus: Litmus, judgement: Judgement) -> JsonObject:
    return {**judgement._asdict(), "query": litmus.queries[judgement.query].id, "broke": list(judgement.broke)}
