"""What writes a report to a file: one form of it, chosen by how the file's name ends."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Literal

from ragdiag.answering.verdict import Litmus
from ragdiag.comparing.cells import Comparison
from ragdiag.comparing.changes import Diff
from ragdiag.comparing.tuned import Tuned
from ragdiag.core.errors import UsageError
from ragdiag.core.records import Explanation, Report
from ragdiag.core.registry import make, names

__all__ = ["Output", "output_for"]


WORDS = {
    "audit": "an audit",
    "compare": "a comparison",
    "diff": "two reports held against each other",
    "litmus": "a litmus test",
    "tune": "a search for a configuration",
    "other": "this",
}
"""What there may be a form of, in words."""


class Output(abc.ABC):
    """A form of reports, such as HTML. A subclass is a frozen dataclass in a module of its own; it overrides the methods of those
    reports that it has a form of, and the others raise `UsageError`.

    It renders records: `reports.summary.summary(report)` gives those of an audit, sentence by sentence.
    """

    suffix: ClassVar[str]
    """How the names of its files end, such as ``.md``."""

    def audit(self, report: Report, explanations: Iterable[Explanation], litmus: Litmus | None) -> str:
        """An audit; `explanations` are those of its queries in order, made as they are read, `litmus` what came of answers."""
        raise self.lacks("audit")

    def compare(self, comparison: Comparison, price: float | None = None) -> str:
        """A comparison; `price` is that of a million tokens of context, in dollars."""
        raise self.lacks("compare")

    def diff(self, found: Diff) -> str:
        """Two reports of audits held against each other."""
        raise self.lacks("diff")

    def litmus(self, litmus: Litmus) -> str:
        """What came of answers."""
        raise self.lacks("litmus")

    def tune(self, tuned: Tuned) -> str:
        """What a search for a configuration found."""
        raise self.lacks("tune")

    def other(self, record: Mapping[str, object]) -> str:
        """Any other result, in JSON's types."""
        raise self.lacks("other")

    @classmethod
    def forms(cls) -> set[str]:
        """Of which results it has a form: "audit", "compare", "diff", "litmus", "other", "tune"."""
        return {name for name in WORDS if getattr(cls, name) is not getattr(Output, name)}

    def lacks(self, form: str) -> UsageError:
        """That it has no such form."""
        return UsageError(f"there is no {self.suffix} form of {WORDS[form]}; save it as .json")


def output_for(path: str | Path, of: Literal["audit", "compare", "diff", "litmus", "other", "tune"]) -> Output:
    """The form that a file's name asks for, which has one `of` such a result. Raises `UsageError` where there is none."""
    outputs = [_output(name) for name in names("outputs")]
    for output in outputs:
        if Path(path).name.endswith(output.suffix):
            if of not in output.forms():
                raise output.lacks(of)
            return output
    known = sorted(output.suffix for output in outputs)
    raise UsageError(f"cannot save as {Path(path).name!r}; end the name in {', '.join(known[:-1])} or {known[-1]}")


def _output(name: str) -> Output:
    output = make("outputs", name)
    if not isinstance(output, Output):
        raise UsageError(f"output {name!r} is not a ragdiag.reports.output.Output; see docs/extending.md")
    return output
