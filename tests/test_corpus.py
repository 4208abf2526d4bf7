"""Documents in: what is read from where, under which id, and what happens to what cannot be read."""

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ragdiag.core import files
from ragdiag.core.errors import InputError, MissingExtra
from ragdiag.core.records import Corpus
from ragdiag.sources.corpus import load_corpus


def write(folder: Path, **contents: str | bytes) -> Path:
    """Files named by keyword, `__` for the dot: ``a__txt="..."``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(raw)
    return folder


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def ids(corpus: Corpus) -> list[str]:
    return [d.id for d in corpus.documents]


def problem(corpus: Corpus) -> str:
    (only,) = corpus.problems
    assert "\n" not in only.message
    return f"{only.file}: {only.message}"


# What is found, and under which id.


def test_a_folder_is_read_recursively_and_sorted_by_id(tmp_path: Path) -> None:
    write(tmp_path / "c" / "sub", b__md="# B\n")
    write(tmp_path / "c", z__txt="z", a__rst="a", data__csv="1,2", LICENSE="x", queries__jsonl="{}", answers_1__jsonl="{}")
    write(tmp_path / "c" / ".git", hidden__txt="no")
    write(tmp_path / "c", __hidden__md="no")
    corpus = load_corpus(tmp_path / "c")
    assert ids(corpus) == ["a.rst", "sub/b.md", "z.txt"]
    assert corpus.skipped == {".csv": 1, "(none)": 1}
    assert corpus.problems == ()
    assert [Path(d.file) for d in corpus.documents] == [tmp_path / "c" / i for i in ids(corpus)]


def test_text_of_every_kind_is_read_as_it_is(tmp_path: Path) -> None:
    text = "import X from 'x'\n\n# T {#t}\n\n<X>\nBody.\n</X>\n"
    names = ["a.mdx", "b.MDX", "c.adoc", "d.asciidoc", "e.text", "f.mdown", "g.rst.txt", "h.markdown"]
    for name in names:
        write(tmp_path, **{name: text})
    corpus = load_corpus(tmp_path)
    assert ids(corpus) == names
    assert {(d.text, d.title) for d in corpus.documents} == {(text, "T")}
    write(tmp_path / "asciidoc", a__adoc="= Guide {v}\n:toc:\n\n== One\n")
    assert load_corpus(tmp_path / "asciidoc").documents[0].title == "Guide {v}"


def test_a_relative_path_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "c", a__txt="a")
    jsonl(tmp_path / "docs.jsonl", {"_id": "A", "file": "c/a.txt"})
    monkeypatch.chdir(tmp_path)
    assert [(d.id, d.file) for d in load_corpus("c").documents] == [("A", "c/a.txt")]
    monkeypatch.chdir(tmp_path / "c")
    assert [(d.id, d.file) for d in load_corpus(".").documents] == [("A", "a.txt")]
    assert [(d.id, d.file) for d in load_corpus("a.txt").documents] == [("A", "a.txt")]


def test_a_glob_reads_what_matches_and_names_it_from_its_fixed_part(tmp_path: Path) -> None:
    write(tmp_path / "c" / "x" / "y", a__md="a", b__txt="b")
    write(tmp_path / "c", top__md="t", locked__pdf="not matched, so not read")
    assert ids(load_corpus(tmp_path / "c" / "*.md")) == ["top.md"]
    assert ids(load_corpus(tmp_path / "c" / "**" / "*.md")) == ["top.md", "x/y/a.md"]
    assert ids(load_corpus(str(tmp_path / "c" / "?" / "y" / "[ab].*"))) == ["x/y/a.md", "x/y/b.txt"]
    assert ids(load_corpus(tmp_path / "c" / "x" / "**")) == ["y/a.md", "y/b.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    write(tmp_path, **{"a[1]__txt": "one", "a1__txt": "other"})
    jsonl(
        tmp_path / "docs.jsonl",
        {"_id": "A", "file": "a[1].txt"},
        {"_id": "B", "file": "a1.txt"},
        {"_id": "C", "file": "gone.txt"},
    )
    corpus = load_corpus(tmp_path / "a[1].txt")
    assert [(d.id, d.text) for d in corpus.documents] == [("A", "one")]
    assert corpus.problems == ()


def test_docs_jsonl_gives_ids_titles_and_metadata(tmp_path: Path) -> None:
    write(tmp_path / "c" / "sub", a__txt="a", b__txt="b")
    write(tmp_path / "c", loose__md="intro\n\n# Loose *one* #\n")
    jsonl(
        tmp_path / "c" / "docs.jsonl",
        {"_id": 7, "file": "./sub/a.txt", "title": "A", "meta": {"version": 2}},
        {"_id": "b", "file": "sub/b.txt", "title": None, "metadata": {"superseded": True}},
        {"_id": "elsewhere", "file": "../other/x.txt"},
    )
    corpus = load_corpus(tmp_path / "c")
    assert [(d.id, d.title, d.metadata) for d in corpus.documents] == [
        ("7", "A", {"version": 2}),
        ("b", "", {"superseded": True}),
        ("loose.md", "Loose *one*", {}),
    ]
    assert corpus.problems == ()


def test_the_folder_s_own_docs_jsonl_goes_before_its_parent_s(tmp_path: Path) -> None:
    write(tmp_path / "c", a__txt="a")
    jsonl(tmp_path / "docs.jsonl", {"_id": "parent", "file": "c/a.txt"})
    assert ids(load_corpus(tmp_path / "c" / "*.txt")) == ["parent"]
    jsonl(tmp_path / "c" / "docs.jsonl", {"_id": "own", "file": "a.txt"})
    assert ids(load_corpus(tmp_path / "c")) == ids(load_corpus(tmp_path / "c" / "a.txt")) == ["own"]


def test_listed_files_that_are_not_read_are_problems_at_their_line(tmp_path: Path) -> None:
    write(tmp_path / "c", a__txt="a", data__csv="1")
    docs = jsonl(
        tmp_path / "docs.jsonl",
        {"_id": "a", "file": "c/a.txt"},
        {"_id": "gone", "file": "c/gone.txt"},
        {"_id": "data", "file": "c/data.csv"},
        {"_id": "outside", "file": "d/gone.txt"},
    )
    corpus = load_corpus(tmp_path / "c")
    assert ids(corpus) == ["a"]
    assert [p.file for p in corpus.problems] == [f"{docs}:2", f"{docs}:3"]
    assert "'c/gone.txt'" in corpus.problems[0].message
    assert "is missing" in corpus.problems[0].message
    assert "kind that is not read" in corpus.problems[1].message
    assert load_corpus(tmp_path / "c" / "a*").problems == ()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("no heading", ""),
        ("x\n## Two ##\n# One", "Two"),
        ("```\n# comment\n```\n# Real", "Real"),
        ("#hashtag\n\n# C#\r\n", "C#"),
        ("x" * 20_000 + "\n# far too late", ""),
        ("# Old\rtext\r", "Old"),
    ],
)
def test_the_title_is_the_first_heading_where_nothing_else_says(tmp_path: Path, text: str, title: str) -> None:
    assert load_corpus(write(tmp_path, a__md=text) / "a.md").documents[0].title == title


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_text_files_round_trip_exactly(tmp_path: Path, text: str) -> None:
    assume(text.count("\0") < 4)  # with more it may be UTF-16, or no text
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    expected = text.removeprefix("\ufeff")
    assert load_corpus(path).documents[0].text == expected
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_corpus(path).documents[0].text == text


def test_line_ends_are_kept(tmp_path: Path) -> None:
    assert load_corpus(write(tmp_path, a__txt=b"a\r\nb\rc\n") / "a.txt").documents[0].text == "a\r\nb\rc\n"


# One document that cannot be read.


def with_good_neighbour(folder: Path, **contents: str | bytes) -> Corpus:
    corpus = load_corpus(write(folder, good__txt="good", **contents))
    assert ids(corpus) == ["good.txt"]
    return corpus


def test_latin_1_is_a_problem_with_its_byte(tmp_path: Path) -> None:
    message = problem(with_good_neighbour(tmp_path, bad__txt="caffè".encode("latin-1")))
    assert str(tmp_path / "bad.txt") in message
    assert "not UTF-8" in message
    assert "at byte 4" in message
    assert "iconv" in message


def test_utf_16_is_a_problem_that_names_it(tmp_path: Path) -> None:
    assert "UTF-16" in problem(with_good_neighbour(tmp_path, bad__txt="text".encode("utf-16")))


def test_a_truncated_pdf_is_a_problem(tmp_path: Path) -> None:
    assert "cut short" in problem(with_good_neighbour(tmp_path, bad__pdf=b"%PDF-1.7\n1 0 obj\n<<"))


def test_what_is_no_zip_archive_is_a_problem(tmp_path: Path) -> None:
    assert "no whole zip archive" in problem(with_good_neighbour(tmp_path, bad__docx=b"PK\x03\x04 and then nothing"))


def test_a_folder_named_like_a_document_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path / "x.pdf", inner__txt="inner")
    assert "is a folder" in problem(with_good_neighbour(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_never_block(tmp_path: Path) -> None:
    for name in ("pipe.txt", "pipe.bin"):
        os.mkfifo(tmp_path / name)
    corpus = with_good_neighbour(tmp_path)
    assert "pipe or a device" in problem(corpus)
    assert corpus.skipped == {".bin": 1}
    os.mkfifo(tmp_path / "corpus.jsonl")
    with pytest.raises(InputError, match="not a regular file"):
        load_corpus(tmp_path)


def test_symbolic_links_are_followed_and_loops_reported(tmp_path: Path) -> None:
    write(tmp_path / "c" / "sub", a__txt="a")
    write(tmp_path / "elsewhere", b__txt="b")
    (tmp_path / "c" / "sub" / "up").symlink_to(tmp_path / "c", target_is_directory=True)
    (tmp_path / "c" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "c" / "self.txt").symlink_to("self.txt")
    (tmp_path / "c" / "dangling.txt").symlink_to("nowhere")
    for path in (tmp_path / "c", tmp_path / "c" / "**" / "*.txt"):
        corpus = load_corpus(path)
        assert ids(corpus) == ["linked/b.txt", "sub/a.txt"]
        messages = {Path(p.file).name: p.message for p in corpus.problems}
        assert set(messages) == {"up", "self.txt", "dangling.txt"}
        assert "leads back" in messages["up"]
        assert "leads back" in messages["self.txt"]
        assert "link to nothing" in messages["dangling.txt"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, locked__txt="x")
    write(tmp_path / "closed", a__txt="a")
    (tmp_path / "locked.txt").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        corpus = load_corpus(write(tmp_path, good__txt="good"))
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert ids(corpus) == ["good.txt"]
    assert [Path(p.file).name for p in corpus.problems] == ["closed", "locked.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_a_name_that_is_not_utf_8_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    message = problem(with_good_neighbour(tmp_path))
    assert "name that is not UTF-8" in message
    message.encode()


def test_a_file_over_the_limit_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    assert "limit" in problem(with_good_neighbour(tmp_path, big__txt="x" * 11))
    jsonl(tmp_path / "corpus.jsonl", {"_id": "a", "text": "longer than the limit"})
    assert ids(load_corpus(tmp_path)) == ["a"]


def test_where_no_document_is_left_the_first_reason_is_told(tmp_path: Path) -> None:
    write(tmp_path, a__txt=b"\xff", b__txt=b"\xff")
    with pytest.raises(InputError, match=r"2 failed.*a\.txt.*at byte 0"):
        load_corpus(tmp_path)


def test_a_missing_package_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    write(tmp_path, a__txt="a", b__pdf="x")
    with pytest.raises(MissingExtra, match=r"ragdiag\[docs\]"):
        load_corpus(tmp_path)


# Nothing to read.


def test_nothing_there_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, data__csv="1", sub__md="x")
    (tmp_path / "empty").mkdir()
    for path, match in [
        ("gone", "no such file or folder"),
        ("gone/*.md", "no such file or folder"),
        ("*.pdf", "holds no documents"),
        ("empty", r"holds no documents.*\.md"),
        ("*.csv", r"only 1 \.csv"),
        ("data.csv", r"kind that is not read \(\.csv\)"),
        ("nul\0byte", "no such file"),
    ]:
        with pytest.raises(InputError, match=match):
            load_corpus(tmp_path / path)


# corpus.jsonl


def test_a_record_without_a_text_is_its_title_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    records = [
        {"_id": "a", "title": "Cats eat", "text": " "},
        {"_id": "b", "title": "Dogs", "text": "Dogs sleep."},
        {"_id": "c", "title": "", "text": ""},
        {"_id": "d", "text": ""},
    ]
    corpus = load_corpus(jsonl(tmp_path / "corpus.jsonl", *records, records[0]))
    assert [(d.text, d.title) for d in corpus.documents] == [("Cats eat", ""), ("Dogs sleep.", "Dogs"), ("", ""), ("", "")]
    assert "1 documents without a text: their title is taken as their text" in caplog.text
    assert "2 documents have neither text nor title: nothing can find them" in caplog.text


def test_corpus_jsonl_and_beir_folders(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "corpus.jsonl",
        {"_id": "b", "title": "B", "text": "x\r\n\u2028y", "metadata": {"n": 1}},
        {"_id": 3, "text": "", "title": None, "extra": 1},
        {"_id": "c", "text": "intro\n# Head\n", "title": ""},
        {"_id": "b", "title": "B", "text": "x\r\n\u2028y", "metadata": {"n": 1}},
    )
    write(tmp_path, queries__jsonl="not read", readme__md="not read")
    corpus = load_corpus(tmp_path)
    assert corpus == load_corpus(path)
    assert [(d.id, d.title, d.text, d.metadata, d.file) for d in corpus.documents] == [
        ("3", "", "", {}, str(path)),
        ("b", "B", "x\r\n\u2028y", {"n": 1}, str(path)),
        ("c", "Head", "intro\n# Head\n", {}, str(path)),
    ]


def test_a_bom_and_blank_lines_are_allowed_in_corpus_jsonl(tmp_path: Path) -> None:
    write(tmp_path, corpus__jsonl=b'\xef\xbb\xbf{"_id": "a", "text": "x"}\r\n\n  \n{"_id": "b", "text": "y"}')
    assert [d.text for d in load_corpus(tmp_path).documents] == ["x", "y"]


GOOD = b'{"_id": "a", "text": "x"}\n'


@pytest.mark.parametrize(
    ("second", "match"),
    [
        (b'{"_id": "b", "text": "y"', "broken JSON"),
        (b'{"_id": "b", "text": "y", "metadata": {"n": NaN}}', "NaN"),
        (b'{"_id": "b", "_id": "c", "text": "y"}', "stands twice"),
        (b'{"text": "y"}', "'_id' is missing"),
        (b'{"_id": "b"}', "'text' is missing"),
        (b'{"_id": "b", "text": null}', "'text' must be str"),
        (b'{"_id": true, "text": "y"}', "'_id' must be"),
        (b'{"_id": 1.5, "text": "y"}', "'_id' must be"),
        (b'{"_id": " ", "text": "y"}', "'_id' is empty"),
        (b'{"_id": "b", "text": "y", "title": 1}', "'title' must be str"),
        (b'{"_id": "b", "text": "y", "metadata": []}', "'metadata' must be dict"),
        (b'{"_id": "a", "text": "other"}', "another document, on line 1"),
        (b"[1]", "object is expected"),
        (b'{"_id": "b", "text": "\\ud83d"}', "surrogate"),
        (b'{"_id": "b", "text": "caf\xe9"}', f"at byte {len(GOOD) + 25}: is not UTF-8"),
    ],
)
def test_a_broken_corpus_jsonl_is_an_error_at_its_line(tmp_path: Path, second: bytes, match: str) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(GOOD + second + b"\n")
    with pytest.raises(InputError, match=match) as caught:
        load_corpus(tmp_path)
    assert str(caught.value).startswith(f"{path}:2")


def test_a_utf_16_or_empty_corpus_jsonl_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, corpus__jsonl="{}".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-16"):
        load_corpus(tmp_path)
    write(tmp_path, corpus__jsonl="\n")
    with pytest.raises(InputError, match="holds no documents"):
        load_corpus(tmp_path)


def test_escaped_surrogate_pairs_are_characters(tmp_path: Path) -> None:
    write(tmp_path, corpus__jsonl=b'{"_id": "a", "text": "\\ud83d\\ude00"}')
    assert load_corpus(tmp_path).documents[0].text == "😀"


# docs.jsonl that is wrong


@pytest.mark.parametrize(
    ("records", "match"),
    [
        ([{"_id": "x", "file": "a.txt"}, {"_id": "y", "file": "./a.txt"}], "listed on line 1 already"),
        ([{"_id": "x", "file": "a.txt"}, {"_id": "x", "file": "b.txt"}], "stands on line 1 already"),
        ([{"_id": "x", "file": "a.txt"}, {"_id": "y"}], "'file' is missing"),
        ([{"_id": "x", "file": "a.txt"}, {"_id": "", "file": "b.txt"}], "'_id' is empty"),
    ],
)
def test_a_broken_docs_jsonl_is_an_error_at_its_line(tmp_path: Path, records: list[object], match: str) -> None:
    docs = jsonl(write(tmp_path, a__txt="a", b__txt="b") / "docs.jsonl", *records)
    with pytest.raises(InputError, match=match) as caught:
        load_corpus(tmp_path)
    assert str(caught.value).startswith(f"{docs}:2: ")


def test_two_files_may_not_share_an_id(tmp_path: Path) -> None:
    jsonl(write(tmp_path, a__txt="a", b__txt="b") / "docs.jsonl", {"_id": "b.txt", "file": "a.txt"})
    with pytest.raises(InputError, match="has the id of"):
        load_corpus(tmp_path)


# progress


def test_progress_reaches_its_total(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    write(tmp_path / "files", a__txt="a", b__txt="b")
    load_corpus(tmp_path / "files", progress=lambda *call: calls.append(call))
    assert [c[1:] for c in calls] == [(1, 2), (2, 2)]
    calls.clear()
    path = jsonl(tmp_path / "corpus.jsonl", {"_id": "a", "text": "a"})
    load_corpus(path, progress=lambda *call: calls.append(call))
    assert calls[-1][1] == calls[-1][2] == path.stat().st_size
