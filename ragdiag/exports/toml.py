"""The options of a configuration as ``ragdiag.toml``, from which ``ragdiag`` takes them wherever it runs beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ragdiag.core.errors import SpecError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress
from ragdiag.core.registry import make, spec_of
from ragdiag.core.remote import remote_part

FAMILIES = {"chunker": "chunkers", "context": "contexts", "retriever": "retrievers"}


@dataclass(frozen=True)
class Toml:
    """Specs with every parameter, so that a default that changes later changes nothing."""

    one_file: ClassVar[bool] = True

    def files(self, corpus: str | Path, options: Options, progress: Progress) -> Mapping[str, bytes]:
        """See `Export`. Raises `SpecError` for what a configuration file may not name: see `cli.config`."""
        lines = ["# Written by ragdiag export: the defaults of every ragdiag command that runs in this folder."]
        lines += [f"{name} = {_text(value)}" for name, value in self._settings(options).items()]
        return {"ragdiag.toml": "".join(f"{line}\n" for line in lines).encode()}

    def _settings(self, options: Options) -> dict[str, object]:
        settings: dict[str, object] = {}
        for name, family in FAMILIES.items():
            strategy = make(family, getattr(options, name))
            if part := remote_part(strategy):
                what = f"{name} names what may have to be fetched or asked elsewhere, or run as code ({part})"
                raise SpecError(f"{what}, which no ragdiag.toml may do: give a folder, or --{name} on the command line")
            settings[name] = spec_of(strategy, full=True)
        if options.chunks:
            del settings["chunker"]
            settings["chunks"] = str(options.chunks)
        settings |= {"budget": options.budget} if options.budget else {"k": options.k}
        settings |= {name: list(getattr(options, name)) for name in ("keep", "exclude") if getattr(options, name)}
        return settings


def _text(value: object) -> str:
    """A number, a text or a list of texts in TOML, which writes these as JSON does."""
    return json.dumps(value, ensure_ascii=False)
