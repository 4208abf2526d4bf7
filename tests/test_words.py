"""Words, their normal form and its way back, held against Unicode's tables, rank-bm25's tokens and examples by hand."""

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragdiag.text.normal import Normal, folded, normal
from ragdiag.text.scripts import letters_without_spaces, marks, spaced_by_sentence
from ragdiag.text.words import plain, spelled, words

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
ANY_TEXT |= st.text("aB1_ .²½ﬁß\u0301\u0308İΣς漢かกำ한\u1112\u1161\u11ab\u0939\u093f\xad\u200b\ufeff’“–ʼ\ud800", max_size=40)

# Words.


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_on_ascii_words_are_what_they_are_to_rank_bm25(text: str) -> None:
    assert words(text) == re.findall(r"\w+", text.lower())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("年假有几天？", "年假 假有 有几 几天"),
        ("猫", "猫"),
        ("COVID19病毒 v2", "covid19 病毒 v2"),
        ("カタカナとひらがな", "カタ タカ カナ ナと とひ ひら らが がな"),
        ("ｶﾀｶﾅ", "カタ タカ カナ"),  # narrow kana
        ("हिन्दी में", "हिन्दी में"),
        ("বাংলা ভাষা", "বাংলা ভাষা"),
        ("ที่นี่", "ที่นี่"),
        ("ภาษาไทย", "ภา าษ ษา าไ ไท ทย"),
        ("한국어 문장", "한국어 문장"),
        ("العَرَبِيَّة", "العَرَبِيَّة"),
        ("naïve Ünïcode", "naïve ünïcode"),
        ("nai\u0308ve", "naïve"),
        ("ﬁnal oﬃce", "final office"),
        ("Straße STRASSE", "strasse strasse"),
        ("co\xadoper\u200bate", "cooperate"),
        ("ＡＢＣ１２", "abc12"),
        ("5¹ 2⁸-1 5½ CO₂ x²", "5 1 2 8 1 5 1 2 co2 x2"),
        ("don’t donʼt", "don t don t"),
        ("Ⅷ №5", "viii no5"),
        ("२५ दिन ٢٥ ๒๕", "25 दिन 25 25"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == unicodedata.normalize("NFKC", expected).split()


@given(ANY_TEXT)
@example("0\xad¼")  # what no one sees stands between the figure and the fraction
def test_words_are_those_of_the_normal_form_in_any_case_and_composition(text: str) -> None:
    assert words(normal(text)) == words(text) == words(plain(text))
    assert words(normal(text, fold=True)) == words(text)


@pytest.mark.parametrize("text", ["Congés payés d’été", "한국어 문장", "हिन्दी फ़ोन में", "đường ống", "ぱぴぷぺぽ が"])
def test_composition_makes_no_difference(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len({tuple(words(form)) for form in forms}) == 1
    assert len({folded(form) for form in forms}) == 1


@given(ANY_TEXT)
def test_a_spelled_word_stands_where_it_says(text: str) -> None:
    last = 0
    for start, end, word in spelled(text):
        assert last <= start < end <= len(text)
        assert words(text[start:end]) == [word]
        last = end


# Scripts.


def test_marks_are_all_marks_of_unicode() -> None:
    pattern = re.compile(f"[{marks()}]")
    assert [i for i in range(sys.maxunicode + 1) if is_mark(i) != bool(pattern.match(chr(i)))] == []


def is_mark(point: int) -> bool:
    return unicodedata.category(chr(point))[0] == "M"


@pytest.mark.parametrize("text", ["漢字仮名かなカナ", "ไทย", "ລາວ", "ខ្មែរ", "မြန်မာ", "𠮷"])
def test_scripts_without_spaces(text: str) -> None:
    letters = re.compile(f"[{letters_without_spaces()}{marks()}]+")
    assert letters.fullmatch(text)
    assert not re.search(f"[{letters_without_spaces()}]", "abc éß Ελ Рус हि 한국 עב عر 123 ๑๒ 。、")
    assert bool(re.search(f"[{spaced_by_sentence()}]", text)) == (text in ("ไทย", "ລາວ", "ខ្មែរ"))


# The normal form.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“A” – ‘b’\xa0c…", "\"A\" - 'b' c..."),
        ("5¹ and 2⁸-1", "5^1 and 2^8-1"),
        ("5½ km", "5 1/2 km"),
        ("½ km", "1/2 km"),
        ("pays 5.¹ and 10⁻³ m, 10₂", "pays 5.^1 and 10^-3 m, 10 2"),
        ("a\u0301\ufeffb", "áb"),
        ("ﬁ ﬂ ﬃ", "fi fl ffi"),
        ("ｶﾞﾋﾞ", "ガビ"),
        ("e = mc²", "e = mc2"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normal(text) == expected
    assert normal(text, fold=True) == expected.casefold()


@given(ANY_TEXT)
def test_every_stretch_of_the_normal_form_comes_from_a_stretch_of_the_source(text: str) -> None:
    for fold in (False, True):
        form = Normal(text, fold)
        ends = [form.source(i, i + 1) for i in range(len(form.text))]
        assert all(0 <= start < end <= len(text) for start, end in ends)
        assert ends == sorted(ends)
        if ends:
            start, end = form.source(0, len(form.text))
            assert normal(text[start:end], fold) == form.text  # what is dropped at the ends is nothing to see


@given(ANY_TEXT)
def test_the_normal_form_is_its_own(text: str) -> None:
    for fold in (False, True):
        assert normal(normal(text, fold), fold) == normal(text, fold)
