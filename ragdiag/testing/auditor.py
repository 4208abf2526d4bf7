"""The `ragdiag` fixture of tests: audits with the project's settings, each done once a run, and the assertions on them."""

from __future__ import annotations

import dataclasses
import functools
import glob
import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Group
from rich.padding import Padding

from ragdiag.answering.answers import split_source
from ragdiag.answering.verdict import Litmus
from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.core.options import Options, check_kind
from ragdiag.core.records import Report
from ragdiag.reports.text import interval, line
from ragdiag.search.searches import chunks_of, identity_of
from ragdiag.search.signatures import name_of
from ragdiag.testing import assertions
from ragdiag.testing.audited import Audited, QueryStory, audited, plain, shown
from ragdiag.testing.baselines import baseline_file
from ragdiag.testing.shared import once
from ragdiag.text.phrases import clean, one_line

__all__ = ["Auditor"]

T = TypeVar("T")

PATHS = ("corpus", "queries", "chunks", "run", "qrels", "cache", "format_rules")

COLUMNS = 80
"""Of the summary."""

INSTEAD = (("k", "budget"), ("chunker", "chunks"), ("retriever", "run", "search"))
"""Options of which one takes the place of the others: a test that gives one does not want the project's default of another."""


class Auditor:
    """Audits a project's retrieval in its tests.

    `settings` are the project's defaults, paths among them absolute; paths that a test gives are relative to `root`. `baselines`
    is where they are kept, `update` whether they are written instead of compared with. In `shared`, a folder, processes that
    run the same tests find each other's audits.
    """

    def __init__(self, settings: Mapping[str, object], root: Path, baselines: Path, update: bool, shared: Path | None) -> None:
        self._settings, self._root, self._baselines, self._update, self._shared = settings, root, baselines, update, shared
        self._done: dict[str, Audited] = {}
        self._searches: list[object] = []  # those that no other process could tell from others
        self._named: dict[str, int] = {}  # which of them a name stands for
        self._properties: list[tuple[str, str]] = []

    def audit(self, corpus: str | Path = "", queries: str | Path = "", *, name: str = "", **options: object) -> Audited:
        """Audit `queries` on `corpus`; what is not given is as the project's settings say, else as in `ragdiag.audit`.

        `search` is the project's own search, see `search.searches`; `name` is what the audit is called. The same audit is done
        once a run, by one of the processes that share the tests; they know a search that is no function of a module by `name`.
        Raises `UsageError` for a name that is given to two such searches.
        """
        __tracebackhide__ = True
        return self._plainly(lambda: self._audit({"corpus": corpus, "queries": queries, **options}, name))

    def litmus(self, queries: str | Path = "", answers: Sequence[str] = (), **options: object) -> Litmus:
        """The litmus test on recorded answers, each ``[CONDITION=]FILE``; `options` are those of `ragdiag.litmus`.

        Where a test gives a `corpus`, the pipeline that the project's settings describe is audited too.
        """
        __tracebackhide__ = True
        from ragdiag.api import litmus

        def run() -> Litmus:
            files = [self._answers(source) for source in ([answers] if isinstance(answers, str) else answers)]
            arguments = self._resolved({"queries": queries, **options}, ("queries",))
            if options.get("corpus") in ("", None):
                arguments.pop("corpus", None)  # the test needs none
            return litmus(arguments.pop("queries"), files, **arguments)

        return self._plainly(run)

    def check_gates(self, report: Report | Audited, *gates: str) -> None:
        """See `assertions.check_gates`."""
        __tracebackhide__ = True
        if isinstance(report, Audited):
            for measure in dict.fromkeys([report.headline_measure(), *(g.partition("=")[0].strip() for g in gates)]):
                measure = measure.removesuffix(".low").removesuffix(".corrected")
                if measure in report.measures:
                    mean = report.measures[measure]
                    self._note(report, measure, f"{interval(mean, 'not decidable')} n {mean.n}")
        self._plainly(lambda: assertions.check_gates(report, *gates))

    check = check_gates  # its first name, which tests may use

    def no_cause(self, report: Report | Audited, *causes: str, at_most: int = 0) -> None:
        """See `assertions.no_cause`."""
        __tracebackhide__ = True
        if isinstance(report, Audited):
            for cause in causes:
                self._note(report, cause, str(report.causes.get(cause, 0)) if report.diagnosed else "not asked for")
        self._plainly(lambda: assertions.no_cause(report, *causes, at_most=at_most))

    def no_regression(self, report: Report | Audited, name: str = "", measure: str = "", at_most: int | None = None) -> None:
        """Assert that no measure got worse since the baseline of that `name`: see `assertions.no_regression`.

        With ``--ragdiag-update-baseline`` the baseline is written, and nothing is compared.
        """
        __tracebackhide__ = True

        def run() -> None:
            __tracebackhide__ = True
            file = baseline_file(self._baselines, name or (report.name if isinstance(report, Audited) else ""))
            if self._update:
                assertions.save_baseline(report, file, measure)
                self._note(report, "baseline", f"written to {file.name}")
                return
            try:
                change = assertions.no_regression(report, file, measure, at_most)
            except AssertionError as e:
                self._note(report, "regression", str(e).partition("\n")[0])
                raise
            self._note(report, "regression", str(change))

        self._plainly(run)

    def no_verdict(self, found: Litmus, *kinds: str) -> None:
        """See `assertions.no_verdict`."""
        __tracebackhide__ = True
        self._properties.append(("ragdiag verdict", found.verdict.kind))
        self._plainly(lambda: assertions.no_verdict(found, *kinds))

    def story(self, query_id: str, arguments: Mapping[str, Any]) -> QueryStory:
        """One query of the audit that `arguments` describe, as those of `audit`."""
        __tracebackhide__ = True
        report = self.audit(**arguments)
        query = report[query_id]
        self._note(report, query_id, query.why if query.served is not True else "served")
        return query

    def taken(self) -> list[tuple[str, str]]:
        """The results since this was last called, as properties of the test that got them."""
        properties, self._properties = self._properties, []
        return properties

    def summary(self) -> dict[str, str]:
        """A line for each audit, by a key that is the same in other processes."""
        lines = {}
        for key, report in self._done.items():
            name = report.headline_measure()
            mean = report.measures[name]
            precision = next(m for m in report.measures if m.startswith("P@"))
            measures = f"{name} {interval(mean, 'not decidable')} n {mean.n}, "
            measures += f"{precision} {interval(report.measures[precision], 'not decidable')}"
            below = Group(*map(line, (measures, report.outcome(), *report.notes)))
            lines[key] = plain(Group(line(f"{report.name}: {report.title}"), Padding(below, (0, 0, 0, 2))), COLUMNS)
        return lines

    def _note(self, report: Report | Audited, what: str, value: str) -> None:
        name = report.name if isinstance(report, Audited) else "audit"
        self._properties.append((f"ragdiag {name} {one_line(what, 60)}", clean(value)))

    def _plainly(self, run: Callable[[], T]) -> T:
        """Bad input and bad usage as their one line, without the way they came."""
        __tracebackhide__ = True
        try:
            return run()
        except (RagdiagError, AssertionError) as e:
            raise e.with_traceback(None) from None

    def _audit(self, given: Mapping[str, object], name: str) -> Audited:
        arguments = self._resolved(given, ("corpus", "queries"))
        corpus, queries = arguments.pop("corpus"), arguments.pop("queries")
        options = Options.given(**arguments)
        plainly = dataclasses.asdict(dataclasses.replace(options, search=None, own_chunks=()))
        files = [_state(p) for p in (corpus, queries, options.chunks, options.run, options.qrels) if p]
        identity, alone = self._identity(options.search, name)
        parts = [str(corpus), str(queries), plainly, files, identity, repr(chunks_of(options.own_chunks))]
        key = hashlib.sha256(json.dumps(parts, default=str).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        if key not in self._done:
            run = functools.partial(audited, corpus, queries, name, **arguments)
            self._done[key] = run() if alone else self._once(key, run)
        audit = self._done[key]
        return dataclasses.replace(audit, name=clean(name)) if name else audit

    def _identity(self, search: object, name: str) -> tuple[str, bool]:
        """What tells a search from others, and whether in this process alone."""
        known = "" if search is None else identity_of(search)
        if search is None or known:
            return known, False
        number = next((n for n, other in enumerate(self._searches) if _same(search, other)), len(self._searches))
        self._searches += [search] if number == len(self._searches) else []
        if not name:
            return f"{os.getpid()}#{number}", True
        if self._named.setdefault(name, number) != number:
            remedy = "give each a name of its own, or make the search once, in a fixture with scope='session'"
            raise UsageError(f"two searches are called {name!r}; {remedy}")
        return f"{name_of(search)} called {name}", False

    def _once(self, key: str, run: Callable[[], Audited]) -> Audited:
        """What `run` gives, by the first of the processes that share the tests which needs it."""
        if self._shared is None:
            return run()
        return Audited.from_dict(once(self._shared / f"ragdiag-{key}.sqlite", lambda: run().as_dict()))

    def _resolved(self, given: Mapping[str, object], needed: Sequence[str]) -> dict[str, Any]:
        """What a test gives over the project's settings, its paths from the root. Raises `UsageError` for what is `needed`."""
        for name in {"corpus", "queries"} & given.keys():
            check_kind(name, given[name], str, Path, type(None))
        arguments = self._with_settings({name: v for name, v in given.items() if v not in ("", None) or name == "cache"})
        for name in PATHS:
            path = arguments.get(name)
            if path and isinstance(path, (str, Path)):
                arguments[name] = shown(self._root / path)
        for name in needed:
            if not arguments.get(name):
                raise UsageError(f"no {name}: give it, or set ragdiag_{name} in pytest's configuration, or --ragdiag-{name}")
        return arguments

    def _with_settings(self, given: Mapping[str, object]) -> dict[str, object]:
        """What a test gives, and of the project's settings those that it does not replace."""
        replaced = {name for names in INSTEAD if set(names) & given.keys() for name in names}
        return {name: value for name, value in self._settings.items() if name not in replaced} | dict(given)

    def _answers(self, source: str) -> str:
        """With its file from the root."""
        condition, path = split_source(source, self._root)
        return f"{condition}={path}" if condition else str(path)


def _same(one: object, other: object) -> bool:
    """Whether two searches are one: a method is made anew each time that it is asked for."""
    return one is other or (inspect.ismethod(one) and inspect.ismethod(other) and one == other)


def _state(path: str | Path) -> list[tuple[str, int, int]]:
    """What shows that a file, or a file of a folder or glob, is another one by now: its name, size and time of change."""
    paths = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 (Path.glob takes no absolute patterns)
    files = [f for p in paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p])]
    return [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file()]
