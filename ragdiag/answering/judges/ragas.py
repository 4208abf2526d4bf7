"""ragas as a judge: a language model behind an OpenAI-compatible endpoint scores the answer (https://docs.ragas.io)."""

from __future__ import annotations

import asyncio
import math
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ragdiag.answering.judges._plain import unthought
from ragdiag.answering.judges._references import Asked, by_any
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store, text_key
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import require
from ragdiag.core.remote import api_key, check_url

MOST_TOKENS = 4096
"""Of one reply: the default of 1,024 cuts the lists of claims of long answers short, which then cannot be read."""

Sample = dict[str, str | list[str]]
"""What a metric is called with: the names and values of its arguments."""

CLASSES = {
    "factual_correctness": "FactualCorrectness",
    "answer_correctness": "AnswerCorrectness",
    "faithfulness": "Faithfulness",
}


@dataclass(frozen=True)
class Ragas:
    """Right where the metric's score is `threshold` or more. `url` is the endpoint (``http://localhost:8000/v1``).

    "factual_correctness" and "answer_correctness" compare the claims of answer and reference (of the latter metric the factual
    part, which needs no embeddings); "faithfulness" asks whether the recorded contexts support the answer, right or not. A call
    that fails, or takes longer than `timeout_s`, gives no opinion, and one warning says how many and why.
    """

    url: str
    model: str
    metric: Literal["factual_correctness", "answer_correctness", "faithfulness"] = "factual_correctness"
    threshold: float = 0.5
    timeout_s: float = 60.0
    concurrency: int = 8

    def __post_init__(self) -> None:
        check_url(self.url, "ragas")
        if not (0 < self.threshold <= 1 and self.timeout_s > 0 and self.concurrency >= 1):
            raise SpecError("ragas: threshold must be above 0, up to 1; timeout_s above 0; concurrency 1 or more")

    @property
    def reads(self) -> str:
        """Faithfulness asks the contexts, the other metrics the reference."""
        return "contexts" if self.metric == "faithfulness" else "reference"

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`. Raises `MissingExtra` without ragas."""
        if self.metric == "faithfulness":
            return self._scored(asked, store, progress)
        return by_any(asked, lambda pairs: self._scored(pairs, store, progress))

    def _scored(self, asked: Asked, store: Store | None, progress: Progress) -> list[Opinion | None]:
        """An opinion on each of `asked`, whose queries have one reference."""
        samples = [self._sample(query, answer) for query, answer in asked]
        scores = self._scores({_key(s): s for s in samples if s}, store, progress)
        return [self._opinion(scores.get(_key(s))) if s else None for s in samples]

    def _scores(self, samples: dict[bytes, Sample], store: Store | None, progress: Progress) -> dict[bytes, float]:
        """Scores by key, as far as there are any: what `store` knows, and what is asked for now, which is added to it."""
        name = f"ragas {self.metric} {self.model} {self.url}"
        known = {} if store is None else {key: float(row[0]) for key, row in store.vectors(name, list(samples)).items()}
        missing = {key: sample for key, sample in samples.items() if key not in known}
        if not missing:
            return known
        # A thread of its own has no event loop yet, in a notebook too.
        with ThreadPoolExecutor(1) as thread:
            scores = thread.submit(lambda: asyncio.run(self._score(list(missing.values()), progress))).result()
        fresh = {key: score for key, score in zip(missing, scores, strict=True) if isinstance(score, float)}
        if store is not None:
            store.add_vectors(name, {key: np.array([score], dtype=np.float32) for key, score in fresh.items()})
        _warn(Counter(score for score in scores if isinstance(score, str)), len(missing))
        return known | fresh

    def _sample(self, query: Query, answer: Answer) -> Sample:
        """What the metric is called with; empty where it cannot be."""
        response = unthought(answer.answer).strip()
        if answer.failed or not response:
            return {}
        if self.metric == "faithfulness":
            contexts = list(answer.contexts)
            return {"user_input": query.text, "response": response, "retrieved_contexts": contexts} if contexts else {}
        sample: Sample = {"response": response, "reference": query.answer}
        return sample if self.metric == "factual_correctness" else {"user_input": query.text, **sample}

    def _opinion(self, score: float | None) -> Opinion | None:
        if score is None:
            return None
        return Opinion(score >= self.threshold, f"ragas {self.metric} {score:.2f}, {self.threshold:g} needed")

    async def _score(self, samples: list[Sample], progress: Progress) -> list[float | str]:
        """For each of `samples` its score, or the reason why there is none; all in one event loop."""
        metric, client = self._metric()
        free, done = asyncio.Semaphore(self.concurrency), 0

        async def one(sample: Sample) -> float | str:
            nonlocal done
            async with free:
                try:
                    scored = await asyncio.wait_for(metric.ascore(**sample), self.timeout_s)
                    value = float(scored.value)
                    score: float | str = "no score" if math.isnan(value) else value
                except Exception as e:  # whatever the endpoint or its library raises is a failed call, not a wrong answer
                    score = _reason(e)
            done += 1
            progress("asking ragas", done, len(samples))
            return score

        async with client:
            return list(await asyncio.gather(*map(one, samples)))

    def _metric(self) -> tuple[Any, Any]:
        """The metric, and the client that it talks through."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            analytics = require("ragas._analytics", "judge")
            metrics = require("ragas.metrics.collections", "judge")
            llms = require("ragas.llms", "judge")
            openai = require("openai", "judge")
        client = openai.AsyncOpenAI(base_url=self.url, api_key=api_key(), timeout=self.timeout_s, max_retries=2)
        analytics.do_not_track.cache_clear()
        # Even when tracking is off an id for it would be written into the user's home; ragas goes on without one.
        analytics.user_data_dir = _nowhere
        llm = llms.llm_factory(self.model, client=client, max_tokens=MOST_TOKENS)
        more = {"weights": [1.0, 0.0]} if self.metric == "answer_correctness" else {}
        return getattr(metrics, CLASSES[self.metric])(llm=llm, **more), client


def _key(sample: Sample) -> bytes:
    return text_key(repr(sorted(sample.items())))


def _warn(failures: Counter[str], calls: int) -> None:
    if failures:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in failures.most_common(3))
        warnings.warn(f"ragas gave no opinion on {failures.total()} of {calls} answers: {reasons}", stacklevel=4)


def _nowhere(*_: object, **__: object) -> str:
    raise OSError("no folder for telemetry")


def _reason(e: Exception) -> str:
    """The kind of a failure: what lies behind the retries, without what the endpoint said, which may hold anything."""
    inner = e
    while inner.__cause__ is not None and isinstance(inner.__cause__, Exception):
        inner = inner.__cause__
    return "timed out" if isinstance(inner, (asyncio.TimeoutError, TimeoutError)) else type(inner).__name__
