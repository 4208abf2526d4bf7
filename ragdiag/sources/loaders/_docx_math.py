"""Formulas of Office (OMML) in one line, as people type them: ``1/2``, ``2^8``, ``√(x+1)``, ``∑_(i=1)^n i``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ragdiag.sources.loaders._docx_marks import EDGE, MARKS, settled
from ragdiag.sources.loaders._docx_package import Element

__all__ = ["MATH", "formula", "is_formula"]

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

Inner = Callable[[Element], str]
"""What reads the runs in a formula."""


def formula(node: Element, runs: Inner) -> str:
    """An element of a formula; `runs` reads what is no structure of mathematics."""
    name = node.tag.removeprefix(MATH) if isinstance(node.tag, str) else ""
    if name in _STRUCTURES:
        return EDGE + _STRUCTURES[name](node, runs) + EDGE
    return "".join(formula(child, runs) for child in node) if name in _PLAIN else runs(node)


def is_formula(tag: str) -> bool:
    """Whether `formula` reads what is called so."""
    return tag.startswith(MATH) and tag.removeprefix(MATH) in _STRUCTURES.keys() | _PLAIN


_PLAIN = {"oMath", "oMathPara", "e", "num", "den", "sup", "sub", "deg", "lim", "fName", "box", "borderBox"}


def _part(node: Element, name: str, runs: Inner) -> str:
    """One argument of a structure."""
    element = node.find(MATH + name)
    return "" if element is None else settled(formula(element, runs)).strip()


def _closed(text: str) -> str:
    """An argument so that what follows is no part of it."""
    shown = MARKS.sub("", text)
    alone = len(shown) < 2 or re.fullmatch(r"[\w.,]*\w|\([^()]*\)|\[[^\[\]]*\]", shown)
    return text if alone else f"({text})"


def _set(node: Element, kind: str, name: str, default: str = "") -> str:
    """A property of a structure: `default` where it is not stated."""
    element = node.find(f"{MATH}{kind}Pr/{MATH}{name}")
    return default if element is None else element.get(MATH + "val") or ""


def _fraction(node: Element, runs: Inner) -> str:
    over = "¦" if _set(node, "f", "type") == "noBar" else "/"
    return _closed(_part(node, "num", runs)) + over + _closed(_part(node, "den", runs))


def _scripts(node: Element, runs: Inner) -> str:
    sub, sup = (_part(node, name, runs) for name in ("sub", "sup"))
    base = _part(node, "e", runs)
    return (_closed(base) if sub or sup else base) + _limits(sub, sup)


def _before(node: Element, runs: Inner) -> str:
    return _limits(_part(node, "sub", runs), _part(node, "sup", runs)) + " " + _closed(_part(node, "e", runs))


def _limits(sub: str, sup: str) -> str:
    return (f"_{_closed(sub)}" if sub else "") + (f"^{_closed(sup)}" if sup else "")


def _root(node: Element, runs: Inner) -> str:
    degree, inside = _part(node, "deg", runs), _part(node, "e", runs)
    return f"√[{degree}]({inside})" if degree else "√" + _closed(inside)


def _sum(node: Element, runs: Inner) -> str:
    limits = _limits(_part(node, "sub", runs), _part(node, "sup", runs))
    return f"{_set(node, 'nary', 'chr', '∫')}{limits} {_part(node, 'e', runs)}"


def _delimited(node: Element, runs: Inner) -> str:
    between = _set(node, "d", "sepChr", "|")
    inside = between.join(settled(formula(e, runs)).strip() for e in node if e.tag == MATH + "e")
    return _set(node, "d", "begChr", "(") + inside + _set(node, "d", "endChr", ")")


def _function(node: Element, runs: Inner) -> str:
    return f"{_part(node, 'fName', runs)} {_part(node, 'e', runs)}"


def _limit(node: Element, runs: Inner) -> str:
    return _part(node, "e", runs) + ("_" if node.tag == MATH + "limLow" else "^") + _closed(_part(node, "lim", runs))


def _accent(node: Element, runs: Inner) -> str:
    return _closed(_part(node, "e", runs)) + _set(node, "acc", "chr", "\u0302")


def _bar(node: Element, runs: Inner) -> str:
    return _closed(_part(node, "e", runs)) + ("\u0305" if _set(node, "bar", "pos") == "top" else "\u0332")


def _grouped(node: Element, runs: Inner) -> str:
    return _part(node, "e", runs)


def _matrix(node: Element, runs: Inner) -> str:
    rows = ([settled(formula(e, runs)).strip() for e in row if e.tag == MATH + "e"] for row in node if row.tag == MATH + "mr")
    return "; ".join(", ".join(row) for row in rows)


def _equations(node: Element, runs: Inner) -> str:
    return "; ".join(settled(formula(e, runs)).replace("&", "").strip() for e in node if e.tag == MATH + "e")


def _phantom(node: Element, runs: Inner) -> str:
    return "" if _set(node, "phant", "show", "1") in ("0", "off", "false") else _part(node, "e", runs)


_STRUCTURES: Mapping[str, Callable[[Element, Inner], str]] = {
    "f": _fraction,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "sPre": _before,
    "rad": _root,
    "nary": _sum,
    "d": _delimited,
    "func": _function,
    "limLow": _limit,
    "limUpp": _limit,
    "acc": _accent,
    "bar": _bar,
    "groupChr": _grouped,
    "m": _matrix,
    "eqArr": _equations,
    "phant": _phantom,
}
