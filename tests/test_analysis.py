"""Analyzers, held against what Elasticsearch's reference and Lucene's own tests show, and Lucene's BM25 against bm25s."""

from typing import get_args

import numpy as np
import pytest
import Stemmer

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.text.analysis import Analysis, Analyzer, Stem

SENTENCE = "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone."


@pytest.mark.parametrize(
    ("analyzer", "text", "terms"),
    [
        # Elasticsearch's reference, standard analyzer.
        ("standard", SENTENCE, "the 2 quick brown foxes jumped over the lazy dog's bone"),
        # Lucene's TestStandardAnalyzer: apostrophes, figures, names of hosts, Chinese, Korean, Thai and accents.
        ("standard", "O'Reilly you're she's don't", "o'reilly you're she's don't"),
        ("standard", "21.35 216.239.63.104 www.nutch.org", "21.35 216.239.63.104 www.nutch.org"),
        ("standard", "R2D2 C3PO some-dashed-phrase foo bar", "r2d2 c3po some dashed phrase foo bar"),
        ("standard", "我是中国人。 １２３４ Ｔｅｓｔｓ ", "我 是 中 国 人 １２３４ ｔｅｓｔｓ"),
        ("standard", "안녕하세요 한글입니다", "안녕하세요 한글입니다"),
        ("standard", "moͤchte", "moͤchte"),
        # Lucene's TestEnglishAnalyzer: plurals, stop words, possessives.
        ("english", "books book the steven's steven’s", "book book steven steven"),
        ("english", SENTENCE, "2 quick brown fox jump over lazi dog bone"),
        # Lucene's TestCJKAnalyzer.
        ("cjk", "一二三四五六七八九十", "一二 二三 三四 四五 五六 六七 七八 八九 九十"),
        ("cjk", "一 二三四 五六七八九 十", "一 二三 三四 五六 六七 七八 八九 十"),
        ("cjk", "あいうえおabcかきくけこ", "あい いう うえ えお abc かき きく くけ けこ"),
        ("cjk", "ｶﾞｷﾞ ＡＢＣ the", "ガギ abc"),
    ],
)
def test_as_lucene_does(analyzer: Analyzer, text: str, terms: str) -> None:
    assert Analysis(analyzer)(text) == terms.split()


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("use CORSMiddleware", "use corsmiddleware cors middleware"),
        ("snake_case parseHTTPResponse2", "snake_case snake case parsehttpresponse2 parse http response 2"),
        ("part AB-1234, well-known", "part ab 1234 ab1234 well known"),
        ("AB1234", "ab1234 ab 1234"),
        ("1-2 Häuser 3.14", "1 2 häuser 3 14"),
        ("病毒COVID-19", "病毒 covid 19 covid19"),
        ("設定snakeCaseKey的值", "設定 snakecasekey snake case key 的值"),
        ("é-getName getNameé", "é getname getnameé"),
    ],
)
def test_identifiers_by_their_parts(text: str, terms: str) -> None:
    assert Analysis(parts=True)(text) == terms.split()


@pytest.mark.parametrize(
    ("stem", "one", "other"),
    [
        ("english", "policies apply", "policy applies"),
        ("german", "Häuser der Bücher", "Haus der Buch"),
        ("french", "les congés payés", "le congé payé"),
        ("spanish", "los contratos firmados", "lo contrato firmado"),
        ("russian", "договоры аренды", "договор аренда"),
    ],
)
def test_stems_bring_forms_of_a_word_together(stem: Stem, one: str, other: str) -> None:
    analysis = Analysis(stem=stem)
    assert analysis(one)[-1] == analysis(other)[-1]
    assert Analysis()(one)[-1] != Analysis()(other)[-1]


def test_every_stemmer_is_one_of_snowball() -> None:
    assert set(get_args(Stem)) - {""} <= set(Stemmer.algorithms())


def test_stop_words_are_left_out() -> None:
    assert Analysis(stop="english")("Who is on the list?") == ["who", "list"]


def test_lucenes_analyzers_take_nothing_else() -> None:
    with pytest.raises(SpecError, match="leave out stem, stop and parts"):
        make("retrievers", "bm25(analyzer=english, stem=german)")
    with pytest.raises(SpecError, match="stem must be"):
        make("retrievers", "bm25(stem=klingon)")


TEXTS = [
    "The quick brown fox jumps over the lazy dog",
    "A fox is a fox, and two foxes are company",
    "Dogs and foxes: a quick comparison of the two",
    "Nothing of the kind stands here",
    "fox",
]


def test_lucenes_bm25_is_that_of_bm25s() -> None:
    bm25s = pytest.importorskip("bm25s")
    terms = Analysis()
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    oracle.index([terms(text) for text in TEXTS], show_progress=False)
    index = Bm25(variant="lucene", k1=1.2).index(TEXTS, None, no_progress)
    for query in ("quick fox", "the foxes", "company of two", "kind dog fox fox"):
        chunks, scores = index.search([query], len(TEXTS))
        expected = oracle.get_scores(terms(query))
        ranked = chunks[0][chunks[0] >= 0]
        np.testing.assert_allclose(scores[0][: len(ranked)], expected[ranked], rtol=1e-5)
        assert set(ranked.tolist()) == set(np.flatnonzero(expected > 0).tolist())


def test_an_index_knows_its_texts_by_their_terms() -> None:
    texts = ["The policy applies to trees", "Use CORSMiddleware here", "年假有几天", "Nothing else"]
    served = {
        "bm25(stem=english)": ("applying policies", 0),
        "bm25(parts=true)": ("cors", 1),
        "bm25": ("几天年假", 2),
        "bm25(analyzer=cjk, variant=lucene)": ("年假", 2),
    }
    for spec, (query, best) in served.items():
        index = make("retrievers", spec).index(texts, None, no_progress)
        assert index.search([query], 1)[0].tolist() == [[best]], spec
        assert index.weights_of(query).keys() == set(make("retrievers", spec).analysis(query))
