"""The configurations among which `tune` searches: every combination of a few axes, and what the causes point to besides."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, get_args

from ragdiag.core.errors import InputError
from ragdiag.core.files import read_text
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Chunking, Corpus
from ragdiag.core.registry import make, spec_of
from ragdiag.search.nested import collection_of
from ragdiag.sources.chunks import cut, embed_texts
from ragdiag.text.analysis import Stem
from ragdiag.text.languages import language_of

__all__ = ["Space", "read_space", "usual_spaces"]

SIZES = (0.4, 0.6, 1.0, 2.0)
"""Of the chunks, in those of the baseline."""

FUSIONS = ("", ", weights=(0.7, 0.3)", ", fusion=weighted")
"""Ways to fuse a search by words with one by meaning."""

STEPS = ("", "expand(before=1, after=1)", "expand(before=1, after=2)")
"""What is handed over beside the chunks found."""

CONTEXTS = ("title", "heading")
"""What may be embedded with a chunk, where documents have it."""

SAMPLED = 50
"""Documents by which it is told whether they do."""


class Space(NamedTuple):
    """Axes: each is a list of specs. A step is written without the retriever that it works on; "" is no step."""

    chunker: tuple[str, ...]
    context: tuple[str, ...]
    retriever: tuple[str, ...]
    step: tuple[str, ...]

    def configurations(self, base: Options) -> list[Options]:
        """Every combination, as changes of `base`; those that cut alike stand together. Raises `SpecError` for a bad spec."""
        return list(dict.fromkeys(self._combined(base)))

    def _combined(self, base: Options) -> Iterator[Options]:
        cuts = [dataclasses.replace(base, chunker=spec, chunks=None) for spec in self.chunker] or [base]
        for cut_so, context in product(cuts, self.context or (base.context,)):
            for retriever, step in product(self.retriever or (base.retriever,), self.step or ("",)):
                yield dataclasses.replace(cut_so, context=context, retriever=_within(step, retriever))


def _within(step: str, retriever: str) -> str:
    """``expand(after=2)`` and ``bm25`` as ``expand(bm25, after=2)``, in the usual spelling."""
    if not step:
        return spec_of(make("retrievers", retriever))
    name, _, parameters = step.partition("(")
    return spec_of(make("retrievers", f"{name}({retriever}, {parameters}" if parameters else f"{name}({retriever})"))


def usual_spaces(base: Options, corpus: Corpus) -> tuple[Space, ...]:
    """Other sizes, retrievers and steps than those of `base`, and other contexts with chunks of its own size.

    Its own chunks, or those of a collection, stay as they are.
    """
    own = spec_of(make("retrievers", base.retriever))
    if collection_of(make("retrievers", base.retriever)) is not None:
        return (Space((), (), (own, f"hybrid(bm25, {own})"), STEPS),)
    language = language_of(corpus)
    words = f"bm25(stem={language})" if language and language in get_args(Stem) else "bm25"
    fused = [f"hybrid({words}, dense{how})" for how in FUSIONS]
    usual = [spec_of(make("retrievers", spec)) for spec in (*fused, "dense", words)]
    sizes = () if base.chunks else tuple(_sizes(base.chunker))
    contexts = tuple(_contexts(base, corpus))
    known = [Space(sizes, (), tuple(dict.fromkeys([own, *usual])), STEPS)]
    if contexts:
        known.append(Space((), contexts, tuple(dict.fromkeys([own, usual[0]])), STEPS))
    return tuple(known)


def _sizes(chunker: str) -> Iterator[str]:
    """A chunker in several sizes; as it is where it has none."""
    strategy = make("chunkers", chunker)
    size = getattr(strategy, "size", None)
    for times in SIZES if isinstance(size, int) else ():
        other = max(round((size or 0) * times), 1)
        overlap = {"overlap": round(strategy.overlap * times)} if getattr(strategy, "overlap", 0) else {}
        yield spec_of(dataclasses.replace(strategy, size=other, **overlap))
    if not isinstance(size, int):
        yield spec_of(strategy)


def _contexts(base: Options, corpus: Corpus) -> Iterator[str]:
    """The kinds of context that add something to the chunks of most documents of a sample, each something else."""
    if base.context != "none":
        return
    sample = dataclasses.replace(corpus, documents=corpus.documents[:: max(len(corpus.documents) // SAMPLED, 1)])
    chunking = cut(sample, make("chunkers", "sentence"), no_progress)
    known = [embed_texts(sample, chunking, make("contexts", "none"))]
    for kind in CONTEXTS:
        told = embed_texts(sample, chunking, make("contexts", kind))
        if all(_mostly_other(told, texts, chunking, len(sample.documents)) for texts in known):
            known.append(told)
            yield kind


def _mostly_other(one: Sequence[str], other: Sequence[str], chunking: Chunking, n_documents: int) -> bool:
    """Whether some chunk differs in most documents."""
    differ = {d for d, a, b in zip(chunking.document.tolist(), one, other, strict=True) if a != b}
    return 2 * len(differ) > n_documents


def read_space(file: str | Path) -> Space:
    """Axes from a file of TOML: lists of specs named ``chunker``, ``context``, ``retriever`` and ``step``; any may be left out.

    Raises `InputError` for what is no such file.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    remedy = 'write lists such as retriever = ["bm25", "hybrid"]'
    try:
        axes = tomllib.loads(read_text(Path(file)))
    except (ValueError, RecursionError) as e:
        raise InputError(f"broken TOML: {e}", file, remedy="mend it") from e
    if unknown := next((name for name in axes if name not in Space._fields), ""):
        raise InputError(f"no axis is called {unknown!r}", file, remedy=f"name them {', '.join(Space._fields)}")
    for name, specs in axes.items():
        if not (isinstance(specs, list) and specs and all(isinstance(spec, str) for spec in specs)):
            raise InputError(f"{name} must be a list of specs", file, remedy=remedy)
    return Space(*(tuple(axes.get(name, ())) for name in Space._fields))
