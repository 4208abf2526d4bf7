"""Letters that a PDF's font gives by their names, for glyphs that join several ("f_f_i")."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from typing import Any

__all__ = ["named_letters"]

_LIGATURES = {"ff": "ff", "fi": "fi", "fl": "fl", "ffi": "ffi", "ffl": "ffl", "ft": "ft", "st": "st", "IJ": "IJ", "ij": "ij"}


def named_letters(page: Any) -> dict[str, dict[int, str]]:
    """By the name of each font of a page, the letters of those codes whose glyphs are named after several letters."""
    letters: dict[str, dict[int, str]] = {}
    with suppress(Exception):  # a font that is broken here is not known by its names
        for reference in page["/Resources"].get_object()["/Font"].get_object().values():
            font = reference.get_object()
            name = str(font["/BaseFont"]).lstrip("/")
            known = _differences(font["/Encoding"].get_object()) if "/Encoding" in font else {}
            letters.setdefault(name, {}).update(known)
            letters.setdefault(name.split("+", 1)[-1], {}).update(known)  # with and without the tag of a subset
    return letters


def _differences(encoding: Any) -> dict[int, str]:
    """The codes of an encoding whose names are those of several letters."""
    codes, at = dict[int, str](), 0
    for entry in encoding.get("/Differences", []) if hasattr(encoding, "get") else []:
        if isinstance(entry, int):
            at = int(entry)
            continue
        if text := _of_name(str(entry).lstrip("/").split(".")[0]):
            codes[at] = text
        at += 1
    return codes


def _of_name(name: str) -> str:
    """The letters of a glyph's name, by the rules of Adobe's list of glyphs; "" for what names no several letters."""
    if "_" not in name:
        return _LIGATURES.get(name, "")
    parts = [_LIGATURES.get(part, part if len(part) == 1 else _hexadecimal(part)) for part in name.split("_")]
    return "".join(parts) if all(parts) else ""


def _hexadecimal(part: str) -> str:
    for prefix in ("uni", "u"):
        with suppress(ValueError, OverflowError):
            if part.startswith(prefix) and unicodedata.category(letter := chr(int(part[len(prefix) :], 16)))[0] in "LMN":
                return letter
    return ""
