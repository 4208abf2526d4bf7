"""Reviewing on a page: what the page of labelling shows, with the reference answer, and what each chunk does for the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Span
from ragdiag.label.page import Page, expect, masked
from ragdiag.label.review_terminal import ends, opening
from ragdiag.label.reviewing import Review

__all__ = ["ReviewPage"]

LOOKS = ("skip", "back", "withdraw", "more", "search", "beside", "show")
"""What the page may ask of a review as of any session."""


class ReviewPage(Page):
    """As `Page`, of a review."""

    session: Review

    def state(self, message: str = "", error: str = "", found: Sequence[int] = ()) -> dict[str, object]:
        """See `Page`."""
        share = self.session.corrected()
        worth = f"{self.session.draw.measure} corrected: {ends(share)}" if share.reviewed else ""
        return super().state(message, error, found) | {"review": True, "worth": worth, "opening": opening(self.session)}

    def _asked(self) -> dict[str, object]:
        session, decision = self.session, self.session.decision
        return super()._asked() | {
            "reference": masked(" or ".join(session.task.query.answers)),
            "evidence": [masked(" or ".join(passages)) for passages in session.evidence],
            "doubtful": session.asked.stratum == "doubtful",
            "parts": sorted(session.parts),
            "said": session.said(session.asked) if decision else "",
        }

    def _marks(self) -> list[list[dict[str, object]]]:
        """The passages that were accepted, each with the number of the evidence that it stands for; 0 where it does for all."""
        decision, position = self.session.decision, self.session.corpus.position
        labels = decision.evidence if decision else ()
        names = list(dict.fromkeys(label.group or f"#{n}" for n, label in enumerate(labels) if not label.accepted))
        groups: dict[Span, list[int]] = {}
        for label in labels:
            if label.accepted and label.group in names and label.start is not None and label.end is not None:
                span = Span(position[label.doc_id], label.start, label.end)
                groups.setdefault(span, []).append(names.index(label.group) + 1)
        return [
            [self.mark(*span) | {"group": 0 if len(numbers) == len(names) else n}]
            for span, numbers in groups.items()
            for n in (numbers if len(numbers) < len(names) else numbers[:1])
        ]

    def _do(self, what: str, request: Mapping[str, object]) -> tuple[str, Sequence[int]]:
        if what == "review":
            marks = [mark for group in expect(request.get("groups"), list) for mark in expect(group, list)]
            accepted = [(expect(expect(mark, dict).get("group", 0), int), self.marked(mark)) for mark in marks]
            self.session.parts.clear()
            self.session.in_part([expect(number, int) for number in expect(request.get("parts"), list)])
            self.session.accept(accepted)
            return "", ()
        if what not in LOOKS:
            raise UsageError(f"nothing is called {what!r} here")
        return super()._do(what, request)

    def farewell(self) -> str:
        """See `Page`."""
        share = self.session.corrected()
        said = f"; {self.session.draw.measure} corrected: {ends(share)}" if share.reviewed else ""
        return f"{self.session.decided} of {len(self.session.tasks)} failing queries reviewed{said}"
