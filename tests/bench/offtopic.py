"""The off-topic test: how many planted pages it finds, and how many chunks of healthy contexts it takes for off topic.

Planted are pages of another set (foreign) and, in the two sets of many subjects, pages of other documents of the same set
(inside), several for each query, stuffed with its words in one of five ways. Counted are those that outrank the evidence or
enter the context. Constants were chosen on queries at even places of each set; the odd ones are the test.
"""

import random
import re
import sys
from dataclasses import dataclass

import numpy as np
from common import SETS, paths
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ragdiag.core.cache import Cache, default_folder
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Run
from ragdiag.core.registry import make
from ragdiag.pipeline import check
from ragdiag.scoring.scoring import Scorer
from ragdiag.scoring.topics import Topics
from ragdiag.sources.chunks import cut

K, DEPTH = 5, 100
QUERIES, PAGES = 40, 3  # planted with pages, and pages of each kind for each
HEALTHY = 300  # queries whose contexts are judged, at most
SUBJECTS = ("chroma_chunking", "hotpot100")  # sets whose documents have little to do with one another
KIN = {"covidqa": ("covid_faq_versions",), "covid_faq_versions": ("covidqa",)}
STYLES = 5


@dataclass
class World:
    name: str
    scorer: Scorer
    texts: list[str]
    holders: dict[int, list[int]]  # the chunks that hold some of a query's evidence

    @property
    def queries(self) -> list[str]:
        return [q.text for q in self.scorer.labels.queries]

    def document(self, chunk: int) -> str:
        return self.scorer.corpus.documents[int(self.scorer.chunking.document[chunk])].id


@dataclass
class Planted:
    query: int
    kind: str
    text: str


def load(name: str) -> World:
    checked = check(*paths(name))
    corpus, labels = checked.corpus, checked.labels
    chunking = cut(corpus, make("chunkers", "sentence"), no_progress)
    scorer = Scorer(corpus, labels, chunking)
    holders: dict[int, list[int]] = {}
    for q, c in sorted(scorer.relevant()):
        holders.setdefault(q, []).append(c)
    return World(name, scorer, [scorer.text(c) for c in range(len(chunking))], holders)


def stuff(page: str, query: str, style: int, rng: random.Random) -> str:
    """`page` with the words of `query`: ahead, behind, as keywords, after each sentence, or within the sentences."""
    terms = [w for w in re.findall(r"\w+", query) if w.lower() not in ENGLISH_STOP_WORDS] or query.split()
    if style == 0:
        return f"{query}\n{page}"
    if style == 1:
        return f"{page}\n{query} {query}"
    if style == 2:
        return f"{page}\nKeywords: {', '.join(terms * 3)}"
    sentences = [s for s in re.split(r"(?<=[.!?])\s+|\n+", page) if s.strip()]
    each = -(-2 * len(terms) // len(sentences))
    out = []
    for i, sentence in enumerate(sentences):
        words, more = sentence.split(), [terms[(i * each + j) % len(terms)] for j in range(each)]
        at = len(words) if style == 3 else rng.randrange(len(words) + 1)
        out.append(" ".join(words[:at] + more + words[at:]))
    return " ".join(out) if style == 3 else f"{query} {' '.join(out)}"


def page(world: World, barred: set[str], rng: random.Random) -> str:
    """35 to 110 words of a chunk of `world`, of none of the documents `barred`."""
    while True:
        c = rng.randrange(len(world.texts))
        words = list(re.finditer(r"\w+", world.texts[c]))
        if len(words) >= 40 and world.document(c) not in barred:
            return world.texts[c][: words[min(rng.randint(35, 110), len(words)) - 1].end()]


def plant(world: World, worlds: dict[str, World]) -> list[Planted]:
    rng = random.Random(f"planted in {world.name}")
    others = [w for n, w in worlds.items() if n != world.name and n not in KIN.get(world.name, ())]
    found = []
    for q in sorted(rng.sample(sorted(world.holders), min(QUERIES, len(world.holders)))):
        style = rng.randrange(STYLES)
        for kind in ("foreign", "inside") if world.name in SUBJECTS else ("foreign",):
            for _ in range(PAGES):
                # Half of chroma_chunking is medical papers: no pages about something else, where all are about a disease.
                barred = {"pubmed"} if world.name in KIN else set()
                own = {world.document(c) for c in world.holders[q]}
                text = page(rng.choice(others), barred, rng) if kind == "foreign" else page(world, own, rng)
                found.append(Planted(q, kind, stuff(text, world.queries[q], style, rng)))
    return found


def healthy(world: World, ranked: np.ndarray) -> list[tuple[int, int, bool]]:
    """``(query, chunk, whether of the evidence's document)`` for chunks beside the evidence in contexts that hold it all."""
    lengths = np.full(len(ranked), K)
    enough = world.scorer.sufficient(Run(ranked, np.zeros(ranked.shape)), lengths)
    queries = [q for q in world.holders if enough[q] and world.scorer.labels.level[q] == "span"]
    rows = []
    for q in sorted(random.Random(0).sample(queries, min(HEALTHY, len(queries)))):
        own = {world.document(c) for c in world.holders[q]}
        rows += [(q, c, world.document(c) in own) for c in ranked[q, :K].tolist() if c >= 0 and c not in world.holders[q]]
    return rows


def judged(topics: Topics, world: World, rows: list[tuple[int, int]]) -> list[bool]:
    flagged = set()
    for q in {q for q, _ in rows}:
        chunks = [c for p, c in rows if p == q]
        flags = topics.judge(world.queries[q], world.holders[q], chunks).off_topic.tolist()
        flagged |= {(q, c) for c, f in zip(chunks, flags, strict=True) if f}
    return [row in flagged for row in rows]


def share(rows: list[tuple[int, bool]], *, contexts: bool = False) -> str:
    """Shares of flagged on the development half and, after the stroke, the test half, with the size of the latter."""
    cells = []
    for half in (0, 1):
        mine = [(q, f) for q, f in rows if q % 2 == half]
        flags = list({q: any(f for p, f in mine if p == q) for q, _ in mine}.values()) if contexts else [f for _, f in mine]
        cells.append((np.mean(flags) if flags else float("nan"), len(flags)))
    if not cells[0][1] + cells[1][1]:
        return "–"
    return f"{cells[0][0]:.3f} / {cells[1][0]:.3f} (of {cells[1][1]})"


def main(*retrievers: str) -> None:
    store = Cache(default_folder())
    worlds = {name: load(name) for name in SETS}
    titles = ("foreign pages", "inside pages", "healthy chunks", "of the evidence's document", "healthy contexts with any")
    print("Share taken for off topic, development half / test half\n")
    print("| set | retriever | " + " | ".join(titles) + " |\n|---|---|" + "---|" * len(titles))
    totals: dict[str, list[tuple[int, bool]]] = {t: [] for t in titles}
    for world in worlds.values():
        planted = plant(world, worlds)
        clean, polluted = Topics(world.texts), Topics(world.texts + [p.text for p in planted])
        first = len(world.texts)
        for name in retrievers or ("bm25", "dense", "hybrid"):
            retriever = make("retrievers", name)
            ranked = retriever.index(world.texts, store, no_progress).search(world.queries, DEPTH)[0]
            asked = sorted({p.query for p in planted})
            index = retriever.index(world.texts + [p.text for p in planted], store, no_progress)
            rank = {}
            for q, row in zip(asked, index.search([world.queries[q] for q in asked], DEPTH)[0], strict=True):
                place = {c: i for i, c in enumerate(row.tolist())}
                best = min((place[c] for c in world.holders[q] if c in place), default=DEPTH)
                rank |= {(q, c): i for c, i in place.items() if i < max(best, K)}
            met = [(p.query, first + i, p.kind) for i, p in enumerate(planted) if (p.query, first + i) in rank]
            beside = healthy(world, ranked)
            flags = judged(clean, world, [(q, c) for q, c, _ in beside])
            rows: dict[str, list[tuple[int, bool]]] = {t: [] for t in titles}
            for kind in ("foreign", "inside"):
                mine = [(q, c) for q, c, k in met if k == kind]
                rows[f"{kind} pages"] = list(zip([q for q, _ in mine], judged(polluted, world, mine), strict=True))
            rows[titles[2]] = rows[titles[4]] = [(q, f) for (q, _, _), f in zip(beside, flags, strict=True)]
            rows[titles[3]] = [(q, f) for (q, _, own), f in zip(beside, flags, strict=True) if own]
            cells = [share(rows[t], contexts=t == titles[4]) for t in titles]
            print(f"| {world.name} | {name} | " + " | ".join(cells) + " |", flush=True)
            for t in titles[:4]:
                totals[t] += rows[t]
    print("| all | all | " + " | ".join(share(totals[t]) for t in titles[:4]) + " | – |")
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
