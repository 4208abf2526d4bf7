"""A share of queries served, corrected by a sample of the failing ones that a person looked at.

Labels are incomplete: a failing query may be served by a passage that nobody labelled. A served one is served. So the true
number served is what the labels say plus the failing queries that would turn out served, and of those a random sample is known.

- How many of all failing queries would turn out served, given how many of the sample did: the exact interval of the
  hypergeometric distribution, by inverting its two one-sided tests (Clopper and Pearson 1934 for the binomial; Buonaccorsi 1987,
  "A Note on Confidence Intervals for Proportions in Finite Populations", for this one). It is exact in samples of any size, and
  shrinks to a point where all are reviewed.
- A query of the sample that was skipped, or has an unjudged chunk left, may be either: the lower end counts it as not served, the
  upper end as served (worst-case bounds, Cochran 1977, "Sampling Techniques", section 13.2). A stratum without a sample likewise.
- Several strata, and the uncertainty of the queries as a sample of all that users ask (Wilson's interval at the effective sample
  size that clusters of documents leave, `statistics.Resampler.worth`), are put together by the method of variance estimates
  recovery (Zou and Donner 2008, "Construction of Confidence Limits About Effect Measures", equation 3): independent errors add up
  as squares of the distances from the estimates to their limits.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from ragdiag.core.reviews import Corrected, Drawn
from ragdiag.stats.statistics import LEVEL, wilson

__all__ = ["corrected", "finite", "planned", "recounted"]


@functools.lru_cache(100_000)
def finite(served: int, sample: int, size: int, level: float = LEVEL) -> tuple[int, int]:
    """How many of `size` are served where `served` of a random `sample` of them are: the least and most not rejected."""
    from scipy.stats import hypergeom  # slow to import, and needed by those alone who have reviewed something

    tail = (1 - level) / 2
    least, most = served, size - sample + served
    possible = range(least, most + 1)
    low = bisect_left(possible, True, key=lambda total: bool(hypergeom.sf(served - 1, size, total, sample) > tail))
    high = bisect_left(possible, True, key=lambda total: bool(hypergeom.cdf(served, size, total, sample) <= tail))
    return least + low, least + high - 1


def corrected(n: int, served: int, strata: Sequence[Drawn], certain: tuple[int, int], worth: float, seed: int) -> Corrected:
    """The share of `n` queries that is served: `served` by their labels, and of the failing ones in `strata` those that are.

    `certain` is the least and the most that may be served, whatever the sample says. `worth` is how many independent queries one
    query is worth.
    """
    size, settled, unknown = (sum(getattr(s, name) for s in strata) for name in ("size", "settled", "open"))
    if not settled:
        mean = None if size else served / n
        low, high = (count / n for count in certain)
        ends = (low, high) if size else wilson(served * worth, n * worth)
        return Corrected(mean, *ends, low, high, n, served, worth, 0, unknown, size, seed, tuple(strata))
    rate = sum(s.served for s in strata) / settled
    estimate = served + sum(s.size * (s.served / s.settled if s.settled else rate) for s in strata)
    mean = min(max(estimate, certain[0]), certain[1]) / n
    here_low, low = _end(n, served, strata, certain[0], worth, upper=False)
    here_high, high = _end(n, served, strata, certain[1], worth, upper=True)
    lows, highs = (min(low, mean), min(here_low, mean)), (max(high, mean), max(here_high, mean))
    return Corrected(mean, lows[0], highs[0], lows[1], highs[1], n, served, worth, settled, unknown, size, seed, tuple(strata))


def _end(n: int, served: int, strata: Sequence[Drawn], certain: int, worth: float, upper: bool) -> tuple[float, float]:
    """The lower or upper end of the interval, what is unknown taken for the worse or for the better, no further than `certain`.

    First for these queries alone, then with queries as a sample.
    """
    total, squares = float(served), 0.0
    for s in strata:
        if not s.sample:
            total += s.size if upper else 0
            continue
        counted = s.served + (s.open if upper else 0)
        estimate, limit = s.size * counted / s.sample, finite(counted, s.sample, s.size)[int(upper)]
        total += estimate
        squares += (limit - estimate) ** 2
    nearest = min if upper else max
    share = nearest(total, certain) / n
    here = nearest((total + (1 if upper else -1) * math.sqrt(squares)) / n, certain / n)
    beyond = math.hypot(here - share, wilson(share * n * worth, n * worth)[int(upper)] - share)
    return here, max(0.0, min(1.0, share + (beyond if upper else -beyond)))


def planned(now: Corrected, more: int) -> Corrected:
    """What `more` reviewed queries would make of it, drawn from the strata by turns.

    As many of them are taken to turn out served as did so far; half, which leaves most unknown, where none is reviewed.
    """
    rate = sum(s.served for s in now.strata) / now.reviewed if now.reviewed else 0.5
    extra = [0] * len(now.strata)
    for _ in range(more):
        room = [i for i, s in enumerate(now.strata) if s.sample + extra[i] < s.size]
        if room:
            extra[min(room, key=lambda i: extra[i])] += 1
    then = [replace(s, sample=s.sample + e, served=s.served + round(rate * e)) for s, e in zip(now.strata, extra, strict=True)]
    return recounted(now, then)


def recounted(now: Corrected, strata: Sequence[Drawn]) -> Corrected:
    """What it comes to with other samples from the same failing queries."""
    least = now.served + sum(s.served for s in strata)
    most = now.served + sum(s.size - (s.settled - s.served) for s in strata)
    return corrected(now.n, now.served, strata, (least, most), now.worth, now.seed)
