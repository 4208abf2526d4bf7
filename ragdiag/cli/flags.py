"""The options of the command line, as click takes them; what several commands share stands here once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import click

from ragdiag.cli.config import Does, Option
from ragdiag.core.conditions import CONDITIONS, ORACLE, RETRIEVED

__all__ = [
    "AUDIT_OPTIONS",
    "CACHE_OPTIONS",
    "COMPARE_OPTIONS",
    "CORPUS_OPTIONS",
    "CUT_OPTIONS",
    "HEALTH_OPTIONS",
    "LABEL_OPTIONS",
    "LITMUS_OPTIONS",
    "LIVE_OPTIONS",
    "PROMPTS_OPTIONS",
    "SEARCH_OPTIONS",
    "SIZE_OPTIONS",
    "answers_option",
    "chooses",
    "citations_option",
    "cluster_option",
    "connects",
    "corpus_argument",
    "corpus_option",
    "html_option",
    "json_option",
    "options",
    "output_option",
    "queries_argument",
    "quiet_option",
    "rewrite_option",
    "tells",
    "writes",
]

F = TypeVar("F", bound=Callable[..., object])


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


tells, reads, chooses, writes, connects, spends, agrees = (
    functools.partial(click.option, cls=Option, does=does)
    for does in (Does.TELLS, Does.READS, Does.CHOOSES, Does.WRITES, Does.CONNECTS, Does.SPENDS, Does.AGREES)
)
"""Options, by what their values bring about: see `config.Does`."""

corpus_argument = click.argument("corpus", metavar="CORPUS")
queries_argument = click.argument("queries", metavar="QUERIES")
corpus_option = reads("--corpus", metavar="CORPUS", help="Hold answers against an audit of this corpus.")
quiet_option = tells("--quiet", is_flag=True, help="Show nothing but errors; --json and exit status still speak.")
json_option = writes("--json", "json_file", metavar="FILE", help="Write the report as JSON; - for standard output.")
html_option = writes("--html", "html_file", metavar="FILE", help="Write it as one page: verdict, fixes, every query.")
output_option = writes("--output", "outputs", metavar="FILE", multiple=True,
                       help="Write it in the form that the name ends in: .md, .html, .json ...; repeat.")  # fmt: skip

CORPUS_OPTIONS = (
    tells("--keep", metavar="WHAT", multiple=True,
          help="Read what loaders leave out too: navigation, hidden, notes, forms; several by commas."),
    tells("--exclude", metavar="GLOB", multiple=True,
          help="Leave files out, by a pattern as in .gitignore, such as 'drafts/' (repeat for several)."),
)  # fmt: skip

LABEL_OPTIONS = (
    reads("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries."),
    tells("--copies", type=click.Choice(["count", "ignore"]), default="count", show_default=True,
          help="Do exact copies of a labelled passage elsewhere count as evidence?"),
    tells("--only", metavar="DOC_ID", multiple=True,
          help="Keep only this document, by its id or its beginning (repeat for several)."),
)  # fmt: skip

HEALTH_OPTIONS = (
    chooses("--retriever", family="retrievers", metavar="SPEC",
            help="A stored index to check too: chroma, pgvector, qdrant, lancedb or faiss; QUERIES may be left out then."),
    spends("--sample", type=click.IntRange(min=0), metavar="N", default=2000, show_default=True,
          help="Records of the index that are embedded anew; 0 for all."),
)  # fmt: skip

CACHE_OPTIONS = (
    writes("--cache", metavar="DIR", help="Where vectors and indexes are kept.  [default: the user's cache folder]"),
    tells("--no-cache", is_flag=True, help="Keep nothing."),
)

CUT_OPTIONS = (
    chooses(
        "--chunker",
        family="chunkers",
        metavar="SPEC",
        default="sentence",
        show_default=True,
        help="e.g. 'recursive(size=200, overlap=40)'.",
    ),
    reads("--chunks", metavar="FILE", help="Your own chunks, JSONL, in place of a chunker."),
    chooses(
        "--context",
        family="contexts",
        metavar="KIND",
        default="none",
        show_default=True,
        help="Embedded with a chunk: title, heading, ...",
    ),
    chooses(
        "--retriever",
        family="retrievers",
        metavar="SPEC",
        default="hybrid",
        show_default=True,
        help="e.g. 'bm25(k1=1.2)', dense, lsa, hybrid.",
    ),
)

SIZE_OPTIONS = (
    tells("-k", "k", type=int, metavar="N", help="Chunks in a context.  [default: 5]"),
    tells("--budget", type=int, metavar="TOKENS", help="Context size in tokens, in place of -k."),
)

AUDIT_OPTIONS = (
    *CUT_OPTIONS,
    chooses(
        "--swap",
        family="retrievers",
        metavar="SPEC",
        help="Put unserved queries to this retriever as well, e.g. dense; none for no other.",
    ),
    reads("--run", "run_file", metavar="FILE", help="Your own ranking: TREC, JSONL or traces; in place of a retriever."),
    *SIZE_OPTIONS,
    tells("--ties", type=click.Choice(["expected", "id"]), default="expected", show_default=True,
          help="Rank measures of equal scores: the mean over all orders, or by id (of a TREC run as trec_eval does)."),
    tells(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        default=0,
        show_default=True,
        help="Seed of the intervals' resamples.",
    ),
    *CACHE_OPTIONS,
)  # fmt: skip

COMPARE_OPTIONS = (
    chooses("--chunker", "chunkers", family="chunkers", metavar="SPEC", multiple=True,
            help="Chunkers to compare; repeat the option for each."),
    reads("--chunks", metavar="FILE", multiple=True, help="Your own chunks, JSONL, one file for each way to cut."),
    chooses("--context", "contexts", family="contexts", metavar="KIND", multiple=True,
            help="What is embedded with a chunk; repeat for each."),
    chooses("--retriever", "retrievers", family="retrievers", metavar="SPEC", multiple=True,
            help="Retrievers to compare; repeat for each."),
    reads("--run", "runs", metavar="FILE", multiple=True, help="Your own rankings: TREC, JSONL or traces; repeat for each."),
    tells("--tune", is_flag=True, help="Also other weights of each hybrid of two."),
    tells("--baseline", metavar="NAME", default="", help="What the others are held against, such as 'sentence | bm25'."
          "  [default: the first]"),
    tells("--measure", metavar="M", default="", help="What is contrasted.  [default: Sufficient at the context's size]"),
    tells("--causes/--no-causes", default=True, show_default=True, help="Name the causes of what is cured and broken."),
    tells("--pairs", is_flag=True, help="Contrast all with one another, not only with the baseline."),
    tells("-k", "k", type=int, metavar="N", help="Chunks in every context."),
    tells("--budget", type=int, metavar="TOKENS",
          help="Tokens in every context.  [default: what the baseline's first 5 chunks take]"),
    tells("--price", type=click.FloatRange(min=0), metavar="DOLLARS", help="Of a million tokens of context."),
    tells("--latency", type=click.FloatRange(min=0), metavar="MS", default=500.0, show_default=True,
          help="What one query may take: slower ones are marked."),
    tells("--jobs", type=int, metavar="N", default=1, show_default=True,
          help="Configurations measured at once, by processes of this machine; see --cluster."),
)  # fmt: skip

answers_option = reads(
    "--answers",
    metavar="[CONDITION=]FILE",
    multiple=True,
    help="Recorded answers, JSONL; CONDITION is retrieved, oracle or closed_book. Repeat for each file.",
)

SEARCH_OPTIONS = (
    connects("--search", metavar="MODULE:NAME",
             help="Your own search, a function of a query and k or a framework's object."),
    connects("--search-model", metavar="MODEL",
             help="What embeds for it, where it ranks by the cosine: then texts can be added. default: as dense."),
    spends("--calls", type=int, metavar="N", default=1000, show_default=True,
          help="Calls of it beside those for the queries: its chunks, and causes. 0: scores alone."),
)  # fmt: skip

cluster_option = connects("--cluster", metavar="ADDRESS",
                          help="Have the work done by your Dask (tcp://HOST:PORT) or Ray (ray://HOST:PORT) cluster.")  # fmt: skip

rewrite_option = connects("--rewrite", metavar="MODULE:FUNCTION",
                          help="Your rewriter of questions: called with each that fails, does that mend it?")  # fmt: skip

LITMUS_OPTIONS = (
    chooses("--judge", family="judges", metavar="SPEC", default="matcher", show_default=True,
            help="Judges answers that have no label."),
    tells("--blind", is_flag=True, help="Let the judge speak for labelled answers too, and show how far they agree."),
    chooses("--support", family="judges", metavar="SPEC", default="grounded", show_default=True,
            help="Judges whether recorded contexts hold what an answer states."),
    reads("--format-rules", metavar="FILE", help="JSON of rules that answers must keep: schema, regex, length, style."),
    tells("--failed", type=click.Choice(["failed", "wrong"]), default="failed", show_default=True,
          help="What an attempt without an answer counts as."),
    reads("--answer-labels", metavar="FILE", multiple=True,
          help="What people say of answers, a line each; repeat for several files. --review writes such a file."),
    tells("--delta", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="An effect that matters."),
)  # fmt: skip

REVIEW_OPTIONS = (
    tells("--review", type=click.IntRange(min=1), metavar="N",
          help="Label the answers of N queries first, one by one; decisions go to the first --answer-labels FILE."),
    tells("--draw", type=click.Choice(["doubt", "random", "again"]), default="doubt", show_default=True,
          help="Which queries: those that narrow the verdict's interval most, any, or those that others labelled."),
    tells("--reviewer", metavar="NAME", default="", help="Who labels, where several people do."),
    connects("--page", is_flag=True, help="On a page in your browser, from this machine to this machine only."),
    connects("--port", type=click.IntRange(0, 65535), metavar="N", default=0, help="Of the page.  [default: any that is free]"),
    writes("--acceptable", metavar="FILE",
           help="Write the queries with what people accepted that no reference says, under 'acceptable'."),
)  # fmt: skip

citations_option = writes("--citations", metavar="FILE",
                          help="Write each claim of the answers, with the passage that holds it, as JSONL.")  # fmt: skip

condition_option = spends(
    "--condition",
    "conditions",
    type=click.Choice(CONDITIONS),
    multiple=True,
    default=(RETRIEVED, ORACLE),
    show_default=True,
    help="What a model is given: your pipeline's context, exactly the evidence, or nothing (closed_book); to see what harms in a "
    "context, yours without its off-topic chunks (trimmed), or the evidence among such chunks (first, middle, last) and among "
    "more of them (longer). Repeat for several.",
)
template_option = reads("--template", metavar="FILE", help="Your prompt, with {contexts} and {question} in it.")
repeats_option = spends("--repeats", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
                        help="How often each prompt is asked.")  # fmt: skip

PROMPTS_OPTIONS = (
    condition_option,
    tells("--format", "form", type=click.Choice(["jsonl", "openai", "anthropic"]), default="jsonl", show_default=True,
          help="openai, anthropic: the input of their batch APIs."),
    spends("--model", metavar="NAME", help="The model that a batch asks."),
    template_option,
    repeats_option,
    writes("--out", metavar="FILE", default="-", help="Where the prompts go.  [default: standard output]"),
)  # fmt: skip

LIVE_OPTIONS = (
    connects("--live", metavar="TARGET", help="Ask now: the url of an OpenAI-compatible endpoint (http://localhost:8000/v1; "
             "its key in OPENAI_API_KEY), or module:function, called with a question and its list of contexts."),
    writes("--record", metavar="FILE", help="Keeps every answer as it comes; what it holds is not asked again."),
    spends("--model", metavar="NAME", help="The endpoint's name of the model; of a function, a name for its version."),
    condition_option,
    template_option,
    repeats_option,
    spends("--concurrency", type=click.IntRange(min=1), metavar="N",
          help="Calls at a time.  [default: 4; 1 of a function]"),
    spends("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
          help="The longest wait for an endpoint.  [default: 60]"),
    spends("--retries", type=click.IntRange(min=0), metavar="N",
          help="Further tries after an overload, an error of the server, a lost connection.  [default: 2]"),
    spends("--max-tokens", type=click.IntRange(min=1), metavar="N", help="The longest answer.  [default: 512]"),
    spends("--price", callback=_prices, metavar="IN,OUT", help="Dollars for a million tokens, to show what it may cost."),
    agrees("--yes", is_flag=True, help="Make the calls without being asked."),
)  # fmt: skip


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several click options as one decorator, shown in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
