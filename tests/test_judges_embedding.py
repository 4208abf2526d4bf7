"""The embedding judge: nearness decides what rules cannot, and numbers override it."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from ragdiag.answering.judges.embedding import Embedding
from ragdiag.core.cache import Cache
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import make, spec_of

pytestmark = [
    pytest.mark.encoder,
    pytest.mark.skipif(not find_spec("sentence_transformers"), reason="sentence-transformers is not installed"),
]


def opinions(
    rows: list[tuple[str, str, str]], judge: Embedding | None = None, store: Cache | None = None
) -> list[Opinion | None]:
    asked = [(Query("q", question, gold), Answer("q", "oracle", answer)) for question, gold, answer in rows]
    return (judge or Embedding()).judge(asked, store, no_progress)


def test_near_is_right_and_far_is_wrong() -> None:
    rows = [
        ("What causes the disease?", "A lack of vitamin C", "Vitamin C deficiency causes it."),
        ("What causes the disease?", "A lack of vitamin C", "It is spread by mosquitoes."),
    ]
    near, far = opinions(rows)
    assert near is not None
    assert far is not None
    assert (near.correct, far.correct) == (True, False)
    assert "nearness to the reference 0." in near.why
    assert "0.7 needed" in near.why


def test_a_number_overrides_nearness() -> None:
    rows = [
        ("What was revenue?", "$31.2 million", "Revenue was $31.2 billion."),
        ("What was revenue?", "$31.2 million", "Revenue was 31,200 thousand dollars."),
        (
            "How did margin change?",
            "The gross margin declined to 37% because freight costs rose",
            "Gross margin fell to 41% as freight rose",
        ),
    ]
    found = opinions(rows)
    assert [o is not None and o.correct for o in found] == [False, True, False]
    assert found[2] == Opinion(False, "41% is not 37%")


def test_refusals_and_what_cannot_be_judged() -> None:
    assert opinions([("Who?", "Ada leads the team", "I cannot determine who leads it.")]) == [
        Opinion(False, "refusal", "refusal")
    ]
    assert opinions([("Who?", "Ada leads the team", " ")]) == [Opinion(False, "the answer is empty", "refusal")]
    assert opinions([("Who?", " ", "Ada")]) == [None]
    assert Embedding().judge([(Query("q", "Who?", "Ada"), Answer("q", "oracle", "", failed=True))], None, no_progress) == [None]


def test_vectors_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("What causes it?", "A lack of vitamin C", "Vitamin C deficiency")]
    store = Cache(tmp_path)
    first = opinions(rows, store=store)
    monkeypatch.setattr("ragdiag.search.encoder.load_model", lambda *_: pytest.fail("the vectors are known"))
    assert opinions(rows, store=store) == first


def test_specs() -> None:
    assert make("judges", "embedding(threshold=0.8)") == Embedding(0.8)
    assert spec_of(Embedding(0.8)) == "embedding(threshold=0.8)"
    assert make("judges", spec_of(Embedding(), full=True)) == Embedding()
    with pytest.raises(SpecError, match="embedding: threshold"):
        make("judges", "embedding(threshold=0)")
