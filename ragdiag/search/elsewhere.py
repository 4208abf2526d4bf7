"""Rankings that somebody else made: a recorded run, or the team's own search, which may be asked on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Corpus, IntArray, Labels, Query
from ragdiag.scoring.packing import Packing
from ragdiag.search.asked import AskedIndex, by_cosine
from ragdiag.search.asking import Asking, searched, tried_again
from ragdiag.search.binding import Bound, bind
from ragdiag.search.inventory import inventory
from ragdiag.search.latency import Clock
from ragdiag.search.named import encoder_of_model
from ragdiag.search.recorded import recorded
from ragdiag.search.retrieved import Retrieved, Source
from ragdiag.search.runs import Rankings, cut_short
from ragdiag.search.searches import search_depth
from ragdiag.search.stages import longer
from ragdiag.search.surroundings import Surroundings
from ragdiag.search.unplaced import kept
from ragdiag.sources.chunks import Placed

__all__ = ["Given", "of_run", "of_search"]

DEFAULT = "default"
"""The `search_model` that is the one of `dense` without a model."""


NO_MODEL = "no text can be added to a search: if it ranks by the cosine, name what embeds for it (--search-model), and one can"


class Given(NamedTuple):
    """Documents, queries and labels of an audit, and the team's own chunks where they are given.

    `corpus` is `whole`, or the part of it that is audited; `own`, and `labels`, are of that part.
    """

    whole: Corpus
    corpus: Corpus
    queries: Sequence[Query]
    labels: Labels | None
    own: Placed | None


def of_run(options: Options, given: Given) -> Retrieved:
    """The rankings of a recorded run; with the chunks that it ranks it can be asked what a ranking tells. Raises as `bind`."""
    file, clock = Path(str(options.run)), Clock()
    with clock("read run"):
        ranked = recorded(file, given.queries, options.ties, given.corpus is not given.whole)
        bound = _bound(ranked, given)
    index = None if given.own is None else _index(options, given, bound, None)
    return _retrieved(options, given, ranked, bound, index, clock, Source("as in the run", None, f"run {file.name}"))


def of_search(options: Options, given: Given, surroundings: Surroundings, store: Store | None, progress: Progress) -> Retrieved:
    """The rankings of the team's own search: for a context first, then as deep as the measures look, or causes.

    Where its chunks are not given, they are taken from what it gives. A text that no document holds is kept, see `unplaced`.
    Raises as `searched` and `bind`.
    """
    asking, clock = Asking(options.search, options.calls, store), Clock()
    with clock("search"):
        context = 0 if options.budget else options.k
        ranked = searched(asking, given.queries, search_depth(options), progress, context)
        ranked = ranked._replace(notes=(*ranked.notes, *tried_again(asking, given.queries, search_depth(options), context)))
    try:
        return _of_asking(options, given, surroundings, asking, ranked, store, clock, progress)
    except InputError:  # what is in order is sorted out by none
        found = kept(ranked.rankings, given.whole)
        whole, corpus = found.within(given.whole), found.within(given.corpus)
        own = None if given.own is None else given.own._replace(chunking=found.beside(given.own.chunking, corpus))
        given = given._replace(whole=whole, corpus=whole if given.corpus is given.whole else corpus, own=own)
        ranked = Rankings(found.rankings, (*ranked.notes, *found.notes))
    return _of_asking(options, given, surroundings, asking, ranked, store, clock, progress)


def _of_asking(
    options: Options,
    given: Given,
    surroundings: Surroundings,
    asking: Asking,
    ranked: Rankings,
    store: Store | None,
    clock: Clock,
    progress: Progress,
) -> Retrieved:
    """What a search ranked, and the index that it is."""
    if options.calls and given.own is None and given.labels is not None:
        with clock("take inventory"):
            own = inventory(asking, ranked.rankings, given.whole, given.corpus, given.labels, search_depth(options), progress)
        given = given._replace(own=own)
    bound = _bound(ranked, given, 0 if options.budget or not asking.takes_k else options.k)
    index = _index(options, given, bound, asking) if options.calls else None
    if index is not None and options.search_model and not asking.varies:
        encoder = encoder_of_model("" if options.search_model == DEFAULT else options.search_model)
        with clock("embed"):
            texts = surroundings.texts(given.corpus, bound.chunking, progress)
            index, said = by_cosine(index, encoder, texts, bound.chunking.document, store)
        ranked = ranked._replace(notes=(*ranked.notes, *surroundings.notes(given.corpus, bound.chunking), *said))
    elif index is not None:
        ranked = ranked._replace(notes=(*ranked.notes, NO_MODEL))
    return _retrieved(options, given, ranked, bound, index, clock, Source("as in the search", None, asking.name))


def _bound(ranked: Rankings, given: Given, context: int = 0) -> Bound:
    part_of = None if given.corpus is given.whole else given.whole
    chunks = given.own.chunking if given.own else None
    return bind(ranked.rankings, given.queries, given.corpus, chunks, part_of, given.labels, context)


def _index(options: Options, given: Given, bound: Bound, asking: Asking | None) -> AskedIndex:
    """What was ranked, as an index that can be asked."""
    known, staged = dict[str, IntArray](), set[str]()
    for q, query in enumerate(given.queries):
        row = bound.run.chunks[q]
        if query.text.strip() and q not in bound.run.failed:
            known.setdefault(query.text, row[row >= 0])
            staged |= {query.text} if q in bound.run.stages else set()
    packing = Packing(given.corpus, bound.chunking, options.k, options.budget)
    return AskedIndex(known, frozenset(staged), bound.numbered, asking, packing, search_depth(options))


def _retrieved(
    options: Options, given: Given, ranked: Rankings, bound: Bound, index: AskedIndex | None, clock: Clock, source: Source
) -> Retrieved:
    cut = cut_short(ranked.rankings, search_depth(options), len(bound.chunking), recorded=bool(options.run))
    prompts = [len(stages["prompted"]) for stages in bound.run.stages.values() if "prompted" in stages]
    more: Iterable[str] = () if options.budget else longer(prompts, options.k)
    notes = (*(given.own.notes if given.own else ()), *ranked.notes, *cut, *more, *bound.notes)
    return Retrieved(bound.chunking, bound.run, source, index, notes, clock.seconds, given.corpus)
