"""Which documents hold a chunk's text, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from ragdiag.sources.occurrences import Even, Occurrences
from ragdiag.sources.settling import Span
from ragdiag.text.words import words

__all__ = ["SourceText", "TextSearch"]

_HYPHENS_AND_SPACE = "-\u2010\u2011\u00ad \t\r\n\f\v\u00a0\u3000"
"""Hyphens, one that no line breaks at and a soft one among them, and white space."""

SHORT = 100_000
"""Characters of a text that is sooner searched as it is than read through once; the words of all documents take much memory."""

MOST_SPACE = 100
"""White space that may stand beside such a hyphen."""


class SourceText:
    """A document's text, to find those of chunks in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._known: dict[str, list[Span]] = {}

    def __contains__(self, searched: str) -> bool:
        return bool(len(self.text) <= SHORT and searched.strip() and searched in self.text) or bool(self.places(searched))

    def as_it_is(self, searched: str) -> list[Span]:
        """Where a text that is not blank stands as it is, in order."""
        if len(self.text) > SHORT:
            return [span for span in self._whole.of(searched) if self.has(searched, span)]
        starts, start = list[int](), self.text.find(searched)
        while start >= 0:
            starts.append(start)
            start = self.text.find(searched, start + 1)
        return [(start, start + len(searched)) for start in starts]

    def has(self, searched: str, span: Span) -> bool:
        """Whether `searched` stands at `span` as it is."""
        return self.text[slice(*span)] == searched

    def letter_from(self, at: int) -> int:
        """The first position from `at` on that is no white space."""
        while at < len(self.text) and self.text[at].isspace():
            at += 1
        return at

    def places(self, searched: str) -> list[Span]:
        """Where a text stands, whatever its white space: where it does as it is first."""
        if searched not in self._known:
            self._known[searched] = self._places(searched)
        return self._known[searched]

    def _places(self, searched: str) -> list[Span]:
        # What is evened on both sides is found in every form.
        places = [self._even.own(*span) for span in self._occurrences.of(Even(searched).text)]
        lead = len(searched) - len(searched.lstrip())
        whole = [(start - lead, start - lead + len(searched)) for start, _ in places]
        as_it_is = [span for span in whole if span[0] >= 0 and self.has(searched, span)]
        exact = set(as_it_is)
        others = [span for span, own in zip(places, whole, strict=True) if own not in exact]
        # A chunk's ends may be evened otherwise than the document there, as where they cut a word.
        as_it_is = as_it_is or [span for span in self._whole.of(searched) if span not in others]
        return as_it_is + others or self._cut_at_hyphens(searched)

    def _cut_at_hyphens(self, searched: str) -> list[Span]:
        """Where a text stands whose ends cut a word at its hyphen: evened, the word has none, and the text still has."""
        core = searched.strip(_HYPHENS_AND_SPACE)
        lead, _, tail = searched.partition(core) if core else (searched, "", "")
        if not core or not (lead.strip() or tail.strip()):
            return []
        spans = [(self._back(start, lead), self._on(end, tail)) for start, end in self.places(core)]
        return [(start, end) for start, end in spans if start is not None and end is not None]

    def _back(self, at: int, hyphens: str) -> int | None:
        """Where `hyphens` begin that end at a position, white space apart; None where they do not."""
        for hyphen in reversed("".join(hyphens.split())):
            at = len(self.text[max(at - MOST_SPACE, 0) : at].rstrip()) + max(at - MOST_SPACE, 0) - 1
            if at < 0 or self.text[at] != hyphen:
                return None
        return at

    def _on(self, at: int, hyphens: str) -> int | None:
        """Where `hyphens` end that begin at a position, white space apart; None where they do not."""
        for hyphen in "".join(hyphens.split()):
            rest = self.text[at : at + MOST_SPACE]
            at += len(rest) - len(rest.lstrip()) + 1
            if self.text[at - 1 : at] != hyphen:
                return None
        return at

    @cached_property
    def _whole(self) -> Occurrences:
        return Occurrences(self.text)

    @cached_property
    def _even(self) -> Even:
        return Even(self.text)

    @cached_property
    def _occurrences(self) -> Occurrences:
        return Occurrences(self._even.text)


class TextSearch:
    """Finds the documents that hold a text among those that have its rarest words."""

    def __init__(self, texts: Sequence[SourceText]) -> None:
        self._texts, self._known = texts, dict[str, list[int]]()
        self._having: dict[str, list[int]] = defaultdict(list)
        for i, text in enumerate(texts):
            for word in set(words(text.text)):
                self._having[word].append(i)

    def documents(self, chunk_text: str) -> list[int]:
        """The numbers of the documents that hold a text, whatever its white space."""
        if chunk_text not in self._known:
            # A chunk may cut its first and last word; those between are whole wherever it stands.
            whole = set(words(chunk_text)[1:-1])
            rarest = sorted((self._having.get(w, []) for w in whole), key=len)[:8]
            likely = sorted(set(rarest[0]).intersection(*rarest)) if rarest else range(len(self._texts))
            self._known[chunk_text] = [i for i in likely if chunk_text in self._texts[i]]
        return self._known[chunk_text]
