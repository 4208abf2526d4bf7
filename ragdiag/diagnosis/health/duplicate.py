"""Records that a store has twice, as after documents were indexed again under new ids."""

from __future__ import annotations

from collections import defaultdict

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.text.phrases import counted

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Counts records of one text by the places where the document has it: more records than places are copies."""
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    changed = {name for names in opened.covered.changed.values() for name in names}  # of another version's text
    for chunk, (document, name) in enumerate(zip(opened.chunking.document.tolist(), opened.chunking.ids, strict=True)):
        if not opened.kinds[chunk] and name not in changed:
            groups[document, opened.by_id[name].text].append(chunk)
    copies, several = list[int](), 0
    for (document, _), chunks in groups.items():
        spare = len(chunks) - _places(opened, document, chunks)
        if spare > 0:
            copies += sorted(chunks, key=lambda c: int(opened.order[c]))[-spare:]
            several += 1
    if not copies:
        return None
    return HealthFinding(
        "duplicate",
        len(copies),
        len(opened.chunking),
        "records have text and place of an earlier one: they take its neighbours' places in contexts",
        "delete these, and make ids of document and place, so that indexing again replaces records",
        (f"{counted(several, 'text')} of {counted(len(opened.documents_of(copies)), 'document')} stored more than once",),
        records=opened.ids(copies),
        documents=opened.documents_of(copies),
        detail={"texts": several},
    )


def _places(opened: Opened, document: int, chunks: list[int]) -> int:
    """In how many places records with one text may stand. Of records placed with a remark the place says nothing."""
    chunking = opened.chunking
    spans = {(int(chunking.start[c]), int(chunking.end[c])) for c in chunks}
    guessed = [c for c in chunks if chunking.ids[c] in opened.altered or chunking.ids[c] in opened.several]
    if not guessed:
        return len(spans)
    start, end = min(spans)
    held = opened.corpus.documents[document].text[start:end]
    among = opened.corpus.documents if chunking.ids[guessed[0]] in opened.several else [opened.corpus.documents[document]]
    return max(sum(d.text.count(held) for d in among if not d.foreign), 1)
