"""Texts that are longer than what the encoder reads."""

from __future__ import annotations

import numpy as np

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Counts word pieces of every text. A function of the team's does not say how much it reads."""
    if opened.reads is None:
        return None
    texts = [opened.by_id[name].text for name in opened.chunking.ids]
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    lost = np.maximum(lengths - opened.reads.visible(texts, opened.store), 0)
    cut = np.flatnonzero(lost).tolist()
    if not cut:
        return None
    share, limit = int(lost.sum()) / int(lengths.sum()), opened.reads.max_tokens
    return HealthFinding(
        "truncated",
        len(cut),
        len(texts),
        f"texts are longer than the {limit} tokens that the encoder reads: no search finds what their ends say",
        "index smaller chunks, or take an encoder that reads more; ragdiag compare tells which serves better",
        (f"{share:.1%} of all characters are never seen",),
        records=opened.ids(cut),
        documents=opened.documents_of(cut),
        detail={"share": share, "limit": limit},
    )
