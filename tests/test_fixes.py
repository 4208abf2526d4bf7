"""What an audit says is to be done, and what `compare` tries, are one thing: each spec that a fix names is tried, and all that is
tried is named.
"""

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ragdiag.comparing.remedies import remedies
from ragdiag.core.options import Options
from ragdiag.core.registry import make, names
from ragdiag.diagnosis.modes import Mode, modes
from ragdiag.pipeline import run_audit
from ragdiag.search.changes import Audited, Fix, expanded, typed
from ragdiag.search.retrieval import Plan
from ragdiag.text.languages import language_of

ROOT = Path(__file__).parent.parent
TIDEWATER = ROOT / "fixtures" / "tidewater"
MODES = modes()

NO_SETTING = {
    "conflicting", "cross_language", "cut_off", "filtered_out", "follow_up", "foreign", "index_miss", "label_defect",
    "missing_content", "misspelt", "reranked_away", "unspecific", "vector_fault",
}  # fmt: skip
"""Modes against which no setting of ours does anything: nothing is tried."""

BASES = [
    Options(retriever="bm25"),
    Options(retriever="dense"),
    Options(retriever="hybrid"),
    Options(retriever="hybrid(bm25(stem=english), dense)"),
    Options(retriever="dedupe(bm25)"),
    Options(retriever="bm25", swap="lsa"),
    Options(retriever="expand(bm25)"),
    Options(retriever="parent(latest(hybrid), size=300)"),
    Options(retriever="merge(dense)", context="title"),
    Options(retriever="bm25", chunker="fixed(size=100)"),
    Options(retriever="bm25", chunker="recursive(size=200, overlap=40)"),
    Options(retriever="bm25", chunker="fixed(size=400, unit=characters)"),
    Options(retriever="hybrid", chunker="semantic", context="neighbours(tokens=20)"),
    Options(retriever="bm25", chunks="mine.jsonl"),
    Options(retriever='chroma(path="db", collection="docs")'),
    Options(run="mine.jsonl"),
]
LANGUAGES = ["english", "german", ""]
FIELDS = {"retriever": "retrievers", "chunker": "chunkers", "context": "contexts"}
FIGURES = dict.fromkeys("tokens tokens_now k depth times title kind name retriever said remedy".split(), 7)


def calls(text: str) -> Iterator[str]:
    """What is written as a call, parentheses matched: ``expand(bm25)``; not what stands inside another one."""
    at = 0
    while found := re.search(r"\b([a-z_]\w*)\(", text[at:]):
        start, end, depth = at + found.start(), at + found.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[start:end]
        at = end


def specs(text: str, retrievers: Iterable[str] = ("bm25", "dense", "hybrid", "lsa")) -> Iterator[tuple[str, str]]:
    """The settings that a text names, each with the field of `Options` that it is."""
    found = list(calls(text))
    for spec in found:
        yield "chunker" if spec.partition("(")[0] in names("chunkers") else "retriever", spec
        text = text.replace(spec, " ", 1)
    for option in ("context", "chunker"):
        for spec in re.findall(rf"--{option} (\w+)", text):
            yield option, spec
    yield from (("retriever", word) for word in re.findall(r"(?<!as )\b\w+\b", text) if word in retrievers)


def equal(family: str, one: str, other: str) -> bool:
    return bool(make(family, one) == make(family, other))


def test_specs_are_found_in_texts() -> None:
    assert list(specs("larger chunks: sentence(size=80) or fixed(size=3); or hand over x: expand(dedupe(bm25), after=2)")) == [
        ("chunker", "sentence(size=80)"), ("chunker", "fixed(size=3)"), ("retriever", "expand(dedupe(bm25), after=2)"),
    ]  # fmt: skip
    assert list(specs("search as dense does: dense or hybrid")) == [("retriever", "dense"), ("retriever", "hybrid")]
    assert list(specs("smaller: --chunker sentence with --context title (k 5)")) == [
        ("context", "title"),
        ("chunker", "sentence"),
    ]


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{base.chunker} {base.retriever}")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_spec_that_a_fix_names_is_tried(base: Options, language: str) -> None:
    for mode in MODES.values():
        tried = remedies(base, [mode.name], language)
        for fix in mode.fixes:
            text = fix.text(fix.specs(Audited(base, language)), **FIGURES)
            for field, spec in specs(text):
                make(FIELDS[field], spec)
                assert any(equal(FIELDS[field], getattr(changed, field), spec) for changed in tried), (mode.name, text)


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{base.chunker} {base.retriever}")
def test_all_that_is_tried_is_named(base: Options) -> None:
    """In a fix, or, where no proof speaks for it, as what is tried besides; and it can be made."""
    for mode in MODES.values():
        audited = Audited(base)
        said = {spec for fix in mode.fixes for spec in fix.specs(audited)}
        besides = {typed(base, changed) for change in mode.remedies for changed in change(audited)}
        for changed in remedies(base, [mode.name]):
            assert typed(base, changed) in said | besides
            different = {f.name for f in dataclasses.fields(base) if getattr(base, f.name) != getattr(changed, f.name)}
            assert different <= set(FIELDS) and (len(different) == 1 or different == {"chunker", "retriever"})
            Plan(dataclasses.replace(changed, cache=None))


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{base.chunker} {base.retriever}")
def test_what_is_no_setting_says_so(base: Options) -> None:
    assert {name for name, mode in MODES.items() if not mode.changes} == NO_SETTING
    for name in NO_SETTING:
        assert MODES[name].fixes and not any(fix.changes for fix in MODES[name].fixes)
        assert remedies(base, [name]) == {}
        texts = [fix.text(fix.specs(Audited(base)), **FIGURES) for fix in MODES[name].fixes]
        assert not [spec for text in texts for spec in calls(text)], "no spec is named that nothing would try"


def test_nothing_is_tried_where_somebody_else_ranks_or_cuts() -> None:
    for mode in MODES:
        assert remedies(Options(run="mine.jsonl"), [mode]) == {}
        for changed in remedies(Options(retriever="bm25", chunks="mine.jsonl"), [mode]):
            assert changed.chunker == "sentence"
        stored = 'chroma(path="db", collection="docs")'
        for changed in remedies(Options(retriever=stored), [mode]):
            assert (changed.chunker, changed.context) == (
                "sentence",
                "none",
            ) and "chroma(collection=docs, path=db)" in changed.retriever


@pytest.mark.parametrize(
    ("audited", "mode", "tried"),
    [
        ({"retriever": "bm25"}, "adjacent", ["expand(bm25)"]),
        ({"retriever": "hybrid(bm25, dense, weights=(0.3, 0.7))"}, "adjacent", ["expand(hybrid(weights=(0.3, 0.7)))"]),
        ({"retriever": "expand(bm25, after=2)"}, "adjacent", ["expand(bm25, before=2, after=3)"]),
        ({"retriever": "merge(dedupe(bm25))"}, "adjacent", ["expand(dedupe(bm25))"]),
        ({"retriever": "parent(bm25)"}, "adjacent", []),
        ({"retriever": "bm25"}, "stale", ["latest(bm25)"]),
        ({"retriever": "expand(bm25)"}, "stale", ["expand(latest(bm25))"]),
        ({"retriever": "dedupe(latest(bm25))"}, "stale", []),
        ({"retriever": "parent(hybrid)"}, "crowded_out", ["parent(dedupe(hybrid))"]),
        ({"retriever": "bm25"}, "chunk_split", ["sentence(overlap=40)", "sentence(size=80) with expand(bm25)"]),
        ({"retriever": "bm25", "chunker": "fixed(size=100)"}, "chunk_split", [
            "sentence(size=100)", "fixed(size=100, overlap=25)", "fixed(size=50) with expand(bm25)",
        ]),
        ({"retriever": "expand(bm25)", "chunker": "paragraph"}, "chunk_split", []),
        ({"retriever": "bm25"}, "diluted", ["sentence(size=80)", "sentence(size=80) with expand(bm25)"]),
        ({"retriever": "bm25", "chunker": "sentence(size=40)"}, "oversized", [
            "sentence(size=80)", "--chunker sentence", "parent(bm25, size=160)",
        ]),
        ({"retriever": "parent(bm25, size=300)"}, "oversized", [
            "sentence(size=320)", "sentence(size=640)", "parent(bm25, size=600)",
        ]),
        ({"retriever": "bm25"}, "too_small", ["sentence(size=320)", "sentence(size=640)", "sentence(size=1280)"]),
        ({"retriever": "bm25"}, "contextless", ["--context title", "--context heading", "--context neighbours"]),
        ({"retriever": "bm25", "context": "title"}, "contextless", ["--context heading"]),
        ({"retriever": "bm25"}, "other_retriever", ["dense", "hybrid"]),
        ({"retriever": "dense"}, "other_retriever", ["bm25", "hybrid"]),
        ({"retriever": "hybrid"}, "other_retriever", ["bm25", "dense"]),
        ({"retriever": "bm25(k1=1.2)"}, "other_retriever", ["dense", "hybrid(bm25(k1=1.2), dense)"]),
        ({"retriever": "bm25", "swap": "lsa"}, "other_retriever", ["lsa", "hybrid(bm25, lsa)"]),
        ({"retriever": "bm25", "swap": "none"}, "other_retriever", []),
        ({"retriever": "expand(dedupe(lsa))"}, "other_retriever", ["expand(dedupe(bm25))", "expand(dedupe(hybrid(bm25, lsa)))"]),
        ({"retriever": 'chroma(path="db", collection="docs")'}, "other_retriever", [
            "hybrid(bm25, chroma(collection=docs, path=db))",
        ]),
    ],
)  # fmt: skip
def test_what_is_tried_by_hand(audited: dict[str, str], mode: str, tried: list[str]) -> None:
    base = Options(**audited)  # type: ignore[arg-type]
    assert [typed(base, changed) for changed in remedies(base, [mode])] == tried


def test_stems_are_those_of_the_documents_language() -> None:
    base = Options(retriever="expand(bm25)")
    for language, spec in (("german", "expand(bm25(stem=german))"), ("english", "expand(bm25(stem=english))")):
        assert spec in [changed.retriever for changed in remedies(base, ["query_mismatch"], language)]
    assert not [o for o in remedies(base, ["query_mismatch"], "") if "stem" in o.retriever]


def of_module(name: str) -> Iterator[Fix]:
    """Every fix that the module of a mode, or what it shares with others, has."""
    module = importlib.import_module(f"ragdiag.diagnosis.failures.{name}")
    kept: list[Any] = [value for value in vars(module).values() if isinstance(value, Fix | tuple | dict)]
    while kept:
        value = kept.pop()
        if isinstance(value, Fix):
            yield value
        elif isinstance(value, tuple | dict):
            kept += value.values() if isinstance(value, dict) else value


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_mode_declares_every_fix(mode: Mode) -> None:
    assert mode.fixes
    assert set(of_module(mode.name)) <= set(mode.fixes)


def pattern(fix: Fix, base: Options, language: str) -> str:
    """What a fix says, whatever its figures are; of other retrievers any of those that are tried."""
    specs_ = fix.specs(Audited(base, language))
    said = [re.escape(part) for part in (fix.words, fix.more)]
    words, more = (re.sub(r"\\\{\w+\\\}", ".+", part) for part in said)
    return words + (f": (({'|'.join(map(re.escape, specs_))})( or )?)+" if specs_ else "") + more


def own(folder: Path) -> Options:
    """The settings of a fixture: of its `ragdiag.toml`, where it has one."""
    file = folder / "ragdiag.toml"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else ["k = 3", 'retriever = "bm25"', 'swap = "lsa"']
    given = {key.strip(): ast.literal_eval(value.strip()) for key, _, value in (line.partition("=") for line in lines) if value}
    return Options(**given, cache=None)


def folders() -> Iterator[Any]:
    """Of those of stores one needs the encoder, and so do all that a default retriever searches."""
    for file in sorted((ROOT / "fixtures" / "failures").glob("*/queries.jsonl")):
        needs = file.parent.name in ("foreign", "vector_fault", "truncated")
        yield pytest.param(file.parent, marks=pytest.mark.encoder if needs else ())


@pytest.mark.parametrize("folder", [*folders(), pytest.param(TIDEWATER, marks=pytest.mark.slow)], ids=lambda p: p.name)
def test_findings_say_what_their_modes_declare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every fixture: each finding's fix is one or several of its mode's, with what `compare` would try for that audit."""
    corpus = next(p for p in (folder / "corpus", folder / "corpus.jsonl") if p.exists())
    monkeypatch.chdir(folder)
    base = own(folder)
    audit = run_audit(corpus, folder / "queries.jsonl", base)
    report, language = audit.report, language_of(audit.corpus)
    for finding in (f for q in report.queries for f in q.findings):
        alternatives = "|".join(pattern(fix, base, language) for fix in MODES[finding.cause].fixes)
        assert re.fullmatch(f"({alternatives})(; or ({alternatives}))*", finding.fix), (finding.cause, finding.fix)
        tried = remedies(base, [finding.cause], language)
        for field, spec in specs(finding.fix) if finding.cause != "incomplete" else ():
            assert any(equal(FIELDS[field], getattr(changed, field), spec) for changed in tried), finding.fix


def test_the_first_thing_to_do_fits_the_column() -> None:
    """The table shows what stands before the first alternative, 100 characters of it."""
    for mode in MODES.values():
        for fix in mode.fixes:
            text = fix.text(fix.specs(Audited(Options(chunker="recursive(size=200)"))), **FIGURES)
            if fix.changes:
                assert len(text.split(";")[0]) <= 100, text


def test_the_proof_of_adjacent_is_what_its_fix_does() -> None:
    """Where it is proved, the spec that it names serves the query, with the same k."""
    folder = ROOT / "fixtures" / "failures" / "adjacent"
    corpus = next(p for p in (folder / "corpus", folder / "corpus.jsonl") if p.exists())
    base = own(folder)
    report = run_audit(corpus, folder / "queries.jsonl", base).report
    found = {q.id: f for q in report.queries for f in q.findings if f.cause == "adjacent"}
    (wide,) = expanded(Audited(base))
    served = {q.id: q.served for q in run_audit(corpus, folder / "queries.jsonl", wide).report.queries}
    assert found and wide.retriever == "expand(bm25)"
    for name, finding in found.items():
        assert finding.proved and served[name] and "expand(bm25)" in finding.fix
