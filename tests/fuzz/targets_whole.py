"""Whole commands on a folder that somebody changed: status 0, 1 or 2 with a line, and reports that hold nothing but data."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from targets import TEXTS, Target, fresh
from targets_documents import HTML, MARKDOWN
from targets_questions import OWN, lines
from targets_recorded import ANSWERS, CHUNKS, RUN

from ragdiag.core.errors import UsageError

SCRIPTS = re.compile(r"PWNED|javascript:", re.IGNORECASE)


class Loads(HTMLParser):
    """What a page would load, run or send."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("iframe", "object", "embed", "base", "img", "link"):
            self.found.append(tag)
        self.found += [
            f"{name}={value}"
            for name, value in attrs
            if name.startswith("on") or name in ("src", "srcdoc", "action", "formaction")
        ]
        self.found += [str(value) for name, value in attrs if name == "href" and not str(value).startswith("#")]


def command(name: str, *arguments: str) -> Callable[[bytes, Path], object]:
    """A command in a folder in which the file of that name is changed."""

    def run(data: bytes, folder: Path) -> object:
        from click.testing import CliRunner

        from ragdiag.cli import main

        with fresh(folder) as own:
            for path, content in FILES.items():
                (own / path).parent.mkdir(exist_ok=True)
                (own / path).write_bytes(data if path == name else content)
            given = [
                str(own / each) if each.split("=")[-1] in (*FILES, "corpus", "r.json", "r.html", "r.md") else each
                for each in arguments
            ]
            result = CliRunner().invoke(main, given, prog_name="ragdiag")
            pages = [path.read_text("utf-8") for path in (own / "r.html",) if path.exists()]
            if (own / "r.json").exists():
                json.loads((own / "r.json").read_text("utf-8"))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in (0, 1, 2), result.output
        assert "this is a bug" not in result.output, result.output
        assert "\x1b" not in result.output
        for page in pages:
            reader = Loads()
            reader.feed(page)
            assert not reader.found, reader.found
        if result.exit_code == 2:
            assert result.stderr.startswith(("error: ", "note: ")), result.stderr
            raise UsageError(result.stderr.strip().splitlines()[-1])
        return f"status {result.exit_code}"

    return run


FILES = {
    "corpus/alpha.txt": TEXTS["alpha.txt"].encode(),
    "corpus/beta.md": TEXTS["beta.md"].encode(),
    "corpus/gamma.md": MARKDOWN,
    "corpus/delta.html": HTML,
    "queries.jsonl": lines(OWN[:3]),
    "answers.jsonl": lines([ANSWERS[0], {**ANSWERS[0], "condition": "retrieved", "answer": "60 bar", "correct": None}]),
    "run.jsonl": lines(RUN[:2]),
    "chunks.jsonl": lines(CHUNKS[:2]),
}
AUDIT = ("audit", "corpus", "queries.jsonl", "--retriever", "bm25", "--no-cache", "--json", "r.json", "--html", "r.html")
SCRIPT = (
    b"<script>PWNED</script>",
    b'"><img src=x onerror=PWNED>',
    b"javascript:PWNED",
    b"</script>",
    b"<!--",
    b"{{7*7}}",
    b"\x1b]0;PWNED\x07",
    b"\xe2\x80\xae",
)


def whole(name: str, what: str, *more: str) -> Target:
    return Target(f"audit: {what}", lambda: [FILES[name]], command(name, *AUDIT, *more), SCRIPT, 0.15, most=20_000)


TARGETS = [
    whole("corpus/gamma.md", "a document"),
    whole("corpus/delta.html", "a page"),
    whole("queries.jsonl", "the queries"),
    whole("run.jsonl", "a run", "--run", "run.jsonl")._replace(
        run=command("run.jsonl", *(a for a in AUDIT if a not in ("--retriever", "bm25")), "--run", "run.jsonl")
    ),
    whole("chunks.jsonl", "chunks", "--chunks", "chunks.jsonl"),
    Target(
        "litmus: answers",
        lambda: [FILES["answers.jsonl"]],
        command(
            "answers.jsonl",
            "litmus",
            "queries.jsonl",
            "--corpus",
            "corpus",
            "--retriever",
            "bm25",
            "--no-cache",
            "--answers",
            "answers.jsonl",
            "--json",
            "r.json",
        ),
        SCRIPT,
        0.15,
        most=20_000,
    ),
]
