"""The options of an audit, and of how answers are judged."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from ragdiag.core.errors import SpecError, UsageError, did_you_mean
from ragdiag.core.functions import load_object, names_function
from ragdiag.core.plain import plain
from ragdiag.core.registry import make

__all__ = ["NO_SWAP", "Judging", "Options", "check_jobs", "check_kind", "check_names", "several"]

NO_SWAP = "none"
"""The `swap` of an audit that puts queries to no other retriever."""

LARGEST_CONTEXT = 10**9
"""No context is larger, in chunks or in tokens."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How one audit is made: a *configuration* where several are compared.

    The command line has one option for each field, except those for Python alone. Raises `UsageError` for what no audit can use.
    """

    chunker: str = "sentence"
    context: str = "none"
    retriever: str = "hybrid"
    swap: str = ""  # the retriever that a mismatched query is put to instead; "": one that costs little, `NO_SWAP`: none
    chunks: str | Path | None = None
    run: str | Path | None = None
    qrels: str | Path | None = None
    k: int = 5
    budget: int = 0
    copies: Literal["count", "ignore"] = "count"
    only: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # kinds of what loaders leave out that stay in the text: `sources.omissions`
    exclude: tuple[str, ...] = ()  # patterns of files that are not read, as those of a .gitignore
    measures: tuple[str, ...] = ()
    ties: Literal["expected", "id"] = "expected"  # what rank measures make of results with equal scores
    seed: int = 0
    cache: str | Path | None = ""  # "": the default folder, None: no cache
    rewrite: Any = None  # rewrites failing questions: module:function, or in Python a function; see `search.rewriting`
    search: Any = None  # the team's own search, in place of a retriever: module:function, or in Python any; see `searches`
    search_model: str = ""  # what embeds for `search`, where that ranks by the cosine: then added texts can be placed
    calls: int = 1000  # of `search`, at most, beside those for the labelled queries: to prove causes; 0: it is not asked why
    own_chunks: tuple[object, ...] = ()  # Python: the team's own chunks, as a search may give them

    def __post_init__(self) -> None:
        self._check_kinds()
        if isinstance(self.search, str):
            if not names_function(self.search):
                raise SpecError(f"search must be 'module:function' (or the name of an object there), not {self.search!r}")
            object.__setattr__(self, "search", load_object(self.search, "search", "function or object"))
        self._check_values()
        if self.search_model and self.search is None:
            raise UsageError("search_model says what embeds for search: give search as well; a retriever names its own model")
        for one, other in (("run", "search"), ("chunks", "own_chunks")):
            if getattr(self, one) and getattr(self, other) not in (None, ()):
                raise UsageError(f"{one} and {other} are two answers to one question: give one")

    def _check_values(self) -> None:
        """Raise `UsageError` for a value that no audit can use."""
        if not 1 <= self.k <= LARGEST_CONTEXT:
            raise UsageError(f"k must be from 1 to {LARGEST_CONTEXT}, not {self.k}")
        if not 0 <= self.budget <= LARGEST_CONTEXT:
            raise UsageError(f"budget must be from 1 to {LARGEST_CONTEXT} tokens, not {self.budget}")
        for name in ("seed", "calls"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if self.copies not in ("count", "ignore"):
            raise UsageError(f"copies must be count or ignore, not {self.copies!r}")
        if self.ties not in ("expected", "id"):
            raise UsageError(f"ties must be expected or id, not {self.ties!r}")

    def _check_kinds(self) -> None:
        """Raise `UsageError` for a value of the wrong type."""
        for name in ("k", "budget", "seed", "calls"):
            object.__setattr__(self, name, plain(getattr(self, name)))  # a whole number of numpy is one
            check_kind(name, getattr(self, name), int)
        for name in ("chunker", "context", "retriever", "swap"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"{name} must be one spec, such as 'bm25(k1=1.2)'; to compare several: {name}s=[...]")
        for name in ("copies", "ties", "search_model"):
            check_kind(name, getattr(self, name), str)
        for name in ("chunks", "run", "qrels", "cache"):
            check_kind(name, getattr(self, name), str, Path, type(None))
        for name in ("only", "keep", "exclude", "measures", "own_chunks"):
            check_kind(name, getattr(self, name), tuple)
        if not (self.rewrite is None or isinstance(self.rewrite, str) or callable(self.rewrite)):
            raise SpecError(f"rewrite must be 'module:function' or a function, not a {type(self.rewrite).__name__}")

    @classmethod
    def given(cls, caller: Callable[..., object] | None = None, /, **options: Any) -> Options:
        """As Python code gives them: `chunks` may be the chunks themselves, in a list.

        Raises `UsageError` for an unknown option; its message suggests a near one, of these or of the keyword-only parameters of
        `caller`, the function that was called.
        """
        parameters = () if caller is None else inspect.signature(caller).parameters.values()
        of_caller = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        check_names(options, {f.name for f in dataclasses.fields(cls)}, of_caller)
        if isinstance(options.get("chunks"), (list, tuple)):
            options["own_chunks"] = tuple(options.pop("chunks"))
        for name in {"only", "keep", "exclude", "measures"} & options.keys():
            options[name] = several(name, options[name], str)
        return cls(**options)


READS = {
    "reference": "whether an answer is right by the query's reference",
    "contexts": "whether the recorded contexts hold what an answer states, right or not",
}
"""What judges tell, by what they read beside the answer: see `protocols.Judge`."""


def check_reads(option: str, spec: str, needed: str) -> None:
    """Raise `UsageError` where the judge of `spec` does not read what `option` needs, by `READS`; one that does not say may."""
    reads = getattr(make("judges", spec), "reads", needed)
    if reads != needed:
        other = "--support" if option == "--judge" else "--judge"
        what = f"{option} {spec} tells {READS[reads]}, not {READS[needed]}"
        raise UsageError(f"{what}; give it as {other}, and another judge as {option}")


@dataclasses.dataclass(frozen=True)
class Judging:
    """How answers are judged; the command line has one option for each field."""

    judge: str = "matcher"  # of answers without a label
    support: str = "grounded"  # of whether a context holds what an answer states
    format_rules: str | Path | None = None
    failed: Literal["failed", "wrong"] = "failed"  # what an attempt that gave no answer counts as
    blind: bool = False  # the judge speaks for labelled answers too
    answer_labels: tuple[str, ...] = ()  # files of what people say of answers

    def __post_init__(self) -> None:
        for name in ("judge", "support", "failed"):
            check_kind(name, getattr(self, name), str)
        check_kind("blind", self.blind, bool)
        check_kind("answer_labels", self.answer_labels, tuple)
        check_kind("format_rules", self.format_rules, str, Path, type(None))
        check_reads("--judge", self.judge, "reference")
        check_reads("--support", self.support, "contexts")
        if self.failed not in ("failed", "wrong"):
            raise UsageError(f"failed attempts count as failed or wrong, not {self.failed!r}")


def check_names(names: Iterable[str], known: Collection[str], also: Iterable[str] = ()) -> None:
    """Raise `UsageError` for a name that is not `known`; its message suggests a near one, of `known` or of `also`."""
    for name in names:
        if name not in known:
            raise UsageError(f"unknown option {name!r}{did_you_mean(name, {*known, *also})}")


PLAIN = {str: "a text", Path: "a path", int: "a whole number", float: "a number", bool: "True or False", tuple: "a list"}
"""How kinds of values are called in errors."""


def check_kind(name: str, value: object, *kinds: type) -> None:
    """Raise `UsageError` where the value of the option `name` is of none of `kinds`; True and False are no numbers."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(PLAIN[kind] for kind in kinds if kind in PLAIN and not (kind is str and Path in kinds))
        shown = repr(value)[:40] if isinstance(value, (str, int, float, type(None))) else f"a {type(value).__name__}"
        raise UsageError(f"{name} must be {expected}, not {shown}")


def check_jobs(jobs: object) -> None:
    """Raise `UsageError` for what is no number of joblib's jobs; None is as `parallel_config` says."""
    check_kind("jobs", jobs, int, type(None))
    if jobs == 0:
        raise UsageError("jobs must be 1 or more, or -1 for all processors")


def several(name: str, value: object, *kinds: type) -> tuple[Any, ...]:
    """The values of an option that takes several: of a list, or one alone. Raises `UsageError` for an item of none of `kinds`."""
    items = tuple(value) if isinstance(value, (list, tuple, set, frozenset, Iterator)) else () if value is None else (value,)
    for item in items if kinds else ():
        check_kind(f"each of {name}", item, *kinds)
    return items
