"""The options of the command line, as click takes them; what several commands share stands here once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ragdiag.conditions import CONDITIONS, ORACLE, RETRIEVED

__all__ = [
    "AUDIT_OPTIONS",
    "CACHE_OPTIONS",
    "COMPARE_OPTIONS",
    "LABEL_OPTIONS",
    "LITMUS_OPTIONS",
    "LIVE_OPTIONS",
    "PROMPTS_OPTIONS",
    "answers_option",
    "corpus_argument",
    "corpus_option",
    "html_option",
    "json_option",
    "options",
    "queries_argument",
    "quiet_option",
]

F = TypeVar("F", bound=Callable[..., Any])


def _prices(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """``2.5,10`` as two amounts of dollars."""
    if value is None:
        return None
    try:
        price_in, price_out = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two prices such as 2.5,10") from None
    if not (0 <= price_in < float("inf") and 0 <= price_out < float("inf")):
        raise click.BadParameter(f"{value!r}: prices are 0 or more")
    return price_in, price_out


corpus_argument = click.argument("corpus", metavar="CORPUS")
queries_argument = click.argument("queries", metavar="QUERIES")
corpus_option = click.option("--corpus", metavar="CORPUS", help="Hold answers against an audit of this corpus.")
quiet_option = click.option("--quiet", is_flag=True, help="Show nothing but errors; --json and exit status still speak.")
json_option = click.option("--json", "json_file", metavar="FILE", help="Write the report as JSON; - for standard output.")
html_option = click.option("--html", "html_file", metavar="FILE", help="Write it as one page: verdict, fixes, every query.")

LABEL_OPTIONS = (
    click.option("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries."),
    click.option("--copies", type=click.Choice(["count", "ignore"]), default="count", show_default=True,
                 help="Do exact copies of a labelled passage elsewhere count as evidence?"),
    click.option("--only", metavar="DOC_ID", multiple=True, help="Keep only this document (repeat for several)."),
)  # fmt: skip

CACHE_OPTIONS = (
    click.option("--cache", metavar="DIR", help="Where vectors and indexes are kept.  [default: the user's cache folder]"),
    click.option("--no-cache", is_flag=True, help="Keep nothing."),
)

AUDIT_OPTIONS = (
    click.option(
        "--chunker", metavar="SPEC", default="sentence", show_default=True, help="e.g. 'recursive(size=200, overlap=40)'."
    ),
    click.option("--chunks", metavar="FILE", help="Your own chunks, JSONL, in place of a chunker."),
    click.option(
        "--context", metavar="KIND", default="none", show_default=True, help="Embedded with a chunk: title, heading, ..."
    ),
    click.option(
        "--retriever", metavar="SPEC", default="hybrid", show_default=True, help="e.g. 'bm25(k1=1.2)', dense, lsa, hybrid."
    ),
    click.option(
        "--swap", metavar="SPEC", help="Put queries in other words than the documents to this retriever as well, e.g. dense."
    ),
    click.option("--run", "run_file", metavar="FILE", help="Your own ranking, TREC or JSONL, in place of a retriever."),
    click.option("-k", "k", type=int, metavar="N", help="Chunks in a context.  [default: 5]"),
    click.option("--budget", type=int, metavar="TOKENS", help="Context size in tokens, in place of -k."),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        default=0,
        show_default=True,
        help="Seed of the intervals' resamples.",
    ),
    *CACHE_OPTIONS,
)

COMPARE_OPTIONS = (
    click.option("--chunker", "chunkers", metavar="SPEC", multiple=True, help="Chunkers to compare; repeat the option for each."),
    click.option("--chunks", metavar="FILE", multiple=True, help="Your own chunks, JSONL, one file for each way to cut."),
    click.option("--context", "contexts", metavar="KIND", multiple=True, help="What is embedded with a chunk; repeat for each."),
    click.option("--retriever", "retrievers", metavar="SPEC", multiple=True, help="Retrievers to compare; repeat for each."),
    click.option("--run", "runs", metavar="FILE", multiple=True, help="Your own rankings, TREC or JSONL; repeat for each."),
    click.option("--tune", is_flag=True, help="Also other weights of each hybrid of two."),
    click.option("--baseline", metavar="NAME", default="", help="What the others are held against, such as 'sentence | bm25'."
                 "  [default: the first]"),
    click.option("--measure", metavar="M", default="", help="What is contrasted.  [default: Sufficient at the context's size]"),
    click.option("--causes/--no-causes", default=True, show_default=True, help="Name the causes of what is cured and broken."),
    click.option("--pairs", is_flag=True, help="Contrast all with one another, not only with the baseline."),
    click.option("-k", "k", type=int, metavar="N", help="Chunks in every context."),
    click.option("--budget", type=int, metavar="TOKENS",
                 help="Tokens in every context.  [default: what the baseline's first 5 chunks take]"),
    click.option("--price", type=click.FloatRange(min=0), metavar="DOLLARS", help="Of a million tokens of context."),
    click.option("--latency", type=click.FloatRange(min=0), metavar="MS", default=500.0, show_default=True,
                 help="What one query may take: slower ones are marked."),
    click.option("--jobs", type=int, metavar="N", default=1, show_default=True, help="Configurations measured at once."),
)  # fmt: skip

answers_option = click.option(
    "--answers",
    metavar="[CONDITION=]FILE",
    multiple=True,
    help="Recorded answers, JSONL; CONDITION is retrieved, oracle or closed_book. Repeat for each file.",
)

LITMUS_OPTIONS = (
    click.option("--judge", metavar="SPEC", default="matcher", show_default=True, help="Judges answers that have no label."),
    click.option("--blind", is_flag=True, help="Let the judge speak for labelled answers too, and show how far they agree."),
    click.option("--support", metavar="SPEC", default="grounded", show_default=True,
                 help="Judges whether recorded contexts hold what an answer states."),
    click.option("--format-rules", metavar="FILE", help="JSON of rules that answers must keep: schema, regex, length, style."),
    click.option("--failed", type=click.Choice(["failed", "wrong"]), default="failed", show_default=True,
                 help="What an attempt without an answer counts as."),
    click.option("--delta", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="An effect that matters."),
)  # fmt: skip

condition_option = click.option(
    "--condition",
    "conditions",
    type=click.Choice(CONDITIONS),
    multiple=True,
    default=(RETRIEVED, ORACLE),
    show_default=True,
    help="What a model is given: your pipeline's context, exactly the evidence, or nothing. Repeat for several.",
)
template_option = click.option("--template", metavar="FILE", help="Your prompt, with {contexts} and {question} in it.")
repeats_option = click.option("--repeats", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
                              help="How often each prompt is asked.")  # fmt: skip

PROMPTS_OPTIONS = (
    condition_option,
    click.option("--format", "form", type=click.Choice(["jsonl", "openai"]), default="jsonl", show_default=True,
                 help="openai: the input of its batch API."),
    click.option("--model", metavar="NAME", help="The model that a batch asks."),
    template_option,
    repeats_option,
    click.option("--out", metavar="FILE", default="-", help="Where the prompts go.  [default: standard output]"),
)  # fmt: skip

LIVE_OPTIONS = (
    click.option("--live", metavar="TARGET", help="Ask now: the url of an OpenAI-compatible endpoint (http://localhost:8000/v1; "
                 "its key in OPENAI_API_KEY), or module:function, called with a question and its list of contexts."),
    click.option("--record", metavar="FILE", help="Keeps every answer as it comes; what it holds is not asked again."),
    click.option("--model", metavar="NAME", help="The endpoint's name of the model; of a function, a name for its version."),
    condition_option,
    template_option,
    repeats_option,
    click.option("--concurrency", type=click.IntRange(min=1), metavar="N",
                 help="Calls at a time.  [default: 4; 1 of a function]"),
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                 help="The longest wait for an endpoint.  [default: 60]"),
    click.option("--retries", type=click.IntRange(min=0), metavar="N",
                 help="Further tries after an overload, an error of the server, a lost connection.  [default: 2]"),
    click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="The longest answer.  [default: 512]"),
    click.option("--price", callback=_prices, metavar="IN,OUT", help="Dollars for a million tokens, to show what it may cost."),
    click.option("--yes", is_flag=True, help="Make the calls without being asked."),
)  # fmt: skip


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several click options as one decorator, shown in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
