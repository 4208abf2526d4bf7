"""Numbers as word processors write them: letters, Roman and other numerals, by the names of Word's number formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["numeral"]

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
          (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_ALPHABETS = {
    "lowerLetter": _LATIN,
    "upperLetter": _LATIN.upper(),
    "russianLower": "абвгдежзиклмнопрстуфхцчшщыэюя",
    "russianUpper": "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ",
    "aiueo": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "aiueoFullWidth": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "iroha": "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス",
    "irohaFullWidth": "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス",
    "ganada": "가나다라마바사아자차카타파하",
    "chosung": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "arabicAlpha": "أبتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "arabicAbjad": "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ",
    "hebrew2": "אבגדהוזחטיכלמנסעפצקרשת",
    "thaiLetters": "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
    "hindiVowels": "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
    "ideographTraditional": "甲乙丙丁戊己庚辛壬癸",
    "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥",
}
"""Signs that stand for 1, 2, ... After the last, letters are doubled, as Word does."""
_DIGITS = {
    "decimalFullWidth": "０１２３４５６７８９",
    "decimalFullWidth2": "０１２３４５６７８９",
    "hindiNumbers": "०१२३४५६७८९",
    "thaiNumbers": "๐๑๒๓๔๕๖๗๘๙",
    "ideographDigital": "〇一二三四五六七八九",
    "japaneseDigitalTenThousand": "〇一二三四五六七八九",
    "koreanDigital": "영일이삼사오육칠팔구",
    "taiwaneseDigital": "〇一二三四五六七八九",
}
_HAN = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand")


def numeral(count: int, form: str) -> str:
    """A number in one of Word's formats; in figures where the format has no sign for it, or is of a kind not known here."""
    if form in ("none", "bullet"):
        return ""
    if form in _ALPHABETS and count > 0:
        signs = _ALPHABETS[form]
        return signs[(count - 1) % len(signs)] * min((count - 1) // len(signs) + 1, 50)
    if form in _DIGITS:
        return "".join(_DIGITS[form][int(digit)] for digit in str(count))
    if form in _HAN and 0 < count < 10_000:
        return _han(count)
    return _WRITTEN.get(form, str)(count)


def _roman(count: int) -> str:
    if not 0 < count < 4000:
        return str(count)
    written = ""
    for size, sign in _ROMAN:
        written += sign * (count // size)
        count %= size
    return written


def _han(count: int) -> str:
    """A number below 10,000 in Chinese numerals: 十, 二十一, 一百零五."""
    digits, written = "零一二三四五六七八九", ""
    for size, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = count // size % 10
        if digit:
            written += digits[digit] + sign
        elif written and count % size and not written.endswith("零"):
            written += "零"
    return written.removeprefix("一") if 10 <= count < 20 else written


def _ordinal(count: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{count}{'th' if 10 < count % 100 < 14 else ends.get(count % 10, 'th')}"


def _circled(count: int) -> str:
    """①, ②, ... as far as there are any."""
    return chr(0x2460 + count - 1) if 0 < count <= 20 else str(count)


_WRITTEN: Mapping[str, Callable[[int], str]] = {
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
    "decimalZero": lambda count: f"{count:02}",
    "001, 002, 003, ...": lambda count: f"{count:03}",
    "0001, 0002, 0003, ...": lambda count: f"{count:04}",
    "ordinal": _ordinal,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "numberInDash": lambda count: f"- {count} -",
}
