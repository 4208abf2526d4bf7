"""Citations as terminal text, as JSON and as a file of their own: which passage holds each claim, and what answers cite."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from ragdiag.answering.citations import Citation, Tally, tally
from ragdiag.answering.verdict import Agreement, Litmus
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.writing import json_lines
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import line
from ragdiag.text.phrases import counted

__all__ = ["citation_lines", "citations_jsonl", "citations_said", "support_dict", "tally_dict"]


def citations_jsonl(litmus: Litmus) -> str:
    """Every claim on a line of JSON: what it says, whether its contexts hold it, which passage does, what it cites."""
    return json_lines((_citation(litmus, citation) for citation in litmus.citations), ascii_only=True).decode()


def _citation(litmus: Litmus, citation: Citation) -> JsonObject:
    claim = citation.claim
    return {
        "query_id": litmus.queries[citation.query].id,
        "condition": citation.condition,
        "repeat": citation.repeat,
        "sentence": claim.sentence,
        "supported": claim.supported,
        "why": claim.why,
        "context": claim.context,
        "context_id": citation.context_id or None,
        "start": None if claim.context is None else claim.start,
        "end": None if claim.context is None else claim.end,
        "passage": None if claim.context is None else citation.passage,
        "doc_id": citation.doc_id or None,
        "doc_start": citation.doc_start,
        "doc_end": citation.doc_end,
        "cited": [{"mark": mark.text, "contexts": [i if i >= 0 else None for i in mark.contexts]} for mark in claim.marks],
        "cited_supports": claim.cited,
    }


def citations_said(litmus: Litmus, file: str) -> RenderableType:
    """What the `file` of citations holds: ``312 claims in 95 answers, 287 supported``."""
    counts = tally(litmus.citations)
    said = f"{counted(counts.claims, 'claim')} in {counted(counts.answers, 'answer')}, {counts.supported:,} supported"
    without = sum(judgement.by != "failed" for judgement in litmus.judgements) - counts.answers
    left = f"; {counted(without, 'answer')} without contexts, or that state nothing, have none" if without else ""
    return line(("citations: ", "dim"), f"{said}; kept in {file}{left}")


def citation_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """How far the judge of support agrees with labels, and what citations are worth with either context."""
    for condition, agreement in litmus.support_agreements.items():
        yield line(f"on {condition} ", _support(agreement))
    for condition in (RETRIEVED, ORACLE):
        counts = tally(c for c in litmus.citations if c.condition == condition)
        if counts.cited:
            yield line(*_cited(condition, counts))


def _support(agreement: Agreement) -> str:
    """Kappa and balanced accuracy beside what a judge reaches that always says yes."""
    (missed, held), (passed, not_held) = agreement.failed_right, agreement.passed_wrong
    kappa = "not known" if agreement.kappa is None else f"{agreement.kappa:.2f}"
    balanced = "not known" if agreement.balanced is None else f"{agreement.balanced:.2f}"
    agreed, yes = round(agreement.share * agreement.n), held / agreement.n
    return (
        f"the judge of support agrees with {agreed} of {counted(agreement.n, 'label')}: kappa {kappa}, "
        f"balanced accuracy {balanced} (always yes: {yes:.0%} agree, kappa 0, balanced accuracy 0.50); "
        f"says unsupported of {missed} of {held} supported answers, supported of {passed} of {not_held} unsupported ones"
    )


def _cited(condition: str, counts: Tally) -> Iterator[str]:
    yield f"citations, {condition}: {counts.held} of {counted(counts.cited, 'claim')} that cite are held by what they cite"
    if counts.precision is not None:
        yield f" (precision {counts.precision:.3f})"
    yield f"; {counts.held} of {counted(counts.supported, 'supported claim')} cite what holds them"
    if counts.recall is not None:
        yield f" (recall {counts.recall:.3f})"
    missed = (
        (counts.elsewhere, "cite a context that does not hold them, where another does"),
        (counts.nowhere, "cite, and no context holds them"),
        (counts.unknown, "cite a number that no context has"),
        (counts.uncited, "are held and cite nothing"),
    )
    told = ", ".join(f"{n} {what}" for n, what in missed if n)
    if told:
        yield f"; {told}; by words, not corrected"


def tally_dict(litmus: Litmus, condition: str) -> JsonObject:
    """The claims under one condition, counted; null shares where no answer cites."""
    counts = tally(c for c in litmus.citations if c.condition == condition)
    return counts._asdict() | {"precision": counts.precision, "recall": counts.recall}


def support_dict(litmus: Litmus, condition: str) -> JsonObject | None:
    """How far the judge of support agrees with labels; None without any."""
    agreement = litmus.support_agreements.get(condition)
    if agreement is None:
        return None
    return agreement._asdict() | {"balanced_accuracy": agreement.balanced, "always_yes": agreement.failed_right[1] / agreement.n}
