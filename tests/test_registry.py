"""Specs and strategies: what one writes is what one gets, and errors tell what to write."""

import contextlib
import dataclasses
import importlib
import importlib.metadata
import re
import subprocess
import sys
import types
import typing
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Optional

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from ragdiag.core.errors import MissingExtra, RagdiagError, SpecError
from ragdiag.core.registry import LARGEST, make, name_of, names, require, spec_of, strategy_class
from ragdiag.pipeline import audit
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.search.retrievers.lsa import Lsa

TINY = Path(__file__).parents[1] / "fixtures" / "tiny"
LIGHT = {"bm25", "dedupe", "expand", "latest", "lsa", "merge", "mmr", "parent"}
"""Retrievers that need neither a model nor a store."""

FAMILIES = ["chunkers", "contexts", "retrievers"]
ALL = [(family, name) for family in FAMILIES for name in names(family)]

WORDS = st.text(max_size=12) | st.sampled_from(["None", "True", "if", "ﬁ", "a b", "C:\\new", "'\"", "x=1", "0", "lambda", "\n"])
VALUES = {
    int: st.integers(0, 300) | st.integers(-(10**20), 10**20),
    float: st.floats(0, 1) | st.floats(-1e29, 1e29),
    str: WORDS,
    bool: st.booleans(),
    types.NoneType: st.none(),
}


URLS = WORDS | st.sampled_from(["http://127.0.0.1:9200", "https://store.example", "http://[::1]:9200"])


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values for a parameter of the type `hint`."""
    if typing.get_origin(hint) is types.UnionType:
        return st.one_of([values(kind) for kind in typing.get_args(hint)])
    if typing.get_origin(hint) is Literal:
        return st.sampled_from(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return st.lists(values(typing.get_args(hint)[0]), max_size=3).map(tuple)
    return VALUES[hint]


@st.composite
def instances(draw: st.DrawFn, cls: Any, inner: st.SearchStrategy[Any] | None = None) -> Any:
    """Strategies of a class with random parameters; those that work on others take them from `inner`."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    chosen = {}
    if getattr(cls, "nests", False):
        several = typing.get_origin(hints[fields[0].name]) is tuple
        inner = instances(Bm25) if inner is None else inner
        chosen[fields[0].name] = draw(st.lists(inner, min_size=2, max_size=3).map(tuple) if several else inner)
        fields = fields[1:]
    for field in fields:
        if field.default is field.default_factory is dataclasses.MISSING or draw(st.booleans()):
            chosen[field.name] = draw(URLS if field.name == "url" else values(hints[field.name]))
    try:
        return cls(**chosen)
    except SpecError:  # a value that the strategy itself refuses
        reject()


LEAVES = instances(Bm25) | instances(Dense) | instances(Lsa)
NESTED = st.recursive(LEAVES, lambda inner: instances(Hybrid, inner), max_leaves=6)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), ALL)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_spec_makes_its_strategy_again(family: str, name: str, data: st.DataObject) -> None:
    strategy = data.draw(instances(strategy_class(family, name)))
    for full in (False, True):
        spec = spec_of(strategy, full)
        assert make(family, spec) == strategy
        assert spec_of(make(family, spec), full) == spec
        assert spec.split("(")[0] == name


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(strategy=NESTED)
def test_a_nested_spec_makes_its_strategies_again(strategy: Any) -> None:
    for full in (False, True):
        assert make("retrievers", spec_of(strategy, full)) == strategy


@pytest.mark.parametrize(("family", "name"), ALL)
def test_a_strategy_is_documented_and_cannot_change(family: str, name: str) -> None:
    cls = strategy_class(family, name)
    assert dataclasses.is_dataclass(cls)
    assert cls.__doc__
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert name_of(cls) == name


def test_names() -> None:
    assert {"fixed", "sentence", "paragraph", "section", "recursive"} <= set(names("chunkers"))
    assert {"none", "title", "heading", "neighbours"} <= set(names("contexts"))
    assert {"bm25", "dense", "lsa", "hybrid"} <= set(names("retrievers"))
    assert not any(n.startswith("_") for family in FAMILIES for n in names(family))


@pytest.mark.parametrize(
    ("spec", "strategy"),
    [
        ("bm25", Bm25()),
        (" bm25() ", Bm25()),
        ("bm25(k1=2)", Bm25(k1=2.0)),
        ("bm25(variant=plus, delta=None, analyzer=words, stem='', stop='', parts=False)", Bm25("plus")),
        ('bm25(variant="l", delta=0.7)', Bm25("l", delta=0.7)),
        ('dense(model="a/b c")', Dense("a/b c")),
        ("dense(model=name)", Dense("name")),
        (r'dense(model="C:\models")', Dense(r"C:\models")),
        ("hybrid", Hybrid()),
        ("hybrid(bm25, lsa)", Hybrid((Bm25(), Lsa()))),
        ("hybrid(bm25(k1=2), hybrid(lsa, bm25), k=5)", Hybrid((Bm25(k1=2.0), Hybrid((Lsa(), Bm25()))), k=5)),
        ("hybrid(bm25, lsa, fusion=weighted, weights=(1, 2))", Hybrid((Bm25(), Lsa()), "weighted", weights=(1.0, 2.0))),
        ("hybrid(bm25, lsa, weights=[0.3, 0.7])", Hybrid((Bm25(), Lsa()), weights=(0.3, 0.7))),
    ],
)
def test_make(spec: str, strategy: Any) -> None:
    assert make("retrievers", spec) == strategy


@pytest.mark.parametrize(
    ("strategy", "spec", "full"),
    [
        (
            Bm25(),
            "bm25",
            "bm25(variant=okapi, k1=1.5, b=0.75, epsilon=0.25, delta=None, analyzer=words, stem='', stop='', parts=False)",
        ),
        (Lsa(seed=3), "lsa(seed=3)", "lsa(dimensions=256, seed=3)"),
        (Dense("if"), "dense(model='if')", "dense(model='if', precision=auto)"),
        (Hybrid(k=10), "hybrid(k=10)", None),
        (Hybrid((Lsa(), Bm25())), "hybrid(lsa, bm25)", None),
    ],
)
def test_spec_of(strategy: Any, spec: str, full: str | None) -> None:
    assert spec_of(strategy) == spec
    if full:
        assert spec_of(strategy, full=True) == full


ERRORS = [
    ("bm26", "unknown retriever 'bm26'; did you mean 'bm25'? (known: bm25, "),
    ("_vectors", "unknown retriever '_vectors'"),
    ("", "cannot read spec ''; write name or name(parameter=value)"),
    ("bm25(", "cannot read spec 'bm25('"),
    ("bm25 k1=2", "cannot read spec"),
    ("dense(model=a/b)", "dense: model must be a number, a word or a quoted text"),
    ("'bm25'", "cannot read spec"),
    ("os.system('x')", "cannot read spec"),
    ("bm25(k2=1)", "bm25 has no parameter 'k2' (known: analyzer, b, delta, epsilon, k1, parts, stem, stop, variant)"),
    ("bm25(epsilom=1)", "bm25 has no parameter 'epsilom'; did you mean 'epsilon'? (known: analyzer, b, "),
    ("bm25(**x)", "bm25 has no parameter '**'"),
    ("bm25(k1=1, k1=2)", "bm25: parameter 'k1' is given twice"),
    ("bm25(1.2)", "bm25: name the parameter, e.g. bm25(variant=...)"),
    ("bm25(*a)", "bm25: name the parameter"),
    ("bm25(k1=high)", "bm25: k1 must be a number, not 'high'"),
    ("bm25(k1=True)", "bm25: k1 must be a number, not True"),
    ("bm25(k1=1e999)", "bm25: k1 must be a number, not inf"),
    (f"bm25(k1={'9' * 400})", "bm25: k1 must be a number, not 999"),
    ("bm25(k1=1j)", "bm25: k1 must be a number, not 1j"),
    ("bm25(k1=-1)", "bm25: k1 must be 0 or more"),
    ("bm25(b=2)", "b from 0 to 1"),
    ("bm25(delta=-1)", "bm25: delta must be 0 or more, not -1.0"),
    ("bm25(delta=x)", "bm25: delta must be a number or None, not 'x'"),
    ("bm25(variant=Plus)", "bm25: variant must be okapi, plus, l, lucene, not 'Plus'"),
    ("bm25(variant=[1])", "bm25: variant must be okapi, plus, l, lucene, not [1]"),
    ("bm25(k1=__import__('os'))", "bm25: k1 must be a number, a word or a quoted text"),
    ("bm25(k1=[x for x in ()])", "bm25: k1 must be a number, a word or a quoted text"),
    ("dense(model=f'{1}')", "dense: model must be a number, a word or a quoted text"),
    ("bm25(k1=1 if 1 else 2)", "bm25: k1 must be"),
    ("dense(model=3)", "dense: model must be a word or a quoted text, not 3"),
    ("dense(model=b'x')", "dense: model must be a word or a quoted text, not b'x'"),
    ("lsa(dimensions=0)", "lsa: dimensions must be 1 or more"),
    ("lsa(dimensions=2.0)", "lsa: dimensions must be a whole number, not 2.0"),
    ("lsa(seed=-1)", "lsa: seed must be from 0"),
    ("bm25(lsa)", "bm25 takes no retriever as an argument here; write bm25(parameter=value)"),
    ("hybrid(bm25)", "hybrid needs two retrievers or more, e.g. hybrid(bm25, dense)"),
    ("hybrid(bm25, bm52)", "unknown retriever 'bm52'; did you mean 'bm25'?"),
    ("hybrid(bm25, lsa(dimension=3))", "lsa has no parameter 'dimension'; did you mean 'dimensions'?"),
    ("hybrid(retrievers=(1, 2))", "hybrid: write what it works on without 'retrievers'=, e.g. hybrid(bm25)"),
    ("hybrid(bm25, lsa, retrievers=x)", "hybrid: parameter 'retrievers' is given twice"),
    ("hybrid(bm25, lsa, weights=(1,))", "hybrid: weights must be 2 numbers of 0 or more, not all 0"),
    ("hybrid(bm25, lsa, weights=(0, 0))", "not all 0"),
    ("hybrid(bm25, lsa, weights=(1, x))", "hybrid: weights must be a number, a word or a quoted text"),
    ("hybrid(bm25, lsa, weights=('a', 'b'))", "hybrid: weights must be values such as (0.3, 0.7), not ('a', 'b')"),
    ("hybrid(bm25, lsa, weights=0.3)", "hybrid: weights must be values such as (0.3, 0.7), not 0.3"),
    ("hybrid(bm25, lsa, depth=0)", "depth 1 or more"),
    ("hybrid(" * 500 + ")" * 500, "cannot read spec"),
    ("bm25(k1=" + "-" * 50 + "1)", "bm25: k1 must be"),
    ("bm25\x00", "cannot read spec"),
]


@pytest.mark.parametrize(("spec", "message"), ERRORS, ids=[s[:30] for s, _ in ERRORS])
def test_errors_tell_what_to_write(spec: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        make("retrievers", spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_in_a_spec_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    for spec in ("bm25(k1=print('run'))", "print('run')", "dense(model=(lambda: print('run'))())", "hybrid(print('run'), bm25)"):
        with pytest.raises(SpecError):
            make("retrievers", spec)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.text("bm25hyrid(),=k1\"'[]*0.-", max_size=30))
def test_any_other_text_is_a_spec_error(spec: str) -> None:
    try:
        assert spec_of(make("retrievers", spec))
    except SpecError as e:
        assert len(str(e).splitlines()) == 1


# Strategies of other packages.


@dataclasses.dataclass(frozen=True)
class Theirs:
    """A retriever of another package, with an old-style type."""

    nests: ClassVar[bool] = True

    inner: Any = Bm25()  # noqa: RUF009
    cutoff: Optional[float] = None  # noqa: UP045


class Plain:
    """Not a dataclass."""


Offer = Callable[..., None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Entry points by name, as if packages that declare them were installed."""
    module = types.ModuleType("their_package")
    module.Theirs, module.Plain = Theirs, Plain  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "their_package", module)
    offered: list[importlib.metadata.EntryPoint] = []
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [e for e in offered if e.group == group])

    def add(family: str, **points: str) -> None:
        offered.extend(importlib.metadata.EntryPoint(name, value, f"ragdiag.{family}") for name, value in points.items())

    return add


def test_a_strategy_of_another_package(offer: Offer) -> None:
    offer("retrievers", theirs="their_package:Theirs")
    assert "theirs" in names("retrievers")
    assert "theirs" not in names("chunkers")
    assert make("retrievers", "theirs(bm25(k1=2), cutoff=1)") == Theirs(Bm25(k1=2.0), 1.0)
    assert make("retrievers", "hybrid(theirs, bm25)") == Hybrid((Theirs(), Bm25()))
    assert spec_of(Hybrid((Theirs(cutoff=0.5), Bm25()))) == "hybrid(theirs(bm25, cutoff=0.5), bm25)"
    assert make("retrievers", spec_of(Theirs(), full=True)) == Theirs()
    with pytest.raises(SpecError, match="did you mean 'theirs'"):
        make("retrievers", "their")
    with pytest.raises(SpecError, match="theirs: cutoff must be a number or None, not 'x'"):
        make("retrievers", "theirs(cutoff=x)")


def test_a_strategy_of_ours_is_not_replaced(offer: Offer) -> None:
    offer("retrievers", bm25="their_package:Theirs")
    assert make("retrievers", "bm25") == Bm25()
    assert names("retrievers").count("bm25") == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("their_package:Plain", r"retriever 'theirs' \(their_package:Plain\) is not a dataclass"),
        ("their_package:Missing", r"retriever 'theirs' \(their_package:Missing\) cannot be loaded: AttributeError"),
        ("no_such_package:X", r"retriever 'theirs' \(no_such_package:X\) cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_broken_strategy_of_another_package_is_named(offer: Offer, value: str, message: str) -> None:
    offer("retrievers", theirs=value)
    assert "theirs" in names("retrievers")  # nothing is loaded for a list of names
    with pytest.raises(SpecError, match=message):
        make("retrievers", "theirs")


def test_without_an_entry_point_a_name_is_the_class_s(offer: Offer) -> None:
    assert name_of(Theirs) == "theirs"
    assert name_of(Plain) == "plain"


# Optional packages.


def test_require_gives_the_module() -> None:
    assert require("json", "docs") is importlib.import_module("json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("no_such.module", "docs"),
            "no-such is not installed: pip install './ragdiag[docs]' (./ragdiag: your checkout of it, or its wheel)",
        ),
        (
            ("no_such", "dense", "choose bm25"),
            "no-such is not installed: "
            "pip install './ragdiag[dense]' (./ragdiag: your checkout of it, or its wheel), or choose bm25",
        ),
    ],
)
def test_require_names_the_pip_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(MissingExtra) as caught:
        require(*arguments)
    assert str(caught.value) == message


def test_names_and_light_strategies_load_nothing_heavy() -> None:
    code = (
        "import sys; from ragdiag.core.registry import make, names;"
        "[names(f) for f in ('chunkers', 'contexts', 'retrievers')];"
        "make('retrievers', 'hybrid(bm25, dense)'); make('retrievers', 'faiss(path=x)');"
        "make('retrievers', 'lancedb(path=x, table=t)'); make('retrievers', 'qdrant(collection=c, path=x)');"
        "make('retrievers', 'milvus(collection=c, path=x)');"
        "make('chunkers', 'sentence');"
        "heavy = ('sklearn', 'torch', 'sentence_transformers', 'chromadb', 'tokenizers', "
        "'qdrant_client', 'pymilvus', 'lancedb', 'faiss');"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


NUMBERS = [
    (family, name, field.name)
    for family in ("retrievers", "chunkers", "contexts")
    for name in names(family)
    for field in dataclasses.fields(strategy_class(family, name))
    if field.init and {"int", "float"} & set(re.findall(r"\w+", str(field.type)))
]


@pytest.mark.parametrize(("family", "name", "field"), NUMBERS)
def test_the_largest_number_is_no_bug(family: str, name: str, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger is refused; what is not works, or is refused for a reason of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for larger in (LARGEST + 1, -LARGEST - 1, 10**400):
        with pytest.raises(SpecError, match=rf"^{name}: {field} must be (at most 10|a |one of|none|values such as)"):
            make(family, f"{name}({field}={larger})")
    if name in LIGHT or (family == "chunkers" and name != "semantic"):
        with contextlib.suppress(RagdiagError), warnings.catch_warnings():
            warnings.simplefilter("error")
            inner = "bm25, " if "nests" in vars(strategy_class(family, name)) else ""
            options = {"retriever": "bm25"} | {family[:-1]: f"{name}({inner}{field}={LARGEST})"}
            audit(TINY / "corpus.jsonl", TINY / "queries.jsonl", cache=None, swap="none", **options)
