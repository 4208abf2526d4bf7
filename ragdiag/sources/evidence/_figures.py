"""What is a number: in the figures of any script, in Chinese numerals, in the words of several languages."""

from __future__ import annotations

import re
import unicodedata

from ragdiag.text.normal import normal

__all__ = ["BETWEEN_FIGURES", "HAN_FIGURES", "NUMBERS", "TWENTY_ONE", "is_figure", "number"]

BETWEEN_FIGURES = ".,:/\u066b\u066c"
"""What may stand inside a number, a time, a date or a section's number."""

HAN_FIGURES = "〇零一二三四五六七八九十百千万亿億萬两兩壹贰叁肆伍陆柒捌玖拾佰仟廿卅"
_PAIR = "两兩"

_ONES = "one two three four five six seven eight nine"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_COUNTED = (
    (0, 1, "zero"),
    (1, 1, f"{_ONES} ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
    (1, 1, "first second third fourth fifth sixth seventh eighth ninth tenth"),
    (20, 10, _TENS),
    (1, 1, "once twice thrice"),
    (12, 1, "dozen"),
    (2, 1, "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn"),
    (20, 10, "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert"),
    (2, 1, "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"),
    (20, 10, "vingt trente quarante cinquante soixante"),
    (2, 1, "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"),
    (20, 10, "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien"),
    (3, 1, "tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"),
    (20, 10, "venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento"),
    (2, 1, "dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis"),
    (20, 10, "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem"),
    (2, 1, "twee drie vier vijf zes zeven acht negen tien elf twaalf"),
    (20, 10, "twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd"),
    (2, 1, "два три четыре пять шесть семь восемь девять десять"),
    (20, 10, "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто сто"),
    (2, 1, "दो तीन चार पाँच छह सात आठ नौ दस"),
)
"""Number words in their order: the first's number, the step from one to the next, the words."""

NUMBERS: dict[str, int] = {}
for _first, _step, _words in _COUNTED:
    for _n, _word in enumerate(_words.split()):
        NUMBERS.setdefault(normal(_word, fold=True), _first + _step * _n)

TWENTY_ONE = re.compile(rf"\b({_TENS.replace(' ', '|')})[- ]({_ONES.replace(' ', '|')})\b")
"""A number of two words in English."""

_PARTS = "|".join(
    sorted((re.escape(word) for word in (*NUMBERS, "einund", "veinti", "tausend", "mille", "mil")), key=len, reverse=True)
)
_COMPOUND = re.compile(rf"(?:(?:{_PARTS})(?:und|en|et|e|y)?)+(?:s?te[nmrs]?)?")
"""Numbers in one word: "fünfundzwanzig", "veinticinco", "zweihundert", "dritten"."""

_ROMAN = re.compile(r"(?=..)x{0,3}(?:ix|iv|v?i{0,3})")


def is_figure(character: str) -> bool:
    """Whether a number may be written with a character."""
    return character.isdecimal() or character in HAN_FIGURES


def number(word: str) -> str:
    """A number in figures, in words or in Roman letters, in one spelling of several; "" for any other word. Of a normal form."""
    if word in NUMBERS:
        return str(NUMBERS[word])
    if word[0] in HAN_FIGURES:
        return _of_han(word)
    if word[0].isdecimal() or word[-1].isdecimal():  # "-5", "5a"
        return "".join(str(unicodedata.decimal(c, c)) for c in word)
    return word if _ROMAN.fullmatch(word) or _COMPOUND.fullmatch(word) else ""


def _of_han(word: str) -> str:
    """Chinese numerals in plain digits: 三十五 is 35, 二〇二四 is 2024."""
    values = [2 if c in _PAIR else int(unicodedata.numeric(c)) for c in word]
    if all(value < 10 for value in values):
        return "".join(map(str, values))
    total = section = ones = 0
    for value in values:
        if value >= 10_000:
            total, section, ones = (total + section + ones or 1) * value, 0, 0
        elif value in (10, 100, 1000):
            section, ones = section + (ones or 1) * value, 0
        else:  # 廿 and 卅 are 20 and 30
            section, ones = (section + value, 0) if value >= 10 else (section, value)
    return str(total + section + ones)
