"""Every form of a report keeps the contract of its family; nothing in a corpus is more than text in any of them."""

import functools
import html
import json
import re
from pathlib import Path

import pytest

import ragdiag
from ragdiag.core.errors import UsageError
from ragdiag.core.registry import make, names
from ragdiag.reports import markdown
from ragdiag.reports.output import Output, output_for
from ragdiag.results import AuditResult, CompareResult

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, QUERIES = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"
OUTPUTS = names("outputs")


@functools.cache
def audited() -> AuditResult:
    return ragdiag.audit(CORPUS, QUERIES, retriever="bm25", cache=None)


@functools.cache
def compared() -> CompareResult:
    return ragdiag.compare(CORPUS, QUERIES, chunkers=("sentence", "fixed"), retrievers=("bm25",), cache=None, causes=False)


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_found_by_its_suffix_and_writes_text_or_says_what_does(name: str, tmp_path: Path) -> None:
    output = make("outputs", name)
    assert isinstance(output, Output) and re.fullmatch(r"\.[a-z.]+", output.suffix)
    assert type(output_for(tmp_path / f"report{output.suffix}", "audit")) is type(output)
    file = audited().save(tmp_path / f"report{output.suffix}")
    first = file.read_bytes()
    assert first and audited().save(file).read_bytes() == first, "the same audit gives the same bytes"
    if type(output).compare is Output.compare:
        with pytest.raises(UsageError, match=f"no {re.escape(output.suffix)} form of a comparison; save it as .json"):
            compared().save(tmp_path / f"other{output.suffix}")
    else:
        assert compared().save(tmp_path / f"other{output.suffix}").read_bytes()


def test_suffixes_differ() -> None:
    suffixes = [make("outputs", name).suffix for name in OUTPUTS]
    assert len(set(suffixes)) == len(suffixes)


def test_json_is_what_as_dict_says(tmp_path: Path) -> None:
    saved = json.loads(audited().save(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert saved["measures"].keys() == audited().as_dict()["measures"].keys()
    assert saved["queries"][0]["id"] == audited().queries[0].id


def test_markdown_says_what_the_screen_says(tmp_path: Path) -> None:
    text = audited().save(tmp_path / "a.md").read_text(encoding="utf-8")
    plain = re.sub(r"\\(.)", r"\1", text)
    screen = str(audited())
    for sentence in ("34 of 57 queries get all their evidence in their context", "6 of the 23 have a proved cause"):
        assert sentence in plain and sentence in screen
    rows = [line.split(" | ")[0].strip("| ") for line in plain.splitlines() if line.startswith("| ")]
    assert {cause.removesuffix(" *") for cause in rows} >= set(audited().causes)
    assert "| tw-10 | query_mismatch | 0% | 25 |" in plain


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=y>",
        "a | b",
        "`code`",
        "[a](http://x.y)",
        "@everyone",
        "$x$",
        "*b* _c_ ~d~",
        "https://x.y www.x.y",
        "&lt;",
    ],
)
def test_nothing_in_a_query_is_more_than_text(text: str) -> None:
    escaped = markdown.plain_text(text)
    assert re.sub(r"\\(.)", r"\1", escaped) == text
    bare = re.sub(r"\\.", "", escaped)
    assert not set(bare) & set("<>|`[]@$*_~&") and "://" not in bare and "www." not in bare
    assert html.unescape(bare) == bare
