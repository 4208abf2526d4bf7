"""Vectors that are not of their texts: of other texts, or of another model."""

from __future__ import annotations

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.health import HealthFinding
from ragdiag.core.records import BoolArray, IntArray
from ragdiag.diagnosis.health._opened import Opened, evenly
from ragdiag.search.models import unit

__all__ = ["look"]

ENOUGH = 8
"""Faulty vectors from which on it can be told what they are of."""

MOST = 500
"""Vectors that are compared with one another at most."""

STRANGE = 0.5
"""A vector of any text lies near those of related texts. One that is this share of the usual way from the nearest one, by cosine,
is of no text that the model embedded.
"""

SHUFFLES, CHANCE = 199, 0.05
"""How often texts are shuffled for a test of whether vectors are of them, and the p up to which they are."""

TOGETHER = 0.8
"""The share of faulty vectors that stand in one stretch of the store, from which on they were made at one time."""


def look(opened: Opened) -> HealthFinding | None:
    """Embeds a sample of the texts anew, and compares."""
    if not opened.index.is_known or not opened.beside.unlike.any():
        return None
    sample, (stored, made, unlike) = opened.sample, opened.beside
    faulty, cosines = sample[unlike], (unit(stored) * made).sum(axis=1)
    ids, middle = opened.ids(faulty), float(np.median(cosines[unlike]))
    evidence = [f"middle cosine to new vectors of the same texts {middle:.2f}, of the others {np.median(cosines[~unlike]):.2f}"]
    strange = _are_strange(unit(stored[unlike]), made)
    p = _chance(unit(stored[unlike]), made[unlike]) if strange else 1.0
    if p <= CHANCE:
        evidence.append(f"near no text of this model, but among themselves as these texts are (p {p:.3f}): one other model")
    elif strange:
        evidence.append("near no text of this model: another one made them, or they are broken")
    if first_last := _stretch(opened, unlike):
        evidence.append(f"they stand together in the store, from {first_last[0]} to {first_last[1]}")
    share = opened.mean(sample, unlike.astype(np.float64))
    if len(sample) < len(opened.chunking) and share.low is not None and share.high is not None:
        n = len(opened.chunking)
        evidence.append(f"of all {n:,} records that is {share.low * n:,.0f} to {share.high * n:,.0f}")
    what = "of no text of this model" if strange else "not of their texts"
    return HealthFinding(
        "vector_fault",
        len(faulty),
        len(sample),
        f"vectors are {what}",
        "embed these records anew with the model that searches, in one run that writes text and vector together",
        tuple(evidence),
        share,
        ids,
        opened.documents_of(faulty),
        detail={"cosine": middle, "other_model": strange, "one_model": p <= CHANCE, "stretch": first_last},
    )


def _are_strange(stored: VectorArray, made: VectorArray) -> bool:
    """Whether some vectors are much farther from all `made` of texts than texts are from one another."""
    if len(stored) < ENOUGH:
        return False
    some = made[evenly(len(made), MOST)]
    among = some @ some.T
    np.fill_diagonal(among, -1.0)
    near = np.nan_to_num(stored[evenly(len(stored), MOST)] @ made.T).max(axis=1)
    return bool(np.median(near) < STRANGE * np.median(among.max(axis=1)))


def _chance(stored: VectorArray, made: VectorArray) -> float:
    """Mantel's test (1967, "The Detection of Disease Clustering and a Generalized Regression Approach"): how often texts shuffled
    at random have cosines among them that go with those among `stored` vectors as well as the texts as they are have.
    """
    some, rng = evenly(len(stored), MOST), np.random.default_rng(0)
    pairs = np.triu_indices(len(some), 1)
    one, other = (np.nan_to_num(vectors[some] @ vectors[some].T) for vectors in (stored, made))
    if min(one[pairs].std(), other[pairs].std()) <= 0:
        return 1.0

    def together(order: IntArray) -> float:
        return float(np.corrcoef(one[pairs], other[np.ix_(order, order)][pairs])[0, 1])

    as_they_are = together(np.arange(len(some)))
    as_well = sum(together(rng.permutation(len(some))) >= as_they_are for _ in range(SHUFFLES))
    return (as_well + 1) / (SHUFFLES + 1)


def _stretch(opened: Opened, unlike: BoolArray) -> tuple[str, str] | None:
    """The first and the last record of the stretch of the store that most of the faulty ones of the sample stand in."""
    by_place: IntArray = np.argsort(opened.order[opened.sample])
    faults, n = unlike[by_place], int(unlike.sum())
    if n < ENOUGH or n == len(faults):
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], faults, [False]]).astype(np.int8))).reshape(-1, 2)
    first, end = edges[np.argmax(edges[:, 1] - edges[:, 0])].tolist()
    if end - first < TOGETHER * n:
        return None
    chunks = opened.sample[by_place]
    return opened.chunking.ids[chunks[first]], opened.chunking.ids[chunks[end - 1]]
