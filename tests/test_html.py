"""The report as a page: what it says, that nothing of a corpus acts in it, that it needs nothing else, what one does with it."""

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.answering.litmus import answered
from ragdiag.answering.verdict import Litmus
from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.options import Judging, Options
from ragdiag.core.records import Mean
from ragdiag.explain import explanations
from ragdiag.pipeline import Audit, run_audit
from ragdiag.reports.html.audit import audit_html, litmus_html
from ragdiag.reports.html.by_query import COLUMNS, HOLDERS, MOST, ByQuery, by_query
from ragdiag.reports.html.charts import Curve, curves_plot, frame, heat_map, plot
from ragdiag.reports.html.compare import compare_html
from ragdiag.reports.html.page import TEMPLATES, _environment, embedded
from ragdiag.reports.html.queries import _cap, _shifted, _units
from ragdiag.reports.html.text import Grid, Span, blocks, spans
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.terminal import audit_text
from ragdiag.reports.text import line

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[1] / "fixtures"
TIDEWATER = FIXTURES / "tidewater"
CORPUS, QUERIES = str(TIDEWATER / "corpus"), str(TIDEWATER / "queries.jsonl")
BM25 = Options(retriever="bm25", cache=None)

ATTACKS = (
    "</script><script>alert('script')</script>",
    "<!--<script>alert('comment')",
    '"><img src=x onerror=alert("image")>',
    "javascript:alert('link')",
    "<svg/onload=alert('svg')>",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(1)",
    "a\x00b\x1b[31mred\x07",
    "safe\u202egnp.exe\u2066\u2028next",
    "&lt;b&gt; ]]> \\u003c/script>",
)


class Parsed(HTMLParser):
    """Elements with their attributes, and the text inside each script, style and title; text outside them by itself."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._in = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag if tag in ("script", "style", "title") else self._in
        if self._in == tag:
            self.raw.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self._in = "" if tag == self._in else self._in

    def handle_data(self, data: str) -> None:
        if self._in:
            tag, text = self.raw.pop()
            self.raw.append((tag, text + data))
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        scripts = self.all("script")
        texts = [text for tag, text in self.raw if tag == "script"]
        read: dict[str, Any] = json.loads(texts[[s.get("id") for s in scripts].index("data")])
        return read


def hostile(folder: Path) -> tuple[str, str]:
    """A corpus, and queries about it, in which every text and id is an attack."""
    documents, queries = [], []
    for i, attack in enumerate(ATTACKS):
        passage = f"Valve {i} {attack} takes {i + 20} Nm"
        documents.append({"_id": f"{attack}-{i}", "title": attack, "text": f"Intro {attack}.\n\n{passage}. End {attack}."})
        asked = {"_id": f"{attack}?{i}", "text": f"how many Nm does valve {i} take {attack}", "answer": attack}
        queries.append(asked | {"evidence": [{"doc_id": f"{attack}-{i}", "text": passage}]})
    documents.append({"_id": "long", "title": "", "text": "x" * 10_000_000})
    queries.append({"_id": "long", "text": "valve?", "evidence": [{"doc_id": "long", "start": 0, "end": 10_000_000}]})
    queries.append({"_id": "lost", "text": ATTACKS[0], "evidence": [{"doc_id": "nowhere", "text": ATTACKS[2]}]})
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(folder / "corpus.jsonl"), str(folder / "queries.jsonl")


def written(audit: Audit, litmus: Litmus | None = None) -> str:
    """An audit's page."""
    return audit_html(audit.report, explanations(audit), litmus)


@pytest.fixture(scope="module")
def audit() -> Audit:
    return run_audit(CORPUS, QUERIES, BM25)


@pytest.fixture(scope="module")
def page(audit: Audit) -> str:
    return written(audit)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(run_audit(*hostile(tmp_path_factory.mktemp("hostile")), BM25))


@pytest.fixture(scope="module")
def compared() -> Any:
    return compare(CORPUS, QUERIES, chunkers=["sentence", "sentence(size=80)"], retrievers=["bm25", "lsa"], cache=None)


# What it says


def shown(renderable: Any) -> list[str]:
    """What the terminal shows, stretch by stretch."""
    found = list(blocks([renderable]))
    cells = [cell for each in found for cell in ([c for row in each.rows for c in row] if isinstance(each, Grid) else [each])]
    return [span.text for cell in cells for span in cell]


def test_the_page_says_what_the_terminal_says(audit: Audit, page: str) -> None:
    parsed = Parsed(page)
    served = sum(q.served is True for q in audit.report.queries)
    total = served + sum(q.served is False for q in audit.report.queries)
    assert f"{served} of {total} queries get all their evidence in their context" in parsed.text
    for name, mean in audit.report.measures.items():
        assert mean.mean is None or f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]" in parsed.text, name
    hints = {cause: {cause in q.residual for q in audit.report.queries if cause in q.causes} for cause in audit.report.causes}
    assert {len(kinds) for kinds in hints.values()} == {1, 2}
    for cause, share in audit.report.causes.items():
        assert share.mean is not None and share.low is not None and share.high is not None
        # Proved for some and a hint for others, it has two rows, and a share of neither.
        shown_share = f"{share.mean:.0%} [{100 * share.low:.0f}–{100 * share.high:.0f}]" in parsed.text
        assert shown_share or len(hints[cause]) == 2
        assert any(a.get("href") == f"#cause={cause}" for a in parsed.all("a"))
    from rich.text import Text

    for part in audit_text(audit.report).renderables:  # type: ignore[attr-defined]
        if isinstance(part, Text) and "Fix this first" not in part.plain and not part.plain.startswith("ragdiag"):
            for said in part.plain.split("\n"):
                assert " ".join(said.split()) in " ".join(parsed.text.split()) or said.startswith("Sufficient@"), said


def test_verdict_fixes_measures_and_queries_stand_in_this_order_under_headings(page: str) -> None:
    parsed = Parsed(page)
    assert [s.get("id") for s in parsed.all("section")] == ["verdict", "fix", "look", "measures", "troubles", "queries"]
    named = {a["id"] for _, a in parsed.elements if a.get("id")}
    assert all(s.get("aria-labelledby") in named for s in parsed.all("section"))
    assert {tag for tag, _ in parsed.elements} >= {"header", "main", "nav", "footer", "h1", "h2"}
    assert len(parsed.all("h1")) == 1
    assert all(th.get("scope") for th in parsed.all("th"))
    assert all(a["href"].lstrip("#") in named for a in parsed.all("a") if a["href"] and "=" not in a["href"])  # type: ignore[union-attr]
    for control in ("input", "select"):
        assert parsed.all(control)  # each inside a label: no id is needed


def test_every_query_is_there_with_its_story(audit: Audit, page: str) -> None:
    data = Parsed(page).data
    assert [q["id"] for q in data["queries"]] == [q.id for q in audit.report.queries]
    split = next(q for q in data["queries"] if q["id"] == "tw-12")
    (group,) = split["evidence"]
    left, right = group["text"][: group["cuts"][0]], group["text"][group["cuts"][0] :]
    assert left.rstrip().endswith("is tripled.")
    assert right.lstrip().startswith("A week that includes Christmas Day")
    assert [rank for _, rank, _ in group["pieces"]] == [q.rank for q in _ranks(audit, "tw-12")]
    names = [name for name, _ in split["why"][0]["rows"]]
    assert {"changed", "result", "control", "fix"} <= set(names)
    before, after = split["why"][0]["ranks"]
    assert after <= data["k"] < (before or 10**9)
    for place, _, _, grade, _, marks in split["ranking"]:
        assert bool(marks) == bool(grade), "what holds evidence shows where"
        for start, end in zip(marks[::2], marks[1::2], strict=True):
            assert data["chunks"][place][1][start:end].strip() in group["text"]


def _ranks(audit: Audit, query: str) -> list[Any]:
    """The pieces of a query's evidence by its own ranking, worked out without the page's code."""
    q = [each.id for each in audit.labels.queries].index(query)
    evidence, chunking = audit.labels.evidence, audit.scorer.chunking
    (row,) = (evidence.query == q).nonzero()[0]
    inside = (chunking.document == evidence.document[row]) & (chunking.start < evidence.end[row])
    held = (inside & (chunking.end > evidence.start[row])).nonzero()[0].tolist()
    ranking = audit.run.chunks[q].tolist()
    return [dataclasses.make_dataclass("Piece", ["rank"])(ranking.index(c) + 1 if c in ranking else None) for c in held]


def test_queries_are_in_the_order_to_look_at_them(audit: Audit, page: str) -> None:
    data = Parsed(page).data
    first = [data["queries"][i] for i in data["first"]]
    assert sorted(data["first"]) == list(range(len(data["queries"])))
    unserved = [q["served"] is False for q in first]
    assert unserved == sorted(unserved, reverse=True)
    linked = [a["href"] for a in Parsed(page).all("a") if (a["href"] or "").startswith("#q=")]
    assert linked == [f"#q={q['id']}" for q in first[: len(linked)]]


def test_with_answers_the_litmus_test_stands_at_the_top(audit: Audit) -> None:
    found = answered(audit.labels.queries, [str(TIDEWATER / "answers.jsonl")], audit, BM25, Judging())
    for made in (written(audit, found), litmus_html(found)):
        text = Parsed(made).text
        for said in shown(litmus_text(found))[1:]:
            assert " ".join(said.split()) in text
        assert found.verdict.kind in text
    data = Parsed(written(audit, found)).data
    assert [q["answers"][0] for q in data["queries"]] == [None if v != v else v for v in found.outcomes.right.tolist()]
    assert "Not measured" in Parsed(written(audit)).text


def test_the_comparison_has_map_plot_and_contrasts(compared: Any) -> None:
    parsed = Parsed(compare_html(compared, 2.5))
    assert f"{len(compared.cells)} configurations, up to {compared.pipeline['budget']} tokens of context" in parsed.text
    for i, cell in enumerate(compared.cells):
        mean = compared.means[i][compared.measure]
        assert cell.name in parsed.text
        assert f"{mean.mean:.3f} {mean.low:.3f} – {mean.high:.3f}" in re.sub(r"(?<=\d)(?=0\.\d{3} –)", " ", parsed.text)
    for contrast in compared.contrasts:
        assert f"{contrast.difference:+.3f} [{contrast.low:+.3f}, {contrast.high:+.3f}]" in parsed.text
    assert len([a for a in parsed.all("a") if "point" in (a.get("class") or "")]) >= len(compared.cells)
    assert sum(tag == "title" for tag, _ in parsed.raw) > len(compared.cells)  # a tooltip a point


def test_the_map_and_the_plot_are_in_proportion(compared: Any) -> None:
    heat = heat_map(compared)
    assert heat.columns == ["bm25", "lsa"]
    cells = [c for _, row in heat.rows for c in row if c]
    assert sorted(c.place for c in cells) == list(range(4))
    by_mean = sorted(cells, key=lambda c: c.mean)
    assert [c.tone for c in by_mean] == sorted(c.tone for c in cells)
    assert (by_mean[0].tone, by_mean[-1].tone) == (0, 5)
    points = plot(compared).points
    means = [each[compared.measure].mean for each in compared.means]
    assert [p.y for p in sorted(points, key=lambda p: means[p.place])] == sorted((p.y for p in points), reverse=True)
    for p in points:
        assert p.high <= p.y <= p.low, "up is more"
        assert p.front == (p.place in compared.pareto)


def told(comparison: Any) -> ByQuery:
    """What the page tells query by query, configurations numbered as they are given."""
    return by_query(comparison, range(1, len(comparison.cells) + 1))


def test_each_query_that_is_served_differently_says_by_whom(compared: Any) -> None:
    served = np.stack([cell.served for cell in compared.cells])
    ids = [q.id for q in compared.labels.queries]
    differ = {ids[q]: served[:, q].tolist() for q in range(len(ids)) if {0.0, 1.0} <= set(served[:, q].tolist())}
    found = told(compared)
    assert {row.id for row in found.rows} == set(differ) and len(differ) > 5
    for row in found.rows:
        assert {o.column.place: float(o.served) for o in row.outcomes} == dict(enumerate(differ[row.id]))
    assert (found.all, found.none) == (int((served == 1).all(axis=0).sum()), int((served == 0).all(axis=0).sum()))
    page = Parsed(compare_html(compared))
    turned = [(d["data-kind"], d["data-by"]) for d in page.all("details")]
    for kind, counted_by in (("won", "recovered"), ("lost", "broken")):
        for contrast in compared.contrasts:
            assert sum(k == kind and str(contrast.b) in by.split() for k, by in turned) == getattr(contrast, counted_by)  # type: ignore[union-attr]
    signs = [b["aria-label"].split(": ")[1] for b in page.all("b") if b.get("aria-label")]  # type: ignore[union-attr]
    assert signs.count("served") == sum(int(sum(row)) for row in differ.values())
    assert signs.count("not served") == sum(len(row) - int(sum(row)) for row in differ.values())


def test_passages_of_each_configuration_are_those_of_an_audit_of_it(compared: Any) -> None:
    found, checked = told(compared), 0
    for place, cell in enumerate(compared.cells[:2]):
        options = Options(
            chunker=cell.chunker, retriever=cell.retriever, budget=compared.pipeline["budget"], cache=None, swap="none"
        )
        stories = {story.query.id: story for story in explanations(run_audit(CORPUS, QUERIES, options))}
        for row in found.rows:
            for each in (t for t in row.told if t.outcome.column.place == place):
                holding = [c for c in stories[row.id].ranking if c.grade > 0]
                inside = [f"rank {c.rank}, {c.id}" for c in holding if c.in_context]
                assert [shown.at for shown in each.context] == inside[:HOLDERS]
                assert each.more == len(inside[HOLDERS:])
                below = [c for c in holding if not c.in_context]
                assert (each.below is None) == (each.outcome.served or not below)
                assert (each.instead is None) == bool(inside)
                for shown, chunk in zip(each.context, (c for c in holding if c.in_context), strict=False):
                    marked = [span.text for span in shown.text if span.kind]
                    assert marked and all(text in chunk.text for text in marked)
                    assert set("".join(marked)) <= set("".join(chunk.text[a:b] for a, b in chunk.marks))
                    checked += 1
                least = stories[row.id].result.least_k
                assert each.outcome.needs.split(",")[0] == (
                    f"needs k {least}" if least else f"not all in the first {cell.sums.shape[1]}"
                )
    assert checked >= 10


def test_evidence_is_marked_where_it_stands(tmp_path: Path) -> None:
    """Worked by hand: the evidence is 40 words into the document; chunks of 8 tokens cut it, one of 200 does not."""
    filler = " ".join(f"word{i}" for i in range(40))
    text = f"{filler}. The torque of the valve is exactly twenty newton metres. {filler}."
    (tmp_path / "c.jsonl").write_text(json.dumps({"_id": "d", "text": text}) + "\n", encoding="utf-8")
    needed = "The torque of the valve is exactly twenty newton metres."
    asked = {"_id": "q", "text": "torque of the valve", "answer": "20", "evidence": [{"doc_id": "d", "text": needed}]}
    (tmp_path / "q.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    chunkers = ["fixed(size=8, overlap=0)", "fixed(size=200)"]
    found = compare(
        tmp_path / "c.jsonl", tmp_path / "q.jsonl", chunkers=chunkers, retrievers=["bm25"], k=1, causes=False, cache=None
    )
    (row,) = told(found).rows
    assert (row.won, row.says, row.turned, row.answer) == (True, "won by 1 of 1", "1", "20")
    assert [shown.text[0].text for shown in row.evidence] == [needed]
    cut, whole = row.told
    assert "".join(span.text for span in whole.context[0].text if span.kind) == needed
    (at,) = cut.context
    marked = "".join(span.text for span in at.text if span.kind)
    assert marked and marked in needed and len(marked) < len(needed)
    assert (cut.outcome.served, whole.outcome.served, whole.outcome.held) == (False, True, "100%")
    assert cut.outcome.held not in ("", "0%", "100%")
    before = "".join(span.text for span in whole.context[0].text).split("The torque")[0]
    assert before.startswith("…word") and before[1:] in text, "words before it are whole"


def test_labelled_documents_are_named_and_their_passages_shown(tmp_path: Path) -> None:
    rows = [{"_id": f"d{i}", "text": f"{name} is kept in hall {i}. " * 3} for i, name in enumerate(("copper", "tin", "lead"))]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asked = {"_id": "q", "text": "where is copper", "relevant": [{"doc_id": "d1", "grade": 1}]}
    (tmp_path / "q.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    wrong, right = tmp_path / "wrong.jsonl", tmp_path / "right.jsonl"
    for file, document in ((wrong, "d0"), (right, "d1")):
        length = len(rows[int(document[1])]["text"])
        run = {"query_id": "q", "retrieved": [{"doc_id": document, "start": 0, "end": length}]}
        file.write_text(json.dumps(run) + "\n", encoding="utf-8")
    found = compare(tmp_path / "c.jsonl", tmp_path / "q.jsonl", runs=[wrong, right], k=1, causes=False, cache=None)
    (row,) = told(found).rows
    assert (row.documents, row.evidence, row.won) == (["d1"], [], True)
    first, second = row.told
    assert first.instead is not None and first.instead.at.startswith("rank 1, d0#") and not first.context
    assert second.context[0].at.startswith("rank 1, d1#") and "tin is kept" in second.context[0].text[0].text


def test_one_configuration_alone_differs_from_none(tmp_path: Path) -> None:
    found = compare(CORPUS, QUERIES, chunkers=["sentence"], retrievers=["bm25"], causes=False, cache=None)
    assert told(found).rows == [] and "0 queries are served by some" in Parsed(compare_html(found)).text


def enlarged(comparison: Any, cells: int, times: int) -> Any:
    """The comparison with its queries `times` over, each under an id of its own, and so many cells."""
    labels, n = comparison.labels, len(comparison.labels.queries)
    evidence, shift = labels.evidence, np.repeat(np.arange(times), len(labels.evidence.query))
    columns = {f.name: np.tile(getattr(evidence, f.name), times) for f in dataclasses.fields(evidence)}
    columns["query"] = columns["query"] + n * shift
    columns["group"] = columns["group"] + (evidence.group.max() + 1) * shift
    queries = tuple(dataclasses.replace(q, id=f"{q.id}-{t}") for t in range(times) for q in labels.queries)
    more = dataclasses.replace(
        labels, queries=queries, level=labels.level * times, relevant=labels.relevant * times, evidence=type(evidence)(**columns)
    )

    def grown(cell: Any, i: int) -> Any:
        seen = np.tile(cell.seen, (times, 1))
        seen[:, 0] += n * np.repeat(np.arange(times), len(cell.seen))
        wide = {name: np.tile(getattr(cell, name), times) for name in ("served", "least_k", "need", "tokens", "whole")}
        values = {name: np.tile(column, times) for name, column in cell.values.items()}
        return dataclasses.replace(
            cell, retriever=f"{cell.retriever}-{i}", seen=seen, values=values, sums=np.tile(cell.sums, (times, 1)), **wide
        )

    made = tuple(grown(comparison.cells[i % len(comparison.cells)], i) for i in range(cells))
    means = (comparison.means[0],) * cells  # so that the first are shown, which differ
    return dataclasses.replace(comparison, cells=made, means=means, labels=more, pareto=(0,))


def test_a_page_of_many_configurations_and_queries_stays_small_and_says_what_it_leaves_out(compared: Any) -> None:
    large = enlarged(compared, 60, 34)
    assert len(large.labels.queries) > 2_000
    page = compare_html(large)
    assert len(page.encode()) < 3_000_000
    assert len(Parsed(page).all("details")) == MOST
    assert f"Shown are {MOST} of these queries and {COLUMNS} of 60 configurations; --json names" in Parsed(page).text


def test_named_curves_are_drawn_on_common_scales() -> None:
    drawn = curves_plot(
        [Curve("baseline", [(2000, 0.7), (500, 0.4), (1000, 0.6)]), Curve("chosen", [(800, 0.65)]), Curve("none", [])]
    )
    line, point = drawn.lines
    assert [line.label, point.label] == ["baseline", "chosen"]
    xs, ys = ([dot[axis] for dot in line.dots] for axis in (0, 1))
    assert xs == sorted(xs) and ys == sorted(ys, reverse=True), "more tokens to the right, more served upward"
    assert line.path.count("L") == 2 and point.path.startswith("M") and "L" not in point.path
    assert xs[0] < point.dots[0][0] < xs[1] and ys[2] < point.dots[0][1] < ys[1]
    assert point.dots[0][2] == "0.650, 800 tokens"
    close = curves_plot([Curve("a", [(100, 0.5)]), Curve("b", [(101, 0.5)])])
    assert abs(close.lines[0].y - close.lines[1].y) > 10, "labels do not cover each other"
    macro = _environment().get_template("parts.html").module.curves  # type: ignore[attr-defined]
    parsed = Parsed(str(macro(drawn, frame(), "Sufficient", "words")))
    assert len(parsed.all("circle")) == 4 and len(parsed.all("path")) == 1
    assert "chosen" in parsed.text
    assert curves_plot([]).lines == []


def test_ids_causes_and_fixes_are_not_cut(tmp_path: Path) -> None:
    long = "support/conversation/2024-11-03T12-44-01Z/" + "turn-" * 12

    def needed(i: int) -> dict[str, str]:
        return {"doc_id": f"{long}.md", "text": f"Hall {i} holds {i} crates."}

    text = "Intro. " + " ".join(f"Hall {i} holds {i} crates." for i in range(30))
    (tmp_path / "c.jsonl").write_text(json.dumps({"_id": f"{long}.md", "text": text}) + "\n", encoding="utf-8")
    asked = [{"_id": f"{long}{i}", "text": "which place is fullest", "evidence": [needed(i)]} for i in range(20, 26)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(q) + "\n" for q in asked), encoding="utf-8")
    options = dataclasses.replace(BM25, chunker="sentence(size=8)", k=1)
    found = run_audit(tmp_path / "c.jsonl", tmp_path / "q.jsonl", options)
    text_of_page = Parsed(written(found)).text
    assert any(q.served is False for q in found.report.queries)
    for q in found.report.queries[:3]:
        assert q.served is not False or q.id in text_of_page
    assert f"{long[:30]}…" not in text_of_page and f"{long}.md" in text_of_page


# Its safety


def test_nothing_in_a_corpus_becomes_markup(page: str, attacked: str) -> None:
    ours, theirs = Parsed(page), Parsed(attacked)
    assert {tag for tag, _ in theirs.elements} <= {tag for tag, _ in ours.elements} | {"p", "caption"}
    names = {name for _, attributes in theirs.elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name == "style"}
    assert len(theirs.all("script")) == 2
    assert len(theirs.all("img")) == 0
    assert "49" not in [word for word in theirs.words if "7 * 7" in word]
    for attack in ATTACKS:
        assert any(attack in q["text"] for q in theirs.data["queries"]), "and nothing is lost"


def test_links_lead_nowhere_else(attacked: str, page: str, compared: Any) -> None:
    for made in (attacked, page, compare_html(compared)):
        parsed = Parsed(made)
        for tag, attributes in parsed.elements:
            assert not {"src", "srcset", "action", "data", "poster", "background", "formaction", "ping"} & set(attributes), tag
            for name in ("href", "xlink:href"):
                assert (attributes.get(name) or "#").startswith("#"), attributes
        assert not {tag for tag, _ in parsed.elements} & {"link", "iframe", "object", "embed", "base", "img"}
    own = (TEMPLATES / "page.css").read_text(encoding="utf-8") + (TEMPLATES / "page.js").read_text(encoding="utf-8")
    assert not re.findall(
        r"url\(|@import|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(|XMLHttp|import\(", own
    )
    assert re.findall(r"https?://[^\"]+", own) == ["http://www.w3.org/2000/svg"]  # a name, not an address


def test_the_policy_allows_exactly_our_style_and_script(page: str, attacked: str, compared: Any) -> None:
    for made in (page, attacked, compare_html(compared)):
        parsed = Parsed(made)
        (policy,) = (m["content"] for m in parsed.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["base-uri"] == rules["form-action"] == "'none'"
        (style,) = (text for tag, text in parsed.raw if tag == "style")
        script = [text for tag, text in parsed.raw if tag == "script"][-1]
        for name, text in (("style-src", style), ("script-src", script)):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert rules[name] == f"'sha256-{digest}'"


def test_no_control_character_stands_in_the_page(attacked: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", attacked)


def test_data_cannot_end_its_script() -> None:
    made = embedded({"a": "</script><!--&\u2028\u2029\ud800", "b": [1.5, None, True]})
    assert not re.search("[<>&\u2028\u2029]", made)
    assert json.loads(made) == {"a": "</script><!--&\u2028\u2029\ud800", "b": [1.5, None, True]}


def test_a_page_stays_small_and_says_what_it_leaves_out(attacked: str) -> None:
    assert len(attacked.encode()) < 500_000, "one line of the corpus alone is 10 MB"
    assert re.search(r"\d+ of \d+ chunk texts and 1 other texts are cut short", Parsed(attacked).text)


def test_the_same_inputs_give_the_same_bytes(page: str) -> None:
    assert written(run_audit(CORPUS, QUERIES, BM25)) == page


def test_the_same_comparison_gives_the_same_bytes(compared: Any) -> None:
    again = compare(CORPUS, QUERIES, chunkers=["sentence", "sentence(size=80)"], retrievers=["bm25", "lsa"], cache=None)
    assert compare_html(again) == compare_html(compared)


# Its parts


def test_texts_are_cut_to_what_fits() -> None:
    assert _cap(["a" * 10, "b" * 20], 1000, 50) == 50
    assert _cap(["a" * 10, "b" * 100, "c" * 100], 110, 500) == 50
    assert _cap(["é" * 100, "é" * 100], 200, 500) == 50, "bytes are what counts"


def test_positions_are_those_of_a_browser() -> None:
    text = "a😀b😀c"
    assert _shifted([(1, 2)], text, 0, 5) == [1, 3]
    assert [_units(text, at) for at in range(6)] == [0, 1, 3, 4, 6, 7]
    assert _shifted([(1, 3), (4, 5)], "xa😀bc", 1, 5) == [1, 4, 5, 6], "behind the mark of a cut"
    assert _shifted([(0, 1), (2, 9)], "ab😀cd", 1, 4) == [2, 5]


def test_lines_of_the_terminal_keep_their_words() -> None:
    text = line(("bad", "bold red"), " and ", ("dim", "dim"), " end")
    assert spans(text) == [Span("bad", "strong bad"), Span(" and ", ""), Span("dim", "dim"), Span(" end", "")]
    assert "".join(s.text for s in spans(text)) == text.plain
    with pytest.raises(TypeError, match="int"):
        list(blocks([3]))  # type: ignore[list-item]


def test_a_measure_that_nothing_decides_has_no_bar(audit: Audit) -> None:
    report = dataclasses.replace(audit.report, measures=dict(audit.report.measures) | {"IoU@5": Mean(None, None, None, 0)})
    assert "not decidable" in Parsed(written(audit._replace(report=report))).text


# The command line


def ragdiag(*command: str) -> Any:
    return CliRunner().invoke(main, [*command], prog_name="ragdiag")


def test_the_command_line_writes_it(tmp_path: Path, page: str) -> None:
    out = tmp_path / "report.html"
    common = ("--retriever", "bm25", "--no-cache")
    done = ragdiag("audit", CORPUS, QUERIES, *common, "--html", str(out), "--quiet")
    assert (done.exit_code, done.output) == (0, "")
    assert out.read_text(encoding="utf-8") == page
    assert ragdiag("audit", CORPUS, QUERIES, *common, "--html", "-").stdout == page
    done = ragdiag("compare", CORPUS, QUERIES, "--chunker", "sentence", "--retriever", "bm25", "--retriever", "lsa", "--no-cache",
                   "--html", str(out))  # fmt: skip
    assert done.exit_code == 0 and "Best" in done.stdout, done.output
    assert "Best" in Parsed(out.read_text(encoding="utf-8")).text


@pytest.mark.parametrize("command", ["audit", "compare"])
def test_what_cannot_be_written_is_said_before_any_work(command: str, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("not read", encoding="utf-8")
    queries = str(tmp_path / "q.jsonl")
    for given, why in (
        (["--html", str(tmp_path / "no" / "x.html")], "does not exist"),
        (["--html", queries], "would overwrite an input"),
        (["--html", str(tmp_path / "x"), "--json", str(tmp_path / "x")], "both name"),
        (["--html", "-", "--json", "-"], "both name"),
    ):
        done = ragdiag(command, CORPUS, queries, *given)
        assert done.exit_code == 2 and why in done.output, done.output
        assert done.output.count("\n") == 1


# In a browser


Opener = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page as a file, and at the end holds that it asked for nothing, raised nothing and said nothing."""
    seen: list[str] = []
    contexts = []

    def open_page(html: str, fragment: str = "", **options: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(**options)
        contexts.append(context)
        view = context.new_page()
        view.set_default_timeout(20_000)
        view.on("console", lambda message: seen.append(f"console: {message.text}"))
        view.on("pageerror", lambda error: seen.append(f"error: {error}"))
        view.on("dialog", lambda dialog: (seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        view.on("request", lambda request: seen.append(request.url) if not request.url.startswith(file.as_uri()) else None)
        view.goto(file.as_uri() + fragment)
        view.wait_for_selector("html[data-ready]", state="attached")
        return view

    yield open_page
    for context in contexts:
        context.close()
    assert seen == []


def test_one_can_filter_search_sort_and_open(opened: Opener, page: str, audit: Audit) -> None:
    view = opened(page)
    total = len(audit.report.queries)
    assert view.inner_text("#count") == f"{total} queries"
    unserved = sum(q.served is False for q in audit.report.queries)
    view.select_option("#by-served", "no")
    assert view.inner_text("#count") == f"{unserved} of {total} queries"
    cause = next(iter(audit.report.causes))
    view.select_option("#by-cause", cause)
    assert view.locator(".row").count() == sum(cause in q.causes for q in audit.report.queries)
    view.click("#clear")
    view.fill("#search", "PAGER christmas")
    view.wait_for_selector("#count:has-text('1 of')")
    view.click(".opener")
    assert view.get_attribute(".opener", "aria-expanded") == "true"
    detail = view.inner_text(".detail")
    assert "a chunk boundary cuts the evidence" in detail
    assert "‖" in view.inner_text(".passage")
    assert view.locator("mark").count() >= 1
    assert "Triple stand-by pay" in detail
    assert view.evaluate("location.hash") == "#q=tw-12"
    view.click("#clear")
    view.select_option("#sort", "id")
    ids = [text.strip() for text in view.locator(".row td:nth-child(2)").all_inner_texts()]
    assert ids == sorted(ids)


def test_links_to_queries_and_causes_open_them(opened: Opener, page: str) -> None:
    view = opened(page, "#q=tw-29")
    assert view.locator(".row.open").count() == 1
    assert "not served" in view.inner_text(".detail")
    view.click(".fixes a >> nth=0")
    cause = view.inner_text(".fixes a >> nth=0")
    view.wait_for_selector("#count:has-text(' of ')")
    assert view.input_value("#by-cause") == cause
    view.click(".look a >> nth=0")
    view.wait_for_selector(".row.open")
    wanted = view.inner_text(".look a >> nth=0")
    assert view.inner_text(".row.open td:nth-child(2)").strip() == wanted
    view = opened(page, "#q=none-such")
    assert view.inner_text("#count") == "No query has that id."


def test_all_of_it_works_from_the_keyboard(opened: Opener, page: str) -> None:
    view = opened(page)
    view.keyboard.press("/")
    assert view.evaluate("document.activeElement.id") == "search"
    view.keyboard.type("lisbon")
    view.keyboard.press("Enter")  # at once
    found = [q for q in Parsed(page).data["queries"] if "lisbon" in json.dumps([q["text"], q["answer"], q["evidence"]]).lower()]
    view.wait_for_selector(f"#count:text-is('{len(found)} of 60 queries')")
    view.evaluate("document.activeElement.blur()")
    view.keyboard.press("j")
    assert view.evaluate("document.activeElement.className") == "opener"
    view.keyboard.press("Enter")
    assert view.locator(".detail").count() == 1
    view.keyboard.press("Escape")
    assert view.locator(".detail").count() == 0
    assert view.evaluate("document.activeElement.className") == "opener"


def test_the_theme_follows_the_system_and_the_button(opened: Opener, page: str) -> None:
    view = opened(page, color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = view.evaluate(colour)
    view.click("#theme")
    light = view.evaluate(colour)
    assert light == "rgb(255, 255, 255)" != dark
    view.click("#theme")
    assert (view.inner_text("#theme"), view.evaluate(colour)) == ("Dark", dark)


def test_it_fits_a_phone_and_prints_open(opened: Opener, page: str) -> None:
    view = opened(page, "#q=tw-12", viewport={"width": 380, "height": 800})
    assert view.evaluate("document.documentElement.scrollWidth") <= 380
    view.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert view.locator(".detail").count() >= 10
    view.emulate_media(media="print")
    assert not view.is_visible("#filters")
    view.evaluate("dispatchEvent(new Event('afterprint'))")
    assert view.locator(".detail").count() == 1


def test_on_a_phone_the_evidence_of_a_query_is_on_the_screen_with_it(opened: Opener, page: str) -> None:
    view = opened(page, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    view.click(".look a >> nth=0")
    view.wait_for_selector(".detail .passage")
    row, passage = (view.locator(name).first.bounding_box() for name in (".row.open", ".detail .passage"))
    assert 0 <= row["y"] < passage["y"] and passage["y"] + passage["height"] <= 844
    assert view.inner_text(".row.open .state").split() == ["✗", "not", "served"]


def test_a_wide_window_is_used_to_its_right_edge(opened: Opener, page: str, attacked: str) -> None:
    for made in (page, attacked):
        view = opened(made, viewport={"width": 1400, "height": 1000})
        edges = view.evaluate(
            "[...document.querySelectorAll('#fix, #measures table, #list')].map((n) => n.getBoundingClientRect().right)"
        )
        assert max(edges) > 1300 and view.evaluate("document.querySelector('#fix').getBoundingClientRect().right") > 1300


def test_queries_of_a_comparison_are_filtered_and_opened(opened: Opener, compared: Any) -> None:
    made = compare_html(compared)
    contrast = max(compared.contrasts, key=lambda c: c.broken)
    view = opened(made, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    total = len(Parsed(made).all("details"))
    assert view.inner_text("#turned-count") == f"{total} queries"
    view.click(f"a[href='#lost={contrast.b}']")
    view.wait_for_selector(f"#turned-count:text-is('{contrast.broken} of {total} queries')")
    assert view.locator(".turn:visible").count() == contrast.broken
    assert (view.input_value("#by-turn"), view.input_value("#by-config")) == ("lost", str(contrast.b))
    view.select_option("#by-config", "")
    view.select_option("#by-turn", "")
    assert view.locator(".turn:visible").count() == total
    first = view.locator(".turn").first
    first.locator("summary").click()
    heading, needed = first.locator("summary").bounding_box(), first.locator(".needed").first.bounding_box()
    assert needed["y"] + needed["height"] - heading["y"] <= 844, "the evidence is within a screen of the query"
    view.evaluate("document.querySelectorAll('.turn').forEach((turn) => { turn.open = true; })")
    assert view.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_script_the_result_is_there(opened: Opener, browser: Any, page: str, tmp_path: Path) -> None:
    file = tmp_path / "plain.html"
    file.write_text(page, encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    view = context.new_page()
    view.goto(file.as_uri())
    assert "queries get all their evidence" in view.inner_text("#verdict")
    assert "needs JavaScript" in view.inner_text("#queries")
    context.close()


def test_a_hostile_corpus_is_inert(opened: Opener, attacked: str) -> None:
    view = opened(attacked)
    rows = view.locator(".row .opener").count()
    assert rows == len(ATTACKS) + 2
    for i in range(rows):
        view.locator(".row .opener").nth(i).click()
    assert view.locator(".detail").count() == rows
    assert view.evaluate("document.querySelectorAll('main img, main iframe, main script:not([type])').length") == 0
    hrefs = view.evaluate("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))")
    assert all(href.startswith("#") for href in hrefs)
    shown_controls = view.locator(".ctl").all_inner_texts()
    assert {"␀", "␛", "␇", "202E", "2066"} <= set(shown_controls)
    for text in view.evaluate("[...document.querySelectorAll('#rows bdi')].map((n) => n.textContent)"):
        assert not re.search("[\x00\x1b\x07\u202e\u2066]", text)
    for link in view.locator(".row td:nth-child(2) a").all():
        link.click()  # every id, however odd, leads to itself
    view.wait_for_timeout(200)


def test_a_comparison_is_inert_too(opened: Opener, compared: Any, browser: Any, tmp_path: Path) -> None:
    cells = [dataclasses.replace(c, retriever=f"{c.retriever}{ATTACKS[0]}") for c in compared.cells]
    asked = [dataclasses.replace(q, id=f"{ATTACKS[i % len(ATTACKS)]}{i}", text=ATTACKS[-1 - i % len(ATTACKS)], answer=ATTACKS[0])
             for i, q in enumerate(compared.labels.queries)]  # fmt: skip
    named = [dataclasses.replace(d, id=f"{ATTACKS[i % len(ATTACKS)]}{i}") for i, d in enumerate(compared.corpus.documents)]
    labels, corpus = (
        dataclasses.replace(compared.labels, queries=tuple(asked)),
        dataclasses.replace(compared.corpus, documents=tuple(named)),
    )
    made = compare_html(dataclasses.replace(compared, cells=tuple(cells), notes=ATTACKS, labels=labels, corpus=corpus))
    assert not Parsed(made).all("img") and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    assert all(attack.replace("\x00", "\\x00").split("\x1b")[0] in Parsed(made).text for attack in ATTACKS[:7])
    assert len(Parsed(made).all("script")) == 1
    file = tmp_path / "compare.html"
    file.write_text(made, encoding="utf-8")
    view = browser.new_page()
    said: list[str] = []
    view.on("dialog", lambda d: (said.append(d.message), d.dismiss()))
    view.on("console", lambda m: said.append(m.text))
    view.goto(file.as_uri())
    view.click("#theme")
    view.locator(".plot .point").first.focus()
    assert view.locator(".plot .point .tip").first.is_visible()
    assert view.evaluate("document.documentElement.dataset.theme") == "light"
    view.close()
    assert said == []
