"""What an encoder promises, and anything else that computes with a model; see `protocols`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.protocols import Store

__all__ = ["Characters", "Kind", "NamedModel", "Noted", "Readable", "TextEncoder", "WithEncoder", "WithScorer"]

Kind = Literal["document", "query"]
"""Which side a text is on that is encoded."""


class NamedModel(Protocol):
    """A model that the user names: its files, a function of the team's, one behind an endpoint, a file of vectors."""

    @property
    def identity(self) -> str:
        """What its results depend on: a hash of the files, the precision. Raises `SpecError` or `MissingExtra` without files."""
        ...

    @property
    def described(self) -> str:
        """For a signature: the model's name, the start of the files' hash, the precision."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        ...


@runtime_checkable
class TextEncoder(NamedModel, Protocol):
    """Makes vectors of texts, and says how much of one it reads: not known of a function of the team's, or behind an endpoint."""

    @property
    def max_tokens(self) -> int:
        """Word pieces that it reads of a text."""
        ...

    def seen(self, texts: Sequence[str]) -> Sequence[int]:
        """Of each text, the characters that it reads."""
        ...

    def visible(self, texts: Sequence[str], store: Store | None) -> IntArray:
        """`seen` as an array, the largest integer where all of a text is read; kept in `store`."""
        ...


class Characters(NamedTuple):
    """Characters that an encoder reads, spaces aside: how many, those in unknown pieces, and the letters by script.

    `lacks` has the scripts of which the vocabulary has too few pieces to read them, with their number.
    """

    read: int
    unknown: int
    letters: Mapping[str, int]
    lacks: Mapping[str, int]

    def share_of(self, script: str) -> float:
        """The share of all letters that are of a script."""
        return self.letters.get(script, 0) / max(sum(self.letters.values()), 1)


@runtime_checkable
class Readable(Protocol):
    """An encoder whose vocabulary is known, so that it can be told which words it cannot read.

    Those are the words with an unknown piece, and those of a script that the vocabulary lacks. All is said of texts as far as
    the encoder reads them.
    """

    def characters(self, texts: Sequence[str], store: Store | None) -> Characters:
        """What becomes of the characters of `texts`, all together; kept in `store`."""
        ...

    def words(self, texts: Sequence[str], store: Store | None) -> IntArray:
        """Of each text, its words, those with an unknown piece, those that it cannot read: shape ``(n_texts, 3)``."""
        ...

    def unread(self, texts: Sequence[str]) -> FloatArray:
        """Of each text, the share of its words that it cannot read."""
        ...

    def broken(self, texts: Sequence[str]) -> float:
        """Of the words of letters of all texts, the share that it cuts in three pieces or more."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A model of which a reader should know something."""

    @property
    def notes(self) -> Sequence[str]:
        """What, a sentence each."""
        ...


@runtime_checkable
class WithEncoder(Protocol):
    """A chunker, a retriever or an index that makes vectors."""

    @property
    def encoder(self) -> NamedModel:
        """The model that makes them."""
        ...


@runtime_checkable
class WithScorer(Protocol):
    """A retriever or an index that scores pairs of a query and a text."""

    @property
    def scorer(self) -> NamedModel:
        """The model that scores them."""
        ...
