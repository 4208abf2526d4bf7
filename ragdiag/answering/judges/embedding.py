"""The embedding judge: an answer is right where it is near enough to the reference, and no number contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ragdiag.answering.judges._numbers import agree, quantities, scale_asked
from ragdiag.answering.judges._numeric import compare, is_numeric
from ragdiag.answering.judges._plain import plain
from ragdiag.answering.judges._references import Asked, by_any
from ragdiag.answering.judges._text import readable, refuses
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query
from ragdiag.search.encoder import Encoder

REMEDY = "choose the judge matcher"


@dataclass(frozen=True)
class Embedding:
    """Cosine of answer and reference, alone or each behind its question, whichever is less; right from `threshold` on.

    A vector hardly sees numbers: where the reference is a number the matcher's rules decide, and an answer that holds numbers but
    none of a reference's is wrong however near. `model` is a folder or a hub name; empty: all-MiniLM-L6-v2.
    """

    reads: ClassVar[str] = "reference"
    threshold: float = 0.7
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise SpecError("embedding: threshold must be above 0, up to 1")

    @property
    def encoder(self) -> Encoder:
        """The model that makes the vectors."""
        return Encoder(self.model, self.precision, REMEDY)

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        return by_any(asked, lambda pairs: self._against_one(pairs, store, progress))

    def _against_one(self, asked: Asked, store: Store | None, progress: Progress) -> list[Opinion | None]:
        """An opinion on each of `asked`, whose queries have one reference."""
        found: list[Opinion | None] = [None] * len(asked)
        open_to_vectors = []
        for i, (query, answer) in enumerate(asked):
            found[i] = _by_rule(readable(query.text), readable(query.answer), plain(answer.answer))
            if found[i] is None:
                open_to_vectors.append(i)
        nearness = self._nearness([asked[i] for i in open_to_vectors], store, progress)
        for i, near in zip(open_to_vectors, nearness, strict=True):
            found[i] = Opinion(near >= self.threshold, f"nearness to the reference {near:.2f}, {self.threshold:g} needed")
        return found

    def _nearness(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[float]:
        """The lesser cosine of each pair, one for each of `asked`."""
        if not asked:
            return []
        said = [(q, plain(a.answer)) for q, a in asked]
        texts = [t for q, a in said for t in (q.answer, a, f"{q.text} {q.answer}", f"{q.text} {a}")]
        vectors: Any = self.encoder.encode(texts, "document", store, progress).reshape(len(asked), 4, -1)
        cosines = (vectors[:, 0::2] * vectors[:, 1::2]).sum(axis=2)
        return [float(c) for c in cosines.min(axis=1)]


def _by_rule(question: str, gold: str, answer: str) -> Opinion | None:
    """What needs no vectors: nothing said, a refusal, a reference that is a number, numbers that contradict."""
    if not answer.strip():
        return Opinion(False, "the answer is empty", "refusal")
    if refuses(answer) and not refuses(gold) and len(answer.split()) <= 60:
        return Opinion(False, "refusal", "refusal")
    if is_numeric(question, gold):
        return compare(question, gold, answer)
    wanted, told = (_kinds(t) for t in (gold, answer))
    same_kind = [t for t in told if any(t.unit == w.unit for w in wanted)]
    if same_kind and not any(agree(w, t, scale_asked(question), falling=True) for w in wanted for t in told):
        return Opinion(False, f"{same_kind[0].text} is not {wanted[0].text}")
    return None


def _kinds(text: str) -> list[Any]:
    """The quantities of `text` that have a unit: what else is a number may be a count of anything."""
    return [q for q in quantities(text) if q.unit not in ("", "year")]
