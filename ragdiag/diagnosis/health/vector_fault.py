"""Vectors that are not of their texts: of other texts, or of another model."""

from __future__ import annotations

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.health import HealthFinding
from ragdiag.core.records import BoolArray, IntArray
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.search.models import unit
from ragdiag.text.phrases import counted

__all__ = ["look"]

ENOUGH = 8
"""Faulty vectors from which on it can be told what they are of."""

NEAR = 0.3
"""Middle cosine between faulty vectors and new ones of their texts, above which these are near texts, and no other model."""

SAME_SHAPE = 0.3
"""Correlation between the cosines among stored vectors and those among new ones of the same texts, from which on both are of
these texts, by two models. Of vectors of other texts it is about 0.
"""

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
    alike = _alike(unit(stored[unlike]), made[unlike])
    other = middle < NEAR and alike >= SAME_SHAPE
    if other:
        evidence.append("among themselves they lie as new ones of these texts do: one other model made them")
    if first_last := _stretch(opened, unlike):
        evidence.append(f"they stand together in the store, from {first_last[0]} to {first_last[1]}")
    share = opened.mean(sample, unlike.astype(np.float64))
    if len(sample) < len(opened.chunking) and share.low is not None and share.high is not None:
        n = len(opened.chunking)
        evidence.append(f"of all {n:,} records that is {share.low * n:,.0f} to {share.high * n:,.0f}")
    what = "of another model than the others" if other else "not of their texts"
    return HealthFinding(
        "vector_fault",
        len(faulty),
        len(sample),
        f"{counted(len(faulty), 'vector')} {'is' if len(faulty) == 1 else 'are'} {what}",
        "embed these records anew with the model that searches, in one run that writes text and vector together",
        tuple(evidence),
        share,
        ids,
        opened.documents_of(faulty),
        detail={"cosine": middle, "other_model": other, "alike": alike, "stretch": first_last},
    )


def _alike(stored: VectorArray, made: VectorArray) -> float:
    """The correlation between the cosines among some vectors and those among others of the same texts; 0 for few."""
    if len(stored) < ENOUGH:
        return 0.0
    pairs = np.triu_indices(len(stored), 1)
    one, other = (np.nan_to_num(vectors @ vectors.T)[pairs] for vectors in (stored, made))
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else 0.0


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
