"""What tests ask of an audit: measures, and each query's story in words. Plain enough to be kept as JSON, and read by others."""

from __future__ import annotations

import dataclasses
import io
import itertools
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ragdiag.core.errors import UsageError, nearest
from ragdiag.core.options import Options
from ragdiag.core.records import Explanation, Mean, Query, QueryResult, Report
from ragdiag.core.registry import without_usual
from ragdiag.core.reviews import Corrected
from ragdiag.explain import explanations
from ragdiag.pipeline import Audit, run_audit
from ragdiag.reports.proof import why
from ragdiag.reports.text import line
from ragdiag.reports.words import headline
from ragdiag.results import AuditResult
from ragdiag.testing.passages import lacking, passage
from ragdiag.text.phrases import clean, counted, no_commands, one_line

__all__ = ["ASK", "WIDTH", "Audited", "QueryStory", "audited", "of_report", "plain", "shown"]

WIDTH = 72
"""Columns of what a failing test says: 80, less what pytest puts before each line."""

NARROW = WIDTH - 2
"""Columns of a query's story: pytest moves in what an ``assert`` says by two more."""

PYTHON = "{!r}"
"""Stands for a query's id where Python shows it, as {} does where a command does."""

LONGEST = 420
"""Characters shown of a passage in a story."""

ASK = (
    "a recorded run cannot be asked what would change: for causes audit an index or a search, or give its chunks too (chunks=...)"
)
"""Why no cause is named where an index was not audited."""


class QueryStory(str):
    """One query's story, as text: whether it is served, why not, with the proof. What it says, as attributes.

    A text, so that ``assert query.served, query`` shows all of it.
    """

    result: QueryResult  # without its findings, which the text tells
    passage: str  # on one line, what its context lacks; "" for a served query

    def __new__(cls, story: str, result: QueryResult, passage: str) -> QueryStory:
        """`story` is what it is as a text."""
        query = super().__new__(cls, story)
        query.result, query.passage = result, passage
        return query

    def __repr__(self) -> str:
        return f"<query {one_line(self.id, 40)}: {'served' if self.served else self.why}>"

    @property
    def id(self) -> str:
        """Its id."""
        return self.result.id

    @property
    def text(self) -> str:
        """What is asked."""
        return self.result.text

    @property
    def served(self) -> bool | None:
        """Does its context hold all its evidence; None where no label says what that is."""
        return self.result.served

    @property
    def status(self) -> str:
        """See `records.QueryResult`."""
        return self.result.status

    @property
    def causes(self) -> tuple[str, ...]:
        """Why it is not served."""
        return self.result.causes

    @property
    def measures(self) -> Mapping[str, float | None]:
        """Its value of each measure, None where not decidable."""
        return self.result.measures

    @property
    def why(self) -> str:
        """Its causes, else its status, in a word or two."""
        if self.served is False and self.status == "not_decidable":
            return "not served"
        return {"over-determined": " or ", "compound": " and "}.get(self.status, ", ").join(self.causes) or self.status


@dataclasses.dataclass(frozen=True, eq=False)
class Audited:
    """An audit, as tests ask about it."""

    name: str  # what it is called
    title: str  # what was audited
    command: str  # shows one query, whose id {} or `PYTHON` stands for
    signature: str
    seed: int
    diagnosed: bool  # False where there was no index to ask why queries go unserved
    untested: Mapping[str, int]  # unserved queries with something that may be wrong and cannot be tested on this index, by cause
    measures: Mapping[str, Mean]
    causes: Mapping[str, int]  # unserved queries with each cause, most frequent first
    fixes: Mapping[str, str]
    queries: tuple[QueryStory, ...]
    failed: tuple[str, ...]  # queries whose search raised, or whose run records an error
    notes: tuple[str, ...]
    corrected: Mapping[str, Corrected]  # by measure: what a review of failing queries makes of it

    def __getitem__(self, query_id: str) -> QueryStory:
        """The story of one query. Raises `UsageError` for an unknown id."""
        queries = {q.id: q for q in self.queries}
        if query_id not in queries:
            raise UsageError(f"no query {query_id!r}{nearest(query_id, queries)}")
        return queries[query_id]

    def next(self, query_id: str) -> str:
        """What to do to see more of a query."""
        if PYTHON in self.command:
            return f"next: {self.command.replace(PYTHON, repr(query_id))}"
        return f"next: {self.command.replace('{}', shlex.quote(one_line(query_id, 200)))}"

    def headline_measure(self) -> str:
        """The measure that says how many queries are served."""
        names = [next(m for m in self.measures if m.startswith(f"{name}@")) for name in ("Sufficient", "Success")]
        return next((m for m in names if self.measures[m].n), names[0])

    def outcome(self) -> str:
        """``5 of 12 queries are not served: chunk_split 4, ranking 1``."""
        known = [q for q in self.queries if q.served is not None]
        unserved = [q for q in known if not q.served]
        named = Counter({cause: n for cause, n in self.causes.items() if n})
        named.update(q.status for q in unserved if not q.causes and self.diagnosed)
        causes = ", ".join(f"{name} {n}" for name, n in named.items())
        return f"{len(unserved)} of {counted(len(known), 'quer', 'y')} not served" + (f": {causes}" if causes else "")

    def as_dict(self) -> dict[str, Any]:
        """In JSON's own types."""
        record = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        record["measures"] = {name: dataclasses.asdict(mean) for name, mean in self.measures.items()}
        record["corrected"] = {name: dataclasses.asdict(share) for name, share in self.corrected.items()}
        record["queries"] = [{"story": str(q), "passage": q.passage, **dataclasses.asdict(q.result)} for q in self.queries]
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Audited:
        """What `as_dict` gave, through JSON."""
        queries = []
        for row in record["queries"]:
            result: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in row.items()}
            story, passage = str(result.pop("story")), str(result.pop("passage"))
            queries.append(QueryStory(story, QueryResult(**result), passage))
        measures = {name: Mean(**mean) for name, mean in record["measures"].items()}
        lists = {name: tuple(record[name]) for name in ("failed", "notes")}
        corrected = {name: Corrected.of(share) for name, share in record["corrected"].items()}
        return cls(**{**record, **lists, "measures": measures, "corrected": corrected, "queries": tuple(queries)})


def audited(corpus: str | Path, queries: str | Path, name: str = "", **options: object) -> Audited:
    """Audit as `pipeline.audit` does; `name` is what it is called in tests. Its stories show what each context lacks.

    `options` are the fields of `Options`; `search` is the team's own search, see `searches`.
    """
    checked = Options.given(**options)
    audit = run_audit(corpus, queries, checked)
    return _audited(audit.report, audit, name or _called(corpus), _command(corpus, queries, checked))


def of_report(report: Report) -> Audited:
    """From what `ragdiag.audit` gives; of a report alone the passages of evidence are known only where a cause shows them."""
    audit = report.audit if isinstance(report, AuditResult) else None
    return _audited(report, audit, "the audit", f"print(report.explain({PYTHON}))")


def _called(corpus: str | Path) -> str:
    return Path(corpus).name or str(corpus)


def _audited(report: Report, audit: Audit | None, name: str, command: str) -> Audited:
    known = {e.query.id: e for e in explanations(audit)} if audit else {}
    without_stories = Audited(
        name=clean(name),
        title=_title(report),
        command=command,
        signature=report.signature,
        seed=report.seed,
        diagnosed=_is_diagnosed(report.queries),
        untested=Counter(cause for q in report.queries for cause in q.untested),
        measures=dict(report.measures),
        causes={cause: sum(cause in q.causes for q in report.queries) for cause in report.causes},
        fixes=_fixes(report.queries),
        queries=(),
        failed=tuple(report.queries[q].id for q in audit.run.failed) if audit else (),
        notes=report.notes,
        corrected=dict(report.corrected),
    )
    stories = (_story(without_stories, query, known.get(query.id), report) for query in report.queries)
    return dataclasses.replace(without_stories, queries=tuple(stories))


def _is_diagnosed(queries: Sequence[QueryResult]) -> bool:
    """Whether there was an index to ask why queries go unserved."""
    undecided = (q for q in queries if q.served is False and q.status == "not_decidable")
    return all(q.untested for q in undecided)


def _title(report: Report) -> str:
    pipeline = report.pipeline
    size = f"{pipeline.budget} tokens" if pipeline.budget else f"k {pipeline.k}"
    context = [f"context {pipeline.context}"] if pipeline.context not in (None, "none") else []
    return clean(" | ".join([without_usual(str(pipeline.chunker)), *context, str(pipeline.retriever), size]))


def _fixes(queries: Sequence[QueryResult]) -> dict[str, str]:
    """What mends each cause, as most of its findings say."""
    fixes: dict[str, Counter[str]] = {}
    for finding in (f for q in queries for f in q.findings if f.cause in q.causes):
        fixes.setdefault(finding.cause, Counter())[finding.fix] += 1
    return {cause: counts.most_common(1)[0][0] for cause, counts in fixes.items()}


def _command(corpus: str | Path, queries: str | Path, options: Options) -> str:
    """``ragdiag explain`` of a query {} with the same options; Python, where it alone can give them."""
    if options.search is not None or options.own_chunks:
        return f"print(report[{PYTHON}])"
    words = ["ragdiag", "explain", str(corpus), str(queries), "{}", *itertools.chain(*_flags(options))]
    return " ".join("{}" if word == "{}" else shlex.quote(clean(word)) for word in words)


def _flags(options: Options) -> Iterator[tuple[str, str]]:
    """Each option of the command line that is not as it is without being given; its measures show no other story."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if value in (field.default, None) or field.name == "measures" or (field.name == "k" and options.budget):
            continue
        flag = "-k" if field.name == "k" else f"--{field.name}"
        yield from ((flag, str(item)) for item in (value if isinstance(value, tuple) else (value,)))


def _story(audited: Audited, result: QueryResult, explanation: Explanation | None, report: Report) -> QueryStory:
    """`result` in words; of a served query its headline alone."""
    outcome = "not served" if result.served is False and not audited.diagnosed else headline(result)
    parts: list[RenderableType] = [line(f"{one_line(result.id, 40)}: {outcome}"), line(f"query   {one_line(result.text, 300)}")]
    known = explanation or Explanation(Query(result.id, result.text), result, (), (), (), report)
    parts += [] if result.served else [line(f"label   {d.file}:{d.line}: {d.kind}: {d.message}") for d in known.defects]
    plainly = dataclasses.replace(result, findings=(), unjudged=())
    if result.served is not False:
        return QueryStory(plain(Group(*parts), NARROW), plainly, "")
    parts += [*why(known), Text()]
    for n, group in enumerate(known.groups, 1):
        where = f"{group.document}#{group.start}-{group.end}"
        parts += [line(f"Evidence {n} of {len(known.groups)}  {where}  {group.coverage:.0%} in the context")]
        parts += [Padding(line(passage(group, LONGEST)), (0, 0, 0, 2), expand=False)]
    parts += [] if audited.diagnosed else [Text(), line(f"({ASK})")]
    next_step = [] if PYTHON in audited.command else [audited.next(result.id)]
    story = "\n\n".join([plain(Group(*parts), NARROW), *next_step])
    lacks = "the search failed" if result.id in audited.failed else lacking(result, known.groups)
    return QueryStory(story, plainly, lacks)


def shown(path: Path) -> str:
    """A path as a command in this folder would name it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def plain(renderable: RenderableType, width: int = WIDTH) -> str:
    """What a terminal of so many columns shows, without styles."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(renderable)
    return no_commands("\n".join(row.rstrip() for row in captured.get().rstrip().split("\n")))
