"""Two reports held against each other: by hand, by SciPy's binomial test, and by separate audits of what is put back."""

import copy
import dataclasses
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

import ragdiag as library
from ragdiag.cli import main
from ragdiag.comparing.changes import MIN_EFFECT
from ragdiag.comparing.parts import parts_of_change
from ragdiag.comparing.reported import reported
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Label, Query
from ragdiag.results import AuditResult, DiffResult
from ragdiag.scoring.labels import label_digest

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, QUERIES = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"
SIGNATURE = "sentence(size=160)|context:none|bm25|words:1|k:5|copies:count|tau:1.0|ties:expected|seed:0|version:0.1.0"


def asked(name: str, served: bool | None, **more: Any) -> dict[str, Any]:
    """A query of a report, about a document of its own."""
    status = "ok" if served else "not_decidable" if served is None else "caused"
    causes = ["stale"] if served is False else []
    usual = {"id": name, "text": f"text of {name}", "status": status, "causes": causes, "documents": [name]}
    return {**usual, "served": served, "label_sha256": f"label of {name}", **more}


def report(*queries: dict[str, Any], **pipeline: Any) -> dict[str, Any]:
    usual = {"chunker": "sentence(size=160)", "context": "none", "retriever": "bm25", "k": 5, "budget": None}
    return {
        "ragdiag": "0.1.0",
        "signature": SIGNATURE,
        "seed": 0,
        "inputs": {"corpus_sha256": "a" * 64, "queries_sha256": "b" * 64},
        "pipeline": {**usual, "context_tokens": 700.0, **pipeline},
        "queries": list(queries),
    }


def pair(lost: int, won: int, kept: int, unserved: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    fates = [(True, False)] * lost + [(False, True)] * won + [(True, True)] * kept + [(False, False)] * unserved
    return tuple(report(*(asked(f"q{i}", fate[side]) for i, fate in enumerate(fates))) for side in (0, 1))  # type: ignore[return-value]


def ragdiag(*command: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, command)], prog_name="ragdiag")


def files(folder: Path, old: object, new: object) -> list[Path]:
    paths = [folder / "old.json", folder / "new.json"]
    for path, record in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(record), encoding="utf-8")
    return paths


# How sure


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_p_is_that_of_the_exact_test_of_mcnemar(lost: int, won: int, kept: int) -> None:
    found = library.diff(*pair(lost, won, kept, unserved=1))
    exact = binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert found.difference.p == pytest.approx(exact, abs=1e-12)
    assert found.difference.mean == pytest.approx((won - lost) / (lost + won + kept + 1))
    assert (found.difference.worse, found.difference.better) == (len(found.lost), len(found.won)) == (lost, won)
    assert found.served == (lost + kept, won + kept)


@pytest.mark.parametrize(
    ("counts", "verdict", "says"),
    [
        ((6, 0, 51), "worse", "more than chance, and more than what matters (--min-effect 0.02)"),  # p = 2 / 2 ** 6
        ((5, 0, 52), "same", "may be chance"),  # p = .0625
        ((6, 0, 494), "same", "more than chance, and no more than what matters (--min-effect 0.02)"),
        ((0, 6, 51), "better", "more than chance"),
        ((30, 25, 100), "same", "may be chance"),
        ((0, 0, 9), "same", "the same queries are served"),
    ],
)
def test_worse_is_more_than_chance_and_more_than_matters(
    counts: tuple[int, int, int], verdict: str, says: str, tmp_path: Path
) -> None:
    result = ragdiag(*files(tmp_path, *pair(*counts)), "--json", tmp_path / "diff.json")
    assert result.exit_code == (1 if verdict == "worse" else 0)
    assert says in result.output
    assert json.loads((tmp_path / "diff.json").read_text())["verdict"] == verdict
    assert re.search(r"(?m)^Sufficient@5 [+-]\d\.\d+ \[.+\], p ", result.output), "effect and interval first, then p"


def test_the_least_effect_that_matters_can_be_given(tmp_path: Path) -> None:
    paths = files(tmp_path, *pair(6, 0, 494))
    assert [ragdiag(*paths, "--min-effect", x).exit_code for x in ("0.011", "0.013", "0", "2")] == [1, 0, 1, 2]
    (option,) = (p for p in main.commands["diff"].params if p.name == "min_effect")
    assert isinstance(option, click.Option) and option.default == MIN_EFFECT


def test_queries_of_one_document_are_no_independent_ones() -> None:
    """Six lost queries of one document, and 30 others, each of its own: one document was lost, which is nothing."""
    old, new = pair(6, 0, 30)
    for side in (old, new):
        for query in side["queries"][:6]:
            query["documents"] = ["the same"]
    assert library.diff(old, new).difference.p == 1.0


# What is compared


def test_every_query_that_is_not_compared_is_counted_with_its_reason(tmp_path: Path) -> None:
    old = report(
        asked("same", True),
        asked("gone", True),
        asked("words", True),
        asked("label", True),
        asked("defect", True),
        asked("mended", None, status="excluded"),
        asked("bad", None, status="excluded"),
        asked("no", None),
    )
    new = copy.deepcopy(old)
    by_id = {q["id"]: q for q in new["queries"]}
    by_id["words"]["text"] = "another question"
    by_id["label"]["label_sha256"] = "another label"
    by_id["defect"] |= {"served": None, "status": "excluded"}
    by_id["mended"] |= {"served": True, "status": "ok"}
    new["queries"] = [asked("fresh", False), *(q for name, q in by_id.items() if name != "gone")]
    found = library.diff(old, new)
    assert found.difference.n == 1
    assert dict(found.left_out) == {
        "removed": ("gone",),
        "added": ("fresh",),
        "reworded": ("words",),
        "relabelled": ("label",),
        "defect_in_new": ("defect",),
        "defect_in_old": ("mended",),
        "defect_in_both": ("bad",),
        "undecided": ("no",),
    }
    screen = str(found)
    for said in ("1 query in OLD alone", "1 query with another label", "1 query excluded in NEW alone by a label defect"):
        assert said in screen
    assert "labels that no longer fit their documents are not counted as lost" in screen
    assert found.as_dict()["left_out"]["defect_in_new"] == ["defect"]


def with_signature(record: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    return {**record, "signature": record["signature"].replace(before, after)}


ONE = report(asked("q", True))
INCOMPARABLE = {
    "other k": (ONE, report(asked("q", True), k=3), "Sufficient@5, .*Sufficient@3: .*same -k or --budget"),
    "a budget": (ONE, report(asked("q", True), k=None, budget=800), "Sufficient@5, .*Sufficient@800tok: .*same -k or --budget"),
    "copies": (ONE, with_signature(ONE, "copies:count", "copies:ignore"), "copies count and ignore: .*same --copies"),
    "words": (ONE, with_signature(ONE, "words:1", "words:2"), "words 1 and 2: .*same ragdiag"),
    "other ids": (ONE, report(asked("p", True)), "no query in common .*1 in OLD alone; 1 in NEW alone.*same labelled queries"),
    "other texts": (ONE, report(asked("q", True, text="?")), "no query in common .*1 with another text"),
    "other labels": (ONE, report(asked("q", True, label_sha256="?")), "no query in common .*1 with another label"),
    "no queries": (report(), report(), r"no query in common .*\(no queries\)"),
    "a list": (ONE, [], "new.json: this is not the JSON report of an audit; make it anew: ragdiag audit"),
    "another command's": (ONE, {"ragdiag": "0.1.0", "configs": []}, "has no 'pipeline'.*ragdiag audit"),
    "an old version's": (
        ONE,
        report({k: v for k, v in asked("q", True).items() if k != "served"}),
        "a query has no 'served'.*make it anew",
    ),
    "a wrong type": (ONE, report({**asked("q", True), "served": "yes"}), "'served' of a query is a str"),
    "no size": (ONE, report(asked("q", True), k=None), "either 'k' or 'budget'"),
    "twice": (ONE, report(asked("q", True), asked("q", True)), "query 'q' stands twice"),
}


@pytest.mark.parametrize("name", INCOMPARABLE)
def test_what_cannot_be_compared_is_refused_on_one_line(name: str, tmp_path: Path) -> None:
    old, new, says = INCOMPARABLE[name]
    result = ragdiag(*files(tmp_path, old, new))
    assert result.exit_code == 2 and result.output.startswith("error: ") and result.output.count("\n") == 1
    assert re.search(says, result.output), result.output


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    old, new = files(tmp_path, ONE, ONE)
    new.write_text("{")
    for path in (new, tmp_path / "absent.json", tmp_path):
        result = ragdiag(old, path)
        assert result.exit_code == 2 and str(path) in result.output
    assert "would overwrite an input" in ragdiag(old, old, "--json", old).output


def test_another_version_is_said_and_no_error(tmp_path: Path) -> None:
    result = ragdiag(*files(tmp_path, ONE, {**ONE, "ragdiag": "0.2.0"}))
    assert result.exit_code == 0 and "made by two versions of ragdiag, 0.1.0 and 0.2.0" in result.output


def test_contexts_of_other_sizes_are_said(tmp_path: Path) -> None:
    result = ragdiag(*files(tmp_path, ONE, report(asked("q", True), context_tokens=300.0)))
    assert "700 tokens in OLD and 300 in NEW at the same k" in " ".join(result.output.split())


def test_how_documents_were_read_stands_in_the_signature() -> None:
    """With a pattern in which everything stands that a signature is parted by."""
    pattern = 'a|keep:notes|copies:ignore "x\\" tau:1'
    read = f'k:5|copies:count|keep:hidden|keep:navigation|exclude:{json.dumps(pattern)}|exclude:"é/"|tau:1.0'
    found = reported(with_signature(ONE, "k:5|copies:count|tau:1.0", read), "r")
    assert (found.keep, found.exclude) == (("hidden", "navigation"), (pattern, "é/"))
    assert found.rules == {"words": "1", "copies": "count", "tau": "1.0"}
    with pytest.raises(InputError, match="r:1: broken JSON"):
        reported(with_signature(ONE, "tau", "exclude:x|tau"), "r")


# What is shown


def test_causes_are_those_of_the_report_that_does_not_serve_the_query() -> None:
    old = report(asked("won", False, causes=["ranking", "stale"]), asked("lost", True), asked("odd", True))
    new = report(
        asked("won", True), asked("lost", False, causes=["chunk_split"]), asked("odd", False, causes=[], status="unattainable")
    )
    said = library.diff(old, new).as_dict()
    assert said["causes"] == {"lost": {"chunk_split": 1, "unattainable": 1}, "won": {"ranking": 1, "stale": 1}}
    assert [(q["id"], q["causes"]) for q in said["lost"]] == [("lost", ["chunk_split"]), ("odd", ["unattainable"])]
    assert [(q["id"], q["causes"]) for q in said["won"]] == [("won", ["ranking", "stale"])]


def test_nothing_of_a_report_is_more_than_text(tmp_path: Path) -> None:
    nasty = "a|b <img src=x> @everyone `code` [l](http://x.y) \x1b[31m\n::error::x"
    query = functools.partial(asked, nasty, text=nasty, causes=[nasty], status=nasty)
    old, new = (report(query(served), chunker=f"{nasty}{served}") for served in (True, False))
    paths = files(tmp_path, old, new)
    result = CliRunner(env={"GITHUB_ACTIONS": "true"}).invoke(
        main, ["diff", *map(str, paths), "--output", str(tmp_path / "d.md")]
    )
    assert result.exit_code == 0 and "\x1b[31m" not in result.output and "\n::error" not in result.output
    text = (tmp_path / "d.md").read_text(encoding="utf-8")
    bare = re.sub(r"\\.", "", "\n".join(line.strip("| ").replace(" | ", " ") for line in text.splitlines()))
    assert not set(bare) & set("<>|`[]@\x1b") and "://" not in bare and "\n::" not in bare
    rows = [line for line in text.splitlines() if line.startswith("| a")]
    assert rows and all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    paths = files(tmp_path, *pair(7, 3, 20))
    outputs = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "ragdiag", "diff", *map(str, paths), "--json", "-"]
        outputs.append(subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout)
    assert outputs[0] == outputs[1] and json.loads(outputs[0])["verdict"] == "same"


def test_more_queries_than_fit_are_counted() -> None:
    found = library.diff(*pair(25, 0, 30))
    assert "and 5 more; --json lists all" in str(found) and len(found.as_dict()["lost"]) == 25


# Labels


def test_a_label_is_the_same_wherever_its_text_has_moved() -> None:
    def digest(*evidence: Label, **more: Any) -> str:
        return label_digest(Query("q", "?", evidence=evidence, **more))

    a, b = Label("d", "ten days", 5, 13), Label("e", "two weeks", 7, 16)
    assert digest(a) == digest(Label("d", "ten days", 50, 58)) == digest(a, answer="10") != digest(b)
    assert digest(a, b) == digest(b, a) != digest(a)
    assert digest(dataclasses.replace(a, group="1"), dataclasses.replace(b, group="1")) != digest(a, b)
    assert digest(Label("d", "", 5, 13)) != digest(Label("d", "", 6, 13))
    assert digest(relevant=(("d", 1), ("e", 2))) == digest(relevant=(("e", 2), ("d", 1))) != digest(relevant=(("d", 1), ("e", 1)))
    assert digest(unanswerable=True) != digest()


# What lost them


@functools.cache
def audited(**options: Any) -> AuditResult:
    return library.audit(CORPUS, QUERIES, **{"retriever": "bm25", "swap": "none", "cache": None, **options})


def served(result: AuditResult) -> dict[str, bool | None]:
    return {q.id: q.served for q in result.queries}


STEM, FIXED = "bm25(stem=porter)", "fixed(size=60)"


@pytest.mark.slow
def test_each_part_put_back_alone_serves_what_an_audit_of_it_serves(tmp_path: Path) -> None:
    found = library.diff(audited(), audited(retriever=STEM, chunker=FIXED), corpus=CORPUS, queries=QUERIES, cache=tmp_path)
    assert isinstance(found, DiffResult) and found.worse and found.trials
    lost, won = [q.id for q in found.lost], [q.id for q in found.won]
    alone = {"chunker": served(audited(retriever=STEM)), "retriever": served(audited(chunker=FIXED))}
    assert [t.part for t in found.trials.put_back] == list(alone)
    for trial in found.trials.put_back:
        mixed = alone[trial.part]
        assert list(trial.restored) == [name for name in lost if mixed[name]]
        assert list(trial.given_up) == [name for name in won if not mixed[name]]
        assert list(trial.broken) == [name for name in found.kept if not mixed[name]]
        assert (trial.lost, trial.won, trial.kept) == (len(lost), len(won), len(found.kept))
    assert [t.part for t in found.named] == ["chunker"] and not found.trials.unlike
    assert "put back alone, the chunker (14 of 16 lost queries) brings them back" in str(found)


@pytest.mark.slow
def test_the_only_change_is_never_called_proved(tmp_path: Path) -> None:
    found = library.diff(audited(), audited(chunker=FIXED), corpus=CORPUS, queries=QUERIES, cache=tmp_path)
    assert found.lost and found.trials is not None and found.trials.put_back == () == found.named
    assert found.as_dict()["why"].startswith("the chunker is the only thing that the reports show to have changed")


def crowded(folder: Path) -> Path:
    """The documents, with copies of the questions in the way."""
    shutil.copytree(TIDEWATER, folder / "tidewater")
    corpus = folder / "tidewater" / "corpus"
    rows = [json.loads(line) for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    for i, row in enumerate(rows[:25]):
        for copy_ in range(6):
            (corpus / f"faq-{i}-{copy_}.md").write_text(f"{row['text']} Ask number {copy_} {i}.", encoding="utf-8")
    return corpus


@pytest.mark.slow
def test_documents_are_put_back_where_they_are_given(tmp_path: Path) -> None:
    now, cache = crowded(tmp_path), tmp_path / "cache"
    old = audited()
    new = library.audit(now, QUERIES, retriever=STEM, swap="none", cache=cache)
    diff = functools.partial(library.diff, old, new, queries=QUERIES, cache=cache)
    assert "--corpus CORPUS --queries QUERIES --old-corpus FOLDER" in library.diff(old, new).as_dict()["why"]
    without = diff(corpus=now)
    assert without.trials and [(t.part, bool(t.untested)) for t in without.trials.put_back] == [
        ("retriever", False),
        ("documents", True),
    ]
    assert "--old-corpus FOLDER" in str(without) and "not tested: documents" in without.as_dict()["why"]
    found = diff(corpus=now, old_corpus=CORPUS)
    back = served(audited(retriever=STEM))
    assert found.lost and found.trials
    documents = found.trials.put_back[1]
    assert list(documents.restored) == [q.id for q in found.lost if back[q.id]]
    assert "documents" in [t.part for t in found.named]
    with pytest.raises(UsageError, match="holds other documents than new was made of"):
        diff(corpus=CORPUS)
    with pytest.raises(UsageError, match="holds other documents than old was made of"):
        diff(corpus=now, old_corpus=now)


@pytest.mark.slow
def test_other_queries_are_refused(tmp_path: Path) -> None:
    fewer = tmp_path / "queries.jsonl"
    fewer.write_bytes(b"".join(QUERIES.read_bytes().splitlines(keepends=True)[:20]))
    with pytest.raises(UsageError, match="holds other queries or labels than new was made with"):
        library.diff(audited(), audited(retriever=STEM, chunker=FIXED), corpus=CORPUS, queries=fewer)


@pytest.mark.slow
def test_a_report_that_was_tampered_with_is_noticed(tmp_path: Path) -> None:
    new = copy.deepcopy(audited(retriever=STEM, chunker=FIXED).as_dict())
    row = next(q for q in new["queries"] if q["served"])
    row["served"] = False
    found = library.diff(audited(), new, corpus=CORPUS, queries=QUERIES, cache=tmp_path)
    assert found.trials and found.trials.unlike == (row["id"],)
    assert "serves 1 query otherwise than its report says" in str(found)
    assert all(row["id"] not in (*t.restored, *t.given_up, *t.broken) for t in found.trials.put_back)


@pytest.mark.slow
def test_what_a_report_names_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("open('ran', 'w').close()\ndef run(texts):\n    return [[0.0]] * len(texts)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    evil = "dense(model='evil:run')"
    clean = audited(retriever=STEM, chunker=FIXED).as_dict()
    old, new = copy.deepcopy(audited().as_dict()), copy.deepcopy(clean)
    old["pipeline"]["retriever"] = evil
    found = library.diff(old, new, corpus=CORPUS, queries=QUERIES, cache=tmp_path / "cache")
    assert found.trials and "or is code" in found.trials.put_back[1].untested and found.trials.put_back[0].restored
    new["pipeline"]["retriever"] = evil
    found = library.diff(audited(), new, corpus=CORPUS, queries=QUERIES)
    assert found.trials and "or is code" in found.trials.untested and "NEW is not run again" in str(found)
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


OTHERWISE = "the same name stands for something else, and a report holds no model"


def named(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    parts = parts_of_change(*(reported(report(asked("q", True), **pipeline), "r") for pipeline in (old, new)))
    return [(part.name, part.back.get("retriever", part.back.get("chunker", "")), part.untestable) for part in parts]


def test_retriever_and_model_are_parts_of_their_own() -> None:
    a, b = str(TIDEWATER), str(CORPUS)  # folders that are here; nothing is loaded
    dense_a, dense_b = f"dense(model='{a}')", f"dense(model='{b}')"
    assert named({"retriever": dense_a}, {"retriever": dense_b}) == [("model", dense_a, "")]
    assert named({"retriever": dense_a}, {"retriever": f"hybrid(bm25, {dense_b})"}) == [
        ("retriever", dense_b, ""),
        ("model", f"hybrid(bm25, {dense_a})", ""),
    ]
    assert named({"retriever": "bm25"}, {"retriever": dense_b}) == [("retriever", "bm25", "")]
    assert named({"retriever": "dense", "models": ["m 1"]}, {"retriever": "dense", "models": ["m 2"]}) == [
        ("model", "", OTHERWISE)
    ]
    own = {"chunker": "chunks a.jsonl"}
    assert named(own, {}) == [("chunker", "chunks a.jsonl", "chunks a.jsonl is known by its name alone")]
    run = {"chunker": "as in the run", "context": None, "retriever": "run a.trec"}
    assert named(run, {}) == [("index", "run a.trec", "run a.trec is known by its name alone")]
    assert named(run, run) == [] == named({}, {})


def test_models_changed_under_their_names_are_not_hidden_by_other_parts() -> None:
    cut_so, cut_else = {"chunker": "sentence(size=160)"}, {"chunker": "sentence(size=150)"}
    good = {"retriever": "rerank(bm25, model='rr:good')"}
    changed = named({**cut_so, **good, "models": ["rr:good@1"]}, {**cut_else, **good, "models": ["rr:good@2"]})
    assert changed == [("chunker", "sentence(size=160)", ""), ("model", "", OTHERWISE)]
    changed = named({"retriever": "dense", "models": ["m@1"]}, {"retriever": "hybrid(bm25, dense)", "models": ["m@2"]})
    assert changed == [("retriever", "dense", ""), ("model files", "", OTHERWISE)]
    # One that came with the chunker is the chunker's.
    both = {"chunker": "semantic", **good, "models": ["m@1", "rr:good@1"]}
    assert [name for name, *_ in named({**cut_so, **good, "models": ["rr:good@1"]}, both)] == ["chunker"]


def test_what_no_report_tells_is_said(tmp_path: Path) -> None:
    run = {"chunker": "as in the run", "context": None, "retriever": "run a.trec"}
    found = library.diff(report(asked("q", True), **run), report(asked("q", False), **run))
    assert found.as_dict()["why"] == "nothing that the reports tell of was changed; what run a.trec holds, they do not tell"


def test_options_that_say_nothing_are_refused(tmp_path: Path) -> None:
    paths = files(tmp_path, ONE, ONE)
    assert "--corpus says nothing alone" in ragdiag(*paths, "--corpus", CORPUS).output
    assert "--old-corpus says nothing without --corpus" in ragdiag(*paths, "--old-corpus", CORPUS).output
    with pytest.raises(UsageError, match="give both corpus and queries"):
        library.diff(ONE, ONE, corpus=CORPUS)
    with pytest.raises(InputError, match="not the JSON report of an audit"):
        library.diff(ONE, None)
