"""Unicode's normal forms beside Python's own."""

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ragdiag.text.unicode import MOST_MARKS, is_normalized, normalize

FORMS: Any = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
MARKS = st.text("\u0301\u0323\u0344\uff9e\u0345\u05b0\u2014x\u00e9 ", max_size=3 * MOST_MARKS)


@given(FORMS, st.text() | st.text("e\u0301\u0323\u3099\uff9e가\u1100\u1161—", max_size=MOST_MARKS))
def test_what_is_written_is_normalized_as_python_does(form: Any, text: str) -> None:
    assert normalize(form, text) == unicodedata.normalize(form, text)
    assert is_normalized(form, text) == unicodedata.is_normalized(form, text)


@given(FORMS, MARKS)
def test_of_more_marks_nothing_is_lost(form: Any, text: str) -> None:
    """Each mark is there, decomposed as by Python, if not in the same order."""
    ours, pythons = (
        unicodedata.normalize(form[:-1] + "D", made) for made in (normalize(form, text), unicodedata.normalize(form, text))
    )
    assert sorted(ours) == sorted(pythons)
