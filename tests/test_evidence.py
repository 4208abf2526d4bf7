"""Labels against the corpus, worked by hand: where evidence is found, where its copies are, what is a defect and why."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

from ragdiag.cli import main
from ragdiag.core.records import Corpus, Document, Label, Labels, Query
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import COPY_WORDS, locate, restrict
from ragdiag.sources.naming import DocumentNames

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")

FOX = "The quick brown fox jumps over the lazy dog near the river bank at noon."


def corpus(**texts: str) -> Corpus:
    return Corpus(tuple(Document(name, text) for name, text in sorted(texts.items())))


def asked(*labels: Label, text: str = "what?", **fields: Any) -> Query:
    return Query("q", text, evidence=labels, file="q.jsonl", line=1, **fields)


def rows(labels: Labels) -> list[tuple[int, int, int, int, int, bool]]:
    """Evidence as ``(query, group, document, start, end, copy)``."""
    e = labels.evidence
    return list(zip(*(c.tolist() for c in (e.query, e.group, e.document, e.start, e.end, e.copy)), strict=True))


def wrong(query: Query, documents: Corpus) -> tuple[str, str]:
    """Kind and message of the one defect of a query."""
    labels = locate([query], documents)
    assert labels.level == ("excluded",)
    assert rows(labels) == []
    (defect,) = labels.defects
    assert (defect.query, defect.file, defect.line) == ("q", "q.jsonl", 1)
    return defect.kind, defect.message


def found(query: Query, documents: Corpus) -> tuple[list[tuple[int, int, int]], list[str]]:
    """Places of a query's evidence, copies left out, and the warnings about it."""
    labels = locate([query], documents)
    assert labels.defects == ()
    return [r[2:5] for r in rows(labels) if not r[5]], [w.message for w in labels.warnings]


# Locating


def test_offsets_are_taken_as_they_are() -> None:
    assert found(asked(Label("a", "quick", 4, 9)), corpus(a=FOX)) == ([(0, 4, 9)], [])
    assert found(asked(Label("a", "", 4, 9)), corpus(a=FOX)) == ([(0, 4, 9)], [])


def test_a_text_that_stands_once_is_found() -> None:
    assert found(asked(Label("a", "brown fox")), corpus(a=FOX, b=FOX)) == ([(0, 10, 19)], [])
    assert found(asked(Label("", "brown fox")), corpus(a="no", b=FOX)) == ([(1, 10, 19)], [])


def test_a_text_is_found_whatever_its_white_space_and_that_is_said() -> None:
    places, warnings = found(asked(Label("a", " brown\n fox  jumps\t")), corpus(a="The quick brown fox\r\njumps over."))
    assert places == [(0, 10, 26)]
    assert warnings == ["found but for white space, at a#10-26"]


def test_a_text_is_found_by_similarity_and_that_is_shown() -> None:
    # One letter of 43 differs: 43 + 43 characters, one deleted and one inserted, are 1 - 2/86 = 97.7 % the same.
    places, warnings = found(asked(Label("a", "The quick brown fix jumps over the lazy dog")), corpus(a=FOX))
    assert places == [(0, 0, 43)]
    assert warnings == ["found by similarity, 98 %: 'The quick brown fox jumps over the lazy…', at a#0-43"]


RULE = "You may cancel the contract within 30 days of the purchase, and we pay the whole price of 1,000 dollars back by 5 May."


def edited(old: str, new: str) -> tuple[str, str]:
    """Kind and message of the defect of a label whose document was edited since."""
    assert old in RULE
    return wrong(asked(Label("a", RULE)), corpus(a=f"Terms. {RULE.replace(old, new)} The end."))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("30 days", "90 days", "where it says 'within 30 days' the document says 'within 90 days'"),
        ("30 days", "60 days", "where it says 'within 30 days' the document says 'within 60 days'"),
        ("30 days", "30 weeks", "where it says '30 days of' the document says '30 weeks of'"),
        ("30 days", "thirteen days", "where it says 'within 30 days' the document says 'within thirteen days'"),
        ("1,000 dollars", "10,000 dollars", "where it says 'of 1,000 dollars' the document says 'of 10,000 dollars'"),
        ("1,000 dollars", "1,000 euros", "where it says '1,000 dollars back' the document says '1,000 euros back'"),
        ("5 May", "5 June", "where it says '5 May.' the document says '5 June.'"),
        ("5 May", "15 May", "where it says 'by 5 May.' the document says 'by 15 May.'"),
        ("may cancel", "may not cancel", "where it says 'may cancel' the document says 'may not cancel'"),
        ("may cancel", "can't cancel", "where it says 'You may cancel' the document says 'You can't cancel'"),
        ("the purchase,", "the purchase, without fee,", "'purchase, and' the document says 'purchase, without fee, and'"),
        ("the whole", "unless asked the whole", "where it says 'pay the' the document says 'pay unless asked the'"),
    ],
)  # fmt: skip
def test_a_passage_whose_number_or_negation_has_changed_is_a_defect_that_shows_both(old: str, new: str, said: str) -> None:
    kind, message = edited(old, new)
    assert kind == "text_differs"
    assert said in message.replace('"', "'")
    assert re.match(r"'You may cancel the contract within 30 d…' is 9\d % similar to a#7-\d+, and where", message)


@pytest.mark.parametrize(
    ("label", "there"),
    [
        ("The ticket, once bought at the desk in the main hall, is refundable.", "refundable|non-refundable"),
        ("The ticket, once bought at the desk in the main hall, is not refundable.", "not refundable|refundable"),
        ("The ticket that you bought at the desk in the hall is valid.", "valid|invalid"),
        ("Visitors who have come by train are able to leave by the gate.", "able|unable"),
        ("The cellar may be kept at a temperature of -5 °C in winter.", "-5|5"),
        ("The reserve may be kept at a temperature of 5 °C in winter.", "°C|°F"),
        ("Diese Frist beginnt nicht mit dem Tag, an dem der Brief ankommt.", "nicht mit|mit"),
        ("Doors open at 12:30 to all who hold a ticket for the day.", "12:30|12:45"),
        ("Take the tablet twice a day with a glass of water, after meals.", "twice|once"),
    ],
)
def test_opposites_signs_and_units_differ_too(label: str, there: str) -> None:
    text = label.replace(*there.split("|"))
    assert text != label
    assert wrong(asked(Label("a", label)), corpus(a=text))[0] == "text_differs"


@pytest.mark.parametrize(
    ("label", "there"),
    [
        ("the fee of 1,000 dollars is paid, by everybody who has a ticket, in three days",
         "The fee of 1000 dollars is paid, by everybody who has a ticket, in 3 days"),
        ("twenty-one days after the purchase the ticket is void, unless they send another one, or somebody else writes to them",
         "21 days after the purchase the ticket is void, unless they send another one, or somebody else writes to them"),
        ("It isn't known whether 5 % of all of them ever came back here to the hall",
         "It is not known whether 5 percent of all of them ever came back here to the hall"),
    ],
)  # fmt: skip
def test_a_number_or_a_negation_may_be_written_otherwise(label: str, there: str) -> None:
    places, warnings = found(asked(Label("a", label)), corpus(a=f"Before. {there} And after."))
    assert len(places) == len(warnings) == 1
    assert warnings[0].startswith("found by similarity")


TYPED = {
    "quotes": ("“We don’t pay” – so they said in all 1‑year contracts", '"We don\'t pay" - so they said in all 1-year contracts'),
    "no-break space": ("within 30 ‘working’ days of a ticket", "within 30 'working'\u00a0days of a ticket"),
    "ligatures": ("The office ﬁnds 30 ﬂats a year", "The office finds 30 flats a year"),
    "composed": ("In the cafe\u0301 30 guests have a seat", "In the café 30 guests have a seat"),
    "line end": ("The contract ends 30 cal-\nendar days after", "The contract ends 30 calendar days after"),
    "soft hyphen at a line end": ("an exten\u00ad\nsion is granted", "an extension is granted"),
    "soft hyphens": ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
    "hyphen that stays": ("the Anglo-\nFrench treaty of COVID-\n19", "the Anglo-French treaty of COVID-19"),
    "zero width": ("un\u200bbreak\ufeffable w\u2060ords", "unbreakable words"),
    "full width": ("Ｍｏｄｅｌ　１２ costs ３０％", "Model 12 costs 30%"),
    "Chinese lines": ("年假为五天，\n须在三月\n 前休完。", "年假为五天，须在三月前休完。"),
    "Chinese marks": ("年假为五天,须在三月前休完(含)", "年假为五天，须在三月前休完（含）"),
    "half-width kana": ("ｻｰｻの料金", "サーサの料金"),
    "Hangul": ("직원은 휴가", unicodedata.normalize("NFD", "직원은 휴가")),
    "Devanagari": ("\u095bमीन की \u0958ीमत", "ज\u093cमीन की क\u093cीमत"),
    "Vietnamese": ("Điều kiện hưởng", unicodedata.normalize("NFD", "Điều kiện hưởng")),
    "ellipsis": ("Wait… then press", "Wait... then press"),
    "primes": ("a 5′ pole", "a 5' pole"),
}


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("turned", [False, True])
def test_a_passage_typed_otherwise_is_the_same_and_that_is_said(name: str, turned: bool) -> None:
    label, there = TYPED[name][::-1] if turned else TYPED[name]
    text = f"Before: {there} | after."
    places, warnings = found(asked(Label("a", label)), corpus(a=text))
    assert places == [(0, 8, 8 + len(there))]
    assert warnings == [f"found but for how it is typed, at a#8-{8 + len(there)}"]
    assert found(asked(Label("a", label, 8, 8 + len(there))), corpus(a=text)) == (places, warnings)


REST = " for all staff of the company in this country, whatever else was said before."

OTHERS = {
    "number goes on": ("The fee is 5", "The fee is 50 euros"),
    "decimals go on": ("The fee is 1", "The fee is 1.5 euros"),
    "number began before": ("5 % of it is paid", "2.5 % of it is paid"),
    "sign": ("5 °C in winter is fine", "-5 °C in winter is fine"),
    "Chinese number goes on": ("年假为五", "年假为五十天"),
    "version": ("Install v1.2" + REST, "Install v1.3" + REST),
    "section": ("See section 5.1" + REST, "See section 5.2" + REST),
    "letter behind a figure": ("See § 5" + REST, "See § 5a" + REST),
    "Roman": ("Chapter IV" + REST, "Chapter VI" + REST),
    "letter": ("Class B" + REST, "Class C" + REST),
    "superscript": ("costs 5¹ euros" + REST, "costs 51 euros" + REST),
    "power": ("up to 10² metres" + REST, "up to 102 metres" + REST),
    "fraction": ("up to 5½ metres" + REST, "up to 51/2 metres" + REST),
    "one point or a thousand": ("costs 1,000 euros" + REST, "costs 1.000 euros" + REST),
    "word and figure": ("wait five days" + REST, "wait 6 days" + REST),
    "unit": ("within 10 m of the door" + REST, "within 10 km of the door" + REST),
    "date": ("on 5.6.2024" + REST, "on 6.5.2024" + REST),
    "at most": ("take at most 3 of them" + REST, "take at least 3 of them" + REST),
    "Chinese": ("员工每年享有五天带薪年假，须在三月底之前休完。", "员工每年享有六天带薪年假，须在三月底之前休完。"),
    "Chinese tens": ("员工每年享有十五天带薪年假，须在三月底之前休完。", "员工每年享有五十天带薪年假，须在三月底之前休完。"),
    "Chinese unit": ("员工每年享有15天带薪年假，须在三月底之前休完。", "员工每年享有15月带薪年假，须在三月底之前休完。"),
    "Chinese negation": ("员工离职后可以领取补偿，须在三月底之前提出。", "员工离职后不可以领取补偿，须在三月底之前提出。"),
    "Japanese negation": (
        "今年の休暇は翌年に繰り越すことができるので注意。",
        "今年の休暇は翌年に繰り越すことができないので注意。",
    ),
    "Hindi figures": ("कर्मचारी को हर साल ५ दिन की छुट्टी मिलती है।", "कर्मचारी को हर साल ६ दिन की छुट्टी मिलती है।"),
    "Hindi words": ("कर्मचारी को हर साल पाँच दिन की छुट्टी मिलती है।", "कर्मचारी को हर साल चार दिन की छुट्टी मिलती है।"),
    "Hindi negation": (
        "कर्मचारी को हर साल मार्च तक छुट्टी मिलती है और सब को।",
        "कर्मचारी को हर साल मार्च तक छुट्टी नहीं मिलती है और सब को।",
    ),
    "Arabic figures": ("يحصل الموظف على ٥ أيام إجازة كل سنة", "يحصل الموظف على ٦ أيام إجازة كل سنة"),
    "full width": ("Ｍｏｄｅｌ　１２" + REST, "Model 13" + REST),
    "German": (
        "Der Urlaub beträgt fünfundzwanzig Tage im ganzen Jahr.",
        "Der Urlaub beträgt sechsundzwanzig Tage im ganzen Jahr.",
    ),
    "German ordinals": (
        "Der Urlaub endet am dritten Tag nach der Kündigung.",
        "Der Urlaub endet am vierten Tag nach der Kündigung.",
    ),
    "French": ("Le congé est de vingt-cinq jours par année entière.", "Le congé est de vingt-six jours par année entière."),
    "Spanish": (
        "Hay que esperar veinticinco días después de la compra.",
        "Hay que esperar veinticuatro días después de la compra.",
    ),
    "Russian": (
        "Отпуск составляет двадцать пять дней в году для всех.",
        "Отпуск составляет двадцать шесть дней в году для всех.",
    ),
    "Korean": (
        "직원은 휴가를 다음 해로 이월할 수 있으며 신청해야 합니다",
        "직원은 휴가를 다음 해로 이월할 수 없으며 신청해야 합니다",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_passage_that_differs_in_a_number_is_another_in_any_script(name: str) -> None:
    label, there = OTHERS[name]
    kind, message = wrong(asked(Label("a", label)), corpus(a=there))
    assert kind == "text_differs", message


@pytest.mark.parametrize(
    ("label", "there"),
    [
        ("员工每年享有15天带薪年假，须在三月底之前休完。", "员工每年享有十五天带薪年假，须在三月底之前休完。"),
        ("इस साल कर्मचारी को ५ दिन की छुट्टी मिलती है।", "इस साल कर्मचारी को 5 दिन की छुट्टी मिलती है।"),
        ("يحصل الموظف على ٥ أيام إجازة كل سنة", "يحصل الموظف على 5 أيام إجازة كل سنة"),
        ("costs 1 000 euros" + REST, "costs 1,000 euros" + REST),
        ("wait five days" + REST, "wait 5 days" + REST),
    ],
)
def test_a_number_in_other_figures_is_the_same(label: str, there: str) -> None:
    assert found(asked(Label("a", label)), corpus(a=there))[0] == [(0, 0, len(there))]


def test_a_passage_may_stand_beside_a_number_that_it_does_not_cut() -> None:
    docs = corpus(a="5 The fee is 5. 5 are free")
    assert found(asked(Label("a", "The fee is 5.")), docs) == ([(0, 2, 15)], [])
    assert found(asked(Label("a", "fee is 5")), docs) == ([(0, 6, 14)], [])
    cut = asked(Label("a", "fee is 5", 6, 14))  # its offsets say that it is meant so
    assert found(cut, corpus(a="5 The fee is 50")) == ([(0, 6, 14)], [])


def test_only_the_whole_number_counts_among_several_places() -> None:
    assert found(asked(Label("a", "costs 5")), corpus(a="One costs 50, one costs 5 euros, one costs 5.50."))[0] == [(0, 18, 25)]


def test_case_is_no_matter_of_typing() -> None:
    assert found(asked(Label("a", "The Polish office")), corpus(a="The polish office"))[1][0].startswith("found by similarity")


def test_a_passage_found_by_similarity_is_found_to_its_end() -> None:
    label = "You may cancel the contract within 30 days of the purchase, by a letter to the office."
    there = label.replace("the contract", "all of the contract")
    assert found(asked(Label("a", label)), corpus(a=f"One. {there} And so on."))[0] == [(0, 5, 5 + len(there))]


def test_a_change_far_into_a_passage_is_shown_whatever_was_said_of_its_place() -> None:
    new = RULE.replace("30 days", "90 days")
    kind, message = wrong(asked(Label("a", RULE, 0, len(RULE))), corpus(a=new))
    assert kind == "text_mismatch"
    assert message.endswith(
        "it stands nowhere in that document, and where it says 'within 30 days' the document says 'within 90 days'"
    )


def test_an_alternative_that_has_changed_is_a_defect_as_well() -> None:
    either = (Label("a", RULE, group="x"), Label("b", RULE, group="x"))
    kind, _ = wrong(asked(*either), corpus(a=RULE, b=RULE.replace("30", "31")))
    assert kind == "text_differs"


def test_in_long_texts_a_passage_is_found_by_its_pieces() -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    words = [f"word{i * i % 9973}x{i % 31}".translate(letters) for i in range(60_000)]
    text = " ".join(words)
    start = text.index(words[41_000])
    passage = text[start : start + 3000]
    assert len(passage) ** 2 * len(text) > 1e10  # every stretch would be too much work
    changed = passage.replace("word", "wort", 5)
    ((document, a, b),), _ = found(asked(Label("a", changed)), corpus(a=text))
    assert (document, a, b) == (0, start, start + 3000)
    middle = passage.index(" ", 1500)
    assert wrong(asked(Label("a", passage[:middle] + " not" + passage[middle:])), corpus(a=text))[0] == "text_differs"


def test_a_passage_too_long_to_look_for_says_so() -> None:
    text = " ".join(f"word{i}" for i in range(10_000))
    kind, message = wrong(asked(Label("a", text.replace("word5000", "word"))), corpus(a=text))
    assert kind == "text_absent"
    assert message.endswith("is not in a, and too long to look for what is like it")


def test_many_places_are_not_all_counted() -> None:
    message = wrong(asked(Label("a", "dog")), corpus(a="dog " * 5000))[1]
    assert message.endswith("a#16-19 and more than 995 more; give start and end")


def test_a_document_a_little_shorter_than_the_passage_is_found_whole() -> None:
    places, warnings = found(asked(Label("a", FOX[:43] + "!!")), corpus(a=FOX[:43]))
    assert places == [(0, 0, 43)]
    assert warnings[0].startswith("found by similarity, 98 %")  # 1 - 2 / (45 + 43) = 97.7 %


def test_a_text_too_different_is_absent_and_the_nearest_is_shown() -> None:
    kind, message = wrong(asked(Label("a", "The quick red fox sleeps under the lazy cat")), corpus(a=FOX))
    assert kind == "text_absent"
    similarity = re.fullmatch(
        r"'The quick red fox sleeps under the lazy…' is not in a; the nearest, (\d+) % similar, is a#\d+-\d+", message
    )
    assert similarity
    assert 50 <= int(similarity[1]) < 90


def test_a_text_like_nothing_is_absent() -> None:
    assert wrong(asked(Label("a", "§§ 123 §§")), corpus(a=FOX)) == ("text_absent", "'§§ 123 §§' is not in a")
    assert wrong(asked(Label("", "§§ 123 §§")), corpus(a=FOX, b="x"))[1] == "'§§ 123 §§' is not in any document"
    assert wrong(asked(Label("a", "anything")), corpus(a=""))[0] == "text_absent"


def test_a_text_that_stands_twice_is_ambiguous_and_the_candidates_are_named() -> None:
    kind, message = wrong(asked(Label("a", "dog")), corpus(a="dog, dog, dog, dog, dog, dog, dog"))
    assert kind == "text_ambiguous"
    assert message == "'dog' stands at a#0-3, a#5-8, a#10-13, a#15-18, a#20-23 and 2 more; give start and end"
    assert wrong(asked(Label("", "quick")), corpus(a=FOX, b=FOX))[1] == "'quick' stands at a#4-9, b#4-9; give start and end"
    assert wrong(asked(Label("a", "a  b")), corpus(a="a\nb a\tb"))[1] == "'a  b' stands at a#0-3, a#4-7; give start and end"
    assert wrong(asked(Label("a", "aa")), corpus(a="aaa"))[1] == "'aa' stands at a#0-2, a#1-3; give start and end"


def test_what_is_as_similar_elsewhere_is_ambiguous_too() -> None:
    nearly = Label("", "The quick brown fix jumps over the lazy dog")
    assert wrong(asked(nearly), corpus(a=FOX, b=FOX)) == (
        "text_ambiguous",
        "'The quick brown fix jumps over the lazy…' is 98 % similar to each of a#0-43, b#0-43",
    )
    assert wrong(asked(nearly), corpus(a=f"{FOX} And again: {FOX}"))[0] == "text_ambiguous"
    assert found(asked(nearly), corpus(a=FOX, b=FOX.replace("lazy", "idle")))[0] == [(0, 0, 43)]


# Offsets that are wrong


def test_wrong_offsets_are_told_apart() -> None:
    docs = corpus(a=FOX)
    assert wrong(asked(Label("a", "quick", 9, 4)), docs) == (
        "offsets_inverted",
        "start 9 is not before end 4; start and end have changed places: here it is 4-9",
    )
    assert wrong(asked(Label("a", "", 9, 4)), docs) == ("offsets_inverted", "start 9 is not before end 4")
    assert wrong(asked(Label("a", "", 4, 4)), docs)[0] == "offsets_inverted"
    assert wrong(asked(Label("a", "", 70, 73)), docs) == ("offsets_outside", "[70, 73) leaves a, which has 72 characters")
    assert wrong(asked(Label("a", "", -2, 3)), docs)[0] == "offsets_outside"
    assert wrong(asked(Label("a", "", 3, 4)), docs) == ("empty_evidence", "a[3:4] is white space")
    assert wrong(asked(Label("b", "quick", 4, 9)), docs) == ("unknown_document", "no document 'b' in the corpus")
    assert wrong(asked(Label("", "quick", 4, 9)), docs)[0] == "unknown_document"


def test_a_text_elsewhere_says_how_far() -> None:
    docs = corpus(a="one two three two")
    assert (
        wrong(asked(Label("a", "two", 3, 6)), docs)[1]
        == "a[3:6] is ' tw', the label says 'two'; it stands at 4, 1 character later"
    )
    assert wrong(asked(Label("a", "two", 12, 15)), docs)[1].endswith("it stands at 14, 2 characters later")
    assert wrong(asked(Label("a", "one", 5, 8)), docs)[1].endswith("it stands at 0, 5 characters earlier")
    assert wrong(asked(Label("a", "six", 0, 3)), docs)[1].endswith("it stands nowhere in that document")


CAFE = "Leave 🌴 is 25 days.\nThe café opens. Café vouchers are 7 euros."
VOUCHERS = "Café vouchers are 7 euros."


def offsets(text: str, passage: str = VOUCHERS) -> tuple[int, int]:
    return text.index(passage), text.index(passage) + len(passage)


AT, UNTIL = offsets(CAFE)
MISTAKES = {
    "the last character": (CAFE, AT, UNTIL - 1, f"is end the last character? write the one behind it: here it is {AT}-{UNTIL}"),
    "from 1": (
        CAFE.replace("🌴", "X").replace("\n", " "),
        AT + 1,
        UNTIL + 1,
        f"it stands at {AT}, 1 character earlier: do start and end count from 1",
    ),
    "start from 1": (CAFE, AT + 1, UNTIL, f"start looks as if counted from 1: here it is {AT}-{UNTIL}"),
    "bytes": (CAFE, len(CAFE[:AT].encode()), len(CAFE.encode()), f"offsets look like bytes: in characters it is {AT}-{UNTIL}"),
    "UTF-16": (CAFE, AT + 1, UNTIL + 1, f"offsets look like UTF-16 units: in characters it is {AT}-{UNTIL}, 1 character earlier"),
    "length": (CAFE, AT, len(VOUCHERS), f"end looks like the length: here it is {AT}-{UNTIL}"),
    "swapped": (CAFE, UNTIL, AT, "start and end have changed places"),
    "without returns": (
        CAFE.replace("\n", "\r\n"),
        AT,
        UNTIL,
        f"it stands at {AT + 1}, 1 character later: the document has CRLF",
    ),
    "with returns": (CAFE, AT + 1, UNTIL + 1, "UTF-16"),  # the palm tree explains it as well, and comes first
    "returns": (CAFE.replace("🌴", "X"), *offsets(CAFE.replace("\n", "\r\n")), "copy with CRLF line ends, the document has none"),
    "stripped": (
        "\n\n " + CAFE,
        AT,
        UNTIL,
        f"it stands at {AT + 3}, 3 characters later: the label was made from a copy without the white",
    ),
    "composed": (
        unicodedata.normalize("NFD", CAFE),
        AT,
        UNTIL,
        f"it is {AT + 1}-{UNTIL + 2}: the label was made from a copy with composed",
    ),
    "decomposed": (
        CAFE.replace("🌴", "X"),
        AT + 1,
        UNTIL + 2,
        f"it is {AT}-{UNTIL}: the label was made from a copy with letters and acc",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_very_mistake_of_offsets_is_named(name: str) -> None:
    text, start, end, said = MISTAKES[name]
    passage = unicodedata.normalize("NFD", VOUCHERS) if name == "decomposed" else VOUCHERS
    kind, message = wrong(asked(Label("a", passage, start, end)), corpus(a=text))
    assert kind == ("offsets_inverted" if start >= end else "offsets_outside" if end > len(text) else "text_mismatch")
    assert said in message


@pytest.mark.parametrize(
    ("name", "content", "label", "said"),
    [
        ("a.txt", "\ufeffOne. Two cats.", (Label("a.txt", "Two cats.", 6, 15)), "a copy with the file's byte order mark"),
        (
            "a.txt",
            "\ufeffOne. Two cats.",
            (Label("a.txt", "Two cats.", 8, 17)),
            "offsets look like bytes: in characters it is 5-14",
        ),
        ("a.html", "<p>One.</p><p>Two cats.</p>", (Label("a.html", "Two cats.", 14, 23)), "the page's HTML, with its tags"),
    ],
)
def test_offsets_of_the_file_itself_are_named(tmp_path: Path, name: str, content: str, label: Label, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert said in wrong(asked(label), load_corpus(tmp_path))[1]


def test_names_are_the_same_however_their_letters_are_composed() -> None:
    apart = unicodedata.normalize("NFD", "congés.md")
    assert apart != "congés.md"
    for name, asked_for in ((apart, "congés.md"), ("congés.md", apart)):
        docs = Corpus((Document(name, FOX),))
        assert found(asked(Label(asked_for, "quick")), docs) == ([(0, 4, 9)], [])
        assert found(asked(Label(asked_for, "quick", 4, 9)), docs) == ([(0, 4, 9)], [])
        assert locate([asked(relevant=((asked_for, 1),))], docs).relevant == ({0: 1},)


def test_of_two_documents_whose_names_compose_alike_only_the_exact_one_is_meant() -> None:
    one, other = "e\u0323\u0302", "\u1eb9\u0302"
    names = DocumentNames(Corpus((Document(one, "x"), Document("z", "."), Document(other, "y"))))
    assert [names.position(name) for name in (one, "z", other)] == [0, 1, 2]
    assert names.position("\u1ec7") is None
    assert "\u1ec7" not in names
    assert "z" in names


def test_line_ends_are_named_as_the_reason() -> None:
    kind, message = wrong(asked(Label("a", "one\ntwo", 0, 7)), corpus(a="one\r\ntwo"))
    assert kind == "text_mismatch"
    assert message.endswith("the document has CRLF line ends, the label was made from a copy without them")


def test_offsets_may_count_in_a_part_of_a_document() -> None:
    """SQuAD counts in a paragraph, which may be a document or stand in one."""
    first, second = "Foxes sleep by day.", "Dogs sleep by night."
    label = Label("article", "night", 14, 19, doc_text=second)
    assert found(asked(label), corpus(p1=first, p2=second))[0] == [(1, 14, 19)]
    assert found(asked(label), corpus(article=f"{first}\n{second}", other=second + "!"))[0] == [(0, 34, 39)]
    assert found(asked(label), corpus(x=f"{first}\n{second}"))[0] == [(0, 34, 39)]
    assert wrong(asked(label), corpus(x=f"{second} {second} "))[0] == "unknown_document"
    assert wrong(asked(Label("", "night", 14, 19, doc_text=second)), corpus(x=first)) == (
        "unknown_document",
        "the label names no document, and its source text is in none",
    )


# Groups, documents, contradictions


def test_spans_are_required_one_by_one_unless_a_group_makes_them_alternatives() -> None:
    labels = locate(
        [
            asked(Label("a", "quick"), Label("a", "brown")),
            asked(Label("a", "fox", group="x"), Label("a", "dog", group="x"), Label("a", "river")),
        ],
        corpus(a=FOX),
    )
    assert rows(labels) == [
        (0, 0, 0, 4, 9, False),
        (0, 1, 0, 10, 15, False),
        (1, 2, 0, 16, 19, False),
        (1, 2, 0, 40, 43, False),
        (1, 3, 0, 53, 58, False),
    ]


def test_one_wrong_label_excludes_its_query() -> None:
    labels = locate([asked(Label("a", "quick"), Label("a", "cat"), Label("b", "x")), asked(Label("a", "dog"))], corpus(a=FOX))
    assert labels.level == ("excluded", "span")
    assert [d.kind for d in labels.defects] == ["text_absent", "unknown_document"]
    assert rows(labels) == [(1, 0, 0, 40, 43, False)]


def test_document_labels() -> None:
    labels = locate([asked(relevant=(("a", 2), ("b", 0)))], corpus(a=FOX, b="x"))
    assert labels.level == ("document",)
    assert labels.relevant == ({0: 2, 1: 0},)
    assert labels.defects == ()
    both = locate([asked(Label("a", "dog"), relevant=(("a", 2),))], corpus(a=FOX))
    assert (both.level, both.relevant) == (("span",), ({},))
    assert wrong(asked(relevant=(("c", 1),)), corpus(a=FOX))[0] == "unknown_document"
    assert wrong(asked(relevant=(("a", 1), ("a", 2))), corpus(a=FOX)) == (
        "contradictory",
        "document 'a' is graded twice, differently",
    )
    assert wrong(asked(relevant=(("a", 0),)), corpus(a=FOX))[0] == "unlabelled"
    assert locate([asked(relevant=(("a", 1), ("a", 1)))], corpus(a=FOX)).defects == ()


def test_contradictions() -> None:
    docs = corpus(a=FOX)
    assert wrong(asked(Label("a", "dog"), unanswerable=True), docs)[0] == "contradictory"
    assert wrong(asked(relevant=(("a", 1),), unanswerable=True), docs)[0] == "contradictory"
    assert wrong(asked(Label("a", "dog"), relevant=(("a", 0),)), docs)[1] == "evidence is given in a, whose grade is 0"
    labels = locate([asked(Label("a", "dog"), text="Who  is it"), asked(text="who is IT ", unanswerable=True)], docs)
    assert labels.level == ("excluded", "excluded")
    assert [d.kind for d in labels.defects] == ["contradictory"] * 2
    assert locate([asked(unanswerable=True)], docs).level == ("unanswerable",)
    assert wrong(asked(), docs)[0] == "unlabelled"
    assert wrong(asked(Label("a", "dog"), text=" \n"), docs) == ("empty_query", "the query has no text")


def test_evidence_over_most_of_a_long_document_is_worth_a_warning() -> None:
    long = "word " * 3000
    _, (warning,) = found(asked(Label("a", "", 0, 9000)), corpus(a=long))
    assert warning == "the evidence is 60% of the long document a"
    assert found(asked(Label("a", "", 0, 7000)), corpus(a=long))[1] == []
    assert found(asked(Label("a", "", 0, 60)), corpus(a=FOX))[1] == []


# Copies


SENTENCE = "Close the stop cock before you open it."


def test_exact_copies_elsewhere_are_alternatives() -> None:
    docs = corpus(a=f"x {SENTENCE}", b=f"{SENTENCE} And {SENTENCE}", c=SENTENCE.upper())
    query = asked(Label("a", SENTENCE))
    end = len(SENTENCE)
    assert rows(locate([query], docs)) == [
        (0, 0, 0, 2, 2 + end, False),
        (0, 0, 1, 0, end, True),
        (0, 0, 1, end + 5, 2 * end + 5, True),
    ]
    assert rows(locate([query], docs, copies="ignore")) == [(0, 0, 0, 2, 2 + end, False)]


def test_a_copy_that_cuts_a_number_a_word_or_a_letter_is_none() -> None:
    passage = "The fee for the whole year is 5"
    docs = corpus(a=f"{passage} euros", b=f"{passage}0 euros", c=f"{passage}.20 euros", d=f"{passage}. It is due.")
    assert [row[2] for row in rows(locate([asked(Label("a", passage))], docs))] == [0, 3]
    hindi = "कर्मचारी को हर साल छुट्टी क"
    docs = corpus(a=f"{hindi} ख", b=f"{hindi}ी बात", c=f"{hindi}।")
    assert [row[2] for row in rows(locate([asked(Label("a", hindi, 0, len(hindi)))], docs))] == [0, 2]


def test_in_scripts_without_spaces_a_copy_stands_among_other_letters() -> None:
    passage = "开始使用 iPhone 之前必须先关闭总阀门并打开排气口等待五分钟以上"
    docs = corpus(a=passage, b=f"请注意{passage}再继续操作", c=f"请注意{passage}五")
    assert [(row[2], row[5]) for row in rows(locate([asked(Label("a", passage))], docs))] == [(0, False), (1, True), (2, True)]


def test_a_copy_belongs_to_every_group_that_needs_the_passage() -> None:
    docs = corpus(a=SENTENCE, b=SENTENCE)
    labels = locate([asked(Label("a", SENTENCE)), asked(Label("b", SENTENCE), Label("a", SENTENCE))], docs)
    assert [(q, g, d, copy) for q, g, d, _, _, copy in rows(labels)] == [
        (0, 0, 0, False),
        (0, 0, 1, True),
        (1, 1, 0, True),
        (1, 1, 1, False),
        (1, 2, 0, False),
        (1, 2, 1, True),
    ]


def test_a_labelled_alternative_is_no_copy() -> None:
    docs = corpus(a=SENTENCE, b=SENTENCE)
    labels = locate([asked(Label("a", SENTENCE, group="g"), Label("b", SENTENCE, group="g"))], docs)
    assert [(d, copy) for _, _, d, _, _, copy in rows(labels)] == [(0, False), (1, False)]


def test_half_of_a_number_with_a_fraction_is_no_evidence() -> None:
    docs = corpus(a="The narrow bridge near town spans 5 metres.", b="The narrow bridge near town spans 5½ metres.")
    half = "The narrow bridge near town spans 5"
    assert rows(locate([asked(Label("a", half))], docs)) == [(0, 0, 0, 0, len(half), False)]
    labels = locate([asked(Label("b", half))], docs)
    assert not rows(labels) and labels.defects[0].kind == "text_differs"


def test_a_short_passage_has_no_copies() -> None:
    words = SENTENCE.split()
    short, enough = " ".join(words[: COPY_WORDS - 1]), " ".join(words[:COPY_WORDS])
    docs = corpus(a=SENTENCE, b=SENTENCE)
    assert len(rows(locate([asked(Label("a", short))], docs))) == 1
    assert len(rows(locate([asked(Label("a", enough))], docs))) == 2


def test_a_passage_without_spaces_may_be_long_enough() -> None:
    text = "開ける前に必ず止水栓を閉めてください。水が出ます。"
    assert len(rows(locate([asked(Label("a", text))], corpus(a=text, b=text)))) == 2
    assert len(rows(locate([asked(Label("a", text[:10]))], corpus(a=text, b=text)))) == 1
    url = "https://example.org/a/very/long/address/without/spaces"
    assert len(rows(locate([asked(Label("a", url))], corpus(a=url, b=url)))) == 1


def test_a_copy_inside_words_is_none() -> None:
    passage = "art of the long deal"
    docs = corpus(a=passage, b="The part of the long deal.", c="art of the long dealing", d="(art of the long deal)")
    labels = locate([asked(Label("a", passage))], docs)
    assert [(d, start, copy) for _, _, d, start, _, copy in rows(labels)] == [(0, 0, False), (3, 1, True)]


def test_a_copy_does_not_overlap_what_is_labelled() -> None:
    chant = "row row row row row row row row"
    labels = locate([asked(Label("a", "", 8, 27))], corpus(a=chant))  # five of the eight
    assert rows(labels) == [(0, 0, 0, 8, 27, False)]


def test_copies_are_looked_for_without_the_white_space_around() -> None:
    docs = corpus(a=f"x {SENTENCE}\n", b=f"y\n{SENTENCE}\n")
    labels = locate([asked(Label("a", "", 1, len(SENTENCE) + 3))], docs)
    assert rows(labels)[1] == (0, 0, 1, 2, 2 + len(SENTENCE), True)


def test_half_a_surrogate_pair_in_a_document_does_no_harm() -> None:
    docs = corpus(a=f"\ud800 {SENTENCE}", b=f"\udfff {SENTENCE}")
    assert [r[2:4] for r in rows(locate([asked(Label("a", SENTENCE))], docs))] == [(0, 2), (1, 2)]


# Any text, any span


texts = st.text(min_size=1, max_size=60) | st.text(alphabet="ab \n.", min_size=1, max_size=80)


@given(st.data())
def test_any_span_of_any_text_is_located_exactly_there(data: st.DataObject) -> None:
    text = data.draw(texts)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    passage = text[start:end]
    assume(passage.strip())
    docs = corpus(a=text, b=text + ".")
    labels = locate([asked(Label("a", passage, start, end))], docs)
    assert labels.level == ("span",)
    assert [r[2:] for r in rows(labels) if not r[5]] == [(0, start, end, False)]
    for _, _, d, s, e, copy in rows(labels):
        if copy:
            assert docs.documents[d].text[s:e] == passage.strip()
            assert d == 1 or s >= end or e <= start

    shifted = locate([asked(Label("a", passage, start + 1, end + 1))], docs)
    if end + 1 > len(text):
        assert [d.kind for d in shifted.defects] == ["offsets_outside"]
    elif text[start + 1 : end + 1] == passage:
        assert shifted.level == ("span",)
    else:
        assert [d.kind for d in shifted.defects] == ["text_mismatch"]
        assert shifted.level == ("excluded",)


@given(texts, st.data())
def test_a_label_without_offsets_is_found_or_said_to_be_ambiguous(text: str, data: st.DataObject) -> None:
    text = re.sub(r"\d", "x", text)  # a part of a number is no passage
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    passage = text[start:end]
    assume(passage.strip())
    labels = locate([asked(Label("a", passage))], corpus(a=text))
    if sum(text.startswith(passage, i) for i in range(len(text))) > 1:
        assert [d.kind for d in labels.defects] == ["text_ambiguous"]
    else:
        assert [r[3:5] for r in rows(labels) if not r[5]] == [(start, end)]
        assert labels.warnings == ()


# A part of the corpus


def test_restrict_keeps_what_is_whole_in_the_part() -> None:
    docs = corpus(a="alpha", b="beta", c="gamma")
    queries = [
        Query("in", "1", evidence=(Label("b", "beta"),)),
        Query("half", "2", evidence=(Label("b", "beta"), Label("c", "gamma"))),
        Query("either", "3", evidence=(Label("a", "alpha", group="g"), Label("b", "beta", group="g"))),
        Query("out", "4", evidence=(Label("a", "alpha"),)),
        Query("document", "5", relevant=(("b", 1), ("c", 2))),
        Query("elsewhere", "6", relevant=(("c", 1),)),
        Query("none", "7", unanswerable=True),
        Query("broken", "8", evidence=(Label("z", "x"),)),
    ]
    part, labels = restrict(docs, locate(queries, docs), ["b"])
    assert [d.id for d in part.documents] == ["b"]
    assert [q.id for q in labels.queries] == ["in", "either", "document"]
    assert labels.level == ("span", "span", "document")
    assert labels.relevant == ({}, {}, {0: 1})
    assert rows(labels) == [(0, 0, 0, 0, 4, False), (1, 1, 0, 0, 4, False)]
    assert (labels.defects, labels.left_out) == ((), 5)


def test_restrict_lets_a_copy_stand_for_its_passage() -> None:
    docs = corpus(a=SENTENCE, b=f"> {SENTENCE}", c=SENTENCE)
    labels = locate([asked(Label("a", SENTENCE))], docs)
    end = len(SENTENCE)
    assert rows(restrict(docs, labels, ["b", "c"])[1]) == [(0, 0, 0, 2, 2 + end, False), (0, 0, 1, 0, end, False)]
    assert rows(restrict(docs, labels, ["a", "c"])[1]) == [(0, 0, 0, 0, end, False), (0, 0, 1, 0, end, True)]


def test_restrict_to_everything_changes_nothing() -> None:
    docs = corpus(a=SENTENCE, b=f"{SENTENCE} {FOX}")
    labels = locate([asked(Label("a", SENTENCE), Label("b", "fox", group="g"), Label("b", "dog", group="g"))], docs)
    part, same = restrict(docs, labels, ["a", "b"])
    assert part.documents == docs.documents
    assert rows(same) == rows(labels)


# Real labels


def checked(*paths: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["check", *map(str, paths), "--json", "-"])
    report: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if report["label_defects"] else 0)
    return report


@needs_data
def test_covidqa_every_drifting_offset_and_no_other_is_a_defect() -> None:
    drifting, good = {}, set()
    for line in (DATA / "covidqa" / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        name, by = record["_id"].rsplit("_", 1)[1], record["evidence"][0]["start"] - record["meta"]["upstream_answer_start"][0]
        if by:
            drifting[name] = by
        else:
            good.add(name)
    assert (len(drifting), len(good)) == (234, 1146)
    original = DATA / "covidqa" / "original" / "200423_covidQA.json"
    report = checked(DATA / "covidqa" / "corpus", original)
    assert Counter(d["kind"] for d in report["label_defects"]) == {"text_mismatch": 234}
    assert {d["query"] for d in report["label_defects"]} == set(drifting)
    assert all(d["file"] == str(original) and d["line"] >= 1 for d in report["label_defects"])
    for defect in report["label_defects"]:
        by = drifting[defect["query"]]
        assert f"{abs(by)} character{'s' * (abs(by) != 1)} {'later' if by > 0 else 'earlier'}" in defect["message"]


@needs_data
def test_chroma_chunking_has_no_defects() -> None:
    (csv,) = (DATA / "chroma_chunking" / "original").glob("*.csv")
    report = checked(DATA / "chroma_chunking" / "corpus", csv)
    assert (report["inputs"]["queries"], report["label_defects"]) == (472, [])
