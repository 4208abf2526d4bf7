"""Another retriever as a proof: only clearly high, and far more often with the gap than without it. Which proof comes first."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ragdiag.core.proofs import Addition, Control, Edit, Finding, Standing
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.diagnosis import _tested
from ragdiag.diagnosis.marginal import is_marginal
from ragdiag.diagnosis.modes import modes
from ragdiag.diagnosis.swaps import ALPHA, clearly_high, controlled
from ragdiag.diagnosis.unproved import nearly, rises

OTHER = "bm25"


def case(length: int = 5, groups: int = 1, rank: int | None = 40) -> Any:
    return SimpleNamespace(
        length=length, groups=(None,) * groups, standing=Standing(rank, False), upper=max(length // 2, groups, 1)
    )


def finding(cause: str, rank: int | None, *, retriever: str = OTHER, control: Control | None = None, **detail: Any) -> Finding:
    served = rank is not None and rank <= 5
    residual = cause == "other_retriever"
    edit = Edit(retriever=retriever)
    after = Standing(rank, served)
    return Finding(
        cause, None, "ask it", Standing(40, False), after, "x", served, "", residual, False, control, None, detail, edit=edit
    )


def asked(rank: int | None) -> Finding:
    return finding("other_retriever", rank, tried={OTHER: {"rank": rank, "sufficient": rank is not None and rank <= 5}})


def of_queries(with_gap: list[int | None], without: list[int | None], side: str = "a gap") -> list[Finding]:
    """The findings of `with_gap` queries by the other retriever, which has their evidence at those ranks."""
    cases: list[Case] = [case() for _ in (*with_gap, *without)]
    seen = Observation((), {"side": side})
    observed = [{"query_mismatch": seen, "other_retriever": seen} for _ in with_gap] + [
        {"other_retriever": seen} for _ in without
    ]
    findings = [[asked(r), finding("query_mismatch", r, side=side)] for r in with_gap] + [[asked(r)] for r in without]
    return [f for of_case in controlled(cases, observed, findings) for f in of_case if f.cause == "query_mismatch"]


def test_it_counts_where_it_bridges_the_gap_and_little_else() -> None:
    findings = of_queries([1, 2, 3, 2, 1, None], [None] * 18 + [1, 1])
    assert [f.proved for f in findings] == [True] * 5 + [False]
    for f in findings:
        assert f.detail["swap_rates"] == {"with_gap": [5, 6], "without": [2, 20]}
        # Fisher's exact test by hand: (C(7,5) C(19,1) + 0) / C(26,6), as no more than 6 of 26 have the gap and 7 are served.
        assert f.control and f.control.p == pytest.approx((21 * 19 + 7) / 230230)
        assert f.control.says == ("bm25 puts 5 of 6 failing queries with this gap clearly high, and 2 of 20 without it")


def test_it_proves_nothing_where_it_serves_other_failing_queries_as_often() -> None:
    for without in ([1, 1, 1, None], [1] * 10 + [None] * 10):
        findings = of_queries([1, 2, 1, None], without)
        assert not any(f.proved for f in findings)
        assert all("swap_as_well" in f.detail for f in findings)


def test_few_queries_are_no_evidence() -> None:
    (one,) = of_queries([1], [None, None, None])
    assert one.control and one.control.p == pytest.approx(1 / 4) and one.control.p > ALPHA and not one.proved
    (alone,) = of_queries([1], [])
    assert alone.control and alone.control.p is None and not alone.proved


def test_the_last_place_of_the_context_is_not_clearly_high() -> None:
    assert [clearly_high(case(), rank) for rank in (1, 3, 4, 5, None)] == [True, True, False, False, False]
    assert clearly_high(case(length=1), 1)
    assert [clearly_high(case(length=2), rank) for rank in (1, 2)] == [True, False]
    assert clearly_high(case(groups=4), 4) and not clearly_high(case(groups=5), 5)
    *_, last = of_queries([1, 1, 1, 1, 1, 4], [None] * 20)
    assert last.after.sufficient and not last.proved


def test_each_side_of_a_gap_has_its_own_rate() -> None:
    cases = [case() for _ in range(20)]
    observed: list[dict[str, Observation]] = [{} for _ in cases]
    findings: list[list[Finding]] = []
    for i in range(20):
        side, rank = ("words", None) if i < 5 else ("rare", 1) if i < 10 else ("", None)
        observed[i] = {"query_mismatch": Observation((), {"side": side})} if side else {}
        findings.append([asked(rank), *([finding("query_mismatch", rank, side=side)] if side else [])])
    told = controlled(cases, observed, findings)
    assert told[0][1].detail["swap_rates"]["with_gap"] == [0, 5]
    assert told[7][1].detail["swap_rates"]["with_gap"] == [5, 5] and told[7][1].proved


def test_the_most_specific_cause_comes_first_and_what_is_none_last() -> None:
    of_case = [
        asked(1),
        finding("diluted", 1, retriever=""),
        finding("pollution", None, retriever=""),
        finding("stale", 5, retriever=""),
    ]
    untied = case()
    untied.is_tied, untied.setting, untied.targets, untied.query = (
        False,
        SimpleNamespace(readers={}, broken=lambda _: 0.0, adds=True),
        (),
        SimpleNamespace(text=""),
    )
    (told,) = _tested([untied], [{}], [of_case], modes(), None)
    assert [f.cause for f in told] == ["stale", "diluted", "pollution", "other_retriever"]


def test_marginal_is_a_place_or_two_and_nothing_shown() -> None:
    assert [is_marginal(case(rank=r), []) for r in (6, 7, 8, None)] == [True, True, False, False]
    assert not is_marginal(case(length=1, rank=2), [])  # twice the context
    assert is_marginal(case(length=2, rank=3), []) and not is_marginal(case(length=2, rank=4), [])
    assert is_marginal(case(rank=6), [finding("other_retriever", 1)])
    assert not is_marginal(case(rank=6), [finding("pollution", 5)])


def test_a_small_rise_into_the_lower_half_of_the_context_is_a_hint() -> None:
    def risen(before: int | None, after: int, **of: int) -> bool:
        found = finding("diluted", after)
        told = rises(case(**of), replace(found, before=Standing(before, False), edit=Edit()))
        assert told.proved and told.residual is ("small_rise" in told.detail)
        return not told.residual

    assert [risen(before, 4) for before in (7, 9, 10, None)] == [False, False, True, True]
    assert risen(7, 2) and not risen(7, 3)  # the upper half
    assert risen(7, 4, groups=4)  # all of whose groups cannot stand higher
    assert not risen(6, 1), "from the first place below the context anything raises it"
    assert risen(3, 1, length=2), "in a small one that is a long way"


def test_a_small_rise_by_another_retriever_is_left_to_the_hint_that_says_so() -> None:
    found = replace(finding("query_mismatch", 4), before=Standing(7, False), edit=Edit(retriever="dense"))
    told = rises(case(), found)
    assert not told.proved and told.detail["small_rise"]


@pytest.mark.parametrize(
    ("tried", "as_well", "points"), [(20, 2, True), (20, 4, True), (20, 5, False), (20, 0, False), (8, 1, False)]
)
def test_a_control_that_does_as_well_now_and_then_leaves_a_hint(tried: int, as_well: int, points: bool) -> None:
    added = Edit(added=(Addition(0, 0, 9, "longer", 0.0),))
    found = replace(finding("too_small", 2), proved=False, edit=added, control=Control(tried, as_well, None, ""))
    told = nearly(case(), found)
    assert (told.proved and told.residual) is points
    assert not nearly(case(), replace(found, edit=Edit(query="other words"))).proved
