"""Small to big: what `expand`, `parent` and `merge` hand over, by hand and against plain definitions; how it is counted."""

import functools
import itertools
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.passages import as_k, joined, numbered, passage_at, tokens_once
from ragdiag.core.proofs import EXACT, Addition, Edit
from ragdiag.core.protocols import ChunkTexts, no_progress
from ragdiag.core.ranking import best, edited, padded
from ragdiag.core.records import Chunking, Corpus, Document, Run, Span
from ragdiag.core.registry import make, spec_of
from ragdiag.explain import explain
from ragdiag.pipeline import Audit, run_audit
from ragdiag.scoring.packing import Packing
from ragdiag.scoring.texts import Texts
from ragdiag.search.approximate import as_asked, exact_swap
from ragdiag.search.retrieval import Plan
from ragdiag.search.retrievers.expand import Expand
from ragdiag.search.retrievers.merge import Merge
from ragdiag.search.retrievers.parent import Parent
from ragdiag.text.tokens import count_tokens

TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater"


class Scored:
    """A retriever that gives each chunk the score it is told; none to those with 0. An added text says its own score."""

    def __init__(self, *scores: float) -> None:
        self.scores = scores

    def index(self, texts: Sequence[str], store: Any, progress: Any) -> "ScoredIndex":
        return ScoredIndex(np.array(self.scores, dtype=np.float64))


class ScoredIndex:
    nbytes = 0

    def __init__(self, scores: Any) -> None:
        self.scores, self.depths = scores, list[int]()

    def search(self, queries: Sequence[str], depth: int) -> Any:
        self.depths.append(depth)
        top = best(self.scores, depth)
        top = top[self.scores[top] > 0]
        return padded([(top, self.scores[top])] * len(queries), depth)

    def answer(self, query: str, depth: int) -> Any:
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> Any:
        texts = [[a.text for a in e.added] for e in edits]
        return edited(self.search, lambda query, text: float(text), len(self.scores), queries, edits, texts, depth)


Places = Sequence[tuple[int, int, int]]


def placed(texts: Sequence[str], places: Places) -> ChunkTexts:
    """Chunks of documents, by document, start and end."""
    corpus = Corpus(tuple(Document(f"d{i}", text) for i, text in enumerate(texts)))
    document, start, end = np.array(sorted(places), dtype=np.int64).reshape(-1, 3).T
    chunks = [texts[d][a:b] for d, a, b in sorted(places)]
    return ChunkTexts(chunks, corpus, Chunking(document, start, end))


def words(n: int) -> str:
    """`n` words of one letter, two characters each."""
    return " ".join("abcdefghijklmnopqrstuvwxyz"[i % 26] for i in range(n)) + " "


# Eight chunks of two words: five of document 0, then three of document 1.
EIGHT = placed([words(10), words(6)], [(0, 4 * i, 4 * i + 4) for i in range(5)] + [(1, 4 * i, 4 * i + 4) for i in range(3)])


def row(found: Any, i: int = 0) -> list[tuple[int, float]]:
    """Positions and scores of one query, without the padding."""
    return [(p, s) for p, s in zip(found[0][i].tolist(), found[1][i].tolist(), strict=True) if p >= 0]


def passages(found: Any, i: int = 0) -> list[list[int]]:
    """The positions of one query, by the scores that they share."""
    return [[p for p, _ in group] for _, group in itertools.groupby(row(found, i), key=lambda pair: pair[1])]


def added(document: int, start: int, end: int, score: float, place: float) -> Addition:
    return Addition(document, start, end, str(score), place)


# What is handed over, by hand.


def test_expand_hands_over_the_neighbours_of_each_chunk_found() -> None:
    index = Expand(Scored(6, 0, 9, 6.5, 7, 8, 0, 0)).index(EIGHT, None, no_progress)  # found: 2, 5, 4, 3, 0
    found = index.search(["q"], 8)
    # 2 with 3 and 1, the one that follows first; 5 begins its document; of 4 its neighbour is there; 3 has nothing new.
    assert passages(found) == [[2, 3, 1], [5, 6], [4], [0]]
    assert [s for _, s in row(found)] == [9, 9, 9, 8, 8, 7, 6]
    assert passages(index.answer("q", 8)) == passages(found)
    assert passages(index.search(["q", "q"], 4), 1) == [[2, 3, 1], [5]], "cut where it is deep enough"


def test_before_and_after_are_told_apart() -> None:
    def handed(**sides: int) -> list[list[int]]:
        return passages(Expand(Scored(0, 0, 0, 0, 3, 2, 0, 1), **sides).index(EIGHT, None, no_progress).search(["q"], 8))

    assert handed(before=0, after=0) == [[4], [5], [7]]
    assert handed(before=2, after=0) == [[4, 3, 2], [5], [7, 6]]
    assert handed(before=0, after=2) == [[4], [5, 6, 7]], "4 ends its document; 7 is there already"
    assert handed(before=9, after=9) == [[4, 3, 2, 1, 0], [5, 6, 7]]


def test_no_two_passages_have_one_score() -> None:
    index = Expand(Scored(0, 5, 0, 0, 5, 5, 0, 5)).index(EIGHT, None, no_progress)
    found = row(index.search(["q"], 8))
    assert [p for p, _ in found] == [1, 2, 0, 4, 3, 5, 6, 7]
    scores = [s for _, s in found]
    assert scores[:3] == [5] * 3 and scores[3:5] == [np.nextafter(5, -np.inf)] * 2
    assert len({*scores}) == 4 and scores == sorted(scores, reverse=True)
    assert all(5 - s < 1e-12 for s in scores)


def test_parents_are_packed_from_the_start_of_each_document() -> None:
    index = Parent(Scored(0, 0, 9, 0, 8, 0, 7, 0), size=4).index(EIGHT, None, no_progress)  # parents: 01 23 4 | 56 7
    assert passages(index.search(["q"], 8)) == [[2, 3], [4], [6, 5]]
    longer = Parent(Scored(1, 2, 3, 4, 5, 6, 7, 8), size=1).index(EIGHT, None, no_progress)
    assert passages(longer.search(["q"], 8)) == [[i] for i in range(7, -1, -1)], "longer than a parent: its own"
    whole = Parent(Scored(0, 9, 0, 0, 0, 0, 0, 1), size=10**6).index(EIGHT, None, no_progress)
    assert passages(whole.search(["q"], 8)) == [[1, 2, 0, 3, 4], [7, 6, 5]], "never beyond the document, the nearest first"


def test_a_parent_counts_what_chunks_share_once() -> None:
    # Four chunks of four words, each sharing two with the one before: 4 + 2 + 2 + 2 = 10 tokens.
    texts = placed([words(10)], [(0, 4 * i, 4 * i + 8) for i in range(4)])
    assert passages(Parent(Scored(1, 0, 0, 0), size=10).index(texts, None, no_progress).search(["q"], 4)) == [[0, 1, 2, 3]]
    assert passages(Parent(Scored(1, 0, 0, 0), size=9).index(texts, None, no_progress).search(["q"], 4)) == [[0, 1, 2]]


def test_parents_within_sections() -> None:
    text = "# One\n\na b c d\n\n# Two\n\ne f\n\n# Three\n\ng h\n"
    two, three = text.index("# Two"), text.index("# Three")
    cut = text.index("c d")
    places = [(0, 0, cut), (0, cut, two - 2), (0, two - 2, three), (0, three, len(text))]  # the third begins with blank lines
    texts = placed([text], places)
    scores = Scored(0, 9, 8, 7)
    within = Parent(scores, size=100, within="section").index(texts, None, no_progress)
    assert passages(within.search(["q"], 4)) == [[1, 0], [2], [3]]
    assert passages(Parent(scores, size=100).index(texts, None, no_progress).search(["q"], 4)) == [[1, 2, 0, 3]]


def test_merge_hands_over_what_was_found() -> None:
    index = Merge(Scored(0, 5, 6, 5, 0, 0, 0, 1)).index(EIGHT, None, no_progress)
    assert passages(index.search(["q"], 8)) == [[2], [1], [3], [7]]
    run = Run(*index.search(["q"], 8), passages=True)
    texts = Texts(EIGHT.corpus, EIGHT.chunking)
    assert texts.handed_over(run, 0, 4) == [words(10)[4:16], words(6)[8:12]], "1, 2 and 3 as one text, in the place of 2"
    assert texts.handed_over(run, 0, 2) == [words(10)[4:12]]
    assert Texts(EIGHT.corpus, EIGHT.chunking).handed_over(Run(run.chunks, run.scores), 0, 2) == [words(10)[8:12], words(10)[4:8]]


def test_steps_must_know_places() -> None:
    for step in (Expand, Parent, Merge):
        with pytest.raises(UsageError, match=f"{step.__name__.lower()} must know where"):
            step(Scored(1)).index(["a"], None, no_progress)


# How deep, and how much.


def test_a_ranking_is_deep_enough_for_k_passages() -> None:
    one_long = placed(
        [words(60), *[words(2)] * 60], [(0, 4 * i, 4 * i + 4) for i in range(30)] + [(d, 0, 4) for d in range(1, 61)]
    )
    index = Parent(Scored(*range(1, 91)), size=10**6).index(one_long, None, no_progress)
    assert index.depth_for(5) == 10 * 5 * 11  # a chunk's passage has (30 * 30 + 60) / 90 chunks on average
    assert (
        index.depth_for(1) == 110
        and Parent(Scored(*range(1, 91)), size=60).index(one_long, None, no_progress).depth_for(1) == 110
    )
    assert Expand(Scored(*range(1, 9))).index(EIGHT, None, no_progress).depth_for(2) == 60  # 3 + 2 * ... / 8 = 2.5, rounded up


def test_the_inner_index_is_asked_for_no_more_than_there_is() -> None:
    index = Expand(Scored(*range(1, 9))).index(EIGHT, None, no_progress)
    index.search(["q"], 100)
    index.search(["q"], 3)
    assert index.indexes[0].depths == [8, 3]
    assert (index.depth_below(100), index.depth_below(3)) == (8, 3)


def test_a_budget_cuts_a_passage_and_keeps_the_nearest() -> None:
    index = Expand(Scored(0, 0, 9, 0, 0, 8, 0, 0), before=2, after=2).index(EIGHT, None, no_progress)
    found = index.search(["q"], 8)
    assert passages(found) == [[2, 3, 1, 4, 0], [5, 6, 7]]
    packing = {b: Packing(EIGHT.corpus, EIGHT.chunking, 5, b, passages=True) for b in (1, 4, 7, 10, 11, 12)}
    lengths = {b: p.fits(found[0][0], Edit(), found[1][0]) for b, p in packing.items()}
    assert lengths == {1: 1, 4: 2, 7: 3, 10: 5, 11: 5, 12: 6}, "two tokens each; the first is always taken"


def test_k_counts_passages() -> None:
    index = Expand(Scored(0, 0, 9, 0, 0, 8, 0, 0)).index(EIGHT, None, no_progress)
    found = index.search(["q"], 8)
    for k, length in ((1, 3), (2, 5), (3, 5)):
        assert Packing(EIGHT.corpus, EIGHT.chunking, k, 0, passages=True).fits(found[0][0], Edit(), found[1][0]) == length
    run = Run(*found, passages=True)
    assert as_k(run, np.array([4])).tolist() == [2] and as_k(run, np.array([3])).tolist() == [1]
    assert as_k(run, np.array([0])).tolist() == [0]
    assert as_k(Run(*found), np.array([4])).tolist() == [4]
    assert [passage_at(found[1][0], r) for r in (None, 1, 3, 4, 5)] == [None, 1, 1, 2, 2]
    assert Texts(EIGHT.corpus, EIGHT.chunking).by_k(run)[0, :3].tolist() == [6, 10, 10], "tokens of one passage, and of two"


def test_tokens_are_counted_once_where_chunks_overlap() -> None:
    # Chunks of four words that share two with the one before; found: the third, handed over 2, 3 and 1.
    texts = placed([words(12)], [(0, 4 * i, 4 * i + 8) for i in range(5)])
    found = Expand(Scored(0, 0, 9, 0, 0)).index(texts, None, no_progress).search(["q"], 5)
    assert passages(found) == [[2, 3, 1]]
    run = Run(*found, passages=True)
    counted = Texts(texts.corpus, texts.chunking)
    assert counted.added(run)[0, :3].tolist() == [4, 2, 2]
    assert counted.down_to(run, np.array([3])).tolist() == [8]
    assert counted.added(Run(*found))[0, :3].tolist() == [4, 4, 4], "of chunks, each time"
    assert counted.handed_over(run, 0, 3) == [words(12)[4:20]]
    packing = Packing(texts.corpus, texts.chunking, 5, 7, passages=True)
    assert packing.fits(found[0][0], Edit(), found[1][0]) == 2 and packing.tokens(found[0][0], Edit()) == 8


# Under edits.


def test_what_an_edit_removes_is_handed_over_by_nothing() -> None:
    index = Expand(Scored(0, 0, 9, 0, 7, 8, 0, 0)).index(EIGHT, None, no_progress)
    edits = [Edit(), Edit(frozenset({3})), Edit(frozenset({2})), Edit(frozenset({1, 3, 5}))]
    found = index.what_if(["q"] * 4, edits, 8)
    assert passages(found, 0) == passages(index.search(["q"], 8))
    assert passages(found, 1) == [[2, 1], [5, 6], [4]]
    assert passages(found, 2) == [[5, 6], [4, 3]]
    assert passages(found, 3) == [[2], [4]]


def test_an_added_text_takes_what_the_chunk_takes_that_shares_most_of_it() -> None:
    index = Expand(Scored(0, 0, 0, 0, 0, 0, 0, 5)).index(EIGHT, None, no_progress)
    inside = added(0, 9, 11, 9.0, 2.5)  # within chunk 2, behind its start: placed after it
    across = added(0, 10, 18, 9.0, 2.5)  # 2 characters of chunk 2, all of 3, 2 of 4
    edits = [Edit(frozenset({2}), (inside,)), Edit(frozenset({2, 3}), (across,)), Edit(frozenset(), (added(1, 0, 12, 9.0, 4.5),))]
    found = index.what_if(["q"] * 3, edits, 9)
    assert passages(found, 0) == [[8, 3, 1], [7, 6]]
    assert passages(found, 1) == [[8, 4], [7, 6]], "3 is gone, and so is 2; 4 follows"
    assert passages(found, 2) == [[8, 5, 6], [7]], "the first of equals: 5, and what goes with it"
    parents = Parent(Scored(*[0] * 7, 5), size=4).index(EIGHT, None, no_progress)  # 01 23 4 | 56 7
    end_of_parent = added(0, 7, 8, 9.0, 1.5)
    assert passages(parents.what_if(["q"], [Edit(frozenset({1}), (end_of_parent,))], 9)) == [[8, 0], [7]], "not of the next"


def test_an_added_text_between_chunks_and_in_a_document_without_any() -> None:
    texts = placed([words(10), words(3)], [(0, 0, 4), (0, 12, 16)])
    index = Expand(Scored(0, 0)).index(texts, None, no_progress)
    edits = [
        Edit(added=(added(0, 6, 10, 3.0, 0.5),)),
        Edit(added=(added(0, 17, 20, 3.0, 1.5),)),
        Edit(added=(added(1, 0, 6, 3.0, 1.5),)),
    ]
    found = index.what_if(["q"] * 3, edits, 3)
    assert [passages(found, i) for i in range(3)] == [[[2, 1, 0]], [[2, 1, 0]], [[2]]]


def test_an_added_text_takes_nothing_where_a_chunk_takes_nothing() -> None:
    window = Edit(added=(added(0, 8, 12, 9.0, 1.5),))  # where chunk 2 is
    for retriever in (Merge(Scored(*[0] * 8)), Expand(Scored(*[0] * 8), 0, 0), Parent(Scored(*[0] * 8), size=1)):
        assert passages(retriever.index(EIGHT, None, no_progress).what_if(["q"], [window], 9)) == [[8]]
    assert passages(Expand(Scored(*[0] * 8)).index(EIGHT, None, no_progress).what_if(["q"], [window], 9)) == [[8, 2, 1, 3]]


# Against plain definitions.

SPANS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 9)).map(lambda t: Span(t[0], t[1], t[1] + t[2])), max_size=12
)


def characters(spans: Sequence[Span]) -> set[tuple[int, int]]:
    return {(s.document, c) for s in spans for c in range(s.start, s.end)}


@settings(max_examples=200, deadline=None)
@given(spans=SPANS)
def test_tokens_once_counts_each_character_once(spans: list[Span]) -> None:
    counted = tokens_once(spans, lambda span: span.end - span.start)
    assert counted == [len(characters(spans[: i + 1])) - len(characters(spans[:i])) for i in range(len(spans))]


@settings(max_examples=200, deadline=None)
@given(spans=SPANS)
def test_joined_texts_are_the_same_characters_each_once(spans: list[Span]) -> None:
    texts = joined(spans)
    assert characters(texts) == characters(spans)
    assert sum(s.end - s.start for s in texts) == len(characters(spans))
    for a, b in itertools.combinations(texts, 2):
        assert a.document != b.document or a.end < b.start or b.end < a.start, "what touches is one"
    first = [min(i for i, s in enumerate(spans) if characters([s]) & characters([t])) for t in texts]
    assert first == sorted(first), "in the place of the first of it"


@st.composite
def cuts(draw: Any) -> tuple[ChunkTexts, list[float]]:
    """Documents, chunks that may overlap or leave gaps, and scores, of which some tie and some are none."""
    texts = [words(draw(st.integers(1, 12))) for _ in range(draw(st.integers(1, 3)))]
    places = set[tuple[int, int, int]]()
    for d, text in enumerate(texts):
        for _ in range(draw(st.integers(0, 5))):
            start = draw(st.integers(0, len(text) - 1))
            places.add((d, start, draw(st.integers(start + 1, len(text)))))
    scores = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 3.0]), min_size=len(places), max_size=len(places)))
    return placed(texts, sorted(places)), scores


def naive(texts: ChunkTexts, scores: Sequence[float], removed: set[int], whole: Any) -> Iterator[tuple[int, set[int]]]:
    """Each chunk found, best first, with all the chunks that it hands over, `whole` of it, and that nothing before it did."""
    seen = set(removed)
    for hit in sorted((c for c in range(len(scores)) if scores[c] > 0 and c not in removed), key=lambda c: (-scores[c], c)):
        new = {hit, *whole(hit)} - seen
        seen |= new
        if new:
            yield hit, new


def document_of(texts: ChunkTexts) -> list[int]:
    return [int(d) for d in texts.chunking.document]


def neighbours(texts: ChunkTexts, before: int, after: int) -> Any:
    own = document_of(texts)
    return lambda c: {o for o in range(len(own)) if own[o] == own[c] and c - before <= o <= c + after}


def family(texts: ChunkTexts, size: int) -> Any:
    """The parents by their definition: a new one where the next chunk's own characters would make it too long."""
    own, spans = document_of(texts), list(zip(texts.chunking.start.tolist(), texts.chunking.end.tolist(), strict=True))
    parents: list[list[int]] = []
    for c in range(len(own)):
        text = texts.corpus.documents[own[c]].text
        with_it = [*parents[-1], c] if parents and own[parents[-1][0]] == own[c] else []
        reach, total = 0, 0
        for member in with_it:
            start, end = spans[member]
            total += count_tokens(text[max(start, min(reach, end)) if member != with_it[0] else start : end])
            reach = max(reach, end)
        if with_it and total <= size:
            parents[-1].append(c)
        else:
            parents.append([c])
    return lambda c: next(set(p) for p in parents if c in p)


@settings(max_examples=60, deadline=None)
@given(made=cuts(), before=st.integers(0, 3), after=st.integers(0, 3), size=st.integers(1, 12), data=st.data())
def test_the_first_k_passages_are_the_first_k_hits_with_what_goes_with_them(
    made: tuple[ChunkTexts, list[float]], before: int, after: int, size: int, data: Any
) -> None:
    texts, scores = made
    removed = set(data.draw(st.lists(st.integers(0, max(len(scores) - 1, 0)), max_size=2))) if scores else set()
    for retriever, whole in (
        (Expand(Scored(*scores), before, after), neighbours(texts, before, after)),
        (Parent(Scored(*scores), size), family(texts, size)),
        (Merge(Scored(*scores)), lambda c: {c}),
    ):
        index = retriever.index(texts, None, no_progress)
        found = index.what_if(["q"], [Edit(frozenset(removed))], max(len(scores), 1))
        expected = list(naive(texts, scores, removed, whole))
        assert [set(p) for p in passages(found)] == [new for _, new in expected]
        values = [s for _, s in row(found)]
        assert values == sorted(values, reverse=True)
        n = numbered(found[1])[0]
        for k in range(1, len(expected) + 1):
            length = Packing(texts.corpus, texts.chunking, k, 0, passages=True).fits(found[0][0], Edit(), found[1][0])
            assert length == sum(len(new) for _, new in expected[:k]) == int((n[: len(values)] <= k).sum())
        for p, (hit, _) in zip(passages(found), expected, strict=True):
            away = [abs(c - hit) for c in p]
            assert away == sorted(away), "the nearest first"
        for depth in range(1, len(values) + 1):
            assert row(index.what_if(["q"], [Edit(frozenset(removed))], depth)) == row(found)[:depth]


@settings(max_examples=100, deadline=None)
@given(made=cuts(), budget=st.integers(1, 30))
def test_a_budget_takes_passages_until_the_next_chunk_would_exceed_it(made: tuple[ChunkTexts, list[float]], budget: int) -> None:
    texts, scores = made
    found = Expand(Scored(*scores)).index(texts, None, no_progress).search(["q"], max(len(scores), 1))
    order = [p for p, _ in row(found)]
    chunking = texts.chunking
    spans = [Span(int(chunking.document[c]), int(chunking.start[c]), int(chunking.end[c])) for c in order]

    def tokens(n: int) -> int:  # each word is one letter
        return sum(1 for d, c in characters(spans[:n]) if texts.corpus.documents[d].text[c] != " ")

    fitting = [n for n in range(1, len(order) + 1) if tokens(n) <= budget or n == 1]
    taken = max((n for n in fitting if set(range(1, n + 1)) <= set(fitting)), default=0)
    assert Packing(texts.corpus, chunking, 5, budget, passages=True).fits(found[0][0], Edit(), found[1][0]) == taken


# Specs.


@pytest.mark.parametrize(
    "spec",
    [
        "expand(bm25)",
        "expand(hybrid)",
        "expand(bm25, before=0, after=2)",
        "parent(bm25, size=300)",
        "parent(dedupe(bm25), within=section)",
        "merge(hybrid(bm25, lsa))",
    ],
)
def test_specs_make_themselves_again(spec: str) -> None:
    made = make("retrievers", spec)
    assert spec_of(made) == spec and make("retrievers", spec_of(made, full=True)) == made


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("expand(bm25, before=-1)", "before and after must be 0 or more, not -1"),
        ("expand(bm25, after=-2)", "before and after must be 0 or more, not -2"),
        ("parent(bm25, size=0)", "size must be 1 or more tokens, not 0"),
        ("parent(bm25, within=page)", "within"),
        ("expand(bm25, size=3)", "expand has no parameter 'size'"),
        ("merge(bm25, dense)", "merge takes no retriever"),
    ],
)
def test_bad_specs(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        make("retrievers", spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "dedupe(expand(bm25))",
        "mmr(latest(parent(bm25)))",
        "hybrid(expand(bm25), lsa)",
        "expand(merge(bm25))",
        "parent(hybrid(bm25, dedupe(merge(lsa))))",
    ],
)
def test_what_is_handed_over_is_decided_last(spec: str) -> None:
    for options in (Options(retriever=spec), Options(retriever="expand(bm25)", swap=spec)):
        with pytest.raises(SpecError, match="write expand, parent or merge outermost") as caught:
            Plan(options)
        assert "\n" not in str(caught.value) and str(caught.value).startswith(spec)
    shown = CliRunner().invoke(main, ["audit", str(TIDEWATER / "corpus"), str(TIDEWATER / "queries.jsonl"), "--retriever", spec])
    assert shown.exit_code == 2 and shown.output.count("\n") <= 2 and "outermost" in shown.output


def test_a_swap_hands_over_as_the_audited_retriever_does() -> None:
    assert spec_of(Plan(Options(retriever="expand(bm25, after=2)", swap="lsa")).swap) == "expand(lsa, after=2)"
    assert spec_of(Plan(Options(retriever="expand(bm25)", swap="parent(lsa)")).swap) == "parent(lsa)"
    with pytest.raises(SpecError, match=r"--swap expand\(lsa\) hands over passages.*write --swap lsa") as caught:
        Plan(Options(retriever="bm25", swap="expand(lsa)"))
    assert "\n" not in str(caught.value)


# Below them, an index that misses texts.


class Missing(ScoredIndex):
    """Misses what `exact` finds, unless it is asked for `enough`."""

    def __init__(self, scores: Any, missed: Sequence[int], enough: int) -> None:
        super().__init__(scores)
        self.whole, self.enough = ScoredIndex(scores), enough
        self.narrow = ScoredIndex(np.where(np.isin(np.arange(len(scores)), missed), 0, scores))

    def search(self, queries: Sequence[str], depth: int) -> Any:
        self.depths.append(depth)
        return (self.whole if depth >= self.enough else self.narrow).search(queries, depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> Any:
        self.depths.append(depth)
        return (self.whole if depth >= self.enough else self.narrow).what_if(queries, edits, depth)

    def exact(self) -> ScoredIndex:
        return self.whole


def expanding(inner: ScoredIndex) -> Any:
    return Expand(Scored(*inner.scores)).index(EIGHT, None, no_progress).over(inner)


def test_an_approximate_index_is_asked_below_the_passages() -> None:
    inner = Missing(np.array([0, 0, 9.0, 0, 0, 8, 0, 7]), [2], enough=4)
    index = expanding(inner)
    assert EXACT in exact_swap(index)
    asked = as_asked(index, Packing(EIGHT.corpus, EIGHT.chunking, 2, 0, passages=True))
    assert passages(asked.search(["q"], 8)) == [[5, 6], [7], [2, 3, 1]], "what a search for 2 finds, then what a deeper one does"
    assert passages(asked.what_if(["q"], [Edit(frozenset({6}))], 8)) == [[5], [7], [2, 3, 1]]
    exactly = exact_swap(index)[EXACT]()
    assert passages(exactly.search(["q"], 8)) == [[2, 3, 1], [5, 6], [7]]


def test_a_budget_asks_an_approximate_index_for_no_more_than_its_passages_need() -> None:
    # Passages of 5, 6 and 7 have 6 tokens: a budget of 5 is full with the first result, and nobody would ask for more.
    inner = Missing(np.array([0, 0, 9.0, 0, 0, 7, 8, 0]), [2], enough=3)
    asked = as_asked(expanding(inner), Packing(EIGHT.corpus, EIGHT.chunking, 5, 5, passages=True))
    found = asked.search(["q"], 8)
    assert passages(found) == [[6, 7, 5], [2, 3, 1]]
    wide = Packing(EIGHT.corpus, EIGHT.chunking, 5, 60, passages=True)
    assert passages(as_asked(expanding(inner), wide).search(["q"], 8))[0] == [2, 3, 1], "room for all: it is asked for all"


# In an audit.


@functools.cache
def audited(retriever: str, **options: Any) -> Audit:
    return run_audit(TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", Options(retriever=retriever, cache=None, **options))


def covered(audit: Audit, q: int, spans: Sequence[Span]) -> bool:
    """Whether spans hold one alternative of each group of a query, white space aside."""
    held, evidence = characters(spans), audit.labels.evidence
    rows = np.flatnonzero(evidence.query == q)
    groups: dict[int, list[bool]] = {}
    for r in rows.tolist():
        d, a, b = int(evidence.document[r]), int(evidence.start[r]), int(evidence.end[r])
        text = audit.corpus.documents[d].text
        groups.setdefault(int(evidence.group[r]), []).append(all((d, c) in held or text[c].isspace() for c in range(a, b)))
    return all(map(any, groups.values()))


@pytest.fixture(scope="module", params=[{"k": 3}, {"budget": 600}], ids=["k", "budget"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    return dict(request.param)


@pytest.fixture(scope="module")
def plain() -> Audit:
    return audited("bm25", k=3, swap="none")


@pytest.fixture(scope="module")
def wide(size: dict[str, int]) -> Audit:
    return audited("expand(bm25)", swap="none", **size)


def test_an_audit_scores_the_spans_that_the_prompt_holds(wide: Audit, size: dict[str, int]) -> None:
    chunking, texts = wide.scorer.chunking, wide.scorer.texts
    for q, result in enumerate(wide.report.queries):
        chunks = wide.run.chunks[q, : wide.lengths[q]].tolist()
        spans = joined([Span(int(chunking.document[c]), int(chunking.start[c]), int(chunking.end[c])) for c in chunks])
        assert texts.handed_over(wide.run, q, int(wide.lengths[q])) == [
            wide.corpus.documents[s.document].text[s.start : s.end] for s in spans
        ]
        if result.served is not None and wide.labels.level[q] == "span":
            assert result.served == covered(wide, q, spans)
        total = sum(count_tokens(wide.corpus.documents[s.document].text[s.start : s.end]) for s in spans)
        if "budget" in size:
            assert total <= size["budget"] or len(chunks) == 1
        else:
            assert int(numbered(wide.run.scores)[q, wide.lengths[q] - 1]) == size["k"]


def test_the_chunks_found_are_those_of_the_retriever_below(plain: Audit) -> None:
    wide = audited("expand(bm25)", k=3, swap="none")
    for q, result in enumerate(plain.report.queries):
        found = plain.run.chunks[q][: plain.lengths[q]].tolist()
        assert set(found) <= set(wide.run.chunks[q].tolist())
        assert result.served is not True or wide.report.queries[q].served, "nothing is lost by more of the same"
    assert sum(q.served is True for q in wide.report.queries) > sum(q.served is True for q in plain.report.queries)
    assert wide.report.pipeline.retriever == "expand(bm25)" and "expand(bm25(" in wide.report.signature
    assert "before=1, after=1" in wide.report.signature


def test_the_least_k_is_one_of_passages(wide: Audit, size: dict[str, int]) -> None:
    if "budget" in size:
        return
    ks = {q.least_k for q in wide.report.queries if q.served is False and q.least_k}
    k = min(ks)
    served = [q.id for q in wide.report.queries if q.served is False and q.least_k == k]
    again = {q.id: q.served for q in audited("expand(bm25)", swap="none", k=k).report.queries}
    fewer = {q.id: q.served for q in audited("expand(bm25)", swap="none", k=k - 1).report.queries}
    assert served and all(again[q] for q in served) and not any(fewer[q] for q in served)
    for result in wide.report.queries:
        assert result.served is not True or (result.least_k or math.inf) <= size["k"]
        for finding in result.findings:
            assert finding.before.k == result.least_k or finding.cause not in ("ranking", "word_gap")


@pytest.mark.slow
def test_an_audit_without_neighbours_is_the_audit_of_the_retriever_below(plain: Audit) -> None:
    for spec in ("expand(bm25, before=0, after=0)", "merge(bm25)", "parent(bm25, size=1)"):
        same = audited(spec, k=3, swap="none")
        assert [q.served for q in same.report.queries] == [q.served for q in plain.report.queries]
        assert [q.least_k for q in same.report.queries] == [q.least_k for q in plain.report.queries]
        assert same.report.pipeline.context_tokens == plain.report.pipeline.context_tokens


def test_prompts_hold_passages_as_one_text_each(tmp_path: Path) -> None:
    out = tmp_path / "prompts.jsonl"
    command = ["prompts", str(TIDEWATER / "corpus"), str(TIDEWATER / "queries.jsonl"), "--condition", "retrieved"]
    command += ["--retriever", "expand(bm25)", "-k", "2", "--cache", str(tmp_path / "cache"), "--out", str(out)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    wide = audited("expand(bm25)", k=2, swap="none")
    ids = [q.id for q in wide.labels.queries]
    prompt = next(r["prompt"] for r in rows if r["query_id"] == "tw-21")
    texts = wide.scorer.texts.handed_over(wide.run, ids.index("tw-21"), int(wide.lengths[ids.index("tw-21")]))
    assert len(texts) == 2 < wide.lengths[ids.index("tw-21")]
    assert "[3]" not in prompt and all(f"[{i}] {text.strip()}" in prompt for i, text in enumerate(texts, 1))


def test_reports_and_explain(tmp_path: Path) -> None:
    wide = audited("expand(bm25)", k=3, swap="none")
    file = tmp_path / "report.json"
    common = [
        str(TIDEWATER / "corpus"),
        str(TIDEWATER / "queries.jsonl"),
        "--retriever",
        "expand(bm25)",
        "-k",
        "3",
        "--swap",
        "none",
    ]
    assert CliRunner().invoke(main, ["audit", *common, "--no-cache", "--json", str(file)]).exit_code == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["pipeline"]["retriever"], report["pipeline"]["k"]) == ("expand(bm25)", 3)
    assert {q["id"]: q["least_k"] for q in report["queries"]} == {q.id: q.least_k for q in wide.report.queries}
    story = explain(wide, "tw-21")
    shown = [chunk for chunk in story.ranking if chunk.in_context]
    assert len({chunk.score for chunk in shown}) == 3 < len(shown)
    told = CliRunner().invoke(main, ["explain", *common[:2], "tw-21", *common[2:], "--no-cache"])
    assert told.exit_code == 0 and f"the first {len(shown)} chunks" in told.output


@pytest.mark.slow
def test_swaps_hand_over_passages_too() -> None:
    wide = audited("expand(bm25)", k=3, swap="lsa")
    assert wide.report.pipeline.swaps == ("lsa",)
    other = {q.id: q.served for q in audited("expand(lsa)", k=3, swap="none").report.queries}
    asked = {q.id: f.after.sufficient for q in wide.report.queries for f in q.findings if f.cause == "other_retriever"}
    assert asked and asked == {q: other[q] for q in asked}


@pytest.mark.slow
def test_comparing_counts_what_passages_share_once(tmp_path: Path) -> None:
    cut = "fixed(size=40, overlap=20)"
    found = compare(
        TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", chunkers=(cut,), retrievers=("expand(bm25)", "bm25"), k=3,
        cache=tmp_path, causes=False,
    )  # fmt: skip
    wide, plain = found.cells
    audit = audited("expand(bm25)", chunker=cut, k=3, swap="none")
    decided = [q for q, result in enumerate(audit.report.queries) if result.served is not None]
    spans = [joined([audit.scorer.texts.span(c) for c in audit.run.chunks[q, : audit.lengths[q]].tolist()]) for q in decided]
    tokens = [sum(count_tokens(audit.corpus.documents[s.document].text[s.start : s.end]) for s in of_query) for of_query in spans]
    assert wide.curve[2] == pytest.approx(np.mean(wide.tokens[decided])) == pytest.approx(np.mean(tokens), rel=0.02)
    assert [int(k) or None for k in wide.least_k[decided]] == [audit.report.queries[q].least_k for q in decided]
    assert plain.curve[2] == pytest.approx(120, rel=0.05)
