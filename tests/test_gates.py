"""Gates: what is parsed, what passes, what fails and how it is said."""

import math

import pytest

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Mean, Report
from ragdiag.scoring.gates import Gate, failures
from ragdiag.scoring.measures import Measure


def report(**means: Mean) -> Report:
    measures = {name.replace("_at_", "@"): mean for name, mean in means.items()}
    return Report("", 0, {}, {}, measures, (), (), (), (), {}, (), {}, {})


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("Sufficient@5=0.8", Gate(Measure("Sufficient", 5), False, 0.8)),
        (" Sufficient@5.low = 0.7 ", Gate(Measure("Sufficient", 5), True, 0.7)),
        ("IoU@800tok.low=1", Gate(Measure("IoU", 800, True), True, 1.0)),
        ("mrr=.5", Gate(Measure("RR"), False, 0.5)),
        ("R@100=1e-2", Gate(Measure("R", 100), False, 0.01)),
        ("ndcg@10=0", Gate(Measure("nDCG", 10), False, 0.0)),
    ],
)
def test_parse(text: str, gate: Gate) -> None:
    assert Gate.parse(text) == gate


@pytest.mark.parametrize(
    "text", ["", "=", "RR", "RR=", "RR=x", "RR=1.1", "RR=-1", "RR=1e9", "RR=nan", "RR=inf", "RR>=0.5", "RR=0.5=0.6"]
)
def test_what_is_no_gate(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read gate"):
        Gate.parse(text)


def test_an_unknown_measure() -> None:
    with pytest.raises(UsageError, match="unknown measure 'Sufficent@5'; did you mean"):
        Gate.parse("Sufficent@5=0.5")


def test_a_gate_holds_the_mean_or_the_lower_end_against_its_bound() -> None:
    measured = report(RR=Mean(0.6, 0.45, 0.75, 20), P_at_5=Mean(0.2, 0.2, 0.2, 20))
    gates = [Gate.parse(g) for g in ("RR=0.6", "RR.low=0.45", "P@5=0.2", "RR=0")]
    assert failures(gates, measured) == []
    gates = [Gate.parse(g) for g in ("RR=0.61", "RR.low=0.5", "P@5.low=0.2000001")]
    assert failures(gates, measured) == [
        "RR is 0.6000, under 0.61",
        "RR.low is 0.4500, under 0.5",
        "P@5.low is 0.2000, under 0.2",
    ]


def test_a_measure_that_is_not_decidable_fails_even_a_bound_of_0() -> None:
    undecidable = report(Sufficient_at_5=Mean(None, None, None, 0))
    assert failures([Gate.parse("Sufficient@5=0"), Gate.parse("Sufficient@5.low=0")], undecidable) == [
        "Sufficient@5 is not decidable for any query",
        "Sufficient@5.low is not decidable for any query",
    ]


def test_a_mean_just_under_its_bound_fails() -> None:
    assert failures([Gate.parse("RR=0.5")], report(RR=Mean(math.nextafter(0.5, 0), 0.0, 1.0, 3)))
