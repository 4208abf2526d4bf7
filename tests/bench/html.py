"""The page of an audit of 5,000 queries: seconds to build, megabytes, and seconds until one can use it in Chromium."""

import gzip
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import show
from scale import write

CHROMIUM = Path("/usr/bin/chromium")

ACTIONS = {
    "first_search_s": "document.getElementById('search').value = 'term1'",
    "next_search_s": "document.getElementById('search').value = 'term2'",
    "filter_s": "document.getElementById('by-served').value = 'no'",
    "clear_s": "document.getElementById('clear').click()",
}
"""What is changed before the list is drawn again."""

REDRAW = "() => { const t = performance.now(); document.getElementById('sort').dispatchEvent(new Event('change')); document.body.offsetHeight; return performance.now() - t; }"  # noqa: E501
OPEN = "() => { const t = performance.now(); document.querySelector('.opener').click(); document.body.offsetHeight; return performance.now() - t; }"  # noqa: E501


def build(folder: Path, asked: int) -> Path:
    """An audit of ten chunks a query, and its page."""
    from ragdiag.core.options import Options
    from ragdiag.explain import explanations
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.html.audit import audit_html

    write(folder, 10 * asked, asked)
    started = time.perf_counter()
    audit = run_audit(folder / "corpus.jsonl", folder / "queries.jsonl", Options(retriever="bm25", k=5, cache=None))
    audited, started = time.perf_counter() - started, time.perf_counter()
    page = audit_html(audit.report, explanations(audit)).encode()
    built = time.perf_counter() - started
    out = folder / "report.html"
    out.write_bytes(page)
    unserved = sum(q.served is False for q in audit.report.queries)
    sizes = {"page_mb": len(page) / 1e6, "gzipped_mb": len(gzip.compress(page)) / 1e6}
    show("built", queries=len(audit.report.queries), unserved=unserved, audit_s=audited, page_s=built, **sizes)
    return out


def browse(page: Path) -> None:
    """Medians of five fresh tabs: until the list is there, and what the list and one query then take."""
    from playwright.sync_api import sync_playwright

    times: dict[str, list[float]] = {}
    with sync_playwright() as engine:
        named = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        browser = engine.chromium.launch(args=["--no-sandbox"], **named)
        for _ in range(5):
            tab = browser.new_page()
            started = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="commit")
            tab.wait_for_selector("html[data-ready]", state="attached")
            times.setdefault("interactive_s", []).append(time.perf_counter() - started)
            for name, change in ACTIONS.items():
                tab.evaluate(change)
                times.setdefault(name, []).append(tab.evaluate(REDRAW) / 1000)
            times.setdefault("open_s", []).append(tab.evaluate(OPEN) / 1000)
            tab.close()
        browser.close()
    show("in Chromium, medians of 5", **{name: median(values) for name, values in times.items()})


def main(asked: int = 5000, kept: str = "") -> None:
    """`kept` is a folder in which the page stays, to look at."""
    with tempfile.TemporaryDirectory() as folder:
        browse(build(Path(kept or folder), asked))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
