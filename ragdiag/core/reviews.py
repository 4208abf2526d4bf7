"""What a person who looked at a query's context found there, and what a sample of such looks makes of a measure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["SAYS", "STRATA", "Corrected", "Drawn", "Looked", "Passage", "Review", "Stratum", "place_in_draw", "stamp"]

Stratum = Literal["doubtful", "other"]
Says = Literal["answers", "part", "no"]

STRATA: tuple[Stratum, ...] = ("doubtful", "other")
"""Failing queries are drawn from these two apart: those whose label the audit doubts, and all others."""

SAYS: tuple[Says, ...] = ("answers", "part", "no")
"""What a passage does for a query: answers it, holds part of the answer, neither."""


class Passage(NamedTuple):
    """A stretch of a document, by the document's id."""

    doc_id: str
    start: int
    end: int


class Looked(NamedTuple):
    """A passage that a person looked at for a query, and what it does for the query."""

    passage: Passage
    says: Says


class Review(NamedTuple):
    """What was looked at for one query. `stratum`, `seed` and `pipeline` say how it was drawn; "" for one that was not."""

    passages: tuple[Looked, ...]
    stratum: Stratum | Literal[""] = ""
    seed: int = 0
    pipeline: str = ""  # the `stamp` of the audit whose failing queries were drawn from


@dataclass(frozen=True, slots=True)
class Drawn:
    """Failing queries of one stratum: how many there are, how many are in the sample, and what became of those."""

    stratum: Stratum
    size: int
    sample: int = 0
    served: int = 0
    open: int = 0  # neither known to be served nor known not to be

    @property
    def settled(self) -> int:
        """Those of the sample of which it is known."""
        return self.sample - self.open


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share of queries served, as a review of some failing queries corrects it.

    `low` and `high` treat queries as a sample, as every interval of a report does; `here_low` and `here_high` are about these
    queries alone, of which a review of all leaves nothing unknown. Without a review `mean` is None, and the others are bounds:
    as measured, and with every query of `drawn_from` served.
    """

    mean: float | None
    low: float
    high: float
    here_low: float
    here_high: float
    n: int  # queries measured
    served: int  # by the labels that they had before any review
    worth: float  # how many independent queries one query is worth
    reviewed: int  # of those drawn, how many a person has settled
    open: int  # of those drawn, how many still have an unjudged chunk in their context
    drawn_from: int  # failing queries with a chunk in their context that no label judges
    seed: int
    strata: tuple[Drawn, ...]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Corrected:
        """What `dataclasses.asdict` gave, through JSON."""
        return cls(**{**record, "strata": tuple(Drawn(**drawn) for drawn in record["strata"])})


def place_in_draw(seed: int, query_id: str) -> float:
    """A query's place in the order in which queries are drawn, from 0 to 1.

    It depends on the id alone, so whoever goes through the failing queries of any pipeline in this order has looked at a random
    sample of them wherever he stops. These are permanent random numbers (Ohlsson 1995, "Coordination of Samples Using Permanent
    Random Numbers"): the samples from two pipelines' failing queries overlap as far as the failing queries do.
    """
    raw = f"{seed}:{query_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big") / 2**64


def stamp(signature: str, inputs: Mapping[str, object]) -> str:
    """A few letters that tell one pipeline on one corpus from others, from a report's `signature` and `inputs`."""
    raw = f"{signature} {inputs.get('corpus_sha256')}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, digest_size=6).hexdigest()
