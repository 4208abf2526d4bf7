"""Cut where the meaning changes, as an encoder sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.errors import SpecError
from ragdiag.core.progress import renamed
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.search.chunkers._pack import check_size
from ragdiag.search.named import AnyEncoder, encoder_of_model
from ragdiag.text.sentences import Cuts

DECIMALS = 6
"""Distances are rounded so: what shares a batch with a text changes the digits beyond."""


@dataclass(frozen=True)
class Semantic:
    """Cut where what was said and what follows differ most, into chunks of `least` to `size` tokens.

    The distance at a place is 1 - cosine of what an encoder makes of the two sentences before it and of the two after it. A chunk
    ends where that is above the `percentile` of the document's distances. One below `least` tokens (half of `size`, where that is
    less) joins its nearer neighbour; one above `size` is cut at the largest distance inside it, as often as it takes. A sentence
    longer than `size` is cut as well. `model` is as in `Dense`.
    """

    size: int = 160
    percentile: float = 90.0
    least: int = 40
    model: str = ""

    def __post_init__(self) -> None:
        check_size("semantic", self.size)
        if not 0 <= self.percentile <= 100:
            raise SpecError(f"semantic: percentile must be from 0 to 100, not {self.percentile}")
        if self.least < 0:
            raise SpecError(f"semantic: least must be 0 or more, not {self.least}")

    @property
    def encoder(self) -> AnyEncoder:
        """The model that tells meanings apart."""
        return encoder_of_model(self.model, instead="choose another chunker")

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        return self.spans_of_all([text], None, no_progress)[0]

    def spans_of_all(self, texts: Sequence[str], store: Store | None, progress: Progress) -> list[tuple[IntArray, IntArray]]:
        """See `protocols.Chunker`."""
        cut = [_Sentences(text, self.size) for text in texts]
        windows = [sentences.windows() for sentences in cut]
        told = renamed(progress, lambda *_: "embedding sentences")
        vectors = self.encoder.encode([w for own in windows for w in own], "document", store, told)
        ends = np.cumsum([len(own) for own in windows]).tolist()
        return [
            sentences.spans(_bounds(sentences.before, _distances(vectors[end - len(own) : end]), self))
            for sentences, own, end in zip(cut, windows, ends, strict=True)
        ]


class _Sentences:
    """A text's sentences, those longer than `size` tokens in pieces; `before` counts the tokens before each, and in all."""

    def __init__(self, text: str, size: int) -> None:
        cuts = Cuts(text)
        n = len(cuts.tokens)
        begins = [*([0] if n else []), *(t for t in cuts.sentences().tolist() if t), n]
        first = [t for a, b in pairwise(begins) for t in range(a, b, size)]
        self.before: IntArray = np.array([*first, n], dtype=np.int64)
        self._text, self._places = text, np.append(cuts.tokens[self.before[:-1]], len(text))
        self._places[0] = 0

    def windows(self) -> list[str]:
        """The sentences on either side of each of n + 1 places, the ends among them; none where there is nowhere to cut."""
        places = self._places.tolist()
        n = len(places) - 1
        return [self._text[places[max(i - 1, 0)] : places[min(i + 1, n)]] for i in range(n + 1)] if n > 1 else []

    def spans(self, bounds: Sequence[int]) -> tuple[IntArray, IntArray]:
        """From each of `bounds`, which number sentences, to the next."""
        places = self._places[list(bounds)]
        return places[:-1], places[1:]


def _distances(vectors: VectorArray) -> FloatArray:
    """At each place that has `vectors`, how far apart those of the places before and after it are; infinite at both ends.

    Those two windows share no sentence, while each sentence's own and the next one's would, and so blur where a change is.
    """
    return np.pad(np.round(1.0 - (vectors[2:] * vectors[:-2]).sum(axis=1), DECIMALS), 1, constant_values=np.inf)


def _bounds(before: IntArray, far: FloatArray, how: Semantic) -> list[int]:
    """The sentences that start a chunk, and the number of sentences; `far` as of `_distances`."""
    n, least = len(before) - 1, min(how.least, how.size // 2)
    if n < 2:
        return list(range(n + 1))
    changes = np.flatnonzero(far[1:n] > np.percentile(far[1:n], how.percentile)) + 1
    bounds = _joined([0, *changes.tolist(), n], before, far, least)
    return [0, *(b for start, end in pairwise(bounds) for b in _split(start, end, before, far, how.size, least))]


def _joined(bounds: list[int], before: IntArray, far: FloatArray, least: int) -> list[int]:
    """`bounds` without those that part fewer than `least` tokens from their nearer neighbour, the next where both are as near."""
    i = 0
    while i < len(bounds) - 1 and len(bounds) > 2:
        start, end = bounds[i], bounds[i + 1]
        if before[end] - before[start] >= least:
            i += 1
        elif far[start] < far[end]:
            del bounds[i]
            i -= 1
        else:
            del bounds[i + 1]
    return bounds


def _split(start: int, end: int, before: IntArray, far: FloatArray, size: int, least: int) -> Iterator[int]:
    """Where the chunks end that a stretch of sentences is cut into, none above `size` tokens."""
    todo = [(start, end)]
    while todo:
        start, end = todo.pop()
        if int(before[end] - before[start]) <= size:
            yield end
            continue
        # The largest distance that leaves enough on either side, if any does; of equal ones the one nearest to the middle.
        inside = np.arange(start + 1, end)
        fewer = np.minimum(before[inside] - before[start], before[end] - before[inside])
        best = int(inside[np.lexsort((-fewer, -far[inside], fewer < least))[0]])
        todo += [(best, end), (start, best)]
