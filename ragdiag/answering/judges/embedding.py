"""The embedding judge: an answer is right where it is near enough to the reference, and no number contradicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ragdiag.answering.judges._numbers import Quantity, agree, quantities, scale_asked
from ragdiag.answering.judges._numeric import compare, is_numeric
from ragdiag.answering.judges._plain import plain
from ragdiag.answering.judges._references import Asked, by_any
from ragdiag.answering.judges._text import readable, refuses
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query
from ragdiag.search.named import AnyEncoder, encoder_of_model

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
    def encoder(self) -> AnyEncoder:
        """The model that makes the vectors."""
        return encoder_of_model(self.model, self.precision, REMEDY)

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        return by_any(asked, lambda pairs: self._against_one(pairs, store, progress))

    def _against_one(self, asked: Asked, store: Store | None, progress: Progress) -> list[Opinion | None]:
        """An opinion on each of `asked`, whose queries have one reference."""
        opinions = [_by_rule(readable(q.text), readable(q.answer), plain(a.answer)) for q, a in asked]
        open_to_vectors = [i for i, opinion in enumerate(opinions) if opinion is None]
        nearness = self._nearness([asked[i] for i in open_to_vectors], store, progress)
        for i, near in zip(open_to_vectors, nearness, strict=True):
            opinions[i] = Opinion(near >= self.threshold, f"nearness to the reference {near:.2f}, {self.threshold:g} needed")
        return opinions

    def _nearness(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[float]:
        """The lesser cosine of each pair, one for each of `asked`."""
        if not asked:
            return []
        answers = [(q, plain(a.answer)) for q, a in asked]
        texts = [t for q, a in answers for t in (q.answer, a, f"{q.text} {q.answer}", f"{q.text} {a}")]
        vectors = self.encoder.encode(texts, "document", store, progress).reshape(len(asked), 4, -1)
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
    return _contradiction(_with_unit(gold), _with_unit(answer), scale_asked(question))


def _contradiction(expected: list[Quantity], given: list[Quantity], scale: float | None) -> Opinion | None:
    """Wrong where `given` has quantities of the expected units, and none that is expected."""
    same_unit = [g for g in given if any(g.unit == e.unit for e in expected)]
    if not same_unit or any(agree(e, g, scale, falling=True) for e in expected for g in given):
        return None
    return Opinion(False, f"{same_unit[0].text} is not {expected[0].text}")


def _with_unit(text: str) -> list[Quantity]:
    """The quantities of `text` that have a unit: what else is a number may be a count of anything."""
    return [q for q in quantities(text) if q.unit not in ("", "year")]
