"""Two reports held against each other, as small records for every form that shows them: sentences, and rows of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ragdiag.comparing.changes import LEFT_OUT, Diff, PutBack, Turned, causes_of
from ragdiag.comparing.parts import DOCUMENTS
from ragdiag.core.registry import without_usual
from ragdiag.reports.text import signed
from ragdiag.text.phrases import counted, listed

__all__ = ["TURNED", "VERDICTS", "ChangeRow", "Changes", "PutBackRow", "TurnedRow", "changes"]

VERDICTS = {
    "worse": "worse",
    "better": "better",
    "same": "no worse",
}
"""What a pull request is told, by the verdict."""

MUCH_MORE = 1.1
"""From here on contexts differ so much in size that a note says so."""

TURNED = 20
"""Queries shown of those that were lost, and of those that were won; the JSON has them all."""


class ChangeRow(NamedTuple):
    """A part that differs, as it was and as it is."""

    part: str
    old: str
    new: str


class PutBackRow(NamedTuple):
    """What one part put back alone does: counts as text, or why it was not tried."""

    part: str
    restored: str
    given_up: str
    broken: str
    untested: str


class TurnedRow(NamedTuple):
    """A query that was lost or won: its causes where it is not served, the parts that, put back, change that, and its text."""

    id: str
    causes: str
    parts: str
    text: str


class Changes(NamedTuple):
    """Everything that is shown of a `Diff`: the verdict with its sentence; the effect with its interval, then p; what to know of
    the difference; by which causes queries were lost and won; what was changed; what that says of the lost queries, and every
    part put back; lost and won queries; what was not compared, and notes.
    """

    verdict: str
    headline: str
    effect: str
    chance: str
    causes: tuple[str, ...]
    parts: tuple[ChangeRow, ...]
    why: str
    put_back: tuple[PutBackRow, ...]
    lost: tuple[TurnedRow, ...]
    won: tuple[TurnedRow, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def changes(found: Diff) -> Changes:
    """What is shown of two reports held against each other."""
    verdict = "worse" if found.worse else "better" if found.better else "same"
    d, (before, after) = found.difference, found.served
    tried = found.trials.put_back if found.trials else ()
    return Changes(
        verdict=verdict,
        headline=f"{VERDICTS[verdict]}: {counted(d.worse, 'quer', 'y')} lost, {d.better} won of {d.n}",
        effect=f"{found.measure} {signed(d.mean, d.low, d.high)}, p {_p(d.p)}; served {before} before, {after} now",
        chance=_chance(found),
        causes=tuple(_by_causes(found)),
        parts=tuple(ChangeRow(p.name, without_usual(p.old), without_usual(p.new)) for p in found.parts),
        why=_why(found) if found.lost else "",
        put_back=tuple(map(_put_back, tried)),
        lost=_rows(found.lost, {t.part: t.restored for t in tried}),
        won=_rows(found.won, {t.part: t.given_up for t in tried}),
        left_out=tuple(f"{counted(len(names), 'quer', 'y')} {LEFT_OUT[reason]}" for reason, names in found.left_out.items()),
        notes=tuple(_notes(found)),
    )


def _p(p: float) -> str:
    """In few digits."""
    return f"{p:.2g}" if p >= 0.001 else "<.001"


def _chance(found: Diff) -> str:
    """Whether the difference is more than chance, and more than matters."""
    d = found.difference
    if not d.worse and not d.better:
        return "the same queries are served"
    if not found.more_than_chance:
        seen = f"{d.detectable(1):.3f} would have been seen in four of five such samples"
        return f"may be chance: of {counted(d.n, 'quer', 'y')} a difference of {seen}"
    if d.mean < 0 and not found.worse:
        return f"more than chance, and no more than what matters (--min-effect {found.min_effect:g})"
    return "more than chance" + (f", and more than what matters (--min-effect {found.min_effect:g})" if found.worse else "")


def _by_causes(found: Diff) -> Iterator[str]:
    for word, queries, where in (("lost", found.lost, "now"), ("won", found.won, "before")):
        if queries:
            yield f"{word}, by their causes {where}: {', '.join(f'{c} {n}' for c, n in causes_of(queries).items())}"


def _why(found: Diff) -> str:
    """Which change lost the queries, as far as that is known."""
    names = [part.name for part in found.parts]
    beside = f"; what {listed(found.unseen)} holds, they do not tell" if found.unseen else ""
    if not names:
        return f"nothing that the reports tell of was changed{beside}"
    if len(names) == 1:
        alone = f"the {names[0]} {'are' if names[0] == DOCUMENTS else 'is'} the only thing that the reports show to have changed"
        return f"{alone}, so there is nothing to tell apart{beside}"
    if found.trials is None:
        old = " --old-corpus FOLDER" if DOCUMENTS in names else ""
        return f"which of {listed(names, 'or')} lost them: --corpus CORPUS --queries QUERIES{old} puts each back alone"
    if found.trials.untested:
        return f"NEW is not run again, so nothing was put back: {found.trials.untested}"
    return _named(found, found.trials.put_back)


def _named(found: Diff, tried: Sequence[PutBack]) -> str:
    """The parts that bring back most of the lost queries, each alone."""
    open_ = [t.part for t in tried if t.untested]
    beside = f"; not tested: {listed(open_)}" if open_ else ""
    if not any(t.lost for t in tried):
        return f"no part could be put back{beside}"
    if not found.named:
        return f"no part, put back alone, brings back half of the lost queries{beside}"
    said = [f"the {t.part} ({len(t.restored)} of {t.lost} lost queries)" for t in found.named]
    one = len(said) == 1
    return f"put back alone, {'' if one else 'each of '}{listed(said)} {'brings' if one else 'bring'} them back{beside}"


def _put_back(trial: PutBack) -> PutBackRow:
    if trial.untested:
        return PutBackRow(trial.part, "", "", "", trial.untested)
    restored, given_up, broken = (len(ids) for ids in (trial.restored, trial.given_up, trial.broken))
    of = (f"{restored} of {trial.lost}", f"{given_up} of {trial.won}", f"{broken} of {trial.kept}")
    return PutBackRow(trial.part, *of, "")


def _rows(queries: Sequence[Turned], by_part: Mapping[str, Sequence[str]]) -> tuple[TurnedRow, ...]:
    turned_by = {query.id: [part for part, ids in by_part.items() if query.id in ids] for query in queries}
    return tuple(TurnedRow(q.id, ", ".join(q.reasons), ", ".join(turned_by[q.id]), q.text) for q in queries)


def _notes(found: Diff) -> Iterator[str]:
    if found.old.version != found.new.version:
        yield f"made by two versions of ragdiag, {found.old.version} and {found.new.version}: what differs may be theirs"
    tokens = [report.context_tokens for report in (found.old, found.new)]
    if not found.new.budget and max(tokens) > MUCH_MORE * min(tokens):
        sizes = f"{tokens[0]:,.0f} tokens in OLD and {tokens[1]:,.0f} in NEW"
        yield f"a context has {sizes} at the same k, and a longer one serves more: audit both with --budget to leave that out"
    if "defect_in_new" in found.left_out:
        yield "labels that no longer fit their documents are not counted as lost; ragdiag check shows them"
    if found.trials and found.trials.unlike:
        unlike = counted(len(found.trials.unlike), "quer", "y")
        yield f"NEW, run again here, serves {unlike} otherwise than its report says; they were not tried"
