"""How causes and their proofs are shown: the table of fixes, one query's proof, JSON of whatever a failure mode saw."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console, RenderableType

from ragdiag.cli import main
from ragdiag.core.proofs import Control, Finding, Row, Standing
from ragdiag.core.records import Explanation, GroupProof, Mean, Pipeline, Query, QueryResult, RankedChunk, Report, Unseen
from ragdiag.diagnosis.failures import chunk_split
from ragdiag.diagnosis.modes import modes
from ragdiag.diagnosis.unproved import as_well as without_proof
from ragdiag.reports.json import audit_dict, dumps, explain_dict
from ragdiag.reports.terminal import audit_text, explain_text

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CHUNK = {"chunk": "leave#0-90", "rank": 3, "text": "Leave is at most 20 days."}

CUT = [{"passage": "Leave is at most ‖25 days a year.", "fragments": [CHUNK | {"rank": 2}, CHUNK | {"rank": None}]}]
MODES = modes()
PLACEBO = {"shifts": 10, "shifts_as_well": 1, "elsewhere": 9, "elsewhere_as_well": 0}


def finding(cause: str, rank: int | None = 2, proved: bool = True, **more: Any) -> Finding:
    mode = MODES.get(cause)
    residual = mode is not None and mode.residual
    after = Standing(37, True) if residual else Standing(rank, rank is not None and rank <= 5)
    declared = {"says": mode.says if mode else "", "residual": residual, "tokens": 5400 if residual else None}
    fix = f"fix {cause}; or not"
    return Finding(cause, None, f"mend {cause}", Standing(37, False), after, fix, proved, **declared | more)


def result(
    id: str, *causes: str, status: str = "caused", findings: tuple[Finding, ...] | None = None, **more: Any
) -> QueryResult:
    found = tuple(finding(c) for c in causes) if findings is None else findings
    served = more.pop("served", status == "ok")
    return QueryResult(id, f"text of {id}", status, {"CharR@5": 0.5}, 37, ("leave",), served, causes, findings=found, **more)


def report(*queries: QueryResult, **pipeline: Any) -> Report:
    failing = [q for q in queries if q.served is False]
    causes = {c for q in failing for c in q.causes}
    shares = {c: Mean(sum(c in q.causes for q in failing) / len(failing), 0.1, 0.9, len(failing)) for c in causes}
    size = {
        "chunker": "sentence",
        "context": "none",
        "retriever": "bm25",
        "k": 5,
        "budget": None,
        "chunks": 90,
        "depth": 50,
        "swaps": (),
    }
    means = {"Sufficient@5": Mean(0.5, 0.4, 0.6, len(queries)), "Success@5": Mean(0.5, 0.4, 0.6, len(queries))}
    inputs = {"documents": 3, "queries": len(queries)}
    whole = Pipeline(**size | {"context_tokens": 700.0} | pipeline)
    return Report("", 0, inputs, whole, means, (), (), (), (), shares, queries, {}, {})


def explanation(q: QueryResult, groups: int = 1) -> Explanation:
    group = GroupProof("leave", 0, 25, "Leave is at most 25 days.", (), 0.0, (("leave#0-90", 37, 1.0),), 0, None)
    ranking = (RankedChunk(1, "pets#0-50", 3.5, True, 0.0, "Dogs may come.", ()),)
    return Explanation(Query(q.id, q.text), q, (group,) * groups, ranking, (), report(q))


def shown(renderable: RenderableType, width: int = 140) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def rows(text: str, head: str = "cause ") -> list[str]:
    """The table whose head begins so, row by row; without the lines that a long cell goes on in."""
    lines = text.splitlines()
    start = next(i for i, each in enumerate(lines) if each.startswith(head))
    return [line for line in lines[start + 1 :] if not line.startswith(" " * 8)]


# The audit


def test_causes_come_by_what_their_fix_restores_alone_and_residual_ones_last() -> None:
    compound = [result(f"c{i}", "stale", "pollution", status="compound") for i in range(4)]
    queries = [*compound, result("s", "stale"), result("d1", "diluted"), result("d2", "diluted")]
    queries += [result(f"r{i}", "ranking") for i in range(9)]
    text = shown(audit_text(report(*queries)))
    table = rows(text)
    assert [row.split()[0] for row in table[:4]] == ["diluted", "stale", "pollution", "ranking"]
    assert table[1].split()[1:5] == ["1", "+4", "31%", "[10–90]"]
    assert "fix stale " in table[1] and "or not" not in table[1]
    assert table[1].split()[-3:] == ["s", "c0", "c1"], "the plainest example first"
    assert table[3].startswith("ranking *") and table[4].startswith("* a hint")
    assert "3 of the 16 have a proved cause; 9 only a residual one" in text
    assert "4 compound (+): two changes do, neither alone" in text


def test_statuses_without_one_cause_are_counted_in_plain_words() -> None:
    queries = [
        result("o", "stale", "diluted", status="over-determined"),
        result("u", status="undetermined"),
        result("v", status="undetermined"),
        result("a", status="unattainable"),
        result("n", status="not_decidable", served=None),
    ]
    text = shown(audit_text(report(*queries)))
    assert "1 over-determined: any one of several changes does (o)" in text
    assert "1 unattainable: longer than a whole context (a)" in text
    assert "2 undetermined: nothing tried helps; no other retriever was tried: --swap dense tries one (u, v)" in text
    assert "not decidable:" not in text, "that query is not unserved"


def test_queries_to_look_at_show_each_cause_once_before_any_twice() -> None:
    queries = [*(result(f"s{i}", "stale") for i in range(9)), result("d", "diluted"), result("u", status="undetermined")]
    table = rows(shown(audit_text(report(*queries))), "query ")
    assert [row.split()[0] for row in table[:6]] == ["s0", "d", "s1", "s2", "s3", "s4"]
    assert table[1].split()[1] == "diluted"
    assert table[6].startswith("and 5 more")


def test_exposures_of_served_queries_are_one_line() -> None:
    queries = [result("a", status="ok", exposures=("stale",)), result("b", "stale", exposures=("pollution",))]
    text = shown(audit_text(report(*queries)))
    assert "risks seen on served queries, harmless so far: stale 1\n" in text + "\n"


def test_a_recorded_run_is_said_to_name_no_cause() -> None:
    text = shown(audit_text(report(result("a", status="not_decidable", served=False), result("b", status="ok"))))
    assert "a recorded run cannot be asked what would change" in text
    assert "Fix this first" not in text
    assert rows(text, "query ")[0].split()[:3] == ["a", "50%", "37"], "there is no cause to show"


def test_text_that_the_encoder_never_saw_comes_before_any_score() -> None:
    queries = (result("a", "truncated"), result("b", status="ok"))
    text = shown(audit_text(report(*queries, unseen=Unseen(41, 0.123, 256))))
    line = "the encoder reads 256 tokens: 41 of 90 chunks are longer, 12.3% of the text was never embedded"
    assert 0 < text.index(line) < text.index("1 of 2 queries")
    for none in (None, Unseen(0, 0.0, 256)):
        assert "the encoder reads" not in shown(audit_text(report(*queries, unseen=none)))


@pytest.mark.parametrize("width", [80, 140])
def test_a_screen_of_every_cause_fits(width: int) -> None:
    queries = [result(f"a-query-with-a-long-name-{c}", c) for c in list(MODES)[1:]]
    lines = shown(audit_text(report(*queries)), width).splitlines()
    assert len(lines) <= 31 + len(queries), "a row for each cause, and nothing else grows with them"
    assert all(len(each) <= width for each in lines)
    assert all(any(row.startswith(c) for row in lines) for c in list(MODES)[1:]), "no cause's name is cut"


def test_nothing_in_a_name_or_a_fix_steers_the_terminal() -> None:
    rows = (Row.of("a\x1b[2J", "leave\x1b[2J ", ("\x07", "dim"), "\u202e"),)
    bad = finding("stale", rows=rows, says="\x1b[2J")
    other = finding("mine\x1b[2J", detail={"\x1b]0;": "\x1b[2J"})
    q = result("id\x1b[2J", "stale", "mine\x1b[2J", status="over-determined", findings=(bad, other))
    for text in (shown(audit_text(report(q))), shown(explain_text(explanation(q)))):
        assert "\\x1b[2J" in text
        assert not set(text) & {"\x1b", "\x07", "\u202e"}


# One query


@pytest.mark.parametrize("cause", list(MODES)[1:])
def test_a_proof(cause: str) -> None:
    proof = finding(cause, rows=(Row.of("seen", "what was seen of it, ", ("marked", "good")),))
    text = shown(explain_text(explanation(result("q", cause, findings=(proof,)))))
    assert text.startswith(f"q  not served, because of {cause}")
    assert f"{cause}: {MODES[cause].says}" in text
    assert re.search(r"  seen +what was seen of it, marked", text)
    assert f"fix {cause}; or not" in text
    if MODES[cause].residual:
        assert "residual: " in text
        assert "needs k 37 (has 5), 5,400 tokens of context" in text
    else:
        assert "needs k 37 -> 2 (has 5)  sufficient" in text
        assert f"mend {cause}" in text


def test_a_control_says_how_many_did_as_well_and_its_p() -> None:
    control = chunk_split._control(PLACEBO)
    assert (control.tried, control.as_well, control.p) == (19, 1, 2 / 20)
    text = shown(explain_text(explanation(result("q", "chunk_split", findings=(finding("chunk_split", control=control),)))))
    said = "1 of 10 other places for the cut and 0 of 9 other chunks of the document do as well (p 0.1)"
    assert f"control {said}" in " ".join(text.split())


def test_what_a_finding_detail_holds_is_free() -> None:
    """A mode of another package may use any name: no report reads `detail` but to show it where there are no rows."""
    detail = {"others": "three", "placebo": 0.5, "unattainable": True, "cut": "here", "tokens": "many", "side": 1, "tried": None}
    odd = finding("moon_phase", detail=detail)
    q = result("q", "moon_phase", findings=(odd,))
    text = shown(explain_text(explanation(q)))
    for name, value in detail.items():
        assert re.search(rf"{name} +{value}", text)
    assert "weak" not in text and "control" not in text
    screen = shown(audit_text(report(q)))
    assert "1 of the 1 have a proved cause" in screen and "weak" not in screen
    (found,) = audit_dict(report(q))["queries"][0]["findings"]
    assert (found["detail"], found["control"], found["unattainable"]) == (detail, None, False)


def test_a_residual_cause_of_another_package_is_shown_as_residual() -> None:
    odd = dataclasses.replace(finding("moon_phase", says="the moon is full"), residual=True)
    screen = shown(audit_text(report(result("q", "moon_phase", findings=(odd,)))))
    assert "0 of the 1 have a proved cause; 1 only a residual one" in screen
    assert rows(screen)[0].startswith("moon_phase *")
    assert "residual: " in shown(explain_text(explanation(result("q", "moon_phase", findings=(odd,)))))


def test_a_passage_with_its_cut_and_the_ranks_of_its_pieces() -> None:
    cut = finding("chunk_split", rows=tuple(chunk_split._rows(CUT, [1])))
    text = shown(explain_text(explanation(result("q", "chunk_split", findings=(cut,)))))
    assert "at most ‖ 25 days" in text
    assert "at rank 2 and too low to be ranked; as one chunk at rank 1" in text


def test_an_unranked_passage_is_said_to_be_beyond_the_ranking() -> None:
    text = shown(explain_text(explanation(result("q", status="undetermined", findings=(finding("stale", None, False),)))))
    assert "What was tried" in text
    assert "needs k 37 -> >50 not enough mend stale" in text
    assert "nothing tried is shown to restore it" in text


def test_a_proof_whose_control_does_as_well_is_no_cause_and_stands_among_what_was_tried() -> None:
    said = "3 of 6 other chunks come in as well"
    as_well = finding("query_mismatch", control=Control(6, 3, None, said))
    apart = finding("query_mismatch", control=Control(6, 2, None, "2 of 6 other chunks come in as well"))
    untested = finding("query_mismatch", control=Control(0, 0, None, "nothing to try"))
    assert [without_proof(f).proved for f in (as_well, apart, untested)] == [False, True, True]
    told = explanation(result("q", status="undetermined", findings=(without_proof(as_well),)))
    text = " ".join(shown(explain_text(told)).split())
    assert f"What was tried query_mismatch needs k 37 -> 2 enough, but {said}" in text


def test_marginal_queries_are_counted_apart() -> None:
    near = dataclasses.replace(result("near", "ranking", findings=(finding("ranking"),)), marginal=True, least_k=6)
    screen = shown(audit_text(report(near, result("far", "stale", findings=(finding("stale"),)))))
    assert "1 of the 1 have a proved cause" in screen
    assert "1 marginal (anything helps, such as k 6" in " ".join(screen.split())
    assert "marginal: k 6 serves it, and so may any change" in shown(explain_text(explanation(near)))


def test_a_narrow_terminal_shows_whole_fixes_and_leaves_out_ids() -> None:
    long = dataclasses.replace(finding("stale"), fix="drop superseded versions from the index, or filter them out at query time")
    queries = [result(f"query-{i}", "stale", findings=(long,)) for i in range(3)]
    narrow = shown(audit_text(report(*queries)), 80)
    assert "query-0" not in narrow[: narrow.index("Look at these first")]
    assert "".join(long.fix.split()) in "".join(narrow.split())
    assert "query-0" in shown(audit_text(report(*queries)), 140).split("Look at these first")[0]


def test_what_was_tried_in_vain_comes_after_the_proof_and_says_why() -> None:
    split = finding("chunk_split", proved=False, control=Control(19, 6, 0.35, "1 of 10 other places for the cut do as well"))
    found = (split, finding("stale"), finding("diluted", 20, False), finding("ranking"))
    text = shown(explain_text(explanation(result("q", "stale", findings=found))))
    tried = text[text.index("Tried as well") :]
    assert text.index("stale: a superseded version") < text.index("Tried as well")
    assert "enough, but 1 of 10 other places for the cut" in tried
    assert "diluted     needs k 37 -> 20 not enough" in tried
    assert "more context would do, whatever the cause" in tried
    assert "superseded version" not in tried


def test_several_causes_and_how_they_go_together() -> None:
    over = result("q", "stale", "diluted", status="over-determined")
    assert "because of stale or diluted: mending any one suffices" in shown(explain_text(explanation(over)))
    alone = (finding("stale", 9, False), finding("diluted", 8, False))
    both = shown(explain_text(explanation(result("q", "stale", "diluted", status="compound", findings=alone))))
    assert "because of stale and diluted: both must be mended" in both
    assert both.count("not enough alone") == 2
    assert "both changes at once make its context sufficient" in both


def test_a_finding_may_say_something_else_than_its_mode() -> None:
    rare = finding("query_mismatch", says="the encoder misses the query's words")
    text = shown(explain_text(explanation(result("q", "query_mismatch", findings=(rare,)))))
    assert "query_mismatch: the encoder misses the query's words" in text
    assert "use different words" not in text


def test_a_finding_about_one_passage_of_several_names_it() -> None:
    one = dataclasses.replace(finding("stale"), group=2)
    assert "stands above the evidence (evidence 2)" in shown(explain_text(explanation(result("q", "stale", findings=(one,)), 2)))


def test_an_evidence_that_fits_no_context() -> None:
    rows = (Row.of("length", "2,500 tokens, more than a whole context holds"),)
    lost = finding("oversized", 8, False, unattainable=True, rows=rows)
    text = shown(explain_text(explanation(result("q", status="unattainable", findings=(lost,)))))
    assert "its evidence does not fit in a context of this size" in text
    assert "2,500 tokens, more than a whole context" in text


def test_a_cause_from_elsewhere_is_shown_key_by_key() -> None:
    other = finding("moon_phase", detail={"phase": "waxing", "nights": [1, 2]})
    text = shown(explain_text(explanation(result("q", "moon_phase", findings=(other,)))))
    assert "phase   waxing" in text
    assert "nights  [1, 2]" in text


def test_served_queries_and_recorded_runs_have_no_proof() -> None:
    served = shown(explain_text(explanation(result("q", status="ok", exposures=("stale",)))))
    assert served.startswith("q  served: its context holds all its evidence")
    assert "risks   stale: seen, and harmless here" in served
    run = shown(explain_text(explanation(result("q", status="not_decidable", served=False))))
    assert "a recorded run cannot be asked what would change" in run
    assert "tried" not in run


# JSON


def test_json_is_plain_whatever_a_failure_mode_saw() -> None:
    detail = {"rank": np.int64(3), "share": np.float32(0.5), "all": np.array([1, 2]), "set": {"b", "a"}, "nan": math.nan, 7: (1,)}
    odd = Finding("odd", None, "do", Standing(9, False), Standing(np.int64(2), np.bool_(True)), "fix", True, detail=detail)  # type: ignore[arg-type]
    q = result("q", "odd", findings=(odd,))
    for found in (audit_dict(report(q))["queries"][0], explain_dict(explanation(q))["query"]):
        (one,) = json.loads(dumps(found))["findings"]
        assert one["detail"] == {"rank": 3, "share": 0.5, "all": [1, 2], "set": ["a", "b"], "nan": None, "7": [1]}
        assert one["after"] == {"rank": 2, "sufficient": True}


# The whole way


@pytest.mark.slow
def test_tidewater_from_audit_to_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = (str(TIDEWATER / "corpus"), str(TIDEWATER / "queries.jsonl"))
    options = ("--retriever", "bm25", "--no-cache")
    audited = CliRunner().invoke(main, ["audit", *place, *options, "--json", "report.json"])
    assert audited.exit_code == 0, audited.output
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    unserved = [q for q in found["queries"] if q["status"] in ("caused", "over-determined", "compound", "undetermined")]
    named = {
        (f["cause"], f["residual"], q["id"]) for q in unserved for f in q["findings"] if f["proved"] and f["cause"] in q["causes"]
    }
    proved = {query for _, residual, query in named if not residual}
    assert f"{len(proved)} of the {len(unserved)} have a proved cause" in audited.stdout
    table = rows(audited.stdout)
    assert {row.split()[0] for row in table[: len({row[:2] for row in named})]} == set(found["causes"])
    for cause in found["causes"]:
        q = next(q for q in unserved if cause in q["causes"])
        told = CliRunner().invoke(main, ["explain", *place, q["id"], *options])
        assert told.exit_code == 0, told.output
        mine = next(f for f in q["findings"] if f["cause"] == cause)
        assert f"\n{cause}: " in told.stdout
        assert mine["fix"] in " ".join(told.stdout.split())  # a long one is wrapped
        assert f"needs k {mine['before']['rank'] or '>100'}" in told.stdout
