"""Statuses and measures in plain words."""

from __future__ import annotations

from ragdiag.core.records import Query, QueryResult
from ragdiag.core.reviews import Corrected
from ragdiag.text.phrases import listed

__all__ = ["MEASURES", "NO_SWAP", "RUN_ALONE", "STATUSES", "corrected_said", "expected", "headline"]

MEASURES = {
    "Sufficient": "the context holds everything the query needs",
    "Answer": "the context holds every part that answers, where labels are wider than that",
    "Evidence": "share of the passages needed that it holds in full",
    "CharR": "share of the evidence's characters that it holds",
    "CharP": "share of the context that is evidence",
    "IoU": "evidence and context in common, of both together",
    "Duplicate": "share of the context that repeats itself",
    "OffTopic": "share of the context about something else",
    "Judged": "share of the chunks in it that a label or a person judges",
    "Success": "some chunk with evidence is among them",
    "P": "share of them with evidence",
    "R": "share of the chunks with evidence among them",
    "RR": "1 / rank of the first chunk with evidence",
    "AP": "precision, averaged over the chunks with evidence",
    "nDCG": "gain of the order, against the best order",
}
"""What each measure says of a query, in a line."""

STATUSES = {
    "over-determined": "over-determined: any one of several changes does",
    "compound": "compound (+): two changes do, neither alone; a hint, no proof",
    "unattainable": "unattainable: longer than a whole context",
    "undetermined": "undetermined: nothing tried helps",
    "label_wide": "label wide: the part that answers is served",
    "not_decidable": "not decidable",
}
"""What each status says of the unserved queries that have it."""

RUN_ALONE = (
    "a recorded run cannot be asked what would change: for causes give the index (--chunker or --chunks, and --retriever), "
    "or the stages behind its search"
)
"""Why no cause is named where a run was audited."""


NO_CALLS = "the search was not asked what would change: for causes allow --calls"
"""Why no cause is named where a search was only scored."""

UNTESTED = "what may be wrong cannot be tested on this index"
"""Why no cause is named where a text would have to be added, or more be asked for than an index can be."""

NO_SWAP = "no other retriever was tried: --swap dense tries one"
"""Said where nothing restores a query, and the search was by words alone."""


def corrected_said(share: Corrected) -> str:
    """What a review makes of how many queries are served, in a line; "" where there is nothing to review."""
    if not share.drawn_from:
        return ""
    if share.mean is None:
        bounds = f"{share.low:.3f} to {share.high:.3f}"
        return f"{bounds}, since unlabelled chunks may answer {share.drawn_from} of the failing: ragdiag label --review tells"
    left = f" ({share.open} more not settled)" if share.open else ""
    ends = f"{share.mean:.3f} [{share.low:.3f}, {share.high:.3f}]"
    return f"corrected by {share.reviewed} reviewed of {share.drawn_from} failing{left}: {ends}"


def expected(query: Query) -> str:
    """The reference answer of a query; of several all, since any will do."""
    return " or ".join(query.answers)


def headline(result: QueryResult) -> str:
    """One query's status and causes as a sentence."""
    if result.served is False and result.status == "not_decidable":
        return f"not served; {UNTESTED}: {', '.join(result.untested)}" if result.untested else "not served; " + RUN_ALONE
    many = result.causes
    sentences = {
        "ok": "served: its context holds all its evidence",
        "caused": f"not served, because of {listed(many)}",
        "over-determined": f"not served, because of {listed(many, 'or')}: mending any one suffices",
        "compound": f"not served, because of {listed(many)}: both must be mended",
        "unattainable": "not served: its evidence does not fit in a context of this size",
        "undetermined": "not served, and nothing tried is shown to restore it",
        "label_wide": "label wide: what answers is in its context",
        "excluded": "excluded: its label is wrong about the corpus",
        "not_decidable": "not decidable: no label says what would serve it",
    }
    return sentences.get(result.status, result.status)
