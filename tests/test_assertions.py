"""Assertions on a report: what passes, what fails, what a failure says; baselines by hand; work shared between processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import pytest

import ragdiag
from ragdiag.api import litmus
from ragdiag.core.errors import InputError, UsageError
from ragdiag.testing.assertions import check_gates, no_cause, no_regression, no_verdict, save_baseline
from ragdiag.testing.audited import WIDTH, Audited, audited
from ragdiag.testing.shared import once

pytestmark = pytest.mark.slow

TIDEWATER = Path(__file__).parent.parent / "fixtures" / "tidewater"
WORDS = ("apple", "pear", "plum", "fig", "quince", "medlar", "sloe", "cherry")


@pytest.fixture(scope="module")
def report() -> Audited:
    """23 of 57 unserved, tw-12 because of a split."""
    return audited(TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", retriever="bm25", cache=None)


def failure(function: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        function(*arguments, **options)
    text = str(raised.value)
    assert all(len(line) <= WIDTH for line in text.split("\n") if not line.startswith("next: ")), text
    return text


def flat(text: str) -> str:
    return " ".join(text.split())


def orchard(folder: Path, found: str = "", text: str = "", **options: Any) -> Audited:
    """A query for each word, with a document of its own; the search finds the evidence of those in `found`."""
    corpus = [{"_id": word, "text": f"The {word} is ripe in May."} for word in WORDS]
    queries = [
        {"_id": word, "text": text or f"when is the {word} ripe", "evidence": [{"doc_id": word, "start": 0, "end": 10}]}
        for word in WORDS
    ]
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    wanted = found.split()

    def search(query: str, k: int) -> list[dict[str, Any]]:
        return [{"doc_id": word, "start": 0, "end": 20} for word in wanted if word in query]

    return audited(folder / "corpus.jsonl", folder / "queries.jsonl", search=search, k=1, cache=None, **options)


# Gates


def test_a_gate_that_holds_says_nothing(report: Audited) -> None:
    check_gates(report, "Sufficient@5=0.59", "Sufficient@5.low=0.4", "P@5=0.1")


def test_a_failing_gate_says_how_far_off_how_sure_and_which_queries(report: Audited) -> None:
    text = failure(check_gates, report, "Sufficient@5=0.8", "P@5=0.1", "Sufficient@5.low=0.5")
    assert text.startswith("Sufficient@5 is 0.5965, under 0.8\n  mean 0.596 [0.457, 0.722], n 57\nSufficient@5.low is")
    assert "P@5" not in text
    assert "23 of 57 queries not served: ranking 7, query_mismatch 4, word_gap 3,\nmisspelt 2" in text
    shown = re.findall(r"^(tw-\d\d)  (.+)$", text, re.MULTILINE)
    assert len(shown) == 5 and "and 18 more" in text
    assert len({causes for _, causes in shown}) == 5, "of each cause one, before another of the same"
    assert f"next: ragdiag explain {TIDEWATER / 'corpus'} {TIDEWATER / 'queries.jsonl'} {shown[0][0]} --retriever bm25" in text


def test_a_plain_report_will_do() -> None:
    plain = ragdiag.audit(TIDEWATER / "corpus", TIDEWATER / "queries.jsonl", retriever="bm25", cache=None)
    check_gates(plain, "Sufficient@5=0.5")
    assert "tw-12  chunk_split" in failure(no_cause, plain, "chunk_split")
    text = failure(no_cause, plain, "chunk_split")
    assert "is tripled. ‖ A week" in flat(text)
    assert text.endswith("next: print(report.explain('tw-12'))")


@pytest.mark.parametrize(
    ("gates", "says"),
    [((), "nothing to check"), (("R@7=0.5",), "audit with measures=\\('R@7',\\)"), (("P@5",), "cannot read gate")],
)
def test_what_cannot_be_checked(report: Audited, gates: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_gates(report, *gates)


def test_only_reports_can_be_asked() -> None:
    with pytest.raises(UsageError, match="give what ragdiag"):
        check_gates({"measures": {}}, "P@5=0.5")  # type: ignore[arg-type]


# Causes


def test_a_cause_that_no_query_has_passes(report: Audited) -> None:
    no_cause(report, "missing_content", "truncated")
    no_cause(report, "chunk_split", at_most=1)


def test_a_cause_shows_the_cut_and_the_fix(report: Audited) -> None:
    text = failure(no_cause, report, "chunk_split")
    assert text.startswith("1 query with chunk_split\n")
    assert "cut: On public holidays the stand-by pay of the day is tripled. ‖ A week" in flat(text)
    assert "fix chunk_split: let chunks overlap: sentence(overlap=40)" in text
    having = sum(bool({"query_mismatch", "misspelt"} & set(q.causes)) for q in report.queries)
    text = failure(no_cause, report, "query_mismatch", "misspelt", at_most=1)
    assert text.startswith(f"{having} queries with query_mismatch or misspelt, more than 1\n")


def test_causes_cannot_be_asked_of_a_search(tmp_path: Path) -> None:
    asked_on = orchard(tmp_path, "apple")
    no_cause(asked_on, "stale")
    with pytest.raises(UsageError, match="missing_content cannot be tested on this index, for 7 queries"):
        no_cause(asked_on, "missing_content")
    found = orchard(tmp_path, "apple", calls=0)
    with pytest.raises(UsageError, match="cannot be asked what would change"):
        no_cause(found, "chunk_split")
    no_cause(found, "label_defect")
    no_cause(orchard(tmp_path, " ".join(WORDS)), "chunk_split")  # all are served: there is no cause to ask for
    with pytest.raises(UsageError, match="unknown cause 'chunk_spilt'; did you mean 'chunk_split'"):
        no_cause(found, "chunk_spilt")
    with pytest.raises(UsageError, match="name a cause"):
        no_cause(found)


def test_what_a_search_misses_is_shown(tmp_path: Path) -> None:
    text = failure(check_gates, orchard(tmp_path, "apple pear plum fig quince medlar sloe", calls=0), "Sufficient@1=0.95")
    assert "cherry  not served\n  when is the cherry ripe\n  lacks cherry#0-10: The cherry" in text
    assert "cannot be asked what would change" in flat(text)
    assert "next: print(report['cherry'])" in text


def test_a_failed_search_is_told_from_a_bad_one(tmp_path: Path) -> None:
    found = orchard(tmp_path, "apple")
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"

    def search(query: str, k: int) -> list[str]:
        if "fig" in query:
            raise TimeoutError("slow")
        return []

    broken = audited(corpus, queries, search=search, k=1, cache=None)
    assert (broken.failed, found.failed) == (("fig",), ())
    text = failure(check_gates, broken, "Sufficient@1=0.5")
    assert re.search(r"raised on 1 of 8 queries, first on\s+'fig': TimeoutError: slow", text)
    assert broken["fig"].passage == "the search failed"


# Stories


def test_a_querys_story_is_a_text_with_what_it_says(report: Audited) -> None:
    query = report["tw-12"]
    assert (query.id, query.served, query.causes, query.status) == ("tw-12", False, ("chunk_split",), "caused")
    assert query.measures["Sufficient@5"] == 0.0
    assert repr(query) == "<query tw-12: chunk_split>"
    for part in ("because of chunk_split", "control 0 of", "fix     let chunks overlap", "Evidence 1 of 1  on-call-v3#1308-1443"):
        assert part in query
    assert query.endswith("tw-12 --retriever bm25")
    assert str(report["tw-02"]).startswith("tw-02: served") and repr(report["tw-02"]) == "<query tw-02: served>"
    with pytest.raises(UsageError, match="no query 'tw-99'"):
        report["tw-99"]


def test_it_is_the_same_through_json(report: Audited) -> None:
    again = Audited.from_dict(json.loads(json.dumps(report.as_dict())))
    assert again.as_dict() == report.as_dict()
    assert failure(check_gates, again, "P@5=0.9") == failure(check_gates, report, "P@5=0.9")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ""),
        ({"k": 3, "chunker": "fixed(size=40)"}, " --chunker 'fixed(size=40)' -k 3"),
        ({"budget": 300, "k": 5, "seed": 4}, " --budget 300 --seed 4"),
        ({"only": ["leave", "on-call-v3"], "copies": "ignore"}, " --copies ignore --only leave --only on-call-v3"),
        ({"cache": None, "measures": ["P@3"]}, ""),
        ({"cache": "some where"}, " --cache 'some where'"),
    ],
)
def test_the_next_command_has_the_same_options(options: dict[str, Any], shown: str) -> None:
    from ragdiag.core.options import Options
    from ragdiag.testing.audited import _command

    assert _command("docs", "a b.jsonl", Options.given(**options)) == f"ragdiag explain docs 'a b.jsonl' {{}}{shown}"


# Baselines


def test_a_loss_that_chance_would_not_make_fails(tmp_path: Path) -> None:
    """Six of eight queries lost and none won: of the 64 ways to sign them 2 are as extreme, p 2/64."""
    file = tmp_path / "kept" / "orchard.json"
    save_baseline(orchard(tmp_path, " ".join(WORDS)), file)
    text = failure(no_regression, orchard(tmp_path, "apple pear"), file)
    assert text.startswith("Sufficient@1 -0.750 [") and "p 0.031" in text.split("\n")[0]
    assert "6 worse, 0 better, 8 queries compared" in text
    assert "plum  not served  1 -> 0" in text and "and 1 more" in text


def test_a_loss_that_chance_might_make_passes_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "orchard.json"
    save_baseline(orchard(tmp_path, " ".join(WORDS)), file)
    now = orchard(tmp_path, "apple pear plum")  # five lost: p 2/32
    change = no_regression(now, file)
    assert change.difference is not None and change.difference.p == pytest.approx(2 / 32)
    assert [name for name, _, _ in change.worse] == list(WORDS[3:])
    no_regression(now, file, at_most=5)
    assert "5 worse, more than 4, 0 better" in failure(no_regression, now, file, at_most=4)


def test_better_is_no_regression(tmp_path: Path) -> None:
    file = tmp_path / "orchard.json"
    save_baseline(orchard(tmp_path, ""), file)
    change = no_regression(orchard(tmp_path, " ".join(WORDS)), file, at_most=0)
    assert change.difference is not None and (change.difference.mean, change.difference.p) == (1.0, 2 / 256)


def test_queries_that_ask_something_else_are_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "orchard.json"
    save_baseline(orchard(tmp_path, " ".join(WORDS)), file)
    text = failure(no_regression, orchard(tmp_path, "", text="other words"), file)
    assert text.startswith("no query can be compared\nnot compared: 8 reworded\n")
    kept = json.loads(file.read_text())
    kept["queries"]["gone"] = kept["queries"].pop("fig")
    file.write_text(json.dumps(kept))
    change = no_regression(orchard(tmp_path, " ".join(WORDS)), file)
    assert (change.new, change.gone, change.reworded) == (1, 1, 0)


def test_where_nothing_can_be_compared_nothing_passes(tmp_path: Path) -> None:
    """Every id is another; or the baseline knows no query's value, or the audit decides none."""
    file, found = tmp_path / "orchard.json", orchard(tmp_path, " ".join(WORDS))
    save_baseline(found, file)
    kept = file.read_text()
    for word in WORDS:
        file.write_text(file.read_text().replace(f'"{word}":', f'"old-{word}":'))
    assert failure(no_regression, found, file).startswith("no query can be compared\nnot compared: 8 new, 8 gone\n")
    file.write_text(kept.replace('"Sufficient@1": 1.0', '"Sufficient@1": null'))
    assert failure(no_regression, found, file).startswith("no query can be compared\n")
    assert failure(no_regression, found, file, at_most=8).startswith("no query can be compared\n")


def test_a_baseline_keeps_several_measures_and_one_line_a_query(tmp_path: Path) -> None:
    file, found = tmp_path / "orchard.json", orchard(tmp_path, "apple")
    save_baseline(found, file)
    save_baseline(found, file, "CharR@1")
    kept = json.loads(file.read_text())
    assert kept["queries"]["apple"]["values"] == {"Sufficient@1": 1.0, "CharR@1": 1.0}
    assert sum('"asked"' in line for line in file.read_text().split("\n")) == len(WORDS)
    with pytest.raises(InputError, match="has no P@1; add it"):
        no_regression(found, file, "P@1")
    with pytest.raises(UsageError, match="P@9 was not measured"):
        no_regression(found, file, "P@9")


def test_a_missing_baseline_names_the_remedy(tmp_path: Path) -> None:
    text = failure(no_regression, orchard(tmp_path), "none.json")
    assert text == "no baseline none.json\nmake it, and commit it: pytest --ragdiag-update-baseline"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"queries": []}', '{"queries": {"a": 1}}', '{"queries": {"a": {"asked": "", "values": {"P@1": 2}}}}', "{"],
)
def test_what_is_no_baseline(tmp_path: Path, content: str) -> None:
    (tmp_path / "b.json").write_text(content)
    with pytest.raises(InputError, match=r"b\.json"):
        no_regression(orchard(tmp_path), tmp_path / "b.json")


# The litmus test


def answers(folder: Path, oracle: bool | None) -> list[str]:
    """Eight wrong answers with the pipeline's context; with perfect context all right, all wrong, or unknown."""
    orchard(folder)
    rows = [{"query_id": word, "condition": "retrieved", "answer": "?", "correct": False} for word in WORDS]
    if oracle is not None:
        rows += [{"query_id": word, "condition": "oracle", "answer": "May", "correct": oracle} for word in WORDS]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [str(folder / "answers.jsonl")]


def test_verdicts(tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    retrieval = litmus(queries, answers(tmp_path, True))
    assert failure(no_verdict, retrieval).startswith("the verdict is RETRIEVAL\n")
    no_verdict(retrieval, "BEHAVIOR")
    behavior = litmus(queries, answers(tmp_path, False))
    no_verdict(behavior)
    assert failure(no_verdict, behavior, "BEHAVIOR", "BOTH").startswith("the verdict is BEHAVIOR\n")
    unknown = litmus(queries, answers(tmp_path, None))
    assert failure(no_verdict, unknown).startswith("no failure has an answer with perfect context\n")
    with pytest.raises(UsageError, match="unknown verdict 'RETREIVAL'"):
        no_verdict(unknown, "RETREIVAL")


# Between processes


def _work(folder: str) -> None:
    def make() -> dict[str, int]:
        with (Path(folder) / "made").open("a") as made:
            made.write("x")
        return {"by": os.getpid()}

    (Path(folder) / f"seen-{os.getpid()}").write_text(str(once(Path(folder) / "shared.sqlite", make)["by"]))


def test_work_is_done_by_one_process_for_all(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(str(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "made").read_text() == "x"
    assert len({f.read_text() for f in tmp_path.glob("seen-*")}) == 1
    assert len(list(tmp_path.glob("seen-*"))) == 4


def test_work_that_fails_is_not_kept(tmp_path: Path) -> None:
    def fail() -> dict[str, int]:
        raise UsageError("no")

    for _ in range(2):
        with pytest.raises(UsageError):
            once(tmp_path / "shared.sqlite", fail)
    assert once(tmp_path / "shared.sqlite", lambda: {"a\ud800": 1}) == {"a\ud800": 1}
    assert once(tmp_path / "shared.sqlite", fail) == {"a\ud800": 1}
