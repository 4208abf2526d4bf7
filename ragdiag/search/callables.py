"""The team's own function as the encoder: ``module:function``, called with texts and the side that they are on."""

from __future__ import annotations

from typing import ClassVar

from ragdiag.core.encoders import Kind
from ragdiag.core.protocols import Store
from ragdiag.search.outside import MEMORY, OutsideEncoder
from ragdiag.search.team import TeamFunction

__all__ = ["FunctionEncoder"]


class FunctionEncoder(OutsideEncoder):
    """``function(texts, kind)`` gives one vector a text; `kind` is "query" or "document".

    What tells its vectors from others is said by `TeamFunction`. What it reads of a text is not known.
    """

    how: ClassVar[str] = 'it is called with a list of texts and "query" or "document", and gives an array with a vector for each'
    changed: ClassVar[str] = "vectors are kept by name and version: give what makes other vectors another version"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._team = TeamFunction(target, "model", "vectors")

    @property
    def identity(self) -> str:
        """What its vectors depend on: name and version, or this process and this very function."""
        return self._team.identity

    @property
    def described(self) -> str:
        """For a signature."""
        return self._team.described

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: whether vectors are kept."""
        return self._team.notes

    @property
    def kept(self) -> bool:
        """See `OutsideEncoder`."""
        return bool(self._team.version)

    def _store(self, store: Store | None) -> Store | None:
        return store if self.kept or store is None else MEMORY

    def _asked(self, batch: list[str], kind: Kind) -> object:
        vectors = self._team.called(batch, kind, on=f"{len(batch)} texts ({kind})", how=self.how)
        self.loaded = True
        return vectors
