"""``ragdiag decide``. Its options are made from the questions of the framework, when they are first looked at."""

from __future__ import annotations

import click

from ragdiag.cli.flags import json_option, quiet_option
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import present

__all__ = ["decide"]


class _Decide(click.Command):
    """The command, whose options are made when they are first looked at: no other command has to wait for the questions."""

    _complete: bool  # whether `_params` holds the options of the questions
    _params: list[click.Parameter]

    @property
    def params(self) -> list[click.Parameter]:
        """Every option."""
        if not self._complete:
            from ragdiag.cli.interview import decide_options

            self._complete, self._params = True, [*decide_options(), *self._params]
        return self._params

    @params.setter
    def params(self, params: list[click.Parameter]) -> None:
        self._complete, self._params = False, params


@click.command(cls=_Decide)
@json_option
@quiet_option
def decide(report: str | None, json_file: str | None, quiet: bool, **given: object) -> None:
    """Prompt, RAG, fine-tuning or both? Asks, in order, what is neither measured nor given, up to the answer that settles it."""
    from ragdiag.cli.interview import conducted
    from ragdiag.reports.decide import decide_dict, decide_text
    from ragdiag.reports.json import dumps

    check_outputs()
    decision = conducted(report, given)
    present(decide_text(decision), quiet, [(json_file, lambda: dumps(decide_dict(decision)))])
