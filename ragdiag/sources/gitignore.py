"""The patterns of ``.gitignore``, as git reads them: each is held against a path itself, not against the folders above it.

So a walk asks for each folder before it looks inside. (pathspec gives a verdict on a whole path at once, which is another one
where files in several folders disagree.)
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ragdiag.text.unicode import normalize

__all__ = ["Pattern", "parsed", "verdict"]

_TOKEN = re.compile(r"\\.|\[[!^]?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|(?:^|(?<=/))\*\*/|/\*\*$|\*+|.", re.DOTALL)
"""A piece of a pattern: an escaped character, a class, any number of folders, any characters, or a character."""

ANY = "[^/]*?"
"""Any characters of a name, as few as will do."""

LONGEST = 1000
"""Characters: no name of a file needs a longer pattern, and one of a million brackets takes for ever to be read."""

_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s"}


class Pattern(NamedTuple):
    """One line: whether it leaves out what it matches (or takes it back in), and what that is."""

    leaves_out: bool
    folders_only: bool
    of_path: bool  # of the whole path, not of the name alone
    expression: re.Pattern[str]

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether it is about what is at `path`, which is given from the folder of the ``.gitignore`` on."""
        if self.folders_only and not is_folder:
            return False
        path = normalize("NFC", path)  # a disk may have its letters decomposed, and a pattern composed
        return self.expression.fullmatch(path if self.of_path else path.rpartition("/")[2]) is not None


def _without_blanks(line: str) -> str:
    """A line without the blanks at its end, but for one that a backslash stands before."""
    short = line.rstrip(" ")
    return line[: len(short) + 1] if short.endswith("\\") else short


def parsed(line: str) -> Pattern | None:
    """A line as a pattern; None for a blank line, a comment, what git takes for no pattern, and one of more than `LONGEST`."""
    text = normalize("NFC", _without_blanks(line.removesuffix("\r")))
    if not text.strip() or text.startswith("#") or len(text) > LONGEST:
        return None
    leaves_out = not text.startswith("!")
    text = text if leaves_out else text[1:]
    glob = text.removesuffix("/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about classes such as [<--]
            expression = re.compile(_whole(_TOKEN.findall(glob.removeprefix("/"))), re.DOTALL)
    except (re.error, ValueError):
        return None
    return Pattern(leaves_out, glob != text, "/" in glob, expression) if glob.strip("/") else None


def verdict(patterns: Sequence[Pattern], path: str, is_folder: bool) -> bool | None:
    """Whether the last of `patterns` that matches leaves `path` out; None where none matches."""
    found: Iterable[bool] = (p.leaves_out for p in reversed(patterns) if p.matches(path, is_folder))
    return next(iter(found), None)


def _whole(tokens: Sequence[str]) -> str:
    """A pattern as a regular expression. Raises `ValueError` as `_expression`.

    What ends soonest leaves most to the rest: so all stars but the last take as little as will do, for good, and so do the
    folders before all parts but the last. Else the time for a long name would be multiplied with each star.
    """
    parts = _split(tokens, lambda token: token == "**/")
    written = ["".join(_stars(part, f"part{n}", is_last=part is parts[-1])) for n, part in enumerate(parts)]
    return "".join([*(_for_good(part, f"part{n}") for n, part in enumerate(written[:-1])), written[-1]])


def _stars(tokens: Sequence[str], name: str, is_last: bool) -> Iterator[str]:
    """A part of a pattern, which may begin with any number of folders; `is_last`: the pattern ends with it."""
    pieces = _split(tokens, lambda token: token[0] == "*" and token != "**/")
    for n, piece in enumerate(pieces):
        expression = "".join(map(_expression, piece))
        may_grow = n == 0 or (is_last and piece is pieces[-1])
        yield expression if may_grow else _for_good(expression, f"{name}star{n}")


def _for_good(expression: str, name: str) -> str:
    """An expression that keeps its first match, whatever follows (``(?>...)`` since Python 3.11); no two have the same `name`."""
    return f"(?=(?P<{name}>{expression}))(?P={name})"


def _split(tokens: Sequence[str], begins: Callable[[str], bool]) -> list[list[str]]:
    """Stretches of `tokens`, each of which but the first begins with one that `begins` one."""
    stretches: list[list[str]] = [[]]
    for token in tokens:
        if begins(token):
            stretches.append([])
        stretches[-1].append(token)
    return stretches


def _expression(token: str) -> str:
    """A piece of a pattern as a regular expression. Raises `ValueError` for half of an escape, or a class that never ends."""
    if token == "**/":
        return "(?:.*?/)??"
    if token == "/**":
        return "/.+"
    if token[0] == "*":
        return ANY
    if token == "?":
        return "[^/]"
    if token in ("\\", "["):
        raise ValueError(token)
    return _class(token[1:-1]) if token[0] == "[" else re.escape(token[-1])


def _class(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    members = re.sub(r"\[:(\w+):\]|(\\.)|([\[\]^&~|\\])", _member, inside[negated:])
    return f"(?!/)[{'^' * negated}{members}]"


def _member(match: re.Match[str]) -> str:
    name, escaped, special = match.groups()
    return _CLASSES.get(name, "") if name else re.escape(escaped[1]) if escaped else f"\\{special}"
