"""Odd inputs of many kinds through the real command: what a stranger tries next, and what has to come of it."""

import json
import shlex
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from fpdf import FPDF

sys.path.insert(0, str(Path(__file__).parent))

from worded import boxed, call, cell, field, item, levels, lists, math, note, packed, par, run, sign, table

from ragdiag.cli import main

Content = str | bytes | Sequence[object]
"""A text, raw bytes, or records that are written as JSON Lines."""


class Odd(NamedTuple):
    name: str
    files: dict[str, Content]
    command: str
    report: Mapping[str, object] = MappingProxyType({})
    """By the path in the JSON report, parted by ``/``: what must stand there. A function is asked instead."""
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    status: int = 0


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def label(text: str, doc: str, query: str = "?", **more: object) -> dict[str, object]:
    """A query with one passage as its evidence."""
    return {"_id": "q", "text": query, "evidence": [{"doc_id": doc, "text": text, **more}]}


def relevant(doc: str, query: str) -> dict[str, object]:
    return {"_id": "q", "text": query, "relevant": [{"doc_id": doc, "grade": 1}]}


def has(name: str, content: Content, *passages: str, file: str = "d.txt", lacks: str = "", command: str = "") -> Odd:
    """A document in which each of `passages` stands as it is, to the letter, and `lacks` does not."""
    labels = [{**label(passage, file), "_id": f"q{i}"} for i, passage in enumerate(passages)]
    wrong = [{**label(lacks, file), "_id": "lacks"}] if lacks else []
    return Odd(
        name,
        {f"c/{file}": content, "q.jsonl": labels + wrong},
        command or "check c q.jsonl",
        {
            "label_warnings": [],
            "label_defects": lambda defects: [d["query"] for d in defects] == ["lacks"] * bool(lacks),
        },
        status=bool(lacks),
    )


def same(name: str, there: str, said: str) -> Odd:
    """A label that says what stands there, typed otherwise."""
    files: dict[str, Content] = {"c/d.txt": f"Before it.\n\n{there}\n\nBehind it.", "q.jsonl": [label(said, "d.txt")]}
    return Odd(name, files, "check c q.jsonl", {"label_defects": [], "label_warnings/0/kind": "located_inexactly"})


def other(name: str, there: str, said: str) -> Odd:
    """A label that says something else than what stands there, though nearly all is alike."""
    files: dict[str, Content] = {"c/d.txt": f"Before it.\n\n{there}\n\nBehind it.", "q.jsonl": [label(said, "d.txt")]}
    return Odd(name, files, "check c q.jsonl", {"label_defects/0/query": "q", "label_warnings": []}, status=1)


def finds(name: str, texts: Sequence[str], query: str, at: int, retriever: str = "bm25(variant=plus)") -> Odd:
    """A search whose query shares words with one text alone, which must come first."""
    files: dict[str, Content] = {f"c/{i}.txt": text for i, text in enumerate(texts)}
    files["q.jsonl"] = [relevant(f"{at}.txt", query)]
    command = f"audit c q.jsonl --retriever '{retriever}' -k 1 --no-cache"
    return Odd(name, files, command, {"measures/RR/mean": 1.0, "measures/Success@1/mean": 1.0, "causes": {}})


# --- Search in every script

FRENCH = ("Les congés durent vingt-cinq jours.", "Le mot de passe doit être changé.", "Un salaire est versé chaque mois.")
GERMAN = ("Urlaubstage verfallen im März.", "Passwörter werden gewechselt.", "Die Straße ist gesperrt.")
VIETNAMESE = ("Nhân viên nghỉ phép hai mươi ngày.", "Mật khẩu phải đổi sau chín mươi hôm.", "Lương trả vào cuối tháng.")
CHINESE = ("員工每年有二十五天特休假。", "密碼每九十天必須更換。", "停車場週末免費開放。")
JAPANESE = ("社員は年に二十五日の有給休暇を取得する。", "パスワードは九十日ごとに変更すること。", "駐車場は週末に無料で開放。")
KOREAN = ("직원은 매년 유급 휴가를 받습니다.", "비밀번호는 구십 일마다 바꿔야 합니다.", "주차장은 주말에 무료입니다.")
HINDI = ("कर्मचारी को पच्चीस दिन की छुट्टी मिलती है।", "पासवर्ड तीन महीने में बदलें।", "क़र्ज़ चुकाने पर वेतन मिलेगा।")
BENGALI = ("কর্মচারীরা বছরে পঁচিশ দিন ছুটি পান।", "পাসওয়ার্ড বদলাতে হবে।", "বেতন মাসের শেষে দেওয়া হয়।")
TAMIL = ("ஊழியர்களுக்கு இருபத்தைந்து நாள் விடுப்பு.", "கடவுச்சொல்லை மாற்ற வேண்டும்.", "சம்பளம் மாத இறுதியில் வழங்கப்படும்.")
THAI = ("พนักงานมีวันลาพักร้อนยี่สิบห้าวัน", "ต้องเปลี่ยนรหัสผ่านทุกเดือน", "น้ำดื่มและที่จอดรถฟรี")
LAO = ("ພະນັກງານມີວັນພັກຊາວຫ້າວັນ", "ຕ້ອງປ່ຽນລະຫັດຜ່ານ", "ບ່ອນຈອດລົດເປີດຟຣີ")
KHMER = ("បុគ្គលិកមានថ្ងៃឈប់សម្រាក", "ត្រូវប្តូរពាក្យសម្ងាត់", "ចំណត\u200bរថយន្ត\u200bឥតគិតថ្លៃ")
BURMESE = ("ဝန်ထမ်းများ ခွင့်ရက် ရသည်။", "စကားဝှက်ကို ပြောင်းရမည်။", "ကားပါကင် အခမဲ့ ဖြစ်သည်။")
ARABIC = ("يحصل الموظف على إجازة.", "يجب تغيير كلمة المرور.", "يُدفَعُ الرّاتِبُ في نهايةِ الشَّهرِ.")
URDU = ("ملازم کو پچیس چھٹیاں ملتی ہیں۔", "پاس ورڈ بدلیں۔", "تنخواہ مہینے کے آخری دن دی جاتی ہے۔")
HEBREW = ("העובד מקבל חופשה.", "יש להחליף סיסמה.", "הַשָּׂכָר מְשֻׁלָּם בְּסוֹף הַחֹדֶשׁ.")
RUSSIAN = (
    "Отпуск длится двадцать пять суток.",
    "Пароль меняют ежемесячно.",
    "Зарплату платят в последний рабочий день, йод выдают.",
)
GREEK = ("Η άδεια διαρκεί είκοσι ημέρες.", "Ο κωδικός αλλάζει.", "Μισθός καταβάλλεται τέλος μήνα.")
GEORGIAN = ("შვებულება ოცი დღეა.", "პაროლი იცვლება.", "ხელფასი თვის ბოლოს.")
AMHARIC = ("ሰራተኞች፡ዓመታዊ፡ፈቃድ፡አላቸው።", "የይለፍ፡ቃል፡ይቀየራል።", "ደመወዝ፡በወሩ፡መጨረሻ፡ይከፈላል።")
EMOJI = ("Leave 🏖️ in summer.", "Password 🔑 each month.", "Parking 🚗 for guests 👩‍🔬.")
HYPHENS = ("Urlaub im März.", "Pass\u00adwör\u00adter wechseln.", "Park\u00adplätze sind frei.")
WIDE = ("ＡＢ１２３４ is a pump.", "ＣＤ５６７８ is a filter.", "A lid.")

SEARCHES = [
    finds("French typed decomposed", FRENCH, nfd("salaire versé"), 2),
    finds("French stored decomposed", [nfd(text) for text in FRENCH], "congés", 0),
    finds("German in capitals", GERMAN, "STRASSE", 2),
    finds("German stemmed", GERMAN, "Passwort Wechsel gewechselt", 1, "bm25(variant=plus, stem=german)"),
    finds(
        "German stemmed, umlaut decomposed", [nfd(text) for text in GERMAN], "Passwörtern", 1, "bm25(variant=plus, stem=german)"
    ),
    finds("Vietnamese decomposed", VIETNAMESE, nfd("lương tháng"), 2),
    finds("traditional Chinese", CHINESE, "停車場要錢嗎", 2),
    finds("Chinese by Lucene's pairs", CHINESE, "密碼更換", 1, "bm25(analyzer=cjk, variant=lucene)"),
    finds("Chinese, okapi", CHINESE, "密碼", 1, "bm25"),
    finds("Japanese", JAPANESE, "駐車場は無料ですか", 2),
    finds("Japanese in half-width kana", JAPANESE, "ﾊﾟｽﾜｰﾄﾞ", 1),
    finds(
        "Japanese kana stored decomposed", [nfd(text) for text in JAPANESE], "パスワード", 1, "bm25(analyzer=cjk, variant=lucene)"
    ),
    finds("Korean decomposed", KOREAN, nfd("주차장은 무료"), 2),
    finds("Korean stored decomposed", [nfd(text) for text in KOREAN], "비밀번호는", 1, "bm25"),
    finds("Korean without the particle, by pairs", KOREAN, "주차장 요금", 2, "bm25(analyzer=cjk, variant=lucene)"),
    finds("Korean by Lucene's pairs, decomposed", KOREAN, nfd("휴가"), 0, "bm25(analyzer=cjk, variant=lucene)"),
    finds("Hindi", HINDI, "वेतन कब", 2),
    finds("Hindi, nukta in one sign", HINDI, "\u0958र्\u095b", 2),
    finds("Bengali, ya in one sign", BENGALI, "দেও\u09dfা", 2),
    finds("Tamil", TAMIL, "சம்பளம் எப்போது", 2),
    finds("Tamil vowel in two signs", TAMIL, "விட\u0bc1ப\u0bcdப\u0bc1", 0),
    finds("Thai", THAI, "จอดรถฟรีไหม", 2),
    finds("Thai, sara am in two signs", THAI, "น\u0e49\u0e4d\u0e32ดื่ม", 2),
    finds("Lao", LAO, "ຈອດລົດຟຣີບໍ", 2),
    finds("Khmer with unseen spaces", KHMER, "ចំណតរថយន្ត", 2),
    finds("Burmese", BURMESE, "ကားပါကင်အခမဲ့လား", 2),
    finds("Arabic without vowel marks, by stems", ARABIC, "متى يدفع الراتب", 2, "bm25(variant=plus, stem=arabic)"),
    finds("Arabic drawn out", ARABIC, "المـــرور", 1),
    finds("Arabic in presentation forms", ARABIC, "\ufe8d\ufedf\ufee4\ufeae\ufeed\ufead", 1),
    finds("Urdu decomposed", URDU, nfd("آخری تنخواہ"), 2),
    finds("Hebrew without points", HEBREW, "סיסמה", 1),
    finds(
        "Hebrew, points in another order and in one sign",
        HEBREW,
        "ה\u05b7ש\u05c2\u05bc\u05b8כ\u05b8ר \u05de\u05b0\ufb2a\u05bb\u05dc\u05bc\u05b8\u05dd",
        2,
    ),
    finds("Russian decomposed", RUSSIAN, nfd("рабочий йод"), 2),
    finds("Russian in capitals", RUSSIAN, "ПАРОЛЬ", 1),
    finds("Greek in capitals", GREEK, "ΜΙΣΘΌΣ", 2),
    finds("Georgian in capitals", GEORGIAN, "ᲮᲔᲚᲤᲐᲡᲘ", 2),
    finds("Amharic, its own word space", AMHARIC, "ደመወዝ መቼ", 2),
    finds("emoji", EMOJI, "🚗 for 👩‍🔬", 2),
    finds("soft hyphens", HYPHENS, "Passwörter", 1),
    finds("full-width letters", WIDE, "cd5678", 1),
    finds(
        "parts of identifiers",
        ["getUserName() of it", "snake_case_key of it", "HTTPServer of it"],
        "user",
        0,
        "bm25(parts=true, variant=plus)",
    ),
    finds(
        "parts beside Chinese",
        ["設定getUserName的值", "設定snakeCaseKey的值", "設定其他的值"],
        "snake key",
        1,
        "bm25(parts=true, variant=plus)",
    ),
    finds("a Roman number in one sign", ["Chapter Ⅷ of it", "Chapter Ⅸ of it", "None"], "viii", 0),
    finds("a number in a circle", ["Step ① starts", "Step ② stops", "None"], "2", 1),
    finds("letters of formulas", ["𝐁𝐨𝐥𝐝 words", "Other words", "None"], "bold", 0),
    finds("an ideograph with two codes", ["不便", "樂園", "金"], "\uf914園", 1),
    finds("Tibetan", ["ང་ཚོ་ལ་གུང་སེང་ཡོད།", "གསང་ཨང་བརྗེ།", "རླངས་འཁོར།"], "གུང་སེང་", 0),
    finds("Persian with and without a joiner", ["می\u200cروم خانه", "پول نقد", "شام"], "میروم", 0),
    finds("Russian stemmed", RUSSIAN, "зарплаты", 2, "bm25(variant=plus, stem=russian)"),
    finds("Chinese by meaning", CHINESE, "停車場", 2, "lsa"),
    finds("Korean by two", KOREAN, "주차장은", 2, "hybrid(bm25(variant=plus), lsa)"),
    finds("one document", ["Only this."], "only", 0, "bm25"),
    finds("two documents, bm25l", ["Leave ends in March.", "Pay is on Friday."], "when is pay", 1, "bm25(variant=l)"),
]


# --- Labels

SAME = [
    same("curly quotes", 'The "free" plan isn\'t for firms.', "The “free” plan isn’t for firms."),
    same("French quotes", "Le mot « gratuit » reste.", 'Le mot "\u00a0gratuit\u00a0" reste.'),
    same("dashes", "Pages 5–7 — all of them.", "Pages 5-7 - all of them."),
    same("a ligature", "The ﬁnal oﬃce deﬁnition.", "The final office definition."),
    same("Arabic decomposed", "يُدفَعُ الرّاتِبُ آخر الشهر.", nfd("يُدفَعُ الرّاتِبُ آخر الشهر.")),
    same("a label in decomposed Korean", "주차장은 주말에 무료입니다.", nfd("주차장은 주말에 무료입니다.")),
    same("a label in decomposed Vietnamese", "Lương được trả vào cuối tháng.", nfd("Lương được trả vào cuối tháng.")),
    same("Hebrew, shin in one sign", "משלם \ufb2aבת", "משלם ש\u05c1בת"),
    same("Thai, sara am", "น้ำดื่มฟรี", "น\u0e49\u0e4d\u0e32ดื่มฟรี"),
    same("full-width figures", "費用は２５０円です。", "費用は250円です。"),
    same("half-width kana", "パスワードを変更する。", "ﾊﾟｽﾜｰﾄﾞを変更する。"),
    same("an ideographic space", "規則\u3000第一条", "規則 第一条"),
    same("a soft hyphen and a joiner", "The insur\u00adance cov\u200bers it.", "The insurance covers it."),
    same("a word broken at the line end", "The insur-\nance covers it.", "The insurance covers it."),
    same("emoji with and without a selector", "Take the sun ☀️ cream.", "Take the sun ☀ cream."),
    same("a fraction in one sign", "It takes 5½ hours in all.", "It takes 5 1/2 hours in all."),
    same("narrow no-break spaces", "Das kostet 1\u202f000\u00a0€ im Jahr.", "Das kostet 1 000 € im Jahr."),
    same("Chinese radicals", "⼈事规则", "人事规则"),
]

OTHER = [
    other(
        "a tenth of it",
        "The fee for each parcel that is sent abroad is 2.5 euros.",
        "The fee for each parcel that is sent abroad is 25 euros.",
    ),
    other(
        "a raised number",
        "The fee for each parcel that is sent abroad is 5¹ euros.",
        "The fee for each parcel that is sent abroad is 51 euros.",
    ),
    other(
        "half of one more",
        "The visit to the workshop in town takes 5½ hours.",
        "The visit to the workshop in town takes 51/2 hours.",
    ),
    other(
        "a version",
        "This feature of the library needs Python 3.1 to run.",
        "This feature of the library needs Python 3.10 to run.",
    ),
    other("a sign", "The store room must be kept at -5 degrees by day.", "The store room must be kept at 5 degrees by day."),
    other(
        "a unit", "Parcels for members may have a weight of 10 kg each.", "Parcels for members may have a weight of 10 g each."
    ),
    other("per mille", "The bank takes a charge of 10 % of the whole sum.", "The bank takes a charge of 10 ‰ of the whole sum."),
    other("Arabic figures", "يحصل كل موظف دائم على ٢٥ يوم إجازة في السنة.", "يحصل كل موظف دائم على ٢٦ يوم إجازة في السنة."),
    other(
        "Hindi figures", "हर स्थायी कर्मचारी को साल में २५ दिन की छुट्टी मिलती है।", "हर स्थायी कर्मचारी को साल में २६ दिन की छुट्टी मिलती है।"
    ),
    other("Bengali figures", "প্রতিটি স্থায়ী কর্মচারী বছরে ২৫ দিন ছুটি পান।", "প্রতিটি স্থায়ী কর্মচারী বছরে ২৬ দিন ছুটি পান।"),
    other("Thai figures", "พนักงานประจำทุกคนมีวันลาพักร้อนปีละ ๒๕ วัน", "พนักงานประจำทุกคนมีวันลาพักร้อนปีละ ๒๖ วัน"),
    other("Burmese figures", "ဝန်ထမ်းတိုင်း တစ်နှစ်လျှင် ခွင့်ရက် ၂၅ ရက် ရသည်။", "ဝန်ထမ်းတိုင်း တစ်နှစ်လျှင် ခွင့်ရက် ၂၆ ရက် ရသည်။"),
    other("Chinese numerals", "每位正式员工每年可以享受二十五天的带薪年假。", "每位正式员工每年可以享受三十五天的带薪年假。"),
    other(
        "a Russian number word",
        "Каждый постоянный сотрудник получает двадцать пять дней.",
        "Каждый постоянный сотрудник получает тридцать пять дней.",
    ),
    other(
        "a French number word",
        "Chaque salarié permanent reçoit trente jours de congés.",
        "Chaque salarié permanent reçoit quarante jours de congés.",
    ),
    other(
        "a Roman number",
        "The chapter on the rules of the house is chapter IV.",
        "The chapter on the rules of the house is chapter VI.",
    ),
    other(
        "a month",
        "Requests for leave have to be in by 3 March each year.",
        "Requests for leave have to be in by 3 May each year.",
    ),
    other(
        "a Russian month",
        "Заявления на отпуск подают ежегодно до 3 марта включительно.",
        "Заявления на отпуск подают ежегодно до 3 мая включительно.",
    ),
    other(
        "a German bound",
        "Die Kündigungsfrist beträgt für alle höchstens 25 Tage.",
        "Die Kündigungsfrist beträgt für alle mindestens 25 Tage.",
    ),
    other(
        "a French bound",
        "Le préavis de tous les salariés est d'au moins 25 jours.",
        "Le préavis de tous les salariés est d'au plus 25 jours.",
    ),
    other(
        "a Spanish bound",
        "El plazo para todos los empleados es como mínimo de 25 días.",
        "El plazo para todos los empleados es como máximo de 25 días.",
    ),
    other(
        "before and after",
        "Requests for leave are only taken before 5 in the afternoon.",
        "Requests for leave are only taken after 5 in the afternoon.",
    ),
    other(
        "a German date's side",
        "Anträge auf Urlaub werden nur vor dem 3. März angenommen.",
        "Anträge auf Urlaub werden nur nach dem 3. März angenommen.",
    ),
    other(
        "over and under",
        "Guests of the club who are under 18 years old pay nothing.",
        "Guests of the club who are over 18 years old pay nothing.",
    ),
    other(
        "an Arabic negation",
        "يحق للموظف المؤقت الحصول على إجازة سنوية مدفوعة الأجر.",
        "لا يحق للموظف المؤقت الحصول على إجازة سنوية مدفوعة الأجر.",
    ),
    other("a Hebrew negation", "עובד זמני זכאי לחופשה שנתית בתשלום מלא.", "עובד זמני לא זכאי לחופשה שנתית בתשלום מלא."),
    other(
        "a Greek negation",
        "Οι προσωρινοί υπάλληλοι δικαιούνται ετήσια άδεια με αποδοχές.",
        "Οι προσωρινοί υπάλληλοι δεν δικαιούνται ετήσια άδεια με αποδοχές.",
    ),
    other(
        "a Korean negation",
        "임시 직원에게는 연차 유급 휴가를 제공합니다만 신청이 필요합니다.",
        "임시 직원에게는 연차 유급 휴가를 제공하지 않습니다만 신청이 필요합니다.",
    ),
    other(
        "a Japanese negation",
        "臨時の社員は年次有給休暇を取得することができます。",
        "臨時の社員は年次有給休暇を取得することができません。",
    ),
    other("a Thai negation", "พนักงานชั่วคราวมีสิทธิลาพักร้อนประจำปี", "พนักงานชั่วคราวไม่มีสิทธิลาพักร้อนประจำปี"),
    other("a Bengali negation", "অস্থায়ী কর্মচারীরা বার্ষিক সবেতন ছুটি পান।", "অস্থায়ী কর্মচারীরা বার্ষিক সবেতন ছুটি পান না।"),
    other(
        "a Vietnamese negation",
        "Nhân viên tạm thời được nghỉ phép năm có hưởng lương.",
        "Nhân viên tạm thời không được nghỉ phép năm có hưởng lương.",
    ),
    other("a Lao negation", "ພະນັກງານຊົ່ວຄາວມີສິດລາພັກປະຈຳປີ", "ພະນັກງານຊົ່ວຄາວບໍ່ມີສິດລາພັກປະຈຳປີ"),
    other("a Khmer negation", "បុគ្គលិកបណ្តោះអាសន្នមានសិទ្ធិឈប់សម្រាកប្រចាំឆ្នាំ", "បុគ្គលិកបណ្តោះអាសន្នមិនមានសិទ្ធិឈប់សម្រាកប្រចាំឆ្នាំ"),
    other(
        "a Tamil negation",
        "தற்காலிக ஊழியர்களுக்கு ஆண்டு விடுப்பு உண்டு என்று விதி கூறுகிறது.",
        "தற்காலிக ஊழியர்களுக்கு ஆண்டு விடுப்பு இல்லை என்று விதி கூறுகிறது.",
    ),
    other(
        "a Persian negation",
        "کارمند موقت حق مرخصی سالانه با حقوق دارد و بیمه است.",
        "کارمند موقت بدون حق مرخصی سالانه با حقوق دارد و بیمه است.",
    ),
    other(
        "an Italian negation",
        "I dipendenti temporanei hanno diritto alle ferie annuali pagate.",
        "I dipendenti temporanei non hanno diritto alle ferie annuali pagate.",
    ),
    other(
        "a part number",
        "Order the seal of the pump under the number AB-1234.",
        "Order the seal of the pump under the number AB-1243.",
    ),
    other("a time", "The gate of the yard is locked every day at 18:30.", "The gate of the yard is locked every day at 13:30."),
]

EMOJI_TEXT = "👩‍🔬 Labs open at nine. Café vouchers are 7 euros."
AT = EMOJI_TEXT.index("Café")
VOUCHERS = EMOJI_TEXT[AT:]


def offsets(name: str, text: str, start: object, end: object, passage: str, *says: str, status: int = 1) -> Odd:
    files: dict[str, Content] = {"c/d.txt": text, "q.jsonl": [label(passage, "d.txt", start=start, end=end)]}
    return Odd(name, files, "check c q.jsonl", says=says, status=status)


def units(text: str, encoding: str, size: int = 1) -> int:
    return len(text.encode(encoding)) // size


def bytes_of(text: str, passage: str, encoding: str = "utf-8", size: int = 1) -> tuple[int, int]:
    start = units(text[: text.index(passage)], encoding, size)
    return start, start + units(passage, encoding, size)


ZH = "員工每年有二十五天特休假。停車場週末免費開放。"

OFFSETS = [
    offsets("inclusive end in Chinese", ZH, 13, len(ZH) - 1, "停車場週末免費開放。", "end the last character"),
    offsets("bytes of Chinese", ZH, *bytes_of(ZH, "停車場週末免費開放。"), "停車場週末免費開放。", "bytes", f"13-{len(ZH)}"),
    offsets("bytes amid Chinese", ZH * 9, *bytes_of(ZH, "停車場"), "停車場", "bytes", "13-16"),
    offsets(
        "UTF-16 units behind emoji", EMOJI_TEXT, *bytes_of(EMOJI_TEXT, VOUCHERS, "utf-16-le", 2), VOUCHERS, "UTF-16", f"{AT}-"
    ),
    offsets(
        "UTF-16 units with room behind", EMOJI_TEXT + " " * 9, *bytes_of(EMOJI_TEXT, VOUCHERS, "utf-16-le", 2), VOUCHERS, "UTF-16"
    ),
    offsets("offsets of the composed text", nfd("Café fermé. Entrée à 7 euros."), 12, 29, nfd("Entrée à 7 euros."), "composed"),
    offsets("counted from 1", "Leave is long. Pay is late.", 16, 28, "Pay is late."),
    offsets("CRLF counted as one", "One.\r\nTwo.\r\nPay is late.", 10, 22, "Pay is late.", "line ends"),
    offsets("offsets as floats", "Leave. Pay.", 7.0, 11.0, "Pay.", "q.jsonl:1", "start", status=2),
    offsets("offsets as texts", "Leave. Pay.", "7", "11", "Pay.", "start", status=2),
]

DOC = {"c/a.txt": "Pay is on the last day.", "c/b.txt": "Leave ends in March."}
PAY = DOC["c/a.txt"]


def layout(
    name: str, records: object, *says: str, report: dict[str, object] | None = None, status: int = 0, file: str = "q.json"
) -> Odd:
    whole = records if file.endswith("jsonl") else json.dumps(records)
    return Odd(name, {**DOC, file: whole}, f"check c {file}", report or {}, says, status=status)  # type: ignore[arg-type]


ONE = {"inputs/queries": 1, "label_defects": []}

LAYOUTS = [
    layout(
        "old ragas with contexts",
        [{"question": "pay?", "ground_truths": ["last day"], "contexts": [PAY]}],
        "reference_contexts",
        status=1,
        file="q.jsonl",
    ),
    layout(
        "old ragas test set",
        [
            {
                "question": "pay?",
                "ground_truth": "last day",
                "contexts": [PAY],
                "evolution_type": "simple",
                "metadata": [{}],
                "episode_done": True,
            }
        ],
        report=ONE,
        file="q.jsonl",
    ),
    layout(
        "ragas, contexts as a text",
        [{"user_input": "pay?", "reference": "last day", "reference_contexts": PAY}],
        "reference_contexts",
        file="q.jsonl",
        status=2,
    ),
    layout(
        "ragas, contexts as a printed list",
        [{"user_input": "pay?", "reference": "last day", "reference_contexts": f"['{PAY}']"}],
        "reference_contexts",
        file="q.jsonl",
        status=2,
    ),
    layout(
        "columns by row number",
        {"user_input": {"0": "pay?"}, "reference": {"0": "last day"}, "reference_contexts": {"0": [PAY]}},
        report=ONE,
    ),
    layout("columns of lists", {"user_input": ["pay?"], "reference": ["last day"], "reference_contexts": [[PAY]]}, report=ONE),
    layout(
        "columns of unequal length",
        {"user_input": ["pay?", "leave?"], "reference": ["x"], "reference_contexts": [[PAY]]},
        "q.json",
        status=2,
    ),
    layout("a list under a name", {"questions": [label(PAY, "a.txt")]}, "one JSON", report=ONE),
    layout("one query alone", label(PAY, "a.txt"), report=ONE),
    layout(
        "records over many lines",
        [label(PAY, "a.txt"), {**label("Leave ends in March.", "b.txt"), "_id": "r"}],
        "JSON list",
        report={"inputs/queries": 2},
    ),
    layout(
        "a grade of 2.0",
        [{"_id": "q", "text": "pay", "relevant": [{"doc_id": "a.txt", "grade": 2.0}]}],
        file="q.jsonl",
        report=ONE,
    ),
    layout(
        "a grade in a text",
        [{"_id": "q", "text": "pay", "relevant": [{"doc_id": "a.txt", "grade": "1.0"}]}],
        file="q.jsonl",
        report=ONE,
    ),
    layout(
        "half a grade",
        [{"_id": "q", "text": "pay", "relevant": [{"doc_id": "a.txt", "grade": 2.5}]}],
        "q.jsonl:1",
        "2.5",
        file="q.jsonl",
        status=2,
    ),
    layout(
        "a grade that is no number",
        [{"_id": "q", "text": "pay", "relevant": [{"doc_id": "a.txt", "grade": float("nan")}]}],
        "q.jsonl:1",
        file="q.jsonl",
        status=2,
    ),
    layout("a name decomposed", [label(PAY, "A.txt")], "a.txt", file="q.jsonl", status=1),
]


# --- Documents

RU = "Зарплату платят в последний день."
TEXTS = [
    has("a byte order mark", b"\xef\xbb\xbfPay is late.", "Pay is late."),
    Odd(
        "UTF-16 with a mark",
        {"c/d.txt": RU.encode("utf-16"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("UTF-16",),
        status=1,
    ),
    Odd(
        "UTF-16 big end first, without a mark",
        {"c/d.md": RU.encode("utf-16-be"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("UTF-16BE",),
        status=1,
    ),
    Odd(
        "UTF-16 Chinese without a mark",
        {"c/d.md": (ZH + "\n").encode("utf-16-le"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("d.md", "UTF-8"),
        status=1,
    ),
    Odd(
        "UTF-32",
        {"c/d.md": RU.encode("utf-32"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("UTF-32",),
        status=1,
    ),
    Odd(
        "windows-1252",
        {"c/d.md": "It’s a café.".encode("cp1252"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("d.md", "iconv"),
        status=1,
    ),
    Odd(
        "Shift JIS",
        {"c/d.md": JAPANESE[0].encode("shift_jis"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("d.md", "UTF-8"),
        status=1,
    ),
    Odd(
        "queries in UTF-16",
        {**DOC, "q.jsonl": json.dumps(label(PAY, "a.txt")).encode("utf-16")},
        "check c q.jsonl",
        says=("q.jsonl", "UTF-16"),
        status=2,
    ),
    has("carriage returns alone", b"One.\rTwo is late.\r", "Two is late."),
    has("a line separator", "One.\u2028Two is late.\u2029Three.", "Two is late."),
    has("MDX", "import X from './x'\n\n<Tabs>\n<Tab>Pay is {late}.</Tab>\n</Tabs>\n", "Pay is {late}.", file="d.mdx"),
    has("AsciiDoc", "= Title\n\n== Pay\n\nPay is late{nbsp}now.\n\n----\ncode\n----\n", "Pay is late{nbsp}now.", file="d.adoc"),
    has(
        "reStructuredText",
        "Pay\n```\n\nPay is late [#f]_.\n\n.. [#f] Not in May.\n",
        "Pay is late [#f]_.",
        ".. [#f] Not in May.",
        file="d.rst",
    ),
]


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>T</title>{head}</head><body><main>{body}</main></body></html>"


HTML = [
    has("HTML in windows-1251", page(f"<p>{RU}</p>", '<meta charset="windows-1251">').encode("cp1251"), RU, file="d.html"),
    has(
        "HTML in Shift JIS",
        page(f"<p>{JAPANESE[2]}</p>", '<meta charset="shift_jis">').encode("shift_jis"),
        JAPANESE[2],
        file="d.html",
    ),
    has("HTML in UTF-16", page(f"<p>{RU}</p>").encode("utf-16"), RU, file="d.html"),
    has(
        "folded details",
        page("<details><summary>Who?</summary><p>All <b>but</b> guests.</p></details>"),
        "All but guests.",
        file="d.html",
    ),
    has(
        "hidden until found",
        page('<p>Free.</p><div hidden="until-found">Guests pay 4 euros each.</div>'),
        "Guests pay 4 euros each.",
        file="d.html",
    ),
    has(
        "a folded panel in Arabic",
        page(f'<button aria-expanded="false" aria-controls="p">متى؟</button><div id="p" hidden>{ARABIC[0]}</div>'),
        ARABIC[0],
        file="d.html",
    ),
    has(
        "a pane that is not the active one",
        page(
            '<ul><li><a href="#b" data-toggle="tab">B</a></li></ul>'
            '<div id="b" class="tab-pane" style="display: none">Only pane B says this.</div>'
        ),
        "Only pane B says this.",
        file="d.html",
    ),
    has(
        "a cell over all rows below",
        page("<table><tr><th>Plan<th>Region<th>Limit<tr><td rowspan=0>Free<td>EU<td>5<tr><td>US<td>7</table>"),
        "Free | EU | 5",
        "Free | US | 7",
        file="d.html",
    ),
    has(
        "cells over rows and columns",
        page("<table><tr><td rowspan=2 colspan=2>A<td>1<tr><td>2</table>"),
        "A |  | 1\nA |  | 2",
        file="d.html",
    ),
    has(
        "a table in a cell",
        page("<table><tr><td>Fee<td><table><tr><td>EU<td>5<tr><td>US<td>7</table></table>"),
        "EU | 5",
        "US | 7",
        file="d.html",
    ),
    has(
        "raised and lowered",
        page("<p>Area 5 m<sup>2</sup>, 10<sup>3</sup> of H<sub>2</sub>O for 5<sup>1</sup>/<sub>2</sub> hours.</p>"),
        "10^3",
        file="d.html",
        lacks="103",
    ),
    has(
        "MathML", page("<p>It is <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math> of it.</p>"), "It is 1/2 of it.", file="d.html"
    ),
    has(
        "a word that may break",
        page("<p>Super<wbr>califragi&shy;listic day&nbsp;off.</p>"),
        "Supercalifragi\xadlistic day",
        file="d.html",
    ),
    has("struck out is still seen", page("<p>It costs <s>9</s> 7 euros.</p>"), "7 euros.", file="d.html"),
    has(
        "a description list",
        page("<dl><dt>Fee</dt><dd>5 euros</dd><dt>Term</dt><dd>9 days</dd></dl>"),
        "5 euros",
        "9 days",
        file="d.html",
    ),
    has(
        "readings of kanji",
        page("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を学ぶ。</p>"),
        "漢字を学ぶ。",
        file="d.html",
    ),
    has(
        "readings are kept on demand",
        page("<p><ruby>漢<rt>かん</rt></ruby>を学ぶ。</p>"),
        "かん",
        file="d.html",
        command="check c q.jsonl --keep notes",
    ),
    has(
        "values of a form",
        page(
            '<form><label>Flat <input value="4B left"></label><textarea>Second floor, rear.</textarea>'
            "<select><option>Nobody<option selected>Ms Example</select></form>"
        ),
        "4B left",
        "Second floor, rear.",
        "Ms Example",
        file="d.html",
        lacks="Nobody",
    ),
    has(
        "the text of a picture",
        page('<p>Press <img src="x.png" alt="the red knob"> twice.</p>'),
        "Press the red knob twice.",
        file="d.html",
    ),
    has(
        "what a page says without scripts",
        page("<noscript>Call 555 123 instead.</noscript><p>Hi.</p>"),
        "Call 555 123 instead.",
        file="d.html",
        command="check c q.jsonl --keep hidden",
    ),
    has(
        "a menu is kept on demand",
        f"<body><nav><ul><li><a href=/a>Lost property</a></ul></nav>{page('<p>Hi.</p>')}</body>",
        "Lost property",
        file="d.html",
        command="check c q.jsonl --keep navigation",
    ),
    has("lines of a listing", page("<pre>a = 1\n  b = 2\n</pre>"), "a = 1\n  b = 2", file="d.html"),
    has("closed nowhere", "<p>One is late<p>Two is <b>later<p>Three.", "Two is later", file="d.html"),
]


def deleted(text: str) -> str:
    return f'<w:del w:id="1" w:author="a"><w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'


def inserted(text: str) -> str:
    return f'<w:ins w:id="2" w:author="a">{run(text)}</w:ins>'


VERTICAL = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"

DOCX = [
    has(
        "tracked changes",
        packed(par("It costs ", deleted("5"), inserted("7"), " euros.")),
        "It costs 7 euros.",
        file="d.docx",
        lacks="costs 57",
    ),
    has(
        "deleted text on demand",
        packed(par("It costs ", deleted("five "), "euros.")),
        "five",
        file="d.docx",
        command="check c q.jsonl --keep hidden",
    ),
    has(
        "moved text",
        packed(
            par(f'<w:moveFrom w:id="1">{run("Moved words.")}</w:moveFrom>')
            + par("Between.")
            + par(f'<w:moveTo w:id="2">{run("Moved words.")}</w:moveTo>')
        ),
        "Between.\n\nMoved words.",
        file="d.docx",
    ),
    has("a footnote in Arabic", packed(par("مجاني", call(2), "."), footnotes=note(ARABIC[0], 2)), ARABIC[0], file="d.docx"),
    has(
        "an endnote between figures",
        packed(par("19", call(2, "endnote"), "7"), endnotes=note("Or the EEA.", 2, "endnote")),
        "Or the EEA.",
        file="d.docx",
        lacks="197",
    ),
    has(
        "a merged cell",
        packed(table(cell("Free", properties=VERTICAL[0]) + cell("EU"), cell("", properties=VERTICAL[1]) + cell("US"))),
        "Free | EU\nFree | US",
        file="d.docx",
    ),
    has(
        "a power",
        packed(par("Use 10", run("3", '<w:vertAlign w:val="superscript"/>'), " litres.")),
        "10^3 litres",
        file="d.docx",
        lacks="103",
    ),
    has(
        "letters and Roman figures",
        packed(
            item("Alpha") + item("Beta") + item("sub", 1, 1),
            numbering=lists(levels(("lowerLetter", "%1)"), ("lowerRoman", "%2."))),
        ),
        "a) Alpha\nb) Beta\n  i. sub",
        file="d.docx",
    ),
    has(
        "results of fields",
        packed(par("See page ", field(" PAGEREF x ", "7"), " of ", field(" MERGEFIELD Name ", "Ms Example"), ".")),
        "See page 7 of Ms Example.",
        file="d.docx",
    ),
    has(
        "a box and a formula",
        packed(
            par("Box: ", boxed(par("Inside it."))) + par(math(f"<m:f><m:num>{sign('1')}</m:num><m:den>{sign('2')}</m:den></m:f>"))
        ),
        "Inside it.",
        "1/2",
        file="d.docx",
        lacks="12",
    ),
    has(
        "hidden text",
        packed(par("Seen. ", run("Secret words here.", "<w:vanish/>"))),
        "Seen.",
        file="d.docx",
        lacks="Secret words here.",
    ),
    has(
        "a reading over kanji",
        packed(par(f"<w:r><w:ruby><w:rt>{run('かん')}</w:rt><w:rubyBase>{run('漢')}</w:rubyBase></w:ruby></w:r>", "字")),
        "漢字",
        file="d.docx",
        lacks="かん",
    ),
]


def pdf(write: Callable[[FPDF], None]) -> bytes:
    document = FPDF()
    document.add_font("D", fname="/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    document.set_font("D", size=11)
    document.set_auto_page_break(False)
    document.add_page()
    write(document)
    return bytes(document.output())


def placed(*texts: tuple[float, float, str]) -> bytes:
    """A PDF of one page with texts at places, in the order of the file."""

    def write(document: FPDF) -> None:
        for x, y, text in texts:
            document.text(x, y, text)

    return pdf(write)


def bound(pages: Sequence[str], head: str = "Handbook of the firm", encrypt: bool = False) -> bytes:
    """Pages with a running head and a page number."""

    def write(document: FPDF) -> None:
        for number, text in enumerate(pages, 1):
            if number > 1:
                document.add_page()
            document.text(20, 10, head)
            for row, line in enumerate(text.split("\n")):
                document.text(20, 40 + 6 * row, line)
            document.text(100, 285, f"Page {number} of {len(pages)}")
        if encrypt:
            document.set_encryption(owner_password="o", user_password="")

    return pdf(write)


def raised(document: FPDF) -> None:
    """A power as browsers print one: but a sixth smaller, a third higher."""
    document.text(20, 40, "It holds 10")
    right = 20 + document.get_string_width("It holds 10")
    document.set_font_size(9.1)
    document.text(right, 38.6, "3")
    document.set_font_size(11)
    document.text(right + 3, 40, "litres.")


def a_hebrew_word(document: FPDF) -> None:
    """A word within an English line, its letters in the file from the left."""
    document.text(20, 30, f"The word {HEBREW[1].split()[1][::-1]} means a password.")


def a_hebrew_line(document: FPDF) -> None:
    """Words one by one from the right, as browsers write them, on a page that is mostly English."""
    document.text(20, 30, "The plan is for all of the members of the club and their guests.")
    places, right = list[tuple[float, str]](), 120.0
    for word in HEBREW[0].removesuffix(".").split():
        right -= document.get_string_width(word) + 1.5
        places.append((right, word))
    for x, word in places[::2] + places[1::2]:
        document.text(x, 50, word[::-1])


LEFT = ("Clean the filter once a week", "with warm water and a brush,", "then let it dry in the open", "air for an hour or so.")
RIGHT = ("The warranty lasts for two", "years from the day on which", "the pump was brought to you,", "for firms one year only.")
COLUMNS = [(20 + 95 * side, 40 + 6 * row, lines[row]) for row in range(4) for side, lines in enumerate((LEFT, RIGHT))]
PRICES = [
    (20, 40, "Model"),
    (80, 40, "Flow"),
    (140, 40, "Price"),
    (20, 50, "AB-1"),
    (80, 50, "12"),
    (140, 50, "99.00"),
    (20, 60, "AB-2"),
    (140, 60, "120.00"),
    (20, 70, "AB-3"),
    (80, 70, "15"),
    (140, 70, "70.00"),
]

PDF = [
    has("two columns, row by row", placed(*COLUMNS), "\n".join(LEFT), "\n".join(RIGHT), file="d.pdf"),
    has("a table with a gap", placed(*PRICES), "AB-2 |  | 120.00", "AB-3 | 15 | 70.00", file="d.pdf"),
    has("a power in a PDF", pdf(raised), "10^3", file="d.pdf", lacks="103"),
    has("a Hebrew word in an English line", pdf(a_hebrew_word), "The word להחליף means a password.", file="d.pdf"),
    has("a Hebrew line among English ones", pdf(a_hebrew_line), HEBREW[0].removesuffix("."), file="d.pdf"),
    has("a ligature in the file", placed((20, 40, "The ﬁnal oﬃce is open.")), "is open.", file="d.pdf"),
    Odd(
        "a passage over three pages",
        {
            "c/d.pdf": bound(["The members of the club", "may bring their guests", "on Sundays only."]),
            "q.jsonl": [label("The members of the club may bring their guests on Sundays only.", "d.pdf")],
        },
        "check c q.jsonl",
        {"label_defects": []},
    ),
    Odd(
        "a ligature in a label's way",
        {"c/d.pdf": placed((20, 40, "The ﬁnal oﬃce is open.")), "q.jsonl": [label("The final office is open.", "d.pdf")]},
        "check c q.jsonl",
        {"label_defects": []},
    ),
    Odd(
        "a word broken at a page's end",
        {
            "c/d.pdf": bound(["The members pay the insur-", "ance of their guests as well."]),
            "q.jsonl": [label("The members pay the insurance of their guests as well.", "d.pdf")],
        },
        "check c q.jsonl",
        {"label_defects": []},
    ),
    has("locked without a password", bound(["One is late."], encrypt=True), "One is late.", file="d.pdf"),
    has("Russian and Greek", placed((20, 40, RU), (20, 60, GREEK[2])), RU, GREEK[2], file="d.pdf"),
    has("rows of bytes behind the end", placed((20, 40, "One is late.")) + b"\n% more\n" * 400, "One is late.", file="d.pdf"),
    has("bytes before the start", b"HTTP/1.1 200 OK\r\n\r\n" + placed((20, 40, "One is late.")), "One is late.", file="d.pdf"),
    has(
        "the running head on demand",
        bound(["One is late.", "Two is late.", "Three."]),
        "Handbook of the firm\nOne is late.",
        file="d.pdf",
        command="check c q.jsonl --keep navigation",
    ),
    Odd(
        "the beginning of a PDF",
        {"c/d.pdf": bound(["One is late."])[:900], "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("d.pdf", "cut short"),
        status=1,
    ),
    Odd(
        "a page for an error",
        {"c/d.pdf": page("<p>404</p>"), "c/e.txt": PAY, "q.jsonl": [label(PAY, "e.txt")]},
        "check c q.jsonl",
        says=("d.pdf", "is no PDF"),
        status=1,
    ),
]


# --- Runs: what a system ranked


def ranked(
    name: str,
    items: Sequence[object] | str,
    served: float | None,
    *says: str,
    options: str = "",
    status: int = 0,
    files: dict[str, Content] | None = None,
    query: dict[str, object] | None = None,
) -> Odd:
    """One query's ranking of two documents or their texts, and how much of it is served at k 1."""
    run = [{"query_id": "q", "retrieved": items}] if not isinstance(items, str) else items
    command = f"audit c q.jsonl --run run.txt -k 1 {options}"
    here = {**(files or DOC), "q.jsonl": [query or label(PAY, "a.txt")], "run.txt": run}
    return Odd(name, here, command, {} if served is None else {"measures/Sufficient@1/mean": served}, says, status=status)


A, B = {"text": PAY}, {"text": DOC["c/b.txt"]}
TWICE = {"c/a.txt": f"{PAY} In May too.", "c/b.txt": f"Intro. {PAY}", "c/d/a.txt": "Nothing."}

RUNS = [
    ranked("distances by rank", [{**A, "rank": 1, "score": 0.1}, {**B, "rank": 2, "score": 0.9}], 1.0),
    ranked("distances as listed", [{**A, "score": 0.1}, {**B, "score": 0.9}], None, "distances", status=2),
    ranked("negative scores", [{**A, "score": -0.1}, {**B, "score": -0.9}], 1.0),
    ranked("scores worst first in one query", [{**B, "score": 0.2}, {**A, "score": 0.8}], None, "distances", status=2),
    ranked("a score that is no number", [{**A, "score": float("nan")}, {**B, "score": 0.9}], None, "run.txt:1", status=2),
    ranked("scores as texts", [{**A, "score": "0.9"}, {**B, "score": "0.1"}], None, "run.txt:1", status=2),
    ranked("ranks from 0", [{**B, "rank": 1}, {**A, "rank": 0}], 1.0),
    ranked("equal ranks", [{**A, "rank": 1}, {**B, "rank": 1}], None, "rank 1", status=2),
    ranked("scores that are all equal, as listed", [{**B, "score": 1}, {**A, "score": 1}], 0.0),
    ranked("no names at all", [A, B], 1.0),
    ranked(
        "a path in metadata",
        [{**A, "metadata": {"source": "/home/me/c/a.txt"}}, {**B, "metadata": {"source": "/home/me/c/b.txt"}}],
        1.0,
    ),
    ranked("an address of a file", [{**A, "doc_id": "file:///home/me/c/a.txt"}, B], 1.0),
    ranked("a path of Windows", [{**A, "doc_id": "C:\\docs\\c\\a.txt"}, B], 1.0),
    ranked("an address with a drive", [{**A, "metadata": {"source": "file:///C:/docs/c/a.txt"}}, B], 1.0),
    ranked("an address on the web", [{**A, "metadata": {"url": "https://firm.example/c/a.txt?v=2#top"}}, B], 1.0),
    ranked("a relative path of Windows", [{**A, "metadata": {"file_path": ".\\c\\a.txt"}}, B], 1.0),
    ranked(
        "a coded address",
        [{"text": PAY, "doc_id": "file:///c/l%27%C3%A9t%C3%A9%20a.txt"}],
        1.0,
        files={"c/l'été a.txt": PAY, "c/b.txt": B["text"]},
        query=label(PAY, "l'été a.txt"),
    ),
    ranked(
        "a name decomposed in the run",
        [{"text": PAY, "doc_id": nfd("été.txt")}],
        1.0,
        files={"c/été.txt": PAY, "c/b.txt": B["text"]},
        query=label(PAY, "été.txt"),
    ),
    ranked(
        "a text in two documents, named",
        [{**A, "metadata": {"file_name": "b.txt"}}],
        1.0,
        files=TWICE,
        query=label(PAY, "b.txt", start=7, end=30),
        options="--copies ignore",
    ),
    ranked(
        "a text in two documents, unnamed",
        [A],
        1.0,
        "stand in several places",
        files=TWICE,
        query=label(PAY, "b.txt", start=7, end=30),
        options="--copies ignore",
    ),
    ranked("a text of no document", [{"text": "Nobody wrote this."}], None, "run.txt:1", status=2),
    ranked(
        "white space collapsed",
        [{"text": " ".join(LEFT)}],
        1.0,
        files={"c/a.txt": "\n  ".join(LEFT), "c/b.txt": PAY},
        query=label("then let it dry in the open", "a.txt"),
    ),
    ranked(
        "text decomposed",
        [{"text": nfd("Le café fermé est là.")}],
        1.0,
        files={"c/a.txt": "Un. Le café fermé est là.", "c/b.txt": PAY},
        query=label("Le café fermé est là.", "a.txt"),
    ),
    ranked("a document alone", [{"doc_id": "a.txt"}, {"doc_id": "b.txt"}], 1.0),
    ranked("TREC", "q Q0 a.txt 1 3.5 me\nq Q0 b.txt 2 1.5 me\n", 1.0),
    ranked("TREC whose ranks and scores differ", "q Q0 a.txt 1 0.5 me\nq Q0 b.txt 2 1.5 me\n", None, "distances", status=2),
    ranked("TREC with spans", "q Q0 a.txt#0-23 1 3.5 me\n", 1.0),
    ranked("TREC, equal scores, by id", "q Q0 a.txt 1 1 me\nq Q0 b.txt 2 1 me\n", 0.0, options="--ties id"),
    ranked("TREC, all scores equal, as ranked", "q Q0 a.txt 1 1 me\nq Q0 b.txt 2 1 me\n", 1.0),
    ranked("an unknown query", [A], None, "run.txt:1", query={**label(PAY, "a.txt"), "_id": "x"}, status=2),
    ranked("nothing retrieved", [], 0.0),
    ranked("half a span", [{"doc_id": "a.txt", "start": 0}], None, "run.txt:1", status=2),
    ranked("one passage named twice", [A, A], 1.0),
]


# --- Chunks by their text


def chunked(
    name: str,
    document: str,
    texts: Sequence[str],
    query: str,
    passage: str,
    served: float = 1.0,
    *says: str,
    status: int = 0,
    **at: int,
) -> Odd:
    """Chunks of one document by their text, with plain BM25 over them."""
    files: dict[str, Content] = {
        "c/d.md": document,
        "q.jsonl": [label(passage, "d.md", query, **at)],
        "ch.jsonl": [{"doc_id": "d.md", "text": text} for text in texts],
    }
    command = "audit c q.jsonl --chunks ch.jsonl --retriever 'bm25(variant=plus)' -k 1 --no-cache"
    report: dict[str, object] = {} if status else {"measures/Sufficient@1/mean": served, "causes": {}}
    return Odd(name, files, command, report, says, status=status)


FORM_TEXT = "Fee: 5 euros is the rule.\n\n## Members\n\nFee: 5 euros\n\n## Guests\n\nFee: 5 euros\n\n## Firms\n\nLunch at noon.\n"
THIRD = FORM_TEXT.index("Fee: 5 euros\n\n## Firms")
FEES = ["Fee: 5 euros is the rule.", "## Members", "Fee: 5 euros", "## Guests", "Fee: 5 euros", "## Firms", "Lunch at noon."]

CHUNKS = [
    chunked("repeated, in order", FORM_TEXT, FEES, "lunch noon", "Lunch at noon."),
    chunked(
        "with what stands before it",
        FORM_TEXT,
        [*FEES[:3], "## Guests\n\nFee: 5 euros", *FEES[5:]],
        "guests",
        "Fee: 5 euros",
        start=THIRD,
        end=THIRD + 12,
    ),
    chunked(
        "shuffled",
        FORM_TEXT,
        ["Lunch at noon.", "## Guests\n\nFee: 5 euros", "## Members\n\nFee: 5 euros"],
        "guests",
        "Fee: 5 euros",
        start=THIRD,
        end=THIRD + 12,
    ),
    chunked(
        "overlapping",
        "One two three four five six seven.",
        ["One two three", "two three four five", "four five six seven."],
        "six",
        "six seven.",
    ),
    chunked(
        "white space collapsed in chunks",
        "One\ntwo\n\n  three.\n\nFour\t five  six.",
        ["One two three.", "Four five six."],
        "four",
        "Four\t five  six.",
    ),
    chunked(
        "chunks decomposed",
        "Le café est fermé.\n\nL'été est là.",
        [nfd("Le café est fermé."), nfd("L'été est là.")],
        "café",
        "Le café est fermé.",
    ),
    chunked(
        "a document decomposed",
        nfd("Le café est fermé.\n\nL'été est là."),
        ["Le café est fermé.", "L'été est là."],
        "café",
        nfd("Le café est fermé."),
    ),
    chunked(
        "chunks with curly quotes",
        'The "free" plan isn\'t it.\n\nLunch is.',
        ["The “free” plan isn’t it.", "Lunch is."],
        "plan",
        'The "free" plan isn\'t it.',
    ),
    chunked("chunks of Chinese", "".join(CHINESE), list(CHINESE), "停車場", CHINESE[2]),
    chunked("chunks of Thai", " ".join(THAI), list(THAI), "รหัสผ่าน", THAI[1]),
    chunked(
        "a chunk with another number",
        "The fee is 5 euros.\n\nLunch is.",
        ["The fee is 6 euros.", "Lunch is."],
        "fee",
        "The fee is 5 euros.",
        0,
        "ch.jsonl:1",
        status=2,
    ),
    chunked(
        "Windows line ends in the document alone",
        "The fee\r\nis 5 euros.\r\n\r\nLunch is.\r\n",
        ["The fee\nis 5 euros.", "Lunch is."],
        "fee",
        "The fee\r\nis 5 euros.",
    ),
    chunked(
        "windows that overlap in a text that repeats",
        "tea cake " * 4 + "jam tea cake",
        ["tea cake tea cake", "cake tea cake tea cake", "tea cake jam", "jam tea cake"],
        "jam",
        "jam",
    ),
    chunked(
        "decomposed and shuffled",
        "Le café est fermé.\n\nL'été est là.",
        [nfd("L'été est là."), nfd("Le café est fermé.")],
        "été",
        "L'été est là.",
    ),
    chunked("Korean decomposed in chunks", " ".join(KOREAN), [nfd(text) for text in KOREAN], "비밀번호는", KOREAN[1]),
    chunked(
        "an ellipsis of the splitter",
        "The fee is 5 euros for all. Lunch is.",
        ["...The fee is 5 euros for all.", "Lunch is."],
        "fee",
        "The fee",
        0,
        "ch.jsonl:1",
        status=2,
    ),
    chunked(
        "an empty chunk",
        "The fee is 5 euros.",
        ["The fee is 5 euros.", ""],
        "fee",
        "The fee is 5 euros.",
        0,
        "ch.jsonl:2",
        status=2,
    ),
]


# --- Folders

TIED: dict[str, Content] = {
    "c/a.txt": "Pay is late.",
    "c/b.txt": "Pay is soon.",
    "c/c.txt": "Lunch.",
    "run.txt": "q Q0 a.txt 1 2 m\nq Q0 b.txt 2 2 m\nq Q0 c.txt 3 1 m\n",
}


def tied(name: str, options: str, doc: str, reciprocal_rank: float) -> Odd:
    """Two documents of equal scores, one of which is relevant."""
    files = {**TIED, "q.jsonl": [relevant(doc, "pay")]}
    return Odd(f"a tie: {name}", files, f"audit c q.jsonl -k 1 {options}", {"measures/RR/mean": reciprocal_rank})


IGNORING: dict[str, Content] = {
    "c/.gitignore": "build/\n*.log.md\n!keep.log.md\n/top.md\n",
    "c/a.md": PAY,
    "c/build/x.md": PAY + " built",
    "c/b.log.md": PAY + " log",
    "c/keep.log.md": "Kept words stand here.",
    "c/top.md": PAY + " top",
    "c/sub/top.md": "Below the top it stays.",
    "c/.hidden/h.md": PAY + " dot",
    "c/node_modules/p/README.md": PAY + " module",
    "q.jsonl": [label(PAY, "a.md", "pay")],
}

FOLDERS = [
    Odd(
        "a .gitignore with exceptions",
        IGNORING,
        "audit c q.jsonl --retriever 'bm25(variant=plus)' -k 1 --no-cache",
        {"inputs/documents": 3},
    ),
    Odd("excluded, too", IGNORING, "check c q.jsonl --exclude sub/ --exclude '*.log.md'", {"inputs/documents": 1}),
    Odd("taken back in", IGNORING, "check c q.jsonl --exclude '!build/'", {"inputs/documents": 4}),
    Odd("all excluded", IGNORING, "check c q.jsonl --exclude '*.md'", says=("exclude",), status=2),
    Odd(
        "excluded by a name in Korean",
        {"c/휴가.md": KOREAN[0], "c/a.md": PAY, "q.jsonl": [label(PAY, "a.md")]},
        f"check c q.jsonl --exclude '{nfd('휴가')}.md'",
        {"inputs/documents": 1},
    ),
    Odd(
        "an unknown kind to keep",
        {**DOC, "q.jsonl": [label(PAY, "a.txt")]},
        "check c q.jsonl --keep footers",
        says=("footers", "navigation"),
        status=2,
    ),
    Odd("a glob into an ignored folder", IGNORING, "check 'c/build/*.md' q2.jsonl", status=2, says=("q2.jsonl",)),
    Odd(
        "a BEIR folder with grades as floats",
        {
            "c/corpus.jsonl": [
                {"_id": "1", "title": "Pay day", "text": ""},
                {"_id": "2", "title": "", "text": "Leave."},
                {"_id": "3", "title": "T", "text": "Lunch."},
            ],
            "c/queries.jsonl": [{"_id": "q", "text": "pay"}],
            "c/qrels/test.tsv": "query-id\tcorpus-id\tscore\nq\t1\t2.0\nq\t2\t0.0\n",
        },
        "audit c c --retriever 'bm25(variant=plus)' -k 1 --no-cache",
        {"measures/RR/mean": 1.0, "queries/0/status": "ok"},
    ),
    Odd(
        "TREC judgements as floats",
        {**DOC, "t.tsv": "q\tpay\n", "qrels.txt": "q 0 a.txt 1.0\n"},
        "check c t.tsv --qrels qrels.txt",
        {"inputs/queries": 1},
    ),
    Odd(
        "TREC judgements with a half",
        {**DOC, "t.tsv": "q\tpay\n", "qrels.txt": "q 0 a.txt 1.5\n"},
        "check c t.tsv --qrels qrels.txt",
        says=("qrels.txt:1", "1.5"),
        status=2,
    ),
    tied("bm25, in expectation", "--retriever 'bm25(variant=plus)' --no-cache", "b.txt", 0.75),
    tied("bm25, by id, first", "--retriever 'bm25(variant=plus)' --no-cache --ties id", "a.txt", 1.0),
    tied("bm25, by id, second", "--retriever 'bm25(variant=plus)' --no-cache --ties id", "b.txt", 0.5),
    tied("a run, in expectation", "--run run.txt", "a.txt", 0.75),
    tied("a run, by id as trec_eval orders it", "--run run.txt --ties id", "a.txt", 0.5),
    Odd(
        "words in all documents prove nothing",
        {"c/a.txt": "Pay pay late.", "c/b.txt": "Pay is never late.", "q.jsonl": [relevant("b.txt", "pay late")]},
        "audit c q.jsonl --retriever bm25 -k 1 --no-cache",
        {"causes": {}},
    ),
    Odd(
        "scripts that share nothing",
        {"c/a.txt": RU, "c/b.txt": PAY, "q.jsonl": [relevant("a.txt", "薪水何時")]},
        "audit c q.jsonl --retriever bm25 -k 1 --no-cache",
        {"queries/0/status": lambda status: status != "ok"},
    ),
]


ODD = [*SEARCHES, *SAME, *OTHER, *OFFSETS, *LAYOUTS, *TEXTS, *HTML, *DOCX, *PDF, *RUNS, *CHUNKS, *FOLDERS]


def written(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in content).encode()


def at(report: Any, path: str) -> Any:
    for key in path.split("/"):
        report = report[int(key)] if isinstance(report, list) else report[key]
    return report


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name.replace(" ", "-"))
def test_odd(odd: Odd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in odd.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(written(content))
    result = CliRunner().invoke(main, [*shlex.split(odd.command), "--json", "report.json"], prog_name="ragdiag")
    assert result.exit_code == odd.status, result.output
    plain = " ".join(result.output.split())
    assert all(said in plain for said in odd.says), result.output
    assert not any(said in plain for said in odd.never), result.output
    for path, expected in odd.report.items():
        value = at(json.loads(Path("report.json").read_text(encoding="utf-8")), path)
        assert expected(value) if callable(expected) else value == expected, (path, value, result.output)


def test_names_of_inputs_are_their_own() -> None:
    assert len({odd.name for odd in ODD}) == len(ODD) >= 60
