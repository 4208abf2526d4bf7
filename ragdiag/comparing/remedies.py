"""From causes to configurations: what can be deployed against each, as one change of the pipeline that was audited."""

from __future__ import annotations

from collections.abc import Iterable

from ragdiag.core.options import Options
from ragdiag.diagnosis.modes import modes
from ragdiag.search.changes import Audited

__all__ = ["remedies"]


def remedies(options: Options, causes: Iterable[str], language: str = "english") -> dict[Options, tuple[str, ...]]:
    """Configurations that differ from `options` in one thing, each with the causes that point to it, in their order.

    What to change, each failure mode says itself. A cause that no setting can mend (content that is missing) points to none.
    `language` is that of the documents.
    """
    known, audited = modes(), Audited(options, language)
    reasons: dict[Options, list[str]] = {}
    for cause in causes:
        for change in known[cause].changes if cause in known else ():
            for changed in change(audited):
                if changed != options and cause not in reasons.setdefault(changed, []):
                    reasons[changed].append(cause)
    return {changed: tuple(causes) for changed, causes in reasons.items()}
