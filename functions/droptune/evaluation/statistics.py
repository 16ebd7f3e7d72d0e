"""How sure the numbers are: 95 % intervals, and p-values of paired comparisons. scipy does the mathematics.

scipy takes about a second to import and is loaded by the first call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..events import Interval

CONFIDENCE = 0.95
RESAMPLES = 9999
SEED = 20240229  # any fixed number: the same scores must give the same interval


def share(scores: Sequence[float]) -> Interval:
    """The share of ones among zeros and ones, with Wilson's interval (right near 0 and 1, and for few rows)."""
    from scipy.stats import binomtest

    successes = round(sum(scores))
    bounds = binomtest(successes, len(scores)).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(value=successes / len(scores), low=float(bounds.low), high=float(bounds.high), rows=len(scores))


def mean(scores: Sequence[float]) -> Interval:
    """The mean of scores in 0..1 with the percentile interval of a seeded bootstrap; one row says nothing: 0 to 1."""
    value = math.fsum(scores) / len(scores)
    if len(scores) == 1:
        return Interval(value=value, low=0.0, high=1.0, rows=1)
    import numpy as np
    from scipy.stats import bootstrap

    bounds = bootstrap(
        (np.asarray(scores),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(value=value, low=float(bounds.low), high=float(bounds.high), rows=len(scores))


def shares_differ(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value of McNemar's exact test: of the rows that only one got right, is either side's part unusual?"""
    from scipy.stats import binomtest

    only_first = sum(a > b for a, b in zip(first, second, strict=True))
    only_second = sum(b > a for a, b in zip(first, second, strict=True))
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def means_differ(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value of a seeded permutation test that swaps the two scores of a row at random."""
    import numpy as np
    from scipy.stats import permutation_test

    differences = np.asarray(first) - np.asarray(second)
    if not differences.any():
        return 1.0
    return float(
        permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            n_resamples=RESAMPLES,
            rng=np.random.default_rng(SEED),
        ).pvalue
    )
