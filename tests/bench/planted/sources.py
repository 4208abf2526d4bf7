"""The public sets as healthy worlds of moderate size: pages, chunks of whole sentences, questions whose evidence fits a chunk."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from common import SETS, paths

from ragdiag.core.records import Corpus, Document, Labels
from ragdiag.core.registry import make
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries

from .records import Page, Question, Span, World, counts_as_copy
from .text import content_words

__all__ = ["ORDERS", "half", "healthy_world", "passages_of_others", "with_copies", "world_of"]

MOST_CHUNKS = 700
PAGE_CHUNKS = 9
LONG_EVIDENCE = 500  # characters; longer labels are narrowed to the sentences that answer
NARROWED = 350
CHUNKER = "sentence(size=160)"
DIGEST = "-digest-"  # in the id of a page of several documents
LONGEST_ANSWER = 200  # characters of a reference answer that is handed on; a longer one is the passage once more
MORE = "_more"  # after the name of a set: other documents of it
ORDERS = {  # small sets first: what they cannot give, the large ones do
    "dev": ("anthropic_docs", "hotpot100", "covidqa", "covid_faq_versions", "chroma_chunking"),
    "test": ("anthropic_docs", "hotpot100", "covidqa", "covid_faq_versions", "chroma_chunking"),
    "test2": ("fastapi_docs", "chroma_chunking", "covidqa", f"covidqa{MORE}"),
}


class Part(NamedTuple):
    """Where a document, or a stretch of one, stands in a page."""

    document: int
    start: int
    end: int
    offset: int  # of `start`, in the page


def half(name: str) -> str:
    """Which seed may use a question: its id decides."""
    return "test" if hashlib.sha256(name.encode()).digest()[0] % 2 else "dev"


def healthy_world(name: str, seed: str, most: int = MOST_CHUNKS) -> World:
    """The pages of a set with the questions of this seed: `dev` and `test` halve those of one choice, `test2` has others."""
    corpus_path, queries_path = paths(name.removesuffix(MORE))
    corpus = load_corpus(corpus_path)
    labels = locate(load_queries(queries_path), corpus)
    chosen = _documents(name, corpus, labels)
    if seed != "test2":
        world = world_of(corpus, labels, chosen, most)
        world.questions = [q for q in world.questions if half(q.id) == seed]
        return world
    if name.removesuffix(MORE) == "covidqa":
        old = _documents("covidqa", corpus, labels)
        rest = [i for i in range(len(corpus.documents)) if i not in old]
        random.Random("documents of test2").shuffle(rest)
        return world_of(corpus, labels, sorted(rest[24:48] if name.endswith(MORE) else rest[:24]), most)
    used = {q.id for q in world_of(corpus, labels, chosen, most).questions} if name in SETS else set()
    return world_of(corpus, labels, chosen, most, frozenset(used))


def world_of(corpus: Corpus, labels: Labels, chosen: list[int], most: int, used: frozenset[str] = frozenset()) -> World:
    """Some documents as pages of at most `most` chunks in all, with those of the questions they answer that are not `used`."""
    pages, parts, chunks = [], list[tuple[str, Part]](), list[Span]()
    for page, inside, cut in _paged(corpus, chosen):
        pages.append(page)
        parts += [(page.id, part) for part in inside]
        chunks += cut
    questions = [q for q in _questions(corpus, labels, parts, {p.id: p for p in pages}, chunks) if q.id not in used]
    keep = _within(most, pages, chunks, questions)
    questions = [q for q in questions if all(p.page in keep for p in q.passages)]
    return World([p for p in pages if p.id in keep], [c for c in chunks if c.page in keep], questions)


def _documents(name: str, corpus: Corpus, labels: Labels) -> list[int]:
    """The documents that are considered at all: for hotpot those with evidence and some others, for covidqa some papers."""
    rng = random.Random(f"documents of {name}")
    everything = list(range(len(corpus.documents)))
    if name == "covidqa":
        return sorted(rng.sample(everything, 24))
    if name == "hotpot100":
        named = set(labels.evidence.document.tolist())
        return sorted(named | set(rng.sample(everything, 450)))
    return everything


def _paged(corpus: Corpus, chosen: list[int]) -> Iterator[tuple[Page, list[Part], list[Span]]]:
    """Long documents cut into pages, half of the short ones bound into pages, the rest as they are."""
    chunker = make("chunkers", CHUNKER)
    short: dict[str, list[tuple[int, list[tuple[int, int]]]]] = defaultdict(list)
    for i in chosen:
        document = corpus.documents[i]
        starts, ends = chunker.spans(document.text)
        cut = list(zip(starts.tolist(), ends.tolist(), strict=True))
        several = document.metadata.get("versions", 1) > 1
        if len(cut) < 4 and not several and half("bound " + document.id) == "test":
            short[str(document.metadata.get("site", "page"))].append((i, cut))
        else:
            yield from _cut_up(document, i, cut)
    for site, documents in sorted(short.items()):
        for n in range(0, len(documents), 6):
            yield _bound(f"{site}{DIGEST}{n // 6:02}", [(corpus.documents[i], i, cut) for i, cut in documents[n : n + 6]])


def _cut_up(document: Document, i: int, cut: list[tuple[int, int]]) -> Iterator[tuple[Page, list[Part], list[Span]]]:
    """A document as pages of some chunks each."""
    count = max(1, round(len(cut) / PAGE_CHUNKS))
    edges = [round(n * len(cut) / count) for n in range(count + 1)]
    for n in range(count):
        mine = cut[edges[n] : edges[n + 1]]
        a, b = mine[0][0], mine[-1][1]
        name = document.id if count == 1 else f"{document.id}-p{n + 1:02}"
        title = document.title if count == 1 else f"{document.title} ({n + 1})"
        page = Page(name, document.text[a:b], title, dict(document.metadata) if count == 1 else {})
        page.metadata.pop("sections", None)  # type: ignore[attr-defined]
        yield page, [Part(i, a, b, 0)], [Span(name, s - a, e - a) for s, e in mine]


def _bound(name: str, documents: list[tuple[Document, int, list[tuple[int, int]]]]) -> tuple[Page, list[Part], list[Span]]:
    """Several short documents as one page."""
    text, parts, spans = "", list[Part](), list[Span]()
    for document, i, cut in documents:
        offset = len(text)
        parts.append(Part(i, 0, len(document.text), offset))
        spans += [Span(name, s + offset, e + offset) for s, e in cut]
        text += document.text + "\n\n"
    return Page(name, text, name.replace("-", " ")), parts, spans


def _questions(
    corpus: Corpus, labels: Labels, parts: list[tuple[str, Part]], pages: dict[str, Page], chunks: list[Span]
) -> Iterator[Question]:
    """The questions every group of which has a passage within one chunk."""
    where: dict[int, list[tuple[str, Part]]] = defaultdict(list)
    for name, part in parts:
        where[part.document].append((name, part))
    on: dict[str, list[Span]] = defaultdict(list)
    for chunk in chunks:
        on[chunk.page].append(chunk)
    groups: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    evidence = labels.evidence
    for q, g, d, a, b in zip(
        *(x.tolist() for x in (evidence.query, evidence.group, evidence.document, evidence.start, evidence.end)), strict=True
    ):
        a, b = _narrowed(corpus.documents[d].text, a, b, labels.queries[q])
        spans = groups[q][g]
        for name, part in where[d]:
            span = Span(name, a - part.start + part.offset, b - part.start + part.offset)
            if part.start <= a and b <= part.end and any(c.holds(span) for c in on[name]):
                spans.append(span)
    for q, found in groups.items():
        query = labels.queries[q]
        if all(found.values()):
            unique = list(dict.fromkeys(tuple(spans) for spans in found.values()))
            answer = query.answer if _stands(query.answer.strip(), unique, pages) else ""
            other = str(query.metadata.get("faq_question", ""))
            yield Question(query.id, query.text, with_copies(unique, pages), other, answer)


def _stands(answer: str, groups: Sequence[tuple[Span, ...]], pages: Mapping[str, Page]) -> bool:
    """Whether a reference answer stands in a passage, word for word."""
    texts = [pages[s.page].text[s.start : s.end] for spans in groups for s in spans]
    return 3 < len(answer) <= LONGEST_ANSWER and any(answer in text for text in texts)


def with_copies(groups: Sequence[tuple[Span, ...]], pages: Mapping[str, Page]) -> tuple[tuple[Span, ...], ...]:
    """Each group with every exact copy of its passage that the pages hold, as `audit` counts them."""
    whole = []
    for first, *others in groups:
        spans = {first, *others}
        passage = pages[first.page].text[first.start : first.end].strip()
        for page in pages.values() if counts_as_copy(passage) else ():
            for match in re.finditer(rf"(?<!\w){re.escape(passage)}(?!\w)", page.text) if passage in page.text else ():
                span = Span(page.id, *match.span())
                if not any(span.meets(s) for s in spans):
                    spans.add(span)
        whole.append((first, *sorted(spans - {first})))
    return tuple(whole)


def _narrowed(text: str, start: int, end: int, query: Any) -> tuple[int, int]:
    """Of a long labelled passage the run of sentences that shares most words with the question and its answer."""
    if end - start <= LONG_EVIDENCE:
        return start, end
    wanted = set(content_words(query.text)) | set(content_words(query.answer[:400]))
    cuts = [start, *(start + m.end() for m in re.finditer(r"[.!?]\s+|\n+", text[start:end])), end]
    best, chosen = -1.0, (start, min(end, start + NARROWED))
    for i, a in enumerate(cuts):
        for b in cuts[i + 1 :]:
            if b - a > NARROWED:
                break
            found = set(content_words(text[a:b]))
            score = len(found & wanted) - 0.02 * len(found)
            if b - a >= 60 and score > best:
                best, chosen = score, (a, b)
    a, b = chosen
    while a < b and text[a].isspace():
        a += 1
    while b > a and text[b - 1].isspace():
        b -= 1
    return a, b


def _within(most: int, pages: list[Page], chunks: list[Span], questions: list[Question]) -> set[str]:
    """Pages up to a number of chunks: those that answer most questions first, then others."""
    size: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    for chunk in chunks:
        size[chunk.page] += 1
    for question in questions:
        for name in {p.page for p in question.passages}:
            asked[name] += 1
    rng = random.Random("pages")
    order = sorted(pages, key=lambda p: (-min(asked[p.id], 3), rng.random()))
    keep: set[str] = set()
    total = 0
    for page in order:
        if total + size[page.id] <= most:
            keep.add(page.id)
            total += size[page.id]
    return keep


def passages_of_others(name: str) -> list[str]:
    """Passages of the other sets, to pollute this one with."""
    name = name.removesuffix(MORE)
    rng = random.Random(f"others of {name}")
    kin = {"covidqa", "covid_faq_versions"}
    others = [s for s in SETS if s != name and not (name in kin and s in kin)]
    found = []
    for other in others:
        corpus = load_corpus(paths(other)[0])
        for document in rng.sample(corpus.documents, min(60, len(corpus.documents))):
            if other == "chroma_chunking" and name in kin and document.id == "pubmed":
                continue
            starts, ends = make("chunkers", CHUNKER).spans(document.text)
            picks = rng.sample(range(len(starts)), min(len(starts), 60 if other == "chroma_chunking" else 6))
            found += [document.text[starts[i] : ends[i]] for i in picks if ends[i] - starts[i] > 200]
    rng.shuffle(found)
    return found
