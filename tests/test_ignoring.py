"""What of a folder is left out unread: by .gitignore as git itself has it, by --exclude, and folders of packages."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Corpus
from ragdiag.sources.corpus import load_corpus


def tree(root: Path, *files: str, **ignored: str) -> Path:
    """Files that hold their own path, and ``.gitignore`` files by folder (``top`` is the root)."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for folder, patterns in ignored.items():
        place = root if folder == "top" else root / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / ".gitignore").write_text(patterns)
    return root


def ids(corpus: Corpus) -> list[str]:
    return [d.id for d in corpus.documents]


PATTERNS = [
    *"a/ *.txt !keep.txt /b/ b/* !b/keep.txt **/c c/** /a/b a/**/c ?.md [ab].md !*/ * /* !/a a *.md !*.md a/b/*.txt".split(),
    *"**/keep.txt a[!b]c [a-c] !b/** *.t[!y]t ** k*p.txt [ []a].md b/**/c/ !c/** a**b.md /**/b [[:alpha:]].md \\*.md".split(),
    *("", "# c", r"\#x.md", "x y.md", "b /", " a/", r"x\ y.md", "a.md ", "a.md\r"),
]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git, whose verdict is the truth here")
@pytest.mark.parametrize("seed", range(12))
def test_gitignore_is_read_as_git_reads_it(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    root = tmp_path / "corpus"
    for folder in [(), *((x,) for x in "abc"), *((x, y) for x in "abc" for y in "abc"), ("a", "b", "c"), ("b", "b", "a")]:
        for name in ("keep.txt", "a.md", "b.md", "x y.md", "z.txt", "#x.md"):
            if draw.random() < 0.7:
                tree(root.joinpath(*folder), name)
        if draw.random() < 0.35:
            tree(root.joinpath(*folder), top="\n".join(draw.sample(PATTERNS, 3)) + "\n")
    tree(root, "certain.rst")  # so that something is left
    tree(root / "b", top="!certain.rst\n" + "\n".join(draw.sample(PATTERNS, 2)))
    tree(tmp_path, top=draw.choice(PATTERNS))
    command = ["git", "-C", str(root), "ls-files", "-o", "-z", "--exclude-per-directory=.gitignore"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    expected = sorted(name for name in listed if name and not name.endswith(".gitignore"))
    if expected:
        corpus = load_corpus(root)
        assert ids(corpus) == expected
        left_out = sum(p.suffix in (".txt", ".md", ".rst") for p in root.rglob("*")) - len(expected)
        noted = [note for note in corpus.notes if "by .gitignore" in note]
        assert [int(note.split()[0]) for note in noted] == ([left_out] if left_out else [])


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    root = tree(tmp_path / "c", "a.md", "draft.md", "old/b.md", "old/c.txt", "old/table.csv", top="old/\n")
    corpus = load_corpus(root, exclude=["draft*"])
    assert ids(corpus) == ["a.md"]
    assert corpus.notes == (
        "1 document is left out by --exclude",
        "2 documents are left out by .gitignore (--exclude '!*' reads what it leaves out)",
    )
    assert ids(load_corpus(root, exclude=["!*"])) == ["a.md", "draft.md", "old/b.md", "old/c.txt"]
    assert ids(load_corpus(root, exclude=["!old/", "*.txt"])) == ["a.md", "draft.md", "old/b.md"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["sub/"], ["a.md", "b.html.md", "sub.md"]),
        (["/a.md"], ["b.html.md", "sub.md", "sub/a.md", "sub/deep/b.txt"]),
        (["./a.md"], ["b.html.md", "sub.md", "sub/a.md", "sub/deep/b.txt"]),
        (["a.md"], ["b.html.md", "sub.md", "sub/deep/b.txt"]),
        (["*.md", "!b*"], ["b.html.md", "sub/deep/b.txt"]),
        (["sub/**/b.txt", "sub.md"], ["a.md", "b.html.md", "sub/a.md"]),
        (["sub/*", "!sub/a.md"], ["a.md", "b.html.md", "sub.md", "sub/a.md"]),
    ],
)
def test_exclude_has_the_patterns_of_gitignore(tmp_path: Path, exclude: list[str], left: list[str]) -> None:
    root = tree(tmp_path / "c", "a.md", "b.html.md", "sub.md", "sub/a.md", "sub/deep/b.txt")
    corpus = load_corpus(root, exclude=exclude)
    assert ids(corpus) == left
    assert not [note for note in corpus.notes if "matches nothing" in note]


def test_a_pattern_that_matches_nothing_is_told(tmp_path: Path) -> None:
    root = tree(tmp_path / "docs", "a.md", "drafts/b.md")
    (note,) = load_corpus(root, exclude=["docs/drafts/"]).notes
    assert note.startswith("--exclude 'docs/drafts/' matches nothing")
    records = tmp_path / "corpus.jsonl"
    records.write_text('{"_id": "a", "text": "x"}\n')
    assert len(load_corpus(records, exclude=["*.md"]).notes) == 1
    for broken in ("[", "", "# x", "a\\", "!"):
        with pytest.raises(UsageError, match=r"is no pattern of \.gitignore"):
            load_corpus(root, exclude=[broken])


def test_the_files_of_folders_above_count_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    tree(tmp_path, "repo/docs/en/a.md", "repo/docs/en/a.txt", "repo/docs/en/a.rst", repo="*.txt\n", top="*.rst\n")
    root = tmp_path / "repo" / "docs" / "en"
    assert ids(load_corpus(root)) == ["a.md", "a.rst", "a.txt"]  # no repository
    (tmp_path / "repo" / ".git").mkdir()
    assert ids(load_corpus(root)) == ids(load_corpus(root / "*")) == ["a.md", "a.rst"]


@pytest.mark.parametrize("patterns", ["data/\n", "docs/data\n", "/docs/\n"])
def test_an_ignored_folder_that_is_named_is_read(tmp_path: Path, patterns: str) -> None:
    tree(tmp_path, "docs/data/a.md", "docs/data/x.txt", ".git/config", top=patterns + "*.txt\n")
    corpus = load_corpus(tmp_path / "docs" / "data")
    assert (ids(corpus), corpus.notes) == (["a.md", "x.txt"], ())


def test_where_all_is_ignored_all_is_read_and_that_is_said(tmp_path: Path) -> None:
    tree(tmp_path, "data/a.md", "data/sub/b.md", ".git/config", top="data/*\n!data/README\n")
    corpus = load_corpus(tmp_path / "data", exclude=["sub/"])
    assert ids(corpus) == ["a.md"]
    assert corpus.notes[0] == ".gitignore would leave out every document here: they are read all the same"


def test_a_file_that_is_named_is_read(tmp_path: Path) -> None:
    root = tree(tmp_path / "c", "a.md", "node_modules/b.md", ".hidden.md", top="a.md\n")
    for name in ("a.md", "node_modules/b.md", ".hidden.md"):
        assert len(load_corpus(root / name, exclude=["*.md"]).documents) == 1
    (root / "docs.jsonl").write_text('{"_id": "A", "file": "a.md"}\n{"_id": "B", "file": "node_modules/b.md"}\n')
    assert ids(load_corpus(root)) == ["A", "B"]
    excluded = load_corpus(root, exclude=["a.md"])
    assert (ids(excluded), excluded.problems) == (["B"], ())


def test_packages_are_never_read_unless_they_are_named(tmp_path: Path) -> None:
    packages = ["node_modules/p/README.md", "node_modules/.pnpm/q/README.md", "env/lib/site-packages/r.txt", "env/pyvenv.cfg"]
    root = tree(tmp_path / "c", "a.md", "vendor/terms.md", *packages)
    corpus = load_corpus(root, exclude=["!*"])
    assert ids(corpus) == ["a.md", "vendor/terms.md"]
    assert [note.partition(",")[0] for note in corpus.notes] == [
        "1 document is left out in env",
        "2 documents are left out in node_modules",
    ]
    assert ids(load_corpus(root / "node_modules")) == ["p/README.md"]
    assert ids(load_corpus(root / "node_modules" / "*" / "*.md")) == ["p/README.md"]
    assert ids(load_corpus(f"{tmp_path}/*/node_modules/**/*.md")) == ["c/node_modules/p/README.md"]
    (root / "a.md").unlink()
    (root / "vendor" / "terms.md").unlink()
    with pytest.raises(InputError, match=r"holds no documents; 1 document is left out in env"):
        load_corpus(root)


def test_packages_that_link_to_one_another_take_no_time(tmp_path: Path) -> None:
    tree(tmp_path, "a.md")
    names = [f"p{i}" for i in range(9)]
    for name in names:
        inner = tmp_path / "node_modules" / name / "node_modules"
        inner.mkdir(parents=True)
        for other in names:
            (inner / other).symlink_to(tmp_path / "node_modules" / other)  # followed, these are 9! ways
    assert ids(load_corpus(tmp_path)) == ["a.md"]


def test_a_gitignore_that_is_no_file_says_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.md", "b.md", ".gitignore/x")
    assert ids(load_corpus(root)) == ["a.md", "b.md"]
    tree(root / "s", "c.md", top="\ufeff*.md\n[\n")  # a mark in front is none of the pattern; what is broken matches nothing
    assert ids(load_corpus(root)) == ["a.md", "b.md"]
