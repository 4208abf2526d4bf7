"""The chunk with the evidence does not say what it belongs to: words that name its subject stand round it, or above it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.proofs import Row, Trial
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._lent import Lent, Texts, gained, lend, pieces, spread
from ragdiag.diagnosis.failures._passages import described, nearest
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures._words import telling
from ragdiag.diagnosis.failures.header_lost import introduced
from ragdiag.diagnosis.failures.too_small import SMALL, is_small
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, lacking_contexts, with_context
from ragdiag.text.words import words

NAMES = {
    "title": "its document's title",
    "heading": "its document's title and the headings above it",
    "neighbours": "the text before and after it",
}
OTHERS = {
    "title": "titles of other documents",
    "heading": "heading paths of other chunks",
    "neighbours": "texts round other chunks",
}
FAR_BELOW = 0.75
"""Of the usual chunk's text, the share of a chunk that is too small: what its neighbours lend, it would have at a usual size."""

FIXES = {kind: Fix(f"index each chunk with {name}", (with_context(kind),)) for kind, name in NAMES.items()}
FILTER = Fix("filter by document, and ask which is meant where the question does not say")


class _Concerned(NamedTuple):
    """A group, the chunks with its evidence, and the query's words that they lack, by the kind of context that gives them."""

    group: Group
    chunks: list[int]
    words: dict[str, list[str]]


@dataclass(frozen=True)
class Contextless(FailureMode):
    """Whole and visible; of the query's telling words, by rarity, its chunk lacks at least `share` that its title, its headings
    or the text round it have.

    Proved by indexing that with the chunk, and with every rival as well: a deployed index gives a title to all. The control is
    what stands before other chunks, put before this one.
    """

    share: float = 0.2
    alike: float = 0.2

    says = "the chunk with the evidence does not say what it belongs to"
    cannot_tell = "what titles or headings before every chunk do to other queries"
    place = 92
    of_cuts = True
    by_degrees = True
    of_copies = True
    reads = True
    fixes = (*FIXES.values(), FILTER)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        kinds = lacking_contexts(case.setting.context)
        concerned = self._concerned(case, kinds) if kinds else []
        if not concerned:
            return None
        holders = list(dict.fromkeys(c for each in concerned for c in each.chunks))
        tried = _differing(case, holders, kinds)
        by_kind = {kind: list(dict.fromkeys(w for each in concerned for w in each.words[kind])) for kind in tried}
        detail = {
            "chunks": described(case, holders, len(holders)),
            "words": {kind: found for kind, found in by_kind.items() if found},
        }
        return Observation(tuple(each.group for each in concerned), detail, holders)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Try one kind of context after another, the cheapest first."""
        tried: dict[str, Lent] = {}
        for kind in observation.detail["words"]:
            others = functools.partial(_others, case, observation.held, kind)
            shared = kind != "neighbours"
            tried[kind] = yield from lend(case, observation.held, _texts(case, kind), others, OTHERS[kind], shared)
            if tried[kind].proved:
                break
        kind = max(tried, key=lambda k: (tried[k].proved, tried[k].control is not None, not tried[k].alone))
        lent, wrong = tried[kind], self._wrong_document(case)
        outcomes = {k: {"rank": t.outcome.standing.rank, "alone": t.alone, "proved": t.proved} for k, t in tried.items()}
        return case.finding(
            "contextless",
            observation,
            f"index each chunk with {NAMES[kind]}" + (", tried with this chunk alone" if lent.alone else ""),
            lent.outcome.standing,
            case.setting.advice(FIXES[kind], *([FILTER] if wrong else [])),
            proved=lent.proved,
            control=lent.control,
            detail={"kind": kind, "tried": outcomes, "wrong_document": wrong},
            rows=_rows(observation.detail, kind, wrong),
            edit=lent.edit,
        )

    def _concerned(self, case: Case, kinds: Sequence[str]) -> list[_Concerned]:
        """The groups whose chunks lack words that some kind of context gives them."""
        whole = [(g, chunks) for g in case.targets if (chunks := pieces(case, g)) and not unseen(case, g)]
        supplied = [_Concerned(g, chunks, {kind: self._supplied(case, g, chunks, kind) for kind in kinds}) for g, chunks in whole]
        return [each for each in supplied if any(each.words.values())]

    def _supplied(self, case: Case, group: Group, chunks: Sequence[int], kind: str) -> list[str]:
        """The query's words that chunks lack and that kind of context gives them.

        What neighbours lend does not count where a chunk is far smaller than is usual, or where they lend it its lost header or
        the rest of cut evidence: these have names of their own.
        """
        setting = case.setting
        held = [setting.embed(setting.span(c)) for c in chunks]
        if kind == "neighbours":
            if all(is_small(case, c, SMALL, FAR_BELOW) for c in chunks):
                return []
            held += [introduced(case, chunks), setting.text(nearest(case, group.spans))]
        return gained(case, " ".join(held), " ".join(setting.in_context(kind, c) for c in chunks), self.share)

    def _wrong_document(self, case: Case) -> bool:
        """Whether the whole context is of other documents, and most of it says much the same as the evidence's chunk."""
        setting = case.setting
        own = {s.document for g in case.groups for s in g.spans}
        if not case.context or any(int(setting.chunking.document[c]) in own for c in case.context):
            return False
        asked = set(words(case.query.text))
        bags = [set(telling(setting.text(setting.span(c)))) - asked for c in (*case.context, *_holders(case))]
        of_context, evidence = bags[: len(case.context)], set[str]().union(*bags[len(case.context) :])
        near = [len(bag & evidence) >= self.alike * max(min(len(bag), len(evidence)), 1) for bag in of_context]
        return 2 * sum(near) > len(near)


def _holders(case: Case) -> list[int]:
    return [c for g in case.targets for c in pieces(case, g)]


def _differing(case: Case, chunks: Sequence[int], kinds: Sequence[str]) -> list[str]:
    """`kinds` without those that give chunks the same texts as one before: a page without headings has but its title."""
    by_text = {tuple(case.setting.in_context(kind, c) for c in chunks): kind for kind in reversed(kinds)}
    return [kind for kind in kinds if kind in by_text.values()]


def _texts(case: Case, kind: str) -> Texts:
    return lambda chunk: case.setting.in_context(kind, chunk)


def _others(case: Case, holders: Sequence[int], kind: str, n: int) -> list[Texts]:
    """What that kind of context puts round other chunks, of other documents where there are enough, put round these."""
    setting, documents = case.setting, case.setting.chunking.document
    own = {int(documents[c]) for c in holders}
    known = {_frame(case, c, kind) for c in holders}
    foreign, near = dict[tuple[str, str], None](), dict[tuple[str, str], None]()
    for looked_at in (2 * n, 40 * n):
        for chunk in spread(range(len(setting.chunking)), looked_at):
            frame = _frame(case, chunk, kind)
            if frame not in known and chunk not in case.evidence and any(frame):
                (near if int(documents[chunk]) in own else foreign)[frame] = None
        if len(foreign) >= n:
            break
    frames = spread(list(foreign), n) if len(foreign) >= n else [*foreign, *spread(list(near), n - len(foreign))]
    return [_framed(case, before, after) for before, after in frames]


def _frame(case: Case, chunk: int, kind: str) -> tuple[str, str]:
    """What stands before and after a chunk's own text where it is indexed with that kind of context."""
    before, _, after = case.setting.in_context(kind, chunk).partition(case.setting.text(case.setting.span(chunk)))
    return before, after


def _framed(case: Case, before: str, after: str) -> Texts:
    return lambda chunk: before + case.setting.text(case.setting.span(chunk)) + after


def _rows(detail: Mapping[str, Any], kind: str, wrong: bool) -> Iterator[Row]:
    """What the chunk lacks and where that stands."""
    for chunk in detail["chunks"][:MOST]:
        yield Row.of(
            "chunk", f"{chunk['chunk']}, at {at(chunk['rank'])}, does not say ", (", ".join(detail["words"][kind]), "strong")
        )
    yield Row.of("", f"{NAMES[kind]} does")
    if wrong:
        yield Row.of("wrong", ("document: the whole context is of other documents that say much the same", "bad"))
