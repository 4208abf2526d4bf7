"""Formulas and raised text on one line: a fraction keeps its bar, a power its ``^``, and no two numbers become one."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from ragdiag.sources.loaders.html.nodes import Attributes, Node, collapsed, plain
from ragdiag.text.raised import is_power, superscript

__all__ = ["GLUE", "PART", "raised", "script", "separated", "spoken"]

GLUE, PART = "\2", "\3"
"""In a line under way: what must stand apart from a word that follows, and what from a number."""

POWER = "\4"
"""What stands before and behind the power of a unit."""

STYLE = re.compile(r"vertical-align\s*:\s*(super|sub)\b", re.I)
CLASS = re.compile(r"(?:^|\s)(?:(super(?:script)?|sup)|sub(?:script)?)(?:\s|$)", re.I)
SIMPLE = re.compile(r"[+\-\u2212\u2013]?\w+(?:[.,]\s?\w+)*[).]?")
STARTS = re.compile(r"[+\-\u2212\u2013]?\w")
ORDINAL = re.compile(
    r"(?:st|nd|rd|th|er|re|ère|e|è|ème|ieme|ième|os?|a|me|mes|lles?|mme|gr|º|ª|ste|de|ter|te)\.?", re.IGNORECASE
)  # 1st, 2e, M^lle
BARS = ("/", "\u2044", "\u2215")

LONGEST_RAISED = 40
"""Characters of what is written as raised; more is a passage of its own."""


def script(tag: str, attributes: Attributes) -> str:
    """ "sup" or "sub" where an element is raised or lowered."""
    if tag in ("sup", "sub"):
        return tag
    if not attributes or tag not in ("span", "font", "small", "a", "em", "i", "b", "strong"):
        return ""
    return _set(attributes.get("style") or "", attributes.get("class") or "")


@functools.lru_cache(maxsize=1000)
def _set(style: str, classes: str) -> str:
    if shift := STYLE.search(style):
        return "sup" if shift[1].lower() == "super" else "sub"
    name = CLASS.search(classes)
    return ("sup" if name[1] else "sub") if name else ""


def raised(kind: str, node: Node, before: str) -> tuple[str, str]:
    """What stands before and behind a raised or lowered element, after the text `before` of its block."""
    text = plain(node, 50)
    last = before.rstrip(GLUE + PART)[-1:]
    if len(text) > LONGEST_RAISED or not STARTS.match(text):
        return "", ""
    if kind == "sub":
        return ("_" if last.isdigit() and text[0].isdigit() else ""), PART
    if _over_a_bar(node):
        return " " * last.isdigit(), ""
    if _is_first(before, last):
        return "", PART
    if last.isalnum() and ORDINAL.fullmatch(text):
        return "", ""
    if is_power(before.rstrip(GLUE + PART), text):
        return POWER, POWER + GLUE
    return ("^", GLUE) if SIMPLE.fullmatch(text) else ("^(", ")" + GLUE)


def _is_first(before: str, last: str) -> bool:
    """Whether raised text begins a word, as the mark of a note at its head or the mass of an isotope does."""
    written = before.rstrip(" \t\n\r\f\0" + GLUE + PART)
    return not written or last == "(" or (last.isspace() and not (written[-1].isdigit() or written[-1] in ")]"))


def _over_a_bar(node: Node) -> bool:
    """Whether a raised element is the top of a fraction such as ``<sup>1</sup>/<sub>2</sub>``."""
    bar = node.next
    below = bar.next if bar is not None else None
    if bar is None or below is None or below.tag[0] == "-" or script(below.tag, below.attributes) != "sub":
        return False
    return collapsed(bar.text_content or "" if bar.tag == "-text" else plain(bar, 5)) in BARS


def separated(line: str) -> str:
    """A line with blanks where raised text would run into what follows, and without its marks."""
    if GLUE not in line and PART not in line:
        return line
    line = re.sub(f"{POWER}(.*?){POWER}", lambda match: superscript(match[1].strip()), line, flags=re.DOTALL)
    line = re.sub(rf"(?<!{GLUE}){GLUE}+(?=\w)", " ", line)
    return re.sub(rf"(?<=\d){PART}(?=\d)|(?<=\w){PART}(?=[^\W\d_]{{3}})", " ", line).replace(GLUE, "").replace(PART, "")


SPACED = frozenset("+ - \u2212 = < > \u2264 \u2265 \u2260 \u2248 \u00b1 \u00d7 \u22c5 \u2192 \u2208 \u2227 \u2228 \u2261".split())
INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064\u200b")
DEEPEST = 60
"""Levels of a formula that are told apart; what lies deeper is written without signs."""


def spoken(math: Node) -> str:
    """A formula of MathML on one line; ``alttext`` where it holds no elements."""
    return collapsed(_linear(math, 0)) or collapsed(math.attributes.get("alttext") or "")


def _linear(node: Node, depth: int) -> str:
    if depth > DEEPEST:
        return plain(node)
    children = [child for child in node.iter() if not child.tag.startswith(("-", "annotation"))]
    if not children:
        return _token(node)
    written = [_linear(child, depth + 1) for child in children]  # each once: formulas nest deep
    parts = [part.strip() for part in written]
    if len(parts) == len(SIGNS.get(node.tag, ())):
        return "".join(sign + _bracketed(part) for sign, part in zip(SIGNS[node.tag], parts, strict=True))
    if node.tag == "mroot" and len(parts) == 2:
        return f"{_bracketed(parts[1])}\u221a{_bracketed(parts[0])}"
    if node.tag in BETWEEN:
        return BETWEEN[node.tag].join(parts)
    return _around(node, _row(children, written), parts)


def _around(node: Node, row: str, parts: Sequence[str]) -> str:
    """A row of parts with the root or the brackets that stand round it."""
    if node.tag == "msqrt":
        return f"\u221a{_bracketed(row)}"
    if node.tag == "mfenced":
        return f"{node.attributes.get('open') or '('}{', '.join(parts)}{node.attributes.get('close') or ')'}"
    return row


def _token(node: Node) -> str:
    """A name, a number or an operator, which stands apart from what it joins."""
    pieces = [child.text_content or "" for child in node.iter(include_text=True) if child.tag == "-text"]
    text = collapsed("".join(pieces).translate(INVISIBLE))
    return f" {text} " if node.tag == "mo" and text in SPACED else text


BETWEEN = {"mtable": "; ", "mtr": ", ", "mlabeledtr": ", "}
SIGNS = {
    "mfrac": ("", "/"),
    "msup": ("", "^"),
    "mover": ("", "^"),
    "msub": ("", "_"),
    "munder": ("", "_"),
    "msubsup": ("", "_", "^"),
    "munderover": ("", "_", "^"),
}
"""What stands before each part of an element."""


def _row(children: Sequence[Node], parts: Sequence[str]) -> str:
    """The parts that some elements are written as, beside each other; a blank keeps numbers apart."""
    text = ""
    for child, part in zip(children, parts, strict=True):
        apart = (text[-1:].isalnum() and part[:1].isdigit()) or (text[-1:].isdigit() and child.tag == "mfrac")
        text += (" " if apart else "") + part
    return text


def _bracketed(part: str) -> str:
    """A part of a formula in brackets, but for a single sign, word or number and what has brackets."""
    whole = len(part) == 1 or (part.startswith("(") and part.endswith(")")) or re.fullmatch(r"\w*(?:[.,]\w+)*", part)
    return part if whole else f"({part})"
