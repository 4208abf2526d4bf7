"""What the command line and the configuration gave, as the library's records of options. Shared by the commands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ragdiag.cli.config import settle

if TYPE_CHECKING:
    from ragdiag.core.options import Judging, Options

__all__ = ["given_cluster", "judging_of", "options_of", "settled"]


def options_of(given: dict[str, object]) -> Options:
    """The options of one audit."""
    from ragdiag.core.options import Options

    options = settled(given)
    if "run_file" in options:
        options["run"] = options.pop("run_file")
    return Options(**options)


def judging_of(given: dict[str, object]) -> Judging:
    """How answers are judged, taken out of what was given."""
    from ragdiag.core.options import Judging

    judging: dict[str, Any] = {field.name: given.pop(field.name) for field in dataclasses.fields(Judging)}
    return Judging(**judging)


def settled(given: dict[str, object]) -> dict[str, Any]:
    """The options that were given; with `cache` None where nothing is to be kept."""
    settle(given)
    budget = given.get("budget")
    if isinstance(budget, int) and budget < 1:  # in `Options` 0 means no budget at all
        from ragdiag.core.errors import UsageError

        raise UsageError(f"--budget must be 1 token or more, not {budget}")
    no_cache = given.pop("no_cache", False)
    return {name: value for name, value in given.items() if value is not None} | ({"cache": None} if no_cache else {})


def given_cluster(options: dict[str, object]) -> str | None:
    """The cluster that was given, taken out of `options`; how much is done at once is then its own business."""
    address = options.pop("cluster", None)
    if address is None:
        return None
    options.pop("jobs", None)
    return str(address)
