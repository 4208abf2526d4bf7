"""What is a heading and what only looks like one."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.text.headings import Heading, headings, path_at


def found(text: str) -> list[tuple[int, str]]:
    """Levels and titles; positions are asserted to be where lines start."""
    for start, _, _ in headings(text):
        assert start == 0 or text[start - 1] == ("\n" if "\n" in text else "\r")
    return [(h.level, h.title) for h in headings(text)]


HEADINGS = [
    ("hashes", "# One\n\n## Two\ntext\n###### Six\n", [(1, "One"), (2, "Two"), (6, "Six")]),
    ("crlf", "# One\r\n\r\nTwo\r\n===\r\n\r\nx\r\n", [(1, "One"), (1, "Two")]),
    ("closed", "# One #\n## Two ##  \n# C#\n# C #\n", [(1, "One"), (2, "Two"), (1, "C#"), (1, "C")]),
    ("up to three spaces", " # One\n   ## Two\n    # code\n\t# code\n", [(1, "One"), (2, "Two")]),
    ("no title", "#\n# \n## ##\n#one\n#!/bin/sh\n####### seven\n", []),
    ("tab", "#\tOne\n", [(1, "One")]),
    ("fenced", "# A\n```sh\n# b\n```\n# C\n~~~\n# d\n```\n# e\n~~~~\n# F\n", [(1, "A"), (1, "C"), (1, "F")]),
    ("longer fence", "````\n```\n# a\n````\n# B\n", [(1, "B")]),
    ("a fence with a word closes nothing", "```\n# a\n```py\n# b\n```\n# C\n", [(1, "C")]),
    ("fence in a list", "- x\n\n    ```sh\n# a\n    ```\n# B\n", [(1, "B")]),
    ("never closed", "# A\n```\n# b\n", [(1, "A")]),
    ("inline code", "```a``` b\n# C\n", [(1, "C")]),
    ("setext", "One\n===\n\ntext\n\nTwo\n---\n\nThree\n===\n", [(1, "One"), (2, "Two"), (1, "Three")]),
    ("markdown levels", "Two\n---\n\n# One\n\nTop\n===\n", [(2, "Two"), (1, "One"), (1, "Top")]),
    (
        "rst levels by appearance",
        "A\n---\n\nB\n~~~\n\nC\n^^^\n\nD\n~~~\n\nE\n---\n",
        [(1, "A"), (2, "B"), (3, "C"), (2, "D"), (1, "E")],
    ),
    ("tildes", "Long title\n~~~~~~~~~~\n\n# A\n\nRun this:\n~~~\n# b\n~~~\n", [(3, "Long title"), (1, "A")]),
    ("rst overlined", "=====\nTitle\n=====\n\nOne\n===\n\nTwo\n---\n", [(1, "Title"), (2, "One"), (3, "Two")]),
    ("one after another", "One\n===\nTwo\n---\n# Three\nFour\n====\n", [(1, "One"), (2, "Two"), (1, "Three"), (1, "Four")]),
    ("rst literal", "One\n===\n\nDo::\n\n  # a\n\n.. code-block:: sh\n\n   # b\n\nSo.\n\n  # C\n", [(1, "One"), (1, "C")]),
    ("rule", "Some text.\n\n---\n\nmore\n\n***\n\n===\n", []),
    ("rule under a paragraph", "Some text that goes on\nover two lines.\n-------------------\n", []),
    ("rule under a long line", "Some text that goes on.\n---\n", []),
    ("short underline of a long title", "Some long title\n===\n", [(1, "Some long title")]),
    ("tables", "| a | b |\n|---|---|\n| c | d |\n\na | b\n--|--\nc | d\n\n|a\n-----\n", []),
    ("rst tables", "===== =====\nA     B\n===== =====\nc     d\n===== =====\n\n+---+\n| a |\n+===+\n| b |\n+---+\n", []),
    ("list and quote", "- a\n-----\n\n> b\n-----\n", []),
    ("rules in a row", "-----\n-----\n\n=====\n-----\n", []),
    ("front matter", "---\ntitle: x\n# note\nid: 1\n---\n# One\n", [(1, "One")]),
    ("front matter, crlf", "---\r\ntitle: x\r\n---\r\n\r\n# One\r\n", [(1, "One")]),
    ("front matter, toml", "+++\ntitle = 'x'\n# note\n+++\n# One\n", [(1, "One")]),
    ("rules at the start are no front matter", "---\n\n# One\n\n---\n# Two\n", [(1, "One"), (1, "Two")]),
    ("front matter that never ends", "---\na: 1\n# One\n", [(1, "One")]),
    ("nothing", "", []),
    ("blank", " \n\n", []),
    ("underline first", "=====\ntext\n", []),
    (
        "backticks underline",
        "Install\n=======\n\nFrom source\n```````````\n\nx\n\nUse\n---\n\nBy hand\n```````\n\ny\n",
        [(1, "Install"), (2, "From source"), (3, "Use"), (2, "By hand")],
    ),
    ("backticks as long as a title that is code's", "# A\n\nRun\n```\nls -la\n# b\n```\n\n## C\n", [(1, "A"), (2, "C")]),
    ("the same without a hash before", "Run\n~~~\nls -la\n# b\n~~~\n\nNext\n====\n", [(1, "Next")]),
    ("three tildes under three letters", "API\n~~~\n\nx\n\nCLI\n~~~\n\ny\n", [(1, "API"), (1, "CLI")]),
    ("code after such a title", "API\n~~~\n\n~~~\n# b\n~~~\n\nC\n===\n", [(1, "API"), (2, "C")]),
    ("colons underline", "One\n===\n\nTwo\n:::\n\n  # code?\n\nSo::\n\n  # b\n", [(1, "One"), (3, "Two"), (1, "code?")]),
    ("two marks under two letters", "v2\n''\n\nx\n\nv3\n''\n\nOn\n\n--\n\nAbc\n--\n", [(1, "v2"), (1, "v3")]),
    ("overlined by backticks", "`````\nTitle\n`````\n\n~~~~\nSub\n~~~~\n\nx\n", [(1, "Title"), (2, "Sub")]),
    ("one line of code", "```\nls\n```\n\n# A\n", [(1, "A")]),
    (
        "anchors",
        "# A {#a}\n## B ## {#b .x}\n### C {: #c }\nD {#d}\n---------\n## E {f}\n",
        [(1, "A"), (2, "B"), (3, "C"), (2, "D"), (2, "E {f}")],
    ),
    ("carriage returns alone", "# A\rtext\r## B\r", [(1, "A"), (2, "B")]),
    ("mdx", "import X from 'x'\n\n# A\n\n<X>\n\n## B\n\n</X>\n\nexport const c = 1\n", [(1, "A"), (2, "B")]),
    (
        "asciidoc",
        "= Guide\nMe\n:toc:\n\n== One ==\n\n"
        "[source,sh]\n----\n# code\n== code\n----\n\n[[x]]\n=== Two\n\n====\nText.\n====\n\n== End\n",
        [(1, "Guide"), (2, "One"), (3, "Two"), (2, "End")],
    ),
    (
        "asciidoc underlined",
        "= Top\n\nNAME\n----\n\n[source]\n--------\n# code\n--------\n\n.Shown\n--------\nx\n--------\n",
        [(1, "Top"), (2, "NAME")],
    ),
    ("asciidoc in code of markdown", "# A\n\n```\n\n= B\n```\n\nC\n---\n", [(1, "A"), (2, "C")]),
    ("an equation", "a\n= b\n\nC\n===\n", [(1, "C")]),
    ("chinese", "# 标题\n\n第一\n====\n", [(1, "标题"), (1, "第一")]),
]


@pytest.mark.parametrize(("text", "expected"), [h[1:] for h in HEADINGS], ids=[h[0] for h in HEADINGS])
def test_headings(text: str, expected: list[tuple[int, str]]) -> None:
    assert found(text) == expected


def test_positions() -> None:
    text = "---\nid: 1\n---\n\n  ## A\n\n====\nOver\n====\n\nB\n--\n\nC\n---\n"
    assert headings(text) == [Heading(15, 2, "A"), Heading(23, 3, "Over"), Heading(45, 2, "C")]
    assert [text[h.start :].split("\n")[0] for h in headings(text)] == ["  ## A", "====", "C"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["# A", "A", "===", "---", "```", "", "  ", "\r", "~~~", "..", "x::", " # b", "|", "+++", "a: 1"]))
)
def test_headings_are_lines_in_order_with_a_title(lines: list[str]) -> None:
    text = "\n".join(lines)
    starts = [h.start for h in headings(text)]
    assert starts == sorted(set(starts))
    for h in headings(text):
        assert h.title == h.title.strip() != ""
        assert 1 <= h.level <= 20
        assert h.title in text[h.start :].replace("#", "")


@pytest.mark.parametrize(
    "line", ["# " + "a " * 13_000, "#" * 27_000, "# a" + " #" * 13_000 + " b", "`" * 27_000, "---\na:" + " " * 27_000]
)
def test_a_long_line_takes_no_long_time(line: str) -> None:
    begun = time.process_time()
    headings(line + "\n" + line)
    assert time.process_time() - begun < 1


def test_path_at() -> None:
    tree = [Heading(0, 1, "A"), Heading(10, 2, "B"), Heading(20, 3, "C"), Heading(30, 2, "D"), Heading(40, 1, "E")]
    assert path_at(tree, [0, 5, 10, 25, 30, 39, 40, 99]) == [
        ("A",),
        ("A",),
        ("A", "B"),
        ("A", "B", "C"),
        ("A", "D"),
        ("A", "D"),
        ("E",),
        ("E",),
    ]
    assert path_at([Heading(5, 3, "deep"), Heading(9, 1, "top")], [0, 5, 9]) == [(), ("deep",), ("top",)]
    assert path_at([], [0, 1]) == [(), ()]
    assert path_at(tree, []) == []
