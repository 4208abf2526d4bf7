"""Reviewing on a page: what the page of labelling shows, with the reference answer, and what each chunk does for the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragdiag.core.errors import UsageError
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
        return super().state(message, error, found) | {
            "review": True,
            "worth": worth,
            "opening": opening(self.session).replace("\n", ". "),
        }

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
        return [[self.mark(*span) | {"group": number}] for number, span in self.session.accepted()]

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
